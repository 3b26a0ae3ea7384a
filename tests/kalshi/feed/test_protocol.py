import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from kalshi_tui.domain.book import Book, Level, Side
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.feed.protocol import FeedProtocol
from kalshi_tui.kalshi.feed.subscription import Happening, RecoveryPolicy
from kalshi_tui.kalshi.wire import Channel, ErrorCode
from tests.support.book_handler import BookHandler, Reports
from tests.support.budget import examples
from tests.support.captures import captured_frames, frame_files
from tests.support.feed_rig import A, B, C, Empty, Rig

# Subscribing.


def test_a_subscription_says_all_its_flags_and_its_book_is_right() -> None:
    rig = Rig(A, B)
    command = rig.commands("subscribe")[0]
    assert json.loads(wire.encode(command))["params"] == {
        "channels": ["orderbook_delta"],
        "market_tickers": [A, B],
        "use_yes_price": True,
        "skip_ticker_ack": True,
    }
    assert command.id >= 1
    rig.move(A)
    rig.move(B, side=Side.NO, price=5500, delta=-300)
    rig.settle()
    rig.assert_right(A, B)
    assert rig.feed.ready
    assert rig.feed.faults == 0
    assert rig.feed.last_ts_ms > 0


def test_the_account_is_subscribed_first_and_quotes_come_at_once() -> None:
    rig = Rig()
    rig.feed.want_quotes([A])
    rig.feed.want_trades([A])
    rig.feed.want_account()
    rig.feed.want_lifecycle()
    rig.feed.want_books([A])
    rig.feed.disconnected(0.0, "Gone.")
    rig.exchange.new_connection()
    rig.exchange.commands.clear()
    rig.feed.connected(1.0)
    ready = [rig.feed.ready]
    rig.settle()
    ready.append(rig.feed.ready)
    assert ready == [False, True]
    asked = [command.params.channels for command in rig.commands("subscribe") if command.params]
    assert asked == [
        ["user_orders"], ["fill"], ["market_positions"], ["market_lifecycle_v2"], ["orderbook_delta"], ["ticker"],
        ["trade"],
    ]  # fmt: skip
    ticker = json.loads(wire.encode(rig.commands("subscribe")[5]))["params"]
    assert ticker["send_initial_snapshot"] is True
    assert "market_tickers" not in json.loads(wire.encode(rig.commands("subscribe")[0]))["params"]
    assert len({command.id for command in rig.exchange.commands}) == len(rig.exchange.commands)


def test_markets_are_added_and_deleted_on_the_running_subscription() -> None:
    rig = Rig(A)
    rig.feed.want_books([A, B])
    rig.settle()
    rig.assert_right(A, B)
    rig.feed.want_books([B, C])
    rig.settle()
    rig.assert_right(B, C)
    assert "This market is no longer followed." in rig.feed_handler.whys
    actions = [command.params.action for command in rig.commands("update_subscription") if command.params]
    assert actions == ["add_markets", "add_markets", "delete_markets"]
    assert len(rig.commands("subscribe")) == 1
    rig.feed.want_books([])
    rig.settle()
    rig.assert_right()
    assert len(rig.commands("unsubscribe")) == 1
    assert rig.feed.faults == 0


def test_wishes_before_the_answer_wait_for_it() -> None:
    rig = Rig()
    rig.feed.want_books([A])
    rig.feed.want_books([B])
    rig.feed.want_books([B, C])
    rig.settle()
    rig.assert_right(B, C)
    assert rig.feed.faults == 0


def test_a_late_change_of_a_market_that_is_no_longer_wanted_is_passed_over() -> None:
    rig = Rig(A, B)
    rig.move(B)
    rig.feed.want_books([A])
    rig.settle()
    rig.assert_right(A)
    assert rig.feed.faults == 0


def test_quotes_of_all_markets_or_of_some() -> None:
    rig = Rig()
    rig.feed.want_quotes(None)
    rig.settle()
    rig.feed.want_quotes([A])
    rig.settle()
    rig.feed.want_quotes([A, B])
    rig.settle()
    names = [(command.cmd, (command.params or Empty).market_tickers or None) for command in rig.exchange.commands]
    assert names == [
        ("subscribe", None),
        ("unsubscribe", None),
        ("subscribe", [A]),
        ("update_subscription", [B]),
    ]


def test_many_markets_go_in_batches() -> None:
    rig = Rig(A, B, C, bounds=RecoveryPolicy(batch=1))
    rig.assert_right(A, B, C)
    assert len(rig.commands("add_markets")) == 2
    rig.feed.resync_books("For the test.")
    rig.settle()
    rig.assert_right(A, B, C)
    assert len(rig.commands("get_snapshot")) == 3


# Numbers.


def test_a_lost_frame_makes_every_book_of_the_subscription_stale_at_once_and_a_snapshot_heals_it() -> None:
    rig = Rig(A, B)
    rig.move(A)
    rig.down.pop()
    rig.move(B)
    rig.feed.receive(rig.down.pop(0))
    assert rig.feed_handler.good == set()
    assert rig.feed_handler.whys == ["1 of the exchange's messages were lost on the way."]
    rig.send()
    snapshot = rig.commands("get_snapshot")
    assert [command.params.market_tickers for command in snapshot if command.params] == [[A, B]]
    rig.now = 0.25
    rig.feed.tick(0.25)
    rig.settle()
    rig.assert_right(A, B)
    healed = rig.reports.of(Happening.HEALED)
    assert [report.elapsed for report in healed] == [0.25]
    assert rig.feed.healed == 1


