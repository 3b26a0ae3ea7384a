import asyncio

import pytest

from kalshi_tui.kalshi.transport.rate_limit import (
    CANCEL_COST,
    RESERVE,
    USUAL_COST,
    Tokens,
    TooBusyError,
)


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
    tokens = Tokens(100, 100, timer_s=time, sleep=time.sleep)
    for _ in range((100 - RESERVE) // USUAL_COST):
        await tokens.take(USUAL_COST, urgent=False)
    assert time.now_s == 0


async def test_an_order_leaves_enough_for_cancels(time: Time) -> None:
    tokens = Tokens(100, 100, timer_s=time, sleep=time.sleep)
    for _ in range((100 - RESERVE) // USUAL_COST):
        await tokens.take(USUAL_COST, urgent=False)
    for _ in range(RESERVE // CANCEL_COST):
        await tokens.take(CANCEL_COST, urgent=True)
    assert time.now_s == 0
    await tokens.take(USUAL_COST, urgent=False)
    assert time.now_s >= (RESERVE + USUAL_COST) / 100


async def test_a_cancel_goes_ahead_of_orders_that_wait(time: Time) -> None:
    tokens = Tokens(100, 100, timer_s=time, sleep=time.sleep)
    await tokens.take(100 - RESERVE, urgent=False)
    done: list[str] = []

    async def take(name: str, cost: int, urgent: bool) -> None:
        await tokens.take(cost, urgent=urgent)
        done.append(name)

    await asyncio.gather(
        take("first order", USUAL_COST, False),
        take("second order", USUAL_COST, False),
        take("cancel", RESERVE, True),
    )
    assert done == ["cancel", "first order", "second order"]


async def test_an_order_gives_up_in_the_end_and_a_cancel_never_does(time: Time) -> None:
    tokens = Tokens(1, 100, timer_s=time, sleep=time.sleep)
    await tokens.take(100, urgent=True)
    with pytest.raises(TooBusyError):
        await tokens.take(USUAL_COST, urgent=False)
    await tokens.take(50, urgent=True)
    assert time.now_s >= 50


async def test_more_than_the_bucket_holds_goes_when_it_is_full(time: Time) -> None:
    tokens = Tokens(10, 10, timer_s=time, sleep=time.sleep)
    await tokens.take(40, urgent=True)
    await tokens.take(40, urgent=True)
    assert 4 <= time.now_s < 6


async def test_the_exchange_says_how_much_there_is(time: Time) -> None:
    tokens = Tokens(1, 1, timer_s=time, sleep=time.sleep)
    tokens.set(1_000, 2_000)
    tokens.set(0, 0)
    await tokens.take(1_000, urgent=True)
    assert time.now_s < 1.1
