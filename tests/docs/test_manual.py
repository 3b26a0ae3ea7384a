"""The manual page is written from the parser of the command line; ``--update-golden`` rewrites it."""

import argparse
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import kalshi_tui
from kalshi_tui.__main__ import build_parser
from tests.support.arguments import actions_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "kalshi-tui.1"
ENVIRONMENT = (
    ("KALSHI_API_KEY_ID, KALSHI_PRIVATE_KEY_PATH", "The API key's id and the file of its private key."),
    ("KALSHI_PRIVATE_KEY", "The private key's own text, in the place of its file."),
    ("KALSHI_USE_DEMO", "Take the profile demo where none is named."),
    ("KALSHI_TUI_ENV", "The profile, in the place of --env; so every setting: KALSHI_TUI_SCREEN_THEME."),
    ("NO_COLOR", "Use no colors."),
)
FILES = (
    (
        "~/.config/kalshi-tui/settings.toml",
        "The settings. On other systems than Linux these are in the system's own folders.",
    ),
    ("~/.local/share/kalshi-tui/PROFILE", "The journal of orders, lists and layouts; in practice the account too."),
    ("~/.local/state/kalshi-tui/log", "What went wrong, without secrets."),
)


def escaped(text: str) -> str:
    """Write a text so that troff shows it as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


def paragraphs(text: str) -> Iterator[str]:
    """Write what stands between empty lines as paragraphs; lines that are set in stay as they are."""
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = part.splitlines()
        raw = any(line.startswith(" ") for line in lines)
        yield ".PP"
        yield "\n".join([".nf", escaped(part), ".fi"]) if raw else escaped(" ".join(lines))


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Write the arguments and options of a parser."""
    formatter = parser._get_formatter()
    for action in actions_of(parser):
        if isinstance(action, argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
            continue
        takes = action.nargs != 0
        value = formatter._format_args(action, action.dest.upper()) if takes else ""
        names = ", ".join(action.option_strings)
        yield f".TP\n\\fB{escaped(names)}\\fR {escaped(value)}".rstrip() if names else f".TP\n{escaped(value)}"
        yield escaped(formatter._expand_help(action)) if action.help else "\\&"


def entries(pairs: tuple[tuple[str, str], ...]) -> Iterator[str]:
    """Write names with what they mean."""
    for name, meaning in pairs:
        yield f".TP\n\\fB{escaped(name)}\\fR\n{escaped(meaning)}"


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the commands of a parser."""
    (found,) = (action for action in actions_of(parser) if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def page() -> str:
    """Write the page."""
    parser = build_parser()
    summary = (parser.description or "").partition(". ")[0]
    written = [
        f'.TH KALSHI\\-TUI 1 "" "kalshi\\-tui {kalshi_tui.__version__}"',
        ".SH NAME",
        f"kalshi\\-tui \\- {escaped(summary[0].lower() + summary[1:])}",
        ".SH SYNOPSIS",
        "\\fBkalshi\\-tui\\fR [OPTIONS]\n.br\n\\fBkalshi\\-tui\\fR COMMAND [OPTIONS]",
        ".SH DESCRIPTION",
        *paragraphs(parser.description or ""),
        ".SH OPTIONS",
        *options(parser),
        ".SH COMMANDS",
    ]
    for name, command in commands(parser).items():
        written += [f".SS kalshi\\-tui {escaped(name)}", *paragraphs(command.description or ""), *options(command)]
        written += paragraphs(command.epilog) if command.epilog else ()
    written += paragraphs(parser.epilog) if parser.epilog else ()
    written += [".SH ENVIRONMENT", *entries(ENVIRONMENT), ".SH FILES", *entries(FILES)]
    return "\n".join(written) + "\n"


def test_the_page_is_that_of_the_program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page(), f"{PAGE.name} differs; --update-golden rewrites it"


def test_every_command_and_option_stands_in_what_a_reader_sees() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        ["groff", "-man", "-Tascii", "-ww", "-P-c", "-rLL=100n", str(PAGE)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    seen = re.sub(r".\x08", "", done.stdout)
    parser = build_parser()
    for each in (parser, *commands(parser).values()):
        for action in actions_of(each):
            for name in action.option_strings:
                assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", seen), name
    for name in commands(parser):
        assert f"kalshi-tui {name}" in seen
