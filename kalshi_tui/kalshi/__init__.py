"""The public library: a client for Kalshi with exact numbers, typed errors, and a stream of books.

`KalshiClient` reads, trades and streams; `kalshi_tui.kalshi.errors` says which errors mean what. Prices are integers of
1/10,000 dollar, counts of 1/100 contract, money of 1/1,000,000 dollar; `price`, `contracts` and `dollars` make them of
texts, `format_price`, `format_count` and `format_money` write them::

    from kalshi_tui.kalshi import KalshiClient, format_price

    async with KalshiClient.from_env() as client:
        book = await client.orderbook("KXBTCD-26DEC01-B95000")
        print(*[format_price(price) for price in book.touch if price is not None])

Each name is loaded when it is first used: the practice exchange and ``--help`` use single modules of this package and
must not wait for a client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kalshi_tui.domain.book import Book, Level, Side
    from kalshi_tui.domain.candles import Candle, Settlement
    from kalshi_tui.domain.combo_legs import ComboCollection
    from kalshi_tui.domain.fee_changes import EventFeeChange, SeriesFeeChange
    from kalshi_tui.domain.fees import FeeSchedule
    from kalshi_tui.domain.link import Link, LinkState
    from kalshi_tui.domain.market import ComboLeg, Event, Market, MarketStatus, Quote, Trade
    from kalshi_tui.domain.order import Action, BookSide, Fill, Order, OrderState, OrderTerms, TimeInForce
    from kalshi_tui.domain.position import Balance, Position
    from kalshi_tui.domain.price import (
        Count,
        Money,
        NumberError,
        Price,
        PriceGrid,
        format_count,
        format_money,
        format_price,
    )
    from kalshi_tui.domain.update_reason import UpdateReason
    from kalshi_tui.kalshi.account_access import ApiKeyAccess, ApiKeyList, SubaccountNetting, TierGoal, TierProgress
    from kalshi_tui.kalshi.client import KalshiClient, new_client_order_id
    from kalshi_tui.kalshi.environments import DEMO, PRODUCTION, Environment, Kind
    from kalshi_tui.kalshi.errors import (
        AuthenticationFailed,
        BadReply,
        DuplicateOrder,
        EndpointNotFound,
        Forbidden,
        KalshiError,
        Misconfigured,
        NoKey,
        NotFound,
        NotSent,
        RateLimited,
        Refused,
        ServerFault,
        TransportError,
        UnknownOutcome,
        WrongHost,
    )
    from kalshi_tui.kalshi.feed.stream import Health
    from kalshi_tui.kalshi.feed.subscription import Happening, Report
    from kalshi_tui.kalshi.feed.updates import (
        BookUpdate,
        EventFeesUpdate,
        MarketChanged,
        QuoteUpdate,
        Update,
        Updates,
    )
    from kalshi_tui.kalshi.lists import LeftOut, Read, Reading
    from kalshi_tui.kalshi.numbers import contracts, dollars, price
    from kalshi_tui.kalshi.preview import DryRun
    from kalshi_tui.kalshi.replies import (
        AccountLimits,
        AmendAck,
        ArchiveCutoffs,
        CancelAck,
        ExchangeStatus,
        OrderAck,
        ShardStatus,
        ShardTransfer,
        SubaccountBalance,
        SubaccountTransfer,
        TargetAllocation,
    )
    from kalshi_tui.kalshi.transport.http import Retry, Timeouts
    from kalshi_tui.kalshi.transport.signing import KeyFileError, PassphraseError

__all__ = [
    "DEMO",
    "PRODUCTION",
    "AccountLimits",
    "Action",
    "AmendAck",
    "ApiKeyAccess",
    "ApiKeyList",
    "ArchiveCutoffs",
    "AuthenticationFailed",
    "BadReply",
    "Balance",
    "Book",
    "BookSide",
    "BookUpdate",
    "CancelAck",
    "Candle",
    "ComboCollection",
    "ComboLeg",
    "Count",
    "DryRun",
    "DuplicateOrder",
    "EndpointNotFound",
    "Environment",
    "Event",
    "EventFeeChange",
    "EventFeesUpdate",
    "ExchangeStatus",
    "FeeSchedule",
    "Fill",
    "Forbidden",
    "Happening",
    "Health",
    "KalshiClient",
    "KalshiError",
    "KeyFileError",
    "Kind",
    "LeftOut",
    "Level",
    "Link",
    "LinkState",
    "Market",
    "MarketChanged",
    "MarketStatus",
    "Misconfigured",
    "Money",
    "NoKey",
    "NotFound",
    "NotSent",
    "NumberError",
    "Order",
    "OrderAck",
    "OrderState",
    "OrderTerms",
    "PassphraseError",
    "Position",
    "Price",
    "PriceGrid",
    "Quote",
    "QuoteUpdate",
    "RateLimited",
    "Read",
    "Reading",
    "Refused",
    "Report",
    "Retry",
    "SeriesFeeChange",
    "ServerFault",
    "Settlement",
    "ShardStatus",
    "ShardTransfer",
    "Side",
    "SubaccountBalance",
    "SubaccountNetting",
    "SubaccountTransfer",
    "TargetAllocation",
    "TierGoal",
    "TierProgress",
    "TimeInForce",
    "Timeouts",
    "Trade",
    "TransportError",
    "UnknownOutcome",
    "Update",
    "UpdateReason",
    "Updates",
    "WrongHost",
    "contracts",
    "dollars",
    "format_count",
    "format_money",
    "format_price",
    "new_client_order_id",
    "price",
]

_NAMES_BY_MODULE: Final = {
    "domain.book": ("Book", "Level", "Side"),
    "domain.combo_legs": ("ComboCollection",),
    "domain.fee_changes": ("EventFeeChange", "SeriesFeeChange"),
    "domain.fees": ("FeeSchedule",),
    "domain.candles": ("Candle", "Settlement"),
    "domain.link": ("Link", "LinkState"),
    "domain.market": ("ComboLeg", "Event", "Market", "MarketStatus", "Quote", "Trade"),
    "domain.order": ("Action", "BookSide", "Fill", "Order", "OrderState", "OrderTerms", "TimeInForce"),
    "domain.update_reason": ("UpdateReason",),
    "domain.position": ("Balance", "Position"),
    "domain.price": (
        "Count",
        "Money",
        "NumberError",
        "Price",
        "PriceGrid",
        "format_count",
        "format_money",
        "format_price",
    ),
    "kalshi.transport.http": ("Retry", "Timeouts"),
    "kalshi.account_access": ("ApiKeyAccess", "ApiKeyList", "SubaccountNetting", "TierGoal", "TierProgress"),
    "kalshi.client": ("KalshiClient", "new_client_order_id"),
    "kalshi.preview": ("DryRun",),
    "kalshi.environments": ("DEMO", "PRODUCTION", "Environment", "Kind"),
    "kalshi.errors": (
        "AuthenticationFailed",
        "BadReply",
        "DuplicateOrder",
        "EndpointNotFound",
        "Forbidden",
        "KalshiError",
        "Misconfigured",
        "NoKey",
        "NotFound",
        "NotSent",
        "RateLimited",
        "Refused",
        "ServerFault",
        "TransportError",
        "UnknownOutcome",
        "WrongHost",
    ),
    "kalshi.numbers": ("contracts", "dollars", "price"),
    "kalshi.replies": (
        "AccountLimits",
        "AmendAck",
        "ArchiveCutoffs",
        "CancelAck",
        "ExchangeStatus",
        "OrderAck",
        "ShardStatus",
        "ShardTransfer",
        "SubaccountBalance",
        "SubaccountTransfer",
        "TargetAllocation",
    ),
    "kalshi.transport.signing": ("KeyFileError", "PassphraseError"),
    "kalshi.feed.stream": ("Health",),
    "kalshi.feed.subscription": ("Happening", "Report"),
    "kalshi.lists": ("LeftOut", "Read", "Reading"),
    "kalshi.feed.updates": ("BookUpdate", "EventFeesUpdate", "MarketChanged", "QuoteUpdate", "Update", "Updates"),
}
"""The names of `__all__`, by the module that defines them."""
_MODULE_BY_NAME: Final = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a name of `__all__`."""
    module = _MODULE_BY_NAME.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"kalshi_tui.{module}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
