"""Changing one resting order, until it is known how it rests."""

import argparse
import asyncio

from kalshi_tui.cli.connection import Exchange, opened
from kalshi_tui.cli.exit_codes import (
    FAILED,
    OK,
    UNKNOWN,
    FailedError,
    tell,
)
from kalshi_tui.cli.flags import YES, given
from kalshi_tui.cli.json_shapes import objection_shapes, order_shape
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.progress import Waiting
from kalshi_tui.cli.risk_flags import agreed, left_over, words
from kalshi_tui.cli.trading_session import (
    Hands,
    confirmed,
    hands,
    stop_once,
    stopped,
    told_anyway,
)
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Order, OrderState, exposure, refusal, yes_price
from kalshi_tui.domain.price import Count, Price, format_count, format_price
from kalshi_tui.domain.text import count_words, order_words, price_words
from kalshi_tui.session.execution.amend import amended_terms
from kalshi_tui.session.execution.risk_checks import Objection
from kalshi_tui.session.store import UNSETTLED


def amend(options: argparse.Namespace, left: Count, price: Price) -> int:
    """Change an order, or show what would change; give the exit code. Raises FailedError."""
    output = Output()
    with opened(options) as exchange:
        return asyncio.run(_amend(options, exchange, output, left, price))


async def _amend(options: argparse.Namespace, exchange: Exchange, output: Output, left: Count, price: Price) -> int:
    async with hands(exchange, options) as ours:
        if ours.session.read_only and not options.dry_run:
            raise FailedError(ours.session.read_only, "kept_back")
        order = await ours.find(options.id)
        if order.state is not OrderState.RESTING:
            raise FailedError(f"Not changed: {order_words(order)} is {order.state.value}.", "kept_back")
        with Waiting("Reading the order's market and your account"):
            market = await ours.meet(order.ticker)
            account, _ = await asyncio.gather(ours.account_read(), ours.book_good(order.ticker))
            order = await _known(ours, order, options.wait)
        side = Side(options.side) if options.side else exposure(order.book_side, order.yes_price)[0]
        wanted = yes_price(side, price)
        terms = amended_terms(ours.store, order, wanted, left)
        if why := refusal(terms, market):
            raise FailedError(why, "kept_back")
        if (wanted, left) == (order.yes_price, order.remaining):
            raise FailedError("Nothing would change.", "kept_back")
        smaller = wanted == order.yes_price and left < order.remaining
        # A smaller count takes risk away: nothing speaks against it.
        against = [] if smaller else ours.session.objections(terms, instead_of=order)
        change = _Change(options, ours, output, order, wanted, left, smaller=smaller)
        if options.dry_run:
            change.tell(order, f"{change.words} Nothing was sent.", against, sent=False)
            return OK
        flags = given(options)
        stops = [words(each) for each in left_over(against, flags, YES)]
        if not account and not smaller and (why := ours.unread(flags)):
            stops.append(why)
        if stops:
            raise FailedError(" ".join(stops), "kept_back")
        if await confirmed(options, ours.venue, f"{change.words} Change this order?"):
            flags |= {YES}
        return await change.go(flags)


async def _known(ours: Hands, order: Order, wait_s: float) -> Order:
    """Put an order that was read into the store; one of which something may be on its way is asked about first."""
    known = ours.store.known_order(order)
    if known.state is OrderState.UNKNOWN and order.client_order_id not in ours.at_rest:
        known = await ours.settled(order, wait_s)
        if known.state is OrderState.UNKNOWN:
            sentence = f"Not changed: {order_words(order)} is UNKNOWN, the exchange has not said yet."
            raise FailedError(sentence, "kept_back")
        return known
    ours.store.order(order)
    return ours.store.known_order(order)


class _Change:
    """A change that is asked for, and how it is told."""

    def __init__(
        self,
        options: argparse.Namespace,
        ours: Hands,
        output: Output,
        order: Order,
        wanted: Price,
        left: Count,
        *,
        smaller: bool,
    ) -> None:
        self._options = options
        self._ours = ours
        self._output = output
        self._order = order
        self._wanted = wanted
        self._left = left
        self._smaller = smaller

    @property
    def words(self) -> str:
        """Say what is to change."""
        side, price = exposure(self._order.book_side, self._order.yes_price)
        now = exposure(self._order.book_side, self._wanted)[1]
        place = "keeps its place in the queue" if self._smaller else "goes to the end of the queue"
        before = f"{count_words(self._order.remaining)} {side.name} at {price_words(price)}"
        return f"{before} -> {count_words(self._left)} at {price_words(now)}; {place}."

    async def go(self, flags: frozenset[str]) -> int:
        """Change it, and say what became of it; give the exit code."""
        ours, order, sentence, refused = self._ours, self._order, "", False
        before = ours.store.known_order(order)
        stop_once()
        try:
            with Waiting("Waiting for the exchange's answer") as waiting:
                terms = amended_terms(ours.store, order, self._wanted, self._left)
                passed = agreed(ours.session.objections(terms, instead_of=order), flags)
                passed |= {f"alike {each}" for each in ours.at_rest}
                outcome = await ours.session.amend(order, self._wanted, self._left, passed)
                order, sentence, refused = outcome.order, outcome.sentence, outcome.refused
                if order.state in UNSETTLED:
                    waiting.say("No answer: asking the exchange how the order rests")
                    order = await ours.settled(order, self._options.wait)
                    sentence = f"The exchange, asked, has it so: {order_words(order)}, {order.state.value}."
        except asyncio.CancelledError:
            stopped()
            order = ours.store.known_order(order)
            sentence = "You stopped waiting for the answer."
        unknown = order.state in UNSETTLED
        if unknown:
            sentence = (
                f"UNKNOWN: it is not known whether it was changed to {count_words(self._left)} at "
                f"{price_words(exposure(order.book_side, self._wanted)[1])}. Look with 'kalshi-tui orders'."
            )
        done = not unknown and not refused and self._is_done(order, before)
        if not done and not unknown and not refused:
            sentence = f"Not changed as you asked. {sentence}"
        told_anyway(lambda: self.tell(order, sentence, [], sent=not refused), order, sentence)
        if unknown:
            return tell(FailedError(sentence, "unknown_outcome", UNKNOWN), as_json=self._options.json)
        if done:
            return OK
        return tell(FailedError(sentence, "refused", FAILED), as_json=self._options.json)

    def _is_done(self, order: Order, before: Order) -> bool:
        """Say whether an order is as it was to be: what has been filled meanwhile is taken off what rests."""
        filled = order.filled - before.filled
        if order.state is OrderState.FILLED:
            return filled >= self._left
        return (
            order.state is OrderState.RESTING
            and order.yes_price == self._wanted
            and order.remaining + filled == self._left
        )

    def tell(self, order: Order, sentence: str, against: list[Objection], *, sent: bool) -> None:
        """Write what would change, or what became of it."""
        shape = order_shape(order)
        if order.state in UNSETTLED:
            shape |= {"state": "unknown"}
        if self._options.json:
            self._output.object(
                {
                    "venue": self._ours.venue.value,
                    "sent": sent,
                    "wanted": {"remaining": format_count(self._left), "yes_price": format_price(self._wanted)},
                    "keeps_place": self._smaller,
                    "objections": objection_shapes(against),
                    "order": shape,
                    "message": sentence,
                }
            )
            return
        self._output.lines(f"{self._ours.venue.value}  {sentence}", *(f"! {words(each)}" for each in against))
        ids = [("order id", order.order_id), ("client order id", order.client_order_id)]
        self._output.facts([("state", str(shape["state"])), *((name, value) for name, value in ids if value)])
