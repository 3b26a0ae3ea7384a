"""Which price of a book is chosen. The choice holds on to a price and a side, never to a row of the screen. Pure."""

from bisect import bisect_right
from dataclasses import dataclass

from kalshi_tui.domain.book import BidSide, Book, Level, Side
from kalshi_tui.domain.order import yes_price
from kalshi_tui.domain.price import Price
from kalshi_tui.domain.text import price_words


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen level: a bid for YES, or a bid for NO, which is what the YES ask is made of.

    ``price`` is for ``side``, as the level has it. A level that goes leaves the choice where it was.
    """

    side: Side
    price: Price

    @property
    def yes_price(self) -> Price:
        """The same in YES terms: what an order in this row is sent at."""
        return yes_price(self.side, self.price)

    def stands(self, book: Book) -> bool:
        """Say whether anybody bids or offers there now."""
        return book.side(self.side).count_at(self.price) > 0

    def place(self, book: Book) -> int:
        """Give how many levels are better."""
        prices = book.side(self.side).prices
        return len(prices) - bisect_right(prices, self.price)

    def moved(self, book: Book, by: int) -> "Choice":
        """Give the level so many rows further, or the last one there is."""
        levels = levels_of(book.side(self.side), len(book.side(self.side)), self.price)
        return Choice(self.side, levels[max(0, min(self.place(book) + by, len(levels) - 1))].price)

    def across(self, book: Book) -> "Choice":
        """Give the level beside it; itself where nothing stands on the other side."""
        return first(book, self.side.other, self.place(book)) or self


def first(book: Book, side: Side, place: int = 0) -> Choice | None:
    """Choose the best level of a side, or one so many rows below; None where nothing stands."""
    prices = book.side(side).prices
    return Choice(side, prices[max(len(prices) - 1 - place, 0)]) if prices else None


def shown(book: Book, side: Side, place: int, choice: Choice | None) -> Choice | None:
    """Choose what is drawn so many rows below the best, the row of a chosen level that is gone counted; else None."""
    kept = choice.price if choice is not None and choice.side is side else None
    levels = levels_of(book.side(side), place + 1, kept)
    return Choice(side, levels[place].price) if place < len(levels) else None


def entered(book: Book) -> Choice | None:
    """Choose where to begin: the best bid, else the best ask."""
    return first(book, Side.YES) or first(book, Side.NO)


def levels_of(bids: BidSide, depth: int, kept: Price | None) -> list[Level]:
    """Give the best levels, best first; ``kept`` has its row among them, of size 0, even if nothing stands there."""
    levels = bids.top(depth)
    if kept is not None and not bids.count_at(kept):
        levels.insert(len(bids.prices) - bisect_right(bids.prices, kept), Level(kept, 0))
    return levels


def no_price(book: Book, choice: Choice | None) -> str:
    """Say why the cursor names no price to trade at; empty if it does."""
    if choice is None:
        return "No price of the book is chosen: j and k choose one."
    if choice.stands(book):
        return ""
    does = "bids" if choice.side is Side.YES else "offers"
    return f"Nobody {does} at {price_words(choice.yes_price)} any more: choose a price again."
