"""Figures read and expected: how each is written, and the count of what was compared."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from tests.audit.arithmetic import CENT

NO_VALUE = "--"

MAX_MISMATCHES_TOLD = 40


def exact(amount: Decimal | None) -> str:
    """Write dollars with as many decimals as they need, two at least."""
    if amount is None:
        return NO_VALUE
    whole, _, part = f"{amount.copy_abs():,f}".partition(".")
    return f"{'-' if amount < 0 else ''}${whole}.{part.rstrip('0').ljust(2, '0')}"


def cents(amount: Decimal | None, *, signed: bool = False) -> str:
    """Write dollars to the cent, rounded half away from zero."""
    if amount is None:
        return NO_VALUE
    rounded = amount.quantize(CENT, ROUND_HALF_UP)
    sign = "-" if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}${rounded.copy_abs():,}"


def cents_of(text: str) -> str:
    """Write to the cent what is shown in dollars."""
    return cents(Decimal(text.replace("$", "").replace(",", "")))


def contracts(count: Decimal) -> str:
    """Write a count; a fraction only where there is one."""
    return f"{count:,.0f}" if count == count.to_integral_value() else f"{count:,.2f}"


def price(value: Decimal | None, decimals: int) -> str:
    """Write a price with the decimals of its market, or with all four where it needs more."""
    if value is None:
        return NO_VALUE
    text = f"{value:.4f}"
    return text if text[2 + decimals :].strip("0") else text[: 2 + decimals]


def average(cost: Decimal, count: Decimal) -> str:
    """Write a mean price, rounded to 1/10,000 dollar."""
    return str((cost / count).quantize(Decimal("0.0001"), ROUND_HALF_UP))


def differing(shown: Mapping[str, str], expected: Mapping[str, str]) -> set[tuple[str, str, str]]:
    """Return the figures that differ: name, shown, expected."""
    both = (
        (name, shown.get(name, "nothing"), expected.get(name, "nothing")) for name in shown.keys() | expected.keys()
    )
    return {each for each in both if each[1] != each[2]}


@dataclass(frozen=True)
class Mismatch:
    """A figure that is not what it should be."""

    where: str
    shown: str
    expected: str

    def __str__(self) -> str:
        return f"{self.where}: shown {self.shown}, expected {self.expected}"


@dataclass
class Tally:
    """What was read and compared, by kind."""

    compared: Counter[str] = field(default_factory=Counter)
    mismatches: list[Mismatch] = field(default_factory=list)

    def compare(self, moment: str, shown: Mapping[str, str], expected: Mapping[str, str]) -> None:
        """Count figures of one moment, named ``kind/which``, and keep those that differ."""
        self.compared.update(name.partition("/")[0] for name in expected.keys() | shown.keys())
        apart = sorted(differing(shown, expected))
        self.mismatches += [Mismatch(f"{moment}, {name}", seen, right) for name, seen, right in apart]

    @property
    def total(self) -> int:
        """How many figures were compared."""
        return self.compared.total()

    def lines(self) -> list[str]:
        """Return the counts and the mismatches as text."""
        counts = [f"{count:>9,}  {kind}" for kind, count in sorted(self.compared.items())]
        failed = [f"MISMATCH {each}" for each in self.mismatches]
        sums = f"{self.total:>9,}  figures compared, {len(failed)} mismatches"
        return [*counts, *failed[:MAX_MISMATCHES_TOLD], sums]
