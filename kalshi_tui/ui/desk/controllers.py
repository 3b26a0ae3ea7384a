"""The controllers of the desk, put together."""

from collections.abc import Callable
from dataclasses import dataclass

from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.command import AnyCommand
from kalshi_tui.ui.desk.desk_view import DeskPanes, DeskView
from kalshi_tui.ui.desk.layout_controller import LayoutController
from kalshi_tui.ui.desk.layouts import Layouts
from kalshi_tui.ui.desk.navigation_controller import NavigationController
from kalshi_tui.ui.desk.order_controller import OrderController
from kalshi_tui.ui.desk.program_controller import ProgramController
from kalshi_tui.ui.desk.recording_controller import RecordingController
from kalshi_tui.ui.desk.selection import DeskSelection
from kalshi_tui.ui.ladder.ladder_controller import LadderController
from kalshi_tui.ui.lists.export_file import Exporter
from kalshi_tui.ui.lists.lists_controller import ListsController
from kalshi_tui.ui.market_list.market_list_controller import MarketListController
from kalshi_tui.ui.market_list.watch_lists import WatchLists
from kalshi_tui.ui.ui_settings import UiSettings


@dataclass(frozen=True, slots=True)
class DeskControllers:
    """What the commands of the desk act on, a controller for each feature."""

    orders: OrderController
    ladder: LadderController
    layout: LayoutController
    markets: MarketListController
    lists: ListsController
    recordings: RecordingController
    navigation: NavigationController
    program: ProgramController

    @classmethod
    def create(
        cls,
        session: TradingSession,
        view: DeskView,
        panes: DeskPanes,
        selection: DeskSelection,
        watch_lists: WatchLists,
        clock_ms: Callable[[], int],
        timer_ms: Callable[[], int],
        ui_settings: UiSettings,
        availability: Callable[[], list[tuple[AnyCommand, str]]],
    ) -> "DeskControllers":
        """Make the controllers, each with the collaborators that it needs."""
        layouts = Layouts(ui_settings.data_folder)
        orders = OrderController(session, view, selection, panes.market_list, clock_ms, timer_ms)
        ladder = LadderController(session, view, panes, selection, orders, timer_ms)
        layout = LayoutController(session, view, panes, selection, ladder, layouts, watch_lists)
        lists = ListsController(session, view, panes, selection, Exporter(ui_settings.export_folder, clock_ms))
        return cls(
            orders=orders,
            ladder=ladder,
            layout=layout,
            markets=MarketListController(session, view, panes, selection, layout, watch_lists, timer_ms),
            lists=lists,
            recordings=RecordingController(session, view, ui_settings.export_folder, clock_ms, timer_ms),
            navigation=NavigationController(view, panes, selection, layout, lists),
            program=ProgramController(session, view, selection, availability),
        )
