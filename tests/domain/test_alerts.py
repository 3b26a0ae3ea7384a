"""When an alert rings, and how it is written."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.alerts import (
    ACCOUNT_KINDS,
    EMPTY_ALERT_SENTENCE,
    EVENT_KINDS,
    PRICE_KINDS,
    UNKNOWN_KIND_SENTENCE,
    Alert,
    AlertError,
    AlertKind,
    AlertState,
    TopOfBook,
    evaluate_event,
    evaluate_value,
    format_alert,
    format_minutes,
    is_condition_met,
    mark_fired,
    parse_alert,
    rearm,
    top_of_book,
    top_of_quote,
)
from kalshi_tui.domain.book import Book
from kalshi_tui.domain.market import Quote
from kalshi_tui.domain.price import PRICE_UNIT

LASTING = sorted(set(AlertKind) - EVENT_KINDS, key=lambda kind: kind.value)


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    """Any alert that can be written."""
    kind = draw(st.sampled_from(AlertKind))
    once = draw(st.booleans())
    if kind in ACCOUNT_KINDS:
        return Alert(kind, once=once)
    if kind is AlertKind.CLOSE:
        return Alert(kind, "T", False, draw(st.integers(1, 500_000)), once)
    at_least = kind is AlertKind.TRADE or draw(st.booleans())
    if kind in PRICE_KINDS:
        return Alert(kind, "T", at_least, draw(st.integers(1, PRICE_UNIT - 1)), once)
    return Alert(kind, "T", at_least, draw(st.integers(1, 10**9)), once)


@given(alerts())
def test_what_is_written_is_read_again(alert: Alert) -> None:
    assert parse_alert(format_alert(alert), "T") == alert


@pytest.mark.parametrize(
    ("text", "alert"),
    [
        ("bid >= 0.55", Alert(AlertKind.BID, "T", True, 5_500)),
        ("  BID>=0.5525 every ", Alert(AlertKind.BID, "T", True, 5_525, once=False)),
        ("ask <= 0.40", Alert(AlertKind.ASK, "T", False, 4_000)),
        ("last > 0.5", Alert(AlertKind.LAST, "T", True, 5_000)),
        ("spread <= 0.01 once", Alert(AlertKind.SPREAD, "T", False, 100)),
        ("size >= 1000", Alert(AlertKind.SIZE, "T", True, 100_000)),
        ("bid size >= 10.5", Alert(AlertKind.BID_SIZE, "T", True, 1_050)),
        ("ask size < 5", Alert(AlertKind.ASK_SIZE, "T", False, 500)),
        ("trade >= 500", Alert(AlertKind.TRADE, "T", True, 50_000, once=False)),
        ("trade >= 500 once", Alert(AlertKind.TRADE, "T", True, 50_000)),
        ("close < 10m", Alert(AlertKind.CLOSE, "T", False, 10)),
        ("close <= 10", Alert(AlertKind.CLOSE, "T", False, 10)),
        ("close < 1h30m", Alert(AlertKind.CLOSE, "T", False, 90)),
        ("close < 2d", Alert(AlertKind.CLOSE, "T", False, 2_880)),
        ("fill", Alert(AlertKind.FILL, once=False)),
        ("refused once", Alert(AlertKind.REFUSED)),
    ],
)
def test_what_the_trader_types(text: str, alert: Alert) -> None:
    assert parse_alert(text, "T") == alert


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", EMPTY_ALERT_SENTENCE),
        ("   ", EMPTY_ALERT_SENTENCE),
        ("price >= 0.5", UNKNOWN_KIND_SENTENCE),
        (">= 0.5", UNKNOWN_KIND_SENTENCE),
        ("bid", "Write >= or <= after bid."),
        ("bid 0.55", "Write >= or <= after bid."),
        ("bid >=", "Write a price in dollars after bid >=."),
        ("size >=", "Write a count of contracts after size >=."),
        ("close <", "Write a time such as 10m or 2h after close <."),
        ("bid >= 55", "'55' is over one dollar; a contract's price lies between 0 and 1."),
        ("bid >= 0.55555", "'0.55555' is finer than a price in dollars can be (1/10,000)."),
        ("bid >= 5e-1", "'5e-1' is not a price in dollars."),
        ("bid >= -0.5", "'-0.5' is not a price in dollars."),
        ("size >= 1,000", "'1,000' is not a count of contracts."),
        ("bid >= 0.55 often", "After 0.55 only once or every may stand."),
        ("bid >= 0", "That would always be true."),
        ("ask <= 1", "That would always be true."),
        ("trade >= 0", "That would always be true."),
        ("trade <= 5", "Write >= after trade: nothing else makes sense of it."),
        ("close > 5m", "Write < after close: nothing else makes sense of it."),
        ("close < soon", "'soon' is no time: write minutes, hours or days, such as 10m, 2h or 1d."),
        ("close < 0m", "The time must be a minute or more, and a year at the most."),
        ("close < 9999d", "The time must be a minute or more, and a year at the most."),
        ("fill >= 5", "After fill only once or every may stand: it rings in all markets."),
    ],
)
def test_what_is_no_alert_says_why(text: str, sentence: str) -> None:
    with pytest.raises(AlertError) as refused:
        parse_alert(text, "T")
    assert str(refused.value) == sentence


@given(st.text(max_size=60))
def test_no_text_gives_anything_but_an_alert_or_a_sentence(text: str) -> None:
    try:
        alert = parse_alert(text, "T")
    except AlertError as error:
        assert str(error).endswith(".")  # noqa: PT017 - what is said depends on the text
    else:
        assert parse_alert(format_alert(alert), "T") == alert


values = st.one_of(st.none(), st.integers(0, 20))


@given(
    st.sampled_from([each for each in LASTING if each is not AlertKind.CLOSE]),
    st.booleans(),
    st.integers(0, 20),
    st.booleans(),
    st.lists(values, max_size=60),
)
def test_it_rings_exactly_when_its_condition_becomes_true(
    kind: AlertKind, at_least: bool, threshold: int, once: bool, looks: list[int | None]
) -> None:
    alert = Alert(kind, "T", at_least, threshold, once)
    rings: list[int] = []
    expected: list[int] = []
    before = False
    for place, value in enumerate(looks):
        state, now = evaluate_value(alert, value)
        alert = mark_fired(alert, state, place) if now else replace(alert, state=state)
        if now:
            rings.append(place)
        # A look that sees nothing is none: it neither rings nor arms.
        if value is not None:
            true = value >= threshold if at_least else value <= threshold
            if true and not before and not (once and expected):
                expected.append(place)
            before = true
    assert rings == expected
    assert alert.times == len(expected)
    assert alert.state is (
        AlertState.FIRED if once and rings else AlertState.WAITING if before and not once else AlertState.ARMED
    )


@given(st.sampled_from(sorted(EVENT_KINDS, key=lambda kind: kind.value)), st.booleans(), st.integers(1, 9))
def test_what_happens_rings_every_time_or_once(kind: AlertKind, once: bool, times: int) -> None:
    alert = Alert(kind, "T", once=once)
    for place in range(times):
        state, rings = evaluate_event(alert)
        alert = mark_fired(alert, state, place) if rings else replace(alert, state=state)
    assert alert.times == (1 if once else times)
    assert alert.is_active is not once


def test_an_alert_that_has_rung_can_be_armed_again() -> None:
    alert = Alert(AlertKind.BID, "T", True, 5_500)
    state, rings = evaluate_value(alert, 5_500)
    assert rings
    alert = mark_fired(alert, state, 7)
    assert evaluate_value(alert, 5_600) == (AlertState.FIRED, False)
    again = rearm(alert)
    assert (again.state, again.fired_ms, again.times) == (AlertState.ARMED, 7, 1)
    assert evaluate_value(again, 5_600) == (AlertState.FIRED, True)


def test_a_time_is_compared_in_milliseconds() -> None:
    alert = Alert(AlertKind.CLOSE, "T", False, 10)
    assert is_condition_met(alert, 600_001) is False
    assert is_condition_met(alert, 600_000) is True
    assert is_condition_met(alert, 0) is True


def test_the_touch_of_book_and_quote() -> None:
    book = Book()
    assert top_of_book(book) == top_of_quote(Quote()) == TopOfBook(0, PRICE_UNIT, 0, 0)
    book.snapshot([(4_700, 1_000)], [(5_200, 500)])
    top = top_of_book(book)
    assert top == top_of_quote(Quote(4_700, 4_800, 1_000, 500)) == TopOfBook(4_700, 4_800, 1_000, 500)
    assert [
        top.value(kind)
        for kind in (
            AlertKind.BID,
            AlertKind.ASK,
            AlertKind.SPREAD,
            AlertKind.BID_SIZE,
            AlertKind.ASK_SIZE,
            AlertKind.SIZE,
        )
    ] == [
        4_700,
        4_800,
        100,
        1_000,
        500,
        1_000,
    ]
    assert top.value(AlertKind.FILL) is top.value(AlertKind.LAST) is None


def test_a_crossed_book_is_no_price() -> None:
    book = Book()
    book.snapshot([(4_800, 1_000)], [(5_200, 500)])
    assert top_of_book(book) is None
    assert top_of_quote(Quote(4_800, 4_800, 1_000, 500)) is None


@pytest.mark.parametrize(("minutes", "text"), [(1, "1m"), (60, "1h"), (90, "1h30m"), (1_440, "1d"), (1_501, "1d1h1m")])
def test_minutes_as_they_are_written(minutes: int, text: str) -> None:
    assert format_minutes(minutes) == text
