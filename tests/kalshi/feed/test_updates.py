"""What waits to be taken from a stream: nothing is lost that may not be, and no older state follows a newer one."""

from collections.abc import Iterator

from hypothesis import given, strategies as st

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Quote, Trade
from kalshi_tui.domain.order import BookSide, Fill
from kalshi_tui.kalshi.feed.updates import (
    NO_SNAPSHOT_SENTENCE,
    BookUpdate,
    QuoteUpdate,
    Update,
    _UpdateQueue,
)

TICKERS = st.sampled_from(["A", "B"])
NUMBERS = st.integers(0, 20)
OPS = st.lists(
    st.one_of(
        st.tuples(st.just("quote"), TICKERS, NUMBERS),
        st.tuples(st.just("trade"), TICKERS, NUMBERS),
        st.tuples(st.just("fill"), TICKERS, NUMBERS),
        st.tuples(st.just("snapshot"), TICKERS, NUMBERS),
        st.tuples(st.just("change"), TICKERS, NUMBERS),
        st.tuples(st.just("stale"), TICKERS, NUMBERS),
        st.tuples(st.just("take"), TICKERS, NUMBERS),
    ),
    max_size=80,
)


def rest_of(inbox: _UpdateQueue) -> Iterator[Update]:
    while (update := inbox.pop()) is not None:
        yield update


@given(OPS)
def test_whoever_takes_sees_all_trades_each_fill_once_and_the_newest_of_the_rest(
    ops: list[tuple[str, str, int]],
) -> None:
    inbox = _UpdateQueue()
    changes = {}
    taken: list[Update] = []
    books: list[tuple[str, bool, int]] = []
    trades: list[Trade] = []
    fills: dict[str, None] = {}
    quotes: dict[str, int] = {}
    now: dict[str, tuple[bool, int]] = {}

    def take(update: Update) -> None:
        taken.append(update)
        if isinstance(update, BookUpdate):
            books.append((update.ticker, update.good, update.book.yes.total))
            # As it is now, however long its change has waited.
            assert now[update.ticker] == (update.good, update.book.yes.total)

    for number, (op, ticker, value) in enumerate(ops):
        if op == "quote":
            inbox.quote(ticker, Quote(last=value))
            quotes[ticker] = value
        elif op == "trade":
            trades.append(Trade(str(number), ticker, 4_000, value, True, 0))
            inbox.trade(trades[-1])
        elif op == "fill":
            fills[str(value)] = None
            inbox.fill(Fill(str(value), "o", "c", ticker, BookSide.BID, 4_000, 100, 0, True, 0))
        elif op == "snapshot":
            changes[ticker] = inbox.snapshot(ticker, [(4_000, value + 1)], [])
            now[ticker] = (True, value + 1)
        elif op == "change" and now.get(ticker, (False, 0))[0]:
            changes[ticker](Side.YES, 5_000, value + 1)
            now[ticker] = (True, now[ticker][1] + value + 1)
        elif op == "stale":
            inbox.stale([ticker], "Why.")
            if ticker in now:
                now[ticker] = (False, now[ticker][1])
        elif op == "take" and (update := inbox.pop()) is not None:
            take(update)
    for update in rest_of(inbox):
        take(update)
    assert [each for each in taken if isinstance(each, Trade)] == trades
    assert [each.trade_id for each in taken if isinstance(each, Fill)] == list(fills)
    assert {each.ticker: each.quote.last for each in taken if isinstance(each, QuoteUpdate)} == quotes
    assert {ticker: (good, total) for ticker, good, total in books} == now


def test_a_book_that_nobody_has_sent_is_not_good() -> None:
    inbox = _UpdateQueue()
    assert (inbox.book("A").good, inbox.book("A").why) == (False, NO_SNAPSHOT_SENTENCE)
    inbox.stale(["A"], "Why.")
    inbox.link(LinkState.LIVE, "")
    inbox.snapshot("A", [], [])
    inbox.set_books(["B"])
    assert [type(each).__name__ for each in rest_of(inbox)] == ["Link"]
