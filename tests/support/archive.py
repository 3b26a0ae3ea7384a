"""A market of the practice exchange with a past, to be moved into the archive."""

from typing import Any

from tests.support.cli_runner import tradable
from tests.support.practice_server import Serving

DAY_MS = 86_400_000


async def control(exchange: Serving, action: str, **keys: Any) -> None:
    reply = await exchange.control(action, **keys)
    assert reply.status_code == 200, reply.text


async def trade(exchange: Serving, ticker: str, price: str, count: str) -> dict[str, Any]:
    """Let alice buy from bob; return the reply to her order."""
    await exchange.order(ticker, "ask", price, count, who="bob")
    made: dict[str, Any] = (await exchange.order(ticker, "bid", price, count)).json()
    assert made["fill_count"] == f"{float(count):.2f}"
    return made


async def settled_market(exchange: Serving) -> Any:
    """Trade in a market, cancel an order there and settle its whole event; return the listing."""
    ticker = tradable(exchange)
    await trade(exchange, ticker, "0.4000", "3")
    rests = (await exchange.order(ticker, "bid", "0.0100", "1")).json()["order_id"]
    await exchange.call("DELETE", f"/portfolio/events/orders/{rests}", market_ticker=ticker)
    listing = exchange.exchange.markets.listings[ticker]
    for each in exchange.exchange.markets.listings_by_event[listing.terms.event_ticker]:
        if not each.settled_ms:
            await control(exchange, "settle", ticker=each.ticker, result="yes" if each is listing else "no")
    return listing
