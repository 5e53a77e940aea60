"""What writing the records of a table needs to know, worked out once for each version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column

from core.ed.schema import Stored, identity_path, parts
from core.types.base import FieldType

if TYPE_CHECKING:
    from core.definition.model import Field, Table
    from core.ed.system import System


@dataclass(frozen=True, slots=True)
class Kept:
    """A field that has columns: the physical name of each of its parts, and its key in history."""

    field: Field
    identity: str
    columns: tuple[str, ...]
    base: str | None             # the column with an amount in base currency

    @property
    def p(self) -> Any:
        """The properties of its type."""
        return self.field.properties

    def to_columns(self, value: Any) -> dict[str, Any]:
        """A value in normal form as database values by column."""
        return dict(zip(self.columns, self.field.type.to_columns(value, self.field.properties), strict=True))

    def to_wire(self, value: Any) -> Any:
        """A value in normal form as JSON."""
        return self.field.type.to_wire(value, self.field.properties)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A link of another table that leads to records of this one."""

    table: Table
    field: Field


class Shape:
    """The stored fields of a logical table with their columns, ready to turn values into rows and back."""

    def __init__(self, system: System, name: str) -> None:
        self.system = system
        self.table = system.model.tables[name]
        self.stored: Stored = system.stored(name)
        self.kept: Mapping[str, Kept] = {f.name: self._keep(f) for f in self.table.fields.values() if not f.virtual}
        self.beside = tuple(f.name for f in self.table.fields.values() if f.type.virtual)     # lines and the like
        self.money: tuple[Kept, ...] = tuple(k for k in self.kept.values() if k.base)
        self.files: tuple[Kept, ...] = tuple(k for k in self.kept.values() if k.field.type.is_file)
        self.sequences: tuple[Kept, ...] = tuple(k for k in self.kept.values() if k.field.type.is_drawn)
        self._ways = {name: (k.columns, _own(k.field.type, "to_columns"), k.p) for name, k in self.kept.items()}
        self._wires = {name: (k.identity, k.to_wire(None), _own(k.field.type, "to_wire"), k.p)
                       for name, k in self.kept.items()}
        self.naming: tuple[Kept, ...] = tuple(k for k in self.kept.values() if k.field.type.name in ("table", "field"))
        self.searched = any(f.search for f in self.table.fields.values())
        self.history = "history" in self.table.keeps
        self.currency = _currency(self.table)
        self.currency_through = None if self.currency else self._currency_through()
        self.rate = _rate(self.table)

    def _keep(self, field: Field) -> Kept:
        names = {part: self.stored.name(field.name, part) for part, _ in parts(field)}
        identity = str(self.system.identities[identity_path(field)])
        return Kept(field, identity, tuple(names.values()), names.get("base"))

    def _currency_through(self) -> str | None:
        """The link to the record that this is a line of, if that one has a currency."""
        for name, kept in self.kept.items():
            field = kept.field
            owned = field.type.name == "link" and field.target and not field.many and field.on_delete == "cascade"
            if owned and field.required is True and _currency(self.system.model.tables[field.target or ""]):
                return name
        return None

    def columns(self, names: Iterable[str] | None = None) -> list[Column[Any]]:
        """The columns of those fields, or of all."""
        wanted = self.kept.values() if names is None else (self.kept[name] for name in names)
        return [self.stored.table.c[column] for kept in wanted for column in kept.columns]

    def row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values in normal form as one database row, by column."""
        row: dict[str, Any] = {}
        for name, value in values.items():
            columns, parts_of, p = self._ways[name]
            if parts_of is None:
                row[columns[0]] = value
            else:
                row.update(zip(columns, parts_of(value, p), strict=True))
        return row

    def told(self, values: Mapping[str, Any]) -> dict[str, list[Any]]:
        """What history tells of a new record with those values: for each field that is filled in, empty and then it."""
        found = {}
        for name, value in values.items():
            if value is not None:
                identity, empty, to_wire, p = self._wires[name]
                found[identity] = [empty, value if to_wire is None else to_wire(value, p)]
        return found

    def values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A database row as values in normal form."""
        return {name: kept.field.type.from_columns(tuple(row[c] for c in kept.columns), kept.field.properties)
                for name, kept in self.kept.items()}

    def blank(self) -> dict[str, None]:
        """A row with nothing in it, so that every insert of a table is the same statement."""
        return {column: None for kept in self.kept.values() for column in kept.columns}


def _own(kind: FieldType[Any], method: str) -> Callable[[Any, Any], Any] | None:
    """A type's own way to give a value; None if it gives the value as it is."""
    return None if getattr(type(kind), method) is getattr(FieldType, method) else getattr(kind, method)


def _currency(table: Table) -> str | None:
    """The name of the link to a record's currency, if it has one."""
    found = table.fields.get("currency")
    is_currency = found is not None and found.target == "currency" and not found.many and not found.virtual
    return "currency" if is_currency else None


def _rate(table: Table) -> str | None:
    """The name of the field that keeps the rate of a record's own, beside its currency, if it has one."""
    found = table.fields.get("rate")
    is_rate = found is not None and found.type.name == "decimal" and not found.virtual and _currency(table) is not None
    return "rate" if is_rate else None


def shape(system: System, table: str) -> Shape:
    """The shape of a table in this version."""
    return system.cache.get(("shape", table), lambda: Shape(system, table))


def incoming(system: System, table: str) -> tuple[Incoming, ...]:
    """The stored links that may lead to records of a table: to itself or to a base above it."""
    def find() -> tuple[Incoming, ...]:
        found = []
        for other in system.model.tables.values():
            for field in other.own.values():
                is_kind_of = system.model.names.is_kind_of
                if field.virtual or field.type.name not in ("link", "any_link"):
                    continue
                if field.type.name == "any_link" or any(is_kind_of(table, target) for target in field.targets):
                    found.append(Incoming(other, field))
        return tuple(found)
    return system.cache.get(("incoming", table), find)
