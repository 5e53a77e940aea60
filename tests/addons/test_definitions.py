"""What every shipped addon keeps: guessable names, forms and lists for what people open, texts in both languages."""

from __future__ import annotations

from core.definition import Model
from core.definition.catalogue import units
from core.plugins import Plugins


def test_every_text_is_there_in_simplified_chinese(model: Model) -> None:
    found = units(model, Plugins().kinds)
    assert len(found) > 300
    untranslated = {unit.path for unit in found if not any("\u3400" <= letter <= "\u9fff"
                                                           for letter in model.text(unit.path, "zh_CN"))}
    # What the language itself is called, the name of the product, and a code.
    assert untranslated == {"choices language.values.en.title", "system main.title"}


def test_what_people_open_has_a_list_and_a_form_of_its_own(model: Model) -> None:
    for thing in model.objects.values():
        assert thing.area in model.areas, thing.name
        assert thing.icon, thing.name
        assert thing.lists, thing.name


def test_forms_show_every_field_that_people_may_fill(model: Model) -> None:
    for name in ("company", "contact", "product", "opportunity", "user"):
        table, form = model.tables[name], model.form_of(name)
        # What a deal inherits as a ticket and has no use for yet stays off its form.
        spare = {"opportunity": {"biller", "price", "quantity", "unit"}}.get(name, set())
        shown = set(form.fields)
        assert {field for field in table.fields if field not in shown} <= spare | {"contact_count"}, name


def test_only_the_administrator_has_every_right(model: Model) -> None:
    assert [role.name for role in model.roles.values() if role.all] == ["administrator"]
    for role in model.roles.values():
        assert "role_assignment" not in role.grants, role.name
