"""The desk's ticket on a real practice exchange: own orders in the way are canceled, and what it shows then happens."""

from textual.pilot import Pilot

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.order import Action
from kalshi_tui.domain.price import MONEY_UNIT as DOLLAR
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.presentation.number_text import money_text
from kalshi_tui.runtime.compose import ExchangeAccess, build_session, clock_ms
from kalshi_tui.session.session import Session
from kalshi_tui.ui.app import DeskApp
from kalshi_tui.ui.ticket.review import ARM_DELAY_MS, ReviewScreen
from kalshi_tui.ui.ticket.screen import TicketScreen
from kalshi_tui.ui.ticket.start import TicketPrefill
from tests.support.fake_desk import Clock, FakeDesk
from tests.support.pilot import USUAL, USUAL_UI_SETTINGS, Trader
from tests.support.practice_server import Serving, serving
from tests.support.waiting import until

FEE_AT_MOST = 170_000


async def rest(exchange: Serving, ticker: str, side: str, price: str, count: str, who: str = "bob") -> None:
    reply = await exchange.order(ticker, side, price, count, who=who)
    assert reply.status_code == 201, reply.text


def screen_text(app: DeskApp) -> str:
    timer = Clock(0)
    return " ".join(Trader(app, FakeDesk(timer), timer, timer, Pilot(app)).text().split())


async def seen(app: DeskApp, *texts: str) -> None:
    """Wait until all the texts stand on the screen; fail with the screen otherwise."""
    try:
        await until(lambda: all(each in screen_text(app) for each in texts))
    except TimeoutError:
        raise AssertionError(f"never saw {texts}: {screen_text(app)}") from None


def cash(session: Session) -> int | None:
    return session.store.balance.on_shard(0) if session.store.balance is not None else None


async def test_what_the_ticket_shows_once_its_way_is_cleared_is_what_happens() -> None:
    async with serving() as exchange:
        listing = max(
            (
                each
                for each in exchange.exchange.markets.visible()
                if each.status.tradable and each.shard == 0 and each.structure == "linear_cent"
            ),
            key=lambda each: each.close_ms,
        )
        ticker = listing.ticker
        await rest(exchange, ticker, "bid", "0.4000", "4.00")
        await rest(exchange, ticker, "bid", "0.4000", "10.00", "alice")
        await rest(exchange, ticker, "bid", "0.3900", "3.00")
        exchange.clock.advance(60_000)
        session = build_session(ExchangeAccess(practice_on_port(exchange.port), exchange.signers["alice"]))
        store, timer = session.store, Clock(0)
        app = DeskApp(session, clock_ms=clock_ms, timer_ms=timer, ui_settings=USUAL_UI_SETTINGS)
        async with app.run_test(size=USUAL) as pilot:
            await until(lambda: store.connection.state is LinkState.LIVE and ticker in store.markets)

            def ready() -> bool:
                # Again each time: the desk shows the market of its own list.
                session.set_shown_markets([ticker])
                return store.book(ticker).is_good and bool(store.working_orders()) and cash(session) is not None

            await until(ready)
            before = cash(session)
            assert before is not None
            sale = TicketPrefill(ticker, Action.SELL, Side.YES, price=3_900, count=1_000)
            app.push_screen(TicketScreen(session, sale, timer))
            await seen(app, "YES 10 at 0.40 in the way")
            await pilot.press("ctrl+o")
            await seen(app, "Cancel your YES 10 at 0.40")
            await pilot.press("y")
            await until(lambda: not store.working_orders() and store.book(ticker).book.yes.count_at(4_000) == 400)
            await until(lambda: cash(session) == before + 4 * DOLLAR)
            # 4 NO at 0.60 and 3 at 0.61 are bought, 3 more at 0.61 are set aside for.
            after = before + 4 * DOLLAR - 6_060_000
            figures = (
                "Fills now 7 at 0.3957",
                "Rests 3, first in queue",
                "Taker fee up to $0.17",
                f"Cash after {money_text(after - FEE_AT_MOST)}",
                "Worst loss $6.27",
                "Held after NO 10 at",
            )
            await seen(app, *figures)
            assert "in the way" not in screen_text(app)
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, ReviewScreen))
            await seen(app, *figures)
            timer.advance(ARM_DELAY_MS)
            await pilot.press("enter")
            await until(lambda: ticker in store.positions and store.positions[ticker].count == -700)

            def paid() -> int:
                return sum(each.fee for each in store.fills)

            await until(lambda: sum(each.count for each in store.fills) == 700 and cash(session) == after - paid())
            assert 0 < paid() <= FEE_AT_MOST
            await rest(exchange, ticker, "bid", "0.3900", "3.00")
            await until(lambda: store.positions[ticker].count == -1_000)
            await until(lambda: cash(session) == after - paid())
