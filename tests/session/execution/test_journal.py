import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.limits import DailyVolume
from kalshi_tui.domain.order import Action, BookSide, Fill, OrderState, OrderTerms, TimeInForce
from kalshi_tui.session.execution.journal import MIN_FREE_BYTES, Journal, JournalError
from kalshi_tui.session.execution.risk_checks import Risk, RiskReason
from tests.support.journal_orders import TERMS, an_order
from tests.support.session_rig import Rig, Trouble

STALE = Risk(RiskReason.STALE_BOOK)


def reopened(folder: Path, account: str = "key") -> Journal:
    return Journal.open(folder / "journal.sqlite3", account)


def test_what_was_sent_is_found_at_the_next_start(tmp_path: Path) -> None:
    with closing(reopened(tmp_path)) as journal:
        journal.record_draft("c1", TERMS, 10)
        journal.record_draft("c2", TERMS, 11)
        journal.record_sending("c1", TERMS, 20)
    with closing(reopened(tmp_path)) as journal:
        (entry,) = journal.open_entries()
        assert entry.terms == TERMS
        assert (entry.order.state, entry.order.created_ms, entry.changed_ms) == (OrderState.SENDING, 20, 20)
        journal.record_update(an_order(filled=400, remaining=600), 30)
    with closing(reopened(tmp_path)) as journal:
        (entry,) = journal.open_entries()
        assert (entry.order.order_id, entry.order.filled, entry.changed_ms) == ("o1", 400, 30)
        journal.record_update(an_order(filled=1_000, remaining=0, state=OrderState.FILLED), 40)
        assert [change.what for change in journal.history("c1")] == ["drafted", "sending", "resting", "filled"]
    with closing(reopened(tmp_path)) as journal:
        assert journal.open_entries() == []


def test_what_could_not_be_drafted_is_written_when_it_is_sent(tmp_path: Path) -> None:
    with closing(reopened(tmp_path)) as journal:
        journal.record_sending("c1", TERMS, 20)
        assert [change.what for change in journal.history("c1")] == ["drafted", "sending"]


def test_another_account_sees_nothing_of_it(tmp_path: Path) -> None:
    with closing(reopened(tmp_path)) as journal:
        journal.record_sending("c1", TERMS, 20)
    with closing(reopened(tmp_path, "another key")) as journal:
        assert journal.open_entries() == []
        assert journal.sent_since(0) == DailyVolume()


def test_with_a_practice_account_its_journal_is_thrown_away(tmp_path: Path) -> None:
    with closing(reopened(tmp_path)) as journal:
        journal.record_sending("c1", TERMS, 20)
    Journal.delete(tmp_path / "journal.sqlite3")
    assert list(tmp_path.iterdir()) == []
    Journal.delete(tmp_path / "journal.sqlite3")
    with pytest.raises(JournalError, match="cannot be removed"):
        Journal.delete(tmp_path)


def test_the_same_news_twice_is_one_line(tmp_path: Path) -> None:
    with closing(reopened(tmp_path)) as journal:
        journal.record_sending("c1", TERMS, 20)
        journal.record_update(an_order(), 30)
        journal.record_update(an_order(updated_ms=7), 40)
        assert len(journal.history("c1")) == 3


def test_orders_that_this_program_did_not_send_are_not_its_business(tmp_path: Path) -> None:
    with closing(reopened(tmp_path)) as journal:
        journal.record_update(an_order(client_order_id=""), 30)
        journal.record_update(an_order(client_order_id="somebody's"), 30)
        journal.record_request(an_order(client_order_id="somebody's"), "cancel asked", 30)
        assert journal.history("somebody's") == []


