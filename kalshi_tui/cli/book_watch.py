"""``book --watch``: one market's book off the library's stream, shown whenever it changes."""

import argparse
import asyncio
import time
from dataclasses import replace
from typing import Final

from kalshi_tui.cli.book_table import DEFAULT_DEPTH, format_book
from kalshi_tui.cli.exchange_access import CommandExchange, open_exchange
from kalshi_tui.cli.exit_codes import OK, FailedError
from kalshi_tui.cli.json_shapes import book_shape
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.query import await_reply
from kalshi_tui.domain.book import Book
from kalshi_tui.domain.link import BookTrust, LinkState
from kalshi_tui.domain.market import Market
from kalshi_tui.kalshi import BookUpdate, KalshiClient, Link, NotFound, Update, Updates
from kalshi_tui.ui.terminal_size import USUAL_SIZE, measure_terminal

POLL_INTERVAL_S: Final = 0.05
SNAPSHOT_GRACE_S: Final = 2.0
"""How long nothing is printed before the first snapshot: it usually comes."""
NON_BOOK_ROWS: Final = 4
"""Rows of the terminal that are not levels of the book."""
CLEAR_BELOW: Final = "\x1b[J"


def watch_book(options: argparse.Namespace, ticker: str) -> int:
    """Follow a book until Ctrl+C, or until nobody reads any more. Raises FailedError."""
    output = Output()
    with open_exchange(options, long_running=True) as exchange:
        asyncio.run(_watch_book(options, ticker, exchange, output))
    return OK


async def _watch_book(options: argparse.Namespace, ticker: str, exchange: CommandExchange, output: Output) -> None:
    async with KalshiClient(
        exchange.environment, exchange.signer, read_only=True, proxy=exchange.profile.proxy
    ) as client:
        # Before the stream: a reply sets the clock by the exchange's, as the stream's signature needs.
        market = await await_reply(_read_titled_market(client, ticker))
        watched = _WatchedBook()
        async with client.stream([ticker], account=False) as updates:
            draining = asyncio.create_task(watched.drain(updates))
            try:
                await _print_changes(_BookPrinter(output, market, options), watched, updates, draining)
            finally:
                draining.cancel()
                await asyncio.gather(draining, return_exceptions=True)


async def _read_titled_market(client: KalshiClient, ticker: str) -> Market:
    """Read a market with the title of its event, which the market itself may lack. Raises KalshiError."""
    market = await client.market(ticker)
    try:
        event = await client.event(market.event_ticker)
    except NotFound:
        # A combo's event may not be there to read.
        return market
    return replace(market, title=event.title or market.title)


class _WatchedBook:
    """What the stream has said last of the book and of the connection."""

    def __init__(self) -> None:
        self.book: Book | None = None
        self.trust = BookTrust.WAITING
        self.why = ""
        self.link = Link()
        self.doubt_reason = ""
        """Why the book was doubted since the last look, however soon it was right again: that is printed too."""

    async def drain(self, updates: Updates) -> None:
        """Take every update at once: an update of a book replaces one that still waits, also one that doubts it."""
        async for update in updates:
            self.take(update)

    def take(self, update: Update) -> None:
        """Note what an update says of book or connection."""
        if isinstance(update, Link):
            self.link = update
        elif isinstance(update, BookUpdate):
            self.book, self.why = update.book, update.why
            if update.good:
                self.trust = BookTrust.GOOD
            elif self.trust is not BookTrust.WAITING:
                self.trust, self.doubt_reason = BookTrust.STALE, update.why


async def _print_changes(
    printer: "_BookPrinter", watched: _WatchedBook, updates: Updates, draining: "asyncio.Task[None]"
) -> None:
    """Print the book whenever it changes, until the reader is gone. Raises FailedError if the stream is rejected."""
    while not printer.output.is_reader_gone():
        if draining.done():
            # Its defect; without this the last book would stand there for ever, as if it were true.
            draining.result()
        book, ts_ms = watched.book or Book(), updates.last_change_ms
        if watched.link.state is LinkState.REFUSED and watched.trust is BookTrust.WAITING:
            raise FailedError(watched.link.detail or "The exchange rejected the stream.", "refused")
        if watched.doubt_reason and watched.trust is BookTrust.GOOD:
            printer.print_if_changed(book, BookTrust.STALE, watched.doubt_reason, ts_ms)
        watched.doubt_reason = ""
        if watched.trust is BookTrust.WAITING:
            why = watched.link.detail or watched.why or updates.book(printer.market.ticker).why
        else:
            why = watched.why
        printer.print_if_changed(book, watched.trust, why, ts_ms)
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

    def print_if_changed(self, book: Book, trust: BookTrust, why: str, ts_ms: int) -> None:
        """Print the book if it is another one than was printed last, but not before `SNAPSHOT_GRACE_S` without one.

        ``ts_ms`` is the exchange's time of its newest change, 0 before the first.
        """
        if trust is BookTrust.WAITING and time.monotonic() - self._started_s < SNAPSHOT_GRACE_S:
            return
        # The time of the last frame also moves for levels that are not shown: it is left out of the comparison.
        shape = book_shape(self.market.ticker, book, trust.value, why, depth=self._depth)
        if shape == self._last_shape:
            return
        self._last_shape = shape
        if self._json:
            self.output.write_json(shape | {"ts_ms": ts_ms or None})
            return
        depth = self._depth or DEFAULT_DEPTH
        if self.output.is_terminal:
            # What has left the screen at the top could not be drawn over.
            depth = max(min(depth, (measure_terminal() or USUAL_SIZE)[1] - NON_BOOK_ROWS), 1)
        lines = format_book(self.output, self.market, book, trust.value.upper(), why, depth)
        if not self.output.is_terminal:
            self.output.write_lines(*lines, "")
            return
        up = f"\x1b[{self._drawn_lines}A\r" if self._drawn_lines else ""
        self._drawn_lines = len(lines)
        self.output.write(up + CLEAR_BELOW + "".join(f"{each}\n" for each in lines))
