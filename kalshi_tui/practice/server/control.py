"""Rehearsing trouble: ``POST /practice/control``, signed, and with the token that only this machine's user can read.

What the actions set lies in `Faults`; the server's guard and the streams act on it.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from aiohttp import web

from kalshi_tui.domain.price import NumberError, parse_price
from kalshi_tui.kalshi.transport.signing import PRACTICE_TOKEN_HEADER
from kalshi_tui.practice.engine.market_outcome import binary_outcome, scalar_outcome
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.replay.world import (
    ReplayError,
    ReplayWorld,
    parse_replay_time,
    parse_speed,
)
from kalshi_tui.practice.server.http import BadRequestError, json_reply, read_body
from kalshi_tui.practice.server.lagging_reads import LaggingReads

if TYPE_CHECKING:
    from kalshi_tui.practice.server.app import PracticeServer

MAX_DELAY_MS: Final = 600_000
MAX_FAULT_COUNT: Final = 1_000_000


@dataclass(slots=True)
class Faults:
    """What goes wrong with the next answers, and how often still."""

    delay_ms: int = 0
    delays_left: int = 0
    failure_status: int = 500
    failures_left: int = 0
    fail_after_processing: bool = False
    fail_method: str = ""
    """Which requests fail: those of this method, or all if empty."""
    fail_path: str = ""
    """And those below this path, or all if empty."""
    rate_limits_left: int = 0
    clock_skew_ms: int = 0
    """The server's clock minus this machine's, for signatures and ``Date`` headers."""


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
    speed: str = ""


class ControlApi:
    """Carries the actions out on a server."""

    def __init__(self, server: "PracticeServer", token: str, advance_clock: Callable[[int], None]) -> None:
        self._server = server
        self._token = token
        self._advance_clock = advance_clock
        self._actions: dict[str, Callable[[ControlRequest], Any]] = {
            "drop_connections": lambda _: server.hub.drop_connections(),
            "skip_frames": lambda asked: server.hub.inject_frame_fault("skip", asked.count),
            "duplicate_frame": lambda asked: server.hub.inject_frame_fault("duplicate", asked.count),
            "corrupt_frame": lambda asked: server.hub.inject_frame_fault("corrupt", asked.count),
            "old_sid_frames": lambda asked: server.hub.send_old_sid_frames(asked.count),
            "overflow": lambda _: server.hub.end_market_data(),
            "pause_trading": lambda _: server.world.exchange.pauses.pause_trading(),
            "resume_trading": lambda _: server.world.exchange.pauses.resume_trading(),
            "pause_exchange": lambda _: server.world.exchange.pauses.pause_exchange(),
            "resume_exchange": lambda _: server.world.exchange.pauses.resume_exchange(),
            "delay_responses": self._delay_responses,
            "fail_responses": self._fail_responses,
            "rate_limit": self._rate_limit,
            "set_clock_skew": self._set_clock_skew,
            "advance_clock": self._advance_exchange_clock,
            "read_lag": self._set_read_lag,
            "set_cutoff": self._cutoff,
            "settle": self._settle,
            "change_grid": lambda asked: server.world.exchange.lifecycle.change_grid(asked.ticker, asked.structure),
            "deactivate": lambda asked: server.world.exchange.lifecycle.deactivate(asked.ticker),
            "activate": lambda asked: server.world.exchange.lifecycle.activate(asked.ticker),
        }
        if isinstance(server.world, ReplayWorld):
            self._add_replay_actions(server.world)

    def _add_replay_actions(self, world: ReplayWorld) -> None:
        """Add what can be done with a recording, and take away what would contradict it."""
        for name in ("advance_clock", "settle", "change_grid", "deactivate", "activate", "read_lag"):
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
            if done is not None and hasattr(done, "__await__"):
                await done
        except ReplayError as error:
            raise BadRequestError(str(error)) from None
        self._server.commit()
        return json_reply({"action": asked.action, "done": True})

    def _delay_responses(self, asked: ControlRequest) -> None:
        if not 0 <= asked.ms <= MAX_DELAY_MS:
            raise BadRequestError(f"ms must be 0 to {MAX_DELAY_MS}")
        self._server.faults.delay_ms, self._server.faults.delays_left = asked.ms, asked.count

    def _fail_responses(self, asked: ControlRequest) -> None:
        if not 400 <= asked.status <= 599:
            raise BadRequestError("status must be 400 to 599")
        faults = self._server.faults
        faults.failure_status, faults.failures_left, faults.fail_after_processing = (
            asked.status,
            asked.count,
            asked.after_processing,
        )
        faults.fail_method, faults.fail_path = asked.method, asked.path

    def _rate_limit(self, asked: ControlRequest) -> None:
        self._server.faults.rate_limits_left = asked.count

    def _set_clock_skew(self, asked: ControlRequest) -> None:
        self._server.faults.clock_skew_ms = asked.ms

    def _advance_exchange_clock(self, asked: ControlRequest) -> None:
        if asked.ms < 0:
            raise BadRequestError("the exchange's clock only goes forward")
        self._advance_clock(asked.ms)
        self._server.world.step()

    def _cutoff(self, asked: ControlRequest) -> None:
        if asked.ms < 0:
            raise BadRequestError("ms must be 0 or more")
        self._server.archived_after_ms = asked.ms

    def _set_read_lag(self, asked: ControlRequest) -> None:
        if asked.ms < 0:
            raise BadRequestError("ms must be 0 or more")
        server = self._server
        lagging = LaggingReads(server.world.exchange, server.clock_ms, asked.ms) if asked.ms else None
        server.set_lagging_reads(lagging)

    def _settle(self, asked: ControlRequest) -> None:
        try:
            outcome = (
                binary_outcome(asked.result)
                if asked.result in {"yes", "no"}
                else scalar_outcome(parse_price(asked.result))
            )
        except NumberError:
            raise BadRequestError("result must be yes, no, or a value in dollars") from None
        self._server.world.exchange.lifecycle.settle(asked.ticker, outcome)
