"""The frames that wait to be written to one client, bounded (docs/kalshi-api.md, section 5, error 25)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

MAX_BUFFERED_FRAMES: Final = 50_000
MAX_BUFFERED_BYTES: Final = 32 * 1024 * 1024
"""How many frames, and bytes of frames, wait for a slow reader before its market data end."""
MAX_QUEUED_BYTES: Final = 2 * MAX_BUFFERED_BYTES
"""How much may wait in all, with the account's own frames and answers, before the reader is cut off."""
FRAME_OVERHEAD_BYTES: Final = 100
"""What a waiting frame counts besides its own bytes, so that empty ones count too."""
WRITE_BATCH_SIZE: Final = 500


class FrameQueue:
    """Frames in line. Whoever puts market data in looks at `is_full` first; private frames are never shed."""

    def __init__(self) -> None:
        self._frames: deque[tuple[bytes, bool]] = deque()
        """Each with whether it is market data."""
        self._bytes = 0
        self._is_ready = asyncio.Event()

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def is_full(self) -> bool:
        """Whether the reader is too slow for market data."""
        return len(self._frames) >= MAX_BUFFERED_FRAMES or self._bytes >= MAX_BUFFERED_BYTES

    @property
    def is_behind(self) -> bool:
        """Whether much waits already; whoever can wait had better send no more now."""
        return len(self._frames) >= MAX_BUFFERED_FRAMES // 5 or self._bytes >= MAX_BUFFERED_BYTES // 5

    def put(self, frame: bytes, *, market_data: bool = False) -> bool:
        """Put a frame in line. Return False for one beyond all bounds: the reader takes nothing at all."""
        self._bytes += len(frame) + FRAME_OVERHEAD_BYTES
        if self._bytes > MAX_QUEUED_BYTES:
            return False
        self._frames.append((frame, market_data))
        self._is_ready.set()
        return True

    def drop_market_data(self) -> None:
        """Throw away the market data that wait."""
        self._frames = deque(each for each in self._frames if not each[1])
        self._bytes = sum(len(frame) + FRAME_OVERHEAD_BYTES for frame, _ in self._frames)

    def clear(self) -> None:
        """Throw away what waits. The bytes still count: nothing more is taken for a connection that was broken off."""
        self._frames.clear()

    def take_all(self) -> list[bytes]:
        """Return what waits, in order, and forget it."""
        taken = [frame for frame, _ in self._frames]
        self._frames.clear()
        self._bytes = 0
        return taken

    async def write_to(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Wait for frames and write what is in line."""
        await self._is_ready.wait()
        self._is_ready.clear()
        written = 0
        while self._frames:
            frame, _ = self._frames.popleft()
            self._bytes -= len(frame) + FRAME_OVERHEAD_BYTES
            await send(frame.decode())
            written += 1
            if written % WRITE_BATCH_SIZE == 0:
                await asyncio.sleep(0)
