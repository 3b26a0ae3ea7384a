"""What a screen may ask of the session: the seam between `ui` and the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from kalshi_tui.domain.link import Pulse
from kalshi_tui.domain.order import Order, OrderTerms
from kalshi_tui.session.rehearsal import Rehearsal
from kalshi_tui.session.store import Store


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command to the exchange: the order as now known, and a sentence for the trader."""

    order: Order
    sentence: str


class Venue(Enum):
    """Where the orders go. The values stand as words on every screen."""

    PRACTICE = "PRACTICE"
    DEMO = "DEMO"
    LIVE = "LIVE"


class Desk(Protocol):
    """What a screen may ask of the session. `Session` is the real one; tests may hand in their own."""

    @property
    def venue(self) -> Venue:
        """Where the orders go."""

    @property
    def store(self) -> Store:
        """What is known."""

    async def start(self) -> None:
        """Read markets and account, then keep the stream running until `stop`. Never raises for a bad connection."""

    async def stop(self) -> None:
        """End the stream and close the connections."""

    def look_at(self, tickers: Sequence[str]) -> None:
        """Say which markets' books are on the screen; the subscriptions follow."""

    def new_client_order_id(self) -> str:
        """Make the id under which one order is sent; fixed at the confirm step, used once."""

    async def submit(self, terms: OrderTerms, client_order_id: str) -> Outcome:
        """Send one order, once. Never raises for what the exchange or the network does: the outcome says it."""

    async def cancel(self, order: Order) -> Outcome:
        """Ask for a resting order to be cancelled. Never raises for what the exchange or the network does."""

    def pulse(self) -> Pulse:
        """Say how the link does now."""

    def audit(self, ticker: str) -> None:
        """Compare a book with a fresh snapshot of the exchange's; a notice says what came of it."""

    @property
    def rehearses(self) -> bool:
        """Whether trouble can be rehearsed here: on the practice exchange alone."""

    def rehearse(self, rehearsal: Rehearsal, ticker: str) -> None:
        """Have the practice exchange make trouble, in this market if it is a market's; a notice says how it went."""
