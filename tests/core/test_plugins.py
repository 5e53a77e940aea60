"""plugin.py files: found, loaded, asked through hooks, and blamed by file and line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from core import hookspecs
from core.errors import DefinitionError
from core.plugins import Plugins


def addon(folder: Path, name: str, source: str) -> Path:
    path = folder / name / "plugin.py"
    path.parent.mkdir(parents=True)
    path.write_text(source)
    return path


STARS = """
from core.hookspecs import hook
from core.types.integer import IntegerType

class StarsType(IntegerType):
    name = "{name}"

@hook
def field_types():
    return [StarsType()]
"""


def test_an_addon_adds_a_type_to_the_built_in_ones(tmp_path: Path) -> None:
    addon(tmp_path, "stars", STARS.format(name="stars"))
    plugins = Plugins.load([tmp_path])
    assert "stars" in plugins.field_types
    assert "text" in plugins.field_types
    assert len(plugins.code["stars"]) == 64


def test_only_installed_addons_are_loaded(tmp_path: Path) -> None:
    addon(tmp_path, "stars", STARS.format(name="stars"))
    addon(tmp_path, "broken", "1 / 0")
    assert set(Plugins.load([tmp_path], {"stars"}).code) == {"stars"}


def test_the_code_of_a_plugin_changes_with_its_text(tmp_path: Path) -> None:
    path = addon(tmp_path, "stars", STARS.format(name="stars"))
    before = Plugins.load([tmp_path]).code
    path.write_text(path.read_text() + "\n# more\n")
    assert Plugins.load([tmp_path]).code != before


def test_a_name_taken_is_refused_at_the_functions_line(tmp_path: Path) -> None:
    path = addon(tmp_path, "stars", STARS.format(name="text"))
    with pytest.raises(DefinitionError) as error:
        _ = Plugins.load([tmp_path]).field_types
    assert str(error.value) == f'{path}:8:1: field_types: "text" exists already; choose another name'


@pytest.mark.parametrize(("source", "line", "message"), [
    ("import os\n1 / 0\n", 2, "ZeroDivisionError: division by zero"),
    ("def f(:\n", 1, "invalid syntax"),
    ("import no_such_module\n", 1, "ModuleNotFoundError: No module named 'no_such_module'"),
])
def test_a_broken_plugin_is_named_with_its_line(tmp_path: Path, source: str, line: int, message: str) -> None:
    path = addon(tmp_path, "broken", source)
    with pytest.raises(DefinitionError) as error:
        Plugins.load([tmp_path])
    assert (error.value.problems[0].file, error.value.problems[0].line) == (str(path), line)
    assert message in error.value.problems[0].message


def test_an_unknown_hook_is_refused(tmp_path: Path) -> None:
    addon(tmp_path, "odd", "from core.hookspecs import hook\n\n@hook\ndef feild_types():\n    return []\n")
    with pytest.raises(DefinitionError, match="feild_types"):
        Plugins.load([tmp_path])


def test_every_hook_has_one_line_that_says_what_it_is_for() -> None:
    hooks = [value for value in vars(hookspecs).values() if hasattr(value, "tessera_spec")]
    assert len(hooks) >= 6
    assert all(hook.__doc__ and "\n" not in hook.__doc__.strip() for hook in hooks)


def test_what_was_saved_last_is_loaded_and_nothing_compiled_is_left_behind(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = addon(tmp_path, "stars", STARS.format(name="stars"))
    moment = path.stat().st_mtime_ns
    Plugins.load([tmp_path])
    path.write_text(STARS.format(name="moons"))
    os.utime(path, ns=(moment, moment))                     # an edit of the same size within the second
    assert "moons" in Plugins.load([tmp_path]).field_types
    assert list(path.parent.iterdir()) == [path]
