"""Charts and settlements as they are read, against an exchange that answers what the test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from kalshi_tui.domain.market import Trade
from kalshi_tui.domain.position import Position
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.rest import RestClient, Retry
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.session.account.settlements import LISTING_DELAYS_S, MAX_SETTLEMENTS, SettlementReader
from kalshi_tui.session.changes import Topic
from kalshi_tui.session.market_data.candles import (
    CANDLE_DELAY_S,
    CANDLES_PER_READ,
    PERIODS_REREAD,
    RETRY_DELAY_S,
    SELECTION_DEBOUNCE_S,
    CandleReader,
)
from kalshi_tui.session.market_data.store import CHART_CAPACITY
from kalshi_tui.session.store import Store
from tests.support.exchange_replies import SIGNER
from tests.support.fake_desk import a_market
from tests.support.simulated_time import Simulated

HOUR_S = 3_600
NOW_S = 1_800_000_000 // HOUR_S * HOUR_S + 600
TICKER = "FED-26DEC-C25"


class History:
    """Answers with the candles and settlements it has."""

    def __init__(self) -> None:
        self.clock = Simulated(NOW_S * 1000)
        self.asked: list[tuple[str, dict[str, int]]] = []
        self.failing = 0
        self.price = "0.4700"
        self.settled: list[str] = []
        self.store = Store(self.clock)
        self.store.market_data.set_markets([a_market(TICKER)])

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/trade-api/v2")
        if path.endswith("/fills"):
            # Beside the settlements: what was realized before them is in the fills.
            return httpx.Response(200, json={"fills": [_fill(each) for each in self.settled], "cursor": ""})
        if path == "/historical/cutoff":
            names = ("market_settled_ts", "trades_created_ts", "orders_updated_ts")
            return httpx.Response(200, json=dict.fromkeys(names, "2025-01-01T00:00:00Z"))
        query = {name: int(values[0]) for name, values in parse_qs(request.url.query.decode()).items()}
        self.asked.append((path, query))
        if self.failing:
            self.failing -= 1
            return httpx.Response(503)
        if path == "/portfolio/settlements":
            return httpx.Response(200, json={"settlements": [_settlement(each) for each in self.settled]})
        period = query["period_interval"] * 60
        ends = [self.clock.now_ms // 1000 // period * period + period * back for back in (-1, 0, 1)]
        told = [self._candle(end) for end in ends if query["start_ts"] <= end <= query["end_ts"]]
        return httpx.Response(200, json={"ticker": TICKER, "candlesticks": told})

    def _candle(self, end_s: int) -> dict[str, Any]:
        price = {f"{name}_dollars": self.price for name in ("open", "high", "low", "close")}
        bar = {f"{name}_dollars": "0.4600" for name in ("open", "high", "low", "close")}
        return {
            "end_period_ts": end_s,
            "yes_bid": bar,
            "yes_ask": bar | {"close_dollars": "0.4800"},
            "price": price,
            "volume_fp": "10.00",
            "open_interest_fp": "5.00",
        }

    async def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds * 20) + 1):
            self.clock.advance(50)
            for _ in range(4):
                await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)


def _fill(ticker: str) -> dict[str, Any]:
    """Return the fill that opened what was held in a settled market."""
    held = Decimal(_settlement(ticker)["yes_count_fp"]) or -Decimal(_settlement(ticker)["no_count_fp"])
    return {
        "fill_id": f"of-{ticker}",
        "trade_id": f"of-{ticker}",
        "order_id": "o",
        "ticker": ticker,
        "market_ticker": ticker,
        "outcome_side": "yes" if held > 0 else "no",
        "book_side": "bid" if held > 0 else "ask",
        "count_fp": f"{abs(held):.2f}",
        "yes_price_dollars": "0.4000",
        "no_price_dollars": "0.6000",
        "is_taker": True,
        "fee_cost": "0.000000",
        "created_time": "2026-11-01T00:00:00Z",
        "subaccount_number": 0,
    }


def _settlement(ticker: str) -> dict[str, Any]:
    return {
        "ticker": ticker,
        "event_ticker": "E",
        "market_result": "yes",
        "yes_count_fp": "10.00",
        "yes_total_cost_dollars": "4.700000",
        "no_count_fp": "0.00",
        "no_total_cost_dollars": "0.000000",
        "revenue": 1_000,
        "settled_time": "2026-11-20T14:00:00Z",
        "fee_cost": "0.0175",
        "value": 100,
    }


@pytest.fixture
def exchange() -> History:
    return History()


@pytest.fixture
async def rest(exchange: History) -> AsyncIterator[RestClient]:
    transport = httpx.MockTransport(exchange.handle)
    clock = ExchangeClock(exchange.clock)
    async with RestClient(
        practice_on_port(1), SIGNER, clock=clock, transport=transport, retry=Retry(attempts=1)
    ) as made:
        yield made


@pytest.fixture
async def charts(exchange: History, rest: RestClient) -> AsyncIterator[CandleReader]:
    made = CandleReader(rest, exchange.store, exchange.clock.sleep)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def settlements(exchange: History, rest: RestClient) -> AsyncIterator[SettlementReader]:
    made = SettlementReader(rest, exchange.store, exchange.clock.sleep)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_nothing_is_read_until_a_chart_is_looked_at(exchange: History, charts: CandleReader) -> None:
    await exchange.pass_time(5)
    assert not exchange.asked
    charts.select_chart(TICKER, 60)
    await exchange.pass_time(SELECTION_DEBOUNCE_S + 1)
    path, query = exchange.asked[0]
    assert path == f"/series/FED/markets/{TICKER}/candlesticks"
    assert query["period_interval"] == 60
    assert abs(query["start_ts"] - (NOW_S - CANDLES_PER_READ * HOUR_S)) < 20
    candles = exchange.store.charts[TICKER, 60].candles
    # The candle under way is there too.
    assert [each.end_ms // 1000 - (NOW_S - 600) for each in candles] == [-HOUR_S, 0, HOUR_S]
    with pytest.raises(ValueError, match="no candles of 5 minutes"):
        charts.select_chart(TICKER, 5)


async def test_a_held_key_reads_only_the_market_it_ends_on(exchange: History, charts: CandleReader) -> None:
    for ticker in ("A-1", "B-1", TICKER):
        charts.select_chart(ticker, 60)
        await exchange.pass_time(SELECTION_DEBOUNCE_S / 3)
    await exchange.pass_time(1)
    assert [path for path, _ in exchange.asked] == [f"/series/FED/markets/{TICKER}/candlesticks"]


async def test_a_chart_is_read_again_when_its_period_ends_and_only_what_is_new(
    exchange: History, charts: CandleReader
) -> None:
    charts.select_chart(TICKER, 1)
    await exchange.pass_time(1)
    exchange.store.trade(Trade("t", TICKER, 5_100, 300, taker_bid=True, ts_ms=exchange.clock.now_ms))
    assert exchange.store.charts[TICKER, 1].candles[-1].volume == 1_300
    await exchange.pass_time(50)
    assert len(exchange.asked) == 1
    exchange.price = "0.4900"
    await exchange.pass_time(10 + CANDLE_DELAY_S)
    assert len(exchange.asked) == 2
    assert exchange.asked[1][1]["start_ts"] >= exchange.asked[0][1]["end_ts"] - (PERIODS_REREAD + 1) * 60 - 1
    assert exchange.store.charts[TICKER, 1].candles[-1].close == 4_900


async def test_a_hole_is_read_over_at_once_and_a_chart_that_is_left_no_more(
    exchange: History, charts: CandleReader
) -> None:
    charts.select_chart(TICKER, 60)
    await exchange.pass_time(1)
    charts.request_read()
    await exchange.pass_time(1)
    assert len(exchange.asked) == 2
    charts.select_chart("", 0)
    await exchange.pass_time(1_300)
    assert len(exchange.asked) == 2


async def test_a_read_that_fails_says_so_keeps_the_candles_and_is_tried_again(
    exchange: History, charts: CandleReader
) -> None:
    charts.select_chart(TICKER, 60)
    await exchange.pass_time(1)
    exchange.failing = 1
    charts.request_read()
    await exchange.pass_time(1)
    chart = exchange.store.charts[TICKER, 60]
    assert "tried again" in chart.why
    assert chart.candles
    await exchange.pass_time(RETRY_DELAY_S)
    assert not exchange.store.charts[TICKER, 60].why


def test_a_bounded_number_of_charts_is_kept() -> None:
    store = Store(lambda: 0)
    for number in range(CHART_CAPACITY + 3):
        store.market_data.set_chart(f"M{number}", 60, [], 0, 1)
    assert len(store.charts) == CHART_CAPACITY
    assert ("M0", 60) not in store.charts


async def test_settlements_are_read_when_asked_for_and_stand_newest_first(
    exchange: History, settlements: SettlementReader
) -> None:
    exchange.settled = ["A"]
    settlements.request_read()
    await exchange.pass_time(1)
    assert exchange.asked == [("/portfolio/settlements", {"limit": MAX_SETTLEMENTS})]
    assert [each.ticker for each in exchange.store.settlements] == ["A"]
    assert Topic.SETTLEMENTS in exchange.store.take_changes().topics
    await exchange.pass_time(100)
    assert len(exchange.asked) == 1


async def test_what_was_held_is_looked_for_until_it_is_listed(exchange: History, settlements: SettlementReader) -> None:
    settlements.handle_market_event(TICKER, "settled")
    await exchange.pass_time(1)
    assert not exchange.asked
    exchange.store.position(Position(TICKER, 1_000))
    # The exchange tells that nothing is held any more before it tells of the settlement.
    exchange.store.position(Position(TICKER, 0))
    settlements.handle_market_event(TICKER, "determined")
    settlements.handle_market_event(TICKER, "settled")
    await exchange.pass_time(1)
    assert len(exchange.asked) == 1
    exchange.settled = [TICKER]
    await exchange.pass_time(LISTING_DELAYS_S[0])
    assert [each.ticker for each in exchange.store.settlements] == [TICKER]
    await exchange.pass_time(100)
    assert len(exchange.asked) == 2


async def test_what_is_never_listed_is_given_up(exchange: History, settlements: SettlementReader) -> None:
    exchange.store.position(Position(TICKER, 1_000))
    settlements.handle_market_event(TICKER, "settled")
    await exchange.pass_time(sum(LISTING_DELAYS_S) + 30)
    reads = len(exchange.asked)
    assert reads == len(LISTING_DELAYS_S) + 1
    await exchange.pass_time(120)
    assert len(exchange.asked) == reads


async def test_settlements_that_cannot_be_read_are_said_and_read_later(
    exchange: History, settlements: SettlementReader
) -> None:
    exchange.settled, exchange.failing = ["A"], 1
    settlements.request_read()
    await exchange.pass_time(1)
    assert "Settlements could not be read" in exchange.store.notices[0].text
    await exchange.pass_time(12)
    assert exchange.store.settlements
