"""What `replay --check` prints of a recording that is the same on every machine."""

import json
from pathlib import Path

import pytest

from tests.command_line.running import validator
from tests.recording.making import a_recording
from tests.recording.test_commands import run

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(("flags", "name"), [((), "replay-check.txt"), (("--json",), "replay-check.json")])
def test_the_check_of_a_recording(
    flags: tuple[str, ...], name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "golden.rec.gz"
    a_recording(path)
    done = run("replay", "--check", path, *flags)
    assert (done.returncode, done.stderr) == (0, "")
    if request.config.getoption("--update-golden"):
        (GOLDEN / name).write_text(done.stdout)
    assert done.stdout == (GOLDEN / name).read_text()


def test_the_check_of_a_broken_file_in_json(tmp_path: Path) -> None:
    path = tmp_path / "no.rec.gz"
    path.write_bytes(b"nothing of a recording's")
    done = run("replay", "--check", path, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    validator("error").validate(json.loads(done.stderr))
