"""The flags that pass an objection; what each passes stands in `passing`."""

import argparse

YES_FLAG = "--yes"
OVER_LIMIT_FLAG = "--over-limit"
BLIND_FLAG = "--blind"
SECOND_FLAG = "--second"


def add_override_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that pass an objection, but ``--yes``."""
    parser.add_argument(OVER_LIMIT_FLAG, action="store_true", help="send it though it passes a limit of your settings")
    parser.add_argument(
        BLIND_FLAG, action="store_true", help="send it though book or account are stale or cannot be read"
    )
    parser.add_argument(SECOND_FLAG, action="store_true", help="send it though one like it may be live already")


def given_flags(options: argparse.Namespace) -> frozenset[str]:
    """Return the flags of this kind that stand on the command line."""
    flags = {
        YES_FLAG: options.yes,
        OVER_LIMIT_FLAG: options.over_limit,
        BLIND_FLAG: options.blind,
        SECOND_FLAG: options.second,
    }
    return frozenset(flag for flag, is_given in flags.items() if is_given)
