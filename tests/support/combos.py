"""Combos on a practice exchange: small ones of a test's own, and those that the real exchange has had."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import BookSide, TimeInForce
from kalshi_tui.domain.price import PRICE_UNIT, parse_count, parse_money
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.records import OrderRequest
from kalshi_tui.practice.engine.terms import (
    DECI_CENT,
    EventDefinition,
    LegDefinition,
    MarketDefinition,
    SeriesDefinition,
)
from tests.support.captures import capture

DAY_MS = 86_400_000
SERIES = "KXMVETEST"
COLLECTION = "KXMVETEST-R"


@dataclass(frozen=True)
class Combo:
    """A combo by its ticker, its name and its legs: market, event, side."""

    ticker: str
    name: str
    legs: tuple[tuple[str, str, str], ...]

    @property
    def event_ticker(self) -> str:
        return self.ticker.rpartition("-")[0]


GAMES = Combo(
    "KXMVETEST-S1-AB",
    "yes Harbor City,no Over 8,500 points",
    (("KXGAME-1-HC", "KXGAME-1", "yes"), ("KXPOINTS-1-8500", "KXPOINTS-1", "no")),
)


def captured_combos() -> tuple[list[Combo], dict[str, Any]]:
    """Return the combos of the captures, and their legs as the exchange sent them."""
    content = json.loads(capture("combo_markets.json").read_text())
    combos = [
        Combo(
            each["ticker"],
            each["yes_sub_title"],
            tuple((leg["market_ticker"], leg["event_ticker"], leg["side"]) for leg in each["mve_selected_legs"]),
        )
        for each in content["combos"]
    ]
    return combos, content["legs"]


@dataclass(frozen=True)
class HeldCombo:
    """A combo that an account holds: the side, how many, the mean price of that side, and its best bid."""

    combo: Combo
    side: Side
    count: int
    average: int
    bid: int

    @property
    def first_leg(self) -> str:
        """The first leg in words."""
        return self.combo.name.partition(",")[0]


def captured_positions() -> list[HeldCombo]:
    """Return the positions that stand beside the captures; each can be sold for half a cent less than it cost."""
    by_ticker = {each.ticker: each for each in captured_combos()[0]}
    held = []
    for each in json.loads(capture("combo_positions_made.json").read_text())["market_positions"]:
        count = parse_count(each["position_fp"].lstrip("-"))
        average = round(parse_money(each["market_exposure_dollars"]) / count / 10) * 10
        side = Side.NO if each["position_fp"].startswith("-") else Side.YES
        held.append(HeldCombo(by_ticker[each["ticker"]], side, count, average, average - 50))
    return held


def hold_combos(exchange: Exchange, held: Iterable[HeldCombo], *, who: str, other: str) -> None:
    """Let an account buy combos from another one, which then bids for ten times as many of the same side."""
    for each in held:
        ours, theirs = (BookSide.BID, BookSide.ASK) if each.side is Side.YES else (BookSide.ASK, BookSide.BID)
        for account, side, price, count in (
            (other, theirs, each.average, each.count),
            (who, ours, each.average, each.count),
            (other, ours, each.bid, 10 * each.count),
        ):
            yes_price = price if each.side is Side.YES else PRICE_UNIT - price
            request = OrderRequest(each.combo.ticker, side, count, yes_price, TimeInForce.GTC)
            exchange.order_entry.create(account, request)


def list_combos(exchange: Exchange, combos: Iterable[Combo], *, now_ms: int) -> None:
    """List combos and what they are made of; the events of the legs are listed too, and take orders."""
    lifecycle, listings = exchange.lifecycle, exchange.markets.listings
    lifecycle.add_series(SeriesDefinition(SERIES, "Combos", "Sports"))
    for combo in combos:
        for ticker, event_ticker, _ in combo.legs:
            if ticker not in listings:
                series = ticker.partition("-")[0]
                lifecycle.add_series(SeriesDefinition(series, series, "Sports"))
                lifecycle.add_event(EventDefinition(event_ticker, series, f"Event {event_ticker}"))
                lifecycle.list_market(_market(ticker, event_ticker, series, f"Leg {ticker}", now_ms))
        lifecycle.add_event(EventDefinition(combo.event_ticker, SERIES, combo.name, collection_ticker=COLLECTION))
        legs = tuple(LegDefinition(ticker, event, Side(side)) for ticker, event, side in combo.legs)
        terms = _market(combo.ticker, combo.event_ticker, SERIES, combo.name, now_ms)
        lifecycle.list_market(
            replace(terms, structure=DECI_CENT, collection_ticker=COLLECTION, legs=legs, is_provisional=True)
        )


def _market(ticker: str, event_ticker: str, series_ticker: str, name: str, now_ms: int) -> MarketDefinition:
    return MarketDefinition(
        ticker=ticker,
        event_ticker=event_ticker,
        series_ticker=series_ticker,
        title=name,
        yes_sub_title=name,
        no_sub_title=name,
        open_ms=now_ms - DAY_MS,
        close_ms=now_ms + 14 * DAY_MS,
        expected_expiration_ms=now_ms + DAY_MS,
        latest_expiration_ms=now_ms + 14 * DAY_MS,
        created_ms=now_ms - DAY_MS,
        settlement_timer_s=5,
    )
