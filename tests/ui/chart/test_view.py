"""Charts as lines: exact ones for given candles, and what holds for any candles at any size."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len

from kalshi_tui.domain.candles import CANDLE_PERIODS_MINUTES, Candle
from kalshi_tui.presentation.lines import Tone, plain_text
from kalshi_tui.presentation.number_text import price_text
from kalshi_tui.ui.chart.marks import (
    ASCII_GLYPHS,
    BLOCK_GLYPHS,
    CandlePart,
    ChartKind,
)
from kalshi_tui.ui.chart.view import MIN_HEIGHT_WITH_VOLUME, ChartOptions, chart_lines

MINUTE = 60_000
END = 1_800_000_000_000 // (15 * MINUTE) * 15 * MINUTE


def a_candle(place: int, prices: tuple[int, int, int, int] | None, volume: int = 0, mid: int = 4_500) -> Candle:
    o, h, low, c = prices or (None, None, None, None)
    return Candle(END + place * MINUTE, o, h, low, c, mid - 100, mid + 100, volume, 0)


CANDLES = [
    a_candle(1, (4_000, 4_300, 4_000, 4_200), 400),
    a_candle(2, (4_200, 4_700, 4_200, 4_600), 800),
    a_candle(3, (4_600, 4_600, 4_100, 4_100), 100),
    a_candle(4, None),
    a_candle(6, (4_100, 4_700, 4_000, 4_600), 400),
    a_candle(7, (4_600, 4_600, 4_600, 4_600), 800),
]


def drawn(look: ChartOptions, width: int = 14, height: int = 7, candles: list[Candle] | None = None) -> list[str]:
    return [plain_text(each) for each in chart_lines(CANDLES if candles is None else candles, look, 2, width, height)]


@pytest.mark.parametrize(
    ("look", "lines"),
    [
        (
            ChartOptions(1),
            [
                "   ▄╻  ▄▄ 0.47",
                "   █┃· █      ",
                "  ╷█┃  █      ",
                "  █▀┃  █      ",
                "  █ ╹  ▀  0.40",
                "  ▄█▁  ▄█    8",
                "  08:00       ",
            ],
        ),
        (
            ChartOptions(1, ChartKind.LINE),
            [
                "   ╭╮  ╭─ 0.46",
                "   ││· │      ",
                "   ││  │  0.44",
                "  ─╯│  │      ",
                "    ╰  ╯  0.41",
                "  ▄█▁  ▄█    8",
                "  08:00       ",
            ],
        ),
        (
            ChartOptions(1, plain=True),
            [
                "   |   |  0.47",
                "   O#. OO     ",
                "  |O#  O      ",
                "  OO#  O      ",
                "  O    |  0.40",
                "  .#.  .#    8",
                "  08:00       ",
            ],
        ),
        (
            ChartOptions(1, crosshair_ms=END + 3 * MINUTE),
            [
                "   ▄╻  ▄▄ 0.47",
                "   █┃· █      ",
                "  ╷█┃  █      ",
                "  █▀┃  █      ",
                "┄┄█┄╹┄┄▀┄ 0.40",
                "  ▄█▁  ▄█    8",
                "  08:00       ",
            ],
        ),
        (
            ChartOptions(1, crosshair_ms=END + 4 * MINUTE),
            [
                "   ▄╻┊ ▄▄ 0.47",
                "┄┄┄█┃·┄█┄     ",
                "  ╷█┃┊ █      ",
                "  █▀┃┊ █      ",
                "  █ ╹┊ ▀  0.40",
                "  ▄█▁┊ ▄█    8",
                "  08:00       ",
            ],
        ),
    ],
    ids=["candles", "line", "plain", "crosshair", "crosshair-at-no-trade"],
)
def test_the_chart_is_drawn_so(look: ChartOptions, lines: list[str]) -> None:
    assert drawn(look) == lines


def test_every_way_to_cover_a_cell_has_its_character() -> None:
    for marks in (BLOCK_GLYPHS, ASCII_GLYPHS):
        assert set(marks.up) == set(marks.down)
        assert len(marks.up) == len(CandlePart) ** marks.levels
    assert all(
        ord(each) < 128 for each in "".join([*ASCII_GLYPHS.up.values(), *ASCII_GLYPHS.down.values(), ASCII_GLYPHS.bars])
    )


def test_a_fall_differs_from_a_rise_without_color() -> None:
    up, down = (drawn(ChartOptions(1), candles=[a_candle(1, prices)]) for prices in ((1, 9, 1, 9), (9, 9, 1, 1)))
    assert up != down


def test_what_has_no_room_is_the_oldest_and_the_crosshair_brings_it_into_view() -> None:
    many = [a_candle(place, (4_000 + place, 4_000 + place, 4_000 + place, 4_000 + place)) for place in range(60)]
    assert "0.4059" in "".join(drawn(ChartOptions(1), 20, 7, many))
    shown = "".join(drawn(ChartOptions(1, crosshair_ms=many[3].end_ms), 20, 7, many))
    assert "0.4003" in shown
    assert "0.4059" not in shown


def test_the_crosshair_and_colors_have_their_tones() -> None:
    lines = chart_lines(CANDLES, ChartOptions(1, crosshair_ms=END + 4 * MINUTE), 2, 14, 7)
    tones = {span.text: span.tone for each in lines for span in each}
    assert tones["┊"] is Tone.CURSOR
    assert {Tone.BID, Tone.ASK, Tone.DIM} <= set(tones.values())


PRICES = st.integers(1, 9_999)
CANDLE = st.builds(
    Candle,
    end_ms=st.integers(0, 400).map(lambda place: END + place * MINUTE),
    open=st.none() | PRICES,
    high=st.none() | PRICES,
    low=st.none() | PRICES,
    close=st.none() | PRICES,
    yes_bid_close=st.none() | PRICES,
    yes_ask_close=st.none() | PRICES,
    volume=st.integers(0, 10**12),
    open_interest=st.just(0),
)


@given(
    st.lists(CANDLE, max_size=80, unique_by=lambda each: each.end_ms),
    st.sampled_from(CANDLE_PERIODS_MINUTES),
    st.sampled_from(ChartKind),
    st.booleans(),
    st.none() | st.integers(0, 400),
    st.integers(0, 120),
    st.integers(0, 30),
    st.integers(2, 4),
)
def test_nothing_is_ever_drawn_outside_its_box(
    candles: list[Candle],
    minutes: int,
    kind: ChartKind,
    plain_chart: bool,
    cross: int | None,
    width: int,
    height: int,
    decimals: int,
) -> None:
    candles.sort(key=lambda each: each.end_ms)
    # Ends of any distance: what is not on the period's steps must not break anything either.
    at = END + cross * MINUTE if cross is not None else None
    lines = chart_lines(candles, ChartOptions(minutes, kind, plain_chart, at), decimals, width, height)
    assert len(lines) == height
    for each in lines:
        text = plain_text(each)
        assert cell_len(text) == width
        assert text.isprintable()
        assert not plain_chart or text.isascii() or "…" in text


@given(
    st.lists(st.tuples(PRICES, PRICES, PRICES, PRICES), min_size=1, max_size=50),
    st.sampled_from(ChartKind),
    st.booleans(),
    st.integers(MIN_HEIGHT_WITH_VOLUME, 25),
)
def test_the_highest_and_the_lowest_price_stand_on_the_axis(
    told: list[tuple[int, int, int, int]], kind: ChartKind, plain_chart: bool, height: int
) -> None:
    candles = [
        replace(a_candle(place, (first, max(prices), min(prices), last)), yes_bid_close=None)
        for place, prices in enumerate(told)
        for first, *_, last in [prices]
    ]
    text = drawn(ChartOptions(1, kind, plain_chart), 80, height, candles)
    axis = [each.rsplit(" ", 1)[-1] for each in (row.rstrip() for row in text)]
    closes = [each for prices in told for each in ([prices[3]] if kind is ChartKind.LINE else prices)]
    for price in (max(closes), min(closes)):
        shown = price_text(price)
        assert any(each.ljust(6, "0") == shown.ljust(6, "0") for each in axis)
