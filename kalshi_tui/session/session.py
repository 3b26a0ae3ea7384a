"""One trading session: what the screens hold. It delegates to the parts that `assembly` has put together."""

import asyncio
import secrets
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kalshi_tui.domain.combo_legs import ComboCollection
from kalshi_tui.domain.link import LinkStats
from kalshi_tui.domain.market import Event
from kalshi_tui.domain.order import Order, OrderTerms
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.feed.market_feed import MarketFeed
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.recording.recorder import Recorder, format_size
from kalshi_tui.recording.writer import RecordingError
from kalshi_tui.session.account.cash_moves import CashMove, CashMover
from kalshi_tui.session.account.key_attestation import warn_of_attestation
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.alerts.monitor import AlertMonitor
from kalshi_tui.session.bus import MarketListRead
from kalshi_tui.session.execution.amend import OrderAmender
from kalshi_tui.session.execution.cancel_all import CancelAll
from kalshi_tui.session.execution.dead_man import DeadManSwitch
from kalshi_tui.session.execution.expiry_renewal import ExpiryRenewer
from kalshi_tui.session.execution.journal import Journal, JournalError
from kalshi_tui.session.execution.order_lookup import OrderLookup
from kalshi_tui.session.execution.risk_checks import Risk, RiskChecks, RiskViolation
from kalshi_tui.session.execution.submit import MAX_CLOCK_LEAD_MS, OrderExecutor
from kalshi_tui.session.interface import CancelAllResult, CollectionsResult, LookUpResult, OrderResult, TradingSession
from kalshi_tui.session.link_monitor import LinkMonitor
from kalshi_tui.session.market_data.account_markets import find_markets
from kalshi_tui.session.market_data.audit import AuditResult, BookAuditor
from kalshi_tui.session.market_data.polled_feed import PolledFeed
from kalshi_tui.session.market_data.subscriptions import MarketSubscriptions
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.options import HOW_TO_MAKE_A_KEY, NO_KEY, SessionOptions
from kalshi_tui.session.practice_actions import PracticeActions
from kalshi_tui.session.practice_faults import ControlValues, PracticeFault
from kalshi_tui.session.readers import Readers
from kalshi_tui.session.replay import ReplayFollower, ReplayStatus
from kalshi_tui.session.store import Store
from kalshi_tui.session.supervisor import Supervisor
from kalshi_tui.session.venue import Venue

MAX_COMBOS: Final = 500
"""How many combos of a collection are put on the list at a time: there may be hundreds of thousands."""
CLOSE_TIMEOUT_S: Final = 0.8
"""How long the exchange may take to answer that the stream closes."""
TASKS_TIMEOUT_S: Final = 0.5
"""How long canceled tasks may take to end."""
DELAY_TEXT: Final = "half a minute"
"""How old prices may be that are read by REST: the exchange's cache, and the time between two reads."""


@dataclass(frozen=True, slots=True)
class Execution:
    """The parts that trade."""

    journal: Journal
    risk_checks: RiskChecks
    lookup: OrderLookup
    executor: OrderExecutor
    amender: OrderAmender
    cancel_all: CancelAll
    dead_man_switch: DeadManSwitch
    expiry_renewer: ExpiryRenewer
    cash_mover: CashMover


@dataclass(frozen=True, slots=True)
class SessionParts:
    """What a session is made of; `kalshi_tui.session.assembly.assemble_session` puts it together."""

    venue: Venue
    options: SessionOptions
    clock_ms: Callable[[], int]
    store: Store
    rest: RestClient
    stream: MarketFeed
    polled_feed: PolledFeed | None
    supervisor: Supervisor
    execution: Execution
    readers: Readers
    subscriptions: MarketSubscriptions
    alerts: AlertMonitor
    recorder: Recorder
    link_monitor: LinkMonitor
    practice: PracticeActions | None
    replay_follower: ReplayFollower | None