def test_the_day_counts_what_reached_the_exchange_or_may_have(tmp_path: Path) -> None:
    with closing(reopened(tmp_path)) as journal:
        for name in ("early", "resting", "part", "refused", "lost", "unknown"):
            journal.record_sending(name, TERMS, 5 if name == "early" else 50)
        journal.record_update(an_order(client_order_id="resting", order_id="o2"), 60)
        over = an_order(client_order_id="part", order_id="o3", filled=300, remaining=0, state=OrderState.CANCELED)
        journal.record_update(over, 60)
        for name, state in (
            ("refused", OrderState.REFUSED), ("lost", OrderState.NOT_SENT), ("unknown", OrderState.UNKNOWN)
        ):  # fmt: skip
            journal.record_update(an_order(client_order_id=name, order_id="", state=state), 60)
        contracts = 1_000 + 300 + 1_000
        assert journal.sent_since(50) == DailyVolume(contracts, contracts * 4_400)


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    with closing(reopened(tmp_path / "new")) as journal:
        journal.record_draft("c1", TERMS, 10)
        for each in (tmp_path / "new").iterdir():
            assert stat.S_IMODE(each.stat().st_mode) == 0o600, each.name
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_one_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    reopened(tmp_path).close()
    for file in tmp_path.iterdir():
        file.chmod(0o644)
    with closing(reopened(tmp_path)) as journal:
        journal.record_draft("c1", TERMS, 10)
        assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}


def test_each_write_is_synced(tmp_path: Path) -> None:
    with closing(reopened(tmp_path)) as journal:
        assert journal._connection.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert journal._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_damaged_journal_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"no database at all" * 100)
    with pytest.raises(JournalError, match="move the file away if it is damaged"):
        reopened(tmp_path)


def test_a_journal_of_another_version_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as other:
        other.execute("PRAGMA user_version = 77")
    with pytest.raises(JournalError, match="another version, 77"):
        reopened(tmp_path)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="Without it no order is sent"):
        reopened(tmp_path / "file")


def test_a_full_disk_while_another_program_writes_is_an_error_in_words(tmp_path: Path) -> None:
    with closing(reopened(tmp_path)) as journal:
        journal._connection.execute("PRAGMA max_page_count = 1")

        def fill_up() -> None:
            for number in range(1_000):
                journal.record_draft(f"c{number}", TERMS, 10)

        with pytest.raises(JournalError, match="make room on the disk"):
            fill_up()


async def test_an_order_that_cannot_be_written_down_is_not_sent(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    rig.journal._connection.execute("PRAGMA query_only = ON")
    sending = rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100))
    await rig.pass_time(1)
    assert sending.result().order.state is OrderState.NOT_SENT
    assert "journal cannot be written" in sending.result().sentence
    assert not [method for method, *_ in rig.line.commands if method == "POST"]
    rig.journal._connection.execute("PRAGMA query_only = OFF")
    assert (
        await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100))
    ).order.state is OrderState.RESTING
    await rig.close()


async def test_the_intent_is_on_the_disk_when_the_first_byte_leaves(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    seen = []
    process = rig.line.process_request

    async def looking(request: object) -> object:
        with closing(sqlite3.connect(f"file:{tmp_path}/journal.sqlite3?mode=ro", uri=True)) as beside:
            seen.extend(
                beside.execute("SELECT client_order_id, state FROM intents WHERE state <> 'drafted'").fetchall()
            )
        return await process(request)  # type: ignore[arg-type]  # handed on

    rig.line.process_request = looking  # type: ignore[method-assign,assignment]  # a look on the way
    sending = rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100))
    await rig.spin()
    assert seen[0] == (sending.result().order.client_order_id, "sending")
    await rig.close()


async def test_taking_up_what_rests_writes_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    order = (await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100))).order
    await rig.pass_time(10)
    before = rig.journal.history(order.client_order_id)
    await rig.kill()
    await rig.start()
    (taken_up,) = rig.session.store.orders.values()
    assert taken_up.state is OrderState.UNKNOWN
    await rig.spin()
    (known,) = rig.session.store.orders.values()
    assert known.state is OrderState.RESTING
    assert rig.journal.history(order.client_order_id) == before
    await rig.close()


