"""One market on the screen: its row in the list, book, tape, ladder and ticket, beside raw replies."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from tests.audit.arithmetic import ONE, ZERO, Levels, Row, moment_ms
from tests.audit.exchange import AuditExchange
from tests.audit.figures import NO_VALUE, cents, contracts, price
from tests.audit.moment import Holding, Moment, grid_decimals

SPARKS = set("▁▂▃▄▅▆▇█")
NEAR = Decimal("0.05")
LEVEL_SIDE = r"(?P<depth>[\d,.]+) +(?P<size>[\d,.]+) +(?P<marks>[* ]?[= ]?) *(?P<price>\d\.\d+) *$"
BID = re.compile(rf"^ *{LEVEL_SIDE}")
ASK = re.compile(
    r"^ ?(?P<price>\d\.\d+) *(?P<marks>[*]?[= ]?) *(?P<no>\d\.\d+) +(?P<size>[\d,.]+) +(?P<depth>[\d,.]+) *$"
)
PRINT = re.compile(
    r"^(?P<own>[* ])(?P<time>\d\d:\d\d:\d\d) +(?P<price>\d\.\d+) +(?P<count>[\d,.]+) +(?P<taker>▲ YES|▼ NO)"
)
NEAR_TEXT = re.compile(
    r"within 5c of the middle: bids (?P<bids>[\d,.]+), asks (?P<asks>[\d,.]+), imbalance (?P<imbalance>\S+)"
)
BEST = re.compile(r"YES bid (?P<bid>\S+)  ask (?P<ask>\S+)(?:  spread (?P<spread>\S+))?")


@dataclass(frozen=True)
class Seen:
    """A market as raw replies have it."""

    row: Row
    bids: Levels
    """For YES, best first."""
    asks: Levels
    trades: list[Row]
    own: list[Row]
    holding: Holding | None
    own_trades: set[str]

    @classmethod
    def read(cls, exchange: AuditExchange, ticker: str, moment: Moment) -> "Seen":
        """Read a market."""
        book = exchange.call("GET", f"/markets/{ticker}/orderbook", depth=0)["orderbook_fp"]
        yes = [(Decimal(each), Decimal(size)) for each, size in book["yes_dollars"] or ()]
        no = [(ONE - Decimal(each), Decimal(size)) for each, size in book["no_dollars"] or ()]
        return cls(
            row=exchange.call("GET", f"/markets/{ticker}")["market"],
            bids=sorted(yes, reverse=True),
            asks=sorted(no),
            trades=exchange.call("GET", "/markets/trades", ticker=ticker, limit=100)["trades"],
            own=[each for each in moment.orders if each["ticker"] == ticker],
            holding=next((each for each in moment.holdings if each.row["ticker"] == ticker), None),
            own_trades={each["trade_id"] for each in moment.fills},
        )

    @property
    def decimals(self) -> int:
        """How many decimals its prices are shown with."""
        return grid_decimals(self.row)

    @property
    def last(self) -> Decimal | None:
        """The price of the last trade."""
        return Decimal(self.row["last_price_dollars"]) or None

    def own_at(self, side: str, level: Decimal) -> Decimal:
        """Return what of a level is the account's own."""
        mine = [each for each in self.own if each["book_side"] == side]
        at = [each for each in mine if Decimal(each["yes_price_dollars"]) == level]
        return sum((Decimal(each["remaining_count_fp"]) for each in at), ZERO)


