"""What an order would do to a book, a position and the cash: fills, fees, risk, projection. Exact and pure.

Money in 1/1,000,000 dollar, counts in 1/100 contract, prices in 1/10,000 dollar.
"""

from dataclasses import dataclass, replace

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.fees import CENT, FeeSchedule
from kalshi_tui.domain.order import (
    Action,
    BookSide,
    Order,
    OrderState,
    OrderTerms,
    TimeInForce,
    order_from_terms,
    to_yes_price,
)
from kalshi_tui.domain.own_orders import OwnOrders, Taking, others_levels, take
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Count, Money, Price

NO_ORDERS = OwnOrders()
"""For previews where nothing of the account's own rests."""


@dataclass(frozen=True, slots=True)
class ExecutionEstimate:
    """What an order would do against a book now.

    ``fills_now`` and ``rests`` are counts; ``fill_value`` is what the part that fills now costs (buying) or brings
    (selling) at the book's prices; ``limit_value`` the whole order at its limit. The fees are None where the fee type
    is not known: ``fee_at_most`` as the taker of all of it, ``maker_fee`` as the maker. ``queue_ahead`` is the count
    that has to match before the resting part does, at better prices and at its own, as the exchange counts it
    (docs/kalshi-api.md, section 6). A post-only order that would take is rejected, so that nothing of it fills or
    rests.
    """

    fills_now: Count
    fill_value: Money
    rests: Count
    queue_ahead: Count
    limit_value: Money
    fee_at_most: Money | None
    maker_fee: Money | None
    payout_if_right: Money


def would_cross(terms: OrderTerms, book: Book, removed: tuple[Order, ...] = ()) -> bool:
    """Return whether an order would trade at once: a post-only one is rejected (docs/kalshi-api.md, section 10).

    ``removed`` are own orders that the book still holds, and that are canceled before it comes.
    """
    return bool(others_levels(terms, book, OwnOrders(removed=removed)))


def estimate_execution(
    terms: OrderTerms,
    book: Book,
    fees: FeeSchedule | None,
    *,
    precision: Money = CENT,
    own: OwnOrders = NO_ORDERS,
) -> ExecutionEstimate:
    """Estimate what an order would do against this book: selling YES takes NO's implied asks.

    docs/kalshi-api.md, section 4. The account's ``own`` orders are not to be had.
    """
    taking = take(terms, book, own)
    rests = _resting_count(terms, taking)
    fee = maker = None
    if fees is not None:
        fee = max_fee(terms, fees, book=book, precision=precision, own=own)
        maker = fees.at_most(terms.taking_limit, terms.count, taker=False, precision=precision)
    return ExecutionEstimate(
        fills_now=taking.filled,
        fill_value=sum(price * count for price, count in taking.fills),
        rests=rests,
        queue_ahead=book.side(terms.taking_side).depth_from(terms.taking_limit) if rests else 0,
        limit_value=terms.price * terms.count,
        fee_at_most=fee,
        maker_fee=maker,
        payout_if_right=terms.count * PRICE_UNIT,
    )


def _resting_count(terms: OrderTerms, taking: Taking) -> Count:
    """Return how much of an order stays in the book after what it took."""
    if terms.tif is not TimeInForce.GTC or taking.rejected or taking.stopped:
        return 0
    return terms.count - taking.filled


