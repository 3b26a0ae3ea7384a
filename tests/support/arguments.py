"""What a command line's parser takes. argparse has no public way to ask."""

import argparse
from typing import Any


def actions_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the parser's arguments and options, without those between our own processes, which no help shows."""
    return [action for action in parser._actions if action.help != argparse.SUPPRESS]


def commands_of(parser: argparse.ArgumentParser) -> Any:
    """Return the parsers of the commands by their names."""
    return next(each.choices for each in actions_of(parser) if each.dest == "command")
