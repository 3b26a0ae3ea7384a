"""`kalshi-tui practice` as a process of its own: what it says, who can trade, how it ends."""

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kalshi_tui.kalshi.transport.signing import (
    KeyType,
    generate_key,
    public_key_pem,
)
from tests.support.practice_alone import Alone
from tests.support.processes import wait_gone

ORDERS = "/portfolio/events/orders"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_first_line_is_one_object_and_the_end_is_clean(tmp_path: Path, how: signal.Signals) -> None:
    with Alone(tmp_path / "practice") as alone:
        told = alone.told
        named = ("rest_url", "ws_url", "api_key_id", "private_key_path", "pid", "control_token_path", "accounts")
        assert set(named) <= set(told)
        assert told["pid"] == alone.process.pid
        assert told["rest_url"].startswith("http://127.0.0.1:")
        for secret in ("private_key_path", "control_token_path"):
            assert Path(told[secret]).stat().st_mode & 0o777 == 0o600
        assert alone.end(how) == (0, "", "")
        assert wait_gone(told["pid"])


def plain_market(alone: Alone) -> str:
    markets = httpx.get(alone.told["rest_url"] + "/markets?status=open", trust_env=False).json()["markets"]
    return str(next(each["ticker"] for each in markets if each["price_level_structure"] == "linear_cent"))


def order(ticker: str, side: str, price: str, count: str) -> dict[str, str]:
    kinds = {"time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross"}
    return {"ticker": ticker, "side": side, "price": price, "count": count, **kinds}


@pytest.mark.slow
def test_further_accounts_have_keys_of_their_own_and_trade_with_each_other(tmp_path: Path) -> None:
    with Alone(tmp_path / "practice", "--accounts", "2", "--quiet-market") as alone:
        told = alone.told
        keys = [(told["api_key_id"], told["private_key_path"])]
        keys += [(each["api_key_id"], each["private_key_path"]) for each in told["accounts"]]
        assert len({key for key, _ in keys}) == len({path for _, path in keys}) == 3
        ticker = plain_market(alone)
        asked = (("bid", "10.00"), ("ask", "4.00"), ("ask", "6.00"))
        replies = [
            alone.call(*key, "POST", ORDERS, order(ticker, side, "0.4000", count)).json()
            for key, (side, count) in zip(keys, asked, strict=True)
        ]
        assert [each["fill_count"] for each in replies] == ["0.00", "4.00", "6.00"]
        held = [alone.call(*key, "GET", "/portfolio/positions").json()["market_positions"] for key in keys]
        assert [each[0]["position_fp"] for each in held] == ["10.00", "-4.00", "-6.00"]


@pytest.mark.slow
def test_the_accounts_keys_are_of_the_type_asked_for_and_trade(tmp_path: Path) -> None:
    folder = tmp_path / "practice"
    with Alone(folder, "--accounts", "1", "--quiet-market", "--key-type", "ed25519") as alone:
        told = alone.told
        keys = [(told["api_key_id"], told["private_key_path"])]
        keys += [(each["api_key_id"], each["private_key_path"]) for each in told["accounts"]]
        parsed = [load_pem_private_key(Path(path).read_bytes(), password=None) for _, path in keys]
        assert [isinstance(each, Ed25519PrivateKey) for each in parsed] == [True, True]
        ticker = plain_market(alone)
        for key, side, filled in zip(keys, ("bid", "ask"), ("0.00", "2.00"), strict=True):
            sent = alone.call(*key, "POST", ORDERS, order(ticker, side, "0.4000", "2.00"))
            assert sent.status_code == 201
            assert sent.json()["fill_count"] == filled
    # A restart keeps the key, whether its type is named or not; another type is a sentence, and a new account's.
    for more in ((), ("--key-type", "ed25519")):
        with Alone(folder, "--quiet-market", *more) as again:
            assert again.told["api_key_id"] == told["api_key_id"]
            assert again.call(*keys[0], "GET", "/portfolio/balance").status_code == 200
    with Alone(folder, "--key-type", "rsa") as other:
        _, err = other.process.communicate(timeout=20)
        assert (other.process.returncode, other.line) == (1, "")
        assert f"the account's key {keys[0][1]} is an Ed25519 key and keeps its type." in err
        assert "--fresh" in err
        assert "Traceback" not in err
    with Alone(folder, "--key-type", "rsa", "--fresh", "--quiet-market") as fresh:
        new = fresh.told["api_key_id"], fresh.told["private_key_path"]
        assert new[0] != told["api_key_id"]
        assert isinstance(load_pem_private_key(Path(new[1]).read_bytes(), password=None), RSAPrivateKey)
        assert fresh.call(*new, "GET", "/portfolio/balance").status_code == 200


@pytest.mark.slow
def test_a_registered_key_outlives_a_restart_and_no_new_account(tmp_path: Path) -> None:
    folder, own = tmp_path / "practice", tmp_path / "own.pem"
    own.write_bytes(generate_key(kind=KeyType.ED25519))
    asked = {"name": "bot", "public_key": public_key_pem(own.read_bytes()).decode()}
    with Alone(folder, "--quiet-market", "--tier", "premier") as first:
        key = first.told["api_key_id"], first.told["private_key_path"]
        made = first.call(*key, "POST", "/api_keys", asked)
        assert made.status_code == 201
        mine = made.json()["api_key_id"], str(own)
        assert first.call(*mine, "GET", "/portfolio/balance").status_code == 200
    with Alone(folder, "--quiet-market") as again:
        assert again.call(*mine, "GET", "/portfolio/balance").status_code == 200
        listed = again.call(*key, "GET", "/api_keys").json()["api_keys"]
        assert [(each["api_key_id"], each["name"]) for each in listed] == [(key[0], "practice"), (mine[0], "bot")]
    with closing(sqlite3.connect(folder / "practice.sqlite3")) as database:
        database.execute("update meta set value = '[1]' where key = 'registered_keys'")
        database.commit()
    with Alone(folder, "--quiet-market") as broken:
        _, err = broken.process.communicate(timeout=20)
        assert broken.process.returncode == 1
        assert "the registered API keys in" in err
        assert "--fresh" in err
        assert "Traceback" not in err
    with Alone(folder, "--quiet-market", "--fresh") as fresh:
        assert fresh.call(*mine, "GET", "/portfolio/balance").status_code == 401


@pytest.mark.slow
def test_a_folder_in_use_is_told_with_the_process_that_uses_it(tmp_path: Path) -> None:
    with Alone(tmp_path / "practice", "--quiet-market") as first, Alone(tmp_path / "practice") as second:
        _, err = second.process.communicate(timeout=20)
        assert (second.process.returncode, second.line) == (1, "")
        assert f"(process {first.told['pid']})" in err
        assert "Traceback" not in err


def test_a_restart_finds_the_same_keys_and_the_resting_orders(tmp_path: Path) -> None:
    with Alone(tmp_path / "practice", "--accounts", "1", "--quiet-market") as first:
        told = first.told
        key = told["api_key_id"], told["private_key_path"]
        sent = first.call(*key, "POST", ORDERS, order(plain_market(first), "bid", "0.0100", "3.00"))
    with Alone(tmp_path / "practice", "--accounts", "1", "--quiet-market") as again:
        assert (again.told["api_key_id"], again.told["accounts"]) == (told["api_key_id"], told["accounts"])
        orders = again.call(*key, "GET", "/portfolio/orders?status=resting").json()["orders"]
        assert [each["order_id"] for each in orders] == [sent.json()["order_id"]]
