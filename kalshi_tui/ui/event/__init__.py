"""A market and its event in detail."""
