"""The real app killed outright right after the Enter that sends: the next start knows the truth about the order."""

import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.ui.key_presses import QUIET_S
from tests.support.desk_terminal import choose_a_calm_market, order, rows
from tests.support.practice_alone import Alone
from tests.support.processes import wait_gone
from tests.support.terminal import WAIT_S, Terminal

pytestmark = pytest.mark.terminal

LATEST_S = 0.12
"""The reply is there long before: the kill comes before, in and after all that a send does."""
SETTLED = {"executed": "filled", "resting": "resting"}


class Chain:
    """Starts the app, sees that it knows what became of the order before, sends another, and kills it."""

    def __init__(self, home: Path, seed: int) -> None:
        self._home = home
        self._data = home / "practice"
        self._random = random.Random(seed)
        self._before: str | None = None
        self.ended: Counter[str] = Counter()

    @property
    def _journal(self) -> Path:
        return self._data / "journal.sqlite3"

    def _states(self) -> dict[str, str]:
        if not self._journal.exists():
            return {}
        return dict(rows(self._journal, "SELECT client_order_id, state FROM intents WHERE sent_ms > 0"))

    def _settled(self, terminal: Terminal) -> None:
        """Wait until this start has found out what became of everything before."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            terminal.pump()
            if not {"sending", "unknown"} & set(self._states().values()):
                return
        raise AssertionError(f"it never found out: {self._states()}; the screen was:\n{terminal.text()}")

    def link(self) -> None:
        """Do it once."""
        terminal = Terminal(["--data", str(self._data), "--seed", "7"], self._home)
        try:
            choose_a_calm_market(terminal)
            self._settled(terminal)
            known = self._states()
            price = self._random.choice(["1", "t"])
            terminal.press("b")
            terminal.wait_text("order ticket")
            terminal.press(*price, "tab", "1", "enter")
            terminal.wait("the armed key", lambda screen: "ENTER SENDS THIS ORDER" in screen)
            terminal.press("enter")
            # A key that sends counts once none has followed for `QUIET_S`: kill around that moment and after it.
            deadline = time.monotonic() + self._random.uniform(QUIET_S / 2, QUIET_S + LATEST_S)
            while time.monotonic() < deadline:
                terminal.pump()
            practice = int((self._data / "lock").read_text())
            os.kill(terminal.child.pid, signal.SIGKILL)
            assert wait_gone(practice)
        finally:
            terminal.end()
        self.check(known)

    def check(self, known: dict[str, str]) -> None:
        """Fail unless what was known at this start is what the exchange had, one order for each intent at most."""
        theirs: dict[str, str] = {}
        for (body,) in rows(self._data / "practice.sqlite3", "select body from orders"):
            record = json.loads(body)
            assert record["client_order_id"] not in theirs, "two orders for one intent"
            theirs[record["client_order_id"]] = SETTLED[record["status"]]
        for name, state in known.items():
            assert theirs.get(name, "not sent") == state, f"{name}: {state} here, {theirs.get(name)} there"
        assert set(theirs) <= set(self._states()), "an order that is not in the journal"
        self.ended = Counter(known.values())


@pytest.mark.slow
def test_a_kill_right_after_enter(tmp_path: Path) -> None:
    chain = Chain(tmp_path, 1)
    for _ in range(4):
        chain.link()
    assert sum(chain.ended.values()) >= 1


@pytest.mark.nightly
def test_two_hundred_kills_right_after_enter(tmp_path: Path) -> None:
    chain = Chain(tmp_path, 2)
    for _ in range(int(os.environ.get("KILLS", "200"))):
        chain.link()
    # Some were sent and some were not: else the kills came always too late, or always too early.
    print(f"\n{dict(chain.ended)} known of {sum(chain.ended.values())} that the journal had")  # noqa: T201
    assert {"filled", "resting"} <= chain.ended.keys()


@pytest.mark.slow
def test_a_killed_desk_s_orders_end_by_themselves(tmp_path: Path) -> None:
    with Alone(tmp_path / "exchange", "--seed", "7") as alone:
        told, folder = alone.told, tmp_path / "config" / "kalshi-tui"
        key = told["api_key_id"], told["private_key_path"]
        folder.mkdir(parents=True)
        lines = ["[profiles.house]", f'rest_url = "{told["rest_url"]}"', f'ws_url = "{told["ws_url"]}"']
        lines += ['money = "demo"', f'api_key_id = "{key[0]}"', f'private_key_path = "{key[1]}"']
        (folder / "settings.toml").write_text("\n".join([*lines, "[dead_man]", "rolling_expiry_s = 60"]))

        def only_order() -> dict[str, Any]:
            (found,) = alone.call(*key, "GET", "/portfolio/orders").json()["orders"]
            return dict(found)

        terminal = Terminal(["--env", "house"], tmp_path)
        try:
            choose_a_calm_market(terminal)
            order(terminal, "1", "7")
            terminal.wait_text("RESTING")
            first = only_order()
            # Half of the time later it is renewed.
            deadline = time.monotonic() + 2 * WAIT_S
            while only_order()["expiration_time"] <= first["expiration_time"] and time.monotonic() < deadline:
                terminal.pump()
            renewed = only_order()
            assert renewed["expiration_time"] > first["expiration_time"]
            assert renewed["status"] == "resting"
        finally:
            os.kill(terminal.child.pid, signal.SIGKILL)
            terminal.end()
        reply = alone.control(*key, "advance_clock", ms=61_000)
        assert reply.status_code == 200, reply.text
        ended = only_order()
        assert (ended["status"], ended["remaining_count_fp"]) == ("canceled", "0.00")
