"""The command line; with `compose` the one place that puts practice exchange, session and screen together."""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import kalshi_tui
from kalshi_tui import garbage, hardening

if TYPE_CHECKING:
    from kalshi_tui.configuration import Loaded
    from kalshi_tui.doctor import Check
    from kalshi_tui.launch import PracticeProcess
    from kalshi_tui.profiles import Profile
    from kalshi_tui.session.session import Session

JOURNAL: Final = "journal.sqlite3"
AFTER_A_DEFECT: Final = " Orders: what the journal has is taken up at the next start."
CONNECT_WITHIN_S: Final = 15.0
OF_PRACTICE: Final = "--seed and --fresh are for the practice exchange that this program starts; leave them out here."

# Imports that cost time stand in the functions that need them: `--help` has to be quick, and the practice exchange
# starts while the screen's libraries load.


class _RefusedError(Exception):
    """Something the trader gave cannot be used; the message is a sentence that says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and give its exit code: 0 well, 1 a failure told in a sentence, 2 a wrong command line."""
    try:
        hardening.harden()
    except OSError as error:
        return _complain(f"this process cannot be kept from being looked into ({error.strerror}); it does not start.")
    parser = build_parser()
    options = parser.parse_args(arguments)
    run = {"practice": _practice, "audit": _audit, "config": _config, "doctor": _doctor}.get(options.command, _desk)
    try:
        return run(options)
    except _RefusedError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return 130


def _complain(sentence: str) -> int:
    sys.stderr.write(f"kalshi-tui: {sentence}\n")
    return 1


def build_parser() -> argparse.ArgumentParser:
    """Define the command line."""
    parser = argparse.ArgumentParser(
        prog="kalshi-tui",
        description="A terminal trading desk for Kalshi. Without a command it opens on a practice exchange that it "
        "starts on this machine: no account, no key, no real money. --env demo and --env live open it on the exchange.",
    )
    parser.add_argument("--version", action="version", version=f"kalshi-tui {kalshi_tui.__version__}")
    _add_exchange(parser)
    _add_practice_world(parser)
    parser.add_argument("--read-only", action="store_true", help="watch only: nothing is sent, changed or cancelled")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    practice = commands.add_parser(
        "practice",
        help="run the practice exchange alone, for any Kalshi client",
        description="Run the practice exchange alone. Its first line on standard output is one JSON object with "
        "rest_url, ws_url, api_key_id, private_key_path and pid. Ctrl+C or SIGTERM ends it.",
    )
    _add_practice_world(practice, again=True)
    _add_practice_server(practice)
    audit = commands.add_parser(
        "audit",
        help="compare streamed order books with fresh ones of the exchange",
        description="Follow the books of these markets for a while, then compare each with a fresh snapshot of the "
        "exchange's. A line for each; exit code 0 if all are equal, 1 if not, or if one cannot be had.",
    )
    audit.add_argument("tickers", nargs="+", metavar="TICKER", help="a market's ticker")
    audit.add_argument("--seconds", type=float, default=5.0, metavar="N", help="how long to follow (default: 5)")
    _add_exchange(audit, again=True)
    _add_practice_world(audit, again=True)
    config = commands.add_parser(
        "config",
        help="show the settings in force, and where each is from",
        description="Show each setting with its value and where that is from: the default, a line of the settings "
        "file, or a variable of the environment. Keys and passphrases are not shown.",
    )
    config.add_argument("--explain", action="store_true", help="say what each setting means")
    config.add_argument("--json", action="store_true", help="print one JSON object")
    _add_exchange(config, again=True)
    doctor = commands.add_parser(
        "doctor",
        help="check everything that trading needs, and say what to do where something is wrong",
        description="Check Python, terminal, clock, key file, connection, signature, limits, cash, exchange status and "
        "disk. A line for each: ok, or a sentence with the remedy. Exit code 0 if all is well, 1 if not.",
    )
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    _add_exchange(doctor, again=True)
    _add_practice_world(doctor, again=True)
    return parser


