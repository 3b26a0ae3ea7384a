"""The fields and keys of the ticket, and what it refuses."""

from dataclasses import replace

import pytest
from textual.events import Paste

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.fees import FeeSchedule, FeeType
from kalshi_tui.domain.link import TradingStatus
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import Action, OrderTerms, TimeInForce
from kalshi_tui.domain.position import Balance
from kalshi_tui.presentation.number_text import date_time_seconds_text, expiration_text
from kalshi_tui.session.account.cash_moves import CashMove
from kalshi_tui.session.execution.risk_checks import OverrideMethod, Risk, RiskReason, RiskViolation
from kalshi_tui.session.options import TicketDefaults
from kalshi_tui.ui.ticket.review import ReviewScreen
from kalshi_tui.ui.ticket.screen import TicketScreen
from kalshi_tui.ui.ticket.start import TicketPrefill
from kalshi_tui.ui.widgets.field import Field
from tests.support.fake_desk import (
    NOW_MS,
    TAPERED,
    TITLES,
    Clock,
    FakeDesk,
    a_market,
    a_position,
)
from tests.support.pilot import (
    NARROW,
    SIZES,
    Trader,
    said,
    trading,
)

FIRST = TITLES[0][0]


def a_desk(yes: list[tuple[int, int]], no: list[tuple[int, int]], *, tapered: bool = False) -> FakeDesk:
    """A desk of one market with this book: prices in 1/10,000 dollar, counts in contracts."""
    market = a_market(FIRST, *TITLES[0][1:])
    desk = FakeDesk(Clock(), [replace(market, grid=TAPERED) if tapered else market])
    for side in (yes, no):
        side[:] = [(price, count * 100) for price, count in side]
    desk.store.snapshot(FIRST, yes, no)
    return desk


async def open_ticket(trader: Trader, start: TicketPrefill) -> str:
    trader.app.push_screen(TicketScreen(trader.desk, start, trader.timer))
    return await trader.look()


def field(trader: Trader, name: str) -> str:
    return trader.app.screen.query_one(f"#{name}", Field).value


async def sent(trader: Trader) -> OrderTerms:
    """Review and send, and give what was sent."""
    await trader.press("enter")
    assert isinstance(trader.app.screen, ReviewScreen), trader.text()
    await trader.wait_to_arm()
    await trader.press("enter")
    return trader.desk.sent[-1][0]


# Where it is opened from.


async def test_a_ticket_begins_with_the_first_preset_and_no_price() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.ticket = TicketDefaults(presets=(2_500, 100))
        screen = await trader.press("b")
        assert (field(trader, "price"), field(trader, "count")) == ("", "25")
        assert "0.47 joins the bid, 0.48 takes the ask" in screen
        assert "= 7 contracts" in await trader.press("tab", "7")


async def test_a_ticket_begins_with_what_was_chosen() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.position(a_position(count=-1_050))
        start = TicketPrefill(FIRST, Action.SELL, Side.NO, 5_200, 1_050, TimeInForce.IOC, reduce_only=True)
        screen = await open_ticket(trader, start)
        for words in (
            "YES  [NO]",
            "BUY  [SELL]",
            "= $0.5200 for a NO",
            "= 10.50 contracts",
            "[IOC]",
            "[x] reduce-only",
        ):
            assert words in screen
        terms = await sent(trader)
        assert terms == OrderTerms(FIRST, Side.NO, Action.SELL, 5_200, 1_050, TimeInForce.IOC, reduce_only=True)


# The price by a key.

CENT_BOOK = ([(4_500, 10)], [(5_100, 10)])
"""YES 0.45 bid, 0.49 asked; NO 0.51 bid, 0.55 asked."""
TIGHT = ([(4_700, 10)], [(5_200, 10)])
FINE = ([(9_500, 10)], [(450, 10)])
"""On the tapered grid: YES 0.950 bid, 0.955 asked, in steps of a tenth of a cent."""
EDGE = ([(900, 10)], [(8_800, 10)])
"""YES 0.090 bid, 0.120 asked: the middle, 0.105, is on no grid, above 0.10 the steps are cents."""


