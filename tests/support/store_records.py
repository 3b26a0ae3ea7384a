"""An order and a fill as the store takes them."""

from dataclasses import replace

from kalshi_tui.domain.order import BookSide, Fill, Order, OrderState


def an_order(**changes: object) -> Order:
    base = Order(
        order_id="o1",
        client_order_id="c1",
        ticker="T",
        book_side=BookSide.BID,
        yes_price=4_700,
        initial=1_000,
        filled=0,
        remaining=1_000,
        state=OrderState.RESTING,
        created_ms=10,
        updated_ms=10,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # named fields of one dataclass


def a_fill(trade_id: str, ts_ms: int = 5) -> Fill:
    return Fill(
        trade_id=trade_id,
        order_id="o1",
        client_order_id="c1",
        ticker="T",
        book_side=BookSide.BID,
        yes_price=4_700,
        count=100,
        fee=200,
        is_taker=True,
        ts_ms=ts_ms,
    )
