"""A TCP proxy that cuts, stalls, delays and loses bytes, and a stream's waits short enough for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from kalshi_tui.kalshi.feed.stream import StreamTiming
from kalshi_tui.kalshi.feed.subscription import RecoveryPolicy

TIMING = StreamTiming(tick=0.01, dead_after=0.4, first_wait=0.01, longest_wait=0.1, probe_after=0.5, open=0.5)
BOUNDS = RecoveryPolicy(snapshot=0.2, resubscribe=0.4, answer=0.5, retry=0.02, longest=0.1, quiet=0.5)


class Proxy:
    """Passes bytes between the client and the exchange, and spoils what comes down on command."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.lose = 0
        """Bytes to swallow of what comes next."""
        self.swap = False
        """Whether the next two chunks are to change places."""
        self.truncate = False
        """Whether the connection is to end in the middle of the next chunk."""
        self.pieces = 0
        """The most bytes passed on at once; 0 for no limit."""
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def serve(self, down: asyncio.StreamReader, up: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            up.transport.abort()
            return
        mine = {up, far_writer}
        self._writers |= mine
        ways = [
            asyncio.create_task(self._pass(down, far_writer, spoil=False)),
            asyncio.create_task(self._pass(far_reader, up, spoil=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers -= mine
            for writer in mine:
                writer.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, spoil: bool) -> None:
        held = b""
        with suppress(OSError):
            while data := await source.read(65_536):
                passed = data
                if spoil:
                    await self.flowing.wait()
                    passed, self.lose = data[self.lose :], max(0, self.lose - len(data))
                    if self.swap and not held:
                        held = passed
                        continue
                    if held:
                        passed, held, self.swap = passed + held, b"", False
                    if self.truncate:
                        self.truncate = False
                        target.write(passed[: len(passed) // 2])
                        await target.drain()
                        return
                step = self.pieces or len(passed) or 1
                for start in range(0, len(passed), step):
                    target.write(passed[start : start + step])
                    await target.drain()


@asynccontextmanager
async def between(target: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        await asyncio.sleep(0)
        await server.wait_closed()
