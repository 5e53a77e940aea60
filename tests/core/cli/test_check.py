"""`check`: every problem in a line of its own, or one line that says what there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.cli import group


def check(site: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("TESSERA_METADATA", str(site))
    monkeypatch.chdir(site.parent)
    return CliRunner().invoke(group, ["check"])


def test_definitions_without_problems_are_summed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "metadata"
    site.mkdir()
    (site / "system.yaml").write_text("system: main\naddons: [base]\n")
    result = check(site, monkeypatch)
    assert result.exit_code == 0
    assert result.stdout.startswith("all is well: 1 addon, ")
    assert len(result.stdout.splitlines()) == 1


def test_every_problem_is_printed_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "metadata"
    (site / "tables").mkdir(parents=True)
    (site / "system.yaml").write_text("system: main\naddons: [base]\n")
    (site / "tables" / "region.yaml").write_text(
        "table: region\nfields:\n  name: {type: txt}\n  of: {type: link, to: usr}\n")
    result = check(site, monkeypatch)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        'metadata/tables/region.yaml:3:10: there is no type "txt" (did you mean "text"?)',
        'metadata/tables/region.yaml:4:20: there is no table "usr" (did you mean "user"?)']


def test_a_plugin_that_cannot_be_loaded_is_a_problem_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    addon = tmp_path / "more" / "odd"
    addon.mkdir(parents=True)
    (addon / "addon.yaml").write_text("addon: odd\nversion: 1.0.0\n")
    (addon / "plugin.py").write_text("import nothing_of_the_kind\n")
    site = tmp_path / "metadata"
    site.mkdir()
    monkeypatch.setenv("TESSERA_ADDONS", str(tmp_path / "more"))
    result = check(site, monkeypatch)
    assert result.exit_code == 1
    assert "plugin.py:1:1: ModuleNotFoundError" in result.stdout
