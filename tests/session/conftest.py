"""A session on a practice exchange in a process of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kalshi_tui.domain.link import LinkState
from kalshi_tui.runtime.compose import build_session, practice_access
from kalshi_tui.runtime.launch import PracticeProcess
from kalshi_tui.session.session import Session
from tests.support.waiting import until


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "practice"


@pytest.fixture
def exchange(data: Path) -> Iterator[PracticeProcess]:
    process = PracticeProcess(["--data", str(data), "--seed", "7"])
    yield process
    process.stop()


@pytest.fixture
async def session(exchange: PracticeProcess) -> AsyncIterator[Session]:
    made = build_session(practice_access(exchange.wait_until_ready()))
    await made.start()
    await until(lambda: made.store.connection.state is LinkState.LIVE and made.store.markets and made.store.balance)
    yield made
    await made.stop()
