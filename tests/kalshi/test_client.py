"""The client for programs, against the real practice exchange on real sockets."""

import asyncio
import inspect
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from kalshi_tui import kalshi
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.fees import CENTICENT
from kalshi_tui.domain.order_preview import OrderPreview
from kalshi_tui.kalshi import (
    DEMO,
    PRODUCTION,
    AuthenticationFailed,
    BadReply,
    BookUpdate,
    DryRun,
    DuplicateOrder,
    Fill,
    Happening,
    KalshiClient,
    KalshiError,
    Kind,
    Link,
    LinkState,
    Misconfigured,
    NoKey,
    NotFound,
    NotSent,
    NumberError,
    Order,
    OrderState,
    PassphraseError,
    Position,
    QuoteUpdate,
    RateLimited,
    Refused,
    Report,
    Retry,
    ServerFault,
    TimeInForce,
    Timeouts,
    Trade,
    TransportError,
    UnknownOutcome,
    Update,
    Updates,
    client as client_module,
    contracts,
    dollars,
    format_count,
    format_money,
    format_price,
    new_client_order_id,
    order_status,
    price,
    rest as rest_module,
)
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed import updates as updates_module
from kalshi_tui.kalshi.feed.stream_group import MAX_CROSSED_CHECKS, CrossedBookMonitor
from kalshi_tui.kalshi.transport.clock import system_ms
from kalshi_tui.kalshi.transport.signing import generate_key
from kalshi_tui.practice.engine.events import BookChanged
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.records import OrderStatus
from tests.support.book_history import History
from tests.support.cut_proxy import Proxy
from tests.support.practice_server import PEMS, Serving, lasting_markets, serving
from tests.support.waiting import GENEROUS_S

T = TypeVar("T")
NO_PATIENCE = Retry(attempts=1)
ONCE_MORE = Retry(attempts=2, first_wait=0.01, longest_wait=0.01, jitter=0.0)


class Desk:
    """A client, the exchange that it talks to, a market to trade in, and the requests that the client has made."""

    def __init__(self, exchange: Serving, retry: Retry = NO_PATIENCE) -> None:
        self.exchange = exchange
        self.client = KalshiClient(
            practice_on_port(exchange.port),
            key_id="key-of-alice",
            private_key=PEMS["alice"],
            retry=retry,
        )
        self.asked: list[tuple[str, str]] = []
        self.overhear()

    def overhear(self) -> None:
        """Note what the client asks."""
        self.client._rest._http._client.event_hooks["request"] = [self._note]

    async def _note(self, request: httpx.Request) -> None:
        self.asked.append((request.method, request.url.path))

    async def ticker(self) -> str:
        """Return an open market on a grid of cents, with the whole fee, that stays open while a test runs."""
        lasting = {each.ticker for each in lasting_markets(self.exchange) if "GAME" not in each.ticker}
        async for market in self.client.markets(status="open"):
            if market.price_level_structure == "linear_cent" and market.ticker in lasting:
                return market.ticker
        raise AssertionError("no market on a grid of cents")

    def resting(self) -> list[str]:
        """Return what rests at the exchange itself, whatever its lists say: the tickers."""
        return [
            each.ticker
            for each in self.exchange.exchange.queries.orders("alice", ListFilter(status=OrderStatus.RESTING))
        ]


@asynccontextmanager
async def closing_desk(exchange: Serving) -> AsyncIterator[Desk]:
    """Yield one more client, which has asked nothing yet."""
    desk = Desk(exchange)
    async with desk.client:
        yield desk


