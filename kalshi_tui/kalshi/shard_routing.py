"""On which shard each market lies, as the exchange has told: commands name it, and are billed there.

docs/kalshi-api.md, sections 6 and 14.
"""

from collections.abc import Iterable

from msgspec import UnsetType

from kalshi_tui.kalshi import wire


class ShardRouting:
    """The shard of each market that was read. A live market does not move."""

    def __init__(self) -> None:
        self._by_ticker: dict[str, int] = {}

    def note_markets(self, markets: Iterable[wire.Market | wire.Order] | UnsetType | None) -> None:
        """Remember the shards of markets, or of the markets of orders; one without a shard tells nothing."""
        for each in markets or ():
            self.note(each.ticker, each.exchange_index)

    def note(self, ticker: str, exchange_index: object) -> None:
        """Remember the shard of one market."""
        if isinstance(exchange_index, int) and exchange_index >= 0:
            self._by_ticker[ticker] = exchange_index

    def index_of(self, ticker: str) -> int | None:
        """Return the shard of a market; None where nothing told it, and the exchange has to find it."""
        return self._by_ticker.get(ticker)
