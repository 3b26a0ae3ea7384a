"""When it is known what became of an order, or that none rests any more (docs/kalshi-api.md, sections 6 and 10).

REST knows no filter by client order id, so that the lists are searched by market and time. Reads lag writes: a miss
counts only once the exchange's own data have passed the time of sending, and only several times over. What ended long
ago is in the archive alone (docs/kalshi-api.md, section 15), so that nothing is missing before that was read too,
whatever its cut-off is
said to be. A question that failed, or was answered in part, is no answer.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from kalshi_tui.domain.order import Order
from kalshi_tui.kalshi.errors import (
    BadReply,
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

REQUIRED_MISSES: Final = 3
"""How many reads must miss an order, all after the exchange's data have passed the time of sending."""
SEARCH_FIRST_DELAY_S: Final = 1.0
"""The first wait between two questions about an unknown order; it doubles up to `SEARCH_MAX_DELAY_S`."""
SEARCH_MAX_DELAY_S: Final = 15.0
SEARCH_RECHECK_DELAY_S: Final = 2.0
"""The wait between reads that miss an order, once the exchange's data have passed the sending."""
SEARCH_LOOKBACK_MS: Final = 600_000
"""How far before the sending an order is searched for: this machine may take the exchange's time for a later one."""
FRESHNESS_MARGIN_MS: Final = 5_000
"""How far past the sending the exchange's data must be before a miss counts: clocks differ."""
POLL_FIRST_DELAY_S: Final = 0.25
"""The first wait between two looks at what has just been sent or canceled; it doubles up to `POLL_MAX_DELAY_S`."""
POLL_MAX_DELAY_S: Final = 2.0
POLL_RECHECK_DELAY_S: Final = 0.5
"""The wait between looks that find nothing, once the exchange's data have passed the call."""
CANCEL_BATCH_SIZE: Final = 20
MAX_NAMED_ORDERS: Final = 5
"""How many orders that still rest are named in the sentence."""
OWN_ORDERS_CAPACITY: Final = 1_000
"""Orders of a client's own that it remembers."""
HALF_READ: Final = "The exchange's list of orders could not be read whole: what is not in it may exist all the same."
FAR_FUTURE_MS: Final = 2**63
"""A time that no data pass."""


class SyncedClock(ExchangeClock):
    """The exchange's time, and whether any reply has told it yet."""

    __slots__ = ("synced",)

    def __init__(self) -> None:
        super().__init__()
        self.synced = False

    def update_skew(self, date_header: str | None, sent_ms: int, received_ms: int) -> None:
        """Learn from a reply's ``Date`` header, as `ExchangeClock.heard` does."""
        super().update_skew(date_header, sent_ms, received_ms)
        self.synced = self.synced or bool(date_header)


@dataclass(slots=True)
class SentOrder:
    """When orders under one client order id went out, by the exchange's clock. Unix milliseconds."""

    ticker: str | None
    """None if it may be another market's."""
    first_sent_ms: int
    """From when on an order may be listed; 0 for any time."""
    last_sent_ms: int
    """After which none can arrive."""
    in_flight: int = 0
    """How many calls wait for an answer."""
    accepted: bool = False
    """The exchange has said that it has it: no miss proves the contrary."""

    @property
    def latest_arrival_ms(self) -> int:
        """What the exchange's data have to pass before a miss counts."""
        return FAR_FUTURE_MS if self.accepted or self.in_flight else self.last_sent_ms


@dataclass(slots=True)
class _AcceptedOrder:
    order: Order
    accepted_ms: int
    """When the exchange had said so, by its clock: lists that are older need not show it."""
    resting: bool


class OrderTracker:
    """What a client knows of its own orders without reading: when they went out, and which were taken."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, SentOrder] = OrderedDict()
        self._accepted: OrderedDict[str, _AcceptedOrder] = OrderedDict()

    @contextmanager
    def track_send(self, client_order_id: str, ticker: str, clock: ExchangeClock) -> Iterator[SentOrder]:
        """Note that an order goes out, and however that ends, that it can have arrived until then."""
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
        finally:
            sent.in_flight -= 1
            sent.last_sent_ms = max(sent.last_sent_ms, clock.now_ms())

    def find_sent(self, client_order_id: str) -> SentOrder | None:
        """Tell when an order went out; None of one that this client has not sent, or not lately."""
        return self._sent.get(client_order_id)

    def record_accepted(self, order: Order, accepted_ms: int, *, resting: bool) -> None:
        """Note an order that the exchange has taken."""
        self._accepted[order.order_id] = _AcceptedOrder(order, accepted_ms, resting)
        if len(self._accepted) > OWN_ORDERS_CAPACITY:
            self._accepted.popitem(last=False)

    def mark_gone(self, order_id: str) -> None:
        """Note that an order rests no more."""
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

    def list_possibly_unlisted(self, ticker: str | None, data_ms: int) -> list[Order]:
        """Return those that may rest and that lists true up to ``data_ms`` need not show."""
        return [
            placed.order
            for placed in self._accepted.values()
            if placed.resting
            and ticker in {None, placed.order.ticker}
            and not is_fresh_enough(data_ms, placed.accepted_ms)
        ]


def is_fresh_enough(data_ms: int, sent_ms: int) -> bool:
    """Return whether the exchange's data, true up to ``data_ms``, are late enough for a miss to count."""
    return data_ms > sent_ms + FRESHNESS_MARGIN_MS


