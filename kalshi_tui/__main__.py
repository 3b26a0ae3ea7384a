"""The command line; the one place that composes practice exchange, session and screen."""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import kalshi_tui

if TYPE_CHECKING:
    from kalshi_tui.kalshi.sink import Sink
    from kalshi_tui.kalshi.stream_group import Listener
    from kalshi_tui.launch import Ready
    from kalshi_tui.session.journal import Journal
    from kalshi_tui.session.options import Options
    from kalshi_tui.session.session import Session
    from kalshi_tui.ui.wishes import Wishes

JOURNAL: Final = "journal.sqlite3"
CONNECT_WITHIN_S: Final = 15.0

# Imports that cost time stand in the functions that need them: `--help` has to be quick, and the practice exchange
# starts while the screen's libraries load.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and give its exit code: 0 well, 1 a failure told in a sentence, 2 a wrong command line."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        if options.command == "practice":
            return _practice(options)
        if options.command == "audit":
            return _audit(options)
        return _desk(options)
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """Define the command line."""
    parser = argparse.ArgumentParser(
        prog="kalshi-tui",
        description="A terminal trading desk for Kalshi. Without a command it opens on a practice exchange that it "
        "starts on this machine: no account, no key, no real money.",
    )
    parser.add_argument("--version", action="version", version=f"kalshi-tui {kalshi_tui.__version__}")
    _add_practice_world(parser)
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (default: per user, if there)")
    parser.add_argument("--read-only", action="store_true", help="watch only: nothing is sent, changed or cancelled")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    practice = commands.add_parser(
        "practice",
        help="run the practice exchange alone, for any Kalshi client",
        description="Run the practice exchange alone. Its first line on standard output is one JSON object with "
        "rest_url, ws_url, api_key_id, private_key_path and pid. Ctrl+C or SIGTERM ends it.",
    )
    _add_practice_world(practice)
    _add_practice_server(practice)
    audit = commands.add_parser(
        "audit",
        help="compare streamed order books with fresh ones of the exchange",
        description="Follow the books of these markets for a while, then compare each with a fresh snapshot of the "
        "exchange's. A line for each; exit code 0 if all are equal, 1 if not, or if one cannot be had.",
    )
    audit.add_argument("tickers", nargs="+", metavar="TICKER", help="a market's ticker")
    audit.add_argument("--seconds", type=float, default=5.0, metavar="N", help="how long to follow (default: 5)")
    _add_practice_world(audit)
    return parser


def _add_practice_world(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder for the practice account (default: per user)")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of the simulated market")
    parser.add_argument("--fresh", action="store_true", help="start a new practice account, forgetting the old one")


def _default_data() -> Path:
    from platformdirs import user_data_path  # noqa: PLC0415 - see the top

    return user_data_path("kalshi-tui", appauthor=False) / "practice"


def _export_folder() -> Path:
    from platformdirs import user_documents_path  # noqa: PLC0415 - see the top

    return user_documents_path() / "kalshi-tui"


def _complain(sentence: str) -> int:
    sys.stderr.write(f"kalshi-tui: {sentence}\n")
    return 1


def _world_arguments(options: argparse.Namespace) -> list[str]:
    """Give what a practice exchange is started with."""
    seed = [] if options.seed is None else ["--seed", str(options.seed)]
    return ["--data", str(options.data or _default_data()), *seed]


def _add_practice_server(parser: argparse.ArgumentParser) -> None:
    from kalshi_tui.practice.main import add_arguments  # noqa: PLC0415 - see the top

    add_arguments(parser)


def _practice(options: argparse.Namespace) -> int:
    from kalshi_tui.practice.main import run  # noqa: PLC0415 - see the top

    return run(options, options.data or _default_data())


class _SettingsRefusedError(Exception):
    """The settings cannot be used; the message says why."""


def _wishes(options: argparse.Namespace) -> "tuple[Options, Wishes]":
    """Read the settings: how to trade, and how it looks. Raises _SettingsRefusedError."""
    from platformdirs import user_config_path  # noqa: PLC0415 - see the top

    from kalshi_tui.settings import FILE, SettingsError, looks_of, options_of, read_settings  # noqa: PLC0415 - see the top

    path = options.settings or user_config_path("kalshi-tui", appauthor=False) / FILE
    try:
        settings = read_settings(path, must_exist=options.settings is not None)
        return options_of(settings, read_only=options.read_only), replace(
            looks_of(settings), export_folder=_export_folder()
        )
    except SettingsError as error:
        raise _SettingsRefusedError(str(error)) from error


