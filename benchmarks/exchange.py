"""How much the practice exchange takes: orders in its engine alone, orders through signed REST, deltas to a reader."""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from aiohttp import web

from benchmarks.frames import TICKERS
from benchmarks.measure import Figure
from benchmarks.practice import practice
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.order import BookSide
from kalshi_tui.domain.price import MONEY_UNIT
from kalshi_tui.kalshi.environments import practice_at_urls
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.records import OrderRequest
from kalshi_tui.practice.engine.terms import LINEAR_CENT, Catalog, EventDefinition, MarketDefinition, SeriesDefinition
from kalshi_tui.runtime.launch import PracticeProcess

NOON = 1_795_176_000_000
DAY = 86_400_000
ORDERS = 9_000
REST_ORDERS = 1_000
AT_ONCE = 8
"""Connections that send orders."""
TURNS = 3
PATH = "/trade-api/v2/portfolio/events/orders"
STREAMED = 32_000
"""What the exchange is asked to stream a second; two thirds of it are deltas."""
BARE = """
import asyncio
from benchmarks.exchange import bare
asyncio.run(bare())
"""


def engine() -> Exchange:
    """Make an exchange of many markets, with two traders who can pay for everything."""
    markets = tuple(
        MarketDefinition(
            ticker=ticker,
            event_ticker=f"E-{ticker}",
            series_ticker="KXS",
            title=f"Will {ticker} be?",
            yes_sub_title="Yes",
            no_sub_title="No",
            open_ms=NOON - DAY,
            close_ms=NOON + DAY,
            expected_expiration_ms=NOON + DAY,
            latest_expiration_ms=NOON + 2 * DAY,
            created_ms=NOON - DAY,
            structure=LINEAR_CENT,
            settlement_timer_s=300,
            fees=FeeSchedule.of("quadratic", 1),
        )
        for ticker in TICKERS
    )
    events = tuple(EventDefinition(each.event_ticker, "KXS", each.title) for each in markets)
    made = Exchange(Catalog((SeriesDefinition("KXS", "A series", "World"),), events, markets), lambda: NOON, 1)
    for name in ("ann", "bob"):
        made.open_account(name, {0: 1_000_000 * MONEY_UNIT})
    made.drain_events()
    return made


def matched() -> float:
    """Have two traders trade: of three orders one rests, one takes half of it, one the rest. Give orders a second."""
    made = engine()
    start = time.perf_counter()
    for number in range(ORDERS // 3):
        ticker = TICKERS[number % len(TICKERS)]
        price = 100 * (30 + number % 40)
        made.order_entry.create("ann", OrderRequest(ticker, BookSide.BID, 200, price))
        made.order_entry.create("bob", OrderRequest(ticker, BookSide.ASK, 100, price))
        made.order_entry.create("bob", OrderRequest(ticker, BookSide.ASK, 100, price))
        if not number % 100:
            # As the server does: what happened is taken away to be streamed and stored.
            made.drain_events()
    taken = time.perf_counter() - start
    assert not any(made.markets.listings[ticker].book.sides[0].orders() for ticker in TICKERS[:1])
    return ORDERS / taken


async def bare() -> None:
    """Answer orders with the least that an answer needs."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"order_id": "o1", "fill_count": "0.00", "remaining_count": "1.00"}, status=201)

    app = web.Application()
    app.add_routes([web.post(PATH, answer)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


async def sent(url: str, ticker: str, signer: Signer) -> float:
    """Send orders over several connections at once, each signed and awaited; give orders answered a second."""
    left = iter(range(REST_ORDERS))
    order = {"ticker": ticker, "side": "bid", "count": "1.00", "time_in_force": "good_till_canceled"}
    more = {"self_trade_prevention_type": "taker_at_cross", "price": "0.0100"}
    body = json.dumps(order | more).encode()

    async def one(client: httpx.AsyncClient) -> None:
        for _ in left:
            headers = signer.headers("POST", PATH, time.time_ns() // 1_000_000, host="127.0.0.1")
            reply = await client.post(url, content=body, headers=headers | {"Content-Type": "application/json"})
            assert reply.status_code == 201, reply.text

    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        start = time.perf_counter()
        await asyncio.gather(*(one(client) for _ in range(AT_ONCE)))
        return REST_ORDERS / (time.perf_counter() - start)


def by_rest() -> tuple[float, float]:
    """Send orders to a practice exchange and to a bare server, turn by turn; give the medians of orders a second."""
    paces: tuple[list[float], list[float]] = ([], [])
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(  # noqa: S603 - our own interpreter and our own arguments
            [sys.executable, "-c", BARE], stdout=subprocess.PIPE, text=True
        ) as beside,
    ):
        process = PracticeProcess(["--data", folder, "--quiet-market", "--tier", "prestige"])
        try:
            ready = process.wait_until_ready(60)
            environment = practice_at_urls(ready.rest_url, ready.ws_url)
            signer = Signer.from_pem(
                ready.api_key_id, Path(ready.private_key_path).read_bytes(), environment=environment
            )
            listed = httpx.get(f"{ready.rest_url}/markets", params={"limit": 1, "status": "open"}, trust_env=False)
            ticker = listed.json()["markets"][0]["ticker"]
            assert beside.stdout is not None
            port = int(beside.stdout.readline())
            for _ in range(TURNS):
                ours = ready.rest_url.removesuffix("/trade-api/v2") + PATH
                paces[0].append(asyncio.run(sent(ours, ticker, signer)))
                paces[1].append(asyncio.run(sent(f"http://127.0.0.1:{port}{PATH}", ticker, signer)))
        finally:
            process.stop()
            beside.kill()
    return statistics.median(paces[0]), statistics.median(paces[1])


def streamed() -> tuple[float, str]:
    """Read what the exchange streams when asked for more than it can; give deltas a second, and how that went."""
    heard, share = practice(200, STREAMED, 8.0)
    pace = heard.frames["orderbook_delta"] / heard.seconds
    assert not heard.breaks, "a sequence broke"
    return pace, f"{sum(heard.frames.values()) / heard.seconds:,.0f} frames/s in all, {share * 100:.0f}% of a core"


def run() -> list[Figure]:
    """Measure all three."""
    in_engine = statistics.median(matched() for _ in range(TURNS))
    orders, theirs = by_rest()
    deltas, note = streamed()
    a_second = "a second"
    return [
        Figure("orders in the engine alone", "the goal's 3,000", in_engine, 3_000, a_second, 1, least=True),
        Figure("orders through signed REST", "a bare aiohttp server that answers", orders, theirs, a_second),
        Figure("orders through signed REST beside the goal", "the goal's 400", orders, 400, a_second, 1, least=True),
        Figure("deltas streamed to a reader", "the goal's 20,000", deltas, 20_000, a_second, 1, least=True, note=note),
    ]
