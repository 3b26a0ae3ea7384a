"""Send one order: check it, have it confirmed, send it once, and follow it until its outcome is known."""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from kalshi_tui.cli.command_session import (
    CommandSession,
    clear_interrupt,
    confirm,
    open_command_session,
    report_or_print,
    stop_waiting_on_interrupt,
    wait_until,
)
from kalshi_tui.cli.exchange_access import open_exchange
from kalshi_tui.cli.exit_codes import (
    FAILED,
    OK,
    UNFILLED,
    UNKNOWN,
    FailedError,
    report_failure,
)
from kalshi_tui.cli.flags import (
    SECOND_FLAG,
    YES_FLAG,
    acknowledged_risks,
    describe_violation,
    given_flags,
    unacknowledged,
)
from kalshi_tui.cli.json_shapes import (
    JsonShape,
    order_shape,
    order_terms_shape,
    preview_shape,
    violation_shapes,
)
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import parse_ticker
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms, SelfTrade, order_from_terms, rejection_reason
from kalshi_tui.domain.order_preview import OrderPreview
from kalshi_tui.domain.own_orders import OwnOrders, orders_come_to
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Money, NumberError, Price, format_count, format_price
from kalshi_tui.domain.text import (
    exchange_terms_text,
    market_text,
    named_order_text,
    named_terms_text,
    plain_count_text,
    resting_order_text,
    terms_text,
)
from kalshi_tui.order_entry.draft import DraftTimeInForce, OrderDraft
from kalshi_tui.presentation.lines import plain_text
from kalshi_tui.presentation.order_text import (
    insufficient_cash_warning,
    order_options_text,
    sell_to_open_warning,
    settlement_floor_warning,
    trading_paused_warning,
)
from kalshi_tui.presentation.preview_text import preview_lines
from kalshi_tui.session.account.order_merge import UNCONFIRMED_STATES
from kalshi_tui.session.execution.risk_checks import OverrideMethod, Risk, RiskReason, RiskViolation

UNKNOWN_ADVICE: Final = (
    "It may or may not be live: do not send it again before that is known. 'kalshi-tui orders' lists it if it rests, "
    "and the next order command asks about it and tells: it is in the journal."
)
EARLIER_ORDER_NOTE: Final = "was in doubt when this command began, and was taken: this would be a second."
OTHER_PROGRAM_NOTE: Final = "in this market is being sent by another program on this folder: this would be a second."
FAILURE_CODES: Final = {OrderState.REFUSED: "refused", OrderState.NOT_SENT: "not_sent"}
"""The states of an order that was not taken, and the code of the failure."""


@dataclass(frozen=True, slots=True)
class _OrderPlan:
    """An order ready to send, and what it would do."""

    terms: OrderTerms
    market: Market
    preview: OrderPreview
    position: Position | None
    cash: Money | None
    own: OwnOrders
    """What rests of the account's own in the market, without what is canceled first."""
    canceled_first: tuple[Order, ...]
    """The own orders in its way that are canceled before it is sent."""
    warnings: tuple[str, ...]


def send_order(options: argparse.Namespace, count: Count, price: Price) -> int:
    """Send an order, or show what it would do; return the exit code. Raises FailedError."""
    output = Output()
    ticker = parse_ticker(options.ticker)
    with open_exchange(options) as exchange:

        async def work() -> int:
            async with open_command_session(exchange, options) as ours:
                return await _send(options, ours, output, ticker, count, price)

        return asyncio.run(work())


