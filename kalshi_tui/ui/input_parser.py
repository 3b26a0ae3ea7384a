"""Parse what a terminal sends. Any text may arrive; only a complete, well-formed sequence means something.

Textual's own parser raises ValueError on numbers that are no characters, types what it does not understand as keys, and
loses its place when it fails. On a desk a stray digit is a price and a stray `b` opens a ticket, so this one drops
what it does not understand, whole. The meaning of a sequence that is well-formed still comes from Textual's tables.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import Final

from textual import constants, messages
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._xterm_parser import BRACKETED_PASTE_START, FOCUSIN, FOCUSOUT, IS_ITERM, XTermParser
from textual.events import AppBlur, AppFocus, Key, Paste, Resize
from textual.keys import Keys
from textual.message import Message

from kalshi_tui.ui.key_presses import KeyReport

ESC: Final = "\x1b"
CSI: Final = "\x1b["
PASTE_END: Final = "\x1b[201~"
MAX_SEQUENCE: Final = 512
"""Characters of a sequence; a longer one is dropped. A text that an input method commits is the longest there is."""
MAX_PASTE: Final = 10_000
"""Characters of a paste; no field of the desk takes as many, and the rest is dropped."""
PASTE_SILENCE_S: Final = 1.0
"""After so long in the middle of a paste, a few characters are typed again: its end has been lost."""
MAX_TYPED: Final = 16
MAX_COLUMNS: Final = 2_000
MAX_ROWS: Final = 1_000
MAX_COORDINATE: Final = 100_000
"""A mouse's place may be in pixels."""
MAX_BUTTON: Final = 255
MAX_MODIFIERS: Final = 256
MAX_CODE: Final = 0x10FFFF
SURROGATES: Final = range(0xD800, 0xE000)
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
SHIFT: Final = 1
LOCKS: Final = 64 | 128
"""Caps lock and num lock, among the modifiers' bits."""
PRESS, REPEAT, RELEASE = 1, 2, 3
OTHER_KEY: Final = 27
"""`CSI 27 ; modifiers ; code ~` is the key of that code, as xterm and tmux write it."""
STRINGS: Final = "]PX^_"
"""What opens OSC, DCS, SOS, PM and APC: late answers to what a program before this one has asked."""

_KEY: Final = re.compile(r"\x1b\[([0-9:;]*)([u~ABCDEFHPQRS])")
_MOUSE: Final = re.compile(r"\x1b\[<([0-9]{1,3});([0-9]{1,6});([0-9]{1,6})[Mm]")
_MODE: Final = re.compile(r"\x1b\[\?([0-9]{1,5});([0-9])\$y")
_SIZE: Final = re.compile(r"\x1b\[48;" + ";".join([r"([0-9]{1,6})(?::[0-9:]*)?"] * 4) + "t")
_log: Final = logging.getLogger("kalshi_tui.ui")


class _In(Enum):
    """The state: what the next character is a part of."""

    TEXT = auto()
    ESCAPE = auto()
    SEQUENCE = auto()
    """A control sequence (CSI)."""
    SHORT = auto()
    """What a keypad or a function key sends (SS3)."""
    STRING = auto()
    MOUSE = auto()
    """Three characters of the oldest kind of mouse report."""
    PASTE = auto()


