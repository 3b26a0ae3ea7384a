import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, OrderState, OrderTerms, TimeInForce
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.errors import (
    AuthenticationFailed,
    BadReply,
    DuplicateOrder,
    EndpointNotFound,
    Forbidden,
    KalshiError,
    NoKey,
    NotFound,
    NotSent,
    RateLimited,
    Refused,
    ServerFault,
    TransportError,
    UnknownOutcome,
    WrongHost,
)
from kalshi_tui.kalshi.rest import RestClient, Retry, Timeouts
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.kalshi.transport.signing import (
    KEY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Signer,
    verify_signature,
)
from tests.support.book_handler import KEY_ID

Handler = Callable[[httpx.Request], httpx.Response]
NO_WAIT = Retry(attempts=3, first_wait=0, longest_wait=0, jitter=0)
TERMS = OrderTerms("KXWIN-26-A", Side.NO, Action.BUY, price=4000, count=1000)
ORDER: dict[str, Any] = {
    "order_id": "o-1",
    "client_order_id": "c-1",
    "ticker": "KXWIN-26-A",
    "book_side": "ask",
    "status": "resting",
    "yes_price_dollars": "0.6000",
    "fill_count_fp": "0.00",
    "remaining_count_fp": "10.00",
    "initial_count_fp": "10.00",
    "taker_fill_cost_dollars": "0.000000",
    "maker_fill_cost_dollars": "0.000000",
    "taker_fees_dollars": "0.000000",
    "maker_fees_dollars": "0.000000",
}
MARKET: dict[str, Any] = {
    "ticker": "KXWIN-26-A",
    "event_ticker": "KXWIN-26",
    "status": "active",
    "open_time": "2026-01-01T00:00:00Z",
    "close_time": "2026-12-31T00:00:00Z",
    "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
}


def client(handler: Handler, signer: Signer | None = None, **more: Any) -> RestClient:
    return RestClient(practice_on_port(1), signer, transport=httpx.MockTransport(handler), retry=NO_WAIT, **more)


def answer(status: int, body: object = None) -> Handler:
    return lambda _request: httpx.Response(status, json=body)


def refusal(code: str, message: str = "", details: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": details}}


# Signing.


async def test_each_attempt_is_signed_anew_over_the_path_without_its_query(signer: Signer) -> None:
    seen: list[httpx.Request] = []
    times = iter(range(1_786_085_188_000, 1_786_085_999_000, 100))

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) < 3:
            return httpx.Response(500)
        return httpx.Response(200, json={"orders": [], "cursor": ""})

    rest = client(handler, signer, clock=ExchangeClock(lambda: next(times)))
    assert await rest.orders(status="resting") == []
    stamps = {request.headers[TIMESTAMP_HEADER] for request in seen}
    assert len(stamps) == 3
    for request in seen:
        assert request.url.query == b"status=resting&limit=1000"
        assert request.headers[KEY_HEADER] == KEY_ID
        signed = request.headers[SIGNATURE_HEADER], request.headers[TIMESTAMP_HEADER]
        assert verify_signature(signer.public_key(), *signed, "GET", "/trade-api/v2/portfolio/orders")


async def test_another_host_is_never_signed_for(signer: Signer) -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing may be sent")

    rest = client(handler, signer)
    rest._http._url = "https://example.com/trade-api/v2"
    with pytest.raises(WrongHost, match=r"example\.com"):
        await rest.balance()
    with pytest.raises(NotSent):
        await rest.create_order(TERMS, "c-1")


async def test_redirects_are_not_followed(signer: Signer) -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(307, headers={"Location": "https://example.com/trade-api/v2/portfolio/balance"})

    rest = client(handler, signer)
    with pytest.raises(ServerFault, match="307"):
        await rest.balance()
    with pytest.raises(UnknownOutcome, match="307"):
        await rest.create_order(TERMS, "c-1")
    assert set(seen) == {"127.0.0.1"}


async def test_without_a_key_public_data_is_read_unsigned_and_the_rest_is_not_sent() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert KEY_HEADER not in request.headers
        return httpx.Response(200, json={"market": MARKET})

    rest = client(handler)
    assert (await rest.market("KXWIN-26-A")).ticker == "KXWIN-26-A"
    with pytest.raises(NoKey, match="API key"):
        await rest.balance()
    with pytest.raises(NoKey):
        await rest.create_order(TERMS, "c-1")


