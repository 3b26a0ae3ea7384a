"""Profiles: which exchange the program talks to, and with which key (practice, demo, live, the trader's own)."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kalshi_tui.kalshi.environments import DEMO, PRODUCTION, Environment, Kind, is_loopback, split_url
from kalshi_tui.kalshi.transport.tls import validate_proxy
from kalshi_tui.kalshi.wire import REST_PREFIX, WS_PATH
from kalshi_tui.runtime.configuration import PRACTICE_PROFILE, choose_profile_name
from kalshi_tui.runtime.credentials import KeySource, key_source_from_environment
from kalshi_tui.runtime.settings import ProfileSettings, Settings, SettingsError

BUILT_IN_ENVIRONMENTS: Final = {"demo": DEMO, "live": PRODUCTION}
PROFILE_NAME_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Profile:
    """One choice of exchange. ``environment`` is None where a practice exchange is to be started on this machine."""

    name: str
    environment: Environment | None
    key: KeySource
    read_only: bool = False
    proxy: str | None = field(default=None, repr=False)
    """May hold a password."""

    @property
    def kind(self) -> Kind:
        """What an order would cost."""
        return self.environment.kind if self.environment is not None else Kind.PRACTICE


def build_profile(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    env: str | None = None,
    rest_url: str | None = None,
    ws_url: str | None = None,
) -> Profile:
    """Put a profile together from flags, environment and settings. Raises SettingsError or CredentialsError."""
    name = choose_profile_name(settings, environ, env)
    known = sorted({PRACTICE_PROFILE, *BUILT_IN_ENVIRONMENTS, *settings.profiles})
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f" Did you mean {near[0]}?" if near else f" There are {', '.join(known)}."
        raise SettingsError(f"There is no profile {name!r}.{hint}")
    if not PROFILE_NAME_PATTERN.fullmatch(name):
        raise SettingsError(f"The profile {name!r} needs a name of small letters, digits, - and _.")
    own = settings.profiles.get(name, ProfileSettings())
    environment = _build_environment(name, own)
    key = KeySource(
        own.api_key_id,
        Path(own.private_key_path).expanduser() if own.private_key_path else None,
        passphrase_command=own.passphrase_command,
        keyring=own.keyring,
    )
    if rest_url or ws_url:
        overridden = _override_addresses(name, environment, rest_url, ws_url)
        moved = environment is None or overridden.signing_origin[1] != environment.signing_origin[1]
        if moved and overridden.kind is Kind.LIVE:
            # The live profile's key never signs for another host: a copied command line would hand it to a stranger.
            key = KeySource()
        environment = overridden
    if environment is not None:
        key = key_source_from_environment(environ, key)
    try:
        proxy = validate_proxy(own.proxy or None)
    except ValueError as error:
        raise SettingsError(f"profiles.{name}.proxy: {error}") from None
    return Profile(name, environment, key, own.read_only, proxy)


def _build_environment(name: str, own: ProfileSettings) -> Environment | None:
    """Return where a profile's exchange is. Raises SettingsError."""
    if name in {PRACTICE_PROFILE, *BUILT_IN_ENVIRONMENTS}:
        if own.rest_url or own.ws_url:
            raise SettingsError(
                f"profiles.{name}: this profile has its own addresses; give others a profile of another name."
            )
        return BUILT_IN_ENVIRONMENTS.get(name)
    if not own.rest_url or not own.ws_url:
        raise SettingsError(f"profiles.{name}: a profile of your own needs rest_url and ws_url.")
    try:
        return Environment(
            name, Kind[own.money.upper()], own.rest_url.rstrip("/"), own.ws_url, _host_names(own.rest_url, own.ws_url)
        )
    except ValueError as error:
        raise SettingsError(f"profiles.{name}: {error}") from None


def _override_addresses(
    name: str, environment: Environment | None, rest_url: str | None, ws_url: str | None
) -> Environment:
    """Return the profile's exchange at other addresses, for one run. Raises SettingsError."""
    named = {environment.signing_origin[1], environment.ws_host} if environment is not None else set()
    for option, url in (("--rest-url", rest_url), ("--ws-url", ws_url)):
        if not url:
            continue
        try:
            host = split_url(url).hostname or ""
        except ValueError as error:
            raise SettingsError(f"{option}: {error}") from None
        if host and not is_loopback(host) and host not in named:
            raise SettingsError(
                f"The address of {host} is neither this machine's nor one that the profile {name} names; a key is for "
                "its own exchange. Write a profile of your own for it in the settings."
            )
    if rest_url and not ws_url and is_loopback(split_url(rest_url).hostname or ""):
        # A practice exchange has both behind one port.
        ws_url = rest_url.rstrip("/").replace("http", "ws", 1).removesuffix(REST_PREFIX) + WS_PATH
    if environment is None and not (rest_url and ws_url):
        raise SettingsError("--ws-url needs --rest-url beside it: a practice exchange is started without them.")
    rest = (rest_url or (environment.rest_url if environment is not None else "")).rstrip("/")
    stream = ws_url or (environment.ws_url if environment is not None else "")
    kind = environment.kind if environment is not None else Kind.PRACTICE
    try:
        made = Environment(name, kind, rest, stream, _host_names(rest, stream))
    except ValueError as error:
        raise SettingsError(f"--rest-url, --ws-url: {error}") from None
    if is_loopback(made.signing_origin[1]) != is_loopback(made.ws_host):
        raise SettingsError("--rest-url and --ws-url lead to different exchanges; give both.")
    return made


def _host_names(*urls: str) -> frozenset[str]:
    return frozenset(split_url(url).hostname or "" for url in urls)
