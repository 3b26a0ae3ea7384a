"""What is known of the account: orders, executions, positions, cash, queue positions, settlements.

The stream reports orders, fills and positions as they happen, twice, late or out of turn; REST reads them whole, but
lags by seconds. Both meet here, and neither may take back what the other has proved.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.limits import order_risk
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import BookSide, Fill, Order, OrderState, OrderTerms
from kalshi_tui.domain.own_orders import OwnOrders
from kalshi_tui.domain.position import Balance, Position, PositionKey
from kalshi_tui.domain.price import Count, Money
from kalshi_tui.kalshi.lists import LeftOut
from kalshi_tui.session.account.account_view import AccountView
from kalshi_tui.session.account.executions import ExecutionLog, UnreportedExecutions
from kalshi_tui.session.account.intents import OrderIntents
from kalshi_tui.session.account.list_reads import AccountList, AccountReads
from kalshi_tui.session.account.older_lists import OlderLists
from kalshi_tui.session.account.order_merge import UNCONFIRMED_STATES, merge_orders
from kalshi_tui.session.bus import (
    AccountInDoubt,
    AccountMoved,
    FillAdded,
    MarketClosed,
    MessageBus,
    OrderUpdated,
    PositionsChanged,
)
from kalshi_tui.session.changes import ChangeLog, Topic
from kalshi_tui.session.market_data.store import MarketDataStore
from kalshi_tui.session.notices import Notices
from kalshi_tui.session.timing import SessionTime

FILL_CAPACITY: Final = 1_000
JUST_ENDED_MS: Final = 60_000
"""An order that ended so shortly before its market closed may have ended because of that."""
LIST_TOPICS: Final = {
    AccountList.ORDERS: Topic.ORDERS,
    AccountList.POSITIONS: Topic.POSITIONS,
    AccountList.FILLS: Topic.FILLS,
    AccountList.SETTLEMENTS: Topic.SETTLEMENTS,
}


class _ChosenPositions(Mapping[str, Position]):
    """The positions of the chosen subaccount by ticker, as they are at the moment of the look."""

    def __init__(self, positions: Mapping[PositionKey, Position], view: AccountView) -> None:
        self._positions = positions
        self._view = view

    def __getitem__(self, ticker: str) -> Position:
        return self._positions[ticker, self._view.chosen]

    def __iter__(self) -> Iterator[str]:
        chosen = self._view.chosen
        return iter([ticker for ticker, number in self._positions if number == chosen])

    def __len__(self) -> int:
        return sum(1 for _ in self)


class AccountStore:
    """The account as far as it is known. The stream, the reconciler and execution change it by its methods."""

    def __init__(
        self,
        time: SessionTime,
        market_data: MarketDataStore,
        intents: OrderIntents,
        notices: Notices,
        changes: ChangeLog,
        bus: MessageBus,
    ) -> None:
        self._time = time
        self._market_data = market_data
        self.intents = intents
        self._notices = notices
        self._changes = changes
        self._bus = bus
        self._orders: dict[str, Order] = {}
        self._order_ids_by_client_id: dict[str, str] = {}
        self._executions = ExecutionLog()
        self._inferred_filled: set[str] = set()
        """Ids of orders that are FILLED because their executions add up to that; no report has said so yet."""
        self._unreported: dict[PositionKey, UnreportedExecutions] = {}
        self._queue_positions: dict[str, Count] = {}
        self._fills: deque[Fill] = deque(maxlen=FILL_CAPACITY)
        self.view: Final = AccountView()
        """Which subaccounts there are, and which of them is chosen."""
        self._positions: dict[PositionKey, Position] = {}
        self._position_reported_ms: dict[PositionKey, int] = {}
        """When the stream last reported a position, in this machine's Unix milliseconds."""
        self._balances: dict[int, Balance] = {}
        self._differences: tuple[str, ...] = ()
        self._settlements: tuple[Settlement, ...] = ()
        self._reads = AccountReads()
        self.older: Final = OlderLists()
        """What was read of the past because the trader asked for it."""
        self._since_ms: dict[AccountList, int] = {}
        """From when on lists are whole: what is older was not read."""

        # The containers stay the same objects, so that readers may hold these views of them.
        self.orders: Final[Mapping[str, Order]] = self._orders
        """By order id; an order that has none yet stands under its client order id."""
        self.fills: Final[Sequence[Fill]] = self._fills
        """The newest executions, newest first."""
        self.positions_by_key: Final[Mapping[PositionKey, Position]] = self._positions
        """Of all subaccounts, by ticker and number."""
        self.positions: Final[Mapping[str, Position]] = _ChosenPositions(self._positions, self.view)
        """Of the chosen subaccount, by ticker."""
        self.queue_positions: Final[Mapping[str, Count]] = self._queue_positions
        """How many contracts stand before a resting order, by order id, as the exchange said last."""
        self.unreported_executions: Final[Mapping[PositionKey, UnreportedExecutions]] = self._unreported
        """What orders have done since the position was reported last."""
        bus.subscribe(MarketClosed, self._market_closed)

    # What is known.

    @property
    def balance(self) -> Balance | None:
        """The cash of the chosen subaccount, None while it has not been read."""
        return self._balances.get(self.view.chosen)

    @property
    def balances(self) -> Mapping[int, Balance]:
        """The cash of each subaccount that has been read, by its number."""
        return self._balances

    @property
    def differences(self) -> tuple[str, ...]:
        """Where positions as the stream reported them differed from the list, at the last reconciliation; sentences."""
        return self._differences

    @property
    def settlements(self) -> tuple[Settlement, ...]:
        """What settled markets have paid, newest first."""
        return self._settlements

    @property
    def reads(self) -> AccountReads:
        """Which lists of the account have been read."""
        return self._reads

    def mark_unreadable(self, why: str) -> None:
        """Note that nothing of the account can be read, and why."""
        self._reads.unreadable = why

    def known_order(self, order: Order) -> Order:
        """Return an order as it is known now, by its own id or the client's; itself if nothing is known."""
        return self._orders.get(self._key(order), order)

    def working_orders(self) -> list[Order]:
        """Return the orders that are or may be live, those of unknown outcome first, then the newest."""
        live = [order for order in self._orders.values() if not order.state.final]
        return sorted(live, key=lambda order: (order.state is not OrderState.UNKNOWN, -order.created_ms))

    def has_held(self, ticker: str) -> bool:
        """Return whether anything is held in a market, or was while this program ran."""
        reported = any(each == ticker for each, _ in (*self._positions, *self._position_reported_ms))
        return reported or any(fill.ticker == ticker for fill in self._fills)

    def held_tickers(self) -> set[str]:
        """Return the markets in which anything is held, in any subaccount."""
        return {ticker for ticker, _ in self._positions}

    def position_of(self, terms: OrderTerms) -> Position | None:
        """Return what is held where an order would go."""
        return self._positions.get((terms.ticker, self.view.number_of(terms)))

    def own_orders(self, terms: OrderTerms) -> OwnOrders:
        """Return what rests, or may rest, of the account's own in the market that an order would go to."""
        return OwnOrders.of(self._orders.values(), terms.ticker, self.view.number_of(terms), self._queue_positions)

    def orders_in_view(self) -> list[Order]:
        """Return all orders of the subaccounts in view that are known, those that are over too."""
        return [order for order in self._orders.values() if self.view.includes(order.subaccount)]

    def positions_in_view(self) -> list[Position]:
        """Return the positions of the subaccounts in view, by ticker and number."""
        return [each for key, each in sorted(self._positions.items()) if self.view.includes(key[1])]

    def available_cash(self, market: Market, subaccount: int | None = None) -> Money | None:
        """Return what can be spent in a market: cash is held by shard. None while the balance is not known.

        It is that of a subaccount, of the chosen one if none is named. What orders of unknown outcome may take is taken
        off: the exchange may not have reserved it yet.
        """
        number = self.view.chosen if subaccount is None else subaccount
        balance, shard = self._balances.get(number), market.exchange_index
        if balance is None:
            return None
        cash = balance.on_shard(shard)
        return None if cash is None else max(cash - self._unconfirmed_cost(shard, number), 0)

    def cash_in_all(self, market: Market, subaccount: int | None = None) -> Money | None:
        """Return what can be spent in a market, and what lies where it does not count. None while it is not known."""
        here = self.available_cash(market, subaccount)
        balance = self._balances.get(self.view.chosen if subaccount is None else subaccount)
        if here is None or balance is None:
            return None
        return here + sum(cash for shard, cash in balance.by_shard if shard != market.exchange_index)

    @property
    def precision(self) -> Money:
        """What fees are rounded to for this member, see `Balance.precision`; the cent while it is not known."""
        # It is the member's: any subaccount whose balance shows it has shown it.
        return min((each.precision for each in self._balances.values()), default=CENT)

    def filled_by_executions(self, order: Order) -> Count:
        """Return what an order's known executions add up to."""
        return self._executions.filled_count(order.order_id)

    def reported_positions(self, before_ms: int) -> dict[PositionKey, Count]:
        """Return positions that the stream reported before ``before_ms`` and not since, in markets that are open.

        Positions of settled markets leave the exchange's list without a word (docs/kalshi-api.md, section 7).
        """
        markets = self._market_data.markets
        return {
            key: self._positions[key].count if key in self._positions else 0
            for key, reported_ms in self._position_reported_ms.items()
            if reported_ms <= before_ms and key[0] in markets and markets[key[0]].status.tradable
        }

    # The stream's side.

    def add_fill(self, fill: Fill) -> None:
        """Take an execution; one that is known already is passed over."""
        if self._executions.knows(fill):
            return
        self._learn_subaccount(fill.subaccount)
        fill = self._with_meaning(fill)
        self._executions.add(fill)
        self._fills.appendleft(fill)
        self._changes.mark(Topic.FILLS, tickers=(fill.ticker,))
        self._apply_fill(fill)
        self._report_fill(fill, read=False)
        self._bus.publish(AccountMoved())
        self._bus.publish(FillAdded(fill))

    def update_order(self, order: Order) -> None:
        """Take a report of an order. Reports may come twice, late or out of turn: see `merge_orders`."""
        if order.order_id:
            self._learn_subaccount(order.subaccount)
        key = self._key(order)
        pending = None
        if order.order_id and order.client_order_id:
            # From here on it stands under the exchange's id alone: under both it would count twice.
            pending = self._orders.pop(order.client_order_id, None)
            self._order_ids_by_client_id[order.client_order_id] = order.order_id
        known = self._orders.get(key, pending)
        if known is not None and key in self._inferred_filled and order.state is OrderState.RESTING:
            # It was changed to a larger count by somebody else, and rests on. FILLED was our conclusion; left as it
            # is, it would be final, and an order that rests at the exchange would never be shown again.
            known = replace(known, state=OrderState.RESTING)
        self._inferred_filled.discard(key)
        now = self.intents.with_meaning(order if known is None else merge_orders(known, order))
        if known is not None and known.state is OrderState.UNKNOWN is not now.state:
            self.intents.end_amend(key)
        self._count_unreported(now, now.filled - (known.filled if known is not None else 0))
        # One that was known as expired by the times alone counts as well: the exchange has said since what it was.
        ended = known is not None and (not known.state.final or known.state is OrderState.EXPIRED)
        if ended and now.state is OrderState.CANCELED and not now.reason:
            now = replace(now, reason=self.intents.cancel_reason(now))
        self._orders[key] = now
        self._mark_order_changed(now)
        if known is not None and not known.state.final:
            self._notices.ended(now)
        if known is None or now != known:
            self._bus.publish(AccountMoved())
            self._bus.publish(OrderUpdated(now))
            if now.state is OrderState.UNKNOWN:
                self._bus.publish(AccountInDoubt())

    def update_position(self, position: Position) -> None:
        """Take a market's position as the stream reports it."""
        self._learn_subaccount(position.subaccount)
        self._position_reported_ms[position.key] = self._time.local_ms()
        self._unreported.pop(position.key, None)
        if position.count:
            self._positions[position.key] = position
        else:
            self._positions.pop(position.key, None)
        self._changes.mark(Topic.POSITIONS, tickers=(position.ticker,))
        self._bus.publish(PositionsChanged())
        # A payout comes by no order and no execution: this frame may be all that tells of it.
        self._bus.publish(AccountMoved())

    # The readers' side: what REST said.

    def apply_read_order(self, order: Order) -> None:
        """Take an order that was read. Reads lag, so only an end that was read resolves an order of unknown outcome.

        A read that still shows it resting may be of a moment before the cancel or change that is in doubt; to believe
        it would declare the command failed while the exchange carries it out. `OrderLookup` has the longer proof.
        """
        known = self._orders.get(order.order_id)
        if known is None or known.state is not OrderState.UNKNOWN or order.state.final:
            self.update_order(order)

    def set_fills(self, fills: Sequence[Fill]) -> list[Fill]:
        """Take executions that were read, newest first, and return those that were not known, newest first."""
        self.mark_read(AccountList.FILLS)
        fresh = [self._with_meaning(fill) for fill in fills if not self._executions.knows(fill)]
        for fill in fresh:
            self._learn_subaccount(fill.subaccount)
            self._executions.add(fill)
            self._changes.mark(tickers=(fill.ticker,))
            self._apply_fill(fill)
        if fresh:
            newest_first = sorted([*fresh, *self._fills], key=lambda fill: fill.ts_ms, reverse=True)
            self._fills.clear()
            self._fills.extend(newest_first[:FILL_CAPACITY])
            self._changes.mark(Topic.FILLS)
            for fill in sorted(fresh, key=lambda fill: fill.ts_ms):
                self._report_fill(fill, read=True)
                self._bus.publish(FillAdded(fill))
        return fresh

    def set_positions(self, positions: Iterable[Position], as_of_ms: int) -> None:
        """Replace all positions but those that the stream has reported since ``as_of_ms``, this machine's Unix time.

        The list lags: a position that the stream reported later is newer than what the list has of it.
        """
        newer = {key for key, reported_ms in self._position_reported_ms.items() if reported_ms > as_of_ms}
        self.mark_read(AccountList.POSITIONS)
        fresh = {position.key: position for position in positions if position.count and position.key not in newer}
        fresh |= {key: self._positions[key] for key in newer & self._positions.keys()}
        for key in self._unreported.keys() - newer:
            del self._unreported[key]
        self._changes.mark(Topic.POSITIONS, tickers={ticker for ticker, _ in fresh.keys() | self._positions.keys()})
        self._positions.clear()
        self._positions.update(fresh)
        self._bus.publish(PositionsChanged())

    def set_balance(self, balance: Balance) -> None:
        """Replace the balance of a subaccount."""
        self._balances[balance.subaccount] = balance
        self._changes.mark(Topic.BALANCE)

    def add_subaccounts(self, numbers: Iterable[int]) -> None:
        """Add subaccounts that there are; one that is chosen stays chosen."""
        if self.view.add_numbers(numbers):
            self._mark_all()

    def lock_subaccount(self) -> bool:
        """Note that the key is locked to one subaccount; return whether that is news."""
        news = self.view.lock()
        if news:
            self._mark_all()
        return news

    def choose_subaccount(self, number: int | None) -> None:
        """Show one subaccount and send orders there, or show all."""
        self.view.choose(number)
        self._mark_all()

    def mark_day_changed(self) -> None:
        """Note that more is known of what this day has brought."""
        self._changes.mark(Topic.POSITIONS)

    def set_differences(self, sentences: Iterable[str]) -> None:
        """Replace the sentences about positions that differed from the exchange's list."""
        self._differences = tuple(sentences)
        self._changes.mark(Topic.POSITIONS)

    def set_queue_positions(self, positions: Mapping[str, Count]) -> None:
        """Replace what is known of the places in the queues."""
        if positions != self._queue_positions:
            self._queue_positions.clear()
            self._queue_positions.update(positions)
            self._changes.mark(Topic.ORDERS)

    def set_settlements(self, settlements: Iterable[Settlement]) -> None:
        """Replace what settled markets have paid."""
        self.mark_read(AccountList.SETTLEMENTS)
        newest_first = tuple(sorted(settlements, key=lambda each: -each.settled_ms))
        if newest_first != self._settlements:
            self._settlements = newest_first
            self._changes.mark(Topic.SETTLEMENTS)
            self._notices.settled(newest_first)

    def listed_since_ms(self, which: AccountList) -> int:
        """Return the Unix ms from which on a list is whole; 0 where that is not known."""
        return self._since_ms.get(which, 0)

    def set_listed_since(self, which: AccountList, since_ms: int) -> None:
        """Note from when on a list is whole, Unix ms; 0 where that is not known."""
        if self._since_ms.get(which, 0) != since_ms:
            self._since_ms[which] = since_ms
            self._changes.mark(LIST_TOPICS[which])

    def ended_count(self) -> int:
        """Return how many orders that have ended are known, older ones included."""
        return sum(order.state.final for order in self._orders.values()) + len(self.older.orders)

    def mark_older_changed(self, which: AccountList) -> None:
        """Note that more of a list is shown."""
        self._changes.mark(LIST_TOPICS[which])

    def mark_read(self, *lists: AccountList) -> None:
        """Note that these lists have been read."""
        for each in lists:
            if self._reads.succeeded(each):
                self._changes.mark(LIST_TOPICS[each])

    def set_left_out(self, which: AccountList, items: Iterable[LeftOut]) -> None:
        """Note the items of a list that could not be read."""
        if self._reads.set_left_out(which, items):
            self._changes.mark(LIST_TOPICS[which])

    def mark_unread(self, why: str, *lists: AccountList) -> None:
        """Note why these lists could not be read, a sentence."""
        for each in lists:
            self._reads.failed(each, why)
            self._changes.mark(LIST_TOPICS[each])

    # Execution's side.

    def reopen_order(self, order: Order) -> None:
        """Put an order back to work that had never arrived: it is sent under its own id once more.

        It goes around `merge_orders`, for which an order that ended stays ended.
        """
        self._orders[order.client_order_id] = order
        self._mark_order_changed(order)
        self._bus.publish(OrderUpdated(order))

    def report_answered(self, order: Order, *, fills_told: bool = False, end_told: bool = True) -> None:
        """Note that the answer to a command has said how an order stands; what it did not say becomes a notice now."""
        ahead = max(order.filled - self.filled_by_executions(order), 0) if fills_told else None
        self._notices.release(order, ahead=ahead, end_told=end_told)

    # Inside.

    def _learn_subaccount(self, number: int) -> None:
        """Note that something belongs to a subaccount; one that was not known is read as soon as possible."""
        if self.view.learn(number):
            self._mark_all()
            self._bus.publish(AccountInDoubt())

    def _mark_all(self) -> None:
        self._changes.mark(*LIST_TOPICS.values(), Topic.BALANCE, tickers=self.held_tickers())

    def _key(self, order: Order) -> str:
        return order.order_id or self._order_ids_by_client_id.get(order.client_order_id, order.client_order_id)

    def _apply_fill(self, fill: Fill) -> None:
        """Raise an order's filled count to what its executions add up to; they may be ahead of all other reports."""
        order = self._orders.get(fill.order_id) or self._orders.get(fill.client_order_id)
        if order is None:
            return
        more = self._executions.filled_count(fill.order_id) - order.filled
        if more <= 0:
            # The order's own report was first. The execution may still be the first to bring the exchange's id.
            if not order.order_id:
                self.update_order(replace(order, order_id=fill.order_id))
            return
        state, reason = order.state, order.reason
        if not state.reached:
            # It was thought never to have arrived, and this is the proof that it has.
            state, reason = OrderState.UNKNOWN, "It was executed, though it was thought never to have arrived."
        # While a change is under way or its outcome is unknown, ``remaining`` may be the count from before it: then
        # the order is not called filled, for what it was changed to may still rest.
        whole = more == order.remaining and fill.order_id not in self.intents.pending_amends and not state.final
        self.update_order(
            replace(
                order,
                order_id=fill.order_id,
                filled=order.filled + more,
                remaining=max(order.remaining - more, 0),
                state=OrderState.FILLED if whole else state,
                reason="" if whole else reason,
            )
        )
        if whole:
            self._inferred_filled.add(fill.order_id)

    def _with_meaning(self, fill: Fill) -> Fill:
        order = self._orders.get(fill.order_id) or self._orders.get(fill.client_order_id)
        return self.intents.fill_with_meaning(fill, order)

    def _report_fill(self, fill: Fill, *, read: bool) -> None:
        order = self._orders.get(fill.order_id) or self._orders.get(fill.client_order_id)
        self._notices.filled(fill, order, read=read)

    def _count_unreported(self, order: Order, more: Count) -> None:
        """Count an execution until a position contains it: limits look at both, and must not miss one between them."""
        if more <= 0:
            return
        ahead = self._unreported.setdefault((order.ticker, order.subaccount), UnreportedExecutions())
        cost = order_risk(order.book_side, order.yes_price, more)
        if order.book_side is BookSide.BID:
            ahead.bids, ahead.bid_cost = ahead.bids + more, ahead.bid_cost + cost
        else:
            ahead.asks, ahead.ask_cost = ahead.asks + more, ahead.ask_cost + cost

    def _unconfirmed_cost(self, exchange_index: int, subaccount: int) -> Money:
        cost = 0
        for order in self.working_orders():
            if order.subaccount != subaccount:
                continue
            market = self._market_data.markets.get(order.ticker)
            if order.state in UNCONFIRMED_STATES and market is not None and market.exchange_index == exchange_index:
                cost += order_risk(order.book_side, order.yes_price, order.remaining)
        return cost

    def _mark_order_changed(self, order: Order) -> None:
        self._changes.mark(Topic.ORDERS, tickers=(order.ticker,))

    def _market_closed(self, message: MarketClosed) -> None:
        """Report the close of a market in which there is a position or an order, or was until a moment ago."""
        market = message.market
        ended_ms = self._time.exchange_ms() - JUST_ENDED_MS
        held = [each for (ticker, _), each in sorted(self._positions.items()) if ticker == market.ticker]
        if held or any(
            order.ticker == market.ticker
            and order.state.reached
            and (not order.state.final or order.updated_ms > ended_ms)
            for order in self._orders.values()
        ):
            self._notices.closed(market, held)
