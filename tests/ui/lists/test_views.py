"""What the lines say, without a screen."""

from dataclasses import replace

import pytest

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.link import BookTrust, Link, LinkState, LinkStats
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import Action, BookSide, OrderState, OrderTerms
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import MONEY_UNIT
from kalshi_tui.presentation.lines import plain_text
from kalshi_tui.presentation.names import market_status_text
from kalshi_tui.presentation.number_text import clock_text, date_time_text
from kalshi_tui.presentation.order_text import insufficient_cash_warning
from kalshi_tui.presentation.preview_text import preview_lines
from kalshi_tui.session.market_data.store import LiveBook
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.book.view import book_header
from kalshi_tui.ui.desk.status_view import (
    link_ages_line,
    link_text,
    status_line,
)
from kalshi_tui.ui.lists.views import fill_line, order_line, position_line
from kalshi_tui.ui.market_list.view import sorted_markets
from tests.support.fake_desk import (
    FEES,
    NOW_MS,
    TITLES,
    Clock,
    a_fill,
    a_market,
    a_store,
    an_order,
)

FIRST = TITLES[0][0]


def test_an_order_stands_in_the_words_in_which_it_was_sent() -> None:
    store = a_store(Clock())
    order = an_order(book_side=BookSide.ASK, yes_price=9_000, state=OrderState.RESTING)
    assert plain_text(order_line(store, order, 80)).split()[1:3] == ["NO", "0.10"]
    store.account.intents.remember_side(order.client_order_id, Action.SELL, Side.YES)
    order = store.account.intents.with_meaning(order)
    assert plain_text(order_line(store, order, 80)).split()[1:4] == ["sell", "YES", "0.90"]
    fill = a_fill(client_order_id=order.client_order_id, book_side=BookSide.ASK, yes_price=9_100)
    fill = store.account.intents.fill_with_meaning(fill, order)
    assert plain_text(fill_line(store, fill, 80)).split()[1:4] == ["sell", "YES", "0.91"]


def test_an_order_says_at_what_it_was_filled() -> None:
    store = a_store(Clock())
    order = an_order(yes_price=6_000, state=OrderState.FILLED, filled=300, remaining=0)
    store.account.intents.remember_side(order.client_order_id, Action.BUY, Side.YES)
    order = store.account.intents.with_meaning(order)
    store.fill(a_fill(trade_id="a", order_id=order.order_id, yes_price=5_700, count=200))
    store.fill(a_fill(trade_id="b", order_id=order.order_id, yes_price=6_000, count=100))
    assert plain_text(order_line(store, order, 80)).split()[3:7] == ["0.60", "0", "3", "0.58"]


def test_nothing_is_known_of_an_exit_while_the_link_is_down() -> None:
    store = a_store(Clock())
    position = Position(FIRST, 1_000, 4_000_000, 0, 17_500)
    store.position(position)
    # 10 at 0.47 less the taker's fee of $0.18.
    assert "+$0.52" in plain_text(position_line(store, store.valuation.value_of(position), 80))
    assert store.valuation.snapshot().total.value == 4_520_000
    store.link(LinkState.WAITING, "")
    assert plain_text(position_line(store, store.valuation.value_of(position), 80)).split()[3:5] == ["--", "--"]
    assert store.valuation.snapshot().total.value is None


@pytest.mark.parametrize(
    ("action", "side", "held", "words"),
    [
        (Action.BUY, Side.YES, 0, "Cost $4.00"),
        (Action.SELL, Side.YES, 0, "Cost $6.00"),
        (Action.SELL, Side.YES, 1_000, "Brings $4.00"),
        (Action.SELL, Side.YES, 400, "Cost $2.00"),
        (Action.BUY, Side.YES, -1_000, "Brings $6.00"),
        (Action.BUY, Side.NO, 0, "Cost $4.00"),
        (Action.SELL, Side.NO, 0, "Cost $6.00"),
    ],
)
def test_the_preview_says_what_the_order_takes_of_the_cash_or_brings(
    action: Action, side: Side, held: int, words: str
) -> None:
    terms = OrderTerms(FIRST, side, action, 4_000, 1_000)
    position = Position(FIRST, held, abs(held) * 5_000) if held else None
    assert words in " ".join(plain_text(preview_lines(terms, Book(), FEES, position)[1]).split())


def test_more_than_there_is_is_warned_of() -> None:
    terms = OrderTerms(FIRST, Side.YES, Action.BUY, 5_000, 3_000_000)
    assert insufficient_cash_warning(terms, None, None, 15_000 * MONEY_UNIT) == ""
    assert insufficient_cash_warning(terms, FEES, None, 15_000 * MONEY_UNIT).startswith(
        "Needs $15,525.01 at its limit, buying power $15,000.00. It may be rejected."
    )
    assert insufficient_cash_warning(terms, FEES, None, None) == ""
    assert (
        insufficient_cash_warning(
            replace(terms, action=Action.SELL), FEES, Position(FIRST, 3_000_000), 526 * MONEY_UNIT
        )
        == ""
    )


