"""Cancelling all: of one market, or everything on every shard, until a read proves that nothing rests.

docs/kalshi-api.md, section 6.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.domain.text import order_words
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.order_status import HALF_READ, by_id
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.execution.risk_checks import READ_ONLY
from kalshi_tui.session.execution.submit import Trading
from kalshi_tui.session.interface import Sweep
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.store import UNSETTLED, Store
from kalshi_tui.session.timing import Sleep

WAITS_S: Final = (0.2, 0.4, 0.8, 1.5, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 15.0)
"""The waits between two looks; after the last one the trader is told what is left."""
BATCH: Final = 20
PASSED_BY_MS: Final = 3_000
"""How far past the cancel the exchange's data must be before a look at them proves anything: clocks differ."""
READ_BACK: Final = 100
NAMED: Final = 5
"""How many orders that still rest are named in the sentence."""


class Sweeper:
    """Cancels all resting orders, those too that this program has not heard of."""

    def __init__(
        self,
        rest: RestClient,
        store: Store,
        trading: Trading,
        sleep: Sleep,
        *,
        read_only: bool,
        lost: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Make; ``lost`` has orders that are looked for and of which no more is known: client order ids and markets."""
        self._lost = lost
        self._rest = rest
        self._store = store
        self._trading = trading
        self._sleep = sleep
        self._read_only = read_only

    async def cancel_all(self, ticker: str = "", waits_s: Sequence[float] = WAITS_S) -> Sweep:
        """Cancel, and look until nothing rests, or until all waits are over. Raises nothing for exchange or network."""
        if self._read_only:
            return Sweep(0, (), (), proved=False, sentence=READ_ONLY)
        asked_ms = self._rest.clock.now_ms()
        targets: dict[str, Order] = {}
        self._aim(targets, [order for order in self._in_scope(ticker) if order.order_id])
        if ticker:
            problem = await self._cancel(list(targets.values()))
        else:
            # Asked a moment ahead, so that what others have sent for this account can be counted too.
            resting, problem = await asyncio.gather(self._resting(), self._cancel_everything())
            self._aim(targets, resting)
        left: list[Order] = list(targets.values())
        proved = False
        for wait in (*waits_s, None):
            try:
                as_of_ms = await self._rest.user_data_timestamp()
                resting = await self._rest.orders(status="resting", ticker=ticker or None)
                left = resting
            except KalshiError as error:
                problem = str(error)
            else:
                self._aim(targets, left)
                if left:
                    problem = await self._cancel(left)
                if not resting.whole:
                    problem = HALF_READ
                up_to_date = as_of_ms > asked_ms + PASSED_BY_MS
                proved = not left and resting.whole and not self._in_doubt(ticker) and up_to_date
            if proved or wait is None:
                break
            await self._sleep(wait)
        await self._read_back(targets)
        return self._told(ticker, targets, [] if proved else left, problem, proved=proved)

    async def _resting(self) -> list[Order]:
        with contextlib.suppress(KalshiError):
            return await self._rest.orders(status="resting")
        return []

    def _in_scope(self, ticker: str) -> list[Order]:
        return [order for order in self._store.working() if ticker in {"", order.ticker}]

    def _unsettled(self, ticker: str) -> list[Order]:
        return [order for order in self._in_scope(ticker) if order.state in UNSETTLED]

    def _in_doubt(self, ticker: str) -> int:
        lost = sum(not ticker or each in {"", ticker} for each in self._lost().values())
        return len(self._unsettled(ticker)) + lost

    def _aim(self, targets: dict[str, Order], orders: Sequence[Order]) -> None:
        for order in orders:
            if order.order_id not in targets:
                targets[order.order_id] = order
                self._store.cancels_asked.add(order.order_id)
                self._store.notices.hold(self._store.known_order(order))
                self._trading.write_asked(order, "cancel asked, with all others")

    async def _cancel_everything(self) -> str:
        """Use the one call for all; where a deployment lacks it, the list that is read next serves."""
        try:
            await self._rest.cancel_everything()
        except KalshiError as error:
            return str(error)
        return ""

    async def _cancel(self, orders: Sequence[Order]) -> str:
        """Cancel in batches, each order on its own market's shard; give what went wrong last."""
        problem = ""
        for start in range(0, len(orders), BATCH):
            try:
                items = await self._rest.cancel_orders(orders[start : start + BATCH])
            except KalshiError as error:
                problem = str(error)
            else:
                problem = next((item.refusal for item in items if item.refusal), problem)
        return problem

    async def _read_back(self, targets: dict[str, Order]) -> None:
        """Read what became of each; what cannot be read now is read again with the account."""
        for order_id, target in list(targets.items())[:READ_BACK]:
            known = self._store.orders.get(order_id)
            if known is not None and known.state.final:
                continue
            try:
                fresh = await by_id(self._rest, order_id, ticker=target.ticker, sent_ms=target.created_ms)
                self._store.read(fresh)
            except KalshiError:
                break
        if self._trading.on_doubt is not None:
            self._trading.on_doubt()

    def _told(
        self, ticker: str, targets: dict[str, Order], left: Sequence[Order], problem: str, *, proved: bool
    ) -> Sweep:
        now = [self._store.known_order(order) for order in targets.values()]
        filled = sum(order.state is OrderState.FILLED for order in now)
        if proved:
            # None rests: what is not known to have been filled is gone.
            gone = len(now) - filled
        else:
            gone = sum(order.state.final for order in now) - filled
            left = [order for order in now if not order.state.final]
        unknown = self._unsettled(ticker)
        where = f" in {ticker}" if ticker else ""
        words = [f"Cancelled {_orders(gone)}{where}."]
        if filled:
            words.append(f"Filled before: {filled}.")
        if proved:
            words.append("The exchange has none resting.")
        else:
            if left:
                named = "; ".join(f"{order_words(order)} in {order.ticker}" for order in left[:NAMED])
                more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
                words.append(f"NOT CANCELLED: {named}{more}.")
            if in_doubt := self._in_doubt(ticker):
                words.append(f"{_orders(in_doubt)} of unknown outcome may be live.")
            words.append(f"It is not proved that none rests. {problem} Try again.".replace("  ", " "))
        sentence = " ".join(words)
        self._store.notify(Weight.GOOD if proved else Weight.ERROR, sentence)
        for order in now:
            # The sentence tells of those that are over, all of them if that is proved. Of another one the end is told
            # when it comes.
            if order.state.final or not proved:
                self._store.answered(order)
        return Sweep(gone, tuple(left), tuple(unknown), proved=proved, sentence=sentence)


def _orders(number: int) -> str:
    return "1 order" if number == 1 else f"{number} orders"
