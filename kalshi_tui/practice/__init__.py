"""A Kalshi exchange on this machine: matching, accounts, streams, simulated participants; a process of its own."""
