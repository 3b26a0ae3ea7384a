"""The commands of one client over the stream: subscribe, unsubscribe, update, list (docs/kalshi-api.md, section 4)."""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from msgspec import UNSET

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire import Channel, ErrorCode
from kalshi_tui.practice.server.command_error import CommandError
from kalshi_tui.practice.server.connection import Connection
from kalshi_tui.practice.server.market_frames import MarketFrames
from kalshi_tui.practice.server.stream_subscriptions import (
    CHANNELS_WITHOUT_MARKETS,
    KNOWN_CHANNELS,
    ServerSubscription,
    SubscriptionIndex,
)

MAX_COMMAND_BYTES: Final = 4 * 1024 * 1024
"""Bytes of a command: the largest names tens of thousands of markets."""
MAX_COMMANDS_PER_SECOND: Final = 10_000
MAX_MARKETS_PER_SESSION: Final = 500_000
MAX_MARKETS_PER_SUBSCRIPTION: Final = 500_000


class CommandHandler:
    """Carries out the commands of one connection."""

    def __init__(
        self,
        connection: Connection,
        frames: MarketFrames,
        index: SubscriptionIndex[Connection],
        loop_time: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._frames = frames
        self._index = index
        self._loop_time = loop_time
        self._last_sid = 0
        self._command_times: deque[float] = deque()

    def handle(self, data: str | bytes) -> None:
        """Carry out one command; what is wrong with it is answered with an error frame."""
        number: int | Any = UNSET
        try:
            command = wire.decode_command(data)
            number = command.id or UNSET
            self._count_command()
            handler = {
                "subscribe": self._subscribe,
                "unsubscribe": self._unsubscribe,
                "update_subscription": self._update_subscription,
                "list_subscriptions": self._list_subscriptions,
            }.get(command.cmd)
            if handler is None:
                self._connection.send_error(number, CommandError(ErrorCode.UNKNOWN_COMMAND))
            else:
                handler(command)
        except wire.DecodeError:
            self._connection.send_error(UNSET, CommandError(ErrorCode.GENERAL))
        except CommandError as error:
            self._connection.send_error(number, error)

    def _count_command(self) -> None:
        now = self._loop_time()
        self._command_times.append(now)
        while self._command_times[0] < now - 1:
            self._command_times.popleft()
        if len(self._command_times) > MAX_COMMANDS_PER_SECOND:
            raise CommandError(ErrorCode.COMMAND_RATE)

    def _subscribe(self, command: wire.Command) -> None:
        params = _require_params(command)
        if not params.channels:
            raise CommandError(ErrorCode.CHANNELS_REQUIRED)
        if any(channel not in KNOWN_CHANNELS for channel in params.channels):
            raise CommandError(ErrorCode.UNKNOWN_CHANNEL)
        tickers = self._named_tickers(params)
        if Channel.BOOK in params.channels and not (params.market_ticker or params.market_tickers):
            # Books are named by ticker; ids are for the other channels.
            raise CommandError(ErrorCode.MARKET_REQUIRED)
        if tickers and CHANNELS_WITHOUT_MARKETS.intersection(params.channels):
            raise CommandError(ErrorCode.INVALID_PARAMETER, "This channel takes no markets")
        for channel in dict.fromkeys(params.channels):
            known = self._connection.by_channel.get(channel)
            if known is not None:
                self._extend_subscription(known, tickers, command, params)
                continue
            _check_market_limit(tickers or ())
            self._last_sid += 1
            markets = None if tickers is None else dict.fromkeys(tickers)
            made = ServerSubscription(self._last_sid, channel, markets, yes_price=params.use_yes_price is True)
            self._connection.subscriptions[made.sid] = self._connection.by_channel[channel] = made
            self._index.update(self._connection, made)
            msg = wire.SubscribedMsg(channel=channel, sid=made.sid)
            self._connection.send(wire.encode(wire.SubscribedFrame(id=command.id or UNSET, msg=msg)))
            self._send_snapshots(made, tickers or [], params)

    def _send_snapshots(
        self, subscription: ServerSubscription, tickers: Iterable[str], params: wire.CommandParams, number: Any = UNSET
    ) -> None:
        """Send what a market begins with: its book, or its ticker where that was asked for."""
        if subscription.channel == Channel.BOOK:
            for ticker in tickers:
                self._connection.send(self._frames.encode_snapshot(subscription, ticker, number), market_data=True)
        elif subscription.channel == Channel.TICKER and params.send_initial_snapshot is True:
            for ticker in tickers:
                self._connection.send_numbered(subscription, b"ticker", self._frames.encode_ticker(ticker))

    def _extend_subscription(
        self, known: ServerSubscription, tickers: list[str] | None, command: wire.Command, params: wire.CommandParams
    ) -> None:
        """Add markets to an active subscription; only new ones get a snapshot (docs/kalshi-api.md, section 4)."""
        if known.markets is None or tickers is None:
            known.markets = None if tickers is None else known.markets
            fresh: list[str] = []
        else:
            markets = known.markets
            fresh = [ticker for ticker in dict.fromkeys(tickers) if ticker not in markets]
            _check_market_limit([*markets, *fresh])
            markets.update(dict.fromkeys(fresh))
        self._index.update(self._connection, known)
        self._send_ok(known, command, params)
        self._send_snapshots(known, fresh, params)

    def _send_ok(self, subscription: ServerSubscription, command: wire.Command, params: wire.CommandParams) -> None:
        msg: Any = UNSET
        if params.skip_ticker_ack is not True:
            msg = wire.OkMsg(market_tickers=sorted(subscription.markets or ()))
        frame = wire.OkFrame(id=command.id or UNSET, sid=subscription.sid, seq=subscription.next_seq(), msg=msg)
        self._connection.send(wire.encode(frame))

    def _unsubscribe(self, command: wire.Command) -> None:
        for subscription in [self._find_subscription(sid) for sid in _require_sids(_require_params(command))]:
            self._connection.end_subscription(subscription)
            seq = subscription.next_seq()
            self._connection.send(
                wire.encode(wire.UnsubscribedFrame(id=command.id or UNSET, sid=subscription.sid, seq=seq))
            )

    def _list_subscriptions(self, command: wire.Command) -> None:
        listed = [
            wire.SubscribedMsg(channel=each.channel, sid=sid) for sid, each in self._connection.subscriptions.items()
        ]
        self._connection.send(wire.encode(wire.OkFrame(id=command.id or UNSET, msg=listed)))

    def _update_subscription(self, command: wire.Command) -> None:
        params = _require_params(command)
        sids = _require_sids(params)
        if len(sids) != 1:
            raise CommandError(ErrorCode.EXACTLY_ONE_SID)
        subscription = self._find_subscription(sids[0])
        action = {"add_markets": self._add_markets, "delete_markets": self._delete_markets}.get(params.action or "")
        if params.action == "get_snapshot" and subscription.channel == Channel.BOOK:
            action = self._get_snapshot
        if not params.action:
            raise CommandError(ErrorCode.ACTION_REQUIRED)
        if action is None or subscription.channel in CHANNELS_WITHOUT_MARKETS:
            raise CommandError(ErrorCode.UNSUPPORTED_ACTION)
        tickers = self._named_tickers(params)
        if tickers is None:
            raise CommandError(ErrorCode.MARKET_REQUIRED)
        action(subscription, tickers, command, params)

    def _add_markets(
        self, known: ServerSubscription, tickers: list[str], command: wire.Command, params: wire.CommandParams
    ) -> None:
        self._extend_subscription(known, tickers, command, params)

    def _delete_markets(
        self, known: ServerSubscription, tickers: list[str], command: wire.Command, params: wire.CommandParams
    ) -> None:
        for ticker in tickers:
            if known.markets:
                known.markets.pop(ticker, None)
        self._index.update(self._connection, known)
        self._send_ok(known, command, params)

    def _get_snapshot(
        self, known: ServerSubscription, tickers: list[str], command: wire.Command, params: wire.CommandParams
    ) -> None:
        if not all(known.includes(ticker) for ticker in tickers):
            raise CommandError(ErrorCode.INVALID_PARAMETER, "A market is not part of this subscription")
        self._send_snapshots(known, tickers, params, command.id or UNSET)

    def _find_subscription(self, sid: int) -> ServerSubscription:
        found = self._connection.subscriptions.get(sid)
        if found is None:
            raise CommandError(ErrorCode.UNKNOWN_SID)
        return found

    def _named_tickers(self, params: wire.CommandParams) -> list[str] | None:
        """Return the markets that a command names, None for none. Raises CommandError for one that there is not."""
        named: list[str] = []
        if params.market_ticker:
            named.append(params.market_ticker)
        if params.market_tickers:
            named.extend(params.market_tickers)
        for ticker in named:
            self._frames.require_market(ticker)
        ids = ([params.market_id] if params.market_id else []) + (params.market_ids or [])
        if ids:
            named += self._frames.resolve_market_ids(ids)
        total = sum(len(each.markets or ()) for each in self._connection.subscriptions.values())
        if total + len(named) > MAX_MARKETS_PER_SESSION:
            raise CommandError(ErrorCode.MARKET_LIMIT)
        return named or None


def _check_market_limit(markets: Collection[str]) -> None:
    """Raise CommandError for more markets than one subscription takes."""
    if len(markets) > MAX_MARKETS_PER_SUBSCRIPTION:
        raise CommandError(ErrorCode.MARKET_LIMIT)


def _require_params(command: wire.Command) -> wire.CommandParams:
    if command.params is UNSET:
        raise CommandError(ErrorCode.PARAMS_REQUIRED)
    return command.params


def _require_sids(params: wire.CommandParams) -> list[int]:
    sids = ([] if params.sids is UNSET else params.sids) + ([] if params.sid is UNSET else [params.sid])
    if not sids:
        raise CommandError(ErrorCode.SIDS_REQUIRED)
    return sids
