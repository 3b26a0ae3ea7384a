"""The trader's own orders from the command line: counted, in the way, canceled first, and shown as they were meant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.domain.fees import FeeSchedule
from tests.support.cli_runner import Trader, tradable, trading

SURE = 60_000
UNFILLED = 6


@asynccontextmanager
async def at_work(home: Path) -> AsyncIterator[tuple[Trader, str]]:
    async with trading(home) as trader:
        trader.exchange.clock.advance(SURE)
        yield trader, tradable(trader.exchange)


async def rest(trader: Trader, ticker: str, side: str, price: str, count: str, *, who: str = "alice") -> str:
    """Put an order into the book, from elsewhere, and return its id."""
    reply = await trader.exchange.order(ticker, side, price, count, who=who)
    assert reply.status_code == 201, reply.text
    return str(reply.json()["order_id"])


async def ten_held(trader: Trader, ticker: str) -> None:
    await rest(trader, ticker, "ask", "0.5000", "10.00", who="bob")
    await rest(trader, ticker, "bid", "0.5000", "10.00")
    trader.exchange.clock.advance(SURE)


@pytest.mark.slow
async def test_a_second_sale_of_the_same_holding_opens(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await ten_held(trader, ticker)
        await rest(trader, ticker, "ask", "0.3000", "10.00")
        trader.exchange.clock.advance(SURE)
        before = (await trader.json("balance")).only["cash"]
        second = ("order", "sell", "yes", ticker, "10@0.30")
        preview = (await trader.json(*second, "--dry-run")).only["preview"]
        told = {name: preview[name] for name in ("closes", "opens", "held_after", "cash_change")}
        assert told == {"closes": "0.00", "opens": "10.00", "held_after": "-10.00", "cash_change": "-7.000000"}
        assert [each["remaining"] for each in preview["counted_orders"]] == ["10.00"]
        text = (await trader.run(*second, "--dry-run")).out
        assert "NO 10 at 0.30 as filled first" not in text
        assert "NO 10 at 0.70 as filled first" in text
        sent = await trader.json(*second, "--yes")
        assert sent.only["order"]["state"] == "resting"
        trader.exchange.clock.advance(SURE)
        after = (await trader.json("balance")).only["cash"]
        assert round((float(after) - float(before)) * 100) == -700
        await rest(trader, ticker, "bid", "0.3000", "20.00", who="bob")
        trader.exchange.clock.advance(SURE)
        held = (await trader.json("positions")).only
        assert (held["side"], held["count"]) == ("no", "10.00")


async def test_an_own_order_in_the_way_ends_the_new_one_and_it_is_said(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await rest(trader, ticker, "bid", "0.4000", "10.00")
        trader.exchange.clock.advance(SURE)
        sale = ("order", "sell", "yes", ticker, "10@0.40")
        planned = (await trader.json(*sale, "--dry-run")).only
        preview = planned["preview"]
        assert (preview["fills_now"], preview["rests"], preview["held_after"]) == ("0.00", "0.00", "0.00")
        assert preview["stops_at_own_order"]
        assert [each["remaining"] for each in preview["own_orders_met"]] == ["10.00"]
        assert any("--cancel-first" in each for each in planned["warnings"])
        text = (await trader.run(*sale, "--dry-run")).out
        assert "YES 10 at 0.40 in the way: 10 of this order canceled" in text
        sent = await trader.json(*sale, "--yes")
        assert sent.code == UNFILLED
        assert (sent.only["order"]["state"], sent.only["order"]["filled"]) == ("cancelled", "0.00")
        assert sent.error["code"] == "unfilled"
        assert ticker in sent.only["message"]


@pytest.mark.slow
async def test_with_maker_prevention_the_order_in_the_way_goes(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await rest(trader, ticker, "bid", "0.4000", "4.00", who="bob")
        own = await rest(trader, ticker, "bid", "0.4000", "10.00")
        await rest(trader, ticker, "bid", "0.4000", "3.00", who="bob")
        trader.exchange.clock.advance(SURE)
        sale = ("order", "sell", "yes", ticker, "10@0.40", "--self-trade", "maker")
        preview = (await trader.json(*sale, "--dry-run")).only["preview"]
        assert (preview["fills_now"], preview["rests"], preview["stops_at_own_order"]) == ("7.00", "3.00", False)
        assert [each["order_id"] for each in preview["own_orders_met"]] == [own]
        sent = await trader.json(*sale, "--yes")
        assert (sent.code, sent.only["order"]["filled"], sent.only["order"]["remaining"]) == (0, "7.00", "3.00")


@pytest.mark.slow
async def test_what_stands_before_the_own_order_fills(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await rest(trader, ticker, "bid", "0.4000", "4.00", who="bob")
        await rest(trader, ticker, "bid", "0.4000", "10.00")
        trader.exchange.clock.advance(SURE)
        sale = ("order", "sell", "yes", ticker, "10@0.40")
        assert (await trader.json(*sale, "--dry-run")).only["preview"]["fills_now"] == "4.00"
        sent = await trader.json(*sale, "--yes")
        assert (sent.code, sent.only["order"]["state"], sent.only["order"]["filled"]) == (0, "cancelled", "4.00")


@pytest.mark.slow
async def test_the_order_in_the_way_is_canceled_first(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        own = await rest(trader, ticker, "bid", "0.4000", "10.00")
        await rest(trader, ticker, "bid", "0.3900", "10.00", who="bob")
        trader.exchange.clock.advance(SURE)
        sale = ("order", "sell", "yes", ticker, "10@0.39", "--cancel-first")
        planned = (await trader.json(*sale, "--dry-run")).only
        assert planned["preview"]["fills_now"] == "10.00"
        assert [each["order_id"] for each in planned["canceled_first"]] == [own]
        assert [each.remaining for each in trader.exchange.exchange.queries.orders("alice")] == [1_000]
        sent = await trader.json(*sale, "--yes")
        assert (sent.code, sent.only["order"]["state"]) == (0, "filled")
        assert [each["state"] for each in sent.only["canceled_first"]] == ["cancelled"]


@pytest.mark.slow
async def test_a_post_only_order_is_sent_once_what_alone_would_reject_it_is_canceled(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        own = [await rest(trader, ticker, "bid", price, "10.00") for price in ("0.4000", "0.3900")]
        trader.exchange.clock.advance(SURE)
        sale = ("order", "sell", "yes", ticker, "1@0.39", "--post-only")
        async with trader.at_once() as run:
            for more in ("--dry-run", "--yes"):
                kept = await run(*sale, more, "--json")
                assert (kept.code, kept.error["code"]) == (1, "kept_back")
                said = kept.error["message"]
                assert "it would cross your own YES 10 at 0.40, YES 10 at 0.39. The exchange would reject it." in said
                assert all(f"(order {each})" in said.partition("--cancel-first cancels")[2] for each in own)
            planned = (await run(*sale, "--cancel-first", "--dry-run", "--json")).only
            assert (planned["preview"]["fills_now"], planned["preview"]["rests"]) == ("0.00", "1.00")
            assert [each["order_id"] for each in planned["canceled_first"]] == own
            sent = await run(*sale, "--cancel-first", "--yes", "--json")
            assert (sent.code, sent.only["order"]["state"]) == (0, "resting")
            assert [each["state"] for each in sent.only["canceled_first"]] == ["cancelled", "cancelled"]
            # Where an order of another would reject it too, nothing of the account's own is canceled for it.
            own = [await rest(trader, ticker, "bid", "0.3800", "10.00")]
            await rest(trader, ticker, "bid", "0.3700", "1.00", who="bob")
            trader.exchange.clock.advance(SURE)
            kept = await run(
                "order", "sell", "yes", ticker, "1@0.37", "--post-only", "--cancel-first", "--yes", "--json"
            )
            assert (kept.code, kept.error["code"]) == (1, "kept_back")
            assert "the bid is 0.38. The exchange would reject it." in kept.error["message"]
            resting = [each for each in trader.exchange.exchange.queries.orders("alice") if each.remaining]
            assert own[0] in [each.order_id for each in resting]


async def spendable(trader: Trader) -> Decimal:
    """Return the cash where the market is paid from."""
    first, *_ = (await trader.json("balance")).only["shards"]
    assert first["exchange_index"] == 0
    return Decimal(first["cash"])


@pytest.mark.slow
async def test_an_order_that_is_canceled_first_is_not_to_be_had_and_frees_its_cash(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await rest(trader, ticker, "ask", "0.4000", "10.00")
        trader.exchange.clock.advance(SURE)
        before = await spendable(trader)
        purchase = ("order", "buy", "yes", ticker, "5@0.40", "--cancel-first")
        preview = (await trader.json(*purchase, "--dry-run")).only["preview"]
        assert (preview["fills_now"], preview["rests"], preview["own_orders_met"]) == ("0.00", "5.00", [])
        # 10 NO at 0.60 are free again, 5 YES at 0.40 are set aside.
        assert Decimal(preview["cash_after"]) + Decimal(preview["fee_at_most"]) == before + 6 - 2
        sent = await trader.json(*purchase, "--yes")
        assert (sent.code, sent.only["order"]["state"]) == (0, "resting")
        trader.exchange.clock.advance(SURE)
        assert await spendable(trader) == before + 6 - 2


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["taker_at_cross", "maker"])
async def test_what_is_shown_of_cancel_first_is_what_the_account_shows_after(tmp_path: Path, mode: str) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        # It charges none, though the program knows of one.
        trader.exchange.exchange.markets.listings[ticker].fees = FeeSchedule.of("quadratic", 0)
        await rest(trader, ticker, "ask", "0.5000", "5.00", who="bob")
        await rest(trader, ticker, "bid", "0.5000", "5.00")
        for who, price, count in (("bob", "0.4000", "4"), ("alice", "0.4000", "10"), ("bob", "0.3900", "3")):
            await rest(trader, ticker, "bid", price, f"{count}.00", who=who)
        trader.exchange.clock.advance(SURE)
        sale = ("order", "sell", "yes", ticker, "12@0.39", "--cancel-first", "--self-trade", mode)
        async with trader.at_once() as run:
            before = await spendable(trader)
            planned = (await run(*sale, "--dry-run", "--json")).only
            preview = planned["preview"]
            assert (preview["fills_now"], preview["rests"], preview["own_orders_met"]) == ("7.00", "5.00", [])
            # 5 of 12 close, 7 NO are opened at 0.61.
            assert (preview["closes"], preview["opens"], preview["held_after"]) == ("5.00", "7.00", "-7.00")
            fee = Decimal(preview["fee_at_most"])
            assert Decimal(preview["max_loss"]) == 7 * Decimal("0.61") + fee
            sent = await run(*sale, "--yes", "--json")
            assert (sent.code, sent.only["order"]["filled"], sent.only["order"]["remaining"]) == (0, "7.00", "5.00")
            trader.exchange.clock.advance(SURE)
            # 4 close at 0.40 and 1 at 0.39, 2 open at 0.39 and 5 are set aside for; the own bid's $4.00 are free again.
            cash = before + 4 * Decimal("0.40") + Decimal("0.39") - 7 * Decimal("0.61") + 4
            assert Decimal(preview["cash_after"]) + fee == cash == await spendable(trader)
            await rest(trader, ticker, "bid", "0.3900", "5.00", who="bob")
            trader.exchange.clock.advance(SURE)
            held = (await run("positions", "--json")).only
            assert (held["side"], held["count"]) == ("no", "7.00")


async def test_the_cash_that_cancel_first_frees_is_counted_before_too_little_is_warned_of(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await rest(trader, ticker, "ask", "0.4000", "10000.00")
        trader.exchange.clock.advance(SURE)
        purchase = ("order", "buy", "yes", ticker, "15000@0.40", "--dry-run", "--json")
        async with trader.at_once() as run:
            left = (await run(*purchase)).only["warnings"]
            assert any(each.startswith("Needs $") and "It may be rejected" in each for each in left)
            freed = (await run(*purchase, "--cancel-first")).only["warnings"]
            assert not any("It may be rejected" in each for each in freed)


async def test_what_fills_further_before_it_is_canceled_first_keeps_the_order_back(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        own = await rest(trader, ticker, "bid", "0.4000", "10.00")
        trader.exchange.clock.advance(SURE)
        untroubled = trader.exchange.handle_request
        met: list[str] = []

        async def fill_first(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.method == "DELETE" and not met:
                met.append(request.path)
                await rest(trader, ticker, "ask", "0.4000", "4.00", who="bob")
            return await untroubled(request, handler)

        trader.exchange.handle_request = fill_first
        sent = await trader.json("order", "sell", "yes", ticker, "10@0.40", "--cancel-first", "--yes")
        assert (sent.code, sent.error["code"]) == (1, "kept_back")
        assert "filled 4 before it could be canceled" in sent.error["message"]
        assert met
        orders = trader.exchange.exchange.queries.orders("alice")
        assert [(each.order_id, each.filled, each.remaining) for each in orders] == [(own, 400, 0)]


def sides(lines: list[dict[str, Any]]) -> list[dict[str, str] | None]:
    return [each["meant"] for each in lines]


@pytest.mark.slow
async def test_orders_and_fills_are_shown_as_they_were_meant(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        sent = await trader.json("order", "sell", "yes", ticker, "4@0.05", "--yes")
        assert sent.code == 0
        await rest(trader, ticker, "ask", "0.0500", "3.00")
        await rest(trader, ticker, "bid", "0.0500", "1.00", who="bob")
        trader.exchange.clock.advance(SURE)
        meant = {"action": "sell", "side": "yes", "price": "0.0500"}
        assert sides((await trader.json("orders")).lines) == [None, meant]
        assert sides((await trader.json("fills")).lines) == [meant]
        listed = (await trader.run("orders")).out.splitlines()
        assert ["sell YES" in each for each in listed] == [False, False, True]
        assert "0.05 " in listed[2]
        assert "NO" in listed[1]
        assert "0.95 " in listed[1]
        assert "sell YES" in (await trader.run("fills")).out
        assert "sell YES" in (await trader.run("cancel", sent.only["order"]["order_id"], "--yes")).out
