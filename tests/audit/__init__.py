"""The audit of figures: every figure of the desk and of the commands beside an independent computation.

It computes with decimals from raw replies, and imports nothing of `kalshi_tui` that values, charges or sums.
"""
