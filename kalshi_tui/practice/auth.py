"""Who a request comes from: the three signed headers, checked for real (docs/kalshi-api.md, section 2)."""

from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kalshi_tui.kalshi.signing import KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, verify
from kalshi_tui.practice.refusal import Refusal

CLOCK_TOLERANCE_MS: Final = 5_000
"""How far a timestamp may be from this clock, either way. The exchange documents no figure; this is the strict side."""


class Authenticator:
    """Knows the public keys of the accounts. ``clock_ms`` is what the server takes for the time."""

    def __init__(self, clock_ms: Callable[[], int], *, tolerance_ms: int | None = None) -> None:
        """Make; without ``tolerance_ms`` it is `CLOCK_TOLERANCE_MS`."""
        self.clock_ms = clock_ms
        self._tolerance_ms = tolerance_ms
        self._keys: dict[str, tuple[str, RSAPublicKey]] = {}

    def register(self, key_id: str, account_id: str, public_key: RSAPublicKey) -> None:
        """Let a key speak for an account."""
        self._keys[key_id] = (account_id, public_key)

    def keys_of(self, account_id: str) -> list[str]:
        """Give the ids of an account's keys."""
        return [key_id for key_id, (owner, _) in self._keys.items() if owner == account_id]

    def account(self, headers: Mapping[str, str], method: str, path: str) -> str:
        """Give the account that signed; ``path`` without its query. Raises Refusal 401."""
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
        account_id, public_key = known
        if not verify(public_key, signature, timestamp, method, path):
            raise _unauthorized("INCORRECT_API_KEY_SIGNATURE", "the signature does not match")
        return account_id


def _unauthorized(code: str, details: str) -> Refusal:
    return Refusal(401, code, "authentication_error", details)
