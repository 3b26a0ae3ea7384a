"""What every request passes first: is it local, is it signed, is it within the rate limit; and rehearsed faults."""

import asyncio
import contextlib
import ipaddress
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from msgspec import Raw, Struct

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.transport.signing import KEY_HEADER, PRACTICE_CONTROL, PRACTICE_REPLAY
from kalshi_tui.practice.engine.ledger import SHARDS
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server.attestation import Attestation
from kalshi_tui.practice.server.auth import Authenticator
from kalshi_tui.practice.server.faults import Faults
from kalshi_tui.practice.server.http import (
    ACCOUNT_ID_KEY,
    LOCKED_SUBACCOUNT_KEY,
    BadRequestError,
    bad_request_reply,
    json_reply,
    rejection_reply,
)
from kalshi_tui.practice.server.subaccount_params import require_path_for_lock
from kalshi_tui.practice.server.throttle import Throttle
from kalshi_tui.practice.server.write_buckets import UNSCOPED, find_billed_shards

SIGNED_ARCHIVE: Final = ("/historical/orders", "/historical/fills", "/historical/positions")
SIGNED_PATHS: Final = (
    "/portfolio/",
    "/account/limits",
    "/account/api_usage_level",
    "/api_keys",
    "/communications/",
    "/exchange/user_data_timestamp",
    *SIGNED_ARCHIVE,
)
"""Paths, below the API's prefix, that need the three headers."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _BatchBody(Struct):
    """The part of a batch that its cost depends on."""

    orders: list[Raw]


class RequestGuard:
    """Lets a request through to its handler, or answers for it."""

    def __init__(
        self, authenticator: Authenticator, throttle: Throttle, faults: Faults, attestation: Attestation
    ) -> None:
        self._authenticator = authenticator
        self._attestation = attestation
        self._throttle = throttle
        self._faults = faults

    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Keep browsers out, check signatures, and turn rejections into answers."""
        try:
            _require_local(request)
            path = request.rel_url.raw_path
            below = path.removeprefix(wire.REST_PREFIX)
            if (
                path in {wire.WS_PATH, PRACTICE_CONTROL}
                or below.startswith(SIGNED_PATHS)
                or KEY_HEADER in request.headers
            ):
                await self._authenticate(request, path, below)
            if path in {PRACTICE_CONTROL, PRACTICE_REPLAY}:
                return await handler(request)
            return await self.handle_with_faults(request, handler)
        except Rejection as rejection:
            return rejection_reply(rejection)
        except BadRequestError as error:
            return bad_request_reply(error)
        except ConnectionResetError:
            # The sender went in the middle of its request; nobody reads this answer.
            return web.Response(status=400)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            if error.status == 429:
                return json_reply({"error": "too many requests"}, 429)
            code = {404: "not_found", 405: "method_not_allowed", 413: "request_too_large"}.get(error.status, "error")
            return rejection_reply(Rejection(error.status, code, details=f"{request.method} {request.path[:200]}"))

    async def _authenticate(self, request: web.Request, path: str, below: str) -> None:
        """Find out whose request it is, and whether the key may send it. Raises Rejection."""
        key = self._authenticator.authenticate(request.headers, request.method, path, request.rel_url.raw_query_string)
        request[ACCOUNT_ID_KEY] = key.account_id
        request[LOCKED_SUBACCOUNT_KEY] = key.subaccount
        if path not in {wire.WS_PATH, PRACTICE_CONTROL, PRACTICE_REPLAY}:
            await self._charge_tokens(request, below)
        if path == wire.WS_PATH or below.startswith(SIGNED_PATHS):
            key.require_scope(request.method, below)
            require_path_for_lock(below, key.subaccount)
            await self._attestation.check(request, below)

    async def _charge_tokens(self, request: web.Request, below: str) -> None:
        """Take the tokens of a request; a batch is charged by item (docs/kalshi-api.md, section 10)."""
        items = 1
        if below.endswith("/orders/batched"):
            with contextlib.suppress(wire.DecodeError):
                items = len(wire.decode(await request.read(), _BatchBody).orders)
        shards = await find_billed_shards(request, below, SHARDS) if request.method != "GET" else UNSCOPED
        if not self._throttle.try_charge(request[ACCOUNT_ID_KEY], request.method, below, items, shards):
            raise web.HTTPTooManyRequests
        if self._faults.rate_limits_left > 0:
            self._faults.rate_limits_left -= 1
            raise web.HTTPTooManyRequests

    async def handle_with_faults(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer, late or wrongly if that was asked for."""
        faults = self._faults
        rest = request.path != wire.WS_PATH
        if rest and faults.delays_left > 0:
            faults.delays_left -= 1
            await asyncio.sleep(faults.delay_ms / 1_000)
        meant = faults.fail_method in {"", request.method} and request.path.startswith(
            wire.REST_PREFIX + faults.fail_path if faults.fail_path else ""
        )
        if not (rest and faults.failures_left > 0 and meant):
            return await handler(request)
        faults.failures_left -= 1
        status = faults.failure_status
        if faults.fail_after_processing:
            await handler(request)
        raise Rejection(status, "internal_server_error" if status >= 500 else "bad_request", details="rehearsed")


def _require_local(request: web.Request) -> None:
    """Reject what a web page could send: a foreign ``Host`` (DNS rebinding), any ``Origin``, any but typed addresses.

    A page's pictures, scripts and frames come without ``Origin``; browsers tell by ``Sec-Fetch-Site`` whose they are.
    """
    if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") != "none":
        raise Rejection(403, "forbidden", "forbidden", "requests from web pages are not served")
    host = request.headers.get("Host", "")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    name = name.strip("[]")
    if name == "localhost":
        return
    try:
        local = ipaddress.ip_address(name).is_loopback
    except ValueError:
        local = False
    if not local:
        raise Rejection(403, "forbidden", "forbidden", "only this machine is served")
