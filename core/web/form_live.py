"""What a form shows while people type: how its fields stand, what is worked out, what is suggested. Nothing is written.

All of it comes from what the user may read: where a formula needs more, what stands there stays until it is saved.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.ed.defaults import normal
from core.ed.drafts import UNKNOWN, followed, moved_by, work_out
from core.ed.scope import visible
from core.ed.shape import Shape, shape
from core.expression import Expression
from core.types.base import BadValue
from core.types.characters import plain_number
from core.web.context import Context
from core.web.form_view import FormField, FormView
from core.web.widgets.base import EMPTY, Bound, Control, Entry, Record
from core.web.widgets.lines import Line, LineColumn, columns_of

if TYPE_CHECKING:
    from core.definition.model import Field, Object

TYPED = "_typed"                # the controls that somebody typed in, so that nothing is suggested there any more
CHANGED = "_changed"            # the control that was changed just now
MOST_TYPED = 10_000


@dataclass
class Draft:
    """A form's record as it stands now, and what that makes of fields which nobody typed."""

    context: Context
    view: FormView
    stored: Record                          # as it is kept; empty for a new one
    values: dict[str, Any]                  # as it stands in the form
    answer: dict[str, dict[str, Any]] = field(default_factory=dict)     # by control: "value" or "control", as HTML

    @property
    def shaped(self) -> Shape:
        """What its table keeps."""
        return shape(self.context.system, self.view.of)


def typed(context: Context) -> frozenset[str]:
    """The controls that somebody typed in, as the form remembers them."""
    return frozenset(context.request.form.get(TYPED, "")[:MOST_TYPED].split())


def draft(context: Context, thing: Object, view: FormView, record: Record, values: Mapping[str, Any],
          id: int | None) -> Draft:
    """The record of a form as it stands, with the fields beside the form that are needed to work something out."""
    from core.web.pages.prefill import values_of_new
    shaped = shape(context.system, view.of)
    if id is None:
        beside: Mapping[str, Any] = values_of_new(context, thing, view.of, view)
    else:
        said = [each for one in view.fields for each in (one.bound.field.formula, one.bound.field.suggest)
                if "." not in one.key and isinstance(each, Expression)]
        wanted = sorted({name for one in said for name in moved_by(shaped, one) if name in shaped.kept}
                        .intersection(context.records.readable(view.of)) - record.keys())
        found = context.records.read(view.of, [id], wanted) if wanted else []
        beside = found[0] if found else {}
    stored = {} if id is None else {**beside, **record}
    return Draft(context, view, {name: value for name, value in stored.items() if "." not in name},
                 {name: value for name, value in {**beside, **values}.items() if "." not in name})


def follow(draft: Draft, entries: Mapping[str, Entry]) -> None:
    """Work out what hangs on the control that was changed, and every formula; `values` has it all then."""
    changed, known = draft.context.request.form.get(CHANGED, "")[:200], typed(draft.context)
    here = {one.key: one for one in draft.view.fields if "." not in one.key}
    _suggest(draft, here, {changed}, known)
    for one in here.values():
        if one.bound.field.type.is_lines and one.key in entries:
            draft.values[one.key] = _lines(draft, one, entries[one.key].rows, changed, known)
    for one in here.values():
        formula = one.bound.field.formula
        if formula is None or one.bound.field.names_records or not _knows(draft.context, draft.shaped, formula):
            continue
        [value] = work_out(draft.context.session, draft.shaped, formula, [draft.values])
        if value is not UNKNOWN:
            draft.values[one.key] = normal(one.bound.field, value)
            draft.answer[one.key] = {"value": str(one.read(draft.values, draft.context.viewer) or EMPTY)}


def _knows(context: Context, shaped: Shape, expression: Expression) -> bool:
    """Whether the user may read all that an expression reads: what is missing would count as empty."""
    formulas = [one.formula for one in followed(shaped, [expression]) if one.formula is not None]
    gate, tables = context.session.gate, context.system.model.tables
    for path in {path for one in (expression, *formulas) for path in one.reads if path[:1] != ("all",)}:
        table = shaped.table.name
        for name in path:
            if not visible(gate, table, name):
                return False
            one = tables[table].fields.get(name) if table in tables else None
            table = one.target or "" if one is not None else ""
            if not table:
                break
    return True


# Suggestions

def _suggest(draft: Draft, here: Mapping[str, FormField], changed: set[str], known: Collection[str]) -> None:
    viewer = draft.context.viewer
    for one in here.values():
        found = _suggestion(draft.context, draft.shaped, one.bound.field, changed, draft.values, draft.stored)
        if one.fixed or one.key in known or found is UNKNOWN:
            continue
        changed.add(one.key)
        draft.values[one.key] = found
        record = {**draft.values, **_title(draft.context, one.bound, found)}
        entry = one.widget.entry(one.bound, record, viewer)
        control = Control(one.key, f"f-{one.key}", "", one.required is True, False, "", {})
        draft.answer[one.key] = {"control": str(one.edit(entry, control, viewer))}


