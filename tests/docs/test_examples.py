"""The programs of the README's library section: shown as they are, and run against a practice exchange."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kalshi_tui.kalshi import KalshiClient, contracts, dollars, format_money
from tests.support.practice_server import PEMS, Serving, serving

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").iterdir())
NOT_PASSED_ON = ("KALSHI",)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_readme_shows_each_example_as_it_is(path: Path) -> None:
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert path.read_text() in shown


def test_there_are_five_and_each_is_short() -> None:
    assert len(EXAMPLES) == 5
    for path in EXAMPLES:
        body = path.read_text().split("async def main")[1].split("asyncio.run")[0]
        assert len(body.strip().splitlines()) <= 15, path.name


class Run:
    """An example as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        """Take the next line that it prints."""
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            return (await self.process.stdout.readline()).decode().rstrip("\n")

    async def lines(self) -> list[str]:
        """Wait for its end and take all that is left; nothing may stand on standard error."""
        async with asyncio.timeout(30):
            out, err = await self.process.communicate()
        assert err == b""
        assert self.process.returncode == 0
        return out.decode().splitlines()


class Shop:
    """An exchange with a market to trade in, and what an example needs to reach it."""

    def __init__(self, exchange: Serving, ticker: str, variables: dict[str, str]) -> None:
        self.exchange = exchange
        self.ticker = ticker
        self.variables = variables

    async def start(self, name: str, *arguments: str) -> Run:
        """Start an example."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(NOT_PASSED_ON)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "examples" / name),
            *arguments,
            env=kept | self.variables | {"PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return Run(process)


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[Shop]:
    async with serving() as exchange:
        key = folder / "alice.pem"
        key.write_bytes(PEMS["alice"])
        key.chmod(0o600)
        variables = {
            "KALSHI_API_KEY_ID": "key-of-alice",
            "KALSHI_PRIVATE_KEY_PATH": str(key),
            "KALSHI_REST_URL": f"http://127.0.0.1:{exchange.port}/trade-api/v2",
        }
        markets = (await exchange.get("/markets", status="open"))["markets"]
        ticker = next(each["ticker"] for each in markets if each["price_level_structure"] == "linear_cent")
        yield Shop(exchange, ticker, variables)


async def test_watch_book(tmp_path: Path) -> None:
    async with shop(tmp_path) as at:
        run = await at.start("watch_book.py", at.ticker, "2")
        assert await run.line() == "None None good"
        await at.exchange.order(at.ticker, "bid", "0.40", "3", who="bob")
        assert await run.lines() == ["4000 None good"]


async def test_top_of_book(tmp_path: Path) -> None:
    async with shop(tmp_path) as at:
        await at.exchange.order(at.ticker, "bid", "0.40", "3", who="bob")
        series = at.ticker.partition("-")[0]
        lines = await (await at.start("top_of_book.py", series)).lines()
        assert f"{at.ticker}: bid 0.4000, ask none" in lines
        assert all(line.startswith(series) for line in lines)


async def test_place_order(tmp_path: Path) -> None:
    async with shop(tmp_path) as at:
        run = await at.start("place_order.py", at.ticker)
        dry, taken = await run.lines()
        assert dry.startswith("cost 4.200000 worst loss 4.3")
        (order,) = (await at.exchange.call("GET", "/portfolio/orders")).json()["orders"]
        assert taken == f"taken {order['order_id']}"
        assert (order["status"], order["remaining_count_fp"]) == ("resting", "10.00")
        await at.exchange.control("fail_responses", status=500, count=1, after_processing=True, method="POST")
        _, was = await (await at.start("place_order.py", at.ticker)).lines()
        assert was.startswith("was Order(")


async def test_follow_fills(tmp_path: Path) -> None:
    async with shop(tmp_path) as at:
        await at.exchange.order(at.ticker, "bid", "0.40", "3")
        run = await at.start("follow_fills.py", "1")
        assert await run.line() == "following"
        await at.exchange.order(at.ticker, "ask", "0.40", "2", who="bob")
        assert await run.lines() == [f"bid 2.00 {at.ticker} 0.4000"]


async def test_settled(tmp_path: Path) -> None:
    async with shop(tmp_path) as at:
        await at.exchange.order(at.ticker, "bid", "0.40", "3", who="bob")
        await at.exchange.order(at.ticker, "ask", "0.40", "3")
        await at.exchange.control("settle", ticker=at.ticker, result="no")
        market, net, fees = await (await at.start("settled.py")).lines()
        async with KalshiClient.from_env(at.variables) as client:
            (settlement,) = await client.settlements()
            (fill,) = await client.fills()
        assert settlement.no_count == contracts("3")
        assert settlement.net == dollars("1.20") - fill.fee
        assert market == f"{at.ticker} no {format_money(settlement.net)}"
        assert net == f"net {format_money(settlement.net)}"
        assert fees == f"fees {format_money(fill.fee)}"
        # Two weeks later the fill is in the archive, and counts all the same; the settlement is forgotten.
        await at.exchange.control("advance_clock", ms=16 * 86_400_000)
        *_, fees = await (await at.start("settled.py")).lines()
        assert fees == f"fees {format_money(fill.fee)}"
