"""Cancel all orders, of one market or of every market and shard, and report what became of them.

What is canceled, and what proves that nothing rests, is `CancelAllProof`; this adds the journal, the store and the
sentence (docs/kalshi-api.md, section 6).
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from kalshi_tui.domain.order import Order, OrderState, OrderTerms
from kalshi_tui.domain.text import named_orders_text, order_count_text
from kalshi_tui.kalshi.cancel_all_minute import CancelAllMinute
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.order_status import (
    MAX_CANCELED_BY_NAME,
    MAX_NAMED_ORDERS,
    CancelAllProof,
    by_id,
    is_fresh_enough,
)
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.account.account_view import subaccount_text
from kalshi_tui.session.account.order_merge import UNCONFIRMED_STATES
from kalshi_tui.session.bus import AccountInDoubt
from kalshi_tui.session.execution.submit import OrderExecutor
from kalshi_tui.session.interface import CancelAllResult
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

CANCEL_ALL_TIMEOUT_S: Final = 50.0
"""How long it is tried to prove that nothing rests; then the trader is told what is left."""
MAX_ORDERS_READ_BACK: Final = 100


class CancelAll:
    """Cancels all resting orders, including those that this program did not send."""

    def __init__(
        self,
        rest: RestClient,
        store: Store,
        order_executor: OrderExecutor,
        sleep: Sleep,
        *,
        read_only_reason: str,
        minute: CancelAllMinute,
        max_by_name: int = MAX_CANCELED_BY_NAME,
        lost: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Take what it works with; ``max_by_name`` orders are canceled by name, and more with one call.

        ``lost`` returns the client order ids of orders that are looked for and about which no more is known, and their
        markets or ''.
        """
        self._minute = minute
        self._max_by_name = max_by_name
        self._lost = lost
        self._rest = rest
        self._store = store
        self._order_executor = order_executor
        self._sleep = sleep
        self._read_only_reason = read_only_reason
        self._running: list[tuple[str, int | None]] = []
        """Market and subaccount of each that is at work now; '' and None stand for all."""

    def describe_running(self, terms: OrderTerms) -> str:
        """Return why a new order should wait for a cancel-all that is at work, a sentence; empty if none takes it."""
        number = self._store.account.view.number_of(terms)
        for ticker, subaccount in self._running:
            if ticker in {"", terms.ticker} and subaccount in {None, number}:
                return "Orders are still being canceled here: a new order would be canceled with them."
        return ""

    async def run(
        self, ticker: str = "", within_s: float = CANCEL_ALL_TIMEOUT_S, subaccount: int | None = None
    ) -> CancelAllResult:
        """Cancel until it is proved that nothing rests, or ``within_s`` seconds of waiting are over.

        It takes the orders of every subaccount, unless one is named.
        Raises nothing for what the exchange or the network does.
        """
        if self._read_only_reason:
            return CancelAllResult(0, (), (), proved=False, sentence=self._read_only_reason)
        scope = (ticker, subaccount)
        self._running.append(scope)
        try:
            return await self._cancel(ticker, within_s, subaccount)
        finally:
            self._running.remove(scope)

    async def _cancel(self, ticker: str, within_s: float, subaccount: int | None) -> CancelAllResult:
        targets: dict[str, Order] = {}
        self._add_targets(targets, [order for order in self._in_scope(ticker, subaccount) if order.order_id])

        def list_possibly_unlisted(data_ms: int) -> list[Order]:
            return [
                order
                for order in self._in_scope(ticker, subaccount)
                if order.order_id and not is_fresh_enough(data_ms, max(order.created_ms, order.updated_ms))
            ]

        proof = CancelAllProof(
            self._rest,
            ticker or None,
            subaccount,
            list_possibly_unlisted=list_possibly_unlisted,
            before_cancel=lambda orders: self._add_targets(targets, orders),
            # An order of unknown outcome may still arrive, and no list shows it before it does.
            is_in_doubt=lambda: self._count_in_doubt(ticker, subaccount) > 0,
            needs_one_call=lambda: self._is_any_unlisted(ticker, subaccount),
            max_by_name=self._max_by_name,
            minute=self._minute,
        )
        if ticker:
            await proof.begin()
        else:
            # Read at the same moment: what others have sent for this account is gone from the list right after, and is
            # to be counted too.
            resting, _ = await asyncio.gather(self._read_resting(subaccount), proof.begin())
            self._add_targets(targets, resting)
        waited_s = 0.0
        while not (proved := await proof.run_round()) and waited_s < within_s:
            wait_s = proof.next_delay_s()
            await self._sleep(wait_s)
            waited_s += wait_s
        await self._read_back(targets)
        return self._report(ticker, subaccount, targets, proof.problem, proved=proved, one_call=proof.one_call_sent)

    async def _read_resting(self, subaccount: int | None) -> list[Order]:
        with contextlib.suppress(KalshiError):
            return await self._rest.orders(status="resting", subaccount=subaccount)
        return []

    def _in_scope(self, ticker: str, subaccount: int | None) -> list[Order]:
        return [
            order
            for order in self._store.working_orders()
            if ticker in {"", order.ticker} and subaccount in {None, order.subaccount}
        ]

    def _unconfirmed(self, ticker: str, subaccount: int | None) -> list[Order]:
        return [order for order in self._in_scope(ticker, subaccount) if order.state in UNCONFIRMED_STATES]

    def _count_in_doubt(self, ticker: str, subaccount: int | None) -> int:
        return len(self._unconfirmed(ticker, subaccount)) + self._count_lost(ticker)

    def _is_any_unlisted(self, ticker: str, subaccount: int | None) -> bool:
        """Return whether an order may be live that cannot be canceled by name: the exchange's id is not known."""
        # One that was taken up from the journal with its id, and has not been asked about yet, can be: without this the
        # first cancel-all of every start would be the one call.
        unconfirmed = self._unconfirmed(ticker, subaccount)
        return any(not order.order_id for order in unconfirmed) or self._count_lost(ticker) > 0

    def _count_lost(self, ticker: str) -> int:
        return sum(not ticker or each in {"", ticker} for each in self._lost().values())

    def _add_targets(self, targets: dict[str, Order], orders: Sequence[Order]) -> None:
        for order in orders:
            if order.order_id not in targets:
                targets[order.order_id] = order
                self._store.account.intents.remember_cancel(order.order_id)
                self._store.notices.hold(self._store.known_order(order))
                self._order_executor.record_request(order, "cancel asked, with all others")

    async def _read_back(self, targets: dict[str, Order]) -> None:
        """Read what became of each order; what cannot be read now is read again with the account."""
        for order_id, target in list(targets.items())[:MAX_ORDERS_READ_BACK]:
            known = self._store.orders.get(order_id)
            if known is not None and known.state.final:
                continue
            try:
                fresh = await by_id(self._rest, order_id, ticker=target.ticker, sent_ms=target.created_ms)
                self._store.account.apply_read_order(fresh)
            except KalshiError:
                break
        self._store.bus.publish(AccountInDoubt())

    def _report(
        self,
        ticker: str,
        subaccount: int | None,
        targets: dict[str, Order],
        problem: str,
        *,
        proved: bool,
        one_call: bool,
    ) -> CancelAllResult:
        now = [self._store.known_order(order) for order in targets.values()]
        filled = sum(order.state is OrderState.FILLED for order in now)
        still_resting: list[Order] = []
        if proved:
            # None rests, so what is not known to have been filled was canceled, though it may not read so yet.
            gone = len(now) - filled
        else:
            gone = sum(order.state.final for order in now) - filled
            still_resting = [order for order in now if not order.state.final]
        unknown = self._unconfirmed(ticker, subaccount)
        where = f" in {ticker}" if ticker else ""
        if subaccount is not None:
            where += f" of {subaccount_text(subaccount)}"
        elif self._store.account.view.several:
            where += " of all subaccounts"
        words = [f"Canceled {order_count_text(gone)}{where}."]
        if filled:
            words.append(f"Filled before: {filled}.")
        if proved:
            # Those of other markets and subaccounts may rest.
            in_part = bool(ticker) or subaccount is not None
            words.append(f"The exchange has none resting{' there' if in_part else ''}.")
        else:
            words += _describe_still_resting(still_resting)
            if in_doubt := self._count_in_doubt(ticker, subaccount):
                words.append(f"{order_count_text(in_doubt)} of unknown outcome may be live.")
            words.append(f"It is not proved that none rests. {problem} Try again.".replace("  ", " "))
        if one_call:
            words.append("One call canceled them: orders placed within a minute after it may be canceled too.")
        sentence = " ".join(words)
        self._store.notify(Severity.GOOD if proved else Severity.ERROR, sentence)
        for order in now:
            # The sentence has reported those that are over. One that is proved not to rest but does not read as over
            # yet stays held back; its end is reported when it comes, with the state that it really has.
            if order.state.final or not proved:
                self._store.account.report_answered(order)
        return CancelAllResult(
            gone, tuple(still_resting), tuple(unknown), proved=proved, sentence=sentence, one_call=one_call
        )


def _describe_still_resting(orders: Sequence[Order]) -> list[str]:
    """Return a sentence that names the first orders that were not canceled; none if there are none."""
    if not orders:
        return []
    return [f"NOT CANCELED: {named_orders_text(orders, MAX_NAMED_ORDERS)}."]
