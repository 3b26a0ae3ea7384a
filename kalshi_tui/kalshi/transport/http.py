"""Send HTTP requests: signing, bounds of time and size, retries of reads, and what the failure of a command means.

`RestClient` knows the requests; this module knows how they are sent (docs/kalshi-api.md, sections 2, 6 and 10). A
failed read raises `TransportError`, `Refused` or `BadReply`. A failed command raises `NotSent`, `Refused` or
`UnknownOutcome`.
"""

import asyncio
import logging
import socket
import zlib
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, Protocol, TypeVar

import httpx
import stamina
from msgspec import Struct

from kalshi_tui import __version__
from kalshi_tui.domain.price import NumberError
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.environments import Environment
from kalshi_tui.kalshi.errors import (
    AuthenticationFailed,
    BadReply,
    DuplicateOrder,
    EndpointNotFound,
    Forbidden,
    KalshiError,
    NoKey,
    NotFound,
    NotSent,
    RateLimited,
    Refused,
    ServerFault,
    TransportError,
    UnknownOutcome,
    WrongHost,
    known_error_sentence,
)
from kalshi_tui.kalshi.lists import LeftOut, Read
from kalshi_tui.kalshi.translate import TranslationError
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.kalshi.transport.rate_limit import TooBusyError, WriteBudget
from kalshi_tui.kalshi.transport.shard_budgets import ShardBudgets
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.kalshi.transport.tls import (
    describe_tls_error,
    iterate_causes,
    proxy_for,
    tls_context,
    to_httpx_proxy,
)
from kalshi_tui.kalshi.transport.token_costs import TokenCosts
from kalshi_tui.kalshi.transport.tolerant_decode import decode_reply
from kalshi_tui.kalshi.wire import DecodeError

logging.getLogger("stamina").addHandler(
    logging.NullHandler()  # without it each retry is printed to standard error, which is the trader's screen
)

_log: Final = logging.getLogger("kalshi_tui.rest")
_log.addHandler(logging.NullHandler())  # without it warnings are printed to standard error, the trader's screen

T = TypeVar("T")
U = TypeVar("U")

Params = Mapping[str, str | int | Sequence[str] | None]
Body = Struct | Mapping[str, str | int | bool]

TOO_MANY_REQUESTS: Final = 429
MAX_LOGGED_ITEMS: Final = 10_000
"""How many items that were left out are logged: each once, and then no more."""
MAX_BODY_BYTES: Final = 32 * 1024 * 1024
"""Largest body accepted, decompressed: a page of 1,000 markets has 3 million bytes."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How a failed read is repeated: exponential backoff with jitter, in seconds. No command is ever repeated.

    ``Retry(attempts=1)`` repeats nothing::

        client = KalshiClient(DEMO, retry=Retry(attempts=2, total=5.0))
    """

    attempts: int = 4
    """How often a read is sent at most."""
    first_wait: float = 0.2
    """Seconds before the second attempt; each further wait is twice as long."""
    longest_wait: float = 5.0
    """Seconds of the longest wait, jitter not counted."""
    jitter: float = 0.5
    """Seconds of the largest random addition to a wait."""
    total: float = 30.0
    """Seconds after which no further attempt is made."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a request may take, in seconds. A read that takes longer raises TransportError.

    A command that takes longer raises NotSent before the connection is made, UnknownOutcome after it.
    """

    connect: float = 5.0
    """Until the connection is made."""
    piece: float = 10.0
    """Between two pieces of a reply."""
    whole: float = 30.0
    """From the first byte of the request to the last of the reply."""


class Page(Protocol):
    """A reply with a cursor."""

    @property
    def cursor(self) -> object:
        """The cursor of the next page; empty or null on the last."""


P = TypeVar("P", bound=Page)


class _BodyTooLargeError(Exception):
    """Report a body that is larger than the limit."""


class _DecompressionError(Exception):
    """Report a body with an encoding that was not asked for, or one that is damaged or breaks off."""


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes


