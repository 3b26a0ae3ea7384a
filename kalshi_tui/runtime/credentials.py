"""The trader's key: where it is, whether anybody else could read it, and how it is opened.

It is treated as ssh treats keys. A sentence that says what is wrong never holds anything of the key or the passphrase.
"""

import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kalshi_tui.kalshi.environments import Environment
from kalshi_tui.kalshi.errors import Misconfigured
from kalshi_tui.kalshi.transport import key_files
from kalshi_tui.kalshi.transport.signing import (
    KeyFileError,
    PassphraseError,
    Signer,
    load_private_key,
    secret_forms,
)
from kalshi_tui.runtime import logs
from kalshi_tui.session.child_environment import environment_without_secrets

PASSPHRASE_COMMAND_TIMEOUT_S: Final = 60.0
MAX_PASSPHRASE_ATTEMPTS: Final = 3
"""How often a passphrase is asked for."""
KEYRING_SERVICE: Final = "kalshi-tui"
WHERE_KEYS_ARE_MADE: Final = (
    "For a first key: log in at kalshi.com (or its demo), then Account & security, API Keys, Create Key; it gives an "
    "id and, once, a .key file. docs/trading.md shows each step."
)


class CredentialsError(Exception):
    """The key cannot be used. The message is a sentence that says what to do, and holds nothing secret."""


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a key id and its private key come from; nothing of the key itself but ``pem``, which is never shown."""

    key_id: str = ""
    path: Path | None = None
    pem: bytes | None = field(default=None, repr=False)
    """The key's text itself, from the environment."""
    passphrase_command: tuple[str, ...] = ()
    """What prints the passphrase, or the key itself where there is no path; an argument list, never a shell's text."""
    keyring: bool = False
    """Whether the system's keyring has the passphrase, or the key itself where there is no path."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody has named any key; a part of one is a mistake to be told."""
        return not (self.key_id or self.path or self.pem or self.passphrase_command or self.keyring)


AskPassphrase = Callable[[str], str]
"""Asks for a passphrase on the terminal, with a prompt; raises EOFError where nobody can answer."""


def key_source_from_environment(environ: Mapping[str, str], default: KeySource) -> KeySource:
    """Return the key that the usual environment variables name; ``default`` where they name none.

    A key of the environment takes the place of the profile's whole key: an id never goes with another one's key. How
    an encrypted one is opened stays as the profile says.
    """
    try:
        named = key_files.read_key_variables(environ)
    except Misconfigured as error:
        raise CredentialsError(str(error)) from None
    if named is None:
        return default
    return KeySource(named.key_id, named.path, named.pem, default.passphrase_command, default.keyring)


def open_key(source: KeySource, environment: Environment, ask: AskPassphrase | None = None) -> Signer:
    """Read the key and open it, to sign for one environment alone. Raises CredentialsError.

    ``ask`` asks for a passphrase; without it nobody is asked.
    """
    if not source.key_id:
        raise CredentialsError(
            "There is no API key: set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH, or api_key_id and "
            f"private_key_path in the profile. {WHERE_KEYS_ARE_MADE}"
        )
    if not source.key_id.isprintable() or not source.key_id.isascii() or " " in source.key_id:
        raise CredentialsError("The API key id has characters that no key id has; copy it again from the exchange.")
    pem, where = _read_key(source)
    logs.add_masked(source.key_id)
    try:
        return signer_of(source.key_id, pem, environment)
    except PassphraseError:
        return _open_encrypted(source, environment, pem, where, ask)
    except KeyFileError as error:
        raise CredentialsError(f"{where}: {error}") from None


def signer_of(key_id: str, pem: bytes, environment: Environment, passphrase: bytes | None = None) -> Signer:
    """Open a key, and keep it out of the log from here on. Raises KeyFileError (PassphraseError)."""
    # Both the text as it was read (of an encrypted key it gives nothing away) and the key's own bytes.
    logs.add_secret(pem)
    key = load_private_key(pem, passphrase)
    for form in secret_forms(key):
        logs.add_secret(form)
    return Signer(key_id, key, environment=environment)


