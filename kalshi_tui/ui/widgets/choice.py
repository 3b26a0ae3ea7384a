"""Fields of a form that are not typed: a choice between words, and a toggle."""

from typing import Generic, TypeVar

from textual.content import Content
from textual.events import Click, Key
from textual.message import Message
from textual.widget import Widget

T = TypeVar("T")


class Choice(Widget, Generic[T], can_focus=True):
    """Words side by side; a word's first letter selects it, and the form's keys go to the next."""

    class Changed(Message):
        """Another word is selected."""

        def __init__(self, field: Widget) -> None:
            self.field = field
            super().__init__()

    def __init__(self, options: dict[str, T], value: T, *, id: str) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._options = options
        self._value = value

    @property
    def value(self) -> T:
        """The selected word."""
        return self._value

    @value.setter
    def value(self, value: T) -> None:
        if value != self._value:
            self._value = value
            self.refresh()
            self.post_message(self.Changed(self))

    def render(self) -> Content:
        """Draw the words; the selected one is in brackets, so that no color is needed to see it."""
        parts = []
        for word, value in self._options.items():
            holds = value == self._value
            parts.append(Content.styled(f"[{word}]" if holds else f" {word} ", "bold reverse" if holds else "dim"))
        return Content(" ").join(parts)

    def cycle(self, by: int) -> None:
        """Select the next or the previous word."""
        values = list(self._options.values())
        self.value = values[(values.index(self._value) + by) % len(values)]

    def accepts_key(self, key: str) -> bool:
        """Return whether a key is a word's first letter."""
        return len(key) == 1 and any(word.lower().startswith(key.lower()) for word in self._options)

    def on_key(self, event: Key) -> None:
        """Select the word that begins with the typed letter."""
        for word, value in self._options.items():
            if event.character and word.lower().startswith(event.character.lower()):
                self.value = value
                event.stop()
                return

    def on_click(self, event: Click) -> None:
        """Select the word under the pointer."""
        left = 0
        for word, value in self._options.items():
            left += len(word) + 3
            if event.x < left:
                self.value = value
                return


class Toggle(Widget, can_focus=True):
    """A word that is on or off: ``[x] post-only``."""

    def __init__(self, label: str, *, id: str, value: bool = False) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._label = label
        self._value = value

    @property
    def value(self) -> bool:
        """Whether it is on."""
        return self._value

    @value.setter
    def value(self, value: bool) -> None:
        if value != self._value:
            self._value = value
            self.refresh()
            self.post_message(Choice.Changed(self))

    def render(self) -> Content:
        """Draw the box and its word; a sign says whether it is on, not color alone."""
        return Content.styled(f"[{'x' if self._value else ' '}] {self._label}", "bold" if self._value else "dim")

    def cycle(self, by: int) -> None:
        """Toggle it."""
        del by
        self.value = not self._value

    def on_click(self) -> None:
        """Toggle it."""
        self.cycle(1)
