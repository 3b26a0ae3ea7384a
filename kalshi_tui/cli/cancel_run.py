"""Cancel one order, or all, and wait for the exchange's proof."""

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
    UNKNOWN,
    FailedError,
    report_failure,
)
from kalshi_tui.cli.json_shapes import order_shape
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import await_reply, parse_ticker
from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.domain.text import named_order_text, plain_count_text
from kalshi_tui.kalshi.errors import KalshiError, Refused
from kalshi_tui.session.account.account_view import subaccount_text
from kalshi_tui.session.interface import CancelAllResult

MIN_CANCEL_ALL_S = 4.0
"""The least time for a cancel of all, however short the wait for its proof: it must not be cut off.

A list that does not come is waited for two seconds before the one call that needs none."""
HTTP_BAD_REQUEST = 400
HTTP_NOT_FOUND = 404
RETRY_ADVICE = "Look with 'kalshi-tui orders', or cancel again: that does no harm."


def cancel_orders(options: argparse.Namespace) -> int:
    """Cancel, and return the exit code. Raises FailedError."""
    output = Output()
    ticker = parse_ticker(options.ticker) if options.ticker is not None else ""
    with open_exchange(options) as exchange:
        return asyncio.run(_cancel(options, exchange, output, ticker))


async def _cancel(options: argparse.Namespace, exchange: CommandExchange, output: Output, ticker: str) -> int:
    async with open_command_session(exchange, options, journal_optional=True) as ours:
        if ours.session.read_only_reason:
            raise FailedError(ours.session.read_only_reason, "kept_back")
        if options.all:
            where = f" in {ticker}" if ticker else ""
            # Any reply sets the clock by the exchange's, as the stream's signature needs.
            await await_reply(ours.rest.user_data_timestamp())
            if options.subaccount is not None:
                await _require_subaccount(ours, options.subaccount)
            whose = "all subaccounts" if options.subaccount is None else subaccount_text(options.subaccount)
            await confirm(options, ours.venue, f"Cancel all orders{where} of {whose}?")
            return await _cancel_all(options, ours, output, ticker)
        with ProgressIndicator("Looking for the order"):
            order = await ours.find_order(options.id, "The cancel")
        ours.require_subaccount(order, options.subaccount)
        if not order.state.final:
            await confirm(options, ours.venue, f"Cancel {named_order_text(order)}?")
        return await _cancel_one(options, ours, output, order)


async def _require_subaccount(command_session: CommandSession, subaccount: int) -> None:
    """Raise FailedError for a subaccount that the exchange says does not exist.

    Its list of orders cannot be read either: without this look it would be waited for, and end as UNKNOWN. Where the
    look itself fails nothing is known, and a cancel goes ahead.
    """
    try:
        await command_session.rest.balance(subaccount=subaccount)
    except Refused as refusal:
        # A 404 that says nothing of a subaccount is about the question alone.
        if refusal.status == HTTP_BAD_REQUEST or (
            refusal.status == HTTP_NOT_FOUND and "subaccount" in f"{refusal.message} {refusal.details}".lower()
        ):
            raise FailedError(f"Nothing was canceled: {refusal}", "refused", FAILED) from refusal
    except KalshiError:
        return


async def _cancel_one(
    options: argparse.Namespace, command_session: CommandSession, output: Output, order: Order
) -> int:
    """Cancel one order, and report its outcome."""
    sentence, refused, was_over = "", False, order.state.final
    if not was_over:
        try:
            with ProgressIndicator("Waiting until the order is gone"):
                stop_waiting_on_interrupt()
                await command_session.start()
                outcome = await command_session.session.cancel(order)
                order, sentence, refused = outcome.order, outcome.sentence, outcome.refused
                if not refused:
                    order = await command_session.wait_until_final(order, options.wait)
        except asyncio.CancelledError:
            clear_interrupt()
            order, sentence = command_session.store.known_order(order), "You stopped waiting for the answer."
    words = named_order_text(order)
    if order.state.final:
        filled = f", {plain_count_text(order.filled)} filled" if order.filled else ""
        before = " It was so before this cancel." if was_over else ""
        sentence = f"{order.state.word.capitalize()}: {words}{filled}.{before}"
    elif not refused:
        sentence = f"UNKNOWN: {words} may still rest. {sentence} {RETRY_ADVICE}"
    gone = order.state.final and order.state is not OrderState.FILLED
    report_or_print(
        lambda: _write_result(
            options,
            command_session,
            output,
            sentence,
            order=order,
            canceled=int(gone),
            proved=order.state.final,
        ),
        order,
        sentence,
    )
    if gone:
        return OK
    if order.state.final or refused:
        return report_failure(FailedError(sentence, "refused", FAILED), as_json=options.json)
    return report_failure(FailedError(sentence, "unknown_outcome", UNKNOWN), as_json=options.json)


async def _cancel_all(options: argparse.Namespace, command_session: CommandSession, output: Output, ticker: str) -> int:
    """Cancel all, and report whether the exchange has proved it."""
    result = CancelAllResult(
        0, (), (), proved=False, sentence=f"UNKNOWN: it is not proved that nothing rests. {RETRY_ADVICE}"
    )
    try:
        with ProgressIndicator("Canceling, and looking until nothing rests"):
            async with asyncio.timeout(max(options.wait, MIN_CANCEL_ALL_S)):
                stop_waiting_on_interrupt()
                await command_session.start()
                result = await command_session.session.cancel_all(ticker, options.subaccount)
    except TimeoutError:
        pass
    except asyncio.CancelledError:
        clear_interrupt()
    report_or_print(
        lambda: _write_result(
            options,
            command_session,
            output,
            result.sentence,
            all_orders=True,
            ticker=ticker,
            canceled=result.canceled,
            proved=result.proved,
            still_resting=result.still_resting,
            unknown=result.unknown,
            one_call=result.one_call,
        ),
        None,
        result.sentence,
    )
    if result.proved:
        return OK
    return report_failure(FailedError(result.sentence, "unknown_outcome", UNKNOWN), as_json=options.json)


def _write_result(
    options: argparse.Namespace,
    command_session: CommandSession,
    output: Output,
    sentence: str,
    *,
    canceled: int,
    proved: bool,
    all_orders: bool = False,
    ticker: str = "",
    order: Order | None = None,
    still_resting: tuple[Order, ...] = (),
    unknown: tuple[Order, ...] = (),
    one_call: bool = False,
) -> None:
    if options.json:
        output.write_json(
            {
                "venue": command_session.venue.value,
                "all": all_orders,
                "ticker": ticker or None,
                "subaccount": options.subaccount,
                "cancelled": canceled,
                "proved": proved,
                "one_call": one_call,
                "order": order_shape(order) if order is not None else None,
                "left": [order_shape(each) for each in still_resting],
                "unknown": [order_shape(each) for each in unknown],
                "message": sentence,
            }
        )
        return
    output.write_lines(f"{command_session.venue.value}  {sentence}")
    if order is not None:
        ids = [("order id", order.order_id), ("client order id", order.client_order_id)]
        output.write_facts([("state", order.state.word), *((name, value) for name, value in ids if value)])
