"""The chart of one market."""
