"""The account's side of REST, signed: orders V2, positions, fills, money, order groups.

docs/kalshi-api.md, sections 6 and 7.
"""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from kalshi_tui.domain.order import BookSide, SelfTrade, TimeInForce
from kalshi_tui.domain.price import COUNT_UNIT, Count, NumberError, format_count, parse_count, parse_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire.times import time_text
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.records import (
    AmendRequest,
    CancelResult,
    OrderRecord,
    OrderRequest,
    OrderStatus,
    PlaceResult,
    PositionRecord,
)
from kalshi_tui.practice.engine.rejection import Rejection, invalid_order, not_found
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.http import (
    BadRequestError,
    int_param,
    json_reply,
    list_param,
    one_of_param,
    paginate,
    read_body,
    seconds_param_as_ms,
    text_param,
)
from kalshi_tui.practice.server.lagging_reads import LaggingReads, PortfolioReads

ACCOUNT_ID_KEY: Final = web.RequestKey("account", str)
"""Whom the signed headers named; set by the server before a handler runs."""
ORDERS_PATH: Final = "/portfolio/events/orders"
MAX_BATCH_SIZE: Final = 25


class TransferRequest(Struct, frozen=True, kw_only=True):
    """``POST /portfolio/intra_exchange_instance_transfer``."""

    amount: int
    source: str = "event_contract"
    destination: str = "event_contract"
    source_exchange_shard: int = 0
    destination_exchange_shard: int = 0


