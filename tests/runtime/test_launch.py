import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kalshi_tui.runtime.launch import LaunchError, PracticeProcess
from tests.support.processes import alive, wait_gone

PARENT = """
import sys
from kalshi_tui.runtime.launch import PracticeProcess
exchange = PracticeProcess(["--data", sys.argv[1], "--quiet-market"])
print(exchange.wait_until_ready().pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[PracticeProcess]:
    process = PracticeProcess(["--data", str(tmp_path / "practice"), "--quiet-market"])
    yield process
    process.stop()


def test_it_serves_when_ready_and_is_gone_when_ended(exchange: PracticeProcess) -> None:
    ready = exchange.wait_until_ready()
    reply = httpx.get(f"{ready.rest_url}/exchange/status", trust_env=False)
    assert reply.json()["exchange_active"] is True
    assert ready.private_key_path.stat().st_mode & 0o777 == 0o600
    exchange.stop()
    assert wait_gone(ready.pid)


def test_it_does_not_outlive_a_parent_that_is_killed_outright(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "practice")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.send_signal(signal.SIGKILL)
    assert wait_gone(pid)


def test_a_data_folder_that_cannot_be_one_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(LaunchError, match="taken") as raised:
        PracticeProcess(["--data", str(tmp_path / "taken")]).wait_until_ready()
    assert "--data" in str(raised.value)
    assert "Traceback" not in str(raised.value)


@pytest.mark.slow
def test_a_damaged_database_is_told_in_a_sentence_and_fresh_is_a_way_on(tmp_path: Path) -> None:
    data = tmp_path / "practice"
    first = PracticeProcess(["--data", str(data), "--quiet-market"])
    first.wait_until_ready()
    first.stop()
    (database,) = data.glob("*.sqlite*")
    for leftover in data.glob(f"{database.name}-*"):
        leftover.unlink()
    database.write_bytes(b"not a database at all" * 500)
    with pytest.raises(LaunchError, match="--fresh"):
        PracticeProcess(["--data", str(data), "--quiet-market"]).wait_until_ready()
    again = PracticeProcess(["--data", str(data), "--quiet-market", "--fresh"])
    try:
        assert again.wait_until_ready().rest_url
    finally:
        again.stop()


@pytest.mark.slow
def test_a_port_in_use_is_told_in_a_sentence(exchange: PracticeProcess, tmp_path: Path) -> None:
    port = exchange.wait_until_ready().rest_url.split(":")[2].split("/")[0]
    with pytest.raises(LaunchError, match=port) as raised:
        PracticeProcess(["--data", str(tmp_path / "other"), "--port", port]).wait_until_ready()
    assert "--port" in str(raised.value)
