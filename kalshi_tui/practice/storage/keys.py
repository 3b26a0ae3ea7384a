"""The practice account's API key: made at the first start, in a file that only its owner can read."""

import errno
import os
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kalshi_tui.kalshi.transport.signing import (
    KeyFileError,
    KeyType,
    PublicKey,
    generate_key,
    key_type,
    key_words,
    load_private_key,
)

KEY_ID_FILE: Final = "api_key_id"
PRIVATE_KEY_FILE: Final = "private_key.pem"
TOKEN_FILE: Final = "control_token"  # noqa: S105 - a file's name
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a full disk says, a quota that is used up, and a file that may not grow."""


class StartError(Exception):
    """The practice exchange cannot start. The message is a sentence that says what to do."""


class FolderHeldError(StartError):
    """Another practice exchange runs on the folder."""


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account's key: its id, where the private half lies, and the public half."""

    key_id: str
    path: Path
    public_key: PublicKey


def prepare_data_folder(folder: Path) -> None:
    """Make the data folder, readable by its owner alone. Raises StartError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        # Two may look at the same time: only one of them will get the lock.
        probe = folder / f".probe-{os.getpid()}"
        write_private_file(probe, b"")
        probe.unlink()
    except OSError as error:
        raise unwritable_folder_error(folder, error) from error


def unwritable_folder_error(folder: Path, error: OSError) -> StartError:
    """Return the error of a data folder that cannot be written, with what to do."""
    remedy = "Make room on the disk" if error.errno in NO_ROOM else "Fix its permissions"
    return StartError(
        f"the practice data folder {folder} cannot be written ({error.strerror or error}). "
        f"{remedy}, or choose another with --data DIR."
    )


def write_private_file(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def create_control_token(folder: Path) -> tuple[Path, str]:
    """Make a new secret for the control endpoint, and give its file and itself."""
    path, token = folder / TOKEN_FILE, secrets.token_urlsafe(32)
    write_private_file(path, token.encode())
    return path, token


def load_or_create_account_key(
    folder: Path, name: str = "", kind: KeyType | None = None, *, replace: bool = False
) -> AccountKey:
    """Return an account's key, made where there is none: of the type asked for, or RSA.

    A key that is there keeps its type, since clients hold its id: of another type than the one asked for it is replaced
    only with ``replace``, for a new account. Raises StartError for that, and for one that cannot be read.
    """
    id_path, path = folder / f"{name}{KEY_ID_FILE}", folder / f"{name}{PRIVATE_KEY_FILE}"
    try:
        if not path.exists() or not id_path.exists():
            _create_key(path, id_path, kind or KeyType.RSA)
        path.chmod(0o600)
        public_key = load_private_key(path.read_bytes()).public_key()
        if kind is not None and key_type(public_key) is not kind:
            if not replace:
                raise StartError(
                    f"the account's key {path} is {key_words(public_key)} and keeps its type. Leave --key-type out, "
                    "give another folder with --data DIR, or start a new account with --fresh."
                )
            _create_key(path, id_path, kind)
            public_key = load_private_key(path.read_bytes()).public_key()
        return AccountKey(id_path.read_text().strip(), path, public_key)
    except (OSError, KeyFileError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise unwritable_folder_error(folder, error) from error
        raise StartError(
            f"the practice key {path} cannot be used ({error}). Delete it, and a new one is made at the next start."
        ) from error


def _create_key(path: Path, id_path: Path, kind: KeyType) -> None:
    """Write a new key and a new id for it."""
    write_private_file(path, generate_key(kind=kind))
    write_private_file(id_path, str(uuid.uuid4()).encode())
