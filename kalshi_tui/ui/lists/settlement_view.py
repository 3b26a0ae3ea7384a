"""The list of settlements as lines: what markets paid for what was held in them, and the sum. Pure."""

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.domain.price import Count, Money
from kalshi_tui.domain.valuation import sum_if_known
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    cell_count,
    fit,
    line,
    right_align,
)
from kalshi_tui.presentation.names import short_label
from kalshi_tui.presentation.number_text import count_text, date_time_text, money_text
from kalshi_tui.session.store import Store
from kalshi_tui.ui.lists.views import EXTRA_COLUMNS_MIN_WIDTH, money_cell, pnl_tone

RESULT_WIDTH = 7
HELD_WIDTH = 15
MIN_NAME_WIDTH = 8


def settlement_column_heading(width: int) -> str:
    """Return the column headings of `settlement_rows`."""
    time = f"{'settled':<14}" if width >= EXTRA_COLUMNS_MIN_WIDTH else ""
    figures = f"{'cost':>10}{'revenue':>10}{'fees':>9}{'net':>11}"
    return f"{time}{'result':<{RESULT_WIDTH}}{'held':<{HELD_WIDTH}}{figures}  market"


def settlements_in_view(store: Store) -> list[Settlement]:
    """Return what markets have paid to the subaccounts in view, newest first."""
    view = store.account.view
    return [each for each in store.settlements if view.includes(each.subaccount or 0)]


def settlement_rows(store: Store, width: int) -> list[tuple[str, Line]]:
    """Draw the settlements, newest first, each with its ticker, and a line with their sum."""
    paid = settlements_in_view(store)
    rows = [(each.ticker, _settlement_line(store, each, width)) for each in paid]
    if not paid:
        return []
    cost, revenue = sum(each.cost for each in paid), sum(each.revenue for each in paid)
    # A net that leaves markets out would be taken for the whole one.
    fees, net = sum(each.fees for each in paid), sum_if_known(each.net for each in paid)
    time = " " * 14 if width >= EXTRA_COLUMNS_MIN_WIDTH else ""
    count = f"{len(paid)} market{'' if len(paid) == 1 else 's'}"
    total = line(time, Span(f"{'Total':<{RESULT_WIDTH}}", Tone.HEAD), Span(fit(count, HELD_WIDTH), Tone.DIM))
    rounded = any(each.is_rounded for each in paid)
    return [*rows, ("", (*total, *_amount_cells(cost, revenue, fees, net, rounded=rounded)))]


def _settlement_line(store: Store, settled: Settlement, width: int) -> Line:
    result = settled.result.upper() if settled.result in {"yes", "no"} else settled.result
    drawn = line(
        Span(f"{date_time_text(settled.settled_ms):<14}" if width >= EXTRA_COLUMNS_MIN_WIDTH else "", Tone.DIM),
        Span(
            fit(result, RESULT_WIDTH - 1) + " ",
            Tone.BID if result == "YES" else Tone.ASK if result == "NO" else Tone.PLAIN,
        ),
        fit(_held_text(settled.yes_count, settled.no_count), HELD_WIDTH),
        *_amount_cells(settled.cost, settled.revenue, settled.fees, settled.net, rounded=settled.is_rounded),
    )
    market = store.markets.get(settled.ticker)
    room = max(width - cell_count(drawn) - 2, MIN_NAME_WIDTH)
    name = short_label(market, room) if market else _ticker_end(settled.ticker, room)
    return (*drawn, *line(Span(f"  {name}", Tone.DIM)))


def _amount_cells(cost: Money, revenue: Money, fees: Money, net: Money | None, *, rounded: bool) -> Line:
    return line(
        money_cell(cost, 10),
        _payout_cell(revenue, 10, rounded=rounded),
        Span(money_cell(fees, 9), Tone.DIM),
        Span(_about(money_cell(net, 10, signed=True), 11, rounded=rounded and net is not None), pnl_tone(net)),
    )


def _payout_cell(money: Money, width: int, *, rounded: bool) -> str:
    """Return dollars with all their decimals where there is room, or marked where cents are all that is known."""
    exact = money_text(money)
    if rounded or len(exact) >= width:
        return _about(money_cell(money, width - 1), width, rounded=rounded)
    return exact.rjust(width)


def _about(cell: str, width: int, *, rounded: bool) -> str:
    """Return a cell that says whether its amount is known only in whole cents."""
    return f"{'~' if rounded else ''}{cell.lstrip()}".rjust(width)


def _held_text(yes: Count, no: Count) -> str:
    """Return what was held of each outcome."""
    held = [f"{name} {count_text(count)}" for name, count in (("YES", yes), ("NO", no)) if count]
    return " ".join(held) or "nothing"


def _ticker_end(ticker: str, width: int) -> str:
    """Cut a ticker at its beginning: its end tells it from its neighbors."""
    return ticker if len(ticker) <= width else right_align("…" + ticker[len(ticker) - width + 1 :], width)
