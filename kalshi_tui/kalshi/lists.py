"""Lists that were read from the exchange, and their items that could not be read.

One odd item of a reply costs that item, never the list (docs/kalshi-api.md, section 24).
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")

MAX_NAMED_ITEMS: Final = 3
"""How many of the items that were left out a sentence names."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An item of a reply that could not be read."""

    what: str
    """What it is: ``market``, ``order``, ``fill`` and so on."""
    name: str
    """Its ticker or id; empty if even that cannot be read."""
    why: str
    """What is wrong with it."""

    def __str__(self) -> str:
        return f"{self.what} {self.name or '(without a name)'}: {self.why}"


class Read(list[T]):
    """A list that has been read, all pages or as many items as were asked for.

    Only a list that is ``whole`` proves that what is not in it does not exist::

        orders = await client.orders(status="resting")
        if not orders and orders.whole:
            print("nothing rests")
    """

    left_out: Sequence[LeftOut] = ()
    """Items that could not be read."""
    broken_off: bool = False
    """Whether the exchange sent the same cursor twice, so that further pages may be missing."""

    @property
    def whole(self) -> bool:
        """Whether every item of every page has been read."""
        return not self.left_out and not self.broken_off


class Reading(AsyncIterator[T]):
    """A list that is read page by page while it is iterated, with ``async for``.

    The iteration raises as any read: `TransportError`, `Refused` or `BadReply`. At its end ``left_out`` and ``whole``
    say whether all of the list was read::

        markets = client.markets(status="open")
        tickers = [market.ticker async for market in markets]
        print(len(tickers), "and not read:", *markets.left_out)
    """

    def __init__(self, read: Callable[["Reading[T]"], AsyncIterator[T]]) -> None:
        self.left_out: list[LeftOut] = []
        """Items that could not be read so far."""
        self.broken_off = False
        """Whether the exchange sent the same cursor twice, so that further pages may be missing."""
        self._items = read(self)

    def break_off(self) -> None:
        """Note that the pages ended before the list did."""
        self.broken_off = True

    @property
    def whole(self) -> bool:
        """Whether every item of the pages so far has been read, and no page is missing."""
        return not self.left_out and not self.broken_off

    async def __anext__(self) -> T:
        return await anext(self._items)


def left_out_sentence(items: Sequence[LeftOut]) -> str:
    """Return what was left out of a list as a sentence: how many of each kind, and the first few with the reason."""
    counts: dict[str, int] = {}
    for each in items:
        counts[each.what] = counts.get(each.what, 0) + 1
    many = ", ".join(_format_count_of(count, what) for what, count in counts.items())
    named = "; ".join(f"{each.name or 'one without a name'} ({each.why})" for each in items[:MAX_NAMED_ITEMS])
    more = f"; and {len(items) - MAX_NAMED_ITEMS} more" if len(items) > MAX_NAMED_ITEMS else ""
    verb = "is" if len(items) == 1 else "are"
    return f"{many} could not be read and {verb} left out: {named}{more}."


def _format_count_of(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {_plural(what)}"


def _plural(what: str) -> str:
    if what == "series":
        return what
    return f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
