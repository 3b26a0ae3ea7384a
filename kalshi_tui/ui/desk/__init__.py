"""The desk: the main screen and what it does."""
