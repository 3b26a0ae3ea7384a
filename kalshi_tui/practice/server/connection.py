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
from kalshi_tui.kalshi.wire import Channel, Code

SILENT: Final = frozenset({"multivariate_market_lifecycle", "communications"})
"""Channels of combos and of requests for quotes, of which there are none here: taken, and never heard of."""
CHANNELS: Final = frozenset(
    {
        Channel.BOOK,
        Channel.TICKER,
        Channel.TRADE,
        Channel.FILL,
        Channel.ORDERS,
        Channel.POSITIONS,
        Channel.LIFECYCLE,
        Channel.ORDER_GROUPS,
        *SILENT,
    }
)
MARKET_DATA: Final = frozenset({Channel.BOOK, Channel.TICKER, Channel.TRADE})
SEQUENCED: Final = frozenset({Channel.BOOK, Channel.TRADE, Channel.LIFECYCLE, Channel.ORDER_GROUPS})
"""The channels whose frames carry ``seq``."""
WITHOUT_MARKETS: Final = frozenset({Channel.LIFECYCLE, Channel.ORDER_GROUPS}) | SILENT
BUFFER_FRAMES: Final = 50_000
BUFFER_BYTES: Final = 32 * 1024 * 1024
"""Frames, and bytes of frames, that wait for a slow reader before its market data end."""
MOST_BYTES: Final = 2 * BUFFER_BYTES
"""What may wait in all, the account's own news and answers included, before a reader is cut off: it reads nothing."""
FRAME_BYTES: Final = 100
"""What a waiting frame costs beside its own bytes; so that empty ones count too."""
WRITE_AT_ONCE: Final = 500
LARGEST_FRAME: Final = 4 * 1024 * 1024
"""Bytes of a command: the largest names tens of thousands of markets."""
COMMANDS_PER_SECOND: Final = 10_000
MARKETS_PER_SESSION: Final = 500_000
MARKETS_PER_SUBSCRIPTION: Final = 500_000
ERROR_WORDS: Final = {
    Code.GENERAL: "Unable to process message",
    Code.PARAMS_REQUIRED: "Params required",
    Code.CHANNELS_REQUIRED: "Channels required",
    Code.SIDS_REQUIRED: "Subscription IDs required",
    Code.UNKNOWN_COMMAND: "Unknown command",
    Code.UNKNOWN_SID: "Unknown subscription ID",
    Code.UNKNOWN_CHANNEL: "Unknown channel name",
    Code.INVALID_PARAMETER: "Invalid parameter",
    Code.EXACTLY_ONE_SID: "Exactly one subscription ID is required",
    Code.UNSUPPORTED_ACTION: "Unsupported action",
    Code.MARKET_REQUIRED: "Market ticker required",
    Code.ACTION_REQUIRED: "Action required",
    Code.MARKET_NOT_FOUND: "Market not found",
    Code.BUFFER_OVERFLOW: "Subscription buffer overflow",
    Code.MARKET_LIMIT: "Market limit exceeded",
    Code.COMMAND_RATE: "Command rate exceeded",
}


class Source(Protocol):
    """What a session asks of the hub that it belongs to."""

    def loop_time(self) -> float:
        """Give the time of the event loop, in seconds."""

    def subscribed(self, connection: "Connection", subscription: "Subscription") -> None:
        """Note which markets a subscription wants now."""

    def unsubscribed(self, connection: "Connection", subscription: "Subscription") -> None:
        """Forget a subscription."""

    def require(self, ticker: str) -> None:
        """Raise CommandError for a market that does not exist."""

    def tickers_of(self, market_ids: Iterable[str]) -> list[str]:
        """Give the tickers of markets by their ids. Raises CommandError for one that does not exist."""

    def snapshot(self, subscription: "Subscription", ticker: str, number: Any) -> bytes:
        """Give a book's snapshot frame with the subscription's next number."""

    def ticker(self, ticker: str) -> bytes:
        """Give the ``msg`` of a market's ticker frame."""


class CommandError(Exception):
    """A command that cannot be carried out; ``code`` is one of `Code`."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.detail = detail or ERROR_WORDS[code]
        super().__init__(self.detail)


class Subscription:
    """One sid: a channel, its markets (None for all), the next number of its sequence."""

    __slots__ = ("channel", "markets", "seq", "sid", "yes_price")

    def __init__(self, sid: int, channel: str, markets: dict[str, None] | None, *, yes_price: bool) -> None:
        self.sid = sid
        self.channel = channel
        self.markets = markets
        self.seq = 0
        self.yes_price = yes_price

    def wants(self, ticker: str) -> bool:
        """Say whether a market's frames go to this subscription."""
        return self.markets is None or ticker in self.markets

    def next_seq(self) -> int:
        """Take the next number."""
        self.seq += 1
        return self.seq


