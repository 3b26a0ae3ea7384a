"""The welcome of the first start: what the desk is, in a few lines, and a first practice trade."""

from pathlib import Path
from typing import Final

import msgspec
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Resize

from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
    wrap,
)
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.persisted import PersistedFile
from kalshi_tui.ui.command import Scope
from kalshi_tui.ui.key_labels import key_for
from kalshi_tui.ui.widgets.command_screen import CommandModal
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView

WELCOME_FILE: Final = "welcome.json"
WELCOME_KEYS_WIDTH: Final = 7


class WelcomeFile(msgspec.Struct, frozen=True):
    """The file that records that the welcome was shown."""

    seen: bool = False


def should_show_welcome(folder: Path | None) -> bool:
    """Return whether the welcome has not been seen yet, and note that it has been now."""
    if folder is None:
        return False
    kept = PersistedFile(folder, WELCOME_FILE, WelcomeFile)
    seen, _ = kept.read()
    if not seen.seen:
        kept.write(WelcomeFile(seen=True))
    return not seen.seen


class WelcomeScreen(CommandModal[bool]):
    """Dismissed with True for a first trade, with False to look around."""

    SCOPE = Scope.WELCOME

    def __init__(self, session: TradingSession) -> None:
        super().__init__(session)
        self._text = LineView(id="welcome-text")

    def compose(self) -> ComposeResult:
        """Lay out text and keys."""
        with Vertical(classes="dialog welcome") as box:
            box.border_title = Content(f"{self.session.venue.value} - welcome")
            yield self._text
            yield KeyBar()

    def on_resize(self, event: Resize) -> None:
        """Wrap the text again."""
        del event
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Draw."""
        lines = welcome_lines(self._text.line_width)
        self._text.styles.height = len(lines)
        self._text.show(lines)

    def start_first_trade(self) -> None:
        """Go on to a first trade."""
        self.dismiss(True)

    def look_around(self) -> None:
        """Go to the desk."""
        self.dismiss(False)


def welcome_lines(width: int) -> list[Line]:
    """Return the welcome for a dialog ``width`` cells wide."""
    what = (
        "This is a practice exchange on your own machine. It speaks as Kalshi does, its books move and fill, and "
        "nothing here costs real money: the word PRACTICE stands at the top left as long as that is so."
    )
    price = (
        "A contract pays $1.00 if the answer is YES, nothing if it is NO. So a price is a probability: YES at 0.40 "
        "costs 40 cents, and a NO bid of 0.60 is the same as an offer of YES at 0.40."
    )
    made = [line(part) for part in wrap(what, width)]
    made += [(), *(line(part) for part in wrap(price, width)), ()]
    for keys, does in (
        (f"{key_for('down')} {key_for('up')}", "choose a market; its book stands beside it"),
        (f"{key_for('buy')} {key_for('sell')}", "buy, sell: a ticket opens, then a review; only that sends"),
        (key_for("cancel"), "cancel an order"),
        (key_for("help"), "what every key does where you are"),
        (key_for("quit"), "quit; the account is kept"),
    ):
        made.append(
            line(
                Span(f" {keys:<{WELCOME_KEYS_WIDTH}}", Tone.KEY),
                *wrap(does, max(width - WELCOME_KEYS_WIDTH - 1, 20))[:1],
            )
        )
    last = (
        f"To begin, press {key_for('trade')}: it opens a ticket to buy one contract at the best offer. Enter shows the "
        "review of the order, Enter again sends it."
    )
    key = "No key is needed here. For the demo or the real exchange, docs/trading.md shows how to create a first one."
    return [*made, (), *(line(part) for part in wrap(last, width)), *(line(part) for part in wrap(key, width))]
