"""Subaccounts in the library, against the practice exchange over real sockets (docs/kalshi-api.md, section 13)."""

import uuid
from collections.abc import AsyncIterator

import pytest

from kalshi_tui.kalshi import (
    ApiKeyAccess,
    Forbidden,
    KalshiClient,
    NotFound,
    NotSent,
    Refused,
    SubaccountNetting,
    TierProgress,
    UnknownOutcome,
    contracts,
    dollars,
)
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.subaccounts import is_lock
from kalshi_tui.practice.engine.rejection import Rejection
from tests.support.practice_server import PEMS, Serving, serving
from tests.support.subaccounts import LOCKED_PEM, lock, market_of


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


@pytest.fixture
async def client(exchange: Serving) -> AsyncIterator[KalshiClient]:
    made = KalshiClient(practice_on_port(exchange.port), key_id="key-of-alice", private_key=PEMS["alice"])
    async with made:
        yield made


async def new_subaccount(client: KalshiClient, amount: str = "500") -> int:
    number = await client.create_subaccount()
    await client.transfer_to_subaccount(dollars(amount), source=0, target=number, client_transfer_id=str(uuid.uuid4()))
    return number


async def test_cash_moves_once_under_one_id(client: KalshiClient) -> None:
    number = await client.create_subaccount()
    same = str(uuid.uuid4())
    for _ in range(2):
        await client.transfer_to_subaccount(dollars("12.34"), source=0, target=number, client_transfer_id=same)
    held = {(each.number, each.exchange_index): each.cash for each in await client.subaccount_balances()}
    assert held[number, 0] == dollars("12.34")
    assert [each.amount for each in await client.subaccount_transfers()] == [dollars("12.34")]
    assert (await client.balance(subaccount=number)).cash == dollars("12.34")
    assert (await client.balance(subaccount=number)).subaccount == number
    with pytest.raises(Refused, match="not enough cash"):
        await client.transfer_to_subaccount(
            dollars("13"), source=number, target=0, client_transfer_id=str(uuid.uuid4())
        )
    for amount, target in (("0.001", number), ("0", number), ("1", 0), ("1", 64)):
        with pytest.raises(ValueError, match=r"whole cents|must differ|0 \(the primary\) to 63"):
            await client.transfer_to_subaccount(dollars(amount), source=0, target=target, client_transfer_id=same)


@pytest.mark.parametrize(("done_before", "says"), [(False, "already exists"), (True, "the subaccount is locked")])
async def test_a_conflict_is_taken_for_done_only_where_words_and_list_say_so(
    exchange: Serving, client: KalshiClient, monkeypatch: pytest.MonkeyPatch, done_before: bool, says: str
) -> None:
    number, same = await client.create_subaccount(), str(uuid.uuid4())

    async def move() -> None:
        await client.transfer_to_subaccount(dollars("5"), source=0, target=number, client_transfer_id=same)

    if done_before:
        await move()

    def conflict(*_: object) -> None:
        raise Rejection(409, "conflict", "conflict", says)

    monkeypatch.setattr(exchange.exchange.subaccounts, "transfer", conflict)
    with pytest.raises(UnknownOutcome, match=f"{says}.*Look at the list of transfers") as told:
        await move()
    assert told.value.status == 409


async def test_keys_tier_and_netting_are_told_to_programs(exchange: Serving, client: KalshiClient) -> None:
    number = await client.create_subaccount()
    await exchange.call("PUT", "/portfolio/subaccounts/netting", {"subaccount_number": number, "enabled": True})
    assert await client.netting() == (SubaccountNetting(0, enabled=False), SubaccountNetting(number, enabled=True))
    keys = await client.api_keys()
    own = keys.find("key-of-alice")
    assert isinstance(own, ApiKeyAccess)
    assert (own.can_read, own.can_trade, own.subaccount, keys.attested_until_ms) == (True, True, None, None)
    progress = await client.tier_progress()
    assert isinstance(progress, TierProgress)
    assert progress.volume == 0
    assert progress.next_goal() == progress.goals[0]
    await client.place_order(market_of(exchange), "yes", "buy", "0.01", "1")
    await client.upgrade_usage_tier()


async def test_an_order_of_a_subaccount_is_canceled_and_amended_with_its_own_number(
    exchange: Serving, client: KalshiClient
) -> None:
    ticker = market_of(exchange)
    number = await new_subaccount(client)
    placed = await client.place_order(ticker, "yes", "buy", "0.01", "5", subaccount=number)
    other = await client.place_order(ticker, "yes", "buy", "0.01", "7")
    orders = {each.order_id: each for each in await client.orders(status="resting")}
    assert {key: each.subaccount for key, each in orders.items()} == {placed.order_id: number, other.order_id: 0}
    assert [each.order_id for each in await client.orders(subaccount=number)] == [placed.order_id]
    await client.amend(orders[placed.order_id], remaining="4")
    await client.amend(placed.order_id, yes_price="0.02")
    async with KalshiClient(
        practice_on_port(exchange.port), key_id="key-of-alice", private_key=PEMS["alice"]
    ) as stranger:
        # By its id alone, of a client that did not place it: the number is read with the order.
        await stranger.cancel(placed.order_id)
    with pytest.raises(NotFound):
        await client.cancel(placed.order_id)
    assert (await client.order(placed.order_id)).remaining == 0
    again = await client.place_order(ticker, "yes", "buy", "0.01", "5", subaccount=number)
    await client.cancel(again.order_id)
    assert [each.order_id for each in await client.orders(status="resting")] == [other.order_id]


