"""Translate the account's rate limits (docs/kalshi-api.md, section 10)."""

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.replies import AccountLimits, TokenBucket
from kalshi_tui.kalshi.translate.cleaning import MAX_ID_LENGTH, clean


def limits(source: wire.AccountLimitsReply) -> AccountLimits:
    """Translate the account's token buckets (docs/kalshi-api.md, section 10)."""
    return AccountLimits(
        tier=clean(source.usage_tier, MAX_ID_LENGTH),
        read=TokenBucket(source.read.refill_rate, source.read.bucket_capacity),
        write=TokenBucket(source.write.refill_rate, source.write.bucket_capacity),
    )
