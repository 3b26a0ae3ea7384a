"""What speaks against sending an order, and what it takes to send it all the same.

The screen shows the objections and asks; the session checks them again at the moment of sending, so that nothing can
slip in between a look and a key.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from kalshi_tui.domain.limits import Limits, Sent, breaches
from kalshi_tui.domain.order import BookSide, Order, OrderState, OrderTerms
from kalshi_tui.domain.text import order_words
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.execution.journal import JournalError
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import midnight_ms
from kalshi_tui.session.venue import Venue

READ_ONLY: Final = "The program was started with --read-only: it sends nothing."


class Passing(Enum):
    """What it takes to pass an objection."""

    NEVER = auto()
    WORD = auto()
    """A word has to be typed."""
    YES = auto()
    """A question has to be answered with yes."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Something that speaks against sending. Two with one id are one: who has passed it has passed it."""

    id: str
    passing: Passing
    sentence: str
    word: str = ""
    """What has to be typed, where a word passes."""


class Guard:
    """Knows the trader's limits, and whether anything may be sent at all."""

    def __init__(
        self,
        store: Store,
        venue: Venue,
        limits: Limits | None = None,
        *,
        read_only: bool = False,
        clock_ms: Callable[[], int],
        sent_since: Callable[[int], Sent] = lambda _: Sent(),
        unwritable: Callable[[], str] = str,
        lost: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Make; ``sent_since`` sums what was sent from a Unix time in milliseconds on.

        ``unwritable`` says why no order can be written down, empty if it can; ``lost`` has the client order ids of
        orders that are looked for and of which no more is known, and their markets or ''.
        """
        self._store = store
        self._venue = venue
        self._limits = limits or Limits()
        self.read_only = read_only
        self._clock_ms = clock_ms
        self._sent_since = sent_since
        self._unwritable = unwritable
        self._lost = lost
        self.armed = venue is not Venue.LIVE
        """Whether the trader has said, once in this session, that real money is meant."""

    def objections(self, terms: OrderTerms, *, instead_of: Order | None = None) -> list[Objection]:
        """Give what speaks against an order, the gravest first; ``instead_of`` is the order that it changes."""
        found = []
        if self.read_only:
            found.append(Objection("read-only", Passing.NEVER, READ_ONLY))
        try:
            if why := self._unwritable():
                found.append(Objection("journal", Passing.NEVER, why))
            else:
                found += self._limited(terms, instead_of)
        except JournalError as error:
            found.append(Objection("journal", Passing.NEVER, f"{error} Your limits cannot be told without it."))
        if not self.armed:
            sentence = "This is the LIVE exchange, with real money. Once in this session that has to be said."
            found.append(Objection("live", Passing.WORD, sentence, "LIVE"))
        if (unread := self._unread_for_limits()) is not None:
            found.append(unread)
        live = self._store.book(terms.ticker)
        if not live.good:
            sentence = f"The book is {live.trust.name}: the prices may be wrong. {live.why}"
            found.append(Objection("stale", Passing.WORD, sentence, "blind"))
        found += [
            Objection(
                f"alike {order.client_order_id}",
                Passing.YES,
                f"{order_words(order)} in this market is {order.state.name} and may be live: this would be a second.",
            )
            for order in self._store.working()
            if order.state in {OrderState.UNKNOWN, OrderState.SENDING}
            and (order.ticker, order.book_side) == (terms.ticker, terms.book_side)
            and (instead_of is None or order.client_order_id != instead_of.client_order_id)
        ]
        found += [
            Objection(
                f"alike {client_order_id}",
                Passing.YES,
                f"The journal cannot be read about an order (client order id {client_order_id}) that may be live: this "
                "could be a second.",
            )
            for client_order_id, ticker in self._lost().items()
            if ticker in {"", terms.ticker}
        ]
        return sorted(found, key=lambda each: each.passing.value)

    def _limited(self, terms: OrderTerms, instead_of: Order | None) -> Iterable[Objection]:
        store, live = self._store, self._store.book(terms.ticker)
        limits = self._limits
        by_day = limits.day_contracts is not None or limits.day_dollars is not None
        today = self._sent_since(midnight_ms(self._clock_ms())) if by_day else Sent()
        if instead_of is not None and instead_of.order_id:
            today = replace(today, contracts=max(today.contracts - instead_of.remaining, 0))
        passing = Passing.NEVER if limits.hard else Passing.WORD
        if today.unread:
            orders = "1 order" if today.unread == 1 else f"{today.unread} orders"
            sentence = (
                f"{orders} in the journal that may be of today cannot be read: your limits of a day are not known."
            )
            yield Objection("limit of unread orders", passing, sentence, "" if limits.hard else "over")
        told = breaches(
            limits,
            terms,
            book=live.book if live.good else None,
            position=store.positions.get(terms.ticker),
            ahead=store.ahead.get(terms.ticker),
            working=[
                self._at_its_largest(order)
                for order in store.working()
                if order.ticker == terms.ticker
                and (instead_of is None or order.client_order_id != instead_of.client_order_id)
            ],
            today=today,
        )
        for breach in told:
            yield Objection(f"limit of {breach.limit}", passing, breach.sentence, "" if limits.hard else "over")

    def _unread_for_limits(self) -> Objection | None:
        """Return what speaks against an order while limits of a market have no account to be measured by."""
        limits = self._limits
        by_market = limits.market_contracts is not None or limits.market_dollars is not None
        if not by_market or self._store.reads.have(AccountList.ORDERS, AccountList.POSITIONS):
            return None
        sentence = "Your orders and positions have not been read yet: your limits of a market cannot be told."
        if limits.hard:
            return Objection("account", Passing.NEVER, sentence)
        return Objection("account", Passing.WORD, sentence, "over")

    def _at_its_largest(self, order: Order) -> Order:
        """Give an order as it would count most: what it is being changed to may be so already, or never be."""
        price, left = self._store.amending.get(order.order_id, (order.yes_price, order.remaining))
        dearer = max(price, order.yes_price) if order.book_side is BookSide.BID else min(price, order.yes_price)
        return replace(order, yes_price=dearer, remaining=max(left, order.remaining))


def unpassed(objections: Iterable[Objection], agreed: Iterable[str]) -> str:
    """Say what still speaks against sending; empty if all that could be passed has been."""
    have = set(agreed)
    return " ".join(each.sentence for each in objections if each.passing is Passing.NEVER or each.id not in have)
