"""The lines of the desk's lists: orders, positions, fills, trades and notices. Pure functions of domain values."""

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market, Trade
from kalshi_tui.domain.order import Fill, Order, OrderState, to_yes_price as in_terms_of
from kalshi_tui.domain.price import COUNT_UNIT, MONEY_UNIT, Count, Money, Price
from kalshi_tui.domain.text import order_text
from kalshi_tui.domain.valuation import ValuedPosition
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    cell_count,
    fit,
    line,
    right_align,
    wrap,
)
from kalshi_tui.presentation.names import short_label
from kalshi_tui.presentation.number_text import (
    NO_VALUE,
    align_decimal_point,
    cents_text,
    clock_text,
    count_cell,
    count_text,
    date_time_text,
    market_price_text,
    money_text,
    price_text,
    short_count_text,
)
from kalshi_tui.session.notices import Notice, Severity
from kalshi_tui.session.store import Store
from kalshi_tui.ui.lists.tape_filter import filter_heading, filter_text

ORDER_STATE_TONES = {
    OrderState.UNKNOWN: Tone.BAD,
    OrderState.REFUSED: Tone.BAD,
    OrderState.NOT_SENT: Tone.BAD,
    OrderState.SENDING: Tone.WARN,
    OrderState.RESTING: Tone.GOOD,
    OrderState.FILLED: Tone.GOOD,
    OrderState.EXPIRED: Tone.WARN,
}
REASON_TONES = {
    OrderState.UNKNOWN: Tone.WARN,
    OrderState.REFUSED: Tone.WARN,
    OrderState.NOT_SENT: Tone.WARN,
    OrderState.CANCELED: Tone.DIM,
    OrderState.EXPIRED: Tone.DIM,
}
"""The states whose reason is shown after the market's name where there is room; the log has it in full."""
AND_UNREAD = "+?"
"""Stands behind a count of what has been read where more could not be."""
EXTRA_COLUMNS_MIN_WIDTH = 100
"""The width from which the lists have more columns."""
MIN_NAME_WIDTH = 24
QUEUE_WIDTH = 13
"""Cells of the count ahead of an order: room for 999,999.99, since all better prices are in it."""
MIN_REASON_WIDTH = 6
NOTICE_SIGNS = {
    Severity.INFO: (" ", Tone.PLAIN),
    Severity.GOOD: ("+", Tone.GOOD),
    Severity.WARNING: ("!", Tone.WARN),
    Severity.ERROR: ("x", Tone.BAD),
}


def _side_and_price(store: Store, shown: Order | Fill) -> tuple[str, Side, str]:
    """Return the side and the price of an order or a fill as they were meant."""
    action, outcome, price = shown.as_meant
    words = f"{action.value} {outcome.name}" if action is not None else outcome.name
    return words, outcome, align_decimal_point(market_price_text(price, store.markets.get(shown.ticker)), 4, 8)


def _average_fill_price(store: Store, order: Order, side: Side) -> Price | None:
    """Return the mean price of an order's fills, rounded down to 1/10,000 dollar; None unless all are known."""
    fills = [fill for fill in store.fills if fill.order_id == order.order_id] if order.filled else []
    count = sum(fill.count for fill in fills)
    if not count or count != order.filled:
        return None
    return sum(in_terms_of(side, fill.yes_price) * fill.count for fill in fills) // count


def _market_name_span(store: Store, ticker: str, width: int) -> Span:
    """Return a market's name for the end of a line that has ``width`` cells left."""
    market = store.markets.get(ticker)
    return Span("  " + (short_label(market, max(width - 2, 0)) if market else ticker), Tone.DIM)


def list_count_cell(count: Count, width: int) -> str:
    """Write a count in a column of a list. A whole one gives up its fraction's place before its thousands run on."""
    aligned = count_text(count, aligned=True)
    return next(
        (text.rjust(width) for text in (aligned, aligned.rstrip()) if len(text) < width), count_cell(count, width)
    )


FILL_COLUMN_HEADING = f"{'time':<10}{'side':<9}{'price':>6}  {'count':>10}{'fee':>10}  {'':6}  market"
LOG_COLUMN_HEADING = f"{'time':<10}what happened"


def tape_column_heading(min_count: Count, *, with_filter_text: bool = False) -> str:
    """Return the column headings of `tape_line`, with the smallest count that is shown; ``told``: in words too."""
    words = f"  {filter_text(min_count)}; z: next" if with_filter_text else ""
    return f" {'time':<8}{'YES':>7}{filter_heading(min_count):>11}  taker{words}"


