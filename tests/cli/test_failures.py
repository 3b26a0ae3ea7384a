"""Failures that have nothing to do with orders: each a sentence, or one JSON object, and an exit code."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import kalshi_tui
from tests.support.cli_runner import (
    ROOT,
    SCHEMAS,
    environment,
    tradable,
    trading,
    validator,
)

NOWHERE = ("--rest-url", "http://127.0.0.1:9/trade-api/v2")


def run(home: Path, *arguments: str, code: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
    start = ["-c", code] if code else ["-m", "kalshi_tui"]
    return subprocess.run(
        [sys.executable, *start, *arguments, "--data", str(home / "data")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env=environment(home, **more),
        cwd=ROOT,
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "kind", "exit_code"),
    [
        (["balance", *NOWHERE], {}, "credentials", 1),
        (["balance", "--env", "nonsense"], {}, "settings", 1),
        (["balance", "--settings", "none.toml"], {}, "settings", 1),
        (["balance", "--rest-url", "http://192.0.2.1/trade-api/v2"], {}, "settings", 1),
        (["balance", "--env", "demo"], {"KALSHI_API_KEY_ID": "an-id"}, "credentials", 1),
        (["--fresh", "balance"], {}, "usage", 2),
        (["balance", "--nonsense"], {}, "usage", 2),
        (["markets", "--limit", "0"], {}, "usage", 2),
        (["order", "buy", "maybe", "T", "1@0.42"], {}, "usage", 2),
        (["order", "buy", "yes", "T", "1@42"], {}, "usage", 2),
        (["order", "buy", "yes", "T", "1@0.42", "--ye"], {}, "usage", 2),
        (["cancel", "ID", "--all"], {}, "usage", 2),
        (["cancel", "ID", "--ticker", "T"], {}, "usage", 2),
        (["market", "../x y"], {}, "usage", 2),
        (["candles", "T", "--period", "year"], {}, "usage", 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_each_failure_has_its_word_and_its_sentence(
    tmp_path: Path, arguments: list[str], variables: dict[str, str], kind: str, exit_code: int
) -> None:
    told = run(tmp_path, *arguments, "--json", **variables)
    assert (told.returncode, told.stdout) == (exit_code, "")
    (line,) = told.stderr.splitlines()
    validator("error").validate(json.loads(line))
    error = json.loads(line)["error"]
    assert (error["code"], error["exit_code"]) == (kind, exit_code)
    plain = run(tmp_path, *arguments, **variables)
    assert (plain.returncode, plain.stdout) == (exit_code, "")
    assert error["message"] in plain.stderr
    assert "Traceback" not in plain.stderr


def test_an_exchange_that_does_not_answer(tmp_path: Path) -> None:
    told = run(tmp_path, "markets", *NOWHERE, "--json")
    assert told.returncode == 1
    assert json.loads(told.stderr)["error"]["code"] == "unreachable"


@pytest.mark.slow
async def test_public_questions_need_no_key(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        trader.environment = environment(tmp_path)
        ticker = tradable(trader.exchange)
        for command in (["markets", "--limit", "1"], ["market", ticker], ["book", ticker], ["trades", ticker]):
            assert (await trader.json(*command)).code == 0, command
        needs = await trader.json("orders")
        assert (needs.code, needs.error["code"]) == (1, "credentials")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_defect_is_a_sentence_that_names_the_log(tmp_path: Path, *, as_json: bool) -> None:
    code = (
        "import sys\n"
        "def broken(options, **more):\n    raise LookupError('the text of a defect')\n"
        "from kalshi_tui.cli import query\nquery.open_exchange = broken\n"
        "from kalshi_tui.__main__ import main\nsys.exit(main())\n"
    )
    told = run(tmp_path, "balance", *(["--json"] if as_json else []), code=code)
    assert told.returncode == 1
    assert told.stdout == ""
    assert "LookupError" in told.stderr
    assert "the text of a defect" not in told.stderr
    assert "Traceback" not in told.stderr
    if as_json:
        error = json.loads(told.stderr)["error"]
        validator("error").validate({"error": error})
        assert error["code"] == "defect"
    (log,) = (tmp_path / "state").rglob("kalshi-tui.log")
    assert "LookupError" in log.read_text()


def test_every_word_for_a_failure_is_in_the_schema() -> None:
    schema = json.loads((SCHEMAS / "error.json").read_text())
    listed = set(schema["properties"]["error"]["properties"]["code"]["enum"])
    used = {"failed"}
    package = Path(kalshi_tui.__file__).parent
    for path in [*(package / "cli").glob("*.py"), package / "__main__.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "FailedError" and len(node.args) > 1:
                word = node.args[1]
                if isinstance(word, ast.Constant):
                    used.add(str(word.value))
    assert used <= listed
    sources = "".join(path.read_text() for path in (package / "cli").glob("*.py"))
    assert all(f'"{word}"' in sources or word in used for word in listed)


def test_a_full_disk_under_the_output_is_told(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "kalshi_tui", "config", "--data", str(tmp_path)],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
            env=environment(tmp_path),
            cwd=ROOT,
        )
    assert done.returncode == 1
    assert done.stderr == "kalshi-tui: the output cannot be written (No space left on device).\n"


@pytest.mark.parametrize("command", [["config"], ["completion", "bash"], ["config", "--json"]])
def test_a_reader_who_is_gone_is_no_failure(tmp_path: Path, command: list[str]) -> None:
    code = (
        "import subprocess, sys\n"
        "program = subprocess.Popen([sys.executable, '-m', 'kalshi_tui', *sys.argv[1:]], stdout=subprocess.PIPE)\n"
        "program.stdout.close()\nsys.exit(program.wait())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(tmp_path),
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (0, "")


EVIL = "\x1b[2J\x1b]0;owned\x07red\nforged line\r\x9b31m\u202eright to left\u200b{{markup}}[bold]"


@pytest.mark.slow
async def test_a_title_that_is_an_attack_is_a_title(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        exchange = trader.exchange.exchange
        listing = exchange.markets.listings[ticker]
        listing.terms = replace(listing.terms, yes_sub_title=EVIL, rules_primary=EVIL)
        name = listing.terms.event_ticker
        exchange.markets.events_by_ticker[name] = replace(exchange.markets.events_by_ticker[name], title=EVIL)
        for command in (["markets", "--search", "owned"], ["market", ticker], ["book", ticker]):
            told = await trader.run(*command)
            assert told.code == 0
            assert "owned" in told.out
            assert all(each.isprintable() for line in told.out.split("\n") for each in line), command
            assert not [line for line in told.out.split("\n") if line.startswith("forged")]
            as_json = await trader.json(*command)
            assert as_json.out.isascii()
            assert as_json.only["ticker"] == ticker


def test_a_defect_of_a_command_that_keeps_its_own_log_is_json_too(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom kalshi_tui.cli import replay\n"
        "def broken(options):\n    raise LookupError('the text of a defect')\n"
        "replay.check_recording = broken\n"
        "from kalshi_tui.__main__ import main\nsys.exit(main())\n"
    )
    done = run(tmp_path, "replay", "--check", "--json", "none.rec", code=code)
    assert done.returncode == 1
    assert done.stdout == ""
    error = json.loads(done.stderr)["error"]
    validator("error").validate({"error": error})
    assert error["code"] == "defect"
    assert "LookupError" in error["message"]
    assert "the text of a defect" not in done.stderr
