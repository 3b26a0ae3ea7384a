"""A desk in a real terminal and commands beside it, on one folder: one exchange, one account, one journal."""

from pathlib import Path

import pytest

from kalshi_tui.session.execution.journal import Journal
from tests.support.cli_process import a_ticker, run_in_folder
from tests.support.terminal import Terminal


@pytest.mark.slow
@pytest.mark.terminal
def test_the_desk_sees_what_a_command_has_sent_and_the_command_what_the_desk_has(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    desk = Terminal(["--data", str(folder), "--seed", "7"], tmp_path, columns=140, rows=50)
    desk.wait_text("PRACTICE", "YES bid")
    ticker = a_ticker(folder)
    sent = run_in_folder(folder, "order", "buy", "yes", ticker, "3@0.01", "--yes")
    assert (sent.code, sent.only["order"]["state"]) == (0, "resting")
    order_id = sent.only["order"]["order_id"]
    desk.wait_text("orders 1", "RESTING   buy YES    0.01")
    amended = run_in_folder(folder, "amend", order_id, "2@0.01", "--yes")
    assert (amended.code, amended.only["keeps_place"]) == (0, True)
    canceled = run_in_folder(folder, "cancel", "--all", "--ticker", ticker, "--yes")
    assert (canceled.code, canceled.only["cancelled"]) == (0, 1)
    desk.wait_text("orders 0")
    desk.press("q")
    assert desk.ended() == 0
    # The account is kept, and the journal is whole: the next command goes on with both.
    assert run_in_folder(folder, "orders").lines == []
    (key_id,) = (folder / "api_key_id").read_text().split()
    journal = Journal.open(folder / "journal.sqlite3", key_id)
    assert journal.open_entries() == []
    what = [each.what for each in journal.history(sent.only["order"]["client_order_id"])]
    assert what[:3] == ["drafted", "sending", "resting"]
    assert what[-1] == "cancelled"
    journal.close()
