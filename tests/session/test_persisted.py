"""What outlives the program: written whole, for its owner alone, and never lost to a broken file."""

import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, strategies as st

from kalshi_tui.session.persisted import MAX_FILE_BYTES, PersistedFile


class Lists(msgspec.Struct, frozen=True):
    names: tuple[str, ...] = ()


def test_what_is_written_is_read_again_by_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert PersistedFile(folder, "lists.json", Lists).write(Lists(("Fed", "Weather"))) == ""
    assert PersistedFile(folder, "lists.json", Lists).read() == (Lists(("Fed", "Weather")), "")
    assert stat.S_IMODE((folder / "lists.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [each.name for each in folder.iterdir()] == ["lists.json"]


def test_nothing_is_there_at_first(tmp_path: Path) -> None:
    assert PersistedFile(tmp_path, "lists.json", Lists).read() == (Lists(), "")


def test_without_a_folder_nothing_is_kept() -> None:
    kept = PersistedFile(None, "lists.json", Lists)
    assert kept.write(Lists(("Fed",))) == ""
    assert kept.read() == (Lists(), "")


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b'{"names": 3}', b"\xff\xfe", b"[" * 200_000, b"9" * (MAX_FILE_BYTES + 5)]
)
def test_a_file_that_is_broken_is_put_aside_and_told(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "lists.json").write_bytes(text)
    kept = PersistedFile(tmp_path, "lists.json", Lists)
    value, sentence = kept.read()
    assert value == Lists()
    assert "cannot be understood" in sentence
    assert "lists.json.broken" in sentence
    assert kept.write(Lists(("Fed",))) == ""
    assert (tmp_path / "lists.json.broken").read_bytes() == text


class Item(msgspec.Struct, frozen=True):
    name: str
    size: int = 0


class Items(msgspec.Struct, frozen=True):
    items: tuple[Item, ...] = ()
    shown: str = "all"


def test_an_item_that_cannot_be_understood_costs_itself_alone(tmp_path: Path) -> None:
    text = b'{"items": [{"name": "a"}, {"name": null}, {"name": "b", "size": "x"}, {"name": "c"}], "shown": 3}'
    (tmp_path / "items.json").write_bytes(text)
    kept = PersistedFile(tmp_path, "items.json", Items)
    value, _ = kept.read()
    for _ in range(2):
        # The next start finds the same file, and puts it aside no second time.
        value, sentence = kept.read()
        assert value == Items((Item("a"), Item("c")))
        assert "all but 3 items of it can be used; it is put aside as items.json.broken." in sentence
    assert {each.name for each in tmp_path.iterdir()} == {"items.json", "items.json.broken"}
    assert kept.write(value) == ""
    (tmp_path / "items.json").write_bytes(b"{")
    assert "items.json.broken2" in kept.read()[1]
    assert (tmp_path / "items.json.broken").read_bytes() == text


def test_a_file_that_cannot_be_put_aside_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError("no links here")

    (tmp_path / "lists.json").write_bytes(b"{")
    monkeypatch.setattr(Path, "hardlink_to", refused)
    kept = PersistedFile(tmp_path, "lists.json", Lists)
    assert "cannot be put aside" in kept.read()[1]
    assert "is left as it is" in kept.write(Lists(("Fed",)))
    assert (tmp_path / "lists.json").read_bytes() == b"{"


@given(text=st.binary(max_size=200))
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    folder = tmp_path_factory.mktemp("kept")
    (folder / "lists.json").write_bytes(text)
    value, sentence = PersistedFile(folder, "lists.json", Lists).read()
    assert isinstance(value, Lists)
    assert sentence or all(isinstance(name, str) for name in value.names)


def test_a_folder_that_takes_nothing_is_a_sentence_and_the_old_stays(tmp_path: Path) -> None:
    kept = PersistedFile(tmp_path, "lists.json", Lists)
    kept.write(Lists(("Fed",)))
    in_the_way = PersistedFile(tmp_path / "lists.json" / "below", "x.json", Lists)
    assert "could not be written" in in_the_way.write(Lists())
    assert kept.read() == (Lists(("Fed",)), "")


def test_what_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "lists.json").mkdir()
    value, sentence = PersistedFile(tmp_path, "lists.json", Lists).read()
    assert value == Lists()
    assert "cannot be read" in sentence
