"""What steps say beside their verb: records, values of fields, tables that are named or worked out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from core.definition.kinds.fields import check_value, literal
from core.definition.kinds.steps import Place, Source, fixed, type_of
from core.definition.model import Field
from core.definition.names import fault, suggestion
from core.definition.processes import Step
from core.definition.references import KEY
from core.definition.scope import Written
from core.types.base import Type

OWN = "record"


def records(place: Place, source: str | None) -> Written:
    """An expression for one record or several; the record of the definition if nothing is said."""
    return Written(source if source is not None else OWN, place.scope, "records")


def one_of(written: object) -> Source:
    """The type of one of the records that an expression gives."""
    def find() -> Type | None:
        kind = type_of(written) if isinstance(written, Written) else None
        return Type("link", kind.of) if kind is not None and kind.of is not None else None
    return find


def check_records(place: Place, step: Step, key: str, many: bool | None = None) -> str | None:
    """Check an expression for records; their table, or None with a problem told. `many`: must be several, or one."""
    written = cast(Written, step.parts[key])
    said = place.said(key) is not None
    if not said and place.table is None:
        place.tell(f'there is no record here: say which with "{key}"')
        return None
    kind = place.check(written, *((key,) if said else ()))
    if kind is None:
        return None
    if many is not None and many != (kind.name == "set"):
        place.tell(f'"{key}" takes several records, and this is one' if many else
                   f'"{key}" takes one record, and this is a set of them', key)
        return None
    return kind.of


def table_part(place: Place, value: str) -> object:
    """A table that is named, or `=` and an expression that gives one."""
    return Written(value[1:], place.scope, "table") if value.startswith("=") else value


def table_source(part: object) -> Source:
    """The type of a record of a table that is named or worked out."""
    if isinstance(part, Written):
        return one_of(part)
    return fixed(Type("link", str(part)))


def check_table(place: Place, step: Step, key: str) -> str | None:
    """Check a table that is named or worked out; the table, or the base it is under, or None with a problem told."""
    part = step.parts[key]
    if isinstance(part, Written):
        kind = place.check(part, key, shift=1)
        return kind.of if kind is not None else None
    name = str(part)
    wrong = fault(name)
    if wrong is not None:
        place.tell(wrong, key)
        return None
    if place.find("table", name, key) is None:
        return None
    if place.building.names.tables[name].abstract:
        place.tell(f'table "{name}" is abstract: it has no records but those of its kinds', key)
    return name


def value_parts(place: Place, values: Mapping[str, object], key: str = "with") -> dict[str, object]:
    """The values that are worked out, by dotted path."""
    return {f"{key}.{name}": Written(value[1:], place.scope) for name, value in values.items()
            if isinstance(value, str) and value.startswith("=")}


def check_values(place: Place, values: Mapping[str, object], table: str | None, key: str = "with") -> None:
    """Check that values fit the fields of a table which they are given to."""
    if table is None or table not in place.building.names.tables:
        for name, value in values.items():      # nothing is known of the fields, but expressions may be wrong
            if isinstance(value, str) and value.startswith("="):
                place.check(Written(value[1:], place.scope), key, name, shift=1)
        return
    for name, value in values.items():
        field = _writable(place, table, name, key)
        if field is not None:
            check_given(place.at(key, name), field, value)


def _writable(place: Place, table: str, name: str, key: str) -> Field | None:
    if place.building.field(place.merged, (*place.path, key, name), table, name, KEY) is None:
        return None
    field = place.building.names.field(table, name)
    if field is None:
        place.tell(f'"{name}" cannot be set: every record has one already', key, name)
    elif "formula" in field.written:
        place.tell(f'field "{name}" is computed: it cannot be set', key, name)
    else:
        return field
    return None


def check_given(place: Place, field: Field, value: object) -> None:
    """Check one value, a literal or `=` and an expression, against the field or parameter that takes it."""
    several = field.target is not None and (field.many or field.type.is_lines)
    if isinstance(value, str) and value.startswith("="):
        kind = place.check(Written(value[1:], place.scope, "records" if several else field.expression_type), shift=1)
        if several and field.many and kind is not None:
            _check_linked(place, field, str(kind.of))
    elif value is None:
        return
    elif field.target is not None:
        place.tell(f'the value of "{field.name}" is a link or lines, so it is an expression: write = before it, such '
                   "as =record")
    else:
        normal = literal(place.merged, place.path, value, field, place.building)
        check_value(place.merged, place.path, normal, field, place.building)


def _check_linked(place: Place, field: Field, table: str) -> None:
    if not place.building.names.is_kind_of(table, str(field.target)):
        place.tell(f'"{field.name}" leads to records of table "{field.target}", and these are of "{table}"')


def check_complete(place: Place, values: Mapping[str, object], table: str | None) -> None:
    """Tell the fields that a new record must have and nobody gives it."""
    found = place.building.names.tables.get(table or "")
    if found is None:
        return
    missing = [name for name, field in found.fields.items() if name not in values and _must(field)]
    if missing:
        fields = ", ".join(f'"{name}"' for name in missing)
        place.tell(f'a new record of table "{found.name}" needs {fields}')


def _must(field: Field) -> bool:
    given = {"default", "suggest", "formula"} & set(field.written)
    return field.written.get("required") is True and not (given or field.type.is_drawn or field.type.is_lines)


def check_arguments(place: Place, values: Mapping[str, object], fields: Mapping[str, Field], what: str,
                     key: str = "with") -> None:
    """Check that values fit what is asked, and that all is given that must be."""
    for name, value in values.items():
        field = fields.get(name)
        if field is None and name in place.building.names.lost:
            continue
        if field is None:
            place.tell(f'{what} has no parameter "{name}"' + suggestion(name, fields), key, name)
        else:
            check_given(place.at(key, name), field, value)
    missing = [name for name, field in fields.items() if name not in values and _must(field)]
    for name in missing:
        place.tell(f'{what} needs "{name}"', *((key,) if values else ()))
