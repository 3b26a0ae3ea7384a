"""The practice exchange's engine: orders, accounts, markets. Pure and deterministic.

No I/O, no asyncio, no wall clock: time comes from the injected ``clock_ms``, randomness from the seed. Each operation
runs to its end, appends what it did to a log of events (`Exchange.drain_events`), and either returns a result or
raises `Rejection` with nothing changed. Rules: docs/kalshi-api.md, sections 4 and 6 to 10.

The parts: `state` (time, ids, events, money, markets), `matching` (how orders trade), `lifecycle` (how markets open,
close and pay), `scheduled_fees`, `settlement_floors`, `pauses`, `order_groups`, `order_entry` (what an account can do
with orders), `shard_cash` (cash moved between shards), `subaccount_ledger` (a member's numbered accounts),
`participant_orders` (orders of simulated participants), `queries` (reading), `restore` (a saved state).
"""

from collections.abc import Callable

from kalshi_tui.domain.price import Money
from kalshi_tui.practice.engine.book_policy import BookPolicy, OwnBooks
from kalshi_tui.practice.engine.events import EngineEvent
from kalshi_tui.practice.engine.lifecycle import MarketLifecycle
from kalshi_tui.practice.engine.market_changes import MarketChanges
from kalshi_tui.practice.engine.market_outcome import OutcomeSource
from kalshi_tui.practice.engine.market_results import MarketResults
from kalshi_tui.practice.engine.matching import Matcher
from kalshi_tui.practice.engine.model import EngineAccount
from kalshi_tui.practice.engine.order_entry import DedupeMode, OrderEntry
from kalshi_tui.practice.engine.order_groups import OrderGroups
from kalshi_tui.practice.engine.participant_orders import ParticipantOrders
from kalshi_tui.practice.engine.pauses import ExchangePauses
from kalshi_tui.practice.engine.payout import Payout
from kalshi_tui.practice.engine.queries import Queries
from kalshi_tui.practice.engine.records import SavedState
from kalshi_tui.practice.engine.restore import Restore
from kalshi_tui.practice.engine.scheduled_fees import FeeChanges
from kalshi_tui.practice.engine.settlement_floors import SettlementFloors
from kalshi_tui.practice.engine.shard_cash import ShardTransfers
from kalshi_tui.practice.engine.state import EngineState
from kalshi_tui.practice.engine.subaccount_ledger import Subaccounts
from kalshi_tui.practice.engine.terms import Catalog


class Exchange:
    """A whole exchange, put together from its parts; callers use the part that has the operation."""

    def __init__(
        self,
        catalog: Catalog,
        clock_ms: Callable[[], int],
        seed: int,
        *,
        dedupe: DedupeMode = "open",
        run: int = 0,
        outcome_source: OutcomeSource | None = None,
        policy: Callable[[EngineState], BookPolicy] | None = None,
    ) -> None:
        """Build the exchange and list its markets.

        ``run`` numbers the starts of one world, so that ids never repeat across restarts; ``policy`` makes what differs
        where the books are not the exchange's own.
        """
        state = EngineState(clock_ms, seed, run)
        self.state = state
        self.clock = state.clock
        self.ids = state.ids
        self.ledger = state.ledger
        self.markets = state.markets
        books = OwnBooks(state.event_log) if policy is None else policy(state)
        self.matcher = Matcher(state, books)
        self.market_changes = MarketChanges(state, self.matcher, books)
        self.results = MarketResults(state, self.market_changes, Payout(state), outcome_source)
        self.lifecycle = MarketLifecycle(state, self.market_changes, self.results)
        self.pauses = ExchangePauses(state, self.matcher)
        self.subaccounts = Subaccounts(state, self.pauses)
        self.order_groups = OrderGroups(state, self.matcher, self.pauses)
        self.order_entry = OrderEntry(state, self.matcher, self.pauses, self.order_groups, dedupe)
        self.shard_transfers = ShardTransfers(state, self.pauses)
        self.participant_orders = ParticipantOrders(state, self.matcher)
        self.queries = Queries(state)
        self.scheduled_fees = FeeChanges(state)
        self.settlement_floors = SettlementFloors(state, self.matcher, books)
        self._restore = Restore(state, self.matcher, self.lifecycle, books, self.scheduled_fees)
        for series in catalog.series:
            self.markets.series[series.ticker] = series
        for event in catalog.events:
            self.markets.events_by_ticker[event.ticker] = event
        for collection in catalog.collections:
            self.markets.collections[collection.ticker] = collection
        for market in catalog.markets:
            self.lifecycle.list_market(market)

    def advance(self) -> int:
        """Do all that the clock has made due: openings, closings, results, payouts, expiries. Return the time."""
        return self.clock.advance()

    def drain_events(self) -> list[EngineEvent]:
        """Return what has happened since the last call, in order, and forget it."""
        return self.state.event_log.drain()

    def open_account(
        self, account_id: str, cash: dict[int, Money], *, keeps_history: bool = True, margined: bool = True
    ) -> EngineAccount:
        """Open an account with money from outside. Raises ValueError if there is one by that id."""
        return self.ledger.open_account(account_id, cash, keeps_history=keeps_history, margined=margined)

    def restore(self, saved: SavedState) -> None:
        """Put the exchange where a saved state left it, before anybody trades. Raises ValueError."""
        self._restore.restore(saved)
        self.shard_transfers.restore(saved.transfers, saved.allocations)
