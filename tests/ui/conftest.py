"""The golden screens of the desk's tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare with what is kept, or keep it where that was asked for."""

    def compare(name: str, screen: str) -> None:
        path = GOLDEN / f"{name}.txt"
        if request.config.getoption("--update-golden"):
            path.write_text(screen + "\n", encoding="utf-8")
        assert screen + "\n" == path.read_text(encoding="utf-8"), (
            f"{path} differs; --update-golden keeps the new screen"
        )

    return compare
