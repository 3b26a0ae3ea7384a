"""Portfolio reads that lag the engine, as the exchange's own do: the past, on purpose.

docs/kalshi-api.md, section 7.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from kalshi_tui.practice.engine.events import (
    EngineEvent,
    OrderChanged,
    OrderFilled,
    PositionChanged,
)
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import EVERYTHING, ListFilter
from kalshi_tui.practice.engine.records import (
    FillRecord,
    OrderRecord,
    PositionRecord,
)
from kalshi_tui.practice.engine.rejection import not_found


class PortfolioReads(Protocol):
    """The reads that may lag; the engine's `Queries` answers them as of now."""

    def orders(self, member_id: str, wanted: ListFilter = EVERYTHING) -> Iterator[OrderRecord]:
        """Return a member's orders, newest first."""

    def order(self, member_id: str, order_id: str, subaccount: int | None = None) -> OrderRecord:
        """Return one order. Raises Rejection 404."""

    def positions(self, member_id: str, wanted: ListFilter = EVERYTHING) -> list[PositionRecord]:
        """Return a member's holdings, by subaccount and ticker."""

    def fills(self, member_id: str, wanted: ListFilter = EVERYTHING) -> Iterator[FillRecord]:
        """Return a member's fills, newest first."""


class LaggingReads:
    """The account's state as it stood ``lag_ms`` ago, built from the engine's events as they become old enough."""

    def __init__(self, exchange: Exchange, clock_ms: Callable[[], int], lag_ms: int) -> None:
        self._clock_ms = clock_ms
        self.lag_ms = lag_ms
        self._pending: deque[tuple[int, EngineEvent]] = deque()
        self._orders: dict[str, dict[str, OrderRecord]] = {}
        self._positions: dict[str, dict[str, PositionRecord]] = {}
        self._fills: dict[str, list[FillRecord]] = {}
        self._ledger = exchange.ledger
        for account_id, account in exchange.ledger.accounts.items():
            of_one = ListFilter(subaccount=account.subaccount)
            newest_first = list(exchange.queries.orders(account.member_id, of_one))
            self._orders[account_id] = {each.order_id: each for each in reversed(newest_first)}
            held = exchange.queries.positions(account.member_id, of_one)
            self._positions[account_id] = {each.ticker: each for each in held}
            self._fills[account_id] = list(exchange.queries.fills(account.member_id, of_one))[::-1]

    def add_events(self, events: Iterable[EngineEvent]) -> None:
        """Note what happened, to be shown later."""
        now = self._clock_ms()
        self._pending.extend(
            (now, event) for event in events if isinstance(event, OrderChanged | OrderFilled | PositionChanged)
        )

    @property
    def as_of_ms(self) -> int:
        """Up to when the reads are true, Unix ms."""
        return self._clock_ms() - self.lag_ms

    def _apply_due_events(self) -> None:
        as_of = self.as_of_ms
        while self._pending and self._pending[0][0] <= as_of:
            _, event = self._pending.popleft()
            if isinstance(event, OrderChanged):
                self._orders.setdefault(event.order.account_id, {})[event.order.order_id] = event.order
            elif isinstance(event, OrderFilled):
                self._fills.setdefault(event.fill.account_id, []).append(event.fill)
            elif isinstance(event, PositionChanged):
                self._positions.setdefault(event.position.account_id, {})[event.position.ticker] = event.position

    def _account_ids(self, member_id: str, subaccount: int | None) -> list[str]:
        return [account.account_id for account in self._ledger.members(member_id, subaccount)]

    def orders(self, member_id: str, wanted: ListFilter = EVERYTHING) -> Iterator[OrderRecord]:
        """Return a member's orders, newest first."""
        self._apply_due_events()
        lists = (
            reversed(self._orders.get(account_id, {}).values())
            for account_id in self._account_ids(member_id, wanted.subaccount)
        )
        for each in heapq.merge(*lists, key=lambda order: order.created_ms, reverse=True):
            if wanted.matches(
                each.ticker,
                each.event_ticker,
                status=each.status,
                ts_ms=each.created_ms,
                exchange_index=each.exchange_index,
            ):
                yield each

    def order(self, member_id: str, order_id: str, subaccount: int | None = None) -> OrderRecord:
        """Return one order. Raises Rejection 404 for one that is not there yet."""
        self._apply_due_events()
        for account_id in self._account_ids(member_id, subaccount):
            found = self._orders.get(account_id, {}).get(order_id)
            if found is not None:
                return found
        raise not_found("order not found")

    def positions(self, member_id: str, wanted: ListFilter = EVERYTHING) -> list[PositionRecord]:
        """Return a member's holdings, by subaccount and ticker."""
        self._apply_due_events()
        return [
            each
            for account_id in self._account_ids(member_id, wanted.subaccount)
            for _, each in sorted(self._positions.get(account_id, {}).items())
            if wanted.matches(each.ticker, each.event_ticker, exchange_index=each.exchange_index)
        ]

    def fills(self, member_id: str, wanted: ListFilter = EVERYTHING) -> Iterator[FillRecord]:
        """Return a member's fills, newest first."""
        self._apply_due_events()
        lists = (
            reversed(self._fills.get(account_id, [])) for account_id in self._account_ids(member_id, wanted.subaccount)
        )
        for each in heapq.merge(*lists, key=lambda fill: fill.ts_ms, reverse=True):
            if wanted.matches(
                each.ticker, order_id=each.order_id, ts_ms=each.ts_ms, exchange_index=each.exchange_index
            ):
                yield each


class ReadSource:
    """Which reads answer for the portfolio: the engine's, or a view of its past."""

    def __init__(self, exchange: Exchange, clock_ms: Callable[[], int], engine_as_of_ms: Callable[[], int]) -> None:
        """Begin without a lag; ``engine_as_of_ms`` is up to when the engine's own reads claim to be true."""
        self._exchange = exchange
        self._clock_ms = clock_ms
        self._engine_as_of_ms = engine_as_of_ms
        self._lagging: LaggingReads | None = None

    @property
    def reads(self) -> PortfolioReads:
        """The reads to answer from."""
        return self._lagging or self._exchange.queries

    @property
    def as_of_ms(self) -> int:
        """Up to when the reads are true, Unix ms."""
        return self._engine_as_of_ms() if self._lagging is None else self._lagging.as_of_ms

    def set_lag_ms(self, lag_ms: int) -> None:
        """Answer from so long ago, or from now for 0. The events up to now must have been committed."""
        self._lagging = LaggingReads(self._exchange, self._clock_ms, lag_ms) if lag_ms else None

    def add_events(self, events: Iterable[EngineEvent]) -> None:
        """Note what happened, where the reads lag."""
        if self._lagging is not None:
            self._lagging.add_events(events)
