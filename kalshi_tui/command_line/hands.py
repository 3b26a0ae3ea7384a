"""A session for one command that writes: the desk's own checks, journal and inquiries, without its lists of markets."""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Final

from kalshi_tui.command_line.exchange import Exchange, failure_of
from kalshi_tui.command_line.exits import FailedError
from kalshi_tui.command_line.place import JOURNAL
from kalshi_tui.command_line.reading import understood, whole_market
from kalshi_tui.compose import VENUES, clock_ms, session_of
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.kalshi.clock import ExchangeClock
from kalshi_tui.kalshi.errors import KalshiError, NotFound
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.journal import Entry, Journal, JournalError
from kalshi_tui.session.options import DeadMan, Options
from kalshi_tui.session.session import Session
from kalshi_tui.session.store import UNSETTLED, Store
from kalshi_tui.session.venue import Venue
from kalshi_tui.settings import options_of

READY_WITHIN_S: Final = 10.0
"""How long book and account are waited for before an order."""
STILL_SENDING_MS: Final = 60_000
"""No program is at the sending of one order for longer: an answer is waited for half as long."""
LOOK_EVERY_S: Final = 0.02
FOUND_AMONG: Final = 1_000
"""So many of the newest orders are searched for one by its client order id."""


class Hands:
    """A session that has not begun, and what a command needs of it."""

    def __init__(
        self, session: Session, rest: RestClient, options: Options, entries: Sequence[Entry], venue: Venue
    ) -> None:
        """Make; ``entries`` are the journal's open orders."""
        self.session = session
        self.rest = rest
        self.options = options
        self.venue = venue
        self.at_rest = frozenset(
            each.order.client_order_id for each in entries if each.order.order_id and not each.in_flight
        )
        """Client order ids of the journal's open orders of which nothing is on its way: they rest, or are over."""
        now_ms = rest.clock.now_ms()
        self.on_their_way = tuple(
            each.order
            for each in entries
            if each.order.state is OrderState.SENDING and now_ms - each.changed_ms < STILL_SENDING_MS
        )
        """Orders that another program on this journal, a desk or a command, may be sending at this moment."""

    @property
    def store(self) -> Store:
        """What is known."""
        return self.session.store

    async def begin(self) -> None:
        """Start the session."""
        await self.session.start(alone=True)

    async def meet(self, ticker: str) -> Market:
        """Read a market, start, and follow its book. Raises FailedError."""
        # Before the stream: what is read sets the clock by the exchange's, as its signature needs.
        market, event = await understood(whole_market(self.rest, ticker))
        self.store.set_markets([market], [event])
        await self.begin()
        self.session.look_at([market.ticker])
        return self.store.markets[ticker]

    async def account_read(self) -> bool:
        """Wait until cash, positions and orders have been read; say whether they have."""
        return await until(lambda: self.store.day is not None, READY_WITHIN_S)

    async def book_good(self, ticker: str) -> bool:
        """Wait until the book can be trusted; say whether it can."""
        return await until(lambda: self.store.book(ticker).good, READY_WITHIN_S)

    async def find(self, name: str) -> Order:
        """Read an order by its id or its client order id. Raises FailedError."""
        if not name.isascii() or not name.isprintable() or name.strip() in {"", ".", ".."}:
            raise FailedError(f"{name[:40]!r} is no id of an order; 'kalshi-tui orders' lists them.", "usage", 2)
        try:
            return await self.rest.order(name)
        except NotFound as error:
            found = await understood(self.rest.orders(status="resting"))
            found += await understood(self.rest.orders(most=FOUND_AMONG))
            for each in found:
                if each.client_order_id == name:
                    return each
            raise failure_of(error) from error
        except KalshiError as error:
            raise failure_of(error) from error

    async def settled(self, order: Order, wait_s: float) -> Order:
        """Wait until the exchange has said what became of an order, but not longer; give it as it is known then."""
        await until(lambda: self.store.known_order(order).state not in UNSETTLED, wait_s)
        return self.store.known_order(order)

    async def over(self, order: Order, wait_s: float) -> Order:
        """Wait until an order is known to be over, but not longer; give it as it is known then."""
        await until(lambda: self.store.known_order(order).state.final, wait_s)
        return self.store.known_order(order)


@contextlib.asynccontextmanager
async def hands(
    exchange: Exchange, options: argparse.Namespace, *, without_journal: bool = False
) -> AsyncIterator[Hands]:
    """Make a session on an exchange, and end it. Raises FailedError.

    ``without_journal``: a journal that cannot be used stops nothing, since a cancel waits for no disk.
    """
    connected = exchange.connected
    assert connected is not None  # noqa: S101 - without a key the exchange is not opened for this
    settings = exchange.loaded.settings
    wishes = options_of(settings, read_only=options.read_only or exchange.profile.read_only)
    # The switch is for a desk that ends; a command ends after each order. Alerts ring at a desk.
    wishes = replace(wishes, dead_man=DeadMan(), alert_command=())
    try:
        journal = Journal.open(exchange.folder / JOURNAL, connected.signer.key_id)
        entries = journal.open_entries()
    except JournalError as error:
        if not without_journal:
            raise FailedError(str(error), "journal") from error
        sys.stderr.write(f"kalshi-tui: {error} The cancel goes out all the same.\n")
        journal, entries = Journal.in_memory(connected.signer.key_id), []
    rest = exchange.rest(read_only=wishes.read_only, clock=ExchangeClock(clock_ms))
    session = session_of(connected, journal, wishes, rest=rest)
    try:
        yield Hands(session, rest, wishes, entries, VENUES[exchange.environment.kind])
    except JournalError as error:
        raise FailedError(str(error), "journal") from error
    finally:
        await session.stop()


async def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition of the store; say whether it came true in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - the store pushes to a screen alone
                await asyncio.sleep(LOOK_EVERY_S)
    return condition()


async def confirmed(options: argparse.Namespace, venue: Venue, question: str) -> bool:
    """Have a write confirmed: by --yes, or by somebody at the terminal; say whether that was somebody.

    Real money takes the word LIVE at the terminal, as at the desk. Raises FailedError if it is not confirmed.
    """
    if options.yes:
        return False
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise FailedError("nothing was sent: give --yes, for here nobody can be asked.", "unconfirmed")
    live = venue is Venue.LIVE
    prompt = f"{venue.value}: {question} "
    sys.stderr.write(prompt + ("Real money: type LIVE to go on: " if live else "[y/N] "))
    sys.stderr.flush()
    answer = (await _line()).strip()
    if answer == "LIVE" if live else answer.lower() in {"y", "yes"}:
        return True
    raise FailedError("nothing was sent.", "unconfirmed")


async def _line() -> str:
    """Read a line from the terminal while the session goes on; empty at its end."""
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str] = loop.create_future()

    def ready() -> None:
        if not read.done():
            read.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin.fileno(), ready)
    try:
        return await read
    finally:
        loop.remove_reader(sys.stdin.fileno())


def stopped() -> None:
    """Take a Ctrl+C as dealt with: what became of a write is still to be told."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
