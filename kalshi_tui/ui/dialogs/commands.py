"""The commands of the small screens over the desk: questions, texts to be typed or read, the welcome."""

from typing import Final

from kalshi_tui.ui.command import Command, CommandGroup, Scope
from kalshi_tui.ui.dialogs.alert import AlertScreen
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.dialogs.naming import TextPromptScreen
from kalshi_tui.ui.dialogs.reading import TextScreen
from kalshi_tui.ui.dialogs.too_small import TooSmallScreen
from kalshi_tui.ui.dialogs.welcome import WelcomeScreen
from kalshi_tui.ui.dialogs.word import WordScreen

ASK_COMMANDS: Final[tuple[Command[AskScreen], ...]] = (
    Command(
        "yes",
        "y",
        lambda question: question.answer(1),
        "Yes",
        "Yes. Enter is no answer: a held key must not decide.",
        Scope.ASK,
        in_bar=True,
    ),
    Command("no", "n,escape", lambda question: question.answer(0), "No", "No: go back.", Scope.ASK, in_bar=True),
)
WORD_COMMANDS: Final[tuple[Command[WordScreen], ...]] = (
    Command(
        "confirm-word",
        "enter",
        WordScreen.confirm,
        "Go on",
        "Go on, once the word is typed.",
        Scope.WORD,
        in_bar=True,
        in_palette=False,
    ),
    Command(
        "leave-word",
        "escape",
        WordScreen.go_back,
        "Back",
        "Go back; nothing is sent.",
        Scope.WORD,
        in_bar=True,
        in_palette=False,
    ),
)
WELCOME_COMMANDS: Final[tuple[Command[WelcomeScreen], ...]] = (
    Command(
        "trade",
        "b",
        WelcomeScreen.start_first_trade,
        "Buy one",
        "Open a ticket to buy one contract.",
        Scope.WELCOME,
        in_bar=True,
    ),
    Command(
        "look", "enter,escape", WelcomeScreen.look_around, "Look around", "Go to the desk.", Scope.WELCOME, in_bar=True
    ),
)
NAME_COMMANDS: Final[tuple[Command[TextPromptScreen], ...]] = (
    Command(
        "take-name",
        "enter",
        TextPromptScreen.accept,
        "Take it",
        "Take what is typed.",
        Scope.NAME,
        in_bar=True,
        in_palette=False,
    ),
    Command(
        "leave-name",
        "escape",
        TextPromptScreen.go_back,
        "Back",
        "Go back; nothing changes.",
        Scope.NAME,
        in_bar=True,
        in_palette=False,
    ),
)
ALERT_COMMANDS: Final[tuple[Command[AlertScreen], ...]] = (
    Command(
        "keep-alert",
        "enter",
        AlertScreen.save,
        "Keep",
        "Keep the alert, once it makes sense.",
        Scope.ALERT,
        in_bar=True,
        in_palette=False,
    ),
    Command(
        "leave-alert",
        "escape",
        AlertScreen.go_back,
        "Back",
        "Go back; no alert is made.",
        Scope.ALERT,
        in_bar=True,
        in_palette=False,
    ),
)
TEXT_COMMANDS: Final[tuple[Command[TextScreen], ...]] = (
    Command(
        "scroll-down",
        "j,down",
        lambda text: text.scroll_lines(1),
        "Down",
        "Scroll down.",
        Scope.HELP,
        in_bar=True,
        in_palette=False,
    ),
    Command(
        "scroll-up",
        "k,up",
        lambda text: text.scroll_lines(-1),
        "Up",
        "Scroll up.",
        Scope.HELP,
        in_bar=True,
        in_palette=False,
    ),
    Command(
        "scroll-page",
        "space,pagedown",
        lambda text: text.scroll_lines(15),
        "Page down",
        "Scroll a page down.",
        Scope.HELP,
        in_palette=False,
    ),
    Command(
        "scroll-back",
        "pageup",
        lambda text: text.scroll_lines(-15),
        "Page up",
        "Scroll a page up.",
        Scope.HELP,
        in_palette=False,
    ),
    Command(
        "close-help",
        "escape,q,question_mark",
        TextScreen.close,
        "Close",
        "Close the text.",
        Scope.HELP,
        in_bar=True,
        in_palette=False,
    ),
)
TOO_SMALL_COMMANDS: Final[tuple[Command[TooSmallScreen], ...]] = (
    Command(
        "small-quit",
        "q",
        TooSmallScreen.quit,
        "Quit",
        "End the program; asks if orders may be live.",
        Scope.TOO_SMALL,
    ),
    Command(
        "small-yes",
        "y",
        TooSmallScreen.confirm_quit,
        "Yes",
        "Quit though orders may be live.",
        Scope.TOO_SMALL,
        why_not=lambda screen: "" if screen.question_shown else "Nothing was asked.",
    ),
)

ASK_GROUP: Final = CommandGroup(Scope.ASK, AskScreen, ASK_COMMANDS)
WORD_GROUP: Final = CommandGroup(Scope.WORD, WordScreen, WORD_COMMANDS)
WELCOME_GROUP: Final = CommandGroup(Scope.WELCOME, WelcomeScreen, WELCOME_COMMANDS)
NAME_GROUP: Final = CommandGroup(Scope.NAME, TextPromptScreen, NAME_COMMANDS)
ALERT_GROUP: Final = CommandGroup(Scope.ALERT, AlertScreen, ALERT_COMMANDS)
TEXT_GROUP: Final = CommandGroup(Scope.HELP, TextScreen, TEXT_COMMANDS)
TOO_SMALL_GROUP: Final = CommandGroup(Scope.TOO_SMALL, TooSmallScreen, TOO_SMALL_COMMANDS)
