"""The past day of the markets that are seen, and the markets that are watched, against an exchange of the test's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.rest import RestClient, Retry
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.session.market_data.fee_reader import FeeReader
from kalshi_tui.session.market_data.market_list import RETRY_DELAY_S as LIST_AGAIN_S, MarketListReader
from kalshi_tui.session.market_data.sparklines import (
    MARKETS_PER_REQUEST,
    REFRESH_INTERVAL_S,
    RETRY_DELAY_S,
    SELECTION_DEBOUNCE_S,
    SPARKLINE_CAPACITY,
    SparklineReader,
)
from kalshi_tui.session.store import Store
from tests.support.exchange_replies import SIGNER
from tests.support.fake_desk import NOW_MS
from tests.support.simulated_time import Simulated


class Exchange:
    """Has a candle an hour for every market, and lists those it is told to."""

    def __init__(self) -> None:
        self.clock = Simulated(NOW_MS)
        self.store = Store(self.clock)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.failing = 0
        self.known: set[str] = set()

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/trade-api/v2")
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        self.asked.append((path, query))
        if self.failing:
            self.failing -= 1
            return httpx.Response(503)
        if path == "/markets/candlesticks":
            return httpx.Response(200, json={"markets": [_past(each) for each in query["market_tickers"].split(",")]})
        if path == "/markets":
            found = [each for each in query["tickers"].split(",") if each in self.known]
            return httpx.Response(200, json={"markets": [_market(each) for each in found], "cursor": ""})
        return httpx.Response(404, json={"error": {"code": "not_found", "message": "not found"}})

    async def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds * 20) + 1):
            self.clock.advance(50)
            for _ in range(4):
                await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)


def _past(ticker: str) -> dict[str, Any]:
    bar = {f"{name}_dollars": "0.4600" for name in ("open", "high", "low", "close")}
    return {
        "market_ticker": ticker,
        "candlesticks": [
            {
                "end_period_ts": NOW_MS // 1000 - 3_600 * back,
                "yes_bid": bar,
                "yes_ask": bar,
                "price": {} if back == 2 else {f"{name}_dollars": f"0.4{back}00" for name in ("open", "close")},
                "volume_fp": "10.00",
                "open_interest_fp": "5.00",
            }
            for back in (3, 2, 1)
        ],
    }


def _market(ticker: str) -> dict[str, Any]:
    return {
        "ticker": ticker,
        "event_ticker": ticker.rpartition("-")[0],
        "market_type": "binary",
        "title": "A market",
        "yes_sub_title": "Yes",
        "status": "active",
        "response_price_units": "usd_cent",
        "price_level_structure": "linear_cent",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
        "open_time": "2026-01-01T00:00:00Z",
        "close_time": "2027-12-01T00:00:00Z",
    }


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
async def rest(exchange: Exchange) -> AsyncIterator[RestClient]:
    transport = httpx.MockTransport(exchange.handle)
    clock = ExchangeClock(exchange.clock)
    async with RestClient(
        practice_on_port(1), SIGNER, clock=clock, transport=transport, retry=Retry(attempts=1)
    ) as made:
        yield made


@pytest.fixture
async def reader(exchange: Exchange, rest: RestClient) -> AsyncIterator[SparklineReader]:
    made = SparklineReader(rest, exchange.store, exchange.clock.sleep)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_the_day_of_many_markets_comes_with_one_read(exchange: Exchange, reader: SparklineReader) -> None:
    await exchange.pass_time(1)
    assert not exchange.asked
    reader.select_markets(["A-1", "B-1"])
    await exchange.pass_time(SELECTION_DEBOUNCE_S + 1)
    (path, query), *others = exchange.asked
    assert not others
    assert (path, query["market_tickers"], query["period_interval"]) == ("/markets/candlesticks", "A-1,B-1", "60")
    # An hour without a trade has no price.
    assert exchange.store.sparklines == {"A-1": (4_300, 4_100), "B-1": (4_300, 4_100)}


async def test_what_is_fresh_is_not_read_again_and_what_is_old_is(exchange: Exchange, reader: SparklineReader) -> None:
    reader.select_markets(["A-1"])
    await exchange.pass_time(1)
    reader.select_markets(["A-1", "B-1"])
    await exchange.pass_time(1)
    assert [query["market_tickers"] for _, query in exchange.asked] == ["A-1", "B-1"]
    await exchange.pass_time(REFRESH_INTERVAL_S + 2)
    assert sorted(",".join(query["market_tickers"] for _, query in exchange.asked[2:]).split(",")) == ["A-1", "B-1"]


async def test_no_read_names_more_than_the_exchange_takes(exchange: Exchange, reader: SparklineReader) -> None:
    reader.select_markets([f"M-{number}" for number in range(MARKETS_PER_REQUEST + 5)])
    await exchange.pass_time(1)
    assert [len(query["market_tickers"].split(",")) for _, query in exchange.asked] == [MARKETS_PER_REQUEST, 5]


async def test_a_failed_read_is_tried_again_and_disturbs_nobody(exchange: Exchange, reader: SparklineReader) -> None:
    exchange.failing = 1
    reader.select_markets(["A-1"])
    await exchange.pass_time(1)
    assert not exchange.store.sparklines
    assert not exchange.store.notices
    await exchange.pass_time(RETRY_DELAY_S + 1)
    assert exchange.store.sparklines


async def test_only_so_many_are_kept(exchange: Exchange, reader: SparklineReader) -> None:
    for start in range(0, SPARKLINE_CAPACITY + 200, MARKETS_PER_REQUEST):
        reader.select_markets([f"M-{number}" for number in range(start, start + MARKETS_PER_REQUEST)])
        await exchange.pass_time(SELECTION_DEBOUNCE_S + 0.2)
    assert len(exchange.store.sparklines) == SPARKLINE_CAPACITY


async def test_watched_markets_are_read_by_name_until_it_works(exchange: Exchange, rest: RestClient) -> None:
    followed: list[object] = []
    tasks: list[asyncio.Task[Any]] = []
    listing = MarketListReader(
        rest,
        exchange.store,
        lambda work, name: tasks.append(asyncio.create_task(work, name=name)),
        followed.append,
        exchange.clock.sleep,
        FeeReader(rest, exchange.store, exchange.clock.sleep),
    )
    exchange.known = {"A-1"}
    exchange.failing = 1
    listing.set_watch_list_markets(["A-1", "NONE-1"])
    await exchange.pass_time(LIST_AGAIN_S + 1)
    assert set(exchange.store.markets) == {"A-1"}
    assert followed[-1] == ["A-1"]
    assert exchange.store.markets["A-1"].status is MarketStatus.ACTIVE
    listing.set_watch_list_markets(["A-1"])
    await exchange.pass_time(1)
    assert len(exchange.asked) == 2
    await asyncio.gather(*tasks)
