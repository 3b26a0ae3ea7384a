"""The ``msg`` of every frame of the stream, made from the engine's records. Pure (docs/kalshi-api.md, section 5)."""

from typing import Final

from msgspec import UNSET

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import BookSide
from kalshi_tui.domain.price import COUNT_UNIT, MONEY_UNIT, PRICE_UNIT, format_count, format_money, format_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire.encode_domain import levels, price_ranges, top_fields, trade_fields
from kalshi_tui.kalshi.wire.times import time_text
from kalshi_tui.practice.engine.events import (
    BookChanged,
    GroupChange,
    GroupChanged,
    LifecycleChanged,
    LifecycleType,
)
from kalshi_tui.practice.engine.model import ListedMarket, split_account_id
from kalshi_tui.practice.engine.records import (
    FillRecord,
    OrderRecord,
    PositionRecord,
    TradeRecord,
)
from kalshi_tui.practice.engine.terms import EventDefinition
from kalshi_tui.practice.server import encode_rest

CHANGES_WITH_LIMIT: Final = frozenset({GroupChange.CREATED, GroupChange.LIMIT})
"""News of an order group that says its limit."""


def fill(fill: FillRecord) -> wire.FillMsg:
    """Return an execution of the account's own."""
    listed = encode_rest.fill(fill)
    return wire.FillMsg(
        trade_id=fill.trade_id,
        order_id=fill.order_id,
        client_order_id=fill.client_order_id or UNSET,
        market_ticker=fill.ticker,
        exchange_index=fill.exchange_index,
        is_taker=fill.is_taker,
        side=listed.side,
        action=listed.action,
        purchased_side=listed.side,
        outcome_side=listed.outcome_side,
        book_side=fill.side.value,
        yes_price_dollars=format_price(fill.price),
        count_fp=format_count(fill.count),
        fee_cost=format_money(fill.fee),
        post_position_fp=format_count(fill.post_position),
        subaccount=listed.subaccount_number,
        ts=fill.ts_ms // 1_000,
        ts_ms=fill.ts_ms,
    )


def user_order(order: OrderRecord) -> wire.UserOrderMsg:
    """Write an order of the account's own."""
    listed = encode_rest.order(order)
    return wire.UserOrderMsg(
        order_id=order.order_id,
        user_id=listed.user_id,
        client_order_id=order.client_order_id,
        ticker=order.ticker,
        status=order.status.value,
        side=listed.side,
        is_yes=order.outcome_side is Side.YES,
        outcome_side=order.outcome_side.value,
        book_side=order.side.value,
        yes_price_dollars=listed.yes_price_dollars,
        fill_count_fp=listed.fill_count_fp,
        remaining_count_fp=listed.remaining_count_fp,
        initial_count_fp=listed.initial_count_fp,
        taker_fill_cost_dollars=listed.taker_fill_cost_dollars,
        maker_fill_cost_dollars=listed.maker_fill_cost_dollars,
        taker_fees_dollars=listed.taker_fees_dollars,
        maker_fees_dollars=listed.maker_fees_dollars,
        order_group_id=order.group_id or UNSET,
        self_trade_prevention_type=order.self_trade.value,
        created_time=listed.created_time,
        created_ts_ms=order.created_ms,
        last_update_time=listed.last_update_time,
        last_updated_ts_ms=order.updated_ms,
        expiration_time=listed.expiration_time or UNSET,
        expiration_ts_ms=order.expires_ms or UNSET,
        last_update_reason=order.update_reason or UNSET,
        subaccount_number=listed.subaccount_number,
        exchange_index=order.exchange_index,
    )


def market_position(held: PositionRecord) -> wire.MarketPositionMsg:
    """Return what the account holds of a market."""
    return wire.MarketPositionMsg(
        user_id=split_account_id(held.account_id)[0],
        market_ticker=held.ticker,
        position_fp=format_count(held.count),
        position_cost_dollars=format_money(held.exposure),
        realized_pnl_dollars=format_money(held.realized_pnl),
        fees_paid_dollars=format_money(held.fees_paid),
        position_fee_cost_dollars=format_money(held.fee_cost),
        volume_fp=format_count(held.volume),
        subaccount=split_account_id(held.account_id)[1],
    )


def delta(event: BookChanged, market_id: str, *, flipped: bool, is_own: bool) -> wire.FullDeltaMsg:
    """Return a change of a level.

    ``is_own`` is whether the receiver's own order made it; with ``flipped`` NO levels have YES prices.
    """
    price = PRICE_UNIT - event.price if flipped and event.side is Side.NO else event.price
    return wire.FullDeltaMsg(
        market_ticker=event.ticker,
        market_id=market_id,
        price_dollars=format_price(price),
        delta_fp=format_count(event.delta),
        side=event.side,
        client_order_id=event.client_order_id if is_own and event.client_order_id else UNSET,
        subaccount=split_account_id(event.account_id)[1] if is_own and event.account_id else UNSET,
        ts=time_text(event.ts_ms),
        ts_ms=event.ts_ms,
    )