class Connection:
    """One client's session."""

    def __init__(
        self,
        hub: Source,
        socket: web.WebSocketResponse,
        account_id: str,
        transport: asyncio.WriteTransport | None = None,
    ) -> None:
        self._transport = transport
        self._hub = hub
        self.socket = socket
        self.account_id = account_id
        self.subscriptions: dict[int, Subscription] = {}
        self.by_channel: dict[str, Subscription] = {}
        self._last_sid = 0
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._commands: deque[float] = deque()
        self.spoils: dict[str, int] = {}
        """How many of the next numbered frames are to be skipped, doubled or corrupted."""
        self._given_up: Subscription | None = None

    # Sending.

    def send(self, frame: bytes, *, market_data: bool = False) -> None:
        """Put a frame in line. Market data beyond the buffer end their subscription; private frames are never shed."""
        if market_data and (len(self._waiting) >= BUFFER_FRAMES or self._bytes >= BUFFER_BYTES):
            self.overflow()
            return
        self._bytes += len(frame) + FRAME_BYTES
        if self._bytes > MOST_BYTES:
            self.cut()
            return
        self._waiting.append((frame, market_data))
        self._news.set()

    @property
    def behind(self) -> bool:
        """Whether much waits for this reader already; whoever can wait had better send no more now."""
        return len(self._waiting) >= BUFFER_FRAMES // 5 or self._bytes >= BUFFER_BYTES // 5

    def overflow(self) -> None:
        """End all market data subscriptions of a reader that is too slow: what waits of them is thrown away."""
        self._waiting = deque(each for each in self._waiting if not each[1])
        self._bytes = sum(len(frame) + FRAME_BYTES for frame, _ in self._waiting)
        for subscription in [each for each in self.subscriptions.values() if each.channel in MARKET_DATA]:
            self._forget(subscription)
            error = wire.ErrorMsg(code=Code.BUFFER_OVERFLOW, msg=ERROR_WORDS[Code.BUFFER_OVERFLOW])
            self.send(wire.encode(wire.ErrorFrame(sid=subscription.sid, seq=subscription.next_seq(), msg=error)))

    def send_numbered(self, subscription: Subscription, kind: bytes, msg: bytes) -> None:
        """Send a shared ``msg`` under a subscription's own sid and, where the channel has one, sequence number."""
        channel = subscription.channel
        if channel in SEQUENCED:
            if self.spoils and self._spoil(subscription, kind, msg):
                return
            frame = b'{"type":"%b","sid":%d,"seq":%d,"msg":%b}' % (kind, subscription.sid, subscription.next_seq(), msg)
        else:
            frame = b'{"type":"%b","sid":%d,"msg":%b}' % (kind, subscription.sid, msg)
        self.send(frame, market_data=channel in MARKET_DATA)

    def _spoil(self, subscription: Subscription, kind: bytes, msg: bytes) -> bool:
        """Do to a numbered frame what was asked for; give whether it was."""
        for spoil in ("skip", "duplicate", "corrupt"):
            if self.spoils.get(spoil, 0) > 0:
                break
        else:
            self.spoils.clear()
            return False
        self.spoils[spoil] -= 1
        frame = b'{"type":"%b","sid":%d,"seq":%d,"msg":%b}' % (kind, subscription.sid, subscription.next_seq(), msg)
        copies = {"skip": [], "duplicate": [frame, frame], "corrupt": [frame[: len(frame) // 2]]}
        for each in copies[spoil]:
            self.send(each, market_data=subscription.channel in MARKET_DATA)
        return True

    def send_old_sid_frames(self, count: int) -> None:
        """Send late frames of the book subscription that was last given up, as a real exchange may."""
        old = self._given_up
        if old is None or not old.markets:
            return
        ticker = next(iter(old.markets))
        for _ in range(count):
            self.send(self._hub.snapshot(old, ticker, UNSET), market_data=True)

    async def write(self) -> None:
        """Write what waits, until the connection ends."""
        while not self.socket.closed:
            await self._news.wait()
            self._news.clear()
            written = 0
            while self._waiting:
                frame, _ = self._waiting.popleft()
                self._bytes -= len(frame) + FRAME_BYTES
                await self.socket.send_str(frame.decode())
                written += 1
                if written % WRITE_AT_ONCE == 0:
                    await asyncio.sleep(0)

    def cut(self) -> None:
        """Break the connection off; what waited is thrown away."""
        self._waiting.clear()
        if self._transport is not None:
            self._transport.abort()

    async def ping(self, every_s: float) -> None:
        """Send the exchange's pings."""
        while not self.socket.closed:
            await asyncio.sleep(every_s)
            await self.socket.ping(wire.HEARTBEAT)

    # Commands.

    def receive(self, data: str | bytes) -> None:
        """Carry out one command; what is wrong with it is answered with an error frame."""
        number: int | Any = UNSET
        try:
            command = wire.decode_command(data)
            number = command.id or UNSET
            self._count_command()
            handler = {
                "subscribe": self._subscribe,
                "unsubscribe": self._unsubscribe,
                "update_subscription": self._update,
                "list_subscriptions": self._list,
            }.get(command.cmd)
            if handler is None:
                self._refuse(number, CommandError(Code.UNKNOWN_COMMAND))
            else:
                handler(command)
        except wire.DecodeError:
            self._refuse(UNSET, CommandError(Code.GENERAL))
        except CommandError as error:
            self._refuse(number, error)

    def _count_command(self) -> None:
        now = self._hub.loop_time()
        self._commands.append(now)
        while self._commands[0] < now - 1:
            self._commands.popleft()
        if len(self._commands) > COMMANDS_PER_SECOND:
            raise CommandError(Code.COMMAND_RATE)

    def _refuse(self, number: Any, error: CommandError) -> None:
        self.send(wire.encode(wire.ErrorFrame(id=number, msg=wire.ErrorMsg(code=error.code, msg=error.detail))))

    def _subscribe(self, command: wire.Command) -> None:
        params = _params(command)
        if not params.channels:
            raise CommandError(Code.CHANNELS_REQUIRED)
        if any(channel not in CHANNELS for channel in params.channels):
            raise CommandError(Code.UNKNOWN_CHANNEL)
        tickers = self._tickers(params)
        if Channel.BOOK in params.channels and not (params.market_ticker or params.market_tickers):
            # Books are named by ticker; ids are for the other channels.
            raise CommandError(Code.MARKET_REQUIRED)
        if tickers and WITHOUT_MARKETS.intersection(params.channels):
            raise CommandError(Code.INVALID_PARAMETER, "This channel takes no markets")
        for channel in dict.fromkeys(params.channels):
            known = self.by_channel.get(channel)
            if known is not None:
                self._add(known, tickers, command, params)
                continue
            _require_room(tickers or ())
            self._last_sid += 1
            markets = None if tickers is None else dict.fromkeys(tickers)
            made = Subscription(self._last_sid, channel, markets, yes_price=params.use_yes_price is True)
            self.subscriptions[made.sid] = self.by_channel[channel] = made
            self._hub.subscribed(self, made)
            msg = wire.SubscribedMsg(channel=channel, sid=made.sid)
            self.send(wire.encode(wire.SubscribedFrame(id=command.id or UNSET, msg=msg)))
            self._snapshots(made, tickers or [], params)

    def _snapshots(
        self, subscription: Subscription, tickers: Iterable[str], params: wire.CommandParams, number: Any = UNSET
    ) -> None:
        """Send what a market begins with: its book, or its ticker where that was asked for."""
        if subscription.channel == Channel.BOOK:
            for ticker in tickers:
                self.send(self._hub.snapshot(subscription, ticker, number), market_data=True)
        elif subscription.channel == Channel.TICKER and params.send_initial_snapshot is True:
            for ticker in tickers:
                self.send_numbered(subscription, b"ticker", self._hub.ticker(ticker))

    def _add(
        self, known: Subscription, tickers: list[str] | None, command: wire.Command, params: wire.CommandParams
    ) -> None:
        """Add markets to an active subscription; only new ones get a snapshot (docs/kalshi-api.md, section 4)."""
        if known.markets is None or tickers is None:
            known.markets = None if tickers is None else known.markets
            fresh: list[str] = []
        else:
            markets = known.markets
            fresh = [ticker for ticker in dict.fromkeys(tickers) if ticker not in markets]
            _require_room([*markets, *fresh])
            markets.update(dict.fromkeys(fresh))
        self._hub.subscribed(self, known)
        self._ok(known, command, params)
        self._snapshots(known, fresh, params)

    def _ok(self, subscription: Subscription, command: wire.Command, params: wire.CommandParams) -> None:
        msg: Any = UNSET
        if params.skip_ticker_ack is not True:
            msg = wire.OkMsg(market_tickers=sorted(subscription.markets or ()))
        frame = wire.OkFrame(id=command.id or UNSET, sid=subscription.sid, seq=subscription.next_seq(), msg=msg)
        self.send(wire.encode(frame))

    def _unsubscribe(self, command: wire.Command) -> None:
        for subscription in [self._known(sid) for sid in _sids(_params(command))]:
            self._forget(subscription)
            seq = subscription.next_seq()
            self.send(wire.encode(wire.UnsubscribedFrame(id=command.id or UNSET, sid=subscription.sid, seq=seq)))

    def _forget(self, subscription: Subscription) -> None:
        if subscription.channel == Channel.BOOK:
            self._given_up = subscription
        self.subscriptions.pop(subscription.sid, None)
        self.by_channel.pop(subscription.channel, None)
        self._hub.unsubscribed(self, subscription)

    def _list(self, command: wire.Command) -> None:
        listed = [wire.SubscribedMsg(channel=each.channel, sid=sid) for sid, each in self.subscriptions.items()]
        self.send(wire.encode(wire.OkFrame(id=command.id or UNSET, msg=listed)))

    def _update(self, command: wire.Command) -> None:
        params = _params(command)
        sids = _sids(params)
        if len(sids) != 1:
            raise CommandError(Code.EXACTLY_ONE_SID)
        subscription = self._known(sids[0])
        action = {"add_markets": self._add_markets, "delete_markets": self._delete_markets}.get(params.action or "")
        if params.action == "get_snapshot" and subscription.channel == Channel.BOOK:
            action = self._get_snapshot
        if not params.action:
            raise CommandError(Code.ACTION_REQUIRED)
        if action is None or subscription.channel in WITHOUT_MARKETS:
            raise CommandError(Code.UNSUPPORTED_ACTION)
        tickers = self._tickers(params)
        if tickers is None:
            raise CommandError(Code.MARKET_REQUIRED)
        action(subscription, tickers, command, params)

    def _add_markets(
        self, known: Subscription, tickers: list[str], command: wire.Command, params: wire.CommandParams
    ) -> None:
        self._add(known, tickers, command, params)

    def _delete_markets(
        self, known: Subscription, tickers: list[str], command: wire.Command, params: wire.CommandParams
    ) -> None:
        for ticker in tickers:
            if known.markets:
                known.markets.pop(ticker, None)
        self._hub.subscribed(self, known)
        self._ok(known, command, params)

    def _get_snapshot(
        self, known: Subscription, tickers: list[str], command: wire.Command, params: wire.CommandParams
    ) -> None:
        if not all(known.wants(ticker) for ticker in tickers):
            raise CommandError(Code.MARKET_NOT_FOUND, "A market is not part of this subscription")
        self._snapshots(known, tickers, params, command.id or UNSET)

    def _known(self, sid: int) -> Subscription:
        found = self.subscriptions.get(sid)
        if found is None:
            raise CommandError(Code.UNKNOWN_SID)
        return found

    def _tickers(self, params: wire.CommandParams) -> list[str] | None:
        """Give the markets that a command names, None for none. Raises CommandError for one that there is not."""
        named: list[str] = []
        if params.market_ticker:
            named.append(params.market_ticker)
        if params.market_tickers:
            named.extend(params.market_tickers)
        for ticker in named:
            self._hub.require(ticker)
        ids = ([params.market_id] if params.market_id else []) + (params.market_ids or [])
        if ids:
            named += self._hub.tickers_of(ids)
        total = sum(len(each.markets or ()) for each in self.subscriptions.values())
        if total + len(named) > MARKETS_PER_SESSION:
            raise CommandError(Code.MARKET_LIMIT)
        return named or None


def _require_room(markets: Collection[str]) -> None:
    """Raise CommandError for more markets than one subscription takes."""
    if len(markets) > MARKETS_PER_SUBSCRIPTION:
        raise CommandError(Code.MARKET_LIMIT)


def _params(command: wire.Command) -> wire.CommandParams:
    if command.params is UNSET:
        raise CommandError(Code.PARAMS_REQUIRED)
    return command.params


def _sids(params: wire.CommandParams) -> list[int]:
    sids = ([] if params.sids is UNSET else params.sids) + ([] if params.sid is UNSET else [params.sid])
    if not sids:
        raise CommandError(Code.SIDS_REQUIRED)
    return sids
