"""Cash is read at once after any news of a position, and after a settlement."""

from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, OrderTerms
from kalshi_tui.practice.engine.market_outcome import MarketOutcome
from tests.support.session_rig import US, Rig


@pytest.mark.parametrize("news", ["position", "lifecycle"])
async def test_a_payout_is_in_the_cash_within_a_second(tmp_path: Path, news: str) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    rig.trade(BookSide.ASK, 4_000, 1_000)
    rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 1_000))
    # Long enough for the reads that the fill asked for to be over.
    await rig.pass_time(8)
    rig.deliver()
    await rig.pass_time(8)
    store = rig.session.store
    before = store.balance
    rig.exchange.results.settle(rig.ticker, MarketOutcome("yes", 10_000))
    rig.server.commit()
    if news == "lifecycle":
        rig.deliver("none")
        store.lifecycle(rig.ticker, "settled")
    else:
        rig.deliver()
    await rig.pass_time(1)
    assert before is not None
    assert store.balance is not None
    assert store.balance.cash - before.cash == 10_000_000
    assert store.balance.cash == sum(rig.exchange.queries.balance(US).available.values())
    await rig.close()
