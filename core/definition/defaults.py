"""The list and the form of a table for which none is written."""

from __future__ import annotations

from core.definition.model import Column, Field, Form, FormNode, List, Model

FIRST_COLUMNS = 6


def list_of(model: Model, table: str) -> List:
    """The list named like the table, else the first of it or its base, else one of its first fields."""
    name: str | None = table
    while name is not None:
        named = model.lists.get(name)
        if named is not None and named.of == name and named.query is None:
            return named
        first = next((one for one in model.lists.values() if one.of == name and one.query is None), None)
        if first is not None:
            return first
        name = model.tables[name].base
    found = model.tables[table]
    shown = [field for field in found.fields.values() if not field.type.is_long][:FIRST_COLUMNS]
    columns = {field.name: Column(field.name, field.name) for field in shown}
    return List(table, table, found.plural, columns, generated=True)


def form_of(model: Model, table: str) -> Form:
    """The form named like the table, else the first of it or its base, else one of all its fields."""
    name: str | None = table
    while name is not None:
        named = model.forms.get(name)
        if named is not None and named.of == name:
            return named
        first = next((one for one in model.forms.values() if one.of == name), None)
        if first is not None:
            return first
        name = model.tables[name].base
    found = model.tables[table]
    short = tuple(_node(field) for field in found.fields.values() if not field.type.is_long)
    long = tuple(_tab(field) for field in found.fields.values() if field.type.is_long)
    group = FormNode("group", "main", {"id": "main", "columns": "2"}, short)
    tabs = (FormNode("tabs", "more", {"id": "more"}, long),) if long else ()
    return Form(table, table, found.title, FormNode("form", "form", {}, (group, *tabs)), generated=True)


def _node(field: Field) -> FormNode:
    return FormNode("field", field.name, {"name": field.name})


def _tab(field: Field) -> FormNode:
    return FormNode("tab", field.name, {"id": field.name, "title": field.title}, (_node(field),))
