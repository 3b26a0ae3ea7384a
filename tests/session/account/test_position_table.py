"""What is written of positions is what the exchange has said: a figure that it has not said yet is no zero."""

from pathlib import Path

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, OrderTerms
from kalshi_tui.ui.lists.export import build_table
from kalshi_tui.ui.lists.panes import Tab
from tests.support.session_rig import Rig


async def test_the_total_traded_is_not_zero_between_a_fill_and_the_next_read(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    rig.trade(BookSide.ASK, 4_000, 1_000)
    rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 1_000))
    await rig.pass_time(1)
    rig.deliver()
    seen = []
    for _ in range(20):
        head, *rows = build_table(rig.session.store, Tab.POSITIONS, rig.ticker)
        seen += [dict(zip(head, row, strict=True))["total_traded"] for row in rows]
        await rig.pass_time(1)
    assert set(seen) == {"", "4.000000"}
    assert seen[0] == ""
    assert seen[-1] == "4.000000"
    await rig.close()
