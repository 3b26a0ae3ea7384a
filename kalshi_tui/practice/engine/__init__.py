"""The matching engine: orders, accounts, markets, fees and settlement. No I/O and no clock of its own."""
