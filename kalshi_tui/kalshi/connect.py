"""Choose a client's exchange and open its key: by arguments, variables, or the ready line of a practice exchange.

All functions raise Misconfigured with one sentence that says what to do and holds nothing of a key.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kalshi_tui.kalshi.environments import DEMO, PRODUCTION, Environment, practice_at_urls
from kalshi_tui.kalshi.errors import Misconfigured
from kalshi_tui.kalshi.transport.key_files import read_key_file, read_key_variables
from kalshi_tui.kalshi.transport.signing import KeyFileError, PassphraseError, Signer
from kalshi_tui.kalshi.wire import REST_PREFIX, WS_PATH

TRUE_WORDS: Final = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS: Final = frozenset({"", "0", "false", "no", "off"})


def environment_from_env(environ: Mapping[str, str]) -> Environment:
    """Return the exchange that the variables name: Kalshi, its demo by ``KALSHI_USE_DEMO``, or a practice exchange.

    ``KALSHI_REST_URL`` is a practice exchange's ``rest_url``; ``KALSHI_WS_URL`` can be left out.
    """
    word = environ.get("KALSHI_USE_DEMO", "").strip().lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise Misconfigured("KALSHI_USE_DEMO must be true or false.")
    rest_url, ws_url = environ.get("KALSHI_REST_URL", "").strip(), environ.get("KALSHI_WS_URL", "").strip()
    if rest_url and word in TRUE_WORDS:
        raise Misconfigured("KALSHI_USE_DEMO and KALSHI_REST_URL are both set; unset one of them.")
    if ws_url and not rest_url:
        raise Misconfigured("KALSHI_WS_URL is set, but KALSHI_REST_URL is not: a practice exchange has both.")
    if rest_url:
        return parse_practice_url(rest_url, ws_url)
    return DEMO if word in TRUE_WORDS else PRODUCTION


def parse_practice_url(rest_url: str, ws_url: str = "") -> Environment:
    """Return the practice exchange at an address; it serves REST and stream on one port."""
    rest_url = rest_url.rstrip("/")
    try:
        return practice_at_urls(
            rest_url, ws_url or rest_url.replace("http", "ws", 1).removesuffix(REST_PREFIX) + WS_PATH
        )
    except ValueError as error:
        raise Misconfigured(f"The address of the practice exchange cannot be used: {error}") from None


def signer_from_env(
    environ: Mapping[str, str], environment: Environment, passphrase: str | None = None
) -> Signer | None:
    """Open the key that the variables name; return None if they name none."""
    named = read_key_variables(environ)
    if named is None:
        return None
    return open_signer(environment, named.key_id, named.path, named.pem, passphrase)


def open_signer(
    environment: Environment,
    key_id: str,
    path: Path | None = None,
    pem: bytes | None = None,
    passphrase: str | None = None,
) -> Signer:
    """Open a private key, from a file or from its text, to sign for one exchange only."""
    if not key_id or (path is None) == (pem is None):
        raise Misconfigured("A key needs its id, and either the path of its file or its text.")
    if not key_id.isprintable() or not key_id.isascii() or " " in key_id:
        raise Misconfigured("The API key id has characters that no key id has; copy it again from the exchange.")
    where = str(path) if path is not None else "The private key"
    text = read_key_file(path) if path is not None else pem or b""
    try:
        return Signer.from_pem(key_id, text, passphrase.encode() if passphrase else None, environment=environment)
    except PassphraseError as error:
        raise PassphraseError(f"{where}: {error}") from None
    except KeyFileError as error:
        raise KeyFileError(f"{where}: {error}") from None


def parse_ready_line(line: str | bytes | Mapping[str, Any]) -> tuple[Environment, Signer]:
    """Read the ready line of ``kalshi-tui practice``: where the exchange is, and the key of its account."""
    try:
        said = line if isinstance(line, Mapping) else json.loads(line)
        rest_url, ws_url = str(said["rest_url"]), str(said["ws_url"])
        key_id, path = str(said["api_key_id"]), Path(said["private_key_path"])
    except (ValueError, KeyError, TypeError):
        raise Misconfigured("This is not the first line that kalshi-tui practice prints.") from None
    environment = parse_practice_url(rest_url, ws_url)
    return environment, open_signer(environment, key_id, path)
