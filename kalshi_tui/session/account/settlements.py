"""Reading what settled markets have paid: at the start, after an absence, and when a market settles that was held."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.exact_payouts import ExactPayouts
from kalshi_tui.kalshi.lists import LeftOut
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.account.settlement_file import SettlementFile
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_until_event

MAX_SETTLEMENTS: Final = 200
SETTLED_EVENT: Final = "settled"
"""The exchange's word for the event of a market's life that pays (docs/kalshi-api.md, section 8)."""
LISTING_DELAYS_S: Final = (3.1, 6.0, 12.0, 24.0, 48.0)
"""The waits while a settlement is not listed yet: reads lag by seconds (docs/kalshi-api.md, section 7)."""
RETRY_DELAY_S: Final = 10.0


class SettlementReader:
    """Keeps the store's settlements. `run` does the work."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep, file: SettlementFile | None = None) -> None:
        """Read for a store; in ``file``, if there is one, settlements are kept that the exchange forgets."""
        self._rest = rest
        self._file = file
        self._told_trouble = ""
        self._store = store
        self._sleep = sleep
        self._read_requested = asyncio.Event()
        self._left_out: list[LeftOut] = []
        """What the read that is under way could not read."""
        self._awaited: dict[str, int] = {}
        """Markets that have settled and are not listed yet, with how often they have been looked for."""
        self._payouts = ExactPayouts(rest)

    def request_read(self) -> None:
        """Read again: something may have settled without a frame about it."""
        self._read_requested.set()

    def handle_market_event(self, ticker: str, event_type: str) -> None:
        """Read again if a market has settled that was held."""
        if event_type == SETTLED_EVENT and self._store.account.has_held(ticker):
            self._awaited[ticker] = 0
            self._read_requested.set()

    async def run(self) -> None:
        """Read whenever there may be something new, and until what has settled is listed."""
        while True:
            if not self._awaited:
                await self._read_requested.wait()
            self._read_requested.clear()
            wait = await self._read()
            if wait:
                await sleep_until_event(self._sleep, wait, self._read_requested)

    async def _read_subaccount(self, number: int, asked: int | None) -> list[Settlement]:
        """Read a subaccount's settlements, together with those that are kept, newest first."""
        file = self._file
        kept = {each.ticker: each for each in file.load(number)} if file is not None else {}
        # What is kept reaches back to the first day, as long as no list that was read has left a gap before it.
        known = {(each.ticker, each.settled_ms) for each in kept.values()}
        most = MAX_SETTLEMENTS if kept or file is None else None
        read = await self._rest.settlements(most=most, subaccount=asked)
        self._left_out += read.left_out
        if file is None:
            return await self._complete(read, kept, asked)
        if len(read) == most and not any((each.ticker, each.settled_ms) in known for each in read):
            read = await self._rest.settlements(subaccount=asked)
            self._left_out += read.left_out
        newest = {each.ticker for each in read}
        found = await self._complete(
            [*read, *(each for ticker, each in kept.items() if ticker not in newest)], kept, asked
        )
        unchanged = set(kept.values())
        file.add(number, (new for each in found if (new := replace(each, subaccount=number)) not in unchanged))
        self._tell_trouble(file)
        return found

    async def _complete(
        self, settlements: Sequence[Settlement], kept: Mapping[str, Settlement], asked: int | None
    ) -> list[Settlement]:
        """Return settlements with exact payouts and what was realized before, as far as it can be found out."""
        found = [await self._payouts.make_exact(_from_kept(each, kept.get(each.ticker))) for each in settlements]
        return await self._payouts.with_realized(found, asked)

    def _tell_trouble(self, file: SettlementFile) -> None:
        """Report once what is wrong with the file."""
        sentence = file.trouble
        if not sentence and file.unreadable:
            sentence = f"Settlements kept on this machine that could not be read and are left out: {file.unreadable}."
        if sentence and sentence != self._told_trouble:
            self._store.notify(Severity.WARNING, sentence)
        self._told_trouble = sentence

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    async def _read(self) -> float:
        """Read; return how many seconds to wait for what is missing, 0 if nothing is."""
        try:
            view = self._store.account.view
            self._left_out.clear()
            paid = [
                # The exchange does not say of which subaccount a settlement is: each is asked for by itself.
                replace(each, subaccount=number)
                for number in view.numbers
                for each in await self._read_subaccount(number, number if view.several else None)
            ]
            self._store.time.set_skew(self._rest.clock.skew_ms)
            self._store.account.set_settlements(paid)
            self._store.account.set_left_out(AccountList.SETTLEMENTS, dict.fromkeys(self._left_out))
        except KalshiError as error:
            self._store.notify(Severity.WARNING, f"Settlements could not be read; it is tried again. {error}")
            self._store.account.mark_unread(str(error), AccountList.SETTLEMENTS)
            self._read_requested.set()
            await self._sleep(RETRY_DELAY_S)
            return 0
        # The fills may lag behind the settlement that they belong to: it is looked for until it has all of them.
        listed = {each.ticker for each in self._store.settlements if each.realized is not None}
        # What is still not listed after the last look had no position left when it settled, and pays nothing.
        self._awaited = {
            ticker: looks + 1
            for ticker, looks in self._awaited.items()
            if ticker not in listed and looks < len(LISTING_DELAYS_S)
        }
        return min((LISTING_DELAYS_S[looks - 1] for looks in self._awaited.values()), default=0)


def _from_kept(settled: Settlement, kept: Settlement | None) -> Settlement:
    """Return a settlement with what is kept of it and the exchange does not list."""
    if kept is None or _listed(kept) != _listed(settled):
        return settled
    if not kept.is_rounded:
        settled = replace(settled, revenue=kept.revenue, yes_value=kept.yes_value, is_rounded=False)
    if kept.is_rounded == settled.is_rounded:
        settled = replace(settled, revenue=kept.revenue, realized=kept.realized)
    return settled


def _listed(settled: Settlement) -> tuple[object, ...]:
    """Return what the exchange lists of a settlement."""
    paid = settled.revenue_in_whole_cents
    return settled.ticker, settled.settled_ms, settled.count, settled.cost, settled.fees, paid