@asynccontextmanager
async def hastening(exchange: Serving) -> AsyncIterator[None]:
    """Let the exchange's time run on fast, so that its data pass a call sooner."""

    async def run() -> None:
        while True:
            exchange.clock.advance(100)
            await asyncio.sleep(0.01)

    running = asyncio.create_task(run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@asynccontextmanager
async def trading(retry: Retry = NO_PATIENCE) -> AsyncIterator[Desk]:
    async with serving() as exchange:
        desk = Desk(exchange, retry)
        async with desk.client:
            yield desk


@asynccontextmanager
async def proxied(desk: Desk) -> AsyncIterator[Proxy]:
    """Lead the client's requests through a proxy that a test can stall and cut."""
    proxy = Proxy(desk.exchange.port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    desk.client = KalshiClient(
        practice_on_port(port),
        key_id="key-of-alice",
        private_key=PEMS["alice"],
        retry=NO_PATIENCE,
        timeouts=Timeouts(whole=0.5),
    )
    desk.overhear()
    try:
        yield proxy
    finally:
        await desk.client.close()
        proxy.flowing.set()
        proxy.cut()
        server.close()
        await server.wait_closed()


async def until(updates: Updates, kind: type[T], seen: Callable[[T], bool] = lambda _: True) -> T:
    """Take updates until one of a kind satisfies ``seen``."""
    async with asyncio.timeout(20):
        async for update in updates:
            if isinstance(update, kind) and seen(update):
                return update
    raise AssertionError("the stream ended")


# What is importable.


def test_every_name_of_the_package_is_there_and_nothing_is_loaded_before_it_is_asked_for() -> None:
    for name in kalshi.__all__:
        assert getattr(kalshi, name) is not None
    assert set(kalshi.__all__) <= set(dir(kalshi))
    with pytest.raises(AttributeError, match="no attribute 'Kalshi'"):
        _ = kalshi.Kalshi
    code = "import sys, kalshi_tui.kalshi; print(sorted(sys.modules.keys() & {'httpx', 'msgspec', 'websockets'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_numbers_are_texts_or_exact_integers() -> None:
    assert (price("0.42"), price(4200), price("0.4215")) == (4200, 4200, 4215)
    assert (contracts("10"), contracts("2.5"), dollars("12.50")) == (1000, 250, 12_500_000)
    assert (format_price(4200), format_count(1000), format_money(15_930)) == ("0.4200", "10.00", "0.015930")
    for wrong in (0.42, True, None):
        with pytest.raises(NumberError, match="is a text such as"):
            price(wrong)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(NumberError):
        price("42")


# Reading.


async def test_lists_are_read_to_their_last_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_module, "PAGE_SIZE", 5)
    async with trading() as desk:
        ticker = await desk.ticker()
        for number in range(12):
            await desk.client.place_order(ticker, "yes", "buy", price(100 * (number + 1)), "1")
        desk.asked.clear()
        orders = await desk.client.orders(status="resting")
        assert len({order.order_id for order in orders}) == 12
        assert len(desk.asked) == 3
        await desk.exchange.order(ticker, "ask", "0.01", "12", who="bob")
        desk.asked.clear()
        fills = await desk.client.fills()
        assert len({fill.trade_id for fill in fills}) == 12
        assert [path for _, path in desk.asked].count("/trade-api/v2/portfolio/fills") == 3
        assert len(await desk.client.fills(most=7)) == 7
        (position,) = await desk.client.positions()
        assert position.count == contracts("12")
        assert len(await desk.client.trades(ticker)) == 12


async def test_markets_and_events_are_read_to_their_last_page() -> None:
    async with trading() as desk:
        everything = [market.ticker async for market in desk.client.markets()]
        assert len(everything) == len(set(everything)) == len(desk.exchange.exchange.markets.listings)
        # Combos have lists of their own.
        combos = [
            market.ticker
            async for collection in desk.client.combo_collections(status="open")
            async for event in desk.client.combo_events(collection.ticker)
            for market in event.markets
        ]
        assert len(combos) == 3
        everything = [market.ticker async for market in desk.client.markets(without_combos=True)]
        assert not set(combos) & set(everything)
        nested = [market.ticker async for event in desk.client.events() for market in event.markets]
        assert set(nested) == set(everything)
        market = await desk.client.market(everything[0])
        assert market.ticker == everything[0]
        event = await desk.client.event(market.event_ticker)
        assert market.ticker in {each.ticker for each in event.markets}
        few = [market.ticker async for market in desk.client.markets(tickers=everything[:3])]
        assert set(few) == set(everything[:3])


async def test_books_candles_and_the_account_are_read() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        await desk.client.place_order(ticker, "yes", "buy", "0.40", "10")
        await desk.client.place_order(ticker, "no", "buy", "0.55", "5")
        book = await desk.client.orderbook(ticker)
        assert book.best_bid() == (price("0.40"), contracts("10"))
        assert book.best_ask() == (price("0.45"), contracts("5"))
        assert await desk.client.orderbooks([ticker]) == {ticker: book}
        await desk.exchange.order(ticker, "ask", "0.40", "4", who="bob")
        (candle, *_) = reversed(await desk.client.candles(ticker, minutes=1))
        assert (candle.close, candle.volume) == (price("0.40"), contracts("4"))
        balance = await desk.client.balance()
        assert balance.cash < dollars("20000")
        assert (await desk.client.exchange_status()).trading_active
        assert (await desk.client.limits()).tier == "prestige"
        assert (await desk.client.fees(ticker)).trade_fee(price("0.50"), contracts("1"), taker=True) == dollars(
            "0.0175"
        )
        await desk.exchange.control("settle", ticker=ticker, result="yes")
        (settlement,) = await desk.client.settlements()
        assert settlement.revenue == dollars("4")


# Errors.


async def test_each_failure_has_its_type() -> None:
    async with trading() as desk:
        client, control, ticker = desk.client, desk.exchange.control, await desk.ticker()
        with pytest.raises(NotFound):
            await client.market("NO-SUCH-MARKET")
        with pytest.raises(Refused, match="not enough cash") as refused:
            await client.place_order(ticker, "yes", "buy", "0.99", "1000000")
        assert refused.value.code == "insufficient_balance"
        ack = await client.place_order(ticker, "yes", "buy", "0.40", "1")
        await control("rate_limit", count=1)
        with pytest.raises(RateLimited):
            await client.balance()
        await control("fail_responses", status=502, count=1)
        with pytest.raises(ServerFault):
            await client.balance()
        await client.cancel(ack.order_id)
        with pytest.raises(NotFound):
            await client.cancel(await client.order(ack.order_id))
        environment = client.environment
        async with KalshiClient(environment, key_id="nobody", private_key=PEMS["alice"]) as nobody:
            with pytest.raises(AuthenticationFailed, match="does not know this key id"):
                await nobody.balance()
            refusing = await until(nobody.stream(), Link, lambda link: link.state is LinkState.REFUSED)
            assert "does not know this key id" in refusing.detail
        async with KalshiClient(environment) as anybody:
            assert (await anybody.market(ticker)).ticker == ticker
            with pytest.raises(NoKey):
                await anybody.balance()
            with pytest.raises(NoKey):
                anybody.stream([ticker])
        async with KalshiClient(environment, key_id="key-of-alice", private_key=PEMS["alice"], read_only=True) as eyes:
            with pytest.raises(NotSent, match="only watches"):
                await eyes.place_order(ticker, "yes", "buy", "0.40", "1")
    async with KalshiClient(environment, key_id="key-of-alice", private_key=PEMS["alice"], retry=NO_PATIENCE) as late:
        with pytest.raises(TransportError, match="could not be reached"):
            await late.balance()
        with pytest.raises(NotSent, match="no connection"):
            await late.place_order(ticker, "yes", "buy", "0.40", "1")


async def test_a_reply_that_makes_no_sense_is_a_bad_reply() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, KalshiClient(practice_on_port(server.sockets[0].getsockname()[1])) as client:
        with pytest.raises(BadReply):
            await client.market("A")


async def test_a_question_is_asked_again_by_itself() -> None:
    async with trading(ONCE_MORE) as desk:
        await desk.exchange.control("fail_responses", status=503, count=1)
        desk.asked.clear()
        assert (await desk.client.balance()).cash
        assert len(desk.asked) == 2


# Orders whose outcome is not known.


@pytest.mark.parametrize("how", ["answered 500", "no answer in time", "connection dropped"])
async def test_an_order_whose_answer_is_lost_is_sent_once_and_found(how: str) -> None:
    async with trading() as desk, proxied(desk) as proxy:
        ticker = await desk.ticker()
        desk.asked.clear()
        if how == "answered 500":
            await desk.exchange.control("fail_responses", status=500, count=1, after_processing=True, method="POST")
        else:
            proxy.flowing.clear()
        placing = asyncio.create_task(desk.client.place_order(ticker, "yes", "buy", "0.40", "10"))
        if how == "connection dropped":
            async with asyncio.timeout(20):
                while not (await desk.exchange.call("GET", "/portfolio/orders")).json()["orders"]:
                    await asyncio.sleep(0.01)
            proxy.cut()
        with pytest.raises(UnknownOutcome, match="what became of it is not known") as unknown:
            await placing
        proxy.flowing.set()
        assert [method for method, _ in desk.asked] == ["POST"]
        assert unknown.value.client_order_id
        found = await desk.client.find_order(unknown.value.client_order_id)
        assert found is not None
        assert (found.ticker, found.state, found.remaining) == (ticker, OrderState.RESTING, contracts("10"))
        assert found.client_order_id == unknown.value.client_order_id
        assert [method for method, _ in desk.asked].count("POST") == 1


@pytest.mark.parametrize("path", ["/portfolio/orders", "/historical/orders", "/exchange/user_data_timestamp"])
async def test_a_list_that_is_not_there_proves_nothing_about_an_order(path: str) -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        ack = await desk.client.place_order(ticker, "yes", "buy", "0.01", "10", client_order_id="mine")
        desk.exchange.clock.advance(10_000)
        await desk.exchange.control("fail_responses", status=404, count=1_000, path=path, method="GET")
        for name in ("mine", "never sent") if path == "/portfolio/orders" else ("never sent",):
            with pytest.raises(UnknownOutcome, match="still not known"):
                await desk.client.find_order(name, sent_ms=1, within_s=1)
        await desk.exchange.control("fail_responses", status=404, count=0)
        found = await desk.client.find_order("mine")
        assert found is not None
        assert found.order_id == ack.order_id


async def test_an_order_that_never_arrived_is_proved_not_to_be_there() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        await desk.exchange.control("fail_responses", status=500, count=1, method="POST")
        with pytest.raises(UnknownOutcome) as unknown:
            await desk.client.place_order(ticker, "yes", "buy", "0.40", "10", client_order_id="mine")
        assert unknown.value.client_order_id == "mine"
        # The exchange's data have not passed the time of sending yet: a miss is no proof.
        with pytest.raises(UnknownOutcome, match=r"still not known after 0\.5 s") as still:
            await desk.client.find_order("mine", within_s=0.5)
        assert still.value.client_order_id == "mine"
        desk.exchange.clock.advance(10_000)
        desk.asked.clear()
        assert await desk.client.find_order("mine") is None
        for path in ("portfolio/orders", "historical/orders"):
            assert [asked for _, asked in desk.asked].count(f"/trade-api/v2/{path}") == 3
        assert all(method == "GET" for method, _ in desk.asked)


async def test_another_client_finds_an_order_by_its_id_alone() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        mine = new_client_order_id()
        await desk.client.place_order(ticker, "yes", "buy", "0.40", "10", client_order_id=mine)
        async with Desk(desk.exchange).client as other:
            found = await other.find_order(mine)
            assert found is not None
            assert found.ticker == ticker


async def test_an_order_that_still_waits_to_be_sent_is_not_proved_to_be_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order_status, "SEARCH_RECHECK_DELAY_S", 0.01)
    async with trading() as desk:
        ticker = await desk.ticker()
        waits, goes = asyncio.Event(), asyncio.Event()

        async def take(_cost: int, *, urgent: bool, shard: int | None) -> None:
            del urgent, shard
            waits.set()
            await goes.wait()

        monkeypatch.setattr(desk.client._rest._http.write_budgets, "acquire", take)
        placing = asyncio.create_task(
            desk.client.place_order(ticker, "yes", "buy", "0.40", "10", client_order_id="mine")
        )
        await waits.wait()
        desk.exchange.clock.advance(10_000)
        with pytest.raises(UnknownOutcome, match="still not known"):
            await desk.client.find_order("mine", within_s=0.5)
        goes.set()
        ack = await placing
        found = await desk.client.find_order("mine")
        assert found is not None
        assert found.order_id == ack.order_id


