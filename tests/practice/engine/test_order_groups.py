import pytest

from kalshi_tui.practice.engine.events import GroupChanged
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.records import OrderStatus
from kalshi_tui.practice.engine.rejection import Rejection
from tests.support.engine import (
    ASK,
    BID,
    CRYPTO,
    FOK,
    PLAIN,
    Clock,
    exchange,
    place,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Exchange:
    return exchange(clock)


def resting(engine: Exchange) -> int:
    return len(list(engine.queries.orders("ann", ListFilter(status=OrderStatus.RESTING))))


def test_more_than_the_limit_within_the_window_cancels_the_group(engine: Exchange, clock: Clock) -> None:
    group = engine.order_groups.create("ann", 1_000).group_id
    place(engine, "ann", BID, "0.42", "30", group_id=group)
    place(engine, "ann", BID, "0.30", "5", group_id=group)
    place(engine, "ann", BID, "0.20", "5")
    place(engine, "bob", ASK, "0.42", "6")
    clock.pass_(15_000)
    place(engine, "bob", ASK, "0.42", "10")
    assert resting(engine) == 3
    assert not engine.order_groups.get("ann", group).triggered
    place(engine, "bob", ASK, "0.42", "0.01")
    assert engine.order_groups.get("ann", group).triggered
    assert resting(engine) == 1
    with pytest.raises(Rejection, match="triggered"):
        place(engine, "ann", BID, "0.42", "1", group_id=group)
    engine.order_groups.reset("ann", group)
    assert place(engine, "ann", BID, "0.42", "1", group_id=group).remaining == 100


def test_an_incoming_order_stops_at_the_fill_that_passes_the_limit(engine: Exchange) -> None:
    group = engine.order_groups.create("ann", 500).group_id
    for price in ("0.40", "0.41", "0.42"):
        place(engine, "bob", ASK, price, "4")
    result = place(engine, "ann", BID, "0.45", "20", group_id=group)
    assert (result.filled, result.remaining) == (800, 0)
    record = engine.queries.order("ann", result.order_id)
    assert (record.status, record.update_reason) == (OrderStatus.CANCELED, "Decrease")


def test_a_fill_or_kill_is_filled_whole_before_groups_fall(engine: Exchange) -> None:
    group = engine.order_groups.create("ann", 500).group_id
    for price in ("0.40", "0.41", "0.42"):
        place(engine, "ann", BID, price, "4", group_id=group)
    place(engine, "ann", BID, "0.30", "4", group_id=group)
    assert place(engine, "bob", ASK, "0.40", "12", tif=FOK).filled == 1_200
    assert engine.order_groups.get("ann", group).triggered
    assert resting(engine) == 0


def test_handling_a_group(engine: Exchange) -> None:
    group = engine.order_groups.create("ann", 1_000).group_id
    order = place(engine, "ann", BID, "0.42", "5", group_id=group).order_id
    assert engine.order_groups.get("ann", group).order_ids == (order,)
    engine.order_groups.trigger("ann", group)
    assert resting(engine) == 0
    engine.order_groups.reset("ann", group)
    place(engine, "ann", BID, "0.42", "5", group_id=group)
    place(engine, "bob", ASK, "0.42", "3")
    engine.order_groups.set_limit("ann", group, 300)
    assert not engine.order_groups.get("ann", group).triggered
    engine.order_groups.set_limit("ann", group, 200)
    assert engine.order_groups.get("ann", group).triggered
    engine.order_groups.reset("ann", group)
    place(engine, "ann", BID, "0.42", "5", group_id=group)
    engine.drain_events()
    engine.order_groups.delete("ann", group)
    assert resting(engine) == 0
    assert [each.group.deleted for each in engine.drain_events() if isinstance(each, GroupChanged)] == [True]
    assert engine.order_groups.list_for("ann") == []
    with pytest.raises(Rejection) as caught:
        engine.order_groups.get("ann", group)
    assert caught.value.status == 404


def test_a_group_belongs_to_an_account_and_a_shard(engine: Exchange) -> None:
    group = engine.order_groups.create("ann", 1_000).group_id
    with pytest.raises(Rejection, match="another exchange_index"):
        place(engine, "ann", BID, "0.42", "5", ticker=CRYPTO, group_id=group)
    with pytest.raises(Rejection):
        place(engine, "bob", BID, "0.42", "5", ticker=PLAIN, group_id=group)
    other = engine.order_groups.create("ann", 1_000, 2).group_id
    assert place(engine, "ann", BID, "0.42", "5", ticker=CRYPTO, group_id=other).remaining == 500
    assert [each.exchange_index for each in engine.order_groups.list_for("ann")] == [0, 2]


@pytest.mark.parametrize(("limit", "shard"), [(0, 0), (99, 0), (100_000_001, 0), (100, 4)])
def test_limits_that_cannot_be(engine: Exchange, limit: int, shard: int) -> None:
    with pytest.raises(Rejection):
        engine.order_groups.create("ann", limit, shard)
