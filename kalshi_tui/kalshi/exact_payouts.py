"""Settlements with what was paid exactly, and what was gained before: the exchange lists whole cents, and no gain.

docs/kalshi-api.md, section 7.

The function that `kalshi_tui.kalshi.client.KalshiClient` offers under the same name is documented here for its users.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.domain.day_gain import TradedSum, sum_fills
from kalshi_tui.domain.price import PRICE_UNIT, Count, Price
from kalshi_tui.domain.settlement_gain import with_realized
from kalshi_tui.kalshi import whole_history
from kalshi_tui.kalshi.errors import KalshiError, NotFound
from kalshi_tui.kalshi.lists import Read
from kalshi_tui.kalshi.rest import RestClient

MAX_READ_BY_MARKET: Final = 10
"""Of so many markets the fills are read one by one; of more, all fills of the account cost fewer requests."""
MAX_LOOKS: Final = 3
"""How often the fills of a settlement are read that did not agree with it: the list lags by seconds."""


async def settlements(
    rest: RestClient, *, min_s: int | None = None, most: int | None = None, subaccount: int | None = None
) -> Read[Settlement]:
    """Read what settled markets have paid, newest first, all pages or at most ``most``.

    The exchange lists a payout in whole cents, `Settlement.revenue_in_whole_cents`. Where a YES was worth a part of a
    dollar, ``revenue`` is computed from what the market says and from what was held; ``is_rounded`` where that could
    not be found out. What was closed before is not in the list: ``realized`` is computed from the fills, and None, as
    ``net`` then is, where these do not agree with what was held. The exchange has no archive of settlements: after some
    weeks they are gone, so keep what you need.

    Of one ``subaccount`` or of all; in a list of all none says whose it is. ``min_s`` is Unix seconds. Raises NoKey,
    TransportError, Refused or BadReply.
    """
    read = await rest.settlements(min_s=min_s, most=most, subaccount=subaccount)
    payouts = ExactPayouts(rest)
    exact = [await payouts.make_exact(each) for each in read]
    read[:] = await payouts.with_realized(exact, subaccount)
    return read


@dataclass(frozen=True, slots=True)
class _Worth:
    """What a YES of a settled market was worth, and how much of that a settlement floor had paid before."""

    yes_value: Price
    floor: Price


class ExactPayouts:
    """Makes settlements exact. What the exchange has answered about a market or its fills is asked for once."""

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest
        self._worths: dict[tuple[str, int], _Worth | None] = {}
        """By ticker and time of the settlement; None where the exchange does not say it."""
        self._held: dict[tuple[str, int, int | None], tuple[Count, ...]] = {}
        self._looked: dict[tuple[str, int, int | None], int] = {}
        """How often the fills of a settlement have been read."""

    async def make_exact(self, settled: Settlement) -> Settlement:
        """Return a settlement with its exact payout; as it is, and ``is_rounded``, where that cannot be found out.

        The market says what a YES was worth. What was held is in the settlement; where the payout is not that of it,
        the fills say what was.
        """
        if not settled.is_rounded:
            return settled
        try:
            worth = await self._read_worth(settled)
            if worth is None:
                return settled
            exact = settled.with_exact_value(worth.yes_value, floor=worth.floor)
            if exact.is_rounded:
                held = await self._read_held(settled)
                exact = settled.with_exact_value(worth.yes_value, floor=worth.floor, held=held)
        except KalshiError:
            return settled
        return exact

    async def _read_worth(self, settled: Settlement) -> _Worth | None:
        """Return what a YES was worth; None if the exchange does not say it. Raises KalshiError."""
        key = settled.ticker, settled.settled_ms
        if key not in self._worths:
            try:
                market = await whole_history.market(self._rest, settled.ticker)
            except NotFound:
                self._worths[key] = None
                return None
            value = PRICE_UNIT if settled.result == "yes" else market.settlement_price
            self._worths[key] = None if value is None else _Worth(value, market.settlement_floor or 0)
        return self._worths[key]

    async def _read_held(self, settled: Settlement) -> tuple[Count, ...]:
        """Return what was held by the fills, positive for YES, in each subaccount that it may be of.

        Nothing if they could not be read whole. Raises KalshiError.
        """
        key = settled.ticker, settled.settled_ms, settled.subaccount
        if key not in self._held:
            sums = await self._read_sums(settled.subaccount, settled.ticker)
            held = tuple(each.count for each in sums.get(settled.ticker, ()))
            if not held:
                return held
            self._held[key] = held
        return self._held[key]

    async def with_realized(self, settlements: Sequence[Settlement], subaccount: int | None) -> list[Settlement]:
        """Return settlements with what was realized before, as far as it can be found out.

        ``subaccount`` is whose they are, None where the list was of all.
        """
        missing = {each.ticker for each in settlements if each.realized is None and self._looks(each) < MAX_LOOKS}
        if not missing:
            return list(settlements)
        try:
            if len(missing) > MAX_READ_BY_MARKET:
                sums = await self._read_sums(subaccount, None)
            else:
                sums = {}
                for ticker in sorted(missing):
                    sums |= await self._read_sums(subaccount, ticker)
        except KalshiError:
            return list(settlements)
        found = []
        for each in settlements:
            if each.realized is None and each.ticker in missing:
                self._looked[each.ticker, each.settled_ms, each.subaccount] = self._looks(each) + 1
                found.append(with_realized(each, sums.get(each.ticker, ())))
            else:
                found.append(each)
        return found

    def _looks(self, settled: Settlement) -> int:
        return self._looked.get((settled.ticker, settled.settled_ms, settled.subaccount), 0)

    async def _read_sums(self, subaccount: int | None, ticker: str | None) -> dict[str, list[TradedSum]]:
        """Return by market what all fills come to, one sum for each subaccount.

        Nothing if they could not be read whole. Raises KalshiError.
        """
        fills = await whole_history.fills(self._rest, ticker=ticker, subaccount=subaccount, archive_required=False)
        found: dict[str, list[TradedSum]] = {}
        for (market, _), each in sum_fills(fills).items() if fills.whole else ():
            found.setdefault(market, []).append(each)
        return found
