"""Questions of sport, the weather, entertainment and science. Teams, people and works are invented."""

from decimal import Decimal
from typing import Final

from kalshi_tui.practice.question import MAKER_FEES, WEATHER_SERVICE, Choice, Period, Question, choices
from kalshi_tui.practice.terms import TAPERED_DECI_CENT

_HALF: Final = Decimal("0.5")


def _game(
    suffix: str,
    home: str,
    away: str,
    fair: float,
    *,
    period: Period = Period.DAY,
    rank: int = 300,
    weight: int = 20,
    size: int = 600,
    fee_override: tuple[str, Decimal] | None = None,
) -> Question:
    """Give one game of the pro ball league; ``home`` and ``away`` are a code and a name."""
    home_code, home_name = home.split(maxsplit=1)
    away_code, away_name = away.split(maxsplit=1)
    return Question(
        f"KXPBLGAME:{suffix}",
        f"{away_name} at {home_name} winner?",
        "Sports",
        period,
        rank=rank,
        series_title="Pro ball game",
        choices=(Choice(home_code, home_name, fair), Choice(away_code, away_name, 100 - fair)),
        fee_type=MAKER_FEES,
        fee_multiplier=_HALF,
        fee_override=fee_override,
        weight=weight,
        size=size,
        volatility=60,
        tags=("Pro ball",),
    )


def _temperature(series: str, city: str, centre: int, *, rank: int, weight: int) -> Question:
    """Give a day's highest temperature as six ranges around a usual one."""
    low = centre - 4
    ranges = [(f"T{low}", f"{low - 1}° or below", 4.0)]
    ranges += [
        (f"B{low + 2 * n + 1}", f"{low + 2 * n}° to {low + 2 * n + 1}°", fair)
        for n, fair in enumerate((13.0, 31.0, 32.0, 15.0))
    ]
    ranges.append((f"T{low + 7}", f"{low + 8}° or above", 5.0))
    return Question(
        series,
        f"Highest temperature in {city} today?",
        "Climate and Weather",
        Period.DAY,
        rank=rank,
        choices=tuple(Choice(*each) for each in ranges),
        weight=weight,
        size=220,
        fractional=True,
        tags=("Daily temperature",),
        source=WEATHER_SERVICE,
    )


