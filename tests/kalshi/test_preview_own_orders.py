"""What a preview says with the account's own orders about, against a model in decimals and a real exchange.

The model keeps single orders in their queue; it shares no arithmetic with the program. Fees are none here: they have
tests of their own.
"""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.order import Action, BookSide, Order, SelfTrade, TimeInForce
from kalshi_tui.domain.own_orders import OwnOrders, orders_come_to
from kalshi_tui.domain.price import Count, format_count, format_money, parse_count, parse_price
from kalshi_tui.kalshi import KalshiClient
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.preview import DryRun
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.practice.engine.records import OrderRequest
from kalshi_tui.practice.engine.terms import DECI_CENT, LINEAR_CENT, TAPERED_DECI_CENT
from tests.support.practice_server import PEMS, Serving, serving

BID, ASK = BookSide.BID, BookSide.ASK
ONE = Decimal(1)
QUICK_CASES, ALL_CASES = 30, 1_000
CANCEL_FIRST = 0.5
"""In so many of the cases the way of the order is cleared first."""
GRIDS = {
    LINEAR_CENT: [Decimal(cents) / 100 for cents in range(35, 66)],
    DECI_CENT: [Decimal(tenths) / 1_000 for tenths in range(480, 521)],
    TAPERED_DECI_CENT: [Decimal(tenths) / 1_000 for tenths in range(70, 100, 2)]
    + [Decimal(cents) / 100 for cents in range(10, 26)],
}


@dataclass
class Resting:
    """One order in the model's book."""

    own: bool
    side: BookSide
    price: Decimal
    count: Decimal


@dataclass(frozen=True)
class Wish:
    """The order that is previewed, in YES prices."""

    side: BookSide
    price: Decimal
    count: Decimal
    tif: TimeInForce
    post_only: bool
    self_trade: SelfTrade


@dataclass(frozen=True)
class Expected:
    """What the model says."""

    in_the_way: bool
    """Whether the price of the order reaches an own one on the other side."""
    fills: Decimal
    rests: Decimal
    met: int
    stopped: bool
    closes: Decimal
    opens: Decimal
    held_after: Decimal
    cash_change: Decimal
    at_risk: Decimal
    spendable_change: Decimal
    closing_rest: Decimal
    """What the rest brings when it closes: the preview counts it, the account does not yet."""
    canceled_first: int = 0
    """How many own orders in its way were canceled before it."""


def cost(side: BookSide, price: Decimal) -> Decimal:
    """Return what one contract costs that a side opens."""
    return price if side is BID else ONE - price


