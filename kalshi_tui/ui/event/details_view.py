"""A market and its event in words: outcomes with their sum, rules, dates, fees, settlement source. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from kalshi_tui.domain.fees import MULTIPLIER_UNIT, FeeSchedule, FeeType
from kalshi_tui.domain.market import Event, Market, Quote
from kalshi_tui.domain.price import PRICE_UNIT, Price, PriceGrid, format_price
from kalshi_tui.domain.text import market_text
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    line,
    right_align,
    wrap,
)
from kalshi_tui.presentation.names import market_status_text
from kalshi_tui.presentation.number_text import (
    align_decimal_point,
    date_time_text,
    money_text,
    price_decimals,
    price_text,
    short_count_text,
)
from kalshi_tui.session.store import Store
from kalshi_tui.ui.event.combo_view import combo_leg_lines
from kalshi_tui.ui.market_list.view import current_quote

DETAIL_LABEL_WIDTH: Final = 14
"""Cells of the words before a value."""
QUOTE_COLUMNS_WIDTH: Final = 8 * 3 + 9
MAX_OUTCOMES: Final = 200
DELAYED_QUOTES: Final = "delayed: they are read now and then, and outcomes that are not on the screen less often"
PROVISIONAL_TEXT: Final = "the exchange may take it away again if nobody trades in it"
FEE_TYPE_TEXT: Final = {
    FeeType.QUADRATIC: "takers pay 7% x price x (1 - price) a contract, makers nothing",
    FeeType.QUADRATIC_WITH_MAKER_FEES: "takers pay 7% x price x (1 - price) a contract, makers 1.75%",
    FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES: "takers pay 7% x price x (1 - price) a contract, makers 3.5%",
    FeeType.FLAT: "unknown: flat, the exchange does not publish how much",
    FeeType.MARGIN_PROGRAM: "unknown: by the margin market maker program",
    FeeType.UNKNOWN: "unknown",
}


def detail_lines(store: Store, market: Market, width: int) -> list[Line]:
    """Return all that is known of a market, in lines of at most ``width`` cells."""
    event = store.events.get(market.event_ticker)
    name = market_text(market) if market.is_combo else market.title or market.ticker
    made = [line(Span(text, Tone.HEAD)) for text in wrap(name, width)]
    if market.yes_sub_title and not market.is_combo:
        made += _detail_lines("YES means", market.yes_sub_title, width)
    made += _detail_lines("Market", market.ticker, width)
    made += _detail_lines("Event", _event_text(market, event), width)
    made += _detail_lines("Status", market_status_text(market), width)
    made += _detail_lines("Trades", _trading_hours_text(market), width)
    if market.is_provisional:
        made += _detail_lines("Provisional", PROVISIONAL_TEXT, width)
    made += _detail_lines("Prices", price_grid_text(market.grid), width)
    made += _detail_lines("Fees", fee_schedule_text(market.fees), width)
    if market.settlement_floor is not None:
        made += _detail_lines("Floor", settlement_floor_text(market.settlement_floor), width)
    if market.settlement_value is not None:
        made += _detail_lines("A YES paid", money_text(market.settlement_value), width)
    if market.is_combo:
        made += [(), *combo_leg_lines(store, market, width)]
    siblings = [other for other in store.markets.values() if other.event_ticker == market.event_ticker]
    if store.is_delayed:
        made += _detail_lines("Quotes", DELAYED_QUOTES, width)
    if len(siblings) > 1:
        made += [(), *outcome_lines(store, siblings, market.ticker, width, exclusive=_is_mutually_exclusive(event))]
    for heading, text in (("Rules", market.rules_primary), ("More rules", market.rules_secondary)):
        if text:
            made += [(), line(Span(heading, Tone.HEAD)), *(line(part) for part in wrap(text, width))]
    made += [(), line(Span("The result is read off", Tone.HEAD)), *_settlement_source_lines(event, width)]
    return [each or () for each in made]


def _is_mutually_exclusive(event: Event | None) -> bool:
    return event is not None and event.mutually_exclusive


def _event_text(market: Market, event: Event | None) -> str:
    category = f", {event.category}" if event is not None and event.category else ""
    return f"{market.event_ticker} of series {market.series_ticker or 'unknown'}{category}"


def _trading_hours_text(market: Market) -> str:
    opens = f"from {date_time_text(market.open_ms)} " if market.open_ms else ""
    last = date_time_text(market.close_ms)
    if market.expected_end_ms != market.close_ms:
        expected = date_time_text(market.expected_end_ms)
        return f"{opens}to about {expected}, when the outcome is expected; {last} at the latest"
    closes = f"to {last}" if market.close_ms else "without an end that is known"
    return f"{opens}{closes}{', and may end sooner' if market.can_close_early else ''}"


def price_grid_text(grid: PriceGrid) -> str:
    """Return in what steps a market's prices go."""
    parts = [
        f"steps of {_dollars_text(each.step)} from {_dollars_text(each.start)} to {_dollars_text(each.end)}"
        for each in grid.ranges
    ]
    return ", ".join(parts)


