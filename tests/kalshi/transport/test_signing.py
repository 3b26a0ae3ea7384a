import base64
import copy
import pickle
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings, strategies as st

from kalshi_tui.kalshi.environments import DEMO, PRODUCTION, Environment, practice_on_port
from kalshi_tui.kalshi.errors import WrongHost
from kalshi_tui.kalshi.transport.signing import (
    KEY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    KeyFileError,
    KeyType,
    PassphraseError,
    Signer,
    generate_key,
    key_type,
    key_words,
    load_private_key,
    load_public_key,
    public_key_pem,
    verify_signature,
)
from tests.support.book_handler import KEY_ID
from tests.support.budget import examples

PATH = "/trade-api/v2/portfolio/events/orders"
NOW = 1_786_085_188_416
HERE = "127.0.0.1"


@pytest.fixture(scope="module", params=KeyType)
def pem(request: pytest.FixtureRequest) -> bytes:
    return generate_key(kind=request.param)


@pytest.fixture(scope="module")
def signer(pem: bytes) -> Signer:
    return Signer.from_pem(KEY_ID, pem, environment=practice_on_port(1))


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pkcs1(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def pkcs8(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


VECTOR = Path(__file__).with_name("openssl_vector")


def test_a_signature_made_by_openssl_is_verified_and_no_other() -> None:
    public = load_public_key((VECTOR / "public.pem").read_bytes())
    signature = (VECTOR / "signature.b64").read_text(encoding="ascii").strip()

    assert verify_signature(public, signature, "1786085188416", "POST", PATH)
    assert not verify_signature(public, signature, "1786085188417", "POST", PATH)
    assert not verify_signature(public, signature, "1786085188416", "GET", PATH)
    assert not verify_signature(public, signature, "1786085188416", "POST", PATH + "/batched")
    flipped = base64.b64encode(bytes([base64.b64decode(signature)[0] ^ 1]) + base64.b64decode(signature)[1:])
    assert not verify_signature(public, flipped.decode(), "1786085188416", "POST", PATH)


def test_openssl_verifies_what_the_signer_signs(signer: Signer, pem: bytes, tmp_path: Path) -> None:
    headers = signer.headers("GET", "/trade-api/ws/v2", NOW, host=HERE)
    (tmp_path / "public.pem").write_bytes(public_key_pem(pem))
    (tmp_path / "signature").write_bytes(base64.b64decode(headers[SIGNATURE_HEADER]))
    (tmp_path / "text").write_bytes(f"{NOW}GET/trade-api/ws/v2".encode())
    rsa_command = [
        "openssl", "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32",
        "-sigopt", "rsa_mgf1_md:sha256", "-verify", "public.pem", "-signature", "signature", "text",
    ]  # fmt: skip
    ed25519_command = [
        "openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "public.pem", "-sigfile", "signature",
        "-in", "text",
    ]  # fmt: skip
    command = ed25519_command if signer.key_type is KeyType.ED25519 else rsa_command
    try:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no openssl command here")
    assert done.stdout.strip() in {"Verified OK", "Signature Verified Successfully"}


def test_the_headers_hold_key_id_time_and_a_pss_signature_of_the_three_parts(key: rsa.RSAPrivateKey) -> None:
    headers = Signer(KEY_ID, key, environment=practice_on_port(1)).headers("delete", PATH, NOW, host=HERE)

    assert headers[KEY_HEADER] == KEY_ID
    assert headers[TIMESTAMP_HEADER] == str(NOW)
    key.public_key().verify(
        base64.b64decode(headers[SIGNATURE_HEADER]),
        f"{NOW}DELETE{PATH}".encode(),
        padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32),
        hashes.SHA256(),
    )


RFC_SEED = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
RFC_PUBLIC = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
"""The key of RFC 8032, section 7.1, test 3."""
RFC_KEY_SIGNED = "uExlktIWjWaERHwqupmqpEsDpaw9/i5T/NZJGY8UHN5VNWGcET8J+Cv79zJje/GkwlgDzbfCAbYuncrC855dBA=="
"""What ``openssl pkeyutl -sign -rawin`` made with it of "1786085188416POST" and `PATH`."""


def test_an_ed25519_key_signs_the_text_itself_as_rfc_8032_says() -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(RFC_SEED)
    signer = Signer(KEY_ID, key, environment=practice_on_port(1))
    headers = signer.headers("post", PATH, NOW, host=HERE)
    assert headers == {KEY_HEADER: KEY_ID, TIMESTAMP_HEADER: str(NOW), SIGNATURE_HEADER: RFC_KEY_SIGNED}
    public = ed25519.Ed25519PublicKey.from_public_bytes(RFC_PUBLIC)
    public.verify(base64.b64decode(headers[SIGNATURE_HEADER]), f"{NOW}POST{PATH}".encode())
    assert len(headers[SIGNATURE_HEADER]) == 88

    assert verify_signature(public, RFC_KEY_SIGNED, str(NOW), "POST", PATH)
    assert not verify_signature(public, RFC_KEY_SIGNED, str(NOW + 1), "POST", PATH)
    assert not verify_signature(public, RFC_KEY_SIGNED, str(NOW), "GET", PATH)
    hashed = hashes.Hash(hashes.SHA256())
    hashed.update(f"{NOW}POST{PATH}".encode())
    of_the_hash = base64.b64encode(key.sign(hashed.finalize())).decode()
    assert not verify_signature(public, of_the_hash, str(NOW), "POST", PATH)


def test_the_registered_key_says_which_algorithm_counts(key: rsa.RSAPrivateKey) -> None:
    other = ed25519.Ed25519PrivateKey.generate()
    for mine, another in ((key, other), (other, key)):
        signature = Signer(KEY_ID, mine, environment=practice_on_port(1)).headers("GET", PATH, NOW, host=HERE)[
            SIGNATURE_HEADER
        ]
        assert verify_signature(mine.public_key(), signature, str(NOW), "GET", PATH)
        assert not verify_signature(another.public_key(), signature, str(NOW), "GET", PATH)


def test_two_rsa_signatures_of_the_same_differ_and_both_hold(key: rsa.RSAPrivateKey) -> None:
    signer = Signer(KEY_ID, key, environment=practice_on_port(1))
    first, second = (signer.headers("GET", PATH, NOW, host=HERE)[SIGNATURE_HEADER] for _ in range(2))
    assert first != second
    assert verify_signature(signer.public_key(), first, str(NOW), "GET", PATH)
    assert verify_signature(signer.public_key(), second, str(NOW), "GET", PATH)


@pytest.mark.parametrize("path", ["/v2/markets", "trade-api/v2", "https://x/trade-api/v2", f"{PATH}?a=1", f"{PATH}#a"])
def test_only_plain_paths_of_the_trade_api_are_signed(signer: Signer, path: str) -> None:
    with pytest.raises(ValueError, match="sign"):
        signer.headers("GET", path, NOW, host=HERE)


OWN = {
    PRODUCTION: {"external-api.kalshi.com", "external-api-ws.kalshi.com"},
    DEMO: {"external-api.demo.kalshi.co", "external-api-ws.demo.kalshi.co"},
    practice_on_port(1): {HERE},
}


@pytest.mark.parametrize("environment", OWN, ids=lambda environment: environment.name)
def test_a_key_signs_for_the_hosts_of_its_own_environment_and_for_no_other(
    environment: Environment, key: rsa.RSAPrivateKey
) -> None:
    signer = Signer(KEY_ID, key, environment=environment)
    own = OWN[environment]
    for host in own:
        assert signer.headers("GET", PATH, NOW, host=host)[KEY_HEADER] == KEY_ID
    others = set().union(*OWN.values()) - own
    looks_like_it = {f"{host}{end}" for host in own for end in (".", ".example.com", ":443", "\x00")}
    for host in {*others, *looks_like_it, *(f"x.{host}" for host in own), "", "*", "localhost", "127.0.0.2", "::1"}:
        with pytest.raises(WrongHost, match="was stopped: the key is for") as caught:
            signer.headers("GET", PATH, NOW, host=host)
        assert str(caught.value).isprintable()


MANGLED = [
    lambda pem: pem,
    lambda pem: pem.replace(b"\n", b"\r\n"),
    lambda pem: pem.replace(b"\n", b"\r"),
    lambda pem: b"\xef\xbb\xbf" + pem,
    lambda pem: b"\n\n  " + pem.replace(b"\n", b"  \n  ") + b"\n\n",
    lambda pem: pem.rstrip(b"\n"),
]
"""What editors and copying do to a file."""


@pytest.mark.parametrize("form", [pkcs1, pkcs8])
@pytest.mark.parametrize("mangle", MANGLED)
def test_keys_are_read_in_both_forms_whatever_an_editor_did(
    key: rsa.RSAPrivateKey, form: object, mangle: object
) -> None:
    signer = Signer.from_pem(KEY_ID, mangle(form(key)), environment=practice_on_port(1))  # type: ignore[operator]  # parametrized callables
    signature = signer.headers("GET", PATH, NOW, host=HERE)[SIGNATURE_HEADER]
    assert verify_signature(key.public_key(), signature, str(NOW), "GET", PATH)


@pytest.mark.parametrize("mangle", MANGLED)
def test_an_ed25519_key_is_read_whatever_an_editor_did(mangle: object) -> None:
    pem = generate_key(kind=KeyType.ED25519)
    signer = Signer.from_pem(KEY_ID, mangle(pem), environment=practice_on_port(1))  # type: ignore[operator]  # parametrized callables
    assert (signer.key_type, signer.key_words) == (KeyType.ED25519, "an Ed25519 key")
    signature = signer.headers("GET", PATH, NOW, host=HERE)[SIGNATURE_HEADER]
    assert verify_signature(load_public_key(public_key_pem(pem)), signature, str(NOW), "GET", PATH)


def test_both_types_say_begin_private_key_and_the_parsed_key_says_which(key: rsa.RSAPrivateKey) -> None:
    first_lines = {pem.splitlines()[0] for pem in (pkcs8(key), generate_key(kind=KeyType.ED25519))}
    assert first_lines == {b"-----BEGIN PRIVATE KEY-----"}
    signer = Signer.from_pem(KEY_ID, pkcs8(key), environment=practice_on_port(1))
    assert (signer.key_type, signer.key_words) == (KeyType.RSA, "an RSA key of 2048 bits")


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_encrypted_keys_need_their_passphrase(key: rsa.RSAPrivateKey, form: PrivateFormat, ends: bytes) -> None:
    pem = key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"open sesame")).replace(b"\n", ends)

    assert key_words(load_private_key(pem, b"open sesame")) == "an RSA key of 2048 bits"
    with pytest.raises(PassphraseError, match="needs its passphrase"):
        load_private_key(pem)
    with pytest.raises(PassphraseError, match="does not open"):
        load_private_key(pem, b"open barley")


