"""``audit``: compares streamed books with fresh ones of the exchange."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.exit_codes import FAILED, OK
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.parser import LISTS, Commands, seconds
from kalshi_tui.cli.progress import Waiting

if TYPE_CHECKING:
    from kalshi_tui.cli.connection import Exchange
    from kalshi_tui.session.market_data.audit import Audit

CONNECT_WITHIN_S: Final = 15.0


def add(commands: Commands) -> None:
    """Add the command."""
    audit = commands.add(
        "audit",
        run,
        summary="compare streamed order books with fresh ones of the exchange",
        description="Follow the books of these markets for a while, then compare each with a fresh snapshot of the "
        "exchange's. A line for each; exit code 0 if all are equal, 1 if not, or if one cannot be had.",
        examples=("kalshi-tui audit KXRECESSION-26 --seconds 30",),
        exits=LISTS,
        json="one JSON object",
    )
    audit.add_argument("tickers", nargs="+", metavar="TICKER", help="a market's ticker")
    audit.add_argument("--seconds", type=seconds, default=5.0, metavar="N", help="how long to follow (default: 5)")


def run(options: argparse.Namespace) -> int:
    """Audit books on the profile's exchange. Raises FailedError."""
    from kalshi_tui.cli.connection import opened

    output = Output()
    with opened(options, lasting=True) as exchange:
        import asyncio

        with Waiting(f"Following for {options.seconds:g} s"):
            results = asyncio.run(_audited(exchange, options.tickers, options.seconds))
    equal = all(result.equal for _, result in results)
    if options.json:
        books = [{"ticker": ticker, "equal": result.equal, "message": result.sentence} for ticker, result in results]
        output.object({"equal": equal, "books": books})
    else:
        output.lines(*(f"{ticker}: {result.sentence}" for ticker, result in results))
    return OK if equal else FAILED


async def _audited(exchange: "Exchange", tickers: Sequence[str], seconds: float) -> "list[tuple[str, Audit]]":
    import asyncio
    import contextlib

    from kalshi_tui.kalshi.errors import KalshiError
    from kalshi_tui.kalshi.transport.clock import ExchangeClock
    from kalshi_tui.runtime.compose import clock_ms, session_of

    connected = exchange.connected
    assert connected is not None  # noqa: S101 - without a key the exchange is not opened for this
    rest = exchange.rest(clock=ExchangeClock(clock_ms))
    session = session_of(connected, rest=rest)
    with contextlib.suppress(KalshiError):
        # It sets the clock by the exchange's, which the stream's signature needs.
        await rest.exchange_status()
    await session.start()
    try:
        session.look_at(tickers)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_WITHIN_S):
                while not all(session.store.book(ticker).good for ticker in tickers):  # noqa: ASYNC110 - the store pushes to a screen alone
                    await asyncio.sleep(0.05)
        await asyncio.sleep(seconds)
        return [(ticker, await session.audited(ticker)) for ticker in dict.fromkeys(tickers)]
    finally:
        await session.stop()
