"""Exact numbers for programs: texts in dollars and contracts, and the integers that this package computes with.

A price is an integer of 1/10,000 dollar, a count of 1/100 contract, money of 1/1,000,000 dollar. No float is taken:
0.29 is none of the numbers that a float can hold.
"""

from kalshi_tui.domain.price import Count, Money, NumberError, Price, parse_count, parse_money, parse_price


def price(value: str | Price) -> Price:
    """Return a price: of ``"0.42"`` 4200; an integer is one already. Raises NumberError for any other."""
    return parse_price(value) if isinstance(value, str) else _require_integer(value, "A price")


def contracts(value: str | Count) -> Count:
    """Return a count: of ``"10"`` or ``"10.00"`` 1000; an integer is one already. Raises NumberError for any other."""
    return parse_count(value) if isinstance(value, str) else _require_integer(value, "A count")


def dollars(value: str | Money) -> Money:
    """Return money: of ``"12.50"`` 12500000; an integer is some already. Raises NumberError for any other."""
    return parse_money(value) if isinstance(value, str) else _require_integer(value, "Money")


def _require_integer(value: object, what: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise NumberError(f'{what} is a text such as "0.42", or an integer of its unit, not {type(value).__name__}.')
