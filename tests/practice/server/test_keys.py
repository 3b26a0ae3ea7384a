"""Keys of either type at the practice exchange: signatures over real sockets, and public keys of one's own."""

import base64
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from kalshi_tui.kalshi import KalshiClient, Link, LinkState, wire
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.errors import AuthenticationFailed
from kalshi_tui.kalshi.transport.signing import KeyType, generate_key, public_key_pem
from kalshi_tui.practice.server.attestation import EXPIRY_KEY, Attestation
from kalshi_tui.practice.storage.database import Database, DatabaseError
from tests.support.engine import Clock, exchange as engine_of
from tests.support.practice_server import (
    PREFIX,
    WS_PATH,
    Serving,
    lasting_markets,
    serving,
)

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED25519_KEY = ed25519.Ed25519PrivateKey.generate()
KEYS: dict[str, Any] = {"rsa": RSA_KEY, "ed25519": ED25519_KEY}
BALANCE = f"{PREFIX}/portfolio/balance"


def pem_of(key: Any) -> str:
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return str(public.decode())


def headers(key_id: str, signature: bytes, timestamp: str) -> dict[str, str]:
    return {
        "KALSHI-ACCESS-KEY": key_id,
        "KALSHI-ACCESS-TIMESTAMP": timestamp,
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
    }


