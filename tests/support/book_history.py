"""Every state that a practice exchange's books have had."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable

from kalshi_tui.domain.book import Book
from kalshi_tui.practice.engine.events import BookChanged, EngineEvent
from tests.support.practice_server import Serving

State = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]


def state_of(book: Book) -> State:
    yes, no = book.levels()
    return tuple(yes), tuple(no)


class History:
    """Every state that the watched books have ever had, delta by delta, in the order of time."""

    def __init__(self, exchange: Serving, tickers: list[str]) -> None:
        self._books = {ticker: Book() for ticker in tickers}
        self._moments: dict[tuple[str, State], list[int]] = defaultdict(list)
        self._time = 0
        self._floor = dict.fromkeys(tickers, 0)
        for ticker, book in self._books.items():
            book.snapshot(*exchange.exchange.markets.listings[ticker].levels())
            self._note(ticker)
        publish = exchange.server.hub.publish

        def noted(events: Iterable[EngineEvent]) -> None:
            events = list(events)
            for event in events:
                if isinstance(event, BookChanged) and event.ticker in self._books:
                    self._books[event.ticker].apply(event.side, event.price, event.delta)
                    self._note(event.ticker)
            publish(events)

        exchange.server.hub.publish = noted  # type: ignore[method-assign]  # overheard on the way

    def _note(self, ticker: str) -> None:
        self._time += 1
        self._moments[ticker, state_of(self._books[ticker])].append(self._time)

    def check(self, ticker: str, book: Book) -> None:
        """Fail unless the book has stood like this, now or after what was seen of it last."""
        moments = self._moments.get((ticker, state_of(book)))
        assert moments, f"{ticker} never stood like this"
        place = bisect_left(moments, self._floor[ticker])
        assert place < len(moments), f"{ticker} went back in time"
        self._floor[ticker] = moments[place]

    def is_now(self, ticker: str, book: Book) -> bool:
        return state_of(self._books[ticker]) == state_of(book)
