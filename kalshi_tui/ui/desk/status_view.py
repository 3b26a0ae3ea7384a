"""The top line: where the orders go, the connection, the account. Pure."""

from collections.abc import Sequence
from typing import Final

from kalshi_tui.domain.link import Link, LinkState, LinkStats, TradingStatus
from kalshi_tui.domain.order import OrderState
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    cell_count,
    fit,
    line,
)
from kalshi_tui.presentation.number_text import (
    NO_VALUE,
    cents_text,
    clock_text,
    money_text,
    time_zone_text,
)
from kalshi_tui.session.account.account_view import AccountView
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.replay import ReplayStatus
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.lists.views import AND_UNREAD

LINK_STATE_TEXT: Final = {
    LinkState.OFFLINE: ("offline", Tone.BAD),
    LinkState.CONNECTING: ("connecting", Tone.WARN),
    # Not "live": that word says on this very line where the orders go.
    LinkState.LIVE: ("connected", Tone.GOOD),
    LinkState.WAITING: ("reconnecting", Tone.WARN),
    LinkState.REFUSED: ("refused", Tone.BAD),
}
WATCHING_TEXT: Final = {
    LinkState.OFFLINE: ("not read yet, watching only", Tone.WARN),
    LinkState.CONNECTING: ("not read yet, watching only", Tone.WARN),
    LinkState.LIVE: ("delayed, watching only", Tone.WARN),
    LinkState.WAITING: ("not read, watching only", Tone.BAD),
    LinkState.REFUSED: ("refused, watching only", Tone.BAD),
}
"""What stands there where prices are read now and then, without a stream."""
SILENT_AFTER_MS: Final = 15_000
"""A link that has brought nothing for so long is said to be silent; pings alone keep it up."""
LATE_READ_MS: Final = 20_000
"""A price that was read longer ago has missed its turn: without a stream it is read every 15 s."""
CACHE_TEXT: Final = "from a cache of up to 15 s"
PAUSED_PARTS_WIDTH: Final = 24
"""Cells for the names of what is paused while other markets trade."""
REPLAY_DATE_MIN_WIDTH: Final = 120
"""From here on a replay's date has room."""
RATE_WIDTH: Final = 9
"""Cells of the message rate, whatever it is, so that nothing beside it moves as it changes."""


def status_line(
    store: Store, venue: Venue, rate: int, pulse: LinkStats, now_ms: int, width: int, badges: Sequence[Span] = ()
) -> Line:
    """Draw the top line. What is worth least goes first where room is short; the venue and its word never do.

    ``badges`` stand beside the venue and stay too: that it is a replay, or is recorded.
    """
    word, tone = (WATCHING_TEXT if store.is_delayed else LINK_STATE_TEXT)[store.connection.state]
    left = [Span(f" {venue.value} ", Tone.VENUE), *badges, Span(f" {word}", tone)]
    live = store.connection.state is LinkState.LIVE
    alarms = _link_warnings(pulse, delayed=store.is_delayed) if live else []
    if store.hours is not TradingStatus.OPEN:
        alarms.insert(0, Span(f"  {store.hours.value}", Tone.BAD))
    elif store.paused_parts:
        alarms.insert(0, Span(f"  PAUSED {fit(', '.join(store.paused_parts), PAUSED_PARTS_WIDTH).rstrip()}", Tone.BAD))
    left += alarms
    account = _account_spans(store, now_ms, width - cell_count(left) - (0 if alarms else RATE_WIDTH))
    room = width - cell_count(left) - cell_count(account)
    detail = f"  {store.connection.detail}  "
    if not live:
        # The log has the sentence too: what has no room here is left out whole.
        left.append(Span(fit(detail if len(detail) <= room else "", room), Tone.DIM))
    else:
        for piece in _link_health_spans(rate, pulse) if not store.is_delayed else ():
            if cell_count([piece]) <= room:
                left.append(piece)
                room -= cell_count([piece])
        left.append(Span(" " * room))
    return line(*left, *account)


def status_badges(recording: str, replay: ReplayStatus | None, width: int) -> list[Span]:
    """Return the badges of a replay, with its position, and of a recording being made."""
    found = []
    if replay is not None:
        found.append(
            Span(f" {replay.status_text if width >= REPLAY_DATE_MIN_WIDTH else replay.short_status_text} ", Tone.WARN)
        )
    if recording:
        found.append(Span(f" {recording} ", Tone.BAD))
    return found


def _link_warnings(pulse: LinkStats, *, delayed: bool) -> list[Span]:
    """Return what is wrong with a link that stands; the account gives way to it."""
    found = []
    if not delayed and pulse.frame_age_ms is not None and pulse.frame_age_ms >= SILENT_AFTER_MS:
        found.append(Span(f"  silent {pulse.frame_age_ms // 1000} s", Tone.WARN))
    if pulse.skew_ms:
        found.append(Span(f"  clock off {pulse.skew_ms / 1000:+.0f} s", Tone.WARN))
    if pulse.untrusted:
        found.append(Span(f"  STALE {pulse.untrusted}", Tone.WARN))
    return found


