"""A client for programs: what the exchange's API does, with exact numbers, typed errors and no order ever sent twice.

Prices are integers of 1/10,000 dollar, counts of 1/100 contract, money of 1/1,000,000 dollar; texts such as ``"0.42"``
are taken too. Times are Unix seconds (``_s``) or milliseconds (``_ms``).

An item of a list that cannot be read is left out, and told: lists have ``left_out`` (see `LeftOut`), and are ``whole``
only without any.

A question raises `TransportError`, `Refused` or `BadReply`. A command raises `NotSent` (nothing left this machine),
`Refused` (a definite no) or `UnknownOutcome` (it may have been done: ask, never resend).
"""

import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, overload

from kalshi_tui.domain.book import Book, BookError, Side
from kalshi_tui.domain.candles import MINUTE_MS, Candle, Settlement
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.market import Event, Market, Trade
from kalshi_tui.domain.order import Action, Fill, Order, OrderState, OrderTerms, TimeInForce, order_from_terms
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.kalshi import connect, numbers
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
from kalshi_tui.kalshi.order_status import (
    LISTING_TIMEOUT_S,
    OrderTracker,
    SyncedClock,
    by_id,
    cancel_all_confirmed,
    fetch_order_by_id,
    resolve_order,
)
from kalshi_tui.kalshi.preview import DryRun
from kalshi_tui.kalshi.replies import AccountLimits, AmendAck, CancelAck, ExchangeStatus, OrderAck
from kalshi_tui.kalshi.rest import Levels, Reading, RestClient
from kalshi_tui.kalshi.transport.http import Retry, Timeouts
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.kalshi.wire.tolerant import Read

DEFAULT_CANDLE_COUNT: Final = 100
"""How many periods `KalshiClient.candles` goes back unless it is told."""


