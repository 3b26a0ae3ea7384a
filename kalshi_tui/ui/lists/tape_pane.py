"""The prints of one market, newest first."""

from kalshi_tui.domain.price import Count
from kalshi_tui.presentation.lines import Span, Tone, line
from kalshi_tui.session.changes import StoreChanges, Topic
from kalshi_tui.session.store import Store
from kalshi_tui.ui.lists.panes import tape_lines
from kalshi_tui.ui.lists.views import tape_column_heading
from kalshi_tui.ui.widgets.line_view import LineView


class TapePane(LineView):
    """A column of its own where there is room; draws again only when a trade came."""

    def __init__(self, store: Store) -> None:
        super().__init__(id="tape")
        self._store = store
        self._ticker = ""
        self._min_count: Count = 0
        self._drawn_trade: tuple[str, int] = ("", 0)

    def show_market(self, ticker: str) -> None:
        """Show another market."""
        self._ticker = ticker
        self.redraw()

    def set_min_count(self, min_count: Count) -> None:
        """Show trades of so many contracts or more, and the trader's own."""
        self._min_count = min_count
        self.redraw()

    def frame(self, dirty: StoreChanges) -> None:
        """Draw if a trade came: most changes of a market are its book's."""
        came = self._ticker in dirty.tickers and self._newest_trade() != self._drawn_trade
        if came or dirty.topics & {Topic.FILLS, Topic.MARKETS}:
            self.redraw()

    def redraw(self) -> None:
        """Draw, if shown at all."""
        if self.display:
            self._drawn_trade = self._newest_trade()
            heading = line(Span(tape_column_heading(self._min_count), Tone.HEAD))
            self.show([heading, *tape_lines(self._store, self._ticker, self._min_count)])

    def _newest_trade(self) -> tuple[str, int]:
        tape = self._store.tapes.get(self._ticker)
        return (tape[0].trade_id, len(tape)) if tape else ("", 0)