def snapshot(listing: ListedMarket, *, flipped: bool) -> wire.SnapshotMsg:
    """Return a whole book; an empty side has no key."""
    yes, no = listing.levels()
    if flipped:
        no = [(PRICE_UNIT - price, count) for price, count in no]
    return wire.SnapshotMsg(
        market_ticker=listing.ticker,
        market_id=listing.market_id,
        yes_dollars_fp=levels(yes) if yes else UNSET,
        no_dollars_fp=levels(no) if no else UNSET,
    )


def ticker(listing: ListedMarket, now: int) -> wire.FullTickerMsg:
    """Return a market's figures; without quotes bid 0 and ask 1 of size 0 (docs/kalshi-api.md, section 5)."""
    bid, bid_size, ask, ask_size = listing.top
    return wire.FullTickerMsg(
        market_ticker=listing.ticker,
        market_id=listing.market_id,
        price_dollars=format_price(listing.last_price or 0),
        **top_fields(bid, bid_size, ask, ask_size),
        last_trade_size_fp=format_count(listing.last_size),
        volume_fp=format_count(listing.volume),
        open_interest_fp=format_count(listing.open_interest),
        dollar_volume=listing.volume_value // MONEY_UNIT,
        dollar_open_interest=listing.open_interest // COUNT_UNIT,
        ts=now // 1_000,
        ts_ms=now,
        time=time_text(now),
    )


def trade(printed: TradeRecord) -> wire.TradeMsg:
    """Return a public trade."""
    return wire.TradeMsg(
        market_ticker=printed.ticker,
        **trade_fields(printed.trade_id, printed.price, printed.count, taker_bid=printed.taker_side is BookSide.BID),
        is_block_trade=False,
        ts=printed.ts_ms // 1_000,
        ts_ms=printed.ts_ms,
    )


def lifecycle(listing: ListedMarket, event: LifecycleChanged) -> wire.LifecycleMsg:
    """Return the fields that belong to a kind of change, and no others."""
    kind = event.event_type
    created, determined = kind is LifecycleType.CREATED, kind is LifecycleType.DETERMINED
    grid = kind in {LifecycleType.CREATED, LifecycleType.GRID_UPDATED}
    switched = kind in {LifecycleType.ACTIVATED, LifecycleType.DEACTIVATED}
    value = listing.settlement_value
    return wire.LifecycleMsg(
        event_type=kind.value,
        market_ticker=event.ticker,
        exchange_index=listing.shard,
        open_ts=listing.open_ms // 1_000 if created else UNSET,
        close_ts=listing.close_ms // 1_000 if created or kind is LifecycleType.CLOSE_DATE_UPDATED else UNSET,
        result=listing.result if determined else UNSET,
        determination_ts=event.ts_ms // 1_000 if determined else UNSET,
        settlement_value=format_price(value) if determined and value is not None else UNSET,
        settled_ts=event.ts_ms // 1_000 if kind is LifecycleType.SETTLED else UNSET,
        is_deactivated=kind is LifecycleType.DEACTIVATED if switched else UNSET,
        price_level_structure=listing.structure if grid else UNSET,
        price_ranges=price_ranges(listing.grid) if grid and not listing.terms.legs else UNSET,
        additional_metadata=_metadata(listing) if created else UNSET,
    )


def _metadata(listing: ListedMarket) -> dict[str, object]:
    """Return what the announcement of a new market says of its terms."""
    terms = listing.terms
    metadata: dict[str, object] = {
        "name": terms.yes_sub_title,
        "title": terms.title,
        "yes_sub_title": terms.yes_sub_title,
        "no_sub_title": terms.no_sub_title,
        "rules_primary": terms.rules_primary,
        "rules_secondary": terms.rules_secondary,
        "can_close_early": terms.can_close_early,
        "event_ticker": terms.event_ticker,
        "expected_expiration_ts": terms.expected_expiration_ms // 1_000,
        "strike_type": terms.strike_type,
    }
    if terms.floor_strike is not None:
        metadata["floor_strike"] = terms.floor_strike
    if terms.cap_strike is not None:
        metadata["cap_strike"] = terms.cap_strike
    return metadata


def event_listed(event: EventDefinition) -> wire.EventLifecycleMsg:
    """Write the announcement of a new event."""
    return wire.EventLifecycleMsg(
        event_ticker=event.ticker,
        exchange_index=event.exchange_index,
        title=event.title,
        subtitle=event.sub_title,
        collateral_return_type="MECNET" if event.mutually_exclusive else "",
        series_ticker=event.series_ticker,
        strike_date=event.strike_ms // 1_000 if event.strike_ms else UNSET,
    )


def event_fees(event: EventDefinition) -> wire.EventFeeMsg:
    """Write an event's overrides as they are now; both null if there are none."""
    return wire.EventFeeMsg(
        event_ticker=event.ticker,
        fee_type_override=event.fee_type_override or None,
        fee_multiplier_override=event.fee_multiplier_override,
    )


def order_group(event: GroupChanged, now: int) -> wire.OrderGroupMsg:
    """Return what happened to an order group."""
    return wire.OrderGroupMsg(
        event_type=event.change.value,
        order_group_id=event.group.group_id,
        contracts_limit_fp=format_count(event.group.limit) if event.change in CHANGES_WITH_LIMIT else UNSET,
        ts_ms=now,
    )
