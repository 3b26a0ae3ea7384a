"""``record``: records without a screen (at the desk the key is ``R``)."""

import argparse
from pathlib import Path
from typing import Final

from kalshi_tui.cli.exit_codes import (
    FAILED,
    OK,
    USAGE,
    FailedError,
)
from kalshi_tui.cli.parser import CommandRegistry

DEFAULT_MARKET_COUNT: Final = 20
"""How many markets are recorded where none are named."""
MAX_RECORDING_S: Final = 30 * 86_400


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    record = commands.add(
        "record",
        run,
        summary="record the stream of markets into a file, to be played later",
        description="Record quotes, books, trades and lifecycle events of these markets, or of those that trade most, "
        "until Ctrl+C, SIGTERM or the end of --for. Nothing of your account is in the file. 'kalshi-tui replay FILE' "
        "plays it.",
        examples=("kalshi-tui record monday.rec.gz --for 3600", "kalshi-tui record fed.rec.gz KXRECESSION-26"),
        exit_codes=(OK, FAILED, USAGE),
        json="one JSON object at the end",
    )
    record.add_argument("file", type=Path, metavar="FILE", help="a new file; .rec.gz suits its name")
    record.add_argument(
        "tickers",
        nargs="*",
        metavar="TICKER",
        help=f"markets (default: the {DEFAULT_MARKET_COUNT} open ones that trade most)",
    )
    record.add_argument(
        "--for",
        dest="seconds",
        type=_parse_duration,
        metavar="SECONDS",
        help="end by itself after so long (at most 30 days)",
    )


def _parse_duration(text: str) -> float:
    """Read the length of a recording, in seconds."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number <= MAX_RECORDING_S:
        raise argparse.ArgumentTypeError(
            f"takes a number of seconds above 0, at most {MAX_RECORDING_S} (30 days), not {text[:20]!r}"
        )
    return number


def run(options: argparse.Namespace) -> int:
    """Record until the time is over or a signal comes. Raises FailedError."""
    import asyncio

    from kalshi_tui.cli.exchange_access import failure_from, open_exchange
    from kalshi_tui.cli.record_run import RecordError, RecordRun
    from kalshi_tui.kalshi.errors import KalshiError
    from kalshi_tui.recording.writer import RecordingError

    with open_exchange(options, long_running=True) as exchange:
        connected = exchange.access
        assert connected is not None  # noqa: S101 - without a key the exchange is not opened for this
        try:
            return asyncio.run(RecordRun(options, connected, DEFAULT_MARKET_COUNT).run())
        except KalshiError as error:
            raise failure_from(error) from error
        except (RecordError, RecordingError) as error:
            raise FailedError(str(error), "recording") from error
