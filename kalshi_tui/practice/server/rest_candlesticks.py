"""Price history over REST, unsigned (docs/kalshi-api.md, section 8)."""

from typing import Final

from aiohttp import web

from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.rejection import Rejection, market_not_found
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.archive_tier import ArchiveTier
from kalshi_tui.practice.server.http import (
    BadRequestError,
    bool_param,
    json_reply,
    list_param,
    required_int_param,
)

MAX_CANDLES_PER_REQUEST: Final = 10_000
MAX_MARKETS_PER_REQUEST: Final = 100


class CandlestickApi:
    """Answers with candlesticks of one market, of several, or of an event."""

    def __init__(self, exchange: Exchange, archive: ArchiveTier) -> None:
        self._exchange = exchange
        self._archive = archive

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix; the fixed ones come before those with a name in them."""
        get = [
            ("/markets/candlesticks", self.batch_candlesticks),
            ("/series/{series_ticker}/events/{event_ticker}/candlesticks", self.event_candlesticks),
            ("/series/{series_ticker}/markets/{ticker}/candlesticks", self.candlesticks),
        ]
        return [web.get(f"{wire.REST_PREFIX}{path}", handler) for path, handler in get]

    async def event_candlesticks(self, request: web.Request) -> web.Response:
        """Return the history of all markets of an event."""
        event = self._exchange.markets.event(request.match_info["event_ticker"])
        if event.series_ticker != request.match_info["series_ticker"]:
            raise Rejection(404, "not_found", "event not found in this series", event.ticker)
        listings = self._exchange.markets.visible_event_listings(event.ticker)
        tickers = [each.ticker for each in listings if self._archive.has_live_market(each)]
        candles = [self._encode_candles(request, each) for each in tickers]
        end = required_int_param(request, "end_ts")
        return json_reply({"market_tickers": tickers, "market_candlesticks": candles, "adjusted_end_ts": end})

    async def candlesticks(self, request: web.Request) -> web.Response:
        """Return a market's history."""
        ticker = request.match_info["ticker"]
        listing = self._exchange.markets.listing(ticker)
        if listing.terms.series_ticker != request.match_info["series_ticker"]:
            raise Rejection(404, "not_found", "market not found in this series", ticker)
        if not self._archive.has_live_market(listing):
            raise market_not_found(ticker)
        return json_reply(wire.CandlesticksReply(ticker=ticker, candlesticks=self._encode_candles(request, ticker)))

    async def batch_candlesticks(self, request: web.Request) -> web.Response:
        """Return the history of up to 100 markets."""
        tickers = list_param(request, "market_tickers")
        if not 1 <= len(tickers) <= MAX_MARKETS_PER_REQUEST:
            raise BadRequestError(f"market_tickers must name 1 to {MAX_MARKETS_PER_REQUEST} markets")
        markets = [
            {"market_ticker": each, "candlesticks": self._encode_candles(request, each)}
            for each in tickers
            if self._archive.has_live_market(self._exchange.markets.listing(each))
        ]
        return json_reply({"markets": markets})

    def _encode_candles(self, request: web.Request, ticker: str) -> list[wire.Candlestick]:
        start, end = required_int_param(request, "start_ts"), required_int_param(request, "end_ts")
        minutes = required_int_param(request, "period_interval")
        if minutes in {1, 60, 1440} and (end - start) // (minutes * 60) > MAX_CANDLES_PER_REQUEST:
            raise BadRequestError(f"at most {MAX_CANDLES_PER_REQUEST} candlesticks at once")
        before = bool_param(request, "include_latest_before_start")
        found = self._exchange.queries.candlesticks(ticker, start * 1_000, end * 1_000, minutes, latest_before=before)
        return [encode_rest.candle(each) for each in found]
