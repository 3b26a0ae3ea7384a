"""Alerts in the session: what rings and what does not, kept over restarts, the trader's own command."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.alerts import (
    Alert,
    AlertKind,
    AlertState,
    parse_alert,
)
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Market, MarketStatus, Quote, Trade
from kalshi_tui.domain.order import OrderState
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.session.alerts.alert_command import (
    ALERT_VARIABLE,
    COMMAND_TIMEOUT_S,
    MAX_RUNNING_COMMANDS,
    AlertCommand,
)
from kalshi_tui.session.alerts.monitor import (
    ALERTS_FILE,
    MAX_ALERTS,
    AlertMonitor,
    current_value,
)
from kalshi_tui.session.bus import AlertRang
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.options import SessionOptions
from kalshi_tui.session.store import Store
from tests.support.session_rig import Rig
from tests.support.simulated_time import Simulated
from tests.support.store_records import a_fill, an_order
from tests.support.waiting import until

START_MS = 1_800_000_000_000
MINUTE = 60_000


class Bench:
    """A store with one market, and alerts over it."""

    def __init__(self, folder: Path | None = None) -> None:
        self.clock = Simulated(START_MS)
        self.store = Store(self.clock)
        self.exchange_clock = ExchangeClock(self.clock)
        self.alerts = AlertMonitor(self.store, self.exchange_clock, self.clock.sleep, folder)
        self.rung: list[str] = []
        self.store.bus.subscribe(AlertRang, lambda each: self.rung.append(each.sentence))
        self.market = Market("T", "E", title="Fed", yes_sub_title="Cut", status=MarketStatus.ACTIVE)
        self.store.market_data.set_markets([self.market])
        self.store.link(LinkState.LIVE, "")

    def book(self, bid: int = 4_700, ask: int = 4_800, size: int = 1_000) -> None:
        self.store.snapshot("T", [(bid, size)], [(10_000 - ask, size)])

    def add(self, text: str) -> Alert:
        assert not self.alerts.add(parse_alert(text, "T"))
        return self.store.alerts[0]

    def trade(self, price: int, count: int, name: str = "t1") -> None:
        self.store.trade(Trade(name, "T", price, count, taker_bid=True, ts_ms=self.clock.now_ms))

    def closes_in(self, ms: int) -> None:
        self.store.market_data.set_markets([replace(self.market, close_ms=self.clock.now_ms + ms)])


def test_a_cross_that_lasts_no_frame_rings() -> None:
    bench = Bench()
    bench.book()
    bench.add("bid >= 0.475")
    bench.store.books["T"].book.apply(Side.YES, 4_750, 100)
    bench.store.books["T"].book.apply(Side.YES, 4_750, -100)
    assert bench.rung == ["Alert: bid 0.4750 in Fed: Cut (bid >= 0.4750)."]
    (alert,) = bench.store.alerts
    assert (alert.state, alert.fired_ms, alert.times) == (AlertState.FIRED, START_MS, 1)
    assert (bench.store.notices[0].text, bench.store.notices[0].severity) == (bench.rung[0], Severity.WARNING)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ask <= 0.47", "ask 0.47"),
        ("spread >= 0.02", "spread 0.02"),
        ("spread <= 0.0050", "spread 0.0050"),
        ("bid size >= 20", "bid size 20"),
        ("ask size >= 20", "ask size 20"),
        ("size >= 20", "size 20"),
        ("bid <= 0.10", "nobody bids"),
    ],
)
def test_each_kind_of_the_touch(text: str, sentence: str) -> None:
    bench = Bench()
    bench.book()
    bench.add(text)
    assert not bench.rung
    steps: dict[str, Callable[[], object]] = {
        "ask 0.47": lambda: bench.book(bid=4_600, ask=4_700),
        "spread 0.02": lambda: bench.book(bid=4_600),
        "spread 0.0050": lambda: bench.book(bid=4_750),
        "bid size 20": lambda: bench.store.books["T"].book.apply(Side.YES, 4_700, 1_000),
        "ask size 20": lambda: bench.store.books["T"].book.apply(Side.NO, 5_200, 1_000),
        "size 20": lambda: bench.store.books["T"].book.apply(Side.NO, 5_200, 1_000),
        "nobody bids": lambda: bench.store.books["T"].book.apply(Side.YES, 4_700, -1_000),
    }
    steps[sentence]()
    assert bench.rung == [f"Alert: {sentence} in Fed: Cut ({text})."]


def test_one_that_is_true_already_rings_at_once() -> None:
    bench = Bench()
    bench.book()
    bench.add("bid >= 0.40")
    assert len(bench.rung) == 1
    bench.alerts.rearm(bench.store.alerts[0].id)
    assert bench.store.alerts[0].times == 2


def test_one_that_is_armed_while_the_book_is_stale_rings_with_the_next_snapshot() -> None:
    bench = Bench()
    bench.book()
    bench.add("bid >= 0.40")
    bench.store.stale(["T"], "a frame was missed")
    bench.clock.advance(5_000)
    bench.alerts.rearm(1)
    assert len(bench.rung) == 1
    # The very same as before.
    bench.book()
    assert len(bench.rung) == 2


def test_one_that_repeats_needs_its_condition_to_be_over() -> None:
    bench = Bench()
    bench.book()
    bench.add("bid >= 0.475 every")
    for _ in range(3):
        bench.clock.advance(5_000)
        bench.store.books["T"].book.apply(Side.YES, 4_750, 100)
        bench.store.books["T"].book.apply(Side.YES, 4_750, 100)
        between = bench.store.alerts[0].state
        bench.store.books["T"].book.apply(Side.YES, 4_750, -200)
        assert (between, bench.store.alerts[0].state) == (AlertState.WAITING, AlertState.ARMED)
    assert len(bench.rung) == 3


def test_a_price_that_flickers_is_counted_and_not_told_each_time() -> None:
    bench = Bench()
    bench.book()
    bench.add("bid >= 0.475 every")
    for _ in range(50):
        bench.store.books["T"].book.apply(Side.YES, 4_750, 100)
        bench.store.books["T"].book.apply(Side.YES, 4_750, -100)
    assert bench.store.alerts[0].times == 50
    assert len(bench.rung) == 1


def test_a_market_without_alerts_is_not_looked_at() -> None:
    bench = Bench()
    bench.book()
    assert not bench.store.market_data.watched_tickers
    alert = bench.add("bid >= 0.475")
    assert list(bench.store.market_data.watched_tickers or ()) == bench.alerts.tickers == ["T"]
    bench.alerts.remove(alert.id)
    bench.add("fill")
    bench.closes_in(10 * MINUTE)
    bench.add("close < 1m")
    assert not bench.store.market_data.watched_tickers


# What may be believed.


def test_a_stale_book_rings_nothing() -> None:
    bench = Bench()
    bench.book()
    bench.add("bid >= 0.475")
    bench.store.stale(["T"], "a frame was missed")
    bench.store.books["T"].book.apply(Side.YES, 4_750, 100)
    # Nor does a quote beside it, for that may be of before or after what was missed.
    bench.store.quote("T", Quote(yes_bid=4_750, yes_ask=4_900, ts_ms=START_MS))
    assert not bench.rung
    bench.book(4_750)
    assert len(bench.rung) == 1


def test_without_a_book_the_quote_counts_while_the_link_is_live() -> None:
    bench = Bench()
    bench.add("bid >= 0.475")
    bench.store.link(LinkState.WAITING, "lost")
    bench.store.quote("T", Quote(yes_bid=4_750, yes_ask=4_900, ts_ms=START_MS))
    assert not bench.rung
    assert current_value(bench.store, bench.store.alerts[0]) is None
    bench.store.link(LinkState.LIVE, "")
    bench.store.quote("T", Quote(yes_bid=4_750, yes_ask=4_900, ts_ms=START_MS))
    assert len(bench.rung) == 1


def test_a_crossed_book_rings_nothing() -> None:
    bench = Bench()
    bench.book()
    bench.add("spread <= 0.005")
    bench.store.books["T"].book.apply(Side.YES, 4_900, 100)
    bench.store.books["T"].book.apply(Side.YES, 4_900, -100)
    assert not bench.rung


moves = st.lists(
    st.one_of(
        st.tuples(st.just("book"), st.integers(4_000, 4_700)),
        st.tuples(st.just("stale"), st.just(0)),
        st.tuples(st.just("bid"), st.integers(4_000, 4_700)),
        st.tuples(st.just("quote"), st.integers(4_000, 4_700)),
        st.tuples(st.sampled_from(["down", "up"]), st.just(0)),
    ),
    max_size=40,
)


@given(moves, st.booleans())
def test_only_a_believed_price_rings_and_each_cross_once(way: list[tuple[str, int]], repeats: bool) -> None:
    bench = Bench()
    store = bench.store
    bench.add("bid >= 0.45 every" if repeats else "bid >= 0.45")
    before, crosses = False, 0
    for what, price in way:
        if what == "book":
            bench.book(bid=price)
        elif what == "stale":
            store.stale(["T"], "missed")
        elif what == "bid":
            if "T" not in store.books or not store.books["T"].book.yes.prices:
                continue
            store.books["T"].book.apply(Side.YES, price, 100)
        elif what == "quote":
            store.quote("T", Quote(yes_bid=price, yes_ask=4_800, ts_ms=START_MS))
        else:
            store.link(LinkState.LIVE if what == "up" else LinkState.WAITING, "")
            continue
        live = store.books.get("T")
        if live is not None:
            best = live.book.best_bid() if live.is_good else None
            believed = best.price if best is not None else None
        else:
            believed = price if what == "quote" and store.connection.state is LinkState.LIVE else None
        if believed is not None:
            crosses += believed >= 4_500 and not before
            before = believed >= 4_500
    assert store.alerts[0].times == (crosses if repeats else min(crosses, 1))


# The last price, trades.


def test_the_last_price_is_the_newer_of_tape_and_quote() -> None:
    bench = Bench()
    bench.add("last >= 0.50 every")
    bench.trade(5_000, 100)
    assert bench.rung == ["Alert: last 0.50 in Fed: Cut (last >= 0.50 every)."]
    # A quote of before that trade says nothing new.
    bench.store.quote("T", Quote(4_700, 4_800, last=4_700, ts_ms=START_MS - 5))
    bench.clock.advance(5_000)
    bench.store.quote("T", Quote(4_700, 4_800, last=5_100, ts_ms=START_MS + 5))
    assert len(bench.rung) == 1
    bench.store.quote("T", Quote(4_700, 4_800, last=4_900, ts_ms=START_MS + 6))
    bench.store.quote("T", Quote(4_700, 4_800, last=5_000, ts_ms=START_MS + 7))
    assert len(bench.rung) == 2


def test_a_large_trade_rings_each_time_and_a_doubled_frame_does_not() -> None:
    bench = Bench()
    bench.add("trade >= 500")
    bench.trade(5_000, 49_999)
    assert not bench.rung
    for name in ("a", "a", "b"):
        bench.clock.advance(2_000)
        bench.trade(5_000, 50_000, name)
    assert bench.rung == ["Alert: trade of 500 at 0.50 in Fed: Cut (trade >= 500)."] * 2


# The account.


def test_a_fill_rings_once_and_history_does_not() -> None:
    bench = Bench()
    bench.add("fill")
    old, new = a_fill("old", START_MS - 1), a_fill("new", START_MS + 1)
    bench.store.account.set_fills([old])
    assert not bench.rung
    bench.store.fill(new)
    bench.store.fill(new)
    bench.store.account.set_fills([new, old])
    assert bench.rung == ["Alert: filled YES 1 at 0.47 in Fed: Cut (fill)."]
    bench.store.account.set_fills([a_fill("unheard", START_MS + 2)])
    assert len(bench.rung) == 2


def test_history_is_told_by_the_exchange_s_clock() -> None:
    bench = Bench()
    bench.add("fill")
    # This machine is an hour ahead.
    bench.exchange_clock.skew_ms = -60 * MINUTE
    bench.store.fill(a_fill("new", START_MS - 59 * MINUTE))
    bench.store.fill(a_fill("old", START_MS - 61 * MINUTE))
    assert len(bench.rung) == 1


def test_a_refused_order_rings_once() -> None:
    bench = Bench()
    bench.add("refused")
    bench.store.order(an_order(state=OrderState.RESTING))
    assert not bench.rung
    refused = an_order(order_id="", client_order_id="c2", state=OrderState.REFUSED, reason="no")
    bench.store.order(refused)
    bench.store.order(replace(refused, reason="no, really"))
    assert bench.rung == ["Alert: rejected YES 10 at 0.47 in Fed: Cut (refused)."]


# The time.


async def test_a_market_about_to_close_rings_by_the_exchange_s_clock() -> None:
    bench = Bench()
    bench.closes_in(12 * MINUTE)
    bench.exchange_clock.skew_ms = MINUTE
    bench.add("close < 10m")
    task = asyncio.create_task(bench.alerts.run())
    await spun()
    assert not bench.rung
    for _ in range(61):
        bench.clock.advance(1_000)
        await spun()
    assert bench.rung == ["Alert: 10 min until trading ends in Fed: Cut (close < 10m)."]
    assert bench.store.alerts[0].fired_ms == START_MS + MINUTE
    task.cancel()


async def test_a_close_that_is_put_off_arms_it_again() -> None:
    bench = Bench()
    bench.closes_in(5 * MINUTE)
    bench.add("close < 10m every")
    bench.closes_in(50 * MINUTE)
    bench.alerts.check_closing_times()
    assert bench.store.alerts[0].state is AlertState.ARMED
    bench.clock.advance(60 * MINUTE)
    bench.alerts.check_closing_times()
    assert bench.rung[1] == "Alert: trading has ended in Fed: Cut (close < 10m every)."


async def spun() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


# Over a restart.


async def test_alerts_survive_a_restart_with_what_they_have_done(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.book()
    first.add("bid >= 0.40")
    first.add("ask <= 0.48 every")
    first.add("bid >= 0.60")
    first.alerts.close()
    second = Bench(tmp_path)
    assert second.store.alerts == first.store.alerts
    assert [each.state for each in second.store.alerts] == [AlertState.ARMED, AlertState.WAITING, AlertState.FIRED]
    second.book()
    assert not second.rung
    second.book(6_000, 6_100)
    assert second.rung == ["Alert: bid 0.60 in Fed: Cut (bid >= 0.60)."]
    assert second.add("fill").id == 4


async def test_what_rings_is_written_down_in_the_background(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.book()
    bench.add("bid >= 0.60")
    task = asyncio.create_task(bench.alerts.run())
    await spun()
    bench.book(6_000, 6_100)
    bench.clock.advance(1_000)
    await spun()
    assert json.loads((tmp_path / ALERTS_FILE).read_text())["alerts"][0]["state"] == "fired"
    task.cancel()


@pytest.mark.parametrize(
    "text", ["{", '{"alerts": [{"kind": "moon"}]}', '{"alerts": [{"kind": "bid", "threshold": 0.5}]}']
)
def test_a_broken_file_is_put_aside_and_told(tmp_path: Path, text: str) -> None:
    (tmp_path / ALERTS_FILE).write_text(text)
    bench = Bench(tmp_path)
    assert not bench.store.alerts
    assert any("cannot be understood" in each.text for each in bench.store.notices)
    assert (tmp_path / f"{ALERTS_FILE}.broken").read_text() == text
    bench.add("fill")
    assert len(Bench(tmp_path).store.alerts) == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    bench = Bench(tmp_path / "file" / "sub")
    bench.add("fill")
    assert "could not be written" in bench.store.notices[0].text
    assert len(bench.store.alerts) == 1


def test_the_same_alert_takes_the_place_of_the_old_one_and_there_is_a_most() -> None:
    bench = Bench()
    bench.add("bid >= 0.60")
    bench.add("bid >= 0.60 every")
    assert [each.once for each in bench.store.alerts] == [False]
    for price in range(1, MAX_ALERTS):
        bench.add(f"last >= 0.{price:03d}")
    refused = bench.alerts.add(Alert(AlertKind.ASK, "T", True, 5_000))
    assert refused == f"There are {MAX_ALERTS} alerts already: delete some in their list."
    assert not bench.alerts.add(Alert(AlertKind.BID, "T", True, 6_000))


def test_what_is_not_there_can_be_neither_deleted_nor_armed() -> None:
    bench = Bench()
    bench.alerts.remove(7)
    bench.alerts.rearm(7)
    assert not bench.store.alerts


# The session.


async def test_the_session_follows_the_books_that_alerts_look_at(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.spin()
    session, followed = rig.session, []
    session.parts.stream.watch_books = lambda tickers: followed.append(list(tickers))  # type: ignore[method-assign]
    other = next(ticker for ticker in session.store.markets if ticker != rig.ticker)
    session.set_shown_markets([other])
    session.alerts.add(Alert(AlertKind.BID, rig.ticker, True, 9_900))
    session.alerts.add(Alert(AlertKind.BID, "GONE-1", True, 9_900))
    await rig.spin()
    assert followed[-1] == [other, rig.ticker]
    session.store.snapshot(rig.ticker, [(9_900, 100)], [])
    await rig.spin()
    assert followed[-1] == [other]
    assert rig.ticker not in session.store.books
    assert session.alerts.ring_count == 1
    await rig.session.stop()


# The command.

HOSTILE = "Will `touch /tmp/x`; $(reboot) \x1b]0;x\x07 \u202e\x00 'win' \"it\" -rf | ?"


class Runner:
    """Runs the command for real; its time is the test's."""

    def __init__(self, *command: str) -> None:
        self.clock = Simulated(START_MS)
        self.store = Store(self.clock)
        self.tasks: list[asyncio.Task[None]] = []
        self.command = AlertCommand(command, self.store, self.clock.sleep, self._spawn)

    def _spawn(self, work: Coroutine[Any, Any, None], _: str) -> None:
        self.tasks.append(asyncio.create_task(work))

    async def ended(self) -> list[str]:
        async with asyncio.timeout(20):
            await asyncio.gather(*self.tasks)
        return [each.text for each in self.store.notices]


