"""Positions, which net YES against NO, and the account's balance.

docs/kalshi-api.md, section 7.
"""

from dataclasses import dataclass

from kalshi_tui.domain.fees import CENT, CENTICENT
from kalshi_tui.domain.order import BookSide
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price

PositionKey = tuple[str, int]
"""A ticker and the number of a subaccount."""


@dataclass(frozen=True, slots=True)
class Position:
    """A holding in one market. ``count`` is signed: + YES, - NO. Money in 1/1,000,000 dollar.

    ``cost`` is what the open contracts were bought for (the exchange's exposure), ``realized_pnl`` what closing others
    gained; fees are in neither, they stand in ``fees_paid``.
    """

    ticker: str
    count: Count = 0
    cost: Money = 0
    realized_pnl: Money = 0
    fees_paid: Money = 0
    total_traded: Money | None = 0
    """What all fills have cost, each at the price of the outcome that it bought. None where nobody said it."""
    subaccount: int = 0
    is_settled: bool = False
    """Whether the market has settled: whatever ``count`` says, nothing is held there any more."""

    @property
    def is_held(self) -> bool:
        """Whether anything is held; if not, the position is closed and ``realized_pnl`` is what it has gained."""
        return self.count != 0 and not self.is_settled

    @property
    def state_word(self) -> str:
        """Return ``held``, ``closed`` or ``settled``."""
        return "held" if self.is_held else "settled" if self.is_settled else "closed"

    @property
    def key(self) -> PositionKey:
        """The market and the subaccount: one market's holdings in two subaccounts are two positions."""
        return self.ticker, self.subaccount

    def after(self, side: BookSide, yes_price: Price, count: Count, fee: Money = 0) -> "Position":
        """Return the holding after a fill. A bid adds YES or closes NO; an ask adds NO or closes YES.

        Closing gives up cost in proportion, rounded down, so that the last contract takes what is left and nothing is
        lost; the difference to what it brought is realized.
        """
        sign = 1 if side is BookSide.BID else -1
        price = yes_price if sign > 0 else PRICE_UNIT - yes_price  # of the outcome that the fill buys
        held = abs(self.count) if self.count * sign < 0 else 0
        closed = min(held, count)
        opened = count - closed
        freed = self.cost * closed // held if closed else 0
        brought = closed * (PRICE_UNIT - price)
        return Position(
            ticker=self.ticker,
            count=self.count + sign * count,
            cost=self.cost - freed + opened * price,
            realized_pnl=self.realized_pnl + brought - freed,
            fees_paid=self.fees_paid + fee,
            total_traded=None if self.total_traded is None else self.total_traded + count * price,
            subaccount=self.subaccount,
        )

    def settled(self, yes_value: Price) -> Money:
        """Return the payout if a YES is worth ``yes_value`` (1 dollar, 0, or between for a scalar result)."""
        return self.count * yes_value if self.count >= 0 else -self.count * (PRICE_UNIT - yes_value)


@dataclass(frozen=True, slots=True)
class Balance:
    """Cash and the value of positions.

    ``by_shard`` is the buying power by ``exchange_index`` (the exchange's ``balance_breakdown``). 1/1,000,000 dollar.
    """

    cash: Money
    portfolio_value: Money
    by_shard: tuple[tuple[int, Money], ...] = ()
    updated_ms: int = 0
    subaccount: int = 0

    def on_shard(self, exchange_index: int) -> Money | None:
        """Return the buying power on one shard: cash is held by shard, and only there can it be spent.

        None for a shard that the exchange has not told about: nothing is known of the cash there.
        """
        return dict(self.by_shard).get(exchange_index) if self.by_shard else self.cash

    @property
    def precision(self) -> Money:
        """What this member's balance is rounded to after a fill: the cent, until a part of a cent is seen in it.

        docs/kalshi-api.md, sections 9 and 26.
        """
        seen = (self.cash, *(cash for _, cash in self.by_shard))
        return CENTICENT if any(cash % CENT for cash in seen) else CENT
