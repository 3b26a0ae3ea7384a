"""Translate what holds odd values that it can do without: such a value costs itself.

docs/kalshi-api.md, section 24.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from kalshi_tui.domain.price import NumberError
from kalshi_tui.kalshi.translate.cleaning import TranslationError
from kalshi_tui.kalshi.wire.repair import SPARE_NUMBERS

T = TypeVar("T")
U = TypeVar("U")

UNREADABLE_FIELD: Final = "its value cannot be read"


class SpareFieldError(TranslationError):
    """Report a value that its object can do without, and that cannot be read."""

    def __init__(self, field: str) -> None:
        super().__init__(UNREADABLE_FIELD)
        self.field = field


def translate_without_spare(change: Callable[[U], T], source: U) -> tuple[T, tuple[str, ...]]:
    """Translate, without the spare fields that cannot be read; return the names of these too.

    Raises TranslationError or NumberError where the fault lies elsewhere.
    """
    try:
        return change(source), ()
    except (TranslationError, NumberError):
        if not isinstance(source, msgspec.Struct):
            raise
        defaults = {each.name: each.default for each in msgspec.structs.fields(source)}
        left: Any = source
        odd: list[str] = []
        for name in SPARE_NUMBERS.get(type(source), ()):
            odd.append(name)
            left = msgspec.structs.replace(left, **{name: defaults[name]})
        if not odd:
            raise
    made = change(left)
    for name in tuple(odd):
        # Those that were good after all go back.
        whole = msgspec.structs.replace(left, **{name: getattr(source, name)})
        try:
            made = change(whole)
        except (TranslationError, NumberError):
            continue
        left = whole
        odd.remove(name)
    return made, tuple(odd)
