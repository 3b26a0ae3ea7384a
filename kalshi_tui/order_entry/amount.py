"""Reading ``COUNT@PRICE``: ``10@0.42``, ``10@42c``, ``2.5@42.15c``."""

import re
from typing import Final

from kalshi_tui.domain.price import PRICE_UNIT, Count, NumberError, Price, parse_count, parse_price

FORM: Final = "write COUNT@PRICE, such as 10@0.42 in dollars or 10@42c in cents"
_BARE: Final = re.compile(r"[0-9]+")


def read_amount(text: str) -> tuple[Count, Price]:
    """Read how many contracts at which price: 1/100 contract, 1/10,000 dollar. Raises NumberError.

    A whole number without ``c`` is refused: whether 1 is a cent or a dollar should not be guessed.
    """
    before, at, after = text.partition("@")
    if not at or not before or not after:
        raise NumberError(f"{_shown(text)} is no amount: {FORM}.")
    try:
        count = parse_count(before)
    except NumberError as error:
        raise NumberError(
            f"{_shown(before)} is no count of contracts, which has at most 2 decimals: {FORM}."
        ) from error
    if count <= 0:
        raise NumberError("The count must be more than 0.")
    return count, read_price(after)


def read_price(text: str) -> Price:
    """Read a price, ``0.42`` in dollars or ``42c`` in cents, to 1/10,000 dollar. Raises NumberError."""
    if _BARE.fullmatch(text):
        raise NumberError(f"{_shown(text)} could be dollars or cents: {FORM}.")
    cents = text.removesuffix("c")
    try:
        # Cents of two decimals are hundredths of a cent: 1/10,000 dollar.
        price = parse_count(cents) if cents != text else parse_price(text)
    except NumberError as error:
        raise NumberError(f"{_shown(text)} is no price: {FORM}; at most 4 decimals, 2 in cents.") from error
    if not 0 < price < PRICE_UNIT:
        raise NumberError(f"{_shown(text)} is no price of an order: it lies between 0 and 1 dollar.")
    return price


def _shown(text: str) -> str:
    return repr(text if len(text) <= 32 else text[:29] + "...")
