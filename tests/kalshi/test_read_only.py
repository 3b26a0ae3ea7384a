"""Read-only is a promise at the HTTP layer: whatever asks for a write, none leaves."""

import inspect
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx
import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, OrderTerms
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.errors import KalshiError, NotSent
from kalshi_tui.kalshi.rest import RestClient
from tests.support.exchange_replies import SIGNER
from tests.support.fake_desk import an_order

TERMS = OrderTerms("T", Side.YES, Action.BUY, 4_700, 100)
WRITES: dict[str, Callable[[RestClient], Awaitable[object]]] = {
    "create_order": lambda rest: rest.create_order(TERMS, "client-1"),
    "cancel_order": lambda rest: rest.cancel_order("o1", "T"),
    "cancel_orders": lambda rest: rest.cancel_orders([an_order()]),
    "request_cancel_all": lambda rest: rest.request_cancel_all(),
    "amend_order": lambda rest: rest.amend_order("o1", "T", BookSide.BID, 4_700, 100),
    "decrease_order": lambda rest: rest.decrease_order("o1", "T", to=100),
    "create_subaccount": lambda rest: rest.create_subaccount(),
    "transfer_to_subaccount": lambda rest: rest.transfer_to_subaccount(
        10_000, source=0, target=1, client_transfer_id="7e5a1c60-0000-4000-8000-000000000000"
    ),
    "transfer": lambda rest: rest.transfer(10_000, source=0, target=2, within_s=0),
    "set_target_allocation": lambda rest: rest.set_target_allocation({0: 100}),
    "upgrade_usage_tier": lambda rest: rest.upgrade_usage_tier(),
}

SENDING = (
    ".send_command(", ".send_command_without_reply(", "subaccounts.create(", "subaccounts.transfer(",
    "shard_transfers.transfer(", "shard_transfers.set_allocation(", "account_access.upgrade(",
)  # fmt: skip
"""What sends a command, as a method's source shows it."""


@pytest.mark.parametrize("name", WRITES)
async def test_no_write_leaves(name: str) -> None:
    left: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        left.append(request)
        return httpx.Response(200, json={"transfers": []})

    async with RestClient(practice_on_port(1), SIGNER, transport=httpx.MockTransport(answer), read_only=True) as rest:
        with pytest.raises(NotSent, match="only watches"):
            await WRITES[name](rest)
    assert all(request.method == "GET" for request in left)
    left.clear()
    # The same call leaves where it may: the test would see it.
    async with RestClient(practice_on_port(1), SIGNER, transport=httpx.MockTransport(answer)) as rest:
        with suppress(KalshiError):
            await WRITES[name](rest)
    assert any(request.method != "GET" for request in left)
    # A POST without a JSON body has been refused, also where the call has no fields.
    for request in left:
        if request.method == "POST":
            assert request.headers["Content-Type"] == "application/json"
            assert isinstance(json.loads(request.content), dict)


def test_every_write_there_is_has_been_tried() -> None:
    """A command is sent by `send_command` or `send_command_without_reply`; whatever calls them is in the table."""
    writing = {
        name
        for name, function in inspect.getmembers(RestClient, inspect.isfunction)
        if any(sends in inspect.getsource(function) for sends in SENDING)
    }
    assert writing == WRITES.keys()
