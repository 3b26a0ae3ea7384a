"""The market list as lines: the order of markets, the columns that fit, and one line a market. Pure functions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, overload

from kalshi_tui.domain.market import Market, Quote
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.domain.text import market_text
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    line,
)
from kalshi_tui.presentation.names import ENDED_STATUSES, market_status_text, short_label, unknown_market_text
from kalshi_tui.presentation.number_text import price_decimals
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.store import Store
from kalshi_tui.ui.market_list.columns import (
    MARKS_WIDTH,
    MarketColumns,
    MarketRow,
    row_cells,
)

NO_CLOSE_TIME: Final = 2**62
"""Later than any close."""


class MarketSort(Enum):
    """Orders of the list; the values are shown in its heading."""

    LISTED = ""
    VOLUME = "by volume"
    CHANGE = "by change"
    SPREAD = "by spread"
    CLOSE = "by close"

    @property
    def next_sort(self) -> "MarketSort":
        """The next one."""
        every = list(MarketSort)
        return every[(every.index(self) + 1) % len(every)]


def sorted_markets(
    store: Store, sort: MarketSort = MarketSort.LISTED, only: Sequence[str] | None = None
) -> list[tuple[str, Market]]:
    """Return the markets in an order of the list. Closed ones come last; equals stay as the exchange lists them.

    ``only`` are the tickers of a watch list: then equals stay as they are in it.
    """
    quotes, nothing = store.quotes, Quote()
    markets = store.markets
    every = markets.items() if only is None else [(each, markets[each]) for each in only if each in markets]

    def key(each: tuple[str, Market]) -> tuple[bool, int]:
        ticker, market = each
        over, quote = market.status in ENDED_STATUSES, quotes.get(ticker, nothing)
        if sort is MarketSort.VOLUME:
            # The figure that the column shows, or the order could not be seen to be one.
            return over, -(quote.volume or 0)
        if sort is MarketSort.CHANGE:
            return over, -abs(quote.change or 0)
        if sort is MarketSort.SPREAD:
            return over, PRICE_UNIT if quote.spread is None else quote.spread
        if sort is MarketSort.CLOSE:
            return over, market.expected_end_ms or NO_CLOSE_TIME
        return over, 0

    if only is not None and sort is MarketSort.LISTED:
        return list(every)
    return sorted(every, key=key)


class MarketIndex:
    """The markets in one order, with the texts that a filter searches: ticker, title, outcome and category."""

    def __init__(self, store: Store, sort: MarketSort, only: Sequence[str] | None = None) -> None:
        ordered = sorted_markets(store, sort, only)
        events = store.events
        self._search_texts = []
        for ticker, market in ordered:
            event = events.get(market.event_ticker)
            category = event.category if event is not None else ""
            self._search_texts.append((ticker, f"{ticker} {market_text(market)} {category}".lower()))
        if only is not None:
            self._add_unknown_tickers(only, in_place=sort is MarketSort.LISTED)
        self.decimals = max((price_decimals(market.grid) for _, market in ordered), default=2)
        """The most decimals that any price of the list needs."""

    def _add_unknown_tickers(self, only: Sequence[str], *, in_place: bool) -> None:
        """Add the watched tickers that the exchange does not know: each in its place, or all at the end."""
        known = dict(self._search_texts)
        self._search_texts += [(ticker, ticker.lower()) for ticker in only if ticker not in known]
        if in_place:
            places = {ticker: place for place, ticker in enumerate(only)}
            self._search_texts.sort(key=lambda each: places[each[0]])

    def find(self, words: Sequence[str]) -> list[str]:
        """Return the tickers of the markets that have all these words, which are in lower case."""
        if not words:
            return [ticker for ticker, _ in self._search_texts]
        first, *rest = sorted(words, key=len, reverse=True)
        found = [each for each in self._search_texts if first in each[1]]
        return [ticker for ticker, text in found if all(word in text for word in rest)]


class LazyLines(Sequence[Line]):
    """Lines that are built when they are shown: of tens of thousands a screen shows fifty.

    What was made is kept, so that the screen can tell what has changed.
    """

    def __init__(
        self, tickers: Sequence[str], draw: Callable[[str], Line], drawn: dict[int, Line] | None = None
    ) -> None:
        self._tickers = tickers
        self._draw = draw
        self._drawn_lines = drawn if drawn is not None else {}

    def invalidate(self, rows: Iterable[int]) -> "LazyLines":
        """Return the same lines, with those at ``places`` built again."""
        made = dict(self._drawn_lines)
        for place in rows:
            made.pop(place, None)
        return LazyLines(self._tickers, self._draw, made)

    def __len__(self) -> int:
        return len(self._tickers)

    @overload
    def __getitem__(self, place: int) -> Line: ...
    @overload
    def __getitem__(self, place: slice) -> list[Line]: ...
    def __getitem__(self, place: int | slice) -> Line | list[Line]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        made = self._drawn_lines.get(place)
        if made is None:
            made = self._drawn_lines[place] = self._draw(self._tickers[place])
        return made


def current_quote(store: Store, ticker: str) -> Quote:
    """Return a market's quote; bid and ask come from its book where that is good."""
    quote = store.quotes.get(ticker) or Quote()
    live = store.books.get(ticker)
    if live is None or not live.is_good:
        return quote
    bid, ask = live.book.best_bid(), live.book.best_ask()
    return Quote(
        yes_bid=bid.price if bid else None,
        yes_ask=ask.price if ask else None,
        yes_bid_size=bid.size if bid else 0,
        yes_ask_size=ask.size if ask else 0,
        last=quote.last,
        previous=quote.previous,
        last_size=quote.last_size,
        volume=quote.volume,
        volume_24h=quote.volume_24h,
        open_interest=quote.open_interest,
        ts_ms=quote.ts_ms,
    )