async def search_order(rest: RestClient, client_order_id: str, ticker: str | None, sent_ms: int) -> Order | None:
    """Search list and archive for an order once; None if it is in neither. Unix milliseconds, 0 for any time."""
    found = await rest.orders(ticker=ticker, min_ts=_since_s(sent_ms))
    for known in found:
        if known.client_order_id == client_order_id:
            return known
    # After the live list: orders move that way, and would be missed the other way round.
    old = await archived(rest, lambda each: each.client_order_id == client_order_id, ticker, sent_ms)
    if old is None and not found.whole:
        raise BadReply(HALF_READ)
    return old


async def archived(rest: RestClient, wanted: Callable[[Order], bool], ticker: str | None, sent_ms: int) -> Order | None:
    """Search the archive for an order once; None if it is not there. Unix milliseconds, 0 for any time.

    Raises BadReply if the archive cannot be read, or not whole: then nobody knows what is in it.
    """
    reading = rest.archived_orders(ticker=ticker, min_ts=_since_s(sent_ms))
    try:
        async for each in reading:
            if wanted(each):
                return each
    except NotFound as error:
        # Of a list it does not mean that there is no such order.
        raise BadReply(f"The exchange's archive of orders could not be read: {error}") from error
    if not reading.whole:
        raise BadReply(HALF_READ)
    return None


