"""Usage tiers, token costs, the upgrade, and the attestation that lapses (docs/kalshi-api.md, sections 10 and 12)."""

from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.practice.server.tiers import UsageTiers, request_cost
from kalshi_tui.practice.storage.database import Database, DatabaseError
from tests.support.practice_server import PREFIX, Serving, serving

SECTION_10 = {
    "basic": ((200, 600), (100, 100)),
    "advanced": ((300, 900), (300, 900)),
    "expert": ((600, 600), (600, 1_800)),
    "premier": ((1_200, 1_200), (1_200, 3_600)),
    "paragon": ((2_400, 2_400), (2_400, 7_200)),
    "prime": ((4_800, 4_800), (4_800, 14_400)),
    "prestige": ((12_000, 12_000), (9_600, 28_800)),
}


def buckets(limits: dict[str, Any]) -> tuple[tuple[int, int], tuple[int, int]]:
    read, write = limits["read"], limits["write"]
    return (
        (read["refill_rate"], read["bucket_capacity"]),
        (write["refill_rate"], write["bucket_capacity"]),
    )


def open_market(exchange: Serving, category: str = "") -> str:
    for each in exchange.exchange.markets.visible():
        event = exchange.exchange.markets.events_by_ticker[each.terms.event_ticker]
        if each.status.tradable and (not category or event.category == category):
            return each.ticker
    raise AssertionError(category)


@pytest.mark.parametrize("tier", SECTION_10)
async def test_each_tier_has_the_buckets_of_the_exchange(tier: str) -> None:
    async with serving(tier=tier) as exchange:
        limits = (await exchange.call("GET", "/account/limits")).json()
        assert (limits["usage_tier"], buckets(limits)) == (tier, SECTION_10[tier])
        levels = [(each["level"], each["source"], "expires_ts" in each) for each in limits["grants"]]
        expected = {"basic": [], "advanced": [("advanced", "manual", False)]}.get(tier, [(tier, "volume", True)])
        assert levels == expected


async def test_the_buckets_empty_at_the_costs_that_are_told() -> None:
    async with serving(tier="basic") as exchange:
        # Without a signature: what a call costs is public.
        told = await exchange.get("/account/endpoint_costs")
        assert told["default_cost"] == 10
        costs = {(each["method"], each["path"]): each["cost"] for each in told["endpoint_costs"]}
        assert costs["DELETE", "/portfolio/events/orders/{order_id}"] == 2
        assert costs["GET", "/portfolio/orders/{order_id}"] == 2
        assert request_cost("GET", "/portfolio/orders/queue_positions") == 10, "no order's id stands there"
        assert costs["POST", "/account/api_usage_level/upgrade"] == 30
        statuses = [(await exchange.call("POST", "/account/api_usage_level/upgrade")).status_code for _ in range(4)]
        assert statuses == [403, 403, 403, 429], "three upgrades of 30 tokens fit the bucket of 100"


@pytest.mark.parametrize(("method", "most"), [("POST", 10), ("DELETE", 50)])
async def test_a_batch_may_be_as_large_as_its_cost_fits_the_bucket(method: str, most: int) -> None:
    for size, allowed in ((most, True), (most + 1, False), (0, None)):
        async with serving(tier="basic") as exchange:
            item = {
                "ticker": open_market(exchange),
                "order_id": "none",
                "side": "bid",
                "price": "0.0100",
                "count": "1.00",
            }
            kinds = {"time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross"}
            body = {"orders": [item | kinds] * size}
            reply = await exchange.call(method, "/portfolio/events/orders/batched", body)
            expected = {True: 201 if method == "POST" else 200, False: 429, None: 400}[allowed]
            assert reply.status_code == expected, reply.text