def fill(held: Decimal, side: BookSide, price: Decimal, count: Decimal) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Return holding, what closed, what opened, and the change of the cash."""
    sign = 1 if side is BID else -1
    closed = min(count, max(-held * sign, Decimal(0)))
    opened = count - closed
    return held + sign * count, closed, opened, closed * (ONE - cost(side, price)) - opened * cost(side, price)


def set_aside(held: Decimal, orders: list[Resting]) -> Decimal:
    """Return what is set aside: each side by itself, what opens at its limit, the best-priced closing first."""
    money = Decimal(0)
    for side in (BID, ASK):
        left = max(-held if side is BID else held, Decimal(0))
        for each in sorted((e for e in orders if e.side is side), key=lambda e: cost(side, e.price), reverse=True):
            closing = min(left, each.count)
            left -= closing
            money += (each.count - closing) * cost(side, each.price)
    return money


def crossed(wish: Wish, book: list[Resting]) -> list[Resting]:
    """Return what an order could meet, in that order."""
    crossing = [
        each
        for each in book
        if each.side is not wish.side and (each.price <= wish.price if wish.side is BID else each.price >= wish.price)
    ]
    crossing.sort(key=lambda each: each.price if wish.side is BID else -each.price)  # stable: the queue stays
    return crossing


def come_to(wish: Wish, book: list[Resting]) -> list[Resting]:
    """Return the own orders that an order would come to on its way through a book."""
    left, found = wish.count, []
    if wish.post_only:
        # Whatever its price reaches rejects it; those of others stay.
        reached = crossed(wish, book)
        return reached if all(each.own for each in reached) else []
    for each in crossed(wish, book):
        if not left:
            break
        if each.own:
            found.append(each)
        else:
            left -= min(left, each.count)
    return found


def expect(wish: Wish, book: list[Resting], held: Decimal) -> Expected:
    """Carry an order out on a book, order by order."""
    own_before = [replace(each) for each in book if each.own]
    crossing = crossed(wish, book)
    left, met, stopped, fills = wish.count, 0, False, []
    rejected = wish.post_only and bool(crossing)
    for each in [] if rejected else crossing:
        if not left:
            break
        if each.own:
            met += 1
            if wish.self_trade is SelfTrade.TAKER_AT_CROSS:
                stopped = True
                break
            each.count = Decimal(0)
            continue
        taken = min(left, each.count)
        fills.append((each.price, taken))
        left -= taken
    if wish.tif is TimeInForce.FOK and left:
        rejected, stopped, fills = True, False, []
        own_after = own_before
    else:
        own_after = [each for each in book if each.own and each.count]
    filled = sum((count for _, count in fills), Decimal(0))
    rests = wish.count - filled if wish.tif is TimeInForce.GTC and not rejected and not stopped else Decimal(0)
    base = held
    for each in own_before:
        if each.side is wish.side:
            base = fill(base, each.side, each.price, each.count)[0]
    closes = opens = change = Decimal(0)
    after = base
    for price, count in [*fills, (wish.price, rests)]:
        after, closed, opened, moved = fill(after, wish.side, price, count)
        closes, opens, change = closes + closed, opens + opened, change + moved
    whole = fill(base, wish.side, wish.price, wish.count)[2]
    # What the account shows right after: its fills on what is held now, and what is set aside then.
    now, spendable = held, Decimal(0)
    for price, count in fills:
        now, _, _, moved = fill(now, wish.side, price, count)
        spendable += moved
    rest = [Resting(own=True, side=wish.side, price=wish.price, count=rests)] if rests else []
    spendable += set_aside(held, own_before) - set_aside(now, own_after + rest)
    before_rest = now
    for each in own_after:
        if each.side is wish.side:
            before_rest = fill(before_rest, each.side, each.price, each.count)[0]
    closing = fill(before_rest, wish.side, wish.price, rests)[1] * (ONE - cost(wish.side, wish.price))
    return Expected(
        any(each.own for each in crossing),
        filled,
        rests,
        met,
        stopped,
        closes,
        opens,
        after,
        change,
        whole * cost(wish.side, wish.price),
        spendable,
        closing,
    )


def draw(rng: random.Random, prices: list[Decimal]) -> tuple[list[Resting], Wish]:
    """Draw a book that is not crossed and an order; in half of the cases own orders stand in its way."""
    middle = rng.randrange(8, len(prices) - 8)
    in_the_way, beside = rng.random() < 0.5, rng.random() < 0.5
    side = rng.choice([BID, ASK])
    book = []
    for place in range(rng.randrange(2, 9)):
        resting = rng.choice([BID, ASK])
        step = rng.randrange(1, 8)
        price = prices[middle - step] if resting is BID else prices[middle + step]
        own = (in_the_way and resting is not side and place % 2 == 0) or (beside and resting is side and place % 2 == 1)
        book.append(Resting(own, resting, price, Decimal(rng.randrange(1, 40))))
    if in_the_way and not any(each.own and each.side is not side for each in book):
        book.append(Resting(True, ASK if side is BID else BID, prices[middle + (1 if side is BID else -1)], Decimal(5)))
    own_prices = [each.price for each in book if each.own and each.side is not side]
    if own_prices:
        # In its way is what its price reaches; whether its count goes so far is open.
        nearest = min(own_prices) if side is BID else max(own_prices)
        steps = abs(prices.index(nearest) - middle)
        reach = rng.randrange(steps, 8) * (1 if side is BID else -1)
    else:
        reach = rng.randrange(-7, 8)
    tif = rng.choice([TimeInForce.GTC] * 3 + [TimeInForce.IOC, TimeInForce.FOK])
    return book, Wish(
        side,
        prices[middle + reach],
        Decimal(rng.randrange(1, 80)),
        tif,
        tif is TimeInForce.GTC and rng.random() < 0.1,
        rng.choice(list(SelfTrade)),
    )


class Desk:
    """A real exchange with two accounts: the one of the previews, and one that everybody else trades through."""

    def __init__(self, exchange: Serving, client: KalshiClient, reader: RestClient) -> None:
        self.exchange = exchange
        self.client = client
        self.reader = reader
        self.tickers: dict[str, str] = {}
        for ticker, listing in exchange.exchange.markets.listings.items():
            if listing.structure in GRIDS and listing.shard == 0 and listing.structure not in self.tickers:
                self.tickers[listing.structure] = ticker
                listing.fees = FeeSchedule.of("quadratic", 0)

    def rest(self, who: str, ticker: str, side: BookSide, price: Decimal, count: Decimal) -> None:
        """Put an order into the book."""
        asked = OrderRequest(ticker, side, parse_count(f"{count:.2f}"), parse_price(f"{price:.4f}"))
        self.exchange.exchange.order_entry.create(who, replace(asked, tif=TimeInForce.GTC))

    def take_all(self, ticker: str, orders: list[Resting]) -> None:
        """Fill these orders, which are of one side and all that rests there but for the taker's own."""
        if not orders:
            return
        side = orders[0].side
        prices = [each.price for each in orders]
        order = OrderRequest(
            ticker,
            ASK if side is BID else BID,
            parse_count(f"{sum(each.count for each in orders):.2f}"),
            parse_price(f"{min(prices) if side is BID else max(prices):.4f}"),
            tif=TimeInForce.IOC,
            self_trade=SelfTrade.MAKER,
        )
        self.exchange.exchange.order_entry.create("bob", order)

    async def held(self, ticker: str) -> Decimal:
        """Return what the account shows as held, YES above 0."""
        found = [each.count for each in await self.client.positions(ticker=ticker)]
        return Decimal(format_count(found[0])) if found else Decimal(0)

    async def cash(self) -> Decimal:
        """Return what the account shows as spendable."""
        spendable = (await self.client.balance()).on_shard(0)
        assert spendable is not None
        return Decimal(format_money(spendable))

    def clear(self) -> None:
        """Cancel everything."""
        engine = self.exchange.exchange
        for who in ("alice", "bob"):
            engine.order_entry.cancel_all(who)


