"""What ended more than two weeks ago is in the exchange's archive alone, and is found: library, desk, commands."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, Order, OrderState, OrderTerms
from kalshi_tui.kalshi import KalshiClient, NotFound, Retry, ServerFault, UnknownOutcome, order_status
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.practice.server import rest_archive
from tests.support.cli_runner import tradable, trading
from tests.support.practice_server import Serving, serving, spoiled
from tests.support.session_rig import Rig, Trouble

SIXTEEN_DAYS_MS = 16 * 86_400_000
ARCHIVE = "/historical/orders"


async def filled(exchange: Serving) -> tuple[str, str]:
    """Fill an order of alice's and let sixteen days go by; return its ids."""
    ticker = tradable(exchange)
    await exchange.order(ticker, "ask", "0.4000", "3.00", who="bob")
    made = (await exchange.order(ticker, "bid", "0.4000", "3.00", client_order_id="mine")).json()
    assert made["fill_count"] == "3.00"
    await exchange.control("advance_clock", ms=SIXTEEN_DAYS_MS)
    order_id = str(made["order_id"])
    assert (await exchange.call("GET", "/portfolio/orders")).json()["orders"] == []
    assert (await exchange.call("GET", f"/portfolio/orders/{order_id}")).status_code == 404
    return order_id, "mine"


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


@pytest.fixture
async def client(exchange: Serving) -> AsyncIterator[KalshiClient]:
    environment = practice_on_port(exchange.port)
    async with KalshiClient(environment, exchange.signers["alice"], retry=Retry(attempts=1)) as made:
        yield made


async def find_after_misses(
    exchange: Serving, client: KalshiClient, name: str, misses: int, advance_ms: int
) -> Order | None:
    """Look for an order, and let time pass at the exchange once so many reads have missed it."""
    handle, missed = exchange.handle_request, 0

    async def counted(request: web.Request, handler: Any) -> web.StreamResponse:
        nonlocal missed
        if request.path.endswith(ARCHIVE):
            missed += 1
            if missed == misses:
                exchange.clock.advance(advance_ms)
        return await handle(request, handler)

    exchange.handle_request = counted
    try:
        return await client.find_order(name, sent_ms=1, within_s=20)
    finally:
        exchange.handle_request = handle
        assert missed >= misses


