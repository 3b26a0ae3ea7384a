"""``kalshi-tui config``: every setting in force, where it is from, and what it means."""

import inspect
import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, get_type_hints
from urllib.parse import urlsplit

import msgspec

from kalshi_tui.domain.escaping import escape_unprintable
from kalshi_tui.runtime import settings as definitions
from kalshi_tui.runtime.configuration import DEFAULT_SOURCE, SECTIONS, LoadedSettings
from kalshi_tui.runtime.credentials import KeySource
from kalshi_tui.runtime.profiles import Profile
from kalshi_tui.runtime.settings import ProfileSettings

NAME_WIDTH: Final = 32
VALUE_WIDTH: Final = 34
TEXT_WIDTH: Final = 100


def format_report(
    loaded: LoadedSettings,
    profile: Profile,
    environ: Mapping[str, str],
    *,
    explain: bool = False,
    as_json: bool = False,
) -> str:
    """Return the report, as text or as one JSON object."""
    settings = list_settings(loaded)
    connection = _describe_connection(profile, environ)
    if as_json:
        listed = [
            {"name": each.name, "value": each.value, "source": each.source} | ({"help": each.help} if explain else {})
            for each in settings
        ]
        whole = {"file": str(loaded.path), "profile": connection, "settings": listed}
        return json.dumps(whole, indent=1) + "\n"
    lines = [f"# Settings file: {loaded.path}{'' if loaded.path.exists() else ' (not there)'}"]
    lines += [f"# {name.replace('_', ' ')}: {value}" for name, value in connection.items()]
    lines.append("")
    for each in settings:
        lines.append(f"{each.name:<{NAME_WIDTH}} {each.value:<{VALUE_WIDTH}} {each.source}".rstrip())
        if explain and each.help:
            lines += _wrap_text(each.help)
    if explain:
        lines += _format_explanations()
    return "".join(f"{escape_unprintable(each)}\n" for each in lines)


def _format_explanations() -> list[str]:
    """Return what the settings of a profile mean, and of `[keys]`, whether the file has any or not."""
    docs = read_setting_docs()
    lines = ["", docs["ProfileSettings"][""].replace("``", "")]
    for name in ProfileSettings.__struct_fields__:
        lines.append(f"profiles.NAME.{name}")
        lines += _wrap_text(docs["ProfileSettings"][name])
    return [*lines, "", "keys.COMMAND", *_wrap_text(docs["Settings"]["keys"])]


def _wrap_text(text: str) -> list[str]:
    return textwrap.wrap(text.replace("``", ""), TEXT_WIDTH, initial_indent="    ", subsequent_indent="    ")


def _describe_connection(profile: Profile, environ: Mapping[str, str]) -> dict[str, str]:
    """Return which exchange it is and which key, with nothing secret of the key."""
    environment = profile.environment
    if environment is None:
        return {"profile": profile.name, "money": "PRACTICE", "exchange": "a practice exchange started on this machine"}
    return {
        "profile": profile.name,
        "money": environment.kind.value,
        "rest_url": environment.rest_url,
        "ws_url": environment.ws_url,
        "api_key_id": mask_id(profile.key.key_id) if profile.key.key_id else "(not set)",
        "private_key": _describe_key(profile.key, environ),
        "read_only": "yes" if profile.read_only else "no",
        "proxy": strip_password(profile.proxy) if profile.proxy else "none",
    }


def _describe_key(key: KeySource, environ: Mapping[str, str]) -> str:
    if key.pem is not None:
        return "KALSHI_PRIVATE_KEY (not shown)"
    if key.path is not None:
        named = " (KALSHI_PRIVATE_KEY_PATH)" if environ.get("KALSHI_PRIVATE_KEY_PATH") else ""
        return f"{key.path}{named}"
    if key.passphrase_command:
        return f"printed by {key.passphrase_command[0]}"
    return "in the system's keyring" if key.keyring else "(not set)"


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """One setting: its full name, its value in TOML, where that is from, and what it means."""

    name: str
    value: str
    source: str
    help: str


def list_settings(loaded: LoadedSettings) -> list[SettingInfo]:
    """Return every setting there is, in the order of their definition, and the profiles that the file has."""
    docs = read_setting_docs()
    made = [_make_setting_info(loaded, "", "env", loaded.settings.env, docs["Settings"])]
    for table in SECTIONS:
        section = getattr(loaded.settings, table)
        help_of = docs[type(section).__name__]
        made += [
            _make_setting_info(loaded, table, name, getattr(section, name), help_of)
            for name in section.__struct_fields__
        ]
    for profile, section in loaded.settings.profiles.items():
        for name in section.__struct_fields__:
            value = getattr(section, name)
            shown = SECRET_MASKS[name](value) if value and name in SECRET_MASKS else value
            made.append(_make_setting_info(loaded, f"profiles.{profile}", name, shown, docs["ProfileSettings"]))
    made += [
        _make_setting_info(loaded, "keys", name, value, {name: docs["Settings"]["keys"]})
        for name, value in loaded.settings.keys.items()
    ]
    return made


def _make_setting_info(
    loaded: LoadedSettings, table: str, name: str, value: object, help_of: Mapping[str, str]
) -> SettingInfo:
    full = f"{table}.{name}" if table else name
    return SettingInfo(full, format_toml_value(value), loaded.sources.get(full, DEFAULT_SOURCE), help_of.get(name, ""))


def format_toml_value(value: object) -> str:
    """Return a value as TOML."""
    if value is None:
        return "(not set)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(format_toml_value(each) for each in value) + "]"
    return msgspec.json.encode(value).decode() if isinstance(value, str) else str(value)


def mask_id(secret: str) -> str:
    """Return an id with all but enough to recognize it masked."""
    return f"{secret[:4]}..." if len(secret) > 8 else "..."


def strip_password(url: str) -> str:
    """Return an address's scheme and host alone."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "..."
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host or '...'}"


SECRET_MASKS: Final[Mapping[str, Callable[[str], str]]] = {"api_key_id": mask_id, "proxy": strip_password}
"""How those settings are shown that may hold a secret."""


def read_setting_docs() -> dict[str, dict[str, str]]:
    """Return the description of each setting by class and name; under "" the description of the class."""
    found: dict[str, dict[str, str]] = {}
    for section in vars(definitions).values():
        if not (isinstance(section, type) and issubclass(section, msgspec.Struct)):
            continue
        known = found[section.__name__] = {"": inspect.getdoc(section) or ""}
        for name, kind in get_type_hints(section, include_extras=True).items():
            for meta in getattr(kind, "__metadata__", ()):
                if isinstance(meta, msgspec.Meta) and meta.description:
                    known[name] = meta.description
    return found
