"""Send orders and cancel single ones, each once, with journal and store kept true about them.

Nothing is sent twice, and nothing is sent before the journal has it. An order whose reply was lost is UNKNOWN, and the
exchange is asked about it until it has answered (docs/kalshi-api.md, sections 6 and 10).
"""

import asyncio
from dataclasses import replace
from typing import Final

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Order, OrderState, OrderTerms, TimeInForce, order_from_terms
from kalshi_tui.domain.price import MONEY_UNIT
from kalshi_tui.domain.text import (
    named_order_text,
    named_terms_text,
    plain_count_text,
    plain_money_text,
)
from kalshi_tui.kalshi.errors import DuplicateOrder, KalshiError, NotFound, NotSent, Refused, UnknownOutcome
from kalshi_tui.kalshi.order_status import by_id
from kalshi_tui.kalshi.replies import OrderAck
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.account.intents import describe_unfilled
from kalshi_tui.session.bus import AccountInDoubt, HoursInDoubt
from kalshi_tui.session.execution.floor_check import FloorCheck
from kalshi_tui.session.execution.journal import Journal, JournalError
from kalshi_tui.session.execution.order_lookup import OrderLookup
from kalshi_tui.session.execution.risk_checks import Risk, RiskChecks, describe_unacknowledged
from kalshi_tui.session.execution.rolling_expiry import RollingExpiry
from kalshi_tui.session.interface import OrderResult
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store

HTTP_UNAVAILABLE: Final = 503
PAUSE_CODES: Final = frozenset({"trading_paused", "exchange_paused"})
"""The codes of answers while the exchange is paused or down (docs/kalshi-api.md, section 10)."""
SELF_TRADE_REASON: Final = "at once: the rest would have met an order of your own"
MAX_SENDING_MS: Final = 35_000
"""How long the sending of one order can take: the wait for tokens, and the longest request."""
MAX_CLOCK_LEAD_MS: Final = 60_000
"""How far ahead of this clock a time in the journal may lie. One that lies further ahead is damaged."""
PROGRAM_ENDED_REASON: Final = "The program ended before it was known what became of it."


