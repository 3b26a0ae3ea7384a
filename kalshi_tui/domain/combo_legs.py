"""What a combo's legs say of its price: the product of theirs, exactly. Pure.

docs/kalshi-api.md, section 18. It is a hint and no fair value: legs of one game depend on each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import ComboLeg, Quote
from kalshi_tui.domain.price import PRICE_UNIT, Price


@dataclass(frozen=True, slots=True)
class LegQuote:
    """What a leg's outcome costs: bid and ask for its own side, None where nobody quotes or it is not known.

    Of a leg that has settled both are what it paid.
    """

    leg: ComboLeg
    bid: Price | None
    ask: Price | None


def leg_quotes(legs: Sequence[ComboLeg], quotes: Mapping[str, Quote]) -> list[LegQuote]:
    """Return the prices of each leg's outcome, from the quotes of their markets."""
    return [_leg_quote(leg, quotes.get(leg.ticker)) for leg in legs]


def _leg_quote(leg: ComboLeg, quote: Quote | None) -> LegQuote:
    if leg.settlement_value is not None:
        # Money is 1/100 of the unit of prices.
        paid = leg.settlement_value // 100
        paid = paid if leg.side is Side.YES else PRICE_UNIT - paid
        return LegQuote(leg, paid, paid)
    if quote is None:
        return LegQuote(leg, None, None)
    if leg.side is Side.YES:
        return LegQuote(leg, quote.yes_bid, quote.yes_ask)
    return LegQuote(leg, _complement(quote.yes_ask), _complement(quote.yes_bid))


def _complement(price: Price | None) -> Price | None:
    return None if price is None else PRICE_UNIT - price


def product(prices: Sequence[Price | None], *, up: bool = False) -> Price | None:
    """Multiply prices of a dollar; None unless all are known. The result is rounded down, or ``up``.

    One that is 0 makes it 0, whatever the others are.
    """
    if any(price == 0 for price in prices):
        return 0
    known = [price for price in prices if price is not None]
    if not known or len(known) != len(prices):
        return None
    total, unit = 1, 1
    for price in known:
        total, unit = total * price, unit * PRICE_UNIT
    return -(-total * PRICE_UNIT // unit) if up else total * PRICE_UNIT // unit


@dataclass(frozen=True, slots=True)
class ComboCollection:
    """Which events can be combined with each other; combos are made in it (docs/kalshi-api.md, section 18).

    Times are Unix milliseconds, 0 where nobody says. A size is a number of legs, None where there is no bound.
    """

    ticker: str
    series_ticker: str = ""
    title: str = ""
    description: str = ""
    event_tickers: tuple[str, ...] = ()
    size_min: int | None = None
    size_max: int | None = None
    is_ordered: bool = False
    """Whether combos with the same legs in another order differ."""
    open_ms: int = 0
    close_ms: int = 0
    exchange_index: int = 0
