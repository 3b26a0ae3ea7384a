"""The invented world of the practice exchange: its markets, how they end, and who trades in them."""
