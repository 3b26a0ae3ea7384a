"""What a page in a browser on this machine can do to the practice exchange: nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.practice_server import (
    CONTROL,
    PREFIX,
    TOKEN,
    WS_PATH,
    Serving,
    serving,
)

FROM_PAGES = {
    "a script of another site": {"Origin": "https://evil.example"},
    "a sandboxed page": {"Origin": "null"},
    "a page of another port here": {"Origin": "http://127.0.0.1:3000"},
    "a picture or a script element": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "a frame": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    "a page of another port here, no-cors": {"Sec-Fetch-Site": "same-site"},
    "a name that was rebound": {"Host": "evil.example"},
    "a name that looks like here": {"Host": "127.0.0.1.evil.example"},
    "a name below localhost": {"Host": "localhost.evil.example:80"},
    "no name": {"Host": ""},
    "a rebound name, of the same origin by then": {"Host": "evil.example", "Sec-Fetch-Site": "same-origin"},
}


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as made:
        yield made


@pytest.mark.parametrize("page", FROM_PAGES)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{PREFIX}/markets"),
        ("OPTIONS", f"{PREFIX}/portfolio/events/orders"),
        ("POST", f"{PREFIX}/portfolio/events/orders"),
        ("DELETE", f"{PREFIX}/portfolio/events/orders"),
        ("POST", CONTROL),
        ("GET", "/"),
    ],
)
async def test_a_page_is_refused_even_with_a_good_signature(
    exchange: Serving, page: str, method: str, path: str
) -> None:
    signed = (
        exchange.signers["alice"].headers(method, path, exchange.clock.machine_ms(), host="127.0.0.1")
        if path != "/"
        else {}
    )
    reply = await exchange.client.request(
        method, path, headers=signed | {"X-Practice-Token": TOKEN} | FROM_PAGES[page], content=b'{"action": "overflow"}'
    )
    assert reply.status_code == 403
    assert not [name for name in reply.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("page", [name for name, sent in FROM_PAGES.items() if "Host" not in sent])
async def test_a_page_gets_no_stream(exchange: Serving, page: str) -> None:
    headers = exchange.signers["alice"].headers("GET", WS_PATH, exchange.clock.machine_ms(), host="127.0.0.1")
    url = f"ws://127.0.0.1:{exchange.port}{WS_PATH}"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers=headers | FROM_PAGES[page], proxy=None):
            pass
    assert refused.value.response.status_code == 403


async def test_an_answer_says_that_no_page_of_another_origin_may_have_it(exchange: Serving) -> None:
    for path in ("/markets", "/portfolio/balance", "/no/such/thing"):
        reply = await exchange.client.get(PREFIX + path)
        assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert not [name for name in reply.headers if name.startswith("access-control-")]


async def test_an_address_that_a_person_typed_is_answered(exchange: Serving) -> None:
    for host in ("127.0.0.1", "localhost:8080", "[::1]:8080"):
        reply = await exchange.client.get(f"{PREFIX}/markets", headers={"Host": host, "Sec-Fetch-Site": "none"})
        assert reply.status_code == 200


async def test_the_control_needs_the_token_as_well_as_a_signature(exchange: Serving) -> None:
    assert (await exchange.control("overflow", token="")).status_code == 403
    assert (await exchange.control("overflow", token=TOKEN + "x")).status_code == 403
    unsigned = await exchange.client.post(
        CONTROL, headers={"X-Practice-Token": TOKEN}, content=b'{"action":"overflow"}'
    )
    assert unsigned.status_code == 401
    assert (await exchange.control("overflow")).status_code == 200


@pytest.mark.parametrize(
    "lines",
    [
        ["GET {path} HTTP/1.0"],
        ["GET {path} HTTP/1.1", "Host: 127.0.0.1", "Host: evil.example"],
        ["GET {path} HTTP/1.1", "Host: evil.example", "Host: 127.0.0.1"],
        ["GET http://evil.example{path} HTTP/1.1", "Host: evil.example"],
    ],
    ids=["no Host", "two, the good one first", "two, the bad one first", "a whole address"],
)
async def test_no_trick_with_the_host_is_served(exchange: Serving, lines: list[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port)
    written = "\r\n".join([*lines, "Connection: close", "", ""]).format(path=f"{PREFIX}/markets")
    writer.write(written.encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.split()[1] in {b"400", b"403"}