def signed(key_id: str, key: Any, method: str, path: str) -> dict[str, str]:
    """Sign as the contract says, with nothing but the cryptography library."""
    timestamp = str(time.time_ns() // 1_000_000)
    text = f"{timestamp}{method}{path}".encode()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return headers(key_id, key.sign(text), timestamp)
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    return headers(key_id, key.sign(text, pss, hashes.SHA256()), timestamp)


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving(tier="premier") as running:
        yield running


async def register(exchange: Serving, key: Any, **more: Any) -> str:
    made = await exchange.call("POST", "/api_keys", {"name": "bot", "public_key": pem_of(key)} | more)
    assert made.status_code == 201, made.text
    assert set(made.json()) == {"api_key_id"}
    return str(made.json()["api_key_id"])


async def ask(exchange: Serving, key_id: str, key: Any, method: str = "GET", path: str = BALANCE) -> httpx.Response:
    return await exchange.client.request(method, path, headers=signed(key_id, key, method, path), json={})


@pytest.mark.parametrize("kind", KEYS)
async def test_a_public_key_of_one_s_own_signs_for_rest_and_stream(exchange: Serving, kind: str) -> None:
    key = KEYS[kind]
    key_id = await register(exchange, key)
    assert (await ask(exchange, key_id, key)).status_code == 200
    url = f"ws://127.0.0.1:{exchange.port}{WS_PATH}"
    async with connect(url, additional_headers=signed(key_id, key, "GET", WS_PATH), proxy=None) as socket:
        await socket.send('{"id":1,"cmd":"list_subscriptions"}')
        assert '"ok"' in str(await socket.recv())
    # The registered key says which algorithm counts: a good signature of the other type is none.
    other = KEYS["rsa" if kind == "ed25519" else "ed25519"]
    refused = await ask(exchange, key_id, other)
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "INCORRECT_API_KEY_SIGNATURE"
    with pytest.raises(InvalidStatus) as closed:
        await connect(url, additional_headers=signed(key_id, other, "GET", WS_PATH), proxy=None)
    assert closed.value.response.status_code == 401


async def test_an_ed25519_signature_of_anything_but_the_text_itself_is_refused(exchange: Serving) -> None:
    key_id = await register(exchange, ED25519_KEY)
    timestamp = str(time.time_ns() // 1_000_000)
    text = f"{timestamp}GET{BALANCE}".encode()
    hashed = hashes.Hash(hashes.SHA256())
    hashed.update(text)
    good = ED25519_KEY.sign(text)
    wrong = {
        "of the hash": ED25519_KEY.sign(hashed.finalize()),
        "of another path": ED25519_KEY.sign(text + b"x"),
        "cut short": good[:-1],
        "too long": good + b"x",
        "turned": good[32:] + good[:32],
        "nothing": b"\x00" * 64,
    }
    for what, signature in wrong.items():
        reply = await exchange.client.get(BALANCE, headers=headers(key_id, signature, timestamp))
        assert reply.status_code == 401, what
    assert (await exchange.client.get(BALANCE, headers=headers(key_id, good, timestamp))).status_code == 200


@pytest.mark.parametrize("kind", KeyType)
async def test_the_library_reads_orders_and_follows_with_either_type(exchange: Serving, kind: KeyType) -> None:
    pem = generate_key(kind=kind)
    made = await exchange.call("POST", "/api_keys", {"name": "bot", "public_key": public_key_pem(pem).decode()})
    key_id = made.json()["api_key_id"]
    ticker = lasting_markets(exchange)[0].ticker
    async with KalshiClient(practice_on_port(exchange.port), key_id=key_id, private_key=pem) as client:
        assert (await client.balance()).cash
        async with client.stream(account=True) as updates:
            async for each in updates:
                if isinstance(each, Link) and each.state is LinkState.LIVE:
                    break
    signature = {"ticker": ticker, "side": "bid", "price": "0.0100", "count": "1.00"}
    kinds = {"time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross"}
    path = f"{PREFIX}/portfolio/events/orders"
    key = KEYS[kind]
    own = await register(exchange, key)
    placed = await exchange.client.post(path, headers=signed(own, key, "POST", path), json=signature | kinds)
    assert placed.status_code == 201
    stranger = KalshiClient(practice_on_port(exchange.port), key_id=key_id, private_key=generate_key(kind=kind))
    async with stranger:
        with pytest.raises(AuthenticationFailed, match="does not belong to this key id"):
            await stranger.balance()


FOREIGN = {
    "P-256": (pem_of(ec.generate_private_key(ec.SECP256R1())), "the elliptic curve secp256r1"),
    "X25519": (pem_of(x25519.X25519PrivateKey.generate()), "X25519"),
    "short RSA": (pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "1024 bits"),  # noqa: S505 - to be refused
    "private": (
        ED25519_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "This is a private key",
    ),
    "junk": ("hello", "cannot be read"),
    "half": (pem_of(ED25519_KEY)[:50] + "\n-----END PUBLIC KEY-----\n", "cannot be read"),
    "no text": ("\ud83d", "cannot be read"),
    "empty": ("", "public_key is required"),
}


@pytest.mark.parametrize("what", FOREIGN)
async def test_what_is_no_public_key_is_refused_in_words_and_not_repeated(exchange: Serving, what: str) -> None:
    pem, words = FOREIGN[what]
    content = b'{"name":"bot","public_key":"\\ud83d"}' if what == "no text" else None
    path = f"{PREFIX}/api_keys"
    if content is None:
        reply = await exchange.call("POST", "/api_keys", {"name": "bot", "public_key": pem})
    else:
        now = exchange.clock.machine_ms()
        sent = exchange.signers["alice"].headers("POST", path, now, host="127.0.0.1")
        reply = await exchange.client.post(path, headers=sent, content=content)
    assert reply.status_code == 400, reply.text
    if what != "no text":
        assert words in reply.json()["details"]
    if what == "private":
        assert pem.splitlines()[1][:20] not in reply.text
    assert len((await exchange.call("GET", "/api_keys")).json()["api_keys"]) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "name is required"),
        ({"name": "x" * 201}, "name is required"),
        ({"scopes": ["write"]}, "write needs read"),
        ({"scopes": ["read", "everything"]}, "'everything' is not one of read, write"),
        ({"subaccount": 3}, "subaccount 3 does not exist"),
        ({"public_key": None}, ""),
        ({"scopes": "read"}, ""),
    ],
)
async def test_a_request_that_cannot_be_is_refused(exchange: Serving, change: dict[str, Any], words: str) -> None:
    asked = {"name": "bot", "public_key": pem_of(ED25519_KEY)} | change
    reply = await exchange.call("POST", "/api_keys", asked)
    assert reply.status_code == 400
    assert words in reply.json()["details"]


async def test_a_key_may_do_what_its_scopes_say_and_is_listed_with_them(exchange: Serving) -> None:
    read = await register(exchange, ED25519_KEY, scopes=["read"])
    trade = await register(exchange, ED25519_KEY, scopes=["write::trade", "read::portfolio_balance"])
    listed = (await exchange.call("GET", "/api_keys")).json()["api_keys"]
    assert [each["scopes"] for each in listed] == [
        ["read", "write"],
        ["read"],
        ["write::trade", "read::portfolio_balance"],
    ]
    orders, moves = f"{PREFIX}/portfolio/events/orders", f"{PREFIX}/portfolio/intra_exchange_instance_transfer"
    held = f"{PREFIX}/portfolio/positions"
    found = {
        (name, method, path.removeprefix(PREFIX)): (await ask(exchange, key_id, ED25519_KEY, method, path)).status_code
        for name, key_id in (("read", read), ("trade", trade))
        for method, path in (("GET", BALANCE), ("GET", held), ("POST", orders), ("POST", moves))
    }
    allowed = {key for key, status in found.items() if status != 403}
    assert allowed == {
        ("read", "GET", "/portfolio/balance"),
        ("read", "GET", "/portfolio/positions"),
        ("trade", "GET", "/portfolio/balance"),
        ("trade", "POST", "/portfolio/events/orders"),
    }
    url = f"ws://127.0.0.1:{exchange.port}{WS_PATH}"
    with pytest.raises(InvalidStatus) as closed:
        await connect(url, additional_headers=signed(trade, ED25519_KEY, "GET", WS_PATH), proxy=None)
    assert closed.value.response.status_code == 403


