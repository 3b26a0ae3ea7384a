"""The feed without its socket: bytes in, calls on the sink and commands out (docs/kalshi-api.md, sections 4 and 5).

The promise: a book that the sink trusts equals what the exchange has sent. Every frame that carries a sequence number
is counted, by subscription. A number that is missing, doubled or late, a change that cannot be, a change before its
snapshot and a frame that cannot be read make all books of the subscription stale at once. They are healed by fresh
snapshots on the same subscription, then by subscribing anew, then by reconnecting; one recovery at a time.

Nothing here waits or knows the time: `tick` brings it, in seconds of a clock that never goes back.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from kalshi_tui.domain.book import BookError
from kalshi_tui.domain.price import PRICE_UNIT, Count, NumberError, Price
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.feed.handler import FeedHandler
from kalshi_tui.kalshi.feed.subscription import (
    NO_TICKERS,
    ChannelSubscription,
    Happening,
    RecoveryPolicy,
    RecoveryStage,
    Report,
    SubscriptionState,
)
from kalshi_tui.kalshi.translate import (
    DELTA_CACHE,
    PRICE_CACHE,
    TranslationError,
    clean,
    parse_and_cache_delta,
    parse_and_cache_price,
)
from kalshi_tui.kalshi.wire import Channel, ErrorCode

Levels = list[tuple[Price, Count]]
AuditAnswer = Callable[[str, Levels | None, Levels | None], None]
"""Called with a ticker and a fresh snapshot's levels at the moment that they hold; with None if none came."""

PRIVATE_CHANNELS: Final = (Channel.ORDERS, Channel.FILL, Channel.POSITIONS)
_SUBSCRIBE_ORDER: Final = (*PRIVATE_CHANNELS, Channel.LIFECYCLE, Channel.BOOK, Channel.TICKER, Channel.TRADE)
"""The order of subscribing: the account first, so that nothing of it is missed."""

_DECODE_ERRORS: Final = (wire.DecodeError, UnicodeError, RecursionError)
MAX_UNREADABLE_MESSAGES: Final = 1000
"""Messages of one connection that are no JSON; beyond that it is given up. One may come of a bad line."""
_INVALID_CONTENT_ERRORS: Final = (BookError, NumberError, TranslationError)
_TERMINAL_CODES: Final = frozenset({ErrorCode.CHANNEL_ERROR, ErrorCode.BUFFER_OVERFLOW, ErrorCode.UNKNOWN_SID})
"""Errors after which a subscription is gone."""
_RETRYABLE_CODES: Final = frozenset({ErrorCode.GENERAL, ErrorCode.INTERNAL, ErrorCode.TIMEOUT, ErrorCode.COMMAND_RATE})
"""Errors after which the same command may be sent again a little later."""

_SUBSCRIBE: Final = "subscribe"
_UNSUBSCRIBE: Final = "unsubscribe"
_ADD_MARKETS: Final = "add_markets"
_DELETE_MARKETS: Final = "delete_markets"
_GET_SNAPSHOT: Final = "get_snapshot"
_LIST_SUBSCRIPTIONS: Final = "list_subscriptions"

_NO_BOOK_SENTENCE: Final = "The exchange sends no order book for this market."


@dataclass(slots=True)
class _PendingCommand:
    """A command that was sent and not yet answered."""

    name: str
    subscription: ChannelSubscription
    tickers: frozenset[str]
    sent_at: float
    is_probe: bool = False


MAX_DIGIT_RUN: Final = 1_000
"""So many digits in a row are no number of an exchange's, but an attempt on whoever reads them."""
_OVERLONG_NUMBER: Final = re.compile(rb"\d{%d}" % MAX_DIGIT_RUN)


