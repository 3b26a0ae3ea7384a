"""An order as the journal's tests write it."""

from dataclasses import replace

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms

TERMS = OrderTerms("T-1", Side.NO, Action.BUY, 4_400, 1_000, post_only=True, expires_s=99, order_group_id="g")


def an_order(**changes: object) -> Order:
    order = Order("o1", "c1", "T-1", TERMS.book_side, TERMS.yes_price, 1_000, 0, 1_000, OrderState.RESTING)
    return replace(order, **changes)  # type: ignore[arg-type]  # named fields of one dataclass
