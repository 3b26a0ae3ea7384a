"""How a market ends: its outcome, and where outcomes come from."""

from collections.abc import Callable
from dataclasses import dataclass

from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.terms import MarketDefinition


@dataclass(frozen=True, slots=True)
class MarketOutcome:
    """How a market ended. ``value`` is what a YES pays: 10,000 for yes, 0 for no, anything between for scalar."""

    result: str
    value: Price
    expiration_value: str = ""


OutcomeSource = Callable[[MarketDefinition, int], MarketOutcome | None]
"""Answers how a market ends: called with its terms and the time, from the expected expiration on; None for not yet."""


def binary_outcome(result: str) -> MarketOutcome:
    """Return the outcome of a plain result. Raises Rejection 400 for a word other than ``yes`` or ``no``."""
    if result not in {"yes", "no"}:
        raise Rejection(400, "bad_request", "bad request", f"result must be yes or no, not {result[:32]!r}")
    return MarketOutcome(result, PRICE_UNIT if result == "yes" else 0)


def scalar_outcome(value: Price) -> MarketOutcome:
    """Return the outcome of a market that pays a YES between 0 and 1 dollar. Raises Rejection 400 outside of it."""
    if not 0 <= value <= PRICE_UNIT:
        raise Rejection(400, "bad_request", "bad request", "value must lie between 0 and 1 dollar")
    return MarketOutcome("scalar", value)
