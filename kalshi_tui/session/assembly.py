"""Putting a session together: which part knows which, and who listens to what."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from kalshi_tui.domain.link import LinkState
from kalshi_tui.kalshi.cancel_all_minute import CancelAllMinute
from kalshi_tui.kalshi.feed.market_feed import MarketFeed
from kalshi_tui.kalshi.feed.stream_group import ReportListener
from kalshi_tui.kalshi.lists import LeftOut
from kalshi_tui.kalshi.practice_control import PracticeControl
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.recording.recorder import Recorder
from kalshi_tui.session.account.cash_moves import CashMover
from kalshi_tui.session.account.day_reader import DayReader
from kalshi_tui.session.account.exchange_hours import ExchangeHours
from kalshi_tui.session.account.older_entries import OlderEntryReader
from kalshi_tui.session.account.queue_positions import QueuePositionReader
from kalshi_tui.session.account.reconcile import AccountReconciler
from kalshi_tui.session.account.settlement_file import SettlementFile
from kalshi_tui.session.account.settlements import SettlementReader
from kalshi_tui.session.alerts.alert_command import AlertCommand
from kalshi_tui.session.alerts.monitor import AlertMonitor
from kalshi_tui.session.bus import AlertRang, FeedReported, LinkChanged, OrderNeverArrived, OrderUpdated
from kalshi_tui.session.execution.amend import OrderAmender
from kalshi_tui.session.execution.cancel_all import CancelAll
from kalshi_tui.session.execution.dead_man import DeadManSwitch
from kalshi_tui.session.execution.expiry_renewal import ExpiryRenewer
from kalshi_tui.session.execution.journal import Journal
from kalshi_tui.session.execution.order_lookup import OrderLookup
from kalshi_tui.session.execution.order_writers import OrderWriters
from kalshi_tui.session.execution.risk_checks import RiskChecks
from kalshi_tui.session.execution.rolling_expiry import RollingExpiry
from kalshi_tui.session.execution.submit import OrderExecutor
from kalshi_tui.session.link_monitor import LinkMonitor
from kalshi_tui.session.market_data.account_markets import AccountMarketReader
from kalshi_tui.session.market_data.candles import CandleReader
from kalshi_tui.session.market_data.fee_reader import FeeReader
from kalshi_tui.session.market_data.market_list import MarketListReader
from kalshi_tui.session.market_data.polled_feed import PolledFeed
from kalshi_tui.session.market_data.sparklines import SparklineReader
from kalshi_tui.session.market_data.subscriptions import MarketSubscriptions
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.options import NO_ACCOUNT, SessionOptions
from kalshi_tui.session.practice_actions import PracticeActions
from kalshi_tui.session.readers import CatchUp, Readers
from kalshi_tui.session.replay import ReplayClock, ReplayFollower
from kalshi_tui.session.session import Execution, Session, SessionParts
from kalshi_tui.session.skipped_items import LeftOutNotices
from kalshi_tui.session.store import Store
from kalshi_tui.session.supervisor import Supervisor
from kalshi_tui.session.timing import Sleep, boot_clock_s
from kalshi_tui.session.venue import Venue


def assemble_session(
    venue: Venue,
    make_rest: Callable[[Callable[[LeftOut], None]], RestClient],
    make_stream: Callable[[Store, ReportListener], MarketFeed] | None,
    clock_ms: Callable[[], int],
    sleep: Sleep = asyncio.sleep,
    practice_control: PracticeControl | None = None,
    describe_exchange_exit: Callable[[], str] = str,
    journal: Journal | None = None,
    options: SessionOptions | None = None,
    timer_s: Callable[[], float] = boot_clock_s,
    data_folder: Path | None = None,
    replay: ReplayClock | None = None,
    settlement_file: SettlementFile | None = None,
) -> Session:
    """Put a session together; nothing runs before `Session.start`.

    ``make_rest`` takes the listener for items that are left out of lists, which writes them into the log.
    ``describe_exchange_exit`` returns a sentence if the exchange has ended for good, where anybody can know that.
    Without ``make_stream`` there is no stream, as without a key: what is shown is read by REST.
    Without a ``journal`` one is kept in memory: then a restart knows nothing. ``timer_s`` must not jump, and must run
    on while the machine sleeps. Alerts are kept in ``data_folder``; without one a restart knows none. ``replay`` is the
    clock of a recording that plays; then all times are the recording's. ``settlement_file`` keeps settlements.
    """
    options = options or SessionOptions()
    store = Store(clock_ms)
    supervisor = Supervisor(store, sleep)
    rest = make_rest(LeftOutNotices(store, sleep, supervisor.spawn).tell)
    hours = ExchangeHours(rest, store, sleep)
    polled = None
    stream: MarketFeed
    if make_stream is not None:
        stream = make_stream(store, lambda report: store.bus.publish(FeedReported(report)))
    else:
        stream = polled = PolledFeed(rest, store, hours.check, sleep, timer_s)
        store.mark_delayed()
    if options.without_key:
        store.account.mark_unreadable(NO_ACCOUNT)
    execution = _assemble_execution(
        venue, rest, store, supervisor, clock_ms, sleep, timer_s, journal or Journal.in_memory(), options
    )
    alerts = AlertMonitor(store, rest.clock, sleep, data_folder)
    command = AlertCommand(options.alert_command, store, sleep, supervisor.spawn)
    store.bus.subscribe(AlertRang, lambda message: command.run(message.sentence))
    subscriptions = MarketSubscriptions(stream, store, alerts)
    fee_reader = FeeReader(rest, store, sleep)
    markets = MarketListReader(rest, store, supervisor.spawn, subscriptions.set_quotes, sleep, fee_reader)
    if polled is not None:
        polled.add_markets_with(markets.add_markets)
    readers = Readers(
        account=AccountReconciler(rest, store, execution.lookup, clock_ms, sleep),
        hours=hours,
        queue_positions=QueuePositionReader(rest, store, sleep),
        day=DayReader(rest, store, sleep, settlement_file),
        settlements=SettlementReader(rest, store, sleep, settlement_file),
        older=OlderEntryReader(rest, store),
        fees=fee_reader,
        markets=markets,
        account_markets=AccountMarketReader(rest, store, markets.add_markets, fee_reader.read, sleep),
        candles=CandleReader(rest, store, sleep),
        sparklines=SparklineReader(rest, store, sleep),
    )
    _report_exits(store, describe_exchange_exit)
    CatchUp(readers, store).subscribe(store.bus)
    replay_follower = None
    if replay is not None and practice_control is not None:
        replay_follower = ReplayFollower(practice_control, replay, store.bus, sleep)
    return Session(
        SessionParts(
            venue=venue,
            options=options,
            clock_ms=clock_ms,
            store=store,
            rest=rest,
            stream=stream,
            polled_feed=polled,
            supervisor=supervisor,
            execution=execution,
            readers=readers,
            subscriptions=subscriptions,
            alerts=alerts,
            recorder=Recorder(
                store,
                stream,
                rest.clock.now_ms,
                exchange=venue.value.lower(),
                on_failure=lambda text: store.notify(Severity.ERROR, text),
                sleep=sleep,
            ),
            link_monitor=LinkMonitor(stream, store, execution.dead_man_switch, replay_follower, sleep),
            practice=None if practice_control is None else PracticeActions(practice_control, store, supervisor),
            replay_follower=replay_follower,
        )
    )


def _assemble_execution(
    venue: Venue,
    rest: RestClient,
    store: Store,
    supervisor: Supervisor,
    clock_ms: Callable[[], int],
    sleep: Sleep,
    timer_s: Callable[[], float],
    journal: Journal,
    options: SessionOptions,
) -> Execution:
    store.account.intents.find_recorded = journal.find_meaning
    lookup = OrderLookup(rest, store, sleep)
    minute = CancelAllMinute(rest.clock.now_ms, load=journal.cancel_alls, save=journal.record_cancel_all)
    risk_checks = RiskChecks(
        store,
        venue,
        options.limits,
        read_only_reason=options.read_only_reason,
        clock_ms=clock_ms,
        sent_since=journal.sent_since,
        unwritable=journal.describe_unwritable,
        lost=lambda: lookup.lost,
        after_cancel_all=lambda terms: (
            cancel_all.describe_running(terms) or minute.describe(store.account.view.known_number_of(terms))
        ),
    )
    # One that only watches renews nothing, and none of the orders ends with it.
    length_s = None if options.read_only else options.dead_man.rolling_expiry_s
    rolling = RollingExpiry(length_s, rest.clock.now_ms, timer_s, journal.writers, lambda: store.announced_pauses)
    writers = OrderWriters(journal.writers, timer_s, sleep)
    executor = OrderExecutor(rest, store, journal, risk_checks, lookup, rolling)
    # Before anybody else subscribes: the journal's line comes first of all that follows from an order's change.
    store.bus.subscribe(OrderUpdated, lambda message: executor.record_order(message.order))
    store.bus.subscribe(OrderNeverArrived, lambda message: executor.never_arrived(message.client_order_id))
    cancel_all = CancelAll(
        rest,
        store,
        executor,
        sleep,
        read_only_reason=options.read_only_reason,
        minute=minute,
        max_by_name=options.max_canceled_by_name,
        lost=lookup.lost_that_may_rest,
    )
    dead_man_switch = DeadManSwitch(
        options.dead_man,
        store,
        timer_s,
        lambda within_s: cancel_all.run(within_s=within_s),
        sleep,
        supervisor.spawn,
    )
    store.bus.subscribe(LinkChanged, lambda message: dead_man_switch.handle_link(message.state))
    return Execution(
        journal=journal,
        risk_checks=risk_checks,
        lookup=lookup,
        executor=executor,
        amender=OrderAmender(rest, store, risk_checks, lookup, executor, writers, rolling),
        cancel_all=cancel_all,
        dead_man_switch=dead_man_switch,
        expiry_renewer=ExpiryRenewer(
            rolling,
            rest,
            store,
            writers,
            sleep,
            timer_s,
            supervisor.spawn,
            executor.adopt_expiry,
            executor.reread_expiry,
        ),
        cash_mover=CashMover(rest, store, sleep, clock_ms),
    )


def _report_exits(store: Store, describe_exchange_exit: Callable[[], str]) -> None:
    """Show once that the exchange has ended for good, when the link to it is gone."""
    reported = ""

    def link_changed(message: LinkChanged) -> None:
        nonlocal reported
        if message.state is LinkState.LIVE:
            return
        if (sentence := describe_exchange_exit()) and sentence != reported:
            reported = sentence
            store.notify(Severity.ERROR, sentence)

    store.bus.subscribe(LinkChanged, link_changed)
