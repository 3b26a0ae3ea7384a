"""API keys over REST: list an account's, register an own public key (docs/kalshi-api.md, section 12)."""

import uuid
from typing import Final

import msgspec
from aiohttp import web
from msgspec import UNSET

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.transport.signing import KeyFileError, load_public_key, pem_of
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server.auth import (
    DEFAULT_SCOPES,
    READ,
    SCOPES,
    WRITE,
    Authenticator,
    RegisteredKey,
)
from kalshi_tui.practice.server.http import ACCOUNT_ID_KEY, BadRequestError, json_reply, read_body
from kalshi_tui.practice.storage.database import Database, DatabaseError

OWN_KEY_TIERS: Final = frozenset({"premier", "paragon", "prime", "prestige"})
"""The usage tiers whose members may register public keys of their own."""
MAX_NAME_LENGTH: Final = 200
REGISTERED_KEYS_ENTRY: Final = "registered_keys"


class _StoredKey(msgspec.Struct, frozen=True):
    """A registered key as the database keeps it."""

    key_id: str
    account_id: str
    name: str
    public_key: str
    scopes: tuple[str, ...]
    subaccount: int | None = None


class KeyApi:
    """Serves ``/api_keys``. Registered keys outlive a restart, as long as the account does."""

    def __init__(self, authenticator: Authenticator, database: Database | None, tier: str, exchange: Exchange) -> None:
        self._authenticator = authenticator
        self._exchange = exchange
        self._database = database
        self._tier = tier

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        path = f"{wire.REST_PREFIX}/api_keys"
        return [web.get(path, self._list), web.post(path, self._register)]

    async def _list(self, request: web.Request) -> web.Response:
        """List the account's keys, whatever their type: the exchange does not tell it."""
        keys = self._authenticator.list_keys(request[ACCOUNT_ID_KEY])
        listed = [
            wire.ApiKey(
                api_key_id=each.key_id,
                name=each.name,
                scopes=list(each.scopes),
                subaccount=UNSET if each.subaccount is None else each.subaccount,
            )
            for each in keys
        ]
        return json_reply(wire.ApiKeysReply(api_keys=listed))

    async def _register(self, request: web.Request) -> web.Response:
        """Register a public key of the trader's own, Ed25519 or RSA, for the account."""
        asked = await read_body(request, wire.CreateApiKeyRequest)
        if self._tier not in OWN_KEY_TIERS:
            raise Rejection(
                403,
                "forbidden",
                "forbidden",
                "a public key of your own needs the tier premier: start with --tier premier",
            )
        if not asked.name or len(asked.name) > MAX_NAME_LENGTH or not asked.name.isprintable():
            raise BadRequestError(f"name is required: 1 to {MAX_NAME_LENGTH} printable characters")
        if not asked.public_key:
            raise BadRequestError("public_key is required: the public half of your key, as PEM")
        locked = asked.subaccount if isinstance(asked.subaccount, int) else None
        members = self._exchange.ledger.members(request[ACCOUNT_ID_KEY])
        if locked is not None and locked not in {each.subaccount for each in members}:
            raise BadRequestError(f"subaccount {locked} does not exist: create it first")
        try:
            public_key = load_public_key(asked.public_key.encode(errors="replace"))
        except KeyFileError as error:
            raise BadRequestError(f"public_key: {error}") from None
        scopes = _scopes(asked.scopes or DEFAULT_SCOPES)
        key = RegisteredKey(str(uuid.uuid4()), request[ACCOUNT_ID_KEY], public_key, asked.name, scopes, locked)
        self._keep(key)
        self._authenticator.add_key(key)
        return json_reply(wire.CreateApiKeyReply(api_key_id=key.key_id), 201)

    def _keep(self, key: RegisteredKey) -> None:
        """Write the key down before anybody hears of its id."""
        if self._database is None:
            return
        stored = [
            _StoredKey(
                each.key_id,
                each.account_id,
                each.name,
                pem_of(each.public_key).decode("ascii"),
                each.scopes,
                each.subaccount,
            )
            for each in (*registered_keys(self._database), key)
        ]
        self._database.put(REGISTERED_KEYS_ENTRY, msgspec.json.encode(stored).decode())


def _scopes(asked: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return the scopes, each once. Raises BadRequestError for an unknown one, and for write without read."""
    scopes = tuple(dict.fromkeys(asked))
    unknown = [each for each in scopes if each not in SCOPES]
    if unknown:
        raise BadRequestError(f"scopes: {unknown[0][:50]!r} is not one of {', '.join(SCOPES)}")
    if WRITE in scopes and READ not in scopes:
        raise BadRequestError("scopes: write needs read too")
    return scopes


def registered_keys(database: Database) -> list[RegisteredKey]:
    """Return the keys that were registered on this database. Raises DatabaseError for what cannot be read."""
    try:
        stored = msgspec.json.decode(database.get(REGISTERED_KEYS_ENTRY) or "[]", type=list[_StoredKey])
        return [
            RegisteredKey(
                each.key_id,
                each.account_id,
                load_public_key(each.public_key.encode()),
                each.name,
                each.scopes,
                each.subaccount,
            )
            for each in stored
        ]
    except (msgspec.MsgspecError, KeyFileError) as error:
        raise DatabaseError(
            f"The registered API keys in {database.path} cannot be read ({error}). Start a new account with --fresh."
        ) from error
