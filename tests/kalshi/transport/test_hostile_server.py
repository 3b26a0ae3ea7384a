"""Whatever a server does: a sentence, in bounded time and memory, and business as usual once it behaves."""

import asyncio
import re
import ssl
import time
import tracemalloc
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import certifi
import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.order import Action, OrderTerms
from kalshi_tui.kalshi.environments import DEMO, PRODUCTION, Environment, Kind, practice_on_port
from kalshi_tui.kalshi.errors import BadReply, KalshiError, NotSent, Refused, TransportError, UnknownOutcome, WrongHost
from kalshi_tui.kalshi.feed import stream as streaming
from kalshi_tui.kalshi.feed.stream import Stream, StreamTiming
from kalshi_tui.kalshi.feed.subscription import RecoveryPolicy
from kalshi_tui.kalshi.rest import RestClient, Retry, Timeouts
from kalshi_tui.kalshi.transport.signing import KEY_HEADER, Signer
from kalshi_tui.kalshi.transport.tls import tls_context, validate_proxy
from tests.support.book_handler import KEY_ID, BookHandler
from tests.support.hostile_scripts import BALANCE, BOMB, CHUNKED, MB, REST, STREAM, chunk
from tests.support.hostile_server import (
    CLOSE,
    PING,
    TEXT,
    Reader,
    Script,
    Writer,
    authority,
    both_ways,
    frame,
    honest,
    piped,
    reply,
    saying,
    server_tls,
    serving,
    silence,
    switched,
)
from tests.support.stream_exchange import Desk, Exchange, running
from tests.support.waiting import GENEROUS_S, until

TERMS = OrderTerms("KXWIN-26-A", Side.NO, Action.BUY, price=4000, count=1000)
ONCE = Retry(attempts=1)
IMPATIENT = Timeouts(connect=0.5, piece=0.4, whole=0.5)
"""For servers that never come to an end."""
PATIENT_WITH_ALL = Timeouts(connect=30.0, piece=30.0, whole=60.0)
"""For all others: a busy machine unpacks and reads slowly, and that must not pass for what the server did."""
LIMIT = 1_000_000
ADDRESS = "/trade-api/v2"
STREAM_ADDRESS = "/trade-api/ws/v2"


def client(environment: Environment, signer: Signer, **more: Any) -> RestClient:
    more = {"retry": ONCE, "timeouts": PATIENT_WITH_ALL, "body_limit": LIMIT, **more}
    return RestClient(environment, signer, **more)


async def peak_of(work: Awaitable[object]) -> int:
    """Return the bytes that were taken at the most while this was done."""
    tracemalloc.start()
    try:
        await work
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# REST.


@pytest.mark.parametrize("name", REST)
async def test_rest_says_a_sentence_and_goes_on(name: str, signer: Signer) -> None:
    script, kind, words = REST[name]
    timeouts = IMPATIENT if "too long" in words else PATIENT_WITH_ALL
    async with serving(script) as server, client(practice_on_port(server.port), signer, timeouts=timeouts) as rest:
        async with asyncio.timeout(GENEROUS_S):
            with pytest.raises(kind, match=words) as asked:
                await rest.balance()
            with pytest.raises((UnknownOutcome, Refused), match=rf"{words}|status|makes no sense") as told:
                await rest.create_order(TERMS, "c-1")
        for caught in (asked, told):
            assert str(caught.value).isprintable()
            assert str(caught.value).endswith(".")
        assert len(server.heads) == 2, "a command is sent once"
        server.script = honest(BALANCE)
        async with asyncio.timeout(GENEROUS_S):
            while await _balance_or_error(rest) != MB:
                assert timeouts is IMPATIENT


async def test_a_body_longer_than_it_says_is_cut_there(signer: Signer) -> None:
    longer = reply(BALANCE + b" and more of it" * 1_000, length=len(BALANCE))
    async with serving(saying(longer)) as server, client(practice_on_port(server.port), signer) as rest:
        assert (await rest.balance()).cash == MB
        server.script = honest(b'{"balance":200,"portfolio_value":0}')
        with_patience: int | str = ""
        for _ in range(3):
            # What was too much may spoil the answer that comes next on its connection, and no further one.
            with_patience = await _balance_or_error(rest)
        assert with_patience == 2 * MB


async def _balance_or_error(rest: RestClient) -> int | str:
    try:
        return (await rest.balance()).cash
    except KalshiError as error:
        return str(error)


