"""``combos``: the collections that combos are made in, and the combos that exist in one."""

import argparse
from typing import TYPE_CHECKING

from kalshi_tui.cli.output import Column, Output, format_time
from kalshi_tui.cli.parser import QUERY_EXIT_CODES, CommandRegistry
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import parse_ticker, run_query

if TYPE_CHECKING:
    from kalshi_tui.domain.combo_legs import ComboCollection
    from kalshi_tui.domain.market import Market, Quote
    from kalshi_tui.kalshi.rest import RestClient


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    combos = commands.add(
        "combos",
        run,
        summary="list combos: markets that combine others",
        description="List the collections that combos are made in, or, with a collection, the combos that exist in it: "
        "best bid and ask for YES, what the legs cost multiplied, and the legs. The product is a hint and no fair "
        "value: legs of one game depend on each other. 'market' and 'order' take a combo as any market. No key is "
        "needed.",
        examples=("kalshi-tui combos", "kalshi-tui combos KXMVECROSSCATEGORY-R --json"),
        exit_codes=QUERY_EXIT_CODES,
        json="one JSON object a line for each collection, or for each combo",
    )
    combos.add_argument("collection", metavar="COLLECTION", nargs="?", help="a collection's ticker")
    combos.add_argument("--event", metavar="TICKER", help="only the collections that have this event")


def run(options: argparse.Namespace) -> int:
    """List collections or combos."""
    if options.collection:
        return _run_combos(options, parse_ticker(options.collection))

    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        found = [each async for each in rest.combos.collections(event_ticker=options.event)]
        if options.json:
            for each in found:
                output.write_json(_collection_shape(each))
            return
        columns = (
            Column("COLLECTION"),
            Column("EVENTS", right=True),
            Column("LEGS", right=True),
            Column("CLOSES"),
            Column("TITLE", can_shrink=True),
        )
        rows = [
            (each.ticker, str(len(each.event_tickers)), _sizes(each), format_time(each.close_ms), each.title)
            for each in found
        ]
        output.write_table(columns, rows, "There is no collection.")

    return run_query(options, query, "Reading collections", public=True)


def _sizes(collection: "ComboCollection") -> str:
    bounds = (collection.size_min, collection.size_max)
    return " to ".join("any" if each is None else str(each) for each in bounds)


def _collection_shape(each: "ComboCollection") -> dict[str, object]:
    from kalshi_tui.cli.json_shapes import time_or_null

    return {
        "ticker": each.ticker,
        "series_ticker": each.series_ticker,
        "title": each.title,
        "description": each.description,
        "event_tickers": list(each.event_tickers),
        "size_min": each.size_min,
        "size_max": each.size_max,
        "ordered": each.is_ordered,
        "open_ms": time_or_null(each.open_ms),
        "close_ms": time_or_null(each.close_ms),
        "exchange_index": each.exchange_index,
    }


def _run_combos(options: argparse.Namespace, collection: str) -> int:
    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        from kalshi_tui.cli.json_shapes import market_details_shape, market_shape, price_or_null
        from kalshi_tui.domain.combo_legs import leg_quotes, product
        from kalshi_tui.domain.text import market_text
        from kalshi_tui.presentation.number_text import market_price_text, price_text

        combos: list[Market] = []
        async for event in rest.combos.events(collection_ticker=collection):
            combos += event.markets
            waiting.update(f"Reading combos: {len(combos):,} so far")
        quotes = await _read_leg_quotes(rest, combos)
        rows = []
        for each in combos:
            legs = leg_quotes(each.legs, quotes)
            bid, ask = product([leg.bid for leg in legs]), product([leg.ask for leg in legs], up=True)
            if options.json:
                products = {"product_bid": price_or_null(bid), "product_ask": price_or_null(ask)}
                output.write_json(market_shape(each) | market_details_shape(each) | products)
            rows.append(
                (
                    each.ticker,
                    market_price_text(each.quote.yes_bid, each),
                    market_price_text(each.quote.yes_ask, each),
                    f"{price_text(bid, 4)} / {price_text(ask, 4)}",
                    each.status.value,
                    market_text(each),
                )
            )
        if not options.json:
            columns = (
                Column("TICKER"),
                Column("BID", right=True),
                Column("ASK", right=True),
                Column("PRODUCT OF LEGS", right=True),
                Column("STATUS"),
                Column("COMBO", can_shrink=True),
            )
            output.write_table(columns, rows, "No combo exists in this collection.")

    return run_query(options, query, "Reading combos", public=True)


async def _read_leg_quotes(rest: "RestClient", combos: "list[Market]") -> "dict[str, Quote]":
    """Read what the legs of combos cost; one that has left the live list has no price."""
    tickers = sorted({leg.ticker for each in combos for leg in each.legs if leg.settlement_value is None})
    quotes: dict[str, Quote] = {}
    from kalshi_tui.kalshi.rest import MAX_TICKERS_PER_REQUEST

    for start in range(0, len(tickers), MAX_TICKERS_PER_REQUEST):
        async for market in rest.markets(tickers=tickers[start : start + MAX_TICKERS_PER_REQUEST]):
            quotes[market.ticker] = market.quote
    return quotes
