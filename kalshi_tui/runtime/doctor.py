"""The checks of ``kalshi-tui doctor``: everything that trading needs, with the remedy where something is wrong."""

import asyncio
import json
import locale
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Final

from kalshi_tui.domain.escaping import escape_unprintable
from kalshi_tui.domain.link import LinkState
from kalshi_tui.kalshi.environments import Kind
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.runtime.account_checks import Check, check_account
from kalshi_tui.runtime.compose import ExchangeAccess, clock_ms
from kalshi_tui.session.bus import LinkChanged
from kalshi_tui.session.execution.journal import Journal, JournalError
from kalshi_tui.session.store import Store
from kalshi_tui.ui.terminal_size import measure_terminal

MIN_PYTHON: Final = (3, 11)
MIN_COLUMNS, MIN_ROWS = 80, 24
MAX_FOUND: Final = 3
"""How many damaged rows of the journal are named."""
MIN_FREE_BYTES: Final = 100 * 1024 * 1024
"""Bytes of free disk below which the journal may soon have no room."""
MAX_SKEW_MS: Final = 1_000
"""How wrong the clock may be before the check fails: the program corrects it, but other programs do not."""
STREAM_TIMEOUT_S: Final = 15.0
LIBRARIES: Final = ("textual", "httpx", "websockets", "cryptography", "msgspec")
MARKS: Final = {True: "ok  ", False: "FAIL"}
NAME_WIDTH: Final = 12


def check_machine(folder: Path, journal: str, environ: dict[str, str] | None = None) -> Iterator[Check]:
    """Check this machine: Python, libraries, terminal, disk."""
    environ = dict(os.environ) if environ is None else environ
    found = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}."
    old = sys.version_info < MIN_PYTHON
    yield Check("python", not old, f"{found} Install Python 3.11 or newer." if old else found)
    yield Check("versions", True, ", ".join(f"{each} {version(each)}" for each in ("kalshi-tui", *LIBRARIES)) + ".")
    yield from _check_terminal(environ)
    yield _check_disk(folder)
    yield _check_journal(folder / journal)


def _check_terminal(environ: dict[str, str]) -> Iterator[Check]:
    if not sys.stdout.isatty():
        yield Check("terminal", True, "Not checked: the output goes to a file or another program.")
        return
    columns, rows = measure_terminal(environ) or (0, 0)
    small = columns < MIN_COLUMNS or rows < MIN_ROWS
    size = f"{columns} columns, {rows} rows"
    yield Check("terminal", not small, f"{size}: enlarge it to {MIN_COLUMNS}x{MIN_ROWS}." if small else f"{size}.")
    term = environ.get("TERM", "")
    deep = environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}
    dumb = term in {"", "dumb"}
    colors = "true color" if deep else "256 colors" if "256" in term else "16 colors"
    if dumb:
        yield Check("colors", False, f"TERM is {term or 'not set'}: set it to what your terminal is, xterm-256color.")
    else:
        words = "none, as NO_COLOR says." if environ.get("NO_COLOR") else f"{colors} (TERM={term})."
        yield Check("colors", True, words)
    encoding = (sys.stdout.encoding or locale.getpreferredencoding()).lower().replace("-", "")
    utf8 = encoding == "utf8"
    yield Check("characters", utf8, "UTF-8." if utf8 else f"{encoding}: set LANG to a UTF-8 locale, such as C.UTF-8.")


def _check_disk(folder: Path) -> Check:
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Check("disk", False, f"{there} cannot be checked ({error.strerror}); fix its permissions.")
    room = f"{free // (1024 * 1024):,} MB free for {folder}"
    if not os.access(there, os.W_OK | os.X_OK):
        return Check("disk", False, f"{there} cannot be written by you: fix its permissions, or give --data a folder.")
    if free < MIN_FREE_BYTES:
        return Check("disk", False, f"{room}: free some space: without it no order can be journaled, and none is sent.")
    return Check("disk", True, f"{room}.")


