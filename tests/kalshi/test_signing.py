import base64
import copy
import pickle
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings, strategies as st

from kalshi_tui.kalshi.environments import DEMO, PRODUCTION, Environment, practice
from kalshi_tui.kalshi.errors import WrongHost
from kalshi_tui.kalshi.signing import (
    KEY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    KeyFileError,
    PassphraseError,
    Signer,
    generate_key,
    load_private_key,
    load_public_key,
    public_pem,
    verify,
)

from .conftest import KEY_ID

PATH = "/trade-api/v2/portfolio/events/orders"
NOW = 1_786_085_188_416
HERE = "127.0.0.1"


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

    assert verify(public, signature, "1786085188416", "POST", PATH)
    assert not verify(public, signature, "1786085188417", "POST", PATH)
    assert not verify(public, signature, "1786085188416", "GET", PATH)
    assert not verify(public, signature, "1786085188416", "POST", PATH + "/batched")
    flipped = base64.b64encode(bytes([base64.b64decode(signature)[0] ^ 1]) + base64.b64decode(signature)[1:])
    assert not verify(public, flipped.decode(), "1786085188416", "POST", PATH)


def test_openssl_verifies_what_the_signer_signs(signer: Signer, pem: bytes, tmp_path: Path) -> None:
    headers = signer.headers("GET", "/trade-api/ws/v2", NOW, host=HERE)
    (tmp_path / "public.pem").write_bytes(public_pem(pem))
    (tmp_path / "signature").write_bytes(base64.b64decode(headers[SIGNATURE_HEADER]))
    (tmp_path / "text").write_bytes(f"{NOW}GET/trade-api/ws/v2".encode())
    command = [
        "openssl", "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32",
        "-sigopt", "rsa_mgf1_md:sha256", "-verify", "public.pem", "-signature", "signature", "text",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no openssl command here")
    assert done.stdout.strip() == "Verified OK"


def test_the_headers_hold_key_id_time_and_a_pss_signature_of_the_three_parts(key: rsa.RSAPrivateKey) -> None:
    headers = Signer(KEY_ID, key, environment=practice(1)).headers("delete", PATH, NOW, host=HERE)

    assert headers[KEY_HEADER] == KEY_ID
    assert headers[TIMESTAMP_HEADER] == str(NOW)
    key.public_key().verify(
        base64.b64decode(headers[SIGNATURE_HEADER]),
        f"{NOW}DELETE{PATH}".encode(),
        padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32),
        hashes.SHA256(),
    )


def test_two_signatures_of_the_same_differ_and_both_hold(signer: Signer) -> None:
    first, second = (signer.headers("GET", PATH, NOW, host=HERE)[SIGNATURE_HEADER] for _ in range(2))
    assert first != second
    assert verify(signer.public_key(), first, str(NOW), "GET", PATH)
    assert verify(signer.public_key(), second, str(NOW), "GET", PATH)


@pytest.mark.parametrize("path", ["/v2/markets", "trade-api/v2", "https://x/trade-api/v2", f"{PATH}?a=1", f"{PATH}#a"])
def test_only_plain_paths_of_the_trade_api_are_signed(signer: Signer, path: str) -> None:
    with pytest.raises(ValueError, match="sign"):
        signer.headers("GET", path, NOW, host=HERE)


OWN = {
    PRODUCTION: {"external-api.kalshi.com", "external-api-ws.kalshi.com"},
    DEMO: {"external-api.demo.kalshi.co", "external-api-ws.demo.kalshi.co"},
    practice(1): {HERE},
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


@pytest.mark.parametrize("form", [pkcs1, pkcs8])
@pytest.mark.parametrize(
    "mangle",
    [
        lambda pem: pem,
        lambda pem: pem.replace(b"\n", b"\r\n"),
        lambda pem: pem.replace(b"\n", b"\r"),
        lambda pem: b"\xef\xbb\xbf" + pem,
        lambda pem: b"\n\n  " + pem.replace(b"\n", b"  \n  ") + b"\n\n",
        lambda pem: pem.rstrip(b"\n"),
    ],
)
def test_keys_are_read_in_both_forms_whatever_an_editor_did(
    key: rsa.RSAPrivateKey, form: object, mangle: object
) -> None:
    signer = Signer.from_pem(KEY_ID, mangle(form(key)), environment=practice(1))  # type: ignore[operator]  # parametrized callables
    signature = signer.headers("GET", PATH, NOW, host=HERE)[SIGNATURE_HEADER]
    assert verify(key.public_key(), signature, str(NOW), "GET", PATH)


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_encrypted_keys_need_their_passphrase(key: rsa.RSAPrivateKey, form: PrivateFormat, ends: bytes) -> None:
    pem = key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"open sesame")).replace(b"\n", ends)

    assert load_private_key(pem, b"open sesame").key_size == 2048
    with pytest.raises(PassphraseError, match="needs its passphrase"):
        load_private_key(pem)
    with pytest.raises(PassphraseError, match="does not open"):
        load_private_key(pem, b"open barley")


def test_a_passphrase_that_is_not_needed_does_no_harm(key: rsa.RSAPrivateKey) -> None:
    assert load_private_key(pkcs8(key), b"anything").key_size == 2048


def test_each_wrong_key_file_gets_its_own_sentence(key: rsa.RSAPrivateKey) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
    curve = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    cases = {
        "is not a private key": b"hello",
        "is a public key": public,
        "of another kind": curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
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


def test_a_signer_shows_nothing_and_cannot_be_copied(signer: Signer, pem: bytes) -> None:
    assert repr(signer) == f"Signer(key_id='{KEY_ID}')"
    assert str(signer) == repr(signer)
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="private key"):
            attempt(signer)
    assert pem.splitlines()[1].decode() not in f"{signer!r}{vars(type(signer))}"


def test_a_generated_key_is_a_2048_bit_pkcs8_key_with_its_public_half() -> None:
    pem = generate_key(b"passphrase")
    assert b"ENCRYPTED" in pem
    assert load_private_key(pem, b"passphrase").key_size == 2048
    plain = generate_key()
    assert load_public_key(public_pem(plain)).public_numbers() == load_private_key(plain).public_key().public_numbers()


@settings(max_examples=50, deadline=None)
@given(signature=st.text(max_size=400), timestamp=st.text(max_size=20), path=st.text(max_size=50))
def test_verify_never_raises_for_what_was_sent(signer: Signer, signature: str, timestamp: str, path: str) -> None:
    assert not verify(signer.public_key(), signature, timestamp, "GET", path)
    assert not verify(signer.public_key(), signature, timestamp, "GET", "/trade-api/" + path)
