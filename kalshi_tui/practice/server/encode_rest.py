"""The engine's values as the exchange's JSON: records in, wire structs out. Pure."""

from collections.abc import Iterable, Mapping

from msgspec import UNSET

from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.order import BookSide
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price, format_count, format_money, format_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire.encode_domain import (
    levels,
    outcome_word,
    price_ranges,
    settlement_sources,
    top_fields,
    trade_fields,
)
from kalshi_tui.kalshi.wire.times import time_text
from kalshi_tui.practice.engine.candles import EngineCandle, Ohlc
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.ledger import SHARD_NAMES
from kalshi_tui.practice.engine.model import ListedMarket, split_account_id
from kalshi_tui.practice.engine.order_book import PriceLevels
from kalshi_tui.practice.engine.records import (
    BalanceRecord,
    FillRecord,
    GroupRecord,
    OrderRecord,
    PlaceResult,
    PositionRecord,
    ScheduledEventFees,
    ScheduledSeriesFees,
    SettlementRecord,
    ShardTransferRecord,
    TradeRecord,
)
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.terms import GRIDS, CollectionDefinition, EventDefinition, SeriesDefinition


def error_body(rejection: Rejection) -> wire.ErrorBody:
    """Return the body of a rejected request (docs/kalshi-api.md, section 10)."""
    detail = wire.ErrorDetail(code=rejection.code, message=rejection.message, details=rejection.details or UNSET)
    return wire.ErrorBody(error=detail)


def market(listing: ListedMarket, now: int) -> wire.Market:
    """Write a market with its quotes and figures."""
    terms = listing.terms
    bid, bid_size, ask, ask_size = listing.top
    settled = listing.settlement_value
    return wire.Market(
        ticker=listing.ticker,
        event_ticker=terms.event_ticker,
        market_type=terms.market_type,
        title=terms.title,
        subtitle=terms.yes_sub_title,
        yes_sub_title=terms.yes_sub_title,
        no_sub_title=terms.no_sub_title,
        created_time=time_text(terms.created_ms),
        updated_time=time_text(listing.updated_ms),
        open_time=time_text(listing.open_ms),
        close_time=time_text(listing.close_ms),
        expected_expiration_time=time_text(terms.expected_expiration_ms),
        expiration_time=time_text(terms.latest_expiration_ms),
        latest_expiration_time=time_text(terms.latest_expiration_ms),
        settlement_timer_seconds=terms.settlement_timer_s,
        status=listing.status.value,
        **top_fields(bid, bid_size, ask, ask_size),
        no_bid_dollars=format_price(PRICE_UNIT - ask),
        no_ask_dollars=format_price(PRICE_UNIT - bid),
        last_price_dollars=format_price(listing.last_price or 0),
        previous_yes_bid_dollars=format_price(listing.previous_bid),
        previous_yes_ask_dollars=format_price(listing.previous_ask),
        previous_price_dollars=format_price(listing.previous_price or 0),
        volume_fp=format_count(listing.volume),
        volume_24h_fp=format_count(listing.volume_24h(now)),
        open_interest_fp=format_count(listing.open_interest),
        result=listing.result,
        can_close_early=terms.can_close_early,
        settlement_value_dollars=UNSET if settled is None else format_price(settled),
        settlement_ts=time_text(listing.settled_ms) if listing.settled_ms else UNSET,
        expiration_value=listing.expiration_value,
        early_close_condition=terms.early_close_condition or UNSET,
        strike_type=terms.strike_type,
        floor_strike=UNSET if terms.floor_strike is None else terms.floor_strike,
        cap_strike=UNSET if terms.cap_strike is None else terms.cap_strike,
        rules_primary=terms.rules_primary,
        rules_secondary=terms.rules_secondary,
        mve_collection_ticker=terms.collection_ticker or UNSET,
        mve_selected_legs=_combo_legs(listing) or UNSET,
        is_provisional=terms.is_provisional or UNSET,
        price_level_structure=listing.structure,
        price_ranges=price_ranges(listing.grid),
        exchange_index=listing.shard,
        settlement_bounds_type="default" if listing.settlement_floor is None else "floor",
        settlement_floor_dollars=UNSET if listing.settlement_floor is None else format_price(listing.settlement_floor),
    )


def _combo_legs(listing: ListedMarket) -> list[wire.ComboLeg]:
    """Write the legs of a combo, each with what it paid once it is decided."""
    return [
        wire.ComboLeg(
            event_ticker=leg.event_ticker,
            market_ticker=leg.ticker,
            side=leg.side.value,
            yes_settlement_value_dollars=UNSET if paid is None else format_price(paid),
        )
        for leg, paid in zip(listing.terms.legs, (each.settlement_value for each in listing.leg_listings), strict=True)
    ]


