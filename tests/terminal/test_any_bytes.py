"""The real app in a terminal that sends what no terminal should: it goes on, and the keys after that are keys."""

import random
from pathlib import Path

import pytest

from tests.support.desk_terminal import is_live
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal

QUESTION_MARK = "\x1b[63u"
"""The key as kitty writes it: its escape ends whatever is unfinished."""
BROKEN = (
    "\x1b[98;1:3u",
    "\x1b[1078::98u",
    "\x1b[1114112u",
    "\x1b[98;1;1114112u",
    "\x1b[55296u",
    "\x1b[98;;57343u",
    f"\x1b[{'9' * 6_000}u",
    "\x1b[" + "1:" * 300 + "u",
    "\x1b[98;1:2:3:4;5;6;7u",
    "\x1b[98;1:3",
    "\x1b[<0;5",
    "\x1b[<0;99999999;5M",
    "\x1b[<999;0;-5M",
    "\x1b[M\x00\x01",
    "\x1b[?2048;2$y\x1b[48;0;0;0;0t\x1b[<0;5;5M",
    "\x1b[48;99999;99999;1;1t",
    "\x1b]52;c;bbbb",
    "\x1bPb\x1b",
    b"\xff\xfe\xc3\x28\xed\xa0\x80\xf5\xf5",
    b"\x1b[\xff\x80u",
    "\x1b[200~" + "b1\r" * 200_000 + "\x1b[201~",
)


def help_opens(terminal: Terminal) -> None:
    """Open the help and close it, which only a desk without a ticket or a question over it does."""
    terminal.child.send(QUESTION_MARK)
    terminal.wait_text("- keys")
    terminal.child.send("\x1b[27u")
    terminal.wait("the desk", lambda screen: "- keys" not in screen and is_live(screen))


@pytest.mark.slow
def test_no_bytes_end_the_desk_and_keys_after_them_work(tmp_path: Path) -> None:
    terminal = Terminal(["--seed", "7"], tmp_path)
    try:
        terminal.wait("a live book", is_live)
        for each in BROKEN:
            terminal.child.send(each)
            help_opens(terminal)
        chance = random.Random(16)
        for _ in range(8):
            # No letters but at the ends of sequences, so that none of it is a key of the desk.
            junk = ["".join(chance.choices("0123456789;:<?$", k=chance.randrange(40))) for _ in range(30)]
            terminal.child.send("".join(f"\x1b[{each}{chance.choice('uRPtycn')}" for each in junk))
        terminal.child.send("\x1b[27u" * 2)
        terminal.wait("the desk", lambda screen: is_live(screen) and "ticket" not in screen)
        help_opens(terminal)
        terminal.press("q")
        assert terminal.ended() == 0
    finally:
        terminal.end()


@pytest.mark.slow
def test_a_key_that_is_let_go_is_pressed_once(tmp_path: Path) -> None:
    terminal = Terminal(["--seed", "7"], tmp_path)
    try:
        terminal.wait("a live book", is_live)
        terminal.child.send("\x1b[78;2:1;78u\x1b[78;2:3u")
        terminal.wait_text("new watch list")
        for letter in "abc":
            terminal.child.send(f"\x1b[{ord(letter)};1:1;{ord(letter)}u\x1b[{ord(letter)};1:3u")
        terminal.child.send("\x1b[1078::98u\x1b[100::1074u!")
        # A name takes no Cyrillic; what is left is the second key, whose alternate is Cyrillic.
        terminal.wait_text("Name:  abcd!")
    finally:
        terminal.end()
