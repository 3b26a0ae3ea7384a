"""`Finder`: find a market among tens of thousands, by words or from series to event to market."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from kalshi_tui.domain.combo_legs import ComboCollection
from kalshi_tui.domain.market import Market, Quote
from kalshi_tui.domain.price import Count
from kalshi_tui.domain.text import market_text
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    line,
    right_align,
)
from kalshi_tui.presentation.names import ENDED_STATUSES
from kalshi_tui.presentation.number_text import price_decimals, price_text, short_count_text
from kalshi_tui.session.store import Store
from kalshi_tui.ui.market_list.view import MarketIndex, MarketSort, current_quote

TICKER_PATTERN: Final = re.compile(r"[A-Z0-9][A-Z0-9._-]*", re.IGNORECASE)
MIN_TICKER_LENGTH: Final = 3
MAX_ROWS: Final = 300
"""The most rows that are built; a trader who needs more types another word."""
VOLUME_WIDTH: Final = 10


class Question(Enum):
    """What the exchange can be asked for."""

    TICKER = "ticker"
    COLLECTIONS = "collections"
    COMBOS = "combos"


@dataclass(frozen=True, slots=True)
class FinderRow:
    """A series, an event or a market. ``markets`` are those in it; the row of a market has that one."""

    key: str
    name: str
    markets: tuple[str, ...]
    is_market: bool = False
    question: Question | None = None
    """What the exchange is asked for this row, if it stands for something that the list lacks."""
    volume: Count | None = 0
    """Contracts traded in 24 hours."""


COMBOS_ROW: Final = FinderRow(
    "combos", "Combos: ask the exchange for their collections", (), question=Question.COLLECTIONS
)


@dataclass(frozen=True, slots=True)
class _Level:
    """An opened level of the tree: its name and its rows."""

    name: str
    rows: tuple[FinderRow, ...]


class Finder:
    """Holds the level that is shown, and finds its rows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._market_index = MarketIndex(store, MarketSort.LISTED)
        self._levels = [_Level("all series", (*self._series_rows(), COMBOS_ROW))]

    @property
    def path_text(self) -> str:
        """The place in the tree: ``all series > FED > Fed decision``."""
        return " > ".join(place.name for place in self._levels)

    def find_rows(self, text: str) -> list[FinderRow]:
        """Return the rows that match what is typed: of this level, or at the top level of all markets."""
        words = text.lower().split()
        if words and len(self._levels) == 1:
            found = sorted(self._market_index.find(words), key=self._sort_key)
            return [self._market_row(ticker) for ticker in found[:MAX_ROWS]] + [
                FinderRow(name, f"{name}: ask the exchange for this ticker", (), question=Question.TICKER)
                for name in self._unlisted_tickers(words)
            ]
        here = self._levels[-1].rows
        return [row for row in here if all(word in f"{row.key} {row.name}".lower() for word in words)][:MAX_ROWS]

    def _sort_key(self, ticker: str) -> tuple[bool, int]:
        """Order markets by the figure that their rows show; those that are over come last."""
        market = self._store.markets.get(ticker)
        over = market is not None and market.status in ENDED_STATUSES
        return over, -(self._quote(ticker).volume_24h or 0)

    def go_into(self, row: FinderRow) -> str:
        """Open a row: go one level down, or return the ticker if it is a market; else an empty text."""
        if row.is_market:
            return row.key
        if len(self._levels) == 1:
            self._push_level(row.key, self._event_rows(row.markets))
            if len(self._levels[-1].rows) > 1:
                return ""
            # A series with one event opens that event at once: a list of one row would only cost a key.
            row = self._levels.pop().rows[0]
        self._push_level(row.name, [self._market_row(ticker) for ticker in row.markets])
        return ""

    def show_found(self, name: str, tickers: Sequence[str]) -> None:
        """Go to a level with these markets, which the exchange has under a ticker."""
        self._push_level(name, [self._market_row(ticker) for ticker in tickers])

    def show_collections(self, collections: Sequence[ComboCollection]) -> None:
        """Go to a level with these collections of combos."""
        rows = [
            FinderRow(
                each.ticker,
                f"{each.ticker}  {each.title}, {len(each.event_tickers):,} events, {_sizes_text(each)}",
                (),
                question=Question.COMBOS,
            )
            for each in collections
        ]
        self._push_level("combos", rows)

    def _unlisted_tickers(self, words: Sequence[str]) -> list[str]:
        """Return what is typed as a ticker, if it can be one that the list lacks."""
        name = words[0].upper()
        can_be = len(words) == 1 and len(name) >= MIN_TICKER_LENGTH and TICKER_PATTERN.fullmatch(name)
        return [name] if can_be and name not in self._store.markets else []

    def go_up(self) -> bool:
        """Go one level up; return whether there was one."""
        if len(self._levels) == 1:
            return False
        self._levels.pop()
        return True

    def _push_level(self, name: str, rows: Sequence[FinderRow]) -> None:
        self._levels.append(_Level(name, tuple(rows)))

    def _quote(self, ticker: str) -> Quote:
        return self._store.quotes.get(ticker) or Quote()

    def _series_rows(self) -> list[FinderRow]:
        events, groups = self._store.events, dict[str, list[Market]]()
        for market in self._store.markets.values():
            event = events.get(market.event_ticker)
            series = event.series_ticker if event is not None else ""
            groups.setdefault(series or market.ticker.partition("-")[0], []).append(market)
        rows = []
        for key, markets in groups.items():
            event = events.get(markets[0].event_ticker)
            name = f"{event.category}: {event.title}" if event is not None and event.category else markets[0].title
            rows.append(self._make_row(key, name, markets))
        return sorted(rows, key=lambda row: -(row.volume or 0))

    def _event_rows(self, tickers: Sequence[str]) -> list[FinderRow]:
        groups: dict[str, list[Market]] = {}
        for ticker in tickers:
            market = self._store.markets.get(ticker)
            if market is not None:
                groups.setdefault(market.event_ticker, []).append(market)
        rows = []
        for key, markets in groups.items():
            event = self._store.events.get(key)
            rows.append(self._make_row(key, (event.title if event is not None else "") or markets[0].title, markets))
        return sorted(rows, key=lambda row: -(row.volume or 0))

    def _make_row(self, key: str, name: str, markets: Sequence[Market]) -> FinderRow:
        volumes = [self._quote(market.ticker).volume_24h for market in markets]
        volume = sum(each for each in volumes if each is not None) if None not in volumes else None
        return FinderRow(key, name or key, tuple(market.ticker for market in markets), volume=volume)

    def _market_row(self, ticker: str) -> FinderRow:
        market = self._store.markets.get(ticker)
        name = market_text(market) if market is not None else ticker
        return FinderRow(ticker, name, (ticker,), is_market=True, volume=self._quote(ticker).volume_24h)


