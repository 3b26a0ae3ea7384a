"""The account as it is read, against an exchange whose reads lag, fail, or come late.

docs/kalshi-api.md, section 7.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from kalshi_tui.domain.order import OrderState
from kalshi_tui.domain.position import Position
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.rest import RestClient, Retry
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.session.account.reconcile import MAX_STALE_READS, RECONCILE_INTERVAL_S, AccountReconciler
from kalshi_tui.session.bus import AccountMoved
from kalshi_tui.session.execution.order_lookup import OrderLookup
from kalshi_tui.session.store import Store
from tests.support.exchange_replies import SENT_MS, SIGNER, listed_order

ACCOUNT = "/portfolio/"


class Lagging:
    """An exchange whose reads are ``lag_ms`` behind; time goes on only while somebody waits."""

    def __init__(self) -> None:
        self.now_ms = SENT_MS
        self.lag_ms = 0
        self.failing = 0
        self.bad_replies = 0
        self.orders: Callable[[int], list[dict[str, Any]]] = lambda _: []
        self.positions: Callable[[int], list[dict[str, Any]]] = lambda _: []
        self.reads = 0
        self.idle = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)
        await asyncio.sleep(0)

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/trade-api/v2")
        as_of = self.now_ms - self.lag_ms
        if path == "/exchange/user_data_timestamp":
            self.reads += 1
            told = datetime.fromtimestamp(as_of / 1000, UTC).isoformat()
            return httpx.Response(200, json={"as_of_time": told})
        if self.failing:
            self.failing -= 1
            return httpx.Response(503)
        if self.bad_replies:
            self.bad_replies -= 1
            return httpx.Response(200, content=b'{"balance":"\xff"}')
        if path == "/portfolio/balance":
            return httpx.Response(200, json={"balance": 100, "balance_dollars": "1.0000", "portfolio_value": 0})
        if path == "/portfolio/subaccounts/balances":
            listed = [{"subaccount_number": 0, "exchange_index": 0, "balance": "1.0000"}]
            return httpx.Response(200, json={"subaccount_balances": listed})
        if path == "/portfolio/positions":
            return httpx.Response(200, json={"market_positions": self.positions(as_of), "cursor": ""})
        if path == "/historical/cutoff":
            return httpx.Response(200, json={"trades_created_ts": "2026-01-02T03:04:00Z"})
        if path == "/portfolio/fills":
            return httpx.Response(200, json={"fills": [], "cursor": ""})
        orders = self.orders(as_of)
        if path == "/portfolio/orders":
            resting = [each for each in orders if each["status"] == "resting"]
            return httpx.Response(200, json={"orders": resting, "cursor": ""})
        return httpx.Response(200, json={"order": orders[0]})


@pytest.fixture
def exchange() -> Lagging:
    return Lagging()


@pytest.fixture
def store(exchange: Lagging) -> Store:
    return Store(lambda: exchange.now_ms)


@pytest.fixture
async def account(exchange: Lagging, store: Store) -> AsyncIterator[AccountReconciler]:
    clock = ExchangeClock(lambda: exchange.now_ms)
    transport = httpx.MockTransport(exchange.handle)
    async with RestClient(
        practice_on_port(1), SIGNER, clock=clock, transport=transport, retry=Retry(attempts=1)
    ) as rest:
        lookup = OrderLookup(rest, store, exchange.sleep)
        made = AccountReconciler(rest, store, lookup, lambda: exchange.now_ms, exchange.sleep)
        store.bus.subscribe(AccountMoved, lambda _: made.request_balance_read())
        running = asyncio.create_task(made.run())
        yield made
        running.cancel()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


def at_rest_then_filled(filled_at_ms: int) -> Callable[[int], list[dict[str, Any]]]:
    """An order that is filled at a time."""

    def orders(as_of_ms: int) -> list[dict[str, Any]]:
        if as_of_ms < filled_at_ms:
            return [listed_order("c1", "resting", "0.00", "10.00")]
        return [listed_order("c1", "executed", "10.00", "0.00")]

    return orders


async def test_a_fill_that_no_frame_told_is_found_though_reads_lag(
    exchange: Lagging, store: Store, account: AccountReconciler
) -> None:
    exchange.lag_ms = 6_000
    exchange.orders = at_rest_then_filled(SENT_MS - 1_000)
    account.request_full_read()
    await until(lambda: store.orders)
    assert store.orders["o9"].state is OrderState.RESTING
    await until(lambda: store.orders["o9"].state is OrderState.FILLED)


async def test_a_read_that_fails_is_tried_until_it_works_and_told_once(
    exchange: Lagging, store: Store, account: AccountReconciler
) -> None:
    exchange.failing = 12
    exchange.orders = at_rest_then_filled(SENT_MS + 10**9)
    account.request_full_read()
    await until(lambda: store.orders)
    texts = [notice.text for notice in store.notices]
    assert sum("could not be read" in text for text in texts) == 1
    await until(lambda: any("read again" in notice.text for notice in store.notices))


async def test_a_position_that_the_stream_told_is_not_wiped_by_an_older_read(
    exchange: Lagging, store: Store, account: AccountReconciler
) -> None:
    bought_at = SENT_MS
    exchange.lag_ms = 8_000
    exchange.positions = lambda as_of: (
        [{"ticker": "T-1", "position_fp": "10.00", "market_exposure_dollars": "4.7000"}] if as_of >= bought_at else []
    )
    store.position(Position("T-1", 1_000, 4_700_000, 0, 0))
    account.request_balance_read()
    seen: list[bool] = []

    def late() -> bool:
        seen.append("T-1" in store.positions)
        return exchange.now_ms - exchange.lag_ms > bought_at + 3_000

    await until(late)
    assert all(seen)
    await until(lambda: store.balance is not None)
    assert store.positions["T-1"].count == 1_000


async def test_a_position_that_is_gone_by_a_later_read_goes(
    exchange: Lagging, store: Store, account: AccountReconciler
) -> None:
    store.position(Position("T-1", 1_000, 4_700_000, 0, 0))
    account.request_balance_read()
    await until(lambda: not store.positions)
    assert exchange.now_ms > SENT_MS + 3_000


async def test_it_stops_reading_once_the_reads_have_passed_the_news(
    exchange: Lagging, store: Store, account: AccountReconciler
) -> None:
    exchange.lag_ms = 4_000
    account.request_balance_read()
    await until(lambda: exchange.now_ms > SENT_MS + 7_000)
    await until(lambda: exchange.now_ms - exchange.lag_ms > SENT_MS + 3_000)
    for _ in range(200):
        await asyncio.sleep(0)
    reads, since_ms = exchange.reads, exchange.now_ms
    for _ in range(2_000):
        await asyncio.sleep(0)
    # From now on it reads as often as a lost frame may wait, and no more often.
    looks = (exchange.now_ms - since_ms) / 1000 / RECONCILE_INTERVAL_S
    assert looks > 5
    assert exchange.reads - reads <= looks + 1


async def test_data_that_stay_old_are_told(exchange: Lagging, store: Store, account: AccountReconciler) -> None:
    exchange.lag_ms = 10**9
    account.request_balance_read()
    await until(lambda: exchange.reads > MAX_STALE_READS + 2)
    told = [notice.text for notice in store.notices if "account data are" in notice.text]
    assert len(told) == 1


async def test_further_news_are_read_soon_however_long_the_wait_had_become(
    exchange: Lagging, store: Store, account: AccountReconciler
) -> None:
    exchange.lag_ms = 40_000
    account.request_balance_read()
    await until(lambda: exchange.now_ms > SENT_MS + 20_000)
    reads, now = exchange.reads, exchange.now_ms
    account.request_full_read()
    await until(lambda: exchange.reads > reads)
    assert exchange.now_ms - now < 16_000


async def test_a_defect_in_reading_does_not_end_the_reading(
    exchange: Lagging, store: Store, account: AccountReconciler
) -> None:
    exchange.bad_replies = 1
    exchange.orders = at_rest_then_filled(SENT_MS + 10**9)
    account.request_full_read()
    await until(lambda: store.orders)
    assert any("could not be read" in notice.text for notice in store.notices)
