"""A key whose every form is known, to be looked for wherever the program could have left it."""

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

PIECE: Final = 16
COMMON: Final = 40
"""Characters at the head of every PEM of an RSA key: the kind of the key, and its length."""
COMMON_ED25519: Final = 22
"""The same of an Ed25519 key, whose PEM is one line."""
SEQUENCES: Final = re.compile(rb"\x1b\[[0-9:;<=>?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\s|\\n")


def pieces(text: bytes, size: int = PIECE) -> Iterator[bytes]:
    """Cut a text up: whoever shows more than twice the size of it in one go shows a whole piece."""
    return (text[at : at + size] for at in range(0, len(text) - size + 1, size))


def forms_of_key(pem: bytes) -> set[bytes]:
    """Return pieces of all that a private key could be written as: its PEM, its DER, its secret numbers."""
    key = load_pem_private_key(pem, password=None)
    body = b"".join(pem.splitlines()[1:-1])
    if isinstance(key, Ed25519PrivateKey):
        seed = key.private_bytes_raw()
        whole = base64.b64encode(seed)
        return set(pieces(body[COMMON_ED25519:])) | set(pieces(whole)) | forms_of_number(seed)
    assert isinstance(key, RSAPrivateKey)
    found = set(pieces(body[COMMON:]))
    # PEM lines are as they are; a number is found by any long part of it.
    numbers = key.private_numbers()
    for number in (numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp):
        found |= forms_of_number(number.to_bytes((number.bit_length() + 7) // 8))
    return found


def forms_of_number(raw: bytes) -> set[bytes]:
    """Return pieces of a secret number: its bytes, as they are and as Python writes them, and its digits."""
    forms = (str(int.from_bytes(raw)).encode(), raw.hex().encode(), raw.hex().upper().encode(), raw)
    return {piece for form in (*forms, repr(raw)[2:-1].encode()) for piece in pieces(form)}


def forms_of_signatures(signatures: Iterable[str]) -> set[bytes]:
    """Return pieces of signatures, in base64 of either alphabet and in hexadecimal digits."""
    found: set[bytes] = set()
    for each in signatures:
        raw = base64.b64decode(each)
        for form in (each.encode(), base64.urlsafe_b64encode(raw), raw.hex().encode()):
            # Every fourth: there are many signatures.
            found |= set(list(pieces(form))[::4])
    return found


def shown(written: bytes) -> bytes:
    """Return what a terminal shows, without what moves its cursor, and without the ends of its lines."""
    return SEQUENCES.sub(b"", written)


def holds(text: bytes, forms: Iterable[bytes]) -> bool:
    """Return whether any of the forms stands in a text."""
    return any(form in text for form in forms)


def files_with(folder: Path, forms: Iterable[bytes]) -> set[str]:
    """Return the names of the files anywhere below that hold one of the forms."""
    forms = set(forms)
    return {path.name for path in folder.rglob("*") if path.is_file() and holds(path.read_bytes(), forms)}
