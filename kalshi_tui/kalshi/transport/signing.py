"""Sign requests and WebSocket handshakes with an Ed25519 or an RSA key (docs/kalshi-api.md, section 2).

The signed text is ``timestamp + METHOD + path``: Unix milliseconds, the upper-case method, and a path that starts with
``/trade-api/`` and has no query. It does not name a host, so the `Signer` itself must sign for no other host than its
own environment's. The practice exchange checks signatures with `verify_signature`.

The parsed key alone decides the algorithm: a PKCS#8 file says ``BEGIN PRIVATE KEY`` for either type.
"""

import base64
import binascii
from enum import StrEnum
from typing import Final, NoReturn, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.dsa import DSAPrivateKey, DSAPublicKey
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey, Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
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
SIGNED_PATH_PREFIX: Final = "/trade-api/"
"""What every signed path starts with; the one exception is `PRACTICE_CONTROL`."""
PRACTICE_TOKEN_HEADER: Final = "X-Practice-Token"  # noqa: S105 - the header's name
PRACTICE_CONTROL: Final = "/practice/control"
"""The path at which a practice exchange takes faults to simulate; no other exchange has it."""
PRACTICE_REPLAY: Final = "/practice/replay"
"""The path at which an exchange that plays a recording says how far it is; never signed."""
MIN_KEY_BITS: Final = 2048

PrivateKey: TypeAlias = Ed25519PrivateKey | RSAPrivateKey
PublicKey: TypeAlias = Ed25519PublicKey | RSAPublicKey


class KeyType(StrEnum):
    """The types of key that the exchange accepts, in its own words."""

    ED25519 = "ed25519"
    RSA = "rsa"


_SHA256: Final = hashes.SHA256()
_PSS: Final = PSS(mgf=MGF1(_SHA256), salt_length=_SHA256.digest_size)
_OTHER_KINDS: Final = (
    (X25519PrivateKey | X25519PublicKey, "X25519, which agrees on secrets and signs nothing"),
    (X448PrivateKey | X448PublicKey, "X448, which agrees on secrets and signs nothing"),
    (Ed448PrivateKey | Ed448PublicKey, "Ed448"),
    (DSAPrivateKey | DSAPublicKey, "DSA"),
)
"""Keys that a PEM file may hold and that the exchange does not accept."""
_MAKE_A_KEY: Final = "Create a key at the exchange (Account & security, API Keys) and name the file it gives you."


class KeyFileError(Misconfigured):
    """Report a private key that cannot be used. The message says what to do and holds nothing of the key."""


class PassphraseError(KeyFileError):
    """Report an encrypted key whose passphrase is missing or wrong: asking for it again may help."""


def signature_payload(timestamp: str, method: str, path: str) -> bytes:
    """Return the bytes that a signature covers.

    Raises ValueError for a path that is not ours to sign or has a query.
    """
    if not path.startswith(SIGNED_PATH_PREFIX) and path != PRACTICE_CONTROL:
        raise ValueError(f"only paths under {SIGNED_PATH_PREFIX} are signed, not {path!r}")
    if "?" in path or "#" in path:
        raise ValueError("the signed path carries no query")
    return f"{timestamp}{method.upper()}{path}".encode()


