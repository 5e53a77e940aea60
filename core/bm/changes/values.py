"""Records written in YAML (seeds, demo records) as values for the record service; links are written as keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from core.errors import Refused
from core.expression import check
from core.types.base import BadValue

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.session import Session

# Gives the id of the record that a key stands for in a table (or one under it); None when there is none.
Find = Callable[[str, str], int | None]


class Unresolved(Refused):
    """A link's key stands for no record (yet)."""


def record_values(session: Session, table: str, written: Mapping[str, Any], find: Find) -> dict[str, Any]:
    """All values of one record in normal form. Raises Refused naming the field, Unresolved for a link."""
    values = {}
    for name, value in written.items():
        field = session.system.model.field(table, name)
        if field is None:
            raise Refused(f'{table}: there is no field "{name}"')
        values[name] = value_of(session, table, field, value, find)
    return values


def value_of(session: Session, table: str, field: Field, value: Any, find: Find, literal: bool = False) -> Any:
    """One value in normal form: an expression after `=` (not if `literal`), a link by key, else what the type reads.

    Raises Refused, Unresolved.
    """
    if value is None:
        return None
    if isinstance(value, str) and value.startswith("=") and not literal:
        expression = check(value[1:], session.system.model.scope(table), field.expression_type.name)
        return expression.evaluate({}, session.environment)
    if field.target is not None:
        return _link(field, field.target, value, find)
    if field.targets:                   # the first of several tables that has a record of that key
        found = (find(target, str(value)) for target in field.targets)
        one = next((id_ for id_ in found if id_ is not None), None)
        if one is None:
            raise Unresolved(f'{field.table}.{field.name}: there is no {" or ".join(field.targets)} "{value}"')
        return one
    try:
        return field.type.from_wire(repr(value) if isinstance(value, float) else value, field.properties)
    except BadValue as error:
        raise Refused(f"{table}.{field.name}: {error}") from None


def _link(field: Field, target: str, value: Any, find: Find) -> int | list[int]:
    if field.type.is_lines:
        raise Refused(f"{field.table}.{field.name}: lines are written as records of {target}")
    keys = value if isinstance(value, list) else [value]
    ids = []
    for key in keys:
        found = find(target, str(key))
        if found is None:
            raise Unresolved(f'{field.table}.{field.name}: there is no {target} "{key}"')
        ids.append(found)
    return ids if field.many else ids[0]
