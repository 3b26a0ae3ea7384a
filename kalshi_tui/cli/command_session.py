"""The session of one command that writes: the desk's checks, journal and order status, without its market lists."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from kalshi_tui.cli.context import JOURNAL_FILE
from kalshi_tui.cli.exchange_access import CommandExchange, failure_from
from kalshi_tui.cli.exit_codes import UNKNOWN, FailedError, write_sentence
from kalshi_tui.cli.flags import BLIND_FLAG, OVER_LIMIT_FLAG
from kalshi_tui.cli.query import await_reply, is_name, read_full_market, tell_left_out
from kalshi_tui.domain.escaping import escape_unprintable
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Order, OrderState, OrderTerms
from kalshi_tui.domain.price import Count
from kalshi_tui.domain.text import named_order_text
from kalshi_tui.kalshi.errors import KalshiError, NotFound, UnknownOutcome
from kalshi_tui.kalshi.lists import LeftOut
from kalshi_tui.kalshi.order_status import LISTING_TIMEOUT_S, fetch_order_by_id
from kalshi_tui.runtime.compose import VENUE_BY_KIND, build_session
from kalshi_tui.runtime.settings import build_session_options
from kalshi_tui.session.account.account_view import subaccount_text
from kalshi_tui.session.account.order_merge import UNCONFIRMED_STATES
from kalshi_tui.session.execution.journal import Journal, JournalError
from kalshi_tui.session.execution.journal_rows import Entry
from kalshi_tui.session.options import DeadManOptions, SessionOptions
from kalshi_tui.session.session import Session
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue

T = TypeVar("T")

ACCOUNT_UNREAD_MESSAGE: Final = "Your account could not be read: position, cash and limits are not known."
READY_TIMEOUT_S: Final = 10.0
"""How long to wait for book and account before an order."""
MAX_IN_FLIGHT_AGE_MS: Final = 60_000
"""An order that the journal calls being sent for longer than this is in flight in no program: a reply is awaited for
half as long."""
POLL_INTERVAL_S: Final = 0.02
MAX_ANSWER_LENGTH: Final = 1_000


class CommandSession:
    """A session that has not started, and what a command needs of it."""

    def __init__(self, session: Session, options: SessionOptions, journal: Journal, venue: Venue) -> None:
        """Make. Raises JournalError."""
        self.session = session
        self.rest = session.parts.rest
        self.options = options
        self.venue = venue
        self._journal = journal
        self._entries: Sequence[Entry] = journal.open_entries()
        self.unresolved_orders = tuple(
            each.order for each in self._entries if each.in_flight or not each.order.order_id
        )
        """Orders whose outcome the journal did not know when this command started."""

    def reload_journal(self) -> None:
        """Read the journal's open orders again. Raises JournalError."""
        self._entries = self._journal.open_entries()

    @property
    def not_in_flight_ids(self) -> frozenset[str]:
        """Client order ids of the journal's open orders without a request in flight: they rest, or have ended."""
        return frozenset(
            each.order.client_order_id for each in self._entries if each.order.order_id and not each.in_flight
        )

    @property
    def in_flight_orders(self) -> tuple[Order, ...]:
        """Orders that another program on this journal, a desk or a command, may be sending at this moment."""
        now_ms = self.rest.clock.now_ms()
        return tuple(
            each.order
            for each in self._entries
            if each.order.state is OrderState.SENDING and now_ms - each.changed_ms < MAX_IN_FLIGHT_AGE_MS
        )

    @property
    def store(self) -> Store:
        """The store of the session."""
        return self.session.store

    def describe_unresolved(self) -> list[str]:
        """Return a sentence about each order that was in doubt: what became of it, or that it is still unknown."""
        told = []
        for each in self.unresolved_orders:
            known = self.store.known_order(each)
            word = "UNKNOWN still" if known.state in UNCONFIRMED_STATES else known.state.word
            told.append(f"An earlier order was in doubt: {named_order_text(known)} is {word}.")
        return told

    async def start(self) -> None:
        """Start the session."""
        await self.session.start(single_command=True)

    async def open_market(self, ticker: str) -> Market:
        """Read a market, start, and follow its book. Raises FailedError."""
        # Before the stream: what is read sets the clock by the exchange's, as its signature needs.
        market, event = await await_reply(read_full_market(self.rest, ticker))
        self.store.market_data.set_markets([market], [event])
        await self.start()
        self.session.set_shown_markets([market.ticker])
        return self.store.markets[ticker]

    async def wait_for_account(self) -> bool:
        """Wait until cash, positions and orders have been read; return whether they have.

        With limits on a market they must be as new as the journal's newest line, since the exchange's lists lag.
        """
        limits = self.options.limits
        by_market = limits.market_contracts is not None or limits.market_dollars is not None
        known = (lambda: self.session.is_account_current) if by_market else (lambda: self.session.is_account_read)
        return await wait_until(known, READY_TIMEOUT_S)

    def describe_unread_account(self, flags: Iterable[str]) -> str:
        """Return why an order must wait for an account that could not be read; empty if these flags pass it."""
        limits = self.options.limits
        if limits.market_contracts is not None or limits.market_dollars is not None:
            if limits.hard:
                return (
                    f"{ACCOUNT_UNREAD_MESSAGE} Your limits of a market cannot be told without it. Nothing passes this."
                )
            if OVER_LIMIT_FLAG not in flags:
                return f"{ACCOUNT_UNREAD_MESSAGE} {BLIND_FLAG} and {OVER_LIMIT_FLAG} together pass this."
        return "" if BLIND_FLAG in flags else f"{ACCOUNT_UNREAD_MESSAGE} {BLIND_FLAG} passes this."

    async def wait_for_book(self, ticker: str) -> bool:
        """Wait until the book can be trusted; return whether it can."""
        return await wait_until(lambda: self.store.book(ticker).is_good, READY_TIMEOUT_S)

    async def find_order(self, name: str, command_name: str) -> Order:
        """Read an order by its id or its client order id. Raises FailedError.

        That there is none is proved first, which takes some seconds; ``command_name`` is what is not sent then.
        """
        if not is_name(name.strip()):
            raise FailedError(f"{name[:40]!r} is no id of an order; 'kalshi-tui orders' lists them.", "usage", 2)
        return self.store.account.intents.with_meaning(await self._find_order(name, command_name))

    async def _find_order(self, name: str, command_name: str) -> Order:
        try:
            return await self.rest.order(name)
        except NotFound:
            for entry in self._entries:
                if entry.order.order_id and name in {entry.order.order_id, entry.order.client_order_id}:
                    # Sent a moment ago from here: the exchange's lists, which lag, do not have it yet.
                    return entry.order
        except KalshiError as error:
            raise failure_from(error) from error
        # Another program may have sent it a moment ago. One look that misses it is no proof: believed, a cancel would
        # leave it resting and say that there is no such order.
        return await await_reply(
            fetch_order_by_id(self.rest, name, command_name, LISTING_TIMEOUT_S, also_client_order_id=True)
        )

    def require_subaccount(self, order: Order, subaccount: int | None) -> None:
        """Raise FailedError unless an order is of the subaccount that was named; and look at that one from now on."""
        if subaccount is not None and order.subaccount != subaccount:
            raise FailedError(
                f"Nothing was sent: the order is of {subaccount_text(order.subaccount)}, "
                f"not of {subaccount_text(subaccount)}.",
                "kept_back",
            )
        self.store.account.choose_subaccount(order.subaccount)

    async def read_queue_positions(self, terms: OrderTerms) -> None:
        """Read where in the queue own orders are that an order would meet: it fills what stands before them."""
        account, positions = self.store.account, dict[str, Count]()
        try:
            for number in sorted({each.subaccount for each in account.own_orders(terms).in_the_way(terms)}):
                asked = account.view.request_number(number)
                positions |= await self.rest.queue_positions([terms.ticker], subaccount=asked)
        except KalshiError:
            # Not known: then none are counted before them.
            return
        account.set_queue_positions(positions)

    async def wait_until_known(self, order: Order, wait_s: float) -> Order:
        """Wait, at most ``wait_s``, until the outcome of an order is known; return the order as known then."""
        await wait_until(lambda: self.store.known_order(order).state not in UNCONFIRMED_STATES, wait_s)
        return self.store.known_order(order)

    async def wait_until_final(self, order: Order, wait_s: float) -> Order:
        """Wait, at most ``wait_s``, until an order is final; return the order as known then."""
        await wait_until(lambda: self.store.known_order(order).state.final, wait_s)
        return self.store.known_order(order)


