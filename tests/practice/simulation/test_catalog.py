import hashlib
import json
from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from itertools import pairwise

import msgspec
import pytest

from kalshi_tui.domain.fees import FeeType
from kalshi_tui.practice.engine.terms import (
    COMBO_STRUCTURE,
    DECI_CENT,
    GRIDS,
    LINEAR_CENT,
    TAPERED_DECI_CENT,
    Catalog,
    EventDefinition,
    MarketDefinition,
    SeriesDefinition,
)
from kalshi_tui.practice.simulation.catalog import (
    CREATE_AHEAD_MS,
    RECURRING_PERIOD_MS,
    build_catalog,
    event_dates,
    recurring_openings,
)
from kalshi_tui.practice.simulation.fair_value import fair_value_model
from kalshi_tui.practice.simulation.outcomes import Outcomes, PriceIndex
from kalshi_tui.practice.simulation.templates import CATALOG_FILE, IndexTemplate, Period, decode_catalog
from tests.support.engine import NOON


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    return Outcomes(5)


@pytest.fixture(scope="module")
def catalog(outcomes: Outcomes) -> Catalog:
    return build_catalog(NOON, outcomes)


def by_event(catalog: Catalog) -> dict[str, list[MarketDefinition]]:
    groups: dict[str, list[MarketDefinition]] = defaultdict(list)
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
    assert (
        {market.structure for market in markets}
        == {LINEAR_CENT, DECI_CENT, TAPERED_DECI_CENT}
        == set(GRIDS) - {COMBO_STRUCTURE}
    )
    assert {market.exchange_index for market in markets} == {0, 2, 3}
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


# -- the file --------------------------------------------------------------------------------------------------------


OF_COMBOS = {"collection_ticker", "legs", "is_provisional"}


def digest(catalog: Catalog) -> str:
    every: tuple[SeriesDefinition | EventDefinition | MarketDefinition, ...] = (
        *catalog.series,
        *catalog.events,
        *catalog.markets,
    )
    # What only combos have came later: none of these markets is one, and their worlds are the same.
    fields = ({key: value for key, value in asdict(each).items() if key not in OF_COMBOS} for each in every)
    text = "\n".join(json.dumps(each, sort_keys=True, default=str) for each in fields)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("seed", "now", "markets", "expected"),
    [
        (5, NOON, None, "4223faf07430e51f"),
        (5, NOON + 37 * 86_400_000, None, "3d9a53526110291a"),
        (7, NOON + 14 * 60_000, None, "3e35b96ed28b5bf1"),
        (7, 1_835_395_199_999, None, "e97d2b70f74c9e09"),
        (7, NOON, 4, "a5539792e5f28cc6"),
        (7, NOON, 2_000, "a7d8d19a1b25f2e7"),
    ],
)
def test_a_seed_and_a_date_give_one_catalog(seed: int, now: int, markets: int | None, expected: str) -> None:
    # People write seeds down. A digest that has changed says that their worlds are others now.
    assert digest(build_catalog(now, Outcomes(seed), markets)) == expected


def test_what_a_catalog_is_made_of() -> None:
    made = build_catalog(NOON, Outcomes(7))
    by_ticker = {market.ticker: market for market in made.markets}
    expected = {
        "KXBTC15M-26NOV201215-15": ("Bitcoin price up in next 15 mins?", "Target price: $86,548.11", 5_000),
        "KXHIGHNY-26NOV20-B53": ("Highest temperature in New York City today: 52° to 53°?", "52° to 53°", 3_100),
        "KXCPI-26NOV-T-0.1": ("Rise of consumer prices this month: Above -0.1%?", "Above -0.1%", 9_980),
        "KXCPI-26NOV-T0.2": ("Rise of consumer prices this month: Above 0.2%?", "Above 0.2%", 7_377),
        "KXETHD-26NOV20-T3055": ("Ethereum price today at midnight UTC: $3,055 or above?", "$3,055 or above", 5_000),
    }
    found = {ticker: by_ticker[ticker] for ticker in expected}
    assert {t: (m.title, m.yes_sub_title, m.flow.fair) for t, m in found.items()} == expected
    games = [each for each in made.events if each.series_ticker == "KXPBLGAME"]
    assert [each.ticker for each in games if each.fee_type_override] == ["KXPBLGAME-26NOV20E"]
    (pro_ball,) = (each for each in made.series if each.ticker == "KXPBLGAME")
    assert (pro_ball.fee_type, pro_ball.fee_multiplier) == ("quadratic_with_maker_fees", Decimal("0.5"))


