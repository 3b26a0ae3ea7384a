"""Subaccounts at the practice exchange, over real sockets (docs/kalshi-api.md, section 13)."""

import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.domain.price import parse_money
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.storage.database import Database
from tests.support.engine import ASK, BID, CRYPTO, STANDARD, Clock, catalog, exchange as engine_of, place
from tests.support.practice_server import Serving, serving
from tests.support.subaccounts import lock, market_of


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


async def give(exchange: Serving, number: int, cents: int, **more: Any) -> Any:
    body = {
        "client_transfer_id": str(uuid.uuid4()),
        "from_subaccount": 0,
        "to_subaccount": number,
        "amount_cents": cents,
    }
    return await exchange.call("POST", "/portfolio/subaccounts/transfer", body | more)


async def create(exchange: Serving, **body: Any) -> int:
    reply = await exchange.call("POST", "/portfolio/subaccounts", body)
    assert reply.status_code == 201, reply.text
    number = reply.json()["subaccount_number"]
    assert isinstance(number, int)
    return number


async def listed(exchange: Serving, path: str, name: str, *, who: str = "alice", **query: Any) -> Any:
    reply = await exchange.call("GET", path, who=who, **query)
    assert reply.status_code == 200, reply.text
    return reply.json()[name]


async def test_subaccounts_are_created_in_turn_and_hold_what_is_moved_to_them(exchange: Serving) -> None:
    assert [await create(exchange) for _ in range(3)] == [1, 2, 3]
    assert await create(exchange, exchange_index=2) == 1
    assert (await give(exchange, 3, 12_345)).status_code == 200
    held = await listed(exchange, "/portfolio/subaccounts/balances", "subaccount_balances")
    assert [(each["subaccount_number"], each["exchange_index"], each["balance"]) for each in held] == [
        (0, 0, "9876.550000"),
        (0, 1, "0.000000"),
        (0, 2, "10000.000000"),
        (0, 3, "0.000000"),
        (1, 0, "0.000000"),
        (1, 2, "0.000000"),
        (2, 0, "0.000000"),
        (3, 0, "123.450000"),
    ]
    [move] = await listed(exchange, "/portfolio/subaccounts/transfers", "transfers")
    assert (move["from_subaccount"], move["to_subaccount"], move["amount_cents"]) == (0, 3, 12_345)
    assert (await exchange.call("GET", "/portfolio/balance", subaccount=3)).json()["balance"] == 12_345
    # Without the parameter the balance is the primary's.
    assert (await exchange.call("GET", "/portfolio/balance")).json()["balance_dollars"] == "19876.550000"


async def test_a_transfer_is_done_once_and_never_beyond_what_there_is(exchange: Serving) -> None:
    await create(exchange)
    same = str(uuid.uuid4())
    assert (await give(exchange, 1, 100, client_transfer_id=same)).status_code == 200
    again = await give(exchange, 1, 100, client_transfer_id=same.upper())
    assert again.status_code == 409
    for cents, more, words in (
        (1_000_001, {}, "not enough cash"),
        (0, {}, "must be more than 0"),
        (100, {"to_subaccount": 9}, "subaccount 9 does not exist"),
        (100, {"to_subaccount": 0}, "must differ"),
        (100, {"exchange_index": 2}, "subaccount 1 does not exist on exchange_index 2"),
        (100, {"client_transfer_id": "x"}, "must be a UUID"),
    ):
        refused = await give(exchange, 1, cents, **more)
        assert refused.status_code == 400
        assert words in refused.text
    assert (await exchange.call("GET", "/portfolio/balance", subaccount=1)).json()["balance"] == 100


