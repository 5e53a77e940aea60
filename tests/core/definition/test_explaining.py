"""Explaining: who gave each property its value, and what it replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cli.explain import lines
from core.definition import Loaded, load
from core.definition.explaining import explain
from core.errors import NotFound
from tests.core.definition.sets import write

SET = {
    "addons/lead/addon.yaml": "addon: lead\nversion: 1.0.0\n",
    "addons/lead/tables/lead.yaml": """table: lead
title: Lead
peek: [name]
fields:
  name: {type: text, title: Name}
  city: {type: text}
  note: {type: text}
""",
    "addons/lead/forms/lead.xml": '<form name="lead" of="lead">\n  <field name="name" title="Who"/>\n'
                                  '  <field name="city"/>\n</form>\n',
    "addons/more/addon.yaml": "addon: more\nversion: 1.0.0\nneeds: [lead]\n",
    "addons/more/tables/lead.yaml": "change: table lead\ntitle: More\npeek: {add: [city]}\n"
                                    "fields:\n  name: {title: Full name}\n",
    "site/system.yaml": "system: main\naddons: [more]\n",
    "site/tables/lead.yaml": "change: table lead\ntitle: Mine\nfields:\n  name: {title: null, required: true}\n"
                             "  note: null\n  city: {first: true}\n",
    "site/forms/lead.xml": '<form change="lead">\n  <set ref="name" title="Person"/>\n'
                           '  <move ref="city" before="name"/>\n</form>\n'}


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    write(tmp_path, SET)
    return load([tmp_path / "addons"], tmp_path / "site", root=tmp_path)


def told(loaded: Loaded, kind: str, path: str) -> list[str]:
    return [" ".join(line.split()) for one in explain(loaded, kind, path) for line in lines(one, 0)]


def test_a_property_is_told_with_all_that_it_replaced_the_newest_first(loaded: Loaded) -> None:
    assert told(loaded, "table", "lead.title")[:3] == [
        "title Mine [site, site/tables/lead.yaml:2]", "was More [more, addons/more/tables/lead.yaml:2]",
        "was Lead [lead, addons/lead/tables/lead.yaml:2]"]


def test_a_field_is_found_by_its_name_and_told_with_what_was_removed(loaded: Loaded) -> None:
    assert told(loaded, "table", "lead.name") == [
        "fields.name.type text [lead, addons/lead/tables/lead.yaml:5]",
        "fields.name.required true [site, site/tables/lead.yaml:4]",
        "fields.name.title removed [site, site/tables/lead.yaml:4]",
        "was Full name [more, addons/more/tables/lead.yaml:5]", "was Name [lead, addons/lead/tables/lead.yaml:5]"]


def test_removed_members_edited_lists_and_moves_are_told(loaded: Loaded) -> None:
    assert told(loaded, "table", "lead.note") == [
        "fields.note removed [site, site/tables/lead.yaml:5]",
        'was {"type":"text"} [lead, addons/lead/tables/lead.yaml:7]']
    assert told(loaded, "table", "lead.peek") == [
        'peek ["name","city"] [lead, addons/lead/tables/lead.yaml:3]',
        "was added city [more, addons/more/tables/lead.yaml:3]"]
    assert told(loaded, "table", "lead.city")[-1] == "fields.city.(place) first [site, site/tables/lead.yaml:6]"


def test_forms_are_told_by_ref(loaded: Loaded) -> None:
    assert told(loaded, "form", "lead.name.title") == [
        "field:name.title Person [site, site/forms/lead.xml:2]", "was Who [lead, addons/lead/forms/lead.xml:2]"]
    assert "field:city.(place) before field:name [site, site/forms/lead.xml:3]" in told(loaded, "form", "lead.city")


@pytest.mark.parametrize(("kind", "path", "said"), [
    ("tabel", "lead", 'there is no tabel of anything (did you mean "table"?)'),
    ("table", "laed", 'there is no table laed (did you mean "lead"?)'),
    ("table", "lead.nam", 'table lead has no nam (did you mean "name"?)')])
def test_mistyped_names_are_suggested(loaded: Loaded, kind: str, path: str, said: str) -> None:
    with pytest.raises(NotFound) as error:
        explain(loaded, kind, path)
    assert str(error.value) == said


def test_what_one_layer_wrote_keeps_no_more_than_its_places(loaded: Loaded) -> None:
    assert {key for key, effects in loaded.merge.effects.items() if effects} == {("table", "lead"), ("form", "lead")}
