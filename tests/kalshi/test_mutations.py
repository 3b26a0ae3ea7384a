"""One odd thing costs that one thing: each field of each reply and frame null, absent, of another type, out of range.

Of 200 items of a list one is spoilt. The other 199 have to be right, and what was lost has to be told: the item, or the
value that it can do without. What cannot be read is never invented.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sized
from dataclasses import fields, is_dataclass
from typing import Any

import httpx
import pytest
from msgspec import Struct

from kalshi_tui.domain.market import Event, Market
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.feed.subscription import Happening
from kalshi_tui.kalshi.lists import LeftOut
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.kalshi.wire import Channel
from tests.support.captures import CAPTURES, captured_frames, frame_files
from tests.support.feed_rig import A, B, C, Rig
from tests.support.mutations import ABSENT, REST_KINDS, fits, sample, variants

ITEMS = 200
PLACE = 137
QUICK = 25
"""So many variants of each kind are tried in the quick run, others each time; the slow one tries all."""
IDS = {
    "markets": "ticker", "events": "event_ticker", "orders": "order_id", "fills": "trade_id", "positions": "ticker",
    "settlements": "ticker", "trades": "trade_id",
    "series fee changes": "series_ticker", "event fee changes": "event_ticker",
}  # fmt: skip
VITAL = {
    "markets": {"ticker", "event_ticker", "status", "grid", "close_ms"},
    "events": {"event_ticker"},
    "orders": {
        "order_id", "ticker", "book_side", "yes_price", "initial", "filled", "remaining", "state", "fill_cost", "fees",
    },
    "fills": {"trade_id", "order_id", "ticker", "book_side", "yes_price", "count", "fee", "is_taker"},
    "positions": {"ticker", "count", "cost", "realized_pnl", "fees_paid", "total_traded"},
    "settlements": {"ticker", "result", "yes_count", "no_count", "yes_cost", "no_cost", "revenue", "fees"},
    "trades": {"ticker", "yes_price", "count", "taker_bid", "ts_ms"},
    "series fee changes": {"series_ticker", "at_ms"},
    "event fee changes": {"event_ticker", "at_ms"},
    "candles": {"end_ms", "yes_bid_close", "yes_ask_close"},
    "archived candles": {"end_ms", "yes_bid_close", "yes_ask_close"},
}  # fmt: skip
"""What of an item is never invented: as it was, or the item is left out."""


class Lists:
    """A client whose exchange answers every question with one and the same list."""

    def __init__(self, signer: Signer) -> None:
        self.body = b""
        self.told: list[LeftOut] = []
        transport = httpx.MockTransport(lambda _: httpx.Response(200, content=self.body))
        self.rest = RestClient(practice_on_port(1), signer, transport=transport, on_left_out=self.told.append)

    async def read(self, what: str) -> tuple[list[Any], bool]:
        """Read the list; return its items, and whether it says that it is whole."""
        rest = self.rest
        self.told.clear()
        if what == "candles":
            return await rest.candles("KXWIN", "KXWIN-26-A", 0, 1), not self.told
        if what == "archived candles":
            return await rest.archive.candles("KXWIN-26-A", 0, 1), not self.told
        if what in {"markets", "events"}:
            reading = rest.markets() if what == "markets" else rest.events()
            items: list[Any] = [each async for each in reading]
            return items, reading.whole
        read: dict[str, Callable[[], Any]] = {
            "orders": rest.orders, "fills": rest.fills, "positions": rest.positions,
            "series fee changes": rest.series_fee_changes, "event fee changes": rest.event_fee_changes,
            "settlements": rest.settlements, "trades": lambda: rest.trades(most=ITEMS),
        }  # fmt: skip
        found = await read[what]()
        return list(found), found.whole


def numbered(item: dict[str, Any], what: str, number: int) -> dict[str, Any]:
    """Return the item with an id of its own."""
    if what in IDS:
        return item | {IDS[what]: f"{item[IDS[what]]}-{number}"}
    return item | {"end_period_ts": 60 * number}


def samples(what: str, field: str, kind: type[Struct], schema: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a kind: one with every field that is specified, and those that were captured."""
    made = sample(kind, schema)
    if what == "orders":
        made["status"] = "resting"
    if what == "events":
        made["markets"] = [sample(wire.Market)]
    yield made
    files = {"fills": "portfolio_fills.json", "settlements": "portfolio_settlements.json",
             "events": "events_nested.json", "positions": "combo_positions_made.json"}  # fmt: skip
    if what in files and (CAPTURES / files[what]).is_file():
        yield from json.loads((CAPTURES / files[what]).read_text())[field][:2]
    if what == "markets" and CAPTURES.is_dir():
        yield json.loads((CAPTURES / "market.json").read_text())["nested"]
        yield from json.loads((CAPTURES / "combo_markets.json").read_text())["combos"][:1]


