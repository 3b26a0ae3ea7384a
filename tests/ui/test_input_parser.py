"""What a terminal may send, whole and broken: a well-formed key is one, nothing else is, and no text is an error."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import example, given, strategies as st
from textual.events import AppFocus, Key, MouseDown, MouseScrollUp, Paste, Resize
from textual.message import Message

from kalshi_tui.ui.input_parser import MAX_COLUMNS, MAX_PASTE, MAX_ROWS, InputParser
from kalshi_tui.ui.key_presses import KeyReport

AFTER = {"j": "j", "\x1b[B": "down", "\r": "enter", "\x1b[98u": "b", "\x1b[Z": "shift+tab", "A": "A"}
NUMBER = st.one_of(
    st.just(""),
    st.integers(0, 300).map(str),
    st.sampled_from(["55296", "57343", "57344", "1114111", "1114112", "9" * 40, "9" * 5_000, "0" * 50 + "98"]),
    st.integers(0, 2**33).map(str),
)
FIELD = st.lists(NUMBER, max_size=4).map(":".join)
SEQUENCE = st.builds(
    "\x1b[{}{}{}{}".format,
    st.sampled_from(["", "<", "?", ">", "="]),
    st.lists(FIELD, max_size=6).map(";".join),
    st.sampled_from(["", "$", " ", "!"]),
    st.sampled_from("u~ABCDEFHPQRSMmtycIO[zÿ\r\x1b\x18"),
)
BEGUN = ("\x1b", "\x1b[", "\x1bO", "\x1bP", "\x1b]11;rgb:1e/1e", "\x1b[M", "\x1b[<0;1", "\x1b[12;3:")
PIECE = st.one_of(
    SEQUENCE,
    st.text(max_size=8),
    st.binary(max_size=8).map(lambda raw: raw.decode("utf-8", "replace")),
    st.sampled_from(BEGUN),
    st.sampled_from(["\x1b[?2048;2$y", "\x1b[48;0;0;0;0t", "\x1b[48;24;80;0;0t", "\x1b[<0;5;5M"]),
    st.sampled_from(["\x1b[48;99999;99999;1;1t", "\x1b\\", "\x1b[200~", "\x1b[201~"]),
)


def keys(messages: Iterable[Message]) -> list[str]:
    return [each.key for each in messages if isinstance(each, Key)]


def sent(*texts: str) -> list[Message]:
    """Return what a parser finds in texts that come at once, and in the silence after them."""
    parser = InputParser()
    return [*itertools.chain(*(parser.feed(text, 0.0) for text in texts)), *parser.tick(1.0)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[98u", ["b"]),
        ("\x1b[98;1:1u", ["b"]),
        ("\x1b[98;1:2u", ["b"]),
        ("\x1b[1078::98u", ["ж"]),
        ("\x1b[98:66;2u", ["B"]),
        ("\x1b[98:66;66u", ["B"]),
        ("\x1b[120;2;88u", ["X"]),
        ("\x1b[120;5u", ["ctrl+x"]),
        ("\x1b[27;5;120~", ["ctrl+x"]),
        ("\x1b[13u", ["enter"]),
        ("\x1b[13;1;13u", ["enter"]),
        ("\x1b[27u", ["escape"]),
        ("\x1b[0;;98:99u", ["b", "c"]),
        ("\x1b[1;5:1A", ["ctrl+up"]),
        ("\x1b[3~", ["delete"]),
        ("\x1b[25~", ["f13"]),
        ("\x1b[[A", ["f1"]),
        ("\x1bOP", ["f1"]),
        ("\x1b[3$", ["shift+delete"]),
        ("\x1b", ["escape"]),
        ("\x1b\x1b", ["escape", "escape"]),
        ("\x1b\x1b[A", ["escape", "up"]),
        ("\x1b\r", ["escape", "enter"]),
        ("\x1ba", ["alt+a"]),
        ("\x1bX", ["alt+shift+x"]),
        ("\x18", ["ctrl+x"]),
    ],
)
def test_a_well_formed_key_is_that_key(text: str, expected: list[str]) -> None:
    assert keys(sent(text)) == expected
    assert keys(sent(*text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[98;1:4u",
        "\x1b[1114112u",
        "\x1b[98;1;1114112u",
        "\x1b[55296u",
        "\x1b[98;;55296u",
        "\x1b[98:1114112u",
        f"\x1b[{'9' * 5_000}u",
        "\x1b[98;999u",
        "\x1b[98;1;98;98u",
        "\x1b[99~",
        "\x1b[66A",
        "\x1b[7u",
        "\x1b[1;2;3;4x",
        "\x1b[",
        "\x1b[12;",
        "\x1b[<0;5;5",
        "\x1b[<999;5;5M",
        "\x1b[<0;0;5M",
        "\x1b[<0;5;99999999M",
        "\x1b[<0;-5;5M",
        "\x1b[M !!",
        "\x1b[M",
        "\x1b[48;24;80;0;0t",
        "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
        "\x1b]0;b\N{LATIN SMALL LETTER E WITH ACUTE}b\x07",
        "\x1bPb1",
        "\x1b[201~",
        "\x1b[200~",
        "\x1b[200~b1\r",
    ],
)
def test_what_is_no_whole_press_of_a_key_is_nothing(text: str) -> None:
    """Not even the characters that it is made of: a stray digit is a price."""
    assert sent(text) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [("\x1b[98;1:3u", "b"), ("\x1b[1;5:3A", "ctrl+up"), ("\x1b[13;1:3u", "enter"), ("\x1b[13;1:3;13u", "enter")],
)
def test_a_release_is_reported_and_is_no_press(text: str, key: str) -> None:
    (report,) = sent(text)
    assert isinstance(report, KeyReport)
    assert (report.key, report.released) == (key, True)


def test_a_key_that_repeats_is_reported_before_its_press() -> None:
    report, press = sent("\x1b[13;1:2u")
    assert isinstance(report, KeyReport)
    assert (report.key, report.released) == ("enter", False)
    assert keys([press]) == ["enter"]


def test_a_paste_is_no_keys_and_an_endless_one_is_bounded() -> None:
    (paste,) = sent("\x1b[200~0.4", "2\r\x1b[A\x00", "\x1b[20", "1~")
    assert isinstance(paste, Paste)
    assert paste.text == "0.42\r\N{REPLACEMENT CHARACTER}[A\N{REPLACEMENT CHARACTER}"
    (paste,) = sent("\x1b[200~", *["q" * 4_096] * 300, "\x1b[201~")
    assert isinstance(paste, Paste)
    assert paste.text == "q" * MAX_PASTE


def test_a_paste_that_stalls_goes_on_and_one_whose_end_is_lost_gives_the_keys_back() -> None:
    parser = InputParser()
    assert parser.feed("\x1b[200~b1", 0.0) == []
    assert parser.feed("b\r" * 20, 5.0) == []
    (paste,) = parser.feed("b\r\x1b[201~", 10.0)
    assert isinstance(paste, Paste)
    parser.feed("\x1b[200~b1", 20.0)
    assert keys(parser.feed("b", 20.5)) == []
    assert keys(parser.feed("b", 22.0)) == ["b"]


def test_mouse_focus_and_size_are_understood_where_they_are_whole() -> None:
    down, up, focus = sent("\x1b[<0;5;7M", "\x1b[<64;1;1M", "\x1b[I")
    assert isinstance(down, MouseDown)
    assert (down.x, down.y) == (4, 6)
    assert isinstance(up, MouseScrollUp)
    assert isinstance(focus, AppFocus)
    *_, size, moved = sent("\x1b[?2048;2$y", "\x1b[48;24;80;0;0t", "\x1b[<0;5;7M")
    assert isinstance(size, Resize)
    assert size.size == (80, 24)
    assert isinstance(moved, MouseDown)
    assert moved.x == 4


@given(st.lists(PIECE, max_size=12), st.data())
@example(["\x1b[?2048;2$y", "\x1b[48;24;80;0;0t", "\x1b[<0;5;5M"], None)
@example(["\x1b[200~"], None)
def test_whatever_came_the_keys_after_it_are_keys(pieces: list[str], data: st.DataObject | None) -> None:
    parser = InputParser()
    text, now = "".join(pieces), 0.0
    found: list[Message] = []
    while text:
        size = data.draw(st.integers(1, len(text))) if data is not None else len(text)
        found += parser.feed(text[:size], now)
        text = text[size:]
    now += 10
    found += parser.tick(now)
    for each in found:
        if isinstance(each, Key):
            (each.key + (each.character or "")).encode()
        if isinstance(each, Resize):
            assert 1 <= each.size.width <= MAX_COLUMNS
            assert 1 <= each.size.height <= MAX_ROWS
    for typed, key in AFTER.items():
        assert keys([*parser.feed(typed, now), *parser.tick(now)]) == [key]
        now += 1


@given(st.lists(PIECE, max_size=12), st.data())
def test_how_it_is_cut_into_reads_changes_nothing(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    parts = [text[begin:end] for begin, end in itertools.pairwise([0, *cuts, len(text)])]
    assert [str(each) for each in sent(*parts)] == [str(each) for each in sent(text)]
