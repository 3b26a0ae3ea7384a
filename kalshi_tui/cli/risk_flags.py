"""Which flag passes which objection of the session's guard: what needs a word in the ticket needs a flag of its own."""

from collections.abc import Iterable, Sequence

from kalshi_tui.cli.flags import (
    BLIND_FLAG,
    OVER_LIMIT_FLAG,
    SECOND_FLAG,
    YES_FLAG,
)
from kalshi_tui.session.execution.risk_checks import OverrideMethod, RiskViolation


def flag_for(violation: RiskViolation) -> str:
    """Name the flag that passes an objection; empty where nothing does.

    A question of the ticket ("this would be a second") has a flag of its own too: a script gives ``--yes`` always, and
    one that starts a lost order anew would never notice.
    """
    if violation.override is OverrideMethod.NEVER:
        return ""
    if violation.id == "live":
        return YES_FLAG
    if violation.id == "stale":
        return BLIND_FLAG
    if violation.id.startswith("limit of "):
        return OVER_LIMIT_FLAG
    return SECOND_FLAG


def acknowledged_ids(violations: Iterable[RiskViolation], flags: Iterable[str]) -> frozenset[str]:
    """Return the ids of the objections that these flags pass."""
    have = set(flags)
    return frozenset(each.id for each in violations if flag_for(each) in have)


def unacknowledged(
    violations: Sequence[RiskViolation], flags: Iterable[str], also_given: str = ""
) -> list[RiskViolation]:
    """Return the objections that these flags do not pass; ``but`` is a flag that counts as given."""
    have = {*flags, also_given}
    return [each for each in violations if flag_for(each) not in have]


def describe_violation(violation: RiskViolation) -> str:
    """Say an objection and what passes it."""
    flag = flag_for(violation)
    return f"{violation.sentence} {f'{flag} passes this.' if flag else 'Nothing passes this.'}"
