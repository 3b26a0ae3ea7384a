"""Find the style sheets: in the package in a wheel, beside it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def stylesheet_path(name: str) -> Path:
    """Return the path of one screen's style sheet. Raises FileNotFoundError for an incomplete installation."""
    for folder in (_PACKAGE / "styles", _PACKAGE.parent / "styles"):
        path = folder / f"{name}.tcss"
        if path.is_file():
            return path
    raise FileNotFoundError(f"The style sheet {name}.tcss is missing: install kalshi-tui again.")
