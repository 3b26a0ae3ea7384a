"""A market and its event in words: outcomes with their sum, rules, dates, fees, where the result is read off. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from kalshi_tui.domain.fees import MULTIPLIER_UNIT, FeeSchedule, FeeType
from kalshi_tui.domain.market import Event, Market, Quote
from kalshi_tui.domain.price import PRICE_UNIT, Price, PriceGrid, format_price
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    line,
    right,
    wrap,
)
from kalshi_tui.presentation.numbers import (
    date_text,
    decimals_of,
    money_text,
    on_point,
    price_text,
    short_count,
)
from kalshi_tui.session.store import Store
from kalshi_tui.ui.market_list.view import status_words, touch

NAME: Final = 14
"""Cells of the words before a value."""
FIGURES: Final = 8 * 3 + 9
MOST_OUTCOMES: Final = 200
FEE_WORDS: Final = {
    FeeType.QUADRATIC: "takers pay 7% x price x (1 - price) a contract, makers nothing",
    FeeType.QUADRATIC_WITH_MAKER_FEES: "takers pay 7% x price x (1 - price) a contract, makers 1.75%",
    FeeType.UNKNOWN: "not known",
}


def detail_lines(store: Store, market: Market, width: int) -> list[Line]:
    """Say all that is known of a market, in lines of at most ``width`` cells."""
    event = store.events.get(market.event_ticker)
    made = [line(Span(text, Tone.HEAD)) for text in wrap(market.title or market.ticker, width)]
    if market.yes_sub_title:
        made += _pair("YES means", market.yes_sub_title, width)
    made += _pair("Market", market.ticker, width)
    made += _pair("Event", _event_words(market, event), width)
    made += _pair("Status", status_words(market), width)
    made += _pair("Trades", _hours_words(market), width)
    made += _pair("Prices", grid_words(market.grid), width)
    made += _pair("Fees", fee_words(market.fees), width)
    if market.settlement_value is not None:
        made += _pair("A YES paid", money_text(market.settlement_value), width)
    siblings = [other for other in store.markets.values() if other.event_ticker == market.event_ticker]
    if len(siblings) > 1:
        made += [(), *outcome_lines(store, siblings, market.ticker, width, exclusive=_exclusive(event))]
    for heading, text in (("Rules", market.rules_primary), ("More rules", market.rules_secondary)):
        if text:
            made += [(), line(Span(heading, Tone.HEAD)), *(line(part) for part in wrap(text, width))]
    made += [(), line(Span("The result is read off", Tone.HEAD)), *_sources(event, width)]
    return [each or () for each in made]


def _exclusive(event: Event | None) -> bool:
    return event is not None and event.mutually_exclusive


def _event_words(market: Market, event: Event | None) -> str:
    category = f", {event.category}" if event is not None and event.category else ""
    return f"{market.event_ticker} of series {market.series_ticker or 'unknown'}{category}"


def _hours_words(market: Market) -> str:
    opens = f"from {date_text(market.open_ms)} " if market.open_ms else ""
    closes = f"to {date_text(market.close_ms)}" if market.close_ms else "without an end that is known"
    return f"{opens}{closes}{', and may end sooner' if market.can_close_early else ''}"


def grid_words(grid: PriceGrid) -> str:
    """Say in what steps a market's prices go."""
    parts = [
        f"steps of {_dollars(each.step)} from {_dollars(each.start)} to {_dollars(each.end)}" for each in grid.ranges
    ]
    return ", ".join(parts)


def _dollars(price: Price) -> str:
    text = format_price(price)
    return text[:4] + text[4:].rstrip("0")


def fee_words(fees: FeeSchedule | None) -> str:
    """Say what trading costs; never that it is free where that is not known."""
    if fees is None:
        return "not read yet"
    words = FEE_WORDS[fees.fee_type]
    if fees.fee_type is FeeType.UNKNOWN or fees.multiplier == MULTIPLIER_UNIT:
        return words
    return f"{money_text(fees.multiplier).removeprefix('$')} times: {words}"


def _pair(name: str, value: str, width: int) -> list[Line]:
    first, *rest = wrap(value, max(width - NAME, 20)) or [""]
    return [line(Span(f"{name:<{NAME}}", Tone.DIM), first), *(line(" " * NAME + text) for text in rest)]


def outcome_lines(
    store: Store, markets: Sequence[Market], chosen: str, width: int, *, exclusive: bool
) -> Iterator[Line]:
    """List an event's outcomes, the likeliest first, and what all of them cost together."""
    quotes = {market.ticker: touch(store, market.ticker) for market in markets}
    decimals = max(decimals_of(market.grid) for market in markets)
    name = max(width - FIGURES - 2, 10)
    heading = f"{'outcome':<{name + 2}}{'bid':>8}{'ask':>8}{'last':>8}{'volume':>9}"
    yield line(Span(heading, Tone.HEAD))
    ranked = sorted(markets, key=lambda each: -(quotes[each.ticker].yes_bid or 0))
    for market in ranked[:MOST_OUTCOMES]:
        quote = quotes[market.ticker]
        here = market.ticker == chosen
        yield line(
            Span("> " if here else "  ", Tone.OWN),
            Span(fit(market.yes_sub_title or market.ticker, name), Tone.HEAD if here else Tone.PLAIN),
            Span(_cell(quote.yes_bid, decimals), Tone.BID),
            Span(_cell(quote.yes_ask, decimals), Tone.ASK),
            _cell(quote.last, decimals),
            Span(right(short_count(quote.volume), 9), Tone.DIM),
        )
    if len(ranked) > MOST_OUTCOMES:
        yield line(Span(f"  and {len(ranked) - MOST_OUTCOMES} more", Tone.DIM))
    for text in sum_words(list(quotes.values()), exclusive=exclusive):
        yield from (line(Span(part, Tone.DIM)) for part in wrap(text, width))


def _cell(price: Price | None, decimals: int) -> str:
    return on_point(price_text(price, decimals), decimals, 8)


def sum_words(quotes: Sequence[Quote], *, exclusive: bool) -> list[str]:
    """Say what a YES of every outcome costs and brings together, and what that is over or under a sure dollar.

    Only where exactly one outcome comes true does the sum mean anything.
    """
    if not exclusive:
        return ["More than one of these can come true, or none: their prices need not add up to a dollar."]
    bids = [quote.yes_bid for quote in quotes if quote.yes_bid is not None]
    asks = [quote.yes_ask for quote in quotes if quote.yes_ask is not None]
    said = []
    if len(asks) == len(quotes):
        over = sum(asks) - PRICE_UNIT
        words = f"{_percent(over)} over a dollar" if over >= 0 else f"{_percent(-over)} under a dollar"
        said.append(f"A YES of each costs {_sum(asks)} together: {words} (the overround).")
    else:
        said.append(f"{len(quotes) - len(asks)} of {len(quotes)} are not offered: there is no sum of the asks.")
    said.append(f"Sold to the bids, a YES of each brings {_sum(bids)}.")
    return said


def _sum(prices: Sequence[Price]) -> str:
    return money_text(sum(prices) * 100)


def _percent(price: Price) -> str:
    """Write a part of a dollar in percent, exactly."""
    whole, part = divmod(price, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + "%"


def _sources(event: Event | None, width: int) -> list[Line]:
    if event is None or not event.settlement_sources:
        return [line(Span("The exchange names no source.", Tone.DIM))]
    found = []
    for name, url in event.settlement_sources:
        found += [line(part) for part in wrap(f"{name}  {url}".strip(), width)]
    return found
