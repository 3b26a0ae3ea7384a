"""The REST client: questions, which may be asked again, and commands, which are never repeated.

docs/kalshi-api.md, sections 6 to 10.

A failed question raises `TransportError`, `Refused` or `BadReply`. A failed command raises `NotSent` (nothing left this
machine), `Refused` (a definite no) or `UnknownOutcome` (it may have been done; ask before anything else).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import quote as quoted

import httpx
from msgspec import UNSET

from kalshi_tui.domain.candles import Candle, Settlement
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.market import Event, Market, Trade
from kalshi_tui.domain.order import BookSide, Fill, Order, OrderTerms
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.domain.price import Count, Price, format_count, format_price
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.environments import Environment
from kalshi_tui.kalshi.errors import BadReply, Refused, UnknownOutcome
from kalshi_tui.kalshi.replies import (
    AccountLimits,
    AmendAck,
    BatchCancelResult,
    CancelAck,
    ExchangeStatus,
    OrderAck,
    SeriesTerms,
)
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.kalshi.transport.http import (
    MAX_BODY_BYTES,
    HttpClient,
    Params,
    Retry,
    Timeouts,
    translate_acknowledgement,
    translate_reply,
)
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.kalshi.wire.tolerant import LeftOut, Read

__all__ = ["RestClient", "Retry", "Timeouts", "build_order_request"]

T = TypeVar("T")
U = TypeVar("U")

Levels = list[tuple[Price, Count]]

PAGE_SIZE: Final = 1000
EVENTS_PAGE_SIZE: Final = 200
MAX_BOOKS_PER_REQUEST: Final = 100
ORDERS_PATH: Final = "/portfolio/events/orders"


async def _wait_between_rounds(turn: int) -> None:
    await asyncio.sleep(0.25 * (turn + 1))


class RestClient:
    """One environment's REST API. Without a signer only the public market data can be read.

    ``transport`` replaces the network in tests. Use it as an async context manager, or call `close`.
    """

    def __init__(
        self,
        environment: Environment,
        signer: Signer | None = None,
        *,
        clock: ExchangeClock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
        retry: Retry | None = None,
        body_limit: int = MAX_BODY_BYTES,
        proxy: str | None = None,
        read_only: bool = False,
    ) -> None:
        """Make ready; ``proxy`` is the address of an HTTP proxy. Raises ValueError for one that is none."""
        self.environment = environment
        self._http = HttpClient(
            environment,
            signer,
            clock=clock,
            transport=transport,
            timeouts=timeouts,
            retry=retry,
            body_limit=body_limit,
            proxy=proxy,
            read_only=read_only,
        )

    @property
    def clock(self) -> ExchangeClock:
        """The exchange's time as its replies tell it; hand it to the stream too."""
        return self._http.clock

    @property
    def on_left_out(self) -> Callable[[LeftOut], None] | None:
        """Told of every item that cannot be read and is left out of a list, each time that it is."""
        return self._http.on_left_out

    @on_left_out.setter
    def on_left_out(self, told: Callable[[LeftOut], None] | None) -> None:
        self._http.on_left_out = told

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # Markets (docs/kalshi-api.md, section 8).

    def markets(
        self,
        *,
        status: str | None = None,
        event_ticker: str | None = None,
        series_ticker: str | None = None,
        tickers: Sequence[str] | None = None,
        without_combos: bool = False,
        page_size: int = PAGE_SIZE,
    ) -> "Reading[Market]":
        """Yield the markets that pass the filters; one that cannot be read is left out, and told.

        ``status`` is the filter's word (unopened, open, paused, closed, settled), not the object's.
        """
        params: Params = {
            "limit": page_size,
            "status": status,
            "event_ticker": event_ticker,
            "series_ticker": series_ticker,
            "tickers": ",".join(tickers) if tickers is not None else None,
            "mve_filter": "exclude" if without_combos else None,
        }

        async def read(reading: Reading[Market]) -> AsyncIterator[Market]:
            lost = reading.left_out
            pages = self._http.iterate_pages(
                "/markets", params, wire.MarketsReply, left_out=lost, broken_off=reading.breaks_off
            )
            async for reply in pages:
                for market in self._http.sensible(translate.market, reply.markets, "market", _ticker, lost):
                    yield market

        return Reading(read)

    async def market(self, ticker: str) -> Market:
        """Read one market; a market just made may be `NotFound` for a moment."""
        reply = await self._http.get(f"/markets/{_path_segment(ticker)}", wire.MarketReply)
        market = translate_reply(translate.market, reply.market)
        if market.ticker != ticker:
            raise BadReply("The exchange answered about another market than the one asked about.")
        return market

    def events(
        self,
        *,
        with_nested_markets: bool = True,
        status: str | None = None,
        series_ticker: str | None = None,
        page_size: int = EVENTS_PAGE_SIZE,
    ) -> "Reading[Event]":
        """Yield the events that pass the filters, with their markets if wanted; as `markets` otherwise."""
        params: Params = {
            "limit": page_size,
            "with_nested_markets": "true" if with_nested_markets else None,
            "status": status,
            "series_ticker": series_ticker,
        }

        async def read(reading: Reading[Event]) -> AsyncIterator[Event]:
            lost = reading.left_out
            change = partial(translate.event, left_out=self._odd_market(lost))
            pages = self._http.iterate_pages(
                "/events", params, wire.EventsReply, left_out=lost, broken_off=reading.breaks_off
            )
            async for reply in pages:
                for event in self._http.sensible(change, reply.events, "event", _event_ticker, lost):
                    yield event

        return Reading(read)

    async def event(self, event_ticker: str) -> Event:
        """Read one event with its markets."""
        path = f"/events/{_path_segment(event_ticker)}"
        reply = await self._http.get(path, wire.EventReply, {"with_nested_markets": "true"})
        change = partial(translate.event, beside=reply.markets, left_out=self._odd_market(None))
        return translate_reply(change, reply.event)

    async def series(self, series_ticker: str) -> SeriesTerms:
        """Read one series: its fees above all (docs/kalshi-api.md, section 9)."""
        reply = await self._http.get(f"/series/{_path_segment(series_ticker)}", wire.SeriesReply)
        return translate_reply(translate.series, reply.series)

    async def event_fees(self, event: Event) -> FeeSchedule:
        """Read what fills in an event's markets cost: by its series, as the event itself may alter it.

        docs/kalshi-api.md, section 9.
        """
        series = await self.series(event.series_ticker or event.event_ticker.partition("-")[0])
        return translate.event_fees(series.fees, event)

    async def series_list(self, *, category: str | None = None) -> Read[SeriesTerms]:
        """Read all series, or those of a category; one that cannot be read is left out, and told."""
        lost = list[LeftOut]()
        reply = await self._http.get("/series", wire.SeriesListReply, {"category": category}, left_out=lost)
        found = Read(self._http.sensible(translate.series, reply.series, "series", _ticker, lost))
        found.left_out = tuple(lost)
        return found

    async def orderbook(self, ticker: str, depth: int | None = None) -> tuple[Levels, Levels]:
        """Read a book's YES and NO bids, ascending. Up to 15 s old, so never a repair for a live book.

        docs/kalshi-api.md, section 4.
        """
        reply = await self._http.get(
            f"/markets/{_path_segment(ticker)}/orderbook", wire.OrderbookReply, {"depth": depth}
        )
        return translate_reply(_parse_book, reply.orderbook_fp)

    async def orderbooks(self, tickers: Sequence[str]) -> dict[str, tuple[Levels, Levels]]:
        """Read several books, 100 at a time. Up to 15 s old, so never a repair for live books.

        docs/kalshi-api.md, section 4.
        """
        books: dict[str, tuple[Levels, Levels]] = {}
        for start in range(0, len(tickers), MAX_BOOKS_PER_REQUEST):
            chunk = list(tickers[start : start + MAX_BOOKS_PER_REQUEST])
            reply = await self._http.get("/markets/orderbooks", wire.OrderbooksReply, {"tickers": chunk})
            books.update(self._http.sensible(_named_book, reply.orderbooks, "book", _ticker, []))
        return books

    async def trades(
        self, ticker: str | None = None, *, min_ts: int | None = None, max_ts: int | None = None, most: int = 100
    ) -> Read[Trade]:
        """Read public trades, newest first, at most ``most``; ``min_ts`` and ``max_ts`` in Unix seconds."""
        params: Params = {"ticker": ticker, "min_ts": min_ts, "max_ts": max_ts, "limit": min(most, PAGE_SIZE)}
        return await self._http.fetch_all(
            "/markets/trades",
            params,
            wire.TradesReply,
            lambda reply: reply.trades,
            translate.rest_trade,
            "trade",
            lambda each: each.trade_id,
            most,
        )

    async def candles(
        self, series_ticker: str, ticker: str, start_ts: int, end_ts: int, *, minutes: int = 60
    ) -> list[Candle]:
        """Read a market's history, oldest first; times in Unix seconds, ``minutes`` 1, 60 or 1440 a period."""
        path = f"/series/{_path_segment(series_ticker)}/markets/{_path_segment(ticker)}/candlesticks"
        params: Params = {"start_ts": start_ts, "end_ts": end_ts, "period_interval": minutes}
        reply = await self._http.get(path, wire.CandlesticksReply, params)
        return self._candles(reply.candlesticks)

    async def candles_by_ticker(
        self, tickers: Sequence[str], start_ts: int, end_ts: int, *, minutes: int = 60
    ) -> dict[str, list[Candle]]:
        """Read the history of up to 100 markets at once, each oldest first; as `candles` otherwise."""
        params: Params = {
            "market_tickers": ",".join(tickers),
            "start_ts": start_ts,
            "end_ts": end_ts,
            "period_interval": minutes,
        }
        reply = await self._http.get("/markets/candlesticks", wire.BatchCandlesticksReply, params)
        return {each.market_ticker: self._candles(each.candlesticks) for each in reply.markets or ()}

    def _candles(self, sources: Iterable[wire.Candlestick] | None) -> list[Candle]:
        return list(self._http.sensible(translate.candle, sources, "candle", lambda each: each.end_period_ts, []))

    # The exchange.

    async def exchange_status(self) -> ExchangeStatus:
        """Read whether the exchange is up and trades. A 503 from this very call means that it is down."""
        return translate_reply(
            translate.exchange_status, await self._http.get("/exchange/status", wire.ExchangeStatusReply)
        )

    async def exchange_schedule(self) -> wire.Schedule:
        """Read the hours of the week and the planned pauses, as the exchange words them."""
        return (await self._http.get("/exchange/schedule", wire.ScheduleReply)).schedule

    async def user_data_timestamp(self) -> int:
        """Read up to when (Unix milliseconds) the portfolio reads are true: they lag writes by seconds.

        docs/kalshi-api.md, section 6.
        """
        reply = await self._http.get("/exchange/user_data_timestamp", wire.UserDataTimestampReply)
        return translate_reply(translate.parse_time_ms, reply.as_of_time)

    # The account (docs/kalshi-api.md, section 7).

    async def balance(self) -> Balance:
        """Read the cash, in all and by shard."""
        return translate_reply(
            translate.balance, await self._http.get("/portfolio/balance", wire.BalanceReply, private=True)
        )

    async def positions(self, *, ticker: str | None = None, event_ticker: str | None = None) -> Read[Position]:
        """Read the holdings; those of settled markets are gone from here."""
        params: Params = {"limit": PAGE_SIZE, "ticker": ticker, "event_ticker": event_ticker}
        return await self._http.fetch_all(
            "/portfolio/positions",
            params,
            wire.PositionsReply,
            lambda reply: reply.market_positions,
            translate.position,
            "position",
            _ticker,
            private=True,
        )

    async def fills(
        self,
        *,
        ticker: str | None = None,
        order_id: str | None = None,
        min_ts: int | None = None,
        max_ts: int | None = None,
        most: int | None = None,
    ) -> Read[Fill]:
        """Read the account's fills, newest first, at most ``most``; ``min_ts`` and ``max_ts`` in Unix seconds."""
        params: Params = {
            "ticker": ticker,
            "order_id": order_id,
            "min_ts": min_ts,
            "max_ts": max_ts,
            "limit": PAGE_SIZE if most is None else min(most, PAGE_SIZE),
        }
        return await self._http.fetch_all(
            "/portfolio/fills",
            params,
            wire.FillsReply,
            lambda reply: reply.fills,
            translate.rest_fill,
            "fill",
            lambda each: each.trade_id,
            most,
            private=True,
        )

    async def settlements(self, *, min_ts: int | None = None, most: int | None = None) -> Read[Settlement]:
        """Read what settled markets paid, newest first."""
        params: Params = {"min_ts": min_ts, "limit": PAGE_SIZE if most is None else min(most, PAGE_SIZE)}
        return await self._http.fetch_all(
            "/portfolio/settlements",
            params,
            wire.SettlementsReply,
            lambda reply: reply.settlements,
            translate.settlement,
            "settlement",
            _ticker,
            most,
            private=True,
        )

    async def limits(self) -> AccountLimits:
        """Read how fast this account may ask and order, and go by it from now on (docs/kalshi-api.md, section 10)."""
        limits = translate.limits(await self._http.get("/account/limits", wire.AccountLimitsReply, private=True))
        self._http.write_budget.set_limits(limits.write.per_second, limits.write.capacity)
        return limits

    async def scopes(self, key_id: str) -> tuple[str, ...] | None:
        """Read what a key may do, such as ``read`` and ``write``; None where the exchange does not tell this key."""
        try:
            reply = await self._http.get("/api_keys", wire.ApiKeysReply, private=True)
        except Refused:
            # Keys with few rights may not look at the list of keys, their own entry included.
            return None
        found = [each for each in reply.api_keys or () if each.api_key_id == key_id]
        return (
            tuple(translate.clean(scope, translate.MAX_ID_LENGTH) for scope in found[0].scopes or ()) if found else None
        )

    async def endpoint_costs(self) -> wire.EndpointCostsReply:
        """Read what calls cost in tokens, where that is not the default."""
        return await self._http.get("/account/endpoint_costs", wire.EndpointCostsReply, private=True)

    # Orders (docs/kalshi-api.md, section 6).

    async def orders(
        self,
        *,
        status: str | None = None,
        ticker: str | None = None,
        event_ticker: str | None = None,
        min_ts: int | None = None,
        max_ts: int | None = None,
        most: int | None = None,
    ) -> Read[Order]:
        """Read orders; ``status`` is resting, canceled or executed, the times are Unix seconds."""
        params: Params = {
            "status": status,
            "ticker": ticker,
            "event_ticker": event_ticker,
            "min_ts": min_ts,
            "max_ts": max_ts,
            "limit": PAGE_SIZE if most is None else min(most, PAGE_SIZE),
        }
        return await self._http.fetch_all(
            "/portfolio/orders",
            params,
            wire.OrdersReply,
            lambda reply: reply.orders,
            translate.order,
            "order",
            _order_id,
            most,
            private=True,
        )

    def archived_orders(
        self, *, ticker: str | None = None, min_ts: int | None = None, page: int = PAGE_SIZE
    ) -> "Reading[Order]":
        """Yield orders that ended so long ago that they have left the live list.

        Unix seconds. See docs/kalshi-api.md, section 15.
        """
        params: Params = {"ticker": ticker, "min_ts": min_ts, "limit": page}

        async def read(reading: Reading[Order]) -> AsyncIterator[Order]:
            lost = reading.left_out
            pages = self._http.iterate_pages(
                "/historical/orders",
                params,
                wire.OrdersReply,
                private=True,
                left_out=lost,
                broken_off=reading.breaks_off,
            )
            async for reply in pages:
                for order in self._http.sensible(translate.order, reply.orders, "order", _order_id, lost):
                    yield order

        return Reading(read)

    async def order(self, order_id: str) -> Order:
        """Read one order, as long as it is in the live list. Raises BadReply if the answer is about another."""
        reply = await self._http.get(f"/portfolio/orders/{_path_segment(order_id)}", wire.OrderReply, private=True)
        order = translate_reply(translate.order, reply.order)
        if order.order_id != order_id:
            raise BadReply("The exchange answered about another order than the one asked about.")
        return order

    async def queue_position(self, order_id: str) -> Count:
        """Read how many contracts (1/100) stand before an order at its price."""
        path = f"/portfolio/orders/{_path_segment(order_id)}/queue_position"
        reply = await self._http.get(path, wire.QueuePositionReply, private=True)
        return translate_reply(partial(translate.parse_count_field, field="queue_position"), reply.queue_position_fp)

    async def queue_positions(self, tickers: Sequence[str]) -> dict[str, Count]:
        """Read how many contracts (1/100) stand before each resting order of these markets, by order id."""
        reply = await self._http.get(
            "/portfolio/orders/queue_positions",
            wire.QueuePositionsReply,
            {"market_tickers": ",".join(tickers)},
            private=True,
        )
        return dict(self._http.sensible(_named_place, reply.queue_positions, "queue place", _order_id, []))

    async def create_order(self, terms: OrderTerms, client_order_id: str) -> OrderAck:
        """Send one order, once. Raises NotSent, Refused or UnknownOutcome; never sends it a second time.

        A reply without an order id, about another order, or with counts that cannot be this order's is an unknown
        outcome (docs/kalshi-api.md, section 6).
        """
        request = build_order_request(terms, client_order_id)
        reply = await self._http.send_command("POST", ORDERS_PATH, wire.CreateOrderReply, "The order", request)
        ack = translate_acknowledgement(translate.order_ack, reply, "The order")
        if ack.client_order_id and ack.client_order_id != client_order_id:
            raise UnknownOutcome(
                "The order was sent, but the exchange's answer is about another order: what became of it is not known.",
                order_id=ack.order_id,
            )
        if ack.filled + ack.remaining > terms.count:
            raise UnknownOutcome(
                "The order was sent, but the counts in the exchange's answer cannot be this order's: "
                "what became of it is not known.",
                order_id=ack.order_id,
            )
        return ack

    async def cancel_order(self, order_id: str, ticker: str) -> CancelAck:
        """Cancel one order. Raises NotFound when it is gone already; NotSent, Refused or UnknownOutcome.

        The ticker routes the cancel to the market's shard; without it only shard 0 would be asked.
        """
        path = f"{ORDERS_PATH}/{_path_segment(order_id)}"
        reply = await self._http.send_command(
            "DELETE", path, wire.CancelOrderReply, "The cancel", params={"market_ticker": ticker}
        )
        return _require_same_order(
            translate_acknowledgement(translate.cancel_ack, reply, "The cancel"), order_id, "The cancel"
        )

    async def cancel_orders(self, orders: Iterable[Order]) -> list[BatchCancelResult]:
        """Cancel several orders in one call; each has its own outcome. Raises NotSent, Refused or UnknownOutcome."""
        items = [wire.BatchCancelItemRequest(order_id=order.order_id, market_ticker=order.ticker) for order in orders]
        if not items:
            return []
        reply = await self._http.send_command(
            "DELETE",
            f"{ORDERS_PATH}/batched",
            wire.BatchCancelReply,
            "The cancel of several orders",
            wire.BatchCancelRequest(orders=items),
            item_count=len(items),
        )
        return [
            translate_acknowledgement(translate.batch_item, each, "The cancel of several orders")
            for each in reply.orders or ()
        ]

    async def request_cancel_all(self) -> bool:
        """Use the one call that cancels all on every shard; False where the deployment lacks it (404, 405).

        docs/kalshi-api.md, section 6.

        Done is not proved: read until none rests. Raises NotSent, Refused or UnknownOutcome.
        """
        try:
            await self._http.send_command_without_reply("DELETE", ORDERS_PATH, "The cancel of all orders")
        except Refused as refusal:
            if refusal.status not in {404, 405}:
                raise
            return False
        return True

    async def cancel_all(
        self, *, rounds: int = 10, pause: Callable[[int], Awaitable[None]] = _wait_between_rounds
    ) -> Read[Order]:
        """Cancel every resting order and read until none rests; gives those that rest after the last round.

        A list that is not ``whole`` proves nothing, though it be empty.

        Deployments without the cancel-all call (404, 405) are served by listing and canceling in batches (docs/kalshi-
        api.md, section 6).
        """
        whole = await self.request_cancel_all()
        left = Read[Order]()
        for turn in range(rounds):
            left = await self.orders(status="resting")
            if not left and left.whole:
                break
            if not whole:
                await self.cancel_orders(left[:PAGE_SIZE])
            if turn + 1 < rounds:
                await pause(turn)
        return left

    async def amend_order(
        self,
        order_id: str,
        ticker: str,
        book_side: BookSide,
        yes_price: Price,
        count: Count,
        *,
        client_order_id: str = "",
        new_client_order_id: str = "",
    ) -> AmendAck:
        """Change an order's price or size; ``count`` = already filled + wanted remaining.

        docs/kalshi-api.md, section 6.

        A new price or a larger size loses the queue place. Raises NotSent, Refused or UnknownOutcome.
        """
        request = wire.AmendOrderRequest(
            ticker=ticker,
            side=book_side.value,
            price=format_price(yes_price),
            count=format_count(count),
            client_order_id=client_order_id or UNSET,
            updated_client_order_id=new_client_order_id or UNSET,
        )
        path = f"{ORDERS_PATH}/{_path_segment(order_id)}/amend"
        reply = await self._http.send_command("POST", path, wire.AmendOrderReply, "The amendment", request)
        return _require_same_order(
            translate_acknowledgement(translate.amend_ack, reply, "The amendment"), order_id, "The amendment"
        )

    async def decrease_order(self, order_id: str, ticker: str, *, to: Count) -> AmendAck:
        """Lower what remains of an order to ``to``, keeping its place. Raises NotSent, Refused, UnknownOutcome."""
        request = wire.DecreaseOrderRequest(reduce_to=format_count(to), market_ticker=ticker)
        path = f"{ORDERS_PATH}/{_path_segment(order_id)}/decrease"
        reply = await self._http.send_command("POST", path, wire.DecreaseOrderReply, "The decrease", request)
        return _require_same_order(
            translate_acknowledgement(translate.amend_ack, reply, "The decrease"), order_id, "The decrease"
        )

    async def create_order_group(self, limit: Count) -> str:
        """Make an order group that stops its orders past ``limit`` matched in 15 s; gives its id.

        docs/kalshi-api.md, section 6.
        """
        reply = await self._http.send_command(
            "POST",
            "/portfolio/order_groups/create",
            wire.CreateOrderGroupReply,
            "The new order group",
            wire.CreateOrderGroupRequest(contracts_limit_fp=format_count(limit)),
        )
        return reply.order_group_id

    async def order_groups(self) -> list[wire.OrderGroup]:
        """Read the order groups."""
        reply = await self._http.get("/portfolio/order_groups", wire.OrderGroupsReply, private=True)
        return list(reply.order_groups or ())

    async def trigger_order_group(self, group_id: str) -> None:
        """Cancel all orders of a group and let it take no more until it is reset."""
        await self._http.send_command_without_reply(
            "PUT", f"/portfolio/order_groups/{_path_segment(group_id)}/trigger", "The group's stop"
        )

    async def reset_order_group(self, group_id: str) -> None:
        """Let a group take orders again, its count of matched contracts at 0."""
        await self._http.send_command_without_reply(
            "PUT", f"/portfolio/order_groups/{_path_segment(group_id)}/reset", "The group's reset"
        )

    async def delete_order_group(self, group_id: str) -> None:
        """Delete a group; its orders are canceled."""
        await self._http.send_command_without_reply(
            "DELETE", f"/portfolio/order_groups/{_path_segment(group_id)}", "The group's end"
        )

    def _odd_market(self, left_out: list[LeftOut] | None) -> Callable[[wire.Market, Exception], None]:
        """Tell of a market of an event that makes no sense."""

        def tell(market: wire.Market, why: Exception) -> None:
            name = translate.clean(market.ticker, translate.MAX_ID_LENGTH)
            self._http.leave_out(LeftOut("market", name, translate.clean(str(why))), left_out)

        return tell


