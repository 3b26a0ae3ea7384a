"""Rehearsing faults: ``POST /practice/control``, signed, and with the token that only this machine's user can read.

What the actions set is kept in `Faults`; the server's guard and the streams act on it.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from inspect import isawaitable
from typing import Any, Final, Literal

import msgspec
from aiohttp import web

from kalshi_tui.domain.fees import MAX_MULTIPLIER, FeeType
from kalshi_tui.domain.price import NumberError, parse_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.transport.signing import PRACTICE_TOKEN_HEADER
from kalshi_tui.practice.engine.market_outcome import binary_outcome, scalar_outcome
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.replay.recorded_world import (
    ReplayError,
    ReplayWorld,
    parse_replay_time,
    parse_speed,
)
from kalshi_tui.practice.server.archive_tier import ArchivedKind, ArchiveTier
from kalshi_tui.practice.server.attestation import Attestation
from kalshi_tui.practice.server.faults import Faults
from kalshi_tui.practice.server.http import BadRequestError, json_reply, read_body
from kalshi_tui.practice.server.hub import Hub
from kalshi_tui.practice.server.lagging_reads import ReadSource
from kalshi_tui.practice.simulation.world import World

MAX_DELAY_MS: Final = 600_000
MAX_FAULT_COUNT: Final = 1_000_000


class ControlRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body: ``action`` and the keys that it takes."""

    action: str
    count: int = 1
    ms: int = 0
    status: int = 500
    after_processing: bool = False
    method: Literal["", "GET", "POST", "DELETE", "PUT"] = ""
    path: str = ""
    ticker: str = ""
    result: str = ""
    structure: str = ""
    at: str = ""
    fee_type: str | None = None
    fee_multiplier: Decimal | None = None
    floor: str = "0"
    speed: str = ""
    exchange_index: int | None = None
    order_status: str = ""
    reading: Literal["", "yes", "no"] = ""
    reason: str = ""
    kind: str = ""
    gap_ms: int = 0
    for_ms: int = 0


@dataclass(frozen=True, slots=True)
class ControlTargets:
    """The parts of the server that the actions change."""

    world: World | ReplayWorld
    hub: Hub
    faults: Faults
    archive: ArchiveTier
    read_source: ReadSource
    commit: Callable[[], None]
    advance_clock: Callable[[int], None]
    attestation: Attestation


