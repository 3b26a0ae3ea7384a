"""A tiny model of the exchange's stream, without sockets: true books, numbered frames, the commands
(docs/kalshi-api.md, section 5).
"""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from kalshi_tui.domain.book import BidSide, Book, Level, Side
from kalshi_tui.domain.price import format_count, format_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire import Channel, ErrorCode

Levels = tuple[Sequence[Level], Sequence[Level]]
SEQUENCED = {Channel.BOOK, Channel.TRADE, Channel.LIFECYCLE}


class Subscription:
    def __init__(self, sid: int, channel: str, tickers: list[str], *, yes_price: bool = False) -> None:
        self.yes_price = yes_price
        self.sid = sid
        self.channel = channel
        self.tickers = tickers
        self.seq = 0

    def number(self) -> int:
        self.seq += 1
        return self.seq


class ModelExchange:
    """Answers commands with frames (docs/kalshi-api.md, sections 4 and 5); keeps what each book was at each number."""

    def __init__(self, tickers: Sequence[str]) -> None:
        self.books = {ticker: Book() for ticker in tickers}
        self.forced_yes_price: bool | None = None
        """Which prices NO levels have, whatever is asked for."""
        self.commands: list[wire.Command] = []
        self.refuse: dict[str, int] = {}
        """Markets that a subscription is refused for, and the code."""
        self.mute_snapshots = False
        self.most_markets = 1_000
        self.new_connection()

    def new_connection(self) -> None:
        self.subscriptions: dict[int, Subscription] = {}
        self.next_sid = 1
        self.history: dict[tuple[int, str], list[tuple[int, Levels]]] = defaultdict(list)

    def state_at(self, sid: int, ticker: str, seq: int) -> Levels | None:
        """Return a book as it stood after the frame of that number; None if its snapshot came later."""
        known = [levels for number, levels in self.history[sid, ticker] if number <= seq]
        return known[-1] if known else None

    def command(self, data: bytes) -> list[bytes]:
        command = wire.decode_command(data)
        self.commands.append(command)
        params = command.params or wire.CommandParams()
        match command.cmd:
            case "subscribe":
                return self._subscribe(command.id, params)
            case "unsubscribe":
                return [self._unsubscribe(command.id, sid) for sid in params.sids or ()]
            case "list_subscriptions":
                listed = [wire.SubscribedMsg(channel=each.channel, sid=each.sid) for each in self._all()]
                return [wire.encode(wire.OkFrame(id=command.id, msg=listed))]
            case "update_subscription":
                return self._update(command.id, params)
            case _:
                return [self._error(command.id, ErrorCode.UNKNOWN_COMMAND)]

    def _all(self) -> list[Subscription]:
        return list(self.subscriptions.values())

    def _refusal(self, command_id: int, tickers: list[str]) -> list[bytes] | None:
        codes = [self.refuse[ticker] for ticker in tickers if ticker in self.refuse]
        if sum(len(each.tickers) for each in self._all()) + len(tickers) > self.most_markets:
            codes.append(ErrorCode.MARKET_LIMIT)
        return [self._error(command_id, codes[0])] if codes else None

    def _subscribe(self, command_id: int, params: wire.CommandParams) -> list[bytes]:
        frames: list[bytes] = []
        tickers = list(params.market_tickers or ())
        refusal = self._refusal(command_id, tickers)
        if refusal:
            return refusal
        for channel in params.channels or ():
            active = next((each for each in self._all() if each.channel == channel), None)
            if active is not None:
                fresh = [ticker for ticker in tickers if ticker not in active.tickers]
                active.tickers += fresh
                frames.append(wire.encode(wire.OkFrame(id=command_id, sid=active.sid, seq=active.number())))
                frames += self._snapshots(active, fresh)
                continue
            fresh_sub = Subscription(
                self.next_sid,
                channel,
                tickers,
                yes_price=self.forced_yes_price if self.forced_yes_price is not None else params.use_yes_price is True,
            )
            self.next_sid += 1
            self.subscriptions[fresh_sub.sid] = fresh_sub
            told = wire.SubscribedMsg(channel=channel, sid=fresh_sub.sid)
            frames.append(wire.encode(wire.SubscribedFrame(id=command_id, msg=told)))
            frames += self._snapshots(fresh_sub, tickers)
        return frames

    def _unsubscribe(self, command_id: int, sid: int) -> bytes:
        gone = self.subscriptions.pop(sid, None)
        if gone is None:
            return self._error(command_id, ErrorCode.UNKNOWN_SID)
        return wire.encode(wire.UnsubscribedFrame(id=command_id, sid=sid, seq=gone.number()))

    def _update(self, command_id: int, params: wire.CommandParams) -> list[bytes]:
        sid = (params.sids or [0])[0]
        found = self.subscriptions.get(sid)
        tickers = list(params.market_tickers or ())
        if found is None:
            return [self._error(command_id, ErrorCode.UNKNOWN_SID)]
        if params.action == "get_snapshot":
            return [] if self.mute_snapshots else self._snapshots(found, tickers, command_id)
        if params.action == "add_markets":
            refusal = self._refusal(command_id, tickers)
            if refusal:
                return refusal
            fresh = [ticker for ticker in tickers if ticker not in found.tickers]
            found.tickers += fresh
            ok = wire.encode(wire.OkFrame(id=command_id, sid=sid, seq=found.number()))
            return [ok, *self._snapshots(found, fresh)]
        found.tickers = [ticker for ticker in found.tickers if ticker not in tickers]
        return [wire.encode(wire.OkFrame(id=command_id, sid=sid, seq=found.number()))]

    def _error(self, command_id: int, code: int) -> bytes:
        return wire.encode(wire.ErrorFrame(id=command_id, msg=wire.ErrorMsg(code=code, msg="no")))

    def _snapshots(self, subscription: Subscription, tickers: list[str], answers: int = 0) -> list[bytes]:
        if subscription.channel != Channel.BOOK:
            return []
        frames = []
        for ticker in tickers:
            book = self.books[ticker]
            seq = subscription.number()
            self.history[subscription.sid, ticker].append((seq, book.levels()))
            frame = wire.SnapshotFrame(
                id=answers or UNSET,
                sid=subscription.sid,
                seq=seq,
                msg=snapshot_of(ticker, book, yes_price=subscription.yes_price),
            )
            frames.append(wire.encode(frame))
        return frames

    def move(self, ticker: str, side: Side, price: int, delta: int) -> list[bytes]:
        """Change a level, never below nothing and never so that the book crosses."""
        book = self.books[ticker]
        delta = max(delta, -book.side(side).count_at(price))
        best = book.side(side.other).best
        if not delta or (best is not None and best.price + price >= 10_000):
            return []
        book.apply(side, price, delta)
        frames = []
        for each in self._all():
            if each.channel == Channel.BOOK and ticker in each.tickers:
                seq = each.number()
                self.history[each.sid, ticker].append((seq, book.levels()))
                msg = wire.DeltaMsg(
                    market_ticker=ticker,
                    price_dollars=format_price(10_000 - price if each.yes_price and side is Side.NO else price),
                    delta_fp=format_count(delta),
                    side=side,
                    ts_ms=1_786_085_188_000 + seq,
                )
                frames.append(wire.encode(wire.DeltaFrame(sid=each.sid, seq=seq, msg=msg)))
        return frames

    def end_subscription(self, channel: str, code: int) -> list[bytes]:
        """End a subscription from the server's side, with an error that takes a number."""
        found = next((each for each in self._all() if each.channel == channel), None)
        if found is None:
            return []
        del self.subscriptions[found.sid]
        error = wire.ErrorFrame(sid=found.sid, seq=found.number(), msg=wire.ErrorMsg(code=code, msg="overflow"))
        return [wire.encode(error)]


def snapshot_of(ticker: str, book: Book, *, yes_price: bool = False) -> wire.SnapshotMsg:
    """Write a book as a snapshot has it: ascending by NO price, an empty side left out."""
    no = _side(book.no)
    if yes_price and not isinstance(no, UnsetType):
        prices = [10_000 - price for price in book.no.prices]
        no = [(format_price(price), count) for price, (_, count) in zip(prices, no, strict=True)]
    return wire.SnapshotMsg(market_ticker=ticker, yes_dollars_fp=_side(book.yes), no_dollars_fp=no)


def _side(side: BidSide) -> wire.LevelTexts | UnsetType:
    levels = zip(side.prices, side.counts, strict=True)
    return [(format_price(price), format_count(count)) for price, count in levels] or UNSET
