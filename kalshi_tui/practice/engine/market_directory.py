"""What is listed: series, events and markets, in the order in which lists show them."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from typing import Final

from kalshi_tui.practice.engine.ids import IdSource
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.records import TradeRecord
from kalshi_tui.practice.engine.rejection import Rejection, market_not_found
from kalshi_tui.practice.engine.terms import (
    CollectionDefinition,
    EventDefinition,
    MarketDefinition,
    SeriesDefinition,
    event_fee_schedule,
)
from kalshi_tui.practice.engine.timers import EngineClock

EXCHANGE_TAPE_LENGTH: Final = 10_000
SETTLED_RANK: Final = 1_000_000


class MarketDirectory:
    """All that is listed, and the tape of all trades."""

    def __init__(self, clock: EngineClock, ids: IdSource) -> None:
        self._clock = clock
        self._ids = ids
        self.series: dict[str, SeriesDefinition] = {}
        self.events_by_ticker: dict[str, EventDefinition] = {}
        self.collections: dict[str, CollectionDefinition] = {}
        self.listings: dict[str, ListedMarket] = {}
        self.ranked_listings: list[ListedMarket] = []
        """All markets as lists show them: by rank, then as they came; settled ones last."""
        self.listings_by_event: dict[str, list[ListedMarket]] = {}
        self.tickers_with_changed_fees: set[str] = set()
        """Series and events whose fees are no longer those of the catalog, also for markets that are still to come."""
        self.tape: deque[TradeRecord] = deque(maxlen=EXCHANGE_TAPE_LENGTH)

    def listing(self, ticker: str) -> ListedMarket:
        """Return a market. Raises Rejection 404 for an unknown one, or one too new to be seen."""
        found = self.listings.get(ticker)
        if found is None or found.visible_ms > self._clock.read_ms():
            raise market_not_found(ticker)
        return found

    def event(self, ticker: str) -> EventDefinition:
        """Return an event. Raises Rejection 404."""
        found = self.events_by_ticker.get(ticker)
        if found is None:
            raise Rejection(404, "not_found", "event not found", ticker)
        return found

    def visible(self) -> Iterator[ListedMarket]:
        """Return every market that can be seen: the busiest first, settled ones last."""
        now = self._clock.read_ms()
        return (each for each in self.ranked_listings if each.visible_ms <= now)

    def visible_event_listings(self, event_ticker: str) -> list[ListedMarket]:
        """Return an event's markets that can be seen, in listing order."""
        now = self._clock.read_ms()
        return [each for each in self.listings_by_event.get(event_ticker, ()) if each.visible_ms <= now]

    def add_listing(self, terms: MarketDefinition) -> ListedMarket:
        """List a market. Raises ValueError for one that is listed already, or a combo of markets that are not."""
        if terms.ticker in self.listings:
            raise ValueError(f"{terms.ticker} is listed already.")
        listing = ListedMarket(terms, self._ids.market_id(terms.ticker))
        listing.rank_key = (terms.rank, len(self.listings))
        if (
            terms.series_ticker in self.tickers_with_changed_fees
            or terms.event_ticker in self.tickers_with_changed_fees
        ):
            listing.fees = event_fee_schedule(
                self.series[terms.series_ticker], self.events_by_ticker[terms.event_ticker]
            )
        listing.leg_listings = tuple(self.listings[leg.ticker] for leg in terms.legs if leg.ticker in self.listings)
        if len(listing.leg_listings) != len(terms.legs):
            raise ValueError(f"{terms.ticker} has legs that are not listed.")
        for leg_listing in listing.leg_listings:
            leg_listing.combos.append(listing)
        self.listings[terms.ticker] = listing
        insort(self.ranked_listings, listing, key=_rank_key)
        self.listings_by_event.setdefault(terms.event_ticker, []).append(listing)
        return listing

    def move_to_end(self, listing: ListedMarket) -> None:
        """Show a settled market after all others in lists."""
        del self.ranked_listings[bisect_left(self.ranked_listings, listing.rank_key, key=_rank_key)]
        listing.rank_key = (SETTLED_RANK, listing.rank_key[1])
        insort(self.ranked_listings, listing, key=_rank_key)


def _rank_key(listing: ListedMarket) -> tuple[int, int]:
    return listing.rank_key
