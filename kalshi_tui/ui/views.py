"""Domain values to lines, for the lists of the desk. Pure: the same values give the same lines."""

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Market, Trade
from kalshi_tui.domain.order import BookSide, Fill, Order, OrderState, yes_price as in_terms_of
from kalshi_tui.domain.portfolio import Position
from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.session.store import Notice, Store, Weight
from kalshi_tui.session.words import exposure
from kalshi_tui.ui.format import (
    NOTHING,
    cents_text,
    clock_text,
    count_cell,
    market_price,
    money_text,
    on_point,
    price_text,
)
from kalshi_tui.ui.lines import Line, Span, Tone, length, line, right, wrap
from kalshi_tui.ui.watch_view import market_label, short_label

STATE_TONES = {
    OrderState.UNKNOWN: Tone.BAD,
    OrderState.REFUSED: Tone.BAD,
    OrderState.NOT_SENT: Tone.BAD,
    OrderState.SENDING: Tone.WARN,
    OrderState.RESTING: Tone.GOOD,
    OrderState.FILLED: Tone.GOOD,
}
EXPLAINED = frozenset({OrderState.UNKNOWN, OrderState.REFUSED, OrderState.NOT_SENT})
"""States of which the reason stands in the list."""
WEIGHTS = {
    Weight.INFO: (" ", Tone.PLAIN),
    Weight.GOOD: ("+", Tone.GOOD),
    Weight.WARNING: ("!", Tone.WARN),
    Weight.ERROR: ("x", Tone.BAD),
}


def _own_terms(
    store: Store, ticker: str, client_order_id: str, side: BookSide, yes_price: Price
) -> tuple[str, Side, str]:
    """Give an order's side and price as the trader wrote them; as the exchange has it where that is not known here."""
    asked = store.asked.get(client_order_id)
    if asked is None:
        outcome, price = exposure(side, yes_price)
        words = outcome.name
    else:
        action, outcome = asked
        price = in_terms_of(outcome, yes_price)
        words = f"{action.value} {outcome.name}"
    return words, outcome, on_point(market_price(price, store.markets.get(ticker)), 4, 8)


def _average(store: Store, order: Order, side: Side) -> Price | None:
    """Give the mean price of an order's executions, cut to 1/10,000 dollar; None unless all of them are known."""
    fills = [fill for fill in store.fills if fill.order_id == order.order_id] if order.filled else []
    count = sum(fill.count for fill in fills)
    if not count or count != order.filled:
        return None
    return sum(in_terms_of(side, fill.yes_price) * fill.count for fill in fills) // count


def _name(store: Store, ticker: str, width: int) -> Span:
    """Name a market at the end of a line that has ``width`` cells left."""
    market = store.markets.get(ticker)
    return Span("  " + (short_label(market, max(width - 2, 0)) if market else ticker), Tone.DIM)


ORDER_COLUMNS = f"{'state':<10}{'side':<9}{'price':>6}  {'left':>10}{'filled':>10}{'at':>6}  market"
POSITION_COLUMNS = f"{'side':<4}{'count':>9}{'avg':>7}{'exit now':>9}{'P&L now':>10}{'realized':>10}{'fees':>9}  market"
FILL_COLUMNS = f"{'time':<10}{'side':<9}{'price':>6}  {'count':>10}{'fee':>10}  {'':6}  market"
TAPE_COLUMNS = f" {'time':<8}{'YES':>7}{'count':>11}  taker"
LOG_COLUMNS = f"{'time':<10}what happened"


def order_line(store: Store, order: Order, width: int) -> Line:
    """Draw an order: what became of it, what it leans to, what is left and what is done."""
    words, side, price = _own_terms(store, order.ticker, order.client_order_id, order.book_side, order.yes_price)
    word = "PART FILL" if order.state is OrderState.RESTING and order.filled else order.state.name.replace("_", " ")
    figures = line(
        Span(f"{word:<10}", STATE_TONES.get(order.state, Tone.DIM)),
        Span(f"{words:<9}", Tone.BID if side is Side.YES else Tone.ASK),
        price,
        count_cell(order.remaining, 10),
        count_cell(order.filled, 10),
        on_point(price_text(_average(store, order, side), 2), 4, 8),
    )
    if order.reason and order.state in EXPLAINED:
        market = store.markets.get(order.ticker)
        name = market_label(market) if market else order.ticker
        return line(*figures, Span(f"  {order.reason}", Tone.WARN), Span(f"  {name}", Tone.DIM))
    return (*figures, _name(store, order.ticker, width - length(figures)))


