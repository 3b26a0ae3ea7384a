"""Risk checks: why an order should not be sent as it stands, and what it takes to send it all the same.

The screen shows the violations and asks; the session checks again at the moment of sending, so that nothing can slip in
between a look and a key.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from kalshi_tui.domain.limits import THROUGH_LIMIT, DailyVolume, RiskLimits, find_limit_breaches
from kalshi_tui.domain.order import BookSide, Order, OrderState, OrderTerms
from kalshi_tui.domain.text import order_count_text, order_text
from kalshi_tui.domain.trading_day import day_start_ms
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.execution.journal import JournalError
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue

UNREAD_ORDERS: Final = "unread orders"
"""The subject of a limit that cannot be measured, because orders in the journal cannot be read."""


class OverrideMethod(Enum):
    """What it takes to send an order in spite of a violation."""

    NEVER = auto()
    WORD = auto()
    """A word has to be typed."""
    YES = auto()
    """A question has to be answered with yes."""


class RiskReason(Enum):
    """Why an order should not be sent as it stands. The values are the words that ``--json`` prints."""

    READ_ONLY = "read-only"
    JOURNAL = "journal"
    """The order, or what the limits are measured by, cannot be written down or read back."""
    LIVE = "live"
    """Real money, which nobody has confirmed in this session."""
    ACCOUNT_UNREAD = "account"
    STALE_BOOK = "stale"
    AFTER_CANCEL_ALL = "after cancel-all"
    """The minute after all orders were canceled with one call."""
    SIMILAR_ORDER = "alike"
    """Another order like it may be live. The subject is that order's client order id."""
    LIMIT = "limit of"
    """One of the trader's limits. The subject names it."""


@dataclass(frozen=True, slots=True)
class Risk:
    """A reason, and what it is about. Acknowledging a risk acknowledges every violation that carries an equal one."""

    reason: RiskReason
    subject: str = ""


LIVE_RISK: Final = Risk(RiskReason.LIVE)


@dataclass(frozen=True, slots=True)
class RiskViolation:
    """A risk of one order, in words, and what it takes to send the order all the same."""

    risk: Risk
    override: OverrideMethod
    sentence: str
    word: str = ""
    """What has to be typed, where a word passes."""


