"""One run of the practice exchange: folder, lock, key, database, world, server."""

import argparse
import asyncio
import contextlib
import fcntl
import gc
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
from aiohttp import web

from kalshi_tui.domain.price import MONEY_UNIT
from kalshi_tui.kalshi.transport.signing import KeyType
from kalshi_tui.practice.engine.ledger import CRYPTO_SHARD
from kalshi_tui.practice.replay.recorded_world import (
    RecordingError,
    ReplayError,
    ReplayWorld,
    parse_speed,
)
from kalshi_tui.practice.server.app import PracticeServer
from kalshi_tui.practice.server.archive_tier import ARCHIVED_AFTER_MS
from kalshi_tui.practice.server.auth import Authenticator
from kalshi_tui.practice.server.rest_keys import registered_keys
from kalshi_tui.practice.server.tiers import TIERS
from kalshi_tui.practice.simulation.participants import DEFAULT_RATE
from kalshi_tui.practice.simulation.world import World
from kalshi_tui.practice.storage.database import Database, DatabaseError
from kalshi_tui.practice.storage.keys import (
    FolderHeldError,
    StartError,
    create_control_token,
    load_or_create_account_key,
    prepare_data_folder,
    unwritable_folder_error,
    write_private_file,
)
from kalshi_tui.practice.storage.reset import DATABASE_FILE
from kalshi_tui.practice.storage.run_note import LOCK_FILE, RUN_NOTE_FILE, remove_run_note

HOST: Final = "127.0.0.1"
DEFAULT_SEED: Final = 20_261
DEFAULT_ACCOUNT_ID: Final = "practice-trader"
STARTING_CASH: Final = 10_000 * MONEY_UNIT
CRYPTO_SHARD_CASH: Final = 2_000 * MONEY_UNIT
"""What of the first cash lies on the crypto shard, since cash is held per shard. On others there is none at first."""
MAX_EXTRA_ACCOUNTS: Final = 100
MAX_CUTOFF_S: Final = 366 * 86_400
MAX_LOCK_TRIES: Final = 10
LOCK_RETRY_DELAY_S: Final = 0.02
UNLIMITED_TOLERANCE_MS: Final = 1 << 62


def system_time_ms() -> int:
    """Return this machine's Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


class PracticeClock:
    """The exchange's time: begins with this machine's, never runs backwards, and can be moved ahead."""

    def __init__(self) -> None:
        self._offset_ms = 0
        self._last_ms = 0

    def __call__(self) -> int:
        """Return the time in Unix milliseconds: the machine's, its sleep included, never backwards."""
        self._last_ms = max(self._last_ms, system_time_ms() + self._offset_ms)
        return self._last_ms

    def advance(self, by_ms: int) -> None:
        """Move ahead."""
        self._offset_ms += by_ms


