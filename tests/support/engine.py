"""A small exchange with a hand-driven clock, for the engine's tests."""

from dataclasses import replace
from decimal import Decimal

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.order import BookSide, SelfTrade, TimeInForce
from kalshi_tui.domain.price import parse_count, parse_money, parse_price
from kalshi_tui.practice.engine.events import BookChanged, EngineEvent
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.market_outcome import OutcomeSource
from kalshi_tui.practice.engine.records import OrderRequest, PlaceResult
from kalshi_tui.practice.engine.terms import (
    DECI_CENT,
    LINEAR_CENT,
    TAPERED_DECI_CENT,
    Catalog,
    EventDefinition,
    MarketDefinition,
    SeriesDefinition,
)

NOON = 1_795_176_000_000
HOUR = 3_600_000
BID, ASK = BookSide.BID, BookSide.ASK
IOC, FOK, GTC = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTC

PLAIN, FINE, CRYPTO = "KXPLAIN-26", "KXFINE-26", "KXCOIN-26"


class Clock:
    """A clock that moves when told to."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def pass_(self, ms: int) -> None:
        self.now += ms


def market(
    ticker: str, structure: str = LINEAR_CENT, fees: FeeSchedule | None = None, shard: int = 0
) -> MarketDefinition:
    """Return a market that is open for an hour and a half around noon."""
    return MarketDefinition(
        ticker=ticker,
        event_ticker=f"E-{ticker}",
        series_ticker="KXS",
        title=f"Will {ticker} be?",
        yes_sub_title="Yes",
        no_sub_title="No",
        open_ms=NOON - HOUR,
        close_ms=NOON + HOUR,
        expected_expiration_ms=NOON + HOUR + 60_000,
        latest_expiration_ms=NOON + 24 * HOUR,
        created_ms=NOON - 2 * HOUR,
        exchange_index=shard,
        structure=structure,
        settlement_timer_s=300,
        fees=fees or FeeSchedule.of("quadratic", 1),
    )


def catalog(*markets: MarketDefinition) -> Catalog:
    """Return a catalog of some markets, each in an event of its own."""
    return Catalog(
        (SeriesDefinition("KXS", "A series", "World"),),
        tuple(
            EventDefinition(each.event_ticker, "KXS", each.title, exchange_index=each.exchange_index)
            for each in markets
        ),
        markets,
    )


STANDARD = (
    market(PLAIN),
    market(FINE, DECI_CENT, FeeSchedule.of("quadratic_with_maker_fees", 1)),
    market(CRYPTO, TAPERED_DECI_CENT, FeeSchedule.of("quadratic", Decimal("0.5")), shard=2),
)


def exchange(
    clock: Clock, *, dedupe: str = "open", outcomes: OutcomeSource | None = None, cash: str = "1000", seed: int = 1
) -> Exchange:
    """Return an exchange with the three standard markets and two traders, ann and bob."""
    made = Exchange(catalog(*STANDARD), clock, seed, dedupe=dedupe, outcome_source=outcomes)
    for name in ("ann", "bob"):
        made.open_account(name, {0: parse_money(cash), 2: parse_money(cash)})
    made.drain_events()
    return made


def request(
    side: BookSide,
    price: str,
    count: str,
    ticker: str = PLAIN,
    *,
    tif: TimeInForce = GTC,
    client_order_id: str = "",
    self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS,
    post_only: bool = False,
    reduce_only: bool = False,
    expires_ms: int | None = None,
    cancel_on_pause: bool = False,
    group_id: str = "",
    exchange_index: int | None = None,
) -> OrderRequest:
    """Write a request in the wire's words."""
    return OrderRequest(
        ticker,
        side,
        parse_count(count),
        parse_price(price),
        tif,
        self_trade,
        client_order_id,
        post_only,
        reduce_only,
        expires_ms,
        cancel_on_pause,
        group_id,
        exchange_index=exchange_index,
    )


def place(engine: Exchange, account: str, side: BookSide, price: str, count: str, **more: object) -> PlaceResult:
    """Place an order written in the wire's words; keywords go to `request` or, by name, to the request's fields."""
    ticker = str(more.pop("ticker", PLAIN))
    plain = request(side, price, count, ticker)
    return engine.order_entry.create(account, replace(plain, **more))  # type: ignore[arg-type]  # names of fields


def move_cash(engine: Exchange, account: str, source: int, target: int, amount: int) -> None:
    """Move cash between two shards, and have it arrive."""
    engine.shard_transfers.request(account, source, target, amount)
    engine.shard_transfers.release()


def rebuild(events: list[EngineEvent], books: dict[str, Book]) -> None:
    """Apply the emitted deltas to books; a delta that cannot be raises BookError."""
    for event in events:
        if isinstance(event, BookChanged):
            books.setdefault(event.ticker, Book()).apply(event.side, event.price, event.delta)


def published(engine: Exchange, ticker: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the book as REST would have it."""
    yes, no = engine.markets.listings[ticker].levels()
    return yes, no


def as_published(book: Book) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return a rebuilt book in the same form."""

    def side(which: Side) -> list[tuple[int, int]]:
        bids = book.side(which)
        return list(zip(bids.prices, bids.counts, strict=True))

    return side(Side.YES), side(Side.NO)
