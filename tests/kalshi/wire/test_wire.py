import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from kalshi_tui.domain.book import Side
from kalshi_tui.kalshi import wire
from tests.support.captures import capture, captured_frames, frame_files

FILES = list(frame_files())


def load(name: str) -> Any:
    return json.loads((Path(__file__).with_name("frames") / f"{name}.json").read_text(encoding="utf-8"))


def decoded(name: str) -> Any:
    return wire.decode_frame(json.dumps(load(name)))


def test_there_is_a_frame_file_for_every_type() -> None:
    assert {load(file.stem)["type"] for file in FILES} == wire.FRAME_TYPES


@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_a_frame_decodes_and_encodes_back_to_itself(name: str) -> None:
    assert there_and_back(load(name)) == load(name)


def there_and_back(frame: dict[str, Any]) -> Any:
    again = json.loads(wire.encode(wire.decode_frame(json.dumps(frame))))
    whole: Any = {"orderbook_delta": wire.FullDeltaMsg, "ticker": wire.FullTickerMsg}.get(frame["type"])
    if whole is not None:
        # Of these the feed takes what it needs; whoever sends them writes all of it.
        assert again["msg"].items() <= frame["msg"].items()
        again["msg"] = json.loads(wire.encode(wire.decode(json.dumps(frame["msg"]), whole)))
    return again


@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_unknown_fields_are_passed_over(name: str) -> None:
    frame = load(name)
    plain = wire.decode_frame(json.dumps(frame))
    frame["novelty"] = {"a": [1, None, "x"]}
    if isinstance(frame.get("msg"), dict):
        frame["msg"]["novelty"] = [1.5, {}]
    assert wire.decode_frame(json.dumps(frame)) == plain


def test_an_unknown_type_is_no_frame_but_an_envelope_that_can_be_counted() -> None:
    data = b'{"type":"brand_new","sid":7,"seq":12,"msg":{"a":1}}'
    with pytest.raises(wire.DecodeError):
        wire.decode_frame(data)
    assert wire.decode_envelope(data) == wire.Envelope(type="brand_new", sid=7, seq=12)


def test_what_is_absent_is_unset_and_what_is_null_is_none() -> None:
    assert decoded("orderbook_snapshot_one_sided").msg.yes_dollars_fp is UNSET
    null = load("orderbook_snapshot")
    null["msg"]["yes_dollars_fp"] = None
    assert wire.decode_frame(json.dumps(null)).msg.yes_dollars_fp is None  # type: ignore[union-attr]  # a snapshot
    own = wire.decode(json.dumps(load("orderbook_delta_own")["msg"]), wire.FullDeltaMsg)
    assert own.client_order_id == "8c35ecb3-328f-4f52-8c7c-0f4b9862f8d1"
    assert wire.decode(json.dumps(load("orderbook_delta")["msg"]), wire.FullDeltaMsg).client_order_id is UNSET


def test_a_delta_keeps_its_texts_and_knows_its_side() -> None:
    msg = decoded("orderbook_delta").msg
    assert (msg.market_ticker, msg.price_dollars, msg.delta_fp, msg.side) == (
        "KXWIN-26-A",
        "0.960",
        "-54.00",
        Side.YES,
    )
    old = load("orderbook_delta")
    del old["msg"]["ts_ms"]
    assert wire.decode_frame(json.dumps(old)).msg.ts_ms == 0  # type: ignore[union-attr]  # a delta


@pytest.mark.parametrize("price", [0.96, 96, None, ["0.96"]])
def test_a_price_that_is_no_text_is_refused(price: object) -> None:
    frame = load("orderbook_delta")
    frame["msg"]["price_dollars"] = price
    with pytest.raises(wire.DecodeError):
        wire.decode_frame(json.dumps(frame))


