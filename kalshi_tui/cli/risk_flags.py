"""The flag that acknowledges each risk: what needs a word in the ticket needs a flag of its own."""

from collections.abc import Iterable, Sequence
from typing import Final

from kalshi_tui.cli.flags import (
    BLIND_FLAG,
    OVER_LIMIT_FLAG,
    SECOND_FLAG,
    YES_FLAG,
)
from kalshi_tui.session.execution.risk_checks import OverrideMethod, Risk, RiskReason, RiskViolation

FLAGS: Final = {
    RiskReason.READ_ONLY: "",
    RiskReason.JOURNAL: "",
    RiskReason.LIVE: YES_FLAG,
    # It stands for limits that cannot be measured, and takes the word that passes those.
    RiskReason.ACCOUNT_UNREAD: OVER_LIMIT_FLAG,
    RiskReason.STALE_BOOK: BLIND_FLAG,
    RiskReason.SIMILAR_ORDER: SECOND_FLAG,
    RiskReason.LIMIT: OVER_LIMIT_FLAG,
}
"""The flag that acknowledges a risk, where anything does."""


def flag_for(violation: RiskViolation) -> str:
    """Return the flag that acknowledges a violation; empty where none does.

    A question of the ticket ("this would be a second") has a flag of its own too: a script always gives ``--yes``, and
    one that sends a lost order again would never notice.
    """
    if violation.override is OverrideMethod.NEVER:
        return ""
    return FLAGS[violation.risk.reason]


def acknowledged_risks(violations: Iterable[RiskViolation], flags: Iterable[str]) -> frozenset[Risk]:
    """Return the risks that these flags acknowledge."""
    have = set(flags)
    return frozenset(each.risk for each in violations if flag_for(each) in have)


def unacknowledged(
    violations: Sequence[RiskViolation], flags: Iterable[str], also_given: str = ""
) -> list[RiskViolation]:
    """Return the violations that these flags do not pass; ``also_given`` is a flag that counts as given."""
    have = {*flags, also_given}
    return [each for each in violations if flag_for(each) not in have]


def describe_violation(violation: RiskViolation) -> str:
    """Return a violation in words, and what passes it."""
    flag = flag_for(violation)
    return f"{violation.sentence} {f'{flag} passes this.' if flag else 'Nothing passes this.'}"
