import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec import UNSET

from kalshi_tui.domain.fees import MULTIPLIER_UNIT, FeeSchedule, FeeType
from kalshi_tui.domain.market import MarketStatus, Quote
from kalshi_tui.domain.order import BookSide, Fill, OrderState
from kalshi_tui.domain.price import CENT_GRID, NumberError, parse_price, parse_signed_count
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.translate import TranslationError, clean, parse_time_ms
from kalshi_tui.kalshi.translate.markets import parse_multiplier
from kalshi_tui.presentation.number_text import count_text, short_count_text
from kalshi_tui.session.store import Store
from tests.support.captures import FRAMES, capture

REPLACED = "\N{REPLACEMENT CHARACTER}"


def msg(name: str, **changes: Any) -> Any:
    frame = json.loads((FRAMES / f"{name}.json").read_text(encoding="utf-8"))
    frame["msg"].update(changes)
    return wire.decode_frame(json.dumps(frame)).msg  # type: ignore[union-attr]  # every frame used here has one


def market(**changes: Any) -> wire.Market:
    fields: dict[str, Any] = {
        "ticker": "KXWIN-26-A",
        "event_ticker": "KXWIN-26",
        "title": "Will A win?",
        "yes_sub_title": "A",
        "open_time": "2026-05-20T19:10:00Z",
        "close_time": "2026-09-21T23:30:00Z",
        "status": "active",
        "yes_bid_dollars": "0.8900",
        "yes_bid_size_fp": "343.49",
        "yes_ask_dollars": "0.9400",
        "yes_ask_size_fp": "641.00",
        "last_price_dollars": "0.9500",
        "previous_price_dollars": "0.0000",
        "price_level_structure": "linear_cent",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
        **changes,
    }
    return wire.decode(json.dumps(fields), wire.Market)


# Texts.


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [bold]text[/]", "plain [bold]text[/]"),
        ("two\nlines\tand\r\nmore", "two lines and  more"),
        ("\x1b[31mred\x07", f"{REPLACED}[31mred{REPLACED}"),
        ("\x9b31m", f"{REPLACED}31m"),
        ("abc\u202edef\u2066", f"abc{REPLACED}def{REPLACED}"),
        ("zero\u200bwidth\ufeff", f"zero{REPLACED}width{REPLACED}"),
        ("hard\u00a0space\u2028line", "hard space line"),
        ("\ud800", REPLACED),
        ("Zürich, 東京 ✓", "Zürich, 東京 ✓"),
        ("e\u0301 \u1112\u1161\u11ab \u1161\u3164", f"é 한 {REPLACED * 2}"),
        ("\u2764\ufe0f 1\ufe0f \U0001f44d\U0001f3fb \U0001f1e9\U0001f1ea a\u034f\u0301", "\u2764 1 \U0001f44d DE á"),
        ("", ""),
        (None, ""),
    ],
)
def test_texts_from_outside_are_cleaned(text: str | None, shown: str) -> None:
    assert clean(text) == shown


@given(st.text(max_size=400), st.integers(2, 60))
def test_a_cleaned_text_is_printable_and_bounded_whatever_came(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    assert clean(shown, limit) == shown


@pytest.mark.parametrize("text", ["", " ", "a b", "é", "a/b", "a\n", "-a", "a" * 129, "../x", "a?b", "a%20"])
def test_what_is_no_plain_ticker_is_refused_not_altered(text: str) -> None:
    with pytest.raises(TranslationError):
        translate.parse_id(text, "market ticker")


# Numbers and times.


@given(st.integers(-(10**12), 10**12))
def test_remembered_counts_are_the_parsers_counts(value: int) -> None:
    text = f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02d}"
    assert translate.parse_and_cache_delta(text) == value == parse_signed_count(text)


@given(st.text(alphabet="0123456789.-+_ e٣", max_size=20))
def test_the_quick_parser_of_counts_takes_exactly_what_the_strict_one_takes(text: str) -> None:
    try:
        strict: int | None = parse_signed_count(text)
    except NumberError:
        strict = None
    try:
        quick: int | None = translate.parse_and_cache_delta(text)
    except NumberError:
        quick = None
    assert quick == strict


