"""Every reply of the practice exchange, held against the official specification's schemas.

The specification lies beside the project and not with a user; without it these tests are skipped.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.practice_server import Serving, resting_order, serving

SPEC = Path(__file__).resolve().parents[4] / "shared" / "kalshi-spec" / "openapi.yaml"
NEWER = {
    "exchange_index",
    "price_ranges",
    "subaccount",
    "categories",
    "settlement_bounds_type",
    "seq",
    "sending_ts_ms",
    "last_update_reason",
}
"""Fields that docs/kalshi-api.md or newer editions of the specification name, and this edition has not everywhere."""
GONE = ("available_on_brokers",)
"""Fields that this edition of the specification requires, and that the exchange has dropped since."""

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason=f"the official specification is not at {SPEC}")


@pytest.fixture(scope="module")
def spec() -> Any:
    return yaml.safe_load(SPEC.read_text())


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving(quiet=False) as running:
        yield running


def faults(spec: Any, schema: Any, value: Any, where: str) -> Iterator[str]:
    """Yield what of a value the schema does not allow, and which of its fields the schema does not know."""
    nullable = False
    while "$ref" in schema:
        # The specification writes it beside the reference too.
        nullable = nullable or schema.get("nullable", False)
        target = spec
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    if value is None:
        if not (nullable or schema.get("nullable", False)):
            yield f"{where} is null"
        return
    for part in schema.get("allOf", ()):
        yield from faults(spec, part, value, where)
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {value!r}, not one of {schema['enum']}"
    kinds: dict[str, Any] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "array": list,
        "object": dict,
    }
    kind = schema.get("type")
    if kind and (not isinstance(value, kinds[kind]) or (kind in {"integer", "number"} and isinstance(value, bool))):
        yield f"{where} is a {type(value).__name__}, not {kind}"
    elif kind == "array":
        for place, item in enumerate(value):
            yield from faults(spec, schema["items"], item, f"{where}[{place}]")
    elif kind == "object" and "properties" in schema:
        known = schema["properties"]
        yield from (f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in (*value, *GONE))
        for name, item in value.items():
            if name in known:
                yield from faults(spec, known[name], item, f"{where}.{name}")
            elif not schema.get("additionalProperties") and name not in NEWER:
                yield f"{where}.{name} is not in the specification"


def reply_schema(spec: Any, method: str, path: str, status: int) -> Any:
    reply = spec["paths"][path][method.lower()]["responses"][str(status)]
    return reply["content"]["application/json"]["schema"]


async def checked(exchange: Serving, spec: Any, method: str, path: str, status: int, **asked: Any) -> Any:
    """Call an endpoint, given as the specification writes it, and hold the reply against its schema."""
    names = asked.pop("names", {})
    body = asked.pop("body", None)
    reply = await exchange.call(method, path.format(**names), body, **asked)
    assert reply.status_code == status, reply.text
    answer = reply.json()
    found = list(faults(spec, reply_schema(spec, method, path, status), answer, path))
    assert not found, "\n".join(found[:20])
    return answer


def market(exchange: Serving) -> Any:
    return next(
        each
        for each in exchange.exchange.markets.visible()
        if each.status.value == "active" and not each.shard and 2_000 < each.yes_bid < each.yes_ask < 8_000
    )


async def test_the_market_side(exchange: Serving, spec: Any) -> None:
    listing = market(exchange)
    ticker, event, series = listing.ticker, listing.terms.event_ticker, listing.terms.series_ticker
    now = int(time.time())
    names = {"ticker": ticker, "event_ticker": event, "series_ticker": series}
    history = {"start_ts": now - 86_400, "end_ts": now, "period_interval": 60}
    for path, query in (
        ("/markets", {"limit": 1000}),
        ("/markets/{ticker}", {}),
        ("/markets/{ticker}/orderbook", {"depth": 5}),
        ("/markets/orderbooks", {"tickers": ticker}),
        ("/markets/trades", {"ticker": ticker}),
        ("/markets/candlesticks", {"market_tickers": ticker, **history}),
        ("/series/{series_ticker}/markets/{ticker}/candlesticks", history),
        ("/events", {"with_nested_markets": "true"}),
        ("/events/{event_ticker}", {}),
        ("/series", {}),
        ("/series/{series_ticker}", {}),
        ("/exchange/status", {}),
        ("/exchange/schedule", {}),
        ("/exchange/user_data_timestamp", {}),
        ("/account/limits", {}),
        ("/account/endpoint_costs", {}),
        ("/account/api_usage_level/volume_progress", {}),
        ("/events/{event_ticker}/metadata", {}),
        ("/events/fee_changes", {}),
        ("/events/multivariate", {}),
        ("/series/fee_changes", {}),
    ):
        await checked(exchange, spec, "GET", path, 200, names=names, **query)
    path = "/series/{series_ticker}/events/{ticker}/candlesticks"
    told = await checked(exchange, spec, "GET", path, 200, names=names | {"ticker": event}, **history)
    assert ticker in told["market_tickers"]
    assert len(told["market_tickers"]) == len(told["market_candlesticks"])


async def test_orders_and_the_account(exchange: Serving, spec: Any) -> None:
    listing = market(exchange)
    ticker = listing.ticker
    terms = resting_order(ticker, "bid", "0.0200", "10.00")
    orders = "/portfolio/events/orders"
    made = await checked(exchange, spec, "POST", orders, 201, body=terms | {"client_order_id": "a"})
    taking = terms | {"price": "0.9900", "time_in_force": "immediate_or_cancel", "count": "3"}
    await checked(exchange, spec, "POST", orders, 201, body=taking)
    names = {"order_id": made["order_id"]}
    amended = {"ticker": ticker, "side": "bid", "price": "0.0300", "count": "12"}
    await checked(exchange, spec, "POST", orders + "/{order_id}/amend", 200, names=names, body=amended)
    await checked(exchange, spec, "POST", orders + "/{order_id}/decrease", 200, names=names, body={"reduce_by": "1"})
    await checked(exchange, spec, "GET", "/portfolio/orders", 200)
    await checked(exchange, spec, "GET", "/portfolio/orders/{order_id}", 200, names=names)
    await checked(exchange, spec, "GET", "/portfolio/orders/{order_id}/queue_position", 200, names=names)
    await checked(exchange, spec, "GET", "/portfolio/orders/queue_positions", 200, market_tickers=ticker)
    batch = await checked(
        exchange, spec, "POST", orders + "/batched", 201, body={"orders": [terms, terms | {"price": "7"}]}
    )
    ids = [each["order_id"] for each in batch["orders"] if each.get("order_id")]
    gone = {"orders": [{"order_id": each} for each in (*ids, "no-such-order")]}
    await checked(exchange, spec, "DELETE", orders + "/batched", 200, body=gone)
    await checked(exchange, spec, "DELETE", orders + "/{order_id}", 200, names=names)
    await checked(exchange, spec, "GET", "/portfolio/balance", 200)
    await checked(exchange, spec, "GET", "/portfolio/positions", 200)
    await checked(exchange, spec, "GET", "/portfolio/fills", 200)
    await checked(exchange, spec, "GET", "/portfolio/summary/total_resting_order_value", 200)
    assert (await exchange.control("settle", ticker=ticker, result="yes")).status_code == 200
    settled = await checked(exchange, spec, "GET", "/portfolio/settlements", 200)
    assert settled["settlements"]


async def test_order_groups(exchange: Serving, spec: Any) -> None:
    groups = "/portfolio/order_groups"
    made = await checked(exchange, spec, "POST", groups + "/create", 201, body={"contracts_limit": 5})
    names = {"order_group_id": made["order_group_id"]}
    await checked(exchange, spec, "GET", groups, 200)
    await checked(exchange, spec, "GET", groups + "/{order_group_id}", 200, names=names)
    limit = {"contracts_limit_fp": "7.00"}
    await checked(exchange, spec, "PUT", groups + "/{order_group_id}/limit", 200, names=names, body=limit)
    await checked(exchange, spec, "PUT", groups + "/{order_group_id}/trigger", 200, names=names, body={})
    await checked(exchange, spec, "PUT", groups + "/{order_group_id}/reset", 200, names=names, body={})
    await checked(exchange, spec, "DELETE", groups + "/{order_group_id}", 200, names=names)


# The stream.

FRAMES = {
    "subscribed", "unsubscribed", "ok", "error", "orderbook_snapshot", "orderbook_delta", "ticker", "trade", "fill",
    "user_order", "market_position", "market_lifecycle_v2", "event_lifecycle", "order_group_updates",
}  # fmt: skip
"""What one session is to have seen of the stream below."""


@pytest.fixture(scope="module")
def stream_spec() -> Any:
    return yaml.safe_load(SPEC.with_name("asyncapi.yaml").read_text())


def payload_schemas(stream_spec: Any) -> dict[str, Any]:
    """Return the schema of each frame by its type."""
    found = {}
    for name, schema in stream_spec["components"]["schemas"].items():
        kind = schema.get("properties", {}).get("type", {}).get("const")
        if kind and name != "listSubscriptionsResponsePayload":
            found[kind] = schema
    return found


async def play(exchange: Serving, ticker: str) -> None:
    """Do what every private and public frame comes of."""
    made = (await exchange.call("POST", "/portfolio/order_groups/create", {"contracts_limit": 5})).json()
    group = f"/portfolio/order_groups/{made['order_group_id']}"
    await exchange.call("PUT", group + "/limit", {"contracts_limit": 50})
    await exchange.order(
        ticker, "bid", "0.9900", "3.00", client_order_id="takes", order_group_id=made["order_group_id"]
    )
    rests = (await exchange.order(ticker, "bid", "0.0100", "3.00", client_order_id="rests")).json()
    await exchange.call("DELETE", f"/portfolio/events/orders/{rests['order_id']}", market_ticker=ticker)
    await exchange.call("PUT", group + "/trigger", {})
    await exchange.call("PUT", group + "/reset", {})
    await exchange.call("DELETE", group)
    await exchange.control("deactivate", ticker=ticker)
    await exchange.control("activate", ticker=ticker)
    await exchange.control("change_grid", ticker=ticker, structure="deci_cent")
    # Far enough for the next quarter-hour markets to be listed, the running ones to close, be determined and paid.
    for _ in range(4):
        await exchange.control("advance_clock", ms=600_000)
    await exchange.control("settle", ticker=ticker, result="yes")


async def test_every_frame_of_the_stream(exchange: Serving, stream_spec: Any) -> None:
    schemas = payload_schemas(stream_spec)
    ticker = market(exchange).ticker
    seen: Counter[str] = Counter()
    groups: list[str] = []
    lives: set[str] = set()
    async with exchange.stream() as listener:
        await listener.command("subscribe", channels=["orderbook_delta"], market_ticker=ticker, use_yes_price=False)
        await listener.command("subscribe", channels=["ticker", "trade"])
        await listener.command(
            "subscribe",
            channels=["fill", "user_orders", "market_positions", "market_lifecycle_v2", "order_group_updates"],
        )
        await play(exchange, ticker)
        await listener.command("unsubscribe", sids=[1])
        await listener.command("update_subscription", sids=[2], action="add_markets", market_tickers=[ticker])
        last = await listener.command("nonsense")
        frame: Any = {}
        while not (frame.get("type") == "error" and frame.get("id") == last):
            frame = await listener.frame()
            kind = frame["type"]
            seen[kind] += 1
            if seen[kind] <= 200 or kind.startswith(("market", "event", "order_group")):
                found = list(faults(stream_spec, schemas[kind], frame, kind))
                assert not found, (found[:10], frame)
            if kind == "order_group_updates":
                groups.append(frame["msg"]["event_type"])
            elif kind == "market_lifecycle_v2":
                lives.add(frame["msg"]["event_type"])
    assert set(seen) >= FRAMES
    assert groups == ["created", "limit_updated", "triggered", "reset", "deleted"]
    assert lives >= {
        "created", "activated", "deactivated", "determined", "settled", "price_level_structure_updated",
    }  # fmt: skip
