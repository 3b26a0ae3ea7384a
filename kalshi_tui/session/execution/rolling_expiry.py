"""The short expiry that orders are sent with when the dead-man's switch rolls it: how far ahead it lies.

An order that nobody renews ends by itself: on a dead machine, after a crash, with the link cut.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Final

from kalshi_tui.domain.order import Order, OrderTerms, TimeInForce
from kalshi_tui.domain.trading_pause import TradingPause, next_trading_pause
from kalshi_tui.session.execution.shared_writers import SharedWriters

PAUSE_MARGIN_S: Final = 10
"""How long before a pause an expiry may lie: an amendment sent then could come too late."""
MAX_BRIDGED_PAUSE_S: Final = 6 * 3_600
"""Expiries are not prolonged past a longer pause: the orders of a dead machine would rest for as long."""
MAX_KNOWN_EXPIRIES: Final = 8
EARLIER_RUN_S: Final = 20
"""How long after the start a renewal by an earlier run may still arrive: a request has ten seconds, and ten to come."""
EARLIER_RUN_SEEN_S: Final = 90
"""How long after the start what an earlier run has sent may be new here: the account is read every half minute."""
CLOCK_MARGIN_S: Final = 10
"""How much further ahead an expiry of this program may seem: what it takes for the exchange's time may be off."""


class RollingExpiry:
    """Computes expiries, Unix seconds of the exchange's time. Off, and all stays as asked for, without a length."""

    def __init__(
        self,
        length_s: int | None,
        now_ms: Callable[[], int],
        timer_s: Callable[[], float] = time.monotonic,
        shared: SharedWriters | None = None,
        announced: Callable[[], Iterable[TradingPause]] = tuple,
    ) -> None:
        """Take the exchange's clock, which is corrected as it runs, and a timer that never jumps.

        ``shared`` tells of the expiries that other programs on the journal have sent, ``announced`` returns the pauses
        beside the weekly one.
        """
        self.length_s = length_s
        self._now_ms = now_ms
        self._timer_s = timer_s
        self._made_at = timer_s()
        self._shared = shared
        self._announced = announced
        self._sent: dict[str, deque[int]] = {}
        """The expiries that this program has sent lately, by order id."""

    def now_s(self) -> int:
        """Return the exchange's time."""
        return self._now_ms() // 1000

    def seconds_unsettled(self) -> int:
        """Return for how many seconds a renewal by an earlier run may still arrive; 0 if none may."""
        if self.length_s is None:
            return 0
        # By the timer: the clock of a machine that is minutes ahead is set back by the first reply.
        return max(0, math.ceil(EARLIER_RUN_S - (self._timer_s() - self._made_at)))

    def latest_s(self) -> int:
        """Return how far ahead an expiry that is sent now may lie."""
        return self._latest_at(self.now_s())

    def _latest_at(self, at_s: int) -> int:
        length_s = self.length_s or 0
        pause = self.next_pause(at_s)
        if at_s + length_s < pause.start_s - PAUSE_MARGIN_S:
            return at_s + length_s
        # Amendments are rejected in the pause: an order whose expiry lies in it would end there while the desk lives.
        return max(at_s, pause.end_s) + length_s

    def next_pause(self, at_s: int) -> TradingPause:
        """Return the pause of a moment or the next one, of those that expiries are prolonged past."""
        bridged = [each for each in self._announced() if each.end_s - each.start_s <= MAX_BRIDGED_PAUSE_S]
        # What begins before a renewal after the one before could be made belongs to that.
        return next_trading_pause(at_s, bridged, (self.length_s or 0) + PAUSE_MARGIN_S)

    def long_pause(self) -> TradingPause | None:
        """Return an announced pause that is about to begin and that no expiry is prolonged past; None without one."""
        now_s = self.now_s()
        soon_s = now_s + (self.length_s or 0) + PAUSE_MARGIN_S
        for each in self._announced():
            if each.end_s - each.start_s > MAX_BRIDGED_PAUSE_S and each.start_s <= soon_s and now_s < each.end_s:
                return each
        return None

    def to_send(self, terms: OrderTerms) -> OrderTerms:
        """Return terms with the expiry that the order is sent with: the trader's own, or an earlier one."""
        if self.length_s is None or terms.tif is not TimeInForce.GTC:
            return terms
        return replace(terms, expires_s=self.clip(terms.expires_s or 0))

    def clip(self, expires_s: int | None) -> int | None:
        """Return what is sent in the place of an expiry that the trader asks for: None as it is, 0 never."""
        if self.length_s is None or expires_s is None:
            return expires_s
        latest = self.latest_s()
        return min(expires_s, latest) if expires_s else latest

    def note_sent(self, order_id: str, expires_s: int) -> None:
        """Note an expiry that is sent."""
        if self.length_s is not None and self._shared is not None:
            self._shared.note_expiry(order_id, expires_s, self._timer_s())
        self._sent.setdefault(order_id, deque(maxlen=MAX_KNOWN_EXPIRIES)).append(expires_s)

    def withdraw_sent(self, order_id: str, expires_s: int) -> None:
        """Note that the expiry noted last was not sent: else those that were would be forgotten for it."""
        if (sent := self._sent.get(order_id)) and sent[-1] == expires_s:
            sent.pop()

    def is_foreign(self, order: Order) -> bool:
        """Return whether an order has an expiry that no program on this journal has given it to keep it alive.

        What it has at first may be of an earlier run, unless it lies further ahead than any that is sent.
        """
        expires_s = order.expires_ms // 1000
        # Reads lag, and may still have one of those before.
        ours = self._sent.get(order.order_id)
        if ours is None:
            ours = self._sent[order.order_id] = deque(maxlen=MAX_KNOWN_EXPIRIES)
            is_inherited = expires_s <= self.latest_s() + CLOCK_MARGIN_S
        else:
            is_inherited = self._may_come_from_earlier_run(order)
        if expires_s in ours:
            return False
        if is_inherited or (self._shared is not None and self._shared.is_renewal(order.order_id, expires_s)):
            ours.append(expires_s)
        return expires_s not in ours

    def _may_come_from_earlier_run(self, order: Order) -> bool:
        """Return whether a renewal that an earlier run sent at its end may have set an order's expiry.

        Taken for the trader's own it would end the order while the program lives. Only what could be one is: all others
        are the trader's, and are not passed.
        """
        age_s = self._timer_s() - self._made_at
        started_s = self.now_s() - int(age_s)
        in_reach = order.expires_ms // 1000 <= self._latest_at(started_s) + CLOCK_MARGIN_S
        return in_reach and age_s <= EARLIER_RUN_SEEN_S and order.created_ms < started_s * 1000

    def keep_only(self, order_ids: Collection[str]) -> None:
        """Forget all other orders."""
        for order_id in [each for each in self._sent if each not in order_ids]:
            del self._sent[order_id]
