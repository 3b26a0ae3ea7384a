"""The top line: where the orders go, the connection, the account. Pure."""

from typing import Final

from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.order import OrderState
from kalshi_tui.domain.price import Money
from kalshi_tui.session.desk import Venue
from kalshi_tui.session.store import Store
from kalshi_tui.ui.format import cents_text, clock_text, money_text, zone_text
from kalshi_tui.ui.lines import Line, Span, Tone, fit, length, line
from kalshi_tui.ui.views import exit_price

LINK_WORDS: Final = {
    LinkState.OFFLINE: ("offline", Tone.BAD),
    LinkState.CONNECTING: ("connecting", Tone.WARN),
    # Not "live": that word says on this very line where the orders go.
    LinkState.LIVE: ("connected", Tone.GOOD),
    LinkState.WAITING: ("reconnecting", Tone.WARN),
    LinkState.REFUSED: ("refused", Tone.BAD),
}
RATE_CELLS: Final = 9
"""What the message rate takes, so that nothing beside it moves as it changes."""


def status_line(store: Store, venue: Venue, rate: int, now_ms: int, width: int) -> Line:
    """Draw the top line. What is worth least goes first where room is short; the venue and its word never do."""
    word, tone = LINK_WORDS[store.connection.state]
    left = [Span(f" {venue.value} ", Tone.VENUE), Span(f" {word}", tone)]
    account = _account(store, now_ms, width - length(left) - RATE_CELLS)
    room = width - length(left) - length(account)
    detail = f"  {store.connection.detail}  "
    if store.connection.state is not LinkState.LIVE:
        # The log has the sentence too: what has no room here is left out whole.
        left.append(Span(fit(detail if len(detail) <= room else "", room), Tone.DIM))
    else:
        pace = f" {rate:,}/s" if rate < 10_000 else f" {rate // 1_000}k/s"
        left.append(Span(fit(pace, room), Tone.DIM))
    return line(*left, *account)


def positions_worth(store: Store) -> Money | None:
    """Give what all positions could be sold for at the best bids of now; None while one of these is not known."""
    worth = 0
    for position in store.positions.values():
        price = exit_price(store, position)
        if price is None:
            return None
        worth += price * abs(position.count)
    return worth


def _account(store: Store, now_ms: int, room: int) -> list[Span]:
    """Give cash, positions, working orders and the hour, as much of them as there is room for."""
    balance = store.balance
    working = store.working()
    unknown = sum(order.state is OrderState.UNKNOWN for order in working)
    held = len(store.positions)
    worth_now = positions_worth(store)
    value = f" worth {cents_text(worth_now)}" if held and worth_now is not None else ""
    cash = Span(f"cash {money_text(balance.cash)}" if balance else "cash not known")
    orders = [Span(f"  orders {len(working)}", Tone.OWN if working else Tone.DIM)]
    if unknown:
        orders.append(Span(f"  UNKNOWN {unknown}", Tone.BAD))
    hour = Span(f"  {clock_text(now_ms)}", Tone.DIM)
    zoned = Span(f"  {clock_text(now_ms)} {zone_text(now_ms)}", Tone.DIM)
    many = Span(f"  positions {held}", Tone.PLAIN if held else Tone.DIM)
    worth = Span(f"  positions {held}{value}")
    end = Span(" ")
    for spans in (
        [cash, worth, *orders, zoned, end],
        [cash, worth, *orders, hour, end],
        [cash, many, *orders, hour, end],
        [cash, *orders, hour, end],
        [cash, *orders, end],
    ):
        if length(spans) <= room:
            break
    return spans
