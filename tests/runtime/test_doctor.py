"""The doctor: a line for each thing that trading needs, and the remedy where one is needed."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kalshi_tui.kalshi.transport.signing import KeyType, generate_key
from kalshi_tui.runtime.doctor import check_machine
from kalshi_tui.runtime.launch import PracticeProcess, PracticeReady
from tests.support.cli_process import run_at_home


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeReady]:
    process = PracticeProcess(["--data", str(tmp_path_factory.mktemp("exchange")), "--quiet-market"])
    yield process.wait_until_ready()
    process.stop()


def key_of(ready: PracticeReady) -> dict[str, str]:
    return {"KALSHI_API_KEY_ID": ready.api_key_id, "KALSHI_PRIVATE_KEY_PATH": str(ready.private_key_path)}


def test_all_is_well_in_practice(tmp_path: Path) -> None:
    done = run_at_home(tmp_path, "doctor", "--seed", "7")
    assert done.returncode == 0, done.stdout
    names = [line.split()[1] for line in done.stdout.splitlines()]
    for name in (
        "settings", "python", "versions", "disk", "journal", "key", "profile", "reached", "clock", "shard", "signature",
        "cash", "limits", "rights", "stream",
    ):  # fmt: skip
        assert name in names
    assert all(line.startswith("ok ") for line in done.stdout.splitlines())
    assert "shard 0 $8,000.00" in done.stdout
    assert "The key may read, write." in done.stdout


def test_it_looks_at_another_exchange_with_the_key_given(tmp_path: Path, exchange: PracticeReady) -> None:
    done = run_at_home(tmp_path, "--rest-url", exchange.rest_url, "doctor", "--json", **key_of(exchange))
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert told["ok"] is True
    assert {"name": "signature", "ok": True, "sentence": "The exchange accepts the key."} in told["checks"]


@pytest.mark.quick_cases("ed25519")
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_it_is_green_with_a_key_of_either_type_and_names_it(tmp_path: Path, kind: str) -> None:
    words = {"ed25519": "an Ed25519 key", "rsa": "an RSA key of 2048 bits"}[kind]
    process = PracticeProcess(["--data", str(tmp_path / "exchange"), "--quiet-market", "--key-type", kind])
    try:
        ready = process.wait_until_ready()
        done = run_at_home(tmp_path, "--rest-url", ready.rest_url, "doctor", **key_of(ready))
        assert done.returncode == 0, done.stdout
        assert f"ok   key          {ready.private_key_path} is yours alone and opens: {words}." in done.stdout
        assert "ok   signature    The exchange accepts the key." in done.stdout
        assert "ok   stream " in done.stdout
        own = run_at_home(tmp_path, "doctor", "--data", str(tmp_path / "exchange"))
        assert own.returncode == 0, own.stdout
        assert f"ok   key          practice's own, {words}." in own.stdout
    finally:
        process.stop()


def test_a_key_that_is_not_this_exchange_s(tmp_path: Path, exchange: PracticeReady) -> None:
    path = tmp_path / "other.pem"
    environ = key_of(exchange) | {"KALSHI_PRIVATE_KEY_PATH": str(path)}
    for kind in KeyType:
        path.write_bytes(generate_key(kind=kind))
        path.chmod(0o600)
        done = run_at_home(tmp_path, "--rest-url", exchange.rest_url, "doctor", **environ)
        assert done.returncode == 1
        assert "FAIL signature    The exchange rejected the signature: the private key does not belong" in done.stdout
    environ["KALSHI_API_KEY_ID"] = "not-known"
    done = run_at_home(tmp_path, "--rest-url", exchange.rest_url, "doctor", **environ)
    assert "FAIL signature    The exchange does not know this key id: keys of the demo" in done.stdout


@pytest.mark.slow
def test_an_open_key_file_nobody_reached_and_wrong_settings_are_lines_of_it(
    tmp_path: Path, exchange: PracticeReady
) -> None:
    path = tmp_path / "open.pem"
    path.write_bytes(exchange.private_key_path.read_bytes())
    path.chmod(0o644)
    environ = key_of(exchange) | {"KALSHI_PRIVATE_KEY_PATH": str(path)}
    done = run_at_home(tmp_path, "--rest-url", exchange.rest_url, "doctor", **environ)
    assert done.returncode == 1
    assert f"chmod 600 {path}" in done.stdout
    done = run_at_home(tmp_path, "--rest-url", "http://127.0.0.1:1/trade-api/v2", "doctor", **key_of(exchange))
    assert done.returncode == 1
    assert "FAIL reached      The exchange could not be reached: nobody answers at its address." in done.stdout
    done = run_at_home(tmp_path, "--env", "nope", "doctor")
    assert done.returncode == 1
    assert "FAIL settings     There is no profile 'nope'." in done.stdout
    assert "ok   python" in done.stdout
    for said in (done.stdout, done.stderr):
        assert "Traceback" not in said


def test_a_disk_without_a_way_to_write_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = {check.name: check for check in check_machine(tmp_path / "new", "journal.sqlite3", {})}
    assert not found["disk"].ok
    assert "fix its permissions" in found["disk"].sentence
    monkeypatch.undo()
    (tmp_path / "journal.sqlite3").write_text("no database")
    found = {check.name: check for check in check_machine(tmp_path, "journal.sqlite3", {})}
    assert not found["journal"].ok
    assert "Without it no order is sent" in found["journal"].sentence


@pytest.mark.parametrize(
    ("environ", "name", "ok", "words"),
    [
        ({"TERM": "dumb"}, "colours", False, "set it to what your terminal is"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "colours", True, "true color"),
        ({"TERM": "linux"}, "colours", True, "16 colors"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "colours", True, "none, as NO_COLOR says"),
    ],
)
def test_the_terminal_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], name: str, ok: bool, words: str
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((70, 24)))
    found = {check.name: check for check in check_machine(tmp_path, "journal.sqlite3", environ)}
    assert not found["terminal"].ok
    assert "enlarge it to 80x24" in found["terminal"].sentence
    assert (found[name].ok, words in found[name].sentence) == (ok, True)