def market_list_heading(
    columns: MarketColumns,
    *,
    live: bool,
    name: str = "",
    sort: MarketSort = MarketSort.LISTED,
    reading: int | None = None,
) -> Line:
    """Return the column headings of `market_row_line`, and whether the values are only those last known.

    ``name`` is the watch list's, empty for all markets; ``reading`` is how many have been listed while that goes on.
    """
    words = f"{f'[{name}]' if name else 'market'} {sort.value}".rstrip() if live else "NOT LIVE: last known"
    if live and reading is not None:
        words = f"{words} {reading:,}..."
    words = fit(" " * (MARKS_WIDTH + 1) + words, columns.name + MARKS_WIDTH + 1)
    return line(Span(words, Tone.HEAD if live else Tone.WARN), *columns.headings())


def market_row_line(row: MarketRow, columns: MarketColumns) -> Line:
    """Return the line of one market."""
    market = row.market
    tradable = market.status.tradable
    if tradable:
        label = short_label(market, columns.name)
    else:
        word = f"{market_status_text(market)} "
        label = fit(word + short_label(market, max(columns.name - len(word), 0)), columns.name)
    return line(
        Span("*" if row.orders else " ", Tone.OWN),
        Span(_position_sign(row.position), Tone.OWN),
        Span(label, Tone.PLAIN if tradable else Tone.DIM),
        *row_cells(row, columns),
    )


def market_line(
    store: Store, ticker: str, columns: MarketColumns, orders: int, now_ms: int, flashes: Mapping[str, str]
) -> Line:
    """Return the line of a market in the store; ``orders`` are the trader's that may be live there."""
    market = store.markets.get(ticker)
    if market is None:
        return unknown_market_line(ticker, columns, unknown_market_text(store, ticker))
    past, position = store.sparklines.get(ticker, ()), store.positions.get(ticker)
    row = MarketRow(
        market,
        current_quote(store, ticker),
        past,
        position,
        orders,
        now_ms,
        flashes,
        positions_read=store.knows_position(ticker),
        orders_read=store.reads.have(AccountList.ORDERS),
    )
    return market_row_line(row, columns)


def flashing_prices(store: Store, ticker: str) -> dict[str, Price | None]:
    """Return the prices of a line whose change is highlighted for a moment, by column."""
    quote = current_quote(store, ticker)
    return {"bid": quote.yes_bid, "ask": quote.yes_ask, "last": quote.last}


def unknown_market_line(ticker: str, columns: MarketColumns, why: str) -> Line:
    """Return the line of a watched market that is not known, or not yet; ``why`` is the end of a sentence."""
    words = f"{ticker} {why}"
    return line(" " * MARKS_WIDTH, Span(fit(words, columns.name + sum(cells for _, cells in columns.shown)), Tone.DIM))


def _position_sign(position: Position | None) -> str:
    """Return ``+`` where YES is held, ``-`` where NO is."""
    if position is None or not position.count:
        return " "
    return "+" if position.count > 0 else "-"
