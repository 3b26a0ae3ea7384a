"""Changing a resting order: what is written, what it does to the queue place, and that it is sent once, or not."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import Action, BookSide, Order, OrderState, OrderTerms
from kalshi_tui.presentation.number_text import count_text, date_time_seconds_text
from kalshi_tui.session.execution.risk_checks import OverrideMethod, Risk, RiskReason, RiskViolation
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.dialogs.word import WordScreen
from kalshi_tui.ui.ticket.amend import AmendScreen
from kalshi_tui.ui.ticket.confirm import ARM_DELAY_MS
from kalshi_tui.ui.widgets.field import Field
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    FakeDesk,
    a_market,
    an_order,
    busy_desk,
)
from tests.support.pilot import (
    NARROW,
    SIZES,
    Trader,
    said,
    trading,
)

FIRST = TITLES[0][0]
STALE = RiskViolation(
    Risk(RiskReason.STALE_BOOK), OverrideMethod.WORD, "The book is STALE: the prices may be wrong.", "blind"
)
HARD = RiskViolation(
    Risk(RiskReason.LIMIT, "contracts an order"),
    OverrideMethod.NEVER,
    "For an order that makes 20 contracts, your limit is 12.",
)


async def open_amend(trader: Trader, order: Order | None = None) -> str:
    order = order or an_order()
    trader.desk.store.order(order)
    trader.app.push_screen(AmendScreen(trader.desk, order, trader.timer))
    return await trader.look()


def field(trader: Trader, name: str) -> str:
    return trader.app.screen.query_one(f"#{name}", Field).value


async def change(trader: Trader, *keys: str) -> str:
    """Write, look over, let the key arm, send."""
    await trader.press(*keys, "enter")
    assert "arming" in trader.text()
    await trader.wait_to_arm()
    return await trader.press("enter")


async def test_price_and_count_are_changed_in_two_steps() -> None:
    async with trading(size=NARROW) as trader:
        screen = await open_amend(trader)
        assert "PRACTICE - change an order" in screen
        assert "buy YES 10 at 0.46 0 filled, 10 rest" in said(screen)
        assert (field(trader, "price"), field(trader, "count")) == ("0.46", "10")
        await trader.press("up", "tab", *"25", "enter")
        screen = await trader.wait_to_arm()
        assert "ENTER CHANGES THIS ORDER" in screen
        assert "buy YES 25 at 0.47 instead of 10 at 0.46" in screen
        assert not trader.desk.amended
        screen = await trader.press("enter")
        assert [(order.order_id, price, left) for order, price, left in trader.desk.amended] == [("o1", 4_700, 2_500)]
        assert trader.desk.agreed == [frozenset()]
        assert "RESTING Changed." in said(screen)
        await trader.press("enter")
        assert not isinstance(trader.app.screen, AmendScreen)
        assert len(trader.desk.amended) == 1


async def test_an_expiry_alone_is_changed_and_keeps_the_place() -> None:
    async with trading(size=NARROW) as trader:
        screen = await open_amend(trader)
        assert "good till canceled (15:30, +10m, never)" in screen
        screen = await trader.press("tab", "tab", *"+1x")
        assert "not a time" in screen
        # A time is not stepped, so the keys that step are not offered, although there is room for them.
        assert "↑ Up" not in screen
        assert "A time is typed" in await trader.press("up")
        await trader.press("ctrl+u", *"+10m")
        screen = await trader.press("enter")
        assert "Keeps its place: only the expiry changes." in screen
        await trader.wait_to_arm()
        screen = await trader.press("enter")
        assert trader.desk.amended_expiries == [NOW_MS // 1000 + 600]
        # The time that was sent stands there, however long the screen stays.
        trader.desk.clock.advance(120_000)
        assert f"= {date_time_seconds_text(NOW_MS // 1000 + 600)}" in await trader.look()
        assert [(price, left) for _, price, left in trader.desk.amended] == [(4_600, 1_000)]


async def test_an_expiry_is_taken_away() -> None:
    async with trading(size=NARROW) as trader:
        order = an_order(expires_ms=NOW_MS + 600_000)
        screen = await open_amend(trader, order)
        assert f"until {date_time_seconds_text(NOW_MS // 1000 + 600)}" in screen
        await change(trader, "shift+tab", *"never")
        assert trader.desk.amended_expiries == [0]


@pytest.mark.parametrize(
    ("side", "asked", "words", "typed", "yes_price"),
    [
        (BookSide.BID, None, "buy YES 10 at 0.46", "40", 4_000),
        (BookSide.ASK, None, "buy NO 10 at 0.46", "40", 6_000),
        (BookSide.BID, (Action.BUY, Side.YES), "buy YES 10 at 0.46", "40", 4_000),
        (BookSide.ASK, (Action.BUY, Side.NO), "buy NO 10 at 0.46", "40", 6_000),
        (BookSide.ASK, (Action.SELL, Side.YES), "sell YES 10 at 0.54", "60", 6_000),
        (BookSide.BID, (Action.SELL, Side.NO), "sell NO 10 at 0.54", "60", 4_000),
    ],
)
async def test_the_order_stands_in_the_words_in_which_it_was_sent(
    side: BookSide, asked: tuple[Action, Side] | None, words: str, typed: str, yes_price: int
) -> None:
    async with trading(size=NARROW) as trader:
        if asked:
            trader.desk.store.account.intents.remember_side("c1", *asked)
        order = an_order(book_side=side, yes_price=4_600 if side is BookSide.BID else 5_400)
        assert words in await open_amend(trader, order)
        await change(trader, *typed)
        assert [price for _, price, _ in trader.desk.amended] == [yes_price]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ([], "Unchanged so far."),
        (["tab", *"4"], "Keeps its place: smaller count at the same price."),
        (["tab", *"40"], "Loses its place in the queue."),
        (["down"], "Loses its place in the queue."),
        (["t"], "Loses its place in the queue, and takes at once."),
    ],
)
async def test_what_becomes_of_the_queue_place_is_said(keys: list[str], place: str) -> None:
    async with trading(size=NARROW) as trader:
        await open_amend(trader)
        trader.desk.store.account.set_queue_positions({"o1": 120_000})
        screen = said(await trader.press(*keys))
        assert place in screen
        assert "now behind 1,200" in screen


async def test_what_would_fill_or_rest_is_told_at_each_quote() -> None:
    async with trading(size=NARROW) as trader:
        await open_amend(trader)
        # 1,200 stand at 0.47 and 1,215.50 at 0.46, 10 of them this order's own.
        assert "Fills now nothing Rests 15 behind 2,405.50" in said(await trader.press("tab", *"15"))
        # At a worse price all that stands at better ones goes first, less this order's own contracts.
        better = trader.desk.store.books[FIRST].book.yes.depth_from(4_500) - 1_000
        assert f"Rests 15 behind {count_text(better)}" in said(await trader.press("shift+tab", "down"))
        assert better > 240_550
        screen = said(await trader.press("t"))
        assert "Fills now 15 at 0.48 Rests nothing" in screen
        assert "Before $4.78" in screen
        trader.desk.store.snapshot(FIRST, [(4_700, 100)], [(5_200, 500)])
        assert "Fills now 5 at 0.48 Rests 10, first in queue" in said(await trader.look())


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([], "Nothing is changed yet"),
        (["backspace"], "Type a price"),
        (["tab", "backspace"], "Type how many contracts"),
        (["tab", "0"], "The count must be more than 0"),
        ([*"47.5c"], "is not on this market's price grid"),
        (["i", "i"], "A tick better would cross"),
    ],
)
async def test_what_is_no_change_is_refused_with_a_way_on(keys: list[str], says: str) -> None:
    async with trading(size=NARROW) as trader:
        await open_amend(trader)
        screen = await trader.press(*keys) if "i" in keys else await trader.press(*keys, "enter")
        assert says in said(screen)
        assert "arming" not in screen
        assert not trader.desk.amended


async def test_a_post_only_order_is_not_changed_into_one_that_takes() -> None:
    async with trading(size=NARROW) as trader:
        terms = OrderTerms(FIRST, Side.YES, Action.BUY, 4_600, 1_000, post_only=True)
        trader.desk.store.account.intents.remember_terms("c1", terms)
        await open_amend(trader)
        assert "The order is post-only, and would cross" in said(await trader.press("t", "enter"))
        await trader.wait_to_arm()
        await trader.press("enter")
        assert not trader.desk.amended


async def test_a_market_that_takes_no_orders_takes_no_change() -> None:
    desk = FakeDesk(Clock(), [replace(a_market(FIRST), status=MarketStatus.CLOSED)])
    async with trading(desk, NARROW) as trader:
        await open_amend(trader)
        assert "takes no orders: it is closed" in said(await trader.press("up", "enter"))


async def test_an_order_of_a_market_that_is_not_listed_can_be_looked_at_and_not_changed() -> None:
    async with trading(size=NARROW) as trader:
        await open_amend(trader, an_order(ticker="GONE-1"))
        assert "takes no orders: it is unknown" in said(await trader.press("up", "enter"))


async def test_a_held_enter_does_not_fall_through() -> None:
    async with trading(size=NARROW) as trader:
        await open_amend(trader)
        await trader.press("up")
        for _ in range(20):
            trader.timer.advance(ARM_DELAY_MS - 1)
            await trader.press("enter")
        assert "arming" in trader.text()
        assert not trader.desk.amended


async def test_enters_at_once_send_no_change_and_one_sends_one() -> None:
    async with trading(size=NARROW) as trader:
        await open_amend(trader)
        await trader.press("up", "enter")
        await trader.wait_to_arm()
        assert "Enter ignored: key held." in await trader.press("enter", "enter", "enter")
        assert not trader.desk.amended
        await trader.wait_to_arm()
        await trader.press("enter")
        await trader.press("enter", "enter")
        assert len(trader.desk.amended) == 1


async def test_escape_goes_back_to_the_fields_and_then_out() -> None:
    async with trading(size=NARROW) as trader:
        await open_amend(trader)
        await trader.press("up", "enter")
        screen = await trader.press("7")
        assert "= $0.4700" in screen, "nothing is typed while the change is looked over"
        screen = await trader.press("escape")
        assert "arming" not in screen
        assert "= $0.4500" in await trader.press("down", "down")
        await trader.press("escape")
        assert not isinstance(trader.app.screen, AmendScreen)
        assert not trader.desk.amended


@pytest.mark.quick_cases("armed-OrderState.FILLED", "written-OrderState.EXPIRED")
@pytest.mark.parametrize("state", [OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.UNKNOWN])
@pytest.mark.parametrize("when", ["written", "armed"])
async def test_an_order_that_ends_meanwhile_is_not_changed(state: OrderState, when: str) -> None:
    async with trading(size=NARROW) as trader:
        await open_amend(trader)
        await trader.press("up")
        if when == "armed":
            await trader.press("enter")
            await trader.wait_to_arm()
        filled = 1_000 if state is OrderState.FILLED else 0
        left = 1_000 if state is OrderState.UNKNOWN else 0
        trader.desk.store.order(an_order(state=state, filled=filled, remaining=left))
        screen = await trader.press("enter")
        assert f"This order is {state.word} by now: it cannot be changed." in said(screen)
        await trader.wait_to_arm()
        await trader.press("enter")
        assert not trader.desk.amended


async def test_a_part_that_fills_meanwhile_goes_back_to_the_fields() -> None:
    async with trading(size=NARROW) as trader:
        await open_amend(trader)
        await trader.press("tab", *"8", "enter")
        await trader.wait_to_arm()
        trader.desk.store.order(an_order(filled=500, remaining=500, updated_ms=an_order().updated_ms + 1))
        screen = await trader.look()
        assert "5 more of it filled meanwhile, 5 rest: check the count." in said(screen)
        assert "ENTER CHANGES" not in screen
        # From the five that rest, eight are more: the place is lost, and it takes both steps again.
        assert "Loses its place" in screen
        await trader.press("enter")
        assert not trader.desk.amended


async def test_a_part_that_fills_while_a_word_is_typed_stops_the_change() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.against = [STALE]
        await open_amend(trader)
        await change(trader, "up")
        trader.desk.store.order(an_order(filled=500, remaining=500, updated_ms=an_order().updated_ms + 1))
        screen = await trader.answer("blind")
        assert not trader.desk.amended
        assert "check the count" in said(screen)


async def test_violations_are_passed_as_in_the_review() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.against = [STALE]
        await open_amend(trader)
        screen = await change(trader, "up")
        assert isinstance(trader.app.screen, WordScreen)
        assert f"Change it to buy YES 10 at 0.47 instead of 10 at 0.46 in {FIRST} all the same?" in said(screen)
        screen = await trader.answer("blind")
        assert trader.desk.agreed == [frozenset({STALE.risk})]
        assert "Changed." in screen


@pytest.mark.parametrize("why", ["limit", "read-only"])
async def test_what_cannot_be_passed_is_said_and_nothing_is_changed(why: str) -> None:
    async with trading(size=NARROW) as trader:
        if why == "limit":
            trader.desk.against = [HARD]
        else:
            trader.desk.read_only_reason = HARD.sentence
        await open_amend(trader)
        await trader.press("up", "enter")
        screen = await trader.wait_to_arm()
        assert "CANNOT BE CHANGED" in screen
        assert HARD.sentence in screen
        assert "Change the order" not in screen
        await trader.press("enter")
        assert not trader.desk.amended


async def test_a_defect_leaves_the_change_unknown_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(*_: object) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("broken")

    async with trading(size=NARROW) as trader:
        monkeypatch.setattr(trader.desk, "amend", break_down)
        await open_amend(trader)
        screen = await change(trader, "up")
        assert "UNKNOWN" in screen
        assert "may or may not be live" in said(screen)


@pytest.mark.parametrize("venue", Venue)
async def test_the_venue_stands_on_the_change_and_at_the_word(venue: Venue) -> None:
    async with trading(FakeDesk(Clock(), venue=venue), NARROW) as trader:
        trader.desk.against = [STALE]
        assert f"{venue.value} - change an order" in await open_amend(trader)
        assert f"{venue.value} - a word before it is sent" in await change(trader, "up")


@pytest.mark.quick_cases("80x24-*")
@pytest.mark.parametrize("state", ["amend", "amend-review", "word"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_golden(state: str, size: tuple[int, int], golden: Callable[[str, str], None]) -> None:
    async with trading(busy_desk(), size) as trader:
        store = trader.desk.store
        store.account.set_queue_positions({**store.queue_positions, "o2": 120_000})
        trader.app.push_screen(AmendScreen(trader.desk, store.orders["o2"], trader.timer))
        await trader.look()
        if state == "word":
            trader.desk.against = [STALE]
        await trader.press("up", "tab", *"100")
        if state != "amend":
            await trader.press("enter")
            await trader.wait_to_arm()
        if state == "word":
            await trader.press("enter")
            await trader.answer("Blind")
        golden(f"{state}-{size[0]}x{size[1]}", "\n".join(trader.lines()))
