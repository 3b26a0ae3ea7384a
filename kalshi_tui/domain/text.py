"""Orders, fills and markets as text, in one place, so that ticket, log and outcome say the same."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import BookSide, Fill, Order, OrderTerms
from kalshi_tui.domain.price import Count, Money, Price, format_count, format_money, format_price

LOCKED_KEY: Final = "This key is locked to one subaccount: it sees and trades in that one alone."
_COMBO_SEPARATOR: Final = re.compile(r",\s*(?=(?:yes|no)\b)", re.IGNORECASE)
"""The comma between two parts of a combo's name; other commas are of the parts themselves."""
MAX_NAME_LENGTH: Final = 80
"""Characters; a market's name must not fill the log or a notification."""


def plain_count_text(count: Count) -> str:
    """Write a count without needless decimals: ``1000`` -> ``"10"``, ``1050`` -> ``"10.50"``."""
    text = format_count(count)
    return text.removesuffix(".00")


def plain_price_text(price: Price) -> str:
    """Write a price in dollars, two decimals unless it needs more: ``4700`` -> ``"0.47"``, ``475`` -> ``"0.0475"``."""
    text = format_price(price)
    return text.removesuffix("00")


def plain_money_text(money: Money) -> str:
    """Write money with as many decimals as it needs, two at least: ``473300`` -> ``"0.4733"``."""
    whole, _, decimals = format_money(money).partition(".")
    return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def market_text(market: Market) -> str:
    """Return a market's name in a few words: its event's title and what YES means."""
    sub = market.yes_sub_title
    if market.is_combo and (parts := sub or market.title):
        return f"Combo: {', '.join(split_combo_text(parts))}"
    if not market.title:
        return sub or market.ticker
    # Also where the title holds the outcome's words: a match names both its players.
    if not sub or sub == market.title:
        return market.title
    # Most titles are questions: the outcome follows the question mark as its answer.
    return f"{market.title}{' ' if market.title.endswith('?') else ': '}{sub}"


def split_combo_text(text: str) -> list[str]:
    """Return the parts of a combo's name, each with its side before it: ``yes New York``, ``no Over 1,000``."""
    return _COMBO_SEPARATOR.split(text)


def market_name(markets: Mapping[str, Market], ticker: str) -> str:
    """Return a market's name in at most `MAX_NAME_LENGTH` characters; empty where it is not listed."""
    market = markets.get(ticker)
    name = market_text(market) if market is not None else ""
    return name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - 1] + "…"


def terms_text(terms: OrderTerms) -> str:
    """Return an order in the trader's words: ``buy NO 10 at 0.44``, and its subaccount if it is not the primary."""
    words = f"{terms.action.value} {terms.side.name} {plain_count_text(terms.count)} at {plain_price_text(terms.price)}"
    return words + in_subaccount(terms.subaccount or 0)


def in_subaccount(number: int) -> str:
    """Return the words that name a subaccount behind a sentence's order or holding; none for the primary."""
    return f" in subaccount {number}" if number else ""


def order_count_text(count: int) -> str:
    """Return how many orders: ``1 order``, ``3 orders``."""
    return "1 order" if count == 1 else f"{count} orders"


def exchange_terms_text(side: BookSide, yes_price: Price) -> str:
    """Return an order in the exchange's terms: ``ask YES 0.5600``."""
    return f"{side.value} YES {format_price(yes_price)}"


def order_text(order: Order) -> str:
    """Return an order as it was meant, ``sell YES 10 at 0.56 in subaccount 3``.

    Where that is not known, in the exchange's form and without a verb: ``NO 10 at 0.44``.
    """
    action, side, price = order.as_meant
    verb = f"{action.value} " if action is not None else ""
    words = f"{verb}{side.name} {plain_count_text(order.initial)} at {plain_price_text(price)}"
    return words + in_subaccount(order.subaccount)


def side_text(shown: Order | Fill) -> str:
    """Return the side of an order or a fill as it was meant, ``sell YES``; ``NO`` where that is not known."""
    action, side, _ = shown.as_meant
    return f"{action.value} {side.name}" if action is not None else side.name


def named_order_text(order: Order) -> str:
    """Return an order with its market's ticker: ``buy NO 10 at 0.44 in KXRAIN-26``."""
    return f"{order_text(order)} in {order.ticker}"


def named_terms_text(terms: OrderTerms) -> str:
    """Return an order in the trader's words with its market's ticker."""
    return f"{terms_text(terms)} in {terms.ticker}"


def resting_order_text(order: Order) -> str:
    """Return what is left of an order as text: ``sell YES 4 at 0.56``."""
    return order_text(replace(order, initial=order.remaining))


def named_orders_text(orders: Sequence[Order], most: int) -> str:
    """Return orders with their markets, the first ``most`` by name: ``NO 10 at 0.44 in A; YES 5 at 0.40 in B``."""
    named = "; ".join(named_order_text(order) for order in orders[:most])
    return named if len(orders) <= most else f"{named} and {len(orders) - most} more"


def fill_text(fill: Fill) -> str:
    """Return a fill as its order was meant, ``sell YES 10 at 0.47``; without a verb where that is not known."""
    action, side, price = fill.as_meant
    verb = f"{action.value} " if action is not None else ""
    words = f"{verb}{side.name} {plain_count_text(fill.count)} at {plain_price_text(price)}"
    return words + in_subaccount(fill.subaccount)


def expiry_text(expires_s: int) -> str:
    """Return when an order ends by itself, in local time: ``good till 16 Dec 19:00:00``; 0 is never."""
    if not expires_s:
        return "good till canceled"
    return f"good till {local_time_text(expires_s)}"


def local_time_text(at_s: int) -> str:
    """Write a Unix time in seconds as local day and time: ``16 Dec 19:00:00``."""
    return f"{datetime.fromtimestamp(at_s, UTC).astimezone():%d %b %H:%M:%S}"
