"""Without a key the desk opens all the same, to watch: delayed, and it claims nothing that nobody has read."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kalshi_tui.runtime.launch import PracticeProcess, PracticeReady
from tests.support.terminal import TERMINAL, Terminal
from tests.support.without_network import HOSTS_ASKED, MODULE

pytestmark = pytest.mark.terminal

NO_KEY = "There is no API key: you can only watch."
NO_ACCOUNT = f"{NO_KEY} The log says how to make one."
NO_MARKET = "There is no chosen market"
UNREAD = "The markets have not been read"
UNCHECKED = re.compile(
    r"No positions|No open order|no open order|No orders yet|No executions|No trades|No candles|No market is open"
    r"|No market in which|No order of yours|no subaccount|has settled"
    r"|(?i:orders|positions|fills|settlements|markets) 0\b|\$0(?:\.0+)?(?![.\d])|\b0 market|Closes +nothing"
    r"|Reading|being read|being asked|Asking the exchange"
    r"|\bconnected|reconnecting|\bOPEN\b|exchange trades"
)
"""What the desk may say only when somebody has read it, and what it must not go on saying when reading has failed."""
PLACES = {
    "live": ("LIVE", "external-api.kalshi.com"),
    "demo": ("DEMO", "external-api.demo.kalshi.co"),
}
LIST_SENTENCES = {
    "1": NO_ACCOUNT,
    "2": NO_ACCOUNT,
    "3": NO_ACCOUNT,
    "4": "No market is chosen.",
    "6": "No market is chosen.",
    "7": NO_ACCOUNT,
    "8": "No alerts yet",
}
REASONS = [
    *((key, NO_MARKET) for key in ("d", "v", "A", "b", "s", "t", "m", "a")),
    ("X", NO_KEY),
    ("C", "Your subaccounts are not known. There is no API key"),
    ("\x18", NO_KEY),
    ("i", "No stream without an API key: prices are read now and then, which do"),
    ("e", NO_KEY),
    ("R", "Only the stream can be recorded, and it needs an API key."),
    ("r", NO_KEY),
    ("w", "Nothing is exported. There is no API key"),
    ("x", NO_KEY),
]
"""Keys of commands that need a market or a key, each with what the message line says."""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[PracticeProcess]:
    started = PracticeProcess(["--data", str(tmp_path / "exchange"), "--seed", "7"])
    yield started
    started.stop()


@pytest.fixture
def exchange(process: PracticeProcess) -> PracticeReady:
    return process.wait_until_ready()


def write_profile(home: Path, rest_url: str, ws_url: str, money: str = "live") -> None:
    folder = home / "config" / "kalshi-tui"
    folder.mkdir(parents=True)
    lines = ["[profiles.house]", f'rest_url = "{rest_url}"', f'ws_url = "{ws_url}"', f'money = "{money}"']
    (folder / "settings.toml").write_text("\n".join(lines))


class Walk:
    """Presses keys, and reads every screen for a claim that nobody checked."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def see(self, *texts: str) -> str:
        """Wait until these texts stand on the screen, and check all else that does."""
        text = self.terminal.wait_text(*texts)
        self.check(text)
        return text

    def check(self, text: str) -> None:
        found = UNCHECKED.search(text)
        assert found is None, f"{found}\n{text}"

    def press(self, key: str, *texts: str) -> str:
        self.terminal.press(*key) if key not in {"enter", "escape"} else self.terminal.press(key)
        return self.see(*texts)

    def leave(self, title: str) -> None:
        """Press escape, and wait until the box of this title is gone: a key sent sooner would belong to the escape."""
        self.terminal.press("escape")
        self.check(self.terminal.wait(f"the end of {title}", lambda text: title not in text))

    def message(self, key: str, words: str) -> None:
        """Press a key, and wait until the message line says why it does nothing."""
        self.terminal.press(key)
        self.check(self.terminal.wait(words, lambda text: words in text.splitlines()[-2]))


def start_without_network(home: Path, env: str, size: tuple[int, int]) -> Terminal:
    return Terminal(
        ["--env", env],
        home,
        *size,
        program=(sys.executable, "-m", MODULE),
        terminal={**TERMINAL, HOSTS_ASKED: str(home / "hosts")},
    )


def check_lists(walk: Walk, env: str, columns: int) -> None:
    """Go through the lists, of which none has been read."""
    walk.terminal.wait_text(UNREAD)
    top = walk.see(UNREAD, "not read, watching only").splitlines()[0]
    assert top.split()[0] == PLACES[env][0]
    assert "cash --" in top
    assert "orders --" in top
    assert columns < 100 or "positions --" in top
    for key, words in LIST_SENTENCES.items():
        text = walk.press(key, words)
        assert columns < 100 or "1 Orders --" in text
    text = walk.press("5", "Create Key")
    assert "half a minute" in " ".join(text.split())
    # Nothing offers to trade.
    assert "Buy" not in text.splitlines()[-1]


def check_hosts(home: Path, env: str) -> None:
    asked = set((home / "hosts").read_text().split())
    assert {each.removeprefix("b'").removesuffix("'") for each in asked} == {PLACES[env][1]}