async def test_nothing_secret_is_logged(signer: Signer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    signatures: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        signatures.append(request.headers[SIGNATURE_HEADER])
        return httpx.Response(500)

    with pytest.raises(TransportError) as caught:
        await client(handler, signer).balance()
    assert signatures
    for signature in signatures:
        assert signature not in caplog.text
        assert signature not in repr(caught.value)


# Questions.


async def test_a_question_is_asked_again_on_a_fault_that_passes(signer: Signer) -> None:
    for status, asked in ((500, 3), (503, 3), (429, 3), (408, 3), (400, 1), (403, 1), (404, 1), (401, 1)):
        seen: list[httpx.Request] = []

        def handler(request: httpx.Request, status: int = status, seen: list[httpx.Request] = seen) -> httpx.Response:
            seen.append(request)
            return httpx.Response(status, json=refusal("code", "words"))

        with pytest.raises(KalshiError):
            await client(handler, signer).balance()
        assert len(seen) == asked, status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, AuthenticationFailed),
        (403, Forbidden),
        (404, EndpointNotFound),
        (409, Refused),
        (410, Refused),
        (429, RateLimited),
        (500, ServerFault),
        (503, ServerFault),
    ],
)
async def test_each_status_has_its_type_and_a_sentence(status: int, kind: type[KalshiError], signer: Signer) -> None:
    body = refusal("some_code", "words\x1b[2J", "more [red]words")
    with pytest.raises(kind) as caught:
        await client(answer(status, body), signer).balance()
    assert type(caught.value) is kind
    assert str(caught.value).isprintable()
    assert str(caught.value).rstrip(")").endswith((".", "words", "m"))
    if isinstance(caught.value, Refused):
        assert (caught.value.status, caught.value.code) == (status, "some_code")


async def test_a_404_says_of_a_thing_that_there_is_none_and_of_a_list_nothing(signer: Signer) -> None:
    rest = client(answer(404, refusal("not_found")), signer)
    for thing in (rest.market("T"), rest.event("E"), rest.series("S"), rest.order("o"), rest.archive.market("T")):
        with pytest.raises(NotFound):
            await thing
    lists = (
        rest.orders(), rest.fills(), rest.positions(), rest.settlements(), rest.trades("T"),
        rest.queue_positions(["T"]), rest.user_data_timestamp(), rest.archive.cutoffs(),
        anext(rest.markets()), anext(rest.archive.orders()), anext(rest.archive.positions()),
        rest.candles_by_ticker(["T"], 0, 1), rest.candles_by_ticker(["T", "U"], 0, 1), rest.orderbooks(["T"]),
    )  # fmt: skip
    for reading in lists:
        with pytest.raises(EndpointNotFound) as caught:
            await reading
        assert not isinstance(caught.value, NotFound)
        assert "gone" not in str(caught.value)


async def test_a_404_of_a_command_says_that_a_thing_is_gone_only_if_its_path_names_it(signer: Signer) -> None:
    rest = client(answer(404, refusal("not_found")), signer)
    commands: list[Awaitable[Any]] = [
        rest.cancel_order("o", "T"),
        rest.amend_order("o", "T", BookSide.BID, 100, 100),
        rest.decrease_order("o", "T", to=100),
    ]
    for command in commands:
        with pytest.raises(NotFound, match="gone already"):
            await command
    resting = await client(answer(200, {"orders": [ORDER]}), signer).orders()
    for command in (rest.cancel_orders(resting), rest.create_order(TERMS, "mine")):
        with pytest.raises(Refused, match="rejected it: not_found") as caught:
            await command
        assert type(caught.value) is Refused


async def test_pages_end_on_an_empty_or_a_repeated_cursor() -> None:
    cursors = {None: "a", "a": "b", "b": "a"}
    seen: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        cursor = request.url.params.get("cursor")
        seen.append(cursor)
        markets = [{**MARKET, "ticker": f"KXWIN-26-{len(seen)}"}, {**MARKET, "ticker": "no ticker"}]
        return httpx.Response(200, json={"markets": markets, "cursor": cursors[cursor]})

    reading = client(handler).markets(status="open")
    found = [market.ticker async for market in reading]
    assert seen == [None, "a", "b"]
    assert found == ["KXWIN-26-1", "KXWIN-26-2", "KXWIN-26-3"]
    assert [each.name for each in reading.left_out] == ["no ticker"] * 3
    assert reading.broken_off