def combo_collection(source: CollectionDefinition) -> wire.ComboCollection:
    """Write which events can be combined."""
    return wire.ComboCollection(
        collection_ticker=source.ticker,
        series_ticker=source.series_ticker,
        exchange_index=source.exchange_index,
        title=source.title,
        description=source.description,
        open_date=time_text(source.open_ms),
        close_date=time_text(source.close_ms),
        associated_events=[
            wire.CombinableEvent(ticker=ticker, size_min=0, size_max=1) for ticker in source.event_tickers
        ],
        size_min=source.size_min,
        size_max=source.size_max,
        functional_description=source.functional_description,
        price_level_structure=source.structure,
        price_ranges=price_ranges(GRIDS[source.structure]),
    )


def event(source: EventDefinition, parent_series: SeriesDefinition, nested: list[wire.Market] | None) -> wire.Event:
    """Write an event, with its markets if given."""
    return wire.Event(
        event_ticker=source.ticker,
        series_ticker=source.series_ticker,
        title=source.title,
        sub_title=source.sub_title,
        collateral_return_type="MECNET" if source.mutually_exclusive else "",
        mutually_exclusive=source.mutually_exclusive,
        category=source.category,
        strike_date=time_text(source.strike_ms) if source.strike_ms else UNSET,
        markets=UNSET if nested is None else nested,
        product_metadata={},
        settlement_sources=settlement_sources(parent_series.settlement_sources),
        fee_type_override=source.fee_type_override or UNSET,
        fee_multiplier_override=UNSET if source.fee_multiplier_override is None else source.fee_multiplier_override,
        exchange_index=source.exchange_index,
    )


def series_fee_change(source: ScheduledSeriesFees) -> wire.SeriesFeeChange:
    """Write new fees of a series."""
    return wire.SeriesFeeChange(
        id=source.change_id,
        series_ticker=source.series_ticker,
        fee_type=source.fee_type,
        fee_multiplier=source.fee_multiplier,
        scheduled_ts=time_text(source.scheduled_ms),
    )


def event_fee_change(source: ScheduledEventFees) -> wire.EventFeeChange:
    """Write new fee overrides of an event; null clears one."""
    return wire.EventFeeChange(
        id=source.change_id,
        event_ticker=source.event_ticker,
        series_ticker=source.series_ticker,
        fee_type_override=source.fee_type_override,
        fee_multiplier_override=source.fee_multiplier_override,
        scheduled_ts=time_text(source.scheduled_ms),
    )


def series(source: SeriesDefinition, *, with_metadata: bool = False, volume: Count | None = None) -> wire.Series:
    """Write a series with its fee fields; ``volume`` if it was asked for."""
    return wire.Series(
        ticker=source.ticker,
        frequency=source.frequency,
        title=source.title,
        category=source.category,
        categories=[source.category],
        tags=list(source.tags),
        settlement_sources=settlement_sources(source.settlement_sources),
        product_metadata={} if with_metadata else UNSET,
        fee_type=source.fee_type,
        fee_multiplier=source.fee_multiplier,
        additional_prohibitions=[],
        volume_fp=UNSET if volume is None else format_count(volume),
        exchange_index=source.exchange_index,
    )


def book(sides: tuple[PriceLevels, PriceLevels]) -> wire.Orderbook:
    """Write a book's two sides, ascending, best last."""
    return wire.Orderbook(yes_dollars=levels(sides[0]), no_dollars=levels(sides[1]))


def trade(source: TradeRecord) -> wire.Trade:
    """Write a print of the tape."""
    return wire.Trade(
        ticker=source.ticker,
        **trade_fields(source.trade_id, source.price, source.count, taker_bid=source.taker_side is BookSide.BID),
        created_time=time_text(source.ts_ms),
        is_block_trade=False,
    )


def _legacy_side_and_action(side: BookSide) -> tuple[str, str]:
    """Return the deprecated ``side`` and ``action``: everything is written as a purchase of the outcome it leans to."""
    return ("yes", "buy") if side is BookSide.BID else ("no", "buy")


def order(source: OrderRecord) -> wire.Order:
    """Write an order as REST returns it."""
    side, action = _legacy_side_and_action(source.side)
    return wire.Order(
        order_id=source.order_id,
        user_id=split_account_id(source.account_id)[0],
        client_order_id=source.client_order_id,
        ticker=source.ticker,
        side=side,
        action=action,
        outcome_side=source.outcome_side.value,
        book_side=source.side.value,
        status=source.status.value,
        yes_price_dollars=format_price(source.price),
        no_price_dollars=format_price(source.no_price),
        fill_count_fp=format_count(source.filled),
        remaining_count_fp=format_count(source.remaining),
        initial_count_fp=format_count(source.initial),
        taker_fill_cost_dollars=format_money(source.taker_cost),
        maker_fill_cost_dollars=format_money(source.maker_cost),
        taker_fees_dollars=format_money(source.taker_fees),
        maker_fees_dollars=format_money(source.maker_fees),
        expiration_time=time_text(source.expires_ms) if source.expires_ms else None,
        created_time=time_text(source.created_ms),
        last_update_time=time_text(source.updated_ms),
        self_trade_prevention_type=source.self_trade.value,
        order_group_id=source.group_id or None,
        cancel_order_on_pause=source.cancel_on_pause,
        subaccount_number=split_account_id(source.account_id)[1],
        exchange_index=source.exchange_index,
    )


