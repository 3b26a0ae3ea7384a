"""What an account is worth at one moment, computed from raw replies, and how each figure of it is written."""

from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.audit.arithmetic import (
    CENT,
    CENTICENT,
    ONE,
    ZERO,
    Account,
    Row,
    Worth,
    floored,
    others_bids,
    replay,
    sale,
)
from tests.audit.exchange import AuditExchange
from tests.audit.figures import average, cents, contracts, exact, price

EASTERN = ZoneInfo("America/New_York")
RESULTS = {"determined", "amended", "finalized"}


def day_start_ms(now_ms: int) -> int:
    """Return when the exchange's day began: midnight Eastern."""
    day = datetime.fromtimestamp(now_ms / 1000, EASTERN).date()
    return round(datetime.combine(day, time(), EASTERN).timestamp() * 1000)


def grid_decimals(market: Row) -> int:
    """Return how many decimals a market's prices are shown with."""
    steps = [Decimal(each["step"]).normalize().as_tuple().exponent for each in market["price_ranges"]]
    return max(2, *(-int(step) for step in steps))


@dataclass(frozen=True)
class Holding:
    """A position with its worth."""

    row: Row
    market: Row
    count: Decimal
    cost: Decimal
    realized: Decimal
    fees: Decimal
    worth: Worth | None

    @property
    def value(self) -> Decimal | None:
        """What it is worth."""
        return None if self.worth is None else self.worth.value


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    return None if None in amounts else sum((each for each in amounts if each is not None), ZERO)


@dataclass(frozen=True)
class DayStart:
    """What was held when the exchange's day began, and its value then."""

    at_ms: int
    values: dict[str, Decimal] = field(default_factory=dict)
    first_look: str = "00:00 ET"


@dataclass(frozen=True)
class Moment:
    """All that was read, and what follows from it."""

    cash: Decimal
    by_shard: dict[int, Decimal]
    portfolio_value: Decimal
    holdings: list[Holding]
    orders: list[Row]
    all_orders: list[Row]
    fills: list[Row]
    settlements: list[Row]
    markets: dict[str, Row]
    replayed: Account
    day: dict[str, "DayPart"]
    precision: Decimal

    @property
    def value(self) -> Decimal | None:
        """What all positions are worth."""
        return _sum([each.value for each in self.holdings])

    @property
    def day_gain(self) -> Decimal | None:
        """What the day has brought."""
        return _sum([each.gain for each in self.day.values()])


@dataclass(frozen=True)
class DayPart:
    """What one market has brought on this day."""

    gain: Decimal | None
    fees: Decimal
    fills: int
    traded: Decimal
    held: bool


def worth_of(
    market: Row, count: Decimal, book: Row, own: list[Row], exchange: AuditExchange, step: Decimal
) -> Worth | None:
    """Return what a signed count is worth: its payout where the result stands, else the sale of all of it."""
    outcome = "yes" if count > 0 else "no"
    if market["status"] in RESULTS:
        settled = market.get("settlement_value_dollars")
        yes = Decimal(settled) if settled else {"yes": ONE, "no": ZERO}[market["result"]]
        each = yes if count > 0 else ONE - yes
        return Worth(floored(abs(count) * each, step), each, ZERO)
    if market["status"] != "active":
        return None
    mine = [order for order in own if order["ticker"] == market["ticker"]]
    return sale(abs(count), others_bids(book, mine, outcome), exchange.fee_terms(market["event_ticker"]), step)


