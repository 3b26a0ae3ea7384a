"""Signing requests and WebSocket handshakes with an RSA key (docs/kalshi-api.md, section 2).

The signed text is ``timestamp + METHOD + path``: Unix milliseconds, the upper-case method, and a path that starts with
``/trade-api/`` and carries no query. It does not name a host: that a key signs for no other host than its own
environment's is for the `Signer` to see to. The practice exchange checks with `verify` what the client made with it.
"""

import base64
import binascii
from typing import Final, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from kalshi_tui.kalshi.environments import Environment
from kalshi_tui.kalshi.errors import Misconfigured, WrongHost

KEY_HEADER: Final = "KALSHI-ACCESS-KEY"
TIMESTAMP_HEADER: Final = "KALSHI-ACCESS-TIMESTAMP"
SIGNATURE_HEADER: Final = "KALSHI-ACCESS-SIGNATURE"
PATH_START: Final = "/trade-api/"
"""Every signed path starts so; but for `PRACTICE_CONTROL`, nothing else is ever signed."""
PRACTICE_TOKEN_HEADER: Final = "X-Practice-Token"  # noqa: S105 - the header's name
PRACTICE_CONTROL: Final = "/practice/control"
"""Where a practice exchange is told what trouble to rehearse; no other exchange has it."""
PRACTICE_REPLAY: Final = "/practice/replay"
"""Where an exchange that plays a recording says how far it is; never signed."""
LEAST_KEY_BITS: Final = 2048

_SHA256: Final = hashes.SHA256()
_PSS: Final = PSS(mgf=MGF1(_SHA256), salt_length=_SHA256.digest_size)


class KeyFileError(Misconfigured):
    """A private key that cannot be used. The message is a sentence for a person and holds nothing of the key."""


class PassphraseError(KeyFileError):
    """The key is encrypted, and the passphrase is missing or wrong: asking for it again may help."""


def signed_text(timestamp: str, method: str, path: str) -> bytes:
    """Give the bytes that a signature covers. Raises ValueError for a path that is not ours to sign or has a query."""
    if not path.startswith(PATH_START) and path != PRACTICE_CONTROL:
        raise ValueError(f"only paths under {PATH_START} are signed, not {path!r}")
    if "?" in path or "#" in path:
        raise ValueError("the signed path carries no query")
    return f"{timestamp}{method.upper()}{path}".encode()


class Signer:
    """A key id and its private key, bound to the hosts of one environment. Shows neither the key nor what it signed."""

    __slots__ = ("_hosts", "_key", "key_id")

    def __init__(self, key_id: str, private_key: RSAPrivateKey, *, environment: Environment) -> None:
        self.key_id = key_id
        self._key = private_key
        self._hosts = environment.hosts

    @classmethod
    def from_pem(
        cls, key_id: str, pem: bytes, passphrase: bytes | None = None, *, environment: Environment
    ) -> "Signer":
        """Read a PEM of PKCS#1 or PKCS#8, any line ends, encrypted or not.

        A passphrase given for a key that needs none is passed over. Raises KeyFileError with a sentence.
        """
        return cls(key_id, load_private_key(pem, passphrase), environment=environment)

    def headers(self, method: str, path: str, now_ms: int, *, host: str) -> dict[str, str]:
        """Make the three headers of one attempt; ``now_ms`` in Unix milliseconds, fresh for each attempt.

        Raises WrongHost if ``host``, to which they are about to go, is not of the key's own environment, and ValueError
        for a path outside ``/trade-api/`` or with a query.
        """
        if host not in self._hosts:
            raise WrongHost(host, self._hosts)
        timestamp = str(now_ms)
        signature = self._key.sign(signed_text(timestamp, method, path), _PSS, _SHA256)
        return {
            KEY_HEADER: self.key_id,
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: base64.b64encode(signature).decode("ascii"),
        }

    def public_key(self) -> RSAPublicKey:
        """Give the public half, which may be shown."""
        return self._key.public_key()

    def __repr__(self) -> str:
        return f"Signer(key_id={self.key_id!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Signer is never pickled or copied: it holds a private key")


