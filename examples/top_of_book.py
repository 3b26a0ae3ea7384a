"""Print the top of the book of each open market of a series: top_of_book.py SERIES."""

import asyncio
import sys

from kalshi_tui.kalshi import KalshiClient, format_price


async def main(series: str) -> None:
    """Read the markets to the last page, then their books, a hundred a request."""
    async with KalshiClient.from_env() as client:
        tickers = [market.ticker async for market in client.markets(status="open", series_ticker=series)]
        for ticker, book in (await client.orderbooks(tickers)).items():
            bid, ask = ("none" if price is None else format_price(price) for price in book.touch)
            print(f"{ticker}: bid {bid}, ask {ask}")


asyncio.run(main(sys.argv[1]))