@pytest.mark.quick_cases("book0-*", "book7-*", "book14-*", "book18-*")
@pytest.mark.parametrize(
    ("book", "tapered", "action", "side", "key", "price"),
    [
        (CENT_BOOK, False, Action.BUY, Side.YES, "j", "0.45"),
        (CENT_BOOK, False, Action.SELL, Side.YES, "j", "0.49"),
        (CENT_BOOK, False, Action.BUY, Side.NO, "j", "0.51"),
        (CENT_BOOK, False, Action.SELL, Side.NO, "j", "0.55"),
        (CENT_BOOK, False, Action.BUY, Side.YES, "i", "0.46"),
        (CENT_BOOK, False, Action.SELL, Side.YES, "i", "0.48"),
        (CENT_BOOK, False, Action.BUY, Side.NO, "i", "0.52"),
        (CENT_BOOK, False, Action.SELL, Side.NO, "i", "0.54"),
        (CENT_BOOK, False, Action.BUY, Side.YES, "t", "0.49"),
        (CENT_BOOK, False, Action.SELL, Side.YES, "t", "0.45"),
        (CENT_BOOK, False, Action.BUY, Side.NO, "t", "0.55"),
        (CENT_BOOK, False, Action.SELL, Side.NO, "t", "0.51"),
        (CENT_BOOK, False, Action.BUY, Side.YES, "m", "0.47"),
        (TIGHT, False, Action.BUY, Side.YES, "m", "0.47"),
        (TIGHT, False, Action.SELL, Side.YES, "m", "0.48"),
        (FINE, True, Action.BUY, Side.YES, "i", "0.951"),
        (FINE, True, Action.SELL, Side.YES, "i", "0.954"),
        (FINE, True, Action.BUY, Side.YES, "m", "0.952"),
        (FINE, True, Action.SELL, Side.YES, "m", "0.953"),
        (FINE, True, Action.BUY, Side.NO, "m", "0.047"),
        (EDGE, True, Action.BUY, Side.YES, "m", "0.100"),
        (EDGE, True, Action.SELL, Side.YES, "m", "0.110"),
    ],
)
async def test_a_key_takes_the_price_from_the_book(
    book: tuple[list[tuple[int, int]], list[tuple[int, int]]],
    tapered: bool,
    action: Action,
    side: Side,
    key: str,
    price: str,
) -> None:
    desk = a_desk(list(book[0]), list(book[1]), tapered=tapered)
    async with trading(desk, NARROW) as trader:
        await open_ticket(trader, TicketPrefill(FIRST, action, side))
        screen = await trader.press(key)
        assert field(trader, "price") == price
        assert f"for a {side.name}" in screen


@pytest.mark.parametrize(
    ("book", "action", "key", "says"),
    [
        (TIGHT, Action.BUY, "i", "A tick better would cross: it takes the ask at 0.48; t does that."),
        (TIGHT, Action.SELL, "i", "A tick better would cross: it takes the bid at 0.47; t does that."),
        (([], [(5_200, 10)]), Action.BUY, "j", "Nobody bids for YES: there is nothing to join."),
        (([], [(5_200, 10)]), Action.BUY, "i", "Nobody bids for YES: there is nothing to improve."),
        (([], [(5_200, 10)]), Action.SELL, "t", "Nobody bids for YES: there is nothing to take."),
        (([(4_700, 10)], []), Action.BUY, "t", "Nobody offers YES: there is nothing to take."),
        (([(4_700, 10)], []), Action.SELL, "j", "Nobody offers YES: there is nothing to join."),
        (([(4_700, 10)], []), Action.BUY, "m", "There is no middle: not both sides are quoted."),
        (([(9_900, 10)], []), Action.BUY, "i", "The grid of prices ends here: there is no better one."),
    ],
)
async def test_a_price_that_the_book_does_not_have_is_said(
    book: tuple[list[tuple[int, int]], list[tuple[int, int]]], action: Action, key: str, says: str
) -> None:
    async with trading(a_desk(list(book[0]), list(book[1])), NARROW) as trader:
        await open_ticket(trader, TicketPrefill(FIRST, action))
        assert says in said(await trader.press(key))
        assert not field(trader, "price")
        # The next thing that is written takes the sentence away.
        assert says not in said(await trader.press("4"))


