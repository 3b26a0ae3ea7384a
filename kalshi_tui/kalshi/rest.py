"""The REST client: reads, which may be repeated, and commands, which never are (docs/kalshi-api.md, sections 6 to 10).

A failed read raises `TransportError`, `Refused` or `BadReply`. A failed command raises `NotSent` (nothing left this
machine), `Refused` (a definite no) or `UnknownOutcome` (it may have been done; ask before anything else).

The reads that `kalshi_tui.kalshi.client.KalshiClient` offers under the same name are documented here for its users.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from copy import copy
from functools import partial
from types import TracebackType
from typing import Final, Literal, Self, TypeVar
from urllib.parse import quote as quoted

import httpx
from msgspec import UNSET, UnsetType

from kalshi_tui.domain.candles import Candle, Settlement
from kalshi_tui.domain.fee_changes import EventFeeChange, SeriesFeeChange
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.market import Event, Market, Trade
from kalshi_tui.domain.order import BookSide, Fill, Order, OrderTerms
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.domain.price import Count, Money, Price, format_count, format_price
from kalshi_tui.domain.trading_pause import TradingPause
from kalshi_tui.kalshi import account_access, shard_transfers, subaccounts, translate, wire
from kalshi_tui.kalshi.archive import ArchiveReads
from kalshi_tui.kalshi.combo_reads import ComboReads
from kalshi_tui.kalshi.environments import Environment
from kalshi_tui.kalshi.errors import BadReply, Refused, UnknownOutcome
from kalshi_tui.kalshi.lists import LeftOut, Read, Reading
from kalshi_tui.kalshi.replies import (
    AccountLimits,
    AmendAck,
    ArchiveCutoffs,
    BatchCancelResult,
    CancelAck,
    ExchangeStatus,
    OrderAck,
    SeriesTerms,
    ShardTransfer,
    SubaccountBalance,
    SubaccountTransfer,
    TargetAllocation,
)
from kalshi_tui.kalshi.shard_routing import ShardRouting
from kalshi_tui.kalshi.shard_transfers import TransferSender
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
from kalshi_tui.kalshi.transport.rate_limit import WriteBudget
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.kalshi.transport.token_costs import TokenCosts

__all__ = ["RestClient", "Retry", "Timeouts", "build_order_request"]

T = TypeVar("T")
U = TypeVar("U")

Levels = list[tuple[Price, Count]]
"""One side of a book, ascending."""
MarketFilter = Literal["unopened", "open", "paused", "closed", "settled"]
EventFilter = Literal["unopened", "open", "closed", "settled"]
OrderFilter = Literal["resting", "canceled", "executed"]
PositionFilter = Literal["unsettled", "settled"]
"""The words of the ``status`` filters; the objects' own statuses have other words (docs/kalshi-api.md, section 8)."""

PAGE_SIZE: Final = 1000
"""Items of a page; events come with their markets, so that fewer of them fit."""
EVENTS_PAGE_SIZE: Final = 200
FEE_CHANGES_PAGE_SIZE: Final = 1_000
MAX_BOOKS_PER_REQUEST: Final = 100
MAX_TICKERS_PER_REQUEST: Final = 100
"""How many markets are read by name at once: their tickers stand in the address, which has its limit."""
ORDERS_PATH: Final = "/portfolio/events/orders"


