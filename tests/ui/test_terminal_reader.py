"""The thread that reads the terminal, on a real descriptor: whatever comes, in whatever pieces, keys stay keys."""

import os
import random
import threading
import time
from collections.abc import Sequence

from textual.events import Key
from textual.message import Message

from kalshi_tui.ui.key_presses import KeyReport, Presses
from kalshi_tui.ui.terminal_reader import read_until_gone
from tests.support.budget import is_whole

SEQUENCES = 100_000 if is_whole() else 1_000
BATCH = 1_000
WITHIN_S = 60.0
QUESTION_MARK = b"\x1b[63u"
"""The key as kitty writes it: its escape ends whatever is unfinished."""
GOOD = (
    b"\x1b[98;1:3u",
    b"\x1b[1078::98u",
    b"\x1b[1114112u",
    b"\x1b[98;1;55296u",
    b"\x1b[13;1:2u",
    b"\x1b[27;5;120~",
    b"\x1b[<0;5;7M",
    b"\x1b[<64;1;1m",
    b"\x1b[M !!",
    b"\x1b[48;24;80;0;0t",
    b"\x1b[?2048;2$y",
    b"\x1b[I",
    b"\x1b[1;5:1A",
    b"\x1b]11;rgb:1e/1e/1e\x1b\\",
    b"\x1bP1$r\x1b\\",
    b"\x1b[200~0.4\r2\x1b[201~",
    b"\x1bOP",
    b"\x1b[3~",
    b"\x1b[[A",
    b"\r",
    b"\x7f",
    "\N{CYRILLIC SMALL LETTER ZHE}".encode(),
    "\N{GRINNING FACE}".encode(),
    b"22.5",
    b"\x1b\x1b",
)
NUMBERS = (b"", b"0", b"1", b"13", b"98", b"255", b"55296", b"1114111", b"1114112", b"9" * 40, b"9" * 5_000, b"-1")


def sequence(chance: random.Random) -> bytes:
    """Make one thing that a terminal, or something in its place, may send."""
    kind = chance.randrange(4)
    if kind == 0:
        fields = [b":".join(chance.choices(NUMBERS, k=chance.randrange(4))) for _ in range(chance.randrange(6))]
        begun = chance.choice((b"\x1b[", b"\x1b[<", b"\x1b[?", b"\x1b[>", b"\x1b[=", b"\x1bO", b"\x1b\x1b["))
        return (
            begun
            + b";".join(fields)
            + chance.choice((b"", b"$", b" "))
            + chance.choice(b"uuu~ABCDHFPRSMmtycInz").to_bytes()
        )
    if kind == 1:
        return chance.randbytes(chance.randrange(12))
    spoiled = bytearray(chance.choice(GOOD))
    if kind == 2:
        for _ in range(chance.randrange(3)):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        del spoiled[chance.randrange(len(spoiled)) :]
    return bytes(spoiled)


class Reading:
    """Runs the reading thread on a pipe, with what the desk notes of its keys."""

    def __init__(self) -> None:
        self.out, self.into = os.pipe()
        self.presses = Presses(lambda: time.monotonic_ns() // 1_000_000)
        self.keys: list[str] = []
        self.failures: list[BaseException] = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            read_until_gone(self.out, self.ended, self._handle)
        except Exception as error:  # noqa: BLE001 - any is a failure, which the test reports
            self.failures.append(error)

    def _handle(self, messages: Sequence[Message]) -> None:
        for each in messages:
            if isinstance(each, Key):
                self.presses.arrived(each)
                self.presses.take(each)
                self.keys.append(each.key)
                # What a screen does with it.
                (each.key + (each.character or "") + each.name).encode()
            elif isinstance(each, KeyReport):
                self.presses.reported(each)

    def write(self, raw: bytes) -> None:
        while raw and self.thread.is_alive():
            raw = raw[os.write(self.into, raw[:4_096]) :]

    def answers(self) -> bool:
        """Return whether a key is a key again; a paste whose end was lost takes a while."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until and self.thread.is_alive():
            count = len(self.keys)
            self.write(b"\x1b[201~" + QUESTION_MARK)
            soon = time.monotonic() + 0.5
            while time.monotonic() < soon:
                if "question_mark" in self.keys[count:]:
                    return True
                time.sleep(0.001)
        return False

    def close(self) -> None:
        self.ended.set()
        os.close(self.into)
        self.thread.join(WITHIN_S)
        os.close(self.out)


def test_no_sequences_end_the_reading_and_keys_after_them_are_keys() -> None:
    reading = Reading()
    try:
        for batch in range(SEQUENCES // BATCH):
            chance = random.Random(batch)
            raw = b"".join(sequence(chance) for _ in range(BATCH))
            while raw:
                size = chance.choice((1, 7, 64, 4_096))
                reading.write(raw[:size])
                raw = raw[size:]
            assert reading.answers(), (batch, reading.failures)
        assert reading.failures == []
        assert reading.thread.is_alive()
        assert len(set(reading.keys)) > 40, "the sequences hold keys of many kinds"
    finally:
        reading.close()
    assert not reading.thread.is_alive()


def test_that_input_is_taken_is_told_before_its_keys() -> None:
    out, into = os.pipe()
    told: list[str] = []
    ended = threading.Event()

    def handle(messages: Sequence[Message]) -> None:
        told.extend(each.key for each in messages if isinstance(each, Key))
        ended.set()

    try:
        os.write(into, b"yy")
        assert not read_until_gone(out, ended, handle, lambda: told.append("polled"), lambda: told.append("reading"))
    finally:
        os.close(into)
        os.close(out)
    assert told == ["polled", "reading", "y", "y"]