class SigningAuth(httpx.Auth):
    """Sign each attempt with a fresh timestamp, and only for the environment's own server.

    docs/kalshi-api.md, section 2.
    """

    def __init__(self, signer: Signer, environment: Environment, clock: ExchangeClock) -> None:
        self._signer = signer
        self._origin = environment.signing_origin
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the three headers to a request. Raises WrongHost for any other server."""
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        if (url.scheme, url.host, port) != self._origin:
            raise WrongHost(url.host, [self._origin[1]])
        path = url.raw_path.partition(b"?")[0].decode("ascii")
        request.headers.update(self._signer.headers(request.method, path, self._clock.now_ms(), host=url.host))
        yield request


class HttpClient:
    """Send reads and commands to one environment's REST API."""

    def __init__(
        self,
        environment: Environment,
        signer: Signer | None = None,
        *,
        clock: ExchangeClock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
        retry: Retry | None = None,
        body_limit: int = MAX_BODY_BYTES,
        url: str | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        read_only: bool = False,
        on_left_out: Callable[[LeftOut], None] | None = None,
        write_budget: WriteBudget | None = None,
    ) -> None:
        """Set up the client; nothing is sent. Raises ValueError for a proxy that cannot be used.

        ``url`` is the base of all paths (default: the API's), ``headers`` go with every request. ``proxy`` is the
        address of an HTTP proxy, ``http://`` or ``https://``. With ``read_only`` no command leaves: each raises
        NotSent. ``on_left_out`` is called with every item that is left out of a list, each time.
        ``write_budget`` holds the tokens that commands wait for (default: the account's, by this machine's clock).
        """
        self._read_only = read_only
        self._on_left_out = on_left_out
        self._logged: set[LeftOut] = set()
        self.clock = clock or ExchangeClock()
        self._url = environment.rest_url if url is None else url
        self._auth = SigningAuth(signer, environment, self.clock) if signer is not None else None
        self._max_body_bytes = body_limit
        unscoped = write_budget or WriteBudget()
        self.write_budgets = ShardBudgets(unscoped)
        self.read_budget = unscoped.read_budget()
        self.token_costs = TokenCosts()
        times = timeouts or Timeouts()
        self._request_timeout_s = times.whole
        tls = tls_context(self._url)
        through = proxy_for(self._url, proxy)
        self._client = httpx.AsyncClient(
            transport=transport,
            verify=tls,
            proxy=to_httpx_proxy(through, tls),
            # Accept no cookie: it would be kept for the whole run, and sent back.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(times.piece, connect=times.connect),
            limits=httpx.Limits(max_connections=8, max_keepalive_connections=8, keepalive_expiry=50.0),
            headers={
                "User-Agent": f"kalshi-tui/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                **(headers or {}),
            },
        )
        self._retrying = _make_retrying(retry or Retry())

    def send_reads_once(self) -> None:
        """Send each read once from now on."""
        self._retrying = _make_retrying(Retry(attempts=1))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    # Reads.

    async def get(
        self,
        path: str,
        reply_type: type[T],
        params: Params | None = None,
        *,
        private: bool = False,
        one_thing: bool = False,
        left_out: list[LeftOut] | None = None,
    ) -> T:
        """Send a read, again where that may help. Raises TransportError, Refused, BadReply, or NoKey if it is private.

        ``one_thing``: the path names a thing, and a 404 says that there is none (NotFound); of anything else, such as a
        list, it says nothing (EndpointNotFound). Items of a list that cannot be read are left out, reported, and added
        to ``left_out``.
        """
        if private and self._auth is None:
            raise NoKey
        lost: list[LeftOut] = []
        try:
            reply: T = await self._retrying(self._get_once, path, reply_type, params, lost)
        except NotFound as error:
            if one_thing:
                raise
            raise EndpointNotFound(error.status, error.code, error.message, error.details) from error
        for each in lost:
            self.leave_out(each, left_out)
        return reply

    def leave_out(self, item: LeftOut, left_out: list[LeftOut] | None = None) -> None:
        """Report an item that is left out of a list: once in the log, to the listener, and in ``left_out``.

        A field that is left out of an item is reported, and not in ``left_out``: the list has all its items.
        """
        if item not in self._logged and len(self._logged) < MAX_LOGGED_ITEMS:
            self._logged.add(item)
            _log.warning("Left out, for it cannot be read: %s", item)
        if left_out is not None and not item.field:
            left_out.append(item)
        if self._on_left_out is not None:
            self._on_left_out(item)

    def translate_items(
        self,
        change: Callable[[U], T],
        sources: Iterable[U] | None,
        what: str,
        name: Callable[[U], object],
        left_out: list[LeftOut],
    ) -> Iterable[T]:
        """Yield the translated items of a list without those that make no sense: one must not hide 70,000 others."""
        for source in sources or ():
            try:
                changed, odd = translate.translate_without_spare(change, source)
            except (TranslationError, NumberError) as error:
                named = translate.clean(str(name(source)), translate.MAX_ID_LENGTH)
                self.leave_out(LeftOut(what, named, translate.clean(str(error))), left_out)
            else:
                for field in odd:
                    named = translate.clean(str(name(source)), translate.MAX_ID_LENGTH)
                    self.leave_out(LeftOut(what, named, translate.UNREADABLE_FIELD, field), left_out)
                yield changed

    async def _get_once(self, path: str, reply_type: type[T], params: Params | None, left_out: list[LeftOut]) -> T:
        if self._auth is not None:
            await self.read_budget.acquire(self.token_costs.cost("GET", path))
        try:
            reply = await self._request("GET", path, params)
        except (httpx.HTTPError, TimeoutError) as error:
            raise TransportError(f"The exchange could not be reached: {_describe_transport_error(error)}.") from error
        except (_BodyTooLargeError, _DecompressionError) as error:
            raise BadReply(f"The exchange's reply cannot be read: {error}.") from error
        if reply.status == TOO_MANY_REQUESTS:
            self.read_budget.empty()
        if not 200 <= reply.status < 300:
            raise self._error_from_reply(reply)
        try:
            return decode_reply(reply.body, reply_type, left_out)
        except DecodeError as error:
            raise BadReply(f"The exchange's reply to {path} makes no sense: {translate.clean(str(error))}.") from error

    async def iterate_pages(
        self,
        path: str,
        params: Params,
        reply_type: type[P],
        *,
        private: bool = False,
        left_out: list[LeftOut] | None = None,
        broken_off: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[P]:
        """Yield pages until the cursor is empty (docs/kalshi-api.md, section 8).

        A cursor that comes twice ends them too, or the pages would never end; ``broken_off`` is called then.
        """
        seen: set[str] = set()
        cursor = ""
        while True:
            page = await self.get(
                path, reply_type, {**params, "cursor": cursor or None}, private=private, left_out=left_out
            )
            yield page
            next_cursor = page.cursor
            if not isinstance(next_cursor, str) or not next_cursor:
                return
            if next_cursor in seen:
                broken_off()
                self.leave_out(LeftOut("page", path, "the exchange sent the same cursor twice"))
                return
            seen.add(next_cursor)
            cursor = next_cursor

    async def fetch_all(
        self,
        path: str,
        params: Params,
        reply_type: type[P],
        items_of: Callable[[P], Iterable[U] | None],
        convert: Callable[[U], T],
        what: str,
        name: Callable[[U], object],
        max_items: int | None = None,
        *,
        private: bool = False,
    ) -> Read[T]:
        """Read a list, all pages or at most ``max_items``. Items that make no sense are in its ``left_out``."""
        found, lost = Read[T](), list[LeftOut]()

        def broken_off() -> None:
            found.broken_off = True

        async for page in self.iterate_pages(
            path, params, reply_type, private=private, left_out=lost, broken_off=broken_off
        ):
            found.extend(self.translate_items(convert, items_of(page), what, name, lost))
            if max_items is not None and len(found) >= max_items:
                del found[max_items:]
                break
        found.left_out = tuple(lost)
        return found

    # Commands.

    async def send_command(
        self,
        method: str,
        path: str,
        reply_type: type[T],
        command_name: str,
        request: Struct | None = None,
        params: Params | None = None,
        *,
        item_count: int = 1,
        billed_shard: int | None = 0,
        gives_way: bool = False,
        one_thing: bool = False,
    ) -> T:
        """Send a command exactly once and read its reply. Raises NotSent, Refused or UnknownOutcome.

        docs/kalshi-api.md, sections 6 and 10. ``command_name`` begins the sentences of the errors: "The order", "The
        cancel". ``item_count`` is the number of items of a batch, which costs as much as so many commands.
        ``billed_shard`` is the shard whose tokens pay, None for those of every shard (docs/kalshi-api.md, section 14).
        What ``gives_way`` waits for no tokens: it is not sent unless there are some to spare. ``one_thing``: the path
        names a thing, and a 404 says that there is none (NotFound).
        """
        reply = await self._send(
            method,
            path,
            command_name,
            request,
            params,
            item_count,
            billed_shard,
            gives_way=gives_way,
            one_thing=one_thing,
        )
        try:
            return decode_reply(reply.body, reply_type, [])
        except DecodeError as error:
            raise UnknownOutcome(
                f"{command_name} was sent, but the answer makes no sense ({translate.clean(str(error))}): "
                "what became of it is not known.",
                status=reply.status,
            ) from error

    async def send_command_without_reply(
        self, method: str, path: str, command_name: str, request: Body | None = None, params: Params | None = None
    ) -> None:
        """Send a command exactly once whose reply is only a status. Raises NotSent, Refused or UnknownOutcome."""
        await self._send(method, path, command_name, request, params)

    async def _send(
        self,
        method: str,
        path: str,
        command_name: str,
        request: Body | None = None,
        params: Params | None = None,
        item_count: int = 1,
        billed_shard: int | None = 0,
        *,
        gives_way: bool = False,
        one_thing: bool = False,
    ) -> _Reply:
        if self._read_only:
            raise NotSent(f"{command_name} was not sent: the program only watches (read-only). Nothing was done.")
        if self._auth is None:
            raise NoKey
        content = wire.encode(request) if request is not None else None
        is_cancel = method == "DELETE"
        try:
            cost = self.token_costs.cost(method, path) * item_count
            if gives_way:
                self.write_budgets.spend_spare(cost, shard=billed_shard)
            else:
                await self.write_budgets.acquire(cost, urgent=is_cancel, shard=billed_shard)
            reply = await self._request(method, path, params, content)
        except TooBusyError as error:
            raise NotSent(
                f"{command_name} was not sent: too many at a time for this account. Nothing was done."
            ) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise NotSent(
                f"{command_name} was not sent: no connection to the exchange "
                f"({_describe_transport_error(error)}). Nothing was done."
            ) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise UnknownOutcome(
                f"{command_name} was sent, but no answer came ({_describe_transport_error(error)}): what "
                f"became of it is not known."
            ) from error
        except (_BodyTooLargeError, _DecompressionError) as error:
            raise UnknownOutcome(
                f"{command_name} was sent, but the answer cannot be read ({error}): what became of it is not known."
            ) from error
        if 400 <= reply.status < 500 and reply.status != 408:
            refusal = self._error_from_reply(reply)
            raise refusal if one_thing else _of_nothing_named(refusal)
        if not 200 <= reply.status < 300:
            raise UnknownOutcome(
                f"{command_name} was sent, but the exchange answered with status {reply.status}: "
                "what became of it is not known.",
                status=reply.status,
            )
        return reply

    # One request.

    async def _request(
        self, method: str, path: str, params: Params | None = None, content: bytes | None = None
    ) -> _Reply:
        """Send one request and read the whole reply within the bounds of time and size.

        Raises as httpx does, and NotSent for a path that no address can have: it holds what a person gave, such as a
        ticker of 70,000 letters.
        """
        try:
            request = self._client.build_request(
                method,
                self._url + path,
                params=_query_pairs(params),
                content=content,
                headers={"Content-Type": "application/json"} if content is not None else None,
            )
        except httpx.InvalidURL as error:
            raise NotSent(f"Nothing was sent: what was asked for makes no address ({error}).") from None
        async with asyncio.timeout(self._request_timeout_s):
            sent_ms = self.clock.local_ms()
            response = await self._client.send(request, stream=True, auth=self._auth)
            try:
                if "age" not in response.headers:
                    self.clock.update_skew(response.headers.get("date"), sent_ms, self.clock.local_ms())
                return _Reply(response.status_code, await self._read_body(response))
            finally:
                await response.aclose()

    async def _read_body(self, response: httpx.Response) -> bytes:
        """Read a body and decompress it here: the limit has to hold before the memory is taken, not after."""
        limit = self._max_body_bytes
        if response.is_stream_consumed:
            if len(response.content) > limit:
                raise _BodyTooLargeError(f"it has more than {limit:,} bytes")
            return response.content
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", "", "gzip"}:
            raise _DecompressionError(f"it is packed as {translate.clean(encoding, 40)!r}, which was not asked for")
        unpack = zlib.decompressobj(31) if encoding == "gzip" else None
        # One buffer, for a list of parts of two bytes each would take forty times their memory.
        body = bytearray()
        received = 0
        async for raw in response.aiter_raw():
            received += len(raw)
            try:
                body += unpack.decompress(raw, limit - len(body) + 1) if unpack is not None else raw
            except zlib.error as error:
                raise _DecompressionError("its packing is damaged") from error
            if len(body) > limit or received > limit:
                raise _BodyTooLargeError(f"it has more than {limit:,} bytes")
            if unpack is not None and unpack.unused_data:
                # zlib keeps whatever follows the end, without a limit.
                raise _DecompressionError("its packing is damaged")
        if unpack is not None and received and not unpack.eof:
            raise _DecompressionError("it breaks off")
        return bytes(body)

    def _error_from_reply(self, reply: _Reply) -> KalshiError:
        """Return the error of a status other than 2xx (docs/kalshi-api.md, section 10)."""
        code, message, details = parse_error_body(reply.body)
        status = reply.status
        if status == 401:
            return AuthenticationFailed(status, code, message, details, skew_ms=self.clock.skew_ms)
        if status == 403:
            return Forbidden(status, code, message, details)
        if status == 404:
            return NotFound(status, code, message, details)
        if status == 429:
            return RateLimited(status, code, message, details)
        if status == 409 and code == "order_already_exists":
            return DuplicateOrder(status, code, message, details)
        if 400 <= status < 500 and status != 408:
            return Refused(status, code, message, details)
        return ServerFault(status, message or details or code)


def _of_nothing_named(error: KalshiError) -> KalshiError:
    """Return the error of a command whose path names no thing: a 404 does not say that one is gone.

    Orders that were to be canceled together may all rest. A code that says what is not there is kept.
    """
    if isinstance(error, NotFound) and not known_error_sentence(error.code, error.details):
        return Refused(error.status, error.code, error.message, error.details)
    return error


def parse_error_body(body: bytes) -> tuple[str, str, str]:
    """Return code, message and details of a rejection in any of its shapes, cleaned; empty where there are none."""
    try:
        parsed = wire.decode(body, wire.ErrorBody)
    except DecodeError:
        return "", "", ""
    nested = parsed.error
    if isinstance(nested, wire.ErrorDetail) and (nested.code or nested.message):
        found: tuple[str, str, str] = (nested.code, nested.message, translate.text_or_empty(nested.details))
    else:
        message = translate.text_or_empty(parsed.message) or (nested if isinstance(nested, str) else "")
        found = (translate.text_or_empty(parsed.code), message, translate.text_or_empty(parsed.details))
    code, message, details = (translate.clean(text) for text in found)
    return code, message, details


def _make_retrying(plan: Retry) -> stamina.BoundAsyncRetryingCaller:
    return stamina.AsyncRetryingCaller(
        attempts=plan.attempts,
        timeout=plan.total,
        wait_initial=plan.first_wait,
        wait_max=plan.longest_wait,
        wait_jitter=plan.jitter,
    ).on(_retry_wait)


def _retry_wait(error: Exception) -> bool | float:
    """Return whether a failed read is repeated, or after how many seconds: True is as `Retry` says.

    That is after 429, 5xx and a transport error. After a signature by a clock that was wrong it is repeated at once:
    the reply has corrected the clock.
    """
    if isinstance(error, AuthenticationFailed) and error.skew_ms:
        return 0.0
    return isinstance(error, TransportError | RateLimited)


def _describe_transport_error(error: Exception) -> str:
    """Return what a transport's exception means, in words; its own text may hold addresses, so it is not used."""
    if isinstance(error, httpx.ProxyError):
        return "the proxy lets nothing through"
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return "connecting took too long"
    if isinstance(error, httpx.TransportError) and (fault := describe_tls_error(error)):
        return fault
    if isinstance(error, httpx.ConnectError):
        if _is_name_error(error):
            return "its name leads to no address from here"
        return "nobody answers at its address"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "it took too long"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError | httpx.CloseError):
        return "the connection broke"
    return "the connection failed"


