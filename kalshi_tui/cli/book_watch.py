"""``book --watch``: one market's book off the exchange's stream, shown whenever it changes."""

import argparse
import asyncio
import contextlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kalshi_tui.cli.book import DEPTH, book_lines
from kalshi_tui.cli.connection import Exchange, opened
from kalshi_tui.cli.exit_codes import OK, FailedError
from kalshi_tui.cli.json_shapes import book_shape
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.queries import understood, whole_market
from kalshi_tui.domain.link import LinkState, Trust
from kalshi_tui.domain.market import Market
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.feed.stream_group import CrossedWatch
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.runtime.compose import clock_ms
from kalshi_tui.session.store import LiveBook, Store

LOOK_EVERY_S: Final = 0.05
PATIENCE_S: Final = 2.0
AROUND: Final = 4
"""Rows of the terminal that are not levels of the book."""
CLEAR_DOWN: Final = "\x1b[J"


def run(options: argparse.Namespace, ticker: str) -> int:
    """Follow a book until Ctrl+C, or until nobody reads any more. Raises FailedError."""
    output = Output()
    with opened(options, lasting=True) as exchange:
        asyncio.run(_follow(options, ticker, exchange, output))
    return OK


async def _follow(options: argparse.Namespace, ticker: str, exchange: Exchange, output: Output) -> None:
    signer = exchange.signer
    assert signer is not None  # noqa: S101 - without a key the exchange is not opened for this
    clock = ExchangeClock(clock_ms)
    async with exchange.rest(clock=clock) as rest:
        # It sets the clock by the exchange's too, which the stream's signature needs.
        market, _ = await understood(whole_market(rest, ticker))
    store = _Followed(clock_ms)
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
        return [ticker] if live.good and live.book.crossed else []

    tasks = [asyncio.create_task(each) for each in (stream.run(), CrossedWatch(crossed, stream.distrust).run())]
    try:
        await _show(_Shown(output, market, options), store, stream, refused)
    finally:
        await stream.close()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


class _Followed(Store):
    """Remembers that a book was doubted, however soon it was mended: that is told too."""

    doubt = ""
    """Why the book was doubted since the last look, a sentence; empty if it was not."""

    def stale(self, tickers: Sequence[str], why: str) -> None:
        """Stop trusting the book until its next snapshot."""
        if any(self.book(ticker).good for ticker in tickers):
            self.doubt = why
        super().stale(tickers, why)


async def _show(shown: "_Shown", store: _Followed, stream: Stream, refused: Sequence[str]) -> None:
    """Show the book whenever it changes, until the reader is gone. Raises FailedError if the stream is refused."""
    while not shown.output.reader_is_gone():
        live = store.book(shown.market.ticker)
        if refused and live.trust is Trust.WAITING:
            raise FailedError(refused[0] or "The exchange refused the stream.", "refused")
        if store.doubt and live.good:
            shown.show(replace(live, trust=Trust.STALE, why=store.doubt), "", stream.protocol.last_ts_ms)
        store.doubt = ""
        shown.show(live, store.connection.detail, stream.protocol.last_ts_ms)
        await asyncio.sleep(LOOK_EVERY_S)


class _Shown:
    """What stands on the screen, or was printed last."""

    def __init__(self, output: Output, market: Market, options: argparse.Namespace) -> None:
        self.output = output
        self.market = market
        self._json: bool = options.json
        self._depth: int | None = options.depth
        self._last: object = None
        self._drawn = 0
        self._began = time.monotonic()

    def show(self, live: LiveBook, detail: str, ts_ms: int) -> None:
        """Print the book if it is another one than was printed last; ``detail`` says how the connection does.

        ``ts_ms`` is the exchange's time of its newest change, 0 before the first.

        Before the first snapshot nothing is printed for a moment: it usually comes.
        """
        trust, why = live.trust.value, live.why
        if live.trust is Trust.WAITING:
            if time.monotonic() - self._began < PATIENCE_S:
                return
            why = detail or why
        # The time of the last frame moves for levels too that are not shown.
        shape = book_shape(self.market.ticker, live.book, trust, why, depth=self._depth)
        if shape == self._last:
            return
        self._last = shape
        if self._json:
            self.output.object(shape | {"ts_ms": ts_ms or None})
            return
        word = "" if live.good else trust.upper()
        depth = self._depth or DEPTH
        if self.output.is_terminal:
            # What has left the screen at the top could not be drawn over.
            depth = max(min(depth, shutil.get_terminal_size().lines - AROUND), 1)
        lines = book_lines(self.output, self.market, live.book, word or "GOOD", why, depth)
        if not self.output.is_terminal:
            self.output.lines(*lines, "")
            return
        up = f"\x1b[{self._drawn}A\r" if self._drawn else ""
        self._drawn = len(lines)
        self.output.write(up + CLEAR_DOWN + "".join(f"{each}\n" for each in lines))
