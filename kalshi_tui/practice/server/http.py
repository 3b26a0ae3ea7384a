"""Small helpers of the REST side: queries, bodies, pages, replies."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from aiohttp import web
from msgspec import Struct

from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server import encode_rest

T = TypeVar("T")

JSON_CONTENT_TYPE: Final = "application/json"
ACCOUNT_ID_KEY: Final = web.RequestKey("account", str)
"""The account that the signed headers named; set by the guard before a handler runs."""


LOCKED_SUBACCOUNT_KEY: Final = web.RequestKey("locked_subaccount", object)
"""The one subaccount that the key is restricted to, or None; set by the guard too."""


class BadRequestError(Exception):
    """A request that cannot be read; its body has the fields at the top level (docs/kalshi-api.md, section 10)."""

    def __init__(self, details: str) -> None:
        self.details = details
        super().__init__(details)


def json_reply(body: Struct | Mapping[str, Any], status: int = 200) -> web.Response:
    """Return a JSON answer."""
    return web.Response(body=wire.encode(body), status=status, content_type=JSON_CONTENT_TYPE)


def rejection_reply(rejection: Rejection) -> web.Response:
    """Return the answer to a request that is rejected."""
    return json_reply(encode_rest.error_body(rejection), rejection.status)


def bad_request_reply(error: BadRequestError) -> web.Response:
    """Return the answer to a request that cannot be read."""
    return json_reply(wire.ErrorBody(code="bad_request", message="bad request", details=error.details), 400)


def text_param(request: web.Request, name: str) -> str:
    """Return a query parameter, empty if absent."""
    return request.query.get(name, "")


def list_param(request: web.Request, name: str) -> list[str]:
    """Return a list parameter: repeated, with commas between, or both."""
    return [part for value in request.query.getall(name, []) for part in value.split(",") if part]


def tickers_param(request: web.Request, name: str, most: int) -> list[str]:
    """Return a list parameter that names at most so many. Raises BadRequestError for more."""
    found = list_param(request, name)
    if len(found) > most:
        raise BadRequestError(f"{name} must name at most {most}")
    return found


def one_of_param(request: web.Request, name: str) -> tuple[str, ...]:
    """Return a text parameter as what a `ListFilter` accepts: the text alone, or nothing if absent."""
    value = text_param(request, name)
    return (value,) if value else ()


def int_param(request: web.Request, name: str, default: int | None = None) -> int | None:
    """Return a whole-number parameter. Raises BadRequestError for anything else."""
    value = request.query.get(name)
    if value is None or value == "":
        return default
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 18):
        raise BadRequestError(f"{name} must be a whole number")
    return int(value)


def required_int_param(request: web.Request, name: str) -> int:
    """Return a whole-number parameter that must be there. Raises BadRequestError."""
    value = int_param(request, name)
    if value is None:
        raise BadRequestError(f"{name} is required")
    return value


def bool_param(request: web.Request, name: str) -> bool:
    """Return a boolean parameter, False if absent. Raises BadRequestError for a word that is neither."""
    value = request.query.get(name, "false").lower()
    if value not in {"true", "false", "1", "0", ""}:
        raise BadRequestError(f"{name} must be true or false")
    return value in {"true", "1"}


def seconds_param_as_ms(request: web.Request, name: str) -> int | None:
    """Return a Unix time in seconds as milliseconds."""
    value = int_param(request, name)
    return None if value is None else value * 1_000


async def read_body(request: web.Request, body_type: type[T]) -> T:
    """Read a JSON body. Raises BadRequestError."""
    try:
        return wire.decode(await request.read(), body_type)
    except wire.DecodeError as error:
        raise BadRequestError(str(error)) from None


def paginate(
    request: web.Request,
    items: Iterable[T],
    key: Callable[[T], str],
    *,
    default_limit: int = 100,
    max_limit: int = 1_000,
) -> tuple[list[T], str]:
    """Return one page and the cursor of the next, empty at the end. Raises BadRequestError for a bad limit or cursor.

    The cursor names the last item given, so that items which come in at the front between two pages shift nothing.
    """
    limit = int_param(request, "limit", default_limit) or default_limit
    if not 1 <= limit <= max_limit:
        raise BadRequestError(f"limit must be 1 to {max_limit}")
    after = _decode_cursor(text_param(request, "cursor"))
    source = iter(items)
    if after:
        for item in source:
            if key(item) == after:
                break
    taken: list[T] = []
    for item in source:
        if len(taken) == limit:
            return taken, base64.urlsafe_b64encode(key(taken[-1]).encode()).decode()
        taken.append(item)
    return taken, ""


def _decode_cursor(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, UnicodeError):
        raise BadRequestError("cursor was not given by this exchange") from None
