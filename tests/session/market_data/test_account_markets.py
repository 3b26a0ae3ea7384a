"""What the account holds or has resting is known by name and price, whatever the list of open events has."""

import json
from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import Action, BookSide, OrderTerms, TimeInForce
from kalshi_tui.domain.price import PRICE_UNIT, parse_count, parse_money
from kalshi_tui.domain.text import market_text
from kalshi_tui.practice.engine.market_outcome import binary_outcome
from kalshi_tui.practice.engine.records import OrderRequest
from kalshi_tui.ui.lists.views import position_line
from tests.support.captures import capture
from tests.support.combos import GAMES, captured_combos, list_combos
from tests.support.session_rig import START_MS, THEM, US, Rig

GTC = TimeInForce.GTC


def place(rig: Rig, who: str, ticker: str, side: BookSide, price: int, count: int) -> None:
    rig.exchange.order_entry.create(who, OrderRequest(ticker, side, count, price, GTC))
    rig.server.commit()


def give(rig: Rig, ticker: str, count: int, yes_price: int) -> None:
    """Let us hold so many YES, or NO below zero, bought from somebody else at a price."""
    ours, theirs = (BookSide.BID, BookSide.ASK) if count > 0 else (BookSide.ASK, BookSide.BID)
    place(rig, THEM, ticker, theirs, yes_price, abs(count))
    place(rig, US, ticker, ours, yes_price, abs(count))


def row_text(rig: Rig, ticker: str) -> str:
    store = rig.session.store
    return "".join(span.text for span in position_line(store, store.valuation.value_of(store.positions[ticker]), 140))