# One odd item.

FILL: dict[str, Any] = {
    "fill_id": "f-1",
    "trade_id": "t-1",
    "order_id": "o-1",
    "ticker": "KXWIN-26-A",
    "book_side": "bid",
    "count_fp": "1.00",
    "yes_price_dollars": "0.6000",
    "is_taker": True,
    "fee_cost": "0.010000",
}
POSITION: dict[str, Any] = {
    "ticker": "KXWIN-26-A",
    "position_fp": "5.00",
    "market_exposure_dollars": "2.000000",
    "realized_pnl_dollars": "0.000000",
    "fees_paid_dollars": "0.010000",
    "total_traded_dollars": "2.000000",
}
SETTLEMENT: dict[str, Any] = {
    "ticker": "KXWIN-26-A",
    "market_result": "yes",
    "yes_count_fp": "1.00",
    "no_count_fp": "0.00",
    "yes_total_cost_dollars": "0.600000",
    "no_total_cost_dollars": "0.000000",
    "fee_cost": "0.010000",
    "revenue": 100,
    "settled_time": "2026-01-01T00:00:00Z",
}
TRADE: dict[str, Any] = {
    "trade_id": "t-1",
    "ticker": "KXWIN-26-A",
    "count_fp": "1.00",
    "yes_price_dollars": "0.6000",
    "taker_side": "yes",
    "created_time": "2026-01-01T00:00:00Z",
}
SERIES: dict[str, Any] = {"ticker": "KXWIN", "fee_type": "quadratic", "fee_multiplier": 0.07}
EVENT: dict[str, Any] = {"event_ticker": "KXWIN-26", "series_ticker": "KXWIN", "title": "Win"}
PLACE: dict[str, Any] = {"order_id": "o-1", "market_ticker": "KXWIN-26-A", "queue_position_fp": "1.00"}


async def _listed(rest: RestClient, name: str) -> tuple[int, list[str]]:
    """Read a list; give how many items it has, and the names of those that were left out."""
    if name in {"markets", "events"}:
        reading = rest.markets() if name == "markets" else rest.events()
        return len([each async for each in reading]), [each.name for each in reading.left_out]
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "trades": lambda: rest.trades(most=1000),
        "orders": rest.orders,
        "fills": rest.fills,
        "market_positions": rest.positions,
        "settlements": rest.settlements,
    }
    found = await reads[name]()
    assert found.whole is (not found.left_out)
    return len(found), [each.name for each in found.left_out]