def _add_exchange(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    """Add what chooses the exchange; ``again`` behind a command, where it stands in the place of what came before."""
    default = argparse.SUPPRESS if again else None
    parser.add_argument("--env", default=default, metavar="NAME", help="profile: practice, demo, live, or your own")
    parser.add_argument("--rest-url", default=default, metavar="URL", help="the REST API's address, for this run")
    parser.add_argument("--ws-url", default=default, metavar="URL", help="the stream's address, for this run")
    parser.add_argument(
        "--settings", type=Path, default=default, metavar="FILE", help="settings file (default: per user, if there)"
    )


def _add_practice_world(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    default = argparse.SUPPRESS if again else None
    parser.add_argument(
        "--data", type=Path, default=default, metavar="DIR", help="folder for account and journal (default: per user)"
    )
    parser.add_argument("--seed", type=int, default=default, metavar="N", help="seed of the simulated market")
    parser.add_argument(
        "--fresh",
        action="store_true",
        default=argparse.SUPPRESS if again else False,
        help="start a new practice account, forgetting the old one",
    )


def _add_practice_server(parser: argparse.ArgumentParser) -> None:
    from kalshi_tui.practice.main import add_arguments  # noqa: PLC0415 - see the top

    add_arguments(parser)


def _folder(options: argparse.Namespace, profile: str = "practice") -> Path:
    """Give the folder of a profile's journal, lists and, in practice, account."""
    if options.data:
        return Path(options.data)
    from platformdirs import user_data_path  # noqa: PLC0415 - see the top

    return user_data_path("kalshi-tui", appauthor=False) / profile


def _export_folder() -> Path:
    from platformdirs import user_documents_path  # noqa: PLC0415 - see the top

    return user_documents_path() / "kalshi-tui"


def _world(options: argparse.Namespace, *, fresh: bool = False) -> list[str]:
    """Give what a practice exchange is started with."""
    seed = [] if options.seed is None else ["--seed", str(options.seed)]
    return ["--data", str(_folder(options)), *seed, *(["--fresh"] if fresh else [])]


def _loaded(options: argparse.Namespace) -> "Loaded":
    """Read the settings. Raises _RefusedError."""
    from platformdirs import user_config_path  # noqa: PLC0415 - see the top

    from kalshi_tui.configuration import load  # noqa: PLC0415 - see the top
    from kalshi_tui.settings import FILE, SettingsError  # noqa: PLC0415 - see the top

    path = options.settings or user_config_path("kalshi-tui", appauthor=False) / FILE
    try:
        return load(path, os.environ, must_exist=options.settings is not None)
    except SettingsError as error:
        raise _RefusedError(str(error)) from error


def _profile(options: argparse.Namespace, loaded: "Loaded") -> "Profile":
    """Put the chosen profile together. Raises _RefusedError."""
    from kalshi_tui.credentials import CredentialsError  # noqa: PLC0415 - see the top
    from kalshi_tui.profiles import profile_of  # noqa: PLC0415 - see the top
    from kalshi_tui.settings import SettingsError  # noqa: PLC0415 - see the top

    try:
        profile = profile_of(
            loaded.settings, os.environ, env=options.env, rest_url=options.rest_url, ws_url=options.ws_url
        )
    except (SettingsError, CredentialsError) as error:
        raise _RefusedError(str(error)) from error
    if profile.environment is not None and (getattr(options, "fresh", False) or getattr(options, "seed", None)):
        raise _RefusedError(OF_PRACTICE)
    return profile


def _begun(options: argparse.Namespace, loaded: "Loaded", *, fresh: bool = False) -> "PracticeProcess | None":
    """Start a practice exchange if one is wanted, before anything slow is imported; None for any other profile."""
    from kalshi_tui.configuration import PRACTICE, chosen_name  # noqa: PLC0415 - see the top
    from kalshi_tui.launch import PracticeProcess  # noqa: PLC0415 - see the top

    if options.rest_url or options.ws_url or chosen_name(loaded.settings, os.environ, options.env) != PRACTICE:
        return None
    return PracticeProcess(_world(options, fresh=fresh))


def _practice(options: argparse.Namespace) -> int:
    from kalshi_tui import logs  # noqa: PLC0415 - see the top
    from kalshi_tui.practice.main import run  # noqa: PLC0415 - see the top

    logs.start(logs.PRACTICE_FILE)
    return run(options, _folder(options))


def _desk(options: argparse.Namespace) -> int:
    """Open the desk on the profile's exchange."""
    from kalshi_tui import logs  # noqa: PLC0415 - see the top

    crashes = logs.start(after=AFTER_A_DEFECT)
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise _RefusedError("the desk needs a terminal. For scripts there is 'kalshi-tui practice'.")
    loaded = _loaded(options)
    if options.fresh:
        from kalshi_tui.practice.anew import may_start_anew  # noqa: PLC0415 - see the top
        from kalshi_tui.practice.main import KEPT  # noqa: PLC0415 - see the top

        if not may_start_anew(_folder(options)):
            raise _RefusedError(KEPT)
    process = _begun(options, loaded, fresh=options.fresh)
    try:
        code, ended_by = _traded(options, loaded, process)
        return _complain(crashes.sentence(ended_by)) if ended_by else code
    finally:
        if process is not None:
            process.end()


def _traded(options: argparse.Namespace, loaded: "Loaded", process: "PracticeProcess | None") -> tuple[int, str]:
    """Run the desk and give its exit code, and the kind of defect that has ended it. Raises _RefusedError.

    The screen's libraries load while a practice exchange starts.
    """
    from kalshi_tui.compose import Opening, clock_ms, session_of  # noqa: PLC0415 - see the top
    from kalshi_tui.credentials import CredentialsError  # noqa: PLC0415 - see the top
    from kalshi_tui.launch import LaunchError  # noqa: PLC0415 - see the top
    from kalshi_tui.session.journal import Journal, JournalError  # noqa: PLC0415 - see the top
    from kalshi_tui.settings import looks_of, options_of  # noqa: PLC0415 - see the top
    from kalshi_tui.ui.app import DeskApp  # noqa: PLC0415 - see the top

    profile = _profile(options, loaded)
    folder = _folder(options, profile.name)
    wishes = options_of(loaded.settings, read_only=options.read_only or profile.read_only)
    try:
        connected = Opening(profile, process, _ask).ready()
        if options.fresh:
            # The old account's orders are gone with it; nobody could be asked about them.
            Journal.forget(folder / JOURNAL)
        journal = Journal.open(folder / JOURNAL, connected.signer.key_id)
    except (CredentialsError, LaunchError, JournalError) as error:
        raise _RefusedError(str(error)) from error
    session = session_of(connected, journal, wishes, folder)
    session.when_listed(garbage.settle)
    looks = replace(looks_of(loaded.settings), export_folder=_export_folder(), kept_folder=folder)
    app = DeskApp(session, clock_ms=clock_ms, wishes=looks)
    garbage.prepare()
    app.run()
    if session.last_words:
        sys.stdout.write(f"{session.last_words}\n")
    return app.return_code or 0, app.ended_by


def _ask(prompt: str) -> str:
    """Ask for a passphrase on the terminal, unseen. Raises EOFError where nobody answers."""
    import getpass  # noqa: PLC0415 - see the top

    return getpass.getpass(prompt)


def _audit(options: argparse.Namespace) -> int:
    """Audit books on the profile's exchange."""
    from kalshi_tui import logs  # noqa: PLC0415 - see the top

    logs.start()
    if options.fresh:
        raise _RefusedError("an audit starts nothing anew; leave --fresh out.")
    loaded = _loaded(options)
    process = _begun(options, loaded)
    try:
        from kalshi_tui.compose import Opening, session_of  # noqa: PLC0415 - see the top
        from kalshi_tui.credentials import CredentialsError  # noqa: PLC0415 - see the top
        from kalshi_tui.launch import LaunchError  # noqa: PLC0415 - see the top

        profile = _profile(options, loaded)
        try:
            connected = Opening(profile, process, _ask if sys.stdin.isatty() else None).ready()
        except (CredentialsError, LaunchError) as error:
            raise _RefusedError(str(error)) from error
        return asyncio.run(_audit_all(session_of(connected), options.tickers, options.seconds))
    finally:
        if process is not None:
            process.end()


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


def _config(options: argparse.Namespace) -> int:
    """Show the settings in force."""
    from kalshi_tui import logs  # noqa: PLC0415 - see the top
    from kalshi_tui.config_command import report  # noqa: PLC0415 - see the top
    from kalshi_tui.configuration import chosen_by  # noqa: PLC0415 - see the top

    logs.start()
    loaded = _loaded(options)
    profile = _profile(options, loaded)
    loaded = chosen_by(loaded, os.environ, options.env)
    sys.stdout.write(report(loaded, profile, os.environ, explain=options.explain, as_json=options.json))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    """Check everything that trading needs. What is wrong with settings or key is a line of it, not the end."""
    from kalshi_tui import logs  # noqa: PLC0415 - see the top
    from kalshi_tui.configuration import PRACTICE  # noqa: PLC0415 - see the top
    from kalshi_tui.doctor import Check, as_json, as_text, examine_machine  # noqa: PLC0415 - see the top

    logs.start()
    if options.fresh:
        raise _RefusedError("the doctor starts nothing anew; leave --fresh out.")
    checks: list[Check] = []
    try:
        loaded = _loaded(options)
        checks.append(
            Check("settings", True, f"{loaded.path}{'' if loaded.path.exists() else ': none, defaults hold'}.")
        )
        profile = _profile(options, loaded)
    except _RefusedError as error:
        checks.append(Check("settings", False, str(error)))
        checks += examine_machine(_folder(options, PRACTICE), JOURNAL)
    else:
        checks += examine_machine(_folder(options, profile.name), JOURNAL)
        checks += _examined(options, loaded, profile)
    if options.json:
        sys.stdout.write(as_json(checks))
    else:
        as_text(checks, sys.stdout.write)
    return 0 if all(each.ok for each in checks) else 1


def _examined(options: argparse.Namespace, loaded: "Loaded", profile: "Profile") -> "list[Check]":
    """Look at key and exchange."""
    from kalshi_tui.compose import Opening  # noqa: PLC0415 - see the top
    from kalshi_tui.credentials import CredentialsError  # noqa: PLC0415 - see the top
    from kalshi_tui.doctor import Check, examine_connection  # noqa: PLC0415 - see the top
    from kalshi_tui.launch import LaunchError  # noqa: PLC0415 - see the top

    process = _begun(options, loaded)
    try:
        connected = Opening(profile, process, _ask if sys.stdin.isatty() else None).ready()
        opened = f"{profile.key.path or 'the key'} is yours alone and opens." if process is None else "practice's own."
        return [Check("key", True, opened), *asyncio.run(examine_connection(connected))]
    except CredentialsError as error:
        return [Check("key", False, str(error))]
    except LaunchError as error:
        return [Check("exchange", False, str(error))]
    finally:
        if process is not None:
            process.end()


if __name__ == "__main__":
    sys.exit(main())
