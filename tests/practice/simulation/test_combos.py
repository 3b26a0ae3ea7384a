"""The simulated world has a few combos: quoted from their legs, decided by them, and apart from the list of events."""

from collections.abc import AsyncIterator

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.price import MONEY_UNIT, PRICE_UNIT
from kalshi_tui.practice.engine.combo_outcome import combo_outcome
from kalshi_tui.practice.engine.market_outcome import binary_outcome, scalar_outcome
from kalshi_tui.practice.simulation.simulated_combos import COMBO_COLLECTION, MARGIN
from tests.support.practice_server import Serving, ahead_to_noon_ms, serving


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving(quiet=False, ahead_ms=ahead_to_noon_ms()) as running:
        yield running


async def test_combos_have_lists_of_their_own(exchange: Serving) -> None:
    combos = (await exchange.get("/markets", mve_filter="only", limit=1000))["markets"]
    assert len(combos) == 3
    tickers = {each["ticker"] for each in combos}
    assert all(len(each["mve_selected_legs"]) >= 2 and each["is_provisional"] for each in combos)
    others = (await exchange.get("/markets", mve_filter="exclude", limit=1000))["markets"]
    assert not tickers & {each["ticker"] for each in others}
    every = (await exchange.get("/markets", limit=1000))["markets"]
    assert {each["ticker"] for each in every} == tickers | {each["ticker"] for each in others}
    events = await exchange.get("/events/multivariate", collection_ticker=COMBO_COLLECTION, with_nested_markets="true")
    assert {each["markets"][0]["ticker"] for each in events["events"]} == tickers
    listed = (await exchange.get("/events", limit=200))["events"]
    assert not {each["event_ticker"] for each in combos} & {each["event_ticker"] for each in listed}
    (collection,) = (await exchange.get("/multivariate_event_collections", status="open"))["multivariate_contracts"]
    legs = {leg["event_ticker"] for each in combos for leg in each["mve_selected_legs"]}
    assert {each["ticker"] for each in collection["associated_events"]} == legs
    path = f"/multivariate_event_collections/{COMBO_COLLECTION}"
    assert (await exchange.get(path))["multivariate_contract"] == collection


async def test_a_combo_is_quoted_around_its_legs_and_traded_as_any_market(exchange: Serving) -> None:
    ticker = (await exchange.get("/markets", mve_filter="only"))["markets"][0]["ticker"]
    listing = exchange.exchange.markets.listings[ticker]
    value = PRICE_UNIT
    for leg, other in zip(listing.terms.legs, listing.leg_listings, strict=True):
        middle = (other.yes_bid + other.yes_ask) // 2
        value = value * (middle if leg.side is Side.YES else PRICE_UNIT - middle) // PRICE_UNIT
    assert value - MARGIN - 10 <= listing.yes_bid <= value <= listing.yes_ask <= value + MARGIN + 10
    exchange.exchange.open_account("carl", {1: 1_000 * MONEY_UNIT})
    exchange.exchange.ledger.accounts["alice"].cash[1] = 1_000 * MONEY_UNIT
    price = f"{listing.yes_ask / PRICE_UNIT:.4f}"
    reply = await exchange.order(ticker, "bid", price, "5.00", time_in_force="immediate_or_cancel", exchange_index=1)
    assert reply.status_code == 201, reply.text
    assert reply.json()["fill_count"] == "5.00"
    results = exchange.exchange.results
    for leg in listing.terms.legs:
        results.determine(leg.ticker, binary_outcome(leg.side.value))
    assert listing.result == "yes"
    results.settle(ticker)
    assert not exchange.exchange.ledger.accounts["alice"].holding(listing).position


async def test_one_lost_leg_decides_and_a_scalar_one_pays_in_part(exchange: Serving) -> None:
    combos = [each for each in exchange.exchange.markets.listings.values() if each.terms.legs]
    lost = combos[1]
    leg = lost.terms.legs[0]
    exchange.exchange.results.determine(leg.ticker, binary_outcome("no" if leg.side is Side.YES else "yes"))
    assert lost.result == "no"
    part = combos[2]
    assert combo_outcome(part) is None
    for leg in part.terms.legs[1:]:
        exchange.exchange.results.determine(leg.ticker, binary_outcome(leg.side.value))
    scalar = part.terms.legs[0]
    assert scalar.side is Side.NO
    exchange.exchange.results.determine(scalar.ticker, scalar_outcome(2_500))
    assert (part.result, part.settlement_value) == ("scalar", 7_500)
    exchange.exchange.results.amend_result(scalar.ticker, binary_outcome("no"))
    assert (part.result, part.settlement_value) == ("yes", PRICE_UNIT)
