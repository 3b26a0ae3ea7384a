"""Where money is real, as the profile says: its word on every screen, in the title, and before the first order."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kalshi_tui.runtime.launch import PracticeProcess, PracticeReady
from tests.support.desk_terminal import choose_a_calm_market, is_live, order
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[PracticeReady]:
    process = PracticeProcess(["--data", str(tmp_path / "exchange"), "--seed", "7"])
    yield process.wait_until_ready()
    process.stop()


def house(home: Path, ready: PracticeReady, money: str, *more: str) -> None:
    """Write a profile that says of this exchange what an order costs there."""
    folder = home / "config" / "kalshi-tui"
    folder.mkdir(parents=True)
    lines = [
        "[profiles.house]",
        f'rest_url = "{ready.rest_url}"',
        f'ws_url = "{ready.ws_url}"',
        f'money = "{money}"',
        f'api_key_id = "{ready.api_key_id}"',
        f'private_key_path = "{ready.private_key_path}"',
        *more,
    ]
    (folder / "settings.toml").write_text("\n".join(lines))


@pytest.mark.slow
@pytest.mark.parametrize("money", ["live", "demo"])
def test_every_screen_says_what_an_order_costs(tmp_path: Path, exchange: PracticeReady, money: str) -> None:
    house(tmp_path, exchange, money)
    terminal = Terminal(["--env", "house"], tmp_path)
    word = money.upper()
    terminal.wait("a live book", is_live)
    assert f"\x1b]2;kalshi-tui {word}\x07".encode() in terminal.raw
    for keys, shown in zip("bd?NA", ("order ticket", "the market", "keys", "new watch list", "an alert"), strict=True):
        assert terminal.text().splitlines()[0].split()[0] == word
        terminal.press(keys)
        terminal.wait_text(f"{word} - {shown}")
        terminal.press("escape")
        terminal.wait("the desk again", lambda text: f"{word} - " not in text)
    terminal.press("q")
    assert terminal.ended() == 0


@pytest.mark.slow
def test_the_first_order_of_a_session_takes_the_word_live(tmp_path: Path, exchange: PracticeReady) -> None:
    house(tmp_path, exchange, "live")
    terminal = Terminal(["--env", "house"], tmp_path)
    choose_a_calm_market(terminal)
    order(terminal, "1", "7")
    terminal.wait_text("Type LIVE")
    # A held or habitual Enter does not answer it.
    terminal.press("enter", "enter")
    terminal.wait_text("The word is LIVE.")
    terminal.press(*"LIVE", "enter")
    terminal.wait_text("RESTING")
    terminal.press("escape")
    terminal.wait("the desk", lambda screen: "review" not in screen)
    # Once in a session: the next one goes without.
    order(terminal, "1", "3")
    terminal.wait_text("RESTING")
    terminal.end()


@pytest.mark.slow
def test_a_profile_that_only_watches_sends_nothing(tmp_path: Path, exchange: PracticeReady) -> None:
    house(tmp_path, exchange, "live", "read_only = true")
    terminal = Terminal(["--env", "house"], tmp_path)
    choose_a_calm_market(terminal)
    terminal.press("b")
    terminal.wait_text("order ticket")
    terminal.press(*"50", "tab", *"5", "enter")
    terminal.wait_text("it sends nothing")
    terminal.end()


@pytest.mark.quick_cases("arguments0-*", "arguments1-*")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--env", "liv"], "There is no profile 'liv'. Did you mean live?"),
        (["--env", "demo", "--fresh"], "are for the practice exchange that this program starts"),
        (["--rest-url", "https://evil.example/trade-api/v2"], "is neither this machine's nor one that"),
    ],
)
def test_what_cannot_be_opened_is_a_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    terminal = Terminal(arguments, tmp_path, columns=200)
    assert terminal.ended() == 1
    assert sentence in terminal.text()
    assert "Traceback" not in terminal.text()


@pytest.mark.slow
def test_an_encrypted_key_s_passphrase_is_asked_for_unseen(tmp_path: Path, exchange: PracticeReady) -> None:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - of this test alone
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(exchange.private_key_path.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame")))
    locked.chmod(0o600)
    house(tmp_path, exchange, "demo")
    settings = tmp_path / "config" / "kalshi-tui" / "settings.toml"
    settings.write_text(settings.read_text().replace(str(exchange.private_key_path), str(locked)))
    terminal = Terminal(["--env", "house"], tmp_path)
    terminal.wait_text("Passphrase of")
    terminal.press(*"open sesame", "enter")
    terminal.wait("a live book", is_live)
    assert b"sesame" not in terminal.raw
    terminal.press("q")
    assert terminal.ended() == 0