class Reader:
    """Reads an account again and again, and knows how its day began."""

    def __init__(self, exchange: AuditExchange) -> None:
        self.exchange = exchange
        self.start = DayStart(day_start_ms(exchange.now_ms))
        self._precision = CENT

    def read(self) -> Moment:
        """Read all of the account, and compute what it is worth."""
        exchange = self.exchange
        balance = exchange.call("GET", "/portfolio/balance")
        by_shard = {each["exchange_index"]: Decimal(each["balance"]) for each in balance["balance_breakdown"]}
        cash = Decimal(balance["balance_dollars"])
        # A part of a cent proves the finer balance; a balance of whole cents later proves nothing.
        if any(amount % CENT for amount in (cash, *by_shard.values())):
            self._precision = CENTICENT
        rows = exchange.every("/portfolio/positions", "market_positions", settlement_status="unsettled")
        orders = exchange.every("/portfolio/orders", "orders")
        resting = [each for each in orders if each["status"] == "resting"]
        fills = exchange.every("/portfolio/fills", "fills")
        settlements = exchange.every("/portfolio/settlements", "settlements")
        tickers = {each["ticker"] for each in (*rows, *orders, *fills, *settlements)}
        markets = self.markets(tickers)
        holdings = [
            self._holding(row, markets[row["ticker"]], count, resting)
            for row in sorted(rows, key=lambda each: str(each["ticker"]))
            if (count := Decimal(row["position_fp"]))
        ]
        replayed = replay(fills, settlements, markets, self._precision)
        return Moment(
            cash=cash,
            by_shard=by_shard,
            portfolio_value=Decimal(balance["portfolio_value"]) / 100,
            holdings=holdings,
            orders=resting,
            all_orders=orders,
            fills=fills,
            settlements=settlements,
            markets=markets,
            replayed=replayed,
            day=self._day(replayed, fills, settlements, markets, holdings),
            precision=self._precision,
        )

    def markets(self, tickers: set[str]) -> dict[str, Row]:
        """Read markets by their tickers."""
        if not tickers:
            return {}
        rows = self.exchange.every("/markets", "markets", tickers=",".join(sorted(tickers)))
        return {each["ticker"]: each for each in rows}

    def book(self, ticker: str) -> Row:
        """Read a book."""
        found: Row = self.exchange.call("GET", f"/markets/{ticker}/orderbook", depth=0)["orderbook_fp"]
        return found

    def queue_positions(self, moment: Moment) -> dict[str, Decimal]:
        """Read how many contracts are ahead of each resting order."""
        if not moment.orders:
            return {}
        tickers = ",".join(sorted({each["ticker"] for each in moment.orders}))
        found = self.exchange.call("GET", "/portfolio/orders/queue_positions", market_tickers=tickers)
        return {each["order_id"]: Decimal(each["queue_position_fp"]) for each in found["queue_positions"] or ()}

    def turn_day(self) -> None:
        """Begin the day that it is now with what is held at its present value."""
        moment = self.read()
        values = {each.row["ticker"]: each.value or ZERO for each in moment.holdings}
        self.start = DayStart(day_start_ms(self.exchange.now_ms), values)

    def _holding(self, row: Row, market: Row, count: Decimal, resting: list[Row]) -> Holding:
        book = self.book(row["ticker"])
        return Holding(
            row=row,
            market=market,
            count=count,
            cost=Decimal(row["market_exposure_dollars"]),
            realized=Decimal(row["realized_pnl_dollars"]),
            fees=Decimal(row["fees_paid_dollars"]),
            worth=worth_of(market, count, book, resting, self.exchange, self._precision),
        )

    def _day(
        self,
        now: Account,
        fills: list[Row],
        settlements: list[Row],
        markets: dict[str, Row],
        holdings: list[Holding],
    ) -> dict[str, DayPart]:
        """Return what each market has brought since the day began: its flows, and its value now less that of then."""
        then = replay(fills, settlements, markets, self._precision, self.start.at_ms)
        values = {each.row["ticker"]: each.value for each in holdings}
        found = {}
        for ticker, after in now.markets.items():
            before = then.markets.get(ticker)
            flow = after.flow - (before.flow if before else ZERO)
            count = after.fills - (before.fills if before else 0)
            held_before = before is not None and bool(before.count)
            if not count and not held_before:
                continue
            value, start = values.get(ticker, ZERO), self.start.values.get(ticker, ZERO)
            found[ticker] = DayPart(
                gain=None if value is None else flow + value - start,
                fees=after.fees - (before.fees if before else ZERO),
                fills=count,
                traded=after.traded - (before.traded if before else ZERO),
                held=ticker in values,
            )
        return found


def header_figures(moment: Moment) -> dict[str, str]:
    """Return the account in the top line."""
    held, worth = len(moment.holdings), moment.value
    found = {
        "header/cash": exact(moment.cash),
        "header/positions": str(held),
        "header/orders": str(len(moment.orders)),
    }
    if held and worth is not None:
        found["header/worth"] = cents(worth)
    return found


def position_figures(moment: Moment) -> dict[str, str]:
    """Return the list of positions, its totals and the day's line, as a wide screen has them."""
    found: dict[str, str] = {}
    for place, each in enumerate(moment.holdings):
        held, worth = abs(each.count), each.worth
        at = f"{place} {each.row['ticker']}"
        gain = None if worth is None else worth.value - each.cost
        found |= {
            f"position side/{at}": "YES" if each.count > 0 else "NO",
            f"position count/{at}": contracts(held),
            f"position average/{at}": average(each.cost, held),
            f"position best bid/{at}": price(None if worth is None else worth.best, grid_decimals(each.market)),
            f"position P&L now/{at}": cents(gain, signed=True),
            f"position realized/{at}": cents(each.realized, signed=True),
            f"position fees/{at}": cents(each.fees),
            f"position exposure/{at}": cents(each.cost),
            f"position value/{at}": cents(each.value),
        }
        if worth is not None and worth.unsold:
            found[f"position unsold/{at}"] = f"{contracts(worth.unsold)} of {contracts(held)}"
    return found | _total_figures(moment) | _day_figures(moment)


def _total_figures(moment: Moment) -> dict[str, str]:
    closed = [each for each in moment.day.values() if not each.held]
    if not moment.holdings and not closed:
        return {}
    realized_closed = _sum([None if each.gain is None else each.gain + each.fees for each in closed])
    fees_closed = sum((each.fees for each in closed), ZERO)
    found = {}
    if closed:
        found["closed today/count"] = str(len(closed))
        found["closed today/realized"] = cents(realized_closed, signed=True)
        found["closed today/fees"] = cents(fees_closed)
    cost = sum((each.cost for each in moment.holdings), ZERO)
    known = [each.value - each.cost for each in moment.holdings if each.value is not None]
    gain = sum(known, ZERO) if known or not moment.holdings else None
    realized = _sum([realized_closed, *(each.realized for each in moment.holdings)])
    fees = fees_closed + sum((each.fees for each in moment.holdings), ZERO)
    net = None if moment.value is None or realized is None else moment.value - cost + realized - fees
    return found | {
        "total/P&L now": cents(gain, signed=True),
        "total/realized": cents(realized, signed=True),
        "total/fees": cents(fees),
        "total/exposure": cents(cost),
        "total/value": cents(moment.value),
        "total/net": cents(net, signed=True),
    }


def _day_figures(moment: Moment) -> dict[str, str]:
    traded = sum((each.traded for each in moment.day.values()), ZERO)
    gain = moment.day_gain
    return {
        "day/fills": f"{sum(each.fills for each in moment.day.values()):,}",
        "day/contracts": contracts(traded),
        "day/fees": cents(sum((each.fees for each in moment.day.values()), ZERO)),
        "day/gain": "not known" if gain is None else cents(gain, signed=True),
    }
