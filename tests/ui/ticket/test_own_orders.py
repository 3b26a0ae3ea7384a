"""The trader's own orders in the ticket and its review: counted, in the way, canceled from there."""

from dataclasses import replace

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, OrderState
from kalshi_tui.ui.ticket.screen import TicketScreen
from kalshi_tui.ui.ticket.start import TicketPrefill
from kalshi_tui.ui.widgets.choice import Toggle
from tests.support.fake_desk import TITLES, Clock, FakeDesk, a_market, a_position, an_order
from tests.support.pilot import Trader, trading

FIRST = TITLES[0][0]
SALE = TicketPrefill(FIRST, Action.SELL, Side.YES, price=4_000, count=1_000)


def a_desk(*, in_the_way: bool) -> FakeDesk:
    """A desk with 10 YES held, and an own order of 10: in the way of a sale at 0.40, or another sale beside it."""
    desk = FakeDesk(Clock(), [a_market(FIRST, *TITLES[0][1:])])
    desk.store.snapshot(FIRST, [(4_000, 1_000)] if in_the_way else [(3_000, 1_000)], [(5_000, 1_000)])
    desk.store.position(a_position(ticker=FIRST, count=1_000))
    own = an_order(ticker=FIRST, order_id="own-1", state=OrderState.RESTING)
    side = BookSide.BID if in_the_way else BookSide.ASK
    meant = (Action.BUY if in_the_way else Action.SELL, Side.YES)
    desk.store.order(replace(own, book_side=side, yes_price=4_000, initial=1_000, remaining=1_000, meant=meant))
    return desk


async def open_ticket(trader: Trader) -> str:
    trader.app.push_screen(TicketScreen(trader.desk, SALE, trader.timer))
    return await trader.look()


async def test_a_sale_beside_another_is_counted_after_it() -> None:
    async with trading(a_desk(in_the_way=False)) as trader:
        screen = await open_ticket(trader)
        assert "sell YES 10 at 0.40 as filled first" in screen
        assert "NO 10 at 0.60" in screen
        assert "You hold too few to sell" in screen


async def test_an_order_in_the_way_is_named_and_canceled_from_the_ticket() -> None:
    async with trading(a_desk(in_the_way=True)) as trader:
        screen = await open_ticket(trader)
        assert "buy YES 10 at 0.40 in the way: 10 of this order canceled" in screen
        assert "Cancel your buy YES 10 at 0.40" in await trader.press("ctrl+o")
        await trader.press("y")
        await trader.look()
        assert [each.order_id for each in trader.desk.canceled] == ["own-1"]


async def test_an_own_order_that_would_reject_a_post_only_one_is_named_and_canceled_from_the_ticket() -> None:
    async with trading(a_desk(in_the_way=True)) as trader:
        await open_ticket(trader)
        trader.app.screen.query_one("#post-only", Toggle).value = True
        assert "it would cross your own buy YES 10 at 0.40. The exchange" in await trader.look()
        assert "Cancel your buy YES 10 at 0.40" in await trader.press("ctrl+o")
        await trader.press("y")
        await trader.look()
        assert [each.order_id for each in trader.desk.canceled] == ["own-1"]
        # The exchange's own book follows.
        trader.desk.store.snapshot(FIRST, [(3_000, 1_000)], [(5_000, 1_000)])
        assert "it would cross" not in await trader.look()
        assert "- review" in await trader.press("enter")
