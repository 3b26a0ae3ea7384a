"""`Stream`: the feed's socket. Connect with a fresh signature, read, write, notice a dead link, and reconnect.

docs/kalshi-api.md, section 5.

All that is decided about frames is in `protocol`; this shell moves bytes and time. Liveness rests on what the server
sends (a ping every 10 s, and frames); no pings of our own, which the exchange is known to punish.
"""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedError,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State

from kalshi_tui import __version__
from kalshi_tui.domain.link import LinkState
from kalshi_tui.kalshi.environments import Environment
from kalshi_tui.kalshi.errors import WrongHost, authentication_sentence
from kalshi_tui.kalshi.feed.command_queue import AuditAnswer
from kalshi_tui.kalshi.feed.handler import FeedHandler
from kalshi_tui.kalshi.feed.protocol import FeedProtocol
from kalshi_tui.kalshi.feed.subscription import RecoveryPolicy, Report
from kalshi_tui.kalshi.feed.tap import Tap
from kalshi_tui.kalshi.translate import clean
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.kalshi.transport.http import parse_error_body
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.kalshi.transport.tls import describe_tls_error, proxy_for, tls_context
from kalshi_tui.kalshi.wire import WS_PATH, BookReading

MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
"""Bytes of one message, as many as the exchange may send (docs/kalshi-api.md, section 5)."""
_RECEIVE_QUEUE_SIZE: Final = 256
"""Frames that may wait to be read; beyond that the socket is left alone, so memory stays bounded."""
_READ_CHUNK_BYTES: Final = 16 * 1024
"""Bytes that are taken apart at a time."""
_MAX_PINGS_PER_CHECK: Final = 500
"""Pings between two looks: each is answered at once, so that a flood of them would take all time there is."""
_MAX_UNSENT_BYTES: Final = 1024 * 1024
"""Bytes that may wait for a server which does not read: pongs pass no other bound."""
_PING_FLOOD_SENTENCE: Final = "The exchange flooded the connection with pings; it was closed."
_NOT_READING_SENTENCE: Final = "The exchange sends and does not read; the connection was closed."
MAX_UNASKED_QUOTES: Final = 3
"""Of so many books the quotes are followed where nobody asks for any."""
_FRAMES_PER_CLOCK_CHECK: Final = 32
"""Frames between two looks at the clock."""

_log = logging.getLogger("kalshi_tui.websocket")
_log.setLevel(logging.WARNING)  # the library's debug lines hold the signed headers
_log.addHandler(logging.NullHandler())  # else warnings fall through to standard error, which is the trader's screen


@dataclass(frozen=True, slots=True)
class StreamTiming:
    """How long the stream waits. Seconds."""

    tick: float = 0.1
    """Between two looks at what is due."""
    dead_after: float = 25.0
    """Without any frame or ping from the server, which pings every 10 s."""
    probe_after: float = 60.0
    """Without a message while the server pings: then it is asked for something."""
    open: float = 10.0
    """For connecting and the handshake."""
    first_wait: float = 0.5
    """The most that is waited before the first new attempt; doubles with each."""
    longest_wait: float = 30.0
    healthy_after: float = 30.0
    """Of a connection: then the waits begin small again."""
    refused_wait: float = 60.0
    """After a rejection that waiting will hardly cure, such as a wrong key."""
    slice: float = 0.004
    """Of work on frames at a stretch; then the event loop gets its turn."""


@dataclass(frozen=True, slots=True)
class Health:
    """The link as it is now. Ages in seconds, None before the first; lag and skew in milliseconds."""

    state: LinkState
    frames: int
    rate: float
    """Messages a second, over the last second or so."""
    frame_age: float | None
    ping_age: float | None
    lag_ms: int
    """From the exchange's own time of a frame to its being applied, by the corrected clock."""
    skew_ms: int
    faults: int
    healed: int
    untrusted: int
    """Books that are wanted and not trusted."""


class _Failure(NamedTuple):
    """Why there is no connection, as a sentence; ``refused``: trying again soon would hardly help."""

    sentence: str
    refused: bool = False


class Backoff:
    """Exponential backoff with full jitter: each wait is anywhere between 0 and a bound that doubles."""

    def __init__(self, first_wait: float, max_wait: float, uniform: Callable[[float, float], float]) -> None:
        self._first_wait = first_wait
        self._max_wait = max_wait
        self._uniform = uniform
        self._attempt = 0

    def next_wait(self) -> float:
        """Return the next wait, in seconds."""
        bound = min(self._max_wait, self._first_wait * 2 ** min(self._attempt, 32))
        self._attempt += 1
        return self._uniform(0.0, bound)

    def reset(self) -> None:
        """Start with short waits again."""
        self._attempt = 0


