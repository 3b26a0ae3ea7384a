"""What is proved about an order, and that none rests: the one rule for library, desk and command line.

Reads lag behind what was sent (docs/kalshi-api.md, sections 6 and 10). So a read that misses an order proves nothing
by itself. A miss counts only if the exchange's own data are newer than the request by more than `CLOCK_TOLERANCE_MS`,
only if the list could be read whole, and only once `REQUIRED_MISSES` reads in a row agree. REST has no filter by
client order id: lists are searched by market and time.

What ended long ago is in the archive alone (docs/kalshi-api.md, sections 15 and 26), so the archive is read before an
order is called missing, whatever its cutoff is said to be. On its way there an order may be in neither list for a
moment: if it is old enough for that, the misses have to lie `TIER_MOVE_MS` apart.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from kalshi_tui.domain.order import Order
from kalshi_tui.kalshi.cancel_all_minute import CancelAllMinute
from kalshi_tui.kalshi.errors import (
    BadReply,
    EndpointNotFound,
    KalshiError,
    NotFound,
    NotSent,
    RateLimited,
    Refused,
    TransportError,
    UnknownOutcome,
)
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.clock import ExchangeClock

CLOCK_TOLERANCE_MS: Final = 5_000
"""How far past a request the exchange's data must be before they say anything about it.

The request is timed by what this machine takes for the exchange's time, which may be seconds off.
"""
REQUIRED_MISSES: Final = 3
"""How many reads in a row have to agree: replicas differ, and one of them may be behind its own timestamp."""
TIER_MOVE_MS: Final = 60_000
"""How long an order may be in neither list while it moves into the archive."""
SEARCH_FIRST_DELAY_S: Final = 1.0
"""The first wait between two questions about an unknown order; it doubles up to `SEARCH_MAX_DELAY_S`."""
SEARCH_MAX_DELAY_S: Final = 15.0
SEARCH_RECHECK_DELAY_S: Final = 2.0
"""The wait between reads that miss an order, once the exchange's data have passed the sending."""
SEARCH_LOOKBACK_MS: Final = 600_000
"""How far before the sending an order is searched for: this machine may take the exchange's time for a later one."""
POLL_FIRST_DELAY_S: Final = 0.25
"""The first wait between two looks at what has just been sent or canceled; it doubles up to `POLL_MAX_DELAY_S`."""
POLL_MAX_DELAY_S: Final = 2.0
POLL_RECHECK_DELAY_S: Final = 0.5
"""The wait between looks that find nothing, once the exchange's data have passed the call."""
LISTING_TIMEOUT_S: Final = 60.0
"""How long an order that is given by its id alone is looked for."""
MAX_ORDERS_SEARCHED: Final = 1_000
"""How many of the newest orders are searched for a client order id of which neither market nor time is known."""
CANCEL_BATCH_SIZE: Final = 20
MAX_CANCELED_BY_NAME: Final = 50
"""Up to so many resting orders are canceled by name: no minute follows in which new ones may be canceled too."""
LIST_PATIENCE_S: Final = 2.0
"""How long the list of what rests is waited for before the one call that needs no list."""
MAX_NAMED_ORDERS: Final = 5
"""How many orders that still rest are named in the sentence."""
OWN_ORDERS_CAPACITY: Final = 1_000
"""How many of its own orders a client remembers."""
HALF_READ: Final = "The exchange's list of orders could not be read whole: what is not in it may exist all the same."
FAR_FUTURE_MS: Final = 2**63
"""A time that no data pass."""


class SyncedClock(ExchangeClock):
    """The exchange's time, and whether any reply has carried it yet."""

    __slots__ = ("synced",)

    def __init__(self) -> None:
        super().__init__()
        self.synced = False

    def update_skew(self, date_header: str | None, sent_ms: int, received_ms: int) -> None:
        """Learn from a reply's ``Date`` header, as `ExchangeClock.update_skew` does."""
        super().update_skew(date_header, sent_ms, received_ms)
        self.synced = self.synced or bool(date_header)


@dataclass(slots=True)
class SentOrder:
    """When orders under one client order id went out, by the exchange's clock. Unix milliseconds."""

    ticker: str | None
    """None if orders in several markets went out under this id."""
    first_sent_ms: int
    """The earliest time at which an order may be listed; 0 for any time."""
    last_sent_ms: int
    """The time after which none can arrive."""
    in_flight: int = 0
    """How many calls still wait for an answer."""
    accepted: bool = False
    """Whether the exchange has said that it has the order: then no miss proves the contrary."""
    in_doubt: bool = False
    """Whether a call ended without anybody knowing whether the order arrived."""

    @property
    def latest_arrival_ms(self) -> int:
        """The time that the exchange's data have to pass before a miss counts."""
        # A call that still waits can arrive at any time, and an accepted order is there: no read may disprove it.
        return FAR_FUTURE_MS if self.accepted or self.in_flight else self.last_sent_ms