class KalshiClient:
    """One account at one exchange; without a key its public market data alone.

    Use it as an asynchronous context manager, or call `close`::

        async with KalshiClient.from_env() as client:
            print(await client.balance())
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
        """Make ready; nothing is sent. Raises Misconfigured for a key or a proxy that cannot be used.

        The key is a PEM file that only its owner can read, or its text in ``private_key``, or a ``signer`` that is
        open already. With ``read_only_reason`` no command leaves; each is NotSent. ``proxy`` is the address of an HTTP
        proxy;
        no variable of the environment names one.
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
        self._fees_by_event: dict[str, FeeSchedule] = {}
        self._order_tracker = OrderTracker()
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
        """Make a client by the variables of the environment. Raises Misconfigured with a sentence.

        ``KALSHI_API_KEY_ID`` with ``KALSHI_PRIVATE_KEY_PATH`` (or the key's text in ``KALSHI_PRIVATE_KEY``) are the
        key. The exchange is Kalshi itself, **with real money**; its demo with ``KALSHI_USE_DEMO=true``; a practice
        exchange on this machine with its ``rest_url`` in ``KALSHI_REST_URL``.
        """
        variables = os.environ if environ is None else environ
        environment = connect.environment_from_env(variables)
        signer = connect.signer_from_env(variables, environment, passphrase)
        return cls(environment, signer, read_only=read_only, proxy=proxy)

    @classmethod
    def practice(cls, line: str | bytes | Mapping[str, Any], *, read_only: bool = False) -> Self:
        """Make a client by the first line that ``kalshi-tui practice`` prints. Raises Misconfigured for any other."""
        environment, signer = connect.parse_ready_line(line)
        return cls(environment, signer, read_only=read_only)

    async def close(self) -> None:
        """End the streams and close the connections. Orders that rest go on resting."""
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

    # Markets.

    def markets(
        self,
        *,
        status: Literal["unopened", "open", "paused", "closed", "settled"] | None = None,
        series_ticker: str | None = None,
        event_ticker: str | None = None,
        tickers: Sequence[str] | None = None,
    ) -> Reading[Market]:
        """Yield the markets that pass the filters, page by page, to the last."""
        return self._rest.markets(
            status=status, series_ticker=series_ticker, event_ticker=event_ticker, tickers=tickers
        )

    async def market(self, ticker: str) -> Market:
        """Read one market; `NotFound` if there is none."""
        return await self._rest.market(ticker)

    def events(
        self,
        *,
        status: Literal["unopened", "open", "closed", "settled"] | None = None,
        series_ticker: str | None = None,
        with_markets: bool = True,
    ) -> Reading[Event]:
        """Yield the events that pass the filters, with their markets, page by page, to the last."""
        return self._rest.events(status=status, series_ticker=series_ticker, with_nested_markets=with_markets)

    async def event(self, event_ticker: str) -> Event:
        """Read one event with its markets; `NotFound` if there is none."""
        return await self._rest.event(event_ticker)

    async def orderbook(self, ticker: str, depth: int | None = None) -> Book:
        """Read a book; up to 15 s old. For one that is live, `stream` it."""
        return _make_book(await self._rest.orderbook(ticker, depth))

    async def orderbooks(self, tickers: Sequence[str]) -> dict[str, Book]:
        """Read several books, by ticker, 100 a request; up to 15 s old."""
        return {ticker: _make_book(levels) for ticker, levels in (await self._rest.orderbooks(tickers)).items()}

    async def trades(
        self, ticker: str | None = None, *, min_s: int | None = None, max_s: int | None = None, most: int = 100
    ) -> Read[Trade]:
        """Read public trades, of one market or all, newest first, at most ``most``."""
        return await self._rest.trades(ticker, min_ts=min_s, max_ts=max_s, most=most)

    async def candles(
        self, ticker: str, *, minutes: Literal[1, 60, 1440] = 60, start_s: int | None = None, end_s: int | None = None
    ) -> list[Candle]:
        """Read a market's history, oldest first; without a start 100 periods, without an end the running one too."""
        period_s = minutes * MINUTE_MS // 1000
        end_s = self._rest.clock.now_ms() // 1000 + period_s if end_s is None else end_s
        start_s = end_s - DEFAULT_CANDLE_COUNT * period_s if start_s is None else start_s
        return (await self._rest.candles_by_ticker([ticker], start_s, end_s, minutes=minutes)).get(ticker, [])

    async def fees(self, ticker: str) -> FeeSchedule:
        """Read what a market's fills cost; read once for each event."""
        market = await self._rest.market(ticker)
        return await self._get_fees(market)

    async def exchange_status(self) -> ExchangeStatus:
        """Read whether the exchange is up and trades."""
        return await self._rest.exchange_status()

    # The account.

    async def balance(self) -> Balance:
        """Read the cash and what the positions are worth."""
        return await self._rest.balance()

    async def positions(self, *, ticker: str | None = None, event_ticker: str | None = None) -> Read[Position]:
        """Read what is held, all pages; settled markets are gone from here, and are in `settlements`."""
        return await self._rest.positions(ticker=ticker, event_ticker=event_ticker)

    async def settlements(self, *, min_s: int | None = None, most: int | None = None) -> Read[Settlement]:
        """Read what settled markets have paid, newest first, all pages."""
        return await self._rest.settlements(min_ts=min_s, most=most)

    async def orders(
        self,
        *,
        status: Literal["resting", "canceled", "executed"] | None = None,
        ticker: str | None = None,
        event_ticker: str | None = None,
        min_s: int | None = None,
        max_s: int | None = None,
        most: int | None = None,
    ) -> Read[Order]:
        """Read the account's orders, all pages or at most ``most``."""
        return await self._rest.orders(
            status=status, ticker=ticker, event_ticker=event_ticker, min_ts=min_s, max_ts=max_s, most=most
        )

    async def order(self, order_id: str) -> Order:
        """Read one order by the exchange's id, from the archive if it ended long ago.

        `NotFound` if it is in neither list, as one just placed may not be yet.
        """
        ticker, sent_ms = self._order_tracker.ticker_of(order_id) or None, self._order_tracker.sent_ms_of(order_id)
        return await by_id(self._rest, order_id, ticker=ticker, sent_ms=sent_ms)

    async def fills(
        self,
        *,
        ticker: str | None = None,
        order_id: str | None = None,
        min_s: int | None = None,
        max_s: int | None = None,
        most: int | None = None,
    ) -> Read[Fill]:
        """Read the account's fills, newest first, all pages or at most ``most``."""
        return await self._rest.fills(ticker=ticker, order_id=order_id, min_ts=min_s, max_ts=max_s, most=most)

    async def limits(self) -> AccountLimits:
        """Read how fast this account may ask and order; from then on commands wait by it instead of the lowest tier."""
        return await self._rest.limits()

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
        client_order_id: str = ...,
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
        client_order_id: str = ...,
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
        client_order_id: str = "",
        dry_run: bool = False,
    ) -> OrderAck | DryRun:
        """Send one limit order, once. Raises NotSent, Refused or UnknownOutcome; never sends it a second time.

        ``price`` is of the outcome ``side``, ``"0.42"`` or 4200; ``count`` is ``"10"`` contracts or 1000. Without a
        ``client_order_id`` a random one is made; `UnknownOutcome` carries it for `find_order`. Whoever may be
        canceled while this waits hands in one of `new_client_order_id`, to know it then. An order that the exchange
        has already under this id is an UnknownOutcome too, caused by `DuplicateOrder`: it is there, and what became of
        it is to be asked. With ``dry_run`` nothing is sent: what comes back are the figures of the ticket's preview.

        The first order of a client that has asked nothing yet is preceded by a question, which tells the exchange's
        time.
        """
        terms = OrderTerms(
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
        )
        if dry_run:
            return await self._preview_order(terms)
        client_order_id = client_order_id or new_client_order_id()
        await self._sync_clock()
        with self._order_tracker.track_send(client_order_id, ticker, self._clock) as sent:
            try:
                ack = await self._rest.create_order(terms, client_order_id)
            except UnknownOutcome as error:
                error.client_order_id = client_order_id
                raise
            except DuplicateOrder as error:
                # Nobody knows since when, nor in which market.
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

    async def find_order(
        self, client_order_id: str, *, ticker: str | None = None, sent_ms: int | None = None, within_s: float = 60.0
    ) -> Order | None:
        """Ask until it is known what became of an order, by the id of its sender; None if it never arrived.

        None is proved: three reads of the live list and of the archive have missed it, all of them after the exchange's
        data had passed, by 5 s, the moment when its sender stopped waiting for the answer. While a call still waits,
        while the archive cannot be read whole, and of an order that the exchange has said to have, None never comes.
        Raises UnknownOutcome if it took longer than ``within_s``, and `Refused` if the exchange does not let this key
        ask.

        ``ticker`` and ``sent_ms`` (Unix milliseconds) narrow the search; of this client's own orders, the newest 1,000,
        they are known. Of another's order nobody knows when it was sent but who gives ``sent_ms``, which has to be the
        latest moment that it can have left; without it the moment of this call counts.
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
        if found is not None:
            self._order_tracker.record_accepted(found, 0, resting=found.state is OrderState.RESTING)
        return found

    async def cancel(self, order: Order | str) -> CancelAck:
        """Cancel an order, given whole or by the exchange's id. Raises NotFound if it is gone already.

        By its id alone its market has to be known, which routes the cancel to the right part of the exchange. Of the
        newest 1,000 orders of this client it is; any other order is read first, which raises as a question does. That
        it is not listed counts only once the exchange's data have passed this call by 5 s, three reads agreeing:
        NotFound then, or NotSent if the data are not that new within 60 s. The cancel itself raises NotSent, Refused or
        UnknownOutcome.
        """
        if isinstance(order, str):
            order_id, ticker = order, self._order_tracker.ticker_of(order)
            if not ticker:
                ticker = (await self._fetch_order(order_id, "The cancel")).ticker
        else:
            order_id, ticker = order.order_id, order.ticker
        try:
            ack = await self._rest.cancel_order(order_id, ticker)
        except NotFound:
            self._order_tracker.mark_gone(order_id)
            raise
        self._order_tracker.mark_gone(order_id)
        return ack

    async def cancel_all(self, *, ticker: str | None = None, within_s: float = 60.0) -> list[Order]:
        """Cancel all that rests, or all of one market, until it is proved that nothing does; gives an empty list.

        Proved: three reads have found nothing, all of them after the exchange's data had passed this call by 5 s; so it
        takes some seconds, though what is listed is canceled at once. What this client has placed is canceled even
        before the exchange lists it. What is sent after this call is not looked for: stop sending first.

        Raises UnknownOutcome if it is not proved within ``within_s`` seconds: call it again. Raises NotSent or Refused
        if the first command did not leave or was refused, so that nothing was done.
        """
        if self._signer is None:
            raise NoKey
        await cancel_all_confirmed(self._rest, self._order_tracker, ticker, within_s)
        return []

    async def amend(
        self, order: Order | str, *, yes_price: str | Price | None = None, remaining: str | Count | None = None
    ) -> AmendAck:
        """Change a resting order's price (of YES) or what remains of it. Raises NotSent, Refused or UnknownOutcome.

        A smaller count alone keeps the place in the queue; all else goes to its end. An order given by its id is read
        first, as `cancel` reads it; of one given whole ``filled`` must be true, for the exchange counts the whole
        order.
        """
        order = await self._fetch_order(order, "The amendment") if isinstance(order, str) else order
        at = order.yes_price if yes_price is None else numbers.price(yes_price)
        left = order.remaining if remaining is None else numbers.contracts(remaining)
        if at == order.yes_price and left < order.remaining:
            return await self._rest.decrease_order(order.order_id, order.ticker, to=left)
        return await self._rest.amend_order(
            order.order_id,
            order.ticker,
            order.book_side,
            at,
            order.filled + left,
            client_order_id=order.client_order_id,
        )

    # The stream.

    def stream(
        self,
        books: Iterable[str] = (),
        *,
        quotes: Iterable[str] | Literal["all"] = (),
        account: bool = True,
    ) -> Updates:
        """Follow books with their public trades, quotes, and the account with its markets' changes. Raises NoKey.

        ``async for update in client.stream(["TICKER"])``; inside ``async with`` it ends with the block, else with
        `close`. Even public data need a key here: the exchange admits nobody without one.
        """
        if self._signer is None:
            raise NoKey
        signer = self._signer

        def a_stream(sink: FeedHandler, listener: ReportListener, *, private: bool) -> Stream:
            return Stream(
                self.environment,
                signer,
                sink,
                clock=self._rest.clock,
                listener=listener,
                private=private and account,
                proxy=self._proxy,
            )

        updates = Updates(lambda sink, listener: StreamGroup(a_stream, sink, listener))
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
        """Have the exchange's time, which any reply tells, before an order goes out: a miss is measured by it.

        Raises NotSent if nobody answers.
        """
        if self._clock.synced or self._signer is None:
            return
        try:
            await self._rest.user_data_timestamp()
        except TransportError as error:
            if not self._clock.synced:
                raise NotSent(f"The order was not sent: no connection. {error} Nothing was done.") from error
        except KalshiError:
            # The order gets an answer of its own.
            return

    async def _fetch_order(self, order_id: str, what: str) -> Order:
        return await fetch_order_by_id(self._rest, order_id, what, LISTING_TIMEOUT_S)

    async def _get_fees(self, market: Market) -> FeeSchedule:
        known = self._fees_by_event.get(market.event_ticker)
        if known is None:
            event = await self._rest.event(market.event_ticker)
            known = self._fees_by_event[market.event_ticker] = await self._rest.event_fees(event)
        return known

    async def _preview_order(self, terms: OrderTerms) -> DryRun:
        market = await self._rest.market(terms.ticker)
        market = replace(market, fees=await self._get_fees(market))
        held, cash = None, None
        if self._signer is not None:
            held = next((each for each in await self.positions(ticker=terms.ticker) if each.count), None)
            cash = (await self.balance()).on_shard(market.exchange_index)
        return DryRun.of(terms, market, await self.orderbook(terms.ticker), held, cash)


def new_client_order_id() -> str:
    """Make an id for one order: random, so that it is unique for ever and tells nothing."""
    return str(uuid.uuid4())


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
