"""What the details of a market say."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.fees import FeeSchedule, FeeType
from kalshi_tui.domain.market import Event, Quote
from kalshi_tui.domain.price import CENT_GRID
from kalshi_tui.presentation.lines import cell_count
from kalshi_tui.ui.event.details_view import (
    detail_lines,
    fee_schedule_text,
    outcome_sum_sentences,
    price_grid_text,
)
from tests.support.fake_desk import (
    TAPERED,
    Clock,
    FakeDesk,
    a_market,
    a_store,
)
from tests.support.pilot import NARROW, trading

FIRST, SECOND = "FED-26DEC-C25", "FED-26DEC-H0"


def quoted(bid: int | None, ask: int | None) -> Quote:
    return Quote(yes_bid=bid, yes_ask=ask)


@pytest.mark.parametrize(
    ("quotes", "words"),
    [
        (
            [quoted(4_700, 4_800), quoted(5_200, 5_300)],
            ["A YES of each costs $1.01 together: 1% over a dollar (the overround).",
             "Sold to the bids, a YES of each brings $0.99."],
        ),
        (
            [quoted(4_700, 4_755), quoted(5_100, 5_200)],
            ["A YES of each costs $0.9955 together: 0.45% under a dollar (the overround).",
             "Sold to the bids, a YES of each brings $0.98."],
        ),
        (
            [quoted(None, 4_800), quoted(5_200, None)],
            ["1 of 2 are not offered: there is no sum of the asks.", "Sold to the bids, a YES of each brings $0.52."],
        ),
    ],
)  # fmt: skip
def test_what_all_outcomes_cost_together(quotes: list[Quote], words: list[str]) -> None:
    assert outcome_sum_sentences(quotes, exclusive=True) == words


def test_where_several_can_come_true_there_is_no_sum() -> None:
    (said,) = outcome_sum_sentences([quoted(4_700, 4_800)], exclusive=False)
    assert "need not add up" in said


@pytest.mark.parametrize(
    ("fees", "words"),
    [
        (None, "not read yet"),
        (FeeSchedule(FeeType.UNKNOWN), "unknown"),
        (FeeSchedule(FeeType.FLAT), "unknown: flat"),
        (FeeSchedule.of("tiered", 1), 'unknown: the exchange calls them "tiered"'),
        (FeeSchedule(FeeType.QUADRATIC, 500_000), "0.50 times: takers pay 7% x price x (1 - price) a contract"),
    ],
)
def test_fees_are_never_free_where_they_are_not_known(fees: FeeSchedule | None, words: str) -> None:
    assert fee_schedule_text(fees).startswith(words)


def test_the_grid_in_words() -> None:
    assert price_grid_text(CENT_GRID) == "steps of 0.01 from 0.00 to 1.00"
    assert price_grid_text(TAPERED).startswith("steps of 0.001 from 0.00 to 0.10, steps of 0.01 from 0.10")


@given(st.integers(30, 200), st.text(), st.text())
def test_no_line_is_wider_than_the_box(width: int, rules: str, source: str) -> None:
    store = a_store(Clock())
    market = replace(store.markets[FIRST], rules_primary=rules, rules_secondary=rules)
    event = Event(market.event_ticker, "FED", "Title", settlement_sources=((source, source),), mutually_exclusive=True)
    store.market_data.set_markets([], [event])
    for each in detail_lines(store, market, width):
        assert cell_count(each) <= max(width, 54)


async def test_a_key_opens_them_and_the_prices_stay_live() -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        market = replace(store.markets[FIRST], rules_primary="If the Fed cuts, this resolves to Yes.")
        store.market_data.set_markets(
            [market],
            [Event("FED-26DEC", "FED", "Fed decision in December", mutually_exclusive=True,
                   settlement_sources=(("Federal Reserve", "https://example.com"),))],
        )  # fmt: skip
        screen = await trader.press("d")
        assert "PRACTICE - the market" in screen
        assert "> Cut 25 bps" in screen
        assert "A YES of each costs $0.96 together: 4% under a dollar" in screen
        store.quote(SECOND, Quote(yes_bid=5_000, yes_ask=5_600, ts_ms=1))
        assert "A YES of each costs $1.04 together: 4% over a dollar" in await trader.look()
        assert "If the Fed cuts" in await trader.press("space")
        assert "https://example.com" in trader.text()
        assert "the market" not in (await trader.press("escape")).splitlines()[0]


async def test_a_market_that_leaves_the_list_is_told() -> None:
    desk = FakeDesk(Clock(), [a_market("A-1"), a_market("B-1")])
    async with trading(desk) as trader:
        await trader.press("d")
        desk.store.market_data.drop_markets(["A-1"])
        assert "not listed any more" in await trader.look()
