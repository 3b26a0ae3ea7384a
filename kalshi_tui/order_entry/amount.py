"""Read ``COUNT@PRICE``: ``10@0.42``, ``10@42c``, ``2.5@42.15c``."""

import re
from typing import Final

from kalshi_tui.domain.price import PRICE_UNIT, Count, NumberError, Price, parse_count, parse_price

AMOUNT_FORMAT_HINT: Final = "write COUNT@PRICE, such as 10@0.42 in dollars or 10@42c in cents"
_WHOLE_NUMBER: Final = re.compile(r"[0-9]+")


def parse_amount(text: str) -> tuple[Count, Price]:
    """Read how many contracts at which price: 1/100 contract, 1/10,000 dollar. Raises NumberError.

    A whole number without ``c`` is rejected: whether 1 is a cent or a dollar must not be guessed.
    """
    before, at, after = text.partition("@")
    if not at or not before or not after:
        raise NumberError(f"{_quote_text(text)} is no amount: {AMOUNT_FORMAT_HINT}.")
    try:
        count = parse_count(before)
    except NumberError as error:
        raise NumberError(
            f"{_quote_text(before)} is no count of contracts, which has at most 2 decimals: {AMOUNT_FORMAT_HINT}."
        ) from error
    if count <= 0:
        raise NumberError("The count must be more than 0.")
    return count, parse_explicit_price(after)


def parse_explicit_price(text: str) -> Price:
    """Read a price, ``0.42`` in dollars or ``42c`` in cents, to 1/10,000 dollar. Raises NumberError."""
    if _WHOLE_NUMBER.fullmatch(text):
        raise NumberError(f"{_quote_text(text)} could be dollars or cents: {AMOUNT_FORMAT_HINT}.")
    cents = text.removesuffix("c")
    try:
        # Cents of two decimals are hundredths of a cent: 1/10,000 dollar.
        price = parse_count(cents) if cents != text else parse_price(text)
    except NumberError as error:
        raise NumberError(
            f"{_quote_text(text)} is no price: {AMOUNT_FORMAT_HINT}; at most 4 decimals, 2 in cents."
        ) from error
    if not 0 < price < PRICE_UNIT:
        raise NumberError(f"{_quote_text(text)} is no price of an order: it lies between 0 and 1 dollar.")
    return price


def _quote_text(text: str) -> str:
    return repr(text if len(text) <= 32 else text[:29] + "...")
