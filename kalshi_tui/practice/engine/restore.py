"""Taking up a saved state: the engine as it stood for the traders when the last operation was acknowledged."""

from kalshi_tui.domain.fees import FeeAccumulator
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import PRICE_UNIT
from kalshi_tui.practice.engine.core import HOUSE_ACCOUNT_ID
from kalshi_tui.practice.engine.lifecycle import Lifecycles
from kalshi_tui.practice.engine.listing import ListedMarket
from kalshi_tui.practice.engine.order_groups import EngineOrderGroup
from kalshi_tui.practice.engine.orders import EngineOrder, side_index
from kalshi_tui.practice.engine.records import (
    GroupRecord,
    MarketRecord,
    OrderRecord,
    OrderStatus,
    PositionRecord,
    SavedState,
)
from kalshi_tui.practice.engine.terms import GRIDS


class Restores(Lifecycles):
    """Lifecycles, with a way to begin where an earlier run ended."""

    def restore(self, state: SavedState) -> None:
        """Take up a saved state, before anybody trades. Nothing of it is told as news.

        Time is set back to when the state was saved, so that the next `advance` does what came due since, at its time.
        Raises ValueError if the state contradicts itself.
        """
        if state.saved_ms:
            self.now = min(self.now, state.saved_ms)
        for market in state.markets:
            self._restore_market(market)
        for account_id, cash in state.accounts:
            self.open_account(account_id, cash)
        try:
            self._restore_accounts(state)
        except KeyError as missing:
            raise ValueError(f"it speaks of {missing}, which is not there") from missing
        for account in self.accounts.values():
            if any(account.available(shard) < 0 for shard in account.cash):
                raise ValueError(f"the resting orders of {account.account_id} hold more than it has")
        self._changed_balances.clear()
        self._events.clear()

    def _restore_accounts(self, state: SavedState) -> None:
        for group in state.groups:
            self._restore_group(group)
        for position in state.positions:
            self._restore_position(position)
        self._restore_house_positions()
        resting = []
        for record in state.orders:
            order = self._restore_order(record)
            if record.status is OrderStatus.RESTING:
                resting.append((record.queued, order))
        for _, order in sorted(resting, key=lambda pair: pair[0]):
            self._restore_resting(order)
        for fill in state.fills:
            self.accounts[fill.account_id].fills.append(fill)
        for settlement in state.settlements:
            self.accounts[settlement.account_id].settlements.append(settlement)
        for account_id, client_order_id, order_id in state.client_ids:
            self.accounts[account_id].client_ids[client_order_id] = order_id

    def _restore_market(self, record: MarketRecord) -> None:
        terms = record.terms
        listing = self.listings.get(terms.ticker)
        if listing is None:
            self.add_series(record.series)
            self.add_event(record.event)
            listing = self.add_market(terms, announce=False)
        listing.status = record.status
        listing.structure = record.structure
        listing.grid = GRIDS[record.structure]
        listing.close_ms = record.close_ms
        listing.result = record.result
        listing.settlement_value = record.settlement_value
        listing.expiration_value = record.expiration_value
        listing.settle_ms = record.settle_ms
        listing.settled_ms = record.settled_ms
        if listing.status is MarketStatus.FINALIZED:
            self._move_to_end(listing)
        self._reschedule_market(listing)

    def _reschedule_market(self, listing: ListedMarket) -> None:
        """Set the timers that a market in its present state still waits for."""
        if listing.status is MarketStatus.INITIALIZED:
            self._schedule_at(listing.open_ms, lambda now: self._open_when_due(listing, now))
        if listing.status in {MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE}:
            self._schedule_at(listing.close_ms, lambda now: self._close_when_due(listing, now))
        elif listing.status is MarketStatus.CLOSED:
            self._schedule_outcome(listing)
        elif listing.settle_ms:
            self._schedule_at(listing.settle_ms, lambda now: self._finalize_when_due(listing, now))

    def _restore_group(self, record: GroupRecord) -> None:
        group = EngineOrderGroup(record.group_id, record.account_id, record.exchange_index, record.limit)
        group.triggered = record.triggered
        group.matched.extend(record.matched)
        self.groups[group.group_id] = group

    def _restore_position(self, record: PositionRecord) -> None:
        holding = self.accounts[record.account_id].holding(self.listings[record.ticker])
        holding.position = record.count
        holding.cost = record.exposure
        holding.realized = record.realized_pnl
        holding.fees_paid = record.fees_paid
        holding.fee_cost = record.fee_cost
        holding.total_traded = record.total_traded
        holding.volume = record.volume
        holding.updated_ms = record.updated_ms

    def _restore_house_positions(self) -> None:
        """Let the house hold the other side of the traders' contracts, with a dollar in escrow for each pair."""
        house = self.accounts.get(HOUSE_ACCOUNT_ID) or self.open_account(
            HOUSE_ACCOUNT_ID, {}, keeps_history=False, margined=False
        )
        touched: dict[str, ListedMarket] = {}
        for account in self.accounts.values():
            touched |= {ticker: holding.listing for ticker, holding in account.holdings.items() if holding.position}
        for ticker, listing in touched.items():
            held = [
                account.holdings[ticker].position for account in self.accounts.values() if ticker in account.holdings
            ]
            house.holding(listing).position -= sum(held)
            interest = sum(count for count in held if count > 0) + max(0, -sum(held))
            listing.open_interest += interest
            self.escrow[listing.shard] += interest * PRICE_UNIT
            self.deposited[listing.shard] += interest * PRICE_UNIT

    def _restore_order(self, record: OrderRecord) -> EngineOrder:
        account = self.accounts[record.account_id]
        listing = self.listings[record.ticker]
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
        order.reason = record.reason
        order.taker_cost, order.maker_cost = record.taker_cost, record.maker_cost
        order.taker_fees, order.maker_fees = record.taker_fees, record.maker_fees
        order.updated_ms = record.updated_ms
        if record.fee_overpaid:
            order.fee_accumulator = FeeAccumulator(account.precision, record.fee_overpaid)
        account.orders[order.order_id] = order
        return order

    def _restore_resting(self, order: EngineOrder) -> None:
        account = order.account
        order.fee_reserve = self._fee_reserve(order, order.remaining, taker=False)
        order.holding.register(order)
        account.update_held(order.holding)
        order.listing.book.sides[order.side].add(order)
        order.queue_number = next(self._queue_numbers)
        account.resting_orders[order.order_id] = order
        group = self.groups.get(order.group_id)
        if group is not None:
            group.orders[order.order_id] = order
        if order.expires_ms:
            self._schedule_at(order.expires_ms, lambda due: self._expire(order, due))
        order.listing.top = order.listing.book.top()
