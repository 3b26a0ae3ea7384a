"""``markets``: list what can be traded."""

import argparse
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.output import Column, Output
from kalshi_tui.cli.parser import CommandRegistry, integer_between
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import run_query

if TYPE_CHECKING:
    from kalshi_tui.domain.market import Event, Market
    from kalshi_tui.kalshi.rest import RestClient

STATUS_FILTERS: Final = {
    "open": frozenset({"active"}),
    "unopened": frozenset({"initialized"}),
    "paused": frozenset({"inactive"}),
    "closed": frozenset({"closed", "determined", "disputed", "amended"}),
    "settled": frozenset({"finalized"}),
}
"""The values of --status, and the exchange's statuses that each includes (docs/kalshi-api.md, section 8)."""
MAX_ROWS: Final = 1_000_000
FIRST_PAGE_SIZE: Final = 20
"""Events of a page while only a few markets are wanted."""


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    markets = commands.add(
        "markets",
        run,
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
    markets.add_argument("--status", choices=tuple(STATUS_FILTERS), default="open", help="which ones (default: open)")
    markets.add_argument("--series", metavar="TICKER", help="only those of a series")
    markets.add_argument("--limit", type=integer_between(1, MAX_ROWS), metavar="N", help="at most N")


def run(options: argparse.Namespace) -> int:
    """List markets."""

    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        from kalshi_tui.cli.json_shapes import market_shape

        words = options.search.casefold().split()
        wanted = STATUS_FILTERS[options.status]
        listed, seen = list["Market"](), 0
        page = FIRST_PAGE_SIZE if options.limit and not words else 200
        async for event in rest.events(status=options.status, series_ticker=options.series, page_size=page):
            seen += len(event.markets)
            waiting.update(f"Reading markets: {seen:,} so far")
            fits = [each for each in event.markets if each.status.value in wanted and _matches(words, each, event)]
            fits = fits[: options.limit - len(listed)] if options.limit else fits
            listed += fits
            if options.json:
                for each in fits:
                    output.write_json(market_shape(each, event.category))
            if len(listed) == options.limit or output.is_reader_gone():
                break
        if not options.json:
            _write_markets(output, listed)

    return run_query(options, query, "Reading markets", public=True)


def _matches(words: list[str], market: "Market", event: "Event") -> bool:
    text = f"{market.ticker} {market.title} {market.yes_sub_title} {event.sub_title} {event.category}".casefold()
    return all(word in text for word in words)


def _write_markets(output: Output, markets: "list[Market]") -> None:
    from kalshi_tui.domain.text import market_text
    from kalshi_tui.presentation.number_text import count_text, market_price_text

    columns = (
        Column("TICKER"),
        Column("BID", right=True),
        Column("ASK", right=True),
        Column("LAST", right=True),
        Column("VOLUME 24H", right=True),
        Column("MARKET", can_shrink=True),
    )
    rows = [
        (
            each.ticker,
            market_price_text(each.quote.yes_bid, each),
            market_price_text(each.quote.yes_ask, each),
            market_price_text(each.quote.last, each),
            count_text(each.quote.volume_24h),
            market_text(each),
        )
        for each in markets
    ]
    output.write_table(columns, rows, "No market fits.")
