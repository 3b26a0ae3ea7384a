"""The order book of one market."""
