"""What tests ask about the shards of a practice exchange."""

from kalshi_tui.practice.engine.model import ListedMarket
from tests.support.practice_server import Serving

TRANSFER = "/portfolio/intra_exchange_instance_transfer"


async def cash_of(exchange: Serving) -> dict[int, str]:
    """Return what can be spent on each shard."""
    reply = (await exchange.call("GET", "/portfolio/balance")).json()
    return {each["exchange_index"]: each["balance"] for each in reply["balance_breakdown"]}


def market_on(exchange: Serving, shard: int) -> ListedMarket:
    """Return a market on a shard that is open, with a whole-cent grid."""
    return next(
        each
        for each in exchange.exchange.markets.visible()
        if each.shard == shard and each.status.value == "active" and each.structure == "linear_cent"
    )
