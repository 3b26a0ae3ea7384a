"""The order ticket, its review, and changing a resting order."""
