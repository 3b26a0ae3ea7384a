"""Change a resting order: its price, its count, its expiry, and what that does to its place in the queue."""

from dataclasses import dataclass, replace
from typing import Final

from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms, as_meant
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.domain.text import expiry_text, named_order_text, plain_count_text, plain_price_text
from kalshi_tui.kalshi.errors import KalshiError, NotFound, NotSent, Refused
from kalshi_tui.kalshi.replies import AmendAck
from kalshi_tui.kalshi.rest import RestClient, require_possible_counts
from kalshi_tui.session.execution.floor_check import FloorCheck
from kalshi_tui.session.execution.order_lookup import OrderLookup
from kalshi_tui.session.execution.order_writers import OrderWriters, WriterBusyError
from kalshi_tui.session.execution.risk_checks import Risk, RiskChecks, describe_unacknowledged
from kalshi_tui.session.execution.rolling_expiry import RollingExpiry
from kalshi_tui.session.execution.submit import SELF_TRADE_REASON, OrderExecutor
from kalshi_tui.session.interface import OrderResult
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store

BUSY: Final = "The renewal of its expiry has no answer yet; try again in a moment. A cancel goes out at once."
BUSY_ELSEWHERE: Final = (
    "Another program changes it or renews its expiry; try again in a moment. A cancel goes out at once."
)
EARLIER_RENEWAL: Final = (
    "Before this start its expiry may have been renewed, and that may still arrive; try again in {} s. "
    "A cancel goes out at once."
)
NOTHING_LEFT_REASON: Final = "by the change: it left nothing to rest"


@dataclass(frozen=True, slots=True)
class _Amendment:
    """What an order is to become: YES price, resting count, and expiry (None: as it is; 0: none)."""

    price: Price
    resting_count: Count
    expires_s: int | None
    sent_expires_s: int | None
    """What is sent for it: an earlier one where expiries are rolled."""
    keeps_place: bool
    """A smaller count and another expiry keep the place in the queue. Neither adds to what the order can cost."""

    @classmethod
    def of(
        cls, order: Order, price: Price, resting_count: Count, expires_s: int | None, sent_expires_s: int | None
    ) -> "_Amendment":
        keeps_place = price == order.yes_price and resting_count <= order.remaining
        return cls(price, resting_count, expires_s, sent_expires_s, keeps_place)

    @property
    def is_decrease(self) -> bool:
        """Whether nothing but the count gets smaller: then `decrease` is the request, which is taken in any pause."""
        return self.keeps_place and self.expires_s is None

    def describe(self, order: Order) -> str:
        _, _, price = as_meant(order.meant, order.book_side, self.price)
        words = f"{plain_count_text(self.resting_count)} at {plain_price_text(price)}"
        return words if self.expires_s is None else f"{words}, {expiry_text(self.expires_s)}"


