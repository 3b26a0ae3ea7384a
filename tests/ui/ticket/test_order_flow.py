"""From the watch list to a known outcome, by keys."""

import asyncio
import itertools
from dataclasses import replace

import pytest
from textual.events import Key, Paste
from textual.widgets import Input

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import TradingStatus
from kalshi_tui.domain.order import Action, OrderState, OrderTerms, TimeInForce
from kalshi_tui.domain.position import Balance
from kalshi_tui.presentation.number_text import date_time_seconds_text
from kalshi_tui.session.execution.risk_checks import OverrideMethod, Risk, RiskReason, RiskViolation
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.key_presses import MIN_RELEASE_MS, POLL_MS, REPEAT_MS, SEEN_MS, KeyReport
from kalshi_tui.ui.ticket.review import ARM_DELAY_MS, ReviewScreen
from kalshi_tui.ui.ticket.screen import TicketScreen
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    FakeDesk,
    a_fill,
    a_market,
    a_position,
    an_order,
)
from tests.support.pilot import (
    NARROW,
    SIZES,
    Trader,
    said,
    trading,
)

FIRST = TITLES[0][0]


async def write_order(trader: Trader, price: str = "90", count: str = "5") -> str:
    """Open the ticket, write an order, and come to its review."""
    await trader.press("b")
    return await trader.press(*price, "tab", *count, "enter")


async def test_watch_open_submit_see_the_fill() -> None:
    async with trading(size=NARROW) as trader:
        assert "FED-26DEC-C25" in trader.text()
        screen = await write_order(trader, "0.48", "5")
        assert "buy YES 5 at 0.48" in screen
        assert "-> bid YES 0.4800, count 5.00" in screen
        assert "arming..." in screen
        assert "enter Send" not in screen
        screen = await trader.wait_to_arm()
        assert "ENTER SENDS THIS ORDER" in screen
        assert "enter  Send" in screen or "enter Send" in screen
        assert not trader.desk.sent
        screen = await trader.press("enter")
        assert trader.desk.sent == [
            (OrderTerms(FIRST, Side.YES, Action.BUY, 4_800, 500, TimeInForce.GTC), "client-1"),
        ]
        assert "FILLED" in screen
        trader.desk.store.fill(a_fill(yes_price=4_800, count=500))
        trader.desk.store.position(a_position(count=500, cost=2_400_000))
        screen = await trader.press("enter")
        assert "review" not in screen
        assert "taker" in await trader.press("3")
        assert "YES" in (await trader.press("2")).splitlines()[17]


async def test_enters_in_a_row_send_nothing_and_one_sends_once() -> None:
    async with trading() as trader:
        trader.desk.hold = asyncio.Event()
        await write_order(trader)
        await trader.wait_to_arm()
        screen = await trader.press("enter", "enter", "enter")
        assert not trader.desk.sent
        assert "Enter ignored: key held. Release it, then press Enter." in screen
        await trader.wait_to_arm()
        screen = await trader.press("enter")
        assert len(trader.desk.sent) == 1
        assert "SENDING" in screen
        trader.desk.hold.set()
        assert "FILLED" in await trader.look()
        await trader.press("enter")
        assert len(trader.desk.sent) == 1


@pytest.mark.slow
async def test_each_enter_before_its_time_begins_the_wait_anew() -> None:
    async with trading() as trader:
        await write_order(trader)
        for _ in range(30):
            trader.timer.advance(ARM_DELAY_MS - 1)
            assert "arming" in await trader.press("enter")
        assert not trader.desk.sent
        await trader.wait_to_arm()
        await trader.press("enter")
        assert len(trader.desk.sent) == 1


async def press_and_report(trader: Trader, *reports: bool) -> str:
    """Press Enter as a terminal does that tells what a key does; True is a release, False a repeat, before it."""
    for released in reports:
        trader.app.presses.reported(KeyReport("enter", released=released))
        trader.timer.advance(MIN_RELEASE_MS)
    press = Key("enter", "\r")
    trader.app.presses.arrived(press)
    trader.app.post_message(press)
    return await trader.look()


