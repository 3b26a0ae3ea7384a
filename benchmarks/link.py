"""The feed over a loopback WebSocket beside a client that drops the same frames, and an order's way to the wire."""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.frames import SID, TICKERS, frames
from benchmarks.measure import Figure
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, OrderState, OrderTerms
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.signing import Signer, generate_key
from kalshi_tui.kalshi.wire import WS_PATH
from kalshi_tui.runtime.compose import clock_ms
from kalshi_tui.session.execution.journal import Journal
from kalshi_tui.session.execution.order_lookup import OrderLookup
from kalshi_tui.session.execution.risk_checks import RiskChecks
from kalshi_tui.session.execution.submit import OrderExecutor
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue

TURNS = 3
ORDERS = 200
SERVER = "import asyncio; from benchmarks.link import server; asyncio.run(server())"


async def server() -> None:
    """Answer the subscription to books with all frames, as fast as they go out."""
    snapshots, deltas = frames()
    texts = [each.decode() for each in (*snapshots, *deltas)]

    async def handle(connection: ServerConnection) -> None:
        async for message in connection:
            command = wire.decode_command(message)
            channels = command.params.channels if isinstance(command.params, wire.CommandParams) else ()
            for channel in channels or ():
                told = wire.SubscribedMsg(channel=channel, sid=SID if channel == wire.Channel.BOOK else 90)
                await connection.send(wire.encode(wire.SubscribedFrame(id=command.id, msg=told)).decode())
                if channel == wire.Channel.BOOK:
                    for text in texts:
                        await connection.send(text)

    async with serve(handle, "127.0.0.1", 0, compression=None) as serving:
        print(serving.sockets[0].getsockname()[1], len(texts), flush=True)
        await asyncio.Event().wait()


async def ours(port: int, count: int, signer: Signer) -> float:
    """Follow the books until all frames are in the store; give the frames a second."""
    store = Store(lambda: 0)
    stream = Stream(practice_on_port(port), signer, store, private=False)
    stream.watch_books(TICKERS)
    task = asyncio.create_task(stream.run())
    while not store.frame_count:  # noqa: ASYNC110 - a benchmark's own wait, before the clock runs
        await asyncio.sleep(0)
    start = time.perf_counter()
    while store.frame_count < count:  # noqa: ASYNC110 - looked at every millisecond, which is little beside a second
        await asyncio.sleep(0.001)
    taken = time.perf_counter() - start
    await stream.close()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return count / taken


async def bare(port: int, count: int) -> float:
    """Receive the same frames and drop them; give the frames a second."""
    async with connect(f"ws://127.0.0.1:{port}{WS_PATH}", proxy=None, compression=None, max_queue=256) as connection:
        params = wire.CommandParams(channels=[wire.Channel.BOOK])
        await connection.send(wire.encode(wire.Command(id=1, cmd="subscribe", params=params)).decode())
        await connection.recv()
        await connection.recv()
        start = time.perf_counter()
        for _ in range(count - 1):
            # As bytes, which is how the program takes them: the decoder reads those.
            await connection.recv(decode=False)
        return count / (time.perf_counter() - start)


def stream() -> Figure:
    """Compare the two, turn by turn."""
    signer_pem = generate_key()
    with subprocess.Popen(  # noqa: S603 - our own interpreter and our own arguments
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port, count = map(int, process.stdout.readline().split())
            signer = Signer.from_pem("key", signer_pem, environment=practice_on_port(port))
            paces: tuple[list[float], list[float]] = ([], [])
            for _ in range(TURNS):
                paces[0].append(asyncio.run(ours(port, count, signer)))
                paces[1].append(asyncio.run(bare(port, count)))
        finally:
            process.kill()
    mine, theirs = (statistics.median(each) for each in paces)
    return Figure(
        "frames over a loopback WebSocket into books",
        "a client that drops them",
        mine,
        theirs,
        "a second",
        bound=0.7,
        least=True,
    )


class Receiver:
    """Answers orders with the least that an answer needs, and notes when the last byte of each had come."""

    def __init__(self) -> None:
        self.came: list[float] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.lower().splitlines() if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.partition(b":")[2]))
                self.came.append(time.perf_counter())
                number = len(self.came)
                body = (
                    b'{"order_id":"o%d","client_order_id":"client-%d",' % (number, number - 1)
                    + b'"fill_count":"0.00","remaining_count":"1.00","ts_ms":1}'
                )
                head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                writer.write(head % len(body) + body)
                await writer.drain()


async def order(folder: Path) -> list[Figure]:
    """Confirm orders one after another, as the last Enter does, over a warm connection; and sign as many beside.

    What the Enter calls is measured whole: the checks, the journal on the disk, the request, until its last byte came.
    """
    receiver = Receiver()
    serving = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    environment = practice_on_port(serving.sockets[0].getsockname()[1])
    signer = Signer.from_pem("key", generate_key(), environment=environment)
    terms = OrderTerms("T-1", Side.YES, Action.BUY, 4_700, 100)
    journal = Journal.open(folder / "journal.sqlite3", "key")
    store = Store(clock_ms)
    store.snapshot(terms.ticker, [(4_600, 100)], [(5_200, 100)])
    taken, signed = [], []
    async with RestClient(environment, signer) as rest:
        # Ten orders a second is what a new account may send; here it is not the exchange's patience that is measured.
        rest._http.write_budgets.set_limits(1_000_000, 1_000_000)  # noqa: SLF001 - there is no other way to an account without limits
        risk_checks = RiskChecks(store, Venue.PRACTICE, clock_ms=clock_ms, sent_since=journal.sent_since)
        trading = OrderExecutor(rest, store, journal, risk_checks, OrderLookup(rest, store, asyncio.sleep))
        for number in range(ORDERS):
            client_order_id = f"client-{number}"
            trading.draft(terms, client_order_id)
            start = time.perf_counter()
            outcome = await trading.submit(terms, client_order_id)
            assert outcome.order.state is OrderState.RESTING, outcome.sentence
            taken.append(receiver.came[-1] - start)
            start = time.perf_counter()
            signer.headers("POST", "/trade-api/v2/portfolio/events/orders", 1, host="127.0.0.1")
            signed.append(time.perf_counter() - start)
    serving.close()
    journal.close()
    assert len(receiver.came) == ORDERS
    ours_ms, signature_ms = statistics.median(taken) * 1e3, statistics.median(signed) * 1e3
    name = "a confirmed order to its last byte at the server"
    return [
        Figure(name, "the RSA signature alone", ours_ms, signature_ms, "ms"),
        Figure("a confirmed order beside its goal", "8 ms", ours_ms, 8.0, "ms", bound=1),
    ]


def run() -> list[Figure]:
    """Run both."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        # Beside the program, on a real disk: a temporary folder may be in memory.
        return [stream(), *asyncio.run(order(Path(folder)))]
