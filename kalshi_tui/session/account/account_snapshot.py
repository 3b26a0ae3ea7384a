"""What the account is worth at this moment: the one source of every such figure on the screen.

Positions, totals and the day are drawn from one `AccountSnapshot`, and the header from the same values, so that they
agree to the cent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kalshi_tui.domain.day_gain import ClosedToday, DayGain
from kalshi_tui.domain.link import Link, LinkState
from kalshi_tui.domain.order import Order
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Money
from kalshi_tui.domain.valuation import PositionsTotal, PositionValue, ValuedPosition, value_position
from kalshi_tui.session.account.day_ledger import DayLedger
from kalshi_tui.session.account.store import AccountStore
from kalshi_tui.session.market_data.store import MarketDataStore

CACHE_CAPACITY = 1_000
"""How many values are kept; more positions than these are valued at each look."""


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """The positions in view with their values, all of one moment."""

    held: tuple[ValuedPosition, ...]
    """By ticker and subaccount."""
    total: PositionsTotal
    """The sums over all of them and over what was closed today."""
    day: DayGain | None
    """What this day has brought in all subaccounts, by the same values; None while it has not been read."""
    closed: tuple[ClosedToday, ...] = ()
    """What was closed today of the positions in view; it is in the sums."""


class AccountValuation:
    """Values positions by what the store knows now."""

    def __init__(
        self,
        account: AccountStore,
        market_data: MarketDataStore,
        ledger: DayLedger,
        connection: Callable[[], Link],
    ) -> None:
        self._account = account
        self._market_data = market_data
        self._ledger = ledger
        self._connection = connection
        self._cache: dict[tuple[str, Count], tuple[tuple[object, ...], PositionValue | None]] = {}

    def snapshot(self) -> AccountSnapshot:
        """Return the account as it is at this moment."""
        own = self._live_orders()
        held = self._held(own)
        day = self.day(own)
        view = self._account.view
        closed = tuple(each for each in (day.closed if day is not None else ()) if view.includes(each.key[1]))
        return AccountSnapshot(held, PositionsTotal.of(held, closed), day, closed)

    def total_held(self) -> PositionsTotal:
        """Return the sums over what is held in view, without the day: the header draws no more, in every frame."""
        return PositionsTotal.of(self._held(self._live_orders()))

    def _held(self, own: Mapping[str, tuple[Order, ...]]) -> tuple[ValuedPosition, ...]:
        return tuple(
            ValuedPosition(each, self._value(each.ticker, each.count, own.get(each.ticker, ())))
            for each in self._account.positions_in_view()
        )

    def day(self, own: Mapping[str, tuple[Order, ...]] | None = None) -> DayGain | None:
        """Return what this day has brought; ``own`` are the live orders by market, if they are at hand."""
        orders = self._live_orders() if own is None else own
        return self._ledger.gain(lambda ticker, count: self._money(ticker, count, orders.get(ticker, ())))

    def day_value(self, ticker: str, count: Count) -> Money | None:
        """Return what a signed count is worth in the day's account; None while that is not known."""
        return self._money(ticker, count, self._live_orders().get(ticker, ()))

    def _money(self, ticker: str, count: Count, own: tuple[Order, ...]) -> Money | None:
        worth = self._value(ticker, count, own)
        if worth is None or worth.value is None:
            return None
        # What a settlement floor has paid is no fill: the day counts a YES by its whole price.
        market = self._market_data.markets[ticker]
        return worth.value + max(count, 0) * (market.settlement_floor or 0)

    def value_of(self, position: Position) -> ValuedPosition:
        """Return one position with its value."""
        own = self._live_orders().get(position.ticker, ())
        return ValuedPosition(position, self._value(position.ticker, position.count, own))

    def _live_orders(self) -> dict[str, tuple[Order, ...]]:
        found: dict[str, tuple[Order, ...]] = {}
        for order in self._account.orders.values():
            if not order.state.final:
                found[order.ticker] = (*found.get(order.ticker, ()), order)
        return found

    def _value(self, ticker: str, count: Count, own: tuple[Order, ...]) -> PositionValue | None:
        data = self._market_data
        market, live, quote = data.markets.get(ticker), data.books.get(ticker), data.quotes.get(ticker)
        if market is None or not count:
            return None
        # Prices are as old as the link's last frame. What a result pays does not depend on them.
        is_live = self._connection().state is LinkState.LIVE
        book = live.book if is_live and live is not None and live.is_good else None
        precision = self._account.precision
        seen = (market, book and book.version, quote if is_live and book is None else None, own, precision, is_live)
        known = self._cache.get((ticker, count))
        if known is not None and known[0] == seen:
            return known[1]
        value = value_position(market, count, book=book, quote=quote if is_live else None, own=own, precision=precision)
        if len(self._cache) >= CACHE_CAPACITY:
            self._cache.clear()
        self._cache[ticker, count] = seen, value
        return value
