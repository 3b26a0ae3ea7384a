"""``balance``, ``positions``, ``orders`` and ``fills``: the account's lists at the exchange."""

import argparse
import contextlib
from typing import TYPE_CHECKING

from kalshi_tui.cli.output import Column, Output, format_time
from kalshi_tui.cli.parser import LIST_EXIT_CODES, CommandRegistry, integer_between
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import parse_ticker, run_query
from kalshi_tui.cli.subaccounts import add_subaccount_option

if TYPE_CHECKING:
    from kalshi_tui.kalshi.rest import RestClient

MAX_ROWS = 100_000
LAG_NOTE = "The exchange's lists lag what it has just done by a few seconds."


def add(commands: CommandRegistry) -> None:
    """Add the commands."""
    balance = commands.add(
        "balance",
        run_balance,
        summary="show the cash, where it can be spent, and what positions are worth",
        description="Show the account's cash, in all and by the part of the exchange (exchange index) where it can be "
        "spent: an order is paid from where its market is, and 'kalshi-tui transfer' moves cash there. And what the "
        f"exchange says the positions are worth. {LAG_NOTE}",
        examples=("kalshi-tui balance", "kalshi-tui --env live balance --json | jq -r .cash"),
        exit_codes=LIST_EXIT_CODES,
        json="one JSON object",
    )
    positions = commands.add(
        "positions",
        run_positions,
        summary="list what is held",
        description="List the holdings: the outcome and how many, what they cost, what closing others has gained, the "
        f"fees paid. Those of settled markets are gone from this list. {LAG_NOTE}",
        examples=("kalshi-tui positions",),
        exit_codes=LIST_EXIT_CODES,
        json="one JSON object a line for each holding",
    )
    orders = commands.add(
        "orders",
        run_orders,
        summary="list orders, those that rest or others",
        description="List orders, newest first: the outcome that they lean to with its price, how many were ordered "
        f"and filled, and their ids. Those that rest, unless another status is asked for; those that the exchange has "
        f"moved into its archive come last. {LAG_NOTE}",
        examples=("kalshi-tui orders", "kalshi-tui orders --status all --limit 20 --json"),
        exit_codes=LIST_EXIT_CODES,
        json="one JSON object a line for each order",
    )
    orders.add_argument(
        "--status",
        choices=("resting", "canceled", "executed", "all"),
        default="resting",
        help="which ones (default: resting)",
    )
    fills = commands.add(
        "fills",
        run_fills,
        summary="list executions",
        description="List the account's executions, newest first: when, of which order, the outcome that was bought "
        "with its price, how many, the fee, and whether as maker or taker. Those in the exchange's archive are among "
        f"them. {LAG_NOTE}",
        examples=("kalshi-tui fills --ticker KXRECESSION-26",),
        exit_codes=LIST_EXIT_CODES,
        json="one JSON object a line for each execution",
    )
    for each in (positions, orders, fills):
        each.add_argument("--ticker", metavar="T", help="only those of a market")
    for each in (balance, positions):
        add_subaccount_option(each, "of a subaccount; without it of the primary")
    for each in (orders, fills):
        add_subaccount_option(each, "only those of a subaccount; without it those of all")
    for each in (orders, fills):
        each.add_argument("--limit", type=integer_between(1, MAX_ROWS), metavar="N", help="at most N")


def _parse_ticker_option(options: argparse.Namespace) -> str | None:
    return parse_ticker(options.ticker) if options.ticker is not None else None


def _with_subaccounts(
    columns: tuple[Column, ...], rows: list[tuple[str, ...]], numbers: list[int]
) -> tuple[tuple[Column, ...], list[tuple[str, ...]]]:
    """Return a table with the subaccounts' numbers in front, where any but the primary is in it."""
    if not any(numbers):
        return columns, rows
    return (Column("SUB", right=True), *columns), [(str(n), *row) for n, row in zip(numbers, rows, strict=True)]


