"""Commands to the exchange's stream: queued for sending, and remembered until they are answered."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import UNSET, UnsetType

from kalshi_tui.domain.price import Count, Price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.feed.protocol_state import ProtocolState
from kalshi_tui.kalshi.feed.subscription import NO_TICKERS, ChannelSubscription

Levels = list[tuple[Price, Count]]
AuditAnswer = Callable[[str, Levels | None, Levels | None], None]
"""Called with a ticker and a fresh snapshot's levels at the moment that they hold; with None if none came."""

SUBSCRIBE: Final = "subscribe"
UNSUBSCRIBE: Final = "unsubscribe"
ADD_MARKETS: Final = "add_markets"
DELETE_MARKETS: Final = "delete_markets"
GET_SNAPSHOT: Final = "get_snapshot"
LIST_SUBSCRIPTIONS: Final = "list_subscriptions"


@dataclass(slots=True)
class PendingCommand:
    """A command that was sent and not yet answered."""

    name: str
    subscription: ChannelSubscription
    tickers: frozenset[str]
    """What it still waits for; of a request for snapshots, the markets whose snapshot has not come."""
    sent_at: float
    is_probe: bool = False
    audit: AuditAnswer | None = None
    """Takes the snapshot that was asked for to be compared with the book."""

    def fail_audit(self) -> None:
        """Answer pending audits that no snapshot will come."""
        self.answer_audit("", None, None)

    def answer_audit(self, ticker: str, yes: Levels | None, no: Levels | None) -> None:
        """Hand a snapshot to whoever asked for an audit, once."""
        answer, self.audit = self.audit, None
        if answer is not None:
            answer(ticker, yes, no)


class CommandQueue:
    """The commands of one connection, by id."""

    def __init__(self, state: ProtocolState) -> None:
        self._state = state
        self._next_id = 1
        self._outgoing: list[bytes] = []
        self._pending: dict[int, PendingCommand] = {}
        self._no_subscription = ChannelSubscription("")
        """Stands for the subscription of a command that is about a bare sid."""
        self.on_outgoing: Callable[[], None] | None = None
        """Called when there is something to send where there was nothing."""

    def reset_connection(self) -> None:
        """Forget all commands: their answers went down with the connection. Ids go on, so that none is used twice."""
        pending = list(self._pending.values())
        self._outgoing.clear()
        self._pending.clear()
        for command in pending:
            command.fail_audit()

    def take_outgoing(self) -> list[bytes]:
        """Return the commands that are to be sent now, in order, and forget them."""
        out, self._outgoing = self._outgoing, []
        return out

    def send(
        self,
        name: str,
        subscription: ChannelSubscription,
        tickers: Sequence[str] = (),
        *,
        is_probe: bool = False,
        audit: AuditAnswer | None = None,
        **more: Any,
    ) -> None:
        """Queue a command, and remember that it waits for its answer."""
        if name == LIST_SUBSCRIPTIONS:
            command = wire.Command(id=self._next_id, cmd=name)
        elif name == SUBSCRIBE:
            markets = list(tickers) if tickers else UNSET
            command = wire.Command(
                id=self._next_id, cmd=name, params=wire.CommandParams(market_tickers=markets, **more)
            )
        else:
            sid = subscription.sid
            params = wire.CommandParams(
                sids=[sid] if sid is not None else [], action=name, market_tickers=list(tickers), **more
            )
            command = wire.Command(id=self._next_id, cmd="update_subscription", params=params)
        pending = PendingCommand(name, subscription, frozenset(tickers), self._state.now, is_probe, audit)
        self._enqueue(command, pending)

    def send_unsubscribe(self, sid: int) -> None:
        """Queue the end of a subscription, which may be one that belongs to nothing here."""
        command = wire.Command(id=self._next_id, cmd=UNSUBSCRIBE, params=wire.CommandParams(sids=[sid]))
        self._enqueue(command, PendingCommand(UNSUBSCRIBE, self._no_subscription, NO_TICKERS, self._state.now))

    def _enqueue(self, command: wire.Command, pending: PendingCommand) -> None:
        self._pending[self._next_id] = pending
        self._next_id += 1
        self._outgoing.append(wire.encode(command))
        if len(self._outgoing) == 1 and self.on_outgoing is not None:
            self.on_outgoing()

    # Answers.

    def pop(self, command_id: int | UnsetType | None) -> PendingCommand | None:
        """Take out the command that an answer names; None if it names none, or one that waits no more."""
        return self._pending.pop(command_id, None) if command_id else None

    def pop_subscribe(self, channel: str) -> PendingCommand | None:
        """Take out the subscribe command that an answer without an id belongs to."""
        for command_id, command in self._pending.items():
            if command.name == SUBSCRIBE and command.subscription.channel == channel:
                return self._pending.pop(command_id)
        return None

    def keep_waiting(self, command_id: int, command: PendingCommand) -> None:
        """Put a command back whose answer was only an acknowledgement."""
        self._pending[command_id] = command

    def find_snapshot_request(self, answered_id: int | UnsetType, ticker: str) -> int:
        """Return the id of the command that a snapshot answers; 0 if nobody asked for it.

        By the id that it names, or else by its market: not every deployment sends the id.
        """
        if answered_id:
            command = self._pending.get(answered_id)
            asked = command is not None and command.name == GET_SNAPSHOT and ticker in command.tickers
            return answered_id if asked else 0
        for command_id, command in self._pending.items():
            if command.name == GET_SNAPSHOT and ticker in command.tickers:
                return command_id
        return 0

    def audit_of(self, command_id: int) -> PendingCommand | None:
        """Return the command with this id, if an audit waits for its snapshot."""
        command = self._pending.get(command_id)
        return command if command is not None and command.audit is not None else None

    def settle_snapshot(self, command_id: int, ticker: str) -> None:
        """Record that one of the snapshots that a command asked for has come."""
        command = self._pending.get(command_id)
        if command is None:
            return
        command.tickers -= {ticker}
        # The answer has begun: the others of the same command get the whole time again.
        command.sent_at = self._state.now
        if not command.tickers:
            del self._pending[command_id]

    def drop_of(self, subscription: ChannelSubscription) -> None:
        """Forget the commands of a subscription that is gone: an answer to one would be taken for the next one's."""
        for command_id, command in list(self._pending.items()):
            if command.subscription is subscription:
                del self._pending[command_id]
                command.fail_audit()

    # What waits.

    @property
    def is_probing(self) -> bool:
        """Whether a probe waits for its answer."""
        return any(command.is_probe for command in self._pending.values())

    @property
    def is_subscribing(self) -> bool:
        """Whether a subscribe command waits for its answer."""
        return any(command.name == SUBSCRIBE for command in self._pending.values())

    def is_asking_for(self, ticker: str) -> bool:
        """Return whether any command about this market waits for its answer."""
        return any(ticker in command.tickers for command in self._pending.values())

    def iterate_overdue(self, sent_before: float) -> Iterator[PendingCommand]:
        """Yield the commands that were sent so long ago. All but probes and subscribes are forgotten."""
        for command_id, command in list(self._pending.items()):
            # What was done about one before it may have dropped it.
            if command.sent_at > sent_before or command_id not in self._pending:
                continue
            if not command.is_probe and command.name != SUBSCRIBE:
                del self._pending[command_id]
                command.fail_audit()
            yield command
