"""The minute after the one call that cancels all: what is placed in it may be canceled too.

docs/kalshi-api.md, section 6. Canceling by name has no such minute.
"""

from collections.abc import Callable, Mapping
from typing import Final

CANCEL_ALL_MINUTE_MS: Final = 60_000
LATE_ARRIVAL_MS: Final = 10_000
"""How long after it was given up a call without an answer may still arrive: only then does the minute begin."""


class CancelAllMinute:
    """When the one call was sent last, by subaccount (None for all of them), in Unix milliseconds of the exchange."""

    def __init__(
        self,
        clock_ms: Callable[[], int],
        *,
        load: Callable[[], Mapping[int | None, int]] = dict,
        save: Callable[[int | None, int], object] = lambda _subaccount, _at_ms: None,
    ) -> None:
        """Take the exchange's clock; ``load`` and ``save`` keep the times for other programs on the same account."""
        self._clock_ms = clock_ms
        self._load = load
        self._save = save
        self._sent_ms: dict[int | None, int] = {}
        self._before_ms: dict[int | None, int] = {}

    def record_sending(self, subaccount: int | None = None) -> None:
        """Record that the call is sent now: before its first byte leaves, for it may arrive whatever happens here."""
        self._before_ms[subaccount] = self._latest_ms(subaccount)
        self.record_unanswered(subaccount)

    def record_answered(self, subaccount: int | None = None) -> None:
        """Record that the call has been carried out: the minute is counted from here."""
        self._set(subaccount, self._clock_ms())

    def record_unanswered(self, subaccount: int | None = None) -> None:
        """Record that the call has no answer, and may be carried out now or soon."""
        self._set(subaccount, self._clock_ms() + LATE_ARRIVAL_MS)

    def withdraw(self, subaccount: int | None = None) -> None:
        """Record that the call that was being sent was not carried out."""
        self._set(subaccount, self._before_ms.pop(subaccount, 0))

    def seconds_left(self, subaccount: int | None = 0) -> int:
        """Return for how many seconds an order of a subaccount may still be canceled, 0 if it is safe.

        None is for an order of which it is not known where it goes: a call for any subaccount counts.
        """
        counted = {*self._sent_ms, *self._load()} if subaccount is None else {None, subaccount}
        return max((self._seconds_left(self._latest_ms(each)) for each in counted), default=0)

    def _seconds_left(self, sent_ms: int) -> int:
        now_ms = self._clock_ms()
        # One that lies far ahead is a clock that was wrong, and would never end.
        if not sent_ms or abs(now_ms - sent_ms) >= CANCEL_ALL_MINUTE_MS:
            return 0
        return -((now_ms - sent_ms - CANCEL_ALL_MINUTE_MS) // 1000)

    def describe(self, subaccount: int | None = 0) -> str:
        """Return why a new order should wait, a sentence; empty if it need not. None as for `seconds_left`."""
        left_s = self.seconds_left(subaccount)
        if not left_s:
            return ""
        return (
            "All orders were canceled with one call less than a minute ago: the exchange may cancel a new order too, "
            f"for {left_s} s from now."
        )

    def _latest_ms(self, subaccount: int | None) -> int:
        return max(self._sent_ms.get(subaccount, 0), self._load().get(subaccount, 0))

    def _set(self, subaccount: int | None, at_ms: int) -> None:
        self._sent_ms[subaccount] = at_ms
        self._save(subaccount, at_ms)
