"""The exchange's status and hours over REST, unsigned (docs/kalshi-api.md, section 8)."""

from typing import Final

from aiohttp import web

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire.times import time_text
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.http import (
    json_reply,
)

ALWAYS_OPEN_DAY: Final = {"open_time": "00:00", "close_time": "00:00"}


class ExchangeApi:
    """Answers whether and when the exchange trades."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix; the fixed ones come before those with a name in them."""
        get = [
            ("/exchange/status", self.status),
            ("/exchange/schedule", self.schedule),
        ]
        return [web.get(f"{wire.REST_PREFIX}{path}", handler) for path, handler in get]

    async def status(self, request: web.Request) -> web.Response:
        """Return whether the exchange is up and trades."""
        del request
        return json_reply(encode_rest.exchange_status(self._exchange))

    async def schedule(self, request: web.Request) -> web.Response:
        """Return the hours, always open, and planned pauses. ``pause_trading`` rehearses Thursday's pause."""
        del request
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        week: dict[str, object] = {day: [ALWAYS_OPEN_DAY] for day in days}
        week |= {"start_time": "2021-01-01T00:00:00Z", "end_time": "2099-01-01T00:00:00Z"}
        windows = [
            {"start_datetime": time_text(start_ms), "end_datetime": time_text(end_ms)}
            for start_ms, end_ms in self._exchange.pauses.announced
        ]
        return json_reply({"schedule": {"standard_hours": [week], "maintenance_windows": windows}})
