"""The tables of schema `bm`, and those of `sys` that promotion keeps, as SQLAlchemy values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    bindparam,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.errors import Words, words_from_json, words_to_json

BM = MetaData(schema="bm")
SYS = MetaData(schema="sys")
MOMENT = DateTime(timezone=True)
IDS = bindparam("ids", type_=ARRAY(BigInteger))         # of a batch: `column == any_(IDS)`

class Said(TypeDecorator[Words | str]):
    """A column of what is told to people: each reads it in their own language."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Words | str | None, dialect: Dialect) -> Any:
        """To the database."""
        return None if value is None else words_to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Words | str | None:
        """And back."""
        return None if value is None else words_from_json(value)


member = Table(
    "member", BM,
    Column("id", BigInteger, primary_key=True), Column("path", Text), Column("meaning", Text), Column("state", Text),
    Column("changed_on", MOMENT), Column("storage", BigInteger), Column("homes", ARRAY(BigInteger)))

definition = Table(
    "definition", BM,
    Column("hash", Text, primary_key=True), Column("format", Integer), Column("kind", Text), Column("name", Text),
    Column("layer", Text), Column("body", JSON))

blob = Table("blob", BM, Column("hash", Text, primary_key=True), Column("data", LargeBinary))

version = Table(
    "version", BM,
    Column("id", BigInteger, primary_key=True), Column("hash", Text), Column("parent", BigInteger),
    Column("manifest", JSONB), Column("identities", JSONB), Column("storage", JSONB), Column("code", JSONB),
    Column("message", Text),
    Column("author", Text), Column("created_on", MOMENT))

live = Table(
    "live", BM,
    Column("one", Boolean, primary_key=True), Column("version", BigInteger), Column("epoch", BigInteger))

promotion = Table(
    "promotion", BM,
    Column("id", BigInteger, primary_key=True), Column("base", BigInteger), Column("target", BigInteger),
    Column("plan", JSONB), Column("plan_hash", Text), Column("state", Text), Column("by_account", BigInteger),
    Column("message", Text), Column("started_on", MOMENT), Column("ended_on", MOMENT), Column("error", Said),
    Column("runner_epoch", Integer), Column("by_name", Text), Column("host", Text), Column("process", Integer),
    Column("ends_as", Text), Column("paused", JSONB(none_as_null=True)), Column("folder", JSONB(none_as_null=True)),
    Column("duty", Text))

step = Table(
    "step", BM,
    Column("promotion_id", BigInteger, primary_key=True), Column("number", Integer, primary_key=True),
    Column("kind", Text), Column("target", Text), Column("sql", Text), Column("state", Text),
    Column("started_on", MOMENT), Column("ended_on", MOMENT), Column("error", Said), Column("done", BigInteger),
    Column("total", BigInteger), Column("cursor", JSONB(none_as_null=True)), Column("since", MOMENT),
    Column("since_done", BigInteger), Column("note", Said))

statement = Table(
    "statement", BM,
    Column("promotion_id", BigInteger, primary_key=True), Column("number", Integer, primary_key=True),
    Column("step", Integer), Column("sql", Text), Column("undo", Boolean), Column("started_on", MOMENT),
    Column("ended_on", MOMENT), Column("tries", Integer), Column("rows", BigInteger))

wish = Table(
    "wish", BM,
    Column("id", BigInteger, primary_key=True), Column("promotion_id", BigInteger), Column("wish", Text),
    Column("by_account", BigInteger), Column("by_name", Text), Column("host", Text), Column("process", Integer),
    Column("asked_on", MOMENT))

fault = Table(
    "fault", BM,
    Column("id", BigInteger, primary_key=True), Column("promotion_id", BigInteger), Column("step", Integer),
    Column("said", Said), Column("place", Text), Column("host", Text), Column("process", Integer),
    Column("happened_on", MOMENT))

adopted = Table(
    "adopted", BM,
    Column("what", Text, primary_key=True), Column("name", Text, primary_key=True), Column("found", Text),
    Column("by_name", Text), Column("adopted_on", MOMENT))

purged = Table(
    "purged", BM,
    Column("storage", BigInteger, primary_key=True), Column("member", BigInteger), Column("path", Text),
    Column("by_name", Text), Column("purged_on", MOMENT))

physical = Table(
    "physical", SYS,
    Column("id", BigInteger, primary_key=True), Column("part", Text, primary_key=True), Column("table_name", Text),
    Column("column_name", Text), Column("type", Text), Column("state", Text), Column("changed_on", MOMENT),
    Column("pending", Boolean))

seed = Table(
    "seed", SYS,
    Column("table_id", BigInteger, primary_key=True), Column("key", Text, primary_key=True), Column("layer", Text),
    Column("shipped", JSONB), Column("record_id", BigInteger))

worker = Table(
    "worker", SYS,
    Column("id", Uuid, primary_key=True), Column("pid", Integer), Column("host", Text), Column("kind", Text),
    Column("version", BigInteger), Column("prepared", BigInteger), Column("oldest", BigInteger),
    Column("started_on", MOMENT), Column("lease_until", MOMENT), Column("error", Said))