def test_the_memories_of_numbers_are_bounded() -> None:
    for value in range(40_000):
        translate.parse_and_cache_delta(f"{value}.17")
    assert len(translate.DELTA_CACHE) <= 16_384
    for value in range(60_000):
        translate.parse_and_cache_price(f"{'0' * (value // 10_000)}0.{value % 10_000:04d}")
    assert len(translate.PRICE_CACHE) <= 50_000
    assert all(parse_price(text) == price for text, price in list(translate.PRICE_CACHE.items())[:100])


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-08-07T06:46:40Z", 1_786_085_200_000),
        ("2026-08-07T06:46:40.5Z", 1_786_085_200_500),
        ("2026-08-07T06:46:40.79966Z", 1_786_085_200_799),
        ("2026-08-07T06:46:40.123456789Z", 1_786_085_200_123),
        ("2026-08-07T02:46:40.000-04:00", 1_786_085_200_000),
        ("0001-01-01T00:00:00Z", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_times_of_any_width_become_milliseconds(text: str | None, ms: int) -> None:
    assert parse_time_ms(text) == ms


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-08-07", "2026-13-07T00:00:00Z", "2026-08-07T06:46:40", "1786085200"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(TranslationError):
        parse_time_ms(text)


# Markets.


def test_a_market_with_its_quote() -> None:
    found = translate.market(market())
    assert found.quote == Quote(
        yes_bid=8900,
        yes_ask=9400,
        yes_bid_size=34349,
        yes_ask_size=64100,
        last=9500,
        volume=None,
        volume_24h=None,
        open_interest=None,
    )
    assert found.status is MarketStatus.ACTIVE
    assert found.grid is CENT_GRID or found.grid == CENT_GRID
    assert found.title == "Will A win?"
    assert found.fees is None


def test_a_size_of_0_is_no_quote_and_so_is_the_price_that_stands_for_none() -> None:
    empty = market(yes_bid_dollars="0.0000", yes_ask_dollars="1.0000", yes_bid_size_fp="0.00", yes_ask_size_fp="0.00")
    assert translate.market(empty).quote.spread is None
    sized_wrong = market(yes_bid_dollars="0.3000", yes_bid_size_fp="0.00")
    assert translate.market(sized_wrong).quote.yes_bid is None
    without_sizes = market(yes_bid_size_fp=None)
    assert translate.market(without_sizes).quote.yes_bid == 8900


@pytest.mark.parametrize("said", [{}, {"volume_fp": None, "volume_24h_fp": None, "open_interest_fp": ""}])
def test_a_volume_that_nobody_says_is_not_zero(said: dict[str, Any]) -> None:
    quote = translate.market(market(**said)).quote
    assert (quote.volume, quote.volume_24h, quote.open_interest) == (None, None, None)
    assert (short_count_text(quote.volume), count_text(quote.volume_24h)) == ("--", "--")
    # A frame that does not say it either leaves what is known.
    store = Store(lambda: 0)
    store.quote("T", Quote(volume=300, open_interest=200))
    store.quote("T", quote)
    assert (store.quotes["T"].volume, store.quotes["T"].open_interest) == (300, 200)


def test_the_title_is_the_events_and_a_line_end_in_it_is_a_space() -> None:
    event = wire.Event(event_ticker="KXWIN-26", series_ticker="KXWIN", title="Who\nwins?")
    found = translate.market(market(), event)
    assert (found.title, found.yes_sub_title, found.series_ticker) == ("Who wins?", "A", "KXWIN")


def test_grids_come_from_the_ranges_never_from_the_name() -> None:
    tapered = [
        {"start": "0.0000", "end": "0.1000", "step": "0.0010"},
        {"start": "0.1000", "end": "0.9000", "step": "0.0100"},
        {"start": "0.9000", "end": "1.0000", "step": "0.0010"},
    ]
    found = translate.market(market(price_level_structure="something_new", price_ranges=tapered)).grid
    assert 10 in found
    assert 1010 not in found
    assert 9990 in found
    assert found is translate.market(market(ticker="KXWIN-26-B", price_ranges=tapered)).grid
    with pytest.raises(TranslationError, match="without its price ranges"):
        translate.market(market(price_level_structure="something_new", price_ranges=[]))
    with pytest.raises(TranslationError, match="price_ranges"):
        translate.market(market(price_ranges=[{"start": "0.5", "end": "0.1", "step": "0.01"}]))


def test_an_unknown_status_is_unknown_and_a_number_that_is_none_is_refused() -> None:
    assert translate.market(market(status="hibernating")).status is MarketStatus.UNKNOWN
    for field in ("yes_bid_dollars", "last_price_dollars"):
        with pytest.raises(TranslationError, match="is not a price"):
            translate.market(market(**{field: "NaN"}))


def test_an_event_leaves_out_a_market_that_makes_no_sense() -> None:
    event = wire.Event(
        event_ticker="KXWIN-26", title="Who wins?", markets=[market(), market(ticker="KXWIN 26")],
        fee_type_override="quadratic", fee_multiplier_override=Decimal("0.5"),
    )  # fmt: skip
    found = translate.event(event)
    assert [each.ticker for each in found.markets] == ["KXWIN-26-A"]
    assert (found.fee_type_override, found.fee_multiplier_override) == ("quadratic", MULTIPLIER_UNIT // 2)


def test_an_events_fees_win_over_its_series() -> None:
    series = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES, MULTIPLIER_UNIT)
    plain = translate.event(wire.Event(event_ticker="E"))
    assert translate.event_fees(series, plain) == series
    half = translate.event(wire.Event(event_ticker="E", fee_multiplier_override=Decimal("0.5")))
    assert translate.event_fees(series, half) == FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES, MULTIPLIER_UNIT // 2)
    odd = translate.event(wire.Event(event_ticker="E", fee_type_override="flat"))
    assert translate.event_fees(series, odd).fee_type is FeeType.FLAT
    new = translate.event(wire.Event(event_ticker="E", fee_type_override="tiered"))
    assert translate.event_fees(series, new).fee_type is FeeType.UNKNOWN


def test_the_captured_markets_events_and_series_translate() -> None:
    reply = wire.decode(capture("events_nested.json").read_bytes(), wire.EventsReply)
    events = [translate.event(each) for each in reply.events or ()]
    assert len(events) == 6
    assert sum(len(each.markets) for each in events) == sum(len(each.markets or ()) for each in reply.events or ())
    assert all(each.title and each.markets[0].title == each.title for each in events)
    for raw in json.loads(capture("series.json").read_text(encoding="utf-8")).values():
        terms = translate.series(wire.decode(json.dumps(raw), wire.SeriesReply).series)
        assert terms.fees.fee_type is not FeeType.UNKNOWN
        assert terms.fees.multiplier in {MULTIPLIER_UNIT // 2, MULTIPLIER_UNIT}


def test_the_captured_fills_and_settlements_translate() -> None:
    fills = wire.decode(capture("portfolio_fills.json").read_bytes(), wire.FillsReply).fills or []
    first = translate.rest_fill(fills[0])
    assert (first.count, first.yes_price, first.fee, first.ts_ms) == (22727, 10, 15930, 1_787_043_600_000)
    assert len([translate.rest_fill(each) for each in fills]) == 33
    paid = wire.decode(capture("portfolio_settlements.json").read_bytes(), wire.SettlementsReply).settlements or []
    assert translate.settlement(paid[0]).fees == 26900
    assert {translate.settlement(each).yes_value for each in paid} <= {0, 10_000}


# The stream's frames.


def test_a_ticker() -> None:
    assert translate.quote(msg("ticker")) == Quote(
        yes_bid=4500,
        yes_ask=5300,
        yes_bid_size=30000,
        yes_ask_size=15000,
        last=4800,
        last_size=2500,
        volume=3_389_600,
        open_interest=2_042_200,
        ts_ms=1_669_149_841_000,
    )
    assert translate.quote(msg("ticker_without_quotes")) == Quote(ts_ms=1_669_149_841_000)


@pytest.mark.parametrize(
    ("changes", "taker_bid"),
    [
        ({}, False),
        ({"taker_book_side": "bid"}, True),
        ({"taker_book_side": "", "taker_outcome_side": "yes"}, True),
        ({"taker_book_side": "", "taker_outcome_side": "", "taker_side": "yes"}, True),
    ],
)
def test_a_trade_knows_who_took(changes: dict[str, str], taker_bid: bool) -> None:
    found = translate.trade(msg("trade", **changes))
    assert (found.yes_price, found.count, found.taker_bid) == (3600, 13600, taker_bid)


def test_a_trade_of_an_unknown_side_is_refused() -> None:
    with pytest.raises(TranslationError, match="taker's side"):
        translate.trade(msg("trade", taker_book_side="", taker_outcome_side="", taker_side=""))


def test_a_fill() -> None:
    assert translate.fill(msg("fill")) == Fill(
        trade_id="d91bc706-ee49-470d-82d8-11418bda6fed",
        order_id="ee587a1c-8b87-4dcf-b721-9f6f790619fa",
        client_order_id="8c35ecb3-328f-4f52-8c7c-0f4b9862f8d1",
        ticker="KXWIN-26-A",
        book_side=BookSide.BID,
        yes_price=7500,
        count=27800,
        fee=3_648_750,
        is_taker=True,
        ts_ms=1_671_899_397_000,
        post_position=50000,
    )


def test_a_user_order_with_its_times_as_numbers_or_as_text() -> None:
    resting = translate.user_order(msg("user_order"))
    assert (resting.state, resting.book_side, resting.yes_price) == (OrderState.RESTING, BookSide.BID, 3500)
    assert (resting.initial, resting.filled, resting.remaining) == (4500, 1000, 3500)
    assert (resting.fill_cost, resting.fees) == (3_500_000, 39_900)
    assert (resting.created_ms, resting.updated_ms) == (1_671_899_397_000, 1_671_899_398_500)
    canceled = translate.user_order(msg("user_order_times_as_text"))
    assert (canceled.state, canceled.book_side) == (OrderState.CANCELED, BookSide.ASK)
    assert canceled.created_ms == 1_671_899_397_167


def test_an_order_state_that_is_not_known_is_never_guessed() -> None:
    odd = translate.user_order(msg("user_order", status="pending_review"))
    assert odd.state is OrderState.UNKNOWN
    assert "pending_review" in odd.reason
    with pytest.raises(TranslationError, match="book_side"):
        translate.user_order(msg("user_order", book_side="sideways"))


def test_a_position_is_signed() -> None:
    found = translate.market_position(msg("market_position"))
    assert (found.count, found.cost, found.realized_pnl, found.fees_paid) == (
        -10050,
        50_250_000,
        -10_000_000,
        1_000_000,
    )


def test_a_balance_prefers_the_finer_number() -> None:
    source = wire.BalanceReply(
        balance=12345,
        balance_dollars="123.456700",
        portfolio_value=1000,
        updated_ts=1_786_085_200,
        balance_breakdown=[wire.IndexedBalance(exchange_index=0, balance="100.000000")],
    )
    found = translate.balance(source)
    assert (found.cash, found.portfolio_value, found.by_shard) == (123_456_700, 10_000_000, ((0, 100_000_000),))
    assert translate.balance(wire.BalanceReply(balance=12345, portfolio_value=0)).cash == 123_450_000


def test_an_average_finer_than_money_is_not_told_and_a_missing_count_is_refused() -> None:
    ack = translate.order_ack(
        wire.CreateOrderReply(
            order_id="o1", fill_count="3.00", remaining_count="0.00", average_fill_price="0.333333333333"
        )
    )
    assert ack.average_fill_price is None
    with pytest.raises(TranslationError, match="fill_count is missing"):
        translate.order_ack(wire.CreateOrderReply(order_id="o1", remaining_count="0.00"))


@pytest.mark.parametrize("number", ["1e900000", "1e9999999", "-1", "1001", "0.0000001", "NaN", "sNaN", "9" * 100_000])
def test_a_multiplier_beyond_all_measure_is_refused_before_it_is_reckoned_with(number: str) -> None:
    """The first would take a third of a minute to become an integer."""
    with pytest.raises(TranslationError, match="no multiplier"):
        parse_multiplier(Decimal(number))
    assert parse_multiplier(Decimal("0.5")) == 500_000


def test_an_events_new_overrides_that_make_no_sense_make_its_fees_unknown() -> None:
    assert translate.fee_overrides("quadratic", Decimal("0.5")) == ("quadratic", 500_000)
    assert translate.fee_overrides(None, None) == ("", None)
    # The old fees would be wrong, and zero would be worse.
    assert translate.fee_overrides("quadratic", Decimal(-1)) == ("unknown", None)


@pytest.mark.parametrize(
    ("bounds", "floor", "expected"),
    [
        ("default", UNSET, None),
        (UNSET, UNSET, None),
        ("ceiling", "0.1000", None),
        ("floor", UNSET, 0),
        ("floor", None, 0),
        ("floor", "0.0000", 0),
        ("floor", "0.1500", 1_500),
    ],
)
def test_a_settlement_floor_is_kept(bounds: Any, floor: Any, expected: int | None) -> None:
    source = wire.Market(
        ticker="T",
        event_ticker="E",
        status="active",
        open_time="",
        close_time="",
        settlement_bounds_type=bounds,
        settlement_floor_dollars=floor,
    )
    assert translate.market(source).settlement_floor == expected


def test_a_floor_that_is_no_price_costs_its_market_alone() -> None:
    with pytest.raises(TranslationError, match="settlement_floor"):
        translate.market(
            wire.Market(
                ticker="T",
                event_ticker="E",
                status="active",
                open_time="",
                close_time="",
                settlement_bounds_type="floor",
                settlement_floor_dollars="ten",
            )
        )


@pytest.mark.parametrize(("sent", "most"), [(0, None), (None, None), (7, 7)])
def test_a_collection_whose_most_legs_are_zero_has_no_most(sent: int | None, most: int | None) -> None:
    source = {"collection_ticker": "KXMVE-R", "series_ticker": "KXMVE", "title": "t", "size_min": 2, "size_max": sent}
    assert translate.combo_collection(wire.decode(wire.encode(source), wire.ComboCollection)).size_max == most
