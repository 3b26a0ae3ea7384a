"""``combos``, and a combo in the commands that take any market: listed, bought, valued and closed."""

from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.cli.output import format_time
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.price import PRICE_UNIT, format_count, format_money, format_price
from kalshi_tui.domain.text import split_combo_text
from kalshi_tui.practice.server import rest_markets
from kalshi_tui.practice.simulation.simulated_combos import COMBO_COLLECTION
from tests.support.cli_runner import Trader, check
from tests.support.combos import DAY_MS, captured_combos, captured_positions, hold_combos, list_combos
from tests.support.practice_server import ahead_to_noon_ms, serving, spoiled


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


@pytest.mark.slow
async def test_the_captured_combos_are_valued_closed_and_opened_again_by_command(tmp_path: Path) -> None:
    held = captured_positions()
    async with serving() as exchange:
        list_combos(exchange.exchange, captured_combos()[0], now_ms=exchange.clock())
        hold_combos(exchange.exchange, held, who="alice", other="bob")
        exchange.server.commit()
        trader = Trader(exchange, tmp_path)
        async with trader.at_once() as run:
            listed = await run("positions", "--json")
            check("positions", listed)
            rows = {row["ticker"]: row for row in listed.lines}
            assert len(rows) == len(held) == 4
            table = (await run("positions")).out
            for each in held:
                row, words = rows[each.combo.ticker], f"Combo: {', '.join(split_combo_text(each.combo.name))}"
                assert (row["market"], row["side"]) == (words, each.side.value)
                assert row["count"] == format_count(each.count)
                assert row["exit_price"] == format_price(each.bid)
                assert any(each.combo.ticker in line and words in line for line in table.splitlines())
            for each in held:
                ticker, side, count = each.combo.ticker, each.side.value, format_count(each.count)
                shown = (await run("market", ticker, "--json")).only
                assert [leg["side"] for leg in shown["legs"]] == [side for _, _, side in each.combo.legs]
                assert shown["can_close_early"]
                assert shown["expected_expiration_ms"] < shown["close_ms"] - DAY_MS
                # The end that is expected is when it closes; the last moment, two weeks from now, stands beside it.
                facts = [" ".join(line.split()) for line in (await run("market", ticker)).out.splitlines()]
                assert f"closes {format_time(shown['expected_expiration_ms'])}, expected" in facts
                assert f"at the latest {format_time(shown['close_ms'])}" in facts
                book = (await run("book", ticker, "--json")).only
                (level,) = book["yes_bids" if each.side is Side.YES else "no_bids"]
                assert level == {"price": format_price(each.bid), "count": format_count(10 * each.count)}
                at = format_price(each.bid)
                cash = exchange.exchange.queries.balance("alice").total
                closed = await run("order", "sell", side, ticker, f"{count}@{at}", "--tif", "ioc", "--yes", "--json")
                check("order", closed)
                assert closed.only["order"]["state"] == "filled", closed
                # What it was said to be worth is what the sale has brought.
                brought = exchange.exchange.queries.balance("alice").total - cash
                assert rows[ticker]["value"] == format_money(brought)
                fill = (await run("fills", "--ticker", ticker, "--limit", "1", "--json")).only
                yes_price = each.bid if each.side is Side.YES else PRICE_UNIT - each.bid
                assert (fill["count"], fill["yes_price"]) == (count, format_price(yes_price))
                # Bought again: it rests beside the bids that are there.
                opened = await run("order", "buy", side, ticker, f"{count}@{at}", "--yes", "--json")
                assert opened.only["order"]["state"] == "resting", opened
            assert (await run("positions")).out == "Nothing is held.\n"
            assert len((await run("orders", "--json")).lines) == 4


@pytest.mark.slow
async def test_positions_are_listed_though_their_markets_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = captured_positions()
    async with serving() as exchange:
        list_combos(exchange.exchange, captured_combos()[0], now_ms=exchange.clock())
        hold_combos(exchange.exchange, held, who="alice", other="bob")
        exchange.server.commit()
        trader = Trader(exchange, tmp_path)

        def without_a_date(content: dict[str, Any]) -> None:
            for market in content.get("markets") or ():
                if market["ticker"] == held[0].combo.ticker:
                    market["close_time"] = None

        def garbage(content: dict[str, Any]) -> None:
            content["markets"] = "none"

        async with trader.at_once() as run:
            for spoil, unread, why in (
                (without_a_date, 1, f"1 market could not be read and is left out: {held[0].combo.ticker} ("),
                (garbage, 4, "1 list of markets could not be read and is left out: that of the positions ("),
            ):
                spoiled(monkeypatch, rest_markets, spoil)
                done = await run("positions", "--json")
                assert len(done.lines) == 4
                lost = [row for row in done.lines if row["market"] is None]
                assert len(lost) == unread
                assert all(row["exit_price"] is None and row["value"] is None for row in lost)
                assert why in done.err
                assert done.code == 5
