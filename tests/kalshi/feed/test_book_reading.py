"""In which prices NO levels stand, on a real practice server: asked for, ignored, flipped; what a recording says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Book
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.wire import BookReading
from kalshi_tui.recording.checker import book_levels, books_digest, check_recording
from kalshi_tui.recording.writer import RecordingWriter
from tests.support.book_handler import BookHandler, Reports
from tests.support.practice_server import Serving, serving
from tests.support.waiting import until


class Watcher:
    """One stream that follows books and quotes of a few markets."""

    def __init__(self, exchange: Serving) -> None:
        self.exchange = exchange
        self.feed_handler, self.reports = BookHandler(), Reports()
        signer = exchange.signers["alice"]
        self.stream = Stream(practice_on_port(exchange.port), signer, self.feed_handler, listener=self.reports.append)
        busy = [each for each in exchange.exchange.markets.visible() if each.yes_bid and each.status.tradable]
        self.tickers = [each.ticker for each in busy[:8]]

    def is_right(self) -> bool:
        if not self.feed_handler.good >= set(self.tickers):
            return False
        return all(self.feed_handler.books[ticker] == self._theirs(ticker) for ticker in self.tickers)

    def _theirs(self, ticker: str) -> Book:
        made = Book()
        made.snapshot(*self.exchange.exchange.markets.listings[ticker].levels())
        return made

    async def stir(self) -> None:
        """Let the simulated participants trade for a while."""
        for _ in range(25):
            self.exchange.clock.advance(40)
            self.exchange.server.world.step()
            self.exchange.server.commit()
            await asyncio.sleep(0)
        await until(self.is_right)


@asynccontextmanager
async def watching(reading: str = "") -> AsyncIterator[Watcher]:
    async with serving(quiet=False, rate=600) as exchange:
        await exchange.control("no_levels", reading=reading)
        made = Watcher(exchange)
        made.stream.watch_quotes(made.tickers)
        made.stream.watch_books(made.tickers)
        running = asyncio.create_task(made.stream.run())
        try:
            await until(made.is_right)
            yield made
        finally:
            await made.stream.close()
            await running


async def test_books_are_asked_for_in_yes_prices_and_are_right() -> None:
    async with watching() as watcher:
        (held,) = watcher.exchange.server.hub.connections
        assert held.by_channel["orderbook_delta"].yes_price
        await watcher.stir()
        assert watcher.stream.protocol.reading is BookReading.YES_PRICES
        assert watcher.stream.protocol.faults == 0


async def test_an_exchange_that_ignores_the_flag_is_read_the_other_way() -> None:
    async with watching("no") as watcher:
        assert watcher.stream.protocol.reading is BookReading.NO_PRICES
        await watcher.stir()
        assert any("use_yes_price flipped" in report.text for report in watcher.reports)


@pytest.mark.parametrize("first", ["", "no"])
async def test_a_flip_while_it_runs_is_healed_and_the_recording_says_it(tmp_path: Path, first: str) -> None:
    async with watching(first) as watcher:
        path = tmp_path / "a.rec.gz"
        recording = RecordingWriter(path, clock_ms=watcher.exchange.clock.machine_ms)
        watcher.stream.record(recording.tap())
        flipped = BookReading.YES_PRICES if first else BookReading.NO_PRICES
        await watcher.exchange.control("no_levels", reading=flipped.value)
        for _ in range(20):
            watcher.exchange.clock.advance(40)
            watcher.exchange.server.world.step()
            watcher.exchange.server.commit()
            await asyncio.sleep(0.005)
            if watcher.stream.protocol.reading is flipped:
                break
        watcher.stream.protocol.resync_books("For the test.")
        await until(lambda: watcher.stream.protocol.reading is flipped and watcher.is_right())
        await watcher.stir()
        ours = {ticker: watcher.feed_handler.books[ticker] for ticker in watcher.tickers}
        watcher.stream.record(None)
        recording.close()
    # The verifier builds the books without the feed: both have understood the same.
    assert check_recording(path).books == books_digest({ticker: book_levels(book) for ticker, book in ours.items()})


@pytest.mark.parametrize("reading", ["", "no"])
async def test_books_whose_quotes_nobody_asks_for_are_checked_too(reading: str) -> None:
    async with serving() as exchange:
        tickers = [each.ticker for each in exchange.exchange.markets.visible() if each.status.tradable][:5]
        for ticker in tickers:
            # One side alone: never crossed, whichever way it is read.
            await exchange.order(ticker, "ask", "0.70", "5", who="bob")
            await exchange.order(ticker, "ask", "0.80", "7", who="bob")
        await exchange.control("no_levels", reading=reading)
        feed_handler = BookHandler()
        stream = Stream(practice_on_port(exchange.port), exchange.signers["alice"], feed_handler)
        stream.watch_books(tickers)
        running = asyncio.create_task(stream.run())
        try:
            best = [(3_000, 500), (2_000, 700)]
            await until(
                lambda: (
                    feed_handler.good >= set(tickers)
                    and all(
                        [(each.price, each.size) for each in feed_handler.books[t].no.top(2)] == best for t in tickers
                    )
                )
            )
            assert stream.protocol.reading is (BookReading.NO_PRICES if reading else BookReading.YES_PRICES)
            (held,) = exchange.server.hub.connections
            assert len(held.by_channel["ticker"].markets or ()) == 3
        finally:
            await stream.close()
            await running
    assert feed_handler.quotes == {}
