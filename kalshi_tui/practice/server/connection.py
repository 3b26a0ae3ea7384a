"""One client's connection to the stream: what is sent to it, and its subscriptions (docs/kalshi-api.md, section 5)."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web
from msgspec import UNSET

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire import Channel, ErrorCode
from kalshi_tui.practice.engine.model import split_account_id
from kalshi_tui.practice.server.command_error import ERROR_MESSAGES, CommandError
from kalshi_tui.practice.server.frame_queue import FrameQueue
from kalshi_tui.practice.server.market_frames import MarketFrames
from kalshi_tui.practice.server.stream_subscriptions import (
    MARKET_DATA_CHANNELS,
    SEQUENCED_CHANNELS,
    ServerSubscription,
    SubscriptionIndex,
)


class Connection:
    """One client. Its commands are carried out by a `CommandHandler`."""

    def __init__(
        self,
        market_frames: MarketFrames,
        index: "SubscriptionIndex[Connection]",
        socket: web.WebSocketResponse,
        account_id: str,
        transport: asyncio.WriteTransport | None = None,
        subaccount: int | None = None,
        *,
        clock_ms: Callable[[], int],
    ) -> None:
        """Take the parts; ``clock_ms`` is the clock that says when a frame was sent."""
        self._transport = transport
        self._clock_ms = clock_ms
        self._market_frames = market_frames
        self._index = index
        self.socket = socket
        self.account_id = account_id
        self._subaccount = subaccount
        self.frames = FrameQueue()
        self.subscriptions: dict[int, ServerSubscription] = {}
        self.by_channel: dict[str, ServerSubscription] = {}
        self.frame_faults: dict[str, int] = {}
        """How many of the next numbered frames are to be skipped, doubled or corrupted."""
        self._ended_book_subscription: ServerSubscription | None = None

    def owns(self, account_id: str) -> bool:
        """Return whether an account is the client's: one of its subaccounts, or the one that its key is locked to."""
        member_id, number = split_account_id(account_id)
        return member_id == self.account_id and self._subaccount in {None, number}

    def send(self, frame: bytes, *, market_data: bool = False) -> None:
        """Put a frame in line. Market data beyond the buffer end their subscription; private frames are never shed."""
        if market_data and self.frames.is_full:
            self.end_market_data()
        elif not self.frames.put(b'%b,"sending_ts_ms":%d}' % (frame[:-1], self._clock_ms()), market_data=market_data):
            self.abort()

    def send_error(self, number: Any, error: CommandError) -> None:
        """Send the error frame of a command."""
        self.send(wire.encode(wire.ErrorFrame(id=number, msg=wire.ErrorMsg(code=error.code, msg=error.detail))))

    @property
    def is_behind(self) -> bool:
        """Whether much waits for this reader already."""
        return self.frames.is_behind

    def end_subscription(self, subscription: ServerSubscription) -> None:
        """Forget a subscription, on either side."""
        if subscription.channel == Channel.BOOK:
            self._ended_book_subscription = subscription
        self.subscriptions.pop(subscription.sid, None)
        self.by_channel.pop(subscription.channel, None)
        self._index.remove(self, subscription)

    def end_market_data(self) -> None:
        """End all market data subscriptions of a reader that is too slow: what waits of them is thrown away."""
        self.frames.drop_market_data()
        for subscription in [each for each in self.subscriptions.values() if each.channel in MARKET_DATA_CHANNELS]:
            self.end_subscription(subscription)
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
        """Skip, repeat or cut a numbered frame where that is set. Return whether it was done."""
        for fault in ("skip", "duplicate", "corrupt"):
            if self.frame_faults.get(fault, 0) > 0:
                break
        else:
            self.frame_faults.clear()
            return False
        self.frame_faults[fault] -= 1
        frame = b'{"type":"%b","sid":%d,"seq":%d,"msg":%b}' % (kind, subscription.sid, subscription.next_seq(), msg)
        copies = {"skip": [], "duplicate": [frame, frame], "corrupt": [frame[: len(frame) // 2]]}
        for each in copies[fault]:
            self.send(each, market_data=subscription.channel in MARKET_DATA_CHANNELS)
        return True

    def send_old_sid_frames(self, count: int) -> None:
        """Send late frames of the book subscription that was last given up, as a real exchange may."""
        old = self._ended_book_subscription
        if old is None or not old.markets:
            return
        ticker = next(iter(old.markets))
        for _ in range(count):
            self.send(self._market_frames.encode_snapshot(old, ticker, UNSET), market_data=True)

    async def ping_loop(self, interval_s: float) -> None:
        """Send the exchange's pings."""
        while not self.socket.closed:
            await asyncio.sleep(interval_s)
            await self.socket.ping(wire.HEARTBEAT)

    async def write_loop(self) -> None:
        """Write what waits, until the connection ends."""
        while not self.socket.closed:
            await self.frames.write_to(self.socket.send_str)

    def abort(self) -> None:
        """Break the connection off; what waited is thrown away."""
        self.frames.clear()
        if self._transport is not None:
            self._transport.abort()
