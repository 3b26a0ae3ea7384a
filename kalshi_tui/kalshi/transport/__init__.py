"""How bytes reach the exchange: HTTP, TLS, keys and signatures, the write budget, the exchange's clock."""
