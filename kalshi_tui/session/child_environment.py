"""The environment of every program that is started from here: none inherits a secret.

A test holds that no module starts a program without one of these two.
"""

import os
from collections.abc import Mapping
from typing import Final

KEY_VARIABLE: Final = "KALSHI_PRIVATE_KEY"
"""The variable that may hold the trader's private key itself."""
KEY_MARK: Final = "PRIVATE KEY-----"
"""What every private key in a text holds, under whatever name."""
KEPT_NAMES: Final = frozenset({"HOME", "LANG", "LANGUAGE", "PATH", "TEMP", "TMP", "TMPDIR", "TZ", "TZDIR"})
KEPT_BEGINNINGS: Final = ("DYLD_", "LC_", "LD_", "OPENSSL_", "PYTHON", "XDG_")
"""What Python and its libraries need to be found and to start, and where this program's folders are."""


def environment_without_secrets(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this program's environment for a command of the trader's, without the private key."""
    found = os.environ if environ is None else environ
    return {name: value for name, value in found.items() if name.upper() != KEY_VARIABLE and KEY_MARK not in value}


def environment_for_practice(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a practice exchange: what a program of ours needs to run, and nothing else.

    It needs no key of the trader's, no id and no setting, so what is not known to be needed is left out.
    """
    return {
        name: value
        for name, value in environment_without_secrets(environ).items()
        if name in KEPT_NAMES or name.startswith(KEPT_BEGINNINGS)
    }
