"""Orders in a market with a settlement floor, against the real practice exchange that raises it without a word."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, fields
from typing import Any

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, OrderState, OrderTerms
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.http import Retry
from kalshi_tui.session.bus import OrderUpdated
from kalshi_tui.session.execution.amend import OrderAmender
from kalshi_tui.session.execution.journal import Journal
from kalshi_tui.session.execution.order_lookup import OrderLookup
from kalshi_tui.session.execution.risk_checks import RiskChecks
from kalshi_tui.session.execution.submit import OrderExecutor
from kalshi_tui.session.market_data.fee_reader import FeeReader
from kalshi_tui.session.market_data.market_list import MarketListReader
from kalshi_tui.session.readers import CatchUp, Readers
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue
from tests.support.cut_proxy import TIMING
from tests.support.practice_server import Serving, serving
from tests.support.waiting import until


@dataclass
class Floored:
    exchange: Serving
    store: Store
    executor: OrderExecutor
    amender: OrderAmender
    ticker: str

    async def raise_floor(self, floor: str) -> None:
        reply = await self.exchange.control("raise_floor", ticker=self.ticker, floor=floor)
        assert reply.status_code == 200, reply.text

    def order(self, price: int, side: Side = Side.YES) -> OrderTerms:
        return OrderTerms(self.ticker, side, Action.BUY, price, 100)


@pytest.fixture
async def floored() -> AsyncIterator[Floored]:
    async with serving() as exchange:
        listing = next(
            each
            for each in exchange.exchange.markets.visible()
            if each.status.tradable
            and not each.shard
            and each.structure == "linear_cent"
            and not exchange.exchange.markets.event(each.terms.event_ticker).mutually_exclusive
        )
        store = Store(exchange.clock)
        async with RestClient(
            practice_on_port(exchange.port), exchange.signers["alice"], retry=Retry(attempts=1)
        ) as rest:
            checks = RiskChecks(store, Venue.PRACTICE, clock_ms=exchange.clock)
            lookup = OrderLookup(rest, store, asyncio.sleep)
            executor = OrderExecutor(rest, store, Journal.in_memory(), checks, lookup)
            amender = OrderAmender(rest, store, checks, lookup, executor)
            found = Floored(exchange, store, executor, amender, listing.ticker)
            await found.raise_floor("0")
            store.market_data.set_markets([await rest.market(listing.ticker)])
            store.snapshot(listing.ticker, [], [])
            yield found
            await lookup.close()


async def test_the_floor_is_read_again_before_each_order(floored: Floored) -> None:
    assert floored.store.markets[floored.ticker].settlement_floor == 0
    await floored.raise_floor("0.10")
    kept = await floored.executor.submit(floored.order(1_000), "one")
    assert kept.order.state is OrderState.NOT_SENT
    assert "settlement floor: YES has to be above 0.1000" in kept.order.reason
    assert (await floored.executor.submit(floored.order(9_000, Side.NO), "two")).order.state is OrderState.NOT_SENT
    taken = await floored.executor.submit(floored.order(1_100), "three")
    assert taken.order.state is OrderState.RESTING
    changed = await floored.amender.amend(taken.order, 1_000, 100)
    assert "YES has to be above 0.1000" in changed.sentence
    assert (await floored.amender.amend(taken.order, 1_200, 100)).order.yes_price == 1_200


async def test_a_decrease_waits_for_no_read_of_the_floor(floored: Floored, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = await floored.executor.submit(floored.order(1_100), "one")

    async def never(*_: object) -> Market:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(RestClient, "market", never)
    async with asyncio.timeout(5):
        assert (await floored.amender.amend(taken.order, 1_100, 50)).order.remaining == 50


async def test_the_exchange_itself_rejects_where_the_floor_could_not_be_read(floored: Floored) -> None:
    await floored.raise_floor("0.10")
    await floored.exchange.control("fail_responses", status=500, count=1, method="GET", path="/markets")
    outcome = await floored.executor.submit(floored.order(1_000), "one")
    assert outcome.order.state is OrderState.REFUSED
    assert "settlement floor" in outcome.order.reason


async def test_an_order_canceled_by_a_rise_has_its_market_read_again(floored: Floored) -> None:
    store, work = floored.store, list[asyncio.Task[Any]]()

    def spawn(job: Coroutine[Any, Any, Any], name: str) -> None:
        work.append(asyncio.create_task(job, name=name))

    async with RestClient(practice_on_port(floored.exchange.port), floored.exchange.signers["alice"]) as rest:
        markets = MarketListReader(
            rest, store, spawn, lambda _: None, asyncio.sleep, FeeReader(rest, store, asyncio.sleep)
        )
        absent: Any = None
        readers = Readers(**(dict.fromkeys((field.name for field in fields(Readers)), absent) | {"markets": markets}))
        catch_up = CatchUp(readers, store)
        store.bus.subscribe(OrderUpdated, catch_up.order_updated)
        stream = Stream(
            practice_on_port(floored.exchange.port), floored.exchange.signers["alice"], store, timing=TIMING
        )
        spawn(stream.run(), "stream")
        try:
            await until(lambda: store.connection.state is LinkState.LIVE)
            await floored.executor.submit(floored.order(500), "one")
            await floored.raise_floor("0.05")
            await until(lambda: store.markets[floored.ticker].settlement_floor == 500)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