@pytest.mark.parametrize("sequenced", ["ok", "error", "snapshot"])
def test_every_frame_that_carries_a_number_is_counted(sequenced: str) -> None:
    rig = Rig(A)
    sid = next(iter(rig.exchange.subscriptions))
    number = rig.exchange.subscriptions[sid].number()
    one_bid = wire.SnapshotMsg(market_ticker=A, no_dollars_fp=[("0.4500", "3.00")])
    frames = {
        "ok": wire.OkFrame(id=99, sid=sid, seq=number),
        "error": wire.ErrorFrame(sid=sid, seq=number, msg=wire.ErrorMsg(code=ErrorCode.GENERAL, msg="x")),
        "snapshot": wire.SnapshotFrame(sid=sid, seq=number, msg=one_bid),
    }
    rig.feed.receive(wire.encode(frames[sequenced]))
    rig.move(A)
    rig.settle()
    assert rig.feed.trusted == {A}
    assert rig.feed.faults == 0


def test_an_unknown_type_is_passed_over_where_no_book_can_miss_it() -> None:
    rig = Rig(A)
    rig.feed.want_lifecycle()
    rig.settle()
    books, lifecycle = rig.exchange.subscriptions.values()
    for frame in (
        {"type": "brand_new", "msg": {}},
        {"type": "brand_new", "sid": books.sid, "msg": {}},
        {"type": "brand_new", "sid": lifecycle.sid, "seq": lifecycle.number(), "msg": []},
        {"type": "brand_new", "sid": 99, "seq": 1, "msg": []},
    ):
        rig.feed.receive(json.dumps(frame))
    rig.move(A)
    rig.settle()
    rig.assert_right(A)
    assert rig.feed.faults == 0


# Numbered frames that do not belong: something else should have had their number.


def foreign(number: int, sid: int, lifecycle_sid: int) -> dict[str, Any]:
    delta = {"market_ticker": A, "price_dollars": "0.4000", "delta_fp": "1.00", "side": "yes", "ts_ms": 1}
    trade = {"trade_id": "t", "market_ticker": A, "yes_price_dollars": "0.4000", "count_fp": "1.00", "taker_side": "no"}
    return [
        {"type": "orderbook_delta", "sid": sid, "msg": delta | {"market_ticker": "KXa"}},
        {"type": "orderbook_delta", "sid": sid, "msg": delta | {"market_ticker": ""}},
        {"type": "orderbook_delta", "sid": sid, "msg": delta | {"market_ticker": C}},
        {"type": "orderbook_snapshot", "sid": sid, "msg": {"market_ticker": C}},
        {"type": "orderbook_snapshot", "sid": sid, "msg": {"market_ticker": ""}},
        {"type": "brand_new", "sid": sid, "msg": {}},
        {"type": "trade", "sid": sid, "msg": trade},
        {"type": "market_lifecycle_v2", "sid": sid, "msg": {"event_type": "activated", "market_ticker": A}},
        {"type": "event_lifecycle", "sid": sid, "msg": {"event_ticker": "KXE"}},
        {"type": "order_group_updates", "sid": sid, "msg": {"event_type": "created", "order_group_id": "g"}},
        {"type": "orderbook_delta", "sid": lifecycle_sid, "msg": delta},
        {"type": "orderbook_snapshot", "sid": lifecycle_sid, "msg": {"market_ticker": A}},
    ][number]


@pytest.mark.parametrize("number", range(12))
def test_a_numbered_frame_that_does_not_belong_makes_the_books_stale_and_they_heal(number: int) -> None:
    rig = Rig(A, B)
    rig.feed.want_lifecycle()
    rig.settle()
    books, lifecycle = rig.exchange.subscriptions.values()
    frame = foreign(number, books.sid, lifecycle.sid)
    assert rig.feed.trusted == {A, B}
    # The frame that it stands for was a change of a book, and nobody will send it again.
    assert len(rig.exchange.move(A, Side.YES, 4000, 500)) == 1
    took = books if frame["sid"] == books.sid else lifecycle
    frame["seq"] = books.seq if took is books else lifecycle.number()
    rig.feed.receive(json.dumps(frame))
    assert rig.feed_handler.good == rig.feed.trusted == set()
    rig.move(B)
    rig.settle()
    rig.assert_right(A, B)


def test_a_market_that_does_not_belong_and_comes_again_is_answered_with_a_new_subscription() -> None:
    rig = Rig(A, B)
    rig.feed.receive(on_the_books(rig, market_ticker="KXa"))
    rig.settle()
    rig.assert_right(A, B)
    rig.feed.receive(on_the_books(rig, market_ticker="KXa"))
    assert rig.feed_handler.good == set()
    rig.settle()
    rig.assert_right(A, B)
    assert len(rig.commands("unsubscribe")) == 1
    assert len(rig.commands("subscribe")) == 2


def test_frames_of_a_market_just_taken_out_are_awaited_and_later_ones_are_not() -> None:
    rig = Rig(A, B)
    rig.feed.want_books([A])
    rig.move(B)
    rig.settle()
    rig.feed.receive(on_the_books(rig, market_ticker=B))
    rig.tick(1)
    rig.feed.receive(on_the_books(rig, market_ticker=B))
    assert (rig.feed.faults, rig.feed_handler.good) == (0, {A})
    rig.tick(5)
    rig.feed.receive(on_the_books(rig, market_ticker=B))
    assert (rig.feed.faults, rig.feed_handler.good) == (1, set())
    rig.settle()
    rig.assert_right(A)


def test_a_market_taken_out_and_in_again_belongs() -> None:
    rig = Rig(A, B)
    for wanted in ([A], [A, B]):
        rig.feed.want_books(wanted)
        rig.settle()
    rig.tick(60)
    rig.move(B)
    rig.settle()
    rig.assert_right(A, B)
    assert rig.feed.faults == 0


def test_a_frame_that_comes_twice_or_late_is_dropped_and_distrusts() -> None:
    rig = Rig(A)
    rig.move(A)
    rig.move(A, price=4100)
    first, second = rig.down
    rig.down.clear()
    for data in (second, first):
        rig.feed.receive(data)
    assert rig.feed_handler.good == set()
    rig.settle()
    rig.assert_right(A)
    rig.move(A)
    rig.feed.receive(rig.down[0])
    rig.feed.receive(rig.down.pop())
    assert rig.feed_handler.good == set()
    rig.settle()
    rig.assert_right(A)


