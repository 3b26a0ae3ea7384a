"""More markets than one subscription takes, against the practice exchange with a limit of a few."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.link import LinkState
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.handler import FeedHandler
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.feed.stream_group import ReportListener, StreamGroup
from kalshi_tui.kalshi.feed.subscription import Happening, Report
from kalshi_tui.practice.server import commands
from kalshi_tui.session.store import Store
from tests.support.cut_proxy import BOUNDS, TIMING
from tests.support.practice_server import Serving, serving

LIMIT = 3


@pytest.fixture
async def exchange(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serving]:
    monkeypatch.setattr(commands, "MAX_MARKETS_PER_SUBSCRIPTION", LIMIT)
    async with serving(quiet=False, ping_interval_s=0.05) as running:
        yield running


@pytest.fixture
def tickers(exchange: Serving) -> list[str]:
    return [each.ticker for each in exchange.exchange.markets.visible() if each.status.tradable and each.yes_bid][:10]


class Rig:
    def __init__(self, exchange: Serving) -> None:
        self.exchange = exchange
        self.reports: list[Report] = []
        self.store = Store(exchange.clock)
        self.streams: list[Stream] = []

        def make(handler: FeedHandler, listener: ReportListener, *, private: bool) -> Stream:
            made = Stream(
                practice_on_port(exchange.port), exchange.signers["alice"], handler, listener=listener, timing=TIMING,
                policy=BOUNDS, private=private,
            )  # fmt: skip
            self.streams.append(made)
            return made

        self.group = StreamGroup(make, self.store, self.reports.append)

    def right(self, tickers: list[str]) -> bool:
        return all(
            self.store.book(ticker).is_good and self.store.book(ticker).book == self.theirs(ticker)
            for ticker in tickers
        )

    def theirs(self, ticker: str) -> Book:
        made = Book()
        made.snapshot(*self.exchange.exchange.markets.listings[ticker].levels())
        return made

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.005)


@pytest.fixture
async def rig(exchange: Serving) -> AsyncIterator[Rig]:
    made = Rig(exchange)
    running = asyncio.create_task(made.group.run())
    await made.until(lambda: made.store.connection.state is LinkState.LIVE)
    yield made
    await made.group.close()
    await running


async def test_what_one_subscription_does_not_take_is_carried_on_others(
    rig: Rig, exchange: Serving, tickers: list[str]
) -> None:
    rig.group.watch_books(tickers)
    await rig.until(lambda: rig.right(tickers))
    assert len(rig.streams) == 4
    books = [
        set(each.markets or ())
        for held in exchange.server.hub.connections
        for each in held.subscriptions.values()
        if each.channel == "orderbook_delta"
    ]
    assert sorted(map(len, books)) == [1, 3, 3, 3]
    assert set().union(*books) == set(tickers)
    for _ in range(20):
        exchange.clock.advance(20)
        exchange.server.world.step()
        exchange.server.commit()
    await rig.until(lambda: rig.right(tickers))
    private = [
        held
        for held in exchange.server.hub.connections
        if any(each.channel == "user_orders" for each in held.subscriptions.values())
    ]
    assert len(private) == 1


async def test_markets_that_leave_make_room_again(rig: Rig, tickers: list[str]) -> None:
    rig.group.watch_books(tickers[:5])
    await rig.until(lambda: rig.right(tickers[:5]))
    rig.group.watch_books(tickers[3:8])
    await rig.until(lambda: rig.right(tickers[3:8]))
    assert len(rig.streams) == 2
    rig.group.watch_books(tickers[:1])
    await rig.until(lambda: rig.right(tickers[:1]))


async def test_a_link_that_breaks_under_one_of_them_heals(rig: Rig, exchange: Serving, tickers: list[str]) -> None:
    rig.group.watch_books(tickers)
    await rig.until(lambda: rig.right(tickers))
    for held in list(exchange.server.hub.connections):
        before = rig.group.health().healed
        held.abort()
        await rig.until(partial(lambda then: rig.group.health().healed > then and rig.right(tickers), before))
    answers: list[tuple[str, bool]] = []
    for ticker in tickers:
        rig.group.audit(ticker, lambda name, yes, no: answers.append((name, yes is not None and no is not None)))
    await rig.until(lambda: len(answers) == len(tickers))
    assert answers.count((tickers[-1], True)) == 1
    assert all(came for _, came in answers)


async def test_quotes_of_more_markets_than_a_subscription_takes_come_without_a_list(
    rig: Rig, exchange: Serving, tickers: list[str]
) -> None:
    rig.group.watch_quotes(tickers)
    await rig.until(
        lambda: any(
            each.channel == "ticker" and each.markets is None
            for held in exchange.server.hub.connections
            for each in held.subscriptions.values()
        )
    )
    for _ in range(100):
        exchange.clock.advance(20)
        exchange.server.world.step()
        exchange.server.commit()
    await rig.until(lambda: len(rig.store.quotes) > LIMIT)
    assert len(rig.streams) == 1


async def test_where_no_connection_takes_a_market_it_is_refused_and_no_others_are_opened(
    rig: Rig, tickers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MAX_MARKETS_PER_SUBSCRIPTION", 0)
    rig.group.watch_books(tickers[:2])
    await rig.until(lambda: any(report.happening is Happening.REFUSED for report in rig.reports))
    for _ in range(50):
        await asyncio.sleep(0.01)
    assert len(rig.streams) == 1
    assert not any(rig.store.book(ticker).is_good for ticker in tickers[:2])


async def test_a_stream_that_stumbles_is_told_and_begun_anew(
    rig: Rig, tickers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.group.watch_books(tickers[:2])
    await rig.until(lambda: rig.right(tickers[:2]))
    stumbled = []

    def stumble(_: float) -> None:
        stumbled.append(1)
        monkeypatch.undo()
        raise ZeroDivisionError

    monkeypatch.setattr(rig.streams[0].protocol, "tick", stumble)
    await rig.until(lambda: bool(stumbled) and any("stumbled" in report.text for report in rig.reports))
    await rig.until(lambda: rig.right(tickers[:2]))
    assert stumbled == [1]
