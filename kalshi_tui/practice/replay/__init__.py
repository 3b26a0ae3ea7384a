"""A recording played as an exchange."""
