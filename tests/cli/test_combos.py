"""``combos``, and a combo in the commands that take any market: listed, bought, valued and closed."""

from pathlib import Path

import pytest

from kalshi_tui.practice.simulation.simulated_combos import COMBO_COLLECTION
from tests.support.cli_runner import Trader, check
from tests.support.practice_server import ahead_to_noon_ms, serving


async def test_combos_are_listed_bought_and_closed_by_command(tmp_path: Path) -> None:
    async with serving(quiet=False, rate=0, ahead_ms=ahead_to_noon_ms()) as exchange:
        trader = Trader(exchange, tmp_path)
        async with trader.at_once() as run:
            collections = await run("combos", "--json")
            check("combos", collections)
            assert collections.only["ticker"] == COMBO_COLLECTION
            assert COMBO_COLLECTION in (await run("combos")).out
            listed = await run("combos", COMBO_COLLECTION, "--json")
            check("combos", listed)
            assert len(listed.lines) == 3
            combo = listed.lines[0]
            ticker = combo["ticker"]
            assert combo["product_bid"] <= combo["product_ask"]
            assert len(combo["legs"]) == 2
            table = (await run("combos", COMBO_COLLECTION)).out
            assert "Combo: " in table
            shown = await run("market", ticker, "--json")
            check("market", shown)
            assert [leg["side"] for leg in shown.only["legs"]] == ["yes", "no"]
            assert "legs" in (await run("market", ticker)).out
            await run("transfer", "100", "--from", "0", "--to", "1", "--yes")
            bought = await run(
                "order", "buy", "yes", ticker, f"5@{combo['yes_ask']}", "--tif", "ioc", "--yes", "--json"
            )
            check("order", bought)
            assert bought.only["order"]["state"] == "filled", bought
            assert ticker in (await run("positions")).out
            bid = exchange.exchange.markets.listings[ticker].yes_bid
            sold = await run("order", "sell", "yes", ticker, f"5@{bid / 10_000:.4f}", "--tif", "ioc", "--yes", "--json")
            assert sold.only["order"]["state"] == "filled", sold
            assert ticker not in (await run("positions")).out


@pytest.mark.slow
async def test_a_collection_that_nobody_has_made_is_empty(tmp_path: Path) -> None:
    async with serving() as exchange:
        trader = Trader(exchange, tmp_path)
        async with trader.at_once() as run:
            assert (await run("combos", "KXNONE-R")).out == "No combo exists in this collection.\n"
