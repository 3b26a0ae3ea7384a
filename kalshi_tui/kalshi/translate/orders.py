"""Translate orders, and the replies to commands about orders (docs/kalshi-api.md, section 6)."""

from typing import Final

from kalshi_tui.domain.order import BookSide, Order, OrderState
from kalshi_tui.domain.price import Money, NumberError, parse_money
from kalshi_tui.domain.update_reason import UpdateReason, describe_end, names_an_end
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.replies import AmendAck, BatchCancelResult, CancelAck, OrderAck
from kalshi_tui.kalshi.translate.cleaning import MAX_ID_LENGTH, TranslationError, clean, parse_id, text_or_empty
from kalshi_tui.kalshi.translate.numbers import (
    NumberText,
    count_or_zero,
    int_or_zero,
    parse_count_field,
    parse_money_field,
    parse_price_field,
    parse_time_ms,
)

_ORDER_STATES: Final = {
    "resting": OrderState.RESTING,
    "canceled": OrderState.CANCELED,
    "executed": OrderState.FILLED,
}
_STATE_NOT_KNOWN: Final = "unknown"
MAX_REASON_WORD: Final = 60
"""Characters kept of the exchange's word for an order's last change."""


def parse_book_side(word: str) -> BookSide:
    """Read the side of an order. Raises TranslationError."""
    try:
        return BookSide(word)
    except ValueError:
        raise TranslationError(f"An order's book_side is {clean(word, 40)!r}.") from None


def _parse_order_state(word: str) -> tuple[OrderState, str]:
    """Read an order's status, with a reason: a word that is not known is UNKNOWN, never a guess."""
    state = _ORDER_STATES.get(word)
    if state is not None:
        return state, ""
    if word == _STATE_NOT_KNOWN:
        return OrderState.UNKNOWN, "The exchange says that it does not know this order's state."
    return OrderState.UNKNOWN, f"The exchange calls this order's state {clean(word, 40)!r}."


def order(source: wire.Order) -> Order:
    """Translate an order from REST (docs/kalshi-api.md, section 6). Raises TranslationError."""
    times = (
        parse_time_ms(source.created_time),
        parse_time_ms(source.last_update_time),
        parse_time_ms(source.expiration_time),
    )
    return _order(source, *times, "")


def user_order(source: wire.UserOrderMsg) -> Order:
    """Translate an order from the stream; older deployments send its times as text only. Raises TranslationError."""
    return _order(
        source,
        int_or_zero(source.created_ts_ms) or parse_time_ms(source.created_time),
        int_or_zero(source.last_updated_ts_ms) or parse_time_ms(source.last_update_time),
        int_or_zero(source.expiration_ts_ms) or parse_time_ms(source.expiration_time),
        clean(source.last_update_reason, MAX_REASON_WORD),
    )


def _order(
    source: wire.Order | wire.UserOrderMsg, created_ms: int, updated_ms: int, expires_ms: int, update_reason: str
) -> Order:
    state, reason = _parse_order_state(source.status)
    if state is OrderState.CANCELED:
        # The exchange has one status for both. Where it does not say why, the times have to: without them an expired
        # order would look as if somebody had canceled it.
        if names_an_end(update_reason):
            reason = describe_end(update_reason)
            state = OrderState.EXPIRED if update_reason == UpdateReason.EXPIRY.value else state
        elif 0 < expires_ms <= updated_ms:
            state = OrderState.EXPIRED
    taker_cost = parse_money_field(source.taker_fill_cost_dollars, "taker_fill_cost")
    maker_cost = parse_money_field(source.maker_fill_cost_dollars, "maker_fill_cost")
    taker_fees = parse_money_field(source.taker_fees_dollars, "taker_fees")
    maker_fees = parse_money_field(source.maker_fees_dollars, "maker_fees")
    return Order(
        order_id=parse_id(source.order_id, "order id"),
        client_order_id=clean(source.client_order_id, MAX_ID_LENGTH),
        ticker=parse_id(source.ticker, "market ticker"),
        book_side=parse_book_side(source.book_side),
        yes_price=parse_price_field(source.yes_price_dollars, "yes_price"),
        initial=parse_count_field(source.initial_count_fp, "initial_count"),
        filled=parse_count_field(source.fill_count_fp, "fill_count"),
        remaining=parse_count_field(source.remaining_count_fp, "remaining_count"),
        state=state,
        reason=reason,
        update_reason=update_reason,
        fill_cost=taker_cost + maker_cost,
        fees=taker_fees + maker_fees,
        created_ms=created_ms,
        updated_ms=updated_ms,
        expires_ms=expires_ms,
        subaccount=int_or_zero(source.subaccount_number),
    )


def order_ack(source: wire.CreateOrderReply) -> OrderAck:
    """Translate the reply to a new order. Raises TranslationError; the order's outcome is then unknown."""
    return OrderAck(
        order_id=parse_id(source.order_id, "order id"),
        client_order_id=clean(source.client_order_id, MAX_ID_LENGTH),
        filled=parse_count_field(source.fill_count, "fill_count"),
        remaining=parse_count_field(source.remaining_count, "remaining_count"),
        average_fill_price=_average_or_none(source.average_fill_price),
        average_fee=_average_or_none(source.average_fee_paid),
        ts_ms=int_or_zero(source.ts_ms),
    )


def cancel_ack(source: wire.CancelOrderReply) -> CancelAck:
    """Translate the reply to a cancel. Raises TranslationError; the cancel's outcome is then unknown."""
    return CancelAck(
        order_id=parse_id(source.order_id, "order id"),
        client_order_id=clean(source.client_order_id, MAX_ID_LENGTH),
        reduced_by=parse_count_field(source.reduced_by, "reduced_by"),
        ts_ms=int_or_zero(source.ts_ms),
    )


def amend_ack(source: wire.AmendOrderReply | wire.DecreaseOrderReply) -> AmendAck:
    """Translate the reply to an amendment or a decrease. Raises TranslationError; its outcome is then unknown."""
    amended = source if isinstance(source, wire.AmendOrderReply) else None
    fills = amended.fill_count if amended is not None else None
    return AmendAck(
        order_id=parse_id(source.order_id, "order id"),
        client_order_id=clean(source.client_order_id, MAX_ID_LENGTH),
        filled=parse_count_field(fills, "fill_count") if fills else None,
        remaining=parse_count_field(source.remaining_count, "remaining_count") if source.remaining_count else None,
        average_fill_price=_average_or_none(amended.average_fill_price) if amended is not None else None,
        ts_ms=int_or_zero(source.ts_ms),
    )


def batch_item(source: wire.BatchCancelItem) -> BatchCancelResult:
    """Translate one cancel's outcome in a batch. Raises TranslationError."""
    error = source.error
    if isinstance(error, wire.ErrorDetail):
        reason = error.message or text_or_empty(error.details) or error.code
        return BatchCancelResult(
            parse_id(source.order_id, "order id"), refusal=clean(reason) or "The exchange rejected it."
        )
    return BatchCancelResult(
        parse_id(source.order_id, "order id"), reduced_by=count_or_zero(source.reduced_by, "reduced_by")
    )


def _average_or_none(text: NumberText) -> Money | None:
    """Read an average, None where it is absent or cannot be read: it is only shown, so it must not cost the reply."""
    try:
        return parse_money(text) if isinstance(text, str) and text else None
    except NumberError:
        return None
