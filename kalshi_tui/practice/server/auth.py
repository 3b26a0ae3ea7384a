"""Authentication: the three signed headers, really verified (docs/kalshi-api.md, section 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from kalshi_tui.kalshi.transport.signing import (
    KEY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    PublicKey,
    verify_signature,
)
from kalshi_tui.practice.engine.rejection import Rejection

CLOCK_TOLERANCE_MS: Final = 5_000
"""How far a timestamp may be from this clock, either way. The exchange documents no figure; this is the strict side."""


READ: Final = "read"
WRITE: Final = "write"
DEFAULT_SCOPES: Final = (READ, WRITE)
SCOPES: Final = (
    READ,
    WRITE,
    "write::trade",
    "write::transfer",
    "read::portfolio_balance",
    "read::block_trade_accept",
    "write::block_trade_accept",
    "write::fcm_risk",
)
"""What a key may be allowed (docs/kalshi-api.md, section 12)."""
NARROW_SCOPES: Final = (
    (WRITE, "/portfolio/events/orders", "write::trade"),
    (WRITE, "/portfolio/order_groups", "write::trade"),
    (WRITE, "/portfolio/intra_exchange_instance_transfer", "write::transfer"),
    (WRITE, "/portfolio/subaccounts/transfer", "write::transfer"),
    (READ, "/portfolio/balance", "read::portfolio_balance"),
)
"""Where a part of a scope is enough: the scope, the paths, the part."""


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A key that may sign: for whom, by which public key, and what it may do."""

    key_id: str
    account_id: str
    public_key: PublicKey
    name: str = "practice"
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    subaccount: int | None = None
    """The one subaccount that the key may read and trade on; None for all (docs/kalshi-api.md, section 13)."""

    def require_scope(self, method: str, below: str) -> None:
        """Raise Rejection 403 for what the key may not do; ``below`` is the path without the API's prefix."""
        needed = READ if method in {"GET", "HEAD"} else WRITE
        enough = {needed, *(part for scope, path, part in NARROW_SCOPES if scope == needed and below.startswith(path))}
        if enough.isdisjoint(self.scopes):
            words = " or ".join(sorted(enough))
            raise Rejection(403, "forbidden", "forbidden", f"this API key does not have the scope {words}")


class Authenticator:
    """Knows the public keys of the accounts, of either type. ``clock`` is what the server takes for the time."""

    def __init__(self, clock_ms: Callable[[], int], *, tolerance_ms: int | None = None) -> None:
        """Make; without ``tolerance_ms`` it is `CLOCK_TOLERANCE_MS`."""
        self.clock_ms = clock_ms
        self._tolerance_ms = tolerance_ms
        self._keys: dict[str, RegisteredKey] = {}

    def register(self, key_id: str, account_id: str, public_key: PublicKey) -> None:
        """Register a key for an account."""
        self.add_key(RegisteredKey(key_id, account_id, public_key))

    def add_key(self, key: RegisteredKey) -> None:
        """Register a key of any name and scopes."""
        self._keys[key.key_id] = key

    def list_keys(self, account_id: str) -> list[RegisteredKey]:
        """Return an account's keys, the oldest first."""
        return [key for key in self._keys.values() if key.account_id == account_id]

    def authenticate(self, headers: Mapping[str, str], method: str, path: str) -> RegisteredKey:
        """Return the key that signed; ``path`` without its query. Raises Rejection 401."""
        key_id, timestamp = headers.get(KEY_HEADER, ""), headers.get(TIMESTAMP_HEADER, "")
        signature = headers.get(SIGNATURE_HEADER, "")
        if not (key_id and timestamp and signature):
            raise _unauthorized("missing_authentication", "the three KALSHI-ACCESS headers are required")
        known = self._keys.get(key_id)
        if known is None:
            raise _unauthorized("NOT_FOUND", "api key not found")
        if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 16):
            raise _unauthorized("INCORRECT_API_KEY_SIGNATURE", "the timestamp must be Unix milliseconds")
        tolerance_ms = CLOCK_TOLERANCE_MS if self._tolerance_ms is None else self._tolerance_ms
        if abs(int(timestamp) - self.clock_ms()) > tolerance_ms:
            raise _unauthorized("INCORRECT_API_KEY_SIGNATURE", "the timestamp is too far from the exchange's clock")
        if not verify_signature(known.public_key, signature, timestamp, method, path):
            raise _unauthorized("INCORRECT_API_KEY_SIGNATURE", "the signature does not match")
        return known


def _unauthorized(code: str, details: str) -> Rejection:
    return Rejection(401, code, "authentication_error", details)
