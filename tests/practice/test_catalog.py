from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from kalshi_tui.domain.fees import FeeType
from kalshi_tui.practice.core import Catalog
from kalshi_tui.practice.simulation.catalog import (
    CREATE_AHEAD_MS,
    RECURRING_PERIOD_MS,
    build_catalog,
    event_dates,
    recurring_openings,
)
from kalshi_tui.practice.simulation.outcomes import Outcomes, PriceIndex
from kalshi_tui.practice.simulation.templates import IndexTemplate, Period
from kalshi_tui.practice.terms import DECI_CENT, GRIDS, LINEAR_CENT, TAPERED_DECI_CENT, Market

from .engine_help import NOON


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    return Outcomes(5)


@pytest.fixture(scope="module")
def catalog(outcomes: Outcomes) -> Catalog:
    return build_catalog(NOON, outcomes)


def by_event(catalog: Catalog) -> dict[str, list[Market]]:
    groups: dict[str, list[Market]] = defaultdict(list)
    for market in catalog.markets:
        groups[market.event_ticker].append(market)
    return groups


def test_the_world_is_large_enough(catalog: Catalog) -> None:
    assert len(catalog.events) >= 40
    assert len(catalog.markets) >= 250
    assert len({market.ticker for market in catalog.markets}) == len(catalog.markets)
    assert len({event.ticker for event in catalog.events}) == len(catalog.events)


def test_it_has_every_shape(catalog: Catalog) -> None:
    markets, groups = catalog.markets, by_event(catalog)
    exclusive = {event.ticker for event in catalog.events if event.mutually_exclusive}
    assert {market.structure for market in markets} == {LINEAR_CENT, DECI_CENT, TAPERED_DECI_CENT} == set(GRIDS)
    assert {market.exchange_index for market in markets} == {0, 2}
    assert {market.flow.shape for market in markets} == {"both", "bids", "asks", "empty"}
    assert {market.market_type for market in markets} == {"binary", "scalar"}
    assert {market.fees.fee_type for market in markets} == {FeeType.QUADRATIC, FeeType.QUADRATIC_WITH_MAKER_FEES}
    assert any(market.flow.fractional for market in markets)
    assert any(market.close_ms > NOON + 20 * 365 * 86_400_000 for market in markets)
    assert sum(len(group) == 1 for group in groups.values()) >= 10
    assert sum(ticker in exclusive and len(group) > 2 for ticker, group in groups.items()) >= 8
    assert sum(len({each.floor_strike for each in group}) > 4 for group in groups.values()) >= 8
    assert any(event.fee_type_override for event in catalog.events)
    assert len({series.category for series in catalog.series}) >= 8


def test_everything_refers_to_something_and_says_something(catalog: Catalog) -> None:
    series = {each.ticker for each in catalog.series}
    events = {each.ticker: each for each in catalog.events}
    for event in catalog.events:
        assert event.series_ticker in series
        assert event.title
        assert event.category
    for market in catalog.markets:
        event = events[market.event_ticker]
        assert market.ticker.startswith(market.event_ticker)
        assert market.series_ticker == event.series_ticker
        assert market.exchange_index == event.exchange_index
        assert market.rules_primary
        assert market.rules_secondary
        assert market.yes_sub_title
        assert market.created_ms <= market.open_ms < market.close_ms <= market.latest_expiration_ms
        assert len(market.title) < 200


def test_the_first_markets_are_open_and_busy(catalog: Catalog) -> None:
    for market in sorted(catalog.markets, key=lambda each: each.rank)[:14]:
        assert market.open_ms <= NOON < market.close_ms
        assert market.flow.weight >= 40
        assert market.flow.shape == "both"


def test_exclusive_events_divide_the_draw_among_them(catalog: Catalog) -> None:
    groups = by_event(catalog)
    for event in catalog.events:
        if event.mutually_exclusive:
            spans = sorted((each.flow.wins_from, each.flow.wins_to) for each in groups[event.ticker])
            assert spans[0][0] == 0
            assert spans[-1][1] == 10_000
            assert all(left[1] == right[0] for left, right in pairwise(spans))


