"""A key that is locked to one subaccount, and a market to trade in."""

from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import KeyType, Signer, generate_key, public_key_pem
from tests.support.practice_server import Serving, lasting_markets

LOCKED_PEM = generate_key(kind=KeyType.ED25519)


def market_of(exchange: Serving, shard: int = 0) -> str:
    return next(each.ticker for each in lasting_markets(exchange) if each.shard == shard)


async def lock(exchange: Serving, number: int) -> None:
    """Register a key of alice's that is locked to one subaccount; it signs as "locked"."""
    body = {"name": "bot", "public_key": public_key_pem(LOCKED_PEM).decode(), "subaccount": number}
    made = await exchange.call("POST", "/api_keys", body)
    assert made.status_code == 201, made.text
    exchange.signers["locked"] = Signer.from_pem(made.json()["api_key_id"], LOCKED_PEM, environment=practice_on_port(1))
