"""The feed's protocol wired to the model exchange, frame by frame, without sockets."""

from kalshi_tui.domain.book import Side
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.feed.protocol import FeedProtocol
from kalshi_tui.kalshi.feed.subscription import RecoveryPolicy
from tests.support.book_handler import BookHandler, Reports
from tests.support.feed_model import ModelExchange

A, B, C = "KXWIN-26-A", "KXWIN-26-B", "KXWIN-26-C"


class Rig:
    """A protocol wired to the model exchange, frame by frame."""

    def __init__(self, *tickers: str, bounds: RecoveryPolicy | None = None) -> None:
        self.exchange = ModelExchange([A, B, C])
        for ticker in (A, B, C):
            self.exchange.books[ticker].snapshot([(4000, 1000), (4100, 2000)], [(5000, 700), (5500, 300)])
        self.feed_handler = BookHandler()
        self.reports = Reports()
        self.feed = FeedProtocol(self.feed_handler, listener=self.reports.append, policy=bounds)
        self.down: list[bytes] = []
        self.now = 0.0
        if tickers:
            self.feed.want_books(tickers)
        self.feed.connected(self.now)
        self.settle()

    def send(self) -> None:
        for command in self.feed.commands_to_send():
            self.down += self.exchange.command(command)

    def settle(self) -> None:
        """Exchange everything until nobody has anything to say."""
        self.send()
        while self.down:
            self.feed.receive(self.down.pop(0))
            self.send()

    def tick(self, seconds: float = 0.1) -> None:
        self.now += seconds
        self.feed.tick(self.now)
        self.send()

    def move(self, ticker: str = A, price: int = 4000, delta: int = 500, side: Side = Side.YES) -> None:
        self.down += self.exchange.move(ticker, side, price, delta)

    def commands(self, name: str = "") -> list[wire.Command]:
        return [each for each in self.exchange.commands if name in {"", each.cmd, (each.params or Empty).action}]

    def assert_right(self, *tickers: str) -> None:
        assert self.feed.trusted == set(tickers) == self.feed_handler.good
        for ticker in tickers:
            assert self.feed_handler.books[ticker] == self.exchange.books[ticker]


Empty = wire.CommandParams()
