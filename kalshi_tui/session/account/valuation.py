"""What the account is worth at this moment: the one source of every such figure on the screen.

Header, positions, totals and the day are drawn from one `AccountSnapshot`, so that they agree to the cent.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kalshi_tui.domain.link import Link, LinkState
from kalshi_tui.domain.order import Order
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count
from kalshi_tui.domain.valuation import PositionsTotal, PositionValue, ValuedPosition, value_position
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
    """The sums over all of them."""


class AccountValuation:
    """Values positions by what the store knows now."""

    def __init__(self, account: AccountStore, market_data: MarketDataStore, connection: Callable[[], Link]) -> None:
        self._account = account
        self._market_data = market_data
        self._connection = connection
        self._cache: dict[tuple[str, Count], tuple[tuple[object, ...], PositionValue | None]] = {}

    def snapshot(self) -> AccountSnapshot:
        """Return the account as it is at this moment."""
        own = self._live_orders()
        held = tuple(
            ValuedPosition(each, self._value(each.ticker, each.count, own.get(each.ticker, ())))
            for each in self._account.positions_in_view()
        )
        return AccountSnapshot(held, PositionsTotal.of(held))

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