class Reading(AsyncIterator[T]):
    """A list that is read page by page; once at its end, it is known whether all of it was read."""

    def __init__(self, read: Callable[["Reading[T]"], AsyncIterator[T]]) -> None:
        self.left_out: list[LeftOut] = []
        """Items that could not be read so far."""
        self.broken_off = False
        """The exchange gave the same cursor twice, so that further pages may not have been read."""
        self._items = read(self)

    def breaks_off(self) -> None:
        """Note that the pages ended before the list did."""
        self.broken_off = True

    @property
    def whole(self) -> bool:
        """Whether every item of the pages so far has been read, and no page was kept back."""
        return not self.left_out and not self.broken_off

    async def __anext__(self) -> T:
        return await anext(self._items)


def _ticker(source: wire.Market | wire.Series | wire.MarketOrderbook | wire.MarketPosition | wire.Settlement) -> str:
    return source.ticker


def _event_ticker(source: wire.Event) -> str:
    return source.event_ticker


def _order_id(source: wire.Order | wire.QueuePosition) -> str:
    return source.order_id


def _named_book(source: wire.MarketOrderbook) -> tuple[str, tuple[Levels, Levels]]:
    return translate.clean(source.ticker, translate.MAX_ID_LENGTH), _parse_book(source.orderbook_fp)


