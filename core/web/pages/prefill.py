"""What a new record's form begins with: the object's values, the defaults, and what the address says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Denied
from core.types.base import BadValue
from core.web.context import Context
from core.web.form_view import FormView
from core.web.widgets.base import Entry

if TYPE_CHECKING:
    from core.definition.model import Object


def object_values(context: Context, thing: Object) -> dict[str, Any]:
    """The values that an object gives its new records: literals as they are, expressions worked out now."""
    found = {}
    for name, value in thing.new.items():
        evaluate = getattr(value, "evaluate", None)
        found[name] = evaluate({}, context.session.environment) if evaluate is not None else value
    return found


def prefilled(context: Context, thing: Object, table: str, view: FormView) -> dict[str, Any]:
    """A record that is not yet there, with the titles of what it links to."""
    record = values_of_new(context, thing, table, view)
    return {**record, **_titles(context, view, record)}


def values_of_new(context: Context, thing: Object, table: str, view: FormView) -> dict[str, Any]:
    """What a new record begins with: what the object and the address give, and the defaults."""
    values = {**object_values(context, thing), **_of_address(context, view)}
    try:
        return dict(context.records.new(table, values))
    except Denied:
        return values


def _of_address(context: Context, view: FormView) -> dict[str, Any]:
    """Values in the query, such as `?company=12`; what does not fit is left out."""
    found = {}
    for one in view.fields:
        text = context.request.args.get(one.key)
        if one.fixed or not text or one.bound.field.type.is_file or one.bound.field.type.is_lines:
            continue
        try:
            found[one.key] = one.widget.value(one.bound, Entry((text,)), context.viewer)
        except BadValue:
            continue
    return found


def _titles(context: Context, view: FormView, record: dict[str, Any]) -> dict[str, Any]:
    from core.web.pages.form import titles_of
    wanted: dict[str, set[int]] = {}
    for one in view.fields:
        value = record.get(one.key)
        if one.bound.field.type.is_link and value and f"{one.key}_title" not in record:
            wanted.setdefault(one.bound.field.target or "", set()).update(value if isinstance(value, list) else [value])
    known = {table: titles_of(context, table, ids) for table, ids in wanted.items()}
    found: dict[str, Any] = {}
    for one in view.fields:
        value, titles = record.get(one.key), known.get(one.bound.field.target or "")
        if titles is not None and value and one.bound.field.type.is_link:
            names = [titles.get(str(item), f"#{item}") for item in (value if isinstance(value, list) else [value])]
            found[f"{one.key}_title"] = names if isinstance(value, list) else names[0]
    return found
