"""The expressions that people keep in records: which there are, and what they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.definition.references import Reference
from core.definition.stored import checked, expression_fields, references
from core.ed.records import Records
from core.ed.session import Session
from core.expression import Expression, ExpressionError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.ed.system import System

PAGE = 1_000


@dataclass(frozen=True)
class StoredExpression:
    """An expression in a record: `field` is "table.field" as it is declared."""

    table: str
    record: int
    title: str
    field: str
    source: str


def stored_expressions(system: System, connection: Connection) -> Iterator[StoredExpression]:
    """All expressions in records that are not in the trash."""
    records = Records(Session.system_session(system, connection))
    for field in expression_fields(system.model):
        after: str | None = None
        while True:
            page = records.page(field.table, [field.name, "_title"], f"{field.name} is not None", order=["id"],
                                limit=PAGE, after=after)
            for record in page.records:
                yield StoredExpression(str(record.get("_type") or field.table), int(record["id"]),
                                       str(record["_title"] or ""), f"{field.table}.{field.name}",
                                       str(record[field.name]))
            after = page.next
            if after is None:
                break


def stored_references(system: System, connection: Connection) -> Iterator[tuple[StoredExpression, Reference]]:
    """What each stored expression names; those that are wrong name nothing."""
    for one in stored_expressions(system, connection):
        try:
            expression = expression_of(system, one.field, one.source)
        except ExpressionError:
            continue
        table, _, name = one.field.partition(".")
        field = system.model.field(table, name)
        if field is not None:
            yield from ((one, reference) for reference in references(system.model, field, expression))


def expression_of(system: System, field: str, source: str) -> Expression:
    """A stored expression, ready to be used; former names in it mean what they are called now.

    Raises ExpressionError if the Model no longer has what it names.
    """
    table, _, name = field.partition(".")
    found = system.model.field(table, name)
    if found is None:
        raise KeyError(field)
    return system.cache.get(("stored expression", field, source), lambda: checked(system.model, found, source))
