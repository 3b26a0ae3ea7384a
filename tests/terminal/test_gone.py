"""The terminal goes away while another program stands between: the desk ends all the same, by its own rules."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.desk_terminal import choose_a_calm_market, order, rows
from tests.support.processes import alive, wait_gone
from tests.support.terminal import (
    ROOT,
    TERMINAL,
    WAIT_S,
    Terminal,
    been_here,
    environment_of,
)

pytestmark = pytest.mark.terminal

WRAPPER = """
import signal, subprocess, sys
# As sudo and make do, it outlives the hang-up of its terminal, and hands it on to nobody.
signal.signal(signal.SIGHUP, {handler})
code = subprocess.call(sys.argv[1:], start_new_session={apart})
open({told!r}, "w").write(str(code))
"""


def direct(home: Path, command: list[str]) -> list[str]:
    del home
    return command


def by_make(home: Path, command: list[str]) -> list[str]:
    (home / "Makefile").write_text(f"run:\n\t@exec {' '.join(command)}\n")
    return ["make", "-f", str(home / "Makefile"), "run"]


def by_script(home: Path, command: list[str]) -> list[str]:
    (home / "run.sh").write_text(f"trap : HUP\n{' '.join(command)}\nexit $?\n")
    return ["/bin/sh", str(home / "run.sh")]


def by_wrapper(handler: str, *, apart: bool) -> Callable[[Path, list[str]], list[str]]:
    def wrapped(home: Path, command: list[str]) -> list[str]:
        text = WRAPPER.format(handler=handler, apart=apart, told=str(home / "told"))
        (home / "wrapper.py").write_text(text)
        return [sys.executable, str(home / "wrapper.py"), *command]

    return wrapped


BETWEEN: dict[str, Callable[[Path, list[str]], list[str]]] = {
    "nothing": direct,
    "make": by_make,
    "a shell script": by_script,
    "a program that hands no signal on": by_wrapper("lambda *_: None", apart=True),
    "a program that ignores the hang-up, as nohup": by_wrapper("signal.SIG_IGN", apart=False),
}


def unlocked(lock: Path) -> bool:
    with lock.open("rb") as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def children(pid: int) -> Iterator[int]:
    """Return the processes below one."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    for child, parent in pairs:
        if parent == pid:
            yield child
            yield from children(child)


@pytest.mark.quick_cases("nothing")
@pytest.mark.parametrize("between", BETWEEN)
def test_the_desk_ends_with_its_terminal_whatever_stands_between(tmp_path: Path, between: str) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[dead_man]\ncancel_on_quit = true\n")
    data = tmp_path / "practice"
    arguments = ["--data", str(data), "--seed", "7", "--settings", str(settings)]
    been_here(tmp_path, arguments)
    command = BETWEEN[between](tmp_path, [sys.executable, "-m", "kalshi_tui", *arguments])
    terminal = Terminal([], tmp_path, program=command)
    everyone = [terminal.child.pid]
    try:
        choose_a_calm_market(terminal)
        order(terminal, "1", "7")
        terminal.wait_text("RESTING")
        everyone += children(terminal.child.pid)
        assert len(everyone) >= (2 if between == "nothing" else 3)
        terminal.close_window()
        # The sweep of the dead-man's switch looks until the exchange has proved that nothing rests.
        assert all(wait_gone(each) for each in everyone)
    finally:
        for each in everyone:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
    assert rows(data / "practice.sqlite3", "select json_extract(body, '$.status') from orders") == [("canceled",)]
    assert unlocked(data / "lock")
    log = "".join(each.read_text() for each in tmp_path.rglob("kalshi-tui.log"))
    assert "At the end: " in log
    assert "Traceback" not in log
    told = tmp_path / "told"
    if told.exists():
        assert told.read_text() == "0"


@pytest.mark.slow
def test_it_ends_when_only_what_it_draws_on_is_gone(tmp_path: Path) -> None:
    """Keys come from one terminal and the screen goes to another, of which only the second is closed."""
    been_here(tmp_path)
    keys, keys_end = pty.openpty()
    drawn, drawn_end = pty.openpty()
    command = [sys.executable, "-m", "kalshi_tui", "--seed", "7"]
    environment = environment_of(tmp_path, TERMINAL) | {"COLUMNS": "80", "LINES": "24"}
    with closing(open(keys, "r+b", buffering=0)):  # noqa: PTH123 - a terminal's other end
        program = subprocess.Popen(
            command,
            stdin=keys_end,
            stdout=drawn_end,
            stderr=drawn_end,
            env=environment,
            cwd=ROOT,
            start_new_session=True,
        )
        try:
            os.close(keys_end)
            os.close(drawn_end)
            seen, deadline = b"", time.monotonic() + WAIT_S
            while b"YES bid" not in seen and time.monotonic() < deadline:
                seen += os.read(drawn, 65_536)
            (lock,) = tmp_path.rglob("lock")
            exchange = int(lock.read_text())
            os.close(drawn)
            assert program.wait(WAIT_S) == 0
            assert wait_gone(exchange)
        finally:
            program.kill()
            program.wait()
    assert unlocked(lock)


@pytest.mark.slow
def test_exported_sizes_do_not_stand_for_the_terminals_own(tmp_path: Path) -> None:
    terminal = Terminal(["--seed", "7"], tmp_path, 90, 30, terminal=TERMINAL | {"COLUMNS": "200", "LINES": "60"})
    try:
        terminal.wait("the key bar in the last line", lambda screen: "Help" in screen.split("\n")[29])
        terminal.resize(100, 35)
        terminal.wait("the key bar in the new last line", lambda screen: "Help" in screen.split("\n")[34])
    finally:
        terminal.end()


@pytest.mark.slow
def test_errors_may_go_to_a_file_and_the_screen_to_the_terminal(tmp_path: Path) -> None:
    been_here(tmp_path)
    (tmp_path / "run.sh").write_text(f"exec {sys.executable} -m kalshi_tui --seed 7 2>{tmp_path / 'errors'}\n")
    terminal = Terminal([], tmp_path, program=["/bin/sh", str(tmp_path / "run.sh")])
    try:
        terminal.wait_text("YES bid", "PRACTICE")
        terminal.press("q")
        assert terminal.ended() == 0
    finally:
        terminal.end()
    assert (tmp_path / "errors").read_bytes() == b""
    assert not alive(terminal.child.pid)
