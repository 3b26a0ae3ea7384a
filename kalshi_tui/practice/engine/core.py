"""The engine's state and the small acts that everything above is made of. No rules of trading stand here."""

import heapq
from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from random import Random
from typing import Final
from uuid import UUID

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.price import Money, Price
from kalshi_tui.practice.engine.accounts import EngineAccount
from kalshi_tui.practice.engine.events import (
    BalanceChanged,
    EngineEvent,
    GroupChange,
    GroupChanged,
    LifecycleChanged,
    LifecycleType,
    QuoteChanged,
)
from kalshi_tui.practice.engine.listing import ListedMarket
from kalshi_tui.practice.engine.order_groups import EngineOrderGroup
from kalshi_tui.practice.engine.orders import EngineOrder
from kalshi_tui.practice.engine.records import TradeRecord
from kalshi_tui.practice.engine.rejection import Rejection, market_not_found
from kalshi_tui.practice.engine.terms import EventDefinition, MarketDefinition, SeriesDefinition

SHARDS: Final = (0, 2)
"""The shards of the practice exchange: 0 for most markets, 2 for crypto (docs/kalshi-api.md, section 14)."""
OUTCOME_SIDES: Final = (Side.YES, Side.NO)
"""By side index: 0 YES, 1 NO."""
HOUSE_ACCOUNT_ID: Final = "house"
"""The account that stands against what a restart finds in the traders' hands."""

EXCHANGE_TAPE_LENGTH: Final = 10_000

DedupeMode = str
"""``open``: a client_order_id is refused while its order is open; ``ever``: for ever after."""


