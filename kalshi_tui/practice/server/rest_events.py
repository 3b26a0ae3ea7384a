"""Events and series over REST, unsigned (docs/kalshi-api.md, section 8)."""

from aiohttp import web
from msgspec import UNSET, UnsetType

from kalshi_tui.domain.price import Count
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.terms import CollectionDefinition, EventDefinition
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.archive_tier import ArchiveTier
from kalshi_tui.practice.server.http import (
    BadRequestError,
    bool_param,
    json_reply,
    list_param,
    paginate,
    seconds_param_as_ms,
    text_param,
)
from kalshi_tui.practice.server.status_filter import parse_status_filter


class EventApi:
    """Answers what anybody may ask about events and series."""

    def __init__(self, exchange: Exchange, archive: ArchiveTier) -> None:
        self._exchange = exchange
        self._archive = archive

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix; the fixed ones come before those with a name in them."""
        get = [
            ("/events", self.events),
            ("/events/fee_changes", self.event_fee_changes),
            ("/events/multivariate", self.multivariate_events),
            ("/events/{event_ticker}", self.event),
            ("/events/{event_ticker}/metadata", self.event_metadata),
            ("/multivariate_event_collections", self.collections),
            ("/multivariate_event_collections/{collection_ticker}", self.collection),
            ("/series", self.series_list),
            ("/series/fee_changes", self.series_fee_changes),
            ("/series/{series_ticker}", self.series),
        ]
        return [web.get(f"{wire.REST_PREFIX}{path}", handler) for path, handler in get]

    async def events(self, request: web.Request) -> web.Response:
        """List events, with their markets if asked for."""
        wanted = parse_status_filter(request)
        named = ListFilter(
            event_tickers=list_param(request, "tickers"), series_ticker=text_param(request, "series_ticker")
        )
        nested = bool_param(request, "with_nested_markets")
        least_close, least_updated = (
            seconds_param_as_ms(request, "min_close_ts"),
            seconds_param_as_ms(request, "min_updated_ts"),
        )

        def fits(event: EventDefinition) -> bool:
            listings = self._exchange.markets.visible_event_listings(event.ticker)
            return (
                # Combos have a list of their own (docs/kalshi-api.md, section 18).
                not event.collection_ticker
                and named.matches("", event.ticker, series_ticker=event.series_ticker)
                and (wanted is None or any(each.status in wanted for each in listings))
                and (least_close is None or any(each.close_ms >= least_close for each in listings))
                and (least_updated is None or any(each.updated_ms >= least_updated for each in listings))
            )

        chosen = filter(fits, self._exchange.markets.events_by_ticker.values())
        found, cursor = paginate(request, chosen, lambda each: each.ticker, default_limit=200, max_limit=200)
        events = [self._encode_event(each, nested) for each in found]
        milestones: list[object] | UnsetType = [] if bool_param(request, "with_milestones") else UNSET
        return json_reply(wire.EventsReply(events=events, milestones=milestones, cursor=cursor))

    def _encode_event(self, event: EventDefinition, nested: bool) -> wire.Event:
        markets = self._encode_event_markets(event.ticker)
        return encode_rest.event(event, self._exchange.markets.series[event.series_ticker], markets if nested else None)

    def _encode_event_markets(self, event_ticker: str) -> list[wire.Market]:
        now = self._exchange.clock.now
        listings = self._exchange.markets.visible_event_listings(event_ticker)
        return [encode_rest.market(each, now) for each in listings if self._archive.has_live_market(each)]

    async def event(self, request: web.Request) -> web.Response:
        """Return one event with its markets beside it, and in it too if nested ones are asked for."""
        event = self._exchange.markets.event(request.match_info["event_ticker"])
        nested = bool_param(request, "with_nested_markets")
        markets = self._encode_event_markets(event.ticker)
        return json_reply(wire.EventReply(event=self._encode_event(event, nested), markets=markets))

    async def event_metadata(self, request: web.Request) -> web.Response:
        """Return what there is beside an event's terms: no pictures here, but who settles it."""
        event = self._exchange.markets.event(request.match_info["event_ticker"])
        details = [
            {"market_ticker": each.ticker, "image_url": "", "color_code": ""}
            for each in self._exchange.markets.visible_event_listings(event.ticker)
        ]
        sources = encode_rest.series(self._exchange.markets.series[event.series_ticker]).settlement_sources
        return json_reply({"image_url": "", "market_details": details, "settlement_sources": sources})

    async def event_fee_changes(self, request: web.Request) -> web.Response:
        """List the changes of events' fees, made and to come."""
        event_ticker = text_param(request, "event_ticker")
        fitting = (
            each
            for each in self._exchange.scheduled_fees.of_events
            if not event_ticker or each.event_ticker == event_ticker
        )
        found, cursor = paginate(request, fitting, lambda each: each.change_id)
        changes = [encode_rest.event_fee_change(each) for each in found]
        return json_reply(wire.EventFeeChangesReply(event_fee_changes=changes, cursor=cursor))

    async def multivariate_events(self, request: web.Request) -> web.Response:
        """List the events of combos, of one series or one collection."""
        series_ticker = text_param(request, "series_ticker")
        collection_ticker = text_param(request, "collection_ticker")
        if series_ticker and collection_ticker:
            raise BadRequestError("series_ticker and collection_ticker may not both be given")
        chosen = (
            each
            for each in self._exchange.markets.events_by_ticker.values()
            if each.collection_ticker
            and (not series_ticker or each.series_ticker == series_ticker)
            and (not collection_ticker or each.collection_ticker == collection_ticker)
        )
        found, cursor = paginate(request, chosen, lambda each: each.ticker, max_limit=200)
        nested = bool_param(request, "with_nested_markets")
        return json_reply(wire.EventsReply(events=[self._encode_event(each, nested) for each in found], cursor=cursor))

    async def collections(self, request: web.Request) -> web.Response:
        """List which events can be combined (docs/kalshi-api.md, section 18)."""
        status = text_param(request, "status")
        if status not in {"", "unopened", "open", "closed"}:
            raise BadRequestError("status must be unopened, open or closed")
        series_ticker = text_param(request, "series_ticker")
        event_ticker = text_param(request, "associated_event_ticker")
        now = self._exchange.clock.now
        chosen = (
            each
            for each in self._exchange.markets.collections.values()
            if (not series_ticker or each.series_ticker == series_ticker)
            and (not event_ticker or event_ticker in each.event_tickers)
            and (not status or status == _collection_status(each, now))
        )
        found, cursor = paginate(request, chosen, lambda each: each.ticker, max_limit=200)
        return json_reply(
            wire.ComboCollectionsReply(
                multivariate_contracts=[encode_rest.combo_collection(each) for each in found], cursor=cursor
            )
        )

    async def collection(self, request: web.Request) -> web.Response:
        """Return one collection."""
        ticker = request.match_info["collection_ticker"]
        found = self._exchange.markets.collections.get(ticker)
        if found is None:
            raise Rejection(404, "not_found", "collection not found", ticker)
        return json_reply(wire.ComboCollectionReply(multivariate_contract=encode_rest.combo_collection(found)))

    async def series_list(self, request: web.Request) -> web.Response:
        """List series, of one category or all."""
        category, tags = text_param(request, "category"), list_param(request, "tags")
        with_metadata, with_volume = (
            bool_param(request, "include_product_metadata"),
            bool_param(request, "include_volume"),
        )
        least_updated = seconds_param_as_ms(request, "min_updated_ts")
        updated: dict[str, int] = {}
        volume: dict[str, Count] = {}
        for each in self._exchange.markets.visible():
            ticker = each.terms.series_ticker
            updated[ticker] = max(updated.get(ticker, 0), each.updated_ms)
            volume[ticker] = volume.get(ticker, 0) + each.volume
        chosen = [
            encode_rest.series(
                each, with_metadata=with_metadata, volume=volume.get(each.ticker, 0) if with_volume else None
            )
            for each in self._exchange.markets.series.values()
            if (not category or each.category == category)
            and (not tags or set(tags) & set(each.tags))
            and (least_updated is None or updated.get(each.ticker, 0) >= least_updated)
        ]
        return json_reply(wire.SeriesListReply(series=chosen))

    async def series(self, request: web.Request) -> web.Response:
        """Return one series."""
        ticker = request.match_info["series_ticker"]
        found = self._exchange.markets.series.get(ticker)
        if found is None:
            raise Rejection(404, "not_found", "series not found", ticker)
        volume = None
        if bool_param(request, "include_volume"):
            listed = self._exchange.markets.visible()
            volume = sum(each.volume for each in listed if each.terms.series_ticker == ticker)
        return json_reply(wire.SeriesReply(series=encode_rest.series(found, volume=volume)))

    async def series_fee_changes(self, request: web.Request) -> web.Response:
        """List the changes of series' fees that are to come; with ``show_historical`` also those made."""
        series_ticker, with_past = text_param(request, "series_ticker"), bool_param(request, "show_historical")
        now = self._exchange.clock.read_ms()
        changes = [
            encode_rest.series_fee_change(each)
            for each in self._exchange.scheduled_fees.of_series
            if (not series_ticker or each.series_ticker == series_ticker) and (with_past or each.scheduled_ms > now)
        ]
        return json_reply(wire.SeriesFeeChangesReply(series_fee_change_arr=changes))


def _collection_status(collection: CollectionDefinition, now: int) -> str:
    if now < collection.open_ms:
        return "unopened"
    return "open" if now < collection.close_ms else "closed"
