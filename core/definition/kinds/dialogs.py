"""Dialogs: what an agent or a transition asks, as fields that no table stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.parameters import ParameterSchema, check_parameters, parameter_fields
from core.definition.kinds.schema import Condition, Name, Schema, Text
from core.definition.kinds.steps import Known, Source
from core.definition.names import suggestion
from core.definition.processes import Ask, Page
from core.definition.scope import ModelScope, Written
from core.definition.texts import humanised
from core.definition.values import BodyPath, Merged

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.types.base import Type


class PageSchema(Schema):
    """A page of a dialog."""

    title: Text | None = Property(None, description="Its heading; the name in words if left out.")
    help: Text | None = Property(None, description="A sentence below the heading.")
    fields: list[Name] = Property(min_length=1, description="What is asked on it.")
    if_: Condition = Property(None, alias="if", description="Whether it is shown.")


class DialogSchema(Schema):
    """What stands beside the fields of a dialog."""

    pages: dict[Name, PageSchema] = Property({}, description="The pages by name, in order; one with all fields if left "
                                             "out.")
    form: Name | None = Property(None, description="The form that lays it out: one without a table.")
    submit: Text | None = Property(None, description="What its button says.")


def make_ask(building: Building, merged: Merged, path: BodyPath, name: str, asked: Mapping[str, ParameterSchema],
             beside: DialogSchema, given: Mapping[str, Type]) -> Ask:
    """A dialog whose expressions know its answers as `name.field`; `path` is that of the step or transition."""
    fields: dict[str, Field] = {}
    sources = {f"{name}.{key}": _answer(fields, key) for key in asked}
    known = Known(building.names, sources, given)
    fields |= parameter_fields(building, merged, (*path, "ask"), asked, known, asked=True)
    scope = building.scope(None, known)
    return Ask(fields, {key: _page(key, page, scope) for key, page in beside.pages.items()}, beside.form,
               beside.submit or "")


def _answer(fields: Mapping[str, Field], name: str) -> Source:
    return lambda: fields[name].expression_type if name in fields else None


def _page(name: str, schema: PageSchema, scope: ModelScope) -> Page:
    written = Written(str(schema.if_), scope, "boolean") if schema.if_ is not None else None
    return Page(name, schema.title or humanised(name), tuple(schema.fields), schema.help or "", written)


def check_ask(building: Building, merged: Merged, path: BodyPath, ask: Ask) -> None:
    """Check a dialog's fields, its pages and its form; `path` is that of the step or transition."""
    check_parameters(building, merged, (*path, "ask"), ask.fields)
    seen: dict[str, str] = {}
    for name, page in ask.pages.items():
        building.check(merged, (*path, "pages", name, "if"), page.written)
        for index, field in enumerate(page.fields):
            place = (*path, "pages", name, "fields", index)
            if field not in ask.fields:
                building.tell(merged, place, f'the dialog does not ask "{field}"' + suggestion(field, ask.fields))
            elif field in seen:
                building.tell(merged, place, f'"{field}" is asked on page "{seen[field]}" already')
            seen.setdefault(field, name)
    if ask.pages:
        for field in ask.fields.keys() - seen.keys():
            building.tell(merged, (*path, "ask", field), f'no page asks "{field}"')
    _check_form(building, merged, path, ask)


def _check_form(building: Building, merged: Merged, path: BodyPath, ask: Ask) -> None:
    form = building.find(merged, (*path, "form"), "form", ask.form) if ask.form else None
    if form is None:
        return
    if form.of:
        building.tell(merged, (*path, "form"), f'form "{form.name}" is of table "{form.of}"; the form of a dialog has '
                                               "no table")
        return
    for field in form.fields:
        if field not in ask.fields:
            building.tell(merged, (*path, "form"), f'form "{form.name}" shows "{field}", which is not asked'
                          + suggestion(field, ask.fields))
