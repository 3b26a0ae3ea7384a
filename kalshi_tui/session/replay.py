"""A replay as the session sees it: its status, its speeds, the clock that follows it, and the reader of the status."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.practice_control import PracticeControl
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.recording.reader import MAX_TIME_MS, MIN_TIME_MS
from kalshi_tui.session.bus import MessageBus, ReplayMoved
from kalshi_tui.session.timing import Sleep

POLL_INTERVAL_S: Final = 0.1
SPEEDS: Final = ("0.1", "0.25", "0.5", "1", "2", "5", "10", "30", "100", "max")
"""The speeds that the keys for slower and faster step through."""
UNLIMITED_SPEED: Final = 1e9


@dataclass(frozen=True, slots=True)
class ReplayStatus:
    """The state of a replay at a moment. Times are Unix ms of the exchange; ``speed`` 0 means as fast as possible."""

    at_ms: int
    begin_ms: int
    end_ms: int
    speed: float = 1.0
    paused: bool = False
    seeking: bool = False
    ended: bool = False
    seeks: int = 0
    note: str = ""

    @property
    def percent_played(self) -> int:
        """The share that has played, in percent."""
        whole = self.end_ms - self.begin_ms
        return min(100, (self.at_ms - self.begin_ms) * 100 // whole) if whole > 0 else 100

    @property
    def status_text(self) -> str:
        """The status in a line: time, speed, share played, and whether it is paused, seeking or ended."""
        # No sound recording has other times, and a damaged one must not break the status line.
        moment = datetime.fromtimestamp(min(max(self.at_ms, MIN_TIME_MS), MAX_TIME_MS) // 1_000, UTC)
        doing = (
            "seeking"
            if self.seeking
            else f"ended {format_speed(self.speed)}"
            if self.ended
            else f"paused {format_speed(self.speed)}"
            if self.paused
            else format_speed(self.speed)
        )
        return f"REPLAY {moment:%Y-%m-%d %H:%M:%S}Z {doing} {self.percent_played}%"

    @property
    def short_status_text(self) -> str:
        """The same without the date, for a narrow line."""
        return f"REPLAY {self.status_text.split(' ', 2)[2]}"


def parse_speed(text: str) -> float:
    """Return the speed for a text of `SPEEDS`; 0 means as fast as possible."""
    return 0.0 if text == "max" else float(text)


def next_speed(current: float, direction: int) -> str:
    """Return the next faster or slower of the speeds."""
    values = [parse_speed(each) or UNLIMITED_SPEED for each in SPEEDS]
    current = current or UNLIMITED_SPEED
    if direction > 0:
        return next((text for text, value in zip(SPEEDS, values, strict=True) if value > current), SPEEDS[-1])
    slower = [text for text, value in zip(SPEEDS, values, strict=True) if value < current]
    return slower[-1] if slower else SPEEDS[0]


def format_speed(speed: float) -> str:
    """Return a speed as text, such as ``x2`` or ``max``."""
    return f"x{speed:g}" if speed else "max"


class ReplayClock:
    """The recording's time between two reads: the last status, plus the time since then at its speed."""

    def __init__(self, status: ReplayStatus, timer_s: Callable[[], float] = time.monotonic) -> None:
        self.status = status
        self._timer_s = timer_s
        self._received_s = timer_s()

    def __call__(self) -> int:
        """Return the recording's time, Unix milliseconds."""
        now = self.status
        if now.paused or now.seeking or now.ended or not now.speed:
            return now.at_ms
        return min(now.at_ms + round((self._timer_s() - self._received_s) * 1_000 * now.speed), now.end_ms)

    def update(self, status: ReplayStatus) -> None:
        """Take a status that was just read."""
        self.status, self._received_s = status, self._timer_s()

    def current_status(self) -> ReplayStatus:
        """Return the replay's status as of now."""
        return replace(self.status, at_ms=self())


class ReplayExchangeClock(ExchangeClock):
    """The exchange's time of a replay: it has no skew, whatever a ``Date`` header of a moment ago may say."""

    __slots__ = ()

    def update_skew(self, date_header: str | None, sent_ms: int, received_ms: int) -> None:
        """Ignore it."""


class ReplayFollower:
    """Reads the status of a replay again and again. It publishes `ReplayMoved` after a jump to another time."""

    def __init__(self, control: PracticeControl, clock: ReplayClock, bus: MessageBus, sleep: Sleep) -> None:
        self._control = control
        self._bus = bus
        self._sleep = sleep
        self.clock = clock

    async def run(self) -> None:
        """Read until canceled."""
        while True:
            try:
                state = await self._control.fetch_replay_state()
            except KalshiError:
                # The stream notices the lost connection too, and reports it on the screen.
                await self._sleep(1.0)
                continue
            before = self.clock.status
            self.clock.update(
                ReplayStatus(
                    state.at_ms,
                    state.begin_ms,
                    state.end_ms,
                    state.speed,
                    state.paused,
                    state.seeking,
                    state.ended,
                    state.seeks,
                    state.note,
                )
            )
            if state.seeks != before.seeks:
                # What was read before belongs to another moment; whoever holds it has to read again.
                self._bus.publish(ReplayMoved(state.note))
            await self._sleep(POLL_INTERVAL_S)
