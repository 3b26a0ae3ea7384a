"""The app under a pilot: a desk without an exchange, clocks that stand still, a screen that reads as text."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from textual.pilot import Pilot

from kalshi_tui.ui.app import BACKGROUND_FRAME_INTERVAL, DeskApp
from kalshi_tui.ui.ticket.review import ARM_DELAY_MS
from kalshi_tui.ui.ui_settings import UiSettings
from tests.support.fake_desk import (
    Clock,
    FakeDesk,
)

NARROW = (80, 24)
USUAL = (140, 50)
WIDE = (200, 60)
SIZES = (NARROW, USUAL, WIDE)
ANSWER_MS = 1_000
USUAL_UI_SETTINGS = UiSettings(theme="desk", plain_chart=False)


@dataclass
class Trader:
    """Presses keys and reads the screen."""

    app: DeskApp
    desk: FakeDesk
    clock: Clock
    timer: Clock
    pilot: Pilot[None]

    async def press(self, *keys: str) -> str:
        """Press keys one after another and give the screen that comes of it."""
        await self.pilot.press(*keys)
        return await self.look()

    async def type(self, text: str) -> str:
        """Type a text."""
        return await self.press(*text)

    async def answer(self, word: str) -> str:
        """Type a word that is asked for, and Enter; the clock of the keys goes on by what that takes at the least."""
        self.timer.advance(ANSWER_MS)
        return await self.press(*word, "enter")

    async def look(self) -> str:
        """Let all that is under way come to its end, draw all that is on the screen, and give the screen."""
        await self.pilot.pause()
        while self.app.presses.deciding:
            # A key that sends waits whether another follows.
            await self.pilot.pause(0.01)
        for _ in range(BACKGROUND_FRAME_INTERVAL):
            self.app.frame()
        await self.pilot.pause()
        for screen in self.app.screen_stack:
            # Textual repaints on a timer of its own; what is read here must not depend on whether that has come.
            screen._styles_cache.clear()
        return self.text()

    async def wait(self, seen: Callable[[str], bool]) -> str:
        """Wait for what Textual does on timers of its own, and give the screen; fail with the screen otherwise."""
        screen = await self.look()
        for _ in range(500):
            if seen(screen):
                return screen
            await self.pilot.pause(0.01)
            screen = await self.look()
        raise AssertionError(f"never seen; the screen was:\n{screen}")

    def text(self) -> str:
        """Return what stands on the screen, line by line."""
        return "\n".join(strip.text.rstrip() for strip in self.app.screen._compositor.render_strips())

    def lines(self) -> list[str]:
        """Return the lines of the screen."""
        return self.text().split("\n")

    async def wait_to_arm(self) -> str:
        """Let the time pass after which Enter sends."""
        self.timer.advance(ARM_DELAY_MS)
        return await self.look()


@asynccontextmanager
async def trading(
    desk: FakeDesk | None = None,
    size: tuple[int, int] = USUAL,
    *,
    ui_settings: UiSettings = USUAL_UI_SETTINGS,
) -> AsyncIterator[Trader]:
    """Run the app over a desk of the test's own; its own frame tick is stopped, the test draws the frames."""
    clock, timer = (desk.clock if desk else Clock()), Clock(0)
    desk = desk or FakeDesk(clock)
    app = DeskApp(desk, clock_ms=clock, timer_ms=timer, ui_settings=ui_settings)
    async with app.run_test(size=size) as pilot:
        for each in list(app._timers):
            if each.name == "frame":
                each.stop()
        trader = Trader(app, desk, clock, timer, pilot)
        await trader.look()
        yield trader


def said(screen: str) -> str:
    """Return the words in the box in front, without frame and line breaks."""
    lines = screen.split("\n")
    top = max(number for number, text in enumerate(lines) if "╭─ PRACTICE" in text)
    left = lines[top].index("╭─ PRACTICE")
    right = lines[top].index("╮", left)
    return " ".join(" ".join(text[left + 1 : right] for text in lines[top + 1 :]).split())