def verify(public_key: RSAPublicKey, signature_b64: str, timestamp: str, method: str, path: str) -> bool:
    """Say whether a signature stands for exactly this timestamp, method and path. Never raises for what was sent."""
    try:
        signature = base64.b64decode(signature_b64, validate=True)
        public_key.verify(signature, signed_text(timestamp, method, path), _PSS, _SHA256)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def load_private_key(pem: bytes, passphrase: bytes | None = None) -> RSAPrivateKey:
    """Read an RSA private key of at least 2048 bits. Raises KeyFileError (PassphraseError) with a sentence."""
    text = _tidied(pem)
    _refuse_other_kinds(text)
    try:
        key = _load(text, passphrase)
    except UnsupportedAlgorithm:
        raise KeyFileError(
            "The key file uses an encryption or a kind of key that is not supported; "
            "it must be an RSA private key in PEM form."
        ) from None
    except ValueError:
        if _encrypted(text):
            raise PassphraseError("The passphrase does not open the key file; check it and try again.") from None
        raise KeyFileError(
            "The key file is damaged: it looks like a private key but cannot be read. "
            "Download or create the key again at the exchange."
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise KeyFileError("The key file holds a key of another kind; Kalshi's API keys are RSA private keys.")
    if key.key_size < LEAST_KEY_BITS:
        raise KeyFileError(
            f"The key has {key.key_size} bits, which is too short; it must have {LEAST_KEY_BITS} or more. "
            "Create a new API key at the exchange."
        )
    return key


def _load(text: bytes, passphrase: bytes | None) -> object:
    """Load a PEM, with the passphrase only where the key is encrypted: the library refuses one that is not needed."""
    if not _encrypted(text):
        return load_pem_private_key(text, password=None)
    if not passphrase:
        raise PassphraseError("The key file is encrypted and needs its passphrase.")
    return load_pem_private_key(text, password=passphrase)


def _encrypted(text: bytes) -> bool:
    return b"BEGIN ENCRYPTED PRIVATE KEY" in text or b"Proc-Type: 4,ENCRYPTED" in text


def _tidied(pem: bytes) -> bytes:
    """Undo what editors and copying do to a PEM: a byte order mark, CRLF or CR line ends, blanks at the margins."""
    lines = pem.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"\n".join(line.strip() for line in lines).strip() + b"\n"


def _refuse_other_kinds(text: bytes) -> None:
    if b"PRIVATE KEY-----" in text:
        if b"BEGIN OPENSSH PRIVATE KEY" in text:
            raise KeyFileError(
                "The key file is in OpenSSH's own form; Kalshi's keys are PEM files that begin with "
                "'BEGIN RSA PRIVATE KEY' or 'BEGIN PRIVATE KEY'."
            )
        return
    if b"PUBLIC KEY-----" in text or b"BEGIN CERTIFICATE" in text:
        raise KeyFileError(
            "This is a public key; what is needed is the private key, which the exchange gave only once."
        )
    raise KeyFileError(
        "This is not a private key: a PEM file begins with '-----BEGIN RSA PRIVATE KEY-----' "
        "or '-----BEGIN PRIVATE KEY-----'."
    )


def generate_key(passphrase: bytes | None = None) -> bytes:
    """Make a new 2048-bit RSA private key and give it as a PKCS#8 PEM; encrypted if a passphrase is given."""
    key = generate_private_key(public_exponent=65537, key_size=LEAST_KEY_BITS)
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def public_pem(private_pem: bytes) -> bytes:
    """Give the public half of an unencrypted private PEM, as a PEM. Raises KeyFileError."""
    public = load_private_key(private_pem).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def load_public_key(pem: bytes) -> RSAPublicKey:
    """Read an RSA public key from a PEM. Raises KeyFileError."""
    try:
        key = load_pem_public_key(_tidied(pem))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError("The public key cannot be read; it must be an RSA public key in PEM form.") from None
    if not isinstance(key, RSAPublicKey):
        raise KeyFileError("The public key is of another kind; it must be an RSA key.")
    return key
