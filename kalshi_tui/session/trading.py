"""The hands of the session: send an order, cancel one, and find out what became of what nobody answered for.

Nothing is ever sent twice. An order whose reply was lost is UNKNOWN and is asked about until the exchange has said
(API contract, sections 6 and 10).
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Order, OrderState, OrderTerms, TimeInForce
from kalshi_tui.domain.price import MONEY_UNIT
from kalshi_tui.kalshi.errors import DuplicateOrder, KalshiError, NotFound, NotSent, Refused, UnknownOutcome
from kalshi_tui.kalshi.replies import OrderAck
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.desk import Outcome
from kalshi_tui.session.store import Store, Weight
from kalshi_tui.session.waiting import Sleep
from kalshi_tui.session.words import count_words, money_words, order_words, terms_words

AGREEING_READS: Final = 3
"""How many reads must miss an order, all after the exchange's data have passed the time of sending."""
ASK_AGAIN_S: Final = 1.0
"""The first wait between two questions about an unknown order; it doubles up to `ASK_AT_MOST_S`."""
ASK_AT_MOST_S: Final = 15.0
SEARCH_BACK_MS: Final = 600_000
"""How far before the sending an order is searched for: this machine may take the exchange's time for a later one."""
PASSED_BY_MS: Final = 5_000
"""How far past the sending the exchange's data must be before a miss counts: clocks differ."""

UNAVAILABLE: Final = 503
PAUSE_CODES: Final = frozenset({"trading_paused", "exchange_paused"})
"""What an answer has when the exchange is paused or down (section 10)."""


class Trading:
    """Sends and cancels through one `RestClient`, and keeps the store true about it."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep = asyncio.sleep) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._inquiries: dict[str, asyncio.Task[None]] = {}
        self.on_closed: Callable[[], None] | None = None
        """Called when an answer says that the exchange may be paused or down."""

    async def submit(self, terms: OrderTerms, client_order_id: str) -> Outcome:
        """Send one order, once, and say what became of it. Raises nothing for what exchange or network do."""
        # The exchange's time: what is asked later is measured by the exchange's own data.
        now = self._rest.clock.now_ms()
        draft = Order(
            order_id="",
            client_order_id=client_order_id,
            ticker=terms.ticker,
            book_side=terms.book_side,
            yes_price=terms.yes_price,
            initial=terms.count,
            filled=0,
            remaining=terms.count,
            state=OrderState.SENDING,
            created_ms=now,
        )
        self._store.asked[client_order_id] = terms.action, terms.side
        self._store.order(draft)
        try:
            ack = await self._rest.create_order(terms, client_order_id)
        except NotSent as error:
            return self._over(draft, OrderState.NOT_SENT, str(error), terms)
        except DuplicateOrder as error:
            # An order with this id is there: ours, from a send whose reply was lost. Ask, do not guess.
            return self._unknown(draft, str(error), terms)
        except Refused as error:
            self._look_at_hours(error.status, error.code)
            return self._over(draft, OrderState.REFUSED, str(error), terms)
        except UnknownOutcome as error:
            self._look_at_hours(error.status)
            return self._unknown(draft, str(error), terms)
        except asyncio.CancelledError:
            self._unknown(draft, "The program stopped waiting for the reply.", terms)
            raise
        except Exception as error:
            # A defect of ours: the order may be there all the same, and is asked about like any other.
            self._unknown(draft, f"Sending failed inside the program ({type(error).__name__}).", terms)
            raise
        order = self._settle(acknowledged(draft, terms, ack))
        outcome = Outcome(order, result_words(terms, order, ack))
        self._store.notify(Weight.GOOD if order.filled or not order.state.final else Weight.INFO, outcome.sentence)
        return outcome

    async def cancel(self, order: Order) -> Outcome:
        """Ask for a resting order to be cancelled, and say what became of it."""
        if not order.order_id:
            return Outcome(order, "This order has no id from the exchange yet, so it cannot be cancelled by name.")
        try:
            await self._rest.cancel_order(order.order_id, order.ticker)
        except NotFound:
            return await self._look_up(order, "The exchange says this order is gone already.")
        except Refused as error:
            self._look_at_hours(error.status, error.code)
            sentence = f"Not cancelled: {error}"
            self._store.notify(Weight.ERROR, sentence)
            return Outcome(order, sentence)
        except NotSent as error:
            self._store.notify(Weight.ERROR, str(error))
            return Outcome(order, str(error))
        except KalshiError as error:
            return await self._look_up(order, f"It is not known whether the cancel arrived: {error}")
        return await self._look_up(order, "")

    async def _look_up(self, order: Order, why: str) -> Outcome:
        """Read one order back after a cancel; its own state is the only proof."""
        try:
            fresh = await self._rest.order(order.order_id)
        except KalshiError as error:
            sentence = f"{why or 'The cancel was accepted.'} The order could not be read back: {error}"
            self._store.notify(Weight.WARNING, sentence)
            return Outcome(order, sentence)
        self._store.order(fresh)
        known = self._store.orders.get(order.order_id, fresh)
        if known.state is OrderState.CANCELLED:
            sentence = f"Cancelled: {order_words(known)}, {count_words(known.filled)} filled before."
        elif known.state is OrderState.FILLED:
            sentence = f"Filled before the cancel came: {order_words(known)}."
        else:
            # Reads lag writes: an accepted cancel may still read as resting (section 7).
            why = why or "Cancel accepted; waiting to see it gone"
            sentence = f"{why}: {order_words(known)} still reads as resting."
        self._store.notify(Weight.INFO, sentence)
        return Outcome(known, sentence)

    def ask_about(self, order: Order) -> None:
        """Start asking the exchange, in the background, what became of an order; once, however often it is called."""
        name = order.client_order_id
        if name not in self._inquiries:
            task = self._inquiries[name] = asyncio.create_task(self._inquire(order), name=f"inquiry {name}")
            task.add_done_callback(lambda _: self._inquiries.pop(name, None))

    async def close(self) -> None:
        """Stop asking. What is unknown stays unknown."""
        tasks = list(self._inquiries.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _look_at_hours(self, status: int, code: str = "") -> None:
        if self.on_closed is not None and (status == UNAVAILABLE or code in PAUSE_CODES):
            self.on_closed()

    def _settle(self, order: Order) -> Order:
        """Tell the store, and give the order as it is now known: the stream may have said more already."""
        self._store.order(order)
        return self._store.known_order(order)

    def _over(self, draft: Order, state: OrderState, why: str, terms: OrderTerms) -> Outcome:
        order = self._settle(replace(draft, state=state, reason=why, remaining=0))
        if order.state is not state:
            return self._told_by_stream(order, terms, why)
        sentence = f"{state.value.capitalize()}: {terms_words(terms)}. {why}"
        self._store.notify(Weight.ERROR, sentence)
        return Outcome(order, sentence)

    def _unknown(self, draft: Order, why: str, terms: OrderTerms) -> Outcome:
        order = self._settle(replace(draft, state=OrderState.UNKNOWN, reason=why))
        if order.state is not OrderState.UNKNOWN:
            return self._told_by_stream(order, terms, why)
        sentence = (
            f"UNKNOWN: {terms_words(terms)} may or may not be live. {why} "
            "The exchange is being asked; do not send it again."
        )
        self._store.notify(Weight.ERROR, sentence)
        self.ask_about(order)
        return Outcome(order, sentence)

    def _told_by_stream(self, order: Order, terms: OrderTerms, why: str) -> Outcome:
        """Say what the stream has told of an order whose reply tells nothing, or less."""
        filled = f", {count_words(order.filled)} filled" if order.filled else ""
        sentence = f"{order.state.value.capitalize()}: {terms_words(terms)}{filled}, as the stream told. {why}"
        self._store.notify(Weight.WARNING, sentence)
        return Outcome(order, sentence)

    async def _inquire(self, order: Order) -> None:
        """Ask until the order is found, or is proved not to be there (section 6)."""
        wait = ASK_AGAIN_S
        misses = 0
        while self._store.known_order(order).state is OrderState.UNKNOWN:
            try:
                found = await self._find(order)
                if found is not None:
                    self._store.order(found)
                    self._store.notify(Weight.GOOD, f"Found: {order_words(found)} is {found.state.value}.")
                    return
                # A read that the exchange's own data have not caught up with proves nothing.
                passed = await self._rest.user_data_timestamp() > order.created_ms + PASSED_BY_MS
                misses = misses + 1 if passed else 0
            except Exception:  # noqa: BLE001 - whatever goes wrong here, the order must be asked about on
                # A failed question is no answer.
                misses = 0
            if misses >= AGREEING_READS:
                reason = "The exchange has no such order; it was asked several times."
                if self._settle(replace(order, state=OrderState.NOT_SENT, reason=reason, remaining=0)).order_id:
                    return
                self._store.notify(Weight.WARNING, f"Never arrived: {order_words(order)}. {reason}")
                return
            await self._sleep(wait)
            wait = min(wait * 2, ASK_AT_MOST_S)

    async def _find(self, order: Order) -> Order | None:
        """Search the account's orders by market and time; REST knows no filter by client order id."""
        since_s = (order.created_ms - SEARCH_BACK_MS) // 1000
        for known in await self._rest.orders(ticker=order.ticker, min_ts=since_s):
            if known.client_order_id == order.client_order_id:
                return known
        return None


