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
    from collections.abc import Sequence

    from kalshi_tui.domain.market import Market
    from kalshi_tui.domain.position import Position
    from kalshi_tui.domain.price import Price
    from kalshi_tui.kalshi.rest import RestClient


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    positions = commands.add(
        "positions",
        run,
        summary="list what is held, or what was held",
        description="List the positions: the outcome and how many, what they cost, the best bid, what all would "
        "bring at it before the fee, what closing others has gained, the fees paid. Bids may be up to 15 s old, and a "
        "bid need not be for all that is held. Those that are held, unless another status is asked for; a position is "
        "closed once all of it was sold or its market has settled, and those that the exchange has moved into its "
        f"archive are among them. {LAG_NOTE}",
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
        markets = await _read_markets(rest, [each.ticker for each in shown])
        if options.json:
            for each in shown:
                market = markets.get(each.ticker)
                output.write_json(position_shape(each, market, _exit_price(each, market)))
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
                market_price_text(bid, market),
                money_text(bid * abs(each.count)) if bid is not None else NO_VALUE,
                money_text(each.realized_pnl, signed=True),
                money_text(each.fees_paid),
                market_text(market) if market is not None else NO_VALUE,
            )
            for each in shown
            for market in [markets.get(each.ticker)]
            for bid in [_exit_price(each, market)]
        ]
        if options.status != "held":
            columns = (*columns[:-1], Column("STATE"), columns[-1])
            rows = [(*row[:-1], each.state_word, row[-1]) for row, each in zip(rows, shown, strict=True)]
        output.write_table(
            columns, rows, "Nothing is held." if options.status == "held" else "There are no such positions."
        )

    return run_query(options, query, "Reading the positions")


def _exit_price(position: "Position", market: "Market | None") -> "Price | None":
    """Return the best bid for what is held, None where there is none or no order is taken."""
    from kalshi_tui.domain.book import Side

    if not position.is_held or market is None or not market.status.tradable:
        return None
    return market.quote.bid_for(Side.YES if position.count > 0 else Side.NO)


async def _read_markets(rest: "RestClient", tickers: "Sequence[str]") -> "dict[str, Market]":
    """Read the markets of the positions by their tickers, whatever state they are in.

    Where they cannot be read, the positions are listed without name and bid, and this is told.
    """
    from kalshi_tui.kalshi.errors import KalshiError
    from kalshi_tui.kalshi.lists import LeftOut
    from kalshi_tui.kalshi.rest import MAX_TICKERS_PER_REQUEST

    markets: dict[str, Market] = {}
    try:
        for start in range(0, len(tickers), MAX_TICKERS_PER_REQUEST):
            chunk = tickers[start : start + MAX_TICKERS_PER_REQUEST]
            markets |= {each.ticker: each async for each in rest.markets(tickers=chunk)}
            if old := [each for each in chunk if each not in markets]:
                markets |= {each.ticker: each async for each in rest.archive.markets(tickers=old)}
    except KalshiError as error:
        rest.leave_out(LeftOut("list of markets", "that of the positions", str(error)))
    return markets
