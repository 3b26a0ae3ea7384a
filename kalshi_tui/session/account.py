"""The account as the exchange has it: orders, fills, positions, cash, read again until the reads can be believed.

Private frames carry no seq, so that a lost one is never noticed (section 4), and REST lags the engine by seconds
(section 7). So whatever has happened at some time is read until the exchange's own data have passed that time.
"""

import asyncio
import contextlib
from typing import Final

from kalshi_tui.domain.order import OrderState
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.store import Store, Weight
from kalshi_tui.session.trading import Trading
from kalshi_tui.session.waiting import Sleep, sleep_unless
from kalshi_tui.session.words import fill_words

FILLS_READ: Final = 200
NEWS_SETTLES_S: Final = 0.15
"""Frames about one order come in a burst; cash and positions are read once, this long after the first."""
FIRST_WAIT_S: Final = 3.1
LONGEST_WAIT_S: Final = 15.0
CLOCKS_DIFFER_MS: Final = 3_000
"""How far the exchange's time may be from what this machine takes it for (`ExchangeClock`)."""
HISTORY_S: Final = 24 * 3600
HISTORY_ORDERS: Final = 100
"""At the start the orders of the last day are read, at most so many, so that those that are over are listed too."""
OLD_S: Final = 10
LATE_AFTER: Final = 5
"""After so many reads that were all too old the trader is told."""


class Account:
    """Reads the account when there is news of it, until the reads have passed the news. `run` does the work."""

    def __init__(self, rest: RestClient, store: Store, trading: Trading, sleep: Sleep) -> None:
        self._rest = rest
        self._store = store
        self._trading = trading
        self._sleep = sleep
        self._wake = asyncio.Event()
        self._money_due_ms = 0
        """The exchange's time that reads of cash and positions have to pass; and of orders and fills:"""
        self._all_due_ms = 0
        self._read_once = False

    def has_news(self) -> None:
        """Cash or positions have moved."""
        self._money_due_ms = self._rest.clock.now_ms() + CLOCKS_DIFFER_MS
        self._wake.set()

    def is_doubtful(self) -> None:
        """News may have been lost: read everything, orders and fills too."""
        self._all_due_ms = self._rest.clock.now_ms() + CLOCKS_DIFFER_MS
        self._wake.set()

    async def run(self) -> None:
        """Read whenever there is something to read. Ends only when cancelled."""
        while True:
            await self._wake.wait()
            if self._read_once:
                await self._sleep(NEWS_SETTLES_S)
            self._wake.clear()
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Read until the exchange's data have passed all that is due; a failed read is tried again."""
        wait, late, failed = FIRST_WAIT_S, 0, False
        while True:
            try:
                as_of_ms = await self._rest.user_data_timestamp()
                await self._read(as_of_ms)
            except KalshiError as error:
                if not failed:
                    sentence = f"Your account could not be read and may be shown wrong; it is tried again. {error}"
                    self._store.notify(Weight.ERROR, sentence)
                failed = True
            else:
                if failed:
                    self._store.notify(Weight.GOOD, "Your account has been read again.")
                failed = False
                if as_of_ms > max(self._money_due_ms, self._all_due_ms):
                    return
                late += 1
                behind_s = (self._rest.clock.now_ms() - as_of_ms) // 1000
                if late == LATE_AFTER and behind_s >= OLD_S:
                    self._store.notify(Weight.WARNING, f"The exchange's account data are {behind_s} s old.")
            if await self._woken_within(wait):
                wait, late = FIRST_WAIT_S, 0
            else:
                wait = min(wait * 2, LONGEST_WAIT_S)

    async def _woken_within(self, seconds: float) -> bool:
        """Wait, but not longer than until there is further news; say whether there is. News come in bursts."""
        if not await sleep_unless(self._sleep, seconds, self._wake):
            return False
        await self._sleep(NEWS_SETTLES_S)
        self._wake.clear()
        return True

    async def _read(self, as_of_ms: int) -> None:
        """Read once. What the stream has told after ``as_of_ms`` (the exchange's Unix time) is newer, and stays."""
        balance, positions = await asyncio.gather(self._rest.balance(), self._rest.positions())
        self._store.set_balance(balance)
        self._store.set_positions(positions, as_of_ms - self._rest.clock.skew_ms - CLOCKS_DIFFER_MS)
        if self._all_due_ms or not self._read_once:
            await self._read_orders()
        if as_of_ms > self._all_due_ms:
            self._all_due_ms = 0
        self._read_once = True

    async def _read_orders(self) -> None:
        """Read orders and fills and tell what changed unheard."""
        resting, fills = await asyncio.gather(self._rest.orders(status="resting"), self._rest.fills(most=FILLS_READ))
        if not self._read_once:
            since_s = self._rest.clock.now_ms() // 1000 - HISTORY_S
            for order in await self._rest.orders(min_ts=since_s, most=HISTORY_ORDERS):
                self._store.order(order)
        gone = {order.order_id: order for order in self._store.working() if order.order_id}
        for order in resting:
            self._store.order(order)
            gone.pop(order.order_id, None)
        for order in gone.values():
            # Not there yet, or for ever: reads lag. The order stays as it was told last.
            with contextlib.suppress(KalshiError):
                self._store.order(await self._rest.order(order.order_id))
        fresh = self._store.set_fills(fills)
        if self._read_once:
            for fill in reversed(fresh):
                self._store.notify(Weight.WARNING, f"Filled while away: {fill_words(fill)} in {fill.ticker}.")
        for order in self._store.working():
            if order.state is OrderState.UNKNOWN:
                self._trading.ask_about(order)
