"""The log file: what never stands in it, whoever logs it and however; what becomes of a defect."""

import asyncio
import base64
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import (
    KeyType,
    Signer,
    generate_key,
    load_private_key,
)
from kalshi_tui.runtime import logs
from kalshi_tui.runtime.credentials import signer_of
from tests.support.terminal import ROOT, environment_of

PASSPHRASE = "canary p\u00e4ss \"phrase\" \\ 'of' 1"
PEMS = {kind: generate_key(kind=kind) for kind in KeyType}
PEM = PEMS[KeyType.RSA]
SIGNATURES = {
    kind: Signer.from_pem("canary-key-id", pem, environment=practice_on_port(1)).headers(
        "GET", "/trade-api/v2/markets", 1, host="127.0.0.1"
    )["KALSHI-ACCESS-SIGNATURE"]
    for kind, pem in PEMS.items()
}
SIGNATURE = SIGNATURES[KeyType.RSA]
HEADERS = {"KALSHI-ACCESS-KEY": "canary-key-id", "KALSHI-ACCESS-SIGNATURE": SIGNATURE}


class Log:
    """A log file of a test's own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handler = logs.LogFile(path)
        self.logger = logging.Logger("a.library", logging.DEBUG)  # noqa: LOG001 - pytest is not to hear of this one
        self.logger.addHandler(self.handler)

    def text(self) -> str:
        return self.path.read_text() if self.path.exists() else ""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr(logs, "_secrets", logs.SecretRegistry())
    made = Log(tmp_path / "logs" / "kalshi-tui.log")
    yield made
    made.handler.close()


def pieces(secret: str, size: int = 16) -> list[str]:
    return [secret[at : at + size] for at in range(0, len(secret) - size + 1, size)]


LINES = PEM.decode().splitlines()[1:-1]
LOCKED = generate_key(PASSPHRASE.encode(), KeyType.ED25519)
KIND_AND_LENGTH = 22
"""Characters at the head of every PEM of an Ed25519 key, which tell nothing of it."""
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "as Python writes it": repr,
    "as Python writes bytes": lambda text: repr(text.encode()),
    "twice written by Python": lambda text: repr(repr(text)),
    "as JSON": json.dumps,
    "in the middle": lambda text: f"before {text} behind",
    "in a dictionary": lambda text: str({"some": ["thing", text]}),
}


@pytest.mark.parametrize("known", [True, False], ids=["named", "not named"])
@pytest.mark.parametrize("way", WAYS)
def test_a_key_file_never_stands_in_the_log(log: Log, way: str, known: bool) -> None:
    if known:
        logs.add_secret(PEM)
    whole = PEM.decode()
    cut_short, headless = whole[:-200], "\n".join(LINES)
    for text in (whole, cut_short, headless, "".join(LINES), whole.replace("\n", "\r\n")):
        log.logger.error("it holds %s", WAYS[way](text))
    written = log.text()
    assert written.count("it holds ") == 5
    assert not [piece for line in LINES for piece in pieces(line) if piece in written]


@pytest.mark.parametrize("known", [True, False], ids=["named", "not named"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("pem", [PEMS[KeyType.ED25519], LOCKED], ids=["plain", "encrypted"])
def test_nor_does_that_of_an_ed25519_key(log: Log, pem: bytes, way: str, known: bool) -> None:
    if known:
        logs.add_secret(pem)
    whole = pem.decode()
    lines = whole.splitlines()[1:-1]
    for text in (whole, whole[:-40], "\n".join(lines), "".join(lines), whole.replace("\n", "\r\n")):
        log.logger.error("it holds %s", WAYS[way](text))
    written = log.text()
    assert written.count("it holds ") == 5
    assert not [piece for line in lines for piece in pieces(line[KIND_AND_LENGTH:]) if piece in written]


@pytest.mark.parametrize("locked", [True, False], ids=["encrypted", "plain"])
@pytest.mark.parametrize("way", WAYS)
def test_an_opened_ed25519_key_s_32_bytes_never_stand_in_the_log(log: Log, way: str, locked: bool) -> None:
    pem = LOCKED if locked else PEMS[KeyType.ED25519]
    signer_of("canary-key-id", pem, practice_on_port(1), PASSPHRASE.encode() if locked else None)
    key = load_private_key(pem, PASSPHRASE.encode() if locked else None)
    assert isinstance(key, Ed25519PrivateKey)
    seed = key.private_bytes_raw()
    forms = [
        seed.hex(),
        seed.hex().upper(),
        base64.b64encode(seed).decode(),
        base64.b64encode(seed).decode().rstrip("="),
        str(int.from_bytes(seed)),
        repr(seed)[2:-1],
    ]
    for form in forms:
        log.logger.error("it holds %s", WAYS[way](form) if "\\" not in form else f"b'{form}'")
    written = log.text()
    assert written.count("it holds ") == len(forms)
    assert not [piece for form in forms for piece in pieces(form) if piece in written]


@pytest.mark.parametrize("way", WAYS)
def test_no_ed25519_signature_stands_in_the_log(log: Log, way: str) -> None:
    signature = SIGNATURES[KeyType.ED25519]
    raw = base64.b64decode(signature)
    forms = [
        signature,
        signature.rstrip("="),
        signature.replace("+", "-").replace("/", "_"),
        raw.hex(),
        raw.hex().upper(),
        str(int.from_bytes(raw)),
        quote(signature, safe=""),
        json.dumps(signature).replace("/", "\\/"),
        f"\n{signature}\n",
        f"KALSHI-ACCESS-SIGNATURE: {signature}",
        f"KALSHI-ACCESS-SIGNATURE={signature[:40]}...",
        str({"KALSHI-ACCESS-SIGNATURE": signature}),
    ]
    for form in forms:
        log.logger.error("it holds %s", WAYS[way](form))
    written = log.text()
    assert written.count("it holds ") == len(forms)
    safe = [signature, signature.replace("+", "-").replace("/", "_"), raw.hex(), str(int.from_bytes(raw))]
    assert not [piece for form in safe for piece in pieces(form) if piece in written]


@pytest.mark.parametrize("way", [*(way for way in WAYS if "twice" not in way), "in an address", "as base64"])
def test_a_passphrase_never_stands_in_the_log(log: Log, way: str) -> None:
    logs.add_secret(PASSPHRASE)
    ways = WAYS | {
        "in an address": lambda text: quote(text, safe=""),
        "as base64": lambda text: base64.b64encode(text.encode()).decode(),
    }
    log.logger.error("it holds %s", ways[way](PASSPHRASE))
    assert "it holds " in log.text()
    for form in ("phrase", "canary", base64.b64encode(PASSPHRASE.encode()).decode()[:8]):
        assert form not in log.text()


@pytest.mark.parametrize(
    "text",
    [
        str(HEADERS),
        json.dumps(HEADERS),
        repr(httpx.Headers(HEADERS)),
        repr(httpx.Headers(HEADERS).raw),
        "\n".join(f"{name}: {value}" for name, value in HEADERS.items()),
        "\r\n".join(f"{name.lower()}: {value}" for name, value in HEADERS.items()),
        repr("".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())),
        f"KALSHI-ACCESS-SIGNATURE={SIGNATURE[:40]}...",
        f"KALSHI-ACCESS-KEY: 'canary-key-id and no end of it, {SIGNATURE[:60]}",
        f"bare {SIGNATURE} in a sentence",
        quote(SIGNATURE, safe=""),
        json.dumps(SIGNATURE).replace("/", "\\/"),
        SIGNATURE.replace("+", "-").replace("/", "_"),
        base64.b64decode(SIGNATURE).hex(),
        str(int.from_bytes(base64.b64decode(SIGNATURE))),
    ],
    ids=range(15),
)
def test_no_signature_and_no_header_of_one_stands_in_the_log(log: Log, text: str) -> None:
    log.logger.error("it holds %s", text)
    written = log.text()
    assert "it holds " in written
    raw = base64.b64decode(SIGNATURE)
    forms = [SIGNATURE, SIGNATURE.replace("+", "-").replace("/", "_"), raw.hex(), str(int.from_bytes(raw))]
    assert not [piece for form in forms for piece in pieces(form) if piece in written]
    assert "canary-key-id" not in written


@pytest.mark.parametrize(
    "text",
    ["Authorization: Bearer canary.of.a.token", "{'X-Practice-Token': 'canary'}", "('cookie', b'canary')"],
)
def test_no_other_header_that_opens_a_door_stands_in_the_log(log: Log, text: str) -> None:
    log.logger.error("%s", text)
    assert logs.REDACTED_TEXT in log.text()
    assert "canary" not in log.text()


def test_an_exception_is_written_with_its_causes_and_without_values(log: Log) -> None:
    logs.add_secret(PASSPHRASE)
    logs.add_masked("0ff5e7aa-key-id")

    def fails(local: str) -> None:
        cause = ValueError(f"the value {PASSPHRASE}", local[:0])
        cause.add_note(PEM.decode())
        raise RuntimeError(f"for {SIGNATURE} of 0ff5e7aa-key-id") from cause

    try:
        fails("a value " + "of a variable")
    except RuntimeError:
        log.logger.exception("It failed.", stack_info=True)
    written = log.text()
    for there in ("ValueError: ", "RuntimeError: ", "in fails", "0ff5...", "Stack (most recent call last)"):
        assert there in written
    for not_there in ("a value of", "canary", SIGNATURE[:16], LINES[3][:16], "0ff5e7aa"):
        assert not_there not in written


def test_another_handler_is_not_handed_the_text_that_was_taken_out(log: Log) -> None:
    error = ValueError(PEM.decode())
    record = log.logger.makeRecord("x", logging.ERROR, "f", 1, "m", (), (ValueError, error, None))
    log.handler.handle(record)
    assert record.exc_text is None


def test_what_is_no_secret_is_left_alone(log: Log) -> None:
    text = (
        "order 6f6d2f3e-0c1a-4a51-9be1-1c9ff7b4e0aa of KXRECESSION-26 at 0.47: /home/someone/.local/lib/python3.11/"
        "site-packages/websockets/asyncio/connection.py line 47, the exchange refused: status 400 (b'bad request')"
    )
    logs.add_secret("x1")
    log.logger.warning("%s x1", text)
    assert text in log.text()


def test_no_text_looks_like_a_record_or_moves_a_terminal(log: Log) -> None:
    log.logger.error("title \x1b]0;Owned\x07\n2026-01-01T00:00:00Z ERROR kalshi_tui: forged\r\x9b\u202e\ud800")
    lines = log.text().splitlines()
    assert len(lines) == 2
    assert lines[1] == "    2026-01-01T00:00:00Z ERROR kalshi_tui: forged\\r\\x9b\\u202e\\ud800"
    assert "\\x1b]0;Owned\\x07" in lines[0]


def test_a_record_that_is_very_long_is_cut_and_no_secret_with_it(log: Log) -> None:
    logs.add_secret("canary-" * 20)
    for before in range(logs.MAX_SCANNED_LENGTH - 200, logs.MAX_SCANNED_LENGTH, 20):
        # What shrinks, and behind it a secret across the place of the cut.
        log.logger.error("%s", "A" * before + " " + "canary-" * 20)
    log.logger.error("%s", "word " * 20_000)
    written = log.text()
    assert "canary" not in written
    # The first of them fitted in.
    assert 9 <= written.count("[cut]") <= 11
    assert max(map(len, written.splitlines())) < logs.MAX_WRITTEN_LENGTH + 100


@pytest.mark.parametrize(
    "unit",
    [
        "A",
        "/",
        "-----BEGIN X-----",
        "Cookie:",
        "Cookie:'",
        "\\n",
        "A" * 199 + " ",
        "\\",
        "aB1 ",
        "a",
        "aB\\n",
        "0",
        "MC4CAQAwBQYDK2Vw",
    ],
)
def test_no_text_keeps_the_program_long(log: Log, unit: str) -> None:
    logs.add_secret(PEM)
    logs.add_secret(PASSPHRASE)
    began = time.process_time()
    log.logger.error("%s", unit * (logs.MAX_SCANNED_LENGTH // len(unit)))
    assert time.process_time() - began < 2


def test_the_file_is_its_owner_s_alone_and_made_when_there_is_something_to_say(log: Log) -> None:
    assert not log.path.parent.exists()
    log.logger.info("nothing to keep")
    assert not log.path.parent.exists()
    log.logger.warning("something")
    assert log.path.stat().st_mode & 0o777 == 0o600
    assert log.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(log: Log) -> None:
    log.path.parent.mkdir(mode=0o755)
    log.path.touch(mode=0o644)
    log.logger.warning("something")
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_it_writes_through_no_link(log: Log, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    log.path.parent.mkdir()
    log.path.symlink_to(other)
    log.logger.warning("something")
    assert other.read_text() == "mine"
    assert log.handler.failure


@pytest.mark.slow
def test_it_does_not_grow_for_ever(log: Log) -> None:
    for _ in range(400):
        log.logger.warning("%s", "word " * 1_500)
    files = sorted(log.path.parent.iterdir())
    assert [each.name for each in files] == ["kalshi-tui.log", "kalshi-tui.log.1", "kalshi-tui.log.2"]
    assert all(each.stat().st_size <= logs.MAX_LOG_BYTES for each in files)
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in files)


def test_a_log_that_cannot_be_written_is_silent_and_said_at_the_end(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    log.path.parent.write_text("a file where a folder is wanted")
    log.logger.error("lost")
    assert capsys.readouterr().err == ""
    said = logs.CrashReporter(log.handler, " And so on.").describe("TypeError")
    assert said == (
        f"ended by a defect (TypeError); what happened could not be written to {log.path} (File exists). And so on."
    )


# What nobody catches, in a process of its own: the hooks are the whole process's.

UNCAUGHT = {
    "in the program": "raise ValueError(canary)",
    "in a thread": """
