"""The JSON that ``--json`` prints, as plain values; the schemas in ``docs/schemas`` describe it.

Prices are dollar strings of four decimals, counts strings of two, money strings of six; times are Unix milliseconds;
null stands for what is absent or not known.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.candles import Candle
from kalshi_tui.domain.market import Market, Trade
from kalshi_tui.domain.order import Fill, Order, OrderTerms, to_outcome_price
from kalshi_tui.domain.position import Balance
from kalshi_tui.domain.price import Count, Money, Price, format_count, format_money, format_price
from kalshi_tui.domain.text import market_text
from kalshi_tui.domain.valuation import ValuedPosition

if TYPE_CHECKING:
    from kalshi_tui.domain.order_preview import OrderPreview
    from kalshi_tui.kalshi.replies import ShardTransfer, SubaccountBalance, TargetAllocation
    from kalshi_tui.session.execution.risk_checks import Risk, RiskViolation

JsonShape = dict[str, object]


def price_or_null(price: Price | None) -> str | None:
    """Return a price as text, None for none."""
    return None if price is None else format_price(price)


def count_or_null(count: Count | None) -> str | None:
    """Return a count as text, None for none."""
    return None if count is None else format_count(count)


def money_or_null(money: Money | None) -> str | None:
    """Return money as text, None for none."""
    return None if money is None else format_money(money)


def time_or_null(ts_ms: int) -> int | None:
    """Return a time; 0 stands for none."""
    return ts_ms or None


def market_shape(market: Market, category: str = "") -> JsonShape:
    """Return a market as it is listed."""
    quote = market.quote
    return {
        "ticker": market.ticker,
        "event_ticker": market.event_ticker,
        "series_ticker": market.series_ticker,
        "category": category,
        "title": market.title,
        "yes_sub_title": market.yes_sub_title,
        "status": market.status.value,
        "exchange_index": market.exchange_index,
        "yes_bid": price_or_null(quote.yes_bid),
        "yes_ask": price_or_null(quote.yes_ask),
        "yes_bid_size": format_count(quote.yes_bid_size),
        "yes_ask_size": format_count(quote.yes_ask_size),
        "last_price": price_or_null(quote.last),
        "previous_price": price_or_null(quote.previous),
        "volume": count_or_null(quote.volume),
        "volume_24h": count_or_null(quote.volume_24h),
        "open_interest": count_or_null(quote.open_interest),
        "open_ms": time_or_null(market.open_ms),
        "close_ms": time_or_null(market.close_ms),
        "expected_expiration_ms": time_or_null(market.expected_expiration_ms),
    }


def market_details_shape(market: Market) -> JsonShape:
    """Return what else there is to know of one market: its grid, fees, rules, result."""
    fees = market.fees
    return {
        "no_sub_title": market.no_sub_title,
        "price_level_structure": market.price_level_structure,
        "price_ranges": [
            {"start": format_price(each.start), "end": format_price(each.end), "step": format_price(each.step)}
            for each in market.grid.ranges
        ],
        "fee_type": fees.fee_type.value if fees is not None else None,
        "fee_multiplier": format_money(fees.multiplier) if fees is not None else None,
        "settlement_floor": price_or_null(market.settlement_floor),
        "can_close_early": market.can_close_early,
        "provisional": market.is_provisional,
        "collection_ticker": market.collection_ticker or None,
        "legs": [
            {
                "ticker": leg.ticker,
                "event_ticker": leg.event_ticker,
                "side": leg.side.value,
                "settlement_value": money_or_null(leg.settlement_value),
            }
            for leg in market.legs
        ],
        "result": market.result or None,
        "settlement_value": money_or_null(market.settlement_value),
        "rules_primary": market.rules_primary,
        "rules_secondary": market.rules_secondary,
    }


def book_shape(ticker: str, book: Book, trust: str, why: str, ts_ms: int = 0, depth: int | None = None) -> JsonShape:
    """Return a book: the bids for both outcomes, best first, and the asks at the touch that they imply."""
    bid, ask = book.best_bid(), book.best_ask()
    return {
        "ticker": ticker,
        "trust": trust,
        "why": why,
        "yes_bid": price_or_null(bid.price if bid else None),
        "yes_ask": price_or_null(ask.price if ask else None),
        "spread": price_or_null(book.spread),
        "yes_bids": _level_shapes(book, Side.YES, depth),
        "no_bids": _level_shapes(book, Side.NO, depth),
        "ts_ms": time_or_null(ts_ms),
    }


def _level_shapes(book: Book, side: Side, depth: int | None) -> list[JsonShape]:
    levels = book.side(side).top(len(book.side(side)) if depth is None else depth)
    return [{"price": format_price(each.price), "count": format_count(each.size)} for each in levels]


def trade_shape(trade: Trade) -> JsonShape:
    """Return a print of the tape."""
    return {
        "trade_id": trade.trade_id,
        "ticker": trade.ticker,
        "yes_price": format_price(trade.yes_price),
        "count": format_count(trade.count),
        "taker_side": "yes" if trade.taker_bid else "no",
        "ts_ms": trade.ts_ms,
    }


def candle_shape(ticker: str, minutes: int, candle: Candle) -> JsonShape:
    """Return one period of a market's history."""
    return {
        "ticker": ticker,
        "minutes": minutes,
        "end_ms": candle.end_ms,
        "open": price_or_null(candle.open),
        "high": price_or_null(candle.high),
        "low": price_or_null(candle.low),
        "close": price_or_null(candle.close),
        "yes_bid_close": price_or_null(candle.yes_bid_close),
        "yes_ask_close": price_or_null(candle.yes_ask_close),
        "volume": format_count(candle.volume),
        "open_interest": format_count(candle.open_interest),
    }


