"""Going to a market among tens of thousands: by words, or from series to event to market. Pure but for its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kalshi_tui.domain.market import Market, Quote
from kalshi_tui.domain.price import Count
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    line,
    right,
)
from kalshi_tui.presentation.numbers import decimals_of, price_text, short_count
from kalshi_tui.session.store import Store
from kalshi_tui.ui.market_list.view import (
    Listed,
    Sort,
    market_label,
    touch,
)

MOST_ROWS: Final = 300
"""Rows that are made; who sees more needs another word."""
FIGURES: Final = 10


@dataclass(frozen=True, slots=True)
class Row:
    """A series, an event or a market to go to. ``markets`` are those behind it; a market's row has itself."""

    key: str
    name: str
    markets: tuple[str, ...]
    is_market: bool = False
    volume: Count = 0
    """Contracts traded in 24 hours."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A level that has been gone into: its name and its rows."""

    name: str
    rows: tuple[Row, ...]


class Finder:
    """Knows the level that is shown and finds its rows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listed = Listed(store, Sort.VOLUME)
        self._way = [_Place("all series", tuple(self._series()))]

    @property
    def way(self) -> str:
        """Say where one is: ``all series > FED > Fed decision``."""
        return " > ".join(place.name for place in self._way)

    def rows(self, text: str) -> list[Row]:
        """Give the rows for what is typed: of this level, but at the top any market that has the words."""
        words = text.lower().split()
        here = self._way[-1].rows
        if words and len(self._way) == 1:
            return [self._market(ticker) for ticker in self._listed.having(words)[:MOST_ROWS]]
        found = [row for row in here if all(word in f"{row.key} {row.name}".lower() for word in words)]
        return found[:MOST_ROWS]

    def go_into(self, row: Row) -> str:
        """Go one level down; give the ticker where there is none below."""
        if row.is_market:
            return row.key
        if len(self._way) == 1:
            self._go(row.key, self._events(row.markets))
            if len(self._way[-1].rows) > 1:
                return ""
            # A series with one event is gone through at once.
            row = self._way.pop().rows[0]
        self._go(row.name, [self._market(ticker) for ticker in row.markets])
        return ""

    def back(self) -> bool:
        """Go one level up; say whether there was one."""
        if len(self._way) == 1:
            return False
        self._way.pop()
        return True

    def _go(self, name: str, rows: Sequence[Row]) -> None:
        self._way.append(_Place(name, tuple(rows)))

    def _quote(self, ticker: str) -> Quote:
        return self._store.quotes.get(ticker) or Quote()

    def _series(self) -> list[Row]:
        events, groups = self._store.events, dict[str, list[Market]]()
        for market in self._store.markets.values():
            event = events.get(market.event_ticker)
            series = event.series_ticker if event is not None else ""
            groups.setdefault(series or market.ticker.partition("-")[0], []).append(market)
        rows = []
        for key, markets in groups.items():
            event = events.get(markets[0].event_ticker)
            name = f"{event.category}: {event.title}" if event is not None and event.category else markets[0].title
            rows.append(self._row(key, name, markets))
        return sorted(rows, key=lambda row: -row.volume)

    def _events(self, tickers: Sequence[str]) -> list[Row]:
        groups: dict[str, list[Market]] = {}
        for ticker in tickers:
            market = self._store.markets.get(ticker)
            if market is not None:
                groups.setdefault(market.event_ticker, []).append(market)
        rows = []
        for key, markets in groups.items():
            event = self._store.events.get(key)
            rows.append(self._row(key, (event.title if event is not None else "") or markets[0].title, markets))
        return sorted(rows, key=lambda row: -row.volume)

    def _row(self, key: str, name: str, markets: Sequence[Market]) -> Row:
        volume = sum(self._quote(market.ticker).volume_24h for market in markets)
        return Row(key, name or key, tuple(market.ticker for market in markets), volume=volume)

    def _market(self, ticker: str) -> Row:
        market = self._store.markets.get(ticker)
        name = market_label(market) if market is not None else ticker
        return Row(ticker, name, (ticker,), is_market=True, volume=self._quote(ticker).volume_24h)


def row_line(store: Store, row: Row, width: int) -> Line:
    """Draw a row: of a market its quote, of an event or series how many markets it has; and what traded in a day."""
    volume = Span(right(short_count(row.volume), FIGURES), Tone.DIM)
    if not row.is_market:
        many = f"{len(row.markets):,} market{'s' if len(row.markets) != 1 else ' '}"
        key = fit(row.key, min(26, width // 3)) + " "
        name = fit(row.name, max(width - len(key) - 2 * FIGURES - 4, 8))
        return line(Span(key, Tone.HEAD), name, Span(right(many, FIGURES + 4), Tone.DIM), volume)
    quote, market = touch(store, row.key), store.markets.get(row.key)
    decimals = decimals_of(market.grid) if market is not None else 2
    prices = [(quote.yes_bid, Tone.BID), (quote.yes_ask, Tone.ASK)]
    cells = [
        Span(right(price_text(price, decimals), 8), tone if price is not None else Tone.DIM) for price, tone in prices
    ]
    return line(fit(row.name, max(width - 16 - FIGURES, 8)), *cells, volume)


def heading(rows: Sequence[Row], width: int) -> Line:
    """Name the columns of the rows."""
    last = right("24 h", FIGURES)
    if rows and rows[0].is_market:
        return line(Span(fit("market", max(width - 16 - FIGURES, 8)) + f"{'bid':>8}{'ask':>8}" + last, Tone.HEAD))
    return line(Span(fit("series or event", max(width - FIGURES, 8)) + last, Tone.HEAD))
