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
from kalshi_tui.practice.server.signature_faults import explain_signature

CLOCK_TOLERANCE_MS: Final = 5_000
"""How far a timestamp may be from this clock, either way. The exchange documents no figure; this is the strict side."""
MIN_TIMESTAMP_MS: Final = 100_000_000_000
"""Below it a timestamp is in seconds, whatever the clock: as milliseconds it would be of 1973 or before."""


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

    def remove_key(self, key_id: str) -> None:
        """Forget a key: from here on it signs nothing."""
        self._keys.pop(key_id, None)

    def list_keys(self, account_id: str) -> list[RegisteredKey]:
        """Return an account's keys, the oldest first."""
        return [key for key in self._keys.values() if key.account_id == account_id]

    def authenticate(self, headers: Mapping[str, str], method: str, path: str, query: str = "") -> RegisteredKey:
        """Return the key that signed; ``path`` without its query. Raises Rejection 401 with the likely cause."""
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
        ahead_ms = int(timestamp) - self.clock_ms()
        if abs(ahead_ms) > tolerance_ms:
            raise _unauthorized("INCORRECT_API_KEY_SIGNATURE", _describe_skew(int(timestamp), ahead_ms))
        if not verify_signature(known.public_key, signature, timestamp, method, path):
            why = explain_signature(known.public_key, signature, timestamp, method, path, query)
            raise _unauthorized("INCORRECT_API_KEY_SIGNATURE", f"the signature does not match: {why}")
        return known


def _describe_skew(timestamp: int, ahead_ms: int) -> str:
    """Return what is wrong with a timestamp: its unit, or the clock that it is from."""
    if timestamp < MIN_TIMESTAMP_MS:
        return "the timestamp must be Unix milliseconds; this one is of seconds, or of 1970"
    way = "ahead of" if ahead_ms > 0 else "behind"
    return f"the timestamp is {abs(ahead_ms) / 1_000:,.0f} s {way} the exchange's clock: check yours"


def _unauthorized(code: str, details: str) -> Rejection:
    return Rejection(401, code, "authentication_error", details)
