"""One trading session: the store, the stream that fills it, and the hands that trade. What the screens hold."""

import asyncio
import logging
import secrets
import uuid
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from kalshi_tui.domain.link import BookTrust, LinkState, LinkStats
from kalshi_tui.domain.order import Order, OrderTerms
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.feed.stream_group import CROSSED_CHECK_INTERVAL_S, CrossedBookMonitor, StreamGroup
from kalshi_tui.kalshi.feed.subscription import Happening, Report
from kalshi_tui.kalshi.practice_control import PracticeControl
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.wire import Channel
from kalshi_tui.recording.recorder import Recorder, format_size
from kalshi_tui.recording.writer import RecordingError
from kalshi_tui.session.account.exchange_hours import ExchangeHours
from kalshi_tui.session.account.queue_positions import QueuePositionReader
from kalshi_tui.session.account.reconcile import AccountReconciler
from kalshi_tui.session.account.settlements import SettlementReader
from kalshi_tui.session.alerts.command import AlertCommand
from kalshi_tui.session.alerts.monitor import AlertMonitor
from kalshi_tui.session.bus import AccountInDoubt, AccountMoved, LinkChanged, MarketChanged, MessageBus, OrderUpdated
from kalshi_tui.session.changes import Topic
from kalshi_tui.session.execution.amend import OrderAmender
from kalshi_tui.session.execution.cancel_all import CancelAll
from kalshi_tui.session.execution.dead_man import DeadManSwitch
from kalshi_tui.session.execution.journal import Journal, JournalError
from kalshi_tui.session.execution.order_lookup import OrderLookup
from kalshi_tui.session.execution.risk_checks import READ_ONLY, Risk, RiskChecks, RiskViolation
from kalshi_tui.session.execution.submit import CLOCKS_DIFFER_MS, OrderExecutor
from kalshi_tui.session.interface import CancelAllResult, OrderResult, TradingSession
from kalshi_tui.session.market_data.audit import AuditResult, compare_books
from kalshi_tui.session.market_data.candles import CandleReader
from kalshi_tui.session.market_data.market_list import MarketListReader
from kalshi_tui.session.market_data.sparklines import SparklineReader
from kalshi_tui.session.market_data.store import Levels
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.options import SessionOptions
from kalshi_tui.session.practice_faults import ControlValues, PracticeFault
from kalshi_tui.session.replay import ReplayClock, ReplayFollower, ReplayStatus
from kalshi_tui.session.skipped_items import LeftOutNotices
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, boot_clock_s
from kalshi_tui.session.venue import Venue

RESTART_DELAY_S: Final = 3.0
PUBLIC_CHANNELS: Final = {Channel.TRADE, Channel.LIFECYCLE, Channel.BOOK, Channel.TICKER}
"""The channels that are not of the account; what is missed on another is read again by REST."""
_log: Final = logging.getLogger("kalshi_tui.session")
REPORT_SEVERITIES: Final = {
    Happening.HEALED: Weight.GOOD,
    Happening.REFUSED: Weight.ERROR,
    Happening.ALARM: Weight.ERROR,
}