def max_fee(
    terms: OrderTerms,
    fees: FeeSchedule,
    *,
    book: Book | None = None,
    precision: Money = CENT,
    own: OwnOrders = NO_ORDERS,
) -> Money | None:
    """Return what a ticket calls the fee "up to": the whole order as a taker, None if not known.

    docs/kalshi-api.md, section 9.

    The trade fee is greatest nearest to 50 cents, so it is taken at the price between the best one of ``book`` and the
    limit that is nearest to it. Each level that the order would take is a fill of its own, and so is the rest; for what
    more fills can add see `FeeSchedule.at_most`. ``precision`` is the member's, a part of a cent or the cent.
    """
    limit, left = terms.taking_limit, terms.count
    low, parts, aligned = limit, 0, limit * COUNT_UNIT % precision == 0
    for level in others_levels(terms, book, own) if book is not None else ():
        taken = min(left, level.size)
        low = min(low, level.price)
        parts += taken % COUNT_UNIT != 0
        aligned = aligned and level.price * COUNT_UNIT % precision == 0
        left -= taken
        if not left:
            break
    parts += left % COUNT_UNIT != 0
    worst = max(low, min(limit, PRICE_UNIT // 2))
    # A sale at p costs what buying the other outcome at 1 - p does: the two balance changes are whole cents apart.
    return fees.at_most(
        worst,
        terms.count,
        taker=True,
        precision=precision,
        parts=parts,
        aligned=None if low == limit else aligned,
    )


def closing_count(terms: OrderTerms, position: Position | None) -> Count:
    """Return how many of the order's contracts close a holding: selling what is held, or buying back the other side."""
    held = position.count if position else 0
    against = -held if terms.book_side is BookSide.BID else held
    return max(0, min(terms.count, against))


def opening_risk(terms: OrderTerms, position: Position | None) -> Money:
    """Return what the part of an order that opens can lose, filled at its limit, fees not counted.

    Selling what is not held is buying the other outcome: it can cost 1 - p a contract, not p.
    """
    at_risk = terms.price if terms.action is Action.BUY else PRICE_UNIT - terms.price
    return (terms.count - closing_count(terms, position)) * at_risk


@dataclass(frozen=True, slots=True)
class PositionProjection:
    """The position after an order: what fills now at the book's prices, the resting part at its limit.

    ``cash_change`` is negative for what is paid, fees not counted. ``opened`` contracts cost ``open_cost`` and are
    worth a dollar each if right; ``realized`` is what the ``closed`` ones gain over what they had cost.
    """

    after: Position
    opened: Count
    open_cost: Money
    closed: Count
    close_value: Money
    realized: Money
    cash_change: Money

    def profit_if_right(self, fee: Money) -> Money:
        """Return what the opened part gains if its outcome comes true, after ``fee``."""
        return self.opened * PRICE_UNIT - self.open_cost - fee

    def break_even(self, fee: Money) -> int | None:
        """Return the probability, in 1/100 percent, from which on opening pays, or down to which closing does.

        Rounded against the trader; over 100% where not even certainty would pay. None if nothing is live, or if the
        order both closes and opens: it has no one such number.
        """
        if self.opened and not self.closed:
            return -(-(self.open_cost + fee) // self.opened)
        if self.closed and not self.opened:
            return max((self.close_value - fee) // self.closed, 0)
        return None


def project_position(
    terms: OrderTerms, book: Book, position: Position | None, own: OwnOrders = NO_ORDERS
) -> PositionProjection:
    """Return the position after an order's fills, netted as the exchange does: first closing, then opening.

    What rests of the account's ``own`` on the same side counts as filled first.
    """
    taking = take(terms, book, own)
    fills = [*taking.fills]
    if rests := _resting_count(terms, taking):
        fills.append((terms.price, rests))
    return _project(terms, fills, own.base_position(terms, position))


def _project(terms: OrderTerms, fills: list[tuple[Price, Count]], position: Position | None) -> PositionProjection:
    """Return what fills, at prices of the order's own outcome, make of a position."""
    before = held = position or Position(terms.ticker)
    opened = open_cost = closed = close_value = 0
    for own_price, whole in fills:
        yes = to_yes_price(terms.side, own_price)
        against = -held.count if terms.book_side is BookSide.BID else held.count
        closes = max(0, min(whole, against))
        # For what it closes an order sells at 1 - the price of the outcome that it buys.
        bought = yes if terms.book_side is BookSide.BID else PRICE_UNIT - yes
        # Reduce-only stops where the holding ends.
        count = closes if terms.reduce_only else whole
        opened += count - closes
        open_cost += (count - closes) * bought
        closed += closes
        close_value += closes * (PRICE_UNIT - bought)
        held = held.after(terms.book_side, yes, count)
    return PositionProjection(
        after=held,
        opened=opened,
        open_cost=open_cost,
        closed=closed,
        close_value=close_value,
        realized=held.realized_pnl - before.realized_pnl,
        cash_change=close_value - open_cost,
    )


def cash_effect(terms: OrderTerms, book: Book, position: Position | None, own: OwnOrders = NO_ORDERS) -> Money:
    """Return by how much an order changes the cash that can be spent, fees not counted.

    That is what its fills cost or bring, and what the exchange sets aside from then on for it and for what rests
    beside it, less what it had set aside before, also for those that are gone before the order comes. What of it rests
    and closes a holding counts as filled.
    """
    taking = take(terms, book, own)
    now = _project(terms, [*taking.fills], position)
    held = position.count if position else 0
    kept = own.without(*(each.order_id for each in taking.canceled))
    money = now.cash_change + own.with_removed().reserved(held)
    if rests := _resting_count(terms, taking):
        rest = replace(
            order_from_terms("", replace(terms, count=rests), OrderState.RESTING, 0), subaccount=own.subaccount
        )
        base = kept.base_position(terms, now.after)
        closes = closing_count(replace(terms, count=rests), base)
        price = terms.price if terms.action is Action.SELL else PRICE_UNIT - terms.price
        money += closes * price
        kept = replace(kept, orders=(*kept.orders, rest))
    return money - kept.reserved(now.after.count)


def max_affordable_count(
    terms: OrderTerms,
    cash: Money,
    fees: FeeSchedule | None,
    position: Position | None,
    *,
    precision: Money = CENT,
) -> Count | None:
    """Return the most whole contracts of such an order that ``cash`` pays for at its limit, the fee "up to" included.

    What closes a holding needs no cash. 0 if not one can be paid; None if the fees are not known, so that nobody can
    tell how many can.
    """
    if fees is None or not fees.known:
        return None

    def fits(contracts: int) -> bool:
        tried = replace(terms, count=contracts * COUNT_UNIT)
        return opening_risk(tried, position) + (max_fee(tried, fees, precision=precision) or 0) <= cash

    held = abs(position.count) if position else 0
    price = terms.price if terms.action is Action.BUY else PRICE_UNIT - terms.price
    low, high = 0, (max(cash, 0) // max(price, 1) + held) // COUNT_UNIT + 1
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low * COUNT_UNIT


def effective_terms(terms: OrderTerms, position: Position | None) -> OrderTerms:
    """Return the order as the exchange would take it: a reduce-only one ends where the holding does."""
    return replace(terms, count=closing_count(terms, position)) if terms.reduce_only else terms


@dataclass(frozen=True, slots=True)
class OrderPreview:
    """The preview of one order against one book: execution, projected position, fee and risk."""

    terms: OrderTerms
    execution: ExecutionEstimate
    projection: PositionProjection
    position: Position | None
    """What is held now."""
    fee: Money | None
    """The fee "up to" of what of the order is live: as the taker, but as the maker where it can be nothing else."""
    cash_effect: Money
    """What it does to the cash that can be spent: its own change, and that of what is set aside for what rests."""
    counted: tuple[Order, ...] = ()
    """The account's own orders that count as filled first."""
    met: tuple[Order, ...] = ()
    """The account's own orders that it would meet, in that order."""
    stopped: bool = False
    """Whether the first of those ends it. Else they are canceled."""
    base: Position | None = None
    """What is held once the counted orders have filled."""

    @classmethod
    def of(
        cls,
        terms: OrderTerms,
        book: Book,
        fees: FeeSchedule | None,
        position: Position | None,
        *,
        precision: Money = CENT,
        own: OwnOrders = NO_ORDERS,
    ) -> "OrderPreview":
        """Compute the preview of an order for an account that holds ``position``; ``precision`` is the member's.

        ``own`` is what rests of the account's in this market.
        """
        terms = effective_terms(terms, position)
        taking = take(terms, book, own)
        seen = estimate_execution(terms, book, fees, precision=precision, own=own)
        live = replace(terms, count=seen.fills_now + seen.rests)
        fee = None
        if fees is not None and terms.post_only:
            fee = fees.at_most(terms.taking_limit, live.count, taker=False, precision=precision)
        elif fees is not None:
            fee = max_fee(live, fees, book=book, precision=precision, own=own)
        return cls(
            terms,
            seen,
            project_position(terms, book, position, own),
            position,
            fee,
            cash_effect=cash_effect(terms, book, position, own),
            counted=own.beside(terms),
            met=taking.met,
            stopped=taking.stopped,
            base=own.base_position(terms, position),
        )

    @property
    def at_risk(self) -> Money:
        """What the order can lose at the most, filled whole at its limit, fees not counted."""
        return opening_risk(self.terms, self.base)

    @property
    def worst_loss(self) -> Money | None:
        """The same with the fee of the whole order; None where the fees are not known."""
        fee = self.execution.maker_fee if self.terms.post_only else self.execution.fee_at_most
        return None if fee is None else self.at_risk + fee

    @property
    def cash_beside(self) -> Money:
        """What of `cash_effect` is not the order's own cost: what the orders that rest beside it bring or take."""
        return self.cash_effect - self.projection.cash_change
