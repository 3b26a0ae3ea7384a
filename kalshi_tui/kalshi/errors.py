"""The errors of the library, by what a trader has to know; each has a sentence (docs/kalshi-api.md, sections 6 and 10).

- `Refused`: the exchange rejected the request. Nothing was done.
- `NotSent`: no connection was made. Nothing left this machine, so nothing was done.
- `UnknownOutcome`: a command was sent and no definite reply came, or the order's client order id was used before. It
  may or may not have been done: ask, never resend.
- `TransportError`: a read could not be sent or was not answered. Sending it again is harmless.
- `BadReply`: a reply came and makes no sense.
- `Misconfigured`: a key, an address or a variable of the environment cannot be used. Nothing was sent.

A program that trades handles them so::

    try:
        ack = await client.place_order(ticker, "yes", "buy", "0.42", "10")
    except UnknownOutcome as error:
        order = await client.find_order(error.client_order_id)
    except (NotSent, Refused) as error:
        print("nothing was done:", error)
"""

from collections.abc import Iterable
from typing import Final

# ruff: noqa: N818 - the names say what happened, which is what decides; "Error" would add nothing to them


class KalshiError(Exception):
    """Base of all errors that the exchange, the network or the configuration causes. Its text is a sentence."""


class Misconfigured(KalshiError):
    """Report a key, an address or a variable of the environment that cannot be used. Its text holds nothing secret."""


class Refused(KalshiError):
    """Report a definite no: a status 4xx other than 408. Nothing was done.

    ``status`` is the HTTP status, ``code`` the exchange's word, by which programs decide; ``message`` and ``details``
    are for people. All texts have passed the sanitizer.
    """

    def __init__(self, status: int, code: str = "", message: str = "", details: str = "") -> None:
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        known = known_error_sentence(self.code, self.details)
        if known:
            return known
        said = ": ".join(text for text in (self.message or self.code, self.details) if text)
        return f"The exchange rejected it: {said or f'status {self.status}'}."


class AuthenticationFailed(Refused):
    """Report status 401: the key id, the key or this machine's clock is wrong (docs/kalshi-api.md, section 10).

    ``skew_ms`` is how far the clock is behind the exchange's, in milliseconds; 0 if it is right.
    """

    def __init__(
        self, status: int = 401, code: str = "", message: str = "", details: str = "", skew_ms: int = 0
    ) -> None:
        self.skew_ms = skew_ms
        super().__init__(status, code, message, details)

    def _sentence(self) -> str:
        return authentication_sentence(self.code, self.skew_ms, self.details)


class Forbidden(Refused):
    """Report status 403: this key may not do that, or an attestation has expired.

    docs/kalshi-api.md, sections 10 and 12.
    """

    def _sentence(self) -> str:
        said = self.details or self.message or self.code
        lowered = said.lower()
        if "attest" in lowered or "region" in lowered:
            return (
                "The attestation of where your keys are used has lapsed: until you renew it on the exchange's web "
                f"page, a key trades no Sports, Elections or Entertainment ({said})."
            )
        if "scope" in lowered:
            return f"This key may not do that ({said}): create a key with this scope at the exchange, and use that one."
        return (
            "The exchange does not let this key do that: it may be limited to reading or to a subaccount, "
            f"or an attestation at the exchange has run out{f' ({said})' if said else ''}."
        )


class NotFound(Refused):
    """Report status 404: there is no such thing; for a cancel, the order is gone already."""

    def _sentence(self) -> str:
        known = known_error_sentence(self.code, self.details)
        if known:
            return known
        said = self.details or self.message
        more = f" ({said})" if said and said.lower() not in {"not found", "not_found"} else ""
        return f"The exchange does not know that{more}: it may be gone already."


class EndpointNotFound(Refused):
    """Report status 404 for a list, or anything else that does not stand for one thing: nothing follows about orders.

    It is no `NotFound`: that an order is not there has to be proved, and this proves nothing.
    """

    def _sentence(self) -> str:
        said = self.details or self.message
        more = f" ({said})" if said else ""
        return f"The exchange does not answer this question (status 404){more}: what it is about is not known."


class DuplicateOrder(Refused):
    """Report status 409 ``order_already_exists``: an order with this client order id was accepted before.

    Only the second order is rejected; the first IS there. `KalshiClient.place_order` raises `UnknownOutcome` from it.
    """


class RateLimited(Refused):
    """Report status 429: too many requests in too short a time. Nothing was done."""

    def _sentence(self) -> str:
        return "The exchange takes no more requests for the moment (rate limit): wait a little and try again."


class NotSent(KalshiError):
    """Report a command that was not sent: no connection could be made, or it was stopped here. Nothing was done."""


class NoKey(NotSent):
    """Report a call that needs an API key where there is none."""

    def __init__(self) -> None:
        super().__init__("This needs an API key, and none is set up: only public market data can be read without one.")


