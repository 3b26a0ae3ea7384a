"""The feed without its socket: bytes in, calls on the handler and commands out (docs/kalshi-api.md, sections 4 and 5).

The promise: a book that the handler trusts equals what the exchange has sent. Every frame that carries a sequence
number is counted, by subscription. A number that is missing, doubled or late, a change that cannot be, a change before
its snapshot and a frame that cannot be read make all books of the subscription stale at once.

The parts: `CommandQueue` has what was sent and waits for an answer, `SubscriptionManager` keeps the subscriptions at
what is wanted, `BookRecovery` repairs the books. `FeedProtocol` reads the frames and is what the stream calls.

Nothing here waits or reads a clock: `tick` passes the time in, in seconds of a clock that never goes back.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import UnsetType

from kalshi_tui.domain.book import BookError, Side
from kalshi_tui.domain.market import Quote
from kalshi_tui.domain.price import PRICE_UNIT, Count, NumberError, Price
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.feed.book_reading import Fit, ReadingCheck, fit_levels, is_crossed, to_no_prices
from kalshi_tui.kalshi.feed.book_recovery import BookRecovery
from kalshi_tui.kalshi.feed.command_queue import LIST_SUBSCRIPTIONS, AuditAnswer, CommandQueue, Levels
from kalshi_tui.kalshi.feed.handler import FeedHandler
from kalshi_tui.kalshi.feed.protocol_state import ProtocolState
from kalshi_tui.kalshi.feed.subscription import (
    NO_TICKERS,
    ChannelSubscription,
    Happening,
    RecoveryPolicy,
    Report,
    SubscriptionState,
)
from kalshi_tui.kalshi.feed.subscription_manager import SubscriptionManager
from kalshi_tui.kalshi.translate import (
    COMPLEMENT_CACHE,
    DELTA_CACHE,
    PRICE_CACHE,
    TranslationError,
    clean,
    parse_and_cache_delta,
    parse_and_cache_price,
)
from kalshi_tui.kalshi.wire import BookReading, Channel, ErrorCode
from kalshi_tui.kalshi.wire.repair import repair_frame

PRIVATE_CHANNELS: Final = (Channel.ORDERS, Channel.FILL, Channel.POSITIONS)
_SUBSCRIBE_ORDER: Final = (*PRIVATE_CHANNELS, Channel.LIFECYCLE, Channel.BOOK, Channel.TICKER, Channel.TRADE)
"""The order of subscribing: the account first, so that nothing of it is missed."""
_DECODE_ERRORS: Final = (wire.DecodeError, UnicodeError, RecursionError)
_INVALID_CONTENT_ERRORS: Final = (BookError, NumberError, TranslationError)
MAX_UNREADABLE_MESSAGES: Final = 1000
"""Messages of one connection that are not JSON; beyond that it is given up. A single one may come from a bad line."""
MAX_DIGIT_RUN: Final = 1_000
"""So many digits in a row are no number of an exchange's, but an attempt on whoever reads them."""
_OVERLONG_NUMBER: Final = re.compile(rb"\d{%d}" % MAX_DIGIT_RUN)
UNREADABLE_REPORT_INTERVAL_S: Final = 1.0
_BOOK_FRAME_TYPES: Final = frozenset({"orderbook_delta", "orderbook_snapshot"})
_PRIVATE_FRAME_CHANNELS: Final = {
    "fill": Channel.FILL,
    "user_order": Channel.ORDERS,
    "market_position": Channel.POSITIONS,
}
"""The channels of the account by the type of their frames."""