def invented(before: Any, after: Any, vital: set[str]) -> list[str]:
    """Return the attributes that are neither as they were nor absent, and the vital ones that are not as they were."""
    assert is_dataclass(before)
    absent = (None, "", 0, False, ())
    odd = []
    for field in fields(before):
        was, now = getattr(before, field.name), getattr(after, field.name)
        if was == now or field.name in {"quote", "markets", "settlement_sources"}:
            continue
        if field.name in vital or now not in absent:
            odd.append(field.name)
    return odd


async def check(
    lists: Lists, what: str, field: str, kind: type[Struct], items: list[dict[str, Any]], most: int | None = None
) -> Counter[str]:
    """Spoil each field of each item in turn, or ``most`` of them chosen at random."""
    counts: Counter[str] = Counter()
    for item in items:
        # The first is the shortest: captured events are long.
        others = [json.dumps(numbered(items[0], what, number)) for number in range(ITEMS)]
        head = '{"ticker": "KXWIN-26-A", "cursor": "", "' + field + '": ['

        def body(spoilt: str, others: list[str] = others, head: str = head) -> bytes:
            return (head + ", ".join([*others[:PLACE], spoilt, *others[PLACE + 1 :]]) + "]}").encode()

        lists.body = body(json.dumps(numbered(item, what, PLACE)))
        good, whole = await lists.read(what)
        assert (len(good), whole, lists.told) == (ITEMS, True, []), item
        every = list(variants(numbered(item, what, PLACE)))
        for path, value, spoilt in every if most is None else random.Random().sample(every, most):
            case = f"{what}: {path} = {value!r}"
            lists.body = body(json.dumps(spoilt))
            try:
                found, whole = await lists.read(what)
            except KalshiError as error:
                raise AssertionError(f"{case}: the list is lost: {error}") from error
            counts["variants"] += 1
            if len(found) == ITEMS - 1:
                assert found == good[:PLACE] + good[PLACE + 1 :], case
                assert not whole, case
                assert lists.told, case
                counts["item left out, and told"] += 1
                continue
            assert len(found) == ITEMS, case
            assert found[:PLACE] + found[PLACE + 1 :] == good[:PLACE] + good[PLACE + 1 :], case
            if what == "events":
                check_event(good[PLACE], found[PLACE], lists, path, value, case)
            if fits(value, kind, path):
                counts["another good value"] += 1
                continue
            assert invented(good[PLACE], found[PLACE], VITAL[what]) == [], case
            if value is not None and value is not ABSENT and found[PLACE] != good[PLACE]:
                assert lists.told, case
            counts["read, without the value at most"] += 1
    return counts


def check_event(before: Event, after: Event, lists: Lists, path: str, value: Any, case: str) -> None:
    """Check the markets in an event: each is right, or told."""
    if "markets" not in path:
        # Its series and title are the event's.
        same = [(each.ticker, each.status, each.grid, each.quote) for each in before.markets]
        assert [(each.ticker, each.status, each.grid, each.quote) for each in after.markets] == same, case
    elif len(after.markets) < len(before.markets) and value not in (None, ABSENT, []):
        assert lists.told, case
    assert all(isinstance(each, Market) for each in after.markets)