async def _send(
    options: argparse.Namespace,
    command_session: CommandSession,
    output: Output,
    ticker: str,
    count: Count,
    price: Price,
) -> int:
    if command_session.session.read_only_reason and not options.dry_run:
        raise FailedError(command_session.session.read_only_reason, "kept_back")
    with ProgressIndicator(f"Reading {ticker} and your account") as waiting:
        if options.subaccount is not None:
            command_session.store.account.choose_subaccount(options.subaccount)
        market = await command_session.open_market(ticker)
        wanted = OrderTerms(ticker, Side(options.side), Action(options.action), price, count)
        if why := rejection_reason(wanted, market):
            # Nothing that is still to be read could change that.
            raise FailedError(why, "kept_back")
        account, _ = await asyncio.gather(command_session.wait_for_account(), command_session.wait_for_book(ticker))
        waiting.update("Asking what became of an earlier order")
        if SECOND_FLAG not in given_flags(options) and not command_session.in_flight_orders:
            await wait_until(
                lambda: (
                    not _has_unresolved_order(
                        command_session, _build_terms(options, command_session, market, count, price)
                    )
                ),
                min(options.wait, 15.0),
            )
    terms = _build_terms(options, command_session, market, count, price)
    await command_session.read_queue_positions(terms)
    plan = _make_plan(command_session, terms, cancel_first=options.cancel_first)
    against = _find_violations(command_session, terms)
    if options.dry_run:
        _show_plan(options, command_session, output, plan, against, account_known=account)
        return OK
    flags = given_flags(options)
    stops = [describe_violation(each) for each in unacknowledged(against, flags, YES_FLAG)]
    if not account and (why := command_session.describe_unread_account(flags)):
        stops.append(why)
    if stops:
        raise FailedError(" ".join(stops), "kept_back")
    if not options.json:
        _show_plan(options, command_session, output, plan, against, account_known=account)
    if await confirm(options, command_session.venue, _question(plan)):
        flags |= {YES_FLAG}
    plan = await _cancel_first(options, command_session, plan)
    return await _submit(options, command_session, output, plan, flags)


def _build_terms(
    options: argparse.Namespace, command_session: CommandSession, market: Market, count: Count, price: Price
) -> OrderTerms:
    """Read the order as the ticket would, with its checks. Raises FailedError."""
    store = command_session.store
    life = DraftTimeInForce(options.tif)
    if options.expires is not None:
        if life is not DraftTimeInForce.GTC:
            raise FailedError("An expiry works only with good-till-canceled (--tif gtc).", "kept_back")
        life = DraftTimeInForce.UNTIL
    written = OrderDraft(
        market.ticker,
        Side(options.side),
        Action(options.action),
        price=format_price(price),
        count=format_count(count),
        time_in_force=life,
        until=options.expires or "",
        post_only=options.post_only,
        reduce_only=options.reduce_only,
    )
    now_ms = command_session.rest.clock.now_ms()
    longest_s = command_session.options.ticket.expire_after_s
    live, held = store.book(market.ticker), store.positions.get(market.ticker)
    try:
        wrong = written.find_problem(
            market, live, held, now_ms, longest_s, store.account.own_orders, cancel_first=options.cancel_first
        )
        if wrong is not None:
            offer = f" {_cancel_first_offer(wrong.in_the_way)}" if wrong.in_the_way else ""
            raise FailedError(f"{wrong.sentence}{offer}", "kept_back")
        terms = written.to_order_terms(market, now_ms, longest_s)
        return replace(terms, subaccount=options.subaccount, self_trade=SelfTrade(options.self_trade))
    except NumberError as error:
        raise FailedError(str(error), "kept_back") from error


def _find_violations(command_session: CommandSession, terms: OrderTerms) -> list[RiskViolation]:
    """Return what speaks against the order.

    That an earlier order of the journal rests is no violation: there is no doubt that it is there. But one that another
    program is sending at this moment is, for that the exchange does not have it yet proves nothing.
    """
    resting = command_session.not_in_flight_ids
    found = [
        each
        for each in command_session.session.check_risks(terms)
        if not (each.risk.reason is RiskReason.SIMILAR_ORDER and each.risk.subject in resting)
    ]
    doubtful = [
        (each, EARLIER_ORDER_NOTE)
        for each in map(command_session.store.known_order, command_session.unresolved_orders)
        if each.state is OrderState.RESTING or each.filled
    ]
    doubtful += [
        (each, OTHER_PROGRAM_NOTE)
        for each in command_session.in_flight_orders
        if not command_session.store.known_order(each).order_id
    ]
    known = {each.risk for each in found}
    for order, note in doubtful:
        risk = Risk(RiskReason.SIMILAR_ORDER, order.client_order_id)
        number = command_session.store.account.view.number_of(terms)
        alike = (order.ticker, order.book_side, order.subaccount) == (terms.ticker, terms.book_side, number)
        if alike and risk not in known:
            known.add(risk)
            found.append(RiskViolation(risk, OverrideMethod.YES, f"{named_order_text(order)} {note}"))
    return found


def _has_unresolved_order(command_session: CommandSession, terms: OrderTerms) -> bool:
    """Whether nobody knows yet what has become of an earlier order like this one."""
    return any(
        each.risk.reason is RiskReason.SIMILAR_ORDER and each.risk.subject not in command_session.not_in_flight_ids
        for each in command_session.session.check_risks(terms)
    )


