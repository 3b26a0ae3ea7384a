"""Where settings come from: file, variables, flags, in that order; and what a wrong one is called."""

import compileall
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import kalshi_tui
from kalshi_tui.runtime import settings as definitions
from kalshi_tui.runtime.config_report import list_settings, read_setting_docs
from kalshi_tui.runtime.configuration import SettingLines, choose_profile_name, load_settings, with_chosen_profile
from kalshi_tui.runtime.settings import Settings, SettingsError
from tests.support.cli_process import run_at_home
from tests.support.terminal import environment_of

EXAMPLE = """\
env = "demo"

[screen]
theme = "paper"

[limits]
order_contracts = "500"

[profiles.live]
api_key_id = "12345678-abcd"
private_key_path = "~/kalshi.pem"

[profiles.house]
rest_url = "https://exchange.example/trade-api/v2"
ws_url = "wss://exchange.example/trade-api/ws/v2"
money = "demo"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text)
    return path


def test_a_variable_wins_over_the_file_and_a_flag_over_both(tmp_path: Path) -> None:
    path = written(tmp_path, EXAMPLE)
    loaded = load_settings(path, {"KALSHI_TUI_SCREEN_THEME": "safe", "KALSHI_TUI_TICKET_PRESETS": "3, 4"})
    assert loaded.settings.screen.theme == "safe"
    assert loaded.settings.ticket.presets == ("3", "4")
    assert loaded.settings.limits.order_contracts == "500"
    by_name = {each.name: each for each in list_settings(loaded)}
    assert by_name["screen.theme"].source == "KALSHI_TUI_SCREEN_THEME"
    assert by_name["limits.order_contracts"].source == f"{path}:7"
    assert by_name["dead_man.link_lost_s"].source == "default"
    assert choose_profile_name(loaded.settings, {}, None) == "demo"
    assert choose_profile_name(loaded.settings, {"KALSHI_TUI_ENV": "house"}, None) == "house"
    assert choose_profile_name(loaded.settings, {"KALSHI_TUI_ENV": "house"}, "live") == "live"
    assert choose_profile_name(Settings(), {"KALSHI_USE_DEMO": "true"}, None) == "demo"
    assert choose_profile_name(Settings(), {"KALSHI_USE_DEMO": "0"}, None) == "practice"
    assert choose_profile_name(Settings(), {"KALSHI_API_KEY_ID": "id"}, None) == "practice"
    assert with_chosen_profile(loaded, {}, "live").sources["env"] == "--env"
    assert with_chosen_profile(loaded, {}, None).sources["env"] == f"{path}:1"


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        (EXAMPLE.replace("theme", "them"), 4, "there is no setting screen.them. Did you mean theme?"),
        (EXAMPLE.replace('"paper"', "3"), 4, "screen.theme: "),
        (EXAMPLE.replace("[limits]", "[limit]"), 6, "there is no setting limit. Did you mean limits?"),
        (EXAMPLE.replace('"500"', '"five"'), 7, "limits.order_contracts: "),
        (EXAMPLE.replace("private_key_path", "private_key"), 11, "there is no setting profiles.NAME.private_key."),
        (EXAMPLE.replace('"demo"\n', '"play"\n'), 16, "profiles.NAME.money: "),
        ("screen.theme = 5\n", 1, "screen.theme: "),
        ("screen = { theme = 5 }\n", 1, "screen.theme: "),
        ('[keys]\nbuy = "s"\n', 1, "[keys]: the key s would mean buy and sell"),
        ('\n\n[screen]\ncolumns = ["bidd"]\n', 4, "there is no column bidd. Did you mean bid?"),
    ],
)
def test_a_wrong_setting_is_named_with_file_and_line(tmp_path: Path, text: str, line: int, sentence: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as refused:
        load_settings(path, {})
    assert str(refused.value).startswith(f"In the settings file {path}, line {line}: ")
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("KALSHI_TUI_SCREEN_THEME", "pink"),
        ("KALSHI_TUI_DEAD_MAN_LINK_LOST_S", "soon"),
        ("KALSHI_TUI_LIMITS_ORDER_DOLLARS", "-5"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(tmp_path / "none.toml", {variable: text})
    assert str(refused.value).startswith(f"In {variable}: ")


def test_variables_that_are_no_settings_change_nothing(tmp_path: Path) -> None:
    assert (
        load_settings(tmp_path / "none.toml", {"KALSHI_TUI_SCREEN_SIZE": "5", "SCREEN_THEME": "safe"}).settings
        == Settings()
    )


def test_every_setting_is_explained_under_its_definition() -> None:
    docs = read_setting_docs()
    for kind in vars(definitions).values():
        for field in getattr(kind, "__struct_fields__", ()):
            nested = field in {"ticket", "screen", "limits", "cancel_all", "dead_man", "alerts"}
            assert nested or docs[kind.__name__][field].endswith((".", ".``"))


def test_the_command_says_what_holds_and_where_it_is_from(tmp_path: Path) -> None:
    path = written(tmp_path, EXAMPLE)
    done = run_at_home(tmp_path, "--settings", str(path), "config", "--env", "live", KALSHI_TUI_SCREEN_THEME="safe")
    assert done.returncode == 0
    assert "# profile: live" in done.stdout
    assert "# money: LIVE" in done.stdout
    assert "external-api.kalshi.com" in done.stdout
    assert '"safe"' in done.stdout
    assert "KALSHI_TUI_SCREEN_THEME" in done.stdout
    assert f"{path}:7" in done.stdout
    # Enough of the key's id to know it again, and no more.
    assert "1234..." in done.stdout
    assert "12345678-abcd" not in done.stdout
    explained = run_at_home(tmp_path, "config", "--explain")
    assert "The most dollars that one order may put at risk." in explained.stdout
    # Also what no file has set yet.
    assert "profiles.NAME.private_key_path\n    The file of the private key" in explained.stdout
    assert "keys.COMMAND" in explained.stdout
    told = json.loads(run_at_home(tmp_path, "--settings", str(path), "config", "--json").stdout)
    assert told["profile"]["profile"] == "demo"
    assert {"name": "screen.theme", "value": '"paper"', "source": f"{path}:4"} in told["settings"]


def test_a_key_in_the_environment_is_not_shown(tmp_path: Path) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\\nsecretsecret\\n-----END PRIVATE KEY-----"
    environ = {"KALSHI_API_KEY_ID": "12345678-abcd", "KALSHI_PRIVATE_KEY": pem}
    for arguments in (["config", "--env", "demo"], ["config", "--env", "demo", "--json"]):
        done = run_at_home(tmp_path, *arguments, **environ)
        assert done.returncode == 0
        assert "not shown" in done.stdout
        assert "secretsecret" not in done.stdout + done.stderr


def test_a_wrong_command_is_a_sentence(tmp_path: Path) -> None:
    for arguments, sentence in (
        (["--env", "dmo", "config"], "There is no profile 'dmo'. Did you mean demo?"),
        (["--settings", str(tmp_path / "no.toml"), "config"], "There is no settings file"),
        (["--env", "live", "--rest-url", "https://evil.example/trade-api/v2", "config"], "is neither this machine's"),
        (["--env", "live", "--rest-url", "http://external-api.kalshi.com/trade-api/v2", "config"], "not encrypted"),
    ):
        done = run_at_home(tmp_path, *arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("kalshi-tui: ")
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr


LINE = st.sampled_from(
    ["[screen]", "[limits]", "[ticket", 'theme = "paper"', "theme = 5", 'env = "demo"', "[profiles.live]", "= 3",
     "x = 1", 'private_key_path = "a"', "[[screen]]", "[keys]", 'buy = "B"', "presets = []",
     'order_dollars = "5"', "# a note"]
)  # fmt: skip


@given(lines=st.lists(LINE, max_size=8))
def test_no_file_gives_anything_but_settings_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.toml"
    path.write_text("\n".join(lines))
    try:
        loaded = load_settings(path, {})
    except SettingsError as error:
        assert str(path) in str(error)  # noqa: PT017 - what is said besides depends on the lines
    else:
        for name, source in loaded.sources.items():
            if not name.startswith("keys"):
                assert source.rpartition(":")[2].isdecimal()


@given(text=st.text(max_size=200), name=st.text(max_size=20))
def test_looking_for_a_line_never_fails(text: str, name: str) -> None:
    assert 0 <= SettingLines(text).find(name) <= len(text.splitlines())


def test_an_installation_without_its_sources_explains_every_setting(tmp_path: Path) -> None:
    package = tmp_path / "site" / "kalshi_tui"
    shutil.copytree(Path(kalshi_tui.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    assert compileall.compile_dir(package, quiet=2, legacy=True)
    for source in package.rglob("*.py"):
        source.unlink()
    explained = subprocess.run(
        [sys.executable, "-m", "kalshi_tui", "config", "--explain"],
        env=environment_of(tmp_path, {"PYTHONPATH": str(package.parent)}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert explained.returncode == 0, explained.stderr
    assert "The most dollars that one order may put at risk." in explained.stdout
