"""The working files: a change is seen by time, size or number; the copy holds what the folder holds."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from core.bm.working import copy, stamps
from core.errors import Refused


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def inside(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_every_kind_of_change_is_seen(tmp_path: Path) -> None:
    one = write(tmp_path / "tables" / "a.yaml", "a")
    seen = [stamps([tmp_path])]
    one.write_text("longer")
    seen.append(stamps([tmp_path]))
    new = write(tmp_path / "tables" / ".a.swp", "longer")  # as editors save: a new file takes the name
    os.utime(new, ns=(one.stat().st_atime_ns, one.stat().st_mtime_ns))
    new.rename(one)
    seen.append(stamps([tmp_path]))
    one.rename(tmp_path / "tables" / "b.yaml")
    seen.append(stamps([tmp_path]))
    (tmp_path / "tables" / "b.yaml").unlink()
    seen.append(stamps([tmp_path]))
    assert all(before != after for before, after in pairwise(seen))


def test_hidden_files_and_what_python_makes_are_no_working_files(tmp_path: Path) -> None:
    before = stamps([tmp_path])
    write(tmp_path / ".git" / "index", "x")
    write(tmp_path / ".base", "x")
    write(tmp_path / "__pycache__" / "plugin.pyc", "x")
    assert stamps([tmp_path]) == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=f"{tmp_path}/none: cannot be read: No such file"):
        stamps([tmp_path / "none"])


def test_the_copy_follows_the_folder_and_keeps_its_own_base(tmp_path: Path) -> None:
    folder, to = tmp_path / "site", tmp_path / "copy"
    write(folder / "tables" / "a.yaml", "a")
    write(folder / ".base", "live's")
    copy(folder, to)
    assert inside(to) == {"tables/a.yaml": "a"}
    write(to / ".base", "its own")
    (folder / "tables" / "a.yaml").unlink()
    (folder / "tables").rmdir()
    write(folder / "tables", "a file by the name of a folder")
    write(folder / "forms" / "b.xml", "b")
    copy(folder, to)
    assert inside(to) == {"tables": "a file by the name of a folder", "forms/b.xml": "b", ".base": "its own"}
    (folder / "forms" / "b.xml").unlink()
    (folder / "tables").unlink()
    write(folder / "tables" / "c.yaml", "c")
    copy(folder, to)
    assert inside(to) == {"tables/c.yaml": "c", ".base": "its own"}
    assert inside(folder) == {"tables/c.yaml": "c", ".base": "live's"}
