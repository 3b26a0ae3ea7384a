"""What each call costs in tokens, as the exchange tells it (docs/kalshi-api.md, section 10)."""

from collections.abc import Iterable
from typing import Final

from kalshi_tui.kalshi.transport.rate_limit import CANCEL_COST, DEFAULT_COST

API_PREFIX: Final = "/trade-api/v2"
ANY_SEGMENT: Final = ""
"""Stands for a segment of a path that names an order or another object."""
FIXED_SEGMENTS: Final = frozenset({"queue_positions", "batched"})
"""Segments that stand where a sibling path names an order; they are calls of their own."""


class TokenCosts:
    """The cost of each call: until the exchange has been asked, a cancel costs 2 and all else 10."""

    def __init__(self) -> None:
        self.default_cost = DEFAULT_COST
        self._by_call: dict[tuple[str, tuple[str, ...]], int] | None = None

    def set_costs(self, default_cost: int, costs: Iterable[tuple[str, str, int]]) -> None:
        """Use these costs from now on: by method and path, such as ``DELETE`` and ``/portfolio/orders/{order_id}``.

        A cost below 0, which cannot be, is left out.
        """
        self.default_cost = default_cost if default_cost >= 0 else DEFAULT_COST
        self._by_call = {(method.upper(), _segments(path)): cost for method, path, cost in costs if cost >= 0}

    def cost(self, method: str, path: str) -> int:
        """Return the tokens of one call; ``path`` is below the API's prefix and without a query."""
        if self._by_call is None:
            return CANCEL_COST if method == "DELETE" else DEFAULT_COST
        wanted = _segments(path)
        found = self._by_call.get((method, wanted))
        if found is not None:
            return found
        for (other_method, pattern), cost in self._by_call.items():
            if other_method == method and _matches(pattern, wanted):
                return cost
        return self.default_cost


def _segments(path: str) -> tuple[str, ...]:
    """Return the segments of a path; those in braces or with a colon, which stand for any name, are empty."""
    below = path.removeprefix(API_PREFIX).strip("/")
    return tuple(ANY_SEGMENT if part[:1] in {"{", ":", "*"} else part for part in below.split("/"))


def _matches(pattern: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return len(pattern) == len(wanted) and all(
        part == found or (part == ANY_SEGMENT and found not in FIXED_SEGMENTS)
        for part, found in zip(pattern, wanted, strict=True)
    )
