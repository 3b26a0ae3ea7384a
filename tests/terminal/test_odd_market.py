"""One market that nobody can read, on page 3 of 4 of the exchange's list: the desk reads on, and says so."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.practice.server import rest_events
from kalshi_tui.practice.server.http import paginate
from tests.support.practice_server import PEMS, Serving, serving, spoiled
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.slow]
PAGES = 4


def write_profile(home: Path, exchange: Serving) -> None:
    folder, key = home / "config" / "kalshi-tui", home / "alice.pem"
    folder.mkdir(parents=True)
    key.write_bytes(PEMS["alice"])
    key.chmod(0o600)
    address = f"127.0.0.1:{exchange.port}/trade-api"
    lines = ["[profiles.house]", f'rest_url = "http://{address}/v2"', f'ws_url = "ws://{address}/ws/v2"']
    lines += ['money = "demo"', 'api_key_id = "key-of-alice"', f'private_key_path = "{key}"']
    (folder / "settings.toml").write_text("\n".join(lines))


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
    terminal.wait_text("1 market could not be read.")
    assert len(pages) >= PAGES
    terminal.wait_text(f"1 market could not be read and is left out: {pages[2][0]} (")
    assert "1 market could not be read." in terminal.text()
    terminal.press("q")
    assert terminal.ended() == 0
