"""What the commands that only ask have in common: one client, one question, failures in the command line's terms."""

import argparse
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from kalshi_tui.cli.connection import CommandExchange, failure_from, open_exchange
from kalshi_tui.cli.exit_codes import OK, FailedError
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.progress import ProgressIndicator

if TYPE_CHECKING:
    from kalshi_tui.domain.market import Event, Market
    from kalshi_tui.kalshi.lists import LeftOut
    from kalshi_tui.kalshi.rest import RestClient

T = TypeVar("T")


def run_query(
    options: argparse.Namespace,
    query: "Callable[[RestClient, Output, ProgressIndicator], Awaitable[None]]",
    progress_text: str,
    *,
    public: bool = False,
) -> int:
    """Open the exchange and put a question; give the exit code. ``words`` stand beside the bar while it takes long.

    Raises FailedError.
    """
    import asyncio

    output = Output()
    left_out: dict[LeftOut, None] = {}
    try:
        with open_exchange(options, public=public) as exchange, ProgressIndicator(progress_text) as waiting:
            asyncio.run(_run_query(exchange, output, waiting, query, left_out))
    finally:
        tell_left_out(left_out)
    return OK


def tell_left_out(items: "Iterable[LeftOut]") -> None:
    """Return what the exchange listed and nobody could read: beside the list and not in it, which programs read."""
    if told := list(items):
        from kalshi_tui.kalshi.lists import left_out_sentence

        sys.stderr.write(f"kalshi-tui: {left_out_sentence(told)}\n")


async def _run_query(
    exchange: CommandExchange,
    output: Output,
    waiting: ProgressIndicator,
    query: "Callable[[RestClient, Output, ProgressIndicator], Awaitable[None]]",
    left_out: "dict[LeftOut, None]",
) -> None:
    async with exchange.rest() as rest:
        rest.on_left_out = left_out.setdefault
        await await_reply(query(rest, output, waiting))


async def await_reply(work: Awaitable[T]) -> T:
    """Wait for a question's answer. Raises FailedError for what the exchange or the way there does."""
    from kalshi_tui.kalshi.errors import KalshiError

    try:
        return await work
    except KalshiError as error:
        raise failure_from(error) from error


def parse_ticker(ticker: str) -> str:
    """Return a ticker. Raises FailedError for what can be none."""
    wanted = ticker.strip()
    if not wanted or not wanted.isascii() or not wanted.isprintable() or " " in wanted or wanted in {".", ".."}:
        raise FailedError(f"{ticker[:40]!r} is no ticker; 'kalshi-tui markets' lists them.", "usage", 2)
    return wanted


async def read_full_market(rest: "RestClient", ticker: str) -> "tuple[Market, Event]":
    """Read a market with what its event and its series tell: title, category, fees. Raises KalshiError."""
    market = await rest.market(ticker)
    event = await rest.event(market.event_ticker)
    fees = await rest.event_fees(event)
    title = event.title or market.title
    return replace(market, title=title, series_ticker=event.series_ticker, fees=fees), event
