"""The lists of orders, fills and settlements: read off the screen, and as raw replies have them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from tests.audit.arithmetic import ONE, ZERO, Row, moment_ms, settlement_value
from tests.audit.figures import NO_VALUE, cents, contracts, exact, price
from tests.audit.moment import Moment, grid_decimals
from tests.audit.screens import AMOUNT

STATE = r"RESTING|PART FILL|FILLED|CANCELED|EXPIRED|UNKNOWN|SENDING|REFUSED|NOT SENT"
ORDER = re.compile(
    rf"^.(?P<state>{STATE}) +(?P<side>YES|NO) +(?P<price>\d\.\d+) +(?P<left>[\d,.]+) +(?P<filled>[\d,.]+)"
    r" +(?P<at>\d\.\d+|--)(?: {1,18}(?P<ahead>[\d,.]+|--))?  "
)
FILL = re.compile(
    r"^.(?P<time>\d\d:\d\d:\d\d)  (?P<side>YES|NO) +(?P<price>\d\.\d+) +(?P<count>[\d,.]+) +(?P<fee>\$[\d,.]+)"
    r"  (?P<role>taker|maker) "
)
SETTLEMENT = re.compile(
    r"^.(?P<time>\d\d \w{3} \d\d:\d\d) +(?P<result>YES|NO|scalar) +(?P<held>(?:YES|NO) [\d,.]+)"
    rf" +(?P<cost>{AMOUNT}) +(?P<revenue>~?(?:{AMOUNT})) +(?P<fees>{AMOUNT}) +(?P<net>~?(?:{AMOUNT}))"
)
SETTLED_TOTAL = re.compile(
    rf"^.{{15}}Total +(?P<markets>\d+) markets? +(?P<cost>{AMOUNT}) +(?P<revenue>~?(?:{AMOUNT})) +(?P<fees>{AMOUNT})"
    rf" +(?P<net>~?(?:{AMOUNT}))"
)
TABS = re.compile(r"1 Orders ?(?P<orders>\d*).*2 Positions ?(?P<positions>\d*).*3 Fills ?(?P<fills>\d*)")
WORDS = {"executed": "FILLED", "canceled": "CANCELED"}


def read_rows(pattern: re.Pattern[str], kind: str, lines: Sequence[str]) -> dict[str, str]:
    """Read the rows of a list, numbered from its top."""
    found: dict[str, str] = {}
    for place, match in enumerate(match for line in lines if (match := pattern.match(line))):
        found |= {f"{kind} {name}/{place}": text for name, text in match.groupdict().items() if text}
    return found


def read_tabs(lines: Sequence[str]) -> dict[str, str]:
    """Read the counts in the bar of tabs."""
    match = next((match for line in lines if (match := TABS.search(line))), None)
    return {} if match is None else {f"tab/{name}": text for name, text in match.groupdict().items() if text}


def tab_figures(moment: Moment) -> dict[str, str]:
    """Return what the bar of tabs should say."""
    counts = {"orders": len(moment.orders), "positions": len(moment.holdings), "fills": len(moment.fills)}
    return {f"tab/{name}": str(count) for name, count in counts.items() if count}


def order_figures(moment: Moment, ahead: dict[str, Decimal], shown: dict[str, str]) -> dict[str, str]:
    """Return the list of orders: those that rest, then those that ended, the newest first.

    Of those that ended in the same millisecond the one that is ``shown`` first may be first.
    """
    found: dict[str, str] = {}
    resting = sorted(moment.orders, key=lambda each: -moment_ms(each["created_time"]))
    ended = [each for each in moment.all_orders if each["status"] != "resting"]
    ended.sort(key=lambda each: -moment_ms(each["last_update_time"]))
    rows = [(moment_ms(each["created_time"]), _order_row(moment, each, ahead)) for each in resting]
    rows += [(moment_ms(each["last_update_time"]), _order_row(moment, each, ahead)) for each in ended]
    for place in range(len(rows)):
        tied = [other for other in range(place, len(rows)) if rows[other][0] == rows[place][0]]
        like = next((other for other in tied if _is_shown(rows[other][1], shown, place)), place)
        rows.insert(place, rows.pop(like))
        found |= {f"order {name}/{place}": text for name, text in rows[place][1].items()}
    return found


def _is_shown(row: dict[str, str], shown: dict[str, str], place: int) -> bool:
    return all(shown.get(f"order {name}/{place}") == text for name, text in row.items())


def _order_row(moment: Moment, order: Row, ahead: dict[str, Decimal]) -> dict[str, str]:
    side, filled = order["outcome_side"], Decimal(order["fill_count_fp"])
    decimals = grid_decimals(moment.markets[order["ticker"]])
    row = {
        "state": WORDS.get(order["status"], "PART FILL" if filled else "RESTING"),
        "side": side.upper(),
        "price": price(Decimal(order[f"{side}_price_dollars"]), decimals),
        "left": contracts(Decimal(order["remaining_count_fp"])),
        "filled": contracts(filled),
        "at": _average_price(moment, order, filled),
    }
    return row | ({"ahead": _count_or_none(ahead.get(order["order_id"]))} if order["status"] == "resting" else {})


def _count_or_none(count: Decimal | None) -> str:
    return NO_VALUE if count is None else contracts(count)


def _average_price(moment: Moment, order: Row, filled: Decimal) -> str:
    if not filled:
        return NO_VALUE
    name = f"{order['outcome_side']}_price_dollars"
    fills = [each for each in moment.fills if each["order_id"] == order["order_id"]]
    paid = sum((Decimal(each[name]) * Decimal(each["count_fp"]) for each in fills), ZERO)
    return price((paid / filled).quantize(Decimal("0.0001"), ROUND_HALF_UP), 2)


def fill_list_figures(moment: Moment, time_zone: str) -> dict[str, str]:
    """Return the list of fills, the newest first, with the times of the desk's zone."""
    found: dict[str, str] = {}
    for place, each in enumerate(moment.fills):
        side = each["outcome_side"]
        found |= {
            f"fill time/{place}": _local(each["created_time"], time_zone, "%H:%M:%S"),
            f"fill side/{place}": side.upper(),
            f"fill price/{place}": price(
                Decimal(each[f"{side}_price_dollars"]), grid_decimals(moment.markets[each["ticker"]])
            ),
            f"fill count/{place}": contracts(Decimal(each["count_fp"])),
            f"fill fee/{place}": exact(Decimal(each["fee_cost"])),
            f"fill role/{place}": "taker" if each["is_taker"] else "maker",
        }
    return found


