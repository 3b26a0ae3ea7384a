"""Translate fills, positions, balances and settlements (docs/kalshi-api.md, section 7)."""

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.order import Fill
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.replies import ShardTransfer, SubaccountBalance, SubaccountTransfer, TargetAllocation
from kalshi_tui.kalshi.translate.cleaning import MAX_ID_LENGTH, clean, parse_id
from kalshi_tui.kalshi.translate.numbers import (
    PRICE_PER_CENT,
    int_or_zero,
    parse_count_field,
    parse_money_field,
    parse_price_field,
    parse_signed_count_field,
    parse_time_ms,
)
from kalshi_tui.kalshi.translate.orders import parse_book_side
from kalshi_tui.kalshi.wire.times import MS_PER_SECOND


def fill(source: wire.FillMsg) -> Fill:
    """Translate a fill from the stream. Raises TranslationError."""
    return Fill(
        trade_id=parse_id(source.trade_id, "trade id"),
        order_id=parse_id(source.order_id, "order id"),
        client_order_id=clean(source.client_order_id, MAX_ID_LENGTH),
        ticker=parse_id(source.market_ticker, "market ticker"),
        book_side=parse_book_side(source.book_side),
        yes_price=parse_price_field(source.yes_price_dollars, "yes_price"),
        count=parse_count_field(source.count_fp, "count"),
        fee=parse_money_field(source.fee_cost, "fee_cost"),
        is_taker=source.is_taker,
        ts_ms=source.ts_ms,
        post_position=parse_signed_count_field(source.post_position_fp, "post_position")
        if source.post_position_fp
        else None,
        subaccount=int_or_zero(source.subaccount),
    )


def rest_fill(source: wire.Fill) -> Fill:
    """Translate a fill from REST, which has no client order id and no position after it. Raises TranslationError."""
    return Fill(
        trade_id=parse_id(source.trade_id, "trade id"),
        order_id=parse_id(source.order_id, "order id"),
        client_order_id="",
        ticker=parse_id(source.ticker or source.market_ticker, "market ticker"),
        book_side=parse_book_side(source.book_side),
        yes_price=parse_price_field(source.yes_price_dollars, "yes_price"),
        count=parse_count_field(source.count_fp, "count"),
        fee=parse_money_field(source.fee_cost, "fee_cost"),
        is_taker=source.is_taker,
        ts_ms=parse_time_ms(source.created_time) or int_or_zero(source.ts) * MS_PER_SECOND,
        subaccount=int_or_zero(source.subaccount_number),
    )


def position(source: wire.MarketPosition, subaccount: int = 0, *, is_settled: bool = False) -> Position:
    """Translate a position from REST, which says neither of which subaccount it is nor whether it is settled.

    The request did.

    docs/kalshi-api.md, section 7. Raises TranslationError.
    """
    return Position(
        ticker=parse_id(source.ticker, "market ticker"),
        count=parse_signed_count_field(source.position_fp, "position"),
        cost=parse_money_field(source.market_exposure_dollars, "market_exposure"),
        realized_pnl=parse_money_field(source.realized_pnl_dollars, "realized_pnl"),
        fees_paid=parse_money_field(source.fees_paid_dollars, "fees_paid"),
        total_traded=parse_money_field(source.total_traded_dollars, "total_traded"),
        subaccount=subaccount,
        is_settled=is_settled,
    )


def market_position(source: wire.MarketPositionMsg) -> Position:
    """Translate a position from the stream, which does not say the total traded. Raises TranslationError."""
    return Position(
        ticker=parse_id(source.market_ticker, "market ticker"),
        count=parse_signed_count_field(source.position_fp, "position"),
        cost=parse_money_field(source.position_cost_dollars, "position_cost"),
        realized_pnl=parse_money_field(source.realized_pnl_dollars, "realized_pnl"),
        fees_paid=parse_money_field(source.fees_paid_dollars, "fees_paid"),
        total_traded=None,
        subaccount=int_or_zero(source.subaccount),
    )


