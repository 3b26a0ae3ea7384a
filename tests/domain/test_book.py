from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kalshi_tui.domain.book import Book, BookError, Level, Side
from kalshi_tui.domain.price import PRICE_UNIT
from tests.support.budget import examples
from tests.support.strategies import (
    counts,
    levels,
    prices,
    sides,
    thorough,
)

# Few prices, so that deltas often meet a level that stands.
NEAR_PRICES = st.one_of(st.integers(1, 12), st.integers(PRICE_UNIT - 12, PRICE_UNIT - 1), prices)
OUTSIDE = st.one_of(st.integers(-3, 0), st.integers(PRICE_UNIT, PRICE_UNIT + 3))


def book_of(yes: Mapping[int, int], no: Mapping[int, int]) -> Book:
    book = Book()
    book.snapshot(yes.items(), no.items())
    return book


class BookMachine(RuleBasedStateMachine):
    """A book beside two plain dictionaries, price to count, that are told the same."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.model: dict[Side, dict[int, int]] = {Side.YES: {}, Side.NO: {}}
        self.frames = 0

    @initialize(yes=levels, no=levels)
    def start(self, yes: dict[int, int], no: dict[int, int]) -> None:
        self.snapshot(yes, no, {})

    @rule(yes=levels, no=levels, empty=st.dictionaries(prices, st.just(0), max_size=3))
    def snapshot(self, yes: dict[int, int], no: dict[int, int], empty: dict[int, int]) -> None:
        # Levels of count 0 may stand in a snapshot, and are none.
        self.book.snapshot([*{**empty, **yes}.items()], reversed([*no.items()]))
        self.model = {Side.YES: dict(yes), Side.NO: dict(no)}
        self.frames += 1

    @rule(side=sides, price=NEAR_PRICES, delta=st.one_of(counts, counts.map(int.__neg__), st.just(0)))
    def delta(self, side: Side, price: int, delta: int) -> None:
        model = self.model[side]
        count = model.get(price, 0) + delta
        if count < 0:
            self.refused(side, price, delta)
            return
        assert self.book.apply(side, price, delta) == count
        self.frames += 1
        model.pop(price, None)
        if count:
            model[price] = count

    @precondition(lambda self: any(self.model.values()))
    @rule(data=st.data(), part=st.sampled_from(("some", "all", "too much")))
    def take_away(self, data: st.DataObject, part: str) -> None:
        side = data.draw(st.sampled_from([side for side in Side if self.model[side]]))
        price = data.draw(st.sampled_from(sorted(self.model[side])))
        stands = self.model[side][price]
        match part:
            case "all":
                self.delta(side, price, -stands)
            case "some":
                self.delta(side, price, -data.draw(st.integers(1, stands)))
            case _:
                self.refused(side, price, -stands - data.draw(st.integers(1, 1_000)))

    @rule(side=sides, price=OUTSIDE, delta=st.integers(-100, 100))
    def outside(self, side: Side, price: int, delta: int) -> None:
        self.refused(side, price, delta)

    @rule(yes=levels, no=levels, wrong=st.sampled_from(("negative", "doubled", "outside")), side=sides, price=prices)
    def false_snapshot(self, yes: dict[int, int], no: dict[int, int], wrong: str, side: Side, price: int) -> None:
        sent = {Side.YES: [*yes.items()], Side.NO: [*no.items()]}
        match wrong:
            case "negative":
                sent[side] = [(p, c) for p, c in sent[side] if p != price] + [(price, -1)]
            case "doubled":
                sent[side] += [(price, 5), (price, 6)]
            case _:
                sent[side].append((PRICE_UNIT if price % 2 else 0, 5))
        with pytest.raises(BookError):
            self.book.snapshot(sent[Side.YES], sent[Side.NO])

    def refused(self, side: Side, price: int, delta: int) -> None:
        with pytest.raises(BookError) as raised:
            self.book.apply(side, price, delta)
        assert "$" not in str(raised.value)
        assert str(raised.value)

    @invariant()
    def the_levels_are_the_models(self) -> None:
        yes, no = self.book.levels()
        assert yes == sorted(self.model[Side.YES].items(), reverse=True)
        assert no == sorted(self.model[Side.NO].items(), reverse=True)
        assert self.book == book_of(self.model[Side.YES], self.model[Side.NO])
        # What was refused is not counted, since nothing of it was taken.
        assert self.book.version == self.frames

    @invariant()
    def the_top_and_what_it_implies_are_the_models(self) -> None:
        for side in Side:
            own, other = self.model[side], self.model[side.other]
            bid, ask = self.book.best_bid(side), self.book.best_ask(side)
            assert bid == ((max(own), own[max(own)]) if own else None)
            assert ask == ((PRICE_UNIT - max(other), other[max(other)]) if other else None)
            middle = Fraction(max(own) + PRICE_UNIT - max(other), 2) if own and other else None
            doubled = self.book.mid_doubled(side)
            assert (None if doubled is None else Fraction(doubled, 2)) == middle
            spread = min(PRICE_UNIT - p for p in other) - max(own) if own and other else None
            assert self.book.spread == spread
            assert self.book.crossed == (spread is not None and spread <= 0)
            assert self.book.side(side).total == sum(own.values())
            assert len(self.book.side(side)) == len(own)

    @rule(side=sides, price=NEAR_PRICES, depth=st.integers(-1, 15))
    def asked_about_its_depth(self, side: Side, price: int, depth: int) -> None:
        own, other = self.model[side], self.model[side.other]
        bids = self.book.side(side)
        assert bids.top(depth) == sorted(own.items(), reverse=True)[: max(depth, 0)]
        asks = sorted((PRICE_UNIT - p, count) for p, count in other.items())
        assert self.book.asks(side, depth) == asks[: max(depth, 0)]
        assert bids.depth_from(price) == sum(count for p, count in own.items() if p >= price)
        assert bids.count_at(price) == own.get(price, 0)
        assert list(self.book.takeable(side, price)) == [level for level in asks if level[0] <= price]


TestBook = BookMachine.TestCase
TestBook.settings = settings(deadline=None, max_examples=examples(250), stateful_step_count=40)


@given(levels, levels, sides, prices, counts)
@thorough
def test_a_delta_and_its_opposite_leave_the_book_as_it_was(
    yes: dict[int, int], no: dict[int, int], side: Side, price: int, count: int
) -> None:
    book = book_of(yes, no)
    book.apply(side, price, count)
    assert book != book_of(yes, no)
    book.apply(side, price, -count)
    assert book == book_of(yes, no)


def test_a_refused_delta_says_what_it_was_and_changes_nothing() -> None:
    book = book_of({800: 30_000}, {5_400: 2_000})
    with pytest.raises(BookError, match=r"change of -300\.01 at 0\.0800 where only 300\.00 stand"):
        book.apply(Side.YES, 800, -30_001)
    with pytest.raises(BookError, match=r"change of -1\.00 at 0\.0900 where nothing stands"):
        book.apply(Side.YES, 900, -100)
    with pytest.raises(BookError, match="outside 0 and 1 dollar"):
        book.apply(Side.NO, PRICE_UNIT, 100)
    assert book == book_of({800: 30_000}, {5_400: 2_000})


def test_a_refused_snapshot_keeps_both_sides() -> None:
    book = book_of({800: 30_000}, {5_400: 2_000})
    with pytest.raises(BookError, match=r"count of -0\.01 at 0\.0100"):
        book.snapshot([(900, 100)], [(100, -1)])
    with pytest.raises(BookError, match=r"two levels at 0\.0100"):
        book.snapshot([(900, 100)], [(100, 1), (100, 1)])
    assert book == book_of({800: 30_000}, {5_400: 2_000})


def test_the_books_of_the_contract() -> None:
    book = book_of({800: 30_000}, {5_400: 2_000})
    assert book.best_bid() == Level(800, 30_000)
    assert book.best_ask() == Level(4_600, 2_000)
    assert book.best_ask(Side.NO) == Level(9_200, 30_000)
    assert book.spread == 3_800
    assert book.mid_doubled() == 5_400
    assert Side.YES.other is Side.NO
    assert Side.NO.other is Side.YES


def test_an_empty_book_says_none_rather_than_a_price() -> None:
    book = Book()
    for side in Side:
        assert (book.best_bid(side), book.best_ask(side), book.mid_doubled(side)) == (None, None, None)
        assert list(book.takeable(side, PRICE_UNIT)) == []
    assert book.spread is None
    assert not book.crossed
    assert book.levels() == ([], [])


def test_one_side_alone_implies_no_spread() -> None:
    book = book_of({800: 30_000}, {})
    assert (book.spread, book.mid_doubled(), book.best_ask()) == (None, None, None)
    assert book.best_ask(Side.NO) == Level(9_200, 30_000)
    assert not book.crossed


def test_a_book_is_no_key_and_equals_no_other_thing() -> None:
    with pytest.raises(TypeError):
        hash(Book())
    assert Book() != ([], [])
