"""Commands as processes of their own, whose practice exchange is another process."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pexpect

from tests.support.cli_runner import (
    ROOT,
    WITHIN_S,
    Done,
    Trader,
    check,
    environment,
)
from tests.support.terminal import environment_of


def spawned(trader: Trader, *arguments: str) -> "pexpect.spawn[str]":
    """Start a command in a terminal."""
    terminal = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
    passed = ("KALSHI", "PYTHONPATH", "TZ", "NO_COLOR")
    keys = {name: value for name, value in trader.environment.items() if name.startswith(passed)}
    return pexpect.spawn(
        sys.executable,
        trader.command(*arguments),
        env=environment_of(trader.home, terminal) | keys,
        cwd=str(ROOT),
        dimensions=(12, 80),
        timeout=WITHIN_S,
        encoding="utf-8",
    )


def run_in_folder(folder: Path, *arguments: str, more: Sequence[str] = ()) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "kalshi_tui", *arguments, "--json", "--data", str(folder), *more],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
        env=environment(folder.parent),
        cwd=ROOT,
    )
    ended = Done(done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in ended.err, ended.err
    check(arguments[0], ended)
    return ended


def a_ticker(folder: Path) -> str:
    return str(run_in_folder(folder, "markets", "--search", "recession", "--limit", "1").only["ticker"])


def run_program(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kalshi_tui", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_at_home(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kalshi_tui", *arguments],
        env=environment_of(home, environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
