"""The program run as a script runs it, against a practice exchange in the test's own process."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from kalshi_tui.session.execution.journal import Journal
from tests.support.practice_server import (
    PEMS,
    Clock,
    Serving,
    serving,
)

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "docs" / "schemas"
WITHIN_S = 60.0
START_MS = 1_800_000_030_000
NOT_PASSED_ON = ("KALSHI", "NO_COLOR", "TEXTUAL", "COLUMNS", "LINES", "XDG")


class Still(Clock):
    """Stands still, but for what the test adds."""

    def machine_ms(self) -> int:
        return START_MS


@dataclass(frozen=True)
class Done:
    """How a command ended, and all that it wrote."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """The lines of standard output, each one JSON object."""
        return [json.loads(each) for each in self.out.splitlines()]

    @property
    def only(self) -> Any:
        (line,) = self.lines
        return line

    @property
    def error(self) -> Any:
        (line,) = self.err.splitlines()
        return json.loads(line)["error"]


def validator(name: str) -> Draft202012Validator:
    """Return what a command's JSON is held to."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a program that finds no home but this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CONFIG", "STATE")}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return kept | folders | {"HOME": str(home), "TZ": "UTC", "LANG": "C.UTF-8", "PYTHONPATH": path} | more


class Trader:
    """Types commands; the account is alice's on the test's exchange."""

    def __init__(self, exchange: Serving, home: Path, who: str = "alice") -> None:
        self.exchange = exchange
        self.home = home
        self.data = home / "folder"
        self.key_id = f"key-of-{who}"
        key = home / f"{who}.pem"
        key.write_bytes(PEMS[who])
        key.chmod(0o600)
        self.url = f"http://127.0.0.1:{exchange.port}/trade-api/v2"
        self.environment = environment(home, KALSHI_API_KEY_ID=self.key_id, KALSHI_PRIVATE_KEY_PATH=str(key))

    def command(self, *arguments: str) -> list[str]:
        """Return the whole command line."""
        command, *rest = arguments
        return ["-m", "kalshi_tui", command, *rest, "--rest-url", self.url, "--data", str(self.data)]

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Begin a command."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *self.command(*arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
            cwd=ROOT,
        )

    async def run(self, *arguments: str) -> Done:
        """Run a command to its end."""
        return await ended(await self.start(*arguments))

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[Callable[..., Awaitable[Done]]]:
        """Return what runs commands one after another in one process."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.many_accounts",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self.environment,
            cwd=ROOT,
            limit=1_000_000,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        asks, answers = process.stdin, process.stdout

        async def run(*arguments: str) -> Done:
            asks.write(json.dumps(self.command(*arguments)[2:]).encode() + b"\n")
            async with asyncio.timeout(WITHIN_S):
                return Done(**json.loads(await answers.readline()))

        try:
            yield run
        finally:
            asks.close()
            await process.wait()

    async def json(self, *arguments: str) -> Done:
        """Run a command with --json, and hold what it wrote to its schemas."""
        done = await self.run(*arguments, "--json")
        check(arguments[0], done)
        return done

    def journal(self) -> Journal:
        """Open the journal that the commands have written."""
        return Journal.open(self.data / "journal.sqlite3", self.key_id)


def check(name: str, done: Done) -> None:
    """Hold the JSON that a command wrote to the schemas."""
    # These two are written for the eye too: one object over many lines.
    whole = name in {"config", "doctor"} and done.out
    for each in [json.loads(done.out)] if whole else done.lines:
        validator(name).validate(each)
    if done.code and done.out and name in {"audit", "doctor"}:
        # What they have found is no failure of theirs.
        assert not done.err, done
    elif done.code:
        assert done.err.startswith('{"error"'), done
        (line,) = done.err.splitlines()
        validator("error").validate(json.loads(line))
    else:
        assert not done.err, done


async def ended(process: asyncio.subprocess.Process, sign: signal.Signals | None = None) -> Done:
    """Wait for a command's end, after a signal if one is given."""
    if sign is not None:
        process.send_signal(sign)
    try:
        async with asyncio.timeout(WITHIN_S):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
        raise
    assert process.returncode is not None
    done = Done(process.returncode, out.decode(), err.decode())
    assert "Traceback" not in done.err, done.err
    return done


@asynccontextmanager
async def trading(home: Path, *, clock: Clock | None = None, quiet: bool = True) -> AsyncIterator[Trader]:
    """Run an exchange; by a ``clock`` that stands still the world stands still too."""
    async with serving(quiet=quiet, clock=clock) as exchange:
        yield Trader(exchange, home)


def tradable(exchange: Serving, number: int = 0) -> str:
    """Return the ticker of a market that stays open while a test runs, with whole cents and its cash on shard 0."""
    found: Sequence[str] = [
        each.ticker
        for each in exchange.exchange.markets.visible()
        if each.status.tradable
        and each.close_ms > exchange.clock() + 24 * 3_600_000
        and not each.shard
        and each.grid.finest_step == 100
    ]
    return found[number]