def _link_health_spans(rate: int, pulse: LinkStats) -> list[Span]:
    """Return what tells how the link does, the most telling first.

    Each always takes the same room, so nothing jumps.
    """
    pace = f"{rate:,}/s" if rate < 10_000 else f"{rate // 1_000}k/s"
    pieces = [Span(f" {pace:<{RATE_WIDTH - 1}}", Tone.DIM)]
    if pulse.lag_ms is not None:
        pieces.append(Span(f"lag {_short_duration_text(pulse.lag_ms)} ", Tone.DIM))
    pieces.append(Span(f"gaps {pulse.faults} healed {pulse.healed}", Tone.DIM))
    return pieces


def link_ages_line(link: Link, pulse: LinkStats, *, delayed: bool = False) -> Line:
    """Return how long ago the last frame and the last ping came; nothing while there is no link.

    ``delayed``: how long ago the oldest of the prices on the screen was read.
    """
    if delayed:
        if pulse.frame_age_ms is None:
            return ()
        late = pulse.frame_age_ms >= LATE_READ_MS or link.state is not LinkState.LIVE
        text = f"read {min(pulse.frame_age_ms // 1_000, 9_999):>4} s ago"
        return line(Span(text, Tone.WARN if late else Tone.DIM))
    if link.state is not LinkState.LIVE or pulse.frame_age_ms is None:
        return ()
    late = pulse.frame_age_ms >= SILENT_AFTER_MS
    ages = f"frame {_short_duration_text(pulse.frame_age_ms)} ping {_short_duration_text(pulse.ping_age_ms)}"
    return line(Span(ages, Tone.WARN if late else Tone.DIM))


def link_text(link: Link, pulse: LinkStats, *, delayed: bool = False) -> str:
    """Return the state of the link in a sentence."""
    if delayed:
        state = "works" if link.state is LinkState.LIVE else "does not work"
        age = pulse.frame_age_ms
        read = f" The oldest on the screen was read {_age_text(age)} ago, {CACHE_TEXT}." if age is not None else ""
        return (
            f"No stream without an API key: prices are read now and then, which {state}.{read} {link.detail}".rstrip()
        )
    ages = [
        f"last {name} {_age_text(age)} ago"
        for name, age in (("frame", pulse.frame_age_ms), ("ping", pulse.ping_age_ms))
        if age is not None
    ]
    lag = [f"lag {pulse.lag_ms} ms"] if pulse.lag_ms is not None else []
    clock = f"the exchange's clock {pulse.skew_ms / 1000:+.1f} s from ours" if pulse.skew_ms else "clocks agree"
    faults = "1 gap or fault" if pulse.faults == 1 else f"{pulse.faults} gaps or faults"
    stale = "1 book" if pulse.untrusted == 1 else f"{pulse.untrusted} books"
    counts = f"{faults} found, {pulse.healed} healed, {stale} stale"
    return f"Link {LINK_STATE_TEXT[link.state][0]}: {', '.join([*lag, *ages, clock])}. {counts}."


def _age_text(ms: int) -> str:
    return f"{ms} ms" if ms < 1_000 else f"{ms // 1000} s"


def _short_duration_text(ms: int | None) -> str:
    """Write a time in six cells; a dash for none yet."""
    if ms is None:
        return "    --"
    return f"{ms:>3} ms" if ms < 1_000 else f"{min(ms // 1_000, 9_999):>4} s"


def subaccount_label(view: AccountView) -> str:
    """Return which subaccounts are shown, and whose the cash behind it is; empty where there is one alone."""
    if view.is_locked:
        return f"sub {view.own_number} (locked) " if view.own_number else "locked sub "
    if not view.several:
        return ""
    return f"all subs, {view.chosen}: " if view.shows_all else f"sub {view.chosen} "


def _account_spans(store: Store, now_ms: int, room: int) -> list[Span]:
    """Return cash, positions, working orders and the hour, as much of them as there is room for."""
    balance = store.balance
    view = store.account.view
    working = [order for order in store.working_orders() if view.includes(order.subaccount)]
    unknown = sum(order.state is OrderState.UNKNOWN for order in working)
    held = len(store.account.positions_in_view()) if store.reads.have(AccountList.POSITIONS) else None
    left_out = store.reads.left_out(AccountList.POSITIONS)
    worth_now = store.valuation.total_held().value if not left_out else None
    value = f" worth {cents_text(worth_now)}" if held and worth_now is not None else ""
    cash = Span(f"{subaccount_label(view)}cash {money_text(balance.cash) if balance else NO_VALUE}")
    # Orders of this program's own may be known before the account has been read: there may be more.
    resting = str(len(working)) if store.reads.have(AccountList.ORDERS) else NO_VALUE
    if store.reads.left_out(AccountList.ORDERS):
        resting += AND_UNREAD
    orders = [Span(f"  orders {resting}", Tone.OWN if working else Tone.DIM)]
    if unknown:
        orders.append(Span(f"  UNKNOWN {unknown}", Tone.BAD))
    hour = Span(f"  {clock_text(now_ms)}", Tone.DIM)
    zoned = Span(f"  {clock_text(now_ms)} {time_zone_text(now_ms)}", Tone.DIM)
    positions = NO_VALUE if held is None else f"{held}{AND_UNREAD if left_out else ''}"
    many = Span(f"  positions {positions}", Tone.PLAIN if held else Tone.DIM)
    worth = Span(f"  positions {positions}{value}")
    end = Span(" ")
    for spans in (
        [cash, worth, *orders, zoned, end],
        [cash, worth, *orders, hour, end],
        [cash, many, *orders, hour, end],
        [cash, *orders, hour, end],
        [cash, *orders, end],
    ):
        if cell_count(spans) <= room:
            break
    return spans
