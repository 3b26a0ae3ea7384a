"""Every rule of the exchange that the code cites stands in docs/kalshi-api.md, under the number cited."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = "docs/kalshi-api.md"
HEADING = re.compile(r"^## (\d+)\. \S", re.MULTILINE)
CITED = re.compile(r"docs/kalshi-api\.md, sections? (\d+(?:(?:, | and | to |, and )\d+)*)\b")
UNNAMED = re.compile(r"\bAPI contract\b|(?<!\.md, )(?<!RFC \d{4}, )\bsections? \d", re.IGNORECASE)
"""A document that is not there, or a section without its page. Sections of RFCs have one."""


def sections_of(numbers: str) -> set[int]:
    """Return the sections of a list such as "3, 5 and 7 to 9"."""
    found: set[int] = set()
    for part in re.split(r",(?: and)? | and ", numbers):
        first, _, last = part.partition(" to ")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def prose(path: Path) -> str:
    """Return a file's text in one line, without the comment signs that begin its lines."""
    return re.sub(r"\s*\n[ \t#>]*", " ", path.read_text(encoding="utf-8"))


def cited(text: str) -> set[int]:
    """Return the sections that a text cites."""
    return set().union(*(sections_of(numbers) for numbers in CITED.findall(text)))


def sources() -> list[Path]:
    """Return what may cite the page: the program, its tests, its documents; not the page and not this file."""
    code = [
        path for folder in ("kalshi_tui", "tests", "benchmarks", "examples") for path in (ROOT / folder).rglob("*.py")
    ]
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    return [path for path in sorted([*code, *texts]) if path not in {ROOT / PAGE, Path(__file__).resolve()}]


SECTIONS = {int(number) for number in HEADING.findall((ROOT / PAGE).read_text(encoding="utf-8"))}


def test_the_sections_are_numbered_without_a_gap() -> None:
    numbers = [int(number) for number in HEADING.findall((ROOT / PAGE).read_text(encoding="utf-8"))]
    assert numbers == list(range(1, len(numbers) + 1))
    # Those that had a number before keep it: later subjects are added at the end.
    assert len(numbers) >= 26


def test_every_section_cited_exists() -> None:
    citing = {path.relative_to(ROOT).as_posix(): cited(prose(path)) for path in sources()}
    assert {name: there - SECTIONS for name, there in citing.items() if there - SECTIONS} == {}
    # Well over a hundred when this was written: a pattern that finds none would pass the line above.
    assert sum(len(CITED.findall(prose(path))) for path in sources()) > 100
    assert {2, 4, 5, 6, 9, 10} <= set().union(*citing.values())


def test_the_sections_that_the_page_itself_names_exist() -> None:
    named = re.findall(r"\bsections? (\d+(?:(?:, | and | to )\d+)*)\b", prose(ROOT / PAGE))
    assert len(named) > 20
    assert set().union(*(sections_of(numbers) for numbers in named)) <= SECTIONS


@pytest.mark.parametrize("folder", ["kalshi_tui", "tests", "benchmarks", "examples", "docs", "."])
def test_a_section_is_cited_with_its_page(folder: str) -> None:
    inside = ROOT / folder
    mine = [path for path in sources() if inside in path.parents and (folder != "." or path.parent == ROOT)]
    assert mine
    found = {
        path.relative_to(ROOT).as_posix(): text
        for path in mine
        if (text := [match.group() for match in UNNAMED.finditer(prose(path))])
    }
    assert found == {}


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("(docs/kalshi-api.md, section 4)", {4}),
        ("docs/kalshi-api.md, sections 2, 6 and 10.", {2, 6, 10}),
        ("docs/kalshi-api.md, sections 4 and 6 to 8", {4, 6, 7, 8}),
        ("docs/kalshi-api.md, section 99", {99}),
        ("docs/kalshi-api.md says so", set()),
    ],
)
def test_a_citation_is_read_as_it_is_written(text: str, sections: set[int]) -> None:
    assert cited(text) == sections
    assert UNNAMED.search(text) is None


@pytest.mark.parametrize("text", ["(API contract, section 4)", "the API contract", "(section 4)", "Sections 6 and 10"])
def test_a_citation_without_its_page_is_found(text: str) -> None:
    assert UNNAMED.search(text)
