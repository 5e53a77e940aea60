"""Set-up: done once, skipped while nothing changes, done again for what did change."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import setup, vendor


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Set-up of an empty folder that only notes what it would do."""
    done: list[str] = []
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "STAMP", tmp_path / "setup.json")
    monkeypatch.setattr(setup, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(setup, "_install", done.append)
    monkeypatch.setattr(setup, "_npm", lambda: done.append("npm"))
    monkeypatch.setattr(setup, "_run", lambda command, environ=None: done.append("vendor"))
    for name in ("requirements.txt", "requirements-dev.txt", "package.json", "package-lock.json"):
        (tmp_path / name).write_text("1")
    return done


def test_a_second_set_up_does_nothing(clone: list[str]) -> None:
    assert setup.main([]) == 0
    assert clone == ["requirements.txt", "npm", "vendor"]
    assert setup.main([]) == 0
    assert clone == ["requirements.txt", "npm", "vendor"]


def test_only_what_changed_is_done_again(clone: list[str], tmp_path: Path) -> None:
    setup.main([])
    clone.clear()
    (tmp_path / "requirements.txt").write_text("2")
    setup.main([])
    assert clone == ["requirements.txt"]
    clone.clear()
    (tmp_path / "package-lock.json").write_text("2")
    setup.main([])
    assert clone == ["npm", "vendor"]


def test_the_tools_of_development_come_on_top_and_stay(clone: list[str], tmp_path: Path) -> None:
    setup.main([])
    setup.main(["--dev"])
    assert clone == ["requirements.txt", "npm", "vendor", "requirements-dev.txt"]
    (tmp_path / "requirements.txt").write_text("2")
    setup.main([])
    assert clone[4:] == ["requirements-dev.txt"]


def test_a_step_that_fails_is_not_taken_for_done(clone: list[str], monkeypatch: pytest.MonkeyPatch,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise subprocess.CalledProcessError(1, ["npm", "ci"])
    monkeypatch.setattr(setup, "_npm", fail)
    assert setup.main([]) == 1
    assert "set-up failed:" in capsys.readouterr().err
    monkeypatch.setattr(setup, "_npm", lambda: clone.append("npm"))
    assert setup.main([]) == 0
    assert clone == ["requirements.txt", "npm", "vendor"]


def test_this_clone_is_set_up_in_under_two_seconds(project: Path) -> None:
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "tools/setup.py"], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert time.monotonic() - begun < 2


def test_vendor_files_carry_a_hash_of_their_content(project: Path) -> None:
    names = json.loads((vendor.TARGET / "manifest.json").read_text())
    assert set(names) == {*vendor.listed(), "icons.svg"}
    assert vendor.complete()
    assert not [name for name, hashed in names.items() if name == hashed]


def test_every_icon_in_use_is_in_the_sprite() -> None:
    drawn, unknown = vendor.sprite()
    assert unknown == []
    assert all(f'id="tabler-{name}"' in drawn for name in vendor.wanted_icons())


def test_the_files_of_vendor_txt_belong_to_locked_packages(project: Path) -> None:
    locked = json.loads((project / "package-lock.json").read_text())["packages"]
    for source in vendor.listed().values():
        parts = source.split("/")
        assert "node_modules/" + "/".join(parts[:2] if source.startswith("@") else parts[:1]) in locked


def test_a_missing_vendor_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "vendor"
    shutil.copytree(vendor.TARGET, copy)
    monkeypatch.setattr(vendor, "TARGET", copy)
    assert vendor.complete()
    next(copy.glob("*.js")).unlink()
    assert not vendor.complete()
