"""Older formats of bodies are read through pure functions: in files, in changes, and in stored versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field as Property

from core.definition import build, load
from core.definition.building import Building
from core.definition.kinds import BUILT_IN, Kind
from core.definition.kinds.schema import Schema, Text
from core.definition.values import Body, Merged
from core.plugins import Plugins
from tests.core.definition.sets import write


class GreetingSchema(Schema):
    """Words for a moment."""

    words: dict[str, Text] = Property({}, description="The words by language.")
    tone: Text | None = Property(None, description="How it is said.")


def _by_language(body: Body, change: bool) -> Body:
    """Format 2: `text` became `words`, by language."""
    if "text" in body:
        body["words"] = {"en": body.pop("text")}
    elif not change:
        body["words"] = {}
    return body


def _toned(body: Body, change: bool) -> Body:
    """Format 3: `loud` became a tone."""
    if "loud" in body:
        body["tone"] = "loud" if body.pop("loud") else "soft"
    return body


class Greeting(Kind):
    """A kind with three formats, two of them old."""

    name = "greeting"
    folder = "greetings"
    schema: ClassVar[type[Schema]] = GreetingSchema
    format = 3
    upcasts = (_by_language, _toned)

    def build(self, merged: Merged, schema: Any, building: Building) -> object:
        """The words and the tone."""
        return dict(schema.words), schema.tone


class Greetings(Plugins):
    """The built-in kinds and this one."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds = {**self.kinds, "greeting": Greeting()}


def loaded(folder: Path, **files: str) -> Any:
    write(folder, {"addons/hello/addon.yaml": "addon: hello\nversion: 1.0.0\n", "site/system.yaml": "system: main\naddons: [hello]\n",
                   **{f"{path.replace('__', '/')}.yaml": text for path, text in files.items()}})
    return load([folder / "addons"], folder / "site", Greetings(), folder)


@pytest.mark.parametrize("text", [
    "greeting: morning\ntext: Hello\nloud: true\n", "greeting: morning\nformat: 1\ntext: Hello\nloud: true\n",
    "greeting: morning\nformat: 2\nwords: {en: Hello}\nloud: true\n",
    "greeting: morning\nformat: 3\nwords: {en: Hello}\ntone: loud\n"])
def test_a_file_is_read_in_whatever_format_it_is_written(tmp_path: Path, text: str) -> None:
    found = loaded(tmp_path, addons__hello__greetings__morning=text)
    merged = found.must().definitions["greeting", "morning"]
    assert (merged.body, merged.format) == ({"words": {"en": "Hello"}, "tone": "loud"}, 3)


def test_a_change_of_an_old_format_changes_a_definition_of_a_new_one(tmp_path: Path) -> None:
    found = loaded(tmp_path, addons__hello__greetings__morning="greeting: morning\nformat: 3\nwords: {de: Hallo}\n",
                   site__morning="change: greeting morning\ntext: Hi\n")
    assert found.must().definitions["greeting", "morning"].body == {"words": {"de": "Hallo", "en": "Hi"}}


def test_formats_are_no_difference(tmp_path: Path) -> None:
    old = loaded(tmp_path / "a", addons__hello__greetings__x="greeting: x\ntext: Hi\n").must()
    new = loaded(tmp_path / "b", addons__hello__greetings__x="greeting: x\nformat: 3\nwords: {en: Hi}\n").must()
    assert old.hash == new.hash


def test_a_stored_version_is_read_through_them_too() -> None:
    stored = Merged("greeting", "morning", {"text": "Hello", "loud": False}, "", "hello", 1)
    model = build([stored], Greetings())
    assert model.definitions["greeting", "morning"].body == {"words": {"en": "Hello"}, "tone": "soft"}
    assert stored.body == {"text": "Hello", "loud": False}


@pytest.mark.parametrize(("said", "told"), [
    ("4", "this greeting is of format 4; this release reads formats up to 3"),
    ("0", "a format is a whole number, 1 or more"), ("true", "a format is a whole number, 1 or more")])
def test_a_format_of_a_later_release_is_told(tmp_path: Path, said: str, told: str) -> None:
    found = loaded(tmp_path, addons__hello__greetings__x=f"greeting: x\nformat: {said}\nwords: {{en: Hi}}\n")
    assert [str(one) for one in found.problems] == [f"addons/hello/greetings/x.yaml:2:1: {told}"]


def test_problems_in_an_old_format_stand_near_what_was_read(tmp_path: Path) -> None:
    found = loaded(tmp_path, addons__hello__greetings__x="greeting: x\ntext: Hi\nlaud: true\n")
    assert [str(one) for one in found.problems] == [
        'addons/hello/greetings/x.yaml:3:1: unknown property "laud"']


def test_every_kind_reads_all_formats_before_its_own() -> None:
    for kind in (*BUILT_IN, Greeting()):
        assert len(kind.upcasts) == kind.format - 1, kind.name


