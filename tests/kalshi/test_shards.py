"""Shards in the library, against the practice exchange over real sockets (docs/kalshi-api.md, section 14)."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import web

from kalshi_tui.kalshi import (
    KalshiClient,
    NotFound,
    NotSent,
    Refused,
    Retry,
    UnknownOutcome,
    dollars,
    shard_transfers,
)
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.rate_limit import MAX_ORDER_WAIT_S, POLL_INTERVAL_S, TooBusyError, WriteBudget
from kalshi_tui.kalshi.transport.shard_budgets import ShardBudgets
from tests.support.practice_server import PEMS, PREFIX, Serving, serving
from tests.support.shards import TRANSFER, cash_of, market_on


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


@pytest.fixture
async def client(exchange: Serving, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KalshiClient]:
    monkeypatch.setattr(shard_transfers, "POLL_INTERVAL_S", 0.02)
    made = KalshiClient(
        practice_on_port(exchange.port),
        key_id="key-of-alice",
        private_key=PEMS["alice"],
        retry=Retry(attempts=1),
    )
    async with made:
        yield made


@pytest.fixture
def heard(exchange: Serving) -> list[tuple[str, str, Any]]:
    """Return what commands reach the exchange: method, path below the orders, and the exchange_index that they name."""
    found: list[tuple[str, str, Any]] = []
    answer = exchange.handle_request

    async def overhear(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.method != "GET":
            body = msgspec.json.decode(await request.read() or b"{}")
            items = body.get("orders", [body]) if isinstance(body, dict) else [body]
            named = [each.get("exchange_index") for each in items]
            if request.method == "DELETE" and "orders" not in body:
                named = [int(request.query["exchange_index"])] if "exchange_index" in request.query else [None]
            found.append((request.method, request.path.removeprefix(PREFIX), named[0] if len(named) == 1 else named))
        return await answer(request, handler)

    exchange.handle_request = overhear
    return found


async def test_each_command_names_the_shard_of_its_market(
    exchange: Serving, client: KalshiClient, heard: list[tuple[str, str, Any]]
) -> None:
    far = market_on(exchange, 2).ticker
    # A market that the client has not read yet is read once.
    placed = await client.place_order(far, "yes", "buy", "0.01", "5")
    await client.amend(placed.order_id, yes_price="0.02")
    await client.amend(placed.order_id, remaining="4")
    await client.cancel(placed.order_id)
    assert [(method, index) for method, _, index in heard] == [("POST", 2), ("POST", 2), ("POST", 2), ("DELETE", 2)]
    heard.clear()
    near = market_on(exchange, 0).ticker
    for ticker in (far, near):
        await client.place_order(ticker, "yes", "buy", "0.01", "5")
    async with RestClient(practice_on_port(exchange.port), exchange.signers["alice"]) as rest:
        await rest.cancel_orders(await rest.orders(status="resting"))
    assert heard[-1] == ("DELETE", "/portfolio/events/orders/batched", [0, 2])
    assert not await client.orders(status="resting")


async def test_a_client_that_has_only_read_an_order_names_its_shard(
    exchange: Serving, client: KalshiClient, heard: list[tuple[str, str, Any]]
) -> None:
    placed = await exchange.order(market_on(exchange, 2).ticker, "bid", "0.0100", "5.00")
    await client.cancel(placed.json()["order_id"])
    assert heard[-1][0::2] == ("DELETE", 2)


async def test_orders_of_two_shards_do_not_wait_for_each_other() -> None:
    """On the lowest tier a burst on one shard leaves the other's tokens alone, at the exchange and here."""
    async with serving(tier="basic", throttle_clock_ms=lambda: 0) as exchange:
        client = KalshiClient(practice_on_port(exchange.port), key_id="key-of-alice", private_key=PEMS["alice"])
        async with client:
            for shard in (2, 0):
                ticker = market_on(exchange, shard).ticker
                async with asyncio.timeout(3):
                    for _ in range(8):
                        await client.place_order(ticker, "yes", "buy", "0.01", "1")


async def test_a_command_without_a_shard_takes_tokens_of_every_shard() -> None:
    now_s = 0.0

    async def no_time(_seconds: float) -> None:
        nonlocal now_s
        now_s += 1

    budgets = ShardBudgets(WriteBudget(1, 100, timer_s=lambda: now_s, sleep=no_time))
    await budgets.acquire(80, urgent=False, shard=2)
    await budgets.acquire(10, urgent=False, shard=0)
    with pytest.raises(TooBusyError):
        await budgets.acquire(30, urgent=False, shard=None)


