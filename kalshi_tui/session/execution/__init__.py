"""The life of an order: risk checks, journal, submit, amend, cancel, and finding out what became of it."""
