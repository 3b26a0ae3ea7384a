"""``completion``: prints the script with which a shell completes commands, options and their values."""

import argparse
from functools import partial
from typing import Final

from kalshi_tui.cli.exit_codes import OK, USAGE
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.parser import CommandRegistry

SHELLS: Final = ("bash", "zsh", "fish")
PROFILES: Final = ("practice", "demo", "live")
ZSH_EVAL_CONDITION: Final = "$zsh_eval_context[-1] == eval"
ZSH_EVAL_OR_FILE_CONDITION: Final = "$zsh_eval_context[-1] == (eval|file)"
FILE_METAVARS: Final = frozenset({"FILE"})
FOLDER_METAVARS: Final = frozenset({"DIR"})
"""How the help calls the values of options that name files and folders."""


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    completion = commands.add(
        "completion",
        partial(run, commands.parser),
        summary="print the completion script for bash, zsh or fish",
        description="Print a script for your shell. It completes commands, options, and the words and files that "
        "options take.",
        examples=(
            "echo 'source <(kalshi-tui completion bash)' >> ~/.bashrc",
            "echo 'source <(kalshi-tui completion zsh)' >> ~/.zshrc    # after compinit",
            "kalshi-tui completion fish > ~/.config/fish/completions/kalshi-tui.fish",
        ),
        exit_codes=(OK, USAGE),
        uses_exchange=False,
    )
    completion.add_argument("shell", choices=SHELLS, help="the shell")


def run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Print the script."""
    Output().write(build_script(parser, options.shell))
    return OK


def build_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return a shell's script for this command line, whose arguments it marks as files, folders or profiles."""
    import shtab

    for each in _all_parsers(parser):
        for action in each._actions:  # noqa: SLF001 - argparse has no other way to its own arguments
            if action.metavar in FILE_METAVARS:
                action.complete = shtab.FILE  # type: ignore[attr-defined]  # how shtab is told
            elif action.metavar in FOLDER_METAVARS:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]  # how shtab is told
            elif action.dest == "env":
                # Own profiles too: any name is taken, these are offered.
                action.choices = PROFILES
    made: str = shtab.complete(parser, shell)
    # A sourced script has to register its function as an evaluated one does.
    made = made.replace(ZSH_EVAL_CONDITION, ZSH_EVAL_OR_FILE_CONDITION)
    return made if made.endswith("\n") else made + "\n"


def _all_parsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    subparsers = [each for each in parser._actions if each.dest == "command"]  # noqa: SLF001 - as above
    return [parser, *(each for action in subparsers for each in dict(action.choices or {}).values())]
