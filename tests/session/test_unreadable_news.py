"""News of the account that nobody can read, over a real socket: the account is read by REST at once, and is true.

No other frame tells what has happened, and the read that comes by itself every half minute is put off for an hour.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from typing import Any

import msgspec
import pytest
from aiohttp import web

from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.order import BookSide, OrderState, TimeInForce
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.practice.engine.events import EngineEvent, OrderChanged, OrderFilled, PositionChanged
from kalshi_tui.practice.engine.records import OrderRequest
from kalshi_tui.practice.server import encode_frames
from kalshi_tui.runtime.compose import ExchangeAccess, build_session
from kalshi_tui.session.account import reconcile
from kalshi_tui.session.session import Session
from kalshi_tui.session.store import Store
from tests.support.cli_runner import tradable
from tests.support.practice_server import Serving, serving
from tests.support.waiting import until

pytestmark = pytest.mark.slow
COUNT, PRICE = 700, 4_000
PRIVATE: dict[type, str] = {OrderFilled: "fill", OrderChanged: "user_order", PositionChanged: "market_position"}
LISTS = {"orders", "fills", "positions", "balance"}


class News:
    """What the exchange sends to the account: one kind of frame with one odd field, and no other."""

    def __init__(self, exchange: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
        self.exchange = exchange
        self.spoilt: tuple[str, str, Any] | None = None
        self.sent = 0
        """How many odd frames have been sent."""
        self.reads: list[str] = []
        """The lists of the account that were asked for."""
        hub, answer = exchange.server.hub, exchange.handle_request
        publish = hub.publish

        def publish_odd(events: Iterable[EngineEvent]) -> None:
            publish([each for each in events if self.spoilt is None or self._is_sent(each)])

        async def count_reads(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.method == "GET" and "/portfolio/" in request.path:
                self.reads.append(request.path.rpartition("/")[2])
            return await answer(request, handler)

        hub.publish = publish_odd  # type: ignore[method-assign]  # a test stands around it
        exchange.handle_request = count_reads
        for kind in PRIVATE.values():
            monkeypatch.setattr(encode_frames, kind, partial(self._encode, kind, getattr(encode_frames, kind)))

    def _is_sent(self, event: EngineEvent) -> bool:
        kind = PRIVATE.get(type(event))
        return kind is None or (self.spoilt is not None and kind == self.spoilt[0])

    def _encode(self, kind: str, encode: Callable[[Any], Any], source: Any) -> Any:
        """Encode the content of a frame as the exchange does, or with the odd field."""
        msg = encode(source)
        if self.spoilt is None or self.spoilt[0] != kind:
            return msg
        _, field, value = self.spoilt
        content = msgspec.json.decode(msgspec.json.encode(msg))
        assert field in content
        self.sent += source.account_id == "alice"
        return content | {field: value}


@pytest.fixture
async def news(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[News]:
    async with serving() as exchange:
        yield News(exchange, monkeypatch)


@pytest.fixture
async def session(news: News, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Session]:
    monkeypatch.setattr(reconcile, "RECONCILE_INTERVAL_S", 3_600.0)
    exchange = news.exchange
    made = build_session(ExchangeAccess(practice_on_port(exchange.port), exchange.signers["alice"]))
    await made.start()
    await until(lambda: made.store.connection.state is LinkState.LIVE and made.store.markets and made.store.balance)
    yield made
    await made.stop()


def place(exchange: Serving, who: str, ticker: str, side: BookSide) -> None:
    exchange.exchange.order_entry.create(who, OrderRequest(ticker, side, COUNT, PRICE, TimeInForce.GTC))
    exchange.server.commit()


ODD = [
    ("fill", "count_fp", None),
    ("user_order", "status", 7),
    ("market_position", "position_fp", None),
]


async def test_what_an_odd_frame_hides_is_read_at_once(news: News, session: Session) -> None:
    store, exchange, reader = session.store, news.exchange, session.parts.readers.account
    ticker = tradable(exchange)
    for number, spoilt in enumerate(ODD, 1):
        # An order that rests before, so that the account is right, and nothing is on its way.
        news.spoilt = None
        place(exchange, "alice", ticker, BookSide.BID)
        await until(lambda: [each for each in store.working_orders() if each.state is OrderState.RESTING])
        reader.require_data_after(exchange.clock())
        await until(lambda: reader.has_caught_up)
        news.spoilt, news.sent = spoilt, 0
        news.reads.clear()
        place(exchange, "bob", ticker, BookSide.ASK)
        held = number * COUNT
        await until(partial(holds, store, ticker, held))
        await until(lambda: not store.working_orders())
        await until(lambda: store.balance is not None and store.balance.cash == cash_of(exchange))
        assert news.sent == 1, spoilt
        assert set(news.reads) >= LISTS, spoilt
        assert sum(each.state is OrderState.FILLED for each in store.orders.values()) == number


def holds(store: Store, ticker: str, count: int) -> bool:
    """Return whether the position, and the fills that made it, come to so many."""
    position = store.positions.get(ticker)
    return position is not None and position.count == count == sum(each.count for each in store.fills)


def cash_of(exchange: Serving) -> int:
    return sum(exchange.exchange.queries.balance("alice").available.values())
