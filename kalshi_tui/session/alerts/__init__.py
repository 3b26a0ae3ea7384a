"""Price and order alerts: when they ring, and what they run."""
