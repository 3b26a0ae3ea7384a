"""The trader's own keys in place of the usual ones, all checked before any of them counts."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Final

from kalshi_tui.ui.command import (
    CHARACTERS_BY_KEY,
    KEY_LABELS,
    key_for_character,
    key_label,
    split_keys,
)

MODIFIERS: Final = frozenset({"ctrl", "alt", "shift"})
NAMED_KEYS: Final = frozenset({
    "space", "enter", "escape", "tab", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown",
    "up", "down", "left", "right", *(f"f{number}" for number in range(1, 13)),
})  # fmt: skip
RESERVED_KEYS: Final = frozenset({"ctrl+c", "ctrl+q", "ctrl+z", "ctrl+s"})
"""Keys that the terminal or the program itself understands."""
KEYS_BY_LABEL: Final = {shown: name for name, shown in KEY_LABELS.items()}


class InvalidKeymapError(Exception):
    """The keys cannot be used so; the message is a sentence that says why."""


def remap_keys(usual: Mapping[str, str], keys: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the keys of each command, by its id, with these in place of the usual ones. Raises InvalidKeymapError.

    Commands may share a key only where they share it by default: then it depends on the pane which one is meant.
    """
    for each in keys:
        if each not in usual:
            near = difflib.get_close_matches(each, usual, 1)
            raise InvalidKeymapError(
                f"no command of the desk is called {each}." + (f" Did you mean {near[0]}?" if near else "")
            )
    new = {each: ",".join(dict.fromkeys(parse_key(text) for text in texts)) for each, texts in keys.items()}
    remapped = {**usual, **new}
    owners: dict[str, list[str]] = {}
    for command_id, names in remapped.items():
        for key in split_keys(names):
            owners.setdefault(key, []).append(command_id)
    for key, ids in owners.items():
        if len(ids) < 2 or new.keys().isdisjoint(ids):
            continue
        if not all(key in split_keys(usual[each]) for each in ids):
            names = " and ".join(ids)
            raise InvalidKeymapError(f"the key {key_label(key)} would mean {names}; give one of them another.")
    return remapped


def parse_key(text: str) -> str:
    """Return Textual's name of a key as a person writes it: ``B``, ``<``, ``f5``, ``ctrl+k``.

    Raises InvalidKeymapError.
    """
    last = text[-1:] if text[-1:] == "+" else text.rpartition("+")[2]
    modifiers = [each.lower() for each in text[: len(text) - len(last)].rstrip("+").split("+") if each]
    name = KEYS_BY_LABEL.get(last, last.lower() if len(last) > 1 else last)
    if len(name) == 1 and name.isprintable() and not name.isspace():
        name = key_for_character(name)
    known = (len(name) == 1 and not name.isspace()) or name in NAMED_KEYS or name in CHARACTERS_BY_KEY
    full = "+".join([*modifiers, name])
    if not name or not known or not MODIFIERS.issuperset(modifiers):
        raise InvalidKeymapError(f"there is no key {text}. Keys are written so: b, B, <, f5, enter, ctrl+k.")
    if full in RESERVED_KEYS:
        raise InvalidKeymapError(f"the key {text} belongs to the terminal or the program itself; take another one.")
    return full