def _sizes_text(collection: ComboCollection) -> str:
    least, most = collection.size_min, collection.size_max
    if least is None and most is None:
        return "any number of legs"
    if least == most:
        return f"{least} legs"
    return f"{'' if least is None else f'{least} '}to {most} legs" if most is not None else f"{least} legs or more"


def finder_row_line(store: Store, row: FinderRow, width: int) -> Line:
    """Return the line of a row: a market's quote, or the number of markets in an event or series; and the volume."""
    if row.question is not None:
        return line(Span(fit(row.name, width), Tone.DIM))
    volume = Span(right_align(short_count_text(row.volume), VOLUME_WIDTH), Tone.DIM)
    if not row.is_market:
        many = f"{len(row.markets):,} market{'s' if len(row.markets) != 1 else ' '}"
        key = fit(row.key, min(26, width // 3)) + " "
        name = fit(row.name, max(width - len(key) - 2 * VOLUME_WIDTH - 4, 8))
        return line(Span(key, Tone.HEAD), name, Span(right_align(many, VOLUME_WIDTH + 4), Tone.DIM), volume)
    quote, market = current_quote(store, row.key), store.markets.get(row.key)
    decimals = price_decimals(market.grid) if market is not None else 2
    prices = [(quote.yes_bid, Tone.BID), (quote.yes_ask, Tone.ASK)]
    cells = [
        Span(right_align(price_text(price, decimals), 8), tone if price is not None else Tone.DIM)
        for price, tone in prices
    ]
    return line(fit(row.name, max(width - 16 - VOLUME_WIDTH, 8)), *cells, volume)


def finder_heading(rows: Sequence[FinderRow], width: int) -> Line:
    """Return the column headings of the rows."""
    last = right_align("24 h", VOLUME_WIDTH)
    if rows and rows[0].is_market:
        return line(Span(fit("market", max(width - 16 - VOLUME_WIDTH, 8)) + f"{'bid':>8}{'ask':>8}" + last, Tone.HEAD))
    return line(Span(fit("series or event", max(width - VOLUME_WIDTH, 8)) + last, Tone.HEAD))
