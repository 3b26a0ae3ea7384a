"""The color themes. Color never carries meaning alone, so every theme can be read without it."""

from collections.abc import Mapping
from typing import Final

from textual.theme import Theme

from kalshi_tui.ui.terminal_capabilities import has_few_colors

THEME_VARIABLES: Final = (
    "bid",
    "ask",
    "bid-bar",
    "ask-bar",
    "bar-text",
    "own",
    "cursor-line",
    "cursor-resting",
    "venue-text",
    "text-muted",
)
"""Colors that the style sheets use; each set defines all of them.

``text-muted`` is a name of Textual's. Its own value is what contrasts with the background, which the tones of a line do
not know: it would come out white in every theme, the light one too.
"""


def _make_theme(
    name: str, colors: dict[str, str], variables: dict[str, str], *, dark: bool, ansi: bool = False
) -> Theme:
    return Theme(
        name=name,
        ansi=ansi,
        primary=colors["primary"],
        secondary=colors["secondary"],
        accent=colors["accent"],
        warning=colors["warning"],
        error=colors["error"],
        success=colors["success"],
        foreground=colors["foreground"],
        background=colors["background"],
        surface=colors["surface"],
        panel=colors["panel"],
        dark=dark,
        variables=variables,
    )


THEMES: Final = (
    _make_theme(
        "desk",
        {
            "primary": "#5fafd7", "secondary": "#87afaf", "accent": "#d7af5f", "warning": "#d7af00",
            "error": "#ff8787", "success": "#87d787", "foreground": "#d0d0d0", "background": "#101418",
            "surface": "#161b20", "panel": "#1e252c",
        },
        {
            "bid": "#5fafff", "ask": "#ffaf5f", "bid-bar": "#1c3a55", "ask-bar": "#4f3418", "bar-text": "#d0d0d0",
            "own": "#ffd75f", "cursor-line": "#2e4a5e", "cursor-resting": "#232b33", "venue-text": "#101418",
            "text-muted": "#b0b5ba",
        },
        dark=True,
    ),
    _make_theme(
        "paper",
        {
            "primary": "#005f87", "secondary": "#4e6e6e", "accent": "#875f00", "warning": "#875f00",
            "error": "#af0000", "success": "#006b1f", "foreground": "#1c1c1c", "background": "#f7f5f0",
            "surface": "#eeebe4", "panel": "#e2ded4",
        },
        {
            "bid": "#00509e", "ask": "#9a4b00", "bid-bar": "#bcd6ef", "ask-bar": "#f0d2b0", "bar-text": "#1c1c1c",
            "own": "#7a0078", "cursor-line": "#c3d7e4", "cursor-resting": "#dbd7cd", "venue-text": "#ffffff",
            "text-muted": "#505050",
        },
        dark=False,
    ),
    _make_theme(
        "safe",
        {
            # Blue and orange alone, which color-blind people tell apart too.
            "primary": "#56b4e9", "secondary": "#999999", "accent": "#f0e442", "warning": "#e69f00",
            "error": "#ff9e4a", "success": "#56b4e9", "foreground": "#d8d8d8", "background": "#0f1216",
            "surface": "#161a1f", "panel": "#20262d",
        },
        {
            "bid": "#56b4e9", "ask": "#e69f00", "bid-bar": "#123f5c", "ask-bar": "#553a00", "bar-text": "#e4e4e4",
            "own": "#f0e442", "cursor-line": "#33475a", "cursor-resting": "#262c33", "venue-text": "#0f1216",
            "text-muted": "#b2b6ba",
        },
        dark=True,
    ),
    _make_theme(
        "contrast",
        {
            "primary": "#00d7ff", "secondary": "#ffffff", "accent": "#ffff00", "warning": "#ffff00",
            "error": "#ff5f5f", "success": "#00ff5f", "foreground": "#ffffff", "background": "#000000",
            "surface": "#000000", "panel": "#1a1a1a",
        },
        {
            "bid": "#5fd7ff", "ask": "#ffd787", "bid-bar": "#003c6b", "ask-bar": "#5c3a00", "bar-text": "#ffffff",
            "own": "#ffff00", "cursor-line": "#004b7a", "cursor-resting": "#303030", "venue-text": "#000000",
            "text-muted": "#d0d0d0",
        },
        dark=True,
    ),
    _make_theme(
        "sixteen",
        {
            # The terminal's own colors, by their numbers. Consoles have but the first eight as backgrounds.
            "primary": "ansi_bright_cyan", "secondary": "ansi_white", "accent": "ansi_bright_yellow",
            "warning": "ansi_bright_yellow", "error": "ansi_bright_red", "success": "ansi_bright_green",
            "foreground": "ansi_white", "background": "ansi_black", "surface": "ansi_black", "panel": "ansi_black",
        },
        {
            "bid": "ansi_bright_cyan", "ask": "ansi_bright_yellow", "bid-bar": "ansi_blue", "ask-bar": "ansi_red",
            "bar-text": "ansi_bright_white", "own": "ansi_bright_magenta", "cursor-line": "ansi_blue",
            "cursor-resting": "ansi_black", "venue-text": "ansi_black",
            # What Textual would give the terminal's default colors, or none.
            "ansi-background": "ansi_black", "ansi-foreground": "ansi_white", "border-blurred": "ansi_white",
            "text": "ansi_white", "text-muted": "ansi_white", "text-disabled": "ansi_white", "surface": "ansi_black",
            "panel": "ansi_black", "boost": "ansi_black", "foreground-muted": "ansi_white",
            "block-cursor-foreground": "ansi_bright_white", "block-cursor-background": "ansi_blue",
            "input-cursor-background": "ansi_white", "input-cursor-foreground": "ansi_black",
            "input-selection-background": "ansi_cyan", "input-selection-foreground": "ansi_black",
        },
        dark=True,
        ansi=True,
    ),
)  # fmt: skip
THEME_NAMES: Final = tuple(theme.name for theme in THEMES)
AUTO_THEME: Final = "auto"
"""The setting that leaves the choice to what the terminal can show."""


def choose_theme(setting: str, environment: Mapping[str, str]) -> str:
    """Return the theme of the settings; with "auto", one that the terminal can show."""
    if setting != AUTO_THEME:
        return setting
    return "sixteen" if has_few_colors(environment) else THEME_NAMES[0]
