"""Series, events and markets of the simulated world at a moment, made from the templates in `catalog.toml`.

Tickers come from the calendar and not from the moment of the start, so that a restart on the same day finds the same
markets, and a trader's positions in them.
"""

import calendar
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import NormalDist
from typing import Final, NamedTuple

from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.price import Price
from kalshi_tui.practice.engine.terms import Catalog, EventDefinition, MarketDefinition, OrderFlow, SeriesDefinition
from kalshi_tui.practice.simulation.outcomes import DRAW_UNIT, Outcomes
from kalshi_tui.practice.simulation.templates import (
    ChoiceTemplate,
    EventTemplate,
    ExclusiveTemplate,
    FlowTemplate,
    IndexLadderTemplate,
    LadderTemplate,
    Period,
    RecurringTemplate,
    SeriesTemplate,
    SingleTemplate,
    catalog_template,
)

RECURRING_PERIOD_MS: Final = 900_000
"""How long a market of a recurring series lasts: 15 minutes."""
CREATE_AHEAD_MS: Final = 120_000
"""How long before its opening a recurring market is created."""
MAX_MARKETS: Final = 20_000
RECURRING_SETTLEMENT_TIMER_S: Final = 20
"""Short, so that one can watch a settlement."""
_RECURRING_SHARD: Final = 2
_DAY_MS: Final = 86_400_000
_NORMAL: Final = NormalDist()
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


# -- the calendar ----------------------------------------------------------------------------------------------------


class EventDates(NamedTuple):
    """When an event runs: its code in tickers, its opening and close in Unix ms, and the dates in words."""

    code: str
    open_ms: int
    close_ms: int
    description: str


def _ms(moment: datetime) -> int:
    return calendar.timegm(moment.timetuple()) * 1_000


