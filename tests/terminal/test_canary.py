"""A real run on a real terminal, with trades, refusals, faults and a crash: the key and the signatures are nowhere."""

import json
import re
import sqlite3
import termios
from contextlib import closing, suppress
from pathlib import Path

import pytest

from kalshi_tui.kalshi.transport.signing import KeyType, key_words, load_private_key
from kalshi_tui.practice.storage.keys import load_or_create_account_key, prepare_data_folder
from tests.support import terminal_canary
from tests.support.canary import (
    files_with,
    forms_of_key,
    forms_of_signatures,
    holds,
    shown,
)
from tests.support.desk_terminal import choose_a_calm_market, close_review, order
from tests.support.terminal import TERMINAL, Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.slow]

REHEARSED = ("lose a reply", "drop the connection", "rate limit", "a wrong clock", "damage a frame", "fail an order")


def told_by_the_system(process: int) -> bytes:
    """Return what others can read of a process; who is not root is not let near its environment at all."""
    told = b""
    for name in ("cmdline", "environ"):
        with suppress(PermissionError, FileNotFoundError):
            told += Path(f"/proc/{process}/{name}").read_bytes()
    return told


class Run:
    """Goes through a trading day that ends in a crash, and keeps all that can be kept of it."""

    def __init__(self, home: Path, notes: Path, kind: KeyType) -> None:
        self.home = home
        folder = home / "data" / "kalshi-tui" / "practice"
        prepare_data_folder(folder)
        # The exchange goes on with the key that it finds.
        load_or_create_account_key(folder, kind=kind)
        self.terminal = Terminal(
            ["--seed", "7"],
            home,
            80,
            50,
            module=terminal_canary.MODULE,
            terminal=TERMINAL | {terminal_canary.NOTES: str(notes)},
        )
        try:
            self._trade()
            self.key = next(home.rglob("private_key.pem")).read_bytes()
            self.token = next(home.rglob("control_token")).read_bytes()
            exchange = int(next(home.rglob("lock")).read_text())
            self.of_processes = told_by_the_system(self.terminal.child.pid) + told_by_the_system(exchange)
            self.terminal.press("?")
            while self.terminal.child.isalive():
                self.terminal.pump()
            self.echoes = bool(termios.tcgetattr(self.terminal.child.child_fd)[3] & termios.ECHO)
            self.code = self.terminal.ended()
        finally:
            self.terminal.end()
        self.raw = bytes(self.terminal.raw)
        self.signatures = {line for line in (notes / terminal_canary.SIGNATURES).read_text().splitlines() if line}
        self.words = {KeyType.RSA: "an RSA key of 2048 bits", KeyType.ED25519: "an Ed25519 key"}[kind]
        self.process = json.loads((notes / terminal_canary.PROCESS).read_text())

    def _rehearse(self, label: str) -> None:
        self.terminal.press("\x10")
        self.terminal.wait_text("Search for commands")
        self.terminal.press(f"Rehearse: {label}")
        self.terminal.wait("the command", lambda screen: screen.count(f"Rehearse: {label}") >= 2)
        self.terminal.press("enter")
        self.terminal.wait_text(f"Rehearsal: {label}")

    def _trade(self) -> None:
        terminal = self.terminal
        choose_a_calm_market(terminal)
        order(terminal, "99", "10", "over")
        terminal.wait_text("FILLED")
        close_review(terminal)
        order(terminal, "1", "7")
        terminal.wait_text("RESTING")
        close_review(terminal)
        # More than there is cash for.
        order(terminal, "2", "999999")
        terminal.wait_text("REJECTED")
        close_review(terminal)
        self._rehearse(REHEARSED[0])
        order(terminal, "1", "3")
        terminal.wait("what became of it", lambda screen: "UNKNOWN" in screen or "RESTING" in screen)
        close_review(terminal)
        # The log keeps what the bottom line shows only for a moment.
        terminal.press("5")
        for label in REHEARSED[1:]:
            self._rehearse(label)
        terminal.wait("the link again", lambda screen: "connected" in screen)
        for number in "12345":
            terminal.press(number, "w")
            terminal.wait("the table written", lambda screen: "Written: " in screen)
            terminal.press("5")


