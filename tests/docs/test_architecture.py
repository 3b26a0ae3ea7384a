"""ARCHITECTURE.md against the tree: no module is missing from it, and nothing that it names is gone."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "kalshi_tui"
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
LISTED = re.findall(r"^- `([\w/]+\.py)`: \S", PAGE, re.MULTILINE)
CITED = re.findall(r"`([\w/]+\.py)`\s+`(\w+(?:\.\w+)?)`", PAGE)
"""A file and a class, function or method in it, side by side."""


def defined_in(path: Path) -> set[str]:
    """Return the names that a module defines, methods as ``Class.method``."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names |= {node.name, *(f"{node.name}.{each.name}" for each in node.body if isinstance(each, FUNCTIONS))}
        elif isinstance(node, FUNCTIONS):
            names.add(node.name)
    return names


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_every_module_stands_in_the_map_once() -> None:
    modules = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
    assert len(LISTED) == len(set(LISTED))
    assert set(LISTED) == modules, "ARCHITECTURE.md, Modules: one line for each"


def test_every_folder_stands_in_the_map() -> None:
    folders = {str(path.parent.relative_to(PACKAGE)) for path in PACKAGE.rglob("__init__.py")} - {"."}
    assert set(re.findall(r"^### `([\w/]+)/`$", PAGE, re.MULTILINE)) == folders


@pytest.mark.parametrize(("file", "name"), CITED)
def test_what_the_steps_name_is_there(file: str, name: str) -> None:
    assert name in defined_in(PACKAGE / file)


def test_the_steps_name_files_and_functions() -> None:
    assert len(CITED) > 15
    for heading, most in (("The way of a frame", 8), ("The way of an order", 10)):
        steps = re.findall(r"^\d+\. ", PAGE.split(f"## {heading}")[1].split("\n## ")[0], re.MULTILINE)
        assert 5 < len(steps) <= most


def test_every_file_that_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:\w+/)+\w+\.(?:py|toml|tcss|md))`", PAGE))
    assert len(named) > 100
    assert not [each for each in sorted(named) if not (PACKAGE / each).exists() and not (ROOT / each).exists()]
