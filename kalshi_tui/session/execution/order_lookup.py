"""Find out what became of orders of unknown outcome (docs/kalshi-api.md, sections 6 and 10).

The exchange is asked until it has answered: by the order's own id where that is known, else by market and time. What
counts as an answer, and when a miss is proof, is decided in `kalshi.order_status`.
"""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Final

from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.domain.text import named_order_text
from kalshi_tui.kalshi.errors import NotFound
from kalshi_tui.kalshi.order_status import (
    SEARCH_FIRST_DELAY_S,
    SEARCH_MAX_DELAY_S,
    SEARCH_RECHECK_DELAY_S,
    TIER_MOVE_MS,
    AgreeingReads,
    by_id,
    is_fresh_enough,
    required_span_ms,
    resolve_order,
    search_order,
)
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.bus import AccountInDoubt, OrderNeverArrived
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

LOOK_WITHIN_S: Final = 600.0
"""Seconds after which a search without a result starts again."""


@dataclass(slots=True)
class _Search:
    """One order that is asked about."""

    since_ms: int
    """The exchange's time that its data have to pass."""
    reads: AgreeingReads = field(default_factory=AgreeingReads)
    span_ms: int = TIER_MOVE_MS
    """How far apart the reads that miss it have to lie."""
    task: asyncio.Task[None] | None = None


class OrderLookup:
    """Asks about unknown orders in the background until they are known; one search for each order."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._searches: dict[str, _Search] = {}
        self.lost: dict[str, str] = {}
        """Orders that are looked for and about which no more is known: client order ids, and their markets or ''."""
        self._not_resting: set[str] = set()
        """Those of them that do not rest, though they may be in the archive."""

    def lost_that_may_rest(self) -> dict[str, str]:
        """Return those of the `lost` orders that may rest at the exchange."""
        return {name: ticker for name, ticker in self.lost.items() if name not in self._not_resting}

    def start_lookup(self, order: Order, since_ms: int = 0) -> None:
        """Start asking what became of an order; ``since_ms`` is the exchange's time of what was sent about it last."""
        name = order.client_order_id or order.order_id
        since_ms = max(since_ms, order.created_ms)
        if (running := self._searches.get(name)) is not None:
            if since_ms > running.since_ms:
                # Something was sent since: what the reads before it agreed on says nothing about it.
                running.since_ms = since_ms
                running.reads.reset()
            return
        search = self._searches[name] = _Search(since_ms)
        search.task = asyncio.create_task(self._run_lookup(order, search), name=f"lookup {name}")
        search.task.add_done_callback(lambda _: self._searches.pop(name, None))

    def look_for(self, client_order_id: str, ticker: str, since_ms: int) -> None:
        """Look for an order about which only its client order id is known, and perhaps its market."""
        if client_order_id in self._searches:
            # A second search would count its reads apart, and neither would have enough that agree.
            return
        self.lost[client_order_id] = ticker
        search = self._searches[client_order_id] = _Search(since_ms)
        search.task = asyncio.create_task(self._look_for(client_order_id, since_ms), name=f"search {client_order_id}")
        search.task.add_done_callback(lambda _: self._searches.pop(client_order_id, None))

    async def _look_for(self, client_order_id: str, since_ms: int) -> None:
        found: Order | None = None
        while True:
            try:
                # In every market and of any time. Nothing else in a damaged row is believed: with a wrong market the
                # search would prove an order missing that rests elsewhere.
                found = await resolve_order(
                    self._rest,
                    client_order_id,
                    ticker=None,
                    sent_ms=0,
                    latest_arrival_ms=lambda: since_ms,
                    within_s=LOOK_WITHIN_S,
                    sleep=self._sleep,
                    # A cancel of all orders waits for this, and not for the minute that the archive takes.
                    on_none_rests=lambda: self._not_resting.add(client_order_id),
                )
                break
            except Exception:  # noqa: BLE001 - whatever goes wrong here, the order must be asked about on
                await self._sleep(SEARCH_MAX_DELAY_S)
        self.lost.pop(client_order_id, None)
        self._not_resting.discard(client_order_id)
        if found is not None:
            self._report_found(found)
            return
        sentence = f"Never arrived: the order with the client order id {client_order_id}, of a row that is set aside."
        self._store.notify(Severity.WARNING, f"{sentence} The exchange has no such order; it was asked several times.")
        self._store.bus.publish(OrderNeverArrived(client_order_id))

    async def close(self) -> None:
        """Stop asking. What is unknown stays unknown."""
        tasks = [search.task for search in self._searches.values() if search.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run_lookup(self, order: Order, search: _Search) -> None:
        wait = SEARCH_FIRST_DELAY_S
        while (known := self._store.known_order(order)).state is OrderState.UNKNOWN:
            try:
                # Before the question itself: the answer is at least as new as this.
                data_ms = await self._rest.user_data_timestamp()
                found = await self._find(known)
                if found is None and not search.reads.count:
                    search.span_ms = await required_span_ms(self._rest, known.created_ms)
            except Exception:  # noqa: BLE001 - whatever goes wrong here, the order must be asked about on
                search.reads.reset()
            else:
                if found is None:
                    if search.reads.add_miss(data_ms, search.since_ms, search.span_ms) and self._conclude_missing(
                        known
                    ):
                        return
                elif is_fresh_enough(data_ms, search.since_ms) or found.state.final or not known.order_id:
                    self._report_found(found)
                    return
                else:
                    # It rests, by data from before the change or cancel in question: it may have been changed since.
                    # But it is there, so the misses before it were wrong.
                    search.reads.reset()
            # Once the data have passed, what is left are a few reads that have to agree.
            await self._sleep(SEARCH_RECHECK_DELAY_S if search.reads.count else wait)
            wait = min(wait * 2, SEARCH_MAX_DELAY_S)

    async def _find(self, order: Order) -> Order | None:
        if order.order_id:
            try:
                return await by_id(self._rest, order.order_id, ticker=order.ticker, sent_ms=order.created_ms)
            except NotFound:
                # One miss, not a proof: reads lag, so several misses have to agree.
                return None
        return await search_order(self._rest, order.client_order_id, order.ticker, order.created_ms)

    def _report_found(self, found: Order) -> None:
        self._store.order(found)
        now = self._store.known_order(found)
        # If the end has been announced, by the stream meanwhile, "found" would announce the same order twice.
        if not self._store.notices.has_told_end(now):
            self._store.notify(Severity.GOOD, f"Found: {named_order_text(now)} is {now.state.word}.", now.ticker)
        self._store.bus.publish(AccountInDoubt())

    def _conclude_missing(self, order: Order) -> bool:
        """Conclude that an order is not there; return False if the store knows better by now."""
        if order.order_id:
            # The exchange had it once, so it was sent. What is in no list is over; its fills were reported by
            # themselves.
            reason = "the exchange lists it no more"
            self._store.order(replace(order, state=OrderState.CANCELED, reason=reason, remaining=0))
        else:
            reason = "The exchange has no such order; it was asked several times."
            self._store.order(replace(order, state=OrderState.NOT_SENT, reason=reason, remaining=0))
        # The stream may have reported the order since the reads. Then the store keeps what it reported, and "never
        # arrived" would be wrong.
        now = self._store.known_order(order)
        if now.state is OrderState.NOT_SENT:
            self._store.notify(Severity.WARNING, f"Never arrived: {named_order_text(order)}. {reason}", order.ticker)
        return now.state is not OrderState.UNKNOWN