def _make_plan(command_session: CommandSession, terms: OrderTerms, *, cancel_first: bool) -> _OrderPlan:
    store = command_session.store
    market = store.markets[terms.ticker]
    live, held = store.book(terms.ticker), store.positions.get(terms.ticker)
    cash = store.balance.on_shard(market.exchange_index) if store.balance is not None else None
    in_all = store.account.cash_in_all(market)
    own = store.account.own_orders(terms)
    in_the_way = orders_come_to(terms, live.book, own)
    canceled_first = in_the_way if cancel_first else ()
    own = own.without(*(each.order_id for each in canceled_first))
    base = own.base_position(terms, held)
    freed = own.freed(held.count if held else 0)
    warnings = (
        trading_paused_warning(store.hours_of(terms.ticker)),
        insufficient_cash_warning(
            terms,
            market.fees,
            base,
            None if cash is None else cash + freed,
            precision=store.precision,
            in_all=None if in_all is None else in_all + freed,
        ),
        sell_to_open_warning(terms, base),
        settlement_floor_warning(market),
        _cancel_first_offer(in_the_way) if in_the_way and not cancel_first else "",
    )
    sums = OrderPreview.of(terms, live.book, market.fees, held, precision=store.precision, own=own)
    return _OrderPlan(
        terms,
        market,
        sums,
        held,
        cash,
        own,
        canceled_first,
        (*filter(None, warnings), *command_session.describe_unresolved()),
    )


def _question(plan: _OrderPlan) -> str:
    words = named_terms_text(plan.terms)
    if not plan.canceled_first:
        return f"{words}. Send this order?"
    return f"First cancel {_orders_text(plan.canceled_first)}, then send {words}. Do both?"


def _orders_text(orders: Sequence[Order]) -> str:
    """Name the account's own orders that are in the way of one."""
    named = (f"your {resting_order_text(each)} (order {each.order_id or 'without id'})" for each in orders)
    return ", ".join(named)


def _cancel_first_offer(orders: Sequence[Order]) -> str:
    return f"--cancel-first cancels {_orders_text(orders)} before this is sent."


async def _cancel_first(options: argparse.Namespace, command_session: CommandSession, plan: _OrderPlan) -> _OrderPlan:
    """Cancel the own orders in the way; return the plan with what became of them.

    Raises FailedError unless it is proved of each that it is gone, and filled no further: the order is not sent then.
    """
    if not plan.canceled_first:
        return plan
    stop_waiting_on_interrupt()
    gone = []
    for each in plan.canceled_first:
        order, why = each, ""
        try:
            with ProgressIndicator("Canceling the order in the way"):
                outcome = await command_session.session.cancel(each)
                order, why = outcome.order, outcome.sentence
                if not outcome.refused:
                    order = await command_session.wait_until_final(order, options.wait)
        except asyncio.CancelledError:
            clear_interrupt()
            order, why = command_session.store.known_order(each), "You stopped waiting for the answer."
        if not order.state.final:
            sentence = f"Not sent: {named_order_text(order)} may still rest. {why}"
            raise FailedError(sentence, "unknown_outcome", UNKNOWN)
        if order.filled > each.filled:
            filled = plain_count_text(order.filled - each.filled)
            sentence = f"Not sent: {named_order_text(order)} filled {filled} before it could be canceled"
            raise FailedError(f"{sentence}, and what was shown holds no longer. Look at it again.", "kept_back")
        gone.append(order)
    return replace(plan, canceled_first=tuple(gone))


def _show_plan(
    options: argparse.Namespace,
    command_session: CommandSession,
    output: Output,
    plan: _OrderPlan,
    violations: list[RiskViolation],
    *,
    account_known: bool,
) -> None:
    """Show the order and what it would do, as the ticket's review does or as JSON."""
    warnings = [*plan.warnings, *([] if account_known else [command_session.describe_unread_account(())])]
    terms = plan.terms
    if options.json:
        output.write_json(
            {
                "venue": command_session.venue.value,
                "sent": False,
                "wish": order_terms_shape(terms),
                "preview": preview_shape(plan.preview, plan.cash),
                "canceled_first": [order_shape(each) for each in plan.canceled_first],
                "objections": violation_shapes(violations),
                "warnings": warnings,
                "order": None,
                "message": "Nothing was sent.",
            }
        )
        return
    book = command_session.store.book(terms.ticker).book
    exchange = f"{exchange_terms_text(terms.book_side, terms.yes_price)}, count {format_count(terms.count)}"
    output.write_lines(
        f"{command_session.venue.value}  {terms_text(terms)}  -> {exchange}",
        order_options_text(terms),
        f"{market_text(plan.market)}  {terms.ticker}",
        *(
            plain_text(each).rstrip()
            for each in preview_lines(
                terms,
                book,
                plan.market.fees,
                plan.position,
                plan.cash,
                precision=command_session.store.precision,
                own=plan.own,
            )
        ),
        *(f"! First canceled: {_orders_text([each])}." for each in plan.canceled_first),
        *(f"! {each}" for each in (*(describe_violation(each) for each in violations), *warnings)),
        *(["Nothing was sent."] if options.dry_run else []),
    )


