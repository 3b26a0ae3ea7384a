"""Wrapped lines, for sentences; not for what changes at every frame."""

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from kalshi_tui.presentation.lines import Line, Tone

TONE_STYLES = {
    Tone.DIM: "$text-muted",
    Tone.HEAD: "bold",
    Tone.GOOD: "bold $text-success",
    Tone.WARN: "bold $text-warning",
    Tone.BAD: "bold $text-error",
    Tone.OWN: "bold $text-accent",
}


class WrappedText(Static):
    """Shows lines, wrapped; drawn again only when they change."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id, markup=False)
        self._shown_lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines."""
        if lines != self._shown_lines:
            self._shown_lines = lines
            made = [Content.assemble(*((span.text, TONE_STYLES.get(span.tone, "")) for span in each)) for each in lines]
            self.update(Content("\n").join(made))