@asynccontextmanager
async def opened() -> AsyncIterator[Desk]:
    async with serving() as exchange:
        environment = practice_on_port(exchange.port)
        async with (
            KalshiClient(environment, key_id="key-of-alice", private_key=PEMS["alice"]) as client,
            RestClient(environment, exchange.signers["alice"]) as reader,
        ):
            yield Desk(exchange, client, reader)


async def send(desk: Desk, ticker: str, wish: Wish, *, dry_run: bool, rng: random.Random) -> DryRun | None:
    """Preview or send an order, in either of the two ways in which a trader may write it."""
    side = Side.YES if rng.random() < 0.5 else Side.NO
    buys = (wish.side is BID) == (side is Side.YES)
    price = wish.price if side is Side.YES else ONE - wish.price
    found = await desk.client.place_order(  # type: ignore[call-overload]  # ``dry_run`` is not known before
        ticker,
        side,
        Action.BUY if buys else Action.SELL,
        f"{price:.4f}",
        f"{wish.count:.2f}",
        tif=wish.tif,
        post_only=wish.post_only,
        self_trade=wish.self_trade,
        dry_run=dry_run,
    )
    return found if dry_run else None


async def preview_cancel_first(desk: Desk, plain: DryRun) -> tuple[DryRun, tuple[Order, ...]]:
    """Preview an order whose way is cleared first, as the command line does; return also what is canceled."""
    ticker = plain.terms.ticker
    ahead = await desk.reader.queue_positions([ticker])
    own = OwnOrders.of(await desk.client.orders(status="resting", ticker=ticker), ticker, ahead=ahead)
    gone = orders_come_to(plain.terms, plain.book, own)
    own = own.without(*(each.order_id for each in gone))
    seen = DryRun.of(plain.terms, plain.market, plain.book, plain.figures.position, plain.cash, own=own)
    return seen, gone


def in_contracts(count: Count) -> Decimal:
    """Return a count of the program in contracts, without its own text of it."""
    return Decimal(count) / 100


def build_book(desk: Desk, ticker: str, book: list[Resting], rng: random.Random) -> None:
    """Put the orders into the exchange's book; half of the account's own have been filled in part before."""
    for place, each in enumerate(book):
        reached = [other for other in book[:place] if other.side is each.side]
        first = all(cost(each.side, each.price) > cost(other.side, other.price) for other in reached)
        part = Decimal(rng.randrange(1, 9)) if each.own and first and rng.random() < 0.5 else Decimal(0)
        desk.rest("alice" if each.own else "bob", ticker, each.side, each.price, each.count + part)
        if part:
            desk.take_all(ticker, [replace(each, count=part)])


