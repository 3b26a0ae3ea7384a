"""Order entry over REST, signed: create, cancel, amend, decrease, batches (docs/kalshi-api.md, section 6)."""

from collections.abc import Callable
from typing import Final

from aiohttp import web
from msgspec import UNSET, UnsetType

from kalshi_tui.domain.price import format_count
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.records import (
    CancelResult,
    OrderRequest,
    PlaceResult,
)
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.http import (
    BadRequestError,
    int_param,
    json_reply,
    read_body,
    text_param,
)
from kalshi_tui.practice.server.order_requests import (
    parse_amend_request,
    parse_count_field,
    parse_order_request,
)
from kalshi_tui.practice.server.subaccount_params import account_for_write, accounts_for_write

ORDERS_PATH: Final = "/portfolio/events/orders"


class OrderApi:
    """Carries out what an account asks for its orders. ``commit`` makes it durable and tells the streams of it."""

    def __init__(self, exchange: Exchange, commit: Callable[[], None], *, has_cancel_all: bool = True) -> None:
        self._exchange = exchange
        self._commit = commit
        self._has_cancel_all = has_cancel_all

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix; the fixed ones come before those with a name in them."""
        table = [
            ("POST", f"{ORDERS_PATH}/batched", self.batch_create),
            ("DELETE", f"{ORDERS_PATH}/batched", self.batch_cancel),
            ("POST", ORDERS_PATH, self.create),
            ("DELETE", f"{ORDERS_PATH}/{{order_id}}", self.cancel),
            ("POST", f"{ORDERS_PATH}/{{order_id}}/amend", self.amend),
            ("POST", f"{ORDERS_PATH}/{{order_id}}/decrease", self.decrease),
        ]
        if self._has_cancel_all:
            table.insert(0, ("DELETE", ORDERS_PATH, self.cancel_all))
        return [web.route(method, f"{wire.REST_PREFIX}{path}", handler) for method, path, handler in table]

    async def create(self, request: web.Request) -> web.Response:
        """Place an order."""
        asked = parse_order_request(await read_body(request, wire.CreateOrderRequest))
        try:
            result = self._create(request, asked)
        finally:
            # A killed order uses its client order id up, so a rejection too may leave something to write.
            self._commit()
        return json_reply(encode_rest.create_order_reply(result), 201)

    def _create(self, request: web.Request, asked: OrderRequest) -> PlaceResult:
        account_id = account_for_write(request, self._exchange, asked.subaccount)
        return self._exchange.order_entry.create(account_id, asked)

    async def batch_create(self, request: web.Request) -> web.Response:
        """Place several orders; each has its own outcome."""
        asked = await read_body(request, wire.BatchCreateRequest)
        _check_batch(request, len(asked.orders))
        items = []
        for each in asked.orders:
            try:
                result = self._create(request, parse_order_request(each))
            except Rejection as rejection:
                items.append(_rejected_item(each.client_order_id, rejection))
            else:
                items.append(_created_item(result))
        self._commit()
        return json_reply(wire.BatchCreateReply(orders=items), 201)

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel one order; without ``market_ticker`` only shard 0 is looked at (docs/kalshi-api.md, section 6)."""
        result = self._exchange.order_entry.cancel(
            account_for_write(request, self._exchange),
            request.match_info["order_id"],
            text_param(request, "market_ticker"),
            int_param(request, "exchange_index"),
        )
        self._commit()
        return json_reply(_cancel_reply(result))

    async def batch_cancel(self, request: web.Request) -> web.Response:
        """Cancel several orders; each has its own outcome."""
        asked = await read_body(request, wire.BatchCancelRequest)
        _check_batch(request, len(asked.orders))
        items = []
        for each in asked.orders:
            ticker, shard = each.market_ticker, each.exchange_index
            try:
                account_id = account_for_write(request, self._exchange, each.subaccount)
                result = self._exchange.order_entry.cancel(
                    account_id, each.order_id, ticker or "", None if shard is UNSET else shard
                )
            except Rejection as rejection:
                items.append(
                    wire.BatchCancelItem(
                        order_id=each.order_id, client_order_id=None, ts_ms=None, error=_error_detail(rejection)
                    )
                )
            else:
                done = _cancel_reply(result)
                items.append(
                    wire.BatchCancelItem(
                        order_id=result.order_id,
                        client_order_id=done.client_order_id or None,
                        reduced_by=format_count(result.reduced_by),
                        ts_ms=result.ts_ms,
                        error=None,
                    )
                )
        self._commit()
        return json_reply(wire.BatchCancelReply(orders=items))

    async def cancel_all(self, request: web.Request) -> web.Response:
        """Cancel every resting order, in one subaccount or all, on one shard or all."""
        shard = int_param(request, "exchange_index")
        for account_id in accounts_for_write(request, self._exchange):
            self._exchange.order_entry.cancel_all(account_id, shard)
        self._commit()
        return web.Response(status=204)

    async def amend(self, request: web.Request) -> web.Response:
        """Change a resting order's price and count."""
        asked = await read_body(request, wire.AmendOrderRequest)
        wanted = parse_amend_request(asked)
        account_id = account_for_write(request, self._exchange)
        result = self._exchange.order_entry.amend(account_id, request.match_info["order_id"], wanted)
        self._commit()
        done = encode_rest.create_order_reply(result)
        return json_reply(
            wire.AmendOrderReply(
                order_id=done.order_id,
                client_order_id=done.client_order_id,
                # Null, not absent, where nothing changed (docs/kalshi-api.md, section 24); the same in batches below.
                remaining_count=done.remaining_count if result.changed else None,
                fill_count=done.fill_count if result.changed else None,
                average_fill_price=done.average_fill_price or None,
                average_fee_paid=done.average_fee_paid or None,
                ts_ms=done.ts_ms,
            )
        )

    async def decrease(self, request: web.Request) -> web.Response:
        """Make a resting order smaller."""
        asked = await read_body(request, wire.DecreaseOrderRequest)
        result = self._exchange.order_entry.decrease(
            account_for_write(request, self._exchange),
            request.match_info["order_id"],
            reduce_by=None if asked.reduce_by is UNSET else parse_count_field(asked.reduce_by, "reduce_by"),
            reduce_to=None if asked.reduce_to is UNSET else parse_count_field(asked.reduce_to, "reduce_to"),
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


def _check_batch(request: web.Request, size: int) -> None:
    """Raise BadRequestError for what fails a batch as a whole, before any of its items is carried out."""
    if not size:
        raise BadRequestError("a batch holds at least one order")
    int_param(request, "subaccount")


def _error_detail(rejection: Rejection) -> wire.ErrorDetail:
    return wire.ErrorDetail(code=rejection.code, message=rejection.message, details=rejection.details or UNSET)


def _created_item(result: PlaceResult) -> wire.BatchCreateItem:
    done = encode_rest.create_order_reply(result)
    return wire.BatchCreateItem(
        order_id=done.order_id,
        client_order_id=done.client_order_id or None,
        fill_count=done.fill_count,
        remaining_count=done.remaining_count,
        average_fill_price=done.average_fill_price or None,
        average_fee_paid=done.average_fee_paid or None,
        ts_ms=done.ts_ms,
        error=None,
    )


def _rejected_item(client_order_id: str | UnsetType, rejection: Rejection) -> wire.BatchCreateItem:
    # There is no order: its id alone is absent, not null.
    return wire.BatchCreateItem(client_order_id=client_order_id or None, error=_error_detail(rejection))


def _cancel_reply(result: CancelResult) -> wire.CancelOrderReply:
    return wire.CancelOrderReply(
        order_id=result.order_id,
        client_order_id=result.client_order_id or UNSET,
        reduced_by=format_count(result.reduced_by),
        ts_ms=result.ts_ms,
    )
