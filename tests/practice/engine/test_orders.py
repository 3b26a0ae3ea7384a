from decimal import Decimal

import pytest

from kalshi_tui.domain.order import SelfTrade
from kalshi_tui.domain.price import parse_count, parse_money
from kalshi_tui.practice.engine.events import BookChanged, OrderChanged, TradePrinted
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.records import AmendRequest, OrderStatus
from kalshi_tui.practice.engine.rejection import Rejection
from tests.support.engine import (
    ASK,
    BID,
    CRYPTO,
    FINE,
    FOK,
    IOC,
    PLAIN,
    Clock,
    exchange,
    place,
    published,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Exchange:
    return exchange(clock)


def refused(engine: Exchange, account: str, *args: str, **more: object) -> Rejection:
    side, price, count = args
    with pytest.raises(Rejection) as caught:
        place(engine, account, BID if side == "bid" else ASK, price, count, **more)
    return caught.value


def test_a_bid_rests_on_the_yes_side_and_an_ask_as_a_no_bid(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "10")
    place(engine, "bob", ASK, "0.47", "2.5")
    assert published(engine, PLAIN) == ([(4_200, 1_000)], [(5_300, 250)])
    assert engine.markets.listing(PLAIN).top == (4_200, 1_000, 4_700, 250)


def test_a_crossing_order_trades_at_the_resting_price(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "10")
    engine.drain_events()
    result = place(engine, "bob", ASK, "0.40", "4")
    assert (result.filled, result.remaining) == (400, 0)
    assert result.average_fill_price == parse_money("0.42")
    trades = [event.trade for event in engine.drain_events() if isinstance(event, TradePrinted)]
    assert [(each.price, each.count, each.taker_side) for each in trades] == [(4_200, 400, ASK)]


def test_the_best_price_trades_first_and_within_it_the_oldest(engine: Exchange) -> None:
    first = place(engine, "ann", BID, "0.42", "1").order_id
    second = place(engine, "ann", BID, "0.43", "1").order_id
    third = place(engine, "ann", BID, "0.43", "1").order_id
    place(engine, "bob", ASK, "0.40", "2.5", tif=IOC)
    filled = {each.order_id: each.filled for each in engine.queries.orders("ann")}
    assert filled == {first: 50, second: 100, third: 100}


def test_a_fill_or_kill_fills_whole_or_not_at_all(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "10")
    killed = refused(engine, "bob", "ask", "0.42", "10.01", tif=FOK, client_order_id="k")
    assert (killed.status, killed.code) == (409, "fill_or_kill_insufficient_resting_volume")
    assert list(engine.queries.fills("bob")) == []
    assert place(engine, "bob", ASK, "0.42", "10", tif=FOK).filled == 1_000


def test_an_immediate_or_cancel_never_rests(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "3")
    result = place(engine, "bob", ASK, "0.42", "10", tif=IOC)
    assert (result.filled, result.remaining) == (300, 0)
    assert engine.queries.order("bob", result.order_id).status is OrderStatus.CANCELED
    assert published(engine, PLAIN) == ([], [])


def test_post_only_that_would_take_is_refused_and_nothing_changes(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "3")
    engine.drain_events()
    answer = refused(engine, "bob", "ask", "0.42", "1", post_only=True)
    assert (answer.status, answer.code, answer.details) == (400, "invalid_order", "post only cross")
    assert engine.drain_events() == []
    assert place(engine, "bob", ASK, "0.43", "1", post_only=True).remaining == 100


def test_reduce_only_is_capped_by_the_position_and_needs_ioc(engine: Exchange) -> None:
    answer = refused(engine, "ann", "ask", "0.42", "1", reduce_only=True)
    assert answer.details == "reduce_only can only be used with IoC orders"
    assert refused(engine, "ann", "ask", "0.42", "1", reduce_only=True, tif=IOC).code == "invalid_order"
    place(engine, "ann", BID, "0.42", "3")
    place(engine, "bob", ASK, "0.42", "3")
    place(engine, "bob", BID, "0.40", "50")
    result = place(engine, "ann", ASK, "0.40", "10", reduce_only=True, tif=IOC)
    assert result.filled == 300
    assert engine.queries.positions("ann")[0].count == 0


def test_taker_at_cross_cancels_the_rest_of_the_incoming_order(engine: Exchange) -> None:
    place(engine, "bob", BID, "0.43", "2")
    own = place(engine, "ann", BID, "0.42", "5").order_id
    result = place(engine, "ann", ASK, "0.40", "10")
    assert (result.filled, result.remaining) == (200, 0)
    assert engine.queries.order("ann", result.order_id).status is OrderStatus.CANCELED
    assert engine.queries.order("ann", own).remaining == 500


def test_maker_cancels_the_resting_one_and_goes_on(engine: Exchange) -> None:
    own = place(engine, "ann", BID, "0.43", "5").order_id
    place(engine, "bob", BID, "0.42", "2")
    result = place(engine, "ann", ASK, "0.40", "10", self_trade=SelfTrade.MAKER)
    assert (result.filled, result.remaining) == (200, 800)
    assert engine.queries.order("ann", own).status is OrderStatus.CANCELED


def test_a_fill_or_kill_does_not_count_the_accounts_own_orders(engine: Exchange) -> None:
    own = place(engine, "ann", BID, "0.43", "5").order_id
    place(engine, "bob", BID, "0.42", "2")
    for mode in SelfTrade:
        assert refused(engine, "ann", "ask", "0.40", "5", tif=FOK, self_trade=mode).status == 409
    assert engine.queries.order("ann", own).status is OrderStatus.RESTING


@pytest.mark.parametrize(
    ("ticker", "price", "legal"),
    [
        (PLAIN, "0.42", True),
        (PLAIN, "0.425", False),
        (PLAIN, "0", False),
        (PLAIN, "1", False),
        (FINE, "0.425", True),
        (FINE, "0.4255", False),
        (CRYPTO, "0.099", True),
        (CRYPTO, "0.425", False),
        (CRYPTO, "0.905", True),
    ],
)
def test_prices_must_lie_on_the_markets_grid(engine: Exchange, ticker: str, price: str, legal: bool) -> None:
    if legal:
        assert place(engine, "ann", BID, price, "1", ticker=ticker).remaining == 100
    else:
        assert refused(engine, "ann", "bid", price, "1", ticker=ticker).code == "invalid_order"


def test_a_count_of_nothing_is_refused(engine: Exchange) -> None:
    assert refused(engine, "ann", "bid", "0.42", "0").code == "invalid_order"


def test_unknown_markets_and_missing_tickers(engine: Exchange) -> None:
    assert refused(engine, "ann", "bid", "0.42", "1", ticker="NOPE").code == "market_not_found"
    assert refused(engine, "ann", "bid", "0.42", "1", ticker="").code == "missing_parameters"
    wrong = refused(engine, "ann", "bid", "0.42", "1", ticker=CRYPTO, exchange_index=0)
    assert (wrong.status, wrong.code) == (404, "market_not_found")
    assert place(engine, "ann", BID, "0.42", "1", ticker=CRYPTO, exchange_index=-1).remaining == 100


def test_a_client_order_id_is_refused_while_its_order_is_open(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "1", client_order_id="a")
    again = refused(engine, "ann", "bid", "0.41", "1", client_order_id="a")
    assert (again.status, again.code) == (409, "order_already_exists")
    assert place(engine, "bob", BID, "0.41", "1", client_order_id="a").remaining == 100
    engine.order_entry.cancel_all("ann")
    assert place(engine, "ann", BID, "0.41", "1", client_order_id="a").remaining == 100


def test_or_for_ever_and_then_a_killed_one_counts_too(clock: Clock) -> None:
    engine = exchange(clock, dedupe="ever")
    place(engine, "ann", BID, "0.42", "1", client_order_id="a")
    engine.order_entry.cancel_all("ann")
    assert refused(engine, "ann", "bid", "0.41", "1", client_order_id="a").status == 409
    assert refused(engine, "ann", "bid", "0.41", "1", client_order_id="b", tif=FOK).code.startswith("fill_or_kill")
    assert refused(engine, "ann", "bid", "0.41", "1", client_order_id="b").code == "order_already_exists"
    # A definite refusal used nothing up.
    assert refused(engine, "ann", "bid", "0.415", "1", client_order_id="c").code == "invalid_order"
    assert place(engine, "ann", BID, "0.41", "1", client_order_id="c").remaining == 100


def test_an_order_that_expires_leaves_on_time(engine: Exchange, clock: Clock) -> None:
    order = place(engine, "ann", BID, "0.42", "1", expires_ms=clock.now + 5_000).order_id
    clock.pass_(4_999)
    engine.advance()
    assert engine.queries.order("ann", order).status is OrderStatus.RESTING
    clock.pass_(1)
    engine.advance()
    assert engine.queries.order("ann", order).status is OrderStatus.CANCELED
    both = refused(engine, "ann", "bid", "0.42", "1", expires_ms=clock.now + 1, tif=IOC)
    assert both.code == "Cannot_specify_both_IoC_and_expiration_timestamp"
    assert refused(engine, "ann", "bid", "0.42", "1", expires_ms=clock.now).code == "invalid_order"


def test_canceling_without_a_ticker_looks_on_shard_0_only(engine: Exchange) -> None:
    order = place(engine, "ann", BID, "0.42", "2", ticker=CRYPTO, client_order_id="x").order_id
    with pytest.raises(Rejection) as caught:
        engine.order_entry.cancel("ann", order)
    assert caught.value.status == 404
    result = engine.order_entry.cancel("ann", order, CRYPTO)
    assert (result.reduced_by, result.client_order_id) == (200, "x")
    with pytest.raises(Rejection) as caught:
        engine.order_entry.cancel("ann", order, CRYPTO)
    assert (caught.value.status, caught.value.code) == (404, "not_found")


def test_cancel_all_spares_the_others(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "2")
    place(engine, "ann", BID, "0.42", "2", ticker=CRYPTO)
    place(engine, "bob", BID, "0.41", "2")
    assert len(engine.order_entry.cancel_all("ann", exchange_index=2)) == 1
    assert len(engine.order_entry.cancel_all("ann")) == 1
    assert [each.account_id for each in engine.queries.orders("bob", ListFilter(status=OrderStatus.RESTING))] == ["bob"]


def amended(engine: Exchange, order: str, price: int, count: str) -> tuple[int, int]:
    result = engine.order_entry.amend("ann", order, AmendRequest(PLAIN, BID, price, parse_count(count)))
    return result.filled, result.remaining


def test_an_amend_keeps_the_place_only_when_it_shrinks(engine: Exchange) -> None:
    order = place(engine, "ann", BID, "0.42", "5").order_id
    place(engine, "bob", BID, "0.42", "7")
    assert amended(engine, order, 4_200, "3") == (0, 300)
    assert engine.queries.queue_position("ann", order).count_ahead == 0
    assert amended(engine, order, 4_200, "4") == (0, 400)
    assert engine.queries.queue_position("ann", order).count_ahead == 700
    assert amended(engine, order, 4_300, "4") == (0, 400)
    assert engine.queries.queue_position("ann", order).count_ahead == 0
    assert amended(engine, order, 4_200, "4") == (0, 400)
    assert engine.queries.queue_position("ann", order).count_ahead == 700


def test_an_amends_count_includes_what_is_filled(engine: Exchange) -> None:
    order = place(engine, "ann", BID, "0.42", "5").order_id
    place(engine, "bob", ASK, "0.42", "2")
    assert amended(engine, order, 4_200, "4") == (0, 200)
    record = engine.queries.order("ann", order)
    assert (record.initial, record.filled, record.remaining) == (400, 200, 200)
    with pytest.raises(Rejection, match="count must not be less than what is filled"):
        amended(engine, order, 4_200, "1")
    # What has filled and nothing more: the rest is canceled, and the place is nobody's.
    assert amended(engine, order, 4_200, "2") == (0, 0)
    record = engine.queries.order("ann", order)
    assert (record.status, record.filled, record.remaining) == (OrderStatus.CANCELED, 200, 0)
    with pytest.raises(Rejection, match="not_found"):
        amended(engine, order, 4_200, "4")


def test_an_amend_may_trade_at_once(engine: Exchange) -> None:
    order = place(engine, "ann", BID, "0.42", "5").order_id
    place(engine, "bob", ASK, "0.45", "2")
    result = engine.order_entry.amend("ann", order, AmendRequest(PLAIN, BID, 4_600, 500))
    assert (result.filled, result.remaining, result.average_fill_price) == (200, 300, parse_money("0.45"))
    assert result.fees == engine.queries.order("ann", order).taker_fees > 0


def test_a_refused_amend_changes_nothing(engine: Exchange) -> None:
    order = place(engine, "ann", BID, "0.42", "5", post_only=True, client_order_id="a").order_id
    place(engine, "ann", BID, "0.41", "1", client_order_id="b")
    place(engine, "bob", ASK, "0.45", "2")
    before = engine.queries.order("ann", order), engine.queries.balance("ann").available
    engine.drain_events()
    for request_, code in (
        (AmendRequest(PLAIN, BID, 4_600, 500), "invalid_order"),
        (AmendRequest(PLAIN, BID, 4_200, 10_000_000), "insufficient_balance"),
        (AmendRequest(PLAIN, BID, 4_250, 500), "invalid_order"),
        (AmendRequest(PLAIN, ASK, 4_200, 500), "invalid_order"),
        (AmendRequest(FINE, BID, 4_200, 500), "invalid_order"),
        (AmendRequest(PLAIN, BID, 4_300, 500, "wrong"), "invalid_order"),
        (AmendRequest(PLAIN, BID, 4_300, 500, "a", "b"), "order_already_exists"),
    ):
        with pytest.raises(Rejection) as caught:
            engine.order_entry.amend("ann", order, request_)
        assert caught.value.code == code
    assert (engine.queries.order("ann", order), engine.queries.balance("ann").available) == before
    assert engine.drain_events() == []


def test_an_amend_can_give_a_new_client_order_id(engine: Exchange) -> None:
    order = place(engine, "ann", BID, "0.42", "5", client_order_id="a").order_id
    engine.order_entry.amend("ann", order, AmendRequest(PLAIN, BID, 4_200, 500, "a", "b"))
    assert engine.queries.order("ann", order).client_order_id == "b"
    assert refused(engine, "ann", "bid", "0.40", "1", client_order_id="b").status == 409


def test_an_amend_moves_the_expiry_and_keeps_the_place(engine: Exchange, clock: Clock) -> None:
    order = place(engine, "ann", BID, "0.42", "5", expires_ms=clock.now + 60_000).order_id
    place(engine, "bob", BID, "0.42", "7")
    later = clock.now + 120_000
    result = engine.order_entry.amend("ann", order, AmendRequest(PLAIN, BID, 4_200, 500, expires_ms=later))
    assert not result.changed
    assert engine.queries.queue_position("ann", order).count_ahead == 0
    clock.now += 90_000
    engine.clock.advance()
    assert engine.queries.order("ann", order).remaining == 500
    # Without an expiry of its own an amend keeps the order's; a past one changes nothing.
    engine.order_entry.amend("ann", order, AmendRequest(PLAIN, BID, 4_200, 400))
    assert engine.queries.order("ann", order).expires_ms == later
    with pytest.raises(Rejection, match="expiration_time is in the past"):
        engine.order_entry.amend("ann", order, AmendRequest(PLAIN, BID, 4_200, 300, expires_ms=clock.now))
    assert engine.queries.order("ann", order).remaining == 400
    clock.now = later
    engine.clock.advance()
    assert engine.queries.order("ann", order).status is OrderStatus.CANCELED


def test_an_amend_clears_the_expiry(engine: Exchange, clock: Clock) -> None:
    order = place(engine, "ann", BID, "0.42", "5", expires_ms=clock.now + 60_000).order_id
    engine.order_entry.amend("ann", order, AmendRequest(PLAIN, BID, 4_200, 500, expires_ms=0))
    clock.now += 3_600_000
    engine.clock.advance()
    assert engine.queries.order("ann", order).status is OrderStatus.RESTING


def test_a_decrease_keeps_the_place_and_to_nothing_is_a_cancel(engine: Exchange) -> None:
    order = place(engine, "ann", BID, "0.42", "5").order_id
    place(engine, "bob", BID, "0.42", "7")
    assert engine.order_entry.decrease("ann", order, reduce_by=100).remaining == 400
    assert engine.order_entry.decrease("ann", order, reduce_to=150).remaining == 150
    assert engine.queries.queue_position("ann", order).count_ahead == 0
    for by, to in ((None, None), (1, 1), (None, 151)):
        with pytest.raises(Rejection):
            engine.order_entry.decrease("ann", order, reduce_by=by, reduce_to=to)
    assert engine.order_entry.decrease("ann", order, reduce_by=9_999).remaining == 0
    assert engine.queries.order("ann", order).status is OrderStatus.CANCELED


def test_queue_positions_count_better_prices_and_seniors(engine: Exchange) -> None:
    place(engine, "bob", BID, "0.43", "1")
    place(engine, "bob", BID, "0.42", "2")
    order = place(engine, "ann", BID, "0.42", "1").order_id
    place(engine, "bob", BID, "0.42", "4")
    place(engine, "ann", BID, "0.42", "1", ticker=CRYPTO)
    assert engine.queries.queue_position("ann", order).count_ahead == 300
    assert [each.count_ahead for each in engine.queries.queue_positions("ann", ListFilter(tickers=[PLAIN]))] == [300]
    assert len(engine.queries.queue_positions("ann")) == 2


def test_deltas_name_the_order_that_caused_them(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "2", client_order_id="mine")
    place(engine, "bob", ASK, "0.42", "1", client_order_id="his")
    causes = [
        (each.account_id, each.client_order_id, each.delta)
        for each in engine.drain_events()
        if isinstance(each, BookChanged)
    ]
    assert causes == [("ann", "mine", 200), ("bob", "his", -100)]


def test_orders_are_listed_newest_first_with_their_filters(engine: Exchange, clock: Clock) -> None:
    first = place(engine, "ann", BID, "0.42", "2").order_id
    clock.pass_(10)
    second = place(engine, "ann", BID, "0.42", "2", ticker=CRYPTO).order_id
    engine.order_entry.cancel("ann", first)
    assert [each.order_id for each in engine.queries.orders("ann")] == [second, first]
    assert [each.order_id for each in engine.queries.orders("ann", ListFilter(status=OrderStatus.RESTING))] == [second]
    assert [each.order_id for each in engine.queries.orders("ann", ListFilter(status=OrderStatus.CANCELED))] == [first]
    assert [each.order_id for each in engine.queries.orders("ann", ListFilter(tickers=(PLAIN,)))] == [first]
    assert [each.order_id for each in engine.queries.orders("ann", ListFilter(event_tickers=[f"E-{CRYPTO}"]))] == [
        second
    ]
    assert [each.order_id for each in engine.queries.orders("ann", ListFilter(min_ms=clock.now))] == [second]
    assert [each.order_id for each in engine.queries.orders("ann", ListFilter(max_ms=clock.now - 1))] == [first]
    assert [each.order_id for each in engine.queries.orders("ann", ListFilter(exchange_index=2))] == [second]
    with pytest.raises(Rejection, match="order not found"):
        engine.queries.order("bob", first)


def test_pauses(engine: Exchange) -> None:
    stays = place(engine, "ann", BID, "0.42", "2").order_id
    goes = place(engine, "ann", BID, "0.41", "2", cancel_on_pause=True).order_id
    engine.pauses.pause_trading()
    assert engine.queries.order("ann", goes).status is OrderStatus.CANCELED
    assert refused(engine, "ann", "bid", "0.40", "1").status == 503
    with pytest.raises(Rejection):
        engine.order_entry.amend("ann", stays, AmendRequest(PLAIN, BID, 4_100, 200))
    engine.pauses.pause_exchange()
    with pytest.raises(Rejection) as caught:
        engine.order_entry.cancel("ann", stays)
    assert caught.value.status == 503
    engine.pauses.resume_exchange()
    assert engine.order_entry.cancel("ann", stays).reduced_by == 200
    engine.pauses.resume_trading()
    assert place(engine, "ann", BID, "0.40", "1").remaining == 100


def test_every_change_of_an_order_is_told_once(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "2")
    place(engine, "bob", ASK, "0.42", "1")
    engine.order_entry.cancel_all("ann")
    told = [
        (each.order.account_id, each.order.status.value, each.order.remaining)
        for each in engine.drain_events()
        if isinstance(each, OrderChanged)
    ]
    assert told == [("ann", "resting", 200), ("ann", "resting", 100), ("bob", "executed", 0), ("ann", "canceled", 0)]


def test_a_dedupe_of_another_name_is_a_mistake(clock: Clock) -> None:
    with pytest.raises(ValueError, match="dedupe"):
        exchange(clock, dedupe="sometimes")


def test_averages_are_rounded_half_up_to_the_millionth(engine: Exchange) -> None:
    place(engine, "bob", ASK, "0.40", "1")
    place(engine, "bob", ASK, "0.41", "2")
    result = place(engine, "ann", BID, "0.41", "3")
    assert result.average_fill_price == round(Decimal("1.22") / 3 * 1_000_000)