def test_however_many_gaps_come_one_recovery_is_in_flight() -> None:
    rig = Rig(A, B)
    for _ in range(20):
        rig.move(A)
        rig.down.pop()
        rig.move(B)
    frames, rig.down = rig.down, []
    for data in frames:
        rig.feed.receive(data)
    rig.send()
    assert len(rig.commands("get_snapshot")) == 1
    rig.settle()
    rig.assert_right(A, B)
    assert rig.feed.healed == 1


def test_a_gap_during_the_recovery_asks_again_for_what_it_spoiled() -> None:
    rig = Rig(A, B)
    rig.feed.resync_books("For the test.")
    rig.send()
    rig.move(A)
    rig.down.pop(1)
    rig.settle()
    assert rig.feed_handler.good == set()
    rig.tick(1.1)
    rig.settle()
    rig.assert_right(A, B)
    assert len(rig.commands("get_snapshot")) == 2
    assert not rig.commands("unsubscribe")


@pytest.mark.parametrize("number_taken", [True, False])
def test_a_requested_snapshot_heals_whether_or_not_it_takes_a_number(number_taken: bool) -> None:
    rig = Rig(A)
    rig.feed.resync_books("For the test.")
    rig.send()
    frame = json.loads(rig.down.pop())
    if not number_taken:
        frame["seq"] -= 1
        rig.exchange.subscriptions[frame["sid"]].seq -= 1
    rig.feed.receive(json.dumps(frame))
    rig.move(A)
    rig.settle()
    assert rig.feed.trusted == {A}
    assert rig.feed_handler.books[A] == rig.exchange.books[A]
    assert rig.feed.healed == 1


# Frames that make no sense.


def on_the_books(rig: Rig, **changes: Any) -> bytes:
    sid, subscription = next(iter(rig.exchange.subscriptions.items()))
    msg = {"market_ticker": A, "market_id": "", "price_dollars": "0.4000", "delta_fp": "1.00", "side": "yes", **changes}
    return json.dumps({"type": "orderbook_delta", "sid": sid, "seq": subscription.number(), "msg": msg}).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"delta_fp": "-99999.00"},
        {"price_dollars": "0.3900", "delta_fp": "-1.00"},
        {"price_dollars": "1.2000"},
        {"price_dollars": "0.00001"},
        {"price_dollars": ""},
        {"price_dollars": 0.4},
        {"delta_fp": "1e3"},
        {"delta_fp": "NaN"},
        {"delta_fp": None},
        {"side": "maybe"},
        {"market_ticker": 7},
    ],
)
def test_a_change_that_cannot_be_distrusts_and_heals(changes: dict[str, Any]) -> None:
    rig = Rig(A, B)
    rig.feed.receive(on_the_books(rig, **changes))
    assert rig.feed_handler.good == set()
    rig.settle()
    rig.assert_right(A, B)
    assert rig.feed.healed == 1


def test_the_lag_goes_by_when_a_frame_was_sent_and_only_without_that_by_its_change() -> None:
    rig = Rig(A)
    frame = json.loads(rig.exchange.move(A, Side.YES, 4000, 500)[0])
    frame["msg"]["ts_ms"], frame["sending_ts_ms"] = 1_800_000_000_000, 1_800_000_000_250
    rig.feed.receive(json.dumps(frame))
    assert rig.feed.last_sent_ms == 1_800_000_000_250
    frame = json.loads(rig.exchange.move(A, Side.YES, 4000, 600)[0])
    frame["msg"]["ts_ms"] = 1_800_000_001_000
    frame.pop("sending_ts_ms", None)
    rig.feed.receive(json.dumps(frame))
    assert rig.feed.last_sent_ms == 1_800_000_001_000


@pytest.mark.parametrize("ts_ms", [None, "soon", [], 1.5])
def test_a_change_whose_time_cannot_be_read_changes_the_book_all_the_same(ts_ms: Any) -> None:
    rig = Rig(A, B)
    frames = rig.exchange.move(A, Side.YES, 4000, 500)
    frame = json.loads(frames[0])
    frame["msg"]["ts_ms"] = ts_ms
    frame["sending_ts_ms"] = ts_ms
    rig.feed.receive(json.dumps(frame))
    rig.assert_right(A, B)
    rig.move(A)
    rig.settle()
    rig.assert_right(A, B)
    assert rig.feed.faults == 0
    told = [each.text for each in rig.reports.of(Happening.ALARM)]
    assert (len(told), all("ts_ms" in each for each in told)) == (0 if ts_ms is None else 2, True)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"7", b"[" * 100_000, '"\ud800"', b'{"type":7}']
)
def test_a_message_that_cannot_be_read_distrusts_everything_and_heals(data: bytes | str) -> None:
    rig = Rig(A, B)
    rig.feed.receive(data)
    assert rig.feed_handler.good == set()
    assert rig.reports.of(Happening.MISSED)
    rig.settle()
    rig.assert_right(A, B)


def test_a_change_before_its_snapshot_is_a_fault() -> None:
    rig = Rig(A)
    rig.feed.want_books([A, B])
    rig.send()
    ok, snapshot = rig.down
    rig.down.clear()
    rig.feed.receive(ok)
    frame = json.loads(snapshot)
    sid, subscription = next(iter(rig.exchange.subscriptions.items()))
    rig.feed.receive(json.dumps({"type": "ok", "sid": sid, "seq": frame["seq"]}))
    rig.feed.receive(on_the_books(rig, market_ticker=B))
    assert rig.feed_handler.good == set()
    assert "a change came before the order book itself" in rig.feed_handler.whys[-1]
    rig.exchange.history.clear()
    rig.settle()
    rig.assert_right(A, B)
    assert subscription.tickers == [A, B]