@pytest.mark.parametrize(
    ("name", "item", "key", "vital", "optional"),
    [
        ("markets", MARKET, "ticker", "close_time", "title"),
        ("markets", MARKET, "ticker", "status", "exchange_index"),
        ("markets", MARKET, "ticker", "event_ticker", "can_close_early"),
        ("markets", MARKET, "ticker", "close_time", "settlement_timer_seconds"),
        ("markets", MARKET, "ticker", "close_time", "result"),
        ("events", EVENT, "event_ticker", "event_ticker", "category"),
        ("events", EVENT, "event_ticker", "event_ticker", "collateral_return_type"),
        ("trades", TRADE, "trade_id", "count_fp", "is_block_trade"),
        ("orders", ORDER, "order_id", "remaining_count_fp", "user_id"),
        ("orders", ORDER, "order_id", "yes_price_dollars", "cancel_order_on_pause"),
        ("fills", FILL, "trade_id", "count_fp", "exchange_index"),
        ("market_positions", POSITION, "ticker", "position_fp", "exchange_index"),
        ("settlements", SETTLEMENT, "ticker", "revenue", "event_ticker"),
    ],
)
async def test_one_odd_item_costs_that_item_and_is_told(
    name: str,
    item: dict[str, Any],
    key: str,
    vital: str,
    optional: str,
    signer: Signer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    items = [{**item, key: f"N-{number}"} for number in range(200)]

    def replies(odd: object, field: str) -> Handler:
        spoiled = [each if number != 100 else {**each, field: odd} for number, each in enumerate(items)]
        return answer(200, {name: spoiled, "cursor": ""})

    # A null where a value may be missing is a missing value: nothing is lost.
    assert await _listed(client(replies(None, optional), signer), name) == (200, [])
    told: list[str] = []
    expected = "N-100" if vital != key else ""
    for odd in (None, {"no": "value"}):
        rest = client(replies(odd, vital), signer, on_left_out=lambda each: told.append(each.name))
        assert await _listed(rest, name) == (199, [expected]), (vital, odd)
    assert told == [expected, expected]
    assert f"`$.{vital}`" in caplog.text
    # What is right in its shape and senseless in its content goes the same way.
    if vital.endswith(("_fp", "_dollars")):
        assert await _listed(client(replies("many", vital), signer), name) == (199, ["N-100"])


async def test_items_that_are_no_objects_and_texts_that_are_no_text_cost_themselves_alone(signer: Signer) -> None:
    good = json.dumps(ORDER).encode()
    for odd in (b"null", b"7", b'"text"', b"[]", b'{"order_id": "o-\xff"}', b"[" * 20 + b"]" * 20):
        body = b'{"orders": [' + good + b", " + odd + b", " + good + b'], "cursor": null}'
        found = await client(lambda _, body=body: httpx.Response(200, content=body), signer).orders()  # type: ignore[misc]
        assert ([each.order_id for each in found], len(found.left_out)) == (["o-1", "o-1"], 1)


async def test_a_nested_market_costs_itself_and_not_its_event() -> None:
    markets = [
        {**MARKET, "title": None},
        {**MARKET, "ticker": "KXWIN-26-B", "close_time": None},
        {**MARKET, "ticker": "KXWIN-26-C", "yes_bid_dollars": "dear"},
        {**MARKET, "ticker": "KXWIN-26-D", "price_ranges": [{"start": "0.0000", "end": None, "step": "0.0100"}]},
    ]
    reading = client(answer(200, {"events": [{**EVENT, "markets": markets}], "cursor": ""})).events()
    (event,) = [each async for each in reading]
    assert [each.ticker for each in event.markets] == ["KXWIN-26-A"]
    # A grid or a book without one of its parts would be another one: the whole market goes.
    assert sorted(each.name for each in reading.left_out) == ["KXWIN-26-B", "KXWIN-26-C", "KXWIN-26-D"]
    alone = await client(answer(200, {"event": {**EVENT, "category": None, "markets": markets}})).event("KXWIN-26")
    assert [each.ticker for each in alone.markets] == ["KXWIN-26-A"]


async def test_numbers_beside_an_odd_value_stay_exact() -> None:
    odd = {**SERIES, "title": None, "fee_multiplier": "HERE"}
    body = json.dumps({"series": odd}).replace('"HERE"', "0.123456")
    found = await client(lambda _: httpx.Response(200, content=body.encode())).series("KXWIN")
    assert found.fees.multiplier == 123_456


async def test_one_odd_queue_position_book_or_candle_costs_itself(signer: Signer) -> None:
    places = {"queue_positions": [PLACE, {**PLACE, "order_id": "o-2", "queue_position_fp": None}]}
    assert await client(answer(200, places), signer).queue_positions(["KXWIN-26-A"]) == {"o-1": 100}
    books = {
        "orderbooks": [
            {"ticker": "A", "orderbook_fp": {"yes_dollars": [["0.1", "1"]], "no_dollars": None}},
            {"ticker": "B", "orderbook_fp": {"yes_dollars": [["0.1", None]]}},
            {"ticker": "C", "orderbook_fp": {"yes_dollars": [["0.1", "-1"]]}},
        ]
    }
    assert await client(answer(200, books)).orderbooks(["A", "B", "C"]) == {"A": ([(1000, 100)], [])}
    bar = {f"{name}_dollars": "0.5000" for name in ("open", "low", "high", "close")}
    candle = {
        "end_period_ts": 60,
        "yes_bid": bar,
        "yes_ask": bar,
        "price": {},
        "volume_fp": "1",
        "open_interest_fp": "3",
    }
    candles = [candle, {**candle, "end_period_ts": 120, "yes_bid": None}, {**candle, "volume_fp": "much"}]
    reply = {"markets": [{"market_ticker": "A", "candlesticks": candles}, {"market_ticker": "B", "candlesticks": None}]}
    found = await client(answer(200, reply)).candles_by_ticker(["A", "B"], 0, 200)
    assert [each.end_ms for each in found["A"]] == [60_000]
    assert found["B"] == []


async def test_a_batchs_answer_has_an_outcome_for_each_order_or_none_is_known(signer: Signer) -> None:
    order = await client(answer(200, {"order": ORDER}), signer).order("o-1")
    body = {"orders": [{"order_id": "o-1", "reduced_by": "10.00"}, {"order_id": None}]}
    with pytest.raises(UnknownOutcome):
        await client(answer(200, body), signer).cancel_orders([order, order])


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"market":{}}', b"[]", b"null"])
async def test_a_reply_that_is_not_the_contracts_is_a_bad_reply(body: bytes) -> None:
    with pytest.raises(BadReply):
        await client(lambda _request: httpx.Response(200, content=body)).market("KXWIN-26-A")


