"""Reading what the trader typed into the ticket, and saying how it was read."""

import re
from typing import Final

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.order import Action
from kalshi_tui.domain.price import PRICE_UNIT, Count, NumberError, Price, format_price, parse_count, parse_price
from kalshi_tui.ui.format import count_text, price_text
from kalshi_tui.ui.lines import Line, Span, Tone, line

NUMBER: Final = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
THOUSANDS: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")


def read_price(text: str) -> Price:
    """Read a price: dollars with a point (``0.47``, ``.47``), or cents (``47``, ``47c``, ``47.5c``).

    A bare whole number is cents: no contract costs a whole number of dollars. Raises NumberError.
    """
    typed = text.strip().lower().removeprefix("$")
    if not typed:
        raise NumberError("Type a price: 0.47 in dollars, or 47 in cents.")
    cents = typed.removesuffix("c").removesuffix("¢").strip()
    in_cents = cents != typed or "." not in typed
    if not NUMBER.fullmatch(cents):
        raise NumberError("That is no price: type dollars like 0.47, or cents like 47 or 47.5c.")
    try:
        # Cents to two decimals are counts to two decimals: both are hundredths.
        price = parse_count(_whole(cents)) if in_cents else parse_price(_whole(typed))
    except NumberError:
        if len(cents.partition(".")[2]) > (2 if in_cents else 4):
            raise NumberError("A price has at most 4 decimals in dollars, 2 in cents.") from None
        price = 0
    if not 0 < price < PRICE_UNIT:
        read = f"{cents} cents" if in_cents else f"{typed} dollars"
        raise NumberError(f"A price lies between 0 and 1 dollar; this reads as {read}.")
    return price


def _whole(typed: str) -> str:
    return "0" + typed if typed.startswith(".") else typed


def read_count(text: str) -> Count:
    """Read a count of contracts, of up to two decimals. Raises NumberError."""
    typed = text.strip()
    if not typed:
        raise NumberError("Type how many contracts.")
    if "," in typed:
        # A comma is one of thousands or none: "10,50" must not become a hundred times what was meant.
        if not THOUSANDS.fullmatch(typed):
            raise NumberError("Write the count with a point, 10.5, or with commas for thousands, 1,000.")
        typed = typed.replace(",", "")
    try:
        count = parse_count(_whole(typed))
    except NumberError:
        raise NumberError("That is no count: type contracts like 10, or 10.5 where fractions trade.") from None
    if count <= 0:
        raise NumberError("The count must be more than 0.")
    return count


def price_read(typed: str, side: Side, hint: str) -> Line:
    """Say beside the price field how it was read; the hint while it is empty."""
    if not typed.strip():
        return line(Span(hint, Tone.DIM))
    try:
        return line(f"= {format_price(read_price(typed))} $", Span(f" for a {side.name}", Tone.DIM))
    except NumberError:
        return line(Span("not a price", Tone.BAD))


def count_read(typed: str) -> Line:
    """Say beside the count field how it was read."""
    if not typed.strip():
        return line(Span("contracts", Tone.DIM))
    try:
        return line(f"= {count_text(read_count(typed))}", Span(" contracts", Tone.DIM))
    except NumberError:
        return line(Span("not a count", Tone.BAD))


def price_hint(book: Book, side: Side, action: Action, decimals: int) -> str:
    """Say at which prices an order would wait in front, and at which it would trade at once."""
    bid, ask = book.best_bid(side), book.best_ask(side)
    own, other = (bid, ask) if action is Action.BUY else (ask, bid)
    own_word, other_word = ("bid", "ask") if action is Action.BUY else ("ask", "bid")
    joins = f"{price_text(own.price, decimals)} joins the {own_word}" if own else f"no {own_word}"
    takes = f"{price_text(other.price, decimals)} takes the {other_word}" if other else f"no {other_word}"
    return f"{joins}, {takes}"
