"""The key file as ssh would take it, and a sentence for everything that is wrong with a key."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import (
    KeyType,
    Signer,
    generate_key,
    public_key_pem,
)
from kalshi_tui.runtime.credentials import (
    AskPassphrase,
    CredentialsError,
    KeySource,
    key_source_from_environment,
    open_key,
    read_key_file,
)

PEM = generate_key()
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PKCS1 = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
LOCKED = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024).private_bytes(  # noqa: S505 - too short on purpose
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
ED25519 = generate_key(kind=KeyType.ED25519)
LOCKED_ED25519 = generate_key(b"open sesame", KeyType.ED25519)
CURVE = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

X25519 = x25519.X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def answer(_: str) -> str:
    return "open sesame"


def opened(source: KeySource, ask: AskPassphrase | None = None) -> Signer:
    return open_key(source, practice_on_port(1), ask)


def kept(folder: Path, pem: bytes = PEM, mode: int = 0o600) -> Path:
    path = folder / "key.pem"
    path.write_bytes(pem)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("pem", "kind"),
    [
        (PEM, KeyType.RSA),
        (PKCS1, KeyType.RSA),
        (PEM.replace(b"\n", b"\r\n"), KeyType.RSA),
        (b"\xef\xbb\xbf" + PKCS1, KeyType.RSA),
        (ED25519, KeyType.ED25519),
        (ED25519.replace(b"\n", b"\r\n"), KeyType.ED25519),
        (b"\xef\xbb\xbf" + ED25519, KeyType.ED25519),
    ],
    ids=["pkcs8", "pkcs1", "crlf", "bom", "ed25519", "ed25519-crlf", "ed25519-bom"],
)
def test_every_form_of_key_opens(tmp_path: Path, pem: bytes, kind: KeyType) -> None:
    signer = opened(KeySource("id", kept(tmp_path, pem)))
    assert (signer.key_id, signer.key_type) == ("id", kind)


def test_an_ed25519_key_comes_by_every_way_that_an_rsa_key_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_open = {"KALSHI_API_KEY_ID": "id", "KALSHI_PRIVATE_KEY": ED25519.decode().replace("\n", "\\n")}
    locked = kept(tmp_path, LOCKED_ED25519)
    printing = (sys.executable, "-c", "import sys; print(sys.argv[1])")
    monkeypatch.setitem(sys.modules, "keyring", Ring("open sesame"))
    ways = [
        opened(key_source_from_environment(in_the_open, KeySource())),
        opened(
            key_source_from_environment({"KALSHI_KEY_ID": "id", "KALSHI_PRIVATE_KEY_PATH": str(locked)}, KeySource()),
            answer,
        ),
        opened(KeySource("id", locked, passphrase_command=(*printing, "open sesame"))),
        opened(KeySource("id", passphrase_command=(*printing, ED25519.decode()))),
        opened(KeySource("id", locked, keyring=True)),
    ]
    monkeypatch.setitem(sys.modules, "keyring", Ring(ED25519.decode()))
    ways.append(opened(KeySource("id", keyring=True)))
    assert {each.key_type for each in ways} == {KeyType.ED25519}
    with pytest.raises(CredentialsError, match="does not open the key file"):
        opened(KeySource("id", locked, passphrase_command=(*printing, "open barley")))


def test_half_an_encrypted_key_asks_for_no_passphrase(tmp_path: Path) -> None:
    lines = LOCKED_ED25519.splitlines(keepends=True)
    with pytest.raises(CredentialsError, match="The key file is damaged"):
        opened(KeySource("id", kept(tmp_path, b"".join(lines[:3] + lines[-1:]))), asked())


@pytest.mark.parametrize(
    ("pem", "sentence"),
    [
        (public_key_pem(PEM), "This is a public key"),
        (public_key_pem(ED25519), "This is a public key"),
        (CURVE, "a key of another kind (the elliptic curve secp256r1)"),
        (X25519, "X25519, which agrees on secrets and signs nothing"),
        (ED25519[:60] + b"\n-----END PRIVATE KEY-----\n", "is damaged"),
        (SHORT, "1024 bits, which is too short"),
        (b"hello", "This is not a private key"),
        (PEM[:400] + b"\n-----END PRIVATE KEY-----\n", "is damaged"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", "OpenSSH's own form"),
    ],
    ids=["public-rsa", "public-ed25519", "curve", "x25519", "half-ed25519", "short", "text", "half-rsa", "openssh"],
)
def test_each_wrong_key_has_a_sentence_of_its_own(tmp_path: Path, pem: bytes, sentence: str) -> None:
    with pytest.raises(CredentialsError) as refused:
        opened(KeySource("id", kept(tmp_path, pem)))
    assert sentence in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_key_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = kept(tmp_path, mode=mode)
    with pytest.raises(CredentialsError, match=r"can be read or changed by others") as refused:
        read_key_file(path)
    assert f"chmod 600 {path}" in str(refused.value)
    path.chmod(0o600)
    assert read_key_file(path) == PEM


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "link.pem"
    link.symlink_to(kept(tmp_path))
    with pytest.raises(CredentialsError, match="is a link, which is not followed"):
        read_key_file(link)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="is not a file"):
        read_key_file(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(CredentialsError, match="is not a file"):
        read_key_file(tmp_path / "pipe")
    with pytest.raises(CredentialsError, match="There is no key file"):
        read_key_file(tmp_path / "none.pem")
    with pytest.raises(CredentialsError, match="too large"):
        read_key_file(kept(tmp_path, b"x" * 100_000))


AS_NOBODY = """
import os, sys
from pathlib import Path
from kalshi_tui.runtime.credentials import CredentialsError, read_key_file
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for path in sys.argv[1:]:
    try:
        read_key_file(Path(path))
        print("read")
    except CredentialsError as error:
        print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_an_ordinary_user_s_key(tmp_path: Path) -> None:
    """Root may read everything; what is checked here is what an ordinary user meets."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent == Path("/tmp"):
            break
        parent.chmod(0o755)
    own, others, closed = (tmp_path / name for name in ("own.pem", "others.pem", "closed.pem"))
    for path in (own, others, closed):
        path.write_bytes(PEM)
        path.chmod(0o600)
    os.chown(own, 65534, 65534)
    others.chmod(0o644)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(AS_NOBODY), str(own), str(others), str(closed)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, second, third = done.stdout.splitlines()
    assert first == "read"
    assert "belongs to another user" in second
    assert "cannot be read by you" in third


def asked(*answers: str) -> Callable[[str], str]:
    left = list(answers)

    def ask(prompt: str) -> str:
        assert "Passphrase of" in prompt
        if not left:
            raise EOFError
        return left.pop(0)

    return ask


def test_a_passphrase_is_asked_for_three_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = KeySource("id", kept(tmp_path, LOCKED))
    assert opened(source, asked("wrong", "open sesame")).key_id == "id"
    with pytest.raises(CredentialsError, match="does not open the key file") as refused:
        opened(source, asked("wrong", "tiny", "sesame", "open sesame"))
    with pytest.raises(CredentialsError, match="nobody can be asked"):
        opened(source)
    with pytest.raises(CredentialsError, match="nobody can be asked"):
        opened(source, asked())
    said = capsys.readouterr()
    assert "sesame" not in said.out + said.err + str(refused.value)


def test_a_command_prints_the_passphrase_and_no_shell_reads_it(tmp_path: Path) -> None:
    path = kept(tmp_path, LOCKED)
    printing = (sys.executable, "-c", "import sys; print(sys.argv[1])")
    assert opened(KeySource("id", path, passphrase_command=(*printing, "open sesame"))).key_id == "id"
    trap = tmp_path / "trap"
    with pytest.raises(CredentialsError, match="does not open"):
        opened(KeySource("id", path, passphrase_command=(*printing, f"x; touch {trap} `touch {trap}`")))
    assert not trap.exists()
    # Without a file it prints the key itself.
    whole = (sys.executable, "-c", "import sys; sys.stdout.write(sys.argv[1])", PEM.decode())
    assert opened(KeySource("id", passphrase_command=whole)).key_id == "id"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("no-such-program",), "is not there; check passphrase_command"),
        ((sys.executable, "-c", "import sys; sys.stderr.write('hush'); sys.exit(3)"), "failed (code 3)"),
        ((sys.executable, "-c", ""), "printed nothing"),
    ],
)
def test_a_command_that_fails_is_a_sentence(tmp_path: Path, command: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CredentialsError) as refused:
        opened(KeySource("id", kept(tmp_path, LOCKED), passphrase_command=command))
    assert sentence in str(refused.value)
    assert "hush" not in str(refused.value)


class Ring:
    """A keyring as the extra would have it."""

    def __init__(self, found: str | None) -> None:
        self._found = found

    def get_password(self, service: str, name: str) -> str | None:
        assert (service, name) == ("kalshi-tui", "id")
        return self._found


def test_the_keyring_has_the_passphrase_or_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = KeySource("id", kept(tmp_path, LOCKED), keyring=True)
    monkeypatch.setitem(sys.modules, "keyring", Ring("open sesame"))
    assert opened(source).key_id == "id"
    monkeypatch.setitem(sys.modules, "keyring", Ring(PEM.decode()))
    assert opened(KeySource("id", keyring=True)).key_id == "id"
    monkeypatch.setitem(sys.modules, "keyring", Ring(None))
    with pytest.raises(CredentialsError, match="keyring set kalshi-tui id"):
        opened(source)
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(CredentialsError, match=r"pip install 'kalshi-tui\[keyring\]'"):
        opened(source)


def test_the_usual_variables_are_understood(tmp_path: Path) -> None:
    path = kept(tmp_path)
    profile = KeySource("mine", Path("/mine.pem"))
    assert key_source_from_environment({}, profile) is profile
    for name in ("KALSHI_API_KEY_ID", "KALSHI_KEY_ID"):
        found = key_source_from_environment({name: "id", "KALSHI_PRIVATE_KEY_PATH": str(path)}, profile)
        assert (found.key_id, found.path) == ("id", path)
        assert opened(found).key_id == "id"
    text = PEM.decode().replace("\n", "\\n")
    assert (
        opened(key_source_from_environment({"KALSHI_KEY_ID": "id", "KALSHI_PRIVATE_KEY": text}, profile)).key_id == "id"
    )


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"KALSHI_API_KEY_ID": "id"}, "KALSHI_API_KEY_ID is set, but KALSHI_PRIVATE_KEY_PATH is not"),
        ({"KALSHI_PRIVATE_KEY_PATH": "k"}, "KALSHI_PRIVATE_KEY_PATH is set, but KALSHI_API_KEY_ID is not"),
        ({"KALSHI_PRIVATE_KEY": "k"}, "KALSHI_PRIVATE_KEY is set, but KALSHI_API_KEY_ID is not"),
        (
            {"KALSHI_API_KEY_ID": "id", "KALSHI_PRIVATE_KEY_PATH": "k", "KALSHI_PRIVATE_KEY": "k"},
            "are both set; unset one of them",
        ),
    ],
)
def test_half_a_key_is_never_joined_with_another_half(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(CredentialsError) as refused:
        key_source_from_environment(environ, KeySource("mine", Path("/mine.pem")))
    assert sentence in str(refused.value)


def test_nothing_at_all_is_said() -> None:
    with pytest.raises(CredentialsError, match="There is no API key: set KALSHI_API_KEY_ID"):
        opened(KeySource())
    with pytest.raises(CredentialsError, match="There is no private key"):
        opened(KeySource("id"))
    with pytest.raises(CredentialsError, match="characters that no key id has"):
        opened(KeySource("a\x1b[31m", pem=PEM))


def test_a_source_never_shows_its_key() -> None:
    assert "PRIVATE" not in repr(KeySource("id", pem=PEM))
