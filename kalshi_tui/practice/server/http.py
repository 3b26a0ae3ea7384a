"""Small helpers of the REST side: queries, bodies, pages, replies."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from aiohttp import web
from msgspec import Struct

from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.rejection import Refusal
from kalshi_tui.practice.server import encode_rest

T = TypeVar("T")

JSON: Final = "application/json"


class BadRequestError(Exception):
    """A request that cannot be read; its body has the fields at the top level (docs/kalshi-api.md, section 10)."""

    def __init__(self, details: str) -> None:
        self.details = details
        super().__init__(details)


def reply(body: Struct | Mapping[str, Any], status: int = 200) -> web.Response:
    """Give a JSON answer."""
    return web.Response(body=wire.encode(body), status=status, content_type=JSON)


def refused(refusal: Refusal) -> web.Response:
    """Give the answer to a request that is refused."""
    return reply(encode_rest.error_body(refusal), refusal.status)


def bad_request(error: BadRequestError) -> web.Response:
    """Give the answer to a request that cannot be read."""
    return reply(wire.ErrorBody(code="bad_request", message="bad request", details=error.details), 400)


def text(request: web.Request, name: str) -> str:
    """Give a query parameter, empty if absent."""
    return request.query.get(name, "")


def texts(request: web.Request, name: str) -> list[str]:
    """Give a list parameter: repeated, with commas between, or both."""
    return [part for value in request.query.getall(name, []) for part in value.split(",") if part]


def number(request: web.Request, name: str, default: int | None = None) -> int | None:
    """Give a whole-number parameter. Raises BadRequestError for anything else."""
    value = request.query.get(name)
    if value is None or value == "":
        return default
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 18):
        raise BadRequestError(f"{name} must be a whole number")
    return int(value)


def required_number(request: web.Request, name: str) -> int:
    """Give a whole-number parameter that must be there. Raises BadRequestError."""
    value = number(request, name)
    if value is None:
        raise BadRequestError(f"{name} is required")
    return value


def flag(request: web.Request, name: str) -> bool:
    """Give a boolean parameter, False if absent. Raises BadRequestError for a word that is neither."""
    value = request.query.get(name, "false").lower()
    if value not in {"true", "false", "1", "0", ""}:
        raise BadRequestError(f"{name} must be true or false")
    return value in {"true", "1"}


def seconds(request: web.Request, name: str) -> int | None:
    """Give a Unix time in seconds as milliseconds."""
    value = number(request, name)
    return None if value is None else value * 1_000


async def body(request: web.Request, kind: type[T]) -> T:
    """Read a JSON body. Raises BadRequestError."""
    try:
        return wire.decode(await request.read(), kind)
    except wire.DecodeError as error:
        raise BadRequestError(str(error)) from None


def page(
    request: web.Request, items: Iterable[T], key: Callable[[T], str], *, default: int = 100, most: int = 1_000
) -> tuple[list[T], str]:
    """Give one page and the cursor of the next, empty at the end. Raises BadRequestError for a bad limit or cursor.

    The cursor names the last item given, so that items which come in at the front between two pages shift nothing.
    """
    limit = number(request, "limit", default) or default
    if not 1 <= limit <= most:
        raise BadRequestError(f"limit must be 1 to {most}")
    after = _after(text(request, "cursor"))
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


def _after(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, UnicodeError):
        raise BadRequestError("cursor was not given by this exchange") from None
