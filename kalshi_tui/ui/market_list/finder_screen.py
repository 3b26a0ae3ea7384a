"""Going to any market: words are typed, or series and events are gone through."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Resize
from textual.widgets import Input

from kalshi_tui.presentation.lines import (
    Span,
    Tone,
    fit,
    line,
)
from kalshi_tui.presentation.names import unlisted_text
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.supervisor import DEFECT_TEXT
from kalshi_tui.ui.command import Scope
from kalshi_tui.ui.market_list.finder import (
    Finder,
    FinderRow,
    Question,
    finder_heading,
    finder_row_line,
)
from kalshi_tui.ui.widgets.command_screen import CommandModal
from kalshi_tui.ui.widgets.field import TextInput
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView

MAX_QUERY_LENGTH = 80


class FinderScreen(CommandModal[str]):
    """Dismissed with the ticker gone to, empty if the trader went back."""

    SCOPE = Scope.FIND

    def __init__(self, session: TradingSession) -> None:
        super().__init__(session)
        self._finder = Finder(session.store)
        self._rows: list[FinderRow] = []
        self._asking = ""
        """The ticker that the exchange is being asked for."""
        self._answer = ""
        """Why the last ticker that was asked for was not found."""
        self._field = TextInput(
            id="words",
            placeholder="words or ticker of any market; or choose a series",
            compact=True,
            max_length=MAX_QUERY_LENGTH,
        )
        self._path_line = LineView(classes="one-line")
        self._heading = LineView(classes="one-line")
        self._list = LineView(id="found", has_cursor=True)
        self._list.can_focus = False

    def compose(self) -> ComposeResult:
        """Lay out field, way, rows, keys."""
        with Vertical(classes="dialog tall finding") as box:
            box.border_title = Content(f"{self.session.venue.value} - go to market")
            yield self._field
            yield self._path_line
            yield self._heading
            yield self._list
            yield KeyBar()

    def on_mount(self) -> None:
        """Type at once."""
        self.set_focus(self._field)
        self.update_key_bar()

    def on_resize(self, event: Resize) -> None:
        """Draw again for another width."""
        del event
        self.call_after_refresh(self.redraw)

    def redraw(self, *, first: bool = False) -> None:
        """Draw the rows; ``first``: the cursor goes to the first."""
        self._rows = self._finder.find_rows(self._field.value)
        room = self._list.line_width
        words = f"Asking the exchange for {self._asking}..." if self._asking else self._answer
        tone = Tone.WARN if self._answer and not self._asking else Tone.DIM
        self._path_line.show([line(Span(fit(words or self._place_text(), self._path_line.line_width), tone))])
        self._heading.show([line(" ", *finder_heading(self._rows, room))])
        rows = [finder_row_line(self.session.store, row, room) for row in self._rows]
        self._list.show(rows or [line(Span(self._nothing_text(), Tone.DIM))])
        if first:
            self._list.move_cursor_to(0)

    def _place_text(self) -> str:
        """Return the place in the tree, and that it is not whole where the list has not been read."""
        return "  ".join(filter(None, (self._finder.path_text, unlisted_text(self.session.store))))

    def _nothing_text(self) -> str:
        """Return that nothing was found, and where that proves nothing because the list has not been read whole."""
        unread = unlisted_text(self.session.store)
        return f"Nothing that has been read has these words. {unread}" if unread else "Nothing has these words."

    @on(Input.Changed)
    def _input_changed(self) -> None:
        self._answer = ""
        self.redraw(first=True)

    def move_cursor(self, by: int) -> None:
        """Move the cursor; the field keeps the focus."""
        self._list.move_cursor_to((self._list.cursor or 0) + by)

    def open_row(self) -> None:
        """Go into the chosen row, or to the market that it is."""
        place = self._list.cursor or 0
        if place >= len(self._rows):
            return
        row = self._rows[place]
        if row.question is not None:
            if not self._asking:
                self.run_worker(self._ask(row.question, row.key), name="look up", exit_on_error=False)
            return
        if ticker := self._finder.go_into(self._rows[place]):
            self.dismiss(ticker)
            return
        self._field.value = ""
        self.redraw(first=True)

    async def _ask(self, question: Question, name: str) -> None:
        """Ask the exchange for what the list lacks; go to the one market that it has, or show what there is."""
        self._asking = name
        self.redraw()
        try:
            await self._look_up(question, name)
        except Exception:
            # Else the screen would say for ever that the exchange is being asked.
            self._show_answer(f"{name} could not be asked for: {DEFECT_TEXT}")
            raise

    async def _look_up(self, question: Question, name: str) -> None:
        if question is Question.COLLECTIONS:
            answer = await self.session.read_combo_collections()
            if answer.collections:
                self._finder.show_collections(answer.collections)
            self._show_answer(answer.sentence or ("" if answer.collections else "There is no open collection."))
            return
        found = await (self.session.look_up(name) if question is Question.TICKER else self.session.look_up_combos(name))
        if len(found.tickers) == 1 and question is Question.TICKER and self.is_attached:
            self.dismiss(found.tickers[0])
            return
        if found.tickers:
            self._finder.show_found(name, found.tickers)
        self._show_answer(found.sentence, clear=bool(found.tickers))

    def _show_answer(self, sentence: str, *, clear: bool = False) -> None:
        """Show what came of a question; the words go where other rows have come."""
        self._asking = ""
        if not self.is_attached:
            return
        if clear:
            self._field.value = ""
        self._answer = sentence
        self.redraw(first=True)

    def go_up(self) -> None:
        """Clear the words, then go one level up, then close."""
        if self._field.value:
            self._field.value = ""
        elif self._finder.go_up():
            self.redraw(first=True)
        else:
            self.dismiss("")