async def test_whoever_stops_waiting_for_an_order_has_sent_it_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_status, "SEARCH_RECHECK_DELAY_S", 0.01)
    async with trading() as desk:
        ticker = await desk.ticker()
        ahead_ms = 0
        monkeypatch.setattr(desk.client._rest.clock, "_clock_ms", lambda: system_ms() + ahead_ms)
        waits = asyncio.Event()

        async def take(_cost: int, *, urgent: bool, shard: int | None) -> None:
            del urgent, shard
            waits.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(desk.client._rest._http.write_budgets, "acquire", take)
        placing = asyncio.create_task(
            desk.client.place_order(ticker, "yes", "buy", "0.40", "10", client_order_id="mine")
        )
        await waits.wait()
        # A minute goes by while it waits.
        ahead_ms = 60_000
        placing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await placing
        ahead_ms = 0
        desk.exchange.clock.advance(10_000)
        with pytest.raises(UnknownOutcome, match="still not known"):
            await desk.client.find_order("mine", within_s=0.5)
        desk.exchange.clock.advance(60_000)
        assert await desk.client.find_order("mine") is None


async def test_an_order_that_was_taken_is_never_said_not_to_have_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_status, "SEARCH_RECHECK_DELAY_S", 0.01)
    async with trading() as desk:
        await desk.exchange.control("read_lag", ms=3_600_000)
        ack = await desk.client.place_order(await desk.ticker(), "yes", "buy", "0.40", "10")
        monkeypatch.setattr(desk.exchange.server.read_source.reads, "lag_ms", -60_000)
        monkeypatch.setattr(desk.exchange.server.read_source.reads, "orders", lambda *_, **__: iter(()))
        with pytest.raises(UnknownOutcome, match="still not known"):
            await desk.client.find_order(ack.client_order_id, within_s=0.5)


