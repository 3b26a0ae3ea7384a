"""What a screen may ask of the session: the seam between `ui` and the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kalshi_tui.domain.link import Pulse
from kalshi_tui.domain.order import Order, OrderTerms
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.session.alerts.monitor import Alerts
from kalshi_tui.session.execution.risk_checks import Objection
from kalshi_tui.session.options import TicketDefaults
from kalshi_tui.session.practice_faults import Rehearsal, Values
from kalshi_tui.session.replay import Replay
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command to the exchange: the order as now known, and a sentence for the trader."""

    order: Order
    sentence: str
    refused: bool = False
    """Whether it is certain that nothing was done: the exchange or this program has said no."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What came of cancelling all. ``proved``: the exchange, asked afterwards, has none of these orders resting."""

    cancelled: int
    left: tuple[Order, ...]
    unknown: tuple[Order, ...]
    """Orders of which nobody knows yet whether they are there at all."""
    proved: bool
    sentence: str


class Desk(Protocol):
    """What a screen may ask of the session. `Session` is the real one; tests may hand in their own."""

    @property
    def venue(self) -> Venue:
        """Where the orders go."""

    @property
    def store(self) -> Store:
        """What is known."""

    @property
    def alerts(self) -> Alerts:
        """What the trader wants to be told: to be added to, taken from, armed again."""

    async def start(self) -> None:
        """Read markets and account, then keep the stream running until `stop`. Never raises for a bad connection."""

    async def stop(self) -> None:
        """End the stream and close the connections."""

    def look_at(self, tickers: Sequence[str]) -> None:
        """Say which markets' books are on the screen; the subscriptions follow."""

    def look_at_chart(self, ticker: str, minutes: int) -> None:
        """Say which chart is on the screen, of 1, 60 or 1440 minutes a candle; none without a ticker."""

    def look_at_pasts(self, tickers: Sequence[str]) -> None:
        """Say of which markets the past day is on the screen, in lines of their own; none without tickers."""

    def keep_listed(self, tickers: Sequence[str]) -> None:
        """Say which markets are on a watch list: they stay on the desk, open or not."""

    @property
    def ticket(self) -> TicketDefaults:
        """What a new ticket begins with."""

    @property
    def read_only(self) -> str:
        """Say in a sentence why nothing may be sent or changed at all; empty if it may."""

    def objections(self, terms: OrderTerms, instead_of: Order | None = None) -> list[Objection]:
        """Give what speaks against sending an order, or against changing one into it, the gravest first."""

    def draft(self, terms: OrderTerms) -> str:
        """Write an intent down and give the id under which it is sent, if it is; fixed at the confirm step."""

    async def submit(self, terms: OrderTerms, client_order_id: str, agreed: frozenset[str] = frozenset()) -> Outcome:
        """Send one order, once. Never raises for what the exchange or the network does: the outcome says it.

        ``agreed`` are the ids of the objections that the trader has passed; any other keeps the order here.
        """

    def terms_to_repeat(self, order: Order) -> OrderTerms | None:
        """Give the terms of an order that never arrived and may be sent under its own id once more; else None."""

    async def cancel(self, order: Order) -> Outcome:
        """Ask for a resting order to be cancelled. Never raises for what the exchange or the network does."""

    async def amend(self, order: Order, price: Price, left: Count, agreed: frozenset[str] = frozenset()) -> Outcome:
        """Change a resting order: ``price`` in YES terms, ``left`` what shall rest of it from now on.

        A smaller count alone keeps its place in the queue; all else loses it (docs/kalshi-api.md, section 6).
        """

    @property
    def leaves_nothing(self) -> bool:
        """Whether all orders are cancelled when the program ends."""

    async def cancel_all(self, ticker: str = "") -> Sweep:
        """Cancel every resting order, of one market or, without a ticker, of all markets and shards."""

    def pulse(self) -> Pulse:
        """Say how the link does now."""

    def audit(self, ticker: str) -> None:
        """Compare a book with a fresh snapshot of the exchange's; a notice says what came of it."""

    @property
    def recording(self) -> str:
        """Say in a word that the stream is recorded, and how much; empty while it is not."""

    def record(self, path: Path) -> None:
        """Begin a recording, or end the one that goes on; a notice says which."""

    @property
    def replay(self) -> Replay | None:
        """The moment of the recording that plays; None where none does."""

    def play(self, action: str, values: Values) -> None:
        """Have the recording paused, moved, played faster and the like."""

    @property
    def rehearses(self) -> bool:
        """Whether trouble can be rehearsed here: on the practice exchange alone."""

    def rehearse(self, rehearsal: Rehearsal, ticker: str) -> None:
        """Have the practice exchange make trouble, in this market if it is a market's; a notice says how it went."""
