"""One item of a list that nobody can read: all others are printed, it is named on standard error, the code is 5."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kalshi_tui.domain.order import BookSide, TimeInForce
from kalshi_tui.practice.engine.records import OrderRequest
from kalshi_tui.practice.server import rest_candlesticks, rest_markets, rest_portfolio
from tests.support.cli_runner import Trader, tradable, validator
from tests.support.practice_server import Serving, serving, spoiled

pytestmark = pytest.mark.slow
FIVE = 5


def trade(exchange: Serving, ticker: str, times: int) -> None:
    for _ in range(times):
        for who, side in (("bob", BookSide.ASK), ("alice", BookSide.BID)):
            exchange.exchange.order_entry.create(who, OrderRequest(ticker, side, 100, 4_000, TimeInForce.GTC))
    exchange.exchange.order_entry.create("alice", OrderRequest(ticker, BookSide.BID, 100, 100, TimeInForce.GTC))
    exchange.server.commit()


LISTS: tuple[tuple[str, tuple[str, ...], ModuleType, str, str, str], ...] = (
    ("orders", ("--status", "all"), rest_portfolio, "orders", "remaining_count_fp", "order"),
    ("fills", (), rest_portfolio, "fills", "count_fp", "fill"),
    ("positions", (), rest_portfolio, "market_positions", "position_fp", "position"),
    ("trades", ("TICKER",), rest_markets, "trades", "count_fp", "trade"),
)


async def test_candles_are_printed_without_the_one_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(quiet=False) as exchange:
        ticker = tradable(exchange)
        trade(exchange, ticker, 1)
        trader = Trader(exchange, tmp_path)
        async with trader.at_once() as run:
            arguments = ("candles", ticker, "--period", "minute", "--json", "--limit")
            whole = await run(*arguments, "10")
            assert (whole.code, whole.err, len(whole.lines)) == (0, "", 10), whole
            odd: list[int] = []

            def spoil(content: dict[str, Any]) -> None:
                candle = content["markets"][0]["candlesticks"][-4]
                candle["volume_fp"] = None
                odd.append(candle["end_period_ts"] * 1_000)

            spoiled(monkeypatch, rest_candlesticks, spoil)
            # A minute may begin in between: then there is one more, and the last one of before has gone on.
            done = await run(*arguments, "12")
            others = [each for each in whole.lines[:-1] if each["end_ms"] not in odd]
            assert len(others) == 8
            assert [each for each in done.lines if each in others] == others
            assert not any(each["end_ms"] in odd for each in done.lines)
            for each in done.lines:
                validator("candles").validate(each)
            (line,) = done.err.splitlines()
            assert line.startswith("kalshi-tui: 1 candle could not be read and is left out: "), line
            assert "volume_fp" in line
            assert done.code == FIVE


async def test_every_list_is_printed_without_what_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(quiet=False) as exchange:
        ticker, other = tradable(exchange), tradable(exchange, 1)
        trade(exchange, ticker, 3)
        trade(exchange, other, 1)
        trader = Trader(exchange, tmp_path)
        async with trader.at_once() as run:
            for command, more, module, field, odd, what in LISTS:
                arguments = (command, *(ticker if each == "TICKER" else each for each in more), "--json")
                whole = await run(*arguments)
                assert (whole.code, whole.err) == (0, ""), whole
                assert len(whole.lines) > 1, command

                def spoil(content: dict[str, Any], field: str = field, odd: str = odd) -> None:
                    if content.get(field):
                        content[field][0][odd] = None

                with monkeypatch.context() as patched:
                    spoiled(patched, module, spoil)
                    done = await run(*arguments)
                assert len(done.lines) == len(whole.lines) - 1, command
                assert [each for each in whole.lines if each in done.lines] == done.lines, command
                for each in done.lines:
                    validator(command).validate(each)
                (line,) = done.err.splitlines()
                assert line.startswith(f"kalshi-tui: 1 {what} could not be read and is left out: "), line
                assert odd in line
                assert done.code == FIVE, command
