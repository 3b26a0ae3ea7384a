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

from kalshi_tui.kalshi.wire.replay_state import ReplayState
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.ledger import CRYPTO_SHARD
from kalshi_tui.practice.engine.order_entry import DedupeMode
from kalshi_tui.practice.replay.recorded_exchange import ReplayExchange
from kalshi_tui.practice.replay.state import RecordedState
from kalshi_tui.recording.reader import Record, RecordingReader
from kalshi_tui.recording.writer import RecordingError, RecordKind

MAX_STEP_S: Final = 0.012
"""How long a step works at a stretch: requests wait for so long at the most."""
RECORDS_PER_CLOCK_CHECK: Final = 64
"""Records between two looks at the clock."""
MIN_SPEED: Final = 0.01
MAX_SPEED: Final = 1_000_000.0
START_SEEK_TIMEOUT_S: Final = 3.0
"""How long the start looks for the place to begin at; a client waits for the ready line meanwhile."""
_INITIAL_FRAME_TYPES: Final = (b'"subscribed"', b'"orderbook_snapshot"')
"""Types of the frames that a fresh connection begins with."""
STEP_RECORD_KINDS: Final = frozenset({RecordKind.FRAME})
"""What a step on counts."""
_OFFSET_PATTERN: Final = re.compile(r"(?P<sign>[+-]?)(?P<number>\d{1,12}(?:\.\d{1,3})?)(?P<unit>s|m|h)")
_TIME_OF_DAY_PATTERN: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3}))?)?")
_MS_BY_UNIT: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000}
_DAY_MS: Final = 86_400_000
TIME_FORMATS: Final = (
    "12:34:56 (UTC, of the recording's day), 2026-11-20T12:34:56Z, 90s, 5m or 1h from its beginning, "
    "-30s before its end, or 40%"
)


class ReplayError(Exception):
    """A request that a recording cannot fulfill. The message is a sentence."""


def parse_speed(text: str) -> float:
    """Read a speed: 1 is real time, ``max`` (0) as fast as it goes. Raises ReplayError."""
    if text == "max":
        return 0.0
    with suppress(ValueError):
        speed = float(text)
        if MIN_SPEED <= speed <= MAX_SPEED:
            return speed
    raise ReplayError(f"a speed is a number from {MIN_SPEED:g} to {MAX_SPEED:,.0f}, or max, not {text[:20]!r}.")


def parse_replay_time(text: str, begin_ms: int, end_ms: int) -> int:
    """Read a moment of a recording, in one of the ways of `TIME_FORMATS`. Raises ReplayError."""
    text = text.strip()
    if found := _OFFSET_PATTERN.fullmatch(text):
        by = round(float(found["number"]) * _MS_BY_UNIT[found["unit"]])
        return end_ms - by if found["sign"] == "-" else begin_ms + by
    if found := _TIME_OF_DAY_PATTERN.fullmatch(text):
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
    raise ReplayError(f"{text[:40]!r} is no time of a recording: give {TIME_FORMATS}.")


class RecordCursor:
    """Records in their order, with a look at the next one."""

    def __init__(self, file: RecordingReader) -> None:
        self._records: Iterator[Record] = file.records()
        self.next_record: Record | None = next(self._records, None)

    def pop(self) -> Record:
        """Return the next record; there must be one."""
        taken = self.next_record
        assert taken is not None  # noqa: S101 - the caller has looked
        self.next_record = next(self._records, None)
        return taken


