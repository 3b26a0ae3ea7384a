"""Made from the command table: every key does what the table says; bar, help and palette say so."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from textual.command import CommandPalette
from textual.widget import Widget

from kalshi_tui.domain.alerts import Alert, AlertKind, AlertState
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import Action, OrderState, OrderTerms, TimeInForce
from kalshi_tui.presentation.lines import plain_text
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.availability import CommandContext, FocusedField, TicketStep
from kalshi_tui.ui.commands import (
    COMMANDS,
    TEXT_FIELD_KEYS,
    Command,
    Scope,
    choose_command,
    commands_in_scope,
    is_text_key,
)
from kalshi_tui.ui.dialogs.alert import AlertScreen
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.dialogs.help import help_lines
from kalshi_tui.ui.dialogs.welcome import WelcomeScreen
from kalshi_tui.ui.dialogs.word import WordScreen
from kalshi_tui.ui.ticket.amend import AmendScreen
from kalshi_tui.ui.ticket.review import ReviewScreen
from kalshi_tui.ui.ticket.screen import TicketScreen
from kalshi_tui.ui.ticket.start import TicketPrefill
from kalshi_tui.ui.widgets.command_screen import CommandScreen
from kalshi_tui.ui.widgets.key_bar import ALWAYS_SHOWN, fitting_commands
from tests.support.fake_desk import (
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
SITUATIONS = [
    CommandContext(),
    CommandContext(market=MARKET),
    CommandContext(market=MARKET, order=an_order()),
    CommandContext(market=MARKET, in_list=True, has_market=True),
    CommandContext(market=MARKET, in_filter=True),
    CommandContext(market=MARKET, list_name="Fed"),
    CommandContext(market=MARKET, layouts=True, layout="Two"),
    CommandContext(market=MARKET, in_book=True),
    CommandContext(market=MARKET, live_orders_here=1),
    CommandContext(market=MARKET, ladder=True),
    CommandContext(market=MARKET, ladder=True, in_ladder=True, row_orders=1, order=an_order(), subject=MARKET),
    CommandContext(market=MARKET, ladder=True, in_ladder=True, row_orders=2, no_price="No price is chosen."),
    CommandContext(market=MARKET, order=an_order(), subject=MARKET, in_list=True),
    CommandContext(order=an_order(state=OrderState.NOT_SENT), subject=MARKET, in_list=True, can_resend=True),
    CommandContext(in_positions=True, position=a_position(), subject=MARKET, in_list=True),
    CommandContext(market=MARKET, on_chart=True),
    CommandContext(market=MARKET, replaying=True),
    CommandContext(market=MARKET, in_list=True, in_alerts=True, alert=Alert(AlertKind.FILL, state=AlertState.FIRED)),
    CommandContext(market=MARKET, in_list=True, in_alerts=True, alert=Alert(AlertKind.FILL)),
    CommandContext(market=MARKET, in_list=True, in_alerts=True),
    CommandContext(on_choice=True),
    CommandContext(focused_field=FocusedField.PRICE),
    CommandContext(focused_field=FocusedField.COUNT),
    CommandContext(step=TicketStep.EDITING, focused_field=FocusedField.PRICE),
    CommandContext(blocked_reason="It cannot be sent."),
    CommandContext(step=TicketStep.SENDING, armed=False),
    CommandContext(step=TicketStep.DONE, armed=False),
    CommandContext(question_shown=True),
]


def situation_for(command: Command) -> CommandContext:
    """Return a situation in which this command is the one that its key means."""
    if not command.keys:
        return next(now for now in SITUATIONS if not command.why_not(now))
    for now in SITUATIONS:
        ids = [
            other.id
            for other in commands_in_scope(command.scope)
            if set(other.keys.split(",")) & set(command.keys.split(","))
        ]
        if choose_command(ids, now) == (command, ""):
            return now
    raise AssertionError(f"in no situation does its key mean {command.id}")


async def open_scope(trader: Trader, scope: Scope) -> None:
    if scope is Scope.TICKET:
        await trader.press("b")
    elif scope is Scope.REVIEW:
        await trader.press("b", *"40", "tab", *"5", "enter")
    elif scope is Scope.AMEND:
        trader.desk.store.order(an_order())
        trader.app.push_screen(AmendScreen(trader.desk, an_order(), trader.timer))
    elif scope is Scope.WORD:
        trader.app.push_screen(WordScreen(trader.desk, "question", "Is it so?", "yes"))
    elif scope is Scope.ALERT:
        trader.app.push_screen(AlertScreen(trader.desk, TITLES[0][0], "bid >= 0.55"))
    elif scope is Scope.ASK:
        trader.app.push_screen(AskScreen(trader.desk, "question", "Is it so?"))
    elif scope is Scope.WELCOME:
        trader.app.push_screen(WelcomeScreen(trader.desk))
    elif scope is Scope.FIND:
        await trader.press("ctrl+f")
    elif scope is Scope.NAME:
        await trader.press("N")
    elif scope is Scope.HELP:
        await trader.press("question_mark")
    elif scope is Scope.TOO_SMALL:
        await trader.pilot.resize_terminal(40, 10)
    await trader.look()
    screen = trader.app.screen
    assert isinstance(screen, CommandScreen)
    assert screen.SCOPE is (Scope.DESK if scope is Scope.REHEARSE else scope)


KEYED = [scope for scope in Scope if scope is not Scope.REHEARSE]


@pytest.mark.parametrize("scope", KEYED)
async def test_every_key_does_what_the_table_says(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    async with trading() as trader:
        await open_scope(trader, scope)
        screen = trader.app.screen
        assert isinstance(screen, CommandScreen)
        done: list[str] = []
        monkeypatch.setattr(screen, "do", lambda command: done.append(command.id))
        for command in commands_in_scope(scope):
            now = situation_for(command)
            if scope in {Scope.TICKET, Scope.AMEND}:
                field = "tif" if now.on_choice else "count" if now.focused_field is FocusedField.COUNT else "price"
                screen.set_focus(screen.query_one(f"#{field}", Widget))
            monkeypatch.setattr(screen, "command_context", partial(replace, now))
            if not command.keys:
                # By the palette alone.
                done.clear()
                screen.action_do(command.id)
                assert done == [command.id]
            for key in filter(None, command.keys.split(",")):
                done.clear()
                await trader.pilot.press(key)
                await trader.pilot.pause()
                if isinstance(trader.app.screen, CommandPalette):
                    # Its key is the application's, for it works over the ticket too.
                    done.append("palette")
                    await trader.press("escape")
                assert done == [command.id], f"{key} did {done}"


@pytest.mark.parametrize("scope", Scope)
async def test_every_command_has_its_method(scope: Scope) -> None:
    async with trading() as trader:
        await open_scope(trader, scope)
        for command in commands_in_scope(scope):
            method: Callable[..., None] = getattr(trader.app.screen, f"do_{command.method}")
            assert method.__doc__


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


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_the_bar_shows_what_works_and_nothing_else(command: Command) -> None:
    for now in SITUATIONS:
        shown = command in fitting_commands(command.scope, now, 400)
        typed = now.in_filter and is_text_key(command.keys)
        assert shown == (command.in_bar and not command.why_not(now) and not typed)


@pytest.mark.parametrize("scope", Scope)
def test_help_and_quit_stay_in_the_narrowest_bar(scope: Scope) -> None:
    for now in SITUATIONS:
        if now.in_filter:
            continue  # there they are letters like any other
        shown = {command.id for command in fitting_commands(scope, now, 24)}
        assert {each for each in ALWAYS_SHOWN if scope is Scope.DESK} <= shown


@pytest.mark.parametrize("scope", [Scope.DESK, Scope.TICKET, Scope.REVIEW, Scope.AMEND])
async def test_the_palette_offers_what_the_table_offers(scope: Scope) -> None:
    async with trading() as trader:
        await open_scope(trader, scope)
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
        assert not trader.desk.cancelled
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
    openers = {key for command in COMMANDS if command.method in {"buy", "sell"} for key in command.keys.split(",")}
    senders = {key for command in COMMANDS if command.method == "send" for key in command.keys.split(",")}
    assert not openers & senders
    # Nor does any command of the desk or the ticket send.
    assert {command.scope for command in COMMANDS if command.method == "send"} == {Scope.REVIEW, Scope.AMEND}


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
            f" {each.first_key}  {each.label} "
            for each in fitting_commands(Scope.DESK, screen.command_context(), size[0])
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
