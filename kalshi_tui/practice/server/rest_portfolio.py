"""Portfolio reads over REST, signed: orders, queue positions, holdings, fills, settlements, balances.

docs/kalshi-api.md, sections 6 and 7.
"""

from typing import Final

from aiohttp import web

from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import format_count
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire.times import time_text
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.records import (
    OrderStatus,
    PositionRecord,
)
from kalshi_tui.practice.engine.rejection import not_found
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.archive_tier import ArchivedKind, ArchiveTier
from kalshi_tui.practice.server.http import (
    ACCOUNT_ID_KEY,
    BadRequestError,
    int_param,
    json_reply,
    list_param,
    one_of_param,
    paginate,
    seconds_param_as_ms,
    text_param,
    tickers_param,
)
from kalshi_tui.practice.server.lagging_reads import ReadSource
from kalshi_tui.practice.server.order_requests import (
    parse_enum,
)
from kalshi_tui.practice.server.subaccount_params import locked_subaccount, subaccount_for_list, subaccount_for_read

MAX_TICKERS_PER_REQUEST: Final = 100
MAX_EVENTS_PER_REQUEST: Final = 10
SETTLEMENT_STATUSES: Final = ("unsettled", "settled", "all")


class PortfolioApi:
    """Answers an account about itself; ``source`` has the reads that may lag, the engine's queries the rest."""

    def __init__(self, exchange: Exchange, source: ReadSource, archive: ArchiveTier) -> None:
        self._exchange = exchange
        self._source = source
        self._archive = archive

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix; the fixed ones come before those with a name in them."""
        table = [
            ("GET", "/exchange/user_data_timestamp", self.user_data_timestamp),
            ("GET", "/portfolio/orders", self.orders),
            ("GET", "/portfolio/orders/queue_positions", self.queue_positions),
            ("GET", "/portfolio/orders/{order_id}", self.order),
            ("GET", "/portfolio/orders/{order_id}/queue_position", self.queue_position),
            ("GET", "/portfolio/balance", self.balance),
            ("GET", "/portfolio/positions", self.positions),
            ("GET", "/portfolio/fills", self.fills),
            ("GET", "/portfolio/settlements", self.settlements),
            ("GET", "/portfolio/summary/total_resting_order_value", self.resting_order_value),
        ]
        return [web.route(method, f"{wire.REST_PREFIX}{path}", handler) for method, path, handler in table]

    async def orders(self, request: web.Request) -> web.Response:
        """List orders, newest first."""
        status = text_param(request, "status")
        wanted = ListFilter(
            tickers=one_of_param(request, "ticker"),
            event_tickers=tickers_param(request, "event_ticker", MAX_EVENTS_PER_REQUEST),
            status=parse_enum(OrderStatus, status, "status") if status else None,
            min_ms=seconds_param_as_ms(request, "min_ts"),
            max_ms=seconds_param_as_ms(request, "max_ts"),
            subaccount=subaccount_for_list(request),
            exchange_index=int_param(request, "exchange_index"),
        )
        listed = self._source.reads.orders(request[ACCOUNT_ID_KEY], wanted)
        live = filter(self._archive.has_live_order, listed)
        found, cursor = paginate(request, live, lambda each: each.order_id)
        return json_reply(wire.OrdersReply(orders=[encode_rest.order(each) for each in found], cursor=cursor))

    async def order(self, request: web.Request) -> web.Response:
        """Return one order."""
        found = self._source.reads.order(
            request[ACCOUNT_ID_KEY], request.match_info["order_id"], locked_subaccount(request)
        )
        if not self._archive.has_live_order(found):
            raise not_found("order not found")
        return json_reply(wire.OrderReply(order=encode_rest.order(found)))

    async def queue_position(self, request: web.Request) -> web.Response:
        """Return the count ahead of an order."""
        found = self._exchange.queries.queue_position(
            request[ACCOUNT_ID_KEY], request.match_info["order_id"], locked_subaccount(request)
        )
        return json_reply(wire.QueuePositionReply(queue_position_fp=format_count(found.count_ahead)))

    async def queue_positions(self, request: web.Request) -> web.Response:
        """Return the count ahead of each resting order."""
        found = self._exchange.queries.queue_positions(
            request[ACCOUNT_ID_KEY],
            ListFilter(
                tickers=list_param(request, "market_tickers"),
                event_tickers=one_of_param(request, "event_ticker"),
                subaccount=subaccount_for_read(request),
            ),
        )
        positions = [
            wire.QueuePosition(
                order_id=each.order_id, market_ticker=each.ticker, queue_position_fp=format_count(each.count_ahead)
            )
            for each in found
        ]
        return json_reply(wire.QueuePositionsReply(queue_positions=positions))

    async def user_data_timestamp(self, request: web.Request) -> web.Response:
        """Return up to when the portfolio reads are true: they do not lag here unless asked to."""
        del request
        as_of = self._source.as_of_ms
        return json_reply(wire.UserDataTimestampReply(as_of_time=time_text(as_of)))

    async def balance(self, request: web.Request) -> web.Response:
        """Return the account's money, on one shard or all."""
        shard = int_param(request, "exchange_index")
        money = self._exchange.queries.balance(request[ACCOUNT_ID_KEY], subaccount_for_read(request))
        if shard is not None and shard not in money.available:
            raise BadRequestError("no such exchange_index")
        is_full = locked_subaccount(request) is None
        return json_reply(encode_rest.balance(money, shard, with_breakdown=is_full))

    async def positions(self, request: web.Request) -> web.Response:
        """List holdings by market and by event: of markets that are not settled, of settled ones, or of all."""
        wanted = ListFilter(
            tickers=one_of_param(request, "ticker"),
            event_tickers=one_of_param(request, "event_ticker"),
            exchange_index=int_param(request, "exchange_index"),
            subaccount=subaccount_for_read(request),
        )
        held = self._list_positions(request, wanted)
        counted = [each for each in held if _matches_count_filter(each, list_param(request, "count_filter"))]
        # A cursor is bound to the status that it was made for.
        status = text_param(request, "settlement_status") or "unsettled"
        found, cursor = paginate(request, counted, lambda each: f"{status} {each.ticker}")
        return json_reply(
            wire.PositionsReply(
                cursor=cursor,
                market_positions=[encode_rest.position(each) for each in found],
                event_positions=encode_rest.event_positions(found),
            )
        )

    def _list_positions(self, request: web.Request, wanted: ListFilter) -> list[PositionRecord]:
        """Return the positions of a ``settlement_status``, by ticker. Raises BadRequestError for an unknown word."""
        status = text_param(request, "settlement_status") or "unsettled"
        if status not in SETTLEMENT_STATUSES:
            raise BadRequestError(f"settlement_status must be one of {', '.join(SETTLEMENT_STATUSES)}")
        account_id, markets = request[ACCOUNT_ID_KEY], self._exchange.markets
        settled = [
            each
            for each in self._exchange.queries.settled_positions(account_id, wanted)
            if self._archive.has_live_positions(markets.listings_by_event.get(each.event_ticker, ()))
        ]
        if status == "settled":
            return settled
        held = [
            each
            for each in self._source.reads.positions(account_id, wanted)
            if markets.listings[each.ticker].status is not MarketStatus.FINALIZED
        ]
        return held if status == "unsettled" else sorted([*held, *settled], key=lambda each: each.ticker)

    async def fills(self, request: web.Request) -> web.Response:
        """List executions, newest first."""
        wanted = ListFilter(
            tickers=tickers_param(request, "ticker", MAX_TICKERS_PER_REQUEST),
            order_id=text_param(request, "order_id"),
            min_ms=seconds_param_as_ms(request, "min_ts"),
            max_ms=seconds_param_as_ms(request, "max_ts"),
            subaccount=subaccount_for_list(request),
            exchange_index=int_param(request, "exchange_index"),
        )
        listed = self._source.reads.fills(request[ACCOUNT_ID_KEY], wanted)
        live = (each for each in listed if self._archive.is_live(ArchivedKind.TRADES, each.ts_ms))
        found, cursor = paginate(request, live, lambda each: f"{each.trade_id} {each.order_id}")
        return json_reply(wire.FillsReply(fills=[encode_rest.fill(each) for each in found], cursor=cursor))

    async def settlements(self, request: web.Request) -> web.Response:
        """List what settled markets have paid, newest first."""
        wanted = ListFilter(
            tickers=one_of_param(request, "ticker"),
            event_tickers=one_of_param(request, "event_ticker"),
            min_ms=seconds_param_as_ms(request, "min_ts"),
            max_ms=seconds_param_as_ms(request, "max_ts"),
            subaccount=subaccount_for_list(request),
        )
        listed = self._exchange.queries.settlements(request[ACCOUNT_ID_KEY], wanted)
        by_event = self._exchange.markets.listings_by_event
        # They go with the positions of their event, and are in no archive then.
        live = (each for each in listed if self._archive.has_live_positions(by_event.get(each.event_ticker, ())))
        found, cursor = paginate(request, live, lambda each: f"{each.ticker} {each.account_id}")
        return json_reply(
            wire.SettlementsReply(settlements=[encode_rest.settlement(each) for each in found], cursor=cursor)
        )

    async def resting_order_value(self, request: web.Request) -> web.Response:
        """Return what all resting orders would cost: in cents, and in dollars for each shard."""
        value = self._exchange.queries.resting_order_value(request[ACCOUNT_ID_KEY], locked_subaccount(request))
        return json_reply(
            {
                "total_resting_order_value": sum(value.values()) // CENT,
                "resting_order_value_breakdown": encode_rest.balance_breakdown(value),
            }
        )


def _matches_count_filter(position: PositionRecord, filters: list[str]) -> bool:
    """Apply ``count_filter``: fields that must not be zero. Raises BadRequestError for another name."""
    values = {
        "position": position.count,
        "total_traded": position.total_traded,
        "resting_order_count": position.resting_orders,
    }
    unknown = set(filters) - values.keys()
    if unknown:
        raise BadRequestError(f"count_filter cannot be {min(unknown)[:32]}")
    return all(values[name] for name in filters)
