"""Prices and counts set by a key: from the book, along the grid, from what is typed. Pure."""

from enum import Enum

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action
from kalshi_tui.domain.price import COUNT_UNIT, Count, NumberError, Price, PriceGrid
from kalshi_tui.order_entry.parse import (
    is_dollar_amount,
    parse_typed_count,
    parse_typed_dollars,
    parse_typed_price,
)
from kalshi_tui.presentation.number_text import (
    count_text,
    money_text,
    price_decimals,
    price_text,
)
from kalshi_tui.session.market_data.store import LiveBook


class PricePlacement(Enum):
    """Where in the book a price is to be. The values are the arguments of the commands."""

    JOIN = "join"
    IMPROVE = "improve"
    TAKE = "take"
    MID = "mid"


def grid_for_side(market: Market, side: Side) -> PriceGrid:
    """Return a market's grid as this outcome has it."""
    return market.grid if side is Side.YES else market.grid.complement()


def price_from_book(placement: PricePlacement, live: LiveBook, market: Market, side: Side, action: Action) -> Price:
    """Return the price for ``side`` at this place in the book now. Raises NumberError with a sentence."""
    book, buys = live.book, action is Action.BUY
    bid, ask = book.best_bid(side), book.best_ask(side)
    own, other = (bid, ask) if buys else (ask, bid)
    if bid is None and ask is None and not live.is_good:
        raise NumberError(f"The book is {live.trust.name}: there is no price to take from it.")
    if placement is PricePlacement.TAKE:
        if other is None:
            raise NumberError(f"Nobody {'offers' if buys else 'bids for'} {side.name}: there is nothing to take.")
        return other.price
    if placement is PricePlacement.MID:
        return _mid_on_grid(book.mid_doubled(side), grid_for_side(market, side), buys=buys)
    if own is None:
        raise NumberError(
            f"Nobody {'bids for' if buys else 'offers'} {side.name}: there is nothing to {placement.value}."
        )
    if placement is PricePlacement.JOIN:
        return own.price
    grid = grid_for_side(market, side)
    better = grid.up(own.price) if buys else grid.down(own.price)
    if better == own.price:
        raise NumberError("The grid of prices ends here: there is no better one.")
    if other is not None and (better >= other.price if buys else better <= other.price):
        near = price_text(other.price, price_decimals(market.grid))
        raise NumberError(f"A tick better would cross: it takes the {'ask' if buys else 'bid'} at {near}; t does that.")
    return better


def _mid_on_grid(doubled_mid: int | None, grid: PriceGrid, *, buys: bool) -> Price:
    """Return the middle of bid and ask; off the grid, the next price that rests rather than takes."""
    if doubled_mid is None:
        raise NumberError("There is no middle: not both sides are quoted.")
    price = grid.at_or_below(doubled_mid // 2) if buys else grid.at_or_above(-(-doubled_mid // 2))
    if price is None:
        raise NumberError("The grid of prices has none at the middle.")
    return price


def step_price(text: str, ticks: int, live: LiveBook, market: Market, side: Side, action: Action) -> str:
    """Return the price some ticks on; from an empty field, the best price on the trader's own side, if there is one."""
    try:
        price = parse_typed_price(text)
    except NumberError:
        near = live.book.best_bid(side) if action is Action.BUY else live.book.best_ask(side)
        if near is None:
            return text
        price = near.price
    else:
        grid = grid_for_side(market, side)
        price = grid.up(price, ticks) if ticks > 0 else grid.down(price, -ticks)
    return price_text(price, price_decimals(market.grid))


def step_count(text: str, by: int) -> str:
    """Return the count some contracts on, one at the least; dollars where it is written in dollars."""
    if is_dollar_amount(text):
        try:
            dollars = parse_typed_dollars(text)
        except NumberError:
            dollars = 0
        return money_text(max(dollars + by * 100 * CENT, 100 * CENT)).replace(",", "").removesuffix(".00")
    try:
        count = parse_typed_count(text)
    except NumberError:
        count = 0
    return count_input_text(max(count + by * COUNT_UNIT, COUNT_UNIT))


def count_input_text(count: Count) -> str:
    """Write a count as one would type it."""
    return count_text(count).replace(",", "")


def next_preset(text: str, presets: tuple[Count, ...], by: int) -> Count:
    """Return the preset after, or before, the one that is typed; from any other count the first, or the last."""
    try:
        place = presets.index(parse_typed_count(text)) + by
    except (NumberError, ValueError):
        place = 0 if by > 0 else -1
    return presets[place % len(presets)]
