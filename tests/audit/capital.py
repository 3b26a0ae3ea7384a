"""The capital account: between any two moments every cent is explained by fills, fees, settlements and marks."""

from decimal import Decimal

from tests.audit.arithmetic import ZERO
from tests.audit.figures import Tally, exact
from tests.audit.moment import Moment


class CapitalAccount:
    """Holds each moment against the one before."""

    def __init__(self, first: Moment) -> None:
        self._opening = first.cash - first.replayed.flow
        """What the account had before any fill that is listed."""

    def check(self, where: str, moment: Moment, tally: Tally) -> None:
        """Compare the cash with the opening and all flows, and each position with its replay."""
        explained = self._opening + moment.replayed.flow
        held_back = explained - moment.cash
        most = sum((_most_held_back(each) for each in moment.orders), ZERO)
        # What resting orders hold back is not listed: it is what remains, and bounded by what they can cost.
        shown = explained if moment.orders and ZERO <= held_back <= most else moment.cash
        figures = {"capital account/cash": exact(shown)}
        right = {"capital account/cash": exact(explained)}
        replayed = {ticker: each for ticker, each in moment.replayed.markets.items() if each.count}
        for each in moment.holdings:
            name = each.row["ticker"]
            again = replayed.pop(name, None)
            for kind, listed, found in (
                ("count", each.count, again and again.count),
                ("cost", each.cost, again and again.cost),
                ("realized", each.realized, again and again.realized),
                ("fees", each.fees, again and again.fees),
            ):
                figures[f"capital account/{kind} of {name}"] = exact(listed)
                right[f"capital account/{kind} of {name}"] = exact(found or ZERO)
        for name in replayed:
            right[f"capital account/count of {name}"] = "held by its fills"
        tally.compare(where, figures, right)


def _most_held_back(order: dict[str, str]) -> Decimal:
    """Return the most that a resting order can hold back: its price, and a dollar's worth of fees at the most."""
    count = Decimal(order["remaining_count_fp"])
    price = Decimal(order[f"{order['outcome_side']}_price_dollars"])
    return count * (price + Decimal("0.02")) + Decimal("0.02")
