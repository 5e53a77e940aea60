"""Whatever is written into definition files, `load` answers with problems at places, never with an exception."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from core.definition import load
from tests.core.definition.sets import write
from tests.fixtures import ADDONS, SITE

VALUES = ("null", "true", "12", "[]", "{}", "[a, b]", "{a: b}", "name", "'x'", "=user", "lines", "deal", "work",
          "{name: {}}", "[1]", "[[a]]", "[{a: b}]", "{a: {b: {c}}}", "-1", '"{x}"', "company.name", "id", "money",
          "lines.total", "*alias", "&anchor x", "!!int 3", "xx.yy")
WORDS = ("name", "id", "of", "after", "first", "was", "fields", "deal", "is", "type", "add", "remove", "change",
         "table", "form", "field", "tab", "owner", "*of")
CHANGES = {
    "site/tables/deal.yaml": "change: table deal\nfields:\n  region: {type: text, after: stage}\n"
                             "  amount: {required: true}\n  secret: {title: S}\nrules:\n  plausible: null\n",
    "site/forms/deal.xml": '<form change="deal"><after ref="stage"><field name="region"/></after>'
                           '<set ref="amount" readonly="true"/><move ref="ends" before="starts"/>'
                           '<remove ref="weighted"/><into ref="tab:lines"><text id="t" title="x"/></into></form>'}


def without_a_line(text: str, choice: random.Random) -> str:
    lines = text.split("\n")
    del lines[choice.randrange(len(lines))]
    return "\n".join(lines)


def with_a_line_twice(text: str, choice: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(choice.randrange(len(lines)), choice.choice(lines))
    return "\n".join(lines)


def with_another_character(text: str, choice: random.Random) -> str:
    place = choice.randrange(len(text) + 1)
    return text[:place] + choice.choice("{}[],:#'\"&*!|>%@ \n\t<>/=()é\x00a") + text[place + 1:]


def with_another_value(text: str, choice: random.Random) -> str:
    return _replaced(text, r": ?([^,{}\n]+)", choice.choice(VALUES), choice)


def with_another_word(text: str, choice: random.Random) -> str:
    return _replaced(text, r"([a-z_]+)", choice.choice(WORDS), choice)


def without_a_part(text: str, choice: random.Random) -> str:
    start, end = sorted((choice.randrange(len(text) + 1), choice.randrange(len(text) + 1)))
    return text[:start] + text[end:]


def _replaced(text: str, pattern: str, new: str, choice: random.Random) -> str:
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    match = choice.choice(found)
    return text[:match.start(1)] + new + text[match.end(1):]


HARM: Sequence[Callable[[str, random.Random], str]] = (
    without_a_line, with_a_line_twice, with_another_character, with_another_value, with_another_word, without_a_part)


@pytest.mark.parametrize("seed", range(60))
def test_a_spoilt_set_is_loaded_or_its_problems_are_told(tmp_path: Path, seed: int) -> None:
    shutil.copytree(ADDONS, tmp_path / "addons")
    shutil.copytree(SITE, tmp_path / "site")
    write(tmp_path, CHANGES)
    files = sorted(path for path in tmp_path.rglob("*") if path.suffix in (".yaml", ".xml", ".po"))
    choice = random.Random(seed)
    for path in choice.sample(files, 3):
        text = path.read_text()
        for _ in range(choice.randrange(1, 4)):
            text = choice.choice(HARM)(text, choice)
        path.write_text(text)
    loaded = load([tmp_path / "addons"], tmp_path / "site", root=tmp_path)
    assert (loaded.model is None) == bool(loaded.problems)
    assert list(loaded.problems) == sorted(loaded.problems)
    assert all((tmp_path / one.file).is_file() and one.line > 0 and one.column > 0 for one in loaded.problems)
