"""Reading the exchange: all that the portfolio and market endpoints need. Nothing here changes anything."""

from collections.abc import Iterator

from kalshi_tui.domain.price import PRICE_UNIT, Money, Price
from kalshi_tui.practice.engine.candles import EngineCandle, merge_candles
from kalshi_tui.practice.engine.list_filter import EVERYTHING, ListFilter
from kalshi_tui.practice.engine.model import EngineOrder
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

    def orders(self, account_id: str, wanted: ListFilter = EVERYTHING) -> Iterator[OrderRecord]:
        """Return an account's orders, newest first; the times filter on creation."""
        account = self._ledger.account(account_id)
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

    def order(self, account_id: str, order_id: str) -> OrderRecord:
        """Return one order, resting or not. Raises Rejection 404."""
        return self._find_order(account_id, order_id).to_record()

    def _find_order(self, account_id: str, order_id: str) -> EngineOrder:
        order = self._ledger.account(account_id).orders.get(order_id)
        if order is None:
            raise not_found("order not found")
        return order

    def queue_position(self, account_id: str, order_id: str) -> QueuePositionRecord:
        """Return what must trade before an order does. Raises Rejection 404 for one that does not rest."""
        order = self._find_order(account_id, order_id)
        if not order.is_resting:
            raise not_found("order is not resting")
        return _queue_position(order)

    def queue_positions(self, account_id: str, wanted: ListFilter = EVERYTHING) -> list[QueuePositionRecord]:
        """Return the queue positions of all resting orders, or of those in some markets or an event."""
        return [
            _queue_position(order)
            for order in self._ledger.account(account_id).resting_orders.values()
            if wanted.matches(order.listing.ticker, order.listing.terms.event_ticker)
        ]

    def positions(self, account_id: str, wanted: ListFilter = EVERYTHING) -> list[PositionRecord]:
        """Return what an account holds or has traded in markets that are not settled, by ticker."""
        return [
            holding.to_record()
            for ticker, holding in sorted(self._ledger.account(account_id).holdings.items())
            if (holding.total_traded or holding.position)
            and wanted.matches(ticker, holding.listing.terms.event_ticker, exchange_index=holding.listing.shard)
        ]

    def fills(self, account_id: str, wanted: ListFilter = EVERYTHING) -> Iterator[FillRecord]:
        """Return an account's fills, newest first."""
        for fill in reversed(self._ledger.account(account_id).fills):
            if wanted.matches(
                fill.ticker, order_id=fill.order_id, ts_ms=fill.ts_ms, exchange_index=fill.exchange_index
            ):
                yield fill

    def settlements(self, account_id: str, wanted: ListFilter = EVERYTHING) -> Iterator[SettlementRecord]:
        """Return what settled markets have paid an account, newest first."""
        for each in reversed(self._ledger.account(account_id).settlements):
            if wanted.matches(each.ticker, each.event_ticker, ts_ms=each.ts_ms, exchange_index=each.exchange_index):
                yield each

    def balance(self, account_id: str) -> BalanceRecord:
        """Return an account's buying power by shard, and its positions valued at each market's mark."""
        account = self._ledger.account(account_id)
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

    def resting_order_value(self, account_id: str) -> dict[int, Money]:
        """Return what all resting orders would cost at their prices, for each shard."""
        account = self._ledger.account(account_id)
        value = dict.fromkeys(account.cash, 0)
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