async def test_the_first_order_goes_by_the_exchange_s_clock() -> None:
    async with trading() as desk:
        ticker = lasting_markets(desk.exchange)[0].ticker
        await desk.exchange.control("set_clock_skew", ms=3_600_000)
        before = system_ms() + 3_590_000
        with suppress(Refused):
            await desk.client.place_order(ticker, "yes", "buy", "0.40", "10", client_order_id="mine")
        assert [method for method, _ in desk.asked] == ["GET", "POST"]
        sent = desk.client._order_tracker.find_sent("mine")
        assert sent is not None
        assert sent.first_sent_ms > before
        # The read of the market was rejected with that clock, so it is read again; a market that is known is not.
        for methods in (["GET", "POST"], ["POST"]):
            desk.asked.clear()
            with suppress(Refused):
                await desk.client.place_order(ticker, "yes", "buy", "0.40", "10")
            assert [method for method, _ in desk.asked] == methods


@pytest.mark.parametrize("command", ["cancel", "decrease", "amend"])
async def test_the_first_change_of_an_order_goes_by_the_exchange_s_clock(command: str) -> None:
    async with trading() as desk:
        await desk.exchange.order(await desk.ticker(), "bid", "0.40", "10")
        desk.exchange.clock.advance(60_000)
        (order,) = await desk.client.orders(status="resting")
        async with closing_desk(desk.exchange) as first:
            await desk.exchange.control("set_clock_skew", ms=3_600_000)
            if command == "cancel":
                await first.client.cancel(order)
                assert desk.resting() == []
            else:
                await first.client.amend(order, remaining="4" if command == "decrease" else "12")
            assert [method for method, _ in first.asked] == ["GET", "DELETE" if command == "cancel" else "POST"]


async def test_an_order_under_an_id_that_is_taken_is_an_unknown_outcome_and_the_first_is_found() -> None:
    async with trading() as desk:
        cents = [m.ticker async for m in desk.client.markets(status="open") if m.price_level_structure == "linear_cent"]
        made = (await desk.exchange.order(cents[0], "bid", "0.40", "1", client_order_id="mine")).json()
        with pytest.raises(UnknownOutcome, match="at the exchange already") as unknown:
            await desk.client.place_order(cents[-1], "yes", "buy", "0.30", "1", client_order_id="mine")
        assert unknown.value.client_order_id == "mine"
        assert isinstance(unknown.value.__cause__, DuplicateOrder)
        found = await desk.client.find_order("mine")
        assert found is not None
        assert (found.order_id, found.ticker) == (made["order_id"], cents[0])
        assert desk.resting() == [cents[0]]


# Orders.


VERBS = {"Read", "Create", "Move", "Yield", "Return", "Send", "Ask", "Cancel", "Change", "Follow", "End", "Set"}


def test_every_method_shows_its_signature_and_says_what_it_does() -> None:
    """Also those that are the methods of the client's REST client."""
    methods = {
        name: method for name, method in inspect.getmembers(KalshiClient, inspect.isroutine) if not name.startswith("_")
    }
    assert {"markets", "balance", "orders", "place_order", "preview_order", "stream"} <= methods.keys()
    for name, method in methods.items():
        assert method.__qualname__ == f"KalshiClient.{name}"
        assert (method.__doc__ or "").partition(" ")[0] in VERBS, name
        signature = inspect.signature(method)
        assert not any(each.kind is each.VAR_POSITIONAL for each in signature.parameters.values()), name
        assert signature.return_annotation is not signature.empty, name
    assert list(inspect.signature(KalshiClient.trades).parameters) == ["self", "ticker", "min_s", "max_s", "most"]


async def test_a_dry_run_has_the_ticket_s_figures_and_sends_nothing() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        await desk.exchange.order(ticker, "ask", "0.45", "6", who="bob")
        await desk.client.place_order(ticker, "yes", "buy", "0.45", "2")
        desk.asked.clear()
        dry = await desk.client.preview_order(ticker, "yes", "buy", "0.50", "10")
        assert await desk.client.place_order(ticker, "yes", "buy", "0.50", "10", dry_run=True) == dry
        assert desk.asked
        assert all(method == "GET" for method, _ in desk.asked)
        assert await desk.client.orders(status="resting") == []
        assert isinstance(dry, DryRun)
        assert (dry.fills_now, dry.rests, dry.queue_ahead) == (contracts("4"), contracts("6"), 0)
        assert dry.cost == dollars("4.80")
        # The balance shows parts of a cent by now, so that fees are rounded to $0.0001.
        assert dry.fee_at_most == dollars("0.1751")
        assert dry.worst_loss == dollars("5.1751")
        assert dry.profit_if_right is not None
        assert dry.refusal == ""
        (held,) = await desk.client.positions()
        book = await desk.client.orderbook(ticker)
        fees = await desk.client.fees(ticker)
        assert dry.figures == OrderPreview.of(dry.terms, book, fees, held, precision=CENTICENT)
        assert dry.cash == (await desk.client.balance()).on_shard(dry.market.exchange_index)
        off = await desk.client.preview_order(ticker, "yes", "buy", "0.4215", "10")
        assert "not on this market's price grid" in off.refusal
        selling = await desk.client.preview_order(
            ticker, "yes", "sell", "0.30", "10", tif=TimeInForce.IOC, reduce_only=True
        )
        assert selling.terms.count == contracts("2")
        async with KalshiClient(desk.client.environment) as anybody:
            without = await anybody.place_order(ticker, "yes", "buy", "0.50", "10", dry_run=True)
            assert without.cash is None
            assert without.cost == dry.cost