async def test_an_order_on_its_way_into_the_archive_is_not_called_missing(
    exchange: Serving, client: KalshiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_status, "SEARCH_FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(order_status, "SEARCH_RECHECK_DELAY_S", 0.01)
    order_id, name = await filled(exchange)
    # In neither list for ten seconds more, and for longer than three reads.
    exchange.server.archive.gap_ms = 2 * 86_400_000 + 10_000
    found = await find_after_misses(exchange, client, name, 6, 20_000)
    assert found is not None
    assert found.order_id == order_id
    # What was never there is in neither list a minute later either.
    assert await find_after_misses(exchange, client, "never-sent", 6, 61_000) is None


async def test_the_library_finds_an_order_that_is_in_the_archive(exchange: Serving, client: KalshiClient) -> None:
    order_id, name = await filled(exchange)
    for sent_ms in (None, 1, exchange.clock.machine_ms()):
        found = await client.find_order(name, sent_ms=sent_ms, within_s=20)
        assert found is not None
        assert (found.order_id, found.state, found.filled) == (order_id, OrderState.FILLED, 300)
    assert (await client.order(order_id)).state is OrderState.FILLED
    with pytest.raises(NotFound):
        await client.order("never-there")


@pytest.mark.slow
async def test_an_archive_that_fails_proves_nothing(exchange: Serving, client: KalshiClient) -> None:
    order_id, name = await filled(exchange)
    await exchange.control("fail_responses", status=500, count=1_000, path=ARCHIVE)
    with pytest.raises(UnknownOutcome):
        await client.find_order(name, sent_ms=1, within_s=8)
    with pytest.raises(UnknownOutcome):
        await client.find_order("never-sent", sent_ms=1, within_s=8)
    with pytest.raises(ServerFault):
        await client.order(order_id)


@pytest.mark.slow
async def test_an_archive_that_is_half_read_proves_nothing(
    exchange: Serving, client: KalshiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, name = await filled(exchange)

    def spoil(content: dict[str, Any]) -> None:
        for order in content.get("orders") or ():
            order["initial_count_fp"] = None

    spoiled(monkeypatch, rest_archive, spoil)
    with pytest.raises(UnknownOutcome):
        await client.find_order(name, sent_ms=1, within_s=8)
    monkeypatch.undo()

    def endless(content: dict[str, Any]) -> None:
        if "orders" in content:
            content["orders"], content["cursor"] = [], "eA=="

    spoiled(monkeypatch, rest_archive, endless)
    with pytest.raises(UnknownOutcome):
        await client.find_order(name, sent_ms=1, within_s=8)


async def away(rig: Rig, *, known: bool) -> None:
    """Send an order, end the program, let the order be filled and sixteen days go by.

    ``known``: the exchange's answer, with the order's id, has come before the end.
    """
    await rig.start()
    await rig.pass_time(2)
    if not known:
        # So that the program does not see its order before it ends.
        rig.lag(3_600_000)
    terms = OrderTerms(rig.ticker, Side.YES, Action.BUY, price=4000, count=500)
    rig.submit(terms, Trouble.NONE if known else Trouble.REPLY_LOST)
    await rig.pass_time(2)
    (order,) = rig.session.store.orders.values()
    assert (order.state, bool(order.order_id)) == (OrderState.RESTING if known else OrderState.UNKNOWN, known)
    await rig.kill()
    rig.lag(0)
    rig.untold.clear()
    rig.trade(BookSide.ASK, 4000, 500)
    rig.clock.advance(SIXTEEN_DAYS_MS)
    rig.world.step()
    rig.server.commit()


@pytest.mark.parametrize("known", [True, False])
async def test_an_order_of_the_journal_is_found_in_the_archive(tmp_path: Path, *, known: bool) -> None:
    rig = Rig(tmp_path)
    await away(rig, known=known)
    await rig.start()
    try:
        await rig.pass_time(60)
        (order,) = rig.session.store.orders.values()
        assert (order.state, order.filled) == (OrderState.FILLED, 500)
        told = [each.text for each in rig.session.store.notices]
        assert any(each.startswith("Found: ") for each in told), told
        assert not rig.journal.open_entries()
    finally:
        await rig.close()


@pytest.mark.parametrize("known", [True, False])
async def test_an_order_of_the_journal_stays_unknown_while_it_moves_into_the_archive(
    tmp_path: Path, *, known: bool
) -> None:
    rig = Rig(tmp_path)
    await away(rig, known=known)
    rig.server.archive.gap_ms = 2 * 86_400_000 + 40_000
    await rig.start()
    try:
        await rig.pass_time(30, 500)
        (order,) = rig.session.store.orders.values()
        assert order.state is OrderState.UNKNOWN
        await rig.pass_time(60, 500)
        (order,) = rig.session.store.orders.values()
        assert (order.state, order.filled) == (OrderState.FILLED, 500)
    finally:
        await rig.close()


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False])
async def test_an_order_of_the_journal_stays_unknown_while_the_archive_fails(tmp_path: Path, *, known: bool) -> None:
    rig = Rig(tmp_path)
    await away(rig, known=known)
    faults = rig.server.faults
    faults.failure_status, faults.failures_left, faults.fail_path = 500, 1_000_000, ARCHIVE
    await rig.start()
    try:
        await rig.pass_time(180, 1_000)
        assert faults.failures_left < 1_000_000, "nobody has asked"
        (order,) = rig.session.store.orders.values()
        assert order.state is OrderState.UNKNOWN
        told = [each.text for each in rig.session.store.notices]
        assert not [each for each in told if each.startswith(("Never arrived", "Over"))], told
        faults.failures_left = 0
        await rig.pass_time(60, 1_000)
        (order,) = rig.session.store.orders.values()
        assert (order.state, order.filled) == (OrderState.FILLED, 500)
    finally:
        await rig.close()


@pytest.mark.slow
async def test_a_command_finds_an_order_that_is_in_the_archive(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        order_id, name = await filled(trader.exchange)
        for each in (order_id, name):
            done = await trader.json("cancel", each, "--yes")
            assert (done.code, done.only["order"]["state"]) == (1, "filled"), done
            assert "It was so before this cancel." in done.error["message"]
        gone = await trader.json("cancel", "never-there", "--yes")
        assert (gone.code, gone.error["code"]) == (4, "not_found")
        await trader.exchange.control("fail_responses", status=500, count=1_000, path=ARCHIVE)
        failed = await trader.json("cancel", order_id, "--yes")
        assert (failed.code, failed.error["code"]) == (1, "unreachable")
        assert "failed with status 500" in failed.error["message"]
        assert "try again in a moment" in failed.error["message"]
