"""Every command that a document shows is run against a practice exchange, or stands below with the reason why not."""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from kalshi_tui.cli.commands import build_parser
from kalshi_tui.runtime.configuration import load_settings
from kalshi_tui.runtime.launch import PracticeProcess
from kalshi_tui.runtime.settings import build_session_options, build_ui_settings
from tests.support.arguments import actions_of
from tests.support.terminal import (
    TERMINAL,
    Terminal,
    been_here,
    environment_of,
)

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "PRACTICE.md", *sorted((ROOT / "docs").glob("*.md"))]
SHELLS = ("sh", "bash", "shell", "console")
PROGRAMS = (
    "kalshi-tui",
    "make",
    "pip",
    "pipx",
    "uv",
    "uvx",
    "python",
    "python3",
    "git",
    "export",
    "unset",
    "chmod",
    "curl",
)
"""What the first line of a block begins with that is for a shell, where the block does not say so itself."""
ENDLESS = {"--watch"}
WITHIN_S = 60
PORT = "8080"
"""The port that the documents name; a free one is taken in its place."""

OF_THE_EXCHANGE = (
    "it needs an account and a key at Kalshi; tests/runtime/test_doctor.py and tests/terminal/test_live.py play that"
)
INSTALLS = "it installs from a package index; tests/docs/test_wheel.py installs the wheel"
NOT_RUN = {
    "make run": "it installs, then is `kalshi-tui`, which is run here",
    "make test": "it is the run that this test is part of",
    "pipx install .": INSTALLS,
    "pip install 'kalshi-tui[keyring]'": INSTALLS,
    "mv ~/Downloads/my-first-key.key ~/kalshi-demo.pem": "it is about a file of the reader's",
    "chmod 600 ~/kalshi-demo.pem": "it is about a file of the reader's",
    "unset KALSHI_API_KEY_ID KALSHI_PRIVATE_KEY_PATH": "it is about the reader's own shell",
    "export KALSHI_API_KEY_ID=...  KALSHI_PRIVATE_KEY_PATH=~/kalshi-demo.pem": "it names a key of the reader's",
}
"""Commands that are not run, each with the reason."""


@dataclass(frozen=True)
class Shown:
    """A command, and the document that shows it."""

    document: str
    command: str


