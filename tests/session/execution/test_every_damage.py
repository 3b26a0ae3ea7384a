"""However the journal's file is damaged: it is opened, told about and kept, and no order is sent past it."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, OrderTerms
from kalshi_tui.session.execution.journal import Journal, JournalError
from kalshi_tui.session.persisted import PersistedFile
from kalshi_tui.ui.dialogs.welcome import WELCOME_FILE, WelcomeFile
from tests.support import damaged_journals
from tests.support.journal_orders import an_order

WANTED = OrderTerms("T-1", Side.YES, Action.BUY, 4_400, 1_000)
SOUND = {"garbage log", "garbage rollback", "folder for its lock", *(["no permissions"] if os.geteuid() == 0 else [])}
"""What costs nothing: SQLite leaves out what it did not write, and root may read everything."""
NEW = {"zero length", "link to nothing"}


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and os.access(path, os.R_OK) else None


@pytest.mark.parametrize("how", damaged_journals.EVERY)
def test_the_desk_s_journal_opens_and_says_what_is_wrong(tmp_path: Path, how: str) -> None:
    path = tmp_path / "journal.sqlite3"
    with closing(Journal.open(path, "key")) as journal:
        for name in ("c0", "c1"):
            journal.record_sending(name, WANTED, 1_000)
            journal.record_update(an_order(client_order_id=name, order_id=f"of-{name}"), 2_000)
    with damaged_journals.damaged(path, how):
        before = content(path)
        with closing(Journal.open_anyway(path, "key")) as journal:
            entries = journal.open_entries()
            told = [journal.trouble, *journal.notices, *(each.sentence for each in journal.set_aside)]
            if how in SOUND:
                assert len(entries) == 2
            else:
                assert str(path) in " ".join(told), told
            assert all(each.isprintable() for each in told)
            if journal.trouble:
                assert "anceling works all the same" in journal.trouble
                with pytest.raises(JournalError):
                    journal.record_sending("c2", WANTED, 3_000)
                # The exchange's news of an order that is canceled meanwhile.
                journal.record_update(an_order(client_order_id="c0", order_id="of-c0"), 3_000)
        if how in damaged_journals.FILES and how not in SOUND | NEW:
            assert content(path) == before, "what cannot be read is kept as it is"


def test_a_pipe_in_the_place_of_a_list_of_the_desk_keeps_it_from_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / WELCOME_FILE)
    value, sentence = PersistedFile(tmp_path, WELCOME_FILE, WelcomeFile).read()
    assert value == WelcomeFile()
    assert "cannot be read (it is not a file); it counts as empty" in sentence
