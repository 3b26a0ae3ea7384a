"""Batches of orders and cancels: each item has its own outcome."""

import pytest

from tests.support.practice_server import resting_order, serving

BATCH = "/portfolio/events/orders/batched"


@pytest.mark.parametrize("bad", [{"price": "0.425"}, {"price": "cheap"}, {"side": "up"}])
async def test_a_rejected_item_stops_none_of_the_rest(bad: dict[str, str]) -> None:
    async with serving() as exchange:
        ticker = next(each.ticker for each in exchange.exchange.markets.visible() if each.structure == "linear_cent")
        terms = resting_order(ticker, "bid", "0.42", "1")
        reply = await exchange.call("POST", BATCH, {"orders": [terms, terms | bad, terms | {"price": "0.41"}]})
        assert reply.status_code == 201
        first, second, third = reply.json()["orders"]
        assert second["error"]["code"] == "invalid_order"
        assert "order_id" not in second
        resting = [each.order_id for each in exchange.exchange.queries.orders("alice")]
        assert resting == [third["order_id"], first["order_id"]]

        gone = [{"order_id": "nope", "market_ticker": ticker}, {"order_id": resting[0], "market_ticker": ticker}]
        reply = await exchange.call("DELETE", BATCH, {"orders": gone})
        missing, canceled = reply.json()["orders"]
        assert missing["error"]["code"] == "not_found"
        assert canceled["reduced_by"] == "1.00"
        assert [each.remaining for each in exchange.exchange.queries.orders("alice")] == [0, 100]


async def test_a_batch_with_a_malformed_subaccount_carries_out_none_of_it() -> None:
    async with serving() as exchange:
        ticker = next(each.ticker for each in exchange.exchange.markets.visible() if each.structure == "linear_cent")
        terms = resting_order(ticker, "bid", "0.42", "1")
        # The first item names its own and needs no query: without the look before, it would rest after a 400.
        orders = [terms | {"subaccount": 0}, terms]
        reply = await exchange.call("POST", BATCH, {"orders": orders}, subaccount="one")
        assert (reply.status_code, reply.json()["details"]) == (400, "subaccount must be a whole number")
        assert list(exchange.exchange.queries.orders("alice")) == []

        placed = (await exchange.call("POST", BATCH, {"orders": [terms, terms]})).json()["orders"]
        first, second = ({"order_id": each["order_id"], "market_ticker": ticker} for each in placed)
        reply = await exchange.call("DELETE", BATCH, {"orders": [first | {"subaccount": 0}, second]}, subaccount="one")
        assert reply.status_code == 400
        assert [each.remaining for each in exchange.exchange.queries.orders("alice")] == [100, 100]
