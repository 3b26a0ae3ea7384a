"""What the desk does with the program itself: colors, link, rehearsals, palette, help, the end."""

from collections.abc import Callable, Collection
from typing import Final

from kalshi_tui.domain.text import LOCKED_KEY
from kalshi_tui.session.account.account_view import subaccount_text
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.practice_faults import PracticeFault
from kalshi_tui.ui.command import AnyCommand
from kalshi_tui.ui.desk.desk_view import DeskView
from kalshi_tui.ui.desk.questions import quit_question
from kalshi_tui.ui.desk.selection import DeskSelection
from kalshi_tui.ui.desk.status_view import link_text
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.dialogs.help import HelpScreen
from kalshi_tui.ui.dialogs.naming import TextPromptScreen
from kalshi_tui.ui.theme import THEME_NAMES

INVALID_CHOICE: Final = -1


def parse_subaccount_choice(typed: str, numbers: Collection[int]) -> int | None:
    """Return the number that was typed, None for all, `INVALID_CHOICE` for anything else."""
    word = typed.strip().lower()
    if word == "all":
        return None
    return int(word) if word.isascii() and word.isdecimal() and int(word) in numbers else INVALID_CHOICE


class ProgramController:
    """Carries out the commands that concern no market.

    ``availability`` returns the commands of the desk, each with the sentence why it does not work now.
    """

    def __init__(
        self,
        session: TradingSession,
        view: DeskView,
        selection: DeskSelection,
        availability: Callable[[], list[tuple[AnyCommand, str]]],
    ) -> None:
        self._session = session
        self._view = view
        self._selection = selection
        self._availability = availability

    def next_theme(self) -> None:
        """Take the next set of colors."""
        app = self._view.app
        place = THEME_NAMES.index(app.theme) + 1 if app.theme in THEME_NAMES else 0
        app.theme = THEME_NAMES[place % len(THEME_NAMES)]
        self._session.store.notify(
            Severity.INFO, f'Colors: {app.theme}. To keep them: theme = "{app.theme}" under [screen].'
        )

    def show_link(self) -> None:
        """Report the state of the connection; the top line has room for all of it only on a wide terminal."""
        self._session.store.notify(
            Severity.INFO,
            link_text(
                self._session.store.connection,
                self._session.link_metrics(),
                delayed=self._session.store.is_delayed,
            ),
        )

    def choose_subaccount(self) -> None:
        """Ask which subaccount to show and to send orders to, or all."""
        account = self._session.store.account
        view = account.view
        numbers = ", ".join(str(each) for each in view.numbers)

        def invalid(typed: str) -> str:
            if parse_subaccount_choice(typed, view.numbers) == INVALID_CHOICE:
                return f"There are {numbers}, or all."
            return ""

        def answered(typed: str | None) -> None:
            if typed:
                account.choose_subaccount(parse_subaccount_choice(typed, view.numbers))
                shown = "all subaccounts" if view.shows_all else subaccount_text(view.chosen)
                self._session.store.notify(
                    Severity.INFO, f"Shown: {shown}. Orders go to {subaccount_text(view.chosen)}."
                )

        prompt = (
            f"Which subaccount is shown, and gets your orders? There are {numbers}; 0 is the primary account. With all "
            f"every one is shown, and orders go to {subaccount_text(view.chosen)}."
        )
        self._view.app.push_screen(
            TextPromptScreen(self._session, "subaccount", prompt, invalid, max_length=4, label="Number or all: "),
            answered,
        )

    def no_subaccounts(self) -> str:
        """Return why there is none to choose."""
        view = self._session.store.account.view
        if view.is_locked:
            return LOCKED_KEY
        if view.several:
            return ""
        if unread := self._session.store.why_unread(AccountList.POSITIONS):
            return f"Your subaccounts are not known. {unread}"
        return "There is no subaccount beside the primary: 'kalshi-tui subaccounts' creates one."

    def rehearse(self, fault: PracticeFault) -> None:
        """Ask the practice exchange to simulate a fault."""
        self._session.inject_fault(fault, self._selection.ticker)

    def open_palette(self) -> None:
        """Find a command by its name."""
        self._view.app.action_command_palette()

    def show_help(self) -> None:
        """Show all keys."""
        self._view.app.push_screen(HelpScreen(self._session, self._selection.pane_name, self._availability()))

    def quit(self) -> None:
        """End the program; ask first if an order may be live."""
        live = len(self._session.store.working_orders())
        if not live:
            self._view.app.exit()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._view.app.exit()

        question = quit_question(
            live, leaves_nothing=self._session.cancels_on_quit, cash_left_text=self._session.cash_left_text
        )
        self._view.app.push_screen(AskScreen(self._session, "quit", question), answered)

    def no_market(self) -> str:
        """Return that no market is selected."""
        return self._selection.no_market_reason()
