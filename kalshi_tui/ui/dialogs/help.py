"""All keys, from the command table."""

from collections.abc import Sequence

from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
    wrap,
)
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.command import AnyCommand, Scope
from kalshi_tui.ui.command_table import commands_in_scope
from kalshi_tui.ui.dialogs.reading import TextScreen
from kalshi_tui.ui.key_labels import key_for

HELP_KEYS_WIDTH = 14
HELP_NAMES_WIDTH = 21
SIGN_MEANINGS = (
    ("*", "orders of yours: before a market, at a price of the book, at a trade of the tape"),
    ("+ -", "before a market: you hold YES (+) or NO (-)"),
    ("=", "in the book: the price of the last trade"),
    ("◄ ►", "in the book: the chosen price"),
    ("gone", "in the book: nothing stands at the chosen price any more"),
    ("▲2", "in the book: so many better prices stand above what is shown"),
    ("?", "in the ladder, before a count: an order of yours of which nobody knows yet whether it rests"),
    ("▲ ▼", "before a price of the market list: it has just risen, or fallen"),
    ("--", "nobody quotes, or nothing has traded"),
    ("STALE", "something was missed: the prices are the last known ones and may be wrong"),
    ("WAITING", "the exchange has not sent this book yet"),
    ("UNKNOWN", "an order was sent and nobody has said what became of it; the exchange is being asked"),
)


class HelpScreen(TextScreen):
    """Lists first what works now in the pane that has the focus, then why the rest does not, then all commands."""

    def __init__(self, session: TradingSession, pane: str, availability: Sequence[tuple[AnyCommand, str]]) -> None:
        """Explain the desk with the focus in a ``pane`` of this name.

        ``availability`` has each command of the desk with the sentence why it does not work now.
        """
        super().__init__(session, "keys", self._help_lines)
        self._pane = pane
        self._availability = availability

    def _help_lines(self, width: int) -> list[Line]:
        """Return the command table as lines."""
        return [
            *pane_help_lines(width, self._pane, self._availability),
            *help_lines(width, self.session.can_inject_faults),
        ]


def pane_help_lines(width: int, pane: str, availability: Sequence[tuple[AnyCommand, str]]) -> list[Line]:
    """Write what each key of the desk does at this moment, and why those do nothing that do not."""
    able, unable = [], list[tuple[AnyCommand, str]]()
    seen: set[str] = set()
    for command, why in availability:
        for key in command.key_names:
            # A key means the first of its commands that works, or the first of all if none does.
            sharing = [each for each in availability if key in each[0].key_names]
            meant, _ = next((each for each in sharing if not each[1]), sharing[0])
            if meant.id != command.id or meant.id in seen:
                continue
            seen.add(meant.id)
            if why:
                unable.append((command, why))
            else:
                able.append(command)
    made: list[Line] = [line(Span(f"Now, in {pane}", Tone.HEAD))]
    for command in able:
        made += _entry_lines(command.all_keys, command.help, width)
    if unable:
        made += [(), line(Span("Not now", Tone.HEAD))]
        for command, why in unable:
            made += _entry_lines(command.all_keys, f"{command.label}: {why}", width)
    return [*made, ()]


def help_lines(width: int, rehearses: bool) -> list[Line]:
    """Return the command table as lines, a part for each screen, then the signs."""
    made: list[Line] = []
    for scope in Scope:
        if scope is Scope.REHEARSE and not rehearses:
            continue
        made += [line(Span(scope.value, Tone.HEAD))]
        for command in commands_in_scope(scope):
            if command.keys:
                made += _entry_lines(command.all_keys, command.help, width)
            elif scope is Scope.REHEARSE:
                made += _entry_lines(command.label.partition(": ")[2], command.help, width, HELP_NAMES_WIDTH)
            else:
                made += _entry_lines(key_for("palette"), f"{command.label}: {command.help}", width)
        made.append(())
    made += [line(Span("Signs", Tone.HEAD))]
    for sign, meaning in SIGN_MEANINGS:
        made += _entry_lines(sign, meaning, width)
    return made


def _entry_lines(keys: str, sentence: str, width: int, indent: int = HELP_KEYS_WIDTH) -> list[Line]:
    first, *rest = wrap(sentence, max(width - indent, 20))
    return [line(Span(f"{keys:<{indent}}", Tone.KEY), first), *(line(" " * indent + text) for text in rest)]