@pytest.mark.parametrize(
    "body", [BOMB, BOMB[: len(BOMB) // 2], BOMB[:-8] + b"damaged!"], ids=["whole", "cut off", "damaged"]
)
async def test_a_bomb_takes_no_memory(body: bytes, signer: Signer) -> None:
    assert len(body) < 300_000
    script = saying(reply(body, "Content-Encoding: gzip"))
    async with serving(script) as server, client(practice_on_port(server.port), signer, body_limit=32 * MB) as rest:

        async def asked() -> None:
            with pytest.raises(BadReply, match="more than 32,000,000 bytes"):
                await rest.balance()

        assert await peak_of(asked()) < 80 * MB


@pytest.mark.slow
async def test_many_tiny_chunks_take_no_more_memory_than_their_bytes(signer: Signer) -> None:
    body = CHUNKED + chunk(b"  ") * 100_000 + chunk(BALANCE) + b"0\r\n\r\n"
    async with (
        serving(saying(body)) as server,
        client(practice_on_port(server.port), signer, timeouts=Timeouts()) as rest,
    ):
        # h11 has its own copies of what has come and not been taken apart.
        assert await peak_of(rest.balance()) < 5 * MB


async def test_a_redirect_is_not_followed_and_shows_the_key_to_nobody(signer: Signer) -> None:
    async with serving(honest(BALANCE)) as elsewhere:
        there = f"http://127.0.0.1:{elsewhere.port}{ADDRESS}/portfolio/balance"
        for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
            script = saying(reply(b"", f"Location: {there}", status=status))
            async with serving(script) as server, client(practice_on_port(server.port), signer) as rest:
                with pytest.raises(TransportError, match=f"status {status[:3]}"):
                    await rest.balance()
                with pytest.raises(UnknownOutcome, match=f"status {status[:3]}"):
                    await rest.create_order(TERMS, "c-1")
        assert elsewhere.connections == 0


async def test_no_cookie_is_taken(signer: Signer) -> None:
    async with serving(saying(reply(BALANCE, *(f"Set-Cookie: c{n}=1; Path=/" for n in range(50))))) as server:
        async with client(practice_on_port(server.port), signer) as rest:
            await rest.balance()
            server.script = honest(BALANCE)
            for _ in range(2):
                await _balance_or_error(rest)
        assert len(server.heads) >= 2
        assert not any(b"cookie" in head.lower() for head in server.heads)


# The stream.

QUICK = StreamTiming(tick=0.01, first_wait=0.01, longest_wait=0.02, open=0.3, dead_after=1.0, refused_wait=60.0)
PATIENT = replace(QUICK, open=20.0, dead_after=20.0)
"""Where something else than time is to end it: a busy machine must not make it that."""


@pytest.mark.quick_cases("never*", "a frame*", "an opcode*", "a masked*", "a refusal*", "a flood*", "a 101 that*")
@pytest.mark.parametrize("name", STREAM)
async def test_the_stream_says_a_sentence_and_goes_on(name: str, exchange: Exchange, signer: Signer) -> None:
    script, words = STREAM[name]
    timing = QUICK if words in {"took too long", "was silent for"} else PATIENT
    async with serving(script) as server:
        desk = Desk(exchange, signer, timing=timing)
        desk.stream = Stream(practice_on_port(server.port), signer, desk.feed_handler, timing=timing)
        desk.stream.watch_books(["KXWIN-26-A"])
        async with running(desk):
            told = await _told(desk.feed_handler)
            assert re.search(words, told), told
            assert told.isprintable()
            server.script = piped(exchange.port)
            desk.stream.retry_now()
            await desk.live()
            await until(lambda: desk.right("KXWIN-26-A"))


async def _told(feed_handler: BookHandler) -> str:
    """Wait until the stream says why it is not there, and give the sentence."""
    ways = {LinkState.WAITING, LinkState.REFUSED}
    await until(lambda: any(state in ways for state, _ in feed_handler.links))
    return next(detail for state, detail in feed_handler.links if state in ways)


@pytest.mark.parametrize("last", [frame(CLOSE, b"\x03\xe8"), frame(CLOSE), frame(TEXT, length=68 * MB), b"\xff\xff"])
async def test_books_are_not_trusted_once_nothing_more_can_come(
    last: bytes, exchange: Exchange, signer: Signer
) -> None:
    """A server that says goodbye, or is not listened to any more, and leaves its socket open."""
    say = asyncio.Event()

    async def script(head: bytes, reader: Reader, writer: Writer) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", exchange.port)
        far_writer.write(head)
        passing = asyncio.create_task(both_ways(reader, writer, far_reader, far_writer))
        try:
            await say.wait()
            passing.cancel()
            writer.write(last)
            await asyncio.Event().wait()
        finally:
            passing.cancel()
            far_writer.transport.abort()

    async with serving(script) as server:
        desk = Desk(exchange, signer)
        # Silence alone would take a minute to be noticed.
        timing = StreamTiming(tick=0.01, dead_after=60.0)
        desk.stream = Stream(
            practice_on_port(server.port), signer, desk.feed_handler, timing=timing, uniform=lambda _low, high: high
        )
        desk.stream.watch_books(["KXWIN-26-A"])
        async with running(desk):
            await until(lambda: desk.right("KXWIN-26-A"))
            say.set()
            await until(lambda: not desk.feed_handler.good, 2.0)


@pytest.mark.parametrize("name", ["a frame of 64 MiB and a byte", "empty fragments that never end", "a flood of pings"])
async def test_what_the_stream_refuses_takes_no_memory(name: str, signer: Signer) -> None:
    async with serving(STREAM[name][0]) as server:
        feed_handler = BookHandler()
        stream = Stream(practice_on_port(server.port), signer, feed_handler, timing=PATIENT)

        async def followed() -> None:
            task = asyncio.create_task(stream.run())
            await _told(feed_handler)
            await stream.close()
            await task

        assert await peak_of(followed()) < 20 * MB


async def test_a_flood_of_pings_leaves_the_loop_its_turns(signer: Signer) -> None:
    async with serving(STREAM["a flood of pings"][0]) as server:
        feed_handler = BookHandler()
        stream = Stream(practice_on_port(server.port), signer, feed_handler, timing=PATIENT)
        longest = 0.0

        async def beat() -> None:
            nonlocal longest
            # Time of this process alone: what others take of a busy machine is no fault of the loop's.
            before = time.process_time()
            while True:
                await asyncio.sleep(0)
                longest, before = max(longest, time.process_time() - before), time.process_time()

        beating = asyncio.create_task(beat())
        task = asyncio.create_task(stream.run())
        await until(lambda: sum("flooded" in detail for _, detail in feed_handler.links) >= 6)
        beating.cancel()
        await stream.close()
        await task
        assert longest < 0.5


async def test_pongs_do_not_pile_up_for_a_server_that_does_not_read(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "_MAX_PINGS_PER_CHECK", 10**9)

    async def script(head: bytes, _reader: Reader, writer: Writer) -> None:
        writer.write(switched(head))
        while True:
            writer.write(frame(PING, b"x" * 125) * 100)
            await writer.drain()

    async with serving(script) as server:
        feed_handler = BookHandler()
        # A busy machine may need longer for what is sent than a subscription has for its answer.
        policy = RecoveryPolicy(answer=60.0)
        stream = Stream(practice_on_port(server.port), signer, feed_handler, timing=PATIENT, policy=policy)
        task = asyncio.create_task(stream.run())
        assert "sends and does not read" in await _told(feed_handler)
        await stream.close()
        await task


async def test_a_redirected_handshake_shows_the_key_to_nobody(signer: Signer) -> None:
    async with serving(honest(BALANCE)) as elsewhere:
        there = f"Location: ws://127.0.0.1:{elsewhere.port}{STREAM_ADDRESS}"
        for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
            async with serving(saying(reply(b"", there, status=status))) as server:
                feed_handler = BookHandler()
                stream = Stream(practice_on_port(server.port), signer, feed_handler, timing=PATIENT)
                task = asyncio.create_task(stream.run())
                assert "points elsewhere" in await _told(feed_handler)
                await stream.close()
                await task
        assert elsewhere.connections == 0


# TLS.


def local(port: int) -> Environment:
    """Return a practice exchange that is reached by TLS."""
    return Environment(
        "practice",
        Kind.PRACTICE,
        f"https://127.0.0.1:{port}{ADDRESS}",
        f"wss://127.0.0.1:{port}{STREAM_ADDRESS}",
    )


async def both_say(environment: Environment, signer: Signer, words: str, **more: Any) -> None:
    """Try REST and the stream, and have both say this; a command is not sent."""
    async with client(environment, signer, **more) as rest:
        with pytest.raises(TransportError, match=words):
            await rest.balance()
        with pytest.raises(NotSent, match=words):
            await rest.create_order(TERMS, "c-1")
    feed_handler = BookHandler()
    stream = Stream(environment, signer, feed_handler, timing=QUICK, **more)
    task = asyncio.create_task(stream.run())
    told = await _told(feed_handler)
    await stream.close()
    await task
    assert re.search(words, told), told


def no_tls_1_2(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")


@pytest.mark.parametrize("trouble", ["self-signed", "unknown authority", "another's", "run out", "TLS 1.1"])
async def test_a_server_that_does_not_prove_itself_gets_no_request(
    trouble: str, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = authority(tmp_path)
    if trouble != "unknown authority":
        monkeypatch.setattr(certifi, "where", lambda: str(trusted.file))
    host = "127.0.0.2" if trouble == "another's" else "127.0.0.1"
    by = None if trouble == "self-signed" else trusted
    tls = server_tls(tmp_path, [host], by, old=trouble == "run out")
    if trouble == "TLS 1.1":
        no_tls_1_2(tls)
        # Which of the two depends on whether the server's alert is read before its reset.
        words = "no secure connection can be made with its address|obody answers at"
    else:
        words = "the certificate at its address is not the exchange's"
    async with serving(honest(BALANCE), tls) as server:
        await both_say(local(server.port), signer, words)
        assert server.heads == []


async def test_a_server_that_proves_itself_is_talked_to(
    signer: Signer, exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = authority(tmp_path)
    monkeypatch.setattr(certifi, "where", lambda: str(trusted.file))
    async with serving(honest(BALANCE), server_tls(tmp_path, ["127.0.0.1"], trusted)) as server:
        async with client(local(server.port), signer) as rest:
            assert (await rest.balance()).cash == MB
        server.script = piped(exchange.port)
        desk = Desk(exchange, signer, timing=QUICK)
        desk.stream = Stream(local(server.port), signer, desk.feed_handler, timing=QUICK)
        async with running(desk):
            await desk.live()


def test_tls_is_verified_and_at_least_1_2_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority(tmp_path).file))
    context = tls_context("https://external-api.kalshi.com/trade-api/v2")
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.keylog_filename
    assert "An authority of this test's" not in str(context.get_ca_certs())


# Hosts.


@pytest.mark.parametrize("other", [PRODUCTION, DEMO])
async def test_the_practice_client_signs_nothing_with_another_environments_key(other: Environment, pem: bytes) -> None:
    """The live key above all; and a practice key is no use for any other client."""
    foreign = Signer.from_pem(KEY_ID, pem, environment=other)
    own = Signer.from_pem(KEY_ID, pem, environment=practice_on_port(1))
    async with serving(honest(BALANCE)) as server:
        for environment, signer in ((practice_on_port(server.port), foreign), (other, own)):
            async with client(environment, signer) as rest:
                with pytest.raises(WrongHost, match="was stopped"):
                    await rest.balance()
                with pytest.raises(WrongHost, match="was stopped"):
                    await rest.create_order(TERMS, "c-1")
            feed_handler = BookHandler()
            stream = Stream(environment, signer, feed_handler, timing=QUICK)
            task = asyncio.create_task(stream.run())
            assert "was stopped: the key is for" in await _told(feed_handler)
            await stream.close()
            await task
        assert server.heads == []


# Proxies.


def passing_on(port: int) -> Script:
    """Be a proxy that connects everybody with this port, whomever they ask for."""

    async def script(head: bytes, reader: Reader, writer: Writer) -> None:
        assert head.startswith(b"CONNECT ")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await both_ways(reader, writer, far_reader, far_writer)
        finally:
            far_writer.transport.abort()
        raise EOFError

    return script


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_named_sees_hosts_and_nothing_else(
    scheme: str, pem: bytes, exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = authority(tmp_path)
    monkeypatch.setattr(certifi, "where", lambda: str(trusted.file))
    tls = server_tls(tmp_path, [*sorted(DEMO.hosts), "127.0.0.1"], trusted)
    signer = Signer.from_pem(KEY_ID, pem, environment=DEMO)
    async with (
        serving(honest(BALANCE), tls) as server,
        serving(passing_on(server.port), tls if scheme == "https" else None) as proxy,
    ):
        address = f"{scheme}://127.0.0.1:{proxy.port}"
        async with client(DEMO, signer, proxy=address) as rest:
            assert (await rest.balance()).cash == MB
        assert KEY_HEADER.lower().encode() in server.heads[0].lower()
        server.script = piped(exchange.port)
        desk = Desk(exchange, signer, timing=QUICK)
        desk.stream = Stream(DEMO, signer, desk.feed_handler, timing=QUICK, proxy=address)
        async with running(desk):
            await desk.live()
        asked_for = {head.split()[1] for head in proxy.heads}
        assert asked_for == {f"{host}:443".encode() for host in DEMO.hosts}
        assert not any(KEY_HEADER.lower().encode() in head.lower() for head in proxy.heads)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (saying(reply(b"", status="407 Proxy Authentication Required"), then="close"), "proxy lets nothing through"),
        (saying(reply(b"", status="302 Found"), then="close"), "proxy lets nothing through"),
    ],
    ids=["wants a password", "redirects"],
)
async def test_a_proxy_that_refuses_is_told_and_nothing_was_sent(script: Script, words: str, pem: bytes) -> None:
    signer = Signer.from_pem(KEY_ID, pem, environment=DEMO)
    async with serving(script) as proxy:
        await both_say(DEMO, signer, words, proxy=f"http://127.0.0.1:{proxy.port}")


async def test_what_is_not_encrypted_goes_through_no_proxy(exchange: Exchange, signer: Signer) -> None:
    async with serving(silence) as proxy, serving(honest(BALANCE)) as server:
        address = f"http://127.0.0.1:{proxy.port}"
        async with client(practice_on_port(server.port), signer, proxy=address) as rest:
            assert (await rest.balance()).cash == MB
        desk = Desk(exchange, signer, timing=QUICK, proxy=address)
        async with running(desk):
            await desk.live()
        assert proxy.connections == 0


async def test_the_proxies_of_the_environment_are_not_used(
    exchange: Exchange, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = authority(tmp_path)
    monkeypatch.setattr(certifi, "where", lambda: str(trusted.file))
    tls = server_tls(tmp_path, ["127.0.0.1"], trusted)
    async with (
        serving(silence) as canary,
        serving(honest(BALANCE)) as plain,
        serving(honest(BALANCE), tls) as secure,
    ):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY", "SOCKS_PROXY"):
            for each in (name, name.lower()):
                monkeypatch.setenv(each, f"http://127.0.0.1:{canary.port}")
        for each in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(each, raising=False)
        for environment in (practice_on_port(plain.port), local(secure.port)):
            async with client(environment, signer) as rest:
                assert (await rest.balance()).cash == MB
        plain.script = secure.script = piped(exchange.port)
        for environment in (practice_on_port(plain.port), local(secure.port)):
            desk = Desk(exchange, signer, timing=QUICK)
            desk.stream = Stream(environment, signer, desk.feed_handler, timing=QUICK)
            async with running(desk):
                await desk.live()
        assert canary.connections == 0


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:8080", "proxy", "socks5://127.0.0.1:1", "socks5h://u:secret@h:1", "ftp://h:1", "http://", "http://:80",
     "http://h:x", "http://h:0", "http://h:99999", "http://[::1", "http://h/path", "http://h?secret", "http://h#secret",
     "http://secret@h:1", "http://h\nX:1", "http://a b", "//h:1", "file:///etc/secret"],
)  # fmt: skip
def test_what_is_no_proxy_is_refused_in_a_sentence_that_repeats_nothing_of_it(address: str, signer: Signer) -> None:
    refusals: list[Callable[[], object]] = [
        partial(validate_proxy, address),
        partial(RestClient, DEMO, signer, proxy=address),
        partial(RestClient, practice_on_port(1), signer, proxy=address),
        partial(Stream, DEMO, signer, BookHandler(), proxy=address),
        partial(Stream, practice_on_port(1), signer, BookHandler(), proxy=address),
    ]
    for refused in refusals:
        with pytest.raises(ValueError, match="A proxy must look like") as caught:
            refused()
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://h:1", "https://h", "http://h/", "http://u:p@[::1]:8080", "HTTP://h:1"])
def test_what_is_a_proxy_is_taken(address: str) -> None:
    assert validate_proxy(address) == address
    assert validate_proxy(None) is None


def test_by_an_unencrypted_address_nobody_is_trusted() -> None:
    context = tls_context("http://127.0.0.1:8080/trade-api/v2")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats() == {"x509": 0, "crl": 0, "x509_ca": 0}
