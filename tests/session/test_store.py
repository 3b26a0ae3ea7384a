from dataclasses import replace

from hypothesis import given, strategies as st

from kalshi_tui.domain.book import Level
from kalshi_tui.domain.link import BookTrust, LinkState
from kalshi_tui.domain.market import Event, Market, Quote, Trade
from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.session.account.order_merge import merge_orders
from kalshi_tui.session.changes import Topic
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from tests.support.store_records import a_fill, an_order


def a_store() -> Store:
    return Store(clock_ms=lambda: 1_000)


def test_a_book_is_waiting_until_its_snapshot_and_then_good() -> None:
    store = a_store()
    assert store.book("T").trust is BookTrust.WAITING
    store.snapshot("T", [(4_700, 1_000)], [(5_200, 500)])
    live = store.book("T")
    assert live.is_good
    assert live.book.best_bid() == Level(4_700, 1_000)
    assert live.book.best_ask() == Level(4_800, 500)


def test_a_stale_book_keeps_its_prices_and_says_why_until_the_next_snapshot() -> None:
    store = a_store()
    store.snapshot("T", [(4_700, 1_000)], [])
    store.stale(["T"], "A frame was missed.")
    live = store.book("T")
    assert (live.trust, live.why, live.book.best_bid()) == (BookTrust.STALE, "A frame was missed.", Level(4_700, 1_000))
    store.snapshot("T", [(4_600, 1_000)], [])
    assert store.book("T").is_good
    assert not store.book("T").why


def test_drain_names_what_changed_once() -> None:
    store = a_store()
    store.snapshot("T", [], [])
    store.trade(Trade("t", "U", 100, 100, taker_bid=True, ts_ms=1))
    store.link(LinkState.CONNECTING, "")
    dirty = store.take_changes()
    assert dirty.tickers == {"T", "U"}
    assert Topic.LINK in dirty.topics
    assert not store.take_changes()


def test_a_ticker_frame_keeps_what_its_channel_does_not_carry() -> None:
    store = a_store()
    store.market_data.set_markets([Market("T", "E", quote=Quote(previous=4_000, volume_24h=700))])
    store.quote("T", Quote(yes_bid=4_700, last=4_750, ts_ms=9))
    assert store.quotes["T"] == Quote(yes_bid=4_700, last=4_750, previous=4_000, volume_24h=700, ts_ms=9)


def test_reading_markets_again_does_not_replace_a_live_quote_by_an_older_one() -> None:
    store = a_store()
    store.quote("T", Quote(yes_bid=4_700, ts_ms=9))
    store.market_data.set_markets([Market("T", "E", quote=Quote(yes_bid=4_100, previous=4_000))])
    assert store.quotes["T"].yes_bid == 4_700
    assert store.quotes["T"].previous == 4_000


def test_a_fill_that_comes_twice_counts_once_whichever_way_it_comes() -> None:
    store = a_store()
    store.fill(a_fill("t1"))
    store.fill(a_fill("t1"))
    fresh = store.account.set_fills([a_fill("t2", ts_ms=3), a_fill("t1")])
    assert [fill.trade_id for fill in store.fills] == ["t1", "t2"]
    assert [fill.trade_id for fill in fresh] == ["t2"]


def test_older_prints_go_under_the_live_ones() -> None:
    store = a_store()
    live = Trade("b", "T", 4_700, 100, taker_bid=True, ts_ms=2)
    older = Trade("a", "T", 4_600, 100, taker_bid=False, ts_ms=1)
    store.trade(live)
    store.market_data.set_tape("T", [live, older])
    assert list(store.tapes["T"]) == [live, older]


def test_a_pending_order_becomes_the_one_that_the_exchange_named() -> None:
    store = a_store()
    store.order(an_order(order_id="", state=OrderState.SENDING, updated_ms=0))
    assert list(store.orders) == ["c1"]
    store.order(an_order())
    assert list(store.orders) == ["o1"]
    assert store.working_orders() == [an_order()]


def test_unknown_orders_stand_first_among_the_working_ones() -> None:
    store = a_store()
    store.order(an_order())
    store.order(an_order(order_id="", client_order_id="c2", state=OrderState.UNKNOWN, created_ms=1))
    assert [order.client_order_id for order in store.working_orders()] == ["c2", "c1"]


def test_a_closed_position_leaves() -> None:
    store = a_store()
    store.position(Position("T", count=100, cost=4_700))
    store.position(Position("T"))
    assert store.positions == {}


def test_losing_the_link_is_told_once() -> None:
    store = a_store()
    store.link(LinkState.LIVE, "")
    store.link(LinkState.WAITING, "The exchange closed the connection.")
    store.link(LinkState.WAITING, "The exchange closed the connection.")
    assert [(n.severity, n.text) for n in store.notices] == [
        (Severity.WARNING, "The exchange closed the connection."),
        (Severity.GOOD, "Connected."),
    ]


LIFE = [
    an_order(order_id="", state=OrderState.SENDING, updated_ms=0),
    an_order(),
    an_order(filled=400, remaining=600, updated_ms=20),
    an_order(filled=400, remaining=0, state=OrderState.CANCELED, updated_ms=30),
]


