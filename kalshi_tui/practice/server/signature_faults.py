"""What is probably wrong with a signature that does not match, in words (docs/kalshi-api.md, section 2).

The usual mistakes are tried, one after the other: whoever writes a client learns which one it is.
"""

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kalshi_tui.kalshi.transport.signing import KeyType, PublicKey, key_type

ED25519_SIGNATURE_BYTES: Final = 64
SALT_BYTES: Final = 32
TYPE_NAMES: Final = {KeyType.ED25519: "Ed25519", KeyType.RSA: "RSA"}
UNKNOWN_FAULT: Final = "it is of another private key, or of another text than timestamp, METHOD and path without query"
_SHA256: Final = hashes.SHA256()
_OTHER_HASHES: Final = (hashes.SHA1(), hashes.SHA384(), hashes.SHA512())  # noqa: S303 - to name the mistake


def explain_signature(
    public_key: PublicKey, signature_b64: str, timestamp: str, method: str, path: str, query: str = ""
) -> str:
    """Return why a signature does not match the key registered, as the end of a sentence. Never raises."""
    try:
        signature = base64.b64decode(signature_b64, validate=True)
    except (binascii.Error, ValueError):
        return "it is not standard base64"
    named = TYPE_NAMES[key_type(public_key)]
    if isinstance(public_key, RSAPublicKey):
        expected, verify = public_key.key_size // 8, _verify_rsa(public_key)
    else:
        expected, verify = ED25519_SIGNATURE_BYTES, _verify_ed25519(public_key)
    if len(signature) != expected:
        other = "RSA" if len(signature) in {256, 384, 512} else "Ed25519" if len(signature) == 64 else "neither type"
        return (
            f"it has {len(signature)} bytes, as of {other}, but the key registered is {named}, "
            f"whose signatures have {expected}: the registered key decides the algorithm"
        )
    for text, said in _texts(timestamp, method, path, query):
        wrong = verify(signature, text)
        if wrong is not None and (said or wrong):
            return " and ".join(part for part in (wrong, said) if part)
    return UNKNOWN_FAULT


def _texts(timestamp: str, method: str, path: str, query: str) -> Iterator[tuple[bytes, str]]:
    """Yield the texts that clients sign, the right one first, each with what is wrong with it."""
    yield f"{timestamp}{method}{path}".encode(), ""
    if query:
        yield f"{timestamp}{method}{path}?{query}".encode(), "the query was signed too: leave it out"
    short = path.removeprefix("/trade-api/v2").removeprefix("/trade-api")
    yield f"{timestamp}{method}{short}".encode(), "the path was signed without /trade-api/v2"
    yield f"{timestamp}{method.lower()}{path}".encode(), "the method was signed in lower case"
    yield f"{method}{path}{timestamp}".encode(), "the timestamp has to come first"


def _verify_ed25519(key: Ed25519PublicKey) -> Callable[[bytes, bytes], str | None]:
    """Return a function that says what is wrong with a signature of a text, "" for nothing, None if no guess fits."""

    def verify(signature: bytes, text: bytes) -> str | None:
        for signed, wrong in (
            (text, ""),
            (_digest(_SHA256, text), "the SHA-256 of the text was signed: Ed25519 signs the text itself"),
            (_digest(hashes.SHA512(), text), "the SHA-512 of the text was signed: Ed25519 signs the text itself"),
        ):
            try:
                key.verify(signature, signed)
            except InvalidSignature:
                continue
            return wrong
        return None

    return verify


def _verify_rsa(key: RSAPublicKey) -> Callable[[bytes, bytes], str | None]:
    """Return a function that says what is wrong with a signature of a text, "" for nothing, None if no guess fits."""
    twice = "the text was hashed twice: sign the text itself, which PSS hashes"

    def verify(signature: bytes, text: bytes) -> str | None:
        for padding, algorithm, signed, wrong in (
            (PSS(MGF1(_SHA256), SALT_BYTES), _SHA256, text, ""),
            (PKCS1v15(), _SHA256, text, "its padding is PKCS#1 v1.5: RSA keys sign by PSS with SHA-256"),
            (PSS(MGF1(_SHA256), SALT_BYTES), _SHA256, _digest(_SHA256, text), twice),
            *((PSS(MGF1(each), PSS.AUTO), each, text, _other_hash(each)) for each in _OTHER_HASHES),
        ):
            if _matches(key, signature, signed, padding, algorithm):
                return wrong
        if not _matches(key, signature, text, PSS(MGF1(_SHA256), PSS.AUTO), _SHA256):
            return None
        lengths = range(key.key_size // 8 - _SHA256.digest_size - 1)
        length = next(
            (size for size in lengths if _matches(key, signature, text, PSS(MGF1(_SHA256), size), _SHA256)), "another"
        )
        return f"its salt has {length} bytes: RSA-PSS needs a salt of {SALT_BYTES} (the digest's length)"

    return verify


def _matches(
    key: RSAPublicKey, signature: bytes, text: bytes, padding: AsymmetricPadding, algorithm: hashes.HashAlgorithm
) -> bool:
    try:
        key.verify(signature, text, padding, algorithm)
    except (InvalidSignature, ValueError):
        return False
    return True


def _other_hash(algorithm: hashes.HashAlgorithm) -> str:
    return f"its hash is {algorithm.name}: RSA keys sign by PSS with SHA-256"


def _digest(algorithm: hashes.HashAlgorithm, text: bytes) -> bytes:
    made = hashes.Hash(algorithm)
    made.update(text)
    return made.finalize()
