"""``kalshi-tui config``: every setting in force, where it is from, and what it means."""

import json
import textwrap
from collections.abc import Mapping
from typing import Final

from kalshi_tui.runtime.configuration import (
    LoadedSettings,
    list_settings,
    mask_id,
    read_setting_docs,
    strip_password,
)
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
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
    lines = [f"# Settings file: {loaded.path}{'' if loaded.path.exists() else ' (not there)'}"]
    lines += [f"# {name.replace('_', ' ')}: {value}" for name, value in connection.items()]
    lines.append("")
    for each in settings:
        lines.append(f"{each.name:<{NAME_WIDTH}} {each.value:<{VALUE_WIDTH}} {each.source}".rstrip())
        if explain and each.help:
            lines += _wrap_text(each.help)
    if explain:
        lines += _format_explanations()
    return "\n".join(lines) + "\n"


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