class Signer:
    """Sign with a private key, for the hosts of one environment only. Never shows the key or what it signed."""

    __slots__ = ("_hosts", "_key", "key_id")

    def __init__(self, key_id: str, private_key: PrivateKey, *, environment: Environment) -> None:
        self.key_id = key_id
        self._key = private_key
        self._hosts = environment.hosts

    @classmethod
    def from_pem(
        cls, key_id: str, pem: bytes, passphrase: bytes | None = None, *, environment: Environment
    ) -> "Signer":
        """Return a signer by a PEM of PKCS#1 or PKCS#8, encrypted or not. Raises KeyFileError with a sentence.

        A passphrase for a key that needs none is ignored.
        """
        return cls(key_id, load_private_key(pem, passphrase), environment=environment)

    def headers(self, method: str, path: str, now_ms: int, *, host: str) -> dict[str, str]:
        """Return the three headers of one attempt; ``now_ms`` is Unix milliseconds, new for each attempt.

        Raises WrongHost if ``host``, where they will be sent, is not of the key's own environment, and ValueError for a
        path outside ``/trade-api/`` or with a query.
        """
        if host not in self._hosts:
            raise WrongHost(host, self._hosts)
        timestamp = str(now_ms)
        signature = _signature(self._key, signature_payload(timestamp, method, path))
        return {
            KEY_HEADER: self.key_id,
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: base64.b64encode(signature).decode("ascii"),
        }

    @property
    def key_type(self) -> KeyType:
        """The type of the key; not a secret."""
        return key_type(self._key)

    @property
    def key_words(self) -> str:
        """The key in words, such as ``an Ed25519 key``."""
        return key_words(self._key)

    def public_key(self) -> PublicKey:
        """Return the public half, which may be shown."""
        return self._key.public_key()

    def __repr__(self) -> str:
        return f"Signer(key_id={self.key_id!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Signer is never pickled or copied: it holds a private key")


def _signature(key: PrivateKey, text: bytes) -> bytes:
    """Sign a text: with Ed25519 the text itself (RFC 8032, no hash before it), with RSA its SHA-256 by PSS."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(text)
    return key.sign(text, _PSS, _SHA256)


def verify_signature(public_key: PublicKey, signature_b64: str, timestamp: str, method: str, path: str) -> bool:
    """Return whether a signature is of exactly this timestamp, method and path. Never raises for what was sent.

    The public key decides the algorithm, whatever the signature looks like.
    """
    try:
        signature = base64.b64decode(signature_b64, validate=True)
        text = signature_payload(timestamp, method, path)
        if isinstance(public_key, Ed25519PublicKey):
            public_key.verify(signature, text)
        else:
            public_key.verify(signature, text, _PSS, _SHA256)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def key_type(key: PrivateKey | PublicKey) -> KeyType:
    """Return the type of a parsed key."""
    return KeyType.ED25519 if isinstance(key, Ed25519PrivateKey | Ed25519PublicKey) else KeyType.RSA


def key_words(key: PrivateKey | PublicKey) -> str:
    """Return a key in words for a sentence, such as ``an RSA key of 2048 bits``."""
    if isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        return "an Ed25519 key"
    return f"an RSA key of {key.key_size} bits"


def load_private_key(pem: bytes, passphrase: bytes | None = None) -> PrivateKey:
    """Read an Ed25519 private key, or an RSA one of at least 2048 bits.

    Raises KeyFileError (PassphraseError) with a sentence.
    """
    text = _normalize_pem(pem)
    _check_pem_kind(text)
    try:
        key = _load_pem(text, passphrase)
    except UnsupportedAlgorithm:
        raise KeyFileError(
            "The key file uses an encryption or a kind of key that is not supported; "
            f"it must be an Ed25519 or RSA private key in PEM form. {_MAKE_A_KEY}"
        ) from None
    except ValueError:
        raise KeyFileError(
            "The key file is damaged: it looks like a private key but cannot be read, as when a part of it is missing. "
            "Download or create the key again at the exchange."
        ) from None
    if not isinstance(key, PrivateKey):
        raise KeyFileError(
            f"The key file holds a key of another kind ({_other_kind(key)}); "
            f"Kalshi's API keys are Ed25519 or RSA private keys. {_MAKE_A_KEY}"
        )
    if isinstance(key, RSAPrivateKey) and key.key_size < MIN_KEY_BITS:
        raise KeyFileError(
            f"The key has {key.key_size} bits, which is too short; it must have {MIN_KEY_BITS} or more. "
            "Create a new API key at the exchange."
        )
    return key


def _load_pem(text: bytes, passphrase: bytes | None) -> object:
    """Load a PEM. Raises PassphraseError; ValueError for one that is damaged, encrypted or not.

    It is tried without the passphrase first, which says whether the key is encrypted: the library raises the same for a
    damaged file and for a wrong passphrase.
    """
    try:
        return load_pem_private_key(text, password=None)
    except TypeError:
        if not passphrase:
            raise PassphraseError("The key file is encrypted and needs its passphrase.") from None
    try:
        return load_pem_private_key(text, password=passphrase)
    except ValueError:
        raise PassphraseError("The passphrase does not open the key file; check it and try again.") from None


def _other_kind(key: object) -> str:
    """Return the name of a kind of key that the exchange does not take."""
    if isinstance(key, EllipticCurvePrivateKey | EllipticCurvePublicKey):
        return f"the elliptic curve {key.curve.name}"
    return next((name for kinds, name in _OTHER_KINDS if isinstance(key, kinds)), "an unknown one")


def _normalize_pem(pem: bytes) -> bytes:
    """Remove what editors and copying add to a PEM: a byte order mark, CRLF or CR line ends, blanks at the margins."""
    lines = pem.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"\n".join(line.strip() for line in lines).strip() + b"\n"


def _check_pem_kind(text: bytes) -> None:
    if b"PRIVATE KEY-----" in text:
        if b"BEGIN OPENSSH PRIVATE KEY" in text:
            raise KeyFileError(
                "The key file is in OpenSSH's own form; Kalshi's keys, Ed25519 or RSA, are PEM files that begin with "
                "'BEGIN PRIVATE KEY' or 'BEGIN RSA PRIVATE KEY'."
            )
        return
    if b"PUBLIC KEY-----" in text or b"BEGIN CERTIFICATE" in text:
        raise KeyFileError(
            "This is a public key; what is needed is the private key, which the exchange gave only once."
        )
    raise KeyFileError(
        "This is not a private key: a PEM file begins with '-----BEGIN PRIVATE KEY-----' "
        "or '-----BEGIN RSA PRIVATE KEY-----'."
    )


def generate_key(passphrase: bytes | None = None, kind: KeyType = KeyType.RSA) -> bytes:
    """Return a new private key as a PKCS#8 PEM, RSA of 2048 bits or Ed25519; encrypted if a passphrase is given."""
    key: PrivateKey
    if kind is KeyType.ED25519:
        key = Ed25519PrivateKey.generate()
    else:
        key = generate_private_key(public_exponent=65537, key_size=MIN_KEY_BITS)
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def exchange_pem(key: PrivateKey) -> str:
    """Return a private key as the exchange hands it out: Ed25519 as PKCS#8, RSA as PKCS#1.

    docs/kalshi-api.md, section 2.
    """
    form = PrivateFormat.PKCS8 if isinstance(key, Ed25519PrivateKey) else PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode("ascii")


