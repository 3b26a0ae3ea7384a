"""The combos that the real exchange has had, held on a test's own: valued, opened and closed on the desk by keys."""

import asyncio
import re
from functools import partial
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.order import BookSide, TimeInForce
from kalshi_tui.domain.price import parse_money
from kalshi_tui.practice.engine.records import OrderRequest
from kalshi_tui.presentation.number_text import count_text, price_text
from tests.support.combos import GAMES, HeldCombo, captured_combos, captured_positions, hold_combos, list_combos
from tests.support.desk_terminal import close_review, order, send_armed, write_profile
from tests.support.practice_server import serving
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.slow]
CTRL_F = "\x06"


async def test_the_captured_combos_are_valued_opened_and_closed_by_keys(tmp_path: Path) -> None:
    held = captured_positions()
    async with serving() as server:
        exchange = server.exchange
        list_combos(exchange, [*captured_combos()[0], GAMES], now_ms=server.clock())
        hold_combos(exchange, held, who="alice", other="bob")
        # One that the account has nothing in, and that is in no list of events.
        offer = OrderRequest(GAMES.ticker, BookSide.ASK, 5_000, 3_000, TimeInForce.GTC)
        exchange.order_entry.create("bob", offer)
        server.server.commit()
        write_profile(tmp_path, server)
        await asyncio.to_thread(watch, tmp_path, held)
        left = {each.ticker: each.count for each in exchange.queries.positions("alice") if each.count}
    signs = {Side.YES: 1, Side.NO: -1}
    kept = {each.combo.ticker: signs[each.side] * each.count for each in held[:-1]}
    assert left == kept | {GAMES.ticker: 1_000}


def watch(home: Path, held: list[HeldCombo]) -> None:
    terminal = Terminal(["--env", "house"], home, columns=140, rows=50)
    try:
        terminal.press("2")
        terminal.wait_text("positions 4", "[2 Positions 4]")
        for each in held:
            terminal.wait(f"the row of {each.combo.name}", partial(is_valued, held=each))
        close_one(terminal, held[-1])
        for each in held[:-1]:
            assert is_valued(terminal.text(), each)
        find_by_ticker(terminal)
        terminal.press("q")
        assert terminal.ended() == 0
    finally:
        terminal.end()


def is_valued(screen: str, held: HeldCombo) -> bool:
    """Return whether the row of a combo names its first leg and has its count, price, best bid and gain after a fee."""
    row = next((line for line in screen.splitlines() if f"Combo: {held.first_leg}" in line and "$" in line), "")
    values = [held.side.name, count_text(held.count), price_text(held.average), price_text(held.bid, 3)]
    loss = re.search(r"-\$([\d,]+\.\d\d)", row)
    return all(re.search(rf"(?<![\w.]){re.escape(value)}", row) for value in values) and (
        loss is not None and parse_money(loss[1].replace(",", "")) >= (held.average - held.bid) * held.count - CENT // 2
    )


def is_chosen(row: str, held: HeldCombo) -> bool:
    return row.startswith("▌") and "$" in row and held.first_leg in row


def close_one(terminal: Terminal, held: HeldCombo) -> None:
    """Open the market of a position by its row, close it with x, and read what is said of it."""
    terminal.press("tab", "tab")
    screen = terminal.wait_text("x Close")
    rows = [line for line in screen.splitlines() if re.match(r"[ ▌]*(YES|NO) .*Combo: ", line)]
    terminal.press(*["j"] * next(place for place, row in enumerate(rows) if held.first_leg in row))
    terminal.wait("the chosen row", lambda screen: any(is_chosen(row, held) for row in screen.splitlines()))
    terminal.press("enter")
    # Its book is followed now: the bid and how many hang on it.
    terminal.wait_text(price_text(held.bid, 3), count_text(10 * held.count))
    terminal.press("x")
    screen = terminal.wait_text("order ticket", "[x] reduce-only")
    assert f"Combo: {held.first_leg}" in screen
    terminal.press("enter")
    terminal.wait_text("review")
    send_armed(terminal)
    terminal.wait_text("FILLED")
    close_review(terminal)
    terminal.wait_text("[2 Positions 3]")
    terminal.press("5")
    said = f"Filled: sell {held.side.name} {count_text(held.count)} at {price_text(held.bid, 4)}"
    terminal.wait_text(said, f"Combo: {held.first_leg}")
    line = next(each for each in terminal.text().splitlines() if said in each)
    assert f"Combo: {held.first_leg}" in line


def find_by_ticker(terminal: Terminal) -> None:
    """Go to a combo that no list has by typing its ticker, and buy it: nobody bids for it, so it has no exit."""
    assert "Harbor City, no" not in terminal.text()
    terminal.press(CTRL_F)
    terminal.wait_text("go to market")
    terminal.press(*GAMES.ticker.lower())
    terminal.wait_text("ask the exchange for this ticker")
    terminal.press("enter")
    terminal.wait_text("Combo: yes Harbor City, no Over 8,500 points", "0.300", "50")
    order(terminal, "30", "10")
    terminal.wait_text("FILLED", "Combo: yes Harbor City")
    close_review(terminal)
    terminal.press("2")
    terminal.wait_text("[2 Positions 4]")
    terminal.wait_text("no bid for 10 of 10")
    row = next(line for line in terminal.text().splitlines() if "$" in line and "Combo: yes Harbor City" in line)
    assert re.match(r"\W*YES +10 +0\.3000 +-- +-\$3\.00", row), row
