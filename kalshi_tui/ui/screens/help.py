"""All keys, from the command table."""

from kalshi_tui.session.desk import Desk
from kalshi_tui.ui.commands import Scope, of_scope
from kalshi_tui.ui.lines import Line, Span, Tone, line, wrap
from kalshi_tui.ui.screens.reading import ReadingScreen

KEYS_WIDTH = 14
NAMES_WIDTH = 21
SIGNS = (
    ("*", "orders of yours: before a market, at a price of the book, at a trade of the tape"),
    ("+ -", "before a market: you hold YES (+) or NO (-)"),
    ("=", "in the book: the price of the last trade"),
    ("◄ ►", "in the book: the chosen price"),
    ("gone", "in the book: nothing stands at the chosen price any more"),
    ("▲2", "in the book: so many better prices stand above what is shown"),
    ("--", "nobody quotes, or nothing has traded"),
    ("STALE", "something was missed: the prices are the last known ones and may be wrong"),
    ("WAITING", "the exchange has not sent this book yet"),
    ("UNKNOWN", "an order was sent and nobody has said what became of it; the exchange is being asked"),
)


class HelpScreen(ReadingScreen):
    """Lists each command with its keys and its sentence."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, "keys")

    def content(self, width: int) -> list[Line]:
        """Write the command table out."""
        return help_lines(width, self.desk.rehearses)


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
            else:
                made += _entry(command.label.partition(": ")[2], command.help, width, NAMES_WIDTH)
        made.append(())
    made += [line(Span("Signs", Tone.HEAD))]
    for sign, meaning in SIGNS:
        made += _entry(sign, meaning, width)
    return made


def _entry(keys: str, sentence: str, width: int, indent: int = KEYS_WIDTH) -> list[Line]:
    first, *rest = wrap(sentence, max(width - indent, 20))
    return [line(Span(f"{keys:<{indent}}", Tone.KEY), first), *(line(" " * indent + text) for text in rest)]
