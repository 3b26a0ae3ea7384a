"""Which exchange, with which key: nothing leads a key to a host that is not its own."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.kalshi.environments import DEMO, PRODUCTION, Kind
from kalshi_tui.runtime.credentials import CredentialsError, KeySource
from kalshi_tui.runtime.profiles import build_profile
from kalshi_tui.runtime.settings import ProfileSettings, Settings, SettingsError

LIVE_HOST = PRODUCTION.signing_origin[1]
REST, WS = "/trade-api/v2", "/trade-api/ws/v2"
LIVE = ProfileSettings(api_key_id="live-id", private_key_path="/live.pem")
HOUSE = ProfileSettings(rest_url=f"https://house.example{REST}", ws_url=f"wss://house.example{WS}", money="demo")
SETTINGS = Settings(profiles={"live": LIVE, "house": HOUSE})
ENVIRON = {"KALSHI_API_KEY_ID": "env-id", "KALSHI_PRIVATE_KEY_PATH": "/env.pem"}


def test_practice_is_where_nothing_is_said_and_takes_no_key() -> None:
    profile = build_profile(SETTINGS, ENVIRON)
    assert (profile.name, profile.environment, profile.kind, profile.key) == (
        "practice", None, Kind.PRACTICE, KeySource(),
    )  # fmt: skip


def test_demo_and_live_are_the_exchange_s_own_addresses() -> None:
    assert build_profile(SETTINGS, {}, env="demo").environment is DEMO
    live = build_profile(SETTINGS, {}, env="live")
    assert live.environment is PRODUCTION
    assert (live.key.key_id, live.key.path) == ("live-id", Path("/live.pem"))
    assert build_profile(SETTINGS, ENVIRON, env="live").key.key_id == "env-id"


def test_an_own_profile_says_what_an_order_costs() -> None:
    house = build_profile(SETTINGS, {}, env="house")
    assert house.kind is Kind.DEMO
    assert house.environment is not None
    assert house.environment.signing_origin[1] == "house.example"
    # Where nothing is said it is treated as real money.
    assert ProfileSettings().money == "live"


@pytest.mark.parametrize(
    ("profiles", "env", "sentence"),
    [
        ({"x": ProfileSettings()}, "x", "profiles.x: a profile of your own needs rest_url and ws_url"),
        ({"live": ProfileSettings(rest_url="https://a.b/trade-api/v2")}, "live", "has its own addresses"),
        ({"x": ProfileSettings(rest_url=f"http://a.b{REST}", ws_url=f"wss://a.b{WS}")}, "x", "is not encrypted"),
        ({"x": ProfileSettings(rest_url=f"https://a.b{REST}", ws_url=f"ws://a.b{WS}")}, "x", "is not encrypted"),
        ({"x": ProfileSettings(rest_url="https://a.b/other", ws_url=f"wss://a.b{WS}")}, "x", "must end with"),
        ({"X Y": HOUSE}, "X Y", "needs a name of small letters"),
        ({}, "liv", "There is no profile 'liv'. Did you mean live?"),
    ],
)
def test_a_wrong_profile_is_a_sentence(profiles: dict[str, ProfileSettings], env: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        build_profile(Settings(profiles=profiles), {}, env=env)
    assert sentence in str(refused.value)


def test_addresses_for_one_run_are_this_machine_or_the_profile_s_own() -> None:
    here = build_profile(SETTINGS, ENVIRON, rest_url=f"http://127.0.0.1:81{REST}")
    assert here.environment is not None
    assert (here.kind, here.environment.ws_url) == (Kind.PRACTICE, f"ws://127.0.0.1:81{WS}")
    assert here.key.key_id == "env-id"
    host = LIVE_HOST
    same = build_profile(SETTINGS, {}, env="live", rest_url=f"https://{host}:443{REST}")
    assert same.key.key_id == "live-id"
    for url in (
        f"https://evil.example{REST}",
        f"https://{host}.evil.example{REST}",
        f"https://{DEMO.signing_origin[1]}{REST}",
    ):
        with pytest.raises(SettingsError, match="neither this machine's nor one that the profile live names"):
            build_profile(SETTINGS, {}, env="live", rest_url=url)
    with pytest.raises(SettingsError, match="is not encrypted"):
        build_profile(SETTINGS, {}, env="live", rest_url=f"http://{host}{REST}")
    with pytest.raises(SettingsError, match="lead to different exchanges"):
        build_profile(SETTINGS, {}, env="live", ws_url=f"ws://127.0.0.1:81{WS}")
    with pytest.raises(SettingsError, match="--ws-url needs --rest-url"):
        build_profile(SETTINGS, {}, ws_url=f"ws://127.0.0.1:81{WS}")


def test_the_live_profile_s_own_key_never_signs_for_another_host() -> None:
    url = f"http://127.0.0.1:81{REST}"
    moved = build_profile(SETTINGS, {}, env="live", rest_url=url)
    assert moved.kind is Kind.LIVE
    assert moved.key == KeySource()
    # A key that is named for this very run may.
    assert build_profile(SETTINGS, ENVIRON, env="live", rest_url=url).key.key_id == "env-id"
    with pytest.raises(CredentialsError):
        build_profile(SETTINGS, {"KALSHI_API_KEY_ID": "env-id"}, env="live", rest_url=url)


@given(
    host=st.sampled_from(
        ["evil.example", "127.0.0.1", "localhost", "[::1]", "127.0.0.1.evil.example", LIVE_HOST,
         f"{LIVE_HOST}@evil.example", f"evil.example#{LIVE_HOST}", "",
         "169.254.169.254"]
    ),
    scheme=st.sampled_from(["http", "https", "ftp", "ws"]),
    env=st.sampled_from(["practice", "demo", "live", "house"]),
    path=st.sampled_from([REST, f"{REST}/", "/", f"{REST}?x=1"]),
)  # fmt: skip
def test_no_address_leads_a_key_elsewhere(host: str, scheme: str, env: str, path: str) -> None:
    try:
        profile = build_profile(SETTINGS, {}, env=env, rest_url=f"{scheme}://{host}{path}")
    except SettingsError:
        return
    assert profile.environment is not None
    reached = profile.environment.signing_origin[1]
    loopback = reached in {"127.0.0.1", "localhost", "::1"}
    assert loopback or reached in {LIVE_HOST, DEMO.signing_origin[1], "house.example"}
    if profile.key.key_id == "live-id":
        assert reached == LIVE_HOST


def test_nothing_secret_is_in_a_profile_s_repr() -> None:
    settings = Settings(profiles={"live": ProfileSettings(api_key_id="a", passphrase_command=(sys.executable,))})
    environ = {"KALSHI_API_KEY_ID": "id", "KALSHI_PRIVATE_KEY": "-----BEGIN"}
    assert "BEGIN" not in repr(build_profile(settings, environ, env="live"))