class RestClient:
    """Read and command one environment's REST API; without a signer read its public market data alone.

    Use it as an asynchronous context manager, or call `close`.
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
        on_left_out: Callable[[LeftOut], None] | None = None,
        write_budget: WriteBudget | None = None,
    ) -> None:
        """Set up the client; nothing is sent. Raises ValueError for a proxy that cannot be used.

        ``proxy`` is the address of an HTTP proxy; ``transport`` replaces the network in tests.
        ``on_left_out`` is called with every item that is left out of a list, each time.
        ``write_budget`` holds the tokens that commands wait for (default: the account's, by this machine's clock).
        """
        self.environment = environment
        self._shards = ShardRouting()
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
            on_left_out=on_left_out,
            write_budget=write_budget,
        )

    @property
    def archive(self) -> ArchiveReads:
        """What has left the live endpoints, which the other reads are of (docs/kalshi-api.md, section 15)."""
        return ArchiveReads(self._http)

    @property
    def combos(self) -> ComboReads:
        """Markets that combine others, and the collections that they are made in."""
        return ComboReads(self._http)

    def leave_out(self, item: LeftOut) -> None:
        """Report something that is left out of what was read, as if it were an item of a list."""
        self._http.leave_out(item)

    async def archive_cutoffs(self) -> ArchiveCutoffs:
        """Read how far back the exchange's live lists reach; what is older is in its archive.

        Raises TransportError, Refused or BadReply.
        """
        return await self.archive.cutoffs()

    @property
    def clock(self) -> ExchangeClock:
        """The exchange's time as its replies tell it; the stream signs by it too."""
        return self._http.clock

    def without_retries(self) -> "RestClient":
        """Return this client, with the same connections, as one that sends each read once: see `Retry`."""
        made = copy(self)
        made.send_reads_once()
        return made

    def send_reads_once(self) -> None:
        """Send each read once from now on; copies of this client made before go on as they were."""
        self._http = copy(self._http)
        self._http.send_reads_once()

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
        status: MarketFilter | None = None,
        series_ticker: str | None = None,
        event_ticker: str | None = None,
        tickers: Sequence[str] | None = None,
        without_combos: bool = False,
        page_size: int = PAGE_SIZE,
    ) -> Reading[Market]:
        """Yield the markets that pass the filters, page by page, to the last (docs/kalshi-api.md, section 8).

        ``without_combos`` leaves out markets that combine others. A market that cannot be read is left out, and is in
        ``left_out`` of what is returned. Iterating raises TransportError, Refused or BadReply::

            async for market in client.markets(status="open", series_ticker="KXBTCD"):
                print(market.ticker, market.quote.yes_bid, market.quote.yes_ask)
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
                "/markets", params, wire.MarketsReply, left_out=lost, broken_off=reading.break_off
            )
            async for reply in pages:
                self._shards.note_markets(reply.markets)
                for market in self._http.translate_items(translate.market, reply.markets, "market", _ticker, lost):
                    yield market

        return Reading(read)

    async def market(self, ticker: str) -> Market:
        """Read one market with its quote and its rules; its ``fees`` are None, `KalshiClient.fees` reads them.

        Raises NotFound if there is none, and for some seconds of a market just made; TransportError, Refused or
        BadReply.
        """
        reply = await self._http.get(f"/markets/{_path_segment(ticker)}", wire.MarketReply, one_thing=True)
        self._shards.note_markets([reply.market])
        market = translate_reply(translate.market, reply.market)
        if market.ticker != ticker:
            raise BadReply("The exchange answered about another market than the one asked about.")
        return market

    def events(
        self,
        *,
        status: EventFilter | None = None,
        series_ticker: str | None = None,
        with_markets: bool = True,
        page_size: int = EVENTS_PAGE_SIZE,
    ) -> Reading[Event]:
        """Yield the events that pass the filters, page by page, with their markets unless ``with_markets`` is false.

        An event or market that cannot be read is left out, and is in ``left_out`` of what is returned. Iterating
        raises TransportError, Refused or BadReply::

            async for event in client.events(status="open"):
                print(event.title, [market.ticker for market in event.markets])
        """
        params: Params = {
            "limit": page_size,
            "with_nested_markets": "true" if with_markets else None,
            "status": status,
            "series_ticker": series_ticker,
        }

        async def read(reading: Reading[Event]) -> AsyncIterator[Event]:
            lost = reading.left_out
            change = partial(translate.event, left_out=self._leave_market_out(lost))
            pages = self._http.iterate_pages(
                "/events", params, wire.EventsReply, left_out=lost, broken_off=reading.break_off
            )
            async for reply in pages:
                for each in reply.events or ():
                    self._shards.note_markets(each.markets)
                for event in self._http.translate_items(change, reply.events, "event", _event_ticker, lost):
                    yield event

        return Reading(read)

    async def event(self, event_ticker: str) -> Event:
        """Read one event with its markets. Raises NotFound if there is none; TransportError, Refused or BadReply."""
        path = f"/events/{_path_segment(event_ticker)}"
        reply = await self._http.get(path, wire.EventReply, {"with_nested_markets": "true"}, one_thing=True)
        self._shards.note_markets(reply.event.markets or reply.markets)
        change = partial(translate.event, beside=reply.markets, left_out=self._leave_market_out(None))
        return translate_reply(change, reply.event)

    async def series(self, series_ticker: str) -> SeriesTerms:
        """Read one series with its fees (docs/kalshi-api.md, section 9)."""
        reply = await self._http.get(f"/series/{_path_segment(series_ticker)}", wire.SeriesReply, one_thing=True)
        return translate_reply(translate.series, reply.series)

    async def series_fee_changes(self, series_ticker: str | None = None) -> Read[SeriesFeeChange]:
        """Read the changes of fees that are scheduled for a series, or for all. No event tells when they take effect.

        Raises TransportError, Refused or BadReply.
        """
        lost: list[LeftOut] = []
        params: Params = {"series_ticker": series_ticker}
        reply = await self._http.get("/series/fee_changes", wire.SeriesFeeChangesReply, params, left_out=lost)
        changes = Read(
            self._http.translate_items(
                translate.series_fee_change,
                reply.series_fee_change_arr,
                "fee change",
                lambda each: each.series_ticker,
                lost,
            )
        )
        changes.left_out = tuple(lost)
        return changes

    async def event_fee_changes(self, event_ticker: str | None = None) -> Read[EventFeeChange]:
        """Read the changes of fee overrides of an event, or of all, those made and those to come.

        Raises TransportError, Refused or BadReply.
        """
        return await self._http.fetch_all(
            "/events/fee_changes",
            {"event_ticker": event_ticker, "limit": FEE_CHANGES_PAGE_SIZE},
            wire.EventFeeChangesReply,
            lambda reply: reply.event_fee_changes,
            translate.event_fee_change,
            "fee change",
            lambda each: each.event_ticker,
        )

    async def event_fees(self, event: Event) -> FeeSchedule:
        """Read the fees of an event's markets: those of its series, as far as the event does not override them.

        docs/kalshi-api.md, section 9.
        """
        series = await self.series(event.series_ticker or event.event_ticker.partition("-")[0])
        return translate.event_fees(series.fees, event)

    async def orderbook(self, ticker: str, depth: int | None = None) -> tuple[Levels, Levels]:
        """Read a book: its YES bids and its NO bids, ascending, at most ``depth`` levels of each.

        The reply is up to 15 s old (docs/kalshi-api.md, section 4), so it must never repair a book that is live.
        """
        reply = await self._http.get(
            f"/markets/{_path_segment(ticker)}/orderbook", wire.OrderbookReply, {"depth": depth}, one_thing=True
        )
        return translate_reply(_parse_book, reply.orderbook_fp)

    async def orderbooks(self, tickers: Sequence[str]) -> dict[str, tuple[Levels, Levels]]:
        """Read several books by ticker, 100 a request; each as old as one of `orderbook`."""
        books: dict[str, tuple[Levels, Levels]] = {}
        for start in range(0, len(tickers), MAX_BOOKS_PER_REQUEST):
            chunk = list(tickers[start : start + MAX_BOOKS_PER_REQUEST])
            reply = await self._http.get("/markets/orderbooks", wire.OrderbooksReply, {"tickers": chunk})
            books.update(self._http.translate_items(_named_book, reply.orderbooks, "book", _ticker, []))
        return books

    async def trades(
        self, ticker: str | None = None, *, min_s: int | None = None, max_s: int | None = None, most: int = 100
    ) -> Read[Trade]:
        """Read public trades of one market or of all, newest first, at most ``most``.

        ``min_s`` and ``max_s`` are Unix seconds. Raises TransportError, Refused or BadReply.
        """
        params: Params = {"ticker": ticker, "min_ts": min_s, "max_ts": max_s, "limit": min(most, PAGE_SIZE)}
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
        self, series_ticker: str, ticker: str, start_s: int, end_s: int, *, minutes: int = 60
    ) -> list[Candle]:
        """Read a market's history, oldest first, between Unix seconds, in periods of 1, 60 or 1440 ``minutes``."""
        path = f"/series/{_path_segment(series_ticker)}/markets/{_path_segment(ticker)}/candlesticks"
        params: Params = {"start_ts": start_s, "end_ts": end_s, "period_interval": minutes}
        reply = await self._http.get(path, wire.CandlesticksReply, params, one_thing=True)
        return self._candles(reply.candlesticks)

    async def candles_by_ticker(
        self, tickers: Sequence[str], start_s: int, end_s: int, *, minutes: int = 60
    ) -> dict[str, list[Candle]]:
        """Read the history of up to 100 markets in one request, by ticker; each as by `candles`.

        Raises EndpointNotFound where the exchange answers 404: that may be about any of them.
        """
        params: Params = {
            "market_tickers": ",".join(tickers),
            "start_ts": start_s,
            "end_ts": end_s,
            "period_interval": minutes,
        }
        reply = await self._http.get("/markets/candlesticks", wire.BatchCandlesticksReply, params)
        return {each.market_ticker: self._candles(each.candlesticks) for each in reply.markets or ()}

    def _candles(self, sources: Iterable[wire.Candlestick] | None) -> list[Candle]:
        return list(
            self._http.translate_items(translate.candle, sources, "candle", lambda each: each.end_period_ts, [])
        )

    # The exchange.

    async def exchange_status(self) -> ExchangeStatus:
        """Read whether the exchange is up and trades. Raises TransportError, Refused or BadReply.

        Status 503 (`ServerFault`) as the reply to this read means that the exchange is down.
        """
        return translate_reply(
            translate.exchange_status, await self._http.get("/exchange/status", wire.ExchangeStatusReply)
        )

    async def announced_pauses(self) -> tuple[TradingPause, ...]:
        """Read the pauses that the exchange has planned beside the weekly one.

        Raises TransportError, Refused or BadReply.
        """
        return translate_reply(
            translate.announced_pauses, await self._http.get("/exchange/schedule", wire.AnnouncedPausesReply)
        )

    async def user_data_timestamp(self) -> int:
        """Read up to when the account's data reach, Unix milliseconds: reads lag behind writes by seconds.

        docs/kalshi-api.md, section 6.
        """
        reply = await self._http.get("/exchange/user_data_timestamp", wire.UserDataTimestampReply)
        return translate_reply(translate.parse_time_ms, reply.as_of_time)

    # The account (docs/kalshi-api.md, section 7).

    async def balance(self, *, subaccount: int | None = None) -> Balance:
        """Read the cash, in all and by shard, and the value of the positions, in 1/1,000,000 dollar.

        It is that of one ``subaccount``, without a number the primary's (of a locked key its own).
        Raises NoKey, TransportError, Refused or BadReply::

            balance = await client.balance()
            print(format_money(balance.cash))
        """
        params: Params = {"subaccount": subaccount}
        reply = await self._http.get("/portfolio/balance", wire.BalanceReply, params, private=True)
        return translate_reply(partial(translate.balance, subaccount=subaccount or 0), reply)

    async def positions(
        self,
        *,
        ticker: str | None = None,
        event_ticker: str | None = None,
        subaccount: int | None = None,
        settled: bool = False,
    ) -> Read[Position]:
        """Read the positions, all pages; counts in 1/100 contract, positive for YES and negative for NO.

        They are those of one ``subaccount``, without a number the primary's (of a locked key its own). Positions of
        settled markets are a list of their own, ``settled``, until the exchange moves them into its archive. Raises
        NoKey, TransportError, Refused or BadReply.
        """
        params: Params = {
            "settlement_status": "settled" if settled else None,
            "limit": PAGE_SIZE,
            "ticker": ticker,
            "event_ticker": event_ticker,
            "subaccount": subaccount,
        }
        return await self._http.fetch_all(
            "/portfolio/positions",
            params,
            wire.PositionsReply,
            lambda reply: reply.market_positions,
            partial(translate.position, subaccount=subaccount or 0, is_settled=settled),
            "position",
            _ticker,
            private=True,
        )

    async def fills(
        self,
        *,
        ticker: str | None = None,
        order_id: str | None = None,
        min_s: int | None = None,
        max_s: int | None = None,
        most: int | None = None,
        subaccount: int | None = None,
    ) -> Read[Fill]:
        """Read the account's fills, newest first, all pages or at most ``most``; of one ``subaccount`` or of all.

        ``min_s`` and ``max_s`` are Unix seconds. A fill has no client order id here, only on the stream. Raises NoKey,
        TransportError, Refused or BadReply.
        """
        params: Params = {
            "ticker": ticker,
            "order_id": order_id,
            "min_ts": min_s,
            "max_ts": max_s,
            "limit": PAGE_SIZE if most is None else min(most, PAGE_SIZE),
            "subaccount": subaccount,
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

    async def settlements(
        self, *, min_s: int | None = None, most: int | None = None, subaccount: int | None = None
    ) -> Read[Settlement]:
        """Read what settled markets have paid, newest first, all pages or at most ``most``; payouts in whole cents.

        `kalshi_tui.kalshi.exact_payouts` makes them exact.
        Of one ``subaccount`` or of all; in a list of all none says whose it is.
        ``min_s`` is Unix seconds. Raises NoKey, TransportError, Refused or BadReply.
        """
        params: Params = {
            "min_ts": min_s,
            "limit": PAGE_SIZE if most is None else min(most, PAGE_SIZE),
            "subaccount": subaccount,
        }
        return await self._http.fetch_all(
            "/portfolio/settlements",
            params,
            wire.SettlementsReply,
            lambda reply: reply.settlements,
            partial(translate.settlement, subaccount=subaccount),
            "settlement",
            _ticker,
            most,
            private=True,
        )

    async def subaccount_balances(self) -> Read[SubaccountBalance]:
        """Read what can be spent in each subaccount on each shard; number 0 is the primary.

        Raises Forbidden for a key that is locked to one subaccount; NoKey, TransportError, Refused or BadReply.
        """
        return await subaccounts.read_balances(self._http)

    async def subaccount_transfers(self, *, most: int | None = None) -> Read[SubaccountTransfer]:
        """Read the transfers between subaccounts, newest first. Raises as `subaccount_balances`."""
        return await subaccounts.read_transfers(self._http, most)

    async def create_subaccount(self, exchange_index: int = 0) -> int:
        """Create a subaccount and return its number, from 1 to 63; it needs the usage tier Advanced.

        Asked with another ``exchange_index``, it provisions a number there that another shard has already. Raises
        NotSent, Refused or UnknownOutcome: then `subaccount_balances` shows whether there is one more.
        """
        return await subaccounts.create(self._http, exchange_index)

    async def transfer_to_subaccount(
        self, amount: Money, *, source: int, target: int, client_transfer_id: str, exchange_index: int = 0
    ) -> None:
        """Move cash from the subaccount ``source`` to ``target``, whole cents, in 1/1,000,000 dollar.

        ``client_transfer_id`` is a UUID; after UnknownOutcome the same call with the same id moves nothing twice.
        Raises NotSent, Refused or UnknownOutcome, and ValueError for an amount or numbers that cannot be.
        """
        await subaccounts.transfer(self._http, source, target, amount, client_transfer_id, exchange_index)

    async def shard_transfers(self, most: int | None = None) -> Read[ShardTransfer]:
        """Read the transfers of cash between parts of the exchange, newest first, all or at most ``most``.

        One that is not complete has not arrived. Raises NoKey, TransportError, Refused or BadReply.
        """
        return await shard_transfers.read_transfers(self._http, most)

    async def shard_transfer(self, transfer_id: str) -> ShardTransfer:
        """Read one transfer of cash. Raises NotFound, NoKey, TransportError, Refused or BadReply."""
        return await shard_transfers.read_transfer(self._http, transfer_id)

    async def transfer(
        self, amount: Money, *, source: int, target: int, client_transfer_id: str = "", within_s: float = 60.0
    ) -> ShardTransfer:
        """Move cash of the primary account from one exchange index to another, and follow it until it is complete.

        An order can only spend what lies where its market is (`Market.exchange_index`); `balance` tells what lies
        where. ``amount`` is in 1/1,000,000 dollar, in whole $0.0001. The transfer is sent once. It is accepted first
        and done later: after ``within_s`` seconds it is returned as it is, perhaps still pending, and `shard_transfer`
        tells more. If no answer comes it is looked for in the list of transfers.

        ``client_transfer_id`` is a UUID, made if not given; the exchange takes each once on its route, so that a
        caller who repeats a transfer of unknown outcome under the same id cannot move the cash twice. Raises NotSent,
        Refused or UnknownOutcome, and ValueError for what cannot be::

            done = await client.transfer(dollars("25"), source=0, target=2)
            print("arrived" if done.is_complete else "under way")
        """
        sender = self.transfer_sender(amount, source, target, client_transfer_id)
        return await shard_transfers.transfer(sender, self._http, within_s)

    def transfer_sender(self, amount: Money, source: int, target: int, client_transfer_id: str = "") -> TransferSender:
        """Return what sends one transfer and looks for it, for a caller that follows it by steps."""
        client_id = client_transfer_id or shard_transfers.new_client_transfer_id()
        return TransferSender(self._http, source, target, amount, client_id)

    async def target_allocation(self) -> TargetAllocation:
        """Read how the exchange spreads the account's cash. Raises NoKey, TransportError, Refused or BadReply."""
        return await shard_transfers.read_allocation(self._http)

    async def set_target_allocation(self, percents: Mapping[int, int], reservation: str = "") -> None:
        """Set how the exchange spreads the account's cash: percent by exchange index, 100 in all; none end it.

        ``reservation`` is what of the resting orders' value is kept back: ``none``, ``max`` or ``sum`` (the exchange's
        default). Raises NotSent, Refused or UnknownOutcome, and ValueError for what cannot be.
        """
        await shard_transfers.set_allocation(self._http, percents, reservation)

    def write_budget(self, exchange_index: int) -> WriteBudget:
        """Return the tokens that commands of one exchange index wait for."""
        return self._http.write_budgets.of(exchange_index)

    async def limits(self) -> AccountLimits:
        """Read how fast this account may read and write; from then on commands wait by it, not by the lowest tier.

        docs/kalshi-api.md, section 10. Raises NoKey, TransportError, Refused or BadReply.
        """
        limits = translate.limits(await self._http.get("/account/limits", wire.AccountLimitsReply, private=True))
        self._http.write_budgets.set_limits(limits.write.per_second, limits.write.capacity)
        self._http.read_budget.set_limits(limits.read.per_second, limits.read.capacity)
        return limits

    async def read_token_rules(self) -> AccountLimits:
        """Read the account's limits and what each call costs, wait by both from then on, and return the limits.

        Raises NoKey, TransportError, Refused or BadReply.
        """
        limits = await self.limits()
        await account_access.read_token_costs(self._http)
        return limits

    @property
    def token_costs(self) -> TokenCosts:
        """What each call costs in tokens."""
        return self._http.token_costs

    @property
    def amend_cost(self) -> int:
        """The tokens that one amendment costs, as the exchange told it."""
        return self.token_costs.cost("POST", f"{ORDERS_PATH}/{{order_id}}/amend")

    async def api_keys(self) -> account_access.ApiKeyList:
        """Read what the account's keys may do. Raises Refused for a key that may not know, else as `limits`."""
        return await account_access.read_keys(self._http)

    async def tier_progress(self) -> account_access.TierProgress | None:
        """Read the progress to higher usage tiers, None where there is none yet. Raises as `limits`."""
        return await account_access.read_progress(self._http)

    async def netting(self) -> tuple[account_access.SubaccountNetting, ...]:
        """Read for which subaccounts netting is on. Raises as `limits`."""
        return await account_access.read_netting(self._http)

    async def upgrade_usage_tier(self) -> None:
        """Ask for the tier Advanced, which is free and for good. Raises NotSent, Refused or UnknownOutcome."""
        await account_access.upgrade(self._http)

    # Orders (docs/kalshi-api.md, section 6).

    async def orders(
        self,
        *,
        status: OrderFilter | None = None,
        ticker: str | None = None,
        event_ticker: str | None = None,
        min_s: int | None = None,
        max_s: int | None = None,
        most: int | None = None,
        subaccount: int | None = None,
    ) -> Read[Order]:
        """Read the account's orders, all pages or at most ``most``; ``min_s`` and ``max_s`` are Unix seconds.

        They are those of all subaccounts, each with its number, or of the one that ``subaccount`` names.
        The list lags behind commands by seconds, and orders that ended long ago are not in it
        (docs/kalshi-api.md, sections 6 and 15). Raises NoKey, TransportError, Refused or BadReply::

            for order in await client.orders(status="resting"):
                print(order.ticker, format_price(order.yes_price), format_count(order.remaining))
        """
        params: Params = {
            "status": status,
            "ticker": ticker,
            "event_ticker": event_ticker,
            "min_ts": min_s,
            "max_ts": max_s,
            "limit": PAGE_SIZE if most is None else min(most, PAGE_SIZE),
            "subaccount": subaccount,
        }
        return await self._http.fetch_all(
            "/portfolio/orders",
            params,
            wire.OrdersReply,
            lambda reply: reply.orders,
            self._order,
            "order",
            _order_id,
            most,
            private=True,
        )

    async def order(self, order_id: str) -> Order:
        """Read one order, as long as it is in the live list. Raises BadReply if the reply is about another."""
        reply = await self._http.get(
            f"/portfolio/orders/{_path_segment(order_id)}", wire.OrderReply, private=True, one_thing=True
        )
        order = translate_reply(self._order, reply.order)
        if order.order_id != order_id:
            raise BadReply("The exchange answered about another order than the one asked about.")
        return order

    async def queue_positions(self, tickers: Sequence[str], *, subaccount: int | None = None) -> dict[str, Count]:
        """Read how much stands before each resting order of these markets, in 1/100 contract, by order id.

        Of one ``subaccount``, without a number of the primary.
        """
        reply = await self._http.get(
            "/portfolio/orders/queue_positions",
            wire.QueuePositionsReply,
            {"market_tickers": ",".join(tickers), "subaccount": subaccount},
            private=True,
        )
        return dict(
            self._http.translate_items(_named_queue_position, reply.queue_positions, "queue place", _order_id, [])
        )

    async def learn_shard(self, ticker: str) -> None:
        """Read a market once, unless it is known on which shard it lies: orders there name it. Raises as `market`."""
        if self._shards.index_of(ticker) is None:
            await self.market(ticker)

    async def create_order(self, terms: OrderTerms, client_order_id: str) -> OrderAck:
        """Send one order, once. Raises NotSent, Refused or UnknownOutcome; never sends it a second time.

        A reply without an order id, about another order, or with counts that cannot be this order's proves nothing,
        so that it is an unknown outcome (docs/kalshi-api.md, section 6).
        """
        shard = self._shards.index_of(terms.ticker)
        request = build_order_request(terms, client_order_id, shard)
        reply = await self._http.send_command(
            "POST", ORDERS_PATH, wire.CreateOrderReply, "The order", request, billed_shard=shard
        )
        ack = translate_acknowledgement(translate.order_ack, reply, "The order")
        if ack.client_order_id and ack.client_order_id != client_order_id:
            raise UnknownOutcome(
                "The order was sent, but the exchange's answer is about another order: what became of it is not known.",
                order_id=ack.order_id,
            )
        return require_possible_counts(ack, terms.count, "The order")

    async def cancel_order(self, order_id: str, ticker: str, *, subaccount: int = 0) -> CancelAck:
        """Cancel one order. Raises NotFound if it is gone already; NotSent, Refused or UnknownOutcome.

        ``subaccount`` is the order's own: in another one the exchange would not find it. The ticker routes the cancel
        to the market's shard where that is not known; without it only shard 0 would look for the order.
        """
        path = f"{ORDERS_PATH}/{_path_segment(order_id)}"
        shard = self._shards.index_of(ticker)
        reply = await self._http.send_command(
            "DELETE",
            path,
            wire.CancelOrderReply,
            "The cancel",
            params={"market_ticker": ticker, "exchange_index": shard, "subaccount": subaccount or None},
            billed_shard=shard,
            one_thing=True,
        )
        return _require_same_order(
            translate_acknowledgement(translate.cancel_ack, reply, "The cancel"), order_id, "The cancel"
        )

    async def cancel_orders(self, orders: Iterable[Order]) -> list[BatchCancelResult]:
        """Cancel several orders in one request; each has its own outcome. Raises NotSent, Refused or UnknownOutcome."""
        items = [
            wire.BatchCancelItemRequest(
                order_id=order.order_id,
                market_ticker=order.ticker,
                exchange_index=_or_unset(self._shards.index_of(order.ticker)),
                subaccount=order.subaccount or UNSET,
            )
            for order in orders
        ]
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

    async def request_cancel_all(self, subaccount: int | None = None) -> bool:
        """Send the one request that cancels all on every shard; return False where it does not exist (404, 405).

        Of one subaccount, without a number of all. docs/kalshi-api.md, section 6. True does not prove that nothing
        rests: read the orders. Raises NotSent, Refused or UnknownOutcome.
        """
        try:
            await self._http.send_command_without_reply(
                "DELETE", ORDERS_PATH, "The cancel of all orders", params={"subaccount": subaccount}
            )
        except Refused as refusal:
            if refusal.status not in {404, 405}:
                raise
            return False
        return True

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
        subaccount: int = 0,
        expires_s: int | None = None,
        gives_way: bool = False,
    ) -> AmendAck:
        """Change an order's price, size or expiry; ``count`` is what is filled already plus what is to remain.

        ``expires_s`` is a Unix time in seconds; None keeps the order's own, 0 clears it. A new price or a larger size
        loses the place in the queue, an expiry does not (docs/kalshi-api.md, section 6). Raises NotSent, Refused or
        UnknownOutcome; a reply with counts that cannot be is an unknown outcome too. What ``gives_way`` is not sent
        while other commands need the tokens.
        """
        shard = self._shards.index_of(ticker)
        request = wire.AmendOrderRequest(
            ticker=ticker,
            side=book_side.value,
            price=format_price(yes_price),
            count=format_count(count),
            client_order_id=client_order_id or UNSET,
            updated_client_order_id=new_client_order_id or UNSET,
            expiration_time=UNSET if expires_s is None else expires_s,
            exchange_index=_or_unset(shard),
        )
        path = f"{ORDERS_PATH}/{_path_segment(order_id)}/amend"
        params: Params = {"subaccount": subaccount or None}
        reply = await self._http.send_command(
            "POST",
            path,
            wire.AmendOrderReply,
            "The amendment",
            request,
            params,
            billed_shard=shard,
            gives_way=gives_way,
            one_thing=True,
        )
        ack = translate_acknowledgement(translate.amend_ack, reply, "The amendment")
        return require_possible_counts(_require_same_order(ack, order_id, "The amendment"), count, "The amendment")

    async def decrease_order(self, order_id: str, ticker: str, *, to: Count, subaccount: int = 0) -> AmendAck:
        """Reduce what remains of an order to ``to``; it keeps its place in the queue.

        Raises NotSent, Refused or UnknownOutcome.
        """
        shard = self._shards.index_of(ticker)
        request = wire.DecreaseOrderRequest(
            reduce_to=format_count(to), market_ticker=ticker, exchange_index=_or_unset(shard)
        )
        path = f"{ORDERS_PATH}/{_path_segment(order_id)}/decrease"
        params: Params = {"subaccount": subaccount or None}
        reply = await self._http.send_command(
            "POST", path, wire.DecreaseOrderReply, "The decrease", request, params, billed_shard=shard, one_thing=True
        )
        ack = translate_acknowledgement(translate.amend_ack, reply, "The decrease")
        return require_possible_counts(_require_same_order(ack, order_id, "The decrease"), to, "The decrease")

    def _order(self, source: wire.Order) -> Order:
        """Translate an order, and remember the shard that it names."""
        self._shards.note(source.ticker, source.exchange_index)
        return translate.order(source)

    def _leave_market_out(self, left_out: list[LeftOut] | None) -> Callable[[wire.Market, Exception], None]:
        """Return a function that reports a market of an event that makes no sense."""

        def leave_out(market: wire.Market, error: Exception) -> None:
            name = translate.clean(market.ticker, translate.MAX_ID_LENGTH)
            field = error.field if isinstance(error, translate.SpareFieldError) else ""
            self._http.leave_out(LeftOut("market", name, translate.clean(str(error)), field), left_out)

        return leave_out