def test_numbers_of_json_become_exact_decimals() -> None:
    fee = decoded("event_fee_update").msg.fee_multiplier_override
    assert fee == Decimal("0.5")
    assert isinstance(fee, Decimal)
    assert decoded("market_lifecycle_v2_created").msg.floor_strike == Decimal("105.5")


def test_the_captured_stream_decodes_and_encodes_back_to_itself() -> None:
    frames = captured_frames()
    assert len(frames) == 140
    for frame in frames:
        assert there_and_back(frame) == frame


# Fields that the captures have and the exchange has dropped since (docs/kalshi-api.md, section 25).
DROPPED = frozenset({"available_on_brokers", "liquidity_dollars"})


def subset(small: Any, large: Any) -> bool:
    """Return whether everything of the first stands in the second, but for fields that were dropped."""
    if isinstance(small, dict):
        kept = {key: value for key, value in small.items() if key not in DROPPED}
        return isinstance(large, dict) and all(subset(value, large.get(key)) for key, value in kept.items())
    if isinstance(small, list):
        return isinstance(large, list) and len(small) == len(large) and all(map(subset, small, large))
    return bool(small == large)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("events_nested.json", wire.EventsReply),
        ("portfolio_fills.json", wire.FillsReply),
        ("portfolio_settlements.json", wire.SettlementsReply),
    ],
)
def test_captured_replies_lose_no_field(name: str, kind: type[Any]) -> None:
    source = json.loads(capture(name).read_text(encoding="utf-8"))
    back = json.loads(wire.encode(wire.decode(json.dumps(source), kind)))
    assert subset({key: value for key, value in source.items() if key in kind.__struct_fields__}, back)


def test_captured_market_book_and_series_lose_no_field() -> None:
    market = json.loads(capture("market.json").read_text(encoding="utf-8"))
    assert subset(market["nested"], json.loads(wire.encode(wire.decode(json.dumps(market["nested"]), wire.Market))))
    book = wire.decode(json.dumps(market["orderbook"]), wire.OrderbookReply)
    assert json.loads(wire.encode(book)) == market["orderbook"]
    for reply in json.loads(capture("series.json").read_text(encoding="utf-8")).values():
        back = json.loads(wire.encode(wire.decode(json.dumps(reply), wire.SeriesReply)))
        assert subset(reply["series"], back["series"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"error": {"code": "invalid_order", "message": "invalid order", "details": "post only cross"}},
            ("invalid_order", "invalid order", "post only cross"),
        ),
        ({"code": "bad_request", "message": "m", "details": "d"}, ("bad_request", "m", "d")),
        ({"error": "too many requests"}, ("", "too many requests", "")),
        ({"error": None}, ("", "", "")),
        ({}, ("", "", "")),
    ],
)
def test_the_shapes_of_an_error_body(body: dict[str, Any], expected: tuple[str, str, str]) -> None:
    from kalshi_tui.kalshi.transport.http import parse_error_body  # noqa: PLC0415 - httpx is not needed by the rest of this file

    assert parse_error_body(json.dumps(body).encode()) == expected


def test_commands_are_written_without_what_they_do_not_say() -> None:
    command = wire.Command(id=1, cmd="subscribe", params=wire.CommandParams(channels=["ticker"], use_yes_price=False))
    assert json.loads(wire.encode(command)) == {
        "id": 1,
        "cmd": "subscribe",
        "params": {"channels": ["ticker"], "use_yes_price": False},
    }
    assert wire.decode_command(b'{"cmd":"dance"}') == wire.Command(cmd="dance")


@pytest.mark.parametrize("bad", [b'"\xff"', b"[" * 100_000])
def test_whatever_cannot_be_read_is_one_kind_of_error(bad: bytes) -> None:
    with pytest.raises(wire.DecodeError):
        wire.decode(b'{"code":' + bad + b"}", wire.ErrorBody)
    with pytest.raises(wire.DecodeError):
        wire.decode_command(b'{"id":1,"cmd":' + bad + b"}")