@pytest.fixture(scope="module", params=[KeyType.RSA, KeyType.ED25519])
def run(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Run:
    return Run(tmp_path_factory.mktemp("canary"), tmp_path_factory.mktemp("notes"), request.param)


@pytest.mark.slow
def test_the_key_is_in_its_file_and_nowhere_else(run: Run) -> None:
    forms = forms_of_key(run.key)
    assert files_with(run.home, forms) == {"private_key.pem"}
    assert key_words(load_private_key(run.key)) == run.words
    assert not holds(run.raw, forms)
    assert not holds(shown(run.raw), forms)
    assert not holds(run.of_processes, forms)


def test_no_signature_is_anywhere(run: Run) -> None:
    assert len(run.signatures) > 20
    forms = forms_of_signatures(run.signatures)
    assert not files_with(run.home, forms)
    assert not holds(run.raw, forms)
    assert not holds(shown(run.raw), forms)
    assert not holds(run.of_processes, forms)


def test_the_token_is_in_its_file_and_nowhere_else(run: Run) -> None:
    assert files_with(run.home, {run.token}) == {"control_token"}
    assert run.token not in run.raw
    assert run.token not in run.of_processes


def test_the_run_was_one_that_could_have_left_something(run: Run) -> None:
    names = {path.name for path in run.home.rglob("*") if path.is_file()}
    assert {"journal.sqlite3", "practice.sqlite3", "kalshi-tui.log", "practice.log"} <= names
    assert sum(name.endswith(".csv") for name in names) >= 3
    if Path("/proc").is_dir():
        assert b"--until-stdin-closes" in run.of_processes
    written = next(run.home.rglob("kalshi-tui.log")).read_text()
    for defect in (*terminal_canary.DEFECTS, terminal_canary.ENDING):
        assert defect in written, defect
    assert "a handler of canary" in next(run.home.rglob("practice.log")).read_text()
    assert written.count("[removed]") >= 4
    assert b"stumbled(ValueError)" in shown(run.raw)


def test_the_journal_s_database_holds_neither(run: Run) -> None:
    with closing(sqlite3.connect(next(run.home.rglob("journal.sqlite3")))) as database:
        assert database.execute("SELECT count(*) FROM intents WHERE sent_ms > 0").fetchone()[0] >= 4
        whole = database.serialize()
    assert not holds(whole, forms_of_key(run.key) | forms_of_signatures(run.signatures))


def test_all_that_the_program_wrote_is_for_its_owner_alone(run: Run) -> None:
    assert not [path.name for path in run.home.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]


def test_a_crash_ends_in_a_sentence_with_the_terminal_in_order(run: Run) -> None:
    assert run.code == 1
    assert run.echoes
    leaves, shows = run.raw.rindex(b"\x1b[?1049l"), run.raw.rindex(b"\x1b[?25h")
    after = run.raw[max(leaves, shows) :]
    log = str(next(run.home.rglob("kalshi-tui.log")))
    said = (
        f"kalshi-tui: ended by a defect (TypeError); what happened is in {log}. "
        "Orders: what the journal has is taken up at the next start.\n"
    )
    assert shown(after) == shown(said.encode())
    assert said.strip().encode() in after
    assert b"Traceback" not in run.raw


def test_what_the_crash_was_stands_in_the_log_with_its_places(run: Run) -> None:
    written = next(run.home.rglob("kalshi-tui.log")).read_text()
    assert "The screen has ended by a defect." in written
    assert "Traceback (most recent call last)" in written
    assert re.search(r"canary\.py\", line \d+, in ending", written)
    assert "local = " not in written


def test_the_process_could_not_be_looked_into(run: Run) -> None:
    assert run.process == {"core": [0, 0], "dumpable": 0}


def test_the_next_start_takes_up_the_orders(run: Run) -> None:
    again = Terminal(["--seed", "7"], run.home)
    try:
        again.wait("the orders of before", lambda screen: re.search(r"orders [12] ", screen) is not None)
        again.press("q")
        again.wait_text("may be live")
        again.press("y")
        assert again.ended() == 0
    finally:
        again.end()
