"""Sending one order: looked at, asked about, sent once, and followed until its outcome is known."""

import argparse
import asyncio
from dataclasses import dataclass
from typing import Final

from kalshi_tui.cli.connection import opened
from kalshi_tui.cli.exit_codes import (
    FAILED,
    OK,
    UNKNOWN,
    FailedError,
    tell,
)
from kalshi_tui.cli.flags import SECOND, YES, given
from kalshi_tui.cli.json_shapes import (
    Shape,
    objection_shapes,
    order_shape,
    preview_shape,
    wish_shape,
)
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.progress import Waiting
from kalshi_tui.cli.queries import checked_ticker
from kalshi_tui.cli.risk_flags import agreed, left_over, words
from kalshi_tui.cli.trading_session import (
    Hands,
    confirmed,
    hands,
    stop_once,
    stopped,
    told_anyway,
    until,
)
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms, refusal, unsent
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Money, NumberError, Price, format_count, format_price
from kalshi_tui.domain.text import (
    count_words,
    exchange_words,
    market_words,
    order_words,
    terms_words,
)
from kalshi_tui.order_entry.draft import Life, Written
from kalshi_tui.presentation.lines import plain
from kalshi_tui.presentation.order_text import (
    option_words,
    paused,
    selling_unheld,
    too_dear,
)
from kalshi_tui.presentation.preview_text import Figures, preview_lines
from kalshi_tui.session.execution.risk_checks import Objection, Passing
from kalshi_tui.session.store import UNSETTLED

