"""The rows of a market's price ladder: every price of its grid one, and what stands at each. Pure.

All prices here are of the outcome shown: of YES, or of NO when the same book is seen from the other side.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import BookSide, Order, OrderState
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price, PriceGrid
from kalshi_tui.presentation.number_text import price_decimals
from kalshi_tui.session.market_data.store import LiveBook

NEAR_DEPTH_RANGE: Final = 500
"""How far from the middle the depth of the header reaches, 1/10,000 dollar."""
SHOWN_ORDER_STATES: Final = frozenset({OrderState.RESTING, OrderState.SENDING, OrderState.UNKNOWN})
"""The states in which an order has its row: where nobody knows, it is shown as that."""


@dataclass(frozen=True, slots=True)
class PriceLadder:
    """The rows: prices of ``side``, ascending. Row 0 is the last of them: the highest price stands at the top."""

    side: Side
    prices: tuple[Price, ...]
    decimals: int

    @classmethod
    def from_grid(cls, grid: PriceGrid, side: Side, off_grid: Iterable[Price] = ()) -> "PriceLadder":
        """Make the rows of a grid; ``strays`` are YES prices off it where something stands all the same."""
        off = frozenset(off_grid)
        prices = tuple(sorted(off.union(grid.prices))) if off else grid.prices
        if side is Side.NO:
            prices = tuple(PRICE_UNIT - price for price in reversed(prices))
        return cls(side, prices, 4 if off else price_decimals(grid))

    def __len__(self) -> int:
        return len(self.prices)

    def price_at(self, row: int) -> Price:
        """Return the price of a row; of the first or the last from beyond them."""
        return self.prices[len(self.prices) - 1 - max(0, min(row, len(self.prices) - 1))]

    def row_of(self, price: Price) -> int:
        """Return the row of a price; from between two rows the upper one, from beyond the ends the last there."""
        return max(len(self.prices) - 1 - bisect_left(self.prices, price), 0)

    def clamp_top(self, row: int, rows: int) -> int:
        """Return the first row of a window of ``rows`` that is to begin at ``row``, and does not pass the ends."""
        return max(0, min(row, len(self.prices) - rows))

    def top_centered_on(self, doubled_price: int, rows: int) -> int:
        """Return the first row of the window that has a price, given doubled, in its middle."""
        return self.clamp_top(self.row_of(-(-doubled_price // 2)) - (rows - 1) // 2, rows)

    def window_prices(self, top: int, rows: int) -> Sequence[Price]:
        """Return the prices of so many rows, from the top down."""
        last = len(self.prices) - top
        return self.prices[max(last - rows, 0) : last][::-1]


def off_grid_prices(book: Book, grid_prices: frozenset[Price]) -> set[Price]:
    """Return the YES prices at which something stands though the grid has no such price."""
    found = set(book.yes.prices) - grid_prices
    return found | {PRICE_UNIT - price for price in book.no.prices} - grid_prices


def doubled_market_price(book: Book, side: Side, last: Price | None) -> int | None:
    """Return twice the price around which the market is: the middle, else the only best price, else the last trade."""
    if (doubled := book.mid_doubled(side)) is not None:
        return doubled
    best = book.best_bid(side) or book.best_ask(side)
    price = best.price if best is not None else last
    return None if price is None else 2 * price


@dataclass(frozen=True, slots=True)
class OwnRowOrders:
    """What of a row is the trader's own: how many orders, what rests of them, how much stands before the first.

    ``unconfirmed`` is what has been sent and of which nobody knows yet whether it rests.
    """

    orders: int
    count: Count
    ahead: Count | None
    unconfirmed: Count = 0


def resting_orders_at(orders: Iterable[Order], ticker: str, at: Price) -> list[Order]:
    """Return the trader's orders that rest in a market at this YES price."""
    return [
        order
        for order in orders
        if order.ticker == ticker and order.state is OrderState.RESTING and order.yes_price == at
    ]


