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
    """An item of a reply that could not be read, or one of its fields that it can do without."""

    what: str
    """What it is: ``market``, ``order``, ``fill`` and so on."""
    name: str
    """Its ticker or id; empty if even that cannot be read."""
    why: str
    """What is wrong with it."""
    field: str = ""
    """The field that was left out; empty if the whole item was."""

    def __str__(self) -> str:
        field = f" without {self.field}" if self.field else ""
        return f"{self.what} {self.name or '(without a name)'}{field}: {self.why}"


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
    """Return what was left out of a list in sentences: how many of each kind, and the first few with the reason."""
    whole = [each for each in items if not each.field]
    parts = list(dict.fromkeys((each.what, each.name) for each in items if each.field))
    sentences = []
    if whole:
        verb = "is" if len(whole) == 1 else "are"
        named = [f"{each.name or 'one without a name'} ({each.why})" for each in whole]
        sentences.append(f"{count_unread(whole)} could not be read and {verb} left out: {_name_first(named)}.")
    if parts:
        verb = "is" if len(parts) == 1 else "are"
        fields = {key: [each.field for each in items if each.field and (each.what, each.name) == key] for key in parts}
        named = [f"{name or 'one without a name'} ({', '.join(fields[what, name])})" for what, name in parts]
        many = _format_counts([what for what, _ in parts])
        sentences.append(f"{many} {verb} listed without a value that could not be read: {_name_first(named)}.")
    return " ".join(sentences)


def count_unread(items: Sequence[LeftOut]) -> str:
    """Return how many items of each kind were left out, such as ``2 markets, 1 event``."""
    return _format_counts([each.what for each in items if not each.field])


def _format_counts(kinds: Sequence[str]) -> str:
    return ", ".join(_format_count_of(kinds.count(what), what) for what in dict.fromkeys(kinds))


def _name_first(named: Sequence[str]) -> str:
    more = f"; and {len(named) - MAX_NAMED_ITEMS} more" if len(named) > MAX_NAMED_ITEMS else ""
    return f"{'; '.join(named[:MAX_NAMED_ITEMS])}{more}"


def _format_count_of(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {_plural(what)}"


def _plural(what: str) -> str:
    if what == "series":
        return what
    return f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
