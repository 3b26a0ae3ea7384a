"""Renew the short expiries of resting orders for as long as this program lives (docs/kalshi-api.md, section 6).

An amendment needs price and count. A renewal sends those that rest at that moment, gives way to every request of the
trader's, and takes at most a quarter of the tokens for writes. What it cannot renew ends by itself, and is named.
"""

import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from kalshi_tui.domain.link import LinkState, TradingStatus
from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.domain.text import local_time_text, named_orders_text, order_count_text
from kalshi_tui.kalshi.errors import KalshiError, NotFound, NotSent, Refused
from kalshi_tui.kalshi.order_status import by_id
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.rate_limit import RefillingTokens
from kalshi_tui.session.bus import AccountInDoubt, HoursInDoubt
from kalshi_tui.session.execution.amend import apply_amend_ack
from kalshi_tui.session.execution.order_writers import OrderWriters, WriterBusyError
from kalshi_tui.session.execution.rolling_expiry import RollingExpiry
from kalshi_tui.session.execution.submit import HTTP_UNAVAILABLE, PAUSE_CODES
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

RENEWAL_DIVISOR: Final = 4
"""A renewal takes at most one token in so many."""
CHECK_INTERVAL_S: Final = 1.0
SETTLE_S: Final = 10.0
"""How long after a renewal without an answer the order is read: by then what was on its way has arrived."""
MAX_NAMED: Final = 5


