"""The day's gain as the session has it: whatever rests, after a restart, with every fill of the day, after a payout."""

from pathlib import Path

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.day_gain import DayGain
from kalshi_tui.domain.order import Action, BookSide, OrderTerms, TimeInForce
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import MONEY_UNIT, Money
from kalshi_tui.practice.engine.market_outcome import MarketOutcome
from kalshi_tui.practice.engine.records import OrderRequest
from kalshi_tui.presentation.lines import plain_text
from kalshi_tui.session.account.settlement_file import SettlementFile
from kalshi_tui.ui.lists.position_view import position_rows
from tests.support.session_rig import CASH, US, Rig


def day_of(rig: Rig) -> DayGain:
    """Return the day, with the book as the exchange has it now."""
    store = rig.session.store
    store.snapshot(rig.ticker, *rig.exchange.queries.book(rig.ticker))
    day = store.valuation.day()
    assert day is not None
    return day


def all_cash(rig: Rig) -> Money:
    """Return the cash by the exchange's own ledger, what resting orders hold back included."""
    return sum(rig.exchange.ledger.account(US).cash.values())


async def begin(rig: Rig) -> None:
    await rig.start()
    await rig.pass_time(1)
    rig.session.store.snapshot(rig.ticker, *rig.exchange.queries.book(rig.ticker))
    await rig.pass_time(20)


async def buy(rig: Rig, price: int, count: int) -> None:
    rig.trade(BookSide.ASK, price, count)
    rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, price, count))
    await rig.pass_time(2)
    rig.deliver()
    await rig.pass_time(5)


async def test_what_resting_orders_hold_back_is_no_gain(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await begin(rig)
    await buy(rig, 5_000, 100_000)
    rig.trade(BookSide.BID, 4_900, 100_000)
    held = day_of(rig)
    worth = rig.session.store.valuation.snapshot().total.value
    assert worth is not None
    assert held.gain == all_cash(rig) + worth - 2 * CASH
    for price in (7_000, 7_500):
        rig.submit(OrderTerms(rig.ticker, Side.YES, Action.SELL, price, 100_000))
        await rig.pass_time(10)
        rig.deliver()
        assert day_of(rig) == held
    # The second one holds back what a NO can cost: by way of the cash, that was a loss or, added back, a gain.
    assert sum(rig.exchange.queries.balance(US).available.values()) < all_cash(rig) - 249 * MONEY_UNIT
    await rig.kill()
    await begin(rig)
    assert day_of(rig) == held
    rig.exchange.results.settle(rig.ticker, MarketOutcome("yes", 10_000))
    rig.server.commit()
    rig.deliver()
    rig.session.store.lifecycle(rig.ticker, "settled")
    await rig.pass_time(60)
    assert day_of(rig).gain == all_cash(rig) - 2 * CASH
    await rig.close()


async def test_what_was_closed_today_stays_in_the_totals(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await begin(rig)
    await buy(rig, 5_000, 1_000)
    store = rig.session.store
    assert store.valuation.snapshot().closed == ()
    rig.trade(BookSide.BID, 4_700, 1_000)
    rig.submit(OrderTerms(rig.ticker, Side.YES, Action.SELL, 4_700, 1_000))
    await rig.pass_time(2)
    rig.deliver()
    await rig.pass_time(5)
    day = day_of(rig)
    snapshot = store.valuation.snapshot()
    assert snapshot.held == ()
    assert [(each.key, each.realized) for each in snapshot.closed] == [((rig.ticker, 0), -300_000)]
    assert day.gain == all_cash(rig) - 2 * CASH
    assert (snapshot.total.net, snapshot.total.fees) == (day.gain, day.fees)
    drawn = [plain_text(each) for _, each in position_rows(store, 140)]
    assert drawn[0].split()[:4] == ["Closed", "today", "1", "-$0.30"]
    assert drawn[1].split()[:4] == ["Total", "$0.00", "-$0.30", drawn[0].split()[4]]
    assert "No positions." not in drawn
    await rig.close()


async def test_a_day_that_is_not_known_says_which_market_holds_it_up(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await begin(rig)
    await buy(rig, 5_000, 1_000)
    rig.trade(BookSide.BID, 4_000, 1_000)
    ledger, valuation = rig.session.store.day_ledger, rig.session.store.valuation
    assert day_of(rig).gain is not None
    other = Position("KXOTHER-1", 1_000, 4_000_000)
    rig.session.store.position(other)
    rig.clock.advance(24 * 3_600_000)
    ledger.turn()
    ledger.is_read = True

    def begin_day() -> DayGain:
        ledger.begin(valuation.day_value, None)
        return day_of(rig)

    assert begin_day().why == "What KXOTHER-1 was worth at its start is not known yet."
    drawn = [plain_text(each).strip() for _, each in position_rows(rig.session.store, 140)]
    assert drawn[-1] == "What KXOTHER-1 was worth at its start is not known yet."
    # What can be valued keeps the value of the first look, however long the other one takes.
    rig.trade(BookSide.BID, 4_500, 1_000)
    day_of(rig)
    ledger.begin(lambda ticker, count: 0 if ticker == "KXOTHER-1" else valuation.day_value(ticker, count), None)
    gain = ledger.gain(lambda ticker, count: 0 if ticker == "KXOTHER-1" else valuation.day_value(ticker, count))
    assert gain is not None
    assert gain.gain is not None
    assert gain.gain > 0
    unknown = day_of(rig)
    assert (unknown.gain, unknown.why) == (None, "What KXOTHER-1 is worth is not known.")
    await rig.close()


async def test_all_fills_of_the_day_count_however_many(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    for _ in range(1_055):
        rig.trade(BookSide.ASK, 4_000, 100)
        rig.exchange.order_entry.create(US, OrderRequest(rig.ticker, BookSide.BID, 100, 4_000, TimeInForce.GTC))
    rig.server.commit()
    await begin(rig)
    day = day_of(rig)
    assert (day.fills, day.bought) == (1_055, 105_500)
    assert day.fees == 2 * CASH - all_cash(rig) - 1_055 * 400_000
    await rig.close()


async def test_what_was_held_over_night_is_kept_at_its_first_value(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await begin(rig)
    await buy(rig, 5_000, 1_000)
    rig.trade(BookSide.BID, 4_000, 5_000)
    file = SettlementFile.in_folder(tmp_path, "key")
    ledger, valuation = rig.session.store.day_ledger, rig.session.store.valuation
    day_of(rig)

    def first_look() -> DayGain:
        ledger.turn()
        ledger.is_read = True
        ledger.begin(valuation.day_value, file)
        return day_of(rig)

    rig.clock.advance(24 * 3_600_000)
    first = first_look()
    assert (first.fills, first.gain) == (0, 0)
    rig.trade(BookSide.BID, 4_500, 5_000)
    later = day_of(rig)
    assert later.gain is not None
    assert later.gain > 0
    assert first_look() == later
    file.close()
    await rig.close()


def test_how_a_day_began_is_kept_once_for_each_account(tmp_path: Path) -> None:
    file, other = SettlementFile.in_folder(tmp_path, "key"), SettlementFile.in_folder(tmp_path, "another")
    assert file.keep_day_start("2026-12-01", b"{}") == b"{}"
    assert file.keep_day_start("2026-12-01", b"other") == b"{}"
    assert file.load_day_start("2026-12-01") == b"{}"
    assert other.load_day_start("2026-12-01") is None
    file.close()
    other.close()
