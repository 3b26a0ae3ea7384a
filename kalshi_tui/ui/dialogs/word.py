"""A question answered by typing a word: no held key and no habit can answer it."""

from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.command import Scope
from kalshi_tui.ui.dialogs.typed import PromptScreen
from kalshi_tui.ui.widgets.field import Field


class WordScreen(PromptScreen[bool]):
    """Shows a sentence and a field; dismissed with True once exactly the word is typed, with False by escape."""

    SCOPE = Scope.WORD

    def __init__(self, session: TradingSession, subject: str, prompt: str, word: str) -> None:
        super().__init__(session, subject, prompt, f"Type {word}, then Enter: ", Field(id="word", any_script=True))
        self._word = word

    def confirm(self) -> None:
        """Close with yes if the word is right; else say how it is written."""
        if self._field.value == self._word:
            self.decide(lambda: self.dismiss(True), self.show_error)
            return
        cased = self._field.value.lower() == self._word.lower()
        how = (
            f"Not quite: capital and small letters count. It is {self._word}."
            if cased
            else f"The word is {self._word}."
        )
        self.show_error(how)

    def go_back(self) -> None:
        """Close; nothing is sent."""
        self.dismiss(False)
