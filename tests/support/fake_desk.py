"""A desk without an exchange: a seeded store, and orders that end as the test says."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from kalshi_tui.domain.combo_legs import ComboCollection
from kalshi_tui.domain.day_gain import DayGain
from kalshi_tui.domain.fees import FeeSchedule, FeeType
from kalshi_tui.domain.link import LinkState, LinkStats
from kalshi_tui.domain.market import Event, Market, MarketStatus, Quote, Trade
from kalshi_tui.domain.order import BookSide, Fill, Order, OrderState, OrderTerms
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.domain.price import CENT_GRID, Count, Price, PriceGrid, PriceRange
from kalshi_tui.domain.text import terms_text
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.session.account.cash_moves import CashMove
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.alerts.monitor import AlertMonitor
from kalshi_tui.session.execution.risk_checks import Risk, RiskViolation, describe_unacknowledged
from kalshi_tui.session.interface import CancelAllResult, CollectionsResult, LookUpResult, OrderResult
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.options import TicketDefaults
from kalshi_tui.session.practice_faults import ControlValues, PracticeFault
from kalshi_tui.session.replay import ReplayStatus
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue

NOW_MS = 1_800_000_000_000
TAPERED = PriceGrid((PriceRange(0, 1_000, 10), PriceRange(1_000, 9_000, 100), PriceRange(9_000, 10_000, 10)))
FEES = FeeSchedule(FeeType.QUADRATIC)

TITLES = (
    ("FED-26DEC-C25", "Fed decision in December", "Cut 25 bps"),
    ("FED-26DEC-H0", "Fed decision in December", "Hold"),
    ("CPI-26NOV-T03", "CPI in November", "Above 0.3%"),
    ("NYHIGH-26NOV20-B58", "Highest temperature in New York", "58 to 59"),
    ("BTC15M-T98500", "Bitcoin at 12:15", "Above 98,500"),
    ("OSCAR-27-PIC-A", "Best Picture", "The Long Harbour"),
)


class Clock:
    """A clock that stands still until told."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, by_ms: int) -> None:
        self.now_ms += by_ms


def a_market(ticker: str, title: str = "Title", sub: str = "Yes", grid: PriceGrid = CENT_GRID) -> Market:
    quote = Quote(4_700, 4_800, 120_000, 30_000, 4_700, 4_500, 1_000, 12_345_600, 500_000, 9_900_000, NOW_MS)
    return Market(
        ticker=ticker,
        event_ticker=ticker.rsplit("-", 1)[0],
        series_ticker=ticker.split("-", maxsplit=1)[0],
        title=title,
        yes_sub_title=sub,
        status=MarketStatus.ACTIVE,
        grid=grid,
        fees=FEES,
        quote=quote,
    )


def a_store(clock: Callable[[], int], markets: Sequence[Market] = (), *, account_read: bool = True) -> Store:
    store = Store(clock)
    made = markets or [
        a_market(ticker, title, sub, TAPERED if ticker.startswith("BTC") else CENT_GRID)
        for ticker, title, sub in TITLES
    ]
    store.market_data.set_markets(made, [Event(m.event_ticker, m.series_ticker, m.title) for m in made])
    store.market_data.set_listing_progress(None)
    if account_read:
        store.account.set_balance(Balance(cash=10_000_000_000, portfolio_value=0))
        store.account.mark_read(*AccountList)
    store.link(LinkState.LIVE, "")
    first = made[0].ticker
    yes = [(4_700 - 100 * step, 120_000 + 1_550 * step) for step in range(12)]
    no = [(5_200 - 100 * step, 30_000 + 98_700 * step) for step in range(12)]
    store.snapshot(first, yes, no)
    for number in range(30):
        store.trade(
            Trade(
                f"t{number}",
                first,
                4_700 + 100 * (number % 2),
                100 * (number + 1),
                taker_bid=number % 2 == 1,
                ts_ms=NOW_MS - 60_000 + number * 1_000,
            )
        )
    return store


def an_order(**changes: object) -> Order:
    order = Order(
        order_id="o1",
        client_order_id="c1",
        ticker=TITLES[0][0],
        book_side=BookSide.BID,
        yes_price=4_600,
        initial=1_000,
        filled=0,
        remaining=1_000,
        state=OrderState.RESTING,
        created_ms=NOW_MS,
        updated_ms=NOW_MS,
    )
    return replace(order, **changes)  # type: ignore[arg-type]  # named fields of one dataclass


def a_fill(**changes: object) -> Fill:
    fill = Fill("t3", "o1", "c1", TITLES[0][0], BookSide.BID, 4_700, 1_000, 17_500, is_taker=True, ts_ms=NOW_MS)
    return replace(fill, **changes)  # type: ignore[arg-type]  # named fields of one dataclass


def a_position(**changes: object) -> Position:
    return replace(Position(TITLES[0][0], 1_000, 4_700_000, 0, 17_500), **changes)  # type: ignore[arg-type]


