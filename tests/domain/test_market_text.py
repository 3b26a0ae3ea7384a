"""How a market is called: its event's title, then what YES means."""

import pytest

from kalshi_tui.domain.market import Market
from kalshi_tui.domain.text import market_text
from kalshi_tui.presentation.names import short_label


@pytest.mark.parametrize(
    ("title", "outcome", "text"),
    [
        ("Who will win?", "Red Mesa", "Who will win? Red Mesa"),
        ("Fed decision in December", "Cut 25 bps", "Fed decision in December: Cut 25 bps"),
        ("Will it rain?", "", "Will it rain?"),
        ("Will it rain?", "Will it rain?", "Will it rain?"),
        ("", "Red Mesa", "Red Mesa"),
    ],
)
def test_a_question_is_followed_by_its_answer_and_any_other_title_by_a_colon(
    title: str, outcome: str, text: str
) -> None:
    assert market_text(Market("T-1", "E", title=title, yes_sub_title=outcome)) == text


@pytest.mark.parametrize("title", ["Who will be champion this season?", "Champion of this season"])
def test_where_there_is_little_room_the_title_is_cut_and_the_outcome_stays(title: str) -> None:
    market = Market("T-1", "E", title=title, yes_sub_title="Red Mesa")
    assert short_label(market, 60).rstrip() == market_text(market)
    narrow = short_label(market, 20)
    assert len(narrow) == 20
    assert narrow.endswith("… Red Mesa")
    assert narrow.startswith(title[:10])