async def test_a_book_that_has_not_come_yet_has_no_price_to_take() -> None:
    async with trading(FakeDesk(Clock(), [a_market("A-1-X")]), NARROW) as trader:
        trader.desk.store.market_data.drop_books(["A-1-X"])
        await open_ticket(trader, TicketPrefill("A-1-X", Action.BUY))
        assert "The book is WAITING" in said(await trader.press("j"))


async def test_letters_are_commands_in_their_own_field_alone_and_text_when_pasted() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b")
        trader.app.screen.query_one("#price", Field).post_message(Paste("jit"))
        assert "not a price" in await trader.look()
        await trader.press("tab", "j")
        assert (field(trader, "price"), field(trader, "count")) == ("jit", "j")
        assert "not a count" in trader.text()
        await trader.press("tab")
        # On the words of the time in force a letter takes its word.
        assert "[IOC]" in await trader.press("i")
        screen = await trader.press("j")
        assert "This key works in the field of the price." in screen
        # A group may hold any letter.
        await trader.press("shift+tab", "shift+tab", "shift+tab", *"jitmpad")
        assert field(trader, "group") == "jitmpad"


# The count by a key.


@pytest.mark.parametrize(
    ("keys", "count"),
    [("p", "1"), ("pp", "5"), ("ppppp", "10"), ("P", "100"), ("PP", "25"), ("3p", "10"), ("3P", "100"), ("d", "$10")],
)
async def test_a_key_takes_the_next_count(keys: str, count: str) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b", "tab", *keys)
        assert field(trader, "count") == count


async def test_all_of_what_is_held() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.position(a_position(count=4_250))
        await trader.press("s", "j", "tab", "a")
        assert field(trader, "count") == "42.50"
        await trader.press("tab", "tab", "n", "shift+tab", "shift+tab")
        assert "You hold no NO here." in said(await trader.press("a"))
        assert field(trader, "count") == "42.50"


async def test_the_most_that_cash_pays_for() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.account.set_balance(Balance(10_000_000, 0))
        assert "Type a price" in said(await trader.press("b", "tab", "m"))
        await trader.press("shift+tab", *"50", "tab", "m")
        # 19 cost $9.50 and 0.07 x 19 x 0.25 = $0.3325; a twentieth would make $10.00 and more.
        assert field(trader, "count") == "19"
        trader.desk.store.account.set_balance(Balance(100_000, 0))
        assert "The cash, $0.10, pays for none at this price." in said(await trader.press("m"))


async def test_cash_that_is_not_known_buys_nothing() -> None:
    async with trading(FakeDesk(Clock(), account_read=False)) as trader:
        await trader.press("b", *"50", "tab")
        assert "The cash is not known yet." in said(await trader.press("m"))


async def test_dollars_are_read_as_the_contracts_that_they_buy_with_the_fee() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b", "tab")
        assert "dollars: the price says how many" in await trader.press(*"$50")
        # 100 at 0.48 cost $48.00 and 0.07 x 100 x 0.48 x 0.52 = $1.7472, rounded up; 101 cost $50.25 with it.
        screen = await trader.press("shift+tab", *"48")
        assert "= 100 for at most $49.75" in screen
        assert "= 101 for at most $50.25" in await trader.press("tab", *"$50.25")
        assert (await sent(trader)).count == 10_100