def _read_key(source: KeySource) -> tuple[bytes, str]:
    """Return the key's text, and a phrase that says where it is from."""
    if source.pem is not None:
        return source.pem, "KALSHI_PRIVATE_KEY"
    if source.path is not None:
        return read_key_file(source.path), str(source.path)
    if source.passphrase_command:
        return _run_passphrase_command(source.passphrase_command), "The key command's output"
    if source.keyring:
        return _read_keyring(source.key_id), "The key in the system's keyring"
    raise CredentialsError(
        "There is no private key: set KALSHI_PRIVATE_KEY_PATH, or private_key_path in the profile, to its file."
    )


def _open_encrypted(
    source: KeySource, environment: Environment, pem: bytes, where: str, ask: AskPassphrase | None
) -> Signer:
    """Open an encrypted key: by the command, the keyring, or by asking."""
    # Without a file or a variable the command and the keyring have given the key itself, and not its passphrase.
    has_key = source.path is not None or source.pem is not None
    if has_key and source.passphrase_command:
        return _open_with_passphrase(
            source, environment, pem, where, _run_passphrase_command(source.passphrase_command)
        )
    if has_key and source.keyring:
        return _open_with_passphrase(source, environment, pem, where, _read_keyring(source.key_id))
    for left in range(MAX_PASSPHRASE_ATTEMPTS - 1, -1, -1):
        if ask is None:
            break
        try:
            passphrase = ask(f"Passphrase of {where}: ")
            logs.add_secret(passphrase)
        except EOFError:
            break
        try:
            return signer_of(source.key_id, pem, environment, passphrase.encode())
        except PassphraseError as error:
            if not left:
                raise CredentialsError(f"{where}: {error}") from None
            sys.stderr.write("That does not open it.\n")
    raise CredentialsError(
        f"{where} is encrypted and nobody can be asked for its passphrase here: start in a terminal, or name a "
        "passphrase_command in the profile."
    )


def _open_with_passphrase(
    source: KeySource, environment: Environment, pem: bytes, where: str, passphrase: bytes
) -> Signer:
    logs.add_secret(passphrase.rstrip(b"\r\n"))
    try:
        return signer_of(source.key_id, pem, environment, passphrase.rstrip(b"\r\n"))
    except KeyFileError as error:
        raise CredentialsError(f"{where}: {error}") from None


def read_key_file(path: Path) -> bytes:
    """Read a private key as ssh would: an own file, no link, readable by nobody else. Raises CredentialsError."""
    try:
        return key_files.read_key_file(path)
    except KeyFileError as error:
        raise CredentialsError(str(error)) from None


def _run_passphrase_command(command: Sequence[str]) -> bytes:
    """Run the trader's command without a shell, and return what it prints."""
    name = command[0]
    try:
        done = subprocess.run(  # noqa: S603 - the trader's own command, as a list of arguments
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PASSPHRASE_COMMAND_TIMEOUT_S,
            check=False,
            env=environment_without_secrets(),
        )
    except FileNotFoundError:
        raise CredentialsError(f"The passphrase command {name} is not there; check passphrase_command.") from None
    except subprocess.TimeoutExpired:
        raise CredentialsError(
            f"The passphrase command {name} took more than {PASSPHRASE_COMMAND_TIMEOUT_S:.0f} s."
        ) from None
    except OSError as error:
        raise CredentialsError(f"The passphrase command {name} cannot be run ({error.strerror or error}).") from None
    if done.returncode:
        # What it says on standard error may hold anything, and is not repeated.
        raise CredentialsError(f"The passphrase command {name} failed (code {done.returncode}); run it by hand.")
    if not done.stdout.strip():
        raise CredentialsError(f"The passphrase command {name} printed nothing.")
    return done.stdout


def _read_keyring(key_id: str) -> bytes:
    """Ask the system's keyring, by the optional extra."""
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415 - an extra, and slow
    except ImportError:
        raise CredentialsError(
            "The profile wants the system's keyring, which is an extra: pip install 'kalshi-tui[keyring]'."
        ) from None
    try:
        found = keyring.get_password(KEYRING_SERVICE, key_id)
    except Exception as error:  # noqa: BLE001 - see below
        # Back ends raise anything; the text may hold the secret, so it is not repeated.
        raise CredentialsError(f"The system's keyring could not be asked ({type(error).__name__}).") from None
    if not found:
        raise CredentialsError(
            f"The system's keyring has nothing for this key: keyring set {KEYRING_SERVICE} {shlex.quote(key_id)}"
        )
    return str(found).encode()
