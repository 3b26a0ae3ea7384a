"""The process keeps its memory and its files to itself; looked at in processes of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from kalshi_tui.runtime.hardening import DEBUG_VARIABLES
from tests.support.terminal import ROOT, environment_of

HARDENED = """
import ctypes, faulthandler, json, os, resource, subprocess, sys
faulthandler.enable()
from kalshi_tui.runtime.hardening import harden
harden()
child = subprocess.run([sys.executable, "-c", "print('a child')"], capture_output=True, text=True)
name = sys.argv[1]
open(name, "w").close()
print(json.dumps({
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if sys.platform == "linux" else 0,
    "faulthandler": faulthandler.is_enabled(),
    "mode": os.stat(name).st_mode & 0o777,
    "recorders": [each for each in os.environ if each in sys.argv[2:]],
    "child": child.stdout,
}, sort_keys=True))
"""
RECORDED = """
import sys
from kalshi_tui.__main__ import main
try:
    main(["--version"])
except SystemExit:
    pass
from textual import constants
print(constants.DEBUG, constants.LOG_FILE)
"""


def run(program: str, home: Path, *arguments: str, **more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=environment_of(home, more),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_no_core_no_look_inside_no_file_for_others_and_children_run_as_ever(tmp_path: Path) -> None:
    recorders = {name: str(tmp_path / name) for name in DEBUG_VARIABLES}
    told = run(HARDENED, tmp_path, str(tmp_path / "file"), *DEBUG_VARIABLES, **recorders)
    assert told == (
        '{"child": "a child\\n", "core": [0, 0], "dumpable": 0, "faulthandler": false, "mode": 384, "recorders": []}\n'
    )


def test_the_library_of_the_screen_records_no_keys_whatever_the_environment_says(tmp_path: Path) -> None:
    log = str(tmp_path / "events.log")
    told = run(RECORDED, tmp_path, TEXTUAL_DEBUG="1", TEXTUAL_LOG=log)
    assert told.splitlines()[-1] == "False None"
    assert not Path(log).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this protection")
def test_a_protection_that_is_refused_is_a_sentence_and_no_start(tmp_path: Path) -> None:
    program = """
import ctypes, sys
class Refusing:
    def __init__(self, *arguments, **options): pass
    def prctl(self, *arguments):
        ctypes.set_errno(1)
        return -1
ctypes.CDLL = Refusing
from kalshi_tui.__main__ import main
sys.stderr = sys.stdout
print(main(["--version"]))
"""
    told = run(program, tmp_path)
    assert told.splitlines() == [
        "kalshi-tui: this process cannot be kept from being looked into (Operation not permitted); it does not start.",
        "1",
    ]
