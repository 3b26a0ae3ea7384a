"""Recordings of a simulated practice exchange, made in an instant: its real frames, and a clock of the test's own."""

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from kalshi_tui.domain.price import MONEY_UNIT
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.replay.recorded_world import ReplayWorld
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.commands import CommandHandler
from kalshi_tui.practice.server.connection import Connection
from kalshi_tui.practice.server.hub import Hub
from kalshi_tui.practice.simulation.world import World
from kalshi_tui.recording.reader import Record, RecordingReader
from kalshi_tui.recording.writer import RecordingWriter, RecordKind, StreamTap

BEGAN_MS = 1_800_000_000_000
US = "us"
CASH = {0: 10_000 * MONEY_UNIT, 2: 10_000 * MONEY_UNIT}


class Hand:
    """A clock that a test moves: milliseconds, or seconds of a timer."""

    def __init__(self, now: int = BEGAN_MS) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def timer_s(self) -> float:
        return self.now / 1_000


class Studio:
    """An exchange whose stream is recorded, without any socket. ``rate`` in messages a second."""

    def __init__(self, path: Path, *, rate: int = 300, seed: int = 7, quiet: bool = False, markets: int = 12) -> None:
        self.clock = Hand()
        self.path = path
        self.world = World(self.clock, seed, markets=markets, rate=rate, quiet=quiet)
        self.exchange = self.world.exchange
        self.exchange.open_account(US, CASH)
        self.hub = Hub(self.exchange, self.clock.timer_s, self.clock)
        self.world.start()
        self.exchange.drain_events()
        self.recording = RecordingWriter(path, exchange="practice", clock_ms=self.clock, timer_s=self.clock.timer_s)
        self.tap: StreamTap = self.recording.tap()
        self.connection: Connection = mock.Mock()
        self.commands: CommandHandler = mock.Mock()
        self._command = 0

    @property
    def tickers(self) -> list[str]:
        """All markets, as they are listed."""
        return [listing.ticker for listing in self.exchange.markets.ranked_listings]

    def list_markets(self, tickers: Iterable[str] | None = None) -> None:
        """Write the markets down as REST gives them."""
        for ticker in tickers or self.tickers:
            listing = self.exchange.markets.listings[ticker]
            event = self.exchange.markets.events_by_ticker[listing.terms.event_ticker]
            series = self.exchange.markets.series[event.series_ticker]
            self.recording.write_record(RecordKind.SERIES, wire.encode(encode_rest.series(series)))
            self.recording.write_record(RecordKind.EVENT, wire.encode(encode_rest.event(event, series, None)))
            self.recording.write_record(RecordKind.MARKET, wire.encode(encode_rest.market(listing, self.clock())))

    def connect(self, tickers: Iterable[str] | None = None, *, yes_price: bool = False) -> None:
        """Begin a connection that follows books, trades and quotes.

        With ``yes_price`` NO levels have YES prices, and the recording says so; without, it says nothing, as
        those of earlier versions did.
        """
        chosen = list(tickers or self.tickers)
        socket: Any = SimpleNamespace(closed=False)
        self.connection = Connection(self.hub.market_frames, self.hub.index, socket, US, clock_ms=self.clock)
        self.commands = CommandHandler(self.connection, self.hub.market_frames, self.hub.index, self.clock.timer_s)
        self.hub.connections[self.connection] = None
        self.tap.begin()
        if yes_price:
            self.tap.record_reading(wire.BookReading.YES_PRICES)
        self.tap.record_wanted(chosen)
        for channel in ("orderbook_delta", "trade", "ticker"):
            asked = {"use_yes_price": True} if yes_price and channel == "orderbook_delta" else {}
            self.command("subscribe", channels=[channel], market_tickers=chosen, **asked)
        self.command("subscribe", channels=["market_lifecycle_v2", "fill", "user_orders"])

    def command(self, name: str, **params: Any) -> None:
        """Send a command, and take the answers down."""
        self._command += 1
        self.commands.handle(wire.encode({"id": self._command, "cmd": name, "params": params}))
        self.drain()

    def drain(self) -> None:
        """Take down what waits to be sent."""
        for frame in self.connection.frames.take_all():
            self.tap.record_frame(frame)

    def tell(self) -> None:
        """Take down what has happened."""
        self.hub.publish(self.exchange.drain_events())
        self.drain()

    def run(self, ms: int, step_ms: int = 20) -> None:
        """Let time go on."""
        for _ in range(ms // step_ms):
            self.clock.now += step_ms
            self.world.step()
            self.tell()
            self.recording.tick()

    def disconnect(self) -> None:
        """End the connection."""
        self.tap.end()
        for subscription in list(self.connection.subscriptions.values()):
            self.hub.index.remove(self.connection, subscription)
        del self.hub.connections[self.connection]

    def levels(self) -> dict[str, Any]:
        """Return all books as they stand."""
        return {ticker: self.exchange.markets.listings[ticker].levels() for ticker in self.tickers}


def a_recording(path: Path, *, ms: int = 4_000, rate: int = 600, seed: int = 7, yes_price: bool = False) -> Studio:
    """Record some seconds of a lively exchange."""
    studio = Studio(path, rate=rate, seed=seed)
    studio.list_markets()
    studio.connect(yes_price=yes_price)
    studio.run(ms)
    studio.recording.close()
    return studio


def the_records(path: Path) -> list[Record]:
    """Read all records."""
    return list(RecordingReader(path).records())


def a_replay(path: Path, **more: Any) -> tuple[ReplayWorld, Hand]:
    """Make a world of a recording, with an account of ours and a timer that the test moves."""
    timer = Hand(0)
    world = ReplayWorld(path, seed=7, timer_s=timer.timer_s, **more)
    world.exchange.open_account(US, CASH)
    world.start()
    return world, timer