def test_a_new_market_stands_beside_its_series_and_what_is_over_stands_last() -> None:
    store = a_store(Clock(), [a_market(ticker) for ticker in ("A-1-X", "B-1-X", "C-1-X")])
    store.market_data.set_markets([a_market("A-2-X"), a_market("B-2-X"), a_market("D-1-X")])
    assert list(store.markets) == ["A-1-X", "A-2-X", "B-1-X", "B-2-X", "C-1-X", "D-1-X"]
    ended = replace(a_market("A-1-X"), status=MarketStatus.FINALIZED, result="yes")
    store.market_data.set_markets([ended])
    assert [ticker for ticker, _ in sorted_markets(store)] == ["A-2-X", "B-1-X", "B-2-X", "C-1-X", "D-1-X", "A-1-X"]
    assert market_status_text(ended) == "ended YES"


def test_the_book_says_when_the_market_closes_and_how_it_ended() -> None:
    market = replace(a_market(FIRST), close_ms=1_800_000_900_000)
    live = LiveBook(Book(), BookTrust.GOOD)
    said = plain_text(book_header(live, market, 70))
    assert said.startswith("nobody bids")
    assert "closes" in said
    assert len(said) <= 70
    ended = replace(market, status=MarketStatus.FINALIZED, result="no")
    assert plain_text(book_header(LiveBook(), ended, 70)).startswith("ended NO")


@pytest.mark.parametrize("ts_ms", [1_800_000_000_000_000, 253_402_300_799_000, -(10**17), 10**30])
def test_a_time_that_no_calendar_has_is_drawn_all_the_same(ts_ms: int) -> None:
    assert clock_text(ts_ms)
    assert date_time_text(ts_ms)


def test_the_top_line_tells_how_the_link_does_without_moving() -> None:
    store = a_store(Clock())
    quick = plain_text(status_line(store, Venue.PRACTICE, 58, LinkStats(120, 3_400, 14), NOW_MS, 140))
    slow = plain_text(status_line(store, Venue.PRACTICE, 9_999, LinkStats(900, 9_900, 4_000), NOW_MS, 140))
    assert "58/s" in quick
    assert "lag  14 ms gaps 0 healed 0" in quick
    assert len(quick) == len(slow) == 140
    assert quick.index("cash") == slow.index("cash")
    assert quick.index("gaps") == slow.index("gaps")


def test_the_ages_of_frame_and_ping_take_the_same_room_always() -> None:
    live = Link(LinkState.LIVE)
    told = [
        plain_text(link_ages_line(live, pulse))
        for pulse in (LinkStats(61, None), LinkStats(900, 3_400), LinkStats(20_000, 24_000))
    ]
    assert told == ["frame  61 ms ping     --", "frame 900 ms ping    3 s", "frame   20 s ping   24 s"]
    assert len(set(map(len, told))) == 1
    assert link_ages_line(Link(LinkState.WAITING), LinkStats(61, 100)) == ()


@pytest.mark.parametrize(
    ("pulse", "says"),
    [
        (LinkStats(16_000, 2_000, 14), "silent 16 s"),
        (LinkStats(100, 2_000, 14, skew_ms=30_000), "clock off +30 s"),
        (LinkStats(100, 2_000, 14, untrusted=2), "STALE 2"),
    ],
)
def test_what_is_wrong_with_the_link_stands_first(pulse: LinkStats, says: str) -> None:
    said = plain_text(status_line(a_store(Clock()), Venue.PRACTICE, 58, pulse, NOW_MS, 80))
    assert says in said
    assert len(said) == 80


def test_the_link_is_told_in_a_sentence_on_any_width() -> None:
    told = link_text(Link(LinkState.LIVE), LinkStats(120, 3_400, 14, faults=2, healed=1, untrusted=1))
    assert told == (
        "Link connected: lag 14 ms, last frame 120 ms ago, last ping 3 s ago, clocks agree. "
        "2 gaps or faults found, 1 healed, 1 book stale."
    )
    assert "+30.0 s from ours" in link_text(Link(LinkState.WAITING, ""), LinkStats(skew_ms=30_000))


@pytest.mark.parametrize("state", [OrderState.UNKNOWN, OrderState.REFUSED, OrderState.NOT_SENT, OrderState.CANCELED])
def test_a_reason_never_takes_the_place_of_the_market(state: OrderState) -> None:
    store = a_store(Clock())
    reason = "The exchange did not answer in time; it is being asked."
    order = an_order(state=state, reason=reason)
    narrow = plain_text(order_line(store, order, 80))
    assert "Cut 25 bps" in narrow
    assert "exchange" not in narrow
    wide = plain_text(order_line(store, order, 160))
    assert wide.index("Cut 25 bps") < wide.index(reason)


def test_a_resting_order_says_when_it_ends_where_there_is_room() -> None:
    store = a_store(Clock())
    order = an_order(state=OrderState.RESTING, expires_ms=1_800_000_000_000)
    ends = f"until {date_time_text(order.expires_ms)}"
    assert plain_text(order_line(store, order, 160)).endswith(ends)
    assert "until" not in plain_text(order_line(store, order, 80))
    assert "until" not in plain_text(order_line(store, replace(order, state=OrderState.FILLED), 160))
    assert "until" not in plain_text(order_line(store, replace(order, expires_ms=0), 160))


def test_an_order_that_the_exchange_would_not_take_is_called_rejected() -> None:
    store = a_store(Clock())
    assert plain_text(order_line(store, an_order(state=OrderState.REFUSED), 80)).startswith("REJECTED ")
