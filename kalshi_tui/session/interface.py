"""`TradingSession`: the interface through which `ui` uses the session, and the results of its commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kalshi_tui.domain.combo_legs import ComboCollection
from kalshi_tui.domain.link import LinkStats
from kalshi_tui.domain.order import Order, OrderTerms
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.session.account.cash_moves import CashMove
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.alerts.monitor import AlertMonitor
from kalshi_tui.session.execution.risk_checks import Risk, RiskViolation
from kalshi_tui.session.options import TicketDefaults
from kalshi_tui.session.practice_faults import ControlValues, PracticeFault
from kalshi_tui.session.replay import ReplayStatus
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue


@dataclass(frozen=True, slots=True)
class OrderResult:
    """The outcome of a command to the exchange: the order as it is known now, and a sentence for the trader."""

    order: Order
    sentence: str
    refused: bool = False
    """Whether it is certain that nothing was done: the exchange or this program rejected the command."""


@dataclass(frozen=True, slots=True)
class CancelAllResult:
    """The outcome of canceling all. ``proved``: reads afterward showed that none of these orders rests."""

    canceled: int
    still_resting: tuple[Order, ...]
    unknown: tuple[Order, ...]
    """Orders of which it is not known yet whether they exist on the exchange."""
    proved: bool
    sentence: str
    one_call: bool = False
    """Whether the one call for all was sent: new orders may be canceled too for a minute."""


@dataclass(frozen=True, slots=True)
class CollectionsResult:
    """The collections that combos are made in; ``sentence`` says what could not be read, empty if nothing."""

    collections: tuple[ComboCollection, ...]
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class LookUpResult:
    """The markets that the exchange has under a ticker; without any, a sentence that says why."""

    tickers: tuple[str, ...]
    sentence: str = ""


class TradingSession(Protocol):
    """What a screen may ask of the session. `Session` implements it; tests may pass one of their own."""

    @property
    def venue(self) -> Venue:
        """Where the orders go."""

    @property
    def store(self) -> Store:
        """The market data, the account and the notices."""

    @property
    def alerts(self) -> AlertMonitor:
        """The trader's alerts: add, remove and rearm them here."""

    async def start(self) -> None:
        """Read markets and account, then keep the stream running until `stop`. Never raises for a bad connection."""

    async def stop(self) -> None:
        """End the stream and close the connections."""

    def set_shown_markets(self, tickers: Sequence[str]) -> None:
        """Set which markets' books are on the screen; the subscriptions follow."""

    async def look_up(self, name: str) -> LookUpResult:
        """Ask the exchange for the market or event with this ticker, and list what it has. Never raises."""

    async def read_more(self, which: AccountList) -> str:
        """Show fills or ended orders that are older than those listed, reading them if need be. Never raises.

        Return a sentence if something is to be said.
        """

    async def read_combo_collections(self) -> CollectionsResult:
        """Read which collections of combos are open. Never raises."""

    async def look_up_combos(self, collection_ticker: str) -> LookUpResult:
        """Ask the exchange for the combos that exist in a collection, and list them. Never raises."""

    def set_visible_markets(self, tickers: Sequence[str]) -> None:
        """Set which lines of the market list can be seen; without a stream, their quotes are kept fresh."""

    def set_shown_chart(self, ticker: str, minutes: int) -> None:
        """Set which chart is on the screen, of 1, 60 or 1440 minutes a candle; none without a ticker."""

    def set_shown_sparklines(self, tickers: Sequence[str]) -> None:
        """Set which markets' sparklines are on the screen; none without tickers."""

    def set_watch_list_markets(self, tickers: Sequence[str]) -> None:
        """Set which markets are on a watch list: they stay on the desk, open or not."""

    @property
    def ticket(self) -> TicketDefaults:
        """The defaults of a new ticket."""

    @property
    def read_only_reason(self) -> str:
        """Why nothing may be sent or changed at all, as a sentence; empty if it may."""

    def check_risks(self, terms: OrderTerms, replacing: Order | None = None) -> list[RiskViolation]:
        """Return the risks of sending an order, or of changing ``replacing`` into it, the most serious first."""

    def draft(self, terms: OrderTerms) -> str:
        """Record an intent in the journal and return its client order id, which is fixed from the confirm step on."""

    async def submit(
        self, terms: OrderTerms, client_order_id: str, acknowledged: frozenset[Risk] = frozenset()
    ) -> OrderResult:
        """Send one order, once. Never raises for what the exchange or the network does: the outcome says it.

        ``acknowledged`` are the risks that the trader has accepted; any other keeps the order here.
        """

    def resendable_terms(self, order: Order) -> OrderTerms | None:
        """Return the terms of an order that never arrived and may be sent under its own id once more; else None."""

    async def cancel(self, order: Order) -> OrderResult:
        """Ask for a resting order to be canceled. Never raises for what the exchange or the network does."""

    async def amend(
        self,
        order: Order,
        price: Price,
        resting_count: Count,
        acknowledged: frozenset[Risk] = frozenset(),
        *,
        expires_s: int | None = None,
    ) -> OrderResult:
        """Change a resting order: ``price`` in YES terms, ``resting_count`` what is to rest of it from now on.

        ``expires_s`` is a Unix time in seconds; None keeps the order's own, 0 clears it. A smaller count and another
        expiry keep its place in the queue; all else loses it (docs/kalshi-api.md, section 6).
        """

    @property
    def cancels_on_quit(self) -> bool:
        """Whether all orders are canceled when the program ends."""

    async def cancel_all(self, ticker: str = "", subaccount: int | None = None) -> CancelAllResult:
        """Cancel every resting order, of one market or, without a ticker, of all markets and shards.

        Of one subaccount or, without a number, of all.
        """

    def move_cash(self, moves: Sequence[CashMove]) -> None:
        """Move cash to where an order is paid from, in the background; notices say what became of it."""

    @property
    def cash_move_text(self) -> str:
        """What cash is under way and for how long, as a sentence; empty if none is."""

    @property
    def cash_left_text(self) -> str:
        """What cash is under way that ending the program leaves so, as a sentence; empty if none is."""

    def link_metrics(self) -> LinkStats:
        """Return the state of the link as of now: ages, lag, counts."""

    def start_audit(self, ticker: str) -> None:
        """Compare a book with a fresh snapshot of the exchange's; a notice shows the outcome."""

    @property
    def recording_text(self) -> str:
        """The status of the recording in a word or two; empty while nothing is recorded."""

    def toggle_recording(self, path: Path) -> None:
        """Start a recording, or end the running one; a notice says which."""

    @property
    def replay(self) -> ReplayStatus | None:
        """The status of the replay; None where nothing is replayed."""

    def control_replay(self, action: str, values: ControlValues) -> None:
        """Pause, move or speed up the recording."""

    @property
    def can_inject_faults(self) -> bool:
        """Whether faults can be rehearsed here: on the practice exchange alone."""

    def inject_fault(self, fault: PracticeFault, ticker: str) -> None:
        """Have the practice exchange simulate a fault, in this market if it is one of a market; a notice follows."""
