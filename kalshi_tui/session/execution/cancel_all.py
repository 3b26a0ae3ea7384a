"""Canceling all: of one market, or everything on every shard, until a read proves that nothing rests.

docs/kalshi-api.md, section 6.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.domain.text import order_text
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.order_status import HALF_READ, by_id
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.execution.risk_checks import READ_ONLY
from kalshi_tui.session.execution.submit import OrderExecutor
from kalshi_tui.session.interface import CancelAllResult
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.store import UNCONFIRMED_STATES, Store
from kalshi_tui.session.timing import Sleep

PROOF_DELAYS_S: Final = (0.2, 0.4, 0.8, 1.5, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 15.0)
"""The waits between two looks; after the last one the trader is told what is left."""
CANCEL_BATCH_SIZE: Final = 20
CLOCK_TOLERANCE_MS: Final = 3_000
"""How far past the cancel the exchange's data must be before a look at them proves anything: clocks differ."""
MAX_ORDERS_READ_BACK: Final = 100
MAX_ORDERS_NAMED: Final = 5
"""How many orders that still rest are named in the sentence."""


class CancelAll:
    """Cancels all resting orders, those too that this program has not heard of."""

    def __init__(
        self,
        rest: RestClient,
        store: Store,
        order_executor: OrderExecutor,
        sleep: Sleep,
        *,
        read_only: bool,
        lost: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Make; ``lost`` has orders that are looked for and of which no more is known: client order ids and markets."""
        self._lost = lost
        self._rest = rest
        self._store = store
        self._order_executor = order_executor
        self._sleep = sleep
        self._read_only = read_only

    async def run(self, ticker: str = "", delays_s: Sequence[float] = PROOF_DELAYS_S) -> CancelAllResult:
        """Cancel, and look until nothing rests, or until all waits are over. Raises nothing for exchange or network."""
        if self._read_only:
            return CancelAllResult(0, (), (), proved=False, sentence=READ_ONLY)
        asked_ms = self._rest.clock.now_ms()
        targets: dict[str, Order] = {}
        self._add_targets(targets, [order for order in self._in_scope(ticker) if order.order_id])
        if ticker:
            problem = await self._cancel_in_batches(list(targets.values()))
        else:
            # Asked a moment ahead, so that what others have sent for this account can be counted too.
            resting, problem = await asyncio.gather(self._read_resting(), self._request_cancel_all())
            self._add_targets(targets, resting)
        left: list[Order] = list(targets.values())
        proved = False
        for wait in (*delays_s, None):
            try:
                as_of_ms = await self._rest.user_data_timestamp()
                resting = await self._rest.orders(status="resting", ticker=ticker or None)
                left = resting
            except KalshiError as error:
                problem = str(error)
            else:
                self._add_targets(targets, left)
                if left:
                    problem = await self._cancel_in_batches(left)
                if not resting.whole:
                    problem = HALF_READ
                up_to_date = as_of_ms > asked_ms + CLOCK_TOLERANCE_MS
                proved = not left and resting.whole and not self._in_doubt(ticker) and up_to_date
            if proved or wait is None:
                break
            await self._sleep(wait)
        await self._read_back(targets)
        return self._report(ticker, targets, [] if proved else left, problem, proved=proved)

    async def _read_resting(self) -> list[Order]:
        with contextlib.suppress(KalshiError):
            return await self._rest.orders(status="resting")
        return []

    def _in_scope(self, ticker: str) -> list[Order]:
        return [order for order in self._store.working_orders() if ticker in {"", order.ticker}]

    def _unconfirmed(self, ticker: str) -> list[Order]:
        return [order for order in self._in_scope(ticker) if order.state in UNCONFIRMED_STATES]

    def _in_doubt(self, ticker: str) -> int:
        lost = sum(not ticker or each in {"", ticker} for each in self._lost().values())
        return len(self._unconfirmed(ticker)) + lost

    def _add_targets(self, targets: dict[str, Order], orders: Sequence[Order]) -> None:
        for order in orders:
            if order.order_id not in targets:
                targets[order.order_id] = order
                self._store.requested_cancels.add(order.order_id)
                self._store.notices.hold(self._store.known_order(order))
                self._order_executor.record_request(order, "cancel asked, with all others")

    async def _request_cancel_all(self) -> str:
        """Use the one call for all; where a deployment lacks it, the list that is read next serves."""
        try:
            await self._rest.request_cancel_all()
        except KalshiError as error:
            return str(error)
        return ""

    async def _cancel_in_batches(self, orders: Sequence[Order]) -> str:
        """Cancel in batches, each order on its own market's shard; give what went wrong last."""
        problem = ""
        for start in range(0, len(orders), CANCEL_BATCH_SIZE):
            try:
                items = await self._rest.cancel_orders(orders[start : start + CANCEL_BATCH_SIZE])
            except KalshiError as error:
                problem = str(error)
            else:
                problem = next((item.refusal for item in items if item.refusal), problem)
        return problem

    async def _read_back(self, targets: dict[str, Order]) -> None:
        """Read what became of each; what cannot be read now is read again with the account."""
        for order_id, target in list(targets.items())[:MAX_ORDERS_READ_BACK]:
            known = self._store.orders.get(order_id)
            if known is not None and known.state.final:
                continue
            try:
                fresh = await by_id(self._rest, order_id, ticker=target.ticker, sent_ms=target.created_ms)
                self._store.apply_read_order(fresh)
            except KalshiError:
                break
        if self._order_executor.on_doubt is not None:
            self._order_executor.on_doubt()

    def _report(
        self, ticker: str, targets: dict[str, Order], still_resting: Sequence[Order], problem: str, *, proved: bool
    ) -> CancelAllResult:
        now = [self._store.known_order(order) for order in targets.values()]
        filled = sum(order.state is OrderState.FILLED for order in now)
        if proved:
            # None rests: what is not known to have been filled is gone.
            gone = len(now) - filled
        else:
            gone = sum(order.state.final for order in now) - filled
            still_resting = [order for order in now if not order.state.final]
        unknown = self._unconfirmed(ticker)
        where = f" in {ticker}" if ticker else ""
        words = [f"Canceled {_order_count_text(gone)}{where}."]
        if filled:
            words.append(f"Filled before: {filled}.")
        if proved:
            words.append("The exchange has none resting.")
        else:
            if still_resting:
                named = "; ".join(
                    f"{order_text(order)} in {order.ticker}" for order in still_resting[:MAX_ORDERS_NAMED]
                )
                more = (
                    f" and {len(still_resting) - MAX_ORDERS_NAMED} more"
                    if len(still_resting) > MAX_ORDERS_NAMED
                    else ""
                )
                words.append(f"NOT CANCELLED: {named}{more}.")
            if in_doubt := self._in_doubt(ticker):
                words.append(f"{_order_count_text(in_doubt)} of unknown outcome may be live.")
            words.append(f"It is not proved that none rests. {problem} Try again.".replace("  ", " "))
        sentence = " ".join(words)
        self._store.notify(Weight.GOOD if proved else Weight.ERROR, sentence)
        for order in now:
            # The sentence tells of those that are over, all of them if that is proved. Of another one the end is told
            # when it comes.
            if order.state.final or not proved:
                self._store.answered(order)
        return CancelAllResult(gone, tuple(still_resting), tuple(unknown), proved=proved, sentence=sentence)


def _order_count_text(number: int) -> str:
    return "1 order" if number == 1 else f"{number} orders"
