"""The last step before anything leaves: a key that arms, questions to be passed, one sending, and its outcome."""

import logging
from collections.abc import Callable
from typing import ClassVar, Final

from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.presentation.lines import Span, Tone
from kalshi_tui.session.execution.risk_checks import Objection, Passing
from kalshi_tui.session.interface import Desk, Outcome
from kalshi_tui.session.notices import Weight
from kalshi_tui.ui.availability import Stage
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.dialogs.word import WordScreen
from kalshi_tui.ui.key_presses import REPEAT_MS, presses_of
from kalshi_tui.ui.widgets.command_screen import CommandModal

ARMS_AFTER_MS: Final = REPEAT_MS
"""How long after the last Enter it sends: longer than a held key waits before it repeats."""
_log: Final = logging.getLogger("kalshi_tui.ui")


class ConfirmScreen(CommandModal[bool]):
    """Sends at most once. A screen of this kind says what speaks against it, and what sending is.

    ``timer_ms`` is a clock that never jumps: a step of the wall clock must not arm the key.
    """

    VERB: ClassVar[str] = "Send"
    """What is asked about, before the words of what is sent."""

    def __init__(self, desk: Desk, timer_ms: Callable[[], int], stage: Stage = Stage.REVIEW) -> None:
        super().__init__(desk)
        self._timer_ms = timer_ms
        self._stage = stage
        self._arms_ms = timer_ms() + ARMS_AFTER_MS
        self._outcome: Outcome | None = None
        self._defect = ""
        self._ignored = ""
        """Why the last Enter did not count, shown until the next one would."""
        self.against: list[Objection] = []
        """What spoke against it when it was last looked at."""

    # What a screen of this kind says.

    def objections(self) -> list[Objection]:
        """Give what speaks against it now, the gravest first."""
        raise NotImplementedError

    def forbidden(self) -> str:
        """Say what no answer can pass, objections aside; empty if nothing."""
        return ""

    def words(self) -> str:
        """Say in the trader's words what is sent."""
        raise NotImplementedError

    async def carry_out(self, agreed: frozenset[str]) -> Outcome:
        """Send it."""
        raise NotImplementedError

    def draw(self) -> None:
        """Draw everything."""
        raise NotImplementedError

    # What they share.

    @property
    def armed(self) -> bool:
        """Whether Enter sends now."""
        return self._stage is Stage.REVIEW and self._timer_ms() >= self._arms_ms

    def barred(self) -> str:
        """Say why it cannot be sent at all, as last looked at; empty if it can."""
        if self.desk.read_only:
            return self.desk.read_only
        never = next((each.sentence for each in self.against if each.passing is Passing.NEVER), "")
        return self.forbidden() or never

    def arming_words(self, armed: str) -> list[Span]:
        """Say whether Enter sends now, and if not, why the last one did not."""
        if self.armed:
            return [Span(armed, Tone.GOOD)]
        return [Span(f"arming... {self._ignored}".rstrip(), Tone.WARN)]

    def do_send(self) -> None:
        """Send, once all that speaks against it is passed. Only ever called armed: the table sees to that."""
        press = presses_of(self.app).presses.latest
        if press is not None and press.at_ms < self._arms_ms:
            # It was pressed before Enter was said to send, and came late.
            self._ignore(press.ignored)
            return
        self.decide(lambda: self._pass(frozenset()), self._ignore)

    def _ignore(self, why: str) -> None:
        self._ignored = why
        self._arm_anew()

    def _arm_anew(self) -> None:
        if self._stage is Stage.REVIEW:
            self._arms_ms = self._timer_ms() + ARMS_AFTER_MS
            self.draw()

    def _pass(self, agreed: frozenset[str]) -> None:
        """Ask about the gravest objection that is not passed; all are read anew after each answer."""
        if self._stage is not Stage.REVIEW:
            return
        self.against = self.objections()
        left = [each for each in self.against if each.id not in agreed]
        if self.barred():
            self.refuse("")
        elif not left:
            self._begin(agreed)
        else:

            def answered(yes: bool | None) -> None:
                if yes:
                    self._pass(agreed | {left[0].id})
                else:
                    self.refuse("")

            self.app.push_screen(self._question(left[0]), answered)

    def _question(self, objection: Objection) -> AskScreen | WordScreen:
        sentence = f"{objection.sentence} {self.VERB} {self.words()} all the same?"
        if objection.passing is Passing.WORD:
            return WordScreen(self.desk, "a word before it is sent", sentence, objection.word)
        return AskScreen(self.desk, "a question before it is sent", sentence, self._timer_ms)

    def _begin(self, agreed: frozenset[str]) -> None:
        self._stage = Stage.SENDING
        self.app.run_worker(self._send(agreed), name="send", exit_on_error=False)
        self.draw()

    def refuse(self, why: str) -> None:
        """Take an Enter before its time for a held key, and wait anew; it is no news for the log."""
        press = presses_of(self.app).presses.latest
        # Without a reason it is armed for the first time, or anew after an answer.
        self._ignored = press.ignored if why and press is not None and not self.barred() else ""
        self._arm_anew()

    async def _send(self, agreed: frozenset[str]) -> None:
        """Send, and show what became of it. Whatever goes wrong inside the program leaves an unknown state, said so."""
        try:
            self._outcome = await self.carry_out(agreed)
        except Exception as error:  # noqa: BLE001 - a defect must neither end the program nor pass for a refusal
            _log.exception("Sending failed inside the program.")
            self._defect = (
                f"{self.words()} may or may not be live: sending failed inside the program "
                f"({type(error).__name__}). Look at the orders before you send it again."
            )
            self.desk.store.notify(Weight.ERROR, f"{OrderState.UNKNOWN.name}: {self._defect}")
        self._stage = Stage.DONE
        if self.is_running:
            self.draw()

    def latest(self, sent: Order) -> Order:
        """Give the order as the store knows it by now: a resting one may have filled since."""
        return self.desk.store.known_order(sent)
