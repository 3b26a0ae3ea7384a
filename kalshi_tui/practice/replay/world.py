"""A recording as the world of the practice exchange: played, paused, stepped, sought through, faster or slower."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from kalshi_tui.practice.engine.core import SHARDS, Dedupe
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.replay.exchange import ReplayExchange
from kalshi_tui.practice.replay.state import Scene
from kalshi_tui.recording.reader import Record, RecordedFile
from kalshi_tui.recording.replay_state import ReplayState
from kalshi_tui.recording.writer import Kind, RecordingError

BUSY_S: Final = 0.012
"""How long a step works at a stretch: requests wait for so long at the most."""
BUSY_RECORDS: Final = 64
"""Records between two looks at the clock."""
SLOWEST: Final = 0.01
FASTEST: Final = 1_000_000.0
AT_ONCE_S: Final = 3.0
"""How long the start looks for the place to begin at; a client waits for the ready line meanwhile."""
_OPENING: Final = (b'"subscribed"', b'"orderbook_snapshot"')
"""Types of the frames that a fresh connection begins with."""
SHOWN: Final = frozenset({Kind.FRAME})
"""What a step on counts."""
_OFFSET: Final = re.compile(r"(?P<sign>[+-]?)(?P<number>\d{1,12}(?:\.\d{1,3})?)(?P<unit>s|m|h)")
_OF_DAY: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3}))?)?")
_UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000}
_DAY_MS: Final = 86_400_000
TIMES: Final = (
    "12:34:56 (UTC, of the recording's day), 2026-11-20T12:34:56Z, 90s, 5m or 1h from its beginning, "
    "-30s before its end, or 40%"
)


class ReplayError(Exception):
    """A wish that a recording cannot fulfil. The message is a sentence."""


def read_speed(text: str) -> float:
    """Read a speed: 1 is real time, ``max`` (0) as fast as it goes. Raises ReplayError."""
    if text == "max":
        return 0.0
    with suppress(ValueError):
        speed = float(text)
        if SLOWEST <= speed <= FASTEST:
            return speed
    raise ReplayError(f"a speed is a number from {SLOWEST:g} to {FASTEST:,.0f}, or max, not {text[:20]!r}.")


def read_moment(text: str, begin_ms: int, end_ms: int) -> int:
    """Read a moment of a recording, in one of the ways of `TIMES`. Raises ReplayError."""
    text = text.strip()
    if found := _OFFSET.fullmatch(text):
        by = round(float(found["number"]) * _UNITS[found["unit"]])
        return end_ms - by if found["sign"] == "-" else begin_ms + by
    if found := _OF_DAY.fullmatch(text):
        hours, minutes, seconds, rest = (found[1], found[2], found[3] or "0", (found[4] or "").ljust(3, "0"))
        of_day = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1_000 + int(rest)
        day = begin_ms - begin_ms % _DAY_MS
        # A recording may run over midnight: the time is the first such one that is not over at its beginning.
        return day + of_day + (_DAY_MS if day + of_day < begin_ms - 1_000 else 0)
    with suppress(ValueError):
        if text.endswith("%"):
            return begin_ms + round((end_ms - begin_ms) * min(max(float(text[:-1]), 0.0), 100.0) / 100)
        if text.isascii() and text.isdecimal():
            return int(text)
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)
    raise ReplayError(f"{text[:40]!r} is no time of a recording: give {TIMES}.")


class Player:
    """Records in their order, with a look at the next one."""

    def __init__(self, file: RecordedFile) -> None:
        self._records: Iterator[Record] = file.records()
        self.next: Record | None = next(self._records, None)

    def take(self) -> Record:
        """Give the next record; there must be one."""
        taken = self.next
        assert taken is not None  # noqa: S101 - the caller has looked
        self.next = next(self._records, None)
        return taken


class ReplayWorld:
    """Build it, restore accounts, call `start`, then `step` often, as any world. Raises RecordingError, ReplayError.

    The exchange's clock is the recording's: it goes on with the records that are taken, and stands in a pause.
    """

    participants: Final = None
    quiet: Final = True

    def __init__(
        self,
        path: Path,
        *,
        seed: int,
        run: int = 0,
        dedupe: Dedupe = "open",
        speed: float = 1.0,
        paused: bool = False,
        at: str = "",
        timer_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seed = seed
        self._file = RecordedFile(path)
        self._timer_s = timer_s
        self.begin_ms = self._file.header.began_ms
        self.end_ms = max(self._file.last_ms(), self.begin_ms)
        self.now_ms = self.begin_ms
        self.speed = speed
        self.paused = paused
        self.seeking = False
        self._behind = False
        self._seeks = 0
        self._note = ""
        self._at = read_moment(at, self.begin_ms, self.end_ms) if at else None
        self._journey: Journey | None = None
        self._from: tuple[int, float] = (self.begin_ms, timer_s())
        """A moment of the recording, and when that was by the timer."""
        self.shards = _shards(self._file)
        self._replayed = ReplayExchange(self.clock_ms, seed, dedupe=dedupe, run=run, shards=self.shards)
        self.exchange: Exchange = self._replayed
        self.scene = Scene(self._replayed)
        self._player = Player(self._file)
        self._open()
        self._replayed.announces = True

    def clock_ms(self) -> int:
        """Give the recording's time."""
        return self.now_ms

    @property
    def ended(self) -> bool:
        """Whether all has been played."""
        return self._player.next is None

    @property
    def hurries(self) -> bool:
        """Whether the next step is due at once."""
        return self._behind and not self.paused and not self.seeking

    def state(self) -> ReplayState:
        """Say how far it has played."""
        return ReplayState(
            file=self._file.path.name,
            at_ms=self.now_ms,
            begin_ms=self.begin_ms,
            end_ms=self.end_ms,
            speed=self.speed,
            paused=self.paused,
            seeking=self.seeking,
            ended=self.ended,
            records=self.scene.records,
            seeks=self._seeks,
            note=self._note or self._file.end,
        )

    # Playing.

    def _open(self) -> None:
        """Take what was there before anything changed: the markets, and the books as they stood."""
        player = self._player
        while player.next is not None and _opens(player.next):
            self._take(player.take())

    def start(self) -> None:
        """Begin to play, with no order resting from an earlier run. Call it once, after anything was restored.

        A place far into a long recording is not waited for: `arrive` goes on to it.
        """
        self._replayed.advance()
        self._replayed.clear_orders("the recording begins anew")
        if self._at is not None:
            journey = Journey(self._file, self._bounded(self._at))
            if journey.go(self._timer_s, AT_ONCE_S):
                self._adopt(journey)
            else:
                self._journey = journey
        self._rebase()

    @property
    def under_way(self) -> bool:
        """Whether the place to begin at has not been reached yet."""
        return self._journey is not None

    async def arrive(self) -> None:
        """Reach the place to begin at."""
        journey, self._journey = self._journey, None
        if journey is not None:
            await self._travel(journey)

    def step(self) -> None:
        """Take what the time has brought; as much of it as there is time for, and the recording's clock waits."""
        if self.paused or self.seeking:
            return
        began = self._timer_s()
        target = self.end_ms if self.speed == 0.0 else self._due(began)
        player, taken = self._player, 0
        while player.next is not None and player.next.ms <= target:
            self._take(player.take())
            taken += 1
            if taken % BUSY_RECORDS == 0 and self._timer_s() - began > BUSY_S:
                # Played later than asked for: from here on the time is counted anew.
                self._rebase()
                self._behind = True
                return
        self._behind = False
        if self.speed != 0.0 or player.next is None:
            self._move(min(target, self.end_ms))

    def wait(self) -> None:
        """Let the recording's clock stand until now: what has passed meanwhile is not made up for."""
        self._rebase()

    def _due(self, now_s: float) -> int:
        at_ms, since_s = self._from
        return at_ms + round((now_s - since_s) * 1_000 * self.speed)

    def _rebase(self) -> None:
        self._from = (self.now_ms, self._timer_s())

    def _take(self, record: Record) -> None:
        self._move(record.ms)
        self.scene.take(record)

    def _move(self, ms: int) -> None:
        """Let it be later; what is due by the clock is done."""
        self.now_ms = max(self.now_ms, ms)
        due = self.exchange.next_due_ms
        if due is not None and due <= self.now_ms:
            self.exchange.advance()
        self.exchange.now = max(self.exchange.now, self.now_ms)

    # Control.

    def pause(self) -> None:
        """Stand still."""
        self.step()
        self.paused = True

    def resume(self) -> None:
        """Go on."""
        self.paused = False
        self._rebase()

    def set_speed(self, speed: float) -> None:
        """Play faster or slower from here on."""
        self.step()
        self.speed = speed
        self._rebase()

    def step_on(self, frames: int) -> None:
        """Pause, and take so many frames."""
        self.pause()
        player = self._player
        while frames > 0 and player.next is not None:
            record = player.take()
            self._take(record)
            frames -= record.kind in SHOWN

    async def seek(self, target: int) -> str:
        """Go to a moment, back or forth; give what that meant for the account's orders, a sentence.

        The recording is read from its beginning: the exchange stands as it is meanwhile, and answers.
        """
        if self.seeking:
            raise ReplayError("a seek is under way; wait for its end.")
        return await self._travel(Journey(self._file, self._bounded(target)))

    async def _travel(self, journey: "Journey") -> str:
        self.seeking = True
        try:
            while not journey.go(self._timer_s, BUSY_S):  # noqa: ASYNC110 - no event to wait for: it works, in portions
                await asyncio.sleep(0)
            cancelled = self._replayed.clear_orders("the replay was moved to another time")
            self._adopt(journey)
        finally:
            self.seeking = False
            self._rebase()
        orders = (
            f"{cancelled} resting order{'' if cancelled == 1 else 's'} cancelled" if cancelled else "no order rested"
        )
        self._seeks += 1
        self._note = f"Moved to {moment_text(journey.target)} UTC; {orders}, positions and cash stay."
        return self._note

    def _bounded(self, ms: int) -> int:
        return min(max(ms, self.begin_ms), self.end_ms)

    def _adopt(self, journey: "Journey") -> None:
        """Go on from another moment."""
        journey.scene.now_ms = self.now_ms = journey.target
        self._replayed.adopt(journey.scene)
        self.scene, self._player = journey.scene, journey.player


