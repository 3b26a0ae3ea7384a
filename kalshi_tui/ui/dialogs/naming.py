"""A short text to be typed, such as a name: enter takes it when nothing speaks against it."""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from kalshi_tui.session.interface import Desk
from kalshi_tui.ui.commands import Scope, bindings
from kalshi_tui.ui.dialogs.typed import TypedScreen
from kalshi_tui.ui.widgets.field import Field


class NamingScreen(TypedScreen[str]):
    """Asks for a text. ``refuse`` says what is wrong with one; the result is empty if the trader went back."""

    SCOPE = Scope.NAME
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.NAME)

    def __init__(
        self,
        desk: Desk,
        subject: str,
        sentence: str,
        refuse: Callable[[str], str],
        *,
        longest: int,
        value: str = "",
        label: str = "Name: ",
    ) -> None:
        super().__init__(desk, subject, sentence, label, Field(id="name", longest=longest, value=value))
        self._refuse = refuse

    def do_take(self) -> None:
        """Close with the text; or say what is wrong with it."""
        if why := self._refuse(self._field.value):
            self.complain(why)
            return
        self.dismiss(self._field.value)

    def do_leave(self) -> None:
        """Close without."""
        self.dismiss("")
