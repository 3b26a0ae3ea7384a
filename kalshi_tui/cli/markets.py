"""``markets`` and ``market``: what can be traded."""

import argparse
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.output import Column, Output, moment
from kalshi_tui.cli.parser import READS, Commands, whole_number
from kalshi_tui.cli.progress import Waiting
from kalshi_tui.cli.queries import asked, checked_ticker, whole_market

if TYPE_CHECKING:
    from kalshi_tui.domain.market import Event, Market
    from kalshi_tui.kalshi.rest import RestClient

STATUSES: Final = {
    "open": frozenset({"active"}),
    "unopened": frozenset({"initialized"}),
    "paused": frozenset({"inactive"}),
    "closed": frozenset({"closed", "determined", "disputed", "amended"}),
    "settled": frozenset({"finalized"}),
}
"""The words to choose by, and the statuses of the exchange that each takes in (docs/kalshi-api.md, section 8)."""
MOST: Final = 1_000_000
FIRST_PAGE: Final = 20
"""Events of a page while only a few markets are wanted."""


def add(commands: Commands) -> None:
    """Add the commands."""
    markets = commands.add(
        "markets",
        run_markets,
        summary="list markets",
        description="List the markets of the exchange: ticker, best bid and ask for YES, last price, volume of the "
        "last 24 hours, and what the market is about. All that are open, unless something else is asked for. No key "
        "is needed.",
        examples=(
            "kalshi-tui markets --search recession",
            "kalshi-tui --env demo markets --series KXHIGHNY --json | jq -r .ticker",
        ),
        json="one JSON object a line for each market",
    )
    markets.add_argument("--search", default="", metavar="WORDS", help="only those with all of these words")
    markets.add_argument("--status", choices=tuple(STATUSES), default="open", help="which ones (default: open)")
    markets.add_argument("--series", metavar="TICKER", help="only those of a series")
    markets.add_argument("--limit", type=whole_number(1, MOST), metavar="N", help="at most N")
    market = commands.add(
        "market",
        run_market,
        summary="show one market: quote, dates, fees, rules",
        description="Show a market: its quote, its dates, the prices at which it can be traded, its fees and its "
        "rules. No key is needed.",
        examples=("kalshi-tui market KXRECESSION-26",),
        exits=READS,
        json="one JSON object",
    )
    market.add_argument("ticker", metavar="T", help="the market's ticker")


def run_markets(options: argparse.Namespace) -> int:
    """List markets."""

    async def question(rest: "RestClient", output: Output, waiting: Waiting) -> None:
        from kalshi_tui.cli.json_shapes import market_shape

        words = options.search.casefold().split()
        wanted = STATUSES[options.status]
        listed, seen = list["Market"](), 0
        page = FIRST_PAGE if options.limit and not words else 200
        async for event in rest.events(status=options.status, series_ticker=options.series, page=page):
            seen += len(event.markets)
            waiting.say(f"Reading markets: {seen:,} so far")
            fits = [each for each in event.markets if each.status.value in wanted and _has(words, each, event)]
            fits = fits[: options.limit - len(listed)] if options.limit else fits
            listed += fits
            if options.json:
                for each in fits:
                    output.object(market_shape(each, event.category))
            if len(listed) == options.limit or output.reader_is_gone():
                break
        if not options.json:
            _tell(output, listed)

    return asked(options, question, "Reading markets", public=True)


def _has(words: list[str], market: "Market", event: "Event") -> bool:
    text = f"{market.ticker} {market.title} {market.yes_sub_title} {event.sub_title} {event.category}".casefold()
    return all(word in text for word in words)


def _tell(output: Output, markets: "list[Market]") -> None:
    from kalshi_tui.domain.text import market_words
    from kalshi_tui.presentation.numbers import count_text, market_price

    columns = (
        Column("TICKER"),
        Column("BID", right=True),
        Column("ASK", right=True),
        Column("LAST", right=True),
        Column("VOLUME 24H", right=True),
        Column("MARKET", gives=True),
    )
    rows = [
        (
            each.ticker,
            market_price(each.quote.yes_bid, each),
            market_price(each.quote.yes_ask, each),
            market_price(each.quote.last, each),
            count_text(each.quote.volume_24h),
            market_words(each),
        )
        for each in markets
    ]
    output.table(columns, rows, "No market fits.")


def run_market(options: argparse.Namespace) -> int:
    """Show one market."""
    ticker = checked_ticker(options.ticker)

    async def question(rest: "RestClient", output: Output, waiting: Waiting) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import market_shape, terms_shape

        market, event = await whole_market(rest, ticker)
        if options.json:
            output.object(market_shape(market, event.category) | terms_shape(market))
        else:
            output.facts(_facts(market, event))

    return asked(options, question, f"Reading {ticker}", public=True)


def _facts(market: "Market", event: "Event") -> list[tuple[str, str]]:
    from kalshi_tui.domain.text import market_words
    from kalshi_tui.presentation.numbers import count_text, market_price, money_text

    quote = market.quote

    def quoted(price: int | None, size: int) -> str:
        return market_price(price, market) + (f" for {count_text(size)}" if price is not None else "")

    facts = [
        ("ticker", market.ticker),
        ("market", market_words(market)),
        ("category", event.category),
        ("event", market.event_ticker),
        ("series", market.series_ticker),
        ("status", market.status.value),
        ("YES bid", quoted(quote.yes_bid, quote.yes_bid_size)),
        ("YES ask", quoted(quote.yes_ask, quote.yes_ask_size)),
        ("last", market_price(quote.last, market)),
        ("volume", f"{count_text(quote.volume)}, {count_text(quote.volume_24h)} in 24 hours"),
        ("open interest", count_text(quote.open_interest)),
        ("prices", _grid_words(market)),
        ("fees", _fee_words(market)),
        ("shard", str(market.exchange_index)),
        ("opens", moment(market.open_ms)),
        ("closes", moment(market.close_ms)),
        ("result", market.result),
        ("settled at", money_text(market.settlement_value) if market.settlement_value is not None else ""),
        ("YES means", market.yes_sub_title),
        ("rules", market.rules_primary),
        ("", market.rules_secondary),
    ]
    return [(name, value) for name, value in facts if value]


def _grid_words(market: "Market") -> str:
    from kalshi_tui.domain.text import price_words

    return "; ".join(
        f"{price_words(each.start)} to {price_words(each.end)} by {price_words(each.step)}"
        for each in market.grid.ranges
    )


def _fee_words(market: "Market") -> str:
    from kalshi_tui.domain.fees import FeeType
    from kalshi_tui.domain.text import money_words

    if market.fees is None or market.fees.fee_type is FeeType.UNKNOWN:
        return "not known"
    return f"{market.fees.fee_type.value}, times {money_words(market.fees.multiplier)}"
