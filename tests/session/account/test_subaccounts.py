"""A session over several subaccounts: what is whose, where it is sent, and a key that is locked to one."""

import asyncio
import sqlite3
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.limits import RiskLimits
from kalshi_tui.domain.order import Action, BookSide, OrderState, OrderTerms
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.kalshi.lists import Read
from kalshi_tui.kalshi.replies import SubaccountBalance
from kalshi_tui.practice.engine.model import account_id_of
from kalshi_tui.practice.engine.records import OrderStatus
from kalshi_tui.session.execution.journal import Journal
from kalshi_tui.session.execution.risk_checks import RiskReason
from kalshi_tui.session.options import SessionOptions
from kalshi_tui.session.store import Store
from tests.support.fake_desk import an_order
from tests.support.journal_orders import TERMS
from tests.support.session_rig import US, Rig, Trouble


def give(rig: Rig, number: int, cents: int = 100_000) -> None:
    rig.exchange.subaccounts.transfer(US, str(uuid.uuid4()), 0, number, cents)
    rig.server.commit()


def with_subaccounts(rig: Rig, count: int) -> None:
    for _ in range(count):
        give(rig, rig.exchange.subaccounts.create(US))


def terms_in(rig: Rig, subaccount: int | None, count: int = 500, price: int = 4_000) -> OrderTerms:
    return OrderTerms(rig.ticker, Side.YES, Action.BUY, price, count, subaccount=subaccount)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    with_subaccounts(made, 3)
    await made.start()
    await made.pass_time(10)
    yield made
    await made.close()


def test_a_position_of_a_subaccount_is_not_the_primarys() -> None:
    store = Store(lambda: 0)
    store.position(Position("T", 1_000, 4_000_000))
    store.position(Position("T", -5_000, 4_000_000, subaccount=3))
    assert store.positions["T"].count == 1_000
    assert {key: each.count for key, each in store.account.positions_by_key.items()} == {
        ("T", 0): 1_000,
        ("T", 3): -5_000,
    }
    assert store.account.view.numbers == (0, 3)
    store.account.choose_subaccount(3)
    assert store.positions["T"].count == -5_000
    assert [each.subaccount for each in store.account.positions_in_view()] == [3]
    store.account.set_positions([Position("T", 700)], as_of_ms=10)
    assert "T" not in store.positions


def test_cash_is_that_of_the_subaccount_that_is_chosen() -> None:
    store = Store(lambda: 0)
    store.account.set_balance(Balance(100, 0))
    assert store.balance is not None
    store.account.choose_subaccount(2)
    assert 2 not in store.account.balances
    store.account.set_balance(Balance(7, 0, subaccount=2))
    assert store.account.balances[2] == store.balance == Balance(7, 0, subaccount=2)


async def test_orders_positions_and_cash_of_all_are_known_with_their_numbers(rig: Rig) -> None:
    await rig.submit(terms_in(rig, 3))
    await rig.submit(terms_in(rig, None, price=3_000))
    rig.trade(BookSide.ASK, 4_000, 200)
    rig.deliver()
    await rig.pass_time(10)
    store = rig.session.store
    assert {(order.subaccount, order.filled) for order in store.orders.values()} == {(3, 200), (0, 0)}
    assert {key: each.count for key, each in store.account.positions_by_key.items()} == {(rig.ticker, 3): 200}
    assert store.account.view.numbers == (0, 1, 2, 3)
    assert any("in subaccount 3" in notice.text and "Partly filled" in notice.text for notice in store.notices)
    rig.check()


async def test_a_cancel_and_a_change_go_out_with_the_orders_own_number(rig: Rig) -> None:
    placed = (await rig.submit(terms_in(rig, 2))).order
    agreed = frozenset(each.risk for each in rig.session.check_risks(terms_in(rig, 2)))
    changed = await rig.session.amend(placed, 3_900, 400, agreed)
    assert not changed.refused, changed.sentence
    smaller = await rig.session.amend(rig.session.store.known_order(placed), 3_900, 300)
    assert not smaller.refused, smaller.sentence
    await rig.session.cancel(rig.session.store.known_order(placed))
    await rig.pass_time(10)
    [theirs] = rig.theirs()
    assert (theirs.status, theirs.price, theirs.account_id) == (OrderStatus.CANCELED, 3_900, account_id_of(US, 2))
    rig.check()


async def test_a_cancel_of_all_takes_the_subaccount_in_view_or_every_one(rig: Rig) -> None:
    for number in (None, 2, 3):
        await rig.submit(terms_in(rig, number, price=3_000 + (number or 0) * 100))
    doing = rig.begin(rig.session.cancel_all(subaccount=2))
    await rig.pass_time(30)
    done = doing.result()
    assert done.proved
    assert "Canceled 1 order of subaccount 2." in done.sentence
    resting = [each.account_id for each in rig.theirs() if each.status is OrderStatus.RESTING]
    assert sorted(resting) == [US, account_id_of(US, 3)]
    # As the dead-man's switch and the command line ask for it.
    doing = rig.begin(rig.session.cancel_all())
    await rig.pass_time(30)
    assert doing.result().proved
    assert "Canceled 2 orders of all subaccounts." in doing.result().sentence
    assert not [each for each in rig.theirs() if each.status is OrderStatus.RESTING]