class FeedProtocol:
    """The protocol of one connection at a time, and what is wanted across all of them.

    Set what is wanted at any time with the ``want_`` methods. Call `connected` when a connection is up, `receive` with
    each message, `tick` a few times a second, and `disconnected` when it is gone; send what `commands_to_send` returns;
    and reconnect when `failure` holds a sentence.
    """

    def __init__(
        self,
        handler: FeedHandler,
        *,
        listener: Callable[[Report], None] | None = None,
        policy: RecoveryPolicy | None = None,
        reading: BookReading = BookReading.YES_PRICES,
    ) -> None:
        """Make; ``reading`` is in which prices NO levels come, as far as is known: they are asked for in YES prices."""
        self._feed_handler = handler
        self.policy = policy or RecoveryPolicy()
        self.on_ready: Callable[[], None] | None = None
        """Called when `ready` becomes true."""
        self.ready = False
        """Whether every subscription wanted at the start of this connection has been answered."""
        self.unknown_sid_frames = 0
        """Frames of subscriptions that are no longer, or never were, ours; all dropped."""
        self.unreadable_frames = 0
        self._unreadable_at_connect = 0
        """The same at the beginning of this connection."""
        self._unreadable_reported_at = -UNREADABLE_REPORT_INTERVAL_S
        self._newest_frame: list[wire.DeltaFrame | wire.TickerFrame | wire.TradeFrame | None] = [None]
        """The frame itself rather than its times: one store for each frame is all that this costs."""
        self._account_sent_ms = 0
        """When the newest frame about the account was sent; 0 where none says it."""
        self._subscriptions = {channel: ChannelSubscription(channel) for channel in _SUBSCRIBE_ORDER}
        self._book_subscription = books = self._subscriptions[Channel.BOOK]
        self._state = state = ProtocolState(handler, books, self.policy, listener)
        self._commands = CommandQueue(state)
        self._manager = manager = SubscriptionManager(state, self._commands, self._update_ready)
        self._recovery = BookRecovery(state, self._commands, lambda why: manager.resubscribe(books, why))
        manager.recovery = self._recovery
        self._valid_tickers: set[str] = set()
        self._book_quotes: dict[str, Quote] = {}
        """The newest quotes of markets whose books are followed."""
        self.unasked_quotes: frozenset[str] = frozenset()
        """Markets whose quotes are wanted to check their books alone; the handler is not told of them."""
        self._reading_check = ReadingCheck(reading)
        self.on_reading: Callable[[BookReading], None] | None = None
        """Called when `reading` changes."""
        self._use_reading: Callable[[BookReading], None]
        self._handlers: dict[type, Callable[[Any, bytes | str], object]] = {
            wire.SnapshotFrame: self._on_snapshot,
            wire.TickerFrame: self._make_ticker_receiver(),
            wire.TradeFrame: self._on_trade,
            wire.FillFrame: self._on_fill,
            wire.UserOrderFrame: self._on_user_order,
            wire.MarketPositionFrame: self._on_market_position,
            wire.LifecycleFrame: self._on_lifecycle,
            wire.EventLifecycleFrame: lambda frame, _: self._accept_on_channel(Channel.LIFECYCLE, frame.sid, frame.seq),
            wire.EventFeeFrame: self._on_event_fees,
            wire.OrderGroupFrame: lambda frame, _: self._accept_on_channel(Channel.ORDER_GROUPS, frame.sid, frame.seq),
            wire.SubscribedFrame: lambda frame, _: manager.handle_subscribed(frame),
            wire.UnsubscribedFrame: lambda frame, _: manager.handle_unsubscribed(frame),
            wire.OkFrame: lambda frame, _: manager.handle_ok(frame),
            wire.ErrorFrame: lambda frame, _: manager.handle_error(frame),
        }
        self.receive = self._make_receiver()
        """Take one message. Never raises for anything that the exchange could send."""
        self._use_reading(reading)

    # What is wanted.

    def want_books(self, tickers: Iterable[str]) -> None:
        """Keep the books of exactly these markets; those that fall out are stale from now on."""
        wanted = frozenset(tickers)
        # A quote that nobody went on watching beside its book says nothing of the book that comes later.
        self._book_quotes = {ticker: quote for ticker, quote in self._book_quotes.items() if ticker in wanted}
        self._set_wanted(Channel.BOOK, wanted)

    def want_quotes(self, tickers: Iterable[str] | None) -> None:
        """Take the quotes of exactly these markets; None means all markets."""
        self._set_wanted(
            Channel.TICKER, NO_TICKERS if tickers is None else frozenset(tickers), whole_channel=tickers is None
        )

    def want_trades(self, tickers: Iterable[str] | None) -> None:
        """Take the public trades of exactly these markets; None means all markets."""
        self._set_wanted(
            Channel.TRADE, NO_TICKERS if tickers is None else frozenset(tickers), whole_channel=tickers is None
        )

    def want_account(self, wanted: bool = True) -> None:
        """Take the account's own orders, fills and positions."""
        for channel in PRIVATE_CHANNELS:
            self._set_wanted(channel, NO_TICKERS, whole_channel=wanted)

    def want_lifecycle(self, wanted: bool = True) -> None:
        """Subscribe to every market's changes of status, dates and grid."""
        self._set_wanted(Channel.LIFECYCLE, NO_TICKERS, whole_channel=wanted)

    # What is known.

    @property
    def failure(self) -> str:
        """Why this connection is to be given up, a sentence; empty while it is not."""
        return self._state.failure

    @property
    def faults(self) -> int:
        """How many faults were found."""
        return self._state.faults

    @property
    def healed(self) -> int:
        """How many recoveries have ended with all books right."""
        return self._state.healed

    @property
    def on_outgoing(self) -> Callable[[], None] | None:
        """Called when there is something to send where there was nothing."""
        return self._commands.on_outgoing

    @on_outgoing.setter
    def on_outgoing(self, callback: Callable[[], None] | None) -> None:
        self._commands.on_outgoing = callback

    @property
    def last_ts_ms(self) -> int:
        """The exchange's time (Unix ms) in the newest delta, quote or trade; 0 where that had none."""
        newest = self._newest_frame[0]
        return newest.msg.ts_ms if newest is not None else 0

    @property
    def last_sent_ms(self) -> int:
        """When the exchange sent the newest frame (Unix ms), 0 where that is not known: for latency, not for order.

        The time of what the frame tells stands in for one that does not say when it was sent.
        """
        newest = self._newest_frame[0]
        if newest is None:
            return self._account_sent_ms
        sent_ms = newest.sending_ts_ms
        return max(sent_ms if isinstance(sent_ms, int) else newest.msg.ts_ms, self._account_sent_ms)

    @property
    def reading(self) -> BookReading:
        """In which prices the NO levels of this stream's books stand."""
        return self._reading_check.reading

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
        return {sid: (each.channel, each.expected) for sid, each in self._state.subscriptions_by_sid.items()}

    def _set_wanted(self, channel: str, tickers: frozenset[str], *, whole_channel: bool = False) -> None:
        subscription = self._subscriptions[channel]
        subscription.whole_channel = whole_channel
        subscription.wanted = tickers
        self._manager.sync(subscription)

    # The connection.

    def connected(self, now: float) -> None:
        """Start on a fresh connection: subscribe to all that is wanted."""
        self._state.now = now
        self._reset_connection()
        self._state.connected = True
        for subscription in self._subscriptions.values():
            self._manager.sync(subscription)
        self._update_ready()

    def disconnected(self, now: float, why: str) -> None:
        """Trust nothing of the connection that is gone; ``why`` is a sentence."""
        self._state.now = now
        lost = self._book_subscription.mark_all_stale()
        if lost:
            # The time to heal is counted from here on, over the reconnect.
            self._recovery.record_fault_time()
            self._feed_handler.stale(lost, why)
        self._reset_connection()

    def _reset_connection(self) -> None:
        self._state.reset_connection()
        self.ready = False
        self._unreadable_at_connect = self.unreadable_frames
        self._book_quotes.clear()
        self._reading_check.reset_connection()
        for subscription in self._subscriptions.values():
            subscription.reset()
        # Last: audits are answered by this, and the receiver may ask for the next one.
        self._commands.reset_connection()

    def commands_to_send(self) -> list[bytes]:
        """Return the commands that are to be sent now, in order, and forget them."""
        return self._commands.take_outgoing()

    def probe(self) -> None:
        """Find out whether a silent link still answers; if not in time, `failure` says so.

        docs/kalshi-api.md, section 5.
        """
        if not self._state.connected or self._commands.is_probing:
            return
        books = self._book_subscription
        if books.state is SubscriptionState.LIVE and books.trusted:
            # A snapshot proves more than an answer does: that the subscription of the books still works.
            self._recovery.request_snapshots([min(books.trusted)], is_probe=True)
        else:
            self._commands.send(LIST_SUBSCRIPTIONS, books, is_probe=True)

    def resync_books(self, why: str) -> None:
        """Stop trusting all books and fetch them again: for whoever finds that one cannot be right."""
        if self._book_subscription.state is SubscriptionState.LIVE:
            self._recovery.handle_fault(why)

    def audit(self, ticker: str, answer: AuditAnswer) -> None:
        """Ask for a fresh snapshot of a trusted book and hand its levels over at the moment that they hold.

        The handler's own book then has to be equal. The answer is called with None if the book is not trusted now, or
        if it is lost before the snapshot comes.
        """
        if not self._state.connected or ticker not in self._book_subscription.trusted:
            answer(ticker, None, None)
            return
        self._recovery.request_snapshots([ticker], audit=answer)

    def tick(self, now: float) -> None:
        """Bring the time (seconds, never going back) and do what is due: retries, stronger repairs."""
        self._state.now = now
        if not self._state.connected:
            return
        for subscription in self._subscriptions.values():
            self._manager.retry_due(subscription)
        self._recovery.tick()
        self._manager.check_timeouts()

    def _update_ready(self) -> None:
        if not self.ready and not self._commands.is_subscribing:
            self.ready = True
            if self.on_ready is not None:
                self.on_ready()

    # Frames.

    def _make_receiver(self) -> Callable[[bytes | str], None]:  # noqa: C901 - the hot path: each call more would be paid for
        """Make `receive`: a closure, whose names are looked up in a quarter less time than a method's attributes."""
        by_sid, handlers = self._state.subscriptions_by_sid, self._handlers
        prices, deltas, decode, newest = PRICE_CACHE, DELTA_CACHE, wire.decode_frame, self._newest_frame
        delta_frame, no_side = wire.DeltaFrame, Side.NO
        no_prices = COMPLEMENT_CACHE

        def use_reading(reading: BookReading) -> None:
            nonlocal no_prices
            no_prices = COMPLEMENT_CACHE if reading is BookReading.YES_PRICES else PRICE_CACHE

        self._use_reading = use_reading

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
                # Late frames of a subscription that was left. Applied, they would change the book of the new one.
                self.unknown_sid_frames += 1
                return
            # Before anything else can go wrong: a frame is counted even if its content cannot be used, or the next one
            # would look like a gap.
            seq = frame.seq
            if seq == subscription.expected:
                subscription.expected = seq + 1
            elif not self._manager.handle_sequence_break(subscription, seq):
                return
            msg = frame.msg
            try:
                change = subscription.trusted[msg.market_ticker]
            except KeyError:
                self._handle_untrusted_delta(subscription, msg.market_ticker)
                return
            side = msg.side
            try:
                price = (no_prices if side is no_side else prices)[msg.price_dollars]
                count = deltas[msg.delta_fp]
            except KeyError:
                learned = self._parse_uncached_delta(subscription, msg)
                if learned is None:
                    return
                price, count = learned
            try:
                change(side, price, count)
            except BookError as error:
                # A level that would fall below nothing: something before this was lost, though every number came.
                self._manager.handle_fault(subscription, f"{msg.market_ticker}: {clean(str(error))}.")
                return
            newest[0] = frame

        return receive

    def _handle_untrusted_delta(self, subscription: ChannelSubscription, ticker: str) -> None:
        """Handle a change to a book that is not trusted, or that is not among those of the subscription."""
        if subscription is not self._book_subscription:
            self._handle_foreign_channel(Channel.BOOK, subscription)
        elif ticker in subscription.subscribed:
            self._recovery.handle_untrusted_delta(ticker)
        else:
            self._recovery.handle_foreign_market(ticker)

    def _parse_uncached_delta(
        self, subscription: ChannelSubscription, msg: wire.DeltaMsg
    ) -> tuple[Price, Count] | None:
        """Parse the numbers of a change that were not seen before; None, and a fault, if they are none."""
        try:
            price, count = parse_and_cache_price(msg.price_dollars), parse_and_cache_delta(msg.delta_fp)
        except NumberError as error:
            self._manager.handle_fault(subscription, f"{msg.market_ticker}: {clean(str(error))}")
            return None
        if msg.side is Side.NO and self.reading is BookReading.YES_PRICES:
            price = PRICE_UNIT - price
        return price, count

    def _accept_sequence(self, sid: int, seq: int | UnsetType | None) -> ChannelSubscription | None:
        """Count a frame's number, and return its subscription if the frame may be used."""
        subscription = self._state.subscriptions_by_sid.get(sid)
        if subscription is None:
            self.unknown_sid_frames += 1
            return None
        return subscription if self._manager.accept_sequence(subscription, seq) else None

    def _accept_on_channel(self, channel: str, sid: int, seq: int | UnsetType) -> ChannelSubscription | None:
        """Count a frame's number, and return its subscription if the frame belongs there and may be used."""
        subscription = self._accept_sequence(sid, seq)
        if subscription is None or subscription.channel == channel:
            return subscription
        self._handle_foreign_channel(channel, subscription)
        return None

    def _handle_foreign_channel(self, channel: str, subscription: ChannelSubscription) -> None:
        """Handle a frame on another channel's subscription: what should have had its number is missing.

        So is a frame where this one belongs.
        """
        sentence = f"A message of {channel} came on the subscription to {subscription.channel}."
        self._manager.handle_fault(subscription, sentence)
        if (own := self._subscriptions.get(channel)) is not None:
            self._manager.handle_fault(own, sentence)

    def _handle_undecodable(self, data: bytes | str) -> None:
        """Read a frame that does not fit without what it can do without, or else handle it as one that is lost."""
        if self._reject_overlong_number(data):
            return
        repaired = repair_frame(data)
        if repaired is None:
            self._handle_unknown_frame(data)
            return
        good, odd = repaired
        self._report_odd_values(odd)
        self.receive(good)

    def _report_odd_values(self, names: Sequence[str]) -> None:
        """Report values that a frame can do without and that cannot be read, once a connection for each of them."""
        for name in names:
            self._state.report_alarm_once(
                f"value {name}", f"The exchange sends {name} values that cannot be read: they are passed over."
            )

    def _handle_unknown_frame(self, data: bytes | str) -> None:
        """Count the number of a frame that cannot be read, and trust nothing that it may be about."""
        try:
            envelope = wire.decode_envelope(data)
        except _DECODE_ERRORS as error:
            self._handle_unparseable()
            if (
                isinstance(error, RecursionError)
                or self.unreadable_frames - self._unreadable_at_connect > MAX_UNREADABLE_MESSAGES
            ):
                self._state.failure = "The exchange sends messages that cannot be read."
            return
        if isinstance(envelope.sid, int):
            subscription = self._accept_sequence(envelope.sid, envelope.seq)
        elif envelope.type in _BOOK_FRAME_TYPES:
            # Even its sid cannot be read: it changes some book.
            subscription = self._book_subscription
        else:
            subscription = None
        sentence = f"A message of type {clean(envelope.type, 40)} could not be read."
        if envelope.type in wire.FRAME_TYPES:
            self.unreadable_frames += 1
            self._handle_lost_frame(envelope, subscription, sentence)
        elif subscription is self._book_subscription and isinstance(envelope.seq, int):
            # A type of a newer exchange, on which nothing here rests; but it took a number that a change of some book
            # should have had.
            self._manager.handle_fault(subscription, sentence)

    def _handle_lost_frame(
        self, envelope: wire.Envelope, subscription: ChannelSubscription | None, sentence: str
    ) -> None:
        """Have what a frame was about read again, or its command given up; ``sentence`` says that it is lost."""
        if envelope.type == "error" and isinstance(envelope.id, int):
            command = self._commands.pop(envelope.id)
            if command is not None:
                # A rejection all the same. Left unhandled, what it was about would wait for its time-out.
                self._manager.handle_command_error(command, wire.ErrorMsg(code=ErrorCode.GENERAL))
            return
        private_channel = _PRIVATE_FRAME_CHANNELS.get(envelope.type)
        if private_channel is not None:
            # Whatever its sid: nothing but a read by REST brings it back.
            self._state.report(Happening.MISSED, private_channel, sentence)
        if subscription is self._book_subscription:
            self._manager.handle_fault(subscription, sentence)
        elif private_channel is None and subscription is None:
            self._state.report_alarm_once("", sentence)
        elif private_channel is None and subscription is not None:
            self._state.report(Happening.MISSED, subscription.channel, sentence)

    def _reject_overlong_number(self, data: bytes | str) -> bool:
        """Return whether a frame that could not be read holds a number that can be none: then the link is reset."""
        if len(data) <= MAX_DIGIT_RUN or not _OVERLONG_NUMBER.search(
            data if isinstance(data, bytes) else data.encode()
        ):
            return False
        # Python takes quadratic time for such a number, and the desk would stand still meanwhile.
        self._handle_unparseable()
        self._state.failure = "The exchange sends a number that can be none."
        return True

    def _handle_unparseable(self) -> None:
        """Trust no book after a message that could have been anything, and report that news may be lost.

        At most once a second: a broken line brings them in floods.
        """
        self.unreadable_frames += 1
        sentence = "A message of the exchange could not be read."
        if self._book_subscription.state is SubscriptionState.LIVE:
            self._recovery.handle_fault(sentence)
        if self._state.now - self._unreadable_reported_at >= UNREADABLE_REPORT_INTERVAL_S:
            self._unreadable_reported_at = self._state.now
            self._state.report(Happening.MISSED, "", sentence)

    def _on_snapshot(self, frame: wire.SnapshotFrame, data: bytes | str) -> None:
        msg = frame.msg
        ticker = msg.market_ticker
        command_id = self._commands.find_snapshot_request(frame.id, ticker)
        subscription = self._state.subscriptions_by_sid.get(frame.sid)
        if command_id and subscription is not None and frame.seq + 1 == subscription.expected:
            # Asked for, and as of the newest number rather than with one of its own: just as good. Taken for a frame
            # that came twice, the very answer would begin the next recovery.
            pass
        else:
            subscription = self._accept_on_channel(Channel.BOOK, frame.sid, frame.seq)
        if subscription is None:
            return
        if ticker not in subscription.subscribed:
            self._recovery.handle_foreign_market(ticker)
            return
        subscription.requested_snapshots.discard(ticker)
        try:
            yes = translate.parse_levels(msg.yes_dollars_fp)
            no = to_no_prices(translate.parse_levels(msg.no_dollars_fp), self.reading)
            if not yes and not no:
                self._check_empty_snapshot(ticker, data)
            elif self._check_reading_by_snapshot(ticker, yes, no):
                return
            if (asked := self._commands.audit_of(command_id)) is not None:
                # Before the handler takes it: then the two would be equal, whatever the book was.
                trusted = ticker in subscription.trusted
                asked.answer_audit(ticker, yes if trusted else None, no if trusted else None)
            change = self._feed_handler.snapshot(ticker, yes, no)
        except _INVALID_CONTENT_ERRORS as error:
            self._recovery.handle_bad_snapshot(ticker, f"{ticker}: {clean(str(error)).rstrip('.')}.")
            return
        self._commands.settle_snapshot(command_id, ticker)
        subscription.mark_trusted(ticker, change)
        subscription.round_made_progress = True
        subscription.previous_had_no_books = False
        self._recovery.extend_deadline()
        self._recovery.check_progress()

    def _check_reading_by_snapshot(self, ticker: str, yes: Levels, no: Levels) -> bool:
        """Compare a snapshot with itself and with the quote; return whether the reading was changed because of it.

        Raises TranslationError if the snapshot cannot be true as it stands.
        """
        check = self._reading_check
        if is_crossed(yes, no):
            if check.record(fit_levels(yes, no)):
                self._change_reading(ticker)
                return True
            raise TranslationError("its best YES and NO bids cross")
        return self._judge_reading(ticker, check.take_snapshot(ticker, no, self._book_quotes.get(ticker)))

    def _check_reading_by_quote(self, ticker: str, quote: Quote) -> None:
        """Compare a quote with the snapshot that came before it."""
        fit = self._reading_check.take_quote(ticker, quote)
        if fit is not None:
            self._judge_reading(ticker, fit)
        elif self._reading_check.may_request_snapshot():
            self._recovery.request_snapshots([ticker])

    def _judge_reading(self, ticker: str, fit: Fit) -> bool:
        """Act on a comparison; return whether the reading was changed."""
        if self._reading_check.record(fit):
            self._change_reading(ticker)
            return True
        if fit is Fit.CONTRADICTS and self._reading_check.may_request_snapshot():
            # One contradiction may be a quote that is older than the book: a second look decides.
            self._recovery.request_snapshots([ticker])
        return False

    def _change_reading(self, ticker: str) -> None:
        """Read NO levels the other way round from here on, and request all books again."""
        self._reading_check.change()
        self._use_reading(self.reading)
        if self.on_reading is not None:
            self.on_reading(self.reading)
        words = {BookReading.YES_PRICES: "YES prices", BookReading.NO_PRICES: "NO prices"}
        why = (
            f"{ticker}: the exchange sends NO levels in {words[self.reading]} now (use_yes_price flipped); they are "
            "read so from here on."
        )
        self._book_subscription.bad_snapshots.clear()
        self._state.report(Happening.ALARM, Channel.BOOK, why, (ticker,))
        self._recovery.handle_fault(why)
        # The snapshot that has shown it may be the last of those that were asked for.
        self._recovery.check_progress()

    def _check_empty_snapshot(self, ticker: str, data: bytes | str) -> None:
        """Raise TranslationError if a snapshot that looks empty need not be: strange names, or a quote with sizes."""
        # An empty book is common, and a renamed field looks just like one: it would be shown as a market without a
        # single order, and trusted.
        msg = msgspec.json.decode(data).get("msg")
        strange = sorted(
            name for name, value in msg.items() if isinstance(value, list) and value and not name.startswith("market_")
        )
        if strange:
            raise TranslationError(f"its levels stand under {clean(', '.join(strange), 80)}, which is not known")
        quote = self._book_quotes.get(ticker)
        if quote is not None and (quote.yes_bid_size or quote.yes_ask_size):
            raise TranslationError("its order book came empty, but its quote has sizes")

    def _make_ticker_receiver(self) -> Callable[[wire.TickerFrame, bytes | str], None]:
        """Make what takes a quote: a closure, as `receive` is one, and for the same reason."""
        by_sid, known, books, newest = (
            self._state.subscriptions_by_sid,
            self._valid_tickers,
            self._book_subscription,
            self._newest_frame,
        )
        read, tell, check = translate.quote, self._feed_handler.quote, self._reading_check

        def take(frame: wire.TickerFrame, _data: bytes | str) -> None:
            if frame.sid not in by_sid:
                self.unknown_sid_frames += 1
                return
            msg = frame.msg
            ticker = msg.market_ticker
            try:
                if ticker not in known:
                    known.add(translate.parse_id(ticker, "market ticker"))
                try:
                    quote = read(msg)
                except TranslationError:
                    quote, odd = translate.translate_without_spare(read, msg)
                    self._report_odd_values(odd)
            except TranslationError as error:
                self._state.report_alarm_once(Channel.TICKER, f"A quote makes no sense: {error}")
                return
            if ticker not in self.unasked_quotes:
                tell(ticker, quote)
            if ticker in books.wanted:
                self._book_quotes[ticker] = quote
                if check.waits_for_quote:
                    self._check_reading_by_quote(ticker, quote)
            newest[0] = frame

        return take

    def _on_trade(self, frame: wire.TradeFrame, _data: bytes | str) -> None:
        if self._accept_on_channel(Channel.TRADE, frame.sid, frame.seq) is None:
            return
        try:
            self._feed_handler.trade(translate.trade(frame.msg))
        except TranslationError as error:
            self._state.report_alarm_once(Channel.TRADE, f"A trade makes no sense: {error}")
            return
        self._newest_frame[0] = frame

    def _on_fill(self, frame: wire.FillFrame, _data: bytes | str) -> None:
        self._deliver_account_update(frame, Channel.FILL, lambda: self._feed_handler.fill(translate.fill(frame.msg)))

    def _on_user_order(self, frame: wire.UserOrderFrame, _data: bytes | str) -> None:
        self._deliver_account_update(
            frame, Channel.ORDERS, lambda: self._feed_handler.order(translate.user_order(frame.msg))
        )

    def _on_market_position(self, frame: wire.MarketPositionFrame, _data: bytes | str) -> None:
        self._deliver_account_update(
            frame, Channel.POSITIONS, lambda: self._feed_handler.position(translate.market_position(frame.msg))
        )

    def _deliver_account_update(
        self,
        frame: wire.FillFrame | wire.UserOrderFrame | wire.MarketPositionFrame,
        channel: str,
        deliver: Callable[[], None],
    ) -> None:
        """Pass on a change of the account; one that makes no sense has to be read by REST, so report it as missed."""
        subscription = self._state.subscriptions_by_sid.get(frame.sid)
        if subscription is None:
            self.unknown_sid_frames += 1
            return
        if subscription.channel != channel:
            self._handle_foreign_channel(channel, subscription)
            return
        if isinstance(frame.sending_ts_ms, int):
            self._account_sent_ms = frame.sending_ts_ms
        try:
            deliver()
        except TranslationError as error:
            self._state.report(Happening.MISSED, channel, f"News of the account makes no sense: {error}")

    def _on_lifecycle(self, frame: wire.LifecycleFrame, _data: bytes | str) -> None:
        if self._accept_on_channel(Channel.LIFECYCLE, frame.sid, frame.seq) is None:
            return
        try:
            ticker = translate.parse_id(frame.msg.market_ticker, "market ticker")
        except TranslationError as error:
            self._state.report_alarm_once(Channel.LIFECYCLE, f"A lifecycle event makes no sense: {error}")
            return
        self._book_quotes.pop(ticker, None)
        self._feed_handler.lifecycle(ticker, clean(frame.msg.event_type, 64))

    def _on_event_fees(self, frame: wire.EventFeeFrame, _data: bytes | str) -> None:
        if self._accept_on_channel(Channel.LIFECYCLE, frame.sid, frame.seq) is None:
            return
        try:
            ticker = translate.parse_id(frame.msg.event_ticker, "event ticker")
        except TranslationError as error:
            self._state.report_alarm_once(Channel.LIFECYCLE, f"A change of fees makes no sense: {error}")
            return
        fee_type, multiplier = translate.fee_overrides(frame.msg.fee_type_override, frame.msg.fee_multiplier_override)
        self._feed_handler.event_fees(ticker, fee_type, multiplier)
