"""Orders from the command line: every end they can come to, what keeps them here, and what passes it."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.cli.exit_codes import UNFILLED
from kalshi_tui.cli.output import format_time
from kalshi_tui.domain.order import OrderState
from kalshi_tui.practice.engine.events import EngineEvent
from tests.support.cli_runner import (
    ROOT,
    Trader,
    ended,
    tradable,
    trading,
)

SURE = 60_000
"""So far the exchange's data have passed whatever was sent now."""


@asynccontextmanager
async def at_work(home: Path) -> AsyncIterator[tuple[Trader, str]]:
    async with trading(home) as trader:
        trader.exchange.clock.advance(SURE)
        yield trader, tradable(trader.exchange)


def unheard(events: Iterable[EngineEvent]) -> None:
    """Stand for the stream's publishing: frames are lost."""
    del events


def buying(ticker: str, amount: str = "10@0.40", *more: str) -> list[str]:
    return ["order", "buy", "yes", ticker, amount, "--yes", *more]


async def test_an_order_that_rests_is_in_the_journal_and_on_the_exchange(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        done = await trader.json(*buying(ticker, "2@40c"))
        assert done.code == 0
        order = done.only["order"]
        assert (order["state"], order["count"], order["remaining"], order["price"]) == (
            "resting",
            "2.00",
            "2.00",
            "0.4000",
        )
        (theirs,) = trader.exchange.exchange.queries.orders("alice")
        assert (theirs.order_id, theirs.client_order_id) == (order["order_id"], order["client_order_id"])
        journal = trader.journal()
        (entry,) = journal.open_entries()
        assert entry.order.client_order_id == order["client_order_id"]
        assert [each.what for each in journal.history(order["client_order_id"])] == ["drafted", "sending", "resting"]
        journal.close()


@pytest.mark.parametrize(("outcome", "yes_price"), [("yes", "0.4000"), ("no", "0.6000")])
async def test_the_price_is_of_the_outcome_named(tmp_path: Path, outcome: str, yes_price: str) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        done = await trader.json("order", "buy", outcome, ticker, "1@0.40", "--yes")
        assert done.only["order"]["yes_price"] == yes_price
        assert (done.only["order"]["side"], done.only["order"]["price"]) == (outcome, "0.4000")


@pytest.mark.slow
async def test_terms_reach_the_exchange(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        done = await trader.json(*buying(ticker, "1@0.40", "--post-only", "--expires", "+10m"))
        assert done.code == 0
        (theirs,) = trader.exchange.exchange.queries.orders("alice")
        assert theirs.post_only
        assert theirs.expires_ms == done.only["wish"]["expires_ms"]
        heading, row = (await trader.run("orders")).out.splitlines()
        column = heading.index("ENDS")
        assert row[column:].startswith(format_time(theirs.expires_ms))
        await trader.exchange.order(ticker, "ask", "0.4000", "1.00", who="bob")
        sold = await trader.json("order", "sell", "yes", ticker, "5@0.40", "--reduce-only", "--tif", "ioc", "--yes")
        assert sold.code == UNFILLED
        assert sold.only["order"]["state"] == "cancelled"
        assert "reduce_only" in sold.only["wish"]


@pytest.mark.slow
async def test_an_order_that_the_exchange_refuses(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        done = await trader.json(*buying(ticker, "99999@0.99", "--over-limit"))
        assert done.code == 1
        assert done.only["order"]["state"] == "refused"
        assert done.only["order"]["client_order_id"]
        assert any("Needs $" in each for each in done.only["warnings"])
        assert done.error["code"] == "refused"
        killed = await trader.json(*buying(ticker, "1@0.40", "--tif", "fok"))
        assert (killed.code, killed.only["order"]["state"]) == (1, "refused")


async def test_a_lost_answer_is_asked_about_until_it_is_known(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await trader.exchange.control("fail_responses", status=504, count=1, after_processing=True, method="POST")
        done = await trader.json(*buying(ticker))
        assert done.code == 0
        assert done.only["order"]["state"] == "resting"
        (theirs,) = trader.exchange.exchange.queries.orders("alice")
        assert done.only["order"]["order_id"] == theirs.order_id


@pytest.mark.slow
async def test_an_order_that_never_arrived_is_told_after_asking(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await trader.exchange.control("fail_responses", status=503, count=1, after_processing=False, method="POST")
        done = await trader.json(*buying(ticker))
        assert done.code == 1
        assert done.only["order"]["state"] == "not_sent"
        assert done.error["code"] == "not_sent"
        assert not list(trader.exchange.exchange.queries.orders("alice"))


@pytest.mark.slow
async def test_what_cannot_be_found_out_is_unknown_and_the_next_command_takes_it_up(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        # What was sent is not in the lists yet, and the answer is lost.
        await trader.exchange.control("read_lag", ms=3_600_000)
        trader.exchange.server.hub.publish = unheard  # type: ignore[method-assign]  # frames are lost too
        await trader.exchange.control("fail_responses", status=504, count=1, after_processing=True, method="POST")
        done = await trader.json(*buying(ticker, "10@0.40", "--wait", "2"))
        assert done.code == 3
        order = done.only["order"]
        assert (order["state"], order["order_id"]) == ("unknown", None)
        assert done.error["code"] == "unknown_outcome"
        assert "do not send it again" in done.only["message"]
        # As long as that is so, a second one like it needs a flag of its own; --yes is not enough.
        again = await trader.json(*buying(ticker, "10@0.40", "--wait", "1"))
        assert (again.code, again.error["code"]) == (1, "kept_back")
        assert "--second passes this" in again.error["message"]
        assert len(list(trader.exchange.exchange.queries.orders("alice"))) == 1
        await trader.exchange.control("read_lag", ms=0)
        other = await trader.json("order", "buy", "no", ticker, "1@0.10", "--yes")
        assert other.code == 0
        journal = trader.journal()
        states = {each.order.client_order_id: each.order.state for each in journal.open_entries()}
        journal.close()
        assert states[order["client_order_id"]] in {OrderState.RESTING, OrderState.UNKNOWN}
        if states[order["client_order_id"]] is OrderState.UNKNOWN:
            # Now it is found out: one like it has to be meant as a second, once that is known.
            told = await trader.json(*buying(ticker, "5@0.39"))
            assert told.code == 1
            assert "this would be a second. --second passes this" in told.error["message"]
        third = await trader.json(*buying(ticker, "5@0.39"))
        assert third.code == 0


@pytest.mark.slow
@pytest.mark.parametrize("told", [False, True], ids=["nobody tells", "the stream tells"])
async def test_ctrl_c_in_flight_prints_the_ids_and_what_is_known(tmp_path: Path, *, told: bool) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        server = trader.exchange.server
        if not told:
            server.hub.publish = unheard  # type: ignore[method-assign]  # frames of the account are lost
        arrived, let_go = asyncio.Event(), asyncio.Event()
        troubled = trader.exchange.handle_request

        async def slow(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.method == "POST":
                reply = await troubled(request, handler)
                arrived.set()
                await let_go.wait()
                return reply
            return await troubled(request, handler)

        trader.exchange.handle_request = slow  # the answer waits for the test
        process = await trader.start(*buying(ticker, "10@0.40", "--json"))
        async with asyncio.timeout(30):
            await arrived.wait()
        done = await ended(process, signal.SIGINT)
        let_go.set()
        order = done.only["order"]
        if told:
            assert (done.code, order["state"], bool(order["order_id"])) == (0, "resting", True)
            assert "as was known when you stopped waiting" in done.only["message"]
            return
        assert (done.code, done.error["code"]) == (3, "unknown_outcome")
        (theirs,) = trader.exchange.exchange.queries.orders("alice")
        assert (order["state"], order["client_order_id"]) == ("unknown", theirs.client_order_id)
        journal = trader.journal()
        (entry,) = journal.open_entries()
        assert (entry.order.client_order_id, entry.order.state) == (theirs.client_order_id, OrderState.UNKNOWN)
        journal.close()


@pytest.mark.slow
async def test_an_order_that_another_program_is_sending_is_no_reason_to_send_it_too(tmp_path: Path) -> None:
    # The others run in a process that has started by then: the first waits for its answer no longer than a request may.
    async with at_work(tmp_path) as (trader, ticker), trader.at_once() as run:
        assert (await run("orders")).code == 0
        arrived, let_go = asyncio.Event(), asyncio.Event()
        troubled = trader.exchange.handle_request

        async def slow(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.method == "POST" and not arrived.is_set():
                arrived.set()
                await let_go.wait()
            return await troubled(request, handler)

        trader.exchange.handle_request = slow  # the order is on its way for as long as the test wants
        first = await trader.start(*buying(ticker, "10@0.40", "--json"))
        async with asyncio.timeout(30):
            await arrived.wait()
        second = await run(*buying(ticker, "10@0.40", "--json"))
        assert (second.code, second.error["code"]) == (1, "kept_back")
        assert "this would be a second" in second.error["message"]
        # One on the other side, or one that is meant all the same, is not held back.
        assert (await run("order", "buy", "no", ticker, "1@0.10", "--yes", "--json")).code == 0
        assert (await run(*buying(ticker, "1@0.39", "--second", "--json"))).code == 0
        let_go.set()
        done = await ended(first)
        assert (done.code, done.only["order"]["state"]) == (0, "resting")
        # Both wrote into one journal, and what the others thought of the first has not stayed in it.
        journal = trader.journal()
        states = {each.order.client_order_id: each.order.state for each in journal.open_entries()}
        journal.close()
        assert set(states.values()) == {OrderState.RESTING}
        assert len(states) == 3


async def test_ctrl_c_before_anything_is_sent_sends_nothing(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        asked = asyncio.Event()
        troubled = trader.exchange.handle_request

        async def never(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.path.endswith(ticker):
                asked.set()
                await asyncio.sleep(60)
            return await troubled(request, handler)

        trader.exchange.handle_request = never  # the market is never told
        process = await trader.start(*buying(ticker))
        async with asyncio.timeout(30):
            await asked.wait()
        done = await ended(process, signal.SIGINT)
        assert done.code == 130
        assert not list(trader.exchange.exchange.queries.orders("alice"))


LIMITS = '[limits]\norder_contracts = "5"\npassing = "{}"\n'


@pytest.mark.slow
async def test_limits_of_the_settings_hold(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    async with at_work(tmp_path) as (trader, ticker):
        settings.write_text(LIMITS.format("word"))
        over = await trader.json(*buying(ticker, "6@0.40", "--settings", str(settings)))
        assert (over.code, over.out) == (1, "")
        assert "your limit is 5. --over-limit passes this." in over.error["message"]
        dry = await trader.json(*buying(ticker, "6@0.40", "--dry-run", "--settings", str(settings)))
        assert [(each["id"], each["flag"]) for each in dry.only["objections"]] == [
            ("limit of contracts an order", "--over-limit")
        ]
        passed = await trader.json(*buying(ticker, "6@0.40", "--over-limit", "--settings", str(settings)))
        assert passed.code == 0
        settings.write_text(LIMITS.format("never"))
        hard = await trader.json(*buying(ticker, "6@0.39", "--over-limit", "--settings", str(settings)))
        assert hard.code == 1
        assert "Nothing passes this." in hard.error["message"]
        assert len(list(trader.exchange.exchange.queries.orders("alice"))) == 1


@pytest.mark.slow
async def test_a_limit_far_through_the_market_takes_a_flag(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await trader.exchange.order(ticker, "ask", "0.7000", "5.00", who="bob")
        kept = await trader.json(*buying(ticker, "1@0.99"))
        assert (kept.code, kept.out) == (1, "")
        assert "This buys at up to 0.99, 0." in kept.error["message"]
        assert "--over-limit passes this." in kept.error["message"]
        assert not list(trader.exchange.exchange.queries.orders("alice"))
        passed = await trader.json(*buying(ticker, "1@0.99", "--over-limit"))
        assert (passed.code, passed.only["order"]["state"]) == (0, "filled")
        passive = await trader.json(*buying(ticker, "1@0.01"))
        assert (passive.code, passive.only["order"]["state"]) == (0, "resting")


@pytest.mark.slow
async def test_the_longest_life_of_the_settings_holds(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[dead_man]\nexpire_after_s = 600\ncancel_on_quit = true\n")
    async with at_work(tmp_path) as (trader, ticker):
        done = await trader.json(*buying(ticker, "1@0.40", "--settings", str(settings)))
        assert done.code == 0
        # The end of a command is no end of a desk: the order rests on, until its time.
        (theirs,) = trader.exchange.exchange.queries.orders("alice")
        assert theirs.remaining
        assert theirs.expires_ms
        longer = await trader.json(*buying(ticker, "1@0.40", "--expires", "1h", "--settings", str(settings)))
        assert longer.code == 1
        assert "dead-man" in longer.error["message"]


@pytest.mark.slow
async def test_read_only_sends_nothing(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        resting = await trader.exchange.order(ticker, "bid", "0.1000", "1.00")
        order_id = resting.json()["order_id"]
        wait = trader.command
        trader.command = lambda *rest: [*wait(*rest)[:2], "--read-only", *wait(*rest)[2:]]  # type: ignore[method-assign]
        for arguments in (
            buying(ticker),
            ["cancel", order_id, "--yes"],
            ["cancel", "--all", "--yes"],
            ["amend", order_id, "1@0.2", "--yes"],
        ):
            done = await trader.json(*arguments)
            assert (done.code, done.error["code"]) == (1, "kept_back"), arguments
            assert "--read-only" in done.error["message"]
        assert (await trader.json(*buying(ticker, "1@0.4", "--dry-run"))).code == 0
        (theirs,) = trader.exchange.exchange.queries.orders("alice")
        assert theirs.remaining


@pytest.mark.slow
async def test_real_money_takes_yes_and_the_profile(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        without = await trader.json("order", "buy", "yes", ticker, "1@0.40", "--env", "live")
        assert (without.code, without.error["code"]) == (1, "unconfirmed")
        assert not list(trader.exchange.exchange.queries.orders("alice"))
        done = await trader.json(*buying(ticker, "1@0.40", "--env", "live"))
        assert (done.code, done.only["venue"]) == (0, "LIVE")


@pytest.mark.slow
async def test_a_book_that_may_be_wrong_takes_a_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work(tmp_path) as (trader, ticker):

        async def no_stream(_: web.Request, _handler: Any = None) -> web.StreamResponse:
            return web.Response(status=503)

        troubled = trader.exchange.handle_request

        async def without_stream(request: web.Request, handler: Any) -> web.StreamResponse:
            return await (no_stream(request) if "/ws/" in request.path else troubled(request, handler))

        trader.exchange.handle_request = without_stream
        done = await trader.json(*buying(ticker))
        assert (done.code, done.error["code"]) == (1, "kept_back")
        assert "The book is WAITING" in done.error["message"]
        blind = await trader.json(*buying(ticker, "1@0.40", "--blind"))
        assert (blind.code, blind.only["order"]["state"]) == (0, "resting")


@pytest.mark.slow
async def test_two_orders_in_a_row_do_not_wait_for_each_other(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        for price in ("0.40", "0.39", "0.38"):
            done = await trader.json(*buying(ticker, f"1@{price}", "--wait", "1"))
            assert (done.code, done.only["objections"]) == (0, [])
        assert len(list(trader.exchange.exchange.queries.orders("alice"))) == 3


@pytest.mark.slow
async def test_cancel_by_either_id_and_all(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        first = (await trader.json(*buying(ticker, "1@0.40"))).only["order"]
        second = (await trader.json(*buying(ticker, "1@0.39"))).only["order"]
        for name, order in (("client_order_id", first), ("order_id", second)):
            done = await trader.json("cancel", order[name], "--yes")
            assert (done.code, done.only["proved"], done.only["cancelled"]) == (0, True, 1)
            assert done.only["order"]["order_id"] == order["order_id"]
        elsewhere = tradable(trader.exchange, 1)
        for place in (ticker, elsewhere):
            await trader.exchange.order(place, "bid", "0.1000", "1.00")
        some = await trader.json("cancel", "--all", "--ticker", ticker, "--yes")
        assert (some.code, some.only["cancelled"], some.only["ticker"]) == (0, 1, ticker)
        every = await trader.json("cancel", "--all", "--yes")
        assert (every.code, every.only["cancelled"], every.only["left"]) == (0, 1, [])
        assert not every.only["one_call"]
        assert not [each for each in trader.exchange.exchange.queries.orders("alice") if each.remaining]


@pytest.mark.slow
async def test_the_minute_after_the_one_call_outlives_the_command(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        trader.exchange.exchange.order_entry.has_cancel_all_minute = True
        settings = tmp_path / "settings.toml"
        settings.write_text("[cancel_all]\nby_name = 0\n")
        await trader.exchange.order(ticker, "bid", "0.1000", "1.00")
        every = await trader.json("cancel", "--all", "--yes", "--settings", str(settings))
        assert (every.code, every.only["cancelled"], every.only["one_call"]) == (0, 1, True)
        assert "within a minute after it may be canceled too" in every.only["message"]
        kept = await trader.json(*buying(ticker))
        assert kept.code == 1
        assert "--after-cancel-all passes this" in kept.error["message"]
        assert len(list(trader.exchange.exchange.queries.orders("alice"))) == 1
        passed = await trader.json(*buying(ticker, "1@0.40", "--after-cancel-all"))
        assert (passed.code, passed.only["order"]["state"]) == (0, "resting")
        # As the exchange may, this one takes it.
        trader.exchange.clock.advance(1_001)
        trader.exchange.server.world.step()
        assert not [each for each in trader.exchange.exchange.queries.orders("alice") if each.remaining]


@pytest.mark.slow
async def test_another_program_s_order_is_found_though_the_lists_do_not_have_it_yet(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        await trader.exchange.control("read_lag", ms=3_000)
        made = (await trader.exchange.order(ticker, "bid", "0.4000", "2.00")).json()
        done = await trader.json("amend", made["order_id"], "1@0.40", "--yes")
        assert done.code == 0, done.error
        await trader.exchange.order(ticker, "bid", "0.3900", "1.00", client_order_id="elsewhere-1")
        done = await trader.json("cancel", "elsewhere-1", "--yes")
        assert done.only["order"]["client_order_id"] == "elsewhere-1"
        assert [each.remaining for each in trader.exchange.exchange.queries.orders("alice") if each.remaining] == [100]


@pytest.mark.slow
async def test_a_cancel_that_comes_too_late_says_so(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        order = (await trader.json(*buying(ticker, "1@0.40"))).only["order"]
        await trader.exchange.order(ticker, "ask", "0.4000", "1.00", who="bob")
        done = await trader.json("cancel", order["order_id"], "--yes")
        assert done.code == 1
        assert done.only["order"]["state"] == "filled"
        assert "Filled" in done.error["message"]


async def test_a_cancel_that_is_not_proved_is_unknown(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        await trader.exchange.order(ticker, "bid", "0.1000", "1.00")
        # Its data never pass the cancel.
        done = await trader.json("cancel", "--all", "--yes", "--wait", "2")
        assert (done.code, done.error["code"]) == (3, "unknown_outcome")
        assert not done.only["proved"]


@pytest.mark.slow
async def test_an_expiry_is_amended_and_taken_away(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        order = (await trader.json(*buying(ticker, "10@0.40"))).only["order"]
        done = await trader.json("amend", order["order_id"], "--expires", "+10m", "--yes")
        assert (done.code, done.only["keeps_place"]) == (0, True)
        (theirs,) = trader.exchange.exchange.queries.orders("alice")
        assert theirs.expires_ms == done.only["order"]["expires_ms"] == done.only["wanted"]["expires_ms"] > 0
        done = await trader.json("amend", order["order_id"], "6@0.40", "--expires", "never", "--yes")
        assert (done.code, done.only["order"]["expires_ms"]) == (0, None)
        (theirs,) = trader.exchange.exchange.queries.orders("alice")
        assert (theirs.expires_ms, theirs.remaining) == (0, 600)
        wrong = await trader.run("amend", order["order_id"], "--expires", "soon", "--yes")
        assert wrong.code == 1
        assert "That is no time" in wrong.err


@pytest.mark.slow
async def test_amending_an_order_of_the_journal_and_one_of_elsewhere(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        own = (await trader.json("order", "buy", "no", ticker, "4@0.40", "--yes")).only["order"]
        reply = await trader.exchange.order(ticker, "bid", "0.2000", "3.00")
        elsewhere = reply.json()["order_id"]
        # The price is of the outcome under which it is listed: NO here.
        done = await trader.json("amend", own["order_id"], "4@0.41", "--yes")
        assert (done.code, done.only["order"]["side"], done.only["order"]["price"]) == (0, "no", "0.4100")
        named = await trader.json("amend", own["order_id"], "4@0.58", "--side", "yes", "--yes")
        assert (named.code, named.only["order"]["price"]) == (0, "0.4200")
        other = await trader.json("amend", elsewhere, "1@0.20", "--yes")
        assert (other.code, other.only["keeps_place"], other.only["order"]["remaining"]) == (0, True, "1.00")
        states = {each.order_id: each for each in trader.exchange.exchange.queries.orders("alice")}
        assert states[own["order_id"]].price == 5_800
        assert states[elsewhere].remaining == 100


@pytest.mark.slow
async def test_an_amendment_whose_answer_is_lost(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        order = (await trader.json(*buying(ticker, "4@0.40"))).only["order"]
        await trader.exchange.control("fail_responses", status=504, count=1, after_processing=True, method="POST")
        done = await trader.json("amend", order["order_id"], "4@0.41", "--yes")
        assert (done.code, done.only["order"]["price"]) == (0, "0.4100")
        await trader.exchange.control("fail_responses", status=400, count=1, after_processing=False, method="POST")
        refused = await trader.json("amend", order["order_id"], "4@0.42", "--yes")
        assert (refused.code, refused.only["order"]["price"]) == (1, "0.4100")


@pytest.mark.slow
@pytest.mark.parametrize("count", ["1", "8"], ids=["less", "more"])
async def test_an_amendment_that_never_arrived_is_not_done(tmp_path: Path, count: str) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        order = (await trader.json(*buying(ticker, "4@0.40"))).only["order"]
        await trader.exchange.control("fail_responses", status=504, count=1, after_processing=False, method="POST")
        done = await trader.json("amend", order["order_id"], f"{count}@0.40", "--yes")
        assert (done.code, done.only["order"]["remaining"]) == (1, "4.00")
        assert "Not changed" in done.error["message"]
        (theirs,) = trader.exchange.exchange.queries.orders("alice")
        assert theirs.remaining == 400


MARKET_LIMIT = '[limits]\nmarket_contracts = "{}"\npassing = "{}"\n'


@pytest.mark.slow
async def test_a_limit_of_a_market_holds_though_the_exchange_s_lists_lag(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(MARKET_LIMIT.format(5, "never"))
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        await trader.exchange.order(ticker, "ask", "0.4000", "20.00", who="bob")
        await trader.exchange.control("read_lag", ms=2_000)
        take = buying(ticker, "5@0.40", "--tif", "ioc", "--settings", str(settings))
        assert (await trader.json(*take)).only["order"]["state"] == "filled"
        second = await trader.json(*take)
        assert (second.code, second.error["code"]) == (1, "kept_back")
        assert sum(each.filled for each in trader.exchange.exchange.queries.orders("alice")) == 500


@pytest.mark.slow
async def test_what_was_bought_today_counts_once(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(MARKET_LIMIT.format(12, "never"))
    async with at_work(tmp_path) as (trader, ticker):
        await trader.exchange.order(ticker, "ask", "0.4000", "20.00", who="bob")
        await trader.exchange.order(ticker, "bid", "0.3900", "20.00", who="bob")
        take = buying(ticker, "5@0.40", "--settings", str(settings))
        for _ in range(2):
            assert (await trader.json(*take)).code == 0
        settings.write_text(MARKET_LIMIT.format(4, "never"))
        # Closing what is held takes risk away, however small the limit.
        done = await trader.json("order", "sell", "yes", ticker, "10@0.39", "--yes", "--settings", str(settings))
        assert (done.code, done.only["order"]["state"]) == (0, "filled")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("passing", "flags", "code"), [("never", (), 1), ("word", (), 1), ("word", ("--over-limit",), 0)]
)
async def test_without_the_account_a_limit_of_a_market_is_not_passed_blindly(
    tmp_path: Path, passing: str, flags: tuple[str, ...], code: int
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(MARKET_LIMIT.format(5, passing))
    async with at_work(tmp_path) as (trader, ticker):
        troubled = trader.exchange.handle_request

        async def no_positions(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.path.endswith("/portfolio/positions"):
                return web.Response(status=500)
            return await troubled(request, handler)

        trader.exchange.handle_request = no_positions  # the account cannot be read
        done = await trader.json(*buying(ticker, "2@0.40", "--blind", *flags, "--settings", str(settings)))
        assert done.code == code
        assert len(list(trader.exchange.exchange.queries.orders("alice"))) == (code == 0)


@pytest.mark.slow
async def test_an_order_can_be_canceled_before_the_exchange_s_lists_have_it(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await trader.exchange.control("read_lag", ms=20_000)
        order = (await trader.json(*buying(ticker, "1@0.40"))).only["order"]
        done = await trader.json("cancel", order["order_id"], "--yes", "--wait", "2")
        assert done.code in {0, 3}
        assert not [each for each in trader.exchange.exchange.queries.orders("alice") if each.remaining]


async def test_an_output_that_cannot_be_written_hides_no_order(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", 'exec "$@" >/dev/full', "sh", sys.executable, *trader.command(*buying(ticker), "--json"),
            stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env=trader.environment, cwd=ROOT,
        )  # fmt: skip
        _, told = await process.communicate()
        (theirs,) = trader.exchange.exchange.queries.orders("alice")
        assert process.returncode == 0
        assert theirs.order_id in told.decode()
        assert theirs.client_order_id in told.decode()


async def test_more_than_one_ctrl_c_still_tells_the_ids(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        server = trader.exchange.server
        server.hub.publish = unheard  # type: ignore[method-assign]  # frames of the account are lost
        arrived, let_go = asyncio.Event(), asyncio.Event()
        troubled = trader.exchange.handle_request

        async def slow(request: web.Request, handler: Any) -> web.StreamResponse:
            reply = await troubled(request, handler)
            if request.method == "POST":
                arrived.set()
                await let_go.wait()
            return reply

        trader.exchange.handle_request = slow  # the answer waits for the test
        process = await trader.start(*buying(ticker, "10@0.40", "--json"))
        async with asyncio.timeout(30):
            await arrived.wait()
        for _ in range(3):
            process.send_signal(signal.SIGINT)
        done = await ended(process, signal.SIGINT)
        let_go.set()
        (theirs,) = trader.exchange.exchange.queries.orders("alice")
        assert (done.code, done.only["order"]["client_order_id"]) == (3, theirs.client_order_id)


@pytest.mark.slow
async def test_a_journal_that_cannot_be_used_sends_no_order_but_cancels(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        reply = await trader.exchange.order(ticker, "bid", "0.1000", "1.00")
        trader.data.mkdir()
        (trader.data / "journal.sqlite3").write_text("this is no database, and is longer than a header of one" * 20)
        kept = await trader.json(*buying(ticker))
        assert (kept.code, kept.error["code"]) == (1, "journal")
        done = await trader.run("cancel", reply.json()["order_id"], "--yes", "--json")
        assert (done.code, done.only["proved"]) == (0, True)
        assert "Canceling works all the same." in done.err


@pytest.mark.slow
async def test_an_order_that_was_in_doubt_and_is_found_is_not_doubled(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await trader.exchange.control("read_lag", ms=3_600_000)
        publish = trader.exchange.server.hub.publish
        trader.exchange.server.hub.publish = unheard  # type: ignore[method-assign]  # frames are lost
        await trader.exchange.control("fail_responses", status=504, count=1, after_processing=True, method="POST")
        assert (await trader.json(*buying(ticker, "7@0.40", "--wait", "1"))).code == 3
        await trader.exchange.control("read_lag", ms=0)
        trader.exchange.server.hub.publish = publish  # type: ignore[method-assign]  # and come again
        again = await trader.json(*buying(ticker, "7@0.40"))
        assert (again.code, again.out) == (1, "")
        assert "was in doubt when this command began, and was taken" in again.error["message"]
        assert len(list(trader.exchange.exchange.queries.orders("alice"))) == 1
        meant = await trader.json(*buying(ticker, "7@0.40", "--second"))
        assert meant.code == 0


@pytest.mark.slow
async def test_what_became_of_an_order_in_doubt_is_told(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        await trader.exchange.control("read_lag", ms=3_600_000)
        await trader.exchange.control("fail_responses", status=504, count=1, after_processing=False, method="POST")
        assert (await trader.json(*buying(ticker, "7@0.40", "--wait", "1"))).code == 3
        await trader.exchange.control("read_lag", ms=0)
        done = await trader.json(*buying(ticker, "1@0.30"))
        assert done.code == 0
        (warning,) = done.only["warnings"]
        assert "YES 7 at 0.40" in warning
        assert warning.endswith("is not sent.")


async def test_a_closed_output_sends_nothing(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker):
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", 'exec "$@" >&-', "sh", sys.executable, *trader.command(*buying(ticker)),
            stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env=trader.environment, cwd=ROOT,
        )  # fmt: skip
        _, told = await process.communicate()
        assert (process.returncode, b"standard output is closed" in told) == (1, True)
        assert not list(trader.exchange.exchange.queries.orders("alice"))
