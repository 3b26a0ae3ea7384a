"""Asking the practice exchange for trouble: ``POST /practice/control`` at its root, which no other exchange has."""

from collections.abc import Mapping

from kalshi_tui.kalshi.calls import Calls
from kalshi_tui.kalshi.clock import ExchangeClock
from kalshi_tui.kalshi.environments import Environment, Kind
from kalshi_tui.kalshi.errors import AuthenticationFailed
from kalshi_tui.kalshi.signing import PRACTICE_CONTROL, PRACTICE_TOKEN_HEADER, Signer
from kalshi_tui.kalshi.wire import REST_PREFIX


class PracticeControl:
    """Signs and sends one action at a time. Raises ValueError for any environment but practice."""

    def __init__(self, environment: Environment, signer: Signer, token: str, *, clock: ExchangeClock) -> None:
        if environment.kind is not Kind.PRACTICE:
            raise ValueError("Trouble is rehearsed on a practice exchange only.")
        root = environment.rest_url.removesuffix(REST_PREFIX)
        self._calls = Calls(environment, signer, clock=clock, url=root, headers={PRACTICE_TOKEN_HEADER: token})

    async def act(self, action: str, values: Mapping[str, str | int | bool]) -> None:
        """Have one action done. Raises NotSent, Refused or UnknownOutcome with a sentence."""
        asked = {"action": action, **values}
        try:
            await self._calls.plain_command("POST", PRACTICE_CONTROL, "The rehearsal", asked)
        except AuthenticationFailed as error:
            if not error.skew_ms:
                raise
            # The clock was rehearsed wrong, and the refusal has just told the right time. Nothing was done yet.
            await self._calls.plain_command("POST", PRACTICE_CONTROL, "The rehearsal", asked)

    async def close(self) -> None:
        """Close the connection."""
        await self._calls.close()