async def test_where_releases_are_told_enter_sends_as_soon_as_it_was_released() -> None:
    async with trading() as trader:
        await write_order(trader)
        trader.timer.advance(ARM_DELAY_MS // 2)
        assert "arming" in await trader.look()
        trader.app.presses.reported(KeyReport("enter", released=True))
        trader.timer.advance(SEEN_MS)
        assert "ENTER SENDS THIS ORDER" in await trader.look()
        await press_and_report(trader)
        assert len(trader.desk.sent) == 1


async def test_a_key_that_the_terminal_says_is_held_never_sends() -> None:
    async with trading() as trader:
        await write_order(trader)
        for _ in range(3):
            # Slow repeats: by their times alone they would be presses of their own.
            trader.timer.advance(2 * ARM_DELAY_MS)
            assert "Enter ignored: key held." in await press_and_report(trader, False)
        assert not trader.desk.sent


async def test_a_release_that_comes_with_the_next_press_proves_nothing() -> None:
    async with trading() as trader:
        await write_order(trader)
        trader.timer.advance(SEEN_MS)
        trader.app.presses.reported(KeyReport("enter", released=True))
        screen = await press_and_report(trader)
        assert "Enter ignored: key held." in screen
        assert not trader.desk.sent


def arrive(trader: Trader, key: str) -> None:
    """Let the thread that reads the terminal note a key and hand it on."""
    event = Key(key, "\r" if key == "enter" else key)
    trader.app.presses.arrived(event)
    trader.app.post_message(event)


async def test_after_a_stop_that_the_reading_thread_slept_through_enter_does_not_send() -> None:
    async with trading() as trader:
        await write_order(trader)
        trader.app.presses.polled()
        trader.timer.advance(1_200)
        # The wait before the stop has ended with nothing: by its own time this one is new, alone, and armed.
        trader.app.presses.polled()
        arrive(trader, "enter")
        assert "Enter ignored: key held. Release it, then press Enter." in await trader.look()
        assert not trader.desk.sent
        for _ in range(ARM_DELAY_MS // POLL_MS):
            trader.timer.advance(POLL_MS)
            trader.app.presses.polled()
        assert "ENTER SENDS THIS ORDER" in await trader.look()
        arrive(trader, "enter")
        await trader.look()
        assert len(trader.desk.sent) == 1


@pytest.mark.parametrize("is_noted", [True, False])
async def test_an_enter_that_is_read_while_the_one_before_it_is_decided_is_seen(is_noted: bool) -> None:
    async with trading() as trader:
        await write_order(trader)
        await trader.wait_to_arm()
        presses = trader.app.presses
        late = [Key("enter", "\r")]

        def read_meanwhile() -> bool:
            # The terminal is asked, and has none left: the other thread has it, with its keys noted or not yet.
            for event in late:
                presses.reading()
                if is_noted:
                    presses.arrived(event)
                    presses.polled()
            late.clear()
            return False

        presses.unread = read_meanwhile
        arrive(trader, "enter")
        screen = await trader.look()
        assert "Enter ignored:" in screen
        assert not trader.desk.sent


async def test_a_yes_that_waited_during_a_stop_answers_no_question_that_sends() -> None:
    async with trading() as trader:
        await to_send(trader, ALIKE)
        trader.app.presses.polled()
        trader.timer.advance(1_200)
        arrive(trader, "y")
        assert "y ignored: key held. Release it, then press y." in said(await trader.look())
        assert not trader.desk.sent
        for _ in range(REPEAT_MS // POLL_MS):
            trader.app.presses.polled()
            trader.timer.advance(POLL_MS)
        arrive(trader, "y")
        await trader.look()
        assert len(trader.desk.sent) == 1


async def test_escape_from_the_review_sends_nothing_and_keeps_what_was_written() -> None:
    async with trading() as trader:
        await write_order(trader)
        screen = await trader.press("escape")
        assert "order ticket" in screen
        assert "= $0.9000" in screen
        assert "order ticket" not in await trader.press("escape")
        assert not trader.desk.sent


async def test_escape_while_sending_cancels_nothing_and_the_log_tells_the_end() -> None:
    async with trading() as trader:
        trader.desk.hold = asyncio.Event()
        await write_order(trader)
        await trader.wait_to_arm()
        screen = await trader.press("enter")
        assert "Escape closes this and cancels nothing" in screen
        screen = await trader.press("escape")
        assert "review" not in screen
        trader.desk.hold.set()
        await trader.look()
        assert trader.desk.store.orders["o-client-1"].state is OrderState.FILLED


@pytest.mark.quick_cases("OrderState.UNKNOWN-*", "OrderState.RESTING-*")
@pytest.mark.parametrize(
    ("state", "word"),
    [
        (OrderState.UNKNOWN, "UNKNOWN"),
        (OrderState.REFUSED, "REJECTED"),
        (OrderState.RESTING, "RESTING"),
        (OrderState.NOT_SENT, "NOT SENT"),
    ],
)
async def test_every_outcome_is_said_in_a_word(state: OrderState, word: str) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.state = state
        await write_order(trader)
        await trader.wait_to_arm()
        screen = await trader.press("enter")
        assert word in screen
        assert "client order id client-1" in screen


async def test_a_defect_in_sending_is_unknown_never_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(terms: OrderTerms, client_order_id: str) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("broken")

    async with trading() as trader:
        monkeypatch.setattr(trader.desk, "submit", break_down)
        await write_order(trader)
        await trader.wait_to_arm()
        screen = await trader.press("enter")
        assert "UNKNOWN" in screen
        assert "may or may not be live" in screen


async def test_an_order_that_fills_after_the_answer_says_so() -> None:
    async with trading() as trader:
        trader.desk.state = OrderState.RESTING
        await write_order(trader, "40")
        await trader.wait_to_arm()
        assert "RESTING" in await trader.press("enter")
        order = trader.desk.store.orders["o-client-1"]
        trader.desk.store.order(
            an_order(
                order_id=order.order_id,
                client_order_id="client-1",
                initial=500,
                filled=500,
                remaining=0,
                state=OrderState.FILLED,
                updated_ms=order.updated_ms + 5,
            )
        )
        assert "Since then: filled" in await trader.look()


# What is typed ahead means what it would mean typed slowly.


@pytest.mark.quick_cases("80x24")
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_typing_faster_than_the_screen(size: tuple[int, int]) -> None:
    async with trading(size=size) as trader:
        # One call: no key waits for the one before to have been drawn.
        await trader.pilot.press("b", "9", "0", "tab", "5", "enter")
        assert "buy YES 5 at 0.90" in await trader.look()


async def test_enter_in_the_price_goes_to_the_review_and_to_an_empty_count_first() -> None:
    async with trading() as trader:
        await trader.pilot.press("b", "9", "0", "enter")
        assert "buy YES 10 at 0.90" in await trader.look()
        await trader.pilot.press("escape", "tab", "backspace", "shift+tab", "enter", "5", "enter")
        assert "buy YES 5 at 0.90" in await trader.look()


async def test_from_the_watch_list_to_an_order_sent_at_the_best_bid_in_four_keys() -> None:
    keys = ("b", "j", "enter", "enter")
    assert len(keys) <= 4
    async with trading(size=NARROW) as trader:
        for key in keys:
            await trader.wait_to_arm()
            await trader.press(key)
        assert trader.desk.sent == [(OrderTerms(FIRST, Side.YES, Action.BUY, 4_700, 1_000), "client-1")]


@pytest.mark.slow
async def test_every_side_and_time_in_force_can_be_reached_by_keys() -> None:
    seen: set[Side | Action | TimeInForce] = set()
    for number, (side, action) in enumerate(itertools.product(range(2), range(2))):
        tif = (0, 2, 3)[number % 3]
        async with trading() as trader:
            await trader.press("b", *"40", "tab", *"5", "tab")
            await trader.press(*["right"] * tif, "tab")
            await trader.press(*["space"] * side, "tab")
            await trader.press(*["left"] * action)
            await trader.press("enter")
            await trader.wait_to_arm()
            await trader.press("enter")
            terms, _ = trader.desk.sent[0]
            seen |= {terms.side, terms.action, terms.tif}
    assert seen == {*Side, *Action, *TimeInForce}


@pytest.mark.parametrize("pasted", ["0.5\x1b[31m9", "0.4\x002", "0.5\t7", "\u202e74.0"])
async def test_a_paste_with_what_cannot_be_seen_is_taken_as_nothing(pasted: str) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b")
        field = trader.app.screen.query_one("#price", Input)
        field.post_message(Paste(pasted))
        await trader.look()
        assert not str(field.value)
        assert "Not taken with characters that cannot be seen." in said(await trader.look())
        field.post_message(Paste("0.42"))
        await trader.look()
        assert field.value == "0.42"


FULLWIDTH = "\N{FULLWIDTH DIGIT TWO}"


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("price", f"1{FULLWIDTH}", "not a price"),
        ("price", "0.4\n2", "not a price"),
        ("price", "4\r\n2\n", "not a price"),
        ("price", "$1", "not a price"),
        ("price", "$47", "not a price"),
        ("price", "$0.47c", "not a price"),
        ("count", f"1{FULLWIDTH}", "not a count"),
        ("count", "1\N{ARABIC-INDIC DIGIT TWO}", "not a count"),
        ("count", "1\n0", "not a count"),
        ("count", f"$1{FULLWIDTH}", "not a sum of dollars"),
    ],
)
async def test_no_text_becomes_another_number(field: str, typed: str, says: str) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b", *(("tab",) if field == "count" else ()), "backspace")
        entry = trader.app.screen.query_one(f"#{field}", Input)
        if "\n" in typed:
            entry.post_message(Paste(typed))
        else:
            for character in typed:
                trader.app.post_message(Key(character, character))
        screen = said(await trader.look())
        assert says in screen
        await trader.press("enter")
        assert isinstance(trader.app.screen, TicketScreen)


async def test_a_paste_with_its_line_end_is_the_number_and_too_long_a_one_says_why() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b")
        field = trader.app.screen.query_one("#price", Input)
        field.post_message(Paste("0.42\n"))
        await trader.look()
        assert field.value == "0.42"
        field.post_message(Paste("0" * 13))
        assert "Not taken for 16 characters at most fit here. The field is as it was." in said(await trader.look())
        assert field.value == "0.42"


@pytest.mark.quick_cases("0-5-*", "4x-*", "99.99-*", "40-0-*", "40-1,5-*", "-5-*")
@pytest.mark.parametrize(
    ("price", "count", "says"),
    [
        ("0", "5", "A price lies between 0 and 1 dollar"),
        ("100", "5", "A price lies between 0 and 1 dollar"),
        ("1.00", "5", "A price lies between 0 and 1 dollar"),
        ("4x", "5", "That is no price"),
        ("1e1", "5", "That is no price"),
        ("٤٢", "5", "That is no price"),
        ("-1", "5", "That is no price"),
        ("0.12345", "5", "at most 4 decimals"),
        ("99.99", "5", "this reads as 99.99 dollars"),
        ("40", "0", "The count must be more than 0"),
        ("40", "-3", "That is no count"),
        ("40", "1e3", "That is no count"),
        ("40", "0.001", "That is no count"),
        ("40", "10,50", "Write the count with a point"),
        ("40", "1,5", "Write the count with a point"),
        ("47.5", "5", "this reads as 47.5 dollars"),
        ("47.5c", "5", "is not on this market's price grid"),
        ("", "5", "Type a price"),
        ("40", "", "Type how many contracts"),
    ],
)
async def test_what_is_no_order_is_refused_in_the_field_with_a_way_on(price: str, count: str, says: str) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b")
        if price:
            await trader.type(price)
        await trader.press("tab", "backspace")
        if count:
            await trader.type(count)
        screen = await trader.press("enter", "enter")
        assert isinstance(trader.app.screen, TicketScreen)
        assert says in " ".join(screen.replace("│", " ").split())
        await trader.wait_to_arm()
        await trader.press("enter")
        assert not trader.desk.sent


async def test_the_arrows_walk_the_grid_from_the_trader_s_own_side() -> None:
    async with trading() as trader:
        await trader.press("b")
        assert "= $0.4700" in await trader.press("up")
        assert "= $0.4800" in await trader.press("up")
        assert "= $0.4600" in await trader.press("down", "down")
        screen = await trader.press("tab", "up", "up", "up", "down")
        assert "= 12 contracts" in screen


async def test_selling_what_is_not_held_is_said_before_it_is_sent() -> None:
    async with trading() as trader:
        screen = await trader.press("s", *"48", "tab", *"5")
        assert "You hold too few to sell: 5 of these open NO at 0.52" in screen
        screen = await trader.press("enter")
        assert "5 of these open NO" in screen


async def test_a_stale_book_is_said_on_desk_ticket_and_review() -> None:
    async with trading() as trader:
        trader.desk.store.stale([FIRST], "a frame was missed")
        screen = await trader.look()
        assert "STALE  a frame was missed" in screen
        assert "STALE" in await trader.press("b")
        screen = await trader.press(*"40", "tab", *"5")
        assert "STALE: these figures may be wrong. a frame was missed" in screen
        screen = await trader.press("enter")
        assert "STALE: these figures may be wrong. a frame was missed" in screen
        trader.desk.store.snapshot(FIRST, [(4_700, 100)], [(5_200, 100)])
        screen = await trader.look()
        assert "STALE" not in screen.split("review")[1]


async def test_the_quote_in_the_ticket_moves_with_the_book() -> None:
    async with trading() as trader:
        await trader.press("b")
        assert "ask 0.48 x 300" in trader.text()
        trader.desk.store.books[FIRST].book.apply(Side.NO, 5_200, -30_000)
        assert "ask 0.49 x 1,287" in await trader.look()


async def test_cancel_asks_first_and_enter_is_no_answer() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order())
        await trader.look()
        screen = await trader.press("x")
        assert "Cancel YES 10 at 0.46" in " ".join(screen.replace("│", " ").split())
        await trader.press("enter", "enter")
        assert not trader.desk.canceled
        assert "Cancel YES" not in await trader.press("n")
        assert not trader.desk.canceled
        await trader.press("x", "y")
        assert [order.order_id for order in trader.desk.canceled] == ["o1"]


