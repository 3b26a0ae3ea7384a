"""Read the settings from a file, then from environment variables; know where each value is from."""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_origin, get_type_hints

import msgspec

from kalshi_tui.runtime.settings import (
    ProfileSettings,
    Settings,
    SettingsError,
    build_session_options,
    build_ui_settings,
)

ENV_PREFIX: Final = "KALSHI_TUI_"
PRACTICE_PROFILE: Final = "practice"
TRUE_WORDS: Final = frozenset({"1", "true", "yes", "on"})
DEFAULT_SOURCE: Final = "default"
MAX_SETTINGS_BYTES: Final = 1_000_000
"""Bytes of a settings file."""
MAX_SHOWN: Final = 80
"""Characters of a setting's name that a sentence holds."""
MAX_NESTING: Final = 8
"""How deep tables and lists of a settings file may lie in each other; a profile's lists lie at 3."""
SECTIONS: Final = ("ticket", "screen", "limits", "dead_man", "alerts")
"""The tables whose settings can be set by a variable too: ``KALSHI_TUI_SCREEN_THEME``."""
ANY_PROFILE: Final = "profiles[...]"
_TABLE_LINE: Final = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_KEY_LINE: Final = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([\w.-]+))\s*=""")

_ENDLESS_NAME: Final = re.compile(r"""(?<![\w-])(?>(?>[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){64}""")
"""A name of more than 64 parts."""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings in force. ``sources`` says where each that is not the default is from, by its full name."""

    settings: Settings
    sources: Mapping[str, str]
    path: Path


def load_settings(path: Path, environ: Mapping[str, str], *, must_exist: bool = False) -> LoadedSettings:
    """Read the file and the variables, and validate all of it. Raises SettingsError with a sentence that says where.

    A file that is not there counts as empty, unless it was asked for.
    """
    text = _read_file(path, must_exist=must_exist)
    too_deep = SettingsError(
        f"The settings file {path} has tables or lists more than {MAX_NESTING} deep; no setting lies so deep."
    )
    # The parser's time grows with the square of a name's parts: half a million of them would take hours.
    if _ENDLESS_NAME.search(text):
        raise too_deep
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"The settings file {path} is no TOML: {error}.") from None
    if _is_nested_too_deep(tables):
        raise too_deep
    lines = SettingLines(text)
    sources = {name: f"{path}:{lines.find(name) or '?'}" for name in _setting_names(tables)}

    def where(name: str) -> str:
        variable = sources.get(name, "")
        if variable.startswith(ENV_PREFIX):
            return f"In {variable}"
        line = lines.find(name)
        return f"In the settings file {path}" + (f", line {line}" if line else "")

    try:
        settings: Settings = msgspec.convert(tables, Settings)
    except msgspec.ValidationError as error:
        sentence, name = _describe_validation_error(str(error))
        raise SettingsError(f"{where(name)}: {sentence}", name) from None
    settings, variables = _apply_environment(settings, environ)
    sources |= variables
    try:
        build_session_options(settings)
        build_ui_settings(settings)
    except SettingsError as error:
        raise SettingsError(f"{where(error.name)}: {error}", error.name) from None
    return LoadedSettings(settings, sources, path)


def choose_profile_name(settings: Settings, environ: Mapping[str, str], flag: str | None) -> str:
    """Return the name of the profile: of the flag, else of the environment, else of the settings."""
    if flag:
        return flag
    if named := environ.get(f"{ENV_PREFIX}ENV"):
        return named
    if environ.get("KALSHI_USE_DEMO", "").strip().lower() in TRUE_WORDS:
        return "demo"
    return settings.env


def with_chosen_profile(loaded: LoadedSettings, environ: Mapping[str, str], flag: str | None) -> LoadedSettings:
    """Return the settings with the chosen profile, and with what chose it as its source."""
    name = choose_profile_name(loaded.settings, environ, flag)
    source = "--env" if flag else f"{ENV_PREFIX}ENV" if environ.get(f"{ENV_PREFIX}ENV") else "KALSHI_USE_DEMO"
    if not flag and name == loaded.settings.env:
        return loaded
    return LoadedSettings(
        msgspec.structs.replace(loaded.settings, env=name), {**loaded.sources, "env": source}, loaded.path
    )


def _read_file(path: Path, *, must_exist: bool) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SETTINGS_BYTES + 1)
        if len(content) > MAX_SETTINGS_BYTES:
            raise SettingsError(f"The settings file {path} is too large to be one.")
        return content.decode("utf-8")
    except FileNotFoundError:
        if must_exist:
            raise SettingsError(f"There is no settings file {path}.") from None
        return ""
    except UnicodeDecodeError as error:
        raise SettingsError(f"The settings file {path} is no TOML: {error}.") from None
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read ({error.strerror or error}).") from None