def balance_shape(balance: Balance, positions_value: Money | None) -> JsonShape:
    """Return the cash, in all and by shard, and what the positions are worth: at the exchange's marks, and sold."""
    return {
        "subaccount": balance.subaccount,
        "cash": format_money(balance.cash),
        "portfolio_value": format_money(balance.portfolio_value),
        "positions_value": money_or_null(positions_value),
        "shards": [{"exchange_index": shard, "cash": format_money(cash)} for shard, cash in balance.by_shard],
    }


def subaccount_shape(balance: "SubaccountBalance") -> JsonShape:
    """Return what can be spent in a subaccount on a shard."""
    return {
        "subaccount": balance.number,
        "exchange_index": balance.exchange_index,
        "cash": format_money(balance.cash),
    }


def transfer_shape(transfer: "ShardTransfer") -> JsonShape:
    """Return a transfer of cash between parts of the exchange."""
    return {
        "transfer_id": transfer.transfer_id,
        "from": transfer.source,
        "to": transfer.target,
        "amount": format_money(transfer.amount),
        "status": transfer.status,
        "created_ms": transfer.created_ms,
    }


def allocation_shape(allocation: "TargetAllocation") -> JsonShape:
    """Return how the exchange spreads the cash."""
    return {
        "allocations": [{"exchange_index": index, "percent": percent} for index, percent in allocation.percents],
        "reserve": allocation.reservation or None,
    }


def position_shape(valued: ValuedPosition, market: Market | None) -> JsonShape:
    """Return a position with its market's name and what selling all of it brings; ``side`` is null for a count of 0."""
    position, worth = valued.position, valued.worth
    return {
        "ticker": position.ticker,
        "state": position.state_word,
        "side": "yes" if position.count > 0 else "no" if position.count else None,
        "count": format_count(abs(position.count)),
        "cost": format_money(position.cost),
        "realized_pnl": format_money(position.realized_pnl),
        "fees_paid": format_money(position.fees_paid),
        "total_traded": money_or_null(position.total_traded),
        "subaccount": position.subaccount,
        "market": market_text(market) if market is not None else None,
        "exit_price": None if worth is None else price_or_null(worth.best_price),
        "value": None if worth is None else money_or_null(worth.value),
        "unsold": None if worth is None else format_count(worth.unsold),
    }


def order_shape(order: Order) -> JsonShape:
    """Return an order: ``side`` and ``price`` are of the outcome that it leans to, as the exchange keeps it."""
    side, price = to_outcome_price(order.book_side, order.yes_price)
    return {
        "order_id": order.order_id or None,
        "client_order_id": order.client_order_id or None,
        "ticker": order.ticker,
        "state": order.state.value.replace(" ", "_"),
        "side": side.value,
        "price": format_price(price),
        "yes_price": format_price(order.yes_price),
        "meant": meant_shape(order),
        "count": format_count(order.initial),
        "filled": format_count(order.filled),
        "remaining": format_count(order.remaining),
        "reason": order.reason,
        "created_ms": time_or_null(order.created_ms),
        "updated_ms": time_or_null(order.updated_ms),
        "expires_ms": time_or_null(order.expires_ms),
        "subaccount": order.subaccount,
    }


