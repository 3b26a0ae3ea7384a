"""What settled markets have paid, exactly, as programs and the desk read it, against the cash on the practice exchange.

docs/kalshi-api.md, sections 7, 8 and 16.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.domain.price import parse_money
from kalshi_tui.kalshi import KalshiClient, Retry, Settlement
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.practice.engine.market_outcome import binary_outcome, scalar_outcome
from kalshi_tui.practice.server import rest_portfolio
from tests.support.archive import DAY_MS, control, trade
from tests.support.cli_runner import tradable
from tests.support.practice_server import Serving, serving, spoiled


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


@pytest.fixture
async def client(exchange: Serving) -> AsyncIterator[KalshiClient]:
    environment = practice_on_port(exchange.port)
    async with KalshiClient(environment, exchange.signers["alice"], retry=Retry(attempts=1)) as made:
        yield made


def cash(exchange: Serving, who: str = "alice") -> int:
    return exchange.exchange.queries.balance(who).total


async def paths_asked(exchange: Serving, client: KalshiClient) -> tuple[list[Settlement], list[str]]:
    """Read the settlements; return them with the paths of the requests."""
    handle, asked = exchange.handle_request, list[str]()

    async def noting(request: web.Request, handler: Any) -> web.StreamResponse:
        asked.append(request.path.removeprefix("/trade-api/v2"))
        reply: web.StreamResponse = await handle(request, handler)
        return reply

    exchange.handle_request = noting
    found = await client.settlements()
    exchange.handle_request = handle
    return found, asked


@pytest.mark.parametrize(("count", "value"), [("7.77", 5_000), ("0.50", 5_050), ("10.61", 5_973), ("3.00", 2_500)])
async def test_a_scalar_payout_is_what_was_paid(
    exchange: Serving, client: KalshiClient, count: str, value: int
) -> None:
    ticker, before = tradable(exchange), cash(exchange)
    await trade(exchange, ticker, "0.4000", count)
    bought = cash(exchange)
    exchange.exchange.results.settle(ticker, scalar_outcome(value))
    (settled,) = await client.settlements()
    paid = cash(exchange) - bought
    worth = settled.yes_count * value
    assert (settled.revenue, settled.yes_value, settled.is_rounded) == (worth, value, False)
    # What cash has no decimals for is a fee, and the whole of it is the cash exactly.
    assert 0 <= settled.revenue - paid < 100
    assert settled.net == cash(exchange) - before
    sent = (await exchange.call("GET", "/portfolio/settlements")).json()["settlements"][0]["revenue"]
    assert settled.revenue_in_whole_cents == sent * 10_000 == worth - worth % 10_000


async def test_a_half_cent_of_a_payout_is_there_also_when_the_market_is_in_the_archive(
    exchange: Serving, client: KalshiClient
) -> None:
    ticker = tradable(exchange)
    await trade(exchange, ticker, "0.4000", "7.77")
    exchange.exchange.results.settle(ticker, scalar_outcome(5_000))
    (settled,) = await client.settlements()
    assert (settled.revenue, settled.revenue_in_whole_cents) == (parse_money("3.885"), parse_money("3.88"))
    # Also when the market has moved into the archive and the settlement has not.
    await control(exchange, "set_cutoff", ms=0, kind="markets")
    await control(exchange, "advance_clock", ms=DAY_MS)
    await control(exchange, "set_cutoff", ms=30 * DAY_MS, kind="positions")
    assert (await exchange.client.get(f"/trade-api/v2/markets/{ticker}")).status_code == 404
    assert await client.settlements() == [settled]


async def test_where_nobody_says_the_value_it_is_marked_as_rounded(exchange: Serving, client: KalshiClient) -> None:
    ticker = tradable(exchange)
    await trade(exchange, ticker, "0.4000", "7.77")
    exchange.exchange.results.settle(ticker, scalar_outcome(5_000))
    for status in (404, 500):
        await control(exchange, "fail_responses", status=status, count=1_000, path="/markets/")
        found = await client.settlements()
        assert [(each.revenue, each.is_rounded) for each in found] == [(3_880_000, True)]
        assert found.whole
    await control(exchange, "fail_responses", status=500, count=0, path="/markets/")
    assert [each.is_rounded for each in await client.settlements()] == [False]


@pytest.mark.parametrize("told", [("0.00", "0.00"), ("8.00", "0.00"), ("0.00", "7.77"), ("10.77", "3.00")])
async def test_fills_say_what_was_held_where_the_counts_do_not(
    exchange: Serving, client: KalshiClient, monkeypatch: pytest.MonkeyPatch, told: tuple[str, str]
) -> None:
    ticker = tradable(exchange)
    await trade(exchange, ticker, "0.4000", "10.00")
    await exchange.order(ticker, "bid", "0.4100", "2.23", who="bob")
    assert (await exchange.order(ticker, "ask", "0.4100", "2.23")).json()["fill_count"] == "2.23"
    before = cash(exchange)
    exchange.exchange.results.settle(ticker, scalar_outcome(4_050))
    paid = cash(exchange) - before

    def spoil(content: dict[str, Any]) -> None:
        for item in content.get("settlements") or ():
            item["yes_count_fp"], item["no_count_fp"] = told

    spoiled(monkeypatch, rest_portfolio, spoil)
    (settled,) = await client.settlements()
    assert (settled.revenue, settled.is_rounded) == (777 * 4_050, False)
    assert 0 <= settled.revenue - paid < 100
    # Without the fills nobody knows.
    await control(exchange, "fail_responses", status=500, count=1_000, path="/portfolio/fills")
    (settled,) = await client.settlements()
    assert (settled.revenue, settled.is_rounded) == (777 * 4_050 // 10_000 * 10_000, True)


async def test_a_payout_that_nothing_explains_stays_as_it_was_sent(
    exchange: Serving, client: KalshiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticker = tradable(exchange)
    await trade(exchange, ticker, "0.4000", "7.77")
    exchange.exchange.results.settle(ticker, scalar_outcome(5_000))

    def spoil(content: dict[str, Any]) -> None:
        for item in content.get("settlements") or ():
            item["revenue"] = 301

    spoiled(monkeypatch, rest_portfolio, spoil)
    (settled,) = await client.settlements()
    assert (settled.revenue, settled.is_rounded) == (3_010_000, True)


async def test_of_yes_and_no_the_market_is_not_asked_for(exchange: Serving, client: KalshiClient) -> None:
    for number, result in enumerate(("yes", "no")):
        ticker = tradable(exchange, number)
        await trade(exchange, ticker, "0.4000", "7.77")
        exchange.exchange.results.settle(ticker, binary_outcome(result))
    found, asked = await paths_asked(exchange, client)
    assert {each.result: each.revenue for each in found} == {"yes": 7_770_000, "no": 0}
    assert not any(each.is_rounded for each in found)
    assert asked[0] == "/portfolio/settlements"
    assert not any("/markets/" in each for each in asked)


@pytest.mark.parametrize("markets", [1, 12])
async def test_the_net_is_all_that_a_market_has_moved_of_the_cash(
    exchange: Serving, client: KalshiClient, markets: int
) -> None:
    nets = {}
    for number in range(markets):
        ticker, before = tradable(exchange, number), cash(exchange)
        await trade(exchange, ticker, "0.4000", "5.00")
        await exchange.order(ticker, "bid", "0.3900", "8.00", who="bob")
        assert (await exchange.order(ticker, "ask", "0.3900", "8.00")).json()["fill_count"] == "8.00"
        exchange.exchange.results.settle(ticker, binary_outcome("no"))
        nets[ticker] = cash(exchange) - before
    found, asked = await paths_asked(exchange, client)
    assert {each.ticker: each.net for each in found} == nets
    assert {each.realized for each in found} == {parse_money("-0.05")}
    # All fills at once cost less than those of many markets one by one.
    assert asked.count("/portfolio/fills") == 1
    await control(exchange, "fail_responses", status=500, count=1_000, path="/portfolio/fills")
    assert {each.net for each in await client.settlements()} == {None}


async def test_what_a_settlement_floor_has_paid_before_is_not_paid_again(
    exchange: Serving, client: KalshiClient
) -> None:
    candidates = [tradable(exchange, number) for number in range(40)]
    tickers = [
        each
        for each in candidates
        # An event of netted outcomes has none.
        if (await exchange.control("raise_floor", ticker=each, floor="0.0000")).status_code == 200
    ][:2]
    assert len(tickers) == 2
    for ticker, outcome, value in zip(
        tickers, (binary_outcome("yes"), scalar_outcome(5_050)), (10_000, 5_050), strict=True
    ):
        opening = cash(exchange)
        await trade(exchange, ticker, "0.4000", "7.77")
        await control(exchange, "raise_floor", ticker=ticker, floor="0.1100")
        before = cash(exchange)
        exchange.exchange.results.settle(ticker, outcome)
        paid = cash(exchange) - before
        settled = next(each for each in await client.settlements() if each.ticker == ticker)
        assert (settled.revenue, settled.is_rounded) == (777 * (value - 1_100), False)
        assert (settled.realized, settled.net) == (0, cash(exchange) - opening)
        assert 0 <= settled.revenue - paid < 100
        assert paid % 10_000, "the payout was to be finer than cents"