async def test_d_turns_to_dollars_and_back_and_typing_replaces_the_figure() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b", *"48", "tab", "d")
        assert field(trader, "count") == "$10"
        # Two cost $0.96 and 0.07 x 2 x 0.2496 = $0.0350.
        assert "= 2 for at most $1.00" in await trader.press("1")
        assert field(trader, "count") == "$1"
        assert "= 4 for at most $1.99" in await trader.press("up")
        await trader.press("d", "7")
        assert field(trader, "count") == "7"


async def test_dollars_say_it_where_the_fee_is_not_known() -> None:
    market = replace(a_market(FIRST), fees=FeeSchedule(FeeType.UNKNOWN))
    async with trading(FakeDesk(Clock(), [market]), NARROW) as trader:
        screen = await trader.press("b", *"50", "tab", *"$50")
        assert "The market's fees are unknown: type contracts, not dollars." in screen


@pytest.mark.quick_cases("b-$0.30*", "s-*")
async def test_a_ticket_that_is_open_shows_the_new_fee_of_its_market() -> None:
    market = replace(a_market(FIRST), fees=FeeSchedule(FeeType.QUADRATIC))
    desk = FakeDesk(Clock(), [market])
    async with trading(desk, NARROW) as trader:
        assert "up to $1.76" in await trader.press("b", *"50", "tab", *"100")
        desk.store.market_data.set_markets([replace(market, fees=FeeSchedule(FeeType.QUADRATIC, 2_000_000))])
        await trader.wait(lambda screen: "up to $3.51" in screen)
        desk.store.market_data.set_markets([replace(market, fees=FeeSchedule(FeeType.FLAT))])
        await trader.wait(lambda screen: "Taker fee  unknown" in screen)


async def test_a_settlement_floor_is_said_and_prices_at_it_are_refused() -> None:
    market = replace(a_market(FIRST), fees=FeeSchedule(FeeType.QUADRATIC), settlement_floor=1_000)
    async with trading(FakeDesk(Clock(), [market]), NARROW) as trader:
        screen = await trader.press("b", *"10", "tab", *"1")
        assert "settlement floor: YES has to be above 0.1000" in screen
        assert "is not counted in these figures" in await trader.press("shift+tab", *"11")


@pytest.mark.parametrize(
    ("action", "count", "says"),
    [
        ("b", "$0.30", "$0.30 does not pay for one contract at this price."),
        ("b", "$", "Type how many dollars it may cost."),
        ("b", "$x", "That is no sum"),
        ("b", "$0", "The dollars must be more than 0."),
        ("b", "$10,50", "Write the dollars with a point"),
        ("s", "$50", "for a sale type contracts"),
    ],
)
async def test_dollars_that_buy_nothing_are_refused(action: str, count: str, says: str) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press(action, *"48", "tab", "backspace")
        trader.app.screen.query_one("#count", Field).post_message(Paste(count))
        assert says in said(await trader.press("enter"))
        assert isinstance(trader.app.screen, TicketScreen)


# How long it lives, and the options.


@pytest.mark.quick_cases("+10m*", "1h30m*")
@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("+10m", 600), ("10m", 600), ("+2h", 7_200), ("90s", 90), ("1h30m", 5_400), ("1d", 86_400), ("1h 5 s", 3_605)],
)
async def test_until_counts_from_now(typed: str, seconds: int) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b", *"40", "tab", "tab", "u", "tab")
        screen = await trader.press(*typed)
        ends = NOW_MS // 1000 + seconds
        assert f"= {date_time_seconds_text(ends)}" in screen
        terms = await sent(trader)
        assert (terms.tif, terms.expires_s) == (TimeInForce.GTC, ends)


