"""Keys made at run time, handlers that keep what they are given, and the model exchange behind a real WebSocket."""

from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.server import serve

from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import Signer, generate_key
from tests.support.book_handler import KEY_ID, BookHandler, Reports
from tests.support.stream_exchange import Exchange


@pytest.fixture(scope="session")
def pem() -> bytes:
    return generate_key()


@pytest.fixture(scope="session")
def signer(pem: bytes) -> Signer:
    return Signer.from_pem(KEY_ID, pem, environment=practice_on_port(1))


@pytest.fixture
def feed_handler() -> BookHandler:
    return BookHandler()


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
async def exchange(signer: Signer) -> AsyncIterator[Exchange]:
    found = Exchange(signer)
    async with serve(found.handle, "127.0.0.1", 0, process_request=found.process_request, ping_interval=None) as server:
        found.port = next(iter(server.sockets)).getsockname()[1]
        yield found