def _setting_names(tables: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Return the full names of all that a file sets."""
    for name, value in tables.items():
        if isinstance(value, dict):
            yield from _setting_names(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _is_nested_too_deep(tables: Mapping[str, Any]) -> bool:
    """Look without recursion: a name of 20,000 parts makes as many tables in each other."""
    level: list[Any] = [tables]
    for _ in range(MAX_NESTING):
        level = [
            each
            for outer in level
            for each in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(each, dict | list)
        ]
        if not level:
            return False
    return True


class SettingLines:
    """The lines on which a file sets something, found in one pass over it."""

    def __init__(self, text: str) -> None:
        self._keys: dict[str, int] = {}
        """The first line of each setting, by its full name."""
        self._tables: dict[str, int] = {}
        here = ""
        for number, row in enumerate(text.splitlines(), 1):
            if found := _TABLE_LINE.match(row):
                here = re.sub(r"[\s\"']", "", found[1])
                self._tables.setdefault(here, number)
                if here.startswith("profiles."):
                    self._tables.setdefault(ANY_PROFILE, number)
            elif found := _KEY_LINE.match(row):
                written = next(filter(None, found.groups()))
                self._keys.setdefault(f"{here}.{written}" if here else written, number)
                if here.startswith("profiles."):
                    self._keys.setdefault(f"{ANY_PROFILE}.{written}", number)

    def find(self, name: str) -> int:
        """Return the line of a setting, from 1 on; its table's if that is not found; 0 if neither is.

        ``profiles[...]`` in a name stands for any profile.
        """
        table = name.rpartition(".")[0]
        for lines, wanted in ((self._keys, name), (self._keys, table), (self._tables, table), (self._tables, name)):
            if wanted in lines:
                return lines[wanted]
        return 0


def _describe_validation_error(error: str) -> tuple[str, str]:
    """Return msgspec's error as a sentence, with the nearest valid name, and the setting's own name."""
    what, _, where = error.partition(" - at `$")
    table = where.rstrip("`").lstrip(".")
    shown = table.replace("[...]", ".NAME", 1) if table.startswith("profiles") else table.replace("[...]", "")
    if "unknown field" in what:
        name = what.rpartition("`")[0].rpartition("`")[2]
        near = difflib.get_close_matches(name[:MAX_SHOWN], _field_names(table), 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        known_as = f"{shown}.{name[:MAX_SHOWN]}{'...' if len(name) > MAX_SHOWN else ''}".lstrip(".")
        return f"there is no setting {known_as}.{hint}", f"{table}.{name}".strip(".")
    return f"{shown}: {what}.", table


def _field_names(table: str) -> Sequence[str]:
    if table.startswith("profiles"):
        return ProfileSettings.__struct_fields__
    kind = next((each.type for each in msgspec.structs.fields(Settings) if each.name == table), Settings)
    return getattr(kind, "__struct_fields__", ())


def _apply_environment(settings: Settings, environ: Mapping[str, str]) -> tuple[Settings, dict[str, str]]:
    """Override the file's values with those of variables. Raises SettingsError."""
    sources: dict[str, str] = {}
    for table in SECTIONS:
        section = getattr(settings, table)
        kinds = get_type_hints(type(section))
        for field in msgspec.structs.fields(type(section)):
            variable = f"{ENV_PREFIX}{table}_{field.name}".upper()
            if not (text := environ.get(variable, "")):
                continue
            many = get_origin(kinds[field.name]) is tuple
            value: object = [part.strip() for part in text.split(",") if part.strip()] if many else text
            try:
                section = msgspec.structs.replace(
                    section, **{field.name: msgspec.convert(value, kinds[field.name], strict=False)}
                )
            except msgspec.ValidationError as error:
                raise SettingsError(f"In {variable}: {error}.", f"{table}.{field.name}") from None
            sources[f"{table}.{field.name}"] = variable
        settings = msgspec.structs.replace(settings, **{table: section})
    return settings, sources
