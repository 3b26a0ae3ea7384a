"""Which subaccount a request is about: its parameter, its default, and what a locked key may see.

docs/kalshi-api.md, section 13.
"""

from typing import Final

from aiohttp import web

from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.model import MAX_SUBACCOUNT
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server.http import ACCOUNT_ID_KEY, LOCKED_SUBACCOUNT_KEY, int_param

UNLOCKED_PATHS: Final = (
    "/portfolio/subaccounts",
    "/portfolio/intra_exchange_instance_transfer",
    "/portfolio/target_balance_allocation",
    "/api_keys",
)
"""Paths, below the API's prefix, that a key locked to one subaccount cannot use."""


def locked_subaccount(request: web.Request) -> int | None:
    """Return the one subaccount that the request's key is restricted to, None for a key of all."""
    found = request.get(LOCKED_SUBACCOUNT_KEY)
    return found if isinstance(found, int) else None


def require_path_for_lock(below: str, locked: int | None) -> None:
    """Raise Rejection 403 for what a locked key may not do; ``below`` is the path without the API's prefix."""
    if locked is not None and below.startswith(UNLOCKED_PATHS):
        raise _forbidden("this API key is restricted to a single sub-account and cannot access this endpoint")


def subaccount_for_list(request: web.Request) -> int | None:
    """Return the subaccount of a list that means all by default; None for all. Raises BadRequestError, Rejection."""
    return _check(request, int_param(request, "subaccount"), None)


def subaccount_for_read(request: web.Request) -> int:
    """Return the subaccount of a read that means the primary by default. Raises BadRequestError, Rejection."""
    return _check(request, int_param(request, "subaccount"), 0) or 0


def account_for_write(request: web.Request, exchange: Exchange, asked: object = None) -> str:
    """Return the id of the account that a write is for: by its body's field, else by its query, else the primary.

    Raises Rejection: 403 for one that the key may not use, 400 for one that does not exist.
    """
    in_body = asked if isinstance(asked, int) else None
    number = _check(request, int_param(request, "subaccount") if in_body is None else in_body, 0) or 0
    return exchange.ledger.subaccount(request[ACCOUNT_ID_KEY], number).account_id


def accounts_for_write(request: web.Request, exchange: Exchange) -> list[str]:
    """Return the ids of the accounts that a write is for which means all by default."""
    accounts = exchange.ledger.members(request[ACCOUNT_ID_KEY], subaccount_for_list(request))
    return [each.account_id for each in accounts]


def _check(request: web.Request, asked: int | None, default: int | None) -> int | None:
    locked = locked_subaccount(request)
    if asked is None:
        return default if locked is None else locked
    if not 0 <= asked <= MAX_SUBACCOUNT:
        details = f"subaccount must be 0 to {MAX_SUBACCOUNT}"
        raise Rejection(400, "invalid_parameters", "invalid parameters", details)
    if locked is not None and asked != locked:
        raise _forbidden(f"this API key is restricted to subaccount {locked}")
    return asked


def _forbidden(details: str) -> Rejection:
    return Rejection(403, "forbidden", "forbidden", details)