WRITES = "import json, os, sys; json.dump([sys.argv[2:], os.environ['KALSHI_TUI_ALERT']], open(sys.argv[1], 'w'))"


async def test_the_command_gets_a_hostile_sentence_as_one_plain_argument(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    bench, runner = Bench(), Runner(sys.executable, "-c", WRITES, str(path), "a b")
    bench.store.market_data.set_markets([replace(bench.market, title=HOSTILE, yes_sub_title="")])
    bench.store.bus.subscribe(AlertRang, lambda each: runner.command.run(each.sentence))
    bench.book()
    bench.add("bid >= 0.40")
    assert await runner.ended() == []
    arguments, variable = json.loads(path.read_text())
    assert arguments == ["a b", variable]
    assert variable == bench.alerts.newest_sentence
    assert variable.startswith("Alert: bid 0.47 in Will `touch /tmp/x`; $(reboot) ")
    assert variable.isprintable()
    assert ALERT_VARIABLE == "KALSHI_TUI_ALERT"


async def test_the_command_does_not_get_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALSHI_PRIVATE_KEY", "the key itself")
    monkeypatch.setenv("KALSHI_OTHER", "anything else")
    path = tmp_path / "told.json"
    runner = Runner(sys.executable, "-c", "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))")
    runner.command.run(str(path))
    assert await runner.ended() == []
    told = json.loads(path.read_text())
    assert told["KALSHI_OTHER"] == "anything else"
    assert "the key itself" not in told.values()


async def test_a_command_that_is_not_there_is_told() -> None:
    runner = Runner("/nonexistent/program")
    runner.command.run("x")
    assert await runner.ended() == [
        "The command of alerts, /nonexistent/program, could not be started (No such file or directory)."
    ]


async def test_a_command_that_fails_is_told() -> None:
    runner = Runner(sys.executable, "-c", "raise SystemExit(3)")
    runner.command.run("x")
    assert await runner.ended() == [f"The command of alerts, {sys.executable}, ended with 3."]


async def test_a_command_that_hangs_is_killed_with_what_it_started_and_four_are_enough(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "path = pathlib.Path(sys.argv[1]) / f'{os.getpid()}'\n"
        "path.with_suffix('.part').write_text(str(child.pid)); path.with_suffix('.part').rename(path)\n"
        "time.sleep(600)"
    )
    runner = Runner(sys.executable, "-c", script, str(tmp_path))
    for _ in range(MAX_RUNNING_COMMANDS + 1):
        runner.command.run("x")
    assert len(runner.tasks) == MAX_RUNNING_COMMANDS
    assert "runs 4 times already" in runner.store.notices[0].text

    def started() -> list[Path]:
        return [each for each in tmp_path.iterdir() if not each.suffix]

    await until(lambda: len(started()) == MAX_RUNNING_COMMANDS)
    # A script may have begun before it is known here that it has: only then does its time run.
    await until(lambda: runner.clock.sleeping == MAX_RUNNING_COMMANDS)
    runner.clock.advance(int(COMMAND_TIMEOUT_S * 1000))
    notices = await runner.ended()
    assert notices[0] == f"The command of alerts, {sys.executable}, did not end within 10 s and was killed."
    children = [int(each.read_text()) for each in started()]
    await until(lambda: not any(_runs(each) for each in children))
    runner.command.run("x")
    assert len(runner.tasks) == MAX_RUNNING_COMMANDS + 1
    runner.tasks[-1].cancel()
    await asyncio.gather(*runner.tasks, return_exceptions=True)


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


async def test_without_a_command_nothing_is_started() -> None:
    runner = Runner()
    runner.command.run("x")
    assert not runner.tasks


async def test_the_session_runs_the_command_of_its_options(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    rig = Rig(tmp_path, options=SessionOptions(alert_command=(sys.executable, "-c", WRITES, str(path))))
    await rig.start()
    await rig.spin()
    rig.session.store.snapshot(rig.ticker, [(9_000, 100)], [])
    rig.session.alerts.add(Alert(AlertKind.BID, rig.ticker, True, 9_000))
    await until(lambda: path.exists() and path.read_text())
    assert json.loads(path.read_text())[1] == rig.session.alerts.newest_sentence
    await rig.session.stop()
