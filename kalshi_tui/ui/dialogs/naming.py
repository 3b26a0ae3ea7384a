"""A dialog for a short text, such as a name; Enter accepts it if it is valid."""

from collections.abc import Callable

from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.command import Scope
from kalshi_tui.ui.dialogs.typed import PromptScreen
from kalshi_tui.ui.widgets.field import Field


class TextPromptScreen(PromptScreen[str]):
    """Asks for a text. A validator says what is wrong with one; the result is empty if the trader went back."""

    SCOPE = Scope.NAME

    def __init__(
        self,
        session: TradingSession,
        subject: str,
        prompt: str,
        validate: Callable[[str], str],
        *,
        max_length: int,
        value: str = "",
        label: str = "Name: ",
    ) -> None:
        super().__init__(session, subject, prompt, label, Field(id="name", max_length=max_length, value=value))
        self._validate_text = validate

    def accept(self) -> None:
        """Close with the text; if it is invalid, say why."""
        if why := self._validate_text(self._field.value):
            self.show_error(why)
            return
        self.dismiss(self._field.value)

    def go_back(self) -> None:
        """Close without."""
        self.dismiss("")
