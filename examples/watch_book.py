"""Watch a market's book for as many changes as you like: watch_book.py TICKER CHANGES."""

import asyncio
import sys

from kalshi_tui.kalshi import BookUpdate, KalshiClient, Report


async def main(ticker: str, changes: int) -> None:
    """Print the best bid and ask of YES at each change, and whether the book can be trusted."""
    async with KalshiClient.from_env() as client, client.stream([ticker]) as updates:
        async for update in updates:
            if isinstance(update, Report):
                print(update.text, file=sys.stderr)  # such as that the exchange knows no such market
            elif isinstance(update, BookUpdate):
                print(*update.book.touch, "good" if update.good else update.why)
                changes -= 1
            if changes <= 0:
                break


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