async def test_subaccounts_need_the_advanced_tier_and_end_at_63() -> None:
    async with serving(tier="basic") as basic:
        refused = await basic.call("POST", "/portfolio/subaccounts", {})
        assert refused.status_code == 403
        assert "--tier advanced" in refused.text
    clock = Clock()
    engine = engine_of(clock)
    assert [engine.subaccounts.create("ann") for _ in range(63)] == list(range(1, 64))
    with pytest.raises(Rejection, match="63 subaccounts already"):
        engine.subaccounts.create("ann")


async def test_lists_mean_all_and_positions_balance_queue_and_writes_mean_the_primary(exchange: Serving) -> None:
    ticker = market_of(exchange)
    number = await create(exchange)
    await give(exchange, number, 100_000)
    own = (await exchange.order(ticker, "bid", "0.0100", "5.00", subaccount=number)).json()["order_id"]
    primary = (await exchange.order(ticker, "bid", "0.0100", "7.00")).json()["order_id"]
    orders = await listed(exchange, "/portfolio/orders", "orders")
    assert {each["order_id"]: each["subaccount_number"] for each in orders} == {own: number, primary: 0}
    assert {each["user_id"] for each in orders} == {"alice"}
    [found] = await listed(exchange, "/portfolio/orders", "orders", subaccount=number)
    assert found["order_id"] == own
    queue = await listed(exchange, "/portfolio/orders/queue_positions", "queue_positions", market_tickers=ticker)
    assert [each["order_id"] for each in queue] == [primary]
    # A cancel without the number looks in the primary alone.
    path = f"/portfolio/events/orders/{own}"
    assert (await exchange.call("DELETE", path, market_ticker=ticker)).status_code == 404
    body = {"ticker": ticker, "side": "bid", "price": "0.0100", "count": "4.00"}
    assert (await exchange.call("POST", f"{path}/amend", body)).status_code == 404
    assert (await exchange.call("POST", f"{path}/amend", body, subaccount=number)).status_code == 200
    done = await exchange.call("POST", f"{path}/decrease", {"reduce_to": "3.00"}, subaccount=number)
    assert done.json()["remaining_count"] == "3.00"
    batch = {"orders": [{"order_id": own, "market_ticker": ticker}, {"order_id": own, "subaccount": number}]}
    items = (await exchange.call("DELETE", "/portfolio/events/orders/batched", batch)).json()["orders"]
    assert [(each.get("error") or {}).get("code") for each in items] == ["not_found", None]
    await exchange.order(ticker, "bid", "0.0100", "5.00", subaccount=number)
    assert (await exchange.call("DELETE", "/portfolio/events/orders", subaccount=number)).status_code == 204
    [left] = await listed(exchange, "/portfolio/orders", "orders", status="resting")
    assert left["order_id"] == primary
    await exchange.order(ticker, "bid", "0.0100", "5.00", subaccount=number)
    assert (await exchange.call("DELETE", "/portfolio/events/orders")).status_code == 204
    assert await listed(exchange, "/portfolio/orders", "orders", status="resting") == []


async def test_positions_fills_and_frames_carry_their_number(exchange: Serving) -> None:
    ticker = market_of(exchange)
    number = await create(exchange)
    await give(exchange, number, 100_000)
    async with exchange.stream() as listener:
        await listener.command("subscribe", channels=["fill", "user_orders", "market_positions"])
        await listener.frames(3)
        await exchange.order(ticker, "bid", "0.0100", "50.00", subaccount=number)
        await exchange.order(ticker, "ask", "0.0100", "50.00", who="bob")
        frames = [(each["type"], each["msg"]) for each in await listener.frames(4)]
    numbers = {(kind, msg.get("subaccount_number" if kind == "user_order" else "subaccount")) for kind, msg in frames}
    assert numbers == {("user_order", number), ("fill", number), ("market_position", number)}
    assert await listed(exchange, "/portfolio/positions", "market_positions") == []
    [held] = await listed(exchange, "/portfolio/positions", "market_positions", subaccount=number)
    assert held["position_fp"] == "50.00"
    [fill] = await listed(exchange, "/portfolio/fills", "fills")
    assert fill["subaccount_number"] == number
    assert await listed(exchange, "/portfolio/fills", "fills", subaccount=0) == []


