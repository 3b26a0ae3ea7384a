"""``market``: one market: its quote, dates, prices, fees and rules."""

import argparse
from typing import TYPE_CHECKING

from kalshi_tui.cli.output import Output, format_time
from kalshi_tui.cli.parser import QUERY_EXIT_CODES, CommandRegistry
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import parse_ticker, read_full_market, run_query

if TYPE_CHECKING:
    from kalshi_tui.domain.market import Event, Market
    from kalshi_tui.kalshi.rest import RestClient


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    market = commands.add(
        "market",
        run,
        summary="show one market: quote, dates, fees, rules",
        description="Show a market: its quote, its dates, the prices at which it can be traded, its fees and its "
        "rules. No key is needed.",
        examples=("kalshi-tui market KXRECESSION-26",),
        exit_codes=QUERY_EXIT_CODES,
        json="one JSON object",
    )
    market.add_argument("ticker", metavar="T", help="the market's ticker")


def run(options: argparse.Namespace) -> int:
    """Show one market."""
    ticker = parse_ticker(options.ticker)

    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import market_details_shape, market_shape

        market, event = await read_full_market(rest, ticker)
        if options.json:
            output.write_json(market_shape(market, event.category) | market_details_shape(market))
        else:
            output.write_facts(_market_facts(market, event))

    return run_query(options, query, f"Reading {ticker}", public=True)


def _market_facts(market: "Market", event: "Event") -> list[tuple[str, str]]:
    from kalshi_tui.domain.text import market_text
    from kalshi_tui.presentation.number_text import count_text, market_price_text, money_text

    quote = market.quote
    is_early = market.expected_end_ms != market.close_ms

    def quoted(price: int | None, size: int) -> str:
        return market_price_text(price, market) + (f" for {count_text(size)}" if price is not None else "")

    facts = [
        ("ticker", market.ticker),
        ("market", market_text(market)),
        ("category", event.category),
        ("event", market.event_ticker),
        ("series", market.series_ticker),
        ("status", market.status.value),
        ("YES bid", quoted(quote.yes_bid, quote.yes_bid_size)),
        ("YES ask", quoted(quote.yes_ask, quote.yes_ask_size)),
        ("last", market_price_text(quote.last, market)),
        ("volume", f"{count_text(quote.volume)}, {count_text(quote.volume_24h)} in 24 hours"),
        ("open interest", count_text(quote.open_interest)),
        ("prices", _describe_price_grid(market)),
        ("fees", _describe_fees(market)),
        ("floor", _describe_floor(market)),
        ("exchange index", str(market.exchange_index)),
        ("opens", format_time(market.open_ms)),
        ("closes", format_time(market.expected_end_ms) + (", expected" if is_early else "")),
        ("at the latest", format_time(market.close_ms) if is_early else ""),
        ("result", market.result),
        ("settled at", money_text(market.settlement_value) if market.settlement_value is not None else ""),
        ("YES means", market.yes_sub_title),
        *(("leg" if place else "legs", f"{leg.side.value} {leg.ticker}") for place, leg in enumerate(market.legs)),
        ("provisional", "the exchange may take it away if nobody trades in it" if market.is_provisional else ""),
        ("rules", market.rules_primary),
        ("", market.rules_secondary),
    ]
    return [(name, value) for name, value in facts if value]


def _describe_price_grid(market: "Market") -> str:
    from kalshi_tui.domain.text import plain_price_text

    return "; ".join(
        f"{plain_price_text(each.start)} to {plain_price_text(each.end)} by {plain_price_text(each.step)}"
        for each in market.grid.ranges
    )


def _describe_floor(market: "Market") -> str:
    if market.settlement_floor is None:
        return ""
    from kalshi_tui.domain.text import plain_price_text

    return f"{plain_price_text(market.settlement_floor)}, paid for each YES already; no figure counts it"


def _describe_fees(market: "Market") -> str:
    from kalshi_tui.domain.text import plain_money_text

    if market.fees is None:
        return "unknown"
    if not market.fees.known:
        return " ".join(filter(None, ("unknown:", market.fees.word))).removesuffix(":")
    return f"{market.fees.fee_type.value}, times {plain_money_text(market.fees.multiplier)}"
