"""The desk's screen as controllers see it, and the panes that it lays out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from textual.app import App
from textual.geometry import Size
from textual.timer import Timer
from textual.widget import Widget

from kalshi_tui.session.store import Store
from kalshi_tui.ui.book.pane import BookPane
from kalshi_tui.ui.ladder.pane import LadderPane
from kalshi_tui.ui.ladder.tiles import LadderTiles
from kalshi_tui.ui.lists.pane import LowerPane
from kalshi_tui.ui.lists.tape_pane import TapePane
from kalshi_tui.ui.market_list.pane import MarketListPane
from kalshi_tui.ui.market_list.watch_lists import WatchLists
from kalshi_tui.ui.ui_settings import UiSettings


class DeskView(Protocol):
    """The screen as a controller sees it: the focus, what lies over it, and when it is drawn."""

    @property
    def app(self) -> App[object]:
        """The application, which opens screens and runs what takes a while."""

    @property
    def focused(self) -> Widget | None:
        """The widget that has the focus."""

    @property
    def size(self) -> Size:
        """How large the screen is."""

    def set_focus(self, widget: Widget | None) -> None:
        """Set the focus to a widget."""

    def set_class(self, add: bool, class_name: str) -> object:
        """Add a class of the style sheet, or take it away."""

    def set_timer(self, delay: float, callback: Callable[[], None], *, name: str | None = None) -> Timer:
        """Call once after so many seconds."""

    def call_after_refresh(self, callback: Callable[[], None]) -> bool:
        """Call once the screen has been laid out."""

    def redraw(self) -> None:
        """Draw everything."""

    def update_key_bar(self) -> None:
        """Show the keys that work now."""

    def show_reason(self, reason: str) -> None:
        """Show why a command does not work now."""


@dataclass(frozen=True, slots=True)
class DeskPanes:
    """The panes of the desk."""

    market_list: MarketListPane
    book: BookPane
    ladder: LadderPane
    """The ladder that can take the book's place."""
    tiles: LadderTiles
    tape: TapePane
    lower: LowerPane

    @classmethod
    def create(
        cls, store: Store, watch_lists: WatchLists, timer_ms: Callable[[], int], ui_settings: UiSettings
    ) -> "DeskPanes":
        """Make the panes; the book is shown, the ladder is not."""
        plain = bool(ui_settings.plain_chart)
        panes = cls(
            MarketListPane(store, watch_lists, timer_ms, ui_settings.columns, plain=plain),
            BookPane(store),
            LadderPane(store),
            LadderTiles(store),
            TapePane(store),
            LowerPane(store, plain_chart=plain),
        )
        panes.ladder.display = False
        return panes
