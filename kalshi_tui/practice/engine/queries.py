"""Reading the exchange: all that the portfolio and market endpoints need. Nothing here changes anything."""

from collections.abc import Collection, Iterator

from kalshi_tui.domain.price import PRICE_UNIT, Money, Price
from kalshi_tui.practice.engine.candles import EngineCandle, merge_candles
from kalshi_tui.practice.engine.core import Core
from kalshi_tui.practice.engine.listing import ListedMarket
from kalshi_tui.practice.engine.order_book import PriceLevels
from kalshi_tui.practice.engine.orders import EngineOrder
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
from kalshi_tui.practice.engine.terms import EventDefinition


class Queries(Core):
    """The core with its reading side."""

    # -- an account --------------------------------------------------------------------------------------------------

    def orders(
        self,
        account_id: str,
        *,
        ticker: str = "",
        event_tickers: Collection[str] = (),
        status: OrderStatus | None = None,
        min_ms: int | None = None,
        max_ms: int | None = None,
        exchange_index: int | None = None,
    ) -> Iterator[OrderRecord]:
        """Return an account's orders, newest first; the times filter on creation."""
        account = self.account(account_id)
        pool = account.resting_orders if status is OrderStatus.RESTING else account.orders
        for order in reversed(pool.values()):
            if (
                (status is None or order.status is status)
                and (not ticker or order.listing.ticker == ticker)
                and (not event_tickers or order.listing.terms.event_ticker in event_tickers)
                and (min_ms is None or order.created_ms >= min_ms)
                and (max_ms is None or order.created_ms <= max_ms)
                and (exchange_index is None or order.listing.shard == exchange_index)
            ):
                yield order.to_record()

    def order(self, account_id: str, order_id: str) -> OrderRecord:
        """Return one order, resting or not. Raises Refusal 404."""
        return self._find_order(account_id, order_id).to_record()

    def _find_order(self, account_id: str, order_id: str) -> EngineOrder:
        order = self.account(account_id).orders.get(order_id)
        if order is None:
            raise not_found("order not found")
        return order

    def queue_position(self, account_id: str, order_id: str) -> QueuePositionRecord:
        """Return what must trade before an order does. Raises Refusal 404 for one that does not rest."""
        order = self._find_order(account_id, order_id)
        if not order.is_resting:
            raise not_found("order is not resting")
        return _queue_position(order)

    def queue_positions(
        self, account_id: str, *, tickers: Collection[str] = (), event_ticker: str = ""
    ) -> list[QueuePositionRecord]:
        """Return the queue positions of all resting orders, or of those in some markets or an event."""
        return [
            _queue_position(order)
            for order in self.account(account_id).resting_orders.values()
            if (not tickers or order.listing.ticker in tickers)
            and (not event_ticker or order.listing.terms.event_ticker == event_ticker)
        ]

    def positions(
        self, account_id: str, *, ticker: str = "", event_ticker: str = "", exchange_index: int | None = None
    ) -> list[PositionRecord]:
        """Return what an account holds or has traded in markets that are not settled, by ticker."""
        holdings = self.account(account_id).holdings
        return [
            holding.to_record()
            for _, holding in sorted(holdings.items())
            if (holding.total_traded or holding.position)
            and (not ticker or holding.listing.ticker == ticker)
            and (not event_ticker or holding.listing.terms.event_ticker == event_ticker)
            and (exchange_index is None or holding.listing.shard == exchange_index)
        ]

    def fills(
        self,
        account_id: str,
        *,
        ticker: str = "",
        order_id: str = "",
        min_ms: int | None = None,
        max_ms: int | None = None,
        exchange_index: int | None = None,
    ) -> Iterator[FillRecord]:
        """Return an account's fills, newest first."""
        for fill in reversed(self.account(account_id).fills):
            if (
                (not ticker or fill.ticker == ticker)
                and (not order_id or fill.order_id == order_id)
                and (min_ms is None or fill.ts_ms >= min_ms)
                and (max_ms is None or fill.ts_ms <= max_ms)
                and (exchange_index is None or fill.exchange_index == exchange_index)
            ):
                yield fill

    def settlements(
        self,
        account_id: str,
        *,
        ticker: str = "",
        event_ticker: str = "",
        min_ms: int | None = None,
        max_ms: int | None = None,
    ) -> Iterator[SettlementRecord]:
        """Return what settled markets have paid an account, newest first."""
        for each in reversed(self.account(account_id).settlements):
            if (
                (not ticker or each.ticker == ticker)
                and (not event_ticker or each.event_ticker == event_ticker)
                and (min_ms is None or each.ts_ms >= min_ms)
                and (max_ms is None or each.ts_ms <= max_ms)
            ):
                yield each

    def balance(self, account_id: str) -> BalanceRecord:
        """Return an account's buying power by shard, and its positions valued at each market's mark."""
        account = self.account(account_id)
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
        account = self.account(account_id)
        value = dict.fromkeys(account.cash, 0)
        for order in account.resting_orders.values():
            value[order.listing.shard] += order.outcome_price * order.remaining
        return value

    # -- the market --------------------------------------------------------------------------------------------------

    def markets(self) -> Iterator[ListedMarket]:
        """Return every market that can be seen: the liveliest first, settled ones last."""
        now = self._clock_ms()
        return (each for each in self.ranked_listings if each.visible_ms <= now)

    def events(self) -> Iterator[EventDefinition]:
        """Return every event with a market that can be seen, in the order of their first markets."""
        seen = dict.fromkeys(listing.terms.event_ticker for listing in self.markets())
        return (self.events_by_ticker[ticker] for ticker in seen)

    def book(self, ticker: str, depth: int = 0) -> tuple[PriceLevels, PriceLevels]:
        """Return YES bids and NO bids as published; ascending, the best ``depth`` (0 for all). Raises Refusal 404."""
        return self.listing(ticker).levels(depth)

    def trades(
        self, ticker: str = "", *, min_ms: int | None = None, max_ms: int | None = None
    ) -> Iterator[TradeRecord]:
        """Return public trades, newest first, of one market or (the last few thousand) of all. Raises Refusal 404."""
        tape = self.listing(ticker).tape if ticker else self.tape
        for trade in reversed(tape):
            if (min_ms is None or trade.ts_ms >= min_ms) and (max_ms is None or trade.ts_ms <= max_ms):
                yield trade

    def candlesticks(
        self, ticker: str, start_ms: int, end_ms: int, period_minutes: int, *, latest_before: bool = False
    ) -> list[EngineCandle]:
        """Return the candles whose end lies within the times, oldest first; periods without any news are left out.

        ``latest_before`` puts what held before the start in front, as a candle without trades.
        Raises Refusal 404 for an unknown market, 400 for a period other than 1, 60 or 1440 minutes.
        """
        if period_minutes not in {1, 60, 1440}:
            raise Rejection(400, "bad_request", "bad request", "period_interval must be 1, 60 or 1440")
        listing = self.listing(ticker)
        period = period_minutes * 60_000
        wanted = [each for each in listing.candles.all_candles() if start_ms - period < each.end_ms <= end_ms + period]
        found = [each for each in merge_candles(wanted, period) if start_ms <= each.end_ms <= end_ms]
        before = [each for each in listing.candles.all_candles() if each.end_ms < start_ms] if latest_before else []
        return [before[-1].carry_forward((start_ms // period + 1) * period), *found] if before else found

    # -- the whole ---------------------------------------------------------------------------------------------------

    def total_money(self, shard: int) -> Money:
        """Return all money on a shard: cash, fees, escrow. Always equal to what was ever deposited there."""
        cash = sum(account.cash.get(shard, 0) for account in self.accounts.values())
        return cash + self.collected_fees[shard] + self.escrow[shard]


def _position_value(position: int, mark: Price) -> Money:
    return position * mark if position >= 0 else -position * (PRICE_UNIT - mark)


def _queue_position(order: EngineOrder) -> QueuePositionRecord:
    ahead = order.listing.book.sides[order.side].count_ahead_of(order)
    return QueuePositionRecord(order.order_id, order.listing.ticker, ahead)
