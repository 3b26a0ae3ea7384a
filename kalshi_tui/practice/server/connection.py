"""One client's WebSocket session: its commands, its subscriptions, what waits to be written.

docs/kalshi-api.md, sections 4 and 5.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable
from typing import Any, Final, Protocol

from aiohttp import web
from msgspec import UNSET

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire import Channel, ErrorCode

SILENT_CHANNELS: Final = frozenset({"multivariate_market_lifecycle", "communications"})
"""Channels of combos and of requests for quotes, of which there are none here: taken, and never heard of."""
KNOWN_CHANNELS: Final = frozenset(
    {
        Channel.BOOK,
        Channel.TICKER,
        Channel.TRADE,
        Channel.FILL,
        Channel.ORDERS,
        Channel.POSITIONS,
        Channel.LIFECYCLE,
        Channel.ORDER_GROUPS,
        *SILENT_CHANNELS,
    }
)
MARKET_DATA_CHANNELS: Final = frozenset({Channel.BOOK, Channel.TICKER, Channel.TRADE})
SEQUENCED_CHANNELS: Final = frozenset({Channel.BOOK, Channel.TRADE, Channel.LIFECYCLE, Channel.ORDER_GROUPS})
"""The channels whose frames carry ``seq``."""
CHANNELS_WITHOUT_MARKETS: Final = frozenset({Channel.LIFECYCLE, Channel.ORDER_GROUPS}) | SILENT_CHANNELS
MAX_BUFFERED_FRAMES: Final = 50_000
MAX_BUFFERED_BYTES: Final = 32 * 1024 * 1024
"""Frames, and bytes of frames, that wait for a slow reader before its market data end."""
MAX_QUEUED_BYTES: Final = 2 * MAX_BUFFERED_BYTES
"""What may wait in all, the account's own news and answers included, before a reader is cut off: it reads nothing."""
FRAME_OVERHEAD_BYTES: Final = 100
"""What a waiting frame costs beside its own bytes; so that empty ones count too."""
WRITE_BATCH_SIZE: Final = 500
MAX_COMMAND_BYTES: Final = 4 * 1024 * 1024
"""Bytes of a command: the largest names tens of thousands of markets."""
MAX_COMMANDS_PER_SECOND: Final = 10_000
MAX_MARKETS_PER_SESSION: Final = 500_000
MAX_MARKETS_PER_SUBSCRIPTION: Final = 500_000
ERROR_MESSAGES: Final = {
    ErrorCode.GENERAL: "Unable to process message",
    ErrorCode.PARAMS_REQUIRED: "Params required",
    ErrorCode.CHANNELS_REQUIRED: "Channels required",
    ErrorCode.SIDS_REQUIRED: "Subscription IDs required",
    ErrorCode.UNKNOWN_COMMAND: "Unknown command",
    ErrorCode.UNKNOWN_SID: "Unknown subscription ID",
    ErrorCode.UNKNOWN_CHANNEL: "Unknown channel name",
    ErrorCode.INVALID_PARAMETER: "Invalid parameter",
    ErrorCode.EXACTLY_ONE_SID: "Exactly one subscription ID is required",
    ErrorCode.UNSUPPORTED_ACTION: "Unsupported action",
    ErrorCode.MARKET_REQUIRED: "Market ticker required",
    ErrorCode.ACTION_REQUIRED: "Action required",
    ErrorCode.MARKET_NOT_FOUND: "Market not found",
    ErrorCode.BUFFER_OVERFLOW: "Subscription buffer overflow",
    ErrorCode.MARKET_LIMIT: "Market limit exceeded",
    ErrorCode.COMMAND_RATE: "Command rate exceeded",
}


