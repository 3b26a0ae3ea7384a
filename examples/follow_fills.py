"""Print your fills as they happen, so many of them: follow_fills.py COUNT."""

import asyncio
import sys

from kalshi_tui.kalshi import Fill, KalshiClient, Link, LinkState, format_count, format_price


async def main(count: int) -> None:
    """Follow the account alone; the link says when nothing is missed from here on."""
    async with KalshiClient.from_env() as client, client.stream() as updates:
        async for update in updates:
            if isinstance(update, Link) and update.state is LinkState.LIVE:
                print("following", flush=True)
            elif isinstance(update, Fill):
                print(update.book_side.value, format_count(update.count), update.ticker, format_price(update.yes_price))
                count -= 1
            if count <= 0:
                break


asyncio.run(main(int(sys.argv[1])))
