"""What is replayed is what was recorded: books, tapes, quotes; at every instant, and on every machine alike."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.replay.recorded_world import ReplayWorld
from kalshi_tui.practice.server import encode_frames
from kalshi_tui.recording.checker import book_levels, books_digest, check_recording
from kalshi_tui.recording.reader import Record
from kalshi_tui.recording.verifier import RecordingVerifier
from kalshi_tui.recording.writer import RecordingWriter, RecordKind
from tests.support.budget import examples
from tests.support.recordings import (
    BEGAN_MS,
    Hand,
    Studio,
    a_recording,
    a_replay,
    the_records,
)


def played_levels(world: ReplayWorld) -> dict[str, Any]:
    return {ticker: listing.levels() for ticker, listing in world.exchange.markets.listings.items()}


def play_out(world: ReplayWorld, timer: Hand) -> None:
    for _ in range(100_000):
        if world.ended:
            return
        timer.now += 20
        world.step()
        world.exchange.drain_events()
    raise AssertionError("it never ended")


@pytest.mark.parametrize("yes_price", [False, True])
def test_the_last_books_quotes_and_tapes_are_those_of_the_exchange(tmp_path: Path, *, yes_price: bool) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", yes_price=yes_price)
    world, timer = a_replay(studio.path)
    play_out(world, timer)
    assert played_levels(world) == studio.levels()
    for ticker, listing in studio.exchange.markets.listings.items():
        played = world.exchange.markets.listings[ticker]
        assert encode_frames.ticker(played, 0) == encode_frames.ticker(listing, 0) or not listing.volume
        told = [trade for trade in listing.tape if trade.ts_ms > BEGAN_MS]
        assert list(played.tape) == told
    assert sum(len(listing.tape) for listing in studio.exchange.markets.ranked_listings) > 10


def test_at_every_record_the_played_books_are_the_recorded_ones(tmp_path: Path) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", ms=2_000)
    world, _ = a_replay(studio.path, paused=True)
    seen = world.recorded_state.verifier.frames
    assert seen == 6 + len(studio.tickers), "it begins where its first books are there"
    while not world.ended:
        world.step_frames(1)
        recorded = {ticker: book_levels(book) for ticker, book in world.recorded_state.verifier.books.items()}
        assert {ticker: world.exchange.markets.listings[ticker].levels() for ticker in recorded} == recorded
        seen += 1
    assert seen == check_recording(studio.path).frames
    assert played_levels(world) == studio.levels()


@pytest.mark.parametrize("yes_price", [False, True])
def test_a_recording_checks_clean_and_its_digest_is_that_of_the_exchange_s_books(
    tmp_path: Path, *, yes_price: bool
) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", yes_price=yes_price)
    found = check_recording(studio.path)
    assert found.clean
    assert found.whole
    assert found.markets == len(studio.tickers)
    assert found.books == books_digest(studio.levels())


def test_both_readings_of_one_market_have_the_same_states(tmp_path: Path) -> None:
    found = [
        check_recording(a_recording(tmp_path / f"{yes_price}.rec.gz", yes_price=yes_price).path)
        for yes_price in (False, True)
    ]
    assert found[0].states == found[1].states
    assert found[0].books == found[1].books


def test_the_words_of_a_reading_that_is_none_are_a_fault_and_no_crash() -> None:
    verifier = RecordingVerifier()
    for number, payload in enumerate((b'["maybe"]', b"{}", b"[]", b"")):
        verifier.apply(Record(RecordKind.READING, number, 1, payload))
    assert len(verifier.faults) == 4


@pytest.mark.parametrize("speed", [0.0, 1.0, 7.5, 1000.0])
def test_any_speed_ends_at_the_same_books(tmp_path: Path, speed: float) -> None:
    studio = a_recording(tmp_path / "a.rec.gz")
    world, timer = a_replay(studio.path, speed=speed)
    play_out(world, timer)
    assert books_digest(played_levels(world)) == check_recording(studio.path).books


def told(world: ReplayWorld) -> list[str]:
    """Play frame by frame, and give all that the exchange has to tell."""
    said: list[str] = []
    while not world.ended:
        world.step_frames(1)
        said += [repr(event) for event in world.exchange.drain_events()]
    return said


def test_two_replays_tell_the_same_event_for_event(tmp_path: Path) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", ms=1_500)
    first, second = (a_replay(studio.path, paused=True)[0] for _ in range(2))
    said = told(first)
    assert said == told(second)
    assert len(said) > 500
    assert check_recording(studio.path) == check_recording(studio.path)


def test_a_recording_that_begins_in_the_middle_has_the_books_that_were_there(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "a.rec.gz", rate=600)
    studio.list_markets()
    studio.connect()
    studio.run(500)
    later = tmp_path / "b.rec.gz"
    recording = RecordingWriter(later, clock_ms=studio.clock, timer_s=studio.clock.timer_s)
    studio.recording = recording
    studio.list_markets()
    sids = {sid: (each.channel, each.seq + 1) for sid, each in studio.connection.subscriptions.items()}
    studio.tap = recording.tap()
    studio.tap.begin(sids)
    studio.tap.record_wanted(studio.tickers)
    for ticker in studio.tickers:
        studio.tap.record_book(encode_frames.snapshot(studio.exchange.markets.listings[ticker], flipped=False))
    studio.run(1_000)
    recording.close()
    world, timer = a_replay(later)
    play_out(world, timer)
    assert played_levels(world) == studio.levels()
    assert check_recording(later).clean


def test_a_gap_leaves_books_as_they_were_until_their_snapshots(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "a.rec.gz", rate=600)
    studio.list_markets()
    studio.connect()
    studio.run(600)
    studio.connection.frame_faults["skip"] = 3
    studio.run(600)
    book = studio.connection.by_channel["orderbook_delta"]
    studio.command("update_subscription", sids=[book.sid], action="get_snapshot", market_tickers=studio.tickers)
    studio.run(200)
    studio.recording.close()
    found = check_recording(studio.path)
    assert found.gaps > 0
    assert not found.clean
    assert found.fault_count == 0
    world, timer = a_replay(studio.path)
    play_out(world, timer)
    assert played_levels(world) == studio.levels()


def test_a_book_that_is_followed_no_more_is_empty_and_comes_back(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "a.rec.gz", rate=600)
    studio.list_markets()
    studio.connect()
    studio.run(300)
    gone, kept = studio.tickers[0], studio.tickers[1:]
    sid = studio.connection.by_channel["orderbook_delta"].sid
    studio.tap.record_wanted(kept)
    studio.command("update_subscription", sids=[sid], action="delete_markets", market_tickers=[gone])
    studio.run(300)
    middle = studio.clock()
    studio.tap.record_wanted(studio.tickers)
    studio.command("update_subscription", sids=[sid], action="add_markets", market_tickers=[gone])
    studio.run(300)
    studio.recording.close()
    world, timer = a_replay(studio.path)
    while world.now_ms < middle - 20:
        timer.now += 10
        world.step()
    assert world.exchange.markets.listings[gone].levels() == ([], [])
    play_out(world, timer)
    assert played_levels(world) == studio.levels()
    assert check_recording(studio.path).clean


async def test_a_seek_shows_what_playing_up_to_there_shows(tmp_path: Path) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", ms=3_000)
    world, timer = a_replay(studio.path)
    other, other_timer = a_replay(studio.path)
    for target in (2_500, 700, 1_900, 0, 3_000):
        await world.seek(BEGAN_MS + target)
        fresh, fresh_timer = a_replay(studio.path)
        while fresh.now_ms < BEGAN_MS + target:
            fresh_timer.now += 10
            fresh.step()
        if target:
            assert played_levels(world) == played_levels(fresh)
        for ticker, listing in fresh.exchange.markets.listings.items():
            assert list(world.exchange.markets.listings[ticker].tape) == list(listing.tape)
            assert world.exchange.markets.listings[ticker].status is listing.status
            assert encode_frames.ticker(world.exchange.markets.listings[ticker], 0) == encode_frames.ticker(listing, 0)
    await world.seek(BEGAN_MS + 1_000)
    play_out(world, timer)
    play_out(other, other_timer)
    assert played_levels(world) == played_levels(other) == studio.levels()


async def test_what_a_seek_tells_brings_a_listener_s_books_there(tmp_path: Path) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", ms=3_000)
    world, timer = a_replay(studio.path)
    books = {ticker: Book() for ticker in studio.tickers}

    def hear() -> None:
        for event in world.exchange.drain_events():
            if type(event).__name__ == "BookChanged":
                books[event.ticker].apply(event.side, event.price, event.delta)  # type: ignore[union-attr]

    for ticker, listing in world.exchange.markets.listings.items():
        books[ticker].snapshot(*listing.levels())
    world.exchange.drain_events()
    for target in (2_000, 500, 2_800):
        await world.seek(BEGAN_MS + target)
        hear()
        assert {ticker: book_levels(book) for ticker, book in books.items()} == played_levels(world)
        timer.now += 300
        world.step()
        hear()
        assert {ticker: book_levels(book) for ticker, book in books.items()} == played_levels(world)


async def test_requests_are_answered_during_a_seek(tmp_path: Path) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", ms=3_000)
    timer = Hand(0)
    world = ReplayWorld(studio.path, seed=7, timer_s=lambda: ticking(timer))
    world.start()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await world.seek(BEGAN_MS + 2_900)
    beside.cancel()
    assert turns > 10


async def test_a_place_far_into_it_is_reached_after_the_start(tmp_path: Path) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", ms=3_000)
    timer = Hand(0)
    world = ReplayWorld(studio.path, seed=7, timer_s=lambda: slow(timer), at="2s", paused=True)
    world.start()
    before = world.has_pending_seek
    await world.finish_pending_seek()
    assert (before, world.has_pending_seek) == (True, False)
    assert (world.now_ms, world.state().seeks) == (BEGAN_MS + 2_000, 1)
    direct, _ = a_replay(studio.path, at="2s", paused=True)
    assert not direct.has_pending_seek
    assert played_levels(world) == played_levels(direct)
    assert world.recorded_state.record_count == direct.recorded_state.record_count


def slow(timer: Hand) -> float:
    timer.now += 2_000
    return timer.timer_s()


def ticking(timer: Hand) -> float:
    timer.now += 20
    return timer.timer_s()


CHANGES = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 9), st.integers(-4, 6), st.integers(0, 40)), max_size=80
)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, snapshots=st.sets(st.integers(0, 79), max_size=3))
def test_any_recorded_changes_stand_in_the_engine_as_in_a_book(
    tmp_path: Path, changes: list[tuple[Side, int, int, int]], snapshots: set[int]
) -> None:
    """Crossed books too: between two frames of one trade a recorded book can be that."""
    path = tmp_path / "h.rec.gz"
    path.unlink(missing_ok=True)
    studio = Studio(path, quiet=True)
    ticker = studio.tickers[0]
    studio.list_markets([ticker])
    tap, book, seq = studio.tap, Book(), 1
    tap.begin({1: ("orderbook_delta", 1)})
    tap.record_wanted([ticker])

    def snapshot() -> None:
        yes, no = (
            [(f"0.{price // 100:02}", f"{count / 100:.2f}") for price, count in each] for each in book_levels(book)
        )
        msg = wire.SnapshotMsg(market_ticker=ticker, yes_dollars_fp=yes, no_dollars_fp=no)
        tap.record_frame(wire.encode(wire.SnapshotFrame(sid=1, seq=seq, msg=msg)))

    snapshot()
    for number, (side, price, count, wait) in enumerate(changes):
        studio.clock.now += wait
        delta = max(count * 100, -book.side(side).count_at(price * 1_000))
        if delta:
            seq += 1
            book.apply(side, price * 1_000, delta)
            msg = wire.DeltaMsg(
                market_ticker=ticker, price_dollars=f"0.{price}0", delta_fp=f"{delta / 100:.2f}", side=side
            )
            tap.record_frame(wire.encode(wire.DeltaFrame(sid=1, seq=seq, msg=msg)))
        if number in snapshots:
            seq += 1
            snapshot()
    studio.recording.close()
    world, _ = a_replay(path, paused=True)
    while not world.ended:
        world.step_frames(1)
        assert world.exchange.markets.listings[ticker].levels() == book_levels(
            world.recorded_state.verifier.books[ticker]
        )
    assert world.exchange.markets.listings[ticker].levels() == book_levels(book)
    assert [record.kind for record in the_records(path)].count(RecordKind.FRAME) >= 1
