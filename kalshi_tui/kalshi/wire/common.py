"""Parts that the modules of the wire share: paths, types of fields, base classes, error bodies and price ranges."""

from decimal import Decimal
from typing import Final

from msgspec import UNSET, Struct, UnsetType

OptionalText = str | UnsetType
NullableText = str | UnsetType | None
OptionalInt = int | UnsetType
NullableInt = int | UnsetType | None
OptionalFlag = bool | UnsetType
NullableNumber = Decimal | UnsetType | None
LevelText = tuple[str, str]
"""One level of a book: a price in dollars and a count of contracts."""
LevelTexts = list[LevelText]
REST_PREFIX: Final = "/trade-api/v2"
WS_PATH: Final = "/trade-api/ws/v2"


class WireObject(Struct, frozen=True):
    """Base of every JSON object."""


class WireLeaf(Struct, frozen=True, gc=False):
    """Base of JSON objects without lists or maps: in no reference cycle, so the collector skips them."""


class PriceRange(WireLeaf, frozen=True, kw_only=True):
    """One range of a market's price grid, in dollars."""

    start: str
    end: str
    step: str


class ErrorDetail(WireLeaf, frozen=True, kw_only=True):
    """The reason of a rejected request. Programs switch on ``code``; the rest is for people.

    docs/kalshi-api.md, section 10.
    """

    code: str = ""
    message: str = ""
    details: NullableText = UNSET


class ErrorBody(WireObject, frozen=True, kw_only=True):
    """The body of a rejection, in all the shapes that were seen (docs/kalshi-api.md, section 10)."""

    error: ErrorDetail | str | UnsetType | None = UNSET
    code: OptionalText = UNSET
    message: OptionalText = UNSET
    details: NullableText = UNSET
