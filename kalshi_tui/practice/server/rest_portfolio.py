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
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.records import (
    AmendRequest,
    CancelResult,
    OrderRecord,
    OrderRequest,
    OrderStatus,
    PlaceResult,
    PositionRecord,
)
from kalshi_tui.practice.engine.rejection import Refusal, invalid_order, not_found
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.http import (
    BadRequestError,
    body,
    number,
    page,
    reply,
    seconds,
    text,
    texts,
)
from kalshi_tui.practice.server.lagging_reads import LaggingReads, PortfolioReads

ACCOUNT: Final = web.RequestKey("account", str)
"""Whom the signed headers named; set by the server before a handler runs."""
ORDERS: Final = "/portfolio/events/orders"
BATCH_AT_MOST: Final = 25


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
        self.reads: PortfolioReads = exchange
        """Who answers for orders, positions and fills: the engine, or a view of its past."""
        self._clock_ms = clock_ms
        self._commit = commit
        self._has_cancel_all = cancel_all

    def routes(self) -> list[web.RouteDef]:
        """Give the routes, below the API's prefix; the fixed ones stand before those with a name in them."""
        table = [
            ("GET", "/exchange/user_data_timestamp", self.user_data_timestamp),
            ("POST", f"{ORDERS}/batched", self.batch_create),
            ("DELETE", f"{ORDERS}/batched", self.batch_cancel),
            ("POST", ORDERS, self.create),
            ("DELETE", f"{ORDERS}/{{order_id}}", self.cancel),
            ("POST", f"{ORDERS}/{{order_id}}/amend", self.amend),
            ("POST", f"{ORDERS}/{{order_id}}/decrease", self.decrease),
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
            ("GET", "/portfolio/summary/total_resting_order_value", self.resting_value),
            ("POST", "/portfolio/order_groups/create", self.create_group),
            ("GET", "/portfolio/order_groups", self.groups),
            ("GET", "/portfolio/order_groups/{group_id}", self.group),
            ("DELETE", "/portfolio/order_groups/{group_id}", self.delete_group),
            ("PUT", "/portfolio/order_groups/{group_id}/reset", self.reset_group),
            ("PUT", "/portfolio/order_groups/{group_id}/trigger", self.trigger_group),
            ("PUT", "/portfolio/order_groups/{group_id}/limit", self.limit_group),
        ]
        if self._has_cancel_all:
            table.insert(0, ("DELETE", ORDERS, self.cancel_all))
        return [web.route(method, f"{wire.REST_PREFIX}{path}", handler) for method, path, handler in table]

    # Orders.

    async def create(self, request: web.Request) -> web.Response:
        """Place an order."""
        asked = order_request(await body(request, wire.CreateOrderRequest))
        try:
            result = self._exchange.create_order(request[ACCOUNT], asked)
        finally:
            # A killed order uses its client order id up, so a refusal too may have something to keep.
            self._commit()
        return reply(encode_rest.placed(result), 201)

    async def batch_create(self, request: web.Request) -> web.Response:
        """Place several orders; each has its own outcome."""
        asked = await body(request, wire.BatchCreateRequest)
        _check_batch(len(asked.orders))
        items = []
        for each in asked.orders:
            try:
                result = self._exchange.create_order(request[ACCOUNT], order_request(each))
            except Refusal as refusal:
                items.append(_refused_item(each.client_order_id, refusal))
            else:
                items.append(_created_item(result))
        self._commit()
        return reply(wire.BatchCreateReply(orders=items), 201)

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel one order; without ``market_ticker`` only shard 0 is looked at (docs/kalshi-api.md, section 6)."""
        result = self._exchange.cancel_order(
            request[ACCOUNT],
            request.match_info["order_id"],
            text(request, "market_ticker"),
            number(request, "exchange_index"),
        )
        self._commit()
        return reply(_cancelled(result))

    async def batch_cancel(self, request: web.Request) -> web.Response:
        """Cancel several orders; each has its own outcome."""
        asked = await body(request, wire.BatchCancelRequest)
        _check_batch(len(asked.orders))
        items = []
        for each in asked.orders:
            ticker, shard = each.market_ticker, each.exchange_index
            try:
                result = self._exchange.cancel_order(
                    request[ACCOUNT], each.order_id, ticker or "", None if shard is UNSET else shard
                )
            except Refusal as refusal:
                items.append(wire.BatchCancelItem(order_id=each.order_id, error=_error(refusal)))
            else:
                done = _cancelled(result)
                items.append(
                    wire.BatchCancelItem(
                        order_id=result.order_id,
                        client_order_id=done.client_order_id,
                        reduced_by=format_count(result.reduced_by),
                        ts_ms=result.ts_ms,
                    )
                )
        self._commit()
        return reply(wire.BatchCancelReply(orders=items))

    async def cancel_all(self, request: web.Request) -> web.Response:
        """Cancel every resting order, on one shard or all."""
        self._exchange.cancel_all(request[ACCOUNT], number(request, "exchange_index"))
        self._commit()
        return web.Response(status=204)

    async def amend(self, request: web.Request) -> web.Response:
        """Change a resting order's price and count."""
        asked = await body(request, wire.AmendOrderRequest)
        wanted = AmendRequest(
            ticker=asked.ticker,
            side=_word(BookSide, asked.side, "side"),
            price=_price(asked.price),
            count=_count(asked.count, "count"),
            client_order_id=asked.client_order_id or "",
            updated_client_order_id=asked.updated_client_order_id or "",
            exchange_index=None if asked.exchange_index is UNSET else asked.exchange_index,
        )
        result = self._exchange.amend_order(request[ACCOUNT], request.match_info["order_id"], wanted)
        self._commit()
        done = encode_rest.placed(result)
        return reply(
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
        asked = await body(request, wire.DecreaseOrderRequest)
        result = self._exchange.decrease_order(
            request[ACCOUNT],
            request.match_info["order_id"],
            reduce_by=None if asked.reduce_by is UNSET else _count(asked.reduce_by, "reduce_by"),
            reduce_to=None if asked.reduce_to is UNSET else _count(asked.reduce_to, "reduce_to"),
            ticker=asked.market_ticker or text(request, "market_ticker"),
            exchange_index=number(request, "exchange_index") if asked.exchange_index is UNSET else asked.exchange_index,
        )
        self._commit()
        return reply(
            wire.DecreaseOrderReply(
                order_id=result.order_id,
                client_order_id=result.client_order_id or UNSET,
                remaining_count=format_count(result.remaining),
                ts_ms=result.ts_ms,
            )
        )

    async def orders(self, request: web.Request) -> web.Response:
        """List orders, newest first."""
        status = text(request, "status")
        listed = self.reads.orders(
            request[ACCOUNT],
            ticker=text(request, "ticker"),
            event_tickers=texts(request, "event_ticker"),
            status=_word(OrderStatus, status, "status") if status else None,
            min_ms=seconds(request, "min_ts"),
            max_ms=seconds(request, "max_ts"),
            exchange_index=number(request, "exchange_index"),
        )
        cutoff_ms = self._cutoff_ms()
        live = (each for each in listed if not _archived(each, cutoff_ms))
        found, cursor = page(request, live, lambda each: each.order_id)
        return reply(wire.OrdersReply(orders=[encode_rest.order(each) for each in found], cursor=cursor))

    async def archived_orders(self, request: web.Request) -> web.Response:
        """List the orders that ended before the cut-off, newest first."""
        listed = self.reads.orders(
            request[ACCOUNT],
            ticker=text(request, "ticker"),
            min_ms=seconds(request, "min_ts"),
            max_ms=seconds(request, "max_ts"),
        )
        cutoff_ms = self._cutoff_ms()
        old = (each for each in listed if _archived(each, cutoff_ms))
        found, cursor = page(request, old, lambda each: each.order_id)
        return reply(wire.OrdersReply(orders=[encode_rest.order(each) for each in found], cursor=cursor))

    async def order(self, request: web.Request) -> web.Response:
        """Give one order."""
        found = self.reads.order(request[ACCOUNT], request.match_info["order_id"])
        if _archived(found, self._cutoff_ms()):
            raise not_found("order not found")
        return reply(wire.OrderReply(order=encode_rest.order(found)))

    async def queue_position(self, request: web.Request) -> web.Response:
        """Say what stands before an order."""
        found = self._exchange.queue_position(request[ACCOUNT], request.match_info["order_id"])
        return reply(wire.QueuePositionReply(queue_position_fp=format_count(found.ahead)))

    async def queue_positions(self, request: web.Request) -> web.Response:
        """Say what stands before each resting order."""
        found = self._exchange.queue_positions(
            request[ACCOUNT], tickers=texts(request, "market_tickers"), event_ticker=text(request, "event_ticker")
        )
        positions = [
            wire.QueuePosition(
                order_id=each.order_id, market_ticker=each.ticker, queue_position_fp=format_count(each.ahead)
            )
            for each in found
        ]
        return reply(wire.QueuePositionsReply(queue_positions=positions))

    # The account.

    async def user_data_timestamp(self, request: web.Request) -> web.Response:
        """Say up to when the portfolio reads are true: they do not lag here unless asked to."""
        del request
        as_of = self.reads.as_of_ms if isinstance(self.reads, LaggingReads) else self._clock_ms()
        return reply(wire.UserDataTimestampReply(as_of_time=encode_rest.time_text(as_of)))

    async def balance(self, request: web.Request) -> web.Response:
        """Give the account's money, on one shard or all."""
        shard = number(request, "exchange_index")
        money = self._exchange.balance(request[ACCOUNT])
        if shard is not None and shard not in money.available:
            raise BadRequestError("no such exchange_index")
        return reply(encode_rest.balance(money, shard))

    async def positions(self, request: web.Request) -> web.Response:
        """List holdings by market and by event."""
        held = self.reads.positions(
            request[ACCOUNT],
            ticker=text(request, "ticker"),
            event_ticker=text(request, "event_ticker"),
            exchange_index=number(request, "exchange_index"),
        )
        wanted = [each for each in held if _nonzero(each, texts(request, "count_filter"))]
        found, cursor = page(request, wanted, lambda each: each.ticker)
        return reply(
            wire.PositionsReply(
                cursor=cursor,
                market_positions=[encode_rest.position(each) for each in found],
                event_positions=encode_rest.event_positions(found),
            )
        )

    async def fills(self, request: web.Request) -> web.Response:
        """List executions, newest first."""
        found, cursor = page(
            request,
            self.reads.fills(
                request[ACCOUNT],
                ticker=text(request, "ticker"),
                order_id=text(request, "order_id"),
                min_ms=seconds(request, "min_ts"),
                max_ms=seconds(request, "max_ts"),
                exchange_index=number(request, "exchange_index"),
            ),
            lambda each: f"{each.trade_id} {each.order_id}",
        )
        return reply(wire.FillsReply(fills=[encode_rest.fill(each) for each in found], cursor=cursor))

    async def settlements(self, request: web.Request) -> web.Response:
        """List what settled markets have paid, newest first."""
        found, cursor = page(
            request,
            self._exchange.settlements(
                request[ACCOUNT],
                ticker=text(request, "ticker"),
                event_ticker=text(request, "event_ticker"),
                min_ms=seconds(request, "min_ts"),
                max_ms=seconds(request, "max_ts"),
            ),
            lambda each: each.ticker,
        )
        return reply(wire.SettlementsReply(settlements=[encode_rest.settlement(each) for each in found], cursor=cursor))

    async def transfer(self, request: web.Request) -> web.Response:
        """Move cash from one shard to another; the amount is in 1/10,000 dollar."""
        asked = await body(request, TransferRequest)
        if {asked.source, asked.destination} - {"event_contract"}:
            raise BadRequestError("source and destination must be event_contract")
        source, target = asked.source_exchange_shard, asked.destination_exchange_shard
        self._exchange.transfer(request[ACCOUNT], source, target, asked.amount * COUNT_UNIT)
        self._commit()
        return reply({"transfer_id": self._exchange.new_id()})

    async def resting_value(self, request: web.Request) -> web.Response:
        """Give what all resting orders would cost: in cents, and in dollars for each shard."""
        value = self._exchange.resting_value(request[ACCOUNT])
        return reply(
            {
                "total_resting_order_value": sum(value.values()) // encode_rest.CENT,
                "resting_order_value_breakdown": encode_rest.by_shard(value),
            }
        )

    # Order groups.

    async def create_group(self, request: web.Request) -> web.Response:
        """Make an order group."""
        asked = await body(request, wire.CreateOrderGroupRequest)
        shard = 0 if asked.exchange_index is UNSET else asked.exchange_index
        made = self._exchange.create_group(
            request[ACCOUNT], _limit(asked.contracts_limit, asked.contracts_limit_fp), shard
        )
        self._commit()
        return reply(wire.CreateOrderGroupReply(order_group_id=made.group_id, exchange_index=made.exchange_index), 201)

    async def groups(self, request: web.Request) -> web.Response:
        """List order groups."""
        found = [encode_rest.group(each) for each in self._exchange.order_groups(request[ACCOUNT])]
        return reply(wire.OrderGroupsReply(order_groups=found))

    async def group(self, request: web.Request) -> web.Response:
        """Give one order group with the ids of its orders."""
        found = self._exchange.order_group(request[ACCOUNT], request.match_info["group_id"])
        return reply(
            wire.OrderGroupReply(
                is_auto_cancel_enabled=not found.triggered,
                contracts_limit_fp=format_count(found.limit),
                orders=list(found.order_ids),
                exchange_index=found.exchange_index,
            )
        )

    async def delete_group(self, request: web.Request) -> web.Response:
        """Delete a group; its orders are cancelled."""
        return self._on_group(self._exchange.delete_group, request)

    async def reset_group(self, request: web.Request) -> web.Response:
        """Open a triggered group again."""
        return self._on_group(self._exchange.reset_group, request)

    async def trigger_group(self, request: web.Request) -> web.Response:
        """Cancel a group's orders and close it."""
        return self._on_group(self._exchange.trigger_group, request)

    async def limit_group(self, request: web.Request) -> web.Response:
        """Set a group's limit."""
        asked = await body(request, wire.OrderGroupLimitRequest)
        limit = _limit(asked.contracts_limit, asked.contracts_limit_fp)
        self._exchange.limit_group(request[ACCOUNT], request.match_info["group_id"], limit)
        self._commit()
        return reply({})

    def _on_group(self, act: Callable[[str, str], None], request: web.Request) -> web.Response:
        act(request[ACCOUNT], request.match_info["group_id"])
        self._commit()
        return reply({})


def order_request(asked: wire.CreateOrderRequest) -> OrderRequest:
    """Read a new order. Raises Refusal for what is missing or makes no sense (docs/kalshi-api.md, section 10)."""
    if not asked.ticker:
        raise Refusal(400, "missing_parameters", "missing parameters", "ticker is required")
    if not asked.side or not asked.count or not asked.price:
        raise invalid_order("side, count and price are required")
    if not asked.time_in_force or not asked.self_trade_prevention_type:
        raise invalid_order("time_in_force and self_trade_prevention_type are required")
    expires = asked.expiration_time
    return OrderRequest(
        ticker=asked.ticker,
        side=_word(BookSide, asked.side, "side"),
        count=_count(asked.count, "count"),
        price=_price(asked.price),
        tif=_word(TimeInForce, asked.time_in_force, "time_in_force"),
        self_trade=_word(SelfTrade, asked.self_trade_prevention_type, "self_trade_prevention_type"),
        client_order_id=asked.client_order_id or "",
        post_only=asked.post_only is True,
        reduce_only=asked.reduce_only is True,
        expires_ms=expires * 1_000 if isinstance(expires, int) else None,
        cancel_on_pause=asked.cancel_order_on_pause is True,
        group_id=asked.order_group_id or "",
        subaccount=asked.subaccount or 0,
        exchange_index=None if asked.exchange_index is UNSET else asked.exchange_index,
    )


def _word(kind: Callable[[str], Any], word: str, name: str) -> Any:
    try:
        return kind(word)
    except ValueError:
        raise invalid_order(f"{name} cannot be {word[:32]!r}") from None


def _count(value: str, name: str) -> Count:
    try:
        return parse_count(value)
    except NumberError:
        raise invalid_order(f"{name} must be a count of at most two decimals") from None


def _price(value: str) -> int:
    try:
        return parse_price(value)
    except NumberError:
        raise invalid_order("price must be dollars between 0 and 1, of at most four decimals") from None


def _limit(whole: Any, exact: Any) -> Count:
    """Read a group's limit: whole contracts, or a count. Raises BadRequestError without exactly one that is right."""
    if isinstance(exact, str):
        return _count(exact, "contracts_limit_fp")
    if isinstance(whole, int):
        return whole * COUNT_UNIT
    raise BadRequestError("contracts_limit or contracts_limit_fp is required")


def _check_batch(size: int) -> None:
    if not 1 <= size <= BATCH_AT_MOST:
        raise BadRequestError(f"a batch holds 1 to {BATCH_AT_MOST} orders")


def _error(refusal: Refusal) -> wire.ErrorDetail:
    return wire.ErrorDetail(code=refusal.code, message=refusal.message, details=refusal.details or UNSET)


def _created_item(result: PlaceResult) -> wire.BatchCreateItem:
    done = encode_rest.placed(result)
    return wire.BatchCreateItem(
        order_id=done.order_id,
        client_order_id=done.client_order_id,
        fill_count=done.fill_count,
        remaining_count=done.remaining_count,
        average_fill_price=done.average_fill_price,
        average_fee_paid=done.average_fee_paid,
        ts_ms=done.ts_ms,
    )


def _refused_item(client_order_id: str | UnsetType, refusal: Refusal) -> wire.BatchCreateItem:
    return wire.BatchCreateItem(
        client_order_id=client_order_id,
        fill_count=UNSET,
        remaining_count=UNSET,
        average_fill_price=UNSET,
        average_fee_paid=UNSET,
        ts_ms=UNSET,
        error=_error(refusal),
    )


def _cancelled(result: CancelResult) -> wire.CancelOrderReply:
    return wire.CancelOrderReply(
        order_id=result.order_id,
        client_order_id=result.client_order_id or UNSET,
        reduced_by=format_count(result.reduced_by),
        ts_ms=result.ts_ms,
    )


def _archived(order: OrderRecord, cutoff_ms: int) -> bool:
    """Say whether an order has left the live list; one that rests never does."""
    return order.status is not OrderStatus.RESTING and order.updated_ms < cutoff_ms


def _nonzero(position: PositionRecord, filters: list[str]) -> bool:
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