AnyAck = TypeVar("AnyAck", OrderAck, AmendAck)


def require_possible_counts(ack: AnyAck, most: Count, what: str) -> AnyAck:
    """Return a reply whose counts can be true of an order of at most ``most``. Raises UnknownOutcome for another."""
    if (ack.filled or 0) + (ack.remaining or 0) > most:
        raise UnknownOutcome(
            f"{what} was sent, but the counts in the exchange's answer cannot be this order's: "
            "what became of it is not known.",
            order_id=ack.order_id,
        )
    return ack


def _ticker(source: wire.Market | wire.Series | wire.MarketOrderbook | wire.MarketPosition | wire.Settlement) -> str:
    return source.ticker


def _event_ticker(source: wire.Event) -> str:
    return source.event_ticker


def _order_id(source: wire.Order | wire.QueuePosition) -> str:
    return source.order_id


def _named_book(source: wire.MarketOrderbook) -> tuple[str, tuple[Levels, Levels]]:
    return translate.clean(source.ticker, translate.MAX_ID_LENGTH), _parse_book(source.orderbook_fp)


def _named_queue_position(source: wire.QueuePosition) -> tuple[str, Count]:
    return translate.clean(source.order_id, translate.MAX_ID_LENGTH), translate.parse_count_field(
        source.queue_position_fp, field="queue_position"
    )


