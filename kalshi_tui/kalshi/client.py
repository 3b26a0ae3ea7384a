"""The client for programs: what the exchange's API does, with exact numbers, typed errors, and no order sent twice.

Prices are integers of 1/10,000 dollar, counts of 1/100 contract, money of 1/1,000,000 dollar; arguments may be texts
such as ``"0.42"`` instead. Times are Unix seconds (``_s``) or milliseconds (``_ms``).

An item of a list that cannot be read is left out: lists have ``left_out`` (see `LeftOut`), and are ``whole`` only if
that is empty.

A read raises `TransportError`, `Refused` or `BadReply`. A command raises `NotSent` (nothing left this machine),
`Refused` (a definite no) or `UnknownOutcome` (it may have been done: ask, never resend).
"""

import asyncio
import inspect
import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import update_wrapper
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, Final, Literal, ParamSpec, Self, TypeVar, overload

from kalshi_tui.domain.book import Book, BookError, Side
from kalshi_tui.domain.candles import Candle
from kalshi_tui.domain.combo_legs import ComboCollection
from kalshi_tui.domain.fees import CENT, FeeSchedule
from kalshi_tui.domain.market import Event, Market
from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms, SelfTrade, TimeInForce, order_from_terms
from kalshi_tui.domain.order_preview import NO_ORDERS
from kalshi_tui.domain.own_orders import OwnOrders
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.kalshi import connect, exact_payouts, numbers, whole_history
from kalshi_tui.kalshi.cancel_all_minute import CancelAllMinute
from kalshi_tui.kalshi.combo_reads import CollectionFilter
from kalshi_tui.kalshi.environments import Environment
from kalshi_tui.kalshi.errors import (
    BadReply,
    DuplicateOrder,
    KalshiError,
    Misconfigured,
    NoKey,
    NotFound,
    NotSent,
    TransportError,
    UnknownOutcome,
)
from kalshi_tui.kalshi.feed.handler import FeedHandler
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.feed.stream_group import ReportListener, StreamGroup
from kalshi_tui.kalshi.feed.updates import Updates
from kalshi_tui.kalshi.lists import Reading
from kalshi_tui.kalshi.order_status import (
    LISTING_TIMEOUT_S,
    MAX_CANCELED_BY_NAME,
    OrderTracker,
    SyncedClock,
    by_id,
    cancel_all_confirmed,
    fetch_order_by_id,
    resolve_order,
)
from kalshi_tui.kalshi.preview import DryRun
from kalshi_tui.kalshi.replies import AmendAck, CancelAck, OrderAck
from kalshi_tui.kalshi.rest import Levels, RestClient
from kalshi_tui.kalshi.subaccounts import require_number
from kalshi_tui.kalshi.transport.http import Retry, Timeouts
from kalshi_tui.kalshi.transport.signing import Signer

DEFAULT_CANDLE_COUNT: Final = 100
"""How many periods `KalshiClient.candles` goes back if no start is given."""
CLOCK_PATIENCE_S: Final = 2.0
"""How long a cancel or an amendment waits for the exchange's time before it is sent without."""

P = ParamSpec("P")
T = TypeVar("T")