class WrongHost(NotSent):
    """Report a request to another server than those of the key's environment. It was stopped before it was signed."""

    def __init__(self, host: str, own: Iterable[str]) -> None:
        allowed = " and ".join(sorted(map(_printable_host, own)))
        super().__init__(f"A request to {_printable_host(host)} was stopped: the key is for {allowed} alone.")


class UnknownOutcome(KalshiError):
    """Report a command that was sent and of which nobody knows whether it was done. Never send it again: ask.

    ``client_order_id`` is that of a new order, for `KalshiClient.find_order`; ``order_id`` and ``status`` are those of
    the reply if it had them, empty and 0 otherwise.
    """

    def __init__(self, sentence: str, *, order_id: str = "", status: int = 0, client_order_id: str = "") -> None:
        self.order_id = order_id
        self.status = status
        self.client_order_id = client_order_id
        super().__init__(sentence)


class TransportError(KalshiError):
    """Report a read that failed on the way: no connection, a timeout, a broken one. Reading again is harmless."""


class ServerFault(TransportError):
    """Report a read that was answered with status 5xx, 408 or a redirect; ``status`` is it."""

    def __init__(self, status: int, message: str = "") -> None:
        self.status = status
        said = f" ({message})" if message else ""
        if status == 503:
            sentence = f"The exchange is paused or down for maintenance (status 503){said}: try again later."
        else:
            sentence = f"The exchange's server failed with status {status}{said}: try again in a moment."
        super().__init__(sentence)


class BadReply(KalshiError):
    """Report a reply that makes no sense: not JSON, a field missing, a number that is none.

    docs/kalshi-api.md, sections 3 to 11.
    """


def _printable_host(host: str) -> str:
    """Return a host's name in plain ASCII, at most 100 characters, which any screen can show."""
    return ascii(host[:100])[1:-1]


_SENTENCES_BY_DETAILS: Final = {
    "post only cross": "Post-only: this order would have traded at once, so it was rejected and nothing rests.",
    "reduce_only can only be used with ioc orders": "Reduce-only works only with immediate-or-cancel.",
}
"""Sentences by the details of a rejection in lower case: the codes beside them say less."""

_SENTENCES_BY_CODE: Final = {
    "insufficient_balance": (
        "There is not enough cash where this is paid from: cash elsewhere in the account does not count."
    ),
    "order_already_exists": "An order with this client order id was already taken; it was not sent again.",
    "fill_or_kill_insufficient_resting_volume": "Fill-or-kill: the book could not fill it whole, so it was killed.",
    "Cannot_specify_both_IoC_and_expiration_timestamp": "An expiry works only with good-till-canceled.",
    "market_closed": "This market is closed.",
    "MARKET_INACTIVE": "This market takes no orders now.",
    "market_not_found": "The exchange does not know this market.",
    "market_inactive": "This market takes no orders now.",
    "missing_parameters": "The exchange found the order incomplete.",
    "trading_paused": "Trading is paused on the exchange; canceling is still allowed.",
    "transfers_paused": "The exchange moves no cash for now. Try again later.",
    "exchange_paused": "The exchange is paused; nothing is allowed for now.",
}


def known_error_sentence(code: str, details: str) -> str:
    """Return the sentence for a rejection whose cause is known, empty for any other."""
    lowered = details.strip().lower()
    if "subaccount" in lowered and "exist" in lowered:
        return f"The exchange has no such subaccount ({details.strip()}): name one that you have, or create it there."
    if "no such exchange shard" in lowered:
        return f"The exchange has no such exchange index ({details.strip()}): your balance shows those there are."
    return _SENTENCES_BY_DETAILS.get(lowered) or _SENTENCES_BY_CODE.get(code, "")


def authentication_sentence(code: str, skew_ms: int, details: str = "") -> str:
    """Return why a 401 came: a clock that is off, a key of the other environment, a wrong key, or one of another type.

    docs/kalshi-api.md, sections 2 and 10.
    """
    if skew_ms:
        way = "behind" if skew_ms > 0 else "ahead of"
        return (
            f"The exchange rejected the signature: this machine's clock is {abs(skew_ms) / 1000:.0f} s {way} "
            "the exchange's. Set the clock."
        )
    word = code.upper()
    if "NOT_FOUND" in word:
        return (
            "The exchange does not know this key id: keys of the demo and the production exchange are not "
            "interchangeable. Check the key id and the environment."
        )
    if "SIGNATURE" in word:
        return (
            "The exchange rejected the signature: the private key does not belong to this key id"
            f"{f' ({details})' if details else ''}. Check that key id and key file were created together, "
            "that the file is of the type registered (Ed25519 or RSA), and this machine's clock."
        )
    return "The exchange rejected the key: check the key id, the private key and the environment."
