"""What the documents say, held to what the program does."""

import re
from pathlib import Path

import pytest

from kalshi_tui.__main__ import build_parser
from kalshi_tui.practice.simulation.participants import MAX_RATE
from kalshi_tui.ui.commands import Scope, commands_in_scope
from tests.support.arguments import actions_of

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


TOLD = (Scope.DESK, Scope.TICKET, Scope.REVIEW, Scope.AMEND, Scope.WORD, Scope.ALERT)
"""The screens whose keys the README lists; the others have a key or two, which they show."""


@pytest.mark.parametrize("scope", TOLD)
def test_the_readme_lists_every_key(scope: Scope) -> None:
    for command in commands_in_scope(scope):
        # The desk's commands have names too: by these the settings change their keys.
        name = f"`{command.id}` | " if scope is Scope.DESK else ""
        assert f"| `{command.all_keys or f'^p {command.label}'}` | {name}{command.help} |" in README


def test_the_readme_lists_no_other_key() -> None:
    keys = README.split("## Keys")[1].split("\n## ")[0]
    rows = len(re.findall(r"^\| `", keys, re.MULTILINE))
    assert rows == sum(len(commands_in_scope(scope)) for scope in TOLD)


def test_the_screen_in_the_readme_is_a_screen() -> None:
    screen = README.split("# kalshi-tui\n\n```\n")[1].split("\n```")[0].splitlines()
    assert len(screen) == 24
    assert max(map(len, screen)) <= 80
    assert screen[0].strip().startswith("PRACTICE")


def test_every_flag_in_the_documents_exists() -> None:
    known = set()
    parser = build_parser()
    for each in (parser, *next(action.choices for action in actions_of(parser) if action.dest == "command").values()):  # type: ignore[union-attr]  # subparsers
        known |= {flag for action in actions_of(each) for flag in action.option_strings}
    for name in ("README.md", "CHANGELOG.md"):
        for flag in re.findall(r"kalshi-tui[^`\n]*?(--[a-z-]+)", (ROOT / name).read_text()):
            assert flag in known, (name, flag)


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_every_file_that_a_document_names_is_there(name: str) -> None:
    text = (ROOT / name).read_text()
    for path in re.findall(
        r"`((?:kalshi_tui|tests|styles|benchmarks|domain|kalshi|session|practice|ui)/[\w./-]+)`", text
    ):
        assert any((ROOT / base / path).exists() for base in ("", "kalshi_tui")), path
    for target in re.findall(r"\]\(([\w./]+)\)", text):
        assert (ROOT / target).exists(), target


def test_the_make_targets_in_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md"):
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / name).read_text(), re.MULTILINE))
        assert named <= targets


@pytest.mark.parametrize("name", ["PRACTICE.md", "docs/bots.md"])
def test_the_documents_name_the_highest_rate(name: str) -> None:
    assert f"up to {MAX_RATE:,}" in (ROOT / name).read_text()