def test_levels_under_an_unknown_name_are_told_and_not_taken_for_an_empty_book() -> None:
    rig = Rig(A)
    rig.feed.resync_books("For the test.")
    rig.send()
    frame = json.loads(rig.down.pop())
    frame["msg"] = {"market_ticker": A, "yes_levels": [["0.4000", "1.00"]]}
    rig.feed.receive(json.dumps(frame))
    assert rig.feed_handler.good == set()
    rig.settle()
    rig.assert_right(A)


def quote(rig: Rig, size: str) -> None:
    """Tell a quote of A with this size of its bid."""
    sid = next(each.sid for each in rig.exchange.subscriptions.values() if each.channel == Channel.TICKER)
    msg = wire.TickerMsg(market_ticker=A, yes_bid_dollars="0.4100", yes_ask_dollars="0.4500", yes_bid_size_fp=size)
    rig.feed.receive(wire.encode(wire.TickerFrame(sid=sid, msg=msg)))


def test_an_empty_book_whose_quote_has_sizes_is_not_trusted() -> None:
    rig = Rig(A, B)
    rig.feed.want_quotes([A, B])
    rig.settle()
    quote(rig, "5.00")
    rig.exchange.books[A].snapshot([], [])
    rig.feed.resync_books("For the test.")
    rig.settle()
    rig.assert_right(B)
    assert "came empty, but its quote has sizes" in rig.reports.of(Happening.ALARM)[0].text
    quote(rig, "0.00")
    rig.tick(RecoveryPolicy().quarantine + 1)
    rig.settle()
    rig.assert_right(A, B)


def test_a_quote_from_before_a_market_was_left_says_nothing_of_its_book_later() -> None:
    rig = Rig(A, B)
    rig.feed.want_quotes([A, B])
    rig.settle()
    quote(rig, "5.00")
    rig.feed.want_books([B])
    rig.settle()
    quote(rig, "0.00")
    rig.exchange.books[A].snapshot([], [])
    rig.feed.want_books([A, B])
    rig.settle()
    rig.assert_right(A, B)
    assert not rig.reports.of(Happening.ALARM)


def test_a_snapshot_that_crosses_is_not_trusted() -> None:
    rig = Rig(A, B)
    sid, subscription = next(iter(rig.exchange.subscriptions.items()))
    # Crossed whichever way it is read.
    msg = {"market_ticker": A, "yes_dollars_fp": [["0.6000", "1.00"]], "no_dollars_fp": [["0.4500", "1.00"]]}
    rig.feed.receive(json.dumps({"type": "orderbook_snapshot", "sid": sid, "seq": subscription.number(), "msg": msg}))
    assert rig.feed_handler.good == set()
    assert "cross" in rig.feed_handler.whys[-1]
    rig.settle()
    rig.assert_right(A, B)
    assert rig.feed.reading is wire.BookReading.YES_PRICES


# In which prices NO levels stand.


def deep() -> Rig:
    """Return a rig whose books have NO bids far from the best one, as most have: the other way round they cross."""
    rig = Rig()
    for ticker in (A, B, C):
        rig.exchange.books[ticker].snapshot([(4000, 1000), (4100, 2000)], [(1000, 700), (5500, 300)])
    return rig


def heal(rig: Rig) -> None:
    for _ in range(200):
        rig.tick()
        rig.settle()


@pytest.mark.parametrize("ticker", [A, B])
def test_an_exchange_that_ignores_the_flag_is_noticed_and_read_the_other_way(ticker: str) -> None:
    rig = deep()
    rig.exchange.forced_yes_price = False
    rig.feed.want_books([A, B])
    rig.settle()
    heal(rig)
    assert rig.feed.reading is wire.BookReading.NO_PRICES
    rig.assert_right(A, B)
    (alarm,) = rig.reports.of(Happening.ALARM)
    assert "the exchange sends NO levels in NO prices now" in alarm.text
    rig.move(ticker, side=Side.NO, price=5500, delta=-100)
    rig.settle()
    rig.assert_right(A, B)


def test_a_flip_in_the_middle_is_noticed_either_way() -> None:
    rig = deep()
    rig.feed.want_books([A, B])
    rig.settle()
    for flipped in (False, True):
        rig.exchange.forced_yes_price = flipped
        for each in rig.exchange.subscriptions.values():
            each.yes_price = flipped
        # The level that is taken away stands at another price in the other reading: it would fall below nothing.
        rig.move(A, side=Side.NO, price=5500, delta=-100)
        rig.settle()
        heal(rig)
        assert rig.feed.reading is (wire.BookReading.YES_PRICES if flipped else wire.BookReading.NO_PRICES)
        rig.assert_right(A, B)


def quote_of(rig: Rig, ticker: str, yes_ask: str, size: str) -> bytes:
    sid = next(sid for sid, each in rig.exchange.subscriptions.items() if each.channel == Channel.TICKER)
    msg = wire.TickerMsg(
        market_ticker=ticker, yes_bid_dollars="0.0000", yes_bid_size_fp="0.00", yes_ask_dollars=yes_ask,
        yes_ask_size_fp=size, ts_ms=1,
    )  # fmt: skip
    return wire.encode(wire.TickerFrame(sid=sid, msg=msg))


@pytest.mark.parametrize("ignores", [False, True])
def test_a_book_with_one_side_alone_is_checked_against_the_quote(*, ignores: bool) -> None:
    rig = Rig()
    rig.exchange.forced_yes_price = not ignores
    for ticker in (A, B, C):
        rig.exchange.books[ticker].snapshot([], [(2_000, 700), (3_000, 500)])
    rig.feed.want_quotes([A, B, C])
    rig.feed.want_books([A, B, C])
    rig.settle()
    # Nothing is crossed: only the quote, whose ask is what the best NO bid implies, can say it.
    for ticker in (A, B):
        rig.feed.receive(quote_of(rig, ticker, "0.7000", "5.00"))
        rig.settle()
    heal(rig)
    assert rig.feed.reading is (wire.BookReading.NO_PRICES if ignores else wire.BookReading.YES_PRICES)
    assert rig.feed.faults == int(ignores)
    rig.assert_right(A, B, C)