def fill(source: FillRecord) -> wire.Fill:
    """Write an execution as REST returns it: without the client order id (docs/kalshi-api.md, section 6)."""
    side, action = _legacy_side_and_action(source.side)
    return wire.Fill(
        fill_id=source.trade_id,
        exchange_index=source.exchange_index,
        trade_id=source.trade_id,
        order_id=source.order_id,
        ticker=source.ticker,
        market_ticker=source.ticker,
        side=side,
        action=action,
        outcome_side=outcome_word(taker_bid=source.side is BookSide.BID),
        book_side=source.side.value,
        count_fp=format_count(source.count),
        yes_price_dollars=format_price(source.price),
        no_price_dollars=format_price(PRICE_UNIT - source.price),
        is_taker=source.is_taker,
        created_time=time_text(source.ts_ms),
        fee_cost=format_money(source.fee),
        subaccount_number=split_account_id(source.account_id)[1],
        ts=source.ts_ms // 1_000,
    )


def position(source: PositionRecord) -> wire.MarketPosition:
    """Write a holding."""
    return wire.MarketPosition(
        ticker=source.ticker,
        exchange_index=source.exchange_index,
        total_traded_dollars=format_money(source.total_traded),
        position_fp=format_count(source.count),
        market_exposure_dollars=format_money(source.exposure),
        realized_pnl_dollars=format_money(source.realized_pnl),
        fees_paid_dollars=format_money(source.fees_paid),
        last_updated_ts=time_text(source.updated_ms),
    )


def event_positions(sources: Iterable[PositionRecord]) -> list[wire.EventPosition]:
    """Sum holdings up by event."""
    by_event: dict[str, list[PositionRecord]] = {}
    for source in sources:
        by_event.setdefault(source.event_ticker, []).append(source)
    return [
        wire.EventPosition(
            event_ticker=ticker,
            total_cost_dollars=format_money(sum(each.total_traded for each in held)),
            total_cost_shares_fp=format_count(sum(each.volume for each in held)),
            event_exposure_dollars=format_money(sum(each.exposure for each in held)),
            realized_pnl_dollars=format_money(sum(each.realized_pnl for each in held)),
            fees_paid_dollars=format_money(sum(each.fees_paid for each in held)),
        )
        for ticker, held in by_event.items()
    ]


def settlement(source: SettlementRecord) -> wire.Settlement:
    """Write what a settled market paid; revenue and value in whole cents."""
    return wire.Settlement(
        ticker=source.ticker,
        exchange_index=source.exchange_index,
        event_ticker=source.event_ticker,
        market_result=source.result,
        yes_count_fp=format_count(source.yes_count),
        yes_total_cost_dollars=format_money(source.yes_cost),
        no_count_fp=format_count(source.no_count),
        no_total_cost_dollars=format_money(source.no_cost),
        revenue=source.revenue // CENT,
        settled_time=time_text(source.ts_ms),
        fee_cost=format_money(source.fee),
        value=source.value // 100,
    )


def balance(source: BalanceRecord, shard: int | None = None, *, with_breakdown: bool = True) -> wire.BalanceReply:
    """Write an account's money, of one shard or all: whole cents rounded down, and exact dollars.

    The breakdown by shard is left out for locked keys (docs/kalshi-api.md, section 7).
    """
    total = source.total if shard is None else source.available[shard]
    worth = source.portfolio_value if shard is None else source.portfolio_by_index[shard]
    return wire.BalanceReply(
        balance=total // CENT,
        balance_dollars=format_money(total),
        portfolio_value=worth // CENT,
        updated_ts=source.updated_ms // 1_000,
        balance_breakdown=balance_breakdown(source.available) if with_breakdown else UNSET,
    )


def balance_breakdown(amounts: Mapping[int, Money]) -> list[wire.IndexedBalance]:
    """Write an amount for each shard, dollars."""
    return [
        wire.IndexedBalance(exchange_index=shard, balance=format_money(amounts[shard])) for shard in sorted(amounts)
    ]


def create_order_reply(result: PlaceResult) -> wire.CreateOrderReply:
    """Write what a new order did at once."""
    average, fee = result.average_fill_price, result.average_fee_paid
    return wire.CreateOrderReply(
        order_id=result.order_id,
        client_order_id=result.client_order_id or UNSET,
        fill_count=format_count(result.filled),
        remaining_count=format_count(result.remaining),
        average_fill_price=UNSET if average is None else format_money(average),
        average_fee_paid=UNSET if fee is None else format_money(fee),
        ts_ms=result.ts_ms,
    )


