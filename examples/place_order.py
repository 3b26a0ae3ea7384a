"""Buy 10 YES at 0.42 on a practice exchange, after a look at what that would do: place_order.py TICKER."""

import asyncio
import sys

from kalshi_tui.kalshi import KalshiClient, Kind, UnknownOutcome, format_money


async def main(ticker: str) -> None:
    """Look, send once, and if no answer comes, ask what became of it."""
    async with KalshiClient.from_env() as client:
        preview = await client.preview_order(ticker, "yes", "buy", "0.42", "10")
        print("cost", format_money(preview.cost), "worst loss", format_money(preview.worst_loss or 0), preview.refusal)
        if client.environment.kind is not Kind.PRACTICE or preview.refusal:
            return
        try:
            ack = await client.place_order(ticker, "yes", "buy", "0.42", "10")
            print("taken", ack.order_id)
        except UnknownOutcome as unknown:
            print("was", await client.find_order(unknown.client_order_id) or "never there")


asyncio.run(main(sys.argv[1]))