def test_without_network_no_list_of_the_real_exchange_claims_what_nobody_checked(tmp_path: Path) -> None:
    terminal = start_without_network(tmp_path, "live", (80, 24))
    check_lists(Walk(terminal), "live", 80)
    terminal.press("q")
    assert terminal.ended() == 0
    check_hosts(tmp_path, "live")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (140, 50)], ids=str)
@pytest.mark.parametrize("env", PLACES)
def test_without_network_no_screen_claims_what_nobody_checked(tmp_path: Path, env: str, size: tuple[int, int]) -> None:
    terminal = start_without_network(tmp_path, env, size)
    walk = Walk(terminal)
    check_lists(walk, env, size[0])
    for key, words in REASONS:
        if key == "w":
            walk.press("1", NO_ACCOUNT)
        walk.message(key, words)
    # The filter, and the finder with words, with a ticker and with the collections of combos.
    walk.press("/")
    walk.press("zzz", "No market that has been read")
    walk.press("escape", "Go to market")
    walk.press("\x06", "words or ticker of any market", UNREAD)
    walk.press("zz zz", "Nothing that has been read has these words.")
    walk.press("escape", "Combos: ask the exchange for their collections")
    walk.terminal.press("enter")
    terminal.wait_text("The collections could not be read")
    walk.see("The collections could not be read")
    walk.terminal.press(*"KXFED", "enter")
    terminal.wait_text("The exchange could not be asked for KXFED")
    walk.see("The exchange could not be asked for KXFED")
    walk.press("escape", "words or ticker of any market")
    walk.press("escape", "^f Go to market")
    walk.press("?", "Now, in the market list")
    walk.press("escape", "^f Go to market")
    walk.press("\x10", "Search for commands")
    walk.press("escape", "^f Go to market")
    # All the width to the list, then none.
    walk.press("f", UNREAD)
    walk.press("f")
    walk.press("f", UNREAD)
    terminal.press("q")
    assert terminal.ended() == 0
    check_hosts(tmp_path, env)


def test_the_desk_shows_markets_and_books_and_sends_nothing(tmp_path: Path, exchange: PracticeReady) -> None:
    write_profile(tmp_path, exchange.rest_url, exchange.ws_url)
    terminal = Terminal(["--env", "house"], tmp_path)
    walk = Walk(terminal)
    terminal.wait_text("delayed, watching only")
    terminal.wait("a delayed book", lambda text: "delayed  spread" in text or "delayed  only" in text)
    first = terminal.text().splitlines()[0]
    assert first.split()[0] == "LIVE"
    assert "cash --" in first
    assert "orders --" in first
    for key in "1237":
        walk.press(key, NO_ACCOUNT)
    text = walk.press("5", "Create Key", "read ")
    assert re.search(r"read +\d+ s ago", text)
    terminal.press("q")
    assert terminal.ended() == 0


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (140, 50)], ids=str)
def test_every_price_is_marked_delayed_and_each_screen_says_why_nothing_is_sent(
    tmp_path: Path, process: PracticeProcess, exchange: PracticeReady, size: tuple[int, int]
) -> None:
    write_profile(tmp_path, exchange.rest_url, exchange.ws_url)
    terminal = Terminal(["--env", "house"], tmp_path, *size)
    walk = Walk(terminal)
    terminal.wait_text("delayed, watching only")
    # A market that lasts while the test runs, of an event with several.
    terminal.press("\x06")
    terminal.wait_text("go to market")
    terminal.press(*"fed decision")
    terminal.wait_text("Cut 25bps")
    terminal.press("enter")
    terminal.wait("its book", lambda text: "delayed  spread" in text)
    walk.see("delayed  spread")
    walk.press("v", "delayed  YES bid")
    walk.press("v", "delayed  spread")
    walk.press("b", "order ticket", NO_KEY)
    terminal.wait("a delayed quote", lambda each: re.search(r"YES +bid .*delayed", each) is not None)
    terminal.press("j")
    terminal.wait_text("Worst loss")
    walk.press("enter", "CANNOT BE SENT")
    walk.leave("- review")
    walk.leave("order ticket")
    walk.press("d", "Quotes", "delayed: they are read now and then")
    walk.leave("- the market")
    walk.press("A", "an alert", "delayed")
    walk.press("fill", "This would never ring. There is no API key")
    walk.leave("an alert")
    terminal.press("4")
    text = terminal.wait("the tape", lambda each: "taker" in each and "Reading" not in each)
    # Said of a tape that was read: the exchange has only just begun.
    walk.check(text.replace("No trades seen yet.", ""))
    terminal.press("6")
    terminal.wait("the chart", lambda each: "candles" in each and "Reading" not in each)
    # The exchange goes away: what was read is old, and each says so.
    process.stop()
    terminal.wait_text("not read, watching only", "NOT LIVE", "STALE")
    text = terminal.wait("its age", lambda each: re.search(r"read +([2-9]\d|\d{3,}) s ago", each) is not None)
    assert "delayed, watching" not in text
    terminal.press("down")
    terminal.wait_text("could not be read")
    terminal.wait("the end of each reading", lambda each: "Reading" not in each)
    walk.press("4", "The trades could not be read")
    terminal.press("q")
    assert terminal.ended() == 0
