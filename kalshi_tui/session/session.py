"""One trading session: the store, the stream that fills it, and the hands that trade. What the screens hold."""

import asyncio
import logging
import secrets
import uuid
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from kalshi_tui.domain.link import LinkState, Pulse, Trust
from kalshi_tui.domain.order import Order, OrderTerms
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.feed.stream_group import CROSSED_LOOK_S, CrossedWatch, StreamGroup
from kalshi_tui.kalshi.feed.subscription import Happening, Report
from kalshi_tui.kalshi.practice_control import PracticeControl
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.wire import Channel
from kalshi_tui.recording.writer import RecordingError
from kalshi_tui.session.account.exchange_hours import Clerk
from kalshi_tui.session.account.queue_positions import QueueWatch
from kalshi_tui.session.account.reconcile import Account
from kalshi_tui.session.account.settlements import Settlements
from kalshi_tui.session.alerts.command import AlertCommand
from kalshi_tui.session.alerts.monitor import Alerts
from kalshi_tui.session.execution.amend import Changer
from kalshi_tui.session.execution.cancel_all import WAITS_S, Sweeper
from kalshi_tui.session.execution.dead_man import Switch
from kalshi_tui.session.execution.journal import Journal, JournalError
from kalshi_tui.session.execution.order_lookup import Inquiry
from kalshi_tui.session.execution.risk_checks import READ_ONLY, Guard, Objection
from kalshi_tui.session.execution.submit import CLOCKS_DIFFER_MS, Trading
from kalshi_tui.session.interface import Desk, Outcome, Sweep
from kalshi_tui.session.market_data.audit import Audit, compared
from kalshi_tui.session.market_data.candles import Charts
from kalshi_tui.session.market_data.market_list import Listing
from kalshi_tui.session.market_data.sparklines import Pasts
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.options import Options
from kalshi_tui.session.practice_faults import Rehearsal, Values
from kalshi_tui.session.recorder import Recorder, size_text
from kalshi_tui.session.replay import Replay, ReplayClock, Replaying
from kalshi_tui.session.skipped_items import LeftOutNotices
from kalshi_tui.session.store import Levels, Store, Topic
from kalshi_tui.session.timing import Sleep, sleepless_s
from kalshi_tui.session.venue import Venue

AGAIN_AFTER_S: Final = 3.0
PUBLIC_CHANNELS: Final = {Channel.TRADE, Channel.LIFECYCLE, Channel.BOOK, Channel.TICKER}
"""The channels that are not of the account; what is missed on another is read again by REST."""
_log: Final = logging.getLogger("kalshi_tui.session")
WEIGHTS: Final = {Happening.HEALED: Weight.GOOD, Happening.REFUSED: Weight.ERROR, Happening.ALARM: Weight.ERROR}


