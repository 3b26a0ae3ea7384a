"""The WebSocket side: connections, subscriptions, sequence numbers (API contract, sections 4 and 5).

A frame's ``msg`` is encoded once and shared; only ``sid`` and ``seq`` differ from one subscription to the next. What a
reader has not taken yet is bounded: beyond it, its market data subscriptions end with code 25.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from aiohttp import WSMsgType, web
from msgspec import UNSET, Struct

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.price import COUNT_UNIT, MONEY_UNIT, PRICE_UNIT, format_count, format_money, format_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire import Channel, Code
from kalshi_tui.practice import render
from kalshi_tui.practice.engine import Exchange
from kalshi_tui.practice.events import (
    BookChanged,
    EngineEvent,
    Filled,
    GroupChanged,
    Lifecycle,
    LifecycleType,
    OrderChanged,
    PositionChanged,
    QuoteChanged,
    TradePrinted,
)
from kalshi_tui.practice.records import FillRecord, OrderRecord, PositionRecord
from kalshi_tui.practice.refusal import Refusal

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
    }
)
MARKET_DATA: Final = frozenset({Channel.BOOK, Channel.TICKER, Channel.TRADE})
SEQUENCED: Final = frozenset({Channel.BOOK, Channel.TRADE, Channel.LIFECYCLE, Channel.ORDER_GROUPS})
"""The channels whose frames carry ``seq``."""
WITHOUT_MARKETS: Final = frozenset({Channel.LIFECYCLE, Channel.ORDER_GROUPS})
BUFFER_FRAMES: Final = 50_000
"""Frames that wait for a slow reader before its market data end."""
WRITE_AT_ONCE: Final = 500
LARGEST_FRAME: Final = 4 * 1024 * 1024
"""Bytes of a command: the largest names tens of thousands of markets."""
COMMANDS_PER_SECOND: Final = 10_000
MARKETS_PER_SESSION: Final = 500_000
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
        hub: "Hub",
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
        self._news = asyncio.Event()
        self._commands: deque[float] = deque()
        self.spoils: dict[str, int] = {}
        """How many of the next numbered frames are to be skipped, doubled or corrupted."""
        self._given_up: Subscription | None = None

    # Sending.

    def send(self, frame: bytes, *, market_data: bool = False) -> None:
        """Put a frame in line. Market data beyond the buffer end their subscription; private frames are never shed."""
        if market_data and len(self._waiting) >= BUFFER_FRAMES:
            self.overflow()
            return
        self._waiting.append((frame, market_data))
        self._news.set()

    def overflow(self) -> None:
        """End all market data subscriptions of a reader that is too slow: what waits of them is thrown away."""
        self._waiting = deque(each for each in self._waiting if not each[1])
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
                await self.socket.send_str(self._waiting.popleft()[0].decode())
                written += 1
                if written % WRITE_AT_ONCE == 0:
                    await asyncio.sleep(0)

    def cut(self) -> None:
        """Break the connection off."""
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
        if Channel.BOOK in params.channels and tickers is None:
            raise CommandError(Code.MARKET_REQUIRED)
        if tickers and WITHOUT_MARKETS.intersection(params.channels):
            raise CommandError(Code.INVALID_PARAMETER, "This channel takes no markets")
        for channel in dict.fromkeys(params.channels):
            known = self.by_channel.get(channel)
            if known is not None:
                self._add(known, tickers, command, params)
                continue
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
        """Add markets to an active subscription; only new ones get a snapshot (section 4)."""
        if known.markets is None or tickers is None:
            known.markets = None if tickers is None else known.markets
            fresh: list[str] = []
        else:
            markets = known.markets
            fresh = [ticker for ticker in dict.fromkeys(tickers) if ticker not in markets]
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
        total = sum(len(each.markets or ()) for each in self.subscriptions.values())
        if total + len(named) > MARKETS_PER_SESSION:
            raise CommandError(Code.MARKET_LIMIT)
        return named or None


def _params(command: wire.Command) -> wire.CommandParams:
    if command.params is UNSET:
        raise CommandError(Code.PARAMS_REQUIRED)
    return command.params


def _sids(params: wire.CommandParams) -> list[int]:
    sids = ([] if params.sids is UNSET else params.sids) + ([] if params.sid is UNSET else [params.sid])
    if not sids:
        raise CommandError(Code.SIDS_REQUIRED)
    return sids


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
        named, all_of_them = tickers.get(ticker), tickers.get("")
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
        price = PRICE_UNIT - event.price if flipped and event.side is Side.NO else event.price
        return wire.encode(
            wire.DeltaMsg(
                market_ticker=event.ticker,
                market_id=self._exchange.listings[event.ticker].market_id,
                price_dollars=format_price(price),
                delta_fp=format_count(event.delta),
                side=event.side,
                client_order_id=event.client_order_id if own and event.client_order_id else UNSET,
                subaccount=0 if own else UNSET,
                ts=render.time_text(event.ts_ms),
                ts_ms=event.ts_ms,
            )
        )

    def snapshot(self, subscription: Subscription, ticker: str, number: Any) -> bytes:
        """Give a book's snapshot frame with the subscription's next number; an empty side has no key."""
        listing = self._exchange.listings[ticker]
        yes, no = listing.levels()
        if subscription.yes_price:
            no = [(PRICE_UNIT - price, count) for price, count in no]
        return wire.encode(
            wire.SnapshotFrame(
                id=number,
                sid=subscription.sid,
                seq=subscription.next_seq(),
                msg=wire.SnapshotMsg(
                    market_ticker=ticker,
                    market_id=listing.market_id,
                    yes_dollars_fp=render.levels(yes) if yes else UNSET,
                    no_dollars_fp=render.levels(no) if no else UNSET,
                ),
            )
        )

    def ticker(self, ticker: str) -> bytes:
        """Give the ``msg`` of a market's ticker frame; without quotes bid 0 and ask 1 of size 0 (section 5)."""
        listing = self._exchange.listings[ticker]
        bid, bid_size, ask, ask_size = listing.top
        now = self._exchange.now
        return wire.encode(
            wire.TickerMsg(
                market_ticker=ticker,
                market_id=listing.market_id,
                price_dollars=format_price(listing.last or 0),
                yes_bid_dollars=format_price(bid),
                yes_ask_dollars=format_price(ask),
                yes_bid_size_fp=format_count(bid_size),
                yes_ask_size_fp=format_count(ask_size),
                last_trade_size_fp=format_count(listing.last_size),
                volume_fp=format_count(listing.volume),
                open_interest_fp=format_count(listing.open_interest),
                dollar_volume=listing.volume_money // MONEY_UNIT,
                dollar_open_interest=listing.open_interest // COUNT_UNIT,
                ts=now // 1_000,
                ts_ms=now,
                time=render.time_text(now),
            )
        )

    def _trade_printed(self, event: TradePrinted) -> None:
        trade = event.trade
        wanting = self._wanting(Channel.TRADE, trade.ticker)
        if not wanting:
            return
        side = render.taker_side(trade)
        msg = wire.encode(
            wire.TradeMsg(
                trade_id=trade.trade_id,
                market_ticker=trade.ticker,
                yes_price_dollars=format_price(trade.price),
                no_price_dollars=format_price(PRICE_UNIT - trade.price),
                count_fp=format_count(trade.count),
                taker_side=side,
                taker_outcome_side=side,
                taker_book_side=trade.taker_side.value,
                is_block_trade=False,
                ts=trade.ts_ms // 1_000,
                ts_ms=trade.ts_ms,
            )
        )
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
        self._private(fill.account_id, Channel.FILL, b"fill", fill.ticker, _fill(fill))

    def _order_changed(self, event: OrderChanged) -> None:
        order = event.order
        self._private(order.account_id, Channel.ORDERS, b"user_order", order.ticker, _user_order(order))

    def _position_changed(self, event: PositionChanged) -> None:
        held = event.position
        self._private(held.account_id, Channel.POSITIONS, b"market_position", held.ticker, _market_position(held))

    def _lifecycle(self, event: Lifecycle) -> None:
        wanting = self._wanting(Channel.LIFECYCLE, event.ticker)
        if not wanting:
            return
        msg = wire.encode(self._lifecycle_msg(event))
        for connection, subscription in wanting:
            connection.send_numbered(subscription, b"market_lifecycle_v2", msg)

    def _lifecycle_msg(self, event: Lifecycle) -> wire.LifecycleMsg:
        """Give the fields that belong to a kind of change, and no others."""
        listing, kind = self._exchange.listings[event.ticker], event.event_type
        created, determined = kind is LifecycleType.CREATED, kind is LifecycleType.DETERMINED
        grid = kind in {LifecycleType.CREATED, LifecycleType.GRID_UPDATED}
        switched = kind in {LifecycleType.ACTIVATED, LifecycleType.DEACTIVATED}
        value = listing.settlement_value
        return wire.LifecycleMsg(
            event_type=kind.value,
            market_ticker=event.ticker,
            exchange_index=listing.shard,
            open_ts=listing.open_ms // 1_000 if created else UNSET,
            close_ts=listing.close_ms // 1_000 if created or kind is LifecycleType.CLOSE_DATE_UPDATED else UNSET,
            result=listing.result if determined else UNSET,
            determination_ts=event.ts_ms // 1_000 if determined else UNSET,
            settlement_value=format_price(value) if determined and value is not None else UNSET,
            settled_ts=event.ts_ms // 1_000 if kind is LifecycleType.SETTLED else UNSET,
            is_deactivated=kind is LifecycleType.DEACTIVATED if switched else UNSET,
            price_level_structure=listing.structure if grid else UNSET,
            price_ranges=render.price_ranges(listing.grid) if grid else UNSET,
        )

    def _group_changed(self, event: GroupChanged) -> None:
        group = event.group
        word = "deleted" if group.deleted else "triggered" if group.triggered else "updated"
        msg = wire.OrderGroupMsg(
            event_type=word,
            order_group_id=group.group_id,
            contracts_limit_fp=format_count(group.limit),
            ts_ms=self._exchange.now,
        )
        self._private(group.account_id, Channel.ORDER_GROUPS, b"order_group_updates", "", msg)


