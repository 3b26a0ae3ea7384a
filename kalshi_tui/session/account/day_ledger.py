"""This day's fills and settlements, and what was held at its start: the source of the day's gain.

Each fill counts once, by whatever way it comes. What was held over night is kept on this machine at the value of the
day's first look, so that a restart goes on from there.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from kalshi_tui.domain.candles import payout
from kalshi_tui.domain.day_gain import DayAccount, DayGain, TradedSum, ValuedCount
from kalshi_tui.domain.order import Fill
from kalshi_tui.domain.position import PositionKey
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money
from kalshi_tui.domain.trading_day import day_start_ms, trading_day
from kalshi_tui.session.account.settlement_file import SettlementFile
from kalshi_tui.session.account.store import AccountStore
from kalshi_tui.session.bus import FillAdded, MessageBus

AT_ONCE_MS: Final = 60_000
"""A first look so soon after midnight is of the day's start."""
DISAGREEMENT_MS: Final = 120_000
"""So long fills and positions may differ: one's news come before the other's, a payout's settlement long after it."""
ValueOf = Callable[[str, Count], Money | None]


class KeptHolding(msgspec.Struct, frozen=True):
    """What was held of one market in one subaccount when a day was first looked at, and its value."""

    ticker: str
    subaccount: int
    count: Count
    value: Money


class KeptDayStart(msgspec.Struct, frozen=True):
    """How a day began: when it was first looked at, Unix ms, and what was held over night."""

    at_ms: int
    held: list[KeptHolding]


