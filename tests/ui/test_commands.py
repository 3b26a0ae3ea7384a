"""Made from the command table: every key does what the table says; bar, help and palette say so."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
from textual.command import CommandPalette
from textual.widget import Widget

from kalshi_tui.domain.alerts import Alert, AlertKind, AlertState
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import Action, BookSide, OrderState, OrderTerms, TimeInForce
from kalshi_tui.domain.position import Balance
from kalshi_tui.presentation.lines import plain_text
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.replay import ReplayStatus
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.command import Scope, choose_command
from kalshi_tui.ui.command_table import TEXT_FIELD_KEYS, bind_commands, commands_in_scope, is_text_key
from kalshi_tui.ui.commands import COMMAND_GROUPS, COMMANDS
from kalshi_tui.ui.dialogs.alert import AlertScreen
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.dialogs.help import help_lines
from kalshi_tui.ui.dialogs.welcome import WelcomeScreen
from kalshi_tui.ui.dialogs.word import WordScreen
from kalshi_tui.ui.ticket.amend import AmendScreen
from kalshi_tui.ui.ticket.confirm import ConfirmScreen
from kalshi_tui.ui.ticket.review import ReviewScreen
from kalshi_tui.ui.ticket.screen import TicketScreen
from kalshi_tui.ui.ticket.start import TicketPrefill
from kalshi_tui.ui.widgets.command_screen import CommandScreen
from kalshi_tui.ui.widgets.key_bar import ALWAYS_SHOWN, fitting_commands
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    FakeDesk,
    a_market,
    a_position,
    an_order,
)
from tests.support.pilot import (
    NARROW,
    SIZES,
    Trader,
    trading,
)

MARKET = a_market(TITLES[0][0])
TERMS = OrderTerms(TITLES[0][0], Side.YES, Action.BUY, 4_600, 1_000)


@dataclass(frozen=True)
class Situation:
    """A screen with something selected, and the commands that work in it and in no situation before."""

    name: str
    scope: Scope
    enter: Callable[[Trader], Awaitable[object]]
    commands: str


async def with_alert(trader: Trader, alert: Alert) -> None:
    assert not trader.desk.alerts.add(alert)
    await trader.press("8", "tab", "tab")


async def on_the_desk(trader: Trader) -> None:
    await trader.look()


async def with_a_subaccount(trader: Trader) -> None:
    trader.desk.store.account.add_subaccounts([0, 3])
    await trader.look()


async def in_orders(trader: Trader) -> None:
    trader.desk.store.order(an_order())
    await trader.press("1", "tab", "tab")


async def on_an_order_that_never_arrived(trader: Trader) -> None:
    trader.desk.repeatable["c1"] = TERMS
    trader.desk.store.order(an_order(order_id="", state=OrderState.NOT_SENT))
    await trader.press("1", "tab", "tab")


async def with_older_fills(trader: Trader) -> None:
    trader.desk.store.account.set_listed_since(AccountList.FILLS, NOW_MS)
    await trader.press("3")


async def in_positions(trader: Trader) -> None:
    trader.desk.store.account.set_positions([a_position()], trader.clock())
    await trader.press("2", "tab", "tab")


async def on_an_armed_alert(trader: Trader) -> None:
    await with_alert(trader, Alert(AlertKind.FILL))


async def on_an_alert_that_has_rung(trader: Trader) -> None:
    await with_alert(trader, Alert(AlertKind.FILL, state=AlertState.FIRED))


async def in_the_book(trader: Trader) -> None:
    await trader.press("tab")


async def on_an_order_in_the_ladder(trader: Trader) -> None:
    trader.desk.store.order(an_order())
    await trader.press("v", "tab", "j")


async def with_the_chart(trader: Trader) -> None:
    await trader.press("6")


async def in_the_filter(trader: Trader) -> None:
    await trader.press("slash")


async def in_a_watch_list(trader: Trader) -> None:
    await trader.press("m", "L")


async def in_a_saved_layout(trader: Trader) -> None:
    await trader.press("W", *"Two", "enter")


async def in_a_replay(trader: Trader) -> None:
    trader.desk.replay = ReplayStatus(NOW_MS, NOW_MS, NOW_MS + 60_000)
    await trader.look()


def in_the_ticket(field: str) -> Callable[[Trader], Awaitable[object]]:
    async def enter(trader: Trader) -> None:
        await trader.press("b")
        screen = trader.app.screen
        screen.set_focus(screen.query_one(f"#{field}", Widget))
        await trader.look()

    return enter


async def in_a_ticket_with_cash_elsewhere(trader: Trader) -> None:
    trader.desk.store.account.set_balance(Balance(10_000_000_000, 0, ((0, 1_000_000), (2, 9_999_000_000))))
    await trader.press("b", *"40", "tab", *"50")


async def in_a_ticket_against_an_own_order(trader: Trader) -> None:
    own = an_order(order_id="own", book_side=BookSide.ASK, yes_price=4_000, remaining=1_000)
    trader.desk.store.order(own)
    await trader.press("b", *"40", "tab", *"50")


async def in_the_review_against_an_own_order(trader: Trader) -> None:
    await in_a_ticket_against_an_own_order(trader)
    await trader.press("enter")
    await trader.wait_to_arm()


async def in_the_review(trader: Trader) -> None:
    await trader.press("b")
    await trader.press(*"40", "tab", *"5", "enter")
    await trader.wait_to_arm()


async def while_it_is_sent(trader: Trader) -> None:
    trader.desk.hold = asyncio.Event()
    await in_the_review(trader)
    await trader.press("enter")


async def once_it_is_answered(trader: Trader) -> None:
    await in_the_review(trader)
    await trader.press("enter")


async def in_the_change(trader: Trader) -> None:
    trader.desk.store.order(an_order())
    trader.app.push_screen(AmendScreen(trader.desk, an_order(), trader.timer))
    await trader.look()


async def over_the_change(trader: Trader) -> None:
    await in_the_change(trader)
    await trader.press("up", "enter")
    await trader.wait_to_arm()


async def once_it_is_changed(trader: Trader) -> None:
    await over_the_change(trader)
    await trader.press("enter")


async def at_a_word(trader: Trader) -> None:
    trader.app.push_screen(WordScreen(trader.desk, "question", "Is it so?", "yes"))
    await trader.look()


async def at_an_alert(trader: Trader) -> None:
    trader.app.push_screen(AlertScreen(trader.desk, TITLES[0][0], "bid >= 0.55"))
    await trader.look()


async def at_a_question(trader: Trader) -> None:
    trader.app.push_screen(AskScreen(trader.desk, "question", "Is it so?"))
    await trader.look()


async def at_the_welcome(trader: Trader) -> None:
    trader.app.push_screen(WelcomeScreen(trader.desk))
    await trader.look()


async def at_the_finder(trader: Trader) -> None:
    await trader.press("ctrl+f")


async def at_a_name(trader: Trader) -> None:
    await trader.press("N")


async def in_the_help(trader: Trader) -> None:
    await trader.press("question_mark")


async def on_a_small_terminal(trader: Trader) -> None:
    await trader.pilot.resize_terminal(40, 10)
    await trader.look()


async def asked_on_a_small_terminal(trader: Trader) -> None:
    trader.desk.store.order(an_order())
    await on_a_small_terminal(trader)
    await trader.press("q")


SITUATIONS = (
    Situation(
        "desk",
        Scope.DESK,
        on_the_desk,
        "buy sell filter sort list watch new-list wide jump pane pane-back orders positions fills tape log chart "
        "settlements alerts alert sift export audit details tile save-layout record theme link down up page-down "
        "page-up first last back cancel-all view palette help quit",
    ),
    Situation("subaccounts", Scope.DESK, with_a_subaccount, "account"),
    Situation("orders", Scope.DESK, in_orders, "cancel amend cancel-here open"),
    Situation("never arrived", Scope.DESK, on_an_order_that_never_arrived, "repeat"),
    Situation("older fills", Scope.DESK, with_older_fills, "read-more"),
    Situation("positions", Scope.DESK, in_positions, "close-position"),
    Situation("armed alert", Scope.DESK, on_an_armed_alert, "delete-alert"),
    Situation("rung alert", Scope.DESK, on_an_alert_that_has_rung, "rearm"),
    Situation("book", Scope.DESK, in_the_book, "bids asks"),
    Situation("ladder", Scope.DESK, on_an_order_in_the_ladder, "cancel-row nudge-down nudge-up centre mirror"),
    Situation("chart", Scope.DESK, with_the_chart, "earlier later period line"),
    Situation("filter", Scope.DESK, in_the_filter, "keep-filter clear-filter"),
    Situation("watch list", Scope.DESK, in_a_watch_list, "rename-list delete-list move-up move-down"),
    Situation("layout", Scope.DESK, in_a_saved_layout, "layout delete-layout"),
    Situation(
        "replay",
        Scope.DESK,
        in_a_replay,
        "replay-pause replay-step replay-back replay-forth replay-slower replay-faster replay-go",
    ),
    Situation(
        "price",
        Scope.TICKET,
        in_the_ticket("price"),
        "review join improve take mid close-ticket next-field previous-field tick-up tick-down",
    ),
    Situation("count", Scope.TICKET, in_the_ticket("count"), "preset preset-back most all-held dollars"),
    Situation("cash elsewhere", Scope.TICKET, in_a_ticket_with_cash_elsewhere, "move-cash"),
    Situation("own order in the way", Scope.TICKET, in_a_ticket_against_an_own_order, "cancel-own"),
    Situation("choice", Scope.TICKET, in_the_ticket("tif"), "next-choice previous-choice"),
    Situation("review", Scope.REVIEW, in_the_review, "send leave-review"),
    Situation("own order, reviewed", Scope.REVIEW, in_the_review_against_an_own_order, "cancel-own-first"),
    Situation("sending", Scope.REVIEW, while_it_is_sent, "leave-sent"),
    Situation("answered", Scope.REVIEW, once_it_is_answered, "close-result"),
    Situation(
        "change",
        Scope.AMEND,
        in_the_change,
        "look-at-change amend-join amend-improve amend-take amend-mid leave-change amend-field amend-field-back "
        "amend-up amend-down",
    ),
    Situation("change reviewed", Scope.AMEND, over_the_change, "change back-to-change"),
    Situation("changed", Scope.AMEND, once_it_is_changed, "close-changed"),
    Situation("word", Scope.WORD, at_a_word, "confirm-word leave-word"),
    Situation("alert", Scope.ALERT, at_an_alert, "keep-alert leave-alert"),
    Situation("question", Scope.ASK, at_a_question, "yes no"),
    Situation("welcome", Scope.WELCOME, at_the_welcome, "trade look"),
    Situation("finder", Scope.FIND, at_the_finder, "into out next-found last-found page-found page-back-found"),
    Situation("name", Scope.NAME, at_a_name, "take-name leave-name"),
    Situation("help", Scope.HELP, in_the_help, "scroll-down scroll-up scroll-page scroll-back close-help"),
    Situation("too small", Scope.TOO_SMALL, on_a_small_terminal, "small-quit"),
    Situation("too small, asked", Scope.TOO_SMALL, asked_on_a_small_terminal, "small-yes"),
)
FIRST_OF_SCOPE = {each.scope: each for each in reversed(SITUATIONS)}


def open_screen(trader: Trader, scope: Scope) -> CommandScreen[object]:
    screen = trader.app.screen
    assert isinstance(screen, CommandScreen)
    assert screen.SCOPE is scope
    return screen


def test_every_command_works_in_one_of_the_situations() -> None:
    named = [command for each in SITUATIONS for command in each.commands.split()]
    assert sorted(named) == sorted(each.id for each in COMMANDS if each.scope is not Scope.REHEARSE)


@pytest.mark.quick_cases("desk", "ladder", "price", "finder")
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
async def test_every_key_does_what_the_table_says(situation: Situation, monkeypatch: pytest.MonkeyPatch) -> None:
    async with trading() as trader:
        await situation.enter(trader)
        screen = open_screen(trader, situation.scope)
        done: list[str] = []
        monkeypatch.setattr(screen, "do", lambda bound: done.append(bound.command.id))
        for each in situation.commands.split():
            command = screen.bound_commands[each].command
            if not command.keys:
                # By the palette alone.
                done.clear()
                screen.action_do(command.id)
                assert done == [command.id]
            for key in command.key_names:
                sharing = [other for other in screen.bound_commands.values() if key in other.command.key_names]
                if screen.is_typing and is_text_key(key):
                    continue
                meant, why = choose_command(sharing)
                assert (meant.command.id, why) == (command.id, "")
                done.clear()
                await trader.pilot.press(key)
                await trader.pilot.pause()
                if isinstance(trader.app.screen, CommandPalette):
                    # Its key is the application's, for it works over the ticket too.
                    done.append("palette")
                    await trader.press("escape")
                assert done == [command.id], f"{key} did {done}"


@pytest.mark.quick_cases("review", "watch list", "sending")
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
async def test_the_bar_shows_what_works_and_nothing_else(situation: Situation) -> None:
    async with trading() as trader:
        await situation.enter(trader)
        screen = open_screen(trader, situation.scope)
        bound = screen.bound_commands.values()
        shown = {each.id for each in fitting_commands(bound, 400, typing=screen.is_typing)}
        assert shown == {
            each.command.id
            for each in bound
            if each.command.in_bar and not each.why_not() and not (screen.is_typing and is_text_key(each.command.keys))
        }
        if situation.scope is Scope.DESK and not screen.is_typing:
            # However narrow the bar is; in the filter they are letters like any other.
            assert set(ALWAYS_SHOWN) <= {each.id for each in fitting_commands(bound, 24)}


async def test_commands_act_on_no_other_screen() -> None:
    async with trading() as trader:
        for group in COMMAND_GROUPS:
            if group.scope not in {Scope.DESK, Scope.REHEARSE}:
                with pytest.raises(TypeError, match=f"^{group.scope.name}: DeskScreen is not"):
                    bind_commands(group.scope, trader.app.desk_screen)


def test_every_command_is_defined_once() -> None:
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)


def test_the_help_names_every_key_with_its_sentence() -> None:
    for width in (72, 110):
        text = " ".join(" ".join(plain_text(each).split()) for each in help_lines(width, rehearses=True))
        for command in COMMANDS:
            if command.scope is Scope.REHEARSE:
                assert f"{command.label.removeprefix('Rehearse: ')} {command.help}" in text
            elif command.keys:
                assert f"{command.all_keys} {command.help}" in text
            else:
                assert f"^p {command.label}: {command.help}" in text


def test_the_help_says_nothing_of_rehearsals_where_money_is_real() -> None:
    text = "\n".join(plain_text(each) for each in help_lines(110, rehearses=False))
    assert Scope.REHEARSE.value not in text
    assert not [each.help for each in commands_in_scope(Scope.REHEARSE) if each.help in text]


@pytest.mark.parametrize("scope", [Scope.DESK, Scope.TICKET, Scope.REVIEW, Scope.AMEND])
async def test_the_palette_offers_what_the_table_offers(scope: Scope) -> None:
    async with trading() as trader:
        await FIRST_OF_SCOPE[scope].enter(trader)
        offered = {each.title: each.help for each in trader.app.get_system_commands(trader.app.screen)}
        commands = commands_in_scope(scope) + (commands_in_scope(Scope.REHEARSE) if scope is Scope.DESK else [])
        assert set(offered) == {each.label for each in commands if each.in_palette}
        for command in commands:
            if command.in_palette:
                said = offered[command.label]
                assert said.startswith((command.help, "Not now: "))


async def test_the_palette_does_a_command_by_its_name() -> None:
    async with trading() as trader:
        await trader.press("ctrl+p")
        await trader.type("positions")
        await trader.wait(
            lambda screen: "Show the positions below." in screen and "Buy" not in screen.split("Show the positions")[0]
        )
        await trader.press("enter")
        assert "[2 Positions" in await trader.look()


async def test_the_palette_rehearses_trouble_in_practice() -> None:
    async with trading() as trader:
        await trader.press("ctrl+p")
        await trader.type("lose a reply")
        await trader.wait(lambda screen: "its reply is lost" in screen)
        await trader.press("enter")
        assert trader.desk.rehearsed == [("lost-reply", TITLES[0][0])]


@pytest.mark.parametrize("venue", [Venue.DEMO, Venue.LIVE])
async def test_no_trouble_is_rehearsed_where_money_is_real(venue: Venue) -> None:
    async with trading(FakeDesk(Clock(), venue=venue)) as trader:
        offered = {each.title for each in trader.app.get_system_commands(trader.app.screen)}
        assert "Buy" in offered
        assert not [title for title in offered if "ehears" in title]


async def test_a_key_that_does_nothing_now_says_why() -> None:
    async with trading() as trader:
        assert "No order is chosen" in await trader.press("x")
        assert not trader.desk.canceled
        assert "The key enter works in the list below" in await trader.press("enter")


async def test_a_market_that_takes_no_orders_says_so() -> None:
    async with trading() as trader:
        store = trader.desk.store
        store.market_data.set_markets([replace(MARKET, status=MarketStatus.CLOSED)])
        await trader.look()
        screen = await trader.press("b")
        assert "takes no orders: it is closed" in screen
        assert "order ticket" not in screen
        assert " b Buy" not in trader.lines()[-1]


def test_no_single_key_both_opens_and_sends() -> None:
    openers = {key for command in COMMANDS if command.id in {"buy", "sell"} for key in command.key_names}
    sending = [command for command in COMMANDS if command.run is ConfirmScreen.send]
    assert openers
    assert not openers & {key for command in sending for key in command.key_names}
    # Nor does any command of the desk or the ticket send.
    assert [command.scope for command in sending] == [Scope.REVIEW, Scope.AMEND]


def test_what_a_field_takes() -> None:
    assert all(is_text_key(key) for key in "aZ5.$")
    assert all(is_text_key(key) for key in TEXT_FIELD_KEYS)
    assert not any(is_text_key(key) for key in ("enter", "escape", "tab", "up", "down", "ctrl+p"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_bar_on_the_screen_is_the_table_s(size: tuple[int, int]) -> None:
    async with trading(size=size) as trader:
        bar = trader.lines()[-1]
        screen = trader.app.screen
        assert isinstance(screen, CommandScreen)
        expected = "".join(
            f" {each.first_key}  {each.label} " for each in fitting_commands(screen.bound_commands.values(), size[0])
        )
        assert " ".join(bar.split()) == " ".join(expected.split())


async def test_a_click_on_the_bar_does_what_its_key_does() -> None:
    async with trading(size=NARROW) as trader:
        await trader.pilot.click(offset=(2, 23))
        assert "order ticket" in await trader.look()


async def test_screens_of_an_order_name_the_same_market() -> None:
    async with trading() as trader:
        terms = OrderTerms(TITLES[1][0], Side.YES, Action.BUY, 4_000, 500, TimeInForce.GTC)
        trader.app.push_screen(ReviewScreen(trader.desk, terms, trader.timer))
        assert "Fed decision in December: Hold" in await trader.look()
        trader.app.push_screen(TicketScreen(trader.desk, TicketPrefill(TITLES[1][0], Action.BUY), trader.timer))
        assert "Fed decision in December: Hold" in await trader.look()
