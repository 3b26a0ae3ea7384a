"""Frames as the exchange writes them, and a feed that follows them; nothing here needs more than the program itself."""

import random

import msgspec

from kalshi_tui.domain.price import format_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.feed.protocol import FeedProtocol
from kalshi_tui.session.store import Store

MARKETS = 200
DELTAS = 200_000
LEVELS = 45
"""On each side of a book at first: the books of the captures have 28 to 64."""
QUOTED = 50_000
QUOTES = 200_000
SID = 1
TICKERS = tuple(f"MARKET-{number}" for number in range(MARKETS))


def _sent_price(side: str, price: int) -> str:
    """Write a level's price as the exchange does with ``use_yes_price``: that of NO as what is left of a dollar."""
    return format_price(10_000 - price if side == "no" else price)


def frames() -> tuple[list[bytes], list[bytes]]:
    """Make the snapshots of 200 markets, and a sequence of deltas that are all true of them."""
    chance = random.Random(8)
    stands: dict[tuple[str, str, int], int] = {}
    snapshots = []
    for number, ticker in enumerate(TICKERS, 1):
        sides = {}
        for side, top in (("yes", 47), ("no", 51)):
            levels = [(cents * 100, chance.randint(1, 90) * 100) for cents in range(top - LEVELS, top)]
            stands.update({(ticker, side, price): count for price, count in levels})
            sides[f"{side}_dollars_fp"] = [(_sent_price(side, price), f"{count // 100}.00") for price, count in levels]
        msg = {"market_ticker": ticker, "market_id": "", **sides}
        snapshots.append({"type": "orderbook_snapshot", "sid": SID, "seq": number, "msg": msg})
    deltas = []
    for number in range(MARKETS + 1, MARKETS + 1 + DELTAS):
        side, top = chance.choice((("yes", 47), ("no", 51)))
        key = (chance.choice(TICKERS), side, chance.randrange(top - LEVELS, top) * 100)
        there = stands.get(key, 0)
        delta = -there if there and chance.random() < 0.4 else chance.randint(1, 50) * 100
        stands[key] = there + delta
        change: dict[str, object] = {
            "market_ticker": key[0],
            "market_id": "943fcfe7-68a7-48aa-84b0-9b5ed2d5b922",
            "price_dollars": _sent_price(side, key[2]),
            "delta_fp": f"{delta // 100}.00",
            "side": side,
            "ts": "2026-08-07T06:46:28.97871Z",
            "ts_ms": 1_786_085_188_978,
        }
        deltas.append({"type": "orderbook_delta", "sid": SID, "seq": number, "msg": change})
    encode = msgspec.json.encode
    return [encode(each) for each in snapshots], [encode(each) for each in deltas]


def ticker_frames() -> list[bytes]:
    """Make frames of very many markets, market after market, as the exchange writes them."""
    chance = random.Random(11)
    made = []
    for number in range(QUOTES):
        bid = chance.randint(1, 97)
        msg = {
            "market_ticker": f"KXMANY-26NOV-T{number % QUOTED:05d}",
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


class _WholeDelta(msgspec.Struct, frozen=True, gc=False, tag="orderbook_delta"):
    sid: int
    seq: int
    msg: wire.FullDeltaMsg


class _WholeTicker(msgspec.Struct, frozen=True, gc=False, tag="ticker"):
    sid: int
    msg: wire.FullTickerMsg


decode_whole = msgspec.json.Decoder(_WholeDelta | _WholeTicker | wire.SnapshotFrame).decode
"""The reference: what decodes every field of these frames into typed structs, and does nothing else."""


def book_feed(store: Store) -> FeedProtocol:
    """Return a feed that follows the books of all markets, and has had no snapshot yet."""
    protocol = FeedProtocol(store)
    protocol.want_books(TICKERS)
    return _told(protocol, wire.Channel.BOOK)


def quote_feed(store: Store) -> FeedProtocol:
    """Return a feed that follows the quotes of every market there is."""
    protocol = FeedProtocol(store)
    protocol.want_quotes(None)
    return _told(protocol, wire.Channel.TICKER)


def _told(protocol: FeedProtocol, channel: str) -> FeedProtocol:
    """Answer the one subscription that a feed asks for."""
    protocol.connected(0.0)
    (command,) = [wire.decode_command(each) for each in protocol.commands_to_send()]
    told = wire.SubscribedFrame(id=command.id, msg=wire.SubscribedMsg(channel=channel, sid=SID))
    protocol.receive(wire.encode(told))
    return protocol


def take(snapshots: list[bytes], deltas: list[bytes], tickers: list[str] | None = None) -> None:
    """Take them into books; with ``tickers``, those of the deltas, look at bid, ask and spread after each."""
    store = Store(lambda: 0)
    receive = book_feed(store).receive
    for frame in snapshots:
        receive(frame)
    if tickers is None:
        for frame in deltas:
            receive(frame)
    else:
        books = [store.books[ticker].book for ticker in tickers]
        for frame, book in zip(deltas, books, strict=True):
            receive(frame)
            bid, ask = book.touch
            if bid is not None and ask is not None:
                _ = ask - bid
    assert all(live.is_good and live.book.spread is not None for live in store.books.values())
