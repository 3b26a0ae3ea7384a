"""``positions``: what the account holds at the exchange, or what it held."""

import argparse
from typing import TYPE_CHECKING

from kalshi_tui.cli.account_lists import LAG_NOTE, add_ticker_option, read_ticker_option
from kalshi_tui.cli.output import Column, Output
from kalshi_tui.cli.parser import LIST_EXIT_CODES, CommandRegistry
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import run_query
from kalshi_tui.cli.subaccounts import add_subaccount_option

if TYPE_CHECKING:
    from kalshi_tui.kalshi.rest import RestClient


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    positions = commands.add(
        "positions",
        run,
        summary="list what is held, or what was held",
        description="List the positions: the outcome and how many, what they cost, the best bid of others, what a "
        "sale of all would bring down the book, after its fees, what closing others has gained, the fees paid. It is "
        "the desk's valuation, by books that may be up to 15 s old. Those that are held, unless another status is "
        "asked for; a position is closed once all of it was sold or its market has settled, and those that the "
        f"exchange has moved into its archive are among them. {LAG_NOTE}",
        examples=("kalshi-tui positions", "kalshi-tui positions --status closed --json"),
        exit_codes=LIST_EXIT_CODES,
        json="one JSON object a line for each position",
    )
    positions.add_argument(
        "--status", choices=("held", "closed", "all"), default="held", help="which ones (default: held)"
    )
    add_ticker_option(positions)
    add_subaccount_option(positions, "of a subaccount; without it of the primary")


def run(options: argparse.Namespace) -> int:
    """List holdings."""
    ticker = read_ticker_option(options)

    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        from kalshi_tui.cli.json_shapes import position_shape
        from kalshi_tui.cli.position_values import read_position_markets, read_values
        from kalshi_tui.domain.text import market_text
        from kalshi_tui.kalshi import whole_history
        from kalshi_tui.presentation.number_text import NO_VALUE, count_text, market_price_text, money_text

        found = await whole_history.positions(
            rest,
            status="unsettled" if options.status == "held" else None,
            ticker=ticker,
            subaccount=options.subaccount,
            archive_required=False,
        )
        wanted = {"held": {True}, "closed": {False}, "all": {True, False}}[options.status]
        shown = sorted(
            (each for each in found if each.is_held in wanted), key=lambda each: (not each.is_held, each.ticker)
        )
        waiting.update("Reading what the positions are worth")
        markets = await read_position_markets(rest, [each.ticker for each in shown])
        precision = (await rest.balance(subaccount=options.subaccount)).precision if shown else 0
        valued = await read_values(rest, shown, markets, precision)
        if options.json:
            for each in valued:
                output.write_json(position_shape(each, markets.get(each.position.ticker)))
            return
        columns: tuple[Column, ...] = (
            Column("TICKER"),
            Column("SIDE"),
            Column("COUNT", right=True),
            Column("COST", right=True),
            Column("EXIT", right=True),
            Column("VALUE", right=True),
            Column("REALIZED", right=True),
            Column("FEES", right=True),
            Column("MARKET", can_shrink=True),
        )
        rows: list[tuple[str, ...]] = [
            (
                each.ticker,
                "YES" if each.count > 0 else "NO" if each.count else "",
                count_text(abs(each.count)),
                money_text(each.cost),
                market_price_text(None if worth is None else worth.best_price, market),
                NO_VALUE if worth is None or worth.value is None else money_text(worth.value),
                money_text(each.realized_pnl, signed=True),
                money_text(each.fees_paid),
                market_text(market) if market is not None else NO_VALUE,
            )
            for each, worth in ((row.position, row.worth) for row in valued)
            for market in [markets.get(each.ticker)]
        ]
        if options.status != "held":
            columns = (*columns[:-1], Column("STATE"), columns[-1])
            rows = [(*row[:-1], each.state_word, row[-1]) for row, each in zip(rows, shown, strict=True)]
        output.write_table(
            columns, rows, "Nothing is held." if options.status == "held" else "There are no such positions."
        )

    return run_query(options, query, "Reading the positions")
