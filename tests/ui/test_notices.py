"""The desk on the practice exchange: the line of messages and the log tell what happens to an order at rest."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, OrderTerms
from kalshi_tui.domain.text import market_text
from kalshi_tui.practice.engine.market_outcome import binary_outcome
from kalshi_tui.ui.app import DeskApp
from tests.support.pilot import USUAL_UI_SETTINGS, Trader
from tests.support.session_rig import US, Rig

WIDE = (160, 40)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    await made.start()
    await made.pass_time(5)
    yield made
    await made.close()


class Screen:
    """The desk over the rig's session."""

    def __init__(self, rig: Rig, trader: Trader) -> None:
        self._rig = rig
        self._trader = trader

    async def message(self) -> str:
        """Return the line of messages, without the hour."""
        await self._trader.look()
        lines = self._trader.lines()
        return lines[-2].strip()[len("00:00:00 + ") :]

    async def log(self) -> str:
        """Return the screen with the log on it."""
        return await self._trader.press("5")


async def began(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> DeskApp:
    """Return the app over a session that runs already and has an order at rest."""
    terms = OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_200, 1_000, expires_s=rig.clock.now_ms // 1000 + 100)
    rig.submit(terms)
    await rig.pass_time(1)
    rig.deliver()

    async def nothing() -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(rig.session, "start", nothing)
    return DeskApp(rig.session, clock_ms=rig.clock, timer_ms=lambda: rig.clock.now_ms, ui_settings=USUAL_UI_SETTINGS)


async def test_what_happens_to_an_order_at_rest(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    app = await began(rig, monkeypatch)
    name = market_text(rig.session.store.markets[rig.ticker])
    async with app.run_test(size=WIDE) as pilot:
        screen = Screen(rig, Trader(app, rig.session, rig.clock, rig.clock, pilot))  # type: ignore[arg-type]
        assert await screen.message() == f"Resting: buy YES 10 at 0.42 - {name}"
        rig.trade(BookSide.ASK, 4_200, 400)
        rig.deliver()
        assert await screen.message() == f"Partly filled: bought 4 YES at $0.42, 6 left - {name}"
        await rig.pass_time(110, 2_000)
        rig.deliver("twice")
        assert await screen.message() == f"Expired: buy 10 YES at $0.42, 4 filled - {name}"
        rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_100, 1_000))
        await rig.pass_time(1)
        rig.exchange.order_entry.cancel_all(US)
        rig.server.commit()
        rig.deliver()
        canceled = "Canceled: buy 10 YES at $0.41, 0 filled (by the exchange, or from elsewhere)"
        assert await screen.message() == f"{canceled} - {name}"
        rig.exchange.results.settle(rig.ticker, binary_outcome("yes"))
        rig.server.commit()
        rig.deliver()
        rig.session.store.lifecycle(rig.ticker, "determined")
        rig.session.store.lifecycle(rig.ticker, "settled")
        await rig.pass_time(40, 2_000)
        rig.session.parts.readers.account.request_full_read()
        rig.session.parts.readers.settlements.request_read()
        rig.session.parts.readers.markets.request_refresh()
        await rig.pass_time(40, 2_000)
        assert (await screen.message()).startswith("Settled YES: held 4 YES, paid $4.00, net +$2.")
        assert (await screen.message()).endswith(name)
        log = await screen.log()
        for words in ("Partly filled: ", "Expired: ", "Canceled: ", "Closed: no more trading", "Settled YES: "):
            assert log.split("what happened")[1].count(words) == (2 if words == "Settled YES: " else 1), words
