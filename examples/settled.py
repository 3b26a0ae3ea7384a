"""Add up what settled markets have paid, as far as the exchange still lists them, and the fees of all fills."""

import asyncio

from kalshi_tui.kalshi import KalshiClient, format_money


async def main() -> None:
    """Read both lists to their last page."""
    async with KalshiClient.from_env() as client:
        settlements = await client.settlements()
        for each in settlements:
            print(each.ticker, each.result, "not known" if each.net is None else format_money(each.net))
        print("net", format_money(sum(each.net for each in settlements if each.net is not None)))
        print("fees", format_money(sum(fill.fee for fill in await client.fills())))


asyncio.run(main())
