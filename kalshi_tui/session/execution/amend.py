"""Changing an order at rest: its price, its count, or both, and what that does to its place in the queue."""

from dataclasses import dataclass, replace

from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms, exposure, yes_price
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.domain.text import count_words, order_words, price_words
from kalshi_tui.kalshi.errors import KalshiError, NotFound, NotSent, Refused
from kalshi_tui.kalshi.replies import AmendAck
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.execution.order_lookup import Inquiry
from kalshi_tui.session.execution.risk_checks import READ_ONLY, Guard, unpassed
from kalshi_tui.session.execution.submit import MET_OWN, Trading
from kalshi_tui.session.interface import Outcome
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.store import Store


@dataclass(frozen=True, slots=True)
class _Change:
    """What an order is to become. ``smaller``: nothing but a smaller count, which keeps the place."""

    price: Price
    left: Count
    smaller: bool

    def words(self, order: Order) -> str:
        return f"{count_words(self.left)} at {price_words(exposure(order.book_side, self.price)[1])}"


class Changer:
    """Amends and decreases, each sent once; what nobody has answered for is asked about."""

    def __init__(self, rest: RestClient, store: Store, guard: Guard, inquiry: Inquiry, trading: Trading) -> None:
        self._rest = rest
        self._store = store
        self._guard = guard
        self._inquiry = inquiry
        self._trading = trading

    async def amend(self, order: Order, price: Price, left: Count, agreed: frozenset[str] = frozenset()) -> Outcome:
        """Change price (YES terms) and resting count of an order, and say what became of it.

        A smaller count alone is a decrease, which keeps the place in the queue; all else is an amendment
        (docs/kalshi-api.md, section 6).
        """
        order = self._store.known_order(order)
        if order.state is not OrderState.RESTING:
            return Outcome(order, f"Not changed: the order is {order.state.value}.", refused=True)
        change = _Change(price, left, price == order.yes_price and left < order.remaining)
        wanted = change.words(order)
        if against := self._against(order, change, agreed) or self._unwritten(order, change, wanted):
            return self._unchanged(order, against)
        if "live" in agreed:
            self._guard.armed = True
        self._store.amending[order.order_id] = price, left
        self._store.notices.hold(order)
        known = False
        try:
            ack = await self._ask(order, change)
            known = True
        except NotFound:
            known = True
            return await self._trading.look_up(order, "Not changed: it is gone already.", "change")
        except (Refused, NotSent) as error:
            known = True
            self._trading.look_at_hours(getattr(error, "status", 0), getattr(error, "code", ""))
            outcome = self._unchanged(order, str(error))
            self._store.answered(order, end_told=False)
            return outcome
        except KalshiError as error:
            return self._perhaps_changed(order, wanted, str(error))
        except BaseException as error:
            self._perhaps_changed(order, wanted, f"it failed inside the program ({type(error).__name__}).")
            raise
        finally:
            # Else what it is being changed to goes on counting until that is known.
            if known:
                self._store.amending.pop(order.order_id, None)
        now = self._store.known_order(order)
        if not now.state.final:
            self._store.order(amended(now, order, ack, price, left))
        self._trading.is_doubtful()
        return self._changed(order, change)

    def _against(self, order: Order, change: "_Change", agreed: frozenset[str]) -> str:
        """Say what speaks against a change. Nothing does against a smaller count, but that nothing may be sent."""
        if change.smaller:
            return READ_ONLY if self._guard.read_only else ""
        terms = amended_terms(self._store, order, change.price, change.left)
        return unpassed(self._guard.objections(terms, instead_of=order), agreed)

    def _unwritten(self, order: Order, change: "_Change", wanted: str) -> str:
        """Write down what is asked for; say why it must stay here if that cannot be done."""
        what = f"change asked: {wanted}"
        if change.smaller:
            # It takes risk away, as a cancel does, and waits for no disk either.
            self._trading.write_asked(order, what)
            return ""
        return self._trading.unwritten(order, what, room=True)

    async def _ask(self, order: Order, change: "_Change") -> AmendAck:
        if change.smaller:
            return await self._rest.decrease_order(order.order_id, order.ticker, to=change.left)
        return await self._rest.amend_order(
            order.order_id,
            order.ticker,
            order.book_side,
            change.price,
            order.filled + change.left,
            client_order_id=order.client_order_id,
        )

    def _changed(self, before: Order, change: "_Change") -> Outcome:
        known = self._store.known_order(before)
        place = "keeps its place in the queue" if change.smaller else "at the end of the queue"
        if known.state is not OrderState.RESTING:
            place = f"it is {known.state.value} now"
        sentence = f"Changed: {order_words(before)} -> {change.words(before)}, {place}."
        self._store.notify(Weight.GOOD, sentence, known.ticker)
        self._store.answered(known)
        return Outcome(known, sentence)

    def _unchanged(self, order: Order, why: str) -> Outcome:
        sentence = f"Not changed: {order_words(order)}. {why}"
        self._store.notify(Weight.ERROR, sentence)
        return Outcome(order, sentence, refused=True)

    def _perhaps_changed(self, order: Order, wanted: str, error: str) -> Outcome:
        """Note that it is not known at what price and count an order rests; the exchange is asked by its id."""
        why = f"It is not known whether it was changed to {wanted}: {error}"
        since_ms = self._rest.clock.now_ms()
        self._store.order(replace(self._store.known_order(order), state=OrderState.UNKNOWN, reason=why))
        known = self._store.known_order(order)
        sentence = f"UNKNOWN: {order_words(order)}. {why} The exchange is being asked."
        self._store.notify(Weight.ERROR, sentence)
        self._store.answered(known, end_told=False)
        self._trading.is_doubtful()
        self._inquiry.ask_about(known, since_ms)
        return Outcome(known, sentence)


def amended_terms(store: Store, order: Order, price: Price, left: Count) -> OrderTerms:
    """Give the order that a change makes of a resting one, in the trader's words where they are known."""
    asked = store.asked.get(order.client_order_id)
    if asked is None:
        side, own = exposure(order.book_side, price)
        return OrderTerms(order.ticker, side, Action.BUY, own, left)
    action, side = asked
    return OrderTerms(order.ticker, side, action, yes_price(side, price), left)


def amended(known: Order, before: Order, ack: AmendAck, price: Price, left: Count) -> Order:
    """Give the order as the reply to a change says; counts that it leaves out have not changed.

    docs/kalshi-api.md, section 6.

    ``known`` may have more executions than the reply: the stream tells them too.
    """
    by_reply = before.filled + (ack.filled or 0)
    filled = max(known.filled, by_reply)
    remaining = ack.remaining if ack.remaining is not None else min(left, before.remaining)
    remaining = max(remaining - (filled - by_reply), 0)
    state, reason = OrderState.RESTING, ""
    if not remaining:
        whole = filled >= before.filled + left
        state, reason = (OrderState.FILLED, "") if whole else (OrderState.CANCELLED, MET_OWN)
    return replace(
        known,
        yes_price=price,
        filled=filled,
        remaining=remaining,
        initial=filled + remaining,
        state=state,
        reason=reason,
        updated_ms=max(ack.ts_ms, known.updated_ms),
    )