class PortfolioApi:
    """Answers an account about itself. ``commit`` makes what was done durable and tells the streams of it."""

    def __init__(
        self,
        exchange: Exchange,
        commit: Callable[[], None],
        clock_ms: Callable[[], int],
        *,
        cancel_all: bool = True,
        cutoff_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        """Make ready; orders that ended before ``cutoff_ms`` are in the archive and nowhere else.

        See docs/kalshi-api.md, section 15.
        """
        self._cutoff_ms = cutoff_ms
        self._exchange = exchange
        self.reads: PortfolioReads = exchange.queries
        """Who answers for orders, positions and fills: the engine, or a view of its past."""
        self._clock_ms = clock_ms
        self._commit = commit
        self._has_cancel_all = cancel_all

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix; the fixed ones stand before those with a name in them."""
        table = [
            ("GET", "/exchange/user_data_timestamp", self.user_data_timestamp),
            ("POST", f"{ORDERS_PATH}/batched", self.batch_create),
            ("DELETE", f"{ORDERS_PATH}/batched", self.batch_cancel),
            ("POST", ORDERS_PATH, self.create),
            ("DELETE", f"{ORDERS_PATH}/{{order_id}}", self.cancel),
            ("POST", f"{ORDERS_PATH}/{{order_id}}/amend", self.amend),
            ("POST", f"{ORDERS_PATH}/{{order_id}}/decrease", self.decrease),
            ("GET", "/portfolio/orders", self.orders),
            ("GET", "/historical/orders", self.archived_orders),
            ("GET", "/portfolio/orders/queue_positions", self.queue_positions),
            ("GET", "/portfolio/orders/{order_id}", self.order),
            ("GET", "/portfolio/orders/{order_id}/queue_position", self.queue_position),
            ("GET", "/portfolio/balance", self.balance),
            ("GET", "/portfolio/positions", self.positions),
            ("GET", "/portfolio/fills", self.fills),
            ("GET", "/portfolio/settlements", self.settlements),
            ("POST", "/portfolio/intra_exchange_instance_transfer", self.transfer),
            ("GET", "/portfolio/summary/total_resting_order_value", self.resting_order_value),
            ("POST", "/portfolio/order_groups/create", self.create_group),
            ("GET", "/portfolio/order_groups", self.groups),
            ("GET", "/portfolio/order_groups/{group_id}", self.group),
            ("DELETE", "/portfolio/order_groups/{group_id}", self.delete_group),
            ("PUT", "/portfolio/order_groups/{group_id}/reset", self.reset_group),
            ("PUT", "/portfolio/order_groups/{group_id}/trigger", self.trigger_group),
            ("PUT", "/portfolio/order_groups/{group_id}/limit", self.set_group_limit),
        ]
        if self._has_cancel_all:
            table.insert(0, ("DELETE", ORDERS_PATH, self.cancel_all))
        return [web.route(method, f"{wire.REST_PREFIX}{path}", handler) for method, path, handler in table]

    # Orders.

    async def create(self, request: web.Request) -> web.Response:
        """Place an order."""
        asked = parse_order_request(await read_body(request, wire.CreateOrderRequest))
        try:
            result = self._exchange.order_entry.create(request[ACCOUNT_ID_KEY], asked)
        finally:
            # A killed order uses its client order id up, so a refusal too may have something to keep.
            self._commit()
        return json_reply(encode_rest.create_order_reply(result), 201)

    async def batch_create(self, request: web.Request) -> web.Response:
        """Place several orders; each has its own outcome."""
        asked = await read_body(request, wire.BatchCreateRequest)
        _check_batch_size(len(asked.orders))
        items = []
        for each in asked.orders:
            try:
                result = self._exchange.order_entry.create(request[ACCOUNT_ID_KEY], parse_order_request(each))
            except Rejection as refusal:
                items.append(_rejected_item(each.client_order_id, refusal))
            else:
                items.append(_created_item(result))
        self._commit()
        return json_reply(wire.BatchCreateReply(orders=items), 201)

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel one order; without ``market_ticker`` only shard 0 is looked at (docs/kalshi-api.md, section 6)."""
        result = self._exchange.order_entry.cancel(
            request[ACCOUNT_ID_KEY],
            request.match_info["order_id"],
            text_param(request, "market_ticker"),
            int_param(request, "exchange_index"),
        )
        self._commit()
        return json_reply(_cancel_reply(result))

    async def batch_cancel(self, request: web.Request) -> web.Response:
        """Cancel several orders; each has its own outcome."""
        asked = await read_body(request, wire.BatchCancelRequest)
        _check_batch_size(len(asked.orders))
        items = []
        for each in asked.orders:
            ticker, shard = each.market_ticker, each.exchange_index
            try:
                result = self._exchange.order_entry.cancel(
                    request[ACCOUNT_ID_KEY], each.order_id, ticker or "", None if shard is UNSET else shard
                )
            except Rejection as refusal:
                items.append(wire.BatchCancelItem(order_id=each.order_id, error=_error_detail(refusal)))
            else:
                done = _cancel_reply(result)
                items.append(
                    wire.BatchCancelItem(
                        order_id=result.order_id,
                        client_order_id=done.client_order_id,
                        reduced_by=format_count(result.reduced_by),
                        ts_ms=result.ts_ms,
                    )
                )
        self._commit()
        return json_reply(wire.BatchCancelReply(orders=items))

    async def cancel_all(self, request: web.Request) -> web.Response:
        """Cancel every resting order, on one shard or all."""
        self._exchange.order_entry.cancel_all(request[ACCOUNT_ID_KEY], int_param(request, "exchange_index"))
        self._commit()
        return web.Response(status=204)

    async def amend(self, request: web.Request) -> web.Response:
        """Change a resting order's price and count."""
        asked = await read_body(request, wire.AmendOrderRequest)
        wanted = AmendRequest(
            ticker=asked.ticker,
            side=_parse_enum(BookSide, asked.side, "side"),
            price=_parse_price(asked.price),
            count=_parse_count(asked.count, "count"),
            client_order_id=asked.client_order_id or "",
            updated_client_order_id=asked.updated_client_order_id or "",
            exchange_index=None if asked.exchange_index is UNSET else asked.exchange_index,
        )
        result = self._exchange.order_entry.amend(request[ACCOUNT_ID_KEY], request.match_info["order_id"], wanted)
        self._commit()
        done = encode_rest.create_order_reply(result)
        return json_reply(
            wire.AmendOrderReply(
                order_id=done.order_id,
                client_order_id=done.client_order_id,
                remaining_count=done.remaining_count if result.changed else UNSET,
                fill_count=done.fill_count if result.changed else UNSET,
                average_fill_price=done.average_fill_price,
                average_fee_paid=done.average_fee_paid,
                ts_ms=done.ts_ms,
            )
        )

    async def decrease(self, request: web.Request) -> web.Response:
        """Make a resting order smaller."""
        asked = await read_body(request, wire.DecreaseOrderRequest)
        result = self._exchange.order_entry.decrease(
            request[ACCOUNT_ID_KEY],
            request.match_info["order_id"],
            reduce_by=None if asked.reduce_by is UNSET else _parse_count(asked.reduce_by, "reduce_by"),
            reduce_to=None if asked.reduce_to is UNSET else _parse_count(asked.reduce_to, "reduce_to"),
            ticker=asked.market_ticker or text_param(request, "market_ticker"),
            exchange_index=int_param(request, "exchange_index")
            if asked.exchange_index is UNSET
            else asked.exchange_index,
        )
        self._commit()
        return json_reply(
            wire.DecreaseOrderReply(
                order_id=result.order_id,
                client_order_id=result.client_order_id or UNSET,
                remaining_count=format_count(result.remaining),
                ts_ms=result.ts_ms,
            )
        )

    async def orders(self, request: web.Request) -> web.Response:
        """List orders, newest first."""
        status = text_param(request, "status")
        wanted = ListFilter(
            tickers=one_of_param(request, "ticker"),
            event_tickers=list_param(request, "event_ticker"),
            status=_parse_enum(OrderStatus, status, "status") if status else None,
            min_ms=seconds_param_as_ms(request, "min_ts"),
            max_ms=seconds_param_as_ms(request, "max_ts"),
            exchange_index=int_param(request, "exchange_index"),
        )
        listed = self.reads.orders(request[ACCOUNT_ID_KEY], wanted)
        cutoff_ms = self._cutoff_ms()
        live = (each for each in listed if not _archived(each, cutoff_ms))
        found, cursor = paginate(request, live, lambda each: each.order_id)
        return json_reply(wire.OrdersReply(orders=[encode_rest.order(each) for each in found], cursor=cursor))

    async def archived_orders(self, request: web.Request) -> web.Response:
        """List the orders that ended before the cut-off, newest first."""
        wanted = ListFilter(
            tickers=one_of_param(request, "ticker"),
            min_ms=seconds_param_as_ms(request, "min_ts"),
            max_ms=seconds_param_as_ms(request, "max_ts"),
        )
        listed = self.reads.orders(request[ACCOUNT_ID_KEY], wanted)
        cutoff_ms = self._cutoff_ms()
        old = (each for each in listed if _archived(each, cutoff_ms))
        found, cursor = paginate(request, old, lambda each: each.order_id)
        return json_reply(wire.OrdersReply(orders=[encode_rest.order(each) for each in found], cursor=cursor))

    async def order(self, request: web.Request) -> web.Response:
        """Return one order."""
        found = self.reads.order(request[ACCOUNT_ID_KEY], request.match_info["order_id"])
        if _archived(found, self._cutoff_ms()):
            raise not_found("order not found")
        return json_reply(wire.OrderReply(order=encode_rest.order(found)))

    async def queue_position(self, request: web.Request) -> web.Response:
        """Return what stands before an order."""
        found = self._exchange.queries.queue_position(request[ACCOUNT_ID_KEY], request.match_info["order_id"])
        return json_reply(wire.QueuePositionReply(queue_position_fp=format_count(found.count_ahead)))

    async def queue_positions(self, request: web.Request) -> web.Response:
        """Return what stands before each resting order."""
        found = self._exchange.queries.queue_positions(
            request[ACCOUNT_ID_KEY],
            ListFilter(
                tickers=list_param(request, "market_tickers"), event_tickers=one_of_param(request, "event_ticker")
            ),
        )
        positions = [
            wire.QueuePosition(
                order_id=each.order_id, market_ticker=each.ticker, queue_position_fp=format_count(each.count_ahead)
            )
            for each in found
        ]
        return json_reply(wire.QueuePositionsReply(queue_positions=positions))

    # The account.

    async def user_data_timestamp(self, request: web.Request) -> web.Response:
        """Say up to when the portfolio reads are true: they do not lag here unless asked to."""
        del request
        as_of = self.reads.as_of_ms if isinstance(self.reads, LaggingReads) else self._clock_ms()
        return json_reply(wire.UserDataTimestampReply(as_of_time=time_text(as_of)))

    async def balance(self, request: web.Request) -> web.Response:
        """Return the account's money, on one shard or all."""
        shard = int_param(request, "exchange_index")
        money = self._exchange.queries.balance(request[ACCOUNT_ID_KEY])
        if shard is not None and shard not in money.available:
            raise BadRequestError("no such exchange_index")
        return json_reply(encode_rest.balance(money, shard))

    async def positions(self, request: web.Request) -> web.Response:
        """List holdings by market and by event."""
        wanted = ListFilter(
            tickers=one_of_param(request, "ticker"),
            event_tickers=one_of_param(request, "event_ticker"),
            exchange_index=int_param(request, "exchange_index"),
        )
        held = self.reads.positions(request[ACCOUNT_ID_KEY], wanted)
        counted = [each for each in held if _matches_count_filter(each, list_param(request, "count_filter"))]
        found, cursor = paginate(request, counted, lambda each: each.ticker)
        return json_reply(
            wire.PositionsReply(
                cursor=cursor,
                market_positions=[encode_rest.position(each) for each in found],
                event_positions=encode_rest.event_positions(found),
            )
        )

    async def fills(self, request: web.Request) -> web.Response:
        """List executions, newest first."""
        wanted = ListFilter(
            tickers=one_of_param(request, "ticker"),
            order_id=text_param(request, "order_id"),
            min_ms=seconds_param_as_ms(request, "min_ts"),
            max_ms=seconds_param_as_ms(request, "max_ts"),
            exchange_index=int_param(request, "exchange_index"),
        )
        listed = self.reads.fills(request[ACCOUNT_ID_KEY], wanted)
        found, cursor = paginate(request, listed, lambda each: f"{each.trade_id} {each.order_id}")
        return json_reply(wire.FillsReply(fills=[encode_rest.fill(each) for each in found], cursor=cursor))

    async def settlements(self, request: web.Request) -> web.Response:
        """List what settled markets have paid, newest first."""
        wanted = ListFilter(
            tickers=one_of_param(request, "ticker"),
            event_tickers=one_of_param(request, "event_ticker"),
            min_ms=seconds_param_as_ms(request, "min_ts"),
            max_ms=seconds_param_as_ms(request, "max_ts"),
        )
        listed = self._exchange.queries.settlements(request[ACCOUNT_ID_KEY], wanted)
        found, cursor = paginate(request, listed, lambda each: each.ticker)
        return json_reply(
            wire.SettlementsReply(settlements=[encode_rest.settlement(each) for each in found], cursor=cursor)
        )

    async def transfer(self, request: web.Request) -> web.Response:
        """Move cash from one shard to another; the amount is in 1/10,000 dollar."""
        asked = await read_body(request, TransferRequest)
        if {asked.source, asked.destination} - {"event_contract"}:
            raise BadRequestError("source and destination must be event_contract")
        source, target = asked.source_exchange_shard, asked.destination_exchange_shard
        self._exchange.transfer(request[ACCOUNT_ID_KEY], source, target, asked.amount * COUNT_UNIT)
        self._commit()
        return json_reply({"transfer_id": self._exchange.ids.new_id()})

    async def resting_order_value(self, request: web.Request) -> web.Response:
        """Return what all resting orders would cost: in cents, and in dollars for each shard."""
        value = self._exchange.queries.resting_order_value(request[ACCOUNT_ID_KEY])
        return json_reply(
            {
                "total_resting_order_value": sum(value.values()) // encode_rest.MONEY_PER_CENT,
                "resting_order_value_breakdown": encode_rest.balance_breakdown(value),
            }
        )

    # Order groups.

    async def create_group(self, request: web.Request) -> web.Response:
        """Make an order group."""
        asked = await read_body(request, wire.CreateOrderGroupRequest)
        shard = 0 if asked.exchange_index is UNSET else asked.exchange_index
        made = self._exchange.order_groups.create(
            request[ACCOUNT_ID_KEY], _parse_group_limit(asked.contracts_limit, asked.contracts_limit_fp), shard
        )
        self._commit()
        return json_reply(
            wire.CreateOrderGroupReply(order_group_id=made.group_id, exchange_index=made.exchange_index), 201
        )

    async def groups(self, request: web.Request) -> web.Response:
        """List order groups."""
        found = [encode_rest.group(each) for each in self._exchange.order_groups.list_for(request[ACCOUNT_ID_KEY])]
        return json_reply(wire.OrderGroupsReply(order_groups=found))

    async def group(self, request: web.Request) -> web.Response:
        """Return one order group with the ids of its orders."""
        found = self._exchange.order_groups.get(request[ACCOUNT_ID_KEY], request.match_info["group_id"])
        return json_reply(
            wire.OrderGroupReply(
                is_auto_cancel_enabled=not found.triggered,
                contracts_limit_fp=format_count(found.limit),
                orders=list(found.order_ids),
                exchange_index=found.exchange_index,
            )
        )

    async def delete_group(self, request: web.Request) -> web.Response:
        """Delete a group; its orders are canceled."""
        return self._run_group_action(self._exchange.order_groups.delete, request)

    async def reset_group(self, request: web.Request) -> web.Response:
        """Open a triggered group again."""
        return self._run_group_action(self._exchange.order_groups.reset, request)

    async def trigger_group(self, request: web.Request) -> web.Response:
        """Cancel a group's orders and close it."""
        return self._run_group_action(self._exchange.order_groups.trigger, request)

    async def set_group_limit(self, request: web.Request) -> web.Response:
        """Set a group's limit."""
        asked = await read_body(request, wire.OrderGroupLimitRequest)
        limit = _parse_group_limit(asked.contracts_limit, asked.contracts_limit_fp)
        self._exchange.order_groups.set_limit(request[ACCOUNT_ID_KEY], request.match_info["group_id"], limit)
        self._commit()
        return json_reply({})

    def _run_group_action(self, act: Callable[[str, str], None], request: web.Request) -> web.Response:
        act(request[ACCOUNT_ID_KEY], request.match_info["group_id"])
        self._commit()
        return json_reply({})


def parse_order_request(asked: wire.CreateOrderRequest) -> OrderRequest:
    """Read a new order. Raises Refusal for what is missing or makes no sense (docs/kalshi-api.md, section 10)."""
    if not asked.ticker:
        raise Rejection(400, "missing_parameters", "missing parameters", "ticker is required")
    if not asked.side or not asked.count or not asked.price:
        raise invalid_order("side, count and price are required")
    if not asked.time_in_force or not asked.self_trade_prevention_type:
        raise invalid_order("time_in_force and self_trade_prevention_type are required")
    expires = asked.expiration_time
    return OrderRequest(
        ticker=asked.ticker,
        side=_parse_enum(BookSide, asked.side, "side"),
        count=_parse_count(asked.count, "count"),
        price=_parse_price(asked.price),
        tif=_parse_enum(TimeInForce, asked.time_in_force, "time_in_force"),
        self_trade=_parse_enum(SelfTrade, asked.self_trade_prevention_type, "self_trade_prevention_type"),
        client_order_id=asked.client_order_id or "",
        post_only=asked.post_only is True,
        reduce_only=asked.reduce_only is True,
        expires_ms=expires * 1_000 if isinstance(expires, int) else None,
        cancel_on_pause=asked.cancel_order_on_pause is True,
        group_id=asked.order_group_id or "",
        subaccount=asked.subaccount or 0,
        exchange_index=None if asked.exchange_index is UNSET else asked.exchange_index,
    )


def _parse_enum(kind: Callable[[str], Any], word: str, name: str) -> Any:
    try:
        return kind(word)
    except ValueError:
        raise invalid_order(f"{name} cannot be {word[:32]!r}") from None


def _parse_count(value: str, name: str) -> Count:
    try:
        return parse_count(value)
    except NumberError:
        raise invalid_order(f"{name} must be a count of at most two decimals") from None


def _parse_price(value: str) -> int:
    try:
        return parse_price(value)
    except NumberError:
        raise invalid_order("price must be dollars between 0 and 1, of at most four decimals") from None


def _parse_group_limit(contracts: Any, contracts_fp: Any) -> Count:
    """Read a group's limit: whole contracts, or a count. Raises BadRequestError without exactly one that is right."""
    if isinstance(contracts_fp, str):
        return _parse_count(contracts_fp, "contracts_limit_fp")
    if isinstance(contracts, int):
        return contracts * COUNT_UNIT
    raise BadRequestError("contracts_limit or contracts_limit_fp is required")


def _check_batch_size(size: int) -> None:
    if not 1 <= size <= MAX_BATCH_SIZE:
        raise BadRequestError(f"a batch holds 1 to {MAX_BATCH_SIZE} orders")


def _error_detail(refusal: Rejection) -> wire.ErrorDetail:
    return wire.ErrorDetail(code=refusal.code, message=refusal.message, details=refusal.details or UNSET)


def _created_item(result: PlaceResult) -> wire.BatchCreateItem:
    done = encode_rest.create_order_reply(result)
    return wire.BatchCreateItem(
        order_id=done.order_id,
        client_order_id=done.client_order_id,
        fill_count=done.fill_count,
        remaining_count=done.remaining_count,
        average_fill_price=done.average_fill_price,
        average_fee_paid=done.average_fee_paid,
        ts_ms=done.ts_ms,
    )


def _rejected_item(client_order_id: str | UnsetType, refusal: Rejection) -> wire.BatchCreateItem:
    return wire.BatchCreateItem(
        client_order_id=client_order_id,
        fill_count=UNSET,
        remaining_count=UNSET,
        average_fill_price=UNSET,
        average_fee_paid=UNSET,
        ts_ms=UNSET,
        error=_error_detail(refusal),
    )


def _cancel_reply(result: CancelResult) -> wire.CancelOrderReply:
    return wire.CancelOrderReply(
        order_id=result.order_id,
        client_order_id=result.client_order_id or UNSET,
        reduced_by=format_count(result.reduced_by),
        ts_ms=result.ts_ms,
    )


def _archived(order: OrderRecord, cutoff_ms: int) -> bool:
    """Return whether an order has left the live list; one that rests never does."""
    return order.status is not OrderStatus.RESTING and order.updated_ms < cutoff_ms


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
