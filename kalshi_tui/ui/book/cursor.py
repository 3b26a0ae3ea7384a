"""The selected price of a book. The selection stays on a price and a side, never on a row of the screen. Pure."""

from bisect import bisect_right
from dataclasses import dataclass

from kalshi_tui.domain.book import BidSide, Book, Level, Side
from kalshi_tui.domain.order import to_yes_price
from kalshi_tui.domain.price import Price
from kalshi_tui.domain.text import plain_price_text


@dataclass(frozen=True, slots=True)
class SelectedLevel:
    """A selected level: a bid for YES, or a bid for NO, which is what the YES ask is made of.

    ``price`` is for ``side``, as the level has it. A level that disappears leaves the selection in place.
    """

    side: Side
    price: Price

    @property
    def yes_price(self) -> Price:
        """The same in YES terms: what an order in this row is sent at."""
        return to_yes_price(self.side, self.price)

    def is_quoted(self, book: Book) -> bool:
        """Return whether anybody bids or offers there now."""
        return book.side(self.side).count_at(self.price) > 0

    def levels_above(self, book: Book) -> int:
        """Return how many levels are better."""
        prices = book.side(self.side).prices
        return len(prices) - bisect_right(prices, self.price)

    def moved_by(self, book: Book, rows: int) -> "SelectedLevel":
        """Return the level so many rows further, or the last one there is."""
        levels = shown_levels(book.side(self.side), len(book.side(self.side)), self.price)
        return SelectedLevel(self.side, levels[max(0, min(self.levels_above(book) + rows, len(levels) - 1))].price)

    def on_other_side(self, book: Book) -> "SelectedLevel":
        """Return the level beside it; itself where nothing stands on the other side."""
        return select_level(book, self.side.other, self.levels_above(book)) or self


def select_level(book: Book, side: Side, row: int = 0) -> SelectedLevel | None:
    """Choose the best level of a side, or one so many rows below; None where nothing stands."""
    prices = book.side(side).prices
    return SelectedLevel(side, prices[max(len(prices) - 1 - row, 0)]) if prices else None


def select_shown_level(book: Book, side: Side, row: int, selection: SelectedLevel | None) -> SelectedLevel | None:
    """Choose what is drawn so many rows below the best, the row of a chosen level that is gone counted; else None."""
    kept = selection.price if selection is not None and selection.side is side else None
    levels = shown_levels(book.side(side), row + 1, kept)
    return SelectedLevel(side, levels[row].price) if row < len(levels) else None


def initial_selection(book: Book) -> SelectedLevel | None:
    """Choose where to begin: the best bid, else the best ask."""
    return select_level(book, Side.YES) or select_level(book, Side.NO)


def shown_levels(bids: BidSide, depth: int, selected_price: Price | None) -> list[Level]:
    """Return the best levels, best first; ``kept`` has its row among them, of size 0, even if nothing stands there."""
    levels = bids.top(depth)
    if selected_price is not None and not bids.count_at(selected_price):
        levels.insert(len(bids.prices) - bisect_right(bids.prices, selected_price), Level(selected_price, 0))
    return levels


def no_price_reason(book: Book, selection: SelectedLevel | None) -> str:
    """Return why the cursor names no price to trade at; empty if it does."""
    if selection is None:
        return "No price of the book is chosen: j and k choose one."
    if selection.is_quoted(book):
        return ""
    does = "bids" if selection.side is Side.YES else "offers"
    return f"Nobody {does} at {plain_price_text(selection.yes_price)} any more: choose a price again."
