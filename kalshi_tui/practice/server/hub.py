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
from kalshi_tui.kalshi.wire import Channel, Code
from kalshi_tui.practice.engine.events import (
    BookChanged,
    EngineEvent,
    EventListed,
    Filled,
    GroupChange,
    GroupChanged,
    Lifecycle,
    OrderChanged,
    PositionChanged,
    QuoteChanged,
    TradePrinted,
)
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.rejection import Refusal
from kalshi_tui.practice.server import encode_frames
from kalshi_tui.practice.server.connection import (
    LARGEST_FRAME,
    CommandError,
    Connection,
    Subscription,
)


class Hub:
    """All connections; turns the engine's events into frames for whoever wants them."""

    def __init__(self, exchange: Exchange, loop_time: Callable[[], float]) -> None:
        self._exchange = exchange
        self.loop_time = loop_time
        self.connections: dict[Connection, None] = {}
        self._by_market: dict[str, dict[str, dict[Connection, Subscription]]] = {}
        """By channel and ticker, who wants its frames; the key "" holds those who want all."""
        self._tellers: dict[type, Callable[[Any], None]] = {
            BookChanged: self._book_changed,
            TradePrinted: self._trade_printed,
            Filled: self._filled,
            OrderChanged: self._order_changed,
            PositionChanged: self._position_changed,
            Lifecycle: self._lifecycle,
            EventListed: self._event_listed,
            GroupChanged: self._group_changed,
        }

    async def serve(self, request: web.Request, account_id: str, ping_every_s: float) -> web.WebSocketResponse:
        """Run one client's session to its end."""
        socket = web.WebSocketResponse(compress=True, max_msg_size=LARGEST_FRAME, autoping=True)
        await socket.prepare(request)
        connection = Connection(self, socket, account_id, request.transport)
        self.connections[connection] = None
        beside = [asyncio.create_task(connection.write()), asyncio.create_task(connection.ping(ping_every_s))]
        try:
            async for message in socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    connection.receive(message.data)
        finally:
            del self.connections[connection]
            for subscription in list(connection.subscriptions.values()):
                self.unsubscribed(connection, subscription)
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        return socket

    async def close(self) -> None:
        """Close every connection."""
        for connection in list(self.connections):
            await connection.socket.close(code=1001, message=b"the exchange ends")

    @property
    def behind(self) -> bool:
        """Whether much waits for any reader."""
        return any(connection.behind for connection in self.connections)

    def drop(self) -> None:
        """Cut every connection without a word."""
        for connection in self.connections:
            connection.cut()

    def spoil(self, spoil: str, count: int) -> None:
        """Skip, duplicate or corrupt the next ``count`` numbered frames of every connection."""
        for connection in self.connections:
            connection.spoils[spoil] = count

    def send_old_sid_frames(self, count: int) -> None:
        """Let every connection have late frames of a subscription that it has given up."""
        for connection in self.connections:
            connection.send_old_sid_frames(count)

    def overflow(self) -> None:
        """Treat every reader as too slow."""
        for connection in self.connections:
            connection.overflow()

    def subscribed(self, connection: Connection, subscription: Subscription) -> None:
        """Note which markets a subscription wants now."""
        self.unsubscribed(connection, subscription)
        tickers = self._by_market.setdefault(subscription.channel, {})
        for ticker in subscription.markets if subscription.markets is not None else ("",):
            tickers.setdefault(ticker, {})[connection] = subscription

    def unsubscribed(self, connection: Connection, subscription: Subscription) -> None:
        """Forget a subscription."""
        for wanting in self._by_market.get(subscription.channel, {}).values():
            wanting.pop(connection, None)

    def require(self, ticker: str) -> None:
        """Raise CommandError for a market that does not exist."""
        try:
            self._exchange.listing(ticker)
        except Refusal:
            raise CommandError(Code.MARKET_NOT_FOUND) from None

    def tickers_of(self, market_ids: Iterable[str]) -> list[str]:
        """Give the tickers of markets by their ids. Raises CommandError for one that does not exist."""
        by_id = {listing.market_id: ticker for ticker, listing in self._exchange.listings.items()}
        try:
            return [by_id[market_id] for market_id in market_ids]
        except KeyError:
            raise CommandError(Code.MARKET_NOT_FOUND) from None

    def publish(self, events: Iterable[EngineEvent]) -> None:
        """Send what happened. Quotes that changed several times in one batch are told once, as they are now."""
        quoted: dict[str, None] = {}
        for event in events:
            if isinstance(event, QuoteChanged):
                quoted[event.ticker] = None
            elif (tell := self._tellers.get(type(event))) is not None:
                tell(event)
        for ticker in quoted:
            wanting = self._wanting(Channel.TICKER, ticker)
            if wanting:
                msg = self.ticker(ticker)
                for connection, subscription in wanting:
                    connection.send_numbered(subscription, b"ticker", msg)

    def _wanting(self, channel: str, ticker: str) -> list[tuple[Connection, Subscription]]:
        tickers = self._by_market.get(channel)
        if not tickers:
            return []
        named, all_of_them = tickers.get(ticker) if ticker else None, tickers.get("")
        found = list(named.items()) if named else []
        return found + list(all_of_them.items()) if all_of_them else found

    def _book_changed(self, event: BookChanged) -> None:
        shared: dict[bool, bytes] = {}
        for connection, subscription in self._wanting(Channel.BOOK, event.ticker):
            flipped = subscription.yes_price
            if event.account_id is not None and event.account_id == connection.account_id:
                msg = self._delta(event, flipped, own=True)
            else:
                msg = shared.get(flipped) or shared.setdefault(flipped, self._delta(event, flipped, own=False))
            connection.send_numbered(subscription, b"orderbook_delta", msg)

    def _delta(self, event: BookChanged, flipped: bool, *, own: bool) -> bytes:
        market_id = self._exchange.listings[event.ticker].market_id
        return wire.encode(encode_frames.delta(event, market_id, flipped=flipped, own=own))

    def snapshot(self, subscription: Subscription, ticker: str, number: Any) -> bytes:
        """Give a book's snapshot frame with the subscription's next number."""
        msg = encode_frames.snapshot(self._exchange.listings[ticker], flipped=subscription.yes_price)
        frame = wire.SnapshotFrame(id=number, sid=subscription.sid, seq=subscription.next_seq(), msg=msg)
        return wire.encode(frame)

    def ticker(self, ticker: str) -> bytes:
        """Give the ``msg`` of a market's ticker frame."""
        return wire.encode(encode_frames.ticker(self._exchange.listings[ticker], self._exchange.now))

    def _trade_printed(self, event: TradePrinted) -> None:
        wanting = self._wanting(Channel.TRADE, event.trade.ticker)
        if not wanting:
            return
        msg = wire.encode(encode_frames.trade(event.trade))
        for connection, subscription in wanting:
            connection.send_numbered(subscription, b"trade", msg)

    def _private(self, account_id: str, channel: str, kind: bytes, ticker: str, msg: Struct) -> None:
        encoded = b""
        for connection, subscription in self._wanting(channel, ticker):
            if connection.account_id == account_id:
                encoded = encoded or wire.encode(msg)
                connection.send_numbered(subscription, kind, encoded)

    def _filled(self, event: Filled) -> None:
        fill = event.fill
        self._private(fill.account_id, Channel.FILL, b"fill", fill.ticker, encode_frames.fill(fill))

    def _order_changed(self, event: OrderChanged) -> None:
        order = event.order
        self._private(order.account_id, Channel.ORDERS, b"user_order", order.ticker, encode_frames.user_order(order))

    def _position_changed(self, event: PositionChanged) -> None:
        held = event.position
        self._private(
            held.account_id, Channel.POSITIONS, b"market_position", held.ticker, encode_frames.market_position(held)
        )

    def _lifecycle(self, event: Lifecycle) -> None:
        wanting = self._wanting(Channel.LIFECYCLE, event.ticker)
        if not wanting:
            return
        msg = wire.encode(encode_frames.lifecycle(self._exchange.listings[event.ticker], event))
        for connection, subscription in wanting:
            connection.send_numbered(subscription, b"market_lifecycle_v2", msg)

    def _event_listed(self, event: EventListed) -> None:
        wanting = self._wanting(Channel.LIFECYCLE, "")
        if not wanting:
            return
        msg = wire.encode(encode_frames.event_listed(event.event))
        for connection, subscription in wanting:
            connection.send_numbered(subscription, b"event_lifecycle", msg)

    def _group_changed(self, event: GroupChanged) -> None:
        if event.change is not GroupChange.COUNTED:
            msg = encode_frames.order_group(event, self._exchange.now)
            self._private(event.group.account_id, Channel.ORDER_GROUPS, b"order_group_updates", "", msg)