def _read_of(method: Callable[Concatenate[RestClient, P], T]) -> Callable[Concatenate["KalshiClient", P], T]:
    """Return a method of `KalshiClient` that calls this one of its `RestClient`: same signature, same docstring."""

    def read(self: "KalshiClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return method(self._rest, *args, **kwargs)

    update_wrapper(read, method)
    own, *others = inspect.signature(method).parameters.values()
    signature = inspect.signature(method).replace(parameters=[own.replace(name="self", annotation=own.empty), *others])
    read.__dict__["__signature__"] = signature
    read.__module__, read.__qualname__ = __name__, f"KalshiClient.{method.__name__}"
    return read


class KalshiClient:
    """One account at one exchange; without a key its public market data alone.

    Use it as an asynchronous context manager, or call `close`::

        async with KalshiClient.from_env() as client:
            print(await client.balance())

    Reads may be repeated by the client itself, as its ``retry`` says; a command is sent once and never again.
    """

    def __init__(
        self,
        environment: Environment,
        signer: Signer | None = None,
        *,
        key_id: str = "",
        private_key_path: str | Path | None = None,
        private_key: bytes | None = None,
        passphrase: str | None = None,
        read_only: bool = False,
        proxy: str | None = None,
        timeouts: Timeouts | None = None,
        retry: Retry | None = None,
    ) -> None:
        """Set up a client; nothing is sent. Raises Misconfigured for a key or a proxy that cannot be used.

        The key is ``key_id`` with the PEM file at ``private_key_path``, which only its owner may be able to read, or
        with its text in ``private_key``; or a ``signer`` that is open already. With ``read_only`` no command leaves;
        each raises NotSent. ``proxy`` is the address of an HTTP proxy; no variable of the environment names one.
        ``timeouts`` and ``retry`` replace the usual ones::

            client = KalshiClient(DEMO, key_id="...", private_key_path="~/.kalshi/demo.pem", read_only=True)
        """
        if key_id or private_key_path is not None or private_key is not None:
            path = Path(private_key_path).expanduser() if private_key_path is not None else None
            signer = connect.open_signer(environment, key_id, path, private_key, passphrase)
        self.environment = environment
        self._signer = signer
        self._proxy = proxy
        self._clock = SyncedClock()
        try:
            self._rest = RestClient(
                environment,
                signer,
                clock=self._clock,
                proxy=proxy,
                timeouts=timeouts,
                retry=retry,
                read_only=read_only,
            )
        except ValueError as error:
            raise Misconfigured(str(error)) from None
        self._order_tracker = OrderTracker()
        self._cancel_all_minute = CancelAllMinute(self._clock.now_ms)
        self._streams: list[Updates] = []

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        passphrase: str | None = None,
        read_only: bool = False,
        proxy: str | None = None,
    ) -> Self:
        """Return a client by the variables of the environment. Raises Misconfigured with a sentence.

        ``KALSHI_API_KEY_ID`` with ``KALSHI_PRIVATE_KEY_PATH`` (or the key's text in ``KALSHI_PRIVATE_KEY``) are the
        key. The exchange is Kalshi itself, **with real money**; its demo with ``KALSHI_USE_DEMO=true``; a practice
        exchange on this machine with its ``rest_url`` in ``KALSHI_REST_URL``. ``environ`` replaces the process's own
        variables; ``passphrase`` opens an encrypted key.
        """
        variables = os.environ if environ is None else environ
        environment = connect.environment_from_env(variables)
        signer = connect.signer_from_env(variables, environment, passphrase)
        return cls(environment, signer, read_only=read_only, proxy=proxy)

    @classmethod
    def practice(cls, line: str | bytes | Mapping[str, Any], *, read_only: bool = False) -> Self:
        """Return a client by the first line that ``kalshi-tui practice`` prints. Raises Misconfigured for any other."""
        environment, signer = connect.parse_ready_line(line)
        return cls(environment, signer, read_only=read_only)

    async def close(self) -> None:
        """End the streams and close the connections. Resting orders go on resting."""
        for stream in self._streams:
            await stream.close()
        await self._rest.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"KalshiClient({self.environment.name!r})"

    # Market data. Reads without code of their own are documented at `RestClient`, in `whole_history` and
    # in `exact_payouts`.

    markets = _read_of(RestClient.markets)
    market = _read_of(whole_history.market)
    events = _read_of(RestClient.events)
    event = _read_of(RestClient.event)
    trades = _read_of(whole_history.trades)
    series_fee_changes = _read_of(RestClient.series_fee_changes)
    event_fee_changes = _read_of(RestClient.event_fee_changes)
    exchange_status = _read_of(RestClient.exchange_status)
    archive_cutoffs = _read_of(RestClient.archive_cutoffs)

    def combo_collections(
        self,
        *,
        status: CollectionFilter | None = None,
        series_ticker: str | None = None,
        event_ticker: str | None = None,
    ) -> Reading[ComboCollection]:
        """Yield the collections that combos are made in, of one series, or those that have an event.

        One that cannot be read is left out, and is in ``left_out`` of what is returned. Iterating raises
        TransportError, Refused or BadReply.
        """
        return self._rest.combos.collections(status=status, series_ticker=series_ticker, event_ticker=event_ticker)

    def combo_events(self, collection_ticker: str) -> Reading[Event]:
        """Yield the events of the combos that exist in a collection, each with its markets.

        A combo's ``legs`` all have to come true; it is traded as any market. Iterating raises TransportError, Refused
        or BadReply::

            async for event in client.combo_events("KXMVECROSSCATEGORY-R"):
                for combo in event.markets:
                    print(combo.ticker, [(leg.side.value, leg.ticker) for leg in combo.legs])
        """
        return self._rest.combos.events(collection_ticker=collection_ticker)

    async def orderbook(self, ticker: str, depth: int | None = None) -> Book:
        """Read a book, at most ``depth`` levels of each side. It is up to 15 s old: `stream` it to have it live.

        Raises TransportError, Refused or BadReply::

            book = await client.orderbook("KXBTCD-26DEC01-B95000")
            print(book.yes.best, book.no.best)
        """
        return _make_book(await self._rest.orderbook(ticker, depth))

    async def orderbooks(self, tickers: Sequence[str]) -> dict[str, Book]:
        """Read several books by ticker, 100 a request, each up to 15 s old; a book that cannot be read is left out.

        Raises TransportError, Refused or BadReply.
        """
        return {ticker: _make_book(levels) for ticker, levels in (await self._rest.orderbooks(tickers)).items()}

    async def candles(
        self, ticker: str, *, minutes: Literal[1, 60, 1440] = 60, start_s: int | None = None, end_s: int | None = None
    ) -> list[Candle]:
        """Read a market's history, oldest first, in periods of so many ``minutes``.

        Without ``start_s`` the newest 100 periods; without ``end_s`` up to the period that has not ended yet, or to the
        market's close. It comes from the archive if the market settled long ago. Raises TransportError,
        Refused or BadReply.
        """
        return await whole_history.candles(
            self._rest, ticker, start_s, end_s, minutes=minutes, count=DEFAULT_CANDLE_COUNT
        )

    async def fees(self, ticker: str) -> FeeSchedule:
        """Return the fee schedule of a market as it is now. Raises as any read."""
        market = await self.market(ticker)
        return await self._get_fees(market)

    # The account.

    balance = _read_of(RestClient.balance)
    positions = _read_of(whole_history.positions)
    settlements = _read_of(exact_payouts.settlements)
    orders = _read_of(whole_history.orders)
    fills = _read_of(whole_history.fills)
    limits = _read_of(RestClient.limits)
    tier_progress = _read_of(RestClient.tier_progress)
    upgrade_usage_tier = _read_of(RestClient.upgrade_usage_tier)
    api_keys = _read_of(RestClient.api_keys)
    netting = _read_of(RestClient.netting)
    transfer = _read_of(RestClient.transfer)
    shard_transfers = _read_of(RestClient.shard_transfers)
    shard_transfer = _read_of(RestClient.shard_transfer)
    target_allocation = _read_of(RestClient.target_allocation)
    set_target_allocation = _read_of(RestClient.set_target_allocation)
    subaccount_balances = _read_of(RestClient.subaccount_balances)
    subaccount_transfers = _read_of(RestClient.subaccount_transfers)
    create_subaccount = _read_of(RestClient.create_subaccount)
    transfer_to_subaccount = _read_of(RestClient.transfer_to_subaccount)

    async def order(self, order_id: str) -> Order:
        """Read one order by the exchange's id, from the archive if it ended long ago.

        Raises NotFound if it is in neither list: an order just placed may not be in them yet, and one that ended two
        weeks ago may be on its way from one to the other. Raises NoKey,
        TransportError, Refused or BadReply.
        """
        ticker, sent_ms = self._order_tracker.ticker_of(order_id) or None, self._order_tracker.sent_ms_of(order_id)
        return await by_id(self._rest, order_id, ticker=ticker, sent_ms=sent_ms)

    # Orders.

    @overload
    async def place_order(
        self,
        ticker: str,
        side: Side | Literal["yes", "no"],
        action: Action | Literal["buy", "sell"],
        price: str | Price,
        count: str | Count,
        *,
        tif: TimeInForce = ...,
        post_only: bool = ...,
        reduce_only: bool = ...,
        expires_s: int | None = ...,
        cancel_on_pause: bool = ...,
        self_trade: SelfTrade = ...,
        subaccount: int | None = ...,
        client_order_id: str = ...,
        after_cancel_all: bool = ...,
        dry_run: Literal[False] = ...,
    ) -> OrderAck: ...

    @overload
    async def place_order(
        self,
        ticker: str,
        side: Side | Literal["yes", "no"],
        action: Action | Literal["buy", "sell"],
        price: str | Price,
        count: str | Count,
        *,
        tif: TimeInForce = ...,
        post_only: bool = ...,
        reduce_only: bool = ...,
        expires_s: int | None = ...,
        cancel_on_pause: bool = ...,
        self_trade: SelfTrade = ...,
        subaccount: int | None = ...,
        client_order_id: str = ...,
        after_cancel_all: bool = ...,
        dry_run: Literal[True],
    ) -> DryRun: ...

    async def place_order(
        self,
        ticker: str,
        side: Side | Literal["yes", "no"],
        action: Action | Literal["buy", "sell"],
        price: str | Price,
        count: str | Count,
        *,
        tif: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        expires_s: int | None = None,
        cancel_on_pause: bool = False,
        self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS,
        subaccount: int | None = None,
        client_order_id: str = "",
        after_cancel_all: bool = False,
        dry_run: bool = False,
    ) -> OrderAck | DryRun:
        """Send one limit order, once. Raises NotSent, Refused or UnknownOutcome; never sends it a second time.

        ``price`` is that of the outcome ``side``: ``"0.42"`` or 4200. ``count`` is ``"10"`` contracts or 1000.
        ``expires_s`` is Unix seconds; ``subaccount`` the number of the one that it is for, without it the primary (of a
        locked key its own). ``self_trade`` is what happens where it would meet an order of the account's own: the rest
        of it is canceled, or with `SelfTrade.MAKER` the other one. With ``dry_run`` nothing is sent, and the result is
        that of `preview_order`.

        Without a ``client_order_id`` a random one is made; `UnknownOutcome` carries it for `find_order`. A program
        that may be canceled while this waits should make one with `new_client_order_id`, so that it knows the id then.
        If the exchange has an order under this id already, that is an UnknownOutcome caused by `DuplicateOrder`: the
        order is there, and what became of it has to be asked.

        For a minute after `cancel_all` has sent its one call the exchange may cancel new orders too: then this raises
        NotSent, unless ``after_cancel_all`` says that this is known.

        A client that has not read the market yet reads it once before its first order there, and with it the
        exchange's time::

            ack = await client.place_order("KXBTCD-26DEC01-B95000", "yes", "buy", "0.42", "10")
            print(ack.order_id, format_count(ack.filled), format_count(ack.remaining))
        """
        terms = _order_terms(
            ticker,
            side,
            action,
            price,
            count,
            tif=tif,
            post_only=post_only,
            reduce_only=reduce_only,
            expires_s=expires_s,
            cancel_on_pause=cancel_on_pause,
            self_trade=self_trade,
            subaccount=subaccount,
        )
        if dry_run:
            return await self._preview(terms)
        client_order_id = client_order_id or new_client_order_id()
        await self._learn_shard(ticker)
        await self._sync_clock()
        if not after_cancel_all and (why := await self._describe_cancel_all_minute(subaccount)):
            raise NotSent(f"The order was not sent. {why} after_cancel_all=True sends it all the same.")
        with self._order_tracker.track_send(client_order_id, ticker, self._clock) as sent:
            try:
                ack = await self._rest.create_order(terms, client_order_id)
            except UnknownOutcome as error:
                error.client_order_id = client_order_id
                raise
            except DuplicateOrder as error:
                # The order of this id is not this one: its market and its age are unknown.
                sent.accepted, sent.first_sent_ms, sent.ticker = True, 0, None
                raise UnknownOutcome(
                    "An order under this client order id is at the exchange already; this one was not taken as a "
                    "second. What became of the first has to be asked.",
                    status=error.status,
                    client_order_id=client_order_id,
                ) from error
            sent.accepted = True
        placed = replace(
            order_from_terms(client_order_id, terms, OrderState.RESTING, sent.first_sent_ms),
            order_id=ack.order_id,
            filled=ack.filled,
            remaining=ack.remaining,
        )
        self._order_tracker.record_accepted(placed, self._clock.now_ms(), resting=ack.remaining > 0)
        return ack if ack.client_order_id else replace(ack, client_order_id=client_order_id)

    async def preview_order(
        self,
        ticker: str,
        side: Side | Literal["yes", "no"],
        action: Action | Literal["buy", "sell"],
        price: str | Price,
        count: str | Count,
        *,
        tif: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        expires_s: int | None = None,
        cancel_on_pause: bool = False,
        self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS,
        subaccount: int | None = None,
    ) -> DryRun:
        """Return what an order would do: its fills, fees, cost and risk. Nothing is sent.

        The arguments are those of `place_order`. The market, its fees, its book (up to 15 s old) and, with a key, the
        position, the cash and the account's resting orders there are read; raises TransportError, Refused or BadReply,
        and NumberError for a price or count that is none::

            preview = await client.preview_order("KXBTCD-26DEC01-B95000", "yes", "buy", "0.42", "10")
            print(preview.refusal or format_money(preview.cost))
        """
        return await self._preview(
            _order_terms(
                ticker,
                side,
                action,
                price,
                count,
                tif=tif,
                post_only=post_only,
                reduce_only=reduce_only,
                expires_s=expires_s,
                cancel_on_pause=cancel_on_pause,
                self_trade=self_trade,
                subaccount=subaccount,
            )
        )

    async def find_order(
        self, client_order_id: str, *, ticker: str | None = None, sent_ms: int | None = None, within_s: float = 120.0
    ) -> Order | None:
        """Ask until it is known what became of an order, by its client order id; None if it never arrived.

        None is proved: three reads of the live list and of the archive lack the order, all of them after the exchange's
        data had passed, by 5 s, the moment when its sender stopped waiting for the reply. An order that is old enough
        to be on its way into the archive, or of unknown age, takes a minute between the first and the last of them:
        it may be in neither list meanwhile. None never comes while the
        sending call still waits, while the archive cannot be read whole, and for an order that the exchange has said
        to have. Raises UnknownOutcome if ``within_s`` seconds did not suffice, and Refused if this key may not read.

        ``ticker`` and ``sent_ms`` (Unix milliseconds) narrow the search; for the newest 1,000 orders of this client
        they are known. For an order of another sender ``sent_ms`` has to be the latest moment at which it can have
        left; without it the moment of this call counts::

            try:
                await client.place_order(ticker, "yes", "buy", "0.42", "10")
            except UnknownOutcome as error:
                order = await client.find_order(error.client_order_id)
        """
        sent = self._order_tracker.find_sent(client_order_id)
        since_ms = sent_ms if sent_ms is not None else sent.first_sent_ms if sent is not None else 0
        latest_ms = sent_ms or 0

        def not_after_ms() -> int:
            nonlocal latest_ms
            known = self._order_tracker.find_sent(client_order_id)
            if known is not None:
                return max(known.latest_arrival_ms, sent_ms or 0)
            latest_ms = latest_ms or self._clock.now_ms()
            return latest_ms

        found = await resolve_order(
            self._rest,
            client_order_id,
            ticker=ticker or (sent.ticker if sent is not None else None),
            sent_ms=since_ms,
            latest_arrival_ms=not_after_ms,
            within_s=within_s,
        )
        self._order_tracker.record_resolved(client_order_id)
        if found is not None:
            self._order_tracker.record_accepted(found, 0, resting=found.state is OrderState.RESTING)
        return found

    async def cancel(self, order: Order | str) -> CancelAck:
        """Cancel an order, given whole or by the exchange's id. Raises NotFound if it is gone already.

        The cancel has to name the order's market, which routes it to the right part of the exchange. For an id alone
        the market is known if it is one of this client's newest 1,000 orders; any other order is read first, which
        raises as a read does. NotFound from that read is proved: three reads lack the order after the exchange's data
        had passed this call by 5 s; if the data are not that new within 60 s, the cancel is NotSent. The cancel itself
        raises NotSent, Refused or UnknownOutcome.
        """
        if isinstance(order, str):
            order_id, ticker = order, self._order_tracker.ticker_of(order)
            subaccount = self._order_tracker.subaccount_of(order)
            if not ticker:
                found = await self._fetch_order(order_id, "The cancel")
                ticker, subaccount = found.ticker, found.subaccount
        else:
            order_id, ticker, subaccount = order.order_id, order.ticker, order.subaccount
        await self._sync_clock_soon()
        try:
            ack = await self._rest.cancel_order(order_id, ticker, subaccount=subaccount)
        except NotFound:
            self._order_tracker.mark_gone(order_id)
            raise
        self._order_tracker.mark_gone(order_id)
        return ack

    async def cancel_all(
        self,
        *,
        ticker: str | None = None,
        subaccount: int | None = None,
        within_s: float = 60.0,
        max_by_name: int = MAX_CANCELED_BY_NAME,
    ) -> list[Order]:
        """Cancel all resting orders, or those of one market, until none is proved to rest; return an empty list.

        It takes those of every subaccount, unless ``subaccount`` names one. Up to ``max_by_name`` orders are canceled
        by name. More, an order of unknown outcome, and a list that cannot be read take the one call for all: for a
        minute after it the exchange may cancel new orders too, and `place_order` refuses them.

        The proof is three reads that find nothing, all of them after the exchange's data had passed this call by 5 s.
        It takes some seconds, though what is listed is canceled at once. What this client has placed is canceled even
        before the exchange lists it. Orders sent after this call are not looked for: stop sending first.

        Raises UnknownOutcome if it is not proved within ``within_s`` seconds: call it again. Raises NotSent or Refused
        if the first command did not leave or was rejected, so that nothing was done.
        """
        if self._signer is None:
            raise NoKey
        await cancel_all_confirmed(
            self._rest,
            self._order_tracker,
            ticker,
            within_s,
            subaccount,
            max_by_name=max_by_name,
            minute=self._cancel_all_minute,
        )
        return []

    async def amend(
        self,
        order: Order | str,
        *,
        yes_price: str | Price | None = None,
        remaining: str | Count | None = None,
        expires_s: int | None = None,
    ) -> AmendAck:
        """Change a resting order's YES price, what remains of it, or its expiry.

        ``expires_s`` is a Unix time in seconds, 0 for no expiry, None for the order's own as it is. An expiry and a
        smaller count keep the place in the queue; any other change goes to its end. An order given by its id is read
        first, as `cancel` reads it. The ``filled`` of an order given whole must be current, for the exchange counts the
        whole order, what is filled included. Raises NotSent, Refused or UnknownOutcome.
        """
        order = await self._fetch_order(order, "The amendment") if isinstance(order, str) else order
        at = order.yes_price if yes_price is None else numbers.price(yes_price)
        left = order.remaining if remaining is None else numbers.contracts(remaining)
        await self._sync_clock_soon()
        if expires_s is None and at == order.yes_price and left < order.remaining:
            return await self._rest.decrease_order(order.order_id, order.ticker, to=left, subaccount=order.subaccount)
        return await self._rest.amend_order(
            order.order_id,
            order.ticker,
            order.book_side,
            at,
            order.filled + left,
            client_order_id=order.client_order_id,
            subaccount=order.subaccount,
            expires_s=expires_s,
        )

    # The stream.

    def stream(
        self,
        books: Iterable[str] = (),
        *,
        quotes: Iterable[str] | Literal["all"] = (),
        account: bool = True,
    ) -> Updates:
        """Follow books and their public trades, quotes, and the account and changes of markets. Raises NoKey.

        ``books`` and ``quotes`` are tickers, ``quotes`` may be all. The stream ends with an ``async with`` block around
        it, or with `close`. Public data need a key here too: the exchange lets nobody connect without one::

            async with client.stream(["KXBTCD-26DEC01-B95000"]) as updates:
                async for update in updates:
                    print(update)
        """
        if self._signer is None:
            raise NoKey
        signer = self._signer

        def make_stream(handler: FeedHandler, listener: ReportListener, *, private: bool) -> Stream:
            return Stream(
                self.environment,
                signer,
                handler,
                clock=self._rest.clock,
                listener=listener,
                private=private and account,
                proxy=self._proxy,
            )

        updates = Updates(lambda handler, listener: StreamGroup(make_stream, handler, listener))
        if tickers := _to_ticker_list(books):
            updates.watch_books(tickers)
        if quotes == "all":
            updates.watch_quotes(None)
        elif tickers := _to_ticker_list(quotes):
            updates.watch_quotes(tickers)
        self._streams = [*(each for each in self._streams if not each.closed), updates]
        return updates

    # Inside.

    async def _sync_clock(self) -> None:
        """Read the exchange's time, which any reply tells, unless it is known. Raises NotSent if nobody answers.

        An order needs it: that it never arrived is proved against the time at which it was sent.
        """
        if self._clock.synced or self._signer is None:
            return
        try:
            await self._rest.user_data_timestamp()
        except TransportError as error:
            if not self._clock.synced:
                raise NotSent(f"The order was not sent: no connection. {error} Nothing was done.") from error
        except KalshiError:
            # A reply came, and with it the time. What was rejected here will be rejected for the order too.
            return

    async def _sync_clock_soon(self) -> None:
        """Read the exchange's time unless it is known: it rejects a signature by a clock that is far off.

        A change of what rests does not wait long for it, and goes by this machine's clock then.
        """
        with suppress(NotSent, TimeoutError):
            async with asyncio.timeout(CLOCK_PATIENCE_S):
                await self._sync_clock()

    async def _learn_shard(self, ticker: str) -> None:
        """Find out on which shard the market lies, once for each market. Raises NotSent if nobody answers.

        An order that does not name it is paid for with the tokens of every shard (docs/kalshi-api.md, section 14).
        """
        try:
            await self._rest.learn_shard(ticker)
        except TransportError as error:
            raise NotSent(f"The order was not sent: no connection. {error} Nothing was done.") from error
        except KalshiError:
            # The exchange finds the shard by the ticker too, or rejects the order.
            return

    async def _describe_cancel_all_minute(self, subaccount: int | None) -> str:
        """Return why a new order should wait for the minute after a cancel of all; empty if it need not."""
        why = self._cancel_all_minute.describe(subaccount or 0)
        if why or subaccount is not None:
            return why
        # Without a number it goes to the primary account, but with a key that is locked to one subaccount to that.
        why = self._cancel_all_minute.describe(None)
        return why if why and not await self._is_full_key() else ""

    async def _is_full_key(self) -> bool:
        """Return whether the key is known not to be locked to one subaccount; it costs a read."""
        try:
            await self._rest.subaccount_balances()
        except KalshiError:
            return False
        return True

    async def _fetch_order(self, order_id: str, what: str) -> Order:
        return await fetch_order_by_id(self._rest, order_id, what, LISTING_TIMEOUT_S)

    async def _get_fees(self, market: Market) -> FeeSchedule:
        # Read each time: a change of a series' fees is told by no event, and a preview must not go by the old ones.
        return await self._rest.event_fees(await whole_history.event_of(self._rest, market))

    async def _preview(self, terms: OrderTerms) -> DryRun:
        market = await self._rest.market(terms.ticker)
        market = replace(market, fees=await self._get_fees(market))
        held, cash, precision, own = None, None, CENT, NO_ORDERS
        if self._signer is not None:
            number = terms.subaccount
            # What is held is in the live list alone: an order must not wait for the archive, or fail with it.
            of_market = await self.positions(status="unsettled", ticker=terms.ticker, subaccount=number)
            held = next((each for each in of_market if each.count), None)
            balance = await self.balance(subaccount=number)
            cash, precision = balance.on_shard(market.exchange_index), balance.precision
            own = await self._read_own_orders(terms)
        book = await self.orderbook(terms.ticker)
        return DryRun.of(terms, market, book, held, cash, precision=precision, own=own)

    async def _read_own_orders(self, terms: OrderTerms) -> OwnOrders:
        """Read what rests of the account's in a market; where in the queue, if that decides what an order meets."""
        resting = await self.orders(status="resting", ticker=terms.ticker)
        own = OwnOrders.of(resting, terms.ticker, terms.subaccount or 0)
        ahead: dict[str, Count] = {}
        for number in sorted({each.subaccount for each in own.in_the_way(terms)}):
            ahead |= await self._rest.queue_positions([terms.ticker], subaccount=number or None)
        return replace(own, ahead=ahead)


