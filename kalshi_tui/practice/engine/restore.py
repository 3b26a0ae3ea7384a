"""Restore a saved state: the engine as it was for the traders when the last operation was acknowledged."""

from typing import Final

from kalshi_tui.domain.fees import FeeAccumulator
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import PRICE_UNIT
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.book_policy import BookPolicy
from kalshi_tui.practice.engine.lifecycle import MarketLifecycle
from kalshi_tui.practice.engine.matching import Matcher, fee_reserve
from kalshi_tui.practice.engine.model import EngineAccount, EngineOrder, EngineOrderGroup, ListedMarket, side_index
from kalshi_tui.practice.engine.records import (
    GroupRecord,
    MarketRecord,
    OrderRecord,
    OrderStatus,
    PositionRecord,
    SavedState,
)
from kalshi_tui.practice.engine.scheduled_fees import FeeChanges
from kalshi_tui.practice.engine.state import EngineState
from kalshi_tui.practice.engine.terms import GRIDS

HOUSE_ACCOUNT_ID: Final = "house"
"""The account on the other side of what a restart finds in the traders' hands."""


class Restore:
    """Rebuilds accounts, positions, orders, groups and changed markets from their records."""

    def __init__(
        self,
        state: EngineState,
        matcher: Matcher,
        lifecycle: MarketLifecycle,
        policy: BookPolicy,
        fee_changes: FeeChanges,
    ) -> None:
        self._clock = state.clock
        self._ids = state.ids
        self._event_log = state.event_log
        self._ledger = state.ledger
        self._markets = state.markets
        self._groups = state.groups
        self._matcher = matcher
        self._lifecycle = lifecycle
        self._policy = policy
        self._fee_changes = fee_changes

    def restore(self, state: SavedState) -> None:
        """Put the exchange where a saved state left it, before anybody trades. Nothing of it is announced.

        Raises ValueError if the state contradicts itself.
        """
        # Back to when it was saved, so that the next `advance` does what came due since, each at its time. Without it a
        # market that closed meanwhile would pay out as of now, and an order could expire after its market's close.
        if state.saved_ms:
            self._clock.now = min(self._clock.now, state.saved_ms)
        for market in state.markets:
            self._restore_market(market)
        self._fee_changes.restore(state.fee_changes)
        for account_id, cash in state.accounts:
            self._ledger.open_account(account_id, cash)
        for transfer in state.subaccount_transfers:
            self._ledger.add_subaccount_transfer(transfer)
        try:
            self._restore_accounts(state)
        except KeyError as missing:
            raise ValueError(f"it speaks of {missing}, which is not there") from missing
        for account in self._ledger.accounts.values():
            _lower_fee_reserves(account)
            if any(account.available(shard) < 0 for shard in account.cash):
                raise ValueError(f"the resting orders of {account.account_id} hold more than it has")
        self._ledger.forget_changed_balances()
        self._event_log.clear()

    def _restore_accounts(self, state: SavedState) -> None:
        for account_id in state.netting:
            self._ledger.accounts[account_id].netting = True
        for group in state.groups:
            self._restore_group(group)
        for position in state.positions:
            self._restore_position(position)
        # The house needs all positions, and the collateral of resting orders depends on the positions too.
        self._restore_house_positions()
        resting = []
        for record in state.orders:
            order = self._restore_order(record)
            if record.status is OrderStatus.RESTING:
                resting.append((record.queued, order))
        # In the order in which they came to rest, or they would lose their places in the queues to each other.
        for _, order in sorted(resting, key=lambda pair: pair[0]):
            self._restore_resting(order)
        for fill in state.fills:
            self._ledger.accounts[fill.account_id].fills.append(fill)
        for settlement in state.settlements:
            self._ledger.accounts[settlement.account_id].settlements.append(settlement)
        for account_id, client_order_id, order_id in state.client_ids:
            self._ledger.accounts[account_id].client_ids[client_order_id] = order_id

    def _restore_market(self, saved: MarketRecord) -> None:
        record = self._policy.saved_market(saved)
        if record is None:
            return
        terms = record.terms
        listing = self._markets.listings.get(terms.ticker)
        if listing is None:
            self._lifecycle.add_series(record.series)
            self._lifecycle.add_event(record.event)
            listing = self._lifecycle.list_market(terms)
        if listing.shard != terms.exchange_index:
            # A live market does not move, though a new version of the catalog lists it elsewhere: what was held for its
            # orders lies on the old shard.
            for each in self._markets.listings_by_event[terms.event_ticker]:
                each.shard = terms.exchange_index
            self._markets.events_by_ticker[terms.event_ticker] = record.event
        listing.status = record.status
        listing.structure = record.structure
        listing.grid = GRIDS[record.structure]
        listing.close_ms = record.close_ms
        listing.result = record.result
        listing.settlement_value = record.settlement_value
        listing.expiration_value = record.expiration_value
        listing.settle_ms = record.settle_ms
        listing.settlement_floor = record.settlement_floor
        listing.settled_ms = record.settled_ms
        if listing.status is MarketStatus.FINALIZED:
            self._markets.move_to_end(listing)
        # Listing it set the timers of a fresh market. Those find nothing to do where the status is another by now.
        self._lifecycle.schedule_by_status(listing)

    def _restore_group(self, record: GroupRecord) -> None:
        group = EngineOrderGroup(record.group_id, record.account_id, record.exchange_index, record.limit)
        group.triggered = record.triggered
        group.matched.extend(record.matched)
        self._groups[group.group_id] = group

    def _restore_position(self, record: PositionRecord) -> None:
        account, listing = self._ledger.accounts[record.account_id], self._markets.listings[record.ticker]
        if listing.status is MarketStatus.FINALIZED:
            account.settled_positions[record.ticker] = record
            return
        holding = account.holding(listing)
        holding.position = record.count
        holding.cost = record.exposure
        holding.realized = record.realized_pnl
        holding.fees_paid = record.fees_paid
        holding.fee_cost = record.fee_cost
        holding.total_traded = record.total_traded
        holding.volume = record.volume
        holding.updated_ms = record.updated_ms

    def _restore_house_positions(self) -> None:
        """Let the house hold the other side of the traders' contracts, with a dollar in escrow for each pair.

        Whoever was on the other side was simulated and is not saved. Without a counterpart the settlement would pay out
        money that was never deposited.
        """
        house = self._ledger.accounts.get(HOUSE_ACCOUNT_ID) or self._ledger.open_account(
            HOUSE_ACCOUNT_ID, {}, keeps_history=False, margined=False
        )
        touched: dict[str, ListedMarket] = {}
        for account in self._ledger.accounts.values():
            touched |= {ticker: holding.listing for ticker, holding in account.holdings.items() if holding.position}
        for ticker, listing in touched.items():
            held = [
                account.holdings[ticker].position
                for account in self._ledger.accounts.values()
                if ticker in account.holdings
            ]
            house.holding(listing).position -= sum(held)
            interest = sum(count for count in held if count > 0) + max(0, -sum(held))
            listing.open_interest += interest
            self._ledger.escrow[listing.shard] += interest * PRICE_UNIT
            self._ledger.deposited[listing.shard] += interest * PRICE_UNIT

    def _restore_order(self, record: OrderRecord) -> EngineOrder:
        account = self._ledger.accounts[record.account_id]
        listing = self._markets.listings[record.ticker]
        side = side_index(record.side)
        order = EngineOrder(
            record.order_id,
            account,
            listing,
            account.holding(listing),
            side,
            PRICE_UNIT - record.price if side else record.price,
            record.initial,
            record.created_ms,
            record.tif,
            record.self_trade,
            record.client_order_id,
            post_only=record.post_only,
            cancel_on_pause=record.cancel_on_pause,
            group_id=record.group_id,
            expires_ms=record.expires_ms,
        )
        order.remaining = record.remaining
        order.filled = record.filled
        order.status = record.status
        order.update_reason = UpdateReason(record.update_reason) if record.update_reason else None
        order.taker_cost, order.maker_cost = record.taker_cost, record.maker_cost
        order.taker_fees, order.maker_fees = record.taker_fees, record.maker_fees
        order.updated_ms = record.updated_ms
        if record.fee_overpaid:
            order.fee_accumulator = FeeAccumulator(account.precision, record.fee_overpaid)
        account.orders[order.order_id] = order
        return order

    def _restore_resting(self, order: EngineOrder) -> None:
        account = order.account
        order.fee_reserve = fee_reserve(order, order.remaining, taker=False)
        order.holding.register(order)
        account.update_held(order.holding)
        order.listing.book.sides[order.side].add(order)
        order.queue_number = self._ids.next_queue_number()
        account.resting_orders[order.order_id] = order
        group = self._groups.get(order.group_id)
        if group is not None:
            group.orders[order.order_id] = order
        if order.expires_ms:
            self._clock.schedule_at(order.expires_ms, lambda due: self._matcher.expire(order, due))
        order.listing.top = order.listing.book.top()


def _lower_fee_reserves(account: EngineAccount) -> None:
    """Reserve less for the fees of resting orders where there is less: fees that have risen since were not reserved."""
    for order in account.resting_orders.values():
        missing = min(-account.available(order.listing.shard), order.fee_reserve)
        if missing > 0:
            order.holding.open_sides[order.side].fees -= missing
            order.fee_reserve -= missing
            account.update_held(order.holding)