def test_exactly_one_of_an_exclusive_event_wins_and_ladders_break_once(catalog: Catalog, outcomes: Outcomes) -> None:
    groups = by_event(catalog)
    for event in catalog.events:
        group = groups[event.ticker]
        when = max(each.latest_expiration_ms for each in group)
        results = [found.result for each in group if (found := outcomes(each, when))]
        assert len(results) == len(group)
        if event.mutually_exclusive:
            assert results.count("yes") == 1
        elif len(group) > 1:
            assert results == sorted(results, reverse=True), "a lower threshold holds whenever a higher one does"


def test_nothing_is_decided_before_its_time(catalog: Catalog, outcomes: Outcomes) -> None:
    assert all(outcomes(market, market.close_ms - 1) is None for market in catalog.markets)


@pytest.mark.parametrize("wanted", [1, 12, 249, 2_000, 20_000])
def test_any_number_of_markets(outcomes: Outcomes, wanted: int) -> None:
    found = build_catalog(NOON, outcomes, wanted)
    assert len(found.markets) == wanted
    assert len({market.ticker for market in found.markets}) == wanted
    assert {market.event_ticker for market in found.markets} == {event.ticker for event in found.events}


@pytest.mark.parametrize("wanted", [0, -1, 20_001])
def test_but_not_any(outcomes: Outcomes, wanted: int) -> None:
    with pytest.raises(ValueError, match="1 to 20,000"):
        build_catalog(NOON, outcomes, wanted)


def test_tickers_stay_through_the_day_and_dates_change_with_it(outcomes: Outcomes) -> None:
    def daily(now: int) -> set[str]:
        return {m.ticker for m in build_catalog(now, outcomes).markets if m.series_ticker == "KXHIGHNY"}

    morning = NOON // 86_400_000 * 86_400_000
    assert daily(morning) == daily(morning + 86_399_999)
    assert not daily(morning) & daily(morning + 86_400_000)


def test_calendar_spans() -> None:
    now = int(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * 1_000
    for period in Period:
        when = event_dates(period, now)
        assert when.open_ms <= now < when.close_ms
    assert event_dates(Period.DAY, now).code == "26DEC31"
    assert event_dates(Period.TOMORROW, now).code == "27JAN01"
    assert event_dates(Period.MONTH, now).code == "26DEC"
    assert event_dates(Period.YEAR, now).code == "26"


def test_the_next_recurring_market_is_listed_shortly_before_it_opens() -> None:
    start = NOON // RECURRING_PERIOD_MS * RECURRING_PERIOD_MS
    assert recurring_openings(start) == [start]
    assert recurring_openings(start + RECURRING_PERIOD_MS - CREATE_AHEAD_MS - 1) == [start]
    assert recurring_openings(start + RECURRING_PERIOD_MS - CREATE_AHEAD_MS) == [start, start + RECURRING_PERIOD_MS]


def test_an_index_is_the_same_whenever_it_is_asked_and_moves_as_such_things_do() -> None:
    template = IndexTemplate(name="BTC", base_cents=9_000_000, sigma=0.002, strike_step=250)
    index, again = PriceIndex(1, template), PriceIndex(1, template)
    times = range(NOON, NOON + 200 * RECURRING_PERIOD_MS, RECURRING_PERIOD_MS)
    levels = [index.at(at) for at in times]
    assert levels == [again.at(at) for at in reversed(times)][::-1]
    moves = sorted(abs(later / earlier - 1) for earlier, later in pairwise(levels))
    assert 0.0005 < moves[len(moves) // 2] < 0.006
    assert moves[-1] < 0.03
    assert PriceIndex(2, template).at(NOON) != index.at(NOON)
