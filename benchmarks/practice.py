"""The practice exchange under load: one reader of every book, every quote and every trade, every seq checked.

The reference is the same reader on a bare aiohttp server that sends the same frames, made before, at the same pace:
what the exchange adds to that is its engine, its participants and its streams. Processor time is read from /proc.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from websockets.asyncio.client import connect

from benchmarks.measure import Figure, processor_s
from kalshi_tui.kalshi.environments import practice_at_urls
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.runtime.launch import PracticeProcess

WS_PATH = "/trade-api/ws/v2"
CHANNELS = ("orderbook_delta", "ticker", "trade")
MAX_DELAYS = 50_000


@dataclass
class Received:
    """What a reader received: frames by type, breaks of a sequence, how late the frames were."""

    frames: Counter[str] = field(default_factory=Counter)
    breaks: int = 0
    late_ms: list[int] = field(default_factory=list)
    seconds: float = 0.0
    kept: list[str] = field(default_factory=list)
    _next: dict[int, int] = field(default_factory=dict)

    def hear(self, text: str) -> None:
        """Take a frame."""
        frame = json.loads(text)
        kind = frame.get("type", "")
        self.frames[kind] += 1
        sid, seq = frame.get("sid"), frame.get("seq")
        if sid is not None and seq is not None:
            expected = self._next.get(sid, seq)
            self.breaks += seq != expected
            self._next[sid] = seq + 1
        if ts_ms := frame.get("msg", {}).get("ts_ms"):
            self.late_ms.append(time.time_ns() // 1_000_000 - ts_ms)
        if len(self.kept) < MAX_DELAYS and kind in {"orderbook_delta", "ticker", "trade"}:
            self.kept.append(text)

    def late(self, of_a_hundred: int) -> int:
        """Return how late the frames were that a share of them was not later than."""
        ordered = sorted(self.late_ms)
        return ordered[min(len(ordered) * of_a_hundred // 100, len(ordered) - 1)] if ordered else 0


async def listen(url: str, headers: dict[str, str], commands: list[dict[str, Any]], seconds: float) -> Received:
    """Read for so long, once the first frame has come."""
    heard = Received()
    async with connect(
        url, additional_headers=headers, proxy=None, compression=None, max_size=1 << 24, ping_interval=None
    ) as socket:
        for command in commands:
            await socket.send(json.dumps(command))
        start = time.perf_counter()
        while (left := start + seconds - time.perf_counter()) > 0:
            try:
                heard.hear(str(await asyncio.wait_for(socket.recv(), left)))
            except TimeoutError:
                break
        heard.seconds = time.perf_counter() - start
        # Without a word: what the server has in line for us is of no interest any more.
        socket.transport.abort()
    return heard


def practice(markets: int, rate: int, seconds: float) -> tuple[Received, float]:
    """Listen to a practice exchange; return what was received and its processor time as a share of a core."""
    with tempfile.TemporaryDirectory() as folder:
        process = PracticeProcess(["--data", folder, "--markets", str(markets), "--rate", str(rate)])
        try:
            ready = process.wait_until_ready(60)
            environment = practice_at_urls(ready.rest_url, ready.ws_url)
            signer = Signer.from_pem(ready.api_key_id, ready.private_key_path.read_bytes(), environment=environment)
            headers = signer.headers("GET", WS_PATH, time.time_ns() // 1_000_000, host=environment.ws_host)
            import httpx  # noqa: PLC0415 - only here

            tickers: list[str] = []
            cursor = ""
            while True:
                query = {"limit": "1000", "status": "open", "cursor": cursor}
                page = httpx.get(f"{ready.rest_url}/markets", params=query, trust_env=False, timeout=30).json()
                tickers += [market["ticker"] for market in page["markets"]]
                if not (cursor := page["cursor"]):
                    break
            params = {"market_tickers": tickers, "skip_ticker_ack": True}
            commands = [
                {"id": number, "cmd": "subscribe", "params": {"channels": [channel], **params}}
                for number, channel in enumerate(CHANNELS, 1)
            ]
            before, began = processor_s(ready.pid), time.perf_counter()
            heard = asyncio.run(listen(ready.ws_url, headers, commands, seconds))
            return heard, (processor_s(ready.pid) - before) / (time.perf_counter() - began)
        finally:
            process.stop()


BARE = """
import asyncio, json, sys
from pathlib import Path
from benchmarks.practice import bare
asyncio.run(bare(json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])))
"""


async def bare(frames: list[str], rate: int) -> None:
    """Serve frames at a pace, over and over, and nothing else."""

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        start, sent = time.perf_counter(), 0
        with contextlib.suppress(ConnectionError):
            while not socket.closed:
                due = int((time.perf_counter() - start) * rate)
                while sent < due:
                    await socket.send_str(frames[sent % len(frames)])
                    sent += 1
                await asyncio.sleep(0.01)
        return socket

    app = web.Application()
    app.add_routes([web.get(WS_PATH, stream)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def reference(frames: list[str], rate: int, seconds: float) -> tuple[Received, float]:
    """Listen to the bare server."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.json"
        path.write_text(json.dumps(frames))
        with subprocess.Popen(  # noqa: S603 - our own interpreter and our own arguments
            [sys.executable, "-c", BARE, str(path), str(rate)], stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                port = int(process.stdout.readline())
                before, began = processor_s(process.pid), time.perf_counter()
                heard = asyncio.run(listen(f"ws://127.0.0.1:{port}{WS_PATH}", {}, [], seconds))
                return heard, (processor_s(process.pid) - before) / (time.perf_counter() - began)
            finally:
                process.kill()


def run(markets: int = 2_000, rate: int = 5_000, seconds: float = 10.0) -> list[Figure]:
    """Measure the processor time of a frame."""
    heard, share = practice(markets, rate, seconds)
    pace = sum(heard.frames.values()) / heard.seconds
    bare_heard, bare_share = reference(heard.kept, int(pace), seconds)
    bare_pace = sum(bare_heard.frames.values()) / bare_heard.seconds
    note = (
        f"{pace:,.0f} frames/s to one reader for {heard.seconds:.0f} s, {heard.breaks} breaks of a sequence, late p50 "
        f"{heard.late(50)} ms p99 {heard.late(99)} ms, {share * 100:.0f}% of a core"
    )
    name = f"a frame of the practice exchange, {markets:,} markets"
    reference_name = "a bare aiohttp server with the same frames"
    return [Figure(name, reference_name, share / pace * 1e6, bare_share / bare_pace * 1e6, note=note)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.practice")
    parser.add_argument("--markets", type=int, default=2_000)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    for figure in run(options.markets, options.rate, options.seconds):
        print(figure.line())