def split_panes(lines: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Take the screen apart: the market list, the book or ladder, and the tape."""
    title = lines[1] if len(lines) > 1 else ""
    rules = [place for place, sign in enumerate(title) if sign == "│" and place > 5]
    if len(rules) < 2:
        return [], [], []
    first, second = rules[0], rules[-1]
    upper = [each for each in lines[1:] if len(each) > first and each[first] == "│"]
    return (
        [each[:first] for each in upper],
        [each[first + 1 : second] for each in upper],
        [each[second + 1 :] for each in upper],
    )


def short_count(count: Decimal) -> str:
    """Write a count in few cells, as the market list does."""
    whole = int(count)
    for unit, letter in ((10**9, "B"), (10**6, "M"), (1000, "k")):
        if whole >= unit:
            tenths = whole * 10 // unit
            return f"{tenths // 10}{letter}" if tenths >= 1000 else f"{tenths // 10}.{tenths % 10}{letter}"
    return str(whole)


def read_market_row(lines: Sequence[str]) -> dict[str, str]:
    """Read the selected market's row."""
    rows = [each for each in split_panes(lines)[0] if each.startswith(("▌", "│"))]
    words = rows[0].split() if len(rows) == 1 else []
    if len(words) < 5:
        return {}
    volume = words.pop()
    if set(words[-1]) <= SPARKS:
        words.pop()
    bid, ask, last, change = (each.lstrip("▲▼") for each in words[-4:])
    marks = rows[0][1:3]
    found = {"bid": bid, "ask": ask, "last": last, "change": change, "volume": volume, "marks": marks}
    return {f"market row {name}/": text for name, text in found.items()}


def market_row_figures(seen: Seen) -> dict[str, str]:
    """Return what the row should say."""
    decimals = seen.decimals
    previous = Decimal(seen.row["previous_price_dollars"]) or None
    change = NO_VALUE
    if seen.last is not None and previous is not None:
        moved = seen.last - previous
        change = ("+" if moved > 0 else "-" if moved < 0 else "") + price(abs(moved), decimals)
    held = " " if seen.holding is None else "+" if seen.holding.count > 0 else "-"
    figures = {
        "bid": price(seen.bids[0][0] if seen.bids else None, decimals),
        "ask": price(seen.asks[0][0] if seen.asks else None, decimals),
        "last": price(seen.last, decimals),
        "change": change,
        "volume": short_count(Decimal(seen.row["volume_fp"])),
        "marks": ("*" if seen.own else " ") + held,
    }
    return {f"market row {name}/": text for name, text in figures.items()}


def read_book(lines: Sequence[str]) -> dict[str, str]:
    """Read the book's header and its levels."""
    pane = split_panes(lines)[1]
    if len(pane) < 3:
        return {}
    found = {
        "book held/": held.group(1) if (held := re.search(r"((?:YES|NO) [\d,.]+) held *$", pane[0])) else "nothing"
    }
    found["book state/"] = re.sub(r"  +KX\S+.*$", "", pane[1]).rstrip()
    rows = [re.split(r" │ |◄│ | │►", each, maxsplit=1) for each in pane[3:]]
    for place, (left, right) in enumerate(each for each in rows if len(each) == 2):
        for kind, match in (("bid", BID.match(left)), ("ask", ASK.match(right))):
            if match:
                found |= {f"book {kind} {name}/{place}": text.strip() for name, text in match.groupdict().items()}
    return found


def book_figures(seen: Seen) -> dict[str, str]:
    """Return what the book's pane should say."""
    decimals, holding = seen.decimals, seen.holding
    found = {"book held/": "nothing"}
    if holding is not None:
        found["book held/"] = f"{'YES' if holding.count > 0 else 'NO'} {contracts(abs(holding.count))}"
    found["book state/"] = _book_state(seen)
    for kind, levels in (("bid", seen.bids), ("ask", seen.asks)):
        depth = ZERO
        for place, (level, size) in enumerate(levels):
            depth += size
            marks = ("*" if seen.own_at(kind, level) else "") + ("=" if level == seen.last else "")
            found |= {
                f"book {kind} price/{place}": price(level, decimals),
                f"book {kind} size/{place}": contracts(size),
                f"book {kind} depth/{place}": contracts(depth),
                f"book {kind} marks/{place}": marks,
            }
            if kind == "ask":
                found[f"book ask no/{place}"] = price(ONE - level, decimals)
    return found


def _book_state(seen: Seen) -> str:
    if not seen.bids or not seen.asks:
        return "only YES is bid" if seen.bids else "only NO is bid" if seen.asks else "nobody bids"
    (bid, _), (ask, _) = seen.bids[0], seen.asks[0]
    middle = f"{(bid + ask) / 2:.5f}"
    cut = middle[: 2 + seen.decimals] + middle[2 + seen.decimals :].rstrip("0")
    return f"spread {price(ask - bid, seen.decimals)}  mid {cut}"


def read_tape(lines: Sequence[str]) -> dict[str, str]:
    """Read the prints beside the book."""
    found: dict[str, str] = {}
    for place, match in enumerate(match for each in split_panes(lines)[2] if (match := PRINT.match(each))):
        found |= {f"tape {name}/{place}": text for name, text in match.groupdict().items()}
    return found


def tape_figures(seen: Seen, time_zone: str) -> dict[str, str]:
    """Return what the tape should say, newest first."""
    found: dict[str, str] = {}
    for place, each in enumerate(seen.trades):
        at = datetime.fromtimestamp(moment_ms(each["created_time"]) // 1000, UTC).astimezone(ZoneInfo(time_zone))
        found |= {
            f"tape own/{place}": "*" if each["trade_id"] in seen.own_trades else " ",
            f"tape time/{place}": f"{at:%H:%M:%S}",
            f"tape price/{place}": price(Decimal(each["yes_price_dollars"]), seen.decimals),
            f"tape count/{place}": contracts(Decimal(each["count_fp"])),
            f"tape taker/{place}": "▲ YES" if each["taker_outcome_side"] == "yes" else "▼ NO",
        }
    return found


LADDER_COLUMNS = ("own bid", "bid depth", "bid", "price", "ask", "ask depth", "own ask", "gain")


def read_ladder(lines: Sequence[str]) -> dict[str, str]:
    """Read the ladder's header and rows, by the ends of its columns' headings."""
    pane = split_panes(lines)[1]
    heading = next((place for place, each in enumerate(pane) if each.startswith("own/ahead")), None)
    if heading is None:
        return {}
    found: dict[str, str] = {}
    for pattern, each in ((BEST, pane[1]), (NEAR_TEXT, pane[2])):
        if match := pattern.search(each):
            found |= {f"ladder {name}/": text for name, text in match.groupdict().items() if text}
    words = list(re.finditer(r"own/ahead|depth|YES bid|price|YES ask|P&L here", pane[heading]))
    ends = [match.end() for match in words]
    names = LADDER_COLUMNS[: len(ends)]
    for row in pane[heading + 1 :]:
        cells = _cells(row, names, ends)
        if re.fullmatch(r"\d\.\d+", cells.get("price", "")):
            found |= {f"ladder {name}/{cells['price']}": text for name, text in cells.items() if text}
    return found


def _cells(row: str, names: Sequence[str], ends: Sequence[int]) -> dict[str, str]:
    """Cut a row at the ends of its columns; the own orders at the right begin where the depth before them ends."""
    # The sign of the last trade and the cursor's stand around the price.
    places = {name: 12 if name == "own bid" else end + (name == "price") for name, end in zip(names, ends, strict=True)}
    cells, start = {}, 0
    for name, end in places.items():
        cells[name] = row[start:end].strip(" =►◄")
        start = end
    if "own ask" in cells and "gain" in cells:
        words = row[ends[names.index("ask depth")] :].split()
        cells["own ask"] = next((each for each in words if each.startswith(("*", "2*", "3*", "?"))), "")
        cells["gain"] = words[-1] if words and "$" in words[-1] else ""
    return cells


def ladder_figures(seen: Seen, shown: dict[str, str]) -> dict[str, str]:
    """Return what the ladder should say at the prices that are shown."""
    decimals, holding = seen.decimals, seen.holding
    best_bid, best_ask = (levels[0][0] if levels else None for levels in (seen.bids, seen.asks))
    found = {"ladder bid/": price(best_bid, decimals), "ladder ask/": price(best_ask, decimals)}
    if best_bid is not None and best_ask is not None:
        found["ladder spread/"] = price(best_ask - best_bid, decimals)
        found |= _near_figures(seen, (best_bid + best_ask) / 2)
    prices = [name.removeprefix("ladder price/") for name in shown if name.startswith("ladder price/")]
    for text in prices:
        at = Decimal(text)
        bid = sum((size for level, size in seen.bids if level == at), ZERO)
        ask = sum((size for level, size in seen.asks if level == at), ZERO)
        cells = {"price": text, "bid": contracts(bid) if bid else "", "ask": contracts(ask) if ask else ""}
        bid_depth = sum((size for level, size in seen.bids if level >= at), ZERO)
        ask_depth = sum((size for level, size in seen.asks if level <= at), ZERO)
        cells["bid depth"] = contracts(bid_depth) if bid_depth else ""
        cells["ask depth"] = contracts(ask_depth) if ask_depth else ""
        if holding is not None:
            paid = at if holding.count > 0 else ONE - at
            cells["gain"] = cents(abs(holding.count) * paid - holding.cost, signed=True)
        found |= {f"ladder {name}/{text}": cell for name, cell in cells.items() if cell}
    # Narrow columns have no room for commas.
    found |= {
        name: shown[name] for name, text in found.items() if "," in text and shown.get(name) == text.replace(",", "")
    }
    # Own orders have the queue ahead of them, which the list of orders is held to.
    for name, text in shown.items():
        if name.startswith("ladder own"):
            side = "bid" if "own bid" in name else "ask"
            mine = seen.own_at(side, Decimal(name.rpartition("/")[2]))
            rest = text.partition("*")[2].partition("/")[0]
            found[name] = text if rest == contracts(mine) or rest == short_count(mine) else f"*{contracts(mine)}"
    return found


def _near_figures(seen: Seen, middle: Decimal) -> dict[str, str]:
    bids = sum((size for level, size in seen.bids if level >= middle - NEAR), ZERO)
    asks = sum((size for level, size in seen.asks if level <= middle + NEAR), ZERO)
    if not bids + asks:
        return {"ladder bids/": "0", "ladder asks/": "0", "ladder imbalance/": NO_VALUE}
    share = ((bids - asks) * 100 / (bids + asks)).quantize(ONE, ROUND_HALF_UP)
    return {
        "ladder bids/": contracts(bids),
        "ladder asks/": contracts(asks),
        "ladder imbalance/": f"{int(share):+}%" if share else "0%",
    }