def group(source: GroupRecord) -> wire.OrderGroup:
    """Write an order group of the list."""
    return wire.OrderGroup(
        id=source.group_id,
        contracts_limit_fp=format_count(source.limit),
        is_auto_cancel_enabled=not source.triggered,
        exchange_index=source.exchange_index,
    )


def _quote_bar(source: Ohlc) -> wire.QuoteBar:
    return wire.QuoteBar(
        open_dollars=format_price(source.open),
        low_dollars=format_price(source.low),
        high_dollars=format_price(source.high),
        close_dollars=format_price(source.close),
    )


def _price_bar(source: EngineCandle) -> wire.PriceBar:
    previous = None if source.previous_price is None else format_price(source.previous_price)
    if source.price is None:
        # Null, not absent, where nothing was traded (docs/kalshi-api.md, section 24).
        return wire.PriceBar(
            open_dollars=None,
            low_dollars=None,
            high_dollars=None,
            close_dollars=None,
            mean_dollars=None,
            min_dollars=None,
            max_dollars=None,
            previous_dollars=previous,
        )
    bar = source.price
    mean: Price = source.mean_price or 0
    return wire.PriceBar(
        open_dollars=format_price(bar.open),
        low_dollars=format_price(bar.low),
        high_dollars=format_price(bar.high),
        close_dollars=format_price(bar.close),
        mean_dollars=format_price(mean),
        min_dollars=format_price(bar.low),
        max_dollars=format_price(bar.high),
        previous_dollars=previous,
    )


def candle(source: EngineCandle) -> wire.Candlestick:
    """Write one period of a market's history."""
    return wire.Candlestick(
        end_period_ts=source.end_ms // 1_000,
        yes_bid=_quote_bar(source.yes_bid),
        yes_ask=_quote_bar(source.yes_ask),
        price=_price_bar(source),
        volume_fp=format_count(source.volume),
        open_interest_fp=format_count(source.open_interest),
    )


def archived_candle(source: EngineCandle) -> wire.ArchivedCandlestick:
    """Write one period of an archived market: its fields have other names (docs/kalshi-api.md, section 15)."""
    price = _price_bar(source)
    return wire.ArchivedCandlestick(
        end_period_ts=source.end_ms // 1_000,
        yes_bid=_archived_quote_bar(source.yes_bid),
        yes_ask=_archived_quote_bar(source.yes_ask),
        price=wire.ArchivedPriceBar(
            open=_or_null(price.open_dollars),
            low=_or_null(price.low_dollars),
            high=_or_null(price.high_dollars),
            close=_or_null(price.close_dollars),
            mean=_or_null(price.mean_dollars),
            previous=_or_null(price.previous_dollars),
        ),
        volume=format_count(source.volume),
        open_interest=format_count(source.open_interest),
    )


def _archived_quote_bar(source: Ohlc) -> wire.ArchivedQuoteBar:
    bar = _quote_bar(source)
    return wire.ArchivedQuoteBar(
        open=bar.open_dollars, low=bar.low_dollars, high=bar.high_dollars, close=bar.close_dollars
    )


def _or_null(text: wire.NullableText) -> str | None:
    return text or None


def exchange_status(exchange: Exchange) -> wire.ExchangeStatusReply:
    """Write whether the exchange is up and trades: its top level is shard 0 (docs/kalshi-api.md, section 8)."""
    pauses = exchange.pauses
    return wire.ExchangeStatusReply(
        exchange_active=pauses.exchange_active_on(0),
        trading_active=pauses.trading_active_on(0),
        intra_exchange_transfers_active=pauses.transfers_active_on(0),
        exchange_estimated_resume_time=time_text(pauses.resume_ms) if pauses.resume_ms else UNSET,
        exchange_index_statuses=[
            wire.ExchangeIndexStatus(
                exchange_index=shard,
                description=SHARD_NAMES.get(shard, ""),
                exchange_active=pauses.exchange_active_on(shard),
                trading_active=pauses.trading_active_on(shard),
                intra_exchange_transfers_active=pauses.transfers_active_on(shard),
            )
            for shard in sorted(exchange.ledger.deposited)
        ],
    )


def shard_transfer(source: ShardTransferRecord) -> wire.ShardTransfer:
    """Write a transfer of cash between shards: the amount in dollars, the time in Unix seconds."""
    return wire.ShardTransfer(
        transfer_id=source.transfer_id,
        source_exchange_shard=source.source,
        destination_exchange_shard=source.target,
        amount=format_money(source.amount),
        status=source.status.value,
        created_ts=source.created_ms // 1_000,
    )
