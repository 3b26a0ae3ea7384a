"""The flags that pass an objection; what each passes stands in `passing`."""

import argparse

YES = "--yes"
OVER = "--over-limit"
BLIND = "--blind"
SECOND = "--second"


def add_passing(parser: argparse.ArgumentParser) -> None:
    """Add the flags that pass an objection, but ``--yes``."""
    parser.add_argument(OVER, action="store_true", help="send it though it passes a limit of your settings")
    parser.add_argument(BLIND, action="store_true", help="send it though book or account are stale or cannot be read")
    parser.add_argument(SECOND, action="store_true", help="send it though one like it may be live already")


def given(options: argparse.Namespace) -> frozenset[str]:
    """Give the flags of this kind that stand on the command line."""
    flags = {YES: options.yes, OVER: options.over_limit, BLIND: options.blind, SECOND: options.second}
    return frozenset(flag for flag, is_given in flags.items() if is_given)
