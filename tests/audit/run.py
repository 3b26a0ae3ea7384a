"""The audit: a scripted account, and at each of its steps every figure beside the independent computation."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

from tests.audit.capital import CapitalAccount
from tests.audit.commands import (
    Commands,
    balance_figures,
    fill_figures,
    market_figures,
    position_list_figures,
    read_balance,
    read_fills,
    read_market,
    read_orders,
    read_position_list,
    resting_order_figures,
)
from tests.audit.dialogs import detail_figures, read_details, read_ticket, ticket_figures
from tests.audit.exchange import AuditExchange, audited_exchange
from tests.audit.figures import Tally, cents, cents_of, differing
from tests.audit.lists import (
    FILL,
    ORDER,
    fill_list_figures,
    first_rows,
    order_figures,
    read_rows,
    read_settlements,
    read_tabs,
    settlement_figures,
    tab_figures,
)
from tests.audit.markets import (
    Seen,
    book_figures,
    ladder_figures,
    market_row_figures,
    read_book,
    read_ladder,
    read_market_row,
    read_tape,
    tape_figures,
)
from tests.audit.moment import Moment, Reader, day_start_ms, header_figures, position_figures
from tests.audit.screens import LARGE, Desk, read_header, read_positions

WITHIN_S: Final = 10.0
"""How long the screen may take until it is as the exchange has it."""
TURN_WITHIN_S: Final = 60.0
"""The same after a leap over midnight: the desk hears of it with a reply, and looks for the day's turn now and then."""
MARKETS_AT_ONCE: Final = 2
MAX_OUTCOMES: Final = 8
"""Larger events have no room on the screen."""
LASTING_WITHIN_S: Final = 0.5
"""The same where nothing else is wrong than at a moment before."""
MIDNIGHT: Final = "midnight"
Read = Callable[[Sequence[str]], dict[str, str]]
Script = Callable[[AuditExchange], Iterator[str]]


