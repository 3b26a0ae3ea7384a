"""The list of positions as lines: what did not agree, the positions, their total, the day's total. Pure."""

from kalshi_tui.domain.day_gain import DayGain
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Money
from kalshi_tui.domain.trading_day import day_start_ms
from kalshi_tui.domain.valuation import sum_if_known
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
    right_align,
    wrap,
)
from kalshi_tui.presentation.number_text import NO_VALUE, cents_text, clock_text, contracts_text
from kalshi_tui.session.account.account_snapshot import AccountSnapshot
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.store import Store
from kalshi_tui.ui.lists.views import (
    EXTRA_COLUMNS_MIN_WIDTH,
    money_cell,
    pnl_tone,
    position_line,
    unsold_text,
)

WARNING_SIGN = "! "


def position_row_key(position: Position) -> str:
    """Return what tells a position's line from the others: two subaccounts may hold the same market."""
    return f"{position.ticker} {position.subaccount}" if position.subaccount else position.ticker


def position_rows(store: Store, width: int) -> list[tuple[str, Line]]:
    """Draw the list; each line with the ticker of its position, which is empty for a line that is none's."""
    rows = [("", each) for each in difference_lines(store, width)]
    unread = store.why_unread(AccountList.POSITIONS) or store.reads.left_out_text(AccountList.POSITIONS)
    snapshot = store.valuation.snapshot()
    for each in snapshot.held:
        rows.append((position_row_key(each.position), position_line(store, each, width)))
        if unsold := unsold_text(each):
            rows.append(("", line(Span(f"      {unsold}", Tone.WARN))))
    if snapshot.closed:
        rows.append(("", closed_line(snapshot)))
    if snapshot.held or snapshot.closed:
        # A total of what is known so far would be taken for that of the account.
        rows += [] if unread else [("", each) for each in total_lines(snapshot, width)]
    if unread:
        rows.append(("", line(Span(unread, Tone.WARN))))
    elif not snapshot.held and not snapshot.closed:
        rows.append(("", line(Span("No positions.", Tone.DIM))))
    return [*rows, *(("", each) for each in day_lines(store, snapshot.day, width))]


def difference_lines(store: Store, width: int) -> list[Line]:
    """Return where the account as streamed and as read did not agree, each in full."""
    return [
        line(Span((WARNING_SIGN if not place else " " * len(WARNING_SIGN)) + text, Tone.WARN))
        for sentence in store.account_differences
        for place, text in enumerate(wrap(sentence, max(width - len(WARNING_SIGN), 20)))
    ]


def closed_line(snapshot: AccountSnapshot) -> Line:
    """Sum up what was closed today, under the columns of realized gain and fees."""
    realized = sum_if_known(each.realized for each in snapshot.closed)
    return line(
        Span(f"{f'Closed today  {len(snapshot.closed)}':<29}", Tone.DIM),
        " " * 10,
        Span(money_cell(realized, 10, signed=True)),
        Span(money_cell(sum(each.fees for each in snapshot.closed), 9)),
    )


def total_lines(snapshot: AccountSnapshot, width: int) -> list[Line]:
    """Sum the positions up under their columns.

    The P&L is of those whose value is known; how many these are is said where it is not all of them. The net is what
    these positions have brought since they were opened, and those that were closed today on this day: P&L now and
    realized, less the fees paid.
    """
    total = snapshot.total
    gains = [each.gain for each in snapshot.held if each.gain is not None]
    gain: Money | None = sum(gains) if gains or not total.held else None
    marked = "" if total.known == total.held else f"P&L of {total.known} of {total.held}"
    figures = line(
        Span("Total", Tone.HEAD),
        Span(right_align(marked, 24), Tone.WARN),
        Span(money_cell(gain, 10, signed=True), pnl_tone(gain)),
        Span(money_cell(total.realized, 10, signed=True)),
        Span(money_cell(total.fees, 9)),
    )
    net = (Span("net "), Span(_cents_or_unknown(total.net, signed=True), pnl_tone(total.net)))
    if width >= EXTRA_COLUMNS_MIN_WIDTH:
        return [line(*figures, money_cell(total.cost, 11), money_cell(total.value, 11), "  ", *net)]
    sums = f"      exposure {cents_text(total.cost)}, value {_cents_or_unknown(total.value)}, "
    return [figures, line(sums, *net)]


def _cents_or_unknown(money: Money | None, *, signed: bool = False) -> str:
    return NO_VALUE if money is None else cents_text(money, signed=signed)


def day_lines(store: Store, day: DayGain | None, width: int) -> list[Line]:
    """Return what this day has brought, and why where it is not known; nothing while it has not been read."""
    if day is None:
        return []
    why = wrap(day.why, max(width - len(WARNING_SIGN), 20)) if day.gain is None and day.why else []
    return [day_line(store, day), *(line(Span(f"  {text}", Tone.WARN)) for text in why)]


def day_line(store: Store, day: DayGain) -> Line:
    """Return what this day has brought in one line."""
    # It is of all subaccounts, which has to be said where the lines above are of one.
    whole = store.account.view.scope is not None and store.account.view.several
    fills = f"{day.fills:,} fill{'' if day.fills == 1 else 's'}"
    traded = (
        f"{'All subs today' if whole else 'Today'}  {fills}, {contracts_text(day.bought + day.sold)}, "
        f"fees {cents_text(day.fees)}, {'' if whole else 'account '}"
    )
    gain = "not known" if day.gain is None else cents_text(day.gain, signed=True)
    at_start = day.since_ms == day_start_ms(day.since_ms)
    since = f" since {'00:00 ET' if at_start else clock_text(day.since_ms)[:5]}"
    return line(traded, Span(gain, pnl_tone(day.gain)), since if day.gain is not None else "")