@pytest.mark.parametrize("kind", KeyType)
def test_an_encrypted_key_of_which_a_part_is_missing_is_damaged_and_no_passphrase_is_to_blame(kind: KeyType) -> None:
    pem = generate_key(b"open sesame", kind)
    assert key_type(load_private_key(pem, b"open sesame")) is kind
    with pytest.raises(PassphraseError, match="needs its passphrase"):
        load_private_key(pem)
    with pytest.raises(PassphraseError, match="does not open"):
        load_private_key(pem, b"open barley")
    lines = pem.splitlines(keepends=True)
    for half in (b"".join(lines[:3] + lines[-1:]), b"".join(lines[:-1])):
        with pytest.raises(KeyFileError, match="is damaged") as refused:
            load_private_key(half, b"open sesame")
        assert not isinstance(refused.value, PassphraseError)


def test_a_passphrase_that_is_not_needed_does_no_harm(key: rsa.RSAPrivateKey) -> None:
    for pem, kind in ((pkcs8(key), KeyType.RSA), (generate_key(kind=KeyType.ED25519), KeyType.ED25519)):
        assert key_type(load_private_key(pem, b"anything")) is kind


def test_each_wrong_key_file_gets_its_own_sentence(key: rsa.RSAPrivateKey) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
    ed25519_pem = generate_key(kind=KeyType.ED25519)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    cases = {
        "is not a private key": b"hello",
        "is a public key": public,
        "has 1024 bits": pkcs1(short),
        "OpenSSH": key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        "is damaged": pkcs1(key)[:400] + b"\n-----END RSA PRIVATE KEY-----\n",
    }
    for words, pem in cases.items():
        with pytest.raises(KeyFileError, match=words) as caught:
            load_private_key(pem)
        assert str(caught.value).endswith(".")
        assert caught.value.__cause__ is None
    with pytest.raises(KeyFileError, match="not a private key"):
        load_private_key(b"")
    for half in (ed25519_pem[:60] + b"\n-----END PRIVATE KEY-----\n", ed25519_pem[:60], ed25519_pem[30:]):
        with pytest.raises(KeyFileError, match="is damaged"):
            load_private_key(half)
    for pem in (public_key_pem(ed25519_pem), ed25519_pem.replace(b"PRIVATE", b"PUBLIC")):
        with pytest.raises(KeyFileError, match="is a public key"):
            load_private_key(pem)


