"""The seam between the parts of a session: frozen messages, and the bus that delivers each at once to its subscribers.

Orders, fills, the link and the list of markets go this way: a few messages a second. Books, quotes and prints do not:
at 20,000 frames a second they change the store by plain calls, and the screen asks what changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Fill, Order
from kalshi_tui.kalshi.feed.subscription import Report


@dataclass(frozen=True, slots=True)
class Message:
    """The base of everything that is published."""


@dataclass(frozen=True, slots=True)
class OrderUpdated(Message):
    """Something of an order has changed; the order as it stands now."""

    order: Order


@dataclass(frozen=True, slots=True)
class FillAdded(Message):
    """An execution that was not known, from the stream or from a read."""

    fill: Fill


@dataclass(frozen=True, slots=True)
class PositionsChanged(Message):
    """Positions were reported by the stream, or read."""


@dataclass(frozen=True, slots=True)
class AccountMoved(Message):
    """Cash or positions have moved, by an order, an execution or a payout; the new values have to be read by REST."""


@dataclass(frozen=True, slots=True)
class AccountInDoubt(Message):
    """What is known of orders and fills may be wrong: an outcome is unknown, or was just found out. Read them again."""


@dataclass(frozen=True, slots=True)
class OrderNeverArrived(Message):
    """It is proved that an order of which only the id is known never reached the exchange."""

    client_order_id: str


@dataclass(frozen=True, slots=True)
class HoursInDoubt(Message):
    """An answer of the exchange says that it does not trade now; its status is to be read at once."""


@dataclass(frozen=True, slots=True)
class LinkChanged(Message):
    """The stream's connection has another state."""

    state: LinkState


@dataclass(frozen=True, slots=True)
class FeedReported(Message):
    """The feed found something wrong with the stream, or repaired it."""

    report: Report


@dataclass(frozen=True, slots=True)
class MarketLifecycleChanged(Message):
    """A market changed its status, dates or grid; ``event_type`` is the exchange's word for it."""

    ticker: str
    event_type: str


@dataclass(frozen=True, slots=True)
class EventFeesChanged(Message):
    """An event has other fee overrides from now on; an empty type and a multiplier of None clear them."""

    event_ticker: str
    fee_type: str
    multiplier: int | None


@dataclass(frozen=True, slots=True)
class MarketClosed(Message):
    """A market that took orders takes none any more."""

    market: Market


@dataclass(frozen=True, slots=True)
class MarketsUpdated(Message):
    """Markets were added to the list or replaced in it."""


@dataclass(frozen=True, slots=True)
class MarketListRead(Message):
    """The list of markets has been read whole."""


@dataclass(frozen=True, slots=True)
class AlertRang(Message):
    """An alert rang; ``sentence`` says which and why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class AlertMarketsChanged(Message):
    """Alerts look at other markets than before."""


@dataclass(frozen=True, slots=True)
class ReplayMoved(Message):
    """The recording that plays went to another moment; ``note`` says so in a sentence."""

    note: str


M = TypeVar("M", bound=Message)


class MessageBus:
    """Delivers messages to whoever subscribed to their class: at once, in the order of the subscriptions.

    A handler runs inside the publisher's call, so it must be quick and must not wait. What it raises reaches the
    publisher.
    """

    def __init__(self) -> None:
        self._handlers: dict[type[Message], list[Callable[[Any], None]]] = {}

    def subscribe(self, message_class: type[M], handler: Callable[[M], None]) -> None:
        """Call the handler with every message of exactly this class from now on."""
        self._handlers.setdefault(message_class, []).append(handler)

    def publish(self, message: Message) -> None:
        """Deliver a message; without a subscriber nothing happens."""
        for handler in self._handlers.get(type(message), ()):
            handler(message)
