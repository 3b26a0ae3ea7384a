"""The colours, in several sets. Colour never speaks alone, so that each set may be told apart by other means too."""

from typing import Final

from textual.theme import Theme

VARIABLES: Final = (
    "bid",
    "ask",
    "bid-bar",
    "ask-bar",
    "bar-text",
    "own",
    "cursor-line",
    "cursor-resting",
    "venue-text",
)
"""Colours of ours that the style sheets use; each set defines all of them."""


def _theme(name: str, colours: dict[str, str], own: dict[str, str], *, dark: bool) -> Theme:
    return Theme(
        name=name,
        primary=colours["primary"],
        secondary=colours["secondary"],
        accent=colours["accent"],
        warning=colours["warning"],
        error=colours["error"],
        success=colours["success"],
        foreground=colours["foreground"],
        background=colours["background"],
        surface=colours["surface"],
        panel=colours["panel"],
        dark=dark,
        variables=own,
    )


THEMES: Final = (
    _theme(
        "desk",
        {
            "primary": "#5fafd7", "secondary": "#87afaf", "accent": "#d7af5f", "warning": "#d7af00",
            "error": "#ff8787", "success": "#87d787", "foreground": "#d0d0d0", "background": "#101418",
            "surface": "#161b20", "panel": "#1e252c",
        },
        {
            "bid": "#5fafff", "ask": "#ffaf5f", "bid-bar": "#1c3a55", "ask-bar": "#4f3418", "bar-text": "#d0d0d0",
            "own": "#ffd75f", "cursor-line": "#2e4a5e", "cursor-resting": "#232b33", "venue-text": "#101418",
        },
        dark=True,
    ),
    _theme(
        "paper",
        {
            "primary": "#005f87", "secondary": "#4e6e6e", "accent": "#875f00", "warning": "#875f00",
            "error": "#af0000", "success": "#006b1f", "foreground": "#1c1c1c", "background": "#f7f5f0",
            "surface": "#eeebe4", "panel": "#e2ded4",
        },
        {
            "bid": "#00509e", "ask": "#9a4b00", "bid-bar": "#bcd6ef", "ask-bar": "#f0d2b0", "bar-text": "#1c1c1c",
            "own": "#7a0078", "cursor-line": "#c3d7e4", "cursor-resting": "#dbd7cd", "venue-text": "#ffffff",
        },
        dark=False,
    ),
    _theme(
        "safe",
        {
            # Blue and orange alone: good and bad too are told apart by anybody.
            "primary": "#56b4e9", "secondary": "#999999", "accent": "#f0e442", "warning": "#e69f00",
            "error": "#ff9e4a", "success": "#56b4e9", "foreground": "#d8d8d8", "background": "#0f1216",
            "surface": "#161a1f", "panel": "#20262d",
        },
        {
            "bid": "#56b4e9", "ask": "#e69f00", "bid-bar": "#123f5c", "ask-bar": "#553a00", "bar-text": "#e4e4e4",
            "own": "#f0e442", "cursor-line": "#33475a", "cursor-resting": "#262c33", "venue-text": "#0f1216",
        },
        dark=True,
    ),
    _theme(
        "contrast",
        {
            "primary": "#00d7ff", "secondary": "#ffffff", "accent": "#ffff00", "warning": "#ffff00",
            "error": "#ff5f5f", "success": "#00ff5f", "foreground": "#ffffff", "background": "#000000",
            "surface": "#000000", "panel": "#1a1a1a",
        },
        {
            "bid": "#5fd7ff", "ask": "#ffd787", "bid-bar": "#003c6b", "ask-bar": "#5c3a00", "bar-text": "#ffffff",
            "own": "#ffff00", "cursor-line": "#004b7a", "cursor-resting": "#303030", "venue-text": "#000000",
        },
        dark=True,
    ),
)  # fmt: skip
NAMES: Final = tuple(theme.name for theme in THEMES)
