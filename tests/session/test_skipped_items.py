"""What the exchange lists and nobody can read costs itself alone, and is told: desk, library, command line."""

from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, OrderTerms, TimeInForce
from kalshi_tui.kalshi import KalshiClient, UnknownOutcome
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.subscription import Happening, Report
from kalshi_tui.kalshi.order_status import HALF_READ
from kalshi_tui.kalshi.wire import Channel
from kalshi_tui.practice.engine.market_outcome import binary_outcome
from kalshi_tui.practice.engine.records import OrderRequest
from kalshi_tui.practice.server import rest_events, rest_markets, rest_portfolio
from kalshi_tui.session.bus import FeedReported
from tests.support.cli_runner import tradable, trading, validator
from tests.support.practice_server import Serving, Spoil, serving, spoiled
from tests.support.session_rig import US, Rig


def markets_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    nested = [market for event in content.get("events") or () for market in event.get("markets") or ()]
    return [*nested, *(content.get("markets") or ())]


def one_odd(ticker: str, untitled: str) -> Spoil:
    """Spoil one market for good, and leave another without its title."""

    def spoil(content: dict[str, Any]) -> None:
        for market in markets_of(content):
            if market["ticker"] == ticker:
                market["close_time"] = None
            if market["ticker"] == untitled:
                market["title"] = None

    return spoil


@pytest.mark.slow
async def test_commands_list_all_other_markets_and_say_which_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trading(tmp_path) as trader:
        whole = await trader.run("markets", "--json")
        assert (whole.code, whole.err) == (0, "")
        tickers = [each["ticker"] for each in whole.lines]
        odd, untitled = tickers[100], tickers[120]
        for module in (rest_markets, rest_events):
            spoiled(monkeypatch, module, one_odd(odd, untitled))
        done = await trader.run("markets", "--json")
        assert [each["ticker"] for each in done.lines] == [each for each in tickers if each != odd]
        for each in done.lines:
            validator("markets").validate(each)
        (line,) = done.err.splitlines()
        assert line.startswith(f"kalshi-tui: 1 market could not be read and is left out: {odd} (")
        assert "close_time" in line
        assert done.code == 5
        table = await trader.run("markets")
        assert (untitled in table.out, odd in table.out) == (True, False)
        assert (table.err, table.code) == (done.err, 5)


@pytest.mark.slow
async def test_commands_list_all_other_orders_and_say_which_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        ids = [(await trader.exchange.order(ticker, "bid", "0.01", "1")).json()["order_id"] for _ in range(3)]

        def spoil(content: dict[str, Any]) -> None:
            for order in content.get("orders") or ():
                if order["order_id"] == ids[1]:
                    order["remaining_count_fp"] = None

        spoiled(monkeypatch, rest_portfolio, spoil)
        done = await trader.run("orders", "--json")
        assert [each["order_id"] for each in done.lines] == [ids[2], ids[0]]
        assert f"1 order could not be read and is left out: {ids[1]} (" in done.err
        assert done.code == 5
        cancel = await trader.run("cancel", "--all", "--ticker", ticker, "--yes", "--wait", "2")
        assert cancel.code == 3
        assert f"1 order could not be read and is left out: {ids[1]} (" in cancel.err


def a_client(exchange: Serving) -> KalshiClient:
    return KalshiClient(practice_on_port(exchange.port), exchange.signers["alice"])


async def test_the_library_lists_all_other_markets_and_says_which_one_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving() as exchange, a_client(exchange) as client:
        tickers = [each.ticker async for each in client.markets(status="open")]
        for module in (rest_markets, rest_events):
            spoiled(monkeypatch, module, one_odd(tickers[100], tickers[120]))
        reading = client.markets(status="open")
        assert [each.ticker async for each in reading] == [each for each in tickers if each != tickers[100]]
        assert [(each.what, each.name) for each in reading.left_out] == [("market", tickers[100])]
        assert (await client.market(tickers[120])).ticker == tickers[120]