@given(st.lists(st.sampled_from(LIFE[1:]), min_size=1).flatmap(lambda seen: st.permutations([*seen, LIFE[-1]])))
def test_news_of_an_order_may_come_late_doubled_or_out_of_turn(news: list[Order]) -> None:
    store = a_store()
    store.order(LIFE[0])
    for order in news:
        store.order(order)
    assert store.orders == {"o1": replace(LIFE[-1], reason="by the exchange, or from elsewhere")}


@given(st.permutations(range(11)))
def test_a_filled_count_never_falls(fills: list[int]) -> None:
    known = an_order()
    highest = 0
    for filled in fills:
        state = OrderState.FILLED if filled == 10 else OrderState.RESTING
        known = merge_orders(known, an_order(filled=filled * 100, remaining=1_000 - filled * 100, state=state))
        highest = max(highest, filled)
        assert known.filled == highest * 100
    assert known.state is OrderState.FILLED


def test_the_exchanges_word_goes_before_what_was_concluded_here() -> None:
    for concluded in (OrderState.UNKNOWN, OrderState.NOT_SENT, OrderState.SENDING):
        ours = an_order(order_id="", state=concluded, updated_ms=0, remaining=0)
        theirs = an_order(order_id="o1", state=OrderState.RESTING)
        for news in ((ours, theirs), (theirs, ours), (ours, theirs, ours)):
            store = a_store()
            for each in news:
                store.order(each)
            assert list(store.orders) == ["o1"]
            assert store.orders["o1"].state is OrderState.RESTING
            assert store.known_order(ours).order_id == "o1"


def test_an_end_is_believed_whatever_its_time() -> None:
    store = a_store()
    store.order(an_order(state=OrderState.RESTING, updated_ms=20))
    store.order(an_order(state=OrderState.CANCELED, remaining=0, updated_ms=10))
    (order,) = store.orders.values()
    assert order.state is OrderState.CANCELED


def test_prints_stand_by_the_exchanges_time_wherever_they_came_from() -> None:
    store = a_store()
    for number in (3, 5):
        store.trade(Trade(f"t{number}", "T-1", 4_700, 100, taker_bid=True, ts_ms=number))
    store.market_data.set_tape("T-1", [Trade(f"t{n}", "T-1", 4_700, 100, taker_bid=True, ts_ms=n) for n in (5, 4, 2)])
    assert [trade.ts_ms for trade in store.tapes["T-1"]] == [5, 4, 3, 2]


def test_cash_is_that_of_the_markets_own_shard() -> None:
    store = a_store()
    market = Market("T", "E", exchange_index=2)
    assert store.available_cash(market) is None
    store.account.set_balance(Balance(cash=100, portfolio_value=0))
    assert store.available_cash(market) == 100
    store.account.set_balance(Balance(cash=100, portfolio_value=0, by_shard=((0, 70), (2, 30))))
    assert store.available_cash(market) == 30
    store.account.set_balance(Balance(cash=100, portfolio_value=0, by_shard=((0, 100),)))
    assert store.available_cash(market) is None


def test_markets_that_are_dropped_take_all_around_them_along() -> None:
    store = a_store()
    store.market_data.set_markets(
        [Market("A-1-X", "A-1"), Market("B-1-X", "B-1")], [Event("A-1", "A", "a"), Event("B-1", "B", "b")]
    )
    store.snapshot("A-1-X", [(4_000, 100)], [])
    store.market_data.drop_markets(["A-1-X"])
    assert list(store.markets) == ["B-1-X"] == list(store.quotes)
    assert list(store.events) == ["B-1"]
    assert not store.books


def test_a_market_that_came_too_early_goes_to_its_place_when_its_turn_comes() -> None:
    store = Store(lambda: 0)
    first, second, third = (Market(ticker=f"S-{number}", event_ticker="S") for number in range(3))
    store.market_data.set_markets([third], in_list_order=True)
    store.market_data.set_markets([first, second, third], in_list_order=True, listed_early={"S-2"})
    assert list(store.markets) == ["S-0", "S-1", "S-2"]
    # It has had its turn: read once more it stays.
    store.market_data.set_markets([second], in_list_order=True)
    assert list(store.markets) == ["S-0", "S-1", "S-2"]


def test_the_volume_of_24_hours_goes_on_with_what_trades_and_counts_nothing_twice() -> None:
    store = a_store()
    store.market_data.set_markets([Market("T", "E", quote=Quote(volume=10_000, volume_24h=700))])
    for volume, day in ((10_300, 1_000), (10_250, 950), (10_400, 1_100)):
        store.quote("T", Quote(last=4_750, volume=volume, ts_ms=9))
        assert store.quotes["T"].volume_24h == day
    # What was read again is a little older than the stream.
    store.market_data.set_markets([Market("T", "E", quote=Quote(volume=10_350, volume_24h=600))])
    assert store.quotes["T"].volume_24h == 650
    store.quote("T", Quote(last=4_750, volume=10_450, ts_ms=10))
    assert store.quotes["T"].volume_24h == 700