class FakeDesk:
    """Notes what the screens ask for. `answer` says what becomes of an order; `hold` keeps the reply back."""

    def __init__(
        self,
        clock: Clock,
        markets: Sequence[Market] = (),
        venue: Venue = Venue.PRACTICE,
        *,
        account_read: bool = True,
    ) -> None:
        self.clock = clock
        self.venue = venue
        self.store = a_store(clock, markets, account_read=account_read)
        self.looked_at: list[tuple[str, ...]] = []
        self.charted: list[tuple[str, int]] = []
        self.visible_sparklines: list[tuple[str, ...]] = []
        self.listed_tickers: list[tuple[str, ...]] = []
        self.sent: list[tuple[OrderTerms, str]] = []
        self.canceled: list[Order] = []
        self.state = OrderState.FILLED
        self.hold: asyncio.Event | None = None
        self.stopped = False
        self.can_inject_faults = venue is Venue.PRACTICE
        self.link_pulse = LinkStats(frame_age_ms=120, ping_age_ms=3_400, lag_ms=14)
        self.audited: list[str] = []
        self.rehearsed: list[tuple[str, str]] = []
        self.ticket = TicketDefaults()
        self.read_only_reason = ""
        self.cash_move_text = ""
        self.cash_left_text = ""
        self.moved_cash: list[tuple[CashMove, ...]] = []
        self.against: list[RiskViolation] = []
        """What speaks against any order."""
        self.agreed: list[frozenset[Risk]] = []
        self.drafted: list[OrderTerms] = []
        self.amended: list[tuple[Order, Price, Count]] = []
        self.amended_expiries: list[int | None] = []
        self.swept: list[str] = []
        self.swept_subaccounts: list[int | None] = []
        self.cancels_on_quit = False
        self.recording_text = ""
        self.recorded: list[Path] = []
        self.replay: ReplayStatus | None = None
        self.played: list[tuple[str, ControlValues]] = []
        self.unlisted: dict[str, Sequence[Market]] = {}
        """What the exchange has under tickers that the list lacks."""
        self.looked_up: list[str] = []
        self.more_read: list[AccountList] = []
        self.collections: tuple[ComboCollection, ...] = ()
        self.repeatable: dict[str, OrderTerms] = {}
        self.alerts = AlertMonitor(self.store, ExchangeClock(clock), asyncio.sleep)

    def move_cash(self, moves: Sequence[CashMove]) -> None:
        self.moved_cash.append(tuple(moves))

    async def start(self) -> None:
        await asyncio.sleep(0)

    async def stop(self) -> None:
        self.stopped = True
        await asyncio.sleep(0)

    def link_metrics(self) -> LinkStats:
        return self.link_pulse

    def start_audit(self, ticker: str) -> None:
        self.audited.append(ticker)

    def toggle_recording(self, path: Path) -> None:
        self.recorded.append(path)
        self.recording_text = "" if self.recording_text else "REC 0 B"

    def control_replay(self, action: str, values: ControlValues) -> None:
        self.played.append((action, values))

    def inject_fault(self, fault: PracticeFault, ticker: str) -> None:
        self.rehearsed.append((fault.id, ticker))

    def set_shown_markets(self, tickers: Sequence[str]) -> None:
        self.looked_at.append(tuple(tickers))

    async def look_up(self, name: str) -> LookUpResult:
        await asyncio.sleep(0)
        self.looked_up.append(name)
        found = self.unlisted.get(name, ())
        self.store.market_data.set_markets(found, in_list_order=True)
        tickers = tuple(each.ticker for each in found)
        return LookUpResult(tickers, "" if tickers else f"The exchange knows no market and no event {name}.")

    async def read_more(self, which: AccountList) -> str:
        await asyncio.sleep(0)
        self.more_read.append(which)
        self.store.account.older.raise_row_limit(which)
        self.store.account.mark_older_changed(which)
        return ""

    async def read_combo_collections(self) -> CollectionsResult:
        await asyncio.sleep(0)
        return CollectionsResult(self.collections, "" if self.collections else "The collections could not be read: no.")

    async def look_up_combos(self, collection_ticker: str) -> LookUpResult:
        return await self.look_up(collection_ticker)

    def set_visible_markets(self, tickers: Sequence[str]) -> None:
        self.visible = tuple(tickers)

    def set_shown_chart(self, ticker: str, minutes: int) -> None:
        self.charted.append((ticker, minutes))

    def set_shown_sparklines(self, tickers: Sequence[str]) -> None:
        self.visible_sparklines.append(tuple(tickers))

    def set_watch_list_markets(self, tickers: Sequence[str]) -> None:
        self.listed_tickers.append(tuple(tickers))

    def check_risks(self, terms: OrderTerms, replacing: Order | None = None) -> list[RiskViolation]:
        return list(self.against)

    def draft(self, terms: OrderTerms) -> str:
        self.drafted.append(terms)
        return f"client-{len(self.sent) + 1}"

    def resendable_terms(self, order: Order) -> OrderTerms | None:
        return self.repeatable.get(order.client_order_id)

    async def amend(
        self,
        order: Order,
        price: Price,
        resting_count: Count,
        acknowledged: frozenset[Risk] = frozenset(),
        *,
        expires_s: int | None = None,
    ) -> OrderResult:
        await asyncio.sleep(0)
        self.amended.append((order, price, resting_count))
        self.amended_expiries.append(expires_s)
        self.agreed.append(acknowledged)
        news = replace(
            order,
            yes_price=price,
            remaining=resting_count,
            initial=order.filled + resting_count,
            updated_ms=NOW_MS + 1,
            expires_ms=order.expires_ms if expires_s is None else expires_s * 1000,
        )
        self.store.order(news)
        return OrderResult(news, "Changed.")

    async def cancel_all(self, ticker: str = "", subaccount: int | None = None) -> CancelAllResult:
        await asyncio.sleep(0)
        self.swept.append(ticker)
        self.swept_subaccounts.append(subaccount)
        gone = [
            order
            for order in self.store.working_orders()
            if ticker in {"", order.ticker} and subaccount in {None, order.subaccount}
        ]
        for order in gone:
            # As the session does: the end of an order that was asked for here is told by the answer.
            self.store.notices.hold(order)
            self.store.order(replace(order, state=OrderState.CANCELED, remaining=0, updated_ms=NOW_MS + 1))
            self.store.notices.release(order)
        return CancelAllResult(len(gone), (), (), proved=True, sentence=f"{len(gone)} canceled; none rests.")

    async def submit(
        self, terms: OrderTerms, client_order_id: str, acknowledged: frozenset[Risk] = frozenset()
    ) -> OrderResult:
        self.agreed.append(acknowledged)
        assert not describe_unacknowledged(self.against, acknowledged), "the screen has let something pass"
        self.sent.append((terms, client_order_id))
        if self.hold is not None:
            await self.hold.wait()
        filled = terms.count if self.state is OrderState.FILLED else 0
        order = an_order(
            order_id="" if self.state is OrderState.UNKNOWN else f"o-{client_order_id}",
            client_order_id=client_order_id,
            ticker=terms.ticker,
            book_side=terms.book_side,
            yes_price=terms.yes_price,
            initial=terms.count,
            filled=filled,
            remaining=terms.count - filled,
            state=self.state,
        )
        self.store.order(order)
        return OrderResult(order, f"{self.state.value.capitalize()}: {terms_text(terms)}.")

    async def cancel(self, order: Order) -> OrderResult:
        await asyncio.sleep(0)
        self.canceled.append(order)
        gone = replace(order, state=OrderState.CANCELED, remaining=0, updated_ms=NOW_MS + 1)
        self.store.order(gone)
        return OrderResult(gone, "Canceled.")