def _fill(fill: FillRecord) -> wire.FillMsg:
    listed = render.fill(fill)
    return wire.FillMsg(
        trade_id=fill.trade_id,
        order_id=fill.order_id,
        client_order_id=fill.client_order_id or UNSET,
        market_ticker=fill.ticker,
        exchange_index=fill.exchange_index,
        is_taker=fill.is_taker,
        side=listed.side,
        action=listed.action,
        purchased_side=listed.side,
        outcome_side=listed.outcome_side,
        book_side=fill.side.value,
        yes_price_dollars=format_price(fill.price),
        count_fp=format_count(fill.count),
        fee_cost=format_money(fill.fee),
        post_position_fp=format_count(fill.post_position),
        ts=fill.ts_ms // 1_000,
        ts_ms=fill.ts_ms,
    )


def _user_order(order: OrderRecord) -> wire.UserOrderMsg:
    listed = render.order(order)
    return wire.UserOrderMsg(
        order_id=order.order_id,
        user_id=order.account_id,
        client_order_id=order.client_order_id,
        ticker=order.ticker,
        status=order.status.value,
        side=listed.side,
        is_yes=order.outcome_side is Side.YES,
        outcome_side=order.outcome_side.value,
        book_side=order.side.value,
        yes_price_dollars=listed.yes_price_dollars,
        fill_count_fp=listed.fill_count_fp,
        remaining_count_fp=listed.remaining_count_fp,
        initial_count_fp=listed.initial_count_fp,
        taker_fill_cost_dollars=listed.taker_fill_cost_dollars,
        maker_fill_cost_dollars=listed.maker_fill_cost_dollars,
        taker_fees_dollars=listed.taker_fees_dollars,
        maker_fees_dollars=listed.maker_fees_dollars,
        order_group_id=order.group_id or UNSET,
        self_trade_prevention_type=order.self_trade.value,
        created_time=listed.created_time,
        created_ts_ms=order.created_ms,
        last_update_time=listed.last_update_time,
        last_updated_ts_ms=order.updated_ms,
        expiration_time=listed.expiration_time or UNSET,
        expiration_ts_ms=order.expires_ms or UNSET,
        subaccount_number=0,
    )


def _market_position(held: PositionRecord) -> wire.MarketPositionMsg:
    return wire.MarketPositionMsg(
        user_id=held.account_id,
        market_ticker=held.ticker,
        position_fp=format_count(held.count),
        position_cost_dollars=format_money(held.exposure),
        realized_pnl_dollars=format_money(held.realized_pnl),
        fees_paid_dollars=format_money(held.fees_paid),
        position_fee_cost_dollars=format_money(held.fee_cost),
        volume_fp=format_count(held.volume),
        subaccount=0,
    )
