import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms, TimeInForce
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.rest import RestClient, Retry
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.session.bus import OrderUpdated
from kalshi_tui.session.execution.journal import Journal
from kalshi_tui.session.execution.order_lookup import OrderLookup
from kalshi_tui.session.execution.risk_checks import RiskChecks
from kalshi_tui.session.execution.submit import OrderExecutor
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue
from tests.support.exchange_replies import SENT_MS, SIGNER, listed_order

TERMS = OrderTerms(ticker="T-1", side=Side.YES, action=Action.BUY, price=4_700, count=1_000)

Handler = Callable[[httpx.Request], httpx.Response]


class Exchange:
    """Answers as the exchange would, in whatever way a test wants; notes every order that reached it."""

    def __init__(self) -> None:
        self.reply: Handler = lambda _: httpx.Response(500)
        self.listed: list[dict[str, Any]] = []
        self.as_of = "2027-01-15T08:01:00Z"
        self.created: list[dict[str, Any]] = []
        self.reads = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/trade-api/v2")
        if request.method == "POST" and path == "/portfolio/events/orders":
            self.created.append(json.loads(request.content))
            return self.reply(request)
        if path == "/exchange/user_data_timestamp":
            return httpx.Response(200, json={"as_of_time": self.as_of})
        if path == "/portfolio/orders":
            self.reads += 1
            return httpx.Response(200, json={"orders": self.listed, "cursor": ""})
        if path == "/historical/cutoff":
            return httpx.Response(200, json={"orders_updated_ts": "2000-01-01T00:00:00Z"})
        if path == "/historical/orders":
            return httpx.Response(200, json={"orders": [], "cursor": ""})
        return self.reply(request)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def store() -> Store:
    return Store(lambda: SENT_MS)


@pytest.fixture
async def trading(exchange: Exchange, store: Store) -> AsyncIterator[OrderExecutor]:
    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    transport = httpx.MockTransport(exchange.handle)
    clock = ExchangeClock(lambda: SENT_MS)
    async with RestClient(
        practice_on_port(1), SIGNER, clock=clock, transport=transport, retry=Retry(attempts=1)
    ) as rest:
        store.snapshot("T-1", [(4_600, 100_000)], [(5_200, 100_000)])
        risk_checks = RiskChecks(store, Venue.PRACTICE, clock_ms=lambda: SENT_MS)
        order_lookup = OrderLookup(rest, store, at_once)
        executor = OrderExecutor(rest, store, Journal.in_memory(), risk_checks, order_lookup)
        store.bus.subscribe(OrderUpdated, lambda each: executor.record_order(each.order))
        yield executor
        await order_lookup.close()


def taken(filled: str, remaining: str, **more: str) -> Handler:
    def reply(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        answer = {"order_id": "o1", "client_order_id": body["client_order_id"], "ts_ms": SENT_MS + 5}
        return httpx.Response(201, json=answer | {"fill_count": filled, "remaining_count": remaining} | more)

    return reply


async def settled(store: Store, client_order_id: str) -> Order:
    """Wait until an order is no longer unknown."""
    async with asyncio.timeout(10):
        while True:
            for order in store.orders.values():
                if order.client_order_id == client_order_id and order.state is not OrderState.UNKNOWN:
                    return order
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("tif", "filled", "remaining", "state", "words"),
    [
        (TimeInForce.GTC, "0.00", "10.00", OrderState.RESTING, "Resting: buy YES 10 at 0.47 in T-1."),
        (
            TimeInForce.GTC,
            "4.00",
            "6.00",
            OrderState.RESTING,
            "Partly filled: buy YES 10 at 0.47 in T-1, 4 filled, 6 resting.",
        ),
        (TimeInForce.GTC, "10.00", "0.00", OrderState.FILLED, "Filled: buy YES 10 at 0.47 in T-1."),
        (TimeInForce.IOC, "4.00", "0.00", OrderState.CANCELED, "Canceled: buy YES 10 at 0.47 in T-1, 4 filled."),
        (TimeInForce.FOK, "10.00", "0.00", OrderState.FILLED, "Filled: buy YES 10 at 0.47 in T-1."),
    ],
)
async def test_a_taken_order_is_what_its_counts_say(
    exchange: Exchange,
    store: Store,
    trading: OrderExecutor,
    tif: TimeInForce,
    filled: str,
    remaining: str,
    state: OrderState,
    words: str,
) -> None:
    exchange.reply = taken(filled, remaining)
    terms = OrderTerms("T-1", Side.YES, Action.BUY, 4_700, 1_000, tif)
    outcome = await trading.submit(terms, "c1")
    assert outcome.order.state is state
    assert outcome.sentence.startswith(words)
    assert list(store.orders.values()) == [outcome.order]


