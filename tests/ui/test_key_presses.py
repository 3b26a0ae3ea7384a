"""A key that is read late is no press of its own."""

import pytest
from textual.events import Key, Paste

from kalshi_tui.ui.key_presses import MIN_RELEASE_MS, POLL_MS, QUEUED_MS, REPEAT_MS, KeyReport, Press, Presses
from tests.support.fake_desk import Clock

STEP_MS = 33
"""How often a held key repeats."""
STOPS_MS = pytest.mark.parametrize("stopped_ms", [800, 1_200, 60_000])


class Reading:
    """What the thread that reads the terminal notes, by a clock that the test moves."""

    def __init__(self) -> None:
        self.clock = Clock(0)
        self.presses = Presses(self.clock)
        self.presses.polled()

    def idle(self, for_ms: int) -> None:
        """Wait for input that does not come."""
        for waited_ms in range(0, for_ms, POLL_MS):
            self.clock.advance(min(POLL_MS, for_ms - waited_ms))
            self.presses.polled()

    def read(self, count: int = 1, key: str = "enter") -> list[Press]:
        """Read so many of a key at once, handle them, and wait for input again."""
        events = [Key(key, None) for _ in range(count)]
        self.presses.reading()
        for event in events:
            self.presses.arrived(event)
        self.presses.polled()
        found = []
        for event in events:
            self.presses.take(event)
            assert self.presses.handling is not None
            found.append(self.presses.handling)
        return found

    def hold(self) -> None:
        """Hold Enter down, the first of which is a press of its own."""
        assert not self.read()[0].repeats
        for _ in range(5):
            self.idle(STEP_MS)
            assert self.read()[0].repeats


@pytest.fixture
def reading() -> Reading:
    return Reading()


@STOPS_MS
@pytest.mark.parametrize("count", [1, 36])
def test_what_is_read_first_after_a_stop_is_held(reading: Reading, stopped_ms: int, count: int) -> None:
    reading.hold()
    reading.clock.advance(stopped_ms)
    assert all(press.repeats for press in reading.read(count))


@STOPS_MS
def test_a_stop_just_before_the_wait_for_input_hides_nothing(reading: Reading, stopped_ms: int) -> None:
    # The last wait has ended with nothing, and the next one begins after the stop: the key comes at once then.
    reading.hold()
    reading.clock.advance(stopped_ms)
    reading.presses.polled()
    assert reading.read()[0].repeats


@STOPS_MS
def test_the_next_repeat_after_those_that_a_stop_kept_back_is_held(reading: Reading, stopped_ms: int) -> None:
    # Those are as old as the stop, for all that anybody knows: no key of the last 0.7 s.
    reading.hold()
    reading.clock.advance(stopped_ms)
    reading.read(9)
    reading.idle(4 * STEP_MS)
    assert reading.read()[0].repeats


def test_a_key_that_waited_alone_during_a_stop_is_of_a_queue(reading: Reading) -> None:
    reading.idle(5_000)
    reading.clock.advance(1_200)
    assert reading.read(key="y")[0].repeats


def test_a_release_before_a_stop_does_not_make_a_press_of_what_comes_after_it(reading: Reading) -> None:
    reading.read()
    reading.idle(100)
    reading.presses.reported(KeyReport("enter", released=True))
    reading.clock.advance(1_200)
    (press,) = reading.read()
    assert press.repeats
    assert press.released_ms is None


def test_some_time_after_a_stop_a_press_is_one_of_its_own_again(reading: Reading) -> None:
    reading.hold()
    reading.clock.advance(1_200)
    reading.read(36)
    reading.idle(REPEAT_MS - 1)
    assert reading.read()[0].repeats
    reading.idle(REPEAT_MS)
    assert not reading.read()[0].repeats


def test_a_reader_that_is_a_little_late_finds_presses(reading: Reading) -> None:
    reading.read()
    for _ in range(4):
        reading.clock.advance(3 * POLL_MS)
        reading.presses.polled()
    assert not reading.read()[0].repeats


def test_a_key_that_was_seen_released_may_come_again_soon(reading: Reading) -> None:
    reading.read()
    reading.idle(100)
    reading.presses.reported(KeyReport("enter", released=True))
    reading.idle(MIN_RELEASE_MS)
    assert not reading.read()[0].repeats


