"""What `replay --check` prints of a recording that is the same on every machine."""

import json
from pathlib import Path

import pytest

from tests.support.cli_process import run_program
from tests.support.cli_runner import validator
from tests.support.recordings import a_recording

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(("flags", "name"), [((), "replay-check.txt"), (("--json",), "replay-check.json")])
def test_the_check_of_a_recording(
    flags: tuple[str, ...], name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "golden.rec.gz"
    a_recording(path)
    done = run_program("replay", "--check", path, *flags)
    assert (done.returncode, done.stderr) == (0, "")
    if request.config.getoption("--update-golden"):
        (GOLDEN / name).write_text(done.stdout)
    assert done.stdout == (GOLDEN / name).read_text()


def test_the_check_of_a_broken_file_in_json(tmp_path: Path) -> None:
    path = tmp_path / "no.rec.gz"
    path.write_bytes(b"nothing of a recording's")
    done = run_program("replay", "--check", path, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    validator("error").validate(json.loads(done.stderr))


@pytest.mark.parametrize("part", [0.5, 0.9])
def test_damage_in_the_middle_is_not_clean(tmp_path: Path, part: float) -> None:
    path = tmp_path / "damaged.rec.gz"
    a_recording(path)
    whole = path.read_bytes()
    at = int(len(whole) * part)
    path.write_bytes(whole[:at] + bytes(byte ^ 0x5A for byte in whole[at : at + 60]) + whole[at + 60 :])
    done = run_program("replay", "--check", path, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["clean"], found["damaged"]) == (1, False, True)


def test_a_recording_without_a_frame_is_not_clean(tmp_path: Path) -> None:
    path = tmp_path / "empty.rec.gz"
    a_recording(path, ms=0)
    whole = json.loads(run_program("replay", "--check", path, "--json").stdout)
    assert whole["clean"] == bool(whole["frames"])
