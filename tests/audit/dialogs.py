"""A market's details and the order ticket: the figures in the boxes over the desk."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from tests.audit.arithmetic import ZERO, Row
from tests.audit.figures import contracts, exact, price
from tests.audit.markets import Seen, short_count
from tests.audit.moment import grid_decimals

OUTCOME = re.compile(
    r"(?P<here>>| ) (?P<name>\S.*?) +(?P<bid>\d\.\d+|--) +(?P<ask>\d\.\d+|--) +(?P<last>\d\.\d+|--)"
    r" +(?P<volume>[\d.]+[kMB]?)$"
)
BRINGS = re.compile(r"a YES of each brings (?P<brings>\$[\d.,]+)\.")
TICKET = {
    "fills": re.compile(r"Fills now +(?P<value>nothing|[\d,.]+ at [\d.]+)(?:  |$)"),
    "rests": re.compile(r"Rests +(?P<value>nothing|[\d,.]*\d)"),
    "cost": re.compile(r"Cost +(?P<value>\$[\d,.]+)"),
    "held now": re.compile(r"Held now +(?P<value>nothing|(?:YES|NO) [\d,.]+)"),
    "held after": re.compile(r"Held after +(?P<value>nothing|(?:YES|NO) [\d,.]+)"),
}


def box_lines(lines: Sequence[str]) -> list[str]:
    """Return what stands in the box over the desk."""
    top = next((each for each in lines if "╭─" in each), "")
    left, right = top.find("╭"), top.rfind("╮")
    if left < 0:
        return []
    return [each[left + 2 : right].rstrip() for each in lines if len(each) > right and each[left] == each[right] == "│"]


def read_details(lines: Sequence[str]) -> dict[str, str]:
    """Read the outcomes of the event, the likeliest first."""
    found: dict[str, str] = {}
    box = box_lines(lines)
    for place, match in enumerate(match for each in box if (match := OUTCOME.match(each))):
        found |= {f"outcome {name}/{place}": text for name, text in match.groupdict().items() if name != "name"}
    if match := BRINGS.search(" ".join(box)):
        found["outcomes/brings"] = match["brings"]
    return found


def detail_figures(markets: Sequence[Row], selected: str, *, exclusive: bool) -> dict[str, str]:
    """Return what they should say of an event none of whose outcomes has ended."""
    found: dict[str, str] = {}
    decimals = max(grid_decimals(each) for each in markets)
    ranked = sorted(markets, key=lambda each: -Decimal(each["yes_bid_dollars"]))
    for place, each in enumerate(ranked):
        bid, ask, last = (Decimal(each[f"{name}_dollars"]) for name in ("yes_bid", "yes_ask", "last_price"))
        found |= {
            f"outcome here/{place}": ">" if each["ticker"] == selected else " ",
            f"outcome bid/{place}": price(bid or None, decimals),
            f"outcome ask/{place}": price(None if ask == 1 else ask, decimals),
            f"outcome last/{place}": price(last or None, decimals),
            f"outcome volume/{place}": short_count(Decimal(each["volume_fp"])),
        }
    if exclusive:
        found["outcomes/brings"] = exact(sum((Decimal(each["yes_bid_dollars"]) for each in markets), ZERO))
    return found


def read_ticket(lines: Sequence[str]) -> dict[str, str]:
    """Read what the order would do."""
    box = box_lines(lines)
    found: dict[str, str] = {}
    for name, pattern in TICKET.items():
        if match := next((match for each in box if (match := pattern.search(each))), None):
            found[f"ticket {name}/"] = match["value"]
    return found


def ticket_figures(seen: Seen, limit: Decimal, count: Decimal) -> dict[str, str]:
    """Return what buying YES should do where the account has no order in the market."""
    left, paid = count, ZERO
    for level, size in seen.asks:
        if level > limit:
            break
        filled = min(size, left)
        left -= filled
        paid += filled * level
    filled = count - left
    average = (paid / filled).quantize(Decimal("0.0001"), ROUND_HALF_UP) if filled else ZERO
    now = ZERO if seen.holding is None else seen.holding.count
    # A YES bought closes a NO that is held, and both together pay a dollar.
    closed = min(count, max(-now, ZERO))
    return {
        "ticket fills/": f"{contracts(filled)} at {price(average, 2).rstrip('0').ljust(4, '0')}"
        if filled
        else "nothing",
        "ticket rests/": contracts(left) if left else "nothing",
        "ticket cost/": exact(paid + left * limit - closed),
        "ticket held now/": _held(now),
        "ticket held after/": _held(now + count),
    }


def _held(count: Decimal) -> str:
    return f"{'YES' if count > 0 else 'NO'} {contracts(abs(count))}" if count else "nothing"
