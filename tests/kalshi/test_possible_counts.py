"""A change whose reply has counts that cannot be its order's is an unknown outcome, not one that was done."""

from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.kalshi import KalshiClient, UnknownOutcome
from kalshi_tui.kalshi.environments import practice_on_port
from tests.support.practice_server import PEMS, serving


@pytest.mark.parametrize(
    ("remaining", "counts"),
    [
        ("12", {"remaining_count": "99.00", "fill_count": "0.00"}),
        ("12", {"remaining_count": "12.00", "fill_count": "1.00"}),
        ("4", {"remaining_count": "5.00"}),
    ],
)
async def test_counts_that_cannot_be_are_an_unknown_outcome(remaining: str, counts: dict[str, str]) -> None:
    async with serving() as exchange:
        environment = practice_on_port(exchange.port)
        async with KalshiClient(environment, key_id="key-of-alice", private_key=PEMS["alice"]) as client:
            (ticker, *_) = (each.ticker for each in exchange.exchange.markets.visible() if each.status.tradable)
            placed = await client.place_order(ticker, "yes", "buy", "0.40", "10")
            handle = exchange.handle_request

            async def odd(request: web.Request, handler: Any) -> web.StreamResponse:
                reply = await handle(request, handler)
                if request.path.endswith(("/amend", "/decrease")):
                    return web.json_response({"order_id": placed.order_id, "ts_ms": 1} | counts, status=200)
                return reply

            exchange.handle_request = odd
            order = await client.order(placed.order_id)
            with pytest.raises(UnknownOutcome, match="cannot be this order's"):
                await client.amend(order, remaining=remaining)
