"""Combos to read: the collections that they are made in, and those that exist (docs/kalshi-api.md, section 18).

A combo that exists is traded as any market. The functions that `kalshi_tui.kalshi.client.KalshiClient` offers under the
same name are documented here for its users.
"""

from collections.abc import AsyncIterator
from typing import Final, Literal

from kalshi_tui.domain.combo_legs import ComboCollection
from kalshi_tui.domain.market import Event
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.lists import Reading
from kalshi_tui.kalshi.transport.http import HttpClient, Params

COMBOS_PAGE_SIZE: Final = 200

CollectionFilter = Literal["unopened", "open", "closed"]


class ComboReads:
    """Reads of combos. Each list is read page by page while it is iterated; its odd items are left out."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def collections(
        self,
        *,
        status: CollectionFilter | None = None,
        series_ticker: str | None = None,
        event_ticker: str | None = None,
    ) -> Reading[ComboCollection]:
        """Yield the collections, of one series, or those that have an event."""
        params: Params = {
            "limit": COMBOS_PAGE_SIZE,
            "status": status,
            "series_ticker": series_ticker,
            "associated_event_ticker": event_ticker,
        }

        async def read(reading: Reading[ComboCollection]) -> AsyncIterator[ComboCollection]:
            lost = reading.left_out
            pages = self._http.iterate_pages(
                "/multivariate_event_collections",
                params,
                wire.ComboCollectionsReply,
                left_out=lost,
                broken_off=reading.break_off,
            )
            async for reply in pages:
                for each in self._http.translate_items(
                    translate.combo_collection,
                    reply.multivariate_contracts,
                    "collection",
                    lambda source: source.collection_ticker,
                    lost,
                ):
                    yield each

        return Reading(read)

    def events(self, *, collection_ticker: str) -> Reading[Event]:
        """Yield the events of the combos that exist in a collection, each with its markets."""
        params: Params = {
            "limit": COMBOS_PAGE_SIZE,
            "with_nested_markets": "true",
            "collection_ticker": collection_ticker,
        }

        async def read(reading: Reading[Event]) -> AsyncIterator[Event]:
            lost = reading.left_out
            pages = self._http.iterate_pages(
                "/events/multivariate", params, wire.EventsReply, left_out=lost, broken_off=reading.break_off
            )
            async for reply in pages:
                for each in self._http.translate_items(
                    translate.event, reply.events, "event", lambda source: source.event_ticker, lost
                ):
                    yield each

        return Reading(read)