class PracticeRun:
    """All that one run holds. Raises StartError when it cannot begin; as a context manager, it releases all of it."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._options = options
        self._clock = PracticeClock()
        if options.tier not in TIERS:
            raise StartError(f"--tier takes one of {', '.join(TIERS)}.")
        if options.cutoff is not None and not 0 <= options.cutoff <= MAX_CUTOFF_S:
            raise StartError(f"--cutoff takes a number of seconds from 0 to {MAX_CUTOFF_S}.")
        if not 0 <= options.accounts <= MAX_EXTRA_ACCOUNTS:
            raise StartError(f"--accounts takes a number from 0 to {MAX_EXTRA_ACCOUNTS}.")
        folder = folder.expanduser().absolute()
        prepare_data_folder(folder)
        self._folder = folder
        self._lock_descriptor = _acquire_lock(folder)
        remove_run_note(folder)
        try:
            kind = KeyType(options.key_type) if options.key_type else None
            self._key = load_or_create_account_key(folder, kind=kind, replace=options.fresh)
            self._extra_keys = {
                f"practice-trader-{number}": load_or_create_account_key(
                    folder, f"account_{number}_", kind, replace=options.fresh
                )
                for number in range(2, options.accounts + 2)
            }
            self._token_path, self._token = create_control_token(folder)
            self._database = _open_database(folder / DATABASE_FILE, fresh=options.fresh)
        except BaseException as error:
            os.close(self._lock_descriptor)
            if isinstance(error, OSError):
                raise unwritable_folder_error(folder, error) from error
            raise
        try:
            self._world = self._build_world()
            self._registered = registered_keys(self._database)
        except (DatabaseError, RecordingError, ReplayError, ValueError) as error:
            self.__exit__(None, None, None)
            raise StartError(_lowercase_first(str(error))) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        remove_run_note(self._folder)
        os.close(self._lock_descriptor)

    def _build_world(self) -> World | ReplayWorld:
        options, database = self._options, self._database
        seed = options.seed if options.seed is not None else int(database.get("seed") or DEFAULT_SEED)
        world = self._replay_world(seed) if options.recording is not None else self._simulated_world(seed)
        database.restore(world.exchange)
        shards = world.shards if isinstance(world, ReplayWorld) else (CRYPTO_SHARD,)
        others = {shard: CRYPTO_SHARD_CASH for shard in shards if shard}
        first = {0: max(STARTING_CASH - sum(others.values()), CRYPTO_SHARD_CASH), **others}
        for account_id in (DEFAULT_ACCOUNT_ID, *self._extra_keys):
            if account_id not in world.exchange.ledger.accounts:
                world.exchange.open_account(account_id, first)
        database.put("seed", str(seed))
        return world

    def _replay_world(self, seed: int) -> ReplayWorld:
        options = self._options
        if options.quiet_market or options.rate is not None or options.markets is not None:
            raise StartError(
                "--quiet-market, --rate and --markets are for the simulated market; a recording has its own."
            )
        return ReplayWorld(
            options.recording.expanduser(),
            seed=seed,
            run=self._database.next_run(),
            dedupe=options.dedupe,
            speed=parse_speed(options.speed),
            paused=options.paused,
            at=options.at,
        )

    def _simulated_world(self, seed: int) -> World:
        options = self._options
        if options.speed != "1" or options.at or options.paused:
            raise StartError("--speed, --at and --paused are for a recording: name one with --recording FILE.")
        return World(
            self._clock,
            seed,
            run=self._database.next_run(),
            markets=options.markets,
            rate=DEFAULT_RATE if options.rate is None else options.rate,
            dedupe=options.dedupe,
            quiet=options.quiet_market,
        )

    def _ready_line(self, port: int) -> str:
        """Return the first line of output: one JSON object that says how to reach the exchange."""
        return json.dumps(
            {
                "rest_url": f"http://{HOST}:{port}/trade-api/v2",
                "ws_url": f"ws://{HOST}:{port}/trade-api/ws/v2",
                "api_key_id": self._key.key_id,
                "private_key_path": str(self._key.path),
                "pid": os.getpid(),
                "control_token_path": str(self._token_path),
                "accounts": [
                    {"account_id": account_id, "api_key_id": key.key_id, "private_key_path": str(key.path)}
                    for account_id, key in self._extra_keys.items()
                ],
                **self._replay_fields(),
            }
        )

    def _replay_fields(self) -> dict[str, Any]:
        """Return what the ready line says of a recording that plays; nothing where none does."""
        if not isinstance(self._world, ReplayWorld):
            return {}
        return {"replay": msgspec.to_builtins(self._world.state())}

    def serve(self) -> None:
        """Serve to the end. Raises StartError where it cannot begin, or has to stop before it is told to."""
        replays = isinstance(self._world, ReplayWorld)
        clock_ms = self._world.clock_ms if isinstance(self._world, ReplayWorld) else self._clock
        # A recording's time is no machine's: a signature of any time is taken, of the recording's or of today.
        authenticator = (
            Authenticator(clock_ms, tolerance_ms=UNLIMITED_TOLERANCE_MS) if replays else Authenticator(system_time_ms)
        )
        for account_id, key in {DEFAULT_ACCOUNT_ID: self._key, **self._extra_keys}.items():
            authenticator.register(key.key_id, account_id, key.public_key)
        for registered in self._registered:
            authenticator.add_key(registered)
        self._world.exchange.order_entry.has_cancel_all_minute = self._options.cancel_all_minute
        server = PracticeServer(
            self._world,
            authenticator,
            self._database,
            clock_ms,
            cancel_all=not self._options.no_cancel_all,
            tier=self._options.tier,
            control_token=self._token,
            advance_clock=self._clock.advance,
            throttle_clock_ms=system_time_ms if replays else None,
            archived_after_ms=ARCHIVED_AFTER_MS if self._options.cutoff is None else self._options.cutoff * 1_000,
        )
        asyncio.run(self._serve(server))

    async def _serve(self, server: PracticeServer) -> None:
        # Before the ready line: whoever has read it may end this process at once.
        stop = asyncio.Event()
        for ending in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(ending, stop.set)
        runner = web.AppRunner(server.app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        port = self._options.port
        try:
            if not 0 <= port <= 65_535:
                raise StartError(f"port {port} is no port; choose one from 1024 to 65535 with --port N.")
            site = web.TCPSite(runner, HOST, port)
            try:
                await site.start()
            except OSError as error:
                reason = os.strerror(error.errno) if error.errno else str(error)
                raise StartError(
                    f"port {port} on {HOST} cannot be used ({reason}). "
                    "Choose another with --port N, or leave --port out for any free one."
                ) from error
            self._world.start()
            try:
                server.commit()
            except DatabaseError as error:
                raise StartError(_lowercase_first(str(error))) from error
            # The books of thousands of markets live as long as the process: the collector need not look at them.
            gc.collect()
            gc.freeze()
            ready = self._ready_line(runner.addresses[0][1]) + "\n"
            self._write_run_note(ready)
            sys.stdout.write(ready)
            sys.stdout.flush()
            await self._run_until_stopped(server, stop)
        finally:
            await runner.cleanup()

    def _write_run_note(self, ready: str) -> None:
        """Write the note by which commands on this folder find this exchange. It serves without one too."""
        if self._options.unlisted:
            return
        with contextlib.suppress(OSError):
            write_private_file(self._folder / RUN_NOTE_FILE, ready.encode())

    async def _run_until_stopped(self, server: PracticeServer, stop: asyncio.Event) -> None:
        """Run the world until ``stop`` is set or standard input ends. Raises StartError if the world fails."""
        loop = asyncio.get_running_loop()
        if self._options.until_stdin_closes:
            loop.add_reader(sys.stdin.fileno(), _stop_at_stdin_end, stop)
        running = asyncio.create_task(server.run_world())
        waiting = asyncio.create_task(stop.wait())
        # Not a task group: it would wrap a failure of the world, and wait for both.
        done, _ = await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        failure = running.exception() if running in done else None
        for task in (running, waiting):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        if self._options.until_stdin_closes:
            loop.remove_reader(sys.stdin.fileno())
        if failure is not None:
            raise StartError(f"the practice exchange has to stop: {failure}") from failure


def _stop_at_stdin_end(stop: asyncio.Event) -> None:
    """Take what comes on standard input, which means nothing, and note its end."""
    if not os.read(sys.stdin.fileno(), 4096):
        stop.set()


def _acquire_lock(folder: Path) -> int:
    """Hold the folder for this process, whose number the file then holds.

    Raises FolderHeldError while another process holds it.
    """
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable_folder_error(folder, error) from error
    if not _try_lock(descriptor):
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise FolderHeldError(
            f"another practice exchange{f' (process {holder})' if holder.isdigit() else ''} is running on {folder}. "
            "End it, or choose another folder with --data DIR."
        )
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    except OSError as error:
        os.close(descriptor)
        raise unwritable_folder_error(folder, error) from error
    return descriptor


def _try_lock(descriptor: int) -> bool:
    """Take the lock; a command that looks whether it is held has it for an instant, so that one try proves nothing."""
    for _ in range(MAX_LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(LOCK_RETRY_DELAY_S)
        else:
            return True
    return False


def _open_database(path: Path, *, fresh: bool) -> Database:
    try:
        return Database.open(path, fresh=fresh)
    except DatabaseError as error:
        raise StartError(_lowercase_first(str(error))) from error


def _lowercase_first(sentence: str) -> str:
    """Return a sentence that begins with a lowercase letter, to follow the program's name."""
    return sentence[:1].lower() + sentence[1:]
