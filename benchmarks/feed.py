"""From raw frames to the best bid and ask, held against msgspec decoding the same frames and nothing else."""

import random

import msgspec
from pykalshi.feed import _parse_message
from pykalshi.orderbook import OrderbookManager

from benchmarks.measure import Figure, compare, seconds
from kalshi_tui.domain.price import format_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.protocol import FeedProtocol
from kalshi_tui.session.store import Store

MARKETS = 200
DELTAS = 200_000
SOME = 10_000
"""How many of them the slow reference gets."""
SID = 1


def frames() -> tuple[list[bytes], list[bytes]]:
    """Make the snapshots of 200 markets, and a sequence of deltas that are all true of them."""
    chance = random.Random(8)
    tickers = [f"MARKET-{number}" for number in range(MARKETS)]
    stands: dict[tuple[str, str, int], int] = {}
    snapshots = []
    for number, ticker in enumerate(tickers, 1):
        sides = {}
        for side, top in (("yes", 47), ("no", 51)):
            levels = [(cents * 100, chance.randint(1, 90) * 100) for cents in range(top - 20, top)]
            stands.update({(ticker, side, price): count for price, count in levels})
            sides[f"{side}_dollars_fp"] = [(format_price(price), f"{count // 100}.00") for price, count in levels]
        msg = {"market_ticker": ticker, "market_id": "", **sides}
        snapshots.append({"type": "orderbook_snapshot", "sid": SID, "seq": number, "msg": msg})
    deltas = []
    for number in range(MARKETS + 1, MARKETS + 1 + DELTAS):
        side, top = chance.choice((("yes", 47), ("no", 51)))
        key = (chance.choice(tickers), side, chance.randrange(top - 20, top) * 100)
        there = stands.get(key, 0)
        delta = -there if there and chance.random() < 0.4 else chance.randint(1, 50) * 100
        stands[key] = there + delta
        change: dict[str, object] = {
            "market_ticker": key[0],
            "market_id": "943fcfe7-68a7-48aa-84b0-9b5ed2d5b922",
            "price_dollars": format_price(key[2]),
            "delta_fp": f"{delta // 100}.00",
            "side": side,
            "ts": "2026-08-07T06:46:28.97871Z",
            "ts_ms": 1_786_085_188_978,
        }
        deltas.append({"type": "orderbook_delta", "sid": SID, "seq": number, "msg": change})
    encode = msgspec.json.encode
    return [encode(each) for each in snapshots], [encode(each) for each in deltas]


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

    def ours() -> None:
        store = Store(lambda: 0)
        protocol = FeedProtocol(store)
        protocol.want_books(frozenset(f"MARKET-{number}" for number in range(MARKETS)))
        protocol.connected(0.0)
        (command,) = [wire.decode_command(each) for each in protocol.outgoing()]
        told = wire.SubscribedFrame(id=command.id, msg=wire.SubscribedMsg(channel=wire.Channel.BOOK, sid=SID))
        protocol.receive(wire.encode(told))
        for frame in snapshots:
            protocol.receive(frame)
        books = store.books
        for frame in deltas:
            protocol.receive(frame)
        for live in books.values():
            assert live.good
            live.book.best_bid()
            live.book.best_ask()

    def reference() -> None:
        decode = wire.decode_frame
        for frame in snapshots:
            decode(frame)
        for frame in deltas:
            decode(frame)

    figure = compare("frame to book", ours, "msgspec decode alone", reference, items=DELTAS, bound=3)
    theirs = seconds(lambda: of_others([*snapshots, *deltas[:SOME]])) / SOME * 1e6
    ahead = Figure("pykalshi's feed and book", "frame to book", theirs, figure.ours, bound=15, least=True)
    return [figure, ahead]
