"""The lists below: orders, positions, fills, tape, log, settlements, alerts."""