UNHEARD: Final = (
    "It may or may not be live: do not send it again before that is known. 'kalshi-tui orders' lists it if it rests, "
    "and the next order command asks about it and tells: it is in the journal."
)
WAS_DOUBTED: Final = "was in doubt when this command began, and was taken: this would be a second."
SENDING: Final = "in this market is being sent by another program on this folder: this would be a second."
ENDS: Final = {OrderState.REFUSED: "refused", OrderState.NOT_SENT: "not_sent"}
"""The states of an order that was not taken, and the code of the failure."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """An order that could be sent, and what it would do."""

    terms: OrderTerms
    market: Market
    sums: Figures
    held: Position | None
    cash: Money | None
    warnings: tuple[str, ...]


def send(options: argparse.Namespace, count: Count, price: Price) -> int:
    """Send an order, or show what it would do; give the exit code. Raises FailedError."""
    output = Output()
    ticker = checked_ticker(options.ticker)
    with opened(options) as exchange:

        async def work() -> int:
            async with hands(exchange, options) as ours:
                return await _send(options, ours, output, ticker, count, price)

        return asyncio.run(work())


async def _send(
    options: argparse.Namespace, ours: Hands, output: Output, ticker: str, count: Count, price: Price
) -> int:
    if ours.session.read_only and not options.dry_run:
        raise FailedError(ours.session.read_only, "kept_back")
    with Waiting(f"Reading {ticker} and your account") as waiting:
        market = await ours.meet(ticker)
        wanted = OrderTerms(ticker, Side(options.side), Action(options.action), price, count)
        if why := refusal(wanted, market):
            # Nothing that is still to be read would change that.
            raise FailedError(why, "kept_back")
        account, _ = await asyncio.gather(ours.account_read(), ours.book_good(ticker))
        waiting.say("Asking what became of an earlier order")
        if SECOND not in given(options) and not ours.on_their_way:
            await until(
                lambda: not _in_doubt(ours, _terms(options, ours, market, count, price)), min(options.wait, 15.0)
            )
    terms = _terms(options, ours, market, count, price)
    plan = _plan(ours, terms)
    against = _against(ours, terms)
    if options.dry_run:
        _show_plan(options, ours, output, plan, against, account=account)
        return OK
    flags = given(options)
    stops = [words(each) for each in left_over(against, flags, YES)]
    if not account and (why := ours.unread(flags)):
        stops.append(why)
    if stops:
        raise FailedError(" ".join(stops), "kept_back")
    if not options.json:
        _show_plan(options, ours, output, plan, against, account=account)
    if await confirmed(options, ours.venue, f"{terms_words(terms)} in {ticker}. Send this order?"):
        flags |= {YES}
    return await _go(options, ours, output, plan, flags)


def _terms(options: argparse.Namespace, ours: Hands, market: Market, count: Count, price: Price) -> OrderTerms:
    """Read the order as the ticket would, with its checks. Raises FailedError."""
    store = ours.store
    life = Life(options.tif)
    if options.expires is not None:
        if life is not Life.GTC:
            raise FailedError("An expiry works only with good-till-cancelled (--tif gtc).", "kept_back")
        life = Life.UNTIL
    written = Written(
        market.ticker,
        Side(options.side),
        Action(options.action),
        price=format_price(price),
        count=format_count(count),
        life=life,
        until=options.expires or "",
        post_only=options.post_only,
        reduce_only=options.reduce_only,
    )
    now_ms = ours.rest.clock.now_ms()
    longest_s = ours.options.ticket.expire_after_s
    live, held = store.book(market.ticker), store.positions.get(market.ticker)
    try:
        wrong = written.wrong(market, live, held, now_ms, longest_s)
        if wrong is not None:
            raise FailedError(wrong.sentence, "kept_back")
        return written.terms(market, now_ms, longest_s)
    except NumberError as error:
        raise FailedError(str(error), "kept_back") from error


def _against(ours: Hands, terms: OrderTerms) -> list[Objection]:
    """Give what speaks against the order.

    That an earlier order of the journal rests is no objection: there is no doubt that it is there. But one that another
    program is sending at this moment is, for that the exchange does not have it yet proves nothing.
    """
    found = [
        each
        for each in ours.session.objections(terms)
        if not (each.passing is Passing.YES and each.id.removeprefix("alike ") in ours.at_rest)
    ]
    known = {each.id for each in found}
    found += [
        Objection(f"alike {each.client_order_id}", Passing.YES, f"{order_words(each)} {WAS_DOUBTED}")
        for each in map(ours.store.known_order, ours.doubted)
        if (each.ticker, each.book_side) == (terms.ticker, terms.book_side)
        and f"alike {each.client_order_id}" not in known
        and (each.state is OrderState.RESTING or each.filled)
    ]
    known = {each.id for each in found}
    return found + [
        Objection(f"alike {each.client_order_id}", Passing.YES, f"{order_words(each)} {SENDING}")
        for each in ours.on_their_way
        if (each.ticker, each.book_side) == (terms.ticker, terms.book_side)
        and f"alike {each.client_order_id}" not in known
        and not ours.store.known_order(each).order_id
    ]


def _in_doubt(ours: Hands, terms: OrderTerms) -> bool:
    """Whether nobody knows yet what has become of an earlier order like this one."""
    return any(
        each.passing is Passing.YES and each.id.removeprefix("alike ") not in ours.at_rest
        for each in ours.session.objections(terms)
    )


def _plan(ours: Hands, terms: OrderTerms) -> _Plan:
    store = ours.store
    market = store.markets[terms.ticker]
    live, held = store.book(terms.ticker), store.positions.get(terms.ticker)
    cash = store.balance.on_shard(market.exchange_index) if store.balance is not None else None
    warnings = (paused(store.hours), too_dear(terms, market.fees, held, cash), selling_unheld(terms, held))
    sums = Figures.of(terms, live.book, market.fees, held)
    return _Plan(terms, market, sums, held, cash, (*filter(None, warnings), *ours.found_out()))


def _show_plan(
    options: argparse.Namespace,
    ours: Hands,
    output: Output,
    plan: _Plan,
    against: list[Objection],
    *,
    account: bool,
) -> None:
    """Show what the order is and would do: as the ticket's review, or as JSON."""
    warnings = [*plan.warnings, *([] if account else [ours.unread(())])]
    terms = plan.terms
    if options.json:
        output.object(
            {
                "venue": ours.venue.value,
                "sent": False,
                "wish": wish_shape(terms),
                "preview": preview_shape(plan.sums, plan.cash),
                "objections": objection_shapes(against),
                "warnings": warnings,
                "order": None,
                "message": "Nothing was sent.",
            }
        )
        return
    book = ours.store.book(terms.ticker).book
    exchange = f"{exchange_words(terms.book_side, terms.yes_price)}, count {format_count(terms.count)}"
    output.lines(
        f"{ours.venue.value}  {terms_words(terms)}  -> {exchange}",
        option_words(terms),
        f"{market_words(plan.market)}  {terms.ticker}",
        *(plain(each).rstrip() for each in preview_lines(terms, book, plan.market.fees, plan.held, plan.cash)),
        *(f"! {each}" for each in (*(words(each) for each in against), *warnings)),
        *(["Nothing was sent."] if options.dry_run else []),
    )


