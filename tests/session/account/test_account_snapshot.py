"""What the account is worth on the desk: header, positions and totals are of one snapshot."""

from pathlib import Path

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkStats
from kalshi_tui.domain.order import Action, BookSide, OrderTerms
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import MONEY_UNIT
from kalshi_tui.presentation.lines import plain_text
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.desk.status_view import status_line
from kalshi_tui.ui.lists.position_view import position_rows
from tests.support.fake_desk import NOW_MS, TITLES, Clock, a_store, an_order
from tests.support.session_rig import Rig

FIRST = TITLES[0][0]


def shown(store: Store, width: int = 140) -> str:
    return "\n".join(plain_text(each) for _, each in position_rows(store, width))


def test_an_own_bid_makes_no_gain_on_the_screen() -> None:
    store = a_store(Clock())
    store.snapshot(FIRST, [(3_000, 200_000), (5_500, 100)], [])
    store.order(an_order(yes_price=5_500, remaining=100, initial=100))
    store.position(Position(FIRST, 100_000, 500 * MONEY_UNIT))
    # 1,000 sold at 0.30, less the taker's fee of 0.07 x 1,000 x 0.30 x 0.70.
    assert "-$214.70" in shown(store)
    head = plain_text(status_line(store, Venue.PRACTICE, 0, LinkStats(), NOW_MS, 140))
    assert "worth $285.30" in head
    assert "$285.30  net -$214.70" in shown(store)
    assert "value $285.30, net -$214.70" in shown(store, 80)


def test_what_nobody_bids_for_is_named_under_its_position() -> None:
    store = a_store(Clock())
    store.snapshot(FIRST, [(3_000, 38_000)], [])
    store.position(Position(FIRST, 100_000, 500 * MONEY_UNIT))
    assert "no bid for 620 of 1,000" in shown(store)


async def test_what_is_held_has_its_book_and_its_fees_though_it_is_not_shown(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    rig.trade(BookSide.ASK, 4_000, 1_000)
    rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 1_000))
    await rig.pass_time(5)
    store = rig.session.store
    assert store.positions[rig.ticker].count == 1_000
    assert store.markets[rig.ticker].fees is not None
    stream = rig.session.parts.stream
    assert rig.ticker in stream.books  # type: ignore[attr-defined]  # the test's own stream
    await rig.close()
