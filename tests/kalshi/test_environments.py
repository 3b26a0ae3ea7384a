import httpx
import pytest
from hypothesis import example, given, strategies as st
from websockets.uri import parse_uri

from kalshi_tui.kalshi.environments import (
    ALLOWED_HOSTS,
    DEMO,
    PRODUCTION,
    Environment,
    Kind,
    practice_at_urls,
    practice_on_port,
    split_url,
)
from kalshi_tui.kalshi.transport.clock import ExchangeClock


def test_the_three_environments() -> None:
    assert PRODUCTION.kind is Kind.LIVE
    assert DEMO.kind is Kind.DEMO
    assert PRODUCTION.signing_origin == ("https", "external-api.kalshi.com", 443)
    assert DEMO.ws_host == "external-api-ws.demo.kalshi.co"
    local = practice_on_port(8765)
    assert local.rest_url == "http://127.0.0.1:8765/trade-api/v2"
    assert local.signing_origin == ("http", "127.0.0.1", 8765)
    assert practice_at_urls(local.rest_url + "/", local.ws_url) == local


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


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("rest_host", "ws_host"),
    [
        ("external-api.kalshi.com", "external-api-ws.kalshi.com"),
        ("api.elections.kalshi.com", "api.elections.kalshi.com"),
        ("external-api.demo.kalshi.co", "external-api-ws.demo.kalshi.co"),
        ("demo-api.kalshi.co", "demo-api.kalshi.co"),
        ("127.0.0.1", "127.0.0.1"),
        ("example.com", "example.com"),
        ("external-api.kalshi.com.example.com", "external-api-ws.kalshi.com"),
        ("external-api.kalshi.com", "external-api-ws.kalshi.com.example.com"),
        ("external-api.kalshi.com:8443", "external-api-ws.kalshi.com"),
        ("external-api.kalshi.com", "external-api-ws.demo.kalshi.co"),
    ],
)
def test_each_kind_has_its_own_hosts_and_no_others(kind: Kind, rest_host: str, ws_host: str) -> None:
    def made() -> Environment:
        return Environment("x", kind, f"https://{rest_host}/trade-api/v2", f"wss://{ws_host}/trade-api/ws/v2")

    own = ALLOWED_HOSTS.get(kind, frozenset({"127.0.0.1"}))
    if {rest_host, ws_host} <= own:
        assert made().hosts == {rest_host, ws_host}
    else:
        with pytest.raises(ValueError, match=r"no address of the exchange's|on this machine only"):
            made()


def test_no_host_is_of_two_kinds() -> None:
    assert not ALLOWED_HOSTS[Kind.LIVE] & ALLOWED_HOSTS[Kind.DEMO]


@pytest.mark.parametrize("kind", [Kind.LIVE, Kind.DEMO])
def test_nothing_unencrypted_is_live_or_demo(kind: Kind) -> None:
    with pytest.raises(ValueError, match="no address of the exchange's"):
        Environment("x", kind, "http://127.0.0.1/trade-api/v2", "ws://127.0.0.1/trade-api/ws/v2")


def test_a_practice_exchange_is_on_this_machine_only() -> None:
    with pytest.raises(ValueError, match="this machine"):
        practice_at_urls(PRODUCTION.rest_url, PRODUCTION.ws_url)


def test_the_clock_follows_the_exchange_only_when_it_is_clearly_off() -> None:
    now = 1_786_085_200_000
    clock = ExchangeClock(lambda: now)
    clock.update_skew("Fri, 07 Aug 2026 06:46:40 GMT", now, now + 100)
    assert clock.skew_ms == 0
    clock.update_skew("Fri, 07 Aug 2026 06:47:40 GMT", now, now + 100)
    assert clock.skew_ms == 60_450
    assert clock.now_ms() == now + 60_450
    clock.update_skew("not a date", now, now)
    clock.update_skew(None, now, now)
    clock.update_skew("Fri, 07 Aug 2026 06:46:40 GMT", now, now - 1)
    assert clock.skew_ms == 60_450
    clock.update_skew("Fri, 07 Aug 2026 06:46:39 GMT", now, now + 10)
    assert clock.skew_ms == 0
    clock.update_skew("Fri, 07 Aug 2026 06:46:30 GMT", now - 20_000, now)
    assert clock.skew_ms == 0


PARTS = st.sampled_from(
    ["http", "https", "://", ":", "//", "/", "[", "]", "::1", "[::1]", "127.0.0.1", "localhost", ".", "evil.com", "@",
     "a", "%", "%25", "\\", "?", "#", "0", "80", "65536", " ", "\n", "\t", "\x1b", "xn--", "xn--a", "ß", "\uff4c",
     "-", "_", "1.2.3", "0x7f", "/trade-api/v2"]
)  # fmt: skip


@given(url=st.one_of(st.lists(PARTS, max_size=8).map("".join), st.text(max_size=30)).map("http://{}".format))
@example(url="http://[::1].evil.com/trade-api/v2")
@example(url="http://a#a")
@example(url="http://xn--a.com:1/trade-api/v2")
def test_an_address_that_is_taken_is_read_alike_by_whoever_connects(url: str) -> None:
    try:
        parts = split_url(url)
    except ValueError:
        return
    if not parts.hostname or parts.username is not None or parts.fragment:
        # The check of an exchange's address takes none of them.
        return
    read = httpx.URL(url)
    assert (read.raw_host.decode().strip("[]"), read.port) == (parts.hostname, None if parts.port == 80 else parts.port)
    assert parse_uri(url.replace("http", "ws", 1)).host == parts.hostname