async def test_the_average_price_is_told_in_the_traders_own_side(exchange: Exchange, trading: OrderExecutor) -> None:
    exchange.reply = taken("10.00", "0.00", average_fill_price="0.5625")
    outcome = await trading.submit(OrderTerms("T-1", Side.NO, Action.BUY, 4_400, 1_000), "c1")
    assert outcome.sentence == "Filled: buy NO 10 at 0.44 in T-1, on average at 0.4375."
    assert (exchange.created[0]["side"], exchange.created[0]["price"]) == ("ask", "0.5600")


async def test_a_refusal_is_final_and_carries_the_exchanges_sentence(
    exchange: Exchange, store: Store, trading: OrderExecutor
) -> None:
    error = {"error": {"code": "invalid_order", "message": "invalid order", "details": "post only cross"}}
    exchange.reply = lambda _: httpx.Response(400, json=error)
    outcome = await trading.submit(TERMS, "c1")
    assert outcome.order.state is OrderState.REFUSED
    assert "Post-only" in outcome.sentence
    assert store.working_orders() == []


async def test_no_connection_means_not_sent(exchange: Exchange, store: Store, trading: OrderExecutor) -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    exchange.reply = unreachable
    outcome = await trading.submit(TERMS, "c1")
    assert outcome.order.state is OrderState.NOT_SENT
    assert store.working_orders() == []


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("no reply", request=request)


@pytest.mark.parametrize("reply", [lost, lambda _: httpx.Response(503), lambda _: httpx.Response(201, json={})])
async def test_a_lost_reply_is_unknown_until_the_exchange_has_said(
    exchange: Exchange, store: Store, trading: OrderExecutor, reply: Handler
) -> None:
    exchange.reply = reply
    exchange.listed = [listed_order("c1", "resting", "0.00", "10.00")]
    outcome = await trading.submit(TERMS, "c1")
    assert outcome.order.state is OrderState.UNKNOWN
    assert "may or may not be live" in outcome.sentence
    order = await settled(store, "c1")
    assert (order.order_id, order.state) == ("o9", OrderState.RESTING)
    assert len(exchange.created) == 1


async def test_an_order_is_missing_only_after_several_reads_of_data_that_have_passed_it(
    exchange: Exchange, store: Store, trading: OrderExecutor
) -> None:
    exchange.reply = lost
    exchange.as_of = "2027-01-15T07:59:59Z"
    await trading.submit(TERMS, "c1")
    while exchange.reads < 20:
        await asyncio.sleep(0)
    assert [order.state for order in store.working_orders()] == [OrderState.UNKNOWN]
    exchange.as_of = "2027-01-15T08:01:00Z"
    before = exchange.reads
    order = await settled(store, "c1")
    assert order.state is OrderState.NOT_SENT
    assert exchange.reads - before >= 3
    assert len(exchange.created) == 1


async def test_an_id_that_was_used_is_asked_about_and_never_sent_under_another(
    exchange: Exchange, store: Store, trading: OrderExecutor
) -> None:
    error = {"error": {"code": "order_already_exists", "message": "order already exists"}}
    exchange.reply = lambda _: httpx.Response(409, json=error)
    exchange.listed = [listed_order("c1", "executed", "10.00", "0.00")]
    await trading.submit(TERMS, "c1")
    order = await settled(store, "c1")
    assert order.state is OrderState.FILLED
    assert [body["client_order_id"] for body in exchange.created] == ["c1"]


