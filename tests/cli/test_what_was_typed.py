"""Whatever a person wrote, in options, settings and variables: a sentence, no defect, and no escape of a terminal."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.cli_process import run_at_home

ESCAPES = "\x1b]0;title\x07\x1b[31m\N{RIGHT-TO-LEFT OVERRIDE}\x9b2J"
NOBODY = "http://127.0.0.1:1/trade-api/v2"


def sentence_of(done: "subprocess.CompletedProcess[str]", code: int = 1) -> str:
    assert done.returncode == code, done
    assert "defect" not in done.stderr
    assert "Traceback" not in done.stderr
    assert [each for each in done.stdout + done.stderr if not each.isprintable() and each != "\n"] == []
    last = done.stderr.splitlines()[-1]
    assert last.startswith("kalshi-tui")
    return last


@pytest.mark.quick_cases("0-*")
@pytest.mark.parametrize("option", ["--rest-url", "--ws-url"])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://[::1].evil.com/trade-api/v2", "must name its host by a plain name or an IP address"),
        ("http://[::1", "must name its host"),
        ("http://[::1%25eth0]:1/trade-api/v2", "must name its host"),
        ("http://[fe80::1]x:1/trade-api/v2", "must name its host"),
        ("http://999.1.1.1/trade-api/v2", "must name its host"),
        ("http://127.0.0.1:abc/trade-api/v2", "must name its host"),
        ("http://localhost../trade-api/v2", "must name its host"),
        ("http://127.0.0.1:99999/trade-api/v2", "names no port from 1 to 65535"),
        ("http://127.0.0.1:0/trade-api/v2", "names no port from 1 to 65535"),
        ("http://127.0.0.1\n:80/trade-api/v2", "has characters that no address has"),
        (f"http://127.0.0.1/{ESCAPES}", "has characters that no address has"),
        (f"http://127.0.0.1/{'v' * 70_000}", "has characters that no address has, or too many"),
    ],
    ids=range(12),
)
def test_an_address_that_cannot_be_one(tmp_path: Path, option: str, url: str, words: str) -> None:
    other = ("--ws-url", "ws://127.0.0.1:1/trade-api/ws/v2") if option == "--rest-url" else ("--rest-url", NOBODY)
    sentence = sentence_of(run_at_home(tmp_path, "balance", option, url, *other))
    assert f"{option}: " in sentence
    assert words in sentence


def test_an_address_with_a_password_is_not_repeated(tmp_path: Path) -> None:
    for url in ("http://me:hush@127.0.0.1:1/trade-api/v2", "ftp://me:hush@127.0.0.1", "http://me:hush@[::1].x/y"):
        assert "hush" not in sentence_of(run_at_home(tmp_path, "balance", "--rest-url", url))


def test_an_address_from_a_variable_that_is_not_set_chooses_no_other_exchange(tmp_path: Path) -> None:
    for option in ("--rest-url", "--ws-url", "--env"):
        done = run_at_home(tmp_path, "balance", option, "")
        assert "is empty; leave the option out" in sentence_of(done, 2)


@pytest.mark.quick_cases("deep", "escapes")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (".".join(["a"] * 20_000) + " = 1", "more than 8 deep"),
        ("keys." + ".".join(["a"] * 60) + " = 1", "more than 8 deep"),
        ("keys = { x." + " . ".join(['"a"', "b"] * 60_000) + " = 1 }", "more than 8 deep"),
        ('theme = "' + "a" * 900_000 + '"', "there is no setting theme"),
        ("\n".join(f"x{number} = 1" for number in range(20_000)), "line 1: there is no setting x0."),
        ("[keys]\n" + "\n".join(f'x{number} = "q"' for number in range(20_000)), "line 1: [keys]: no command of"),
        (f'"{"a" * 70_000}" = 1', "..."),
        (f"{'[' * 300}{']' * 300}", "is no TOML"),
        (f"presets = {'[' * 300}{']' * 300}", "more than 8 deep"),
        (f"presets = {'[' * 20_000}{']' * 20_000}", "is no TOML"),
        ('[screen]\n"\\u001b[31mred\\u0007\\u202e\\n" = 1', r"no setting screen.\x1b[31mred\x07\u202e\n"),
        (r'"\u001b[2J" = 1', r"\x1b[2J"),
        ('[profiles."\\u001b[2J"]\nrest_url = "x"\nws_url = "y"', r"\x1b[2J"),
        ('env = "\\u001b[2J"', r"\x1b[2J"),
        ('[profiles.live]\nproxy = "http://[::1].evil:1"', "A proxy must look like"),
        ('[profiles.own]\nrest_url = "https://[::1].x/a"\nws_url = "wss://a/b"', "profiles.own: "),
    ],
    ids=["deep", "deep keys", "a very deep key", "a long value", "many", "many keys", "long", "lists", "a deep list",
         "a very deep list", "escapes", "a table's escapes", "a profile's escapes", "a value's escapes", "proxy",
         "address"],
)  # fmt: skip
def test_settings_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    name = "own" if "profiles.own" in text else "\x1b[2J" if 'profiles."' in text else "live"
    arguments = () if "env =" in text else ("--env", name)
    sentence = sentence_of(run_at_home(tmp_path, "--settings", str(path), *arguments, "balance"))
    assert words in sentence
    assert len(sentence) < 1_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["market", ESCAPES], 2),
        (["market", "T" * 70_000], 2),
        (["cancel", "o" * 70_000, "--yes"], 2),
        (["orders", ESCAPES], 2),
        ([f"--{ESCAPES}"], 2),
        (["--env", ESCAPES, "balance"], 1),
        (["--settings", f"/none/{ESCAPES}", "balance"], 1),
        (["replay", f"/none/{ESCAPES}"], 1),
    ],
    ids=range(8),
)
def test_arguments_with_a_terminal_s_escapes_are_shown_as_text(tmp_path: Path, arguments: list[str], code: int) -> None:
    sentence_of(run_at_home(tmp_path, *arguments), code)


def test_the_report_of_the_settings_shows_their_escapes_as_text(tmp_path: Path) -> None:
    path = tmp_path / "settings\x9b31m.toml"
    path.write_text('[profiles.x]\nrest_url = "https://a/trade-api/v2"\nws_url = "\\u009b2J"\n')
    as_text, as_json = (run_at_home(tmp_path, "--settings", str(path), "config", *more) for more in ((), ("--json",)))
    for done in (as_text, as_json):
        assert done.returncode == 0
        assert done.stdout.replace("\n", "").isprintable()
    assert json.loads(as_json.stdout)["file"] == str(path)
