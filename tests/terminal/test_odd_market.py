"""One market that nobody can read, on page 3 of 4 of the exchange's list: the desk reads on, and says so."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.practice.server import rest_events
from kalshi_tui.practice.server.http import paginate
from tests.support.desk_terminal import write_profile
from tests.support.practice_server import serving, spoiled
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.slow]
PAGES = 4


async def test_the_lists_foot_names_how_many_markets_could_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[list[str]] = []

    def four_pages(request: web.Request, items: Any, key: Any, **more: Any) -> tuple[list[Any], str]:
        every = list(items)
        limit = str(-(-len(every) // PAGES))
        return paginate(request.clone(rel_url=request.rel_url.update_query(limit=limit)), every, key, **more)

    def spoil(content: dict[str, Any]) -> None:
        events = content.get("events")
        if not events:
            return
        markets = [market for event in events for market in event.get("markets") or ()]
        active = [market for market in markets if market["status"] == "active"]
        pages.append([market["ticker"] for market in active])
        if len(pages) % PAGES == 3:
            active[0]["close_time"] = None

    monkeypatch.setattr(rest_events, "paginate", four_pages)
    spoiled(monkeypatch, rest_events, spoil)
    async with serving() as exchange:
        write_profile(tmp_path, exchange)
        await asyncio.to_thread(watch, tmp_path, pages)


def watch(home: Path, pages: list[list[str]]) -> None:
    terminal = Terminal(["--env", "house"], home, columns=140, rows=50)
    try:
        terminal.wait_text("1 market could not be read.")
        assert len(pages) >= PAGES
        odd, later = pages[2][0], pages[3][0]
        screen = terminal.wait_text(f"1 market could not be read and is left out: {odd} (")
        # The sentence of the list's foot stands in the list's own pane, above the lists of the account.
        foot = next(row for row in screen.splitlines() if "1 market could not be read." in row.partition("│")[0])
        assert screen.splitlines().index(foot) < screen.splitlines().index("─" * 140)
        # What comes after the odd one is listed: the next of its page, and those of the last page.
        for ticker in (pages[2][1], later):
            look_for(terminal, ticker)
            # The chosen row's market stands above its book.
            terminal.wait_text(f"{ticker[-10:]}  closes")
        look_for(terminal, odd)
        terminal.wait_text("No market has these words")
        terminal.press("escape")
        terminal.wait("all markets", lambda screen: "No market has these words" not in screen)
        terminal.press("q")
        assert terminal.ended() == 0
    finally:
        terminal.end()


def look_for(terminal: Terminal, ticker: str) -> None:
    """Filter the list by a ticker."""
    terminal.press("/", *["\x7f"] * 60, *ticker)
    terminal.wait_text(ticker)
