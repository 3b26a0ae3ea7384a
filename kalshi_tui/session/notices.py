"""`Notices`: the log of what has happened, each event once; also the source of the message line.

The store reports fills, ends of orders, closes and settlements as they come, from the stream or from a read. This
module decides whether the event has been announced already, and writes the sentence with the market's name.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, overload

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import (
    Action,
    Fill,
    Order,
    OrderState,
)
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Money
from kalshi_tui.domain.text import in_subaccount, plain_count_text, plain_money_text, plain_price_text
from kalshi_tui.session.changes import ChangeLog, Topic
from kalshi_tui.session.timing import SessionTime

MAX_TEXT: Final = 400
"""Characters; a long text from the exchange must not push everything else out of the log."""
MAX_NOTICES: Final = 500
EARLIER_MS: Final = 15_000
"""A fill that is read when it is older than this is announced as an earlier one."""
ENDS: Final = {OrderState.CANCELED: "Canceled", OrderState.EXPIRED: "Expired"}


class Severity(Enum):
    """How serious a notice is: its sign and color in the log."""

    INFO = "info"
    GOOD = "good"
    WARNING = "warning"
    ERROR = "error"


class NoticeKind(Enum):
    """What a notice is about."""

    MESSAGE = "message"
    """Whatever has no kind of its own: an answer to a command, the connection, a defect."""
    FILL = "fill"
    PARTIAL_FILL = "partial fill"
    EXPIRED = "expired"
    CANCELED = "canceled"
    CLOSED = "closed"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened, in which market. ``at_ms`` is this machine's Unix time, ``market`` the market's name."""

    at_ms: int
    severity: Severity
    said: str
    kind: NoticeKind = NoticeKind.MESSAGE
    ticker: str = ""
    market: str = ""

    @property
    def text(self) -> str:
        """The whole line, the market's name last: on a narrow screen it is what is cut."""
        return f"{self.said.removesuffix('.')} - {self.market}" if self.market else self.said


@dataclass(slots=True)
class _Held:
    """What came of an order while a command waited for its answer. The answer will announce it."""

    fills: bool
    """Whether fills are held back too."""
    came: list[tuple[Fill, Order | None]] = field(default_factory=list)
    end: Order | None = None


