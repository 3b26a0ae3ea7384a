"""What a test does at the desk in a real terminal, and what it reads there."""

import re
import sqlite3
from contextlib import closing
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

from tests.support.practice_server import PEMS, Serving
from tests.support.terminal import Terminal

# A price in the book's columns, beside the rule between the panes.
LEVEL = re.compile(r"│.*0\.\d+.*\d")


def write_profile(home: Path, exchange: Serving) -> None:
    """Let ``--env house`` open the account of alice on a test's own exchange."""
    folder, key = home / "config" / "kalshi-tui", home / "alice.pem"
    folder.mkdir(parents=True)
    key.write_bytes(PEMS["alice"])
    key.chmod(0o600)
    address = f"127.0.0.1:{exchange.port}/trade-api"
    lines = ["[profiles.house]", f'rest_url = "http://{address}/v2"', f'ws_url = "ws://{address}/ws/v2"']
    lines += ['money = "demo"', 'api_key_id = "key-of-alice"', f'private_key_path = "{key}"']
    (folder / "settings.toml").write_text("\n".join(lines))


def is_live(screen: str) -> bool:
    """Return whether a book stands on the screen. Toward its end a quarter-hour market is bid on one side alone."""
    return "YES bid" in screen and LEVEL.search(screen) is not None


def choose_a_calm_market(terminal: Terminal) -> None:
    """Go past quarter-hour markets and games, whose prices run away at their end, to one that is open for days."""
    screen = terminal.wait("a live book", is_live)
    while "Fed " not in (title := screen.splitlines()[1]):
        terminal.press("j")
        screen = terminal.wait("the next market's book", partial(_shows_another, title))
    terminal.wait("its levels", is_live)


def _shows_another(title: str, screen: str) -> bool:
    return screen.splitlines()[1] != title


def order(terminal: Terminal, price: str, count: str, word: str = "") -> None:
    """Write an order in the ticket, review it, and send it once the key is armed; ``word`` is what it asks for."""
    terminal.press("b")
    terminal.wait_text("order ticket")
    terminal.press(*price, "tab", *count, "enter")
    terminal.wait_text("review")
    send_armed(terminal)
    if word:
        terminal.wait_text(f"Type {word}, then Enter")
        terminal.press(*word, "enter")


def send_armed(terminal: Terminal) -> None:
    """Press the key that sends, once it is armed."""
    terminal.wait("the armed key", lambda screen: "sends" in screen.lower() and "arming" not in screen)
    terminal.press("enter")


def close_review(terminal: Terminal) -> None:
    """Close the result. Waits for it: an escape with a key right behind it means Alt and that key to any program."""
    terminal.press("escape")
    terminal.wait("the desk", lambda screen: "review" not in screen)


def rows(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute(statement).fetchall()


def misplaced(terminal: Terminal) -> list[str]:
    """Return the rows whose rules do not stand where those of the rows around stand."""
    rows = terminal.cells()
    height, width = len(rows), len(rows[0])
    wrong: list[str] = []
    top = next((y for y, row in enumerate(rows) if "╭" in row and "╮" in row), None)
    if top is not None:
        left, right = rows[top].index("╭"), rows[top].index("╮")
        inner = list(takewhile(lambda y: rows[y][left] != "╰", range(top + 1, height)))
        wrong += [f"{y}: {''.join(rows[y])}" for y in inner if (rows[y][left], rows[y][right]) != ("│", "│")]
        bottom = top + len(inner) + 1
        if bottom == height or rows[bottom][right] != "╯":
            wrong.append("the box is not closed")
        return wrong
    if not "".join(rows[0]).strip().startswith("PRACTICE"):
        return wrong
    # Down to the rule above the lists, or to the palette, which is as wide as the screen.
    upper = list(takewhile(lambda y: rows[y][0] not in {"─", "▔"}, range(1, height)))
    rule = max(range(width), key=lambda x: sum(rows[y][x] == "│" for y in upper))
    return [f"{y}: {''.join(rows[y])}" for y in upper if rows[y][rule] != "│"]