async def test_quitting_with_live_orders_asks() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order())
        trader.desk.store.order(an_order(order_id="o2", client_order_id="c2", state=OrderState.UNKNOWN))
        await trader.look()
        assert "2 orders of yours may be live" in await trader.press("q")
        await trader.press("n")
        assert not trader.desk.stopped
        await trader.press("ctrl+q")
        assert "2 orders of yours may be live" in trader.text()
        await trader.press("y")
    assert trader.desk.stopped


@pytest.mark.quick_cases("Venue.LIVE")
@pytest.mark.parametrize("venue", Venue)
async def test_the_venue_stands_in_words_on_every_screen(venue: Venue) -> None:
    desk = FakeDesk(Clock(), venue=venue)
    async with trading(desk, NARROW) as trader:
        assert venue.value in trader.lines()[0]
        for keys in (["b"], [*"40", "tab", *"5", "enter"]):
            assert f"{venue.value} - " in await trader.press(*keys)
        await trader.press("escape", "escape")
        assert f"{venue.value} - keys" in await trader.press("question_mark")
        await trader.press("escape")
        desk.store.order(an_order())
        assert f"{venue.value} - quit" in await trader.press("q")
        await trader.press("n")
        await trader.pilot.resize_terminal(40, 10)
        assert venue.value in await trader.look()


