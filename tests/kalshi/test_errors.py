import pytest

from kalshi_tui.kalshi import errors
from kalshi_tui.kalshi.errors import AuthenticationFailed, Forbidden, NotFound, RateLimited, Refused, ServerFault


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Refused(400, "invalid_order", "invalid order", "post only cross"), "Post-only: this order would have traded"),
        (Refused(400, "invalid_order", "invalid order", "reduce_only can only be used with IoC orders"), "Reduce-only"),
        (
            Refused(400, "invalid_order", "invalid order", "no side"),
            "The exchange rejected it: invalid order: no side.",
        ),
        (Refused(400, "insufficient_balance", "x"), "There is not enough cash"),
        (Refused(409, "fill_or_kill_insufficient_resting_volume"), "Fill-or-kill"),
        (Refused(418), "The exchange rejected it: status 418."),
        (NotFound(404, "not_found", "not found"), "The exchange does not know that: it may be gone already."),
        (NotFound(404, "market_not_found", "market not found"), "The exchange does not know this market."),
        (errors.EndpointNotFound(404, "not_found", "not found"), "(not found): what it is about is not known"),
        (Forbidden(403, "", "attestation expired"), "(attestation expired)"),
        (RateLimited(429), "rate limit"),
        (AuthenticationFailed(skew_ms=35_200), "clock is 35 s behind"),
        (AuthenticationFailed(skew_ms=-35_200), "clock is 35 s ahead of"),
        (AuthenticationFailed(code="NOT_FOUND"), "demo and the production"),
        (AuthenticationFailed(code="INCORRECT_API_KEY_SIGNATURE"), "does not belong to this key id"),
        (ServerFault(503), "paused or down for maintenance"),
        (ServerFault(502, "bad gateway"), "status 502 (bad gateway)"),
    ],
)
def test_each_refusal_is_a_sentence(error: errors.KalshiError, words: str) -> None:
    assert words in str(error)
    assert str(error).endswith(".")


def test_a_trader_can_tell_what_was_done_by_the_type_alone() -> None:
    assert not issubclass(errors.UnknownOutcome, errors.Refused | errors.NotSent | errors.TransportError)
    assert not issubclass(errors.NotSent, errors.Refused)
    assert issubclass(errors.NoKey, errors.NotSent)
    assert issubclass(errors.DuplicateOrder, errors.Refused)
    assert issubclass(errors.ServerFault, errors.TransportError)
