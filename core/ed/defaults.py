"""What a new record begins with, and what is suggested again when a record changes.

A default acts once. A suggestion acts at creation, and again when a field that it reads changes, for as long as the
record still holds what was suggested before: so what somebody entered instead stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.ed.drafts import UNKNOWN, environment_for, moved_by, work_out
from core.ed.shape import Shape
from core.ed.values import Row, is_empty
from core.expression import Expression
from core.types.base import BadValue
from core.types.numbers import rounded

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.lock import Locked
    from core.ed.session import Session


def fill(session: Session, shaped: Shape, rows: Sequence[Row], by: str | None = None) -> None:
    """Give new rows the values that the caller did not name, field by field, for all rows at once.

    `by` is the link of lines to the record that they stand in, which is written with them.
    """
    fields = [kept.field for kept in shaped.kept.values()]
    for field in fields:
        if field.default is not None:
            _give(session, shaped, field, field.default, [row for row in rows if field.name not in row.given], by)
    for field in fields:
        if field.suggest is not None:
            empty = [row for row in rows if field.name not in row.given and is_empty(row.values.get(field.name))]
            _give(session, shaped, field, field.suggest, empty, by)


def again(session: Session, shaped: Shape, rows: Sequence[Row], held: Mapping[int, Locked],
          by: str | None = None) -> None:
    """Suggest anew what changing rows make another, where the record still holds the suggestion of before."""
    for field, expression, names in _suggested(session, shaped):
        moved = [row for row in rows if field.name not in row.given and names & row.values.keys()
                 and field.name not in held[row.id or 0].frozen]
        if not moved:
            continue
        drafts = [*({**(row.old or {}), "id": row.id} for row in moved), *(_draft(row, by) for row in moved)]
        found = [value if value is UNKNOWN else normal(field, value)
                 for value in work_out(session, shaped, expression, drafts)]
        for row, before, after in zip(moved, found[:len(moved)], found[len(moved):], strict=True):
            stored = (row.old or {}).get(field.name)
            untouched = before is not UNKNOWN and _same(before, stored)
            if untouched and after is not UNKNOWN and not _same(after, stored) and (
                    field.required is not True or not is_empty(after)):
                row.values[field.name] = after


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (is_empty(one) and is_empty(other))


def _suggested(session: Session, shaped: Shape) -> list[tuple[Field, Expression, frozenset[str]]]:
    """The fields with suggestions that can change, and the fields that change them."""
    return session.system.cache.get(("suggested", shaped.table.name), lambda: [
        (kept.field, suggest, moved_by(shaped, suggest)) for kept in shaped.kept.values()
        if isinstance(suggest := kept.field.suggest, Expression)])


def _give(session: Session, shaped: Shape, field: Field, value: object, rows: Sequence[Row], by: str | None) -> None:
    if not rows:
        return
    if not isinstance(value, Expression):
        for row in rows:
            row.values[field.name] = list(value) if isinstance(value, list | tuple) else value
        return
    if not value.reads and not value.needs_database:       # the same for every row
        environment = environment_for(session, [value])
        for row in rows:
            row.values[field.name] = normal(field, value.evaluate({}, environment))
        return
    found = work_out(session, shaped, value, [_draft(row, by) for row in rows])
    for row, one in zip(rows, found, strict=True):
        row.values[field.name] = None if one is UNKNOWN else normal(field, one)


def _draft(row: Row, by: str | None) -> dict[str, Any]:
    """A row as it would be written; of a line also what is written at the same time into what it stands in."""
    draft = {**(row.old or {}), **row.values, "id": row.id}
    if by is not None and row.parent is not None:
        draft[by] = row.parent.id
        if row.parent.id is None:                          # all of it is written now, by the same caller
            draft.update({f"{by}.{name}": value for name, value in row.parent.values.items()})
        else:
            draft.update({f"{by}.{name}": row.parent.values[name] for name in row.parent.values.keys()
                          & row.parent.given})
    return draft


def normal(field: Field, value: Any) -> Any:
    """A worked-out value as the field keeps it: rounded to its scale; empty if it does not fit."""
    scale = getattr(field.properties, "scale", None)
    if isinstance(value, Decimal | int) and scale is not None and not isinstance(value, bool):
        value = rounded(Decimal(value), scale)
    try:
        return field.type.validate(value, field.properties)
    except BadValue:
        return None
