"""A clock that only the test moves, and the sleeps that wait for it."""

import asyncio
import heapq
from itertools import count

from tests.support.practice_server import Clock


class Simulated(Clock):
    """A clock that only the test moves, and the sleeps that wait for it."""

    def __init__(self, start_ms: int) -> None:
        super().__init__()
        self.now_ms = start_ms
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    def __call__(self) -> int:
        return self.now_ms

    def machine_ms(self) -> int:
        return self.now_ms

    @property
    def sleeping(self) -> int:
        """How many sleeps wait for the clock."""
        return sum(not waiting.done() for _, _, waiting in self._sleepers)

    def advance(self, by_ms: int) -> None:
        self.now_ms += by_ms
        while self._sleepers and self._sleepers[0][0] <= self.now_ms:
            _, _, waiting = heapq.heappop(self._sleepers)
            if not waiting.done():
                waiting.set_result(None)

    async def sleep(self, seconds: float) -> None:
        waiting = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now_ms + int(seconds * 1000), next(self._order), waiting))
        await waiting