async def test_a_limit_of_a_market_is_measured_where_the_order_would_go(tmp_path: Path) -> None:
    rig = Rig(tmp_path, options=SessionOptions(limits=RiskLimits(market_contracts=600)))
    with_subaccounts(rig, 1)
    await rig.start()
    await rig.pass_time(10)
    await rig.submit(terms_in(rig, 1))
    over = [each for each in rig.session.check_risks(terms_in(rig, 1)) if each.risk.subject]
    assert over, "5 of 6 contracts are used up there"
    assert not [each for each in rig.session.check_risks(terms_in(rig, None)) if each.risk.subject]
    await rig.close()


async def test_an_order_of_unknown_outcome_is_found_in_its_subaccount(rig: Rig) -> None:
    result = rig.submit(terms_in(rig, 3), Trouble.REPLY_LOST)
    await rig.pass_time(40)
    assert result.result().order.state is OrderState.UNKNOWN
    [order] = rig.session.store.orders.values()
    assert (order.state, order.subaccount) == (OrderState.RESTING, 3)
    rig.check()


async def test_after_a_crash_the_number_is_that_of_the_journal(rig: Rig) -> None:
    rig.submit(terms_in(rig, 3), Trouble.REPLY_LOST)
    await rig.spin()
    await rig.kill()
    await rig.start()
    [order] = rig.session.store.orders.values()
    assert order.subaccount == 3
    await rig.pass_time(40)
    done = rig.begin(rig.session.cancel(next(iter(rig.session.store.orders.values()))))
    await rig.pass_time(10)
    assert done.result().order.state is OrderState.CANCELED


