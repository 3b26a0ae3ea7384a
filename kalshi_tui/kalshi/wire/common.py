"""What all modules of the wire share: the address's paths, types of fields, base classes, errors and price ranges."""

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
    """A JSON object."""


class WireLeaf(Struct, frozen=True, gc=False):
    """A JSON object without lists or maps in it: it can be part of no cycle, so the collector need not look at it."""


class PriceRange(WireLeaf, frozen=True, kw_only=True):
    """A stretch of a market's price grid, dollar strings."""

    start: str
    end: str
    step: str


class ErrorDetail(WireLeaf, frozen=True, kw_only=True):
    """Why a request was refused. Programs switch on ``code``; the rest is for people.

    docs/kalshi-api.md, section 10.
    """

    code: str = ""
    message: str = ""
    details: NullableText = UNSET
    service: OptionalText = UNSET


class ErrorBody(WireObject, frozen=True, kw_only=True):
    """The body of a refusal, in all the shapes that were seen (docs/kalshi-api.md, section 10)."""

    error: ErrorDetail | str | UnsetType | None = UNSET
    code: OptionalText = UNSET
    message: OptionalText = UNSET
    details: NullableText = UNSET