class Notices(Sequence[Notice]):
    """The notices, newest first, and which events have been announced."""

    def __init__(self, time: SessionTime, name_of: Callable[[str], str], changes: ChangeLog) -> None:
        """Start an empty log. ``name_of`` names a market by its ticker, empty if it is not known yet."""
        self._time = time
        self._name_of = name_of
        self._changes = changes
        self._started_ms = time.local_ms()
        self._notices: deque[Notice] = deque(maxlen=MAX_NOTICES)
        self._nameless: set[str] = set()
        """Tickers of notices whose markets were not known yet."""
        self._held: dict[str, _Held] = {}
        """By client order id, else order id."""
        self._announced_ahead: dict[str, Count] = {}
        """By order id, how much of an order was announced as filled before its fills came."""
        self._journaled: dict[str, Count] = {}
        """Orders of an earlier run that were open when it ended, and how much was known to be filled then."""
        self._journaled_tickers: set[str] = set()
        self._ended: set[str] = set()
        self._closed: set[tuple[str, int]] = set()
        self._settled: set[tuple[str, int, int | None]] = set()

    @overload
    def __getitem__(self, index: int) -> Notice: ...
    @overload
    def __getitem__(self, index: slice) -> list[Notice]: ...
    def __getitem__(self, index: int | slice) -> Notice | list[Notice]:
        """Return a notice, or several; the newest is the first."""
        return list(self._notices)[index] if isinstance(index, slice) else self._notices[index]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._notices)

    def __iter__(self) -> Iterator[Notice]:
        """Iterate over them, newest first."""
        return iter(self._notices)

    def clear(self) -> None:
        """Remove the lines; what has been announced is not announced again."""
        self._notices.clear()

    def say(self, severity: Severity, said: str, *, kind: NoticeKind = NoticeKind.MESSAGE, ticker: str = "") -> None:
        """Add a line, with the name of the market that it is about."""
        if len(said) > MAX_TEXT:
            said = said[: MAX_TEXT - 1] + "…"
        market = self._name_of(ticker) if ticker else ""
        if ticker:
            # The line ends in the market's name, which says more than its ticker.
            said = said.replace(f" in {ticker}", "", 1)
        if ticker and not market:
            self._nameless.add(ticker)
        notice = Notice(self._time.local_ms(), severity, said, kind, ticker, market or ticker)
        if kind is NoticeKind.MESSAGE and self._notices and self._notices[0].text == notice.text:
            # The same message again: only the newest is kept, so that repeats do not push other lines out of the log.
            self._notices.popleft()
        self._notices.appendleft(notice)
        self._changes.mark(Topic.NOTICES)

    def name(self, listed: Container[str]) -> None:
        """Put the names of markets that are listed now into the lines that were written without them."""
        named = {ticker: self._name_of(ticker) for ticker in self._nameless if ticker in listed}
        if not named:
            return
        self._nameless -= named.keys()
        for place, notice in enumerate(self._notices):
            if notice.ticker in named:
                self._notices[place] = replace(notice, market=named[notice.ticker])
        self._changes.mark(Topic.NOTICES)

    # Events that something else announces.

    def add_journaled(self, order: Order) -> None:
        """Note an open order of an earlier run: announce what has become of it since, and not what was known before."""
        self._journaled[order.client_order_id] = order.filled
        self._journaled_tickers.add(order.ticker)

    def hold(self, order: Order, *, fills: bool = False) -> None:
        """Hold back an order's end, and with ``fills`` its fills: the answer to a command is about to announce them."""
        self._held.setdefault(_key(order), _Held(fills))

    def release(self, order: Order, *, ahead: Count | None = None, end_told: bool = True) -> None:
        """Stop holding back, after the answer was announced; announce now what it left out.

        ``ahead`` is how much it announced as filled before the fills came; None if it announced no fills.
        """
        held = self._held.pop(_key(order), None)
        if ahead:
            self._announced_ahead[order.order_id] = ahead
        if held is None:
            return
        for fill, known in held.came if ahead is None else ():
            self._announce_fill(fill, known, earlier=False)
        if held.end is not None and not end_told:
            self.ended(held.end)

    # What happens.

    def filled(self, fill: Fill, order: Order | None, *, read: bool) -> None:
        """Announce a fill that was not known. ``read``: it comes from a read, not the stream, and may be an old one."""
        if read and not self._is_news(fill, order):
            return
        held = self._held.get(_name(fill, order) or fill.order_id)
        if held is not None and held.fills:
            held.came.append((fill, order))
            return
        ahead = self._announced_ahead.get(fill.order_id, 0)
        if 0 < fill.count <= ahead:
            self._announced_ahead[fill.order_id] = ahead - fill.count
            return
        self._announce_fill(fill, order, earlier=read and fill.ts_ms < self._time.exchange_ms() - EARLIER_MS)

    def _is_news(self, fill: Fill, order: Order | None) -> bool:
        """Return whether a fill that was read happened since this start, or since an earlier run knew its order."""
        name = _name(fill, order)
        known = self._journaled.get(name)
        if known is None:
            return fill.ts_ms > self._started_ms + self._time.skew_ms
        # Reads come oldest first: what the earlier run knew is the first of them.
        self._journaled[name] = max(known - fill.count, 0)
        return fill.count > known

    def _announce_fill(self, fill: Fill, order: Order | None, *, earlier: bool) -> None:
        part = order is not None and order.filled < order.initial
        left = order.remaining if order is not None else 0
        words = _words(fill, fill.count, done=True)
        head = "Partly filled" if part else "Filled"
        words += in_subaccount(fill.subaccount)
        said = f"{head}{' earlier' if earlier else ''}: {words}{f', {plain_count_text(left)} left' if left else ''}"
        kind = NoticeKind.PARTIAL_FILL if part else NoticeKind.FILL
        self.say(Severity.WARNING if earlier else Severity.GOOD, said, kind=kind, ticker=fill.ticker)

    def filled_whole(self, order: Order, missing_count: Count) -> None:
        """Announce an order as filled although fills of ``missing_count`` of its contracts cannot be found."""
        if _key(order) in self._held:
            return
        # If these fills come after all, they have been announced.
        self._announced_ahead[order.order_id] = missing_count
        words = _words(order, order.initial)
        words += in_subaccount(order.subaccount)
        self.say(Severity.WARNING, f"Filled earlier: {words}", kind=NoticeKind.FILL, ticker=order.ticker)

    def ended(self, order: Order) -> None:
        """Announce an order that was canceled or has expired, unless the answer to a command announces it."""
        if order.state not in ENDS or _key(order) in self._ended:
            return
        held = self._held.get(_key(order))
        if held is not None:
            held.end = order
            return
        self._ended.add(_key(order))
        words = _words(order, order.initial)
        why = f" ({order.reason.removesuffix('.')})" if order.reason else ""
        words += in_subaccount(order.subaccount)
        said = f"{ENDS[order.state]}: {words}, {plain_count_text(order.filled)} filled{why}"
        kind = NoticeKind.EXPIRED if order.state is OrderState.EXPIRED else NoticeKind.CANCELED
        self.say(Severity.WARNING, said, kind=kind, ticker=order.ticker)

    def has_told_end(self, order: Order) -> bool:
        """Return whether an order's end has been announced."""
        return _key(order) in self._ended

    def closed(self, market: Market, positions: Iterable[Position]) -> None:
        """Announce that a market with a position or an order takes no more orders."""
        key = market.ticker, market.close_ms
        if key in self._closed:
            return
        self._closed.add(key)
        words = [
            f"{_held_words(each.count, -each.count)}{in_subaccount(each.subaccount)}"
            for each in positions
            if each.count
        ]
        held = f", you hold {', '.join(words)}" if words else ""
        self.say(Severity.WARNING, f"Closed: no more trading{held}", kind=NoticeKind.CLOSED, ticker=market.ticker)

    def settled(self, settlements: Iterable[Settlement]) -> None:
        """Announce what settled markets have paid since the start; older ones if an earlier run had an order there.

        ``settlements`` are all that were read, newest first.
        """
        for each in reversed(list(settlements)):
            key = each.ticker, each.settled_ms, each.subaccount
            if key in self._settled:
                continue
            self._settled.add(key)
            if each.settled_ms <= self._started_ms + self._time.skew_ms and each.ticker not in self._journaled_tickers:
                continue
            held = _held_words(each.yes_count, each.no_count)
            about = "about " if each.is_rounded else ""
            paid = about + _dollars(each.revenue)
            net = "not known yet" if each.net is None else about + _dollars(each.net, signed=True)
            where = in_subaccount(each.subaccount or 0)
            said = f"Settled {each.result.upper()}{where}: held {held}, paid {paid}, net {net}"
            self.say(
                Severity.WARNING if each.net is None or each.net < 0 else Severity.GOOD,
                said,
                kind=NoticeKind.SETTLED,
                ticker=each.ticker,
            )


def _key(order: Order) -> str:
    return order.client_order_id or order.order_id


def _name(fill: Fill, order: Order | None) -> str:
    """Return the client order id of a fill's order; fills that are read do not have it themselves."""
    return fill.client_order_id or (order.client_order_id if order is not None else "")


def _words(shown: Order | Fill, count: Count, *, done: bool = False) -> str:
    """Return ``buy 10 YES at $0.42``, or ``bought ...`` if done; without the verb where it is not known here."""
    action, side, price = shown.as_meant
    past = {Action.BUY: "bought", Action.SELL: "sold"}
    verb = "" if action is None else f"{past[action] if done else action.value} "
    return f"{verb}{plain_count_text(count)} {side.name} at ${plain_price_text(price)}"


def _held_words(yes: Count, no: Count) -> str:
    held = [f"{plain_count_text(count)} {side}" for side, count in (("YES", yes), ("NO", no)) if count > 0]
    return " and ".join(held) or "nothing"


def _dollars(money: Money, *, signed: bool = False) -> str:
    sign = "-" if money < 0 else "+" if signed else ""
    return f"{sign}${plain_money_text(abs(money))}"