@pytest.mark.parametrize(("what", "field", "kind", "schema"), REST_KINDS)
async def test_of_a_list_one_odd_value_costs_at_most_its_item(
    what: str, field: str, kind: type[Struct], schema: str, signer: Signer
) -> None:
    made = next(samples(what, field, kind, schema))
    counts = await check(Lists(signer), what, field, kind, [made], QUICK)
    assert counts["variants"] == QUICK


@pytest.mark.slow
@pytest.mark.parametrize(("what", "field", "kind", "schema"), REST_KINDS)
async def test_every_odd_value_of_a_list_costs_at_most_its_item(
    what: str, field: str, kind: type[Struct], schema: str, signer: Signer
) -> None:
    counts = await check(Lists(signer), what, field, kind, list(samples(what, field, kind, schema)))
    sys.stdout.write(f"{what}: {dict(counts)}\n")
    assert counts["variants"] > 80


# Frames.


def book_frames(rig: Rig) -> list[tuple[str, dict[str, Any]]]:
    """Return frames as the exchange would send them now; of those of a book the number is the next one."""
    by_channel = {each.channel: each for each in rig.exchange.subscriptions.values()}
    found = []
    for path in frame_files():
        frame = json.loads(path.read_text())
        if isinstance(frame.get("msg"), dict) and "market_ticker" in frame["msg"]:
            frame["msg"]["market_ticker"] = A
        found.append((path.stem, frame))
    channels = {
        "orderbook_delta": Channel.BOOK, "orderbook_snapshot": Channel.BOOK, "ticker": Channel.TICKER,
        "trade": Channel.TRADE, "fill": Channel.FILL, "user_order": Channel.ORDERS,
        "market_position": Channel.POSITIONS, "market_lifecycle_v2": Channel.LIFECYCLE,
        "event_lifecycle": Channel.LIFECYCLE, "event_fee_update": Channel.LIFECYCLE,
    }  # fmt: skip
    made = []
    for name, frame in found:
        channel = channels.get(frame["type"])
        if channel is None:
            continue
        sid = by_channel[channel].sid
        made.append((name, frame | {"sid": sid} | ({"seq": 0} if "seq" in frame else {})))
    return made


def a_rig() -> Rig:
    rig = Rig(A, B)
    rig.feed.want_quotes([A, B])
    rig.feed.want_trades([A, B])
    rig.feed.want_account()
    rig.feed.want_lifecycle()
    rig.settle()
    return rig


def heal(rig: Rig) -> None:
    """Go on until every book is right again: a broken link is made again."""
    for _ in range(40):
        rig.tick(1)
        rig.settle()
        if rig.feed.failure:
            rig.feed.disconnected(rig.now, "The test hangs up.")
            rig.exchange.new_connection()
            rig.feed.connected(rig.now)
            rig.settle()
        if rig.feed.trusted == {A, B}:
            return


def check_frame(name: str, frame: dict[str, Any], path: str, value: Any, rig: Rig) -> str:
    """Deliver a damaged frame and a true one; return what became of it."""
    case = f"{name}: {path} = {value!r}"
    feed_handler, reports = rig.feed_handler, rig.reports
    kind: dict[str, Sized] = {
        "fill": feed_handler.fills,
        "user_order": feed_handler.orders,
        "market_position": feed_handler.positions,
        "trade": feed_handler.trades,
    }
    private = next((key for key in kind if name.startswith(key)), "")
    before, faults = len(kind.get(private, ())), rig.feed.faults
    reports.clear()
    rig.feed.receive(json.dumps(frame))
    taken = len(kind.get(private, ())) > before
    told = bool(reports)
    # The next true frame of every book shows what the odd one has hidden.
    rig.move(A)
    rig.move(B)
    rig.settle()
    for ticker in rig.feed_handler.good & {A, B, C}:
        assert rig.feed_handler.books[ticker] == rig.exchange.books[ticker], case
    assert rig.feed.trusted == rig.feed_handler.good, case
    if private in {"fill", "user_order", "market_position"} and not taken:
        missed = [each for each in reports if each.happening is Happening.MISSED]
        # A frame of a type that is not known, or of a subscription that is not ours, is nobody's.
        assert missed or path in {"type", "sid"}, case
    heal(rig)
    rig.assert_right(A, B)
    return "taken" if taken else "told" if told or rig.feed.faults > faults else "passed over"