def build_order_request(
    terms: OrderTerms, client_order_id: str, exchange_index: int | None = None
) -> wire.CreateOrderRequest:
    """Return the request for a new order: the price is always of YES.

    Without an ``exchange_index`` the exchange finds the shard by the ticker. docs/kalshi-api.md, section 6.
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
        subaccount=UNSET if terms.subaccount is None else terms.subaccount,
        exchange_index=_or_unset(exchange_index),
    )


def _or_unset(exchange_index: int | None) -> int | UnsetType:
    return UNSET if exchange_index is None else exchange_index


def _path_segment(text: str) -> str:
    """Quote a ticker or an id as one segment of a path."""
    if not text or text in {".", ".."}:
        # Without this check the request would go to another path, such as the list instead of the item.
        raise ValueError("an empty ticker or id makes no path")
    return quoted(text, safe="")


def _parse_book(source: wire.Orderbook) -> tuple[Levels, Levels]:
    return translate.parse_levels(source.yes_dollars), translate.parse_levels(source.no_dollars)


A = TypeVar("A", CancelAck, AmendAck)


def _require_same_order(ack: A, order_id: str, command_name: str) -> A:
    """Return the reply if it is about this order. Raises UnknownOutcome."""
    if ack.order_id != order_id:
        raise UnknownOutcome(
            f"{command_name} was sent, but the exchange's answer is about another order: what became of it "
            f"is not known.",
            order_id=order_id,
        )
    return ack