def new_client_order_id() -> str:
    """Return a new client order id: random, so that it is unique and says nothing about the order or its sender."""
    return str(uuid.uuid4())


def _order_terms(
    ticker: str,
    side: Side | Literal["yes", "no"],
    action: Action | Literal["buy", "sell"],
    price: str | Price,
    count: str | Count,
    *,
    tif: TimeInForce,
    post_only: bool,
    reduce_only: bool,
    expires_s: int | None,
    cancel_on_pause: bool,
    self_trade: SelfTrade,
    subaccount: int | None,
) -> OrderTerms:
    """Return the terms of an order as a program gives them. Raises NumberError, or ValueError for what cannot be."""
    return OrderTerms(
        ticker=ticker,
        side=Side(side),
        action=Action(action),
        price=numbers.price(price),
        count=numbers.contracts(count),
        tif=tif,
        post_only=post_only,
        reduce_only=reduce_only,
        expires_s=expires_s,
        cancel_on_pause=cancel_on_pause,
        self_trade=self_trade,
        subaccount=None if subaccount is None else require_number(subaccount),
    )


def _to_ticker_list(given: Iterable[str]) -> list[str]:
    if isinstance(given, str):
        raise TypeError(f"a list of tickers is wanted, such as [{given!r}]")
    return list(given)


def _make_book(levels: tuple[Levels, Levels]) -> Book:
    book = Book()
    try:
        book.snapshot(*levels)
    except BookError as error:
        raise BadReply(f"The exchange's reply makes no sense as a book: {error}.") from None
    return book
