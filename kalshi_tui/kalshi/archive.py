"""The exchange's archive: what is older than its cut-offs has left the live endpoints (docs/kalshi-api.md, section 15).

A 404 of a live endpoint is not "never existed". Things move from the live endpoints into the archive, so the live one
is read first and the archive after it; `kalshi/whole_history.py` does both.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from typing import Final, TypeVar
from urllib.parse import quote as quoted

from kalshi_tui.domain.candles import Candle
from kalshi_tui.domain.market import Market, Trade
from kalshi_tui.domain.order import Fill, Order
from kalshi_tui.domain.position import Position
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.errors import BadReply
from kalshi_tui.kalshi.lists import LeftOut, Reading
from kalshi_tui.kalshi.replies import ArchiveCutoffs
from kalshi_tui.kalshi.transport.http import HttpClient, Page, Params, translate_reply

ARCHIVE_PAGE_SIZE: Final = 1000

T = TypeVar("T")
U = TypeVar("U")
P = TypeVar("P", bound=Page)


class ArchiveReads:
    """Reads of the archive. Each list is read page by page while it is iterated; its odd items are left out."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def leave_out(self, item: LeftOut) -> None:
        """Report a part of the archive that is left out of a list."""
        self._http.leave_out(item)

    async def cutoffs(self) -> ArchiveCutoffs:
        """Read how far back the live endpoints reach. Raises TransportError, Refused or BadReply."""
        reply = await self._http.get("/historical/cutoff", wire.HistoricalCutoffReply)
        return translate_reply(translate.archive_cutoffs, reply)

    def orders(
        self,
        *,
        ticker: str | None = None,
        min_s: int | None = None,
        max_s: int | None = None,
        subaccount: int | None = None,
    ) -> Reading[Order]:
        """Yield orders that ended before the cut-off, of one subaccount or all; the times are Unix seconds."""
        return self._list(
            "/historical/orders",
            {**_times(ticker, min_s, max_s), "subaccount": subaccount},
            wire.OrdersReply,
            lambda reply: reply.orders,
            translate.order,
            "order",
            lambda each: each.order_id,
            private=True,
        )

    def fills(
        self,
        *,
        ticker: str | None = None,
        min_s: int | None = None,
        max_s: int | None = None,
        subaccount: int | None = None,
    ) -> Reading[Fill]:
        """Yield the account's fills before the cut-off, of one subaccount or all; the times are Unix seconds."""
        return self._list(
            "/historical/fills",
            {**_times(ticker, min_s, max_s), "subaccount": subaccount},
            wire.FillsReply,
            lambda reply: reply.fills,
            translate.rest_fill,
            "fill",
            lambda each: each.trade_id,
            private=True,
        )

    def trades(
        self, *, ticker: str | None = None, min_s: int | None = None, max_s: int | None = None
    ) -> Reading[Trade]:
        """Yield public trades before the cut-off; ``min_s`` and ``max_s`` are Unix seconds."""
        return self._list(
            "/historical/trades",
            _times(ticker, min_s, max_s),
            wire.TradesReply,
            lambda reply: reply.trades,
            translate.rest_trade,
            "trade",
            lambda each: each.trade_id,
        )

    def positions(
        self, *, ticker: str | None = None, event_ticker: str | None = None, subaccount: int | None = None
    ) -> Reading[Position]:
        """Yield what was held in markets whose event has moved to the archive.

        Of one ``subaccount``, without a number the primary's (of a locked key its own).
        """
        return self._list(
            "/historical/positions",
            {"limit": ARCHIVE_PAGE_SIZE, "ticker": ticker, "event_ticker": event_ticker, "subaccount": subaccount},
            wire.PositionsReply,
            lambda reply: reply.market_positions,
            partial(translate.position, subaccount=subaccount or 0, is_settled=True),
            "position",
            lambda each: each.ticker,
            private=True,
        )

    def markets(
        self,
        *,
        tickers: Sequence[str] | None = None,
        event_ticker: str | None = None,
        series_ticker: str | None = None,
        without_combos: bool = False,
    ) -> Reading[Market]:
        """Yield markets that settled before the cut-off, by one filter or none: the exchange takes one at a time."""
        params: Params = {
            "limit": ARCHIVE_PAGE_SIZE,
            "tickers": ",".join(tickers) if tickers is not None else None,
            "event_ticker": event_ticker,
            "series_ticker": series_ticker,
            "mve_filter": "exclude" if without_combos else None,
        }
        return self._list(
            "/historical/markets",
            params,
            wire.MarketsReply,
            lambda reply: reply.markets,
            translate.market,
            "market",
            lambda each: each.ticker,
        )

    async def market(self, ticker: str) -> Market:
        """Read one market that settled before the cut-off. Raises NotFound, TransportError, Refused or BadReply."""
        reply = await self._http.get(_market_path(ticker), wire.MarketReply, one_thing=True)
        market = translate_reply(translate.market, reply.market)
        if market.ticker != ticker:
            raise BadReply("The exchange answered about another market than the one asked about.")
        return market

    async def candles(self, ticker: str, start_s: int, end_s: int, *, minutes: int = 60) -> list[Candle]:
        """Read the history of a market that settled before the cut-off, oldest first, between Unix seconds.

        ``minutes`` is 1, 60 or 1440. Raises NotFound, TransportError, Refused or BadReply.
        """
        params: Params = {"start_ts": start_s, "end_ts": end_s, "period_interval": minutes}
        reply = await self._http.get(
            f"{_market_path(ticker)}/candlesticks", wire.ArchivedCandlesticksReply, params, one_thing=True
        )
        return list(
            self._http.translate_items(
                translate.archived_candle, reply.candlesticks, "candle", lambda each: each.end_period_ts, []
            )
        )

    def _list(
        self,
        path: str,
        params: Params,
        reply_type: type[P],
        items_of: Callable[[P], Iterable[U] | None],
        convert: Callable[[U], T],
        what: str,
        name: Callable[[U], object],
        *,
        private: bool = False,
    ) -> Reading[T]:
        async def read(reading: Reading[T]) -> AsyncIterator[T]:
            lost = reading.left_out
            pages = self._http.iterate_pages(
                path, params, reply_type, private=private, left_out=lost, broken_off=reading.break_off
            )
            async for reply in pages:
                for each in self._http.translate_items(convert, items_of(reply), what, name, lost):
                    yield each

        return Reading(read)


def _times(ticker: str | None, min_s: int | None, max_s: int | None) -> Params:
    return {"ticker": ticker, "min_ts": min_s, "max_ts": max_s, "limit": ARCHIVE_PAGE_SIZE}


def _market_path(ticker: str) -> str:
    """Return the path of one market. Raises ValueError for a ticker that would make another path."""
    if not ticker or ticker in {".", ".."}:
        raise ValueError("an empty ticker makes no path")
    return f"/historical/markets/{quoted(ticker, safe='')}"
