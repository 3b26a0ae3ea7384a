"""Replies held against the field lists of docs/kalshi-api.md: which keys are there, and which are null, not absent."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.practice_server import Serving, resting_order, serving

ORDER = {
    "order_id", "user_id", "client_order_id", "ticker", "outcome_side", "book_side", "type", "status",
    "yes_price_dollars", "no_price_dollars", "fill_count_fp", "remaining_count_fp", "initial_count_fp",
    "taker_fill_cost_dollars", "maker_fill_cost_dollars", "taker_fees_dollars", "maker_fees_dollars",
    "expiration_time", "created_time", "last_update_time", "self_trade_prevention_type", "order_group_id",
    "cancel_order_on_pause", "subaccount_number", "exchange_index",
}  # fmt: skip
FILL = {
    "fill_id", "trade_id", "order_id", "exchange_index", "ticker", "market_ticker", "outcome_side", "book_side",
    "count_fp", "yes_price_dollars", "no_price_dollars", "is_taker", "fee_cost", "created_time",
    "subaccount_number", "ts",
}  # fmt: skip
POSITION = {
    "ticker", "exchange_index", "position_fp", "market_exposure_dollars", "realized_pnl_dollars", "fees_paid_dollars",
    "total_traded_dollars", "last_updated_ts",
}  # fmt: skip
EVENT_POSITION = {
    "event_ticker", "total_cost_dollars", "total_cost_shares_fp", "event_exposure_dollars", "realized_pnl_dollars",
    "fees_paid_dollars",
}  # fmt: skip
SETTLEMENT = {
    "ticker", "event_ticker", "exchange_index", "market_result", "yes_count_fp", "no_count_fp",
    "yes_total_cost_dollars", "no_total_cost_dollars", "revenue", "settled_time", "fee_cost", "value",
}  # fmt: skip
DEPRECATED = {"side", "action"}
AMENDED = ("remaining_count", "fill_count", "average_fill_price", "average_fee_paid")
CREATED_ITEM = {"order_id", "client_order_id", "fill_count", "remaining_count", "average_fill_price",
                "average_fee_paid", "ts_ms", "error"}  # fmt: skip
CANCELED_ITEM = {"order_id", "client_order_id", "reduced_by", "ts_ms", "error"}
ORDERS = "/portfolio/events/orders"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange() -> AsyncIterator[Serving]:
    """Run one exchange for all tests here: each takes a market of its own."""
    async with serving() as running:
        yield running


@pytest.fixture(scope="module")
def tickers(exchange: Serving) -> Any:
    return iter(
        [
            each.ticker
            for each in exchange.exchange.markets.visible()
            if each.structure == "linear_cent" and each.status.value == "active" and not each.shard
        ]
    )


@pytest.fixture
def ticker(tickers: Any) -> str:
    return str(next(tickers))


async def told(exchange: Serving, path: str, **query: Any) -> Any:
    reply = await exchange.call("GET", path, **query)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_what_an_amendment_did_not_change_is_null(exchange: Serving, ticker: str) -> None:
    await exchange.order(ticker, "ask", "0.5000", "2.00", who="bob")
    order_id = (await exchange.order(ticker, "bid", "0.0400", "5.00")).json()["order_id"]
    path = f"{ORDERS}/{order_id}/amend"
    terms = {"ticker": ticker, "side": "bid", "price": "0.0400", "count": "5.00"}

    expiry = await exchange.call("POST", path, terms | {"expiration_time": int(time.time()) + 3_600})
    assert {name: expiry.json()[name] for name in AMENDED} == dict.fromkeys(AMENDED)
    resized = (await exchange.call("POST", path, terms | {"count": "6.00"})).json()
    assert [resized[name] for name in AMENDED] == ["6.00", "0.00", None, None]
    crossed = (await exchange.call("POST", path, terms | {"price": "0.5000"})).json()
    assert crossed["fill_count"] == "2.00"
    assert crossed["average_fill_price"]
    assert crossed["average_fee_paid"]


async def test_every_item_of_a_batch_has_every_key(exchange: Serving, ticker: str) -> None:
    good = resting_order(ticker, "bid", "0.0200", "1.00")
    made = await exchange.call("POST", f"{ORDERS}/batched", {"orders": [good, good | {"price": "7"}]})
    first, second = made.json()["orders"]
    assert set(first) == CREATED_ITEM
    assert first["error"] is None
    assert first["average_fill_price"] is None
    assert second["error"]["code"]
    assert {name for name, value in second.items() if value is None} == CREATED_ITEM - {"order_id", "error"}

    gone = {"orders": [{"order_id": first["order_id"], "market_ticker": ticker}, {"order_id": "no-such"}]}
    first, second = (await exchange.call("DELETE", f"{ORDERS}/batched", gone)).json()["orders"]
    assert set(first) == set(second) == CANCELED_ITEM
    assert first["error"] is None
    assert second["error"]["code"]
    assert (second["reduced_by"], second["client_order_id"], second["ts_ms"]) == ("0.00", None, None)


async def test_the_lists_of_the_account_and_of_the_archive_have_the_same_fields(exchange: Serving, ticker: str) -> None:
    await exchange.order(ticker, "ask", "0.3000", "3.00", who="bob")
    await exchange.order(ticker, "bid", "0.3000", "3.00")
    order = (await told(exchange, "/portfolio/orders", ticker=ticker))["orders"][0]
    assert set(order) - DEPRECATED == ORDER
    assert (order["order_group_id"], order["expiration_time"]) == (None, None)
    assert set((await told(exchange, "/portfolio/fills", ticker=ticker))["fills"][0]) - DEPRECATED == FILL
    held = await told(exchange, "/portfolio/positions", ticker=ticker)
    assert set(held["market_positions"][0]) == POSITION
    assert set(held["event_positions"][0]) == EVENT_POSITION
    await exchange.control("settle", ticker=ticker, result="yes")
    assert set((await told(exchange, "/portfolio/settlements", ticker=ticker))["settlements"][0]) == SETTLEMENT


async def test_fills_of_several_markets_at_once(exchange: Serving, tickers: Any) -> None:
    two = [next(tickers), next(tickers)]
    for each in two:
        await exchange.order(each, "ask", "0.3000", "1.00", who="bob")
        await exchange.order(each, "bid", "0.3000", "1.00")
    found = (await told(exchange, "/portfolio/fills", ticker=",".join(two)))["fills"]
    assert sorted(each["ticker"] for each in found) == sorted(two)
    assert (await exchange.call("GET", "/portfolio/fills", ticker="A," * 100 + "B")).status_code == 400
    assert (await exchange.call("GET", "/portfolio/orders", event_ticker="A," * 10 + "B")).status_code == 400


async def test_the_markets_of_one_event_stand_beside_it_in_either_form(exchange: Serving, ticker: str) -> None:
    event_ticker = exchange.exchange.markets.listing(ticker).terms.event_ticker
    plain = await exchange.get(f"/events/{event_ticker}")
    nested = await exchange.get(f"/events/{event_ticker}", with_nested_markets="true")
    assert "markets" not in plain["event"]
    assert plain["markets"] == nested["markets"] == nested["event"]["markets"]


async def test_one_series_with_its_volume(exchange: Serving, ticker: str) -> None:
    await exchange.order(ticker, "ask", "0.3000", "1.50", who="bob")
    await exchange.order(ticker, "bid", "0.3000", "1.50")
    series_ticker = exchange.exchange.markets.listing(ticker).terms.series_ticker
    assert "volume_fp" not in (await exchange.get(f"/series/{series_ticker}"))["series"]
    one = (await exchange.get(f"/series/{series_ticker}", include_volume="true"))["series"]
    assert one in (await exchange.get("/series", include_volume="true"))["series"]
    assert one["volume_fp"] != "0.00"


async def test_a_candle_without_a_trade_has_null_prices(exchange: Serving, ticker: str) -> None:
    await exchange.order(ticker, "bid", "0.0400", "5.00")
    series_ticker, now = exchange.exchange.markets.listing(ticker).terms.series_ticker, exchange.clock() // 1_000
    span = {"start_ts": now - 7_200, "end_ts": now + 60, "period_interval": 1}
    found = await exchange.get(f"/series/{series_ticker}/markets/{ticker}/candlesticks", **span)
    price = found["candlesticks"][-1]["price"]
    names = ("open", "low", "high", "close", "mean", "min", "max", "previous")
    assert set(price) == {f"{name}_dollars" for name in names}
    assert price["open_dollars"] is None


async def test_a_group_is_found_on_its_shard_alone(exchange: Serving) -> None:
    groups = "/portfolio/order_groups"
    made = (await exchange.call("POST", groups + "/create", {"contracts_limit": 5, "exchange_index": 2})).json()
    path = f"{groups}/{made['order_group_id']}"
    for method, end, body in (
        ("PUT", "/reset", {}),
        ("PUT", "/trigger", {}),
        ("PUT", "/limit", {"contracts_limit": 4}),
    ):
        assert (await exchange.call(method, path + end, body)).status_code == 404
        assert (await exchange.call(method, path + end, body, exchange_index=2)).status_code == 200
    assert (await exchange.call("DELETE", path)).status_code == 404
    deleted = await exchange.call("DELETE", path, exchange_index=2)
    assert (deleted.status_code, deleted.json()) == (200, {})


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ("/portfolio/deposits", {"limit": 500}, {"deposits": [], "cursor": ""}),
        ("/portfolio/withdrawals", {}, {"withdrawals": [], "cursor": ""}),
        ("/communications/rfqs", {}, {"rfqs": [], "cursor": ""}),
        ("/communications/quotes", {"user_filter": "self"}, {"quotes": [], "cursor": ""}),
        ("/communications/block-trade-proposals", {}, {"block_trade_proposals": [], "cursor": ""}),
        ("/structured_targets", {"page_size": 2000}, {"structured_targets": [], "cursor": ""}),
        ("/milestones", {"limit": 500}, {"milestones": [], "cursor": ""}),
        ("/incentive_programs", {"limit": 10000}, {"incentive_programs": [], "next_cursor": ""}),
        ("/live_data/batch", {"milestone_ids": "a"}, {"live_datas": []}),
        ("/search/filters_by_sport", {}, {"filters_by_sports": {}, "sport_ordering": []}),
    ],
)
async def test_what_is_not_traded_here_is_an_empty_list(
    exchange: Serving, path: str, query: dict[str, Any], body: dict[str, Any]
) -> None:
    assert await told(exchange, path, **query) == body


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/portfolio/deposits", {"limit": 501}, 400),
        ("/milestones", {}, 400),
        ("/structured_targets", {"page_size": 2001}, 400),
        ("/communications/quotes", {}, 403),
        ("/communications/rfqs/no-such", {}, 404),
    ],
)
async def test_an_empty_list_too_is_asked_for_properly(
    exchange: Serving, path: str, query: dict[str, Any], status: int
) -> None:
    assert (await exchange.call("GET", path, **query)).status_code == status


async def test_who_asks_for_quotes_has_a_name_that_is_no_account(exchange: Serving) -> None:
    alice = await told(exchange, "/communications/id")
    bob = (await exchange.call("GET", "/communications/id", who="bob")).json()
    assert alice != bob
    assert len(bytes.fromhex(alice["communications_id"])) == 32
    assert (await exchange.client.get("/trade-api/v2/communications/id")).status_code == 401


async def test_tags_are_those_of_the_series(exchange: Serving) -> None:
    tags = (await exchange.get("/search/tags_by_categories"))["tags_by_categories"]
    series = (await exchange.get("/series"))["series"]
    assert set(tags) == {each["category"] for each in series}
    assert all(set(each["tags"]) <= set(tags[each["category"]]) for each in series)
    assert any(tags.values())


async def test_netting_is_set_and_listed(exchange: Serving) -> None:
    reply = await exchange.call("PUT", "/portfolio/subaccounts/netting", {"subaccount_number": 0, "enabled": True})
    # Nothing is promised about the body; some clients parse one.
    assert (reply.status_code, reply.json()) == (200, {})
    assert all(each["enabled"] for each in (await told(exchange, "/portfolio/subaccounts/netting"))["netting_configs"])
