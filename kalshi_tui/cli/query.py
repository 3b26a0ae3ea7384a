"""Run a command that only reads: one client, one query, the exchange's errors as failures of the command."""

import argparse
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from kalshi_tui.cli.exchange_access import CommandExchange, failure_from, open_exchange
from kalshi_tui.cli.exit_codes import INCOMPLETE, OK, FailedError, write_sentence
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.progress import ProgressIndicator

if TYPE_CHECKING:
    from kalshi_tui.domain.market import Event, Market
    from kalshi_tui.kalshi.lists import LeftOut
    from kalshi_tui.kalshi.rest import RestClient

T = TypeVar("T")
MAX_GIVEN_NAME: Final = 256
"""Characters of a ticker or an id that somebody types; those of the exchange are shorter."""


def run_query(
    options: argparse.Namespace,
    query: "Callable[[RestClient, Output, ProgressIndicator], Awaitable[None]]",
    progress_text: str,
    *,
    public: bool = False,
    opened: "Callable[[CommandExchange], None] | None" = None,
) -> int:
    """Open the exchange and run a query; return the exit code. ``progress_text`` stands beside the progress bar.

    ``opened`` is called with the exchange before the query runs.
    A list is printed without what could not be read, which is named; the exit code says that it is incomplete. Raises
    FailedError.
    """
    import asyncio

    output = Output()
    left_out: dict[LeftOut, None] = {}
    try:
        with open_exchange(options, public=public) as exchange, ProgressIndicator(progress_text) as waiting:
            if opened is not None:
                opened(exchange)
            asyncio.run(_run_query(exchange, output, waiting, query, left_out))
    finally:
        tell_left_out(left_out)
    return INCOMPLETE if any(not each.field for each in left_out) else OK


def tell_left_out(items: "Iterable[LeftOut]") -> None:
    """Report on standard error the items that could not be read; programs read the list on standard output."""
    if told := list(items):
        from kalshi_tui.kalshi.lists import left_out_sentence

        write_sentence(left_out_sentence(told))


async def _run_query(
    exchange: CommandExchange,
    output: Output,
    waiting: ProgressIndicator,
    query: "Callable[[RestClient, Output, ProgressIndicator], Awaitable[None]]",
    left_out: "dict[LeftOut, None]",
) -> None:
    async with exchange.read_only_rest(left_out.setdefault) as rest:
        await await_reply(query(rest, output, waiting))


async def await_reply(work: Awaitable[T]) -> T:
    """Await a reply. Raises FailedError for the exchange's errors and those of the way there."""
    from kalshi_tui.kalshi.errors import KalshiError

    try:
        return await work
    except KalshiError as error:
        raise failure_from(error) from error


def is_name(text: str) -> bool:
    """Return whether a text could be a ticker or an id; a dot would make another path of it."""
    return 0 < len(text) <= MAX_GIVEN_NAME and text.isascii() and text.isprintable() and text not in {".", ".."}


def parse_ticker(ticker: str) -> str:
    """Return a ticker. Raises FailedError for text that cannot be one."""
    wanted = ticker.strip()
    if not is_name(wanted) or " " in wanted:
        raise FailedError(f"{ticker[:40]!r} is no ticker; 'kalshi-tui markets' lists them.", "usage", 2)
    return wanted


async def read_full_market(rest: "RestClient", ticker: str) -> "tuple[Market, Event]":
    """Read a market with its event's title and its series' fees. Raises KalshiError."""
    from kalshi_tui.kalshi import whole_history

    market = await whole_history.market(rest, ticker)
    event = await whole_history.event_of(rest, market)
    fees = await rest.event_fees(event)
    title = event.title or market.title
    return replace(market, title=title, series_ticker=event.series_ticker, fees=fees), event
