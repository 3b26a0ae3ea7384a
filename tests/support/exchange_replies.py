"""A key, and what the exchange says of an order."""

from typing import Any

from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import Signer, generate_key

SIGNER = Signer.from_pem("key", generate_key(), environment=practice_on_port(1))
SENT_MS = 1_800_000_000_000


def listed_order(client_order_id: str, status: str, filled: str, remaining: str) -> dict[str, Any]:
    return {
        "order_id": "o9",
        "client_order_id": client_order_id,
        "ticker": "T-1",
        "outcome_side": "yes",
        "book_side": "bid",
        "type": "limit",
        "status": status,
        "yes_price_dollars": "0.4700",
        "no_price_dollars": "0.5300",
        "fill_count_fp": filled,
        "remaining_count_fp": remaining,
        "initial_count_fp": "10.00",
        "taker_fill_cost_dollars": "0.000000",
        "maker_fill_cost_dollars": "0.000000",
        "taker_fees_dollars": "0.000000",
        "maker_fees_dollars": "0.000000",
        "created_time": "2027-01-15T08:00:00Z",
    }