FOREIGN: dict[str, Any] = {
    "elliptic curve secp256r1": ec.generate_private_key(ec.SECP256R1()),
    "elliptic curve secp256k1": ec.generate_private_key(ec.SECP256K1()),
    "X25519, which agrees on secrets": x25519.X25519PrivateKey.generate(),
    "X448, which agrees on secrets": x448.X448PrivateKey.generate(),
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "DSA": dsa.generate_private_key(2048),
}


@pytest.mark.parametrize("words", FOREIGN)
def test_a_key_of_another_kind_is_named_and_refused_private_or_public(words: str) -> None:
    key = FOREIGN[words]
    for passphrase in (None, b"open sesame"):
        encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        with pytest.raises(KeyFileError, match=words) as refused:
            load_private_key(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption), passphrase)
        assert "Kalshi's API keys are Ed25519 or RSA private keys." in str(refused.value)
    with pytest.raises(KeyFileError, match=words) as refused:
        load_public_key(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert str(refused.value).endswith("it must be an Ed25519 or RSA key.")


def test_a_public_key_is_never_taken_from_a_private_one_or_a_short_one() -> None:
    with pytest.raises(KeyFileError, match="This is a private key"):
        load_public_key(generate_key(kind=KeyType.ED25519))
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
    with pytest.raises(KeyFileError, match="has 1024 bits"):
        load_public_key(short.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for pem in (b"hello", b"", b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2Vw\n-----END PUBLIC KEY-----\n"):
        with pytest.raises(KeyFileError, match="cannot be read"):
            load_public_key(pem)


def test_a_signer_shows_nothing_and_cannot_be_copied(signer: Signer, pem: bytes) -> None:
    assert repr(signer) == f"Signer(key_id='{KEY_ID}')"
    assert str(signer) == repr(signer)
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="private key"):
            attempt(signer)
    assert pem.splitlines()[1].decode() not in f"{signer!r}{vars(type(signer))}"


@pytest.mark.parametrize("kind", KeyType)
def test_a_generated_key_is_a_pkcs8_key_with_its_public_half(kind: KeyType) -> None:
    pem = generate_key(b"passphrase", kind)
    assert b"ENCRYPTED" in pem
    assert key_type(load_private_key(pem, b"passphrase")) is kind
    plain = generate_key(kind=kind)
    public = load_public_key(public_key_pem(plain))
    assert public == load_private_key(plain).public_key()
    assert key_words(public) == {"rsa": "an RSA key of 2048 bits", "ed25519": "an Ed25519 key"}[kind]


@settings(max_examples=examples(50), deadline=None)
@given(signature=st.text(max_size=400), timestamp=st.text(max_size=20), path=st.text(max_size=50))
def test_verify_never_raises_for_what_was_sent(signer: Signer, signature: str, timestamp: str, path: str) -> None:
    assert not verify_signature(signer.public_key(), signature, timestamp, "GET", path)
    assert not verify_signature(signer.public_key(), signature, timestamp, "GET", "/trade-api/" + path)
