from pathlib import Path

import pytest

from kalshi_tui.practice.storage.database import Database
from kalshi_tui.practice.storage.reset import DATABASE_FILE, confirm_reset, describe_account_contents
from tests.support.engine import (
    BID,
    Clock,
    exchange,
    place,
)


@pytest.fixture
def traded(tmp_path: Path) -> Path:
    database = Database.open(tmp_path / DATABASE_FILE)
    core = exchange(Clock())
    for _ in range(2):
        place(core, "ann", BID, "0.1000", "10.00")
    database.write_events(core, core.drain_events())
    database.close()
    return tmp_path


def never(question: str) -> str:
    raise AssertionError(f"asked: {question}")


def test_an_account_that_traded_is_asked_about(traded: Path) -> None:
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return answers.pop()

    for said, allowed in (("y", True), (" YES ", True), ("n", False), ("", False), ("j", False), ("yesterday", False)):
        answers = [said]
        assert confirm_reset(traded, ask=answer, terminal=True) is allowed
    assert all("2 orders" in question and str(traded) in question for question in questions)
    assert len(questions) == 6


def test_the_end_of_input_is_no(traded: Path) -> None:
    def ended(question: str) -> str:
        raise EOFError

    assert not confirm_reset(traded, ask=ended, terminal=True)


def test_nobody_is_asked_where_nobody_is_there(traded: Path) -> None:
    assert confirm_reset(traded, ask=never, terminal=False)


def test_nobody_is_asked_where_nothing_is_lost(tmp_path: Path) -> None:
    assert confirm_reset(tmp_path / "absent", ask=never, terminal=True)
    Database.open(tmp_path / DATABASE_FILE).close()
    assert confirm_reset(tmp_path, ask=never, terminal=True)


def test_a_file_that_cannot_be_read_is_asked_about(tmp_path: Path) -> None:
    (tmp_path / DATABASE_FILE).write_bytes(b"damaged " * 4_000)
    assert "cannot be read" in describe_account_contents(tmp_path)
    assert not confirm_reset(tmp_path, ask=lambda _: "n", terminal=True)


def test_an_account_in_use_is_left_to_the_start_to_refuse(traded: Path) -> None:
    holder = Database.open(traded / DATABASE_FILE)
    assert confirm_reset(traded, ask=never, terminal=True)
    holder.close()
    assert describe_account_contents(traded)


def test_looking_leaves_the_account_as_it_is(traded: Path) -> None:
    before = (traded / DATABASE_FILE).read_bytes()
    assert describe_account_contents(traded) == "2 orders and what came of them"
    assert (traded / DATABASE_FILE).read_bytes() == before
