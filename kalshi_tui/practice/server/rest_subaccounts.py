"""Subaccounts over REST, signed: create, balances, transfers, netting (docs/kalshi-api.md, section 13)."""

from collections.abc import Callable

from aiohttp import web

from kalshi_tui.domain.price import format_money
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server.http import ACCOUNT_ID_KEY, json_reply, paginate, read_body
from kalshi_tui.practice.server.tiers import BASIC, UsageTiers


class SubaccountApi:
    """Serves a member's subaccounts. ``commit`` makes a change durable and tells the streams of it."""

    def __init__(self, exchange: Exchange, commit: Callable[[], None], tiers: UsageTiers) -> None:
        self._exchange = exchange
        self._commit = commit
        self._tiers = tiers

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix."""
        table = [
            ("POST", "", self.create),
            ("GET", "/balances", self.balances),
            ("POST", "/transfer", self.transfer),
            ("GET", "/transfers", self.transfers),
            ("GET", "/netting", self.netting),
            ("PUT", "/netting", self.set_netting),
        ]
        return [
            web.route(method, f"{wire.REST_PREFIX}/portfolio/subaccounts{path}", handler)
            for method, path, handler in table
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Open the next subaccount, or provision one on another shard."""
        asked = wire.CreateSubaccountRequest()
        if await request.read():
            asked = await read_body(request, wire.CreateSubaccountRequest)
        if self._tiers.tier(request[ACCOUNT_ID_KEY]) == BASIC:
            raise Rejection(
                403,
                "forbidden",
                "forbidden",
                "subaccounts need the tier advanced: upgrade, or start with --tier advanced",
            )
        shard = asked.exchange_index if isinstance(asked.exchange_index, int) else 0
        number = self._exchange.subaccounts.create(request[ACCOUNT_ID_KEY], shard)
        self._commit()
        return json_reply(wire.CreateSubaccountReply(subaccount_number=number), 201)

    async def balances(self, request: web.Request) -> web.Response:
        """List what can be spent in each subaccount on each shard."""
        balances = [
            wire.SubaccountBalance(
                subaccount_number=account.subaccount,
                exchange_index=shard,
                balance=format_money(cash),
                updated_ts=account.updated_ms // 1_000,
            )
            for account, shard, cash in self._exchange.subaccounts.balances(request[ACCOUNT_ID_KEY])
        ]
        return json_reply(wire.SubaccountBalancesReply(subaccount_balances=balances))

    async def transfer(self, request: web.Request) -> web.Response:
        """Move cash from one subaccount to another."""
        asked = await read_body(request, wire.SubaccountTransferRequest)
        self._exchange.subaccounts.transfer(
            request[ACCOUNT_ID_KEY],
            asked.client_transfer_id,
            asked.from_subaccount,
            asked.to_subaccount,
            asked.amount_cents,
            asked.exchange_index if isinstance(asked.exchange_index, int) else 0,
        )
        self._commit()
        return json_reply({})

    async def transfers(self, request: web.Request) -> web.Response:
        """List the transfers, newest first."""
        done = self._exchange.subaccounts.transfers(request[ACCOUNT_ID_KEY])
        found, cursor = paginate(request, done, lambda each: each.transfer_id)
        listed = [
            wire.SubaccountTransfer(
                transfer_id=each.transfer_id,
                from_subaccount=each.source,
                to_subaccount=each.target,
                amount_cents=each.cents,
                created_ts=each.ts_ms // 1_000,
                exchange_index=each.exchange_index,
            )
            for each in found
        ]
        return json_reply(wire.SubaccountTransfersReply(transfers=listed, cursor=cursor))

    async def netting(self, request: web.Request) -> web.Response:
        """List where netting is on."""
        configs = [
            wire.NettingConfig(subaccount_number=account.subaccount, enabled=account.netting, exchange_index=shard)
            for account, shard, _ in self._exchange.subaccounts.balances(request[ACCOUNT_ID_KEY])
        ]
        return json_reply(wire.NettingReply(netting_configs=configs))

    async def set_netting(self, request: web.Request) -> web.Response:
        """Switch netting for one subaccount. The flag is kept; the practice exchange returns no collateral by it."""
        asked = await read_body(request, wire.NettingRequest)
        self._exchange.subaccounts.set_netting(request[ACCOUNT_ID_KEY], asked.subaccount_number, enabled=asked.enabled)
        self._commit()
        return json_reply({})