class OrderExecutor:
    """Sends and cancels through one `RestClient`, and keeps journal and store true about it."""

    def __init__(
        self,
        rest: RestClient,
        store: Store,
        journal: Journal,
        risk_checks: RiskChecks,
        order_lookup: OrderLookup,
        rolling_expiry: RollingExpiry | None = None,
    ) -> None:
        self._rest = rest
        self._store = store
        self._journal = journal
        self._risk_checks = risk_checks
        self._order_lookup = order_lookup
        self._floor_check = FloorCheck(rest, store)
        self._rolling_expiry = rolling_expiry or RollingExpiry(None, rest.clock.now_ms)
        self._sent_ids: set[str] = set()
        """Client order ids that have been used in this run."""
        self._taken_up: dict[str, Order] = {}
        """The orders that came from the journal, as they were put into the store, by client order id."""
        self._unwritten_expiries: set[str] = set()
        """Client order ids of those whose wanted expiry the journal could not take."""
        self._reported_journal_error = ""

    def draft(self, terms: OrderTerms, client_order_id: str) -> None:
        """Write an intent down at the confirm step. If that fails now, it is tried again before the order is sent."""
        try:
            self._journal.record_draft(client_order_id, terms, self._rest.clock.now_ms())
        except JournalError as error:
            self._store.notify(Severity.ERROR, str(error))

    def resume(self) -> None:
        """Continue where the journal ends: ask about every order that is not known to be over.

        An order whose row cannot be read is asked about too, if it has an id to ask by. Nothing in the file stops this.
        """
        shared = self._journal.is_shared()
        now_ms = self._rest.clock.now_ms()
        entries = self._journal.open_entries()
        set_aside = {each.client_order_id for each in self._journal.set_aside}
        for aside in self._journal.set_aside:
            self._store.notify(Severity.ERROR, aside.sentence)
            if aside.entry is None and aside.client_order_id:
                # Another program may be sending it at this moment.
                latest_ms = now_ms + (MAX_SENDING_MS if shared else 0)
                self._order_lookup.look_for(aside.client_order_id, aside.ticker, latest_ms)
        for entry in entries:
            order = entry.order
            self._remember_terms(entry.terms, order.client_order_id)
            self._sent_ids.add(order.client_order_id)
            # Not as the row has it: it may have been filled, canceled or expired since, and nobody has looked. Taken
            # for resting, it would be offered to be canceled and counted as if that were known.
            taken_up = replace(order, state=OrderState.UNKNOWN, reason=PROGRAM_ENDED_REASON)
            self._taken_up[order.client_order_id] = taken_up
            self._store.order(taken_up)
            self._store.notices.add_journaled(order)
            if not order.order_id and order.client_order_id not in set_aside:
                sentence = f"UNKNOWN: {named_terms_text(entry.terms)} may or may not be live. {PROGRAM_ENDED_REASON}"
                self._store.notify(Severity.ERROR, f"{sentence} The exchange is being asked.")
            # A damaged time is not waited for.
            since_ms = min(entry.changed_ms, now_ms + MAX_CLOCK_LEAD_MS)
            if entry.in_flight:
                # Another program may be at it still: then it can leave as long as that one waits for tokens and answer.
                left_by_ms = since_ms + MAX_SENDING_MS if shared else 0
                since_ms = max(self._rest.clock.now_ms(), left_by_ms)
            self._order_lookup.start_lookup(taken_up, since_ms)

    def was_taken_up(self, order: Order) -> bool:
        """Return whether an order came from the journal: an earlier run has sent it."""
        return order.client_order_id in self._taken_up

    def never_arrived(self, client_order_id: str) -> None:
        """Record that an order whose row cannot be read is not on the exchange."""
        try:
            self._journal.never_arrived(client_order_id, self._rest.clock.now_ms())
        except JournalError as error:
            self._store.notify(Severity.ERROR, str(error))

    def record_order(self, order: Order) -> None:
        """Record a change of an order; report a journal that cannot be written once."""
        if self._taken_up.get(order.client_order_id) == order:
            # Not a change: this is what `resume` made of the journal's own row. Writing it back would put "unknown"
            # over what that row says of an order that was at rest. Once anything differs (an execution that the
            # stream reports before the exchange could be asked) it is a change like any other, and a crash must not
            # lose it.
            return
        try:
            self._journal.record_update(order, self._rest.clock.now_ms())
        except JournalError as error:
            if str(error) != self._reported_journal_error:
                self._reported_journal_error = str(error)
                self._store.notify(Severity.ERROR, f"{error} Nothing is lost: after a restart the exchange is asked.")
        else:
            self._reported_journal_error = ""

    def resendable_terms(self, order: Order) -> OrderTerms | None:
        """Return the terms of an order that never arrived and may go out again under its own id; None of any other.

        Only what rests until canceled: an order that was to trade at once was meant for that moment.
        """
        known = self._store.known_order(order)
        terms = self._store.order_terms.get(known.client_order_id)
        if known.state is not OrderState.NOT_SENT or known.order_id or terms is None:
            return None
        return terms if terms.tif is TimeInForce.GTC else None

    async def submit(
        self, terms: OrderTerms, client_order_id: str, acknowledged: frozenset[Risk] = frozenset()
    ) -> OrderResult:
        """Send one order, once, and return what became of it. Raises nothing for what the exchange or network does."""
        below_floor = await self._floor_check.find_reason(terms)
        # The exchange's time: what is asked later is measured by the exchange's own data.
        draft = order_from_terms(client_order_id, terms, OrderState.SENDING, self._rest.clock.now_ms())
        # The journal has the trader's own terms: a shorter expiry is renewed, also after a restart.
        sent = self._rolling_expiry.to_send(terms)
        number = self._store.account.view.number_of(terms)
        draft = replace(draft, subaccount=number, expires_ms=(sent.expires_s or 0) * 1000)
        refused = self._check_before_send(draft, terms, acknowledged, below_floor)
        if refused is not None:
            return refused
        return await self._send(draft, terms, sent)

    def _check_before_send(
        self, draft: Order, terms: OrderTerms, acknowledged: frozenset[Risk], below_floor: str
    ) -> OrderResult | None:
        """Record the sending and return None, or return the outcome of an order that stays here."""
        client_order_id = draft.client_order_id
        again = self.resendable_terms(draft) == terms
        # Sent twice, the same id could become two orders. Only an order that is proved not to have arrived may go out
        # again, with the very same terms.
        if client_order_id in self._sent_ids and not again:
            return OrderResult(self._store.known_order(draft), "This order has been sent; it is never sent twice.")
        against = below_floor or describe_unacknowledged(self._risk_checks.check(terms, replacing=draft), acknowledged)
        # Checked again at this moment, and not only when the trader looked: anything may have changed in between.
        self._remember_terms(terms, client_order_id)
        if against:
            return self._report_final(draft, OrderState.NOT_SENT, against, terms)
        self._risk_checks.record_acknowledged(acknowledged)
        try:
            self._journal.record_sending(client_order_id, terms, draft.created_ms)
        except JournalError as error:
            # Sent all the same, it would be forgotten by a crash: an order that rests and that no program knows of.
            return self._report_final(draft, OrderState.NOT_SENT, str(error), terms)
        self._sent_ids.add(client_order_id)
        if again:
            self._store.account.reopen_order(draft)
        else:
            self._store.order(draft)
        return None

    async def _send(self, draft: Order, terms: OrderTerms, sent: OrderTerms) -> OrderResult:
        self._store.notices.hold(draft, fills=True)
        try:
            ack = await self._rest.create_order(sent, draft.client_order_id)
        except NotSent as error:
            return self._report_final(draft, OrderState.NOT_SENT, str(error), terms)
        except DuplicateOrder as error:
            # An order with this id is there: ours, from a send whose reply was lost. Taken for a rejection, it would
            # rest while the trader believes that there is none.
            return self._report_unknown(draft, str(error), terms)
        except Refused as error:
            self.check_exchange_hours(error)
            return self._report_final(draft, OrderState.REFUSED, str(error), terms)
        except UnknownOutcome as error:
            self.check_exchange_hours(error)
            return self._report_unknown(draft, str(error), terms)
        except asyncio.CancelledError:
            self._report_unknown(draft, "The program stopped waiting for the reply.", terms)
            raise
        except Exception as error:
            # A defect of ours: the order may be there all the same, and is asked about like any other.
            self._report_unknown(draft, f"Sending failed inside the program ({type(error).__name__}).", terms)
            raise
        order = self._store_order(order_from_ack(draft, terms, ack))
        outcome = OrderResult(order, describe_result(terms, order, ack))
        severity = Severity.GOOD if order.filled or not order.state.final else Severity.INFO
        self._store.notify(severity, outcome.sentence, order.ticker)
        self._store.account.report_answered(order, fills_told=True)
        return outcome

    def _remember_terms(self, terms: OrderTerms, client_order_id: str) -> None:
        self._store.account.intents.remember_terms(client_order_id, terms)

    def remember_expiry(self, order: Order, expires_s: int) -> None:
        """Note when the trader wants an order of this program to end, Unix seconds, 0 for never: it was changed."""
        terms = self._store.order_terms.get(order.client_order_id)
        if terms is None:
            return
        self._remember_terms(replace(terms, expires_s=expires_s or None), order.client_order_id)
        try:
            self._journal.record_expiry(order.client_order_id, expires_s)
            self._unwritten_expiries.discard(order.client_order_id)
        except JournalError as error:
            self._unwritten_expiries.add(order.client_order_id)
            self._store.notify(Severity.ERROR, str(error))

    def adopt_expiry(self, order: Order) -> None:
        """Take an order's expiry, which came from elsewhere, for what the trader wants."""
        self.remember_expiry(order, order.expires_ms // 1000)

    def reread_expiry(self, order: Order) -> None:
        """Take for what the trader wants what another program on the journal has written down of an order's end."""
        terms = self._store.order_terms.get(order.client_order_id)
        if terms is None or order.client_order_id in self._unwritten_expiries or not self._journal.is_shared():
            return
        wanted = self._journal.wanted_expiry(order.client_order_id)
        if wanted is not None and wanted != (terms.expires_s or 0):
            self._remember_terms(replace(terms, expires_s=wanted or None), order.client_order_id)

    # Canceling and changing.

    async def cancel(self, order: Order) -> OrderResult:
        """Cancel a resting order, and return what became of it."""
        if reason := self._risk_checks.read_only_reason:
            return OrderResult(order, reason, refused=True)
        if not order.order_id:
            sentence = f"Not canceled: {named_order_text(order)} has no id from the exchange yet, by which to name it."
            return OrderResult(order, sentence, refused=True)
        self._store.account.intents.remember_cancel(order.order_id)
        self._store.notices.hold(order)
        self.record_request(order, "cancel asked")
        try:
            await self._rest.cancel_order(order.order_id, order.ticker, subaccount=order.subaccount)
        except NotFound:
            # Filled, expired, or canceled by someone else: only its own state says which.
            return await self.read_back(order, "The exchange says this order is gone already.")
        except Refused as error:
            self.check_exchange_hours(error)
            sentence = f"Not canceled: {named_order_text(order)}. {error}"
            self._store.notify(Severity.ERROR, sentence)
            self._not_canceled(order)
            return OrderResult(order, sentence, refused=True)
        except NotSent as error:
            sentence = f"Not canceled: {named_order_text(order)}. {error}"
            self._store.notify(Severity.ERROR, sentence)
            self._not_canceled(order)
            return OrderResult(order, sentence, refused=True)
        except KalshiError as error:
            # The cancel may have arrived: to call it failed would show an order as resting that may be gone.
            self.request_account_read()
            return await self.read_back(order, f"It is not known whether the cancel arrived: {error}")
        return await self.read_back(order, "")

    def _not_canceled(self, order: Order) -> None:
        """Record that no cancel is under way: if the order ends now, that was not asked for here."""
        self._store.account.intents.forget_cancel(order.order_id)
        self._store.account.report_answered(order, end_told=False)

    def record_request(self, order: Order, what: str) -> None:
        """Record in the journal what is asked for; only report it if that fails."""
        # A cancel takes risk away: kept back by a full disk, it would leave the order resting.
        if unwritten := self.try_record_request(order, what):
            self._store.notify(Severity.ERROR, unwritten)

    def try_record_request(self, order: Order, what: str, *, check_disk_space: bool = False) -> str:
        """Record in the journal what is asked for; return why that cannot be done, a sentence, empty if it was.

        ``check_disk_space``: only if the disk has room for what will become of it too.
        """
        try:
            if check_disk_space:
                self._journal.check_disk_space()
            self._journal.record_request(order, what, self._rest.clock.now_ms())
        except JournalError as error:
            return str(error)
        return ""

    def request_account_read(self) -> None:
        """Request reads of the account until its data are newer than this moment."""
        self._store.bus.publish(AccountInDoubt())

    async def read_back(self, order: Order, why: str, action: str = "cancel") -> OrderResult:
        """Read one order back after a cancel, or what ``action`` names; its own state is the only proof."""
        try:
            fresh = await by_id(self._rest, order.order_id, ticker=order.ticker, sent_ms=order.created_ms)
        except KalshiError as error:
            words = named_order_text(order)
            sentence = f"{why or 'The cancel was accepted.'} The order, {words}, could not be read back: {error}"
            self._store.notify(Severity.WARNING, sentence)
            self._store.account.report_answered(order, end_told=False)
            return OrderResult(order, sentence)
        self._store.account.apply_read_order(fresh)
        known = self._store.orders.get(order.order_id, fresh)
        if known.state is OrderState.CANCELED:
            sentence = f"Canceled: {named_order_text(known)}, {plain_count_text(known.filled)} filled before."
        elif known.state is OrderState.FILLED:
            sentence = f"Filled before the {action} came: {named_order_text(known)}."
        elif known.state.final:
            filled = plain_count_text(known.filled)
            sentence = f"{known.state.word.capitalize()}: {named_order_text(known)}, {filled} filled."
        elif known.state is OrderState.UNKNOWN:
            sentence = f"{why or 'Cancel accepted'}: {named_order_text(known)} is UNKNOWN; the exchange is being asked."
            self.request_account_read()
        else:
            # Reads lag writes: an accepted cancel may still read as resting (docs/kalshi-api.md, section 7).
            self.request_account_read()
            why = why or "Cancel accepted; waiting to see it gone"
            sentence = f"{why}: {named_order_text(known)} still reads as resting."
        self._store.notify(Severity.INFO, sentence, known.ticker)
        self._store.account.report_answered(known)
        return OrderResult(known, sentence)

    def check_exchange_hours(self, error: KalshiError) -> None:
        """Request a read of the exchange's status if an error looks as if it were paused."""
        is_unavailable = isinstance(error, Refused | UnknownOutcome) and error.status == HTTP_UNAVAILABLE
        if is_unavailable or (isinstance(error, Refused) and error.code in PAUSE_CODES):
            self._store.bus.publish(HoursInDoubt())

    def _store_order(self, order: Order) -> Order:
        """Put an order into the store; return it as it is known now, for the stream may have reported more already."""
        self._store.order(order)
        return self._store.known_order(order)

    def _report_final(self, draft: Order, state: OrderState, why: str, terms: OrderTerms) -> OrderResult:
        order = self._store_order(replace(draft, state=state, reason=why, remaining=0))
        if order.state is not state:
            # The stream was faster and knows more: the order exists, whatever this reply says.
            return self._report_from_stream(order, terms, why)
        sentence = f"{state.word.capitalize()}: {named_terms_text(terms)}. {why}"
        self._store.notify(Severity.ERROR, sentence)
        self._store.account.report_answered(order)
        return OrderResult(order, sentence)

    def _report_unknown(self, draft: Order, why: str, terms: OrderTerms) -> OrderResult:
        order = self._store_order(replace(draft, state=OrderState.UNKNOWN, reason=why))
        if order.state is not OrderState.UNKNOWN:
            # The stream has reported the order meanwhile, so its state is known though the reply was lost.
            return self._report_from_stream(order, terms, why)
        sentence = (
            f"UNKNOWN: {named_terms_text(terms)} may or may not be live. {why} "
            "The exchange is being asked; do not send it again."
        )
        self._store.notify(Severity.ERROR, sentence)
        self._store.account.report_answered(order)
        self.request_account_read()
        # Whatever is still on its way left before now.
        self._order_lookup.start_lookup(order, self._rest.clock.now_ms())
        return OrderResult(order, sentence)

    def _report_from_stream(self, order: Order, terms: OrderTerms, why: str) -> OrderResult:
        """Return what the stream has reported of an order whose reply says nothing, or less."""
        filled = f", {plain_count_text(order.filled)} filled" if order.filled else ""
        sentence = f"{order.state.word.capitalize()}: {named_terms_text(terms)}{filled}, as the stream reported. {why}"
        self._store.notify(Severity.WARNING, sentence, order.ticker)
        self._store.account.report_answered(order, fills_told=True)
        return OrderResult(order, sentence)


def order_from_ack(draft: Order, terms: OrderTerms, ack: OrderAck) -> Order:
    """Return the order as its 201 says. A 201 does not mean resting: the counts say it.

    docs/kalshi-api.md, section 6.
    """
    # In this order: a filled count proves more than the remaining one, which is 0 for a killed rest too.
    if ack.filled >= terms.count:
        state, reason = OrderState.FILLED, ""
    elif terms.tif is TimeInForce.GTC and ack.remaining:
        state, reason = OrderState.RESTING, ""
    elif terms.tif is TimeInForce.GTC:
        # Nothing remains and not all is filled: the exchange canceled the rest to prevent a self-trade.
        state, reason = OrderState.CANCELED, SELF_TRADE_REASON
    else:
        state, reason = OrderState.CANCELED, describe_unfilled(terms.tif)
    return replace(
        draft,
        order_id=ack.order_id,
        filled=ack.filled,
        remaining=ack.remaining if state is OrderState.RESTING else 0,
        state=state,
        reason=reason,
        updated_ms=ack.ts_ms,
    )


def describe_result(terms: OrderTerms, order: Order, ack: OrderAck) -> str:
    """Return what became of an acknowledged order, in one sentence."""
    words = named_terms_text(terms)
    if order.state is OrderState.FILLED:
        average = ack.average_fill_price
        if average is None or ack.filled < order.filled:
            # The rest was filled since, at prices that the reply does not tell.
            return f"Filled: {words}."
        own = average if terms.side is Side.YES else MONEY_UNIT - average
        return f"Filled: {words}, on average at {plain_money_text(own)}."
    if order.state is OrderState.RESTING and order.filled:
        return (
            f"Partly filled: {words}, {plain_count_text(order.filled)} filled, "
            f"{plain_count_text(order.remaining)} resting."
        )
    if order.state is OrderState.RESTING:
        return f"Resting: {words}."
    why = f"{order.reason[:1].upper()}{order.reason[1:]}"
    return f"Canceled: {words}, {plain_count_text(order.filled)} filled. {why}".rstrip() + "."
