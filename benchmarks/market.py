"""The store and the views: quotes of very many markets, the top of a book for one frame, a whole ladder."""

import random
import tracemalloc

import msgspec

from benchmarks.measure import Figure, compare
from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.fees import FeeSchedule, FeeType
from kalshi_tui.domain.link import Trust
from kalshi_tui.domain.market import Market, MarketStatus
from kalshi_tui.domain.price import PriceGrid, PriceRange
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.protocol import FeedProtocol
from kalshi_tui.session.store import LiveBook, Store
from kalshi_tui.ui.book_view import book_lines, own_orders
from kalshi_tui.ui.ladder_rows import Ladder, Seen, ladder_rows
from kalshi_tui.ui.ladder_view import ladder_columns, ladder_header, ladder_lines

MARKETS = 50_000
FRAMES = 50_000
SID = 3
FINE = PriceGrid((PriceRange(0, 10_000, 10),))


def ticker_frames() -> list[bytes]:
    """Make a frame for each of very many markets, as the exchange writes them."""
    chance = random.Random(11)
    made = []
    for number in range(FRAMES):
        bid = chance.randint(1, 97)
        msg = {
            "market_ticker": f"KXMANY-26NOV-T{number % MARKETS:05d}",
            "market_id": "943fcfe7-68a7-48aa-84b0-9b5ed2d5b922",
            "price_dollars": f"0.{bid:02d}00",
            "yes_bid_dollars": f"0.{bid:02d}00",
            "yes_ask_dollars": f"0.{bid + 1:02d}00",
            "yes_bid_size_fp": f"{chance.randint(1, 900)}.00",
            "yes_ask_size_fp": f"{chance.randint(1, 900)}.00",
            "last_trade_size_fp": "3.00",
            "volume_fp": f"{chance.randint(1, 90_000)}.00",
            "open_interest_fp": f"{chance.randint(1, 9_000)}.00",
            "dollar_volume": 1_000,
            "dollar_open_interest": 1_000,
            "ts": 1_786_085_188,
            "ts_ms": 1_786_085_188_978,
            "time": "2026-08-07T06:46:28.97871Z",
        }
        made.append(msgspec.json.encode({"type": "ticker", "sid": SID, "seq": number + 1, "msg": msg}))
    return made


def subscribed(store: Store) -> FeedProtocol:
    """Give a protocol that follows the quotes of all markets."""
    protocol = FeedProtocol(store)
    protocol.want_tickers(None)
    protocol.connected(0.0)
    (command,) = [wire.decode_command(each) for each in protocol.outgoing()]
    told = wire.SubscribedFrame(id=command.id, msg=wire.SubscribedMsg(channel=wire.Channel.TICKER, sid=SID))
    protocol.receive(wire.encode(told))
    return protocol


def quotes() -> list[Figure]:
    """Take ticker frames of very many markets into the store; and count what a market's quote holds of memory."""
    frames = ticker_frames()
    kept: list[Store] = []

    def ours() -> None:
        store = Store(lambda: 0)
        receive = subscribed(store).receive
        for frame in frames:
            receive(frame)
        kept[:] = [store]
        assert len(store.quotes) == MARKETS

    def reference() -> None:
        decode = wire.decode_frame
        for frame in frames:
            decode(frame)

    figure = compare("ticker frame into the store", ours, "msgspec decode alone", reference, items=FRAMES)
    tracemalloc.start()
    store = Store(lambda: 0)
    receive = subscribed(store).receive
    before = tracemalloc.get_traced_memory()[0]
    for frame in frames:
        receive(frame)
    held = (tracemalloc.get_traced_memory()[0] - before) / MARKETS
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
    live = LiveBook(deep, Trust.GOOD, "")

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
            book_lines(live, MARKET, own_orders((), "T-1"), None, 56, 10, None)

    ten = compare("top ten, implied asks and depth of both sides", top_ten, "slices alone", slices, items=ROUNDS)
    return [
        ten,
        Figure("top ten beside its goal", "50 us", ten.ours, 50, bound=1),
        compare("ten rows of the book as lines", rows, "slices alone", slices, items=ROUNDS),
    ]


def whole_ladder() -> list[Figure]:
    """Write all rows of the finest ladder."""
    ladder = Ladder.of(FINE, Side.YES)
    seen = Seen(ladder, LiveBook(a_book(400), Trust.GOOD, ""), MARKET, {})

    def lines() -> None:
        ladder_header(seen, 0, len(ladder), 60)
        ladder_columns(seen, 60)
        assert len(ladder_lines(seen, 0, len(ladder), 60)) == len(ladder)

    def rows() -> None:
        assert len(ladder_rows(seen, 0, len(ladder))) == 999

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
