"""What happens to orders at rest and to positions is told once each, with the market's name."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, OrderTerms, TimeInForce
from kalshi_tui.domain.text import market_text
from kalshi_tui.practice.engine.market_outcome import binary_outcome
from kalshi_tui.session.notices import NoticeKind
from tests.support.session_rig import US, Rig, Trouble

OF_ACCOUNT = frozenset(NoticeKind) - {NoticeKind.MESSAGE}
LATE_S = 40
"""Until then the account has been read again, whatever frames came."""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    await made.start()
    await made.pass_time(5)
    yield made
    await made.close()


def told(rig: Rig, *kinds: NoticeKind) -> list[str]:
    """Return the lines of these kinds, all of the account's without any, oldest first, without the market's name."""
    name = market_text(rig.session.store.markets[rig.ticker])
    wanted = kinds or OF_ACCOUNT
    lines = [each for each in reversed(rig.session.store.notices) if each.kind in wanted]
    assert all(each.text.endswith(f" - {name}") for each in lines), "each line names the market"
    return [each.text.removesuffix(f" - {name}") for each in lines]


def buy(rig: Rig, count: int = 1_000, price: int = 4_200, **more: object) -> OrderTerms:
    terms = OrderTerms(rig.ticker, Side.YES, Action.BUY, price, count)
    return replace(terms, **more)  # type: ignore[arg-type]  # named fields of one dataclass


async def rest(rig: Rig, terms: OrderTerms) -> None:
    """Send an order that rests, and let its frames come."""
    outcome = rig.submit(terms)
    await rig.pass_time(1)
    rig.deliver()
    assert outcome.result().sentence.startswith("Resting")
    assert rig.session.store.notices[0].text.startswith("Resting: ")
    assert told(rig) == []


@pytest.mark.parametrize("frames", ["all", "none", "twice", "reversed"])
async def test_a_resting_order_that_is_filled_in_two_parts_is_told_twice(rig: Rig, frames: str) -> None:
    await rest(rig, buy(rig))
    rig.trade(BookSide.ASK, 4_200, 400)
    rig.deliver(frames)
    await rig.pass_time(LATE_S)
    assert len(told(rig)) == 1
    assert "artly filled" in told(rig)[0]
    assert told(rig)[0].endswith("bought 4 YES at $0.42, 6 left")
    rig.trade(BookSide.ASK, 4_200, 600)
    rig.deliver(frames)
    await rig.pass_time(LATE_S)
    assert len(told(rig)) == 2
    assert told(rig)[1].endswith("bought 6 YES at $0.42")
    # After a lost connection all is read again, and nothing is told again.
    rig.session.parts.readers.account.request_full_read()
    rig.session.parts.readers.settlements.request_read()
    await rig.pass_time(LATE_S)
    rig.deliver()
    assert len(told(rig)) == 2


async def test_a_fill_at_once_is_told_by_the_answer_alone(rig: Rig) -> None:
    rig.trade(BookSide.ASK, 4_200, 400)
    rig.submit(buy(rig))
    await rig.pass_time(1)
    rig.deliver()
    await rig.pass_time(LATE_S)
    assert told(rig) == []
    texts = [each.text for each in rig.session.store.notices if "artly filled" in each.text]
    assert len(texts) == 1
    assert texts[0].endswith(market_text(rig.session.store.markets[rig.ticker]))
    rig.trade(BookSide.ASK, 4_200, 600)
    rig.deliver()
    assert told(rig) == ["Filled: bought 6 YES at $0.42"]


async def test_a_fill_of_an_order_whose_answer_was_lost_is_told(rig: Rig) -> None:
    rig.trade(BookSide.ASK, 4_200, 400)
    rig.submit(buy(rig), Trouble.REPLY_LOST)
    await rig.pass_time(LATE_S)
    assert [each.partition(": ")[2] for each in told(rig)] == ["bought 4 YES at $0.42, 6 left"]


@pytest.mark.parametrize("frames", ["all", "none", "twice"])
async def test_an_expiry_is_told_once(rig: Rig, frames: str) -> None:
    await rest(rig, buy(rig, expires_s=rig.clock.now_ms // 1000 + 60))
    await rig.pass_time(70)
    rig.deliver(frames)
    await rig.pass_time(LATE_S)
    assert told(rig) == ["Expired: buy 10 YES at $0.42, 0 filled"]


@pytest.mark.parametrize("frames", ["all", "none", "twice"])
async def test_a_cancel_that_was_not_asked_for_here_is_told_once(rig: Rig, frames: str) -> None:
    await rest(rig, buy(rig))
    rig.exchange.order_entry.cancel_all(US)
    rig.server.commit()
    rig.deliver(frames)
    await rig.pass_time(LATE_S)
    assert told(rig) == ["Canceled: buy 10 YES at $0.42, 0 filled (by the exchange, or from elsewhere)"]


@pytest.mark.parametrize("everything", [True, False])
async def test_a_cancel_that_was_asked_for_here_is_told_by_its_answer_alone(rig: Rig, *, everything: bool) -> None:
    await rest(rig, buy(rig))
    (order,) = rig.session.store.working_orders()
    rig.begin(rig.session.cancel_all() if everything else rig.session.cancel(order))
    await rig.pass_time(1)
    rig.deliver()
    await rig.pass_time(LATE_S)
    assert not rig.session.store.working_orders()
    assert told(rig) == []


@pytest.mark.parametrize("frames", ["all", "none"])
async def test_close_and_settlement_are_told_once(rig: Rig, frames: str) -> None:
    rig.trade(BookSide.ASK, 4_200, 400)
    rig.submit(buy(rig, count=400))
    await rig.pass_time(1)
    rig.deliver()
    rig.exchange.results.settle(rig.ticker, binary_outcome("yes"))
    rig.server.commit()
    rig.deliver(frames)
    if frames == "all":
        rig.session.store.lifecycle(rig.ticker, "determined")
        rig.session.store.lifecycle(rig.ticker, "settled")
        await rig.pass_time(LATE_S)
    rig.session.parts.readers.settlements.request_read()
    rig.session.parts.readers.markets.request_refresh()
    await rig.pass_time(LATE_S)
    assert [each.partition(",")[0] for each in told(rig, NoticeKind.CLOSED)] == ["Closed: no more trading"]
    (settled,) = told(rig, NoticeKind.SETTLED)
    assert settled.startswith("Settled YES: held 4 YES, paid $4.00, net +$2.")


async def test_a_start_tells_what_changed_since_of_orders_that_the_journal_knows_and_of_no_others(rig: Rig) -> None:
    rig.trade(BookSide.ASK, 5_000, 300)
    rig.submit(buy(rig, count=300, price=5_000, tif=TimeInForce.IOC))
    await rig.pass_time(1)
    await rest(rig, buy(rig))
    rig.trade(BookSide.ASK, 4_200, 400)
    rig.deliver()
    assert told(rig) == ["Partly filled: bought 4 YES at $0.42, 6 left"]
    await rig.pass_time(LATE_S)
    await rig.kill()
    rig.trade(BookSide.ASK, 4_200, 600)
    await rig.pass_time(60)
    rig.untold.clear()
    await rig.start()
    await rig.pass_time(LATE_S)
    assert told(rig) == ["Filled earlier: bought 6 YES at $0.42"]
    await rig.kill()
    await rig.start()
    await rig.pass_time(LATE_S)
    assert told(rig) == [], "the second start has nothing new to tell"


async def test_a_line_gets_its_markets_name_once_the_list_has_it(rig: Rig) -> None:
    store = rig.session.store
    await rest(rig, buy(rig))
    market = store.markets[rig.ticker]
    store.market_data.drop_markets([rig.ticker])
    rig.trade(BookSide.ASK, 4_200, 1_000)
    rig.deliver()
    assert store.notices[0].text == f"Filled: bought 10 YES at $0.42 - {rig.ticker}"
    store.market_data.set_markets([market])
    assert store.notices[0].text == f"Filled: bought 10 YES at $0.42 - {market_text(market)}"