@pytest.mark.parametrize(("outcome", "side"), [(Side.YES, "bid"), (Side.NO, "ask")])
async def test_the_preview_counts_the_queue_as_the_exchange_does(outcome: Side, side: str) -> None:
    """Better levels count (docs/kalshi-api.md, section 6): a place without them is one that nobody gets."""
    async with trading() as desk:
        ticker = await desk.ticker()
        near, far = ("0.44", "0.42") if side == "bid" else ("0.56", "0.58")
        await desk.exchange.order(ticker, side, near, "14250", who="bob")
        await desk.exchange.order(ticker, side, far, "3725", who="bob")
        for own in ("0.42", "0.40"):
            dry = await desk.client.preview_order(ticker, outcome, "buy", own, "25")
            placed = await desk.client.place_order(ticker, outcome, "buy", own, "25")
            reply = await desk.exchange.call("GET", f"/portfolio/orders/{placed.order_id}/queue_position")
            assert reply.json() == {"queue_position_fp": "17975.00"}
            assert dry.queue_ahead == contracts("17975")
            await desk.client.cancel(placed.order_id)


async def test_an_order_lives_by_place_amend_cancel() -> None:
    async with trading() as desk:
        client, ticker = desk.client, await desk.ticker()
        ack = await client.place_order(ticker, "no", "buy", "0.40", "10", post_only=True)
        assert (ack.filled, ack.remaining) == (0, contracts("10"))
        order = await client.order(ack.order_id)
        assert (order.yes_price, order.client_order_id) == (price("0.60"), ack.client_order_id)
        desk.asked.clear()
        smaller = await client.amend(order, remaining="7")
        assert desk.asked[-1][1].endswith("/decrease")
        assert smaller.remaining in {contracts("7"), None}
        await client.amend(ack.order_id, yes_price="0.65", remaining="8")
        order = await client.order(ack.order_id)
        assert (order.yes_price, order.remaining) == (price("0.65"), contracts("8"))
        assert (await client.cancel(order)).reduced_by == contracts("8")
        assert (await client.order(ack.order_id)).state is OrderState.CANCELED


async def test_cancel_all_cancels_a_market_or_everything() -> None:
    async with trading() as desk:
        client = desk.client
        cents = [m.ticker async for m in client.markets(status="open") if m.price_level_structure == "linear_cent"]
        first, second = cents[0], cents[-1]
        for ticker in (first, first, second):
            await client.place_order(ticker, "yes", "buy", "0.40", "1")
        async with hastening(desk.exchange):
            assert await client.cancel_all(ticker=first) == []
            assert desk.resting() == [second]
            assert await client.cancel_all() == []
            assert desk.resting() == []


async def test_the_one_call_keeps_new_orders_back_for_its_minute() -> None:
    async with trading() as desk:
        client, ticker = desk.client, await desk.ticker()
        await client.place_order(ticker, "yes", "buy", "0.40", "1")
        async with hastening(desk.exchange):
            # By name, without the call: no minute follows.
            await client.cancel_all()
            await client.place_order(ticker, "yes", "buy", "0.40", "1")
            desk.asked.clear()
            await client.cancel_all(max_by_name=0)
        assert ("DELETE", "/trade-api/v2/portfolio/events/orders") in desk.asked
        with pytest.raises(NotSent, match=r"for \d+ s from now. after_cancel_all=True sends it all the same"):
            await client.place_order(ticker, "yes", "buy", "0.40", "1")
        assert (await client.preview_order(ticker, "yes", "buy", "0.40", "1")).terms.count == contracts("1")
        ack = await client.place_order(ticker, "yes", "buy", "0.40", "1", after_cancel_all=True)
        assert ack.remaining == contracts("1")


@pytest.mark.parametrize("everything", [False, True], ids=["a market", "everything, by lists"])
async def test_cancel_all_finds_an_order_that_the_lists_do_not_show_yet(
    monkeypatch: pytest.MonkeyPatch, *, everything: bool
) -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        if everything:

            async def lacking(subaccount: int | None) -> bool:
                del subaccount
                return False

            monkeypatch.setattr(desk.client._rest, "request_cancel_all", lacking)
        await desk.exchange.control("read_lag", ms=4_000)
        # Another program's: this client knows nothing of it.
        assert (await desk.exchange.order(ticker, "bid", "0.40", "1")).status_code == 201
        assert await desk.client.orders(status="resting", ticker=ticker) == []
        async with hastening(desk.exchange):
            assert await desk.client.cancel_all(ticker=None if everything else ticker) == []
        assert desk.resting() == []