@contextlib.asynccontextmanager
async def open_command_session(
    exchange: CommandExchange, options: argparse.Namespace, *, journal_optional: bool = False
) -> AsyncIterator[CommandSession]:
    """Start a session on an exchange, and end it. Raises FailedError.

    ``journal_optional``: go on without a usable journal, since a cancel must not wait for a disk.
    """
    connected = exchange.access
    assert connected is not None  # noqa: S101 - without a key the exchange is not opened for this
    settings = exchange.loaded.settings
    session_options = build_session_options(settings, read_only=options.read_only or exchange.profile.read_only)
    # The dead-man's switch is for a desk that ends, and a command ends after each order. Alerts ring at a desk only.
    session_options = replace(session_options, dead_man=DeadManOptions(), alert_command=())
    journal = Journal.open_anyway(exchange.folder / JOURNAL_FILE, connected.signer.key_id)
    journal.open_entries()
    if journal.trouble and not journal_optional:
        journal.close()
        raise FailedError(journal.trouble, "journal")
    for sentence in (*(each.sentence for each in journal.set_aside), *journal.notices, journal.trouble):
        if sentence:
            write_sentence(sentence)
    left_out: dict[LeftOut, None] = {}
    # Printed at the end, instead of a notice on a desk that is not there.
    session = build_session(connected, journal, session_options, on_left_out=left_out.setdefault)
    try:
        yield CommandSession(session, session_options, journal, VENUE_BY_KIND[exchange.environment.kind])
    except JournalError as error:
        raise FailedError(str(error), "journal") from error
    finally:
        await session.stop()
        tell_left_out(left_out)


