"""The short expiry that orders are sent with when the dead-man's switch rolls it: how far ahead it lies.

An order that nobody renews ends by itself: on a dead machine, after a crash, with the link cut.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from kalshi_tui.domain.order import Order, OrderTerms, TimeInForce
from kalshi_tui.domain.trading_pause import next_trading_pause

PAUSE_MARGIN_S: Final = 10
"""How long before the weekly pause an expiry may lie: an amendment sent then could come too late."""
KEPT_EXPIRIES: Final = 8
EARLIER_RUN_S: Final = 20
"""How long after the start a renewal by an earlier run may still arrive: a request has ten seconds, and ten to come."""


class RollingExpiry:
    """Computes expiries, Unix seconds of the exchange's time. Off, and all stays as asked for, without a length."""

    def __init__(self, length_s: int | None, now_ms: Callable[[], int]) -> None:
        self.length_s = length_s
        self._now_ms = now_ms
        self._started_s = self.now_s()
        self._inherited_until_s = self.latest_s()
        """Up to this time an earlier run may have set expiries: this one does not know which."""
        self._sent: dict[str, deque[int]] = {}
        """The expiries that this program has sent lately, by order id."""

    def now_s(self) -> int:
        """Return the exchange's time."""
        return self._now_ms() // 1000

    def seconds_unsettled(self) -> int:
        """Return for how many seconds a renewal by an earlier run may still arrive; 0 if none may."""
        if self.length_s is None:
            return 0
        return max(0, min(EARLIER_RUN_S, self._started_s + EARLIER_RUN_S - self.now_s()))

    def latest_s(self) -> int:
        """Return how far ahead an expiry that is sent now may lie."""
        now_s, length_s = self.now_s(), self.length_s or 0
        pause = next_trading_pause(now_s)
        if now_s + length_s < pause.start_s - PAUSE_MARGIN_S:
            return now_s + length_s
        # Amendments are rejected in the pause: an order whose expiry lies in it would end there while the desk lives.
        return max(now_s, pause.end_s) + length_s

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
        self._sent.setdefault(order_id, deque(maxlen=KEPT_EXPIRIES)).append(expires_s)

    def is_foreign(self, order: Order) -> bool:
        """Return whether an order has an expiry that this run has not given it; what it has at first is its own."""
        expires_s = order.expires_ms // 1000
        if order.order_id not in self._sent:
            self.note_sent(order.order_id, expires_s)
        # Reads lag, and may still have one of those before. A renewal by an earlier run may come late, too: taken for
        # the trader's own expiry, it would end the order while the program lives.
        return expires_s > self._inherited_until_s and expires_s not in self._sent[order.order_id]

    def keep_only(self, order_ids: Collection[str]) -> None:
        """Forget all other orders."""
        for order_id in [each for each in self._sent if each not in order_ids]:
            del self._sent[order_id]