async def test_cancel_all_that_cannot_prove_it_says_so_and_has_canceled_what_it_placed_itself() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        await desk.exchange.control("read_lag", ms=3_600_000)
        await desk.client.place_order(ticker, "yes", "buy", "0.40", "1")
        assert desk.resting() == [ticker]
        desk.asked.clear()
        with pytest.raises(UnknownOutcome, match=rf"not proved after 2 s that nothing rests in {ticker}\..* again"):
            await desk.client.cancel_all(ticker=ticker, within_s=2)
        assert desk.resting() == []
        # There is a pause between two rounds, and what was canceled is not canceled again.
        assert 2 <= [path.rpartition("/")[2] for _, path in desk.asked].count("orders") <= 4
        assert [method for method, _ in desk.asked].count("DELETE") == 1


async def test_cancel_all_names_what_is_left_and_why() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        ack = await desk.client.place_order(ticker, "yes", "buy", "0.40", "1")
        await desk.exchange.control("fail_responses", status=503, count=100, method="DELETE")
        with pytest.raises(UnknownOutcome) as unknown:
            await desk.client.cancel_all(ticker=ticker, within_s=1.5)
        assert ack.order_id in str(unknown.value)
        assert "status 503" in str(unknown.value)
        assert desk.resting() == [ticker]


async def test_cancel_all_that_may_not_send_says_that_nothing_was_done() -> None:
    async with trading() as desk:
        await desk.client.place_order(await desk.ticker(), "yes", "buy", "0.40", "1")
        async with KalshiClient(
            desk.client.environment, key_id="key-of-alice", private_key=PEMS["alice"], read_only=True
        ) as eyes:
            for ticker in (None, await desk.ticker()):
                with pytest.raises(NotSent, match="only watches"):
                    await eyes.cancel_all(ticker=ticker)
        async with KalshiClient(desk.client.environment) as anybody:
            for ticker in (None, "A"):
                with pytest.raises(NoKey):
                    await anybody.cancel_all(ticker=ticker)


async def test_an_order_is_canceled_by_its_id_before_the_lists_show_it() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        await desk.exchange.control("read_lag", ms=3_600_000)
        ack = await desk.client.place_order(ticker, "yes", "buy", "0.40", "1")
        desk.asked.clear()
        assert (await desk.client.cancel(ack.order_id)).reduced_by == contracts("1")
        assert [method for method, _ in desk.asked] == ["DELETE"]
        assert desk.resting() == []
        with pytest.raises(NotFound):
            await desk.client.cancel(ack.order_id)


async def test_another_s_order_is_canceled_or_amended_by_its_id_once_the_lists_show_it() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        await desk.exchange.control("read_lag", ms=2_000)
        made = (await desk.exchange.order(ticker, "bid", "0.40", "3")).json()
        async with hastening(desk.exchange):
            await desk.client.amend(made["order_id"], remaining="2")
        made = (await desk.exchange.order(ticker, "bid", "0.40", "1")).json()
        async with hastening(desk.exchange):
            assert (await desk.client.cancel(made["order_id"])).reduced_by == contracts("1")
        assert desk.resting() == [ticker]


async def test_that_an_order_is_not_there_counts_once_the_data_have_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LISTING_TIMEOUT_S", 0.5)
    async with trading() as desk:
        with pytest.raises(NotSent, match="The cancel was not sent: the exchange does not list the order nobody-s"):
            await desk.client.cancel("nobody-s")
        desk.exchange.clock.advance(10_000)
        monkeypatch.setattr(client_module, "LISTING_TIMEOUT_S", 30.0)
        with pytest.raises(NotFound):
            await desk.client.cancel("nobody-s")
        assert all(method == "GET" for method, _ in desk.asked)


# The stream.


async def test_a_book_that_missed_a_frame_says_so_and_heals() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        async with desk.client.stream([ticker]) as updates:
            assert not updates.book(ticker).good
            await until(updates, BookUpdate, lambda update: update.good)
            await desk.exchange.order(ticker, "bid", "0.40", "10", who="bob")
            seen = await until(updates, BookUpdate, lambda update: update.book.best_bid() is not None)
            assert seen.good
            assert seen.book.best_bid() == (price("0.40"), contracts("10"))
            await desk.exchange.control("skip_frames", count=1)
            await desk.exchange.order(ticker, "bid", "0.41", "1", who="bob")
            await desk.exchange.order(ticker, "bid", "0.42", "1", who="bob")
            bad = await until(updates, BookUpdate, lambda update: not update.good)
            assert bad.why.endswith(".")
            healed = await until(updates, BookUpdate, lambda update: update.good)
            assert healed.book == await desk.client.orderbook(ticker)
            assert healed.book.best_bid() == (price("0.42"), contracts("1"))
            assert updates.health().faults == 1
            await until(updates, Report, lambda report: report.happening is Happening.HEALED)


async def test_a_book_that_stays_crossed_is_not_good_and_heals() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        await desk.exchange.order(ticker, "bid", "0.40", "10", who="bob")
        await desk.exchange.order(ticker, "ask", "0.45", "10", who="bob")
        async with desk.client.stream([ticker]) as updates:
            await until(updates, BookUpdate, lambda update: update.good)
            # A change in turn, as it would be if the exchange forgot to tell another.
            change = BookChanged(ticker, Side.YES, price("0.50"), contracts("1"), desk.exchange.clock())
            desk.exchange.server.hub.publish([change])
            assert (await until(updates, BookUpdate, lambda update: update.book.crossed)).good
            async with asyncio.timeout(GENEROUS_S):
                bad = await until(updates, BookUpdate, lambda update: not update.good)
            assert bad.why == f"The book of {ticker} stays crossed."
            healed = await until(updates, BookUpdate, lambda update: update.good)
            assert healed.book == await desk.client.orderbook(ticker)
            assert not healed.book.crossed


