"""The tables of schema `sys` that the record service reads and writes, as SQLAlchemy values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    Interval,
    MetaData,
    Numeric,
    Sequence,
    Table,
    Text,
    Time,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.types import TypeEngine

SYSTEM = MetaData(schema="sys")
RECORD_ID = Sequence("record_id", schema="ed")          # every record of every table draws its id here

# In `change` of history the keys are identities of fields (as text), so that renames keep it readable;
# each value is a pair [before, after] in wire form.
history = Table(
    "history", SYSTEM,
    Column("id", BigInteger, primary_key=True), Column("record_id", BigInteger), Column("table_id", BigInteger),
    Column("at", DateTime(timezone=True)), Column("user_id", BigInteger), Column("how", Text),
    Column("import_id", BigInteger), Column("version", Integer), Column("change", JSONB))

search = Table(
    "search", SYSTEM,
    Column("record_id", BigInteger), Column("table_id", BigInteger), Column("part", Integer),
    Column("tsv", TSVECTOR), Column("label", Text))

search_queue = Table(
    "search_queue", SYSTEM,
    Column("id", BigInteger, primary_key=True), Column("record_id", BigInteger), Column("table_id", BigInteger),
    Column("queued_on", DateTime(timezone=True)))

unlocked = Table(
    "unlocked", SYSTEM,
    Column("record_id", BigInteger, primary_key=True), Column("user_id", BigInteger, primary_key=True),
    Column("reason", Text), Column("until", DateTime(timezone=True)))

file = Table(
    "file", SYSTEM,
    Column("id", BigInteger, primary_key=True), Column("name", Text), Column("type", Text),
    Column("size", BigInteger), Column("hash", Text), Column("created_by", BigInteger),
    Column("created_on", DateTime(timezone=True)), Column("record_id", BigInteger), Column("field_id", BigInteger),
    Column("staged", Boolean), Column("removed_on", DateTime(timezone=True)))

remark = Table(
    "remark", SYSTEM,
    Column("id", BigInteger, primary_key=True), Column("record_id", BigInteger), Column("table_id", BigInteger),
    Column("text", Text), Column("created_by", BigInteger), Column("created_on", DateTime(timezone=True)),
    Column("removed_on", DateTime(timezone=True)))

physical = Table(
    "physical", SYSTEM,
    Column("id", BigInteger, primary_key=True), Column("part", Text, primary_key=True),
    Column("table_name", Text), Column("column_name", Text), Column("type", Text), Column("state", Text),
    Column("changed_on", DateTime(timezone=True)))

COLUMN_TYPES: dict[str, TypeEngine[Any]] = {
    "text": Text(), "bigint": BigInteger(), "integer": Integer(), "numeric": Numeric(), "date": Date(),
    "boolean": Boolean(),
    "timestamptz": DateTime(timezone=True), "text[]": ARRAY(Text()), "bigint[]": ARRAY(BigInteger()),
    "jsonb": JSONB(), "time": Time(), "interval": Interval(),
}


def typed(column: str) -> TypeEngine[Any]:
    """The SQLAlchemy type of a part's PostgreSQL type."""
    return COLUMN_TYPES[column]