def spoilt_frames() -> Iterator[tuple[str, str, Any, dict[str, Any]]]:
    for name, frame in book_frames(a_rig()):
        for path, value, spoilt in variants(frame):
            yield name, path, value, spoilt


def number_frame(rig: Rig, frame: dict[str, Any], path: str) -> None:
    """Give a frame the next number of its subscription, and a book's frame the content that it would have."""
    subscription = rig.exchange.subscriptions.get(frame.get("sid", 0)) if isinstance(frame.get("sid"), int) else None
    if subscription is None or "seq" not in frame or path == "seq":
        return
    frame["seq"] = subscription.number()


def run_frames(frames: list[tuple[str, str, Any, dict[str, Any]]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    rig = a_rig()
    for name, path, value, frame in frames:
        if name.startswith("orderbook_"):
            check_book_frame(rig, name, path, value, counts)
            continue
        number_frame(rig, frame, path)
        counts[check_frame(name, frame, path, value, rig)] += 1
    return counts


def check_book_frame(rig: Rig, name: str, path: str, value: Any, counts: Counter[str]) -> None:
    """Spoil the frame of a change that the exchange really makes."""
    is_empty_side = path.endswith("_dollars_fp") and value in (None, ABSENT, [])
    lacks_a_level = value is ABSENT and path.rpartition(".")[0].endswith("_dollars_fp")
    if is_empty_side or lacks_a_level or (path, value) == ("msg.delta_fp", "-1.00"):
        # The exchange may have meant it: the key of an empty side is absent, and a book may have a level less.
        counts["another good frame"] += 1
        return
    counts["frames of a book"] += 1
    if name.startswith("orderbook_delta"):
        rig.move(A)
    else:
        rig.feed.resync_books("For the test.")
        rig.send()
    if not rig.down:
        return
    frame = json.loads(rig.down[0])
    *way, last = path.split(".")
    inner = frame
    # The frame of this change may be shorter than the captured one.
    try:
        for part in way:
            inner = inner[int(part) if isinstance(inner, list) else part]
        place = int(last) if isinstance(inner, list) else last
        if value is ABSENT:
            del inner[place]
        else:
            inner[place]
            inner[place] = value
    except (IndexError, KeyError, TypeError):
        return
    rig.down[0] = json.dumps(frame).encode()
    rig.settle()
    rig.move(B)
    rig.settle()
    case = f"{name}: {path} = {value!r}"
    for ticker in rig.feed_handler.good & {A, B, C}:
        assert rig.feed_handler.books[ticker] == rig.exchange.books[ticker], case
    heal(rig)
    assert rig.feed.trusted == {A, B}, case
    for ticker in (A, B):
        assert rig.feed_handler.books[ticker] == rig.exchange.books[ticker], case


def test_an_odd_value_of_a_frame_makes_no_book_wrong_and_no_news_of_the_account_lost() -> None:
    assert run_frames(random.Random().sample(list(spoilt_frames()), 150)).total() >= 150


@pytest.mark.slow
def test_every_odd_value_of_a_frame() -> None:
    frames = list(spoilt_frames())
    counts = run_frames(frames)
    sys.stdout.write(f"frames: {len(frames)} variants, {dict(counts)}\n")
    assert len(frames) > 1_000


@pytest.mark.slow
def test_every_odd_value_of_a_captured_frame() -> None:
    seen: dict[str, dict[str, Any]] = {}
    for frame in captured_frames():
        seen.setdefault(frame["type"], frame)
    for kind, frame in seen.items():
        for _, _, spoilt in variants(frame):
            rig = Rig(A, B)
            rig.feed.receive(json.dumps(spoilt))
            rig.move(A)
            rig.settle()
            heal(rig)
            assert rig.feed.trusted == {A, B}, kind
            assert all(rig.feed_handler.books[each] == rig.exchange.books[each] for each in (A, B)), spoilt
