"""Order groups over REST, signed (docs/kalshi-api.md, section 6)."""

from collections.abc import Callable

from aiohttp import web
from msgspec import UNSET

from kalshi_tui.domain.price import format_count
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.model import split_account_id
from kalshi_tui.practice.engine.rejection import not_found
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.http import (
    int_param,
    json_reply,
    read_body,
)
from kalshi_tui.practice.server.order_requests import (
    parse_group_limit,
)
from kalshi_tui.practice.server.subaccount_params import account_for_write, accounts_for_write


class OrderGroupApi:
    """Serves an account's order groups."""

    def __init__(self, exchange: Exchange, commit: Callable[[], None]) -> None:
        self._exchange = exchange
        self._commit = commit

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix; the fixed ones come before those with a name in them."""
        table = [
            ("POST", "/portfolio/order_groups/create", self.create_group),
            ("GET", "/portfolio/order_groups", self.groups),
            ("GET", "/portfolio/order_groups/{group_id}", self.group),
            ("DELETE", "/portfolio/order_groups/{group_id}", self.delete_group),
            ("PUT", "/portfolio/order_groups/{group_id}/reset", self.reset_group),
            ("PUT", "/portfolio/order_groups/{group_id}/trigger", self.trigger_group),
            ("PUT", "/portfolio/order_groups/{group_id}/limit", self.set_group_limit),
        ]
        return [web.route(method, f"{wire.REST_PREFIX}{path}", handler) for method, path, handler in table]

    async def create_group(self, request: web.Request) -> web.Response:
        """Make an order group."""
        asked = await read_body(request, wire.CreateOrderGroupRequest)
        shard = 0 if asked.exchange_index is UNSET else asked.exchange_index
        made = self._exchange.order_groups.create(
            account_for_write(request, self._exchange, asked.subaccount),
            parse_group_limit(asked.contracts_limit, asked.contracts_limit_fp),
            shard,
        )
        self._commit()
        return json_reply(
            wire.CreateOrderGroupReply(
                order_group_id=made.group_id,
                subaccount=split_account_id(made.account_id)[1],
                exchange_index=made.exchange_index,
            ),
            201,
        )

    async def groups(self, request: web.Request) -> web.Response:
        """List order groups."""
        listed = self._exchange.order_groups.list_for(accounts_for_write(request, self._exchange))
        found = [encode_rest.group(each) for each in listed]
        return json_reply(wire.OrderGroupsReply(order_groups=found))

    async def group(self, request: web.Request) -> web.Response:
        """Return one order group with the ids of its orders."""
        found = self._exchange.order_groups.get(
            account_for_write(request, self._exchange), request.match_info["group_id"]
        )
        return json_reply(
            wire.OrderGroupReply(
                is_auto_cancel_enabled=not found.triggered,
                contracts_limit_fp=format_count(found.limit),
                orders=list(found.order_ids),
                exchange_index=found.exchange_index,
            )
        )

    async def delete_group(self, request: web.Request) -> web.Response:
        """Delete a group; its orders are canceled."""
        return self._run_group_action(self._exchange.order_groups.delete, request)

    async def reset_group(self, request: web.Request) -> web.Response:
        """Open a triggered group again."""
        return self._run_group_action(self._exchange.order_groups.reset, request)

    async def trigger_group(self, request: web.Request) -> web.Response:
        """Cancel a group's orders and close it."""
        return self._run_group_action(self._exchange.order_groups.trigger, request)

    async def set_group_limit(self, request: web.Request) -> web.Response:
        """Set a group's limit."""
        asked = await read_body(request, wire.OrderGroupLimitRequest)
        limit = parse_group_limit(asked.contracts_limit, asked.contracts_limit_fp)
        self._exchange.order_groups.set_limit(*self._find_for_write(request), limit)
        self._commit()
        return json_reply({})

    def _run_group_action(self, act: Callable[[str, str], None], request: web.Request) -> web.Response:
        act(*self._find_for_write(request))
        self._commit()
        return json_reply({})

    def _find_for_write(self, request: web.Request) -> tuple[str, str]:
        """Return whose group a write is for, and its id: without ``exchange_index`` only shard 0 is looked at.

        Raises Rejection 404 (docs/kalshi-api.md, section 6).
        """
        account_id, group_id = account_for_write(request, self._exchange), request.match_info["group_id"]
        if self._exchange.order_groups.get(account_id, group_id).exchange_index != int_param(
            request, "exchange_index", 0
        ):
            raise not_found("order group not found")
        return account_id, group_id
