"""The real desk in a real terminal beside a journal that cannot be read: it opens, says so, and cancels."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, OrderTerms
from kalshi_tui.session.execution.journal import Journal
from tests.support import damaged_journals
from tests.support.cli_runner import tradable
from tests.support.desk_terminal import choose_a_calm_market, close_review, order, write_profile
from tests.support.journal_orders import an_order
from tests.support.practice_server import Serving, serving
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal
ARGUMENTS = ("--seed", "7")
JOURNAL = "journal.sqlite3"
CANCEL_ALL = "\x18"
START_S = 120.0
UNTOLD = {"garbage log", "garbage rollback", "folder for its lock", *(["no permissions"] if os.geteuid() == 0 else [])}
"""What costs nothing: SQLite leaves out what it did not write, no lock is needed, and root may read everything."""
NEW = {"zero length", "link to nothing"}
"""What is a new journal from then on."""
SOME = ("unknown word", "garbage header", "newer version", "folder", damaged_journals.LOCKED, "garbage log")
OTHERS = [each for each in damaged_journals.EVERY if each not in SOME]
GROUPS = [OTHERS[start : start + 7] for start in range(0, len(OTHERS), 7)]
"""Those on one exchange, one after another: each begins with a new order and a new journal, and ends with none."""


def one_row(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        assert file.execute("UPDATE intents SET state = 'queued'").rowcount == 1


def the_whole_file(path: Path) -> None:
    path.write_bytes(b"\xa5" * 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [one_row, the_whole_file])
def test_the_desk_opens_and_cancels(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    home = tmp_path / "home"
    terminal = Terminal(ARGUMENTS, home, columns=140, rows=50)
    choose_a_calm_market(terminal)
    order(terminal, "1", "7")
    terminal.wait_text("RESTING")
    close_review(terminal)
    terminal.press("q")
    terminal.wait_text("quit", "may be live")
    terminal.press("y")
    assert terminal.ended() == 0
    (journal,) = home.rglob("journal.sqlite3")
    spoil(journal)
    terminal = Terminal(ARGUMENTS, home, columns=140, rows=50)
    terminal.wait("the order", lambda text: "orders 1 " in text and "RESTING" in text)
    if spoil is the_whole_file:
        terminal.press("b")
        terminal.wait_text("order ticket")
        terminal.press(*"1", "tab", *"7", "enter")
        terminal.wait("why no order leaves", lambda text: "order journal" in text and "cannot be used" in text)
        close_review(terminal)
        if "order ticket" in terminal.text():
            terminal.press("escape")
        terminal.wait("the list", lambda text: "RESTING" in text and "order ticket" not in text)
        # A key right behind an escape would be Alt and that key.
        terminal.press("5")
        terminal.wait_text("[5 Log]")
        terminal.press("1")
        terminal.wait("the list again", lambda text: "RESTING" in text and "[5 Log]" not in text)
    terminal.press("x")
    # Without the journal it is not known that it was meant as a buy.
    terminal.wait_text("Cancel buy YES 7 at 0.01" if spoil is one_row else "Cancel YES 7 at 0.01")
    terminal.press("y")
    terminal.wait_text("Canceled: buy YES 7 at 0.01" if spoil is one_row else "Canceled: YES 7 at 0.01")
    terminal.press("q")
    assert terminal.ended() == 0


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and os.access(path, os.R_OK) else None


async def rest_and_record(exchange: Serving, journal: Path, number: int) -> None:
    """Put an order into the book, and into the journal as the desk that sent it has it."""
    name, ticker = f"sent-{number}", tradable(exchange)
    reply = await exchange.order(ticker, "bid", "0.0100", "7.00", client_order_id=name)
    assert reply.status_code == 201, reply.text
    terms = OrderTerms(ticker, Side.YES, Action.BUY, 100, 700)
    now_ms = exchange.clock()
    told = an_order(
        order_id=reply.json()["order_id"],
        client_order_id=name,
        ticker=ticker,
        book_side=BookSide.BID,
        yes_price=100,
        initial=700,
        remaining=700,
    )
    with closing(Journal.open(journal, "key-of-alice")) as written:
        written.record_sending(name, terms, now_ms)
        written.record_update(told, now_ms)


def cancel_all(home: Path, data: Path, how: str) -> None:
    """Open the desk on the journal, read what it says of it, and cancel all by keys."""
    terminal = Terminal(["--env", "house", "--data", str(data)], home, columns=140, rows=50)
    try:
        # Long enough for a start on a machine with other work.
        terminal.wait("the order", lambda text: "RESTING" in text, within_s=START_S)
        terminal.press("5")
        if how in UNTOLD:
            assert not is_said(terminal.wait_text("[5 Log]"), JOURNAL)
        else:
            words = "set aside" if how in damaged_journals.ROWS else "order journal"
            terminal.wait("what is said", lambda text: is_said(text, words) and is_said(text, JOURNAL))
        terminal.press(CANCEL_ALL)
        terminal.wait_text("- cancel all", "Cancel the 1 open order in 1 market")
        terminal.press("y")
        terminal.wait_text("Canceled 1 order.", "The exchange has none resting.")
    finally:
        terminal.end()


def is_said(screen: str, words: str) -> bool:
    """Return whether words stand on the screen, over however many lines."""
    return "".join(words.split()) in "".join(screen.split())


async def cancel_on_each(home: Path, kinds: Sequence[str]) -> None:
    async with serving() as exchange:
        write_profile(home, exchange)
        for number, how in enumerate(kinds):
            data = home / f"data-{number}"
            data.mkdir()
            await rest_and_record(exchange, data / JOURNAL, number)
            assert resting(exchange) == [f"sent-{number}"]
            try:
                with damaged_journals.damaged(data / JOURNAL, how):
                    before = content(data / JOURNAL)
                    await asyncio.to_thread(cancel_all, home, data, how)
                    if how in damaged_journals.FILES and how not in UNTOLD | NEW:
                        assert content(data / JOURNAL) == before, "what cannot be read is kept as it is"
                assert resting(exchange) == []
            except BaseException as error:
                error.add_note(f"The journal was damaged so: {how}.")
                raise


def resting(exchange: Serving) -> list[str]:
    return [each.client_order_id for each in exchange.exchange.queries.orders("alice") if each.remaining]


@pytest.mark.slow
async def test_the_desk_says_what_is_wrong_with_its_journal_and_cancels_all(tmp_path: Path) -> None:
    await cancel_on_each(tmp_path, SOME)


@pytest.mark.nightly
@pytest.mark.parametrize("kinds", GROUPS, ids=lambda kinds: kinds[0])
async def test_however_its_journal_is_damaged_the_desk_says_so_and_cancels_all(
    tmp_path: Path, kinds: Sequence[str]
) -> None:
    await cancel_on_each(tmp_path, kinds)
