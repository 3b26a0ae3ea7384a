"""Moving cash to where an order is paid from, against the real practice exchange."""

import asyncio

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, OrderState, OrderTerms
from kalshi_tui.domain.position import Balance
from kalshi_tui.kalshi.practice_control import PracticeControl
from kalshi_tui.session.account import cash_moves
from kalshi_tui.session.account.cash_moves import CashMove, plan_cash_moves
from kalshi_tui.session.session import Session
from tests.support.order_sender import sent
from tests.support.waiting import until

DOLLAR = 1_000_000
TRANSFER = "/portfolio/intra_exchange_instance_transfer"


def control_of(session: Session) -> PracticeControl:
    assert session.parts.practice is not None
    return session.parts.practice.control


def told(session: Session, words: str) -> bool:
    return any(words in notice.text for notice in session.store.notices)


def test_what_is_missing_comes_from_the_largest_first() -> None:
    balance = Balance(10 * DOLLAR, 0, ((0, 3 * DOLLAR), (2, DOLLAR), (3, 6 * DOLLAR)))
    assert plan_cash_moves(balance, 2, 5 * DOLLAR) == (CashMove(3, 2, 5 * DOLLAR),)
    assert plan_cash_moves(balance, 2, 8 * DOLLAR + 1) == (CashMove(3, 2, 6 * DOLLAR), CashMove(0, 2, 2_010_000))
    assert plan_cash_moves(balance, 2, 10 * DOLLAR) == ()
    assert plan_cash_moves(None, 2, DOLLAR) == ()


async def test_a_lapsed_balance_is_moved_and_the_order_goes(session: Session) -> None:
    store = session.store
    tennis = next(each for each in store.markets.values() if each.exchange_index == 3 and each.status.tradable)
    terms = OrderTerms(tennis.ticker, Side.YES, Action.BUY, 100, 500)
    assert store.available_cash(tennis) == 0
    assert (await sent(session, terms)).order.state is OrderState.REFUSED
    await control_of(session).inject_fault("hold_transfers", {})
    session.move_cash(plan_cash_moves(store.balance, 3, DOLLAR))
    # It has left, it has not arrived, and its age is told.
    await until(lambda: store.balance is not None and store.balance.cash == 9_999 * DOLLAR)
    assert session.cash_move_text.startswith("Moving $1.00 to here, for ")
    assert store.available_cash(tennis) == 0
    await control_of(session).inject_fault("release_transfers", {})
    # Until the balance shows it, it is under way: the ticket would offer the same cash once more.
    while not told(session, "Moved $1.00"):
        assert session.cash_move_text or store.available_cash(tennis) == DOLLAR
        await asyncio.sleep(0)
    assert store.available_cash(tennis) == DOLLAR
    assert not session.cash_move_text
    assert (await sent(session, terms)).order.state is OrderState.RESTING


async def test_an_end_says_that_a_move_under_way_may_still_complete(session: Session) -> None:
    assert not session.cash_left_text
    await control_of(session).inject_fault("hold_transfers", {})
    session.move_cash((CashMove(0, 3, DOLLAR),))
    await until(lambda: session.store.balance is not None and session.store.balance.cash == 9_999 * DOLLAR)
    said = (
        "A move of $1.00 to where orders need it is under way and may still complete: 'kalshi-tui transfer --list' "
        "shows it."
    )
    assert session.cash_left_text == said
    await session.stop()
    assert session.cash_left_text == said
    assert session.quit_message.endswith(said)


async def test_without_an_answer_it_is_looked_for_and_never_sent_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, control = session.store, control_of(session)
    move = (CashMove(0, 2, DOLLAR),)
    await control.inject_fault(
        "fail_responses", {"status": 500, "after_processing": True, "method": "POST", "path": TRANSFER}
    )
    session.move_cash(move)
    await until(lambda: told(session, "Moved $1.00"))
    await until(lambda: store.balance is not None and store.balance.on_shard(2) == 2_001 * DOLLAR)
    # The exchange does not know yet what it has accepted: that is no "not moved".
    await control.inject_fault("fail_responses", {"status": 404, "count": 2, "method": "GET", "path": f"{TRANSFER}s/"})
    await control.inject_fault("hold_transfers", {})
    session.move_cash(move)
    await until(lambda: store.balance is not None and store.balance.cash == 9_999 * DOLLAR)
    await control.inject_fault("release_transfers", {})
    await until(lambda: not session.cash_move_text)
    assert not told(session, "Not moved")
    # One that has left no trace stays unknown.
    monkeypatch.setattr(cash_moves, "SEARCH_TIMEOUT_MS", 200)
    await control.inject_fault("fail_responses", {"status": 500, "method": "POST", "path": TRANSFER})
    session.move_cash(move)
    await until(lambda: told(session, "UNKNOWN  The cash may be moved. No answer came"))
    assert len(await session.parts.rest.shard_transfers()) == 2
    # More than there is: a definite no.
    session.move_cash((CashMove(0, 2, 99_999 * DOLLAR),))
    await until(lambda: told(session, "Not moved. There is not enough cash where this is paid from"))