async def test_two_subaccounts_of_one_member_never_trade_with_each_other(exchange: Serving) -> None:
    ticker = market_of(exchange)
    number = await create(exchange)
    await give(exchange, number, 100_000)
    await exchange.order(ticker, "bid", "0.0100", "5.00")
    placed = await exchange.order(ticker, "ask", "0.0100", "5.00", subaccount=number)
    assert (placed.json()["fill_count"], placed.json()["remaining_count"]) == ("0.00", "0.00")
    same = {"client_order_id": "mine"}
    assert (await exchange.order(ticker, "bid", "0.0100", "1.00", **same)).status_code == 201
    assert (await exchange.order(ticker, "bid", "0.0100", "1.00", subaccount=number, **same)).status_code == 409


async def test_order_groups_belong_to_a_subaccount(exchange: Serving) -> None:
    number = await create(exchange)
    made = await exchange.call("POST", "/portfolio/order_groups/create", {"contracts_limit": 5, "subaccount": number})
    assert made.json()["subaccount"] == number
    group = made.json()["order_group_id"]
    assert [each["id"] for each in await listed(exchange, "/portfolio/order_groups", "order_groups")] == [group]
    assert await listed(exchange, "/portfolio/order_groups", "order_groups", subaccount=0) == []
    path = f"/portfolio/order_groups/{group}"
    assert (await exchange.call("GET", path)).status_code == 404
    assert (await exchange.call("PUT", f"{path}/reset", subaccount=number)).status_code == 200


@pytest.mark.parametrize("number", [5, 64, -1])
async def test_a_subaccount_that_does_not_exist_is_refused_everywhere(exchange: Serving, number: int) -> None:
    ticker = market_of(exchange)
    replies = [
        await exchange.order(ticker, "bid", "0.0100", "1.00", subaccount=number),
        await exchange.call("DELETE", "/portfolio/events/orders", subaccount=number),
        await exchange.call("GET", "/portfolio/positions", subaccount=number),
        await exchange.call("GET", "/portfolio/settlements", subaccount=number),
        await exchange.call("PUT", "/portfolio/subaccounts/netting", {"subaccount_number": number, "enabled": True}),
    ]
    assert [each.status_code for each in replies] == [400] * len(replies)
    assert all("subaccount" in each.text for each in replies)


async def test_a_key_locked_to_a_subaccount_sees_and_trades_in_that_one_alone(exchange: Serving) -> None:
    ticker = market_of(exchange)
    first, second = await create(exchange), await create(exchange)
    for number in (first, second):
        await give(exchange, number, 100_000)
    await lock(exchange, second)
    sibling = (await exchange.order(ticker, "bid", "0.0100", "5.00", subaccount=first)).json()["order_id"]
    async with exchange.stream("locked") as listener:
        await listener.command("subscribe", channels=["user_orders"])
        await listener.frame()
        await exchange.order(ticker, "bid", "0.0100", "6.00", subaccount=first)
        own = (await exchange.order(ticker, "bid", "0.0100", "7.00", who="locked")).json()["order_id"]
        frame = await listener.frame()
    assert (frame["msg"]["order_id"], frame["msg"]["subaccount_number"]) == (own, second)
    [found] = await listed(exchange, "/portfolio/orders", "orders", who="locked")
    assert found["order_id"] == own
    balance = (await exchange.call("GET", "/portfolio/balance", who="locked")).json()
    assert balance["balance"] < 100_000
    assert "balance_breakdown" not in balance
    for path, query in (
        ("/portfolio/orders", {"subaccount": first}),
        ("/portfolio/positions", {"subaccount": 0}),
        ("/portfolio/subaccounts/balances", {}),
        ("/api_keys", {}),
    ):
        refused = await exchange.call("GET", path, who="locked", **query)
        assert refused.status_code == 403
        assert "restricted to" in refused.text
    assert (await exchange.order(ticker, "bid", "0.0100", "1.00", who="locked", subaccount=0)).status_code == 403
    assert (await exchange.call("GET", f"/portfolio/orders/{sibling}", who="locked")).status_code == 404
    assert (await exchange.call("DELETE", "/portfolio/events/orders", who="locked")).status_code == 204
    resting = await listed(exchange, "/portfolio/orders", "orders", status="resting")
    assert {each["subaccount_number"] for each in resting} == {first}


