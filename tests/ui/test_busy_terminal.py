"""What changes while the terminal is still taking the last frame is on the next one."""

import pytest

from kalshi_tui.domain.market import Trade
from kalshi_tui.ui.terminal_driver import TerminalDriver
from tests.support.fake_desk import NOW_MS, busy_desk
from tests.support.pilot import WIDE, trading


async def test_no_change_is_lost_to_a_busy_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    async with trading(busy_desk(), WIDE) as trader:
        ticker = trader.app.desk_screen.panes.market_list.ticker
        trader.desk.store.trade(Trade("late", ticker, 4_200, 12_345_00, taker_bid=True, ts_ms=NOW_MS + 1_000))
        driver = object.__new__(TerminalDriver)
        monkeypatch.setattr(TerminalDriver, "is_busy", True)
        with monkeypatch.context() as busy:
            busy.setattr(trader.app, "_driver", driver)
            trader.app.frame()
        assert "12,345" not in trader.text()
        assert "12,345" in await trader.look()