class HubInterface(Protocol):
    """What a session asks of the hub that it belongs to."""

    def loop_time(self) -> float:
        """Return the time of the event loop, in seconds."""

    def update_subscription(self, connection: "Connection", subscription: "ServerSubscription") -> None:
        """Note which markets a subscription wants now."""

    def remove_subscription(self, connection: "Connection", subscription: "ServerSubscription") -> None:
        """Forget a subscription."""

    def require_market(self, ticker: str) -> None:
        """Raise CommandError for a market that does not exist."""

    def resolve_market_ids(self, market_ids: Iterable[str]) -> list[str]:
        """Return the tickers of markets by their ids. Raises CommandError for one that does not exist."""

    def encode_snapshot(self, subscription: "ServerSubscription", ticker: str, number: Any) -> bytes:
        """Return a book's snapshot frame with the subscription's next number."""

    def encode_ticker(self, ticker: str) -> bytes:
        """Return the ``msg`` of a market's ticker frame."""


class CommandError(Exception):
    """A command that cannot be carried out; ``code`` is one of `Code`."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.detail = detail or ERROR_MESSAGES[code]
        super().__init__(self.detail)


class ServerSubscription:
    """One sid: a channel, its markets (None for all), the next number of its sequence."""

    __slots__ = ("channel", "markets", "seq", "sid", "yes_price")

    def __init__(self, sid: int, channel: str, markets: dict[str, None] | None, *, yes_price: bool) -> None:
        self.sid = sid
        self.channel = channel
        self.markets = markets
        self.seq = 0
        self.yes_price = yes_price

    def includes(self, ticker: str) -> bool:
        """Return whether a market's frames go to this subscription."""
        return self.markets is None or ticker in self.markets

    def next_seq(self) -> int:
        """Take the next number."""
        self.seq += 1
        return self.seq


