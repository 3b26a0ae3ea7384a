"""The trader's own orders in the ticket: those in the way are named, and canceled before anything is sent."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from textual.app import App

from kalshi_tui.domain.order import Order, OrderTerms
from kalshi_tui.domain.own_orders import orders_come_to
from kalshi_tui.domain.text import market_name, named_order_text, resting_order_text
from kalshi_tui.presentation.lines import Line
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.widgets.line_view import LineView

NONE_IN_THE_WAY: Final = "No order of your own is in the way of this one."
_log: Final = logging.getLogger("kalshi_tui.ui")


def show_preview(view: LineView, lines: list[Line]) -> None:
    """Show the figures; the lines about own orders take room only where there are any."""
    view.styles.height = len(lines)
    view.show(lines)


def own_orders_in_the_way(session: TradingSession, terms: OrderTerms) -> tuple[Order, ...]:
    """Return the trader's own orders that an order would come to; not the first alone, at which it may end."""
    store = session.store
    own = store.account.own_orders(terms)
    return orders_come_to(terms, store.book(terms.ticker).book, own)


def ask_to_cancel_own(
    app: App[None],
    session: TradingSession,
    orders: Sequence[Order],
    timer_ms: Callable[[], int],
    done: Callable[[str], None],
) -> None:
    """Ask, then cancel exactly these; ``done`` is called with a sentence for what was not, empty if all are gone."""

    def answered(yes: bool | None) -> None:
        if yes:
            app.run_worker(_cancel(session, orders, done), name="cancel own", exit_on_error=False)

    named = ", ".join(map(resting_order_text, orders))
    where = market_name(session.store.markets, orders[0].ticker) or orders[0].ticker
    question = f"Cancel your {named} in {where}? The order in the ticket is not sent by that."
    app.push_screen(AskScreen(session, "cancel your own", question, timer_ms), answered)


async def _cancel(session: TradingSession, orders: Sequence[Order], done: Callable[[str], None]) -> None:
    problems = []
    for order in orders:
        try:
            outcome = await session.cancel(order)
        except Exception as error:  # noqa: BLE001 - a defect must neither end the program nor stay unsaid
            _log.exception("A cancel failed inside the program.")
            name = type(error).__name__
            problems.append(
                f"The cancel of {named_order_text(order)} failed inside the program ({name}); it may still rest."
            )
        else:
            if not outcome.order.state.final:
                problems.append(outcome.sentence)
    done(" ".join(problems))
