"""Reading what a client asks for: orders, amends and their fields. Raises the rejections of the exchange."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from kalshi_tui.domain.order import BookSide, SelfTrade, TimeInForce
from kalshi_tui.domain.price import COUNT_UNIT, Count, NumberError, parse_count, parse_price
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.records import (
    AmendRequest,
    OrderRequest,
)
from kalshi_tui.practice.engine.rejection import Rejection, invalid_order
from kalshi_tui.practice.server.http import (
    BadRequestError,
)


def parse_order_request(asked: wire.CreateOrderRequest) -> OrderRequest:
    """Read a new order. Raises Rejection for what is missing or makes no sense (docs/kalshi-api.md, section 10)."""
    if not asked.ticker:
        raise Rejection(400, "missing_parameters", "missing parameters", "ticker is required")
    if not asked.side or not asked.count or not asked.price:
        raise invalid_order("side, count and price are required")
    if not asked.time_in_force or not asked.self_trade_prevention_type:
        raise invalid_order("time_in_force and self_trade_prevention_type are required")
    expires = asked.expiration_time
    return OrderRequest(
        ticker=asked.ticker,
        side=parse_enum(BookSide, asked.side, "side"),
        count=parse_count_field(asked.count, "count"),
        price=parse_price_field(asked.price),
        tif=parse_enum(TimeInForce, asked.time_in_force, "time_in_force"),
        self_trade=parse_enum(SelfTrade, asked.self_trade_prevention_type, "self_trade_prevention_type"),
        client_order_id=asked.client_order_id or "",
        post_only=asked.post_only is True,
        reduce_only=asked.reduce_only is True,
        expires_ms=expires * 1_000 if isinstance(expires, int) else None,
        cancel_on_pause=asked.cancel_order_on_pause is True,
        group_id=asked.order_group_id or "",
        subaccount=None if asked.subaccount is UNSET else asked.subaccount,
        exchange_index=None if asked.exchange_index is UNSET else asked.exchange_index,
    )


def parse_amend_request(asked: wire.AmendOrderRequest) -> AmendRequest:
    """Read a change of an order. Raises Rejection for what makes no sense."""
    return AmendRequest(
        ticker=asked.ticker,
        side=parse_enum(BookSide, asked.side, "side"),
        price=parse_price_field(asked.price),
        count=parse_count_field(asked.count, "count"),
        client_order_id=asked.client_order_id or "",
        updated_client_order_id=asked.updated_client_order_id or "",
        exchange_index=None if asked.exchange_index is UNSET else asked.exchange_index,
        expires_ms=asked.expiration_time * 1_000 if isinstance(asked.expiration_time, int) else None,
    )


def parse_enum(kind: Callable[[str], Any], word: str, name: str) -> Any:
    """Read a word of an enum. Raises Rejection for another word."""
    try:
        return kind(word)
    except ValueError:
        raise invalid_order(f"{name} cannot be {word[:32]!r}") from None


def parse_count_field(value: str, name: str) -> Count:
    """Read a count. Raises Rejection for what is none."""
    try:
        return parse_count(value)
    except NumberError:
        raise invalid_order(f"{name} must be a count of at most two decimals") from None


def parse_price_field(value: str) -> int:
    """Read a price. Raises Rejection for what is none."""
    try:
        return parse_price(value)
    except NumberError:
        raise invalid_order("price must be dollars between 0 and 1, of at most four decimals") from None


def parse_group_limit(contracts: Any, contracts_fp: Any) -> Count:
    """Read a group's limit: whole contracts, or a count. Raises BadRequestError without exactly one that is right."""
    if isinstance(contracts_fp, str):
        return parse_count_field(contracts_fp, "contracts_limit_fp")
    if isinstance(contracts, int):
        return contracts * COUNT_UNIT
    raise BadRequestError("contracts_limit or contracts_limit_fp is required")
