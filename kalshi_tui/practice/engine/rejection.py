"""What the exchange answers to a request that it will not carry out (docs/kalshi-api.md, sections 6 and 10)."""


class Rejection(Exception):  # noqa: N818  # the exchange's own word for a definite no
    """A definite no: nothing was changed. ``status`` is the HTTP status; the rest are the fields of the error body."""

    def __init__(self, status: int, code: str, message: str = "", details: str = "") -> None:
        self.status = status
        self.code = code
        self.message = message or code.replace("_", " ")
        self.details = details
        super().__init__(f"{status} {code}" + (f": {details}" if details else ""))


def invalid_order(details: str) -> Rejection:
    """Return the rejection of an order whose terms are not legal."""
    return Rejection(400, "invalid_order", "invalid order", details)


def not_found(what: str) -> Rejection:
    """Return the 404 for something that is not there, or not any more."""
    return Rejection(404, "not_found", "not found", what)


def market_not_found(ticker: str) -> Rejection:
    """Return the 404 for a market that does not exist, or cannot be seen yet."""
    return Rejection(404, "market_not_found", "market not found", ticker)


def market_inactive(ticker: str) -> Rejection:
    """Return the rejection of any order operation in a market that takes none: not open yet, deactivated or closed."""
    return Rejection(409, "MARKET_INACTIVE", "market is not active", ticker)
