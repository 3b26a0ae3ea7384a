"""Events, series and markets of the practice world, built for a moment in time.

Tickers come from the calendar and not from the moment of the start, so that a restart on the same day finds the same
markets, and a trader's positions in them.
"""

import calendar
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import NormalDist
from typing import Final, NamedTuple

from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.price import Price
from kalshi_tui.practice.core import Catalog
from kalshi_tui.practice.question import Period, Question
from kalshi_tui.practice.questions_news import NEWS, RECURRING
from kalshi_tui.practice.questions_play import PLAY
from kalshi_tui.practice.simulation.outcomes import DRAW_UNIT, Outcomes
from kalshi_tui.practice.terms import Event, Flow, Market, Series

QUARTER_MS: Final = 900_000
CREATE_AHEAD_MS: Final = 120_000
"""How long before its opening a 15-minute market is created."""
MAX_MARKETS: Final = 20_000
DEFAULT_SETTLE_S: Final = 20
"""The settlement timer of the 15-minute series: short, so that one can watch."""
_DAY_MS: Final = 86_400_000
_NORMAL: Final = NormalDist()
_QUESTIONS: Final = sorted((*NEWS, *PLAY), key=lambda question: question.rank)
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class Span(NamedTuple):
    """An event's code in tickers, its opening, its close, and the words for when it is; Unix ms."""

    code: str
    open_ms: int
    close_ms: int
    words: str


def _ms(moment: datetime) -> int:
    return calendar.timegm(moment.timetuple()) * 1_000


