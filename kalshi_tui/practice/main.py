"""The practice exchange as a process: its command line, its start, its end."""

import argparse
import sys
from pathlib import Path
from typing import Final

from kalshi_tui.domain.escaping import escape_unprintable

RESET_DECLINED_SENTENCE: Final = (
    "Nothing was changed. Start without --fresh to go on with it, or give another folder with --data."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the server alone."""
    parser.add_argument("--port", type=int, default=0, metavar="N", help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--quiet-market", action="store_true", help="leave out the simulated participants")
    parser.add_argument("--rate", type=int, metavar="N", help="messages a second of the simulated market")
    parser.add_argument("--markets", type=int, metavar="N", help="how many markets to list")
    parser.add_argument(
        "--dedupe",
        choices=("open", "ever"),
        default="open",
        help="reject a client_order_id while its order is open (default), or for ever",
    )
    parser.add_argument("--no-cancel-all", action="store_true", help="answer 404 to cancel-all, as some deployments do")
    parser.add_argument(
        "--cutoff",
        type=int,
        metavar="S",
        help="seconds after which what has ended is in the archive alone (default: 1209600, two weeks)",
    )
    parser.add_argument(
        "--cancel-all-minute",
        action="store_true",
        help="cancel-all takes the orders of the minute after it too, as the exchange may",
    )
    parser.add_argument("--accounts", type=int, default=0, metavar="N", help="make N further accounts with keys")
    parser.add_argument(
        "--key-type",
        choices=("ed25519", "rsa"),
        help="make the accounts' keys of this type (default: the keys that are there, or new ones of rsa)",
    )
    parser.add_argument(
        "--tier", default="basic", metavar="NAME", help="API usage tier of the accounts (default: basic)"
    )
    parser.add_argument("--recording", type=Path, metavar="FILE", help="play a recording as the market")
    add_replay_arguments(parser)
    parser.add_argument(
        "--unlisted", action="store_true", help="leave no note in the folder by which other commands find this exchange"
    )
    # For the program that starts this one as a child: it has to tell a folder in use from all other failures.
    parser.add_argument("--in-use-exit-code", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end when standard input ends, as when the parent is gone"
    )


def add_replay_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how a recording is played."""
    parser.add_argument(
        "--speed", default="1", metavar="N", help="times as fast as it was recorded, or max (default: 1)"
    )
    parser.add_argument(
        "--at", default="", metavar="TIME", help="where to begin: 12:34:56 (UTC), 5m, 90s, -30s before the end, or 40%%"
    )
    parser.add_argument("--paused", action="store_true", help="stand still until it is resumed")


def run(options: argparse.Namespace, folder: Path) -> int:
    """Serve until a signal, or the end of standard input, says to stop. Return the exit code."""
    # What follows costs a third of a second to load; the command line's help does not need it.
    from kalshi_tui.practice.process import PracticeRun  # noqa: PLC0415
    from kalshi_tui.practice.storage.keys import FolderHeldError, StartError  # noqa: PLC0415
    from kalshi_tui.practice.storage.reset import confirm_reset  # noqa: PLC0415

    if options.fresh and not confirm_reset(folder):
        return _print_error(RESET_DECLINED_SENTENCE)
    try:
        with PracticeRun(options, folder) as practice:
            practice.serve()
    except FolderHeldError as error:
        _print_error(str(error))
        return int(options.in_use_exit_code)
    except StartError as error:
        return _print_error(str(error))
    return 0


def _print_error(sentence: str) -> int:
    """Print on standard error why there is no exchange. Return the exit code."""
    sys.stderr.write(f"kalshi-tui: {escape_unprintable(sentence)}\n")
    return 1