def event_dates(period: Period, now_ms: int) -> EventDates:
    """Return the dates of an event that runs now, by the calendar in UTC."""
    now = datetime.fromtimestamp(now_ms // 1_000, UTC)
    today = now.replace(hour=0, minute=0, second=0)
    if period in {Period.DAY, Period.TOMORROW}:
        ends = today + timedelta(days=1 if period is Period.DAY else 2)
        opens = ends - timedelta(days=2)
        day = ends - timedelta(days=1)
        code = f"{day.year % 100:02d}{_MONTHS[day.month - 1]}{day.day:02d}"
        description = f"{_MONTHS[day.month - 1].title()} {day.day}, {day.year}"
    elif period is Period.WEEK:
        opens = today - timedelta(days=now.weekday())
        ends = opens + timedelta(days=7)
        last = ends - timedelta(days=1)
        code = f"{last.year % 100:02d}{_MONTHS[last.month - 1]}{last.day:02d}"
        description = f"the week to {_MONTHS[last.month - 1].title()} {last.day}, {last.year}"
    elif period is Period.MONTH:
        opens = today.replace(day=1)
        ends = (opens + timedelta(days=32)).replace(day=1)
        code = f"{opens.year % 100:02d}{_MONTHS[opens.month - 1]}"
        description = f"{_MONTHS[opens.month - 1].title()} {opens.year}"
    elif period is Period.FAR:
        opens, ends = datetime(2025, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
        code, description = "50", "before 2050"
    else:
        later = 1 if period is Period.NEXT_YEAR else 0
        opens = today.replace(month=1, day=1)
        ends = opens.replace(year=opens.year + 1 + later)
        code, description = f"{(now.year + later) % 100:02d}", f"by the end of {now.year + later}"
    return EventDates(code, _ms(opens), _ms(ends), description)


# -- series, events and markets from templates -----------------------------------------------------------------------


def _price(probability: float) -> Price:
    """Return a probability as a price between 0.0020 and 0.9980 dollar."""
    return min(9_980, max(20, round(probability * 10_000)))


def _series(template: SeriesTemplate) -> SeriesDefinition:
    source = template.settlement_source
    return SeriesDefinition(
        ticker=template.ticker,
        title=template.title,
        category=template.category,
        frequency=template.period.value.replace("_", " "),
        tags=template.tags,
        fee_type=template.fee_type,
        fee_multiplier=template.fee_multiplier,
        exchange_index=template.exchange_index,
        settlement_sources=((source.name, source.url),),
    )


class _MarketSpec(NamedTuple):
    """What distinguishes a market from the others of its event."""

    suffix: str
    name: str
    fair: Price
    wins_from: int
    wins_to: int
    strike_type: str = "custom"
    floor_strike: Decimal | None = None
    shape: str = "both"


def _exclusive_specs(choices: tuple[ChoiceTemplate, ...]) -> Iterator[_MarketSpec]:
    """Divide the draw among the choices in proportion to their fair values."""
    total = sum(choice.fair for choice in choices)
    start = 0.0
    for choice in choices:
        end = start + choice.fair / total
        yield _MarketSpec(
            choice.suffix,
            choice.name,
            _price(choice.fair / total),
            round(start * DRAW_UNIT),
            round(end * DRAW_UNIT),
            "structured",
            shape=choice.shape,
        )
        start = end


def _strike_spec(strike: Decimal, probability: float, label: str) -> _MarketSpec:
    return _MarketSpec(
        f"T{strike}",
        label.format(f"{strike:,}"),
        _price(probability),
        DRAW_UNIT - round(probability * DRAW_UNIT),
        DRAW_UNIT,
        "greater_or_equal" if "or above" in label else "greater",
        floor_strike=strike,
    )


def _market_specs(template: EventTemplate, outcomes: Outcomes, dates: EventDates) -> list[_MarketSpec]:
    match template:
        case ExclusiveTemplate():
            return list(_exclusive_specs(template.choices))
        case LadderTemplate():
            return [
                _strike_spec(
                    strike, 1 - _NORMAL.cdf((float(strike) - template.mean) / template.deviation), template.label
                )
                for strike in template.strikes
            ]
        case IndexLadderTemplate():
            # The strikes stand around the index at the opening, in round figures.
            index = outcomes.indexes[template.index]
            center = Decimal(index.at(dates.open_ms) // 100 // index.strike_step * index.strike_step)
            return [_strike_spec(offset + center, 0.5, template.label) for offset in template.offsets]
        case SingleTemplate():
            probability = template.fair / 100
            return [_MarketSpec("", template.title.rstrip("?"), _price(probability), 0, round(probability * DRAW_UNIT))]


def _event_and_markets(
    series: SeriesTemplate, template: EventTemplate, outcomes: Outcomes, now_ms: int
) -> tuple[EventDefinition, list[MarketDefinition]]:
    dates = event_dates(template.period or series.period, now_ms)
    override = template.fee_override
    event = EventDefinition(
        ticker=f"{series.ticker}-{dates.code}{template.suffix}",
        series_ticker=series.ticker,
        title=template.title,
        sub_title=dates.description[:1].upper() + dates.description[1:],
        category=series.category,
        mutually_exclusive=isinstance(template, ExclusiveTemplate),
        exchange_index=series.exchange_index,
        strike_ms=dates.close_ms,
        fee_type_override=override.fee_type if override else "",
        fee_multiplier_override=override.fee_multiplier if override else None,
    )
    specs = _market_specs(template, outcomes, dates)
    return event, [_market(series, template, event, dates, spec, now_ms) for spec in specs]


def _market(
    series: SeriesTemplate,
    template: EventTemplate,
    event: EventDefinition,
    dates: EventDates,
    spec: _MarketSpec,
    now_ms: int,
) -> MarketDefinition:
    subject = template.title.rstrip("?")
    condition = f'the answer to "{subject}" is {spec.name}' if spec.suffix else f'"{subject}" comes true'
    source = series.settlement_source.name
    fees = template.fee_override or series
    return MarketDefinition(
        ticker=f"{event.ticker}-{spec.suffix}" if spec.suffix else event.ticker,
        event_ticker=event.ticker,
        series_ticker=event.series_ticker,
        title=f"{subject}: {spec.name}?" if spec.suffix else template.title,
        yes_sub_title=spec.name,
        no_sub_title=spec.name,
        created_ms=min(dates.open_ms, now_ms) - _DAY_MS,
        open_ms=dates.open_ms,
        close_ms=dates.close_ms,
        expected_expiration_ms=dates.close_ms + 60_000,
        latest_expiration_ms=dates.close_ms + 7 * _DAY_MS,
        exchange_index=series.exchange_index,
        structure=template.price_level_structure,
        market_type=template.market_type if isinstance(template, SingleTemplate) else "binary",
        rules_primary=(
            f"If {condition} ({dates.description}), as reported by {source}, then the market resolves to Yes."
        ),
        rules_secondary=(
            "This is a market of the practice exchange: its question, its participants and its outcome are invented, "
            "and no money stands behind it. The outcome is drawn when the market closes."
        ),
        strike_type=spec.strike_type,
        floor_strike=spec.floor_strike,
        early_close_condition="This market will close early once the outcome is known.",
        settlement_timer_s=template.settlement_timer_s,
        fees=FeeSchedule.of(fees.fee_type, fees.fee_multiplier),
        rank=template.rank,
        flow=_flow(
            template.flow,
            fair=spec.fair,
            shape=spec.shape,
            index=template.index if isinstance(template, IndexLadderTemplate) else "",
            wins_from=spec.wins_from,
            wins_to=spec.wins_to,
        ),
    )


def _flow(
    template: FlowTemplate, *, fair: Price, index: str, shape: str = "both", wins_from: int = 0, wins_to: int = 5_000
) -> OrderFlow:
    return OrderFlow(
        fair=fair,
        weight=template.weight,
        depth=template.depth,
        size=template.size,
        spread=template.spread,
        volatility=template.volatility,
        shape=shape,
        fractional=template.fractional,
        index=index,
        wins_from=wins_from,
        wins_to=wins_to,
    )


# -- the recurring series --------------------------------------------------------------------------------------------


def recurring_templates() -> tuple[RecurringTemplate, ...]:
    """Return the templates of the series that have a new market every 15 minutes."""
    return catalog_template().recurring


def _recurring_series(template: RecurringTemplate) -> SeriesDefinition:
    return SeriesDefinition(
        ticker=template.ticker,
        title=f"{template.name} up or down in 15 minutes",
        category="Crypto",
        frequency="fifteen_min",
        tags=(template.index, "15 min"),
        fee_type="quadratic",
        exchange_index=_RECURRING_SHARD,
        settlement_sources=(("Practice index", "https://example.com/index"),),
    )


def recurring_market(
    template: RecurringTemplate, outcomes: Outcomes, open_ms: int
) -> tuple[EventDefinition, MarketDefinition]:
    """Return the event and the market of a recurring series that open at a time, a quarter of an hour."""
    close_ms = open_ms + RECURRING_PERIOD_MS
    opens = datetime.fromtimestamp(open_ms // 1_000, UTC)
    ends = datetime.fromtimestamp(close_ms // 1_000, UTC)
    event_ticker = (
        f"{template.ticker}-"
        f"{ends.year % 100:02d}{_MONTHS[ends.month - 1]}{ends.day:02d}{ends.hour:02d}{ends.minute:02d}"
    )
    target_cents = outcomes.indexes[template.index].at(open_ms)
    target_text = f"${target_cents / 100:,.2f}"
    event = EventDefinition(
        ticker=event_ticker,
        series_ticker=template.ticker,
        title=f"{template.name} price up in next 15 mins?",
        sub_title=f"{ends:%b %-d}, {opens:%H:%M} to {ends:%H:%M} UTC",
        category="Crypto",
        exchange_index=_RECURRING_SHARD,
        strike_ms=close_ms,
    )
    market = MarketDefinition(
        ticker=f"{event_ticker}-{ends.minute:02d}",
        event_ticker=event_ticker,
        series_ticker=template.ticker,
        title=event.title,
        yes_sub_title=f"Target price: {target_text}",
        no_sub_title=f"Target price: {target_text}",
        created_ms=open_ms - CREATE_AHEAD_MS,
        open_ms=open_ms,
        close_ms=close_ms,
        expected_expiration_ms=close_ms + 5_000,
        latest_expiration_ms=close_ms + _DAY_MS,
        exchange_index=_RECURRING_SHARD,
        structure=template.price_level_structure,
        rules_primary=(
            f"If the practice index of {template.name} at {ends:%H:%M} UTC is at least {target_text}, "
            "then the market resolves to Yes."
        ),
        rules_secondary="The index is invented; it wanders as such an index does, and is the same on every restart.",
        strike_type="greater_or_equal",
        floor_strike=Decimal(target_cents) / 100,
        can_close_early=False,
        settlement_timer_s=RECURRING_SETTLEMENT_TIMER_S,
        fees=FeeSchedule.of("quadratic", 1),
        rank=10,
        flow=_flow(template.flow, fair=5_000, index=template.index),
    )
    return event, market


def recurring_openings(now_ms: int) -> list[int]:
    """Return the openings of the recurring markets that exist at a time: the running one, the next once created."""
    running = now_ms // RECURRING_PERIOD_MS * RECURRING_PERIOD_MS
    following = running + RECURRING_PERIOD_MS
    return [running, following] if following - now_ms <= CREATE_AHEAD_MS else [running]


# -- the whole catalog -----------------------------------------------------------------------------------------------


def build_catalog(now_ms: int, outcomes: Outcomes, markets: int | None = None) -> Catalog:
    """Build the terms of the world for a moment. ``markets`` is how many, 1 to 20,000; None for all templates.

    Raises ValueError for another number.
    """
    if markets is not None and not 1 <= markets <= MAX_MARKETS:
        raise ValueError(f"--markets takes a number from 1 to {MAX_MARKETS:,}, not {markets:,}.")
    series = {template.ticker: _recurring_series(template) for template in recurring_templates()}
    events: list[EventDefinition] = []
    listed: list[MarketDefinition] = []
    for open_ms in recurring_openings(now_ms):
        for recurring in recurring_templates():
            event, market = recurring_market(recurring, outcomes, open_ms)
            events.append(event)
            listed.append(market)
    for series_template, template in catalog_template().ranked_events():
        if series_template.ticker not in series:
            series[series_template.ticker] = _series(series_template)
        # What was listed yesterday for the day after still trades today.
        is_ahead = (template.period or series_template.period) is Period.TOMORROW
        for moment in (now_ms - _DAY_MS, now_ms) if is_ahead else (now_ms,):
            event, group = _event_and_markets(series_template, template, outcomes, moment)
            events.append(event)
            listed.extend(group)
    if markets is not None and len(listed) < markets:
        for series_template, template in _filler(markets - len(listed)):
            series.setdefault(series_template.ticker, _series(series_template))
            event, group = _event_and_markets(series_template, template, outcomes, now_ms)
            events.append(event)
            listed.extend(group)
    if markets is not None:
        listed = listed[:markets]
        used = {market.event_ticker for market in listed}
        events = [event for event in events if event.ticker in used]
    return Catalog(tuple(series.values()), tuple(events), tuple(listed))


def _filler(wanted: int) -> Iterator[tuple[SeriesTemplate, LadderTemplate]]:
    """Yield ladders of eight markets each, less busy the further down, until there are as many markets as wanted."""
    filler = catalog_template().filler
    number = 0
    while wanted > 0:
        place = filler.places[number % len(filler.places)]
        ward = number // len(filler.places) + 1
        kind = filler.series[number % len(filler.series)]
        strikes = tuple(Decimal(10 + 2 * step) for step in range(min(8, wanted)))
        event = LadderTemplate(
            title=f"{kind.subject} in {place}, ward {ward}, this week?",
            rank=600 + min(number // 10, 200),
            suffix=f"{place[:4].upper()}{ward}",
            strikes=strikes,
            mean=16.5 + number % 5,
            deviation=3.0,
            label=kind.label,
            flow=FlowTemplate(
                weight=max(1, 4 - number // 100), depth=4, size=100, spread=2, fractional=number % 7 == 0
            ),
        )
        yield (
            SeriesTemplate(
                ticker=kind.ticker,
                title=f"{kind.subject} by ward",
                category="World",
                period=Period.WEEK,
                events=(event,),
            ),
            event,
        )
        wanted -= len(strikes)
        number += 1