async def by_id(rest: RestClient, order_id: str, *, ticker: str | None = None, sent_ms: int = 0) -> Order:
    """Read an order from the live list or from the archive. Raises NotFound only if it is in neither.

    ``ticker`` and ``sent_ms`` (Unix milliseconds), where they are known, make the archive quick to search.
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
) -> Order | None:
    """Ask until an order is found, or proved not to have arrived (None). Raises UnknownOutcome after ``timeout_s``.

    ``sent_ms`` is when it went out, 0 if nobody knows; ``latest_arrival_ms`` gives the latest that it can have been, by
    what
    is known then. A refusal that asking again would not change is raised as it is.
    """
    misses, wait = 0, SEARCH_FIRST_DELAY_S
    try:
        async with asyncio.timeout(within_s):
            while True:
                try:
                    # Before the question itself: the answer is at least as fresh as this.
                    data_ms = await rest.user_data_timestamp()
                    found = await search_order(rest, client_order_id, ticker, sent_ms)
                except (TransportError, RateLimited, BadReply):
                    misses = 0
                else:
                    if found is not None:
                        return found
                    misses = misses + 1 if is_fresh_enough(data_ms, latest_arrival_ms()) else 0
                    if misses >= REQUIRED_MISSES:
                        return None
                await sleep(SEARCH_RECHECK_DELAY_S if misses else wait)
                wait = min(wait * 2, SEARCH_MAX_DELAY_S)
    except TimeoutError:
        raise UnknownOutcome(
            f"What became of the order {client_order_id} is still not known after {within_s:g} s; ask again.",
            client_order_id=client_order_id,
        ) from None


async def fetch_order_by_id(rest: RestClient, order_id: str, command_name: str, within_s: float) -> Order:
    """Read an order that may just have been placed. Raises NotFound once it is proved not to be there.

    Proved: several reads have missed it, all after the exchange's data had passed the call, and the archive has it not
    either. Raises NotSent if that took longer than ``timeout_s``; its sentence begins with ``what`` was to be sent. A
    question that fails is raised as it is.
    """
    data_ms, asked_ms, misses, wait = 0, FAR_FUTURE_MS, 0, POLL_FIRST_DELAY_S
    try:
        async with asyncio.timeout(within_s):
            while True:
                try:
                    return await rest.order(order_id)
                except NotFound:
                    misses = misses + 1 if is_fresh_enough(data_ms, asked_ms) else 0
                    if misses >= REQUIRED_MISSES:
                        old = await archived(rest, lambda each: each.order_id == order_id, None, 0)
                        if old is None:
                            raise
                        return old
                if asked_ms != FAR_FUTURE_MS:
                    await asyncio.sleep(POLL_RECHECK_DELAY_S if misses else wait)
                    wait = min(wait * 2, POLL_MAX_DELAY_S)
                # Before the question itself: the answer is at least as fresh as this.
                data_ms = await rest.user_data_timestamp()
                # After the first answer: it has told the exchange's time.
                asked_ms = min(asked_ms, rest.clock.now_ms())
    except TimeoutError:
        raise NotSent(
            f"{command_name} was not sent: the exchange does not list the order {order_id}, and after "
            f"{within_s:g} s its data "
            "were still not new enough to prove that there is none. Nothing was done."
        ) from None


class ConfirmedCancelAll:
    """Cancels all that rests, or all of one market, until it is proved that nothing does."""

    def __init__(self, rest: RestClient, tracker: OrderTracker, ticker: str | None) -> None:
        self._rest = rest
        self._tracker = tracker
        self._ticker = ticker
        self._started_ms = 0
        self._command_sent = False
        """A command has left this machine."""
        self._cancel_all_accepted = False
        """The one call for all has been taken."""
        self._problem = ""
        self._still_resting: Sequence[Order] = ()
        self._canceled_ms: dict[str, int] = {}
        """When the exchange has said so, by its clock: older lists may show an order all the same."""

    async def run(self, within_s: float) -> None:
        """Cancel until nothing rests. Raises UnknownOutcome if that is not proved in time.

        Proved: several reads have found nothing, all after the exchange's data had passed the call. Raises NotSent or
        Refused if the first command did not leave or was refused.
        """
        agreeing, wait = 0, POLL_FIRST_DELAY_S
        try:
            async with asyncio.timeout(within_s):
                if self._ticker is None:
                    await self._send_cancel_all()
                while True:
                    agreeing = agreeing + 1 if await self._run_round() else 0
                    if agreeing >= REQUIRED_MISSES:
                        return
                    await asyncio.sleep(POLL_RECHECK_DELAY_S if agreeing else wait)
                    wait = min(wait * 2, POLL_MAX_DELAY_S)
        except TimeoutError:
            raise UnknownOutcome(self._describe_unproven(f"after {within_s:g} s")) from None

    async def _send_cancel_all(self) -> None:
        try:
            self._cancel_all_accepted = await self._rest.request_cancel_all()
        except (UnknownOutcome, RateLimited) as error:
            self._command_sent = isinstance(error, UnknownOutcome)
            self._problem = str(error)
        else:
            self._command_sent = self._cancel_all_accepted

    async def _run_round(self) -> bool:
        """Look once and cancel what is there; say whether nothing was, by data that have passed the call."""
        data_ms, read = 0, False
        listed: Sequence[Order] = ()
        try:
            # Before the list itself: that is at least as fresh as this.
            data_ms = await self._rest.user_data_timestamp()
            self._started_ms = self._started_ms or self._rest.clock.now_ms()
            resting = await self._rest.orders(status="resting", ticker=self._ticker)
            self._still_resting = listed = resting
            read = resting.whole
            if not read:
                self._problem = HALF_READ
        except KalshiError as error:
            if not self._command_sent and not isinstance(error, TransportError | RateLimited | BadReply):
                raise
            self._problem = str(error)
        own = () if self._cancel_all_accepted else self._tracker.list_possibly_unlisted(self._ticker, data_ms)
        known = {order.order_id: order for order in (*own, *listed)}
        targets = [
            order
            for order in known.values()
            if is_fresh_enough(data_ms, self._canceled_ms.get(order.order_id, -FAR_FUTURE_MS))
        ]
        for start in range(0, len(targets), CANCEL_BATCH_SIZE):
            await self._cancel_batch(targets[start : start + CANCEL_BATCH_SIZE])
        return read and not self._still_resting and is_fresh_enough(data_ms, self._started_ms)

    async def _cancel_batch(self, orders: Sequence[Order]) -> None:
        try:
            items = await self._rest.cancel_orders(orders)
        except UnknownOutcome as error:
            self._command_sent = True
            self._problem = str(error)
        except (NotSent, Refused) as error:
            if not self._command_sent and not isinstance(error, RateLimited):
                raise
            self._problem = str(error)
        else:
            self._command_sent = True
            for item in items:
                if not item.refusal:
                    self._tracker.mark_gone(item.order_id)
                    self._canceled_ms[item.order_id] = self._rest.clock.now_ms()
            self._problem = next((item.refusal for item in items if item.refusal), "")

    def _describe_unproven(self, when: str) -> str:
        where = f" in {self._ticker}" if self._ticker else ""
        named = ", ".join(order.order_id for order in self._still_resting[:MAX_NAMED_ORDERS])
        more = (
            f" and {len(self._still_resting) - MAX_NAMED_ORDERS} more"
            if len(self._still_resting) > MAX_NAMED_ORDERS
            else ""
        )
        listed = f" Last listed as resting: {named}{more}." if named else ""
        problem = f" {self._problem}" if self._problem else ""
        return f"It is not proved {when} that nothing rests{where}.{listed}{problem} Cancel again."