def test_what_was_read_is_pending_until_its_keys_are_noted(reading: Reading) -> None:
    assert not reading.presses.is_input_pending()
    reading.presses.reading()
    assert reading.presses.is_input_pending()
    reading.read()
    assert not reading.presses.is_input_pending()
    reading.presses.unread = lambda: True
    assert reading.presses.is_input_pending()


@pytest.mark.parametrize("after", ["j", ""])
def test_a_press_is_followed_by_its_like_whatever_comes_after_them(reading: Reading, after: str) -> None:
    # Enter was held while nothing arrived, then another key was tried: all come in one piece.
    keys = ["enter", "enter", *after]
    first, *_ = read_all(reading, keys)
    assert not first.repeats
    assert reading.presses.follows(first)


def test_a_press_is_followed_by_its_like_though_the_mouse_was_used_after_them(reading: Reading) -> None:
    first, _ = reading.read(2)
    reading.presses.clicked()
    assert reading.presses.follows(first)


def test_a_press_behind_its_like_is_of_a_queue_whatever_came_between(reading: Reading) -> None:
    assert [press.repeats for press in read_all(reading, ["enter", "j", "enter"])] == [False, False, True]


def test_a_press_soon_after_its_like_is_one_of_its_own_where_a_word_was_typed_between(reading: Reading) -> None:
    assert not reading.read()[0].repeats
    for key in "over":
        reading.idle(QUEUED_MS // 4)
        reading.read(key=key)
    reading.idle(QUEUED_MS // 4)
    assert not reading.read()[0].repeats


def test_a_press_that_nothing_follows_stands_alone(reading: Reading) -> None:
    (press,) = reading.read()
    reading.read(key="j")
    assert not reading.presses.follows(press)


def read_all(reading: Reading, keys: list[str]) -> list[Press]:
    """Read these keys at once, and handle them."""
    events = [Key(each, None) for each in keys]
    for event in events:
        reading.presses.arrived(event)
    handled = []
    for event in events:
        reading.presses.take(event)
        assert reading.presses.handling is not None
        handled.append(reading.presses.handling)
    return handled


class Queue:
    """Keys that arrived and wait."""

    def __init__(self, presses: Presses) -> None:
        self.presses = presses
        self.presses.moves, self.presses.quits = frozenset("jk"), frozenset("q")
        self.events: list[Key | Paste] = []

    def add(self, keys: str) -> None:
        """Add these; a dot is a paste."""
        for key in keys:
            event = Paste("text") if key == "." else Key(key, None)
            self.events.append(event)
            if isinstance(event, Key):
                self.presses.arrived(event)
            else:
                self.presses.arrived_between(event)


@pytest.mark.parametrize(
    ("keys", "quits"),
    [
        ("q", True),
        ("jkjkq", True),
        ("jqx", True),
        ("", False),
        ("jk", False),
        ("jxkq", False),
        ("/jq", False),
        ("j.q", False),
    ],
)
def test_a_key_that_quits_is_found_behind_moves_alone(reading: Reading, keys: str, *, quits: bool) -> None:
    Queue(reading.presses).add(keys)
    assert (reading.presses.quit_behind_moves() is not None) is quits


def test_what_was_handled_is_before_nothing_any_more(reading: Reading) -> None:
    queue = Queue(reading.presses)
    queue.add("x.jq")
    (x, paste, move, _) = queue.events
    assert isinstance(x, Key)
    assert isinstance(move, Key)
    assert reading.presses.quit_behind_moves(move) is not None
    reading.presses.take(x)
    assert reading.presses.quit_behind_moves() is None
    reading.presses.forget(paste)
    assert reading.presses.quit_behind_moves() is not None


def test_a_paste_that_nothing_took_is_forgotten_with_the_key_after_it(reading: Reading) -> None:
    queue = Queue(reading.presses)
    queue.add(".jq")
    move = queue.events[1]
    assert isinstance(move, Key)
    reading.presses.take(move)
    assert reading.presses.quit_behind_moves() is not None


def test_a_press_on_what_the_terminal_has_not_shown_does_not_count(reading: Reading) -> None:
    reading.presses.unshown = lambda: True
    (press,) = reading.read()
    assert press.repeats
    assert "had not shown this yet" in press.ignored
    reading.presses.unshown = lambda: False
    reading.presses.shown()
    reading.idle(REPEAT_MS - POLL_MS)
    assert reading.read(key="y")[0].repeats
    reading.idle(REPEAT_MS)
    assert not reading.read(key="y")[0].repeats