def secret_forms(key: PrivateKey) -> tuple[bytes, ...]:
    """Return the forms of a private key that a log's filter must search for, since it cannot recognize them.

    An Ed25519 key is 32 bytes, which look like a hash or a name; the parts of an RSA key are long enough to recognize.
    """
    if not isinstance(key, Ed25519PrivateKey):
        return ()
    seed = key.private_bytes_raw()
    body = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return (seed, seed.hex().encode(), seed.hex().upper().encode(), str(int.from_bytes(seed)).encode(), body)


def public_key_pem(private_pem: bytes) -> bytes:
    """Return the public half of an unencrypted private PEM, as a PEM. Raises KeyFileError."""
    return pem_of(load_private_key(private_pem).public_key())


def pem_of(public_key: PublicKey) -> bytes:
    """Return a public key as a PEM."""
    return public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def load_public_key(pem: bytes) -> PublicKey:
    """Read an Ed25519 public key, or an RSA one of at least 2048 bits, from a PEM. Raises KeyFileError."""
    text = _normalize_pem(pem)
    if b"PRIVATE KEY-----" in text:
        raise KeyFileError("This is a private key; what is needed is its public half, and the private one stays yours.")
    try:
        key = load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(
            "The public key cannot be read; it must be an Ed25519 or RSA public key in PEM form."
        ) from None
    if not isinstance(key, PublicKey):
        raise KeyFileError(f"The public key is of another kind ({_other_kind(key)}); it must be an Ed25519 or RSA key.")
    if isinstance(key, RSAPublicKey) and key.key_size < MIN_KEY_BITS:
        raise KeyFileError(f"The public key has {key.key_size} bits; an RSA key must have {MIN_KEY_BITS} or more.")
    return key
