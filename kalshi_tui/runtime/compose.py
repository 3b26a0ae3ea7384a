"""Compose a run: open a profile's exchange with its key, and build the session on it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import convert

from kalshi_tui.kalshi.environments import Environment, Kind, practice_at_urls
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.feed.stream_group import ReportListener, StreamGroup
from kalshi_tui.kalshi.practice_control import PracticeControl
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.kalshi.wire.replay_state import ReplayState
from kalshi_tui.runtime import logs
from kalshi_tui.runtime.credentials import AskPassphrase, open_key, signer_of
from kalshi_tui.runtime.launch import PracticeProcess, PracticeReady
from kalshi_tui.runtime.profiles import Profile
from kalshi_tui.session.account.settlement_file import SettlementFile
from kalshi_tui.session.assembly import assemble_session
from kalshi_tui.session.options import DeadManOptions
from kalshi_tui.session.replay import ReplayClock, ReplayExchangeClock, ReplayStatus
from kalshi_tui.session.session import Session
from kalshi_tui.session.venue import Venue

if TYPE_CHECKING:
    from kalshi_tui.kalshi.feed.handler import FeedHandler
    from kalshi_tui.kalshi.lists import LeftOut
    from kalshi_tui.session.execution.journal import Journal
    from kalshi_tui.session.options import SessionOptions

VENUE_BY_KIND: Final = {Kind.PRACTICE: Venue.PRACTICE, Kind.DEMO: Venue.DEMO, Kind.LIVE: Venue.LIVE}


def clock_ms() -> int:
    """Return the Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class ExchangeAccess:
    """What is needed to use an exchange: its addresses, and the key."""

    environment: Environment
    signer: Signer
    control_token: str = field(default="", repr=False)
    """The token with which our own practice exchange accepts control requests; empty for any other exchange."""
    describe_exit: Callable[[], str] = str
    """Return a sentence if the exchange's process has ended for good; empty where that is not known."""
    proxy: str | None = field(default=None, repr=False)


class ExchangeOpener:
    """Opens a profile's exchange: the constructor starts it, `wait_until_ready` waits for it."""

    def __init__(self, profile: Profile, process: PracticeProcess | None, ask: AskPassphrase | None = None) -> None:
        """Start. ``process`` is our own practice exchange, if it is one; ``ask`` asks for a passphrase.

        Raises CredentialsError where the key cannot be used.
        """
        self._profile = profile
        self._process = process
        self._signer = open_key(profile.key, profile.environment, ask) if profile.environment is not None else None

    def wait_until_ready(self) -> ExchangeAccess:
        """Wait until the exchange can be used. Raises LaunchError."""
        environment = self._profile.environment
        if environment is None or self._signer is None:
            assert self._process is not None  # noqa: S101 - a profile without addresses is practice
            return practice_access(self._process.wait_until_ready(), self._process.describe_exit)
        return ExchangeAccess(environment, self._signer, proxy=self._profile.proxy)


def practice_access(ready: PracticeReady, describe_exit: Callable[[], str] = str) -> ExchangeAccess:
    """Return the access to our own practice exchange, from what it wrote when it was ready."""
    environment = practice_at_urls(ready.rest_url, ready.ws_url)
    pem, token = ready.private_key_path.read_bytes(), ready.control_token_path.read_text().strip()
    logs.add_secret(token)
    logs.add_masked(ready.api_key_id)
    return ExchangeAccess(environment, signer_of(ready.api_key_id, pem, environment), token, describe_exit)


def build_replay_session(
    access: ExchangeAccess,
    ready_fields: dict[str, Any],
    journal: "Journal | None" = None,
    options: "SessionOptions | None" = None,
) -> Session:
    """Build the session on a practice exchange that plays a recording: all its times are the recording's.

    ``ready_fields`` is what the exchange reported about the recording when it was ready.
    """
    state = convert(ready_fields, ReplayState)
    first = ReplayStatus(state.at_ms, state.begin_ms, state.end_ms, state.speed, state.paused, note=state.note)
    return build_session(access, journal, options, replay=ReplayClock(first))


def build_watching_session(profile: Profile, options: "SessionOptions", data_folder: Path | None = None) -> Session:
    """Build the session on an exchange for which there is no key: it reads what is public, and sends nothing."""
    environment = profile.environment
    if environment is None:
        raise ValueError("a practice exchange has a key")
    clock = ExchangeClock(clock_ms)
    return assemble_session(
        VENUE_BY_KIND[environment.kind],
        lambda log: RestClient(environment, clock=clock, proxy=profile.proxy, read_only=True, on_left_out=log),
        None,
        clock_ms,
        options=replace(options, read_only=True, without_key=True, dead_man=DeadManOptions()),
        data_folder=data_folder,
    )


def build_session(
    access: ExchangeAccess,
    journal: "Journal | None" = None,
    options: "SessionOptions | None" = None,
    data_folder: Path | None = None,
    replay: ReplayClock | None = None,
    on_left_out: "Callable[[LeftOut], None] | None" = None,
) -> Session:
    """Build the session on an exchange.

    ``replay`` is the clock of the recording that the exchange plays, if any. ``on_left_out`` is called
    with every item that is left out of a list (default: the session's log).
    """
    environment, signer = access.environment, access.signer
    clock = ExchangeClock(clock_ms) if replay is None else ReplayExchangeClock(replay)

    def make_stream(handler: "FeedHandler", listener: ReportListener, *, private: bool) -> Stream:
        return Stream(environment, signer, handler, clock=clock, listener=listener, private=private, proxy=access.proxy)

    control = None
    if access.control_token:
        control = PracticeControl(environment, signer, access.control_token, clock=clock)
    return assemble_session(
        VENUE_BY_KIND[environment.kind],
        lambda log: RestClient(
            environment,
            signer,
            clock=clock,
            proxy=access.proxy,
            read_only=options is not None and options.read_only,
            on_left_out=on_left_out or log,
        ),
        lambda store, listener: StreamGroup(make_stream, store, listener),
        replay or clock_ms,
        practice_control=control,
        describe_exchange_exit=access.describe_exit,
        journal=journal,
        options=options,
        data_folder=data_folder,
        replay=replay,
        settlement_file=None if data_folder is None else SettlementFile.in_folder(data_folder, signer.key_id),
    )
