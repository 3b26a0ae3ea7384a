"""Recording the stream, and playing what was recorded."""
