"""The order preview in two columns of figures, as the ticket and the command line show it. Pure."""

from typing import Final

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.fees import CENT, FeeSchedule
from kalshi_tui.domain.order import BookSide, Order, OrderTerms, TimeInForce
from kalshi_tui.domain.order_preview import NO_ORDERS, ExecutionEstimate, OrderPreview, PositionProjection
from kalshi_tui.domain.own_orders import OwnOrders
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Count, Money
from kalshi_tui.domain.text import plain_money_text, resting_order_text
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    line,
)
from kalshi_tui.presentation.number_text import NO_VALUE, count_text, money_text

LABEL_WIDTH: Final = 11
VALUE_WIDTH: Final = 25
UNKNOWN_TEXT: Final = "unknown"
"""A fee that cannot be computed, and what depends on it: never zero."""
CERTAIN_PROBABILITY: Final = 10_000
"""A probability of one, in 1/100 percent."""


def two_column_line(first: str, first_value: str, second: str, second_value: str) -> Line:
    """Set two figures side by side, so that the second never moves."""
    return line(
        Span(fit(first, LABEL_WIDTH), Tone.DIM),
        Span(fit(first_value, VALUE_WIDTH)),
        Span(fit(second, LABEL_WIDTH), Tone.DIM),
        Span(second_value),
    )


def preview_lines(
    terms: OrderTerms,
    book: Book,
    fees: FeeSchedule | None,
    position: Position | None,
    cash: Money | None = None,
    *,
    positions_read: bool = True,
    precision: Money = CENT,
    own: OwnOrders = NO_ORDERS,
) -> list[Line]:
    """Return what the order would do against this book: fills and rest, money, fees, worst loss and profit.

    ``own`` is what rests of the account's in the market; what of it matters stands in lines of its own below.

    The worst loss is that of the whole order filled at its limit, whatever the book shows now: never too little. What
    stands after it is computed at the book's prices for what fills now, and at the limit for the rest. While positions
    have not been read the figures are those of an order that closes nothing. ``precision`` is the member's.
    """
    sums = OrderPreview.of(terms, book, fees, position, precision=precision, own=own)
    seen, then = sums.execution, sums.projection
    change = then.cash_change
    held = position is not None or positions_read
    return [
        two_column_line("Fills now", fills_text(seen), "Rests", resting_text(seen, sums.terms)),
        two_column_line(
            "Brings" if change > 0 else "Cost", money_text(abs(change)), "Cash after", _cash_text(cash, sums)
        ),
        two_column_line("Taker fee", _fee_text(seen.fee_at_most), "Maker fee", _fee_text(seen.maker_fee)),
        two_column_line(
            "Closes",
            _closes_text(then, sums.base) if held else NO_VALUE,
            "Opens",
            _opens_text(sums) if held else NO_VALUE,
        ),
        two_column_line(
            "Worst loss", worst_loss_text(sums), "If right", f"pays {money_text(then.opened * PRICE_UNIT)}"
        ),
        two_column_line("Break-even", _break_even_text(sums), "Profit", _profit_text(sums)),
        two_column_line(
            "Held now",
            _position_text(position) if held else NO_VALUE,
            "Held after",
            _position_text(then.after) if held else NO_VALUE,
        ),
        *own_order_lines(sums),
    ]


def own_order_lines(order_preview: OrderPreview, *, with_cash: bool = True) -> list[Line]:
    """Return which of the account's own orders were counted, and which are in the way; no line for none.

    ``with_cash`` is for a preview that shows the cash after.
    """
    return [
        line(Span(fit(label, LABEL_WIDTH), Tone.DIM), Span(words, tone))
        for label, words, tone in (
            ("Counted", counted_text(order_preview, with_cash=with_cash), Tone.OWN),
            ("Your own", met_text(order_preview), Tone.WARN),
        )
        if words
    ]


def counted_text(order_preview: OrderPreview, *, with_cash: bool = True) -> str:
    """Return which of the account's orders the figures count as filled first; empty for none."""
    beside = order_preview.cash_beside if with_cash else 0
    money = f"; cash after has {money_text(beside, signed=True)} by what rests" if beside else ""
    if not order_preview.counted:
        return money.removeprefix("; ")
    return f"{_orders_text(order_preview.counted)} as filled first{money}"


def met_text(order_preview: OrderPreview) -> str:
    """Return which of the account's own orders the order would meet, and what comes of it; empty for none."""
    if not order_preview.met:
        return ""
    terms, fills = order_preview.terms, order_preview.execution.fills_now
    named = _orders_text(order_preview.met)
    if order_preview.stopped:
        return f"{named} in the way: {count_text(terms.count - fills)} of this order canceled"
    if terms.tif is TimeInForce.FOK and not fills:
        return f"{named} in the way: nothing fills"
    return f"{named} in the way: canceled by this order"