async def test_what_happens_to_an_order_that_was_taken_up_is_written_before_the_exchange_was_asked(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 1_000), Trouble.REPLY_LOST)
    await rig.kill()
    # The stream tells of an execution while nothing can be read yet.
    rig.line.down_until_ms = rig.clock.now_ms + 60_000
    await rig.start()
    (record,) = rig.theirs()
    fill = Fill(
        "t-1",
        record.order_id,
        record.client_order_id,
        rig.ticker,
        BookSide.BID,
        4_000,
        300,
        0,
        is_taker=False,
        ts_ms=rig.clock.now_ms,
    )
    rig.session.store.fill(fill)
    (known,) = rig.session.store.orders.values()
    assert (known.state, known.order_id, known.filled) == (OrderState.UNKNOWN, record.order_id, 300)
    await rig.kill()
    with closing(reopened(tmp_path)) as journal:
        (entry,) = journal.open_entries()
        assert (entry.order.order_id, entry.order.filled, entry.order.remaining) == (record.order_id, 300, 700)
        assert entry.in_flight
    await rig.start()
    await rig.close()


async def test_a_cancel_that_was_asked_for_is_written_down(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    order = (await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100))).order
    await rig.session.cancel(order)
    rig.deliver()
    assert [change.what for change in rig.journal.history(order.client_order_id)] == [
        "drafted", "sending", "resting", "cancel asked", "cancelled",
    ]  # fmt: skip
    (known,) = rig.session.store.orders.values()
    assert known.reason == "by you"
    await rig.close()


async def test_a_killed_ioc_is_never_offered_to_be_sent_again(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    for tif in (TimeInForce.IOC, TimeInForce.FOK):
        killed = OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100, tif)
        order = (await rig.submit(killed, Trouble.NO_CONNECTION)).order
        assert order.state is OrderState.NOT_SENT
        assert rig.session.resendable_terms(order) is None
    terms = OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100)
    order = (await rig.submit(terms, Trouble.NO_CONNECTION)).order
    assert order.state is OrderState.NOT_SENT
    assert rig.session.resendable_terms(order) == terms
    again = await rig.session.submit(terms, order.client_order_id, frozenset({STALE}))
    assert again.order.state is OrderState.RESTING
    assert [record.client_order_id for record in rig.theirs()] == [order.client_order_id]
    twice = await rig.session.submit(terms, order.client_order_id, frozenset({STALE}))
    assert "never sent twice" in twice.sentence
    assert len(rig.theirs()) == 1
    await rig.close()


