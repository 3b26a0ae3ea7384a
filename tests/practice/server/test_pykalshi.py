"""A client that nobody here wrote, pykalshi 2.0.0, against the practice exchange, unchanged."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pykalshi
import pytest
from pykalshi.orderbook import OrderbookManager

from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import PRACTICE_CONTROL, Signer
from kalshi_tui.runtime.launch import PracticeProcess
from tests.support.practice_server import HERE

CRYPTO = ("KXBTC", "KXETH", "KXSOL")


class World:
    """A quiet exchange and two clients with accounts of their own."""

    def __init__(self, folder: Path) -> None:
        self.process = PracticeProcess(
            ["--data", str(folder), "--quiet-market", "--accounts", "1", "--tier", "prestige"]
        )
        self.ready = self.process.wait_until_ready()
        told = self.process.ready_fields
        (second,) = told["accounts"]
        self.token = Path(told["control_token_path"]).read_text()
        self.alice = self._client(self.ready.api_key_id, str(self.ready.private_key_path))
        self.bob = self._client(second["api_key_id"], second["private_key_path"])

    def _client(self, key_id: str, path: str) -> Any:
        return pykalshi.KalshiClient(
            api_key_id=key_id, private_key_path=path, api_base=self.ready.rest_url, max_retries=0
        )

    def control(self, **asked: Any) -> None:
        pem = self.ready.private_key_path.read_bytes()
        signer = Signer.from_pem(self.ready.api_key_id, pem, environment=practice_on_port(1))
        headers = signer.headers("POST", PRACTICE_CONTROL, time.time_ns() // 1_000_000, host=HERE)
        url = self.ready.rest_url.removesuffix("/trade-api/v2") + PRACTICE_CONTROL
        content = json.dumps(asked)
        reply = httpx.post(url, content=content, headers=headers | {"X-Practice-Token": self.token}, trust_env=False)
        assert reply.status_code == 200, reply.text

    def close(self) -> None:
        self.alice.close()
        self.bob.close()
        self.process.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("exchange") / "practice")
    yield made
    made.close()


@pytest.fixture(scope="module")
def tickers(world: World) -> Iterator[str]:
    """Return markets in whole cents on shard 0, each to one test."""
    found = world.alice.get_markets(status=pykalshi.MarketStatus.OPEN, limit=300)
    return iter(
        [
            each.ticker
            for each in found
            if each.data.price_level_structure == "linear_cent"
            and not each.ticker.startswith(("KXBTC", "KXETH", "KXSOL"))
        ]
    )


def until(seen: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if seen():
            return True
        threading.Event().wait(0.01)
    return False


def bid(client: Any, ticker: str, price: str, count: str, **more: Any) -> Any:
    return client.portfolio.place_order(ticker, book_side="bid", price_dollars=price, count_fp=count, **more)


def ask(client: Any, ticker: str, price: str, count: str, **more: Any) -> Any:
    return client.portfolio.place_order(ticker, book_side="ask", price_dollars=price, count_fp=count, **more)


def test_the_market_side_reads_as_models(world: World, tickers: Iterator[str]) -> None:
    ticker = next(tickers)
    client = world.alice
    market = client.get_market(ticker)
    assert market.ticker == ticker
    event = client.get_event(market.event_ticker)
    assert event.event_ticker == market.event_ticker
    assert client.get_events(limit=5)
    assert client.get_series(market.resolve_series_ticker()).ticker
    assert client.get_all_series()
    assert client.exchange.get_status().trading_active
    assert market.get_orderbook() is not None
    now = int(time.time())
    candles = market.get_candlesticks(now - 3_600, now, pykalshi.CandlestickPeriod.ONE_MINUTE)
    assert candles is not None


def test_an_order_through_its_whole_life(world: World, tickers: Iterator[str]) -> None:
    ticker, portfolio = next(tickers), world.alice.portfolio
    order = bid(world.alice, ticker, "0.40", "10.00", client_order_id="life-1")
    assert order.status == pykalshi.OrderStatus.RESTING
    assert portfolio.get_order(order.order_id).remaining_count_fp == "10.00"
    assert portfolio.get_queue_position(order.order_id).queue_position_fp == "0.00"
    amended = portfolio.amend_order(order.order_id, count_fp="12.00", yes_price_dollars="0.41")
    assert amended.order_id == order.order_id
    assert portfolio.get_order(order.order_id).yes_price_dollars == "0.4100"
    portfolio.decrease_order(order.order_id, reduce_by_fp="2.00")
    assert portfolio.get_order(order.order_id).remaining_count_fp == "10.00"
    taken = ask(world.bob, ticker, "0.41", "4.00")
    assert taken.fill_count_fp == "4.00"
    resting = portfolio.get_orders(status=pykalshi.OrderStatus.RESTING, ticker=ticker)
    assert [each.order_id for each in resting] == [order.order_id]
    (fill,) = portfolio.get_fills(ticker=ticker)
    assert (fill.count_fp, fill.is_taker) == ("4.00", False)
    (position,) = portfolio.get_positions(ticker=ticker)
    assert position.position_fp == "4.00"
    portfolio.cancel_order(order.order_id)
    assert portfolio.get_order(order.order_id).status == pykalshi.OrderStatus.CANCELED


def test_refusals_have_their_types(world: World, tickers: Iterator[str]) -> None:
    ticker, client = next(tickers), world.alice
    with pytest.raises(pykalshi.InsufficientFundsError):
        bid(client, ticker, "0.99", "1000000.00")
    with pytest.raises(pykalshi.ResourceNotFoundError):
        client.get_market("NO-SUCH-MARKET")
    bid(client, ticker, "0.10", "1.00", client_order_id="twice")
    with pytest.raises(pykalshi.KalshiAPIError) as refused:
        bid(client, ticker, "0.10", "1.00", client_order_id="twice")
    assert refused.value.status_code == 409


def test_batches_and_groups(world: World, tickers: Iterator[str]) -> None:
    ticker, portfolio = next(tickers), world.alice.portfolio
    group = portfolio.create_order_group("5.00")
    made = bid(world.alice, ticker, "0.30", "10.00", order_group_id=group.id)
    assert made.order_id in portfolio.get_order_group(group.id).orders
    ask(world.bob, ticker, "0.30", "6.00")
    assert portfolio.get_order(made.order_id).status == pykalshi.OrderStatus.CANCELED
    portfolio.reset_order_group(group.id)
    wanted = [
        {"ticker": ticker, "action": "buy", "side": "yes", "count_fp": "1.00", "yes_price_dollars": price}
        for price in ("0.20", "0.21")
    ]
    orders = portfolio.batch_place_orders(wanted)
    assert len(orders) == 2
    assert len(portfolio.get_queue_positions(market_tickers=[ticker])) == 2
    portfolio.batch_cancel_orders([each.order_id for each in orders])
    assert not portfolio.get_orders(status=pykalshi.OrderStatus.RESTING, ticker=ticker)


def test_money_adds_up_over_a_settlement(world: World, tickers: Iterator[str]) -> None:
    ticker, client = next(tickers), world.alice
    before = client.portfolio.get_balance().balance
    bid(client, ticker, "0.25", "100.00")
    assert client.portfolio.get_balance().balance == before - 2_500
    ask(world.bob, ticker, "0.25", "100.00")
    world.control(action="settle", ticker=ticker, result="yes")
    (settled,) = [each for each in client.portfolio.get_settlements() if each.ticker == ticker]
    assert (settled.market_result, settled.revenue) == ("yes", 10_000)
    assert client.portfolio.get_balance().balance == before + 7_500


def test_the_feed_keeps_its_book_equal_to_ours(world: World, tickers: Iterator[str]) -> None:
    ticker = next(tickers)
    book = OrderbookManager(ticker)
    seen: list[str] = []
    feed = world.alice.feed()
    # The one thing that the client has no setting for.
    feed._ws_url = world.ready.ws_url

    @feed.on("orderbook_delta")  # type: ignore[untyped-decorator]
    def changed(message: Any) -> None:
        if hasattr(message, "yes_dollars"):
            book.apply_snapshot(message.yes_dollars, message.no_dollars)
        else:
            book.apply_delta(message.side, message.price_dollars, message.delta_fp)
        seen.append("book")

    @feed.on("fill")  # type: ignore[untyped-decorator]
    def filled(message: Any) -> None:
        seen.append(f"fill {message.count_fp}")

    bid(world.alice, ticker, "0.40", "10.00")
    with feed:
        feed.subscribe("orderbook_delta", market_ticker=ticker)
        feed.subscribe("fill")
        assert until(lambda: book.best_bid is not None and Decimal(book.best_bid) == Decimal("0.40"))
        ask(world.bob, ticker, "0.45", "5.00")
        bid(world.alice, ticker, "0.41", "3.00")
        ask(world.bob, ticker, "0.41", "1.00")
        assert until(lambda: "fill 1.00" in seen)
        assert until(lambda: book.best_ask is not None and Decimal(book.best_ask) == Decimal("0.45"))
        theirs = world.alice.get_market(ticker).get_orderbook().orderbook
        assert until(
            lambda: (
                {Decimal(price): Decimal(count) for price, count in book.yes.items()}
                == {Decimal(price): Decimal(count) for price, count in theirs.yes_dollars}
            )
        )