def blocks(text: str, *languages: str) -> Iterator[str]:
    """Return the content of the fenced blocks of these languages."""
    for language, content in re.findall(r"^```([a-z]*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if language in languages:
            yield content


def shown() -> Iterator[Shown]:
    """Return each command of each document."""
    for path in DOCUMENTS:
        text = path.read_text()
        unnamed = [each for each in blocks(text, "") if each.split(maxsplit=1)[0] in PROGRAMS]
        for block in (*blocks(text, *SHELLS), *unnamed):
            for line in block.replace("\\\n", " ").splitlines():
                if command := re.sub(r"(^|\s+)#.*", "", line).strip():
                    yield Shown(path.relative_to(ROOT).as_posix(), command)


COMMANDS = list(dict.fromkeys(shown()))


def why_not(command: str) -> str:
    """Return why a command is not run; empty if it is."""
    if re.search(r"--env[ =](demo|live)\b", command):
        return OF_THE_EXCHANGE
    return NOT_RUN.get(command, "")


RUN = [each for each in COMMANDS if not why_not(each.command)]


def test_the_documents_show_commands() -> None:
    assert {"README.md", "PRACTICE.md", "docs/trading.md", "docs/bots.md"} <= {each.document for each in COMMANDS}


def test_each_command_can_be_run_or_has_its_reason() -> None:
    for each in RUN:
        assert each.command.split()[0] == "kalshi-tui", (
            f"{each}: it is not known how to run it; give the reason in NOT_RUN"
        )


def parser_of(command: str) -> argparse.ArgumentParser:
    """Return the parser of a command."""
    found = next(each for each in actions_of(build_parser()) if each.dest == "command").choices
    parser = dict(found or {})[command]
    assert isinstance(parser, argparse.ArgumentParser)
    return parser


def test_each_reason_is_of_a_command() -> None:
    named = {each.command for each in COMMANDS}
    prose = "\n".join(path.read_text() for path in DOCUMENTS)
    assert [command for command in NOT_RUN if command not in named and f"`{command}`" not in prose] == []


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home for all of it, with a practice account in it."""
    home = tmp_path_factory.mktemp("reader")
    been_here(home)
    return home


@pytest.fixture(scope="module")
def ticker(home: Path) -> str:
    """Return a market of the practice exchange that these commands start, one that stays open for days."""
    process = PracticeProcess(["--data", str(home / "data" / "kalshi-tui" / "practice")])
    try:
        markets = read(process.wait_until_ready().rest_url, "/markets?status=open&limit=1000")
    finally:
        process.stop()
    return max(markets, key=lambda each: each["close_time"])["ticker"]


def read(rest_url: str, path: str) -> list[dict[str, str]]:
    """Ask an exchange for public markets."""
    reply = httpx.get(rest_url + path, trust_env=False).raise_for_status()
    found: list[dict[str, str]] = reply.json()["markets"]
    return found


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which ``kalshi-tui`` is this checkout's."""
    folder = home / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "kalshi-tui"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kalshi_tui "$@"\n')
    program.chmod(0o755)
    made = environment_of(home, TERMINAL)
    return made | {"PATH": f"{folder}:{made['PATH']}", "PYTHONPATH": str(ROOT)}


def free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


@pytest.mark.terminal
@pytest.mark.quick_cases(
    "README.md: kalshi-tui practice*",
    "README.md: kalshi-tui markets*",
    "README.md: kalshi-tui order buy*",
    "README.md: kalshi-tui orders*",
    "docs/*: kalshi-tui doctor*",
)
@pytest.mark.parametrize("each", RUN, ids=lambda each: f"{each.document}: {each.command}")
def test_the_command_does_what_it_is_shown_for(each: Shown, home: Path, ticker: str) -> None:
    command = re.sub(r"\bTICKER(\.\.\.)?(?=\s|$)", ticker, each.command)
    words = command.split()[1:]
    for word in words if words[:1] == ["replay"] else ():
        if word.endswith(".rec.gz") and not (home / word).exists():
            # The command before made it; but each of them may be run alone.
            done = shell(f"kalshi-tui record {word} --for 2", home)
            assert done.returncode == 0, done.stderr
    if words[:1] == ["practice"]:
        serve(command.replace(PORT, free_port()), home)
    elif words[:1] == ["replay"] and "--check" not in words:
        look([str(home / word) if word.endswith(".rec.gz") else word for word in words], home)
    elif ENDLESS & set(words):
        follow(command, home)
    elif any(not word.startswith("-") for word in words[:1]):
        done = shell(command, home)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.strip()
    elif "--rest-url" in words:
        beside(words, home)
    else:
        look(words, home)


ORDER_EXAMPLES = re.findall(r"^  (kalshi-tui order .*)$", parser_of("order").epilog or "", re.MULTILINE)


def test_the_help_of_order_has_examples() -> None:
    assert len(ORDER_EXAMPLES) == 4


@pytest.mark.terminal
@pytest.mark.quick_cases("*--dry-run")
@pytest.mark.parametrize("example", ORDER_EXAMPLES, ids=lambda example: example.removeprefix("kalshi-tui order "))
def test_an_example_of_order_is_one_that_practice_takes(example: str, home: Path) -> None:
    """Looked at and not sent, it needs no further flag: its price is near the market's, and on its grid."""
    done = shell(f"{example.removesuffix(' --dry-run')} --dry-run", home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passes this" not in done.stdout + done.stderr


def shell(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        ["bash", "-c", command],
        env=environment(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


@contextmanager
def going_on(command: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a command that goes on until it is ended."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        env=environment(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def serve(command: str, home: Path) -> None:
    """Start an exchange, read its first line, end it as a person does."""
    with going_on(f"{command} --data {home}/served", home) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert read(ready["rest_url"], "/markets?limit=1")
        process.send_signal(signal.SIGINT)
        assert process.wait(WITHIN_S) == 0


def follow(command: str, home: Path) -> None:
    """Start a command that goes on until it is interrupted, read a line, and interrupt it."""
    with going_on(command, home) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=WITHIN_S)
        assert process.returncode == 130


def look(words: list[str], home: Path, variables: dict[str, str] | None = None) -> None:
    """Open the desk, wait for its markets, and quit."""
    terminal = Terminal(words, home, terminal=TERMINAL | {"PYTHONPATH": str(ROOT)} | (variables or {}))
    try:
        terminal.wait("the desk", lambda screen: "PRACTICE" in screen and "connected" in screen)
        terminal.press("q")
        assert terminal.ended() == 0
    finally:
        terminal.end()


def beside(words: list[str], home: Path) -> None:
    """Open the desk on an exchange that was started apart."""
    process = PracticeProcess(["--data", str(home / "apart")])
    try:
        ready = process.wait_until_ready()
        port = ready.rest_url.split(":")[2].split("/")[0]
        key = {"KALSHI_API_KEY_ID": ready.api_key_id, "KALSHI_PRIVATE_KEY_PATH": str(ready.private_key_path)}
        look([word.replace(PORT, port) for word in words], home, key)
    finally:
        process.stop()


def helped(*words: str) -> str:
    """Return the help of the program or of a command."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", "kalshi_tui", *words, "--help"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_option_that_is_mentioned_exists() -> None:
    """Of each ``kalshi-tui ...`` in a document, those behind a command are that command's."""
    pages = {"": helped()}
    commands = set(re.findall(r"^    ([a-z]+) ", pages[""], re.MULTILINE))
    assert {"practice", "doctor"} <= commands
    for path in DOCUMENTS:
        for mention in re.findall(r"kalshi-tui( [^`\n#|]*)", path.read_text()):
            command = ""
            for word in mention.split():
                flag = re.match(r"--?[a-z-]+", word)
                if flag is None:
                    command = word if word in commands and not command else command
                    continue
                if command not in pages:
                    pages[command] = helped(command)
                known = rf"(?<![\w-]){re.escape(flag[0])}(?![\w-])"
                assert re.search(known, pages[command]), f"{path.name}: kalshi-tui{mention}: {command} has no {flag[0]}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_settings_that_a_document_shows_are_settings(path: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(path.read_text(), "toml")):
        tomllib.loads(block)
        file = tmp_path / f"{number}.toml"
        file.write_text(block)
        settings = load_settings(file, {}, must_exist=True).settings
        build_session_options(settings)
        build_ui_settings(settings)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target, section in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", path.read_text()):
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), target
        if section:
            heads = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert section in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