@dataclass(slots=True)
class _AcceptedOrder:
    order: Order
    accepted_ms: int
    """When the exchange said so, by its clock: lists that are older need not show it."""
    resting: bool


class OrderTracker:
    """What a client knows about its own orders without a read: when they went out, and which were accepted."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, SentOrder] = OrderedDict()
        self._accepted: OrderedDict[str, _AcceptedOrder] = OrderedDict()

    @contextmanager
    def track_send(self, client_order_id: str, ticker: str, clock: ExchangeClock) -> Iterator[SentOrder]:
        """Record that an order goes out now, and when the call ends, that it can have arrived until then."""
        now_ms = clock.now_ms()
        sent = self._sent.setdefault(client_order_id, SentOrder(ticker, now_ms, now_ms))
        self._sent.move_to_end(client_order_id)
        if sent.ticker != ticker:
            sent.ticker = None
        if len(self._sent) > OWN_ORDERS_CAPACITY:
            self._sent.popitem(last=False)
        sent.in_flight += 1
        try:
            yield sent
        except (NotSent, Refused):
            raise
        except BaseException:
            sent.in_doubt = True
            raise
        finally:
            # However the call ended, even by cancellation: its bytes may have left at any moment until now.
            sent.in_flight -= 1
            sent.last_sent_ms = max(sent.last_sent_ms, clock.now_ms())

    def find_sent(self, client_order_id: str) -> SentOrder | None:
        """Return when an order went out; None if this client has not sent it, or not lately."""
        return self._sent.get(client_order_id)

    @property
    def is_in_doubt(self) -> bool:
        """Whether an order may be live that no list shows and that cannot be canceled by name."""
        return any(sent.in_flight or sent.in_doubt for sent in self._sent.values())

    def record_resolved(self, client_order_id: str) -> None:
        """Record that it is known what became of an order."""
        if (sent := self._sent.get(client_order_id)) is not None:
            sent.in_doubt = False

    def record_accepted(self, order: Order, accepted_ms: int, *, resting: bool) -> None:
        """Record an order that the exchange has accepted."""
        self._accepted[order.order_id] = _AcceptedOrder(order, accepted_ms, resting)
        if len(self._accepted) > OWN_ORDERS_CAPACITY:
            self._accepted.popitem(last=False)

    def mark_gone(self, order_id: str) -> None:
        """Record that an order no longer rests."""
        if (placed := self._accepted.get(order_id)) is not None:
            placed.resting = False

    def sent_ms_of(self, order_id: str) -> int:
        """Return when an order went out, Unix milliseconds; 0 if it is not known."""
        placed = self._accepted.get(order_id)
        return placed.order.created_ms if placed is not None else 0

    def ticker_of(self, order_id: str) -> str:
        """Return an order's market; empty if it is not known."""
        placed = self._accepted.get(order_id)
        return placed.order.ticker if placed is not None else ""

    def subaccount_of(self, order_id: str) -> int:
        """Return the number of an order's subaccount, 0 for one that is not known."""
        placed = self._accepted.get(order_id)
        return placed.order.subaccount if placed is not None else 0

    def list_possibly_unlisted(self, ticker: str | None, subaccount: int | None, data_ms: int) -> list[Order]:
        """Return orders that may rest and that lists as of ``data_ms`` need not show yet."""
        return [
            placed.order
            for placed in self._accepted.values()
            if placed.resting
            and ticker in {None, placed.order.ticker}
            and subaccount in {None, placed.order.subaccount}
            and not is_fresh_enough(data_ms, placed.accepted_ms)
        ]


def is_fresh_enough(data_ms: int, sent_ms: int) -> bool:
    """Return whether the exchange's data as of ``data_ms`` are late enough for a miss to count."""
    return data_ms > sent_ms + CLOCK_TOLERANCE_MS