class _Connection(ClientConnection):
    """A connection that notes whether the server sent a frame, and how often it pinged, since the last check.

    Whole frames count, not bytes: on a line that lost some, bytes may come forever and mean nothing.
    """

    frame_received = True
    ping_count = 0
    """Since the last check."""
    abort_reason = ""
    """Why it was cut off, a sentence."""

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _READ_CHUNK_BYTES):
            if self.abort_reason:
                return
            super().data_received(data[start : start + _READ_CHUNK_BYTES])
            if self.transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
                self._abort(_NOT_READING_SENTENCE)

    def process_event(self, event: Any) -> None:
        self.frame_received = True
        if event.__class__ is Frame and event.opcode is Opcode.PING:
            self.ping_count += 1
            if self.ping_count > _MAX_PINGS_PER_CHECK:
                self._abort(_PING_FLOOD_SENTENCE)
        super().process_event(event)

    @property
    def end_reason(self) -> str:
        """Return why nothing more will come, though the other side may leave its socket open; empty while more may."""
        if self.abort_reason or self.state is State.OPEN:
            return self.abort_reason
        protocol = self.protocol
        return _describe_close(
            ConnectionClosedError(protocol.close_rcvd, protocol.close_sent, protocol.close_rcvd_then_sent)
        )

    def _abort(self, why: str) -> None:
        self.abort_reason = self.abort_reason or why
        self.transport.abort()


