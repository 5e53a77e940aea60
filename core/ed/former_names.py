"""The names that tables, fields, values of choices and pages had before a promotion renamed them, by those of now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, DateTime, MetaData, Table, Text, select

if TYPE_CHECKING:
    from core.definition.model import Model

LIFE = timedelta(days=30)
FORMER_NAME = Table(
    "former_name", MetaData(schema="bm"), Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True), Column("means", Text, primary_key=True),
    Column("noted_on", DateTime(timezone=True)))


@dataclass(frozen=True, slots=True)
class Noted:
    """A name that something had: `means` is its identity, or the next name of an object; `since` the rename.

    Of a value of choices it is "CHOICES.VALUE", the next value; of a state the identity of its field is before the dot.
    """

    kind: str
    name: str
    means: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Used:
    """A former name that somebody said, and what it is called now: "company.size", "company.extent"."""

    old: str
    new: str
    since: datetime

    @property
    def until(self) -> datetime:
        """When the former name ends."""
        return self.since + LIFE


def load(connection: Connection) -> tuple[Noted, ...]:
    """Every name that was noted, the latest first."""
    columns = FORMER_NAME.c
    rows = connection.execute(select(FORMER_NAME).order_by(columns.noted_on.desc(), columns.kind, columns.name,
                                                           columns.means))
    return tuple(Noted(*row) for row in rows)


class FormerNames:
    """The former names of what a version has."""

    def __init__(self, model: Model, names: Mapping[int, str], noted: Iterable[Noted]) -> None:
        self._model = model
        self._tables: dict[str, Noted] = {}
        self._objects: dict[str, Noted] = {}
        self._fields: dict[str, list[tuple[str, str, datetime]]] = {}   # by old name: who declares it, new name, since
        self._values: dict[tuple[str, str], Noted] = {}         # by choices, or the field of a state, and the old name
        for one in noted:
            if one.kind == "value":
                whose, _, value = one.means.partition(".")
                owner = names.get(int(whose), "") if whose.isdigit() else \
                    whose if whose in model.choices else model.names.renames.definition("choices", whose) or ""
                self._values.setdefault((owner, one.name), Noted("value", one.name, value, one.since))
                continue
            now = names.get(int(one.means), "") if one.kind != "object" else one.means
            table, _, field = now.partition(".")
            if one.kind == "object" and one.name not in model.objects:
                self._objects.setdefault(one.name, one)
            elif one.kind == "table" and table and one.name not in model.tables:
                self._tables.setdefault(one.name, Noted("table", one.name, table, one.since))
            elif one.kind == "field" and field not in ("", one.name):
                self._fields.setdefault(one.name, []).append((table, field, one.since))
        self.all: Collection[str] = frozenset((*self._tables, *self._objects, *self._fields,
                                               *(name for _, name in self._values)))

    def table(self, name: str) -> Used | None:
        """What a table is called now that had this name; None while a table has it."""
        found = self._tables.get(name)
        return Used(name, found.means, found.since) if found is not None else None

    def field(self, table: str, name: str) -> Used | None:
        """What a field of a table (its own, of its base, or of a kind under it) is called now that had this name."""
        if name not in self._fields or self._model.names.member(table, name) is not None \
                or self._model.field(table, name) is not None:
            return None
        for owner, new, since in self._fields[name]:
            found = self._model.field(table, new)
            if found is not None and found.table == owner:
                return Used(f"{table}.{name}", f"{table}.{new}", since)
        return None

    def object(self, name: str) -> Used | None:
        """What a page of records is called now that had this name."""
        seen, last = {name}, self._objects.get(name)
        found = last
        while found is not None and found.means not in self._model.objects and found.means not in seen:
            seen.add(found.means)
            found = self._objects.get(found.means)
        return Used(name, found.means, last.since) if found is not None and last is not None \
            and found.means in self._model.objects else None

    def value(self, choices: str, name: str) -> Used | None:
        """What a value of choices, of states "table.field", is now that had this name; None while one has it."""
        found, now = self._value(choices, name), self._known(choices)
        seen, last = {name}, found
        while last is not None and last.means not in now and last.means not in seen:
            seen.add(last.means)
            last = self._value(choices, last.means)
        return Used(name, last.means, found.since) if found is not None and last is not None \
            and name not in now and last.means in now else None

    def values(self, choices: str) -> tuple[str, ...]:
        """The former names of values of choices."""
        owner = self._owner(choices)
        return tuple(name for whose, name in self._values if whose == owner)

    def _value(self, choices: str, name: str) -> Noted | None:
        return self._values.get((self._owner(choices), name))

    def _owner(self, choices: str) -> str:
        """The choices, or the field of states by the table that declares it."""
        table, dot, name = choices.partition(".")
        found = self._model.field(table, name) if dot else None
        return f"{found.table}.{found.name}" if found is not None else choices

    def _known(self, choices: str) -> Collection[str]:
        found = self._model.choices.get(choices)
        return found.values if found is not None else ()