def test_an_older_journal_is_of_the_primary(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with closing(Journal.open(path, "key")) as journal:
        journal.record_sending("c1", TERMS, 20)
    with closing(sqlite3.connect(path)) as older:
        older.execute("ALTER TABLE intents DROP COLUMN subaccount")
        older.commit()
    path.chmod(0o600)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as held:
        held.execute("BEGIN")
        assert held.execute("SELECT COUNT(*) FROM intents").fetchone() == (1,)
    with closing(Journal.open(path, "key")) as journal:
        [entry] = journal.open_entries()
        assert (entry.terms.subaccount, entry.order.subaccount) == (None, 0)
        journal.record_sending("c2", replace(TERMS, subaccount=7), 30)
        journal.record_update(an_order(client_order_id="c1", order_id="o1", subaccount=3), 40)
    with closing(Journal.open(path, "key")) as journal:
        assert [each.order.subaccount for each in journal.open_entries()] == [3, 7]
        assert not journal.set_aside
        assert journal.examine() == []


def test_an_older_journal_that_cannot_be_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.sqlite3"
    with closing(Journal.open(path, "key")) as journal:
        journal.record_sending("c1", TERMS, 20)
    with closing(sqlite3.connect(path)) as older:
        older.execute("PRAGMA journal_mode = DELETE")
        older.execute("ALTER TABLE intents DROP COLUMN subaccount")
        older.commit()

    def broken(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr("kalshi_tui.session.execution.journal._initialize_database", broken)
    with closing(Journal.open_anyway(path, "key")) as journal:
        assert journal.trouble
        [entry] = journal.open_entries()
        assert (entry.order.client_order_id, entry.order.subaccount) == ("c1", 0)


def test_a_number_that_cannot_be_sets_its_row_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with closing(Journal.open(path, "key")) as journal:
        journal.record_sending("c1", TERMS, 20)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE intents SET subaccount = 64")
    with closing(Journal.open(path, "key")) as journal:
        journal.open_entries()
        assert "subaccount is 64" in journal.set_aside[0].sentence


async def test_a_locked_key_says_so_and_trades_in_its_own(tmp_path: Path) -> None:
    rig = Rig(tmp_path, locked=2)
    with_subaccounts(rig, 3)
    rig.exchange.order_entry.create(account_id_of(US, 1), rig.request(3_000))
    rig.server.commit()
    # The stream of such a key carries nothing of its siblings.
    rig.untold.clear()
    await rig.start()
    await rig.pass_time(10)
    store = rig.session.store
    assert any("locked to one subaccount" in notice.text for notice in store.notices)
    view = store.account.view
    assert view.is_locked
    assert not store.orders
    assert store.balance is not None
    assert store.balance.cash == 1_000 * 1_000_000
    placed = rig.submit(terms_in(rig, view.for_order))
    await rig.pass_time(10)
    rig.trade(BookSide.ASK, 4_000, 200)
    rig.deliver()
    await rig.pass_time(10)
    # The exchange's reports name the number; from then on it is known.
    assert view.own_number == 2
    assert store.positions[rig.ticker].count == 200
    done = rig.begin(rig.session.cancel(placed.result().order))
    await rig.pass_time(10)
    assert done.result().order.state is OrderState.CANCELED
    assert store.balance is not None
    assert store.balance.subaccount == 2
    await rig.close()


async def test_a_locked_key_is_warned_of_the_minute_after_its_own_cancel_all(tmp_path: Path) -> None:
    rig = Rig(tmp_path, options=SessionOptions(max_canceled_by_name=0), locked=2)
    with_subaccounts(rig, 3)
    rig.untold.clear()
    await rig.start()
    await rig.pass_time(10)
    view = rig.session.store.account.view
    rig.submit(terms_in(rig, view.for_order))
    await rig.pass_time(10)
    rig.deliver()
    assert view.own_number == 2
    canceling = rig.begin(rig.session.cancel_all(subaccount=2))
    await rig.pass_time(12)
    assert (await canceling).one_call
    reasons = {each.risk.reason for each in rig.session.check_risks(terms_in(rig, view.for_order))}
    assert RiskReason.AFTER_CANCEL_ALL in reasons
    await rig.close()


async def test_a_locked_key_is_warned_of_a_minute_though_nothing_has_named_its_subaccount_yet(tmp_path: Path) -> None:
    rig = Rig(tmp_path, locked=2)
    with_subaccounts(rig, 3)
    rig.untold.clear()
    await rig.start()
    await rig.pass_time(10)
    view = rig.session.store.account.view
    terms = terms_in(rig, view.for_order)
    assert (view.is_locked, view.own_number) == (True, None)
    assert RiskReason.AFTER_CANCEL_ALL not in {each.risk.reason for each in rig.session.check_risks(terms)}
    # As another program with this key does that was told the number.
    rig.journal.record_cancel_all(2, rig.session.parts.rest.clock.now_ms())
    assert RiskReason.AFTER_CANCEL_ALL in {each.risk.reason for each in rig.session.check_risks(terms)}
    await rig.close()


async def test_a_subaccount_that_a_list_lacks_is_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path)
    with_subaccounts(rig, 3)
    await rig.start()
    await rig.pass_time(10)
    account, rest = rig.session.store.account, rig.session.parts.rest
    rig.submit(terms_in(rig, 3))
    await rig.pass_time(3)
    rig.trade(BookSide.ASK, 4_000, 200)
    rig.deliver()
    await rig.pass_time(10)
    assert account.positions_by_key[rig.ticker, 3].count == 200
    whole = rest.subaccount_balances

    async def lagging() -> Read[SubaccountBalance]:
        found = await whole()
        found[:] = [each for each in found if each.number != 3]
        return found

    monkeypatch.setattr(rest, "subaccount_balances", lagging)
    rig.session.parts.readers.account.request_full_read()
    await rig.pass_time(30)
    assert account.positions_by_key[rig.ticker, 3].count == 200
    assert 3 in account.view.numbers
    await rig.close()


STEP = st.tuples(
    st.sampled_from(["buy", "buy", "sell", "trade", "trade", "cancel", "move", "time", "news", "again"]),
    st.integers(0, 3),
    st.integers(38, 42),
    st.integers(1, 9),
)


async def live(rig: Rig, steps: list[tuple[str, int, int, int]]) -> None:
    await rig.start()
    await rig.pass_time(5)
    for kind, number, cents, count in steps:
        if kind in {"buy", "sell"}:
            action = Action.BUY if kind == "buy" else Action.SELL
            terms = OrderTerms(rig.ticker, Side.YES, action, cents * 100, count * 100, subaccount=number or None)
            trouble = [Trouble.REPLY_LOST] if count == 9 else []
            rig.submit(terms, *trouble)
            await rig.spin()
        elif kind == "trade":
            rig.trade(BookSide.BID if number % 2 else BookSide.ASK, cents * 100, count * 100)
        elif kind == "cancel":
            resting = [each for each in rig.session.store.working_orders() if each.state is OrderState.RESTING]
            if resting:
                rig.begin(rig.session.cancel(resting[number % len(resting)]))
                await rig.spin()
        elif kind == "move":
            if number:
                give(rig, number, count * 100)
        elif kind == "time":
            await rig.pass_time(count)
        elif kind == "again":
            await rig.kill()
            await rig.start()
            await rig.spin()
        else:
            rig.deliver(["all", "twice", "reversed", "none"][number])
    await rig.heal()
    rig.check()
    await rig.close()


def run_life(steps: list[tuple[str, int, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:

        async def go() -> None:
            rig = Rig(Path(folder))
            with_subaccounts(rig, 3)
            await live(rig, steps)

        asyncio.run(go())


def test_store_and_exchange_agree_after_a_life_in_several_subaccounts() -> None:
    run_life(
        [
            ("buy", 3, 42, 9),
            ("buy", 0, 41, 5),
            ("trade", 0, 41, 8),
            ("news", 1, 38, 1),
            ("sell", 3, 41, 4),
            ("buy", 1, 40, 3),
            ("trade", 1, 42, 6),
            ("again", 0, 38, 1),
            ("move", 2, 38, 7),
            ("cancel", 1, 38, 1),
            ("news", 2, 38, 1),
        ]
    )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, min_size=4, max_size=30))
def test_store_and_exchange_agree_over_many_lives_in_several_subaccounts(
    steps: list[tuple[str, int, int, int]],
) -> None:
    run_life(steps)