async def test_an_answer_about_something_else_is_a_bad_reply(signer: Signer) -> None:
    with pytest.raises(BadReply, match="another market"):
        await client(answer(200, {"market": MARKET})).market("KXWIN-26-B")
    with pytest.raises(BadReply, match="another order"):
        await client(answer(200, {"order": ORDER}), signer).order("o-2")
    assert (await client(answer(200, {"order": ORDER}), signer).order("o-1")).state is OrderState.RESTING


async def test_null_and_absent_sides_of_a_book_are_empty() -> None:
    empty: list[dict[str, Any]] = [{"yes_dollars": None}, {}, {"yes_dollars": [], "no_dollars": None}]
    for body in empty:
        assert await client(answer(200, {"orderbook_fp": body})).orderbook("T") == ([], [])
    full = {"yes_dollars": [["0.1200", "0.47"]], "no_dollars": [["0.5", "3"]]}
    assert await client(answer(200, {"orderbook_fp": full})).orderbook("T") == ([(1200, 47)], [(5000, 300)])


async def test_several_books_are_asked_for_with_repeated_tickers_a_hundred_at_a_time() -> None:
    asked: list[list[str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        tickers = request.url.params.get_list("tickers")
        asked.append(tickers)
        books = [{"ticker": ticker, "orderbook_fp": {}} for ticker in tickers]
        return httpx.Response(200, json={"orderbooks": books})

    tickers = [f"T{number}" for number in range(250)]
    assert set(await client(handler).orderbooks(tickers)) == set(tickers)
    assert [len(each) for each in asked] == [100, 100, 50]


async def test_a_wrong_clock_is_learned_from_the_reply_and_the_question_is_asked_again(signer: Signer) -> None:
    stamps: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        stamp = int(request.headers[TIMESTAMP_HEADER])
        stamps.append(stamp)
        headers = {"Date": "Fri, 07 Aug 2026 06:47:40 GMT"}
        if abs(stamp - 1_786_085_260_000) > 5_000:
            return httpx.Response(401, json=refusal("authentication_error"), headers=headers)
        body = {"balance": 100, "portfolio_value": 0, "updated_ts": 0}
        return httpx.Response(200, json=body, headers=headers)

    rest = client(handler, signer, clock=ExchangeClock(lambda: 1_786_085_200_000))
    assert (await rest.balance()).cash == 1_000_000
    assert len(stamps) == 2
    assert rest.clock.skew_ms == 60_500


async def test_a_clock_that_was_corrected_is_used_before_it_is_off_again(signer: Signer) -> None:
    stamps: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        stamps.append(int(request.headers[TIMESTAMP_HEADER]))
        headers = {"Date": "Fri, 07 Aug 2026 06:47:40 GMT"}
        if len(stamps) == 1:
            return httpx.Response(401, json=refusal("authentication_error"), headers=headers)
        return httpx.Response(200, json={"balance": 100, "portfolio_value": 0, "updated_ts": 0}, headers=headers)

    # Any wait but that after a corrected clock would outlast the test.
    patience = Retry(attempts=2, first_wait=300.0, longest_wait=300.0, total=1_000.0)
    clock = ExchangeClock(lambda: 1_786_085_200_000)
    transport = httpx.MockTransport(handler)
    rest = RestClient(practice_on_port(1), signer, transport=transport, retry=patience, clock=clock)
    async with asyncio.timeout(20):
        assert (await rest.balance()).cash == 1_000_000
    assert len(stamps) == 2


async def test_a_refused_key_says_what_to_check(signer: Signer) -> None:
    cases = {"NOT_FOUND": "environment", "INCORRECT_API_KEY_SIGNATURE": "private key", "authentication_error": "key id"}
    for code, words in cases.items():
        with pytest.raises(AuthenticationFailed, match=words):
            await client(answer(401, refusal(code)), signer).balance()


# Commands.


async def test_an_order_is_sent_in_the_exchanges_terms(signer: Signer) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        body = {"order_id": "o-1", "client_order_id": "c-1", "fill_count": "3.00", "remaining_count": "7.00",
                "average_fill_price": "0.6050", "average_fee_paid": "0.016700", "ts_ms": 1}  # fmt: skip
        return httpx.Response(201, json=body)

    ack = await client(handler, signer).create_order(TERMS, "c-1")
    assert (ack.order_id, ack.filled, ack.remaining, ack.average_fill_price) == ("o-1", 300, 700, 605_000)
    assert seen[0].method == "POST"
    assert seen[0].url.path == "/trade-api/v2/portfolio/events/orders"
    assert json.loads(seen[0].content) == {
        "ticker": "KXWIN-26-A",
        "client_order_id": "c-1",
        "side": "ask",
        "count": "10.00",
        "price": "0.6000",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }


async def test_the_options_of_an_order_are_sent_only_where_they_are_set(signer: Signer) -> None:
    bodies: list[dict[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(201, json={"order_id": "o", "fill_count": "0.00", "remaining_count": "0.00"})

    terms = OrderTerms(
        "T", Side.YES, Action.BUY, 100, 150, TimeInForce.GTC,
        post_only=True, expires_s=1_786_085_200, cancel_on_pause=True, order_group_id="g",
    )  # fmt: skip
    await client(handler, signer).create_order(terms, "c")
    assert {key: bodies[0][key] for key in bodies[0].keys() - {"ticker", "side", "time_in_force"}} == {
        "client_order_id": "c",
        "count": "1.50",
        "price": "0.0100",
        "self_trade_prevention_type": "taker_at_cross",
        "post_only": True,
        "expiration_time": 1_786_085_200,
        "cancel_order_on_pause": True,
        "order_group_id": "g",
    }


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, refusal("invalid_order", "invalid order", "post only cross"), Refused),
        (400, refusal("insufficient_balance"), Refused),
        (400, b"not json", Refused),
        (401, refusal("authentication_error"), AuthenticationFailed),
        (404, refusal("market_not_found"), NotFound),
        (409, refusal("order_already_exists"), DuplicateOrder),
        (409, refusal("fill_or_kill_insufficient_resting_volume"), Refused),
        (429, {"error": "too many requests"}, RateLimited),
        (408, None, UnknownOutcome),
        (500, None, UnknownOutcome),
        (503, refusal("exchange_paused"), UnknownOutcome),
        (302, None, UnknownOutcome),
        (200, b"", UnknownOutcome),
        (201, b"<html>", UnknownOutcome),
        (201, {}, UnknownOutcome),
        (201, {"order_id": "", "fill_count": "0.00", "remaining_count": "1.00"}, UnknownOutcome),
        (201, {"order_id": "o-1"}, UnknownOutcome),
        (201, {"order_id": "o-1", "fill_count": "x", "remaining_count": "1.00"}, UnknownOutcome),
        (201, {"order_id": "o-1", "fill_count": "9.00", "remaining_count": "9.00"}, UnknownOutcome),
        (
            201,
            {"order_id": "o-1", "client_order_id": "c-2", "fill_count": "0.00", "remaining_count": "1.00"},
            UnknownOutcome,
        ),
    ],
)
async def test_what_the_answer_to_an_order_means(
    status: int, body: object, kind: type[KalshiError], signer: Signer
) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(status, content=content)

    with pytest.raises(kind) as caught:
        await client(handler, signer).create_order(TERMS, "c-1")
    assert type(caught.value) is kind
    assert len(seen) == 1, "a command is never sent twice"
    if isinstance(caught.value, UnknownOutcome):
        assert "not known" in str(caught.value)
        assert caught.value.order_id == ("o-1" if isinstance(body, dict) and body.get("order_id") else "")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("no"), NotSent),
        (httpx.ConnectTimeout("no"), NotSent),
        (httpx.PoolTimeout("no"), NotSent),
        (httpx.ReadTimeout("no"), UnknownOutcome),
        (httpx.WriteTimeout("no"), UnknownOutcome),
        (httpx.ReadError("no"), UnknownOutcome),
        (httpx.WriteError("no"), UnknownOutcome),
        (httpx.RemoteProtocolError("no"), UnknownOutcome),
    ],
)
async def test_what_a_broken_connection_means_for_an_order(
    error: httpx.HTTPError, kind: type[KalshiError], signer: Signer
) -> None:
    seen: list[int] = []

    def handler(_request: httpx.Request) -> httpx.Response:
        seen.append(1)
        raise error

    rest = client(handler, signer)
    with pytest.raises(kind):
        await rest.create_order(TERMS, "c-1")
    with pytest.raises(kind):
        await rest.cancel_order("o-1", "KXWIN-26-A")
    assert len(seen) == 2
    with pytest.raises(TransportError):
        await rest.balance()
    assert len(seen) == 5


