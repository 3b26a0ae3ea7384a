"""What the desk asks before it does what cannot be taken back. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.domain.text import market_text, order_text
from kalshi_tui.session.account.account_view import subaccount_text
from kalshi_tui.session.store import Store

MAX_MARKETS_NAMED: Final = 4
MAX_ORDERS_NAMED: Final = 6


def live_orders(store: Store, ticker: str = "") -> list[Order]:
    """Return the orders that are or may be live on the exchange: of one market or, without a ticker, of all.

    They are those of the subaccounts in view.
    """
    view = store.account.view
    return [
        order
        for order in store.working_orders()
        if order.state.reached and ticker in {"", order.ticker} and view.includes(order.subaccount)
    ]


def _whose_orders(store: Store) -> str:
    """Return whose orders a cancel of all takes; empty where there is one account alone."""
    view = store.account.view
    if not view.several:
        return ""
    return " of all subaccounts" if view.scope is None else f" of {subaccount_text(view.scope)}"


def cancel_question(store: Store, order: Order) -> str:
    """Ask whether one order is to be canceled."""
    return f"Cancel {order_text(order)} in {_market_name(store, order.ticker)}?"


def cancel_row_question(store: Store, orders: Sequence[Order]) -> str:
    """Ask whether all these orders of one market, one at the least, are to be canceled; each is named."""
    if len(orders) == 1:
        return cancel_question(store, orders[0])
    named = [order_text(order) for order in orders[:MAX_ORDERS_NAMED]]
    if len(orders) > MAX_ORDERS_NAMED:
        named.append(f"and {len(orders) - MAX_ORDERS_NAMED} more")
    return f"Cancel {len(orders)} orders in {_market_name(store, orders[0].ticker)}: {', '.join(named)}?"


def cancel_all_question(store: Store, ticker: str = "") -> str:
    """Ask whether all orders of the subaccounts in view are to be canceled: how many, whose, and where."""
    orders, whose = live_orders(store, ticker), _whose_orders(store)
    if not orders:
        return f"No open order of yours is known. Have the exchange cancel all{whose} in all markets, to be sure?"
    unknown = sum(order.state is not OrderState.RESTING for order in orders)
    doubt = f" Of {unknown} it is not known whether it is there." if unknown else ""
    if ticker:
        return f"Cancel {_order_count_text(len(orders))}{whose} in {_market_name(store, ticker)}?{doubt}"
    where = Counter(order.ticker for order in orders).most_common()
    named = [f"{each} ({count})" for each, count in where[:MAX_MARKETS_NAMED]]
    if len(where) > MAX_MARKETS_NAMED:
        named.append(f"and {len(where) - MAX_MARKETS_NAMED} more")
    markets = "1 market" if len(where) == 1 else f"{len(where)} markets"
    return f"Cancel {_order_count_text(len(orders))}{whose} in {markets}: {', '.join(named)}?{doubt}"


def quit_question(live: int, *, leaves_nothing: bool, cash_left_text: str) -> str:
    """Ask whether to end the program though orders may be live, and cash may be under way."""
    cash = f" {cash_left_text}" if cash_left_text else ""
    orders = "1 order of yours" if live == 1 else f"{live} orders of yours"
    if leaves_nothing:
        return f"{orders} may be live; {'it' if live == 1 else 'they'} will be canceled first.{cash} Quit?"
    return f"{orders} may be live{', and will stay so' if live == 1 else ''}.{cash} Quit all the same?"


def _order_count_text(count: int) -> str:
    return "the 1 open order" if count == 1 else f"all {count} open orders"


def _market_name(store: Store, ticker: str) -> str:
    market = store.markets.get(ticker)
    return market_text(market) if market is not None else ticker
