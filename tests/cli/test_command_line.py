import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pexpect
import pytest

import kalshi_tui
from tests.support.terminal import ROOT, TERMINAL, environment_of


def run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kalshi_tui", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_version_is_the_package_s() -> None:
    done = run(["--version"])
    assert (done.returncode, done.stdout) == (0, f"kalshi-tui {kalshi_tui.__version__}\n")


def test_the_help_names_the_command_and_every_flag() -> None:
    done = run(["--help"])
    assert done.returncode == 0
    for word in ("practice", "--data", "--seed", "--fresh", "--settings", "--read-only", "--version"):
        assert word in done.stdout
    assert "Traceback" not in done.stderr


def test_the_help_of_practice_explains_every_flag() -> None:
    done = run(["practice", "--help"])
    flags = set(re.findall(r"^  (--[a-z-]+)", done.stdout, re.MULTILINE))
    assert {
        "--port", "--seed", "--fresh", "--data", "--rate", "--markets", "--accounts", "--quiet-market", "--dedupe",
        "--no-cancel-all", "--cancel-all-minute",
    } <= flags  # fmt: skip
    assert len(flags) == len(re.findall(r"^  --[a-z-]+(?: [A-Z|a-z{},]+)?\s+\S+", done.stdout, re.MULTILINE))


@pytest.mark.parametrize(
    "arguments", [["--seed", "seven"], ["--nonsense"], ["practise"], ["practice", "--port", "x"]], ids=" ".join
)
def test_a_wrong_command_line_is_a_sentence(arguments: list[str]) -> None:
    done = run(arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("kalshi-tui")
    assert "Traceback" not in done.stderr


def test_settings_that_make_no_sense_are_told_before_anything_starts(tmp_path: Path) -> None:
    """Told to a person at a terminal: without one the desk says that it needs one."""
    settings = tmp_path / "settings.toml"
    settings.write_text("[limits]\norder_contract = '5'\n")
    for file, sentence in (
        (settings, "there is no setting limits.order_contract. Did you mean order_contracts?"),
        (tmp_path / "none.toml", "There is no settings file"),
    ):
        child = pexpect.spawn(
            sys.executable,
            ["-m", "kalshi_tui", "--settings", str(file), "--data", str(tmp_path / "data")],
            dimensions=(24, 400),
            timeout=30,
        )
        child.expect(pexpect.EOF)
        said = child.before.decode()
        child.close()
        assert child.exitstatus == 1
        assert sentence in said
        assert "Traceback" not in said
        assert not (tmp_path / "data").exists()


def test_without_a_terminal_the_desk_says_what_to_do() -> None:
    done = run([])
    assert done.returncode == 1
    needs = "the desk needs a terminal. For scripts there are commands: 'kalshi-tui --help' lists them."
    assert done.stderr == f"kalshi-tui: {needs}\n"


@pytest.mark.terminal
@pytest.mark.parametrize("name", ["dumb", "", None, "unknown", "emacs"])
@pytest.mark.parametrize("command", [[], ["replay", "none.rec"]])
def test_on_a_terminal_that_can_draw_no_screen_it_takes_none(
    tmp_path: Path, command: list[str], name: str | None
) -> None:
    environment = environment_of(tmp_path, {} if name is None else {"TERM": name})
    child = pexpect.spawn(sys.executable, ["-m", "kalshi_tui", *command], env=environment, cwd=ROOT, timeout=30)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    said = child.before.decode()
    assert said.startswith("kalshi-tui: ")
    assert said.count("\n") == 1
    assert f"TERM is {name or 'not set'}: set TERM to what your terminal is" in said
    assert "\x1b" not in said
    assert not list(tmp_path.rglob("lock"))


@pytest.mark.terminal
@pytest.mark.parametrize("command", [[], ["replay", "none.rec"]])
def test_on_a_terminal_without_a_size_it_says_how_to_give_it_one(tmp_path: Path, command: list[str]) -> None:
    environment = environment_of(tmp_path, TERMINAL)
    arguments = ["-m", "kalshi_tui", *command]
    child = pexpect.spawn(
        sys.executable, arguments, env=environment, cwd=ROOT, timeout=30, dimensions=(0, 0), encoding="utf-8"
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert "this one says that it has none: tell it with 'stty rows 24 columns 80'" in child.before
    assert child.before.count("\n") == 1
    assert not list(tmp_path.rglob("lock"))


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("command", "code"), [("", 1), ("no-such-command", 2)])
def test_a_standard_stream_that_is_closed_is_no_defect(tmp_path: Path, command: str, code: int, closed: str) -> None:
    started = f"{sys.executable} -m kalshi_tui {command} {closed}"
    done = subprocess.run(
        ["/bin/sh", "-c", started],
        env=environment_of(tmp_path, {}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("crash*"))


@pytest.mark.slow
def test_an_audit_says_of_each_book_whether_it_is_right(tmp_path: Path) -> None:
    data = ["--data", str(tmp_path / "practice"), "--seed", "7", "--seconds", "0.5"]
    told = run(["audit", "KXRECESSION-26", *data])
    assert (told.returncode, told.stderr) == (0, "")
    assert re.fullmatch(r"KXRECESSION-26: equal to the exchange's book, all \d+ levels\.\n", told.stdout)


@pytest.mark.slow
def test_an_audit_of_what_is_no_market_says_so(tmp_path: Path) -> None:
    told = run(["audit", "KXRECESSION-26", "NO-SUCH", "--data", str(tmp_path / "practice"), "--seconds", "0"])
    assert told.returncode == 1
    assert "NO-SUCH: there is no trusted book to compare now." in told.stdout
    assert "KXRECESSION-26: equal" in told.stdout
    assert "Traceback" not in told.stderr


@pytest.mark.quick_cases("*0*")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "70000"], "--port"),
        (["--accounts", "-1"], "--accounts"),
        (["--markets", "0"], "--markets"),
        (["--rate", "-5"], "--rate"),
        (["--tier", "royal"], "--tier"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_number_that_cannot_be_is_a_sentence_of_the_practice_exchange(
    arguments: list[str], says: str, tmp_path: object
) -> None:
    done = run(["practice", "--data", f"{tmp_path}/practice", *arguments])
    assert done.returncode in {1, 2}
    assert done.stdout == ""
    assert says in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
