"""What people keep in records that names definitions: expressions, tables, fields; and what open links lead to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from core.definition.references import Reference
from core.definition.stored import checked, field_now, named, naming_fields, table_about, table_now
from core.ed.records import Records
from core.ed.session import Session
from core.expression import Expression

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.definition.model import Field
    from core.ed.system import System

PAGE = 1_000


@dataclass(frozen=True)
class StoredName:
    """A value in a record that names definitions: `field` is "table.field" as it is declared.

    `beside` is the table that another field of the record names; of an open link `source` is the table it leads to,
    and the record is the first of all that lead there.
    """

    table: str
    record: int
    title: str
    field: str
    source: str
    beside: str = ""


def stored_names(system: System, connection: Connection) -> Iterator[StoredName]:
    """All such values in records that are not in the trash."""
    records = Records(Session.system_session(system, connection))
    for field in naming_fields(system.model):
        yield from _open_links(records, field) if field.type.name == "any_link" else _values(records, field)


def _values(records: Records, field: Field) -> Iterator[StoredName]:
    beside = str(getattr(field.properties, "table", ""))
    fields = [field.name, "_title", *([beside] if beside else [])]
    after: str | None = None
    while True:
        page = records.page(field.table, fields, f"{field.name} is not None", order=["id"], limit=PAGE, after=after)
        for record in page.records:
            yield StoredName(str(record.get("_type") or field.table), int(record["id"]), str(record["_title"] or ""),
                             f"{field.table}.{field.name}", str(record[field.name]),
                             str(record.get(beside) or "") if beside else "")
        after = page.next
        if after is None:
            return


def _open_links(records: Records, field: Field) -> Iterator[StoredName]:
    """The first record that leads to each table: how many more there are makes no difference."""
    session = records.session
    stored = session.system.stored(field.table)
    place, own = stored.column(field.name, "table"), stored.own_rows()
    first = select(place, func.min(stored.column("id"))).where(
        place.is_not(None), stored.column("_deleted_on").is_(None), *(() if own is None else (own,))).group_by(place)
    for identity, id_ in session.connection.execute(first).all():
        table = session.system.name_of(identity)
        if table is not None:
            (record,) = records.read(field.table, [id_], ["_title"])
            yield StoredName(field.table, id_, str(record["_title"] or ""), f"{field.table}.{field.name}", table)


def stored_references(system: System, connection: Connection) -> Iterator[tuple[StoredName, Reference]]:
    """What each stored value names; those that are wrong name nothing."""
    for one in stored_names(system, connection):
        field = _field(system, one.field)
        yield from ((one, reference) for reference in named(system.model, field, one.source, one.beside))


def expression_of(system: System, field: str, source: str) -> Expression:
    """A stored expression, ready to be used; former names in it mean what they are called now.

    Raises ExpressionError if the Model no longer has what it names.
    """
    found = _field(system, field)
    return system.cache.get(("stored expression", field, source), lambda: checked(system.model, found, source))


def table_of(system: System, field: str, name: str) -> str | None:
    """The table that a stored value names, by its name of now; None if the Model no longer has it."""
    return table_now(system.model, _field(system, field), name)


def field_of(system: System, field: str, path: str, beside: str = "") -> str | None:
    """The field or path that a stored value names, by its names of now; None if the Model no longer has it."""
    found = _field(system, field)
    table = table_about(system.model, found, beside)
    return field_now(system.model, found, table, path) if table is not None else None


def _field(system: System, path: str) -> Field:
    table, _, name = path.partition(".")
    found = system.model.field(table, name)
    if found is None:
        raise KeyError(path)
    return found