class Audit:
    """One exchange with desks and commands beside it, and what was found."""

    def __init__(
        self,
        exchange: AuditExchange,
        tally: Tally,
        desks: Sequence[Desk],
        commands: Commands | None,
        *,
        with_lists: bool = True,
    ) -> None:
        self.with_lists = with_lists
        self.exchange = exchange
        self.tally = tally
        self.desks = desks
        self.commands = commands
        self.reader = Reader(exchange)
        self.capital = CapitalAccount(self.reader.read())
        self._turn = 0
        self._lasting: set[tuple[str, str, str]] = set()

    def run(self, name: str, script: Script, say: Callable[[str], None], every: int = 1) -> None:
        """Take a script to its end and look after each step; at lists and commands in ``every`` so many steps."""
        for number, step in enumerate(script(self.exchange), 1):
            where = f"{name}: {step}"
            if step == MIDNIGHT:
                self._pass_midnight()
            found = len(self.tally.mismatches)
            moment = self.reader.read()
            self.capital.check(where, moment, self.tally)
            within_s = TURN_WITHIN_S if step == MIDNIGHT else WITHIN_S
            for desk in self.desks:
                self.check_desk(where, desk, moment, within_s)
                if self.with_lists and not number % every:
                    self.check_lists(where, desk, moment)
                    for ticker in self._markets_to_look_at(moment):
                        self.check_market(where, desk, moment, ticker)
            if self.commands is not None and not number % every:
                self.check_commands(where, self.commands, moment)
            for each in self.tally.mismatches[found:]:
                say(f"MISMATCH {each}")

    def check_desk(self, where: str, desk: Desk, moment: Moment, within_s: float = WITHIN_S) -> None:
        """Compare the header and the positions, once the screen has had the time to be right."""
        expected = header_figures(moment) | position_figures(moment)
        tickers = [each.row["ticker"] for each in moment.holdings]

        def read() -> dict[str, str]:
            lines = desk.lines()
            return read_header(lines) | read_positions(lines, tickers)

        self._compare(f"{desk.name}: {where}", read, lambda: expected, within_s)

    def check_lists(self, where: str, desk: Desk, moment: Moment) -> None:
        """Compare orders, fills and settlements, one list after another."""
        ahead = self.reader.queue_positions(moment)
        zone = desk.time_zone
        lists: dict[str, tuple[Read, Callable[[dict[str, str]], dict[str, str]]]] = {
            "1": (partial(read_rows, ORDER, "order"), partial(order_figures, moment, ahead)),
            "3": (partial(read_rows, FILL, "fill"), lambda _: fill_list_figures(moment, zone)),
            "7": (read_settlements, lambda _: settlement_figures(moment, zone)),
        }
        for key, (read, expected) in lists.items():
            desk.press(key)
            self._compare_rows(f"{desk.name}: {where}", desk, read, expected)
        desk.press("2")
        self._compare(f"{desk.name}: {where}", lambda: read_tabs(desk.lines()), lambda: tab_figures(moment), WITHIN_S)

    def check_market(self, where: str, desk: Desk, moment: Moment, ticker: str) -> None:
        """Compare a market's row, book, tape and ladder."""
        seen = Seen.read(self.exchange, ticker, moment)
        where = f"{desk.name}: {where}: {ticker}"
        desk.select(ticker)
        self._compare(where, lambda: read_market_row(desk.lines()), lambda: market_row_figures(seen), WITHIN_S)
        self._compare_rows(where, desk, read_book, lambda _: book_figures(seen))
        self._compare_rows(where, desk, read_tape, lambda _: tape_figures(seen, desk.time_zone))
        desk.press("v")
        self._compare_shown(where, desk, read_ladder, partial(ladder_figures, seen))
        desk.press("v")
        self._check_details(where, desk, seen)
        if not seen.own and seen.asks:
            self._check_ticket(where, desk, seen)
        desk.unselect()

    def _check_details(self, where: str, desk: Desk, seen: Seen) -> None:
        event = self.exchange.call("GET", f"/events/{seen.row['event_ticker']}", with_nested_markets="true")["event"]
        markets = event["markets"]
        if len(markets) == 1 or len(markets) > MAX_OUTCOMES or any(each["status"] != "active" for each in markets):
            return
        expected = detail_figures(markets, seen.row["ticker"], exclusive=event["mutually_exclusive"])
        desk.press("d")
        self._compare(where, lambda: read_details(desk.lines()), lambda: expected, WITHIN_S)
        desk.close_box()

    def _check_ticket(self, where: str, desk: Desk, seen: Seen) -> None:
        limit, count = seen.asks[0][0], seen.asks[0][1] + 7
        desk.press("b")
        desk.terminal.wait_text("order ticket")
        desk.press(*f"{limit:.4f}", "tab", *f"{count:.2f}")
        expected = ticket_figures(seen, limit, count)
        self._compare(where, lambda: read_ticket(desk.lines()), lambda: expected, WITHIN_S)
        desk.close_box()

    def _compare_rows(
        self,
        where: str,
        desk: Desk,
        read: Read,
        expected: Callable[[dict[str, str]], dict[str, str]],
    ) -> None:
        """Compare a list whose last rows may have no room."""
        self._compare_shown(where, desk, read, lambda shown: first_rows(expected(shown), shown))

    def _compare_shown(
        self,
        where: str,
        desk: Desk,
        read: Read,
        expected: Callable[[dict[str, str]], dict[str, str]],
    ) -> None:
        """Compare what depends on what of it is shown."""
        shown: dict[str, str] = {}

        def reread() -> dict[str, str]:
            nonlocal shown
            shown = read(desk.lines())
            return shown

        self._compare(where, reread, lambda: expected(shown), WITHIN_S)

    def check_commands(self, where: str, commands: Commands, moment: Moment) -> None:
        """Compare what the commands say."""
        shown = read_balance(commands) | read_position_list(commands) | read_fills(commands)
        expected = balance_figures(moment) | position_list_figures(moment) | fill_figures(moment.fills)
        if self.with_lists:
            shown |= read_orders(commands)
            expected |= resting_order_figures(moment)
        self.tally.compare(where, shown, expected)
        for ticker in self._markets_to_look_at(moment) if self.with_lists else ():
            row = self.exchange.call("GET", f"/markets/{ticker}")["market"]
            trades = self.exchange.call("GET", "/markets/trades", ticker=ticker, limit=100)["trades"]
            right = market_figures(row, self.reader.book(ticker), trades)
            self.tally.compare(f"{where}: {ticker}", read_market(commands, ticker), right)
        for desk in self.desks:
            self.check_beside_balance(f"{desk.name}: {where}", desk, shown)

    def check_beside_balance(self, where: str, desk: Desk, balance: Mapping[str, str]) -> None:
        """Compare the top line with what `balance` says, without the audit's own computation."""
        header = read_header(desk.lines())
        names = {"cash": "header/cash", "positions": "header/worth"}
        shown = {f"desk beside balance/{kind}": header[name] for kind, name in names.items() if name in header}
        told = {f"desk beside balance/{kind}": cents(Decimal(balance[f"balance --json/{kind}"])) for kind in names}
        told = {name: text for name, text in told.items() if name in shown}
        self.tally.compare(where, {name: cents_of(text) for name, text in shown.items()}, told)

    def _compare(
        self,
        where: str,
        read: Callable[[], dict[str, str]],
        expected: Callable[[], Mapping[str, str]],
        within_s: float,
    ) -> None:
        """Read until all is as expected, but what has been wrong before is not waited for again."""
        began = time.monotonic()
        while True:
            shown, right = read(), expected()
            apart = differing(shown, right)
            waited_s = time.monotonic() - began
            if not apart or waited_s > within_s or (apart <= self._lasting and waited_s > LASTING_WITHIN_S):
                break
        self._lasting |= apart
        self.tally.compare(where, shown, right)

    def _markets_to_look_at(self, moment: Moment) -> list[str]:
        """Return some markets that the account has to do with, at each step others."""
        active = sorted(ticker for ticker, each in moment.markets.items() if each["status"] == "active")
        self._turn += 1
        return [active[(self._turn + place) % len(active)] for place in range(min(len(active), MARKETS_AT_ONCE))]

    def _pass_midnight(self) -> None:
        self.exchange.leap(next_midnight_ms(self.exchange.now_ms) + 5_000 - self.exchange.now_ms)
        self.reader.turn_day()


def next_midnight_ms(now_ms: int) -> int:
    """Return when the exchange's next day begins."""
    return day_start_ms(day_start_ms(now_ms) + 36 * 3_600_000)


def audit(
    scripts: Mapping[str, Script],
    *,
    time_zones: Sequence[str] = ("UTC",),
    with_commands: bool = True,
    with_lists: bool = True,
    size: tuple[int, int] = LARGE,
    every: int = 1,
    quiet: bool = True,
    say: Callable[[str], None] = lambda _: None,
    tally: Tally | None = None,
) -> Tally:
    """Run scripted accounts, each on an exchange of its own, and return what was found."""
    tally = tally or Tally()
    for name, script in scripts.items():
        say(f"{name} ...")
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            exchange = stack.enter_context(audited_exchange(folder / "exchange", quiet=quiet))
            commands = stack.enter_context(Commands(exchange, folder)) if with_commands else None
            desks = []
            for zone in time_zones:
                desk = Desk(exchange, folder / zone.replace("/", "-"), zone, size)
                stack.callback(desk.end)
                desks.append(desk)
            for desk in desks:
                desk.wait_until_read()
            Audit(exchange, tally, desks, commands, with_lists=with_lists).run(name, script, say, every)
    return tally