class DayLedger:
    """One day's account. `DayReader` begins each day and reads what the stream may have missed."""

    def __init__(self, account: AccountStore, bus: MessageBus, now_ms: Callable[[], int]) -> None:
        self._account = account
        self._now_ms = now_ms
        self._began_ms = 0
        self._known: set[tuple[str, str]] = set()
        self._fills: dict[PositionKey, TradedSum] = {}
        self._start: KeptDayStart | None = None
        self._first_look_ms = 0
        self._first_values: dict[tuple[PositionKey, Count], Money] = {}
        """What was held at the day's start at its first known value, until all of it has one."""
        self._disagreed_ms = 0
        """Since when fills and positions differ, 0 while they agree."""
        self.why = "It has not been read yet."
        """Why the day's start is not known, a sentence."""
        self.awaited = ""
        """The market whose value at the day's start is waited for."""
        self.is_read = False
        """Whether all fills of this day have been read."""
        bus.subscribe(FillAdded, lambda message: self.add_fills([message.fill]))

    @property
    def has_begun(self) -> bool:
        """Whether what was held at this day's start is known."""
        return self._start is not None

    @property
    def is_of_today(self) -> bool:
        """Whether it is of the day that it is now."""
        return self._began_ms == day_start_ms(self._now_ms())

    @property
    def disagrees(self) -> bool:
        """Whether fills and positions have differed at the last look."""
        return self._disagreed_ms > 0

    def turn(self) -> None:
        """Begin an empty account of the day that it is now."""
        self._began_ms = day_start_ms(self._now_ms())
        self._known.clear()
        self._fills.clear()
        self._start = None
        self._first_look_ms = 0
        self._first_values.clear()
        self._disagreed_ms = 0
        self.is_read = False
        # What came since midnight came before anybody looked.
        self.add_fills(self._account.fills)

    def add_fills(self, fills: Iterable[Fill]) -> None:
        """Take executions; those of other days and those that are known are passed over."""
        for fill in fills:
            if fill.ts_ms < self._began_ms or not self._began_ms or fill.key in self._known:
                continue
            self._known.add(fill.key)
            key = fill.ticker, fill.subaccount
            self._fills[key] = self._fills.get(key, TradedSum()).with_fill(fill)

    def begin(self, value_of: ValueOf, file: SettlementFile | None) -> None:
        """Take what is kept of the day's start, or value what was held then, if all of it can be."""
        day = trading_day(self._began_ms).isoformat()
        kept = file.load_day_start(day) if file is not None else None
        if kept is None:
            held = self._look_at_start(value_of)
            if held is None:
                return
            kept = msgspec.json.encode(KeptDayStart(self._first_look_ms, held))
            if file is not None:
                kept = file.keep_day_start(day, kept)
        try:
            self._start = msgspec.json.decode(kept, type=KeptDayStart)
        except (msgspec.MsgspecError, ValueError):
            self.why = "What is kept of its start on this machine cannot be read."
        self.awaited = ""

    def _look_at_start(self, value_of: ValueOf) -> list[KeptHolding] | None:
        """Value what was held at the day's start; None while the value of a part of it is not known.

        What has been valued keeps its first value: one market that nobody can value moves no other's start.
        """
        self._first_look_ms = self._first_look_ms or self._now_ms()
        self.awaited = ""
        held = []
        traded = self._traded()
        for key in sorted(traded.keys() | self._account.positions_by_key.keys()):
            count = self._held(key) - traded.get(key, TradedSum()).count
            if not count:
                continue
            value = self._first_values.get((key, count))
            if value is None:
                value = value_of(key[0], count)
            if value is None:
                value = self._payout(key, count)
            if value is not None:
                self._first_values[key, count] = value
                held.append(KeptHolding(key[0], key[1], count, value))
            elif not self.awaited:
                self.why = f"What {key[0]} was worth at its start is not known yet."
                self.awaited = key[0]
        return None if self.awaited else held

    def gain(self, value_of: ValueOf) -> DayGain | None:
        """Return what the day has brought by the values of now; None while nothing of it has been read."""
        if not self.is_read or not self.is_of_today:
            return None
        day = self._account_of_day()
        total, counts = day.total(), day.counts
        found = {key: value_of(key[0], count) for key, count in counts.items()}
        values = {key: value for key, value in found.items() if value is not None}
        # A key with no value now, or one that may have been held before while the day's start is not known.
        unknown = set(found.keys() - values.keys())
        gain, why = None, self.why
        if self._start is None:
            unknown |= {key for key in day.traded if self._held(key) != day.traded[key].count}
        else:
            apart = self._note_agreement(counts)
            if apart and self._now_ms() - self._disagreed_ms > DISAGREEMENT_MS:
                why = f"Fills and positions of {apart} do not agree."
            elif unknown:
                why = f"What {min(unknown)[0]} is worth is not known."
            else:
                gain, why = day.gain(values), ""
        closed = day.closed(self._account.positions_by_key.keys(), values, unknown)
        return DayGain(total.fills, total.bought, total.sold, total.fees, gain, self._since_ms(), why, closed)

    def _since_ms(self) -> int:
        start = self._start
        if start is None or not start.held or start.at_ms - self._began_ms <= AT_ONCE_MS:
            return self._began_ms
        return start.at_ms

    def compare(self) -> None:
        """Look whether fills and positions agree now, though nobody looks at the gain."""
        if self.is_read and self.is_of_today and self._start is not None:
            self._note_agreement(self._account_of_day().counts)

    def _account_of_day(self) -> DayAccount:
        return DayAccount({} if self._start is None else _holdings(self._start), self._traded())

    def _note_agreement(self, counts: Mapping[PositionKey, Count]) -> str:
        """Note since when fills and positions differ; return a market of which they do, empty if they agree."""
        held = {key: position.count for key, position in self._account.positions_by_key.items()}
        apart = sorted(key for key in held.keys() | counts.keys() if held.get(key, 0) != counts.get(key, 0))
        if not apart:
            self._disagreed_ms = 0
            return ""
        if not self._disagreed_ms:
            self._disagreed_ms = self._now_ms()
        return apart[0][0]

    def _payout(self, key: PositionKey, count: Count) -> Money | None:
        """Return what was paid for a count that was settled today, before anybody looked."""
        for each in self._account.settlements:
            if (each.ticker, each.subaccount or 0) == key and each.settled_ms >= self._began_ms:
                value = {"yes": PRICE_UNIT, "no": 0}.get(each.result, each.yes_value)
                return None if value is None else payout(count, value)
        return None

    def _held(self, key: PositionKey) -> Count:
        position = self._account.positions_by_key.get(key)
        return 0 if position is None else position.count

    def _traded(self) -> dict[PositionKey, TradedSum]:
        found = dict(self._fills)
        for each in self._account.settlements:
            if each.settled_ms >= self._began_ms:
                key = each.ticker, each.subaccount or 0
                found[key] = found.get(key, TradedSum()).with_settlement(each, self._account.precision)
        return found


def _holdings(start: KeptDayStart) -> dict[PositionKey, ValuedCount]:
    return {(each.ticker, each.subaccount): ValuedCount(each.count, each.value) for each in start.held}
