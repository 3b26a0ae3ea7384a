"""The keyboard card is written from the command tables; ``--update-golden`` rewrites it."""

from pathlib import Path

import pytest

from kalshi_tui.ui.commands import Scope, commands_in_scope
from kalshi_tui.ui.dialogs.help import SIGN_MEANINGS

CARD = Path(__file__).resolve().parents[2] / "docs" / "keys.md"
HEAD = """# Keyboard card

`^p` finds any command by its name, `?` says what each key does now. `^x` is Ctrl and x. The keys of the desk can be
changed in the settings, by the names in brackets. This page is written from the tables that the program itself uses.
"""


def card() -> str:
    """Write the card."""
    parts = [HEAD]
    for scope in Scope:
        rows = []
        for command in commands_in_scope(scope):
            keys = f"`{command.all_keys}`" if command.keys else f"`^p` {command.label.removeprefix('Rehearse: ')}"
            name = f" (`{command.id}`)" if scope is Scope.DESK else ""
            rows.append(f"| {keys} | {command.help}{name} |")
        parts.append("\n".join([f"## {scope.value}\n", "| key | what it does |", "| --- | --- |", *rows]) + "\n")
    signs = [f"| `{sign}` | {meaning} |" for sign, meaning in SIGN_MEANINGS]
    parts.append("\n".join(["## Signs\n", "| sign | meaning |", "| --- | --- |", *signs]) + "\n")
    return "\n".join(parts)


def test_the_card_is_that_of_the_program(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        CARD.write_text(card())
    assert CARD.read_text() == card(), f"{CARD.name} differs; --update-golden rewrites it"


def test_every_command_has_a_row_that_a_table_can_hold() -> None:
    rows = [line for line in CARD.read_text().splitlines() if line.startswith("| ")]
    written = sum(len(commands_in_scope(scope)) for scope in Scope)
    assert len(rows) == written + len(SIGN_MEANINGS) + 2 * (len(Scope) + 1)
    assert all(row.count("|") == 3 for row in rows)
