"""The list of settlements as lines: what markets paid for what was held in them, and the sum. Pure."""

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.domain.price import Count, Money
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    length,
    line,
    right,
)
from kalshi_tui.presentation.numbers import count_text, date_text
from kalshi_tui.session.store import Store
from kalshi_tui.ui.lists.views import ROOMY, gain_tone, money_cell
from kalshi_tui.ui.market_list.view import short_label

RESULT = 7
HELD = 15
LEAST_NAME = 8


def settlement_columns(width: int) -> str:
    """Name the columns of `settlement_rows`."""
    time = f"{'settled':<14}" if width >= ROOMY else ""
    figures = f"{'cost':>10}{'revenue':>10}{'fees':>9}{'net':>11}"
    return f"{time}{'result':<{RESULT}}{'held':<{HELD}}{figures}  market"


def settlement_rows(store: Store, width: int) -> list[tuple[str, Line]]:
    """Draw the settlements, newest first, each with its ticker, and a line with their sum."""
    paid = store.settlements
    rows = [(each.ticker, _settlement_line(store, each, width)) for each in paid]
    if not paid:
        return []
    cost, revenue = sum(each.cost for each in paid), sum(each.revenue for each in paid)
    fees, net = sum(each.fees for each in paid), sum(each.net for each in paid)
    time = " " * 14 if width >= ROOMY else ""
    count = f"{len(paid)} market{'' if len(paid) == 1 else 's'}"
    total = line(time, Span(f"{'Total':<{RESULT}}", Tone.HEAD), Span(fit(count, HELD), Tone.DIM))
    return [*rows, ("", (*total, *_figures(cost, revenue, fees, net)))]


def _settlement_line(store: Store, settled: Settlement, width: int) -> Line:
    result = settled.result.upper() if settled.result in {"yes", "no"} else settled.result
    drawn = line(
        Span(f"{date_text(settled.settled_ms):<14}" if width >= ROOMY else "", Tone.DIM),
        Span(
            fit(result, RESULT - 1) + " ", Tone.BID if result == "YES" else Tone.ASK if result == "NO" else Tone.PLAIN
        ),
        fit(_held(settled.yes_count, settled.no_count), HELD),
        *_figures(settled.cost, settled.revenue, settled.fees, settled.net),
    )
    market = store.markets.get(settled.ticker)
    room = max(width - length(drawn) - 2, LEAST_NAME)
    name = short_label(market, room) if market else _end(settled.ticker, room)
    return (*drawn, *line(Span(f"  {name}", Tone.DIM)))


def _figures(cost: Money, revenue: Money, fees: Money, net: Money) -> Line:
    return line(
        money_cell(cost, 10),
        money_cell(revenue, 10),
        Span(money_cell(fees, 9), Tone.DIM),
        Span(money_cell(net, 11, signed=True), gain_tone(net)),
    )


def _held(yes: Count, no: Count) -> str:
    """Say what was held of each outcome."""
    held = [f"{name} {count_text(count)}" for name, count in (("YES", yes), ("NO", no)) if count]
    return " ".join(held) or "nothing"


def _end(ticker: str, width: int) -> str:
    """Cut a ticker at its beginning: its end tells it from its neighbours."""
    return ticker if len(ticker) <= width else right("…" + ticker[len(ticker) - width + 1 :], width)
