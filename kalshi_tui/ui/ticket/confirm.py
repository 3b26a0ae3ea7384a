"""The step that sends: an armed key, questions to confirm, one request, and its outcome."""

import logging
from abc import abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import ClassVar, Final

from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.presentation.lines import Span, Tone
from kalshi_tui.session.execution.risk_checks import OverrideMethod, Risk, RiskViolation
from kalshi_tui.session.interface import OrderResult, TradingSession
from kalshi_tui.session.notices import Severity
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.dialogs.word import WordScreen
from kalshi_tui.ui.key_presses import REPEAT_MS, SEEN_MS, presses_of
from kalshi_tui.ui.widgets.command_screen import CommandModal

ARM_DELAY_MS: Final = REPEAT_MS
"""How long after the last Enter it sends: longer than a held key waits before it repeats."""
SEND_KEY: Final = "enter"
_log: Final = logging.getLogger("kalshi_tui.ui")


class TicketStep(Enum):
    """How far an order under review has come."""

    EDITING = "writing"
    REVIEW = "review"
    SENDING = "sending"
    DONE = "done"


class ConfirmScreen(CommandModal[bool]):
    """Sends at most once. A subclass says which risks there are, and how to send.

    ``timer_ms`` is a clock that never jumps: a step of the wall clock must not arm the key.
    """

    CONFIRM_VERB: ClassVar[str] = "Send"
    """What is asked about, before the words of what is sent."""

    def __init__(
        self, session: TradingSession, timer_ms: Callable[[], int], step: TicketStep = TicketStep.REVIEW
    ) -> None:
        super().__init__(session)
        self._timer_ms = timer_ms
        self.ticket_step = step
        self._armed_at_ms = timer_ms() + ARM_DELAY_MS
        self._outcome: OrderResult | None = None
        self._internal_error = ""
        self._ignored = ""
        """Why the last Enter did not count, shown until the next one would."""
        self.violations: list[RiskViolation] = []
        """What spoke against it when it was last looked at."""

    # For subclasses. Textual has a metaclass of its own, so that ABC cannot be a base: mypy holds them to be there.

    @abstractmethod
    def find_violations(self) -> list[RiskViolation]:
        """Return the risk violations of now, the most serious first."""

    def block_reason(self) -> str:
        """Return a reason that no answer can override, risk checks aside; empty if there is none."""
        return ""

    @abstractmethod
    def order_text(self) -> str:
        """Return what is sent, in the trader's words."""

    @abstractmethod
    def ticker(self) -> str:
        """Return the order's market, by its ticker."""

    @abstractmethod
    async def send_request(self, agreed: frozenset[Risk]) -> OrderResult:
        """Send it."""

    @abstractmethod
    def draw(self) -> None:
        """Draw everything."""

    # Shared.

    @property
    def armed(self) -> bool:
        """Whether Enter sends now; while one is handled, whether it did when that one was pressed.

        A terminal that tells when a key is released need not be waited for as long as a held key pauses.
        """
        presses = presses_of(self.app).presses
        press = presses.handling
        if press is not None and press.key == SEND_KEY:
            at_ms, released_ms, is_unseen = press.at_ms, press.released_ms, press.unseen
        else:
            at_ms, released_ms, is_unseen = self._timer_ms(), presses.released_ms(SEND_KEY), presses.is_unseen()
        from_ms = self._armed_at_ms
        if released_ms is not None:
            from_ms = min(from_ms, max(from_ms - ARM_DELAY_MS, released_ms) + SEEN_MS)
        return self.ticket_step is TicketStep.REVIEW and at_ms >= from_ms and not is_unseen

    def blocked_reason(self) -> str:
        """Return why it cannot be sent at all, by the last check; empty if it can."""
        if self.session.read_only_reason:
            return self.session.read_only_reason
        never = next((each.sentence for each in self.violations if each.override is OverrideMethod.NEVER), "")
        return self.block_reason() or never

    def arming_words(self, armed: str) -> list[Span]:
        """Return a sentence that says whether Enter sends now and, if not, why the last one did not."""
        if self.armed:
            return [Span(armed, Tone.GOOD)]
        return [Span(f"arming... {self._ignored}".rstrip(), Tone.WARN)]

    def send(self) -> None:
        """Send, once every risk is confirmed. Only called while armed, by the command table."""
        self.decide(lambda: self._confirm_violations(frozenset()), self._ignore)

    def _ignore(self, why: str) -> None:
        self._ignored = why
        self._restart_arming()

    def _restart_arming(self) -> None:
        if self.ticket_step is TicketStep.REVIEW:
            self._armed_at_ms = self._timer_ms() + ARM_DELAY_MS
            self.draw()

    def _confirm_violations(self, agreed: frozenset[Risk]) -> None:
        """Ask about the most serious risk that is not confirmed; all are checked again after each answer."""
        if self.ticket_step is not TicketStep.REVIEW:
            return
        self.violations = self.find_violations()
        left = [each for each in self.violations if each.risk not in agreed]
        if self.blocked_reason():
            self.show_reason("")
        elif not left:
            self._start_sending(agreed)
        else:

            def answered(yes: bool | None) -> None:
                if yes:
                    self._confirm_violations(agreed | {left[0].risk})
                else:
                    self.show_reason("")

            self.app.push_screen(self._question(left[0]), answered)

    def _question(self, violation: RiskViolation) -> AskScreen | WordScreen:
        sentence = f"{violation.sentence} {self.CONFIRM_VERB} {self.order_text()} in {self.ticker()} all the same?"
        if violation.override is OverrideMethod.WORD:
            return WordScreen(self.session, "a word before it is sent", sentence, violation.word)
        return AskScreen(self.session, "a question before it is sent", sentence, self._timer_ms)

    def _start_sending(self, agreed: frozenset[Risk]) -> None:
        self.ticket_step = TicketStep.SENDING
        self.app.run_worker(self._send(agreed), name="send", exit_on_error=False)
        self.draw()

    def show_reason(self, reason: str) -> None:
        """Treat an early Enter as a held key, and start the wait again; it is not logged."""
        press = presses_of(self.app).presses.latest
        # Without a reason it is armed for the first time, or again after an answer.
        self._ignored = press.ignored if reason and press is not None and not self.blocked_reason() else ""
        self._restart_arming()

    async def _send(self, agreed: frozenset[Risk]) -> None:
        """Send, and show the outcome. A defect inside the program leaves it unknown, and the screen says so."""
        try:
            self._outcome = await self.send_request(agreed)
        except Exception as error:  # noqa: BLE001 - a defect must neither end the program nor look like a rejection
            _log.exception("Sending failed inside the program.")
            self._internal_error = (
                f"{self.order_text()} in {self.ticker()} may or may not be live: sending failed inside the program "
                f"({type(error).__name__}). Look at the orders before you send it again."
            )
            sentence = f"{OrderState.UNKNOWN.name}: {self._internal_error}"
            self.session.store.notify(Severity.ERROR, sentence, self.ticker())
        self.ticket_step = TicketStep.DONE
        if self.is_running:
            self.draw()

    def latest_order(self, sent: Order) -> Order:
        """Return the order as the store knows it: a resting one may have filled since."""
        return self.session.store.known_order(sent)