def test_a_quote_that_fits_neither_reading_asks_for_few_snapshots_and_changes_nothing() -> None:
    rig = Rig()
    rig.exchange.books[A].snapshot([], [(2_000, 700), (3_000, 500)])
    rig.feed.want_quotes([A])
    rig.feed.want_books([A])
    rig.settle()
    for number in range(60):
        rig.feed.receive(quote_of(rig, A, "0.6000", f"{number + 1}.00"))
        rig.settle()
    assert rig.feed.reading is wire.BookReading.YES_PRICES
    assert rig.feed.faults == 0
    assert 1 <= len(rig.commands("get_snapshot")) <= 5


def test_frames_that_fit_no_reading_do_not_turn_it_for_ever() -> None:
    rig = Rig(A, B)
    for number in range(40):
        for each in rig.exchange.subscriptions.values():
            each.yes_price = bool(number % 2)
        rig.feed.resync_books("For the test.")
        rig.settle()
        rig.tick()
        rig.settle()
    assert sum("use_yes_price flipped" in report.text for report in rig.reports.of(Happening.ALARM)) <= 3


def test_a_market_whose_snapshots_never_make_sense_is_set_apart_and_the_others_live_on() -> None:
    rig = Rig(A, B)
    bad = {"market_ticker": A, "yes_dollars_fp": [["2.0000", "1.00"]]}

    def spoil() -> None:
        rig.send()
        while rig.down:
            frame = json.loads(rig.down.pop(0))
            if frame["type"] == "orderbook_snapshot" and frame["msg"]["market_ticker"] == A:
                frame["msg"] = bad
            rig.feed.receive(json.dumps(frame))
            rig.send()

    rig.feed.resync_books("For the test.")
    spoil()
    assert rig.feed.trusted == {B}
    assert rig.reports.of(Happening.ALARM)[0].tickers == (A,)
    rig.tick(1.5)
    spoil()
    assert rig.feed.trusted == {B}
    rig.tick(RecoveryPolicy().quarantine)
    spoil()
    assert rig.feed.trusted == {B}
    assert len(rig.reports.of(Happening.ALARM)) == 1
    rig.tick(RecoveryPolicy().quarantine + 1)
    rig.settle()
    rig.assert_right(A, B)


# Stronger repairs.


def test_snapshots_that_do_not_come_lead_to_a_new_subscription_then_to_a_reconnect() -> None:
    rig = Rig(A, B)
    old_sid = next(iter(rig.exchange.subscriptions))
    rig.exchange.mute_snapshots = True
    rig.feed.resync_books("For the test.")
    rig.send()
    rig.tick(0.5)
    assert not rig.commands("unsubscribe")
    rig.tick(0.6)
    assert [command.params.sids for command in rig.commands("unsubscribe") if command.params] == [[old_sid]]
    rig.now += 0.1
    for data in rig.down:
        if b"orderbook_snapshot" not in data:
            rig.feed.receive(data)
    rig.down.clear()
    rig.tick(2.8)
    broken = [rig.feed.failure]
    rig.tick(0.2)
    rig.tick(2.0)
    broken.append(rig.feed.failure)
    rig.feed.disconnected(rig.now, "Given up.")
    assert broken == ["", "No order books came after subscribing again."]
    assert rig.feed.failure == ""
    rig.exchange.new_connection()
    rig.down.clear()
    rig.feed.connected(rig.now)
    rig.settle()
    rig.assert_right(A, B)
    assert rig.reports.of(Happening.HEALED)[0].elapsed == pytest.approx(rig.now)


def test_frames_of_a_superseded_subscription_are_dropped() -> None:
    rig = Rig(A)
    old_sid, subscription = next(iter(rig.exchange.subscriptions.items()))
    rig.exchange.mute_snapshots = True
    rig.feed.resync_books("For the test.")
    rig.send()
    rig.tick(1.1)
    rig.settle()
    rig.assert_right(A)
    strangers = rig.feed.unknown_sid_frames
    msg = wire.SnapshotMsg(market_ticker=A, yes_dollars_fp=[("0.0100", "1.00")])
    rig.feed.receive(wire.encode(wire.SnapshotFrame(sid=old_sid, seq=subscription.number(), msg=msg)))
    assert rig.feed.unknown_sid_frames == strangers + 1
    rig.assert_right(A)


def test_a_subscribe_that_only_joins_a_running_subscription_fetches_snapshots_by_itself() -> None:
    rig = Rig(A)
    sid, subscription = next(iter(rig.exchange.subscriptions.items()))
    rig.feed.receive(wire.encode(wire.UnsubscribedFrame(sid=sid, seq=subscription.number())))
    assert rig.feed_handler.good == set()
    rig.tick(0.6)
    rig.settle()
    assert subscription.sid == next(iter(rig.exchange.subscriptions))
    rig.assert_right(A)


@pytest.mark.parametrize("code", [ErrorCode.CHANNEL_ERROR, ErrorCode.BUFFER_OVERFLOW])
def test_a_subscription_that_the_exchange_ends_is_made_anew_each_time_a_little_later(code: int) -> None:
    rig = Rig(A)
    waits = []
    for _ in range(3):
        rig.down += rig.exchange.end_subscription(Channel.BOOK, code)
        rig.settle()
        assert rig.feed_handler.good == set()
        began = rig.now
        while not rig.feed.trusted:
            rig.tick(0.1)
            rig.settle()
        waits.append(rig.now - began)
    rig.assert_right(A)
    assert waits == sorted(waits)
    assert waits[2] > waits[0]