class RiskChecks:
    """Checks orders against the trader's limits, and whether anything may be sent at all."""

    def __init__(
        self,
        store: Store,
        venue: Venue,
        limits: RiskLimits | None = None,
        *,
        read_only_reason: str = "",
        clock_ms: Callable[[], int],
        sent_since: Callable[[int], DailyVolume] = lambda _: DailyVolume(),
        unwritable: Callable[[], str] = str,
        lost: Callable[[], Mapping[str, str]] = dict,
        after_cancel_all: Callable[[OrderTerms], str] = lambda _: "",
    ) -> None:
        """Take what is checked against; ``sent_since`` sums what was sent since a Unix time in milliseconds.

        ``unwritable`` returns why no order can be written down, empty if it can; ``lost`` returns the client order ids
        of orders that are looked for and about which no more is known, and their markets or ''. ``after_cancel_all``
        returns why a new order had better wait after a cancel of all, empty if it need not.
        """
        self._after_cancel_all = after_cancel_all
        self._store = store
        self._venue = venue
        self._limits = limits or RiskLimits()
        self.read_only_reason = read_only_reason
        self._clock_ms = clock_ms
        self._sent_since = sent_since
        self._unwritable = unwritable
        self._lost = lost
        self._is_live_acknowledged = venue is not Venue.LIVE

    def record_acknowledged(self, acknowledged: Container[Risk]) -> None:
        """Note what the trader has acknowledged: that real money is meant is asked about once in a session."""
        if LIVE_RISK in acknowledged:
            self._is_live_acknowledged = True

    def check(self, terms: OrderTerms, *, replacing: Order | None = None) -> list[RiskViolation]:
        """Return the violations of an order, the most severe first; ``replacing`` is the order that it changes."""
        found = []
        if self.read_only_reason:
            found.append(RiskViolation(Risk(RiskReason.READ_ONLY), OverrideMethod.NEVER, self.read_only_reason))
        try:
            if why := self._unwritable():
                found.append(RiskViolation(Risk(RiskReason.JOURNAL), OverrideMethod.NEVER, why))
            else:
                found += self._check_limits(terms, replacing)
        except JournalError as error:
            # What was sent today is counted in the journal: without it an order could pass a limit of the day unseen.
            sentence = f"{error} Your limits cannot be told without it."
            found.append(RiskViolation(Risk(RiskReason.JOURNAL), OverrideMethod.NEVER, sentence))
        if not self._is_live_acknowledged:
            sentence = "This is the LIVE exchange, with real money. Once in this session that has to be said."
            found.append(RiskViolation(LIVE_RISK, OverrideMethod.WORD, sentence, "LIVE"))
        if (unread := self._unread_for_limits(terms.ticker)) is not None:
            found.append(unread)
        number = self._store.account.view.number_of(terms)
        live = self._store.book(terms.ticker)
        if not live.is_good:
            sentence = f"The book is {live.trust.name}: the prices may be wrong. {live.why}"
            found.append(RiskViolation(Risk(RiskReason.STALE_BOOK), OverrideMethod.WORD, sentence, "blind"))
        # A draft that is about to be sent replaces itself and has no id yet: it is a new order, and no change of one.
        is_new = replacing is None or not replacing.order_id
        if is_new and (why := self._after_cancel_all(terms)):
            found.append(RiskViolation(Risk(RiskReason.AFTER_CANCEL_ALL), OverrideMethod.WORD, why, "after"))
        # An order whose outcome is not known may rest: sent again by hand, it would be there twice.
        found += [
            RiskViolation(
                Risk(RiskReason.SIMILAR_ORDER, order.client_order_id),
                OverrideMethod.YES,
                f"{order_text(order)} in this market is {order.state.name} and may be live: this would be a second.",
            )
            for order in self._store.working_orders()
            if order.state in {OrderState.UNKNOWN, OrderState.SENDING}
            and (order.ticker, order.book_side, order.subaccount) == (terms.ticker, terms.book_side, number)
            and (replacing is None or order.client_order_id != replacing.client_order_id)
        ]
        found += [
            RiskViolation(
                Risk(RiskReason.SIMILAR_ORDER, client_order_id),
                OverrideMethod.YES,
                f"The journal cannot be read about an order (client order id {client_order_id}) that may be live: this "
                "could be a second.",
            )
            for client_order_id, ticker in self._lost().items()
            if ticker in {"", terms.ticker}
        ]
        return sorted(found, key=lambda each: each.override.value)

    def _check_limits(self, terms: OrderTerms, replacing: Order | None) -> Iterable[RiskViolation]:
        store, live = self._store, self._store.book(terms.ticker)
        # A limit of a market is measured where the order would go: what another subaccount holds there is its own.
        key = terms.ticker, store.account.view.number_of(terms)
        limits = self._limits
        by_day = limits.day_contracts is not None or limits.day_dollars is not None
        today = self._sent_since(day_start_ms(self._clock_ms())) if by_day else DailyVolume()
        if replacing is not None and replacing.order_id:
            # What rests of it was counted when it was sent: counted again with the change, it would be there twice.
            today = replace(today, contracts=max(today.contracts - replacing.remaining, 0))
        passing = OverrideMethod.NEVER if limits.hard else OverrideMethod.WORD
        word = "" if limits.hard else "over"
        if today.unread:
            sentence = (
                f"{order_count_text(today.unread)} in the journal that may be of today cannot be read: "
                "your limits of a day are not known."
            )
            yield RiskViolation(Risk(RiskReason.LIMIT, UNREAD_ORDERS), passing, sentence, word)
        told = find_limit_breaches(
            limits,
            terms,
            # A stale book's best price measures no distance; that it is stale is a violation of its own.
            book=live.book if live.is_good else None,
            position=store.account.position_of(terms),
            unreported_fills=store.account.unreported_executions.get(key),
            open_orders=[
                self._at_max_exposure(order)
                for order in store.working_orders()
                if (order.ticker, order.subaccount) == key
                and (replacing is None or order.client_order_id != replacing.client_order_id)
            ],
            sent_today=today,
        )
        for breach in told:
            # Hard limits are the trader's own; the usual one, which nobody has set, can always be passed.
            is_usual = breach.limit == THROUGH_LIMIT
            yield RiskViolation(
                Risk(RiskReason.LIMIT, breach.limit),
                OverrideMethod.WORD if is_usual else passing,
                breach.sentence,
                "over" if is_usual else word,
            )

    def _unread_for_limits(self, ticker: str) -> RiskViolation | None:
        """Return the violation of an order while limits of a market have no account to be measured by."""
        limits = self._limits
        by_market = limits.market_contracts is not None or limits.market_dollars is not None
        reads = self._store.reads
        if not by_market:
            return None
        if not reads.have(AccountList.ORDERS, AccountList.POSITIONS):
            sentence = "Your orders and positions have not been read yet: your limits of a market cannot be told."
        elif reads.left_out(AccountList.ORDERS) or not self._store.knows_position(ticker):
            sentence = "Some of your orders or positions could not be read: your limits of a market cannot be told."
        else:
            return None
        if limits.hard:
            return RiskViolation(Risk(RiskReason.ACCOUNT_UNREAD), OverrideMethod.NEVER, sentence)
        return RiskViolation(Risk(RiskReason.ACCOUNT_UNREAD), OverrideMethod.WORD, sentence, "over")

    def _at_max_exposure(self, order: Order) -> Order:
        """Return an order with its largest exposure: what it is being changed to may be true already, or never be."""
        price, left = self._store.account.intents.pending_amends.get(order.order_id, (order.yes_price, order.remaining))
        dearer = max(price, order.yes_price) if order.book_side is BookSide.BID else min(price, order.yes_price)
        return replace(order, yes_price=dearer, remaining=max(left, order.remaining))


def describe_unacknowledged(violations: Iterable[RiskViolation], acknowledged: Container[Risk]) -> str:
    """Return what still speaks against sending; empty if all that can be acknowledged has been."""
    return " ".join(
        each.sentence for each in violations if each.override is OverrideMethod.NEVER or each.risk not in acknowledged
    )
