"""``book --watch``: one market's book off the exchange's stream, shown whenever it changes."""

import argparse
import asyncio
import contextlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kalshi_tui.cli.book import DEFAULT_DEPTH, format_book
from kalshi_tui.cli.connection import CommandExchange, open_exchange
from kalshi_tui.cli.exit_codes import OK, FailedError
from kalshi_tui.cli.json_shapes import book_shape
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.queries import await_reply, read_full_market
from kalshi_tui.domain.link import BookTrust, LinkState
from kalshi_tui.domain.market import Market
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.feed.stream_group import CrossedBookMonitor
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.runtime.compose import clock_ms
from kalshi_tui.session.store import LiveBook, Store

POLL_INTERVAL_S: Final = 0.05
SNAPSHOT_GRACE_S: Final = 2.0
NON_BOOK_ROWS: Final = 4
"""Rows of the terminal that are not levels of the book."""
CLEAR_BELOW: Final = "\x1b[J"


def run(options: argparse.Namespace, ticker: str) -> int:
    """Follow a book until Ctrl+C, or until nobody reads any more. Raises FailedError."""
    output = Output()
    with open_exchange(options, long_running=True) as exchange:
        asyncio.run(_watch_book(options, ticker, exchange, output))
    return OK


async def _watch_book(options: argparse.Namespace, ticker: str, exchange: CommandExchange, output: Output) -> None:
    signer = exchange.signer
    assert signer is not None  # noqa: S101 - without a key the exchange is not opened for this
    clock = ExchangeClock(clock_ms)
    async with exchange.rest(clock=clock) as rest:
        # It sets the clock by the exchange's too, which the stream's signature needs.
        market, _ = await await_reply(read_full_market(rest, ticker))
    store = _DoubtRecordingStore(clock_ms)
    refused: list[str] = []

    def linked(state: LinkState) -> None:
        if state is LinkState.REFUSED:
            refused.append(store.connection.detail)

    store.on_link = linked
    stream = Stream(
        exchange.environment,
        signer,
        store,
        clock=clock,
        private=False,
        proxy=exchange.profile.proxy,
    )
    stream.watch_books([ticker])

    def crossed() -> list[str]:
        live = store.book(ticker)
        return [ticker] if live.is_good and live.book.crossed else []

    tasks = [
        asyncio.create_task(each) for each in (stream.run(), CrossedBookMonitor(crossed, stream.resync_books).run())
    ]
    try:
        await _print_changes(_BookPrinter(output, market, options), store, stream, refused)
    finally:
        await stream.close()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


class _DoubtRecordingStore(Store):
    """Remembers that a book was doubted, however soon it was mended: that is told too."""

    doubt_reason = ""
    """Why the book was doubted since the last look, a sentence; empty if it was not."""

    def stale(self, tickers: Sequence[str], why: str) -> None:
        """Stop trusting the book until its next snapshot."""
        if any(self.book(ticker).is_good for ticker in tickers):
            self.doubt_reason = why
        super().stale(tickers, why)


async def _print_changes(
    printer: "_BookPrinter", store: _DoubtRecordingStore, stream: Stream, refused: Sequence[str]
) -> None:
    """Show the book whenever it changes, until the reader is gone. Raises FailedError if the stream is refused."""
    while not printer.output.is_reader_gone():
        live = store.book(printer.market.ticker)
        if refused and live.trust is BookTrust.WAITING:
            raise FailedError(refused[0] or "The exchange refused the stream.", "refused")
        if store.doubt_reason and live.is_good:
            printer.print_if_changed(
                replace(live, trust=BookTrust.STALE, why=store.doubt_reason), "", stream.protocol.last_ts_ms
            )
        store.doubt_reason = ""
        printer.print_if_changed(live, store.connection.detail, stream.protocol.last_ts_ms)
        await asyncio.sleep(POLL_INTERVAL_S)


class _BookPrinter:
    """What stands on the screen, or was printed last."""

    def __init__(self, output: Output, market: Market, options: argparse.Namespace) -> None:
        self.output = output
        self.market = market
        self._json: bool = options.json
        self._depth: int | None = options.depth
        self._last_shape: object = None
        self._drawn_lines = 0
        self._started_s = time.monotonic()

    def print_if_changed(self, live: LiveBook, detail: str, ts_ms: int) -> None:
        """Print the book if it is another one than was printed last; ``detail`` says how the connection does.

        ``ts_ms`` is the exchange's time of its newest change, 0 before the first.

        Before the first snapshot nothing is printed for a moment: it usually comes.
        """
        trust, why = live.trust.value, live.why
        if live.trust is BookTrust.WAITING:
            if time.monotonic() - self._started_s < SNAPSHOT_GRACE_S:
                return
            why = detail or why
        # The time of the last frame moves for levels too that are not shown.
        shape = book_shape(self.market.ticker, live.book, trust, why, depth=self._depth)
        if shape == self._last_shape:
            return
        self._last_shape = shape
        if self._json:
            self.output.write_json(shape | {"ts_ms": ts_ms or None})
            return
        word = "" if live.is_good else trust.upper()
        depth = self._depth or DEFAULT_DEPTH
        if self.output.is_terminal:
            # What has left the screen at the top could not be drawn over.
            depth = max(min(depth, shutil.get_terminal_size().lines - NON_BOOK_ROWS), 1)
        lines = format_book(self.output, self.market, live.book, word or "GOOD", why, depth)
        if not self.output.is_terminal:
            self.output.write_lines(*lines, "")
            return
        up = f"\x1b[{self._drawn_lines}A\r" if self._drawn_lines else ""
        self._drawn_lines = len(lines)
        self.output.write(up + CLEAR_BELOW + "".join(f"{each}\n" for each in lines))
