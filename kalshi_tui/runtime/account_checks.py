"""The doctor's checks of the account: what the key may do, how fast, and what is switched on.

docs/kalshi-api.md, sections 10, 12, 13 and 17.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from kalshi_tui.domain.price import MONEY_UNIT, Money
from kalshi_tui.domain.text import LOCKED_KEY
from kalshi_tui.kalshi.account_access import ApiKeyAccess, ApiKeyList, SubaccountNetting, TierProgress
from kalshi_tui.kalshi.errors import EndpointNotFound, Forbidden, KalshiError, Refused, UnknownOutcome
from kalshi_tui.kalshi.replies import AccountLimits, SubaccountBalance
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.subaccounts import is_lock
from kalshi_tui.presentation.number_text import contracts_text, count_text
from kalshi_tui.session.account.key_attestation import describe_attestation
from kalshi_tui.session.notices import Severity

BASIC_TIER: Final = "basic"
MAX_LISTED_SUBACCOUNTS: Final = 8
ORDER_CALL: Final = ("POST", "/portfolio/events/orders")
CANCEL_CALL: Final = ("DELETE", "/portfolio/events/orders/{order_id}")


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. ``sentence`` says what was found and, where ``ok`` is False, what to do."""

    name: str
    ok: bool
    sentence: str


async def check_account(rest: RestClient, key_id: str, *, upgrade: bool = False) -> AsyncIterator[Check]:
    """Check the account: whether the key is accepted, and what it may do; ``upgrade`` asks for the tier Advanced."""
    try:
        balance = await rest.balance()
    except Forbidden as error:
        # The signature is right, or the exchange would not have looked at what the key may do.
        yield Check("signature", True, "The exchange accepts the key.")
        yield Check("cash", False, str(error))
    except KalshiError as error:
        yield Check("signature", False, str(error))
        return
    else:
        yield Check("signature", True, "The exchange accepts the key.")
        parts = ", ".join(f"at {index} {format_dollars(cash)}" for index, cash in balance.by_shard)
        yield Check("cash", True, f"{format_dollars(balance.cash)}{f' ({parts})' if parts else ''}.")
    if upgrade:
        yield await _upgrade(rest)
    yield await _check("limits", _describe_limits, rest)
    yield await _check("progress", _describe_progress, rest)
    async for check in _check_key(rest, key_id):
        yield check
    yield await _check("subaccounts", _describe_subaccounts, rest)
    yield await _check("netting", _describe_netting, rest)


async def _check(name: str, describe: Callable[[RestClient], Awaitable[str]], rest: RestClient) -> Check:
    """Return a line that informs. What the exchange does not tell this key is no fault of the account."""
    try:
        return Check(name, True, await describe(rest))
    except (Forbidden, EndpointNotFound) as refusal:
        return Check(name, True, f"The exchange does not tell this key: {refusal}")
    except KalshiError as error:
        return Check(name, False, str(error))


async def _upgrade(rest: RestClient) -> Check:
    """Ask for the tier Advanced where the account has the lowest one; once, whatever comes of it."""
    try:
        limits = await rest.limits()
        if limits.tier.lower() != BASIC_TIER:
            return Check("upgrade", True, f"Not needed: the tier is {limits.tier}.")
        await rest.upgrade_usage_tier()
    except Forbidden as refusal:
        return Check(
            "upgrade",
            False,
            f"The exchange grants Advanced once one of the last 100 orders came by API ({refusal.details}). "
            "Send an order with this program, then run doctor --upgrade again.",
        )
    except UnknownOutcome as error:
        return Check("upgrade", False, f"{error} The tier below says whether it was; asking again does no harm.")
    except KalshiError as error:
        return Check("upgrade", False, str(error))
    return Check("upgrade", True, "Done: the exchange has granted Advanced, for good.")


async def _describe_limits(rest: RestClient) -> str:
    limits = await rest.read_token_rules()
    costs = rest.token_costs
    return (
        f"tier {limits.tier}: {_describe_bucket(limits.read.per_second, limits.read.capacity)} to read; "
        f"{_describe_bucket(limits.write.per_second, limits.write.capacity)} to write, on each shard; "
        f"an order costs {costs.cost(*ORDER_CALL)}, a cancel {costs.cost(*CANCEL_CALL)}.{_upgrade_hint(limits)}"
    )


def _describe_bucket(per_second: int, capacity: int) -> str:
    return f"{per_second:,} tokens a second (at most {capacity:,} at once)"