class ExpiryRenewer:
    """Keeps the expiries of this program's orders ahead of now. `run` does the work."""

    def __init__(
        self,
        rolling: RollingExpiry,
        rest: RestClient,
        store: Store,
        writers: OrderWriters,
        sleep: Sleep,
        timer_s: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
        adopt_expiry: Callable[[Order], None],
        reread_expiry: Callable[[Order], None],
    ) -> None:
        """Take what it works with.

        ``adopt_expiry`` takes an order's expiry for what the trader wants, ``reread_expiry`` what another program on
        the journal has been told of it.
        """
        self._rolling = rolling
        self._rest = rest
        self._store = store
        self._writers = writers
        self._sleep = sleep
        self._timer_s = timer_s
        self._spawn = spawn
        self._adopt_expiry = adopt_expiry
        self._reread_expiry = reread_expiry
        self._shares: dict[int, RefillingTokens] = {}
        """By shard, the tokens that renewals may take of its bucket."""
        self._due_since: dict[str, float] = {}
        """Since when an order's renewal is due, by the timer."""
        self._named: set[str] = set()
        """Orders that were named as not renewed, so that each is named once."""

    @property
    def is_on(self) -> bool:
        """Whether expiries are renewed at all."""
        return self._rolling.length_s is not None

    async def run(self) -> None:
        """Renew until canceled."""
        while self.is_on:
            self.renew_due()
            await self._sleep(CHECK_INTERVAL_S)

    def list_renewed(self) -> list[Order]:
        """Return the resting orders whose expiry is renewed, the one that ends first at the front."""
        if not self.is_on:
            return []
        working = self._store.working_orders()
        found = [order for order in working if self._is_renewed(order)]
        # Those that are not renewed too: forgotten, their next expiry from elsewhere would be taken for one of ours.
        order_ids = {order.order_id for order in working}
        self._rolling.keep_only(order_ids)
        for order_id in self._due_since.keys() - order_ids:
            del self._due_since[order_id]
        return sorted(found, key=lambda order: (order.expires_ms, order.created_ms))

    def describe_ending(self) -> str:
        """Return in a sentence which orders end by themselves once this program has ended; empty if none does."""
        orders = self.list_renewed()
        if not orders:
            return ""
        last = local_time_text(orders[-1].expires_ms // 1000)
        if len(orders) == 1:
            return f"1 resting order ends by itself, by {last}."
        return f"{len(orders)} resting orders end by themselves, by {last}."

    def renew_due(self) -> None:
        """Begin to renew what has less than half of its time left, as the tokens allow; name what cannot be renewed."""
        orders = self.list_renewed()
        if not orders:
            return
        if (long := self._rolling.long_pause()) is not None:
            until = local_time_text(long.end_s)
            self._name_ending(orders, f"A pause until {until} is announced, and no expiry can be renewed in it.")
        # Parts of the exchange pause by themselves: there each renewal would be rejected, elsewhere they go on.
        paused: list[Order] = []
        by_shard: dict[int, list[Order]] = {}
        for order in orders:
            if self._store.hours_of(order.ticker) is TradingStatus.OPEN:
                by_shard.setdefault(self._shard(order), []).append(order)
            else:
                paused.append(order)
        if paused:
            pause = self._rolling.next_pause(self._rolling.now_s())
            # In a pause that was known ahead those that were prolonged past its end in time are renewed after it.
            expected = pause.start_s <= self._rolling.now_s()
            ending = [order for order in paused if not expected or order.expires_ms // 1000 <= pause.end_s]
            self._name_ending(ending, "No expiry can be renewed while trading is paused.")
        for shard, resting in by_shard.items():
            self._renew_on_shard(shard, resting)

    def _renew_on_shard(self, shard: int, orders: list[Order]) -> None:
        budget, cost = self._rest.write_budget(shard), self._rest.amend_cost
        share = self._refilled_share(shard, budget.per_second / RENEWAL_DIVISOR, cost)
        kept, too_many = self._affordable(orders, budget.per_second / RENEWAL_DIVISOR, cost)
        if too_many:
            self._name_ending(too_many, f"Your limit of writes is enough to renew {order_count_text(len(kept))}.")
        # What the trader sends goes first; the next turn comes within a second.
        due = [order for order in kept if self._is_due(order) and not self._writers.is_busy(order.order_id)]
        for number, order in enumerate(due, 1):
            if share.tokens < cost or not budget.can_spare(number * cost):
                break
            share.tokens -= cost
            # Side by side: one without an answer must not let the others end.
            self._spawn(self._renew(order), "a renewal")
        if self._store.connection.state is not LinkState.LIVE:
            self._name_late(due, "The exchange is not reached, and cannot be asked to renew.")
        elif not budget.can_spare(cost):
            self._name_late(due, "Your own requests take the writes that a renewal needs.")

    def _is_due(self, order: Order) -> bool:
        """Return whether less than half of an order's time is left."""
        if order.expires_ms // 1000 - self._rolling.now_s() > (self._rolling.length_s or 0) / 2:
            self._due_since.pop(order.order_id, None)
            return False
        self._due_since.setdefault(order.order_id, self._timer_s())
        return True

    def _name_late(self, due: list[Order], why: str) -> None:
        """Name the orders whose renewal has been due for half of the time that there was for it."""
        latest = self._timer_s() - (self._rolling.length_s or 0) / 4
        self._name_ending([order for order in due if self._due_since[order.order_id] <= latest], why)

    def _shard(self, order: Order) -> int:
        market = self._store.markets.get(order.ticker)
        return 0 if market is None else market.exchange_index

    def _is_renewed(self, order: Order) -> bool:
        """Return whether an order was sent with a short expiry, by this run or by one before it.

        An order of the command line or of elsewhere was not, and is left alone.
        """
        if order.state is not OrderState.RESTING or not order.order_id or not order.expires_ms:
            return False
        terms = self._store.order_terms.get(order.client_order_id)
        if terms is None:
            return False
        if not self._writers.is_busy(order.order_id) and self._rolling.is_foreign(order):
            # Another program has given it an expiry of its own: from now on that is what the trader wants.
            if terms.expires_s != order.expires_ms // 1000:
                self._adopt_expiry(order)
                self._name_ending([order], "This expiry comes from elsewhere, and is not renewed.")
            return False
        return terms.expires_s is None or order.expires_ms // 1000 < terms.expires_s

    def _affordable(self, orders: list[Order], per_second: float, cost: int) -> tuple[list[Order], list[Order]]:
        """Part the orders into those that so many tokens a second are enough for, the oldest, and the others.

        ``cost`` is what one renewal takes.
        """
        most = int(per_second * (self._rolling.length_s or 0) / 2 / cost) if cost else len(orders)
        if len(orders) <= most:
            return orders, []
        # The same ones each time: were they chosen by what ends first, each would be renewed once and then end.
        oldest = sorted(orders, key=lambda order: (order.created_ms, order.order_id))
        kept = {order.order_id for order in oldest[:most]}
        return [order for order in orders if order.order_id in kept], oldest[most:]

    async def _renew(self, order: Order) -> None:
        if self._writers.is_busy(order.order_id):
            return
        with contextlib.suppress(WriterBusyError):
            async with self._writers.exclusive(order.order_id, is_change=False):
                # Another program may have been told since when the trader wants it to end.
                self._reread_expiry(order)
                await self._send(order)

    async def _send(self, order: Order) -> None:
        if self._store.connection.state is not LinkState.LIVE and not await self._read(order):
            return
        # As it rests now: an older price or count must not be sent back.
        order = self._store.known_order(order)
        expires_s = self._expiry_to_send(order)
        if expires_s is None:
            return
        self._rolling.note_sent(order.order_id, expires_s)
        try:
            ack = await self._rest.amend_order(
                order.order_id,
                order.ticker,
                order.book_side,
                order.yes_price,
                order.filled + order.remaining,
                client_order_id=order.client_order_id,
                subaccount=order.subaccount,
                expires_s=expires_s,
                gives_way=True,
            )
        except NotFound:
            # It has ended: the account's reader says how.
            self._store.bus.publish(AccountInDoubt())
        except Refused as error:
            if error.status == HTTP_UNAVAILABLE or error.code in PAUSE_CODES:
                self._store.bus.publish(HoursInDoubt())
            self._name_ending([order], f"The exchange rejected the renewal: {error}")
        except NotSent:
            self._rolling.withdraw_sent(order.order_id, expires_s)
        except KalshiError:
            await self._settle(order)
        else:
            self._note_renewed(order)
            now = self._store.known_order(order)
            if not now.state.final:
                self._store.order(apply_amend_ack(now, order, ack, order.yes_price, order.remaining, expires_s))

    def _note_renewed(self, order: Order) -> None:
        """Note that an order goes on, so that it is named again if it is to end after all."""
        # Before a long pause it stays named: this renewal is among its last.
        if self._rolling.long_pause() is None:
            self._named.discard(order.order_id)

    def _expiry_to_send(self, order: Order) -> int | None:
        """Return the next expiry of an order, Unix seconds; None if it has none, or is being changed or canceled."""
        terms, intents = self._store.order_terms.get(order.client_order_id), self._store.account.intents
        if order.state is not OrderState.RESTING or terms is None:
            return None
        if order.order_id in intents.pending_amends or intents.is_being_canceled(order.order_id):
            return None
        expires_s = self._rolling.clip(terms.expires_s or 0) or 0
        return expires_s if expires_s > order.expires_ms // 1000 else None

    async def _settle(self, order: Order) -> None:
        """After a renewal without an answer, keep every other change back until the order can be read as it is."""
        # It carries price and count: it must not arrive behind a change of the trader's.
        await self._sleep(SETTLE_S)
        await self._read(order)

    async def _read(self, order: Order) -> bool:
        """Read an order as the exchange has it; return whether that was possible."""
        try:
            fresh = await by_id(self._rest, order.order_id, ticker=order.ticker, sent_ms=order.created_ms)
        except KalshiError:
            self._store.bus.publish(AccountInDoubt())
            return False
        self._store.account.apply_read_order(fresh)
        return True

    def _name_ending(self, orders: list[Order], why: str) -> None:
        """Report, each order once, which will end by themselves, and when the first does."""
        new = [order for order in orders if order.order_id not in self._named]
        if not new:
            return
        self._named.update(order.order_id for order in new)
        first = min(order.expires_ms for order in new)
        named, ends = named_orders_text(new, MAX_NAMED), local_time_text(first // 1000)
        self._store.notify(Severity.WARNING, f"Orders end by themselves from {ends} on: {named}. {why}")

    def _refilled_share(self, shard: int, per_second: float, cost: int) -> RefillingTokens:
        now = self._timer_s()
        share = self._shares.setdefault(shard, RefillingTokens(0.0, now))
        # Room for two renewals at least: on the lowest tier a second's share is not enough for three.
        share.refill(now, per_second, max(per_second, 2.0 * cost))
        return share
