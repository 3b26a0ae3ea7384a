"""The guide for people who write bots: its code runs, and what it lists is what there is."""

import re
import subprocess
import sys
from pathlib import Path

from kalshi_tui.__main__ import build_parser
from kalshi_tui.practice.engine.terms import GRIDS
from tests.support.arguments import actions_of
from tests.support.practice_server import serving

GUIDE = (Path(__file__).resolve().parents[2] / "PRACTICE.md").read_text()


def test_the_code_of_the_guide_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "resting 5.00\n"


async def test_the_guide_lists_every_action_and_no_other() -> None:
    table = GUIDE.split("## Rehearsing trouble")[1].split("\n## ")[0]
    listed = {word for row in table.splitlines() if row.startswith("| `") for word in row.split("|")[1].split(", ")}
    async with serving() as exchange:
        told = (await exchange.control("nonsense")).json()["details"]
    assert {word.strip(" `") for word in listed} == set(told.removeprefix("action must be one of ").split(", "))


def test_the_guide_names_every_flag_and_no_other() -> None:
    commands = next(action.choices for action in actions_of(build_parser()) if action.dest == "command")
    assert isinstance(commands, dict)
    known = {flag for action in actions_of(commands["practice"]) for flag in action.option_strings} - {"-h", "--help"}
    assert set(re.findall(r"--[a-z-]+[a-z]", GUIDE)) == known


def test_the_guide_names_the_grids_that_there_are() -> None:
    row = next(line for line in GUIDE.splitlines() if "`change_grid`" in line)
    assert set(re.findall(r"`([a-z_]+)`", row.split("|")[3])) == set(GRIDS)
