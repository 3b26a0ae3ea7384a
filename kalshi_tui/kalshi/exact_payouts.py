"""Settlements with what was paid exactly: the exchange lists it in whole cents (docs/kalshi-api.md, section 7).

The function that `kalshi_tui.kalshi.client.KalshiClient` offers under the same name is documented here for its users.
"""

from dataclasses import dataclass

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.domain.day_gain import sum_fills
from kalshi_tui.domain.price import PRICE_UNIT, Count, Price
from kalshi_tui.kalshi import whole_history
from kalshi_tui.kalshi.errors import KalshiError, NotFound
from kalshi_tui.kalshi.lists import Read
from kalshi_tui.kalshi.rest import RestClient


async def settlements(
    rest: RestClient, *, min_s: int | None = None, most: int | None = None, subaccount: int | None = None
) -> Read[Settlement]:
    """Read what settled markets have paid, newest first, all pages or at most ``most``.

    The exchange lists a payout in whole cents, `Settlement.revenue_in_whole_cents`. Where a YES was worth a part of a
    dollar, ``revenue`` is computed from what the market says and from what was held; ``is_rounded`` where that could
    not be found out. The exchange has no archive of settlements: after some weeks they are gone, so keep what you need.

    Of one ``subaccount`` or of all; in a list of all none says whose it is. ``min_s`` is Unix seconds. Raises NoKey,
    TransportError, Refused or BadReply.
    """
    read = await rest.settlements(min_s=min_s, most=most, subaccount=subaccount)
    payouts = ExactPayouts(rest)
    read[:] = [await payouts.make_exact(each) for each in read]
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
            fills = await whole_history.fills(self._rest, ticker=settled.ticker, subaccount=settled.subaccount)
            held = tuple(each.count for each in sum_fills(fills).values())
            self._held[key] = held if fills.whole else ()
        return self._held[key]