async def _submit(
    options: argparse.Namespace,
    command_session: CommandSession,
    output: Output,
    plan: _OrderPlan,
    flags: frozenset[str],
) -> int:
    """Send the order, and report its outcome."""
    terms, session = plan.terms, command_session.session
    # Other programs may have sent orders while this one was being reviewed: check again, or both would go out.
    command_session.reload_journal()
    if late := unacknowledged(_find_violations(command_session, terms), flags):
        raise FailedError(" ".join(describe_violation(each) for each in late), "kept_back")
    stop_waiting_on_interrupt()
    name = session.draft(terms)
    order = order_from_terms(name, terms, OrderState.SENDING, command_session.rest.clock.now_ms())
    sentence, why_unknown = "", "The exchange was asked and has not said."
    try:
        with ProgressIndicator("Waiting for the exchange's answer") as waiting:
            passed = acknowledged_risks(session.check_risks(terms), flags)
            passed |= {Risk(RiskReason.SIMILAR_ORDER, each) for each in command_session.not_in_flight_ids}
            outcome = await session.submit(terms, name, passed)
            order, sentence = outcome.order, outcome.sentence
            if order.state in UNCONFIRMED_STATES:
                waiting.update("No answer: asking the exchange what became of the order")
                found = await command_session.wait_until_known(order, options.wait)
                if found.state not in UNCONFIRMED_STATES:
                    sentence = (
                        f"{found.state.word.capitalize()}: {named_terms_text(terms)}, as the exchange says when asked. "
                    )
                    sentence += found.reason if not found.state.reached else f"{plain_count_text(found.filled)} filled."
                order = found
    except asyncio.CancelledError:
        clear_interrupt()
        order = command_session.store.known_order(order)
        why_unknown = "You stopped waiting for the answer."
        # The stream reports orders too, and may be faster than the reply.
        sentence = f"{order.state.word.capitalize()}: {named_terms_text(terms)}, as was known when you stopped waiting."
    if order.state in UNCONFIRMED_STATES:
        sentence = f"UNKNOWN: {named_terms_text(terms)}. {why_unknown} {UNKNOWN_ADVICE}"
    return _report_result(options, command_session, output, plan, order, sentence)


def _report_result(
    options: argparse.Namespace,
    command_session: CommandSession,
    output: Output,
    plan: _OrderPlan,
    order: Order,
    sentence: str,
) -> int:
    """Report the order's outcome, and return the exit code."""
    unknown = order.state in UNCONFIRMED_STATES
    shape: JsonShape = order_shape(order) | ({"state": "unknown"} if unknown else {})

    def write() -> None:
        if options.json:
            output.write_json(
                {
                    "venue": command_session.venue.value,
                    "sent": order.state is not OrderState.NOT_SENT or bool(order.order_id),
                    "wish": order_terms_shape(plan.terms),
                    "preview": preview_shape(plan.preview, plan.cash),
                    "canceled_first": [order_shape(each) for each in plan.canceled_first],
                    "objections": [],
                    "warnings": list(plan.warnings),
                    "order": shape,
                    "message": sentence,
                }
            )
        else:
            output.write_lines(f"{command_session.venue.value}  {sentence}")
            output.write_facts(
                [
                    ("state", str(shape["state"])),
                    ("filled", plain_count_text(order.filled)),
                    ("left", plain_count_text(order.remaining)),
                    ("order id", order.order_id or "not known"),
                    ("client order id", order.client_order_id),
                ]
            )

    report_or_print(write, order, sentence)
    if unknown:
        return report_failure(FailedError(sentence, "unknown_outcome", UNKNOWN), as_json=options.json)
    if order.state in FAILURE_CODES:
        return report_failure(FailedError(sentence, FAILURE_CODES[order.state], FAILED), as_json=options.json)
    if order.state is OrderState.CANCELED and not order.filled:
        return report_failure(FailedError(sentence, "unfilled", UNFILLED), as_json=options.json)
    return OK
