"""What the screen does when it is broken: it ends, says by what, and shows nothing of what it held."""

import logging
import threading

import pytest
from rich.console import RenderableType
from rich.traceback import Traceback
from textual.worker import WorkerFailed

from kalshi_tui.ui.app import DeskApp
from tests.support.fake_desk import Clock, FakeDesk

CANARY = "canary " * 3


class RenderedError(ValueError):
    """An error that would draw itself."""

    def __rich__(self) -> RenderableType:
        return CANARY


def account_of_a_thread() -> Traceback:
    """Return what Textual makes of a defect in its own thread."""
    accounts: list[Traceback] = []

    def fails() -> None:
        local = CANARY
        try:
            int(local.upper())
        except ValueError:
            accounts.append(Traceback())

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    return accounts[0]


def raised(error: Exception) -> Exception:
    """Return an error its traceback."""
    with pytest.raises(type(error)):
        raise error
    return error


async def broken_by(app: DeskApp, error: Exception) -> None:
    async with app.run_test():
        app._handle_exception(error)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (raised(TypeError(CANARY)), "TypeError"),
        (raised(RenderedError(CANARY)), "RenderedError"),
        (WorkerFailed(raised(KeyError(CANARY))), "KeyError"),
    ],
    ids=["a usual one", "one that draws itself", "one of a worker"],
)
async def test_a_defect_ends_the_app_and_only_its_type_is_said(
    error: Exception, kind: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    app = DeskApp(FakeDesk(Clock()), clock_ms=Clock(), timer_ms=Clock(0))
    with caplog.at_level(logging.CRITICAL), pytest.raises(type(error)):
        await broken_by(app, error)
    assert (app.fatal_error_type, app.return_code) == (kind, 1)
    assert "canary" not in "".join(capfd.readouterr()).lower()
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[2] is not None


async def test_a_defect_in_textual_s_own_thread_ends_it_too(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    app = DeskApp(FakeDesk(Clock()), clock_ms=Clock(), timer_ms=Clock(0))
    with caplog.at_level(logging.CRITICAL):
        async with app.run_test():
            app.panic(account_of_a_thread())
    assert (app.fatal_error_type, app.return_code) == ("ValueError", 1)
    assert "canary" not in "".join(capfd.readouterr()).lower()
    (record,) = caplog.records
    written = record.getMessage()
    assert "in fails\nValueError: invalid literal for int() with base 10: 'CANARY" in written
    assert CANARY not in written
