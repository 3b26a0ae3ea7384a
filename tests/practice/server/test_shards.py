"""Cash on the shards, over REST: transfers, the target allocation, pauses of one shard, write buckets."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kalshi_tui.practice.engine.shard_cash import TRANSFER_DELAY_MS
from tests.support.practice_server import Serving, serving
from tests.support.shards import TRANSFER, cash_of, market_on

TRANSFERS = "/portfolio/intra_exchange_instance_transfers"
ALLOCATION = "/portfolio/target_balance_allocation"
ORDERS = "/portfolio/events/orders"


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as made:
        yield made


async def move(exchange: Serving, amount: int, source: int = 0, target: int = 2, **more: Any) -> Any:
    body = {
        "source": "event_contract",
        "destination": "event_contract",
        "amount": amount,
        "source_exchange_shard": source,
        "destination_exchange_shard": target,
    }
    return await exchange.call("POST", TRANSFER, body | more)


async def status_of(exchange: Serving, transfer_id: str) -> str:
    return str((await exchange.call("GET", f"{TRANSFERS}/{transfer_id}")).json()["transfer"]["status"])


async def test_a_transfer_leaves_at_once_and_arrives_later(exchange: Serving) -> None:
    asked = await move(exchange, 15_000)
    assert asked.status_code == 200
    transfer_id = asked.json()["transfer_id"]
    assert await cash_of(exchange) == {0: "9998.500000", 1: "0.000000", 2: "10000.000000", 3: "0.000000"}
    (listed,) = (await exchange.call("GET", TRANSFERS)).json()["transfers"]
    assert listed == {
        "transfer_id": transfer_id,
        "source": "event_contract",
        "destination": "event_contract",
        "source_exchange_shard": 0,
        "destination_exchange_shard": 2,
        "amount": "1.500000",
        "status": "pending",
        "created_ts": listed["created_ts"],
    }
    exchange.clock.advance(TRANSFER_DELAY_MS)
    assert await status_of(exchange, transfer_id) == "complete"
    assert await cash_of(exchange) == {0: "9998.500000", 1: "0.000000", 2: "10001.500000", 3: "0.000000"}


async def test_a_transfer_that_is_held_arrives_when_it_is_released(exchange: Serving) -> None:
    await exchange.control("hold_transfers")
    transfer_id = (await move(exchange, 10_000)).json()["transfer_id"]
    exchange.clock.advance(3_600_000)
    assert await status_of(exchange, transfer_id) == "pending"
    await exchange.control("release_transfers")
    assert await status_of(exchange, transfer_id) == "complete"
    assert (await cash_of(exchange))[2] == "10001.000000"


async def test_a_transfer_that_fails_stays_pending_and_its_money_comes_back(exchange: Serving) -> None:
    await exchange.control("fail_transfers")
    failing = (await move(exchange, 10_000)).json()["transfer_id"]
    following = (await move(exchange, 10_000)).json()["transfer_id"]
    exchange.clock.advance(3_600_000)
    assert await status_of(exchange, failing) == "pending"
    assert await status_of(exchange, following) == "complete"
    assert await cash_of(exchange) == {0: "9999.000000", 1: "0.000000", 2: "10001.000000", 3: "0.000000"}


async def test_a_client_id_moves_money_once_on_its_route(exchange: Serving) -> None:
    mine = str(uuid.uuid4())
    assert (await move(exchange, 10_000, client_transfer_id=mine)).status_code == 200
    for amount in (10_000, 20_000):
        assert (await move(exchange, amount, client_transfer_id=mine.upper())).status_code == 400
    assert (await move(exchange, 10_000, 2, 0, client_transfer_id=mine)).status_code == 200
    assert (await move(exchange, 10_000, client_transfer_id="no uuid")).status_code == 400
    assert len((await exchange.call("GET", TRANSFERS)).json()["transfers"]) == 2


@pytest.mark.parametrize(
    ("more", "details"),
    [
        ({"amount": 100_000_001}, "not enough cash on the source"),
        ({"amount": 0}, "more than 0"),
        ({"amount": -5}, "more than 0"),
        ({"destination_exchange_shard": 0}, "two different"),
        ({"destination_exchange_shard": 7}, "no such exchange shard"),
        ({"destination_exchange_shard": 101}, "0 to 100"),
        ({"destination": "margined"}, "event_contract"),
        ({"amount": "1"}, ""),
    ],
)
async def test_transfers_that_are_refused(exchange: Serving, more: dict[str, Any], details: str) -> None:
    reply = await move(exchange, **({"amount": 10_000} | more))
    assert reply.status_code == 400
    assert details in reply.text
    assert (await exchange.call("GET", TRANSFERS)).json()["transfers"] == []
    assert set((await cash_of(exchange)).values()) == {"10000.000000", "0.000000"}


async def test_the_list_has_pages_and_an_unknown_transfer_is_404(exchange: Serving) -> None:
    ids = [(await move(exchange, 10_000)).json()["transfer_id"] for _ in range(3)]
    first = (await exchange.call("GET", TRANSFERS, limit=2)).json()
    rest = (await exchange.call("GET", TRANSFERS, limit=2, cursor=first["cursor"])).json()
    assert [each["transfer_id"] for each in first["transfers"] + rest["transfers"]] == ids[::-1]
    assert (await exchange.call("GET", TRANSFERS, limit=501)).status_code == 400
    assert (await exchange.call("GET", f"{TRANSFERS}/unknown")).status_code == 404
    assert (await exchange.call("GET", f"{TRANSFERS}/{ids[0]}", who="bob")).status_code == 404


async def test_a_transfer_into_a_subaccount_on_another_shard(exchange: Serving) -> None:
    for shard in (0, 2):
        await exchange.call("POST", "/portfolio/subaccounts", {"exchange_index": shard})

    async def balance_of(number: int, shard: int) -> str:
        reply = (await exchange.call("GET", "/portfolio/subaccounts/balances")).json()["subaccount_balances"]
        found = {(each["subaccount_number"], each["exchange_index"]): each["balance"] for each in reply}
        return str(found[number, shard])

    for shard in (0, 2):
        # On another shard as on the same: an id that were passed over would let a repeated request move twice.
        mine = str(uuid.uuid4())
        refused = await move(exchange, 10_000, 0, shard, destination_subaccount=1, client_transfer_id=mine)
        assert (refused.status_code, "primary account alone" in refused.text) == (400, True)
    assert (await move(exchange, 10_000, destination_subaccount=1)).status_code == 200
    assert await balance_of(1, 2) == "0.000000"
    exchange.clock.advance(TRANSFER_DELAY_MS)
    await exchange.call("GET", TRANSFERS)
    assert await balance_of(1, 2) == "1.000000"
    # On one shard it is a transfer between subaccounts: at once, and in their list.
    assert (await move(exchange, 500, 2, 2, source_subaccount=1)).status_code == 200
    assert await balance_of(1, 2) == "0.950000"
    assert len((await exchange.call("GET", TRANSFERS)).json()["transfers"]) == 1
    assert len((await exchange.call("GET", "/portfolio/subaccounts/transfers")).json()["transfers"]) == 1


async def test_an_order_is_paid_from_its_shard_alone(exchange: Serving) -> None:
    tennis = market_on(exchange, 3)
    poor = await exchange.order(tennis.ticker, "bid", "0.5000", "10.00")
    assert (poor.status_code, poor.json()["error"]["code"]) == (400, "insufficient_balance")
    await move(exchange, 1_000_000, 0, 3)
    exchange.clock.advance(TRANSFER_DELAY_MS)
    assert (await exchange.order(tennis.ticker, "bid", "0.5000", "10.00")).status_code == 201


async def test_a_target_allocation_evens_out_what_can_be_spent(exchange: Serving) -> None:
    assert (await exchange.call("GET", ALLOCATION)).json() == {"allocations": [], "resting_margin_reservation": "sum"}
    wanted = {"allocations": [{"exchange_index": 0, "percent": 25}, {"exchange_index": 3, "percent": 75}]}
    assert (await exchange.call("POST", ALLOCATION, wanted)).json() == {}
    assert (await exchange.call("GET", ALLOCATION)).json() == wanted | {"resting_margin_reservation": "sum"}
    assert (await cash_of(exchange))[3] == "0.000000"
    await exchange.control("advance_clock", ms=10_000)
    assert await cash_of(exchange) == {0: "5000.000000", 1: "0.000000", 2: "0.000000", 3: "15000.000000"}
    assert (await exchange.call("POST", ALLOCATION, {"allocations": []})).status_code == 200
    await move(exchange, 10_000, 3, 1)
    await exchange.control("advance_clock", ms=20_000)
    assert (await cash_of(exchange))[1] == "1.000000"


@pytest.mark.parametrize(
    "allocations",
    [
        [{"exchange_index": 0, "percent": 99}],
        [{"exchange_index": 0, "percent": 50}, {"exchange_index": 0, "percent": 50}],
        [{"exchange_index": 0, "percent": 150}, {"exchange_index": 2, "percent": -50}],
        [{"exchange_index": 9, "percent": 100}],
    ],
)
async def test_allocations_that_are_refused(exchange: Serving, allocations: list[dict[str, int]]) -> None:
    assert (await exchange.call("POST", ALLOCATION, {"allocations": allocations})).status_code == 400
    assert (await exchange.call("GET", ALLOCATION)).json()["allocations"] == []


@pytest.mark.parametrize(("what", "cancel_status"), [("trading", 200), ("exchange", 503)])
async def test_a_pause_of_one_shard_stops_its_markets_alone(exchange: Serving, what: str, cancel_status: int) -> None:
    paused, other = market_on(exchange, 2), market_on(exchange, 0)
    resting = await exchange.order(paused.ticker, "bid", "0.0100", "1.00")
    await exchange.control(f"pause_{what}", exchange_index=2)
    assert (await exchange.order(paused.ticker, "bid", "0.0100", "1.00")).status_code == 503
    assert (await exchange.order(other.ticker, "bid", "0.0100", "1.00")).status_code == 201
    cancel = f"{ORDERS}/{resting.json()['order_id']}"
    assert (await exchange.call("DELETE", cancel, exchange_index=2)).status_code == cancel_status
    told = await exchange.get("/exchange/status")
    assert told["trading_active"]
    assert told["exchange_active"]
    assert {each["exchange_index"]: each["trading_active"] for each in told["exchange_index_statuses"]} == {
        0: True, 1: True, 2: False, 3: True
    }  # fmt: skip
    await exchange.control(f"resume_{what}", exchange_index=2)
    assert (await exchange.order(paused.ticker, "bid", "0.0100", "1.00")).status_code == 201
    assert (await exchange.control(f"pause_{what}", exchange_index=9)).status_code == 400


async def test_a_pause_of_transfers_is_told_and_kept(exchange: Serving) -> None:
    await exchange.control("pause_transfers", exchange_index=2)
    assert (await move(exchange, 10_000)).status_code == 503
    assert (await move(exchange, 10_000, 0, 3)).status_code == 200
    told = await exchange.get("/exchange/status")
    assert [each["intra_exchange_transfers_active"] for each in told["exchange_index_statuses"]] == [
        True, True, False, True
    ]  # fmt: skip
    await exchange.control("resume_transfers")
    assert (await move(exchange, 10_000)).status_code == 200


async def test_each_shard_has_a_write_bucket_and_an_order_without_a_shard_spends_them_all() -> None:
    """The Basic tier holds ten orders a shard."""
    now_ms = 0
    async with serving(tier="basic", throttle_clock_ms=lambda: now_ms) as exchange:
        near, far = market_on(exchange, 0).ticker, market_on(exchange, 2).ticker

        async def send(ticker: str, **more: Any) -> int:
            return (await exchange.order(ticker, "bid", "0.0100", "1.00", **more)).status_code

        assert [await send(far, exchange_index=2) for _ in range(11)] == [201] * 10 + [429]
        assert [await send(near, exchange_index=0) for _ in range(9)] == [201] * 9
        # Routed by the exchange, it needs room in every bucket, and takes nothing where one is empty.
        assert await send(near) == 429
        assert [await send(near, exchange_index=0) for _ in range(2)] == [201, 429]
        now_ms = 1_000
        assert [await send(near, exchange_index=-1) for _ in range(5)] == [201] * 5
        assert [await send(far, exchange_index=2) for _ in range(6)] == [201] * 5 + [429]


async def test_a_batch_spends_the_bucket_of_no_shard() -> None:
    async with serving(tier="basic", throttle_clock_ms=lambda: 0) as exchange:
        near, far = market_on(exchange, 0).ticker, market_on(exchange, 2).ticker
        item = {
            "ticker": far, "side": "bid", "price": "0.0100", "count": "1.00", "exchange_index": 2,
            "time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross",
        }  # fmt: skip
        assert (await exchange.call("POST", f"{ORDERS}/batched", {"orders": [item] * 10})).status_code == 201
        sent = await exchange.order(far, "bid", "0.0100", "1.00", exchange_index=2)
        assert sent.status_code == 201
        assert (await exchange.order(near, "bid", "0.0100", "1.00", exchange_index=0)).status_code == 429
        # A cancel with its shard spends that shard's, the others' orders all buckets: shard 0 has nothing left.
        path = f"{ORDERS}/{sent.json()['order_id']}"
        assert (await exchange.call("DELETE", path, market_ticker=far)).status_code == 429
        assert (await exchange.call("DELETE", path, exchange_index=2)).status_code == 200