async def test_the_library_names_a_settlement_that_cannot_be_read_in_the_log_with_its_field(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as exchange, a_client(exchange) as client:
        tickers = [tradable(exchange, number) for number in range(3)]
        for ticker in tickers:
            for who, side in (("bob", BookSide.ASK), ("alice", BookSide.BID)):
                request = OrderRequest(ticker, side, 100, 4_000, TimeInForce.GTC)
                exchange.exchange.order_entry.create(who, request)
            exchange.exchange.results.settle(ticker, binary_outcome("yes"))
        exchange.server.commit()
        assert {each.ticker for each in await client.settlements()} == set(tickers)

        def spoil(content: dict[str, Any]) -> None:
            for each in content.get("settlements") or ():
                if each["ticker"] == tickers[1]:
                    each["revenue"] = None

        spoiled(monkeypatch, rest_portfolio, spoil)
        settlements = await client.settlements()
        assert {each.ticker for each in settlements} == {tickers[0], tickers[2]}
        assert [(each.what, each.name) for each in settlements.left_out] == [("settlement", tickers[1])]
        logged = [each.message for each in caplog.records if "cannot be read" in each.message]
        assert len(logged) == 1
        assert logged[0].startswith(f"Left out, for it cannot be read: settlement {tickers[1]}: ")
        assert "revenue" in logged[0]


@pytest.mark.slow
async def test_what_cannot_be_read_is_not_proved_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as exchange, a_client(exchange) as client:
        ticker = tradable(exchange)
        order_id = (await exchange.order(ticker, "bid", "0.01", "1")).json()["order_id"]

        def spoil(content: dict[str, Any]) -> None:
            for order in content.get("orders") or ():
                if isinstance(order, dict) and "initial_count_fp" in order:
                    order["initial_count_fp"] = None

        spoiled(monkeypatch, rest_portfolio, spoil)
        orders = await client.orders()
        assert (orders, orders.whole, [each.name for each in orders.left_out]) == ([], False, [order_id])
        with pytest.raises(UnknownOutcome):
            await client.find_order("never-sent", sent_ms=1, within_s=8)
        with pytest.raises(UnknownOutcome, match="could not be read whole"):
            await client.cancel_all(ticker=ticker, within_s=8)


async def test_the_desk_lists_all_other_markets_and_says_once_which_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    tickers = [each.ticker for each in rig.exchange.markets.visible() if each.status.tradable]
    odd, untitled = [each for each in tickers if each != rig.ticker][:2]
    for module in (rest_markets, rest_events):
        spoiled(monkeypatch, module, one_odd(odd, untitled))
    await rig.start()
    try:
        await rig.pass_time(10)
        store = rig.session.store
        assert set(store.markets) == set(tickers) - {odd}
        assert store.listing_progress is None, "the list begins again and again"
        rig.session.parts.readers.markets.request_refresh()
        await rig.pass_time(60, 1_000)
        told = [each.text for each in store.notices if "could not be read" in each.text]
        assert len(told) == 1, told
        assert told[0].startswith(f"1 market could not be read and is left out: {odd} (")
    finally:
        await rig.close()


async def test_a_position_that_cannot_be_read_stays_as_it_was_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    try:
        rig.trade(BookSide.ASK, 4000, 500)
        await rig.pass_time(3)
        rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, price=4000, count=500))
        await rig.pass_time(10)
        store = rig.session.store
        assert store.positions[rig.ticker].count == 500

        def spoil(content: dict[str, Any]) -> None:
            for position in content.get("market_positions") or ():
                position["position_fp"] = None

        spoiled(monkeypatch, rest_portfolio, spoil)
        rig.session.parts.readers.account.request_full_read()
        await rig.pass_time(60, 1_000)
        assert store.positions[rig.ticker].count == 500
        assert not store.account_differences
        told = [each.text for each in store.notices if "could not be read" in each.text]
        assert [each.split(" (")[0] for each in told] == [f"1 position could not be read and is left out: {rig.ticker}"]
    finally:
        await rig.close()


async def test_the_desk_does_not_call_a_list_empty_that_it_could_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    # Sent from elsewhere: the desk knows of it by the exchange's list alone.
    rig.exchange.order_entry.create(US, OrderRequest(rig.ticker, BookSide.BID, 100, 100, TimeInForce.GTC))
    rig.server.commit()

    def spoil(content: dict[str, Any]) -> None:
        for order in content.get("orders") or ():
            order["remaining_count_fp"] = None

    spoiled(monkeypatch, rest_portfolio, spoil)
    await rig.start()
    try:
        await rig.pass_time(5)
        canceling = rig.begin(rig.session.cancel_all(rig.ticker))
        await rig.pass_time(60, 1_000)
        result = canceling.result()
        assert not result.proved
        assert HALF_READ in result.sentence
    finally:
        await rig.close()


@pytest.mark.parametrize("told", [False, True])
async def test_news_of_the_account_that_cannot_be_read_is_read_by_rest_at_once(tmp_path: Path, *, told: bool) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    try:
        await rig.pass_time(5)
        rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, price=4000, count=500))
        await rig.pass_time(5)
        rig.deliver()
        # What the order itself has had read is over.
        await rig.pass_time(20)
        store = rig.session.store
        rig.trade(BookSide.ASK, 4000, 500)
        assert rig.untold
        rig.deliver("none")
        if told:
            store.bus.publish(FeedReported(Report(Happening.MISSED, Channel.FILL, "A fill makes no sense.")))
        await rig.pass_time(2, 100)
        assert (rig.ticker in store.positions) is told
        assert bool(store.fills) is told
    finally:
        await rig.close()
