"""Why an order changed last, in the exchange's words and in plain ones (docs/kalshi-api.md, section 5)."""

from enum import Enum
from typing import Final


class UpdateReason(Enum):
    """The reasons that are known. The values are the exchange's words."""

    DECREASE = "Decrease"
    AMEND = "Amend"
    TRADE = "Trade"
    MARGIN = "MarginCancel"
    SELF_TRADE = "SelfTradeCancel"
    EXPIRY = "ExpiryCancel"
    CLOSE = "CloseCancel"
    HALT = "HaltCancel"
    POST_ONLY_CROSS = "PostOnlyCrossCancel"
    REDUCE_ONLY = "ReduceOnlyCancel"
    SETTLEMENT_BOUNDS = "SettlementBoundsCancel"


_END_WORDS: Final = {
    # The state says it already.
    UpdateReason.EXPIRY: "",
    # The exchange has no word for a cancel by the account or by an order group: a decrease that leaves nothing is one.
    UpdateReason.DECREASE: "",
    UpdateReason.MARGIN: "the account could not cover it",
    UpdateReason.SELF_TRADE: "self-trade: it met an order of your own",
    UpdateReason.CLOSE: "the market closed",
    UpdateReason.HALT: "trading was paused",
    UpdateReason.POST_ONLY_CROSS: "post-only: it would have crossed",
    UpdateReason.REDUCE_ONLY: "reduce-only: there was no position to reduce",
    UpdateReason.SETTLEMENT_BOUNDS: "the market's settlement bounds have reached its price",
}
_NOT_AN_END: Final = frozenset({UpdateReason.TRADE.value, UpdateReason.AMEND.value})


def names_an_end(word: str) -> bool:
    """Return whether the exchange's word may say why an order ended; a trade and an amendment end none by a cancel."""
    return bool(word) and word not in _NOT_AN_END


def describe_end(word: str) -> str:
    """Return why a canceled order was canceled, in plain words; empty if the exchange's word does not say it.

    A word that is not known is shown as it is: the caller has cleaned it.
    """
    if not names_an_end(word):
        return ""
    try:
        return _END_WORDS[UpdateReason(word)]
    except ValueError:
        return f"the exchange's reason: {word}"