class Journey:
    """The way to another moment: what the recording shows there is found out from its beginning."""

    def __init__(self, file: RecordedFile, target: int) -> None:
        self.target = target
        self.scene = Scene()
        self.player = Player(file)
        self._opening = True

    def go(self, timer_s: Callable[[], float], seconds: float) -> bool:
        """Go on for so long; give whether it is reached."""
        began, taken = timer_s(), 0
        scene, player = self.scene, self.player
        while player.next is not None:
            # What was there before anything changed belongs to the very beginning too.
            self._opening = self._opening and _opens(player.next)
            if player.next.ms > self.target and not self._opening:
                break
            scene.take(player.take())
            taken += 1
            if taken % BUSY_RECORDS == 0 and timer_s() - began > seconds:
                return False
        return True


def _opens(record: Record) -> bool:
    """Say whether a record, at the head of a recording, tells what was there and not what has changed."""
    if record.kind == Kind.FRAME:
        return any(each in record.payload for each in _OPENING)
    return record.kind != Kind.UNREADABLE


def _shards(file: RecordedFile) -> tuple[int, ...]:
    """Give the shards of the recorded markets, and those that are always there."""
    found = set(SHARDS)
    for record in file.records():
        if record.kind == Kind.MARKET:
            with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
                index = msgspec.json.decode(record.payload, type=_Sharded).exchange_index
                found.add(index if 0 <= index < 1_000 else 0)
        elif record.kind == Kind.FRAME:
            break
    return tuple(sorted(found))


class _Sharded(msgspec.Struct):
    """What of a market says where it is traded."""

    exchange_index: int = 0


def moment_text(ms: int) -> str:
    """Write a moment as the time of its day, UTC."""
    return f"{datetime.fromtimestamp(ms // 1_000, UTC):%H:%M:%S}"


__all__ = ["Player", "RecordingError", "ReplayError", "ReplayWorld", "read_moment", "read_speed"]
