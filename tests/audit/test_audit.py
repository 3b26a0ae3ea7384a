"""The audit's short form in each run of the tests, and one of middle size in the whole run."""

import ast
from functools import partial
from pathlib import Path

import pytest

from tests.audit import scripts
from tests.audit.run import Script, audit
from tests.audit.screens import SMALL

pytestmark = pytest.mark.terminal


def test_every_figure_of_a_short_account_is_right() -> None:
    tally = audit({"short": scripts.short}, with_lists=False, size=SMALL, every=3)
    assert not tally.mismatches, "\n".join(tally.lines())
    assert tally.total > 100
    # What the running desk shows and what `balance` says at that moment are the same to the cent.
    assert tally.compared["desk beside balance"] == 2


@pytest.mark.slow
def test_every_figure_of_the_scripted_accounts_is_right() -> None:
    chosen: dict[str, Script] = {
        "prices": scripts.prices,
        "through zero": scripts.through_zero,
        "settled": scripts.settled,
        "random": partial(scripts.random_history, seed=100, steps=20),
    }
    tally = audit(chosen, time_zones=("Asia/Tokyo",), every=2)
    assert not tally.mismatches, "\n".join(tally.lines())
    assert tally.total > 3_000


def test_the_audit_computes_on_its_own() -> None:
    shared = ("kalshi_tui.kalshi.environments", "kalshi_tui.kalshi.transport.signing")
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kalshi_tui"):
                assert node.module in shared, f"{path.name} imports {node.module}"
