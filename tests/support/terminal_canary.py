"""The program with defects that hold its key in their hands: `python -m tests.support.terminal_canary`.

Both processes are the real ones, with the real key. In the screen's, what is broken: the help ends it, a task in the
background stumbles, a thread ends, a library logs headers, somebody prints; in the exchange's, a handler fails. Which
signatures the exchange was sent, and how the screen's process is protected, is noted in the folder that CANARY names.
"""

import asyncio
import ctypes
import gc
import json
import logging
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiohttp import web

import kalshi_tui.runtime.launch
from kalshi_tui.__main__ import main
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import SIGNATURE_HEADER, Signer
from kalshi_tui.practice.server.auth import Authenticator, RegisteredKey
from kalshi_tui.practice.server.rest_account import AccountApi

MODULE: Final = "tests.support.terminal_canary"
NOTES: Final = "CANARY"
SIGNATURES: Final = "signatures"
PROCESS: Final = "process.json"
DEFECTS: Final = ("a task of canary", "a thread of canary", "a library of canary", "a forgotten task of canary")
ENDING: Final = "the help of canary"


def notes(name: str) -> Path:
    return Path(os.environ[NOTES]) / name


def pem() -> str:
    return next(Path(os.environ["HOME"]).rglob("private_key.pem")).read_text()


def headers() -> dict[str, str]:
    """Make headers like those of any request."""
    made = Signer.from_pem("canary-key-id", pem().encode(), environment=practice_on_port(1)).headers(
        "GET", "/trade-api/v2/markets", 1, host="127.0.0.1"
    )
    with notes(SIGNATURES).open("a") as file:
        file.write(made[SIGNATURE_HEADER] + "\n")
    return made


def break_the_exchange() -> None:
    """Note every signature, and have a handler fail with what it was sent."""
    key = Authenticator.authenticate

    def noting(self: Authenticator, sent: Mapping[str, str], method: str, path: str, query: str = "") -> RegisteredKey:
        with notes(SIGNATURES).open("a") as file:
            file.write(sent.get(SIGNATURE_HEADER, "") + "\n")
        return key(self, sent, method, path, query)

    async def failing(self: AccountApi, request: web.Request) -> web.Response:
        local = (pem(), dict(request.headers))
        raise ValueError("a handler of canary", local)

    Authenticator.authenticate = noting  # type: ignore[method-assign, assignment]  # in this process alone
    AccountApi._limits = failing  # type: ignore[method-assign]


def break_the_screen() -> None:
    """Have this module started as the exchange, and everything fail that can."""
    from kalshi_tui.session.account.queue_positions import QueuePositionReader  # noqa: PLC0415 - after main has begun, as in the program
    from kalshi_tui.session.session import Session  # noqa: PLC0415
    from kalshi_tui.ui.dialogs import help as help_dialog  # noqa: PLC0415

    usual, start = subprocess.Popen, Session.start
    stumbled: list[QueuePositionReader] = []

    def popen(command: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        options["env"] = {**options["env"], NOTES: os.environ[NOTES]}
        return usual([MODULE if word == "kalshi_tui" else word for word in command], **options)

    async def stumbling(watch: QueuePositionReader) -> None:
        if stumbled:
            await asyncio.Event().wait()
        stumbled.append(watch)
        local = pem()
        raise ValueError(f"a task of canary {local}")

    def in_a_thread() -> None:
        local = headers()
        raise ValueError(f"a thread of canary {local}")

    async def forgotten() -> None:
        raise ValueError(f"a forgotten task of canary {pem()}")

    async def starting(session: Session) -> None:
        await start(session)
        print(pem(), headers())  # noqa: T201 - what must not be seen
        sys.stderr.write(pem())
        logging.getLogger("websockets.client").error("a library of canary %s", headers())
        thread = threading.Thread(target=in_a_thread)
        thread.start()
        thread.join()
        task = asyncio.ensure_future(forgotten())
        await asyncio.wait([task])
        # asyncio tells of it when it is thrown away.
        del task
        gc.collect()
        core = resource.getrlimit(resource.RLIMIT_CORE)
        dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if sys.platform == "linux" else 0
        notes(PROCESS).write_text(json.dumps({"core": core, "dumpable": dumpable}))

    def ending(width: int, _: bool) -> Any:
        local, signed = pem(), headers()
        raise TypeError(f"the help of canary {width} {local} {signed}")

    kalshi_tui.runtime.launch.subprocess.Popen = popen  # type: ignore[attr-defined]  # in this process alone
    QueuePositionReader.run = stumbling  # type: ignore[method-assign, assignment]
    Session.start = starting  # type: ignore[method-assign, assignment]
    help_dialog.help_lines = ending  # type: ignore[assignment]


if __name__ == "__main__":
    if "practice" in sys.argv[1:2]:
        break_the_exchange()
    else:
        break_the_screen()
    sys.exit(main())
