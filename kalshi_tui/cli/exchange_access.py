"""Open the exchange that a command talks to, and close it again.

In practice that is the exchange which runs on the data folder already, a desk's or one of its own; or else one that is
started for this command. The account is kept in the folder, so that the next command finds it.
"""

import argparse
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.context import (
    choose_profile,
    data_folder,
    load_command_settings,
    passphrase_asker,
    start_practice,
)
from kalshi_tui.cli.exit_codes import (
    NOT_FOUND,
    UNKNOWN,
    USAGE,
    FailedError,
)
from kalshi_tui.cli.progress import ProgressIndicator

if TYPE_CHECKING:
    from kalshi_tui.kalshi.environments import Environment
    from kalshi_tui.kalshi.lists import LeftOut
    from kalshi_tui.kalshi.rest import RestClient
    from kalshi_tui.kalshi.transport.signing import Signer
    from kalshi_tui.runtime.compose import ExchangeAccess
    from kalshi_tui.runtime.configuration import LoadedSettings
    from kalshi_tui.runtime.profiles import Profile

FOLDER_FREE_TIMEOUT_S: Final = 20.0
"""How long to wait for another command's exchange to end."""
RETRY_DELAY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class CommandExchange:
    """An exchange to talk to: the profile, the settings in force, and how it is reached."""

    profile: "Profile"
    loaded: "LoadedSettings"
    folder: Path
    environment: "Environment"
    access: "ExchangeAccess | None"
    """None where there is no key: then only public market data can be read."""

    @property
    def signer(self) -> "Signer | None":
        """The key, if there is one."""
        return self.access.signer if self.access is not None else None

    def read_only_rest(self, on_left_out: "Callable[[LeftOut], None]") -> "RestClient":
        """Return a client that sends no order, change or cancel, with a listener for items left out of lists."""
        from kalshi_tui.kalshi.rest import RestClient

        return RestClient(
            self.environment, self.signer, proxy=self.profile.proxy, read_only=True, on_left_out=on_left_out
        )

    def writing_rest(self, options: argparse.Namespace) -> "RestClient":
        """Return a client that may write. Raises FailedError where the program only watches."""
        from kalshi_tui.kalshi.rest import RestClient
        from kalshi_tui.session.options import READ_ONLY

        if options.read_only or self.profile.read_only:
            raise FailedError(READ_ONLY, "kept_back")
        return RestClient(self.environment, self.signer, proxy=self.profile.proxy)


@contextlib.contextmanager
def open_exchange(
    options: argparse.Namespace, *, public: bool = False, long_running: bool = False
) -> Iterator[CommandExchange]:
    """Open the chosen exchange. Raises FailedError.

    ``public``: no key is needed. ``long_running``: the command runs until it is ended, so other commands may use a
    practice exchange that is started for it.
    """
    if getattr(options, "fresh", False):
        raise FailedError("this command starts no new account; leave out --fresh.", "usage", USAGE)
    loaded = load_command_settings(options)
    with contextlib.ExitStack() as stack:
        connected = _open_practice(options, loaded, stack, long_running=long_running)
        profile = choose_profile(options, loaded)
        folder = data_folder(options, profile.name)
        if connected is None:
            connected = _open_access(profile, folder, public=public)
        environment = connected.environment if connected is not None else profile.environment
        assert environment is not None  # noqa: S101 - a profile without addresses is practice, and connected
        yield CommandExchange(profile, loaded, folder, environment, connected)


def _open_practice(
    options: argparse.Namespace, loaded: "LoadedSettings", stack: contextlib.ExitStack, *, long_running: bool
) -> "ExchangeAccess | None":
    """Find or start this machine's practice exchange; None where another exchange is chosen."""
    from kalshi_tui.cli.context import is_local_practice
    from kalshi_tui.runtime.compose import practice_access
    from kalshi_tui.runtime.launch import FolderInUseError, LaunchError

    if not is_local_practice(options, loaded):
        return None
    deadline = time.monotonic() + FOLDER_FREE_TIMEOUT_S
    with ProgressIndicator("Starting the practice exchange"):
        while True:
            found = find_running_practice(data_folder(options))
            if found is not None:
                return found
            process = start_practice(options, loaded, [] if long_running else ["--unlisted"])
            assert process is not None  # noqa: S101 - practice is wanted
            try:
                ready = process.wait_until_ready()
            except LaunchError as error:
                process.stop()
                if not isinstance(error, FolderInUseError) or time.monotonic() > deadline:
                    raise FailedError(str(error), "practice") from error
                # Another command's exchange, which ends soon, or one that is starting and will be found: try again.
                time.sleep(RETRY_DELAY_S)
                continue
            except BaseException:
                process.stop()
                raise
            stack.callback(process.stop)
            return practice_access(ready, process.describe_exit)


def find_running_practice(folder: Path) -> "ExchangeAccess | None":
    """Return the practice exchange that runs on this folder, if it can be talked to."""
    from kalshi_tui.kalshi.transport.signing import KeyFileError
    from kalshi_tui.practice.storage.run_note import read_run_note
    from kalshi_tui.runtime.compose import practice_access
    from kalshi_tui.runtime.launch import parse_ready_line

    note = read_run_note(folder.expanduser().absolute())
    if not note:
        return None
    try:
        return practice_access(parse_ready_line(note))
    except (ValueError, OSError, KeyFileError):
        return None


def _open_access(profile: "Profile", folder: Path, *, public: bool) -> "ExchangeAccess | None":
    """Open the profile's key; None where there is none and none is needed."""
    from kalshi_tui.kalshi.environments import Kind
    from kalshi_tui.runtime.compose import ExchangeOpener
    from kalshi_tui.runtime.credentials import CredentialsError

    key = profile.key
    if not key.key_id and not key.path and key.pem is None:
        if profile.kind is Kind.PRACTICE:
            running = find_running_practice(folder)
            if running is not None and running.environment.rest_url == getattr(profile.environment, "rest_url", ""):
                return running
        if public:
            return None
    try:
        return ExchangeOpener(profile, None, passphrase_asker()).wait_until_ready()
    except CredentialsError as error:
        raise FailedError(str(error), "credentials") from error


def failure_from(error: Exception) -> FailedError:
    """Return an error of the exchange, or of the way there, as a failure of the command."""
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