def wrong_signatures(text: bytes) -> Iterator[tuple[str, bytes, str, str]]:
    """Yield the usual mistakes: whose key, the signature, and the words that have to name the mistake."""
    sha = hashes.SHA256()
    digest = hashes.Hash(sha)
    digest.update(text)
    hashed = digest.finalize()

    def pss(salt: Any, algorithm: hashes.HashAlgorithm = sha) -> padding.PSS:
        return padding.PSS(mgf=padding.MGF1(algorithm), salt_length=salt)

    longest = padding.PSS.MAX_LENGTH
    yield (
        "rsa",
        RSA_KEY.sign(text, pss(longest), sha),
        "its salt has 222 bytes: RSA-PSS needs a salt of 32",
        "long salt",
    )
    yield "rsa", RSA_KEY.sign(text, pss(0), sha), "its salt has 0 bytes", "no salt"
    yield "rsa", RSA_KEY.sign(text, padding.PKCS1v15(), sha), "its padding is PKCS#1 v1.5", "other padding"
    yield "rsa", RSA_KEY.sign(text, pss(64, hashes.SHA512()), hashes.SHA512()), "its hash is sha512", "other hash"
    yield "rsa", RSA_KEY.sign(hashed, pss(32), sha), "hashed twice", "hashed twice"
    yield "rsa", ED25519_KEY.sign(text), "64 bytes, as of Ed25519, but the key registered is RSA", "Ed25519 for RSA"
    yield "rsa", RSA_KEY.sign(b"else", pss(32), sha), "of another private key, or of another text", "another text"
    yield "ed25519", RSA_KEY.sign(text, pss(32), sha), "256 bytes, as of RSA, but the key registered is Ed25519", "RSA"
    yield "ed25519", ED25519_KEY.sign(hashed), "the SHA-256 of the text was signed: Ed25519 signs the text", "a hash"
    without = text.replace(PREFIX.encode(), b"")
    yield "ed25519", ED25519_KEY.sign(without), "the path was signed without /trade-api/v2", "a short path"
    yield "ed25519", ED25519_KEY.sign(text + b"?limit=5"), "the query was signed too: leave it out", "with the query"
    yield "ed25519", ED25519_KEY.sign(text.replace(b"GET", b"get")), "the method was signed in lower case", "get"
    yield "ed25519", ED25519_KEY.sign(b"else"), "of another private key, or of another text", "of something else"


