"""Record: read the markets, follow their stream, and write it to a file until the time is over or a signal comes."""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Final

from kalshi_tui.cli.context import expand_path
from kalshi_tui.cli.exit_codes import write_sentence
from kalshi_tui.domain.escaping import escape_unprintable
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Event, Market
from kalshi_tui.kalshi import whole_history
from kalshi_tui.kalshi.feed.handler import FeedHandler
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.feed.stream_group import ReportListener, StreamGroup
from kalshi_tui.kalshi.lists import LeftOut, left_out_sentence
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.recording.recorder import Recorder, format_size
from kalshi_tui.recording.writer import RecordingWriter, require_new_file
from kalshi_tui.runtime.compose import ExchangeAccess, clock_ms
from kalshi_tui.session.store import Store

MAX_MARKETS_PER_REQUEST: Final = 100
TAPE_LENGTH: Final = 50
"""Older prints that are read of each market, so that a replay begins with a tape."""
TICK_INTERVAL_S: Final = 0.25
NO_DATA_TIMEOUT_S: Final = 20.0
"""Without a connection for so long, print why once; the attempts go on."""


class RecordError(Exception):
    """The recording cannot be made. The message is a sentence."""


class RecordRun:
    """One recording."""

    def __init__(self, options: argparse.Namespace, connected: ExchangeAccess, default_market_count: int) -> None:
        """Make ready. ``default_market_count`` markets, those that trade most, are recorded where none are named."""
        self._options = options
        self._default_market_count = default_market_count
        self._connected = connected
        self._is_terminal = sys.stderr.isatty()
        self._started_s = time.monotonic()

    async def run(self) -> int:
        """Read the markets, record, and report what was written."""
        stop = asyncio.Event()
        for ending in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(ending, stop.set)
        path = expand_path(self._options.file)
        # Checked first: to fail only after all markets were read would waste a minute.
        require_new_file(path)
        connected = self._connected
        clock = ExchangeClock(clock_ms)
        store = Store(clock_ms)
        rest = RestClient(connected.environment, connected.signer, clock=clock, proxy=connected.proxy, read_only=True)
        async with rest:
            tickers = await self._run_until_stopped(stop, self._read_markets(rest, store))
            if tickers is None:
                raise RecordError("Ended before anything was recorded.")
            group = StreamGroup(self._stream_factory(clock), store, lambda report: self._print_message(report.text))
            recorder = Recorder(store, group, clock.now_ms, exchange=connected.environment.kind.value.lower())
            recording = recorder.begin(path)
            group.watch_books(tickers)
            group.watch_quotes(tickers)
            running = asyncio.create_task(group.run())
            try:
                await self._run_until_end(stop, recording, group, store)
            finally:
                recorder.end()
                await group.close()
                await asyncio.gather(running, return_exceptions=True)
        return self._print_summary(recording, tickers)

    async def _run_until_stopped(self, stop: asyncio.Event, work: Coroutine[None, None, list[str]]) -> list[str] | None:
        """Await work, or return None once ``stop`` is set."""
        task, waiting = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
        # Not a task group: the first that ends is enough, and ends the other.
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return None

    def _stream_factory(self, clock: ExchangeClock) -> Callable[..., Stream]:
        """Return a factory of streams that carry market data alone, nothing of the account."""
        connected = self._connected

        def make(handler: FeedHandler, listener: ReportListener, *, private: bool) -> Stream:
            made = Stream(
                connected.environment,
                connected.signer,
                handler,
                clock=clock,
                listener=listener,
                private=False,
                proxy=connected.proxy,
            )
            made.protocol.want_lifecycle(private)
            return made

        return make

    # Before.

    async def _read_markets(self, rest: RestClient, store: Store) -> list[str]:
        """Read the markets that are named, or those that trade most, with their events, fees and tapes."""
        wanted = list(dict.fromkeys(self._options.tickers))
        markets = await (self._read_named(rest, wanted) if wanted else self._read_most_traded(rest))
        events: dict[str, Event] = {}
        whole = []
        for number, market in enumerate(markets):
            self._show_status(f"reading markets: {number} of {len(markets)}")
            whole.append(await self._with_fees(rest, market, events))
        store.market_data.set_markets(whole, events.values())
        for number, market in enumerate(whole):
            self._show_status(f"reading tapes: {number} of {len(whole)}")
            store.market_data.set_tape(market.ticker, await rest.trades(market.ticker, most=TAPE_LENGTH))
        return [market.ticker for market in whole]

    async def _read_named(self, rest: RestClient, tickers: Sequence[str]) -> list[Market]:
        found, unread = list[Market](), list[LeftOut]()
        for start in range(0, len(tickers), MAX_MARKETS_PER_REQUEST):
            reading = rest.markets(tickers=tickers[start : start + MAX_MARKETS_PER_REQUEST])
            found += [each async for each in reading]
            unread += reading.left_out
        if unread:
            raise RecordError(f"{left_out_sentence(unread)} Leave it out, or try again.")
        missing = sorted(set(tickers) - {each.ticker for each in found})
        if missing:
            raise RecordError(f"The exchange knows no market {', '.join(missing[:5])}: check the ticker.")
        return found

    async def _read_most_traded(self, rest: RestClient) -> list[Market]:
        found: list[Market] = []
        async for market in rest.markets(status="open", without_combos=True):
            found.append(market)
            if len(found) % 1_000 == 0:
                self._show_status(f"reading the list of markets: {len(found):,}")
                found = _most_traded(found, self._default_market_count)
        if not found:
            raise RecordError("The exchange has no open market.")
        return _most_traded(found, self._default_market_count)

    async def _with_fees(self, rest: RestClient, market: Market, events: dict[str, Event]) -> Market:
        event = events.get(market.event_ticker)
        if event is None:
            event = events[market.event_ticker] = await whole_history.event_of(rest, market)
        known = next((each for each in event.markets if each.ticker == market.ticker), market)
        return replace(known, fees=await rest.event_fees(event), quote=market.quote)

    # While it runs.

    async def _run_until_end(
        self, stop: asyncio.Event, recording: RecordingWriter, group: StreamGroup, store: Store
    ) -> None:
        """Tick the recording until it ends."""
        self._started_s = began = time.monotonic()
        seconds = self._options.seconds
        warned = False
        while not stop.is_set() and recording.is_open and not recording.failure:
            left = None if seconds is None else began + seconds - time.monotonic()
            if left is not None and left <= 0:
                return
            try:
                async with asyncio.timeout(TICK_INTERVAL_S if left is None else min(TICK_INTERVAL_S, left)):
                    await stop.wait()
            except TimeoutError:
                pass
            recording.tick()
            health = group.health()
            if not warned and not recording.frames and time.monotonic() - began > NO_DATA_TIMEOUT_S:
                warned = True
                self._print_message(
                    f"Nothing was received yet. {store.connection.detail or _link_state_text(health.state)}"
                )
            self._show_status(
                f"REC {recording.path.name}  {recording.frames:,} frames  {format_size(recording.size)}  "
                f"{health.rate:,.0f}/s  gaps {health.faults}  {_link_state_text(health.state)}"
            )

    def _show_status(self, text: str) -> None:
        """Show the progress on one line of the terminal."""
        if self._is_terminal:
            past = round(time.monotonic() - self._started_s)
            sys.stderr.write(
                f"\r\x1b[K{past // 3600:02}:{past // 60 % 60:02}:{past % 60:02} {escape_unprintable(text)}"[:200]
            )
            sys.stderr.flush()

    def _print_message(self, text: str) -> None:
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
        write_sentence(text)

    # After.

    def _print_summary(self, recording: RecordingWriter, tickers: Iterable[str]) -> int:
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
        count, seconds = len(list(tickers)), round(time.monotonic() - self._started_s, 1)
        if recording.failure:
            self._print_message(recording.failure)
        elif not recording.frames:
            self._print_message("Nothing was received, so that there is nothing to play: look at 'kalshi-tui doctor'.")
        summary = {
            "file": str(recording.path),
            "frames": recording.frames,
            "markets": count,
            "bytes": recording.size,
            "seconds": seconds,
        }
        if self._options.json:
            sys.stdout.write(json.dumps(summary) + "\n")
        else:
            sys.stdout.write(
                f"{escape_unprintable(str(recording.path))}: {recording.frames:,} frames of {count} markets in "
                f"{seconds:g} s, {format_size(recording.size)}.\n"
            )
        return 0 if recording.frames and not recording.failure else 1


def _most_traded(markets: list[Market], count: int) -> list[Market]:
    return sorted(markets, key=lambda each: (-(each.quote.volume_24h or 0), each.ticker))[:count]


def _link_state_text(state: LinkState) -> str:
    """Name the state of the link; not "live", a word that says of an exchange that its money is real."""
    return "connected" if state.value == "live" else state.value
