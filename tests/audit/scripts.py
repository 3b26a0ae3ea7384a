"""Scripted accounts: what is done at the exchange, step by step; after each step the audit looks at every figure."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.audit.arithmetic import moment_ms
from tests.audit.exchange import AuditError, AuditExchange

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True)
class Markets:
    """Tickers that stay open for a week, by what is special about them."""

    cent: list[str]
    tapered: list[str]
    tenths: list[str]
    scalar: list[str]

    @classmethod
    def of(cls, exchange: AuditExchange) -> "Markets":
        """Choose among what is listed; combos are left out, and what closes before the next week or hour."""
        by_grid: dict[str, list[str]] = {}
        soon: dict[str, list[str]] = {}
        scalar = []
        for each in exchange.every("/markets", "markets", status="open", mve_filter="exclude"):
            left_ms = moment_ms(each["close_time"]) - exchange.now_ms
            grid = each["price_level_structure"]
            if left_ms < HOUR_MS or each["exchange_index"]:
                continue
            if each["market_type"] == "scalar":
                scalar.append(each["ticker"])
            else:
                (by_grid if left_ms > 7 * DAY_MS else soon).setdefault(grid, []).append(each["ticker"])
        tapered = by_grid["tapered_deci_cent"]
        # Those of tenths everywhere end with each day; where there are none, the edges of others will do.
        return cls(by_grid["linear_cent"], tapered, soon.get("deci_cent", tapered[20:]), scalar)


def short(exchange: AuditExchange) -> Iterator[str]:
    """Buy a part of a contract, rest behind an own bid, go through zero, and settle."""
    markets = Markets.of(exchange)
    cent, tenth = markets.tapered[0], markets.tenths[0]
    exchange.quote(cent, "ask", "0.4200", "500.00")
    exchange.quote(cent, "bid", "0.3800", "20.00")
    exchange.quote(cent, "bid", "0.3500", "300.00")
    exchange.order(cent, "bid", "0.4200", "30.37")
    exchange.order(cent, "bid", "0.4100", "1.00")
    exchange.quote(tenth, "bid", "0.9870", "40.00")
    exchange.order(tenth, "ask", "0.9870", "12.03")
    yield "a part of a contract, an own bid before the others', a NO at a tenth of a cent"
    exchange.order(cent, "ask", "0.3500", "50.00")
    yield "through zero"
    exchange.control("settle", ticker=tenth, result="yes")
    yield "a market settled"


def prices(exchange: AuditExchange) -> Iterator[str]:
    """Hold parts of contracts at parts of cents, own bids, strangers' tiny bids, and more than the book takes."""
    markets = Markets.of(exchange)
    cent, taper, tenth = markets.cent[0], markets.tapered[0], markets.tenths[0]
    yield "nothing held"
    exchange.quote(cent, "ask", "0.4200", "100.00")
    exchange.quote(cent, "bid", "0.3800", "50.00")
    exchange.order(cent, "bid", "0.4200", "30.00")
    yield "30 bought"
    exchange.order(cent, "bid", "0.4200", "2.37")
    yield "2.37 more"
    exchange.order(cent, "bid", "0.4100", "1.00")
    yield "an own bid before the others'"
    exchange.quote(cent, "bid", "0.4100", "0.50")
    yield "half a contract bid by a stranger at the same price"
    exchange.cancel_all(exchange.other, cent)
    yield "no bid but the own one"
    exchange.cancel_all(exchange.audited)
    yield "no bid at all"
    exchange.quote(cent, "bid", "0.0500", "12.00")
    yield "a bid for a part"
    exchange.quote(taper, "ask", "0.0470", "800.00")
    exchange.quote(taper, "bid", "0.0410", "313.31")
    exchange.order(taper, "bid", "0.0470", "411.11")
    yield "parts of a cent"
    exchange.quote(tenth, "bid", "0.9970", "60.00")
    exchange.quote(tenth, "ask", "0.9990", "70.00")
    exchange.order(tenth, "ask", "0.9970", "55.05")
    yield "NO at three tenths of a cent"
    exchange.order(tenth, "bid", "0.9990", "0.01")
    yield "a hundredth of a contract closed"
    for number in range(7):
        exchange.order(tenth, "bid", "0.9990", f"0.{number + 1:02d}")
        yield f"0.0{number + 1} closed"


