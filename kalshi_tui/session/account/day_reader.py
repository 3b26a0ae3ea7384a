"""Beginning each day of the account, and reading all of its fills: however many there are, and after a restart too."""

import asyncio
from typing import Final

from kalshi_tui.domain.trading_day import MS_PER_SECOND, day_start_ms
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.account.settlement_file import SettlementFile
from kalshi_tui.session.bus import MessageBus, PositionsChanged
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_until_event

BEGIN_RETRY_S: Final = 1.0
"""How often it is tried to value what was held over night, until all books are there."""
LOOK_INTERVAL_S: Final = 15.0
"""How often it is looked whether the day has turned, or fills are missing."""
MAX_TRIES: Final = 5


class DayReader:
    """Keeps the store's day. `run` does the work."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep, file: SettlementFile | None = None) -> None:
        """Read for a store; ``file``, if there is one, keeps how each day began."""
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._file = file
        self._account_read = asyncio.Event()
        self._said = ""
        self._subscribe(store.bus)

    def _subscribe(self, bus: MessageBus) -> None:
        bus.subscribe(PositionsChanged, lambda _: self._account_read.set())

    async def run(self) -> None:
        """Begin each day when its turn has come, and read again where fills and positions differ."""
        ledger = self._store.day_ledger
        while True:
            if not self._store.reads.have(AccountList.POSITIONS, AccountList.FILLS, AccountList.SETTLEMENTS):
                self._account_read.clear()
                await sleep_until_event(self._sleep, BEGIN_RETRY_S, self._account_read)
                continue
            try:
                if not ledger.is_of_today:
                    ledger.turn()
                ledger.compare()
                if not ledger.is_read or ledger.disagrees:
                    await self._read_fills()
                if ledger.is_read and not ledger.has_begun:
                    ledger.begin(self._store.valuation.day_value, self._file)
                    self._store.account.mark_day_changed()
            except KalshiError as error:
                if str(error) != self._said:
                    self._said = str(error)
                    sentence = f"The day's fills could not be read; it is tried again. {error}"
                    self._store.notify(Severity.WARNING, sentence)
            self._account_read.clear()
            await self._sleep(LOOK_INTERVAL_S if ledger.has_begun else BEGIN_RETRY_S)

    async def _read_fills(self) -> None:
        """Read all fills of the day; again where the positions have changed meanwhile, for both must be of one moment.

        Raises KalshiError.
        """
        ledger, account = self._store.day_ledger, self._store.account
        since_s = day_start_ms(self._store.time.exchange_ms()) // MS_PER_SECOND
        for _ in range(MAX_TRIES):
            before = {key: each.count for key, each in account.positions_by_key.items()}
            fills = await self._rest.fills(min_s=since_s)
            if fills.left_out:
                ledger.why = f"{len(fills.left_out)} fills could not be read."
                return
            ledger.add_fills(fills)
            if before == {key: each.count for key, each in account.positions_by_key.items()}:
                ledger.is_read = True
                account.mark_day_changed()
                return
