"""A field of a frame that is null costs what the field says, at most its frame, and no book."""

import json
from collections import Counter
from collections.abc import Sized
from typing import Any

import pytest

from kalshi_tui.kalshi.feed.subscription import Happening
from kalshi_tui.kalshi.wire import Channel
from tests.support.captures import frame_files
from tests.support.feed_rig import A, B, Rig

CHANNELS = {
    "fill": Channel.FILL,
    "market_position": Channel.POSITIONS,
    "ticker": Channel.TICKER,
    "trade": Channel.TRADE,
    "user_order": Channel.ORDERS,
}
MATTER = {
    "ticker": {"market_ticker"},
    "fill": {
        "trade_id", "order_id", "market_ticker", "is_taker", "book_side", "yes_price_dollars", "count_fp", "fee_cost",
    },
}  # fmt: skip
"""The fields without which nothing can be said: then the frame is left out."""


def prepared() -> Rig:
    rig = Rig(A, B)
    rig.feed.want_quotes([A, B])
    rig.feed.want_trades([A, B])
    rig.feed.want_account()
    rig.settle()
    return rig


def frame_of(rig: Rig, kind: str) -> dict[str, Any]:
    """Return the frame of a kind as the exchange would send it now."""
    frame: dict[str, Any] = json.loads(next(each for each in frame_files() if each.stem == kind).read_text())
    subscription = next(each for each in rig.exchange.subscriptions.values() if each.channel == CHANNELS[kind])
    if "market_ticker" in frame["msg"]:
        frame["msg"]["market_ticker"] = A
    return frame | {"sid": subscription.sid} | ({"seq": subscription.number()} if "seq" in frame else {})


@pytest.mark.parametrize(("kind", "least"), [("fill", 16), ("ticker", 11), ("user_order", 15), ("market_position", 6)])
def test_a_null_field_makes_no_book_stale_and_loses_no_news_without_a_word(kind: str, least: int) -> None:
    fields = list(frame_of(prepared(), kind)["msg"])
    assert len(fields) >= least
    counts: Counter[str] = Counter()
    for field in fields:
        rig = prepared()
        frame = frame_of(rig, kind)
        frame["msg"][field] = None
        handler = rig.feed_handler
        kinds: dict[str, Sized] = {
            "fill": handler.fills, "user_order": handler.orders,
            "market_position": handler.positions, "ticker": handler.quotes,
        }  # fmt: skip
        came = kinds[kind]
        before = len(came)
        rig.reports.clear()
        rig.feed.receive(json.dumps(frame))
        assert rig.feed.trusted == handler.good == {A, B}, field
        assert rig.feed.faults == 0, field
        taken = len(came) > before
        if kind in MATTER:
            assert taken is (field not in MATTER[kind]), field
        if not taken and kind != "ticker":
            assert [each.channel for each in rig.reports.of(Happening.MISSED)] == [CHANNELS[kind]], field
        counts["taken" if taken else "left out"] += 1
        # The stream goes on: the next change of each book is counted.
        rig.move(A)
        rig.move(B)
        rig.settle()
        rig.assert_right(A, B)
    assert counts["taken"], counts


def test_a_null_field_of_a_change_that_it_can_do_without_leaves_the_book_good() -> None:
    rig = prepared()
    for field in ("ts_ms", "ts", "client_order_id"):
        rig.move(A)
        frame = json.loads(rig.down.pop())
        frame["msg"][field] = None
        rig.feed.receive(json.dumps(frame))
        rig.settle()
        rig.assert_right(A, B)
    assert rig.feed.faults == 0
