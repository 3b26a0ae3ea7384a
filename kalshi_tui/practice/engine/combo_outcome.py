"""How a combo ends: as its legs do (docs/kalshi-api.md, section 18)."""

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.practice.engine.market_outcome import MarketOutcome
from kalshi_tui.practice.engine.model import ListedMarket


def combo_outcome(combo: ListedMarket) -> MarketOutcome | None:
    """Return how a combo ends as far as its legs are decided; None while that is open.

    One leg that has not come true decides it. With a scalar leg it pays the product.
    """
    value, is_open = PRICE_UNIT, False
    for leg, listing in zip(combo.terms.legs, combo.leg_listings, strict=True):
        paid = listing.settlement_value
        if paid is None:
            is_open = True
            continue
        value = value * _side_value(leg.side, paid) // PRICE_UNIT
    if value and is_open:
        return None
    if value in {0, PRICE_UNIT}:
        return MarketOutcome("yes" if value else "no", value, "Yes" if value else "No")
    return MarketOutcome("scalar", value)


def _side_value(side: Side, yes_value: Price) -> Price:
    return yes_value if side is Side.YES else PRICE_UNIT - yes_value
