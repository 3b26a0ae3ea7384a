"""Asking before a practice account is thrown away."""

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

DATABASE_FILE: Final = "practice.sqlite3"
"""The file's name in the data folder."""


def describe_account_contents(folder: Path) -> str:
    """Return what of value is in the practice account of this folder; empty if nothing is."""
    path = folder.absolute() / DATABASE_FILE
    if not path.is_file():
        return ""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0.5)) as connection:
            (orders,) = connection.execute("select count(*) from orders").fetchone()
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return ""  # another exchange runs on it: the start says so, and starts nothing
        return "a file that cannot be read"
    if not orders:
        return ""
    return "one order and what came of it" if orders == 1 else f"{orders:,} orders and what came of them"


def confirm_reset(folder: Path, *, ask: Callable[[str], str] = input, terminal: bool | None = None) -> bool:
    """Ask on a terminal whether the account may go; true at once where nothing is lost, or nobody is there to ask."""
    if terminal is None:
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
    lost = describe_account_contents(folder) if terminal else ""
    if not lost:
        return True
    try:
        answer = ask(f"The practice account in {folder} holds {lost}. Delete it and start again? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in {"y", "yes"}