def order_column_heading(width: int) -> str:
    """Return the column headings of `order_line`."""
    ahead = f"{'ahead':>10}   " if width >= EXTRA_COLUMNS_MIN_WIDTH else ""
    return f"{'state':<10}{'side':<9}{'price':>6}  {'left':>7}   {'filled':>7}   {'at':>6}  {ahead}  market"


def order_line(store: Store, order: Order, width: int) -> Line:
    """Return the line of an order: state, side, remaining and filled count, and the queue ahead of it."""
    words, side, price = _side_and_price(store, order)
    word = "PART FILL" if order.state is OrderState.RESTING and order.filled else order.state.word.upper()
    figures = line(
        Span(f"{word:<10}", ORDER_STATE_TONES.get(order.state, Tone.DIM)),
        Span(f"{words:<9}", Tone.BID if side is Side.YES else Tone.ASK),
        price,
        list_count_cell(order.remaining, 10),
        list_count_cell(order.filled, 10),
        align_decimal_point(price_text(_average_fill_price(store, order, side), 2), 4, 8),
        Span(_queue_ahead_cell(store, order) if width >= EXTRA_COLUMNS_MIN_WIDTH else "", Tone.DIM),
    )
    left = width - cell_count(figures)
    room = left - MIN_NAME_WIDTH - 4
    tone, note = REASON_TONES.get(order.state), order.reason
    if order.state is OrderState.RESTING and order.expires_ms:
        tone, note = Tone.DIM, f"until {date_time_text(order.expires_ms)}"
    if note and tone is not None and width >= EXTRA_COLUMNS_MIN_WIDTH and room >= MIN_REASON_WIDTH:
        reason = fit(note, min(len(note), room))
        named = line(_market_name_span(store, order.ticker, left - len(reason) - 2))
        gap = " " * (left - cell_count(named) - len(reason))
        return line(*figures, *named, Span(f"{gap}{reason}", tone))
    return (*figures, _market_name_span(store, order.ticker, left))


def _queue_ahead_cell(store: Store, order: Order) -> str:
    """Return how many contracts are ahead of a resting order; an empty text for any other."""
    if order.state is not OrderState.RESTING:
        return " " * QUEUE_WIDTH
    ahead = store.queue_positions.get(order.order_id)
    return right_align(NO_VALUE + "   ", QUEUE_WIDTH) if ahead is None else list_count_cell(ahead, QUEUE_WIDTH)


def unknown_orders_text(store: Store, width: int) -> str:
    """Return the orders of unknown outcome in at most ``width`` cells, if that is possible; empty for none."""
    orders = [order for order in store.working_orders() if order.state is OrderState.UNKNOWN]
    if not orders:
        return ""
    if len(orders) > 1:
        what = f"{len(orders)} orders of unknown outcome"
        endings = [" may be live; the exchange is being asked.", " may be live."]
    else:
        (order,) = orders
        what = f"UNKNOWN: {order_text(order)}"
        place = f" in {order.ticker}"
        endings = [
            f"{place} may be live; the exchange is being asked.",
            f"{place} may be live; being asked about.",
            f"{place} may be live.",
            " may be live; the exchange is being asked.",
            " may be live.",
        ]
    return what + next((each for each in endings if len(what + each) <= width), endings[-1])