def balance(source: wire.BalanceReply, subaccount: int = 0) -> Balance:
    """Translate the balance, by its dollars if they are there: the cents beside them are rounded.

    Raises TranslationError.
    """
    shards = source.balance_breakdown or ()
    return Balance(
        cash=parse_money_field(source.balance_dollars, "balance_dollars", source.balance * CENT),
        portfolio_value=source.portfolio_value * CENT,
        by_shard=tuple((each.exchange_index, parse_money_field(each.balance, "balance_breakdown")) for each in shards),
        updated_ms=source.updated_ts * MS_PER_SECOND,
        subaccount=subaccount,
    )


def subaccount_balance(source: wire.SubaccountBalance) -> SubaccountBalance:
    """Translate what can be spent in a subaccount on a shard. Raises TranslationError."""
    return SubaccountBalance(
        number=source.subaccount_number,
        exchange_index=int_or_zero(source.exchange_index),
        cash=parse_money_field(source.balance, "balance"),
    )


def subaccount_transfer(source: wire.SubaccountTransfer) -> SubaccountTransfer:
    """Translate a transfer between subaccounts. Raises TranslationError."""
    return SubaccountTransfer(
        transfer_id=parse_id(source.transfer_id, "transfer id"),
        source=source.from_subaccount,
        target=source.to_subaccount,
        amount=source.amount_cents * CENT,
        exchange_index=int_or_zero(source.exchange_index),
        created_ms=int_or_zero(source.created_ts) * MS_PER_SECOND,
    )


def shard_transfer(source: wire.ShardTransfer) -> ShardTransfer:
    """Translate a transfer between shards. Raises TranslationError."""
    return ShardTransfer(
        transfer_id=parse_id(source.transfer_id, "transfer id"),
        source=source.source_exchange_shard,
        target=source.destination_exchange_shard,
        amount=parse_money_field(source.amount, "amount"),
        status=clean(source.status, MAX_ID_LENGTH),
        created_ms=source.created_ts * MS_PER_SECOND,
    )


def target_allocation(source: wire.TargetAllocationReply) -> TargetAllocation:
    """Translate how the exchange spreads the account's cash."""
    return TargetAllocation(
        percents=tuple((each.exchange_index, each.percent) for each in source.allocations or ()),
        reservation=clean(source.resting_margin_reservation, MAX_ID_LENGTH),
    )


def settlement(source: wire.Settlement, subaccount: int | None = None) -> Settlement:
    """Translate a settlement; its ``revenue`` and ``value`` come in cents. Raises TranslationError."""
    value = source.value
    result = clean(source.market_result, MAX_ID_LENGTH)
    yes_count, no_count = (
        parse_count_field(source.yes_count_fp, "yes_count"),
        parse_count_field(source.no_count_fp, "no_count"),
    )
    return Settlement(
        ticker=parse_id(source.ticker, "market ticker"),
        event_ticker=clean(source.event_ticker, MAX_ID_LENGTH),
        result=result,
        yes_count=yes_count,
        no_count=no_count,
        yes_cost=parse_money_field(source.yes_total_cost_dollars, "yes_total_cost"),
        no_cost=parse_money_field(source.no_total_cost_dollars, "no_total_cost"),
        revenue=source.revenue * CENT,
        fees=parse_money_field(source.fee_cost, "fee_cost"),
        yes_value=value * PRICE_PER_CENT if isinstance(value, int) else None,
        settled_ms=parse_time_ms(source.settled_time),
        subaccount=subaccount,
        is_rounded=_may_be_finer(result, yes_count, no_count, source.revenue * CENT),
    )


def _may_be_finer(result: str, yes_count: Count, no_count: Count, revenue: Money) -> bool:
    """Return whether a payout may be finer than the whole cents in which it is sent."""
    if result not in {"yes", "no"}:
        return True
    # A YES is paid less than a dollar where a settlement floor has paid a part of it before
    # (docs/kalshi-api.md, section 16).
    is_part = 0 < revenue < yes_count * PRICE_UNIT and revenue != (yes_count - no_count) * PRICE_UNIT
    return result == "yes" and is_part
