"""Opening the exchange that a command is to talk to, and closing it again.

In practice without an account that is the exchange which runs on the data folder, a desk's or one that was started
alone; or one that is started for this command. The account is kept in the folder, so that the next command finds it.
"""

import argparse
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.context import (
    asker,
    begun_practice,
    chosen_profile,
    folder_of,
    loaded_settings,
)
from kalshi_tui.cli.exit_codes import (
    NOT_FOUND,
    UNKNOWN,
    USAGE,
    FailedError,
)
from kalshi_tui.cli.progress import Waiting

if TYPE_CHECKING:
    from kalshi_tui.kalshi.environments import Environment
    from kalshi_tui.kalshi.rest import RestClient
    from kalshi_tui.kalshi.transport.clock import ExchangeClock
    from kalshi_tui.kalshi.transport.signing import Signer
    from kalshi_tui.runtime.compose import Connected
    from kalshi_tui.runtime.configuration import Loaded
    from kalshi_tui.runtime.profiles import Profile

TAKEN: Final = "another practice exchange"
"""How the sentence begins with which an exchange does not start on a folder that has one."""
FREE_WITHIN_S: Final = 20.0
"""How long another command's exchange is waited for to end."""
LOOK_AGAIN_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange to talk to: the profile, the settings in force, and how it is reached."""

    profile: "Profile"
    loaded: "Loaded"
    folder: Path
    environment: "Environment"
    connected: "Connected | None"
    """None where there is no key: then only public market data can be read."""

    @property
    def signer(self) -> "Signer | None":
        """The key, if there is one."""
        return self.connected.signer if self.connected is not None else None

    def rest(self, *, read_only: bool = True, clock: "ExchangeClock | None" = None) -> "RestClient":
        """Make a client; it sends no command unless it is told that it may."""
        from kalshi_tui.kalshi.rest import RestClient

        return RestClient(self.environment, self.signer, clock=clock, proxy=self.profile.proxy, read_only=read_only)


@contextlib.contextmanager
def opened(options: argparse.Namespace, *, public: bool = False, lasting: bool = False) -> Iterator[Exchange]:
    """Open the chosen exchange. Raises FailedError.

    ``public``: no key is needed, and none is missed. ``lasting``: the command runs until it is ended, so that others
    may use a practice exchange that is started for it.
    """
    if getattr(options, "fresh", False):
        raise FailedError("this command starts nothing anew; leave --fresh out.", "usage", USAGE)
    loaded = loaded_settings(options)
    with contextlib.ExitStack() as stack:
        connected = _practice(options, loaded, stack, lasting=lasting)
        profile = chosen_profile(options, loaded)
        folder = folder_of(options, profile.name)
        if connected is None:
            connected = _connected(profile, folder, public=public)
        environment = connected.environment if connected is not None else profile.environment
        assert environment is not None  # noqa: S101 - a profile without addresses is practice, and connected
        yield Exchange(profile, loaded, folder, environment, connected)


def _practice(
    options: argparse.Namespace, loaded: "Loaded", stack: contextlib.ExitStack, *, lasting: bool
) -> "Connected | None":
    """Find or start the practice exchange of this machine; None where another exchange is chosen."""
    from kalshi_tui.cli.context import starts_practice
    from kalshi_tui.runtime.compose import connected_practice
    from kalshi_tui.runtime.launch import LaunchError

    if not starts_practice(options, loaded):
        return None
    deadline = time.monotonic() + FREE_WITHIN_S
    with Waiting("Starting the practice exchange"):
        while True:
            found = running_practice(folder_of(options))
            if found is not None:
                return found
            process = begun_practice(options, loaded, [] if lasting else ["--unlisted"])
            assert process is not None  # noqa: S101 - practice is wanted
            try:
                ready = process.ready()
            except LaunchError as error:
                process.end()
                if not str(error).startswith(TAKEN) or time.monotonic() > deadline:
                    raise FailedError(str(error), "practice") from error
                # Another command's, which ends soon; or one that is just starting, and will be found.
                time.sleep(LOOK_AGAIN_S)
                continue
            except BaseException:
                process.end()
                raise
            stack.callback(process.end)
            return connected_practice(ready, process.gone)


def running_practice(folder: Path) -> "Connected | None":
    """Give the practice exchange that runs on this folder, if it can be talked to."""
    from kalshi_tui.kalshi.transport.signing import KeyFileError
    from kalshi_tui.practice.storage.run_note import note_of
    from kalshi_tui.runtime.compose import connected_practice
    from kalshi_tui.runtime.launch import read_ready

    note = note_of(folder.expanduser().absolute())
    if not note:
        return None
    try:
        return connected_practice(read_ready(note))
    except (ValueError, OSError, KeyFileError):
        return None


def _connected(profile: "Profile", folder: Path, *, public: bool) -> "Connected | None":
    """Open the profile's key; None where there is none and none is needed."""
    from kalshi_tui.kalshi.environments import Kind
    from kalshi_tui.runtime.compose import Opening
    from kalshi_tui.runtime.credentials import CredentialsError

    key = profile.key
    if not key.key_id and not key.path and key.pem is None:
        if profile.kind is Kind.PRACTICE:
            running = running_practice(folder)
            if running is not None and running.environment.rest_url == getattr(profile.environment, "rest_url", ""):
                return running
        if public:
            return None
    try:
        return Opening(profile, None, asker()).ready()
    except CredentialsError as error:
        raise FailedError(str(error), "credentials") from error


def failure_of(error: Exception) -> FailedError:
    """Say in the command line's terms what the exchange or the way there did."""
    from kalshi_tui.kalshi import errors

    kinds: tuple[tuple[type[Exception], str, int | None], ...] = (
        (errors.NotFound, "not_found", NOT_FOUND),
        (errors.RateLimited, "rate_limited", None),
        (errors.AuthenticationFailed, "authentication", None),
        (errors.Refused, "refused", None),
        (errors.NotSent, "not_sent", None),
        (errors.UnknownOutcome, "unknown_outcome", UNKNOWN),
        (errors.TransportError, "unreachable", None),
        (errors.BadReply, "bad_reply", None),
    )
    for kind, code, exit_code in kinds:
        if isinstance(error, kind):
            return FailedError(str(error), code) if exit_code is None else FailedError(str(error), code, exit_code)
    return FailedError(str(error))
