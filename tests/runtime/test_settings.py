from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.limits import RiskLimits
from kalshi_tui.runtime.configuration import load_settings
from kalshi_tui.runtime.settings import (
    Settings,
    SettingsError,
    build_session_options,
    build_ui_settings,
)
from kalshi_tui.session.options import DeadManOptions, SessionOptions, TicketDefaults
from kalshi_tui.ui.ui_settings import UiSettings

WHOLE = """
[ticket]
presets = ["20", "0.5"]

[limits]
order_contracts = "500"
order_dollars = "100"
market_contracts = "1000"
market_dollars = "250.50"
day_contracts = "5000"
day_dollars = "1000"
distance = "0.05"
passing = "never"

[dead_man]
cancel_on_quit = true
link_lost_s = 60
expire_after_s = 3600
rolling_expiry_s = 120

[alerts]
bell = false
notify = true
command = ["notify-send", "Kalshi"]
"""


def read_settings(path: Path, *, must_exist: bool = False) -> Settings:
    return load_settings(path, {}, must_exist=must_exist).settings


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text)
    return path


def test_every_setting_arrives(tmp_path: Path) -> None:
    assert build_session_options(read_settings(written(tmp_path, WHOLE)), read_only=True) == SessionOptions(
        limits=RiskLimits(50_000, 100_000_000, 100_000, 250_500_000, 500_000, 1_000_000_000, 500, hard=True),
        ticket=TicketDefaults((2_000, 50), 3_600, 120),
        dead_man=DeadManOptions(on_quit=True, link_lost_s=60, rolling_expiry_s=120),
        read_only=True,
        alert_command=("notify-send", "Kalshi"),
    )


def test_what_an_alert_does_arrives_at_the_screen(tmp_path: Path) -> None:
    looks = build_ui_settings(read_settings(written(tmp_path, WHOLE)))
    assert (looks.bell, looks.notify) == (False, True)
    assert build_ui_settings(Settings()) == UiSettings()


def test_the_example_in_the_readme_can_be_used(tmp_path: Path) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    example = readme.split("```toml\n")[1].split("```")[0]
    options = build_session_options(read_settings(written(tmp_path, example)))
    assert options.ticket.presets == TicketDefaults().presets
    assert None not in (options.limits.day_dollars, options.limits.distance, options.dead_man.link_lost_s)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert build_session_options(read_settings(tmp_path / "none.toml")) == SessionOptions()
    assert build_session_options(Settings()) == replace(SessionOptions(), dead_man=DeadManOptions())


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no settings file"):
        read_settings(tmp_path / "none.toml", must_exist=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[limits]\norder_contract = '5'", "there is no setting limits.order_contract. Did you mean order_contracts?"),
        ("[limit]\n", "there is no setting limit. Did you mean limits?"),
        ("[limits]\norder_contracts = 5", "limits.order_contracts: Expected `str | null`, got `int`."),
        ("[limits]\npassing = 'maybe'", "limits.passing: Invalid enum value 'maybe'."),
        ("[limits]\norder_dollars = '5,00'", "limits.order_dollars: '5,00' is not an amount in dollars."),
        ("[limits]\norder_dollars = '0'", "limits.order_dollars must be more than 0."),
        ("[limits]\ndistance = '2'", "is over one dollar"),
        ("[ticket]\npresets = []", "ticket.presets needs one to 9 counts."),
        ("[ticket]\npresets = ['-1']", "ticket.presets: '-1' is not a count of contracts."),
        ("[cancel_all]\nby_name = -1", "cancel_all.by_name must be 0 to 1000."),
        ("[dead_man]\nlink_lost_s = 0", "dead_man.link_lost_s must be more than 0 seconds, or left out."),
        ("[dead_man]\nexpire_after_s = -1", "dead_man.expire_after_s must be more than 0 seconds, or left out."),
        ("[dead_man]\nrolling_expiry_s = 59", "dead_man.rolling_expiry_s must be 60 to 86400 seconds, or left out."),
        ("[alerts]\ncommand = 'notify-send'", "alerts.command: Expected `array`, got `str`."),
        ("[alerts]\ncommand = ['']", "alerts.command must begin with a program, such as"),
        ('[alerts]\ncommand = ["a", "\\u0000"]', "alerts.command must begin with a program, such as"),
        ("[alerts]\nbel = true", "there is no setting alerts.bel. Did you mean bell?"),
        ("limits = [", "is no TOML"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        build_session_options(read_settings(written(tmp_path, text)))
    assert sentence in str(refused.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is no TOML"):
        read_settings(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings(tmp_path)


@given(st.text())
def test_no_text_at_all_gives_anything_but_a_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    try:
        build_session_options(read_settings(path))
    except SettingsError as error:
        assert str(path) in str(error)  # noqa: PT017 - what is said besides depends on the text
