"""What a settled market has brought in all, by its fills: the exchange's settlement leaves out what was closed before.

Exact, pure, and in whatever order the fills come: what they paid, with the payout, is the whole gain; what is not the
payout less the cost of what was held to the end was realized before.
"""

from collections.abc import Iterable
from dataclasses import replace

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.domain.day_gain import TradedSum, as_sold_yes


def with_realized(settled: Settlement, sums: Iterable[TradedSum]) -> Settlement:
    """Return a settlement with what was realized before, given the sums of all fills there ever were of its market.

    There is one sum for each subaccount that it may be of. Where none, or more than one that differ, agrees with what
    was held in the end, it stays as it is: the fills are not all there, or nobody can tell whose it is.
    """
    found = {_with_sum(settled, each) for each in sums if each.fills and each.count == settled.count}
    return found.pop() if len(found) == 1 else settled


def _with_sum(settled: Settlement, traded: TradedSum) -> Settlement:
    payout, revenue = settled.whole_payout, settled.revenue
    if payout is None:
        # What was rounded off the payout is in the fees; where it is not in the payout too, it would count twice.
        payout = revenue = revenue + max(settled.fees - traded.fees, 0)
    gain = traded.paid + as_sold_yes(settled.count, payout)
    return replace(settled, revenue=revenue, realized=gain - (revenue - settled.cost))
