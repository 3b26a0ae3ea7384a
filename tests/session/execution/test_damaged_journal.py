"""Whatever its rows hold, a journal is read without a fault: what can be read comes back, the rest is set aside."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.limits import RiskLimits
from kalshi_tui.domain.order import Action, OrderState, OrderTerms
from kalshi_tui.session.execution.journal import Journal, JournalError
from kalshi_tui.session.execution.journal_rows import COURSE, TERMS
from kalshi_tui.session.execution.journal_sql import SCHEMA
from kalshi_tui.session.execution.risk_checks import OverrideMethod, RiskReason
from kalshi_tui.session.options import DeadManOptions, SessionOptions
from tests.support.budget import examples
from tests.support.journal_orders import an_order
from tests.support.session_rig import Rig

WANTED = OrderTerms("T-1", Side.YES, Action.BUY, 4_400, 1_000)
ROWS = 4
CHANGES = ("client_order_id", "at_ms", "what", "order_id", "filled", "remaining", "yes_price", "reason")


def opened(folder: Path) -> Journal:
    return Journal.open(folder / "journal.sqlite3", "key")


def loosened(folder: Path) -> sqlite3.Connection:
    """Open the file with tables that take anything, as another program may have left them."""
    file = sqlite3.connect(folder / "journal.sqlite3", isolation_level=None)
    for statement in SCHEMA.split(";"):
        words = statement.split()
        if words[:2] == ["CREATE", "TABLE"]:
            name = words[2]
            file.execute(f"ALTER TABLE {name} RENAME TO old")
            file.execute(statement.replace(" NOT NULL", ""))
            file.execute(f"INSERT INTO {name} SELECT * FROM old")  # noqa: S608 - tables of the schema
            file.execute("DROP TABLE old")
    return file


def put(file: sqlite3.Connection, table: str, column: str, row: int, value: object) -> None:
    file.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))  # noqa: S608 - names of the schema


def filled_in(folder: Path) -> None:
    with closing(opened(folder)) as journal:
        for number in range(ROWS):
            journal.record_sending(f"c{number}", WANTED, 1_000 + number)
            journal.record_update(an_order(client_order_id=f"c{number}", order_id=f"o{number}"), 2_000 + number)


ODD: list[Any] = ["queued", "", None, b"\xff\xfe", -1, 2**62, 3.5, "\x1b[31m", "{", "12"]
VALUES = st.one_of(
    st.sampled_from(ODD), st.text(max_size=8).filter(lambda each: each.isprintable()), st.binary(max_size=8),
    st.integers(-(2**63), 2**63 - 1), st.floats(), st.none(),
)  # fmt: skip
SPOTS = st.one_of(
    st.tuples(st.just("intents"), st.integers(1, ROWS), st.sampled_from([*TERMS, *COURSE])),
    st.tuples(st.just("changes"), st.integers(1, 3 * ROWS), st.sampled_from(CHANGES)),
)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damage=st.lists(st.tuples(SPOTS, VALUES), min_size=1, max_size=3))
def test_random_damage_raises_nothing_and_costs_its_own_rows_alone(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[tuple[str, int, str], Any]]
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    filled_in(folder)
    touched: set[str] = set()
    with closing(loosened(folder)) as file:
        for (table, row, column), value in damage:
            try:
                put(file, table, column, row, value)
            except sqlite3.IntegrityError:
                # Another row has this id.
                continue
            number = row - 1 if table == "intents" else (row - 1) // 3
            touched.add(f"c{number}")
        before = file.execute("SELECT count(*) FROM intents").fetchone()
    with closing(opened(folder)) as journal:
        entries = {each.order.client_order_id: each for each in journal.open_entries()}
        for name in {f"c{number}" for number in range(ROWS)} - touched:
            assert entries[name].terms == WANTED
            assert entries[name].order.state is OrderState.RESTING
        for aside in journal.set_aside:
            assert aside.sentence.isprintable()
            assert str(folder) in aside.sentence
            if aside.entry is not None:
                assert aside.entry.order.state is OrderState.UNKNOWN
        sent = journal.sent_since(1_000)
        assert sent.contracts >= 1_000 * (ROWS - len(touched))
        assert 0 <= sent.unread <= len(touched)
        journal.newest_change_ms()
        assert all(each.isprintable() for each in journal.examine())
        for number in range(ROWS):
            over = an_order(client_order_id=f"c{number}", order_id=f"o{number}", state=OrderState.FILLED, remaining=0)
            journal.record_update(over, 3_000)
            journal.history(f"c{number}")
        journal.record_sending("new", WANTED, 4_000)
    with closing(sqlite3.connect(folder / "journal.sqlite3")) as file:
        assert file.execute("SELECT count(*) - 1 FROM intents").fetchone() == before, "no row is ever taken away"


@pytest.mark.parametrize("value", [None, b"\xff", "queued", -7, 2**60], ids=repr)
@pytest.mark.parametrize("column", [*TERMS, *COURSE])
def test_every_column_is_looked_at(tmp_path: Path, column: str, value: object) -> None:
    filled_in(tmp_path)
    with closing(loosened(tmp_path)) as file:
        put(file, "intents", column, 2, value)
        file.row_factory = sqlite3.Row
        kept = file.execute("SELECT * FROM intents WHERE rowid = 2").fetchone()[column]
    with closing(opened(tmp_path)) as journal:
        entries = {each.order.client_order_id for each in journal.open_entries() if each.order.order_id}
        assert {"c0", "c2", "c3"} <= entries
        # A text where any text may stand, and an account that may be somebody else's, are no damage.
        free = {"account", "ticker", "order_group_id", "order_id", "reason", "update_reason"}
        harmless = (
            column in free
            if isinstance(kept, str)
            else kept is None and column in {"expires_s", "order_group_id", "subaccount"}
        )
        assert len(journal.set_aside) == (not harmless)
        if not harmless:
            (aside,) = journal.set_aside
            renamed = column == "client_order_id" and isinstance(kept, str)
            assert ("its history is missing" if renamed else f"{column} is ") in aside.sentence
            assert (aside.entry is None) == (column in TERMS and not renamed)
            assert journal.examine() or renamed


def test_readable_rows_around_a_broken_page_come_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with closing(opened(tmp_path)) as journal:
        for number in range(300):
            journal.record_sending(f"order-number-{number:04}", WANTED, 1_000 + number)
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = path.read_bytes()
    pages = [raw[start : start + 4096] for start in range(0, len(raw), 4096)]
    leaf_of_table = 13
    middle = 4096 * next(
        number
        for number, page in enumerate(pages)
        if page[0] == leaf_of_table and b"order-number-0150" in page and b"good_till_canceled" in page
    )
    path.write_bytes(raw[:middle] + b"\xa5" * 4096 + raw[middle + 4096 :])
    with closing(opened(tmp_path)) as journal:
        names = {each.order.client_order_id for each in journal.open_entries()}
        assert "malformed" in journal.trouble
        assert {"order-number-0000", "order-number-0299"} <= names
        assert len(names) > 200
        with pytest.raises(JournalError, match="malformed"):
            journal.record_sending("new", WANTED, 9_000)


def test_a_journal_that_can_only_be_read_is_read(tmp_path: Path) -> None:
    filled_in(tmp_path)
    path = tmp_path / "journal.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        # A write that goes on in another program: reading is possible, writing is not.
        holder.execute("BEGIN IMMEDIATE")
        with closing(Journal.open_anyway(path, "key")) as journal:
            assert "end the other program that holds it" in journal.trouble
            assert "Canceling works" in journal.trouble
            assert len(journal.open_entries()) == ROWS
            journal.record_update(an_order(client_order_id="c0", filled=1), 9_000)
            with pytest.raises(JournalError, match="Canceling works"):
                journal.record_sending("new", WANTED, 9_000)


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").touch()
    with closing(opened(tmp_path)) as journal:
        (notice,) = journal.notices
        assert "was an empty file" in notice


async def test_a_desk_without_a_journal_cancels_and_sends_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    wanted = OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100)
    first, second = (await rig.submit(wanted)).order, (await rig.submit(wanted)).order
    await rig.kill()
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"\xa5" * 20_000)
    rig.opening = Journal.open_anyway
    await rig.start(SessionOptions(dead_man=DeadManOptions(on_quit=True)))
    await rig.pass_time(10)
    assert any(str(path) in each.text for each in rig.session.store.notices)
    kept = (await rig.submit(wanted)).order
    assert kept.state is OrderState.NOT_SENT
    (objection,) = [each for each in rig.session.check_risks(wanted) if each.risk.reason is RiskReason.JOURNAL]
    assert objection.override is OverrideMethod.NEVER
    assert (await rig.session.cancel(first)).order.state is OrderState.CANCELED
    quitting = rig.begin(rig.session.stop())
    await rig.pass_time(20)
    await quitting
    assert rig.session.quit_message.startswith("Canceled 1 order.")
    assert {each.order_id: each.remaining for each in rig.theirs()} == {first.order_id: 0, second.order_id: 0}
    assert path.read_bytes() == b"\xa5" * 20_000


async def test_a_day_of_which_a_row_cannot_be_read_takes_the_word_to_pass(tmp_path: Path) -> None:
    rig = Rig(tmp_path, options=SessionOptions(limits=RiskLimits(day_contracts=10_000)))
    await rig.start()
    await rig.pass_time(1)
    wanted = OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100)
    order = (await rig.submit(wanted)).order
    assert not [each for each in rig.session.check_risks(wanted) if each.risk.reason is RiskReason.LIMIT]
    with closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as file, file:
        file.execute("UPDATE intents SET filled = 'x' WHERE client_order_id = ?", (order.client_order_id,))
    (objection,) = [each for each in rig.session.check_risks(wanted) if each.risk.reason is RiskReason.LIMIT]
    assert (objection.override, objection.word) == (OverrideMethod.WORD, "over")
    assert "1 order in the journal that may be of today cannot be read" in objection.sentence
    await rig.close()


async def test_a_row_that_never_reached_the_exchange_is_told_so_after_the_archive_has_had_its_minute(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100))
    await rig.kill()

    def state() -> str:
        with closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as file:
            return str(file.execute("SELECT state FROM intents").fetchone()[0])

    with closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as file, file:
        file.execute("UPDATE intents SET client_order_id = 'nobody-has-this', price = 'x', state = 'resting'")
    await rig.start()
    await rig.pass_time(40, 500)
    assert state() == "resting"
    await rig.pass_time(60, 500)
    assert state() == "not sent"
    told = [each.text for each in rig.session.store.notices if each.text.startswith("Never arrived")]
    assert len(told) == 1
    await rig.close()
