"""API keys over REST: list, register, generate, delete (docs/kalshi-api.md, section 12)."""

import uuid
from collections.abc import Iterable
from typing import Final

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.transport.signing import (
    KeyFileError,
    KeyType,
    exchange_pem,
    generate_key,
    load_private_key,
    load_public_key,
    pem_of,
)
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.rejection import Rejection, not_found
from kalshi_tui.practice.server.attestation import Attestation
from kalshi_tui.practice.server.auth import (
    DEFAULT_SCOPES,
    READ,
    SCOPES,
    WRITE,
    Authenticator,
    RegisteredKey,
)
from kalshi_tui.practice.server.http import ACCOUNT_ID_KEY, BadRequestError, json_reply, read_body
from kalshi_tui.practice.server.tiers import UsageTiers
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

    def __init__(
        self,
        authenticator: Authenticator,
        database: Database | None,
        tiers: UsageTiers,
        exchange: Exchange,
        attestation: Attestation,
    ) -> None:
        self._authenticator = authenticator
        self._exchange = exchange
        self._database = database
        self._tiers = tiers
        self._attestation = attestation
        self._added_ids = {each.key_id for each in registered_keys(database)} if database is not None else set()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        path = f"{wire.REST_PREFIX}/api_keys"
        return [
            web.get(path, self._list),
            web.post(path, self._register),
            web.post(f"{path}/generate", self._generate),
            web.delete(f"{path}/{{key_id}}", self._delete),
        ]

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
        lapses_ms = self._attestation.expires_ms
        return json_reply(
            wire.ApiKeysReply(
                api_keys=listed, api_key_region_expiration_ts=UNSET if lapses_ms is None else lapses_ms // 1_000
            )
        )

    async def _register(self, request: web.Request) -> web.Response:
        """Register a public key of the trader's own, Ed25519 or RSA, for the account."""
        asked = await read_body(request, wire.CreateApiKeyRequest)
        if self._tiers.tier(request[ACCOUNT_ID_KEY]) not in OWN_KEY_TIERS:
            raise Rejection(
                403,
                "forbidden",
                "forbidden",
                "a public key of your own needs the tier premier: start with --tier premier",
            )
        name = _name(asked.name)
        if not asked.public_key:
            raise BadRequestError("public_key is required: the public half of your key, as PEM")
        locked = self._locked_subaccount(request, asked.subaccount)
        try:
            public_key = load_public_key(asked.public_key.encode(errors="replace"))
        except KeyFileError as error:
            raise BadRequestError(f"public_key: {error}") from None
        scopes = _scopes(asked.scopes or DEFAULT_SCOPES)
        key = RegisteredKey(str(uuid.uuid4()), request[ACCOUNT_ID_KEY], public_key, name, scopes, locked)
        self._keep(key)
        self._authenticator.add_key(key)
        return json_reply(wire.CreateApiKeyReply(api_key_id=key.key_id), 201)

    def _locked_subaccount(self, request: web.Request, asked: int | UnsetType | None) -> int | None:
        """Return the subaccount that a new key is locked to, None for none. Raises BadRequestError."""
        if not isinstance(asked, int):
            return None
        members = self._exchange.ledger.members(request[ACCOUNT_ID_KEY])
        if asked not in {each.subaccount for each in members}:
            raise BadRequestError(f"subaccount {asked} does not exist: create it first")
        return asked

    async def _generate(self, request: web.Request) -> web.Response:
        """Make a key for the account, RSA unless the type is named, and tell its private half this once."""
        asked = await read_body(request, wire.GenerateApiKeyRequest)
        name = _name(asked.name)
        try:
            kind = KeyType(asked.key_type or KeyType.RSA)
        except ValueError:
            raise BadRequestError("key_type must be rsa or ed25519") from None
        locked = self._locked_subaccount(request, asked.subaccount)
        scopes = _scopes(asked.scopes or DEFAULT_SCOPES)
        private = load_private_key(generate_key(kind=kind))
        key = RegisteredKey(str(uuid.uuid4()), request[ACCOUNT_ID_KEY], private.public_key(), name, scopes, locked)
        self._keep(key)
        self._authenticator.add_key(key)
        return json_reply(
            wire.GenerateApiKeyReply(api_key_id=key.key_id, key_type=kind, private_key=exchange_pem(private)), 201
        )

    async def _delete(self, request: web.Request) -> web.Response:
        """Delete a key for good. The account's first key stays: it is the one in the data folder."""
        key_id = request.match_info["key_id"]
        listed = self._authenticator.list_keys(request[ACCOUNT_ID_KEY])
        if key_id not in {each.key_id for each in listed}:
            raise not_found("api key not found")
        if key_id not in self._added_ids:
            raise Rejection(403, "forbidden", "forbidden", "the key in the practice exchange's data folder stays")
        self._added_ids.remove(key_id)
        if self._database is not None:
            self._store(each for each in registered_keys(self._database) if each.key_id != key_id)
        self._authenticator.remove_key(key_id)
        return web.Response(status=204)

    def _keep(self, key: RegisteredKey) -> None:
        """Write the key down before anybody hears of its id."""
        if self._database is not None:
            self._store((*registered_keys(self._database), key))
        self._added_ids.add(key.key_id)

    def _store(self, keys: Iterable[RegisteredKey]) -> None:
        assert self._database is not None  # noqa: S101 - the callers have looked
        stored = [
            _StoredKey(
                each.key_id,
                each.account_id,
                each.name,
                pem_of(each.public_key).decode("ascii"),
                each.scopes,
                each.subaccount,
            )
            for each in keys
        ]
        self._database.put(REGISTERED_KEYS_ENTRY, msgspec.json.encode(stored).decode())


def _name(name: str | UnsetType) -> str:
    """Return a key's name. Raises BadRequestError."""
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise BadRequestError(f"name is required: 1 to {MAX_NAME_LENGTH} printable characters")
    return name


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
