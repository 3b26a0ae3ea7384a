"""Subaccounts for programs: list, create, move cash between them (docs/kalshi-api.md, section 13)."""

from typing import Final

from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.price import Money
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.errors import BadReply, Refused, TransportError, UnknownOutcome
from kalshi_tui.kalshi.lists import LeftOut, Read
from kalshi_tui.kalshi.replies import SubaccountBalance, SubaccountTransfer
from kalshi_tui.kalshi.transport.http import HttpClient

MAX_SUBACCOUNT: Final = 63
"""The highest number of a subaccount; 0 is the primary."""
SUBACCOUNTS_PATH: Final = "/portfolio/subaccounts"
LOCK_WORDS: Final = "restricted to a single sub-account"
"""What the exchange says to a locked key that asks for what only a full one may (docs/kalshi-api.md, section 10)."""
CONFLICT: Final = 409
REPEAT_WORDS: Final = ("already", "duplicate")
"""What a conflict says of a client id that the exchange has (its code is not documented)."""
PAGE_SIZE: Final = 1000


def require_number(subaccount: int) -> int:
    """Return the number of a subaccount. Raises ValueError for a number that none can have."""
    if not 0 <= subaccount <= MAX_SUBACCOUNT:
        raise ValueError(f"a subaccount's number is 0 (the primary) to {MAX_SUBACCOUNT}, not {subaccount}")
    return subaccount


def is_lock(error: Refused) -> bool:
    """Return whether the exchange has refused something because the key is locked to one subaccount."""
    return error.status == 403 and LOCK_WORDS in f"{error.message} {error.details} {error}"


async def read_balances(http: HttpClient) -> Read[SubaccountBalance]:
    """Read what can be spent in each subaccount on each shard."""
    found, lost = Read[SubaccountBalance](), list[LeftOut]()
    reply = await http.get(f"{SUBACCOUNTS_PATH}/balances", wire.SubaccountBalancesReply, private=True, left_out=lost)
    found += http.translate_items(
        translate.subaccount_balance, reply.subaccount_balances, "subaccount", lambda each: each.subaccount_number, lost
    )
    found.left_out = tuple(lost)
    return found


async def read_transfers(http: HttpClient, most: int | None) -> Read[SubaccountTransfer]:
    """Read the transfers between subaccounts, newest first."""
    return await http.fetch_all(
        f"{SUBACCOUNTS_PATH}/transfers",
        {"limit": PAGE_SIZE if most is None else min(most, PAGE_SIZE)},
        wire.SubaccountTransfersReply,
        lambda reply: reply.transfers,
        translate.subaccount_transfer,
        "transfer",
        lambda each: each.transfer_id,
        most,
        private=True,
    )


async def create(http: HttpClient, exchange_index: int) -> int:
    """Create a subaccount and return its number."""
    request = wire.CreateSubaccountRequest(exchange_index=exchange_index)
    name = "The request for a new subaccount"
    reply = await http.send_command("POST", SUBACCOUNTS_PATH, wire.CreateSubaccountReply, name, request)
    return reply.subaccount_number


async def transfer(
    http: HttpClient, source: int, target: int, amount: Money, client_transfer_id: str, exchange_index: int
) -> None:
    """Move cash from one subaccount to another, once."""
    cents, rest = divmod(amount, CENT)
    if rest or cents <= 0:
        raise ValueError("the amount must be whole cents, more than 0")
    if require_number(source) == require_number(target):
        raise ValueError("the two subaccounts must differ")
    request = wire.SubaccountTransferRequest(
        client_transfer_id=client_transfer_id,
        from_subaccount=source,
        to_subaccount=target,
        amount_cents=cents,
        exchange_index=exchange_index,
    )
    try:
        await http.send_command_without_reply("POST", f"{SUBACCOUNTS_PATH}/transfer", "The transfer", request)
    except Refused as refusal:
        if refusal.status != CONFLICT:
            raise
        await _require_done(http, request, refusal)


async def _require_done(http: HttpClient, request: wire.SubaccountTransferRequest, conflict: Refused) -> None:
    """Return if a conflict means that this transfer was carried out before. Raises UnknownOutcome.

    The exchange takes each client id once. Its list names no client ids, and other conflicts have the same status, so
    that the words of the conflict and the list have to say it both.
    """
    what = f"The exchange says of the transfer: {conflict}"
    advice = "What became of it is not known. Look at the list of transfers and at the balances before another."
    try:
        listed = await read_transfers(http, PAGE_SIZE)
    except (TransportError, Refused, BadReply) as error:
        raise UnknownOutcome(
            f"{what} The list of transfers could not be read. {advice}", status=conflict.status
        ) from error
    wanted = request.from_subaccount, request.to_subaccount, request.amount_cents * CENT
    fits = any(
        (each.source, each.target, each.amount) == wanted and each.exchange_index == request.exchange_index
        for each in listed
    )
    said = f"{conflict.code} {conflict.message} {conflict.details}".lower()
    if not fits or not any(word in said for word in (*REPEAT_WORDS, request.client_transfer_id.lower())):
        raise UnknownOutcome(f"{what} {advice}", status=conflict.status)