def _check_journal(path: Path) -> Check:
    if not path.exists():
        return Check("journal", True, "None yet; it is made with the first start.")
    try:
        with closing(Journal.open(path, "")) as journal:
            found = journal.examine()
    except JournalError as error:
        return Check("journal", False, f"{error} Canceling works all the same.")
    if found:
        more = f" And {len(found) - MAX_FOUND} more rows." if len(found) > MAX_FOUND else ""
        look = "Look at these orders with 'kalshi-tui orders' or on the exchange's web page."
        return Check("journal", False, f"{' '.join(found[:MAX_FOUND])}{more} {look}")
    return Check("journal", True, f"{path} can be read and written.")


async def check_connection(access: ExchangeAccess, *, upgrade: bool = False) -> list[Check]:
    """Check the exchange: reachable, clock, status, signature, the account, stream; ``upgrade`` asks for Advanced."""
    environment, signer = access.environment, access.signer
    clock = ExchangeClock(clock_ms)
    made = [Check("profile", True, f"{environment.name}: {environment.kind.value} at {environment.rest_url}.")]
    signed = RestClient(environment, signer, clock=clock, proxy=access.proxy)
    async with signed as rest, RestClient(environment, clock=clock, proxy=access.proxy) as unsigned:
        try:
            # Without the key: whether that is accepted is another question.
            status = await unsigned.exchange_status()
        except KalshiError as error:
            far = environment.kind is not Kind.PRACTICE
            advice = " Check the network, a firewall and the exchange's status page." if far else ""
            return [*made, Check("reached", False, f"{error}{advice}")]
        made.append(Check("reached", True, f"{environment.signing_origin[1]} answers."))
        off = abs(clock.skew_ms) >= MAX_SKEW_MS
        skew = f"this machine's clock differs by {clock.skew_ms / 1000:+.1f} s"
        made.append(Check("clock", not off, f"{skew}: set it, by NTP." if off else "right to a second."))
        made += [
            Check(
                f"shard {each.exchange_index}",
                each.exchange_active and each.trading_active,
                _describe_shard(each.description, active=each.exchange_active, trading=each.trading_active),
            )
            for each in status.shards
        ]
        if not status.shards:
            words = _describe_shard("", active=status.exchange_active, trading=status.trading_active)
            made.append(Check("exchange", status.exchange_active and status.trading_active, words))
        made += [check async for check in check_account(rest, signer.key_id, upgrade=upgrade)]
    if all(check.ok for check in made if check.name == "signature"):
        made.append(await _check_stream(access, clock))
    return made


def _describe_shard(description: str, *, active: bool, trading: bool) -> str:
    what = f"{description}: " if description else ""
    if not active:
        return f"{what}closed: nothing can be sent or canceled now; wait until it opens."
    return f"{what}open, trading." if trading else f"{what}trading is paused: orders can be canceled, not sent."


async def _check_stream(access: ExchangeAccess, clock: ExchangeClock) -> Check:
    """Check that the stream opens."""
    store = Store(clock_ms)
    stream = Stream(access.environment, access.signer, store, clock=clock, proxy=access.proxy)
    task = asyncio.create_task(stream.run())
    live = asyncio.Event()

    def link_changed(message: LinkChanged) -> None:
        if message.state is LinkState.LIVE:
            live.set()

    store.bus.subscribe(LinkChanged, link_changed)
    try:
        await asyncio.wait_for(live.wait(), STREAM_TIMEOUT_S)
    except TimeoutError:
        why = store.connection.detail or "no answer"
        return Check("stream", False, f"{access.environment.ws_host} could not be followed: {why}")
    finally:
        await stream.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return Check("stream", True, f"{access.environment.ws_host} is followed.")


def write_checks(checks: list[Check], write: Callable[[str], object]) -> None:
    """Write a line for each check."""
    for each in checks:
        write(f"{MARKS[each.ok]} {each.name:<{NAME_WIDTH}} {escape_unprintable(each.sentence)}\n")


def format_checks_json(checks: list[Check]) -> str:
    """Return the checks as one JSON object."""
    whole = {"ok": all(each.ok for each in checks), "checks": [asdict(each) for each in checks]}
    return json.dumps(whole, indent=1) + "\n"
