"""Journeys in a real tmux, and the screens of them that are kept."""

import shutil
from pathlib import Path

import pytest

from tests.support.journeys import (
    NAMES,
    OPENING,
    SCREENS,
    SHOWN,
    SIZES,
    Tmux,
    journey,
    written,
)
from tests.support.terminal import ROOT

README = (ROOT / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.terminal
@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_a_journey_in_tmux_brings_every_screen(tmp_path: Path) -> None:
    size = SIZES[0]
    kept = tmp_path / "screens"
    kept.mkdir()
    with Tmux(tmp_path, *size) as tmux:
        journey(tmux, written(kept, size))
        assert tmux.ended
    made = {path.name: path.read_text(encoding="utf-8") for path in kept.iterdir()}
    assert set(made) == {f"{name}-80x24.txt" for name in NAMES}
    for name, screen in made.items():
        rows = screen.removesuffix("\n").split("\n")
        assert len(rows) == size[1], name
        assert max(map(len, rows)) <= size[0], name
        assert "PRACTICE" in rows[0] + rows[1], name
    assert "FILLED" in made["filled-80x24.txt"]
    assert "cash $10,000.00" in made["desk-80x24.txt"]
    assert "positions 1" in made["positions-80x24.txt"]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", NAMES)
def test_each_kept_screen_has_its_size_and_tells_nothing_of_the_machine(name: str, size: tuple[int, int]) -> None:
    path = SCREENS / f"{name}-{size[0]}x{size[1]}.txt"
    text = path.read_text(encoding="utf-8")
    rows = text.removesuffix("\n").split("\n")
    assert len(rows) == size[1]
    assert max(map(len, rows)) <= size[0]
    assert "".join(rows).isprintable()
    assert not [word for word in ("/tmp", "/home", "/root", "/Users", "@") if word in text]


def test_no_other_screens_are_kept_and_the_readme_names_them_all() -> None:
    kept = {path.name for path in SCREENS.iterdir()}
    assert kept == {f"{name}-{columns}x{rows}.txt" for name in NAMES for columns, rows in SIZES}
    for name in kept:
        assert f"](docs/screens/{name})" in README


def test_the_readme_shows_one_of_them() -> None:
    shown = README.split(OPENING)[1].split("```\n")[0]
    assert shown == (SCREENS / SHOWN).read_text(encoding="utf-8")
