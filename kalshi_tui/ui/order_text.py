"""The words and figures of an order before it is sent: the ticket's preview and the review. Pure."""

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.link import Hours
from kalshi_tui.domain.order import Action, Order, OrderTerms, Preview, TimeInForce, max_fee, preview
from kalshi_tui.domain.portfolio import Balance, Position
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, format_count, format_price
from kalshi_tui.session.words import count_words, price_words, terms_words
from kalshi_tui.ui.format import count_text, money_text, price_text
from kalshi_tui.ui.lines import Line, Span, Tone, line

TIF_WORDS = {
    TimeInForce.GTC: "good till cancelled: the rest waits",
    TimeInForce.IOC: "immediate or cancel: the rest is cancelled",
    TimeInForce.FOK: "fill or kill: whole now, or not at all",
}


def held_words(position: Position | None) -> str:
    """Say a position in words, empty for none."""
    if position is None or not position.count:
        return ""
    return f"{'YES' if position.count > 0 else 'NO'} {count_text(abs(position.count))} held"


def closing(terms: OrderTerms, position: Position | None) -> Count:
    """Give how many of the order's contracts close a holding: selling what is held, or buying back the other side."""
    held = position.count if position else 0
    against = -held if terms.book_side.value == "bid" else held
    return max(0, min(terms.count, against))


def risked(terms: OrderTerms, position: Position | None) -> Money:
    """Give what the part of an order that opens can lose, filled at its limit, fees not counted.

    Selling what is not held is buying the other outcome: it can cost 1 - p a contract, not p.
    """
    at_risk = terms.price if terms.action is Action.BUY else PRICE_UNIT - terms.price
    return (terms.count - closing(terms, position)) * at_risk


def preview_lines(terms: OrderTerms, book: Book, fees: FeeSchedule | None, position: Position | None) -> list[Line]:
    """Say what the order would do against this book: fills and rest, money, fee, the worst and the best end.

    The worst loss is that of the whole order filled at its limit, whatever the book shows now: never too little.
    """
    seen = preview(terms, book, fees)
    live = seen.fills_now + seen.rests
    # What fills now does so at the book's prices, the rest at the limit.
    value = seen.fill_value + seen.rests * terms.price
    fills = (
        count_text(seen.fills_now) + f" at {_average(seen.fill_value, seen.fills_now)}" if seen.fills_now else "nothing"
    )
    closes = closing(terms, position)
    fee = "not known" if seen.fee_at_most is None else f"up to {money_text(seen.fee_at_most)}"
    lines = [
        _pair("Fills now", fills, "Rests", _rest_words(seen, terms)),
        _cash_pair(terms, value, live, closes, fee),
    ]
    if closes:
        held = "YES" if position and position.count > 0 else "NO"
        lines.append(_pair("Closes", f"{count_text(closes)} {held}", "Opens", count_text(terms.count - closes)))
    opens = terms.count - closes
    if opens:
        at_risk = risked(terms, position)
        known_fee = seen.fee_at_most or 0
        worst = money_text(at_risk + known_fee) + ("" if seen.fee_at_most is not None else " + fee")
        # With a part that closes, the two cannot be told apart in the book's prices: take the limit.
        risk = at_risk if closes else value if terms.action is Action.BUY else live * PRICE_UNIT - value
        won = (opens if closes else live) * PRICE_UNIT
        right = f"{money_text(won)}, {money_text(won - risk - known_fee, signed=True)}" if live else "nothing fills"
        lines.append(_pair("Worst loss", worst, "If right", right))
    return lines


def _cash_pair(terms: OrderTerms, value: Money, live: Count, closes: Count, fee: str) -> Line:
    """Say what the order takes of the cash, or brings. ``value`` is what its live part is worth at its prices.

    A pair of YES and NO is a dollar: closing pays it out, and selling what is not held is buying the other outcome.
    """
    if terms.action is Action.BUY:
        brings = min(closes, live) * PRICE_UNIT - value
    else:
        brings = value - max(live - closes, 0) * PRICE_UNIT
    return _pair("Brings" if brings > 0 else "Cost", money_text(abs(brings)), "Fee", fee)


def paused(hours: Hours) -> str:
    """Warn while the exchange takes no orders; empty otherwise."""
    return "" if hours is Hours.OPEN else f"{hours.value}: the exchange would refuse this order now."


def too_dear(terms: OrderTerms, fees: FeeSchedule | None, position: Position | None, cash: Money | None) -> str:
    """Warn where the order may need more than there is; empty otherwise. ``cash`` is what its shard holds."""
    fee = max_fee(terms, fees) if fees is not None else None
    needed = risked(terms, position) + (fee or 0)
    if cash is None or needed <= cash:
        return ""
    return f"This may need {money_text(needed)}; there is {money_text(cash)} for this market. It may be refused."


def _rest_words(seen: Preview, terms: OrderTerms) -> str:
    if seen.rests:
        ahead = f" behind {count_text(seen.queue_ahead)}" if seen.queue_ahead else ", first in the queue"
        return count_text(seen.rests) + ahead
    dies = terms.count - seen.fills_now
    return f"nothing; {count_text(dies)} cancelled" if dies else "nothing"


def _average(value: int, count: Count) -> str:
    """Give the mean price, cut to 1/10,000 dollar."""
    return price_text(value // count, 2)


def _pair(first: str, first_value: str, second: str, second_value: str) -> Line:
    return line(
        Span(f"{first:<11}", Tone.DIM), Span(f"{first_value:<22}"), Span(f"{second:<9}", Tone.DIM), Span(second_value)
    )


def after_lines(order: Order | None, position: Position | None, balance: Balance | None) -> list[Line]:
    """Say how things stand once the order has been sent; ``order`` is None until the exchange has answered."""
    filled = count_text(order.filled) if order else "not known yet"
    left = count_text(order.remaining) if order else "not known yet"
    cash = money_text(balance.cash) if balance else "not known"
    return [_pair("Filled", filled, "Left", left), _pair("Position", held_words(position) or "none", "Cash", cash)]


def review_lines(terms: OrderTerms) -> list[Line]:
    """Say the order in the trader's words and in the exchange's."""
    exchange = f"{terms.book_side.value} YES {format_price(terms.yes_price)}, count {format_count(terms.count)}"
    return [
        line(Span(terms_words(terms), Tone.HEAD)),
        line(Span("-> ", Tone.DIM), Span(exchange)),
        line(Span(TIF_WORDS[terms.tif], Tone.DIM)),
    ]


def selling_unheld(terms: OrderTerms, position: Position | None) -> str:
    """Warn where a sale opens the other outcome, which a trader of shares would not expect; empty otherwise."""
    if terms.action is Action.BUY:
        return ""
    opened = terms.count - closing(terms, position)
    if not opened:
        return ""
    other, price = terms.side.other.name, price_words(PRICE_UNIT - terms.price)
    return f"You hold too few to sell: {count_words(opened)} of these open {other} at {price}."