def _is_name_error(error: Exception) -> bool:
    """Return whether it was the name that could not be resolved, as without network: then nobody was asked."""
    return any(isinstance(cause, socket.gaierror) for cause in iterate_causes(error))


def _query_pairs(params: Params | None) -> list[tuple[str, str | int | float | bool | None]]:
    """Return the query: None is left out, a list repeats its name."""
    pairs: list[tuple[str, str | int | float | bool | None]] = []
    for name, value in (params or {}).items():
        if value is None:
            continue
        if isinstance(value, str | int):
            pairs.append((name, value))
        else:
            pairs.extend((name, each) for each in value)
    return pairs


def translate_reply(convert: Callable[[U], T], source: U) -> T:
    """Translate the reply to a read, without what it can do without. Raises BadReply."""
    try:
        return translate.translate_without_spare(convert, source)[0]
    except (TranslationError, NumberError) as error:
        raise BadReply(f"The exchange's reply makes no sense: {error}") from error


def translate_acknowledgement(convert: Callable[[U], T], source: U, command_name: str) -> T:
    """Translate the reply to a command. Raises UnknownOutcome: the reply does not prove whether it was done."""
    try:
        return convert(source)
    except (TranslationError, NumberError) as error:
        order_id = getattr(source, "order_id", "")
        raise UnknownOutcome(
            f"{command_name} was sent, but the answer makes no sense ({error}): what became of it is not known.",
            order_id=translate.clean(order_id, translate.MAX_ID_LENGTH),
        ) from error
