"""A practice exchange of the audit's own: raw replies, orders of two accounts, and what only its control can do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import Signer
from tests.audit.arithmetic import FeeTerms, Row
from tests.support.practice_alone import Alone
from tests.support.practice_server import CONTROL, HERE, PREFIX, resting_order

MAX_PAGES = 100
TRADES_WITHIN_S = 60.0


class AuditError(Exception):
    """The audit itself could not go on."""


class Trader:
    """One account's key."""

    def __init__(self, key_id: str, key_path: str) -> None:
        self.key_id = key_id
        self.key_path = Path(key_path)
        self.signer = Signer.from_pem(key_id, self.key_path.read_bytes(), environment=practice_on_port(1))


class AuditExchange:
    """A practice exchange in a process of its own, with the audited account and one that trades against it."""

    def __init__(self, alone: Alone) -> None:
        ready = alone.told
        self.rest_url: str = ready["rest_url"]
        self.ws_url: str = ready["ws_url"]
        self.audited = Trader(ready["api_key_id"], ready["private_key_path"])
        self.other = Trader(ready["accounts"][0]["api_key_id"], ready["accounts"][0]["private_key_path"])
        self._token = Path(ready["control_token_path"]).read_text().strip()
        self._http = httpx.Client(base_url=self.rest_url.removesuffix(PREFIX), trust_env=False, timeout=30)
        self._skew_ms = 0
        self._fees: dict[str, FeeTerms] = {}

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _send(self, who: Trader, method: str, path: str, body: Any, query: Any, **more: str) -> httpx.Response:
        now_ms = time.time_ns() // 1_000_000 + self._skew_ms
        headers = who.signer.headers(method, path, now_ms, host=HERE)
        return self._http.request(method, path, json=body, params=query, headers={**headers, **more})

    def call(self, method: str, path: str, body: Any = None, *, who: Trader | None = None, **query: Any) -> Any:
        """Send a request and return the body of its reply. Raises AuditError where it is refused."""
        reply = self._send(who or self.audited, method, PREFIX + path, body, query or None)
        if not reply.is_success:
            raise AuditError(f"{method} {path}: {reply.status_code} {reply.text}")
        return reply.json()

    def every(self, path: str, key: str, **query: Any) -> list[Row]:
        """Read all pages of a list."""
        found: list[Row] = []
        for _ in range(MAX_PAGES):
            page = self.call("GET", path, **({"limit": 1000} | query))
            found += page[key] or []
            query["cursor"] = page.get("cursor")
            if not query["cursor"]:
                return found
        raise AuditError(f"{path} has no end")

    def control(self, action: str, **keys: Any) -> None:
        """Let the exchange do what no account can ask for."""
        body = {"action": action, **keys}
        reply = self._send(self.audited, "POST", CONTROL, body, None, **{"X-Practice-Token": self._token})
        if not reply.is_success:
            raise AuditError(f"{action}: {reply.text}")

    def leap(self, ms: int) -> None:
        """Put the exchange's time forward, that of its markets and that of its replies."""
        self.control("advance_clock", ms=ms)
        self.control("set_clock_skew", ms=self._skew_ms + ms)
        self._skew_ms += ms

    @property
    def now_ms(self) -> int:
        """The exchange's time."""
        return time.time_ns() // 1_000_000 + self._skew_ms

    def order(self, ticker: str, side: str, price: str, count: str, *, who: Trader | None = None, **more: Any) -> Row:
        """Send an order of the audited account, or of another; it rests unless it is told otherwise."""
        body = resting_order(ticker, side, price, count) | more
        sent: Row = self.call("POST", "/portfolio/events/orders", body, who=who)
        return sent

    def quote(self, ticker: str, side: str, price: str, count: str) -> Row:
        """Let the other account bid or ask."""
        return self.order(ticker, side, price, count, who=self.other)

    def cancel_all(self, who: Trader, ticker: str = "") -> None:
        """Cancel the resting orders of an account, in one market or all."""
        query = {"status": "resting"} | ({"ticker": ticker} if ticker else {})
        page = self.call("GET", "/portfolio/orders", who=who, limit=1000, **query)
        for each in page["orders"]:
            path = f"/portfolio/events/orders/{each['order_id']}"
            self.call("DELETE", path, who=who, exchange_index=each["exchange_index"])

    def wait_for_trades(self, count: int) -> None:
        """Wait until the participants have traded so many times more."""
        seen = {each["trade_id"] for each in self._newest_trades()}
        fresh: set[str] = set()
        deadline = time.monotonic() + TRADES_WITHIN_S
        while len(fresh) < count:
            if time.monotonic() > deadline:
                raise AuditError("the participants do not trade")
            fresh |= {each["trade_id"] for each in self._newest_trades()} - seen

    def _newest_trades(self) -> list[Row]:
        found: list[Row] = self.call("GET", "/markets/trades", limit=100)["trades"]
        return found

    def fee_terms(self, event_ticker: str) -> FeeTerms:
        """Return the fees of an event's markets: its series', with its own overrides."""
        if event_ticker not in self._fees:
            event = self.call("GET", f"/events/{event_ticker}")["event"]
            series = self.call("GET", f"/series/{event['series_ticker']}")["series"]
            multiplier = event.get("fee_multiplier_override")
            self._fees[event_ticker] = FeeTerms(
                event.get("fee_type_override") or series["fee_type"],
                Decimal(str(series["fee_multiplier"] if multiplier is None else multiplier)),
            )
        return self._fees[event_ticker]


@contextmanager
def audited_exchange(folder: Path, *, quiet: bool = True, seed: int = 7, rate: int = 300) -> Iterator[AuditExchange]:
    """Run a practice exchange until the block ends."""
    arguments = ["--accounts", "1", "--tier", "prestige", "--unlisted", "--seed", str(seed), "--key-type", "ed25519"]
    arguments += ["--quiet-market"] if quiet else ["--rate", str(rate)]
    with Alone(folder, *arguments) as alone:
        if not alone.line:
            raise AuditError("the practice exchange did not start")
        exchange = AuditExchange(alone)
        try:
            yield exchange
        finally:
            exchange.close()