FULL = """
import asyncio, resource, signal, sys
from pathlib import Path
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, OrderState, OrderTerms
from tests.support.session_rig import Rig

async def main(folder):
    rig = Rig(folder)
    await rig.start()
    await rig.pass_time(1)
    terms = OrderTerms(rig.ticker, Side.YES, Action.BUY, 100, 100)
    wal = folder / "journal.sqlite3-wal"
    # A file that may not grow is what a full disk or a quota is to the program that writes it.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 400_000, resource.RLIM_INFINITY))
    for number in range(100):
        sending = rig.submit(terms)
        await rig.pass_time(1)
        outcome = sending.result()
        print(outcome.order.state.value, outcome.sentence)
        if outcome.order.state is OrderState.NOT_SENT:
            break
    theirs = {each.client_order_id for each in rig.theirs()}
    assert len(theirs) == number, (len(theirs), number)
    assert outcome.order.client_order_id not in theirs
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    again = rig.submit(terms)
    await rig.pass_time(1)
    assert again.result().order.state is OrderState.RESTING, again.result().sentence
    await rig.heal()
    written = {entry.order.client_order_id for entry in rig.journal.open_entries()}
    assert written == {each.client_order_id for each in rig.theirs()}
    await rig.close()

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_disk_that_fills_up_stops_orders_before_one_leaves_unwritten(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    assert told[0].startswith("resting")
    assert told[-1].startswith("not sent")
    assert "The order journal cannot be written" in told[-1]
    assert "make room on the disk" in told[-1]


def room(monkeypatch: pytest.MonkeyPatch, free: int, total: int = 10**12) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(total=total, used=0, free=free))


async def test_orders_stop_while_there_is_still_room_for_what_becomes_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    terms = OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 1_000)
    order = (await rig.submit(terms)).order
    room(monkeypatch, MIN_FREE_BYTES - 1)
    outcome = await rig.submit(terms)
    assert outcome.order.state is OrderState.NOT_SENT
    assert "its disk has only 8 MB left. Make room on the disk." in outcome.sentence
    commands = len(rig.line.commands)
    for price, count in ((4_100, 1_000), (4_000, 1_500)):
        changed = await rig.session.amend(order, price, count, frozenset({STALE}))
        assert changed.sentence.startswith("Not changed")
        assert "Make room on the disk." in changed.sentence
    assert len(rig.line.commands) == commands, "nothing has left"
    less = await rig.session.amend(order, 4_000, 500, frozenset({STALE}))
    assert less.sentence.startswith("Changed"), "risk can always be taken away"
    assert (await rig.session.cancel(less.order)).order.state is OrderState.CANCELED
    rig.deliver()
    assert rig.journal.history(order.client_order_id)[-1].what == "cancelled", "what becomes of it is still written"
    room(monkeypatch, MIN_FREE_BYTES)
    assert (await rig.submit(terms)).order.state is OrderState.RESTING
    room(monkeypatch, 0, total=0)
    assert (await rig.submit(terms)).order.state is OrderState.RESTING, "a disk that does not tell is no full one"
    await rig.close()


async def test_a_change_that_cannot_be_written_down_is_not_asked_for(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    order = (await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 1_000))).order
    commands = len(rig.line.commands)
    rig.journal._connection.execute("PRAGMA query_only = ON")
    outcome = await rig.session.amend(order, 4_100, 1_000, frozenset({STALE}))
    assert "journal cannot be written" in outcome.sentence
    assert len(rig.line.commands) == commands
    assert (await rig.session.cancel(order)).order.state is OrderState.CANCELED, "a cancel waits for no disk"
    rig.journal._connection.execute("PRAGMA query_only = OFF")
    await rig.close()


def test_a_journal_that_others_could_read_is_its_owners_again(tmp_path: Path) -> None:
    reopened(tmp_path).close()
    (tmp_path / "journal.sqlite3").chmod(0o644)
    with closing(reopened(tmp_path)) as journal:
        journal.record_draft("c1", TERMS, 10)
        assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}


def files_of(folder: Path) -> list[Path]:
    return list(folder.rglob("*.sqlite3"))


async def test_a_journal_that_is_no_longer_where_the_next_start_looks_takes_no_order(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    terms = OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 1_000)
    order = (await rig.submit(terms)).order
    (path,) = files_of(tmp_path)
    away = path.rename(path.with_name("away"))
    for text in (None, b""):
        # Gone, or another file in its place.
        if text is not None:
            path.write_bytes(text)
        outcome = await rig.submit(terms)
        assert outcome.order.state is OrderState.NOT_SENT
        assert "has been moved or deleted" in outcome.sentence
    # What takes risk away goes on.
    assert (await rig.session.cancel(order)).order.state is OrderState.CANCELED
    away.replace(path)
    assert (await rig.submit(terms)).order.state is OrderState.RESTING
    await rig.close()


def test_a_journal_knows_whether_another_program_uses_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    first = Journal.open(path, "key")
    assert not first.is_shared()
    second = Journal.open(path, "key")
    assert first.is_shared()
    assert second.is_shared()
    second.close()
    assert not first.is_shared()
    first.close()
    assert not Journal.in_memory().is_shared()
