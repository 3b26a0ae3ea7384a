"""The real session and the real practice exchange in one thread of simulated time, and a line between them that spoils
what a test wants spoiled: requests lost, late, cut off; replies lost, late, wrong; frames lost, doubled, out of turn.

Requests go through httpx and the server's own middleware and handlers; only the sockets are left out, so that a run
takes milliseconds and nothing in it depends on the machine.
"""

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from enum import Enum
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import msgspec
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request

from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.order import BookSide, OrderTerms, TimeInForce
from kalshi_tui.domain.price import MONEY_UNIT, Count, Money, Price
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import Health
from kalshi_tui.kalshi.lists import LeftOut
from kalshi_tui.kalshi.rest import RestClient, Retry
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.kalshi.transport.rate_limit import WriteBudget
from kalshi_tui.kalshi.transport.signing import KeyType, Signer, generate_key
from kalshi_tui.practice.engine.events import (
    EngineEvent,
    OrderChanged,
    OrderFilled,
    PositionChanged,
)
from kalshi_tui.practice.engine.model import split_account_id
from kalshi_tui.practice.engine.order_entry import DedupeMode
from kalshi_tui.practice.engine.records import OrderRecord, OrderRequest, OrderStatus
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server import encode_frames
from kalshi_tui.practice.server.app import PracticeServer
from kalshi_tui.practice.server.auth import Authenticator, RegisteredKey
from kalshi_tui.practice.simulation.world import World
from kalshi_tui.session.assembly import assemble_session
from kalshi_tui.session.execution.journal import Journal
from kalshi_tui.session.execution.risk_checks import RiskReason
from kalshi_tui.session.interface import OrderResult
from kalshi_tui.session.options import SessionOptions
from kalshi_tui.session.session import Session
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue
from tests.support.order_truth import check_orders
from tests.support.simulated_time import Simulated

PEM = generate_key(kind=KeyType.ED25519)
"""Signed with by the thousand: an RSA key would take a tenth of a test's time."""
START_MS = 1_800_000_000_000
CASH = 10_000 * MONEY_UNIT
PATIENCE_MS = 200_000
US, THEM = "us", "them"
CALM = 25
"""So many turns of the loop in which no request is under way count as rest."""
FAST = "prestige"
GIVES_UP_S = 10.0
"""How long the client waits for an answer."""
HEAL_S = 90
BY_TRADER: ContextVar[bool] = ContextVar("BY_TRADER", default=False)
"""Whether a request is one of the trader's commands, and not of what the program does by itself."""
Watch = Callable[[str, str, bytes], Callable[[int], None] | None]
"""Takes method, path and content of a command as the exchange takes it up, and may return what takes its status."""


class Trouble(Enum):
    """What the line does to one command. The first group keeps it from the exchange, the second spoils the answer."""

    NONE = "none"
    NO_CONNECTION = "no connection: nothing left"
    LOST = "lost on the way, no answer"
    TOO_MANY = "429"
    FAILED_BEFORE = "503, not processed"
    SAYS_ALREADY = "409 order_already_exists, not processed"
    LATE = "arrives late; the sender gives up without an answer"
    LATER = "arrives when the sender has given up"
    REPLY_LOST = "processed, the connection broke"
    REPLY_LATE = "processed, the answer comes seconds later"
    FAILED_AFTER = "processed, 504"
    TIMED_OUT = "processed, 408"
    GARBAGE = "processed, the answer is no JSON"
    WITHOUT_ID = "processed, the answer names no order"
    OF_ANOTHER = "processed, the answer is that of the command before"


