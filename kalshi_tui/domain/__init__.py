"""The trading domain: prices, books, orders, fees. Standard library only; no I/O, no async, no clock."""