async def test_the_upgrade_needs_an_order_and_holds_for_its_account_alone() -> None:
    async with serving(tier="basic") as exchange:
        refused = await exchange.call("POST", "/account/api_usage_level/upgrade")
        assert refused.status_code == 403
        assert "created by API: send one first" in refused.json()["error"]["details"]
        assert (await exchange.order(open_market(exchange), "bid", "0.0100", "1.00")).status_code == 201
        done = await exchange.call("POST", "/account/api_usage_level/upgrade")
        assert (done.status_code, done.content) == (201, b"")
        limits = (await exchange.call("GET", "/account/limits")).json()
        assert (limits["usage_tier"], buckets(limits)) == ("advanced", SECTION_10["advanced"])
        assert limits["grants"] == [{"exchange_instance": "event_contract", "level": "advanced", "source": "manual"}]
        # The bucket is the new tier's at once: 900 tokens, of which the old one held 100.
        placed = [(await exchange.order(open_market(exchange), "bid", "0.0100", "1.00")).status_code for _ in range(20)]
        assert placed == [201] * 20
        other = (await exchange.call("GET", "/account/limits", who="bob")).json()
        assert other["usage_tier"] == "basic"


def test_an_upgrade_outlives_a_restart_and_damage_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "practice.sqlite3"
    first = Database.open(path)
    UsageTiers("basic", first).upgrade("alice")
    assert UsageTiers("basic", first).tier("alice") == "advanced"
    assert UsageTiers("prime", first).tier("alice") == "prime", "an upgrade takes no higher tier away"
    first.put("advanced_accounts", "{")
    with pytest.raises(DatabaseError, match="Start a new account with --fresh"):
        UsageTiers("basic", first)
    first.close()


async def test_progress_is_the_volume_of_both_sides_beside_the_goals() -> None:
    async with serving() as exchange:
        ticker = open_market(exchange)
        assert (await exchange.order(ticker, "ask", "0.4000", "7.00", who="bob")).status_code == 201
        taken = await exchange.order(ticker, "bid", "0.9900", "7.00", time_in_force="immediate_or_cancel")
        filled = taken.json()["fill_count"]
        reply = (await exchange.call("GET", "/account/api_usage_level/volume_progress")).json()
        (progress,) = reply["volume_progress"]
        assert progress["trailing_30d_volume_fp"] == filled != "0.00"
        assert [each["level"] for each in progress["goals"]] == list(SECTION_10)[2:]
        shares = {each["level"]: float(each["earn_volume_goal_fp"]) for each in progress["goals"]}
        assert shares["prestige"] / shares["expert"] == pytest.approx(1 / 0.075)
        exchange.clock.advance(31 * 86_400_000)
        later = (await exchange.call("GET", "/account/api_usage_level/volume_progress")).json()
        assert later["volume_progress"][0]["trailing_30d_volume_fp"] == "0.00"


async def test_a_lapsed_attestation_keeps_a_key_from_three_categories_and_lets_it_cancel() -> None:
    async with serving() as exchange:
        sports, economics = open_market(exchange, "Sports"), open_market(exchange, "Economics")
        assert "api_key_region_expiration_ts" not in (await exchange.call("GET", "/api_keys")).json()
        resting = (await exchange.order(sports, "bid", "0.0100", "2.00")).json()["order_id"]
        assert (await exchange.control("set_attestation", ms=60_000)).status_code == 200
        assert (await exchange.order(sports, "bid", "0.0100", "1.00")).status_code == 201
        exchange.clock.advance(61_000)
        lapsed = (await exchange.call("GET", "/api_keys")).json()["api_key_region_expiration_ts"]
        assert lapsed < exchange.clock() / 1000
        path = f"/portfolio/events/orders/{resting}"
        changed = {"ticker": sports, "side": "bid", "price": "0.0200", "count": "2.00"}
        refused = [
            await exchange.order(sports, "bid", "0.0100", "1.00"),
            await exchange.order(open_market(exchange, "Elections"), "bid", "0.0100", "1.00"),
            await exchange.order(open_market(exchange, "Entertainment"), "bid", "0.0100", "1.00"),
            await exchange.call("POST", f"{path}/amend", changed),
            await exchange.call("POST", "/portfolio/events/orders/batched", {"orders": [{"ticker": sports}]}),
        ]
        for reply in refused:
            assert reply.status_code == 403, reply.text
            assert "the location attestation has lapsed" in reply.json()["error"]["details"]
        assert (await exchange.order(economics, "bid", "0.0100", "1.00")).status_code == 201
        less = {"reduce_by": "1.00", "market_ticker": sports}
        assert (await exchange.call("POST", f"{path}/decrease", less)).status_code == 200
        assert (await exchange.call("DELETE", path, market_ticker=sports)).status_code == 200
        assert (await exchange.client.get(f"{PREFIX}/markets/{sports}")).status_code == 200