def set_day(store: Store, day: DayGain) -> None:
    """Let the day have brought this, whatever was traded."""
    store.day_ledger.gain = lambda _: day  # type: ignore[method-assign,assignment]  # in place of fills and settlements
    store.account.mark_day_changed()


def busy_desk() -> FakeDesk:
    """A desk on which something has happened."""
    desk = FakeDesk(Clock())
    store = desk.store
    store.order(an_order())
    store.order(
        an_order(
            order_id="o2",
            client_order_id="c2",
            book_side=BookSide.ASK,
            yes_price=5_300,
            initial=20_000,
            filled=4_250,
            remaining=15_750,
        )
    )
    store.order(
        an_order(
            order_id="o3",
            client_order_id="c3",
            ticker=TITLES[4][0],
            yes_price=4_705,
            state=OrderState.UNKNOWN,
            reason="The exchange did not answer in time; it is being asked.",
        )
    )
    store.order(
        an_order(
            order_id="o4",
            client_order_id="c4",
            yes_price=4_100,
            remaining=0,
            state=OrderState.CANCELED,
            reason="by you",
            updated_ms=NOW_MS - 60_000,
        )
    )
    store.account.set_queue_positions({"o1": 121_550, "o2": 0})
    store.position(a_position())
    store.position(a_position(ticker=TITLES[2][0], count=-123_450, cost=98_765_430, realized_pnl=-1_250_000))
    # Fewer bids for NO than are held.
    store.snapshot(TITLES[2][0], [(4_700, 120_000)], [(5_200, 30_000), (5_000, 50_000)])
    store.fill(a_fill(order_id="o0", client_order_id="c0"))
    rested = a_fill(trade_id="t9", order_id="o2", client_order_id="c2", book_side=BookSide.ASK, yes_price=5_300)
    store.fill(replace(rested, is_taker=False, count=4_250))
    store.notify(Severity.WARNING, "A sentence of the log long enough to be broken where the terminal is narrow: " * 2)
    return desk
