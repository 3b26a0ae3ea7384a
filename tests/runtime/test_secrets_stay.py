"""The key and the signatures in this process: in no object's description, in no pickle, not in the journal's memory."""

import base64
import gc
import pickle
from collections.abc import Iterator
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from rich.pretty import pretty_repr

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, OrderTerms, TimeInForce
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.feed.stream_group import StreamGroup
from kalshi_tui.kalshi.practice_control import PracticeControl
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.http import SigningAuth
from kalshi_tui.kalshi.transport.signing import (
    KeyFileError,
    KeyType,
    Signer,
    generate_key,
    load_private_key,
    public_key_pem,
)
from kalshi_tui.runtime.compose import build_session, practice_access
from kalshi_tui.runtime.launch import PracticeReady
from kalshi_tui.session.session import Session
from tests.support import session_rig
from tests.support.canary import forms_of_key, forms_of_signatures, holds
from tests.support.session_rig import Rig, Trouble

PEM = generate_key()
SHORT_PEM = generate_key(kind=KeyType.ED25519)
PASSPHRASE = b"canary of a passphrase"
TOKEN = "canary-token-canary-token"


def ours(start: object) -> Iterator[object]:
    """Return every object of our own classes that can be reached from one, whatever holds it."""
    seen = {id(start)}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        if type(here).__module__.startswith("kalshi_tui"):
            yield here
        for each in gc.get_referents(here):
            if id(each) not in seen and not isinstance(
                each, type | ModuleType | FunctionType | BuiltinFunctionType | MethodType
            ):
                seen.add(id(each))
                waiting.append(each)
            elif isinstance(each, MethodType) and id(each.__self__) not in seen:
                seen.add(id(each.__self__))
                waiting.append(each.__self__)


def pickled(each: object) -> bytes:
    try:
        return pickle.dumps(each)
    except Exception as error:  # noqa: BLE001 - most refuse; what they say must be harmless too
        return str(error).encode()


@pytest.fixture(params=[PEM, SHORT_PEM], ids=["rsa", "ed25519"])
def pem(request: pytest.FixtureRequest) -> bytes:
    return bytes(request.param)


@pytest.fixture
async def session(tmp_path: Path, pem: bytes) -> Any:
    key, token = tmp_path / "key.pem", tmp_path / "token"
    key.write_bytes(pem)
    token.write_text(TOKEN)
    address = "127.0.0.1:1/trade-api"
    made = build_session(
        practice_access(PracticeReady(f"http://{address}/v2", f"ws://{address}/ws/v2", "key-id", key, 1, token))
    )
    yield made
    await made.stop()


async def test_no_object_that_holds_the_key_shows_it(session: Session, pem: bytes) -> None:
    forms = forms_of_key(pem) | {TOKEN.encode()}
    met = set()
    for each in ours(session):
        met.add(type(each))
        for text in (repr(each), str(each), f"{each}", pretty_repr(each)):
            assert not holds(text.encode(errors="replace"), forms), type(each)
        assert not holds(pickled(each), forms), type(each)
    assert {Session, Signer, SigningAuth, RestClient, StreamGroup, Stream, PracticeControl} <= met


def test_what_is_looked_for_would_be_found() -> None:
    key = load_private_key(PEM)
    assert isinstance(key, RSAPrivateKey)
    forms = forms_of_key(PEM)
    numbers = key.private_numbers()
    for leak in (PEM, repr(PEM).encode(), str(numbers.d).encode(), f"{numbers.q:x}".encode(), PEM[300:400]):
        assert holds(leak, forms)
    short = load_private_key(SHORT_PEM)
    assert isinstance(short, Ed25519PrivateKey)
    seed, forms = short.private_bytes_raw(), forms_of_key(SHORT_PEM)
    for leak in (SHORT_PEM, SHORT_PEM[50:90], seed, seed.hex().encode(), base64.b64encode(seed), repr(seed).encode()):
        assert holds(leak, forms)
    assert not holds(public_key_pem(SHORT_PEM), forms)
    for each in (key, short):
        signer = Signer(" ", each, environment=practice_on_port(1))
        signature = signer.headers("GET", "/trade-api/v2/markets", 1, host="127.0.0.1")["KALSHI-ACCESS-SIGNATURE"]
        assert holds(f"sent {signature}".encode(), forms_of_signatures([signature]))


@pytest.mark.parametrize("kind", KeyType)
@pytest.mark.parametrize("case", ["wrong passphrase", "no passphrase", "damaged", "no key at all"])
def test_why_a_key_file_is_refused_tells_nothing_of_it(case: str, kind: KeyType) -> None:
    plain = generate_key(kind=kind)
    locked = generate_key(PASSPHRASE, kind)
    pem, passphrase = {
        "wrong passphrase": (locked, b"canary of another one"),
        "no passphrase": (locked, None),
        "damaged": (plain.replace(plain[60:70], b"##########"), PASSPHRASE),
        "no key at all": (plain.replace(b"PRIVATE KEY", b"PUBLIC KEY"), PASSPHRASE),
    }[case]
    with pytest.raises(KeyFileError) as raised:
        Signer.from_pem("key-id", pem, passphrase, environment=practice_on_port(1))
    error: BaseException | None = raised.value
    while error is not None and not error.__suppress_context__:
        assert not holds(repr(error).encode(), forms_of_pem(pem) | {b"canary"})
        error = error.__cause__ or error.__context__
    assert not holds(repr(raised.value).encode(), forms_of_pem(pem) | {b"canary"})


def forms_of_pem(pem: bytes) -> set[bytes]:
    return {line[:20] for line in pem.splitlines()[1:-1] if len(line) >= 20}


async def test_the_journal_s_memory_holds_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signatures: list[str] = []
    make = Signer.headers

    def noted(self: Signer, method: str, path: str, now_ms: int, *, host: str) -> dict[str, str]:
        made = make(self, method, path, now_ms, host=host)
        signatures.append(made["KALSHI-ACCESS-SIGNATURE"])
        return made

    monkeypatch.setattr(Signer, "headers", noted)
    world = Rig(tmp_path)
    await world.start()
    await world.pass_time(1)
    for trouble in (Trouble.NONE, Trouble.REPLY_LOST, Trouble.LOST):
        terms = OrderTerms(world.ticker, Side.YES, Action.BUY, 4_000, 1_000, TimeInForce.GTC)
        world.submit(terms, trouble)
        await world.pass_time(1)
        world.deliver("all")
    await world.heal()
    database = world.journal._connection
    assert database.execute("SELECT count(*) FROM intents").fetchone()[0] == 3
    forms = forms_of_key(session_rig.PEM) | forms_of_signatures(signatures)
    assert len(signatures) > 5
    assert not holds(database.serialize(), forms)
    await world.close()
