"""The values that an order ticket starts with, from wherever it was opened."""

from dataclasses import dataclass

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, TimeInForce
from kalshi_tui.domain.price import Count, Price


@dataclass(frozen=True, slots=True)
class TicketPrefill:
    """The first values of a ticket's fields. ``price`` is for ``side``; None leaves it to be written.

    A count of None is the first of the trader's presets.
    """

    ticker: str
    action: Action
    side: Side = Side.YES
    price: Price | None = None
    count: Count | None = None
    tif: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    subaccount: int | None = None
    """Where the order goes; None for the chosen one."""
