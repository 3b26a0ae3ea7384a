"""Moving cash to where an order is paid from: what to move, and following it until it has arrived.

docs/kalshi-api.md, section 14. Each transfer is sent once. One without an answer is looked for in the exchange's list.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from kalshi_tui.domain.fees import CENT, CENTICENT
from kalshi_tui.domain.position import Balance
from kalshi_tui.domain.price import Money, format_money
from kalshi_tui.kalshi.errors import KalshiError, UnknownOutcome
from kalshi_tui.kalshi.replies import ShardTransfer
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.shard_transfers import FAILED_FOLLOW_UPS, TransferSender
from kalshi_tui.session.bus import AccountMoved
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

POLL_INTERVAL_S: Final = 0.5
READ_POLL_INTERVAL_S: Final = 0.1
READ_TIMEOUT_MS: Final = 15_000
"""How long the balance may take to show what has arrived."""
SEARCH_TIMEOUT_MS: Final = 60_000
"""How long a transfer without an answer is looked for."""
FOLLOW_TIMEOUT_MS: Final = 600_000
"""How long a pending transfer is followed."""


@dataclass(frozen=True, slots=True)
class CashMove:
    """One transfer: from where, to where (exchange indexes), and how much."""

    source: int
    target: int
    amount: Money


def plan_cash_moves(balance: Balance | None, target: int, missing: Money) -> tuple[CashMove, ...]:
    """Return the transfers that bring what is missing, the largest source first; none if there is not so much."""
    missing = -(-missing // CENT) * CENT
    moves = []
    others = sorted(balance.by_shard if balance is not None else (), key=lambda each: -each[1])
    for source, cash in others:
        amount = min(cash // CENTICENT * CENTICENT, missing)
        if source != target and amount > 0:
            moves.append(CashMove(source, target, amount))
            missing -= amount
    return () if missing > 0 else tuple(moves)


class CashMover:
    """Sends transfers one after another, follows each, and says what became of it."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep, clock_ms: Callable[[], int]) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._clock_ms = clock_ms
        self._amount: Money = 0
        self._since_ms = 0

    @property
    def status_text(self) -> str:
        """What is under way and for how long, as a sentence; empty if nothing is."""
        if not self._since_ms:
            return ""
        seconds = max(self._clock_ms() - self._since_ms, 0) // 1000
        return f"Moving {_dollars(self._amount)} to here, for {seconds} s. It does not count before it has arrived."

    def describe_ending(self) -> str:
        """Return in a sentence what is under way and goes on without this program; empty if nothing is."""
        if not self._since_ms:
            return ""
        return (
            f"A move of {_dollars(self._amount)} to where orders need it is under way and may still complete: "
            "'kalshi-tui transfer --list' shows it."
        )

    async def move(self, moves: Sequence[CashMove]) -> None:
        """Make the transfers; stop at the first that does not arrive."""
        if self._since_ms:
            return
        try:
            for each in moves:
                self._amount, self._since_ms = each.amount, self._clock_ms()
                if not await self._move_one(each):
                    return
            total = sum(each.amount for each in moves)
            self._store.notify(Severity.GOOD, f"Moved {_dollars(total)} to where the order is paid from.")
        finally:
            self._since_ms = 0
            self._store.bus.publish(AccountMoved())

    async def _move_one(self, move: CashMove) -> bool:
        try:
            before = self._cash_at(move.target)
            sender = self._rest.transfer_sender(move.amount, move.source, move.target)
            accepted = await sender.send()
            self._store.bus.publish(AccountMoved())
            arrived = await self._follow(sender, accepted)
        except KalshiError as error:
            unknown = isinstance(error, UnknownOutcome)
            words = "UNKNOWN  The cash may be moved." if unknown else "Not moved."
            self._store.notify(Severity.ERROR, f"{words} {error}")
            return False
        if arrived:
            self._store.bus.publish(AccountMoved())
            await self._wait_until_read(move, before)
        return arrived

    async def _wait_until_read(self, move: CashMove, before: Money) -> None:
        """Wait until the balance that was read has the cash: until then the same cash would be offered once more."""
        ends_ms = self._clock_ms() + READ_TIMEOUT_MS
        while self._cash_at(move.target) < before + move.amount and self._clock_ms() < ends_ms:
            await self._sleep(READ_POLL_INTERVAL_S)

    def _cash_at(self, shard: int) -> Money:
        balance = self._store.balance
        return (balance.on_shard(shard) if balance is not None else None) or 0

    async def _follow(self, sender: TransferSender, accepted: ShardTransfer | None) -> bool:
        """Ask until the cash has arrived; return whether it has. Raises UnknownOutcome."""
        while accepted is None or not accepted.is_complete:
            age_ms = self._clock_ms() - self._since_ms
            if accepted is None and age_ms > SEARCH_TIMEOUT_MS:
                raise UnknownOutcome(
                    "No answer came, and the exchange does not list the transfer. Look at the balance before another."
                )
            if age_ms > FOLLOW_TIMEOUT_MS:
                minutes = age_ms // 60_000
                self._store.notify(
                    Severity.WARNING,
                    f"Still pending after {minutes} min: {_dollars(self._amount)}. It may arrive yet; "
                    "'kalshi-tui transfer --list' shows it.",
                )
                return False
            await self._sleep(POLL_INTERVAL_S)
            with suppress(*FAILED_FOLLOW_UPS):
                accepted = await (
                    sender.find() if accepted is None else self._rest.shard_transfer(accepted.transfer_id)
                )
        return True


def _dollars(amount: Money) -> str:
    whole, cents = format_money(amount).split(".")
    return f"${int(whole):,}.{cents[:2]}"
