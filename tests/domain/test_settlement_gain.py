"""What a settled market has brought in all: each cent and each fee once, in whatever order its fills come."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.domain.day_gain import TradedSum
from kalshi_tui.domain.order import BookSide, Fill
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import PRICE_UNIT, Money, Price
from kalshi_tui.domain.settlement_gain import with_realized

TICKER = "T"
Trade = tuple[BookSide, Price, int, Money]
TRADES = st.lists(
    st.tuples(
        st.sampled_from(BookSide), st.integers(1, PRICE_UNIT - 1), st.integers(1, 100_000), st.integers(0, 50_000)
    ),
    min_size=1,
    max_size=12,
)


def fills_of(trades: list[Trade]) -> list[Fill]:
    return [
        Fill(str(number), "", "", TICKER, side, price, count, fee, True, number)
        for number, (side, price, count, fee) in enumerate(trades)
    ]


def summed(fills: list[Fill]) -> TradedSum:
    found = TradedSum()
    for each in fills:
        found = found.with_fill(each)
    return found


def settlement_of(trades: list[Trade], result: str, value: Price, floor: Price = 0) -> tuple[Settlement, Position]:
    """Return what the exchange lists once all of it is paid, and what was held before."""
    held = Position(TICKER)
    for side, price, count, fee in trades:
        held = held.after(side, price, count, fee)
    # A floor that was paid at the end of trading to those who held then.
    back = max(held.count, 0) * floor
    cost = held.cost - back
    settled = Settlement(
        TICKER,
        "E",
        result,
        max(held.count, 0),
        max(-held.count, 0),
        cost if held.count > 0 else 0,
        cost if held.count < 0 else 0,
        held.settled(value) - back,
        held.fees_paid,
        value,
        0,
    )
    return settled, held


@given(trades=TRADES, value=st.sampled_from([0, 1, 4_225, 9_999, PRICE_UNIT]), floor=st.sampled_from([0, 1, 100]))
def test_the_net_is_all_cash_that_the_market_has_moved(trades: list[Trade], value: Price, floor: Price) -> None:
    result = {0: "no", PRICE_UNIT: "yes"}.get(value, "scalar")
    settled, held = settlement_of(trades, result, value, min(floor, value))
    found = with_realized(settled, [summed(fills_of(trades))])
    if not held.count:
        # The exchange lists no settlement of nothing, and this one is as good as one.
        assert found.net == held.realized_pnl - held.fees_paid
        return
    assert found.realized == held.realized_pnl
    cash = sum(count * (-price if side is BookSide.BID else price) for side, price, count, _ in trades)
    # Each NO that is held at the end has cost a dollar less the price of its YES.
    cash -= max(-held.count, 0) * PRICE_UNIT
    assert found.net == cash + held.settled(value) - held.fees_paid
    assert replace(found, realized=None) == settled


@given(data=st.data(), trades=TRADES)
def test_the_order_of_fills_does_not_matter(data: st.DataObject, trades: list[Trade]) -> None:
    settled, _ = settlement_of(trades, "yes", PRICE_UNIT)
    mixed = data.draw(st.permutations(fills_of(trades)))
    assert with_realized(settled, [summed(mixed)]) == with_realized(settled, [summed(fills_of(trades))])


@pytest.mark.parametrize("rounded", [0, 30, 5_000])
def test_what_is_rounded_off_a_payout_counts_once(rounded: Money) -> None:
    """The exchange lists $3.88 for 7.77 worth $3.885, and the half cent that it keeps as a fee."""
    trades: list[Trade] = [(BookSide.BID, 4_000, 777, 10_000)]
    settled, held = settlement_of(trades, "scalar", 5_000)
    exact = replace(settled, fees=held.fees_paid + rounded)
    assert with_realized(exact, [summed(fills_of(trades))]).net == 3_885_000 - 3_108_000 - 10_000 - rounded
    listed = replace(exact, revenue=3_885_000 - rounded, yes_value=5_000, is_rounded=True)
    assert with_realized(listed, [summed(fills_of(trades))]).net == 3_885_000 - 3_108_000 - 10_000 - rounded


def test_what_the_fills_do_not_prove_is_not_known() -> None:
    trades: list[Trade] = [(BookSide.BID, 4_000, 300, 0), (BookSide.ASK, 5_000, 100, 0)]
    settled, _ = settlement_of(trades, "yes", PRICE_UNIT)
    whole = summed(fills_of(trades))
    assert (settled.realized, settled.net) == (None, None)
    assert with_realized(settled, [whole]).realized == 100_000
    assert with_realized(settled, []) == settled
    assert with_realized(settled, [summed(fills_of(trades[:1]))]) == settled
    # Two subaccounts that held the same by other prices: nobody can tell whose settlement it is.
    other = summed(fills_of([(BookSide.BID, 6_000, 200, 0)]))
    assert with_realized(settled, [whole, other]) == settled
    assert with_realized(settled, [whole, whole]).realized == 100_000
