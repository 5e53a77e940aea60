"""The folder in memory in which the server of a run of these tests lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import in_memory


def test_it_is_there_for_its_block(tmp_path: Path) -> None:
    with in_memory.folder(tmp_path, room=1) as found:
        assert found is not None and found.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), in_memory.folder(tmp_path, room=1):
        raise ValueError("broken")
    assert list(tmp_path.iterdir()) == []


def test_without_room_there_is_none(tmp_path: Path) -> None:
    with in_memory.folder(tmp_path, room=1 << 62) as found:
        assert found is None
    with in_memory.folder(tmp_path / "missing") as found:
        assert found is None


def test_what_a_killed_run_left_goes_and_what_is_in_use_stays(tmp_path: Path) -> None:
    left = tmp_path / f"{in_memory.NAMES}left"
    left.mkdir()
    (left / "used").touch()
    (tmp_path / "others").mkdir()
    with in_memory.folder(tmp_path, room=1) as first, in_memory.folder(tmp_path, room=1) as second:
        assert {*tmp_path.iterdir()} == {first, second, tmp_path / "others"}