async def test_positions_fills_and_previews_are_those_of_the_number(exchange: Serving, client: KalshiClient) -> None:
    ticker = market_of(exchange)
    number = await new_subaccount(client)
    await client.place_order(ticker, "yes", "buy", "0.02", "50", subaccount=number)
    await exchange.order(ticker, "ask", "0.0200", "50.00", who="bob")
    assert await client.positions() == []
    [held] = await client.positions(subaccount=number)
    assert (held.count, held.subaccount, held.key) == (contracts("50"), number, (ticker, number))
    assert [each.subaccount for each in await client.fills()] == [number]
    preview = await client.preview_order(ticker, "yes", "sell", "0.02", "10", subaccount=number)
    assert preview.figures.projection.after.count == contracts("40")
    assert preview.cash == (await client.balance(subaccount=number)).on_shard(0)


async def test_a_cancel_of_all_takes_one_subaccount_or_every_one(exchange: Serving, client: KalshiClient) -> None:
    ticker = market_of(exchange)
    number = await new_subaccount(client)
    for subaccount in (0, number):
        await client.place_order(ticker, "yes", "buy", "0.01", "5", subaccount=subaccount)
    # The proof takes longer than the data of a clock that stands; what was canceled shows at once.
    with pytest.raises(UnknownOutcome, match=f"in subaccount {number}"):
        await client.cancel_all(subaccount=number, within_s=0.05)
    assert [each.subaccount for each in await client.orders(status="resting")] == [0]
    # On a busy machine the list may not be read in that time, and the one call is used.
    await client.place_order(ticker, "yes", "buy", "0.01", "5", subaccount=number, after_cancel_all=True)
    with pytest.raises(UnknownOutcome):
        await client.cancel_all(within_s=0.05)
    assert await client.orders(status="resting") == []


async def test_an_order_without_a_number_waits_for_the_minute_of_the_subaccount_that_it_would_go_to(
    exchange: Serving, client: KalshiClient
) -> None:
    ticker = market_of(exchange)
    number = await new_subaccount(client)
    await lock(exchange, number)
    key_id = exchange.signers["locked"].key_id
    async with KalshiClient(practice_on_port(exchange.port), key_id=key_id, private_key=LOCKED_PEM) as locked:
        for each in (locked, client):
            await each.place_order(ticker, "yes", "buy", "0.01", "5", subaccount=number)
            with pytest.raises(UnknownOutcome):
                await each.cancel_all(subaccount=number, max_by_name=0, within_s=0.05)
            with pytest.raises(NotSent, match="less than a minute ago"):
                await each.place_order(ticker, "yes", "buy", "0.01", "5", subaccount=number)
        with pytest.raises(NotSent, match=r"for \d+ s from now. after_cancel_all=True"):
            await locked.place_order(ticker, "yes", "buy", "0.01", "5")
        assert await client.orders(status="resting") == []
        await locked.place_order(ticker, "yes", "buy", "0.01", "6", after_cancel_all=True)
    # That of a full key goes to the primary account, which the call has left alone.
    await client.place_order(ticker, "yes", "buy", "0.01", "7")
    resting = await client.orders(status="resting")
    assert sorted((each.subaccount, each.remaining) for each in resting) == [
        (0, contracts("7")),
        (number, contracts("6")),
    ]


async def test_a_subaccount_that_does_not_exist_is_one_sentence(exchange: Serving, client: KalshiClient) -> None:
    ticker = market_of(exchange)
    with pytest.raises(Refused, match="subaccount 9 does not exist"):
        await client.place_order(ticker, "yes", "buy", "0.01", "5", subaccount=9)
    with pytest.raises(Refused, match="subaccount 9 does not exist"):
        await client.positions(subaccount=9)
    with pytest.raises(ValueError, match="0 \\(the primary\\) to 63, not 64"):
        await client.place_order(ticker, "yes", "buy", "0.01", "5", subaccount=64)


async def test_a_locked_key_trades_in_its_own_subaccount_without_naming_it(
    exchange: Serving, client: KalshiClient
) -> None:
    ticker = market_of(exchange)
    number = await new_subaccount(client)
    await lock(exchange, number)
    key_id = exchange.signers["locked"].key_id
    async with KalshiClient(practice_on_port(exchange.port), key_id=key_id, private_key=LOCKED_PEM) as locked:
        placed = await locked.place_order(ticker, "yes", "buy", "0.01", "5")
        [order] = await locked.orders(status="resting")
        assert order.subaccount == number
        await locked.amend(order, remaining="3")
        await locked.cancel(placed.order_id)
        with pytest.raises(Forbidden) as refusal:
            await locked.subaccount_balances()
        assert is_lock(refusal.value)
        with pytest.raises(Forbidden, match="limited to reading or to a subaccount"):
            await locked.place_order(ticker, "yes", "buy", "0.01", "5", subaccount=0)