def exit_price(store: Store, position: Position) -> Price | None:
    """Give what one contract could be sold for now: the best bid for what is held. None if nobody is known to bid."""
    market = store.markets.get(position.ticker)
    if store.connection.state is not LinkState.LIVE or (market is not None and not market.status.tradable):
        return None
    side = Side.YES if position.count > 0 else Side.NO
    live = store.books.get(position.ticker)
    if live is not None and live.good:
        best = live.book.best_bid(side)
        return best.price if best else None
    quote = store.quotes.get(position.ticker)
    if quote is None:
        return None
    if side is Side.YES:
        return quote.yes_bid
    return PRICE_UNIT - quote.yes_ask if quote.yes_ask is not None else None


def position_line(store: Store, position: Position, width: int) -> Line:
    """Draw a position: what it cost, what it could be sold for now, the difference, and the fees, counted apart."""
    side, held = ("YES", position.count) if position.count > 0 else ("NO", -position.count)
    market = store.markets.get(position.ticker)
    average = position.cost // held if held else None
    mark = exit_price(store, position)
    gain = mark * held - position.cost if mark is not None else None
    gain_tone = Tone.DIM if not gain else Tone.GOOD if gain > 0 else Tone.BAD
    figures = line(
        Span(f"{side:<4}", Tone.BID if side == "YES" else Tone.ASK),
        count_cell(held, 9),
        on_point(price_text(average, 4), 4, 7),
        on_point(market_price(mark, market), 4, 9),
        Span(right(cents_text(gain, signed=True) if gain is not None else NOTHING, 10), gain_tone),
        Span(right(cents_text(position.realized_pnl, signed=True), 10), Tone.DIM),
        Span(right(cents_text(position.fees_paid), 9), Tone.DIM),
    )
    return (*figures, _name(store, position.ticker, width - length(figures)))


def fill_line(store: Store, fill: Fill, width: int) -> Line:
    """Draw one execution."""
    words, side, price = _own_terms(store, fill.ticker, fill.client_order_id, fill.book_side, fill.yes_price)
    figures = line(
        Span(f"{clock_text(fill.ts_ms)}  ", Tone.DIM),
        Span(f"{words:<9}", Tone.BID if side is Side.YES else Tone.ASK),
        price,
        count_cell(fill.count, 10),
        Span(right(money_text(fill.fee), 10), Tone.DIM),
        Span(f"  {'taker' if fill.is_taker else 'maker':<6}", Tone.DIM),
    )
    return (*figures, _name(store, fill.ticker, width - length(figures)))


def tape_line(trade: Trade, market: Market | None, *, own: bool) -> Line:
    """Draw one print; the arrow and the word say what the taker bought."""
    word, tone = ("▲ YES", Tone.BID) if trade.taker_bid else ("▼ NO", Tone.ASK)
    return line(
        Span("*" if own else " ", Tone.OWN),
        Span(clock_text(trade.ts_ms), Tone.OWN if own else Tone.DIM),
        Span(right(market_price(trade.yes_price, market), 7), tone),
        count_cell(trade.count, 11),
        Span(f"  {word}", tone),
    )


def notice_line(notice: Notice) -> Line:
    """Draw one entry of the log: the hour, a sign for its weight, the sentence."""
    sign, tone = WEIGHTS[notice.weight]
    return line(Span(f"{clock_text(notice.at_ms)} ", Tone.DIM), Span(f"{sign} {notice.text}", tone))


def notice_lines(notice: Notice, width: int) -> list[Line]:
    """Draw one entry of the log whole, on as many lines as it takes; the later ones are set in under the first."""
    sign, tone = WEIGHTS[notice.weight]
    hour = f"{clock_text(notice.at_ms)} "
    first, *rest = wrap(notice.text, max(width - len(hour) - 2, 20))
    indent = " " * (len(hour) + 2)
    return [
        line(Span(hour, Tone.DIM), Span(f"{sign} {first}", tone)),
        *(line(Span(indent + text, tone)) for text in rest),
    ]
