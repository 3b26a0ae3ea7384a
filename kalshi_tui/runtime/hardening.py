"""Harden the process before anything else: its memory, which holds a private key, and its files stay its own.

No core dump, debugger of this user or reader of ``/proc/PID/mem`` gets at that memory. Root still does.
"""

import ctypes
import faulthandler
import os
import resource
import sys
from typing import Final

PR_SET_DUMPABLE: Final = 4
PRIVATE_UMASK: Final = 0o077
DEBUG_VARIABLES: Final = (
    "SSLKEYLOGFILE",  # Python's ssl writes the secrets of every connection there
    "TEXTUAL",  # "debug" and "devtools" send every event to another program
    "TEXTUAL_DEBUG",  # every key that is pressed, into keys.log in the folder at hand
    "TEXTUAL_LOG",  # every event, typed keys included, into a file
    "TEXTUAL_SCREENSHOT",
)
"""Variables by which libraries would write down what passes through them."""


def harden() -> None:
    """Forbid core dumps and debuggers, make new files private to this user, and disable fault recorders.

    Call it before any library is loaded, since some read their environment variables on import. Raises OSError where
    the system has such a protection and denies it.
    """
    os.umask(PRIVATE_UMASK)
    # faulthandler writes from a signal handler, past the formatter that takes secrets out.
    faulthandler.disable()
    for name in DEBUG_VARIABLES:
        os.environ.pop(name, None)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # The limit is ignored where dumps are piped to a program, as on many distributions; this is not.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
