"""The engine's state, which its parts share: time, ids, events, money, markets, order groups."""

from collections.abc import Callable

from kalshi_tui.practice.engine.events import EventLog
from kalshi_tui.practice.engine.ids import IdSource
from kalshi_tui.practice.engine.ledger import Ledger
from kalshi_tui.practice.engine.market_directory import MarketDirectory
from kalshi_tui.practice.engine.model import EngineOrderGroup
from kalshi_tui.practice.engine.timers import EngineClock


class EngineState:
    """What there is, without any rule of trading. The parts that hold the rules are given it and change it."""

    def __init__(self, clock_ms: Callable[[], int], seed: int, run: int = 0) -> None:
        self.clock = EngineClock(clock_ms)
        self.ids = IdSource(seed, run)
        self.event_log = EventLog()
        self.ledger = Ledger(self.clock, self.event_log)
        self.markets = MarketDirectory(self.clock, self.ids)
        self.groups: dict[str, EngineOrderGroup] = {}
