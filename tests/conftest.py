"""Options of the test run, which tests are slow, and the signals that the programs under test start with."""

import gc
import signal
from collections import defaultdict
from fnmatch import fnmatchcase

import pytest
from hypothesis import HealthCheck, settings

# Hypothesis draws this many examples unless a test says otherwise. `make test-all` asks for the profile "whole", under
# which the budgets of `tests.support.budget` are the full ones.
# No bound in time: what a draw takes says how busy the machine is.
settings.register_profile("whole", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("whole"), max_examples=30)
settings.load_profile("ci")

# A run in the background (`nohup make test &`) begins with these signals ignored, and every program that a test starts
# would inherit that and never notice Ctrl+C or a closed terminal. A signal with a handler is reset in a child.
signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


# A drawn screen is tens of thousands of small objects without cycles. At the usual threshold a third of the time of the
# screens' tests went into looking through them.
gc.set_threshold(50_000, 20, 20)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden screens again; read the diff")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the slow cases, and leave out the nightly runs unless they are asked for with ``-m nightly``."""
    mark_slow_cases(items)
    if "nightly" in str(config.getoption("-m")):
        return
    left_out = [item for item in items if item.get_closest_marker("nightly")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]


def mark_slow_cases(items: list[pytest.Item]) -> None:
    """Mark as slow the cases that a test's marker ``quick_cases`` does not name; where it names none, all stay."""
    cases: dict[str, list[tuple[pytest.Item, bool]]] = defaultdict(list)
    for item in items:
        marker = item.get_closest_marker("quick_cases")
        if marker is not None:
            test, _, case = item.nodeid.partition("[")
            cases[test].append((item, any(fnmatchcase(case[:-1], pattern) for pattern in marker.args)))
    for found in cases.values():
        if any(quick for _, quick in found):
            for item, quick in found:
                if not quick:
                    item.add_marker("slow")


def pytest_collection_finish() -> None:
    """Keep what is loaded by now out of every later look of the garbage collector."""
    gc.collect()
    gc.freeze()