@dataclass(frozen=True, slots=True)
class MarketOutcome:
    """How a market ended. ``value`` is what a YES pays: 10,000 for yes, 0 for no, anything between for scalar."""

    result: str
    value: Price
    expiration_value: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The terms that an exchange starts with; events and markets in the order in which they are listed."""

    series: tuple[SeriesDefinition, ...] = ()
    events: tuple[EventDefinition, ...] = ()
    markets: tuple[MarketDefinition, ...] = ()


OutcomeSource = Callable[[MarketDefinition, int], MarketOutcome | None]
"""Who knows how markets end: asked with the terms and the time from the expected expiration on; None for not yet."""


SETTLED_RANK: Final = 1_000_000

Timer = tuple[int, int, Callable[[int], None]]
"""When something is due, a number that keeps the order of equals, and what to do with the time it is done at."""


class Core(ABC):
    """Markets, accounts, clock, ids, the queue of events. `CommandExchange` is the whole."""

    def __init__(
        self,
        catalog: Catalog,
        clock_ms: Callable[[], int],
        seed: int,
        *,
        dedupe: DedupeMode = "open",
        run: int = 0,
        outcome_source: OutcomeSource | None = None,
    ) -> None:
        """Build the exchange. ``run`` numbers the starts of one world, so that ids never repeat across restarts."""
        if dedupe not in {"open", "ever"}:
            raise ValueError(f"dedupe must be 'open' or 'ever', not {dedupe!r}.")
        self._clock_ms = clock_ms
        self.seed = seed
        self.dedupe = dedupe
        self.outcome_source = outcome_source
        self.now = clock_ms()
        self.series: dict[str, SeriesDefinition] = {}
        self.events_by_ticker: dict[str, EventDefinition] = {}
        self.listings: dict[str, ListedMarket] = {}
        self.ranked_listings: list[ListedMarket] = []
        """All markets as lists show them: by rank, then as they came; those that are settled last."""
        self.listings_by_event: dict[str, list[ListedMarket]] = {}
        self.accounts: dict[str, EngineAccount] = {}
        self.groups: dict[str, EngineOrderGroup] = {}
        self.collected_fees: dict[int, Money] = dict.fromkeys(SHARDS, 0)
        """What the exchange has taken in fees, by shard."""
        self.escrow: dict[int, Money] = dict.fromkeys(SHARDS, 0)
        """What stands behind open contracts, by shard: a dollar for each pair."""
        self.deposited: dict[int, Money] = dict.fromkeys(SHARDS, 0)
        """All money that ever came in from outside, by shard; cash + fees + escrow is always this."""
        self.trading_active = True
        self.exchange_active = True
        self.resume_ms: int | None = None
        """The estimated end of a pause, if one was given."""
        self.tape: deque[TradeRecord] = deque(maxlen=EXCHANGE_TAPE_LENGTH)
        self._events: list[EngineEvent] = []
        self._timers: list[Timer] = []
        self._timer_numbers = count()
        self._queue_numbers = count(1)
        self._pending_group_matches: list[tuple[EngineOrder, int]] = []
        self._changed_balances: dict[tuple[str, int], None] = {}
        prefix = f"{Random(f'ids:{seed}:{run}').getrandbits(60):015x}"  # noqa: S311  # ids, not secrets
        self._id_prefix = f"{prefix[:8]}-{prefix[8:12]}-4{prefix[12:15]}-8"
        self._ids = count(1)
        for each in catalog.series:
            self.series[each.ticker] = each
        for event in catalog.events:
            self.events_by_ticker[event.ticker] = event
        for market in catalog.markets:
            self._add_listing(market)

    # -- events ------------------------------------------------------------------------------------------------------

    def drain_events(self) -> list[EngineEvent]:
        """Return what has happened since the last call, in order, and forget it."""
        taken, self._events = self._events, []
        return taken

    @property
    def pending_event_count(self) -> int:
        """How many events wait to be taken."""
        return len(self._events)

    def _emit(self, event: EngineEvent) -> None:
        self._events.append(event)

    # -- ids and time ------------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """Return an id of the UUID's form that this world never gave before."""
        number = next(self._ids)
        return f"{self._id_prefix}{number >> 48 & 0xFFF:03x}-{number & 0xFFFFFFFFFFFF:012x}"

    def market_id(self, ticker: str) -> str:
        """Return a market's id: the same for the same seed and ticker, across restarts."""
        return str(UUID(bytes=blake2b(f"{self.seed}:{ticker}".encode(), digest_size=16).digest(), version=4))

    def _advance_clock(self) -> int:
        """Read the clock, which never runs backwards here, and do what has become due, each at the time it was due."""
        now = max(self.now, self._clock_ms())
        timers = self._timers
        while timers and timers[0][0] <= now:
            due, _, act = heapq.heappop(timers)
            # Each at its own time, so that a clock that jumps past an hour leaves the same history as one that ran.
            self.now = max(self.now, due)
            act(self.now)
        self.now = now
        return now

    def _schedule_at(self, due_ms: int, act: Callable[[int], None]) -> None:
        heapq.heappush(self._timers, (due_ms, next(self._timer_numbers), act))

    @property
    def next_due_ms(self) -> int | None:
        """When `advance` next has something to do, None for never."""
        return self._timers[0][0] if self._timers else None

    # -- lookups -----------------------------------------------------------------------------------------------------

    def account(self, account_id: str) -> EngineAccount:
        """Return an account. Raises KeyError for one that was never opened: the caller's mistake, not a trader's."""
        return self.accounts[account_id]

    def listing(self, ticker: str) -> ListedMarket:
        """Return a market as it stands. Raises Refusal 404 for an unknown one, or one too new to be seen."""
        found = self.listings.get(ticker)
        if found is None or found.visible_ms > self._clock_ms():
            raise market_not_found(ticker)
        return found

    def event(self, ticker: str) -> EventDefinition:
        """Return an event. Raises Refusal 404."""
        found = self.events_by_ticker.get(ticker)
        if found is None:
            raise Rejection(404, "not_found", "event not found", ticker)
        return found

    def visible_event_listings(self, event_ticker: str) -> list[ListedMarket]:
        """Return an event's markets that can be seen, in listing order."""
        now = self._clock_ms()
        return [each for each in self.listings_by_event.get(event_ticker, ()) if each.visible_ms <= now]

    # -- markets -----------------------------------------------------------------------------------------------------

    def _add_listing(self, terms: MarketDefinition) -> ListedMarket:
        if terms.ticker in self.listings:
            raise ValueError(f"{terms.ticker} is listed already.")
        listing = ListedMarket(terms, self.market_id(terms.ticker))
        listing.rank_key = (terms.rank, len(self.listings))
        self.listings[terms.ticker] = listing
        insort(self.ranked_listings, listing, key=_rank_key)
        self.listings_by_event.setdefault(terms.event_ticker, []).append(listing)
        self._schedule_market(listing)
        return listing

    def _move_to_end(self, listing: ListedMarket) -> None:
        """Let a settled market stand behind all others in lists."""
        del self.ranked_listings[bisect_left(self.ranked_listings, listing.rank_key, key=_rank_key)]
        listing.rank_key = (SETTLED_RANK, listing.rank_key[1])
        insort(self.ranked_listings, listing, key=_rank_key)

    @abstractmethod
    def _schedule_market(self, listing: ListedMarket) -> None:
        """Set the timers of a market's life; given by `Lifecycles`."""

    def _announce(self, listing: ListedMarket, kind: LifecycleType, now: int) -> None:
        listing.updated_ms = now
        self._emit(LifecycleChanged(listing.ticker, kind, now))

    # -- money -------------------------------------------------------------------------------------------------------

    def open_account(
        self,
        account_id: str,
        cash: dict[int, Money],
        *,
        keeps_history: bool = True,
        margined: bool = True,
    ) -> EngineAccount:
        """Open an account with money from outside. Raises ValueError if there is one by that id."""
        if account_id in self.accounts:
            raise ValueError(f"there is an account {account_id} already.")
        opened = EngineAccount(
            account_id, dict.fromkeys(SHARDS, 0) | cash, keeps_history=keeps_history, margined=margined
        )
        opened.held = dict.fromkeys(opened.cash, 0)
        opened.updated_ms = self.now
        self.accounts[account_id] = opened
        for shard, amount in cash.items():
            self.deposited[shard] = self.deposited.get(shard, 0) + amount
        for shard in opened.cash:
            self._mark_balance_changed(opened, shard)
        self._flush_balances(self.now)
        return opened

    def _mark_balance_changed(self, account: EngineAccount, shard: int) -> None:
        if account.keeps_history:
            self._changed_balances[account.account_id, shard] = None

    def _flush_balances(self, now: int) -> None:
        """Tell of each balance that the operation changed, once, with its final figures."""
        if not self._changed_balances:
            return
        for account_id, shard in self._changed_balances:
            account = self.accounts[account_id]
            account.updated_ms = now
            self._emit(BalanceChanged(account_id, shard, account.cash[shard], account.held[shard], now))
        self._changed_balances.clear()

    # -- quotes ------------------------------------------------------------------------------------------------------

    def _update_quote(self, listing: ListedMarket, now: int, *, traded: bool = False) -> None:
        """Tell of a changed top of the book, or of figures that a trade changed."""
        top = listing.book.top()
        if top != listing.top:
            listing.top = top
            listing.candles.add_quote(now, top[0], top[2], listing.open_interest)
        elif not traded:
            return
        self._emit(QuoteChanged(listing.ticker, now))

    def _emit_group_change(self, group: EngineOrderGroup, change: GroupChange) -> None:
        self._emit(GroupChanged(group.to_record(), change))

    def resting_orders(self) -> Iterable[EngineOrder]:
        """Return every resting order of the kept accounts."""
        for account in self.accounts.values():
            yield from account.resting_orders.values()


def _rank_key(listing: ListedMarket) -> tuple[int, int]:
    return listing.rank_key
