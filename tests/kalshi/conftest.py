"""Helpers of the protocol's tests: keys made at run time, a sink that keeps real books, the captures."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Quote, Trade
from kalshi_tui.domain.order import Fill, Order
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.handler import ApplyDelta
from kalshi_tui.kalshi.feed.subscription import Happening, Report
from kalshi_tui.kalshi.transport.signing import Signer, generate_key

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures"
FRAMES = Path(__file__).with_name("wire") / "frames"

KEY_ID = "7b1f9c1e-2f3a-4d51-9c39-0d9b1f6d2a11"


def capture(name: str) -> Path:
    """Return a captured file, or skip the test where the captures are absent."""
    path = CAPTURES / name
    if not path.is_file():
        pytest.skip(f"the captures are not here: {path}")
    return path


@pytest.fixture(scope="session")
def pem() -> bytes:
    return generate_key()


@pytest.fixture(scope="session")
def signer(pem: bytes) -> Signer:
    return Signer.from_pem(KEY_ID, pem, environment=practice_on_port(1))


class BookSink:
    """A sink that keeps real books and remembers all else that it was told."""

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        self.good: set[str] = set()
        self.whys: list[str] = []
        self.quotes: dict[str, Quote] = {}
        self.trades: list[Trade] = []
        self.fills: list[Fill] = []
        self.orders: list[Order] = []
        self.positions: list[Position] = []
        self.events: list[tuple[str, str]] = []
        self.links: list[tuple[LinkState, str]] = []

    def snapshot(
        self, ticker: str, yes: Sequence[tuple[Price, Count]], no: Sequence[tuple[Price, Count]]
    ) -> ApplyDelta:
        self.books.setdefault(ticker, Book()).snapshot(yes, no)
        self.good.add(ticker)
        return partial(self._change, ticker)

    def _change(self, ticker: str, side: Side, price: Price, delta: Count) -> None:
        if ticker not in self.good:
            raise AssertionError(f"a change for {ticker}, which is not trusted")
        self.books[ticker].apply(side, price, delta)

    def stale(self, tickers: Sequence[str], why: str) -> None:
        self.good.difference_update(tickers)
        self.whys.append(why)

    def quote(self, ticker: str, quote: Quote) -> None:
        self.quotes[ticker] = quote

    def trade(self, trade: Trade) -> None:
        self.trades.append(trade)

    def fill(self, fill: Fill) -> None:
        self.fills.append(fill)

    def order(self, order: Order) -> None:
        self.orders.append(order)

    def position(self, position: Position) -> None:
        self.positions.append(position)

    def lifecycle(self, ticker: str, event_type: str) -> None:
        self.events.append((ticker, event_type))

    def link(self, state: LinkState, detail: str) -> None:
        self.links.append((state, detail))


class Reports(list[Report]):
    """What the feed told of its health."""

    def of(self, happening: Happening) -> list[Report]:
        return [report for report in self if report.happening is happening]


@pytest.fixture
def sink() -> BookSink:
    return BookSink()


@pytest.fixture
def reports() -> Reports:
    return Reports()


def captured_frames() -> list[dict[str, Any]]:
    with capture("ws_orderbook_stream.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line)["frame"] for line in lines]


def frame_files() -> Iterator[Path]:
    return iter(sorted(FRAMES.glob("*.json")))