async def test_a_cancel_that_finds_nothing_is_explained_by_the_order_itself(
    exchange: Exchange, store: Store, trading: OrderExecutor
) -> None:
    exchange.reply = taken("0.00", "10.00")
    resting = (await trading.submit(TERMS, "c1")).order

    def gone(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            return httpx.Response(404, json={"error": {"code": "not_found", "message": "not found"}})
        return httpx.Response(200, json={"order": listed_order("c1", "executed", "10.00", "0.00") | {"order_id": "o1"}})

    exchange.reply = gone
    outcome = await trading.cancel(resting)
    assert outcome.order.state is OrderState.FILLED
    assert outcome.sentence.startswith("Filled before the cancel came")
    assert store.working_orders() == []


async def test_a_lost_reply_of_an_order_that_the_stream_has_told_is_no_riddle(
    exchange: Exchange, store: Store, trading: OrderExecutor
) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        store.order(replace(store.orders["c1"], order_id="o9", state=OrderState.RESTING))
        return httpx.Response(504)

    exchange.reply = reply
    outcome = await trading.submit(TERMS, "c1")
    assert outcome.order.state is OrderState.RESTING
    assert outcome.sentence.startswith("Resting: buy YES 10 at 0.47 in T-1, as the stream reported.")
    assert [order.order_id for order in store.orders.values()] == ["o9"]
    assert exchange.reads == 0


async def test_an_unknown_order_that_the_stream_tells_of_is_asked_about_no_more(
    exchange: Exchange, store: Store, trading: OrderExecutor
) -> None:
    exchange.as_of = "2027-01-15T07:00:00Z"
    outcome = await trading.submit(TERMS, "c1")
    assert outcome.order.state is OrderState.UNKNOWN
    store.order(replace(outcome.order, order_id="o9", state=OrderState.RESTING))
    for _ in range(50):
        await asyncio.sleep(0.001)
    reads = exchange.reads
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert exchange.reads == reads
    assert [order.state for order in store.orders.values()] == [OrderState.RESTING]
    assert not any("Never arrived" in notice.text for notice in store.notices)


async def test_an_average_of_a_part_is_not_told_as_that_of_the_whole(
    exchange: Exchange, store: Store, trading: OrderExecutor
) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        store.order(replace(store.orders["c1"], order_id="o1", state=OrderState.FILLED, filled=1_000, remaining=0))
        return taken("3.00", "7.00", average_fill_price="0.4000")(request)

    exchange.reply = reply
    outcome = await trading.submit(TERMS, "c1")
    assert outcome.sentence == "Filled: buy YES 10 at 0.47 in T-1."


async def test_the_time_of_sending_is_the_exchanges(exchange: Exchange, store: Store, trading: OrderExecutor) -> None:
    exchange.reply = taken("0.00", "10.00")
    trading._rest.clock.skew_ms = -90_000
    await trading.submit(TERMS, "c1")
    (order,) = store.orders.values()
    assert order.created_ms == SENT_MS - 90_000


async def test_a_201_that_cannot_be_read_leaves_an_unknown_order_that_is_asked_about(
    exchange: Exchange, store: Store, trading: OrderExecutor
) -> None:
    exchange.reply = lambda _: httpx.Response(201, content=b'{"order_id":"o1\xff"}')
    exchange.listed = [listed_order("c1", "resting", "0.00", "10.00")]
    outcome = await trading.submit(TERMS, "c1")
    assert outcome.order.state is OrderState.UNKNOWN
    assert (await settled(store, "c1")).state is OrderState.RESTING


async def test_a_defect_while_sending_leaves_an_unknown_order_that_is_asked_about(
    exchange: Exchange, store: Store, trading: OrderExecutor
) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError

    exchange.reply = broken
    exchange.listed = [listed_order("c1", "executed", "10.00", "0.00")]
    with pytest.raises(ZeroDivisionError):
        await trading.submit(TERMS, "c1")
    assert (await settled(store, "c1")).state is OrderState.FILLED