def test_only_a_book_that_is_crossed_at_every_look_is_distrusted() -> None:
    crossed: list[str] = []
    whys: list[str] = []
    watch = CrossedBookMonitor(lambda: crossed, whys.append)
    for _ in range(10):
        crossed[:] = ["A", "B"]
        for _ in range(MAX_CROSSED_CHECKS - 1):
            watch.check()
        crossed[:] = ["A"]
        watch.check()
        assert whys == ["The book of A stays crossed."]
        whys.clear()
        crossed[:] = []
        watch.check()
    assert not whys


async def test_whatever_goes_wrong_a_book_that_is_good_is_one_that_the_exchange_has_had() -> None:
    rng = random.Random(9)
    async with serving(quiet=False) as exchange:
        client = KalshiClient(practice_on_port(exchange.port), key_id="key-of-alice", private_key=PEMS["alice"])
        tickers = [
            each.ticker for each in exchange.exchange.markets.visible() if each.status.tradable and each.yes_bid
        ][3:7]
        history, seen = History(exchange, tickers), {True: 0, False: 0}

        async def follow(updates: Updates) -> None:
            async for update in updates:
                if isinstance(update, BookUpdate):
                    seen[update.good] += 1
                    if update.good:
                        history.check(update.ticker, update.book)
                if rng.random() < 0.05:
                    await asyncio.sleep(0.01)

        def step() -> None:
            exchange.clock.advance(20)
            exchange.server.world.step()
            exchange.server.commit()

        def healed(updates: Updates) -> bool:
            books = [updates.book(ticker) for ticker in tickers]
            return all(each.good and history.is_now(each.ticker, each.book) for each in books)

        async with client, client.stream(tickers) as updates, asyncio.TaskGroup() as tasks:
            follower = tasks.create_task(follow(updates))
            for _ in range(15):
                match rng.choice(["skip", "duplicate", "corrupt", "overflow", "drop"]):
                    case "overflow":
                        exchange.server.hub.end_market_data()
                    case "drop":
                        exchange.server.hub.drop_connections()
                    case kind:
                        exchange.server.hub.inject_frame_fault(kind, 1)
                for _ in range(10):
                    step()
                    await asyncio.sleep(0.002)
                before = seen[True]
                async with asyncio.timeout(60):
                    while seen[True] < before + 5 or not healed(updates):
                        updates.retry_now()
                        step()
                        await asyncio.sleep(0.01)
            follower.cancel()
        assert seen[False]


async def test_a_cut_connection_is_told_and_the_books_come_back() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        async with desk.client.stream([ticker]) as updates:
            await until(updates, BookUpdate, lambda update: update.good)
            await desk.exchange.control("drop_connections")
            await until(updates, BookUpdate, lambda update: not update.good)
            await until(updates, Link, lambda link: link.state is LinkState.WAITING)
            await until(updates, BookUpdate, lambda update: update.good)


async def test_trades_quotes_and_the_account_are_told() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        async with desk.client.stream([ticker], quotes="all") as updates:
            await until(updates, Link, lambda link: link.state is LinkState.LIVE)
            ack = await desk.client.place_order(ticker, "yes", "buy", "0.40", "10")
            await desk.exchange.order(ticker, "ask", "0.40", "4", who="bob")
            told: dict[type, Update] = {}
            async with asyncio.timeout(20):
                async for update in updates:
                    told[type(update)] = update
                    newest = told.get(Order)
                    filled = isinstance(newest, Order) and newest.filled
                    if filled and told.keys() >= {Trade, Fill, Position, QuoteUpdate}:
                        break
            fill, order, position = told[Fill], told[Order], told[Position]
            assert isinstance(fill, Fill)
            assert isinstance(order, Order)
            assert isinstance(position, Position)
            assert (fill.order_id, fill.count) == (ack.order_id, contracts("4"))
            assert (order.filled, order.remaining) == (contracts("4"), contracts("6"))
            assert position.count == contracts("4")


async def test_a_stream_follows_other_markets_when_it_is_told() -> None:
    async with trading() as desk:
        first, second, *_ = [market.ticker async for market in desk.client.markets(status="open")]
        async with desk.client.stream([first], account=False) as updates:
            await until(updates, BookUpdate, lambda update: update.good)
            updates.watch_books([second])
            found = await until(updates, BookUpdate, lambda update: update.good)
            assert found.ticker == second
            assert not updates.book(first).good
        with pytest.raises(TypeError, match="a list of tickers"):
            desk.client.stream(first)


async def test_a_market_that_is_not_there_is_reported() -> None:
    async with trading() as desk, desk.client.stream(["NO-SUCH-MARKET"]) as updates:
        refused = await until(updates, Report, lambda report: report.happening is Happening.REFUSED)
        assert "NO-SUCH-MARKET" in refused.text + " ".join(refused.tickers)


async def test_what_nobody_takes_is_bounded_and_what_was_let_go_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates_module, "MAX_QUEUED_UPDATES", 5)
    async with trading() as desk:
        ticker = await desk.ticker()
        async with desk.client.stream([ticker]) as updates:
            await until(updates, BookUpdate, lambda update: update.good)
            before = updates.health().frames
            for _ in range(10):
                await desk.exchange.order(ticker, "bid", "0.40", "1", who="bob")
                await desk.client.place_order(ticker, "yes", "sell", "0.40", "1")
            async with asyncio.timeout(20):
                while updates.health().frames < before + 40:
                    await asyncio.sleep(0.01)
            missed = await until(updates, Report, lambda report: report.happening is Happening.MISSED)
            assert "were waiting to be taken" in missed.text
            assert len(updates._queue._queued) <= 5 + 10


async def test_closing_the_client_ends_its_streams() -> None:
    async with trading() as desk:
        ticker = await desk.ticker()
        updates = desk.client.stream([ticker])
        await until(updates, BookUpdate, lambda update: update.good)
        await desk.client.close()
        assert [update async for update in updates] == []


