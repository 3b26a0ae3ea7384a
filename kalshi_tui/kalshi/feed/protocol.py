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
from kalshi_tui.kalshi.feed.handler import Sink
from kalshi_tui.kalshi.feed.subscription import (
    NOBODY,
    Bounds,
    Happening,
    Report,
    Stage,
    State,
    Subscription,
)
from kalshi_tui.kalshi.translate import DELTAS, PRICES, TranslationError, clean, learn_delta, learn_price
from kalshi_tui.kalshi.wire import Channel, Code

Levels = list[tuple[Price, Count]]
AuditAnswer = Callable[[str, Levels | None, Levels | None], None]
"""Called with a ticker and a fresh snapshot's levels at the moment that they hold; with None if none came."""

PRIVATE: Final = (Channel.ORDERS, Channel.FILL, Channel.POSITIONS)
_ORDER: Final = (*PRIVATE, Channel.LIFECYCLE, Channel.BOOK, Channel.TICKER, Channel.TRADE)
"""The order of subscribing: the account first, so that nothing of it is missed."""

_UNREADABLE: Final = (wire.DecodeError, UnicodeError, RecursionError)
MOST_UNREADABLE: Final = 1000
"""Messages of one connection that are no JSON; beyond that it is given up. One may come of a bad line."""
_SENSELESS: Final = (BookError, NumberError, TranslationError)
_TERMINAL: Final = frozenset({Code.CHANNEL_ERROR, Code.BUFFER_OVERFLOW, Code.UNKNOWN_SID})
"""Errors after which a subscription is gone."""
_PASSING: Final = frozenset({Code.GENERAL, Code.INTERNAL, Code.TIMEOUT, Code.COMMAND_RATE})
"""Errors after which the same command may be sent again a little later."""

_SUBSCRIBE: Final = "subscribe"
_UNSUBSCRIBE: Final = "unsubscribe"
_ADD: Final = "add_markets"
_DELETE: Final = "delete_markets"
_SNAPSHOT: Final = "get_snapshot"
_PROBE: Final = "list_subscriptions"

_NO_BOOK: Final = "The exchange sends no order book for this market."


@dataclass(slots=True)
class _Command:
    """A command that was sent and not yet answered."""

    what: str
    subscription: Subscription
    tickers: frozenset[str]
    sent_at: float
    probe: bool = False


NO_NUMBER: Final = 1_000
"""So many digits in a row are no number of an exchange's, but an attempt on whoever reads them."""
_DIGITS: Final = re.compile(rb"\d{%d}" % NO_NUMBER)


