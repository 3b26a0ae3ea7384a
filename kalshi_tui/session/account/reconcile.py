"""The account as the exchange has it: orders, fills, positions, cash, read again until the reads can be believed.

Private frames carry no seq, so that a lost one is never noticed (docs/kalshi-api.md, section 4), and REST lags the
engine by seconds (docs/kalshi-api.md, section 7). So whatever has happened at some time is read until the exchange's
own data have passed that time.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from kalshi_tui.domain.order import Fill, Order, OrderState
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.domain.price import Count
from kalshi_tui.domain.text import LOCKED_KEY, in_subaccount, plain_count_text
from kalshi_tui.domain.trading_day import day_start_ms
from kalshi_tui.kalshi.errors import BadReply, KalshiError, Refused
from kalshi_tui.kalshi.lists import LeftOut, Read
from kalshi_tui.kalshi.order_status import CLOCK_TOLERANCE_MS, by_id
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.subaccounts import is_lock
from kalshi_tui.session.account.list_reads import RECONCILED, AccountList
from kalshi_tui.session.execution.order_lookup import OrderLookup
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_until_event

MAX_FILLS_PER_READ: Final = 200
MAX_FILLS_PER_DAY: Final = 1_000
NEWS_DEBOUNCE_S: Final = 0.15
"""Frames about one order come in a burst; cash and positions are read once, so long after the first."""
FIRST_RETRY_DELAY_S: Final = CLOCK_TOLERANCE_MS / 1000 + 0.1
MAX_RETRY_DELAY_S: Final = 15.0
HISTORY_WINDOW_S: Final = 24 * 3600
MAX_HISTORY_ORDERS: Final = 100
"""At the start the orders of the last day are read, at most so many, so that those that are over are listed too."""
STALE_DATA_AGE_S: Final = 10
RECONCILE_INTERVAL_S: Final = 30.0
"""How often everything is read without a reason: a private frame that was lost leaves no trace."""
NO_SUBACCOUNTS: Final = frozenset({400, 403, 404, 405, 410})
"""What the exchange answers where it has no list of subaccounts for this key: then there is the primary alone."""
MAX_STALE_READS: Final = 5
"""After so many reads that were all too old the trader gets a warning."""


class AccountReconciler:
    """Reads the account after each change of it, until what is read is newer than the change. `run` does the work."""

    def __init__(
        self,
        rest: RestClient,
        store: Store,
        order_lookup: OrderLookup,
        clock_ms: Callable[[], int],
        sleep: Sleep,
    ) -> None:
        self._rest = rest
        self._store = store
        self._order_lookup = order_lookup
        self._clock_ms = clock_ms
        self._sleep = sleep
        self._wake = asyncio.Event()
        self._balance_due_ms = 0
        """The exchange's time that the data have to pass before a read of cash and positions is believed."""
        self._full_read_due_ms = 0
        """The same for orders and fills; 0 if they need no read."""
        self._required_as_of_ms = -1
        """The same for `has_caught_up`."""
        self._as_of_ms = 0
        """The exchange's time up to which the data of the last read reach."""
        self._subaccounts_unread = ""
        """What was said last of a list of subaccounts that makes no sense."""
        self._read_once = False
        self._lists_read_ms = 0
        """When orders and fills were read last, by this machine's clock."""
        self._filled_without_frame: list[Order] = []
        """Orders that a read showed as filled without a frame about it; their executions are read next."""
        self._history_read = False
        """Whether the orders of the last day have been read, at a time when the data had caught up."""

    @property
    def has_been_read(self) -> bool:
        """Whether the account has been read at all."""
        return self._read_once

    @property
    def has_caught_up(self) -> bool:
        """Whether it has been read, and the data were newer than what `require_data_after` asked for."""
        return self._read_once and self._as_of_ms > self._required_as_of_ms

    def require_data_after(self, at_ms: int) -> None:
        """Read until the data are newer than this: what happened before came by no frame here.

        ``at_ms`` is the exchange's Unix time.
        """
        self._required_as_of_ms = at_ms + CLOCK_TOLERANCE_MS
        self._full_read_due_ms = max(self._full_read_due_ms, self._required_as_of_ms)
        self._wake.set()

    def request_balance_read(self) -> None:
        """Read cash and positions: they have moved."""
        self._balance_due_ms = self._rest.clock.now_ms() + CLOCK_TOLERANCE_MS
        self._wake.set()

    def request_full_read(self) -> None:
        """Read everything, orders and fills too: a frame may have been lost."""
        self._full_read_due_ms = self._rest.clock.now_ms() + CLOCK_TOLERANCE_MS
        self._wake.set()

    async def run(self) -> None:
        """Read whenever there is something to read, until canceled."""
        while True:
            if not self._read_once:
                # The first read is requested when the link goes live: from then on the stream reports what changes.
                await self._wake.wait()
            elif await sleep_until_event(self._sleep, RECONCILE_INTERVAL_S, self._wake):
                await self._sleep(NEWS_DEBOUNCE_S)
            self._wake.clear()
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Read until the exchange's data are newer than everything that is due; a failed read is tried again."""
        wait, late, failed = FIRST_RETRY_DELAY_S, 0, False
        while True:
            if self._read_once and abs(self._clock_ms() - self._lists_read_ms) >= RECONCILE_INTERVAL_S * 1000:
                # By the clock, and not after so long a silence: news of cash may come all the time, and a frame that
                # was lost would never be noticed. 1 lies before every time of the exchange: any data will do.
                self._full_read_due_ms = self._full_read_due_ms or 1
            try:
                # The timestamp comes before the lists: read after them it could vouch for data that they did not have.
                as_of_ms = await self._rest.user_data_timestamp()
                await self._read(as_of_ms)
            except KalshiError as error:
                if not failed:
                    sentence = f"Your account could not be read and may be shown wrong; it is tried again. {error}"
                    self._store.notify(Severity.ERROR, sentence)
                self._store.account.mark_unread(str(error), *RECONCILED)
                failed = True
            else:
                if failed:
                    self._store.notify(Severity.GOOD, "Your account has been read again.")
                failed = False
                if as_of_ms > max(self._balance_due_ms, self._full_read_due_ms):
                    return
                # The lists are older than what happened. To stop here would leave cash or an order as it was before,
                # with no further frame to correct it.
                late += 1
                behind_s = (self._rest.clock.now_ms() - as_of_ms) // 1000
                if late == MAX_STALE_READS and behind_s >= STALE_DATA_AGE_S:
                    self._store.notify(Severity.WARNING, f"The exchange's account data are {behind_s} s old.")
            # A new request starts with short waits again. Otherwise they grow: a lagging exchange must not be flooded.
            if await self._wait_for_news(wait):
                wait, late = FIRST_RETRY_DELAY_S, 0
            else:
                wait = min(wait * 2, MAX_RETRY_DELAY_S)

    async def _wait_for_news(self, seconds: float) -> bool:
        """Wait, but not longer than until the next request; return whether there was one. Requests come in bursts."""
        if not await sleep_until_event(self._sleep, seconds, self._wake):
            return False
        await self._sleep(NEWS_DEBOUNCE_S)
        self._wake.clear()
        return True

    async def _read(self, as_of_ms: int) -> None:
        """Read once. What the stream reported after ``as_of_ms`` (the exchange's Unix time) is newer, and stays."""
        if self._full_read_due_ms or not self._read_once:
            await self._read_subaccounts()
        if not self._read_once:
            # Before the positions, which contain these orders' executions: after them they would count twice. And they
            # name the subaccount of a locked key.
            await self._read_orders()
        balances, positions = await self._read_holdings()
        for balance in balances:
            self._store.account.set_balance(balance)
        # In this machine's time, less what the clocks may differ: a position that the stream reported later than this
        # may be newer than the list, and the list must not overwrite it.
        told_before_ms = as_of_ms - self._rest.clock.skew_ms - CLOCK_TOLERANCE_MS
        if self._read_once:
            self._compare_positions(positions, told_before_ms)
        self._store.account.set_positions(positions, told_before_ms)
        if self._full_read_due_ms and self._read_once:
            await self._read_orders()
        if self._full_read_due_ms or not self._read_once:
            self._lists_read_ms = self._clock_ms()
        if as_of_ms > self._full_read_due_ms:
            # Only data newer than the request end it; a request that came meanwhile has raised the mark again.
            self._full_read_due_ms = 0
            self._history_read = True
        self._as_of_ms = as_of_ms
        self._read_once = True

    async def _read_subaccounts(self) -> None:
        """Find out which subaccounts there are, or that the key is locked to one (docs/kalshi-api.md, section 13)."""
        account = self._store.account
        if account.view.is_locked:
            return
        try:
            listed = await self._rest.subaccount_balances()
        except Refused as refusal:
            if is_lock(refusal):
                if account.lock_subaccount():
                    self._store.notify(Severity.INFO, LOCKED_KEY)
            elif refusal.status not in NO_SUBACCOUNTS:
                raise
        except BadReply as error:
            # The accounts that are known are read all the same; a frame or an order names another one that trades.
            if str(error) != self._subaccounts_unread:
                self._subaccounts_unread = str(error)
                self._store.notify(Severity.WARNING, f"The list of subaccounts could not be read. {error}")
        else:
            account.add_subaccounts(each.number for each in listed)

    async def _read_holdings(self) -> tuple[list[Balance], list[Position]]:
        """Read cash and positions, which the exchange tells of one subaccount at a time."""
        view, known = self._store.account.view, self._store.account.positions_by_key
        balances: list[Balance] = []
        positions: list[Position] = []
        left_out: list[LeftOut] = []
        for number in view.numbers:
            asked = view.request_number(number)
            balance, held = await asyncio.gather(
                self._rest.balance(subaccount=asked), self._rest.positions(subaccount=asked)
            )
            balances.append(replace(balance, subaccount=number))
            positions += [replace(each, subaccount=number) for each in held]
            # What could not be decoded is not gone: as a position of zero it would invite a second purchase. It stays.
            unread = {(each.name, number) for each in held.left_out} & known.keys()
            positions += [known[key] for key in sorted(unread)]
            left_out += held.left_out
        self._store.account.set_left_out(AccountList.POSITIONS, left_out)
        return balances, positions

    async def _read_orders(self) -> None:
        """Read orders and fills, and report what changed without a frame."""
        resting, newest = await asyncio.gather(
            self._rest.orders(status="resting"), self._rest.fills(most=MAX_FILLS_PER_READ)
        )
        fills: Read[Fill] = newest
        left_out = {*resting.left_out}
        if not self._history_read:
            fills = await self._read_day_fills(fills)
            since_s = self._rest.clock.now_ms() // 1000 - HISTORY_WINDOW_S
            history = await self._rest.orders(min_s=since_s, most=MAX_HISTORY_ORDERS)
            left_out.update(history.left_out)
            self._apply_orders(history)
            truncated = len(history) >= MAX_HISTORY_ORDERS
            orders_since_ms = min(each.created_ms for each in history) if truncated else since_s * 1000
            self._store.account.set_listed_since(AccountList.ORDERS, orders_since_ms)
            self._store.account.set_listed_since(AccountList.FILLS, await self._find_fills_since(newest, fills))
        gone = {order.order_id: order for order in self._store.working_orders() if order.order_id}
        self._apply_orders(resting)
        for order in resting:
            gone.pop(order.order_id, None)
        for order in gone.values():
            # Missing is no proof: reads lag, and the order may be newer than the list. It stays as it is known.
            with contextlib.suppress(KalshiError):
                self._apply_orders(
                    [await by_id(self._rest, order.order_id, ticker=order.ticker, sent_ms=order.created_ms)]
                )
        self._store.account.mark_read(AccountList.ORDERS)
        self._store.account.set_left_out(AccountList.ORDERS, sorted(left_out, key=str))
        self._store.account.set_left_out(AccountList.FILLS, fills.left_out)
        self._store.time.set_skew(self._rest.clock.skew_ms)
        fresh = self._store.account.set_fills(fills)
        if self._read_once:
            for order_id in dict.fromkeys(fill.order_id for fill in fresh):
                if order_id not in self._store.orders:
                    # Of an order that came from elsewhere, or that was thought never to have arrived.
                    with contextlib.suppress(KalshiError):
                        self._apply_orders([await self._rest.order(order_id)])
        self._report_filled()
        for order in self._store.working_orders():
            if order.state is OrderState.UNKNOWN:
                self._order_lookup.start_lookup(order)

    def _report_filled(self) -> None:
        """Report orders that are filled though the executions that were read do not add up to that."""
        for order in self._filled_without_frame:
            missing_count = order.filled - self._store.account.filled_by_executions(order)
            if missing_count > 0:
                self._store.notices.filled_whole(order, missing_count)
        self._filled_without_frame.clear()

    def _apply_orders(self, orders: Iterable[Order]) -> None:
        """Put orders that were read into the store, and note those that filled without a frame about it."""
        for order in orders:
            known = self._store.orders.get(order.order_id)
            self._store.account.apply_read_order(order)
            now = self._store.known_order(order)
            # The fills are read next and usually explain it. If they are cut off by the limit of a read, the fill would
            # otherwise never be announced.
            if known is not None and not known.state.final and now.state is OrderState.FILLED:
                self._filled_without_frame.append(now)

    def _compare_positions(self, positions: Sequence[Position], reported_before_ms: int) -> None:
        """Note where the list differs from what the stream reported long enough ago to be in the list."""
        read = {position.key: position.count for position in positions}
        found = []
        for key, count in self._store.account.reported_positions(reported_before_ms).items():
            if count != read.get(key, 0):
                # Both cannot be right, and only the list is complete: take it, but let the trader see the difference.
                words = (
                    f"{_describe_holding(read.get(key, 0))} by the exchange's list, "
                    f"{_describe_holding(count)} by what was told here"
                )
                found.append(f"{key[0]}{in_subaccount(key[1])}: {words}. The list is taken.")
        # Each difference once: the reads repeat it every half minute for as long as it lasts.
        if found and tuple(found) != self._store.account_differences:
            for sentence in found:
                self._store.notify(Severity.ERROR, f"Your account differs: {sentence}")
        self._store.account.set_differences(found)

    async def _find_fills_since(self, newest: Sequence[Fill], fills: Sequence[Fill]) -> int:
        """Return the Unix ms from which on the fills are whole, 0 if it cannot be known.

        A short list is whole back to the exchange's cut-off: what is older is in its archive.
        """
        if len(newest) >= MAX_FILLS_PER_READ:
            return min(each.ts_ms for each in fills)
        with contextlib.suppress(KalshiError):
            return (await self._rest.archive_cutoffs()).trades_ms or 0
        return 0

    async def _read_day_fills(self, newest: Read[Fill]) -> Read[Fill]:
        """Return the newest fills, and all of this day's if these do not reach back so far."""
        since_ms = day_start_ms(self._store.time.exchange_ms())
        if len(newest) < MAX_FILLS_PER_READ or newest[-1].ts_ms < since_ms:
            return newest
        return await self._rest.fills(min_s=since_ms // 1000, most=MAX_FILLS_PER_DAY)


def _describe_holding(count: Count) -> str:
    return f"{'YES' if count > 0 else 'NO'} {plain_count_text(abs(count))}" if count else "nothing"