def run_balance(options: argparse.Namespace) -> int:
    """Show the balance."""

    async def question(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import balance_shape
        from kalshi_tui.kalshi.errors import KalshiError
        from kalshi_tui.presentation.number_text import money_text

        balance = await rest.balance(subaccount=options.subaccount)
        if options.json:
            output.write_json(balance_shape(balance))
            return
        names = {}
        # Only the words beside the numbers come from the status: the balance does not fail with it.
        with contextlib.suppress(KalshiError):
            names = {each.exchange_index: each.description for each in (await rest.exchange_status()).shards}
        rows = [
            ("cash", money_text(balance.cash)),
            *((f"at {index} {names.get(index, '')}".rstrip(), money_text(cash)) for index, cash in balance.by_shard),
            ("positions", money_text(balance.portfolio_value)),
        ]
        wide = max(len(value) for _, value in rows)
        output.write_facts([(name, value.rjust(wide)) for name, value in rows])

    return run_query(options, question, "Reading the balance")


def run_positions(options: argparse.Namespace) -> int:
    """List holdings."""
    ticker = _parse_ticker_option(options)

    async def question(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import position_shape
        from kalshi_tui.presentation.number_text import count_text, money_text

        held = sorted(
            (each for each in await rest.positions(ticker=ticker, subaccount=options.subaccount) if each.count),
            key=lambda each: each.ticker,
        )
        if options.json:
            for each in held:
                output.write_json(position_shape(each))
            return
        columns = (
            Column("TICKER"),
            Column("SIDE"),
            Column("COUNT", right=True),
            Column("COST", right=True),
            Column("REALIZED", right=True),
            Column("FEES", right=True),
        )
        rows = [
            (
                each.ticker,
                "YES" if each.count > 0 else "NO",
                count_text(abs(each.count)),
                money_text(each.cost),
                money_text(each.realized_pnl, signed=True),
                money_text(each.fees_paid),
            )
            for each in held
        ]
        output.write_table(columns, rows, "Nothing is held.")

    return run_query(options, question, "Reading the positions")


def run_orders(options: argparse.Namespace) -> int:
    """List orders."""
    ticker = _parse_ticker_option(options)

    async def question(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import listed_order_shape
        from kalshi_tui.domain.order import to_outcome_price
        from kalshi_tui.domain.text import plain_price_text
        from kalshi_tui.kalshi import whole_history
        from kalshi_tui.presentation.number_text import count_text

        status = None if options.status == "all" else options.status
        orders = await whole_history.orders(
            rest, status=status, ticker=ticker, most=options.limit, subaccount=options.subaccount
        )
        if options.json:
            for each in orders:
                output.write_json(listed_order_shape(each))
            return
        columns: tuple[Column, ...] = (
            Column("TICKER"),
            Column("SIDE"),
            Column("PRICE", right=True),
            Column("COUNT", right=True),
            Column("FILLED", right=True),
            Column("LEFT", right=True),
            Column("STATE"),
            Column("ORDER ID"),
        )
        rows: list[tuple[str, ...]] = []
        for each in orders:
            side, price = to_outcome_price(each.book_side, each.yes_price)
            counts = map(count_text, (each.initial, each.filled, each.remaining))
            rows.append((each.ticker, side.name, plain_price_text(price), *counts, each.state.word, each.order_id))
        columns, rows = _with_subaccounts(columns, rows, [each.subaccount for each in orders])
        output.write_table(
            columns, rows, "No order rests." if options.status == "resting" else "There are no such orders."
        )

    return run_query(options, question, "Reading the orders")


def run_fills(options: argparse.Namespace) -> int:
    """List executions."""
    ticker = _parse_ticker_option(options)

    async def question(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import fill_shape
        from kalshi_tui.domain.order import to_outcome_price
        from kalshi_tui.domain.text import plain_price_text
        from kalshi_tui.kalshi import whole_history
        from kalshi_tui.presentation.number_text import count_text, money_text

        fills = await whole_history.fills(rest, ticker=ticker, most=options.limit, subaccount=options.subaccount)
        if options.json:
            for each in fills:
                output.write_json(fill_shape(each))
            return
        columns: tuple[Column, ...] = (
            Column("TIME"),
            Column("TICKER"),
            Column("SIDE"),
            Column("PRICE", right=True),
            Column("COUNT", right=True),
            Column("FEE", right=True),
            Column("AS"),
            Column("ORDER ID"),
        )
        rows: list[tuple[str, ...]] = []
        for each in fills:
            side, price = to_outcome_price(each.book_side, each.yes_price)
            rows.append(
                (
                    format_time(each.ts_ms),
                    each.ticker,
                    side.name,
                    plain_price_text(price),
                    count_text(each.count),
                    money_text(each.fee),
                    "taker" if each.is_taker else "maker",
                    each.order_id,
                )
            )
        columns, rows = _with_subaccounts(columns, rows, [each.subaccount for each in fills])
        output.write_table(columns, rows, "Nothing has been filled.")

    return run_query(options, question, "Reading the fills")
