"""All that is known of a market: outcomes, rules, dates, fees, settlement source."""

from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.session.changes import StoreChanges
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.dialogs.reading import TextScreen
from kalshi_tui.ui.event.details_view import detail_lines


class DetailsScreen(TextScreen):
    """Reads the market's terms, and keeps the outcomes' prices live."""

    def __init__(self, session: TradingSession, ticker: str) -> None:
        super().__init__(session, "the market", self._detail_lines)
        self._ticker = ticker

    def _detail_lines(self, width: int) -> list[Line]:
        """Return what is known; a market may leave the list while it is read about."""
        market = self.session.store.markets.get(self._ticker)
        if market is None:
            return [line(Span("This market is not listed any more.", Tone.WARN))]
        return detail_lines(self.session.store, market, width)

    def frame(self, dirty: StoreChanges) -> None:
        """Keep the prices live."""
        if dirty.tickers or dirty.topics:
            self.redraw()
