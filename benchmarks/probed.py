"""The program itself with two things more: it follows the book of every market, and notes how late its event loop is.

Run as ``python -m benchmarks.probed REPORT ARGUMENTS...``. On SIGUSR1 it begins to note; on SIGUSR2 it compares every
book with a fresh snapshot of the exchange's and writes its report, one JSON object.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from kalshi_tui.__main__ import main
from kalshi_tui.session.session import Session

LOOK_EVERY_S = 0.005


class Probe:
    """Notes how much later than asked for the event loop comes back."""

    def __init__(self, report: Path) -> None:
        self.report = report
        self.late_ms: list[float] = []

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(LOOK_EVERY_S)
            self.late_ms.append((time.perf_counter() - asked - LOOK_EVERY_S) * 1e3)

    async def tell(self, session: Session) -> None:
        """Audit every book and write the report."""
        late = sorted(self.late_ms)
        pulse, frames = session.link_metrics(), session.store.frame_count
        results = [await session.run_audit(ticker) for ticker in list(session.store.books)]
        report = {
            "late_p99_ms": late[len(late) * 99 // 100],
            "books": len(results),
            "equal": sum(result.equal is True for result in results),
            "faults": pulse.faults,
            "frames": frames,
        }
        self.report.write_text(json.dumps(report))


def follow_all(probe: Probe) -> None:
    """Have the session follow all listed books, and be probed."""
    start = Session.start
    running = []

    def show(self: Session, tickers: Sequence[str]) -> None:
        self.parts.subscriptions.set_shown_markets([*tickers, *self.store.markets])
        self.parts.readers.markets.set_shown_markets(tickers)

    async def start_probed(self: Session, *, single_command: bool = False) -> None:
        await start(self, single_command=single_command)
        loop = asyncio.get_running_loop()
        running.append(loop.create_task(probe.run()))

        def begin() -> None:
            self.parts.subscriptions.set_shown_markets(list(self.store.markets))
            probe.late_ms.clear()

        loop.add_signal_handler(signal.SIGUSR1, begin)
        loop.add_signal_handler(signal.SIGUSR2, lambda: running.append(loop.create_task(probe.tell(self))))

    Session.set_shown_markets = show  # type: ignore[method-assign]  # a benchmark's own
    Session.start = start_probed  # type: ignore[method-assign]  # the same


if __name__ == "__main__":
    follow_all(Probe(Path(sys.argv[1])))
    sys.exit(main(sys.argv[2:]))