STALE = RiskViolation(
    Risk(RiskReason.STALE_BOOK), OverrideMethod.WORD, "The book is STALE: the prices may be wrong.", "blind"
)
ALIKE = RiskViolation(
    Risk(RiskReason.SIMILAR_ORDER, "c9"),
    OverrideMethod.YES,
    "YES 5 at 0.40 in this market is UNKNOWN: this would be a second.",
)
HARD = RiskViolation(
    Risk(RiskReason.LIMIT, "contracts an order"),
    OverrideMethod.NEVER,
    "For an order that makes 5 contracts, your limit is 2.",
)


async def to_send(trader: Trader, *against: RiskViolation) -> str:
    """Come to an armed review of an order that something speaks against, and press Enter."""
    trader.desk.against = list(against)
    await trader.press("b", *"40", "tab", *"5", "enter")
    await trader.wait_to_arm()
    return " ".join((await trader.press("enter")).replace("│", " ").split())


@pytest.mark.quick_cases("y-1", "n-0")
@pytest.mark.parametrize(("answer", "sent"), [("y", 1), ("n", 0), ("escape", 0)])
async def test_a_violation_that_a_yes_passes_is_asked_about(answer: str, sent: int) -> None:
    async with trading(size=NARROW) as trader:
        said = await to_send(trader, ALIKE)
        assert f"this would be a second. Send buy YES 5 at 0.40 in {FIRST} all the same?" in said
        await trader.press("enter", "enter")
        assert not trader.desk.sent
        screen = await trader.press(answer)
        assert len(trader.desk.sent) == sent
        assert trader.desk.agreed == [frozenset({ALIKE.risk})] * sent
        assert ("FILLED" in screen) == bool(sent)
        assert ("arming" in screen) == (not sent)


