"""Cancelling one order, or all, until the exchange has proved it."""

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
from kalshi_tui.cli.json_shapes import order_shape
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.progress import Waiting
from kalshi_tui.cli.queries import checked_ticker, understood
from kalshi_tui.cli.trading_session import (
    Hands,
    confirmed,
    hands,
    stop_once,
    stopped,
    told_anyway,
)
from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.domain.text import count_words, order_words
from kalshi_tui.session.interface import Sweep

LEAST_S = 3.0
"""How long the cancel of all gets, however short the wait for its proof is to be: it must not be cut off."""
ALWAYS = "Look with 'kalshi-tui orders', or cancel again: that does no harm."


def cancel(options: argparse.Namespace) -> int:
    """Cancel, and give the exit code. Raises FailedError."""
    output = Output()
    ticker = checked_ticker(options.ticker) if options.ticker is not None else ""
    with opened(options) as exchange:
        return asyncio.run(_cancel(options, exchange, output, ticker))


async def _cancel(options: argparse.Namespace, exchange: Exchange, output: Output, ticker: str) -> int:
    async with hands(exchange, options, without_journal=True) as ours:
        if ours.session.read_only:
            raise FailedError(ours.session.read_only, "kept_back")
        if options.all:
            where = f" in {ticker}" if ticker else ""
            # It sets the clock by the exchange's, which the stream's signature needs.
            await understood(ours.rest.user_data_timestamp())
            await confirmed(options, ours.venue, f"Cancel all orders{where}?")
            return await _all(options, ours, output, ticker)
        order = await ours.find(options.id)
        if not order.state.final:
            await confirmed(options, ours.venue, f"Cancel {order_words(order)} in {order.ticker}?")
        return await _one(options, ours, output, order)


async def _one(options: argparse.Namespace, ours: Hands, output: Output, order: Order) -> int:
    """Cancel one order, and say what became of it."""
    sentence, refused, was_over = "", False, order.state.final
    if not was_over:
        try:
            with Waiting("Waiting until the order is gone"):
                stop_once()
                await ours.begin()
                outcome = await ours.session.cancel(order)
                order, sentence, refused = outcome.order, outcome.sentence, outcome.refused
                if not refused:
                    order = await ours.over(order, options.wait)
        except asyncio.CancelledError:
            stopped()
            order, sentence = ours.store.known_order(order), "You stopped waiting for the answer."
    words = order_words(order)
    if order.state.final:
        filled = f", {count_words(order.filled)} filled" if order.filled else ""
        before = " It was so before this cancel." if was_over else ""
        sentence = f"{order.state.value.capitalize()}: {words}{filled}.{before}"
    elif not refused:
        sentence = f"UNKNOWN: {words} may still rest. {sentence} {ALWAYS}"
    gone = order.state.final and order.state is not OrderState.FILLED
    told_anyway(
        lambda: _tell(
            options, ours, output, sentence, order=order, cancelled=int(gone), proved=order.state.final, all_of=""
        ),
        order,
        sentence,
    )
    if gone:
        return OK
    if order.state.final or refused:
        return tell(FailedError(sentence, "refused", FAILED), as_json=options.json)
    return tell(FailedError(sentence, "unknown_outcome", UNKNOWN), as_json=options.json)


async def _all(options: argparse.Namespace, ours: Hands, output: Output, ticker: str) -> int:
    """Cancel all, and say whether the exchange has proved it."""
    sweep = Sweep(0, (), (), proved=False, sentence=f"UNKNOWN: it is not proved that nothing rests. {ALWAYS}")
    try:
        with Waiting("Cancelling, and looking until nothing rests"):
            async with asyncio.timeout(max(options.wait, LEAST_S)):
                stop_once()
                await ours.begin()
                sweep = await ours.session.cancel_all(ticker)
    except TimeoutError:
        pass
    except asyncio.CancelledError:
        stopped()
    told_anyway(
        lambda: _tell(
            options,
            ours,
            output,
            sweep.sentence,
            all_of=ticker or "all",
            cancelled=sweep.cancelled,
            proved=sweep.proved,
            left=sweep.left,
            unknown=sweep.unknown,
        ),
        None,
        sweep.sentence,
    )
    if sweep.proved:
        return OK
    return tell(FailedError(sweep.sentence, "unknown_outcome", UNKNOWN), as_json=options.json)


def _tell(
    options: argparse.Namespace,
    ours: Hands,
    output: Output,
    sentence: str,
    *,
    all_of: str,
    cancelled: int,
    proved: bool,
    order: Order | None = None,
    left: tuple[Order, ...] = (),
    unknown: tuple[Order, ...] = (),
) -> None:
    if options.json:
        output.object(
            {
                "venue": ours.venue.value,
                "all": bool(all_of),
                "ticker": None if all_of in {"", "all"} else all_of,
                "cancelled": cancelled,
                "proved": proved,
                "order": order_shape(order) if order is not None else None,
                "left": [order_shape(each) for each in left],
                "unknown": [order_shape(each) for each in unknown],
                "message": sentence,
            }
        )
        return
    output.lines(f"{ours.venue.value}  {sentence}")
    if order is not None:
        ids = [("order id", order.order_id), ("client order id", order.client_order_id)]
        output.facts([("state", order.state.value), *((name, value) for name, value in ids if value)])
