"""What the commands that only ask have in common: one client, one question, failures in the command line's terms."""

import argparse
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from kalshi_tui.command_line.exchange import Exchange, failure_of, opened
from kalshi_tui.command_line.exits import OK, FailedError
from kalshi_tui.command_line.output import Output
from kalshi_tui.command_line.progress import Waiting

if TYPE_CHECKING:
    from kalshi_tui.domain.market import Event, Market
    from kalshi_tui.kalshi.rest import RestClient

T = TypeVar("T")


def asked(
    options: argparse.Namespace,
    question: "Callable[[RestClient, Output, Waiting], Awaitable[None]]",
    words: str,
    *,
    public: bool = False,
) -> int:
    """Open the exchange and put a question; give the exit code. ``words`` stand beside the bar while it takes long.

    Raises FailedError.
    """
    import asyncio

    output = Output()
    with opened(options, public=public) as exchange, Waiting(words) as waiting:
        asyncio.run(_put(exchange, output, waiting, question))
    return OK


async def _put(
    exchange: Exchange,
    output: Output,
    waiting: Waiting,
    question: "Callable[[RestClient, Output, Waiting], Awaitable[None]]",
) -> None:
    async with exchange.rest() as rest:
        await understood(question(rest, output, waiting))


async def understood(work: Awaitable[T]) -> T:
    """Wait for a question's answer. Raises FailedError for what the exchange or the way there does."""
    from kalshi_tui.kalshi.errors import KalshiError

    try:
        return await work
    except KalshiError as error:
        raise failure_of(error) from error


def checked_ticker(ticker: str) -> str:
    """Give a ticker. Raises FailedError for what can be none."""
    wanted = ticker.strip()
    if not wanted or not wanted.isascii() or not wanted.isprintable() or " " in wanted or wanted in {".", ".."}:
        raise FailedError(f"{ticker[:40]!r} is no ticker; 'kalshi-tui markets' lists them.", "usage", 2)
    return wanted


async def whole_market(rest: "RestClient", ticker: str) -> "tuple[Market, Event]":
    """Read a market with what its event and its series tell: title, category, fees. Raises KalshiError."""
    market = await rest.market(ticker)
    event = await rest.event(market.event_ticker)
    fees = await rest.fees_of(event)
    title = event.title or market.title
    return replace(market, title=title, series_ticker=event.series_ticker, fees=fees), event
