"""Practice without an account: commands, a desk's exchange and one that runs alone, all on one data folder."""

import json
import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.practice.storage.run_note import LOCK_FILE, RUN_NOTE_FILE, read_run_note
from kalshi_tui.runtime.launch import PracticeProcess
from tests.support.cli_process import a_ticker, run_in_folder
from tests.support.cli_runner import (
    validator,
)

TICKER = "KXRECESSION-26"
QUIET = ("--quiet-market", "--seed", "7")


@pytest.mark.slow
def test_an_order_is_there_for_the_next_command(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    ticker = a_ticker(folder)
    sent = run_in_folder(folder, "order", "buy", "yes", ticker, "10@0.01", "--yes")
    assert (sent.code, sent.only["order"]["state"]) == (0, "resting")
    assert [each["order_id"] for each in run_in_folder(folder, "orders").lines] == [sent.only["order"]["order_id"]]
    assert run_in_folder(folder, "cancel", sent.only["order"]["order_id"], "--yes").code == 0
    assert run_in_folder(folder, "orders").lines == []


@pytest.mark.slow
def test_commands_find_the_exchange_that_runs_on_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    process = PracticeProcess(["--data", str(folder), *QUIET])
    try:
        ready = process.wait_until_ready()
        assert stat.S_IMODE((folder / RUN_NOTE_FILE).stat().st_mode) == 0o600
        told: Any = json.loads(read_run_note(folder))
        validator("practice").validate(told)
        assert told["pid"] == ready.pid
        ticker = a_ticker(folder)
        sent = run_in_folder(folder, "order", "buy", "yes", ticker, "3@0.30", "--yes")
        assert sent.code == 0
        # By its address alone too: the folder has the key.
        at = ("--rest-url", ready.rest_url)
        (order,) = run_in_folder(folder, "orders", more=at).lines
        assert order["order_id"] == sent.only["order"]["order_id"]
        assert run_in_folder(folder, "doctor").code == 0
    finally:
        process.stop()
    assert read_run_note(folder) == ""
    assert not (folder / RUN_NOTE_FILE).exists()


@pytest.mark.slow
def test_what_a_killed_exchange_has_left_is_not_believed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    process = PracticeProcess(["--data", str(folder), *QUIET])
    os.kill(process.wait_until_ready().pid, signal.SIGKILL)
    process.stop()
    assert (folder / RUN_NOTE_FILE).exists()
    assert read_run_note(folder) == ""
    assert run_in_folder(folder, "balance").code == 0
    assert not (folder / RUN_NOTE_FILE).exists()


@pytest.mark.parametrize("note", ["", "{}", "[1]", "no json", '{"rest_url": "http://192.0.2.1/trade-api/v2"}', "\0"])
def test_a_note_that_makes_no_sense_is_no_exchange(tmp_path: Path, note: str) -> None:
    folder = tmp_path / "data"
    process = PracticeProcess(["--data", str(folder), "--unlisted", *QUIET])
    try:
        process.wait_until_ready()
        assert not (folder / RUN_NOTE_FILE).exists()
        (folder / RUN_NOTE_FILE).write_text(note)
        assert read_run_note(folder) == note
        from kalshi_tui.cli.exchange_access import find_running_practice  # noqa: PLC0415 - slow to load

        assert find_running_practice(folder) is None
    finally:
        process.stop()


@pytest.mark.slow
def test_commands_at_the_same_time_wait_for_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    ticker = a_ticker(folder)
    with ThreadPoolExecutor(3) as pool:
        orders = [
            pool.submit(run_in_folder, folder, "order", "buy", "yes", ticker, f"1@0.0{n}", "--yes") for n in (1, 2, 3)
        ]
        ends = [each.result() for each in orders]
    assert [each.code for each in ends] == [0, 0, 0], ends
    assert len(run_in_folder(folder, "orders").lines) == 3


@pytest.mark.slow
def test_an_exchange_that_nobody_can_find_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kalshi_tui.cli import exchange_access  # noqa: PLC0415 - with what it needs to be changed
    from kalshi_tui.cli.commands import build_parser  # noqa: PLC0415 - as above
    from kalshi_tui.cli.exit_codes import FailedError  # noqa: PLC0415 - as above

    folder = tmp_path / "data"
    process = PracticeProcess(["--data", str(folder), "--unlisted", *QUIET])
    monkeypatch.setattr(exchange_access, "FOLDER_FREE_TIMEOUT_S", 0.5)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    try:
        process.wait_until_ready()
        options = build_parser().parse_args(["balance", "--data", str(folder)])
        with pytest.raises(FailedError, match=r"another practice exchange .* is running on .*--data"), \
                exchange_access.open_exchange(options):  # fmt: skip
            pass
    finally:
        process.stop()


def test_a_folder_without_a_lock_has_no_exchange(tmp_path: Path) -> None:
    assert read_run_note(tmp_path) == ""
    (tmp_path / LOCK_FILE).touch()
    (tmp_path / RUN_NOTE_FILE).write_text("{}")
    assert read_run_note(tmp_path) == ""