class AgreeingReads:
    """Reads in a row that found nothing, by data that are new enough. `proved` once there are enough of them."""

    __slots__ = ("_first_ms", "count", "none_rests", "proved")

    def __init__(self) -> None:
        self.count = 0
        self._first_ms = 0
        """The exchange's time of the first of them."""
        self.proved = False
        """Whether enough reads agree."""
        self.none_rests = False
        """Whether enough of them agree for an order that would rest: those never move into the archive."""

    def add_miss(self, data_ms: int, sent_ms: int, span_ms: int = 0) -> bool:
        """Count a read that found nothing; return whether that proves it.

        ``data_ms`` must have been asked for before the read itself: then the read is at least as new. ``span_ms`` is
        how far apart the first and the last read have to be.
        """
        # Data from before the request do not merely fail to count. They show that reads lag again, so those before
        # them prove nothing either.
        self.count = self.count + 1 if is_fresh_enough(data_ms, sent_ms) else 0
        if self.count == 1:
            self._first_ms = data_ms
        self.none_rests = self.count >= REQUIRED_MISSES
        self.proved = self.none_rests and data_ms - self._first_ms >= span_ms
        return self.proved

    def reset(self) -> None:
        """Start again: something was found, or a read failed."""
        self.count, self.proved, self.none_rests = 0, False, False


async def required_span_ms(rest: RestClient, sent_ms: int) -> int:
    """Return how far apart misses of an order have to lie; ``sent_ms`` is when it was sent, 0 if that is not known.

    What was sent after the cut-off of orders cannot have moved into the archive. Raises TransportError, Refused or
    BadReply.
    """
    if not sent_ms:
        return TIER_MOVE_MS
    try:
        cutoff_ms = (await rest.archive.cutoffs()).orders_ms
    except EndpointNotFound:
        # Of a deployment without this call nothing is known, and the worse case is assumed.
        return TIER_MOVE_MS
    return TIER_MOVE_MS if cutoff_ms is None or sent_ms - SEARCH_LOOKBACK_MS < cutoff_ms else 0


async def search_order(rest: RestClient, client_order_id: str, ticker: str | None, sent_ms: int) -> Order | None:
    """Search list and archive for an order once; return None if it is in neither. Unix milliseconds, 0 for any time.

    One read: a miss proves nothing by itself.
    """
    found = await rest.orders(ticker=ticker, min_s=_since_s(sent_ms))
    for known in found:
        if known.client_order_id == client_order_id:
            return known
    # After the live list. Orders move from there into the archive: read the other way round, one that moves in between
    # would be missed in both.
    old = await archived(rest, lambda each: each.client_order_id == client_order_id, ticker, sent_ms)
    if old is None and not found.whole:
        raise BadReply(HALF_READ)
    return old


async def archived(rest: RestClient, wanted: Callable[[Order], bool], ticker: str | None, sent_ms: int) -> Order | None:
    """Search the archive for an order once; return None if it is not there. Unix milliseconds, 0 for any time.

    Raises BadReply if the archive cannot be read whole: what is in it is not known then.
    """
    reading = rest.archive.orders(ticker=ticker, min_s=_since_s(sent_ms))
    try:
        async for each in reading:
            if wanted(each):
                return each
    except EndpointNotFound as error:
        # The list is not there, which does not mean that the order is not.
        raise BadReply(f"The exchange's archive of orders could not be read: {error}") from error
    if not reading.whole:
        raise BadReply(HALF_READ)
    return None


async def by_id(rest: RestClient, order_id: str, *, ticker: str | None = None, sent_ms: int = 0) -> Order:
    """Read an order from the live list or the archive. Raises NotFound only if it is in neither, which proves nothing.

    ``ticker`` and ``sent_ms`` (Unix milliseconds), if they are known, make the archive quick to search.
    """
    try:
        return await rest.order(order_id)
    except NotFound:
        old = await archived(rest, lambda each: each.order_id == order_id, ticker, sent_ms)
        if old is None:
            raise
        return old


def _since_s(sent_ms: int) -> int | None:
    return max(0, sent_ms - SEARCH_LOOKBACK_MS) // 1000 if sent_ms else None


