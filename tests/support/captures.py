"""Frames and replies of the real exchange, where they are at hand, and one file for each kind of frame."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures"
FRAMES = Path(__file__).resolve().parents[1] / "kalshi" / "wire" / "frames"


def capture(name: str) -> Path:
    """Return a captured file, or skip the test where the captures are absent."""
    path = CAPTURES / name
    if not path.is_file():
        pytest.skip(f"the captures are not here: {path}")
    return path


def captured_frames() -> list[dict[str, Any]]:
    with capture("ws_orderbook_stream.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line)["frame"] for line in lines]


def frame_files() -> Iterator[Path]:
    return iter(sorted(FRAMES.glob("*.json")))
