"""Files are replaced all or none, as a whole, with their rights, and never outside of their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.definition.replacing import replace_files
from core.errors import Refused


def state(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site" / "tables").mkdir(parents=True)
    for name in ("one", "two"):
        (tmp_path / "site" / "tables" / f"{name}.yaml").write_text(name)
    return tmp_path / "site"


def test_files_are_written_made_and_removed(site: Path) -> None:
    (site / "tables/one.yaml").chmod(0o640)
    replace_files(site, {site / "tables/one.yaml": "1\r\n", site / "new/three.yaml": "三", site / "tables/two.yaml": None})
    assert state(site) == {"new/three.yaml": "三", "tables/one.yaml": "1\n"}        # as Python reads line breaks
    assert (site / "tables/one.yaml").read_bytes() == b"1\r\n"
    assert (site / "tables/one.yaml").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("fails", [1, 2])
def test_a_failure_leaves_all_as_it_was(site: Path, monkeypatch: pytest.MonkeyPatch, fails: int) -> None:
    before, replace, done = state(site), os.replace, []

    def failing(old: Path, new: Path) -> None:
        done.append(new)
        if len(done) == fails:
            raise OSError("the disk is full")
        replace(old, new)
    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="the disk is full"):
        replace_files(site, {site / "tables/one.yaml": "1", site / "tables/three.yaml": "3", site / "tables/two.yaml": "2"})
    assert state(site) == before and not list(site.rglob(".*"))


@pytest.mark.parametrize("name", ["../out.yaml", "link/out.yaml", "out.yaml"])
def test_what_leads_out_is_refused_before_anything_is_written(site: Path, name: str) -> None:
    outside = site.parent / "site-evil"
    outside.mkdir()
    (site / "link").symlink_to(outside)
    (site / "out.yaml").symlink_to(outside / "out.yaml")
    before = state(site.parent)
    with pytest.raises(Refused, match="leads out of"):
        replace_files(site, {site / "tables/one.yaml": "1", site / name: "x"})
    assert state(site.parent) == before


def test_a_link_within_the_folder_stays_one(site: Path) -> None:
    (site / "same.yaml").symlink_to(site / "tables/one.yaml")
    replace_files(site, {site / "same.yaml": "1"})
    assert (site / "same.yaml").is_symlink() and (site / "tables/one.yaml").read_text() == "1"
