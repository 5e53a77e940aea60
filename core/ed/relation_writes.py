"""Links as they are written: those through a table become lines of it, open ones learn which table they lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.ed import relations
from core.types.link import Edits, Linked

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.batch import Batch
    from core.ed.session import Session
    from core.ed.shape import Shape
    from core.ed.values import Row


def through_lines(batch: Batch, shaped: Shape, rows: Sequence[Row]) -> Mapping[str, tuple[str, str]]:
    """The fields whose lines are written, each with their table and its link back.

    Links through a table between are lines of it: what is added is a new one, what is taken away one that is removed.
    """
    found = {name: (field.target or "", str(getattr(field.properties, "by", "")))
             for name, field in shaped.table.lines.items()}
    for name in dict.fromkeys(name for row in rows for name in row.links):
        field = shaped.table.fields[name]
        ends = relations.ends_of(shaped.system, field)
        linking = [row for row in rows if name in row.links]
        owners = [row.id for row in linking if row.old is not None and row.id]
        there = relations.rows_between(batch.session, field, owners)
        for row in linking:
            row.lines[name] = _lines(row.links[name], ends.other, there.get(row.id or 0, {}))
        found[name] = (ends.through, ends.by)
    return found


def _lines(wanted: list[int] | Edits, other: str, there: Mapping[int, Sequence[int]]) -> list[dict[str, Any]]:
    """The lines to write so that exactly the wanted records are linked, or those more and those less."""
    if isinstance(wanted, Edits):
        added, gone = [one for one in wanted.add if one not in there], [one for one in wanted.remove if one in there]
    else:
        added, gone = [one for one in wanted if one not in there], [one for one in there if one not in wanted]
    return [*({other: one} for one in added), *({"id": row, "_delete": True} for one in gone for row in there[one])]


def aims(session: Session, field: Field, ids: Iterable[int]) -> tuple[str, ...]:
    """The tables in which records that a link is to lead to are looked for; all that hold one, for an open link."""
    if field.type.name != "any_link":
        return field.targets
    return tuple(sorted(set(relations.locate(session, ids).values())))


def place(session: Session, field: Field, rows: Iterable[Row], found: Mapping[str, set[int]]) -> None:
    """Say of each new value of an open link, or of one to several tables, of which table the record is."""
    tables = {id_: table for table, ids in found.items() for id_ in ids}
    for row in rows:
        value = row.values.get(field.name)
        if value is not None and not isinstance(value, Linked) and value in tables:
            table = tables[value]
            row.values[field.name] = Linked(value, table, session.system.identities[table])