class ReplayWorld:
    """Build it, restore accounts, call `start`, then `step` often, as any world. Raises RecordingError, ReplayError.

    The exchange's clock is the recording's: it goes on with the records, and stops in a pause.
    """

    participants: Final = None
    quiet: Final = True

    def __init__(
        self,
        path: Path,
        *,
        seed: int,
        run: int = 0,
        dedupe: DedupeMode = "open",
        speed: float = 1.0,
        paused: bool = False,
        at: str = "",
        timer_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seed = seed
        self._file = RecordingReader(path)
        self._timer_s = timer_s
        self.begin_ms = self._file.header.began_ms
        self.end_ms = max(self._file.last_ms(), self.begin_ms)
        self.now_ms = self.begin_ms
        self.speed = speed
        self.paused = paused
        self.seeking = False
        self._is_behind = False
        self._seeks = 0
        self._note = ""
        self._start_ms = parse_replay_time(at, self.begin_ms, self.end_ms) if at else None
        self._pending_seek: ReplaySeek | None = None
        self._clock_base: tuple[int, float] = (self.begin_ms, timer_s())
        """A moment of the recording, and when that was by the timer."""
        self.shards = _find_shards(self._file)
        self._replay_exchange = ReplayExchange(self.clock_ms, seed, dedupe=dedupe, run=run, shards=self.shards)
        self.exchange: Exchange = self._replay_exchange.exchange
        self.recorded_state = RecordedState(self._replay_exchange)
        self._cursor = RecordCursor(self._file)
        self._load_initial_records()
        self._replay_exchange.announces_new_markets = True

    def clock_ms(self) -> int:
        """Return the recording's time."""
        return self.now_ms

    @property
    def ended(self) -> bool:
        """Whether all has been played."""
        return self._cursor.next_record is None

    @property
    def needs_immediate_step(self) -> bool:
        """Whether the next step is due at once."""
        return self._is_behind and not self.paused and not self.seeking

    def state(self) -> ReplayState:
        """Return how far it has played."""
        return ReplayState(
            file=self._file.path.name,
            at_ms=self.now_ms,
            begin_ms=self.begin_ms,
            end_ms=self.end_ms,
            speed=self.speed,
            paused=self.paused,
            seeking=self.seeking,
            ended=self.ended,
            records=self.recorded_state.record_count,
            seeks=self._seeks,
            note=self._note or self._file.end_reason,
        )

    # Playing.

    def _load_initial_records(self) -> None:
        """Take what was there before anything changed: the markets, and the books as they stood."""
        player = self._cursor
        while player.next_record is not None and _is_initial_record(player.next_record):
            self._apply_record(player.pop())

    def start(self) -> None:
        """Begin to play, with no order resting from an earlier run. Call it once, after anything was restored.

        A place far into a long recording is not waited for: `finish_pending_seek` reaches it.
        """
        self.exchange.advance()
        self._replay_exchange.cancel_trader_orders()
        if self._start_ms is not None:
            seek = ReplaySeek(self._file, self._clamp(self._start_ms))
            if seek.advance(self._timer_s, START_SEEK_TIMEOUT_S):
                self._load_seek_result(seek)
            else:
                self._pending_seek = seek
        self._reset_clock_base()

    @property
    def has_pending_seek(self) -> bool:
        """Whether the place to begin at has not been reached yet."""
        return self._pending_seek is not None

    async def finish_pending_seek(self) -> None:
        """Reach the place to begin at."""
        seek, self._pending_seek = self._pending_seek, None
        if seek is not None:
            await self._run_seek(seek)

    def step(self) -> None:
        """Take what the time has brought; as much of it as there is time for, and the recording's clock waits."""
        if self.paused or self.seeking:
            return
        began = self._timer_s()
        target = self.end_ms if self.speed == 0.0 else self._target_ms(began)
        player, taken = self._cursor, 0
        while player.next_record is not None and player.next_record.ms <= target:
            self._apply_record(player.pop())
            taken += 1
            if taken % RECORDS_PER_CLOCK_CHECK == 0 and self._timer_s() - began > MAX_STEP_S:
                # Played later than asked for: from here on the time is counted from now.
                self._reset_clock_base()
                self._is_behind = True
                return
        self._is_behind = False
        if self.speed != 0.0 or player.next_record is None:
            self._advance_to(min(target, self.end_ms))

    def skip_elapsed_time(self) -> None:
        """Count the recording's time from now: what has passed since is not made up for."""
        self._reset_clock_base()

    def _target_ms(self, now_s: float) -> int:
        at_ms, since_s = self._clock_base
        return at_ms + round((now_s - since_s) * 1_000 * self.speed)

    def _reset_clock_base(self) -> None:
        self._clock_base = (self.now_ms, self._timer_s())

    def _apply_record(self, record: Record) -> None:
        self._advance_to(record.ms)
        self.recorded_state.apply(record)

    def _advance_to(self, ms: int) -> None:
        """Move the time ahead, and do what has become due."""
        self.now_ms = max(self.now_ms, ms)
        due = self.exchange.clock.next_due_ms
        if due is not None and due <= self.now_ms:
            self.exchange.advance()
        self.exchange.clock.now = max(self.exchange.clock.now, self.now_ms)

    # Control.

    def pause(self) -> None:
        """Stand still."""
        self.step()
        self.paused = True

    def resume(self) -> None:
        """Go on."""
        self.paused = False
        self._reset_clock_base()

    def set_speed(self, speed: float) -> None:
        """Play faster or slower from here on."""
        self.step()
        self.speed = speed
        self._reset_clock_base()

    def step_frames(self, frames: int) -> None:
        """Pause, and take so many frames."""
        self.pause()
        player = self._cursor
        while frames > 0 and player.next_record is not None:
            record = player.pop()
            self._apply_record(record)
            frames -= record.kind in STEP_RECORD_KINDS

    async def seek(self, target: int) -> str:
        """Go to a moment, back or forth. Return a sentence about what that meant for the account's orders.

        The recording is read from its beginning: meanwhile the exchange stays as it is, and answers.
        """
        if self.seeking:
            raise ReplayError("a seek is under way; wait for its end.")
        return await self._run_seek(ReplaySeek(self._file, self._clamp(target)))

    async def _run_seek(self, seek: "ReplaySeek") -> str:
        self.seeking = True
        try:
            while not seek.advance(self._timer_s, MAX_STEP_S):  # noqa: ASYNC110 - no event to wait for: it works, in portions
                await asyncio.sleep(0)
            canceled = self._replay_exchange.cancel_trader_orders()
            self._load_seek_result(seek)
        finally:
            self.seeking = False
            self._reset_clock_base()
        orders = f"{canceled} resting order{'' if canceled == 1 else 's'} canceled" if canceled else "no order rested"
        self._seeks += 1
        self._note = f"Moved to {format_time_of_day(seek.target)} UTC; {orders}, positions and cash stay."
        return self._note

    def _clamp(self, ms: int) -> int:
        return min(max(ms, self.begin_ms), self.end_ms)

    def _load_seek_result(self, seek: "ReplaySeek") -> None:
        """Go on from another moment."""
        seek.state.now_ms = self.now_ms = seek.target
        self._replay_exchange.load_state(seek.state)
        self.recorded_state, self._cursor = seek.state, seek.cursor


class ReplaySeek:
    """The way to another moment: what the recording shows there is found out from its beginning."""

    def __init__(self, file: RecordingReader, target: int) -> None:
        self.target = target
        self.state = RecordedState()
        self.cursor = RecordCursor(file)
        self._in_initial_records = True

    def advance(self, timer_s: Callable[[], float], seconds: float) -> bool:
        """Go on for so long. Return whether the moment is reached."""
        began, taken = timer_s(), 0
        state, cursor = self.state, self.cursor
        while cursor.next_record is not None:
            # What was there before anything changed belongs to the very beginning too.
            self._in_initial_records = self._in_initial_records and _is_initial_record(cursor.next_record)
            if cursor.next_record.ms > self.target and not self._in_initial_records:
                break
            state.apply(cursor.pop())
            taken += 1
            if taken % RECORDS_PER_CLOCK_CHECK == 0 and timer_s() - began > seconds:
                return False
        return True


def _is_initial_record(record: Record) -> bool:
    """Return whether a record, at the head of a recording, tells what was there and not what has changed."""
    if record.kind == RecordKind.FRAME:
        return any(each in record.payload for each in _INITIAL_FRAME_TYPES)
    return record.kind != RecordKind.UNREADABLE


def _find_shards(file: RecordingReader) -> tuple[int, ...]:
    """Return the shards of the recorded markets, and those on which there is always cash."""
    found = {0, CRYPTO_SHARD}
    for record in file.records():
        if record.kind == RecordKind.MARKET:
            with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
                index = msgspec.json.decode(record.payload, type=_MarketShard).exchange_index
                found.add(index if 0 <= index < 1_000 else 0)
        elif record.kind == RecordKind.FRAME:
            break
    return tuple(sorted(found))


class _MarketShard(msgspec.Struct):
    """What of a market says where it is traded."""

    exchange_index: int = 0


def format_time_of_day(ms: int) -> str:
    """Write a moment as the time of its day, UTC."""
    return f"{datetime.fromtimestamp(ms // 1_000, UTC):%H:%M:%S}"


__all__ = ["RecordCursor", "RecordingError", "ReplayError", "ReplayWorld", "parse_replay_time", "parse_speed"]
