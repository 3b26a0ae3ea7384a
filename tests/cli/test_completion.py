"""The completion scripts, sourced by their shells and asked as a Tab asks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from kalshi_tui.cli.commands import build_parser
from tests.support.arguments import actions_of
from tests.support.cli_runner import ROOT, environment

COMMANDS = {
    "markets", "market", "combos", "book", "trades", "candles", "balance", "positions", "orders", "fills", "order",
    "cancel",
    "amend", "audit", "doctor", "config", "practice", "record", "replay", "completion", "subaccounts",
    "transfer", "allocation",
}  # fmt: skip
ASKED = (
    ("", COMMANDS),
    ("ord", {"order", "orders"}),
    ("order ", {"buy", "sell"}),
    ("order s", {"sell"}),
    ("order buy ", {"yes", "no"}),
    ("order buy yes T 10@0.42 --tif ", {"gtc", "ioc", "fok"}),
    ("order buy yes T 10@0.42 --dr", {"--dry-run"}),
    ("--env d", {"demo"}),
    ("balance --env ", {"practice", "demo", "live"}),
    ("candles T --period ", {"minute", "hour", "day"}),
    ("markets --sta", {"--status"}),
    ("markets --status o", {"open"}),
    ("completion ", {"bash", "zsh", "fish"}),
    ("markets --settings fil", {"file.toml"}),
    ("markets --data fold", {"folder"}),
)
"""What stands before the Tab, and what is offered."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scripts, a file and a folder in it."""
    place = tmp_path_factory.mktemp("completion")
    (place / "file.toml").touch()
    (place / "folder").mkdir()
    for shell in ("bash", "zsh", "fish"):
        done = subprocess.run(
            [sys.executable, "-m", "kalshi_tui", "completion", shell],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=environment(place),
            cwd=ROOT,
        )
        (place / f"script.{shell}").write_text(done.stdout)
    return place


def shell_or_skip(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed here: its script was made and not sourced")
    return found


@pytest.mark.parametrize(("typed", "offered"), ASKED, ids=[typed or "nothing" for typed, _ in ASKED])
def test_bash(place: Path, typed: str, offered: set[str]) -> None:
    words = ["kalshi-tui", *typed.split(" ")]
    asked = f"""
        source script.bash
        COMP_WORDS=({" ".join(f"'{each}'" for each in words)})
        COMP_CWORD={len(words) - 1}
        $(complete -p kalshi-tui | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        [shell_or_skip("bash"), "--norc", "-c", asked.replace("$(complete", "eval $(complete")],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        cwd=place,
    )
    assert set(done.stdout.split()) == offered
    assert not [each for each in done.stderr.splitlines() if "compopt" not in each]


@pytest.mark.parametrize(("typed", "offered"), ASKED, ids=[typed or "nothing" for typed, _ in ASKED])
def test_fish(place: Path, typed: str, offered: set[str]) -> None:
    done = subprocess.run(
        [shell_or_skip("fish"), "--no-config", "-c", f"source script.fish; complete -C 'kalshi-tui {typed}'"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        cwd=place,
        env=os.environ | {"HOME": str(place), "XDG_CONFIG_HOME": str(place), "XDG_DATA_HOME": str(place)},
    )
    found = {line.split("\t")[0].rstrip("/") for line in done.stdout.splitlines()}
    assert offered <= found
    # Fish offers folders on the way to a file, and files where it knows nothing better.
    assert {each for each in found - offered if not (place / each).exists()} <= {"--"}


@pytest.mark.parametrize(("typed", "offered"), ASKED, ids=[typed or "nothing" for typed, _ in ASKED])
def test_zsh(place: Path, tmp_path: Path, typed: str, offered: set[str]) -> None:
    shell = shell_or_skip("zsh")
    (tmp_path / ".zshrc").write_text(
        "PS1='READY> '\nautoload -U compinit && compinit -u -D\n"
        f"source {place}/script.zsh\n"
        # All that is offered passes here; what only sorts candidates asks with -O, -A or -D.
        "compadd() {\n"
        "  local -a offered\n"
        '  (( $@[(I)-[OAD]] )) || { builtin compadd -O offered "$@"; print -rl -- $offered >> $ZDOTDIR/offered }\n'
        '  builtin compadd "$@"\n'
        "}\nLISTMAX=100000\n"
    )
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    child = pexpect.spawn(
        shell,
        ["-i"],
        cwd=str(place),
        env=kept | {"ZDOTDIR": str(tmp_path), "HOME": str(tmp_path), "TERM": "dumb", "LANG": "C.UTF-8"},
        dimensions=(60, 160),
        timeout=20,
    )
    child.expect("READY> ")
    # Keys are taken in turn: what clears the line and leaves comes after the completion has been made.
    child.send(f"kalshi-tui {typed}\t\x15exit\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    found = {each.rstrip("/") for each in (tmp_path / "offered").read_text().split()}
    assert found == offered


def test_the_scripts_name_every_command_and_option(place: Path) -> None:
    parser = build_parser()
    commands = next(each for each in actions_of(parser) if each.dest == "command").choices
    assert commands is not None
    for shell in ("bash", "zsh", "fish"):
        script = (place / f"script.{shell}").read_text()
        for name, each in dict(commands).items():
            assert name in script
            for action in actions_of(each):
                for flag in action.option_strings:
                    assert flag.lstrip("-") in script, (shell, name, flag)
