"""An order inside the engine: mutable, linked into its book, accounted for in its holding."""

from typing import TYPE_CHECKING

from kalshi_tui.domain.fees import FeeAccumulator
from kalshi_tui.domain.order import BookSide, SelfTrade, TimeInForce
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price
from kalshi_tui.practice.engine.records import OrderRecord, OrderStatus

if TYPE_CHECKING:
    from kalshi_tui.practice.engine.accounts import EngineAccount, Holding
    from kalshi_tui.practice.engine.listing import ListedMarket

BOOK_SIDES = (BookSide.BID, BookSide.ASK)
"""By side index: 0 buys YES, 1 buys NO."""


def side_index(side: BookSide) -> int:
    """Return 0 for a bid, 1 for an ask."""
    return 0 if side is BookSide.BID else 1


class EngineOrder:
    """One order. ``own`` is the price of the outcome that it buys; ``side`` 0 buys YES, 1 buys NO."""

    __slots__ = (
        "account",
        "cancel_on_pause",
        "client_order_id",
        "created_ms",
        "expires_ms",
        "fee_accumulator",
        "fee_reserve",
        "filled",
        "group_id",
        "holding",
        "initial",
        "is_resting",
        "listing",
        "maker_cost",
        "maker_fees",
        "next",
        "order_id",
        "outcome_price",
        "post_only",
        "prev",
        "queue_number",
        "reason",
        "remaining",
        "self_trade",
        "side",
        "status",
        "taker_cost",
        "taker_fees",
        "tif",
        "updated_ms",
    )

    def __init__(
        self,
        order_id: str,
        account: "EngineAccount",
        listing: "ListedMarket",
        holding: "Holding",
        side: int,
        outcome_price: Price,
        count: Count,
        now: int,
        tif: TimeInForce = TimeInForce.GTC,
        self_trade: SelfTrade = SelfTrade.MAKER,
        client_order_id: str = "",
        *,
        post_only: bool = False,
        cancel_on_pause: bool = False,
        group_id: str = "",
        expires_ms: int = 0,
    ) -> None:
        self.order_id = order_id
        self.account = account
        self.listing = listing
        self.holding = holding
        self.side = side
        self.outcome_price = outcome_price
        self.initial = count
        self.remaining = count
        self.filled: Count = 0
        self.tif = tif
        self.self_trade = self_trade
        self.client_order_id = client_order_id
        self.post_only = post_only
        self.cancel_on_pause = cancel_on_pause
        self.group_id = group_id
        self.expires_ms = expires_ms
        self.created_ms = now
        self.updated_ms = now
        self.status = OrderStatus.RESTING
        self.reason = ""
        self.taker_cost: Money = 0
        self.maker_cost: Money = 0
        self.taker_fees: Money = 0
        self.maker_fees: Money = 0
        self.fee_reserve: Money = 0
        self.fee_accumulator: FeeAccumulator | None = None
        self.is_resting = False
        self.queue_number = 0
        self.prev: EngineOrder | None = None
        self.next: EngineOrder | None = None

    @property
    def price(self) -> Price:
        """The price in YES terms."""
        return PRICE_UNIT - self.outcome_price if self.side else self.outcome_price

    def to_record(self) -> OrderRecord:
        """Return the order as it stands now."""
        listing = self.listing
        return OrderRecord(
            order_id=self.order_id,
            account_id=self.account.account_id,
            client_order_id=self.client_order_id,
            ticker=listing.ticker,
            event_ticker=listing.terms.event_ticker,
            exchange_index=listing.shard,
            side=BOOK_SIDES[self.side],
            price=self.price,
            initial=self.initial,
            filled=self.filled,
            remaining=self.remaining,
            status=self.status,
            tif=self.tif,
            self_trade=self.self_trade,
            post_only=self.post_only,
            cancel_on_pause=self.cancel_on_pause,
            group_id=self.group_id,
            expires_ms=self.expires_ms,
            taker_cost=self.taker_cost,
            maker_cost=self.maker_cost,
            taker_fees=self.taker_fees,
            maker_fees=self.maker_fees,
            created_ms=self.created_ms,
            updated_ms=self.updated_ms,
            fee_overpaid=self.fee_accumulator.overpaid if self.fee_accumulator else 0,
            queued=self.queue_number,
            reason=self.reason,
        )
