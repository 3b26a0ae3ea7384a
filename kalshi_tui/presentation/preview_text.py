"""What an order would do, in two columns of figures: the ticket's live preview. Pure."""

from typing import Final

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.order import BookSide, OrderTerms
from kalshi_tui.domain.order_preview import Figures
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.preview import Preview, Projection
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Count, Money
from kalshi_tui.domain.text import money_words
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    line,
)
from kalshi_tui.presentation.numbers import NOTHING, count_text, money_text

__all__ = [
    "LABEL",
    "VALUE",
    "Figures",
    "fee_lines",
    "fills_words",
    "pair",
    "preview_lines",
    "rest_words",
    "worst_words",
]

LABEL: Final = 11
VALUE: Final = 25
CERTAIN: Final = 10_000
"""A probability of one, in 1/100 percent."""


def pair(first: str, first_value: str, second: str, second_value: str) -> Line:
    """Set two figures side by side, so that the second never moves."""
    return line(
        Span(fit(first, LABEL), Tone.DIM),
        Span(fit(first_value, VALUE)),
        Span(fit(second, LABEL), Tone.DIM),
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
) -> list[Line]:
    """Say what the order would do against this book: fills and rest, money, fees, the worst and the best end.

    The worst loss is that of the whole order filled at its limit, whatever the book shows now: never too little. What
    stands after it is reckoned at the book's prices for what fills now, and at the limit for the rest. While positions
    have not been read the figures are those of an order that closes nothing.
    """
    sums = Figures.of(terms, book, fees, position)
    seen, then = sums.seen, sums.then
    change = then.cash_change
    held = position is not None or positions_read
    return [
        pair("Fills now", fills_words(seen), "Rests", rest_words(seen, sums.terms)),
        pair("Brings" if change > 0 else "Cost", money_text(abs(change)), "Cash after", _cash_words(cash, sums)),
        pair("Taker fee", _fee_words(seen.fee_at_most), "Maker fee", _fee_words(seen.maker_fee)),
        pair("Closes", _closes_words(then, position), "Opens", _opens_words(sums)),
        pair("Worst loss", worst_words(sums), "If right", f"pays {money_text(then.opened * PRICE_UNIT)}"),
        pair("Break-even", _break_even_words(sums), "Profit", _profit_words(sums)),
        pair(
            "Held now",
            _held_words(position) if held else NOTHING,
            "Held after",
            _held_words(then.after) if held else NOTHING,
        ),
    ]


def fills_words(seen: Preview) -> str:
    """Say what fills now, and at which average."""
    if not seen.fills_now:
        return "nothing"
    return f"{count_text(seen.fills_now)} at {_average(seen.fill_value, seen.fills_now)}"


def rest_words(seen: Preview, terms: OrderTerms, own_ahead: Count = 0) -> str:
    """Say what rests and behind how many; ``own_ahead`` of these are the trader's own that this takes away."""
    if seen.rests:
        ahead = seen.queue_ahead - own_ahead
        return count_text(seen.rests) + (f" behind {count_text(ahead)}" if ahead > 0 else ", first in queue")
    dies = terms.count - seen.fills_now
    if not dies:
        return "nothing"
    return "nothing: refused" if terms.post_only else f"nothing; {count_text(dies)} cancelled"


def worst_words(sums: Figures) -> str:
    """Say what the order can lose at the most, its fee included."""
    worst = sums.worst_loss
    return f"{money_text(sums.at_risk)} + fee" if worst is None else money_text(worst)


def fee_lines(seen: Preview) -> Line:
    """Say the fees "up to" of a whole order."""
    return pair("Taker fee", _fee_words(seen.fee_at_most), "Maker fee", _fee_words(seen.maker_fee))


def _fee_words(fee: Money | None) -> str:
    if fee is None:
        return "not known"
    return f"up to {money_text(fee)}" if fee else "none"


def _cash_words(cash: Money | None, sums: Figures) -> str:
    if cash is None:
        return "not known"
    left = cash + sums.then.cash_change
    return f"{money_text(left)} - fee" if sums.fee is None else money_text(left - sums.fee)


def _closes_words(then: Projection, position: Position | None) -> str:
    if not then.closed:
        return "nothing"
    return f"{count_text(then.closed)} {'YES' if position and position.count > 0 else 'NO'}"


def _opens_words(sums: Figures) -> str:
    if not sums.then.opened:
        return "nothing"
    outcome = "YES" if sums.terms.book_side is BookSide.BID else "NO"
    return f"{count_text(sums.then.opened)} {outcome} at {_average(sums.then.open_cost, sums.then.opened)}"


def _break_even_words(sums: Figures) -> str:
    then = sums.then
    if then.opened and then.closed:
        return "closes and opens: no one"
    probability = then.break_even(sums.fee or 0)
    if probability is None:
        return NOTHING
    if probability > CERTAIN or (then.closed and not probability):
        return "never pays"
    # A bid opens YES and closes NO; what is closed pays where it is less likely than that.
    bid = sums.terms.book_side is BookSide.BID
    outcome = "YES" if bid == bool(then.opened) else "NO"
    word = "from" if then.opened else "below"
    percent = f"pays {word} {probability // 100}.{probability % 100:02d}%"
    return f"{percent} + fee" if sums.fee is None else f"{percent} {outcome}"


def _profit_words(sums: Figures) -> str:
    """Say what is gained if what opens comes true, with what the closed part gains over what it had cost."""
    if not sums.then.opened and not sums.then.closed:
        return NOTHING
    gain = sums.then.realized + sums.then.profit_if_right(sums.fee or 0)
    return f"{money_text(gain, signed=True)} {'- fee' if sums.fee is None else 'after fees'}"


def _held_words(position: Position | None) -> str:
    if position is None or not position.count:
        return "none"
    held = abs(position.count)
    return f"{'YES' if position.count > 0 else 'NO'} {count_text(held)} at {_average(position.cost, held)}"


def _average(value: int, count: Count) -> str:
    """Give the mean price, cut to 1/10,000 dollar, with two decimals at least."""
    return money_words(value // count * COUNT_UNIT)