async def test_until_an_hour_is_the_next_such_hour() -> None:
    async with trading(size=NARROW) as trader:
        now = NOW_MS // 1000
        await trader.press("b", *"40", "tab", "tab", "u", "tab")
        for ahead in (3_600, 86_400 - 60):
            hour = expiration_text(now + ahead, (now + ahead) * 1000)
            trader.app.screen.query_one("#until", Field).value = hour
            assert f"= {date_time_seconds_text(now + ahead)}" in await trader.look()


async def test_until_is_asked_for_and_only_where_it_is_chosen() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b", *"40", "tab", "tab")
        assert not trader.app.screen.query_one("#until").display
        await trader.press("u")
        assert "Type until when" in said(await trader.press("enter"))
        assert trader.app.screen.focused is trader.app.screen.query_one("#until")
        for typed, says in (
            ("25:00", "That is no time"),
            ("0s", "a second from now"),
            ("999d", "a year at the latest"),
        ):
            await trader.press("end", *["backspace"] * 6)
            assert says in said(await trader.press(*typed, "enter"))
        assert isinstance(trader.app.screen, TicketScreen)
        await trader.press("shift+tab", "g")
        assert not trader.app.screen.query_one("#until").display
        assert (await sent(trader)).expires_s is None


async def test_the_dead_man_setting_ends_an_order_and_says_so() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.ticket = TicketDefaults(expire_after_s=2_520)
        ends = NOW_MS // 1000 + 2_520
        screen = await trader.press("b", *"40")
        assert f"expires {expiration_text(ends, NOW_MS)} by your dead-man setting" in screen
        await trader.press("tab", "tab", "u", "tab")
        screen = await trader.press(*"1h", "enter")
        assert f"Your dead-man setting ends an order at {expiration_text(ends, NOW_MS)} at the latest." in said(screen)
        assert "expires" not in await trader.press("shift+tab", "i")
        trader.clock.advance(5_000)
        await trader.press("g")
        assert (await sent(trader)).expires_s == ends + 5


async def test_how_long_an_order_outlives_the_desk_is_said_and_the_trader_s_terms_stay() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.ticket = TicketDefaults(rolling_expiry_s=120)
        assert "ends 120 s after this desk does" in await trader.press("b", *"40")
        # What is confirmed says it too: it is not good till canceled.
        screen = await trader.press("enter")
        assert "ends 120 s after this desk does" in screen
        assert "good till canceled" not in screen
        await trader.press("escape")
        assert (await sent(trader)).expires_s is None


async def test_every_option_is_sent() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b", "j", "shift+tab")
        await trader.press(*"group-7", "shift+tab", "space", "shift+tab", "shift+tab", "space")
        screen = trader.text()
        assert "[x] post-only" in screen
        assert "[x] cancel on pause" in screen
        assert await sent(trader) == OrderTerms(
            FIRST, Side.YES, Action.BUY, 4_700, 1_000, post_only=True, cancel_on_pause=True, order_group_id="group-7"
        )


async def test_reduce_only_turns_to_ioc_and_counts_what_it_closes() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("s", *"47", *["tab"] * 6, "space")
        assert "[IOC]" in trader.text()
        assert "nothing to reduce" in said(await trader.press("enter"))
        trader.desk.store.position(a_position(count=400))
        screen = await trader.look()
        assert "Fills now 4 at 0.47 Rests nothing" in said(screen)
        assert "Closes 4 YES Opens nothing" in said(screen)
        assert (await sent(trader)).reduce_only


# What the exchange would refuse.