async def resolve_order(
    rest: RestClient,
    client_order_id: str,
    *,
    ticker: str | None,
    sent_ms: int,
    latest_arrival_ms: Callable[[], int],
    within_s: float,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    on_none_rests: Callable[[], object] = lambda: None,
) -> Order | None:
    """Ask until an order is found, or proved not to have arrived (None). Raises UnknownOutcome after ``within_s``.

    ``sent_ms`` is when it went out, 0 if that is not known; ``latest_arrival_ms`` returns the latest time at which it
    can have arrived, as far as is known when it is called. ``on_none_rests`` is called once it is proved that the order
    does not rest, which may be earlier. A refusal that asking again would not change is raised.
    """
    reads, wait, span_ms = AgreeingReads(), SEARCH_FIRST_DELAY_S, TIER_MOVE_MS
    try:
        async with asyncio.timeout(within_s):
            while True:
                try:
                    # Before the question itself: the answer is at least as new as this.
                    data_ms = await rest.user_data_timestamp()
                    found = await search_order(rest, client_order_id, ticker, sent_ms)
                    if found is None and not reads.count:
                        span_ms = await required_span_ms(rest, sent_ms)
                except (TransportError, RateLimited, BadReply, EndpointNotFound):
                    # A question that failed is no answer, and may hide the one reply that would have shown the order.
                    reads.reset()
                else:
                    if found is not None:
                        return found
                    if reads.add_miss(data_ms, latest_arrival_ms(), span_ms):
                        return None
                    if reads.none_rests:
                        on_none_rests()
                await sleep(SEARCH_RECHECK_DELAY_S if reads.count else wait)
                wait = min(wait * 2, SEARCH_MAX_DELAY_S)
    except TimeoutError:
        raise UnknownOutcome(
            f"What became of the order {client_order_id} is still not known after {within_s:g} s; ask again.",
            client_order_id=client_order_id,
        ) from None


async def fetch_order_by_id(
    rest: RestClient, order_id: str, command_name: str, within_s: float, *, also_client_order_id: bool = False
) -> Order:
    """Read an order that may have been placed a moment ago. Raises NotFound once it is proved not to be there.

    ``also_client_order_id``: the id may be the one that its sender gave it. Raises NotSent if there is no proof within
    ``within_s``; its sentence begins with ``command_name``, what was to be sent. A question that fails is raised.
    """
    reads, wait = AgreeingReads(), POLL_FIRST_DELAY_S
    data_ms, asked_ms = 0, FAR_FUTURE_MS

    def is_wanted(each: Order) -> bool:
        return each.order_id == order_id or (also_client_order_id and each.client_order_id == order_id)

    try:
        async with asyncio.timeout(within_s):
            while True:
                try:
                    return await rest.order(order_id)
                except NotFound:
                    if also_client_order_id and (found := await _find_listed(rest, is_wanted)) is not None:
                        return found
                    # Without `TIER_MOVE_MS`: what rests never moves, and this is about an order to cancel or change.
                    if reads.add_miss(data_ms, asked_ms):
                        old = await archived(rest, is_wanted, None, 0)
                        if old is None:
                            raise
                        return old
                if asked_ms != FAR_FUTURE_MS:
                    await asyncio.sleep(POLL_RECHECK_DELAY_S if reads.count else wait)
                    wait = min(wait * 2, POLL_MAX_DELAY_S)
                elif also_client_order_id and (old := await archived(rest, is_wanted, None, 0)) is not None:
                    # A person waits, and an order of long ago need not wait for any proof.
                    return old
                # Before the question itself: the answer is at least as new as this.
                data_ms = await rest.user_data_timestamp()
                # After the first answer, which has set the clock by the exchange's. By this machine's own time a miss
                # could count that is minutes older than the call.
                asked_ms = min(asked_ms, rest.clock.now_ms())
    except TimeoutError:
        raise NotSent(
            f"{command_name} was not sent: the exchange does not list the order {order_id}, and after "
            f"{within_s:g} s its data were still not new enough to prove that there is none. Nothing was done."
        ) from None


async def _find_listed(rest: RestClient, is_wanted: Callable[[Order], bool]) -> Order | None:
    """Search the orders that rest and the newest ones once. Raises BadReply if a list could not be read whole."""
    lists = [await rest.orders(status="resting"), await rest.orders(most=MAX_ORDERS_SEARCHED)]
    found = next((each for orders in lists for each in orders if is_wanted(each)), None)
    if found is None and not all(each.whole for each in lists):
        raise BadReply(HALF_READ)
    return found


