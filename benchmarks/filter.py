"""A key of the filter over 70,000 markets, held against one `in` over the same texts and nothing else."""

import random

from benchmarks.measure import Figure, compare
from kalshi_tui.domain.fees import FeeSchedule, FeeType
from kalshi_tui.domain.market import Event, Market, MarketStatus
from kalshi_tui.domain.price import CENT_GRID
from kalshi_tui.domain.text import market_text
from kalshi_tui.presentation.lines import Line
from kalshi_tui.session.store import Store
from kalshi_tui.ui.market_list.columns import MarketColumns, MarketRow
from kalshi_tui.ui.market_list.view import LazyLines, MarketIndex, MarketSort, current_quote, market_row_line

MARKETS = 70_000
TO_AN_EVENT = 10
SHOWN = 50
TYPED = ("f", "fe", "fed", "fed ", "fed r", "fed ra", "fed rat", "fed rate", "fed rate c", "zz")
"""What stands in the field after one key each."""
WORDS = (
    *("fed", "rate", "cut", "inflation", "jobs", "oil", "gold", "bitcoin", "ether", "temperature", "rain", "senate"),
    *("house", "governor", "final", "score", "points", "wins", "above", "below", "between", "november", "december"),
    *("january", "harbor", "mesa", "river", "transit", "album", "film", "award"),
)


def listed_store() -> Store:
    """Make a store of so many markets, with titles as long as those of the exchange."""
    chance = random.Random(8)
    fees = FeeSchedule(FeeType.QUADRATIC)
    events, markets = [], []
    for number in range(MARKETS // TO_AN_EVENT):
        ticker = f"KX{chance.choice(WORDS).upper()}-26{number:05d}"
        title = f"Will {' '.join(chance.choices(WORDS, k=6))}?".capitalize()
        category = chance.choice(("Economics", "Politics", "Sports", "Climate and Weather", "Crypto"))
        events.append(Event(ticker, ticker.partition("-")[0], title, category=category))
        markets += [
            Market(
                ticker=f"{ticker}-T{strike}",
                event_ticker=ticker,
                series_ticker=events[-1].series_ticker,
                title=title,
                yes_sub_title=f"Above {strike} {chance.choice(WORDS)}",
                status=MarketStatus.ACTIVE,
                grid=CENT_GRID,
                fees=fees,
            )
            for strike in range(TO_AN_EVENT)
        ]
    store = Store(lambda: 0)
    store.market_data.set_markets(markets, events)
    return store


def run() -> list[Figure]:
    """Do what the pane does at each key: find, put in place, draw what is seen."""
    store = listed_store()
    listed = MarketIndex(store, MarketSort.LISTED)
    columns = MarketColumns.for_width(60, listed.decimals)
    texts = [
        f"{ticker} {market_text(market)} {store.events[market.event_ticker].category}".lower()
        for ticker, market in store.markets.items()
    ]

    def draw(ticker: str) -> Line:
        return market_row_line(MarketRow(store.markets[ticker], current_quote(store, ticker)), columns)

    def ours() -> None:
        for typed in TYPED:
            tickers = listed.find(typed.lower().split())
            places = {ticker: place for place, ticker in enumerate(tickers)}
            lines = LazyLines(tickers, draw)
            assert len(places) == len(lines)
            for place in range(min(SHOWN, len(lines))):
                _ = lines[place]

    def reference() -> None:
        for typed in TYPED:
            wanted = typed.strip()
            _ = [text for text in texts if wanted in text]

    return [compare(f"filter, a key over {MARKETS:,} markets", ours, "str in str alone", reference, items=len(TYPED))]
