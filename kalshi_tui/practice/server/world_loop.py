"""Running the world: step, commit, wait. A recording waits for its readers; a market does not."""

import asyncio
from collections.abc import Callable
from typing import Final

from kalshi_tui.practice.replay.recorded_world import ReplayWorld
from kalshi_tui.practice.server.connection import Connection
from kalshi_tui.practice.server.hub import Hub
from kalshi_tui.practice.simulation.world import World

STEP_INTERVAL_S: Final = 0.02
SLOW_READER_TIMEOUT_S: Final = 5.0
"""How long a recording waits for one reader; a stream of the exchange waits for none
(error 25, docs/kalshi-api.md, section 5)."""


class WorldLoop:
    """Steps a world; ``commit`` makes each step durable and tells the streams of it."""

    def __init__(self, world: World | ReplayWorld, hub: Hub, commit: Callable[[], None]) -> None:
        self._world = world
        self._hub = hub
        self._commit = commit
        self._slow_readers_since: dict[Connection, float] = {}
        """The readers that are behind, and since when, by the time of the event loop."""

    async def run(self) -> None:
        """Step the world until canceled; each step is short, so that requests do not wait."""
        while True:
            is_due = False
            if isinstance(self._world, ReplayWorld):
                is_due = await self._step_replay(self._world)
            else:
                self._world.step()
            self._commit()
            await asyncio.sleep(0 if is_due else STEP_INTERVAL_S)

    async def _step_replay(self, replay: ReplayWorld) -> bool:
        """Step a recording, or let its time stand while a reader catches up. Return whether to step again at once."""
        if replay.has_pending_seek:
            await replay.finish_pending_seek()
        if self._should_wait_for_readers():
            replay.skip_elapsed_time()
            return False
        replay.step()
        return replay.needs_immediate_step

    def _should_wait_for_readers(self) -> bool:
        """Return whether any reader is behind that may still catch up."""
        # A reader that takes nothing must not stop the recording for the others: after the timeout it is sent more,
        # until its buffer is full and its subscriptions end.
        now, before = self._hub.loop_time(), self._slow_readers_since
        self._slow_readers_since = {each: before.get(each, now) for each in self._hub.connections if each.is_behind}
        return any(now - since < SLOW_READER_TIMEOUT_S for since in self._slow_readers_since.values())
