"""Exact numbers for programs: from texts in dollars and contracts to the integers that this package computes with.

A price is an integer of 1/10,000 dollar, a count of 1/100 contract, money of 1/1,000,000 dollar. Floats are not
accepted: no float is exactly 0.29.
"""

from kalshi_tui.domain.price import Count, Money, NumberError, Price, parse_count, parse_money, parse_price


def price(value: str | Price) -> Price:
    """Return a price in 1/10,000 dollar: ``price("0.42")`` is 4200. An integer is returned as it is.

    Raises NumberError for any other value, a float too.
    """
    return parse_price(value) if isinstance(value, str) else _require_integer(value, "A price")


def contracts(value: str | Count) -> Count:
    """Return a count in 1/100 contract: ``contracts("10")`` is 1000. An integer is returned as it is.

    Raises NumberError for any other value, a float too.
    """
    return parse_count(value) if isinstance(value, str) else _require_integer(value, "A count")


def dollars(value: str | Money) -> Money:
    """Return money in 1/1,000,000 dollar: ``dollars("12.50")`` is 12500000. An integer is returned as it is.

    Raises NumberError for any other value, a float too.
    """
    return parse_money(value) if isinstance(value, str) else _require_integer(value, "Money")


def _require_integer(value: object, what: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise NumberError(f'{what} is a text such as "0.42", or an integer of its unit, not {type(value).__name__}.')