async def test_a_combo_that_is_held_has_a_name_an_exit_and_a_value(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    list_combos(rig.exchange, [GAMES], now_ms=START_MS)
    give(rig, GAMES.ticker, 1_200, 2_220)
    place(rig, THEM, GAMES.ticker, BookSide.BID, 2_500, 5_000)
    await rig.start()
    await rig.pass_time(5)
    store = rig.session.store
    market = store.markets[GAMES.ticker]
    assert market_text(market) == "Combo: yes Harbor City, no Over 8,500 points"
    assert [(leg.ticker, leg.side) for leg in market.legs] == [
        ("KXGAME-1-HC", Side.YES),
        ("KXPOINTS-1-8500", Side.NO),
    ]
    position = store.positions[GAMES.ticker]
    worth = store.valuation.value_of(position).worth
    assert worth is not None
    assert (worth.best_price, worth.proceeds - position.cost) == (2_500, parse_money("0.336"))
    assert "Combo: yes Harbor City" in row_text(rig, GAMES.ticker)
    # Its position is closed as any other.
    terms = OrderTerms(GAMES.ticker, Side.YES, Action.SELL, 2_500, 1_200, TimeInForce.IOC, reduce_only=True)
    result = await rig.submit(terms)
    assert "illed" in result.sentence, result.sentence
    rig.deliver()
    await rig.pass_time(5)
    assert GAMES.ticker not in rig.session.store.positions
    await rig.close()


async def test_the_legs_of_a_combo_are_read_when_it_is_shown(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    list_combos(rig.exchange, [GAMES], now_ms=START_MS)
    for ticker, _, _ in GAMES.legs:
        rig.exchange.lifecycle.change_close_time(ticker, START_MS + 1_000)
    rig.clock.advance(2_000)
    rig.world.step()
    rig.server.commit()
    await rig.start()
    await rig.pass_time(3)
    store = rig.session.store
    assert GAMES.ticker not in store.markets
    found = await rig.session.look_up(GAMES.ticker)
    assert found.tickers == (GAMES.ticker,)
    rig.session.set_shown_markets(found.tickers)
    await rig.pass_time(3)
    for ticker, _, _ in GAMES.legs:
        assert store.markets[ticker].status is MarketStatus.CLOSED
    await rig.close()


async def test_an_order_in_a_closed_event_and_one_in_no_event_are_known(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    list_combos(rig.exchange, [GAMES], now_ms=START_MS)
    leg = GAMES.legs[0][0]
    give(rig, leg, -500, 4_000)
    place(rig, US, GAMES.ticker, BookSide.BID, 1_000, 700)
    rig.exchange.lifecycle.change_close_time(leg, START_MS + 1_000)
    rig.clock.advance(2_000)
    rig.world.step()
    rig.server.commit()
    await rig.start()
    await rig.pass_time(5)
    store = rig.session.store
    assert [order.ticker for order in store.working_orders()] == [GAMES.ticker]
    assert store.markets[GAMES.ticker].is_provisional
    closed = store.markets[leg]
    assert closed.status is MarketStatus.CLOSED
    assert market_text(closed) == f"Event KXGAME-1: Leg {leg}"
    assert store.valuation.value_of(store.positions[leg]).worth is None
    # The legs decide the combo, and the order in it ends.
    rig.exchange.results.determine(leg, binary_outcome("no"))
    rig.server.commit()
    rig.deliver()
    await rig.pass_time(40)
    assert not store.working_orders()
    assert rig.exchange.markets.listing(GAMES.ticker).result == "no"
    await rig.close()


async def test_a_combo_that_settles_is_noticed_though_no_frame_tells_the_desk(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    list_combos(rig.exchange, [GAMES], now_ms=START_MS)
    give(rig, GAMES.ticker, 1_200, 2_220)
    await rig.start()
    await rig.pass_time(5)
    assert rig.session.store.markets[GAMES.ticker].status is MarketStatus.ACTIVE
    rig.exchange.results.settle(GAMES.ticker, binary_outcome("yes"))
    rig.server.commit()
    rig.deliver()
    await rig.pass_time(90, 1_000)
    assert [each.ticker for each in rig.session.store.settlements] == [GAMES.ticker]
    await rig.close()


async def test_what_the_exchange_does_not_know_is_asked_for_again_and_harms_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    list_combos(rig.exchange, [GAMES], now_ms=START_MS)
    give(rig, GAMES.ticker, 100, 3_000)
    listing = rig.exchange.markets.listings[GAMES.ticker]
    listing.visible_ms = START_MS + 30_000
    await rig.start()
    await rig.pass_time(10)
    assert GAMES.ticker not in rig.session.store.markets
    assert len(rig.session.store.markets) > 5
    await rig.pass_time(90, 3_000)
    assert GAMES.ticker in rig.session.store.markets
    found = await rig.session.look_up("KXNOBODY-1")
    assert found.tickers == ()
    assert found.sentence == "The exchange knows no market and no event KXNOBODY-1."
    event = await rig.session.look_up("KXGAME-1")
    assert event.tickers == (GAMES.legs[0][0],)
    rig.line.down_until_ms = rig.clock.now_ms + 1_000
    assert "could not be asked" in (await rig.session.look_up("KXGAME-9")).sentence
    await rig.close()


def captured_positions() -> list[dict[str, Any]]:
    positions: list[dict[str, Any]] = json.loads(capture("combo_positions_made.json").read_text())["market_positions"]
    return positions


@pytest.mark.parametrize("place_in_list", range(4))
async def test_the_captured_combos_are_opened_valued_and_closed(tmp_path: Path, place_in_list: int) -> None:
    made = captured_positions()[place_in_list]
    combos, legs = captured_combos()
    rig = Rig(tmp_path)
    list_combos(rig.exchange, combos, now_ms=START_MS)
    ticker, count = made["ticker"], parse_count(made["position_fp"].lstrip("-"))
    cost = parse_money(made["market_exposure_dollars"])
    average = round(cost / count / 10) * 10
    yes = not made["position_fp"].startswith("-")
    give(rig, ticker, count if yes else -count, average if yes else PRICE_UNIT - average)
    bid = average - 50
    place(rig, THEM, ticker, BookSide.BID if yes else BookSide.ASK, bid if yes else PRICE_UNIT - bid, 10 * count)
    await rig.start()
    await rig.pass_time(5)
    store = rig.session.store
    position = store.positions[ticker]
    worth = store.valuation.value_of(position).worth
    assert worth is not None
    assert (worth.best_price, worth.proceeds - position.cost) == (bid, (bid - average) * count)
    market = store.markets[ticker]
    combo = next(each for each in combos if each.ticker == ticker)
    assert len(market.legs) == len(combo.legs)
    words = market_text(market).removeprefix("Combo: ").split(", ")
    assert len(words) == len(combo.legs)
    for word, (leg, _, side) in zip(words, combo.legs, strict=True):
        assert word.startswith(f"{side} ")
        assert legs[leg]["yes_sub_title"] in word
    assert words[0] in row_text(rig, ticker)
    held = Side.YES if yes else Side.NO
    terms = OrderTerms(ticker, held, Action.SELL, bid, count, TimeInForce.IOC, reduce_only=True)
    await rig.submit(terms)
    rig.deliver()
    await rig.pass_time(5)
    assert ticker not in store.positions
    await rig.close()
