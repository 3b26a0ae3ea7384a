"""What this process does first, so that its memory and its files stay its own: a private key is in that memory.

Neither a core dump nor a debugger of this user, nor a process that reads ``/proc/PID/mem``, gets at it. Who is root
does all the same.
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
    """Allow no core dump and no look at this process, make files for this user alone, and stop the recorders.

    Called before any library is loaded that reads its variables then. Raises OSError where the system has such a
    protection and refuses it.
    """
    os.umask(PRIVATE_UMASK)
    # It would write from a signal handler, past everything that takes secrets out.
    faulthandler.disable()
    for name in DEBUG_VARIABLES:
        os.environ.pop(name, None)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # The limit does not hold where dumps are piped to a program, as many distributions do; this does.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
