"""The program on a machine without network: `python -m tests.support.without_network`.

No name is resolved and no connection is made, so that `--env live` can be meant as it is written. Each host that was
asked for is noted in the file that HOSTS_ASKED names.
"""

import errno
import os
import socket
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

from kalshi_tui.__main__ import main

MODULE: Final = "tests.support.without_network"
HOSTS_ASKED: Final = "HOSTS_ASKED"


def note(host: object) -> None:
    if name := os.environ.get(HOSTS_ASKED):
        with Path(name).open("a") as file:
            file.write(f"{host}\n")


def resolve_nothing(host: object, *_: Any, **__: Any) -> NoReturn:
    note(host)
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def connect_nowhere(_: socket.socket, address: object) -> NoReturn:
    note(address)
    raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))


if __name__ == "__main__":
    socket.getaddrinfo = resolve_nothing
    socket.socket.connect = connect_nowhere  # type: ignore[method-assign, assignment]
    socket.socket.connect_ex = connect_nowhere  # type: ignore[method-assign, assignment]
    sys.exit(main())