def span(period: Period, now_ms: int) -> Span:
    """Give the span of an event that runs now, by the calendar in UTC."""
    now = datetime.fromtimestamp(now_ms // 1_000, UTC)
    today = now.replace(hour=0, minute=0, second=0)
    if period in {Period.DAY, Period.TOMORROW}:
        ends = today + timedelta(days=1 if period is Period.DAY else 2)
        opens = ends - timedelta(days=2)
        day = ends - timedelta(days=1)
        code = f"{day.year % 100:02d}{_MONTHS[day.month - 1]}{day.day:02d}"
        words = f"{_MONTHS[day.month - 1].title()} {day.day}, {day.year}"
    elif period is Period.WEEK:
        opens = today - timedelta(days=now.weekday())
        ends = opens + timedelta(days=7)
        last = ends - timedelta(days=1)
        code = f"{last.year % 100:02d}{_MONTHS[last.month - 1]}{last.day:02d}"
        words = f"the week to {_MONTHS[last.month - 1].title()} {last.day}, {last.year}"
    elif period is Period.MONTH:
        opens = today.replace(day=1)
        ends = (opens + timedelta(days=32)).replace(day=1)
        code = f"{opens.year % 100:02d}{_MONTHS[opens.month - 1]}"
        words = f"{_MONTHS[opens.month - 1].title()} {opens.year}"
    elif period is Period.FAR:
        opens, ends = datetime(2025, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
        code, words = "50", "before 2050"
    else:
        later = 1 if period is Period.NEXT_YEAR else 0
        opens = today.replace(month=1, day=1)
        ends = opens.replace(year=opens.year + 1 + later)
        code, words = f"{(now.year + later) % 100:02d}", f"by the end of {now.year + later}"
    return Span(code, _ms(opens), _ms(ends), words)


def _price(share: float) -> Price:
    """Give a share from 0 to 1 as a price a participant could hold, within 0.0020 and 0.9980 dollar."""
    return min(9_980, max(20, round(share * 10_000)))


def _series(question: Question) -> Series:
    return Series(
        ticker=question.series.partition(":")[0],
        title=question.series_title or re.sub(r"( today| this \w+| of the week)?\?$", "", question.title),
        category=question.category,
        frequency=question.period.value.replace("_", " "),
        tags=question.tags,
        fee_type=question.fee_type,
        fee_multiplier=question.fee_multiplier,
        exchange_index=question.exchange_index,
        settlement_sources=(question.source,),
    )


class _Choice(NamedTuple):
    """One market to be, within its event."""

    suffix: str
    name: str
    fair: Price
    wins_from: int
    wins_to: int
    strike_type: str = "custom"
    floor: Decimal | None = None
    cap: Decimal | None = None


def _exclusive(question: Question) -> Iterator[_Choice]:
    total = sum(fair for _, _, fair in question.choices)
    start = 0.0
    for suffix, name, fair in question.choices:
        end = start + fair / total
        yield _Choice(
            suffix, name, _price(fair / total), round(start * DRAW_UNIT), round(end * DRAW_UNIT), "structured"
        )
        start = end


def _ladder(question: Question, outcomes: Outcomes, when: Span) -> Iterator[_Choice]:
    index = outcomes.indexes.get(question.index)
    for text in question.strikes.split():
        strike = Decimal(text)
        if index is not None:
            # An index ladder stands around the index at the opening, in round figures.
            step = 250 if index.base_cents > 1_000_000 else 5
            strike += Decimal(index.at(when.open_ms) // 100 // step * step)
            share = 0.5
        else:
            share = 1 - _NORMAL.cdf((float(strike) - question.centre) / question.width)
        shown = question.unit.format(f"{strike:,}")
        yield _Choice(
            f"T{strike}",
            shown,
            _price(share),
            DRAW_UNIT - round(share * DRAW_UNIT),
            DRAW_UNIT,
            "greater_or_equal" if "or above" in question.unit else "greater",
            floor=strike,
        )


def _choices(question: Question, outcomes: Outcomes, when: Span) -> list[_Choice]:
    if question.choices:
        return list(_exclusive(question))
    if question.strikes:
        return list(_ladder(question, outcomes, when))
    fair = question.fair / 100
    return [_Choice("", question.title.rstrip("?"), _price(fair), 0, round(fair * DRAW_UNIT))]


def _event_and_markets(question: Question, outcomes: Outcomes, now_ms: int) -> tuple[Event, list[Market]]:
    when = span(question.period, now_ms)
    series, _, part = question.series.partition(":")
    event_ticker = f"{series}-{when.code}{part}"
    override = question.fee_override
    event = Event(
        ticker=event_ticker,
        series_ticker=series,
        title=question.title,
        sub_title=when.words[:1].upper() + when.words[1:],
        category=question.category,
        mutually_exclusive=question.exclusive,
        exchange_index=question.exchange_index,
        strike_ms=when.close_ms,
        fee_type_override=override[0] if override else "",
        fee_multiplier_override=override[1] if override else None,
    )
    fees = FeeSchedule.of(*(override or (question.fee_type, question.fee_multiplier)))
    choices = _choices(question, outcomes, when)
    shapes = question.shapes or ("both",) * len(choices)
    markets = [
        _market(question, event, when, choice, shape, fees, now_ms)
        for choice, shape in zip(choices, shapes, strict=True)
    ]
    return event, markets


def _market(
    question: Question, event: Event, when: Span, choice: _Choice, shape: str, fees: FeeSchedule, now_ms: int
) -> Market:
    subject = question.title.rstrip("?")
    source = question.source[0]
    condition = f'the answer to "{subject}" is {choice.name}' if choice.suffix else f'"{subject}" comes true'
    return Market(
        ticker=f"{event.ticker}-{choice.suffix}" if choice.suffix else event.ticker,
        event_ticker=event.ticker,
        series_ticker=event.series_ticker,
        title=f"{subject}: {choice.name}?" if choice.suffix else question.title,
        yes_sub_title=choice.name,
        no_sub_title=choice.name,
        created_ms=min(when.open_ms, now_ms) - _DAY_MS,
        open_ms=when.open_ms,
        close_ms=when.close_ms,
        expected_expiration_ms=when.close_ms + 60_000,
        latest_expiration_ms=when.close_ms + 7 * _DAY_MS,
        exchange_index=question.exchange_index,
        structure=question.structure,
        market_type=question.market_type,
        rules_primary=f"If {condition} ({when.words}), as reported by {source}, then the market resolves to Yes.",
        rules_secondary=(
            "This is a market of the practice exchange: its question, its participants and its outcome are invented, "
            "and no money stands behind it. The outcome is drawn when the market closes."
        ),
        strike_type=choice.strike_type,
        floor_strike=choice.floor,
        cap_strike=choice.cap,
        early_close_condition="This market will close early once the outcome is known.",
        settlement_timer_s=question.settlement_timer_s,
        fees=fees,
        rank=question.rank,
        flow=Flow(
            fair=choice.fair,
            weight=question.weight,
            depth=question.depth,
            size=question.size,
            spread=question.spread,
            volatility=question.volatility,
            shape=shape,
            fractional=question.fractional,
            index=question.index,
            wins_from=choice.wins_from,
            wins_to=choice.wins_to,
        ),
    )


# -- the 15-minute series --------------------------------------------------------------------------------------------


def recurring_series() -> list[Series]:
    """Give the 15-minute series."""
    return [
        Series(
            ticker=ticker,
            title=f"{name} up or down in 15 minutes",
            category="Crypto",
            frequency="fifteen_min",
            tags=(index, "15 min"),
            fee_type="quadratic",
            exchange_index=2,
            settlement_sources=(("Practice index", "https://example.com/index"),),
        )
        for ticker, name, index, _ in RECURRING
    ]


def quarter(series: Sequence[str], outcomes: Outcomes, open_ms: int) -> tuple[Event, Market]:
    """Give the event and the market of a 15-minute series (a row of `RECURRING`) that opens at a quarter of an hour."""
    ticker, name, index, structure = series
    close_ms = open_ms + QUARTER_MS
    ends = datetime.fromtimestamp(close_ms // 1_000, UTC)
    event_ticker = (
        f"{ticker}-{ends.year % 100:02d}{_MONTHS[ends.month - 1]}{ends.day:02d}{ends.hour:02d}{ends.minute:02d}"
    )
    target = outcomes.indexes[index].at(open_ms)
    shown = f"${target / 100:,.2f}"
    event = Event(
        ticker=event_ticker,
        series_ticker=ticker,
        title=f"{name} price up in next 15 mins?",
        sub_title=f"{ends:%b %-d}, {open_time(open_ms)} to {ends:%H:%M} UTC",
        category="Crypto",
        exchange_index=2,
        strike_ms=close_ms,
    )
    market = Market(
        ticker=f"{event_ticker}-{ends.minute:02d}",
        event_ticker=event_ticker,
        series_ticker=ticker,
        title=event.title,
        yes_sub_title=f"Target price: {shown}",
        no_sub_title=f"Target price: {shown}",
        created_ms=open_ms - CREATE_AHEAD_MS,
        open_ms=open_ms,
        close_ms=close_ms,
        expected_expiration_ms=close_ms + 5_000,
        latest_expiration_ms=close_ms + _DAY_MS,
        exchange_index=2,
        structure=structure,
        rules_primary=(
            f"If the practice index of {name} at {ends:%H:%M} UTC is at least {shown}, then the market resolves to Yes."
        ),
        rules_secondary="The index is invented; it wanders as such an index does, and is the same on every restart.",
        strike_type="greater_or_equal",
        floor_strike=Decimal(target) / 100,
        can_close_early=False,
        settlement_timer_s=DEFAULT_SETTLE_S,
        fees=FeeSchedule.of("quadratic", 1),
        rank=10,
        flow=Flow(
            fair=5_000, weight=110 if index == "BTC" else 45, size=350, volatility=150, fractional=True, index=index
        ),
    )
    return event, market


def open_time(open_ms: int) -> str:
    """Write the time of day of an opening."""
    return f"{datetime.fromtimestamp(open_ms // 1_000, UTC):%H:%M}"


def quarters(now_ms: int) -> list[int]:
    """Give the openings of the 15-minute markets that exist at a time: the running one, and the next once created."""
    running = now_ms // QUARTER_MS * QUARTER_MS
    following = running + QUARTER_MS
    return [running, following] if following - now_ms <= CREATE_AHEAD_MS else [running]


# -- the whole -------------------------------------------------------------------------------------------------------


def build_catalog(now_ms: int, outcomes: Outcomes, markets: int | None = None) -> Catalog:
    """Build the world's terms for a moment. ``markets`` asks for so many markets, 1 to 20,000; None for all there are.

    Raises ValueError for another number.
    """
    if markets is not None and not 1 <= markets <= MAX_MARKETS:
        raise ValueError(f"--markets takes a number from 1 to {MAX_MARKETS:,}, not {markets:,}.")
    series = {each.ticker: each for each in recurring_series()}
    events: list[Event] = []
    listed: list[Market] = []
    for opens in quarters(now_ms):
        for row in RECURRING:
            event, market = quarter(row, outcomes, opens)
            events.append(event)
            listed.append(market)
    for question in _QUESTIONS:
        series.setdefault(question.series.partition(":")[0], _series(question))
        # What was listed yesterday for the day after is still on.
        for moment in (now_ms - _DAY_MS, now_ms) if question.period is Period.TOMORROW else (now_ms,):
            event, group = _event_and_markets(question, outcomes, moment)
            events.append(event)
            listed.extend(group)
    if markets is not None and len(listed) < markets:
        for question in _filler(markets - len(listed)):
            series.setdefault(question.series.partition(":")[0], _series(question))
            event, group = _event_and_markets(question, outcomes, now_ms)
            events.append(event)
            listed.extend(group)
    if markets is not None:
        listed = listed[:markets]
        kept = {market.event_ticker for market in listed}
        events = [event for event in events if event.ticker in kept]
    return Catalog(tuple(series.values()), tuple(events), tuple(listed))


_PLACES: Final = (
    "Ashgrove", "Bellmere", "Calder", "Dunmore", "Eastlake", "Fairhaven", "Glenrock", "Hollis", "Ironwood", "Juniper",
    "Kestrel", "Linden", "Marlow", "Newbury", "Oakham", "Pinehurst", "Quarry Hill", "Rosedale", "Stonebridge",
    "Thornton",
)  # fmt: skip
_THINGS: Final = (("RIVER", "River level", "{} feet or above"), ("RIDERS", "Transit riders", "{} thousand or above"))


def _filler(wanted: int) -> Iterator[Question]:
    """Give questions for load: eight thresholds each, about invented places, quieter the further down."""
    number = 0
    while wanted > 0:
        place = _PLACES[number % len(_PLACES)]
        ward = number // len(_PLACES) + 1
        code, what, unit = _THINGS[number % len(_THINGS)]
        strikes = [str(10 + 2 * step) for step in range(min(8, wanted))]
        yield Question(
            series=f"KX{code}:{place[:4].upper()}{ward}",
            title=f"{what} in {place}, ward {ward}, this week?",
            series_title=f"{what} by ward",
            category="World",
            period=Period.WEEK,
            rank=600 + min(number // 10, 200),
            strikes=" ".join(strikes),
            centre=16.5 + number % 5,
            width=3.0,
            unit=unit,
            weight=max(1, 4 - number // 100),
            depth=4,
            size=100,
            spread=2,
            fractional=number % 7 == 0,
        )
        wanted -= len(strikes)
        number += 1
