"""`record`, `replay --check`, `practice --recording` as processes: what they print, how they end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_tui.domain.price import parse_count, parse_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.recording.checker import books_digest, check_recording
from kalshi_tui.recording.reader import RecordingReader
from kalshi_tui.recording.writer import RecordingWriter
from kalshi_tui.runtime.launch import PracticeProcess
from tests.support.canary import files_with, forms_of_key, holds
from tests.support.cli_process import run_program
from tests.support.cli_runner import validator
from tests.support.practice_server import HERE
from tests.support.recordings import Hand, Studio, a_recording

MARKETS = 40


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the programs a home of their own; those of the profile's variables are gone."""
    for name in [name for name in os.environ if name.startswith(("KALSHI", "XDG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def exchange(tmp_path: Path, home: Path) -> Iterator[PracticeProcess]:
    process = PracticeProcess(["--data", str(tmp_path / "exchange"), "--markets", str(MARKETS), "--rate", "1500"])
    process.wait_until_ready()
    yield process
    process.stop()


def as_profile(process: PracticeProcess, folder: Path) -> list[str]:
    """Write settings whose profile is this exchange, with its key; give the options that choose it."""
    told = process.ready_fields
    path = folder / "settings.toml"
    path.write_text(
        f'[profiles.here]\nmoney = "practice"\nrest_url = "{told["rest_url"]}"\nws_url = "{told["ws_url"]}"\n'
        f'api_key_id = "{told["api_key_id"]}"\nprivate_key_path = "{told["private_key_path"]}"\n'
    )
    return ["--settings", str(path), "--env", "here"]


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_record_then_check_then_play_ends_at_the_same_books(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.rec.gz"
    done = run_program("record", path, "--for", "2", "--data", tmp_path / "d", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    validator("record").validate(told)
    assert told["frames"] > 50
    assert (told["markets"], told["file"], told["bytes"]) == (20, str(path), path.stat().st_size)
    assert path.stat().st_mode & 0o777 == 0o600
    checked = run_program("replay", path, "--check", "--json")
    assert checked.returncode == 0, checked.stdout
    found = json.loads(checked.stdout)
    validator("replay").validate(found)
    assert (found["gaps"], found["fault_count"], found["clean"], found["whole"]) == (0, 0, True, True)
    assert (found["frames"], found["books_followed"]) == (told["frames"], 20)
    assert run_program("replay", path, "--check", "--json").stdout == checked.stdout
    text = run_program("replay", path, "--check").stdout
    assert found["books"] in text
    assert found["states"] in text
    player = PracticeProcess(["--data", str(tmp_path / "p"), "--recording", str(path), "--speed", "max"])
    try:
        rest = player.wait_until_ready().rest_url
        with httpx.Client(trust_env=False) as client:
            wait_for(lambda: state(client, rest)["ended"])
            assert served_digest(client, rest) == found["books"]
    finally:
        player.stop()


def state(client: httpx.Client, rest_url: str) -> Any:
    return client.get(rest_url.removesuffix("/trade-api/v2") + "/practice/replay").json()


def served_digest(client: httpx.Client, rest_url: str) -> str:
    """Digest the books that the exchange serves by REST."""
    tickers = [each["ticker"] for each in client.get(rest_url + "/markets").json()["markets"]]
    books = {}
    for ticker in tickers:
        book = client.get(f"{rest_url}/markets/{ticker}/orderbook").json()["orderbook_fp"]
        books[ticker] = tuple(
            [(parse_price(price), parse_count(count)) for price, count in book[side] or ()]
            for side in ("yes_dollars", "no_dollars")
        )
    return books_digest(books)  # type: ignore[arg-type]  # two lists each


@pytest.mark.slow
def test_named_markets_alone_are_recorded(exchange: PracticeProcess, tmp_path: Path, home: Path) -> None:
    with httpx.Client(trust_env=False) as client:
        markets = client.get(exchange.ready_fields["rest_url"] + "/markets").json()["markets"]
    chosen = [each["ticker"] for each in markets[3:5]]
    profile = as_profile(exchange, tmp_path)
    path = tmp_path / "a.rec.gz"
    done = run_program("record", path, *chosen, "--for", "1.5", *profile)
    assert done.returncode == 0, done.stderr
    assert "of 2 markets" in done.stdout
    assert check_recording(path).books_followed == 2
    again = run_program("record", path, *chosen, "--for", "1", *profile)
    assert (again.returncode, again.stdout) == (1, "")
    assert "already" in again.stderr
    unknown = run_program("record", tmp_path / "b.rec.gz", "NO-SUCH-MARKET", "--for", "1", *profile)
    assert unknown.returncode == 1
    assert "knows no market NO-SUCH-MARKET" in unknown.stderr
    assert not (tmp_path / "b.rec.gz").exists()
    assert "Traceback" not in again.stderr + unknown.stderr


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_end_from_outside_leaves_a_recording(
    exchange: PracticeProcess, tmp_path: Path, home: Path, how: signal.Signals
) -> None:
    path = tmp_path / "a.rec.gz"
    child = subprocess.Popen(
        [sys.executable, "-m", "kalshi_tui", "record", str(path), *as_profile(exchange, tmp_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: path.exists() and path.stat().st_size > 30_000)
    child.send_signal(how)
    out, err = child.communicate(timeout=20)
    assert "Traceback" not in err
    found = check_recording(path)
    assert found.frames > 50
    assert found.clean
    if how is not signal.SIGKILL:
        assert child.returncode == 0
        assert found.whole
        assert f"{found.frames:,} frames" in out


@pytest.mark.slow
def test_a_killed_recording_lacks_a_second_and_a_quarter_at_most(
    exchange: PracticeProcess, tmp_path: Path, home: Path
) -> None:
    path = tmp_path / "a.rec.gz"
    child = subprocess.Popen(
        [sys.executable, "-m", "kalshi_tui", "record", str(path), *as_profile(exchange, tmp_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: path.exists() and path.stat().st_size > 30_000)
    killed_ms = time.time_ns() // 1_000_000
    child.kill()
    child.communicate(timeout=20)
    # The exchange trades 1,500 times a second; a block is a second old at most, and looked at four times a second.
    assert RecordingReader(path).last_ms() > killed_ms - 1_500


@pytest.mark.slow
def test_no_secret_is_in_it(exchange: PracticeProcess, tmp_path: Path, home: Path) -> None:
    told = exchange.ready_fields
    signer = Signer.from_pem(
        told["api_key_id"], Path(told["private_key_path"]).read_bytes(), environment=practice_on_port(1)
    )
    with httpx.Client(trust_env=False) as client:
        markets = client.get(told["rest_url"] + "/markets").json()["markets"]
        # One that is far from its end, where somebody offers at less than 0.99; all of them are recorded.
        market = max(
            (each for each in markets if "0" < each["yes_ask_dollars"] < "0.9"), key=lambda each: each["close_time"]
        )
        tickers = [each["ticker"] for each in markets]
        path, body = "/portfolio/events/orders", {
            "ticker": market["ticker"], "side": "bid", "price": "0.9900", "count": "5.00",
            "time_in_force": "immediate_or_cancel", "self_trade_prevention_type": "taker_at_cross",
            "client_order_id": "mine-4711-0000-aaaa",
        }  # fmt: skip
        recorded = tmp_path / "kept" / "a.rec.gz"
        child = subprocess.Popen(
            [sys.executable, "-m", "kalshi_tui", "record", str(recorded), *tickers, *as_profile(exchange, tmp_path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        wait_for(lambda: recorded.exists() and recorded.stat().st_size > 30_000)
        headers = signer.headers("POST", f"/trade-api/v2{path}", time.time_ns() // 1_000_000, host=HERE)
        order = client.post(told["rest_url"] + path, json=body, headers=headers).json()
        size = recorded.stat().st_size
        wait_for(lambda: recorded.stat().st_size > size + 2_000)
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=20)
    assert order["fill_count"] != "0.00"
    text = b"\n".join(record.payload for record in RecordingReader(recorded).records())
    mine = [told["api_key_id"], "mine-4711", order["order_id"], "practice-trader", headers["KALSHI-ACCESS-SIGNATURE"]]
    assert not holds(text, [each.encode() for each in mine])
    forms = forms_of_key(Path(told["private_key_path"]).read_bytes())
    assert not holds(text, forms)
    assert not files_with(recorded.parent, forms)
    assert check_recording(recorded).clean


def test_what_is_no_recording_is_told(tmp_path: Path, home: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("no recording")
    for arguments in (
        ["replay", "--check", text],
        ["replay", "--check", tmp_path / "none"],
        ["practice", "--recording", text, "--data", tmp_path / "p"],
    ):
        done = run_program(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("kalshi-tui: ")


def test_faults_are_told_and_the_code_says_so(tmp_path: Path, home: Path) -> None:
    studio = Studio(tmp_path / "a.rec.gz", rate=600)
    studio.list_markets()
    studio.connect()
    studio.run(300)
    studio.connection.frame_faults["skip"] = 2
    studio.run(300)
    studio.recording.close()
    done = run_program("replay", "--check", studio.path)
    assert done.returncode == 1
    assert "Not clean." in done.stdout
    assert "Gaps in the numbers: 0" not in done.stdout
    assert json.loads(run_program("replay", "--check", "--json", studio.path).stdout)["gaps"] > 0


@pytest.mark.quick_cases("arguments0-*", "arguments3-*")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--speed", "fast"], "a speed is a number"),
        (["--speed", "0"], "a speed is a number"),
        (["--at", "noon"], "is no time of a recording"),
        (["--rate", "10"], "a recording has its own"),
    ],
)
def test_wrong_wishes_are_told(tmp_path: Path, home: Path, arguments: list[str], said: str) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", ms=300)
    done = run_program("practice", "--recording", studio.path, "--data", tmp_path / "p", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_playing_needs_a_recording(tmp_path: Path, home: Path) -> None:
    done = run_program("practice", "--paused", "--data", tmp_path / "p")
    assert done.returncode == 1
    assert "--recording FILE" in done.stderr


def test_the_desk_of_a_replay_needs_a_terminal(tmp_path: Path, home: Path) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", ms=300)
    done = run_program("replay", studio.path)
    assert done.returncode == 1
    assert "practice --recording FILE" in done.stderr


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_texts_of_a_recording_reach_no_terminal_as_commands(tmp_path: Path, home: Path, flags: tuple[str, ...]) -> None:
    path = tmp_path / "a\x1b[2J.rec.gz"
    recording = RecordingWriter(path, exchange="\x1b]0;PWN\x07", program="\x9b1m", clock_ms=Hand())
    tap = recording.tap()
    tap.begin({1: (wire.Channel.BOOK, 1)})
    msg = wire.SnapshotMsg(market_ticker="A\x1b[2JB", yes_dollars_fp=[("0.4", "-1")])
    tap.record_frame(wire.encode(wire.SnapshotFrame(sid=1, seq=1, msg=msg)))
    recording.close()
    path.write_bytes(path.read_bytes() + b"more")
    done = run_program("replay", "--check", path, *flags)
    assert done.returncode == 1
    shown = "".join(json.loads(done.stdout)["faults"]) if flags else done.stdout
    assert "]0;PWN" in done.stdout
    assert "a snapshot of A\N{REPLACEMENT CHARACTER}[2JB" in shown
    assert not [each for each in done.stdout + done.stderr + shown if not each.isprintable() and each != "\n"]
    path.write_bytes(b"nothing of a recording's")
    assert "\x1b" not in run_program("replay", "--check", path, *flags).stderr


@pytest.mark.parametrize(
    ("name", "said"), [("x" * 300, "cannot be begun"), ("~nobody-of-that-name/a", "begins with the folder of a user")]
)
def test_a_name_that_no_file_can_have_is_told(tmp_path: Path, home: Path, name: str, said: str) -> None:
    place = name if name.startswith("~") else str(tmp_path / name)
    done = run_program("record", place, "--for", "1", "--data", tmp_path / "d")
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "defect" not in done.stderr


@pytest.mark.parametrize("value", ["nan", "-1", "inf", "0", "2592001", "soon"])
def test_how_long_is_recorded_has_bounds(tmp_path: Path, home: Path, value: str) -> None:
    done = run_program("record", tmp_path / "a.rec.gz", f"--for={value}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "takes a number of seconds above 0" in done.stderr


@pytest.mark.parametrize("value", ["nan", "-3", "inf", "3601"])
def test_how_long_is_audited_has_bounds(home: Path, value: str) -> None:
    done = run_program("audit", "T", f"--seconds={value}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "takes a number of seconds from 0 to 3600" in done.stderr


def test_json_of_a_replay_without_a_check_is_a_wrong_command_line(tmp_path: Path, home: Path) -> None:
    studio = a_recording(tmp_path / "a.rec.gz", ms=300)
    done = run_program("replay", "--json", studio.path)
    assert (done.returncode, done.stdout) == (2, "")
    told = json.loads(done.stderr)
    validator("error").validate(told)
    assert (told["error"]["code"], told["error"]["exit_code"]) == ("usage", 2)
