"""What each command prints, as text and as JSON, in a world that stands still: the same each time."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli_runner import (
    Done,
    Still,
    Trader,
    check,
    trading,
)

GOLDEN = Path(__file__).parent / "golden"
MARKET = "KXRECESSION-27"
HIDDEN = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b"), "<an id>"),
    (re.compile(r"127\.0\.0\.1:[0-9]+"), "127.0.0.1:<port>"),
    # By this machine's clock, corrected by the exchange's.
    (re.compile(r'"created_ms": 1800000[0-9]{6}'), '"created_ms": <now>'),
)
"""What is random, or of this machine."""


class Book:
    """The golden files; ``update`` rewrites them."""

    def __init__(self, *, update: bool) -> None:
        self.update = update
        self.wrong: list[str] = []

    def hold(self, name: str, done: Done, trader: Trader) -> None:
        """Hold what a command printed to its file."""
        text = f"{done.out}{done.err}exit code {done.code}\n"
        for pattern, instead in HIDDEN:
            text = pattern.sub(instead, text)
        text = text.replace(str(trader.home), "<home>")
        path = GOLDEN / name
        if self.update:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            self.wrong.append(f"{name} differs; --update-golden keeps the new one:\n{text}")


STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("markets", ("markets", "--limit", "5")),
    ("markets-search", ("markets", "--search", "fed rate")),
    ("markets-none", ("markets", "--series", "NONE")),
    ("market", ("market", MARKET)),
    ("market-unknown", ("market", "NO-SUCH")),
    ("book", ("book", MARKET, "--depth", "3")),
    ("candles", ("candles", MARKET, "--limit", "3")),
    ("balance", ("balance",)),
    ("orders-none", ("orders",)),
    ("fills-none", ("fills",)),
    ("positions-none", ("positions",)),
    ("trades-none", ("trades", MARKET)),
    ("order-dry-run", ("order", "buy", "yes", MARKET, "10@0.05", "--dry-run")),
    ("order-resting", ("order", "buy", "yes", MARKET, "10@5c", "--yes")),
    ("order-filled", ("order", "buy", "yes", MARKET, "3@0.90", "--over-limit", "--yes")),
    ("order-no", ("order", "sell", "no", MARKET, "2@0.95", "--tif", "ioc", "--yes")),
    ("order-off-grid", ("order", "buy", "yes", MARKET, "1@0.4215", "--yes")),
    ("order-not-asked", ("order", "buy", "yes", MARKET, "1@0.05")),
    ("order-wrong", ("order", "buy", "yes", MARKET, "10")),
    ("order-unknown-market", ("order", "buy", "yes", "NO-SUCH", "1@0.05", "--yes")),
    ("orders", ("orders",)),
    ("fills", ("fills",)),
    ("positions", ("positions",)),
    ("trades", ("trades", MARKET)),
    ("balance-after", ("balance",)),
    ("cancel-nothing", ("cancel",)),
    ("audit", ("audit", MARKET, "--seconds", "0")),
    ("config", ("config",)),
)


@pytest.mark.quick_cases("text")
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
async def test_every_command_prints_what_it_printed(
    tmp_path: Path, request: pytest.FixtureRequest, *, as_json: bool
) -> None:
    book = Book(update=bool(request.config.getoption("--update-golden")))
    suffix = ".json" if as_json else ".txt"
    clock = Still()
    async with trading(tmp_path, clock=clock, quiet=False) as trader, trader.at_once() as run:

        async def step(name: str, *arguments: str) -> Done:
            done = await run(*arguments, *(["--json"] if as_json else []))
            if as_json:
                check(arguments[0], done)
            book.hold(name + suffix, done, trader)
            return done

        for name, arguments in STEPS:
            await step(name, *arguments)
        order_id = resting_id(trader)
        await step("amend-dry-run", "amend", order_id, "4@0.05", "--dry-run")
        await step("amend-smaller", "amend", order_id, "4@0.05", "--yes")
        await step("amend-dearer", "amend", order_id, "4@0.06", "--yes")
        await step("amend-nothing", "amend", order_id, "4@0.06", "--yes")
        await step("cancel", "cancel", order_id, "--yes")
        await step("cancel-again", "cancel", order_id, "--yes")
        await step("orders-all", "orders", "--status", "all")
        # That there is no such order is proved by newer data of the exchange: the world goes on for this one.
        passing = asyncio.create_task(pass_time(clock))
        await step("cancel-unknown", "cancel", "no-such", "--yes")
        passing.cancel()
    assert not book.wrong, "\n".join(book.wrong)


async def pass_time(clock: Still) -> None:
    """Let a second of the exchange pass every tenth of one, until canceled."""
    while True:
        await asyncio.sleep(0.1)
        clock.advance(1_000)


def resting_id(trader: Trader) -> str:
    resting: list[Any] = [each for each in trader.exchange.exchange.queries.orders("alice") if each.remaining]
    (order,) = resting
    return str(order.order_id)


def test_no_file_is_left_over() -> None:
    extra = (
        "cancel-unknown",
        "amend-dry-run",
        "amend-smaller",
        "amend-dearer",
        "amend-nothing",
        "cancel",
        "cancel-again",
        "orders-all",
    )
    names = {f"{name}{suffix}" for name in (*(name for name, _ in STEPS), *extra) for suffix in (".txt", ".json")}
    assert names == {path.name for path in GOLDEN.iterdir()}
