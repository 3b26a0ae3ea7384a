"""`SubscriptionManager`: subscribes to what is wanted, adds and deletes markets, and handles the answers."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import UNSET, UnsetType

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.feed.book_recovery import BookRecovery
from kalshi_tui.kalshi.feed.command_queue import (
    ADD_MARKETS,
    DELETE_MARKETS,
    GET_SNAPSHOT,
    LIST_SUBSCRIPTIONS,
    SUBSCRIBE,
    UNSUBSCRIBE,
    CommandQueue,
    PendingCommand,
)
from kalshi_tui.kalshi.feed.protocol_state import ProtocolState
from kalshi_tui.kalshi.feed.subscription import ChannelSubscription, Happening, RecoveryStage, SubscriptionState
from kalshi_tui.kalshi.translate import clean
from kalshi_tui.kalshi.wire import Channel, ErrorCode

_TERMINAL_CODES: Final = frozenset({ErrorCode.CHANNEL_ERROR, ErrorCode.BUFFER_OVERFLOW, ErrorCode.UNKNOWN_SID})
"""Errors after which a subscription is gone."""
_RETRYABLE_CODES: Final = frozenset({ErrorCode.GENERAL, ErrorCode.TIMEOUT, ErrorCode.COMMAND_RATE})
"""Errors after which the same command may be sent again a little later."""
_MARKET_CODES: Final = frozenset({ErrorCode.INVALID_PARAMETER, ErrorCode.MARKET_LIMIT})
"""Errors that are about one of the markets in a command."""
WITH_MARKETS: Final = frozenset({Channel.BOOK, Channel.TICKER, Channel.TRADE})


class SubscriptionManager:
    """Sends the commands that subscribe exactly what is wanted. `recovery` has to be set before anything is sent."""

    recovery: BookRecovery

    def __init__(self, state: ProtocolState, commands: CommandQueue, on_answered: Callable[[], None]) -> None:
        """Take what it works with; ``on_answered`` is called when a subscribe command was answered."""
        self._state = state
        self._books = state.books
        self._commands = commands
        self._on_answered = on_answered

    def accept_sequence(self, subscription: ChannelSubscription, seq: int | UnsetType | None) -> bool:
        """Count a frame's sequence number; return whether the frame's content may be used."""
        if not isinstance(seq, int):
            return True
        if seq == subscription.expected:
            subscription.expected = seq + 1
            return True
        return self.handle_sequence_break(subscription, seq)

    def handle_sequence_break(self, subscription: ChannelSubscription, seq: int) -> bool:
        """Handle a number that was not expected; return whether the frame's content may be used all the same."""
        expected = subscription.expected
        if expected is None:
            # A running subscription was taken over in the middle: its numbers begin wherever they are.
            subscription.expected = seq + 1
            return True
        if seq > expected:
            # After a gap the content is good: it was sent after what is missing. Thrown away, it would be one loss
            # more.
            subscription.expected = seq + 1
            self.handle_fault(subscription, f"{seq - expected} of the exchange's messages were lost on the way.")
            return True
        # Twice or late: to apply a change a second time would leave a wrong count that looks right. ``expected`` stays,
        # so that the frames in between still count.
        self.handle_fault(subscription, "A message of the exchange came twice or out of turn.")
        return False

    def handle_fault(self, subscription: ChannelSubscription, why: str) -> None:
        """Handle the loss of a message: of books by a recovery, of other channels by a report."""
        if subscription is self._books:
            self.recovery.handle_fault(why)
        else:
            # No snapshot brings back a trade, an event or a change of the account: the receiver of the report reads it
            # by REST.
            self._state.faults += 1
            self._state.report(Happening.MISSED, subscription.channel, why)

    # Following what is wanted.

    def sync(self, subscription: ChannelSubscription) -> None:
        """Bring a subscription to what is wanted: subscribe, add, delete or unsubscribe."""
        # While the answer to a subscribe is awaited its sid is not known, and nothing can be changed; `_activate` comes
        # back here.
        if not self._state.connected or subscription.state in {SubscriptionState.PENDING, SubscriptionState.DEAD}:
            return
        if not subscription.is_needed or subscription.subscribed_whole_channel != subscription.whole_channel:
            self._unsubscribe(subscription)
        if not subscription.is_needed:
            return
        queued = {ticker for batch in subscription.batches for ticker in batch}
        fresh = sorted(subscription.wanted - subscription.subscribed - subscription.refused - queued)
        size = self._state.policy.batch
        subscription.batches.extend(fresh[start : start + size] for start in range(0, len(fresh), size))
        self.send_batches(subscription)
        gone = subscription.subscribed - subscription.wanted
        if gone and subscription.state is SubscriptionState.LIVE and not subscription.whole_channel:
            # After the new ones were added: a subscription emptied of its last market could come to mean all of them.
            lost = subscription.remove_tickers(set(gone))
            if lost:
                self._state.handler.stale(lost, "This market is no longer followed.")
            subscription.mark_removing(gone)
            ordered = sorted(gone)
            for start in range(0, len(ordered), size):
                self._commands.send(DELETE_MARKETS, subscription, ordered[start : start + size])
            subscription.has_made_room = True
            self._check_progress(subscription)

    def send_batches(self, subscription: ChannelSubscription) -> None:
        """Send what waits to be subscribed: the first batch makes the subscription, the others join it."""
        if not self._state.connected or self._state.now < subscription.backoff_until:
            return
        if subscription.state is SubscriptionState.IDLE:
            # One subscribe at a time. A second one before the sid is known would make a second subscription, with
            # numbers of its own.
            if subscription.whole_channel:
                self._subscribe(subscription, [])
            elif batch := _pop_batch(subscription):
                self._subscribe(subscription, batch)
            return
        while subscription.state is SubscriptionState.LIVE and (batch := _pop_batch(subscription)):
            self._mark_subscribed(subscription, batch)
            self._commands.send(
                ADD_MARKETS,
                subscription,
                batch,
                send_initial_snapshot=True if subscription.channel == Channel.TICKER else UNSET,
            )

    def retry_due(self, subscription: ChannelSubscription) -> None:
        """Go on with a subscription that was held back, once its time has come."""
        if subscription.backoff_until and self._state.now >= subscription.backoff_until:
            subscription.backoff_until = 0.0
            self.sync(subscription)

    def _check_progress(self, subscription: ChannelSubscription) -> None:
        if subscription is self._books:
            self.recovery.check_progress()

    def _mark_subscribed(self, subscription: ChannelSubscription, tickers: Sequence[str]) -> None:
        subscription.mark_subscribed(tickers, books=subscription is self._books)
        if subscription is self._books:
            self.recovery.extend_deadline()

    def _subscribe(self, subscription: ChannelSubscription, tickers: Sequence[str]) -> None:
        self._mark_subscribed(subscription, tickers)
        subscription.subscribed_whole_channel = subscription.whole_channel
        subscription.state = SubscriptionState.PENDING
        channel = subscription.channel
        self._commands.send(
            SUBSCRIBE,
            subscription,
            tickers,
            channels=[channel],
            # False, the default of today, is announced to stop working without a word (docs/kalshi-api.md, section 4).
            use_yes_price=True if channel == Channel.BOOK else UNSET,
            send_initial_snapshot=True if channel == Channel.TICKER else UNSET,
            skip_ticker_ack=True if channel in WITH_MARKETS else UNSET,
        )

    # Ends.

    def _unsubscribe(self, subscription: ChannelSubscription) -> None:
        """Unsubscribe if subscribed. The books are stale; late frames name a sid that is not known any more."""
        sid = subscription.sid
        lost = subscription.mark_all_stale()
        if lost:
            self._state.handler.stale(lost, "This market is no longer followed.")
        subscription.fault_at = None
        if sid is not None:
            self._commands.send_unsubscribe(sid)
        self._reset(subscription)

    def _handle_end(self, subscription: ChannelSubscription, why: str) -> None:
        """Handle a subscription that the exchange has ended: subscribe again, each time a little later."""
        if subscription is self._books:
            self.recovery.mark_stale(why)
        else:
            self._state.report(Happening.MISSED, subscription.channel, why)
            subscription.end_reason = why
        self._reset(subscription)
        self._back_off(subscription)

    def resubscribe(self, subscription: ChannelSubscription, why: str) -> None:
        """Unsubscribe and subscribe: a bare second subscribe would repair nothing (docs/kalshi-api.md, section 4)."""
        if subscription is self._books:
            self.recovery.mark_stale(why)
        if subscription.sid is not None:
            self._commands.send_unsubscribe(subscription.sid)
        self._reset(subscription)
        self.sync(subscription)
        subscription.stage = RecoveryStage.RESUBSCRIBED
        subscription.deadline = self._state.now + self._state.policy.resubscribe

    def _reset(self, subscription: ChannelSubscription) -> None:
        if subscription.sid is not None:
            # Late frames of the old subscription are dropped by their sid. Counted on, their numbers would make the new
            # one look broken.
            self._state.subscriptions_by_sid.pop(subscription.sid, None)
        self._commands.drop_of(subscription)
        subscription.reset_subscription()
        subscription.state = SubscriptionState.IDLE

    def _back_off(self, subscription: ChannelSubscription) -> None:
        """Send nothing more for this subscription for a while, longer each time."""
        policy, now = self._state.policy, self._state.now
        if now - subscription.backoff_started_at > 6 * policy.longest:
            # It held for so long that this is a new trouble, not the old one.
            subscription.backoff_count = 0
        wait = policy.retry * 2 ** min(subscription.backoff_count, 16)
        subscription.backoff_until = now + min(policy.longest, wait)
        subscription.backoff_started_at = now
        subscription.backoff_count += 1

    # Answers.

    def handle_subscribed(self, frame: wire.SubscribedFrame) -> None:
        """Take over the sid of a new subscription."""
        command = self._commands.pop(frame.id) if frame.id else self._commands.pop_subscribe(frame.msg.channel)
        if command is None or not _is_awaited_subscribe(command):
            # Nobody waits for it any more: what was wanted has changed since. Kept, it would send frames that nobody
            # counts, and use up the account's subscriptions.
            self._commands.send_unsubscribe(frame.msg.sid)
            return
        command.subscription.expected = 1
        self._activate(command.subscription, frame.msg.sid)

    def _activate(self, subscription: ChannelSubscription, sid: int) -> None:
        subscription.sid = sid
        subscription.state = SubscriptionState.LIVE
        if subscription is self._books:
            self.recovery.extend_deadline()
        self._state.subscriptions_by_sid[sid] = subscription
        if subscription.end_reason:
            # Reported again: what was read between the end and now lacks what happened until now, and nobody sends it.
            self._state.report(Happening.MISSED, subscription.channel, subscription.end_reason)
            subscription.end_reason = ""
        self.sync(subscription)
        self._on_answered()

    def handle_unsubscribed(self, frame: wire.UnsubscribedFrame) -> None:
        """Handle the end of a subscription: of one that was left here, or that the exchange has ended."""
        self._commands.pop(frame.id)
        subscription = self._state.subscriptions_by_sid.get(frame.sid)
        if subscription is not None:
            # It is still followed here, so nobody here has unsubscribed it.
            self.accept_sequence(subscription, frame.seq)
            self._handle_end(subscription, "The exchange ended the subscription.")

    def handle_ok(self, frame: wire.OkFrame) -> None:
        """Take the acknowledgement of a command."""
        command = self._commands.pop(frame.id)
        sid = frame.sid
        if not isinstance(sid, int):
            return
        if command is not None and _is_awaited_subscribe(command):
            # The channel was active already, so the exchange only added markets: no snapshots come by themselves, and
            # the numbers go on from where they are.
            subscription = command.subscription
            subscription.expected = frame.seq + 1 if isinstance(frame.seq, int) else None
            self._activate(subscription, sid)
            if subscription is self._books:
                self.recovery.record_fault_time()
                self.recovery.start_round()
            return
        known = self._state.subscriptions_by_sid.get(sid)
        if known is not None:
            self.accept_sequence(known, frame.seq)
        if command is not None and command.name == DELETE_MARKETS:
            command.subscription.mark_removal_done(command.tickers, self._state.now + self._state.policy.late)
        if command is not None and command.name == GET_SNAPSHOT and command.tickers and frame.id:
            # Acknowledged, not answered: the snapshots follow.
            self._commands.keep_waiting(frame.id, command)

    def handle_error(self, frame: wire.ErrorFrame) -> None:
        """Handle an error: of a command, of a subscription, or of nothing that is known here."""
        subscription = self._state.subscriptions_by_sid.get(frame.sid) if isinstance(frame.sid, int) else None
        if subscription is not None:
            self.accept_sequence(subscription, frame.seq)
        command = self._commands.pop(frame.id)
        if command is not None:
            self.handle_command_error(command, frame.msg)
        elif subscription is not None and frame.msg.code in _TERMINAL_CODES:
            self._handle_end(subscription, f"The exchange ended the subscription ({_describe_error(frame.msg)}).")
        else:
            self._state.report(
                Happening.REFUSED,
                subscription.channel if subscription is not None else "",
                f"The exchange's stream reports an error: {_describe_error(frame.msg)}.",
            )

    def handle_command_error(self, command: PendingCommand, error: wire.ErrorMsg) -> None:
        """Handle a command that the exchange did not carry out."""
        command.fail_audit()
        subscription = command.subscription
        if command.name in {UNSUBSCRIBE, LIST_SUBSCRIPTIONS} or subscription.state not in {
            SubscriptionState.PENDING,
            SubscriptionState.LIVE,
        }:
            # There was nothing to leave, the link has answered a probe, or the subscription has been given up since.
            return
        if command.name == SUBSCRIBE:
            self._handle_subscribe_error(command, error)
        elif error.code in _TERMINAL_CODES:
            self._handle_end(subscription, f"The exchange ended the subscription ({_describe_error(error)}).")
        elif command.name == ADD_MARKETS:
            lost = subscription.remove_tickers(set(command.tickers))
            # It may have taken some of them all the same, before it came to the one at fault.
            subscription.mark_removing(command.tickers)
            if lost:
                self._state.handler.stale(lost, f"The exchange rejected this market: {_describe_error(error)}.")
            self._isolate_refused_markets(subscription, command.tickers, error)
        elif command.name == GET_SNAPSHOT:
            subscription.requested_snapshots -= command.tickers
            if error.code in _RETRYABLE_CODES and subscription.recovery_rounds < self._state.policy.rounds:
                # Ask again when the deadline has passed: at once the request would be rejected for the same reason.
                subscription.deadline = self._state.now + self._state.policy.snapshot
            elif subscription.stage is RecoveryStage.SNAPSHOT:
                self.resubscribe(subscription, f"The exchange sends no snapshots ({_describe_error(error)}).")

    def _handle_subscribe_error(self, command: PendingCommand, error: wire.ErrorMsg) -> None:
        subscription = command.subscription
        if error.code in _RETRYABLE_CODES or error.code in _TERMINAL_CODES:
            subscription.reset_subscription()
            subscription.state = SubscriptionState.IDLE
            self._back_off(subscription)
        elif command.tickers and error.code in _MARKET_CODES:
            # One market is at fault. The others must not stay without books for it, so those that wait are kept.
            waiting = list(subscription.batches)
            subscription.reset_subscription()
            subscription.state = SubscriptionState.IDLE
            subscription.batches.extend(waiting)
            self._isolate_refused_markets(subscription, command.tickers, error)
        else:
            # A definite no (no permission, no such channel): asked again, it would be rejected again, forever.
            subscription.reset_subscription()
            subscription.state = SubscriptionState.DEAD
            self._state.report(
                Happening.REFUSED,
                subscription.channel,
                f"The exchange rejects the channel {subscription.channel}: {_describe_error(error)}.",
            )
        self._on_answered()

    def _isolate_refused_markets(
        self, subscription: ChannelSubscription, tickers: frozenset[str], error: wire.ErrorMsg
    ) -> None:
        """Find the market that a rejection is about: the one it names, or by halves; send the others again.

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
            # The exchange does not say which: halves find it in a few commands, where one command a market would run
            # into the limit of commands.
            ordered = sorted(tickers)
            middle = len(ordered) // 2
            subscription.batches.extendleft((ordered[middle:], ordered[:middle]))
        else:
            refused = set(tickers)
            if error.code == ErrorCode.MARKET_LIMIT:
                refused.update(*subscription.batches)
                subscription.batches.clear()
            self._mark_markets_refused(subscription, refused, error)
        self.send_batches(subscription)

    def _mark_markets_refused(self, subscription: ChannelSubscription, tickers: set[str], error: wire.ErrorMsg) -> None:
        """Ask no more for these markets on this connection, and report them."""
        subscription.refused |= tickers
        ordered = tuple(sorted(tickers))
        which = ordered[0] if len(ordered) == 1 else f"{len(ordered)} markets"
        text = f"The exchange rejects {which} on {subscription.channel}: {_describe_error(error)}."
        if subscription is self._books:
            self._state.handler.stale(ordered, text)
        happening = Happening.FULL if error.code == ErrorCode.MARKET_LIMIT else Happening.REFUSED
        self._state.report(happening, subscription.channel, text, ordered)

    # Time.

    def check_timeouts(self) -> None:
        """Act on commands that the exchange should have answered by now."""
        for command in self._commands.iterate_overdue(self._state.now - self._state.policy.answer):
            subscription = command.subscription
            if command.is_probe:
                # Frames may be missing because nobody trades, but an answer is owed: the link is dead.
                self._state.failure = "The link is up, but the exchange does not answer on it."
            elif command.name == SUBSCRIBE:
                # Its sid, if it came to be, will never be known: only a new connection is rid of it.
                self._state.failure = "The exchange did not answer a subscription."
            elif command.name in {ADD_MARKETS, DELETE_MARKETS}:
                # Which markets it holds now is not known.
                self.resubscribe(subscription, "The exchange did not answer a change of the subscription.")
            elif (
                command.name == GET_SNAPSHOT
                and subscription.stage is RecoveryStage.NONE
                and command.tickers & subscription.trusted.keys()
            ):
                # The question whether a quiet subscription lives, or an audit. In a recovery the deadline decides
                # instead.
                self.resubscribe(subscription, "The exchange does not answer on this subscription.")


def _pop_batch(subscription: ChannelSubscription) -> list[str]:
    """Take the next batch with anything in it that is still wanted; return an empty one if there is none."""
    while subscription.batches:
        batch = subscription.batches.popleft()
        wanted = [ticker for ticker in batch if ticker in subscription.wanted and ticker not in subscription.subscribed]
        if wanted:
            return wanted
    return []


def _is_awaited_subscribe(command: PendingCommand) -> bool:
    return command.name == SUBSCRIBE and command.subscription.state is SubscriptionState.PENDING


def _describe_error(error: wire.ErrorMsg) -> str:
    return f"{clean(error.msg, 120) or 'no words'}, code {error.code}"
