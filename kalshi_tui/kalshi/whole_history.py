"""Lists and markets with what has moved into the archive: live first, then historical, each thing once.

What is older than the exchange's cut-offs has left the live endpoints (docs/kalshi-api.md, section 15). Things move
from there into the archive: read in this order, one that moves in between shows twice, and never not at all.

The functions that `kalshi_tui.kalshi.client.KalshiClient` offers under the same name are documented here for its users.
"""

from collections.abc import Callable, Collection, Hashable
from typing import TypeVar

from kalshi_tui.domain.candles import Candle
from kalshi_tui.domain.market import Event, Market, Trade
from kalshi_tui.domain.order import Fill, Order, OrderState
from kalshi_tui.domain.position import Position
from kalshi_tui.kalshi.errors import BadReply, EndpointNotFound, KalshiError, NotFound
from kalshi_tui.kalshi.lists import LeftOut, Read, Reading
from kalshi_tui.kalshi.rest import OrderFilter, PositionFilter, RestClient
from kalshi_tui.kalshi.wire.times import MS_PER_SECOND

T = TypeVar("T")


async def fills(
    rest: RestClient,
    *,
    ticker: str | None = None,
    order_id: str | None = None,
    min_s: int | None = None,
    max_s: int | None = None,
    most: int | None = None,
    subaccount: int | None = None,
    archive_required: bool = True,
) -> Read[Fill]:
    """Read all fills there ever were, newest first, or at most ``most``; of one ``subaccount`` or of all.

    Those that the exchange has moved into its archive are among them. ``min_s`` and ``max_s`` are Unix seconds. A fill
    has no client order id here, only on the stream. Raises NoKey, TransportError, Refused or BadReply. Without
    ``archive_required`` an archive that cannot be read is named in ``left_out`` instead, and the list is not whole::

        fees = sum(fill.fee for fill in await client.fills(min_s=since))
    """
    live = await rest.fills(
        ticker=ticker, order_id=order_id, min_s=min_s, max_s=max_s, most=most, subaccount=subaccount
    )
    if order_id is not None and (ticker is None or min_s is None):
        # The archive has no filter by order: with the order's market and time it need not be read from end to end.
        ticker, min_s = await _order_market_and_time(rest, order_id, ticker, min_s)
    old = rest.archive.fills(ticker=ticker, min_s=min_s, max_s=max_s, subaccount=subaccount)
    return await _join(
        live,
        old,
        "fills",
        lambda each: (each.trade_id, each.order_id),
        most,
        lambda each: order_id in {None, each.order_id},
        None if archive_required else rest.archive.leave_out,
    )


async def orders(
    rest: RestClient,
    *,
    status: OrderFilter | None = None,
    ticker: str | None = None,
    event_ticker: str | None = None,
    min_s: int | None = None,
    max_s: int | None = None,
    most: int | None = None,
    subaccount: int | None = None,
    archive_required: bool = True,
) -> Read[Order]:
    """Read all orders there ever were, or at most ``most``; ``min_s`` and ``max_s`` are Unix seconds.

    They are those of all subaccounts, each with its number, or of the one that ``subaccount`` names. First come those
    of the live list, newest first, then those that ended so long ago that the exchange has moved them into its
    archive; orders that rest never move. The list lags behind commands by seconds. Raises NoKey, TransportError,
    Refused or BadReply. Without ``archive_required`` an archive that cannot be read is named in ``left_out`` instead,
    and the list is not whole::

        for order in await client.orders(status="resting"):
            print(order.ticker, format_price(order.yes_price), format_count(order.remaining))
    """
    live = await rest.orders(
        status=status,
        ticker=ticker,
        event_ticker=event_ticker,
        min_s=min_s,
        max_s=max_s,
        most=most,
        subaccount=subaccount,
    )
    if status == "resting" or (most is not None and len(live) >= most):
        return live
    tickers = await _event_markets(rest, event_ticker) if event_ticker is not None else None

    def is_wanted(order: Order) -> bool:
        if tickers is not None and order.ticker not in tickers:
            return False
        return status is None or (order.state is OrderState.FILLED) == (status == "executed")

    old = rest.archive.orders(ticker=ticker, min_s=min_s, max_s=max_s, subaccount=subaccount)
    leave_out = None if archive_required else rest.archive.leave_out
    return await _join(live, old, "orders", lambda each: each.order_id, most, is_wanted, leave_out)


async def positions(
    rest: RestClient,
    *,
    status: PositionFilter | None = None,
    ticker: str | None = None,
    event_ticker: str | None = None,
    subaccount: int | None = None,
    archive_required: bool = True,
) -> Read[Position]:
    """Read all positions there ever were; counts in 1/100 contract, positive for YES and negative for NO.

    They are those of one ``subaccount``, without a number the primary's (of a locked key its own). First come those in
    markets that are not settled: what is held, and what was closed there, with a count of 0. Then those in markets that
    have settled, ``is_settled``; the exchange moves them into its archive later, where they are read too. With
    ``status="unsettled"`` one live list is read alone: enough to know what is held. Raises NoKey, TransportError,
    Refused or BadReply. Without ``archive_required`` an archive that cannot be read is named in ``left_out`` instead,
    and the list is not whole::

        for position in await client.positions(status="unsettled"):
            if position.is_held:
                print(position.ticker, format_count(position.count))
    """
    live = Read[Position]()
    if status != "settled":
        live = await rest.positions(ticker=ticker, event_ticker=event_ticker, subaccount=subaccount)
        if status == "unsettled":
            return live
    # A position moves from list to list in this order; where two have it, the first one does.
    settled = await rest.positions(ticker=ticker, event_ticker=event_ticker, subaccount=subaccount, settled=True)
    known = {each.key for each in live}
    live += [each for each in settled if each.key not in known]
    live.left_out = (*live.left_out, *settled.left_out)
    live.broken_off = live.broken_off or settled.broken_off
    old = rest.archive.positions(ticker=ticker, event_ticker=event_ticker, subaccount=subaccount)
    leave_out = None if archive_required else rest.archive.leave_out
    return await _join(live, old, "positions", lambda each: each.key, None, leave_out=leave_out)


