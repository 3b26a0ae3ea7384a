"""The live feed: the protocol without I/O, its socket, groups of streams, and updates for programs."""
