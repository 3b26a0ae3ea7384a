"""Change one resting order, and wait until it is known how it rests."""

import argparse
import asyncio

from kalshi_tui.cli.command_session import (
    CommandSession,
    clear_interrupt,
    confirm,
    open_command_session,
    report_or_print,
    stop_waiting_on_interrupt,
)
from kalshi_tui.cli.exchange_access import CommandExchange, open_exchange
from kalshi_tui.cli.exit_codes import (
    FAILED,
    OK,
    UNFILLED,
    UNKNOWN,
    FailedError,
    report_failure,
)
from kalshi_tui.cli.flags import YES_FLAG, acknowledged_risks, describe_violation, given_flags, unacknowledged
from kalshi_tui.cli.json_shapes import order_shape, violation_shapes
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Order, OrderState, as_meant, rejection_reason, to_yes_price
from kalshi_tui.domain.price import Count, NumberError, Price, format_count, format_price
from kalshi_tui.domain.text import expiry_text, named_order_text, plain_count_text, plain_price_text
from kalshi_tui.order_entry.parse import parse_amended_expiration
from kalshi_tui.session.account.order_merge import UNCONFIRMED_STATES
from kalshi_tui.session.execution.amend import amended_terms
from kalshi_tui.session.execution.risk_checks import Risk, RiskReason, RiskViolation


def amend_order(options: argparse.Namespace, resting_count: Count | None, price: Price | None) -> int:
    """Change an order, or show what would change; return the exit code. What is None stays. Raises FailedError."""
    output = Output()
    with open_exchange(options) as exchange:
        return asyncio.run(_amend(options, exchange, output, resting_count, price))


async def _amend(
    options: argparse.Namespace,
    exchange: CommandExchange,
    output: Output,
    resting_count: Count | None,
    price: Price | None,
) -> int:
    async with open_command_session(exchange, options) as ours:
        if ours.session.read_only_reason and not options.dry_run:
            raise FailedError(ours.session.read_only_reason, "kept_back")
        with ProgressIndicator("Looking for the order"):
            order = await ours.find_order(options.id, "The change")
        ours.require_subaccount(order, options.subaccount)
        if order.state is not OrderState.RESTING:
            raise FailedError(f"Not changed: {named_order_text(order)} is {order.state.word}.", "kept_back")
        with ProgressIndicator("Reading the order's market and your account"):
            market = await ours.open_market(order.ticker)
            account, _ = await asyncio.gather(ours.wait_for_account(), ours.wait_for_book(order.ticker))
            order = await _resolve_order(ours, order, options.wait)
        order = ours.store.account.intents.with_meaning(order)
        side = Side(options.side) if options.side else order.as_meant[1]
        wanted = order.yes_price if price is None else to_yes_price(side, price)
        resting_count = order.remaining if resting_count is None else resting_count
        expires_s = _parse_expires(options.expires, ours)
        terms = amended_terms(ours.store, order, wanted, resting_count)
        if why := rejection_reason(terms, market):
            raise FailedError(why, "kept_back")
        if (wanted, resting_count, expires_s if expires_s is not None else order.expires_ms // 1000) == (
            order.yes_price,
            order.remaining,
            order.expires_ms // 1000,
        ):
            raise FailedError("Nothing would change.", "kept_back")
        keeps_place = wanted == order.yes_price and resting_count <= order.remaining
        # A smaller count takes risk away, and an expiry adds none: nothing speaks against them.
        against = [] if keeps_place else ours.session.check_risks(terms, replacing=order)
        change = _AmendCommand(options, ours, output, order, wanted, resting_count, expires_s, keeps_place=keeps_place)
        if options.dry_run:
            change.write(order, f"{change.description} Nothing was sent.", against, sent=False)
            return OK
        flags = given_flags(options)
        stops = [describe_violation(each) for each in unacknowledged(against, flags, YES_FLAG)]
        if not account and not keeps_place and (why := ours.describe_unread_account(flags)):
            stops.append(why)
        if stops:
            raise FailedError(" ".join(stops), "kept_back")
        if await confirm(options, ours.venue, f"{change.description} Change this order?"):
            flags |= {YES_FLAG}
        return await change.run(flags)


def _parse_expires(typed: str | None, ours: CommandSession) -> int | None:
    """Read --expires, in Unix seconds of the exchange's time: None as it is, 0 never. Raises FailedError."""
    try:
        return parse_amended_expiration(typed or "", ours.rest.clock.now_ms())
    except NumberError as error:
        raise FailedError(str(error), "kept_back") from error


async def _resolve_order(command_session: CommandSession, order: Order, wait_s: float) -> Order:
    """Put an order into the store; where a request may be on its way, ask the exchange about it first."""
    known = command_session.store.known_order(order)
    if known.state is OrderState.UNKNOWN and order.client_order_id not in command_session.not_in_flight_ids:
        known = await command_session.wait_until_known(order, wait_s)
        if known.state is OrderState.UNKNOWN:
            sentence = f"Not changed: {named_order_text(order)} is UNKNOWN, the exchange has not said yet."
            raise FailedError(sentence, "kept_back")
        return known
    command_session.store.order(order)
    return command_session.store.known_order(order)