class CancelAllProof:
    """Cancels all that rests, or all of one market or subaccount, and proves that nothing does.

    Call `begin` once and `run_round` until it returns True, with `next_delay_s` in between. Neither raises for what
    the exchange or the network does; `problem` says what went wrong.
    """

    def __init__(
        self,
        rest: RestClient,
        ticker: str | None,
        subaccount: int | None = None,
        *,
        list_possibly_unlisted: Callable[[int], Iterable[Order]],
        before_cancel: Callable[[Sequence[Order]], object] = lambda _: None,
        after_cancel: Callable[[str], object] = lambda _: None,
        is_in_doubt: Callable[[], bool] = lambda: False,
        needs_one_call: Callable[[], bool] = lambda: False,
        max_by_name: int = MAX_CANCELED_BY_NAME,
        minute: CancelAllMinute | None = None,
        list_patience_s: float = LIST_PATIENCE_S,
    ) -> None:
        """Take what the caller knows.

        ``list_possibly_unlisted`` returns known orders that lists as of a time need not show; ``before_cancel`` is
        called with orders about to be canceled, ``after_cancel`` with the id of each that was; while ``is_in_doubt`` an
        order may be live that no list shows, and nothing is proved. With ``needs_one_call``, or for more than
        ``max_by_name`` orders, the one call for all is sent, which ``minute`` remembers.
        """
        self._rest = rest
        self._needs_one_call = needs_one_call
        self._max_by_name = max_by_name
        self._list_patience_s = list_patience_s
        self._minute = minute or CancelAllMinute(rest.clock.now_ms)
        self._may_call = ticker is None
        """Whether the one call is of use and has not been tried."""
        self._ticker = ticker
        self._subaccount = subaccount
        self._list_possibly_unlisted = list_possibly_unlisted
        self._before_cancel = before_cancel
        self._after_cancel = after_cancel
        self._is_in_doubt = is_in_doubt
        self._reads = AgreeingReads()
        self._started_ms = 0
        self._wait_s = POLL_FIRST_DELAY_S
        self._cancel_all_accepted = False
        """Whether the one call for all was accepted."""
        self.one_call_sent = False
        """Whether it was, or may have been: then orders of the minute after it may be canceled too."""
        self._canceled_ms: dict[str, int] = {}
        """When the exchange said that an order is canceled, by its clock: older lists may still show it."""
        self.command_sent = False
        """Whether a command has left this machine."""
        self._first_failure: KalshiError | None = None
        """What failed for good while no command had been sent."""
        self.problem = ""
        """What went wrong last, a sentence."""
        self.still_resting: Sequence[Order] = ()
        """The orders that were listed as resting last."""

    async def begin(self) -> None:
        """Send the first commands, before anything is read: what is known to rest must not wait for a slow list."""
        known = list(self._list_possibly_unlisted(0))
        if self._may_call and self._is_call_better(len(known)):
            await self._call_once()
        else:
            await self._cancel(known)

    def _is_call_better(self, count: int) -> bool:
        """Return whether the one call is worth its minute: there are many, or one that no list shows may be live."""
        return count > self._max_by_name or self._needs_one_call()

    async def _call_once(self) -> None:
        """Send the one call that cancels all."""
        self._may_call = False
        self._minute.record_sending(self._subaccount)
        try:
            # False where the deployment lacks the call: then what the lists show is canceled in batches.
            accepted = await self._rest.request_cancel_all(self._subaccount)
        except KalshiError as error:
            self._note_command_failure(error)
            if not isinstance(error, UnknownOutcome):
                self._minute.withdraw(self._subaccount)
                return
            accepted = False
        else:
            self._cancel_all_accepted = accepted
            self.command_sent = self.command_sent or accepted
            if not accepted:
                self._minute.withdraw(self._subaccount)
                return
        self.one_call_sent = True
        if accepted:
            self._minute.record_answered(self._subaccount)
        else:
            self._minute.record_unanswered(self._subaccount)

    async def run_round(self) -> bool:
        """Look once and cancel what is there; return whether it is proved that nothing rests."""
        data_ms, whole, half_read = 0, False, False
        listed: Sequence[Order] = ()
        try:
            async with asyncio.timeout(self._list_patience_s if self._may_call else None):
                # Before the list itself: that is at least as new as this.
                data_ms = await self._rest.user_data_timestamp()
                # After the first answer, which has set the clock by the exchange's.
                self._started_ms = self._started_ms or self._rest.clock.now_ms()
                resting = await self._rest.orders(status="resting", ticker=self._ticker, subaccount=self._subaccount)
        except TimeoutError:
            self.problem = "The exchange's list of orders does not come."
        except KalshiError as error:
            self.problem = str(error)
            if not self.command_sent and not isinstance(error, TransportError | RateLimited | BadReply):
                self._first_failure = self._first_failure or error
        else:
            self.still_resting = listed = resting
            whole, half_read = resting.whole, not resting.whole
        if self._may_call and (not whole or self._is_call_better(len(listed))):
            await self._call_once()
            if self._cancel_all_accepted:
                # What was listed is of before the call.
                self._reads.reset()
                return False
        # The call for all has canceled these on the exchange's side. Without it, what was placed a moment ago is
        # canceled by name: no list shows it yet, and an empty list would leave it resting.
        own = () if self._cancel_all_accepted else self._list_possibly_unlisted(data_ms)
        known = {order.order_id: order for order in (*own, *listed)}
        await self._cancel(
            [
                order
                for order in known.values()
                # One that was canceled is listed until the lists have caught up: to cancel it again would be refused.
                if is_fresh_enough(data_ms, self._canceled_ms.get(order.order_id, -FAR_FUTURE_MS))
            ]
        )
        if half_read:
            self.problem = HALF_READ
        if not whole or listed or self._is_in_doubt():
            # A list that failed or breaks off, and an order that may still arrive: an empty look proves nothing.
            self._reads.reset()
            return False
        return self._reads.add_miss(data_ms, self._started_ms)

    def raise_if_nothing_was_done(self) -> None:
        """Raise what failed for good, if no command has left since: then the account is as it was."""
        if self._first_failure is not None and not self.command_sent:
            raise self._first_failure

    def next_delay_s(self) -> float:
        """Return how long to wait before the next round."""
        wait, self._wait_s = self._wait_s, min(self._wait_s * 2, POLL_MAX_DELAY_S)
        # Once the data have passed, only reads that agree are missing.
        return POLL_RECHECK_DELAY_S if self._reads.count else wait

    async def _cancel(self, orders: Sequence[Order]) -> None:
        if orders:
            self._before_cancel(orders)
        for start in range(0, len(orders), CANCEL_BATCH_SIZE):
            try:
                items = await self._rest.cancel_orders(orders[start : start + CANCEL_BATCH_SIZE])
            except KalshiError as error:
                # The other batches are sent all the same: what one of them holds may be what matters.
                self._note_command_failure(error)
                continue
            self.command_sent = True
            for item in items:
                if not item.refusal:
                    self._canceled_ms[item.order_id] = self._rest.clock.now_ms()
                    self._after_cancel(item.order_id)
            self.problem = next((item.refusal for item in items if item.refusal), "")

    def _note_command_failure(self, error: KalshiError) -> None:
        self.problem = str(error)
        if isinstance(error, UnknownOutcome):
            self.command_sent = True
        elif not self.command_sent and not isinstance(error, RateLimited):
            self._first_failure = self._first_failure or error


