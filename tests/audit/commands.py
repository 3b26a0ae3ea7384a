"""Reading figures from the commands: their JSON, and their tables of text."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from tests.audit.arithmetic import Row, Worth
from tests.audit.exchange import AuditExchange
from tests.audit.figures import exact
from tests.audit.moment import Moment
from tests.support.cli_runner import ROOT, environment


class Commands:
    """Runs commands one after another in one process."""

    def __init__(self, exchange: AuditExchange, home: Path, time_zone: str = "UTC") -> None:
        key = exchange.audited
        self._more = ["--rest-url", exchange.rest_url, "--data", str(home / "commands")]
        keys = {"KALSHI_API_KEY_ID": key.key_id, "KALSHI_PRIVATE_KEY_PATH": str(key.key_path), "TZ": time_zone}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.many_accounts"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(home, **keys),
            cwd=ROOT,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        """Run a command and return what it wrote."""
        asks, answers = self._process.stdin, self._process.stdout
        assert asks is not None
        assert answers is not None
        asks.write(json.dumps([*arguments, *self._more]) + "\n")
        asks.flush()
        done = json.loads(answers.readline())
        assert done["code"] == 0, done
        return str(done["out"])

    def rows(self, *arguments: str) -> list[Any]:
        """Run a command with --json and return its objects."""
        return [json.loads(each) for each in self.run(*arguments, "--json").splitlines()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)


def _money(amount: Any) -> str:
    return "null" if amount is None else f"{amount:.6f}"


def _text(value: Any) -> str:
    return "null" if value is None else str(value)


BALANCE_KINDS = {"cash": "cash", "portfolio_value": "value by the exchange", "positions_value": "positions"}


def read_balance(commands: Commands) -> dict[str, str]:
    """Read `balance`, both ways."""
    (row,) = commands.rows("balance")
    found = {f"balance --json/{kind}": _text(row[name]) for name, kind in BALANCE_KINDS.items()}
    found |= {f"balance --json/cash at {each['exchange_index']}": each["cash"] for each in row["shards"]}
    for line in commands.run("balance").splitlines():
        name, _, amount = line.rstrip().rpartition(" ")
        words = name.split()
        found[f"balance/{' '.join(words[:2]) if words[0] == 'at' else ' '.join(words)}"] = amount
    return found


def balance_figures(moment: Moment) -> dict[str, str]:
    """Return what `balance` should say."""
    found = {
        "balance --json/cash": _money(moment.cash),
        "balance --json/value by the exchange": _money(moment.portfolio_value),
        "balance --json/positions": _money(moment.value),
        "balance/cash": exact(moment.cash),
        "balance/positions": exact(moment.value),
        "balance/by the exchange": exact(moment.portfolio_value),
    }
    for shard, cash in moment.by_shard.items():
        found[f"balance --json/cash at {shard}"] = _money(cash)
        found[f"balance/at {shard}"] = exact(cash)
    return found


POSITION_FIELDS = (
    "side",
    "count",
    "cost",
    "realized_pnl",
    "fees_paid",
    "total_traded",
    "exit_price",
    "value",
    "unsold",
)


def read_position_list(commands: Commands) -> dict[str, str]:
    """Read `positions --json`."""
    return {
        f"positions --json {name}/{row['ticker']}": _text(row[name])
        for row in commands.rows("positions")
        for name in POSITION_FIELDS
    }


def position_list_figures(moment: Moment) -> dict[str, str]:
    """Return what `positions --json` should say."""
    found: dict[str, str] = {}
    for each in moment.holdings:
        worth: Worth | None = each.worth
        best = None if worth is None or worth.best is None else f"{worth.best:.4f}"
        figures = {
            "side": "yes" if each.count > 0 else "no",
            "count": f"{abs(each.count):.2f}",
            "cost": _money(each.cost),
            "realized_pnl": _money(each.realized),
            "fees_paid": _money(each.fees),
            "total_traded": each.row["total_traded_dollars"],
            "exit_price": _text(best),
            "value": _money(each.value),
            "unsold": "null" if worth is None else f"{worth.unsold:.2f}",
        }
        found |= {f"positions --json {name}/{each.row['ticker']}": text for name, text in figures.items()}
    return found


FILL_FIELDS = ("ticker", "side", "price", "yes_price", "count", "fee")


def read_fills(commands: Commands) -> dict[str, str]:
    """Read `fills --json`."""
    rows = commands.rows("fills", "--limit", "1000")
    return {f"fills --json {name}/{place}": _text(row[name]) for place, row in enumerate(rows) for name in FILL_FIELDS}


def fill_figures(fills: list[Row]) -> dict[str, str]:
    """Return what `fills --json` should say."""
    found: dict[str, str] = {}
    for place, each in enumerate(fills):
        side = each["outcome_side"]
        figures = {
            "ticker": each["ticker"],
            "side": side,
            "price": each[f"{side}_price_dollars"],
            "yes_price": each["yes_price_dollars"],
            "count": each["count_fp"],
            "fee": each["fee_cost"],
        }
        found |= {f"fills --json {name}/{place}": text for name, text in figures.items()}
    return found


MARKET_FIELDS = {
    "yes_bid": "yes_bid_dollars",
    "yes_ask": "yes_ask_dollars",
    "yes_bid_size": "yes_bid_size_fp",
    "yes_ask_size": "yes_ask_size_fp",
    "last_price": "last_price_dollars",
    "previous_price": "previous_price_dollars",
    "volume": "volume_fp",
    "volume_24h": "volume_24h_fp",
    "open_interest": "open_interest_fp",
}
NO_PRICES = {"yes_bid": "0.0000", "yes_ask": "1.0000", "last_price": "0.0000", "previous_price": "0.0000"}
"""What the exchange writes where there is no such price."""


def read_market(commands: Commands, ticker: str) -> dict[str, str]:
    """Read `market`, `book` and `trades` of one market."""
    (row,) = commands.rows("market", ticker)
    found = {f"market --json {name}/": _text(row[name]) for name in MARKET_FIELDS}
    (book,) = commands.rows("book", ticker)
    for side in ("yes_bids", "no_bids"):
        for place, level in enumerate(book[side]):
            found[f"book --json {side} price/{place}"] = level["price"]
            found[f"book --json {side} count/{place}"] = level["count"]
    found["book --json spread/"] = _text(book["spread"])
    for place, each in enumerate(commands.rows("trades", ticker, "--limit", "50")):
        for name in ("trade_id", "yes_price", "count", "taker_side"):
            found[f"trades --json {name}/{place}"] = _text(each[name])
    return found


def market_figures(row: Row, book: Row, trades: list[Row]) -> dict[str, str]:
    """Return what they should say."""
    found: dict[str, str] = {}
    for name, field in MARKET_FIELDS.items():
        found[f"market --json {name}/"] = "null" if row[field] == NO_PRICES.get(name) else row[field]
    best = []
    for side, levels in (("yes_bids", book["yes_dollars"]), ("no_bids", book["no_dollars"])):
        ranked = sorted(((Decimal(price), size) for price, size in levels or ()), reverse=True)
        best += [price for price, _ in ranked[:1]]
        for place, (price, size) in enumerate(ranked):
            found[f"book --json {side} price/{place}"] = f"{price:.4f}"
            found[f"book --json {side} count/{place}"] = size
    found["book --json spread/"] = f"{1 - sum(best):.4f}" if len(best) == 2 else "null"
    for place, each in enumerate(trades[:50]):
        figures = {
            "trade_id": each["trade_id"],
            "yes_price": each["yes_price_dollars"],
            "count": each["count_fp"],
            "taker_side": each["taker_outcome_side"],
        }
        found |= {f"trades --json {name}/{place}": text for name, text in figures.items()}
    return found


ORDER_FIELDS = ("order_id", "side", "price", "count", "filled", "remaining", "fees", "fill_cost")


def read_orders(commands: Commands) -> dict[str, str]:
    """Read `orders --json`, those that rest."""
    rows = sorted(commands.rows("orders"), key=lambda each: str(each["order_id"]))
    return {
        f"orders --json {name}/{place}": _text(row[name]) for place, row in enumerate(rows) for name in ORDER_FIELDS
    }


def resting_order_figures(moment: Moment) -> dict[str, str]:
    """Return what `orders --json` should say."""
    found: dict[str, str] = {}
    for place, each in enumerate(sorted(moment.orders, key=lambda each: str(each["order_id"]))):
        side = each["outcome_side"]
        figures = {
            "order_id": each["order_id"],
            "side": side,
            "price": each[f"{side}_price_dollars"],
            "count": each["initial_count_fp"],
            "filled": each["fill_count_fp"],
            "remaining": each["remaining_count_fp"],
            "fees": _sum_of(each, "taker_fees_dollars", "maker_fees_dollars"),
            "fill_cost": _sum_of(each, "taker_fill_cost_dollars", "maker_fill_cost_dollars"),
        }
        found |= {f"orders --json {name}/{place}": text for name, text in figures.items()}
    return found


def _sum_of(row: Row, *names: str) -> str:
    return _money(sum(Decimal(row[name]) for name in names))