async def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition of the store; return whether it came true in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - the store pushes to a screen alone
                await asyncio.sleep(POLL_INTERVAL_S)
    return condition()


async def confirm(options: argparse.Namespace, venue: Venue, question: str) -> bool:
    """Have a write confirmed, by --yes or at the terminal; return whether it was at the terminal.

    Real money takes the word LIVE at the terminal, as at the desk. Raises FailedError if it is not confirmed.
    """
    if options.yes:
        return False
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise FailedError("nothing was sent: give --yes, since nobody can be asked here.", "unconfirmed")
    live = venue is Venue.LIVE
    prompt = f"{venue.value}: {escape_unprintable(question)} "
    sys.stderr.write(prompt + ("Real money: type LIVE to go on: " if live else "[y/N] "))
    sys.stderr.flush()
    answer = (await _read_line()).strip()
    if answer == "LIVE" if live else answer.lower() in {"y", "yes"}:
        return True
    raise FailedError("nothing was sent.", "unconfirmed")


async def _read_line() -> str:
    """Read a line from the terminal while the session runs; empty at the end of input."""
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str] = loop.create_future()
    line = b""

    def ready() -> None:
        # Not `readline`: a terminal may hand on half a line (Ctrl+D), and no Ctrl+C would end the wait for the rest.
        nonlocal line
        try:
            found = os.read(sys.stdin.fileno(), MAX_ANSWER_LENGTH)
        except BlockingIOError:
            return
        except OSError:
            # The terminal is gone.
            found = b""
        line += found
        if not read.done() and (not found or found.endswith(b"\n") or len(line) >= MAX_ANSWER_LENGTH):
            read.set_result(line.decode(errors="replace"))

    loop.add_reader(sys.stdin.fileno(), ready)
    try:
        return await read
    finally:
        loop.remove_reader(sys.stdin.fileno())


async def await_write(work: Awaitable[T], advice: str) -> T:
    """Await the reply to a write that no session follows. A Ctrl+C ends only the waiting.

    Raises FailedError; where it is not known whether it was done, that is UNKNOWN, with ``advice`` on what to do.
    """
    stop_waiting_on_interrupt()
    try:
        return await await_reply(work)
    except asyncio.CancelledError:
        clear_interrupt()
        sentence = f"UNKNOWN: you stopped waiting for the answer, and what was sent may be carried out. {advice}"
        raise FailedError(sentence, "unknown_outcome", UNKNOWN) from None
    except FailedError as error:
        if isinstance(error.__cause__, UnknownOutcome):
            raise FailedError(f"UNKNOWN: {error} {advice}", "unknown_outcome", UNKNOWN) from error
        raise
    finally:
        # What is left is to report the outcome.
        _ignore_interrupts.append(True)


def stop_waiting_on_interrupt() -> None:
    """From here on the first Ctrl+C ends only the waiting: the outcome of a write is always reported."""
    task = asyncio.current_task()
    interrupted = False
    _ignore_interrupts.clear()

    def stop() -> None:
        nonlocal interrupted
        if task is not None and not interrupted and not _ignore_interrupts:
            interrupted = True
            task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)


_ignore_interrupts: list[bool] = []
"""Not empty once the outcome is being reported: nothing interrupts that, nor the end of the session after it."""


def report_or_print(write: Callable[[], None], order: Order | None, sentence: str) -> None:
    """Report the outcome of a write; where that fails, report it on standard error, with the ids."""
    _ignore_interrupts.append(True)
    try:
        write()
    except FailedError as error:
        ids = f" Order id {order.order_id or 'not known'}, client order id {order.client_order_id}." if order else ""
        with contextlib.suppress(OSError):
            write_sentence(f"{error} {sentence}{ids}")


def clear_interrupt() -> None:
    """Mark a Ctrl+C as handled: the outcome of a write is still to be reported."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