def test_one_refused_market_among_many_is_found_and_the_others_are_followed() -> None:
    rig = Rig()
    rig.exchange.refuse[B] = ErrorCode.INVALID_PARAMETER
    rig.feed.want_books([A, B, C])
    rig.settle()
    rig.assert_right(A, C)
    refused = rig.reports.of(Happening.REFUSED)
    assert [report.tickers for report in refused] == [(B,)]
    rig.feed.want_books([A, B])
    rig.settle()
    rig.assert_right(A)
    assert len(rig.reports.of(Happening.REFUSED)) == 1


def test_a_full_connection_takes_what_it_can_and_tells_of_the_rest_once() -> None:
    rig = Rig()
    rig.exchange.most_markets = 2
    rig.feed.want_books([A, B, C])
    rig.settle()
    rig.assert_right(A, B)
    assert [report.tickers for report in rig.reports.of(Happening.FULL)] == [(C,)]
    assert rig.feed.ready


def test_a_command_that_comes_too_fast_is_sent_again_later() -> None:
    rig = Rig(A)
    rig.exchange.refuse[B] = ErrorCode.COMMAND_RATE
    rig.feed.want_books([A, B])
    rig.settle()
    rig.assert_right(A)
    del rig.exchange.refuse[B]
    rig.tick(0.1)
    rig.settle()
    rig.assert_right(A)
    rig.tick(0.5)
    rig.settle()
    rig.assert_right(A, B)


def test_a_channel_that_is_refused_is_told_and_left_alone() -> None:
    rig = Rig()
    rig.feed.want_account()
    for command in rig.feed.commands_to_send():
        found = wire.decode_command(command)
        rig.feed.receive(wire.encode(wire.ErrorFrame(id=found.id, msg=wire.ErrorMsg(code=9, msg="\x1bno"))))
    assert len(rig.reports.of(Happening.REFUSED)) == 3
    assert "\x1b" not in rig.reports[0].text
    rig.tick(60)
    assert rig.feed.commands_to_send() == []
    assert rig.feed.ready


def test_an_unanswered_subscribe_breaks_the_connection() -> None:
    rig = Rig()
    rig.feed.want_account()
    rig.feed.commands_to_send()
    rig.tick(4.9)
    assert not rig.feed.failure
    rig.tick(0.2)
    assert rig.feed.failure.endswith(".")


# The rest of the promise.


def test_after_a_disconnect_nothing_is_trusted_and_everything_comes_back() -> None:
    rig = Rig(A, B)
    rig.move(A)
    rig.feed.disconnected(rig.now, "The connection was lost.")
    assert rig.feed_handler.good == set()
    assert rig.feed_handler.whys == ["The connection was lost."]
    rig.down.clear()
    rig.exchange.new_connection()
    rig.feed.connected(2.0)
    rig.settle()
    rig.assert_right(A, B)
    assert rig.reports.of(Happening.HEALED)[0].elapsed == 2.0


def test_a_probe_is_answered_or_breaks_the_connection() -> None:
    for tickers in ((A,), ()):
        rig = Rig(*tickers)
        rig.feed.probe()
        rig.feed.probe()
        rig.send()
        assert len(rig.commands("get_snapshot" if tickers else "list_subscriptions")) == 1
        rig.settle()
        rig.tick(6)
        assert not rig.feed.failure
        rig.feed.probe()
        rig.feed.commands_to_send()
        rig.tick(6)
        assert "does not answer" in rig.feed.failure


def test_a_subscription_that_dies_without_a_word_is_found_out() -> None:
    rig = Rig(A, B)
    rig.exchange.end_subscription(Channel.BOOK, ErrorCode.BUFFER_OVERFLOW)
    rig.exchange.move(A, Side.YES, 4000, 100)
    rig.tick(0.1)
    rig.tick(RecoveryPolicy().quiet)
    rig.settle()
    rig.tick(RecoveryPolicy().quiet)
    rig.settle()
    rig.tick(1.0)
    rig.settle()
    rig.assert_right(A, B)


def test_a_quiet_market_stays_trusted() -> None:
    rig = Rig(A, B)
    for _ in range(300):
        rig.tick(1.0)
        rig.settle()
        rig.assert_right(A, B)
    assert rig.feed.faults == 0
    assert len(rig.commands("get_snapshot")) == 9


def test_a_silent_subscription_is_made_anew() -> None:
    rig = Rig(A)
    rig.exchange.mute_snapshots = True
    for _ in range(40):
        rig.tick(1.0)
        rig.settle()
    assert len(rig.commands("unsubscribe")) == 1
    rig.assert_right(A)


def test_an_audit_hands_over_a_snapshot_at_the_moment_that_it_holds() -> None:
    rig = Rig(A)
    answers: list[tuple[str, Any, Any]] = []
    same: list[bool] = []

    def compare(ticker: str, yes: Any, no: Any) -> None:
        answers.append((ticker, yes, no))
        if yes is not None:
            fresh = Book()
            fresh.snapshot(yes, no)
            same.append(fresh == rig.feed_handler.books[ticker])

    rig.move(A)
    rig.feed.audit(A, compare)
    rig.send()
    rig.move(A, price=4100)
    rig.settle()
    assert same == [True]
    rig.feed.audit(B, compare)
    assert answers[-1] == (B, None, None)
    rig.feed.audit(A, compare)
    rig.feed.disconnected(rig.now, "Gone.")
    assert answers[-1][1] is None
    assert same == [True]


