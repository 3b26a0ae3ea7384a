import asyncio

import pytest

from kalshi_tui.kalshi.transport.rate_limit import (
    CANCEL_COST,
    CANCEL_RESERVE,
    DEFAULT_COST,
    ReadBudget,
    TooBusyError,
    WriteBudget,
)
from kalshi_tui.kalshi.transport.token_costs import TokenCosts


class Time:
    """Goes on only while somebody waits."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)


@pytest.fixture
def time() -> Time:
    return Time()


async def test_what_is_there_is_spent_at_once(time: Time) -> None:
    tokens = WriteBudget(100, 100, timer_s=time, sleep=time.sleep)
    for _ in range((100 - CANCEL_RESERVE) // DEFAULT_COST):
        await tokens.acquire(DEFAULT_COST, urgent=False)
    assert time.now_s == 0


async def test_an_order_leaves_enough_for_cancels(time: Time) -> None:
    tokens = WriteBudget(100, 100, timer_s=time, sleep=time.sleep)
    for _ in range((100 - CANCEL_RESERVE) // DEFAULT_COST):
        await tokens.acquire(DEFAULT_COST, urgent=False)
    for _ in range(CANCEL_RESERVE // CANCEL_COST):
        await tokens.acquire(CANCEL_COST, urgent=True)
    assert time.now_s == 0
    await tokens.acquire(DEFAULT_COST, urgent=False)
    assert time.now_s >= (CANCEL_RESERVE + DEFAULT_COST) / 100


async def test_a_cancel_goes_ahead_of_orders_that_wait(time: Time) -> None:
    tokens = WriteBudget(100, 100, timer_s=time, sleep=time.sleep)
    await tokens.acquire(100 - CANCEL_RESERVE, urgent=False)
    done: list[str] = []

    async def take(name: str, cost: int, urgent: bool) -> None:
        await tokens.acquire(cost, urgent=urgent)
        done.append(name)

    await asyncio.gather(
        take("first order", DEFAULT_COST, False),
        take("second order", DEFAULT_COST, False),
        take("cancel", CANCEL_RESERVE, True),
    )
    assert done == ["cancel", "first order", "second order"]


async def test_an_order_gives_up_in_the_end_and_a_cancel_never_does(time: Time) -> None:
    tokens = WriteBudget(1, 100, timer_s=time, sleep=time.sleep)
    await tokens.acquire(100, urgent=True)
    with pytest.raises(TooBusyError):
        await tokens.acquire(DEFAULT_COST, urgent=False)
    await tokens.acquire(50, urgent=True)
    assert time.now_s >= 50


async def test_more_than_the_bucket_holds_goes_when_it_is_full(time: Time) -> None:
    tokens = WriteBudget(10, 10, timer_s=time, sleep=time.sleep)
    await tokens.acquire(40, urgent=True)
    await tokens.acquire(40, urgent=True)
    assert 4 <= time.now_s < 6


async def test_the_exchange_says_how_much_there_is(time: Time) -> None:
    tokens = WriteBudget(1, 1, timer_s=time, sleep=time.sleep)
    tokens.set_limits(1_000, 2_000)
    tokens.set_limits(0, 0)
    await tokens.acquire(1_000, urgent=True)
    assert time.now_s < 1.1


async def test_reads_wait_by_the_account_s_own_limits_once_they_are_known(time: Time) -> None:
    tokens = ReadBudget(timer_s=time, sleep=time.sleep)
    for _ in range(1_000):
        await tokens.acquire(DEFAULT_COST)
    assert time.now_s == 0, "nothing is known yet"
    tokens.set_limits(0, 0)
    tokens.set_limits(200, 600)
    for _ in range(60):
        await tokens.acquire(DEFAULT_COST)
    assert time.now_s == 0, "60 reads at once fit the bucket"
    for _ in range(20):
        await tokens.acquire(DEFAULT_COST)
    assert time.now_s == pytest.approx(1.0), "20 more take a second"
    time.now_s += 100
    for _ in range(60):
        await tokens.acquire(DEFAULT_COST)
    assert time.now_s == pytest.approx(101.0), "the bucket holds no more than its capacity"


async def test_after_a_refusal_the_bucket_counts_as_empty(time: Time) -> None:
    tokens = ReadBudget(timer_s=time, sleep=time.sleep)
    tokens.set_limits(200, 600)
    tokens.empty()
    await tokens.acquire(DEFAULT_COST)
    assert time.now_s == pytest.approx(DEFAULT_COST / 200), "cost by refill, as the exchange asks"


def test_a_call_costs_what_the_exchange_tells() -> None:
    costs = TokenCosts()
    assert costs.cost("DELETE", "/portfolio/events/orders/abc") == CANCEL_COST
    assert costs.cost("GET", "/portfolio/orders/abc") == DEFAULT_COST
    costs.set_costs(
        12,
        [
            ("DELETE", "/trade-api/v2/portfolio/events/orders/{order_id}", 3),
            ("delete", "/portfolio/events/orders/batched", 2),
            ("GET", "/portfolio/orders/:order_id", 4),
            ("POST", "/portfolio/events/orders", -5),
        ],
    )
    assert costs.cost("DELETE", "/portfolio/events/orders/abc") == 3
    assert costs.cost("DELETE", "/portfolio/events/orders/batched") == 2, "a fixed name goes before a variable one"
    assert costs.cost("GET", "/portfolio/orders/abc") == 4
    assert costs.cost("GET", "/portfolio/orders/queue_positions") == 12, "a call of its own, not an order's id"
    assert costs.cost("GET", "/portfolio/orders") == 12
    assert costs.cost("POST", "/portfolio/events/orders") == 12, "a cost that cannot be is left out"


async def test_what_gives_way_takes_only_what_nobody_waits_for_and_leaves_room_for_an_order(time: Time) -> None:
    tokens = WriteBudget(100, 100, timer_s=time, sleep=time.sleep)
    tokens.spend_spare(DEFAULT_COST)
    await tokens.acquire(100 - CANCEL_RESERVE - 2 * DEFAULT_COST - 1, urgent=False)
    assert not tokens.can_spare(DEFAULT_COST)
    with pytest.raises(TooBusyError):
        tokens.spend_spare(DEFAULT_COST)
    await tokens.acquire(DEFAULT_COST, urgent=False)
    assert time.now_s == 0, "the order that follows need not wait"
    waiting = asyncio.ensure_future(tokens.acquire(DEFAULT_COST, urgent=False))
    await asyncio.sleep(0)
    time.now_s += 10
    assert not tokens.can_spare(0)
    await waiting
    assert tokens.can_spare(DEFAULT_COST)
