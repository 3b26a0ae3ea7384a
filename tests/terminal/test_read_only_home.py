"""A user whose home takes nothing: the real program in a real terminal ends in a sentence.

Permissions mean nothing to root: what root starts here does without the two capabilities that pass over them. (Another
user than root could often not read the interpreter, which may lie in root's own home.)
"""

import ctypes
import os
import sys
from pathlib import Path

import pexpect
import pytest

from tests.support.terminal import ROOT, TERMINAL, environment_of

PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
AS_ROOT = os.geteuid() == 0
LIBC = ctypes.CDLL(None) if AS_ROOT else None

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(AS_ROOT and sys.platform != "linux", reason="root can be held to permissions on Linux alone"),
]


def be_ordinary() -> None:
    """Be held to permissions from the next program on, as everybody is who is not root."""
    if LIBC is not None:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            if LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError("the capability could not be given up")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home that can be looked at, and not written."""
    made = tmp_path / "home"
    made.mkdir()
    made.chmod(0o555)
    return made


def said_by(home: Path, *arguments: str) -> tuple[int, str]:
    """Run the desk, and give its exit code and all that it wrote."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "kalshi_tui", *arguments],
        dimensions=(24, 400),
        env=environment_of(home, TERMINAL),
        cwd=ROOT,
        timeout=60,
        preexec_fn=be_ordinary,
    )
    child.expect(pexpect.EOF)
    child.close()
    return int(child.exitstatus or 0), child.before.decode()


@pytest.mark.slow
def test_a_home_that_cannot_be_written_is_a_sentence(home: Path) -> None:
    code, said = said_by(home)
    assert code == 1
    assert "cannot be written (Permission denied)" in said
    assert "choose another with --data DIR" in said
    assert "Traceback" not in said
    assert list(home.iterdir()) == []


def test_a_home_that_cannot_even_be_entered_is_a_sentence(home: Path) -> None:
    home.chmod(0o000)
    try:
        code, said = said_by(home)
    finally:
        home.chmod(0o755)
    assert code == 1
    assert "Traceback" not in said
    assert "kalshi-tui: " in said
