"""One writer an order."""

import asyncio

import pytest

from kalshi_tui.session.execution.order_writers import OrderWriters, WriterBusyError


async def write(writers: OrderWriters, until: asyncio.Event) -> None:
    async with writers.exclusive("order"):
        await until.wait()


async def test_one_that_gives_up_as_its_turn_comes_does_not_leave_the_order_busy() -> None:
    writers, done = OrderWriters(), asyncio.Event()

    async def write_and_stop_the_other() -> None:
        await write(writers, done)
        # It has been handed over, and who waited for it has not run yet.
        second.cancel()

    first = asyncio.create_task(write_and_stop_the_other())
    await asyncio.sleep(0)
    second = asyncio.create_task(write(writers, asyncio.Event()))
    await asyncio.sleep(0)
    done.set()
    await first
    with pytest.raises(asyncio.CancelledError):
        await second
    assert not writers.is_busy("order")


async def test_writers_take_turns_and_who_waits_too_long_writes_nothing() -> None:
    writers, done = OrderWriters(), asyncio.Event()
    first = asyncio.create_task(write(writers, done))
    await asyncio.sleep(0)
    with pytest.raises(WriterBusyError):
        async with writers.exclusive("order", max_wait_s=0.01):
            pytest.fail("two write at once")
    assert writers.is_busy("order")
    second = asyncio.create_task(write(writers, done))
    done.set()
    await asyncio.gather(first, second)
    assert not writers.is_busy("order")
