"""The flags of commands that write, and which of the session's risk checks each of them passes."""

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.parser import CommandParser, parse_seconds

if TYPE_CHECKING:
    from kalshi_tui.session.execution.risk_checks import Risk, RiskViolation

YES_FLAG: Final = "--yes"
OVER_LIMIT_FLAG: Final = "--over-limit"
BLIND_FLAG: Final = "--blind"
SECOND_FLAG: Final = "--second"
AFTER_CANCEL_ALL_FLAG: Final = "--after-cancel-all"
DEFAULT_WAIT_S: Final = 60.0


def add_write_options(parser: CommandParser, *, with_overrides: bool = True) -> None:
    """Add the flags that all commands that write share."""
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    if with_overrides:
        add_override_flags(parser)
    parser.add_argument(
        "--wait",
        type=parse_seconds,
        default=DEFAULT_WAIT_S,
        metavar="SECONDS",
        help=f"how long to ask about an outcome that is not known (default: {DEFAULT_WAIT_S:.0f})",
    )


def add_override_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that pass a risk check, except ``--yes``."""
    parser.add_argument(
        OVER_LIMIT_FLAG,
        action="store_true",
        help="send it though it passes a limit of yours or goes more than 10 cents through the best price",
    )
    parser.add_argument(
        BLIND_FLAG, action="store_true", help="send it though book or account are stale or cannot be read"
    )
    parser.add_argument(SECOND_FLAG, action="store_true", help="send it though one like it may be live already")


def given_flags(options: argparse.Namespace) -> frozenset[str]:
    """Return those of these flags that are on the command line."""
    flags = {
        YES_FLAG: options.yes,
        OVER_LIMIT_FLAG: options.over_limit,
        BLIND_FLAG: options.blind,
        SECOND_FLAG: options.second,
        # Of new orders alone.
        AFTER_CANCEL_ALL_FLAG: getattr(options, "after_cancel_all", False),
    }
    return frozenset(flag for flag, is_given in flags.items() if is_given)


def flag_for(violation: "RiskViolation") -> str:
    """Return the flag that acknowledges a violation; empty where none does.

    A question of the ticket ("this would be a second") has a flag of its own too: a script always gives ``--yes``, and
    one that sends a lost order again would never notice.
    """
    from kalshi_tui.session.execution.risk_checks import OverrideMethod, RiskReason

    if violation.override is OverrideMethod.NEVER:
        return ""
    return {
        RiskReason.READ_ONLY: "",
        RiskReason.JOURNAL: "",
        RiskReason.LIVE: YES_FLAG,
        # It stands for limits that cannot be measured, and takes the flag that passes those.
        RiskReason.ACCOUNT_UNREAD: OVER_LIMIT_FLAG,
        RiskReason.STALE_BOOK: BLIND_FLAG,
        RiskReason.AFTER_CANCEL_ALL: AFTER_CANCEL_ALL_FLAG,
        RiskReason.SIMILAR_ORDER: SECOND_FLAG,
        RiskReason.LIMIT: OVER_LIMIT_FLAG,
    }[violation.risk.reason]


def acknowledged_risks(violations: "Iterable[RiskViolation]", flags: Iterable[str]) -> "frozenset[Risk]":
    """Return the risks that these flags acknowledge."""
    have = set(flags)
    return frozenset(each.risk for each in violations if flag_for(each) in have)


def unacknowledged(
    violations: "Sequence[RiskViolation]", flags: Iterable[str], also_given: str = ""
) -> "list[RiskViolation]":
    """Return the violations that these flags do not pass; ``also_given`` is a flag that counts as given."""
    have = {*flags, also_given}
    return [each for each in violations if flag_for(each) not in have]


def describe_violation(violation: "RiskViolation") -> str:
    """Return a violation in words, and what passes it."""
    flag = flag_for(violation)
    return f"{violation.sentence} {f'{flag} passes this.' if flag else 'Nothing passes this.'}"
