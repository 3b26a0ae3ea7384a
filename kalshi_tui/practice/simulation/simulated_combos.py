"""A few combos of the simulated world: what they are made of, and who quotes them.

They are made from markets that are listed anyway, by the calendar alone, so that a restart finds the same ones. Their
maker takes prices from the legs' books and no random number: the world around them is the same with and without them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Price
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.ledger import SHARDS
from kalshi_tui.practice.engine.model import EngineOrder, ListedMarket
from kalshi_tui.practice.engine.terms import (
    COMBO_STRUCTURE,
    Catalog,
    CollectionDefinition,
    EventDefinition,
    LegDefinition,
    MarketDefinition,
    OrderFlow,
    SeriesDefinition,
)

COMBO_SERIES: Final = "KXMVECROSSCATEGORY"
COMBO_COLLECTION: Final = f"{COMBO_SERIES}-R"
COMBO_SHARD: Final = 1
COMBO_RANK: Final = 2_000
"""After all others in lists."""
RECIPES: Final = (
    (("KXPBLGAME", 0, Side.YES), ("KXHIGHNY", 2, Side.NO)),
    (("KXPBLGAME", 1, Side.YES), ("KXINXU", 0, Side.YES), ("KXHIGHNY", 0, Side.NO)),
    (("KXPBLGAME", 0, Side.NO), ("KXBTCD", 1, Side.YES)),
)
"""The legs of each combo: a series, the place of a market among those that close first there, and a side."""
QUOTE_INTERVAL_MS: Final = 5_000
QUOTED_COUNT: Final = 250 * COUNT_UNIT
MARGIN: Final = 200
"""How far from the product of the legs the maker quotes, in 1/10,000 dollar."""
_STARTING_CASH: Final = 10**18


def with_combos(catalog: Catalog) -> Catalog:
    """Return a catalog with combos of its markets, as far as it has what they are made of."""
    recipes = [_find_legs(catalog, recipe) for recipe in RECIPES]
    made = [_combo(legs, number) for number, legs in enumerate(recipes, 1) if legs]
    if not made:
        return catalog
    markets = [market for _, market in made]
    collection = CollectionDefinition(
        ticker=COMBO_COLLECTION,
        series_ticker=COMBO_SERIES,
        title="Combos across categories",
        description="Any two to four outcomes of these events; all have to come true.",
        functional_description="A combo pays if all of its legs come true.",
        event_tickers=tuple(dict.fromkeys(leg.event_ticker for market in markets for leg in market.legs)),
        open_ms=min(market.open_ms for market in markets),
        close_ms=max(market.close_ms for market in markets),
        exchange_index=COMBO_SHARD,
    )
    return replace(
        catalog,
        series=(*catalog.series, SeriesDefinition(COMBO_SERIES, "Combos", "Combos", exchange_index=COMBO_SHARD)),
        events=(*catalog.events, *(event for event, _ in made)),
        markets=(*catalog.markets, *markets),
        collections=(collection,),
    )


@dataclass(frozen=True, slots=True)
class _Leg:
    market: MarketDefinition
    side: Side


def _find_legs(catalog: Catalog, recipe: Sequence[tuple[str, int, Side]]) -> list[_Leg]:
    """Return what a recipe names; nothing unless all of it is there."""
    legs: list[_Leg] = []
    for series_ticker, place, side in recipe:
        markets = [each for each in catalog.markets if each.series_ticker == series_ticker]
        first_close_ms = min((each.close_ms for each in markets), default=0)
        soonest = [each for each in markets if each.close_ms == first_close_ms]
        if place >= len(soonest):
            return []
        legs.append(_Leg(soonest[place], side))
    return legs


def _combo(legs: Sequence[_Leg], number: int) -> tuple[EventDefinition, MarketDefinition]:
    markets = [each.market for each in legs]
    name = ",".join(f"{each.side.value} {each.market.yes_sub_title}" for each in legs)
    close_ms = max(market.close_ms for market in markets)
    code = markets[0].event_ticker.partition("-")[2]
    event = EventDefinition(
        ticker=f"{COMBO_SERIES}-{code}S{number}",
        series_ticker=COMBO_SERIES,
        title=name,
        category="Combos",
        exchange_index=COMBO_SHARD,
        strike_ms=close_ms,
        collection_ticker=COMBO_COLLECTION,
    )
    market = MarketDefinition(
        ticker=f"{event.ticker}-{number:03d}",
        event_ticker=event.ticker,
        series_ticker=COMBO_SERIES,
        title=name,
        yes_sub_title=name,
        no_sub_title=name,
        created_ms=max(market.created_ms for market in markets),
        open_ms=max(market.open_ms for market in markets),
        close_ms=close_ms,
        expected_expiration_ms=max(market.expected_expiration_ms for market in markets),
        latest_expiration_ms=max(market.latest_expiration_ms for market in markets),
        exchange_index=COMBO_SHARD,
        structure=COMBO_STRUCTURE,
        rules_primary="If all of its legs come true, then the market resolves to Yes.",
        rules_secondary="This is a market of the practice exchange: its legs decide it, and no money stands behind it.",
        settlement_timer_s=5,
        fees=FeeSchedule.of("quadratic", 1),
        rank=COMBO_RANK,
        flow=OrderFlow(shape="empty"),
        collection_ticker=COMBO_COLLECTION,
        legs=tuple(LegDefinition(each.market.ticker, each.market.event_ticker, each.side) for each in legs),
        is_provisional=True,
    )
    return event, market


class ComboMaker:
    """Quotes every combo around the product of its legs' prices, a few times a minute."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._account = exchange.open_account(
            "sim-combo-maker", dict.fromkeys(SHARDS, _STARTING_CASH), keeps_history=False, margined=False
        )
        self._orders: dict[str, list[EngineOrder]] = {}
        self._next_ms = 0

    def step(self, now: int) -> None:
        """Quote again what has moved, if it is time."""
        if now < self._next_ms:
            return
        self._next_ms = now + QUOTE_INTERVAL_MS
        for listing in self._exchange.markets.listings.values():
            if listing.terms.legs:
                self._quote(listing, now)

    def _quote(self, listing: ListedMarket, now: int) -> None:
        orders = self._orders.pop(listing.ticker, [])
        prices = self._target_prices(listing) if listing.status is MarketStatus.ACTIVE else []
        if [each.outcome_price for each in orders if each.is_resting] == [price for _, price in prices]:
            self._orders[listing.ticker] = orders
            return
        participant = self._exchange.participant_orders
        for order in orders:
            participant.cancel(order, now)
        self._orders[listing.ticker] = [
            participant.place(self._account, listing, side, price, QUOTED_COUNT, now) for side, price in prices
        ]

    @staticmethod
    def _target_prices(listing: ListedMarket) -> list[tuple[int, Price]]:
        """Return the bids for YES (side 0) and for NO (side 1); nothing where a leg is not quoted on both sides."""
        value = PRICE_UNIT
        for leg, other in zip(listing.terms.legs, listing.leg_listings, strict=True):
            if other.settlement_value is not None:
                middle = other.settlement_value
            elif not other.yes_bid or other.yes_ask >= PRICE_UNIT:
                return []
            else:
                middle = (other.yes_bid + other.yes_ask) // 2
            value = value * (middle if leg.side is Side.YES else PRICE_UNIT - middle) // PRICE_UNIT
        found = []
        for side, wanted in ((0, value - MARGIN), (1, PRICE_UNIT - value - MARGIN)):
            price = listing.grid.at_or_below(wanted)
            if price:
                found.append((side, price))
        return found