def _desk(options: argparse.Namespace) -> int:
    """Open the desk on a practice exchange of its own."""
    from kalshi_tui.launch import LaunchError, PracticeProcess  # noqa: PLC0415 - see the top

    if not sys.stdin.isatty() or not sys.stdout.isatty():
        return _complain("the desk needs a terminal. For scripts there is 'kalshi-tui practice'.")
    folder = options.data or _default_data()
    try:
        wishes, looks = _wishes(options)
    except _SettingsRefusedError as error:
        return _complain(str(error))
    if options.fresh:
        from kalshi_tui.practice.anew import may_start_anew  # noqa: PLC0415 - see the top
        from kalshi_tui.practice.main import KEPT  # noqa: PLC0415 - see the top

        if not may_start_anew(folder):
            return _complain(KEPT)
    exchange = PracticeProcess(_world_arguments(options) + (["--fresh"] if options.fresh else []))
    try:
        # The screen's libraries load while the exchange starts.
        from kalshi_tui.session.journal import Journal, JournalError  # noqa: PLC0415 - see the top
        from kalshi_tui.ui.app import DeskApp  # noqa: PLC0415 - see the top

        try:
            ready = exchange.ready()
            if options.fresh:
                # The old account's orders are gone with it; nobody could be asked about them.
                Journal.forget(folder / JOURNAL)
            journal = Journal.open(folder / JOURNAL, ready.api_key_id)
            session = practice_session(ready, exchange.gone, journal, wishes, folder)
        except (LaunchError, JournalError) as error:
            return _complain(str(error))
        app = DeskApp(session, clock_ms=_clock_ms, wishes=replace(looks, kept_folder=folder))
        app.run()
        if session.last_words:
            sys.stdout.write(f"{session.last_words}\n")
        return app.return_code or 0
    finally:
        exchange.end()


def _audit(options: argparse.Namespace) -> int:
    """Audit books on a practice exchange of its own."""
    from kalshi_tui.launch import LaunchError, PracticeProcess  # noqa: PLC0415 - see the top

    if options.fresh:
        return _complain("an audit starts nothing anew; leave --fresh out.")
    exchange = PracticeProcess(_world_arguments(options))
    try:
        return asyncio.run(_audit_all(practice_session(exchange.ready()), options.tickers, options.seconds))
    except LaunchError as error:
        return _complain(str(error))
    finally:
        exchange.end()


async def _audit_all(session: "Session", tickers: Sequence[str], seconds: float) -> int:
    await session.start()
    try:
        session.look_at(tickers)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_WITHIN_S):
                while not all(session.store.book(ticker).good for ticker in tickers):  # noqa: ASYNC110 - the store pushes to a screen alone
                    await asyncio.sleep(0.05)
        await asyncio.sleep(seconds)
        results = [(ticker, await session.audited(ticker)) for ticker in dict.fromkeys(tickers)]
    finally:
        await session.stop()
    for ticker, result in results:
        sys.stdout.write(f"{ticker}: {result.sentence}\n")
    return 0 if all(result.equal for _, result in results) else 1


def practice_session(
    ready: "Ready",
    gone: Callable[[], str] = str,
    journal: "Journal | None" = None,
    options: "Options | None" = None,
    kept_folder: Path | None = None,
) -> "Session":
    """Compose the session from a practice exchange's ready line; ``gone`` says when that has ended.

    Alerts are kept in ``kept_folder``, if one is given.
    """
    from kalshi_tui.kalshi.clock import ExchangeClock  # noqa: PLC0415
    from kalshi_tui.kalshi.environments import practice_at  # noqa: PLC0415 - see the top
    from kalshi_tui.kalshi.practice_control import PracticeControl  # noqa: PLC0415
    from kalshi_tui.kalshi.rest import RestClient  # noqa: PLC0415
    from kalshi_tui.kalshi.signing import Signer  # noqa: PLC0415
    from kalshi_tui.kalshi.stream import Stream  # noqa: PLC0415
    from kalshi_tui.kalshi.stream_group import StreamGroup  # noqa: PLC0415
    from kalshi_tui.session.session import Session  # noqa: PLC0415
    from kalshi_tui.session.venue import Venue  # noqa: PLC0415

    environment = practice_at(ready.rest_url, ready.ws_url)
    signer = Signer.from_pem(ready.api_key_id, ready.private_key_path.read_bytes())
    clock = ExchangeClock(_clock_ms)

    def a_stream(sink: "Sink", listener: "Listener", *, private: bool) -> Stream:
        return Stream(environment, signer, sink, clock=clock, listener=listener, private=private)

    return Session(
        Venue.PRACTICE,
        RestClient(environment, signer, clock=clock),
        lambda store, listener: StreamGroup(a_stream, store, listener),
        _clock_ms,
        control=PracticeControl(environment, signer, ready.control_token_path.read_text().strip(), clock=clock),
        gone=gone,
        journal=journal,
        options=options,
        kept_folder=kept_folder,
    )


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