async def test_netting_is_kept_and_inherited_by_new_subaccounts(exchange: Serving) -> None:
    first = await create(exchange)
    body = {"subaccount_number": 0, "enabled": True}
    assert (await exchange.call("PUT", "/portfolio/subaccounts/netting", body)).status_code == 200
    second = await create(exchange)
    configs = await listed(exchange, "/portfolio/subaccounts/netting", "netting_configs")
    assert {(each["subaccount_number"], each["enabled"]) for each in configs} == {
        (0, True),
        (first, False),
        (second, True),
    }


def test_subaccounts_outlive_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    engine, again = (Exchange(catalog(*STANDARD), clock, 1, run=run) for run in range(2))
    for name in ("ann", "bob"):
        engine.open_account(name, {0: parse_money("1000"), 2: 0})
    number = engine.subaccounts.create("ann")
    transfer_id = str(uuid.uuid4())
    engine.subaccounts.transfer("ann", transfer_id, 0, number, 5_000)
    engine.subaccounts.set_netting("ann", number, enabled=True)
    rested = place(engine, f"ann/{number}", BID, "0.40", "3", client_order_id="mine")
    place(engine, "bob", ASK, "0.40", "1")
    database = Database.open(tmp_path / "practice.sqlite3")
    database.write_events(engine, engine.drain_events())
    database.close()
    reopened = Database.open(tmp_path / "practice.sqlite3")
    reopened.restore(again)
    reopened.close()
    mine = ListFilter(subaccount=number)
    for each in (engine, again):
        assert [held.count for held in each.queries.positions("ann", mine)] == [100]
        assert each.queries.order("ann", rested.order_id).remaining == 200
        assert each.queries.balance("ann", number).available == {0: parse_money("48.80")}
        assert [move.client_transfer_id for move in each.subaccounts.transfers("ann")] == [transfer_id]
        assert each.ledger.subaccount("ann", number).netting
        with pytest.raises(Rejection, match="already_exists"):
            each.subaccounts.transfer("ann", transfer_id, 0, number, 1)
        with pytest.raises(Rejection, match="already_exists"):
            place(each, "ann", BID, "0.10", "1", client_order_id="mine")
        with pytest.raises(Rejection, match="does not exist on exchange_index 2"):
            place(each, f"ann/{number}", BID, "0.10", "1", ticker=CRYPTO)
        assert each.ledger.total_money(0) == each.ledger.deposited[0]
    assert again.subaccounts.create("ann") == number + 1


def test_a_database_from_before_subaccounts_is_opened(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "practice.sqlite3"
    engine, again = (Exchange(catalog(*STANDARD), clock, 1, run=run) for run in range(2))
    engine.open_account("ann", {0: parse_money("1000"), 2: 0})
    database = Database.open(path)
    database.write_events(engine, engine.drain_events())
    database.close()
    with closing(sqlite3.connect(path)) as older:
        older.execute("drop table subaccount_transfers")
        older.execute("drop table netting")
        older.commit()
    reopened = Database.open(path)
    reopened.restore(again)
    again.subaccounts.transfer("ann", str(uuid.uuid4()), 0, again.subaccounts.create("ann"), 5_000)
    reopened.write_events(again, again.drain_events())
    assert len(reopened.load().subaccount_transfers) == 1
    reopened.close()