import threading
def fails():
    local = canary
    raise ValueError(local)
thread = threading.Thread(target=fails)
thread.start()
thread.join()
""",
    "where nothing can catch it": """
class Last:
    def __del__(self):
        raise ValueError(canary)
last = Last()
del last
""",
    "in a task that nobody waits for": """
import asyncio, gc
async def fails():
    raise ValueError(canary)
async def begins():
    task = asyncio.ensure_future(fails())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()
asyncio.run(begins())
""",
    "in a call of the loop": """
import asyncio
def fails():
    raise ValueError(canary)
async def begins():
    asyncio.get_running_loop().call_soon(fails)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
asyncio.run(begins())
""",
    "as a warning": "import warnings; warnings.warn(f'ValueError {canary}', stacklevel=1)",
    "logged by a library": "import logging; logging.getLogger('some.library').error('ValueError %s', canary)",
}


@pytest.mark.parametrize("where", UNCAUGHT)
def test_what_nobody_catches_stands_in_the_log_and_not_on_the_screen(where: str, tmp_path: Path) -> None:
    begin = (
        "import sys\nfrom kalshi_tui.runtime import logs\n"
        "logs.start_logging(advice=' Orders are safe.')\ncanary = sys.argv[1]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", begin + UNCAUGHT[where], f"{PEM.decode()} {SIGNATURE}"],
        cwd=ROOT,
        env=environment_of(tmp_path, {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    (file,) = tmp_path.rglob("kalshi-tui.log")
    if where == "in the program":
        assert done.returncode == 1
        said = f"kalshi-tui: ended by a defect (ValueError); what happened is in {file}. Orders are safe.\n"
        assert done.stderr == said
    else:
        assert (done.returncode, done.stderr) == (0, "")
    written = file.read_text()
    assert "ValueError" in written
    assert logs.REDACTED_TEXT in written
    assert not [piece for line in (*LINES, SIGNATURE) for piece in pieces(line) if piece in written]


async def test_asyncio_tells_the_log_alone(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    library = logging.getLogger("asyncio")
    library.addHandler(log.handler)
    try:
        asyncio.get_running_loop().call_exception_handler({"message": f"holds {SIGNATURE}", "future": HEADERS})
    finally:
        library.removeHandler(log.handler)
    assert "holds [removed]" in log.text()
    assert SIGNATURE[:16] not in log.text()
    assert capsys.readouterr().out == ""
