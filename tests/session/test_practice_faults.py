"""Rehearsing trouble from the desk, against the real practice exchange."""

from functools import partial

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import Action, OrderState, OrderTerms, rejection_reason
from kalshi_tui.session.execution.risk_checks import Risk, RiskReason
from kalshi_tui.session.practice_faults import FAULTS_BY_ID, PRACTICE_FAULTS
from kalshi_tui.session.session import Session
from tests.support.order_sender import sent
from tests.support.real_session import a_two_sided_market, rehearsed
from tests.support.waiting import until

LAST = ("drop", "overflow", "pause-exchange", "resume-exchange", "quarter")
"""What disturbs the pieces after it."""


async def test_every_piece_is_one_that_the_exchange_knows(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    for piece in sorted(PRACTICE_FAULTS, key=lambda piece: (piece.id in LAST, piece.needs_market)):
        if piece.action == "settle":
            continue
        assert (await rehearsed(session, piece, ticker)).startswith("Rehearsal: "), piece
        if piece.id in {"slow", "fail", "lost-reply", "rate-limit"}:
            await rehearsed(session, FAULTS_BY_ID["quick"], ticker)
    await until(lambda: session.store.connection.state is LinkState.LIVE)
    await until(lambda: session.store.book(ticker).is_good)


def has_ended(session: Session, ticker: str) -> bool:
    return session.store.markets[ticker].status is MarketStatus.FINALIZED


async def test_a_market_settled_by_rehearsal_ends_on_the_desk(session: Session) -> None:
    for piece in (each for each in PRACTICE_FAULTS if each.action == "settle"):
        ticker = await a_two_sided_market(session)
        assert (await rehearsed(session, piece, ticker)).startswith("Rehearsal: ")
        await until(partial(has_ended, session, ticker))
        again = await rehearsed(session, piece, ticker)
        assert again.startswith("Rehearsal failed: ")


async def test_a_lost_reply_is_unknown_until_the_exchange_has_said(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    await rehearsed(session, FAULTS_BY_ID["lost-reply"], ticker)
    # Else the stream may tell of the order before the lost reply does not come.
    await session.parts.stream.close()
    terms = OrderTerms(ticker, Side.YES, Action.BUY, 100, 500)
    sent_as = session.draft(terms)
    outcome = await session.submit(terms, sent_as, frozenset({Risk(RiskReason.STALE_BOOK)}))
    assert outcome.order.state is OrderState.UNKNOWN
    await until(lambda: [order.state for order in session.store.orders.values()] == [OrderState.RESTING])
    (order,) = session.store.orders.values()
    assert order.client_order_id == sent_as


@pytest.mark.slow
async def test_an_order_that_failed_is_unknown_and_then_not_there(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    await rehearsed(session, FAULTS_BY_ID["fail"], ticker)
    outcome = await sent(session, OrderTerms(ticker, Side.YES, Action.BUY, 100, 500))
    assert outcome.order.state is OrderState.UNKNOWN
    await until(lambda: [order.state for order in session.store.orders.values()] != [OrderState.UNKNOWN], 60)
    (order,) = session.store.orders.values()
    assert order.state in {OrderState.NOT_SENT, OrderState.REFUSED}


async def test_the_token_is_in_no_representation(session: Session) -> None:
    assert session.parts.practice is not None
    control = session.parts.practice.control
    token = control._http._client.headers["X-Practice-Token"]
    assert len(token) > 20
    assert token not in repr(control)


async def test_a_changed_grid_a_halt_and_a_reopening_reach_the_desk_at_once(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    store = session.store
    assert store.markets[ticker].grid.finest_step == 100
    await rehearsed(session, FAULTS_BY_ID["fine"], ticker)
    await until(lambda: store.markets[ticker].grid.finest_step == 10)
    terms = OrderTerms(ticker, Side.YES, Action.BUY, 110, 500)
    assert rejection_reason(terms, store.markets[ticker]) is None
    resting = (await sent(session, terms)).order
    assert resting.state is OrderState.RESTING
    await rehearsed(session, FAULTS_BY_ID["deactivate"], ticker)
    await until(lambda: store.markets[ticker].status is MarketStatus.INACTIVE)
    assert rejection_reason(terms, store.markets[ticker])
    await rehearsed(session, FAULTS_BY_ID["activate"], ticker)
    await until(lambda: store.markets[ticker].status is MarketStatus.ACTIVE)
    # Reopening cancels what rested (docs/kalshi-api.md, section 8).
    await until(lambda: store.orders[resting.order_id].state is OrderState.CANCELED)
    await until(lambda: store.book(ticker).is_good)
