"""Small things that outlive the program, such as watch lists: a JSON file each, written whole or not at all."""

from contextlib import suppress
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

from kalshi_tui.session.whole_file import write_whole

BROKEN: Final = ".broken"
"""What is put behind the name of a file that cannot be understood."""
LARGEST: Final = 4_000_000
"""Bytes; nothing that is kept comes near."""

T = TypeVar("T")


class Kept(Generic[T]):
    """One file and what is in it. Without a folder it lives in memory alone."""

    def __init__(self, folder: Path | None, name: str, kind: type[T]) -> None:
        """Keep a ``kind``, a msgspec struct whose every field has a default, in ``folder/name``."""
        self._path = None if folder is None else folder / name
        self._kind = kind

    def read(self) -> tuple[T, str]:
        """Read what is kept, and say in a sentence what is wrong with it; a file that is not there is an empty one.

        A file that cannot be understood is put aside under another name, so that the next writing loses nothing.
        """
        if self._path is None:
            return self._kind(), ""
        try:
            with self._path.open("rb") as file:
                text = file.read(LARGEST + 1)
        except FileNotFoundError:
            return self._kind(), ""
        except OSError as error:
            return self._kind(), f"{self._path} cannot be read ({error.strerror or error}); it counts as empty."
        try:
            if len(text) > LARGEST:
                raise ValueError("it is too large")  # noqa: TRY301 - said as any other fault of the file is
            return msgspec.json.decode(text, type=self._kind), ""
        except (ValueError, RecursionError) as error:
            with suppress(OSError):
                self._path.replace(self._path.with_name(self._path.name + BROKEN))
            why = f"{self._path} cannot be understood ({error})"
            return self._kind(), f"{why}; it is put aside as {self._path.name}{BROKEN}."

    def write(self, value: T) -> str:
        """Keep this; say in a sentence why that did not work, empty if it did. Until it has, the old stays."""
        if self._path is None:
            return ""
        try:
            write_whole(self._path, msgspec.json.format(msgspec.json.encode(value), indent=1), over=True)
        except OSError as error:
            return f"{self._path} could not be written ({error.strerror or error}): it is kept until you quit."
        return ""
