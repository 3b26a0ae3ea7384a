"""All keys, from the command table."""

from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
    wrap,
)
from kalshi_tui.session.interface import Desk
from kalshi_tui.ui.availability import Situation
from kalshi_tui.ui.commands import Command, Scope, choose, of_scope
from kalshi_tui.ui.dialogs.reading import ReadingScreen
from kalshi_tui.ui.keys import key

KEYS_WIDTH = 14
NAMES_WIDTH = 21
SIGNS = (
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


class HelpScreen(ReadingScreen):
    """Lists first what works now in the pane that has the focus, then why the rest does not, then all commands."""

    def __init__(self, desk: Desk, pane: str, now: Situation) -> None:
        """Explain the desk as it is ``now``, with the focus in a ``pane`` of this name."""
        super().__init__(desk, "keys")
        self._pane = pane
        self._now = now

    def content(self, width: int) -> list[Line]:
        """Write the command table out."""
        return [*pane_lines(width, self._pane, self._now), *help_lines(width, self.desk.rehearses)]


def pane_lines(width: int, pane: str, now: Situation) -> list[Line]:
    """Write what each key of the desk does at this moment, and why those do nothing that do not."""
    able, unable = [], list[tuple[Command, str]]()
    told: set[str] = set()
    for command in of_scope(Scope.DESK):
        for each in filter(None, command.keys.split(",")):
            # A key means the first of its commands that works.
            ids = [other.id for other in of_scope(Scope.DESK) if each in other.keys.split(",")]
            meant, why = choose(ids, now)
            if meant.id != command.id or meant.id in told:
                continue
            told.add(meant.id)
            if why:
                unable.append((command, why))
            else:
                able.append(command)
    made: list[Line] = [line(Span(f"Now, in {pane}", Tone.HEAD))]
    for command in able:
        made += _entry(command.all_keys, command.help, width)
    if unable:
        made += [(), line(Span("Not now", Tone.HEAD))]
        for command, why in unable:
            made += _entry(command.all_keys, f"{command.label}: {why}", width)
    return [*made, ()]


def help_lines(width: int, rehearses: bool) -> list[Line]:
    """Write the command table out, a part for each screen, then the signs."""
    made: list[Line] = []
    for scope in Scope:
        if scope is Scope.REHEARSE and not rehearses:
            continue
        made += [line(Span(scope.value, Tone.HEAD))]
        for command in of_scope(scope):
            if command.keys:
                made += _entry(command.all_keys, command.help, width)
            elif scope is Scope.REHEARSE:
                made += _entry(command.label.partition(": ")[2], command.help, width, NAMES_WIDTH)
            else:
                made += _entry(key("palette"), f"{command.label}: {command.help}", width)
        made.append(())
    made += [line(Span("Signs", Tone.HEAD))]
    for sign, meaning in SIGNS:
        made += _entry(sign, meaning, width)
    return made


def _entry(keys: str, sentence: str, width: int, indent: int = KEYS_WIDTH) -> list[Line]:
    first, *rest = wrap(sentence, max(width - indent, 20))
    return [line(Span(f"{keys:<{indent}}", Tone.KEY), first), *(line(" " * indent + text) for text in rest)]
