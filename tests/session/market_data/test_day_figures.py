"""The price of a day ago and the volume of 24 hours: no frame carries them, so that they are read again."""

from pathlib import Path

import pytest

from kalshi_tui.domain.trading_day import next_day_start_ms
from tests.support.session_rig import START_MS, Rig


@pytest.mark.parametrize("turns", [True, False], ids=["the day turns", "ten minutes have passed"])
async def test_the_figures_of_the_day_are_read_again(tmp_path: Path, turns: bool) -> None:
    rig = Rig(tmp_path)
    if turns:
        rig.clock.now_ms = next_day_start_ms(START_MS) - 3_000
    await rig.start()
    await rig.pass_time(1)
    listing = rig.exchange.markets.listings[rig.ticker]
    listing.previous_price = listing.last_price = 1_200
    listing.base_volume_24h = 34_500
    await rig.pass_time(12 if turns else 610, 1_000 if turns else 30_000)
    quote = rig.session.store.quotes[rig.ticker]
    assert (quote.previous, quote.volume_24h) == (1_200, 34_500)
    await rig.close()
