"""Exact fixed-point numbers: prices, counts, money, and the grid of prices that a market allows.

Units, everywhere in this project:

- a *price* is an integer of 1/10,000 dollar (``4700`` is $0.47),
- a *count* is an integer of 1/100 contract (``1000`` is 10 contracts),
- *money* is an integer of 1/1,000,000 dollar, so that price x count is exact with no rounding.

Plain ``int`` at run time; the aliases name the unit in signatures. docs/kalshi-api.md, section 3.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

Price = int
Count = int
Money = int

PRICE_UNIT: Final = 10_000
"""Price units in a dollar; also the price of a certain outcome."""
COUNT_UNIT: Final = 100
"""Count units in a contract."""
MONEY_UNIT: Final = 1_000_000
"""Money units in a dollar: ``PRICE_UNIT * COUNT_UNIT``."""

_MAX_DIGITS: Final = 15
"""Digits before the point beyond which a number is rejected: 10**15 contracts is no count that anybody means."""


class NumberError(ValueError):
    """A text that is not an exact number of the wanted kind. Its message is a sentence for a person."""


def _parse(text: str, decimals: int, kind: str, *, max_decimals: int, signed: bool) -> int:
    """Parse a plain decimal into an integer of ``10**-decimals``; reject all else.

    Digits beyond ``decimals`` are allowed up to ``max_decimals`` if they are zero, since the exchange mixes widths.
    """
    if not isinstance(text, str):
        raise NumberError(f"{kind} must be a decimal string, not {type(text).__name__}.")
    body = text
    negative = False
    if signed and body.startswith("-"):
        negative = True
        body = body[1:]
    whole, point, fraction = body.partition(".")
    # isdecimal alone accepts other scripts' digits, which int() would accept too.
    digits_ok = whole.isascii() and whole.isdecimal() and len(whole) <= _MAX_DIGITS
    fraction_ok = not point or (fraction.isascii() and fraction.isdecimal() and len(fraction) <= max_decimals)
    if not (digits_ok and fraction_ok):
        raise NumberError(f"{_quote_text(text)} is not {kind}.")
    kept, dropped = fraction[:decimals], fraction[decimals:]
    if dropped.strip("0"):
        raise NumberError(f"{_quote_text(text)} is finer than {kind} can be (1/{10**decimals:,}).")
    value = int(whole + kept.ljust(decimals, "0"))
    return -value if negative else value


def _quote_text(text: str) -> str:
    """Quote a bad number for a message, cut to a length that fits a line."""
    return repr(text if len(text) <= 32 else text[:29] + "...")


def parse_price(text: str) -> Price:
    """Parse a dollar string (``"0.42"``, ``"0.4200"``, ``"0.420000"``) into 1/10,000 dollar, 0 to 1 dollar inclusive.

    Raises NumberError for anything else: a float, a sign, an exponent, spaces, more than six decimals, a part finer
    than 1/10,000 dollar, more than a dollar. docs/kalshi-api.md, section 3.
    """
    value = _parse(text, 4, "a price in dollars", max_decimals=6, signed=False)
    if value > PRICE_UNIT:
        raise NumberError(f"{_quote_text(text)} is over one dollar; a contract's price lies between 0 and 1.")
    return value


def parse_count(text: str) -> Count:
    """Parse a contract count (``"10"``, ``"10.5"``, ``"10.00"``) into 1/100 contract, zero or more.

    Raises NumberError for anything else, more than two decimals included. docs/kalshi-api.md, section 3.
    """
    return _parse(text, 2, "a count of contracts", max_decimals=2, signed=False)


def parse_signed_count(text: str) -> Count:
    """Parse a count that may be negative: a book delta, a position (+ YES, - NO). Raises NumberError."""
    return _parse(text, 2, "a count of contracts", max_decimals=2, signed=True)


def parse_money(text: str) -> Money:
    """Parse a dollar amount of up to six decimals, possibly negative, into 1/1,000,000 dollar. Raises NumberError."""
    return _parse(text, 6, "an amount in dollars", max_decimals=6, signed=True)


def _format(value: int, decimals: int, unit: int) -> str:
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), unit)
    return f"{sign}{whole}.{rest:0{decimals}d}"


def format_price(price: Price) -> str:
    """Write a price as the exchange does: ``4700`` -> ``"0.4700"``."""
    return _format(price, 4, PRICE_UNIT)


def format_count(count: Count) -> str:
    """Write a count as the exchange does: ``1000`` -> ``"10.00"``."""
    return _format(count, 2, COUNT_UNIT)


def format_money(money: Money) -> str:
    """Write money with all six decimals: ``15930`` -> ``"0.015930"``."""
    return _format(money, 6, MONEY_UNIT)


def complement(price: Price) -> Price:
    """Return the price of the other outcome: a YES at p is a NO at 1 - p. docs/kalshi-api.md, section 4."""
    return PRICE_UNIT - price


def cost(price: Price, count: Count) -> Money:
    """Multiply price by count, exactly, in 1/1,000,000 dollar."""
    return price * count


@dataclass(frozen=True, slots=True)
class PriceRange:
    """One stretch of a grid: prices from ``start`` in steps of ``step`` up to ``end``, all in 1/10,000 dollar.

    ``end`` belongs to it if the steps meet it; a stretch of one price has its start as its end.
    """

    start: Price
    end: Price
    step: Price

    def __post_init__(self) -> None:
        if not (0 <= self.start <= self.end <= PRICE_UNIT) or self.step <= 0:
            raise NumberError(
                f"A price range from {format_price(self.start)} to {format_price(self.end)} "
                f"in steps of {format_price(self.step)} makes no sense."
            )


class PriceGrid:
    """The legal order prices of a market, from the exchange's ``price_ranges`` (docs/kalshi-api.md, section 3).

    A price is legal if it lies in some range on a whole number of that range's steps from its start, and is
    neither 0 nor 1 dollar. Immutable, and compared by its prices; they are kept sorted, at most 9,999.
    """

    __slots__ = ("finest_step", "prices", "ranges")

    def __init__(self, ranges: Iterable[PriceRange]) -> None:
        self.ranges = tuple(ranges)
        legal: set[Price] = set()
        for each in self.ranges:
            legal.update(range(each.start, each.end + 1, each.step))
        legal -= {0, PRICE_UNIT}
        if not legal:
            raise NumberError("These price ranges hold no legal price.")
        self.prices: tuple[Price, ...] = tuple(sorted(legal))
        self.finest_step: Price = min(each.step for each in self.ranges)
        """The smallest step of any range."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PriceGrid) and self.prices == other.prices

    def __hash__(self) -> int:
        return hash(self.prices)

    def __repr__(self) -> str:
        return f"PriceGrid({list(self.ranges)!r})"

    def __len__(self) -> int:
        return len(self.prices)

    def __iter__(self) -> Iterator[Price]:
        return iter(self.prices)

    def __contains__(self, price: object) -> bool:
        if not isinstance(price, int):
            return False
        place = bisect_right(self.prices, price)
        return place > 0 and self.prices[place - 1] == price

    def at_or_below(self, price: Price) -> Price | None:
        """Return the highest legal price at or below ``price``; None if there is none."""
        place = bisect_right(self.prices, price)
        return self.prices[place - 1] if place else None

    def at_or_above(self, price: Price) -> Price | None:
        """Return the lowest legal price at or above ``price``; None if there is none."""
        place = bisect_right(self.prices, price - 1)
        return self.prices[place] if place < len(self.prices) else None

    def up(self, price: Price, ticks: int = 1) -> Price:
        """Step up by ticks from ``price``, at most to the highest legal; from off the grid, to the next on it.

        Raises ValueError for fewer than one tick.
        """
        if ticks < 1:
            raise ValueError("A step is one tick or more.")
        return self.prices[min(bisect_right(self.prices, price) + ticks - 1, len(self.prices) - 1)]

    def down(self, price: Price, ticks: int = 1) -> Price:
        """Step down by ticks from ``price``, at most to the lowest legal; from off the grid, to the next on it.

        Raises ValueError for fewer than one tick.
        """
        if ticks < 1:
            raise ValueError("A step is one tick or more.")
        return self.prices[max(bisect_right(self.prices, price - 1) - ticks, 0)]

    def complement(self) -> "PriceGrid":
        """Return the same grid seen from the other outcome: every legal p as 1 - p."""
        # The mirrored steps count from the last price that the range's own steps meet, which its end need not be.
        return PriceGrid(
            PriceRange(PRICE_UNIT - r.end + (r.end - r.start) % r.step, PRICE_UNIT - r.start, r.step)
            for r in reversed(self.ranges)
        )


CENT_GRID: Final = PriceGrid((PriceRange(0, PRICE_UNIT, 100),))
"""The plain grid, whole cents: ``linear_cent``."""
