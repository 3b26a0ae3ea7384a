"""The way to the exchange: HTTP, TLS, signing, keys, rate limit and clock."""
