"""Numbered steps that make and upgrade our own tables (schemas sys, bm, ed, jobs), each applied once."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psycopg2
from psycopg2 import sql
from sqlalchemy import Connection, text

from core.database.address import app_role
from core.database.engine import driver
from core.errors import Refused

FOLDER = Path(__file__).with_name("steps")
INCLUDE = re.compile(r"^-- include: procrastinate (\S+)$", re.MULTILINE)
LOCK = 7_236_001                                     # an advisory lock: one upgrade at a time


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One SQL file, named NNNN_name.sql."""

    number: int
    name: str
    path: Path

    def sql(self) -> str:
        """The statements; a line `-- include: procrastinate 3.10.0` stands for the schema that release brings along."""
        return INCLUDE.sub(_included, self.path.read_text(encoding="utf-8"))


def _included(match: re.Match[str]) -> str:
    installed = version("procrastinate")
    if installed != match[1]:
        raise Refused(f"procrastinate {match[1]} is needed, {installed} is installed; run `make setup`")
    from procrastinate.schema import SchemaManager
    return str(SchemaManager.get_schema()).replace("%%", "%")


def available() -> tuple[Step, ...]:
    """All steps of this release, in order."""
    return tuple(sorted(Step(int(p.stem[:4]), p.stem[5:], p) for p in FOLDER.glob("[0-9]*_*.sql")))


def applied(connection: Connection) -> frozenset[int]:
    """The numbers of the steps that this database has."""
    if connection.scalar(text("select to_regclass('public.tessera_step')")) is None:
        return frozenset()
    return frozenset(connection.scalars(text("select number from public.tessera_step")))


def missing(connection: Connection) -> tuple[Step, ...]:
    """The steps that this release has and the database lacks."""
    done = applied(connection)
    return tuple(step for step in available() if step.number not in done)


def upgrade(connection: Connection, only: Collection[int] | None = None) -> tuple[Step, ...]:
    """Apply what is missing in the caller's transaction, as the owner; raises Refused with what went wrong.

    `only` names the steps of an earlier release, to which rows of that time are restored.
    """
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    unknown = applied(connection) - {step.number for step in available()}
    if unknown:
        raise Refused(f"the database has steps {sorted(unknown)} of a newer release; use that release")
    steps = tuple(step for step in missing(connection) if only is None or step.number in only)
    connection.execute(text(
        "create table if not exists public.tessera_step"
        " (number integer primary key, name text not null, applied_on timestamptz not null default now())"))
    for step in steps:
        _apply(connection, step)
    return steps


def _apply(connection: Connection, step: Step) -> None:
    # The driver's cursor, because a file holds many statements and % signs that are not parameters.
    try:
        driver(connection).execute(step.sql())
    except psycopg2.Error as error:
        raise Refused(f"step {step.path.name} failed: {error}") from error
    connection.execute(text("insert into public.tessera_step (number, name) values (:number, :name)"),
                       {"number": step.number, "name": step.name})


def set_app_password(connection: Connection, password: str) -> None:
    """Let the app role log in with that password; raises Refused when the owner may not change it."""
    owner = str(connection.scalar(text("select current_user")))
    statement = sql.SQL("alter role {} login password {}").format(
        sql.Identifier(app_role(owner)), sql.Literal(password))
    try:
        driver(connection).execute(statement)
    except psycopg2.Error as error:
        raise Refused(f"the role {app_role(owner)} cannot be given its password: {error}") from None