class Session:
    """The real desk: composes store, stream and trading, and reconciles the account by REST."""

    def __init__(
        self,
        venue: Venue,
        rest: RestClient,
        make_stream: Callable[[Store, Callable[[Report], None]], StreamGroup],
        clock_ms: Callable[[], int],
        sleep: Sleep = asyncio.sleep,
        control: PracticeControl | None = None,
        gone: Callable[[], str] = str,
        journal: Journal | None = None,
        options: Options | None = None,
        timer_s: Callable[[], float] = sleepless_s,
        kept_folder: Path | None = None,
        replay: ReplayClock | None = None,
    ) -> None:
        """Compose; ``gone`` says in a sentence that the exchange has ended for good, where anybody can know that.

        Without a ``journal`` one is kept in memory: then a restart knows nothing. ``timer_s`` must not jump, and must
        run on while the machine sleeps. Alerts are kept in ``kept_folder``; without one a restart knows none.
        ``replay`` is the clock of a recording that plays; then all times are the recording's.
        """
        self.venue = venue
        options = options or Options()
        self.ticket = options.ticket
        self._dead_man = options.dead_man
        self._journal = journal or Journal.in_memory()
        self._gone = gone
        self._control = control
        self.store = Store(clock_ms)
        self._rest = rest
        self._sleep = sleep
        self._stream = make_stream(self.store, self._stream_reports)
        self.clock_ms = clock_ms
        self.recorder = Recorder(self.store, self._stream, rest.clock.now_ms, venue, sleep)
        self._replaying: Replaying | None = None
        if replay is not None and control is not None:
            self._replaying = Replaying(control, replay, sleep)
            self._replaying.on_moved = self._moved
        self._guard = Guard(
            self.store,
            venue,
            options.limits,
            read_only=options.read_only,
            clock_ms=clock_ms,
            sent_since=self._journal.sent_since,
            unwritable=lambda: self._journal.trouble,
            lost=lambda: self._inquiry.lost,
        )
        self._inquiry = Inquiry(rest, self.store, sleep)
        self._trading = Trading(rest, self.store, self._journal, self._guard, self._inquiry)
        self._changer = Changer(rest, self.store, self._guard, self._inquiry, self._trading)
        self._sweeper = Sweeper(
            rest, self.store, self._trading, sleep, read_only=options.read_only, lost=lambda: self._inquiry.lost
        )
        self._queue = QueueWatch(rest, self.store, sleep)
        self._charts = Charts(rest, self.store, sleep)
        self._pasts = Pasts(rest, self.store, sleep)
        self._settlements = Settlements(rest, self.store, sleep)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._looked_at: tuple[str, ...] = ()
        self._kept_listed: tuple[str, ...] = ()
        self._started = False
        self.alerts = Alerts(self.store, rest.clock, sleep, kept_folder)
        self.alerts.on_ring = AlertCommand(options.alert_command, self.store, sleep, self._spawn).run
        self.alerts.on_watched = self._alerts_moved
        self._was_live = False
        self._said_gone = ""
        self._switch = Switch(
            options.dead_man,
            self.store,
            timer_s,
            lambda waits_s: self._sweeper.cancel_all(waits_s=waits_s),
            sleep,
            self._spawn,
        )
        self._account = Account(rest, self.store, self._inquiry, self._journal, clock_ms, sleep)
        self._clerk = Clerk(rest, self.store, sleep)
        self._trading.on_closed = self._clerk.look_now
        self._listing = Listing(rest, self.store, self._spawn, self._follow_quotes, sleep)
        self._left_out = LeftOutNotices(self.store, sleep, self._spawn)
        rest.on_left_out = self._left_out.tell
        self._trading.on_doubt = self._inquiry.on_found = self.store.on_doubt = self._account.is_doubtful
        self._inquiry.on_never_arrived = self._trading.never_arrived
        self.store.on_order = self._order_changed
        self.store.on_account_news = self._account.has_news
        self.store.on_link = self._link_changed
        self.store.on_lifecycle = self._market_changed

    async def start(self, *, alone: bool = False) -> None:
        """Start the stream and read the markets; ends at once, all goes on in the background.

        ``alone``: only what orders need, for one command. Whoever starts it so puts the markets into the store.
        """
        self._trading.take_up()
        for sentence in filter(None, (*self._journal.notices, self._journal.trouble)):
            self.store.notify(Weight.ERROR, sentence)
        try:
            if alone:
                # Another command may have filled an order a moment ago: its position has to be in what is read. A line
                # from times to come is damaged, and is not waited for.
                latest_ms = self._rest.clock.now_ms() + CLOCKS_DIFFER_MS
                self._account.has_to_pass(min(self._journal.newest_change_ms(), latest_ms))
        except JournalError as error:
            self.store.notify(Weight.ERROR, str(error))
        self._started = True
        self._spawn(self._stream.run(), "stream")
        if not alone:
            self._listing.want(self._kept_listed)
        self._spawn(self._rest.limits(), "limits")
        needed = (
            (self._account.run, "account"),
            (self._watch_crossed, "crossed books"),
            (self._clerk.run, "hours"),
        )
        around = (
            (self._listing.run, "markets"),
            (self._queue.run, "queue places"),
            (self._charts.run, "charts"),
            (self._pasts.run, "past prices"),
            (self._settlements.run, "settlements"),
            (self.alerts.run, "alerts"),
            (self.recorder.run, "recording"),
            *([(self._replaying.run, "replay")] if self._replaying is not None else []),
        )
        for work, name in needed if alone else (*around, *needed):
            self._spawn(self._for_ever(work, name), name)

    async def stop(self) -> None:
        """End everything that runs; the dead-man's switch cancels all first, if it is set to."""
        self.recorder.end()
        await self._switch.quit(nothing_rests=self._account.has_been_read and not self.store.working())
        await self._stream.close()
        await self._inquiry.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._rest.close()
        if self._control is not None:
            await self._control.close()
        self.alerts.close()
        self._journal.close()

    @property
    def account_known(self) -> bool:
        """Whether the account has been read, and as it was after all that the journal has of it."""
        return self._account.has_caught_up

    def when_listed(self, act: Callable[[], None]) -> None:
        """Have this called when the list of markets has been read whole."""
        self._listing.on_whole = act

    def look_at(self, tickers: Sequence[str]) -> None:
        """Subscribe to these markets' books and no others, and read their tapes and fees where not yet known."""
        self._looked_at = tuple(tickers)
        self._follow_books()
        self._listing.look_at(tickers)

    def _follow_books(self) -> None:
        """Have the books sent that are on the screen, and those that alerts look at."""
        # One that is not listed may be over: to ask for it could cost the others their subscription.
        alerted = [ticker for ticker in self.alerts.tickers if ticker in self.store.markets]
        tickers = list(dict.fromkeys([*self._looked_at, *alerted]))
        self._stream.watch_books(tickers)
        self.store.forget_books([ticker for ticker in self.store.books if ticker not in tickers])

    def _follow_quotes(self, tickers: Iterable[str] | None) -> None:
        """Have quotes sent; other markets are listed now, and alerts may look at these."""
        self._stream.watch_quotes(tickers)
        if self.alerts.tickers:
            self._follow_books()

    def _alerts_moved(self) -> None:
        """Follow other books; not at once, for the stream may be in the middle of the frame that rang."""
        asyncio.get_running_loop().call_soon(self._follow_books)

    def look_at_chart(self, ticker: str, minutes: int) -> None:
        """Read this market's candles and keep them fresh, and no others."""
        self._charts.look_at(ticker, minutes)

    def look_at_pasts(self, tickers: Sequence[str]) -> None:
        """Read the past day of these markets and keep it fresh, and of no others."""
        self._pasts.look_at(tickers)

    def keep_listed(self, tickers: Sequence[str]) -> None:
        """Keep these markets on the desk. A screen says so as soon as it is made, before anything runs."""
        self._kept_listed = tuple(tickers)
        if self._started:
            self._listing.want(tickers)

    @property
    def read_only(self) -> str:
        """Say why nothing may be sent or changed; empty if it may."""
        return READ_ONLY if self._guard.read_only else ""

    @property
    def leaves_nothing(self) -> bool:
        """Whether all orders are cancelled when the program ends."""
        return self._dead_man.on_quit

    def objections(self, terms: OrderTerms, instead_of: Order | None = None) -> list[Objection]:
        """Give what speaks against an order, the gravest first."""
        return self._guard.objections(terms, instead_of=instead_of)

    def draft(self, terms: OrderTerms) -> str:
        """Write an intent down under a random id: it must be unique for ever, and tell nothing."""
        client_order_id = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
        self._trading.draft(terms, client_order_id)
        return client_order_id

    async def submit(self, terms: OrderTerms, client_order_id: str, agreed: frozenset[str] = frozenset()) -> Outcome:
        """Send one order, once."""
        return await self._trading.submit(terms, client_order_id, agreed)

    def terms_to_repeat(self, order: Order) -> OrderTerms | None:
        """Give the terms of an order that never arrived and may go out again; else None."""
        return self._trading.terms_to_repeat(order)

    async def amend(self, order: Order, price: Price, left: Count, agreed: frozenset[str] = frozenset()) -> Outcome:
        """Change a resting order."""
        return await self._changer.amend(order, price, left, agreed)

    async def cancel_all(self, ticker: str = "") -> Sweep:
        """Cancel all in a market, or everywhere."""
        return await self._sweeper.cancel_all(ticker, WAITS_S)

    @property
    def last_words(self) -> str:
        """Say what the dead-man's switch did at the end; empty if it had nothing to do."""
        return self._switch.last_words

    async def cancel(self, order: Order) -> Outcome:
        """Cancel a resting order."""
        return await self._trading.cancel(order)

    def pulse(self) -> Pulse:
        """Say how the link does now."""
        health = self._stream.health()
        # While a recording stands still nothing is to be expected.
        still = self.replay is not None and (self.replay.paused or self.replay.ended)
        return Pulse(
            frame_age_ms=None if health.frame_age is None or still else round(health.frame_age * 1000),
            ping_age_ms=None if health.ping_age is None else round(health.ping_age * 1000),
            lag_ms=health.lag_ms if health.frame_age is not None else None,
            skew_ms=health.skew_ms,
            faults=health.faults,
            healed=health.healed,
            untrusted=sum(live.trust is Trust.STALE for live in self.store.books.values()),
        )

    def audit(self, ticker: str) -> None:
        """Compare a book with a fresh snapshot of the exchange's, and tell what came of it."""
        self._spawn(self._tell_audit(ticker), "audit")

    async def _tell_audit(self, ticker: str) -> None:
        result = await self.audited(ticker)
        weight = {None: Weight.WARNING, True: Weight.GOOD, False: Weight.ERROR}[result.equal]
        self.store.notify(weight, f"Audit of {ticker}: {result.sentence}")

    async def audited(self, ticker: str) -> Audit:
        """Compare a book with a fresh snapshot of the exchange's; one that differs is trusted no more."""
        answer: asyncio.Future[Audit] = asyncio.get_running_loop().create_future()

        def came(_: str, yes: Levels | None, no: Levels | None) -> None:
            # At this very moment the two have to be equal: the next frame changes one of them.
            found = compared(self.store.book(ticker).book, yes, no)
            if not answer.done():
                answer.set_result(found)
            if found.equal is False:
                self._stream.distrust("An audit found that it differs from the exchange's.")

        self._stream.audit(ticker, came)
        return await answer

    async def _watch_crossed(self) -> None:
        """Look for books that stay crossed, and at how long the link has been silent."""

        def crossed() -> list[str]:
            return [ticker for ticker, live in self.store.books.items() if live.good and live.book.crossed]

        watch = CrossedWatch(crossed, self._stream.distrust)
        while True:
            await self._sleep(CROSSED_LOOK_S)
            pulse = self.pulse()
            ages = [age for age in (pulse.frame_age_ms, pulse.ping_age_ms) if age is not None]
            self._switch.look(min(ages, default=None))
            watch.look()

    @property
    def recording(self) -> str:
        """Say in a word that the stream is recorded, and how much; empty while it is not."""
        return self.recorder.words

    def record(self, path: Path) -> None:
        """Begin a recording, or end the one that goes on; a notice says which."""
        if (ended := self.recorder.end()) is not None:
            told = f"{ended.frames:,} frames, {size_text(ended.size)}"
            self.store.notify(Weight.GOOD, f"Recorded: {told} in {ended.path}. To play it: kalshi-tui replay FILE")
            return
        try:
            begun = self.recorder.begin(path)
        except RecordingError as error:
            self.store.notify(Weight.ERROR, str(error))
        else:
            self.store.notify(Weight.INFO, f"Recording into {begun.path}; nothing of your account is in it.")

    @property
    def replay(self) -> Replay | None:
        """The moment of the recording that plays; None where none does."""
        return None if self._replaying is None else self._replaying.clock.moment()

    def play(self, action: str, values: Values) -> None:
        """Have the recording paused, moved, played faster and the like; only what fails is told."""
        self._spawn(self._play(action, values), "replay")

    async def _play(self, action: str, values: Values) -> None:
        if self._control is None:
            raise ValueError("a recording plays on a practice exchange only")
        try:
            await self._control.play(action, values)
        except KalshiError as error:
            self.store.notify(Weight.ERROR, f"The replay did not do that: {error}")

    def _moved(self, sentence: str) -> None:
        """Read all anew: what is known is of another moment. Books and quotes have come by themselves."""
        self.store.notify(Weight.WARNING, sentence)
        for tape in self.store.tapes.values():
            tape.clear()
        self.store.charts.clear()
        self._listing.is_doubtful()
        self._listing.tape_has_holes()
        self._charts.has_holes()
        self._account.is_doubtful()
        self._settlements.is_doubtful()

    @property
    def rehearses(self) -> bool:
        """Whether trouble can be rehearsed here."""
        return self._control is not None

    def rehearse(self, rehearsal: Rehearsal, ticker: str) -> None:
        """Have the practice exchange make trouble."""
        self._spawn(self._rehearse(rehearsal, ticker), "rehearsal")

    async def _rehearse(self, rehearsal: Rehearsal, ticker: str) -> None:
        if self._control is None:
            raise ValueError("trouble is rehearsed on a practice exchange only")
        values = {**rehearsal.values, **({"ticker": ticker} if rehearsal.of_market else {})}
        where = f" ({ticker})" if rehearsal.of_market else ""
        try:
            await self._control.act(rehearsal.action, values)
        except KalshiError as error:
            self.store.notify(Weight.ERROR, f"Rehearsal failed: {rehearsal.label}{where}. {error}")
        else:
            self.store.notify(Weight.WARNING, f"Rehearsal: {rehearsal.label}{where}. {rehearsal.help}")

    # In the background.

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run something beside; its failure becomes a notice, never the end of the program."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def _for_ever(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Do what must not end while the program runs; a defect in it is told, and it begins anew."""
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - said, and survived
                # Its text stays in the log: nobody knows what it holds.
                _log.exception("Reading %s stumbled.", name)
                self.store.notify(Weight.ERROR, f"Reading {name} stumbled ({type(error).__name__}); it goes on.")
            await self._sleep(AGAIN_AFTER_S)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, KalshiError):
                sentence = str(error)
            else:
                _log.error("The task %s failed.", task.get_name(), exc_info=error)
                sentence = f"a defect ({type(error).__name__})."
            self.store.notify(Weight.ERROR, f"Reading {task.get_name()} failed: {sentence}")

    def _stream_reports(self, report: Report) -> None:
        """Log what the feed found and mended, and read by REST what no snapshot brings back.

        docs/kalshi-api.md, section 4.
        """
        if report.happening is Happening.MISSED:
            if report.channel == Channel.TRADE:
                self._listing.tape_has_holes()
                self._charts.has_holes()
            elif report.channel == Channel.LIFECYCLE:
                self._listing.is_doubtful()
                self._settlements.is_doubtful()
            elif report.channel not in PUBLIC_CHANNELS:
                self._account.is_doubtful()
            return
        self.store.notify(WEIGHTS.get(report.happening, Weight.WARNING), report.text)

    def _order_changed(self, order: Order) -> None:
        self._trading.note(order)
        self.alerts.ordered(order)

    def _market_changed(self, ticker: str, event_type: str) -> None:
        self._listing.changed(ticker, event_type)
        self._settlements.heard(ticker, event_type)

    def _link_changed(self, state: LinkState) -> None:
        self._clerk.look_now()
        self._switch.link(state)
        if state is not LinkState.LIVE:
            if (sentence := self._gone()) and sentence != self._said_gone:
                self._said_gone = sentence
                self.store.notify(Weight.ERROR, sentence)
            return
        self._account.is_doubtful()
        self._settlements.is_doubtful()
        if self._was_live:
            # Nobody has told what happened while the link was down.
            self._listing.is_doubtful()
            self._listing.tape_has_holes()
            self._charts.has_holes()
        self._was_live = True


__all__ = ["Desk", "Outcome", "Session", "Topic", "Venue"]
