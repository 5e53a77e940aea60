"""Secrets: from the environment, or made once and kept where nobody else can read them."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core import secrets
from core.errors import Refused
from core.settings import ROOT


def test_a_secret_is_made_once_and_kept_for_the_owner_only(tmp_path: Path) -> None:
    first = secrets.secret(tmp_path / "home", "key")
    assert len(first) > 40
    assert secrets.secret(tmp_path / "home", "key") == first
    assert secrets.secret(tmp_path / "home", "other") != first
    assert stat.S_IMODE((tmp_path / "home" / "secrets.yaml").stat().st_mode) == 0o600


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_KEY", "given")
    assert secrets.secret(tmp_path, "key") == "given"
    assert not (tmp_path / "secrets.yaml").exists()


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    secrets.secret(tmp_path, "key")
    (tmp_path / "secrets.yaml").chmod(0o644)
    with pytest.raises(Refused, match="others may read it; do `chmod 600"):
        secrets.secret(tmp_path, "key")


@pytest.mark.parametrize("text", ["- 1", "a: ["])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets.yaml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(Refused, match="secrets.yaml"):
        secrets.secret(tmp_path, "key")


def test_processes_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from core.secrets import secret; print(secret(Path({str(tmp_path)!r}), 'key'))"
    started = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
               for _ in range(4)]
    assert len({process.communicate(timeout=60)[0] for process in started}) == 1