@pytest.mark.quick_cases("-The word is blind.")
@pytest.mark.parametrize(
    ("typed", "says"),
    [("", "The word is blind."), ("Blind", "capital and small letters count"), ("blin", "The word is blind.")],
)
async def test_a_word_has_to_be_typed_exactly(typed: str, says: str) -> None:
    async with trading(size=NARROW) as trader:
        said = await to_send(trader, STALE)
        assert "Type blind, then Enter" in said
        assert says in await trader.answer(typed)
        assert not trader.desk.sent
        await trader.press(*["backspace"] * len(typed), *"blind")
        assert not trader.desk.sent
        assert "FILLED" in await trader.answer("")
        assert trader.desk.agreed == [frozenset({STALE.risk})]


async def test_escape_at_the_word_goes_back_to_the_review_and_sends_nothing() -> None:
    async with trading(size=NARROW) as trader:
        await to_send(trader, STALE)
        screen = await trader.press(*"blind", "escape")
        assert "review" in screen
        assert "arming" in screen
        await trader.press("enter")
        assert not trader.desk.sent


async def test_every_violation_is_asked_about_and_one_that_comes_meanwhile_too() -> None:
    async with trading(size=NARROW) as trader:
        await to_send(trader, STALE)
        trader.desk.against.append(ALIKE)
        screen = await trader.answer("blind")
        assert not trader.desk.sent
        assert "would be a second" in " ".join(screen.split())
        assert "FILLED" in await trader.press("y")
        assert trader.desk.agreed == [frozenset({STALE.risk, ALIKE.risk})]