async def cancel_all_confirmed(
    rest: RestClient,
    tracker: OrderTracker,
    ticker: str | None,
    within_s: float,
    subaccount: int | None = None,
    *,
    max_by_name: int = MAX_CANCELED_BY_NAME,
    minute: CancelAllMinute | None = None,
) -> None:
    """Cancel until it is proved that nothing rests. Raises UnknownOutcome if that is not proved within ``within_s``.

    Raises NotSent or Refused if no command has left, and the first one failed for good.
    """
    proof = CancelAllProof(
        rest,
        ticker,
        subaccount,
        list_possibly_unlisted=partial(tracker.list_possibly_unlisted, ticker, subaccount),
        after_cancel=tracker.mark_gone,
        needs_one_call=lambda: tracker.is_in_doubt,
        max_by_name=max_by_name,
        minute=minute,
        # Half of what there is: the call that needs no list must leave before the time is over.
        list_patience_s=min(LIST_PATIENCE_S, within_s / 2),
    )
    try:
        async with asyncio.timeout(within_s):
            await proof.begin()
            proof.raise_if_nothing_was_done()
            while not await proof.run_round():
                proof.raise_if_nothing_was_done()
                await asyncio.sleep(proof.next_delay_s())
    except TimeoutError:
        raise UnknownOutcome(_describe_unproven(proof, ticker, subaccount, within_s)) from None


def _describe_unproven(proof: CancelAllProof, ticker: str | None, subaccount: int | None, within_s: float) -> str:
    where = f" in {ticker}" if ticker else ""
    if subaccount is not None:
        where += f" in subaccount {subaccount}"
    left = proof.still_resting
    named = ", ".join(order.order_id for order in left[:MAX_NAMED_ORDERS])
    more = f" and {len(left) - MAX_NAMED_ORDERS} more" if len(left) > MAX_NAMED_ORDERS else ""
    listed = f" Last listed as resting: {named}{more}." if named else ""
    problem = f" {proof.problem}" if proof.problem else ""
    return f"It is not proved after {within_s:g} s that nothing rests{where}.{listed}{problem} Cancel again."
