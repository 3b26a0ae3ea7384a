"""The same frames into nautilus_trader's order book, beside ours; runs in an environment of its own.

`make bench-nautilus` makes that environment of `requirements-nautilus.lock`. The adapter is as thin as its interface
allows: frames come decoded by the same decoder, numbers by the same look-ups, and what it adds is the count that stands
at a level, which nautilus_trader wants whole where Kalshi sends the change.
"""

from collections.abc import Callable

from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder
from nautilus_trader.model.enums import BookType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price

from benchmarks.frames import DELTAS, TICKERS, frames, take
from benchmarks.measure import Figure, compare
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.price import PRICE_UNIT
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.translate import parse_and_cache_delta, parse_and_cache_price, parse_levels

PRICE_PRECISION = 4
SIZE_PRECISION = 2
RAW_PRICE = Price.from_str("0.0001").raw
"""What a unit of ours is in the raw numbers of this build; sizes are scaled alike."""
RAW_COUNT = RAW_PRICE * 100


class Books:
    """One book a market: YES bids as bids, NO bids as asks at a dollar less their price."""

    def __init__(self) -> None:
        self.books = {
            ticker: OrderBook(InstrumentId.from_str(f"{ticker}.KALSHI"), BookType.L2_MBP) for ticker in TICKERS
        }
        self.counts: dict[str, dict[tuple[Side, int], int]] = {ticker: {} for ticker in TICKERS}

    def snapshot(self, msg: wire.SnapshotMsg) -> None:
        """Take a whole book."""
        for side, levels in ((Side.YES, msg.yes_dollars_fp), (Side.NO, msg.no_dollars_fp)):
            for price, count in parse_levels(levels):
                self.change(msg.market_ticker, side, price, count)

    def change(self, ticker: str, side: Side, price: int, delta: int) -> OrderBook:
        """Change one level."""
        counts = self.counts[ticker]
        key = side, price
        count = counts[key] = counts.get(key, 0) + delta
        book = self.books[ticker]
        buys = side is Side.YES
        order = BookOrder.from_raw(
            OrderSide.BUY if buys else OrderSide.SELL,
            (price if buys else PRICE_UNIT - price) * RAW_PRICE,
            PRICE_PRECISION,
            count * RAW_COUNT,
            SIZE_PRECISION,
            price,
        )
        if count:
            book.update(order, 0)
        else:
            book.delete(order, 0)
        return book


def of_nautilus(snapshots: list[bytes], deltas: list[bytes]) -> None:
    """Decode, keep the books, and look at bid, ask and spread after each."""
    made = Books()
    decode: Callable[[bytes], wire.Frame] = wire.decode_frame
    for data in snapshots:
        frame = decode(data)
        assert isinstance(frame, wire.SnapshotFrame)
        made.snapshot(frame.msg)
    prices: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for data in deltas:
        frame = decode(data)
        assert frame.__class__ is wire.DeltaFrame
        msg = frame.msg
        price = prices.get(msg.price_dollars)
        if price is None:
            price = prices[msg.price_dollars] = parse_and_cache_price(msg.price_dollars)
        delta = sizes.get(msg.delta_fp)
        if delta is None:
            delta = sizes[msg.delta_fp] = parse_and_cache_delta(msg.delta_fp)
        book = made.change(msg.market_ticker, msg.side, price, delta)
        book.best_bid_price()
        book.best_ask_price()
        book.spread()


def run() -> list[Figure]:
    """Compare the two, each from the bytes to the best prices."""
    snapshots, deltas = frames()
    tickers = [wire.decode(each, wire.DeltaFrame).msg.market_ticker for each in deltas]
    return [
        compare(
            "frame to book, beside nautilus_trader",
            lambda: take(snapshots, deltas, tickers),
            "nautilus_trader's OrderBook behind a thin adapter",
            lambda: of_nautilus(snapshots, deltas),
            items=DELTAS,
            bound=1,
        )
    ]
