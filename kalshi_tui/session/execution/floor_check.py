"""Check an order against its market's settlement floor, read again first: no event tells that a floor has risen."""

from kalshi_tui.domain.order import OrderTerms, floor_reason
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.store import Store


class FloorCheck:
    """Knows why an order must stay here for its market's floor (docs/kalshi-api.md, sections 16 and 26)."""

    def __init__(self, rest: RestClient, store: Store) -> None:
        self._rest = rest
        self._store = store

    async def find_reason(self, terms: OrderTerms) -> str:
        """Return why the exchange would reject these terms for the floor, a sentence; empty if it would not.

        Costs nothing in a market without a floor.
        """
        market = self._store.markets.get(terms.ticker)
        if market is None or market.settlement_floor is None:
            return ""
        try:
            self._store.market_data.set_markets([await self._rest.market(terms.ticker)])
        except KalshiError:
            # What is known decides: the exchange rejects the order itself if its floor has risen since.
            return floor_reason(terms, market) or ""
        return floor_reason(terms, self._store.markets.get(terms.ticker, market)) or ""
