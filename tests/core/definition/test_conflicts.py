"""Addons that do not need each other: what they may both do, and what is refused with both places named."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

import pytest

from core.definition import load
from core.definition.files import Reading
from core.definition.layers import read_layers
from core.definition.merge import merge
from core.plugins import Plugins
from tests.core.definition.sets import write

BASE = {
    "addons/base/addon.yaml": "addon: base\nversion: 1.0.0\n",
    "addons/base/tables/lead.yaml": """table: lead
title: Lead
peek: [name, city]
fields:
  name: {type: text}
  city: {type: text, title: Town}
  size: {type: decimal}
  note: {type: text}
rules:
  cheap: {check: size < 5}
""",
    "addons/base/forms/lead.xml": """<form name="lead" of="lead">
  <group id="main"><field name="name"/><field name="city"/></group>
  <group id="more"><field name="size"/></group>
  <tabs id="pages"><tab id="notes" title="Notes"><field name="note"/></tab></tabs>
</form>
"""}


def files(alpha: str, zulu: str, site: str = "", needs: str = "base") -> dict[str, str]:
    """Two addons beside each other, and the site; a change is YAML of the table, or XML of the form."""
    found = {"addons/alpha/addon.yaml": "addon: alpha\nversion: 1.0.0\nneeds: [base]\n",
             "addons/zulu/addon.yaml": f"addon: zulu\nversion: 1.0.0\nneeds: [{needs}]\n"}
    for layer, text in (("addons/alpha", alpha), ("addons/zulu", zulu), ("site", site)):
        if text.startswith("<"):
            found[f"{layer}/forms/lead.xml"] = f'<form change="lead">\n{text}\n</form>\n'
        elif text:
            found[f"{layer}/tables/lead.yaml"] = f"change: table lead\n{text}\n"
    return {**BASE, **found, "site/system.yaml": "system: main\naddons: [zulu, alpha]\n"}


def told(folder: Path, *changes: str, needs: str = "base") -> list[str]:
    write(folder, files(*changes, needs=needs))
    return [str(one) for one in load([folder / "addons"], folder / "site", root=folder).problems]


WAY_OUT = ": let one of the addons need the other, or the site decide"
TABLE = 'addons/zulu/tables/lead.yaml:2:1: table "lead": "zulu" '
FORM = 'addons/zulu/forms/lead.xml:2:{}: form "lead": "zulu" '

CLASHES = [
    ("title: A", "title: B", TABLE + 'sets "title" to "B", but "alpha" sets "title" to "A" (addons/alpha/tables/lead.yaml:2)'),
    ("title: null", "title: B", TABLE + 'sets "title" to "B", but "alpha" removes "title" (addons/alpha/tables/lead.yaml:2)'),
    ("peek: [name]", "peek: [city]", TABLE + 'sets "peek" to ["city"], but "alpha" sets "peek" to ["name"] (addons/alpha/tables/lead.yaml:2)'),
    ("peek: [name]", "peek: {add: [size]}", 'addons/zulu/tables/lead.yaml:2:14: table "lead": "zulu" adds "size" to "peek", but "alpha" sets "peek" to ["name"] (addons/alpha/tables/lead.yaml:2)'),
    ("peek: {remove: [city]}", "fields: {size: {required: true}}\npeek: {add: [city]}", 'addons/zulu/tables/lead.yaml:3:14: table "lead": "zulu" adds "city" to "peek", but "alpha" removes "city" from "peek" (addons/alpha/tables/lead.yaml:2)'),
    ("fields: {note: null}", "fields: {note: {title: N}}", 'table "lead" has no "note" any more: "alpha" removes it (addons/alpha/tables/lead.yaml:2)'),
    ("fields: {city: {title: C}}", "fields: {city: null}", 'addons/zulu/tables/lead.yaml:2:10: table "lead": "zulu" removes "fields.city", but "alpha" sets "fields.city.title" to "C" (addons/alpha/tables/lead.yaml:2)'),
    ("fields: {far: {type: text}}", "fields: {far: {type: date}}", 'addons/zulu/tables/lead.yaml:2:10: table "lead": "zulu" adds "fields.far", but "alpha" adds it otherwise (addons/alpha/tables/lead.yaml:2)'),
    ("fields: {far: {type: text}}", "fields: {far: {title: Far}}", 'addons/zulu/tables/lead.yaml:2:10: table "lead": "zulu" adds "fields.far", but "alpha" adds it otherwise (addons/alpha/tables/lead.yaml:2)'),
    ("fields: {a: {type: text, after: name}}", "fields: {b: {type: text, after: name}}", 'addons/zulu/tables/lead.yaml:2:26: table "lead": "zulu" puts "fields.b" after "name", but "alpha" puts "fields.a" after "name" (addons/alpha/tables/lead.yaml:2)'),
    ("fields: {a: {type: text, first: true}}", "fields: {b: {type: text, first: true}}", 'addons/zulu/tables/lead.yaml:2:26: table "lead": "zulu" puts "fields.b" first, but "alpha" puts "fields.a" first (addons/alpha/tables/lead.yaml:2)'),
    ("fields: {city: {after: size}}", "fields: {city: {first: true}}", 'addons/zulu/tables/lead.yaml:2:17: table "lead": "zulu" puts "fields.city" first, but "alpha" puts "fields.city" after "size" (addons/alpha/tables/lead.yaml:2)'),
    ("fields: {city: {after: size}}", "fields: {b: {type: text, after: city}}", 'addons/zulu/tables/lead.yaml:2:26: table "lead": "zulu" puts "fields.b" after "city", but "alpha" puts "fields.city" after "size" (addons/alpha/tables/lead.yaml:2)'),
    ("fields: {a: {type: text}}", "fields: {b: {type: text, after: a}}", 'addons/zulu/tables/lead.yaml:2:26: table "lead": "zulu" puts "fields.b" after "a", but "alpha" adds "fields.a" (addons/alpha/tables/lead.yaml:2)'),
    ('<set ref="city" title="A"/>', '<set ref="city" title="B"/>', FORM.format(17) + 'sets "city.title" to "B", but "alpha" sets "city.title" to "A" (addons/alpha/forms/lead.xml:2)'),
    ('<after ref="city"><field name="id"/></after>', '<after ref="city"><text id="b" title="x"/></after>', FORM.format(8) + 'puts "b" after "city", but "alpha" puts "id" after "city" (addons/alpha/forms/lead.xml:2)'),
    ('<move ref="city" into="more"/>', '<move ref="city" before="name"/>', FORM.format(18) + 'puts "city" before "name", but "alpha" puts "city" into "more" (addons/alpha/forms/lead.xml:2)'),
    ('<set ref="note" title="N"/>', '<remove ref="pages"/>', FORM.format(9) + 'removes "pages", but "alpha" sets "note.title" to "N" (addons/alpha/forms/lead.xml:2)'),
    ('<remove ref="pages"/>', '<set ref="note" title="N"/>', 'form "lead" has no node "note" (addons/alpha/forms/lead.xml:2 removes it)'),
    ('<move ref="note" into="main"/>', '<remove ref="pages"/>', FORM.format(9) + 'removes "pages", but "alpha" puts "note" into "main" (addons/alpha/forms/lead.xml:2)'),
    ('<into ref="main"><text id="t" title="T"/></into>', '<set ref="t" title="x"/>', FORM.format(14) + 'sets "t.title" to "x", but "alpha" adds "t" (addons/alpha/forms/lead.xml:2)')]


@pytest.mark.parametrize(("alpha", "zulu", "line"), CLASHES)
def test_what_would_hang_on_the_order_of_addons_is_told_with_both_places(tmp_path: Path, alpha: str, zulu: str,
                                                                         line: str) -> None:
    found = told(tmp_path, alpha, zulu)
    found = [one for one in found if "is in use" not in one]        # the form shows what the table loses
    assert len(found) == 1
    assert found[0].endswith(line) or found[0] == line + WAY_OUT


@pytest.mark.parametrize(("alpha", "zulu", "line"), CLASHES)
def test_nothing_is_told_where_one_needs_the_other(tmp_path: Path, alpha: str, zulu: str, line: str) -> None:
    assert [one for one in told(tmp_path, alpha, zulu, needs="alpha") if "let one of the addons" in one] == []


FINE = [
    ("title: A", "title: A"), ("fields: {a: {type: text}}", "fields: {b: {type: text}}"),
    ("fields: {a: {type: text, after: name}}", "fields: {b: {type: text, after: city}}"),
    ("fields: {a: {type: text, after: name}}", "fields: {b: {type: text, before: city}}"),
    ("fields: {a: {type: text, last: true}}", "fields: {b: {type: text}}"),
    ("fields: {far: {type: text}}", "fields: {far: {type: text}}"),
    ("peek: {add: [size]}", "peek: {add: [note]}"), ("peek: {add: [size]}", "peek: {add: [size]}"),
    ("peek: {remove: [city]}", "peek: {remove: [city]}"), ("peek: {remove: [city]}", "peek: {add: [size]}"),
    ("fields: {note: null}", "fields: {note: null}"), ("fields: {city: {title: C}}", "fields: {city: {required: true}}"),
    ("access: {only: owner}\nroles: {owner: {is: created_by}}", "access: {through: []}"),
    ('<set ref="city" title="A"/>', '<set ref="city" readonly="true"/>'),
    ('<after ref="city"><field name="id"/></after>', '<before ref="city"><text id="b" title="x"/></before>'),
    ('<into ref="main"><field name="id"/></into>', '<into ref="main"><text id="b" title="x"/></into>'),
    ('<move ref="city" into="more"/>', '<set ref="city" title="T"/>')]


@pytest.mark.parametrize(("alpha", "zulu"), FINE)
def test_what_two_addons_may_both_do(tmp_path: Path, alpha: str, zulu: str) -> None:
    changes = [change.replace("fields: {note: null}", "fields: {note: null}") for change in (alpha, zulu)]
    found = [one for one in told(tmp_path, *changes) if 'is in use' not in one]
    assert found == []


@pytest.mark.parametrize(("alpha", "zulu", "site"), [
    ("title: A", "title: B", "title: C"),
    ("fields: {a: {type: text, after: name}}", "fields: {b: {type: text, after: name}}", "fields: {b: {after: a}}"),
    ("fields: {city: {after: size}}", "fields: {city: {first: true}}", "fields: {city: {last: true}}"),
    ('<set ref="city" title="A"/>', '<set ref="city" title="B"/>', '<set ref="city" title="C"/>'),
    ('<after ref="city"><field name="id"/></after>', '<after ref="city"><text id="b" title="x"/></after>',
     '<move ref="b" after="id"/>')])
def test_the_site_may_decide(tmp_path: Path, alpha: str, zulu: str, site: str) -> None:
    assert told(tmp_path, alpha, zulu, site) == []


def test_a_folder_with_x_counts_as_a_need(tmp_path: Path) -> None:
    write(tmp_path, files("title: A", "title: B"))
    (tmp_path / "addons/zulu/with_alpha").mkdir()
    assert load([tmp_path / "addons"], tmp_path / "site", root=tmp_path).problems == ()


def test_a_change_needs_the_addon_that_it_changes(tmp_path: Path) -> None:
    write(tmp_path, files("", "title: B", needs=""))
    assert [str(one) for one in load([tmp_path / "addons"], tmp_path / "site", root=tmp_path).problems] == [
        'addons/zulu/tables/lead.yaml:1:1: table "lead" belongs to "base" (addons/base/tables/lead.yaml:1): '
        'add "base" to the needs of "zulu"']


def test_two_addons_that_translate_a_text_otherwise(tmp_path: Path) -> None:
    write(tmp_path, files("", "") | {
        f"addons/{addon}/translations/de.po": f'msgctxt "table lead.fields.city.title"\nmsgid "Town"\nmsgstr "{word}"\n'
        for addon, word in (("base", "Stadt"), ("alpha", "Ort"), ("zulu", "Dorf"))})
    assert [str(one) for one in load([tmp_path / "addons"], tmp_path / "site", root=tmp_path).problems] == [
        'addons/zulu/translations/de.po:2:1: translation "de": "zulu" sets "texts.table lead.fields.city.title" to '
        '"Dorf", but "alpha" sets "texts.table lead.fields.city.title" to "Ort" (addons/alpha/translations/de.po:2)'
        + WAY_OUT]


YAML_MOVES = ["title: {v}", "title: null", "peek: {{add: [size]}}", "peek: {{remove: [city]}}", "peek: [{v}]",
              "fields: {{{f}: null}}", "fields: {{{f}: {{title: {v}}}}}", "fields: {{{f}: {{after: {g}}}}}",
              "fields: {{{f}: {{before: {g}}}}}", "fields: {{{f}: {{first: true}}}}", "fields: {{{n}: {{type: text}}}}",
              "fields: {{{n}: {{type: text, after: {f}}}}}", "fields: {{{n}: {{type: text, before: {f}}}}}",
              "rules: {{cheap: {{message: {v}}}}}", "rules: {{cheap: null}}"]
XML_MOVES = ['<set ref="{f}" title="{v}"/>', '<remove ref="{e}"/>', '<move ref="{e}" after="{f}"/>',
             '<move ref="{f}" into="{h}"/>', '<move ref="{e}" before="{f}"/>',
             '<after ref="{f}"><text id="{n}" title="x"/></after>', '<before ref="{e}"><text id="{n}" title="x"/></before>',
             '<into ref="{h}"><text id="{n}" title="x"/></into>']


@pytest.mark.parametrize("seed", range(150))
def test_where_nothing_is_told_the_order_of_two_addons_does_not_matter(tmp_path: Path, seed: int) -> None:
    """Random changes by two addons, merged in both orders: the same problems-free result, or a problem."""
    choice = random.Random(seed)
    moves = XML_MOVES if seed % 2 else YAML_MOVES
    fields = ["name", "city", "size", "note"]
    changes = ["\n".join(dict.fromkeys(_move(moves, choice, layer, fields) for _ in range(1 if moves is YAML_MOVES else 2)))
               for layer in ("a", "b")]
    if any(_merged(tmp_path / name, *alone)[0] for name, alone in (("a", (changes[0], "")), ("b", ("", changes[1])))):
        return                          # what is wrong by itself is told in any order
    (problems, one), (others, other) = (
        _merged(tmp_path / str(number), *pair) for number, pair in enumerate(itertools.permutations(changes)))
    assert (problems and others) or one == other, changes


def _move(moves: list[str], choice: random.Random, layer: str, fields: list[str]) -> str:
    holders = ["main", "more", "pages", "notes"]
    return choice.choice(moves).format(
        v=choice.choice(["alpha", "beta"]), f=choice.choice(fields), g=choice.choice(fields),
        n=choice.choice([f"new_{layer}", "shared"]), e=choice.choice([*fields, *holders]), h=choice.choice(holders[:2]))


def _merged(folder: Path, alpha: str, zulu: str) -> tuple[list[str], object]:
    write(folder, files(alpha, zulu))
    reading = Reading(Plugins().kinds)
    layers = read_layers([folder / "addons"], folder / "site", folder, reading)
    found = merge(layers, Plugins().kinds, frozenset())
    shared = set(re.findall(r'(?:into|into ref)="(\w+)"', alpha + zulu))
    return [one.message for one in found.problems], [
        _ends(found.merged[key].body, shared, "") for key in (("table", "lead"), ("form", "lead"))]


def _ends(value: object, shared: set[str], ref: str) -> object:
    """A value in which what stands at the end of something has one order: that of the addons decides there."""
    if isinstance(value, dict):
        tail = [key for key in value if key.startswith("new_") or key == "shared"]
        tail = list(itertools.takewhile(lambda key: key in tail, reversed(value)))
        return [(key, _ends(value[key], shared, str(value.get("ref", "")))) for key in value if key not in tail] + [
            (key, value[key]) for key in sorted(tail)]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        items = sorted(value, key=lambda one: str(one["ref"])) if ref in shared else value
        return [_ends(one, shared, "") for one in items]
    return value