class Session:
    """The real desk: composes store, stream and trading, and reconciles the account by REST."""

    def __init__(
        self,
        venue: Venue,
        rest: RestClient,
        make_stream: Callable[[Store, Callable[[Report], None]], StreamGroup],
        clock_ms: Callable[[], int],
        sleep: Sleep = asyncio.sleep,
        practice_control: PracticeControl | None = None,
        describe_exchange_exit: Callable[[], str] = str,
        journal: Journal | None = None,
        options: SessionOptions | None = None,
        timer_s: Callable[[], float] = boot_clock_s,
        data_folder: Path | None = None,
        replay: ReplayClock | None = None,
    ) -> None:
        """Compose; ``gone`` says in a sentence that the exchange has ended for good, where anybody can know that.

        Without a ``journal`` one is kept in memory: then a restart knows nothing. ``timer_s`` must not jump, and must
        run on while the machine sleeps. Alerts are kept in ``data_folder``; without one a restart knows none.
        ``replay`` is the clock of a recording that plays; then all times are the recording's.
        """
        self.venue = venue
        options = options or SessionOptions()
        self.ticket = options.ticket
        self._dead_man_options = options.dead_man
        self._journal = journal or Journal.in_memory()
        self._describe_exchange_exit = describe_exchange_exit
        self._practice_control = practice_control
        self.store = Store(clock_ms)
        self._rest = rest
        self._sleep = sleep
        self._stream = make_stream(self.store, self._handle_feed_report)
        self.clock_ms = clock_ms
        self.recorder = Recorder(
            self.store,
            self._stream,
            rest.clock.now_ms,
            exchange=venue.value.lower(),
            on_failure=lambda text: self.store.notify(Weight.ERROR, text),
            sleep=sleep,
        )
        self._replay_follower: ReplayFollower | None = None
        if replay is not None and practice_control is not None:
            self._replay_follower = ReplayFollower(practice_control, replay, sleep)
            self._replay_follower.on_moved = self._replay_moved
        self._risk_checks = RiskChecks(
            self.store,
            venue,
            options.limits,
            read_only=options.read_only,
            clock_ms=clock_ms,
            sent_since=self._journal.sent_since,
            unwritable=lambda: self._journal.trouble,
            lost=lambda: self._order_lookup.lost,
        )
        self._order_lookup = OrderLookup(rest, self.store, sleep)
        self._order_executor = OrderExecutor(rest, self.store, self._journal, self._risk_checks, self._order_lookup)
        self._order_amender = OrderAmender(
            rest, self.store, self._risk_checks, self._order_lookup, self._order_executor
        )
        self._cancel_all = CancelAll(
            rest,
            self.store,
            self._order_executor,
            sleep,
            read_only=options.read_only,
            lost=lambda: self._order_lookup.lost,
        )
        self._queue_position_reader = QueuePositionReader(rest, self.store, sleep)
        self._candle_reader = CandleReader(rest, self.store, sleep)
        self._sparkline_reader = SparklineReader(rest, self.store, sleep)
        self._settlement_reader = SettlementReader(rest, self.store, sleep)
        # The journal's line comes before anything else that follows from an order.
        self.store.bus.subscribe(OrderUpdated, lambda each: self._order_executor.record_order(each.order))
        self._tasks: set[asyncio.Task[Any]] = set()
        self._shown_tickers: tuple[str, ...] = ()
        self._watch_list_tickers: tuple[str, ...] = ()
        self._started = False
        self.alerts = AlertMonitor(self.store, rest.clock, sleep, data_folder)
        self.alerts.on_ring = AlertCommand(options.alert_command, self.store, sleep, self._spawn).run
        self.alerts.on_watched = self._alert_markets_changed
        self._was_live = False
        self._reported_exit = ""
        self._dead_man_switch = DeadManSwitch(
            options.dead_man,
            self.store,
            timer_s,
            lambda within_s: self._cancel_all.run(within_s=within_s),
            sleep,
            self._spawn,
        )
        self._reconciler = AccountReconciler(rest, self.store, self._order_lookup, self._journal, clock_ms, sleep)
        self._exchange_hours = ExchangeHours(rest, self.store, sleep)
        self._order_executor.on_closed = self._exchange_hours.check_now
        self._market_list_reader = MarketListReader(
            rest, self.store, self._spawn, self._update_quote_subscriptions, sleep
        )
        self._left_out = LeftOutNotices(self.store, sleep, self._spawn)
        rest.on_left_out = self._left_out.tell
        self._order_executor.on_doubt = self._order_lookup.on_found = self._reconciler.request_full_read
        self._order_lookup.on_never_arrived = self._order_executor.never_arrived
        self._subscribe(self.store.bus)

    def _subscribe(self, bus: MessageBus) -> None:
        bus.subscribe(AccountInDoubt, lambda _: self._reconciler.request_full_read())
        bus.subscribe(AccountMoved, lambda _: self._reconciler.request_balance_read())
        bus.subscribe(LinkChanged, lambda each: self._link_changed(each.state))
        bus.subscribe(MarketChanged, lambda each: self._market_changed(each.ticker, each.event_type))

    async def start(self, *, single_command: bool = False) -> None:
        """Start the stream and read the markets; ends at once, all goes on in the background.

        ``alone``: only what orders need, for one command. Whoever starts it so puts the markets into the store.
        """
        self._order_executor.resume()
        for sentence in filter(None, (*self._journal.notices, self._journal.trouble)):
            self.store.notify(Weight.ERROR, sentence)
        try:
            if single_command:
                # Another command may have filled an order a moment ago: its position has to be in what is read. A line
                # from times to come is damaged, and is not waited for.
                latest_ms = self._rest.clock.now_ms() + CLOCKS_DIFFER_MS
                self._reconciler.require_data_after(min(self._journal.newest_change_ms(), latest_ms))
        except JournalError as error:
            self.store.notify(Weight.ERROR, str(error))
        self._started = True
        self._spawn(self._stream.run(), "stream")
        if not single_command:
            self._market_list_reader.set_watch_list_markets(self._watch_list_tickers)
        self._spawn(self._rest.limits(), "limits")
        needed = (
            (self._reconciler.run, "account"),
            (self._watch_crossed, "crossed books"),
            (self._exchange_hours.run, "hours"),
        )
        around = (
            (self._market_list_reader.run, "markets"),
            (self._queue_position_reader.run, "queue places"),
            (self._candle_reader.run, "charts"),
            (self._sparkline_reader.run, "past prices"),
            (self._settlement_reader.run, "settlements"),
            (self.alerts.run, "alerts"),
            (self.recorder.run, "recording"),
            *([(self._replay_follower.run, "replay")] if self._replay_follower is not None else []),
        )
        for work, name in needed if single_command else (*around, *needed):
            self._spawn(self._run_forever(work, name), name)

    async def stop(self) -> None:
        """End everything that runs; the dead-man's switch cancels all first, if it is set to."""
        self.recorder.end()
        await self._dead_man_switch.quit(
            nothing_rests=self._reconciler.has_been_read and not self.store.working_orders()
        )
        await self._stream.close()
        await self._order_lookup.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._rest.close()
        if self._practice_control is not None:
            await self._practice_control.close()
        self.alerts.close()
        self._journal.close()

    @property
    def is_account_current(self) -> bool:
        """Whether the account has been read, and as it was after all that the journal has of it."""
        return self._reconciler.has_caught_up

    def call_when_listed(self, callback: Callable[[], None]) -> None:
        """Have this called when the list of markets has been read whole."""
        self._market_list_reader.on_whole = callback

    def set_shown_markets(self, tickers: Sequence[str]) -> None:
        """Subscribe to these markets' books and no others, and read their tapes and fees where not yet known."""
        self._shown_tickers = tuple(tickers)
        self._update_book_subscriptions()
        self._market_list_reader.set_shown_markets(tickers)

    def _update_book_subscriptions(self) -> None:
        """Have the books sent that are on the screen, and those that alerts look at."""
        # One that is not listed may be over: to ask for it could cost the others their subscription.
        alerted = [ticker for ticker in self.alerts.tickers if ticker in self.store.markets]
        tickers = list(dict.fromkeys([*self._shown_tickers, *alerted]))
        self._stream.watch_books(tickers)
        self.store.market_data.drop_books([ticker for ticker in self.store.books if ticker not in tickers])

    def _update_quote_subscriptions(self, tickers: Iterable[str] | None) -> None:
        """Have quotes sent; other markets are listed now, and alerts may look at these."""
        self._stream.watch_quotes(tickers)
        if self.alerts.tickers:
            self._update_book_subscriptions()

    def _alert_markets_changed(self) -> None:
        """Follow other books; not at once, for the stream may be in the middle of the frame that rang."""
        asyncio.get_running_loop().call_soon(self._update_book_subscriptions)

    def set_shown_chart(self, ticker: str, minutes: int) -> None:
        """Read this market's candles and keep them fresh, and no others."""
        self._candle_reader.select_chart(ticker, minutes)

    def set_shown_sparklines(self, tickers: Sequence[str]) -> None:
        """Read the past day of these markets and keep it fresh, and of no others."""
        self._sparkline_reader.select_markets(tickers)

    def set_watch_list_markets(self, tickers: Sequence[str]) -> None:
        """Keep these markets on the desk. A screen says so as soon as it is made, before anything runs."""
        self._watch_list_tickers = tuple(tickers)
        if self._started:
            self._market_list_reader.set_watch_list_markets(tickers)

    @property
    def read_only_reason(self) -> str:
        """Return why nothing may be sent or changed; empty if it may."""
        return READ_ONLY if self._risk_checks.read_only else ""

    @property
    def cancels_on_quit(self) -> bool:
        """Whether all orders are canceled when the program ends."""
        return self._dead_man_options.on_quit

    def check_risks(self, terms: OrderTerms, replacing: Order | None = None) -> list[RiskViolation]:
        """Return what speaks against an order, the gravest first."""
        return self._risk_checks.check(terms, replacing=replacing)

    def draft(self, terms: OrderTerms) -> str:
        """Write an intent down under a random id: it must be unique for ever, and tell nothing."""
        client_order_id = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
        self._order_executor.draft(terms, client_order_id)
        return client_order_id

    async def submit(
        self, terms: OrderTerms, client_order_id: str, acknowledged: frozenset[Risk] = frozenset()
    ) -> OrderResult:
        """Send one order, once."""
        return await self._order_executor.submit(terms, client_order_id, acknowledged)

    def resendable_terms(self, order: Order) -> OrderTerms | None:
        """Return the terms of an order that never arrived and may go out again; else None."""
        return self._order_executor.resendable_terms(order)

    async def amend(
        self, order: Order, price: Price, resting_count: Count, acknowledged: frozenset[Risk] = frozenset()
    ) -> OrderResult:
        """Change a resting order."""
        return await self._order_amender.amend(order, price, resting_count, acknowledged)

    async def cancel_all(self, ticker: str = "") -> CancelAllResult:
        """Cancel all in a market, or everywhere."""
        return await self._cancel_all.run(ticker)

    @property
    def quit_message(self) -> str:
        """Return what the dead-man's switch did at the end; empty if it had nothing to do."""
        return self._dead_man_switch.quit_message

    async def cancel(self, order: Order) -> OrderResult:
        """Cancel a resting order."""
        return await self._order_executor.cancel(order)

    def link_metrics(self) -> LinkStats:
        """Return how the link does now."""
        health = self._stream.health()
        # While a recording stands still nothing is to be expected.
        still = self.replay is not None and (self.replay.paused or self.replay.ended)
        return LinkStats(
            frame_age_ms=None if health.frame_age is None or still else round(health.frame_age * 1000),
            ping_age_ms=None if health.ping_age is None else round(health.ping_age * 1000),
            lag_ms=health.lag_ms if health.frame_age is not None else None,
            skew_ms=health.skew_ms,
            faults=health.faults,
            healed=health.healed,
            untrusted=sum(live.trust is BookTrust.STALE for live in self.store.books.values()),
        )

    def start_audit(self, ticker: str) -> None:
        """Compare a book with a fresh snapshot of the exchange's, and tell what came of it."""
        self._spawn(self._report_audit(ticker), "audit")

    async def _report_audit(self, ticker: str) -> None:
        result = await self.run_audit(ticker)
        weight = {None: Weight.WARNING, True: Weight.GOOD, False: Weight.ERROR}[result.equal]
        self.store.notify(weight, f"Audit of {ticker}: {result.sentence}")

    async def run_audit(self, ticker: str) -> AuditResult:
        """Compare a book with a fresh snapshot of the exchange's; one that differs is trusted no more."""
        answer: asyncio.Future[AuditResult] = asyncio.get_running_loop().create_future()

        def came(_: str, yes: Levels | None, no: Levels | None) -> None:
            # At this very moment the two have to be equal: the next frame changes one of them.
            found = compare_books(self.store.book(ticker).book, yes, no)
            if not answer.done():
                answer.set_result(found)
            if found.equal is False:
                self._stream.resync_books("An audit found that it differs from the exchange's.")

        self._stream.audit(ticker, came)
        return await answer

    async def _watch_crossed(self) -> None:
        """Look for books that stay crossed, and at how long the link has been silent."""

        def crossed() -> list[str]:
            return [ticker for ticker, live in self.store.books.items() if live.is_good and live.book.crossed]

        watch = CrossedBookMonitor(crossed, self._stream.resync_books)
        while True:
            await self._sleep(CROSSED_CHECK_INTERVAL_S)
            pulse = self.link_metrics()
            ages = [age for age in (pulse.frame_age_ms, pulse.ping_age_ms) if age is not None]
            self._dead_man_switch.check(min(ages, default=None))
            watch.check()

    @property
    def recording_text(self) -> str:
        """Say in a word that the stream is recorded, and how much; empty while it is not."""
        return self.recorder.status_text

    def toggle_recording(self, path: Path) -> None:
        """Begin a recording, or end the one that goes on; a notice says which."""
        if (ended := self.recorder.end()) is not None:
            told = f"{ended.frames:,} frames, {format_size(ended.size)}"
            self.store.notify(Weight.GOOD, f"Recorded: {told} in {ended.path}. To play it: kalshi-tui replay FILE")
            return
        try:
            begun = self.recorder.begin(path)
        except RecordingError as error:
            self.store.notify(Weight.ERROR, str(error))
        else:
            self.store.notify(Weight.INFO, f"Recording into {begun.path}; nothing of your account is in it.")

    @property
    def replay(self) -> ReplayStatus | None:
        """The moment of the recording that plays; None where none does."""
        return None if self._replay_follower is None else self._replay_follower.clock.current_status()

    def control_replay(self, action: str, values: ControlValues) -> None:
        """Have the recording paused, moved, played faster and the like; only what fails is told."""
        self._spawn(self._control_replay(action, values), "replay")

    async def _control_replay(self, action: str, values: ControlValues) -> None:
        if self._practice_control is None:
            raise ValueError("a recording plays on a practice exchange only")
        try:
            await self._practice_control.control_replay(action, values)
        except KalshiError as error:
            self.store.notify(Weight.ERROR, f"The replay did not do that: {error}")

    def _replay_moved(self, sentence: str) -> None:
        """Read all anew: what is known is of another moment. Books and quotes have come by themselves."""
        self.store.notify(Weight.WARNING, sentence)
        self.store.market_data.clear_history()
        self._market_list_reader.request_refresh()
        self._market_list_reader.reread_tapes()
        self._candle_reader.request_read()
        self._reconciler.request_full_read()
        self._settlement_reader.request_read()

    @property
    def can_inject_faults(self) -> bool:
        """Whether trouble can be rehearsed here."""
        return self._practice_control is not None

    def inject_fault(self, fault: PracticeFault, ticker: str) -> None:
        """Have the practice exchange make trouble."""
        self._spawn(self._inject_fault(fault, ticker), "rehearsal")

    async def _inject_fault(self, fault: PracticeFault, ticker: str) -> None:
        if self._practice_control is None:
            raise ValueError("trouble is rehearsed on a practice exchange only")
        values = {**fault.values, **({"ticker": ticker} if fault.needs_market else {})}
        where = f" ({ticker})" if fault.needs_market else ""
        try:
            await self._practice_control.inject_fault(fault.action, values)
        except KalshiError as error:
            self.store.notify(Weight.ERROR, f"Rehearsal failed: {fault.label}{where}. {error}")
        else:
            self.store.notify(Weight.WARNING, f"Rehearsal: {fault.label}{where}. {fault.help}")

    # In the background.

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run something beside; its failure becomes a notice, never the end of the program."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)
        return task

    async def _run_forever(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Do what must not end while the program runs; a defect in it is told, and it begins anew."""
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - said, and survived
                # Its text stays in the log: nobody knows what it holds.
                _log.exception("Reading %s stumbled.", name)
                self.store.notify(Weight.ERROR, f"Reading {name} stumbled ({type(error).__name__}); it goes on.")
            await self._sleep(RESTART_DELAY_S)

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, KalshiError):
                sentence = str(error)
            else:
                _log.error("The task %s failed.", task.get_name(), exc_info=error)
                sentence = f"a defect ({type(error).__name__})."
            self.store.notify(Weight.ERROR, f"Reading {task.get_name()} failed: {sentence}")

    def _handle_feed_report(self, report: Report) -> None:
        """Log what the feed found and mended, and read by REST what no snapshot brings back.

        docs/kalshi-api.md, section 4.
        """
        if report.happening is Happening.MISSED:
            if report.channel == Channel.TRADE:
                self._market_list_reader.reread_tapes()
                self._candle_reader.request_read()
            elif report.channel == Channel.LIFECYCLE:
                self._market_list_reader.request_refresh()
                self._settlement_reader.request_read()
            elif report.channel not in PUBLIC_CHANNELS:
                self._reconciler.request_full_read()
            return
        self.store.notify(REPORT_SEVERITIES.get(report.happening, Weight.WARNING), report.text)

    def _market_changed(self, ticker: str, event_type: str) -> None:
        self._market_list_reader.handle_market_event(ticker, event_type)
        self._settlement_reader.handle_market_event(ticker, event_type)

    def _link_changed(self, state: LinkState) -> None:
        self._exchange_hours.check_now()
        self._dead_man_switch.handle_link(state)
        if state is not LinkState.LIVE:
            if (sentence := self._describe_exchange_exit()) and sentence != self._reported_exit:
                self._reported_exit = sentence
                self.store.notify(Weight.ERROR, sentence)
            return
        self._reconciler.request_full_read()
        self._settlement_reader.request_read()
        if self._was_live:
            # Nobody has told what happened while the link was down.
            self._market_list_reader.request_refresh()
            self._market_list_reader.reread_tapes()
            self._candle_reader.request_read()
        self._was_live = True


__all__ = ["OrderResult", "Session", "Topic", "TradingSession", "Venue"]