def _orders_text(orders: tuple[Order, ...]) -> str:
    more = f" and {len(orders) - 1} more" if len(orders) > 1 else ""
    return f"{resting_order_text(orders[0])}{more}"


def fills_text(fill_estimate: ExecutionEstimate) -> str:
    """Return how much fills now, and at which average price."""
    if not fill_estimate.fills_now:
        return "nothing"
    return (
        f"{count_text(fill_estimate.fills_now)} at "
        f"{_average_price_text(fill_estimate.fill_value, fill_estimate.fills_now)}"
    )


def resting_text(fill_estimate: ExecutionEstimate, terms: OrderTerms, own_ahead: Count = 0) -> str:
    """Return how much rests and behind how many; ``own_ahead`` of those are the trader's own, which it replaces."""
    if fill_estimate.rests:
        ahead = fill_estimate.queue_ahead - own_ahead
        return count_text(fill_estimate.rests) + (f" behind {count_text(ahead)}" if ahead > 0 else ", first in queue")
    dies = terms.count - fill_estimate.fills_now
    if not dies:
        return "nothing"
    return "nothing: rejected" if terms.post_only else f"nothing; {count_text(dies)} canceled"


def worst_loss_text(order_preview: OrderPreview) -> str:
    """Return the most that the order can lose, its fee included."""
    worst = order_preview.worst_loss
    return f"{money_text(order_preview.at_risk)} + unknown fee" if worst is None else money_text(worst)


def fee_line(fill_estimate: ExecutionEstimate) -> Line:
    """Return the most that the whole order can cost in fees."""
    return two_column_line(
        "Taker fee", _fee_text(fill_estimate.fee_at_most), "Maker fee", _fee_text(fill_estimate.maker_fee)
    )


def _fee_text(fee: Money | None) -> str:
    if fee is None:
        return UNKNOWN_TEXT
    return f"up to {money_text(fee)}" if fee else "none"


def _cash_text(cash: Money | None, order_preview: OrderPreview) -> str:
    if cash is None:
        return "not known"
    left = cash + order_preview.cash_effect
    return f"{money_text(left)} - unknown fee" if order_preview.fee is None else money_text(left - order_preview.fee)


def _closes_text(projection: PositionProjection, position: Position | None) -> str:
    if not projection.closed:
        return "nothing"
    return f"{count_text(projection.closed)} {'YES' if position and position.count > 0 else 'NO'}"


def _opens_text(order_preview: OrderPreview) -> str:
    if not order_preview.projection.opened:
        return "nothing"
    outcome = "YES" if order_preview.terms.book_side is BookSide.BID else "NO"
    return (
        f"{count_text(order_preview.projection.opened)} {outcome} at "
        f"{_average_price_text(order_preview.projection.open_cost, order_preview.projection.opened)}"
    )


def _break_even_text(order_preview: OrderPreview) -> str:
    then = order_preview.projection
    if then.opened and then.closed:
        return "closes and opens: no one"
    if not then.opened and not then.closed:
        return NO_VALUE
    if order_preview.fee is None:
        return UNKNOWN_TEXT
    probability = then.break_even(order_preview.fee)
    if probability is None:
        return NO_VALUE
    if probability > CERTAIN_PROBABILITY or (then.closed and not probability):
        return "never pays"
    # A bid opens YES and closes NO; what is closed pays where it is less likely than that.
    bid = order_preview.terms.book_side is BookSide.BID
    outcome = "YES" if bid == bool(then.opened) else "NO"
    word = "from" if then.opened else "below"
    return f"pays {word} {probability // 100}.{probability % 100:02d}% {outcome}"


def _profit_text(order_preview: OrderPreview) -> str:
    """Return what is gained if what opens comes true, with what the closed part gains over what it had cost."""
    if not order_preview.projection.opened and not order_preview.projection.closed:
        return NO_VALUE
    if order_preview.fee is None:
        return UNKNOWN_TEXT
    gain = order_preview.projection.realized + order_preview.projection.profit_if_right(order_preview.fee)
    return f"{money_text(gain, signed=True)} after fees"


def _position_text(position: Position | None) -> str:
    if position is None or not position.count:
        return "none"
    held = abs(position.count)
    return f"{'YES' if position.count > 0 else 'NO'} {count_text(held)} at {_average_price_text(position.cost, held)}"


def _average_price_text(value: int, count: Count) -> str:
    """Return the mean price, cut to 1/10,000 dollar, with two decimals at least."""
    return plain_money_text(value // count * COUNT_UNIT)
