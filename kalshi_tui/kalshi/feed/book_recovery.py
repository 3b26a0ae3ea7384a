"""`BookRecovery`: which order books are trusted. A fault makes all stale; one recovery at a time repairs them.

The steps, each taken only when the one before it has failed: ask for snapshots on the same subscription, subscribe
again, reconnect. A market whose own book cannot be had is quarantined, so that the others live on
(docs/kalshi-api.md, section 4).
"""

from collections.abc import Callable, Sequence
from typing import Final

from kalshi_tui.kalshi.feed.command_queue import GET_SNAPSHOT, AuditAnswer, CommandQueue
from kalshi_tui.kalshi.feed.protocol_state import ProtocolState
from kalshi_tui.kalshi.feed.subscription import Happening, RecoveryStage, SubscriptionState
from kalshi_tui.kalshi.translate import clean

NO_BOOK_SENTENCE: Final = "The exchange sends no order book for this market."


class BookRecovery:
    """Decides which books are trusted, and takes the next stronger step for those that are not."""

    def __init__(self, state: ProtocolState, commands: CommandQueue, resubscribe: Callable[[str], None]) -> None:
        """``resubscribe`` unsubscribes and subscribes the books; it takes the reason, a sentence."""
        self._state = state
        self._books = state.books
        self._commands = commands
        self._resubscribe = resubscribe

    # Faults.

    def handle_fault(self, why: str) -> None:
        """Stop trusting all books, and start a recovery unless one is under way."""
        # All of them: the lost message may have been about any market, and only the sequence number shows the loss.
        self._state.faults += 1
        self.mark_stale(why)
        # A second recovery beside the first would ask for the same snapshots again. Its answers would be taken for
        # those of the first, which could end with books that miss what came in between.
        if self._books.stage is RecoveryStage.NONE and self._books.state is SubscriptionState.LIVE:
            self.start_round()

    def mark_stale(self, why: str) -> None:
        """Stop trusting all books, and report those that were trusted."""
        lost = self._books.mark_all_stale()
        self.record_fault_time()
        if lost:
            self._state.handler.stale(lost, why)
            self._state.report(Happening.FAULT, self._books.channel, why, tuple(lost))

    def record_fault_time(self) -> None:
        """Remember when the books stopped being right, unless an earlier fault is not repaired yet."""
        if self._books.fault_at is None:
            self._books.fault_at = self._state.now

    def handle_bad_snapshot(self, ticker: str, why: str) -> None:
        """Handle a snapshot that makes no sense: recover all books once; the second time, quarantine the market."""
        books = self._books
        bad = books.bad_snapshots.get(ticker, 0) + 1
        books.bad_snapshots[ticker] = bad
        if bad > 1:
            # The market is at fault, not the line. Another recovery for it would keep all other books stale for good.
            self._quarantine([ticker], why)
        else:
            self.handle_fault(why)
        self.check_progress()

    def handle_foreign_market(self, ticker: str) -> None:
        """Handle a numbered frame of a market that is not followed here: a frame of one that is has gone missing.

        Such frames are expected of a market that was taken out a moment ago.
        """
        books = self._books
        if self._state.now <= books.removing.get(ticker, -1.0):
            return
        why = f"A message about {clean(ticker, 40) or 'no market'} came, which is not followed on this subscription."
        if ticker in books.foreign_markets and books.stage is RecoveryStage.NONE:
            # Snapshots do not end it: a new subscription has exactly the markets that are wanted.
            self._state.faults += 1
            self._resubscribe(why)
            return
        books.foreign_markets.add(ticker)
        self.handle_fault(why)

    def handle_untrusted_delta(self, ticker: str) -> None:
        """Pass over a change to a book that is not trusted; outside a recovery it means that a snapshot is missing."""
        # During a recovery, and while anything is asked for this market, such changes are expected: the snapshot that
        # is on its way holds them.
        if (
            ticker in self._books.awaiting_snapshot
            and self._books.stage is RecoveryStage.NONE
            and not self._commands.is_asking_for(ticker)
        ):
            self.handle_fault(f"{ticker}: a change came before the order book itself.")

    # Recovery.

    def start_round(self) -> None:
        """Ask for the snapshots of all books that wait for one."""
        books = self._books
        books.stage = RecoveryStage.SNAPSHOT
        books.recovery_rounds += 1
        books.round_made_progress = False
        books.requested_snapshots = set(books.awaiting_snapshot)
        books.deadline = self._state.now + self._state.policy.snapshot
        ordered = sorted(books.awaiting_snapshot)
        for start in range(0, len(ordered), self._state.policy.batch):
            self.request_snapshots(ordered[start : start + self._state.policy.batch])

    def request_snapshots(
        self, tickers: Sequence[str], *, is_probe: bool = False, audit: AuditAnswer | None = None
    ) -> None:
        """Send the command that asks for the snapshots of these markets."""
        self._commands.send(GET_SNAPSHOT, self._books, tickers, is_probe=is_probe, audit=audit)

    def extend_deadline(self) -> None:
        """Restart the timeout of the next snapshot from now."""
        policy = self._state.policy
        # After subscribing again the exchange sends every snapshot by itself, which takes it longer than an answer.
        waits_for_answer = self._books.stage is RecoveryStage.SNAPSHOT
        self._books.deadline = self._state.now + (policy.snapshot if waits_for_answer else policy.resubscribe)

    def check_progress(self) -> None:
        """After a snapshot: end the recovery, or ask for what is still missing once all that was asked for came."""
        books = self._books
        if books.state is not SubscriptionState.LIVE:
            # Between two subscriptions no book can come. To end the recovery here would call the books right that the
            # new subscription has not sent yet.
            return
        if not books.awaiting_snapshot:
            books.stage = RecoveryStage.NONE
            books.recovery_rounds = 0
            # Without a trusted book nothing is repaired: all were quarantined, or none is wanted any more.
            if books.fault_at is not None and books.trusted:
                elapsed = self._state.now - books.fault_at
                books.fault_at = None
                self._state.healed += 1
                text = f"All order books are right again, {elapsed:.1f} s after the fault."
                self._state.report(Happening.HEALED, books.channel, text, elapsed=elapsed)
        elif books.stage is RecoveryStage.SNAPSHOT and not books.requested_snapshots:
            # All snapshots came, and books wait all the same: a fault during the round took their trust again.
            if books.recovery_rounds < self._state.policy.rounds:
                self.start_round()
            else:
                self._resubscribe("The order books do not come right.")

    def _quarantine(self, tickers: Sequence[str], why: str) -> None:
        """Stop asking for these books for a while, so that the recovery of the others can end."""
        unreported = tuple(ticker for ticker in tickers if ticker not in self._books.probation)
        # A market that was quarantined before was reported then: again every half minute would fill the log.
        for ticker in tickers:
            self._books.quarantine(ticker, self._state.now + self._state.policy.quarantine)
        self._state.handler.stale(list(tickers), why)
        if unreported:
            self._state.report(Happening.ALARM, self._books.channel, why, unreported)

    # Time.

    def tick(self) -> None:
        """Do what is due: ask again for quarantined or late books; check that a silent subscription still works."""
        books = self._books
        if books.state is not SubscriptionState.LIVE:
            return
        self._retry_quarantined()
        if books.awaiting_snapshot:
            if self._state.now >= books.deadline:
                self._escalate()
        elif books.expected != books.last_seen_expected:
            # The sequence number moved, so frames came: the subscription works, and the quiet time starts again.
            books.last_seen_expected = books.expected
            books.last_active_at = self._state.now
        elif self._state.now - books.last_active_at > self._state.policy.quiet and books.trusted:
            # Nobody trades, or the subscription died silently: only a request shows which. Without it a dead one would
            # show prices of hours ago as trusted.
            books.last_active_at = self._state.now
            self.request_snapshots([min(books.trusted)])

    def _retry_quarantined(self) -> None:
        """Ask once more for the books of markets that were quarantined long enough ago."""
        books = self._books
        back = sorted(ticker for ticker, until in books.quarantined.items() if self._state.now >= until)
        if back:
            for ticker in back:
                del books.quarantined[ticker]
            books.awaiting_snapshot.update(back)
            books.deadline = self._state.now + self._state.policy.snapshot
            self.request_snapshots(back)

    def _escalate(self) -> None:
        """Take the next stronger step for books whose snapshots have not come in time."""
        books = self._books
        # Those that were quarantined before go back at once: a recovery of all books for their sake, every time they
        # are tried again, would make the healthy ones stale twice a minute.
        again = sorted(books.awaiting_snapshot & books.probation)
        if again:
            self._quarantine(again, NO_BOOK_SENTENCE)
            self.check_progress()
            if not books.awaiting_snapshot:
                return
        if books.stage is RecoveryStage.NONE:
            # Outside a recovery: the snapshots that come with a subscription are late. To ask for them costs less than
            # to subscribe again.
            self.record_fault_time()
            self.start_round()
        elif books.stage is RecoveryStage.SNAPSHOT:
            # While some come the line works, and asking for the rest is cheaper than subscribing again. But not for
            # ever: the exchange may answer for some markets only.
            if books.round_made_progress and books.recovery_rounds < self._state.policy.rounds:
                self.start_round()
            else:
                self._resubscribe("The order books that were asked for did not come.")
        elif books.trusted or books.previous_had_no_books:
            # Others came after subscribing again, or a reconnect has been tried for these already: it is these markets.
            self._quarantine(sorted(books.awaiting_snapshot), NO_BOOK_SENTENCE)
            self.check_progress()
        else:
            # Nothing at all came: the connection may be at fault. The mark outlives the reconnect: if that brings no
            # books either, the markets are quarantined above. Otherwise the feed would reconnect forever.
            books.previous_had_no_books = True
            self._state.failure = "No order books came after subscribing again."