@pytest.mark.parametrize("file", list(frame_files()), ids=lambda file: file.stem)
def test_every_message_type_reaches_the_sink_as_what_it_is(file: Any) -> None:
    frame = json.loads(file.read_text(encoding="utf-8"))
    rig = Rig()
    channels: dict[str, Callable[[], None]] = {
        "ticker": lambda: rig.feed.want_quotes(None),
        "trade": lambda: rig.feed.want_trades(None),
        "fill": rig.feed.want_account,
        "user_order": rig.feed.want_account,
        "market_position": rig.feed.want_account,
        "market_lifecycle_v2": rig.feed.want_lifecycle,
        "event_lifecycle": rig.feed.want_lifecycle,
        "event_fee_update": rig.feed.want_lifecycle,
    }
    channels.get(frame["type"], lambda: None)()
    rig.settle()
    names = {"user_order": "user_orders", "market_position": "market_positions"}
    channel = names.get(frame["type"], "market_lifecycle_v2" if "event_" in frame["type"] else frame["type"])
    mine = next((each for each in rig.exchange.subscriptions.values() if each.channel == channel), None)
    if mine is not None:
        frame["sid"] = mine.sid
        if "seq" in frame:
            frame["seq"] = mine.number()
    rig.feed.receive(json.dumps(frame))
    told = {
        "ticker": len(rig.feed_handler.quotes),
        "trade": len(rig.feed_handler.trades),
        "fill": len(rig.feed_handler.fills),
        "user_order": len(rig.feed_handler.orders),
        "market_position": len(rig.feed_handler.positions),
        "market_lifecycle_v2": len(rig.feed_handler.events),
    }
    assert {kind for kind, count in told.items() if count} == ({frame["type"]} & told.keys())
    assert rig.feed.faults == 0


def test_lost_trades_and_senseless_news_of_the_account_are_told_as_missed() -> None:
    rig = Rig(A)
    rig.feed.want_account()
    rig.feed.want_trades([A])
    rig.settle()
    by_channel = {each.channel: each for each in rig.exchange.subscriptions.values()}
    trade = json.loads((next(f for f in frame_files() if f.stem == "trade")).read_text(encoding="utf-8"))
    rig.feed.receive(json.dumps({**trade, "sid": by_channel["trade"].sid, "seq": 4}))
    order = json.loads((next(f for f in frame_files() if f.stem == "user_order")).read_text(encoding="utf-8"))
    order["sid"] = by_channel["user_orders"].sid
    order["msg"]["book_side"] = "sideways"
    rig.feed.receive(json.dumps(order))
    assert [report.channel for report in rig.reports.of(Happening.MISSED)] == ["trade", "user_orders"]
    assert len(rig.feed_handler.trades) == 1
    rig.assert_right(A)


def test_what_happened_between_the_end_of_a_subscription_and_the_next_is_missed_too() -> None:
    rig = Rig(A)
    rig.feed.want_account()
    rig.settle()
    sid = next(each.sid for each in rig.exchange.subscriptions.values() if each.channel == "user_orders")
    rig.feed.receive(json.dumps({"type": "error", "sid": sid, "msg": {"code": 25, "msg": "buffer overflow"}}))
    assert [report.channel for report in rig.reports.of(Happening.MISSED)] == ["user_orders"]
    rig.tick(RecoveryPolicy().longest)
    rig.settle()
    assert [report.channel for report in rig.reports.of(Happening.MISSED)] == ["user_orders", "user_orders"]
    rig.assert_right(A)


# The captured stream.


def replay(frames: list[dict[str, Any]], tickers: set[str]) -> tuple[FeedProtocol, BookHandler, Reports]:
    """Feed captured frames to a protocol that wants their markets, its ids made to fit."""
    feed_handler, reports = BookHandler(), Reports()
    # The captures are of the time before the flag was sent: NO levels in NO prices.
    policy, reading = RecoveryPolicy(batch=1), wire.BookReading.NO_PRICES
    feed = FeedProtocol(feed_handler, listener=reports.append, policy=policy, reading=reading)
    feed.want_books(tickers)
    feed.connected(0.0)
    for frame in frames:
        sent = frame
        if frame["type"] == "subscribed":
            sent = {**frame, "id": wire.decode_command(feed.commands_to_send()[0]).id}
        feed.receive(json.dumps(sent))
    return feed, feed_handler, reports


def markets_of(frames: list[dict[str, Any]]) -> set[str]:
    return {frame["msg"]["market_ticker"] for frame in frames if frame["type"] == "orderbook_snapshot"}


def recomputed(frames: list[dict[str, Any]]) -> dict[str, dict[str, dict[int, int]]]:
    """Build the books again from the frames, as plain dictionaries of ten-thousandths and hundredths."""
    books: dict[str, dict[str, dict[int, int]]] = {}
    for frame in frames:
        msg = frame["msg"]
        if frame["type"] == "orderbook_snapshot":
            books[msg["market_ticker"]] = {
                side: {
                    round(float(price) * 10_000): round(float(count) * 100)
                    for price, count in msg.get(f"{side}_dollars_fp", [])
                }
                for side in ("yes", "no")
            }
        elif frame["type"] == "orderbook_delta":
            side = books[msg["market_ticker"]][msg["side"]]
            price = round(float(msg["price_dollars"]) * 10_000)
            side[price] = side.get(price, 0) + round(float(msg["delta_fp"]) * 100)
            if not side[price]:
                del side[price]
    return books


def test_the_captured_stream_gives_exactly_the_books_that_it_describes() -> None:
    frames = captured_frames()
    feed, feed_handler, _ = replay(frames, markets_of(frames))
    numbers = [frame["seq"] for frame in frames if "seq" in frame]
    assert numbers == list(range(1, 140))
    assert feed.faults == 0
    books = recomputed(frames)
    assert feed.trusted == set(books) == feed_handler.good
    for ticker, sides in books.items():
        for name, levels in sides.items():
            bids = feed_handler.books[ticker].side(Side(name))
            assert dict(zip(bids.prices, bids.counts, strict=True)) == levels
            assert bids.best == (Level(max(levels), levels[max(levels)]) if levels else None)


