"""Everything that is read by REST, and what is read again when the stream could not bring it.

No frame repeats what was lost while the link was down, and a lost private frame leaves no trace in the numbering
(docs/kalshi-api.md, section 4). Each such moment ends here in a request to the readers that can make it good.
"""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Final

from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.kalshi.feed.subscription import Happening, Report
from kalshi_tui.kalshi.wire import Channel
from kalshi_tui.session.account.day_reader import DayReader
from kalshi_tui.session.account.exchange_hours import ExchangeHours
from kalshi_tui.session.account.older_entries import OlderEntryReader
from kalshi_tui.session.account.queue_positions import QueuePositionReader
from kalshi_tui.session.account.reconcile import AccountReconciler
from kalshi_tui.session.account.settlements import SETTLED_EVENT, SettlementReader
from kalshi_tui.session.bus import (
    AccountInDoubt,
    AccountMoved,
    EventFeesChanged,
    FeedReported,
    HoursInDoubt,
    LinkChanged,
    MarketLifecycleChanged,
    MessageBus,
    OrderUpdated,
    ReplayMoved,
)
from kalshi_tui.session.market_data.account_markets import AccountMarketReader
from kalshi_tui.session.market_data.candles import CandleReader
from kalshi_tui.session.market_data.fee_reader import FeeReader
from kalshi_tui.session.market_data.market_list import MarketListReader
from kalshi_tui.session.market_data.sparklines import SparklineReader
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store

PUBLIC_CHANNELS: Final = {Channel.TRADE, Channel.LIFECYCLE, Channel.BOOK, Channel.TICKER}
"""The channels that are not of the account; what is missed on another is read again by REST."""
REPORT_SEVERITIES: Final = {
    Happening.HEALED: Severity.GOOD,
    Happening.REFUSED: Severity.ERROR,
    Happening.ALARM: Severity.ERROR,
}
Work = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Readers:
    """The readers of a session, each of which keeps a part of the store fresh."""

    account: AccountReconciler
    hours: ExchangeHours
    queue_positions: QueuePositionReader
    settlements: SettlementReader
    day: DayReader
    older: OlderEntryReader
    fees: FeeReader
    markets: MarketListReader
    account_markets: AccountMarketReader
    candles: CandleReader
    sparklines: SparklineReader

    def for_one_command(self) -> Iterator[tuple[Work, str]]:
        """Return what an order needs to be checked and followed, with its name in a notice."""
        yield self.account.run, "account"
        yield self.hours.run, "hours"

    def for_a_desk(self) -> Iterator[tuple[Work, str]]:
        """Return what a screen shows besides."""
        yield self.markets.run, "markets"
        yield self.account_markets.run, "your markets"
        yield self.fees.run, "fees"
        yield self.queue_positions.run, "queue places"
        yield self.candles.run, "charts"
        yield self.sparklines.run, "past prices"
        yield self.settlements.run, "settlements"
        yield self.day.run, "day"

    def for_watching(self) -> Iterator[tuple[Work, str]]:
        """Return what can be read without a key; the exchange's hours are read with the prices."""
        yield self.markets.run, "markets"
        yield self.account_markets.run, "markets by ticker"
        yield self.fees.run, "fees"
        yield self.candles.run, "charts"
        yield self.sparklines.run, "past prices"

    def read_history_again(self) -> None:
        """Read markets, tapes and charts again: what happened meanwhile is in no frame."""
        self.markets.request_refresh()
        self.markets.reread_tapes()
        self.fees.request_reread()
        self.candles.request_read()

    def read_account_again(self) -> None:
        """Read orders, fills, positions, cash and settlements again."""
        self.account.request_full_read()
        self.settlements.request_read()


class CatchUp:
    """Requests the reads that make good what the stream missed."""

    def __init__(self, readers: Readers, store: Store) -> None:
        self._readers = readers
        self._store = store
        self._was_live = False

    def subscribe(self, bus: MessageBus) -> None:
        """Listen to everything after which something has to be read."""
        bus.subscribe(AccountMoved, lambda _: self._readers.account.request_balance_read())
        bus.subscribe(AccountInDoubt, lambda _: self._readers.account.request_full_read())
        bus.subscribe(HoursInDoubt, lambda _: self._readers.hours.check_now())
        bus.subscribe(LinkChanged, self._link_changed)
        bus.subscribe(FeedReported, lambda message: self._feed_reported(message.report))
        bus.subscribe(MarketLifecycleChanged, self._market_changed)
        bus.subscribe(OrderUpdated, self.order_updated)
        bus.subscribe(EventFeesChanged, self._event_fees_changed)
        bus.subscribe(ReplayMoved, self._replay_moved)

    def _link_changed(self, message: LinkChanged) -> None:
        self._readers.hours.check_now()
        if message.state is not LinkState.LIVE:
            return
        self._readers.read_account_again()
        if self._was_live:
            # At the first connection markets, tapes and charts are read anyway; after an absence they have holes.
            self._readers.read_history_again()
        self._was_live = True

    def _feed_reported(self, report: Report) -> None:
        """Log what the feed found and repaired, and read by REST what no snapshot brings back.

        docs/kalshi-api.md, section 4.
        """
        if report.happening is not Happening.MISSED:
            self._store.notify(REPORT_SEVERITIES.get(report.happening, Severity.WARNING), report.text)
        elif report.channel == Channel.TRADE:
            self._readers.markets.reread_tapes()
            self._readers.candles.request_read()
        elif report.channel == Channel.LIFECYCLE:
            self._readers.markets.request_refresh()
            self._readers.fees.request_reread()
            self._readers.settlements.request_read()
        elif report.channel not in PUBLIC_CHANNELS:
            # An order may have filled in the frame that was missed. Nothing else will ever say so.
            self._readers.account.request_full_read()

    def _market_changed(self, message: MarketLifecycleChanged) -> None:
        self._readers.markets.handle_market_event(message.ticker, message.event_type)
        if message.event_type == SETTLED_EVENT and self._store.account.has_held(message.ticker):
            # The payout is in the cash by now, and the position is about to be gone.
            self._readers.account.request_balance_read()
        self._readers.settlements.handle_market_event(message.ticker, message.event_type)

    def order_updated(self, message: OrderUpdated) -> None:
        """Read a market again whose floor has risen: no event but the end of an order tells it.

        docs/kalshi-api.md, section 26.
        """
        if message.order.update_reason == UpdateReason.SETTLEMENT_BOUNDS.value:
            self._readers.markets.handle_market_event(message.order.ticker, message.order.update_reason)

    def _event_fees_changed(self, message: EventFeesChanged) -> None:
        self._readers.fees.handle_event_fees(message.event_ticker, message.fee_type, message.multiplier)

    def _replay_moved(self, message: ReplayMoved) -> None:
        """Read everything again: what is known is of another moment. Books and quotes have come by themselves."""
        self._store.notify(Severity.WARNING, message.note)
        self._store.market_data.clear_history()
        self._readers.read_history_again()
        self._readers.read_account_again()