class OrderAmender:
    """Sends amends and decreases, each once; one without an answer is asked about."""

    def __init__(
        self,
        rest: RestClient,
        store: Store,
        risk_checks: RiskChecks,
        order_lookup: OrderLookup,
        order_executor: OrderExecutor,
        writers: OrderWriters | None = None,
        rolling_expiry: RollingExpiry | None = None,
    ) -> None:
        self._rest = rest
        self._store = store
        self._risk_checks = risk_checks
        self._order_lookup = order_lookup
        self._order_executor = order_executor
        self._floor_check = FloorCheck(rest, store)
        self._writers = writers or OrderWriters()
        self._rolling_expiry = rolling_expiry or RollingExpiry(None, rest.clock.now_ms)

    async def amend(
        self,
        order: Order,
        price: Price,
        resting_count: Count,
        acknowledged: frozenset[Risk] = frozenset(),
        *,
        expires_s: int | None = None,
    ) -> OrderResult:
        """Change price (YES terms), resting count and expiry of an order, and return what became of it.

        ``expires_s`` is a Unix time in seconds; None keeps the order's own, 0 clears it. A smaller count alone is a
        decrease, all else an amendment (docs/kalshi-api.md, section 6).
        """
        if self._order_executor.was_taken_up(order) and (left_s := self._rolling_expiry.seconds_unsettled()):
            # Each renewal carries price and count: one that arrives behind this change would undo it.
            return self._report_unchanged(self._store.known_order(order), EARLIER_RENEWAL.format(left_s))
        try:
            async with self._writers.exclusive(order.order_id):
                return await self._amend(order, price, resting_count, acknowledged, expires_s)
        except WriterBusyError as busy:
            why = BUSY_ELSEWHERE if busy.elsewhere else BUSY
            return self._report_unchanged(self._store.known_order(order), why)

    async def _amend(  # noqa: C901 - each end of the request has its own words
        self,
        order: Order,
        price: Price,
        resting_count: Count,
        acknowledged: frozenset[Risk],
        expires_s: int | None,
    ) -> OrderResult:
        below_floor = ""
        if not _Amendment.of(self._store.known_order(order), price, resting_count, expires_s, None).is_decrease:
            terms = amended_terms(self._store, order, price, resting_count)
            below_floor = await self._floor_check.find_reason(terms)
        order = self._store.known_order(order)
        if order.state is not OrderState.RESTING:
            return OrderResult(order, f"Not changed: the order is {order.state.word}.", refused=True)
        change = _Amendment.of(order, price, resting_count, expires_s, self._rolling_expiry.clip(expires_s))
        if change.sent_expires_s is not None:
            self._rolling_expiry.note_sent(order.order_id, change.sent_expires_s)
        wanted = change.describe(order)
        if (
            against := ("" if change.is_decrease else below_floor)
            or self._describe_violations(order, change, acknowledged)
            or self._try_record_request(order, change, wanted)
        ):
            return self._report_unchanged(order, against)
        self._risk_checks.record_acknowledged(acknowledged)
        self._store.account.intents.begin_amend(order.order_id, price, resting_count)
        self._store.notices.hold(order)
        known = False
        try:
            ack = await self._send(order, change)
            known = True
        except NotFound:
            known = True
            return await self._order_executor.read_back(order, "Not changed: it is gone already.", "change")
        except (Refused, NotSent) as error:
            known = True
            self._order_executor.check_exchange_hours(error)
            outcome = self._report_unchanged(order, str(error))
            self._store.account.report_answered(order, end_told=False)
            return outcome
        except KalshiError as error:
            return self._report_unknown(order, change, str(error))
        except BaseException as error:
            self._report_unknown(order, change, f"it failed inside the program ({type(error).__name__}).")
            raise
        finally:
            # An unknown end leaves it: the limits count the larger of both until it is known. Dropped, the next order
            # could pass a limit that is used up already.
            if known:
                self._store.account.intents.end_amend(order.order_id)
        if expires_s is not None:
            self._order_executor.remember_expiry(order, expires_s)
        now = self._store.known_order(order)
        if not now.state.final:
            self._store.order(apply_amend_ack(now, order, ack, price, resting_count, change.sent_expires_s))
        self._order_executor.request_account_read()
        return self._report_changed(order, change)

    def _describe_violations(self, order: Order, change: "_Amendment", acknowledged: frozenset[Risk]) -> str:
        """Return what speaks against a change. Against one that adds no risk only read-only mode does."""
        if change.keeps_place:
            return self._risk_checks.read_only_reason
        terms = amended_terms(self._store, order, change.price, change.resting_count)
        return describe_unacknowledged(self._risk_checks.check(terms, replacing=order), acknowledged)

    def _try_record_request(self, order: Order, change: "_Amendment", wanted: str) -> str:
        """Record what is asked for; return why it must stay here if that cannot be done."""
        what = f"change asked: {wanted}"
        if change.is_decrease:
            # It takes risk away, as a cancel does, and waits for no disk either.
            self._order_executor.record_request(order, what)
            return ""
        return self._order_executor.try_record_request(order, what, check_disk_space=True)

    async def _send(self, order: Order, change: "_Amendment") -> AmendAck:
        if change.is_decrease:
            return await self._rest.decrease_order(
                order.order_id, order.ticker, to=change.resting_count, subaccount=order.subaccount
            )
        ack = await self._rest.amend_order(
            order.order_id,
            order.ticker,
            order.book_side,
            change.price,
            order.filled + change.resting_count,
            client_order_id=order.client_order_id,
            expires_s=change.sent_expires_s,
            subaccount=order.subaccount,
        )
        # What was filled before is known here: of the rest no more can fill and remain than was asked for.
        return require_possible_counts(ack, change.resting_count, "The amendment")

    def _report_changed(self, before: Order, change: "_Amendment") -> OrderResult:
        known = self._store.known_order(before)
        place = "keeps its place in the queue" if change.keeps_place else "at the end of the queue"
        if known.state is not OrderState.RESTING:
            place = f"it is {known.state.word} now"
        sentence = f"Changed: {named_order_text(before)} -> {change.describe(before)}, {place}."
        self._store.notify(Severity.GOOD, sentence, known.ticker)
        self._store.account.report_answered(known)
        return OrderResult(known, sentence)

    def _report_unchanged(self, order: Order, why: str) -> OrderResult:
        sentence = f"Not changed: {named_order_text(order)}. {why}"
        self._store.notify(Severity.ERROR, sentence)
        return OrderResult(order, sentence, refused=True)

    def _report_unknown(self, order: Order, change: "_Amendment", error: str) -> OrderResult:
        """Record that it is not known at what price and count an order rests; the exchange is asked by its id."""
        if change.expires_s:
            # It may have been done. Renewed past the time that the trader asked for, the order would outlive it.
            self._order_executor.remember_expiry(order, change.expires_s)
        why = f"It is not known whether it was changed to {change.describe(order)}: {error}"
        since_ms = self._rest.clock.now_ms()
        self._store.order(replace(self._store.known_order(order), state=OrderState.UNKNOWN, reason=why))
        known = self._store.known_order(order)
        sentence = f"UNKNOWN: {named_order_text(order)}. {why} The exchange is being asked."
        self._store.notify(Severity.ERROR, sentence)
        self._store.account.report_answered(known, end_told=False)
        self._order_executor.request_account_read()
        self._order_lookup.start_lookup(known, since_ms)
        return OrderResult(known, sentence)


