"""The WebSocket side: every connection, and the frames of what the engine says (docs/kalshi-api.md, sections 4 and 5).

A frame's ``msg`` is encoded once and shared; only ``sid`` and ``seq`` differ from one subscription to the next. What a
reader has not taken yet is bounded: beyond it, its market data subscriptions end with code 25.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import WSMsgType, web
from msgspec import Struct

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire import Channel, ErrorCode
from kalshi_tui.practice.engine.events import (
    BookChanged,
    EngineEvent,
    EventListed,
    GroupChange,
    GroupChanged,
    LifecycleChanged,
    OrderChanged,
    OrderFilled,
    PositionChanged,
    QuoteChanged,
    TradePrinted,
)
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server import encode_frames
from kalshi_tui.practice.server.connection import (
    MAX_COMMAND_BYTES,
    CommandError,
    Connection,
    ServerSubscription,
)


class Hub:
    """All connections; turns the engine's events into frames for whoever wants them."""

    def __init__(self, exchange: Exchange, loop_time: Callable[[], float]) -> None:
        self._exchange = exchange
        self.loop_time = loop_time
        self.connections: dict[Connection, None] = {}
        self._subscribers: dict[str, dict[str, dict[Connection, ServerSubscription]]] = {}
        """By channel and ticker, who wants its frames; the key "" holds those who want all."""
        self._event_handlers: dict[type, Callable[[Any], None]] = {
            BookChanged: self._on_book_changed,
            TradePrinted: self._on_trade_printed,
            OrderFilled: self._on_order_filled,
            OrderChanged: self._on_order_changed,
            PositionChanged: self._on_position_changed,
            LifecycleChanged: self._on_lifecycle_changed,
            EventListed: self._on_event_listed,
            GroupChanged: self._on_group_changed,
        }

    async def serve(self, request: web.Request, account_id: str, ping_interval_s: float) -> web.WebSocketResponse:
        """Run one client's session to its end."""
        socket = web.WebSocketResponse(compress=True, max_msg_size=MAX_COMMAND_BYTES, autoping=True)
        await socket.prepare(request)
        connection = Connection(self, socket, account_id, request.transport)
        self.connections[connection] = None
        beside = [
            asyncio.create_task(connection.write_loop()),
            asyncio.create_task(connection.ping_loop(ping_interval_s)),
        ]
        try:
            async for message in socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    connection.handle_command(message.data)
        finally:
            del self.connections[connection]
            for subscription in list(connection.subscriptions.values()):
                self.remove_subscription(connection, subscription)
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
        """Cut every connection without a word."""
        for connection in self.connections:
            connection.abort()

    def inject_frame_fault(self, fault: str, count: int) -> None:
        """Skip, duplicate or corrupt the next ``count`` numbered frames of every connection."""
        for connection in self.connections:
            connection.frame_faults[fault] = count

    def send_old_sid_frames(self, count: int) -> None:
        """Let every connection have late frames of a subscription that it has given up."""
        for connection in self.connections:
            connection.send_old_sid_frames(count)

    def end_market_data(self) -> None:
        """Treat every reader as too slow."""
        for connection in self.connections:
            connection.end_market_data()

    def update_subscription(self, connection: Connection, subscription: ServerSubscription) -> None:
        """Note which markets a subscription wants now."""
        self.remove_subscription(connection, subscription)
        tickers = self._subscribers.setdefault(subscription.channel, {})
        for ticker in subscription.markets if subscription.markets is not None else ("",):
            tickers.setdefault(ticker, {})[connection] = subscription

    def remove_subscription(self, connection: Connection, subscription: ServerSubscription) -> None:
        """Forget a subscription."""
        for wanting in self._subscribers.get(subscription.channel, {}).values():
            wanting.pop(connection, None)

    def require_market(self, ticker: str) -> None:
        """Raise CommandError for a market that does not exist."""
        try:
            self._exchange.markets.listing(ticker)
        except Rejection:
            raise CommandError(ErrorCode.MARKET_NOT_FOUND) from None

    def resolve_market_ids(self, market_ids: Iterable[str]) -> list[str]:
        """Return the tickers of markets by their ids. Raises CommandError for one that does not exist."""
        by_id = {listing.market_id: ticker for ticker, listing in self._exchange.markets.listings.items()}
        try:
            return [by_id[market_id] for market_id in market_ids]
        except KeyError:
            raise CommandError(ErrorCode.MARKET_NOT_FOUND) from None

    def publish(self, events: Iterable[EngineEvent]) -> None:
        """Send what happened. Quotes that changed several times in one batch are told once, as they are now."""
        quoted: dict[str, None] = {}
        for event in events:
            if isinstance(event, QuoteChanged):
                quoted[event.ticker] = None
            elif (tell := self._event_handlers.get(type(event))) is not None:
                tell(event)
        for ticker in quoted:
            wanting = self._subscribers_of(Channel.TICKER, ticker)
            if wanting:
                msg = self.encode_ticker(ticker)
                for connection, subscription in wanting:
                    connection.send_numbered(subscription, b"ticker", msg)

    def _subscribers_of(self, channel: str, ticker: str) -> list[tuple[Connection, ServerSubscription]]:
        tickers = self._subscribers.get(channel)
        if not tickers:
            return []
        named, all_of_them = tickers.get(ticker) if ticker else None, tickers.get("")
        found = list(named.items()) if named else []
        return found + list(all_of_them.items()) if all_of_them else found

    def _on_book_changed(self, event: BookChanged) -> None:
        shared: dict[bool, bytes] = {}
        for connection, subscription in self._subscribers_of(Channel.BOOK, event.ticker):
            flipped = subscription.yes_price
            if event.account_id is not None and event.account_id == connection.account_id:
                msg = self._encode_delta(event, flipped, is_own=True)
            else:
                msg = shared.get(flipped) or shared.setdefault(
                    flipped, self._encode_delta(event, flipped, is_own=False)
                )
            connection.send_numbered(subscription, b"orderbook_delta", msg)

    def _encode_delta(self, event: BookChanged, flipped: bool, *, is_own: bool) -> bytes:
        market_id = self._exchange.markets.listings[event.ticker].market_id
        return wire.encode(encode_frames.delta(event, market_id, flipped=flipped, is_own=is_own))

    def encode_snapshot(self, subscription: ServerSubscription, ticker: str, number: Any) -> bytes:
        """Return a book's snapshot frame with the subscription's next number."""
        msg = encode_frames.snapshot(self._exchange.markets.listings[ticker], flipped=subscription.yes_price)
        frame = wire.SnapshotFrame(id=number, sid=subscription.sid, seq=subscription.next_seq(), msg=msg)
        return wire.encode(frame)

    def encode_ticker(self, ticker: str) -> bytes:
        """Return the ``msg`` of a market's ticker frame."""
        return wire.encode(encode_frames.ticker(self._exchange.markets.listings[ticker], self._exchange.clock.now))

    def _on_trade_printed(self, event: TradePrinted) -> None:
        wanting = self._subscribers_of(Channel.TRADE, event.trade.ticker)
        if not wanting:
            return
        msg = wire.encode(encode_frames.trade(event.trade))
        for connection, subscription in wanting:
            connection.send_numbered(subscription, b"trade", msg)

    def _send_private(self, account_id: str, channel: str, kind: bytes, ticker: str, msg: Struct) -> None:
        encoded = b""
        for connection, subscription in self._subscribers_of(channel, ticker):
            if connection.account_id == account_id:
                encoded = encoded or wire.encode(msg)
                connection.send_numbered(subscription, kind, encoded)

    def _on_order_filled(self, event: OrderFilled) -> None:
        fill = event.fill
        self._send_private(fill.account_id, Channel.FILL, b"fill", fill.ticker, encode_frames.fill(fill))

    def _on_order_changed(self, event: OrderChanged) -> None:
        order = event.order
        self._send_private(
            order.account_id, Channel.ORDERS, b"user_order", order.ticker, encode_frames.user_order(order)
        )

    def _on_position_changed(self, event: PositionChanged) -> None:
        held = event.position
        self._send_private(
            held.account_id, Channel.POSITIONS, b"market_position", held.ticker, encode_frames.market_position(held)
        )

    def _on_lifecycle_changed(self, event: LifecycleChanged) -> None:
        wanting = self._subscribers_of(Channel.LIFECYCLE, event.ticker)
        if not wanting:
            return
        msg = wire.encode(encode_frames.lifecycle(self._exchange.markets.listings[event.ticker], event))
        for connection, subscription in wanting:
            connection.send_numbered(subscription, b"market_lifecycle_v2", msg)

    def _on_event_listed(self, event: EventListed) -> None:
        wanting = self._subscribers_of(Channel.LIFECYCLE, "")
        if not wanting:
            return
        msg = wire.encode(encode_frames.event_listed(event.event))
        for connection, subscription in wanting:
            connection.send_numbered(subscription, b"event_lifecycle", msg)

    def _on_group_changed(self, event: GroupChanged) -> None:
        if event.change is not GroupChange.COUNTED:
            msg = encode_frames.order_group(event, self._exchange.clock.now)
            self._send_private(event.group.account_id, Channel.ORDER_GROUPS, b"order_group_updates", "", msg)
