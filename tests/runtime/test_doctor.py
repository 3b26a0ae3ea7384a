"""The doctor: a line for each thing that trading needs, and the remedy where one is needed."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from kalshi_tui.kalshi.transport.signing import KeyType, generate_key, load_private_key
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
    assert "(at 0 $8,000.00, at 1 $0.00, " in done.stdout
    assert "The key may read, write." in done.stdout


def test_it_looks_at_another_exchange_with_the_key_given(tmp_path: Path, exchange: PracticeReady) -> None:
    done = run_at_home(tmp_path, "--rest-url", exchange.rest_url, "doctor", "--json", **key_of(exchange))
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert told["ok"] is True
    assert {"name": "signature", "ok": True, "sentence": "The exchange accepts the key."} in told["checks"]


def checks_of(done: "subprocess.CompletedProcess[str]") -> dict[str, tuple[bool, str]]:
    assert "Traceback" not in done.stderr
    return {each["name"]: (each["ok"], each["sentence"]) for each in json.loads(done.stdout)["checks"]}


def test_it_tells_tier_buckets_progress_subaccounts_and_netting_and_mentions_the_free_upgrade(
    tmp_path: Path, exchange: PracticeReady
) -> None:
    done = run_at_home(tmp_path, "--rest-url", exchange.rest_url, "doctor", "--json", **key_of(exchange))
    found = checks_of(done)
    ok, limits = found["limits"]
    assert ok
    assert limits == (
        "tier basic: 200 tokens a second (at most 600 at once) to read; 100 tokens a second (at most 100 at once) to "
        "write, on each shard; an order costs 10, a cancel 2. Advanced is free: 300 a second and subaccounts, for "
        "good, once an order has come by API. To ask for it: kalshi-tui doctor --upgrade"
    )
    assert found["progress"][0]
    assert "0% of the 600,000 that earn expert" in found["progress"][1]
    assert found["attestation"][0]
    assert found["subaccounts"] == (True, "Only the primary account.")
    assert found["netting"][0]
    assert found["netting"][1].startswith("Off: ")
    assert "upgrade" not in found, "it is told, and asked for only on --upgrade"


def first_order(home: Path, exchange: PracticeReady) -> None:
    """Send an order by the command line with the exchange's key."""
    target, key = ("--rest-url", exchange.rest_url), key_of(exchange)
    listed = run_at_home(home, *target, "markets", "--search", "recession", "--limit", "1", "--json", **key)
    ticker = json.loads(listed.stdout)["ticker"]
    placed = run_at_home(home, *target, "order", "buy", "yes", ticker, "1@0.01", "--yes", "--json", **key)
    assert placed.returncode == 0, placed.stdout + placed.stderr
    assert json.loads(placed.stdout)["order"]["state"] == "resting"


@pytest.mark.slow
def test_the_upgrade_is_refused_before_an_order_and_done_after_one(tmp_path: Path, exchange: PracticeReady) -> None:
    target, key = ("--rest-url", exchange.rest_url), key_of(exchange)
    refused = run_at_home(tmp_path, *target, "doctor", "--upgrade", "--json", **key)
    assert refused.returncode == 1
    ok, sentence = checks_of(refused)["upgrade"]
    assert not ok
    assert "Send an order with this program, then run doctor --upgrade again." in sentence
    first_order(tmp_path, exchange)
    done = checks_of(run_at_home(tmp_path, *target, "doctor", "--upgrade", "--json", **key))
    assert done["upgrade"] == (True, "Done: the exchange has granted Advanced, for good.")
    assert done["limits"][1].startswith("tier advanced: 300 tokens a second (at most 900 at once) to read; ")
    assert "--upgrade" not in done["limits"][1]
    again = checks_of(run_at_home(tmp_path, *target, "doctor", "--upgrade", "--json", **key))
    assert again["upgrade"] == (True, "Not needed: the tier is advanced.")


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
        first_order(tmp_path, ready)
        own = run_at_home(tmp_path, "doctor", "--data", str(tmp_path / "exchange"))
        assert own.returncode == 0, own.stdout
        assert f"ok   key          practice's own, {words}." in own.stdout
    finally:
        process.stop()


@pytest.mark.slow
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


def test_an_encrypted_key_of_a_variable_is_opened_by_the_configured_command(
    tmp_path: Path, exchange: PracticeReady
) -> None:
    key = load_private_key(exchange.private_key_path.read_bytes())
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
    settings = tmp_path / "settings.toml"
    environ = {"KALSHI_API_KEY_ID": exchange.api_key_id, "KALSHI_PRIVATE_KEY": locked.decode()}
    for command, ok in (("open sesame", True), ("open barley", False)):
        settings.write_text(f'[profiles.practice]\npassphrase_command = ["echo", "{command}"]\n')
        done = run_at_home(
            tmp_path, "--settings", str(settings), "--rest-url", exchange.rest_url, "doctor", "--json", **environ
        )
        assert checks_of(done)["key"][0] is ok, done.stdout
        assert ("signature" in checks_of(done)) is ok
        assert "sesame" not in done.stdout + done.stderr


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
        ({"TERM": "dumb"}, "colors", False, "set it to what your terminal is"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "colors", True, "true color"),
        ({"TERM": "linux"}, "colors", True, "16 colors"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "colors", True, "none, as NO_COLOR says"),
    ],
)
def test_the_terminal_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], name: str, ok: bool, words: str
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("kalshi_tui.runtime.doctor.measure_terminal", lambda _: (70, 24))
    found = {check.name: check for check in check_machine(tmp_path, "journal.sqlite3", environ)}
    assert not found["terminal"].ok
    assert "enlarge it to 80x24" in found["terminal"].sentence
    assert (found[name].ok, words in found[name].sentence) == (ok, True)