async def check_case(desk: Desk, structure: str, rng: random.Random) -> Expected:
    """Preview, send, and compare both with the model; return what the model said."""
    ticker = desk.tickers[structure]
    desk.clear()
    book, wish = draw(rng, GRIDS[structure])
    build_book(desk, ticker, book, rng)
    held, cash = await desk.held(ticker), await desk.cash()
    own_beside = [replace(each) for each in book if each.own and each.side is wish.side]
    seen = await send(desk, ticker, wish, dry_run=True, rng=rng)
    assert seen is not None
    gone: tuple[Order, ...] = ()
    removed: list[Resting] = []
    in_the_way = any(each.own for each in crossed(wish, book))
    if rng.random() < CANCEL_FIRST:
        removed = come_to(wish, book)
        seen, gone = await preview_cancel_first(desk, seen)
        assert sorted(in_contracts(each.remaining) for each in gone) == sorted(each.count for each in removed)
    freed = set_aside(held, [each for each in book if each.own])
    book = [each for each in book if not any(each is other for other in removed)]
    freed -= set_aside(held, [each for each in book if each.own])
    expected = replace(expect(wish, book, held), in_the_way=in_the_way, canceled_first=len(removed))
    then = seen.figures.projection
    said = (
        in_contracts(seen.fills_now),
        in_contracts(seen.rests),
        len(seen.own_orders_met),
        seen.stops_at_own_order,
        in_contracts(then.closed),
        in_contracts(then.opened),
        in_contracts(then.after.count),
        Decimal(format_money(then.cash_change)),
        Decimal(format_money(seen.figures.at_risk)),
        Decimal(format_money(seen.figures.cash_effect)),
    )
    model = (
        expected.fills,
        expected.rests,
        expected.met,
        expected.stopped,
        expected.closes,
        expected.opens,
        expected.held_after,
        expected.cash_change,
        expected.at_risk,
        expected.spendable_change + expected.closing_rest + freed,
    )
    assert said == model, (wish, book, held, seen.own_orders_met)
    assert len(seen.counted_orders) == len(own_beside)
    refused = None
    for each in gone:
        await desk.client.cancel(each)
    try:
        await send(desk, ticker, wish, dry_run=False, rng=rng)
    except Exception as error:  # noqa: BLE001 - rejected: post-only that would take, fill-or-kill that cannot
        refused = error
    assert (refused is not None) == (
        (wish.post_only and not expected.rests) or (wish.tif is TimeInForce.FOK and expected.fills != wish.count)
    )
    # What the account shows after.
    assert await desk.cash() == cash + expected.spendable_change + freed, (wish, book, held)
    if wish.tif is TimeInForce.GTC and not refused:
        # And once all has filled that was counted, and what rests of the order itself.
        counted = [*own_beside, Resting(own=True, side=wish.side, price=wish.price, count=expected.rests)]
        desk.take_all(ticker, [each for each in counted if each.count])
        assert await desk.held(ticker) == expected.held_after, (wish, book, held)
    return expected


async def check_cases(cases: int) -> list[Expected]:
    rng = random.Random(20)
    async with opened() as desk:
        return [await check_case(desk, list(GRIDS)[number % 3], rng) for number in range(cases)]


async def test_a_preview_is_what_happens() -> None:
    checked = await check_cases(QUICK_CASES)
    assert any(each.stopped for each in checked)
    assert any(each.met and not each.stopped for each in checked)
    assert any(each.canceled_first and each.fills for each in checked)


@pytest.mark.slow
async def test_a_thousand_previews_are_what_happens() -> None:
    checked = await check_cases(ALL_CASES)
    met = [each for each in checked if each.met]
    assert sum(each.in_the_way for each in checked) > ALL_CASES * 2 // 5
    assert len(met) > ALL_CASES // 5
    assert sum(each.stopped for each in met) > 50
    assert sum(not each.stopped for each in met) > 50
    assert sum(each.fills > 0 and each.stopped for each in checked) > 10
    assert sum(each.canceled_first > 0 for each in checked) > 50
    assert sum(each.canceled_first > 0 and each.fills > 0 for each in checked) > 20