def through_zero(exchange: AuditExchange) -> Iterator[str]:
    """Sell more than is held, close, reopen, rest closing orders of twice the holding."""
    markets = Markets.of(exchange)
    first, second = markets.cent[1], markets.tapered[1]
    for ticker, low, high in ((first, "0.4700", "0.5300"), (second, "0.3000", "0.3400")):
        exchange.quote(ticker, "bid", low, "2500.00")
        exchange.quote(ticker, "ask", high, "2500.00")
    exchange.order(first, "bid", "0.5300", "10.00")
    yield "10 YES"
    exchange.order(first, "ask", "0.4700", "25.50")
    yield "through zero to 15.50 NO"
    exchange.order(first, "bid", "0.5300", "15.50")
    yield "closed"
    exchange.order(first, "ask", "0.4700", "3.33")
    yield "reopened as NO"
    exchange.order(first, "bid", "0.5300", "10.00")
    yield "through zero again"
    exchange.order(second, "bid", "0.3400", "1000.00")
    yield "1,000 YES"
    exchange.order(second, "ask", "0.5500", "1000.00")
    exchange.order(second, "ask", "0.5600", "1000.00")
    yield "two sells of all resting"
    exchange.quote(second, "bid", "0.5500", "200.00")
    yield "one of them part filled"
    exchange.cancel_all(exchange.audited)
    yield "canceled"
    exchange.order(second, "ask", "0.3000", "800.00")
    yield "closed too"


def settled(exchange: AuditExchange) -> Iterator[str]:
    """Hold both outcomes to the end: yes, no, and a value between, after what was closed before."""
    markets = Markets.of(exchange)
    chosen = [*markets.cent[2:5], *markets.tapered[2:5], *markets.scalar[:1]]
    results = ["yes", "no", "0.3700", "yes", "no", "0.4225", "0.6150"]
    for place, ticker in enumerate(chosen):
        exchange.quote(ticker, "bid", "0.4400", "900.00")
        exchange.quote(ticker, "ask", "0.4800", "900.00")
        exchange.order(ticker, *(("bid", "0.4800") if place % 2 else ("ask", "0.4400")), f"{17 + 11 * place}.{place}3")
        exchange.order(ticker, *(("ask", "0.4400") if place % 3 else ("bid", "0.4800")), f"{5 + place}.50")
    yield "seven markets held"
    for ticker, result in zip(chosen, results, strict=True):
        exchange.control("settle", ticker=ticker, result=result)
        yield f"{ticker} settled {result}"


def nights(exchange: AuditExchange) -> Iterator[str]:
    """Hold over night, and trade on the day after; a step that ends with "midnight" has turned the day."""
    markets = Markets.of(exchange)
    ticker, other = markets.tapered[6], markets.tapered[7]
    for each in (ticker, other):
        exchange.quote(each, "bid", "0.6100", "400.00")
        exchange.quote(each, "ask", "0.6400", "400.00")
        exchange.order(each, "bid", "0.6400", "120.25")
    yield "held in the evening"
    yield "midnight"
    exchange.quote(ticker, "bid", "0.6300", "1000.00")
    yield "bid up after midnight"
    exchange.order(ticker, "ask", "0.6300", "60.00")
    yield "a part sold after midnight"
    exchange.order(other, "ask", "0.6100", "120.25")
    yield "the other closed after midnight"
    exchange.control("settle", ticker=ticker, result="no")
    yield "settled after midnight"


