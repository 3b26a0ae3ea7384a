"""The trader's watch lists: named, in an order of the trader's own, kept when the program ends."""

from pathlib import Path
from typing import Final

import msgspec

from kalshi_tui.presentation.lines import clean
from kalshi_tui.session.persisted import Kept

FILE: Final = "watch-lists.json"
FIRST_NAME: Final = "Watched"
LONGEST_NAME: Final = 24
MOST_LISTS: Final = 50
MOST_MARKETS: Final = 500
ALL: Final = ""
"""The name under which all markets stand."""


class KeptList(msgspec.Struct, frozen=True):
    """One list in the file."""

    name: str
    tickers: tuple[str, ...] = ()


class KeptLists(msgspec.Struct, frozen=True):
    """The file."""

    lists: tuple[KeptList, ...] = ()
    shown: str = ALL
    """The name of the list that is shown; empty: all markets."""


class WatchLists:
    """Holds the lists and writes each change down. ``trouble`` is a sentence if reading or writing failed."""

    def __init__(self, folder: Path | None) -> None:
        self._kept = Kept(folder, FILE, KeptLists)
        value, self.trouble = self._kept.read()
        self._lists: dict[str, list[str]] = {}
        for each in value.lists[:MOST_LISTS]:
            name = proper_name(each.name)
            if name and name not in self._lists:
                self._lists[name] = list(dict.fromkeys(clean(ticker) for ticker in each.tickers))[:MOST_MARKETS]
        self.shown = value.shown if value.shown in self._lists else ALL
        self._last = self.shown

    @property
    def names(self) -> list[str]:
        """The lists' names, in the order in which a key goes through them."""
        return list(self._lists)

    @property
    def tickers(self) -> list[str] | None:
        """What is on the list that is shown; None while all markets are."""
        return None if self.shown == ALL else list(self._lists[self.shown])

    def every_ticker(self) -> list[str]:
        """Give what is on any list; those of the one that is shown first."""
        ordered = [*(self.tickers or ()), *(ticker for each in self._lists.values() for ticker in each)]
        return list(dict.fromkeys(ordered))

    @property
    def target(self) -> str:
        """The list that a market is put on: the one shown, else the one shown last, else the first or a new one."""
        if self.shown != ALL:
            return self.shown
        return self._last if self._last in self._lists else next(iter(self._lists), FIRST_NAME)

    def show(self, name: str) -> None:
        """Show a list, or all markets."""
        self.shown = name if name in self._lists else ALL
        self._last = self.shown or self._last
        self._write()

    def show_next(self) -> None:
        """Show the next list; after the last one all markets."""
        turn = [ALL, *self._lists]
        self.show(turn[(turn.index(self.shown) + 1) % len(turn)])

    def turn_over(self, ticker: str) -> str:
        """Put a market on the target list, or take it off, and say so."""
        name = self.target
        on = self._lists.setdefault(name, [])
        if ticker in on:
            on.remove(ticker)
            done = f"{ticker} is off the list {name}."
        elif len(on) >= MOST_MARKETS:
            return f"The list {name} is full: {MOST_MARKETS} markets. Make another one."
        else:
            on.append(ticker)
            done = f"{ticker} is on the list {name}."
        self._last = name
        self._write()
        return done

    def move(self, ticker: str, by: int) -> bool:
        """Move a market in the list that is shown; say whether it moved."""
        on = self._lists.get(self.shown, [])
        if ticker not in on:
            return False
        place = on.index(ticker)
        to = max(0, min(place + by, len(on) - 1))
        on.insert(to, on.pop(place))
        self._write()
        return to != place

    def make(self, text: str) -> str:
        """Make and show a new list; say why not, empty if it is made."""
        why = self._no_name(text) or (
            f"There are {MOST_LISTS} lists already; delete one." if len(self._lists) >= MOST_LISTS else ""
        )
        if not why:
            self._lists[proper_name(text)] = []
            self.show(proper_name(text))
        return why

    def rename(self, text: str) -> str:
        """Name the list that is shown anew; say why not, empty if it is done."""
        if proper_name(text) == self.shown:
            return ""
        why = self._no_name(text)
        if not why and self.shown != ALL:
            new = proper_name(text)
            self._lists = {new if name == self.shown else name: on for name, on in self._lists.items()}
            self.show(new)
        return why

    def delete(self) -> None:
        """Delete the list that is shown; then all markets are."""
        self._lists.pop(self.shown, None)
        self.show(ALL)

    def _no_name(self, text: str) -> str:
        name = proper_name(text)
        if not name:
            return "Give the list a name."
        return f"There is a list {name} already." if name in self._lists else ""

    def _write(self) -> None:
        lists = tuple(KeptList(name, tuple(on)) for name, on in self._lists.items())
        self.trouble = self._kept.write(KeptLists(lists, self.shown))


def proper_name(text: str) -> str:
    """Make a name of what was typed: one line, no control characters, not too long."""
    return " ".join(clean(text).split())[:LONGEST_NAME].strip()
