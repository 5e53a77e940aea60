"""A check that looks only at what changed says exactly what a check of everything says."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cache import Cache, contents
from core.definition import load
from core.definition.checked import Checked, check, summary
from tests.core.definition.sets import write
from tests.core.definition.test_any_input import CHANGES, HARM
from tests.fixtures import ADDONS, SITE
from tests.scenarios.client import ROOT
from tests.work import calls

TYPES = ("text", "memo", "integer", "decimal", "money", "date", "boolean", "percent")
Edit = Callable[[str, random.Random], str]


def another_type(text: str, choice: random.Random) -> str:
    return _one(text, r"type: (?:text|memo|integer|decimal|money|date|boolean|percent)\b",
                lambda _: f"type: {choice.choice(TYPES)}", choice)


def another_property(text: str, choice: random.Random) -> str:
    more = choice.choice(("title: Other", "required: true", "help: Told., fresh: true", "show: false"))
    return _one(text, r"\{type: \w+", lambda match: f"{match[0]}, {more}", choice)


def one_more_field(text: str, choice: random.Random) -> str:
    return _one(text, r"(?m)^fields:\n", lambda match: f"{match[0]}  extra_{choice.randrange(3)}: {{type: text}}\n", choice)


def one_field_less(text: str, choice: random.Random) -> str:
    return _one(text, r"(?m)^  \w+: +\{type: .*\n", lambda _: "", choice)


def a_remark(text: str, choice: random.Random) -> str:
    return text if text.startswith("<") else f"{text.rstrip()}\n# {choice.random()}\n"


def another_operator(text: str, choice: random.Random) -> str:
    return _one(text, r" (?:[-+*<>]|==|!=|and|or) ", lambda _: f" {choice.choice(['+', '<', '==', 'and'])} ", choice)


def another_title(text: str, choice: random.Random) -> str:
    return _one(text, r"(?m)^title: .*$", lambda _: f"title: Title {choice.randrange(9)}", choice)


def _one(text: str, pattern: str, new: Callable[[re.Match[str]], str], choice: random.Random) -> str:
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    match = choice.choice(found)
    return text[:match.start()] + new(match) + text[match.end():]


EDITS: tuple[Edit, ...] = (another_type, another_property, one_more_field, one_field_less, a_remark, another_operator,
                           another_title)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ADDONS, tmp_path / "addons")
    shutil.copytree(SITE, tmp_path / "site")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(folder: Path) -> Checked:
    """What a check with memory says."""
    folders = [folder / "addons", folder / "site"]
    return check(folders[:1], folders[1], contents(folders), Cache(folder / "cache", "this"), "set")


def told(folder: Path) -> tuple[list[str], str]:
    """What a check of everything says."""
    loaded = load([folder / "addons"], folder / "site", root=folder)
    return [str(one) for one in loaded.problems], summary(loaded) if loaded.model else ""


@pytest.mark.parametrize("seed", range(25))
def test_after_any_edits_the_short_check_says_what_the_long_one_says(folder: Path, seed: int) -> None:
    choice = random.Random(seed)
    write(folder, {path: text for path, text in CHANGES.items() if choice.random() < 0.5 and "secret" not in text})
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".xml", ".po"))
    for _ in range(8):
        before = {path: path.read_text() for path in files}
        for path in choice.sample(files, choice.choice((1, 1, 2))):
            edit = choice.choice(EDITS if choice.random() < 0.8 else HARM)
            path.write_text(edit(path.read_text(), choice))
        short, (problems, line) = checked(folder), told(folder)
        assert (list(short.problems), short.summary) == (problems, line)
        if problems and choice.random() < 0.8:
            for path, text in before.items():
                path.write_text(text)


SET = {
    "addons/shop/choices/size.yaml": "choices: size\nvalues: {small: {}, large: {}}\n",
    "addons/shop/tables/priced.yaml": "mixin: priced\nfields:\n  price: {type: money}\n",
    "addons/shop/tables/maker.yaml": "table: maker\nfields:\n  name: {type: text}\n  city: {type: text}\n"
                                     "  stars: {type: integer}\n",
    "addons/shop/tables/good.yaml": "table: good\nuses: [priced]\nfields:\n  name: {type: text}\n"
                                    "  maker: {type: link, to: maker}\n  size: {type: choice, of: size}\n"
                                    "  big: {type: boolean, formula: size == 'large'}\n"
                                    "  lines: {type: lines, of: line, by: good}\n"
                                    "  sold: {type: integer, formula: sum(lines.number)}\n",
    "addons/shop/tables/line.yaml": "table: line\nfields:\n  good: {type: link, to: good}\n  number: {type: integer}\n"
                                    "  twice: {type: integer, formula: number * 2}\n",
    "addons/shop/tables/book.yaml": "table: book\nbase: good\nfields:\n  pages: {type: integer}\n",
    "addons/shop/tables/disc.yaml": "table: disc\nbase: good\nfields:\n  tracks: {type: integer}\n",
    "addons/shop/lists/good.yaml": "list: good\nof: good\ncolumns: {name: {}, pages: {}, city: {path: maker.city}}\n"
                                   "filters: {dear: {where: price > 5}, known: {where: maker.stars > 3}}\n",
    "addons/shop/roles/clerk.yaml": "role: clerk\ngrants: {good: {read: true}, maker.city: {read: false}}\n",
    "addons/shop/translations/de.po": 'msgid ""\nmsgstr ""\n"Language: de\\n"\n\nmsgctxt "table maker.fields.city.title"\n'
                                      'msgid "City"\nmsgstr "Stadt"\n',
    "addons/shop/queries/cheap.yaml": "query: cheap\nof: good\ncolumns: {name: {}, town: {is: maker.city}}\n",
    "addons/shop/queries/cheaper.yaml": "query: cheaper\nof: cheap\nwhere: \"town == 'Rome'\"\n",
}
BREAKING = {
    "a path behind a link": ("tables/maker.yaml", "  city: {type: text}\n", ""),
    "the type of a field behind a link": ("tables/maker.yaml", "stars: {type: integer}", "stars: {type: text}"),
    "a value of choices": ("choices/size.yaml", "large", "huge"),
    "a field of a mixin": ("tables/priced.yaml", "price: {type: money}", "cost: {type: money}"),
    "the type of a field of a mixin": ("tables/priced.yaml", "type: money", "type: boolean"),
    "a field of lines": ("tables/line.yaml", "number: {type: integer}", "number: {type: text}"),
    "the way back of lines": ("tables/line.yaml", "to: good}", "to: maker}"),
    "a field of a kind, seen from its base": ("tables/book.yaml", "pages:", "sheets:"),
    "a second kind with a field that the base is asked for": ("tables/disc.yaml", "tracks:", "pages:"),
    "a field of the base that a kind has too": ("tables/good.yaml", "  name:", "  pages: {type: text}\n  name:"),
    "a circle of formulas through lines": ("tables/line.yaml", "number: {type: integer}",
                                           "number: {type: integer, formula: good.sold}"),
    "what a query shows": ("queries/cheap.yaml", "town: {is", "place: {is"),
    "the type of what a query shows to another": ("tables/maker.yaml", "city: {type: text}", "city: {type: integer}"),
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set without problems, which was checked once."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "addons" / "base", tmp_path / "addons" / "base")
    write(tmp_path, {**SET, "site/system.yaml": "system: main\naddons: [shop, base]\nlanguages: [en, de]\n",
                     "site/tables/maker.yaml": "change: table maker\nfields:\n  stars: {title: Fame}\n"})
    assert (list(checked(tmp_path).problems), checked(tmp_path).summary) == told(tmp_path)
    assert not checked(tmp_path).problems
    return tmp_path


@pytest.mark.parametrize("what", BREAKING)
def test_who_looked_at_what_changed_is_checked_again(shop: Path, what: str) -> None:
    path, old, new = BREAKING[what]
    file = shop / "addons/shop" / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    assert checked(shop).problems
    assert list(checked(shop).problems) == told(shop)[0]


@pytest.mark.parametrize(("path", "old", "new"), [
    ("addons/shop/tables/maker.yaml", "table: maker", "# a remark\ntable: maker"),
    ("addons/shop/tables/good.yaml", "name: {type: text}", "name: {type: text}\n  more: {type: money}"),
    ("addons/shop/choices/size.yaml", "small: {}", "tiny: {}, small: {}"),
    ("addons/shop/roles/clerk.yaml", "role: clerk", "role: clerk\ntitle: Assistant"),
    ("site/tables/maker.yaml", "Fame", "Glory"),
    ("site/tables/maker.yaml", "stars:", "city: {title: Town}\n  stars:"),     # a translation says the old one
    ("addons/shop/translations/de.po", "Stadt", "Ort"),
    ("addons/shop/tables/disc.yaml", "base: good", "base: good\nabstract: true"),
    ("addons/shop/addon.yaml", "1.0.0", "1.0.1")])
def test_what_is_still_without_problems_is_the_same_version_either_way(shop: Path, path: str, old: str,
                                                                      new: str) -> None:
    text = (shop / path).read_text()
    assert old in text
    (shop / path).write_text(text.replace(old, new, 1))
    assert (list(checked(shop).problems), checked(shop).summary) == told(shop)
    assert not checked(shop).problems


def test_a_release_that_changes_what_the_site_overrides_is_told(shop: Path) -> None:
    loaded = load([shop / "addons"], shop / "site", root=shop)
    (shop / "site" / "customisation.lock").write_bytes(loaded.overrides.next_lock())
    assert not checked(shop).problems
    file = shop / "addons/shop/tables/maker.yaml"
    file.write_text(file.read_text().replace("stars: {type: integer}", "stars: {type: integer, title: Stars}"))
    assert checked(shop).problems
    assert list(checked(shop).problems) == told(shop)[0]


def test_a_change_costs_a_small_part_of_a_whole_check(shop: Path) -> None:
    file = shop / "addons/shop/tables/line.yaml"
    whole = calls(lambda: load([shop / "addons"], shop / "site", root=shop))
    file.write_text(file.read_text().replace("number: {type: integer}", "number: {type: integer, title: Pieces}"))
    assert calls(lambda: checked(shop)) < whole / 2


@pytest.mark.parametrize("spoil", [
    lambda data: data[:len(data) // 2], lambda data: b"", lambda data: data.replace(b"text", b"memo", 1),
    lambda data: data.replace(b"tessera cache 1 this", b"tessera cache 1 that"), lambda data: b"\xff" + data])
def test_a_damaged_or_foreign_memory_is_not_believed(shop: Path, spoil: Callable[[bytes], bytes]) -> None:
    memory = shop / "cache" / "sound-set"
    whole = memory.read_bytes()
    memory.write_bytes(spoil(whole))
    assert Cache(shop / "cache", "this").read("sound-set") is None
    assert (list(checked(shop).problems), checked(shop).summary) == told(shop)
    assert memory.read_bytes() == whole


def test_a_check_without_a_place_to_remember_goes_on(shop: Path) -> None:
    file = shop / "nowhere"
    file.write_text("")
    folders = [shop / "addons", shop / "site"]
    found = check(folders[:1], folders[1], contents(folders), Cache(file / "cache", "this"), "set")
    assert not found.problems
