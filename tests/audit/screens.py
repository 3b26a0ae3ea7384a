"""Reading figures off the desk's screen: a real terminal's text, taken apart by its columns."""

import re
from collections.abc import Sequence
from pathlib import Path

from tests.audit.exchange import AuditExchange
from tests.support.terminal import TERMINAL, Terminal

LARGE = 200, 70
SMALL = 120, 40
"""Columns and rows; the small one is drawn and read in a third of the time."""
HEADER = re.compile(
    r"cash (?P<cash>\S+)  positions (?P<positions>\S+)(?: worth (?P<worth>\S+))?  orders (?P<orders>\S+)"
)
AMOUNT = r"[+-]?\$[\d,.]+[kMB]?|--"
POSITION = re.compile(
    r"^.(?P<side>YES|NO) +(?P<count>[\d,.]+) +(?P<average>\d\.\d+|--) +(?P<best>\d\.\d+|--)"
    rf" +(?P<gain>{AMOUNT}) +(?P<realized>{AMOUNT}) +(?P<fees>{AMOUNT}) +(?P<exposure>{AMOUNT}) +(?P<value>{AMOUNT})"
)
UNSOLD = re.compile(r"^ +no bid for (?P<unsold>[\d,.]+ of [\d,.]+)$")
CLOSED = re.compile(rf"^.Closed today +(?P<count>\d+) +(?P<realized>{AMOUNT}) +(?P<fees>{AMOUNT})")
TOTAL = re.compile(
    rf"^.Total(?: +P&L of \d+ of \d+)? +(?P<gain>{AMOUNT}) +(?P<realized>{AMOUNT}) +(?P<fees>{AMOUNT})"
    rf" +(?P<exposure>{AMOUNT}) +(?P<value>{AMOUNT})  net (?P<net>{AMOUNT})"
)
DAY = re.compile(
    r"^.Today  (?P<fills>[\d,]+) fills?, (?P<contracts>[\d,.]+) contracts?, fees (?P<fees>\S+), account "
    r"(?P<gain>not known|[+-]?\$[\d,.]+)(?: since (?P<since>.+))?$"
)
POSITION_KINDS = {
    "side": "position side",
    "count": "position count",
    "average": "position average",
    "best": "position best bid",
    "gain": "position P&L now",
    "realized": "position realized",
    "fees": "position fees",
    "exposure": "position exposure",
    "value": "position value",
}
TOTAL_KINDS = {"gain": "P&L now"} | {name: name for name in ("realized", "fees", "exposure", "value", "net")}


def write_profile(home: Path, exchange: AuditExchange) -> None:
    """Let ``--env house`` open the audited account."""
    folder = home / "config" / "kalshi-tui"
    folder.mkdir(parents=True, exist_ok=True)
    key = exchange.audited
    lines = ["[profiles.house]", f'rest_url = "{exchange.rest_url}"', f'ws_url = "{exchange.ws_url}"', 'money = "demo"']
    lines += [f'api_key_id = "{key.key_id}"', f'private_key_path = "{key.key_path}"']
    (folder / "settings.toml").write_text("\n".join(lines))


class Desk:
    """A desk in a pseudo-terminal."""

    def __init__(
        self, exchange: AuditExchange, home: Path, time_zone: str = "UTC", size: tuple[int, int] = LARGE
    ) -> None:
        write_profile(home, exchange)
        self.name = f"desk {time_zone}"
        self.time_zone = time_zone
        self.terminal = Terminal(["--env", "house"], home, *size, terminal=TERMINAL | {"TZ": time_zone})

    def wait_until_read(self) -> None:
        """Wait until the account has been read, and show the positions."""
        self.terminal.wait(
            "the account", lambda text: "positions --" not in text and "orders --" not in text and "cash $" in text
        )
        self.terminal.press("2")
        self.terminal.wait("the day's line", lambda text: "Today  " in text)

    def lines(self) -> list[str]:
        """Return the screen now."""
        self.terminal.pump()
        return self.terminal.text().splitlines()

    def press(self, *keys: str) -> None:
        """Press keys."""
        self.terminal.press(*keys)

    def select(self, ticker: str) -> None:
        """Filter the market list down to one market, which shows its book."""
        self.press("/")
        self.terminal.wait_text("words in name, ticker, category")
        self.press(*ticker, "enter")
        self.terminal.wait("the market's book", lambda text: ticker in "".join(text.splitlines()[2:3]))

    def close_box(self) -> None:
        """Close the box over the desk."""
        self.press("escape")
        self.terminal.wait("the desk", lambda text: "╭─" not in text)

    def unselect(self) -> None:
        """Take the filter away."""
        self.press("escape")
        self.terminal.wait("the whole list", lambda text: text.splitlines()[1].lstrip().startswith("market "))

    def end(self) -> None:
        """Close the window."""
        self.terminal.end()


def _has_account(screen: str) -> bool:
    header = screen.splitlines()[0]
    return "cash $" in header and "positions --" not in header and "orders --" not in header


def read_header(lines: Sequence[str]) -> dict[str, str]:
    """Read the account in the top line."""
    match = HEADER.search(lines[0])
    return {} if match is None else {f"header/{name}": text for name, text in match.groupdict().items() if text}


def read_positions(lines: Sequence[str], tickers: Sequence[str]) -> dict[str, str]:
    """Read the list of positions with its totals and the day's line; ``tickers`` are those of its rows, in order."""
    found: dict[str, str] = {}
    place = -1
    for line in lines:
        if match := POSITION.match(line):
            place += 1
            at = f"{place} {tickers[place] if place < len(tickers) else '?'}"
            found |= {f"{POSITION_KINDS[name]}/{at}": text for name, text in match.groupdict().items()}
        elif match := UNSOLD.match(line):
            at = f"{place} {tickers[place] if place < len(tickers) else '?'}"
            found[f"position unsold/{at}"] = match["unsold"]
        elif match := CLOSED.match(line):
            found |= {f"closed today/{name}": text for name, text in match.groupdict().items()}
        elif match := TOTAL.match(line):
            found |= {f"total/{TOTAL_KINDS[name]}": text for name, text in match.groupdict().items()}
        elif match := DAY.match(line):
            found |= {f"day/{name}": text for name, text in match.groupdict().items() if text and name != "since"}
    return found
