"""The trader's watch lists: named, in an order of the trader's own, kept when the program ends."""

from pathlib import Path
from typing import Final

import msgspec

from kalshi_tui.presentation.lines import make_printable
from kalshi_tui.session.persisted import PersistedFile

WATCH_LISTS_FILE: Final = "watch-lists.json"
DEFAULT_LIST_NAME: Final = "Watched"
MAX_LIST_NAME_LENGTH: Final = 24
MAX_LISTS: Final = 50
MAX_MARKETS_PER_LIST: Final = 500
ALL_MARKETS: Final = ""
"""The name under which all markets stand."""


class SavedWatchList(msgspec.Struct, frozen=True):
    """One list in the file."""

    name: str
    tickers: tuple[str, ...] = ()


class WatchListsFile(msgspec.Struct, frozen=True):
    """The file."""

    lists: tuple[SavedWatchList, ...] = ()
    shown: str = ALL_MARKETS
    """The name of the list that is shown; empty: all markets."""


class WatchLists:
    """Holds the lists and writes each change down. ``trouble`` is a sentence if reading or writing failed."""

    def __init__(self, folder: Path | None) -> None:
        self._storage = PersistedFile(folder, WATCH_LISTS_FILE, WatchListsFile)
        value, self.storage_error = self._storage.read()
        self._lists: dict[str, list[str]] = {}
        for each in value.lists[:MAX_LISTS]:
            name = normalize_name(each.name)
            if name and name not in self._lists:
                self._lists[name] = list(dict.fromkeys(make_printable(ticker) for ticker in each.tickers))[
                    :MAX_MARKETS_PER_LIST
                ]
        self.shown = value.shown if value.shown in self._lists else ALL_MARKETS
        self._last_shown = self.shown

    @property
    def names(self) -> list[str]:
        """The lists' names, in the order in which a key goes through them."""
        return list(self._lists)

    @property
    def tickers(self) -> list[str] | None:
        """The markets of the list that is shown; None while all markets are shown."""
        return None if self.shown == ALL_MARKETS else list(self._lists[self.shown])

    def all_tickers(self) -> list[str]:
        """Return what is on any list; those of the one that is shown first."""
        ordered = [*(self.tickers or ()), *(ticker for each in self._lists.values() for ticker in each)]
        return list(dict.fromkeys(ordered))

    @property
    def target_list(self) -> str:
        """The list that a market is put on: the one shown, else the one shown last, else the first or a new one."""
        if self.shown != ALL_MARKETS:
            return self.shown
        return self._last_shown if self._last_shown in self._lists else next(iter(self._lists), DEFAULT_LIST_NAME)

    def show(self, name: str) -> None:
        """Show a list, or all markets."""
        self.shown = name if name in self._lists else ALL_MARKETS
        self._last_shown = self.shown or self._last_shown
        self._write()

    def show_next(self) -> None:
        """Show the next list; after the last one all markets."""
        turn = [ALL_MARKETS, *self._lists]
        self.show(turn[(turn.index(self.shown) + 1) % len(turn)])

    def toggle(self, ticker: str) -> str:
        """Put a market on the target list, or take it off, and say so."""
        name = self.target_list
        on = self._lists.setdefault(name, [])
        if ticker in on:
            on.remove(ticker)
            done = f"{ticker} is off the list {name}."
        elif len(on) >= MAX_MARKETS_PER_LIST:
            return f"The list {name} is full: {MAX_MARKETS_PER_LIST} markets. Make another one."
        else:
            on.append(ticker)
            done = f"{ticker} is on the list {name}."
        self._last_shown = name
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

    def create(self, text: str) -> str:
        """Make and show a new list; say why not, empty if it is made."""
        why = self._name_problem(text) or (
            f"There are {MAX_LISTS} lists already; delete one." if len(self._lists) >= MAX_LISTS else ""
        )
        if not why:
            self._lists[normalize_name(text)] = []
            self.show(normalize_name(text))
        return why

    def rename(self, text: str) -> str:
        """Rename the list that is shown; return why not, empty if it is done."""
        if normalize_name(text) == self.shown:
            return ""
        why = self._name_problem(text)
        if not why and self.shown != ALL_MARKETS:
            new = normalize_name(text)
            self._lists = {new if name == self.shown else name: on for name, on in self._lists.items()}
            self.show(new)
        return why

    def delete(self) -> None:
        """Delete the list that is shown; then all markets are."""
        self._lists.pop(self.shown, None)
        self.show(ALL_MARKETS)

    def _name_problem(self, text: str) -> str:
        name = normalize_name(text)
        if not name:
            return "Give the list a name."
        return f"There is a list {name} already." if name in self._lists else ""

    def _write(self) -> None:
        lists = tuple(SavedWatchList(name, tuple(on)) for name, on in self._lists.items())
        self.storage_error = self._storage.write(WatchListsFile(lists, self.shown))


def normalize_name(text: str) -> str:
    """Make a name of what was typed: one line, no control characters, not too long."""
    return " ".join(make_printable(text).split())[:MAX_LIST_NAME_LENGTH].strip()