class Line(httpx.AsyncBaseTransport):
    """Carries requests to the server's own handler."""

    def __init__(self, app: web.Application, clock: Simulated) -> None:
        self._app = app
        self._clock = clock
        self.troubles: deque[Trouble] = deque()
        """For the next commands, in their order."""
        self.down_until_ms = 0
        """Until then no name can be resolved."""
        self.late_s = 3.0
        self.active = 0
        self.commands: list[tuple[str, str, bytes]] = []
        """What has reached the exchange."""
        self.handed: list[tuple[int, str, str]] = []
        """What the program has sent: when, method and path."""
        self.misled: set[str] = set()
        """What was done, and answered with the rejection of another command: client order ids, or paths of changes."""
        self.watch: Watch = lambda *_: None
        self._protocol, self._writer = mock.Mock(_reading_paused=False), mock.Mock()
        self._before: httpx.Response | None = None
        self._floating: set[asyncio.Task[Any]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._clock.now_ms < self.down_until_ms:
            raise httpx.ConnectError("no such name")
        if request.method == "GET":
            return await self._shielded(self.process_request(request))
        self.handed.append((self._clock.now_ms, request.method, request.url.path))
        return await self._command(request, self.troubles.popleft() if self.troubles else Trouble.NONE)

    async def _command(self, request: httpx.Request, trouble: Trouble) -> httpx.Response:
        if trouble is Trouble.NO_CONNECTION:
            raise httpx.ConnectError("refused")
        if trouble is Trouble.LOST:
            raise httpx.ReadError("broken")
        if trouble is Trouble.TOO_MANY:
            return httpx.Response(429, json={"error": "too many requests"})
        if trouble is Trouble.FAILED_BEFORE:
            return httpx.Response(503, json={"error": {"code": "unavailable", "message": "unavailable"}})
        if trouble is Trouble.SAYS_ALREADY:
            return httpx.Response(409, json={"error": {"code": "order_already_exists", "message": "exists"}})
        if trouble in {Trouble.LATE, Trouble.LATER}:
            self._float(self._later(request, self.late_s if trouble is Trouble.LATE else GIVES_UP_S + self.late_s))
            await self._clock.sleep(GIVES_UP_S)
            raise httpx.ReadTimeout("no answer")
        # What is on its way goes on even if its sender is no more.
        reply = await self._shielded(self.process_request(request))
        before, self._before = self._before, reply
        if trouble is Trouble.REPLY_LOST:
            raise httpx.RemoteProtocolError("closed")
        if trouble is Trouble.REPLY_LATE:
            await self._clock.sleep(self.late_s)
        if trouble is Trouble.OF_ANOTHER and before is not None:
            if reply.is_success and before.is_error:
                self.misled.add(name_of(request))
            return httpx.Response(before.status_code, content=before.content)
        spoiled = {
            Trouble.FAILED_AFTER: httpx.Response(504, text="gateway"),
            Trouble.TIMED_OUT: httpx.Response(408, text="timeout"),
            Trouble.GARBAGE: httpx.Response(201, text="<html>"),
            Trouble.WITHOUT_ID: httpx.Response(201, json={"fill_count": "0.00", "remaining_count": "0.00"}),
        }
        return spoiled.get(trouble, reply)

    async def _later(self, request: httpx.Request, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await self.process_request(request)

    def _float(self, work: Awaitable[Any]) -> "asyncio.Task[Any]":
        task = asyncio.ensure_future(work)
        self._floating.add(task)
        task.add_done_callback(self._floating.discard)
        return task

    async def _shielded(self, work: Awaitable[httpx.Response]) -> httpx.Response:
        return await asyncio.shield(self._float(work))

    async def process_request(self, request: httpx.Request) -> httpx.Response:
        self.active += 1
        try:
            content = request.content if request.method != "GET" else b""
            answered = None
            if request.method != "GET":
                self.commands.append((request.method, request.url.path, content))
                answered = self.watch(request.method, request.url.path, content)
            payload = StreamReader(self._protocol, 2**16, loop=asyncio.get_running_loop())
            payload.feed_data(content)
            payload.feed_eof()
            made = make_mocked_request(
                request.method,
                request.url.raw_path.decode(),
                headers=dict(request.headers),
                payload=payload,
                app=self._app,
                # The same for all: to mock them for each request takes longer than the request itself.
                protocol=self._protocol,
                writer=self._writer,
                transport=self._protocol.transport,
            )
            response = await self._app._handle(made)
            assert isinstance(response, web.Response)
            if answered is not None:
                answered(response.status)
            body = response.body
            return httpx.Response(response.status, headers=dict(response.headers), content=bytes(body or b""))  # type: ignore[arg-type]
        finally:
            self.active -= 1


def name_of(request: httpx.Request) -> str:
    """Return the client order id in a command, or its path if there is none."""
    name: str | None = json.loads(request.content).get("client_order_id") if request.content else None
    return name or request.url.path


class Silence:
    """A stream that the test speaks for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.books: tuple[str, ...] = ()
        """The markets whose books were asked for last."""

    async def run(self) -> None:
        self._store.link(LinkState.LIVE, "")
        await asyncio.Event().wait()

    async def close(self) -> None:
        await asyncio.sleep(0)

    def watch_books(self, tickers: Sequence[str]) -> None:
        self.books = tuple(tickers)

    def watch_quotes(self, tickers: Sequence[str]) -> None: ...
    def resync_books(self, why: str) -> None: ...
    def health(self) -> Health:
        return Health(LinkState.LIVE, 0, 0.0, None, None, 0, 0, 0, 0, 0)


Told = Callable[[Store], None]


class Rig:
    """One exchange, one account of ours, and a session that comes and goes."""

    def __init__(
        self,
        folder: Path,
        *,
        dedupe: DedupeMode = "open",
        options: SessionOptions | None = None,
        cancel_all: bool = True,
        locked: int | None = None,
        cash: Mapping[int, Money] | None = None,
    ) -> None:
        """Set the exchange up; with ``locked`` our key is restricted to that subaccount; ``cash`` is ours, by shard."""
        self.clock = Simulated(START_MS)
        self.options = options or SessionOptions()
        self.locked = locked
        self.world = World(self.clock, seed=7, quiet=True, markets=8, dedupe=dedupe)
        self.exchange = self.world.exchange
        # What arrives late was let in at once and is carried out later: its signature is not too old.
        authenticator = Authenticator(self.clock, tolerance_ms=PATIENCE_MS)
        self.signer = Signer.from_pem("key", PEM, environment=practice_on_port(1))
        authenticator.add_key(RegisteredKey("key", US, self.signer.public_key(), subaccount=locked))
        self.exchange.open_account(US, dict(cash or {0: CASH, 2: CASH}))
        self.exchange.open_account(THEM, {0: CASH, 2: CASH})
        self.server = PracticeServer(
            self.world, authenticator, None, self.clock, tier="prestige", cancel_all=cancel_all
        )
        self.server.app.freeze()
        self.world.start()
        self.server.commit()
        # One that does not close while a test runs.
        long = START_MS + 24 * 3_600_000
        self.ticker = next(e.ticker for e in self.exchange.markets.visible() if e.status.tradable and e.close_ms > long)
        self.line = Line(self.server.app, self.clock)
        self.journal_path = folder / "journal.sqlite3"
        self.opening: Callable[[Path, str], Journal] = Journal.open
        self.session: Session
        self.untold: deque[Told] = deque()
        """Frames of the account that have been sent and not been delivered."""
        self.intents: dict[str, OrderTerms] = {}
        """All that was ever meant to be sent, by client order id."""
        self.odd_reasons: deque[str] = deque()
        """Reasons in place of the exchange's own for the next orders that are canceled."""
        self.reasons: dict[str, str] = {}
        """The odd reasons that orders were canceled with, by order id."""
        self.unknown_left = 0
        """In so many frames more the exchange says that it does not know the order's state."""
        self.told_ends: set[str] = set()
        """The orders whose end a frame has told to the session that runs."""
        self.doing: set[asyncio.Task[Any]] = set()
        publish = self.server.hub.publish

        def overheard(events: Iterable[EngineEvent]) -> None:
            events = list(events)
            self.untold.extend(filter(None, map(self._told, events)))
            publish(events)

        self.server.hub.publish = overheard  # type: ignore[method-assign]  # overheard on the way

    def _told(self, event: EngineEvent) -> Told | None:
        """Return a private frame as the client reads it off the wire."""
        if isinstance(event, OrderChanged) and self._is_told(event.order.account_id):
            return self._told_order(event.order)
        if isinstance(event, OrderFilled) and self._is_told(event.fill.account_id):
            fill = translate.fill(wire.decode(wire.encode(encode_frames.fill(event.fill)), wire.FillMsg))
            return lambda store: store.fill(fill)
        if isinstance(event, PositionChanged) and self._is_told(event.position.account_id):
            message = wire.decode(wire.encode(encode_frames.market_position(event.position)), wire.MarketPositionMsg)
            position = translate.market_position(message)
            return lambda store: store.position(position)
        return None

    def _told_order(self, record: OrderRecord) -> Told:
        message = encode_frames.user_order(record)
        if record.status is OrderStatus.CANCELED:
            if self.odd_reasons and record.order_id not in self.reasons:
                self.reasons[record.order_id] = self.odd_reasons.popleft()
            if record.order_id in self.reasons:
                message = msgspec.structs.replace(message, last_update_reason=self.reasons[record.order_id])
        if self.unknown_left:
            self.unknown_left -= 1
            message = msgspec.structs.replace(message, status="unknown")
        order = translate.user_order(wire.decode(wire.encode(message), wire.UserOrderMsg))

        def tell(store: Store) -> None:
            store.order(order)
            if order.state.final:
                self.told_ends.add(order.order_id)

        return tell

    def _is_told(self, account_id: str) -> bool:
        member, number = split_account_id(account_id)
        return member == US and self.locked in {None, number}

    # The client.

    async def start(self, options: SessionOptions | None = None) -> None:
        """Start the program; with other options than before if they are given."""
        self.options = options or self.options
        self.told_ends.clear()
        clock = ExchangeClock(self.clock)
        self.write_budget = WriteBudget(timer_s=lambda: self.clock.now_ms / 1000, sleep=self.clock.sleep)

        def make_rest(on_left_out: Callable[[LeftOut], None]) -> RestClient:
            return RestClient(
                practice_on_port(1),
                self.signer,
                clock=clock,
                transport=self.line,
                retry=Retry(attempts=1),
                on_left_out=on_left_out,
                write_budget=self.write_budget,
            )

        self.journal = self.opening(self.journal_path, "key")
        self.session = assemble_session(
            Venue.PRACTICE,
            make_rest,
            lambda store, _: Silence(store),  # type: ignore[arg-type,return-value]  # the test speaks for it
            self.clock,
            self.clock.sleep,
            journal=self.journal,
            options=self.options,
            timer_s=lambda: self.clock.now_ms / 1000,
        )
        await self.session.start()

    async def kill(self) -> None:
        """End the program as SIGKILL does: nothing more is written, nobody says goodbye."""
        self.journal.close()
        for task in list(self.doing):
            task.cancel()
        await asyncio.gather(*self.doing, return_exceptions=True)
        with suppress(Exception):
            await self.session.stop()

    def begin(self, work: Awaitable[Any]) -> "asyncio.Task[Any]":
        """Let the trader do something, and do not wait for it."""
        before = BY_TRADER.set(True)
        task = asyncio.ensure_future(work)
        BY_TRADER.reset(before)
        self.doing.add(task)
        task.add_done_callback(self.doing.discard)
        return task

    def submit(
        self, terms: OrderTerms, *troubles: Trouble, without: Iterable[RiskReason] = ()
    ) -> "asyncio.Task[OrderResult]":
        """Confirm and send an order, having said every word that is asked for but those for these risks."""
        self.line.troubles.extend(troubles)
        name = self.session.draft(terms)
        self.intents[name] = terms
        agreed = frozenset(each.risk for each in self.session.check_risks(terms) if each.risk.reason not in without)
        return self.begin(self.session.submit(terms, name, agreed))

    # The exchange.

    def request(self, price: Price, count: Count = 500) -> OrderRequest:
        """Return a bid as the exchange's engine takes it."""
        return OrderRequest(self.ticker, BookSide.BID, count, price, TimeInForce.GTC)

    def trade(self, side: BookSide, price: Price, count: Count, ticker: str = "") -> None:
        """Let somebody else place an order."""
        with suppress(Rejection):
            self.exchange.order_entry.create(
                THEM, OrderRequest(ticker or self.ticker, side, count, price, TimeInForce.GTC)
            )
        self.server.commit()

    def lag(self, ms: int) -> None:
        """Let the portfolio's reads lag by so much from now on."""
        self.server.commit()
        self.server.read_source.set_lag_ms(ms)

    def theirs(self) -> list[OrderRecord]:
        """Return our orders as the exchange has them."""
        return list(self.exchange.queries.orders(US))

    # Time.

    async def spin(self) -> None:
        """Let everything run until it waits for time to pass."""
        calm = 0
        for _ in range(5_000):
            await asyncio.sleep(0)
            calm = 0 if self.line.active else calm + 1
            if calm >= CALM:
                return
        raise AssertionError("it never came to rest")

    async def pass_time(self, seconds: float, step_ms: int = 500) -> None:
        """Let time go on."""
        for _ in range(int(seconds * 1000) // step_ms):
            self.clock.advance(step_ms)
            self.world.step()
            self.server.commit()
            await self.spin()

    def deliver(self, how: str = "all") -> None:
        """Deliver the frames that wait: ``all``, ``twice``, ``reversed``, or ``none``: they are lost."""
        told = list(self.untold)
        self.untold.clear()
        if how == "reversed":
            told.reverse()
        for frame in itertools.chain(told, told if how == "twice" else ()):
            if how != "none":
                frame(self.session.store)

    async def heal(self) -> None:
        """Let all trouble end, and give it time; late frames come, or never."""
        self.line.troubles.clear()
        self.line.down_until_ms = 0
        self.exchange.pauses.resume_exchange()
        self.exchange.pauses.resume_trading()
        self.server.commit()
        self.lag(0)
        await self.pass_time(HEAL_S, 3_000)
        for task in list(self.doing):
            assert task.done(), "a command of the trader's never ended"

    # The truth.

    def check(self) -> None:
        """Fail unless there is at most one order for each intent, and what is known here is what the exchange has."""
        archive = self.server.archive
        hidden = {
            each.client_order_id
            for each in self.theirs()
            if each.client_order_id in self.line.misled and not archive.has_live_order(each)
        }
        check_orders(
            self.session.store, self.journal_path, self.theirs(), self.intents, self.reasons, self.told_ends, hidden
        )
        store = self.session.store
        view = store.account.view
        held = {}
        for position in self.exchange.queries.positions(US):
            number = split_account_id(position.account_id)[1]
            if position.count and self.locked in {None, number}:
                held[position.ticker, number if self.locked is None else view.chosen] = position.count
        assert {key: position.count for key, position in store.account.positions_by_key.items()} == held
        for account in self.exchange.ledger.members(US, self.locked):
            cash = self.exchange.queries.balance(US, account.subaccount)
            balance = store.account.balances[account.subaccount if self.locked is None else view.chosen]
            here, there = dict(balance.by_shard), dict(cash.available)
            if self.locked is not None:
                # Such a key is told the sum alone.
                here, there = {0: balance.cash}, {0: sum(there.values())}
            assert here == there, f"subaccount {account.subaccount}: {here} here, {there} there"

    async def close(self) -> None:
        """End everything."""
        await self.session.stop()
        for task in list(self.line._floating):
            task.cancel()
