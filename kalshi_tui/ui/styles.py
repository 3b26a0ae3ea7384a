"""Finding the style sheets: inside the wheel they lie in the package, in a checkout beside it."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def stylesheet_path(name: str) -> Path:
    """Return the path of one screen's style sheet. Raises FileNotFoundError for an installation that is not whole."""
    for folder in (_PACKAGE / "styles", _PACKAGE.parent / "styles"):
        path = folder / f"{name}.tcss"
        if path.is_file():
            return path
    raise FileNotFoundError(f"The style sheet {name}.tcss is missing: install kalshi-tui again.")
