"""The legs of a combo as lines: each with its own prices, and their product beside the combo's quote. Pure."""

from typing import Final

from kalshi_tui.domain.combo_legs import leg_quotes, product
from kalshi_tui.domain.market import ComboLeg, Market, Quote
from kalshi_tui.domain.price import Price
from kalshi_tui.domain.text import market_text, split_combo_text
from kalshi_tui.presentation.lines import Line, Span, Tone, fit, line, wrap
from kalshi_tui.presentation.number_text import align_decimal_point, price_text
from kalshi_tui.session.store import Store
from kalshi_tui.ui.market_list.view import current_quote

DECIMALS: Final = 4
PRICE_WIDTH: Final = 9
PRODUCT_TEXT: Final = (
    "The product is what the legs would cost together if they did not depend on each other. Legs of one game do."
)


def combo_leg_lines(store: Store, market: Market, width: int) -> list[Line]:
    """Return the legs of a combo with their prices, the product of these, and the combo's own quote."""
    if not market.legs:
        return [line(Span("The legs of this combo could not be read.", Tone.WARN))]
    quotes: dict[str, Quote] = {leg.ticker: current_quote(store, leg.ticker) for leg in market.legs}
    legs = leg_quotes(market.legs, quotes)
    room = max(width - 2 * PRICE_WIDTH, 10)
    made = [
        line(Span(f"{'all of these have to come true':<{room}}{'bid':>{PRICE_WIDTH}}{'ask':>{PRICE_WIDTH}}", Tone.HEAD))
    ]
    words = split_combo_text(market.yes_sub_title)
    for place, each in enumerate(legs):
        word = words[place] if len(words) == len(legs) else ""
        name = f"{_leg_text(store, each.leg, word)}{', settled' if each.leg.settlement_value is not None else ''}"
        made.append(line(fit(name, room), *_price_cells(each.bid, each.ask)))
    bid, ask = product([each.bid for each in legs]), product([each.ask for each in legs], up=True)
    made.append(line(Span(fit("product", room), Tone.DIM), *_price_cells(bid, ask)))
    own = current_quote(store, market.ticker)
    made.append(line(Span(fit("this combo", room), Tone.HEAD), *_price_cells(own.yes_bid, own.yes_ask)))
    return [*made, *(line(Span(part, Tone.DIM)) for part in wrap(PRODUCT_TEXT, width))]


def _leg_text(store: Store, leg: ComboLeg, word: str) -> str:
    """Name a leg by its side and market; by the combo's own word for it where its market is not known."""
    market = store.markets.get(leg.ticker)
    if market is None:
        return word or f"{leg.side.value} {leg.ticker}"
    return f"{leg.side.value} {market_text(market)}"


def _price_cells(bid: Price | None, ask: Price | None) -> list[Span]:
    return [
        Span(
            align_decimal_point(price_text(price, DECIMALS), DECIMALS, PRICE_WIDTH),
            tone if price is not None else Tone.DIM,
        )
        for price, tone in ((bid, Tone.BID), (ask, Tone.ASK))
    ]
