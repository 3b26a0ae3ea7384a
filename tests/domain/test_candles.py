"""Candles as read, and as trades continue them."""

from dataclasses import replace

from hypothesis import given, strategies as st

from kalshi_tui.domain.candles import (
    MAX_CANDLES,
    MINUTE_MS,
    Candle,
    CandleSeries,
    Settlement,
)
from kalshi_tui.domain.market import Trade

HOUR = 60 * MINUTE_MS
T0 = 1_800_000_000_000 // HOUR * HOUR


def a_candle(end_ms: int, price: int | None = 5_000, volume: int = 100) -> Candle:
    return Candle(end_ms, price, price, price, price, 4_900, 5_100, volume, 700)


def a_trade(ts_ms: int, price: int = 5_000, count: int = 100) -> Trade:
    return Trade(f"t{ts_ms}", "T", price, count, taker_bid=True, ts_ms=ts_ms)


def test_a_trade_moves_the_candle_under_way() -> None:
    chart = CandleSeries(60).merge([a_candle(T0), a_candle(T0 + HOUR)], T0, T0 + 1_000)
    chart = chart.with_trade(a_trade(T0 + 2_000, 5_300, 250)).with_trade(a_trade(T0 + 3_000, 4_800))
    assert chart.candles[:-1] == (a_candle(T0),)
    assert chart.candles[-1] == Candle(T0 + HOUR, 5_000, 5_300, 4_800, 4_800, 4_900, 5_100, 450, 700)


def test_a_period_without_trades_begins_with_the_first() -> None:
    chart = CandleSeries(60).merge([a_candle(T0 + HOUR, None, 0)], T0, T0 + 1)
    now = chart.with_trade(a_trade(T0 + 5, 4_200)).candles[-1]
    assert (now.open, now.high, now.low, now.close, now.volume) == (4_200, 4_200, 4_200, 4_200, 100)


def test_a_trade_after_the_end_begins_a_period_where_the_exchange_begins_them() -> None:
    # Days that end at five o'clock.
    day, end = 24 * HOUR, T0 // (24 * HOUR) * 24 * HOUR + 5 * HOUR
    chart = CandleSeries(1440).merge([a_candle(end)], 0, end - HOUR)
    assert chart.with_trade(a_trade(end)).candles[-1].end_ms == end + day
    later = chart.with_trade(a_trade(end + 2 * day + 1))
    assert [each.end_ms for each in later.candles] == [end, end + 3 * day]
    assert later.candles[-1].volume == 100
    assert chart.current_period_end_ms(end + 1) == end + day


def test_what_was_read_is_not_counted_twice_and_what_is_older_not_at_all() -> None:
    chart = CandleSeries(60).merge([a_candle(T0 + HOUR)], T0, T0 + 10_000)
    assert chart.with_trade(a_trade(T0 + 10_000)) is chart
    assert chart.with_trade(a_trade(T0 - 1)) is chart
    assert CandleSeries(60).with_trade(a_trade(T0)).candles == ()
    told = [a_trade(T0 + 9_000, 100), a_trade(T0 + 11_000, 5_100)]
    assert CandleSeries(60).merge([a_candle(T0 + HOUR)], T0, T0 + 10_000, told).candles[-1].low == 5_000


def test_a_read_replaces_what_it_covers_and_keeps_what_is_older() -> None:
    chart = CandleSeries(60, why="broken").merge([a_candle(T0), a_candle(T0 + HOUR, 5_500)], T0, T0 + 1)
    chart = chart.with_trade(a_trade(T0 + 2 * HOUR, 9_000))
    chart = chart.merge([a_candle(T0 + HOUR, 5_600)], T0 + HOUR, T0 + 2 * HOUR + 1)
    assert chart.candles == (a_candle(T0), a_candle(T0 + HOUR, 5_600))
    assert chart.why == ""


def test_a_market_without_history_begins_with_its_first_trade() -> None:
    chart = CandleSeries(60).merge([], 0, T0).with_trade(a_trade(T0 + 7, 3_000))
    assert [(each.end_ms, each.close) for each in chart.candles] == [(T0 + HOUR, 3_000)]


@given(st.lists(st.tuples(st.integers(0, 500 * HOUR), st.integers(1, 9_999), st.integers(1, 10**6)), max_size=60))
def test_candles_stay_in_order_and_hold_every_trade_once(told: list[tuple[int, int, int]]) -> None:
    told.sort()
    chart = CandleSeries(60).merge([], 0, T0)
    for after, price, count in told:
        chart = chart.with_trade(a_trade(T0 + 1 + after, price, count))
    ends = [each.end_ms for each in chart.candles]
    assert ends == sorted(set(ends))
    assert sum(each.volume for each in chart.candles) == sum(count for *_, count in told)
    for each in chart.candles:
        assert each.low is not None
        assert each.high is not None
        assert each.open is not None
        assert each.close is not None
        assert each.low <= min(each.open, each.close) <= max(each.open, each.close) <= each.high


def test_candles_are_forgotten_at_last() -> None:
    chart = CandleSeries(1).merge([a_candle(T0 + place * MINUTE_MS) for place in range(MAX_CANDLES + 50)], 0, T0)
    assert len(chart.candles) == MAX_CANDLES
    assert chart.candles[-1].end_ms == T0 + (MAX_CANDLES + 49) * MINUTE_MS


def test_a_settlement_nets_what_it_paid() -> None:
    settled = Settlement("T", "E", "yes", 1_000, 500, 4_700_000, 1_000_000, 10_000_000, 50_000, 10_000, T0)
    assert (settled.cost, settled.net) == (5_700_000, None)
    assert replace(settled, realized=-100_000).net == 4_150_000