def _dollars_text(price: Price) -> str:
    text = format_price(price)
    return text[:4] + text[4:].rstrip("0")


def settlement_floor_text(floor: Price) -> str:
    """Return what a settlement floor means for the figures of a market."""
    if not floor:
        return "none yet: it can rise, and pays YES holders what it rises by"
    return f"{_dollars_text(floor)} has been paid for each YES already; it is not counted in any figure here"


def fee_schedule_text(fees: FeeSchedule | None) -> str:
    """Return what trading costs; never that it is free where that is not known."""
    if fees is None:
        return "not read yet"
    words = FEE_TYPE_TEXT[fees.fee_type]
    if fees.fee_type is FeeType.UNKNOWN and fees.word:
        return f'{words}: the exchange calls them "{fees.word}"'
    if not fees.known or fees.multiplier == MULTIPLIER_UNIT:
        return words
    return f"{money_text(fees.multiplier).removeprefix('$')} times: {words}"


def _detail_lines(label: str, value: str, width: int) -> list[Line]:
    first, *rest = wrap(value, max(width - DETAIL_LABEL_WIDTH, 20)) or [""]
    return [
        line(Span(f"{label:<{DETAIL_LABEL_WIDTH}}", Tone.DIM), first),
        *(line(" " * DETAIL_LABEL_WIDTH + text) for text in rest),
    ]


def outcome_lines(
    store: Store, markets: Sequence[Market], selected: str, width: int, *, exclusive: bool
) -> Iterator[Line]:
    """List an event's outcomes, the likeliest first, and what all of them cost together."""
    quotes = {market.ticker: current_quote(store, market.ticker) for market in markets}
    decimals = max(price_decimals(market.grid) for market in markets)
    name = max(width - QUOTE_COLUMNS_WIDTH - 2, 10)
    heading = f"{'outcome':<{name + 2}}{'bid':>8}{'ask':>8}{'last':>8}{'volume':>9}"
    yield line(Span(heading, Tone.HEAD))
    ranked = sorted(markets, key=lambda each: -(quotes[each.ticker].yes_bid or 0))
    for market in ranked[:MAX_OUTCOMES]:
        quote = quotes[market.ticker]
        here = market.ticker == selected
        yield line(
            Span("> " if here else "  ", Tone.OWN),
            Span(fit(market.yes_sub_title or market.ticker, name), Tone.HEAD if here else Tone.PLAIN),
            Span(_price_cell(quote.yes_bid, decimals), Tone.BID),
            Span(_price_cell(quote.yes_ask, decimals), Tone.ASK),
            _price_cell(quote.last, decimals),
            Span(right_align(short_count_text(quote.volume), 9), Tone.DIM),
        )
    if len(ranked) > MAX_OUTCOMES:
        yield line(Span(f"  and {len(ranked) - MAX_OUTCOMES} more", Tone.DIM))
    for text in outcome_sum_sentences(list(quotes.values()), exclusive=exclusive):
        yield from (line(Span(part, Tone.DIM)) for part in wrap(text, width))


def _price_cell(price: Price | None, decimals: int) -> str:
    return align_decimal_point(price_text(price, decimals), decimals, 8)


def outcome_sum_sentences(quotes: Sequence[Quote], *, exclusive: bool) -> list[str]:
    """Return what a YES of every outcome costs and brings together, and what that is over or under a sure dollar.

    Only where exactly one outcome comes true does the sum mean anything.
    """
    if not exclusive:
        return ["More than one of these can come true, or none: their prices need not add up to a dollar."]
    bids = [quote.yes_bid for quote in quotes if quote.yes_bid is not None]
    asks = [quote.yes_ask for quote in quotes if quote.yes_ask is not None]
    said = []
    if len(asks) == len(quotes):
        over = sum(asks) - PRICE_UNIT
        words = f"{_percent_text(over)} over a dollar" if over >= 0 else f"{_percent_text(-over)} under a dollar"
        said.append(f"A YES of each costs {_sum_text(asks)} together: {words} (the overround).")
    else:
        said.append(f"{len(quotes) - len(asks)} of {len(quotes)} are not offered: there is no sum of the asks.")
    said.append(f"Sold to the bids, a YES of each brings {_sum_text(bids)}.")
    return said


def _sum_text(prices: Sequence[Price]) -> str:
    return money_text(sum(prices) * 100)


def _percent_text(price: Price) -> str:
    """Write a part of a dollar in percent, exactly."""
    whole, part = divmod(price, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + "%"


def _settlement_source_lines(event: Event | None, width: int) -> list[Line]:
    if event is None:
        return [line(Span("The event has not been read.", Tone.WARN))]
    if not event.settlement_sources:
        return [line(Span("The exchange names no source.", Tone.DIM))]
    found = []
    for name, url in event.settlement_sources:
        found += [line(part) for part in wrap(f"{name}  {url}".strip(), width)]
    return found