@pytest.mark.quick_cases("80x24-*")
@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (["b", *"47.5c"], "0.4750 is not on this market's price grid; the nearest prices are 0.4700 and 0.4800."),
        (["b", "t", *["tab"] * 5, "space"], "Post-only, but it would cross: the ask is 0.48."),
        (["s", "t", *["tab"] * 5, "space"], "Post-only, but it would cross: the bid is 0.47."),
        (["b", "j", "tab", "tab", "i", *["tab"] * 3, "space"], "Post-only works only with good-till-canceled."),
        (["s", "j", *["tab"] * 6, "space", *["shift+tab"] * 4, "g"], "Reduce-only works only with immediate-or-cancel"),
        (["b", "j", *["tab"] * 6, "space"], "Reduce-only, but there is nothing to reduce"),
    ],
)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_what_the_exchange_would_refuse_is_said_and_goes_no_further(
    keys: list[str], says: str, size: tuple[int, int]
) -> None:
    async with trading(size=size) as trader:
        await trader.press(*keys)
        screen = await trader.press("enter")
        assert isinstance(trader.app.screen, TicketScreen)
        assert says in said(screen)


async def test_a_market_that_closes_while_the_ticket_is_open_takes_no_order() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b", "j")
        trader.desk.store.market_data.set_markets(
            [replace(trader.desk.store.markets[FIRST], status=MarketStatus.CLOSED)]
        )
        assert "takes no orders: it is closed" in said(await trader.press("enter"))
        assert isinstance(trader.app.screen, TicketScreen)


async def test_a_market_that_leaves_the_list_takes_neither_ticket_nor_review_along() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b", "j")
        trader.desk.store.market_data.drop_markets([FIRST])
        assert "order ticket" in await trader.look()
        await trader.press("enter")
        assert "review" in await trader.look()


async def test_more_than_the_cash_on_the_shard_is_warned_of() -> None:
    async with trading(size=NARROW) as trader:
        screen = await trader.press("b", "j", "tab", *"30000")
        assert "buying power $10,000.00. It may be rejected." in said(screen)
        # There is nothing elsewhere, so nothing is offered.
        assert "Move cash" not in said(screen)


async def test_cash_that_lies_elsewhere_is_offered_and_moved_for_the_order() -> None:
    desk = FakeDesk(Clock(), [replace(a_market(FIRST), exchange_index=2)])
    desk.store.account.set_balance(
        Balance(10_000_000_000, 0, ((0, 7_990_000_000), (2, 10_000_000), (3, 2_000_000_000)))
    )
    async with trading(desk, NARROW) as trader:
        screen = said(await trader.press("b", *"45", "tab", *"100"))
        assert "Needs $46.74 at its limit, buying power $10.00 here, $10,000.00 in all. It may be rejected." in screen
        assert "'Move cash' brings $36.74 here." in screen
        assert "^b Move cash" in screen
        assert "Move $36.74 of your cash to the buying power of this market?" in said(await trader.press("ctrl+b"))
        assert not desk.moved_cash
        await trader.wait_to_arm()
        await trader.press("y")
        assert desk.moved_cash == [(CashMove(0, 2, 36_740_000),)]
        # While it is under way it does not count, and its age stands there; then the order is computed again.
        desk.cash_move_text = "Moving $36.74 to here, for 3 s. It does not count before it has arrived."
        desk.store.account.set_balance(Balance(9_963_260_000, 0, ((0, 7_953_260_000), (2, 10_000_000))))
        assert "Moving $36.74 to here, for 3 s." in said(await trader.look())
        desk.cash_move_text = ""
        desk.store.account.set_balance(Balance(10_000_000_000, 0, ((0, 7_953_260_000), (2, 46_740_000))))
        screen = said(await trader.look())
        assert "Needs" not in screen
        assert "Move cash" not in screen


@pytest.mark.parametrize(
    ("typed", "subaccount", "reason"),
    [
        (["45", "tab", "100"], None, "The buying power here is enough for this order."),
        (["45", "tab", "900000"], None, "Your cash elsewhere is not enough to cover what is missing here."),
        (["tab", "tab", "tab"], None, "First type price and count: they say how much cash the order needs."),
        (["45", "tab", "100"], 3, "Here only the primary account's cash can be moved"),
    ],
)
async def test_where_no_cash_can_be_moved_the_key_says_why(
    typed: list[str], subaccount: int | None, reason: str
) -> None:
    desk = FakeDesk(Clock())
    desk.store.account.add_subaccounts([0, 3])
    desk.store.account.set_balance(Balance(10_000_000, 0, subaccount=3))
    if subaccount:
        desk.store.account.choose_subaccount(subaccount)
    async with trading(desk, NARROW) as trader:
        await trader.press("b")
        for each in typed:
            await trader.press(*([each] if each == "tab" else each))
        assert reason in said(await trader.press("ctrl+b"))