class _NoRedirectConnect(connect):
    """A connect that follows no redirect: the signed headers are for one host only."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class Stream:
    """Keeps one connection to the exchange's stream open and calls the handler with what comes, until `close`.

    Set what is wanted with the ``watch_`` methods, before or while it runs; the subscriptions follow without a
    reconnect. The account's own orders, fills and positions and the lifecycle events are always taken.
    """

    def __init__(
        self,
        environment: Environment,
        signer: Signer,
        handler: FeedHandler,
        *,
        clock: ExchangeClock | None = None,
        listener: Callable[[Report], None] | None = None,
        policy: RecoveryPolicy | None = None,
        timing: StreamTiming | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
        private: bool = True,
        proxy: str | None = None,
    ) -> None:
        """Prepare; ``private``: follow the account and the lifecycle events too.

        ``proxy`` is the address of an HTTP proxy, ``http://`` or ``https://``; raises ValueError for any other.
        """
        self.environment = environment
        self._proxy = proxy_for(environment.ws_url, proxy)
        self.clock = clock or ExchangeClock()
        self.protocol = FeedProtocol(handler, listener=listener, policy=policy)
        self.protocol.on_reading = self._record_reading
        self._books: frozenset[str] = frozenset()
        self._quotes: frozenset[str] | None = frozenset()
        self.frames = 0
        """Messages received since the start."""
        self._signer = signer
        self._handler = handler
        self._timing = timing or StreamTiming()
        self._backoff = Backoff(self._timing.first_wait, self._timing.longest_wait, uniform)
        self._state = LinkState.OFFLINE
        self._connection: _Connection | None = None
        self._closing = asyncio.Event()
        self._retry_requested = asyncio.Event()
        self._outgoing_ready = asyncio.Event()
        self._tls: ssl.SSLContext | None = None
        self._last_frame_at: float | None = None
        self._last_ping_at: float | None = None
        self._rate = 0.0
        self._lag_ms = 0
        self._last_sampled_ts_ms = 0
        self._lag_sample_due = False
        self._tap: Tap | None = None
        self.protocol.on_outgoing = self._outgoing_ready.set
        self.protocol.on_ready = self._on_ready
        if private:
            self.protocol.want_account()
            self.protocol.want_lifecycle()

    # What is wanted.

    def watch_books(self, tickers: Iterable[str]) -> None:
        """Follow the order books and the public trades of exactly these markets."""
        markets = frozenset(tickers)
        if self._tap is not None:
            self._tap.record_wanted(markets)
        self.protocol.want_books(markets)
        self.protocol.want_trades(markets)
        self._books = markets
        self._want_quotes()

    def watch_quotes(self, tickers: Iterable[str] | None) -> None:
        """Follow the quotes of exactly these markets; None means all markets."""
        self._quotes = None if tickers is None else frozenset(tickers)
        self._want_quotes()

    def _want_quotes(self) -> None:
        """Ask for the quotes that are followed, and for a few of books without any: only a quote can check those."""
        if self._quotes is None or not self._quotes.isdisjoint(self._books):
            self.protocol.unasked_quotes = frozenset()
            self.protocol.want_quotes(self._quotes)
            return
        self.protocol.unasked_quotes = frozenset(sorted(self._books)[:MAX_UNASKED_QUOTES])
        self.protocol.want_quotes(self._quotes | self.protocol.unasked_quotes)

    def audit(self, ticker: str, answer: AuditAnswer) -> None:
        """Ask for a fresh snapshot of a book; ``answer`` gets its levels at the moment when they are current."""
        self.protocol.audit(ticker, answer)

    def resync_books(self, why: str) -> None:
        """Stop trusting all books and fetch them again: for whoever finds that one cannot be right."""
        self.protocol.resync_books(why)

    def record(self, tap: Tap | None) -> bool:
        """Record all that is received from here on, or stop with None; return whether a connection is in the middle."""
        self._tap = tap
        if tap is None or self._connection is None:
            return False
        tap.begin(self.protocol.sids)
        tap.record_reading(self.protocol.reading)
        tap.record_wanted(self.protocol.trusted | self.protocol.untrusted)
        return True

    def retry_now(self) -> None:
        """Try to connect now, without waiting for the next attempt."""
        self._retry_requested.set()

    # The life of the stream.

    async def run(self) -> None:
        """Connect, follow and reconnect until `close` or canceled. Raises nothing for what the network does."""
        last = ""
        try:
            while not self._closing.is_set():
                self._set_link_state(LinkState.CONNECTING, last)
                opened = await self._until_closing(self._connect())
                if opened is None:
                    break
                if isinstance(opened, _Failure):
                    failure = opened
                else:
                    failure = await self._run_connection(opened)
                last = failure.sentence
                if not self._closing.is_set():
                    await self._wait_to_reconnect(failure)
        finally:
            self._set_link_state(LinkState.OFFLINE, "")

    async def close(self) -> None:
        """End `run` and close the connection."""
        self._closing.set()
        self._retry_requested.set()
        connection = self._connection
        if connection is not None:
            await connection.close()

    async def _until_closing(
        self, opening: "Coroutine[Any, Any, _Connection | _Failure]"
    ) -> "_Connection | _Failure | None":
        """Wait for a connection, but not beyond `close`: return None then."""
        task = asyncio.ensure_future(opening)
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            # Not a task group: the first that ends is enough, and ends the other.
            await asyncio.wait({task, closing}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            for each in (task, closing):
                each.cancel()
            await asyncio.gather(task, closing, return_exceptions=True)

    async def _wait_to_reconnect(self, failure: _Failure) -> None:
        """Report why there is no connection, and wait for the next attempt or for `retry_now`."""
        wait = self._timing.refused_wait if failure.refused else self._backoff.next_wait()
        again = f"Trying again in {wait:.0f} s." if wait >= 1 else "Trying again."
        self._set_link_state(LinkState.REFUSED if failure.refused else LinkState.WAITING, f"{failure.sentence} {again}")
        self._retry_requested.clear()
        # Looked at after the clearing: a `close` in between has set both, and would be slept through.
        if self._closing.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._retry_requested.wait()

    async def _connect(self) -> _Connection | _Failure:
        """Connect and shake hands with a signature of this moment."""
        sent_ms = self.clock.local_ms()
        try:
            headers = self._signer.headers("GET", WS_PATH, self.clock.now_ms(), host=self.environment.ws_host)
        except WrongHost as error:
            return _Failure(str(error), refused=True)
        more: dict[str, Any] = {}
        if self.environment.ws_url.startswith("wss:"):
            self._tls = self._tls or tls_context(self.environment.ws_url)
            more["ssl"] = self._tls
            if self._proxy is not None and self._proxy.lower().startswith("https:"):
                more["proxy_ssl"] = self._tls
        try:
            connection = await _NoRedirectConnect(
                self.environment.ws_url,
                additional_headers=headers,
                user_agent_header=f"kalshi-tui/{__version__}",
                compression=None,
                proxy=self._proxy,
                open_timeout=self._timing.open,
                ping_interval=None,
                close_timeout=1.0,
                max_size=MAX_MESSAGE_BYTES,
                max_queue=_RECEIVE_QUEUE_SIZE,
                create_connection=_Connection,
                logger=_log,
                **more,
            )
        except InvalidStatus as error:
            response = error.response
            return self._handshake_failure(response.status_code, response.headers, bytes(response.body or b""), sent_ms)
        except ProxyError:
            return _Failure("The proxy lets nothing through to the exchange's stream.")
        except WebSocketException:
            return _Failure("The exchange's address answers, but not as a WebSocket.")
        except TimeoutError:
            return _Failure("Connecting to the exchange's stream took too long.")
        except (OSError, EOFError) as error:
            if fault := describe_tls_error(error):
                return _Failure(f"Not connected to the exchange's stream: {fault}.", refused=True)
            return _Failure("Nobody answers at the exchange's stream address.")
        assert isinstance(connection, _Connection)  # noqa: S101 - what create_connection was told to make
        response_headers = connection.response.headers if connection.response is not None else {}
        self.clock.update_skew(response_headers.get("Date"), sent_ms, self.clock.local_ms())
        return connection

    def _handshake_failure(self, status: int, headers: Any, body: bytes, sent_ms: int) -> _Failure:
        """Return what a rejected handshake means: a wrong clock is not a wrong key.

        docs/kalshi-api.md, sections 2 and 10.
        """
        code, message, details = parse_error_body(body)
        said = message or details or code
        if status == 401:
            corrected = self.clock.skew_ms
            self.clock.update_skew(headers.get("Date"), sent_ms, self.clock.local_ms())
            skew = self.clock.skew_ms
            sentence = authentication_sentence(code, skew, details)
            # The rejection itself carries the exchange's time. Corrected by it the next attempt will do; called a wrong
            # key, it would be tried once a minute, and the trader would look for a fault in the key.
            if skew and abs(skew - corrected) > 1_000:
                return _Failure(f"{sentence} Until then it is corrected for.")
            return _Failure(sentence, refused=True)
        if status == 403:
            return _Failure(f"The exchange does not let this key use the stream{_in_parentheses(said)}.", refused=True)
        if status == 429:
            return _Failure("The exchange takes no more connections for the moment.")
        if status == 503:
            return _Failure(f"The exchange is paused or down for maintenance{_in_parentheses(said)}.")
        if status >= 500:
            return _Failure(f"The exchange's stream failed with status {status}{_in_parentheses(said)}.")
        if 300 <= status < 400:
            return _Failure("The exchange's stream address points elsewhere, which is not followed.", refused=True)
        return _Failure(f"The exchange rejected the stream with status {status}{_in_parentheses(said)}.", refused=True)

    async def _run_connection(self, connection: _Connection) -> _Failure:
        """Run one connection until it ends, and return why it did."""
        loop = asyncio.get_running_loop()
        self._connection = connection
        self._outgoing_ready.clear()
        began = loop.time()
        why = "The connection was closed."
        self.protocol.connected(began)
        if self._tap is not None:
            self._tap.begin()
            self._tap.record_reading(self.protocol.reading)
            self._tap.record_wanted(self.protocol.untrusted)
        tasks = [
            asyncio.create_task(work, name=f"stream {name}")
            for name, work in (
                ("reader", self._read_loop(connection)),
                ("writer", self._write_loop(connection)),
                ("watch", self._watch_loop(connection)),
                ("closing", self._wait_until_closed()),
            )
        ]
        try:
            # Not a task group: the first that returns ends the others, and what it returns is the reason.
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            why = connection.abort_reason or next(task.result() for task in tasks if task in done)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._connection = None
            if self._tap is not None:
                self._tap.end()
            # Before the close, which may take a second: until then books of a dead connection would be traded on.
            self.protocol.disconnected(loop.time(), why)
            await self._close_connection(connection)
        if loop.time() - began >= self._timing.healthy_after:
            self._backoff.reset()
        return _Failure(why)

    @staticmethod
    async def _close_connection(connection: _Connection) -> None:
        """Close properly if the other side answers within a second; free the socket in any case."""
        try:
            await connection.close()
        finally:
            connection.transport.abort()

    async def _wait_until_closed(self) -> str:
        await self._closing.wait()
        return "The connection was closed."

    def _record_reading(self, reading: BookReading) -> None:
        if self._tap is not None:
            self._tap.record_reading(reading)

    async def _read_loop(self, connection: _Connection) -> str:
        """Hand each message to the protocol, yielding to the event loop now and then. Return why it ended."""
        receive_next, take = connection.recv, self.protocol.receive
        clock, budget = time.perf_counter, self._timing.slice
        began = clock()
        until_look = _FRAMES_PER_CLOCK_CHECK
        while True:
            try:
                data = await receive_next(decode=False)
            except ConnectionClosed as error:
                return _describe_close(error)
            if self._tap is not None:
                # Before it is applied: a frame that makes the protocol stumble is the one that a recording must have.
                self._tap.record_frame(data)
            take(data)
            self.frames += 1
            if self._lag_sample_due:
                self._measure_lag()
            until_look -= 1
            if not until_look:
                until_look = _FRAMES_PER_CLOCK_CHECK
                if clock() - began > budget:
                    await asyncio.sleep(0)
                    began = clock()

    def _measure_lag(self) -> None:
        sent_ms = self.protocol.last_sent_ms
        if sent_ms and sent_ms != self._last_sampled_ts_ms:
            self._lag_sample_due = False
            self._last_sampled_ts_ms = sent_ms
            self._lag_ms = max(0, self.clock.now_ms() - sent_ms)

    async def _write_loop(self, connection: _Connection) -> str:
        """Send what the protocol wants sent. Return why it ended."""
        while True:
            await self._outgoing_ready.wait()
            # Cleared before the commands are taken: one that comes while these are sent must set it again.
            self._outgoing_ready.clear()
            try:
                for command in self.protocol.commands_to_send():
                    await connection.send(command, text=True)
            except ConnectionClosed as error:
                return _describe_close(error)

    async def _watch_loop(self, connection: _Connection) -> str:
        """Bring the time to the protocol and look for life. Return why the connection is to be given up."""
        loop = asyncio.get_running_loop()
        timing = self._timing
        received_at = probed_at = rate_at = loop.time()
        frames = rate_frames = self.frames
        while True:
            now = loop.time()
            self.protocol.tick(now)
            if self.protocol.failure:
                return self.protocol.failure
            if over := connection.end_reason:
                return over
            if connection.frame_received:
                connection.frame_received, received_at = False, now
            if connection.ping_count:
                connection.ping_count, self._last_ping_at = 0, now
            # By any frame, pings too, which the exchange sends every 10 s. A connection whose peer is gone without a
            # word would stay open for many minutes by itself, with prices that look live.
            if now - received_at > timing.dead_after:
                return f"The exchange was silent for {timing.dead_after:.0f} s."
            if self.frames != frames:
                frames, self._last_frame_at, probed_at = self.frames, now, now
            elif now - probed_at > timing.probe_after:
                # Pings come, but nothing else: a quiet night, or a server that has forgotten the subscriptions.
                probed_at = now
                self.protocol.probe()
            if now - rate_at >= 1.0:
                self._rate = (self.frames - rate_frames) / (now - rate_at)
                rate_frames, rate_at = self.frames, now
            self._lag_sample_due = True
            await asyncio.sleep(timing.tick)

    def _on_ready(self) -> None:
        """Report the link as live: all subscriptions were answered, so that nothing of the account is missed."""
        self._set_link_state(LinkState.LIVE, "")

    def _set_link_state(self, state: LinkState, detail: str) -> None:
        self._state = state
        self._handler.link(state, detail)

    def health(self) -> Health:
        """Return the state of the link for a status line; to be called in the stream's event loop."""
        now = asyncio.get_running_loop().time()
        return Health(
            state=self._state,
            frames=self.frames,
            rate=self._rate if self._connection is not None else 0.0,
            frame_age=None if self._last_frame_at is None else now - self._last_frame_at,
            ping_age=None if self._last_ping_at is None else now - self._last_ping_at,
            lag_ms=self._lag_ms,
            skew_ms=self.clock.skew_ms,
            faults=self.protocol.faults,
            healed=self.protocol.healed,
            untrusted=len(self.protocol.untrusted),
        )


def _in_parentheses(text: str) -> str:
    return f" ({text})" if text else ""


def _describe_close(error: ConnectionClosed) -> str:
    """Return a sentence about how a connection ended."""
    sent = error.sent.code if error.sent is not None else 0
    if CloseCode.MESSAGE_TOO_BIG in {sent, error.rcvd.code if error.rcvd is not None else 0}:
        return "The exchange sent a message that was too large; the connection was closed."
    if sent in {CloseCode.PROTOCOL_ERROR, CloseCode.INVALID_DATA} and not error.rcvd_then_sent:
        return "The exchange sent what is no WebSocket message; the connection was closed."
    if error.rcvd is None:
        return "The connection to the exchange broke."
    said = clean(error.rcvd.reason, 120)
    return f"The exchange closed the connection (code {error.rcvd.code}{f', {said}' if said else ''})."