class _AmendCommand:
    """A requested change, and the report of its outcome."""

    def __init__(
        self,
        options: argparse.Namespace,
        command_session: CommandSession,
        output: Output,
        order: Order,
        target_price: Price,
        target_count: Count,
        target_expires_s: int | None,
        *,
        keeps_place: bool,
    ) -> None:
        self._options = options
        self._command_session = command_session
        self._output = output
        self._order = order
        self._target_price = target_price
        self._target_count = target_count
        self._target_expires_s = target_expires_s
        self._keeps_place = keeps_place

    @property
    def description(self) -> str:
        """Return what is to change."""
        action, side, price = self._order.as_meant
        now = as_meant(self._order.meant, self._order.book_side, self._target_price)[2]
        verb = f"{action.value} " if action is not None else ""
        place = "keeps its place in the queue" if self._keeps_place else "goes to the end of the queue"
        before = f"{verb}{side.name} {plain_count_text(self._order.remaining)} at {plain_price_text(price)}"
        after = f"{plain_count_text(self._target_count)} at {plain_price_text(now)}"
        if self._target_expires_s is not None:
            after += f", {expiry_text(self._target_expires_s)}"
        return f"{before} -> {after} in {self._order.ticker}; {place}."

    async def run(self, flags: frozenset[str]) -> int:
        """Send the change, report its outcome, and return the exit code."""
        ours, order, sentence, refused = self._command_session, self._order, "", False
        before = ours.store.known_order(order)
        stop_waiting_on_interrupt()
        try:
            with ProgressIndicator("Waiting for the exchange's answer") as waiting:
                terms = amended_terms(ours.store, order, self._target_price, self._target_count)
                passed = acknowledged_risks(ours.session.check_risks(terms, replacing=order), flags)
                passed |= {Risk(RiskReason.SIMILAR_ORDER, each) for each in ours.not_in_flight_ids}
                outcome = await ours.session.amend(
                    order, self._target_price, self._target_count, passed, expires_s=self._target_expires_s
                )
                order, sentence, refused = outcome.order, outcome.sentence, outcome.refused
                if order.state in UNCONFIRMED_STATES:
                    waiting.update("No answer: asking the exchange how the order rests")
                    order = await ours.wait_until_known(order, self._options.wait)
                    sentence = f"The exchange, asked, has it so: {named_order_text(order)}, {order.state.word}."
        except asyncio.CancelledError:
            clear_interrupt()
            order = ours.store.known_order(order)
            sentence = "You stopped waiting for the answer."
        unknown = order.state in UNCONFIRMED_STATES
        if unknown:
            price = as_meant(order.meant, order.book_side, self._target_price)[2]
            sentence = (
                f"UNKNOWN: it is not known whether {named_order_text(order)} was changed to "
                f"{plain_count_text(self._target_count)} at {plain_price_text(price)}. Look with 'kalshi-tui orders'."
            )
        done = not unknown and not refused and self._is_done(order, before)
        if not done and not unknown and not refused:
            sentence = f"Not changed as you asked. {sentence}"
        report_or_print(lambda: self.write(order, sentence, [], sent=not refused), order, sentence)
        if unknown:
            return report_failure(FailedError(sentence, "unknown_outcome", UNKNOWN), as_json=self._options.json)
        if done:
            return OK
        if not refused and order.state is OrderState.CANCELED and not order.filled:
            return report_failure(FailedError(sentence, "unfilled", UNFILLED), as_json=self._options.json)
        return report_failure(FailedError(sentence, "refused", FAILED), as_json=self._options.json)

    def _is_done(self, order: Order, before: Order) -> bool:
        """Return whether an order is as requested; what filled meanwhile is subtracted from what rests."""
        filled = order.filled - before.filled
        if order.state is OrderState.FILLED:
            return filled >= self._target_count
        return (
            order.state is OrderState.RESTING
            and order.yes_price == self._target_price
            and order.remaining + filled == self._target_count
            and self._target_expires_s in {None, order.expires_ms // 1000}
        )

    def write(self, order: Order, sentence: str, violations: list[RiskViolation], *, sent: bool) -> None:
        """Write what would change, or what became of it."""
        shape = order_shape(order)
        if order.state in UNCONFIRMED_STATES:
            shape |= {"state": "unknown"}
        if self._options.json:
            self._output.write_json(
                {
                    "venue": self._command_session.venue.value,
                    "sent": sent,
                    "wanted": {
                        "remaining": format_count(self._target_count),
                        "yes_price": format_price(self._target_price),
                        "expires_ms": None if self._target_expires_s is None else self._target_expires_s * 1000,
                    },
                    "keeps_place": self._keeps_place,
                    "objections": violation_shapes(violations),
                    "order": shape,
                    "message": sentence,
                }
            )
            return
        self._output.write_lines(
            f"{self._command_session.venue.value}  {sentence}",
            *(f"! {describe_violation(each)}" for each in violations),
        )
        ids = [("order id", order.order_id), ("client order id", order.client_order_id)]
        self._output.write_facts([("state", str(shape["state"])), *((name, value) for name, value in ids if value)])
