"""The help of every command, and what it costs to start."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len

from kalshi_tui.cli.commands import COMMAND_MODULES, build_parser
from kalshi_tui.cli.exit_codes import EXIT_CODE_MEANINGS, format_exit_codes
from kalshi_tui.cli.output import Column, format_table
from tests.support.arguments import actions_of
from tests.support.cli_runner import ROOT, SCHEMAS, environment

PARSER = build_parser()


def parsers() -> dict[str, argparse.ArgumentParser]:
    found = next(each for each in actions_of(PARSER) if each.dest == "command").choices
    return dict(found or {})


def test_a_command_is_a_module_named_for_it() -> None:
    assert [str(vars(each)["__name__"]).rpartition(".")[2] for each in COMMAND_MODULES] == list(parsers())


@pytest.mark.parametrize("name", parsers())
def test_a_help_reads_like_a_short_manual(name: str) -> None:
    parser = parsers()[name]
    page = parser.format_help()
    assert len(parser.description or "") > 60
    assert "examples:\n  " in page
    assert "exit codes:\n  0    " in page
    for action in actions_of(parser):
        assert action.help, (name, action.dest)


@pytest.mark.parametrize("name", parsers())
def test_the_examples_of_the_help_are_command_lines(name: str) -> None:
    """Each example is taken by the parser; what stands around it is the shell's."""
    epilog = parsers()[name].epilog or ""
    examples = re.findall(r"^  .*?(kalshi-tui [^#|>)'\n]*)", epilog, re.MULTILINE)
    assert examples
    for each in examples:
        words = each.strip().split()[1:]
        options = PARSER.parse_args(words)
        assert options.command == name


@pytest.mark.parametrize("name", sorted(set(parsers()) - {"practice", "completion", "config", "replay"}))
def test_every_command_takes_an_exchange_and_json(name: str) -> None:
    flags = {flag for action in actions_of(parsers()[name]) for flag in action.option_strings}
    assert {"--env", "--rest-url", "--ws-url", "--settings", "--data", "--json"} <= flags


def test_every_json_has_its_schema_and_no_other_has_one() -> None:
    with_json = {
        name
        for name, parser in parsers().items()
        if any("--json" in action.option_strings for action in actions_of(parser))
    }
    assert {path.stem for path in SCHEMAS.iterdir()} == with_json | {"practice", "error"}


def test_the_exit_codes_of_the_help_are_all_there_are() -> None:
    page = PARSER.format_help()
    assert page.endswith(format_exit_codes())
    assert [code for code, _ in EXIT_CODE_MEANINGS] == [0, 1, 2, 3, 4, 5, 6, 130]


@pytest.mark.parametrize(
    "command", [["--help"], ["order", "--help"], ["markets", "--limit", "1"], ["order", "buy", "yes", "T", "1@0.4"]]
)
def test_no_command_loads_the_screen(tmp_path: Path, command: list[str]) -> None:
    code = (
        "import sys\nfrom kalshi_tui.__main__ import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write('loaded: ' + ' '.join(each for each in ('textual', 'aiohttp') if each in sys.modules))\n"
    )
    at = [] if "--help" in command else ["--rest-url", "http://127.0.0.1:9/trade-api/v2", "--data", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", code, *command, *at],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(tmp_path),
        cwd=ROOT,
    )
    assert done.stderr.splitlines()[-1] == "loaded: "


def test_the_help_loads_nothing_slow() -> None:
    code = "import sys, kalshi_tui.__main__ as m; m.build_parser(); print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    slow = {"asyncio", "httpx", "rich", "msgspec", "websockets", "textual", "aiohttp", "shtab"}
    assert not slow & set(done.stdout.split())


WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cf")), max_size=30)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=5), st.integers(40, 120))
def test_a_table_stands_in_columns_and_fits_the_terminal(rows: list[tuple[str, str, str]], width: int) -> None:
    columns = (Column("A", can_shrink=True), Column("B", right=True, can_shrink=True), Column("C", can_shrink=True))
    for line in format_table(columns, rows, width):
        assert cell_len(line) <= width
    whole = format_table(columns, rows, None)
    assert len(whole) == len(rows) + 1
