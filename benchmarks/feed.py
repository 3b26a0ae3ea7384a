"""From raw frames to the best bid and ask, held against msgspec decoding the same frames and nothing else."""

import statistics

from pykalshi.feed import _parse_message
from pykalshi.orderbook import OrderbookManager

from benchmarks.frames import DELTAS, decode_whole, frames, take
from benchmarks.measure import TURNS, Figure, compare, seconds
from kalshi_tui.kalshi import wire

SOME = 10_000
"""How many of them the slow reference gets."""


def of_others(frames: list[bytes]) -> None:
    """Do the same with the client library that is known best."""
    books: dict[str, OrderbookManager] = {}
    for frame in frames:
        _, _, msg, _ = _parse_message(frame)
        book = books.setdefault(msg.market_ticker, OrderbookManager(msg.market_ticker))
        if hasattr(msg, "delta_fp"):
            book.apply_delta(msg.side, msg.price_dollars, msg.delta_fp)
        else:
            book.apply_snapshot(msg.yes_dollars, msg.no_dollars)
        _ = book.best_bid, book.best_ask


def run() -> list[Figure]:
    """Compare decode, sequence check, book and best prices with the decode alone."""
    snapshots, deltas = frames()
    tickers = [wire.decode(each, wire.DeltaFrame).msg.market_ticker for each in deltas]

    def reference() -> None:
        decode = decode_whole
        for frame in snapshots:
            decode(frame)
        for frame in deltas:
            decode(frame)

    def ours() -> None:
        take(snapshots, deltas)

    def with_touch() -> None:
        take(snapshots, deltas, tickers)

    each_time = "frame to book, bid, ask and spread after each"
    alone = "msgspec decode alone"
    figures = [
        compare("frame to book", ours, alone, reference, items=DELTAS, bound=3),
        compare(each_time, with_touch, alone, reference, items=DELTAS, bound=3),
    ]
    theirs = [seconds(lambda: of_others([*snapshots, *deltas[:SOME]])) / SOME * 1e6 for _ in range(TURNS)]
    name = "pykalshi's feed and book, best prices after each"
    return [*figures, Figure(name, each_time, statistics.median(theirs), figures[1].ours, bound=15, least=True)]