async def test_a_pause_of_the_markets_part_is_told_in_its_ticket_alone() -> None:
    desk = FakeDesk(Clock(), [a_market(FIRST), replace(a_market("B-1-X"), exchange_index=2)])
    desk.store.snapshot("B-1-X", [(4_700, 100)], [(5_200, 100)])
    desk.store.set_hours(TradingStatus.OPEN, {0: TradingStatus.OPEN, 2: TradingStatus.TRADING_PAUSED}, ("crypto",))
    async with trading(desk, NARROW) as trader:
        assert "PAUSED crypto" in await trader.look()
        assert "TRADING PAUSED" not in said(await trader.press("b", *"45", "tab", *"10"))
        await trader.press("escape", "j")
        assert "TRADING PAUSED: the exchange would reject this order now." in said(
            await trader.press("b", *"45", "tab", *"10")
        )


async def test_nothing_in_the_ticket_moves_while_the_quotes_change() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b", *"48", "tab", *"500")
        before = trader.lines()
        trader.desk.store.snapshot(FIRST, [(100, 100)], [(9_000, 9_999_900)])
        after = (await trader.look()).split("\n")
        assert before != after
        labels = ("Rests", "Cash after", "Maker fee", "Opens", "If right", "Profit", "Held after", "Break-even", "Side")
        for label in labels:
            assert [line.find(label) for line in before] == [line.find(label) for line in after]


async def test_the_preview_is_reckoned_anew_at_each_quote() -> None:
    async with trading(size=NARROW) as trader:
        screen = await trader.press("b", *"48", "tab", *"500")
        assert "Fills now 300 at 0.48 Rests 200, first in queue" in said(screen)
        trader.desk.store.snapshot(FIRST, [(4_700, 100)], [(5_300, 10_000), (5_200, 10_000)])
        # 100 at 0.47 and 100 at 0.48.
        assert "Fills now 200 at 0.475 Rests 300, first in queue" in said(await trader.look())
        trader.desk.store.snapshot(FIRST, [(4_800, 7_700)], [])
        assert "Fills now nothing Rests 500 behind 77" in said(await trader.look())


async def test_all_of_the_ticket_and_the_review_has_room_on_the_smallest_terminal() -> None:
    async with trading(size=(72, 22)) as trader:
        trader.desk.against = [
            RiskViolation(
                Risk(RiskReason.LIMIT, "contracts an order"),
                OverrideMethod.NEVER,
                "For an order that makes 30, your limit is 2.",
            )
        ]
        screen = said(await trader.press("b", "j", "tab", *"30000"))
        for words in ("Only [ ] post-only", "Held after", "It may be rejected.", "your limit is 2.", "enter Review"):
            assert words in screen
        screen = said(await trader.press("enter"))
        for words in ("Buying power", "Held after", "CANNOT BE SENT", "your limit is 2.", "client order id", "Back"):
            assert words in screen


async def test_a_choice_and_a_box_are_taken_by_the_mouse() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("b", "j")
        lines = trader.lines()
        row = next(number for number, text in enumerate(lines) if "[ ] post-only" in text)
        await trader.pilot.click(offset=(lines[row].index("post-only"), row))
        assert "[x] post-only" in await trader.look()
        await trader.pilot.click(offset=(lines[row - 1].index("UNTIL") + 1, row - 1))
        assert "[UNTIL]" in await trader.look()
