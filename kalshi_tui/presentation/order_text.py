"""Text about an order before and after it is sent: warnings, review, result. Pure."""

from kalshi_tui.domain.fees import CENT, FeeSchedule
from kalshi_tui.domain.link import TradingStatus
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, Order, OrderTerms, SelfTrade, TimeInForce
from kalshi_tui.domain.order_preview import closing_count, max_fee, opening_risk
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.domain.price import PRICE_UNIT, Money, format_count
from kalshi_tui.domain.text import (
    exchange_terms_text,
    market_text,
    plain_count_text,
    plain_price_text,
    terms_text,
)
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.number_text import NO_VALUE, count_text, date_time_seconds_text, money_text
from kalshi_tui.presentation.preview_text import two_column_line
from kalshi_tui.session.execution.risk_checks import RiskViolation
from kalshi_tui.session.market_data.store import LiveBook
from kalshi_tui.session.venue import Venue

TIME_IN_FORCE_TEXT = {
    TimeInForce.GTC: "good till canceled: the rest waits",
    TimeInForce.IOC: "immediate or cancel: the rest is canceled",
    TimeInForce.FOK: "fill or kill: whole now, or not at all",
}


def position_text(position: Position | None, *, known: bool = True) -> str:
    """Return a position in words, empty for none; ``known``: whether it is known what is held."""
    if position is None and not known:
        return f"{NO_VALUE} held"
    if position is None or not position.count:
        return ""
    return f"{'YES' if position.count > 0 else 'NO'} {count_text(abs(position.count))} held"


def rolling_expiry_text(rolling_expiry_s: int) -> str:
    """Return when an order ends whose expiry the desk renews while it runs."""
    return f"ends {rolling_expiry_s} s after this desk does"


def order_options_text(terms: OrderTerms, rolling_expiry_s: int | None = None) -> str:
    """Return the order's time in force and its options; ``rolling_expiry_s`` is how long it outlives the desk."""
    lasts = TIME_IN_FORCE_TEXT[terms.tif]
    if terms.expires_s is not None:
        lasts = f"good till {date_time_seconds_text(terms.expires_s)}"
    if rolling_expiry_s is not None and terms.tif is TimeInForce.GTC:
        ends = rolling_expiry_text(rolling_expiry_s)
        lasts = ends if terms.expires_s is None else f"{lasts}, {ends}"
    chosen = (
        ("post-only", terms.post_only),
        ("reduce-only", terms.reduce_only),
        ("cancel on pause", terms.cancel_on_pause),
        ("cancels your own orders in its way", terms.self_trade is SelfTrade.MAKER),
    )
    return ", ".join([lasts, *(word for word, holds in chosen if holds)])


def buying_power_text(cash: Money | None, in_all: Money | None) -> str:
    """Return what can be spent where an order is paid from, and what there is in all where that is more."""
    if cash is None or in_all is None or in_all <= cash:
        return money_text(cash)
    return f"{money_text(cash)} here, {money_text(in_all)} in all"


def review_lines(
    terms: OrderTerms,
    market: Market,
    venue: Venue,
    cash: Money | None,
    in_all: Money | None = None,
    *,
    rolling_expiry_s: int | None = None,
) -> list[Line]:
    """Return the order in the trader's words and in the exchange's, its options, its venue and the cash there."""
    exchange = f"{exchange_terms_text(terms.book_side, terms.yes_price)}, count {format_count(terms.count)}"
    group = terms.order_group_id
    return [
        line(Span(terms_text(terms), Tone.HEAD), Span("  -> ", Tone.DIM), Span(exchange)),
        line(Span(order_options_text(terms, rolling_expiry_s))),
        *([line(Span("order group ", Tone.DIM), Span(group))] if group else []),
        line(Span(market_text(market)), Span(f"  {market.ticker}", Tone.DIM)),
        line(
            Span(f" {venue.value} ", Tone.VENUE),
            Span("  Buying power ", Tone.DIM),
            Span(buying_power_text(cash, in_all)),
        ),
    ]


def trading_paused_warning(hours: TradingStatus) -> str:
    """Warn while the exchange takes no orders; empty otherwise."""
    return "" if hours is TradingStatus.OPEN else f"{hours.value}: the exchange would reject this order now."


def missing_cash(
    terms: OrderTerms,
    fees: FeeSchedule | None,
    position: Position | None,
    cash: Money | None,
    *,
    precision: Money = CENT,
) -> Money:
    """Return how much more an order may need than there is where it is paid from; 0 if that suffices or is unknown."""
    fee = max_fee(terms, fees, precision=precision) if fees is not None else None
    needed = opening_risk(terms, position) + (fee or 0)
    return 0 if cash is None else max(needed - cash, 0)


def insufficient_cash_warning(
    terms: OrderTerms,
    fees: FeeSchedule | None,
    position: Position | None,
    cash: Money | None,
    *,
    precision: Money = CENT,
    in_all: Money | None = None,
) -> str:
    """Warn where the order may need more than there is; empty otherwise. ``cash`` is what can be spent on it.

    ``in_all`` is all cash of the account, which may lie where it does not count. A fee that is not known may be more
    than what is left over: that is named beside the sum, not counted as nothing.
    """
    missing = missing_cash(terms, fees, position, cash, precision=precision)
    if cash is None or not missing:
        return ""
    unknown = " and a fee that is unknown" if fees is None else ""
    return (
        f"Needs {money_text(cash + missing)} at its limit{unknown}, buying power {buying_power_text(cash, in_all)}. "
        "It may be rejected."
    )


def settlement_floor_warning(market: Market) -> str:
    """Warn where a settlement floor makes the figures differ from what the exchange will book; empty otherwise."""
    if not market.settlement_floor:
        return ""
    return f"A settlement floor of {plain_price_text(market.settlement_floor)} is not counted in these figures."


def untrusted_book_warning(live: LiveBook) -> str:
    """Warn of a book that may be wrong; empty otherwise."""
    return "" if live.is_good else f"{live.trust.name}: these figures may be wrong. {live.why}"


def sell_to_open_warning(terms: OrderTerms, position: Position | None, *, positions_read: bool = True) -> str:
    """Warn where a sale opens the other outcome, which a trader of shares would not expect; empty otherwise.

    While positions have not been read it may do so.
    """
    if terms.action is Action.BUY or terms.reduce_only:
        return ""
    opened = terms.count - closing_count(terms, position)
    if not opened:
        return ""
    other, price = terms.side.other.name, plain_price_text(PRICE_UNIT - terms.price)
    if position is None and not positions_read:
        return f"Your positions have not been read: this may open {other} at {price}."
    return f"You hold too few to sell: {plain_count_text(opened)} of these open {other} at {price}."


def violations_text(violations: list[RiskViolation]) -> str:
    """Return the most serious risk violation, what passes it, and how many more there are."""
    if not violations:
        return ""
    first, *more = violations
    also = f" And {len(more)} more." if more else ""
    asks = f' It asks for the word "{first.word}".' if first.word else ""
    return f"{first.sentence}{asks}{also}"


def order_result_lines(
    order: Order | None, position: Position | None, balance: Balance | None, *, positions_read: bool = True
) -> list[Line]:
    """Return the result of an order; ``order`` is None until the exchange has answered."""
    filled = count_text(order.filled) if order else "not known yet"
    left = count_text(order.remaining) if order else "not known yet"
    cash = money_text(balance.cash) if balance else "not known"
    held = position_text(position) or ("none" if positions_read else NO_VALUE)
    return [two_column_line("Filled", filled, "Left", left), two_column_line("Position", held, "Cash", cash)]
