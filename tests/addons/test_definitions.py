"""What every shipped addon keeps: guessable names, forms and lists for what people open, texts in both languages."""

from __future__ import annotations

from collections.abc import Iterator

from core.definition import Model


def texts(model: Model) -> Iterator[str]:
    """The paths of all texts that a page shows."""
    for table in model.tables.values():
        yield from (f"table {table.name}.title", f"table {table.name}.plural")
        for name, field in table.fields.items():
            yield f"table {table.name}.fields.{name}.title"
            if field.help:
                yield f"table {table.name}.fields.{name}.help"
        yield from (f"table {table.name}.rules.{name}.message" for name, rule in table.rules.items() if rule.message)
    for choices in model.choices.values():
        if choices.name != "role":
            yield from (f"choices {choices.name}.values.{name}.title" for name in choices.values)
    for shown in model.lists.values():
        if not shown.generated:
            yield from (f"list {shown.name}.filters.{name}.title" for name in shown.filters)
    for form in model.forms.values():
        yield from (f"form {form.name}.{ref}.title" for ref in form.titles)
    yield from (f"object {name}.title" for name in model.objects)
    yield from (f"role {name}.title" for name in model.roles)
    yield from (f"menu desktop.areas.{name}.title" for name in model.areas)


def test_every_text_is_there_in_simplified_chinese(model: Model) -> None:
    paths = list(texts(model))
    assert len(paths) > 250
    untranslated = [path for path in paths if not any("\u3400" <= letter <= "\u9fff" for letter in
                                                      model.text(path, "zh_CN"))]
    assert untranslated == ["choices language.values.en.title"]


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
