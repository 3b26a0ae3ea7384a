"""``audit``: compares streamed books with fresh snapshots of the exchange."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.exit_codes import FAILED, OK
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.parser import REPORT_EXIT_CODES, CommandRegistry, parse_seconds
from kalshi_tui.cli.progress import ProgressIndicator

if TYPE_CHECKING:
    from kalshi_tui.cli.exchange_access import CommandExchange
    from kalshi_tui.session.market_data.audit import AuditResult

CONNECT_TIMEOUT_S: Final = 15.0


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    audit = commands.add(
        "audit",
        run,
        summary="compare streamed order books with fresh ones of the exchange",
        description="Follow the books of these markets for a while, then compare each with a fresh snapshot of the "
        "exchange's. A line for each; exit code 0 if all are equal, 1 if not, or if one cannot be read.",
        examples=("kalshi-tui audit KXRECESSION-26 --seconds 30",),
        exit_codes=REPORT_EXIT_CODES,
        json="one JSON object",
    )
    audit.add_argument("tickers", nargs="+", metavar="TICKER", help="a market's ticker")
    audit.add_argument(
        "--seconds", type=parse_seconds, default=5.0, metavar="N", help="how long to follow (default: 5)"
    )


def run(options: argparse.Namespace) -> int:
    """Audit books on the profile's exchange. Raises FailedError."""
    from kalshi_tui.cli.exchange_access import open_exchange

    output = Output()
    with open_exchange(options, long_running=True) as exchange:
        import asyncio

        with ProgressIndicator(f"Following for {options.seconds:g} s"):
            results = asyncio.run(_audit_books(exchange, options.tickers, options.seconds))
    equal = all(result.equal for _, result in results)
    if options.json:
        books = [{"ticker": ticker, "equal": result.equal, "message": result.sentence} for ticker, result in results]
        output.write_json({"equal": equal, "books": books})
    else:
        output.write_lines(*(f"{ticker}: {result.sentence}" for ticker, result in results))
    return OK if equal else FAILED


async def _audit_books(
    exchange: "CommandExchange", tickers: Sequence[str], seconds: float
) -> "list[tuple[str, AuditResult]]":
    import asyncio
    import contextlib

    from kalshi_tui.kalshi.errors import KalshiError
    from kalshi_tui.runtime.compose import build_session
    from kalshi_tui.session.options import SessionOptions

    connected = exchange.access
    assert connected is not None  # noqa: S101 - without a key the exchange is not opened for this
    session = build_session(connected, options=SessionOptions(read_only=True))
    with contextlib.suppress(KalshiError):
        # Any reply sets the clock by the exchange's, as the stream's signature needs.
        await session.parts.rest.exchange_status()
    await session.start()
    try:
        session.set_shown_markets(tickers)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                while not all(session.store.book(ticker).is_good for ticker in tickers):  # noqa: ASYNC110 - the store pushes to a screen alone
                    await asyncio.sleep(0.05)
        await asyncio.sleep(seconds)
        return [(ticker, await session.run_audit(ticker)) for ticker in dict.fromkeys(tickers)]
    finally:
        await session.stop()
