import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.order import BookSide
from kalshi_tui.domain.price import parse_money
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.market_outcome import binary_outcome
from kalshi_tui.practice.engine.records import (
    AmendRequest,
    OrderRecord,
    OrderRequest,
    OrderStatus,
    TransferStatus,
)
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.shard_cash import REBALANCE_INTERVAL_MS, TRANSFER_DELAY_MS
from kalshi_tui.practice.simulation.outcomes import Outcomes
from kalshi_tui.practice.simulation.world import World
from kalshi_tui.practice.storage.database import Database, DatabaseError
from kalshi_tui.practice.storage.reset import DATABASE_FILE, describe_account_contents
from tests.support.engine import (
    ASK,
    BID,
    CRYPTO,
    FINE,
    HOUR,
    PLAIN,
    STANDARD,
    Clock,
    catalog,
    exchange,
    move_cash,
    place,
)

SCRIPT = """
import sys
from pathlib import Path
from random import Random
from kalshi_tui.domain.order import BookSide
from kalshi_tui.practice.storage.database import Database
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.records import OrderRequest
from kalshi_tui.practice.simulation.world import World

now = [{start}]
database = Database.open(Path(sys.argv[1]))
world = World(lambda: now[0], 7, run=database.next_run(), rate=100, markets=40)
exchange = world.exchange
exchange.open_account("ann", {{0: 8_000_000_000, 2: 2_000_000_000}})
world.start()
database.write_events(exchange, exchange.drain_events())
rng = Random(1)
listings = [each for each in exchange.markets.visible() if each.status.tradable][:12]
for number in range(1_000):
    now[0] += 20
    world.step()
    listing = rng.choice(listings)
    asked = OrderRequest(
        listing.ticker, rng.choice(list(BookSide)), rng.randrange(1, 300), rng.choice(listing.grid.prices),
        client_order_id=f"c{{number}}")
    try:
        answer = exchange.order_entry.create("ann", asked)
    except Rejection:
        continue
    finally:
        database.write_events(exchange, exchange.drain_events())
    available = exchange.queries.balance("ann").total + sum(exchange.queries.balance("ann").held.values())
    print(answer.order_id, answer.filled, available, len(exchange.ledger.account("ann").fills), flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / DATABASE_FILE


@pytest.fixture
def clock() -> Clock:
    return Clock()


def saved(engine: Exchange, database: Database) -> None:
    database.write_events(engine, engine.drain_events())


def reopened(path: Path, clock: Clock, *, run: int = 1, dedupe: str = "open") -> Exchange:
    database = Database.open(path)
    engine = Exchange(catalog(*STANDARD), clock, 1, run=run, dedupe=dedupe)
    database.restore(engine)
    database.close()
    return engine


def unqueued(orders: list[OrderRecord]) -> list[OrderRecord]:
    return [replace(order, queued=0) for order in orders]


def story(engine: Exchange) -> dict[str, object]:
    """Return all that a trader could ask of an exchange."""
    told: dict[str, object] = {}
    for name in ("ann", "bob"):
        balance = engine.queries.balance(name)
        told[name] = (
            balance.available,
            balance.held,
            engine.queries.positions(name),
            unqueued(list(engine.queries.orders(name))),
            list(engine.queries.fills(name)),
            list(engine.queries.settlements(name)),
            engine.order_groups.list_for(name),
            sorted((each.order_id, each.count_ahead) for each in engine.queries.queue_positions(name)),
        )
    told["books"] = [engine.markets.listings[ticker].levels() for ticker in (PLAIN, FINE, CRYPTO)]
    told["markets"] = [
        (listing.status, listing.close_ms, listing.result, listing.structure, listing.open_interest)
        for listing in (engine.markets.listings[ticker] for ticker in (PLAIN, FINE, CRYPTO))
    ]
    return told


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happened_is_there_after_a_restart(path: Path, clock: Clock, seed: int) -> None:
    rng = Random(seed)
    database = Database.open(path)
    engine = Exchange(catalog(*STANDARD), clock, 1)
    for name in ("ann", "bob"):
        engine.open_account(name, {0: parse_money("50"), 2: parse_money("50")})
    groups = {name: engine.order_groups.create(name, 1_000).group_id for name in ("ann", "bob")}
    for _ in range(120):
        clock.pass_(rng.randrange(400))
        name, ticker = rng.choice(("ann", "bob")), rng.choice((PLAIN, FINE, CRYPTO))
        live = list(engine.queries.orders(name, ListFilter(status=OrderStatus.RESTING)))
        try:
            match rng.randrange(10):
                case 0 if live:
                    engine.order_entry.cancel(name, live[0].order_id, live[0].ticker)
                case 1 if live:
                    order = rng.choice(live)
                    changed = AmendRequest(
                        order.ticker, order.side, rng.randrange(40, 60) * 100, order.filled + rng.randrange(1, 900)
                    )
                    engine.order_entry.amend(name, order.order_id, changed)
                case 2 if live:
                    engine.order_entry.decrease(name, live[-1].order_id, reduce_by=50, ticker=live[-1].ticker)
                case 3:
                    move_cash(engine, name, 0, 2, parse_money("1"))
                case _:
                    engine.order_entry.create(
                        name,
                        OrderRequest(
                            ticker,
                            rng.choice(list(BookSide)),
                            rng.randrange(1, 900),
                            rng.randrange(40, 60) * 100,
                            client_order_id=str(rng.randrange(60)),
                            group_id=groups[name] if ticker != CRYPTO and rng.random() < 0.3 else "",
                            expires_ms=clock.now + 10_000 if rng.random() < 0.2 else None,
                        ),
                    )
        except Rejection:
            pass
        saved(engine, database)
    if seed % 3 == 0:
        engine.results.settle(PLAIN, binary_outcome("yes"))
    if seed % 3 == 1:
        engine.lifecycle.deactivate(FINE)
        engine.lifecycle.change_grid(FINE, "linear_cent")
    saved(engine, database)
    before = story(engine)
    database.close()
    again = reopened(path, clock)
    assert story(again) == before
    for shard in (0, 2):
        assert again.ledger.total_money(shard) == again.ledger.deposited[shard]
    assert again.drain_events() == []


def test_a_transfer_under_way_arrives_after_a_restart(path: Path, clock: Clock) -> None:
    database = Database.open(path)
    engine = exchange(clock)
    for shard in (0, 2):
        engine.ledger.mark_balance_changed(engine.ledger.account("ann"), shard)
    engine.shard_transfers.set_allocation("ann", ((0, 100),), "max")
    engine.shard_transfers.request("ann", 0, 2, parse_money("5"), "once")
    saved(engine, database)
    database.close()
    again = reopened(path, clock)
    assert again.queries.balance("ann").available[2] == parse_money("1000")
    clock.pass_(TRANSFER_DELAY_MS)
    (transfer,) = again.shard_transfers.list_for("ann")
    assert transfer.status is TransferStatus.COMPLETE
    assert again.queries.balance("ann").available[2] == parse_money("1005")
    with pytest.raises(Rejection, match="bad_request"):
        again.shard_transfers.request("ann", 0, 2, parse_money("5"), "once")
    assert again.shard_transfers.allocation("ann").reservation == "max"
    clock.pass_(REBALANCE_INTERVAL_MS)
    again.advance()
    assert again.queries.balance("ann").available == {0: parse_money("2000"), 1: 0, 2: 0, 3: 0}


def test_changes_of_fees_are_kept_over_a_restart(path: Path, clock: Clock) -> None:
    database, engine, event = Database.open(path), exchange(clock), f"E-{FINE}"
    engine.ledger.mark_balance_changed(engine.ledger.account("ann"), 0)
    fees = engine.scheduled_fees
    fees.schedule_for_event(event, "flat", None, clock.now)
    fees.schedule_for_series("KXS", "quadratic", Decimal(0), clock.now)
    fees.schedule_for_event(event, None, None, clock.now)
    fees.schedule_for_series("KXS", "quadratic", Decimal("0.5"), clock.now + HOUR // 2)
    # All of the cash, without a fee to reserve.
    place(engine, "ann", BID, "0.50", "2000")
    saved(engine, database)
    database.close()
    listed = fees.of_series, fees.of_events
    engine = reopened(path, clock)
    assert (engine.scheduled_fees.of_series, engine.scheduled_fees.of_events) == listed
    assert engine.markets.series["KXS"].fee_multiplier == 0
    assert engine.markets.listing(PLAIN).fees == FeeSchedule.of("quadratic", 0)
    assert engine.markets.event(event).fee_type_override == ""
    assert engine.queries.balance("ann").available[0] == 0
    clock.pass_(HOUR // 2)
    # It takes effect in the run that waited for it, and in one that begins later.
    for each in (engine, reopened(path, clock)):
        each.advance()
        assert each.markets.listing(PLAIN).fees == FeeSchedule.of("quadratic", Decimal("0.5"))


def test_fees_that_have_risen_since_an_order_came_keep_no_account_from_coming_back(path: Path, clock: Clock) -> None:
    database, engine = Database.open(path), exchange(clock)
    engine.ledger.mark_balance_changed(engine.ledger.account("ann"), 0)
    fees = engine.scheduled_fees
    fees.schedule_for_series("KXS", "quadratic_with_maker_fees", Decimal(0), clock.now)
    order_id = place(engine, "ann", BID, "0.50", "2000").order_id
    fees.schedule_for_series("KXS", "quadratic_with_maker_fees", Decimal(1), clock.now)
    saved(engine, database)
    database.close()
    engine = reopened(path, clock)
    assert engine.queries.order("ann", order_id).remaining == 200_000
    assert engine.queries.balance("ann").available[0] == 0


def test_orders_rest_on_the_shard_on_which_a_market_was_saved(path: Path, clock: Clock) -> None:
    """A later version of the catalog may list a market elsewhere; a live market does not move."""
    database = Database.open(path)
    engine = exchange(clock)
    engine.ledger.mark_balance_changed(engine.ledger.account("ann"), 0)
    place(engine, "ann", BID, "0.50", "100")
    saved(engine, database)
    elsewhere = [replace(each, exchange_index=3) if each.ticker == PLAIN else each for each in STANDARD]
    moved = Exchange(catalog(*elsewhere), clock, 1)
    assert moved.markets.listing(PLAIN).shard == 3
    database.restore(moved)
    assert moved.markets.listing(PLAIN).shard == 0
    assert moved.queries.balance("ann").held[0] == parse_money("50")
    assert moved.markets.event(moved.markets.listing(PLAIN).terms.event_ticker).exchange_index == 0


def test_life_goes_on_after_a_restart(path: Path, clock: Clock) -> None:
    database = Database.open(path)
    engine = exchange(clock, dedupe="ever")
    for name in ("ann", "bob"):
        engine.ledger.mark_balance_changed(engine.ledger.account(name), 0)
        engine.ledger.mark_balance_changed(engine.ledger.account(name), 2)
    engine.ledger.flush_balances(clock.now)
    first = place(engine, "ann", BID, "0.42", "10", client_order_id="a").order_id
    place(engine, "bob", ASK, "0.42", "4")
    saved(engine, database)
    database.close()
    again = reopened(path, clock, dedupe="ever")
    with pytest.raises(Rejection, match="order_already_exists"):
        place(again, "ann", BID, "0.42", "10", client_order_id="a")
    second = place(again, "ann", BID, "0.42", "1").order_id
    assert second != first
    assert place(again, "bob", ASK, "0.42", "6").filled == 600
    assert again.queries.order("ann", first).status is OrderStatus.EXECUTED
    assert again.queries.order("ann", second).status is OrderStatus.RESTING
    assert again.queries.positions("ann")[0].count == 1_000


def test_what_came_due_while_away_is_done_at_its_time(path: Path, clock: Clock) -> None:
    outcomes = Outcomes(1)
    database = Database.open(path)
    engine = Exchange(catalog(*STANDARD), clock, 1, outcome_source=outcomes)
    for name in ("ann", "bob"):
        engine.open_account(name, {0: parse_money("50"), 2: parse_money("50")})
    place(engine, "ann", BID, "0.42", "10")
    place(engine, "bob", ASK, "0.42", "4")
    fleeting = place(engine, "ann", BID, "0.40", "1", ticker=FINE, expires_ms=clock.now + 1_000).order_id
    saved(engine, database)
    database.close()

    start = clock.now
    clock.pass_(5 * HOUR)
    database = Database.open(path)
    again = Exchange(catalog(), clock, 1, run=1, outcome_source=outcomes)  # its markets are no longer in the catalog
    database.restore(again)
    again.advance()
    saved(again, database)
    assert again.markets.listings[PLAIN].status.value == "finalized"
    (paid,) = again.queries.settlements("ann")
    assert paid.ts_ms == start + HOUR + 360_000
    order = again.queries.order("ann", fleeting)
    assert (order.status, order.updated_ms) == (OrderStatus.CANCELED, start + 1_000)
    assert list(again.queries.orders("ann", ListFilter(status=OrderStatus.RESTING))) == []
    assert again.ledger.total_money(0) == again.ledger.deposited[0]
    database.close()
    third = Exchange(catalog(), clock, 1, run=2, outcome_source=outcomes)
    database = Database.open(path)
    database.restore(third)
    assert list(third.queries.settlements("ann")) == [paid]
    assert third.queries.positions("ann") == []
    assert third.queries.balance("ann") == replace(
        again.queries.balance("ann"), updated_ms=third.queries.balance("ann").updated_ms
    )


def test_a_whole_world_comes_back(path: Path, clock: Clock) -> None:
    database = Database.open(path)
    world = World(clock, 7, run=database.next_run(), rate=200)
    world.exchange.open_account("ann", {0: parse_money("8000"), 2: parse_money("2000")})
    world.start()
    saved(world.exchange, database)
    listings = [each for each in world.exchange.markets.visible() if each.status.tradable][:12]
    for listing in listings:
        bid, _, ask, _ = listing.top
        world.exchange.order_entry.create("ann", OrderRequest(listing.ticker, BID, 500, ask))
        world.exchange.order_entry.create("ann", OrderRequest(listing.ticker, BID, 500, max(bid - 500, 100)))
        clock.pass_(100)
        world.step()
        saved(world.exchange, database)
    positions, orders = world.exchange.queries.positions("ann"), list(world.exchange.queries.orders("ann"))
    database.close()
    held: set[str] = set()
    paid: set[str] = set()
    for days in (0, 1, 40):
        clock.pass_(days * 86_400_000)
        database = Database.open(path)
        again = World(clock, 7, run=database.next_run(), rate=200)
        database.restore(again.exchange)
        if days == 0:
            assert again.exchange.queries.positions("ann") == positions
            assert unqueued(list(again.exchange.queries.orders("ann"))) == unqueued(orders)
        again.start()
        for _ in range(20):
            clock.pass_(50)
            again.step()
            saved(again.exchange, database)
        held = {each.ticker for each in again.exchange.queries.positions("ann")}
        paid = {each.ticker for each in again.exchange.queries.settlements("ann")}
        assert held | paid >= {each.ticker for each in positions}
        assert not held & paid
        for shard in (0, 2):
            assert again.exchange.ledger.total_money(shard) == again.exchange.ledger.deposited[shard]
        database.close()
    assert len(paid) > len(held)


@pytest.mark.parametrize("after", [3, 150, 600])
def test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged(path: Path, clock: Clock, after: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(start=clock.now), str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
    acknowledged = [line.split() for line in lines if line.endswith("\n")]
    assert len(acknowledged) >= after
    database = Database.open(path)
    assert database.next_run() == 1
    state = database.load()
    orders = {order.order_id: order for order in state.orders}
    for order_id, filled, _, _ in acknowledged:
        assert orders[order_id].filled >= int(filled)
    clock.now = state.saved_ms
    world = World(clock, 7, run=1, markets=40)
    database.restore(world.exchange)
    database.close()
    *_, cash, fills = acknowledged[-1]
    exchange = world.exchange
    assert len(exchange.ledger.account("ann").fills) >= int(fills)
    if len(exchange.ledger.account("ann").fills) == int(fills):
        assert sum(exchange.ledger.account("ann").cash.values()) == int(cash)
    for position in exchange.queries.positions("ann"):
        signed = sum(
            fill.count if fill.side is BID else -fill.count
            for fill in exchange.queries.fills("ann", ListFilter(tickers=(position.ticker,)))
        )
        assert position.count == signed
    for order in exchange.queries.orders("ann"):
        assert order.filled == sum(
            fill.count for fill in exchange.queries.fills("ann", ListFilter(order_id=order.order_id))
        )


# -- files that cannot be used -----------------------------------------------------------------------------------------


def made(path: Path) -> None:
    database = Database.open(path)
    engine = exchange(Clock())
    place(engine, "ann", BID, "0.42", "10")
    saved(engine, database)
    database.close()


def test_a_file_that_is_no_database(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database at all, but a letter to a friend " * 50)
    with pytest.raises(DatabaseError, match=r"is damaged .* --fresh"):
        Database.open(path)
    Database.open(path, fresh=True).close()
    Database.open(path).close()


def test_a_file_with_a_hole_in_it(path: Path) -> None:
    made(path)
    content = bytearray(path.read_bytes())
    for place_ in range(4_096, len(content)):
        content[place_] = 0x5A
    path.write_bytes(bytes(content))
    with pytest.raises(DatabaseError, match="is damaged"):
        Database.open(path).load()


def test_a_row_that_makes_no_sense(path: Path) -> None:
    made(path)
    connection = sqlite3.connect(path)
    connection.execute("""update orders set body = '{"order_id": 7}'""")
    connection.commit()
    connection.close()
    database = Database.open(path)
    with pytest.raises(DatabaseError, match="is damaged"):
        database.load()
    database.close()


def test_a_story_that_contradicts_itself(path: Path) -> None:
    made(path)
    connection = sqlite3.connect(path)
    connection.execute("delete from markets")
    connection.commit()
    connection.close()
    database = Database.open(path)
    with pytest.raises(DatabaseError, match="is damaged"):
        database.restore(Exchange(catalog(), Clock(), 1))
    database.close()


def test_a_database_of_a_newer_version(path: Path) -> None:
    made(path)
    connection = sqlite3.connect(path)
    connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(DatabaseError, match="newer version"):
        Database.open(path)


def test_two_at_a_time(path: Path) -> None:
    first = Database.open(path)
    for fresh in (False, True):
        with pytest.raises(DatabaseError, match="in use by another practice exchange"):
            Database.open(path, fresh=fresh)
    first.put("still", "there")
    first.close()
    Database.open(path).close()


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatabaseError, match="--data"):
        Database.open(tmp_path / "file" / "practice.db")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    # Root may write everywhere but where the kernel itself keeps the files.
    folder = Path("/proc") if os.geteuid() == 0 else tmp_path
    with pytest.raises(DatabaseError, match="--data"):
        Database.open(folder / "practice.db")


def test_starting_anew_forgets_everything(path: Path) -> None:
    made(path)
    database = Database.open(path)
    database.put("seed", "7")
    database.close()
    assert describe_account_contents(path.parent)
    database = Database.open(path, fresh=True)
    assert database.get("seed") is None
    assert database.load().orders == ()
    assert database.next_run() == 0
    assert database.next_run() == 1
    database.close()
    assert not describe_account_contents(path.parent)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_what_concerns_no_trader_is_not_written(path: Path, clock: Clock) -> None:
    database = Database.open(path)
    world = World(clock, 1, rate=500, markets=30)
    world.start()
    world.exchange.drain_events()
    clock.pass_(500)
    world.step()
    assert world.exchange.state.event_log.pending_count
    assert not database.write_events(world.exchange, world.exchange.drain_events())
    assert database.load().markets == ()
    database.close()
