"""The market list, watch lists, and the market finder."""