async def test_a_cancel_names_its_market_and_checks_its_answer(signer: Signer) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"order_id": "o-1", "reduced_by": "4.50", "ts_ms": 3})

    rest = client(handler, signer)
    assert (await rest.cancel_order("o-1", "KXWIN-26-A")).reduced_by == 450
    assert str(seen[0].url).endswith("/portfolio/events/orders/o-1?market_ticker=KXWIN-26-A")
    with pytest.raises(UnknownOutcome, match="another order"):
        await rest.cancel_order("o-2", "KXWIN-26-A")
    with pytest.raises(NotFound):
        await client(answer(404, refusal("not_found")), signer).cancel_order("o-1", "KXWIN-26-A")


async def test_an_amendment_and_a_decrease(signer: Signer) -> None:
    seen: list[tuple[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.path.rsplit("/", 1)[1], json.loads(request.content)))
        return httpx.Response(200, json={"order_id": "o-1", "remaining_count": "8.00", "ts_ms": 3})

    rest = client(handler, signer)
    ack = await rest.amend_order("o-1", "T", BookSide.ASK, 5500, 1000, new_client_order_id="c2")
    assert (ack.filled, ack.remaining) == (None, 800)
    assert (await rest.decrease_order("o-1", "T", to=800)).remaining == 800
    assert seen == [
        (
            "amend",
            {"ticker": "T", "side": "ask", "price": "0.5500", "count": "10.00", "updated_client_order_id": "c2"},
        ),
        ("decrease", {"reduce_to": "8.00", "market_ticker": "T"}),
    ]


