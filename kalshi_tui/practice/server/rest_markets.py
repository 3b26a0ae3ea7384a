"""The market side of REST, unsigned: markets, events, series, books, trades, history, status.

docs/kalshi-api.md, section 8.
"""

from collections.abc import Callable, Iterator
from typing import Final

from aiohttp import web
from msgspec import UNSET, UnsetType

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import Count
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter, is_within
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.terms import EventDefinition
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.http import (
    BadRequestError,
    bool_param,
    int_param,
    json_reply,
    list_param,
    paginate,
    required_int_param,
    seconds_param_as_ms,
    text_param,
)

STATUS_FILTERS: Final = {
    "unopened": {MarketStatus.INITIALIZED},
    "open": {MarketStatus.ACTIVE},
    "paused": {MarketStatus.INACTIVE},
    "closed": {MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.DISPUTED, MarketStatus.AMENDED},
    "settled": {MarketStatus.FINALIZED},
}
"""The filter's words, and the statuses that each takes in: the object uses other words
(docs/kalshi-api.md, section 8)."""
TIME_FILTERS: Final[dict[str, Callable[[ListedMarket], int]]] = {
    "created": lambda each: each.terms.created_ms,
    "updated": lambda each: each.updated_ms,
    "close": lambda each: each.close_ms,
    "settled": lambda each: each.settled_ms,
}
"""The times that ``min_..._ts`` and ``max_..._ts`` filter on, Unix ms."""
MAX_BOOKS_PER_REQUEST: Final = 100
MAX_CANDLES_PER_REQUEST: Final = 10_000
ALWAYS_OPEN_DAY: Final = {"open_time": "00:00", "close_time": "00:00"}


