"""What the desk does with focus and cursor: move, go to another pane, back out."""

from kalshi_tui.domain.book import Side
from kalshi_tui.ui.desk.desk_view import DeskPanes, DeskView
from kalshi_tui.ui.desk.layout_controller import LayoutController
from kalshi_tui.ui.desk.selection import DeskSelection
from kalshi_tui.ui.key_labels import key_for
from kalshi_tui.ui.lists.lists_controller import ListsController
from kalshi_tui.ui.lists.panes import Tab


class NavigationController:
    """Carries out the commands that move the cursor of whichever pane has the focus, and the focus itself."""

    def __init__(
        self,
        view: DeskView,
        panes: DeskPanes,
        selection: DeskSelection,
        layout: LayoutController,
        lists: ListsController,
    ) -> None:
        self._view = view
        self._panes = panes
        self._selection = selection
        self._layout = layout
        self._lists = lists

    def move(self, by: int) -> None:
        """Move the cursor of the pane that has the focus by so many lines."""
        selection, panes = self._selection, self._panes
        if selection.in_center:
            (selection.active_ladder if selection.in_ladder else selection.center_pane).move_cursor(by)
            return
        if selection.in_lower_list and panes.lower.tab is Tab.CHART:
            self._lists.move_crosshair(by)
            return
        view = panes.lower.list if selection.in_lower_list else panes.market_list.list
        view.move_cursor_to((view.cursor or 0) + by)

    def select_side(self, side: Side) -> None:
        """Choose among the bids for YES, or among the asks, which are the bids for NO."""
        self._panes.book.select_side(side)

    def go_pane(self, by: int) -> None:
        """Go to another pane: the markets, the book or the ladder, the list below."""
        panes = self._panes
        markets = () if self._layout.hides_list else (panes.market_list.list,)
        center = () if self._layout.hides_center else (self._selection.center_pane, *panes.tiles.visible_panes)
        order = (*markets, *center, panes.lower.list)
        place = next((place for place, pane in enumerate(order) if self._view.focused is pane), 0)
        self._view.set_focus(order[(place + by) % len(order)])

    def keep_filter(self) -> None:
        """Leave the filter as typed."""
        self._layout.focus_default_pane()

    def back(self) -> None:
        """Back out one level: from the book, the ladder or the list below, then from the filter."""
        if self._selection.in_lower_list or self._selection.in_center:
            self._layout.focus_default_pane()
        elif self._panes.market_list.is_filter_open:
            self._panes.market_list.close_filter()

    # Why a command does not work now, in a sentence; empty if it does.

    def cannot_select_side(self) -> str:
        """Return why there are no two sides to choose between."""
        if self._selection.in_ladder:
            return f"In the ladder both sides stand in one row; {key_for('mirror')} turns it over."
        if self._selection.in_book:
            return ""
        return (
            f"The keys {key_for('bids')} and {key_for('asks')} choose bids or asks in the book: "
            f"{key_for('pane')} goes there."
        )

    def no_filter_open(self) -> str:
        """Return that no filter is being typed."""
        if self._panes.market_list.is_filter_focused:
            return ""
        return f"No filter is being typed: {key_for('filter')} opens it."