def test_each_captured_frame_left_out_is_noticed_at_the_next_one() -> None:
    frames = captured_frames()
    tickers = markets_of(frames)
    sequenced = [place for place, frame in enumerate(frames) if "seq" in frame]
    for gone, following in pairwise(sequenced):
        before, _, _ = replay(frames[:gone] + frames[gone + 1 : following], tickers)
        assert before.faults == 0
        after, feed_handler, reports = replay(frames[:gone] + frames[gone + 1 : following + 1], tickers)
        assert after.faults >= 1
        survivor = frames[following]
        alive = {survivor["msg"]["market_ticker"]} if survivor["type"] == "orderbook_snapshot" else set()
        assert feed_handler.good == after.trusted == alive
        if following > sequenced[1]:
            assert reports.of(Happening.FAULT)


# Anything can come.


@settings(deadline=None, max_examples=examples(300))
@given(st.lists(st.binary(max_size=200), max_size=10))
def test_random_bytes_never_crash_and_never_make_a_book(messages: list[bytes]) -> None:
    rig = Rig(A)
    for data in messages:
        rig.feed.receive(data)
        rig.settle()
    rig.assert_right(A)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
text = st.text(max_size=6)
frame_fields = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(wire.FRAME_TYPES)) | st.text(max_size=10)},
    optional={
        "sid": st.integers(-1, 3) | json_values,
        "seq": st.integers(-1, 6) | json_values,
        "id": st.integers(0, 5) | json_values,
        "msg": st.fixed_dictionaries(
            {},
            optional={
                "market_ticker": st.sampled_from([A, B, "", "\x1b"]) | json_values,
                "price_dollars": st.sampled_from(["0.4000", "", "2", "-1"]) | json_values,
                "delta_fp": st.sampled_from(["1.00", "-5000.00", "x"]) | json_values,
                "side": st.sampled_from(["yes", "no", "both"]),
                "yes_dollars_fp": st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=3)
                | json_values,
                "code": st.integers(0, 30),
                "channel": st.sampled_from(["orderbook_delta", "ticker", "x"]),
                "sid": st.integers(0, 3),
                "status": st.text(max_size=10),
            },
        )
        | json_values,
    },
)


@settings(deadline=None, max_examples=examples(300))
@given(st.lists(frame_fields, max_size=8))
def test_frames_of_any_content_never_crash(frames: list[dict[str, Any]]) -> None:
    rig = Rig(A)
    rig.feed.want_account()
    rig.feed.want_quotes(None)
    rig.settle()
    for frame in frames:
        rig.feed.receive(json.dumps(frame))
        rig.tick()
    rig.feed.disconnected(rig.now, "Enough.")
    assert rig.feed_handler.good == set()


operations = st.one_of(
    st.tuples(
        st.just("move"),
        st.sampled_from([A, B, C]),
        st.sampled_from(list(Side)),
        st.integers(38, 52).map(lambda cents: cents * 100),
        st.integers(-20, 20).map(lambda count: count * 100),
    ),
    st.tuples(st.just("deliver"), st.integers(1, 6)),
    st.tuples(st.sampled_from(["drop", "double", "swap", "cut", "reconnect", "lose commands", "end", "settle"])),
    st.tuples(st.just("tick"), st.sampled_from([0.1, 0.6, 1.1, 3.5, 6.0])),
    st.tuples(st.just("want"), st.sets(st.sampled_from([A, B, C]))),
)


def check(rig: Rig) -> None:
    """A book that is trusted is what the exchange had sent by the last number that was counted."""
    assert rig.feed.trusted == rig.feed_handler.good
    books = rig.feed._book_subscription
    for ticker in rig.feed_handler.good:
        assert books.sid is not None
        assert books.expected is not None
        assert rig.exchange.state_at(books.sid, ticker, books.expected - 1) == rig.feed_handler.books[ticker].levels()


@settings(deadline=None, max_examples=examples(400))
@given(st.lists(operations, max_size=60))
@example([("move", A, Side.YES, 4000, 500), ("drop",), ("move", B, Side.YES, 4000, 500), ("deliver", 1)])
def test_whatever_happens_on_the_way_a_trusted_book_is_right_and_every_book_heals(steps: list[Any]) -> None:
    rig = Rig(A, B, C)
    for step in steps:
        match step:
            case ("move", ticker, side, price, delta):
                rig.move(ticker, price, delta, side)
            case ("deliver", count):
                for _ in range(min(count, len(rig.down))):
                    rig.feed.receive(rig.down.pop(0))
                    check(rig)
            case ("drop",):
                rig.down[:1] = []
            case ("double",):
                rig.down[:1] = rig.down[:1] * 2
            case ("swap",):
                rig.down[:2] = rig.down[:2][::-1]
            case ("cut",):
                rig.down[:1] = [data[: len(data) // 2] for data in rig.down[:1]]
            case ("reconnect",):
                reconnect(rig)
            case ("lose commands",):
                rig.feed.commands_to_send()
            case ("end",):
                rig.down += rig.exchange.end_subscription(Channel.BOOK, ErrorCode.BUFFER_OVERFLOW)
            case ("settle",):
                rig.settle()
            case ("tick", seconds):
                rig.tick(seconds)
            case ("want", tickers):
                rig.feed.want_books(tickers)
        rig.send()
        check(rig)
        if rig.feed.failure:
            reconnect(rig)
    rig.feed.want_books([A, B, C])
    for _ in range(1200):
        rig.settle()
        check(rig)
        if rig.feed.trusted == {A, B, C} and rig.feed_handler.books == rig.exchange.books:
            break
        rig.tick(0.1)
        if rig.feed.failure:
            reconnect(rig)
    rig.assert_right(A, B, C)


def reconnect(rig: Rig) -> None:
    rig.feed.disconnected(rig.now, "Cut.")
    assert rig.feed_handler.good == set()
    rig.down.clear()
    rig.exchange.new_connection()
    rig.feed.connected(rig.now)