async def test_a_signature_that_does_not_match_is_answered_with_its_likely_cause(exchange: Serving) -> None:
    key_ids = {kind: await register(exchange, key) for kind, key in KEYS.items()}
    timestamp = str(time.time_ns() // 1_000_000)
    for kind, signature, words, what in wrong_signatures(f"{timestamp}GET{BALANCE}".encode()):
        reply = await exchange.client.get(
            BALANCE, params={"limit": 5}, headers=headers(key_ids[kind], signature, timestamp)
        )
        error = reply.json()["error"]
        assert (reply.status_code, error["code"]) == (401, "INCORRECT_API_KEY_SIGNATURE"), what
        assert words in error["details"], what
    for stamp, words in (
        (time.time() - 31, "behind the exchange's clock"),
        (time.time() + 31, "ahead of the exchange"),
    ):
        late = str(int(stamp * 1000))
        good = headers(key_ids["ed25519"], ED25519_KEY.sign(f"{late}GET{BALANCE}".encode()), late)
        assert words in (await exchange.client.get(BALANCE, headers=good)).json()["error"]["details"]
    seconds = headers(key_ids["ed25519"], b"x", str(int(time.time())))
    assert "must be Unix milliseconds" in (await exchange.client.get(BALANCE, headers=seconds)).text
    url_safe = headers(key_ids["ed25519"], b"x", timestamp) | {"KALSHI-ACCESS-SIGNATURE": "-_" * 44}
    assert "not standard base64" in (await exchange.client.get(BALANCE, headers=url_safe)).text


@pytest.mark.parametrize(
    ("asked", "kind", "begins"),
    [
        ({}, "rsa", "-----BEGIN RSA PRIVATE KEY-----"),
        ({"key_type": "rsa"}, "rsa", "-----BEGIN RSA PRIVATE KEY-----"),
        ({"key_type": "ed25519", "scopes": ["read"]}, "ed25519", "-----BEGIN PRIVATE KEY-----"),
    ],
)
async def test_a_key_that_the_exchange_makes_signs_until_it_is_deleted(
    asked: dict[str, Any], kind: str, begins: str
) -> None:
    async with serving(tier="basic") as exchange:
        made = await exchange.call("POST", "/api_keys/generate", {"name": "made"} | asked)
        assert made.status_code == 201, made.text
        assert made.json()["key_type"] == kind
        key_id, pem = made.json()["api_key_id"], made.json()["private_key"]
        assert pem.startswith(begins)
        key = load_pem_private_key(pem.encode(), password=None)
        assert (await ask(exchange, key_id, key)).status_code == 200
        listed = (await exchange.call("GET", "/api_keys")).json()["api_keys"]
        assert {"api_key_id": key_id, "name": "made", "scopes": asked.get("scopes", ["read", "write"])} in listed
        assert pem.splitlines()[1] not in (await exchange.call("GET", "/api_keys")).text
        stranger = await exchange.call("DELETE", f"/api_keys/{key_id}", who="bob")
        assert stranger.status_code == 404
        assert (await exchange.call("DELETE", f"/api_keys/{key_id}")).status_code == 204
        gone = await ask(exchange, key_id, key)
        assert (gone.status_code, gone.json()["error"]["code"]) == (401, "NOT_FOUND")
        assert (await exchange.call("DELETE", f"/api_keys/{key_id}")).status_code == 404


@pytest.mark.parametrize(
    ("registered", "used", "words"),
    [
        ("ed25519", KeyType.RSA, "it has 256 bytes, as of RSA, but the key registered is Ed25519"),
        ("rsa", KeyType.ED25519, "it has 64 bytes, as of Ed25519, but the key registered is RSA"),
    ],
)
async def test_the_client_s_sentence_names_a_key_of_the_other_type(
    exchange: Serving, registered: str, used: KeyType, words: str
) -> None:
    key_id = await register(exchange, KEYS[registered])
    wrong = KalshiClient(practice_on_port(exchange.port), key_id=key_id, private_key=generate_key(kind=used))
    async with wrong:
        with pytest.raises(AuthenticationFailed) as raised:
            await wrong.balance()
    assert words in str(raised.value)
    assert "Check that key id and key file were created together" in str(raised.value)


def test_a_key_that_was_made_shows_in_no_repr() -> None:
    reply = wire.GenerateApiKeyReply(api_key_id="id", private_key="very secret")
    assert "secret" not in repr(reply)
    assert b"very secret" in wire.encode(reply)


async def test_what_cannot_be_generated_or_deleted_is_refused(exchange: Serving) -> None:
    for asked, words in (
        ({"name": ""}, "name is required"),
        ({"name": "bot", "key_type": "p256"}, "key_type must be rsa or ed25519"),
        ({"name": "bot", "scopes": ["write"]}, "write needs read"),
    ):
        reply = await exchange.call("POST", "/api_keys/generate", asked)
        assert reply.status_code == 400
        assert words in reply.json()["details"]
    first = await exchange.call("DELETE", "/api_keys/key-of-alice")
    assert first.status_code == 403
    assert "data folder stays" in first.json()["error"]["details"]


async def test_a_lower_tier_may_not_register_keys_as_at_the_exchange() -> None:
    async with serving(tier="basic") as basic:
        reply = await basic.call("POST", "/api_keys", {"name": "bot", "public_key": pem_of(ED25519_KEY)})
        assert reply.status_code == 403
        assert "--tier premier" in reply.json()["error"]["details"]


def test_the_attestation_is_kept_over_a_restart(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "practice.sqlite3")
    engine = engine_of(Clock())
    assert Attestation(engine, lambda: 1_000, database).expires_ms is None
    Attestation(engine, lambda: 1_000, database).expire_in(500)
    database.close()
    database = Database.open(tmp_path / "practice.sqlite3")
    again = Attestation(engine, lambda: 1_500, database)
    assert (again.expires_ms, again.has_lapsed) == (1_500, True)
    database.put(EXPIRY_KEY, "soon")
    with pytest.raises(DatabaseError, match="Start a new account with --fresh"):
        Attestation(engine, lambda: 1_500, database)
    database.close()
