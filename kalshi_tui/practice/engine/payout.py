"""The payout of a settled market: what each holding is paid, and the record of it (docs/kalshi-api.md, section 8)."""

from kalshi_tui.domain.price import PRICE_UNIT
from kalshi_tui.practice.engine.events import PositionChanged, PositionSettled
from kalshi_tui.practice.engine.model import EngineAccount, Holding, ListedMarket
from kalshi_tui.practice.engine.records import SettlementRecord
from kalshi_tui.practice.engine.state import EngineState


class Payout:
    """Pays what is held in a market by its settlement value."""

    def __init__(self, state: EngineState) -> None:
        self._ledger = state.ledger
        self._emit = state.event_log.emit

    def pay_all(self, listing: ListedMarket, now: int) -> None:
        """Pay every account, simulated ones and the house too: the market's escrow must come to exactly zero."""
        for account in self._ledger.accounts.values():
            holding = account.holdings.pop(listing.ticker, None)
            if holding is not None:
                self._pay_holding(account, holding, now)

    def _pay_holding(self, account: EngineAccount, holding: Holding, now: int) -> None:
        """Pay one holding. The payout is rounded down to the account's precision; the rest is a settlement fee."""
        listing = holding.listing
        shard = listing.shard
        value = listing.settlement_value or 0
        position, cost = holding.position, holding.cost
        # What a YES was paid by a settlement floor is not paid again.
        yes_value = value - (listing.settlement_floor or 0)
        worth = position * yes_value if position >= 0 else -position * (PRICE_UNIT - value)
        revenue = worth - worth % account.precision
        account.cash[shard] += revenue
        self._ledger.escrow[shard] -= worth
        self._ledger.collected_fees[shard] += worth - revenue
        holding.fees_paid += worth - revenue
        if not account.keeps_history or not holding.total_traded:
            return
        self._ledger.mark_balance_changed(account, shard)
        holding.realized += worth - cost
        holding.position = 0
        holding.cost = 0
        holding.fee_cost = 0
        holding.updated_ms = now
        if position:
            settled = SettlementRecord(
                account_id=account.account_id,
                ticker=listing.ticker,
                event_ticker=listing.terms.event_ticker,
                exchange_index=shard,
                result=listing.result,
                value=value,
                yes_count=max(position, 0),
                yes_cost=cost if position > 0 else 0,
                no_count=max(-position, 0),
                no_cost=cost if position < 0 else 0,
                revenue=revenue,
                fee=holding.fees_paid,
                ts_ms=now,
            )
            account.settlements.append(settled)
            self._emit(PositionSettled(settled))
        account.settled_positions[listing.ticker] = holding.to_record()
        self._emit(PositionChanged(holding.to_record()))
