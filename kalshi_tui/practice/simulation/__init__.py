"""The simulated world: catalog, fair values, participants and outcomes."""
