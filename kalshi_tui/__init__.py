"""A terminal trading desk for Kalshi."""

__version__ = "0.1.0"
