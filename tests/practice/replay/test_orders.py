"""A trader's orders against a recorded book: they take, they wait their turn, they fill by what was recorded."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import BookSide, TimeInForce
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.market_outcome import binary_outcome
from kalshi_tui.practice.engine.records import OrderRequest, OrderStatus
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.replay.recorded_world import ReplayWorld
from tests.support.recordings import (
    BEGAN_MS,
    US,
    Studio,
    a_recording,
    a_replay,
)

YES_BIDS = (("0.4000", "50.00"), ("0.3900", "100.00"))
NO_BIDS = (("0.5500", "60.00"), ("0.5400", "30.00"))
"""YES asks at 0.45 and 0.46."""


class RecordedMarket:
    """A recording of one market, written frame by frame, and its replay, stepped frame by frame."""

    def __init__(self, path: Path) -> None:
        self._studio = Studio(path, quiet=True)
        self.ticker = next(
            each for each in self._studio.tickers if "linear" in self._studio.exchange.markets.listings[each].structure
        )
        self._studio.list_markets([self.ticker])
        self._studio.tap.begin({1: ("orderbook_delta", 1), 2: ("trade", 1), 3: ("ticker", None)})
        self._studio.tap.record_wanted([self.ticker])
        self._seq = 0
        self._trades = 0
        self._world: ReplayWorld | None = None
        self.snapshot()

    def snapshot(self, yes: Any = YES_BIDS, no: Any = NO_BIDS) -> None:
        self._seq += 1
        msg = wire.SnapshotMsg(market_ticker=self.ticker, yes_dollars_fp=list(yes), no_dollars_fp=list(no))
        self._frame(wire.SnapshotFrame(sid=1, seq=self._seq, msg=msg))

    def delta(self, side: Side, price: str, by: str) -> None:
        self._seq += 1
        msg = wire.DeltaMsg(market_ticker=self.ticker, price_dollars=price, delta_fp=by, side=side)
        self._frame(wire.DeltaFrame(sid=1, seq=self._seq, msg=msg))

    def trade(self, yes_price: str, count: str, taker: str) -> None:
        self._trades += 1
        msg = wire.TradeMsg(
            trade_id=f"recorded-{self._trades}",
            market_ticker=self.ticker,
            yes_price_dollars=yes_price,
            count_fp=count,
            taker_book_side=taker,
            ts_ms=self._studio.clock(),
        )
        self._frame(wire.TradeFrame(sid=2, seq=self._trades, msg=msg))

    def wait(self, ms: int) -> None:
        self._studio.clock.now += ms

    def _frame(self, frame: Any) -> None:
        self._studio.tap.record_frame(wire.encode(frame))
        self._studio.clock.now += 1

    def play(self) -> ReplayWorld:
        """End the recording, and stand behind its first snapshot."""
        self._studio.recording.close()
        self._world, _ = a_replay(self._studio.path, paused=True)
        return self._world

    @property
    def world(self) -> ReplayWorld:
        return self._world or self.play()

    def step(self, frames: int = 1) -> None:
        self.world.step_frames(frames)

    def order(self, side: BookSide, price: int, count: int, tif: TimeInForce = TimeInForce.GTC, **more: Any) -> str:
        """Send an order for so many contracts; give its id."""
        request = OrderRequest(self.ticker, side, count * 100, price, tif, **more)
        return self.world.exchange.order_entry.create(US, request).order_id

    def filled(self, order_id: str) -> int:
        """Return how many contracts of an order have filled."""
        return self.world.exchange.queries.order(US, order_id).filled // 100

    def ahead(self, order_id: str) -> int:
        return self.world.exchange.queries.queue_position(US, order_id).count_ahead // 100

    def at(self, side: Side, price: int) -> int:
        """Return how many contracts stand at a price."""
        yes, no = self.world.exchange.queries.book(self.ticker)
        return dict(yes if side is Side.YES else no).get(price, 0) // 100


@pytest.fixture
def recorded(tmp_path: Path) -> RecordedMarket:
    return RecordedMarket(tmp_path / "stage.rec.gz")


def test_an_order_takes_what_was_recorded_and_it_stays_taken(recorded: RecordedMarket) -> None:
    recorded.delta(Side.NO, "0.5500", "5.00")
    recorded.delta(Side.NO, "0.5500", "-40.00")
    recorded.snapshot()
    recorded.play()
    order = recorded.order(BookSide.BID, 4_500, 25)
    assert recorded.filled(order) == 25
    assert recorded.at(Side.NO, 5_500) == 35
    recorded.step()
    assert recorded.at(Side.NO, 5_500) == 40, "what comes stands, what was taken does not"
    recorded.step()
    assert recorded.at(Side.NO, 5_500) == 25, "recorded are 25: no more than that is left"
    recorded.step()
    assert recorded.at(Side.NO, 5_500) == 60, "a snapshot restores"
    held = recorded.world.exchange.queries.positions(US)
    assert [(each.ticker, each.count) for each in held] == [(recorded.ticker, 2_500)]


def test_a_taker_that_is_larger_than_the_level_goes_on_to_the_next_and_rests(recorded: RecordedMarket) -> None:
    recorded.play()
    order = recorded.order(BookSide.BID, 4_600, 100)
    assert recorded.filled(order) == 90
    assert recorded.at(Side.YES, 4_600) == 10
    assert recorded.world.exchange.queries.book(recorded.ticker)[1] == []


def test_an_order_joins_behind_what_stands_there_and_what_leaves_works_it_forward(recorded: RecordedMarket) -> None:
    recorded.delta(Side.YES, "0.4000", "20.00")
    recorded.delta(Side.YES, "0.4000", "-30.00")
    recorded.play()
    order = recorded.order(BookSide.BID, 4_000, 10)
    assert recorded.ahead(order) == 50
    assert recorded.at(Side.YES, 4_000) == 60
    recorded.step()
    assert recorded.ahead(order) == 50, "what comes later stands behind"
    assert recorded.at(Side.YES, 4_000) == 80
    recorded.step()
    assert recorded.ahead(order) == 20
    assert recorded.filled(order) == 0


@pytest.mark.parametrize("trade_first", [True, False])
def test_a_recorded_trade_fills_what_is_left_behind_those_ahead(recorded: RecordedMarket, trade_first: bool) -> None:
    """Trade and change of the level come on two subscriptions, in any order: 50 are ahead, so 53 fill 3."""
    recorded.delta(Side.YES, "0.4000", "40.00")

    def one() -> None:
        recorded.trade("0.4000", "53.00", "ask")

    def other() -> None:
        recorded.delta(Side.YES, "0.4000", "-53.00")

    for act in (one, other) if trade_first else (other, one):
        act()
    recorded.trade("0.4000", "4.00", "ask")
    recorded.delta(Side.YES, "0.4000", "-4.00")
    recorded.play()
    order = recorded.order(BookSide.BID, 4_000, 10)
    recorded.step(3)
    assert recorded.filled(order) == 3
    assert recorded.at(Side.YES, 4_000) == 37 + 7
    recorded.step()
    assert recorded.filled(order) == 7, "nobody is ahead any more"
    recorded.step()
    assert recorded.at(Side.YES, 4_000) == 33 + 3


@pytest.mark.parametrize("trade_first", [True, False])
def test_two_orders_keep_their_turns(recorded: RecordedMarket, trade_first: bool) -> None:
    """The queue is 50 recorded, 10 of ours, 20 recorded, 10 of ours: 75 traded end before our second order."""
    recorded.delta(Side.YES, "0.4000", "20.00")
    if trade_first:
        recorded.trade("0.4000", "75.00", "ask")
        recorded.delta(Side.YES, "0.4000", "-70.00")
    else:
        recorded.delta(Side.YES, "0.4000", "-70.00")
        recorded.trade("0.4000", "75.00", "ask")
    recorded.play()
    first = recorded.order(BookSide.BID, 4_000, 10)
    recorded.step()
    second = recorded.order(BookSide.BID, 4_000, 10)
    assert recorded.ahead(second) == 80
    recorded.step(2)
    assert recorded.filled(first) == 10
    assert recorded.filled(second) == 0


def test_cancels_that_were_long_ago_do_not_count_as_traded(recorded: RecordedMarket) -> None:
    recorded.delta(Side.YES, "0.4000", "-50.00")
    recorded.wait(5_000)
    recorded.trade("0.4000", "4.00", "ask")
    recorded.play()
    order = recorded.order(BookSide.BID, 4_000, 10)
    recorded.step()
    assert recorded.ahead(order) == 0
    recorded.step()
    assert recorded.filled(order) == 4


def test_a_trade_at_a_worse_price_fills_at_the_orders_own(recorded: RecordedMarket) -> None:
    recorded.trade("0.3900", "12.00", "ask")
    recorded.play()
    order = recorded.order(BookSide.BID, 4_000, 10)
    recorded.step()
    assert recorded.filled(order) == 10
    (fill,) = recorded.world.exchange.queries.fills(US)
    assert (fill.price, fill.count, fill.is_taker) == (4_000, 1_000, False)


def test_a_trade_at_a_better_price_or_on_the_other_side_fills_nothing(recorded: RecordedMarket) -> None:
    recorded.trade("0.4100", "12.00", "ask")
    recorded.trade("0.4000", "12.00", "bid")
    recorded.play()
    order = recorded.order(BookSide.BID, 4_000, 10)
    recorded.step(2)
    assert recorded.filled(order) == 0


def test_asks_wait_their_turn_too(recorded: RecordedMarket) -> None:
    recorded.trade("0.4500", "63.00", "bid")
    recorded.play()
    order = recorded.order(BookSide.ASK, 4_500, 5)
    assert recorded.ahead(order) == 60
    recorded.step()
    assert recorded.filled(order) == 3


def test_recorded_orders_that_come_to_meet_ours_trade_with_them(recorded: RecordedMarket) -> None:
    """Ours improves the market; later the other side comes there: it would have traded with us."""
    recorded.delta(Side.NO, "0.5800", "6.00")
    recorded.play()
    order = recorded.order(BookSide.BID, 4_200, 10)
    recorded.step()
    assert recorded.filled(order) == 6
    assert recorded.at(Side.NO, 5_800) == 0
    assert recorded.at(Side.YES, 4_200) == 4


def test_the_recording_s_own_trades_and_those_of_ours_are_on_the_tape(recorded: RecordedMarket) -> None:
    recorded.trade("0.4000", "53.00", "ask")
    recorded.play()
    recorded.order(BookSide.BID, 4_000, 10)
    recorded.step()
    tape = list(recorded.world.exchange.queries.trades(recorded.ticker))
    assert sorted(each.count for each in tape) == [300, 5_300]


def test_money_is_conserved(tmp_path: Path) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", ms=3_000, rate=2_000)
    world, _ = a_replay(studio.path, paused=True)
    exchange = world.exchange
    sent = 0
    while not world.ended:
        world.step_frames(20)
        for listing in exchange.markets.ranked_listings[:4]:
            bid, _, ask, _ = listing.top
            for side, price in ((BookSide.BID, bid), (BookSide.ASK, ask), (BookSide.BID, ask)):
                if price in listing.grid:
                    request = OrderRequest(listing.ticker, side, 300, price, TimeInForce.GTC)
                    with suppress(Rejection):
                        exchange.order_entry.create(US, request)
                        sent += 1
        for shard in exchange.ledger.collected_fees:
            assert exchange.ledger.total_money(shard) == exchange.ledger.deposited[shard]
    assert sent > 50
    assert any(not each.is_taker for each in exchange.queries.fills(US))
    assert any(each.is_taker for each in exchange.queries.fills(US))
    exchange.order_entry.cancel_all(US)
    for shard in exchange.ledger.collected_fees:
        assert exchange.ledger.total_money(shard) == exchange.ledger.deposited[shard]
    assert exchange.ledger.account(US).held == dict.fromkeys(exchange.ledger.account(US).held, 0)


async def test_a_seek_cancels_what_rests_and_keeps_what_is_held(recorded: RecordedMarket) -> None:
    recorded.delta(Side.YES, "0.4000", "20.00")
    world = recorded.play()
    taken = recorded.order(BookSide.BID, 4_500, 25)
    resting = recorded.order(BookSide.BID, 3_000, 10)
    cash = world.exchange.queries.balance(US).total
    await world.seek(BEGAN_MS)
    assert world.exchange.queries.order(US, resting).status is OrderStatus.CANCELED
    assert recorded.filled(taken) == 25
    assert [each.count for each in world.exchange.queries.positions(US)] == [2_500]
    assert world.exchange.queries.balance(US).total > cash, "what the resting order held is free again"
    assert "1 resting order canceled" in world.state().note
    assert recorded.at(Side.NO, 5_500) == 60


def test_a_market_that_closes_by_the_recordings_clock_takes_no_orders(tmp_path: Path) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", ms=500)
    world, _ = a_replay(studio.path)
    listing = world.exchange.markets.ranked_listings[0]
    with pytest.raises(Rejection):
        world.exchange.order_entry.create(US, OrderRequest("NONE", BookSide.BID, 100, 4_000, TimeInForce.GTC))
    world.now_ms = listing.close_ms + 2_000
    world.exchange.advance()
    with pytest.raises(Rejection) as refused:
        world.exchange.order_entry.create(US, OrderRequest(listing.ticker, BookSide.BID, 100, 5_000, TimeInForce.GTC))
    assert refused.value.code == "MARKET_INACTIVE"


def test_recorded_results_pay_positions(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "a.rec.gz", rate=600)
    studio.list_markets()
    studio.connect()
    studio.run(400)
    ticker = studio.tickers[0]
    studio.exchange.results.settle(
        ticker, None if studio.exchange.markets.listings[ticker].result else binary_outcome("yes")
    )
    studio.tell()
    studio.run(200)
    studio.recording.close()
    world, timer = a_replay(studio.path)
    listing = world.exchange.markets.listings[ticker]
    while world.now_ms < BEGAN_MS + 300:
        timer.now += 20
        world.step()
    ask = listing.top[2]
    world.exchange.order_entry.create(US, OrderRequest(ticker, BookSide.BID, 300, ask, TimeInForce.IOC))
    assert [each.count for each in world.exchange.queries.positions(US)] == [300]
    while not world.ended:
        timer.now += 20
        world.step()
    assert listing.status.value == "finalized"
    (paid,) = world.exchange.queries.settlements(US)
    assert paid.revenue == 300 * 10_000
