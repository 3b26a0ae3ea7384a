"""The doctor's checks of key and account, against a practice exchange that says what a test needs."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.errors import Forbidden
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.http import Retry
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.practice.server import rest_account
from kalshi_tui.runtime.account_checks import check_account
from kalshi_tui.session.account.key_attestation import warn_of_attestation
from tests.support.practice_server import Serving, serving, spoiled

DAY_MS = 86_400_000


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving(tier="advanced") as running:
        yield running


async def checks(exchange: Serving, key_id: str = "", pem: str = "") -> dict[str, tuple[bool, str]]:
    environment = practice_on_port(exchange.port)
    signer = exchange.signers["alice"]
    if pem:
        signer = Signer.from_pem(key_id, pem.encode(), environment=environment)
    else:
        key_id = signer.key_id
    async with RestClient(environment, signer, retry=Retry(attempts=1)) as rest:
        return {each.name: (each.ok, each.sentence) async for each in check_account(rest, key_id)}


async def key(exchange: Serving, *scopes: str, **more: Any) -> tuple[str, str]:
    asked = {"name": "bot", "key_type": "ed25519", "scopes": list(scopes)} | more
    made = await exchange.call("POST", "/api_keys/generate", asked)
    assert made.status_code == 201, made.text
    return made.json()["api_key_id"], made.json()["private_key"]


@pytest.mark.parametrize(
    ("scopes", "ok", "words"),
    [
        (["read", "write"], True, "The key may read, write."),
        (["read", "write::trade"], True, "The key may read, write::trade."),
        (["read"], True, "The key may read. It cannot trade: create a key with write or write::trade."),
        (["read", "write::transfer"], False, "The key may read, write::transfer. It cannot trade: create a key"),
    ],
)
async def test_what_a_key_may_do_is_told(exchange: Serving, scopes: list[str], ok: bool, words: str) -> None:
    found = await checks(exchange, *await key(exchange, *scopes))
    assert found["rights"][0] is ok
    assert found["rights"][1].startswith(words)
    assert found["signature"] == (True, "The exchange accepts the key.")


async def test_a_key_that_may_only_transfer_is_no_wrong_signature(exchange: Serving) -> None:
    found = await checks(exchange, *await key(exchange, "write::transfer"))
    assert found["signature"] == (True, "The exchange accepts the key.")
    ok, sentence = found["cash"]
    assert not ok
    assert "does not have the scope read" in sentence
    assert "create a key with this scope at the exchange" in sentence
    assert found["rights"] == (True, "The exchange does not tell this key what it may do.")


async def test_a_key_of_one_subaccount_says_so(exchange: Serving) -> None:
    number = (await exchange.call("POST", "/portfolio/subaccounts", {})).json()["subaccount_number"]
    found = await checks(exchange)
    assert found["subaccounts"] == (True, f"Besides the primary account: {number} with $0.00.")
    locked = await checks(exchange, *await key(exchange, "read", "write", subaccount=number))
    assert all(ok for ok, _ in locked.values()), locked


async def test_netting_is_told_by_subaccount(exchange: Serving) -> None:
    assert (await checks(exchange))["netting"][1].startswith("Off: ")
    body = {"subaccount_number": 0, "enabled": True}
    assert (await exchange.call("PUT", "/portfolio/subaccounts/netting", body)).status_code == 200
    assert (await checks(exchange))["netting"] == (True, "On for the primary account.")


@pytest.mark.parametrize(
    ("ms", "ok", "words"),
    [
        (
            -DAY_MS,
            False,
            "keys trade no Sports, Elections or Entertainment until you renew it on the",
        ),
        (3 * DAY_MS + 60_000, True, "in 3 days; then keys trade no Sports"),
        (90 * DAY_MS, True, "It holds until 20"),
    ],
)
async def test_an_attestation_that_lapses_is_told_ahead(exchange: Serving, ms: int, ok: bool, words: str) -> None:
    assert "None was made" in (await checks(exchange))["attestation"][1]
    await exchange.control("set_attestation", ms=ms)
    found = (await checks(exchange))["attestation"]
    assert found[0] is ok
    assert words in found[1]


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (None, ""),
        (-DAY_MS, "The attestation of where your keys are used: it lapsed on 20"),
        (3 * DAY_MS + 60_000, "The attestation of where your keys are used: it lapses on 20"),
        (90 * DAY_MS, ""),
    ],
)
async def test_a_desk_is_warned_of_it_at_its_start(exchange: Serving, ms: int | None, words: str) -> None:
    if ms is not None:
        await exchange.control("set_attestation", ms=ms)
    notices: list[str] = []
    async with RestClient(practice_on_port(exchange.port), exchange.signers["alice"]) as rest:
        await warn_of_attestation(rest, lambda _, sentence: notices.append(sentence))
    assert [each.startswith(words) for each in notices] == ([True] if words else [])


async def test_an_order_that_the_attestation_forbids_is_one_sentence(exchange: Serving) -> None:
    await exchange.control("set_attestation", ms=-1)
    sports = next(
        each.ticker
        for each in exchange.exchange.markets.visible()
        if exchange.exchange.markets.events_by_ticker[each.terms.event_ticker].category == "Sports"
    )
    reply = (await exchange.order(sports, "bid", "0.0100", "1.00")).json()["error"]
    error = Forbidden(403, reply["code"], reply["message"], reply["details"])
    assert str(error).startswith("The attestation of where your keys are used has lapsed: until you renew it on the ex")


async def test_odd_answers_are_a_line_each_and_a_traceback_nowhere(
    exchange: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(body: dict[str, Any]) -> None:
        if "volume_progress" in body:
            body["volume_progress"][0]["trailing_30d_volume_fp"] = "many"
        if "default_cost" in body:
            body["endpoint_costs"] = [{"method": "DELETE", "path": "/portfolio/events/orders/{id}", "cost": 3}]

    spoiled(monkeypatch, rest_account, odd)
    found = await checks(exchange)
    assert not found["progress"][0]
    assert "makes no sense" in found["progress"][1]
    assert "an order costs 10, a cancel 3" in found["limits"][1]
    assert found["limits"][0]


async def test_no_progress_yet_is_no_fault(exchange: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    def empty(body: dict[str, Any]) -> None:
        if "volume_progress" in body:
            body["volume_progress"] = None

    spoiled(monkeypatch, rest_account, empty)
    assert (await checks(exchange))["progress"] == (
        True,
        "The exchange has not computed any progress to a higher tier yet.",
    )