def _named_place(source: wire.QueuePosition) -> tuple[str, Count]:
    return translate.clean(source.order_id, translate.MAX_ID_LENGTH), translate.parse_count_field(
        source.queue_position_fp, field="queue_position"
    )


def build_order_request(terms: OrderTerms, client_order_id: str) -> wire.CreateOrderRequest:
    """Write an order in the exchange's terms: always the YES price; its shard is found by the ticker.

    docs/kalshi-api.md, section 6.
    """
    return wire.CreateOrderRequest(
        ticker=terms.ticker,
        client_order_id=client_order_id,
        side=terms.book_side.value,
        count=format_count(terms.count),
        price=format_price(terms.yes_price),
        time_in_force=terms.tif.value,
        self_trade_prevention_type=terms.self_trade.value,
        post_only=True if terms.post_only else UNSET,
        reduce_only=True if terms.reduce_only else UNSET,
        expiration_time=terms.expires_s if terms.expires_s is not None else UNSET,
        cancel_order_on_pause=True if terms.cancel_on_pause else UNSET,
        order_group_id=terms.order_group_id or UNSET,
    )


def _path_segment(text: str) -> str:
    """Write a ticker or an id as one segment of a path."""
    if not text or text in {".", ".."}:
        raise ValueError("an empty ticker or id makes no path")
    return quoted(text, safe="")


def _parse_book(source: wire.Orderbook) -> tuple[Levels, Levels]:
    return translate.parse_levels(source.yes_dollars), translate.parse_levels(source.no_dollars)


A = TypeVar("A", CancelAck, AmendAck)


def _require_same_order(ack: A, order_id: str, command_name: str) -> A:
    if ack.order_id != order_id:
        raise UnknownOutcome(
            f"{command_name} was sent, but the exchange's answer is about another order: what became of it "
            f"is not known.",
            order_id=order_id,
        )
    return ack
