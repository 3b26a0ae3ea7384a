"""Frames that nobody would send: no crash, and no book that is wrong and trusted.

Between the exchange's own frames stands one that was mutilated. If it took a number of the sequence, the next true
frame shows it; so after that frame each trusted book has to be the exchange's.
"""

import random

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.price import PRICE_UNIT
from tests.support.captures import frame_files
from tests.support.feed_rig import A, B, C, Rig

TOKENS = (
    b"null", b"true", b"-1", b"0", b"1e999", b"-0.0", b'""', b'"\\u0000"', b"[]", b"{}", b"[" * 300, b"9" * 400,
    b'"' + b"9" * 60 + b'"', b'"0.00001"', b'"-5.00"', b'"NaN"', b'"yes"', b'"no"', b"\xff", b"\\", b'"', b"\n",
    b'"1.0000"', b'"0.0000"', b'"orderbook_delta"', b'"orderbook_snapshot"', b'"ok"', b'"error"', b'"unsubscribed"',
)  # fmt: skip


def mutilated(rng: random.Random, frame: bytes, other: bytes) -> bytes:
    """Do one to three violent things to a frame."""
    data = bytearray(frame)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(8):
            case 0 if data:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            case 1:
                del data[place : place + rng.randint(1, 20)]
            case 2:
                data[place:place] = rng.choice(TOKENS)
            case 3:
                end = place + rng.randint(1, 12)
                data[place:end] = rng.choice(TOKENS)
            case 4:
                del data[place:]
            case 5:
                data[place:place] = data[place : place + rng.randint(1, 40)]
            case 6:
                data[place:] = other[rng.randrange(len(other)) :]
            case _:
                digits = [n for n, byte in enumerate(data) if 48 <= byte <= 57]
                if digits:
                    data[rng.choice(digits)] = rng.randrange(48, 58)
    return bytes(data)


def check(rig: Rig) -> None:
    assert rig.feed.trusted == rig.feed_handler.good
    for ticker in rig.feed_handler.good & {A, B, C}:
        book = rig.feed_handler.books[ticker]
        assert book == rig.exchange.books[ticker], ticker
        for side in (book.yes, book.no):
            assert all(0 < price < PRICE_UNIT for price in side.prices)
            assert all(count > 0 for count in side.counts)


def fuzz(inputs: int, seed: int) -> int:
    """Deliver mutilated frames among true ones; return how many faults the feeds have counted."""
    faults = 0
    rng = random.Random(seed)
    seeds = [path.read_bytes() for path in frame_files()]
    rig = Rig(A, B)
    own: list[bytes] = []
    for number in range(inputs):
        rig.move(rng.choice([A, B]), 100 * rng.randint(38, 42), 100 * rng.randint(1, 9), rng.choice(list(Side)))
        true = rig.down.pop(0) if rig.down else b""
        if true:
            own = [*own[-20:], true]
        source = rng.choice(own if own and rng.random() < 0.7 else seeds)
        rig.feed.receive(mutilated(rng, source, rng.choice(seeds)))
        if true:
            rig.feed.receive(true)
        check(rig)
        if rng.random() < 0.3 or rig.feed_handler.good != {A, B}:
            rig.settle()
            check(rig)
        if rig.feed.failure:
            rig.feed.disconnected(rig.now, "The test hangs up.")
            rig.exchange.history.clear()
            rig.down.clear()
            faults += rig.feed.faults
            rig = Rig(A, B)
        if number % 50 == 0:
            rig.tick(31)
            rig.settle()
            rig.down.clear()
    rig.tick(31)
    rig.settle()
    return faults + rig.feed.faults


def test_mutilated_frames_neither_crash_nor_make_a_wrong_book_trusted() -> None:
    assert fuzz(10_000, 1)


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(10))
def test_a_million_mutilated_frames(part: int) -> None:
    assert fuzz(100_000, 100 + part)
