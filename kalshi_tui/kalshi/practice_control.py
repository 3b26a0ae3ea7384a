"""Control a practice exchange: its simulated faults and its replay, by ``POST /practice/control``."""

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
from kalshi_tui.kalshi.wire.replay_state import ReplayState

SEEK_TIMEOUTS: Final = Timeouts(piece=600.0, whole=600.0)
"""Moving a replay to another moment reads the recording from its beginning, which takes minutes if it is long."""


class PracticeControl:
    """Sign and send one action at a time. Raises ValueError for any environment but practice."""

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
        """Have the exchange simulate one fault. Raises NotSent, Refused or UnknownOutcome."""
        body = {"action": action, **values}
        try:
            await self._http.send_command_without_reply("POST", PRACTICE_CONTROL, "The rehearsal", body)
        except AuthenticationFailed as error:
            if not error.skew_ms:
                raise
            # The fault before was a wrong clock. This rejection told the right time, and nothing was done: send again.
            await self._http.send_command_without_reply("POST", PRACTICE_CONTROL, "The rehearsal", body)

    async def control_replay(self, action: str, values: Mapping[str, str | int | bool]) -> None:
        """Pause, move or speed up a replay, however long that takes. Raises as `inject_fault`."""
        await self._slow_http.send_command_without_reply(
            "POST", PRACTICE_CONTROL, "The replay's command", {"action": action, **values}
        )

    async def fetch_replay_state(self) -> ReplayState:
        """Read how far a recording has played. Raises TransportError, Refused or BadReply."""
        return await self._unsigned_http.get(PRACTICE_REPLAY, ReplayState)

    async def close(self) -> None:
        """Close the connections."""
        for client in (self._http, self._slow_http, self._unsigned_http):
            await client.close()