@pytest.mark.parametrize("status", [404, 405])
async def test_a_deployment_without_cancel_all_says_so(signer: Signer, status: int) -> None:
    assert await client(answer(204, None), signer).request_cancel_all()
    assert not await client(answer(status, {}), signer).request_cancel_all()
    with pytest.raises(Refused):
        await client(answer(403, {}), signer).request_cancel_all()


async def test_canceling_several_orders_names_each_with_its_market(signer: Signer) -> None:
    asked: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.extend(json.loads(request.content)["orders"])
        done = [{"order_id": each["order_id"], "reduced_by": "1.00", "ts_ms": 1} for each in asked]
        return httpx.Response(200, json={"orders": done})

    order = await client(answer(200, {"order": ORDER}), signer).order("o-1")
    (result,) = await client(handler, signer).cancel_orders([order])
    assert (result.order_id, result.reduced_by) == ("o-1", 100)
    assert [each["market_ticker"] for each in asked] == ["KXWIN-26-A"]


# A real server on a real socket.


@asynccontextmanager
async def server(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def real(port: int, signer: Signer, **more: Any) -> RestClient:
    return RestClient(practice_on_port(port), signer, retry=NO_WAIT, **more)


async def test_a_server_that_cuts_the_connection_leaves_an_order_unknown(signer: Signer) -> None:
    taken: list[bytes] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        taken.append(await request.read())
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with server(handle) as port, real(port, signer) as rest:
        with pytest.raises(UnknownOutcome, match="the connection broke"):
            await rest.create_order(TERMS, "c-1")
        assert len(taken) == 1
        with pytest.raises(TransportError):
            await rest.balance()
        assert len(taken) == 4


async def test_a_server_that_never_answers_leaves_an_order_unknown(signer: Signer) -> None:
    release = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        await release.wait()
        return web.Response()

    async with server(handle) as port:
        for times in (Timeouts(piece=0.05), Timeouts(whole=0.05)):
            async with real(port, signer, timeouts=times) as rest:
                with pytest.raises(UnknownOutcome, match="it took too long"):
                    await rest.create_order(TERMS, "c-1")
        release.set()


async def test_a_server_that_drips_is_bounded_by_the_whole_time(signer: Signer) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.01)
        except ConnectionError:
            return response

    async with server(handle) as port, real(port, signer, timeouts=Timeouts(piece=5, whole=0.1)) as rest:
        with pytest.raises(UnknownOutcome):
            await rest.create_order(TERMS, "c-1")