async def _go(options: argparse.Namespace, ours: Hands, output: Output, plan: _Plan, flags: frozenset[str]) -> int:
    """Send, and say what became of it."""
    terms, session = plan.terms, ours.session
    # Others may have begun to send while this one was being read and asked about.
    ours.look_at_journal()
    if late := left_over(_against(ours, terms), flags):
        raise FailedError(" ".join(words(each) for each in late), "kept_back")
    stop_once()
    name = session.draft(terms)
    order = unsent(name, terms, OrderState.SENDING, ours.rest.clock.now_ms())
    sentence = ""
    try:
        with Waiting("Waiting for the exchange's answer") as waiting:
            passed = agreed(session.objections(terms), flags)
            passed |= {f"alike {each}" for each in ours.at_rest}
            outcome = await session.submit(terms, name, passed)
            order, sentence = outcome.order, outcome.sentence
            if order.state in UNSETTLED:
                waiting.say("No answer: asking the exchange what became of the order")
                found = await ours.settled(order, options.wait)
                if found.state not in UNSETTLED:
                    sentence = (
                        f"{found.state.value.capitalize()}: {terms_words(terms)}, as the exchange says when asked. "
                    )
                    sentence += found.reason if not found.state.reached else f"{count_words(found.filled)} filled."
                order = found
    except asyncio.CancelledError:
        stopped()
        order = ours.store.known_order(order)
        if order.state in UNSETTLED:
            sentence = f"UNKNOWN: {terms_words(terms)}. You stopped waiting for the answer. {UNHEARD}"
        else:
            # The stream tells of an order too, and may be faster than the answer.
            sentence = f"{order.state.value.capitalize()}: {terms_words(terms)}, as was known when you stopped waiting."
    return _told(options, ours, output, plan, order, sentence)


def _told(options: argparse.Namespace, ours: Hands, output: Output, plan: _Plan, order: Order, sentence: str) -> int:
    """Write what became of the order, and give the exit code."""
    unknown = order.state in UNSETTLED
    if unknown and UNHEARD not in sentence:
        sentence = f"UNKNOWN: {terms_words(plan.terms)}. The exchange was asked and has not said. {UNHEARD}"
    shape: Shape = order_shape(order) | ({"state": "unknown"} if unknown else {})

    def write() -> None:
        if options.json:
            output.object(
                {
                    "venue": ours.venue.value,
                    "sent": order.state is not OrderState.NOT_SENT or bool(order.order_id),
                    "wish": wish_shape(plan.terms),
                    "preview": preview_shape(plan.sums, plan.cash),
                    "objections": [],
                    "warnings": list(plan.warnings),
                    "order": shape,
                    "message": sentence,
                }
            )
        else:
            output.lines(f"{ours.venue.value}  {sentence}")
            output.facts(
                [
                    ("state", str(shape["state"])),
                    ("filled", count_words(order.filled)),
                    ("left", count_words(order.remaining)),
                    ("order id", order.order_id or "not known"),
                    ("client order id", order.client_order_id),
                ]
            )

    told_anyway(write, order, sentence)
    if unknown:
        return tell(FailedError(sentence, "unknown_outcome", UNKNOWN), as_json=options.json)
    if order.state in ENDS:
        return tell(FailedError(sentence, ENDS[order.state], FAILED), as_json=options.json)
    return OK