class InputParser:
    """Turns text into messages for the app. Accepts any text without an error, and always returns to plain keys."""

    def __init__(self) -> None:
        self._meanings = XTermParser()
        self._in = _In.TEXT
        self._sequence = ""
        self._too_long = False
        self._after_string = False
        self._mouse_left = 0
        self._paste = ""
        self._paste_tail = ""
        self._resizes_in_band = False
        self._heard_at = 0.0
        self._found: list[Message] = []

    @property
    def waits(self) -> bool:
        """Whether an unfinished sequence waits that a pause would end."""
        return self._in not in (_In.TEXT, _In.PASTE)

    def feed(self, text: str, now_s: float) -> list[Message]:
        """Return the messages that this text completes; it arrived at this time of a clock that never jumps."""
        if self._in is _In.PASTE and self._typed_after_a_cut(text, now_s):
            self._in, self._paste, self._paste_tail = _In.TEXT, "", ""
        self._heard_at = now_s
        at = 0
        while at < len(text):
            if self._in is _In.PASTE:
                at = self._take_paste(text, at)
            else:
                self._take(text[at])
                at += 1
        return self._drained()

    def tick(self, now_s: float) -> list[Message]:
        """Return what a pause makes of an unfinished sequence: Escape, or Alt and a key. The rest is dropped."""
        if not self.waits or now_s - self._heard_at < constants.ESCAPE_DELAY:
            return []
        was, self._in = self._in, _In.TEXT
        if was is _In.ESCAPE:
            self._found.append(Key("escape", ESC))
        elif was is not _In.MOUSE and len(self._sequence) == len(CSI) and self._sequence[-1].isalpha():
            self._key(self._sequence[-1], alt=True)
        return self._drained()

    def _drained(self) -> list[Message]:
        found, self._found = self._found, []
        return found

    def _typed_after_a_cut(self, text: str, now_s: float) -> bool:
        late = now_s - self._heard_at >= PASTE_SILENCE_S
        return late and len(text) <= MAX_TYPED and PASTE_END not in self._paste_tail + text

    def _take_paste(self, text: str, at: int) -> int:
        """Take what belongs to the paste, and return where the rest begins. Nothing in a paste is a key."""
        held = len(self._paste_tail)
        whole = self._paste_tail + text[at:]
        end = whole.find(PASTE_END)
        if end < 0:
            keep = len(whole) - min(len(whole), len(PASTE_END) - 1)
            self._paste = (self._paste + whole[:keep])[:MAX_PASTE]
            self._paste_tail = whole[keep:]
            return len(text)
        pasted = (self._paste + whole[:end])[:MAX_PASTE]
        self._in, self._paste, self._paste_tail = _In.TEXT, "", ""
        # What a field would draw to the terminal as it is must not be a control character. It leaves a mark: without
        # it, a number pasted with one would become another.
        shown = "".join(each if each.isprintable() or each in "\t\n\r" else REPLACEMENT for each in pasted)
        if shown:
            self._found.append(Paste(shown))
        return at + end + len(PASTE_END) - held

    def _take(self, character: str) -> None:
        if self._in is _In.ESCAPE:
            self._take_after_escape(character)
        elif character == ESC:
            # It ends whatever was under way; in a string it may be the first half of the terminator.
            self._after_string = self._in is _In.STRING
            self._in = _In.ESCAPE
        elif self._in is _In.TEXT:
            self._key(character)
        elif character < " " or (character > "~" and self._in in (_In.SEQUENCE, _In.SHORT)):
            self._interrupt(character)
        else:
            self._take_inside(character)

    def _take_inside(self, character: str) -> None:
        if self._in is _In.MOUSE:
            self._mouse_left -= 1
            if not self._mouse_left:
                self._in = _In.TEXT
        elif self._in is _In.SEQUENCE:
            self._take_in_sequence(character)
        else:
            # Of a string only whether it is empty matters: Alt and its first character are a key too.
            self._add(character)
            if self._in is _In.SHORT and character not in "0123456789;":
                self._in = _In.TEXT
                self._emit(self._tabled(self._sequence))

    def _take_after_escape(self, character: str) -> None:
        ended_string, self._after_string = self._after_string, False
        self._in, self._sequence, self._too_long = _In.TEXT, ESC + character, False
        if character == ESC:
            self._found.append(Key("escape", ESC))
            self._in = _In.ESCAPE
        elif character == "\\" and ended_string:
            return
        elif character == "[":
            self._in = _In.SEQUENCE
        elif character == "O":
            self._in = _In.SHORT
        elif character in STRINGS:
            self._in = _In.STRING
        elif self._sequence in ANSI_SEQUENCES_KEYS:
            self._emit(self._tabled(self._sequence))
        elif character.isprintable():
            self._key(character, alt=True)
        else:
            # Escape, and right after it Enter or the like: taken for one, the Escape would be lost, and with it that
            # the trader wanted to leave before the Enter.
            self._found.append(Key("escape", ESC))
            self._key(character)

    def _take_in_sequence(self, character: str) -> None:
        begins = self._sequence == CSI
        self._add(character)
        if begins and character == "M":
            self._in, self._mouse_left = _In.MOUSE, 3
        elif (
            (character >= "@" and not (begins and character == "["))
            # rxvt's Shift and a key ends with what is no final character elsewhere.
            or (character == "$" and self._sequence in ANSI_SEQUENCES_KEYS)
        ):
            self._in = _In.TEXT
            if not self._too_long:
                self._emit(self._meaning(self._sequence))

    def _interrupt(self, character: str) -> None:
        """Drop the sequence for a character that cannot be a part of it; the bell ends a string, others are keys."""
        was, self._in = self._in, _In.TEXT
        if was is not _In.STRING or character != "\x07":
            self._key(character)

    def _add(self, character: str) -> None:
        if len(self._sequence) < MAX_SEQUENCE:
            self._sequence += character
        else:
            self._too_long = True

    def _emit(self, found: Iterator[Message]) -> None:
        """Keep the messages. An error in the tables' reading costs the sequence: the thread that reads must live."""
        try:
            self._found.extend(found)
        except Exception as error:  # noqa: BLE001 - Textual's private functions promise nothing
            _log.warning("What the terminal sent could not be read (%s); it is dropped.", type(error).__name__)

    def _key(self, character: str, *, alt: bool = False) -> None:
        self._emit(_pressed(self._meanings._sequence_to_key_events(character, alt=alt)))  # noqa: SLF001

    def _tabled(self, sequence: str) -> Iterator[Message]:
        """Yield the keys of a sequence that stands in the table, and nothing for any other."""
        keys = ANSI_SEQUENCES_KEYS.get(sequence)
        if isinstance(keys, tuple):
            for each in keys:
                if each is not Keys.Ignore:
                    yield Key(each.value, None)
        elif isinstance(keys, str):
            yield from _pressed(self._meanings._sequence_to_key_events(keys))  # noqa: SLF001

    def _meaning(self, sequence: str) -> Iterator[Message]:
        """Yield the messages of a whole control sequence; nothing for one that has no meaning here."""
        if sequence == FOCUSIN:
            yield AppFocus()
        elif sequence == FOCUSOUT:
            yield AppBlur()
        elif sequence == BRACKETED_PASTE_START:
            self._in = _In.PASTE
        elif key := _KEY.fullmatch(sequence):
            yield from self._keys(sequence, key[1].split(";"), key[2])
        elif mouse := _MOUSE.fullmatch(sequence):
            button, x, y = (int(each) for each in mouse.groups())
            if button <= MAX_BUTTON and 1 <= x <= MAX_COORDINATE and 1 <= y <= MAX_COORDINATE:
                moved = self._meanings.parse_mouse_code(sequence)
                if moved is not None:
                    yield moved
        elif mode := _MODE.fullmatch(sequence):
            yield from self._mode(int(mode[1]), int(mode[2]))
        elif size := _SIZE.fullmatch(sequence):
            yield from self._size(*(int(each) for each in size.groups()))
        else:
            yield from self._tabled(sequence)

    def _mode(self, mode: int, setting: int) -> Iterator[Message]:
        """Yield what follows from the terminal's answer about a mode that was asked for."""
        if mode == 2026 and setting > 0:
            yield messages.TerminalSupportsSynchronizedOutput()
        elif mode == 2048 and constants.SMOOTH_SCROLL and not IS_ITERM:
            answer = messages.InBandWindowResize.from_setting_parameter(setting)
            self._resizes_in_band = answer.supported
            yield answer

    def _size(self, rows: int, columns: int, pixel_rows: int, pixel_columns: int) -> Iterator[Message]:
        """Yield the terminal's new size, if it has said that it tells sizes this way, and could be of that size."""
        if self._resizes_in_band and 1 <= rows <= MAX_ROWS and 1 <= columns <= MAX_COLUMNS:
            resized = Resize.from_dimensions((columns, rows), (pixel_columns, pixel_rows))
            # A terminal that does not know its size in pixels sends zero: the mouse's place is divided by it.
            self._meanings.mouse_pixels = pixel_rows >= rows and pixel_columns >= columns
            self._meanings.terminal_size = resized.size
            self._meanings.terminal_pixel_size = resized.pixel_size
            yield resized

    def _keys(self, sequence: str, fields: list[str], final: str) -> Iterator[Message]:
        """Yield the keys of ``code:shifted:base ; modifiers:event ; text`` and a final letter, kitty's or older."""
        parts = [_numbers(field) for field in fields]
        parts += [[None]] * (3 - len(parts))
        codes, modifiers, texts = parts[:3]
        if codes is None or modifiers is None or texts is None or len(fields) > 3:
            return
        if len(codes) > 3 or len(modifiers) > 2 or (modifiers[0] or 0) > MAX_MODIFIERS:
            return
        happened = (modifiers[1] if len(modifiers) > 1 else None) or PRESS
        if happened not in (PRESS, REPEAT, RELEASE):
            return
        code = 1 if codes[0] is None else codes[0]
        text = "".join(chr(each) for each in texts if each is not None)
        if final == "~" and code == OTHER_KEY and len(text) == 1:
            code, final, text = ord(text), "u", ""
        if not text.isprintable():
            # Some terminals send the control character along with its key.
            text = ""
        if f"{code}{final}" not in FUNCTIONAL_KEYS:
            if final != "u":
                yield from self._tabled(sequence)
                return
            if not chr(code).isprintable() and not (code == 0 and text):
                return
        held = max((modifiers[0] or 1) - 1, 0)
        if not text and held & ~LOCKS == SHIFT and len(codes) > 1 and codes[1] and chr(codes[1]).isprintable():
            text = chr(codes[1])
        plain = f"{CSI}{code};{modifiers[0] or ''};{':'.join(str(ord(each)) for each in text)}{final}"
        yield from self._extended(plain, happened)

    def _extended(self, plain: str, happened: int) -> Iterator[Message]:
        """Yield what happened to a key that stands in a sequence as Textual reads it; a release is no press."""
        for key in _pressed(key.copy() for key in self._meanings._parse_extended_key(plain) or ()):  # noqa: SLF001
            if happened != PRESS:
                yield KeyReport(key.key, released=happened == RELEASE)
            if happened != RELEASE:
                yield key


def _pressed(keys: Iterable[Key]) -> Iterator[Key]:
    return (key for key in keys if key.key != Keys.Ignore)


def _numbers(field: str) -> list[int | None] | None:
    """Read the numbers of a field between its colons, None for each that is left out; None if one is no character."""
    found: list[int | None] = []
    for each in field.split(":"):
        number = int(each) if each and len(each) <= len(str(MAX_CODE)) else None if not each else MAX_CODE + 1
        if number is not None and (number > MAX_CODE or number in SURROGATES):
            return None
        found.append(number)
    return found
