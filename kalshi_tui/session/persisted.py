"""`PersistedFile`: a struct kept in a JSON file, such as watch lists and alerts, written whole or not at all."""

from pathlib import Path
from typing import Any, Final, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from kalshi_tui.session.atomic_write import write_atomically

BROKEN_SUFFIX: Final = ".broken"
"""The suffix of a copy of a file that cannot be decoded."""
MAX_BROKEN: Final = 20
"""The number of broken copies that are kept."""
MAX_FILE_BYTES: Final = 4_000_000
"""Bytes; no file of the program comes near."""

T = TypeVar("T")


class PersistedFile(Generic[T]):
    """One file and its struct. Without a folder nothing is read or written."""

    def __init__(self, folder: Path | None, name: str, struct_type: type[T]) -> None:
        """``struct_type`` is a msgspec struct whose every field has a default; the file is ``folder/name``."""
        self._path = None if folder is None else folder / name
        self._struct_type = struct_type
        self._in_danger = False
        """Whether writing would overwrite a broken file of which there is no copy."""

    def read(self) -> tuple[T, str]:
        """Return the struct, and a sentence if something is wrong with the file. A missing file is an empty one.

        A file that cannot be decoded is kept under another name, so that the next write loses nothing.
        """
        if self._path is None:
            return self._struct_type(), ""
        try:
            if self._path.exists() and not self._path.is_file():
                # Opening a pipe would wait for ever, and no desk would open.
                raise OSError("it is not a file")  # noqa: TRY301 - told like any other fault of the file
            with self._path.open("rb") as file:
                text = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return self._struct_type(), ""
        except OSError as error:
            return self._struct_type(), f"{self._path} cannot be read ({error.strerror or error}); it counts as empty."
        try:
            if len(text) > MAX_FILE_BYTES:
                raise ValueError("it is too large")  # noqa: TRY301 - reported as any other fault of the file
            return msgspec.json.decode(text, type=self._struct_type), ""
        except (ValueError, RecursionError) as error:
            aside = self._put_aside(text)
            problem = f"{self._path} cannot be understood ({error})"
        value, lost = _salvaged(self._struct_type, text)
        kept = "" if value is None else f"; all but {lost} of it can be used"
        return value or self._struct_type(), f"{problem}{kept}; {aside}"

    def _put_aside(self, text: bytes) -> str:
        """Keep the broken file under a second name, and return a sentence that says which.

        A hard link needs no room on a full disk. Copies of earlier broken files stay.
        """
        if self._path is None:
            return ""
        for number in range(1, MAX_BROKEN + 1):
            aside = self._path.with_name(f"{self._path.name}{BROKEN_SUFFIX}{'' if number == 1 else number}")
            try:
                if not aside.exists():
                    aside.hardlink_to(self._path)
                elif aside.stat().st_size != len(text) or aside.read_bytes() != text:
                    continue
            except OSError:
                break
            return f"it is put aside as {aside.name}."
        self._in_danger = True
        return "it cannot be put aside, so that nothing is written in its place: move it away yourself."

    def write(self, value: T) -> str:
        """Write the struct; return a sentence if that failed, else an empty text. If it fails, the old file stays."""
        if self._path is None:
            return ""
        if self._in_danger:
            return f"{self._path} is left as it is, for it could not be put aside: this is kept until you quit."
        try:
            write_atomically(self._path, msgspec.json.format(msgspec.json.encode(value), indent=1), overwrite=True)
        except OSError as error:
            return f"{self._path} could not be written ({error.strerror or error}): it is kept until you quit."
        return ""


def _salvaged(kind: type[T], text: bytes) -> tuple[T | None, str]:
    """Decode the fields of a broken file one by one; return the struct, and how many items were lost.

    None if the file is no JSON object at all.
    """
    try:
        raw = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(raw, dict) or len(text) > MAX_FILE_BYTES:
        return None, ""
    fields, lost = {}, 0
    for name, type_ in get_type_hints(kind).items():
        if name not in raw:
            continue
        value = raw[name]
        if get_origin(type_) is tuple and isinstance(value, list):
            items = [_converted(each, get_args(type_)[0]) for each in value]
            fields[name] = tuple(each for each, good in items if good)
            lost += len(items) - len(fields[name])
        else:
            fields[name], good = _converted(value, type_)
            if not good:
                del fields[name]
                lost += 1
    return kind(**fields), "1 item" if lost == 1 else f"{lost} items"


def _converted(value: Any, type_: Any) -> tuple[Any, bool]:
    try:
        return msgspec.convert(value, type_), True
    except (ValueError, RecursionError):
        return None, False
