"""The account's attestation of where its keys are used, which lapses (docs/kalshi-api.md, section 12)."""

from collections.abc import Callable, Iterator
from typing import Final

from aiohttp import web
from msgspec import Struct

from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.storage.database import Database, DatabaseError

ATTESTED_CATEGORIES: Final = frozenset({"Sports", "Elections", "Entertainment"})
"""The categories that a key may not trade once the attestation has lapsed."""
EXPIRY_KEY: Final = "attestation_expires_ms"
_ORDERS_PATH: Final = "/portfolio/events/orders"


class _OrderBody(Struct):
    """The part of an order, or of a batch of them, that says which market it is for."""

    ticker: str = ""
    orders: list["_OrderBody"] | None = None


class Attestation:
    """When the attestation lapses: never, unless it is set, as for an account that never made one."""

    def __init__(self, exchange: Exchange, clock_ms: Callable[[], int], database: Database | None = None) -> None:
        """Take what an earlier run has left in the database, if there is one. Raises DatabaseError."""
        self._exchange = exchange
        self._clock_ms = clock_ms
        self._database = database
        self.expires_ms = _stored_expiry(database)
        """Unix milliseconds; None if the account never attested."""

    def expire_in(self, ms: int) -> None:
        """Have it lapse so many milliseconds from now; it has lapsed already if they are negative."""
        self.expires_ms = self._clock_ms() + ms
        if self._database is not None:
            self._database.put(EXPIRY_KEY, str(self.expires_ms))

    @property
    def has_lapsed(self) -> bool:
        """Whether its time is over."""
        return self.expires_ms is not None and self.expires_ms <= self._clock_ms()

    async def check(self, request: web.Request, below: str) -> None:
        """Reject an order or a change of one that the lapsed attestation forbids; ``below`` is the path without prefix.

        What only takes risk away, cancels and decreases, is let through.
        """
        if not self.has_lapsed or request.method != "POST" or not below.startswith(_ORDERS_PATH):
            return
        if below.endswith("/decrease"):
            return
        try:
            body = wire.decode(await request.read(), _OrderBody)
        except wire.DecodeError:
            # The handler says what is wrong with it.
            return
        for ticker in _tickers(body):
            category = self._category(ticker)
            if category in ATTESTED_CATEGORIES:
                raise Rejection(
                    403,
                    "forbidden",
                    "forbidden",
                    f"the location attestation has lapsed: no trading of {category} by key",
                )

    def _category(self, ticker: str) -> str:
        listing = self._exchange.markets.listings.get(ticker)
        if listing is None:
            return ""
        event = self._exchange.markets.events_by_ticker.get(listing.terms.event_ticker)
        return event.category if event is not None else ""


def _tickers(body: _OrderBody) -> Iterator[str]:
    yield body.ticker
    for each in body.orders or ():
        yield each.ticker


def _stored_expiry(database: Database | None) -> int | None:
    saved = None if database is None else database.get(EXPIRY_KEY)
    if database is None or saved is None:
        return None
    try:
        return int(saved)
    except ValueError:
        raise DatabaseError(
            f"The attestation in {database.path} cannot be read ({saved[:20]!r}). Start a new account with --fresh."
        ) from None