# Which exchange, which key.


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "alice.pem"
    path.write_bytes(PEMS["alice"])
    path.chmod(0o600)
    return path


async def test_the_variables_choose_exchange_and_key(key_file: Path) -> None:
    key = {"KALSHI_API_KEY_ID": "key-of-alice", "KALSHI_PRIVATE_KEY_PATH": str(key_file)}
    async with trading() as desk:
        here = {"KALSHI_REST_URL": desk.client.environment.rest_url}
        async with KalshiClient.from_env(key | here) as client:
            assert client.environment.kind is Kind.PRACTICE
            assert (await client.balance()).cash
            async with client.stream(account=True) as updates:
                await until(updates, Link, lambda link: link.state is LinkState.LIVE)
        async with KalshiClient.from_env(
            {"KALSHI_KEY_ID": "key-of-alice", "KALSHI_PRIVATE_KEY": PEMS["alice"].decode().replace("\n", "\\n")} | here
        ) as client:
            assert (await client.balance()).cash
    for word, environment in (("true", DEMO), ("1", DEMO), ("0", PRODUCTION), ("", PRODUCTION)):
        async with KalshiClient.from_env(key | {"KALSHI_USE_DEMO": word}) as client:
            assert client.environment == environment
    async with KalshiClient.from_env({}) as client:
        assert client.environment == PRODUCTION
        with pytest.raises(NoKey):
            await client.balance()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"KALSHI_API_KEY_ID": "id"}, "KALSHI_API_KEY_ID is set, but KALSHI_PRIVATE_KEY_PATH is not"),
        ({"KALSHI_PRIVATE_KEY_PATH": "/x"}, "KALSHI_PRIVATE_KEY_PATH is set, but KALSHI_API_KEY_ID is not"),
        ({"KALSHI_PRIVATE_KEY_PATH": "/x", "KALSHI_PRIVATE_KEY": "x"}, "are both set"),
        ({"KALSHI_API_KEY_ID": "id", "KALSHI_PRIVATE_KEY_PATH": "/no/such"}, "There is no key file /no/such"),
        ({"KALSHI_API_KEY_ID": "id", "KALSHI_PRIVATE_KEY": "hello"}, "This is not a private key"),
        ({"KALSHI_API_KEY_ID": "i d", "KALSHI_PRIVATE_KEY": "hello"}, "characters that no key id has"),
        ({"KALSHI_USE_DEMO": "ture"}, "KALSHI_USE_DEMO must be true or false"),
        ({"KALSHI_USE_DEMO": "1", "KALSHI_REST_URL": "http://127.0.0.1:1/trade-api/v2"}, "are both set"),
        ({"KALSHI_WS_URL": "ws://127.0.0.1:1/trade-api/ws/v2"}, "KALSHI_REST_URL is not"),
        ({"KALSHI_REST_URL": "http://127.0.0.1:1/elsewhere"}, "must end with /trade-api/v2"),
        ({"KALSHI_REST_URL": "https://example.com/trade-api/v2"}, "is on this machine only"),
    ],
)
def test_wrong_variables_are_one_sentence(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        KalshiClient.from_env(variables)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    assert isinstance(refused.value, KalshiError)


def test_a_key_that_others_can_read_is_refused(key_file: Path) -> None:
    key_file.chmod(0o644)
    with pytest.raises(Misconfigured, match="can be read or changed by others"):
        KalshiClient(DEMO, key_id="id", private_key_path=key_file)


def test_an_encrypted_key_needs_its_passphrase_and_nothing_of_either_is_said() -> None:
    pem = generate_key(b"open sesame")
    with pytest.raises(PassphraseError, match="needs its passphrase"):
        KalshiClient(DEMO, key_id="id", private_key=pem)
    with pytest.raises(PassphraseError) as wrong:
        KalshiClient(DEMO, key_id="id", private_key=pem, passphrase="open barley")
    assert "barley" not in str(wrong.value)
    client = KalshiClient(DEMO, key_id="id", private_key=pem, passphrase="open sesame")
    assert "sesame" not in repr(client) + str(vars(client))


def test_a_key_is_named_once_and_a_proxy_is_one() -> None:
    for given in (
        {"key_id": "id"},
        {"private_key": b"x"},
        {"key_id": "id", "private_key": b"x", "private_key_path": "x"},
    ):
        with pytest.raises(Misconfigured, match="A key needs its id"):
            KalshiClient(DEMO, **given)
    with pytest.raises(Misconfigured):
        KalshiClient(DEMO, proxy="socks5://127.0.0.1:1")


async def test_the_ready_line_of_a_practice_exchange_is_enough(key_file: Path) -> None:
    async with trading() as desk:
        environment = desk.client.environment
        line = {
            "rest_url": environment.rest_url,
            "ws_url": environment.ws_url,
            "api_key_id": "key-of-alice",
            "private_key_path": str(key_file),
        }
        for told in (line, json.dumps(line), json.dumps(line).encode() + b"\n"):
            async with KalshiClient.practice(told) as client:
                assert (await client.balance()).cash
        for wrong in ("", "hello", "{}", json.dumps(line | {"rest_url": "http://example.com/trade-api/v2"})):
            with pytest.raises(Misconfigured):
                KalshiClient.practice(wrong)


def test_a_signature_is_for_the_client_s_own_exchange_alone() -> None:
    client = KalshiClient(DEMO, key_id="id", private_key=PEMS["alice"])
    assert client._signer is not None
    with pytest.raises(NotSent):
        client._signer.headers("GET", "/trade-api/v2/x", 0, host=PRODUCTION.signing_origin[1])
