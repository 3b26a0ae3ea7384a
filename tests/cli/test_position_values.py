"""What positions are worth by command: what a sale of all brings, whatever the account's own orders bid."""

from pathlib import Path

from kalshi_tui.domain.price import format_money
from tests.support.archive import trade
from tests.support.cli_runner import Trader, tradable
from tests.support.practice_server import serving


async def test_a_value_is_what_the_sale_then_brings(tmp_path: Path) -> None:
    async with serving() as exchange:
        ticker = tradable(exchange)
        await trade(exchange, ticker, "0.4000", "10")
        await exchange.order(ticker, "bid", "0.3000", "4", who="bob")
        await exchange.order(ticker, "bid", "0.2500", "5", who="bob")
        own = (await exchange.order(ticker, "bid", "0.3500", "1")).json()["order_id"]
        async with Trader(exchange, tmp_path).at_once() as run:
            row = (await run("positions", "--json")).only
            balance = (await run("balance", "--json")).only
            assert (row["exit_price"], row["unsold"]) == ("0.3000", "1.00")
            assert balance["positions_value"] == row["value"]
            await run("cancel", own, "--yes")
            cash = exchange.exchange.queries.balance("alice").total
            sold = (
                await run("order", "sell", "yes", ticker, "10@0.01", "--tif", "ioc", "--over-limit", "--yes", "--json")
            ).only
            assert sold["order"]["filled"] == "9.00"
            assert row["value"] == format_money(exchange.exchange.queries.balance("alice").total - cash)
            # Nobody bids for what is left.
            assert (await run("balance", "--json")).only["positions_value"] == "0.000000"


async def test_the_cash_is_told_where_positions_cannot_be_read(tmp_path: Path) -> None:
    async with serving() as exchange:
        await trade(exchange, tradable(exchange), "0.4000", "10")
        async with Trader(exchange, tmp_path).at_once() as run:
            await exchange.control("fail_responses", status=403, count=1_000, path="/portfolio/positions")
            done = await run("balance", "--json")
            assert done.only["positions_value"] is None
            assert "1 list of positions could not be read and is left out: that of the balance (" in done.err
