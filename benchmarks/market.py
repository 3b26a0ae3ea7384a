"""The store and the views: quotes of very many markets, the top of a book for one frame, a whole ladder."""

import tracemalloc

from benchmarks.frames import QUOTED, QUOTES, decode_whole, quote_feed, ticker_frames
from benchmarks.measure import Figure, compare
from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.fees import FeeSchedule, FeeType
from kalshi_tui.domain.link import BookTrust
from kalshi_tui.domain.market import Market, MarketStatus
from kalshi_tui.domain.price import PriceGrid, PriceRange
from kalshi_tui.session.market_data.store import LiveBook
from kalshi_tui.session.store import Store
from kalshi_tui.ui.book.view import book_lines, own_quantities
from kalshi_tui.ui.ladder.rows import LadderSnapshot, PriceLadder, build_ladder_rows
from kalshi_tui.ui.ladder.view import ladder_column_heading, ladder_header, ladder_lines

FINE = PriceGrid((PriceRange(0, 10_000, 10),))


def quotes() -> list[Figure]:
    """Take ticker frames of very many markets into the store; and count what a market's quote holds of memory."""
    frames = ticker_frames()
    kept: list[Store] = []

    def ours() -> None:
        store = Store(lambda: 0)
        receive = quote_feed(store).receive
        for frame in frames:
            receive(frame)
        kept[:] = [store]
        assert len(store.quotes) == QUOTED

    def reference() -> None:
        for frame in frames:
            decode_whole(frame)

    figure = compare("ticker frame into the store", ours, "msgspec decode alone", reference, items=QUOTES)
    tracemalloc.start()
    store = Store(lambda: 0)
    receive = quote_feed(store).receive
    before = tracemalloc.get_traced_memory()[0]
    for frame in frames:
        receive(frame)
    held = (tracemalloc.get_traced_memory()[0] - before) / QUOTED
    tracemalloc.stop()
    pace = Figure(
        "ticker frames a second", "the goal's 300,000", 1e6 / figure.ours, 300_000, "a second", bound=1, least=True
    )
    return [figure, pace, Figure("memory of one market's quote", "the goal's 1 KB", held, 1_024, "bytes", bound=1)]


def a_book(levels: int) -> Book:
    """Make a book with so many levels on each side of a fine grid."""
    book = Book()
    book.snapshot(
        [(10 * (number + 1), 100 * number + 100) for number in range(levels)],
        [(10 * (number + 1), 100 * number + 100) for number in range(levels)],
    )
    return book


ROUNDS = 200
MARKET = Market(
    ticker="T-1",
    event_ticker="T",
    series_ticker="T",
    title="A market",
    yes_sub_title="Yes",
    status=MarketStatus.ACTIVE,
    grid=FINE,
    fees=FeeSchedule(FeeType.QUADRATIC),
)


def top_of_book() -> list[Figure]:
    """Write the top of a book, as a frame of the screen does."""
    deep = a_book(400)
    live = LiveBook(deep, BookTrust.GOOD, "")

    def top_ten() -> None:
        for _ in range(ROUNDS):
            for side in (Side.YES, Side.NO):
                deep.asks(side, 10)
                depth = 0
                for level in deep.side(side).top(10):
                    depth += level.size

    def slices() -> None:
        for _ in range(ROUNDS):
            for side in (deep.yes, deep.no):
                list(zip(side.prices[:-11:-1], side.counts[:-11:-1], strict=True))

    def rows() -> None:
        for _ in range(ROUNDS):
            book_lines(live, MARKET, own_quantities((), "T-1"), None, 56, 10, None)

    ten = compare("top ten, implied asks and depth of both sides", top_ten, "slices alone", slices, items=ROUNDS)
    return [
        ten,
        Figure("top ten beside its goal", "50 us", ten.ours, 50, bound=1),
        compare("ten rows of the book as lines", rows, "slices alone", slices, items=ROUNDS),
    ]


def whole_ladder() -> list[Figure]:
    """Write all rows of the finest ladder."""
    ladder = PriceLadder.from_grid(FINE, Side.YES)
    seen = LadderSnapshot(ladder, LiveBook(a_book(400), BookTrust.GOOD, ""), MARKET, {})

    def lines() -> None:
        ladder_header(seen, 0, len(ladder), 60)
        ladder_column_heading(seen, 60)
        assert len(ladder_lines(seen, 0, len(ladder), 60)) == len(ladder)

    def rows() -> None:
        assert len(build_ladder_rows(seen, 0, len(ladder))) == 999

    def bare() -> None:
        bids = dict(zip(seen.live.book.yes.prices, seen.live.book.yes.counts, strict=True))
        for price in ladder.prices:
            bids.get(price)

    reckoned = compare("a ladder of 999 rows, reckoned", rows, "a look-up a row", bare, items=1)
    return [
        reckoned,
        Figure("the reckoned ladder beside its goal", "1 ms", reckoned.ours, 1_000, bound=1),
        compare("the same as lines of text", lines, "a look-up a row", bare, items=1),
    ]


def run() -> list[Figure]:
    """Run all of these."""
    return [*quotes(), *top_of_book(), *whole_ladder()]