def money_cell(money: Money | None, width: int, *, signed: bool = False) -> str:
    """Return dollars aligned to the right of a column, in whole dollars where cents have no room; never cut."""
    if money is None:
        return NO_VALUE.rjust(width)
    cents = cents_text(money, signed=signed)
    dollars = (abs(money) + MONEY_UNIT // 2) // MONEY_UNIT * MONEY_UNIT
    whole = money_text(dollars if money >= 0 else -dollars, signed=signed).removesuffix(".00")
    for text in (cents, whole, whole.replace(",", "")):
        if len(text) < width:
            return text.rjust(width)
    sign = "-" if money < 0 else "+" if signed else ""
    return f"{sign}${short_count_text(dollars // MONEY_UNIT * COUNT_UNIT)}".rjust(width)


def position_column_heading(width: int) -> str:
    """Return the column headings of `position_line`."""
    more = f"{'exposure':>11}{'value':>11}" if width >= EXTRA_COLUMNS_MIN_WIDTH else ""
    figures = f"{'side':<4}{'count':>9}{'avg':>7}{'best bid':>9}{'P&L now':>10}{'realized':>10}{'fees':>9}"
    return f"{figures}{more}  market"


def pnl_tone(pnl: Money | None) -> Tone:
    """Return the tone of a gain or a loss; its sign shows it too."""
    return Tone.DIM if not pnl else Tone.GOOD if pnl > 0 else Tone.BAD


def position_line(store: Store, valued: ValuedPosition, width: int) -> Line:
    """Return the line of a position: average cost, best bid of others, P&L of a sale of all of it, fees paid.

    Where there is room also its exposure, which is what it can lose, and what the sale brings after its fees.
    """
    position, worth = valued.position, valued.worth
    side, held = ("YES", position.count) if position.count > 0 else ("NO", -position.count)
    market = store.markets.get(position.ticker)
    average = position.cost // held if held else None
    best = worth.best_price if worth is not None else None
    figures = line(
        Span(f"{side:<4}", Tone.BID if side == "YES" else Tone.ASK),
        list_count_cell(held, 9),
        align_decimal_point(price_text(average, 4), 4, 7),
        align_decimal_point(market_price_text(best, market), 4, 9),
        Span(money_cell(valued.gain, 10, signed=True), pnl_tone(valued.gain)),
        Span(money_cell(position.realized_pnl, 10, signed=True), Tone.DIM),
        Span(money_cell(position.fees_paid, 9), Tone.DIM),
    )
    if width >= EXTRA_COLUMNS_MIN_WIDTH:
        figures += line(Span(money_cell(position.cost, 11)), Span(money_cell(valued.value, 11), Tone.DIM))
    return (*figures, _market_name_span(store, position.ticker, width - cell_count(figures)))


def unsold_text(valued: ValuedPosition) -> str:
    """Return for how many of a position nobody bids; empty where all can be sold, or nobody can tell."""
    worth = valued.worth
    if worth is None or not worth.unsold:
        return ""
    return f"no bid for {count_text(worth.unsold)} of {count_text(worth.held)}"


def fill_line(store: Store, fill: Fill, width: int) -> Line:
    """Return the line of one fill."""
    words, side, price = _side_and_price(store, fill)
    figures = line(
        Span(f"{clock_text(fill.ts_ms)}  ", Tone.DIM),
        Span(f"{words:<9}", Tone.BID if side is Side.YES else Tone.ASK),
        price,
        list_count_cell(fill.count, 10),
        Span(right_align(money_text(fill.fee), 10), Tone.DIM),
        Span(f"  {'taker' if fill.is_taker else 'maker':<6}", Tone.DIM),
    )
    return (*figures, _market_name_span(store, fill.ticker, width - cell_count(figures)))


def tape_line(trade: Trade, market: Market | None, *, own: bool) -> Line:
    """Return the line of one public trade; the arrow and the word show what the taker bought."""
    word, tone = ("▲ YES", Tone.BID) if trade.taker_bid else ("▼ NO", Tone.ASK)
    return line(
        Span("*" if own else " ", Tone.OWN),
        Span(clock_text(trade.ts_ms), Tone.OWN if own else Tone.DIM),
        Span(right_align(market_price_text(trade.yes_price, market), 7), tone),
        list_count_cell(trade.count, 11),
        Span(f"  {word}", tone),
    )


def notice_line(notice: Notice) -> Line:
    """Return the line of one notice: the time, a sign for its severity, the sentence."""
    sign, tone = NOTICE_SIGNS[notice.severity]
    return line(Span(f"{clock_text(notice.at_ms)} ", Tone.DIM), Span(f"{sign} {notice.text}", tone))


def message_lines(store: Store, width: int) -> tuple[Line, Line]:
    """Return the message line: orders of unknown outcome while there are any, else the newest notice.

    Beside unknown ones the notice stands behind; where it has no room there it is the second line given.
    """
    notice = notice_line(store.notices[0]) if store.notices else ()
    unknown = unknown_orders_text(store, width)
    if not unknown:
        return notice, ()
    alarm = line(Span(unknown, Tone.BAD))
    if width - cell_count(alarm) - 2 < cell_count(notice):
        return alarm, notice
    return line(*alarm, "  ", *notice), ()


def notice_lines(notice: Notice, width: int) -> list[Line]:
    """Return one notice in full, on as many lines as it takes; the later lines are indented."""
    sign, tone = NOTICE_SIGNS[notice.severity]
    hour = f"{clock_text(notice.at_ms)} "
    first, *rest = wrap(notice.text, max(width - len(hour) - 2, 20))
    indent = " " * (len(hour) + 2)
    return [
        line(Span(hour, Tone.DIM), Span(f"{sign} {first}", tone)),
        *(line(Span(indent + text, tone)) for text in rest),
    ]