async def test_a_command_without_a_shard_waits_no_longer_for_many_than_for_one() -> None:
    now_s = 0.0

    async def pass_time(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    budgets = ShardBudgets(WriteBudget(10, 100, timer_s=lambda: now_s, sleep=pass_time))
    # Shard 0 has enough in two seconds, shard 3 not for another nine.
    await budgets.acquire(70, urgent=False, shard=0)
    await budgets.acquire(180, urgent=True, shard=3)
    assert now_s == 0
    with pytest.raises(TooBusyError):
        await budgets.acquire(30, urgent=False, shard=None)
    assert now_s <= MAX_ORDER_WAIT_S + POLL_INTERVAL_S


async def test_cash_is_moved_and_followed_until_it_is_there(exchange: Serving, client: KalshiClient) -> None:
    done = await client.transfer(dollars("25.0001"), source=0, target=3)
    assert (done.is_complete, done.source, done.target, done.amount) == (True, 0, 3, dollars("25.0001"))
    assert (await client.balance()).on_shard(3) == dollars("25.0001")
    assert await client.shard_transfers() == [done]
    with pytest.raises(NotFound):
        await client.shard_transfer("unknown")


async def test_a_transfer_that_stays_pending_is_returned_as_pending(exchange: Serving, client: KalshiClient) -> None:
    await exchange.control("hold_transfers")
    held = await client.transfer(dollars("1"), source=0, target=2, within_s=0.1)
    assert not held.is_complete
    assert (await client.balance()).on_shard(2) == dollars("10000")
    await exchange.control("release_transfers")
    assert (await client.shard_transfer(held.transfer_id)).is_complete


@pytest.mark.parametrize("status", [500, 503])
async def test_a_transfer_without_an_answer_is_looked_for_and_not_sent_again(
    exchange: Serving, client: KalshiClient, heard: list[tuple[str, str, Any]], status: int
) -> None:
    # One of the same amount and route, made before, is not taken for it.
    await client.transfer(dollars("1"), source=0, target=2)
    heard.clear()
    await exchange.control("fail_responses", status=status, after_processing=True, method="POST", path=TRANSFER)
    done = await client.transfer(dollars("1"), source=0, target=2)
    assert done.is_complete
    assert len(heard) == 1
    assert (await cash_of(exchange))[2] == "10002.000000"


@pytest.mark.parametrize("status", [401, 403, 404, 429])
async def test_a_refused_look_at_an_accepted_transfer_is_not_its_refusal(
    exchange: Serving, client: KalshiClient, status: int
) -> None:
    # Reads lag: the exchange may not know yet what it has just accepted.
    await exchange.control("hold_transfers")
    await exchange.control("fail_responses", status=status, count=1_000, method="GET", path=f"{TRANSFER}s/")
    held = await client.transfer(dollars("1"), source=0, target=2, within_s=0.1)
    assert held.status == "pending"
    await exchange.control("release_transfers")
    assert (await cash_of(exchange))[2] == "10001.000000"


async def test_a_transfer_that_never_arrived_stays_unknown_and_is_not_sent_again(
    exchange: Serving, client: KalshiClient, heard: list[tuple[str, str, Any]]
) -> None:
    await exchange.control("fail_responses", status=500, method="POST", path=TRANSFER)
    with pytest.raises(UnknownOutcome, match=r"is not known\. Look at the list"):
        await client.transfer(dollars("1"), source=0, target=2, within_s=0.1)
    assert len(heard) == 1
    assert (await cash_of(exchange))[2] == "10000.000000"


async def test_a_repeat_under_the_same_id_moves_nothing(exchange: Serving, client: KalshiClient) -> None:
    mine = str(uuid.uuid4())
    await client.transfer(dollars("1"), source=0, target=2, client_transfer_id=mine)
    with pytest.raises(Refused, match="client_transfer_id was used"):
        await client.transfer(dollars("1"), source=0, target=2, client_transfer_id=mine)
    assert (await cash_of(exchange))[2] == "10001.000000"


async def test_more_than_there_is_and_what_cannot_be(exchange: Serving, client: KalshiClient) -> None:
    with pytest.raises(Refused, match="not enough cash where this is paid from"):
        await client.transfer(dollars("10000.01"), source=0, target=2)
    for amount, source, target, client_id in (
        ("0", 0, 2, ""), ("-1", 0, 2, ""), ("0.00001", 0, 2, ""), ("1", 0, 0, ""), ("1", 0, 101, ""), ("1", 0, 2, "x"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"more than 0|there already|0 to 100|UUID"):
            await client.transfer(dollars(amount), source=source, target=target, client_transfer_id=client_id)
    await exchange.control("fail_responses", status=500, method="GET", path=TRANSFER)
    with pytest.raises(NotSent, match="list of transfers could not be read"):
        await client.transfer(dollars("1"), source=0, target=2)
    assert (await cash_of(exchange))[2] == "10000.000000"


async def test_the_allocation_is_read_and_set(client: KalshiClient) -> None:
    assert (await client.target_allocation()).percents == ()
    await client.set_target_allocation({0: 40, 2: 60}, "max")
    found = await client.target_allocation()
    assert (found.percents, found.reservation) == (((0, 40), (2, 60)), "max")
    await client.set_target_allocation({})
    assert (await client.target_allocation()).percents == ()
    for percents, reservation in (({0: 99}, ""), ({0: 150, 2: -50}, ""), ({101: 100}, ""), ({0: 100}, "half")):
        with pytest.raises(ValueError, match=r"add up to 100|0 to 100|none, max, sum"):
            await client.set_target_allocation(percents, reservation)


async def test_the_status_tells_which_part_is_paused(exchange: Serving, client: KalshiClient) -> None:
    await exchange.control("pause_trading", exchange_index=2)
    await exchange.control("pause_transfers", exchange_index=3)
    status = await client.exchange_status()
    assert status.trading_active
    assert {each.exchange_index: each.trading_active for each in status.shards} == {0: True, 1: True, 2: False, 3: True}
    assert [each.exchange_index for each in status.shards if not each.transfers_active] == [3]


async def test_cash_of_an_unknown_shard_is_not_known(client: KalshiClient) -> None:
    balance = await client.balance()
    assert balance.on_shard(1) == 0
    assert balance.on_shard(9) is None