class Connection:
    """One client's session."""

    def __init__(
        self,
        hub: HubInterface,
        socket: web.WebSocketResponse,
        account_id: str,
        transport: asyncio.WriteTransport | None = None,
    ) -> None:
        self._transport = transport
        self._hub = hub
        self.socket = socket
        self.account_id = account_id
        self.subscriptions: dict[int, ServerSubscription] = {}
        self.by_channel: dict[str, ServerSubscription] = {}
        self._last_sid = 0
        self._queued: deque[tuple[bytes, bool]] = deque()
        self._queued_bytes = 0
        self._frames_ready = asyncio.Event()
        self._command_times: deque[float] = deque()
        self.frame_faults: dict[str, int] = {}
        """How many of the next numbered frames are to be skipped, doubled or corrupted."""
        self._ended_book_subscription: ServerSubscription | None = None

    # Sending.

    def send(self, frame: bytes, *, market_data: bool = False) -> None:
        """Put a frame in line. Market data beyond the buffer end their subscription; private frames are never shed."""
        if market_data and (len(self._queued) >= MAX_BUFFERED_FRAMES or self._queued_bytes >= MAX_BUFFERED_BYTES):
            self.end_market_data()
            return
        self._queued_bytes += len(frame) + FRAME_OVERHEAD_BYTES
        if self._queued_bytes > MAX_QUEUED_BYTES:
            self.abort()
            return
        self._queued.append((frame, market_data))
        self._frames_ready.set()

    @property
    def is_behind(self) -> bool:
        """Whether much waits for this reader already; whoever can wait had better send no more now."""
        return len(self._queued) >= MAX_BUFFERED_FRAMES // 5 or self._queued_bytes >= MAX_BUFFERED_BYTES // 5

    def end_market_data(self) -> None:
        """End all market data subscriptions of a reader that is too slow: what waits of them is thrown away."""
        self._queued = deque(each for each in self._queued if not each[1])
        self._queued_bytes = sum(len(frame) + FRAME_OVERHEAD_BYTES for frame, _ in self._queued)
        for subscription in [each for each in self.subscriptions.values() if each.channel in MARKET_DATA_CHANNELS]:
            self._end_subscription(subscription)
            error = wire.ErrorMsg(code=ErrorCode.BUFFER_OVERFLOW, msg=ERROR_MESSAGES[ErrorCode.BUFFER_OVERFLOW])
            self.send(wire.encode(wire.ErrorFrame(sid=subscription.sid, seq=subscription.next_seq(), msg=error)))

    def send_numbered(self, subscription: ServerSubscription, kind: bytes, msg: bytes) -> None:
        """Send a shared ``msg`` under a subscription's own sid and, where the channel has one, sequence number."""
        channel = subscription.channel
        if channel in SEQUENCED_CHANNELS:
            if self.frame_faults and self._apply_frame_fault(subscription, kind, msg):
                return
            frame = b'{"type":"%b","sid":%d,"seq":%d,"msg":%b}' % (kind, subscription.sid, subscription.next_seq(), msg)
        else:
            frame = b'{"type":"%b","sid":%d,"msg":%b}' % (kind, subscription.sid, msg)
        self.send(frame, market_data=channel in MARKET_DATA_CHANNELS)

    def _apply_frame_fault(self, subscription: ServerSubscription, kind: bytes, msg: bytes) -> bool:
        """Do to a numbered frame what was asked for; give whether it was."""
        for spoil in ("skip", "duplicate", "corrupt"):
            if self.frame_faults.get(spoil, 0) > 0:
                break
        else:
            self.frame_faults.clear()
            return False
        self.frame_faults[spoil] -= 1
        frame = b'{"type":"%b","sid":%d,"seq":%d,"msg":%b}' % (kind, subscription.sid, subscription.next_seq(), msg)
        copies = {"skip": [], "duplicate": [frame, frame], "corrupt": [frame[: len(frame) // 2]]}
        for each in copies[spoil]:
            self.send(each, market_data=subscription.channel in MARKET_DATA_CHANNELS)
        return True

    def send_old_sid_frames(self, count: int) -> None:
        """Send late frames of the book subscription that was last given up, as a real exchange may."""
        old = self._ended_book_subscription
        if old is None or not old.markets:
            return
        ticker = next(iter(old.markets))
        for _ in range(count):
            self.send(self._hub.encode_snapshot(old, ticker, UNSET), market_data=True)

    async def write_loop(self) -> None:
        """Write what waits, until the connection ends."""
        while not self.socket.closed:
            await self._frames_ready.wait()
            self._frames_ready.clear()
            written = 0
            while self._queued:
                frame, _ = self._queued.popleft()
                self._queued_bytes -= len(frame) + FRAME_OVERHEAD_BYTES
                await self.socket.send_str(frame.decode())
                written += 1
                if written % WRITE_BATCH_SIZE == 0:
                    await asyncio.sleep(0)

    def abort(self) -> None:
        """Break the connection off; what waited is thrown away."""
        self._queued.clear()
        if self._transport is not None:
            self._transport.abort()

    async def ping_loop(self, interval_s: float) -> None:
        """Send the exchange's pings."""
        while not self.socket.closed:
            await asyncio.sleep(interval_s)
            await self.socket.ping(wire.HEARTBEAT)

    # Commands.

    def handle_command(self, data: str | bytes) -> None:
        """Carry out one command; what is wrong with it is answered with an error frame."""
        number: int | Any = UNSET
        try:
            command = wire.decode_command(data)
            number = command.id or UNSET
            self._count_command()
            handler = {
                "subscribe": self._subscribe,
                "unsubscribe": self._unsubscribe,
                "update_subscription": self._update_subscription,
                "list_subscriptions": self._list_subscriptions,
            }.get(command.cmd)
            if handler is None:
                self._send_error(number, CommandError(ErrorCode.UNKNOWN_COMMAND))
            else:
                handler(command)
        except wire.DecodeError:
            self._send_error(UNSET, CommandError(ErrorCode.GENERAL))
        except CommandError as error:
            self._send_error(number, error)

    def _count_command(self) -> None:
        now = self._hub.loop_time()
        self._command_times.append(now)
        while self._command_times[0] < now - 1:
            self._command_times.popleft()
        if len(self._command_times) > MAX_COMMANDS_PER_SECOND:
            raise CommandError(ErrorCode.COMMAND_RATE)

    def _send_error(self, number: Any, error: CommandError) -> None:
        self.send(wire.encode(wire.ErrorFrame(id=number, msg=wire.ErrorMsg(code=error.code, msg=error.detail))))

    def _subscribe(self, command: wire.Command) -> None:
        params = _require_params(command)
        if not params.channels:
            raise CommandError(ErrorCode.CHANNELS_REQUIRED)
        if any(channel not in KNOWN_CHANNELS for channel in params.channels):
            raise CommandError(ErrorCode.UNKNOWN_CHANNEL)
        tickers = self._named_tickers(params)
        if Channel.BOOK in params.channels and not (params.market_ticker or params.market_tickers):
            # Books are named by ticker; ids are for the other channels.
            raise CommandError(ErrorCode.MARKET_REQUIRED)
        if tickers and CHANNELS_WITHOUT_MARKETS.intersection(params.channels):
            raise CommandError(ErrorCode.INVALID_PARAMETER, "This channel takes no markets")
        for channel in dict.fromkeys(params.channels):
            known = self.by_channel.get(channel)
            if known is not None:
                self._extend_subscription(known, tickers, command, params)
                continue
            _check_market_limit(tickers or ())
            self._last_sid += 1
            markets = None if tickers is None else dict.fromkeys(tickers)
            made = ServerSubscription(self._last_sid, channel, markets, yes_price=params.use_yes_price is True)
            self.subscriptions[made.sid] = self.by_channel[channel] = made
            self._hub.update_subscription(self, made)
            msg = wire.SubscribedMsg(channel=channel, sid=made.sid)
            self.send(wire.encode(wire.SubscribedFrame(id=command.id or UNSET, msg=msg)))
            self._send_snapshots(made, tickers or [], params)

    def _send_snapshots(
        self, subscription: ServerSubscription, tickers: Iterable[str], params: wire.CommandParams, number: Any = UNSET
    ) -> None:
        """Send what a market begins with: its book, or its ticker where that was asked for."""
        if subscription.channel == Channel.BOOK:
            for ticker in tickers:
                self.send(self._hub.encode_snapshot(subscription, ticker, number), market_data=True)
        elif subscription.channel == Channel.TICKER and params.send_initial_snapshot is True:
            for ticker in tickers:
                self.send_numbered(subscription, b"ticker", self._hub.encode_ticker(ticker))

    def _extend_subscription(
        self, known: ServerSubscription, tickers: list[str] | None, command: wire.Command, params: wire.CommandParams
    ) -> None:
        """Add markets to an active subscription; only new ones get a snapshot (docs/kalshi-api.md, section 4)."""
        if known.markets is None or tickers is None:
            known.markets = None if tickers is None else known.markets
            fresh: list[str] = []
        else:
            markets = known.markets
            fresh = [ticker for ticker in dict.fromkeys(tickers) if ticker not in markets]
            _check_market_limit([*markets, *fresh])
            markets.update(dict.fromkeys(fresh))
        self._hub.update_subscription(self, known)
        self._send_ok(known, command, params)
        self._send_snapshots(known, fresh, params)

    def _send_ok(self, subscription: ServerSubscription, command: wire.Command, params: wire.CommandParams) -> None:
        msg: Any = UNSET
        if params.skip_ticker_ack is not True:
            msg = wire.OkMsg(market_tickers=sorted(subscription.markets or ()))
        frame = wire.OkFrame(id=command.id or UNSET, sid=subscription.sid, seq=subscription.next_seq(), msg=msg)
        self.send(wire.encode(frame))

    def _unsubscribe(self, command: wire.Command) -> None:
        for subscription in [self._find_subscription(sid) for sid in _require_sids(_require_params(command))]:
            self._end_subscription(subscription)
            seq = subscription.next_seq()
            self.send(wire.encode(wire.UnsubscribedFrame(id=command.id or UNSET, sid=subscription.sid, seq=seq)))

    def _end_subscription(self, subscription: ServerSubscription) -> None:
        if subscription.channel == Channel.BOOK:
            self._ended_book_subscription = subscription
        self.subscriptions.pop(subscription.sid, None)
        self.by_channel.pop(subscription.channel, None)
        self._hub.remove_subscription(self, subscription)

    def _list_subscriptions(self, command: wire.Command) -> None:
        listed = [wire.SubscribedMsg(channel=each.channel, sid=sid) for sid, each in self.subscriptions.items()]
        self.send(wire.encode(wire.OkFrame(id=command.id or UNSET, msg=listed)))

    def _update_subscription(self, command: wire.Command) -> None:
        params = _require_params(command)
        sids = _require_sids(params)
        if len(sids) != 1:
            raise CommandError(ErrorCode.EXACTLY_ONE_SID)
        subscription = self._find_subscription(sids[0])
        action = {"add_markets": self._add_markets, "delete_markets": self._delete_markets}.get(params.action or "")
        if params.action == "get_snapshot" and subscription.channel == Channel.BOOK:
            action = self._get_snapshot
        if not params.action:
            raise CommandError(ErrorCode.ACTION_REQUIRED)
        if action is None or subscription.channel in CHANNELS_WITHOUT_MARKETS:
            raise CommandError(ErrorCode.UNSUPPORTED_ACTION)
        tickers = self._named_tickers(params)
        if tickers is None:
            raise CommandError(ErrorCode.MARKET_REQUIRED)
        action(subscription, tickers, command, params)

    def _add_markets(
        self, known: ServerSubscription, tickers: list[str], command: wire.Command, params: wire.CommandParams
    ) -> None:
        self._extend_subscription(known, tickers, command, params)

    def _delete_markets(
        self, known: ServerSubscription, tickers: list[str], command: wire.Command, params: wire.CommandParams
    ) -> None:
        for ticker in tickers:
            if known.markets:
                known.markets.pop(ticker, None)
        self._hub.update_subscription(self, known)
        self._send_ok(known, command, params)

    def _get_snapshot(
        self, known: ServerSubscription, tickers: list[str], command: wire.Command, params: wire.CommandParams
    ) -> None:
        if not all(known.includes(ticker) for ticker in tickers):
            raise CommandError(ErrorCode.MARKET_NOT_FOUND, "A market is not part of this subscription")
        self._send_snapshots(known, tickers, params, command.id or UNSET)

    def _find_subscription(self, sid: int) -> ServerSubscription:
        found = self.subscriptions.get(sid)
        if found is None:
            raise CommandError(ErrorCode.UNKNOWN_SID)
        return found

    def _named_tickers(self, params: wire.CommandParams) -> list[str] | None:
        """Return the markets that a command names, None for none. Raises CommandError for one that there is not."""
        named: list[str] = []
        if params.market_ticker:
            named.append(params.market_ticker)
        if params.market_tickers:
            named.extend(params.market_tickers)
        for ticker in named:
            self._hub.require_market(ticker)
        ids = ([params.market_id] if params.market_id else []) + (params.market_ids or [])
        if ids:
            named += self._hub.resolve_market_ids(ids)
        total = sum(len(each.markets or ()) for each in self.subscriptions.values())
        if total + len(named) > MAX_MARKETS_PER_SESSION:
            raise CommandError(ErrorCode.MARKET_LIMIT)
        return named or None


def _check_market_limit(markets: Collection[str]) -> None:
    """Raise CommandError for more markets than one subscription takes."""
    if len(markets) > MAX_MARKETS_PER_SUBSCRIPTION:
        raise CommandError(ErrorCode.MARKET_LIMIT)


def _require_params(command: wire.Command) -> wire.CommandParams:
    if command.params is UNSET:
        raise CommandError(ErrorCode.PARAMS_REQUIRED)
    return command.params


def _require_sids(params: wire.CommandParams) -> list[int]:
    sids = ([] if params.sids is UNSET else params.sids) + ([] if params.sid is UNSET else [params.sid])
    if not sids:
        raise CommandError(ErrorCode.SIDS_REQUIRED)
    return sids
