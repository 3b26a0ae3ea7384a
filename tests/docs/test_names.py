"""One name, one meaning: no class or module of the package shares its name with another that means something else."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "kalshi_tui"

# Where a module's folder says whose it is, its base name says what part of the feature it holds, each time the same.
PARTS_OF_A_FEATURE = frozenset({"app", "commands", "pane", "screen", "state", "store", "text", "view"})

# The folders whose modules are named for a noun that has its meaning elsewhere, and treat of that very thing: the
# structs of the exchange, and their way to the domain and back, a module a noun. The modules of the command line's
# commands are named for their commands (`cli/book.py` shows what `domain/book.py` holds).
NAMED_FOR_A_NOUN = ("kalshi/wire", "kalshi/translate")

# Structs named as the exchange names the noun; the domain has the same thing in its own units.
WIRE = "kalshi/wire"

# Module names with one meaning in several layers, and which that is.
SAME_THING = {
    "amend": "changing a resting order: the session's rule, the ticket's screen",
    "candles": "prices by period: in the domain, as the session reads them, as the practice exchange makes them",
    "http": "requests and replies: the client's side, the practice server's side",
}


def paths() -> Iterator[tuple[Path, str]]:
    """Yield each module with its folder in the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, path.parent.relative_to(PACKAGE).as_posix()


def classes_by_name() -> dict[str, list[str]]:
    """Return where each class is defined. One inside another goes by the outer's name too, so it is left out."""
    found = defaultdict(list)
    for path, folder in paths():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not folder.startswith(WIRE):
                found[node.name].append(f"{folder}/{path.name}")
    return found


def modules_by_name() -> dict[str, list[str]]:
    """Return where each module name stands for something that the folder does not say already."""
    found = defaultdict(list)
    for path, folder in paths():
        if path.stem in PARTS_OF_A_FEATURE | {"__init__"} or folder in NAMED_FOR_A_NOUN:
            continue
        if not (folder == "cli" and defines_a_command(path)):
            found[path.stem].append(f"{folder}/{path.name}")
    return found


def defines_a_command(path: Path) -> bool:
    """Return whether a module of the command line adds a command to it."""
    return any(isinstance(node, ast.FunctionDef) and node.name == "add" for node in ast.parse(path.read_text()).body)


def names_with_two_meanings() -> dict[str, list[str]]:
    """Return each name that more than one place defines, with the places."""
    twice = {f"class {name}": where for name, where in classes_by_name().items() if len(where) > 1}
    return twice | {
        f"module {name}": where
        for name, where in modules_by_name().items()
        if len(where) > 1 and name not in SAME_THING
    }


def test_no_name_has_two_meanings() -> None:
    assert not names_with_two_meanings(), "Choose a name that nothing else has."


def test_what_is_excused_is_still_there() -> None:
    modules = modules_by_name()
    assert not [name for name in SAME_THING if len(modules.get(name, ())) < 2]