class FeedProtocol:
    """One connection's worth of protocol at a time, and what is wanted over all of them.

    Say what is wanted at any time with the ``want_`` methods. Call `connected` when a connection is up, `receive` with
    each message, `tick` often (a few times a second), `disconnected` when it is gone; send what `outgoing` gives; and
    reconnect when `broken` holds a sentence.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        listener: Callable[[Report], None] | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self._sink = sink
        self._tell = listener
        self.bounds = bounds or Bounds()
        self.on_outgoing: Callable[[], None] | None = None
        """Called when there is something to send where there was nothing."""
        self.on_ready: Callable[[], None] | None = None
        """Called when `ready` becomes true."""
        self.broken = ""
        """Why this connection is to be given up, a sentence; empty while it is not."""
        self.ready = False
        """Whether every subscription wanted at the start of this connection has been answered."""
        self._newest_ms = [0]
        self.faults = 0
        self.healed = 0
        self.strangers = 0
        """Frames of subscriptions that are no longer, or never were, ours; all dropped."""
        self.unreadable = 0
        self._unreadable_before = 0
        """At the beginning of this connection."""
        self._unreadable_told = -1.0
        self._now = 0.0
        self._connected = False
        self._next_id = 1
        self._out: list[bytes] = []
        self._pending: dict[int, _Command] = {}
        self._audits: dict[int, AuditAnswer] = {}
        self._by_sid: dict[int, Subscription] = {}
        self._subscriptions = {channel: Subscription(channel) for channel in _ORDER}
        self._books = self._subscriptions[Channel.BOOK]
        self._known_tickers: set[str] = set()
        self._quoted: dict[str, bool] = {}
        """Whether the newest quote of a market whose book is followed has sizes."""
        self._alarmed: set[str] = set()
        self._handlers: dict[type, Callable[[Any, bytes | str], None]] = {
            wire.SnapshotFrame: self._snapshot,
            wire.TickerFrame: self._ticker_taker(),
            wire.TradeFrame: self._trade,
            wire.FillFrame: self._fill,
            wire.UserOrderFrame: self._user_order,
            wire.MarketPositionFrame: self._market_position,
            wire.LifecycleFrame: self._lifecycle,
            wire.EventLifecycleFrame: self._counted_only,
            wire.EventFeeFrame: self._counted_only,
            wire.OrderGroupFrame: self._counted_only,
            wire.SubscribedFrame: self._subscribed,
            wire.UnsubscribedFrame: self._unsubscribed,
            wire.OkFrame: self._ok,
            wire.ErrorFrame: self._error,
        }
        self.receive = self._receiver()
        """Take one message. Never raises for anything that the exchange could send."""

    # What is wanted.

    def want_books(self, tickers: Iterable[str]) -> None:
        """Keep the books of exactly these markets; those that fall out are stale from now on."""
        wanted = frozenset(tickers)
        # A quote that nobody went on watching beside its book says nothing of the book that comes later.
        self._quoted = {ticker: has for ticker, has in self._quoted.items() if ticker in wanted}
        self._want(Channel.BOOK, wanted)

    def want_tickers(self, tickers: Iterable[str] | None) -> None:
        """Take the quotes of exactly these markets, of all with None."""
        self._want(Channel.TICKER, NOBODY if tickers is None else frozenset(tickers), everything=tickers is None)

    def want_trades(self, tickers: Iterable[str] | None) -> None:
        """Take the public trades of exactly these markets, of all with None."""
        self._want(Channel.TRADE, NOBODY if tickers is None else frozenset(tickers), everything=tickers is None)

    def want_account(self, wanted: bool = True) -> None:
        """Take the account's own orders, fills and positions."""
        for channel in PRIVATE:
            self._want(channel, NOBODY, everything=wanted)

    def want_lifecycle(self, wanted: bool = True) -> None:
        """Hear of every market's changes of status, dates and grid."""
        self._want(Channel.LIFECYCLE, NOBODY, everything=wanted)

    @property
    def last_ts_ms(self) -> int:
        """The exchange's time (Unix ms) in the newest delta, quote or trade; 0 where that had none."""
        return self._newest_ms[0]

    @property
    def trusted(self) -> frozenset[str]:
        """The markets whose books are trusted now."""
        return frozenset(self._books.good)

    @property
    def untrusted(self) -> frozenset[str]:
        """The markets whose books are wanted and not trusted now."""
        return self._books.wanted - self._books.good.keys()

    @property
    def sids(self) -> dict[int, tuple[str, int | None]]:
        """The subscriptions of this connection by sid: channel, and the number that comes next, None if not known."""
        return {sid: (each.channel, each.expected) for sid, each in self._by_sid.items()}

    def _want(self, channel: str, tickers: frozenset[str], *, everything: bool = False) -> None:
        subscription = self._subscriptions[channel]
        subscription.everything = everything
        subscription.wanted = tickers
        self._follow(subscription)

    # The connection.

    def connected(self, now: float) -> None:
        """Begin anew on a fresh connection: subscribe to all that is wanted."""
        self._now = now
        self._forget_connection()
        self._connected = True
        for subscription in self._subscriptions.values():
            self._follow(subscription)
        self._notice_ready()

    def disconnected(self, now: float, why: str) -> None:
        """Trust nothing of the connection that is gone; ``why`` is a sentence."""
        self._now = now
        lost = self._books.distrust_all()
        if lost:
            self._note_fault_time(self._books)
            self._sink.stale(lost, why)
        for command in list(self._audits):
            self._answer_audit(command, "", None, None)
        self._forget_connection()

    def _forget_connection(self) -> None:
        self._connected = False
        self.ready = False
        self.broken = ""
        self._unreadable_before = self.unreadable
        self._out.clear()
        self._pending.clear()
        self._audits.clear()
        self._by_sid.clear()
        self._alarmed.clear()
        self._quoted.clear()
        for subscription in self._subscriptions.values():
            subscription.reset()

    def outgoing(self) -> list[bytes]:
        """Give the commands that are to be sent now, in order, and forget them."""
        out, self._out = self._out, []
        return out

    def probe(self) -> None:
        """Find out whether a silent link still answers; if not in time, `broken` says so.

        docs/kalshi-api.md, section 5.
        """
        if not self._connected or any(command.probe for command in self._pending.values()):
            return
        books = self._books
        if books.state is State.LIVE and books.good:
            ticker = min(books.good)
            self._ask_for_snapshots(books, [ticker], probe=True)
        else:
            self._send(_PROBE, books, probe=True)

    def distrust(self, why: str) -> None:
        """Take the trust from all books and fetch them anew: for whoever finds that one cannot be right."""
        if self._books.state is State.LIVE:
            self._fault(self._books, why)

    def audit(self, ticker: str, answer: AuditAnswer) -> None:
        """Ask for a fresh snapshot of a trusted book and hand its levels over at the moment that they hold.

        The sink's own book then has to be equal. The answer is called with None if the book is not trusted now, or if
        it is lost before the snapshot comes.
        """
        if not self._connected or ticker not in self._books.good:
            answer(ticker, None, None)
            return
        self._audits[self._ask_for_snapshots(self._books, [ticker])] = answer

    # Frames.

    def _receiver(self) -> Callable[[bytes | str], None]:  # noqa: C901 - the hot path: each call more would be paid for
        """Make `receive`: a closure, whose names are looked up in a quarter less time than a method's attributes."""
        by_sid, handlers = self._by_sid, self._handlers
        prices, deltas, decode, newest_ms = PRICES, DELTAS, wire.decode_frame, self._newest_ms
        delta_frame = wire.DeltaFrame

        def receive(data: bytes | str) -> None:
            try:
                frame = decode(data)
            except _UNREADABLE:
                self._unreadable_frame(data)
                return
            if frame.__class__ is not delta_frame:
                handlers[frame.__class__](frame, data)
                return
            try:
                subscription = by_sid[frame.sid]
            except KeyError:
                self.strangers += 1
                return
            seq = frame.seq
            if seq == subscription.expected:
                subscription.expected = seq + 1
            elif not self._out_of_turn(subscription, seq):
                return
            msg = frame.msg
            try:
                change = subscription.good[msg.market_ticker]
            except KeyError:
                self._untrusted_delta(subscription, msg.market_ticker)
                return
            try:
                price, count = prices[msg.price_dollars], deltas[msg.delta_fp]
            except KeyError:
                learned = self._learn(subscription, msg)
                if learned is None:
                    return
                price, count = learned
            try:
                change(msg.side, price, count)
            except BookError as error:
                self._fault(subscription, f"{msg.market_ticker}: {clean(str(error))}.")
                return
            newest_ms[0] = msg.ts_ms

        return receive

    def _learn(self, subscription: Subscription, msg: wire.DeltaMsg) -> tuple[Price, Count] | None:
        """Parse the numbers of a change that were not seen before; None, and a fault, if they are none."""
        try:
            return learn_price(msg.price_dollars), learn_delta(msg.delta_fp)
        except NumberError as error:
            self._fault(subscription, f"{msg.market_ticker}: {clean(str(error))}")
            return None

    def _in_turn(self, sid: int, seq: int | UnsetType) -> Subscription | None:
        """Count a frame's number, and give the subscription if the frame may be used."""
        subscription = self._by_sid.get(sid)
        if subscription is None:
            self.strangers += 1
            return None
        if seq is UNSET:
            return subscription
        if seq == subscription.expected:
            subscription.expected = seq + 1
            return subscription
        return subscription if self._out_of_turn(subscription, seq) else None

    def _out_of_turn(self, subscription: Subscription, seq: int) -> bool:
        """Deal with a number that was not expected; say whether the frame's content may be used all the same.

        After a gap it may: it was sent after what is missing. One that comes twice or late may not.
        """
        expected = subscription.expected
        if expected is None:
            subscription.expected = seq + 1
            return True
        if seq > expected:
            subscription.expected = seq + 1
            self._fault(subscription, f"{seq - expected} of the exchange's messages were lost on the way.")
            return True
        self._fault(subscription, "A message of the exchange came twice or out of turn.")
        return False

    def _unreadable_frame(self, data: bytes | str) -> None:
        """Deal with a frame that could not be read."""
        if not self._is_an_attempt(data):
            self._count_unreadable(data)

    def _count_unreadable(self, data: bytes | str) -> None:
        """Count what can be counted of a frame that is not known, or not what it should be."""
        try:
            envelope = wire.decode_envelope(data)
        except _UNREADABLE as error:
            self._wholly_unreadable()
            if isinstance(error, RecursionError) or self.unreadable - self._unreadable_before > MOST_UNREADABLE:
                self.broken = "The exchange sends messages that cannot be read."
            return
        if isinstance(envelope.sid, int):
            subscription = self._in_turn(envelope.sid, envelope.seq)
        elif envelope.type in {"orderbook_delta", "orderbook_snapshot"}:
            subscription = self._books
        else:
            subscription = None
        if envelope.type not in wire.FRAME_TYPES:
            return
        self.unreadable += 1
        sentence = f"A message of type {clean(envelope.type, 40)} could not be read."
        if envelope.type == "error" and isinstance(envelope.id, int):
            command = self._pending.pop(envelope.id, None)
            if command is not None:
                self._refused(command, wire.ErrorMsg(code=Code.GENERAL))
        elif subscription is None:
            self._alarm("", sentence)
        elif subscription is self._books:
            self._fault(subscription, sentence)
        else:
            self._report(Happening.MISSED, subscription.channel, sentence)

    def _is_an_attempt(self, data: bytes | str) -> bool:
        """Say whether a frame that could not be read holds a number that can be none: then the link is reset."""
        if len(data) <= NO_NUMBER or not _DIGITS.search(data if isinstance(data, bytes) else data.encode()):
            return False
        self._wholly_unreadable()
        self.broken = "The exchange sends a number that can be none."
        return True

    def _wholly_unreadable(self) -> None:
        """Trust nothing for a frame that could have been anything; tell at most once a second that news may be lost."""
        self.unreadable += 1
        sentence = "A message of the exchange could not be read."
        if self._books.state is State.LIVE:
            self._fault(self._books, sentence)
        if self._now - self._unreadable_told >= 1.0:
            self._unreadable_told = self._now
            self._report(Happening.MISSED, "", sentence)

    def _untrusted_delta(self, subscription: Subscription, ticker: str) -> None:
        """Pass over a change to a book that is not trusted; outside a recovery it means that a snapshot is missing."""
        if (
            ticker in subscription.awaiting
            and subscription.stage is Stage.NONE
            and not any(ticker in command.tickers for command in self._pending.values())
        ):
            self._fault(subscription, f"{ticker}: a change came before the order book itself.")

    def _snapshot(self, frame: wire.SnapshotFrame, data: bytes | str) -> None:
        msg = frame.msg
        ticker = msg.market_ticker
        command_id = self._asked_for(frame.id, ticker)
        subscription = self._by_sid.get(frame.sid)
        if command_id and subscription is not None and frame.seq + 1 == subscription.expected:
            # Ours, and as of the newest number rather than with one of its own: just as good.
            pass
        else:
            subscription = self._in_turn(frame.sid, frame.seq)
        if subscription is None or ticker not in subscription.sent:
            return
        subscription.outstanding.discard(ticker)
        try:
            yes, no = translate.levels_of(msg.yes_dollars_fp), translate.levels_of(msg.no_dollars_fp)
            if not yes and not no:
                self._refuse_suspicious_emptiness(ticker, data)
            elif yes and no:
                _refuse_crossed(yes, no)
            if command_id in self._audits:
                trusted = ticker in subscription.good
                self._answer_audit(command_id, ticker, yes if trusted else None, no if trusted else None)
            change = self._sink.snapshot(ticker, yes, no)
        except _SENSELESS as error:
            self._bad_snapshot(subscription, ticker, f"{ticker}: {clean(str(error)).rstrip('.')}.")
            return
        if command_id:
            command = self._pending[command_id]
            command.tickers -= {ticker}
            command.sent_at = self._now
            if not command.tickers:
                del self._pending[command_id]
        subscription.trust(ticker, change)
        subscription.progress = True
        subscription.fruitless = False
        subscription.deadline = self._now + self._patience(subscription)
        self._look_whether_healed(subscription)

    def _refuse_suspicious_emptiness(self, ticker: str, data: bytes | str) -> None:
        """Raise TranslationError if a snapshot that looks empty need not be: strange names, or a quote with sizes."""
        msg = msgspec.json.decode(data).get("msg")
        strange = sorted(
            name for name, value in msg.items() if isinstance(value, list) and value and not name.startswith("market_")
        )
        if strange:
            raise TranslationError(f"its levels stand under {clean(', '.join(strange), 80)}, which is not known")
        if self._quoted.get(ticker):
            raise TranslationError("its order book came empty, but its quote has sizes")

    def _asked_for(self, answers: int | UnsetType, ticker: str) -> int:
        """Find the command that a snapshot answers, by its id or else by its market; 0 if nobody asked for it."""
        if answers:
            command = self._pending.get(answers)
            return answers if command is not None and command.what == _SNAPSHOT and ticker in command.tickers else 0
        for command_id, command in self._pending.items():
            if command.what == _SNAPSHOT and ticker in command.tickers:
                return command_id
        return 0

    def _ticker_taker(self) -> Callable[[wire.TickerFrame, bytes | str], None]:
        """Make what takes a quote: a closure, as `receive` is one, and for the same reason."""
        by_sid, known, books, newest_ms = self._by_sid, self._known_tickers, self._books, self._newest_ms
        read, tell = translate.quote, self._sink.quote

        def take(frame: wire.TickerFrame, _data: bytes | str) -> None:
            if frame.sid not in by_sid:
                self.strangers += 1
                return
            msg = frame.msg
            ticker = msg.market_ticker
            try:
                if ticker not in known:
                    known.add(translate.identity(ticker, "market ticker"))
                quote = read(msg)
            except TranslationError as error:
                self._alarm(Channel.TICKER, f"A quote makes no sense: {error}")
                return
            tell(ticker, quote)
            if ticker in books.wanted:
                self._quoted[ticker] = bool(quote.yes_bid_size or quote.yes_ask_size)
            newest_ms[0] = msg.ts_ms

        return take

    def _trade(self, frame: wire.TradeFrame, _data: bytes | str) -> None:
        if self._in_turn(frame.sid, frame.seq) is None:
            return
        try:
            self._sink.trade(translate.trade(frame.msg))
        except TranslationError as error:
            self._alarm(Channel.TRADE, f"A trade makes no sense: {error}")
            return
        self._newest_ms[0] = frame.msg.ts_ms

    def _fill(self, frame: wire.FillFrame, _data: bytes | str) -> None:
        self._account_news(frame.sid, Channel.FILL, lambda: self._sink.fill(translate.fill(frame.msg)))

    def _user_order(self, frame: wire.UserOrderFrame, _data: bytes | str) -> None:
        self._account_news(frame.sid, Channel.ORDERS, lambda: self._sink.order(translate.user_order(frame.msg)))

    def _market_position(self, frame: wire.MarketPositionFrame, _data: bytes | str) -> None:
        self._account_news(
            frame.sid, Channel.POSITIONS, lambda: self._sink.position(translate.market_position(frame.msg))
        )

    def _account_news(self, sid: int, channel: str, pass_on: Callable[[], None]) -> None:
        """Pass on news of the account; what makes no sense has to be read by REST, so it is told as missed."""
        if sid not in self._by_sid:
            self.strangers += 1
            return
        try:
            pass_on()
        except TranslationError as error:
            self._report(Happening.MISSED, channel, f"News of the account makes no sense: {error}")

    def _lifecycle(self, frame: wire.LifecycleFrame, _data: bytes | str) -> None:
        if self._in_turn(frame.sid, frame.seq) is None:
            return
        try:
            ticker = translate.identity(frame.msg.market_ticker, "market ticker")
        except TranslationError as error:
            self._alarm(Channel.LIFECYCLE, f"A lifecycle event makes no sense: {error}")
            return
        self._quoted.pop(ticker, None)
        self._sink.lifecycle(ticker, clean(frame.msg.event_type, 64))

    def _counted_only(
        self, frame: wire.EventLifecycleFrame | wire.EventFeeFrame | wire.OrderGroupFrame, _data: bytes | str
    ) -> None:
        self._in_turn(frame.sid, frame.seq)

    # Answers to commands.

    def _subscribed(self, frame: wire.SubscribedFrame, _data: bytes | str) -> None:
        command = self._pending.pop(frame.id, None) if frame.id else self._pending_subscribe(frame.msg.channel)
        sid = frame.msg.sid
        if command is None or command.what != _SUBSCRIBE or not self._is_current(command):
            self._send_unsubscribe(sid)
            return
        subscription = command.subscription
        subscription.expected = 1
        self._live(subscription, sid)

    def _pending_subscribe(self, channel: str) -> _Command | None:
        """Find the subscribe command that an answer without an id belongs to."""
        for command_id, command in self._pending.items():
            if command.what == _SUBSCRIBE and command.subscription.channel == channel:
                return self._pending.pop(command_id)
        return None

    @staticmethod
    def _is_current(command: _Command) -> bool:
        return command.subscription.state is State.PENDING

    def _live(self, subscription: Subscription, sid: int) -> None:
        subscription.sid = sid
        subscription.state = State.LIVE
        subscription.deadline = self._now + self._patience(subscription)
        self._by_sid[sid] = subscription
        if subscription.lost:
            # What happened between the end and now was told to nobody.
            self._report(Happening.MISSED, subscription.channel, subscription.lost)
            subscription.lost = ""
        self._follow(subscription)
        self._notice_ready()

    def _unsubscribed(self, frame: wire.UnsubscribedFrame, _data: bytes | str) -> None:
        if frame.id:
            self._pending.pop(frame.id, None)
        if frame.sid not in self._by_sid:
            return
        subscription = self._by_sid[frame.sid]
        self._in_turn(frame.sid, frame.seq)
        self._lose(subscription, "The exchange ended the subscription.")

    def _ok(self, frame: wire.OkFrame, _data: bytes | str) -> None:
        command = self._pending.pop(frame.id, None) if frame.id else None
        sid = frame.sid
        if not isinstance(sid, int):
            return
        if command is not None and command.what == _SUBSCRIBE and self._is_current(command):
            # The channel was active already, so the exchange only added markets: no snapshots come by themselves.
            subscription = command.subscription
            subscription.expected = frame.seq + 1 if isinstance(frame.seq, int) else None
            self._live(subscription, sid)
            if subscription is self._books:
                self._note_fault_time(subscription)
                self._recover(subscription)
            return
        if sid in self._by_sid:
            self._in_turn(sid, frame.seq)
        if command is not None and command.what == _SNAPSHOT and command.tickers:
            self._pending[frame.id or 0] = command

    def _error(self, frame: wire.ErrorFrame, _data: bytes | str) -> None:
        subscription = self._by_sid.get(frame.sid) if isinstance(frame.sid, int) else None
        if subscription is not None and subscription.sid is not None:
            self._in_turn(subscription.sid, frame.seq)
        command = self._pending.pop(frame.id, None) if frame.id else None
        if frame.id:
            self._answer_audit(frame.id, "", None, None)
        if command is not None:
            self._refused(command, frame.msg)
        elif subscription is not None and frame.msg.code in _TERMINAL:
            self._lose(subscription, f"The exchange ended the subscription ({_said(frame.msg)}).")
        else:
            self._report(
                Happening.REFUSED,
                subscription.channel if subscription is not None else "",
                f"The exchange's stream reports an error: {_said(frame.msg)}.",
            )

    def _refused(self, command: _Command, error: wire.ErrorMsg) -> None:
        """Deal with a command that the exchange did not carry out."""
        subscription = command.subscription
        if command.what in {_UNSUBSCRIBE, _PROBE} or subscription.state not in {State.PENDING, State.LIVE}:
            return
        if command.what == _SUBSCRIBE:
            self._subscribe_refused(command, error)
        elif error.code in _TERMINAL:
            self._lose(subscription, f"The exchange ended the subscription ({_said(error)}).")
        elif command.what == _ADD:
            lost = subscription.forget(set(command.tickers))
            if lost:
                self._sink.stale(lost, f"The exchange refused this market: {_said(error)}.")
            self._sort_out(subscription, command.tickers, error)
        elif command.what == _SNAPSHOT:
            subscription.outstanding -= command.tickers
            if error.code in _PASSING and subscription.rounds < self.bounds.rounds:
                subscription.deadline = self._now + self.bounds.snapshot
            elif subscription.stage is Stage.SNAPSHOT:
                self._resubscribe(subscription, f"The exchange sends no snapshots ({_said(error)}).")

    def _subscribe_refused(self, command: _Command, error: wire.ErrorMsg) -> None:
        subscription = command.subscription
        if error.code in _PASSING or error.code in _TERMINAL:
            subscription.start_anew()
            subscription.state = State.IDLE
            self._hold(subscription)
        elif command.tickers and error.code in {Code.INVALID_PARAMETER, Code.MARKET_NOT_FOUND, Code.MARKET_LIMIT}:
            waiting = list(subscription.batches)
            subscription.start_anew()
            subscription.state = State.IDLE
            subscription.batches.extend(waiting)
            self._sort_out(subscription, command.tickers, error)
        elif error.code == Code.ALREADY_SUBSCRIBED:
            self.broken = "The exchange still holds an old subscription that cannot be named any more."
        else:
            subscription.start_anew()
            subscription.state = State.DEAD
            self._report(
                Happening.REFUSED,
                subscription.channel,
                f"The exchange refuses the channel {subscription.channel}: {_said(error)}.",
            )
        self._notice_ready()

    def _sort_out(self, subscription: Subscription, tickers: frozenset[str], error: wire.ErrorMsg) -> None:
        """Find the market that a refusal is about: the one it names, or by halves; the others are sent again.

        Where the exchange takes no more markets at all (26), the first that does not fit stands for all that wait.
        """
        if error.code in _PASSING or (error.code == Code.MARKET_LIMIT and subscription.made_room):
            # Later there may be room: for the command, or in the subscription, which has just been left by others.
            subscription.made_room = False
            subscription.batches.appendleft(sorted(tickers))
            self._hold(subscription)
            return
        named = error.market_ticker
        if isinstance(named, str) and named in tickers:
            self._refuse_markets(subscription, {named}, error)
            subscription.batches.append(sorted(tickers - {named}))
        elif len(tickers) > 1:
            ordered = sorted(tickers)
            middle = len(ordered) // 2
            subscription.batches.extendleft((ordered[middle:], ordered[:middle]))
        else:
            refused = set(tickers)
            if error.code == Code.MARKET_LIMIT:
                refused.update(*subscription.batches)
                subscription.batches.clear()
            self._refuse_markets(subscription, refused, error)
        self._send_batches(subscription)

    def _refuse_markets(self, subscription: Subscription, tickers: set[str], error: wire.ErrorMsg) -> None:
        """Ask no more for these markets on this connection, and say so."""
        subscription.refused |= tickers
        ordered = tuple(sorted(tickers))
        which = ordered[0] if len(ordered) == 1 else f"{len(ordered)} markets"
        text = f"The exchange refuses {which} on {subscription.channel}: {_said(error)}."
        if subscription is self._books:
            self._sink.stale(ordered, text)
        happening = Happening.FULL if error.code == Code.MARKET_LIMIT else Happening.REFUSED
        self._report(happening, subscription.channel, text, ordered)

    # Following what is wanted.

    def _follow(self, subscription: Subscription) -> None:
        """Bring a subscription to what is wanted: subscribe, add, delete or unsubscribe."""
        if not self._connected or subscription.state in {State.PENDING, State.DEAD}:
            return
        if not subscription.needed or subscription.sent_everything != subscription.everything:
            self._leave(subscription)
        if not subscription.needed:
            return
        queued = {ticker for batch in subscription.batches for ticker in batch}
        fresh = sorted(subscription.wanted - subscription.sent - subscription.refused - queued)
        size = self.bounds.batch
        subscription.batches.extend(fresh[start : start + size] for start in range(0, len(fresh), size))
        self._send_batches(subscription)
        gone = subscription.sent - subscription.wanted
        if gone and subscription.state is State.LIVE and not subscription.everything:
            # After the new ones were added: a subscription emptied of its last market could come to mean all of them.
            lost = subscription.forget(set(gone))
            if lost:
                self._sink.stale(lost, "This market is no longer followed.")
            ordered = sorted(gone)
            for start in range(0, len(ordered), size):
                self._send(_DELETE, subscription, ordered[start : start + size])
            subscription.made_room = True
            self._look_whether_healed(subscription)

    def _send_batches(self, subscription: Subscription) -> None:
        """Send what waits to be subscribed: the first batch makes the subscription, the others join it."""
        if not self._connected or self._now < subscription.hold_until:
            return
        if subscription.state is State.IDLE:
            if subscription.everything:
                self._subscribe(subscription, [])
            elif batch := self._next_batch(subscription):
                self._subscribe(subscription, batch)
            return
        while subscription.state is State.LIVE and (batch := self._next_batch(subscription)):
            self._take_up(subscription, batch)
            self._send(
                _ADD,
                subscription,
                batch,
                send_initial_snapshot=True if subscription.channel == Channel.TICKER else UNSET,
            )

    @staticmethod
    def _next_batch(subscription: Subscription) -> list[str]:
        """Take the next batch with anything in it that is still wanted; empty if there is none."""
        while subscription.batches:
            batch = subscription.batches.popleft()
            wanted = [ticker for ticker in batch if ticker in subscription.wanted and ticker not in subscription.sent]
            if wanted:
                return wanted
        return []

    def _take_up(self, subscription: Subscription, tickers: Sequence[str]) -> None:
        subscription.take_up(tickers, books=subscription is self._books)
        if subscription is self._books:
            subscription.deadline = self._now + self._patience(subscription)

    def _subscribe(self, subscription: Subscription, tickers: Sequence[str]) -> None:
        self._take_up(subscription, tickers)
        subscription.sent_everything = subscription.everything
        subscription.state = State.PENDING
        channel = subscription.channel
        with_markets = channel in {Channel.BOOK, Channel.TICKER, Channel.TRADE}
        self._send(
            _SUBSCRIBE,
            subscription,
            tickers,
            channels=[channel],
            use_yes_price=False if channel == Channel.BOOK else UNSET,
            send_initial_snapshot=True if channel == Channel.TICKER else UNSET,
            skip_ticker_ack=True if with_markets else UNSET,
        )

    def _leave(self, subscription: Subscription) -> None:
        """Unsubscribe if subscribed; the books are stale, late frames are strangers."""
        sid = subscription.sid
        lost = subscription.distrust_all()
        if lost:
            self._sink.stale(lost, "This market is no longer followed.")
        subscription.fault_at = None
        if sid is not None:
            self._send_unsubscribe(sid)
        self._detach(subscription)

    def _lose(self, subscription: Subscription, why: str) -> None:
        """Deal with a subscription that the exchange has ended: subscribe anew, each time a little later."""
        self._distrust(subscription, why)
        if subscription is not self._books:
            self._report(Happening.MISSED, subscription.channel, why)
            subscription.lost = why
        self._detach(subscription)
        self._hold(subscription)

    def _resubscribe(self, subscription: Subscription, why: str) -> None:
        """Unsubscribe and subscribe: a bare second subscribe would repair nothing (docs/kalshi-api.md, section 4)."""
        self._distrust(subscription, why)
        sid = subscription.sid
        if sid is not None:
            self._send_unsubscribe(sid)
        self._detach(subscription)
        self._follow(subscription)
        subscription.stage = Stage.RESUBSCRIBED
        subscription.deadline = self._now + self.bounds.resubscribe

    def _detach(self, subscription: Subscription) -> None:
        if subscription.sid is not None:
            self._by_sid.pop(subscription.sid, None)
        self._drop_commands_of(subscription)
        subscription.start_anew()
        subscription.state = State.IDLE

    def _hold(self, subscription: Subscription) -> None:
        """Send nothing more for this subscription for a while, longer each time."""
        bounds = self.bounds
        if self._now - subscription.held_at > 6 * bounds.longest:
            subscription.holds = 0
        subscription.hold_until = self._now + min(bounds.longest, bounds.retry * 2 ** min(subscription.holds, 16))
        subscription.held_at = self._now
        subscription.holds += 1

    def _drop_commands_of(self, subscription: Subscription) -> None:
        for command_id, command in list(self._pending.items()):
            if command.subscription is subscription and command.what != _UNSUBSCRIBE:
                del self._pending[command_id]
                if command_id in self._audits:
                    self._answer_audit(command_id, "", None, None)

    # Trust.

    def _fault(self, subscription: Subscription, why: str) -> None:
        """Trust no book of a subscription any more, and begin to heal it unless that is under way."""
        self.faults += 1
        if subscription is not self._books:
            self._report(Happening.MISSED, subscription.channel, why)
            return
        self._distrust(subscription, why)
        if subscription.stage is Stage.NONE and subscription.state is State.LIVE:
            self._recover(subscription)

    def _distrust(self, subscription: Subscription, why: str) -> None:
        if subscription is not self._books:
            return
        lost = subscription.distrust_all()
        self._note_fault_time(subscription)
        if lost:
            self._sink.stale(lost, why)
            self._report(Happening.FAULT, subscription.channel, why, tuple(lost))

    def _note_fault_time(self, subscription: Subscription) -> None:
        if subscription.fault_at is None:
            subscription.fault_at = self._now

    def _recover(self, subscription: Subscription) -> None:
        """Ask for the snapshots of all books that wait for one."""
        subscription.stage = Stage.SNAPSHOT
        subscription.rounds += 1
        subscription.progress = False
        subscription.outstanding = set(subscription.awaiting)
        subscription.deadline = self._now + self.bounds.snapshot
        ordered = sorted(subscription.awaiting)
        for start in range(0, len(ordered), self.bounds.batch):
            self._ask_for_snapshots(subscription, ordered[start : start + self.bounds.batch])

    def _ask_for_snapshots(self, subscription: Subscription, tickers: Sequence[str], *, probe: bool = False) -> int:
        return self._send(_SNAPSHOT, subscription, tickers, probe=probe)

    def _bad_snapshot(self, subscription: Subscription, ticker: str, why: str) -> None:
        """Deal with a snapshot that makes no sense: heal everything once; if it comes again, set the market apart."""
        bad = subscription.bad_snapshots.get(ticker, 0) + 1
        subscription.bad_snapshots[ticker] = bad
        if bad > 1:
            self._set_apart(subscription, [ticker], why)
        else:
            self._fault(subscription, why)
        self._look_whether_healed(subscription)

    def _set_apart(self, subscription: Subscription, tickers: Sequence[str], why: str) -> None:
        """Give up for a while on markets whose books cannot be had, so that the others live on."""
        news = tuple(ticker for ticker in tickers if ticker not in subscription.probation)
        for ticker in tickers:
            subscription.set_apart(ticker, self._now + self.bounds.quarantine)
        self._sink.stale(list(tickers), why)
        if news:
            self._report(Happening.ALARM, subscription.channel, why, news)

    def _look_whether_healed(self, subscription: Subscription) -> None:
        """After a snapshot: end the recovery, or ask for what is still missing once all that was asked for came."""
        if subscription is not self._books or subscription.state is not State.LIVE:
            return
        if not subscription.awaiting:
            subscription.stage = Stage.NONE
            subscription.rounds = 0
            if subscription.fault_at is not None and subscription.good:
                elapsed = self._now - subscription.fault_at
                subscription.fault_at = None
                self.healed += 1
                self._report(
                    Happening.HEALED,
                    subscription.channel,
                    f"All order books are right again, {elapsed:.1f} s after the fault.",
                    elapsed=elapsed,
                )
        elif subscription.stage is Stage.SNAPSHOT and not subscription.outstanding:
            if subscription.rounds < self.bounds.rounds:
                self._recover(subscription)
            else:
                self._resubscribe(subscription, "The order books do not come right.")

    # Time.

    def tick(self, now: float) -> None:
        """Bring the time (seconds, never going back) and do what is due: retries, stronger repairs."""
        self._now = now
        if not self._connected:
            return
        for subscription in self._subscriptions.values():
            if subscription.hold_until and now >= subscription.hold_until:
                subscription.hold_until = 0.0
                self._follow(subscription)
        self._look_at_books(self._books)
        self._look_at_commands()

    def _look_at_books(self, books: Subscription) -> None:
        if books.state is not State.LIVE:
            return
        self._bring_back(books)
        if books.awaiting:
            if self._now >= books.deadline:
                self._escalate(books)
        elif books.expected != books.seen_expected:
            books.seen_expected = books.expected
            books.active_at = self._now
        elif self._now - books.active_at > self.bounds.quiet and books.good:
            # Nobody trades, or the subscription died without a word: only a question tells which.
            books.active_at = self._now
            self._ask_for_snapshots(books, [min(books.good)])

    def _bring_back(self, books: Subscription) -> None:
        """Ask once more for the books of markets that were set apart long enough ago."""
        back = sorted(ticker for ticker, until in books.quarantined.items() if self._now >= until)
        if back:
            for ticker in back:
                del books.quarantined[ticker]
            books.awaiting.update(back)
            books.deadline = self._now + self.bounds.snapshot
            self._ask_for_snapshots(books, back)

    def _escalate(self, books: Subscription) -> None:
        """Do the next stronger thing for books whose snapshots have not come in time."""
        again = sorted(books.awaiting & books.probation)
        if again:
            self._set_apart(books, again, _NO_BOOK)
            self._look_whether_healed(books)
            if not books.awaiting:
                return
        if books.stage is Stage.NONE:
            self._note_fault_time(books)
            self._recover(books)
        elif books.stage is Stage.SNAPSHOT:
            if books.progress and books.rounds < self.bounds.rounds:
                self._recover(books)
            else:
                self._resubscribe(books, "The order books that were asked for did not come.")
        elif books.good or books.fruitless:
            self._set_apart(books, sorted(books.awaiting), _NO_BOOK)
            self._look_whether_healed(books)
        else:
            books.fruitless = True
            self.broken = "No order books came after subscribing anew."

    def _look_at_commands(self) -> None:
        oldest = self._now - self.bounds.answer
        for command_id, command in list(self._pending.items()):
            if command.sent_at > oldest or command_id not in self._pending:
                continue
            if command.probe:
                self.broken = "The link is up, but the exchange does not answer on it."
            elif command.what == _SUBSCRIBE:
                self.broken = "The exchange did not answer a subscription."
            else:
                del self._pending[command_id]
                self._answer_audit(command_id, "", None, None)
                books = command.subscription
                if command.what in {_ADD, _DELETE}:
                    self._resubscribe(command.subscription, "The exchange did not answer a change of the subscription.")
                elif command.what == _SNAPSHOT and books.stage is Stage.NONE and command.tickers & books.good.keys():
                    self._resubscribe(books, "The exchange does not answer on this subscription.")

    def _patience(self, subscription: Subscription) -> float:
        """How long the next snapshot may take."""
        bounds = self.bounds
        return bounds.snapshot if subscription.stage is Stage.SNAPSHOT else bounds.resubscribe

    # Small things.

    def _send(
        self,
        what: str,
        subscription: Subscription,
        tickers: Sequence[str] = (),
        *,
        probe: bool = False,
        **more: Any,
    ) -> int:
        """Queue a command and note that it waits for its answer; gives its id."""
        command_id = self._next_id
        self._next_id += 1
        if what == _PROBE:
            command = wire.Command(id=command_id, cmd=what)
        elif what == _SUBSCRIBE:
            markets = list(tickers) if tickers else UNSET
            command = wire.Command(id=command_id, cmd=what, params=wire.CommandParams(market_tickers=markets, **more))
        else:
            sid = subscription.sid
            params = wire.CommandParams(
                sids=[sid] if sid is not None else [], action=what, market_tickers=list(tickers), **more
            )
            command = wire.Command(id=command_id, cmd="update_subscription", params=params)
        self._pending[command_id] = _Command(what, subscription, frozenset(tickers), self._now, probe)
        self._queue(command)
        return command_id

    def _send_unsubscribe(self, sid: int) -> None:
        command_id = self._next_id
        self._next_id += 1
        command = wire.Command(id=command_id, cmd=_UNSUBSCRIBE, params=wire.CommandParams(sids=[sid]))
        self._pending[command_id] = _Command(_UNSUBSCRIBE, self._books, NOBODY, self._now)
        self._queue(command)

    def _queue(self, command: wire.Command) -> None:
        self._out.append(wire.encode(command))
        if len(self._out) == 1 and self.on_outgoing is not None:
            self.on_outgoing()

    def _notice_ready(self) -> None:
        if not self.ready and not any(command.what == _SUBSCRIBE for command in self._pending.values()):
            self.ready = True
            if self.on_ready is not None:
                self.on_ready()

    def _answer_audit(self, command_id: int, ticker: str, yes: Levels | None, no: Levels | None) -> None:
        answer = self._audits.pop(command_id, None)
        if answer is not None:
            answer(ticker, yes, no)

    def _report(
        self, happening: Happening, channel: str, text: str, tickers: tuple[str, ...] = (), elapsed: float = 0.0
    ) -> None:
        if self._tell is not None:
            self._tell(Report(happening, channel, text, tickers, elapsed))

    def _alarm(self, channel: str, text: str) -> None:
        """Tell of a senseless frame, once for each channel and connection: a flood of them must not flood the log."""
        if channel not in self._alarmed:
            self._alarmed.add(channel)
            self._report(Happening.ALARM, channel, text)


def _said(error: wire.ErrorMsg) -> str:
    return f"{clean(error.msg, 120) or 'no words'}, code {error.code}"


def _refuse_crossed(yes: Levels, no: Levels) -> None:
    """Raise TranslationError if a snapshot's own bids would trade with each other, as they never rest."""
    best_yes, best_no = max(yes)[0], max(no)[0]
    if best_yes + best_no < PRICE_UNIT:
        return
    if best_yes + PRICE_UNIT - min(no)[0] < PRICE_UNIT:
        raise TranslationError("its NO levels look like YES prices (use_yes_price flipped)")
    raise TranslationError("its best YES and NO bids cross")