def acknowledged(draft: Order, terms: OrderTerms, ack: OrderAck) -> Order:
    """Give the order as its 201 says. A 201 does not mean resting: the counts say it (section 6)."""
    if ack.filled >= terms.count:
        state, reason = OrderState.FILLED, ""
    elif terms.tif is TimeInForce.GTC and ack.remaining:
        state, reason = OrderState.RESTING, ""
    else:
        state, reason = OrderState.CANCELLED, f"{terms.tif.short}: what could not fill at once was cancelled"
    return replace(
        draft,
        order_id=ack.order_id,
        filled=ack.filled,
        remaining=ack.remaining if state is OrderState.RESTING else 0,
        state=state,
        reason=reason,
        updated_ms=ack.ts_ms,
    )


def result_words(terms: OrderTerms, order: Order, ack: OrderAck) -> str:
    """Say what became of an acknowledged order, in one sentence."""
    words = terms_words(terms)
    if order.state is OrderState.FILLED:
        average = ack.average_fill_price
        if average is None or ack.filled < order.filled:
            # The rest was filled since, at prices that the reply does not tell.
            return f"Filled: {words}."
        own = average if terms.side is Side.YES else MONEY_UNIT - average
        return f"Filled: {words}, on average at {money_words(own)}."
    if order.state is OrderState.RESTING and order.filled:
        return f"Partly filled: {words}, {count_words(order.filled)} filled, {count_words(order.remaining)} resting."
    if order.state is OrderState.RESTING:
        return f"Resting: {words}."
    return f"Cancelled: {words}, {count_words(order.filled)} filled. {order.reason}".rstrip() + "."
