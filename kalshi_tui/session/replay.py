"""How far a recording has played, followed while the desk looks at it; and the clock that goes by it."""

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
"""What the keys for slower and faster choose among."""
UNLIMITED_SPEED: Final = 1e9


@dataclass(frozen=True, slots=True)
class ReplayStatus:
    """A moment of a recording that plays. Times are Unix ms of the exchange; ``speed`` 0 is as fast as it goes."""

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
        """How much of it has played, percent."""
        whole = self.end_ms - self.begin_ms
        return min(100, (self.at_ms - self.begin_ms) * 100 // whole) if whole > 0 else 100

    @property
    def status_text(self) -> str:
        """Say it in a line: time, speed, share played, and what it does."""
        # No recording has other times; a line of the screen does not fail for one.
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
    """Read one of the speeds; 0 is as fast as it goes."""
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
    """Write a speed."""
    return f"x{speed:g}" if speed else "max"


class ReplayClock:
    """The recording's time on this side: what was heard last, and what has passed since at its speed."""

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
        """Take what the exchange says."""
        self.status, self._received_s = status, self._timer_s()

    def current_status(self) -> ReplayStatus:
        """Return the recording's state as of now."""
        return replace(self.status, at_ms=self())


class ReplayExchangeClock(ExchangeClock):
    """The exchange's time of a replay: it has no skew, whatever a ``Date`` header of a moment ago may say."""

    __slots__ = ()

    def update_skew(self, date_header: str | None, sent_ms: int, received_ms: int) -> None:
        """Pass over."""


class ReplayFollower:
    """Follows a replay. It publishes `ReplayMoved` when it jumps: what was read before is of another moment."""

    def __init__(self, control: PracticeControl, clock: ReplayClock, bus: MessageBus, sleep: Sleep) -> None:
        self._control = control
        self._bus = bus
        self._sleep = sleep
        self.clock = clock

    async def run(self) -> None:
        """Look until canceled."""
        while True:
            try:
                told = await self._control.fetch_replay_state()
            except KalshiError:
                # The stream says it too, and louder.
                await self._sleep(1.0)
                continue
            before = self.clock.status
            self.clock.update(
                ReplayStatus(
                    told.at_ms,
                    told.begin_ms,
                    told.end_ms,
                    told.speed,
                    told.paused,
                    told.seeking,
                    told.ended,
                    told.seeks,
                    told.note,
                )
            )
            if told.seeks != before.seeks:
                self._bus.publish(ReplayMoved(told.note))
            await self._sleep(POLL_INTERVAL_S)
