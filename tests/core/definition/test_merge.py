"""Changing lower layers: property by property, with the origin of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.definition import Model
from tests.core.definition.sets import load_set

TABLE = """table: lead
title: Lead
peek: [name, city]
fields:
  name:   {type: text, max: 50}
  city:   {type: text}
  amount: {type: money, title: Worth}
"""
FORM = """<form name="lead" of="lead">
  <group id="main"><field name="name"/><field name="city"/></group>
  <tabs id="more">
    <tab id="city" title="City"><field name="amount"/></tab>
  </tabs>
</form>
"""


def changed(tmp_path: Path, change: str, file: str = "tables/lead.yaml") -> Model:
    loaded = load_set(tmp_path, {"addons/lead/tables/lead.yaml": TABLE, "addons/lead/forms/lead.xml": FORM,
                                 f"metadata/{file}": change})
    return loaded.must()


def refs(model: Model) -> list[str]:
    return [f"{node.tag}:{node.ref}" for node in model.forms["lead"].root.walk() if node.tag != "form"]


def test_one_property_is_set_and_the_others_stay(tmp_path: Path) -> None:
    model = changed(tmp_path, "change: table lead\nfields:\n  amount: {required: true}\n")
    field = model.tables["lead"].fields["amount"]
    assert (field.required, field.title) == (True, "Worth")


def test_null_removes_a_member_and_unsets_a_property(tmp_path: Path) -> None:
    change = "change: table lead\npeek: null\nfields:\n  amount: {title: null}\n  city: null\n"
    form = '<form change="lead"><remove ref="field:city"/></form>'
    loaded = load_set(tmp_path, {"addons/lead/tables/lead.yaml": TABLE, "addons/lead/forms/lead.xml": FORM,
                                 "metadata/tables/lead.yaml": change, "metadata/forms/lead.xml": form})
    table = loaded.must().tables["lead"]
    assert list(table.fields) == ["name", "amount"]
    assert (table.peek, table.fields["amount"].title) == ((), "Amount")


@pytest.mark.parametrize(("where", "order"), [
    ("", ["name", "city", "amount", "region"]), (", after: name", ["name", "region", "city", "amount"]),
    (", before: name", ["region", "name", "city", "amount"]), (", first: true", ["region", "name", "city", "amount"]),
    (", last: true", ["name", "city", "amount", "region"])])
def test_a_new_member_goes_where_it_says(tmp_path: Path, where: str, order: list[str]) -> None:
    model = changed(tmp_path, f"change: table lead\nfields:\n  region: {{type: text{where}}}\n")
    assert list(model.tables["lead"].fields) == order


def test_an_old_member_moves(tmp_path: Path) -> None:
    model = changed(tmp_path, "change: table lead\nfields:\n  amount: {before: city}\n")
    assert list(model.tables["lead"].fields) == ["name", "amount", "city"]


def test_a_list_is_edited_or_replaced(tmp_path: Path) -> None:
    edited = changed(tmp_path, "change: table lead\npeek: {add: [amount], remove: [name]}\n")
    assert edited.tables["lead"].peek == ("city", "amount")
    replaced = changed(tmp_path, "change: table lead\npeek: [amount]\n")
    assert replaced.tables["lead"].peek == ("amount",)


def test_a_list_that_was_not_there_can_be_added_to(tmp_path: Path) -> None:
    assert changed(tmp_path, "change: table lead\nkeeps: {add: [history]}\n").tables["lead"].keeps == {"history"}


def test_every_property_knows_its_layer_and_place(tmp_path: Path) -> None:
    merged = changed(tmp_path, "change: table lead\nfields:\n  amount: {required: true}\n").definitions["table", "lead"]
    title, required = merged.origin["fields", "amount", "title"], merged.origin["fields", "amount", "required"]
    assert (title.layer, title.mark.file, title.mark.line) == ("lead", "addons/lead/tables/lead.yaml", 7)
    assert (required.layer, required.mark.file, required.mark.line) == ("site", "metadata/tables/lead.yaml", 3)


def test_a_form_is_changed_by_aims(tmp_path: Path) -> None:
    model = changed(tmp_path, """<form change="lead" title="Leads">
      <after ref="name"><text id="hint" title="Think."/></after>
      <before ref="main"><group id="top"/></before>
      <into ref="top"><field name="created_on"/></into>
      <move ref="amount" into="main"/>
      <set ref="name" readonly="true"/>
      <remove ref="tab:city"/>
    </form>""", "forms/lead.xml")
    assert refs(model) == ["group:top", "field:created_on", "group:main", "field:name", "text:hint", "field:city",
                           "field:amount", "tabs:more"]
    form = model.forms["lead"]
    assert form.title == "Leads"
    assert next(node for node in form.root.walk() if node.ref == "name").attributes["readonly"] == "true"


def test_a_layer_renames_what_it_owns(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, {"addons/lead/tables/lead.yaml": TABLE.replace(
        "city:   {type: text}", "town: {type: text, was: [city, place]}").replace("[name, city]", "[name]")})
    assert loaded.must().tables["lead"].fields["town"].was == ("city", "place")


def test_a_higher_layer_wins_over_a_lower_one(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, {
        "addons/lead/tables/lead.yaml": TABLE,
        "addons/more/addon.yaml": "addon: more\nversion: 1.0.0\nneeds: [lead]\n",
        "addons/more/tables/lead.yaml": "change: table lead\ntitle: More\nplural: Mores\n",
        "metadata/tables/lead.yaml": "change: table lead\ntitle: Mine\n"})
    table = loaded.must().tables["lead"]
    assert (table.title, table.plural) == ("Mine", "Mores")
