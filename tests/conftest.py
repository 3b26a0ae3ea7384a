"""Options of the test run, and the signals that the programs under test start with."""

import signal

import pytest
from hypothesis import HealthCheck, settings

# Hypothesis draws this many examples unless a test says otherwise. `make test-all` asks for the profile "whole", under
# which the budgets of `tests.support.budget` are the full ones.
# No bound in time: what a draw takes says how busy the machine is.
settings.register_profile("whole", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("whole"), max_examples=50)
settings.load_profile("ci")

# A run in the background (`nohup make test &`) begins with these signals ignored, and every program that a test starts
# would inherit that and never notice Ctrl+C or a closed terminal. A signal with a handler is reset in a child.
signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden screens again; read the diff")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the nightly runs unless they are asked for with ``-m nightly``."""
    if "nightly" in str(config.getoption("-m")):
        return
    left_out = [item for item in items if item.get_closest_marker("nightly")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]
