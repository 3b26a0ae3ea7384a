"""Without a key the desk opens all the same, to watch: delayed, and it claims nothing that nobody has read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kalshi_tui.runtime.launch import PracticeProcess, PracticeReady
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal

NO_KEY = "There is no API key: you can only watch."
UNCHECKED = ("No positions", "No open order", "No executions", "orders 0", "positions 0", "Reading the markets", "$0")


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[PracticeReady]:
    process = PracticeProcess(["--data", str(tmp_path / "exchange"), "--seed", "7"])
    yield process.wait_until_ready()
    process.stop()


def write_profile(home: Path, rest_url: str, ws_url: str, money: str = "live") -> None:
    folder = home / "config" / "kalshi-tui"
    folder.mkdir(parents=True)
    lines = ["[profiles.house]", f'rest_url = "{rest_url}"', f'ws_url = "{ws_url}"', f'money = "{money}"']
    (folder / "settings.toml").write_text("\n".join(lines))


def test_the_desk_shows_markets_and_books_and_sends_nothing(tmp_path: Path, exchange: PracticeReady) -> None:
    write_profile(tmp_path, exchange.rest_url, exchange.ws_url)
    terminal = Terminal(["--env", "house"], tmp_path)
    terminal.wait_text("delayed, watching only")
    terminal.wait("a delayed book", lambda text: "delayed  spread" in text or "delayed  only" in text)
    first = terminal.text().splitlines()[0]
    assert first.split()[0] == "LIVE"
    assert "cash --" in first
    assert "orders --" in first
    for key in "1237":
        terminal.press(key)
        terminal.wait_text(NO_KEY)
        assert not [word for word in UNCHECKED if word in terminal.text()], terminal.text()
    terminal.press("5")
    terminal.wait("how to make a key", lambda text: "Create Key" in " ".join(text.split()))
    terminal.press("q")
    assert terminal.ended() == 0


@pytest.mark.parametrize("columns", [80, 140])
def test_without_network_no_list_claims_what_nobody_checked(tmp_path: Path, columns: int) -> None:
    # Port 9 of this machine answers nobody.
    write_profile(tmp_path, "http://127.0.0.1:9/trade-api/v2", "ws://127.0.0.1:9/trade-api/ws/v2")
    terminal = Terminal(["--env", "house"], tmp_path, columns=columns)
    terminal.wait_text("The markets have not been read")
    assert "delayed, watching" not in terminal.text()
    terminal.wait("no link", lambda text: "reconnecting" in text or "offline" in text)
    for key in "1237":
        terminal.press(key)
        terminal.wait_text(NO_KEY)
        assert not [word for word in UNCHECKED if word in terminal.text()], terminal.text()
    terminal.press("q")
    assert terminal.ended() == 0
