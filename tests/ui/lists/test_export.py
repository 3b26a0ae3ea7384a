"""Tables as CSV: what was written is read back; nothing in it is a formula; nobody else can read it."""

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.alerts import Alert, AlertKind
from kalshi_tui.domain.market import Trade
from kalshi_tui.domain.order import BookSide, Fill, OrderState
from kalshi_tui.session.notices import Severity
from kalshi_tui.ui.lists.export import (
    build_table,
    csv_text,
    text_cell,
    time_cell,
)
from kalshi_tui.ui.lists.export_file import Exporter
from kalshi_tui.ui.lists.panes import Tab
from kalshi_tui.ui.lists.tape_filter import is_part_of
from kalshi_tui.ui.ui_settings import UiSettings
from tests.support.chart_data import a_settlement, a_walk
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    a_fill,
    a_position,
    a_store,
    an_order,
    busy_desk,
)
from tests.support.pilot import trading

FIRST = TITLES[0][0]


def read_back(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@given(st.lists(st.lists(st.text().map(text_cell), min_size=1, max_size=6), max_size=10))
def test_what_was_written_is_read_back(rows: list[list[str]]) -> None:
    assert read_back(csv_text(rows)) == rows


@given(st.text())
def test_no_text_is_a_formula_or_holds_what_cannot_be_printed(text: str) -> None:
    cell = text_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.isprintable() or not cell
    cell.encode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_formula_gets_a_quote(text: str) -> None:
    assert text_cell(text) == f"'{text}"
    assert text_cell("a" + text) == "a" + text


@pytest.mark.parametrize(
    ("ts_ms", "told"),
    [(NOW_MS + 7, "2027-01-15T08:00:00.007Z"), (0, ""), (10**30, ""), (-(10**17), "")],
)
def test_times_are_told_in_utc(ts_ms: int, told: str) -> None:
    assert time_cell(ts_ms) == told


def test_every_table_has_its_columns_in_every_line() -> None:
    store = busy_desk().store
    store.account.set_settlements([a_settlement()])
    store.market_data.set_chart(FIRST, 60, a_walk(), 0, NOW_MS)
    store.set_alerts([Alert(AlertKind.BID, FIRST, True, 5_500)])
    for tab in Tab:
        head, *rows = build_table(store, tab, FIRST)
        assert rows, tab
        assert {len(each) for each in rows} == {len(head)}, tab


def test_numbers_are_exact_and_in_the_exchange_s_widths() -> None:
    store = a_store(Clock())
    store.order(an_order(state=OrderState.REFUSED, reason='=HYPERLINK("x")'))
    store.position(a_position(count=-123_450, cost=98_765_430, realized_pnl=-1_250_000))
    store.fill(a_fill(order_id="o0", client_order_id="c0"))
    head, row = build_table(store, Tab.ORDERS, FIRST)
    told = dict(zip(head, row, strict=True))
    assert (told["yes_price"], told["initial"], told["state"]) == ("0.4600", "10.00", "refused")
    assert told["reason"] == '\'=HYPERLINK("x")'
    assert build_table(store, Tab.POSITIONS, FIRST)[1][1:4] == ["-1234.50", "98.765430", "-1.250000"]
    head, row = build_table(store, Tab.FILLS, FIRST)
    told = dict(zip(head, row, strict=True))
    assert (told["yes_price"], told["count"], told["fee"]) == ("0.4700", "10.00", "0.017500")
    store.account.set_settlements([a_settlement()])
    head, row = build_table(store, Tab.SETTLEMENTS, FIRST)
    assert dict(zip(head, row, strict=True))["net"] == "5.282500"


def fill_of(trade: Trade, **changes: object) -> Fill:
    side = BookSide.BID if trade.taker_bid else BookSide.ASK
    same = {"trade_id": trade.trade_id, "yes_price": trade.yes_price, "count": trade.count, "book_side": side}
    return a_fill(**(same | {"is_taker": True} | changes))


def test_a_trade_is_the_trader_s_own_only_if_a_fill_says_so_in_all_it_says() -> None:
    store = a_store(Clock())
    trade = next(each for each in store.tapes[FIRST] if each.trade_id == "t0")
    other_side = BookSide.ASK if trade.taker_bid else BookSide.BID
    for changes, own in (
        ({}, True),
        ({"count": trade.count - 1}, True),
        ({"is_taker": False, "book_side": other_side}, True),
        ({"trade_id": "t0-alike"}, False),
        ({"yes_price": trade.yes_price + 100}, False),
        ({"count": trade.count + 1}, False),
        ({"book_side": other_side}, False),
        ({"is_taker": False}, False),
        ({"ticker": "KXOTHER-1"}, False),
    ):
        assert is_part_of(fill_of(trade, **changes), trade) is own, changes


def test_a_trade_between_two_own_orders_fills_both() -> None:
    store = a_store(Clock())
    for order_id, side in (("o-bid", BookSide.BID), ("o-ask", BookSide.ASK)):
        for _ in range(2):
            store.fill(a_fill(trade_id="both", order_id=order_id, book_side=side))
    assert sorted(each.order_id for each in store.fills if each.trade_id == "both") == ["o-ask", "o-bid"]


def test_of_the_tape_only_what_is_shown_is_written() -> None:
    store = a_store(Clock())
    assert len(build_table(store, Tab.TAPE, FIRST)) == 31
    assert len(build_table(store, Tab.TAPE, FIRST, min_count=1_000)) == 22
    store.fill(fill_of(next(each for each in store.tapes[FIRST] if each.trade_id == "t0")))
    head, *rows = build_table(store, Tab.TAPE, FIRST, min_count=1_000)
    assert len(rows) == 22
    assert [each[head.index("trade_id")] for each in rows if each[head.index("own")] == "true"] == ["t0"]


def test_a_chart_that_nobody_has_read_is_a_heading() -> None:
    assert len(build_table(a_store(Clock()), Tab.CHART, FIRST)) == 1


def test_a_file_is_the_trader_s_alone_and_none_is_written_over(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path / "deep" / "down", Clock())
    with loose_umask():
        assert exporter.write("fills", [["a"], ["b,\n"]])[0]
        done, sentence = exporter.write("fills", [["c"]])
    assert done
    assert sentence.startswith("Written: 0 lines in ")
    names = sorted(path.name for path in (tmp_path / "deep" / "down").iterdir())
    assert names == ["kalshi-tui-fills-20270115T080000Z-2.csv", "kalshi-tui-fills-20270115T080000Z.csv"]
    for name in names:
        assert (tmp_path / "deep" / "down" / name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "deep" / "down" / names[1]).read_bytes() == b'a\r\n"b,\n"\r\n'


@contextmanager
def loose_umask() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done, sentence = Exporter(tmp_path / "file" / "folder", Clock()).write("log", [["a"]])
    assert not done
    assert sentence.startswith(f"The table could not be written to {tmp_path}/file/folder: ")
    assert Exporter(None, Clock()).write("log", [])[0] is False


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    done, sentence = Exporter(tmp_path, Clock()).write("log", [["a"]])
    assert (done, sentence) == (False, f"The table could not be written to {tmp_path}: No space left on device.")
    assert not list(tmp_path.iterdir())


@pytest.mark.quick_cases("1-*", "2-*", "6-*")
@pytest.mark.parametrize(("key", "name"), [(str(number), tab.value.lower()) for number, tab in enumerate(Tab, 1)])
async def test_w_writes_the_table_below_and_says_where(key: str, name: str, tmp_path: Path) -> None:
    desk = busy_desk()
    desk.store.account.set_settlements([a_settlement()])
    async with trading(desk, ui_settings=UiSettings(export_folder=tmp_path)) as trader:
        desk.store.market_data.set_chart(FIRST, 60, a_walk(), 0, NOW_MS)
        desk.store.set_alerts([Alert(AlertKind.BID, FIRST, True, 5_500)])
        await trader.press(key, "w")
        path = only_file(tmp_path)
        assert path.name == f"kalshi-tui-{name}-20270115T080000Z.csv"
        rows = read_back(path.read_text())
        assert len(rows) > 1
        notice = desk.store.notices[0]
        assert (notice.severity, str(path) in notice.text) == (Severity.GOOD, True)
        assert "Written: " in await trader.press("5")


async def test_w_writes_the_tape_as_it_is_sifted(tmp_path: Path) -> None:
    async with trading(ui_settings=UiSettings(export_folder=tmp_path)) as trader:
        await trader.press("4", "z", "w")
        path = only_file(tmp_path)
        assert len(read_back(path.read_text())) == 22


async def test_w_says_why_nothing_was_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with trading(ui_settings=UiSettings(export_folder=tmp_path / "file")) as trader:
        assert "could not be written" in await trader.press("w")
