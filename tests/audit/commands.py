"""Reading figures from the commands: their JSON, and their tables of text."""

import json
import subprocess
import sys
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