class ControlApi:
    """Carries the actions out."""

    def __init__(self, targets: ControlTargets, token: str) -> None:
        self._targets = targets
        self._token = token
        world, hub = targets.world, targets.hub
        lifecycle, pauses = world.exchange.lifecycle, world.exchange.pauses
        self._actions: dict[str, Callable[[ControlRequest], Any]] = {
            "drop_connections": lambda _: hub.drop_connections(),
            "skip_frames": lambda asked: hub.inject_frame_fault("skip", asked.count),
            "duplicate_frame": lambda asked: hub.inject_frame_fault("duplicate", asked.count),
            "corrupt_frame": lambda asked: hub.inject_frame_fault("corrupt", asked.count),
            "old_sid_frames": lambda asked: hub.send_old_sid_frames(asked.count),
            "no_levels": self._force_reading,
            "order_words": self._set_order_words,
            "overflow": lambda _: hub.end_market_data(),
            "pause_trading": lambda asked: pauses.pause_trading(shard=asked.exchange_index),
            "resume_trading": lambda asked: pauses.resume_trading(asked.exchange_index),
            "pause_exchange": lambda asked: pauses.pause_exchange(shard=asked.exchange_index),
            "resume_exchange": lambda asked: pauses.resume_exchange(asked.exchange_index),
            "announce_pause": self._announce_pause,
            "pause_transfers": lambda asked: pauses.pause_transfers(asked.exchange_index),
            "resume_transfers": lambda asked: pauses.resume_transfers(asked.exchange_index),
            "hold_transfers": self._hold_transfers,
            "release_transfers": lambda _: world.exchange.shard_transfers.release(),
            "fail_transfers": self._fail_transfers,
            "delay_responses": self._delay_responses,
            "fail_responses": self._fail_responses,
            "rate_limit": self._rate_limit,
            "set_clock_skew": self._set_clock_skew,
            "advance_clock": self._advance_exchange_clock,
            "read_lag": self._set_read_lag,
            "set_cutoff": self._cutoff,
            "set_attestation": lambda asked: targets.attestation.expire_in(asked.ms),
            "settle": self._settle,
            "change_grid": lambda asked: lifecycle.change_grid(asked.ticker, asked.structure),
            "deactivate": lambda asked: lifecycle.deactivate(asked.ticker),
            "activate": lambda asked: lifecycle.activate(asked.ticker),
            "change_series_fees": self._change_series_fees,
            "change_event_fees": self._change_event_fees,
            "raise_floor": self._raise_floor,
        }
        if isinstance(world, ReplayWorld):
            self._add_replay_actions(world)

    def _add_replay_actions(self, world: ReplayWorld) -> None:
        """Add what can be done with a recording, and take away what would contradict it."""
        for name in (
            "advance_clock",
            "announce_pause",
            "settle",
            "change_grid",
            "deactivate",
            "activate",
            "read_lag",
            "change_series_fees",
            "change_event_fees",
            "raise_floor",
        ):
            del self._actions[name]

        async def seek(asked: ControlRequest) -> None:
            target = world.now_ms + asked.ms
            if asked.at:
                target = parse_replay_time(asked.at, world.begin_ms, world.end_ms)
            await world.seek(target)

        self._actions |= {
            "replay_pause": lambda _: world.pause(),
            "replay_resume": lambda _: world.resume(),
            "replay_step": lambda asked: world.step_frames(asked.count),
            "replay_speed": lambda asked: world.set_speed(parse_speed(asked.speed)),
            "replay_seek": seek,
        }

    async def handle(self, request: web.Request) -> web.Response:
        """Carry out one action. The signature was checked before; the token is checked here."""
        given = request.headers.get(PRACTICE_TOKEN_HEADER, "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, self._token.encode()):
            raise Rejection(
                403, "forbidden", "forbidden", f"{PRACTICE_TOKEN_HEADER} must hold the content of the token file"
            )
        asked = await read_body(request, ControlRequest)
        if not (0 <= asked.count <= MAX_FAULT_COUNT and abs(asked.ms) <= 366 * 86_400_000):
            raise BadRequestError("count or ms is out of range")
        act = self._actions.get(asked.action)
        if act is None:
            raise BadRequestError(f"action must be one of {', '.join(self._actions)}")
        try:
            done = act(asked)
            if isawaitable(done):
                await done
        except ReplayError as error:
            raise BadRequestError(str(error)) from None
        self._targets.commit()
        return json_reply({"action": asked.action, "done": True})

    def _delay_responses(self, asked: ControlRequest) -> None:
        if not 0 <= asked.ms <= MAX_DELAY_MS:
            raise BadRequestError(f"ms must be 0 to {MAX_DELAY_MS}")
        self._targets.faults.delay_ms, self._targets.faults.delays_left = asked.ms, asked.count

    def _fail_responses(self, asked: ControlRequest) -> None:
        if not 400 <= asked.status <= 599:
            raise BadRequestError("status must be 400 to 599")
        faults = self._targets.faults
        faults.failure_status, faults.failures_left, faults.fail_after_processing = (
            asked.status,
            asked.count,
            asked.after_processing,
        )
        faults.fail_method, faults.fail_path = asked.method, asked.path

    def _hold_transfers(self, asked: ControlRequest) -> None:
        del asked
        self._targets.world.exchange.shard_transfers.holding = True

    def _fail_transfers(self, asked: ControlRequest) -> None:
        self._targets.world.exchange.shard_transfers.failures_left = asked.count

    def _force_reading(self, asked: ControlRequest) -> None:
        forced = wire.BookReading(asked.reading) if asked.reading else None
        self._targets.hub.market_frames.forced_reading = forced

    def _set_order_words(self, asked: ControlRequest) -> None:
        fault = self._targets.hub.order_frame_fault
        fault.left, fault.status, fault.reason = asked.count, asked.order_status, asked.reason

    def _rate_limit(self, asked: ControlRequest) -> None:
        self._targets.faults.rate_limits_left = asked.count

    def _set_clock_skew(self, asked: ControlRequest) -> None:
        self._targets.faults.clock_skew_ms = asked.ms

    def _advance_exchange_clock(self, asked: ControlRequest) -> None:
        if asked.ms < 0:
            raise BadRequestError("the exchange's clock only goes forward")
        self._targets.advance_clock(asked.ms)
        self._targets.world.step()

    def _announce_pause(self, asked: ControlRequest) -> None:
        if asked.ms < 0 or asked.for_ms <= 0:
            raise BadRequestError("ms must be 0 or more, and for_ms more than 0")
        exchange = self._targets.world.exchange
        start_ms = exchange.clock.advance() + asked.ms
        exchange.pauses.announce(start_ms, start_ms + asked.for_ms)

    def _cutoff(self, asked: ControlRequest) -> None:
        if asked.ms < 0:
            raise BadRequestError("ms must be 0 or more")
        names = {each.name.lower(): each for each in ArchivedKind}
        if asked.kind and asked.kind not in names:
            raise BadRequestError(f"kind must be one of {', '.join(names)}")
        archive = self._targets.archive
        archive.after_ms |= dict.fromkeys([names[asked.kind]] if asked.kind else ArchivedKind, asked.ms)
        archive.gap_ms = asked.gap_ms

    def _set_read_lag(self, asked: ControlRequest) -> None:
        if asked.ms < 0:
            raise BadRequestError("ms must be 0 or more")
        # The view of the past begins with what the engine knows now: what is not committed yet would be applied twice.
        self._targets.commit()
        self._targets.read_source.set_lag_ms(asked.ms)

    def _settle(self, asked: ControlRequest) -> None:
        try:
            outcome = (
                binary_outcome(asked.result)
                if asked.result in {"yes", "no"}
                else scalar_outcome(parse_price(asked.result))
            )
        except NumberError:
            raise BadRequestError("result must be yes, no, or a value in dollars") from None
        self._targets.world.exchange.results.settle(asked.ticker, outcome)

    def _change_series_fees(self, asked: ControlRequest) -> None:
        multiplier = Decimal(1) if asked.fee_multiplier is None else asked.fee_multiplier
        exchange = self._targets.world.exchange
        exchange.scheduled_fees.schedule_for_series(
            asked.ticker,
            asked.fee_type or FeeType.QUADRATIC.value,
            _require_multiplier(multiplier),
            exchange.clock.read_ms() + asked.ms,
        )

    def _change_event_fees(self, asked: ControlRequest) -> None:
        multiplier = None if asked.fee_multiplier is None else _require_multiplier(asked.fee_multiplier)
        exchange = self._targets.world.exchange
        exchange.scheduled_fees.schedule_for_event(
            asked.ticker, asked.fee_type or None, multiplier, exchange.clock.read_ms() + asked.ms
        )

    def _raise_floor(self, asked: ControlRequest) -> None:
        try:
            floor = parse_price(asked.floor)
        except NumberError:
            raise BadRequestError("floor must be a value in dollars") from None
        self._targets.world.exchange.settlement_floors.raise_floor(asked.ticker, floor)


def _require_multiplier(multiplier: Decimal) -> Decimal:
    if not multiplier.is_finite() or not 0 <= multiplier <= MAX_MULTIPLIER:
        raise BadRequestError(f"fee_multiplier must be 0 to {MAX_MULTIPLIER}")
    return multiplier
