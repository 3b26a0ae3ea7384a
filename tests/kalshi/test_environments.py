import pytest

from kalshi_tui.kalshi.clock import ExchangeClock
from kalshi_tui.kalshi.environments import DEMO, PRODUCTION, Environment, Kind, practice, practice_at


def test_the_three_environments() -> None:
    assert PRODUCTION.kind is Kind.LIVE
    assert DEMO.kind is Kind.DEMO
    assert PRODUCTION.signing_origin == ("https", "external-api.kalshi.com", 443)
    assert DEMO.ws_host == "external-api-ws.demo.kalshi.co"
    local = practice(8765)
    assert local.rest_url == "http://127.0.0.1:8765/trade-api/v2"
    assert local.signing_origin == ("http", "127.0.0.1", 8765)
    assert practice_at(local.rest_url + "/", local.ws_url) == local


@pytest.mark.parametrize(
    ("rest_url", "words"),
    [
        ("http://example.com/trade-api/v2", "not encrypted"),
        ("http://10.0.0.1/trade-api/v2", "not encrypted"),
        ("http://localhost.example.com/trade-api/v2", "not encrypted"),
        ("ftp://127.0.0.1/trade-api/v2", "must begin with"),
        ("https:///trade-api/v2", "name a host"),
        ("https://user:word@example.com/trade-api/v2", "without a user name"),
        ("https://example.com/trade-api/v2?x=1", "without a user name, a query"),
        ("https://example.com/v2", "must end with"),
    ],
)
def test_addresses_that_a_key_must_not_be_used_with(rest_url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        Environment("x", Kind.PRACTICE, rest_url, "ws://127.0.0.1/trade-api/ws/v2")
    assert "word@" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "[::1]"])
def test_unencrypted_addresses_of_this_machine_are_fine(host: str) -> None:
    Environment("x", Kind.PRACTICE, f"http://{host}:1/trade-api/v2", f"ws://{host}:1/trade-api/ws/v2")


def test_a_practice_exchange_is_on_this_machine_only() -> None:
    with pytest.raises(ValueError, match="this machine"):
        practice_at(PRODUCTION.rest_url, PRODUCTION.ws_url)


def test_the_clock_follows_the_exchange_only_when_it_is_clearly_off() -> None:
    now = 1_786_085_200_000
    clock = ExchangeClock(lambda: now)
    clock.heard("Fri, 07 Aug 2026 06:46:40 GMT", now, now + 100)
    assert clock.skew_ms == 0
    clock.heard("Fri, 07 Aug 2026 06:47:40 GMT", now, now + 100)
    assert clock.skew_ms == 60_450
    assert clock.now_ms() == now + 60_450
    clock.heard("not a date", now, now)
    clock.heard(None, now, now)
    clock.heard("Fri, 07 Aug 2026 06:46:40 GMT", now, now - 1)
    assert clock.skew_ms == 60_450
    clock.heard("Fri, 07 Aug 2026 06:46:39 GMT", now, now + 10)
    assert clock.skew_ms == 0
    clock.heard("Fri, 07 Aug 2026 06:46:30 GMT", now - 20_000, now)
    assert clock.skew_ms == 0
