"""The columns of the market list: which there are, which have room, and what stands in each. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kalshi_tui.domain.market import Market, Quote
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import COUNT_UNIT, Price
from kalshi_tui.presentation.lines import Span, Tone, right_align
from kalshi_tui.presentation.number_text import (
    NO_VALUE,
    align_decimal_point,
    change_text,
    count_text,
    price_decimals,
    price_text,
    short_count_text,
)
from kalshi_tui.ui.ui_settings import DEFAULT_COLUMN_ORDER

MARKS_WIDTH: Final = 2
"""Cells before the name: ``*`` for own orders, ``+`` or ``-`` for a position."""
MIN_NAME_WIDTH: Final = 18
COMFORTABLE_NAME_WIDTH: Final = 20
MAX_NAME_WIDTH: Final = 48
"""From here on a further column is worth more than a longer name."""
SPARKLINE_WIDTH: Final = 12

COLUMN_PRIORITY: Final = (
    "bid", "ask", "last", "change", "volume", "day", "spread", "closes", "held", "orders", "bid_size", "ask_size",
    "interest",
)  # fmt: skip
"""Which columns stay where there is little room: the first ones. The first two that are wanted always do."""
COLUMN_HEADINGS: Final = {
    "bid_size": "at bid",
    "ask_size": "at ask",
    "spread": "spread",
    "day": "24 h",
}
"""Names in the list's heading, where they are not those in the settings."""
SPARKLINE_GLYPHS: Final = "▁▂▃▄▅▆▇█"
ASCII_SPARKLINE_GLYPHS: Final = "_.,-~=^'"
"""The same without block characters."""
MINUTE_MS: Final = 60_000
MAX_DAYS_WITH_HOURS: Final = 100


@dataclass(frozen=True, slots=True)
class MarketColumns:
    """The columns for which there is room: each one's name and cells, and the cells of the market's name."""

    shown: tuple[tuple[str, int], ...]
    name: int
    decimals: int = 2
    plain: bool = False
    """Whether only ASCII is drawn."""

    @classmethod
    def for_width(
        cls, width: int, decimals: int, wanted: Sequence[str] = (), *, plain: bool = False
    ) -> "MarketColumns":
        """Choose the columns for a list ``width`` cells wide; ``decimals`` is what the finest grid in it needs.

        ``wanted`` are those of the settings, in the order in which they are to stand.
        """
        wanted = wanted or DEFAULT_COLUMN_ORDER
        price = decimals + 3
        cells = dict.fromkeys(("bid", "ask", "last"), price) | {"spread": max(price, 7), "change": max(price + 1, 7)}
        cells |= {"volume": 7, "interest": 9, "bid_size": 7, "ask_size": 7, "day": SPARKLINE_WIDTH + 1, "closes": 8}
        cells |= {"held": 8, "orders": 7}
        chosen: set[str] = set()
        left = width - MARKS_WIDTH
        for name in (each for each in COLUMN_PRIORITY if each in wanted):
            least = MIN_NAME_WIDTH if len(chosen) < 3 else COMFORTABLE_NAME_WIDTH
            if len(chosen) >= 2 and left - cells[name] < least:
                break
            chosen.add(name)
            left -= cells[name]
        return cls(tuple((each, cells[each]) for each in wanted if each in chosen), max(left, 0), decimals, plain)

    def has_column(self, name: str) -> bool:
        """Return whether a column is shown."""
        return any(each == name for each, _ in self.shown)

    def headings(self) -> list[Span]:
        """Name them."""
        return [Span(right_align(COLUMN_HEADINGS.get(name, name), cells), Tone.HEAD) for name, cells in self.shown]


@dataclass(frozen=True, slots=True)
class MarketRow:
    """All that the cells of one market are made of. ``flashes`` are signs by column: the price has just changed."""

    market: Market
    quote: Quote
    sparkline_prices: tuple[Price, ...] = ()
    position: Position | None = None
    orders: int = 0
    now_ms: int = 0
    flashes: Mapping[str, str] | None = None
    positions_read: bool = True
    orders_read: bool = True
    """Whether the account's lists are known at all."""


def row_cells(row: MarketRow, columns: MarketColumns) -> list[Span]:
    """Write the cells of one market."""
    return [_column_cell(row, columns, name, wide) for name, wide in columns.shown]