def own_orders_by_row(
    orders: Iterable[Order], ticker: str, queue: Mapping[str, Count]
) -> dict[tuple[BookSide, Price], OwnRowOrders]:
    """Collect what rests of the trader's own in a market, by side of the book and YES price."""
    own: dict[tuple[BookSide, Price], OwnRowOrders] = {}
    for order in orders:
        if order.ticker != ticker or order.state not in SHOWN_ORDER_STATES:
            continue
        key = order.book_side, order.yes_price
        known = own.get(key, OwnRowOrders(0, 0, None))
        if order.state is not OrderState.RESTING:
            own[key] = replace(known, unconfirmed=known.unconfirmed + order.remaining)
            continue
        places = [each for each in (known.ahead, queue.get(order.order_id)) if each is not None]
        ahead = min(places, default=None)
        own[key] = OwnRowOrders(known.orders + 1, known.count + order.remaining, ahead, known.unconfirmed)
    return own


@dataclass(frozen=True, slots=True)
class LadderSnapshot:
    """All that a ladder is drawn from. ``last`` is the last trade in YES terms."""

    ladder: PriceLadder
    live: LiveBook
    market: Market
    own: dict[tuple[BookSide, Price], OwnRowOrders]
    last: Price | None = None
    position: Position | None = None


class LadderRow(NamedTuple):
    """One price and what stands there. The depths are sums from the best price on; ``gain`` is None without position.

    ``gain`` is what selling the whole position at this price brings more than it cost, before fees.
    """

    price: Price
    bid: Count
    ask: Count
    bid_depth: Count
    ask_depth: Count
    own_bid: OwnRowOrders | None
    own_ask: OwnRowOrders | None
    traded: bool
    pnl: Money | None


def build_ladder_rows(snapshot: LadderSnapshot, top: int, rows: int) -> list[LadderRow]:
    """Return so many rows from the row ``top`` on, which costs the same however many prices the grid has."""
    side, book = snapshot.ladder.side, snapshot.live.book
    bids, offers = book.side(side), book.side(side.other)
    prices = snapshot.ladder.window_prices(top, rows)
    if not prices:
        return []
    upward, downward = (BookSide.BID, BookSide.ASK) if side is Side.YES else (BookSide.ASK, BookSide.BID)
    held = snapshot.position if snapshot.position is not None and snapshot.position.count else None
    # A thousand look-ups cost less than as many searches, and fifty no more.
    bid_at, ask_at = (dict(zip(each.prices, each.counts, strict=True)).get for each in (bids, offers))
    traded_at, own, yes = snapshot.last, snapshot.own, side is Side.YES
    bid_depth = bids.depth_from(prices[0] + 1)
    ask_depth = offers.depth_from(PRICE_UNIT - prices[0])
    made = []
    for price in prices:
        bid, ask, in_yes = bid_at(price, 0), ask_at(PRICE_UNIT - price, 0), price if yes else PRICE_UNIT - price
        bid_depth += bid
        made.append(
            LadderRow(
                price,
                bid,
                ask,
                bid_depth,
                ask_depth,
                own.get((upward, in_yes)) if own else None,
                own.get((downward, in_yes)) if own else None,
                in_yes == traded_at,
                held.settled(in_yes) - held.cost if held is not None else None,
            )
        )
        ask_depth -= ask
    return made


def depth_near_mid(book: Book, side: Side) -> tuple[Count, Count] | None:
    """Sum up what is bid and what is offered within 5 cents of the middle; None where there is no middle."""
    doubled = book.mid_doubled(side)
    if doubled is None:
        return None
    bids = book.side(side).depth_from(-(-(doubled - 2 * NEAR_DEPTH_RANGE) // 2))
    return bids, book.side(side.other).depth_from(-(-(2 * PRICE_UNIT - doubled - 2 * NEAR_DEPTH_RANGE) // 2))


def imbalance_percent(bids: Count, asks: Count) -> int | None:
    """Return how much more is bid than offered, in percent of both, cut to whole ones; None where nothing stands."""
    if not bids + asks:
        return None
    return abs(bids - asks) * 100 // (bids + asks) * (1 if bids >= asks else -1)


def doubled_price_outside(snapshot: LadderSnapshot, top: int, rows: int) -> int | None:
    """Return twice the price around which the market is, if it has run out of the rows shown; None while it has not."""
    doubled = doubled_market_price(snapshot.live.book, snapshot.ladder.side, None)
    prices = snapshot.ladder.window_prices(top, rows)
    if doubled is None or not prices or 2 * prices[-1] <= doubled <= 2 * prices[0]:
        return None
    return doubled
