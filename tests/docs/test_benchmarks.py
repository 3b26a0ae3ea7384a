"""That a benchmark which has become worse is noticed; the figures themselves are no test's business."""

from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks.measure import Figure


def figure(ours: float, *, least: bool = False) -> Figure:
    return Figure("a thing", "another", ours, 10, bound=3, least=least)


@pytest.mark.parametrize(
    ("ours", "least", "noticed"), [(23, False, False), (25, False, True), (17, True, False), (16, True, True)]
)
def test_a_ratio_that_is_worse_by_a_fifth_is_noticed(ours: float, least: bool, noticed: bool) -> None:
    said = bench.compared([figure(ours, least=least)], {"a thing": 2.0})
    assert bool(said) == noticed
    assert all("a thing" in sentence for sentence in said)
    assert not bench.compared([figure(ours, least=least)], {})


def test_what_is_written_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "RESULTS.md"
    page.write_text(f"# Head\n\nMeasured on: nothing.\n\n{bench.TABLE}| old | 1 us | x | 1 us | 9.00 | |\n\n## After\n")
    monkeypatch.setattr(bench, "RESULTS", page)
    bench.write([figure(20), Figure("other", "ref", 1, 4)])
    bench.write([figure(24)])
    assert bench.known() == {"old": 9.0, "a thing": 2.4, "other": 0.25}
    text = page.read_text()
    assert "## After" in text
    assert "cores." in text
    assert "nothing." not in text


def test_the_page_has_a_figure_for_what_is_measured() -> None:
    names = bench.known()
    for name in (
        "frame to book",
        "ticker frame into the store",
        "kalshi-tui --help",
        "from command to first live book",
    ):
        assert name in names


def test_a_whole_run_leaves_no_row_of_what_is_measured_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "RESULTS.md"
    gone, apart = "| gone | 1 us | x | 1 us | 9.00 |  |\n", "| beside nautilus_trader | 1 us | x | 2 us | 0.50 |  |\n"
    page.write_text(f"# Head\n\nMeasured on: nothing.\n\n{bench.TABLE}{gone}{apart}\n## After\n")
    monkeypatch.setattr(bench, "RESULTS", page)
    bench.write([figure(20)], whole=True)
    assert bench.known() == {"beside nautilus_trader": 0.5, "a thing": 2.0}
    assert "## After" in page.read_text()