async def test_what_was_asked_about_and_is_over_needs_no_answer_more() -> None:
    async with trading(size=NARROW) as trader:
        await to_send(trader, STALE, ALIKE)
        trader.desk.against = []
        assert "FILLED" in await trader.answer("blind")


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_what_cannot_be_passed_is_said_and_not_sent(when: str) -> None:
    async with trading(size=NARROW) as trader:
        if when == "before":
            await to_send(trader, HARD)
        else:
            await to_send(trader, STALE)
            trader.desk.against = [HARD, STALE]
            await trader.answer("blind")
        await trader.wait_to_arm()
        screen = await trader.press("enter")
        assert "CANNOT BE SENT" in screen
        assert HARD.sentence in screen
        assert "enter Send" not in " ".join(screen.split())
        assert not trader.desk.sent


async def test_read_only_opens_the_ticket_and_sends_nothing() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.read_only_reason = "The program was started with --read-only: it sends nothing."
        said = await to_send(trader)
        assert "CANNOT BE SENT" in said
        assert "started with --read-only" in said
        assert "enter Send" not in said
        assert not trader.desk.sent


async def test_the_most_severe_violation_stands_in_ticket_and_review() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.against = [STALE, ALIKE]
        screen = await trader.press("b", "j")
        assert "The book is STALE: the prices may be wrong. It asks for the word" in screen
        assert "And 1 more." in " ".join((await trader.press("enter")).replace("│", " ").split())