class FeedProtocol:
    """One connection's worth of protocol at a time, and what is wanted over all of them.

    Say what is wanted at any time with the ``want_`` methods. Call `connected` when a connection is up, `receive` with
    each message, `tick` often (a few times a second), `disconnected` when it is gone; send what `outgoing` gives; and
    reconnect when `broken` holds a sentence.
    """

    def __init__(
        self,
        handler: FeedHandler,
        *,
        listener: Callable[[Report], None] | None = None,
        policy: RecoveryPolicy | None = None,
    ) -> None:
        self._feed_handler = handler
        self._listener = listener
        self.policy = policy or RecoveryPolicy()
        self.on_outgoing: Callable[[], None] | None = None
        """Called when there is something to send where there was nothing."""
        self.on_ready: Callable[[], None] | None = None
        """Called when `ready` becomes true."""
        self.failure = ""
        """Why this connection is to be given up, a sentence; empty while it is not."""
        self.ready = False
        """Whether every subscription wanted at the start of this connection has been answered."""
        self._last_ts_ms_cell = [0]
        self.faults = 0
        self.healed = 0
        self.unknown_sid_frames = 0
        """Frames of subscriptions that are no longer, or never were, ours; all dropped."""
        self.unreadable_frames = 0
        self._unreadable_at_connect = 0
        """At the beginning of this connection."""
        self._unreadable_reported_at = -1.0
        self._now = 0.0
        self._connected = False
        self._next_id = 1
        self._outgoing: list[bytes] = []
        self._pending_commands: dict[int, _PendingCommand] = {}
        self._pending_audits: dict[int, AuditAnswer] = {}
        self._subscriptions_by_sid: dict[int, ChannelSubscription] = {}
        self._subscriptions = {channel: ChannelSubscription(channel) for channel in _SUBSCRIBE_ORDER}
        self._book_subscription = self._subscriptions[Channel.BOOK]
        self._valid_tickers: set[str] = set()
        self._quote_has_size: dict[str, bool] = {}
        """Whether the newest quote of a market whose book is followed has sizes."""
        self._alarmed_channels: set[str] = set()
        self._handlers: dict[type, Callable[[Any, bytes | str], None]] = {
            wire.SnapshotFrame: self._on_snapshot,
            wire.TickerFrame: self._make_ticker_receiver(),
            wire.TradeFrame: self._on_trade,
            wire.FillFrame: self._on_fill,
            wire.UserOrderFrame: self._on_user_order,
            wire.MarketPositionFrame: self._on_market_position,
            wire.LifecycleFrame: self._on_lifecycle,
            wire.EventLifecycleFrame: self._on_sequence_only,
            wire.EventFeeFrame: self._on_sequence_only,
            wire.OrderGroupFrame: self._on_sequence_only,
            wire.SubscribedFrame: self._on_subscribed,
            wire.UnsubscribedFrame: self._on_unsubscribed,
            wire.OkFrame: self._on_ok,
            wire.ErrorFrame: self._on_error,
        }
        self.receive = self._make_receiver()
        """Take one message. Never raises for anything that the exchange could send."""

    # What is wanted.

    def want_books(self, tickers: Iterable[str]) -> None:
        """Keep the books of exactly these markets; those that fall out are stale from now on."""
        wanted = frozenset(tickers)
        # A quote that nobody went on watching beside its book says nothing of the book that comes later.
        self._quote_has_size = {ticker: has for ticker, has in self._quote_has_size.items() if ticker in wanted}
        self._set_wanted(Channel.BOOK, wanted)

    def want_quotes(self, tickers: Iterable[str] | None) -> None:
        """Take the quotes of exactly these markets, of all with None."""
        self._set_wanted(
            Channel.TICKER, NO_TICKERS if tickers is None else frozenset(tickers), whole_channel=tickers is None
        )

    def want_trades(self, tickers: Iterable[str] | None) -> None:
        """Take the public trades of exactly these markets, of all with None."""
        self._set_wanted(
            Channel.TRADE, NO_TICKERS if tickers is None else frozenset(tickers), whole_channel=tickers is None
        )

    def want_account(self, wanted: bool = True) -> None:
        """Take the account's own orders, fills and positions."""
        for channel in PRIVATE_CHANNELS:
            self._set_wanted(channel, NO_TICKERS, whole_channel=wanted)

    def want_lifecycle(self, wanted: bool = True) -> None:
        """Hear of every market's changes of status, dates and grid."""
        self._set_wanted(Channel.LIFECYCLE, NO_TICKERS, whole_channel=wanted)

    @property
    def last_ts_ms(self) -> int:
        """The exchange's time (Unix ms) in the newest delta, quote or trade; 0 where that had none."""
        return self._last_ts_ms_cell[0]

    @property
    def trusted(self) -> frozenset[str]:
        """The markets whose books are trusted now."""
        return frozenset(self._book_subscription.trusted)

    @property
    def untrusted(self) -> frozenset[str]:
        """The markets whose books are wanted and not trusted now."""
        return self._book_subscription.wanted - self._book_subscription.trusted.keys()

    @property
    def sids(self) -> dict[int, tuple[str, int | None]]:
        """The subscriptions of this connection by sid: channel, and the number that comes next, None if not known."""
        return {sid: (each.channel, each.expected) for sid, each in self._subscriptions_by_sid.items()}

    def _set_wanted(self, channel: str, tickers: frozenset[str], *, whole_channel: bool = False) -> None:
        subscription = self._subscriptions[channel]
        subscription.whole_channel = whole_channel
        subscription.wanted = tickers
        self._sync_subscription(subscription)

    # The connection.

    def connected(self, now: float) -> None:
        """Begin anew on a fresh connection: subscribe to all that is wanted."""
        self._now = now
        self._reset_connection()
        self._connected = True
        for subscription in self._subscriptions.values():
            self._sync_subscription(subscription)
        self._update_ready()

    def disconnected(self, now: float, why: str) -> None:
        """Trust nothing of the connection that is gone; ``why`` is a sentence."""
        self._now = now
        lost = self._book_subscription.mark_all_stale()
        if lost:
            self._record_fault_time(self._book_subscription)
            self._feed_handler.stale(lost, why)
        for command in list(self._pending_audits):
            self._answer_audit(command, "", None, None)
        self._reset_connection()

    def _reset_connection(self) -> None:
        self._connected = False
        self.ready = False
        self.failure = ""
        self._unreadable_at_connect = self.unreadable_frames
        self._outgoing.clear()
        self._pending_commands.clear()
        self._pending_audits.clear()
        self._subscriptions_by_sid.clear()
        self._alarmed_channels.clear()
        self._quote_has_size.clear()
        for subscription in self._subscriptions.values():
            subscription.reset()

    def commands_to_send(self) -> list[bytes]:
        """Return the commands that are to be sent now, in order, and forget them."""
        out, self._outgoing = self._outgoing, []
        return out

    def probe(self) -> None:
        """Find out whether a silent link still answers; if not in time, `broken` says so.

        docs/kalshi-api.md, section 5.
        """
        if not self._connected or any(command.is_probe for command in self._pending_commands.values()):
            return
        books = self._book_subscription
        if books.state is SubscriptionState.LIVE and books.trusted:
            ticker = min(books.trusted)
            self._request_snapshots(books, [ticker], is_probe=True)
        else:
            self._send_command(_LIST_SUBSCRIPTIONS, books, is_probe=True)

    def resync_books(self, why: str) -> None:
        """Take the trust from all books and fetch them anew: for whoever finds that one cannot be right."""
        if self._book_subscription.state is SubscriptionState.LIVE:
            self._handle_fault(self._book_subscription, why)

    def audit(self, ticker: str, answer: AuditAnswer) -> None:
        """Ask for a fresh snapshot of a trusted book and hand its levels over at the moment that they hold.

        The sink's own book then has to be equal. The answer is called with None if the book is not trusted now, or if
        it is lost before the snapshot comes.
        """
        if not self._connected or ticker not in self._book_subscription.trusted:
            answer(ticker, None, None)
            return
        self._pending_audits[self._request_snapshots(self._book_subscription, [ticker])] = answer

    # Frames.

    def _make_receiver(self) -> Callable[[bytes | str], None]:  # noqa: C901 - the hot path: each call more would be paid for
        """Make `receive`: a closure, whose names are looked up in a quarter less time than a method's attributes."""
        by_sid, handlers = self._subscriptions_by_sid, self._handlers
        prices, deltas, decode, newest_ms = PRICE_CACHE, DELTA_CACHE, wire.decode_frame, self._last_ts_ms_cell
        delta_frame = wire.DeltaFrame

        def receive(data: bytes | str) -> None:
            try:
                frame = decode(data)
            except _DECODE_ERRORS:
                self._handle_undecodable(data)
                return
            if frame.__class__ is not delta_frame:
                handlers[frame.__class__](frame, data)
                return
            try:
                subscription = by_sid[frame.sid]
            except KeyError:
                self.unknown_sid_frames += 1
                return
            seq = frame.seq
            if seq == subscription.expected:
                subscription.expected = seq + 1
            elif not self._handle_sequence_break(subscription, seq):
                return
            msg = frame.msg
            try:
                change = subscription.trusted[msg.market_ticker]
            except KeyError:
                self._handle_untrusted_delta(subscription, msg.market_ticker)
                return
            try:
                price, count = prices[msg.price_dollars], deltas[msg.delta_fp]
            except KeyError:
                learned = self._parse_uncached_delta(subscription, msg)
                if learned is None:
                    return
                price, count = learned
            try:
                change(msg.side, price, count)
            except BookError as error:
                self._handle_fault(subscription, f"{msg.market_ticker}: {clean(str(error))}.")
                return
            newest_ms[0] = msg.ts_ms

        return receive

    def _parse_uncached_delta(
        self, subscription: ChannelSubscription, msg: wire.DeltaMsg
    ) -> tuple[Price, Count] | None:
        """Parse the numbers of a change that were not seen before; None, and a fault, if they are none."""
        try:
            return parse_and_cache_price(msg.price_dollars), parse_and_cache_delta(msg.delta_fp)
        except NumberError as error:
            self._handle_fault(subscription, f"{msg.market_ticker}: {clean(str(error))}")
            return None

    def _accept_sequence(self, sid: int, seq: int | UnsetType) -> ChannelSubscription | None:
        """Count a frame's number, and give the subscription if the frame may be used."""
        subscription = self._subscriptions_by_sid.get(sid)
        if subscription is None:
            self.unknown_sid_frames += 1
            return None
        if seq is UNSET:
            return subscription
        if seq == subscription.expected:
            subscription.expected = seq + 1
            return subscription
        return subscription if self._handle_sequence_break(subscription, seq) else None

    def _handle_sequence_break(self, subscription: ChannelSubscription, seq: int) -> bool:
        """Deal with a number that was not expected; say whether the frame's content may be used all the same.

        After a gap it may: it was sent after what is missing. One that comes twice or late may not.
        """
        expected = subscription.expected
        if expected is None:
            subscription.expected = seq + 1
            return True
        if seq > expected:
            subscription.expected = seq + 1
            self._handle_fault(subscription, f"{seq - expected} of the exchange's messages were lost on the way.")
            return True
        self._handle_fault(subscription, "A message of the exchange came twice or out of turn.")
        return False

    def _handle_undecodable(self, data: bytes | str) -> None:
        """Deal with a frame that could not be read."""
        if not self._reject_overlong_number(data):
            self._handle_unknown_frame(data)

    def _handle_unknown_frame(self, data: bytes | str) -> None:
        """Count what can be counted of a frame that is not known, or not what it should be."""
        try:
            envelope = wire.decode_envelope(data)
        except _DECODE_ERRORS as error:
            self._handle_unparseable()
            if (
                isinstance(error, RecursionError)
                or self.unreadable_frames - self._unreadable_at_connect > MAX_UNREADABLE_MESSAGES
            ):
                self.failure = "The exchange sends messages that cannot be read."
            return
        if isinstance(envelope.sid, int):
            subscription = self._accept_sequence(envelope.sid, envelope.seq)
        elif envelope.type in {"orderbook_delta", "orderbook_snapshot"}:
            subscription = self._book_subscription
        else:
            subscription = None
        if envelope.type not in wire.FRAME_TYPES:
            return
        self.unreadable_frames += 1
        sentence = f"A message of type {clean(envelope.type, 40)} could not be read."
        if envelope.type == "error" and isinstance(envelope.id, int):
            command = self._pending_commands.pop(envelope.id, None)
            if command is not None:
                self._handle_command_error(command, wire.ErrorMsg(code=ErrorCode.GENERAL))
        elif subscription is None:
            self._report_alarm_once("", sentence)
        elif subscription is self._book_subscription:
            self._handle_fault(subscription, sentence)
        else:
            self._report(Happening.MISSED, subscription.channel, sentence)

    def _reject_overlong_number(self, data: bytes | str) -> bool:
        """Return whether a frame that could not be read holds a number that can be none: then the link is reset."""
        if len(data) <= MAX_DIGIT_RUN or not _OVERLONG_NUMBER.search(
            data if isinstance(data, bytes) else data.encode()
        ):
            return False
        self._handle_unparseable()
        self.failure = "The exchange sends a number that can be none."
        return True

    def _handle_unparseable(self) -> None:
        """Trust nothing for a frame that could have been anything; tell at most once a second that news may be lost."""
        self.unreadable_frames += 1
        sentence = "A message of the exchange could not be read."
        if self._book_subscription.state is SubscriptionState.LIVE:
            self._handle_fault(self._book_subscription, sentence)
        if self._now - self._unreadable_reported_at >= 1.0:
            self._unreadable_reported_at = self._now
            self._report(Happening.MISSED, "", sentence)

    def _handle_untrusted_delta(self, subscription: ChannelSubscription, ticker: str) -> None:
        """Pass over a change to a book that is not trusted; outside a recovery it means that a snapshot is missing."""
        if (
            ticker in subscription.awaiting_snapshot
            and subscription.stage is RecoveryStage.NONE
            and not any(ticker in command.tickers for command in self._pending_commands.values())
        ):
            self._handle_fault(subscription, f"{ticker}: a change came before the order book itself.")

    def _on_snapshot(self, frame: wire.SnapshotFrame, data: bytes | str) -> None:
        msg = frame.msg
        ticker = msg.market_ticker
        command_id = self._find_snapshot_command(frame.id, ticker)
        subscription = self._subscriptions_by_sid.get(frame.sid)
        if command_id and subscription is not None and frame.seq + 1 == subscription.expected:
            # Ours, and as of the newest number rather than with one of its own: just as good.
            pass
        else:
            subscription = self._accept_sequence(frame.sid, frame.seq)
        if subscription is None or ticker not in subscription.subscribed:
            return
        subscription.requested_snapshots.discard(ticker)
        try:
            yes, no = translate.parse_levels(msg.yes_dollars_fp), translate.parse_levels(msg.no_dollars_fp)
            if not yes and not no:
                self._check_empty_snapshot(ticker, data)
            elif yes and no:
                _check_not_crossed(yes, no)
            if command_id in self._pending_audits:
                trusted = ticker in subscription.trusted
                self._answer_audit(command_id, ticker, yes if trusted else None, no if trusted else None)
            change = self._feed_handler.snapshot(ticker, yes, no)
        except _INVALID_CONTENT_ERRORS as error:
            self._handle_bad_snapshot(subscription, ticker, f"{ticker}: {clean(str(error)).rstrip('.')}.")
            return
        if command_id:
            command = self._pending_commands[command_id]
            command.tickers -= {ticker}
            command.sent_at = self._now
            if not command.tickers:
                del self._pending_commands[command_id]
        subscription.mark_trusted(ticker, change)
        subscription.round_made_progress = True
        subscription.previous_had_no_books = False
        subscription.deadline = self._now + self._snapshot_timeout_s(subscription)
        self._check_recovery(subscription)

    def _check_empty_snapshot(self, ticker: str, data: bytes | str) -> None:
        """Raise TranslationError if a snapshot that looks empty need not be: strange names, or a quote with sizes."""
        msg = msgspec.json.decode(data).get("msg")
        strange = sorted(
            name for name, value in msg.items() if isinstance(value, list) and value and not name.startswith("market_")
        )
        if strange:
            raise TranslationError(f"its levels stand under {clean(', '.join(strange), 80)}, which is not known")
        if self._quote_has_size.get(ticker):
            raise TranslationError("its order book came empty, but its quote has sizes")

    def _find_snapshot_command(self, answered_id: int | UnsetType, ticker: str) -> int:
        """Find the command that a snapshot answers, by its id or else by its market; 0 if nobody asked for it."""
        if answered_id:
            command = self._pending_commands.get(answered_id)
            return (
                answered_id
                if command is not None and command.name == _GET_SNAPSHOT and ticker in command.tickers
                else 0
            )
        for command_id, command in self._pending_commands.items():
            if command.name == _GET_SNAPSHOT and ticker in command.tickers:
                return command_id
        return 0

    def _make_ticker_receiver(self) -> Callable[[wire.TickerFrame, bytes | str], None]:
        """Make what takes a quote: a closure, as `receive` is one, and for the same reason."""
        by_sid, known, books, newest_ms = (
            self._subscriptions_by_sid,
            self._valid_tickers,
            self._book_subscription,
            self._last_ts_ms_cell,
        )
        read, tell = translate.quote, self._feed_handler.quote

        def take(frame: wire.TickerFrame, _data: bytes | str) -> None:
            if frame.sid not in by_sid:
                self.unknown_sid_frames += 1
                return
            msg = frame.msg
            ticker = msg.market_ticker
            try:
                if ticker not in known:
                    known.add(translate.parse_id(ticker, "market ticker"))
                quote = read(msg)
            except TranslationError as error:
                self._report_alarm_once(Channel.TICKER, f"A quote makes no sense: {error}")
                return
            tell(ticker, quote)
            if ticker in books.wanted:
                self._quote_has_size[ticker] = bool(quote.yes_bid_size or quote.yes_ask_size)
            newest_ms[0] = msg.ts_ms

        return take

    def _on_trade(self, frame: wire.TradeFrame, _data: bytes | str) -> None:
        if self._accept_sequence(frame.sid, frame.seq) is None:
            return
        try:
            self._feed_handler.trade(translate.trade(frame.msg))
        except TranslationError as error:
            self._report_alarm_once(Channel.TRADE, f"A trade makes no sense: {error}")
            return
        self._last_ts_ms_cell[0] = frame.msg.ts_ms

    def _on_fill(self, frame: wire.FillFrame, _data: bytes | str) -> None:
        self._deliver_account_update(
            frame.sid, Channel.FILL, lambda: self._feed_handler.fill(translate.fill(frame.msg))
        )

    def _on_user_order(self, frame: wire.UserOrderFrame, _data: bytes | str) -> None:
        self._deliver_account_update(
            frame.sid, Channel.ORDERS, lambda: self._feed_handler.order(translate.user_order(frame.msg))
        )

    def _on_market_position(self, frame: wire.MarketPositionFrame, _data: bytes | str) -> None:
        self._deliver_account_update(
            frame.sid, Channel.POSITIONS, lambda: self._feed_handler.position(translate.market_position(frame.msg))
        )

    def _deliver_account_update(self, sid: int, channel: str, deliver: Callable[[], None]) -> None:
        """Pass on news of the account; what makes no sense has to be read by REST, so it is told as missed."""
        if sid not in self._subscriptions_by_sid:
            self.unknown_sid_frames += 1
            return
        try:
            deliver()
        except TranslationError as error:
            self._report(Happening.MISSED, channel, f"News of the account makes no sense: {error}")

    def _on_lifecycle(self, frame: wire.LifecycleFrame, _data: bytes | str) -> None:
        if self._accept_sequence(frame.sid, frame.seq) is None:
            return
        try:
            ticker = translate.parse_id(frame.msg.market_ticker, "market ticker")
        except TranslationError as error:
            self._report_alarm_once(Channel.LIFECYCLE, f"A lifecycle event makes no sense: {error}")
            return
        self._quote_has_size.pop(ticker, None)
        self._feed_handler.lifecycle(ticker, clean(frame.msg.event_type, 64))

    def _on_sequence_only(
        self, frame: wire.EventLifecycleFrame | wire.EventFeeFrame | wire.OrderGroupFrame, _data: bytes | str
    ) -> None:
        self._accept_sequence(frame.sid, frame.seq)

    # Answers to commands.

    def _on_subscribed(self, frame: wire.SubscribedFrame, _data: bytes | str) -> None:
        command = (
            self._pending_commands.pop(frame.id, None) if frame.id else self._pop_pending_subscribe(frame.msg.channel)
        )
        sid = frame.msg.sid
        if command is None or command.name != _SUBSCRIBE or not self._is_subscribe_pending(command):
            self._send_unsubscribe(sid)
            return
        subscription = command.subscription
        subscription.expected = 1
        self._activate(subscription, sid)

    def _pop_pending_subscribe(self, channel: str) -> _PendingCommand | None:
        """Find the subscribe command that an answer without an id belongs to."""
        for command_id, command in self._pending_commands.items():
            if command.name == _SUBSCRIBE and command.subscription.channel == channel:
                return self._pending_commands.pop(command_id)
        return None

    @staticmethod
    def _is_subscribe_pending(command: _PendingCommand) -> bool:
        return command.subscription.state is SubscriptionState.PENDING

    def _activate(self, subscription: ChannelSubscription, sid: int) -> None:
        subscription.sid = sid
        subscription.state = SubscriptionState.LIVE
        subscription.deadline = self._now + self._snapshot_timeout_s(subscription)
        self._subscriptions_by_sid[sid] = subscription
        if subscription.end_reason:
            # What happened between the end and now was told to nobody.
            self._report(Happening.MISSED, subscription.channel, subscription.end_reason)
            subscription.end_reason = ""
        self._sync_subscription(subscription)
        self._update_ready()

    def _on_unsubscribed(self, frame: wire.UnsubscribedFrame, _data: bytes | str) -> None:
        if frame.id:
            self._pending_commands.pop(frame.id, None)
        if frame.sid not in self._subscriptions_by_sid:
            return
        subscription = self._subscriptions_by_sid[frame.sid]
        self._accept_sequence(frame.sid, frame.seq)
        self._handle_subscription_end(subscription, "The exchange ended the subscription.")

    def _on_ok(self, frame: wire.OkFrame, _data: bytes | str) -> None:
        command = self._pending_commands.pop(frame.id, None) if frame.id else None
        sid = frame.sid
        if not isinstance(sid, int):
            return
        if command is not None and command.name == _SUBSCRIBE and self._is_subscribe_pending(command):
            # The channel was active already, so the exchange only added markets: no snapshots come by themselves.
            subscription = command.subscription
            subscription.expected = frame.seq + 1 if isinstance(frame.seq, int) else None
            self._activate(subscription, sid)
            if subscription is self._book_subscription:
                self._record_fault_time(subscription)
                self._start_recovery_round(subscription)
            return
        if sid in self._subscriptions_by_sid:
            self._accept_sequence(sid, frame.seq)
        if command is not None and command.name == _GET_SNAPSHOT and command.tickers:
            self._pending_commands[frame.id or 0] = command

    def _on_error(self, frame: wire.ErrorFrame, _data: bytes | str) -> None:
        subscription = self._subscriptions_by_sid.get(frame.sid) if isinstance(frame.sid, int) else None
        if subscription is not None and subscription.sid is not None:
            self._accept_sequence(subscription.sid, frame.seq)
        command = self._pending_commands.pop(frame.id, None) if frame.id else None
        if frame.id:
            self._answer_audit(frame.id, "", None, None)
        if command is not None:
            self._handle_command_error(command, frame.msg)
        elif subscription is not None and frame.msg.code in _TERMINAL_CODES:
            self._handle_subscription_end(
                subscription, f"The exchange ended the subscription ({_describe_error(frame.msg)})."
            )
        else:
            self._report(
                Happening.REFUSED,
                subscription.channel if subscription is not None else "",
                f"The exchange's stream reports an error: {_describe_error(frame.msg)}.",
            )

    def _handle_command_error(self, command: _PendingCommand, error: wire.ErrorMsg) -> None:
        """Deal with a command that the exchange did not carry out."""
        subscription = command.subscription
        if command.name in {_UNSUBSCRIBE, _LIST_SUBSCRIPTIONS} or subscription.state not in {
            SubscriptionState.PENDING,
            SubscriptionState.LIVE,
        }:
            return
        if command.name == _SUBSCRIBE:
            self._handle_subscribe_error(command, error)
        elif error.code in _TERMINAL_CODES:
            self._handle_subscription_end(
                subscription, f"The exchange ended the subscription ({_describe_error(error)})."
            )
        elif command.name == _ADD_MARKETS:
            lost = subscription.remove_tickers(set(command.tickers))
            if lost:
                self._feed_handler.stale(lost, f"The exchange refused this market: {_describe_error(error)}.")
            self._isolate_refused_markets(subscription, command.tickers, error)
        elif command.name == _GET_SNAPSHOT:
            subscription.requested_snapshots -= command.tickers
            if error.code in _RETRYABLE_CODES and subscription.recovery_rounds < self.policy.rounds:
                subscription.deadline = self._now + self.policy.snapshot
            elif subscription.stage is RecoveryStage.SNAPSHOT:
                self._resubscribe(subscription, f"The exchange sends no snapshots ({_describe_error(error)}).")

    def _handle_subscribe_error(self, command: _PendingCommand, error: wire.ErrorMsg) -> None:
        subscription = command.subscription
        if error.code in _RETRYABLE_CODES or error.code in _TERMINAL_CODES:
            subscription.reset_subscription()
            subscription.state = SubscriptionState.IDLE
            self._back_off(subscription)
        elif command.tickers and error.code in {
            ErrorCode.INVALID_PARAMETER,
            ErrorCode.MARKET_NOT_FOUND,
            ErrorCode.MARKET_LIMIT,
        }:
            waiting = list(subscription.batches)
            subscription.reset_subscription()
            subscription.state = SubscriptionState.IDLE
            subscription.batches.extend(waiting)
            self._isolate_refused_markets(subscription, command.tickers, error)
        elif error.code == ErrorCode.ALREADY_SUBSCRIBED:
            self.failure = "The exchange still holds an old subscription that cannot be named any more."
        else:
            subscription.reset_subscription()
            subscription.state = SubscriptionState.DEAD
            self._report(
                Happening.REFUSED,
                subscription.channel,
                f"The exchange refuses the channel {subscription.channel}: {_describe_error(error)}.",
            )
        self._update_ready()

    def _isolate_refused_markets(
        self, subscription: ChannelSubscription, tickers: frozenset[str], error: wire.ErrorMsg
    ) -> None:
        """Find the market that a refusal is about: the one it names, or by halves; the others are sent again.

        Where the exchange takes no more markets at all (26), the first that does not fit stands for all that wait.
        """
        if error.code in _RETRYABLE_CODES or (error.code == ErrorCode.MARKET_LIMIT and subscription.has_made_room):
            # Later there may be room: for the command, or in the subscription, which has just been left by others.
            subscription.has_made_room = False
            subscription.batches.appendleft(sorted(tickers))
            self._back_off(subscription)
            return
        named = error.market_ticker
        if isinstance(named, str) and named in tickers:
            self._mark_markets_refused(subscription, {named}, error)
            subscription.batches.append(sorted(tickers - {named}))
        elif len(tickers) > 1:
            ordered = sorted(tickers)
            middle = len(ordered) // 2
            subscription.batches.extendleft((ordered[middle:], ordered[:middle]))
        else:
            refused = set(tickers)
            if error.code == ErrorCode.MARKET_LIMIT:
                refused.update(*subscription.batches)
                subscription.batches.clear()
            self._mark_markets_refused(subscription, refused, error)
        self._send_batches(subscription)

    def _mark_markets_refused(self, subscription: ChannelSubscription, tickers: set[str], error: wire.ErrorMsg) -> None:
        """Ask no more for these markets on this connection, and say so."""
        subscription.refused |= tickers
        ordered = tuple(sorted(tickers))
        which = ordered[0] if len(ordered) == 1 else f"{len(ordered)} markets"
        text = f"The exchange refuses {which} on {subscription.channel}: {_describe_error(error)}."
        if subscription is self._book_subscription:
            self._feed_handler.stale(ordered, text)
        happening = Happening.FULL if error.code == ErrorCode.MARKET_LIMIT else Happening.REFUSED
        self._report(happening, subscription.channel, text, ordered)

    # Following what is wanted.

    def _sync_subscription(self, subscription: ChannelSubscription) -> None:
        """Bring a subscription to what is wanted: subscribe, add, delete or unsubscribe."""
        if not self._connected or subscription.state in {SubscriptionState.PENDING, SubscriptionState.DEAD}:
            return
        if not subscription.is_needed or subscription.subscribed_whole_channel != subscription.whole_channel:
            self._unsubscribe(subscription)
        if not subscription.is_needed:
            return
        queued = {ticker for batch in subscription.batches for ticker in batch}
        fresh = sorted(subscription.wanted - subscription.subscribed - subscription.refused - queued)
        size = self.policy.batch
        subscription.batches.extend(fresh[start : start + size] for start in range(0, len(fresh), size))
        self._send_batches(subscription)
        gone = subscription.subscribed - subscription.wanted
        if gone and subscription.state is SubscriptionState.LIVE and not subscription.whole_channel:
            # After the new ones were added: a subscription emptied of its last market could come to mean all of them.
            lost = subscription.remove_tickers(set(gone))
            if lost:
                self._feed_handler.stale(lost, "This market is no longer followed.")
            ordered = sorted(gone)
            for start in range(0, len(ordered), size):
                self._send_command(_DELETE_MARKETS, subscription, ordered[start : start + size])
            subscription.has_made_room = True
            self._check_recovery(subscription)

    def _send_batches(self, subscription: ChannelSubscription) -> None:
        """Send what waits to be subscribed: the first batch makes the subscription, the others join it."""
        if not self._connected or self._now < subscription.backoff_until:
            return
        if subscription.state is SubscriptionState.IDLE:
            if subscription.whole_channel:
                self._subscribe(subscription, [])
            elif batch := self._pop_batch(subscription):
                self._subscribe(subscription, batch)
            return
        while subscription.state is SubscriptionState.LIVE and (batch := self._pop_batch(subscription)):
            self._mark_subscribed(subscription, batch)
            self._send_command(
                _ADD_MARKETS,
                subscription,
                batch,
                send_initial_snapshot=True if subscription.channel == Channel.TICKER else UNSET,
            )

    @staticmethod
    def _pop_batch(subscription: ChannelSubscription) -> list[str]:
        """Take the next batch with anything in it that is still wanted; empty if there is none."""
        while subscription.batches:
            batch = subscription.batches.popleft()
            wanted = [
                ticker for ticker in batch if ticker in subscription.wanted and ticker not in subscription.subscribed
            ]
            if wanted:
                return wanted
        return []

    def _mark_subscribed(self, subscription: ChannelSubscription, tickers: Sequence[str]) -> None:
        subscription.mark_subscribed(tickers, books=subscription is self._book_subscription)
        if subscription is self._book_subscription:
            subscription.deadline = self._now + self._snapshot_timeout_s(subscription)

    def _subscribe(self, subscription: ChannelSubscription, tickers: Sequence[str]) -> None:
        self._mark_subscribed(subscription, tickers)
        subscription.subscribed_whole_channel = subscription.whole_channel
        subscription.state = SubscriptionState.PENDING
        channel = subscription.channel
        with_markets = channel in {Channel.BOOK, Channel.TICKER, Channel.TRADE}
        self._send_command(
            _SUBSCRIBE,
            subscription,
            tickers,
            channels=[channel],
            use_yes_price=False if channel == Channel.BOOK else UNSET,
            send_initial_snapshot=True if channel == Channel.TICKER else UNSET,
            skip_ticker_ack=True if with_markets else UNSET,
        )

    def _unsubscribe(self, subscription: ChannelSubscription) -> None:
        """Unsubscribe if subscribed; the books are stale, late frames are strangers."""
        sid = subscription.sid
        lost = subscription.mark_all_stale()
        if lost:
            self._feed_handler.stale(lost, "This market is no longer followed.")
        subscription.fault_at = None
        if sid is not None:
            self._send_unsubscribe(sid)
        self._reset_subscription(subscription)

    def _handle_subscription_end(self, subscription: ChannelSubscription, why: str) -> None:
        """Deal with a subscription that the exchange has ended: subscribe anew, each time a little later."""
        self._mark_books_stale(subscription, why)
        if subscription is not self._book_subscription:
            self._report(Happening.MISSED, subscription.channel, why)
            subscription.end_reason = why
        self._reset_subscription(subscription)
        self._back_off(subscription)

    def _resubscribe(self, subscription: ChannelSubscription, why: str) -> None:
        """Unsubscribe and subscribe: a bare second subscribe would repair nothing (docs/kalshi-api.md, section 4)."""
        self._mark_books_stale(subscription, why)
        sid = subscription.sid
        if sid is not None:
            self._send_unsubscribe(sid)
        self._reset_subscription(subscription)
        self._sync_subscription(subscription)
        subscription.stage = RecoveryStage.RESUBSCRIBED
        subscription.deadline = self._now + self.policy.resubscribe

    def _reset_subscription(self, subscription: ChannelSubscription) -> None:
        if subscription.sid is not None:
            self._subscriptions_by_sid.pop(subscription.sid, None)
        self._drop_pending_commands(subscription)
        subscription.reset_subscription()
        subscription.state = SubscriptionState.IDLE

    def _back_off(self, subscription: ChannelSubscription) -> None:
        """Send nothing more for this subscription for a while, longer each time."""
        bounds = self.policy
        if self._now - subscription.backoff_started_at > 6 * bounds.longest:
            subscription.backoff_count = 0
        subscription.backoff_until = self._now + min(
            bounds.longest, bounds.retry * 2 ** min(subscription.backoff_count, 16)
        )
        subscription.backoff_started_at = self._now
        subscription.backoff_count += 1

    def _drop_pending_commands(self, subscription: ChannelSubscription) -> None:
        for command_id, command in list(self._pending_commands.items()):
            if command.subscription is subscription and command.name != _UNSUBSCRIBE:
                del self._pending_commands[command_id]
                if command_id in self._pending_audits:
                    self._answer_audit(command_id, "", None, None)

    # Trust.

    def _handle_fault(self, subscription: ChannelSubscription, why: str) -> None:
        """Trust no book of a subscription any more, and begin to heal it unless that is under way."""
        self.faults += 1
        if subscription is not self._book_subscription:
            self._report(Happening.MISSED, subscription.channel, why)
            return
        self._mark_books_stale(subscription, why)
        if subscription.stage is RecoveryStage.NONE and subscription.state is SubscriptionState.LIVE:
            self._start_recovery_round(subscription)

    def _mark_books_stale(self, subscription: ChannelSubscription, why: str) -> None:
        if subscription is not self._book_subscription:
            return
        lost = subscription.mark_all_stale()
        self._record_fault_time(subscription)
        if lost:
            self._feed_handler.stale(lost, why)
            self._report(Happening.FAULT, subscription.channel, why, tuple(lost))

    def _record_fault_time(self, subscription: ChannelSubscription) -> None:
        if subscription.fault_at is None:
            subscription.fault_at = self._now

    def _start_recovery_round(self, subscription: ChannelSubscription) -> None:
        """Ask for the snapshots of all books that wait for one."""
        subscription.stage = RecoveryStage.SNAPSHOT
        subscription.recovery_rounds += 1
        subscription.round_made_progress = False
        subscription.requested_snapshots = set(subscription.awaiting_snapshot)
        subscription.deadline = self._now + self.policy.snapshot
        ordered = sorted(subscription.awaiting_snapshot)
        for start in range(0, len(ordered), self.policy.batch):
            self._request_snapshots(subscription, ordered[start : start + self.policy.batch])

    def _request_snapshots(
        self, subscription: ChannelSubscription, tickers: Sequence[str], *, is_probe: bool = False
    ) -> int:
        return self._send_command(_GET_SNAPSHOT, subscription, tickers, is_probe=is_probe)

    def _handle_bad_snapshot(self, subscription: ChannelSubscription, ticker: str, why: str) -> None:
        """Deal with a snapshot that makes no sense: heal everything once; if it comes again, set the market apart."""
        bad = subscription.bad_snapshots.get(ticker, 0) + 1
        subscription.bad_snapshots[ticker] = bad
        if bad > 1:
            self._quarantine(subscription, [ticker], why)
        else:
            self._handle_fault(subscription, why)
        self._check_recovery(subscription)

    def _quarantine(self, subscription: ChannelSubscription, tickers: Sequence[str], why: str) -> None:
        """Return up for a while on markets whose books cannot be had, so that the others live on."""
        news = tuple(ticker for ticker in tickers if ticker not in subscription.probation)
        for ticker in tickers:
            subscription.quarantine(ticker, self._now + self.policy.quarantine)
        self._feed_handler.stale(list(tickers), why)
        if news:
            self._report(Happening.ALARM, subscription.channel, why, news)

    def _check_recovery(self, subscription: ChannelSubscription) -> None:
        """After a snapshot: end the recovery, or ask for what is still missing once all that was asked for came."""
        if subscription is not self._book_subscription or subscription.state is not SubscriptionState.LIVE:
            return
        if not subscription.awaiting_snapshot:
            subscription.stage = RecoveryStage.NONE
            subscription.recovery_rounds = 0
            if subscription.fault_at is not None and subscription.trusted:
                elapsed = self._now - subscription.fault_at
                subscription.fault_at = None
                self.healed += 1
                self._report(
                    Happening.HEALED,
                    subscription.channel,
                    f"All order books are right again, {elapsed:.1f} s after the fault.",
                    elapsed=elapsed,
                )
        elif subscription.stage is RecoveryStage.SNAPSHOT and not subscription.requested_snapshots:
            if subscription.recovery_rounds < self.policy.rounds:
                self._start_recovery_round(subscription)
            else:
                self._resubscribe(subscription, "The order books do not come right.")

    # Time.

    def tick(self, now: float) -> None:
        """Bring the time (seconds, never going back) and do what is due: retries, stronger repairs."""
        self._now = now
        if not self._connected:
            return
        for subscription in self._subscriptions.values():
            if subscription.backoff_until and now >= subscription.backoff_until:
                subscription.backoff_until = 0.0
                self._sync_subscription(subscription)
        self._check_books(self._book_subscription)
        self._check_command_timeouts()

    def _check_books(self, books: ChannelSubscription) -> None:
        if books.state is not SubscriptionState.LIVE:
            return
        self._retry_quarantined(books)
        if books.awaiting_snapshot:
            if self._now >= books.deadline:
                self._escalate(books)
        elif books.expected != books.last_seen_expected:
            books.last_seen_expected = books.expected
            books.last_active_at = self._now
        elif self._now - books.last_active_at > self.policy.quiet and books.trusted:
            # Nobody trades, or the subscription died without a word: only a question tells which.
            books.last_active_at = self._now
            self._request_snapshots(books, [min(books.trusted)])

    def _retry_quarantined(self, books: ChannelSubscription) -> None:
        """Ask once more for the books of markets that were set apart long enough ago."""
        back = sorted(ticker for ticker, until in books.quarantined.items() if self._now >= until)
        if back:
            for ticker in back:
                del books.quarantined[ticker]
            books.awaiting_snapshot.update(back)
            books.deadline = self._now + self.policy.snapshot
            self._request_snapshots(books, back)

    def _escalate(self, books: ChannelSubscription) -> None:
        """Do the next stronger thing for books whose snapshots have not come in time."""
        again = sorted(books.awaiting_snapshot & books.probation)
        if again:
            self._quarantine(books, again, _NO_BOOK_SENTENCE)
            self._check_recovery(books)
            if not books.awaiting_snapshot:
                return
        if books.stage is RecoveryStage.NONE:
            self._record_fault_time(books)
            self._start_recovery_round(books)
        elif books.stage is RecoveryStage.SNAPSHOT:
            if books.round_made_progress and books.recovery_rounds < self.policy.rounds:
                self._start_recovery_round(books)
            else:
                self._resubscribe(books, "The order books that were asked for did not come.")
        elif books.trusted or books.previous_had_no_books:
            self._quarantine(books, sorted(books.awaiting_snapshot), _NO_BOOK_SENTENCE)
            self._check_recovery(books)
        else:
            books.previous_had_no_books = True
            self.failure = "No order books came after subscribing anew."

    def _check_command_timeouts(self) -> None:
        oldest = self._now - self.policy.answer
        for command_id, command in list(self._pending_commands.items()):
            if command.sent_at > oldest or command_id not in self._pending_commands:
                continue
            if command.is_probe:
                self.failure = "The link is up, but the exchange does not answer on it."
            elif command.name == _SUBSCRIBE:
                self.failure = "The exchange did not answer a subscription."
            else:
                del self._pending_commands[command_id]
                self._answer_audit(command_id, "", None, None)
                books = command.subscription
                if command.name in {_ADD_MARKETS, _DELETE_MARKETS}:
                    self._resubscribe(command.subscription, "The exchange did not answer a change of the subscription.")
                elif (
                    command.name == _GET_SNAPSHOT
                    and books.stage is RecoveryStage.NONE
                    and command.tickers & books.trusted.keys()
                ):
                    self._resubscribe(books, "The exchange does not answer on this subscription.")

    def _snapshot_timeout_s(self, subscription: ChannelSubscription) -> float:
        """How long the next snapshot may take."""
        bounds = self.policy
        return bounds.snapshot if subscription.stage is RecoveryStage.SNAPSHOT else bounds.resubscribe

    # Small things.

    def _send_command(
        self,
        name: str,
        subscription: ChannelSubscription,
        tickers: Sequence[str] = (),
        *,
        is_probe: bool = False,
        **more: Any,
    ) -> int:
        """Queue a command and note that it waits for its answer; gives its id."""
        command_id = self._next_id
        self._next_id += 1
        if name == _LIST_SUBSCRIPTIONS:
            command = wire.Command(id=command_id, cmd=name)
        elif name == _SUBSCRIBE:
            markets = list(tickers) if tickers else UNSET
            command = wire.Command(id=command_id, cmd=name, params=wire.CommandParams(market_tickers=markets, **more))
        else:
            sid = subscription.sid
            params = wire.CommandParams(
                sids=[sid] if sid is not None else [], action=name, market_tickers=list(tickers), **more
            )
            command = wire.Command(id=command_id, cmd="update_subscription", params=params)
        self._pending_commands[command_id] = _PendingCommand(
            name, subscription, frozenset(tickers), self._now, is_probe
        )
        self._enqueue(command)
        return command_id

    def _send_unsubscribe(self, sid: int) -> None:
        command_id = self._next_id
        self._next_id += 1
        command = wire.Command(id=command_id, cmd=_UNSUBSCRIBE, params=wire.CommandParams(sids=[sid]))
        self._pending_commands[command_id] = _PendingCommand(
            _UNSUBSCRIBE, self._book_subscription, NO_TICKERS, self._now
        )
        self._enqueue(command)

    def _enqueue(self, command: wire.Command) -> None:
        self._outgoing.append(wire.encode(command))
        if len(self._outgoing) == 1 and self.on_outgoing is not None:
            self.on_outgoing()

    def _update_ready(self) -> None:
        if not self.ready and not any(command.name == _SUBSCRIBE for command in self._pending_commands.values()):
            self.ready = True
            if self.on_ready is not None:
                self.on_ready()

    def _answer_audit(self, command_id: int, ticker: str, yes: Levels | None, no: Levels | None) -> None:
        answer = self._pending_audits.pop(command_id, None)
        if answer is not None:
            answer(ticker, yes, no)

    def _report(
        self, happening: Happening, channel: str, text: str, tickers: tuple[str, ...] = (), elapsed: float = 0.0
    ) -> None:
        if self._listener is not None:
            self._listener(Report(happening, channel, text, tickers, elapsed))

    def _report_alarm_once(self, channel: str, text: str) -> None:
        """Tell of a senseless frame, once for each channel and connection: a flood of them must not flood the log."""
        if channel not in self._alarmed_channels:
            self._alarmed_channels.add(channel)
            self._report(Happening.ALARM, channel, text)


def _describe_error(error: wire.ErrorMsg) -> str:
    return f"{clean(error.msg, 120) or 'no words'}, code {error.code}"


def _check_not_crossed(yes: Levels, no: Levels) -> None:
    """Raise TranslationError if a snapshot's own bids would trade with each other, as they never rest."""
    best_yes, best_no = max(yes)[0], max(no)[0]
    if best_yes + best_no < PRICE_UNIT:
        return
    if best_yes + PRICE_UNIT - min(no)[0] < PRICE_UNIT:
        raise TranslationError("its NO levels look like YES prices (use_yes_price flipped)")
    raise TranslationError("its best YES and NO bids cross")