def amended_terms(store: Store, order: Order, price: Price, resting_count: Count) -> OrderTerms:
    """Return the terms that a change makes of a resting order, in the trader's words where they are known."""
    action, side, own = as_meant(store.account.intents.with_meaning(order).meant, order.book_side, price)
    subaccount = order.subaccount or None
    return OrderTerms(order.ticker, side, action or Action.BUY, own, resting_count, subaccount=subaccount)


def apply_amend_ack(
    known: Order, before: Order, ack: AmendAck, price: Price, resting_count: Count, expires_s: int | None = None
) -> Order:
    """Return the order as the reply to a change says; counts that it leaves out have not changed.

    docs/kalshi-api.md, section 6.

    ``known`` may have more executions than the reply: the stream reports them too.
    """
    by_reply = before.filled + (ack.filled or 0)
    filled = max(known.filled, by_reply)
    remaining = ack.remaining if ack.remaining is not None else min(resting_count, before.remaining)
    remaining = max(remaining - (filled - by_reply), 0)
    state, reason = OrderState.RESTING, ""
    if not remaining:
        whole = filled >= before.filled + resting_count
        # Without a fill it may be that more had filled than was known, and the change has left nothing to rest.
        why = SELF_TRADE_REASON if ack.filled else NOTHING_LEFT_REASON
        state, reason = (OrderState.FILLED, "") if whole else (OrderState.CANCELED, why)
    return replace(
        known,
        yes_price=price,
        filled=filled,
        remaining=remaining,
        initial=filled + remaining,
        state=state,
        reason=reason,
        updated_ms=max(ack.ts_ms, known.updated_ms),
        expires_ms=known.expires_ms if expires_s is None else expires_s * 1000,
    )
