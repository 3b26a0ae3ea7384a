"""Reading the exchange: all that the portfolio and market endpoints need. Nothing here changes anything."""

import heapq
from collections.abc import Iterator

from kalshi_tui.domain.price import PRICE_UNIT, Money, Price
from kalshi_tui.practice.engine.candles import EngineCandle, merge_candles
from kalshi_tui.practice.engine.list_filter import EVERYTHING, ListFilter
from kalshi_tui.practice.engine.model import EngineAccount, EngineOrder
from kalshi_tui.practice.engine.order_book import PriceLevels
from kalshi_tui.practice.engine.records import (
    BalanceRecord,
    FillRecord,
    OrderRecord,
    OrderStatus,
    PositionRecord,
    QueuePositionRecord,
    SettlementRecord,
    TradeRecord,
)
from kalshi_tui.practice.engine.rejection import Rejection, not_found
from kalshi_tui.practice.engine.state import EngineState


class Queries:
    """Answers from the engine's state as it is now."""

    def __init__(self, state: EngineState) -> None:
        self._ledger = state.ledger
        self._markets = state.markets

    # -- an account --------------------------------------------------------------------------------------------------

    # Whose items: `ListFilter.subaccount` names one of the member's accounts, without it they are those of all.

    def orders(self, member_id: str, wanted: ListFilter = EVERYTHING) -> Iterator[OrderRecord]:
        """Return a member's orders, newest first; the times filter on creation."""
        lists = (self._orders_of(account, wanted) for account in self._ledger.members(member_id, wanted.subaccount))
        return heapq.merge(*lists, key=lambda each: each.created_ms, reverse=True)

    def _orders_of(self, account: EngineAccount, wanted: ListFilter) -> Iterator[OrderRecord]:
        pool = account.resting_orders if wanted.status is OrderStatus.RESTING else account.orders
        for order in reversed(pool.values()):
            listing = order.listing
            if wanted.matches(
                listing.ticker,
                listing.terms.event_ticker,
                status=order.status,
                ts_ms=order.created_ms,
                exchange_index=listing.shard,
            ):
                yield order.to_record()

    def order(self, member_id: str, order_id: str, subaccount: int | None = None) -> OrderRecord:
        """Return one order, resting or not. Raises Rejection 404."""
        return self._find_order(member_id, order_id, subaccount).to_record()

    def _find_order(self, member_id: str, order_id: str, subaccount: int | None) -> EngineOrder:
        for account in self._ledger.members(member_id, subaccount):
            order = account.orders.get(order_id)
            if order is not None:
                return order
        raise not_found("order not found")

    def queue_position(self, member_id: str, order_id: str, subaccount: int | None = None) -> QueuePositionRecord:
        """Return what must trade before an order does. Raises Rejection 404 for one that does not rest."""
        order = self._find_order(member_id, order_id, subaccount)
        if not order.is_resting:
            raise not_found("order is not resting")
        return _queue_position(order)

    def queue_positions(self, member_id: str, wanted: ListFilter = EVERYTHING) -> list[QueuePositionRecord]:
        """Return the queue positions of all resting orders, or of those in some markets or an event."""
        return [
            _queue_position(order)
            for account in self._ledger.members(member_id, wanted.subaccount)
            for order in account.resting_orders.values()
            if wanted.matches(order.listing.ticker, order.listing.terms.event_ticker)
        ]

    def positions(self, member_id: str, wanted: ListFilter = EVERYTHING) -> list[PositionRecord]:
        """Return what a member holds or has traded in markets that are not settled, by subaccount and ticker."""
        return [
            holding.to_record()
            for account in self._ledger.members(member_id, wanted.subaccount)
            for ticker, holding in sorted(account.holdings.items())
            if (holding.total_traded or holding.position)
            and wanted.matches(ticker, holding.listing.terms.event_ticker, exchange_index=holding.listing.shard)
        ]

    def settled_positions(self, member_id: str, wanted: ListFilter = EVERYTHING) -> list[PositionRecord]:
        """Return what a member held or traded in markets that have settled, by ticker."""
        return [
            each
            for account in self._ledger.members(member_id, wanted.subaccount)
            for ticker, each in sorted(account.settled_positions.items())
            if wanted.matches(ticker, each.event_ticker, exchange_index=each.exchange_index)
        ]

    def fills(self, member_id: str, wanted: ListFilter = EVERYTHING) -> Iterator[FillRecord]:
        """Return a member's fills, newest first."""
        lists = (reversed(account.fills) for account in self._ledger.members(member_id, wanted.subaccount))
        for fill in heapq.merge(*lists, key=lambda each: each.ts_ms, reverse=True):
            if wanted.matches(
                fill.ticker, order_id=fill.order_id, ts_ms=fill.ts_ms, exchange_index=fill.exchange_index
            ):
                yield fill

    def settlements(self, member_id: str, wanted: ListFilter = EVERYTHING) -> Iterator[SettlementRecord]:
        """Return what settled markets have paid a member, newest first."""
        lists = (reversed(account.settlements) for account in self._ledger.members(member_id, wanted.subaccount))
        for each in heapq.merge(*lists, key=lambda each: each.ts_ms, reverse=True):
            if wanted.matches(each.ticker, each.event_ticker, ts_ms=each.ts_ms, exchange_index=each.exchange_index):
                yield each

    def balance(self, member_id: str, subaccount: int = 0) -> BalanceRecord:
        """Return a subaccount's buying power by shard, and its positions valued at each market's mark."""
        account = self._ledger.subaccount(member_id, subaccount)
        worth: dict[int, Money] = dict.fromkeys(account.cash, 0)
        for holding in account.holdings.values():
            if holding.position:
                worth[holding.listing.shard] += _position_value(holding.position, holding.listing.mark_price())
        return BalanceRecord(
            available={shard: account.available(shard) for shard in account.cash},
            held=dict(account.held),
            portfolio_value=sum(worth.values()),
            portfolio_by_index=worth,
            updated_ms=account.updated_ms,
        )

    def resting_order_value(self, member_id: str, subaccount: int | None = None) -> dict[int, Money]:
        """Return what all resting orders would cost at their prices, for each shard."""
        value = dict.fromkeys(self._ledger.account(member_id).cash, 0)
        for account in self._ledger.members(member_id, subaccount):
            for order in account.resting_orders.values():
                value[order.listing.shard] += order.outcome_price * order.remaining
        return value

    # -- a market ----------------------------------------------------------------------------------------------------

    def book(self, ticker: str, depth: int = 0) -> tuple[PriceLevels, PriceLevels]:
        """Return YES bids and NO bids as published; ascending, the best ``depth`` (0 for all). Raises Rejection 404."""
        return self._markets.listing(ticker).levels(depth)

    def trades(self, ticker: str = "", wanted: ListFilter = EVERYTHING) -> Iterator[TradeRecord]:
        """Return public trades, newest first, of one market or (the last few thousand) of all. Raises Rejection 404."""
        tape = self._markets.listing(ticker).tape if ticker else self._markets.tape
        for trade in reversed(tape):
            if wanted.matches(trade.ticker, ts_ms=trade.ts_ms):
                yield trade

    def candlesticks(
        self, ticker: str, start_ms: int, end_ms: int, period_minutes: int, *, latest_before: bool = False
    ) -> list[EngineCandle]:
        """Return the candles whose end lies within the times, oldest first; periods without news are left out.

        ``latest_before`` puts what held before the start in front, as a candle without trades.
        Raises Rejection 404 for an unknown market, 400 for a period other than 1, 60 or 1440 minutes.
        """
        if period_minutes not in {1, 60, 1440}:
            raise Rejection(400, "bad_request", "bad request", "period_interval must be 1, 60 or 1440")
        listing = self._markets.listing(ticker)
        period = period_minutes * 60_000
        wanted = [each for each in listing.candles.all_candles() if start_ms - period < each.end_ms <= end_ms + period]
        found = [each for each in merge_candles(wanted, period) if start_ms <= each.end_ms <= end_ms]
        before = [each for each in listing.candles.all_candles() if each.end_ms < start_ms] if latest_before else []
        return [before[-1].carry_forward((start_ms // period + 1) * period), *found] if before else found


def _position_value(position: int, mark: Price) -> Money:
    return position * mark if position >= 0 else -position * (PRICE_UNIT - mark)


def _queue_position(order: EngineOrder) -> QueuePositionRecord:
    ahead = order.listing.book.sides[order.side].count_ahead_of(order)
    return QueuePositionRecord(order.order_id, order.listing.ticker, ahead)
