"""Markets, books and trades over REST, unsigned (docs/kalshi-api.md, section 8)."""

from collections.abc import Callable, Iterator
from typing import Final

from aiohttp import web

from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter, is_within
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.rejection import market_not_found
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.archive_tier import ArchivedKind, ArchiveTier
from kalshi_tui.practice.server.http import (
    BadRequestError,
    bool_param,
    int_param,
    json_reply,
    list_param,
    paginate,
    seconds_param_as_ms,
    text_param,
)
from kalshi_tui.practice.server.status_filter import parse_status_filter

TIME_FILTERS: Final[dict[str, Callable[[ListedMarket], int]]] = {
    "created": lambda each: each.terms.created_ms,
    "updated": lambda each: each.updated_ms,
    "close": lambda each: each.close_ms,
    "settled": lambda each: each.settled_ms,
}
"""The times that ``min_..._ts`` and ``max_..._ts`` filter on, Unix ms."""
MAX_BOOKS_PER_REQUEST: Final = 100


class MarketApi:
    """Answers what anybody may ask about markets."""

    def __init__(self, exchange: Exchange, archive: ArchiveTier) -> None:
        self._exchange = exchange
        self._archive = archive

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix; the fixed ones come before those with a name in them."""
        get = [
            ("/markets", self.markets),
            ("/markets/trades", self.trades),
            ("/markets/orderbooks", self.orderbooks),
            ("/markets/{ticker}", self.market),
            ("/markets/{ticker}/orderbook", self.orderbook),
        ]
        return [web.get(f"{wire.REST_PREFIX}{path}", handler) for path, handler in get]

    async def markets(self, request: web.Request) -> web.Response:
        """List markets by every filter of the exchange (docs/kalshi-api.md, section 8)."""
        found, cursor = paginate(request, self._filter_markets(request), lambda listing: listing.ticker)
        now = self._exchange.clock.now
        return json_reply(wire.MarketsReply(markets=[encode_rest.market(each, now) for each in found], cursor=cursor))

    def _filter_markets(self, request: web.Request) -> Iterator[ListedMarket]:
        wanted = parse_status_filter(request)
        named = ListFilter(
            tickers=list_param(request, "tickers"),
            event_tickers=list_param(request, "event_ticker"),
            series_ticker=text_param(request, "series_ticker"),
        )
        windows = [
            (seconds_param_as_ms(request, f"min_{name}_ts"), seconds_param_as_ms(request, f"max_{name}_ts"), moment)
            for name, moment in TIME_FILTERS.items()
        ]
        combos = text_param(request, "mve_filter")
        if combos not in {"", "only", "exclude"}:
            raise BadRequestError("mve_filter must be only or exclude")
        for each in self._exchange.markets.visible():
            if (
                self._archive.has_live_market(each)
                and (not combos or bool(each.terms.legs) is (combos == "only"))
                and (wanted is None or each.status in wanted)
                and named.matches(each.ticker, each.terms.event_ticker, series_ticker=each.terms.series_ticker)
                and all(is_within(moment(each), least, most) for least, most, moment in windows)
            ):
                yield each

    async def market(self, request: web.Request) -> web.Response:
        """Return one market."""
        listing = self._exchange.markets.listing(request.match_info["ticker"])
        if not self._archive.has_live_market(listing):
            raise market_not_found(listing.ticker)
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
        live = (each for each in source if self._archive.is_live(ArchivedKind.TRADES, each.ts_ms))
        # There are no block trades here: who asks for them alone gets none.
        found, cursor = paginate(
            request, [] if bool_param(request, "is_block_trade") else live, lambda each: each.trade_id
        )
        return json_reply(wire.TradesReply(trades=[encode_rest.trade(each) for each in found], cursor=cursor))