async def test_nobody_at_the_address_means_that_nothing_was_sent(signer: Signer, unused_tcp_port: int) -> None:
    async with real(unused_tcp_port, signer) as rest:
        with pytest.raises(NotSent, match="Nothing was done"):
            await rest.create_order(TERMS, "c-1")
        with pytest.raises(TransportError, match="nobody answers"):
            await rest.balance()


async def test_a_body_broken_off_is_unknown_for_a_command_and_asked_again_for_a_question(signer: Signer) -> None:
    calls: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        calls.append(request.method)
        response = web.StreamResponse(status=201, headers={"Content-Length": "500"})
        await response.prepare(request)
        await response.write(b'{"order_id":"o-1"')
        assert request.transport is not None
        request.transport.close()
        return response

    async with server(handle) as port, real(port, signer) as rest:
        with pytest.raises(UnknownOutcome):
            await rest.create_order(TERMS, "c-1")
        with pytest.raises(TransportError):
            await rest.balance()
    assert calls == ["POST", "GET", "GET", "GET"]


async def test_packed_bodies_are_read_and_bounded_before_they_are_unpacked(signer: Signer) -> None:
    bodies = {
        "fine": gzip.compress(json.dumps({"balance": 100, "portfolio_value": 0}).encode()),
        "bomb": gzip.compress(b'{"x":"' + b"a" * 50_000_000 + b'"}'),
        "cut": gzip.compress(json.dumps({"balance": 100, "portfolio_value": 0}).encode())[:-6],
        "damaged": b"\x1f\x8b" + b"\x00" * 40,
    }
    now = ["fine"]

    async def handle(_request: web.Request) -> web.StreamResponse:
        encoding = "br" if now[0] == "other" else "gzip"
        return web.Response(body=bodies.get(now[0], b"x"), headers={"Content-Encoding": encoding})

    async with server(handle) as port, real(port, signer, body_limit=1_000_000) as rest:
        assert (await rest.balance()).cash == 1_000_000
        for name, words in (("bomb", "more than"), ("cut", "breaks off"), ("damaged", "damaged"), ("other", "'br'")):
            now[0] = name
            with pytest.raises(BadReply, match=words):
                await rest.balance()
            with pytest.raises(UnknownOutcome, match=words):
                await rest.create_order(TERMS, "c-1")


async def test_a_body_beyond_the_limit_is_refused(signer: Signer) -> None:
    async def handle(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"a" * 2_000_000)

    async with server(handle) as port, real(port, signer, body_limit=1_000_000) as rest:
        with pytest.raises(BadReply, match="more than 1,000,000 bytes"):
            await rest.balance()


async def test_the_connection_is_kept_warm(signer: Signer) -> None:
    peers: set[object] = set()

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.json_response({"balance": 100, "portfolio_value": 0})

    async with server(handle) as port, real(port, signer) as rest:
        for _ in range(3):
            await rest.balance()
    assert len(peers) == 1