def listed_order_shape(order: Order) -> JsonShape:
    """Return an order of the exchange's list, which also has the cost of its fills."""
    return order_shape(order) | {"fill_cost": format_money(order.fill_cost), "fees": format_money(order.fees)}


def fill_shape(fill: Fill) -> JsonShape:
    """Return an execution of the account's own."""
    side, price = to_outcome_price(fill.book_side, fill.yes_price)
    return {
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "ticker": fill.ticker,
        "side": side.value,
        "price": format_price(price),
        "yes_price": format_price(fill.yes_price),
        "meant": meant_shape(fill),
        "count": format_count(fill.count),
        "fee": format_money(fill.fee),
        "is_taker": fill.is_taker,
        "ts_ms": fill.ts_ms,
        "subaccount": fill.subaccount,
    }


def order_terms_shape(terms: OrderTerms) -> JsonShape:
    """Return an order in the trader's words: ``price`` is of the outcome that was named."""
    return {
        "ticker": terms.ticker,
        "action": terms.action.value,
        "side": terms.side.value,
        "count": format_count(terms.count),
        "price": format_price(terms.price),
        "yes_price": format_price(terms.yes_price),
        "tif": terms.tif.name.lower(),
        "post_only": terms.post_only,
        "reduce_only": terms.reduce_only,
        "expires_ms": terms.expires_s * 1000 if terms.expires_s is not None else None,
        "subaccount": terms.subaccount,
    }


def preview_shape(order_preview: "OrderPreview", cash: Money | None) -> JsonShape:
    """Return what an order would do: the figures of the ticket's preview."""
    seen, then, fee = order_preview.execution, order_preview.projection, order_preview.fee
    after = None if cash is None or fee is None else cash + order_preview.cash_effect - fee
    gain = None if fee is None else then.realized + then.profit_if_right(fee)
    return {
        "fills_now": format_count(seen.fills_now),
        "fill_value": format_money(seen.fill_value),
        "rests": format_count(seen.rests),
        "queue_ahead": format_count(seen.queue_ahead),
        "cash_change": format_money(then.cash_change),
        "fee_at_most": money_or_null(seen.fee_at_most),
        "maker_fee": money_or_null(seen.maker_fee),
        "max_loss": money_or_null(order_preview.worst_loss),
        "max_gain": money_or_null(gain),
        "closes": format_count(then.closed),
        "opens": format_count(then.opened),
        "held_after": format_count(then.after.count),
        "cash_after": money_or_null(after),
        "counted_orders": [_own_order_shape(each) for each in order_preview.counted],
        "own_orders_met": [_own_order_shape(each) for each in order_preview.met],
        "stops_at_own_order": order_preview.stopped,
    }


def _own_order_shape(order: Order) -> JsonShape:
    """Return an order of the account's own that a preview counts or meets."""
    return {
        "order_id": order.order_id or None,
        "yes_price": format_price(order.yes_price),
        "book_side": order.book_side.value,
        "remaining": format_count(order.remaining),
        "subaccount": order.subaccount,
        "meant": meant_shape(order),
    }


def meant_shape(shown: Order | Fill) -> JsonShape | None:
    """Return an order or a fill as it was meant; None where that is not known."""
    action, side, price = shown.as_meant
    return None if action is None else {"action": action.value, "side": side.value, "price": format_price(price)}


def violation_shapes(violations: Sequence["RiskViolation"]) -> list[JsonShape]:
    """Return risk violations, with the flag that passes each; null where none does."""
    from kalshi_tui.cli.flags import flag_for

    return [
        {"id": _risk_id(each.risk), "message": each.sentence, "flag": flag_for(each) or None} for each in violations
    ]


def _risk_id(risk: "Risk") -> str:
    """Return the id of a risk in JSON. Scripts compare it; nothing here takes it apart again."""
    return f"{risk.reason.value} {risk.subject}".rstrip()
