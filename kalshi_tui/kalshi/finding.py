"""When it is known what became of an order whose reply never came (API contract, sections 6 and 10).

REST knows no filter by client order id, so that the lists are searched by market and time. Reads lag writes: a miss
counts only once the exchange's own data have passed the time of sending, and only several times over. A failed question
is no answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from kalshi_tui.domain.order import Order
from kalshi_tui.kalshi.errors import BadReply, RateLimited, TransportError, UnknownOutcome
from kalshi_tui.kalshi.rest import RestClient

AGREEING_READS: Final = 3
"""How many reads must miss an order, all after the exchange's data have passed the time of sending."""
ASK_AGAIN_S: Final = 1.0
"""The first wait between two questions about an unknown order; it doubles up to `ASK_AT_MOST_S`."""
ASK_AT_MOST_S: Final = 15.0
AGREE_S: Final = 2.0
"""The wait between reads that miss an order, once the exchange's data have passed the sending."""
SEARCH_BACK_MS: Final = 600_000
"""How far before the sending an order is searched for: this machine may take the exchange's time for a later one."""
PASSED_BY_MS: Final = 5_000
"""How far past the sending the exchange's data must be before a miss counts: clocks differ."""


def passes(data_ms: int, sent_ms: int) -> bool:
    """Say whether the exchange's data, true up to ``data_ms``, are late enough for a miss to count."""
    return data_ms > sent_ms + PASSED_BY_MS


async def listed(rest: RestClient, client_order_id: str, ticker: str | None, sent_ms: int) -> Order | None:
    """Search the lists for an order once; None if it is not there. Unix milliseconds, 0 for any time."""
    since_s = (sent_ms - SEARCH_BACK_MS) // 1000 if sent_ms else None
    for known in await rest.orders(ticker=ticker, min_ts=since_s):
        if known.client_order_id == client_order_id:
            return known
    return None


async def sought(
    rest: RestClient,
    client_order_id: str,
    *,
    ticker: str | None,
    sent_ms: int,
    not_after_ms: int,
    within_s: float,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Order | None:
    """Ask until an order is found, or proved not to have arrived (None). Raises UnknownOutcome after ``within_s``.

    ``sent_ms`` is when it went out, 0 if nobody knows; ``not_after_ms`` the latest that it can have been. A refusal
    that asking again would not change is raised as it is.
    """
    misses, wait = 0, ASK_AGAIN_S
    try:
        async with asyncio.timeout(within_s):
            while True:
                try:
                    # Before the question itself: the answer is at least as fresh as this.
                    passed = passes(await rest.user_data_timestamp(), not_after_ms)
                    found = await listed(rest, client_order_id, ticker, sent_ms)
                except (TransportError, RateLimited, BadReply):
                    misses = 0
                else:
                    if found is not None:
                        return found
                    misses = misses + 1 if passed else 0
                    if misses >= AGREEING_READS:
                        return None
                await sleep(AGREE_S if misses else wait)
                wait = min(wait * 2, ASK_AT_MOST_S)
    except TimeoutError:
        raise UnknownOutcome(
            f"What became of the order {client_order_id} is still not known after {within_s:g} s; ask again.",
            client_order_id=client_order_id,
        ) from None
