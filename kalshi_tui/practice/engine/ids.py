"""The ids that an exchange gives: repeatable from its seed, and never the same twice."""

from hashlib import blake2b
from itertools import count
from random import Random
from uuid import UUID


class IdSource:
    """Gives ids. ``run`` numbers the starts of one world, so that ids never repeat across restarts."""

    def __init__(self, seed: int, run: int = 0) -> None:
        self._seed = seed
        prefix = f"{Random(f'ids:{seed}:{run}').getrandbits(60):015x}"  # noqa: S311  # ids, not secrets
        self._prefix = f"{prefix[:8]}-{prefix[8:12]}-4{prefix[12:15]}-8"
        self._numbers = count(1)
        self._queue_numbers = count(1)

    def new_id(self) -> str:
        """Return an id in the form of a UUID that this world never gave before."""
        number = next(self._numbers)
        return f"{self._prefix}{number >> 48 & 0xFFF:03x}-{number & 0xFFFFFFFFFFFF:012x}"

    def next_queue_number(self) -> int:
        """Return the next place in time among all orders that rest."""
        return next(self._queue_numbers)

    def market_id(self, ticker: str) -> str:
        """Return a market's id: the same for the same seed and ticker, across restarts."""
        return str(UUID(bytes=blake2b(f"{self._seed}:{ticker}".encode(), digest_size=16).digest(), version=4))