def _upgrade_hint(limits: AccountLimits) -> str:
    if limits.tier.lower() != BASIC_TIER:
        return ""
    return (
        " Advanced is free: 300 a second and subaccounts, for good, once an order has come by API. "
        "To ask for it: kalshi-tui doctor --upgrade"
    )


async def _describe_progress(rest: RestClient) -> str:
    progress = await rest.tier_progress()
    if progress is None:
        return "The exchange has not computed any progress to a higher tier yet."
    return _progress_words(progress)


def _progress_words(progress: TierProgress) -> str:
    traded = f"{contracts_text(progress.volume)} traded in the 30 days to {_date(progress.computed_ms)}"
    goal = progress.next_goal()
    if goal is None:
        return f"{traded}: enough for every tier."
    percent = progress.volume * 100 // goal.earn
    return f"{traded}, {percent}% of the {count_text(goal.earn)} that earn {goal.tier}."


async def _check_key(rest: RestClient, key_id: str) -> AsyncIterator[Check]:
    """Check the key's scopes, the subaccount it is locked to, and the account's attestation."""
    try:
        keys = await rest.api_keys()
    except Forbidden:
        # Keys with few rights may not look at the list of keys, their own entry included.
        yield Check("rights", True, "The exchange does not tell this key what it may do.")
        return
    except KalshiError as error:
        yield Check("rights", False, str(error))
        return
    own = keys.find(key_id)
    if own is None:
        yield Check("rights", True, "The exchange does not tell this key what it may do.")
    else:
        yield _check_rights(own)
    yield _check_attestation(keys, rest.clock.now_ms())


def _check_rights(key: ApiKeyAccess) -> Check:
    words = f"The key may {', '.join(key.scopes) or 'do nothing'}"
    if key.subaccount is not None:
        words += f", in subaccount {key.subaccount} alone" if key.subaccount else ", in the primary account alone"
    if not key.can_read:
        return Check("rights", False, f"{words}. It cannot read the account: create a key with read for that.")
    if not key.can_trade:
        # A key that only reads is one to watch with; one that may write something else was meant to do more.
        watches = not any(scope.startswith("write") for scope in key.scopes)
        return Check("rights", watches, f"{words}. It cannot trade: create a key with write or write::trade.")
    return Check("rights", True, f"{words}.")


def _check_attestation(keys: ApiKeyList, now_ms: int) -> Check:
    if keys.attested_until_ms is None:
        return Check(
            "attestation",
            True,
            "None was made of where keys are used. If an order in Sports, Elections or Entertainment is refused, "
            "make it on the exchange's web page.",
        )
    severity, sentence = describe_attestation(keys.attested_until_ms, now_ms)
    return Check("attestation", severity is not Severity.ERROR, sentence)


async def _describe_subaccounts(rest: RestClient) -> str:
    try:
        balances = await rest.subaccount_balances()
    except Refused as refusal:
        if is_lock(refusal):
            return LOCKED_KEY
        raise
    cash: dict[int, Money] = {}
    for each in balances:
        cash[each.number] = cash.get(each.number, 0) + each.cash
    return _subaccount_words(cash, balances)


def _subaccount_words(cash: dict[int, Money], balances: list[SubaccountBalance]) -> str:
    numbered = {number: cash[number] for number in sorted(cash) if number}
    if not numbered:
        return "Only the primary account." if balances else "The exchange lists none."
    listed = [f"{number} with {format_dollars(money)}" for number, money in numbered.items()]
    more = f" and {len(listed) - MAX_LISTED_SUBACCOUNTS} more" if len(listed) > MAX_LISTED_SUBACCOUNTS else ""
    return f"Besides the primary account: {', '.join(listed[:MAX_LISTED_SUBACCOUNTS])}{more}."


async def _describe_netting(rest: RestClient) -> str:
    return _netting_words(await rest.netting())


def _netting_words(configs: tuple[SubaccountNetting, ...]) -> str:
    on = [_name(each.subaccount) for each in configs if each.enabled]
    off = [_name(each.subaccount) for each in configs if not each.enabled]
    if not on:
        return "Off: what positions within one event are sure to pay stays tied up. The account settings switch it."
    rest = f"; off for {', '.join(off)}" if off else ""
    return f"On for {', '.join(on)}{rest}."


def _name(subaccount: int) -> str:
    return f"subaccount {subaccount}" if subaccount else "the primary account"


def _date(ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(ms / 1_000))


def format_dollars(money: Money) -> str:
    """Return money in dollars and whole cents, cut, such as ``$8,000.00``."""
    whole, part = divmod(abs(money), MONEY_UNIT)
    return f"{'-' if money < 0 else ''}${whole:,}.{part // 10_000:02d}"
