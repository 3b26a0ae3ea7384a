"""How the tests are laid out: what they import from each other, and how often they look inside the package."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import kalshi_tui

TESTS: Final = Path(__file__).resolve().parent
PACKAGE: Final = Path(kalshi_tui.__file__).resolve().parent
OF_THEIR_OWN: Final = {"audit", "docs", "support", "terminal"}
"""Folders that test no one room of the package: the documents, helpers, and the whole program in a real terminal."""

MAX_LOOKS_INSIDE: Final = 63
"""How often the tests use a private name of an object that is not theirs. May fall, never rise: a test that needs more
asks the package for a seam, or puts the one access into a helper."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(TESTS.rglob("*.py")):
        yield path.relative_to(TESTS).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imports_of(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted name of everything that a module imports, names in modules included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{each.name}" for each in node.names)


def test_no_test_module_imports_another_and_helpers_import_helpers_alone() -> None:
    wrong = []
    for name, tree in modules():
        for imported in imports_of(tree):
            parts = imported.split(".")
            if parts[0] != "tests":
                continue
            if any(part == "conftest" or part.startswith("test_") for part in parts[1:-1]) or (
                name.startswith("support/") and parts[1] != "support"
            ):
                wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_the_folders_of_the_tests_are_those_of_the_package() -> None:
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    tested = {folder for folder in folders if folder.parts and folder.parts[0] not in OF_THEIR_OWN}
    assert sorted(str(each) for each in tested if not (PACKAGE / each / "__init__.py").is_file()) == []


def looks_inside(tree: ast.Module) -> Iterator[int]:
    """Yield the lines at which a private name of another object is used."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
            if not own:
                yield node.lineno


def test_the_tests_look_inside_the_package_no_more_often_than_they_did() -> None:
    found = [f"{name}:{line}" for name, tree in modules() for line in looks_inside(tree)]
    assert len(found) <= MAX_LOOKS_INSIDE, found