async def test_an_order_is_sent_once_more_under_its_own_id() -> None:
    async with trading(size=NARROW) as trader:
        terms = OrderTerms(FIRST, Side.YES, Action.BUY, 4_000, 500)
        trader.app.push_screen(ReviewScreen(trader.desk, terms, trader.timer, "c77"))
        assert "the same order once more" in await trader.look()
        await trader.wait_to_arm()
        await trader.press("enter")
        assert trader.desk.sent == [(terms, "c77")]
        assert not trader.desk.drafted


async def test_the_review_says_the_order_twice_its_options_and_the_cash_of_its_shard() -> None:
    market = replace(a_market(FIRST), exchange_index=2)
    desk = FakeDesk(Clock(), [market])
    desk.store.account.set_balance(Balance(10_000_000_000, 0, ((0, 8_000_000_000), (2, 2_000_000_000))))
    async with trading(desk, NARROW) as trader:
        terms = OrderTerms(
            FIRST,
            Side.NO,
            Action.BUY,
            4_400,
            1_000,
            expires_s=NOW_MS // 1000 + 600,
            post_only=True,
            cancel_on_pause=True,
            order_group_id="2f0c9d51-6d6b-4f52-9f7e-0a7f6a1c9d11",
        )
        trader.app.push_screen(ReviewScreen(desk, terms, trader.timer))
        screen = await trader.look()
        assert "buy NO 10 at 0.44  -> ask YES 0.5600, count 10.00" in screen
        assert f"good till {date_time_seconds_text(terms.expires_s or 0)}, post-only, cancel on pause" in screen
        assert "order group 2f0c9d51-6d6b-4f52-9f7e-0a7f6a1c9d11" in screen
        assert " PRACTICE   Buying power $2,000.00 here, $10,000.00 in all" in screen


async def test_an_order_whose_time_passes_in_the_review_is_not_sent() -> None:
    async with trading(size=NARROW) as trader:
        terms = OrderTerms(FIRST, Side.YES, Action.BUY, 4_400, 1_000, expires_s=NOW_MS // 1000 + 60)
        trader.app.push_screen(ReviewScreen(trader.desk, terms, trader.timer))
        await trader.wait_to_arm()
        assert "ENTER SENDS" in trader.text()
        trader.clock.advance(60_000)
        assert "The time at which this order ends has passed" in await trader.press("enter")
        assert not trader.desk.sent


async def test_a_pause_stands_on_the_top_line_in_the_ticket_and_in_the_review() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.set_hours(TradingStatus.TRADING_PAUSED)
        screen = await trader.press("b", *"40", "tab", *"5")
        assert screen.count("TRADING PAUSED") == 2
        screen = await trader.press("enter")
        assert screen.count("TRADING PAUSED") == 2
        trader.desk.store.set_hours(TradingStatus.OPEN)
        assert "PAUSED" not in await trader.look()


async def test_the_review_follows_an_unknown_order_until_it_is_found() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.state = OrderState.UNKNOWN
        await trader.press("b", *"40", "tab", *"5", "enter")
        await trader.wait_to_arm()
        screen = await trader.press("enter")
        assert "UNKNOWN" in screen
        (order,) = trader.desk.store.orders.values()
        assert not order.order_id
        found = replace(order, order_id="o77", state=OrderState.FILLED, filled=500, remaining=0, updated_ms=9)
        trader.desk.store.order(found)
        screen = await trader.look()
        assert "FILLED" in screen
        assert "Since then: filled." in screen
