"""The archive over REST: what the live endpoints no longer have (docs/kalshi-api.md, section 15)."""

from typing import Final

from aiohttp import web

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire.times import time_text
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.rejection import market_not_found
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.archive_tier import ArchivedKind, ArchiveTier
from kalshi_tui.practice.server.http import (
    ACCOUNT_ID_KEY,
    BadRequestError,
    bool_param,
    json_reply,
    list_param,
    one_of_param,
    paginate,
    required_int_param,
    seconds_param_as_ms,
    text_param,
)
from kalshi_tui.practice.server.lagging_reads import ReadSource
from kalshi_tui.practice.server.subaccount_params import subaccount_for_list, subaccount_for_read

MARKET_FILTERS: Final = ("tickers", "event_ticker", "series_ticker", "mve_filter")
"""Filters of archived markets, of which the exchange takes one at a time."""
MAX_CANDLES_PER_REQUEST: Final = 10_000


class ArchiveApi:
    """Answers with what is older than the cut-offs, and says where they are."""

    def __init__(self, exchange: Exchange, source: ReadSource, archive: ArchiveTier) -> None:
        self._exchange = exchange
        self._source = source
        self._archive = archive

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix."""
        get = [
            ("/historical/cutoff", self.cutoff),
            ("/historical/markets", self.markets),
            ("/historical/markets/{ticker}", self.market),
            ("/historical/markets/{ticker}/candlesticks", self.candlesticks),
            ("/historical/trades", self.trades),
            ("/historical/fills", self.fills),
            ("/historical/orders", self.orders),
            ("/historical/positions", self.positions),
        ]
        return [web.get(f"{wire.REST_PREFIX}{path}", handler) for path, handler in get]

    async def cutoff(self, request: web.Request) -> web.Response:
        """Return how far back the live endpoints reach."""
        del request
        return json_reply({kind.value: time_text(self._archive.cutoff_ms(kind)) for kind in ArchivedKind})

    async def markets(self, request: web.Request) -> web.Response:
        """List archived markets, by one filter or none."""
        if sum(bool(text_param(request, name)) for name in MARKET_FILTERS) > 1:
            raise BadRequestError(f"only one of {', '.join(MARKET_FILTERS)} may be given")
        without_combos = text_param(request, "mve_filter") == "exclude"
        if text_param(request, "mve_filter") not in {"", "exclude"}:
            raise BadRequestError("mve_filter must be exclude")
        wanted = ListFilter(
            tickers=list_param(request, "tickers"),
            event_tickers=one_of_param(request, "event_ticker"),
            series_ticker=text_param(request, "series_ticker"),
        )
        old = (
            each
            for each in self._exchange.markets.visible()
            if self._archive.has_archived_market(each)
            and not (without_combos and each.terms.legs)
            and wanted.matches(each.ticker, each.terms.event_ticker, series_ticker=each.terms.series_ticker)
        )
        found, cursor = paginate(request, old, lambda each: each.ticker)
        now = self._exchange.clock.now
        return json_reply(wire.MarketsReply(markets=[encode_rest.market(each, now) for each in found], cursor=cursor))

    async def market(self, request: web.Request) -> web.Response:
        """Return one archived market."""
        listing = self._archived_listing(request.match_info["ticker"])
        return json_reply(wire.MarketReply(market=encode_rest.market(listing, self._exchange.clock.now)))

    async def candlesticks(self, request: web.Request) -> web.Response:
        """Return an archived market's history."""
        ticker = self._archived_listing(request.match_info["ticker"]).ticker
        start, end = required_int_param(request, "start_ts"), required_int_param(request, "end_ts")
        minutes = required_int_param(request, "period_interval")
        if minutes in {1, 60, 1440} and (end - start) // (minutes * 60) > MAX_CANDLES_PER_REQUEST:
            raise BadRequestError(f"at most {MAX_CANDLES_PER_REQUEST} candlesticks at once")
        found = self._exchange.queries.candlesticks(ticker, start * 1_000, end * 1_000, minutes)
        candles = [encode_rest.archived_candle(each) for each in found]
        return json_reply(wire.ArchivedCandlesticksReply(ticker=ticker, candlesticks=candles))

    async def trades(self, request: web.Request) -> web.Response:
        """List public trades before the cut-off, newest first."""
        source = self._exchange.queries.trades(
            text_param(request, "ticker"),
            ListFilter(min_ms=seconds_param_as_ms(request, "min_ts"), max_ms=seconds_param_as_ms(request, "max_ts")),
        )
        old = (
            each
            for each in source
            if self._archive.is_archived(ArchivedKind.TRADES, each.ts_ms) and not bool_param(request, "is_block_trade")
        )
        found, cursor = paginate(request, old, lambda each: each.trade_id)
        return json_reply(wire.TradesReply(trades=[encode_rest.trade(each) for each in found], cursor=cursor))

    async def fills(self, request: web.Request) -> web.Response:
        """List the account's executions before the cut-off, newest first."""
        listed = self._source.reads.fills(request[ACCOUNT_ID_KEY], _account_filter(request))
        old = (each for each in listed if self._archive.is_archived(ArchivedKind.TRADES, each.ts_ms))
        found, cursor = paginate(request, old, lambda each: f"{each.trade_id} {each.order_id}")
        return json_reply(wire.FillsReply(fills=[encode_rest.fill(each) for each in found], cursor=cursor))

    async def orders(self, request: web.Request) -> web.Response:
        """List the orders that ended before the cut-off, newest first."""
        listed = self._source.reads.orders(request[ACCOUNT_ID_KEY], _account_filter(request))
        old = (each for each in listed if self._archive.has_archived_order(each))
        found, cursor = paginate(request, old, lambda each: each.order_id)
        return json_reply(wire.OrdersReply(orders=[encode_rest.order(each) for each in found], cursor=cursor))

    async def positions(self, request: web.Request) -> web.Response:
        """List the settled positions of events that have moved here."""
        wanted = ListFilter(
            tickers=one_of_param(request, "ticker"),
            event_tickers=one_of_param(request, "event_ticker"),
            subaccount=subaccount_for_read(request),
        )
        by_event = self._exchange.markets.listings_by_event
        old = (
            each
            for each in self._exchange.queries.settled_positions(request[ACCOUNT_ID_KEY], wanted)
            if self._archive.has_archived_positions(by_event.get(each.event_ticker, ()))
        )
        found, cursor = paginate(request, old, lambda each: each.ticker)
        return json_reply(
            wire.PositionsReply(
                cursor=cursor,
                market_positions=[encode_rest.position(each) for each in found],
                event_positions=encode_rest.event_positions(found),
            )
        )

    def _archived_listing(self, ticker: str) -> ListedMarket:
        listing = self._exchange.markets.listing(ticker)
        if not self._archive.has_archived_market(listing):
            raise market_not_found(ticker)
        return listing


def _account_filter(request: web.Request) -> ListFilter:
    """Return the filters of archived orders and fills: there is none by order, status, event or shard."""
    return ListFilter(
        tickers=one_of_param(request, "ticker"),
        min_ms=seconds_param_as_ms(request, "min_ts"),
        max_ms=seconds_param_as_ms(request, "max_ts"),
        subaccount=subaccount_for_list(request),
    )