async def trades(
    rest: RestClient,
    ticker: str | None = None,
    *,
    min_s: int | None = None,
    max_s: int | None = None,
    most: int = 100,
) -> Read[Trade]:
    """Read public trades of one market or of all, newest first, at most ``most``, also those in the archive.

    ``min_s`` and ``max_s`` are Unix seconds. Raises TransportError, Refused or BadReply.
    """
    live = await rest.trades(ticker, min_s=min_s, max_s=max_s, most=most)
    old = rest.archive.trades(ticker=ticker, min_s=min_s, max_s=max_s)
    return await _join(live, old, "trades", lambda each: each.trade_id, most)


async def market(rest: RestClient, ticker: str) -> Market:
    """Read one market with its quote and its rules, from the archive if it settled long ago.

    Its ``fees`` are None, `KalshiClient.fees` reads them. Raises NotFound if it is neither among the live markets nor
    in the archive: as one just made may be for some seconds, and one that moves from there to here for a moment.
    Raises TransportError, Refused or BadReply.
    """
    try:
        return await rest.market(ticker)
    except NotFound as missing:
        try:
            return await rest.archive.market(ticker)
        except NotFound:
            raise missing from None


async def event_of(rest: RestClient, market: Market) -> Event:
    """Read the event of a market.

    Where the exchange has none to show, which may be so for a combo, it is made of what the market says of it
    (docs/kalshi-api.md, section 18). Raises TransportError, Refused or BadReply.
    """
    try:
        return await rest.event(market.event_ticker)
    except NotFound:
        return Event(
            event_ticker=market.event_ticker,
            series_ticker=market.series_ticker or market.event_ticker.partition("-")[0],
            title=market.title,
            exchange_index=market.exchange_index,
            markets=(market,),
        )


async def candles(
    rest: RestClient, ticker: str, start_s: int | None, end_s: int | None, *, minutes: int, count: int
) -> list[Candle]:
    """Read a market's history, oldest first, from the archive if the market settled long ago.

    Without ``start_s`` the newest ``count`` periods; without ``end_s`` up to the period that has not ended yet, or the
    one in which the market closed. Raises NotFound, TransportError, Refused or BadReply.
    """
    period_s = minutes * 60
    until_s = rest.clock.now_ms() // MS_PER_SECOND + period_s if end_s is None else end_s
    since_s = until_s - count * period_s if start_s is None else start_s
    missing: EndpointNotFound | None = None
    try:
        live = (await rest.candles_by_ticker([ticker], since_s, until_s, minutes=minutes)).get(ticker, [])
    except EndpointNotFound as error:
        # That there is no such market is said by a read of the market alone.
        await market(rest, ticker)
        live, missing = [], error
    if live:
        return live
    try:
        if end_s is None:
            closed_s = (await rest.archive.market(ticker)).close_ms // MS_PER_SECOND
            until_s = min(until_s, closed_s + period_s)
            since_s = until_s - count * period_s if start_s is None else start_s
        return await rest.archive.candles(ticker, since_s, until_s, minutes=minutes)
    except NotFound:
        if missing is not None:
            raise missing from None
        return live


async def _join(
    live: Read[T],
    old: Reading[T],
    what: str,
    key: Callable[[T], Hashable],
    most: int | None,
    is_wanted: Callable[[T], bool] = lambda _: True,
    leave_out: Callable[[LeftOut], None] | None = None,
) -> Read[T]:
    """Return the live list and what the archive has besides.

    An archive that cannot be read is an error, or is reported to ``leave_out``. Raises KalshiError.
    """
    if most is not None and len(live) >= most:
        return live
    known = {key(each) for each in live}
    try:
        async for each in old:
            if key(each) in known or not is_wanted(each):
                continue
            known.add(key(each))
            live.append(each)
            if most is not None and len(live) >= most:
                break
    except KalshiError as error:
        if leave_out is not None:
            lost = LeftOut("archive", what, str(error))
            leave_out(lost)
            live.left_out = (*live.left_out, lost)
        elif isinstance(error, EndpointNotFound):
            # Without the list nobody knows what is missing.
            raise BadReply(f"The exchange's archive of {what} could not be read: {error}") from error
        else:
            raise
    live.left_out = (*live.left_out, *old.left_out)
    live.broken_off = live.broken_off or old.broken_off
    return live


async def _order_market_and_time(
    rest: RestClient, order_id: str, ticker: str | None, min_s: int | None
) -> tuple[str | None, int | None]:
    """Return the market and the earliest time of an order's fills, as far as they are known."""
    try:
        order = await rest.order(order_id)
    except NotFound:
        return ticker, min_s
    return ticker or order.ticker, order.created_ms // MS_PER_SECOND if min_s is None else min_s


async def _event_markets(rest: RestClient, event_tickers: str) -> Collection[str]:
    """Return the tickers of the markets of some events, with commas between, in both tiers."""
    found: set[str] = set()
    for event_ticker in event_tickers.split(","):
        try:
            found.update(each.ticker for each in (await rest.event(event_ticker)).markets)
        except NotFound:
            # A combo's event may not be there to read, and its markets are (docs/kalshi-api.md, section 18).
            found.update([each.ticker async for each in rest.markets(event_ticker=event_ticker)])
        found.update([each.ticker async for each in rest.archive.markets(event_ticker=event_ticker)])
    return found
