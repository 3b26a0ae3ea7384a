"""Run the benchmarks: `make bench`; `make bench-check` notices a ratio that has become worse by a fifth."""

import argparse
import importlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.measure import Figure, machine

USUAL: Final = ("feed", "filter", "market", "link", "start", "screen", "exchange", "practice", "recording", "soak")
"""Each a module here with a function ``run`` that gives figures; in the order of the results page."""
APART: Final = "nautilus"
"""Needs an environment of its own: `make bench-nautilus`."""
RESULTS: Final = Path(__file__).parent / "RESULTS.md"
WORSE: Final = 1.2
"""How many times worse a ratio may be before it is noticed."""
TABLE: Final = "| what | ours | reference | its figure | ratio | goal |\n| --- | --- | --- | --- | --- | --- |\n"
ROW: Final = re.compile(r"^\| (?P<name>[^|]+) \|(?:[^|]*\|){3} (?P<ratio>[\d.]+) \|", re.MULTILINE)
LINE: Final = re.compile(r"^\| (?P<name>[^|]+) \|.*$", re.MULTILINE)


def main() -> int:
    """Run the named benchmarks, or all; give 1 if one of them has become worse and that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join((*USUAL, APART))}")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    parser.add_argument("--check", action="store_true", help="compare with the table in RESULTS.md")
    options = parser.parse_args()
    print(machine())
    figures: list[Figure] = []
    for name in options.names or USUAL:
        for figure in importlib.import_module(f"benchmarks.{name}").run():
            print(figure.line(), flush=True)
            figures.append(figure)
    if options.write:
        write(figures, whole=not options.names)
    worse = compared(figures, known()) if options.check else []
    for sentence in worse:
        print(sentence)
    return 1 if worse else 0


def write(figures: Sequence[Figure], *, whole: bool = False) -> None:
    """Put these figures into the results page: in the place of those of the same name, new ones at the end.

    ``whole``: they are all that there are, but for those that are measured apart.
    """
    head, _, tail = RESULTS.read_text(encoding="utf-8").partition(TABLE)
    table, blank, rest = tail.partition("\n\n")
    rows = {found["name"]: found[0] for found in LINE.finditer(table)}
    if whole:
        rows = {name: text for name, text in rows.items() if APART in name}
    rows |= {each.name: row(each) for each in figures}
    head = re.sub(r"(?<=Measured on: ).*", machine() + ".", head)
    RESULTS.write_text(head + TABLE + "\n".join(rows.values()) + (blank or "\n") + rest, encoding="utf-8")


def row(figure: Figure) -> str:
    """Write one row of the table."""
    goal = f"{figure.goal}{'' if figure.met else ' NOT MET'}" if figure.goal else ""
    return (
        f"| {figure.name} | {figure.ours:,.3f} {figure.unit} | {figure.reference} | {figure.theirs:,.3f} {figure.unit} "
        f"| {figure.ratio:.2f} | {goal} |"
    )


def known() -> dict[str, float]:
    """Return the ratios of the results page, by name."""
    return {found["name"]: float(found["ratio"]) for found in ROW.finditer(RESULTS.read_text(encoding="utf-8"))}


def compared(figures: Sequence[Figure], before: dict[str, float]) -> list[str]:
    """Return which ratios have become worse by more than a fifth."""
    said = []
    for each in figures:
        old = before.get(each.name)
        if old is None:
            continue
        worse = old / each.ratio if each.least else each.ratio / old
        if worse > WORSE:
            said.append(f"WORSE: {each.name}: the ratio was {old:.2f} and is {each.ratio:.2f}.")
    return said


if __name__ == "__main__":
    sys.exit(main())
