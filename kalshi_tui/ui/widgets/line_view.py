"""A list of lines drawn through the line API: only visible lines whose content changed are drawn again.

`DataTable` refreshes the whole widget for each changed cell; this costs one comparison a line and a `refresh_line`.
"""

from collections.abc import Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.dom import DOMNode
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kalshi_tui.presentation.lines import (
    EMPTY_LINE,
    Line,
    Span,
    Tone,
    cut,
)

STRIP_CACHE_SIZE: Final = 512
FOCUSED_CURSOR: Final = Span("▌", Tone.CURSOR)
UNFOCUSED_CURSOR: Final = Span("│", Tone.DIM)
NO_CURSOR: Final = Span(" ")
"""The first cell of a list with a cursor: the line is marked by a sign, not by color alone."""
NEVER_DIMMED: Final = frozenset({Tone.OWN, Tone.WARN, Tone.BAD, Tone.CURSOR})
"""What has to be seen above all in a list whose figures are not to be trusted."""


class LineView(ScrollView, can_focus=False):
    """Shows lines and, where ``cursor`` is not None, a selected one. Its owner sets the lines with `show`."""

    DEFAULT_CSS = "LineView { scrollbar-size: 0 0; height: 1fr; overflow-x: hidden; }"

    class CursorMoved(Message):
        """The cursor is on another line."""

        def __init__(self, view: "LineView", cursor: int) -> None:
            self.view = view
            self.cursor = cursor
            super().__init__()

        @property
        def control(self) -> "LineView":
            """The view whose cursor moved."""
            return self.view

    def __init__(self, *, has_cursor: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id, classes=classes)
        self.can_focus = has_cursor
        self.cursor: int | None = 0 if has_cursor else None
        self.dimmed = False
        self._lines: Sequence[Line] = ()
        self._styles: dict[str, Style] = {}
        self._strips: LRUCache[tuple[Line, int, bool, bool, bool], Strip] = LRUCache(STRIP_CACHE_SIZE)

    def show(self, lines: Sequence[Line], *, dimmed: bool = False) -> None:
        """Show these lines. Only those that differ from before are drawn again."""
        before, self._lines = self._lines, lines
        if dimmed != self.dimmed:
            self.dimmed = dimmed
            self.refresh()
        if len(before) != len(lines):
            self.virtual_size = Size(0, len(lines))
            if self.cursor is not None:
                self.move_cursor_to(self.cursor)
        top, bottom = self.scroll_offset.y, self.scroll_offset.y + self.size.height
        for place in range(top, bottom):
            old = before[place] if place < len(before) else None
            new = lines[place] if place < len(lines) else None
            if old != new:
                self.refresh_line(place)

    @property
    def line_width(self) -> int:
        """The width of a line in cells."""
        return max(self.size.width - (self.cursor is not None), 0)

    @property
    def lines(self) -> Sequence[Line]:
        """The lines shown."""
        return self._lines

    def move_cursor_to(self, cursor: int) -> None:
        """Put the cursor on a line, or the nearest one, and scroll it into view."""
        cursor = max(0, min(cursor, len(self._lines) - 1))
        before, self.cursor = self.cursor, cursor
        if before != cursor:
            self.refresh_line(cursor)
            if before is not None:
                self.refresh_line(before)
            self.post_message(self.CursorMoved(self, cursor))
        self.scroll_to_region(Region(0, cursor, 1, 1), animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """Draw one line; the strip is kept for the next time the same content is wanted."""
        place = y + self.scroll_offset.y
        content = self._lines[place] if place < len(self._lines) else EMPTY_LINE
        chosen = place == self.cursor and bool(content)
        key = (content, self.size.width, chosen, self.has_focus, self.dimmed)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._render_strip(content, self.size.width, selected=chosen)
            self._strips[key] = strip
        return strip

    def notify_style_update(self) -> None:
        """Forget styles and strips: the theme has changed."""
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    def on_focus(self) -> None:
        """Show the cursor as the one that moves."""
        self._redraw_cursor()

    def on_blur(self) -> None:
        """Show the cursor as resting."""
        self._redraw_cursor()

    def on_click(self, event: Click) -> None:
        """Put the cursor under the pointer."""
        if self.cursor is not None:
            self.move_cursor_to(event.y + self.scroll_offset.y)

    def _redraw_cursor(self) -> None:
        if self.cursor is not None:
            self.refresh_line(self.cursor)

    def _render_strip(self, content: Line, width: int, *, selected: bool) -> Strip:
        base = self.rich_style
        over = None
        if selected:
            over = self._class_style("line--cursor" if self.has_focus else "line--cursor-blurred", whole=True)
        if self.cursor is not None:
            sign = NO_CURSOR if not selected else FOCUSED_CURSOR if self.has_focus else UNFOCUSED_CURSOR
            content = (sign, *content)
        segments = []
        for span in cut(content, width):
            tone = Tone.DIM if self.dimmed and span.tone not in NEVER_DIMMED else span.tone
            style = self._class_style(f"tone--{tone.value}")
            segments.append(Segment(span.text, base + style + over if over else base + style))
        return Strip(segments, width)

    def _class_style(self, name: str, *, whole: bool = False) -> Style:
        """Return what the style sheets say of a class, when it is first drawn; ``whole`` adds what it inherits.

        Textual's `COMPONENT_CLASSES` would be read for every class of every list at each change of any style: with a
        class for each tone that was a third of the time in which a screen opens.
        """
        style = self._styles.get(name)
        if style is None:
            node = DOMNode(classes=name)
            node._attach(self)  # noqa: SLF001 - as Textual itself makes the nodes of component classes
            self.app.stylesheet.apply(node, animate=False)
            style = self._styles[name] = node.rich_style if whole else node.styles.partial_rich_style
        return style