PLAY: Final = (
    _game("A", "HCH Harbor City", "RMS Red Mesa", 58, rank=20, weight=120, size=1_500),
    _temperature("KXHIGHNY", "New York City", 54, rank=40, weight=70),
    Question(
        "KXTOPFILM",
        "Best picture at this season's Lantern awards?",
        "Entertainment",
        Period.YEAR,
        rank=80,
        choices=choices(
            "SALT 38 The Salt Road; GLAS 21 Glasshouse; EVEN 14 Evensong; NINE 9 Nine Winters; HARB 6.5 Harbor Lights; "
            "PAPE 4.5 Paper Kingdom; COUN 3 The Counting House; BLUE 2 Blue Meridian; SMAL 1.2 Small Hours; "
            "OTHE 0.8 Another film"
        ),
        structure=TAPERED_DECI_CENT,
        weight=14,
        size=900,
        volatility=10,
        tags=("Awards",),
    ),
    Question(
        "KXPBLCHAMP",
        "Pro ball champion this season?",
        "Sports",
        Period.YEAR,
        rank=110,
        choices=choices(
            "HCH 19 Harbor City; RMS 15 Red Mesa; LKP 13 Lakeport; NVC 11 Northvale; FXB 9 Fox Bend; STG 7.5 Stagwood; "
            "OWL 6 Owl Creek; GUL 5 Gull Point; BRR 4 Bear Ridge; LRK 3 Larkfield; CDR 2.2 Cedar Falls North; "
            "PTR 1.7 Port Royal; SLT 1.3 Saltmarsh; WND 0.9 Windgap; ASH 0.7 Ashgrove; DUN 0.5 Dunmore"
        ),
        structure=TAPERED_DECI_CENT,
        fee_type=MAKER_FEES,
        weight=14,
        size=3_000,
        volatility=10,
        tags=("Pro ball",),
    ),
    Question(
        "KXOPENFINAL",
        "Lakeport Open: Varga vs Sorensen?",
        "Sports",
        Period.TOMORROW,
        rank=140,
        choices=choices("VARG 63 Ilona Varga; SORE 37 Maja Sorensen"),
        fee_type=MAKER_FEES,
        weight=40,
        size=800,
        volatility=60,
        tags=("Tennis",),
    ),
    _temperature("KXHIGHCHI", "Chicago", 47, rank=200, weight=12),
    _temperature("KXHIGHMIA", "Miami", 81, rank=201, weight=12),
    _temperature("KXHIGHLAX", "Los Angeles", 70, rank=202, weight=12),
    _temperature("KXHIGHDEN", "Denver", 52, rank=203, weight=10),
    _temperature("KXHIGHAUS", "Austin", 73, rank=204, weight=10),
    _game("B", "LKP Lakeport", "NVC Northvale", 44),
    _game("C", "FXB Fox Bend", "STG Stagwood", 67),
    _game("D", "OWL Owl Creek", "GUL Gull Point", 52),
    _game("E", "BRR Bear Ridge", "LRK Larkfield", 81, fee_override=("quadratic", Decimal(0))),
    _game("F", "NVC Northvale", "FXB Fox Bend", 36, period=Period.TOMORROW),
    _game("G", "GUL Gull Point", "HCH Harbor City", 29, period=Period.TOMORROW),
    Question(
        "KXRAINSEA",
        "Rain in Seattle this month?",
        "Climate and Weather",
        Period.MONTH,
        rank=310,
        strikes="3 4 5 6 7 8",
        centre=5.6,
        width=1.2,
        unit="Above {} inches",
        weight=6,
        size=150,
        spread=2,
        tags=("Rain",),
        source=WEATHER_SERVICE,
    ),
    Question(
        "KXSNOWDEN",
        "Snow in Denver this month?",
        "Climate and Weather",
        Period.MONTH,
        rank=311,
        strikes="2 4 6 8 10 12",
        centre=6.4,
        width=2.8,
        unit="Above {} inches",
        weight=6,
        size=150,
        spread=2,
        fractional=True,
        tags=("Snow",),
        source=WEATHER_SERVICE,
    ),
    Question(
        "KXTOPSONG",
        "Top song of the week?",
        "Entertainment",
        Period.WEEK,
        rank=320,
        choices=choices(
            "PAPE 41 Paper Lanterns; LONG 24 Long Way Down; HONE 14 Honeycomb; MERC 9 Mercury; GHOS 5 Ghost Train; "
            "SUND 3.5 Sunday People; TIDE 2.2 Tidewater; OTHE 1.3 Another song"
        ),
        weight=8,
        size=200,
        spread=2,
        tags=("Music",),
    ),
    Question(
        "KXTOPSERIES",
        "Most watched series of the week?",
        "Entertainment",
        Period.WEEK,
        rank=325,
        choices=choices(
            "LAST 36 The Last Ferry; COLD 27 Cold Harbor Road; MINE 16 Mine Own; FOUR 11 Four Chimneys; "
            "OTHE 10 Another series"
        ),
        weight=7,
        size=180,
        spread=2,
        tags=("Television",),
    ),
    Question(
        "KXTOPAPP",
        "Top free app on Friday?",
        "Science and Technology",
        Period.WEEK,
        rank=330,
        choices=choices(
            "CHAT 52 Chatterbox; FRAM 22 Framewise; SHOP 12 Shoply; MAPL 7 Maple; TUNE 4 Tunelet; OTHE 3 Another app"
        ),
        weight=8,
        size=200,
        spread=2,
        tags=("Apps",),
    ),
    Question(
        "KXCRITICS:SALT",
        '"The Salt Road" critics\' score?',
        "Entertainment",
        Period.WEEK,
        series_title="Critics' scores",
        rank=340,
        strikes="60 65 70 75 80 85 90",
        centre=77.0,
        width=6.0,
        unit="Above {}",
        weight=7,
        size=180,
        spread=2,
        tags=("Films",),
    ),
    Question(
        "KXCRITICS:GLAS",
        '"Glasshouse" critics\' score?',
        "Entertainment",
        Period.WEEK,
        series_title="Critics' scores",
        rank=341,
        strikes="45 50 55 60 65 70",
        centre=58.0,
        width=7.0,
        unit="Above {}",
        weight=5,
        size=150,
        spread=3,
        tags=("Films",),
    ),
    Question(
        "KXLAUNCHES",
        "Orbital launches this month?",
        "Science and Technology",
        Period.MONTH,
        rank=350,
        strikes="18 20 22 24 26 28 30",
        centre=24.5,
        width=2.6,
        unit="Above {}",
        weight=5,
        size=150,
        spread=3,
        tags=("Space",),
    ),
    Question(
        "KXHURRICANE",
        "Will a major hurricane make landfall this month?",
        "Climate and Weather",
        Period.MONTH,
        rank=92,
        fair=8.0,
        structure=TAPERED_DECI_CENT,
        weight=12,
        size=700,
        volatility=15,
    ),
    Question(
        "KXJACKPOT",
        "Will anybody win this week's jackpot?",
        "Entertainment",
        Period.WEEK,
        rank=404,
        fair=12.0,
        weight=4,
        size=100,
        spread=2,
    ),
    Question(
        "KXVACCINE",
        "Will a new malaria vaccine be approved this year?",
        "Health",
        Period.YEAR,
        rank=407,
        fair=41.0,
        weight=3,
        depth=6,
        size=120,
        spread=4,
        volatility=8,
    ),
    Question(
        "KXQUAKE7",
        "Will there be a magnitude 7 earthquake this week?",
        "Climate and Weather",
        Period.WEEK,
        rank=408,
        fair=27.0,
        weight=4,
        size=120,
        spread=3,
        fractional=True,
    ),
    Question(
        "KXALBUM",
        "Will Vesper Lane release an album this month?",
        "Entertainment",
        Period.MONTH,
        rank=409,
        fair=55.0,
        weight=3,
        depth=6,
        size=90,
        spread=3,
    ),
    Question(
        "KXBENCH",
        "Will an open model lead the bench at month's end?",
        "Science and Technology",
        Period.MONTH,
        rank=410,
        fair=19.0,
        weight=7,
        size=300,
        spread=2,
        volatility=25,
    ),
    Question(
        "KXSUPERNOVA",
        "Will a supernova be seen by the naked eye this year?",
        "Science and Technology",
        Period.YEAR,
        rank=411,
        fair=0.9,
        structure=TAPERED_DECI_CENT,
        weight=2,
        size=5_000,
        volatility=5,
    ),
    Question(
        "KXMARS",
        "Will people land on Mars before 2050?",
        "Science and Technology",
        Period.FAR,
        rank=412,
        fair=38.0,
        weight=3,
        size=400,
        spread=3,
        volatility=4,
        tags=("Space",),
    ),
)
"""The questions of this page."""
