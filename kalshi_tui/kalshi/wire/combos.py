"""REST replies about the collections that combos are made in (docs/kalshi-api.md, section 18)."""

from msgspec import UNSET, UnsetType

from kalshi_tui.kalshi.wire.common import NullableInt, NullableText, OptionalInt, PriceRange, WireObject


class CombinableEvent(WireObject, frozen=True, kw_only=True):
    """An event whose markets can be parts of a combo; null bounds are those of the collection."""

    ticker: str
    is_yes_only: bool = False
    size_min: NullableInt = None
    size_max: NullableInt = None
    active_quoters: list[str] | UnsetType | None = UNSET


class ComboCollection(WireObject, frozen=True, kw_only=True):
    """Which events can be combined with each other, and how many of them."""

    collection_ticker: str
    series_ticker: str = ""
    exchange_index: OptionalInt = UNSET
    title: str = ""
    description: str = ""
    open_date: NullableText = UNSET
    close_date: NullableText = UNSET
    associated_events: list[CombinableEvent] | UnsetType | None = UNSET
    is_ordered: bool = False
    size_min: NullableInt = None
    size_max: NullableInt = None
    functional_description: str = ""
    price_level_structure: NullableText = UNSET
    price_ranges: list[PriceRange] | UnsetType | None = UNSET


class ComboCollectionReply(WireObject, frozen=True, kw_only=True):
    """``GET /multivariate_event_collections/{collection_ticker}``."""

    multivariate_contract: ComboCollection


class ComboCollectionsReply(WireObject, frozen=True, kw_only=True):
    """``GET /multivariate_event_collections``: a page; an empty cursor ends the list."""

    multivariate_contracts: list[ComboCollection] | None
    cursor: str | None = ""