@pytest.mark.parametrize(
    ("event_ticker", "before", "after"),
    [
        ("KXCPI-26NOV", [9985, 9944, 9483, 7639, 4246, 1358, 223, 26], [9990, 9980, 9758, 8563, 5615, 2253, 482, 71]),
        ("KXFEDDECISION-26NOV", [6836, 2492, 269, 295, 108], [7798, 1733, 187, 207, 75]),
        ("KXBTCD-26NOV20", [717, 139, 30, 10, 10, 10, 10, 10, 10, 10], [735, 143, 31, 10, 10, 10, 10, 10, 10, 10]),
        ("KXTURNOUT-26", [4690], [6058]),
    ],
)
def test_a_seed_gives_the_same_fair_values(event_ticker: str, before: list[int], after: list[int]) -> None:
    outcomes = Outcomes(7)
    made = build_catalog(NOON, outcomes)
    (event,) = (each for each in made.events if each.ticker == event_ticker)
    markets = by_event(made)[event_ticker]
    model = fair_value_model(event_ticker, markets, outcomes, exclusive=event.mutually_exclusive)
    model.update(NOON)
    assert model.fair_values == before
    model.apply_news(1.0)
    model.update(NOON + 10_000)
    assert model.fair_values == after


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('period = "week"', 'period = "fortnight"', r"Invalid enum value 'fortnight' - at `\$\.series\[\d+\]\.period`"),
        ("fair = 17\n", "fair = 100\n", r"`float` < 100\.0 - at `\$\.series\[\d+\]\.events\[0\]\.fair`"),
        ("fair = 17\n", 'fair = "17"\n', r"Expected `float`, got `str` - at `\$\.series\[\d+\]\.events\[0\]\.fair`"),
        ('kind = "single"', 'kind = "double"', r"'double' - at `\$\.series\[\d+\]\.events\[\.*\d*\]\.kind`"),
        ("weight = 90,", "wait = 90,", r"unknown field `wait` - at `\$\.series\[\d+\]\.events\[0\]\.flow`"),
        ('["H0", 71, ', '["H0", "71", ', r"got `str` - at `\$\.series\[\d+\]\.events\[0\]\.choices\[0\]\[1\]`"),
        ('["H0", ', '["C25", ', r"'C25' stands there twice - at `\$\.series\[\d+\]\.events\[0\]`"),
        ('"2.95", "2.98"', '"2.98", "2.95"', r"strikes must rise - at `\$\.series\[\d+\]\.events\[0\]`"),
        ('suffix = "C"', 'suffix = "B"', r"'B' stands there twice - at `\$\.series\[\d+\]`"),
        ('ticker = "KXU3"', 'ticker = "KXCPI"', r"'KXCPI' stands there twice"),
        ('index = "ETH"\noffsets', 'index = "XRP"\noffsets', r"no index is named XRP"),
        ('fee_multiplier = "0.5"', 'fee_multiplier = ""', r"decimal.* - at `\$\.series\[\d+\]\.fee_multiplier`"),
        ("[filler]", "[unknown]", r"missing required field `filler`|unknown field"),
    ],
)
def test_a_broken_catalog_names_the_path_of_the_error(old: str, new: str, path: str) -> None:
    text = files("kalshi_tui.practice.simulation").joinpath(CATALOG_FILE).read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(msgspec.ValidationError, match=path):
        decode_catalog(text.replace(old, new, 1).encode())


def test_a_catalog_that_is_no_toml_names_the_line_of_the_error() -> None:
    with pytest.raises(msgspec.DecodeError, match="line 2"):
        decode_catalog(b'[[indexes]]\nname = BTC"\n')
