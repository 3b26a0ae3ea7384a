"""Which flag passes which objection of the session's guard: what needs a word in the ticket needs a flag of its own."""

from collections.abc import Iterable, Sequence

from kalshi_tui.cli.flags import (
    BLIND,
    OVER,
    SECOND,
    YES,
)
from kalshi_tui.session.execution.risk_checks import Objection, Passing


def flag_of(objection: Objection) -> str:
    """Name the flag that passes an objection; empty where nothing does.

    A question of the ticket ("this would be a second") has a flag of its own too: a script gives ``--yes`` always, and
    one that starts a lost order anew would never notice.
    """
    if objection.passing is Passing.NEVER:
        return ""
    if objection.id == "live":
        return YES
    if objection.id == "stale":
        return BLIND
    if objection.id.startswith("limit of "):
        return OVER
    return SECOND


def agreed(objections: Iterable[Objection], flags: Iterable[str]) -> frozenset[str]:
    """Give the ids of the objections that these flags pass."""
    have = set(flags)
    return frozenset(each.id for each in objections if flag_of(each) in have)


def left_over(objections: Sequence[Objection], flags: Iterable[str], but: str = "") -> list[Objection]:
    """Give the objections that these flags do not pass; ``but`` is a flag that counts as given."""
    have = {*flags, but}
    return [each for each in objections if flag_of(each) not in have]


def words(objection: Objection) -> str:
    """Say an objection and what passes it."""
    flag = flag_of(objection)
    return f"{objection.sentence} {f'{flag} passes this.' if flag else 'Nothing passes this.'}"