def _column_cell(row: MarketRow, columns: MarketColumns, name: str, wide: int) -> Span:
    if name in PRICE_COLUMNS:
        value, tone = PRICE_COLUMNS[name](row.quote)
        text = right_align(_aligned_price_text(value, row.market, columns), wide)
        sign = (row.flashes or {}).get(name, "")
        if sign and text.startswith(" "):
            # The sign takes the cell between the columns, so that no figure moves.
            lead = len(text) - len(text.lstrip()) - 1
            flash = Tone.UP if sign in UP_SIGNS else Tone.DOWN
            return Span(text[:lead] + sign + text[lead + 1 :], flash)
        return Span(text, tone if value is not None else Tone.DIM)
    if name == "change":
        change = row.quote.change
        text = align_decimal_point(change_text(change, price_decimals(row.market.grid)), columns.decimals, 0)
        return Span(right_align(text, wide), Tone.GOOD if (change or 0) > 0 else Tone.BAD if change else Tone.DIM)
    if name == "day":
        return Span(
            right_align(sparkline_text(row.sparkline_prices, row.quote.last, plain=columns.plain), wide), Tone.DIM
        )
    if name == "held":
        return Span(right_align(_held_text(row.position) or _none(known=row.positions_read), wide), Tone.OWN)
    if name == "orders":
        return Span(right_align(str(row.orders) if row.orders else _none(known=row.orders_read), wide), Tone.OWN)
    if name == "closes":
        text = closes_text(row.market, row.now_ms)
        return Span(right_align(text if row.market.status.tradable else "", wide), Tone.DIM)
    return Span(right_align(short_count_text(COUNT_COLUMNS[name](row.quote)), wide), Tone.DIM)


def closes_text(market: Market, now_ms: int) -> str:
    """Return how long a market probably trades on; ``due`` where its end was expected by now and has not come."""
    ends_ms = market.expected_end_ms
    if not ends_ms:
        return ""
    return "due" if ends_ms <= now_ms < market.close_ms else countdown_text(ends_ms - now_ms)


UP_SIGNS: Final = ("▲", "^")
DOWN_SIGNS: Final = ("▼", "v")
PRICE_COLUMNS: Final[dict[str, Callable[[Quote], tuple[Price | None, Tone]]]] = {
    "bid": lambda quote: (quote.yes_bid, Tone.BID),
    "ask": lambda quote: (quote.yes_ask, Tone.ASK),
    "last": lambda quote: (quote.last, Tone.PLAIN),
    "spread": lambda quote: (quote.spread, Tone.DIM),
}
COUNT_COLUMNS: Final[dict[str, Callable[[Quote], int | None]]] = {
    "volume": lambda quote: quote.volume,
    "interest": lambda quote: quote.open_interest,
    "bid_size": lambda quote: quote.yes_bid_size,
    "ask_size": lambda quote: quote.yes_ask_size,
}


def _aligned_price_text(value: Price | None, market: Market, columns: MarketColumns) -> str:
    return align_decimal_point(price_text(value, price_decimals(market.grid)), columns.decimals, 0)


def _none(*, known: bool) -> str:
    return "" if known else NO_VALUE


def _held_text(position: Position | None) -> str:
    if position is None or not position.count:
        return ""
    count = abs(position.count)
    text = short_count_text(count) if count >= 1_000 * COUNT_UNIT else count_text(count)
    return ("+" if position.count > 0 else "-") + text


def sparkline_text(past_prices: Sequence[Price], last: Price | None, *, plain: bool = False) -> str:
    """Draw prices, oldest first, in so many cells as there is room for; the newest one is ``last``."""
    prices = [*past_prices, last] if last is not None else list(past_prices)
    if len(prices) < 2:
        return ""
    groups = min(len(prices), SPARKLINE_WIDTH)
    # The last of each group: the newest price is always the last cell.
    taken = [prices[(place + 1) * len(prices) // groups - 1] for place in range(groups)]
    low, high = min(taken), max(taken)
    signs = ASCII_SPARKLINE_GLYPHS if plain else SPARKLINE_GLYPHS
    if low == high:
        return signs[3] * groups
    return "".join(signs[(price - low) * (len(signs) - 1) // (high - low)] for price in taken)


def countdown_text(left_ms: int) -> str:
    """Write how long something is away in at most six cells: ``5d03h``, ``3h05m``, ``12m30s``."""
    seconds = max(left_ms, 0) // 1000
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days >= MAX_DAYS_WITH_HOURS:
        return f"{days}d"
    if days:
        return f"{days}d{hours % 24:02d}h"
    return f"{hours}h{minutes % 60:02d}m" if hours else f"{minutes}m{seconds % 60:02d}s"
