"""REST and WebSocket in front of the engine, in the exchange's own protocol."""