def _suggestion(context: Context, shaped: Shape, one: Field, changed: Collection[str], values: Mapping[str, Any],
                stored: Record) -> Any:
    """What is suggested for a field now; UNKNOWN where nothing is: it hangs on none of what changed, or was typed."""
    suggest = one.suggest
    if not isinstance(suggest, Expression) or not moved_by(shaped, suggest) & set(changed):
        return UNKNOWN
    before, after = work_out(context.session, shaped, suggest, [stored, values])
    if after is UNKNOWN or (stored and (before is UNKNOWN or normal(one, before) != stored.get(one.name))):
        return UNKNOWN
    return normal(one, after)


def _title(context: Context, bound: Bound, value: Any) -> dict[str, Any]:
    from core.web.pages.form import titles_of
    if bound.field.type.name != "link" or not isinstance(value, int):
        return {}
    return {f"{bound.path}_title": titles_of(context, bound.field.target or "", {value}).get(str(value), f"#{value}")}


# Lines

def _lines(draft: Draft, one: FormField, rows: Collection[Line], changed: str,
           known: Collection[str]) -> list[dict[str, Any]]:
    """The lines of one field as they stand, with what is suggested in them and worked out for each."""
    context = draft.context
    shaped = shape(context.system, one.bound.field.target or "")
    columns = columns_of(one.bound)
    ids = [id for row in rows if (id := plain_number(row.id)) is not None]
    stored = {str(row["id"]): row for row in context.records.read(shaped.table.name, ids)} if ids else {}
    by = str(getattr(one.bound.field.properties, "by", ""))
    around = {f"{by}.{name}": value for name, value in draft.values.items() if name in draft.shaped.kept}
    found = []
    for line in (row for row in rows if not row.removed):
        before = stored.get(line.id, {})
        values = {**(before or _defaults(shaped)), **around, **_entered(context, columns, line)}
        prefix = f"{one.key}.{line.key}."
        if changed.startswith(prefix):
            typed_here = {name.removeprefix(prefix) for name in known if name.startswith(prefix)}
            _suggest_in_line(draft, shaped, columns, prefix, {changed.removeprefix(prefix)}, typed_here, values,
                             {**before, **around} if before else {})
        found.append((prefix, values))
    _formulas_of_lines(draft, shaped, columns, found)
    return [values for _, values in found]


def _defaults(shaped: Shape) -> dict[str, Any]:
    """What a new line has where nothing is entered, as far as it is written down."""
    return {name: kept.field.default for name, kept in shaped.kept.items()
            if kept.field.default is not None and not isinstance(kept.field.default, Expression)}


def _entered(context: Context, columns: Collection[LineColumn], line: Line) -> dict[str, Any]:
    values = {}
    for column in columns:
        entry = line.entries.get(column.name)
        if entry is not None and "." not in column.name:
            try:
                if line.id or entry.texts:
                    values[column.name] = column.widget.value(column.bound, entry, context.viewer)
            except BadValue:
                continue
    return values


def _suggest_in_line(draft: Draft, shaped: Shape, columns: Collection[LineColumn], prefix: str, changed: set[str],
                     known: Collection[str], values: dict[str, Any], stored: Record) -> None:
    for column in columns:
        if column.editor is None or column.name in known or "." in column.name:
            continue
        found = _suggestion(draft.context, shaped, column.bound.field, changed, values, stored)
        if found is UNKNOWN:
            continue
        changed.add(column.name)
        values[column.name] = found
        record = {**values, **_title(draft.context, column.bound, found)}
        entry = column.widget.entry(column.bound, record, draft.context.viewer)
        place = prefix.split(".")
        control = Control(prefix + column.name, f"f-{place[0]}-{place[1]}-{column.name}", column.bound.title,
                          column.bound.field.required is True, False, "")
        draft.answer[prefix + column.name] = {"control": str(column.editor(entry, control, draft.context.viewer))}


def _formulas_of_lines(draft: Draft, shaped: Shape, columns: Collection[LineColumn],
                       found: Collection[tuple[str, dict[str, Any]]]) -> None:
    """Every formula of the lines, for all of them at once: the record's own formulas may read any of them."""
    shown = {column.name: column for column in columns}
    formulas = [one for one in shaped.table.fields.values() if one.formula is not None]
    for one in followed(shaped, [one.formula for one in formulas if one.formula is not None]):
        formulas = [one, *(other for other in formulas if other is not one)]
    for one in formulas:
        if one.formula is None or one.names_records or not found or not _knows(draft.context, shaped, one.formula):
            continue
        drafts = [values for _, values in found]
        for (prefix, values), value in zip(found, work_out(draft.context.session, shaped, one.formula, drafts),
                                           strict=True):
            if value is UNKNOWN:
                continue
            values[one.name] = normal(one, value)
            if one.name in shown:
                cell = shown[one.name].cell(values, draft.context.viewer)
                draft.answer[prefix + one.name] = {"value": str(cell)}
