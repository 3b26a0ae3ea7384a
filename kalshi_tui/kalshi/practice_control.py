"""Asking the practice exchange for trouble: ``POST /practice/control`` at its root, which no other exchange has."""

from collections.abc import Mapping
from typing import Final

from kalshi_tui.kalshi.environments import Environment, Kind
from kalshi_tui.kalshi.errors import AuthenticationFailed
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.kalshi.transport.http import HttpClient, Timeouts
from kalshi_tui.kalshi.transport.signing import (
    PRACTICE_CONTROL,
    PRACTICE_REPLAY,
    PRACTICE_TOKEN_HEADER,
    Signer,
)
from kalshi_tui.kalshi.wire import REST_PREFIX
from kalshi_tui.kalshi.wire.practice import ReplayState

SEEK_TIMEOUTS: Final = Timeouts(piece=600.0, whole=600.0)
"""A long recording is read from its beginning when it is moved to another moment."""


class PracticeControl:
    """Signs and sends one action at a time. Raises ValueError for any environment but practice."""

    def __init__(self, environment: Environment, signer: Signer, token: str, *, clock: ExchangeClock) -> None:
        if environment.kind is not Kind.PRACTICE:
            raise ValueError("Trouble is rehearsed on a practice exchange only.")
        root = environment.rest_url.removesuffix(REST_PREFIX)
        headers = {PRACTICE_TOKEN_HEADER: token}
        self._http = HttpClient(environment, signer, clock=clock, url=root, headers=headers)
        self._slow_http = HttpClient(
            environment, signer, clock=clock, url=root, headers=headers, timeouts=SEEK_TIMEOUTS
        )
        self._unsigned_http = HttpClient(environment, clock=clock, url=root)

    async def inject_fault(self, action: str, values: Mapping[str, str | int | bool]) -> None:
        """Have one action done. Raises NotSent, Refused or UnknownOutcome with a sentence."""
        asked = {"action": action, **values}
        try:
            await self._http.send_command_without_reply("POST", PRACTICE_CONTROL, "The rehearsal", asked)
        except AuthenticationFailed as error:
            if not error.skew_ms:
                raise
            # The clock was rehearsed wrong, and the refusal has just told the right time. Nothing was done yet.
            await self._http.send_command_without_reply("POST", PRACTICE_CONTROL, "The rehearsal", asked)

    async def control_replay(self, action: str, values: Mapping[str, str | int | bool]) -> None:
        """Have a recording paused, moved and the like, however long that takes. Raises as `act`."""
        await self._slow_http.send_command_without_reply(
            "POST", PRACTICE_CONTROL, "The replay's command", {"action": action, **values}
        )

    async def fetch_replay_state(self) -> ReplayState:
        """Ask how far a recording has played. Raises TransportError, Refused or BadReply."""
        return await self._unsigned_http.get(PRACTICE_REPLAY, ReplayState)

    async def close(self) -> None:
        """Close the connections."""
        for calls in (self._http, self._slow_http, self._unsigned_http):
            await calls.close()
