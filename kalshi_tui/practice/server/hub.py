"""The WebSocket side: every connection, and the frames of what the engine says (docs/kalshi-api.md, sections 4 and 5).

A frame's ``msg`` is encoded once and shared; only ``sid`` and ``seq`` differ from one subscription to the next. What a
reader has not taken yet is bounded: beyond it, its market data subscriptions end with code 25.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from aiohttp import WSMsgType, web
from msgspec import Struct

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire import Channel
from kalshi_tui.practice.engine.events import (
    BookChanged,
    EngineEvent,
    EventListed,
    FeeOverridesChanged,
    GroupChange,
    GroupChanged,
    LifecycleChanged,
    LifecycleType,
    OrderChanged,
    OrderFilled,
    PositionChanged,
    QuoteChanged,
    TradePrinted,
)
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.server import encode_frames
from kalshi_tui.practice.server.commands import MAX_COMMAND_BYTES, CommandHandler
from kalshi_tui.practice.server.connection import Connection
from kalshi_tui.practice.server.faults import OrderFrameFault
from kalshi_tui.practice.server.market_frames import MarketFrames
from kalshi_tui.practice.server.stream_subscriptions import SubscriptionIndex

UNTOLD_OF_COMBOS: Final = frozenset({LifecycleType.METADATA_UPDATED, LifecycleType.GRID_UPDATED})


class Hub:
    """All connections; turns the engine's events into frames for whoever wants them."""

    def __init__(self, exchange: Exchange, loop_time: Callable[[], float], clock_ms: Callable[[], int]) -> None:
        """Serve an exchange; ``clock_ms`` is the clock by which frames say when they were sent."""
        self._exchange = exchange
        self.loop_time = loop_time
        self._clock_ms = clock_ms
        self.order_frame_fault = OrderFrameFault()
        self.connections: dict[Connection, None] = {}
        self.market_frames = MarketFrames(exchange)
        self.index: SubscriptionIndex[Connection] = SubscriptionIndex()
        self._event_handlers: dict[type, Callable[[Any], None]] = {
            BookChanged: self._on_book_changed,
            TradePrinted: self._on_trade_printed,
            OrderFilled: self._on_order_filled,
            OrderChanged: self._on_order_changed,
            PositionChanged: self._on_position_changed,
            LifecycleChanged: self._on_lifecycle_changed,
            EventListed: self._on_event_listed,
            FeeOverridesChanged: self._on_event_fees_changed,
            GroupChanged: self._on_group_changed,
        }

    async def serve(
        self, request: web.Request, account_id: str, ping_interval_s: float, *, subaccount: int | None = None
    ) -> web.WebSocketResponse:
        """Run one client's session to its end; ``subaccount`` is the one that its key is locked to."""
        socket = web.WebSocketResponse(compress=True, max_msg_size=MAX_COMMAND_BYTES, autoping=True)
        await socket.prepare(request)
        connection = Connection(
            self.market_frames, self.index, socket, account_id, request.transport, subaccount, clock_ms=self._clock_ms
        )
        commands = CommandHandler(connection, self.market_frames, self.index, self.loop_time)
        self.connections[connection] = None
        # Not a task group: these end with the client's session, never the session with one of them.
        beside = [
            asyncio.create_task(connection.write_loop()),
            asyncio.create_task(connection.ping_loop(ping_interval_s)),
        ]
        try:
            async for message in socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    commands.handle(message.data)
        finally:
            del self.connections[connection]
            for subscription in list(connection.subscriptions.values()):
                self.index.remove(connection, subscription)
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        return socket

    async def close(self) -> None:
        """Close every connection."""
        for connection in list(self.connections):
            await connection.socket.close(code=1001, message=b"the exchange ends")

    @property
    def is_behind(self) -> bool:
        """Whether much waits for any reader."""
        return any(connection.is_behind for connection in self.connections)

    def drop_connections(self) -> None:
        """Cut every connection off without a close frame."""
        for connection in self.connections:
            connection.abort()

    def inject_frame_fault(self, fault: str, count: int) -> None:
        """Skip, duplicate or corrupt the next ``count`` numbered frames of every connection."""
        for connection in self.connections:
            connection.frame_faults[fault] = count

    def send_old_sid_frames(self, count: int) -> None:
        """Send every connection late frames of a subscription that it has given up."""
        for connection in self.connections:
            connection.send_old_sid_frames(count)

    def end_market_data(self) -> None:
        """Treat every reader as too slow."""
        for connection in self.connections:
            connection.end_market_data()

    def publish(self, events: Iterable[EngineEvent]) -> None:
        """Send what happened. A quote that changed several times in one batch is sent once, as it is now."""
        quoted: dict[str, None] = {}
        for event in events:
            if isinstance(event, QuoteChanged):
                quoted[event.ticker] = None
            elif (tell := self._event_handlers.get(type(event))) is not None:
                tell(event)
        for ticker in quoted:
            wanting = self.index.find(Channel.TICKER, ticker)
            if wanting:
                msg = self.market_frames.encode_ticker(ticker)
                for connection, subscription in wanting:
                    connection.send_numbered(subscription, b"ticker", msg)

    def _on_book_changed(self, event: BookChanged) -> None:
        shared: dict[bool, bytes] = {}
        for connection, subscription in self.index.find(Channel.BOOK, event.ticker):
            flipped = self.market_frames.is_flipped(subscription)
            if event.account_id is not None and connection.owns(event.account_id):
                msg = self.market_frames.encode_delta(event, flipped, is_own=True)
            else:
                msg = shared.get(flipped) or shared.setdefault(
                    flipped, self.market_frames.encode_delta(event, flipped, is_own=False)
                )
            connection.send_numbered(subscription, b"orderbook_delta", msg)

    def _on_trade_printed(self, event: TradePrinted) -> None:
        wanting = self.index.find(Channel.TRADE, event.trade.ticker)
        if not wanting:
            return
        msg = wire.encode(encode_frames.trade(event.trade))
        for connection, subscription in wanting:
            connection.send_numbered(subscription, b"trade", msg)

    def _send_private(self, account_id: str, channel: str, kind: bytes, ticker: str, msg: Struct) -> None:
        encoded = b""
        for connection, subscription in self.index.find(channel, ticker):
            if connection.owns(account_id):
                encoded = encoded or wire.encode(msg)
                connection.send_numbered(subscription, kind, encoded)

    def _on_order_filled(self, event: OrderFilled) -> None:
        fill = event.fill
        self._send_private(fill.account_id, Channel.FILL, b"fill", fill.ticker, encode_frames.fill(fill))

    def _on_order_changed(self, event: OrderChanged) -> None:
        order = event.order
        msg = self.order_frame_fault.apply(encode_frames.user_order(order))
        self._send_private(order.account_id, Channel.ORDERS, b"user_order", order.ticker, msg)

    def _on_position_changed(self, event: PositionChanged) -> None:
        held = event.position
        self._send_private(
            held.account_id, Channel.POSITIONS, b"market_position", held.ticker, encode_frames.market_position(held)
        )

    def _on_lifecycle_changed(self, event: LifecycleChanged) -> None:
        """Send a change in a market's life. Combos have a channel of their own, with fewer kinds of news."""
        listing = self._exchange.markets.listings[event.ticker]
        is_combo = bool(listing.terms.legs)
        channel = Channel.COMBO_LIFECYCLE if is_combo else Channel.LIFECYCLE
        wanting = self.index.find(channel, event.ticker)
        if not wanting or (is_combo and event.event_type in UNTOLD_OF_COMBOS):
            return
        msg = wire.encode(encode_frames.lifecycle(listing, event))
        for connection, subscription in wanting:
            connection.send_numbered(subscription, channel.encode(), msg)

    def _on_event_listed(self, event: EventListed) -> None:
        channel = Channel.COMBO_LIFECYCLE if event.event.collection_ticker else Channel.LIFECYCLE
        wanting = self.index.find(channel, "")
        if not wanting:
            return
        msg = wire.encode(encode_frames.event_listed(event.event))
        for connection, subscription in wanting:
            connection.send_numbered(subscription, b"event_lifecycle", msg)

    def _on_event_fees_changed(self, event: FeeOverridesChanged) -> None:
        wanting = self.index.find(Channel.LIFECYCLE, "")
        if not wanting:
            return
        msg = wire.encode(encode_frames.event_fees(event.event))
        for connection, subscription in wanting:
            connection.send_numbered(subscription, b"event_fee_update", msg)

    def _on_group_changed(self, event: GroupChanged) -> None:
        if event.change is not GroupChange.COUNTED:
            msg = encode_frames.order_group(event, self._exchange.clock.now)
            self._send_private(event.group.account_id, Channel.ORDER_GROUPS, b"order_group_updates", "", msg)
