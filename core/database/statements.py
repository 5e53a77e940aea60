"""The statements of a promotion as text: SQLAlchemy's own where it has them, and quoted by it where not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, CreateTable, DropIndex, ExecutableDDLElement

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
PREPARER = DIALECT.identifier_preparer


def create_table(table: Table) -> str:
    """CREATE TABLE without foreign keys or indexes."""
    return _text(CreateTable(table, include_foreign_key_constraints=[]))


def add_columns(table: Table, columns: Sequence[Column[Any]]) -> str:
    """One ALTER TABLE that adds all those nullable columns."""
    parts = [f"ADD COLUMN {PREPARER.format_column(column)} {column.type.compile(DIALECT)}" for column in columns]
    return f"ALTER TABLE {PREPARER.format_table(table)} {', '.join(parts)}"


def add_foreign_key(constraint: ForeignKeyConstraint) -> str:
    """Add a foreign key without looking at the rows there are; the constraint must hang on its table."""
    constraint.dialect_options["postgresql"]["not_valid"] = True
    return _text(AddConstraint(constraint))


def validate(table: Table, constraint: str) -> str:
    """Check the rows there are against a constraint; readers and writers go on."""
    return f"ALTER TABLE {PREPARER.format_table(table)} VALIDATE CONSTRAINT {PREPARER.quote(constraint)}"


def drop_index(table: Table, name: str, concurrently: bool = True) -> str:
    """Drop an index by name if it is there."""
    # SQLAlchemy names an index by a column of its table; which one does not show in DROP.
    index = Index(name, next(iter(table.c)), postgresql_concurrently=concurrently)
    statement = _text(DropIndex(index, if_exists=True))
    table.indexes.discard(index)
    return statement


def _text(element: ExecutableDDLElement) -> str:
    return " ".join(str(element.compile(dialect=DIALECT)).split())