class MarketApi:
    """Answers what anybody may ask."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix; the fixed ones stand before those with a name in them."""
        get = [
            ("/markets", self.markets),
            ("/markets/trades", self.trades),
            ("/markets/orderbooks", self.orderbooks),
            ("/markets/candlesticks", self.batch_candlesticks),
            ("/markets/{ticker}", self.market),
            ("/markets/{ticker}/orderbook", self.orderbook),
            ("/events", self.events),
            ("/events/fee_changes", self.event_fee_changes),
            ("/events/multivariate", self.multivariate_events),
            ("/events/{event_ticker}", self.event),
            ("/events/{event_ticker}/metadata", self.event_metadata),
            ("/series", self.series_list),
            ("/series/fee_changes", self.series_fee_changes),
            ("/series/{series_ticker}", self.series),
            ("/series/{series_ticker}/events/{event_ticker}/candlesticks", self.event_candlesticks),
            ("/series/{series_ticker}/markets/{ticker}/candlesticks", self.candlesticks),
            ("/exchange/status", self.status),
            ("/exchange/schedule", self.schedule),
        ]
        return [web.get(f"{wire.REST_PREFIX}{path}", handler) for path, handler in get]

    async def markets(self, request: web.Request) -> web.Response:
        """List markets by every filter of the exchange (docs/kalshi-api.md, section 8)."""
        found, cursor = paginate(request, self._filter_markets(request), lambda listing: listing.ticker)
        now = self._exchange.clock.now
        return json_reply(wire.MarketsReply(markets=[encode_rest.market(each, now) for each in found], cursor=cursor))

    def _filter_markets(self, request: web.Request) -> Iterator[ListedMarket]:
        wanted = _parse_status_filter(request)
        named = ListFilter(
            tickers=list_param(request, "tickers"),
            event_tickers=list_param(request, "event_ticker"),
            series_ticker=text_param(request, "series_ticker"),
        )
        windows = [
            (seconds_param_as_ms(request, f"min_{name}_ts"), seconds_param_as_ms(request, f"max_{name}_ts"), moment)
            for name, moment in TIME_FILTERS.items()
        ]
        if text_param(request, "mve_filter") not in {"", "only", "exclude"}:
            raise BadRequestError("mve_filter must be only or exclude")
        if text_param(request, "mve_filter") == "only":
            # No combos are traded here.
            return
        for each in self._exchange.markets.visible():
            if (
                (wanted is None or each.status in wanted)
                and named.matches(each.ticker, each.terms.event_ticker, series_ticker=each.terms.series_ticker)
                and all(is_within(moment(each), least, most) for least, most, moment in windows)
            ):
                yield each

    async def market(self, request: web.Request) -> web.Response:
        """Return one market."""
        listing = self._exchange.markets.listing(request.match_info["ticker"])
        return json_reply(wire.MarketReply(market=encode_rest.market(listing, self._exchange.clock.now)))

    async def orderbook(self, request: web.Request) -> web.Response:
        """Return one book, the best ``depth`` levels of each side or all."""
        depth = int_param(request, "depth", 0) or 0
        if not 0 <= depth <= 100:
            raise BadRequestError("depth must be 0 to 100")
        sides = self._exchange.queries.book(request.match_info["ticker"], depth)
        return json_reply(wire.OrderbookReply(orderbook_fp=encode_rest.book(sides)))

    async def orderbooks(self, request: web.Request) -> web.Response:
        """Return up to 100 books."""
        tickers = list_param(request, "tickers")
        if not 1 <= len(tickers) <= MAX_BOOKS_PER_REQUEST:
            raise BadRequestError(f"tickers must name 1 to {MAX_BOOKS_PER_REQUEST} markets")
        books = [
            wire.MarketOrderbook(ticker=ticker, orderbook_fp=encode_rest.book(self._exchange.queries.book(ticker)))
            for ticker in tickers
        ]
        return json_reply(wire.OrderbooksReply(orderbooks=books))

    async def trades(self, request: web.Request) -> web.Response:
        """List public trades, newest first."""
        source = self._exchange.queries.trades(
            text_param(request, "ticker"),
            ListFilter(min_ms=seconds_param_as_ms(request, "min_ts"), max_ms=seconds_param_as_ms(request, "max_ts")),
        )
        # There are no block trades here: who asks for them alone gets none.
        found, cursor = paginate(
            request, [] if bool_param(request, "is_block_trade") else source, lambda each: each.trade_id
        )
        return json_reply(wire.TradesReply(trades=[encode_rest.trade(each) for each in found], cursor=cursor))

    async def events(self, request: web.Request) -> web.Response:
        """List events, with their markets if asked for."""
        wanted = _parse_status_filter(request)
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
                named.matches("", event.ticker, series_ticker=event.series_ticker)
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
        markets = [
            encode_rest.market(each, self._exchange.clock.now)
            for each in self._exchange.markets.visible_event_listings(event.ticker)
        ]
        return encode_rest.event(event, self._exchange.markets.series[event.series_ticker], markets if nested else None)

    def _encode_event_markets(self, event_ticker: str) -> list[wire.Market]:
        now = self._exchange.clock.now
        return [encode_rest.market(each, now) for each in self._exchange.markets.visible_event_listings(event_ticker)]

    async def event(self, request: web.Request) -> web.Response:
        """Return one event; its markets stand beside it unless nested ones are asked for."""
        event = self._exchange.markets.event(request.match_info["event_ticker"])
        if bool_param(request, "with_nested_markets"):
            return json_reply(wire.EventReply(event=self._encode_event(event, nested=True)))
        markets = [
            encode_rest.market(each, self._exchange.clock.now)
            for each in self._exchange.markets.visible_event_listings(event.ticker)
        ]
        return json_reply(wire.EventReply(event=self._encode_event(event, nested=False), markets=markets))

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
        """List the changes of events' fees: there never are any here."""
        del request
        return json_reply({"event_fee_changes": [], "cursor": ""})

    async def series_fee_changes(self, request: web.Request) -> web.Response:
        """List the changes of series' fees: there never are any here."""
        del request
        return json_reply({"series_fee_change_arr": []})

    async def multivariate_events(self, request: web.Request) -> web.Response:
        """List the events of combos: none are traded here."""
        del request
        return json_reply({"events": [], "cursor": ""})

    async def event_candlesticks(self, request: web.Request) -> web.Response:
        """Return the history of all markets of an event."""
        event = self._exchange.markets.event(request.match_info["event_ticker"])
        if event.series_ticker != request.match_info["series_ticker"]:
            raise Rejection(404, "not_found", "event not found in this series", event.ticker)
        tickers = [each.ticker for each in self._exchange.markets.visible_event_listings(event.ticker)]
        candles = [self._encode_candles(request, each) for each in tickers]
        end = required_int_param(request, "end_ts")
        return json_reply({"market_tickers": tickers, "market_candlesticks": candles, "adjusted_end_ts": end})

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
        return json_reply(wire.SeriesReply(series=encode_rest.series(found)))

    async def candlesticks(self, request: web.Request) -> web.Response:
        """Return a market's history."""
        ticker = request.match_info["ticker"]
        if self._exchange.markets.listing(ticker).terms.series_ticker != request.match_info["series_ticker"]:
            raise Rejection(404, "not_found", "market not found in this series", ticker)
        return json_reply(wire.CandlesticksReply(ticker=ticker, candlesticks=self._encode_candles(request, ticker)))

    async def batch_candlesticks(self, request: web.Request) -> web.Response:
        """Return the history of up to 100 markets."""
        tickers = list_param(request, "market_tickers")
        if not 1 <= len(tickers) <= MAX_BOOKS_PER_REQUEST:
            raise BadRequestError(f"market_tickers must name 1 to {MAX_BOOKS_PER_REQUEST} markets")
        markets = [{"market_ticker": each, "candlesticks": self._encode_candles(request, each)} for each in tickers]
        return json_reply({"markets": markets})

    def _encode_candles(self, request: web.Request, ticker: str) -> list[wire.Candlestick]:
        start, end = required_int_param(request, "start_ts"), required_int_param(request, "end_ts")
        minutes = required_int_param(request, "period_interval")
        if minutes in {1, 60, 1440} and (end - start) // (minutes * 60) > MAX_CANDLES_PER_REQUEST:
            raise BadRequestError(f"at most {MAX_CANDLES_PER_REQUEST} candlesticks at once")
        before = bool_param(request, "include_latest_before_start")
        found = self._exchange.queries.candlesticks(ticker, start * 1_000, end * 1_000, minutes, latest_before=before)
        return [encode_rest.candle(each) for each in found]

    async def status(self, request: web.Request) -> web.Response:
        """Return whether the exchange is up and trades."""
        del request
        return json_reply(encode_rest.exchange_status(self._exchange))

    async def schedule(self, request: web.Request) -> web.Response:
        """Return the hours: always open. The pause of Thursdays is rehearsed with ``pause_trading``, not waited for."""
        del request
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        week: dict[str, object] = {day: [ALWAYS_OPEN_DAY] for day in days}
        week |= {"start_time": "2021-01-01T00:00:00Z", "end_time": "2099-01-01T00:00:00Z"}
        return json_reply({"schedule": {"standard_hours": [week], "maintenance_windows": []}})


def _parse_status_filter(request: web.Request) -> set[MarketStatus] | None:
    """Return the statuses that the filter takes in, None for all. Raises BadRequestError for an unknown word."""
    words = list_param(request, "status")
    if not words:
        return None
    wanted: set[MarketStatus] = set()
    for word in words:
        if word not in STATUS_FILTERS:
            raise BadRequestError(f"status must be one of {', '.join(STATUS_FILTERS)}")
        wanted |= STATUS_FILTERS[word]
    return wanted