def late(exchange: AuditExchange) -> Iterator[str]:
    """Trade while replies come late, the stream is cut, and frames are lost or come twice."""
    ticker = Markets.of(exchange).tapered[12]
    exchange.quote(ticker, "bid", "0.3300", "700.00")
    exchange.quote(ticker, "ask", "0.3600", "700.00")
    exchange.control("delay_responses", ms=700, count=8)
    exchange.order(ticker, "bid", "0.3600", "40.40")
    yield "bought while replies come late"
    exchange.control("drop_connections")
    exchange.order(ticker, "ask", "0.3300", "20.20")
    yield "a part sold while the stream is cut"
    exchange.control("skip_frames", count=2)
    exchange.quote(ticker, "bid", "0.3400", "5.00")
    exchange.order(ticker, "ask", "0.3500", "3.00")
    # A lost frame is noticed by the number of the next one: without it no client can know.
    exchange.quote(ticker, "bid", "0.3200", "5.00")
    yield "a bid and an own order whose frames are lost"
    exchange.control("duplicate_frame", count=3)
    exchange.control("delay_responses", ms=700, count=8)
    exchange.order(ticker, "ask", "0.3400", "1.01")
    yield "frames twice and replies late"
    exchange.control("delay_responses", ms=1_500, count=6)
    exchange.control("settle", ticker=ticker, result="yes")
    yield "settled while replies come late"


RANDOM_PRICES = {
    "cent": ["0.0300", "0.2500", "0.4700", "0.5000", "0.5300", "0.8100", "0.9700"],
    "tapered": ["0.0130", "0.0670", "0.4100", "0.5900", "0.9320", "0.9870"],
    "tenths": ["0.0040", "0.1230", "0.4990", "0.5010", "0.8770", "0.9960"],
}
RANDOM_COUNTS = ["0.01", "0.33", "1.00", "7.50", "40.00", "250.00", "999.99"]


def random_history(exchange: AuditExchange, seed: int, steps: int) -> Iterator[str]:
    """Trade and quote at random; every refusal is passed over."""
    rng = Random(seed)
    markets = Markets.of(exchange)
    choices = [(each, "cent") for each in markets.cent[8:11]]
    choices += [(each, "tapered") for each in markets.tapered[8:11]]
    choices += [(each, "tenths") for each in markets.tenths[3:5]]
    for number in range(steps):
        ticker, grid = rng.choice(choices)
        side, price = rng.choice(["bid", "ask"]), rng.choice(RANDOM_PRICES[grid])
        count = rng.choice(RANDOM_COUNTS)
        if rng.random() < 0.08:
            who = rng.choice([exchange.audited, exchange.other])
            exchange.cancel_all(who, ticker)
            yield f"step {number}: all canceled in {ticker}"
            continue
        who = exchange.audited if rng.random() < 0.5 else exchange.other
        ioc = {"time_in_force": "immediate_or_cancel"} if rng.random() < 0.3 else {}
        try:
            exchange.order(ticker, side, price, count, who=who, **ioc)
        except AuditError:
            continue
        whose = "own" if who is exchange.audited else "other's"
        yield f"step {number}: {whose} {side} {count} at {price} in {ticker}"


def busy(exchange: AuditExchange, seed: int, steps: int) -> Iterator[str]:
    """Trade with the simulated participants; for each look trading is paused, so that no figure moves."""
    rng = Random(seed)
    markets = Markets.of(exchange)
    tickers = [*markets.cent[:2], *markets.tapered[:3], *markets.tenths[5:7]]
    for number in range(steps):
        done = []
        for _ in range(rng.randint(1, 3)):
            ticker, side = rng.choice(tickers), rng.choice(["bid", "ask"])
            count = rng.choice(["1.00", "0.37", "12.50", "60.00", "300.00"])
            listed = exchange.call("GET", f"/markets/{ticker}")["market"]
            # At the other side's price it fills, at its own side's it waits for a taker.
            price = listed[rng.choice(["yes_bid_dollars", "yes_ask_dollars"])]
            try:
                exchange.order(ticker, side, price, count)
            except AuditError:
                continue
            done.append(f"{side} {count} at {price} in {ticker}")
        if rng.random() < 0.2:
            exchange.cancel_all(exchange.audited)
            done.append("all canceled")
        exchange.wait_for_trades(20)
        exchange.control("pause_trading")
        yield f"step {number}: {done[0] if done else 'nothing sent'}"
        exchange.control("resume_trading")