class Session:
    """The real trading session: starts and stops its parts, and passes on what the screens ask for."""

    def __init__(self, parts: SessionParts) -> None:
        self.parts = parts
        self.venue = parts.venue
        self.store = parts.store
        self.alerts = parts.alerts
        self.ticket = parts.options.ticket
        self.clock_ms = parts.clock_ms
        self._auditor = BookAuditor(parts.stream, parts.store)
        self._watch_list_tickers: tuple[str, ...] = ()
        self._started = False
        self._ending_message = self._cash_message = ""

    async def start(self, *, single_command: bool = False) -> None:
        """Start the stream and the readers; return at once, all goes on in the background.

        ``single_command``: only what orders need, for one command. Whoever starts it so puts the markets into the
        store.
        """
        parts, journal = self.parts, self.parts.execution.journal
        parts.execution.executor.resume()
        for sentence in filter(None, (*journal.notices, journal.trouble)):
            self.store.notify(Severity.ERROR, sentence)
        try:
            if single_command:
                # Another command may have filled an order a moment ago: its position has to be in what is read. A line
                # with a time in the future is damaged, and waiting for it would never end.
                latest_ms = parts.rest.clock.now_ms() + MAX_CLOCK_LEAD_MS
                parts.readers.account.require_data_after(min(journal.newest_change_ms(), latest_ms))
        except JournalError as error:
            self.store.notify(Severity.ERROR, str(error))
        self._started = True
        supervisor = parts.supervisor
        if parts.options.without_key:
            self._start_watching()
            return
        supervisor.spawn(parts.stream.run(), "stream")
        supervisor.spawn(parts.rest.read_token_rules(), "limits")
        if not single_command:
            parts.readers.markets.set_watch_list_markets(self._watch_list_tickers)
            for work, name in parts.readers.for_a_desk():
                supervisor.keep_running(work, name)
            supervisor.spawn(warn_of_attestation(parts.rest, self.store.notify), "attestation")
            supervisor.keep_running(parts.alerts.run, "alerts")
            if parts.execution.expiry_renewer.is_on:
                supervisor.keep_running(parts.execution.expiry_renewer.run, "expiries")
            supervisor.keep_running(parts.recorder.run, "recording")
            if parts.replay_follower is not None:
                supervisor.keep_running(parts.replay_follower.run, "replay")
        for work, name in parts.readers.for_one_command():
            supervisor.keep_running(work, name)
        supervisor.keep_running(parts.link_monitor.run, "crossed books")

    def _start_watching(self) -> None:
        """Start what needs no key: the market data."""
        parts, supervisor = self.parts, self.parts.supervisor
        self.store.notify(
            Severity.WARNING, f"{NO_KEY} Prices that can be read are up to {DELAY_TEXT} old. {HOW_TO_MAKE_A_KEY}"
        )
        supervisor.keep_running(parts.stream.run, "prices")
        parts.readers.markets.set_watch_list_markets(self._watch_list_tickers)
        for work, name in parts.readers.for_watching():
            supervisor.keep_running(work, name)
        supervisor.keep_running(parts.alerts.run, "alerts")

    async def stop(self) -> None:
        """End everything that runs; the dead-man's switch cancels all first, if it is set to."""
        parts, execution = self.parts, self.parts.execution
        parts.recorder.end()
        self._cash_message = execution.cash_mover.describe_ending()
        await execution.dead_man_switch.quit(
            nothing_rests=parts.readers.account.has_been_read and not self.store.working_orders()
        )
        # Nobody renews them from now on.
        self._ending_message = execution.expiry_renewer.describe_ending()
        # An exchange that answers nothing must not hold the end up.
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await parts.stream.close()
        # These wait for nobody outside, so they have a time of their own: with what a silent exchange leaves of the one
        # above, the tasks would run on and the connections stay open.
        with suppress(TimeoutError):
            async with asyncio.timeout(TASKS_TIMEOUT_S):
                await execution.lookup.close()
                await parts.supervisor.stop()
        await parts.rest.close()
        if parts.practice is not None:
            await parts.practice.close()
        self.alerts.close()
        parts.readers.settlements.close()
        # Last: until everything has ended, an order may still change and has to be written down.
        execution.journal.close()

    @property
    def is_account_read(self) -> bool:
        """Whether the account has been read."""
        return self.parts.readers.account.has_been_read

    @property
    def is_account_current(self) -> bool:
        """Whether the account has been read, and as it was after all that the journal has of it."""
        return self.parts.readers.account.has_caught_up

    def call_when_listed(self, callback: Callable[[], None]) -> None:
        """Call this whenever the list of markets has been read whole."""
        self.store.bus.subscribe(MarketListRead, lambda _: callback())

    def set_shown_markets(self, tickers: Sequence[str]) -> None:
        """Subscribe to these markets' books and no others, and read their tapes and fees where not yet known."""
        self.parts.subscriptions.set_shown_markets(tickers)
        self.parts.readers.markets.set_shown_markets(tickers)
        self.parts.readers.account_markets.set_shown_markets(tickers)

    async def look_up(self, name: str) -> LookUpResult:
        """Ask the exchange for a market or an event by its ticker, and put on the list what it has."""
        try:
            markets, events = await find_markets(self.parts.rest, name)
        except KalshiError as error:
            return LookUpResult((), f"The exchange could not be asked for {name}: {error}")
        if not markets:
            return LookUpResult((), f"The exchange knows no market and no event {name}.")
        self.parts.readers.markets.add_markets(markets, events)
        return LookUpResult(tuple(each.ticker for each in markets))

    async def read_more(self, which: AccountList) -> str:
        """Show what is older than a list of the account."""
        return await self.parts.readers.older.read_more(which)

    async def read_combo_collections(self) -> CollectionsResult:
        """Read which collections of combos are open."""
        reading = self.parts.rest.combos.collections(status="open")
        found: list[ComboCollection] = []
        try:
            found += [each async for each in reading]
        except KalshiError as error:
            return CollectionsResult(tuple(found), f"The collections could not be read: {error}")
        lost = len(reading.left_out)
        return CollectionsResult(tuple(found), f"{lost} collections could not be read." if lost else "")

    async def look_up_combos(self, collection_ticker: str) -> LookUpResult:
        """Ask the exchange for the combos that exist in a collection, and put them on the list."""
        events: list[Event] = []
        try:
            async for event in self.parts.rest.combos.events(collection_ticker=collection_ticker):
                events.append(event)
                if sum(len(each.markets) for each in events) >= MAX_COMBOS:
                    break
        except KalshiError as error:
            return LookUpResult((), f"The combos of {collection_ticker} could not be read: {error}")
        markets = [market for event in events for market in event.markets]
        if not markets:
            return LookUpResult((), f"No combo exists in {collection_ticker}.")
        self.parts.readers.markets.add_markets(markets, events)
        sentence = f"The first {len(markets)} combos of {collection_ticker}." if len(markets) >= MAX_COMBOS else ""
        return LookUpResult(tuple(each.ticker for each in markets), sentence)

    def set_visible_markets(self, tickers: Sequence[str]) -> None:
        """Keep the quotes of these lines fresh, where no stream does."""
        if self.parts.polled_feed is not None:
            self.parts.polled_feed.set_visible_markets(tickers)

    def set_shown_chart(self, ticker: str, minutes: int) -> None:
        """Read this market's candles and keep them fresh, and no others."""
        self.parts.readers.candles.select_chart(ticker, minutes)

    def set_shown_sparklines(self, tickers: Sequence[str]) -> None:
        """Read the past day of these markets and keep it fresh, and of no others."""
        self.parts.readers.sparklines.select_markets(tickers)

    def set_watch_list_markets(self, tickers: Sequence[str]) -> None:
        """Keep these markets on the desk. A screen calls this as soon as it is made, before anything runs."""
        self._watch_list_tickers = tuple(tickers)
        if self._started:
            self.parts.readers.markets.set_watch_list_markets(tickers)

    @property
    def read_only_reason(self) -> str:
        """Return why nothing may be sent or changed; empty if it may."""
        return self.parts.options.read_only_reason

    @property
    def cancels_on_quit(self) -> bool:
        """Whether all orders are canceled when the program ends."""
        return self.parts.options.dead_man.on_quit

    def check_risks(self, terms: OrderTerms, replacing: Order | None = None) -> list[RiskViolation]:
        """Return what speaks against an order, the most severe first."""
        return self.parts.execution.risk_checks.check(terms, replacing=replacing)

    def draft(self, terms: OrderTerms) -> str:
        """Write an intent down under a random id, which is unique for ever and reveals nothing."""
        client_order_id = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
        self.parts.execution.executor.draft(terms, client_order_id)
        return client_order_id

    async def submit(
        self, terms: OrderTerms, client_order_id: str, acknowledged: frozenset[Risk] = frozenset()
    ) -> OrderResult:
        """Send one order, once."""
        return await self.parts.execution.executor.submit(terms, client_order_id, acknowledged)

    def resendable_terms(self, order: Order) -> OrderTerms | None:
        """Return the terms of an order that never arrived and may go out again; else None."""
        return self.parts.execution.executor.resendable_terms(order)

    async def amend(
        self,
        order: Order,
        price: Price,
        resting_count: Count,
        acknowledged: frozenset[Risk] = frozenset(),
        *,
        expires_s: int | None = None,
    ) -> OrderResult:
        """Change a resting order."""
        return await self.parts.execution.amender.amend(order, price, resting_count, acknowledged, expires_s=expires_s)

    async def cancel(self, order: Order) -> OrderResult:
        """Cancel a resting order."""
        return await self.parts.execution.executor.cancel(order)

    async def cancel_all(self, ticker: str = "", subaccount: int | None = None) -> CancelAllResult:
        """Cancel all in a market or everywhere, in one subaccount or all."""
        return await self.parts.execution.cancel_all.run(ticker, subaccount=subaccount)

    def move_cash(self, moves: Sequence[CashMove]) -> None:
        """Move cash in the background; notices say what became of it."""
        self.parts.supervisor.spawn(self.parts.execution.cash_mover.move(moves), "cash")

    @property
    def cash_move_text(self) -> str:
        """What cash is under way, as a sentence; empty if none is."""
        return self.parts.execution.cash_mover.status_text

    @property
    def cash_left_text(self) -> str:
        """What cash is under way that ending the program leaves so, as a sentence; empty if none is."""
        return self._cash_message or self.parts.execution.cash_mover.describe_ending()

    @property
    def may_leave_orders(self) -> bool:
        """Whether the dead-man's switch could not cancel all at the end."""
        return self.parts.execution.dead_man_switch.may_leave_orders

    @property
    def quit_message(self) -> str:
        """Return what the end left behind: what the dead-man's switch did, and what goes on; empty if nothing."""
        switch_message = self.parts.execution.dead_man_switch.quit_message
        return " ".join(filter(None, (switch_message, self._ending_message, self._cash_message)))

    def link_metrics(self) -> LinkStats:
        """Return the figures of the link as of now."""
        return self.parts.link_monitor.measure()

    def start_audit(self, ticker: str) -> None:
        """Compare a book with a fresh snapshot of the exchange's; a notice shows the outcome."""
        self.parts.supervisor.spawn(self._auditor.report(ticker), "audit")

    async def run_audit(self, ticker: str) -> AuditResult:
        """Compare a book with a fresh snapshot of the exchange's; one that differs is not trusted any more."""
        return await self._auditor.audit(ticker)

    @property
    def recording_text(self) -> str:
        """Return in a word that the stream is recorded, and how much; empty while it is not."""
        return self.parts.recorder.status_text

    def toggle_recording(self, path: Path) -> None:
        """Begin a recording, or end the one that goes on; a notice says which."""
        recorder = self.parts.recorder
        if self.parts.polled_feed is not None:
            self.store.notify(Severity.WARNING, "Only the stream can be recorded, and it needs an API key.")
            return
        if (ended := recorder.end()) is not None:
            size = f"{ended.frames:,} frames, {format_size(ended.size)}"
            self.store.notify(Severity.GOOD, f"Recorded: {size} in {ended.path}. To play it: kalshi-tui replay FILE")
            return
        try:
            begun = recorder.begin(path)
        except RecordingError as error:
            self.store.notify(Severity.ERROR, str(error))
        else:
            self.store.notify(Severity.INFO, f"Recording into {begun.path}; nothing of your account is in it.")

    @property
    def replay(self) -> ReplayStatus | None:
        """The moment of the recording that plays; None where none does."""
        follower = self.parts.replay_follower
        return None if follower is None else follower.clock.current_status()

    def control_replay(self, action: str, values: ControlValues) -> None:
        """Pause, move or speed up the recording; only what fails is shown."""
        if self.parts.practice is None:
            raise ValueError("a recording plays on a practice exchange only")
        self.parts.practice.control_replay(action, values)

    @property
    def can_inject_faults(self) -> bool:
        """Whether faults can be practiced here."""
        return self.parts.practice is not None

    def inject_fault(self, fault: PracticeFault, ticker: str) -> None:
        """Ask the practice exchange to simulate a fault."""
        if self.parts.practice is None:
            raise ValueError("trouble is rehearsed on a practice exchange only")
        self.parts.practice.inject_fault(fault, ticker)


__all__ = ["OrderResult", "Session", "SessionParts", "TradingSession", "Venue"]