def _local(text: str, time_zone: str, form: str) -> str:
    return datetime.fromtimestamp(moment_ms(text) // 1000, UTC).astimezone(ZoneInfo(time_zone)).strftime(form)


def settlement_figures(moment: Moment, time_zone: str) -> dict[str, str]:
    """Return the list of settlements with their sum: a market's net is all that it has brought."""
    found: dict[str, str] = {}
    sums = dict.fromkeys(("cost", "revenue", "fees", "net"), ZERO)
    for place, each in enumerate(moment.settlements):
        yes, no = Decimal(each["yes_count_fp"]), Decimal(each["no_count_fp"])
        value = settlement_value(each, moment.markets[each["ticker"]])
        amounts = {
            "cost": Decimal(each["yes_total_cost_dollars"]) + Decimal(each["no_total_cost_dollars"]),
            "revenue": yes * value + no * (ONE - value),
            "fees": Decimal(each["fee_cost"]),
            "net": moment.replayed.markets[each["ticker"]].flow,
        }
        result = each["market_result"]
        found |= {
            f"settlement time/{place}": _local(each["settled_time"], time_zone, "%d %b %H:%M"),
            f"settlement result/{place}": result if result == "scalar" else result.upper(),
            f"settlement held/{place}": f"YES {contracts(yes)}" if yes else f"NO {contracts(no)}",
            **_amounts(amounts, "settlement", str(place)),
        }
        sums = {name: sums[name] + amount for name, amount in amounts.items()}
    if moment.settlements:
        found |= {"settled in all/markets": str(len(moment.settlements)), **_amounts(sums, "settled in all", "")}
    return found


def _amounts(amounts: dict[str, Decimal], kind: str, place: str) -> dict[str, str]:
    revenue = exact(amounts["revenue"])
    texts = {
        "cost": cents(amounts["cost"]),
        "revenue": revenue if len(revenue) < 10 else cents(amounts["revenue"]),
        "fees": cents(amounts["fees"]),
        "net": cents(amounts["net"], signed=True),
    }
    return {f"{kind} {name}/{place}" if place else f"{kind}/{name}": text for name, text in texts.items()}


def read_settlements(lines: Sequence[str]) -> dict[str, str]:
    """Read the list of settlements."""
    found = read_rows(SETTLEMENT, "settlement", lines)
    for match in (match for line in lines if (match := SETTLED_TOTAL.match(line))):
        found |= {f"settled in all/{name}": text for name, text in match.groupdict().items()}
    return found


def first_rows(expected: dict[str, str], shown: dict[str, str]) -> dict[str, str]:
    """Leave out what is expected below the last row that has room; at least three rows must have it."""
    places = {name.rpartition("/")[2] for name in shown}
    rows = max(len(places), 3)
    numbered = ((name.rpartition("/")[2], name, text) for name, text in expected.items())
    return {name: text for place, name, text in numbered if not place.isdigit() or int(place) < rows}
